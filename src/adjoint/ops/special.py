"""Special functions of SciPy: error, gamma and zeta functions, integrals, logarithms of products.

Arguments are real where nothing else is said; they broadcast, and the ufuncs of SciPy among them
take theirs in the same order. DLMF is the NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov. A parameter without a derivative is refused (`NoRuleError`), never taken for
a constant.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from ..core.mend import is_zero
from ..core.traced import shape
from ..errors import DataError, NoRuleError
from .batch import aligned
from .constant import (
    equal,
    greater,
    isfinite,
    less,
    less_equal,
    logical_and,
    logical_not,
    signum,
)
from .elementwise import (
    LN10,
    abs,
    angle,
    cos,
    deg2rad,
    exp,
    is_complex,
    log,
    log1p,
    log_sigmoid,
    maximum,
    real,
    sigmoid,
    sign,
    sin,
    sqrt,
    to_complex,
    where,
    xlogy,
)
from .reduce import log_softmax as reduced_log_softmax
from .reduce import logsumexp as reduced
from .reduce import max as top
from .reduce import sum as total
from .rules import Rule, constant, elementwise, op
from .shape import broadcast_arrays, reshape

ROOT_PI, ROOT_2, ROOT_2_PI = math.sqrt(math.pi), math.sqrt(2.0), math.sqrt(2.0 * math.pi)
DEGREE = math.pi / 180

expit, log_expit = sigmoid, log_sigmoid


def refused(
    name: str,
    parameter: str,
    why: str = "there is no closed form. Take it by differences, `ad.numeric(ad.special.{})`",
) -> Rule:
    """The rule of an input whose derivative is refused: asked for, it says so."""

    def rule(t, _):
        raise NoRuleError(
            f"`{name}` has no derivative in `{parameter}`: {why.format(name)}, or cut "
            f"`{parameter}` off with `.detach()` if it is to count as a constant."
        )

    rule.refuses = True  # type: ignore[attr-defined]
    return rule


def counted(name: str, parameter: str) -> Rule:
    """The rule of an input that is a whole number."""
    return refused(name, parameter, "it is a whole number. Give it as an int")


def several(slopes):
    """An op of each element with several outputs: `slopes(x, out)` is a derivative of each."""

    def jvp(tangents, x, out):
        return tuple([tangents[0] * s for s in slopes(x, out)])

    def vjp(ct, x, out):
        return [
            reduce(
                lambda a, b: a + b,
                [c * asked(c, s) for c, s in zip(ct, slopes(x, out), strict=True)],
            )
        ]

    return op(jvp=jvp, vjp=vjp, batch=aligned)


def asked(ct, slope):
    """A slope, and 0 where it is not finite and nothing is asked of it, but of another output."""
    return where(logical_and(is_zero(ct), logical_not(isfinite(slope))), 0.0, slope)


@elementwise(lambda t, x: t * (2 / ROOT_PI * exp(-x * x)))
def erf(xp, x, /):
    """Error function: y = 2/√π ∫₀ˣ e⁻ᵗᵗ dt,  ∂y/∂x = 2/√π·e⁻ˣˣ.

    x : real or complex.  Keeps: x.  Source: DLMF 7.2.1.

    >>> round(float(ad.grad(ad.special.erf)(0.0)), 9)
    1.128379167
    """
    return xp.special.erf(x)


@elementwise(lambda t, x: t * (-2 / ROOT_PI * exp(-x * x)))
def erfc(xp, x, /):
    """Complement of the error function: y = 1 - erf x,  ∂y/∂x = -2/√π·e⁻ˣˣ; exact for large x.

    x : real or complex.  Keeps: x.  Source: DLMF 7.2.2.

    >>> round(float(ad.grad(ad.special.erfc)(0.0)), 9)
    -1.128379167
    """
    return xp.special.erfc(x)


@elementwise(lambda t, x: t * (2 / ROOT_PI * exp(x * x)))
def erfi(xp, x, /):
    """Imaginary error function: y = -i erf(ix),  ∂y/∂x = 2/√π·eˣˣ.

    x : real or complex.  Keeps: x.

    >>> round(float(ad.grad(ad.special.erfi)(0.0)), 9)
    1.128379167
    """
    return xp.special.erfi(x)


@elementwise(lambda t, x, out: t * erfcx_slope(x, out))
def erfcx(xp, x, /):
    """Scaled complement of the error function: y = eˣˣ erfc x,  ∂y/∂x = 2xy - 2/√π.

    x : real or complex.  Keeps: x, out.  Source: for Re x > 8, where the difference cancels, the
    asymptotic series DLMF 7.12.1, term by term.

    >>> float(ad.grad(ad.special.erfcx)(1e8)) * ROOT_PI * 1e16
    -1.0
    """
    return xp.special.erfcx(x)


def erfcx_slope(x, y):
    """The derivative of y = erfcx x without cancellation."""
    far = greater(real(x), 8.0)
    r, near = 1 / where(far, x, 8.0), where(far, 0.0, x)
    return where(far, tail(-r * r) * (-r * r) / ROOT_PI, 2 * near * y - 2 / ROOT_PI)


def tail(q):
    """Σ (2m + 1)!! (q/2)ᵐ for m ≤ 12, by Horner's scheme."""
    value = 1.0
    for m in range(12, 0, -1):
        value = 1 + (m + 0.5) * q * value
    return value


