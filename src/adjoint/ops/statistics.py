"""Several variables, and weights: averages, covariance, correlation, counts in bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.traced import shape
from ..errors import DataError, ShapeError
from .elementwise import astype, clip, conj, imag, is_complex, real, sqrt, to_complex
from .index import index_add
from .linalg import matmul
from .order import weights_of
from .reduce import count, mean, sum
from .shape import (
    broadcast_to,
    concat,
    diagonal,
    known,
    matrix_transpose,
    reshape,
    several,
    squeeze,
)


def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """Weighted mean over axes: y = Σ w x / Σ w,  ∂y/∂x = w/Σ w,  ∂y/∂w = (x - y)/Σ w.

    weights : of the shape of `a`, or of the axes that are named
    returned : True for the pair of the average and the sum of the weights

    Undefined: where the weights sum to 0 (a pole).

    >>> x, w = np.array([1.0, 5.0]), np.array([3.0, 1.0])
    >>> ad.average(x, weights=w), ad.grad(lambda w: ad.average(x, weights=w))(w)
    (np.float64(2.0), array([-0.25,  0.75]))
    """
    a = known(a)
    axis = axis if axis is None else tuple(several(axis, len(shape(a)), "average"))
    if weights is None:
        middle = mean(a, axis, keepdims)
        total: Any = middle.dtype.type(count(shape(a), axis))
    else:
        weights = weights_of(weights, a, axis, "average")
        dtype = np.result_type(a.dtype, weights.dtype, *(["d"] if a.dtype.kind in "iub" else []))
        weights = weights if weights.dtype == dtype else astype(weights, dtype)
        total = sum(broadcast_to(weights, shape(a)), axis, keepdims)
        middle = sum(a * weights, axis, keepdims) / total
    if not returned:
        return middle
    return middle, total if shape(total) == shape(middle) else broadcast_to(total, shape(middle))


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
) -> Any:
    """Covariance of variables, each a row of m and of y: C = Σ w (x - x̄)(x - x̄)* / n.

    rowvar : False where each is a column
    bias, ddof : what n lessens the number of observations by: 1, or 0 with `bias`, or `ddof`
    fweights : how often each observation was made, integers
    aweights : how much each observation counts; differentiated too

    The result is of double precision at least, as NumPy's is.  Raises: ShapeError where there are
    no more observations than what n is lessened by, of which NumPy makes NaN and a warning.

    >>> x = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    >>> ad.cov(x)
    array([[ 1., -1.],
           [-1.,  1.]])
    >>> ad.grad(lambda x: ad.cov(x)[0, 1])(x)
    array([[ 0.5,  0. , -0.5],
           [-0.5,  0. ,  0.5]])
    """
    if ddof is None:
        ddof = 0 if bias else 1
    if ddof != int(ddof):
        raise ValueError(f"`cov` needs a whole number for ddof; it was given {ddof}.")
    x = observations(m, rowvar)
    if not shape(x)[0]:
        return np.zeros((0, 0))
    if y is not None:
        more = observations(y, rowvar or len(shape(known(y))) == 1)
        x = concat([astype(v, np.result_type(x.dtype, more.dtype)) for v in (x, more)])
    weights: Any = None
    if fweights is not None:
        weights = each(fweights, x, "fweights")
        if (weights != np.round(weights)).any():
            raise DataError("`cov` needs integers for fweights; they say how often.")
    if aweights is not None:
        heavy = each(aweights, x, "aweights")
        weights = heavy if weights is None else weights * heavy
    if weights is None:
        n = shape(x)[1]
        if n <= ddof:
            raise ShapeError(
                f"`cov` divides by the number of observations less {ddof}; it was given {n} of "
                "them. Give more, or a smaller `ddof`."
            )
        apart = x - mean(x, 1, True)
        return squeeze(against(apart, apart) / (n - ddof))
    total = sum(weights)
    apart = x - sum(x * weights, 1, True) / total
    less = 0.0 if not ddof else ddof if aweights is None else ddof * sum(weights * heavy) / total
    return squeeze(against(apart * weights, apart) / (total - less))


def against(x: Any, y: Any) -> Any:
    """x y*: the products of each row with each, summed."""
    return matmul(x, matrix_transpose(conj(y)))


def observations(m: Any, rowvar: bool) -> Any:
    """A matrix in double precision at least, with a row for each variable."""
    m = known(m)
    if len(shape(m)) > 2:
        raise ShapeError(f"`cov` needs at most two axes; it was given shape {shape(m)}.")
    x = astype(m, np.result_type(m.dtype, np.float64))
    if len(shape(m)) < 2:
        return reshape(x, (1, -1))
    return x if rowvar else matrix_transpose(x)


def each(weights: Any, x: Any, name: str) -> Any:
    """Weights, one for each observation."""
    weights = known(weights)
    if shape(weights) != shape(x)[1:]:
        raise ShapeError(
            f"`cov` needs one of the {name} for each observation, shape {shape(x)[1:]}; "
            f"they have shape {shape(weights)}."
        )
    return astype(weights, np.float64)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    """Correlation of variables: Rᵢⱼ = Cᵢⱼ/√(Cᵢᵢ Cⱼⱼ), the covariance of unit variances.

    Undefined: for a variable that does not vary (NaN).

    >>> ad.corrcoef(np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    c = cov(x, y, rowvar)
    if not shape(c):
        return c / c
    spread = sqrt(real(diagonal(c)))
    r = c / reshape(spread, (-1, 1)) / spread
    if is_complex(r):
        return to_complex(clip(real(r), -1.0, 1.0), clip(imag(r), -1.0, 1.0))
    return clip(r, -1.0, 1.0)


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2, ... is among the integers x, or the sum of the weights beside it.

    Differentiated in the weights. The result is as long as the largest integer asks for, and at
    least `minlength`; so inside `vmap` x cannot be mapped.

    >>> ad.bincount(np.array([0, 2, 2]), np.array([1.0, 5.0, 7.0]))
    array([ 1.,  0., 12.])
    >>> ad.grad(lambda w: ad.bincount(np.array([0, 2, 2]), w)[2])(np.ones(3))
    array([0., 1., 1.])
    """
    counts = np.bincount(x, minlength=minlength)
    if weights is None:
        return counts
    weights = known(weights)
    places = np.array(x, np.intp)
    if shape(weights) != places.shape:
        raise ShapeError(
            f"`bincount` needs a weight for each of the {len(places)} integers; "
            f"the weights have shape {shape(weights)}."
        )
    return index_add(astype(weights, np.float64), counts.shape, places)


__all__ = ["average", "bincount", "corrcoef", "cov"]
