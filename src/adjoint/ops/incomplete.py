"""Integrals up to a variable limit: incomplete gamma, beta, exponential, elliptic; distributions.

Arguments are real where nothing else is said, and in the order of SciPy's ufuncs. DLMF is the NIST
Digital Library of Mathematical Functions, https://dlmf.nist.gov.

The derivatives of the incomplete gamma and beta functions in their parameters are integrals of the
density times logarithms. Each is taken over the side of the limit where the integrand keeps its
sign, so that nothing cancels, by the double exponential rule (Takahasi and Mori, 1974): to about
1e-13 relative, also for parameters in the millions, and of second order but near its zeros.
"""

from __future__ import annotations

import math
from functools import partial, reduce

import numpy as np

from .bessel import alike, hyp2f1, spherical_in, spherical_jn
from .constant import equal, floor, greater, less, signum
from .constant import round as nearest
from .elementwise import abs, cos, cosh, exp, log, log1p, maximum, sin, sqrt, where
from .rules import elementwise
from .special import (
    ROOT_2,
    ROOT_2_PI,
    counted,
    digamma,
    erf,
    known,
    ndtri,
    polygamma,
    several,
)

STEPS = np.arange(-3.7, 5.3, 0.07)
NODES = np.exp(STEPS - np.exp(-STEPS))
WEIGHTS = 0.07 * NODES * (1 + np.exp(-STEPS))
LADDER = np.linspace(0.0, 1.0, 513)
BLOCK = 2048


def moment(n, m, logs):
    """∂ⁿ⁺ᵐf/∂aⁿ∂bᵐ over f, where logs(i, j) is ∂ⁱ⁺ʲ ln f/∂aⁱ∂bʲ: Leibniz's rule for f·(ln f)'."""
    if not n and not m:
        return 1.0
    if not n:
        return sum_of(
            math.comb(m - 1, j) * moment(0, m - 1 - j, logs) * logs(0, j + 1) for j in range(m)
        )
    return sum_of(
        math.comb(n - 1, i) * math.comb(m, j) * moment(n - 1 - i, m - j, logs) * logs(i + 1, j)
        for i in range(n)
        for j in range(m + 1)
    )


def sum_of(terms):
    """Their sum, by operators alone."""
    first, *rest = terms
    for term in rest:
        first = first + term
    return first


def precision(*args):
    """The floating-point or complex dtype that NumPy makes of these."""
    dtype = np.result_type(*args)
    return dtype if dtype.kind in "fc" else np.dtype(float)


def by_blocks(f, *args):
    """f of the elements as columns in double precision, a block at a time."""
    double = complex if precision(*args).kind == "c" else float
    full = np.broadcast_arrays(*[np.asarray(a, double) for a in args])
    columns = [a.reshape(-1, 1) for a in full]
    out = np.empty(full[0].size, double)
    for i in range(0, out.size, BLOCK):
        out[i : i + BLOCK] = f(*[c[i : i + BLOCK] for c in columns])[:, 0]
    return out.reshape(full[0].shape).astype(precision(*args))[()]


def split(left, lower, upper, *args):
    """`lower` of the elements where `left` holds, and `upper` of the others."""
    out = np.empty_like(args[0])
    for side, f in ((left, lower), (~left, upper)):
        some = side[:, 0]
        if some.any():
            out[some] = f(*[a[some] for a in args])
    return out


def stirling(z):
    """What Stirling's formula leaves out of ln Γ(z), for z ≥ 20 (DLMF 5.11.1)."""
    r = 1 / z
    return r * (1 / 12 - r * r * (1 / 360 - r * r * (1 / 1260 - r * r / 1680)))


def exact_logs(xp, x, y):
    """ln x and ln y for y = 1 - x, each from the smaller of the two."""
    return tuple(
        xp.where(v < 0.5, xp.log1p(-xp.minimum(v, 0.5)), xp.log(u)) for u, v in ((x, y), (y, x))
    )


def beta_powers(xp, a, b, x, y):
    """xᵃyᵇ/B(a, b) for y = 1 - x, without the cancellation of large logarithms."""
    turned = a > b
    a, b, x, y = (xp.where(turned, *pair) for pair in ((b, a), (a, b), (y, x), (x, y)))
    c, d = xp.maximum(a, 20.0), xp.maximum(b, 20.0)
    log_x, log_y = exact_logs(xp, x, y)
    neither = a * log_x + b * log_y - xp.special.betaln(a, b)
    one = (d - 0.5) * xp.log1p(a / d) - a - xp.special.gammaln(a) + stirling(a + d) - stirling(d)
    one = one + a * (log_x + xp.log(a + d)) + d * log_y
    apart = x - c / (c + d)
    up, down = apart * (c + d) / c, -apart * (c + d) / d
    both = c * (xp.log1p(xp.maximum(up, -1 + 1e-16)) - up)
    both = both + d * (xp.log1p(xp.maximum(down, -1 + 1e-16)) - down)
    both = both - stirling(c) - stirling(d) + stirling(c + d)
    both = both + xp.log(c / (c + d) * d / (2 * math.pi)) / 2
    return xp.exp(xp.where(a >= 20, both, xp.where(b >= 20, one, neither)))


def gamma_logs(xp, a, logarithm):
    """The derivatives in a of ln tᵃ⁻¹e⁻ᵗ/Γ(a), at ln t = `logarithm`, on plain arrays."""
    return lambda i, _: logarithm - xp.special.psi(a) if i == 1 else -xp.special.polygamma(i - 1, a)


def gamma_lower(xp, order, a, x):
    """∂ⁿP(a, x)/∂aⁿ for x below e^ψ(a + 1): by P(a, x) = xᵃe⁻ˣ/Γ(a + 1) + P(a + 1, x), t = xe⁻ᵘ."""
    a = a + 1
    height, logarithm = gamma_density.op.forward(xp, a, x), xp.log(x)
    first = moment(order, 0, gamma_logs(xp, a, logarithm))
    scale = 1 / (a - x + xp.sqrt(x))
    u = scale * NODES
    weights = xp.exp(-a * u - x * xp.expm1(-u)) * moment(order, 0, gamma_logs(xp, a, logarithm - u))
    return height * (first + x * scale * (weights @ WEIGHTS)[:, None])


def gamma_upper(xp, order, a, x):
    """The same for larger x, where it is -∂ⁿQ(a, x)/∂aⁿ, with t = x + v."""
    scale = 1 / (1 - (a - 1) / x + xp.sqrt(xp.maximum(a - 1, 0)) / x)
    v = scale * NODES
    growth = xp.log1p(v / x)
    weights = xp.exp((a - 1) * growth - v) * moment(order, 0, gamma_logs(xp, a, xp.log(x) + growth))
    return -gamma_density.op.forward(xp, a, x) * scale * (weights @ WEIGHTS)[:, None]


def gamma_sides(xp, order, a, x):
    """∂ⁿP(a, x)/∂aⁿ of columns: 0 at both ends, NaN outside."""
    inside = (a > 0) & (x > 0) & xp.isfinite(a) & xp.isfinite(x)
    safe, at = xp.where(inside, a, 1.0), xp.where(inside, x, 1.0)
    left = xp.log(at) < xp.special.psi(safe + 1)
    out = split(left, partial(gamma_lower, xp, order), partial(gamma_upper, xp, order), safe, at)
    return xp.where(inside, out, xp.where((a > 0) & (x >= 0) & xp.isfinite(a), 0.0, xp.nan))