@elementwise(lambda t, x, out: t * dawsn_slope(x, out))
def dawsn(xp, x, /):
    """Dawson's integral: y = e⁻ˣˣ ∫₀ˣ eᵗᵗ dt,  ∂y/∂x = 1 - 2xy.

    x : real or complex.  Keeps: x, out.  Source: DLMF 7.2.5; for |x| > 8, where the difference
    cancels, the asymptotic series 7.12.1, term by term.

    >>> ad.grad(ad.special.dawsn)(0.0)
    np.float64(1.0)
    """
    return xp.special.dawsn(x)


def dawsn_slope(x, y):
    """The derivative of y = dawsn x, without cancellation for real x."""
    if is_complex(x):
        return 1 - 2 * x * y
    far = greater(abs(x), 8.0)
    r, near = 1 / where(far, x, 8.0), where(far, 0.0, x)
    return where(far, tail(r * r) * (-0.5 * r * r), 1 - 2 * near * y)


@elementwise(lambda t, x, out: t * (erfcx_slope(x * -1j, out) * -1j))
def wofz(xp, x, /):
    """Faddeeva function: y = e⁻ˣˣ erfc(-ix),  ∂y/∂x = 2i/√π - 2xy.

    x : complex.  Keeps: x, out.  Source: DLMF 7.10.2.

    >>> np.round(ad.grad(ad.special.wofz, holomorphic=True)(0j), 9)
    np.complex128(1.128379167j)
    """
    return xp.special.wofz(x)


@elementwise(lambda t, out: t * (ROOT_PI / 2 * exp(out * out)))
def erfinv(xp, x, /):
    """Inverse of `erf`: ∂y/∂x = √π/2·eʸʸ.

    Keeps: out.  Undefined: at ±1, where the slope is infinite, and outside (NaN).

    >>> round(float(ad.grad(ad.special.erfinv)(0.0)), 9)
    0.886226925
    """
    return xp.special.erfinv(x)


@elementwise(lambda t, out: t * (-ROOT_PI / 2 * exp(out * out)))
def erfcinv(xp, x, /):
    """Inverse of `erfc`: ∂y/∂x = -√π/2·eʸʸ.

    Keeps: out.  Undefined: at 0 and 2, where the slope is infinite, and outside (NaN).

    >>> round(float(ad.grad(ad.special.erfcinv)(1.0)), 9)
    -0.886226925
    """
    return xp.special.erfcinv(x)


@elementwise(lambda t, x: t * (exp(x * x * -0.5) / ROOT_2_PI))
def ndtr(xp, x, /):
    """Normal distribution function: y = ½ erfc(-x/√2),  ∂y/∂x = e⁻ˣˣᐟ²/√(2π).

    x : real or complex.  Keeps: x.

    >>> round(float(ad.grad(ad.special.ndtr)(0.0)), 9)
    0.39894228
    """
    return xp.special.ndtr(x)


@elementwise(lambda t, x, out: t * log_ndtr_slope(x, out))
def log_ndtr(xp, x, /):
    """Logarithm of the normal distribution function: y = ln Φ(x),  ∂y/∂x = √(2/π)/erfcx(-x/√2).

    x : real or complex.  Keeps: x, out.  To the right of 0 ∂y/∂x = e^(-½x² - y)/√(2π), so that
    neither tail cancels or overflows.

    >>> round(float(ad.grad(ad.special.log_ndtr)(-1000.0)), 6)
    1000.001
    """
    return xp.special.log_ndtr(x)


def log_ndtr_slope(x, y):
    """The derivative of y = ln Φ(x)."""
    right = greater(real(x), 0.0)
    above, below = where(right, x, 0.0), where(right, 0.0, x)
    return where(
        right,
        exp(above * above * -0.5 - where(right, y, 0.0)) / ROOT_2_PI,
        math.sqrt(2 / math.pi) / erfcx(below * (-1 / ROOT_2)),
    )


