"""Families of distributions of one variable, each by its density in standard form; see `family`."""

from __future__ import annotations

import math
from typing import Any

from . import incomplete, special
from .bessel import i0e
from .constant import (
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    logical_and,
    logical_or,
    signum,
)
from .elementwise import (
    abs,
    atan2,
    cos,
    exp,
    expm1,
    log,
    log1p,
    log_sigmoid,
    maximum,
    minimum,
    sigmoid,
    sin,
    sqrt,
    tan,
    where,
)
from .family import continuous, discrete, power, power_log, power_log1p

LN2, LN_PI, LN_2PI = math.log(2.0), math.log(math.pi), math.log(2.0 * math.pi)
ROOT2 = math.sqrt(2.0)


@continuous(symmetric=True, cdf=special.ndtr, logcdf=special.log_ndtr, ppf=special.ndtri)
def norm(x):
    """Normal: p(x) = e^(-x²/2)/√(2π).

    >>> ad.grad(lambda m: ad.stats.norm.logpdf(np.array([1.0, 2.0]), loc=m).sum())(0.0)
    np.float64(3.0)
    """
    return -x * x / 2 - LN_2PI / 2


@continuous(
    low=0.0,
    cdf=lambda x: special.erf(x / ROOT2),
    sf=lambda x: special.erfc(x / ROOT2),
    logsf=lambda x: LN2 + special.log_ndtr(-x),
    ppf=lambda q: special.ndtri((1 + q) / 2),
    isf=lambda q: -special.ndtri(q / 2),
)
def halfnorm(x):
    """Half-normal: p(x) = √(2/π) e^(-x²/2) for x ≥ 0."""
    return (LN2 - LN_PI) / 2 - x * x / 2


@continuous(
    low=0.0,
    opened=True,
    cdf=lambda x, s: special.ndtr(log(x) / s),
    sf=lambda x, s: special.ndtr(-log(x) / s),
    logcdf=lambda x, s: special.log_ndtr(log(x) / s),
    logsf=lambda x, s: special.log_ndtr(-log(x) / s),
    ppf=lambda q, s: exp(s * special.ndtri(q)),
    isf=lambda q, s: exp(-s * special.ndtri(q)),
)
def lognorm(x, s):
    """Log-normal: p(x) = e^(-(ln x)²/(2s²))/(s x √(2π)) for x > 0."""
    return -((log(x) / s) ** 2) / 2 - log(s * x) - LN_2PI / 2


def log_mass(a: Any, b: Any) -> Any:
    """Logarithm of the normal probability between a and b; where both are above 0, of -b and -a."""
    above = greater(a, 0)
    low, high = where(above, -b, a), where(above, -a, b)
    ended = isfinite(low)
    top = special.log_ndtr(high)
    share = where(ended, exp(special.log_ndtr(where(ended, low, high - 1)) - top), 0.0)
    some = less(share, 1)
    return where(some, top + log1p(-where(some, share, 0.0)), -math.inf)


def between(a: Any, b: Any) -> Any:
    """A point between two bounds, of which one or both may be infinite."""
    ends = isfinite(a), isfinite(b)
    a, b = where(ends[0], a, 0.0), where(ends[1], b, 0.0)
    low = where(ends[0], where(ends[1], (a + b) / 2, a + 1), b - 1)
    return where(logical_or(*ends), low, 0.0)


@continuous(
    low=lambda a, b: a,
    high=lambda a, b: b,
    anchor=between,
    valid=lambda a, b: less(a, b),
    safe=(0.0, 1.0),
    logcdf=lambda x, a, b: log_mass(a, x) - log_mass(a, b),
    logsf=lambda x, a, b: log_mass(x, b) - log_mass(a, b),
)
def truncnorm(x, a, b):
    """Normal between a and b: p(x) = e^(-x²/2)/(√(2π)(Φ(b) - Φ(a))) for a ≤ x ≤ b."""
    return -x * x / 2 - LN_2PI / 2 - log_mass(a, b)


@continuous(
    low=0.0,
    cdf=lambda x: -expm1(-x),
    sf=lambda x: exp(-x),
    logsf=lambda x: -x,
    ppf=lambda q: -log1p(-q),
    isf=lambda q: -log(q),
)
def expon(x):
    """Exponential: p(x) = e⁻ˣ for x ≥ 0."""
    return -x


@continuous(
    symmetric=True,
    cdf=lambda x: where(less(x, 0), exp(-abs(x)) / 2, 1 - exp(-abs(x)) / 2),
    logcdf=lambda x: where(less(x, 0), -abs(x) - LN2, log1p(-exp(-abs(x)) / 2)),
    ppf=lambda q: where(less(q, 0.5), log(2 * minimum(q, 0.5)), -log(2 * (1 - maximum(q, 0.5)))),
)
def laplace(x):
    """Laplace: p(x) = e^(-|x|)/2; the slope at 0 is 0."""
    return -abs(x) - LN2


