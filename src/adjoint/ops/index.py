"""Picking elements out, and putting them back: indexing and its transpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.traced import Traced
from ..core.traced import shape as shape_of
from .rules import linear
from .shape import normalised, ravel


@linear(lambda ct, x_shape, index: index_add(ct, x_shape, index), view=True)
def pick(xp, x, /, index):
    """x[index]: slices, integers, new axes, integer arrays and masks; elements picked twice add twice."""
    return x[index]


@linear(lambda ct, index: pick(ct, index))
def index_add(xp, x, /, shape, index):
    """Zeros of `shape` with x added at `index`: the transpose of `pick`."""
    return xp.index_add(shape, index, x)


def getitem(x: Any, index: Any) -> Any:
    """`x[index]` with everything NumPy's indexing knows: slices, integers, `None`, arrays, masks.

    The cotangents of elements that are picked twice are added.

    >>> import adjoint as ad
    >>> ad.grad(lambda x: x[[0, 0, 2]].sum())(ad.asarray([1.0, 2.0, 3.0]))
    array([2., 0., 1.])
    """
    return pick(x, plain(index))


def plain(index: Any) -> Any:
    """`index` with untracked Tensors replaced by their arrays."""
    if type(index) is tuple:
        return tuple([plain(i) for i in index])
    if isinstance(index, Traced):
        return index.leave("an index")
    return index


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The elements at `indices` along `axis`, or of all elements in a row.

    >>> import adjoint as ad
    >>> ad.take(ad.Tensor([1.0, 2.0, 3.0]), [2, 0])
    Tensor([3., 1.], op=pick)
    """
    if axis is None:
        return getitem(ravel(x), indices)
    axis = normalised(axis, len(shape_of(x)), "take")
    return getitem(x, (*(slice(None),) * axis, np.asarray(plain(indices))))


def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    """For each position along the other axes, the elements at `indices` along `axis`.

    >>> import adjoint as ad
    >>> ad.take_along_axis(ad.Tensor([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]], axis=1)
    Tensor([[2.],
            [3.]], op=pick)
    """
    axis = normalised(axis, len(shape_of(x)), "take_along_axis")
    indices = np.asarray(plain(indices))
    grid = list(np.ogrid[tuple(slice(n) for n in shape_of(x))])
    grid[axis] = indices
    return getitem(x, tuple(grid))