@elementwise(lambda t, out: t * (ROOT_2_PI * exp(out * out * 0.5)))
def ndtri(xp, x, /):
    """Quantile of the normal distribution, the inverse of `ndtr`: ∂y/∂x = √(2π)·eʸʸᐟ².

    Keeps: out.  Undefined: at 0 and 1, where the slope is infinite, and outside (NaN).

    >>> round(float(ad.grad(ad.special.ndtri)(0.5)), 9)
    2.506628275
    """
    return xp.special.ndtri(x)


@elementwise(lambda t, out: t * (math.sqrt(math.pi / 2) * erfcx(out * (-1 / ROOT_2))))
def ndtri_exp(xp, x, /):
    """Quantile of the normal distribution at eˣ, the inverse of `log_ndtr`.

    ∂y/∂x = √(π/2) erfcx(-y/√2).  Keeps: out.  Undefined: at 0, where the slope is infinite.

    >>> round(float(ad.grad(ad.special.ndtri_exp)(-1e6)) * 1414.2, 4)
    1.0
    """
    return xp.special.ndtri_exp(x)


@several(lambda x, out: (sin(x * x * (math.pi / 2)), cos(x * x * (math.pi / 2))))
def fresnel(xp, x, /):
    """Fresnel integrals S and C:  ∂S/∂x = sin(πx²/2),  ∂C/∂x = cos(πx²/2).

    x : real or complex.  Keeps: x, out.  Source: DLMF 7.2.7 and 7.2.8.

    >>> ad.grad(lambda x: ad.special.fresnel(x)[1])(0.0)
    np.float64(1.0)
    """
    return xp.special.fresnel(x)


def voigt_profile(x, sigma, gamma):
    """Voigt profile: y = Re w((x + iγ)/(σ√2))/(σ√(2π)), with `wofz` for w; for sigma > 0.

    >>> round(float(ad.grad(ad.special.voigt_profile)(1.0, 1.0, 0.0)), 9)
    -0.241970725
    """
    scale = sigma * ROOT_2
    return real(wofz(to_complex(x, gamma) / scale)) / (scale * ROOT_PI)


def gamma_slope(x, out):
    """The derivative of 1/Γ; to the left of ½ by reflection, which has no poles."""
    if is_complex(x):
        return -out * digamma(x)
    left = less(x, 0.5)
    near, mirror = where(left, 1.0, x), where(left, 1 - x, 0.5)
    reflected = gamma(mirror) * cos(math.pi * x) - out * digamma(mirror)
    return where(left, reflected, -out * digamma(near))


@elementwise(lambda t, x, out: t * (out * digamma(x)))
def gamma(xp, x, /):
    """Gamma function: y = ∫₀^∞ tˣ⁻¹e⁻ᵗ dt,  ∂y/∂x = y ψ(x).

    x : real or complex.  Keeps: x, out.  Undefined: at 0, -1, -2, ... (poles).
    Source: DLMF 5.2.2.

    >>> round(float(ad.grad(ad.special.gamma)(1.0)), 9)
    -0.577215665
    """
    return xp.special.gamma(x)


@elementwise(lambda t, x: t * digamma(x))
def gammaln(xp, x, /):
    """Logarithm of |Γ(x)|: ∂y/∂x = ψ(x).

    Keeps: x.  Undefined: at 0, -1, -2, ... (poles).  Source: DLMF 5.2.2.

    >>> round(float(ad.grad(ad.special.gammaln)(1.0)), 9)
    -0.577215665
    """
    return xp.special.gammaln(x)


@elementwise(lambda t, x: t * digamma(x))
def loggamma(xp, x, /):
    """Principal branch of ln Γ(x): ∂y/∂x = ψ(x).

    x : real (NaN for x < 0) or complex.  Keeps: x.  Source: DLMF 5.2.2.

    >>> np.round(ad.grad(ad.special.loggamma, holomorphic=True)(1.0 + 0j), 9)
    np.complex128(-0.577215665+0j)
    """
    return xp.special.loggamma(x)


@elementwise(lambda t, x, out: t * gamma_slope(x, out))
def rgamma(xp, x, /):
    """Reciprocal of the gamma function: y = 1/Γ(x),  ∂y/∂x = -y ψ(x), everywhere finite.

    x : real or complex.  Keeps: x, out.  Source: DLMF 5.2.2, and 5.5.3 (reflection) to the left
    of ½, for real x.

    >>> ad.grad(ad.special.rgamma)(0.0), ad.grad(ad.special.rgamma)(-2.0)
    (np.float64(1.0), np.float64(2.0))
    """
    return xp.special.rgamma(x)


