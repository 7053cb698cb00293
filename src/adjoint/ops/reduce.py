"""Many elements into one: sums, products, extremes, moments, cumulative sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.op import Op
from ..core.traced import shape
from ..errors import ShapeError
from .constant import equal, isnan
from .elementwise import (
    clip,
    exp,
    hypot,
    imag,
    is_complex,
    minimum,
    real,
    safe_divide,
    square,
    where,
)
from .kinks import ties
from .rules import kept_shape, linear, op, predicate, reduction
from .shape import (
    broadcast_to,
    concat,
    flip,
    inverse,
    known,
    normalised,
    permute_dims,
    ravel,
    reshape,
    several,
)


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


@reduction(lambda x, out, axis: shares(equal(x, out) | isnan(x), axis, x.dtype))
def max(xp, x, /, axis=None, keepdims=False):
    """Largest element over axes; equal ones share the cotangent, and so do NaNs.

    axis : int, tuple or None for all.  Keeps: x, out.

    >>> ad.grad(ad.max)(np.array([1.0, 3.0, 3.0]))
    array([0. , 0.5, 0.5])
    """
    return xp.max(x, axis, keepdims)


@reduction(lambda x, out, axis: shares(equal(x, out) | isnan(x), axis, x.dtype))
def min(xp, x, /, axis=None, keepdims=False):
    """Smallest element over axes; equal ones share the cotangent, and so do NaNs.

    axis : int, tuple or None for all.  Keeps: x, out.

    >>> ad.grad(ad.min)(np.array([1.0, 1.0, 3.0]))
    array([0.5, 0.5, 0. ])
    """
    return xp.min(x, axis, keepdims)


def soft_weights(x, out, axis):
    """eˣ⁻ʸ made to sum to one, which rounding y spoils for large x; zeros where all x are -∞."""
    top = largest(out.dtype)
    weights = exp(minimum(x, top) - clip(out, -top, top))
    total = sum(weights, axis, True)
    return weights / where(equal(total, 0), 1.0, total)


@reduction(soft_weights)
def logsumexp(xp, x, /, axis=None, keepdims=False):
    """Logarithm of the sum of exponentials: y = ln Σ eˣ,  ∂y/∂x = eˣ⁻ʸ; overflows nowhere.

    x : real.  Keeps: x, out.  Undefined: where all x are -∞; there the value is -∞, the slopes 0.
    Elements that are +∞ share the cotangent. Of no elements the value is -∞.

    >>> ad.grad(ad.logsumexp)(np.array([1000.0, -1000.0]))
    array([1., 0.])
    """
    if not count(shape(x), axis):
        return xp.sum(x, axis, keepdims) - math.inf
    top = xp.max(x, axis, True)
    if top.dtype.kind in "biu":
        x, top = x * 1.0, top * 1.0
    top = xp.where(xp.isfinite(top), top, xp.where(top > 0, top.dtype.type(largest(top.dtype)), 0))
    total = xp.sum(xp.exp(x - top if top.any() else x), axis, keepdims)
    folded = xp.log(xp.where(total == 0, 1.0, total)) + xp.reshape(
        top, shape_after(shape(x), axis, keepdims)
    )
    return xp.where(total == 0, -math.inf, folded)[()]


@predicate
def summit(xp, x, /, axis):
    """The largest over axes, which stay, or 0 where it is not finite; nothing is remembered of it.

    What a function is measured against that does not change with the level, or scales with it.
    """
    if not count(shape(x), axis):
        return xp.zeros(kept_shape(shape(x), axis), x.dtype)
    top = xp.max(x, axis, True)
    return top * 1.0 if top.dtype.kind in "biu" else xp.where(xp.isfinite(top), top, 0)[()]


@linear(lambda ct, axis: flip(running_sum(flip(ct, axis), axis), axis))
def running_sum(xp, x, /, axis):
    """Running sum: yᵢ = Σ over j ≤ i of xⱼ; its transpose runs from the other end."""
    return xp.cumsum(x, axis=axis)


def together(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Inputs of one shape, and an axis that moves up by one."""
    n = next(shape(a)[0] for a, b in zip(args, batched, strict=True) if b)
    full = [a if b else broadcast_to(a, (n, *shape(a))) for a, b in zip(args, batched, strict=True)]
    return op.call(*full, axis=params["axis"] + 1)