@elementwise(
    lambda t, a, x, order: t * gammainc_slope(a, x, order + 1),
    lambda t, a, x, order: (
        t
        * (
            gamma_density(a, x)
            * moment(
                order,
                0,
                lambda i, _: log(x) - digamma(a) if i == 1 else -polygamma(i - 1, a),
            )
        )
    ),
)
def gammainc_slope(xp, a, x, /, order):
    """Derivatives of the incomplete gamma function in its parameter: y = ∂ⁿP(a, x)/∂aⁿ."""
    return by_blocks(partial(gamma_sides, xp, order), a, x)


@elementwise(
    lambda t, a, x, out: t * (out * (log(x) - digamma(a))),
    lambda t, a, x, out: t * (out * ((a - 1) / x - 1)),
)
def gamma_density(xp, a, x, /):
    """Density of the gamma distribution: y = xᵃ⁻¹e⁻ˣ/Γ(a); for a ≥ 20 by Stirling (DLMF 5.11.1)."""
    dtype, a, x = precision(a, x), xp.asarray(a, float), xp.asarray(x, float)
    large, inside = a >= 20, (x > 0) & xp.isfinite(x)
    b, c, at = xp.where(large, a, 20.0), xp.where(large, 1.0, a), xp.where(inside, x, 1.0)
    off = (at - b) / b
    apart = xp.exp(b * (xp.log1p(off) - off) - stirling(b)) * xp.sqrt(b / (2 * math.pi)) / at
    close = xp.exp(xp.special.xlogy(c - 1, at) - at - xp.special.gammaln(c))
    at_zero = xp.where(a < 1, math.inf, xp.where(a > 1, 0.0, 1.0))
    beyond = xp.where(x == 0, at_zero, xp.where(x > 0, 0.0, math.nan))
    return xp.where(inside, xp.where(large, apart, close), beyond).astype(dtype)[()]


@elementwise(
    lambda t, a, x: t * gammainc_slope(a, x, 1),
    lambda t, a, x: t * gamma_density(a, x),
)
def gammainc(xp, a, x, /):
    """Lower incomplete gamma function: y = P(a, x) = 1/Γ(a) ∫₀ˣ tᵃ⁻¹e⁻ᵗ dt.

    ∂y/∂x = xᵃ⁻¹e⁻ˣ/Γ(a), and ∂y/∂a by quadrature, to about 1e-13.  a > 0, x ≥ 0.  Keeps: a, x.
    Undefined: at x = 0 where a < 1, where the slope is infinite.  Source: DLMF 8.2.4, 8.8.5.

    >>> round(float(ad.grad(ad.special.gammainc)(1.0, 1.0)), 9)
    -0.431729711
    """
    return xp.special.gammainc(a, x)


@elementwise(
    lambda t, a, x: -t * gammainc_slope(a, x, 1),
    lambda t, a, x: -t * gamma_density(a, x),
)
def gammaincc(xp, a, x, /):
    """Upper incomplete gamma function: y = Q(a, x) = 1 - P(a, x), exact where it is small.

    ∂y/∂x = -xᵃ⁻¹e⁻ˣ/Γ(a), and ∂y/∂a as of `gammainc`.  a > 0, x ≥ 0.  Keeps: a, x.
    Undefined: at x = 0 where a < 1, where the slope is infinite.  Source: DLMF 8.2.4.

    >>> round(float(ad.grad(ad.special.gammaincc)(1.0, 1.0)), 9)
    0.431729711
    """
    return xp.special.gammaincc(a, x)


@elementwise(
    lambda t, a, out: -t * (gammainc_slope(a, out, 1) / gamma_density(a, out)),
    lambda t, a, out: t / gamma_density(a, out),
)
def gammaincinv(xp, a, y, /):
    """Inverse of `gammainc`, the x with P(a, x) = y:  ∂x/∂y = 1/p and ∂x/∂a = -(∂P/∂a)/p.

    p is the density xᵃ⁻¹e⁻ˣ/Γ(a).  Keeps: a, out.  Undefined: at y = 0 and 1.

    >>> bool(abs(ad.grad(ad.special.gammaincinv, 1)(1.0, 0.5) - 2) < 1e-12)
    True
    """
    return xp.special.gammaincinv(a, y)


@elementwise(
    lambda t, a, out: -t * (gammainc_slope(a, out, 1) / gamma_density(a, out)),
    lambda t, a, out: -t / gamma_density(a, out),
)
def gammainccinv(xp, a, y, /):
    """Inverse of `gammaincc`, the x with Q(a, x) = y:  ∂x/∂y = -1/p and ∂x/∂a = -(∂P/∂a)/p.

    p is the density xᵃ⁻¹e⁻ˣ/Γ(a).  Keeps: a, out.  Undefined: at y = 0 and 1.

    >>> bool(abs(ad.grad(ad.special.gammainccinv, 1)(1.0, 0.5) + 2) < 1e-12)
    True
    """
    return xp.special.gammainccinv(a, y)


def psi_gap(xp, h, z):
    """ψ(z + h) - ψ(z), of large numbers by Stirling's series (DLMF 5.11.2)."""
    large = (z >= 20) & (z + h >= 20)
    step, w = xp.where(large, h, 0.0), xp.where(large, z, 20.0)
    v = w + step
    rest = [(r * r) * (r * r * (1 / 120 - r * r / 252) - 1 / 12) for r in (1 / v, 1 / w)]
    series = xp.log1p(step / w) + step / (2 * v * w) + rest[0] - rest[1]
    return xp.where(large, series, xp.special.psi(z + h) - xp.special.psi(z))


def beta_logs(gap, psi, a, b, log_x, log_y, shift=0):
    """The derivatives in a and b of ln(xᵃyᵇ/B(a, b)), or with a shift of 1 of that over a.

    By gap(h, z) = ψ(z + h) - ψ(z) and psi(k, z) = ψ⁽ᵏ⁾(z).
    """

    def logs(i, j):
        if i + j == 1:
            return log_x + gap(b - shift, a + shift) if i else log_y + gap(a, b)
        both = psi(i + j - 1, a + b)
        if j == 0:
            both = both - psi(i - 1, a + shift)
        return both if i else both - psi(j - 1, b)

    return logs


def beta_lower(xp, n, m, a, b, x, y):
    """∂ⁿ⁺ᵐIₓ(a, b)/∂aⁿ∂bᵐ for x on the left: by Iₓ(a, b) = xᵃyᵇ/(a B(a, b)) + Iₓ(a + 1, b).

    With y = 1 - x, and t = xe⁻ᵘ in the integral.  DLMF 8.17.20.
    """
    log_x, log_y = exact_logs(xp, x, y)
    logs = partial(beta_logs, partial(psi_gap, xp), xp.special.polygamma)
    height = beta_powers(xp, a, b, x, y) / a
    first = moment(n, m, logs(a, b, log_x, log_y, 1))
    more = xp.maximum(b - 1, 0)
    scale = 1 / (xp.maximum(a + 1 - more * x / y, 0) + xp.sqrt(more * x) / y)
    u = scale * NODES
    rise = xp.log1p(-x * xp.expm1(-u) / y)
    weights = xp.exp((b - 1) * rise - (a + 1) * u) * moment(
        n, m, logs(a + 1, b, log_x - u, log_y + rise)
    )
    return height * (first + (a + b) * x / y * scale * (weights @ WEIGHTS)[:, None])


def beta_upper(xp, n, m, a, b, x, y):
    """The same for x on the right, where Iₓ(a, b) = 1 - I_y(b, a)."""
    return -beta_lower(xp, m, n, b, a, y, x)


