"""The same elements, arranged otherwise: shapes, axes, joining and splitting."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from ..backends.namespace import NUMBERS
from ..core.reverse import unbroadcast
from ..core.traced import Traced, bottom
from ..core.traced import shape as shape_of
from ..errors import AxisError, DataError, ShapeError
from .batch import as_it_is, in_a_row, joining, permuted, shaped
from .rules import linear


@linear(lambda ct, x_shape: reshape(ct, x_shape), view=True, batch=shaped)
def reshape(xp, x, /, shape):
    """The same elements in another shape, one length of which may be -1.

    >>> ad.reshape(np.arange(6.0), (2, -1))
    array([[0., 1., 2.],
           [3., 4., 5.]])
    """
    return xp.reshape(x, shape)


@linear(lambda ct, axes: permute_dims(ct, inverse(axes)), view=True, batch=permuted)
def permute_dims(xp, x, /, axes):
    """The axes in another order: axis k of y is the axis axes[k] of x.

    >>> ad.permute_dims(np.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return xp.permute_dims(x, axes)


@linear(lambda ct: matrix_transpose(ct), view=True, batch=as_it_is)
def matrix_transpose(xp, x, /):
    """The last two axes exchanged: Y = Xᵀ,  X̄ = Ȳᵀ.

    >>> ad.matrix_transpose(np.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    return x.swapaxes(-1, -2)


@linear(lambda ct, x_shape: unbroadcast(ct, x_shape), batch=shaped)
def broadcast_to(xp, x, /, shape):
    """x repeated to `shape` by the rules of broadcasting; its transpose sums.

    >>> ad.grad(lambda x: ad.broadcast_to(x, (3, 2)).sum())(np.ones(2))
    array([3., 3.])
    """
    return xp.broadcast_to(x, shape)


@linear(lambda ct, x_shape: unbroadcast(ct, x_shape), batch=shaped)
def spread(xp, x, /, shape):
    """x repeated along axes of length one to `shape`, in elements of its own."""
    return xp.broadcast_to(x, shape)


@linear(lambda ct, axis: flip(ct, axis), view=True)
def flip(xp, x, /, axis=None):
    """The order of the elements reversed along `axis` (int, tuple, or None for all).

    >>> ad.grad(lambda x: ad.flip(x)[0])(np.ones(3))
    array([0., 0., 1.])
    """
    return xp.flip(x, axis)


@linear(lambda ct, shift, axis: roll(ct, negated(shift), axis), batch=in_a_row)
def roll(xp, x, /, shift, axis=None):
    """The elements moved `shift` places along `axis`; what falls off returns at the other end.

    >>> ad.roll(np.arange(4.0), 1), ad.grad(lambda x: ad.roll(x, 1)[0])(np.ones(4))
    (array([3., 0., 1., 2.]), array([0., 0., 0., 1.]))
    """
    return xp.roll(x, shift, axis)


@linear(lambda ct, x_shape, offset: embed_diagonal(ct, x_shape, offset), view=True, batch=as_it_is)
def diagonal(xp, x, /, offset=0):
    """The diagonals of the last two axes: y[..., i] = x[..., i, i + offset].

    >>> ad.diagonal(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 4.])
    """
    return xp.diagonal(x, offset, -2, -1)


@linear(lambda ct, x_shape, offset: diagonal(ct, offset), batch=shaped)
def embed_diagonal(xp, x, /, shape, offset=0):
    """Zeros of `shape` with x on the diagonal of the last two axes."""
    out = xp.zeros(shape, dtype=x.dtype)
    i = xp.arange(x.shape[-1])
    out[..., i + max(-offset, 0), i + max(offset, 0)] = x
    return out


@linear(lambda ct, x_shape, k: unbroadcast(tril(ct, k), x_shape), batch=as_it_is)
def tril(xp, x, /, k=0):
    """The lower triangle of the last two axes, up to diagonal k; zeros above.

    A vector is every row of a square matrix.

    >>> ad.tril(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 0.],
           [3., 4.]])
    """
    return xp.tril(x, k)


@linear(lambda ct, x_shape, k: unbroadcast(triu(ct, k), x_shape), batch=as_it_is)
def triu(xp, x, /, k=0):
    """The upper triangle of the last two axes, from diagonal k; zeros below.

    A vector is every row of a square matrix.

    >>> ad.triu(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 2.],
           [0., 4.]])
    """
    return xp.triu(x, k)


@linear(lambda ct, xs_shape, axis: pieces(ct, [s[axis] for s in xs_shape], axis), batch=joining)
def joined(xp, *xs, axis):
    """Arrays joined along an axis that they have."""
    return xp.concat(xs, axis=axis)


def inverse(axes: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes `axes`."""
    out = [0] * len(axes)
    for i, a in enumerate(axes):
        out[a] = i
    return tuple(out)


