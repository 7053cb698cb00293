"""Norms of vectors and matrices, and condition numbers."""

from __future__ import annotations

import math
from typing import Any

from ..core.traced import shape
from ..errors import ShapeError
from .constant import equal, not_equal
from .decompositions import coincident, matrix, still, svdvals, top_of, vanishing
from .elementwise import abs, where
from .linalg import inv
from .reduce import length, max, min, sum, summit
from .shape import expand_dims, known, moveaxis, normalised, reshape


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norm of vectors along one axis or of matrices along two, as `numpy.linalg.norm`.

    ord : None (the root of the sum of squares), a number p or ±inf for vectors;
        "fro", "nuc", 1, 2, inf and their negatives for matrices

    Undefined: at 0, where the gradient is 0; equal largest elements share, for ±inf; equal largest
    singular values share, for ±2, and those of 0 to rounding have the slope 0, for "nuc" and -2.
    Forward mode raises GaugeError there, as `svdvals` says.

    >>> ad.grad(ad.norm)(np.array([3.0, 4.0])), ad.grad(ad.norm)(np.array([0.0, 0.0]))
    (array([0.6, 0.8]), array([0., 0.]))
    """
    x = known(x)
    modulus = abs(x)
    ndim = len(shape(x))
    if ord is None or (ord == 2 and (ndim == 1 if axis is None else not isinstance(axis, tuple))):
        return length(modulus, axis, keepdims)
    axes = tuple(range(ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple([normalised(a, ndim, "norm") for a in axes])
    if len(axes) == 1:
        return p_norm(modulus, ord, axes, keepdims)
    if len(axes) != 2:
        raise ShapeError(
            f"`norm` with ord={ord!r} needs one axis or two; it was given {len(axes)}."
        )
    if ord == "fro":
        return length(modulus, axes, keepdims)
    if ord in ("nuc", 2, -2):
        s = svdvals(moveaxis(x, axes, (-2, -1)))
        n = top_of(*[shape(x)[a] for a in axes])
        value = present(s, n) if ord == "nuc" else extreme(s, n, ord > 0)
    elif ord in (1, -1, math.inf, -math.inf):
        by = 0 if ord in (1, -1) else 1
        sums = sum(modulus, axes[by], True)
        value = (max if ord > 0 else min)(sums, axes)
    else:
        raise ShapeError(
            f"`norm` of matrices has no ord={ord!r}; it has 'fro', 'nuc', ±1, ±2 and ±inf."
        )
    return expand_dims(value, axes) if keepdims else value


def present(s: Any, n: int) -> Any:
    """The sum of the singular values; those of 0 to rounding are constants."""
    return sum(where(vanishing(s, n=n), still(s), s), -1)


def extreme(s: Any, n: int, largest: bool) -> Any:
    """The largest or smallest singular value, as the mean of those that equal it to rounding.

    Where they are 0 to rounding, they are constants.
    """
    if not shape(s)[-1]:
        return (max if largest else min)(s, -1)
    among = coincident(s, n=n)[..., 0 if largest else -1, :]
    values = where(among, where(vanishing(s, n=n), still(s), s), 0.0)
    return sum(values, -1) / sum(among.astype(s.dtype), -1)


def p_norm(modulus: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    """The p-norm of vectors whose absolute values are given."""
    if ord == math.inf:
        return max(modulus, axes, keepdims)
    if ord == -math.inf:
        return min(modulus, axes, keepdims)
    if ord == 0:
        return sum(not_equal(modulus, 0).astype(modulus.dtype), axes, keepdims)
    if ord == 1:
        return sum(modulus, axes, keepdims)
    if isinstance(ord, str):
        raise ShapeError(f"`norm` of vectors has no ord={ord!r}; it has numbers and ±inf.")
    top = summit(modulus, axes) if ord > 0 else -summit(-modulus, axes)
    top = where(equal(top, 0), 1.0, top)
    total = sum((modulus / top) ** ord, axes, keepdims)
    zero = equal(total, 0)
    return where(zero, 0.0, where(zero, 1.0, total) ** (1.0 / ord)) * reshape(top, shape(total))


def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Norm of vectors along one axis or several, or of all elements, as `norm` of a vector.

    >>> ad.linalg.vector_norm(np.array([[3.0, 0.0], [0.0, 4.0]]))
    np.float64(5.0)
    """
    x = known(x)
    ndim = len(shape(x))
    axes = tuple(range(ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple([normalised(a, ndim, "vector_norm") for a in axes])
    rest = [i for i in range(ndim) if i not in axes]
    rows = reshape(moveaxis(x, axes, tuple(range(len(axes)))), (-1, *[shape(x)[i] for i in rest]))
    value = norm(rows, ord, 0)
    return expand_dims(value, axes) if keepdims else value


def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norm of the matrices in the last two axes, as `norm` of a matrix.

    >>> ad.linalg.matrix_norm(np.array([[3.0, 0.0], [0.0, 4.0]]), ord=2)
    np.float64(4.0)
    """
    return norm(x, ord, (-2, -1), keepdims)


def cond(x: Any, p: Any = None) -> Any:
    """Condition number: the largest singular value by the smallest, or ‖A‖ ‖A⁻¹‖ in the norm p.

    Undefined: of a singular matrix, where it is infinite and its slope 0.

    >>> ad.linalg.cond(np.diag([1.0, 4.0]))
    np.float64(4.0)
    """
    x = known(x)
    if p not in (None, 2, -2):
        return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))
    s, n = svdvals(matrix(x, "cond")), top_of(*shape(x)[-2:])
    top, bottom = (extreme(s, n, way) for way in ((False, True) if p == -2 else (True, False)))
    zero = equal(bottom, 0)
    return where(zero, math.inf, top / where(zero, 1.0, bottom))


__all__ = ["norm"]