def beta_sides(xp, n, m, a, b, x):
    """∂ⁿ⁺ᵐIₓ(a, b)/∂aⁿ∂bᵐ of columns: 0 at both ends, NaN outside."""
    valid = (a > 0) & (b > 0) & xp.isfinite(a + b) & (x >= 0) & (x <= 1)
    inside = valid & (x > 0) & (x < 1)
    a, b, x = (xp.where(inside, v, one) for v, one in ((a, 1.0), (b, 1.0), (x, 0.5)))
    y = 1 - x
    log_x, log_y = exact_logs(xp, x, y)
    left = log_x - xp.special.psi(a + 1) < log_y - xp.special.psi(b + 1)
    out = split(left, partial(beta_lower, xp, n, m), partial(beta_upper, xp, n, m), a, b, x, y)
    return xp.where(inside, out, xp.where(valid, 0.0, math.nan))


@elementwise(
    lambda t, a, b, x, n, m: t * betainc_slope(a, b, x, n + 1, m),
    lambda t, a, b, x, n, m: t * betainc_slope(a, b, x, n, m + 1),
    lambda t, a, b, x, n, m: t * (beta_density(a, b, x) * density_moment(a, b, x, n, m)),
)
def betainc_slope(xp, a, b, x, /, n, m):
    """Derivatives of the incomplete beta function in its parameters: y = ∂ⁿ⁺ᵐIₓ(a, b)/∂aⁿ∂bᵐ."""
    return by_blocks(partial(beta_sides, xp, n, m), a, b, x)


def density_moment(a, b, x, n, m):
    """∂ⁿ⁺ᵐ/∂aⁿ∂bᵐ of the density of the beta distribution, over that density."""
    gap = lambda h, z: digamma(z + h) - digamma(z)
    return moment(n, m, beta_logs(gap, polygamma, a, b, log(x), log1p(-x)))


@elementwise(
    lambda t, a, b, x, out: t * (out * density_moment(a, b, x, 1, 0)),
    lambda t, a, b, x, out: t * (out * density_moment(a, b, x, 0, 1)),
    lambda t, a, b, x, out: t * (out * ((a - 1) / x - (b - 1) / (1 - x))),
)
def beta_density(xp, a, b, x, /):
    """Density of the beta distribution: y = xᵃ⁻¹(1 - x)ᵇ⁻¹/B(a, b)."""
    dtype, (a, b, x) = precision(a, b, x), (xp.asarray(v, float) for v in (a, b, x))
    inside = (x > 0) & (x < 1)
    at = xp.where(inside, x, 0.5)
    within = beta_powers(xp, a, b, at, 1 - at) / (at * (1 - at))
    ends = xp.special.xlogy(a - 1, x) + xp.special.xlog1py(b - 1, -x) - xp.special.betaln(a, b)
    return xp.where(inside, within, xp.exp(ends)).astype(dtype)[()]


@elementwise(
    lambda t, a, b, x: t * betainc_slope(a, b, x, 1, 0),
    lambda t, a, b, x: t * betainc_slope(a, b, x, 0, 1),
    lambda t, a, b, x: t * beta_density(a, b, x),
)
def betainc(xp, a, b, x, /):
    """Incomplete beta function: y = Iₓ(a, b) = 1/B(a, b) ∫₀ˣ tᵃ⁻¹(1 - t)ᵇ⁻¹ dt.

    ∂y/∂x = xᵃ⁻¹(1 - x)ᵇ⁻¹/B(a, b), and ∂y/∂a, ∂y/∂b by quadrature, to about 1e-13.
    a, b > 0, 0 ≤ x ≤ 1.  Keeps: a, b, x.  Source: DLMF 8.17.2.

    >>> round(float(ad.grad(ad.special.betainc)(1.0, 1.0, 0.5)), 9)  # ½ ln ½
    -0.34657359
    """
    return xp.special.betainc(a, b, x)


@elementwise(
    lambda t, a, b, x: -t * betainc_slope(a, b, x, 1, 0),
    lambda t, a, b, x: -t * betainc_slope(a, b, x, 0, 1),
    lambda t, a, b, x: -t * beta_density(a, b, x),
)
def betaincc(xp, a, b, x, /):
    """Complement of the incomplete beta function: y = 1 - Iₓ(a, b), exact where it is small.

    Its derivatives are those of `betainc` with the other sign.  Keeps: a, b, x.

    >>> round(float(ad.grad(ad.special.betaincc)(1.0, 1.0, 0.5)), 9)
    0.34657359
    """
    return xp.special.betaincc(a, b, x)


@elementwise(
    lambda t, a, b, out: -t * (betainc_slope(a, b, out, 1, 0) / beta_density(a, b, out)),
    lambda t, a, b, out: -t * (betainc_slope(a, b, out, 0, 1) / beta_density(a, b, out)),
    lambda t, a, b, out: t / beta_density(a, b, out),
)
def betaincinv(xp, a, b, y, /):
    """Inverse of `betainc`, the x with Iₓ(a, b) = y:  ∂x/∂y = 1/p and ∂x/∂a = -(∂I/∂a)/p.

    p is the density, and ∂x/∂b is like ∂x/∂a.  Keeps: a, b, out.  Undefined: at y = 0 and 1.

    >>> round(float(ad.grad(ad.special.betaincinv, 2)(1.0, 1.0, 0.5)), 9)
    1.0
    """
    return xp.special.betaincinv(a, b, y)


@elementwise(
    lambda t, a, b, out: -t * (betainc_slope(a, b, out, 1, 0) / beta_density(a, b, out)),
    lambda t, a, b, out: -t * (betainc_slope(a, b, out, 0, 1) / beta_density(a, b, out)),
    lambda t, a, b, out: -t / beta_density(a, b, out),
)
def betainccinv(xp, a, b, y, /):
    """Inverse of `betaincc`, the x with 1 - Iₓ(a, b) = y:  ∂x/∂y = -1/p and ∂x/∂a = -(∂I/∂a)/p.

    p is the density, and ∂x/∂b is like ∂x/∂a.  Keeps: a, b, out.  Undefined: at y = 0 and 1.

    >>> round(float(ad.grad(ad.special.betainccinv, 2)(1.0, 1.0, 0.5)), 9)
    -1.0
    """
    return xp.special.betainccinv(a, b, y)


@elementwise(
    lambda t, b, x, out: t / betainc_slope(out, b, x, 1, 0),
    lambda t, b, x, out: -t * (betainc_slope(out, b, x, 0, 1) / betainc_slope(out, b, x, 1, 0)),
    lambda t, b, x, out: -t * (beta_density(out, b, x) / betainc_slope(out, b, x, 1, 0)),
)
def btdtria(xp, p, b, x, /):
    """The a at which Iₓ(a, b) = p:  ∂a/∂p = 1/(∂I/∂a),  ∂a/∂x = -density/(∂I/∂a), and so in b.

    Keeps: b, x, out.

    >>> bool(ad.grad(ad.special.btdtria)(0.5, 1.0, 0.5) < 0)
    True
    """
    return xp.special.btdtria(p, b, x)


@elementwise(
    lambda t, a, x, out: -t * (betainc_slope(a, out, x, 1, 0) / betainc_slope(a, out, x, 0, 1)),
    lambda t, a, x, out: t / betainc_slope(a, out, x, 0, 1),
    lambda t, a, x, out: -t * (beta_density(a, out, x) / betainc_slope(a, out, x, 0, 1)),
)
def btdtrib(xp, a, p, x, /):
    """The b at which Iₓ(a, b) = p:  ∂b/∂p = 1/(∂I/∂b),  ∂b/∂x = -density/(∂I/∂b), and so in a.

    Keeps: a, x, out.

    >>> bool(ad.grad(ad.special.btdtrib, 1)(1.0, 0.5, 0.5) > 0)
    True
    """
    return xp.special.btdtrib(a, p, x)


