"""By size: sorting, what is in the middle, quantiles, what is there but once.

A value is picked at an index that is found by sorting, and the one that is picked gets the
cotangent. Of equal elements `sort` and `unique` pick in the order they stand in, the others any.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..backends.namespace import describe
from ..core.traced import Traced, shape
from ..errors import DataError, ShapeError
from .batch import joining
from .constant import (
    any,
    argpartition,
    argsort,
    as_long_as_it_gets,
    ceil,
    count_nonzero,
    equal,
    floor,
    greater_equal,
    isnan,
    less,
    less_equal,
    round,
    unordered,
)
from .elementwise import astype, is_complex, where
from .index import take, take_along_axis
from .reduce import running_sum, sum
from .rules import kept_shape, predicate
from .shape import broadcast_to, known, moveaxis, normalised, permute_dims, ravel, reshape, several


@predicate(batch=joining)
def lexicographic(xp, *keys, axis):
    """Indices that sort by the last key, equal ones by the one before it, and so on."""
    return xp.lexsort(keys, axis=axis)


@predicate
def place(xp, h, last, /):
    """The integer h as an index between 0 and `last`; where that is negative, -1."""
    return xp.asarray(xp.clip(h, 0, last), dtype=xp.intp)[()]


@predicate(batch=as_long_as_it_gets)
def distinct(xp, x, /, axis=None, equal_nan=True):
    """Where each value stands first, which value each element has, and how often each is there."""
    return xp.unique(x, True, True, True, axis, equal_nan=equal_nan)[1:]


def sort(
    a: Any,
    axis: int | None = -1,
    kind: Any = None,
    order: Any = None,
    *,
    stable: bool | None = None,
    descending: bool = False,
) -> Any:
    """The elements along `axis` in ascending order; with None all of them, in a row.

    `kind` and `stable` are NumPy's and change nothing: the sort is always stable, descending too.
    NaN comes last, descending first. Each place passes its cotangent to the element it shows.

    >>> x = np.array([3.0, 1.0, 2.0])
    >>> ad.sort(x), ad.grad(lambda x: ad.sort(x)[0])(x)
    (array([1., 2., 3.]), array([0., 1., 0.]))
    """
    unordered(order, "sort")
    a, axis = line(a, axis, "sort")
    return take_along_axis(a, argsort(a, axis, descending=descending), axis)


def partition(
    a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None
) -> Any:
    """The elements with the one at `kth` in its sorted place, the smaller ones before it.

    Which order the others come in is left open.

    >>> ad.partition(np.array([3.0, 1.0, 2.0]), 0)[0]
    np.float64(1.0)
    """
    unordered(order, "partition")
    a, axis = line(a, axis, "partition")
    return take_along_axis(a, argpartition(a, kth, axis, kind), axis)


def sort_complex(a: Any) -> Any:
    """The elements along the last axis as complex numbers, by real part, then by imaginary part.

    >>> ad.sort_complex(np.array([2.0, 1.0]))
    array([1.+0.j, 2.+0.j])
    """
    ordered = sort(a)
    return ordered if is_complex(ordered) else astype(ordered, np.complex128)


def lexsort(keys: Any, axis: int = -1) -> Any:
    """Indices that sort by the last of several keys, equal elements by the one before it.

    >>> ad.lexsort(([2.0, 1.0, 3.0], [0.0, 0.0, -1.0]))
    array([2, 1, 0])
    """
    keys = [known(key) for key in keys]
    if not keys:
        raise ShapeError("`lexsort` needs a key to sort by; it was given none.")
    return lexicographic(*keys, axis=normalised(axis, len(shape(keys[0])), "lexsort"))


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The values that are there, each once, in ascending order: the first of equal ones is picked.

    return_index, return_inverse, return_counts : where each stands first, which of the values each
        element has, how often each is there
    sorted : NumPy's permission to leave the order open; it is not made use of

    Raises: BatchError inside `vmap`, where the examples would differ in shape.

    >>> x = np.array([2.0, 1.0, 2.0])
    >>> ad.unique(x), ad.grad(lambda x: ad.unique(x)[1])(x)
    (array([1., 2.]), array([1., 0., 0.]))
    """
    first, inverse, counts = distinct(ar, axis, equal_nan)
    values = take(ravel(ar) if axis is None else known(ar), first, axis or 0)
    more = [
        part
        for part, asked in zip(
            (first, inverse, counts), (return_index, return_inverse, return_counts), strict=True
        )
        if asked
    ]
    return (values, *more) if more else values


