"""Making arrays: from lists that hold remembered values, out of nothing, and evenly spaced.

`zeros`, `ones`, `full`, `empty`, `eye`, `identity` and `tri` return a Tensor that is not tracked,
so that what is tracked can be written into it: `out = ad.zeros(3); out[0] = x`. Integers and truth
values have no derivative: of them they return NumPy's arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backends.namespace import INEXACT
from ..core.tensor import Tensor
from ..core.traced import Traced, rare
from ..core.traced import shape as shape_of
from ..errors import DataError, ShapeError
from .constant import floor
from .elementwise import astype, log10, positive, pow, sign
from .shape import (
    broadcast_to,
    concat,
    expand_dims,
    gathered,
    known,
    memory,
    moveaxis,
    raised,
    remembers,
)


def array(object: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0) -> Any:
    """The array of nested lists, in which numbers, arrays and remembered values may stand.

    Raises: ShapeError where the rows have different shapes.

    >>> ad.jacobian(lambda x: ad.array([x[1] ** 2, 1.0, x[0]]))(np.array([3.0, 4.0]))
    array([[0., 8.],
           [0., 0.],
           [1., 0.]])
    """
    if not remembers(object):
        return np.array(object, dtype, copy=copy, ndmin=ndmin)[()]
    own = isinstance(object, Traced) and bool(copy)
    out = asarray(object, dtype)
    out = positive(out) if own else out
    return raised(out, ndmin)


def asarray(a: Any, dtype: Any = None) -> Any:
    """An array or a remembered value as it is, and nested lists of them as one array.

    >>> ad.asarray([1.0, 2.0])
    array([1., 2.])
    """
    if not remembers(a):
        return np.asarray(a, dtype)
    out = gathered(a)
    return out if dtype is None or out.dtype == np.dtype(dtype) else astype(out, np.dtype(dtype))


def copy(a: Any) -> Any:
    """The same elements in an array of its own; the identity to every derivative.

    >>> ad.grad(lambda x: ad.copy(x) ** 2)(3.0)
    np.float64(6.0)
    """
    return positive(a) if isinstance(a, Traced) else np.array(a)[()]


def untracked(made: np.ndarray) -> Any:
    """A new array as a Tensor that can be written into, if it can have a derivative."""
    return Tensor(made).detach() if made.dtype.char in INEXACT else made


def zeros(shape: Any, dtype: Any = None) -> Any:
    """An untracked Tensor of zeros, to be written into.

    >>> def f(x):
    ...     out = ad.zeros(3)
    ...     out[1] = x**2
    ...     return out.sum()
    >>> ad.grad(f)(3.0)
    np.float64(6.0)
    """
    return untracked(np.zeros(shape, dtype))


def ones(shape: Any, dtype: Any = None) -> Any:
    """An untracked Tensor of ones, to be written into.

    >>> ad.ones(2)
    Tensor([1., 1.])
    """
    return untracked(np.ones(shape, dtype))


def empty(shape: Any, dtype: Any = None) -> Any:
    """An untracked Tensor to be written into, of zeros until then.

    >>> ad.empty((2, 3)).shape
    (2, 3)
    """
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """A Tensor of `shape` filled with a number, or an array that broadcasts; both may be tracked.

    >>> ad.grad(lambda x: ad.full((2, 3), x).sum())(1.0)
    np.float64(6.0)
    """
    if not remembers(fill_value):
        return untracked(np.full(shape, fill_value, dtype))
    value = asarray(fill_value, dtype)
    out = value + np.zeros(shape, value.dtype)
    if len(shape_of(out)) > np.size(shape):
        raise ShapeError(f"`full` cannot fill {shape} with a value of shape {shape_of(value)}.")
    return out


def zeros_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Zeros like `a`: of a remembered value an untracked Tensor, of an array an array.

    >>> ad.zeros_like(np.array([1.0, 2.0]))
    array([0., 0.])
    """
    return full_like(a, 0, dtype, shape=shape)


def ones_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Ones like `a`: of a remembered value an untracked Tensor, of an array an array.

    >>> ad.ones_like(np.array([1.0, 2.0]))
    array([1., 1.])
    """
    return full_like(a, 1, dtype, shape=shape)


def empty_like(prototype: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """As `zeros_like`: elements that nobody has written are zeros.

    >>> ad.empty_like(np.array([1.0, 2.0])).shape
    (2,)
    """
    return zeros_like(prototype, dtype, shape=shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """A value, which may be tracked, in the shape and dtype of `a`.

    >>> ad.grad(lambda x: ad.full_like(np.zeros(4), x).sum())(1.0)
    np.float64(4.0)
    """
    a = known(a)
    shape = shape_of(a) if shape is None else shape
    dtype = a.dtype if dtype is None else dtype
    if isinstance(a, Traced) or remembers(fill_value):
        return full(shape, fill_value, dtype)
    return np.full(shape, fill_value, dtype)[()]


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = float) -> Any:
    """An untracked Tensor with ones on the diagonal k and zeros elsewhere.

    >>> ad.eye(2, 3)
    Tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    return untracked(np.eye(N, M, k, dtype))