def recurrence_jvp(tangents, a, out, axis):
    da, db = tangents
    moved = None if da is None else da * before(out, axis, 0.0)
    return recurrence(a, moved if db is None else db if moved is None else db + moved, axis)


def recurrence_vjp(ct, a, out, axis):
    back = flowing_back(a, ct, axis)
    return [back * before(out, axis, 0.0), back]


@op(jvp=recurrence_jvp, vjp=recurrence_vjp, batch=together)
def recurrence(xp, a, b, /, axis):
    """Linear recurrence: yᵢ = aᵢ yᵢ₋₁ + bᵢ from y₋₁ = 0;  b̄ᵢ = ȳᵢ + aᵢ₊₁ b̄ᵢ₊₁,  āᵢ = b̄ᵢ yᵢ₋₁.

    In log₂ n steps (Hillis and Steele, 1986): after step k each element holds what the last 2ᵏ
    contribute, and the product of their a.
    """
    lead, step, y = (slice(None),) * axis, 1, xp.positive(b)
    while step < shape(b)[axis]:
        head, tail = (*lead, slice(step)), (*lead, slice(step, None))
        ago = (*lead, slice(-step))
        y = xp.concat([y[head], y[tail] + a[tail] * y[ago]], axis=axis)
        a = xp.concat([a[head], a[tail] * a[ago]], axis=axis)
        step *= 2
    return y


def flowing_back(a, ct, axis):
    """The transpose of the recurrence in b: zᵢ = ȳᵢ + aᵢ₊₁ zᵢ₊₁."""
    turned = recurrence(before(flip(a, axis), axis, 0.0), flip(ct, axis), axis)
    return flip(turned, axis)


@op(
    jvp=lambda tangents, x, out, axis: recurrence(x, tangents[0] * before(out, axis, 1.0), axis),
    vjp=lambda ct, x, out, axis: [flowing_back(x, ct, axis) * before(out, axis, 1.0)],
)
def running_product(xp, x, /, axis):
    """Running product: yᵢ = xᵢ yᵢ₋₁, so ẏᵢ = xᵢ ẏᵢ₋₁ + ẋᵢ yᵢ₋₁, without a division."""
    return xp.cumprod(x, axis=axis)


def fold(weights):
    """The jvp and vjp of a running op by the weights of its step: ẏᵢ = carry·ẏᵢ₋₁ + own·ẋᵢ."""

    def jvp(tangents, x, out, axis):
        own, carry = weights(x, out, axis)
        return recurrence(carry, own * tangents[0], axis)

    def vjp(ct, x, out, axis):
        own, carry = weights(x, out, axis)
        return [own * flowing_back(carry, ct, axis)]

    return dict(jvp=jvp, vjp=vjp)


def portions(new, old, axis):
    """What the newest and what all before it have of a total to which each step adds `new`.

    The step before counts `old` times. Both are 0 where there is nothing.
    """
    total = recurrence(old, new, axis)
    whole = where(equal(total, 0), 1.0, total)
    return new / whole, old * before(total, axis, 0.0) / whole


def tied(x, out, axis):
    """Weights of an extreme so far: shared by those that are equal, and by NaNs."""
    ago = before(out, axis, 0.0)
    same = equal(ago, out) | isnan(ago)
    return portions((equal(x, out) | isnan(x)).astype(x.dtype), same.astype(x.dtype), axis)


@op(**fold(tied))
def running_max(xp, x, /, axis):
    """The largest so far: yᵢ = max(xᵢ, yᵢ₋₁), equal ones share."""
    return xp.maximum.accumulate(x, axis=axis)


@op(**fold(tied))
def running_min(xp, x, /, axis):
    """The smallest so far: yᵢ = min(xᵢ, yᵢ₋₁), equal ones share."""
    return xp.minimum.accumulate(x, axis=axis)


@predicate
def crest(xp, x, /, axis):
    """The largest so far, of which nothing is remembered: what exponents are measured against."""
    return xp.maximum.accumulate(x, axis=axis)


def grown(x, out, axis):
    """Weights of the running sum of exponentials, each step measured against the largest so far."""
    top = largest(x.dtype)
    high = crest(x, axis)
    level = clip(high, -top, top)
    return portions(
        exp(minimum(x, top) - level),
        exp(minimum(before(high, axis, -math.inf), top) - level),
        axis,
    )


