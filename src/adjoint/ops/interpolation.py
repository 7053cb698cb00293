"""Tables and samples: where a value belongs, interpolation, differences, gradients, unwrapping."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..backends.namespace import NUMBERS
from ..core.op import Op
from ..core.traced import Traced, shape
from ..errors import DataError, ShapeError
from .batch import Rule, looped
from .constant import (
    argsort,
    equal,
    floor_divide,
    greater,
    greater_equal,
    less,
    logical_and,
    not_equal,
)
from .elementwise import abs, astype, clip, remainder, where
from .index import gather, take_along_axis
from .reduce import cumsum
from .rules import predicate
from .shape import broadcast_to, concat, expand_dims, known, normalised, ravel, reshape


def tabled(table: int) -> Rule:
    """An op of a sorted table and of values to look up in it: of one table, many values are one."""

    def batch(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
        return (looped if batched[table] else op_itself)(op, args, batched, params)

    return batch


def op_itself(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """An op to which the axis of a batch is an axis as any other."""
    return op.call(*args, **params)


@predicate(batch=tabled(0))
def searchsorted(xp, a, v, /, side="left", sorter=None):
    """The index at which each v would keep the sorted table `a` sorted.

    side : before ("left") or behind ("right") what equals v;  sorter : indices that sort `a`

    >>> a = np.array([1.0, 2.0, 3.0])
    >>> ad.searchsorted(a, 2.0), ad.searchsorted(a, 2.0, side="right")
    (np.int64(1), np.int64(2))
    """
    return xp.searchsorted(a, v, side, sorter)


@predicate(batch=tabled(1))
def digitize(xp, x, bins, /, right=False):
    """The number of the bin that each x belongs to.

    bins : the edges, increasing or decreasing
    right : whether a bin has its right edge, not its left one

    >>> ad.digitize(np.array([0.5, 1.0, 7.0]), np.array([0.0, 1.0, 2.0]))
    array([1, 2, 3])
    """
    return xp.digitize(x, bins, right)


def double(x: Any) -> Any:
    """x in double precision, in which tables are interpolated."""
    x = known(x)
    wide = np.dtype(complex if x.dtype.kind == "c" else float)
    return as_dtype(x, wide)


def as_dtype(x: Any, dtype: Any) -> Any:
    """x in another dtype; integers too, where x is a plain array."""
    return x if x.dtype == dtype else astype(x, dtype) if isinstance(x, Traced) else x.astype(dtype)


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Straight lines between the points (xp, fp): y = fpᵢ + (x - xpᵢ)(fpᵢ₊₁ - fpᵢ)/(xpᵢ₊₁ - xpᵢ).

    xp : increasing; with a `period` in any order
    left, right : y beyond the ends, by default that at the ends

    Differentiable in x, xp, fp, left and right.  Undefined: in x and xp at an inner point of xp,
    where the slope is the mean of those of both sides; at the ends it is that of the inside.

    >>> xp, fp = np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0, 6.0])
    >>> ad.interp(1.5, xp, fp), ad.grad(ad.interp)(1.5, xp, fp), ad.grad(ad.interp)(1.0, xp, fp)
    (np.float64(4.0), np.float64(4.0), np.float64(3.0))
    >>> ad.grad(ad.interp, (1, 2))(1.5, xp, fp)
    (array([ 0., -2., -2.]), array([0. , 0.5, 0.5]))
    """
    x, xp, fp = double(x), double(xp), double(fp)
    n = shape(xp)[0] if len(shape(xp)) == 1 else 0
    if not n or shape(fp) != (n,):
        raise ShapeError(
            "`interp` needs as many points xp as values fp, of one axis and at least one; it was "
            f"given {shape(xp)} and {shape(fp)}."
        )
    if period is not None:
        x, xp = remainder(x, abs(period)), remainder(xp, abs(period))
        order = argsort(xp)
        xp, fp = take_along_axis(xp, order, 0), take_along_axis(fp, order, 0)
        xp = concat([xp[-1:] - abs(period), xp, xp[:1] + abs(period)])
        fp, n = concat([fp[-1:], fp, fp[:1]]), n + 2
    if n == 1:
        y = broadcast_to(fp[0], shape(x))
    else:
        inside = clip(x, xp[0], xp[-1])
        below = clip_index(searchsorted(xp, inside, side="left"), n)
        above = clip_index(searchsorted(xp, inside, side="right"), n)
        y = (on_line(inside, xp, fp, below) + on_line(inside, xp, fp, above)) / 2
    if period is None and left is not None:
        y = where(less(x, xp[0]), left, y)
    if period is None and right is not None:
        y = where(greater(x, xp[-1]), right, y)
    return y


def clip_index(i: Any, n: int) -> Any:
    """The piece, of n - 1, that ends at the point i."""
    return clip(i, 1, n - 1) - 1


def on_line(x: Any, xp: Any, fp: Any, i: Any) -> Any:
    """y at x on the line through the points i and i + 1."""
    i = expand_dims(i, 0)
    start = gather(xp, i)
    w = (x - start) / (gather(xp, i + 1) - start)
    return (1 - w) * gather(fp, i) + w * gather(fp, i + 1)


