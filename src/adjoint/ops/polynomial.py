"""Polynomials as sequences of coefficients, the highest power first: p₀xⁿ + p₁xⁿ⁻¹ + … + pₙ."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from ..core.traced import shape
from ..errors import ShapeError
from .batch import aligned
from .convolution import convolution, plain
from .decompositions import eigvals, lstsq
from .elementwise import is_complex, real, sqrt
from .interpolation import as_dtype
from .linalg import inv, outer
from .reduce import sum
from .rules import op
from .shape import concat, expand_dims, known, reshape, stack


def sequence(p: Any, name: str) -> Any:
    """Coefficients, or other numbers, as an array of one axis; `ShapeError` where it has more."""
    p = known(p)
    p = p if shape(p) else reshape(p, (1,))
    if len(shape(p)) != 1:
        raise ShapeError(f"`{name}` needs a sequence of numbers; it was given shape {shape(p)}.")
    return p


def trimmed(p: Any) -> Any:
    """p without the zeros in front, where they are known, but for the last coefficient."""
    raw = plain(p)
    if raw is None or not len(raw):
        return p
    start = next((i for i, c in enumerate(raw) if c != 0), len(raw) - 1)
    return p[start:] if start else p


def polyval(p: Any, x: Any) -> Any:
    """The polynomial at x, by Horner's rule.

    >>> ad.polyval([1.0, 0.0, 3.0], 2.0), ad.grad(ad.polyval, 1)([1.0, 0.0, 3.0], 2.0)
    (np.float64(7.0), np.float64(4.0))
    """
    p, x = sequence(p, "polyval"), known(x)
    y = np.zeros(shape(x), x.dtype)[()]
    for i in range(shape(p)[0]):
        y = y * x + p[i] if i else y + p[i]
    return y


def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of two polynomials.

    >>> ad.polyadd([1.0, 2.0], [1.0, 0.0, 0.0])
    array([1., 1., 2.])
    """
    return summed(a1, a2, operator.add, "polyadd")


def polysub(a1: Any, a2: Any) -> Any:
    """The difference of two polynomials.

    >>> ad.polysub([1.0, 2.0], [2.0])
    array([1., 0.])
    """
    return summed(a1, a2, operator.sub, "polysub")


def summed(a1: Any, a2: Any, op: Any, name: str) -> Any:
    """The sum or difference of two polynomials."""
    a1, a2 = sequence(a1, name), sequence(a2, name)
    more = shape(a2)[0] - shape(a1)[0]
    if more > 0:
        a1 = concat([np.zeros(more, a1.dtype), a1])
    elif more:
        a2 = concat([np.zeros(-more, a2.dtype), a2])
    return op(a1, a2)


def polymul(a1: Any, a2: Any) -> Any:
    """The product of two polynomials; zeros in front of them are left out.

    >>> ad.polymul([1.0, 1.0], [1.0, -1.0])
    array([ 1.,  0., -1.])
    """
    a1, a2 = trimmed(sequence(a1, "polymul")), trimmed(sequence(a2, "polymul"))
    return convolution(a1, a2, 1)


def polydiv(u: Any, v: Any) -> Any:
    """Quotient and remainder of two polynomials.

    Of the remainder zeros in front are left out, inside `vmap` those alone that there always are.

    >>> ad.polydiv([1.0, 3.0, 5.0], [1.0, 1.0])
    (array([1., 2.]), array([3.]))
    """
    u, v = sequence(u, "polydiv") + 0.0, sequence(v, "polydiv") + 0.0
    n, m = shape(u)[0], shape(v)[0]
    if n < m:
        return (u[:1] + v[:1]) * 0, u
    parts, rest = [], u
    for _ in range(n - m + 1):
        digit = rest[:1] / v[0]
        parts.append(digit)
        head = rest[1:m] - digit * v[1:]
        rest = concat([head, rest[m:]])
    rest = rest if shape(rest)[0] else u[:1] * 0
    raw = plain(rest)
    if raw is not None:
        start = next((i for i, c in enumerate(raw[:-1]) if abs(c) > 1e-8), len(raw) - 1)
        rest = rest[start:]
    return concat(parts), rest


