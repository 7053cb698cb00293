"""Picking elements out, and putting them back: indexing and its transpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backends.namespace import SLICING, is_basic
from ..core.traced import Traced
from ..core.traced import shape as shape_of
from .batch import indexed
from .rules import linear
from .shape import normalised, ravel


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


def subscript(self, index):
    """`x[index]`: arrays in the index are copied: the tape keeps them, the user may change them."""
    return getitem(self, index if type(index) in SLICING else frozen(index))


def frozen(index):
    """`index` with its lists and arrays as arrays of our own, and untracked Tensors as theirs."""
    if type(index) is tuple:
        return tuple([frozen(i) for i in index])
    if isinstance(index, Traced):
        return index.leave("an index")
    if isinstance(index, list) and not index:
        return np.array([], int)
    return np.array(index) if isinstance(index, (list, np.ndarray)) else index


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The elements at `indices` along `axis`, or of all elements in a row.

    >>> ad.grad(lambda x: ad.take(x, [2, 0]) @ np.array([5.0, 7.0]))(np.ones(3))
    array([7., 0., 5.])
    """
    if axis is None:
        return getitem(ravel(x), np.array(indices))
    axis = normalised(axis, len(shape_of(x)), "take")
    return getitem(x, (*(slice(None),) * axis, np.array(indices)))


def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    """For each position along the other axes, the elements at `indices` along `axis`.

    >>> ad.take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), axis=1)
    array([[2.],
           [3.]])
    """
    axis = normalised(axis, len(shape_of(x)), "take_along_axis")
    indices = np.array(indices)
    grid = list(np.ogrid[tuple(slice(n) for n in shape_of(x))])
    grid[axis] = indices
    return getitem(x, tuple(grid))