@constant("the sign of Γ only jumps, at its poles")
def gammasgn(xp, x, /):
    """Sign of the gamma function.

    >>> ad.special.gammasgn(-0.5)
    np.float64(-1.0)
    """
    return xp.special.gammasgn(x)


@elementwise(lambda t, x: t * polygamma(1, x))
def digamma(xp, x, /):
    """Digamma function: y = ψ(x) = Γ'(x)/Γ(x),  ∂y/∂x = ψ⁽¹⁾(x).

    x : real or complex.  Keeps: x.  Undefined: at 0, -1, -2, ... (poles).  Source: DLMF 5.15.

    >>> round(float(ad.grad(ad.special.digamma)(1.0)), 9)
    1.644934067
    """
    return xp.special.psi(x)


psi = digamma


@elementwise(counted("polygamma", "n"), lambda t, n, x: t * polygamma(n + 1, x))
def polygamma(xp, n, x, /):
    """Polygamma function: y = ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹n! ζ(n + 1, x),  ∂y/∂x = ψ⁽ⁿ⁺¹⁾(x).

    n : whole number; a derivative in it is refused.  x : real or complex.  Keeps: n, x.
    Undefined: at x = 0, -1, -2, ... (poles).  Source: DLMF 5.15.1 and 25.11.12; for complex x the
    sum by Euler-Maclaurin, 25.11.5.

    >>> round(float(ad.grad(lambda x: ad.special.polygamma(1, x))(1.0)), 9)
    -2.404113806
    """
    x = xp.asarray(x)
    x = x if x.dtype.kind in "fc" else x.astype(float)
    n = xp.asarray(n).astype(x.real.dtype)
    sums = hurwitz(xp, n + 1, x) if x.dtype.kind == "c" else xp.special.zeta(n + 1, x)
    sums = xp.where(n == 0, 0.0, sums)  # of n = 0 it has a pole
    higher = xp.cos(math.pi * (n + 1)) * xp.special.gamma(n + 1) * sums
    return xp.where(n == 0, xp.special.psi(x), higher).astype(x.dtype)[()]


BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def hurwitz(xp, s, x):
    """Σ (k + x)⁻ˢ of complex x, s > 1: terms until Re > 15, then DLMF 25.11.5 with eight more."""
    first = max(0, math.ceil(15 - float(np.min(x.real, initial=15.0))))
    terms = reduce(lambda a, k: a + (x + k) ** -s, range(first), xp.zeros_like(x))
    a = x + first
    power = a**-s
    terms = terms + power * (a / xp.where(s == 1, 1.0, s - 1) + 0.5)
    rising = s * power / a
    for j, b in enumerate(BERNOULLI, 1):
        terms = terms + b / math.factorial(2 * j) * rising
        rising = rising * ((s + 2 * j - 1) * (s + 2 * j)) / (a * a)
    return terms


def zeta_slope(s, q):
    """∂ζ(s, q)/∂s: DLMF 25.11.5 differentiated in s, twelve terms and eight of the tail."""
    q = q + 0 * s
    slope: Any = 0.0
    for k in range(12):
        slope = slope - log(q + k) * (q + k) ** -s
    a = q + 12
    fall, power = log(a), a**-s
    slope = slope - power * (a * (fall + 1 / (s - 1)) / (s - 1) + fall / 2)
    rising, moved = s, 1.0
    for j, b in enumerate(BERNOULLI, 1):
        slope = slope + b / math.factorial(2 * j) * (moved - rising * fall) * power / a
        for i in (2 * j - 1, 2 * j):
            rising, moved = rising * (s + i) / a, (moved * (s + i) + rising) / a
    return slope


@elementwise(lambda t, s, out: t * riemann_slope(s, out))
def riemann(xp, s, /):
    """Riemann's zeta function; ∂y/∂s by `zeta_slope`, for s < 0 by reflection (25.4.1)."""
    return xp.special.zeta(s)


def riemann_slope(s, out):
    """ζ'(s) of real s."""
    if is_complex(s):
        raise NoRuleError(
            "`zeta` of a complex argument has no derivative rule; that of a real one has. "
            "Take it by differences, `ad.numeric(ad.special.zeta)`."
        )
    left = less(s, 0.0)
    near, mirror = where(left, 2.0, s), where(left, 1 - s, 2.0)
    value = riemann(mirror)
    scale = 2 * exp((s - 1) * math.log(2 * math.pi)) * gamma(mirror) * value
    logarithmic = math.log(2 * math.pi) - digamma(mirror) - zeta_slope(mirror, 1.0) / value
    reflected = out * logarithmic + scale * (math.pi / 2) * cos(s * (math.pi / 2))
    return where(left, reflected, zeta_slope(near, 1.0))