def polyder(p: Any, m: int = 1) -> Any:
    """The m-th derivative of a polynomial.

    >>> ad.polyder([1.0, 0.0, 3.0])
    array([2., 0.])
    """
    p = sequence(p, "polyder")
    for _ in range(times(m, "polyder")):
        n = shape(p)[0]
        p = p[:-1] * np.arange(n - 1, 0, -1)
    return p


def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The m-th antiderivative of a polynomial.

    k : the constants of integration, the first integration's first; zeros by default

    >>> ad.polyint([2.0, 0.0], k=3.0)
    array([1., 0., 3.])
    """
    p, m = sequence(p, "polyint"), times(m, "polyint")
    k = np.zeros(m) if k is None else sequence(k, "polyint")
    if shape(k)[0] == 1 and m > 1:
        k = concat([k] * m)
    if shape(k)[0] < m:
        raise ShapeError(
            f"`polyint` needs a constant for each of {m} integrations, or one for all; it was "
            f"given {shape(k)[0]}."
        )
    for i in range(m):
        p = concat([p / np.arange(shape(p)[0], 0, -1), k[i : i + 1]])
    return p


def times(m: Any, name: str) -> int:
    """How often; `ShapeError` where that is negative."""
    m = operator.index(m)
    if m < 0:
        raise ShapeError(f"`{name}` needs an order of at least 0; it was given m={m}.")
    return m


def poly(seq_of_zeros: Any) -> Any:
    """The coefficients of the polynomial with these roots, or of a matrix's characteristic one.

    Complex roots that come in conjugate pairs give real coefficients, outside `vmap`.

    >>> ad.poly([1.0, 2.0])
    array([ 1., -3.,  2.])
    """
    z = known(seq_of_zeros)
    z = sequence(eigvals(z) if len(shape(z)) == 2 else z, "poly")
    z = z if z.dtype.kind in "fc" else z.astype(float)
    if not shape(z)[0]:
        return 1.0
    p = np.ones(1, z.dtype)
    nothing = np.zeros(1, z.dtype)
    for i in range(shape(z)[0]):
        p = concat([p, nothing]) - concat([nothing, p * z[i]])
    raw = plain(z)
    if is_complex(z) and raw is not None and np.all(np.sort(raw) == np.sort(raw.conj())):
        return real(p)
    return p


def horner(p: Any, x: Any) -> Any:
    """The polynomials p[..., :] at x[..., :]."""
    y = p[..., :1]
    for i in range(1, shape(p)[-1]):
        y = y * x + p[..., i : i + 1]
    return y


def slopes_at(p: Any, x: Any) -> Any:
    """The derivatives of the polynomials p[..., :] at x[..., :]."""
    powers = np.arange(shape(p)[-1] - 1, 0, -1, dtype=np.finfo(p.dtype).dtype)
    return horner(p[..., :-1] * powers, x)


def roots_vjp(ct, p, out):
    """p̄ₖ = -Σ r̄ⱼ rⱼⁿ⁻ᵏ / p'(rⱼ)."""
    if not shape(out)[-1]:
        return [p * 0]
    terms, cts = -ct / slopes_at(p, out), []
    for _ in range(shape(p)[-1]):
        cts.append(sum(terms, -1, True))
        terms = terms * out
    return [concat(cts[::-1], -1)]


@op(
    jvp=lambda ts, p, out: (
        -horner(ts[0], out) / slopes_at(p, out) if shape(out)[-1] else sum(ts[0], -1, True)[..., :0]
    ),
    vjp=roots_vjp,
    batch=aligned,
)
def polynomial_roots(xp, p, /):
    """The n roots of polynomials of degree n:  p(r) = 0 gives ṙ = -ṗ(r)/p'(r).

    p : (..., n + 1), p₀ not 0        r : (..., n)        Keeps: p, out.

    Undefined: at roots that are equal, for there p' = 0.  Source: the implicit function theorem.
    """
    if p.ndim == 1:
        return xp.roots(p)
    n = p.shape[-1] - 1
    companion = xp.zeros((*p.shape[:-1], n, n), xp.result_type(p, 0.0))
    companion[..., 1:, :-1] = xp.eye(max(n - 1, 0))
    companion[..., :1, :] = -p[..., None, 1:] / p[..., None, :1]
    return xp.linalg.eigvals(companion)