@op(**fold(grown))
def running_logsumexp(xp, x, /, axis):
    """Logarithm of the running sum of exponentials: yᵢ = ln(eˣ + exp yᵢ₋₁)."""
    return xp.logaddexp.accumulate(x, axis=axis)


@reduction(
    lambda x, axis, correction: (
        (x - mean(x, axis, True)) * twice_over(freedom(shape(x), axis, correction))
    )
)
def variance(xp, x, /, axis=None, keepdims=False, correction=0.0):
    """Variance of real numbers: y = Σ (x - x̄)²/(n - c),  ∂y/∂x = 2(x - x̄)/(n - c)."""
    apart = x - xp.sum(x, axis, True) / count(shape(x), axis)
    return xp.sum(apart * apart, axis, keepdims) / freedom(shape(x), axis, correction)


@reduction(
    lambda x, out, axis, correction: safe_divide(
        x - mean(x, axis, True), out * freedom(shape(x), axis, correction)
    )
)
def deviation(xp, x, /, axis=None, keepdims=False, correction=0.0):
    """Root of the variance of real numbers:  ∂y/∂x = (x - x̄)/((n - c)y), 0 where y = 0.

    Where squares leave the range of floats, that of x scaled by a power of two; so none overflows.
    """
    with np.errstate(all="ignore"):
        y = xp.sqrt(variance.op.forward(xp, x, axis, keepdims, correction))
    info = np.finfo(y.dtype)
    if ((y > float(info.tiny) ** 0.5 / float(info.eps)) & (y < math.inf)).all():
        return y
    folds = count(shape(x), axis)
    top = xp.max(xp.abs(x), axis, True) if folds else xp.zeros(kept_shape(shape(x), axis))
    power = xp.frexp(xp.where(xp.isfinite(top), top, 0))[1]
    y = xp.sqrt(variance.op.forward(xp, xp.ldexp(x, -power), axis, keepdims, correction))
    return xp.ldexp(y, xp.reshape(power, shape(y)))


@reduction(lambda x, out: safe_divide(x, out))
def length(xp, x, /, axis, keepdims=False):
    """Euclidean length of real x: y = √Σ x²,  ∂y/∂x = x/y, 0 where y = 0; overflows nowhere."""
    top = xp.max(xp.abs(x), axis, True) if x.size else xp.zeros(())
    top = xp.where((top > 0) & xp.isfinite(top), top, 1.0).astype(x.dtype)
    folded = xp.sqrt(xp.sum((x / top) ** 2, axis, True)) * top
    return folded if keepdims else folded.reshape(shape_after(x.shape, axis, False))[()]


def magnitude(x: Any, axis: Any, keepdims: bool) -> Any:
    """√Σ |x|² over axes, with the slope 0 where it is 0."""
    if is_complex(x):
        return hypot(length(real(x), axis, keepdims), length(imag(x), axis, keepdims))
    return length(x, axis, keepdims)


