"""Many elements into one: sums, products, extremes, moments, cumulative sums."""

from __future__ import annotations

import math
from typing import Any

from ..core.traced import shape
from .constant import equal
from .elementwise import exp, hypot, imag, is_complex, real, safe_divide, where
from .rules import kept_shape, linear, reduction
from .shape import broadcast_to, concat, flip, inverse, normalised, permute_dims, ravel, reshape


def spread_back(ct, x_shape, axis):
    """The transpose of a sum: the cotangent repeated along the axes that were folded."""
    return broadcast_to(ct if axis is None else reshape(ct, kept_shape(x_shape, axis)), x_shape)


@linear(spread_back)
def sum(xp, x, /, axis=None, keepdims=False):
    """Sum over axes: y = Σ x; its transpose repeats.

    axis : int, tuple or None for all

    >>> ad.grad(lambda x: ad.sum(x, axis=0)[1])(np.ones((2, 2)))
    array([[0., 1.],
           [0., 1.]])
    """
    return xp.sum(x, axis, keepdims)


@linear(lambda ct, x_shape, axis: spread_back(ct / count(x_shape, axis), x_shape, axis))
def mean(xp, x, /, axis=None, keepdims=False):
    """Mean over axes: y = Σ x / n; its transpose repeats 1/n of the cotangent.

    axis : int, tuple or None for all

    >>> ad.grad(ad.mean)(np.ones(4))
    array([0.25, 0.25, 0.25, 0.25])
    """
    return xp.sum(x, axis, keepdims) / count(shape(x), axis)


@reduction(lambda x, axis: others(x, axis))
def prod(xp, x, /, axis=None, keepdims=False):
    """Product over axes: y = Π x,  ∂y/∂xᵢ = Π over the others, right where elements are 0.

    axis : int, tuple or None for all.  Keeps: x.

    >>> ad.grad(ad.prod)(np.array([0.0, 2.0, 3.0]))
    array([6., 0., 0.])
    """
    return xp.prod(x, axis=axis, keepdims=keepdims)


@reduction(lambda x, out, axis: shares(equal(x, out), axis, x.dtype))
def max(xp, x, /, axis=None, keepdims=False):
    """Largest element over axes; equal ones share the cotangent.

    axis : int, tuple or None for all.  Keeps: x, out.

    >>> ad.grad(ad.max)(np.array([1.0, 3.0, 3.0]))
    array([0. , 0.5, 0.5])
    """
    return xp.max(x, axis, keepdims)


@reduction(lambda x, out, axis: shares(equal(x, out), axis, x.dtype))
def min(xp, x, /, axis=None, keepdims=False):
    """Smallest element over axes; equal ones share the cotangent.

    axis : int, tuple or None for all.  Keeps: x, out.

    >>> ad.grad(ad.min)(np.array([1.0, 1.0, 3.0]))
    array([0.5, 0.5, 0. ])
    """
    return xp.min(x, axis, keepdims)


def soft_weights(x, out, axis):
    """eˣ⁻ʸ made to sum to one, which rounding y spoils for large x; zeros where all x are -∞."""
    weights = exp(x - where(equal(out, -math.inf), 0.0, out))
    return safe_divide(weights, sum(weights, axis, True))


@reduction(soft_weights)
def logsumexp(xp, x, /, axis=None, keepdims=False):
    """Logarithm of the sum of exponentials: y = ln Σ eˣ,  ∂y/∂x = eˣ⁻ʸ; overflows nowhere.

    x : real.  Keeps: x, out.  Undefined: where all x are -∞; there the value is -∞, the slopes 0.

    >>> ad.grad(ad.logsumexp)(np.array([1000.0, -1000.0]))
    array([1., 0.])
    """
    top = xp.max(x, axis, True)
    top = xp.where(xp.isfinite(top), top, 0.0)
    total = xp.sum(xp.exp(x - top), axis, keepdims)
    folded = xp.log(xp.where(total == 0, 1.0, total)) + xp.reshape(
        top, shape_after(shape(x), axis, keepdims)
    )
    return xp.where(total == 0, -math.inf, folded)[()]


@linear(lambda ct, axis: flip(cumsum(flip(ct, axis), axis), axis))
def running_sum(xp, x, /, axis):
    """Running sum: yᵢ = Σ over j ≤ i of xⱼ; its transpose runs from the other end."""
    return xp.cumsum(x, axis=axis)


@reduction(
    lambda x, axis, correction: (
        (x - mean(x, axis, True)) * (2 / (count(shape(x), axis) - correction))
    )
)
def variance(xp, x, /, axis=None, keepdims=False, correction=0.0):
    """Variance of real numbers: y = Σ (x - x̄)²/(n - c),  ∂y/∂x = 2(x - x̄)/(n - c)."""
    apart = x - xp.sum(x, axis, True) / count(shape(x), axis)
    return xp.sum(apart * apart, axis, keepdims) / (count(shape(x), axis) - correction)


