"""Distributions of several variables, and densities estimated from samples; compositions of ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core.traced import shape
from ..errors import ShapeError
from . import special
from .constant import all as every
from .constant import equal, floor, greater_equal, less_equal, logical_and
from .elementwise import exp, log, log1p, where
from .family import alike, power_log, still
from .linalg import cholesky, solve
from .reduce import logsumexp, sum
from .shape import (
    broadcast_to,
    concat,
    diag,
    diagonal,
    known,
    matrix_transpose,
    permute_dims,
    reshape,
    squeeze,
)

LN_2PI = math.log(2.0 * math.pi)


class MultivariateNormal:
    """Normal, of n variables: p(x) = e^(-(x - μ)ᵀΣ⁻¹(x - μ)/2)/√((2π)ⁿ|Σ|), μ = mean, Σ = cov.

    x : (..., n)    mean : (n,), by default 0    cov : (n, n), or (n,) of a diagonal, or a number

    Raises where cov is not positive definite; singular ones are not taken. The gradient in cov is
    that of a symmetric matrix.

    >>> ad.grad(ad.stats.multivariate_normal.logpdf, 1)(np.array([1.0, 2.0]), np.zeros(2))
    array([1., 2.])
    """

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1) -> Any:
        """The logarithm of the density."""
        x, middle, root = placed(x, mean, cov)
        n = shape(middle)[0]
        return squeeze(-(n * LN_2PI + distance(x - middle, root)) / 2 - volume(root))

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1) -> Any:
        """The density."""
        return exp(self.logpdf(x, mean, cov))

    def entropy(self, mean: Any = None, cov: Any = 1) -> Any:
        """The entropy: n(1 + ln 2π)/2 + ln √|Σ|."""
        _, middle, root = placed(None, mean, cov)
        return shape(middle)[0] * (1 + LN_2PI) / 2 + volume(root)


class MultivariateT:
    """Student, of n variables: p(x) ~ (1 + (x - μ)ᵀΣ⁻¹(x - μ)/ν)^(-(ν + n)/2), ν = df.

    x : (..., n)    loc : (n,), by default 0    shape : (n, n), or (n,) of a diagonal, or a number

    Raises where `shape` is not positive definite.

    >>> ad.grad(ad.stats.multivariate_t.logpdf, 1)(np.array([1.0, 1.0]), np.zeros(2), df=1.0)
    array([1., 1.])
    """

    def logpdf(self, x: Any, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
        """The logarithm of the density."""
        x, middle, root = placed(x, loc, shape)
        n, (_, df) = len(middle), alike([x, df])
        front = special.gammaln((df + n) / 2) - special.gammaln(df / 2)
        front = front - n / 2 * log(df * math.pi) - volume(root)
        return squeeze(front - (df + n) / 2 * log1p(distance(x - middle, root) / df))

    def pdf(self, x: Any, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
        """The density."""
        return exp(self.logpdf(x, loc, shape, df))


def placed(x: Any, mean: Any, cov: Any) -> tuple[Any, Any, Any]:
    """x with the variables in the last axis, the mean as a vector, the Cholesky factor of cov."""
    given = [cov, *(v for v in (x, mean) if v is not None)]
    cov = alike(given)[0]
    middle = None if mean is None else reshape(known(mean), (-1,))
    n = shape(middle)[0] if middle is not None else (shape(cov) or (1,))[0]
    if len(shape(cov)) < 2:
        cov = diag(broadcast_to(cov, (n,)))
    if shape(cov) != (n, n):
        raise ShapeError(
            f"a normal distribution of {n} variables needs a covariance of shape ({n}, {n}); "
            f"it was given {shape(cov)}."
        )
    if middle is None:
        middle = cov[0] * 0.0
    if x is not None:
        x = known(x)
        x = reshape(x, (-1, 1)) if n == 1 and len(shape(x)) < 2 else x
        if shape(x)[-1] != n:
            raise ShapeError(f"x has {shape(x)[-1]} variables in the last axis; the mean has {n}.")
    return x, middle, cholesky(cov)


def distance(x: Any, root: Any) -> Any:
    """xᵀΣ⁻¹x over the last axis, Σ = LLᵀ with L = root."""
    n = shape(x)[-1]
    apart = solve(root, matrix_transpose(reshape(x, (-1, n))))
    return reshape(sum(apart * apart, 0), shape(x)[:-1])


def volume(root: Any) -> Any:
    """ln √|Σ|, Σ = LLᵀ with L = root."""
    return sum(log(diagonal(root)))


class Dirichlet:
    """Dirichlet: p(x) = Γ(Σα)/ΠΓ(α) Π xᵅ⁻¹ for x ≥ 0 that sum to 1.

    x : (k, ...), or (k - 1, ...) without the last, which makes the sum 1    alpha : (k,)

    The formula goes on beside the plane where the sum is 1; so the gradient in x of all k is that
    of independent ones. For negative x the density is 0.

    >>> ad.grad(ad.stats.dirichlet.logpdf)(np.array([0.25, 0.75]), np.array([2.0, 4.0]))
    array([4., 4.])
    """

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density."""
        x, alpha = known(x), known(alpha) * 1.0
        if shape(x)[0] == shape(alpha)[0] - 1:
            x = concat([x, reshape(1 - sum(x, 0), (1, *shape(x)[1:]))])
        if shape(x)[0] != shape(alpha)[0]:
            raise ShapeError(
                f"`dirichlet` needs as many x as alpha, or one less; "
                f"it was given {shape(x)[0]} and {shape(alpha)[0]}."
            )
        inside = every(greater_equal(x, 0), 0)
        powers = reshape(alpha, (-1,) + (1,) * (len(shape(x)) - 1)) - 1
        front = special.gammaln(sum(alpha)) - sum(special.gammaln(alpha))
        value = front + sum(power_log(powers, where(inside, x, 1.0)), 0)
        return where(inside, value, -math.inf)

    def pdf(self, x: Any, alpha: Any) -> Any:
        """The density."""
        return exp(self.logpdf(x, alpha))

    def entropy(self, alpha: Any) -> Any:
        """The entropy."""
        alpha = known(alpha) * 1.0
        total, k = sum(alpha), shape(alpha)[0]
        front = sum(special.gammaln(alpha)) - special.gammaln(total)
        spread = (total - k) * special.digamma(total)
        return front + spread - sum((alpha - 1) * special.digamma(alpha))


