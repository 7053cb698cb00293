"""The methods of NumPy's arrays that live in rooms loaded later, and those that write in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.op import OPS
from ..errors import NoRuleError
from . import writing
from .names import face

LATER = "argpartition choose diagonal nonzero ptp repeat searchsorted".split()


def method(name: str) -> Callable[..., Any]:
    """The method that is adjoint's function of that name."""

    def call(self: Any, *args: Any, **params: Any) -> Any:
        function = face("", name)
        if function is None:
            raise NoRuleError(f"`{name}` of a Tensor: adjoint has no such function.")
        return function(self, *args, **params)

    call.__name__ = name
    call.__doc__ = f"`ad.{name}(self, ...)`."
    return call


def reshape(self: Any, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
    """The same elements in another shape, given as one tuple or as several integers."""
    target = shape[0] if len(shape) == 1 else shape
    if order == "C" and copy is None:
        return OPS["reshape"].call(self, target)
    return face("", "reshape")(self, target, order, copy=copy)


def compress(self: Any, condition: Any, axis: int | None = None) -> Any:
    """`ad.compress(condition, self, axis)`."""
    return face("", "compress")(condition, self, axis)


def fill(self: Any, value: Any) -> None:
    """Write one value into all elements."""
    self[...] = value


def put(self: Any, indices: Any, values: Any, mode: str = "raise") -> None:
    """Write `values` at positions in the flattened array, as `np.put`."""
    writing.put(self, indices, values, mode)


def sort(self: Any, axis: int = -1) -> None:
    """Put the elements along an axis in ascending order, in place; `ad.sort` does not write."""
    self[...] = face("", "sort")(self, axis)


def partition(self: Any, kth: Any, axis: int = -1) -> None:
    """Put the elements along an axis in the order of `ad.partition`, in place."""
    self[...] = face("", "partition")(self, kth, axis)


METHODS: dict[str, Callable[..., Any]] = {name: method(name) for name in LATER}
METHODS |= {f.__name__: f for f in (compress, fill, partition, put, reshape, sort)}
