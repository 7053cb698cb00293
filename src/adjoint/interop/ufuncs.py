"""The methods of a ufunc: `reduce`, `accumulate`, `outer`, `at`, `reduceat`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.alias import write
from ..core.traced import Traced
from ..core.traced import shape as shape_of
from ..errors import DataError
from ..ops import elementwise
from ..ops.assign import assign, setitem
from ..ops.index import getitem, index_add
from ..ops.shape import broadcast_to, moveaxis, normalised, ravel, reshape, stack
from .around import around
from .names import face

Function = Callable[..., Any]
REDUCTIONS = dict(
    add="sum", multiply="prod", maximum="max", minimum="min", logaddexp="logsumexp",
    logical_and="all", logical_or="any",
)  # fmt: skip
RUNNING = dict(
    add="cumsum", multiply="cumprod", maximum="cummax", minimum="cummin", logaddexp="logcumsumexp"
)


def fold(
    function: Function, ufunc: Any, x: Any, axis: Any = 0, keepdims: bool = False, **extras: Any
) -> Any:
    """`ufunc.reduce`: by the reduction that it is known as, or one element after the other."""
    name = REDUCTIONS.get(ufunc.__name__, ufunc.__name__)
    if name != ufunc.__name__:
        return around(face("", name), name, (x,), dict(axis=axis, keepdims=keepdims), extras)
    if extras.pop("where", True) is not True:
        raise DataError(f"`np.{name}.reduce` of a Tensor takes no `where=`.")

    def one_by_one(x: Any) -> Any:
        rest = range(len(shape_of(x))) if axis is None else axis if type(axis) is tuple else (axis,)
        axes = sorted([normalised(a, len(shape_of(x)), name) for a in rest])
        total = x
        for a in reversed(axes):
            total = moveaxis(total, a, 0)
            totals = running(function, total)
            total = totals[-1] if len(totals) > 1 else elementwise.positive(total[0])
        kept = tuple([1 if i in axes else n for i, n in enumerate(shape_of(x))])
        return reshape(total, kept) if keepdims else total

    return around(one_by_one, name, (x,), {}, extras)


def truth(ufunc: Any, x: Any) -> Any:
    """The truth values of x for a ufunc that is of those alone."""
    return x != 0 if ufunc.__name__.startswith("logical_") else x


def running(function: Function, x: Any) -> list[Any]:
    """x₀, f(x₀, x₁), f(f(x₀, x₁), x₂) ... along the first axis."""
    if not shape_of(x)[0]:
        raise DataError("a ufunc without an identity cannot reduce an axis of length 0.")
    totals = [x[0]]
    for i in range(1, shape_of(x)[0]):
        totals.append(function(totals[-1], x[i]))
    return totals


def accumulate(function: Function, ufunc: Any, x: Any, axis: int = 0, **extras: Any) -> Any:
    """`ufunc.accumulate`: all partial results of `reduce` along one axis."""
    if ufunc.__name__ in RUNNING:
        known = face("", RUNNING[ufunc.__name__])
        return around(known, ufunc.__name__, (x,), dict(axis=axis), extras)
    x = truth(ufunc, x)

    def one_by_one(x: Any) -> Any:
        return moveaxis(stack(running(function, moveaxis(x, axis, 0))), 0, axis)

    return around(one_by_one, ufunc.__name__, (x,), {}, extras)


def outer(function: Function, ufunc: Any, x: Any, y: Any, **extras: Any) -> Any:
    """`ufunc.outer`: each element of x with each of y."""
    x, y = (a if hasattr(a, "shape") else np.asarray(a) for a in (x, y))
    column = reshape(x, (*shape_of(x), *[1] * len(shape_of(y))))
    return around(function, ufunc.__name__, (column, y), {}, extras)


def at(function: Function, ufunc: Any, x: Any, index: Any, y: Any = None) -> None:
    """`ufunc.at`: in place at `index`, once for each time that an element is picked."""
    if not isinstance(x, Traced):
        y.leave(f"{ufunc.__name__}.at")
    places = np.arange(x.size).reshape(x.shape)[index]
    if y is not None:
        y = broadcast_to(y if hasattr(y, "shape") else np.asarray(y), places.shape)
        if ufunc.__name__ in ("add", "subtract"):
            write(x, setitem(x, function(x, index_add(y, x.shape, index)), ...))
            return
        y = ravel(y)
    places = places.ravel()
    order = np.argsort(places, kind="stable")
    runs = np.flatnonzero(np.diff(places[order], prepend=-1))
    turn = np.empty(len(places), int)
    turn[order] = np.arange(len(places)) - np.repeat(runs, np.diff(runs, append=len(places)))
    for t in range(turn.max(initial=-1) + 1):
        chosen = turn == t
        where = np.unravel_index(places[chosen], x.shape)
        some = getitem(x, where)
        assign(x, where, function(some) if y is None else function(some, getitem(y, chosen)))


def reduceat(
    function: Function, ufunc: Any, x: Any, indices: Any, axis: int = 0, **extras: Any
) -> Any:
    """`ufunc.reduceat`: `reduce` over the slices that `indices` begin; of none, its start."""
    starts = [int(i) for i in indices]
    x = truth(ufunc, x)

    def pieces(x: Any) -> Any:
        front = moveaxis(x, axis, 0)
        ends = [*starts[1:], shape_of(front)[0]]
        parts = [
            fold(function, ufunc, front[a:b]) if a < b else front[a]
            for a, b in zip(starts, ends, strict=True)
        ]
        return moveaxis(stack(parts), 0, axis)

    return around(pieces, ufunc.__name__, (x,), {}, extras)


METHODS: dict[str, Function] = dict(
    reduce=fold, accumulate=accumulate, outer=outer, at=at, reduceat=reduceat
)