@elementwise(
    lambda t, s, q: t * zeta_slope(s, q),
    lambda t, s, q: -t * (s * hurwitz_zeta(s + 1, q)),
)
def hurwitz_zeta(xp, s, q, /):
    """Hurwitz's zeta function: y = Σ (k + q)⁻ˢ,  ∂y/∂s by `zeta_slope`,  ∂y/∂q = -s ζ(s + 1, q)."""
    return xp.special.zeta(s, q)


def zeta(x, q=None):
    """Zeta function of Riemann, ζ(x), or of Hurwitz, ζ(x, q) = Σ (k + q)⁻ˣ over k ≥ 0.

    ∂ζ/∂q = -x ζ(x + 1, q) and ∂ζ/∂x = -Σ ln(k + q) (k + q)⁻ˣ, by Euler-Maclaurin.
    x : real.  Undefined: at x = 1 (a pole).  Source: DLMF 25.11.5, 25.11.17 and 25.4.1.

    >>> round(float(ad.grad(ad.special.zeta)(2.0)), 9)
    -0.937548254
    """
    return riemann(x) if q is None else hurwitz_zeta(x, q)


@elementwise(lambda t, x, out: t * riemann_slope(x, out + 1))
def zetac(xp, x, /):
    """Riemann's zeta function less one: y = ζ(x) - 1,  ∂y/∂x = ζ'(x).

    Keeps: x, out.  Undefined: at 1 (a pole).  Source: as `zeta`.

    >>> round(float(ad.grad(ad.special.zetac)(2.0)), 9)
    -0.937548254
    """
    return xp.special.zetac(x)


def known(x):
    """x, a list as an array."""
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


def multigammaln(a, d):
    """Logarithm of the gamma function of dimension d: d(d - 1)/4·ln π + Σ ln Γ(a - j/2), j < d.

    d : int, at least 1.  NaN where a is not above (d - 1)/2.

    >>> round(float(ad.grad(lambda a: ad.special.multigammaln(a, 1))(1.0)), 9)
    -0.577215665
    """
    a = known(a)
    inside = greater(a, (d - 1) / 2)
    safe = where(inside, a, 1.0 + d)
    terms = [gammaln(safe - j / 2) for j in range(d)]
    return where(
        inside, reduce(lambda x, y: x + y, terms, d * (d - 1) / 4 * math.log(math.pi)), math.nan
    )


@elementwise(
    lambda t, z, m, out: t * (out * (digamma(z + m) - digamma(z))),
    lambda t, z, m, out: t * (out * digamma(z + m)),
)
def poch(xp, z, m, /):
    """Rising factorial: y = Γ(z + m)/Γ(z),  ∂y/∂z = y(ψ(z + m) - ψ(z)),  ∂y/∂m = y ψ(z + m).

    Keeps: z, m, out.  Undefined: where z or z + m is 0, -1, -2, ... (NaN).
    Source: DLMF 5.2.5.

    >>> round(float(ad.grad(ad.special.poch)(3.0, 2.0)), 9)
    7.0
    """
    return xp.special.poch(z, m)


@elementwise(
    lambda t, a, b, out: t * (out * (digamma(a) - digamma(a + b))),
    lambda t, a, b, out: t * (out * (digamma(b) - digamma(a + b))),
)
def beta(xp, a, b, /):
    """Beta function: y = Γ(a)Γ(b)/Γ(a + b),  ∂y/∂a = y(ψ(a) - ψ(a + b)), and so in b.

    Keeps: a, b, out.  Undefined: at the poles of Γ.  Source: DLMF 5.12.1.

    >>> round(float(ad.grad(ad.special.beta)(2.0, 1.0)), 9)
    -0.25
    """
    return xp.special.beta(a, b)


@elementwise(
    lambda t, a, b: t * (digamma(a) - digamma(a + b)),
    lambda t, a, b: t * (digamma(b) - digamma(a + b)),
)
def betaln(xp, a, b, /):
    """Logarithm of |B(a, b)|: ∂y/∂a = ψ(a) - ψ(a + b), and so in b.

    Keeps: a, b.  Undefined: at the poles of Γ.  Source: DLMF 5.12.1.

    >>> round(float(ad.grad(ad.special.betaln)(2.0, 1.0)), 9)
    -0.5
    """
    return xp.special.betaln(a, b)


