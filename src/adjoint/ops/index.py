"""Picking elements out, and putting them back: indexing and its transpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backends.namespace import SLICING, is_basic
from ..core.batch import CARRIED
from ..core.traced import Traced
from ..core.traced import shape as shape_of
from ..errors import BatchError, ConversionError
from .batch import gathering, in_front, indexed
from .elementwise import astype, where
from .rules import linear, predicate
from .shape import broadcast_to, joined, moveaxis, normalised, ravel, reshape, stack


def add_at(total, ct, x_shape, index):
    """Add `ct` to the elements of `total` that `index` picks, as often as it picks them."""
    if is_basic(index):
        total[index] += ct
    else:
        np.add.at(total, index, ct)


@linear(
    lambda ct, x_shape, index: index_add(ct, x_shape, index), view=True, into=add_at, batch=indexed
)
def getitem(xp, x, /, index):
    """x[index]: slices, integers, new axes, integer arrays, masks; what is picked twice adds twice.

    >>> ad.grad(lambda x: x[[0, 2, 2]].sum())(np.ones(3))
    array([1., 0., 2.])
    """
    return x[index]


@linear(lambda ct, index: getitem(ct, index), batch=indexed)
def index_add(xp, x, /, shape, index):
    """Zeros of `shape` with x added at `index`: the transpose of `getitem`."""
    return xp.index_add(x, shape, index)


@linear(lambda ct, x_shape, where: scatter_add(ct, where, x_shape), batch=gathering)
def gather(xp, x, where, /):
    """x[where[0], where[1], ...]: the elements of the first axes at integers that are an input too.

    So an index that `vmap` maps is carried like any value. `where` has one row an axis.
    """
    out = x[tuple(where)]
    return out if where.ndim > 1 else xp.copy(out)[()]


@linear(lambda ct, where: gather(ct, where), batch=gathering)
def scatter_add(xp, x, where, /, shape):
    """Zeros of `shape` with x added at the integers `where`: the transpose of `gather`."""
    return xp.index_add(x, shape, tuple(where))


@predicate
def as_position(xp, i, /):
    """Integers of any width as those that count positions."""
    return xp.asarray(i, dtype=xp.intp)[()]


def subscript(self, index):
    """`x[index]`: arrays in the index are copied: the tape keeps them, the user may change them."""
    return getitem(self, index) if type(index) in SLICING else at(self, frozen(index))


def at(x, index):
    """`x[index]` of an index that is ours: a gather where some of its integers are mapped."""
    if mapped(index):
        return picked(x, index if type(index) is tuple else (index,))
    return getitem(x, index)


def mapped(index):
    """True where integers of an index that is ours are mapped by `vmap`."""
    for i in index if type(index) is tuple else (index,):
        if type(i) in CARRIED:
            return True
    return False


def frozen(index):
    """`index` with its lists and arrays as arrays of our own, and untracked Tensors as theirs.

    What is mapped stays so.
    """
    if type(index) is tuple:
        return tuple([frozen(i) for i in index])
    if isinstance(index, Traced):
        return index if type(index) in CARRIED else index.leave("an index")
    if isinstance(index, list):
        try:
            return np.array(index) if index else np.array([], int)
        except ConversionError:
            return stack([frozen(i) for i in index])
    return np.array(index) if isinstance(index, np.ndarray) else index


def picked(x, index):
    """`x[index]` of a tuple in which integers are mapped: slice, bring axes to the front, gather.

    The axes of the integers go where the first of them stands, or, as NumPy has it, to the front
    where anything else stands between them.
    """
    getitem(np.broadcast_to(np.zeros((), x.dtype), shape_of(x)), tuple(map(stand_in, index)))
    basic, rows, axes, places = [], [], [], []
    rest = len(shape_of(x)) - sum(map(axes_of, index))
    for k, i in enumerate(index if any(map(is_dots, index)) else (*index, ...)):
        if i is None or isinstance(i, slice):
            basic.append(i)
        elif is_dots(i):
            basic += [slice(None)] * rest
        else:
            for row in integers(i):
                axes.append(len(basic))
                basic.append(slice(None) if axes_of(i) else None)
                rows.append(row)
                places.append(k)
    form = np.broadcast_shapes(*map(shape_of, rows))
    where = stack([row if shape_of(row) == form else broadcast_to(row, form) for row in rows])
    if basic != [slice(None)] * len(basic):
        x = getitem(x, tuple(basic))
    if axes != [*range(len(axes))]:
        x = moveaxis(x, axes, [*range(len(axes))])
    out = gather(x, where)
    if places[-1] - places[0] >= len({*places}) or not form or not axes[0]:
        return out
    return moveaxis(out, [*range(len(form))], [*range(axes[0], axes[0] + len(form))])


@predicate(batch=in_front)
def sources(xp, where, /, size):
    """Where each of `size` elements comes from after a write: itself, or size + k for the k-th.

    `where` has the positions written to along its last axis; the last write to a position counts.
    """
    out = xp.empty((*where.shape[:-1], size), xp.intp)
    out[...] = xp.arange(size)
    xp.put_along_axis(out, where, size + xp.arange(where.shape[-1]), -1)
    return out


def put(x, index, y):
    """A copy of x with y at an index that is mapped: each element is x's or y's."""
    form = shape_of(x)
    if is_mask(index) and not shape_of(y) and x.dtype.kind == "f":
        mask = reshape(index, index.shape + (1,) * (len(form) - index.ndim))
        return where(mask, y if not hasattr(y, "dtype") else astype(y, x.dtype), x)
    size = int(np.prod(form))
    places = at(np.arange(size).reshape(form), index)
    y = broadcast_to(y if hasattr(y, "shape") else np.asarray(y, x.dtype), shape_of(places))
    both = joined(ravel(x), ravel(y if y.dtype == x.dtype else astype(y, x.dtype)), axis=0)
    return reshape(gather(both, stack([sources(ravel(places), size)])), form)


def is_mask(index):
    """True for one mask that is mapped."""
    return type(index) in CARRIED and index.dtype.kind == "b"


def is_dots(i):
    """True for `...`, which arrays cannot be compared with."""
    return i is Ellipsis


def stand_in(i):
    """An index by which NumPy says whether one that is mapped fits."""
    if type(i) not in CARRIED:
        return i
    if i.dtype.kind == "b" and i.staged:
        i.leave("an array at a mask")
    if i.dtype.kind == "b":
        raise BatchError(
            "a mask that is mapped cannot be an index inside `vmap`: it may pick more of one "
            "example than of another. Use `ad.where(mask, x, 0.0)`."
        )
    return np.zeros(i.shape, i.dtype)


def axes_of(i):
    """How many axes of the array an element of an index stands for."""
    if i is None or i is Ellipsis:
        return 0
    return np.ndim(i) if type(i) not in CARRIED and np.asarray(i).dtype == bool else 1


def integers(i):
    """An element of an index as arrays of integers, one an axis."""
    if type(i) not in CARRIED and np.asarray(i).dtype == bool:
        return np.nonzero(i) if np.ndim(i) else [np.zeros(int(i), np.intp)]
    return [as_position(i)]


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The elements at `indices` along `axis`, or of all elements in a row.

    >>> ad.grad(lambda x: ad.take(x, [2, 0]) @ np.array([5.0, 7.0]))(np.ones(3))
    array([7., 0., 5.])
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    if axis is None:
        return at(ravel(x), integers_of(indices))
    axis = normalised(axis, len(shape_of(x)), "take")
    return at(x, (*(slice(None),) * axis, integers_of(indices)))


def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    """For each position along the other axes, the elements at `indices` along `axis`.

    >>> ad.take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), axis=1)
    array([[2.],
           [3.]])
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    axis = normalised(axis, len(shape_of(x)), "take_along_axis")
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in shape_of(x))])
    grid[axis] = integers_of(indices)
    return at(x, tuple(grid))


def integers_of(indices: Any) -> Any:
    """The `indices` of a function as an array of our own; what is mapped stays so."""
    found = frozen(indices)
    return found if type(found) in CARRIED else np.array(found)