def gdtr(a, b, x):
    """Gamma distribution of rate a and shape b: P(b, ax).

    >>> ad.grad(ad.special.gdtr, 2)(1.0, 1.0, 0.0)
    np.float64(1.0)
    """
    return gammainc(b, known(a) * x)


def gdtrc(a, b, x):
    """Upper tail of the gamma distribution of rate a and shape b: Q(b, ax).

    >>> ad.grad(ad.special.gdtrc, 2)(1.0, 1.0, 0.0)
    np.float64(-1.0)
    """
    return gammaincc(b, known(a) * x)


def gdtrix(a, b, p):
    """Quantile of the gamma distribution of rate a and shape b.

    >>> bool(abs(ad.grad(ad.special.gdtrix, 2)(1.0, 1.0, 0.5) - 2) < 1e-12)
    True
    """
    return gammaincinv(b, p) / a


def gdtria(p, b, x):
    """The rate at which the gamma distribution of shape b reaches p at x.

    >>> bool(abs(ad.grad(ad.special.gdtria)(0.5, 1.0, 1.0) - 2) < 1e-12)
    True
    """
    return gammaincinv(b, p) / x


def chdtr(v, x):
    """Chi-square distribution of v degrees of freedom: P(v/2, x/2).

    >>> ad.grad(ad.special.chdtr, 1)(2.0, 0.0)
    np.float64(0.5)
    """
    return gammainc(known(v) / 2, known(x) / 2)


def chdtrc(v, x):
    """Upper tail of the chi-square distribution of v degrees of freedom: Q(v/2, x/2).

    >>> ad.grad(ad.special.chdtrc, 1)(2.0, 0.0)
    np.float64(-0.5)
    """
    return gammaincc(known(v) / 2, known(x) / 2)


@elementwise(
    lambda t, a, x, out: -t * (gamma_density(out, a * x) * x / gammainc_slope(out, a * x, 1)),
    lambda t, a, x, out: t / gammainc_slope(out, a * x, 1),
    lambda t, a, x, out: -t * (gamma_density(out, a * x) * a / gammainc_slope(out, a * x, 1)),
)
def gdtrib(xp, a, p, x, /):
    """The shape b at which the gamma distribution of rate a reaches p at x: P(b, ax) = p.

    ∂b/∂p = 1/(∂P/∂b),  ∂b/∂x = -a·density/(∂P/∂b), and so in a.  Keeps: a, x, out.

    >>> bool(ad.grad(ad.special.gdtrib, 1)(1.0, 0.5, 1.0) < 0)
    True
    """
    return xp.special.gdtrib(a, p, x)


def chdtriv(p, x):
    """The degrees of freedom at which the chi-square distribution reaches p at x.

    >>> bool(ad.grad(ad.special.chdtriv)(0.5, 1.0) < 0)
    True
    """
    return 2 * gdtrib(0.5, p, x)


def chdtri(v, p):
    """The x at which the upper tail of the chi-square distribution is p.

    >>> bool(abs(ad.grad(ad.special.chdtri, 1)(2.0, 0.5) + 4) < 1e-12)
    True
    """
    return 2 * gammainccinv(known(v) / 2, p)


def fdtr(dfn, dfd, x):
    """F distribution: Iᵤ(dfn/2, dfd/2) with u = dfn·x/(dfn·x + dfd).

    >>> round(float(ad.grad(ad.special.fdtr, 2)(2.0, 2.0, 0.0)), 9)
    1.0
    """
    dfn, dfd = known(dfn), known(dfd)
    return betainc(dfn / 2, dfd / 2, dfn * x / (dfd + dfn * x))


def fdtrc(dfn, dfd, x):
    """Upper tail of the F distribution: Iᵤ(dfd/2, dfn/2) with u = dfd/(dfn·x + dfd).

    >>> round(float(ad.grad(ad.special.fdtrc, 2)(2.0, 2.0, 1.0)), 9)
    -0.25
    """
    dfn, dfd = known(dfn), known(dfd)
    return betainc(dfd / 2, dfn / 2, dfd / (dfd + dfn * x))


def fdtri(dfn, dfd, p):
    """Quantile of the F distribution: dfd·u/(dfn·v), both u and v = 1 - u by inversion.

    >>> round(float(ad.grad(ad.special.fdtri, 2)(2.0, 2.0, 0.5)), 9)
    4.0
    """
    dfn, dfd = known(dfn), known(dfd)
    u, v = betaincinv(dfn / 2, dfd / 2, p), betainccinv(dfd / 2, dfn / 2, p)
    return dfd * u / (dfn * v)


@elementwise(
    lambda t, df, x, out: t * (out * student_moment(df, x)),
    lambda t, df, x, out: -t * (out * ((df + 1) * x / (df + x * x))),
)
def student_density(xp, df, x, /):
    """Density of Student's distribution: y = (1 + x²/ν)^(-½(ν + 1))/(√ν B(ν/2, ½))."""
    dtype, v, x = precision(df, x), xp.asarray(df, float), xp.asarray(x, float)
    h = xp.maximum(v / 2, 20.0)
    large = (
        xp.log1p(0.5 / h) * h - 0.5 + stirling(h + 0.5) - stirling(h) - math.log(2 * math.pi) / 2
    )
    close = -xp.special.betaln(v / 2, 0.5) - xp.log(v) / 2
    height = xp.where(v >= 40, large, close)
    return xp.exp(height - (v + 1) / 2 * xp.log1p(x * x / v)).astype(dtype)[()]


def student_moment(df, t):
    """∂/∂ν of the logarithm of that density."""
    logs = digamma(df / 2 + 0.5) - digamma(df / 2) - log1p(t * t / df)
    return (logs + (t * t - 1) / (df + t * t)) / 2


def student_slope(df, t):
    """∂/∂ν of Student's distribution: at fixed t²/(ν + t²) by `betainc_slope`, then t moves too.

    At t = 0, where the parts have no derivative, it is t times that of the density, but for t³.
    """
    here, density = equal(t, 0), student_density(df, t)
    x = where(here, 1.0, t)
    square = x * x
    near = betainc_slope(0.5, df / 2, square / (df + square), 0, 1)
    far = betainc_slope(df / 2, 0.5, df / (df + square), 1, 0)
    fixed = signum(x) * where(less(square, df), near, -far) / 4
    return where(here, t * density * student_moment(df, t), fixed - density * t / (2 * df))


@elementwise(
    lambda t, df, x: t * student_slope(df, x),
    lambda t, df, x: t * student_density(df, x),
)
def stdtr(xp, df, x, /):
    """Student's distribution of ν = df degrees of freedom: y = ½ + ½ sign x·Iᵤ(½, ν/2).

    u = x²/(ν + x²);  ∂y/∂x is the density, ∂y/∂ν by that of `betainc`, to about ν·1e-15.
    Keeps: df, x.

    >>> round(float(ad.grad(ad.special.stdtr, 1)(1.0, 0.0)) * np.pi, 9)
    1.0
    """
    return xp.special.stdtr(df, x)


@elementwise(
    lambda t, df, out: -t * (student_slope(df, out) / student_density(df, out)),
    lambda t, df, out: t / student_density(df, out),
)
def stdtrit(xp, df, p, /):
    """Quantile of Student's distribution: ∂x/∂p = 1/density, ∂x/∂ν = -(∂F/∂ν)/density.

    Keeps: df, out.  Undefined: at p = 0 and 1.

    >>> round(float(ad.grad(ad.special.stdtrit, 1)(1.0, 0.5)) / np.pi, 9)
    1.0
    """
    return xp.special.stdtrit(df, p)