@continuous(symmetric=True, cdf=sigmoid, logcdf=log_sigmoid, ppf=special.logit)
def logistic(x):
    """Logistic: p(x) = e⁻ˣ/(1 + e⁻ˣ)²."""
    return log_sigmoid(x) + log_sigmoid(-x)


@continuous(
    symmetric=True,
    cdf=lambda x: atan2(x * 0 + 1, -x) / math.pi,
    ppf=lambda q: signum(q - 0.5) / tan(math.pi * minimum(q, 1 - q)),
)
def cauchy(x):
    """Cauchy: p(x) = 1/(π(1 + x²))."""
    return -LN_PI - log1p(x * x)


@continuous(
    symmetric=True,
    cdf=lambda x, df: incomplete.stdtr(df, x),
    ppf=lambda q, df: incomplete.stdtrit(df, q),
)
def t(x, df):
    """Student: p(x) = Γ((ν + 1)/2)/(Γ(ν/2)√(πν)) (1 + x²/ν)^(-(ν + 1)/2), ν = df."""
    front = log(special.poch(df / 2, 0.5)) - (log(df) + LN_PI) / 2
    return front - (df + 1) / 2 * log1p(x * x / df)


@continuous(
    low=0.0,
    cdf=lambda x, a: incomplete.gammainc(a, x),
    sf=lambda x, a: incomplete.gammaincc(a, x),
    ppf=lambda q, a: incomplete.gammaincinv(a, q),
    isf=lambda q, a: incomplete.gammainccinv(a, q),
)
def gamma(x, a):
    """Gamma: p(x) = xᵃ⁻¹e⁻ˣ/Γ(a) for x ≥ 0."""
    return power_log(a - 1, x) - x - special.gammaln(a)


@continuous(
    low=0.0,
    cdf=lambda x, df: incomplete.gammainc(df / 2, x / 2),
    sf=lambda x, df: incomplete.gammaincc(df / 2, x / 2),
    ppf=lambda q, df: 2 * incomplete.gammaincinv(df / 2, q),
    isf=lambda q, df: 2 * incomplete.gammainccinv(df / 2, q),
)
def chi2(x, df):
    """Chi-square: p(x) = x^(ν/2 - 1)e^(-x/2)/(2^(ν/2) Γ(ν/2)) for x ≥ 0, ν = df."""
    return power_log(df / 2 - 1, x) - x / 2 - special.gammaln(df / 2) - df * (LN2 / 2)


@continuous(
    low=0.0,
    opened=True,
    cdf=lambda x, a: incomplete.gammaincc(a, 1 / x),
    sf=lambda x, a: incomplete.gammainc(a, 1 / x),
    ppf=lambda q, a: 1 / incomplete.gammainccinv(a, q),
    isf=lambda q, a: 1 / incomplete.gammaincinv(a, q),
)
def invgamma(x, a):
    """Inverse gamma: p(x) = x⁻ᵃ⁻¹e^(-1/x)/Γ(a) for x > 0."""
    return -(a + 1) * log(x) - special.gammaln(a) - 1 / x


@continuous(
    low=0.0,
    high=1.0,
    cdf=lambda x, a, b: incomplete.betainc(a, b, x),
    sf=lambda x, a, b: incomplete.betaincc(a, b, x),
    ppf=lambda q, a, b: incomplete.betaincinv(a, b, q),
    isf=lambda q, a, b: incomplete.betainccinv(a, b, q),
)
def beta(x, a, b):
    """Beta: p(x) = xᵃ⁻¹(1 - x)ᵇ⁻¹/B(a, b) for 0 ≤ x ≤ 1."""
    return power_log(a - 1, x) + power_log1p(b - 1, -x) - special.betaln(a, b)


def shares(x: Any, dfn: Any, dfd: Any, below: Any, above: Any) -> Any:
    """`below` of nx/(m + nx) where that is under a half, else `above` of m/(m + nx)."""
    small = less(dfn * x, dfd)
    a, b = where(small, dfn, dfd) / 2, where(small, dfd, dfn) / 2
    share = 1 / (1 + where(small, dfd / (dfn * x), dfn / dfd * x))
    return where(small, below(a, b, share), above(a, b, share))


