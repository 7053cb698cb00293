"""Integrals of samples and by fixed nodes: trapezoids, Simpson, Romberg, Gauss and Legendre.

All are sums of products, written with ops, so that they have every derivative: in the samples, in
their places x and in the spacing dx. Of samples along `axis`, x is their places there, one row for
all or an array of the shape of y; without x they are `dx` apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backends.namespace import scipy
from ..core.traced import Traced, shape
from ..errors import DataError, NoRuleError, ShapeError
from .elementwise import safe_divide
from .reduce import cumsum, sum
from .shape import broadcast_to, concat, flip, moveaxis, normalised


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integral by the trapezoidal rule: Σ hᵢ (yᵢ + yᵢ₊₁)/2.

    >>> ad.grad(ad.integrate.trapezoid)(np.array([1.0, 4.0, 9.0]))
    array([0.5, 1. , 0.5])
    """
    y, h = sampled(y, x, dx, axis, "trapezoid")
    return sum(h * (y[..., 1:] + y[..., :-1]) / 2, -1)


def cumulative_trapezoid(
    y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None
) -> Any:
    """Integrals up to each sample by the trapezoidal rule; `initial`, 0 or None, comes first.

    >>> ad.integrate.cumulative_trapezoid(np.array([1.0, 3.0, 5.0]), initial=0)
    array([0., 2., 6.])
    """
    if initial not in (None, 0):
        raise DataError(f"`cumulative_trapezoid` takes initial=0 or None; it was given {initial}.")
    y, h = sampled(y, x, dx, axis, "cumulative_trapezoid")
    total = cumsum(h * (y[..., 1:] + y[..., :-1]) / 2, -1)
    if initial is not None:
        total = concat([y[..., :1] * 0.0, total], -1)
    return moveaxis(total, -1, axis)


def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integral by Simpson's rule: of each three samples that of the parabola through them.

    Of an even number of samples the last interval is taken from the parabola of the last three.
    Samples in one place count as in SciPy: what would be divided by 0 is left out.
    Source: K. V. Cartwright, J. Math. Sci. Math. Educ. 12 (2017) 2, equation 8.

    >>> x = np.linspace(0.0, 1.0, 5)
    >>> ad.integrate.simpson(x**3, x), ad.grad(lambda dx: ad.integrate.simpson(x, dx=dx))(0.25)
    (np.float64(0.25), np.float64(2.0))
    """
    y, h = sampled(y, x, dx, axis, "simpson")
    n = shape(y)[-1]
    if n < 3:
        return sum(h * (y[..., 1:] + y[..., :-1]) / 2, -1)
    odd = n - 1 + n % 2
    one, two, three = y[..., : odd - 2 : 2], y[..., 1 : odd - 1 : 2], y[..., 2:odd:2]
    if x is None:
        total = h / 3 * sum(one + 4 * two + three, -1)
        end = h / 12 * (5 * y[..., -1] + 8 * y[..., -2] - y[..., -3])
        return total if n % 2 else total + end
    left, right = h[..., : odd - 1 : 2], h[..., 1 : odd - 1 : 2]
    both = left + right
    weighted = (
        (2 - safe_divide(right, left)) * one
        + safe_divide(both * both, left * right) * two
        + (2 - safe_divide(left, right)) * three
    )
    total = sum(both / 6 * weighted, -1)
    left, right = h[..., -2], h[..., -1]
    end = (
        safe_divide(right * (2 * right + 3 * left), 6 * (left + right)) * y[..., -1]
        + safe_divide(right * (right + 3 * left), 6 * left) * y[..., -2]
        - safe_divide(right**3, 6 * left * (left + right)) * y[..., -3]
    )
    return total if n % 2 else total + end


def cumulative_simpson(
    y: Any, *, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None
) -> Any:
    """Integrals up to each sample by Simpson's rule; `initial` comes first and is added to them.

    Each interval is that of the parabola through its ends and a neighbour; fewer than three samples
    make trapezoids. dx and `initial`: numbers, or arrays as y with length one along `axis`.
    Source: K. V. Cartwright, J. Math. Sci. Math. Educ. 12 (2017) 2, equation 8.

    >>> ad.integrate.cumulative_simpson(np.array([0.0, 1.0, 4.0, 9.0]))
    array([0.33333333, 2.66666667, 9.        ])
    """
    y, h = sampled(y, x, dx, axis, "cumulative_simpson")
    n = shape(y)[-1]
    if n < 3:
        pieces = h * (y[..., 1:] + y[..., :-1]) / 2
    else:
        first = parabolas(y, h)
        last = flip(parabolas(flip(y, -1), flip(h, -1) if shape(h) else h), -1)
        # interval i begins a parabola where i is even, and ends one where i is odd or the last
        begins = (np.arange(n - 2) % 2 == 0).astype(y.dtype)
        pieces = concat([first * begins, y[..., :1] * 0.0], -1)
        pieces = pieces + concat([y[..., :1] * 0.0, last * np.append(begins[:-1], 1)], -1)
    total = cumsum(pieces, -1)
    if initial is not None:
        first = initial if hasattr(initial, "shape") else np.asarray(initial)
        first = moveaxis(first, axis, -1) if shape(first) else first
        first = broadcast_to(first * 1.0, (*shape(y)[:-1], 1))
        total = concat([first, total + first], -1)
    return moveaxis(total, -1, axis)


def parabolas(y: Any, h: Any) -> Any:
    """Of each three samples the integral over the first interval; h: widths, or one for all."""
    one, two, three = y[..., :-2], y[..., 1:-1], y[..., 2:]
    if not shape(h) or shape(h)[-1] == 1:
        return h / 12 * (5 * one + 8 * two - three)
    left, right = h[..., :-1], h[..., 1:]
    share = left / (left + right)
    skew = share * left / right
    return left / 6 * ((3 - share) * one + (3 + skew + share) * two - skew * three)


def romb(y: Any, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integral by Romberg's rule of 2ᵏ + 1 samples: trapezoids of all steps 2ʲ, extrapolated to 0.

    Raises: ShapeError for another number of samples.

    >>> ad.integrate.romb(np.linspace(0.0, 1.0, 5) ** 4, 0.25)
    np.float64(0.2)
    """
    y, h = sampled(y, None, dx, axis, "romb")
    n = shape(y)[-1] - 1
    if n < 1 or n & (n - 1):
        raise ShapeError(
            f"`romb` needs 2ᵏ + 1 samples along the axis; it was given {n + 1}. Use `simpson`."
        )
    row = [h * n * (y[..., 0] + y[..., -1]) / 2]
    step = n
    while step > 1:
        before, half = row, step // 2
        row = [before[0] / 2 + h * half * sum(y[..., half:-1:step], -1)]
        for j, coarse in enumerate(before, 1):
            row.append(row[-1] + (row[-1] - coarse) / (4**j - 1))
        step = half
    return row[-1]