@elementwise(
    lambda t, x, out: t / student_slope(out, x),
    lambda t, x, out: -t * (student_density(out, x) / student_slope(out, x)),
)
def stdtridf(xp, p, x, /):
    """The degrees of freedom ν at which Student's distribution reaches p at x.

    ∂ν/∂p = 1/(∂F/∂ν),  ∂ν/∂x = -density/(∂F/∂ν).  Keeps: x, out.  Undefined: at x = 0.

    >>> bool(ad.grad(ad.special.stdtridf)(0.8, 1.0) > 0)
    True
    """
    return xp.special.stdtridf(p, x)


def whole(k):
    """SciPy's distributions of counts round k down."""
    return (
        floor(k) if getattr(getattr(k, "dtype", k), "kind", "i") == "f" or type(k) is float else k
    )


@elementwise(
    counted("bdtr", "k"),
    counted("bdtr", "n"),
    lambda t, k, n, p: -t * beta_density(whole(k) + 1, n - whole(k), p),
)
def bdtr(xp, k, n, p, /):
    """Binomial distribution: y = Iᵤ(n - ⌊k⌋, ⌊k⌋ + 1) with u = 1 - p,  ∂y/∂p by that of `betainc`.

    Derivatives in k and n are refused.  Keeps: k, n, p.

    >>> ad.grad(lambda p: ad.special.bdtr(0, 1, p))(0.5)
    np.float64(-1.0)
    """
    return alike(xp, xp.special.bdtr(k, xp.asarray(n), p), p)


@elementwise(
    counted("bdtrc", "k"),
    counted("bdtrc", "n"),
    lambda t, k, n, p: t * beta_density(whole(k) + 1, n - whole(k), p),
)
def bdtrc(xp, k, n, p, /):
    """Upper tail of the binomial distribution: y = Iₚ(⌊k⌋ + 1, n - ⌊k⌋).

    Derivatives in k and n are refused.  Keeps: k, n, p.

    >>> ad.grad(lambda p: ad.special.bdtrc(0, 1, p))(0.5)
    np.float64(1.0)
    """
    return alike(xp, xp.special.bdtrc(k, xp.asarray(n), p), p)


@elementwise(
    counted("bdtri", "k"),
    counted("bdtri", "n"),
    lambda t, k, n, out: -t / beta_density(whole(k) + 1, n - whole(k), out),
)
def bdtri(xp, k, n, y, /):
    """The p at which the binomial distribution `bdtr` is y: ∂p/∂y = 1/(∂y/∂p).

    Derivatives in k and n are refused.  Keeps: k, n, out.

    >>> round(float(ad.grad(lambda y: ad.special.bdtri(0, 1, y))(0.5)), 9)
    -1.0
    """
    return alike(xp, xp.special.bdtri(k, xp.asarray(n), y), y)


@elementwise(
    counted("nbdtr", "k"),
    counted("nbdtr", "n"),
    lambda t, k, n, p: t * beta_density(n, whole(k) + 1, p),
)
def nbdtr(xp, k, n, p, /):
    """Negative binomial distribution: y = Iₚ(n, ⌊k⌋ + 1),  ∂y/∂p by that of `betainc`.

    Derivatives in k and n are refused.  Keeps: k, n, p.

    >>> ad.grad(lambda p: ad.special.nbdtr(0, 1, p))(0.5)
    np.float64(1.0)
    """
    return xp.special.nbdtr(k, n, p)


@elementwise(
    counted("nbdtrc", "k"),
    counted("nbdtrc", "n"),
    lambda t, k, n, p: -t * beta_density(n, whole(k) + 1, p),
)
def nbdtrc(xp, k, n, p, /):
    """Upper tail of the negative binomial distribution: y = 1 - Iₚ(n, ⌊k⌋ + 1).

    Derivatives in k and n are refused.  Keeps: k, n, p.

    >>> ad.grad(lambda p: ad.special.nbdtrc(0, 1, p))(0.5)
    np.float64(-1.0)
    """
    return xp.special.nbdtrc(k, n, p)


@elementwise(
    counted("nbdtri", "k"),
    counted("nbdtri", "n"),
    lambda t, k, n, out: t / beta_density(n, whole(k) + 1, out),
)
def nbdtri(xp, k, n, y, /):
    """The p at which the negative binomial distribution `nbdtr` is y: ∂p/∂y = 1/(∂y/∂p).

    Derivatives in k and n are refused.  Keeps: k, n, out.

    >>> round(float(ad.grad(lambda y: ad.special.nbdtri(0, 1, y))(0.5)), 9)
    1.0
    """
    return xp.special.nbdtri(k, n, y)


@elementwise(counted("pdtr", "k"), lambda t, k, m: -t * gamma_density(whole(k) + 1, m))
def pdtr(xp, k, m, /):
    """Poisson distribution of mean m: y = Q(⌊k⌋ + 1, m),  ∂y/∂m = -mᵏe⁻ᵐ/k!.

    A derivative in k is refused.  Keeps: k, m.

    >>> ad.grad(lambda m: ad.special.pdtr(0, m))(0.0)
    np.float64(-1.0)
    """
    return xp.special.pdtr(k, m)


@elementwise(counted("pdtrc", "k"), lambda t, k, m: t * gamma_density(whole(k) + 1, m))
def pdtrc(xp, k, m, /):
    """Upper tail of the Poisson distribution of mean m: y = P(⌊k⌋ + 1, m).

    A derivative in k is refused.  Keeps: k, m.

    >>> ad.grad(lambda m: ad.special.pdtrc(0, m))(0.0)
    np.float64(1.0)
    """
    return xp.special.pdtrc(k, m)


@elementwise(counted("pdtri", "k"), lambda t, k, out: -t / gamma_density(whole(k) + 1, out))
def pdtri(xp, k, y, /):
    """The mean at which the Poisson distribution `pdtr` is y: ∂m/∂y = 1/(∂y/∂m).

    A derivative in k is refused.  Keeps: k, out.

    >>> round(float(ad.grad(lambda y: ad.special.pdtri(0, y))(0.5)), 9)
    -2.0
    """
    return xp.special.pdtri(k, y)


def nrdtrimn(p, std, x):
    """The mean at which the normal distribution reaches p at x: x - σ Φ⁻¹(p).

    >>> ad.grad(ad.special.nrdtrimn, 2)(0.5, 1.0, 3.0)
    np.float64(1.0)
    """
    return x - known(std) * ndtri(p)


def nrdtrisd(mn, p, x):
    """The standard deviation at which the normal distribution reaches p at x: (x - μ)/Φ⁻¹(p).

    >>> round(float(ad.grad(ad.special.nrdtrisd)(0.0, 0.9, 1.0)), 9)
    -0.780304146
    """
    return (x - known(mn)) / ndtri(p)


@elementwise(
    lambda t, h, a: t * (exp(h * h * -0.5) * erf(a * h / ROOT_2) / (-2 * ROOT_2_PI)),
    lambda t, h, a: t * (exp(h * h * (1 + a * a) * -0.5) / ((1 + a * a) * (2 * math.pi))),
)
def owens_t(xp, h, a, /):
    """Owen's function: y = 1/2π ∫₀ᵃ e^(-½h²(1 + t²))/(1 + t²) dt.

    ∂y/∂h = -e^(-½h²) erf(ah/√2)/√(8π),  ∂y/∂a is the integrand.  Keeps: h, a.
    Source: D. B. Owen, Ann. Math. Statist. 27 (1956).

    >>> round(float(ad.grad(ad.special.owens_t, 1)(0.0, 0.0)) * 2 * np.pi, 9)
    1.0
    """
    return xp.special.owens_t(h, a)