def roots(p: Any) -> Any:
    """The roots of a polynomial; zeros in front of its coefficients are left out.

    Undefined: the derivative at a root that is not simple.

    >>> ad.roots([1.0, -3.0, 2.0]), ad.grad(lambda p: ad.roots(p)[0])(np.array([1.0, -3.0, 2.0]))
    (array([2., 1.]), array([-4., -2., -1.]))
    """
    p = trimmed(sequence(p, "roots"))
    p = p if p.dtype.kind in "fc" else p.astype(float)
    raw = plain(p)
    if not shape(p)[0] or (raw is not None and not raw[0]):
        return np.zeros(0)
    return polynomial_roots(p)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of the elements of x, a row for each: xⁿ⁻¹ ... x, 1, or increasing.

    >>> ad.vander([2, 3], 3)
    array([[4, 2, 1],
           [9, 3, 1]])
    """
    x = sequence(x, "vander")
    x = as_dtype(x, np.promote_types(x.dtype, int))
    n = shape(x)[0] if N is None else operator.index(N)
    columns, power = [], np.ones(shape(x), x.dtype)
    for i in range(n):
        power = power * x if i > 1 else x if i else power
        columns.append(power)
    if not n:
        return np.zeros((shape(x)[0], 0), x.dtype)
    return stack(columns if increasing else columns[::-1], 1)


def polyfit(
    x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None,
    cov: Any = False,
) -> Any:  # fmt: skip
    """The polynomial of degree `deg` that is nearest to the points (x, y), by least squares.

    y : (m,) or (m, k)        w : weights of the differences
    full : add the residuals, the rank, the singular values and rcond, as of `linalg.lstsq`
    cov : add the covariance of the coefficients, with "unscaled" as if the weights were 1/σ

    Differentiable in x, y and w.

    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> np.round(ad.polyfit(x, 2 * x + 1, 1), 9)
    array([2., 1.])
    >>> np.round(ad.grad(lambda y: ad.polyfit(x, y, 0)[0])(x), 9)
    array([0.25, 0.25, 0.25, 0.25])
    """
    x = sequence(x, "polyfit") + 0.0
    y = known(y) + 0.0
    order, points = operator.index(deg) + 1, shape(x)[0]
    if order < 1 or not points or len(shape(y)) not in (1, 2) or shape(y)[0] != points:
        raise ShapeError(
            "`polyfit` needs a degree of at least 0, points x, at least one, and as many rows of "
            f"y; it was given deg={deg} and shapes {shape(x)} and {shape(y)}."
        )
    rcond = points * np.finfo(x.dtype).eps if rcond is None else rcond
    powers, target = vander(x, order), y
    if w is not None:
        w = sequence(w, "polyfit")
        if shape(w)[0] != points:
            raise ShapeError(f"`polyfit` needs {points} weights; it was given {shape(w)[0]}.")
        powers = powers * expand_dims(w, 1)
        target = y * expand_dims(w, 1) if len(shape(y)) == 2 else y * w
    scale = sqrt(sum(powers * powers, 0))
    powers = powers / scale
    c, residuals, rank, s = lstsq(powers, target, rcond)
    c = c / (expand_dims(scale, 1) if len(shape(y)) == 2 else scale)
    if full:
        return c, residuals, rank, s, rcond
    counted = plain(rank)
    if counted is not None and counted != order:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=2)
    if not cov:
        return c
    spread = inv(powers.T @ powers) / outer(scale, scale)
    if cov != "unscaled":
        if points <= order:
            raise ShapeError(
                f"`polyfit` needs more points than the {order} coefficients to scale their "
                f'covariance; it was given {points}. Ask for cov="unscaled".'
            )
        spread = expand_dims(spread, 2) * (residuals / (points - order))
    else:
        spread = expand_dims(spread, 2)
    return c, spread if len(shape(y)) == 2 else spread[..., 0]


__all__ = [
    "poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval",
    "roots", "vander",
]  # fmt: skip