@reduction(
    lambda x, out, axis, correction: safe_divide(
        x - mean(x, axis, True), out * (count(shape(x), axis) - correction)
    )
)
def deviation(xp, x, /, axis=None, keepdims=False, correction=0.0):
    """Root of the variance of real numbers:  ∂y/∂x = (x - x̄)/((n - c)y), 0 where y = 0."""
    return xp.sqrt(variance.op.forward(xp, x, axis, keepdims, correction))


def var(x: Any, axis: Any = None, ddof: float = 0.0, keepdims: bool = False) -> Any:
    """Variance over axes, divided by n - ddof; of complex numbers the sum of that of both parts.

    >>> ad.grad(ad.var)(np.array([1.0, 3.0]))
    array([-1.,  1.])
    """
    if is_complex(x):
        return variance(real(x), axis, keepdims, ddof) + variance(imag(x), axis, keepdims, ddof)
    return variance(x, axis, keepdims, ddof)


def std(x: Any, axis: Any = None, ddof: float = 0.0, keepdims: bool = False) -> Any:
    """Standard deviation over axes, the root of `var`; where all elements are equal the slope is 0.

    >>> ad.grad(ad.std)(np.array([1.0, 3.0])), ad.grad(ad.std)(np.array([2.0, 2.0]))
    (array([-0.5,  0.5]), array([0., 0.]))
    """
    if is_complex(x):
        return hypot(
            deviation(real(x), axis, keepdims, ddof), deviation(imag(x), axis, keepdims, ddof)
        )
    return deviation(x, axis, keepdims, ddof)


def softmax(x: Any, axis: Any = -1) -> Any:
    """Exponentials that sum to one along `axis`: y = eˣ / Σ eˣ; overflows nowhere.

    x : real

    >>> ad.softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    return exp(log_softmax(x, axis))


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Logarithm of `softmax`: y = x - ln Σ eˣ along `axis`; overflows nowhere.

    x : real

    >>> ad.log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
    return x - logsumexp(x, axis, True)


def cumsum(x: Any, axis: int | None = None) -> Any:
    """Running sum along `axis`, or over all elements in a row.

    >>> ad.grad(lambda x: ad.cumsum(x).sum())(np.array([1.0, 2.0, 3.0]))
    array([3., 2., 1.])
    """
    return (
        running_sum(ravel(x), 0)
        if axis is None
        else running_sum(x, normalised(axis, len(shape(x)), "cumsum"))
    )


def cumprod(x: Any, axis: int | None = None) -> Any:
    """Running product along `axis`, or over all elements in a row; right where elements are 0.

    In log₂ n steps (Hillis and Steele, 1986): after step k each element holds the product of the
    last 2ᵏ.

    >>> ad.grad(lambda x: ad.cumprod(x)[-1])(np.array([2.0, 0.0, 3.0]))
    array([0., 6., 0.])
    """
    if axis is None:
        return cumprod(ravel(x), 0)
    axis = normalised(axis, len(shape(x)), "cumprod")
    before, step = (slice(None),) * axis, 1
    while step < shape(x)[axis]:
        head, tail = x[(*before, slice(None, step))], x[(*before, slice(step, None))]
        x = concat([head, tail * x[(*before, slice(None, -step))]], axis)
        step *= 2
    return x


def others(x: Any, axis: Any) -> Any:
    """For each element of x the product of the others along `axis`, without a division."""
    ndim = len(shape(x))
    axes = tuple(range(ndim)) if axis is None else axis if type(axis) is tuple else (axis,)
    axes = tuple([a % ndim for a in axes])
    order = (*(i for i in range(ndim) if i not in axes), *axes)
    moved = permute_dims(x, order)
    row = reshape(
        moved, (*shape(moved)[: ndim - len(axes)], math.prod([shape(x)[a] for a in axes]))
    )
    return permute_dims(reshape(excluding_products(row), shape(moved)), inverse(order))


def excluding_products(row: Any) -> Any:
    """Along the last axis, the product of all before each element times that of all after."""
    if shape(row)[-1] < 2:
        return row * 0 + 1
    first = row[..., :1] * 0 + 1
    before = concat([first, cumprod(row[..., :-1], -1)], -1)
    after = concat([flip(cumprod(flip(row[..., 1:], -1), -1), -1), first], -1)
    return before * after


def shares(chosen: Any, axis: Any, dtype: Any) -> Any:
    """Weights of the chosen elements, equal and summing to one along `axis`."""
    weights = chosen.astype(dtype)
    return weights / sum(weights, axis, True)


def count(x_shape: tuple[int, ...], axis: Any) -> int:
    """How many elements of `x_shape` the axes fold into one."""
    axes = range(len(x_shape)) if axis is None else axis if type(axis) is tuple else (axis,)
    return math.prod([x_shape[a] for a in axes])


def shape_after(x_shape: tuple[int, ...], axis: Any, keepdims: bool) -> tuple[int, ...]:
    """The shape of a reduction's output."""
    kept = kept_shape(x_shape, axis)
    if keepdims:
        return kept
    axes = (
        range(len(x_shape))
        if axis is None
        else [a % len(x_shape) for a in (axis if type(axis) is tuple else (axis,))]
    )
    return tuple([n for i, n in enumerate(kept) if i not in axes])