def var(
    a: Any,
    axis: Any = None,
    ddof: float = 0.0,
    keepdims: bool = False,
    *,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Variance over axes, divided by n - ddof; of complex numbers the sum of that of both parts.

    mean : the mean with its axes kept, where it is known; its derivative is its own
    correction : the array standard's word for `ddof`

    >>> ad.grad(ad.var)(np.array([1.0, 3.0]))
    array([-1.,  1.])
    """
    ddof = chosen(ddof, correction)
    if mean is not None:
        return squares(known(a) - known(mean), axis, keepdims, ddof)
    if is_complex(a):
        return variance(real(a), axis, keepdims, ddof) + variance(imag(a), axis, keepdims, ddof)
    return variance(a, axis, keepdims, ddof)


def std(
    a: Any,
    axis: Any = None,
    ddof: float = 0.0,
    keepdims: bool = False,
    *,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Standard deviation over axes, the root of `var`; where all elements are equal the slope is 0.

    >>> ad.grad(ad.std)(np.array([1.0, 3.0])), ad.grad(ad.std)(np.array([2.0, 2.0]))
    (array([-0.5,  0.5]), array([0., 0.]))
    """
    ddof = chosen(ddof, correction)
    if mean is not None:
        apart = known(a) - known(mean)
        return magnitude(apart, axis, keepdims) / math.sqrt(freedom(shape(apart), axis, ddof))
    if is_complex(a):
        return hypot(
            deviation(real(a), axis, keepdims, ddof), deviation(imag(a), axis, keepdims, ddof)
        )
    return deviation(a, axis, keepdims, ddof)


def chosen(ddof: float, correction: float | None) -> float:
    """What n is lessened by, under either of its names."""
    if correction is None:
        return ddof
    if ddof:
        raise ValueError("`ddof` and `correction` are two names of one thing; give one of them.")
    return correction


def squares(apart: Any, axis: Any, keepdims: bool, correction: float) -> Any:
    """Σ |x|² over axes, divided by how many elements they fold, less the correction."""
    n = freedom(shape(apart), axis, correction)
    if is_complex(apart):
        return sum(square(real(apart)) + square(imag(apart)), axis, keepdims) / n
    return sum(square(apart), axis, keepdims) / n


def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Range: the largest element less the smallest; equal ones share the cotangent.

    >>> ad.ptp(np.array([1.0, 4.0, 2.0])), ad.grad(ad.ptp)(np.array([1.0, 4.0, 2.0]))
    (np.float64(3.0), array([-1.,  1.,  0.]))
    """
    return max(a, axis, keepdims) - min(a, axis, keepdims)


def softmax(x: Any, axis: Any = -1) -> Any:
    """Exponentials that sum to one along `axis`: y = eˣ / Σ eˣ; overflows nowhere.

    x : real

    >>> ad.softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    return exp(log_shares(x, axis, "softmax"))


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Logarithm of `softmax`: y = x - ln Σ eˣ along `axis`; overflows nowhere.

    x : real

    >>> ad.log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
    return log_shares(x, axis, "log_softmax")


def log_shares(x: Any, axis: Any, name: str) -> Any:
    """x - ln Σ eˣ; first the largest x is taken off, so that no digits are lost to its size."""
    x = known(x)
    if axis is not None:
        several(axis, len(shape(x)) or 1, name)
    x = x - summit(x, axis)
    return x - logsumexp(x, axis, True)


def cumsum(a: Any, axis: int | None = None) -> Any:
    """Running sum along `axis`, or over all elements in a row.

    >>> ad.grad(lambda x: ad.cumsum(x).sum())(np.array([1.0, 2.0, 3.0]))
    array([3., 2., 1.])
    """
    return running(running_sum, a, axis, "cumsum")


def cumprod(a: Any, axis: int | None = None) -> Any:
    """Running product along `axis`, or over all elements in a row; right where elements are 0.

    >>> ad.grad(lambda x: ad.cumprod(x)[-1])(np.array([2.0, 0.0, 3.0]))
    array([0., 6., 0.])
    """
    return running(running_product, a, axis, "cumprod")


def cummax(a: Any, axis: int | None = None) -> Any:
    """The largest so far along `axis`, or of all elements in a row: `np.maximum.accumulate`.

    Equal ones share the cotangent, as those of `max` do.

    >>> x = np.array([1.0, 3.0, 2.0])
    >>> ad.cummax(x), ad.grad(lambda x: ad.cummax(x).sum())(x)
    (array([1., 3., 3.]), array([1., 2., 0.]))
    """
    return running(running_max, a, axis, "cummax")


def cummin(a: Any, axis: int | None = None) -> Any:
    """The smallest so far along `axis`, or of all elements in a row: `np.minimum.accumulate`.

    Equal ones share the cotangent, as those of `min` do.

    >>> x = np.array([2.0, 3.0, 1.0])
    >>> ad.cummin(x), ad.grad(lambda x: ad.cummin(x).sum())(x)
    (array([2., 2., 1.]), array([2., 0., 1.]))
    """
    return running(running_min, a, axis, "cummin")


def logcumsumexp(a: Any, axis: int | None = None) -> Any:
    """Logarithm of the running sum of exponentials: `np.logaddexp.accumulate`; overflows nowhere.

    a : real.  Elements that are -∞ add nothing; among +∞ the cotangent is shared.

    >>> ad.logcumsumexp(np.array([-np.inf, 1000.0, 0.0]))
    array([ -inf, 1000., 1000.])
    """
    return running(running_logsumexp, a, axis, "logcumsumexp")


def running(op: Any, x: Any, axis: int | None, name: str) -> Any:
    """`op` along `axis`, or of all elements in a row."""
    x = known(x)
    return op(ravel(x), 0) if axis is None else op(x, normalised(axis, len(shape(x)), name))


def cumulative_sum(x: Any, /, *, axis: int | None = None, include_initial: bool = False) -> Any:
    """`cumsum`, as the array standard has it: it may begin with the sum of nothing, 0.

    axis : may be left out where there is but one

    >>> ad.cumulative_sum(np.array([1.0, 2.0]), include_initial=True)
    array([0., 1., 3.])
    """
    return cumulative(running_sum, x, axis, 0.0 if include_initial else None, "cumulative_sum")


def cumulative_prod(x: Any, /, *, axis: int | None = None, include_initial: bool = False) -> Any:
    """`cumprod`, as the array standard has it: it may begin with the product of nothing, 1.

    axis : may be left out where there is but one

    >>> ad.cumulative_prod(np.array([3.0, 2.0]), include_initial=True)
    array([1., 3., 6.])
    """
    return cumulative(running_product, x, axis, 1.0 if include_initial else None, "cumulative_prod")


def cumulative(op: Any, x: Any, axis: int | None, initial: float | None, name: str) -> Any:
    """`op` along `axis`, after `initial` where there is one."""
    x = known(x)
    if not shape(x):
        x = reshape(x, (1,))
    if axis is None:
        if len(shape(x)) > 1:
            raise ShapeError(
                f"`{name}` needs to know along which axis: its input has shape {shape(x)}."
            )
        axis = 0
    axis = normalised(axis, len(shape(x)), name)
    out = op(x, axis)
    if initial is None:
        return out
    return concat([np.full(kept_shape(shape(out), axis), initial, out.dtype), out], axis)


def before(x: Any, axis: int, first: float) -> Any:
    """x one place later along `axis`, beginning with `first`."""
    old = shape(x)
    start = np.full((*old[:axis], int(old[axis] > 0), *old[axis + 1 :]), first, x.dtype)
    return concat([start, x[(*(slice(None),) * axis, slice(None, -1))]], axis)


def others(x: Any, axis: Any) -> Any:
    """For each element of x the product of the others along `axis`, without a division."""
    ndim = len(shape(x))
    axes = tuple(range(ndim)) if axis is None else axis if type(axis) is tuple else (axis,)
    axes = tuple([a % ndim for a in axes]) if ndim else ()
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
    """Weights of the chosen elements, summing to one along `axis`: equal, or as `kinks` has it."""
    if ties() != "share":
        places = np.arange(1.0, 1 + math.prod(shape(chosen))).reshape(shape(chosen))
        marked = where(chosen, places, math.inf if ties() == "first" else 0.0)
        chosen = equal(marked, (min if ties() == "first" else max)(marked, axis, True))
    weights = chosen.astype(dtype)
    return weights / sum(weights, axis, True)


def freedom(x_shape: tuple[int, ...], axis: Any, correction: float) -> float:
    """How many elements the axes fold into one, less the correction; never less than nothing."""
    n = count(x_shape, axis) - correction
    return n if n > 0 else 0.0


def twice_over(n: float) -> float:
    """2/n, which for nothing is infinite."""
    return 2 / n if n else math.inf


def largest(dtype: Any) -> float:
    """The largest finite number of a dtype."""
    return float(np.finfo(dtype).max)


def count(x_shape: tuple[int, ...], axis: Any) -> int:
    """How many elements of `x_shape` the axes fold into one."""
    if axis is None or not x_shape:  # NumPy lets a number have the axis 0
        return math.prod(x_shape)
    try:
        return math.prod([x_shape[a] for a in (axis if type(axis) is tuple else (axis,))])
    except IndexError:
        n = len(x_shape)
        raise np.exceptions.AxisError(f"axis {axis} is out of bounds for {n} dimensions") from None


def shape_after(x_shape: tuple[int, ...], axis: Any, keepdims: bool) -> tuple[int, ...]:
    """The shape of a reduction's output."""
    kept = kept_shape(x_shape, axis)
    if keepdims:
        return kept
    axes = (
        range(len(x_shape))
        if axis is None or not x_shape
        else [a % len(x_shape) for a in (axis if type(axis) is tuple else (axis,))]
    )
    return tuple([n for i, n in enumerate(kept) if i not in axes])


__all__ = [
    "cummax", "cummin", "cumprod", "cumsum", "cumulative_prod", "cumulative_sum",
    "log_softmax", "logcumsumexp", "logsumexp", "max", "mean", "min", "prod", "ptp", "softmax",
    "std", "sum", "var",
]  # fmt: skip