def kolmogorov_slope(y):
    """The derivative of `kolmogorov`, by whichever of its two series converges at once."""
    left, ends = less(y, 1.0), greater(y, 0.03)
    z, w = where(left, 1.0, y), where(left, where(ends, y, 0.03), 1.0)
    far = sum_of((-1) ** k * 8 * k * k * z * exp(z * z * (-2 * k * k)) for k in range(1, 6))
    near = sum_of(
        exp(-c / (w * w)) * (1 / (w * w) - 2 * c / (w * w) ** 2)
        for c in ((2 * k - 1) ** 2 * math.pi**2 / 8 for k in range(1, 6))
    )
    return where(left, where(ends, near * ROOT_2_PI, 0.0), far)


@elementwise(lambda t, y: t * kolmogorov_slope(y))
def kolmogorov(xp, y, /):
    """Upper tail of Kolmogorov's distribution: z = 2 Σ (-1)ᵏ⁻¹ e^(-2k²y²) over k ≥ 1.

    Keeps: y.  Source: term by term; for y < 1 of the theta series, DLMF 20.7.32.

    >>> round(float(ad.grad(ad.special.kolmogorov)(2.0)), 12)
    -0.005367402046
    """
    return xp.special.kolmogorov(y)


@elementwise(lambda t, out: t / kolmogorov_slope(out))
def kolmogi(xp, p, /):
    """Inverse of `kolmogorov`: ∂y/∂p = 1/(∂p/∂y).

    Keeps: out.  Undefined: at 0 and 1, where the slope is infinite.

    >>> bool(ad.grad(ad.special.kolmogi)(0.5) < 0)
    True
    """
    return xp.special.kolmogi(p)


@elementwise(counted("smirnov", "n"), lambda t, n, d, order: t * smirnov_slope(n, d, order + 1))
def smirnov_slope(xp, n, d, /, order):
    """Derivatives of `smirnov` in d, of the polynomial that holds there."""

    def one(n, d):
        if not (n >= 1 and 0 <= d <= 1):
            return math.nan
        n, total = int(n), 0.0
        for j in range(int(n * (1 - d)) + 1):
            u, v, log_binom = d + j / n, 1 - d - j / n, -math.log(n + 1)
            log_binom -= xp.special.betaln(n - j + 1, j + 1)
            if j == 0:
                total += power_slope(v, n, order, -1.0)
                continue
            for k in (order, order - 1):
                factor = d if k == order else order
                total += factor * sum(
                    math.comb(k, i)
                    * power_slope(u, j - 1, i, 1.0, log_binom)
                    * power_slope(v, n - j, k - i, -1.0)
                    for i in range(k + 1)
                )
        return total

    full = np.broadcast_arrays(n, d)
    values = [one(a, b) for a, b in zip(*(x.ravel().tolist() for x in full), strict=True)]
    return np.array(values, float).reshape(full[0].shape).astype(precision(d))[()]


def power_slope(u, p, k, sign, extra=0.0):
    """The kth derivative of uᵖ·e^extra, where u moves at the rate `sign`."""
    if k > p:
        return 0.0
    size = p * 0 + extra + math.lgamma(p + 1) - math.lgamma(p - k + 1)
    if p > k:
        size += (p - k) * math.log(u) if u > 0 else -math.inf
    return sign**k * math.exp(size)


@elementwise(counted("smirnov", "n"), lambda t, n, d: t * smirnov_slope(n, d, 1))
def smirnov(xp, n, d, /):
    """Upper tail of Smirnov's one-sided distribution for n samples, a piece of polynomial in d.

    A derivative in n is refused; ∂y/∂d is that of the sum of Birnbaum and Tingey, Ann. Math.
    Statist. 22 (1951), in time proportional to n.  Keeps: n, d.  Undefined: at the ends of the
    pieces, d = 1 - k/n, where it is that of the piece to the right.

    >>> ad.grad(lambda d: ad.special.smirnov(1, d))(0.5)
    np.float64(-1.0)
    """
    return xp.special.smirnov(n, d)


@elementwise(counted("smirnovi", "n"), lambda t, n, out: t / smirnov_slope(n, out, 1))
def smirnovi(xp, n, p, /):
    """Inverse of `smirnov`, the d where the tail is p: ∂d/∂p = 1/(∂p/∂d).

    A derivative in n is refused.  Keeps: n, out.

    >>> ad.grad(lambda p: ad.special.smirnovi(1, p))(0.5)
    np.float64(-1.0)
    """
    return xp.special.smirnovi(n, p)


@elementwise(lambda t, x: t * (exp(x) / x))
def expi(xp, x, /):
    """Exponential integral: y = Ei(x),  ∂y/∂x = eˣ/x.

    x : real or complex.  Keeps: x.  Undefined: at 0 (a pole).  Source: DLMF 6.2.5.

    >>> round(float(ad.grad(ad.special.expi)(1.0)), 9)
    2.718281828
    """
    return xp.special.expi(x)


@elementwise(lambda t, x: -t * (exp(-x) / x))
def exp1(xp, x, /):
    """Exponential integral: y = E₁(x),  ∂y/∂x = -e⁻ˣ/x.

    x : real or complex.  Keeps: x.  Undefined: at 0 (a pole).  Source: DLMF 6.2.1.

    >>> round(float(ad.grad(ad.special.exp1)(1.0)), 9)
    -0.367879441
    """
    return xp.special.exp1(x)


@elementwise(counted("expn", "n"), lambda t, n, x, out: -t * expn_below(n, x, out))
def expn(xp, n, x, /):
    """Generalised exponential integral: y = Eₙ(x),  ∂y/∂x = -Eₙ₋₁(x).

    n : whole number, at least 0; a derivative in it is refused.  x : real.  Keeps: n, x, out.
    Undefined: at x = 0 for n < 3 (poles).  Source: DLMF 8.19.13.

    >>> ad.grad(lambda x: ad.special.expn(3, x))(0.0)
    np.float64(-1.0)
    """
    return xp.special.expn(n, x)


def expn_below(n, x, out):
    """Eₙ₋₁(x), and (1 + 1/x)e⁻ˣ/x for n = 0."""
    last = equal(n, 0)
    return where(last, out * (1 + 1 / where(last, x, 1.0)), expn(maximum(n - 1, 0), x))


@several(lambda x, out: (spherical_jn(0, x), cos(x) / x))
def sici(xp, x, /):
    """Sine and cosine integrals: ∂Si/∂x = sin x/x,  ∂Ci/∂x = cos x/x.

    x : real or complex.  Keeps: x, out.  Undefined: Ci at 0 (a pole).  Source: DLMF 6.2.9, 6.2.11.

    >>> round(float(ad.grad(lambda x: ad.special.sici(x)[0])(1.0)), 9)
    0.841470985
    """
    return xp.special.sici(x)


@several(lambda x, out: (spherical_in(0, x), cosh(x) / x))
def shichi(xp, x, /):
    """Hyperbolic sine and cosine integrals: ∂Shi/∂x = sinh x/x,  ∂Chi/∂x = cosh x/x.

    x : real or complex.  Keeps: x, out.  Undefined: Chi at 0 (a pole).  Source: DLMF 6.2.15.

    >>> round(float(ad.grad(lambda x: ad.special.shichi(x)[0])(1.0)), 9)
    1.175201194
    """
    return xp.special.shichi(x)