class Multinomial:
    """Multinomial: P(x) = n!/Πxᵢ! Πpᵢˣ for whole x ≥ 0 that sum to n; p sums to 1.

    x, p : (..., k)    n : the number of draws; nothing is differentiated by it and by x

    >>> ad.grad(lambda p: ad.stats.multinomial.logpmf([1, 2], 3, p))(np.array([0.25, 0.5]))
    array([4., 4.])
    """

    def logpmf(self, x: Any, n: Any, p: Any) -> Any:
        """The logarithm of the probability."""
        x, n, p = still(known(x)), still(known(n)), known(p)
        whole = logical_and(greater_equal(x, 0), equal(floor(x), x))
        inside = logical_and(every(whole, -1), equal(sum(x, -1), n))
        x = where(whole, x, 0.0)
        allowed = logical_and(greater_equal(p, 0), less_equal(p, 1))
        powers = power_log(x, where(allowed, p, 1.0))
        value = sum(powers - special.gammaln(x + 1), -1) + special.gammaln(n + 1.0)
        return where(every(allowed, -1), where(inside, value, -math.inf), math.nan)

    def pmf(self, x: Any, n: Any, p: Any) -> Any:
        """The probability."""
        return exp(self.logpmf(x, n, p))


class gaussian_kde:
    """A density estimated from samples: p(x) = Σ wᵢ N(x; xᵢ, h²C), C their covariance.

    dataset : (n,) or (d, n), a column for each sample    weights : (n,), by default equal
    bw_method : the factor h: a number, a function of the estimate, "scott" (None) or "silverman"

    Differentiated in the points, the samples and the weights. Source: D. W. Scott, Multivariate
    Density Estimation (1992), section 6.3.

    >>> x = np.array([0.0, 1.0, 3.0])
    >>> ad.grad(lambda x: ad.stats.gaussian_kde(x).logpdf(0.5)[0])(x).round(3)
    array([ 0.321, -0.114, -0.313])
    """

    def __init__(
        self,
        dataset: Any,
        bw_method: float | str | Callable[..., Any] | None = None,
        weights: Any = None,
    ) -> None:
        data = known(dataset) * 1.0
        self.dataset = data = reshape(data, (1, -1)) if len(shape(data)) < 2 else data
        self.d, self.n = shape(data)
        weights = data[0] * 0.0 + 1.0 if weights is None else known(weights) * 1.0
        self.weights = weights = weights / sum(weights)
        self.neff = 1 / sum(weights * weights)
        if callable(bw_method):
            factor = bw_method(self)
        elif isinstance(bw_method, str) or bw_method is None:
            if bw_method not in (None, "scott", "silverman"):
                raise ValueError(f"`gaussian_kde` knows no bw_method {bw_method!r}")
            share = (self.d + 2) / 4 if bw_method == "silverman" else 1.0
            factor = (self.neff * share) ** (-1.0 / (self.d + 4))
        else:
            factor = bw_method
        self.factor = factor
        apart = data - reshape(sum(data * weights, 1), (-1, 1))
        spread = (apart * weights) @ matrix_transpose(apart) / (1 - sum(weights * weights))
        self.covariance = spread * factor**2

    def logpdf(self, x: Any) -> Any:
        """The logarithm of the density at the points x, (m,) or (d, m)."""
        x = known(x)
        x = (
            reshape(x, (self.d, -1) if shape(x) == (self.d,) else (1, -1))
            if len(shape(x)) < 2
            else x
        )
        if shape(x)[0] != self.d:
            raise ShapeError(f"the points have {shape(x)[0]} variables; the samples have {self.d}.")
        root = cholesky(self.covariance)
        apart = reshape(x, (self.d, -1, 1)) - reshape(self.dataset, (self.d, 1, self.n))
        near = distance(permute_dims(apart, (1, 2, 0)), root)
        terms = log(self.weights) - near / 2
        return logsumexp(terms, -1) - self.d * LN_2PI / 2 - volume(root)

    def evaluate(self, points: Any) -> Any:
        """The density at the points, (m,) or (d, m)."""
        return exp(self.logpdf(points))

    pdf = __call__ = evaluate


dirichlet, multinomial = Dirichlet(), Multinomial()
multivariate_normal, multivariate_t = MultivariateNormal(), MultivariateT()

__all__ = ["dirichlet", "gaussian_kde", "multinomial", "multivariate_normal", "multivariate_t"]