@elementwise(
    lambda t, n, k, out: t * (out * (digamma(n + 1) - digamma(n - k + 1))),
    lambda t, n, k, out: t * (out * (digamma(n - k + 1) - digamma(k + 1))),
)
def binom(xp, n, k, /):
    """Binomial coefficient of real numbers: y = Γ(n + 1)/(Γ(k + 1)Γ(n - k + 1)).

    ∂y/∂n = y(ψ(n + 1) - ψ(n - k + 1)),  ∂y/∂k = y(ψ(n - k + 1) - ψ(k + 1)).
    Keeps: n, k, out.  Undefined: where k or n - k is -1, -2, ... (NaN).  Source: DLMF 1.2.6.

    >>> round(float(ad.grad(ad.special.binom)(3.0, 1.0)), 9)
    1.0
    """
    return xp.special.binom(n, k)


def comb(N, k, *, exact=False, repetition=False):
    """Combinations of k of N things: `binom`, and 0 unless 0 ≤ k ≤ N.

    exact : must be False, for whole numbers beyond floating point have no derivative
    repetition : whether one thing may be taken again: of N + k - 1 things

    >>> round(float(ad.grad(lambda n: ad.special.comb(n, 1))(3.0)), 9)
    1.0
    """
    if exact:
        raise DataError(
            "`comb` of adjoint computes in floating point, and was given exact=True. "
            "Leave it out, or call `scipy.special.comb` on plain integers."
        )
    N, k = known(N), known(k)
    if repetition:
        N = N + k - 1
    inside = logical_and(less_equal(k, N), logical_and(less_equal(0, N), less_equal(0, k)))
    return where(inside, binom(where(inside, N, 1.0), where(inside, k, 0.0)), 0.0)


def factorial(n, exact=False):
    """Factorial: Γ(n + 1), and 0 for n < 0; the derivative is Γ(n + 1)ψ(n + 1).

    exact : must be False, for whole numbers beyond floating point have no derivative

    >>> round(float(ad.grad(ad.special.factorial)(0.0)), 9)
    -0.577215665
    """
    if exact:
        raise DataError(
            "`factorial` of adjoint computes in floating point, and was given exact=True. "
            "Leave it out, or call `scipy.special.factorial` on plain integers."
        )
    n = known(n)
    out_of_range = less(n, 0)
    return where(out_of_range, 0.0, gamma(where(out_of_range, 0.0, n) + 1))


@elementwise(lambda t, x: t / (x * (1 - x)))
def logit(xp, x, /):
    """Logarithm of the odds, the inverse of `expit`: y = ln(x/(1 - x)),  ∂y/∂x = 1/(x(1 - x)).

    Keeps: x.  Undefined: at 0 and 1 (poles), and outside (NaN).

    >>> ad.grad(ad.special.logit)(0.5)
    np.float64(4.0)
    """
    return xp.special.logit(x)


@elementwise(lambda t, x: -t * (1 + log(x)))
def entr(xp, x, /):
    """Term of an entropy: y = -x ln x, 0 at 0, -∞ for x < 0;  ∂y/∂x = -1 - ln x.

    Keeps: x.  Undefined: at 0, where the slope is infinite, and for x < 0 (NaN).

    >>> ad.grad(ad.special.entr)(1.0)
    np.float64(-1.0)
    """
    return xp.special.entr(x)


@elementwise(
    lambda t, x, y: t * (log(weightless(x, y, 1.0)) + 1),
    lambda t, x, y: -t * weightless(x, y, 0.0),
)
def rel_entr(xp, x, y, /):
    """Term of a relative entropy: z = x ln(x/y), 0 at x = 0 ≤ y, else ∞.

    ∂z/∂x = ln(x/y) + 1,  ∂z/∂y = -x/y.  Keeps: x, y.  Undefined: at x = 0, where the slopes are 1
    and 0 by convention, as those of `xlogy`; at y = 0 < x (a pole); for negative numbers.

    >>> ad.grad(ad.special.rel_entr, (0, 1))(1.0, 1.0)
    (np.float64(1.0), np.float64(-1.0))
    """
    return xp.special.rel_entr(x, y)


@elementwise(
    lambda t, x, y: t * log(weightless(x, y, 1.0)),
    lambda t, x, y: t * (1 - weightless(x, y, 0.0)),
)
def kl_div(xp, x, y, /):
    """Term of a divergence: z = x ln(x/y) - x + y, y at x = 0 ≤ y, else ∞.

    ∂z/∂x = ln(x/y),  ∂z/∂y = 1 - x/y.  Keeps: x, y.  Undefined: at x = 0, where the slope in x is
    0 by convention; at y = 0 < x (a pole); for negative numbers.

    >>> ad.grad(ad.special.kl_div, (0, 1))(2.0, 1.0)[1]
    np.float64(-1.0)
    """
    return xp.special.kl_div(x, y)


def weightless(x, y, value):
    """x/y, and `value` where x = 0."""
    empty = equal(x, 0)
    return where(empty, value, x / where(empty, 1.0, y))


