"""NaN as a missing number: sums, means, extremes, quantiles of what is there.

A NaN is left out before anything is computed of it, so its slope is 0, to every order. Where no
number is left the value is NaN (of sums 0, of products 1), and all slopes are 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .batch import in_a_row
from .constant import (
    count_nonzero,
    equal,
    floor,
    isnan,
    isneginf,
    isposinf,
    less_equal,
    logical_not,
)
from .elementwise import imag, is_complex, real, safe_divide, sqrt, square, to_complex, where
from .order import folded, in_order, length, percent, place, quantiles, rows
from .reduce import cumprod, cumsum, magnitude, prod, sum
from .rules import predicate, reduction
from .shape import concat, known


def extreme(x, out, axis):
    """Equal weights of the elements that are `out`; zeros where it is NaN."""
    chosen = equal(x, out).astype(x.dtype)
    return safe_divide(chosen, sum(chosen, axis, True))


@reduction(extreme)
def nanmax(xp, x, /, axis=None, keepdims=False):
    """Largest element over axes, NaNs left out; equal ones share the cotangent.

    axis : int, tuple or None for all.  Keeps: x, out.

    >>> ad.nanmax(np.array([1.0, np.nan, 3.0])), ad.grad(ad.nanmax)(np.array([1.0, np.nan, 3.0]))
    (np.float64(3.0), array([0., 0., 1.]))
    """
    return xp.fmax.reduce(x, axis=axis, keepdims=keepdims)


@reduction(extreme)
def nanmin(xp, x, /, axis=None, keepdims=False):
    """Smallest element over axes, NaNs left out; equal ones share the cotangent.

    axis : int, tuple or None for all.  Keeps: x, out.

    >>> ad.nanmin(np.array([1.0, np.nan, 3.0])), ad.grad(ad.nanmin)(np.array([1.0, np.nan, 3.0]))
    (np.float64(1.0), array([1., 0., 0.]))
    """
    return xp.fmin.reduce(x, axis=axis, keepdims=keepdims)


@predicate(batch=in_a_row)
def nanargmax(xp, x, /, axis=None, keepdims=False):
    """Index of the first maximum along `axis`, NaNs left out.

    Raises: ValueError where there are but NaNs.

    >>> ad.nanargmax(np.array([1.0, np.nan, 3.0]))
    np.int64(2)
    """
    return xp.nanargmax(x, axis=axis, keepdims=keepdims)


@predicate(batch=in_a_row)
def nanargmin(xp, x, /, axis=None, keepdims=False):
    """Index of the first minimum along `axis`, NaNs left out.

    Raises: ValueError where there are but NaNs.

    >>> ad.nanargmin(np.array([np.nan, 1.0, 3.0]))
    np.int64(1)
    """
    return xp.nanargmin(x, axis=axis, keepdims=keepdims)


def nansum(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over axes, NaNs left out.

    >>> ad.nansum(np.array([1.0, np.nan, 3.0])), ad.grad(ad.nansum)(np.array([1.0, np.nan, 3.0]))
    (np.float64(4.0), array([1., 0., 1.]))
    """
    return sum(without(a, 0), axis, keepdims)


