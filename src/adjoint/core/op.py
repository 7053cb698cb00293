"""What an op is, the registry of all ops, and the door that every remembered call goes through."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

from ..backends.namespace import NUMBERS, as_array, describe, namespace
from ..errors import AdjointError, AxisError, DeclarationError, PositionError, ShapeError
from .traced import Traced, shape, snapshot

OPS: dict[str, Op] = {}
KINDS: dict[type[Exception], type[Exception]] = {
    ValueError: ShapeError, IndexError: PositionError, np.exceptions.AxisError: AxisError,
}  # fmt: skip

next_level: Callable[[], int] = count(1).__next__
"""A fresh level for a transform that starts: inner ones start later, so larger means inner."""


class Edge:
    """The derivative of an op in one input: a linear map, what it remembers, where to get it."""

    __slots__ = ("into", "names", "pick", "vjp")
    pick: Callable[..., Any]
    into: Callable[..., None]

    def __init__(self, names: tuple[str, ...], vjp: Callable[..., Any]) -> None:
        self.names, self.vjp = names, vjp


class Op:
    """A primitive: its forward on arrays and its derivatives, declared once.

    name, __doc__    as the declaration's
    inputs, params   names of its array inputs (positional-only) and of its static parameters
    edges            one `Edge` an input; None where the output does not depend on it smoothly
    vjp_x, vjp_y     the linear maps of the first two edges, at hand for the reverse pass
    vjp, keep        for an op given by one rule for all its inputs: the rule, and what it remembers
    pull             how the reverse pass takes a node of this op, where not by its edges
    many             True where the tape holds lists of parents: more than two inputs, or one rule
    batch            how the op carries an extra axis in front of its inputs, see `ops.batch`
    call             the public function, specialised at declaration
    chooses          (node) -> whether its derivative leaves out elements; None: it never does
    unfold           of a reduction: (ct, x_shape, axis) -> ct with the folded axes at length one
    write            of a view: (of, view, ...params) -> `of` with the elements that `view` has now
    shows            (view, of, ...params) -> whether this view shares its elements with `of`
    word             the rule word that declared it
    """

    # Slots are what the reverse pass looks at, node by node: a dict's place differs from op to op.
    __slots__ = ("vjp_x", "vjp_y", "pull", "chooses", "__dict__")
    edges: tuple[Edge | None, ...] = ()
    vjp_x: Any
    vjp_y: Any
    vjp: Callable[..., Any] | None = None
    keep: tuple[str, ...] = ()
    pick: Callable[..., Any]
    many = False
    pull: Callable[..., Any] | None
    chooses: Callable[..., bool] | None
    jvp: Callable[..., Any]
    call: Callable[..., Any]
    batch: Callable[..., Any]
    unfold: Callable[..., Any]
    write: Callable[..., Any] | None = None
    shows: Callable[..., bool]

    def __init__(self, forward: Callable[..., Any], word: str, view: bool = False) -> None:
        self.name: str = forward.__name__
        self.vjp_x = self.vjp_y = self.pull = self.chooses = None
        self.forward, self.word, self.view = forward, word, view
        self.__doc__ = forward.__doc__
        signature = inspect.signature(forward)
        parameters = list(signature.parameters.values())[1:]
        self.signature = signature.replace(parameters=parameters)
        self.inputs = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_ONLY)
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        named = [p for p in parameters if p.kind not in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)]
        self.params = tuple(p.name for p in named)
        self.defaults = {p.name: p.default for p in named if p.default is not p.empty}

    def register(self) -> None:
        """Enter the op in the registry; twice is an error, unless a notebook cell is run again."""
        before = OPS.get(self.name)
        if before is not None and before.forward.__module__ != "__main__":
            where = (before.forward.__module__, self.forward.__module__)
            raise DeclarationError(
                f"op `{self.name}` is declared twice, in {where[0]} and in {where[1]}"
            )
        OPS[self.name] = self

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return OPS.__getitem__, (self.name,)

    def names(self, rule: Callable[..., Any], given: int = 1) -> tuple[str, ...]:
        """The residuals a rule asks for: its parameter names after the first `given`, checked."""
        names = tuple([n for n in inspect.signature(rule).parameters if n != "_"])[given:]
        arrays = (*self.inputs, "xs") if self.variadic else self.inputs
        shapes = tuple(f"{n}_shape" for n in (*arrays, "out"))
        known = (*arrays, *self.params, "out", *shapes)
        for name in names:
            if name not in known:
                raise DeclarationError(
                    f"the rule of `{self.name}` names `{name}`; "
                    f"`{self.name}` has {', '.join(known)}"
                )
        return names

    def labels(self, n: int, params: dict[str, Any]) -> tuple[str, ...]:
        """What rules call each of the n inputs of one application."""
        return ("xs",) * n if self.variadic else self.inputs

    def picker(self, names: Sequence[str]) -> Callable[[Sequence[Any], Any, dict[str, Any]], Any]:
        """A function (primals, out, params) -> the residuals `names`, one alone or a tuple."""
        terms = []
        for name in names:
            base = name.removesuffix("_shape")
            if name in self.params:
                terms.append(f"params[{name!r}]")
            elif base == "out":
                terms.append("out" if name == base else "shape(out)")
            elif base == "xs":
                terms.append("tuple(primals)" if name == base else "tuple(map(shape, primals))")
            else:
                value = f"primals[{self.inputs.index(base)}]"
                terms.append(value if name == base else f"shape({value})")
        body = (
            terms[0]
            if len(terms) == 1
            else f"({''.join(f'{t}, ' for t in terms)})"
            if terms
            else "None"
        )
        return picking(body)


@functools.cache
def picking(body: str) -> Callable[[Sequence[Any], Any, dict[str, Any]], Any]:
    """The function whose body is the expression `body`."""
    return eval(f"lambda primals, out, params: {body}", {"shape": shape})  # type: ignore[no-any-return]


def door(op: Op, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Apply `op` to any mixture of plain and remembered values: the one place where modes meet.

    The innermost level among the inputs is peeled off, the op applied to what is inside, and that
    level's mode remembers the result. The specialised calls of `core.call` are this, unrolled.
    """
    inner = None
    for a in args:
        if isinstance(a, Traced) and (inner is None or a.level > inner.level):
            inner = a
    if inner is None:
        xp, args = namespace(args, op.name)
        try:
            out = op.forward(xp, *args, **params)
        except Exception as error:
            raise blame(op, args, error) from error
        return xp.complex128(out) if type(out) is complex else out
    top: list[Any] = []
    primals: list[Any] = []
    for a in args:
        if not isinstance(a, Traced):
            top.append(None)
            primals.append(a if type(a) in NUMBERS else as_array(a, op.name))
        elif a.level == inner.level:
            top.append(a)
            primals.append(a.primal)
        else:
            top.append(None)
            primals.append(snapshot(a))
    return inner.apply(op, top, primals, params)


def blame(op: Op, args: Sequence[Any], error: Exception) -> Exception:
    """The error to raise when NumPy refuses the inputs of `op`: it names the op and what came."""
    if isinstance(error, AdjointError):
        return error
    names = op.inputs if len(op.inputs) == len(args) else tuple(f"x{i}" for i in range(len(args)))
    got = ", ".join(f"{n}: {describe(a)}" for n, a in zip(names, args, strict=True))
    kind = KINDS.get(type(error), type(error))
    try:
        return kind(f"`{op.name}({got})` failed: {error}".rstrip(" "))
    except TypeError:
        error.add_note(f"in `{op.name}({got})`")
        return error
