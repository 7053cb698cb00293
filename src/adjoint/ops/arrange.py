"""Joining, splitting, repeating and turning arrays, by NumPy's names: compositions of few ops."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.traced import Traced
from ..core.traced import shape as shape_of
from ..errors import BatchError, DataError, ShapeError
from . import shape
from .constant import not_equal
from .creation import copy as copied
from .index import index_add, take
from .rules import linear
from .shape import (
    broadcast_arrays,
    broadcast_to,
    by_columns,
    concat,
    diag,
    expand_dims,
    flip,
    known,
    memory,
    moveaxis,
    normalised,
    permute_dims,
    pieces,
    raised,
    ravel,
    several,
    split,
    spread,
    stack,
    swapaxes,
    transpose,
)


def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """The same elements in another shape, one length of which may be -1.

    order : "C", the last index runs fastest; "F", the first; "A", as the elements lie in memory,
        which inside `vmap` counts as "C"
    copy : True for elements of its own; False to be refused (ShapeError) where it would have them

    >>> ad.reshape(np.arange(6.0), (2, -1), order="F")
    array([[0., 2., 4.],
           [1., 3., 5.]])
    """
    a = known(a)
    target = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if order != "C" and by_columns(a, order, "reshape"):
        out = transpose(in_rows(transpose(a), target[::-1]))
    else:
        out = in_rows(a, target)
    if copy:
        return copied(out)
    if copy is False and out.size and not np.may_share_memory(memory(out), memory(a)):
        raise ShapeError(
            f"`reshape` from {shape_of(a)} to {shape} needs a copy here, which copy=False forbids."
        )
    return out


in_rows = shape.reshape
diagonals = shape.diagonal


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of two axes, as the last axis: y[..., i] = a[..., i, ..., i + offset, ...].

    >>> ad.diagonal(np.array([[1.0, 2.0], [3.0, 4.0]]), 1)
    array([2.])
    """
    a = known(a)
    axes = several((axis1, axis2), len(shape_of(a)), "diagonal")
    return diagonals(moveaxis(a, axes, (-2, -1)), offset)


def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with all elements of `v` on its diagonal k.

    >>> ad.diagflat(np.array([[1.0, 2.0]]))
    array([[1., 0.],
           [0., 2.]])
    """
    return diag(ravel(v), k)


def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis: of one array the array, of several a tuple.

    >>> ad.atleast_1d(3.0, np.zeros((2, 2)))[0]
    array([3.])
    """
    return each(lambda a: a if shape_of(a) else in_rows(a, (1,)), arys)


def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least two axes, new ones in front: of one the array, of several a tuple.

    >>> ad.atleast_2d(np.zeros(3)).shape
    (1, 3)
    """
    return each(lambda a: raised(a, 2), arys)


def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least three axes: (n,) becomes (1, n, 1), and (m, n) becomes (m, n, 1).

    >>> ad.atleast_3d(np.zeros(3)).shape, ad.atleast_3d(np.zeros((2, 3))).shape
    ((1, 3, 1), (2, 3, 1))
    """
    return each(lambda a: a if len(shape_of(a)) > 2 else expand_dims(raised(a, 2), 2), arys)


def each(function: Callable[[Any], Any], arrays: Sequence[Any]) -> Any:
    """`function` of one array, or of each of several as a tuple."""
    out = tuple([function(known(a)) for a in arrays])
    return out[0] if len(out) == 1 else out


def hstack(tup: Sequence[Any]) -> Any:
    """Arrays side by side: along their second axis, or the first of vectors.

    >>> ad.hstack([np.array([1.0, 2.0]), 3.0])
    array([1., 2., 3.])
    """
    arrays = [atleast_1d(a) for a in tup]
    return concat(arrays, 0 if arrays and len(shape_of(arrays[0])) == 1 else 1)


def vstack(tup: Sequence[Any]) -> Any:
    """Arrays one below the other; a vector counts as a row.

    >>> ad.vstack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    array([[1., 2.],
           [3., 4.]])
    """
    return concat([atleast_2d(a) for a in tup])


row_stack = vstack


def dstack(tup: Sequence[Any]) -> Any:
    """Arrays one behind the other, along their third axis.

    >>> ad.dstack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    array([[[1., 3.],
            [2., 4.]]])
    """
    return concat([atleast_3d(a) for a in tup], 2)