def negated(shift: Any) -> Any:
    """`shift` in the other direction."""
    return tuple(-s for s in shift) if type(shift) is tuple else -shift


def pieces(x: Any, lengths: Sequence[int], axis: int) -> list[Any]:
    """x cut along `axis` into pieces of these lengths."""
    cut, start = [], 0
    for n in lengths:
        cut.append(x[(slice(None),) * axis + (slice(start, start + n),)])
        start += n
    return cut


def normalised(axis: int, ndim: int, op: str) -> int:
    """`axis` counted from the front; `AxisError` where there is none."""
    i = operator.index(axis)
    if not -ndim <= i < ndim:
        raise AxisError(
            f"`{op}` was given axis {axis}; its input has {ndim} axes. Use -{ndim} ... {ndim - 1}."
        )
    return i % ndim


def known(data: Any) -> Any:
    """`data` where it is an array or a remembered value, else the array that it lists."""
    return data if hasattr(data, "shape") else gathered(data)


def gathered(data: Any) -> Any:
    """The array of nested lists, which may hold remembered values and arrays.

    Raises: ShapeError where the rows have different shapes.
    """
    if not remembers(data):
        try:
            return np.asarray(data)
        except ValueError as error:
            raise ShapeError(
                f"a list with rows of different shapes is no array: {error}"
            ) from error
    if not isinstance(data, (list, tuple)):
        return data
    rows = [gathered(row) for row in data]
    shapes = {shape_of(row): None for row in rows}
    if len(shapes) > 1:
        raise ShapeError(
            f"a list with rows of different shapes is no array; it has {[*shapes]}. "
            "Join them with `concat`, or keep the list: every transform takes lists."
        )
    one = (1, *next(iter(shapes)))
    joint = []
    for own, run in groupby(rows, lambda row: isinstance(row, Traced)):
        same = list(run)
        joint += [reshape(row, one) for row in same] if own else [np.stack(same)]
    return joined(*joint, axis=0)


def remembers(data: Any) -> bool:
    """True for a remembered value, and for nested lists that hold one."""
    if isinstance(data, (list, tuple)):
        return any(map(remembers, data))
    return isinstance(data, Traced)


def raised(a: Any, ndim: int) -> Any:
    """`a` with axes of length one in front, `ndim` in all if it has fewer."""
    own = shape_of(a)
    return a if len(own) >= ndim else reshape(a, (1,) * (ndim - len(own)) + own)


def memory(x: Any) -> Any:
    """The plain array at the bottom of a value, or what stands for it."""
    return bottom(x)


def by_columns(x: Any, order: str, name: str) -> bool:
    """True where `order` says that the first index runs fastest; "A" goes by how x lies in memory.

    Raises: DataError where it is none of "C", "F" and "A".
    """
    if order not in ("C", "F", "A"):
        raise DataError(f"`{name}` knows the orders 'C', 'F' and 'A'; it was given {order!r}.")
    return order == "F" or (order == "A" and np.asarray(memory(x)).flags.fnc)