@elementwise(
    lambda t, delta, r: t * maximum(abs(r) - delta, 0.0),
    lambda t, delta, r: t * where(less_equal(abs(r), delta), r, delta * signum(r)),
)
def huber(xp, delta, r, /):
    """Huber's loss: y = ½r² where |r| ≤ δ, else δ(|r| - ½δ);  ∂y/∂δ = max(|r| - δ, 0).

    ∂y/∂r = r held within ±δ.  Keeps: delta, r.  Undefined: for δ < 0, where y = ∞.

    >>> ad.grad(ad.special.huber, (0, 1))(1.0, -3.0)
    (np.float64(2.0), np.float64(-1.0))
    """
    return xp.special.huber(delta, r)


@elementwise(
    lambda t, delta, r: t * pseudo_huber_slope(delta, r),
    lambda t, delta, r: t * (r / sqrt(1 + (r / delta) ** 2)),
)
def pseudo_huber(xp, delta, r, /):
    """Smooth relative of `huber`: y = δ²(s - 1) with s = √(1 + (r/δ)²).

    ∂y/∂r = r/s,  ∂y/∂δ = δ(r/δ)⁴/(s(1 + s)²).  Keeps: delta, r.  Undefined: at δ = 0.

    >>> ad.grad(ad.special.pseudo_huber, 1)(1.0, 0.0)
    np.float64(0.0)
    """
    return xp.special.pseudo_huber(delta, r)


def pseudo_huber_slope(delta, r):
    """∂/∂δ of `pseudo_huber`, without cancellation for small r."""
    square = (r / delta) ** 2
    s = sqrt(1 + square)
    return delta * square**2 / (s * (1 + s) ** 2)


@elementwise(lambda t, y: t * log1p(y), lambda t, x, y: t * (x / (1 + y)))
def xlog1py(xp, x, y, /):
    """Weighted logarithm: z = x ln(1 + y), and 0 where x = 0;  ∂z/∂x = ln(1 + y).

    ∂z/∂y = x/(1 + y).  x, y : real or complex.  Keeps: x, y.  Undefined: at y = -1 (a pole).

    >>> ad.grad(ad.special.xlog1py, (0, 1))(2.0, 0.0)
    (np.float64(0.0), np.float64(2.0))
    """
    return xp.special.xlog1py(x, y)


@elementwise(
    lambda t, x, y: t * (y * exp(xlogy(y - 1, x))), lambda t, x, out: t * ((out + 1) * log(x))
)
def powm1(xp, x, y, /):
    """Power less one: z = xʸ - 1,  ∂z/∂x = y xʸ⁻¹,  ∂z/∂y = (z + 1) ln x; for x > 0.

    Keeps: x, y, out.  Undefined: for x ≤ 0 (NaN).

    >>> ad.grad(ad.special.powm1)(1.0, 3.0)
    np.float64(3.0)
    """
    return xp.special.powm1(x, y)


@elementwise(lambda t, x: -t * sin(x))
def cosm1(xp, x, /):
    """Cosine less one: y = cos x - 1,  ∂y/∂x = -sin x; exact where x is small.

    Keeps: x.

    >>> float(ad.special.cosm1(1e-10)) * 1e20
    -0.5
    """
    return xp.special.cosm1(x)


@elementwise(lambda t, out: t * (LN10 * out))
def exp10(xp, x, /):
    """Power of ten: y = 10ˣ,  ∂y/∂x = y ln 10.

    Keeps: out.

    >>> round(float(ad.grad(ad.special.exp10)(0.0)), 9)
    2.302585093
    """
    return xp.special.exp10(x)


@elementwise(lambda t, x: t * (DEGREE * cosdg(x)))
def sindg(xp, x, /):
    """Sine of x degrees: ∂y/∂x = π/180·cos x°.

    Keeps: x.

    >>> bool(ad.grad(ad.special.sindg)(0.0) == np.pi / 180)
    True
    """
    return xp.special.sindg(x)


@elementwise(lambda t, x: -t * (DEGREE * sindg(x)))
def cosdg(xp, x, /):
    """Cosine of x degrees: ∂y/∂x = -π/180·sin x°.

    Keeps: x.

    >>> bool(ad.grad(ad.special.cosdg)(90.0) == -np.pi / 180)
    True
    """
    return xp.special.cosdg(x)


@elementwise(lambda t, out: t * (DEGREE * (1 + out * out)))
def tandg(xp, x, /):
    """Tangent of x degrees: ∂y/∂x = π/180·(1 + y²).

    Keeps: out.  Undefined: at 90 + 180k (poles).

    >>> bool(ad.grad(ad.special.tandg)(0.0) == np.pi / 180)
    True
    """
    return xp.special.tandg(x)