@elementwise(lambda t, z: -t * spence_slope(z))
def spence(xp, z, /):
    """Dilogarithm: y = Li₂(1 - z) = ∫ ln t/(1 - t) dt from 1 to z,  ∂y/∂z = ln z/(1 - z).

    z : real or complex.  Keeps: z.  Undefined: at 0, where the slope is infinite; for real
    z < 0 (NaN).  Source: DLMF 25.12.2; near 1 by ₂F₁(1, 1; 2; 1 - z), 15.4.1.

    >>> ad.grad(ad.special.spence)(1.0)
    np.float64(-1.0)
    """
    return xp.special.spence(z)


def spence_slope(z):
    """ln z/(z - 1), smooth at 1 too."""
    near = less(abs(z - 1), 0.5)
    w, far = where(near, 1 - z, 0.0), where(near, 2.0, z)
    return where(near, hyp2f1(1.0, 1.0, 2.0, w), log(far) / (far - 1))


def carlson_columns(xp, powers, start, *arguments):
    """∫₀^∞ tˢ Π (t + zᵢ)^-pᵢ dt with s = start: the trapezoidal rule in ln t."""
    used = [(z, p) for z, p in zip(arguments, powers, strict=True) if p]
    outside = reduce(xp.logical_or, [(z.real < 0) & (z.imag == 0) for z, _ in used])
    used = [(xp.where(outside, 1.0, z), p) for z, p in used]
    logs = [xp.log(xp.abs(xp.where(z == 0, 1.0, z))) for z, _ in used]
    low, high = reduce(xp.minimum, logs) - 80, reduce(xp.maximum, logs) + 80
    s = low + (high - low) * LADDER
    t = xp.exp(s)
    terms = xp.exp((start + 1) * s - sum_of(p * xp.log(t + z) for z, p in used))
    value = xp.sum(terms, -1, keepdims=True) * (high - low) * LADDER[1]
    room = start + 1 - sum_of(xp.where(z == 0, p, 0.0) for z, p in used)
    return xp.where(outside, math.nan, xp.where(room > 0, value, math.inf))


def raised(powers, i):
    """One more at position i."""
    return (*powers[:i], powers[i] + 1, *powers[i + 1 :])


def carlson_rule(i):
    """∂/∂zᵢ: -pᵢ times the integral with one more at pᵢ."""
    return lambda t, x, y, z, p, powers, start: (
        t * (-powers[i] * carlson(x, y, z, p, raised(powers, i), start))
    )


@elementwise(carlson_rule(0), carlson_rule(1), carlson_rule(2), carlson_rule(3))
def carlson(xp, x, y, z, p, /, powers, start=0):
    """Integral of Carlson's kind: ∫₀^∞ tˢ (t + x)^-a (t + y)^-b (t + z)^-c (t + p)^-d dt.

    The derivatives of all of Carlson's functions are such integrals (DLMF 19.16 and 19.18.4).
    """
    return by_blocks(partial(carlson_columns, xp, powers, start), x, y, z, p)


@elementwise(
    lambda t, x, y: t * (carlson(x, y, 1.0, 1.0, (1.5, 1, 0, 0)) * -0.25),
    lambda t, x, y: t * (carlson(x, y, 1.0, 1.0, (0.5, 2, 0, 0)) * -0.5),
)
def elliprc(xp, x, y, /):
    """Carlson's degenerate integral: z = R_C(x, y) = R_F(x, y, y).

    x, y : real or complex.  Keeps: x, y.  Undefined: in x at 0, where the slope is infinite; for
    y < 0 (NaN).  Source: DLMF 19.16.6.

    >>> round(float(ad.grad(ad.special.elliprc)(1.0, 1.0)), 9)
    -0.166666667
    """
    return xp.special.elliprc(x, y)


@elementwise(
    lambda t, x, y, z: t * (elliprd(y, z, x) * (-1 / 6)),
    lambda t, x, y, z: t * (elliprd(z, x, y) * (-1 / 6)),
    lambda t, x, y, z: t * (elliprd(x, y, z) * (-1 / 6)),
)
def elliprf(xp, x, y, z, /):
    """Carlson's integral of the first kind: w = R_F(x, y, z),  ∂w/∂z = -R_D(x, y, z)/6.

    x, y, z : real or complex.  Keeps: x, y, z.  Undefined: in an argument at 0, where the slope is
    infinite.  Source: DLMF 19.16.1 and 19.18.4.

    >>> round(float(ad.grad(ad.special.elliprf)(1.0, 1.0, 1.0)), 9)
    -0.166666667
    """
    return xp.special.elliprf(x, y, z)


@elementwise(
    lambda t, x, y, z: t * (carlson(x, y, z, 1.0, (1.5, 0.5, 1.5, 0)) * -0.75),
    lambda t, x, y, z: t * (carlson(x, y, z, 1.0, (0.5, 1.5, 1.5, 0)) * -0.75),
    lambda t, x, y, z: t * (carlson(x, y, z, 1.0, (0.5, 0.5, 2.5, 0)) * -2.25),
)
def elliprd(xp, x, y, z, /):
    """Carlson's integral of the second kind: w = R_D(x, y, z), by `carlson` differentiated.

    x, y, z : real or complex.  Keeps: x, y, z.  Undefined: in an argument at 0, where the slope is
    infinite.  Source: DLMF 19.16.5.

    >>> round(float(ad.grad(ad.special.elliprd)(1.0, 1.0, 1.0)), 9)
    -0.3
    """
    return xp.special.elliprd(x, y, z)


@elementwise(
    lambda t, x, y, z: t * (carlson(x, y, z, 1.0, (1.5, 0.5, 0.5, 0), 1) * 0.125),
    lambda t, x, y, z: t * (carlson(x, y, z, 1.0, (0.5, 1.5, 0.5, 0), 1) * 0.125),
    lambda t, x, y, z: t * (carlson(x, y, z, 1.0, (0.5, 0.5, 1.5, 0), 1) * 0.125),
)
def elliprg(xp, x, y, z, /):
    """Carlson's symmetric integral of the second kind: w = R_G(x, y, z).

    x, y, z : real or complex.  Keeps: x, y, z.  Source: DLMF 19.16.2_5 and 19.18.4.

    >>> round(float(ad.grad(ad.special.elliprg)(1.0, 1.0, 1.0)), 9)
    0.166666667
    """
    return xp.special.elliprg(x, y, z)


@elementwise(
    lambda t, x, y, z, p: t * (carlson(x, y, z, p, (1.5, 0.5, 0.5, 1)) * -0.75),
    lambda t, x, y, z, p: t * (carlson(x, y, z, p, (0.5, 1.5, 0.5, 1)) * -0.75),
    lambda t, x, y, z, p: t * (carlson(x, y, z, p, (0.5, 0.5, 1.5, 1)) * -0.75),
    lambda t, x, y, z, p: t * (carlson(x, y, z, p, (0.5, 0.5, 0.5, 2)) * -1.5),
)
def elliprj(xp, x, y, z, p, /):
    """Carlson's integral of the third kind: w = R_J(x, y, z, p).

    x, y, z, p : real or complex.  Keeps: x, y, z, p.  Undefined: in x, y or z at 0, where the slope
    is infinite; for p < 0 (NaN).  Source: DLMF 19.16.2.

    >>> round(float(ad.grad(ad.special.elliprj, 3)(1.0, 1.0, 1.0, 1.0)), 9)
    -0.6
    """
    return xp.special.elliprj(x, y, z, p)