class UniqueAllResult(NamedTuple):
    """What `unique_all` found."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCountsResult(NamedTuple):
    """What `unique_counts` found."""

    values: Any
    counts: Any


class UniqueInverseResult(NamedTuple):
    """What `unique_inverse` found."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /) -> UniqueAllResult:
    """The values that are there, where each stands first, which each element has, how often each.

    >>> ad.unique_all(np.array([2.0, 1.0, 2.0])).counts
    array([1, 2])
    """
    return UniqueAllResult(*unique(x, True, True, True, equal_nan=False))


def unique_counts(x: Any, /) -> UniqueCountsResult:
    """The values that are there, and how often each; no NaN equals another.

    >>> ad.unique_counts(np.array([2.0, 1.0, 2.0])).counts
    array([1, 2])
    """
    return UniqueCountsResult(*unique(x, return_counts=True, equal_nan=False))


def unique_inverse(x: Any, /) -> UniqueInverseResult:
    """The values that are there, and which of them each element has; no NaN equals another.

    >>> ad.unique_inverse(np.array([2.0, 1.0, 2.0])).inverse_indices
    array([1, 0, 1])
    """
    return UniqueInverseResult(*unique(x, return_inverse=True, equal_nan=False))


def unique_values(x: Any, /) -> Any:
    """The values that are there, each once, in ascending order; no NaN equals another.

    >>> ad.unique_values(np.array([2.0, 1.0, 2.0]))
    array([1., 2.])
    """
    return unique(x, equal_nan=False)