def nanprod(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Product over axes, NaNs left out.

    >>> ad.nanprod(np.array([2.0, np.nan, 3.0])), ad.grad(ad.nanprod)(np.array([2.0, np.nan, 3.0]))
    (np.float64(6.0), array([3., 0., 2.]))
    """
    return prod(without(a, 1), axis, keepdims)


def nancumsum(a: Any, axis: int | None = None) -> Any:
    """Running sum along `axis`, or over all elements in a row, NaNs left out.

    >>> ad.nancumsum(np.array([1.0, np.nan, 3.0]))
    array([1., 1., 4.])
    """
    return cumsum(without(a, 0), axis)


def nancumprod(a: Any, axis: int | None = None) -> Any:
    """Running product along `axis`, or over all elements in a row, NaNs left out.

    >>> ad.nancumprod(np.array([2.0, np.nan, 3.0]))
    array([2., 2., 6.])
    """
    return cumprod(without(a, 1), axis)


def nanmean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean over axes of what is no NaN.

    >>> ad.nanmean(np.array([1.0, np.nan, 3.0])), ad.grad(ad.nanmean)(np.array([1.0, np.nan, 3.0]))
    (np.float64(2.0), array([0.5, 0. , 0.5]))
    """
    a = known(a)
    return shared_out(sum(without(a, 0), axis, keepdims), numbers(a, axis, keepdims))


def nanvar(
    a: Any,
    axis: Any = None,
    ddof: float = 0.0,
    keepdims: bool = False,
    *,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Variance over axes of what is no NaN, divided by how many there are, less `ddof`.

    mean, correction : as of `var`.  Where no more than `ddof` numbers are left, the value is NaN.

    >>> ad.nanvar(np.array([1.0, np.nan, 3.0])), ad.grad(ad.nanvar)(np.array([1.0, np.nan, 3.0]))
    (np.float64(1.0), array([-1.,  0.,  1.]))
    """
    apart, n = scattered(a, axis, ddof if correction is None else correction, keepdims, mean)
    power = square(real(apart)) + square(imag(apart)) if is_complex(apart) else square(apart)
    return shared_out(sum(power, axis, keepdims), n)


def nanstd(
    a: Any,
    axis: Any = None,
    ddof: float = 0.0,
    keepdims: bool = False,
    *,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Root of `nanvar`; where all numbers are equal the slope is 0.

    >>> ad.nanstd(np.array([1.0, np.nan, 3.0])), ad.grad(ad.nanstd)(np.array([1.0, np.nan, 1.0]))
    (np.float64(1.0), array([0., 0., 0.]))
    """
    apart, n = scattered(a, axis, ddof if correction is None else correction, keepdims, mean)
    none = less_equal(n, 0)
    return where(none, math.nan, magnitude(apart, axis, keepdims) / sqrt(where(none, 1.0, n)))


def nanmedian(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle of what is no NaN over axes, or the mean of the two in the middle.

    >>> ad.nanmedian(np.array([5.0, np.nan, 3.0, 1.0]))
    np.float64(3.0)
    """
    a = known(a)
    row = rows(a, axis, "nanmedian")
    length(row, "nanmedian")
    n = count_nonzero(logical_not(isnan(row)), -1, True)
    places = [place(floor((n - 1) / 2), n - 1), place(floor(n / 2), n - 1)]
    mid = sum(in_order(row, concat(places, -1), False) * 0.5, -1, True)
    return folded(where(equal(n, 0), math.nan, mid), (), a, axis, keepdims)


def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Any:
    """`quantile` of what is no NaN.

    >>> ad.nanquantile(np.array([5.0, np.nan, 3.0, 1.0]), 0.25)
    np.float64(2.0)
    """
    return quantiles(a, q, axis, method, keepdims, weights, "nanquantile")


def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
) -> Any:
    """`nanquantile` with q in percent.

    >>> ad.nanpercentile(np.array([5.0, np.nan, 3.0, 1.0]), 25)
    np.float64(2.0)
    """
    return quantiles(a, percent(q), axis, method, keepdims, weights, "nanpercentile")


def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """x with other numbers for NaN and the infinities, by default 0 and the largest there are.

    copy : NumPy's permission to write into x; it is not made use of.  Where x is replaced its slope
    is 0, and the number that stands there instead gets the cotangent.

    >>> x = np.array([1.0, np.nan, np.inf])
    >>> ad.nan_to_num(x, posinf=9.0), ad.grad(lambda x: ad.nan_to_num(x).sum())(x)
    (array([1., 0., 9.]), array([1., 0., 0.]))
    """
    x = known(x)
    if x.dtype.kind not in "fc":
        return x
    if is_complex(x):
        return to_complex(*[nan_to_num(p(x), copy, nan, posinf, neginf) for p in (real, imag)])
    most = float(np.finfo(x.dtype).max)
    for stranger, number in (
        (isnan(x), nan),
        (isposinf(x), most if posinf is None else posinf),
        (isneginf(x), -most if neginf is None else neginf),
    ):
        x = where(stranger, number, x)
    return x


def without(a: Any, number: int) -> Any:
    """`a` with `number` for NaN."""
    return where(isnan(a), number, a)


def numbers(a: Any, axis: Any, keepdims: bool) -> Any:
    """How many elements over axes are no NaN, as a number of the precision of `a`."""
    real_dtype = np.finfo(a.dtype).dtype if a.dtype.kind in "fc" else np.float64
    return sum(logical_not(isnan(a)).astype(real_dtype), axis, keepdims)


def shared_out(total: Any, n: Any) -> Any:
    """A total over n, and NaN where there is nothing to share it among."""
    none = less_equal(n, 0)
    return where(none, math.nan, total / where(none, 1.0, n))


def scattered(a: Any, axis: Any, correction: float, keepdims: bool, mean: Any) -> tuple[Any, Any]:
    """a - mean, 0 where it is NaN, and the number that makes a variance of the sum of squares."""
    a = known(a)
    mean = nanmean(a, axis, True) if mean is None else known(mean)
    return where(isnan(a), 0.0, a - mean), numbers(a, axis, keepdims) - correction


__all__ = [
    "nan_to_num", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean",
    "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar",
]  # fmt: skip