def newton_cotes(rn: Any, equal: int = 0) -> Any:
    """Weights and error coefficient of Newton and Cotes's rule for `rn`, a number or places.

    Constants, which SciPy computes.  Raises: NoRuleError for places that are tracked.

    >>> ad.integrate.newton_cotes(2)[0] @ np.array([0.0, 1.0, 4.0])
    np.float64(2.6666666666666665)
    """
    if any(isinstance(x, Traced) for x in [rn, *(rn if isinstance(rn, (list, tuple)) else [])]):
        raise NoRuleError(
            "`newton_cotes` has no derivative in the places. Give plain numbers, or integrate by "
            "`simpson`, which is differentiated by them."
        )
    return scipy("integrate").newton_cotes(rn, equal)


def fixed_quad(
    func: Callable[..., Any], a: Any, b: Any, args: Sequence[Any] = (), n: int = 5
) -> tuple[Any, None]:
    """Integral of func(x, *args) from a to b by Gauss and Legendre's rule with n nodes; and None.

    func : takes an array of places, and returns the values with those places in the last axis; what
        it takes from outside is differentiated too.  Exact for polynomials of degree 2n - 1.

    >>> round(ad.grad(lambda b: ad.integrate.fixed_quad(ad.cos, 0.0, b)[0])(0.0), 9)
    np.float64(1.0)
    """
    if any(not isinstance(limit, Traced) and np.any(np.isinf(limit)) for limit in (a, b)):
        raise DataError("`fixed_quad` needs finite limits; `quad` takes infinite ones.")
    nodes, weights = np.polynomial.legendre.leggauss(n)
    half = (b - a) / 2
    return half * sum(weights * func(half * (nodes + 1) + a, *args), -1), None


def sampled(y: Any, x: Any, dx: Any, axis: int, who: str) -> tuple[Any, Any]:
    """The samples, and the widths of the intervals between them, along the last axis."""
    y = y if hasattr(y, "shape") else np.asarray(y)
    rank = len(shape(y))
    axis = normalised(axis, rank, who)
    n = shape(y)[axis]
    y = moveaxis(y, axis, -1)
    if x is None:
        dx = np.asarray(dx) if isinstance(dx, list) else dx
        return y, moveaxis(dx, axis, -1) if len(shape(dx)) > 1 else dx
    x = x if hasattr(x, "shape") else np.asarray(x)
    if len(shape(x)) != 1:
        x = moveaxis(x, axis, -1) if len(shape(x)) == rank else x
    if not shape(x) or shape(x)[-1] != n or len(shape(x)) not in (1, rank):
        raise ShapeError(
            f"`{who}` needs places x of shape ({n},), or of that of y, {shape(y)} with the axis "
            f"last; it was given {shape(x)}."
        )
    return y, x[..., 1:] - x[..., :-1]


__all__ = [
    "cumulative_simpson",
    "cumulative_trapezoid",
    "fixed_quad",
    "newton_cotes",
    "romb",
    "simpson",
    "trapezoid",
]