@elementwise(lambda t, out: t * (-DEGREE * (1 + out * out)))
def cotdg(xp, x, /):
    """Cotangent of x degrees: ∂y/∂x = -π/180·(1 + y²).

    Keeps: out.  Undefined: at 180k (poles).

    >>> bool(ad.grad(ad.special.cotdg)(90.0) == -np.pi / 180)
    True
    """
    return xp.special.cotdg(x)


def radian(d, m, s):
    """Degrees, minutes and seconds of arc in radians: (d + m/60 + s/3600)·π/180.

    >>> bool(ad.grad(ad.special.radian)(1.0, 2.0, 3.0) == np.pi / 180)
    True
    """
    return deg2rad(known(d) + known(m) / 60 + known(s) / 3600)


@elementwise(lambda t, out: t * (exp(-out) / (1 + out)))
def lambert(xp, z, /, k, tol):
    """Lambert's W function: ∂w/∂z = e⁻ʷ/(1 + w); complex."""
    return xp.special.lambertw(z, k, tol)


def lambertw(z, k=0, tol=1e-8):
    """Lambert's W function, branch k of the w with w eʷ = z:  ∂w/∂z = e⁻ʷ/(1 + w); complex.

    z : real or complex.  Undefined: at -1/e on the branches 0 and ±1 (infinite), and at 0 on all
    branches but 0 (poles).  Source: DLMF 4.13.4.

    >>> ad.grad(lambda z: ad.real(ad.special.lambertw(z)))(0.0)
    np.float64(1.0)
    """
    return lambert(z, k, tol)


@elementwise(lambda t, out: t * (out / (1 + out)))
def wrightomega(xp, z, /):
    """Wright's omega function, the w with w + ln w = z:  ∂w/∂z = w/(1 + w).

    z : real or complex.  Keeps: out.  Source: DLMF 4.13.

    >>> ad.grad(ad.special.wrightomega)(1.0)
    np.float64(0.5)
    """
    return xp.special.wrightomega(z)


def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    """Logarithm of a sum of exponentials with weights: y = ln Σ b eᵃ; overflows nowhere.

    a, b : real or complex.  With `return_sign` the pair ln |Σ|, Σ/|Σ|; without it a negative sum
    of real numbers is NaN.  ∂y/∂a = b eᵃ⁻ʸ,  ∂y/∂b = eᵃ⁻ʸ.

    >>> ad.grad(lambda b: ad.special.logsumexp(np.zeros(2), b=b))(np.array([1.0, 3.0]))
    array([0.25, 0.25])
    """
    if b is None and not return_sign and not is_complex(a):
        return reduced(a, axis, keepdims)
    if b is not None:
        a, b = broadcast_arrays(a, b)
        a = where(logical_and(equal(b, 0), equal(real(a), math.inf)), -math.inf, a)
    height = top(real(a), axis, True)
    height = where(isfinite(height), height, 0.0)
    terms = exp(a - height)
    sums = total(terms if b is None else b * terms, axis, keepdims)
    height = reshape(height, shape(sums))
    size, empty = abs(sums), equal(sums, 0)
    y = where(empty, -math.inf, log(where(empty, 1.0, size)) + height)
    if return_sign:
        return y, sign(sums)
    if is_complex(sums):
        return to_complex(y, angle(sums))
    return where(less(sums, 0), math.nan, y)


def softmax(x, axis=None):
    """Exponentials that sum to one along `axis`, by default over all elements: y = eˣ / Σ eˣ.

    >>> ad.special.softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    return exp(reduced_log_softmax(x, axis))


def log_softmax(x, axis=None):
    """Logarithm of `softmax`: y = x - ln Σ eˣ along `axis`, by default over all elements.

    >>> ad.special.log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
    return reduced_log_softmax(x, axis)


__all__ = [
    "beta", "betaln", "binom", "comb", "cosdg", "cosm1", "cotdg", "dawsn", "digamma", "entr",
    "erf", "erfc", "erfcinv", "erfcx", "erfi", "erfinv", "exp10", "expit", "factorial", "fresnel",
    "gamma", "gammaln", "gammasgn", "huber", "kl_div", "lambertw", "log_expit", "log_ndtr",
    "log_softmax", "loggamma", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "ndtri_exp",
    "poch", "polygamma", "powm1", "pseudo_huber", "psi", "radian", "rel_entr", "rgamma", "sindg",
    "softmax", "tandg", "voigt_profile", "wofz", "wrightomega", "xlog1py", "zeta", "zetac",
]  # fmt: skip