@continuous(
    low=0.0,
    cdf=lambda x, dfn, dfd: shares(x, dfn, dfd, incomplete.betainc, incomplete.betaincc),
    sf=lambda x, dfn, dfd: shares(x, dfn, dfd, incomplete.betaincc, incomplete.betainc),
    ppf=lambda q, dfn, dfd: incomplete.fdtri(dfn, dfd, q),
    isf=lambda q, dfn, dfd: 1 / incomplete.fdtri(dfd, dfn, q),
)
def f(x, dfn, dfd):
    """Fisher: p(x) = x^(n/2 - 1)(m + nx)^(-(n + m)/2) n^(n/2) m^(m/2)/B(n/2, m/2) for x ≥ 0.

    n = dfn, m = dfd
    """
    n, m = dfn / 2, dfd / 2
    front = n * log(dfn / dfd) - special.betaln(n, m)
    return front + power_log(n - 1, x) - (n + m) * log1p(dfn / dfd * x)


@continuous(
    low=1.0,
    sf=lambda x, b: x**-b,
    cdf=lambda x, b: -expm1(-b * log(x)),
    logsf=lambda x, b: -b * log(x),
    ppf=lambda q, b: (1 - q) ** (-1 / b),
    isf=lambda q, b: q ** (-1 / b),
)
def pareto(x, b):
    """Pareto: p(x) = b x⁻ᵇ⁻¹ for x ≥ 1."""
    return log(b) - (b + 1) * log(x)


@continuous(
    low=0.0,
    cdf=lambda x, c: -expm1(-(x**c)),
    sf=lambda x, c: exp(-(x**c)),
    logsf=lambda x, c: -(x**c),
    ppf=lambda q, c: (-log1p(-q)) ** (1 / c),
    isf=lambda q, c: (-log(q)) ** (1 / c),
)
def weibull_min(x, c):
    """Weibull: p(x) = c xᶜ⁻¹ e^(-xᶜ) for x ≥ 0."""
    return log(c) + power_log(c - 1, x) - power(x, c)


@continuous(
    low=0.0,
    cdf=lambda x: -expm1(-x * x / 2),
    sf=lambda x: exp(-x * x / 2),
    logsf=lambda x: -x * x / 2,
    ppf=lambda q: sqrt(-2 * log1p(-q)),
    isf=lambda q: sqrt(-2 * log(q)),
)
def rayleigh(x):
    """Rayleigh: p(x) = x e^(-x²/2) for x ≥ 0; the slope at 0 is 0."""
    return power_log(1.0, x) - x * x / 2


@continuous(
    cdf=lambda x: exp(-exp(-x)),
    sf=lambda x: -expm1(-exp(-x)),
    logcdf=lambda x: -exp(-x),
    ppf=lambda q: -log(-log(q)),
    isf=lambda q: -log(-log1p(-q)),
)
def gumbel_r(x):
    """Gumbel, of maxima: p(x) = e^(-x - e⁻ˣ)."""
    return -x - exp(-x)


@continuous(
    cdf=lambda x: -expm1(-exp(x)),
    sf=lambda x: exp(-exp(x)),
    logsf=lambda x: -exp(x),
    ppf=lambda q: log(-log1p(-q)),
    isf=lambda q: log(-log(q)),
)
def gumbel_l(x):
    """Gumbel, of minima: p(x) = e^(x - eˣ)."""
    return x - exp(x)


def gennorm_cdf(x: Any, beta: Any) -> Any:
    """½ Q(1/β, |x|ᵝ) below 0, and 1 less that above."""
    tail = incomplete.gammaincc(1 / beta, power(abs(x), beta)) / 2
    return where(less(x, 0), tail, 1 - tail)


def gennorm_ppf(q: Any, beta: Any) -> Any:
    """The inverse of that."""
    away = incomplete.gammainccinv(1 / beta, 2 * minimum(q, 1 - q))
    return signum(q - 0.5) * power(away, 1 / beta)


@continuous(symmetric=True, cdf=gennorm_cdf, ppf=gennorm_ppf)
def gennorm(x, beta):
    """Generalised normal: p(x) = β/(2Γ(1/β)) e^(-|x|ᵝ); the slopes at 0 are 0."""
    return log(beta) - LN2 - special.gammaln(1 / beta) - power(abs(x), beta)


@continuous(low=0.0, high=1.0, cdf=lambda x: x, sf=lambda x: 1 - x, ppf=lambda q: q)
def uniform(x):
    """Uniform: p(x) = 1 for 0 ≤ x ≤ 1."""
    return x * 0.0


@continuous(valid=lambda kappa: greater_equal(kappa, 0))
def vonmises(x, kappa):
    """Von Mises, on a circle: p(x) = e^(κ cos x)/(2π I₀(κ))."""
    return kappa * special.cosm1(x) - LN_2PI - log(i0e(kappa))


def wrapcauchy_cdf(x: Any, c: Any) -> Any:
    """arctan((1 + c)/(1 - c) tan(x/2))/π, in the quadrant of x/2."""
    return atan2((1 + c) * sin(x / 2), (1 - c) * cos(x / 2)) / math.pi