def column_stack(tup: Sequence[Any]) -> Any:
    """Vectors as the columns of a matrix; matrices side by side.

    >>> ad.column_stack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    array([[1., 3.],
           [2., 4.]])
    """
    arrays = [known(a) for a in tup]
    columns = [a if len(shape_of(a)) > 1 else transpose(raised(a, 2)) for a in arrays]
    return concat(columns, 1)


def block(arrays: Any) -> Any:
    """An array from nested lists of blocks: the innermost lists are joined along the last axis.

    Raises: ShapeError where the lists are not nested equally deep, or blocks do not fit.

    >>> a = np.eye(2)
    >>> ad.block([[a, 5 * np.ones((2, 1))], [np.zeros(2), 7.0]])
    array([[1., 0., 5.],
           [0., 1., 5.],
           [0., 0., 7.]])
    """
    depth = nesting(arrays)
    leaves = [known(a) for a in flat(arrays)]
    ndim = max(depth, *[len(shape_of(a)) for a in leaves], 0)
    whole = assembled(arrays, iter([raised(a, ndim) for a in leaves]), -depth)
    return whole if depth else copied(whole)


def nesting(arrays: Any) -> int:
    """How deep the lists of `block` are nested; ShapeError where that is not one number."""
    if isinstance(arrays, tuple):
        raise ShapeError("`block` takes lists of blocks; it was given a tuple. Write a list.")
    if not isinstance(arrays, list):
        return 0
    depths = {nesting(a) for a in arrays}
    if len(depths) != 1:
        raise ShapeError(
            "`block` needs lists that are nested equally deep, none of them empty; one list has "
            f"members of the depths {sorted(depths)}."
        )
    return depths.pop() + 1


def flat(arrays: Any) -> list[Any]:
    """The blocks of nested lists in a row."""
    return [leaf for a in arrays for leaf in flat(a)] if isinstance(arrays, list) else [arrays]


