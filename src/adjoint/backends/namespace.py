"""Which array library do these values belong to? One lookup by type; NumPy straight onto ufuncs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from ..errors import DataError

# NumPy's scalar types and Python's numbers: immutable, so no tape ever has to guard them.
NUMBERS: frozenset[type] = frozenset(
    {bool, int, float, complex, np.bool_} | {np.dtype(code).type for code in "bBhHiIlLqQefdgFDG"}
)
RAW: frozenset[type] = NUMBERS | {np.ndarray}
# A Python complex and a NumPy scalar make a Python complex, without a dtype: it goes the long way.
SIMPLE = NUMBERS - {complex}
NUMERIC = frozenset("?bBhHiIlLqQefdgFDG")
SLICING = frozenset((int, slice))
SCIPY = frozenset(("special", "signal"))
INEXACT = frozenset("efdgFDG")


def reduce_sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum by the ufunc: half the overhead of `np.sum`."""
    return np.add.reduce(x, axis, None, None, keepdims)  # type: ignore[call-overload]


def reduce_max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Maximum by the ufunc."""
    return np.maximum.reduce(x, axis, None, None, keepdims)  # type: ignore[call-overload]


def reduce_min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Minimum by the ufunc."""
    return np.minimum.reduce(x, axis, None, None, keepdims)  # type: ignore[call-overload]


def fill(x: Any, shape: tuple[int, ...]) -> Any:
    """Repeat x to `shape` in an array of its own: `np.broadcast_to` costs eight times as much."""
    out = np.empty(shape, x.dtype if hasattr(x, "dtype") else type(x))
    out[...] = x
    return out if shape else out[()]


def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    """x in another shape; of shape () a scalar."""
    out = (x if hasattr(x, "reshape") else np.asarray(x)).reshape(shape)
    return out if out.ndim else out[()]


def where(mask: Any, x: Any, y: Any) -> Any:
    """Choice by a mask; of shape () a scalar."""
    return np.where(mask, x, y)[()]


def index_add(x: Any, shape: tuple[int, ...], index: Any) -> Any:
    """Zeros of `shape` with x added at `index`; indices that occur twice add twice."""
    out = np.zeros(shape, x.dtype)
    if is_basic(index):
        out[index] = x
    else:
        np.add.at(out, index, x)
    return out if shape else out[()]


def is_basic(index: Any) -> bool:
    """True where an index only slices, so no element is picked twice."""
    if type(index) is not tuple:
        return type(index) in SLICING or index is Ellipsis or index is None
    for i in index:
        if not (type(i) in SLICING or i is Ellipsis or i is None):
            return False
    return True


def scipy(name: str) -> Any:
    """SciPy's module of that name: NumPy lacks what it has, and only those ops need it."""
    try:
        return import_module(f"scipy.{name}")
    except ImportError as error:
        raise ImportError(
            f"this function of adjoint computes its value by `scipy.{name}`, and SciPy cannot be "
            "imported. Install it: `pip install adjoint[scipy]`."
        ) from error


class NumPy:
    """NumPy as a namespace: the array standard's names, without overhead where it counts."""

    name = "numpy"
    array = np.ndarray
    sum = staticmethod(reduce_sum)
    max = staticmethod(reduce_max)
    min = staticmethod(reduce_min)
    broadcast_to = staticmethod(fill)
    reshape = staticmethod(reshape)
    where = staticmethod(where)
    index_add = staticmethod(index_add)

    # NumPy's operators are three to ten times faster than its ufuncs on scalars.
    operators: ClassVar[dict[str, Callable[..., Any]]] = dict(
        add=operator.add,
        subtract=operator.sub,
        multiply=operator.mul,
        divide=operator.truediv,
        pow=operator.pow,
        negative=operator.neg,
        matmul=operator.matmul,
    )

    def __getattr__(self, name: str) -> Any:
        value = scipy(name) if name in SCIPY else getattr(np, name)
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        return "<namespace numpy>"


NUMPY = NumPy()


def namespace(arrays: Iterable[Any], op: str) -> tuple[Any, list[Any]]:
    """The namespace that `arrays` share, and the arrays as it wants them.

    Numbers pass; lists and tuples become arrays; text, objects and masked arrays raise `DataError`.
    """
    return NUMPY, [a if type(a) in NUMBERS else as_array(a, op) for a in arrays]


def as_array(data: Any, op: str) -> Any:
    """`data` as a plain NumPy array of numbers, without a copy where it is one already."""
    if type(data) is not np.ndarray:
        if isinstance(data, np.ma.MaskedArray):
            raise DataError(
                f"`{op}` was given a masked array, shape {data.shape}; its mask would be lost. "
                "Fill it first with `data.filled(value)`."
            )
        try:
            data = np.asarray(data)
        except ValueError as error:
            raise DataError(
                f"`{op}` was given a {type(data).__name__} that is no array: {error}."
            ) from error
    if data.dtype.char not in NUMERIC:
        dtype = "O" if data.dtype.kind == "O" else data.dtype
        raise DataError(
            f"`{op}` needs real or complex numbers; data has dtype {dtype}. "
            "Convert it first, for example with `np.asarray(data, dtype=float)`."
        )
    return data


def describe(value: Any) -> str:
    """A value as error messages name it: dtype and shape, or its type."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype}{value.shape}"
    return type(value).__name__
