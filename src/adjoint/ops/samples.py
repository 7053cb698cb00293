"""Statistics of samples: means, moments, scores, entropy, correlation; compositions of ops.

`axis` is an int, a tuple, or None for all elements; as in SciPy, it is 0 by default.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..core.traced import shape
from ..errors import DataError, ShapeError
from . import densities, special
from .constant import equal, less_equal
from .elementwise import abs, clip, exp, log, sqrt, where
from .reduce import count, mean, std, sum
from .shape import broadcast_arrays, known, ravel, stack


def gmean(a: Any, axis: Any = 0, *, weights: Any = None, keepdims: bool = False) -> Any:
    """Geometric mean: y = exp(mean ln x), of x ≥ 0; `weights` of the shape of a.

    Undefined: where an element is 0, where its slope is infinite or NaN.

    >>> ad.grad(ad.stats.gmean)(np.array([1.0, 4.0]))
    array([1.  , 0.25])
    """
    return exp(averaged(log(known(a)), axis, weights, keepdims))


def hmean(a: Any, axis: Any = 0, *, weights: Any = None, keepdims: bool = False) -> Any:
    """Harmonic mean: y = 1/mean(1/x), of x > 0; `weights` of the shape of a.

    >>> ad.stats.hmean(np.array([1.0, 3.0]))
    np.float64(1.5)
    """
    return 1 / averaged(1 / known(a), axis, weights, keepdims)


def pmean(a: Any, p: Any, *, axis: Any = 0, weights: Any = None, keepdims: bool = False) -> Any:
    """Power mean: y = (mean xᵖ)^(1/p), of x > 0; of the number p = 0 the geometric mean.

    >>> ad.stats.pmean(np.array([1.0, 7.0]), 2)
    np.float64(5.0)
    """
    if isinstance(p, (int, float)) and not p:
        return gmean(a, axis, weights=weights, keepdims=keepdims)
    return averaged(known(a) ** (p * 1.0), axis, weights, keepdims) ** (1 / p)


def averaged(a: Any, axis: Any, weights: Any, keepdims: bool) -> Any:
    """The mean, or the weighted mean."""
    if weights is None:
        return mean(a, axis, keepdims)
    a, weights = broadcast_arrays(a, known(weights))
    return sum(a * weights, axis, keepdims) / sum(weights, axis, keepdims)


def moment(
    a: Any, order: Any = 1, axis: Any = 0, *, center: Any = None, keepdims: bool = False
) -> Any:
    """Moment: y = mean (x - c)ᵏ about c, by default the mean; of several orders k one row each.

    >>> ad.stats.moment(np.array([1.0, 2.0, 6.0]), 2)
    np.float64(4.666666666666667)
    """
    a = known(a)
    if np.ndim(order):
        rows = [moment(a, k, axis, center=center, keepdims=keepdims) for k in order]
        return stack(rows)
    if order != int(order):
        raise DataError(f"`moment` needs whole orders; it was given {order}.")
    apart = a - (mean(a, axis, True) if center is None else center)
    if order == 1 and center is None:
        apart = apart * 0.0
    return mean(apart ** int(order), axis, keepdims)


def skew(a: Any, axis: Any = 0, bias: bool = True, *, keepdims: bool = False) -> Any:
    """Skewness: y = m₃/m₂^(3/2) of the moments about the mean; bias=False corrects for the number.

    Undefined: where all elements are equal (NaN, its slopes 0).

    >>> ad.stats.skew(np.array([0.0, 0.0, 1.0])).round(9)
    np.float64(0.707106781)
    """
    a = known(a)
    n, second, zero = spread(a, axis, keepdims)
    value = moment(a, 3, axis, keepdims=keepdims) / second**1.5
    if not bias and n > 2:
        value = value * (math.sqrt(n * (n - 1)) / (n - 2))
    return where(zero, math.nan, value)


def kurtosis(
    a: Any, axis: Any = 0, fisher: bool = True, bias: bool = True, *, keepdims: bool = False
) -> Any:
    """Kurtosis: y = m₄/m₂² - 3 of the moments about the mean; fisher=False leaves out the 3.

    bias : False corrects for the number.  Undefined: where all elements are equal (NaN, its slopes
    0).

    >>> ad.stats.kurtosis(np.array([-1.0, 0.0, 1.0]))
    np.float64(-1.5)
    """
    a = known(a)
    n, second, zero = spread(a, axis, keepdims)
    value = moment(a, 4, axis, keepdims=keepdims) / (second * second)
    if not bias and n > 3:
        value = ((n * n - 1) * value - 3 * (n - 1) ** 2) / ((n - 2) * (n - 3)) + 3
    return where(zero, math.nan, value - 3 if fisher else value)


def spread(a: Any, axis: Any, keepdims: bool) -> tuple[int, Any, Any]:
    """How many elements, their second moment, 1 where it is lost in rounding, and where that is."""
    second = moment(a, 2, axis, keepdims=keepdims)
    rounding = mean(a, axis, keepdims) * float(np.finfo(second.dtype).eps)
    zero = less_equal(second, rounding * rounding)
    return count(shape(a), axis), where(zero, 1.0, second), zero


def sem(a: Any, axis: Any = 0, ddof: float = 1, *, keepdims: bool = False) -> Any:
    """Standard error of the mean: the deviation over √n.

    >>> ad.stats.sem(np.array([0.0, 1.0, 2.0, 5.0])).round(9)
    np.float64(1.08012345)
    """
    a = known(a)
    return std(a, axis, ddof, keepdims=keepdims) / math.sqrt(count(shape(a), axis))


def variation(a: Any, axis: Any = 0, ddof: float = 0, *, keepdims: bool = False) -> Any:
    """Coefficient of variation: the deviation over the mean.

    >>> ad.stats.variation(np.array([1.0, 3.0]))
    np.float64(0.5)
    """
    a = known(a)
    return std(a, axis, ddof, keepdims=keepdims) / mean(a, axis, keepdims)


def zscore(a: Any, axis: Any = 0, ddof: float = 0) -> Any:
    """Standard scores: y = (x - mean)/deviation.

    Undefined: where all elements are equal (NaN, its slopes 0).

    >>> ad.stats.zscore(np.array([1.0, 3.0]))
    array([-1.,  1.])
    """
    return zmap(a, a, axis, ddof)


def zmap(scores: Any, compare: Any, axis: Any = 0, ddof: float = 0) -> Any:
    """Scores in units of the deviation of others: y = (x - mean c)/(deviation of c).

    Undefined: where all of `compare` are equal (NaN, its slopes 0).

    >>> ad.stats.zmap(np.array([5.0]), np.array([1.0, 3.0]))
    array([3.])
    """
    scores, compare = known(scores), known(compare)
    wide = std(compare, axis, ddof, keepdims=True)
    zero = equal(wide, 0)
    apart = scores - mean(compare, axis, True)
    return where(zero, math.nan, apart / where(zero, 1.0, wide))


def entropy(
    pk: Any, qk: Any = None, base: float | None = None, axis: Any = 0, *, keepdims: bool = False
) -> Any:
    """Entropy of a distribution, -Σ p ln p, or relative to another, Σ p ln(p/q).

    pk, qk : not negative; they are divided by their sums    base : of the logarithm, by default e

    >>> ad.stats.entropy(np.array([1.0, 1.0]), base=2)
    np.float64(1.0)
    """
    if base is not None and base <= 0:
        raise DataError(f"`entropy` needs a positive base; it was given {base}.")
    pk = known(pk)
    if qk is None:
        terms = special.entr(pk / sum(pk, axis, True))
    else:
        pk, qk = broadcast_arrays(pk, known(qk))
        terms = special.rel_entr(pk / sum(pk, axis, True), qk / sum(qk, axis, True))
    total = sum(terms, axis, keepdims)
    return total if base is None else total / math.log(base)


class PearsonRResult(NamedTuple):
    """A correlation, and how probable one is that is as far from 0, of independent variables."""

    statistic: Any
    pvalue: Any


def pearsonr(x: Any, y: Any, *, axis: int | None = 0) -> PearsonRResult:
    """Correlation: r = Σ (x - x̄)(y - ȳ)/√(Σ (x - x̄)² Σ (y - ȳ)²), and its two-sided p-value.

    Undefined: where all x or all y are equal (NaN, its slopes 0), and of two samples, where r = ±1.

    >>> ad.stats.pearsonr(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 6.0])).statistic.round(9)
    np.float64(0.944911183)
    """
    x, y = broadcast_arrays(known(x), known(y))
    if axis is None:
        x, y, axis = ravel(x), ravel(y), 0
    n = shape(x)[axis]
    if n < 2:
        raise ShapeError(f"`pearsonr` needs at least 2 samples; it was given {n}.")
    x, y = x - mean(x, axis, True), y - mean(y, axis, True)
    squares = sum(x * x, axis) * sum(y * y, axis)
    zero = equal(squares, 0)
    r = clip(sum(x * y, axis) / sqrt(where(zero, 1.0, squares)), -1.0, 1.0)
    r = where(zero, math.nan, r)
    if n == 2:
        return PearsonRResult(r, where(zero, math.nan, r * 0.0 + 1.0))
    p = 2 * densities.beta.sf(abs(r), n / 2 - 1, n / 2 - 1, loc=-1, scale=2)
    return PearsonRResult(r, p)


__all__ = [
    "entropy", "gmean", "hmean", "kurtosis", "moment", "pearsonr", "pmean", "sem", "skew",
    "variation", "zmap", "zscore",
]  # fmt: skip
