"""The words of derivatives: elementwise, linear, bilinear, reduction, op, constant, predicate.

The contract of a declaration:

* The forward takes the namespace `xp`, then its array inputs (positional-only, before the `/`),
  then its static parameters. It is an ordinary function of arrays.
* A rule's parameter names are its residuals: an input, a parameter, `out`, or `x_shape`
  (`xs_shape`, `out_shape`) for the shape alone. What is not named is not kept; `_` says nothing is.
  An unknown name is refused at import.
* A rule is written with operators and with adjoint's own ops, which hand plain arrays straight to
  NumPy: one text gives the first order on plain arrays, and all higher orders on Tensors.
* `t` is a tangent on its way forward or a cotangent on its way back; `ct` comes back only.
* No rule undoes broadcasting, branches on values, accumulates or writes in place: the engine does.
* Complex numbers: the pairing is Re Σ ct·t, without conjugation, as in JAX and HIPS autograd. So
  the gradient of a real loss is the conjugate of PyTorch's, and `grad` of a holomorphic f is f'.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.call import specialise
from ..core.op import OPS, Edge, Op, next_level
from ..core.reverse import ones_like, pull_back, pull_into, pull_many
from ..core.tensor import variable
from ..core.traced import Traced, shape
from ..errors import DeclarationError, NoRuleError
from .batch import usual

Rule = Callable[..., Any]
Declaration = Callable[[Callable[..., Any]], Any]


def elementwise(*rules: Rule | None) -> Declaration:
    """An op of each element: for each input its derivative, a linear map: `lambda t, x: t * ...`.

    The Jacobian is diagonal, so one formula pushes a tangent forward and pulls a cotangent back.
    None stands for an input without a derivative (the mask of `where`).
    """

    def declare(forward: Callable[..., Any]) -> Any:
        op = Op(forward, "elementwise")
        if len(rules) != len(op.inputs):
            raise DeclarationError(
                f"`{op.name}` has {len(op.inputs)} inputs and {len(rules)} rules"
            )
        op.edges = tuple([edge(op, rule) for rule in rules])
        op.many = len(rules) > 2

        def jvp(
            tangents: Sequence[Any], primals: Sequence[Any], out: Any, params: dict[str, Any]
        ) -> Any:
            total = None
            for t, e in zip(tangents, op.edges, strict=True):
                if t is not None and e is not None:
                    t = e.vjp(t, e.pick(primals, out, params))
                    total = t if total is None else total + t
            return total

        return finish(op, jvp)

    return declare


def linear(
    transpose: Rule, view: bool = False, into: Rule | None = None, batch: Rule | None = None
) -> Declaration:
    """An op linear in its first input (or in all of `*xs` together), given by its transpose.

    The transpose sees the shape of that input, never its value; its jvp is the op itself.
    `view` says that the output may share memory with the input. `into(total, ct, ...)`, of the same
    residuals, may add the transpose into a plain array in place, where that is cheaper. `batch` is
    a rule of `ops.batch`, where the usual one does not do.
    """

    def declare(forward: Callable[..., Any]) -> Any:
        op = Op(forward, "linear", view)
        op.many = op.variadic or len(op.inputs) > 2
        e = edge(op, transpose)
        first = "xs" if op.variadic else op.inputs[0]
        if first in e.names or "out" in e.names:
            raise DeclarationError(
                f"the transpose of `{op.name}` cannot depend on a value; name `{first}_shape`"
            )
        if op.variadic:
            op.vjp, op.keep, op.pick = e.vjp, e.names, e.pick
        else:
            op.edges = (e,) + (None,) * (len(op.inputs) - 1)
        if into is not None:
            if op.names(into, 2) != e.names:
                raise DeclarationError(
                    f"`into` of `{op.name}` must name the residuals of its transpose"
                )
            e.into, op.pull = (lambda total, ct, kept: into(total, ct, *kept)), pull_into

        def jvp(
            tangents: Sequence[Any], primals: Sequence[Any], out: Any, params: dict[str, Any]
        ) -> Any:
            if op.variadic:
                full = [
                    zeros_like(p) if t is None else t
                    for t, p in zip(tangents, primals, strict=True)
                ]
                return op.call(*full, **params)
            return None if tangents[0] is None else op.call(tangents[0], *primals[1:], **params)

        return finish(op, jvp, batch)

    return declare


def bilinear(left: Rule, right: Rule, batch: Rule | None = None) -> Declaration:
    """An op linear in each of two inputs, given by its two transposes.

    `batch` is a rule of `ops.batch`, where that of matrices does not do.
    """

    def declare(forward: Callable[..., Any]) -> Any:
        op = Op(forward, "bilinear")
        op.edges = (edge(op, left), edge(op, right))

        def jvp(
            tangents: Sequence[Any], primals: Sequence[Any], out: Any, params: dict[str, Any]
        ) -> Any:
            (dx, dy), (x, y) = tangents, primals
            one = None if dx is None else op.call(dx, y, **params)
            two = None if dy is None else op.call(x, dy, **params)
            return two if one is None else one if two is None else one + two

        return finish(op, jvp, batch)

    return declare


def reduction(weights: Rule) -> Declaration:
    """An op that folds axes of one array, given by its weights: ẏ = Σ w ẋ and x̄ = w ȳ.

    The parameters are `axis` and `keepdims` and perhaps others; the weights see `out` with the
    folded axes kept at length one, so that it broadcasts against x.
    """

    def declare(forward: Callable[..., Any]) -> Any:
        op = Op(forward, "reduction")
        asked = edge(op, weights, given=0)
        names = dict.fromkeys((*asked.names, "x_shape", "axis"))
        where = [tuple(names).index(n) for n in asked.names]
        at, axis_at, shape_at = (
            tuple(names).index(n) if n in names else -1 for n in ("out", "axis", "x_shape")
        )

        def weigh(kept: Any) -> Any:
            if at >= 0:
                folded = OPS["reshape"].call(kept[at], kept_shape(kept[shape_at], kept[axis_at]))
                kept = [folded if i == at else k for i, k in enumerate(kept)]
            return weights(*[kept[i] for i in where])

        def unfold(ct: Any, x_shape: tuple[int, ...], axis: Any) -> Any:
            return OPS["reshape"].call(ct, kept_shape(x_shape, axis))

        def vjp(ct: Any, kept: Any) -> Any:
            return unfold(ct, kept[shape_at], kept[axis_at]) * weigh(kept)

        def jvp(
            tangents: Sequence[Any], primals: Sequence[Any], out: Any, params: dict[str, Any]
        ) -> Any:
            product = tangents[0] * weigh(pick(primals, out, params))
            return OPS["sum"].call(product, params["axis"], params["keepdims"])

        e = Edge(tuple(names), vjp)
        e.pick = pick = op.picker(e.names)
        op.edges, op.unfold = (e,), unfold
        return finish(op, jvp)

    return declare


def op(
    jvp: Rule | None = None, vjp: Rule | None = None, view: bool = False, batch: Rule | None = None
) -> Declaration:
    """The rest: an op with a rule for each mode, or with none.

    jvp(tangents, ...residuals) -> the tangent of the output; a tangent is None where there is none
    vjp(ct, ...residuals) -> a cotangent for each input, None where the output does not depend on it

    Of several outputs `ct` is a list. A jvp alone is transposed: it is a linear map, and the tape
    can run it backwards, at about twice the cost of a vjp written by hand; it must name its inputs.
    Without rules the op poisons: its value is computed and asking for its derivative raises
    `NoRuleError`.
    """

    def declare(forward: Callable[..., Any]) -> Any:
        op = Op(forward, "op", view)
        op.many = True
        if jvp is None:
            op.keep = ()
            op.vjp = refuse = functools.partial(no_rule, op.name)
            op.pick = op.picker(())
            return finish(op, refuse, batch)
        asked = edge(op, jvp)
        e = edge(op, vjp) if vjp is not None else transposed(asked)
        op.keep, op.vjp, op.pick = e.names, e.vjp, e.pick

        def push(
            tangents: Sequence[Any], primals: Sequence[Any], out: Any, params: dict[str, Any]
        ) -> Any:
            return asked.vjp(tangents, asked.pick(primals, out, params))

        return finish(op, push, batch)

    return declare


def constant(reason: str) -> Declaration:
    """An op whose derivative is zero wherever it exists; `reason` says why."""

    def declare(forward: Callable[..., Any]) -> Any:
        op = Op(forward, "constant")
        op.edges = (None,) * len(op.inputs)
        op.many = len(op.inputs) > 2
        op.__doc__ = (
            f"{inspect.cleandoc(op.__doc__ or '')}\n\nDerivative: zero where it exists, {reason}."
        )
        return finish(op, lambda tangents, primals, out, params: None)

    return declare


def predicate(forward: Callable[..., Any] | None = None, batch: Rule | None = None) -> Any:
    """An op whose output is truth values or indices: it leaves the tape as a plain array."""
    if forward is None:
        return functools.partial(predicate, batch=batch)
    op = Op(forward, "predicate")
    op.edges = (None,) * len(op.inputs)
    return finish(op, lambda tangents, primals, out, params: None, batch)


def edge(op: Op, rule: Rule | None, given: int = 1) -> Any:
    """The `Edge` of one rule: its names checked, its residuals passed as one argument."""
    if rule is None:
        return None
    names = op.names(rule, given)
    if len(inspect.signature(rule).parameters) == given + 1:
        call = rule
    elif names:
        call = spread(rule)
    else:
        call = lone(rule)
    e = Edge(names, call)
    e.pick = op.picker(names)
    return e


def transposed(push: Edge) -> Edge:
    """The vjp of an op of one input, from its jvp: trace the linear map ẋ -> ẏ, and pull ȳ back."""

    def vjp(ct: Any, kept: Any) -> Any:
        x = kept if len(push.names) == 1 else kept[0]
        t = variable(zeros_like(x), next_level())
        outs = push.vjp([t], kept)
        pairs = zip(ct, outs, strict=True) if type(outs) is tuple else [(ct, outs)]
        total: Any = None
        for c, o in pairs:
            if o is not None:
                term = OPS["real"].call(OPS["sum"].call(c * o))
                total = term if total is None else total + term
        ((_, back, _),) = pull_back([total.node], {total.node[0]: ones_like(total.primal)})
        return [back]

    e = Edge(push.names, vjp)
    e.pick = push.pick
    return e


def spread(rule: Rule) -> Rule:
    """`rule` taking its residuals as one tuple."""
    return lambda t, kept: rule(t, *kept)


def lone(rule: Rule) -> Rule:
    """`rule`, which asks for no residual, beside one that is ignored."""
    return lambda t, kept: rule(t)


def no_rule(name: str, *ignored: Any) -> Any:
    """What an op without a rule answers when its derivative is asked for."""
    raise NoRuleError(
        f"`{name}` has no derivative rule. Express it by ops that have one, "
        "or cut it off with `.detach()` if it is to count as a constant."
    )


def finish(op: Op, jvp: Callable[..., Any], batch: Rule | None = None) -> Any:
    """Give `op` its jvp, batching rule and specialised call, which is the public function."""
    op.jvp, op.batch = jvp, batch or usual(op)
    for slot, e in zip(("vjp_x", "vjp_y"), op.edges, strict=False):
        setattr(op, slot, e and e.vjp)
    if op.many:
        op.pull = pull_many
    op.register()
    op.call = specialise(op)
    call: Any = op.call
    call.__name__ = call.__qualname__ = op.name
    call.__doc__, call.__module__ = op.__doc__, op.forward.__module__
    call.op, call.__signature__ = op, op.signature
    return call


def kept_shape(x_shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """`x_shape` with the axes that were folded at length one."""
    if axis is None or not x_shape:  # NumPy lets a number have the axis 0
        return (1,) * len(x_shape)
    if type(axis) is int:
        axis %= len(x_shape)
        return (*x_shape[:axis], 1, *x_shape[axis + 1 :])
    axes = {i % len(x_shape) for i in (axis if type(axis) is tuple else (axis,))}
    return tuple([1 if i in axes else n for i, n in enumerate(x_shape)])


def zeros_like(x: Any) -> Any:
    """A tangent of zeros for `x`."""
    return x.filled(0) if isinstance(x, Traced) else np.zeros(shape(x), x.dtype)[()]


__all__ = [
    "bilinear",
    "constant",
    "elementwise",
    "kept_shape",
    "linear",
    "op",
    "predicate",
    "reduction",
    "zeros_like",
]
