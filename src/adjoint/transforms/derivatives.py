"""Derivatives as functions of functions: vjp and jvp, and what is made from them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from heapq import heapify
from typing import Any

import numpy as np

from ..backends.namespace import INEXACT, RAW, as_array, describe
from ..core.forward import Dual, fit
from ..core.mend import mending, spoilt
from ..core.op import OPS, next_level
from ..core.reverse import ones_like, pull_back, seed
from ..core.tensor import Tensor, variable
from ..core.traced import Traced, bottom, shape, snapshot
from ..core.tree import flatten, matching, tree_map
from ..errors import CotangentError, DataError, NotScalarError, ShapeError
from ..ops.rules import zeros_like
from .function import derived, name_of

Function = Callable[..., Any]


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> Any:
    """The value of `f(*primals)` and its pullback: vjp : (x -> y), x -> (y, ȳ -> x̄).

    primals : arrays, Tensors, numbers or containers of them
    has_aux : f returns (output, anything else); the else is returned last and not differentiated
    pullback : takes a cotangent of the structure and shapes of the output; returns a tuple with one
        entry a primal. It may be called again.

    Cost: one forward; 1 to 3 forwards a call of the pullback; memory of the tape.

    >>> import adjoint as ad
    >>> y, pullback = ad.vjp(lambda x: x * x, 3.0)
    >>> pullback(1.0)
    (np.float64(6.0),)
    """
    leaves, paths, rebuild = flatten(primals)
    level = next_level()
    inputs = [variable(checked(x, p, "vjp"), level) for x, p in zip(leaves, paths, strict=True)]
    starts = [x.node for x in inputs]  # f may write into its arguments
    out, aux = split_aux(f(*rebuild(inputs)), has_aux, f)
    ends, places, rebuild_out = flatten(out)
    values = [peel(o, level) for o in ends]
    likes = [as_output(v, p, f, "vjp") for v, p in zip(values, places, strict=True)]
    nodes = [o.node if at_level(o, level) else None for o in ends]

    def pullback(ct: Any) -> Any:
        cts = matching(out, ct, "the pullback", "cotangent")
        cts = [seed(c, v, "the pullback") for c, v in zip(cts, likes, strict=True)]
        return rebuild(pulled(starts, nodes, cts))

    value = rebuild_out(map(owned, values))
    return (value, pullback, tree_map(owned, peeled(aux, level))) if has_aux else (value, pullback)


def owned(x: Any) -> Any:
    """A copy of an array: what the tape keeps for the pullback is not the user's to change."""
    return x.copy() if type(x) is np.ndarray else x