def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes reversed, or in the order `axes`.

    >>> ad.transpose(np.zeros((2, 3, 4))).shape
    (4, 3, 2)
    """
    a = known(a)
    ndim = len(shape_of(a))
    order = range(ndim)[::-1] if axes is None else [normalised(i, ndim, "transpose") for i in axes]
    return permute_dims(a, tuple(order))


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    >>> ad.swapaxes(np.zeros((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    a = known(a)
    order = list(range(len(shape_of(a))))
    i, j = (normalised(k, len(order), "swapaxes") for k in (axis1, axis2))
    order[i], order[j] = order[j], order[i]
    return permute_dims(a, tuple(order))


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Axes moved to new positions, the others keeping their order.

    Raises: ShapeError where an axis is named twice, or not as many of them come as go.

    >>> ad.moveaxis(np.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    a = known(a)
    ndim = len(shape_of(a))
    source, destination = (several(i, ndim, "moveaxis") for i in (source, destination))
    if len(source) != len(destination):
        raise ShapeError(
            f"`moveaxis` needs a destination for each axis; it was given {len(source)} axes and "
            f"{len(destination)} destinations."
        )
    order = [i for i in range(ndim) if i not in source]
    for to, axis in sorted(zip(destination, source, strict=True)):
        order.insert(to, axis)
    return permute_dims(a, tuple(order))


def several(axis: Any, ndim: int, op: str) -> list[int]:
    """One axis or several, counted from the front; `ShapeError` where one is named twice."""
    axes = [normalised(i, ndim, op) for i in (axis if isinstance(axis, (tuple, list)) else [axis])]
    if len({*axes}) != len(axes):
        raise ShapeError(f"`{op}` was given an axis twice: {axis}.")
    return axes


def ravel(a: Any, order: str = "C") -> Any:
    """All elements in one row, the last index running fastest, or with order "F" the first.

    >>> ad.ravel(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 2., 3., 4.])
    """
    a = known(a)
    if order != "C" and by_columns(a, order, "ravel"):
        a = transpose(a)
    return reshape(a, (-1,))


def expand_dims(a: Any, axis: int | Sequence[int] = 0) -> Any:
    """New axes of length one at the positions `axis` of the result.

    >>> ad.expand_dims(np.zeros(2), (0, -1)).shape
    (1, 2, 1)
    """
    a = known(a)
    ndim = len(shape_of(a)) + (len(axis) if isinstance(axis, (tuple, list)) else 1)
    new = several(axis, ndim, "expand_dims")
    old = iter(shape_of(a))
    return reshape(a, tuple([1 if i in new else next(old) for i in range(ndim)]))


def squeeze(a: Any, axis: int | Sequence[int] | None = None) -> Any:
    """The axes of length one removed: those of `axis`, or all.

    Raises: ShapeError where an axis has another length.

    >>> ad.squeeze(np.zeros((1, 2, 1))).shape
    (2,)
    """
    a = known(a)
    old = shape_of(a)
    if axis is None:
        return reshape(a, tuple([n for n in old if n != 1]))
    gone = several(axis, len(old), "squeeze")
    for i in gone:
        if old[i] != 1:
            raise ShapeError(
                f"`squeeze` can remove axes of length 1; axis {i} of shape {old} has {old[i]}."
            )
    return reshape(a, tuple([n for i, n in enumerate(old) if i not in gone]))


def concat(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Arrays joined along an axis that they have, or, with None, all elements in one row.

    >>> ad.grad(lambda x: ad.concat([x, [5.0], x]) @ np.arange(5.0))(np.ones(2))
    array([3., 5.])
    """
    arrays = [*map(known, arrays)]
    if not arrays:
        raise ShapeError("`concat` needs at least one array; it was given none.")
    if axis is None:
        return joined(*[ravel(a) for a in arrays], axis=0)
    return joined(*arrays, axis=normalised(axis, len(shape_of(arrays[0])), "concat"))


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one shape joined along a new axis.

    >>> ad.grad(lambda x: ad.stack([x, 2 * x], axis=1).sum())(np.ones(3))
    array([3., 3., 3.])
    """
    arrays = [*map(known, arrays)]
    shapes = {shape_of(a) for a in arrays}
    if len(shapes) != 1:
        raise ShapeError(
            f"`stack` needs arrays of one shape, at least one; it was given {sorted(shapes)}."
        )
    axis = normalised(axis, len(shapes.pop()) + 1, "stack")
    return joined(*[expand_dims(a, axis) for a in arrays], axis=axis)


def split(ary: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """An array cut along `axis` into that many equal parts, or before each of several indices.

    Raises: ShapeError where the parts would not be equal.

    >>> ad.split(np.arange(5.0), [2])
    [array([0., 1.]), array([2., 3., 4.])]
    """
    ary = known(ary)
    axis = normalised(axis, len(shape_of(ary)), "split")
    n = shape_of(ary)[axis]
    if np.ndim(indices_or_sections):
        ends = [0, *indices_or_sections, n]  # type: ignore[misc]
        return [ary[(slice(None),) * axis + (slice(a, b),)] for a, b in pairwise(ends)]
    sections = operator.index(indices_or_sections)  # type: ignore[arg-type]
    if sections < 1 or n % sections:
        raise ShapeError(
            f"`split` cannot cut axis {axis}, of length {n}, into {sections} equal parts."
        )
    return pieces(ary, [n // sections] * sections, axis)


def broadcast_arrays(*args: Any) -> list[Any]:
    """The arrays repeated to the one shape that they broadcast to.

    >>> ad.broadcast_arrays(np.array([1.0, 2.0]), 3.0)
    [array([1., 2.]), array([3., 3.])]
    """
    arrays = [a if type(a) in NUMBERS else known(a) for a in args]
    shape = np.broadcast_shapes(*map(shape_of, arrays))
    return [a if shape_of(a) == shape else broadcast_to(a, shape) for a in arrays]


def tile(A: Any, reps: int | Sequence[int]) -> Any:
    """An array laid side by side `reps` times along each axis.

    >>> ad.tile(np.array([1.0, 2.0]), 2), ad.grad(lambda x: ad.tile(x, 3).sum())(np.ones(2))
    (array([1., 2., 1., 2.]), array([3., 3.]))
    """
    A = known(A)
    times: tuple[Any, ...] = tuple(reps) if np.ndim(reps) else (reps,)  # type: ignore[arg-type]
    old = shape_of(A)
    ndim = max(len(times), len(old))
    times, old = (1,) * (ndim - len(times)) + times, (1,) * (ndim - len(old)) + old
    apart = reshape(A, tuple([m for n in old for m in (1, n)]))
    repeated = spread(apart, tuple([m for t, n in zip(times, old, strict=True) for m in (t, n)]))
    return reshape(repeated, tuple([t * n for t, n in zip(times, old, strict=True)]))


def diag(v: Any, k: int = 0) -> Any:
    """The diagonal k of a matrix, or the matrix with a vector on its diagonal k.

    >>> ad.diag(np.array([[1.0, 2.0], [3.0, 4.0]])), ad.diag(np.array([5.0]), k=1)
    (array([1., 4.]), array([[0., 5.],
           [0., 0.]]))
    """
    v = known(v)
    if len(shape_of(v)) == 2:
        return diagonal(v, k)
    if len(shape_of(v)) != 1:
        raise ShapeError(
            f"`diag` takes a vector or a matrix; it was given the shape {shape_of(v)}. "
            "`diagonal` takes any two axes of more."
        )
    n = shape_of(v)[0] + abs(k)
    return embed_diagonal(v, (n, n), k)