@elementwise(lambda t, m: t * (elliprd(0.0, 1.0, 1 - m) * (1 / 6)))
def ellipk(xp, m, /):
    """Complete elliptic integral of the first kind: y = K(m),  ∂y/∂m = R_D(0, 1, 1 - m)/6.

    m ≤ 1.  Keeps: m.  Undefined: at 1 (a pole).  Source: DLMF 19.25.1 and 19.18.4.

    >>> round(float(ad.grad(ad.special.ellipk)(0.0)) * 8 / np.pi, 9)
    1.0
    """
    return xp.special.ellipk(m)


@elementwise(lambda t, p: t * (elliprd(0.0, 1.0, p) * (-1 / 6)))
def ellipkm1(xp, p, /):
    """Complete elliptic integral of the first kind near 1: y = K(1 - p),  ∂y/∂p = -R_D(0, 1, p)/6.

    p ≥ 0.  Keeps: p.  Undefined: at 0 (a pole).  Source: as `ellipk`.

    >>> round(float(ad.grad(ad.special.ellipkm1)(1.0)) * 8 / np.pi, 9)
    -1.0
    """
    return xp.special.ellipkm1(p)


@elementwise(lambda t, m: t * (elliprd(0.0, 1 - m, 1.0) * (-1 / 6)))
def ellipe(xp, m, /):
    """Complete elliptic integral of the second kind: y = E(m),  ∂y/∂m = -R_D(0, 1 - m, 1)/6.

    m ≤ 1.  Keeps: m.  Undefined: at 1, where the slope is infinite.  Source: DLMF 19.4.2, 19.25.1.

    >>> round(float(ad.grad(ad.special.ellipe)(0.0)) * 8 / np.pi, 9)
    -1.0
    """
    return xp.special.ellipe(m)


def turns(phi):
    """How many half turns φ is away from (-π/2, π/2), its sine, and the square of its cosine."""
    return nearest(phi / math.pi), sin(phi), cos(phi) ** 2


def kinc_slope(phi, m):
    """∂F(φ, m)/∂m: s³R_D(c², 1, 1 - ms²)/6, and of K(m) twice as many as φ has half turns."""
    n, s, square = turns(phi)
    s = where(equal(n - 2 * floor(n / 2), 0), s, -s)
    part = s**3 * elliprd(square, 1.0, 1 - m * s * s)
    full = elliprd(0.0, 1.0, 1 - where(equal(n, 0), 0.0, m))
    return (part + where(equal(n, 0), 0.0, 2 * n * full)) / 6


def einc_slope(phi, m):
    """∂E(φ, m)/∂m: -s³R_D(c², 1 - ms², 1)/6, and of E(m) twice as many as φ has half turns."""
    n, s, square = turns(phi)
    s = where(equal(n - 2 * floor(n / 2), 0), s, -s)
    part = s**3 * elliprd(square, 1 - m * s * s, 1.0)
    full = elliprd(0.0, 1 - where(equal(n, 0), 0.0, m), 1.0)
    return (part + where(equal(n, 0), 0.0, 2 * n * full)) / -6


@elementwise(
    lambda t, phi, m: t / sqrt(1 - m * sin(phi) ** 2), lambda t, phi, m: t * kinc_slope(phi, m)
)
def ellipkinc(xp, phi, m, /):
    """Incomplete elliptic integral of the first kind: y = F(φ, m),  ∂y/∂φ = 1/√(1 - m sin²φ).

    ∂y/∂m = ½∫ sin²θ (1 - m sin²θ)^-3/2 dθ, by R_D.  Keeps: phi, m.  Undefined: where m sin²φ ≥ 1.
    Source: DLMF 19.2.4, 19.25.5 and 19.18.4.

    >>> ad.grad(ad.special.ellipkinc, (0, 1))(0.0, 0.5)
    (np.float64(1.0), np.float64(0.0))
    """
    return xp.special.ellipkinc(phi, m)


@elementwise(
    lambda t, phi, m: t * sqrt(1 - m * sin(phi) ** 2), lambda t, phi, m: t * einc_slope(phi, m)
)
def ellipeinc(xp, phi, m, /):
    """Incomplete elliptic integral of the second kind: y = E(φ, m),  ∂y/∂φ = √(1 - m sin²φ).

    ∂y/∂m = -½∫ sin²θ (1 - m sin²θ)^-1/2 dθ, by R_D.  Keeps: phi, m.  Undefined: where m sin²φ ≥ 1.
    Source: DLMF 19.2.5, 19.25.9 and 19.18.4.

    >>> float(ad.grad(ad.special.ellipeinc)(0.0, 0.5))
    1.0
    """
    return xp.special.ellipeinc(phi, m)


@elementwise(
    lambda t, u, m, out: t * sqrt(cos(out) ** 2 + (1 - m) * sin(out) ** 2),
    lambda t, m, out: -t * (sqrt(cos(out) ** 2 + (1 - m) * sin(out) ** 2) * kinc_slope(out, m)),
)
def amplitude(xp, u, m, /):
    """Jacobi's amplitude, the φ with F(φ, m) = u: ∂φ/∂u = dn,  ∂φ/∂m = -dn·∂F/∂m."""
    return xp.special.ellipj(u, m)[3]


def ellipj(u, m):
    """Jacobi's elliptic functions (sn, cn, dn, ph) of u and the parameter m, 0 ≤ m ≤ 1.

    ph is the amplitude, ∂ph/∂u = dn; sn = sin ph, cn = cos ph and dn² = cn² + (1 - m)sn².
    Source: DLMF 22.16.1.

    >>> ad.grad(lambda u: ad.special.ellipj(u, 0.5)[0])(0.0)
    np.float64(1.0)
    """
    phi = amplitude(u, m)
    sn, cn = sin(phi), cos(phi)
    return sn, cn, sqrt(cn * cn + (1 - known(m)) * sn * sn), phi


@elementwise(
    lambda t, a, b, out: t * agm_slope(a, b, out), lambda t, a, b, out: t * agm_slope(b, a, out)
)
def agm(xp, a, b, /):
    """Arithmetic-geometric mean: y = M(a, b) = π/(2R_F(0, a², b²)).

    ∂y/∂a = 2a y² R_D(0, b², a²)/(3π), and so in b.  Keeps: a, b, out.  Undefined: where a
    or b is 0; where their signs differ (NaN).  Source: DLMF 19.8.5, 19.25.1 and 19.18.4.

    >>> round(float(ad.grad(ad.special.agm)(2.0, 2.0)), 9)
    0.5
    """
    return xp.special.agm(a, b)


def agm_slope(a, b, y):
    """∂M(a, b)/∂a of numbers of one sign."""
    return a * y * abs(y) * elliprd(0.0, b * b, a * a) * (2 / (3 * math.pi))


__all__ = [
    "agm", "bdtr", "bdtrc", "bdtri", "betainc", "betaincc", "betainccinv", "betaincinv", "btdtria",
    "btdtrib", "chdtr", "chdtrc", "chdtri", "chdtriv", "ellipe", "ellipeinc", "ellipj", "ellipk",
    "ellipkinc", "ellipkm1", "elliprc", "elliprd", "elliprf", "elliprg", "elliprj", "exp1", "expi",
    "expn", "fdtr", "fdtrc", "fdtri", "gammainc", "gammaincc", "gammainccinv", "gammaincinv",
    "gdtr", "gdtrc", "gdtria", "gdtrib", "gdtrix", "kolmogi", "kolmogorov", "nbdtr", "nbdtrc",
    "nbdtri", "nrdtrimn", "nrdtrisd", "owens_t", "pdtr", "pdtrc", "pdtri", "shichi", "sici",
    "smirnov", "smirnovi", "spence", "stdtr", "stdtridf", "stdtrit",
]  # fmt: skip