def identity(n: int, dtype: Any = None) -> Any:
    """The unit matrix, as an untracked Tensor.

    >>> ad.identity(2).shape
    (2, 2)
    """
    return eye(n, dtype=float if dtype is None else dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = float) -> Any:
    """An untracked Tensor of ones on and below the diagonal k, zeros above.

    >>> ad.tri(2)
    Tensor([[1., 0.],
            [1., 1.]])
    """
    return untracked(np.tri(N, M, k, dtype))


def arange(start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None) -> Any:
    """The numbers from `start`, or 0, up to but without `stop`, `step` apart: NumPy's array.

    How many there are would jump with a tracked end.

    Raises: DataError where an end or the step is tracked.

    >>> ad.arange(3), ad.grad(lambda step: (step * ad.arange(3)).sum())(0.1)
    (array([0, 1, 2]), np.float64(3.0))
    """
    if remembers([start, stop, step]):
        raise DataError(
            "`arange` makes a number of elements that jumps with its ends, so none of them may be "
            "tracked. Use `linspace`, or `start + step * np.arange(n)`."
        )
    return np.arange(start, stop, step, dtype)  # type: ignore[call-overload]


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers evenly spaced from `start` to `stop`, along a new axis; both may be arrays.

    yᵢ = start + i·step,  step = (stop - start)/(num - 1), or /num without the endpoint.

    >>> ad.jacobian(lambda b: ad.linspace(0.0, b, 3))(2.0)
    array([0. , 0.5, 1. ])
    """
    start, stop = (known(end) * 1.0 for end in (start, stop))
    parts = number(num, "linspace") - bool(endpoint)
    span = stop - start
    step = span / parts if parts > 0 else math.nan
    i = np.arange(num, dtype=span.dtype).reshape(num, *[1] * len(shape_of(span)))
    if endpoint and num > 1:
        last = stop if shape_of(stop) == shape_of(span) else broadcast_to(stop, shape_of(span))
        out = concat([i[:-1] * step + start, expand_dims(last, 0)])
    else:
        out = i * (step if parts > 0 else span) + start
    out = recast(moveaxis(out, 0, axis) if axis else out, dtype)
    return (out, step) if retstep else out


def number(num: Any, name: str) -> int:
    """How many numbers are asked for."""
    if num < 0:
        raise DataError(f"`{name}` cannot make {num} numbers.")
    return int(num)


def recast(out: Any, dtype: Any) -> Any:
    """`out` in another dtype, rounded down to integers."""
    if dtype is None or out.dtype == np.dtype(dtype):
        return out
    if isinstance(out, Traced):
        return astype(out, np.dtype(dtype))
    return (floor(out) if np.dtype(dtype).kind in "iu" else out).astype(dtype)


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers from base^start to base^stop, their logarithms evenly spaced.

    >>> ad.logspace(0, 2, 3), float(ad.grad(lambda b: ad.logspace(0, 2, 3, base=b).sum())(10.0))
    (array([  1.,  10., 100.]), 21.0)
    """
    if not np.isscalar(base) and shape_of(known(base)):
        ends = [known(v) for v in (start, stop, base)]
        rank = max(len(shape_of(v)) for v in ends)
        start, stop, base = (raised(v, rank) for v in ends)
        base = expand_dims(base, axis)
    return recast(pow(base, linspace(start, stop, num, endpoint, axis=axis)), dtype)


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """`num` numbers from `start` to `stop`, the ratio of neighbours the same: yᵢ = start·rⁱ.

    Both may be arrays, complex, or negative together.

    Raises: DataError where an end is zero.

    >>> ad.geomspace(1.0, 100.0, 3), ad.grad(lambda b: ad.geomspace(1.0, b, 3)[1])(4.0).round(9)
    (array([  1.,  10., 100.]), np.float64(0.25))
    """
    start, stop = (known(end) * 1.0 for end in (start, stop))
    if number(num, "geomspace") and any(rare((memory(end) == 0).any()) for end in (start, stop)):
        raise DataError("`geomspace` from or to zero has no ratio. Both ends must differ from 0.")
    direction = sign(start)
    if start.dtype.kind != "c" and stop.dtype.kind == "c":
        direction = direction * (1 + 0j)
    first, last = start / direction, stop / direction
    out = pow(10.0, linspace(log10(first), log10(last), num, endpoint)) * direction
    if num > 0:
        a, b = (broadcast_to(end, (1, *shape_of(out)[1:])) for end in (start, stop))
        out = concat([a, out[1:-1], b] if endpoint and num > 1 else [a, out[1:]])
    out = recast(out, dtype)
    return moveaxis(out, 0, axis) if axis else out


__all__ = [
    "arange", "array", "asarray", "copy", "empty", "empty_like", "eye", "full", "full_like",
    "geomspace", "identity", "linspace", "logspace", "ones", "ones_like", "tri", "zeros",
    "zeros_like",
]  # fmt: skip