def pulled(starts: Sequence[Any], nodes: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
    """The cotangents of the leaves `starts`, zeros for those that no output depends on."""
    heap: list[Any] = []
    totals: dict[int, Any] = {}
    for node, ct in zip(nodes, cts, strict=True):
        if node is None:
            continue
        if node[0] in totals:
            totals[node[0]] = totals[node[0]] + ct
        else:
            totals[node[0]] = ct
            heap.append(node)
    heapify(heap)
    del nodes
    found = {leaf[0]: ct for leaf, ct, _ in pull_back(heap, totals)} if heap else {}
    return [found[n[0]] if n[0] in found else zeros_like(n[3].like) for n in starts]


def jvp(f: Function, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of `f(*primals)` and its tangent: jvp : (x -> y), x, ẋ -> (y, ẏ).

    primals, tangents : tuples of the arguments of f and of directions of their structure and shapes
    has_aux : f returns (output, anything else); the else is returned last and not differentiated

    Forward mode: about 2 forwards, and no tape. Where NaN comes out, f is called once more with the
    rule that a tangent of zero contributes zero, whatever the slope.

    >>> import adjoint as ad
    >>> ad.jvp(lambda x: x * x, (3.0,), (1.0,))
    (np.float64(9.0), np.float64(6.0))
    """
    leaves, paths, rebuild = flatten(primals)
    directions = matching(primals, tangents, "jvp", "tangent")
    points = [checked(x, p, "jvp") for x, p in zip(leaves, paths, strict=True)]
    ways = [checked_tangent(t, x, p) for t, x, p in zip(directions, points, paths, strict=True)]

    def run() -> tuple[Any, Any, Any, list[Any]]:
        level = next_level()
        duals = [Dual(snapshot(x), t, level) for x, t in zip(points, ways, strict=True)]
        out, aux = split_aux(f(*rebuild(duals)), has_aux, f)
        ends, places, rebuild_out = flatten(out)
        for o, p in zip(ends, places, strict=True):
            as_output(peel(o, level), p, f, "jvp")
        moved = [push_end(o, level) for o in ends]
        value = rebuild_out([peel(o, level) for o in ends])
        return value, rebuild_out(moved), peeled(aux, level), moved

    value, tangent, aux, moved = run()
    if any(map(spoilt, moved)):
        with mending():
            value, tangent, aux, _ = run()
    return (value, tangent, aux) if has_aux else (value, tangent)


def push_end(out: Any, level: int) -> Any:
    """The tangent of an output in the dtype of its primal; zeros where it does not move."""
    if not at_level(out, level):
        return zeros_like(out) if hasattr(out, "dtype") else 0.0
    t = fit(out.tangent, out.primal)
    return t if t.dtype == out.dtype else OPS["astype"].call(t, out.dtype)


def grad(
    f: Function, argnums: Any = 0, has_aux: bool = False, holomorphic: bool = False
) -> Function:
    """The gradient of a function with one real output: grad : (x -> ℝ) -> (x -> x̄).

    argnums : which arguments to differentiate: a position, a name, or a tuple of them
    has_aux : f returns (output, anything else); the result is then (gradient, else)
    holomorphic : f is complex-differentiable with one complex output; the result is f'

    Integers are promoted to float64. Of complex inputs the gradient of a real output is
    ∂f/∂Re - i ∂f/∂Im, as in JAX and HIPS autograd, the conjugate of PyTorch's.
    Cost: 2 to 4 forwards, for any number of inputs. Nests to any order.

    >>> import adjoint as ad
    >>> ad.grad(ad.grad(ad.sin))(0.0)
    np.float64(-0.0)
    >>> ad.grad(lambda a, b: a * b, argnums=("b", 0))(2.0, 5.0)
    (np.float64(2.0), np.float64(5.0))
    """
    both = value_and_grad(f, argnums, has_aux, holomorphic, "grad")

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, slope = both(*args, **kwargs)
        return (slope, value[1]) if has_aux else slope

    return derived(gradient, "gradient", grad, f, argnums, has_aux, holomorphic)


def value_and_grad(
    f: Function,
    argnums: Any = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    who: str = "value_and_grad",
) -> Function:
    """The value and the gradient of a function in one pass; see `grad`.

    With has_aux the result is ((value, else), gradient).

    >>> import adjoint as ad
    >>> ad.value_and_grad(lambda x: x * x)(3.0)
    (np.float64(9.0), np.float64(6.0))
    """

    def both(*args: Any, **kwargs: Any) -> Any:
        chosen = choose(f, argnums, args, kwargs, who)
        leaves, paths, rebuild = flatten(
            tuple([kwargs[i] if isinstance(i, str) else args[i] for i in chosen])
        )
        level = next_level()
        inputs = [variable(checked(x, p, who), level) for x, p in zip(leaves, paths, strict=True)]
        starts = [x.node for x in inputs]  # f may write into its arguments
        slots = dict(zip(chosen, rebuild(inputs), strict=True))
        kwargs = {name: slots.get(name, a) for name, a in kwargs.items()}
        out, aux = split_aux(
            f(*[slots.get(i, a) for i, a in enumerate(args)], **kwargs), has_aux, f
        )
        value = peel(out, level)
        require_scalar(value, f, who, holomorphic)
        nodes = [out.node if at_level(out, level) else None]
        del out, slots, kwargs
        slopes = rebuild(pulled(starts, nodes, [ones_like(numeric(value))]))
        slopes = slopes if isinstance(argnums, (tuple, list)) else slopes[0]
        return (value, peeled(aux, level)) if has_aux else value, slopes

    return derived(
        both, "value and gradient", value_and_grad, f, argnums, has_aux, holomorphic, who
    )


def choose(
    f: Function, argnums: Any, args: tuple[Any, ...], kwargs: dict[str, Any], who: str
) -> list[Any]:
    """The arguments to differentiate: positions of those in `args`, names of those in `kwargs`."""
    chosen: list[Any] = []
    for a in argnums if isinstance(argnums, (tuple, list)) else (argnums,):
        if isinstance(a, str) and a not in kwargs:
            names = list(inspect.signature(f).parameters)
            if a not in names:
                raise ShapeError(
                    f"`{who}` was asked for argument {a!r}; `{name_of(f)}` has {', '.join(names)}."
                )
            if names.index(a) >= len(args):
                raise ShapeError(
                    f"`{who}` was asked for argument {a!r}; `{name_of(f)}` was called without it."
                )
            a = names.index(a)
        if not isinstance(a, str):
            if not isinstance(a, (int, np.integer)):
                raise ShapeError(
                    f"`{who}` was asked for argument {a!r}; name it, or give its position."
                )
            if not -len(args) <= a < len(args):
                raise ShapeError(
                    f"`{who}` was asked for argument {a}; `{name_of(f)}` was called with "
                    f"{len(args)} positional arguments."
                )
            a %= len(args)
        if a in chosen:
            raise ShapeError(f"`{who}` was asked for argument {a!r} of `{name_of(f)}` twice.")
        chosen.append(a)
    return chosen


def checked(x: Any, path: str, who: str) -> Any:
    """A primal: a value of an outer level as it is, anything else as an array of floats."""
    if isinstance(x, Traced) and x.staged:
        return OPS["astype"].call(x, x.dtype if x.dtype.char in INEXACT else np.float64)
    if isinstance(x, Traced):
        if x.dtype.char not in INEXACT:
            raise DataError(
                f"`{who}` cannot differentiate {path or 'an argument'} of dtype {x.dtype}."
            )
        return x.primal if isinstance(x, Tensor) and x.node is None else snapshot(x)
    if type(x) is float:
        return np.float64(x)
    try:
        x = as_array(x, who)
    except DataError as error:
        where = f" at {path}" if path else ""
        raise DataError(
            f"{error} It stands{where} among the differentiated arguments of `{who}`."
        ) from None
    return (x if x.dtype.char in INEXACT else x.astype(np.float64))[()]


def checked_tangent(t: Any, x: Any, path: str) -> Any:
    """A tangent of the shape of its primal and of a dtype that fits it."""
    if not isinstance(t, Traced) or t.staged:
        t = t if isinstance(t, Traced) else as_array(t, "jvp")
        if t.dtype.kind == "c" and x.dtype.kind != "c":
            raise CotangentError(
                f"`jvp` was given a complex tangent for the real primal at {path}."
            )
        t = t.astype(x.dtype)[()]
    if shape(t) != shape(x):
        raise ShapeError(
            f"`jvp` was given a tangent {describe(t)} for the primal {describe(x)} at {path}."
        )
    return t


def at_level(x: Any, level: int) -> bool:
    """True for a value that this very transform follows."""
    return isinstance(x, Traced) and x.level == level


def peel(x: Any, level: int) -> Any:
    """The primal of a value of `level`; what is not of it as it is."""
    return x.primal if at_level(x, level) else x


def peeled(tree: Any, level: int) -> Any:
    """A container with every leaf of `level` peeled."""
    leaves, _, rebuild = flatten(tree)
    return rebuild([peel(x, level) for x in leaves])


def lowest(x: Any) -> Any:
    """The plain array inside all levels, or what stands for it."""
    x = bottom(x)
    if isinstance(x, Traced):
        return x
    return np.asarray(x)[()] if type(x) not in RAW or not hasattr(x, "dtype") else x


def as_output(x: Any, path: str, f: Function, who: str) -> Any:
    """An output as something with a shape and a dtype; `DataError` where it is no array."""
    x = numeric(x)
    if not hasattr(x, "dtype") or x.dtype.kind not in "fciub":
        where = f" at {path}" if path else ""
        raise DataError(
            f"`{who}` needs numbers as outputs; `{name_of(f)}` returned {describe(x)}{where}. "
            "Return what is not to be differentiated beside it, with has_aux=True."
        )
    return x


def numeric(x: Any) -> Any:
    """`x` as something with a shape and a dtype."""
    return x if hasattr(x, "dtype") else np.asarray(x)[()]


def split_aux(out: Any, has_aux: bool, f: Function) -> tuple[Any, Any]:
    """(output, else) where f returns a pair, (output, None) where not."""
    if not has_aux:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise ShapeError(
            f"with has_aux, `{name_of(f)}` must return a pair (output, aux); "
            f"it returned {type(out).__name__}."
        )
    return out


def require_scalar(value: Any, f: Function, who: str, holomorphic: bool) -> None:
    """Raise `NotScalarError` unless `value` is one number of the kind that a gradient needs."""
    plain = numeric(value) if not isinstance(value, (list, tuple, dict, type(None))) else None
    if plain is None or plain.shape:
        got = f"shape {plain.shape}" if plain is not None else f"a {type(value).__name__}"
        raise NotScalarError(
            f"`{who}` needs a scalar output; `{name_of(f)}` returned {got}. "
            "Use `jacobian`, or `vjp` with a cotangent."
        )
    if plain.dtype.kind not in "fc":
        raise NotScalarError(
            f"`{who}` needs a real output; `{name_of(f)}` returned dtype {plain.dtype}."
        )
    if (plain.dtype.kind == "c") != holomorphic:
        kind = "complex" if holomorphic else "real"
        hint = "" if holomorphic else " Take its real part, or say holomorphic=True."
        raise NotScalarError(
            f"`{who}` needs a {kind} output; `{name_of(f)}` returned dtype {plain.dtype}.{hint}"
        )