def assembled(arrays: Any, leaves: Any, axis: int) -> Any:
    """Blocks joined as `arrays` is nested, each taken from the iterator `leaves`."""
    if not isinstance(arrays, list):
        return next(leaves)
    return concat([assembled(a, leaves, axis + 1) for a in arrays], axis)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`values` joined behind `arr` along `axis`, or, with None, all elements in one row.

    >>> ad.append(np.array([1.0, 2.0]), 3.0)
    array([1., 2., 3.])
    """
    return concat([known(arr), known(values)], axis)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """An array cut along `axis` into so many parts, the first ones longer by one where need be.

    >>> ad.array_split(np.arange(5.0), 2)
    [array([0., 1., 2.]), array([3., 4.])]
    """
    ary = known(ary)
    if np.ndim(indices_or_sections):
        return split(ary, indices_or_sections, axis)
    axis = normalised(axis, len(shape_of(ary)), "array_split")
    parts = operator.index(indices_or_sections)
    if parts < 1:
        raise ShapeError(f"`array_split` makes at least 1 part; it was asked for {parts}.")
    least, longer = divmod(shape_of(ary)[axis], parts)
    return pieces(ary, [least + 1] * longer + [least] * (parts - longer), axis)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """An array cut along its second axis, or a vector along its first, as `split` does.

    >>> ad.hsplit(np.arange(4.0), 2)
    [array([0., 1.]), array([2., 3.])]
    """
    ary = deep_enough(ary, 1, "hsplit")
    return split(ary, indices_or_sections, 0 if len(shape_of(ary)) == 1 else 1)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """An array of two axes or more cut along the first, as `split` does.

    >>> ad.vsplit(np.arange(4.0).reshape(2, 2), 2)
    [array([[0., 1.]]), array([[2., 3.]])]
    """
    return split(deep_enough(ary, 2, "vsplit"), indices_or_sections, 0)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """An array of three axes or more cut along the third, as `split` does.

    >>> [part.shape for part in ad.dsplit(np.zeros((2, 2, 4)), [1])]
    [(2, 2, 1), (2, 2, 3)]
    """
    return split(deep_enough(ary, 3, "dsplit"), indices_or_sections, 2)


def deep_enough(a: Any, ndim: int, name: str) -> Any:
    """`a` as an array; ShapeError where it has fewer than `ndim` axes."""
    a = known(a)
    if len(shape_of(a)) < ndim:
        raise ShapeError(f"`{name}` needs {ndim} axes or more; it was given shape {shape_of(a)}.")
    return a


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices of an array along `axis`, which `stack` would put together again.

    >>> ad.unstack(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    (array([1., 3.]), array([2., 4.]))
    """
    x = deep_enough(x, 1, "unstack")
    axis = normalised(axis, len(shape_of(x)), "unstack")
    return tuple([x[(slice(None),) * axis + (i,)] for i in range(shape_of(x)[axis])])


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element, or slice along `axis`, `repeats` times over: one number, or one for each.

    >>> ad.repeat(np.array([1.0, 2.0]), [1, 2]), ad.grad(lambda x: ad.repeat(x, 3).sum())(1.0)
    (array([1., 2., 2.]), np.float64(3.0))
    """
    a = known(a)
    if axis is None:
        a, axis = ravel(a), 0
    axis, own = normalised(axis, len(shape_of(a)), "repeat"), shape_of(a)
    times = np.asarray(repeats)
    if times.dtype.kind not in "iu" or times.ndim > 1 or (times < 0).any():
        raise DataError(
            "`repeat` needs one integer, or one for each element along the axis, none negative; "
            f"it was given {repeats!r}."
        )
    if times.size == 1:
        n = times.item()
        apart = expand_dims(a, axis + 1)
        wide = spread(apart, (*own[: axis + 1], n, *own[axis + 1 :]))
        return in_rows(wide, (*own[:axis], own[axis] * n, *own[axis + 1 :]))
    if times.size != own[axis]:
        raise ShapeError(
            f"`repeat` was given {times.size} numbers of times for axis {axis} of length "
            f"{own[axis]}; give one, or as many."
        )
    return take(a, np.repeat(np.arange(own[axis]), times), axis)


def resize(a: Any, new_shape: Any) -> Any:
    """The elements in a row, over and over as often as need be, in another shape.

    Of no elements zeros are made.

    >>> ad.resize(np.array([1.0, 2.0]), (2, 3))
    array([[1., 2., 1.],
           [2., 1., 2.]])
    """
    target = tuple(new_shape) if isinstance(new_shape, (tuple, list)) else (new_shape,)
    if any(n < 0 for n in target):
        raise ShapeError(f"`resize` cannot make the shape {target}: a length is negative.")
    row, size = ravel(a), int(np.prod(target))
    (n,) = shape_of(row)
    if n == 0:
        return in_rows(index_add(row, (size,), slice(0, 0)), target)
    times = -(-size // n)
    if times > 1:
        row = in_rows(spread(expand_dims(row, 0), (times, n)), (times * n,))
    return in_rows(row[:size], target)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """`values` put in before the positions `obj` along `axis`, or, with None, into one row.

    obj : integer, slice, sequence of integers, or mask; `values` broadcast to what is put in

    >>> ad.insert(np.array([1.0, 2.0, 3.0]), 1, 9.0)
    array([1., 9., 2., 3.])
    """
    arr, values = known(arr), known(values)
    if axis is None:
        arr, axis = ravel(arr), 0
    own = shape_of(arr)
    axis = normalised(axis, len(own), "insert")
    n, at = own[axis], np.asarray([] if isinstance(obj, slice) else obj)
    if at.size == 1 and at.dtype != bool:
        values = raised(values, len(own))
        if at.ndim == 0:
            values = moveaxis(values, 0, axis)
        new = shape_of(values)[axis]
        order = np.insert(np.arange(n), at.item(), np.arange(n, n + new))
    else:
        new = np.insert(np.arange(n), obj, 0).size - n
        order = np.insert(np.arange(n), obj, np.arange(n, n + new))
    if not isinstance(values, Traced):
        values = values.astype(arr.dtype)
    values = broadcast_to(values, (*own[:axis], new, *own[axis + 1 :]))
    return take(concat([arr, values], axis), order, axis)


def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """What is left without the positions `obj` along `axis`, or, with None, in one row.

    obj : integer, slice, sequence of integers, or mask

    >>> ad.delete(np.array([1.0, 2.0, 3.0]), 1)
    array([1., 3.])
    """
    arr = known(arr)
    if axis is None:
        arr, axis = ravel(arr), 0
    axis = normalised(axis, len(shape_of(arr)), "delete")
    return take(arr, np.delete(np.arange(shape_of(arr)[axis]), obj), axis)


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """An array without the zeros at its front ("f"), its back ("b"), or both, along some axes.

    Inside `vmap` all examples must have the same zeros to trim.

    >>> ad.trim_zeros(np.array([0.0, 0.0, 1.0, 0.0, 2.0, 0.0]))
    array([1., 0., 2.])
    """
    filt = known(filt)
    if trim.lower() not in ("fb", "bf", "f", "b"):
        raise DataError(f"`trim_zeros` knows trim='f', 'b' and 'fb'; it was given {trim!r}.")
    own = shape_of(filt)
    axes = range(len(own)) if axis is None else several(axis, len(own), "trim_zeros")
    if not axes:
        return filt
    masks = np.asarray(memory(not_equal(filt, 0))).reshape(-1, *own)
    found = {box(mask) for mask in masks}
    if len(found) > 1:
        raise BatchError(
            "`trim_zeros` inside `vmap` would cut the examples to different shapes. "
            "Slice them all alike, `x[first:last]`."
        )
    ends = found.pop() if found else box(np.ones(own, bool))
    keep = []
    for i, (first, last) in enumerate(ends):
        front = first if "f" in trim.lower() or first == last else None
        back = last if "b" in trim.lower() or first == last else None
        keep.append(slice(front, back) if i in axes else slice(None))
    return filt[tuple(keep)]


def box(mask: np.ndarray) -> tuple[tuple[int, int], ...]:
    """For each axis the first place of a true value, and the place behind the last one."""
    places = mask.nonzero()
    if not places[0].size:
        return ((0, 0),) * mask.ndim
    return tuple([(int(i.min()), int(i.max()) + 1) for i in places])


def fliplr(m: Any) -> Any:
    """The second axis reversed: left and right exchanged.

    >>> ad.fliplr(np.array([[1.0, 2.0]]))
    array([[2., 1.]])
    """
    return flip(deep_enough(m, 2, "fliplr"), 1)


def flipud(m: Any) -> Any:
    """The first axis reversed: top and bottom exchanged.

    >>> ad.flipud(np.array([1.0, 2.0]))
    array([2., 1.])
    """
    return flip(deep_enough(m, 1, "flipud"), 0)


def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """The plane of two axes turned by k quarters, from the first axis towards the second.

    >>> ad.rot90(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2., 4.],
           [1., 3.]])
    """
    m = known(m)
    first, second = several(tuple(axes), len(shape_of(m)), "rot90")
    k %= 4
    if k == 2:
        return flip(m, (first, second))
    if k == 1:
        return swapaxes(flip(m, second), first, second)
    return flip(swapaxes(m, first, second), second) if k else m[...]


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """An axis moved to stand before the axis `start`; `moveaxis` says the same more plainly.

    >>> ad.rollaxis(np.zeros((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    a = known(a)
    n = len(shape_of(a))
    axis = normalised(axis, n, "rollaxis")
    start = n if start == n else normalised(start, n, "rollaxis")
    order = [i for i in range(n) if i != axis]
    order.insert(start - (axis < start), axis)
    return permute_dims(a, tuple(order))


def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Any, ...]:
    """The coordinates of the points of a grid, from those along each of its axes.

    indexing : "xy", the first coordinate runs along the second axis; "ij", along the first
    sparse : axes of length one where a coordinate does not vary, to be broadcast
    copy : False for results that may show the elements of others, to be read only

    >>> ad.meshgrid(np.array([1.0, 2.0]), np.array([3.0, 4.0]))[0]
    array([[1., 2.],
           [1., 2.]])
    """
    if indexing not in ("xy", "ij"):
        raise DataError(f"`meshgrid` knows the indexing 'xy' and 'ij'; it was given {indexing!r}.")
    rows = [ravel(x) for x in xi]
    place = list(range(len(rows)))
    if indexing == "xy" and len(rows) > 1:
        place[:2] = 1, 0
    out = [
        in_rows(row, tuple([-1 if i == at else 1 for i in range(len(rows))]))
        for row, at in zip(rows, place, strict=True)
    ]
    full = out if sparse else broadcast_arrays(*out)
    return tuple([copied(x) for x in full] if copy else full)


def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    """A function of vectors applied to each along `axis`; the axes of its values go there.

    The function is called once for each; `ad.vmap` calls it once for all.

    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> ad.grad(lambda x: ad.apply_along_axis(ad.prod, 1, x).sum())(x)
    array([[2., 1.],
           [4., 3.]])
    """
    arr = known(arr)
    axis = normalised(axis, len(shape_of(arr)), "apply_along_axis")
    last = moveaxis(arr, axis, -1)
    *others, n = shape_of(last)
    rows = in_rows(last, (int(np.prod(others)), n))
    if not shape_of(rows)[0]:
        raise ShapeError(
            f"`apply_along_axis` found no vector in shape {shape_of(arr)} along axis {axis}, "
            "so it cannot know what the function makes of one."
        )
    outs = stack([func1d(row, *args, **kwargs) for row in rows])
    back = len(shape_of(outs)) - 1
    whole = in_rows(outs, (*others, *shape_of(outs)[1:]))
    before = len(others)
    return moveaxis(whole, [*range(before, before + back)], [*range(axis, axis + back)])


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """A function f(a, axis) applied over one axis after the other; axes it folds are kept.

    >>> ad.apply_over_axes(ad.sum, np.ones((2, 3, 4)), (0, 2))
    array([[[8.],
            [8.],
            [8.]]])
    """
    a = known(a)
    ndim = len(shape_of(a))
    for axis in axes if isinstance(axes, (tuple, list)) else [axes]:
        out = func(a, axis)
        if len(shape_of(out)) == ndim - 1:
            out = expand_dims(out, normalised(axis, ndim, "apply_over_axes"))
        if len(shape_of(out)) != ndim:
            raise ShapeError(
                f"`apply_over_axes` needs a function that keeps {ndim} axes or folds one; from "
                f"shape {shape_of(a)} it made {shape_of(out)}."
            )
        a = out
    return a


def batched_overlap_add(op: Any, args: Any, batched: Any, params: Any) -> Any:
    """Windows of each example: the target shape has the batch axis too."""
    (x,) = args
    whole = (shape_of(x)[0], *params["shape"])
    return op.call(x, whole, tuple([i + 1 for i in params["axis"]]))


@linear(lambda ct, x_shape, axis: overlap_add(ct, x_shape, axes_of(axis, len(x_shape))), view=True)
def sliding_window_view(xp, x, /, window_shape, axis=None):
    """All windows of a length along an axis, or of lengths along axes, their elements last.

    y[..., i, ..., k] = x[..., i + k, ...]; the transpose adds where windows overlap.

    >>> ad.sliding_window_view(np.arange(4.0), 2)
    array([[0., 1.],
           [1., 2.],
           [2., 3.]])
    """
    return xp.lib.stride_tricks.sliding_window_view(x, window_shape, axis)


@linear(
    lambda ct, x_shape, axis: sliding_window_view(ct, x_shape[len(x_shape) - len(axis) :], axis),
    batch=batched_overlap_add,
)
def overlap_add(xp, x, /, shape, axis):
    """Zeros of `shape` with windows along the axes `axis` added where each was taken."""
    out = xp.zeros(shape, x.dtype)
    count = x.shape[: len(shape)]
    for at in np.ndindex(x.shape[len(shape) :]):
        start = [0] * len(shape)
        for i, k in zip(axis, at, strict=True):
            start[i] += k
        out[tuple([slice(s, s + n) for s, n in zip(start, count, strict=True)])] += x[(..., *at)]
    return out


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that a window lies along, counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    return tuple([i % ndim for i in (axis if isinstance(axis, (tuple, list)) else (axis,))])


__all__ = [
    "append", "apply_along_axis", "apply_over_axes", "array_split", "atleast_1d", "atleast_2d",
    "atleast_3d", "block", "column_stack", "delete", "diagflat", "diagonal", "dsplit", "dstack",
    "fliplr", "flipud", "hsplit", "hstack", "insert", "meshgrid", "repeat", "reshape", "resize",
    "rollaxis", "rot90", "row_stack", "sliding_window_view", "trim_zeros", "unstack", "vsplit",
    "vstack",
]  # fmt: skip
