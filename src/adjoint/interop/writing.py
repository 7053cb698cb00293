"""NumPy's functions that write into their first argument: `copyto`, `put`, `place` and kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.traced import Traced
from ..core.traced import shape as shape_of
from ..errors import DataError
from ..ops.assign import assign
from ..ops.elementwise import where as choose
from ..ops.index import getitem
from ..ops.shape import broadcast_to, normalised, ravel
from .names import face


def into(target: Any, source: Any, name: str) -> None:
    """Refuse to write what is followed into a plain array: it would be forgotten there."""
    if not isinstance(target, Traced):
        source.leave(f"np.{name}() into a plain array")


def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """`src` written over `dst`, where `where` is true."""
    into(dst, src, "copyto")
    assign(dst, ..., src if where is True else choose(where, src, dst))


def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """`v`, repeated as needed, written at positions in the flattened array."""
    into(a, v, "put")
    places = np.ravel(np.asarray(ind))
    if mode == "wrap":
        places = places % a.size
    elif mode == "clip":
        places = np.clip(places, 0, a.size - 1)
    elif places.size and not (-a.size <= places.min() and places.max() < a.size):
        raise DataError(f"`np.put` was given positions outside an array of {a.size} elements.")
    assign(a, np.unravel_index(places % a.size, a.shape), repeated(v, places.size))


def repeated(values: Any, n: int) -> Any:
    """The elements of `values` in a row, over and over, n of them."""
    row = ravel(values if hasattr(values, "shape") else np.asarray(values))
    return getitem(row, np.arange(n) % shape_of(row)[0]) if n else row[:0]


def place(arr: Any, mask: Any, vals: Any) -> None:
    """The first elements of `vals`, repeated as needed, written where `mask` is true."""
    into(arr, vals, "place")
    mask = np.asarray(mask, bool)
    assign(arr, mask, repeated(vals, int(mask.sum())))


def putmask(a: Any, mask: Any, values: Any) -> None:
    """The element of `values`, repeated to the size of `a`, written at each place of `mask`."""
    into(a, values, "putmask")
    mask = np.asarray(mask, bool)
    assign(a, mask, getitem(repeated(values, a.size), np.flatnonzero(mask)))


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """`val`, repeated as needed, written on the main diagonal."""
    into(a, val, "fill_diagonal")
    places = np.arange(a.size).reshape(a.shape)
    marked = np.zeros(a.shape, bool)
    np.fill_diagonal(marked, True, wrap=wrap)
    put(a, places[marked], val)


def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    """`values` written at `indices` along one axis, as `take_along_axis` would read them."""
    into(arr, values, "put_along_axis")
    indices = np.asarray(indices)
    if axis is None:
        put(arr, indices, values)
        return
    axis = normalised(axis, arr.ndim, "put_along_axis")
    grid = list(np.ogrid[tuple([slice(n) for n in arr.shape])])
    grid[axis] = indices
    target = np.broadcast_shapes(*[np.shape(g) for g in grid])
    assign(arr, tuple(grid), broadcast_to(values, target) if hasattr(values, "shape") else values)


def nan_to_num(x: Any, copy: bool = True, *numbers: Any, **named: Any) -> Any:
    """Numbers for what is none, written over it in x itself without `copy`."""
    value = face("", "nan_to_num")(x, True, *numbers, **named)
    if copy or not isinstance(x, Traced) or not x.ndim:
        return value
    assign(x, ..., value)
    return x


FUNCTIONS: dict[str, Callable[..., Any]] = dict(
    copyto=copyto, put=put, place=place, putmask=putmask, fill_diagonal=fill_diagonal,
    put_along_axis=put_along_axis, nan_to_num=nan_to_num,
)  # fmt: skip