def part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """x[start:stop] along `axis`."""
    return x[(slice(None),) * axis + (slice(start, stop),)]


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along `axis`, n times over: yᵢ = aᵢ₊₁ - aᵢ.

    prepend, append : values, or arrays, that are put before and behind a first

    >>> ad.grad(lambda a: ad.diff(a)[0])(np.array([1.0, 4.0, 9.0]))
    array([-1.,  1.,  0.])
    """
    a = known(a)
    axis, n = normalised(axis, len(shape(a)), "diff"), operator.index(n)
    if n < 0:
        raise ShapeError(f"`diff` needs an order of at least 0; it was given n={n}.")
    one = (*shape(a)[:axis], 1, *shape(a)[axis + 1 :])
    ends = [None if v is None else known(v) for v in (prepend, append)]
    ends = [v if v is None or shape(v) else broadcast_to(v, one) for v in ends]
    if prepend is not None or append is not None:
        a = concat([v for v in (ends[0], a, ends[1]) if v is not None], axis)
    for _ in range(n):
        minus = not_equal if a.dtype.kind == "b" else operator.sub
        a = minus(part(a, axis, 1, None), part(a, axis, None, -1))
    return a


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours of all elements in a row, between `to_begin` and `to_end`.

    >>> ad.ediff1d(np.array([[1.0, 4.0], [9.0, 16.0]]), to_begin=0.0)
    array([0., 3., 5., 7.])
    """
    row = diff(ravel(known(ary)))
    parts = [
        v if v is row else of_kind(v, row.dtype) for v in (to_begin, row, to_end) if v is not None
    ]
    return concat(parts) if len(parts) > 1 else row


def of_kind(v: Any, dtype: Any) -> Any:
    """v, in a row, in the dtype of the differences."""
    v = ravel(known(v))
    if not np.can_cast(v.dtype, dtype, "same_kind"):
        raise DataError(
            f"`ediff1d` of {dtype} cannot hold the ends {v.dtype}. Convert the array first."
        )
    return as_dtype(v, dtype)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Slopes of samples along each axis, by central differences inside and one-sided ones at ends.

    varargs : for each axis the distance of the samples or their places; one distance for all; 1
    edge_order : 1 or 2, that of the differences at the ends

    The result is an array for one axis, a tuple for several. Differentiable in f and `varargs`.

    >>> ad.gradient(np.array([1.0, 4.0, 9.0]))
    array([3., 4., 5.])
    >>> ad.grad(lambda h: ad.gradient(np.array([1.0, 4.0, 9.0]), h)[1])(2.0)
    np.float64(-1.0)
    """
    f = known(f)
    ndim = len(shape(f))
    axes = range(ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = [normalised(a, ndim, "gradient") for a in axes]
    if edge_order not in (1, 2):
        raise ShapeError(f"`gradient` has the edge orders 1 and 2; it was given {edge_order!r}.")
    steps = [v if type(v) in NUMBERS else known(v) for v in varargs] or [1.0]
    if len(steps) == 1 and not shape(steps[0]):
        steps = steps * len(axes)
    if len(steps) != len(axes):
        raise ShapeError(
            f"`gradient` needs a distance, or one for each of {len(axes)} axes; it was given "
            f"{len(steps)}."
        )
    f = f * 1.0 if f.dtype.kind in "iu" else f
    slopes = [slope_along(f, a, h, edge_order) for a, h in zip(axes, steps, strict=True)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def slope_along(f: Any, axis: int, h: Any, edge_order: int) -> Any:
    """The slopes along one axis, of parabolas through three neighbours, or of lines at the ends."""
    n = shape(f)[axis]
    if n < edge_order + 1:
        raise ShapeError(
            f"`gradient` needs at least {edge_order + 1} samples along an axis; axis {axis} of "
            f"shape {shape(f)} has {n}."
        )
    if shape(h) and shape(h) != (n,):
        raise ShapeError(
            f"`gradient` needs the places of {n} samples along axis {axis}; it was given "
            f"{shape(h)}."
        )
    even = not shape(h)
    h = h if even else reshape(diff(h), (-1, *[1] * (len(shape(f)) - 1 - axis)))
    before, behind = (h, h) if even else (h[:-1], h[1:])
    rises = diff(f, axis=axis) / h
    lower, upper = part(rises, axis, None, -1), part(rises, axis, 1, None)
    if edge_order == 2 or not even:
        bend = (upper - lower) / (before + behind)
    inner = (
        (part(f, axis, 2, None) - part(f, axis, None, -2)) / (2 * h)
        if even
        else lower + before * bend
    )
    first, final = part(rises, axis, None, 1), part(rises, axis, -1, None)
    if edge_order == 2:
        first = first - (before if even else before[:1]) * part(bend, axis, None, 1)
        final = final + (behind if even else behind[-1:]) * part(bend, axis, -1, None)
    return concat([first, inner, final], axis)


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Any:
    """p with whole periods added along `axis`, so that no two neighbours are half of one apart.

    discont : smaller steps than this, if it is more than half a period, are left as they are

    Whole periods are constant, so ∂y/∂p is 1.

    >>> ad.unwrap(np.array([0.0, 3.0, 2.0]), period=4.0)
    array([ 0., -1., -2.])
    """
    p = known(p)
    step = diff(p, axis=axis)
    axis = normalised(axis, len(shape(p)), "unwrap")
    whole = step.dtype.kind in "iu" and isinstance(period, (int, np.integer))
    half = period // 2 if whole else period / 2
    turns = floor_divide(step + half, period)
    if not (whole and period % 2):  # half a period up stays up
        turns = turns - logical_and(equal(turns * period, step + half), greater(step, 0))
    turns = turns * greater_equal(abs(step), period / 2 if discont is None else discont)
    return concat([part(p, axis, None, 1), part(p, axis, 1, None) - cumsum(turns, axis) * period],
                  axis)  # fmt: skip


__all__ = [
    "diff", "digitize", "ediff1d", "gradient", "interp", "searchsorted", "unwrap",
]  # fmt: skip