@continuous(
    low=0.0,
    high=2 * math.pi,
    valid=lambda c: logical_and(greater(c, 0), less(c, 1)),
    safe=(0.5,),
    cdf=wrapcauchy_cdf,
    sf=lambda x, c: wrapcauchy_cdf(2 * math.pi - x, c),
)
def wrapcauchy(x, c):
    """Wrapped Cauchy, on a circle: p(x) = (1 - c²)/(2π(1 + c² - 2c cos x)) for 0 ≤ x ≤ 2π."""
    return log((1 - c) * (1 + c)) - LN_2PI - log(1 + c * c - 2 * c * cos(x))


def fraction(p: Any) -> Any:
    """True where p is a probability."""
    return logical_and(greater_equal(p, 0), less_equal(p, 1))


@discrete(
    high=1.0,
    valid=fraction,
    safe=(0.5,),
    cdf=lambda k, p: 1 - p + k * 0,
    sf=lambda k, p: p + k * 0,
)
def bernoulli(k, p):
    """Bernoulli: P(1) = p, P(0) = 1 - p."""
    return power_log(k, p) + power_log1p(1 - k, -p)


@discrete(
    high=lambda n, p: n,
    valid=lambda n, p: logical_and(greater_equal(n, 0), fraction(p)),
    safe=(1.0, 0.5),
    cdf=lambda k, n, p: incomplete.betaincc(k + 1, n - k, p),
    sf=lambda k, n, p: incomplete.betainc(k + 1, n - k, p),
)
def binom(k, n, p):
    """Binomial: P(k) = n!/(k!(n - k)!) pᵏ(1 - p)ⁿ⁻ᵏ for k = 0, ..., n."""
    ways = -special.betaln(1 + n - k, 1 + k) - log(n + 1)
    return ways + power_log(k, p) + power_log1p(n - k, -p)


@discrete(
    valid=lambda mu: greater_equal(mu, 0),
    cdf=lambda k, mu: incomplete.gammaincc(k + 1, mu),
    sf=lambda k, mu: incomplete.gammainc(k + 1, mu),
)
def poisson(k, mu):
    """Poisson: P(k) = μᵏe⁻ᵘ/k! with u = μ, for k = 0, 1, ..."""
    return power_log(k, mu) - mu - special.gammaln(k + 1)


@discrete(
    low=1.0,
    anchor=1.0,
    valid=lambda p: logical_and(greater(p, 0), less_equal(p, 1)),
    safe=(0.5,),
    logsf=lambda k, p: power_log1p(k, -p),
    cdf=lambda k, p: -expm1(power_log1p(k, -p)),
)
def geom(k, p):
    """Geometric: P(k) = p(1 - p)ᵏ⁻¹ for k = 1, 2, ..."""
    return power_log1p(k - 1, -p) + log(p)


@discrete(
    valid=lambda n, p: logical_and(greater(n, 0), logical_and(greater(p, 0), less_equal(p, 1))),
    safe=(1.0, 0.5),
    cdf=lambda k, n, p: incomplete.betainc(n, k + 1, p),
    sf=lambda k, n, p: incomplete.betaincc(n, k + 1, p),
)
def nbinom(k, n, p):
    """Negative binomial: P(k) = Γ(n + k)/(k! Γ(n)) pⁿ(1 - p)ᵏ for k = 0, 1, ..."""
    ways = -special.betaln(n, k + 1) - log(n + k)
    return ways + n * log(p) + power_log1p(k, -p)


@discrete(
    high=lambda n, a, b: n,
    valid=lambda n, a, b: logical_and(
        greater_equal(n, 0), logical_and(greater(a, 0), greater(b, 0))
    ),
)
def betabinom(k, n, a, b):
    """Beta-binomial: P(k) = n!/(k!(n - k)!) B(k + a, n - k + b)/B(a, b) for k = 0, ..., n."""
    ways = -log(n + 1) - special.betaln(n - k + 1, k + 1)
    return ways + special.betaln(k + a, n - k + b) - special.betaln(a, b)


@discrete(
    low=1.0,
    anchor=1.0,
    valid=lambda a: greater(a, 1),
    safe=(2.0,),
)
def zipf(k, a):
    """Zipf: P(k) = k⁻ᵃ/ζ(a) for k = 1, 2, ..."""
    return -a * log(k) - log(special.zeta(a))


__all__ = [
    "bernoulli", "beta", "betabinom", "binom", "cauchy", "chi2", "expon", "f", "gamma", "gennorm",
    "geom", "gumbel_l", "gumbel_r", "halfnorm", "invgamma", "laplace", "logistic", "lognorm",
    "nbinom", "norm", "pareto", "poisson", "rayleigh", "t", "truncnorm", "uniform", "vonmises",
    "weibull_min", "wrapcauchy", "zipf",
]  # fmt: skip