def median(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle element over axes, or the mean of the two in the middle; those get the cotangent.

    Of equal elements one is picked. Where there is a NaN, it is the median.

    >>> x = np.array([4.0, 1.0, 3.0, 2.0])
    >>> ad.median(x), ad.grad(ad.median)(x)
    (np.float64(2.5), array([0. , 0. , 0.5, 0.5]))
    """
    a = known(a)
    row = rows(a, axis, "median")
    n = length(row, "median")
    mid = sum(in_order(row, np.array([(n - 1) // 2, n // 2])) * 0.5, -1, True)
    return folded(mid, (), a, axis, keepdims)


def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Any:
    """The value below which a part q of the elements lies, for one q or many, over axes.

    method : NumPy's thirteen: "inverted_cdf", "averaged_inverted_cdf", "closest_observation",
        "interpolated_inverted_cdf", "hazen", "weibull", "linear", "median_unbiased",
        "normal_unbiased", "lower", "higher", "midpoint", "nearest" (Hyndman and Fan, 1996)
    weights : how much each element counts, for "inverted_cdf"

    The elements that are picked share the cotangent as the value is made of them; of equal ones
    one is picked. Where there is a NaN, it is the quantile. The slope in q is that of the segment
    to the right of q; it is 0 of methods that jump, and in the weights.

    Raises: ValueError for a q outside [0, 1], where it is known, and for an unknown method.

    >>> x = np.array([3.0, 1.0, 2.0, 5.0])
    >>> ad.quantile(x, 0.5), ad.grad(ad.quantile, (0, 1))(x, 0.5)
    (np.float64(2.5), (array([0.5, 0. , 0.5, 0. ]), np.float64(3.0)))
    """
    return quantiles(a, q, axis, method, keepdims, weights, "quantile")


def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Any:
    """`quantile` with q in percent.

    >>> ad.percentile(np.array([3.0, 1.0, 2.0, 5.0]), 50)
    np.float64(2.5)
    """
    return quantiles(a, percent(q), axis, method, keepdims, weights, "percentile")


def percent(q: Any) -> Any:
    """Hundredths."""
    return (q if type(q) in (int, float) else known(q)) / 100


def quantiles(
    a: Any, q: Any, axis: Any, method: str, keepdims: bool, weights: Any, name: str
) -> Any:
    """`quantile` on behalf of the function `name`; those that start with "nan" leave out NaNs."""
    a, weak = known(a), type(q) in (int, float)
    q = q if weak else known(q)
    if is_complex(a):
        raise DataError(f"`{name}` needs real numbers, which have an order; a is {describe(a)}.")
    if method not in METHODS:
        raise ValueError(f"`{name}` has the methods {', '.join(METHODS)}; it was given {method!r}.")
    if weights is not None and method != "inverted_cdf":
        raise ValueError(
            f"`{name}` takes weights with method='inverted_cdf' only; it was given {method!r}."
        )
    inside = greater_equal(q, 0) & less_equal(q, 1)
    if not isinstance(inside, Traced) and not inside.all():
        most = "100]" if "percent" in name else "1]"
        raise ValueError(f"`{name}` needs q in [0, {most}; it was given some outside.")
    row = rows(a, axis, name)
    n = length(row, name)
    sparse = name.startswith("nan") and a.dtype.kind == "f"
    if sparse:
        gone = isnan(row)
        n = n - count_nonzero(gone, -1, True)
        n = n if weak or q.dtype.kind != "f" else n.astype(q.dtype)
    flat = q if weak else reshape(q, (-1,))
    if weights is not None:
        light = any(less(weights, 0))
        if not isinstance(light, Traced) and light:
            raise ValueError(f"`{name}` needs weights that are not negative.")
        heavy = rows(broadcast_to(weights_of(weights, a, axis, name), shape(a)), axis, name)
        heavy = where(gone, 0.0, heavy) if sparse else heavy
        out = weighted(row, flat, heavy, not sparse)
    else:
        low, high, part = METHODS[method](n, flat)
        low, high = (None if h is None else place(h, n - 1) for h in (low, high))
        out = in_order(row, low, not sparse)
        if high is not None:
            part = astype(part, row.dtype) if weak and a.dtype.kind == "f" else part
            out = between(out, in_order(row, high, not sparse), part)
    if sparse:
        out = where(equal(n, 0), math.nan, out)
    return folded(out, shape(q), a, axis, keepdims)


def between(a: Any, b: Any, part: Any) -> Any:
    """From a towards b by `part`, reaching b exactly."""
    apart = b - a
    return where(less(part, 0.5), a + apart * part, b - apart * (1 - part))


def linearly(alpha: float, beta: float) -> Callable[[Any, Any], tuple[Any, Any, Any]]:
    """The methods that interpolate: which two places, and how far from one to the other."""

    def places(n: Any, q: Any) -> tuple[Any, Any, Any]:
        return around(n * q + (alpha + q * (1 - alpha - beta)) - 1)

    return places


def around(h: Any) -> tuple[Any, Any, Any]:
    """The places beneath and above h, and the way from the one to the other."""
    low = floor(h)
    return low, low + 1, h - low


def stepwise(pick: Callable[[Any, Any], Any]) -> Callable[[Any, Any], tuple[Any, Any, Any]]:
    """The methods that pick one element."""
    return lambda n, q: (pick(n, q), None, None)


def averaged(n: Any, q: Any) -> tuple[Any, Any, Any]:
    """The step function, at its jumps the mean of both sides."""
    low, high, part = around(n * q - 1)
    return low, high, 1 - 0.5 * equal(part, 0).astype(part.dtype)


def midway(n: Any, q: Any) -> tuple[Any, Any, Any]:
    """The mean of both neighbours."""
    low, high, part = around((n - 1) * q)
    return low, high, 0.5 - 0.5 * equal(part, 0).astype(part.dtype)


def nearest_even(n: Any, q: Any) -> Any:
    """The closest place, of two equally close ones the one whose number, from 1, is even."""
    low, high, part = around(n * q - 1.5)
    return where(equal(part, 0) & equal(low % 2, 1), low, high)


METHODS: dict[str, Callable[[Any, Any], tuple[Any, Any, Any]]] = dict(
    inverted_cdf=stepwise(lambda n, q: ceil(n * q - 1)),
    averaged_inverted_cdf=averaged,
    closest_observation=stepwise(nearest_even),
    interpolated_inverted_cdf=linearly(0.0, 1.0),
    hazen=linearly(0.5, 0.5),
    weibull=linearly(0.0, 0.0),
    linear=lambda n, q: around((n - 1) * q),
    median_unbiased=linearly(1 / 3, 1 / 3),
    normal_unbiased=linearly(3 / 8, 3 / 8),
    lower=stepwise(lambda n, q: floor((n - 1) * q)),
    higher=stepwise(lambda n, q: ceil((n - 1) * q)),
    midpoint=midway,
    nearest=stepwise(lambda n, q: round((n - 1) * q)),
)


def in_order(row: Any, places: Any, whole: bool = True) -> Any:
    """The elements at `places` in the order of each row, of a `whole` row with a NaN that NaN.

    places : integers, some or, along the last axis, some for each row
    """
    n, rank = shape(row)[-1], len(shape(row))
    order = argsort(row) if isinstance(places, Traced) else argpartition(row, kth(places, n))
    places = reshape(places, (1,) * (rank - 1) + (-1,)) if len(shape(places)) < 2 else places
    if whole:
        spoilt = any(isnan(row), -1, True)
        places = where(spoilt, n - 1, places)
    return take_along_axis(row, take_along_axis(order, places), -1)


def kth(places: Any, n: int) -> Any:
    """What a partition must get right: the places that are picked, and the last, where NaNs go."""
    return np.unique(np.append(places, n - 1) % n)


def weighted(row: Any, q: Any, weights: Any, whole: bool) -> Any:
    """The first elements, in the order of each row, at which the weights so far reach a part q."""
    order, rank = argsort(row), len(shape(row))
    weights = astype(take_along_axis(weights, order), np.float64)
    reached = running_sum(weights, rank - 1)
    total = reached[..., -1:]
    reached = reached / where(equal(total, 0), 1.0, total)
    reached = where(equal(reached, 0), -1.0, reached)
    asked = reshape(q, (-1, 1)) if len(shape(q)) else q
    short = less(reshape(reached, (*shape(reached)[:-1], 1, -1)), asked)
    places = place(count_nonzero(short, -1), shape(row)[-1] - 1)
    if whole:
        places = where(any(isnan(row), -1, True), shape(row)[-1] - 1, places)
    return take_along_axis(row, take_along_axis(order, places), -1)


def weights_of(weights: Any, a: Any, axis: Any, name: str) -> Any:
    """Weights that broadcast against `a`: of its shape, or of that of the axes that are folded."""
    weights = known(weights)
    if shape(weights) == shape(a):
        return weights
    axes = [*range(len(shape(a)))] if axis is None else several(axis, len(shape(a)), name)
    if axis is None or shape(weights) != tuple([shape(a)[i] for i in axes]):
        raise ShapeError(
            f"`{name}` needs weights of the shape {shape(a)} of what they weigh, or of its axes "
            f"that are named; axis is {axis}, and the weights have shape {shape(weights)}."
        )
    weights = permute_dims(weights, tuple(int(i) for i in np.argsort(axes)))
    return reshape(weights, tuple([n if i in axes else 1 for i, n in enumerate(shape(a))]))


def rows(a: Any, axis: Any, name: str) -> Any:
    """`a` with the axes that are folded made one, the last."""
    if axis is None:
        return reshape(a, (-1,))
    axes = several(axis, len(shape(a)), name)
    moved = moveaxis(a, axes, [*range(-len(axes), 0)])
    n = math.prod([shape(a)[i] for i in axes])
    return reshape(moved, (*shape(moved)[: len(shape(a)) - len(axes)], n))


def length(row: Any, name: str) -> int:
    """How many elements a row has."""
    n: int = shape(row)[-1]
    if not n:
        raise ShapeError(f"`{name}` needs at least one element to choose from; there is none.")
    return n


def folded(out: Any, form: Sequence[int], a: Any, axis: Any, keepdims: bool) -> Any:
    """What was found along the last axis, which comes first, in the shape `form`."""
    ndim = len(shape(a))
    axes = tuple(range(ndim)) if axis is None else tuple(several(axis, ndim, "axis"))
    kept = kept_shape(shape(a), axes)
    if not keepdims:
        kept = tuple([n for i, n in enumerate(kept) if i not in axes])
    return reshape(moveaxis(out, -1, 0), (*form, *kept))


def line(a: Any, axis: int | None, name: str) -> tuple[Any, int]:
    """`a` and the axis that is sorted, counted from the front; without one, all in a row."""
    a = known(a)
    return (ravel(a), 0) if axis is None else (a, normalised(axis, len(shape(a)), name))


__all__ = [
    "lexsort", "median", "partition", "percentile", "quantile", "sort", "sort_complex", "unique",
    "unique_all", "unique_counts", "unique_inverse", "unique_values",
]  # fmt: skip
