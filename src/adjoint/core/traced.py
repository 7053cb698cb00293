"""What all remembering values share: an array's attributes and operators, and guarded exits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConversionError


class Traced:
    """A value that remembers something. A mode is a subclass with one method.

    `record` writes down what an op did to the primals; a mode that changes what is done to them has
    `apply` instead.

    primal   the ordinary value, or a value of an outer level
    level    tells nested modes apart
    node     what the mode remembers: a line of the tape, a tangent
    source   of a view: whose elements it shows, and how, see `core.alias`
    views    weak references to the views that show elements of this value
    tap      where its cotangent is caught, see `core.tensor`

    All modes have the same slots, so that a value which is written to can change its mode.
    The operators and methods are put in place by `adjoint.ops.methods`.
    """

    __slots__ = ("primal", "level", "node", "source", "views", "tap", "__weakref__")
    staged = False
    """True where no array is inside: the value stands for one that a program will compute."""
    primal: Any
    level: int
    node: Any
    source: Any
    views: Any
    __array_priority__ = 1000.0
    __array_ufunc__: Any
    __hash__ = object.__hash__

    @classmethod
    def record(
        cls, op: Any, top: list[Any], primals: Sequence[Any], out: Any, params: dict[str, Any]
    ) -> Any:
        """The output of `op` as a value of this mode; `top`: its inputs of this level, or None."""
        raise NotImplementedError

    @classmethod
    def apply(cls, op: Any, top: list[Any], primals: Sequence[Any], params: dict[str, Any]) -> Any:
        """Apply `op` to the primals and record it."""
        return cls.record(op, top, primals, op.call(*primals, **params), params)

    def leave(self, how: str) -> Any:
        """The raw value if nothing is lost by handing it out, else `ConversionError`."""
        raise ConversionError(
            f"`{how}` of a value inside a transform would lose its derivative; shape {self.shape}. "
            "Stay with adjoint's functions, or take `.detach()` if the value is to count as "
            "a constant."
        )

    def rare(self) -> bool:
        """The truth value itself; it is hardly ever true: a program assumes that, and checks it."""
        return bool(self)

    def filled(self, number: float) -> Any:
        """An array of this shape and dtype, all of whose elements are `number`."""
        base = bottom(self)
        if isinstance(base, Traced):
            return base.spread(number, self.shape, self.dtype)
        return np.full(self.shape, number, self.dtype)[()]

    def detach(self) -> Any:
        """The value alone, at every level: a constant to every derivative."""
        return self.primal.detach() if isinstance(self.primal, Traced) else self.primal

    constant = property(lambda self: False)
    """True of a value that nothing is remembered of, for any level to take as it is."""

    shape = property(lambda self: shape(self.primal))
    dtype = property(lambda self: self.primal.dtype)
    ndim = property(lambda self: len(shape(self.primal)))
    size = property(lambda self: self.primal.size)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a 0-d Tensor has no length")
        return self.shape[0]  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.primal)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.leave("np.asarray()"), dtype=dtype)

    def __float__(self) -> float:
        return float(self.leave("float()"))

    def __int__(self) -> int:
        return int(self.leave("int()"))

    def __index__(self) -> int:
        return self.leave("an index").__index__()  # type: ignore[no-any-return]

    def __complex__(self) -> complex:
        return complex(self.leave("complex()"))

    def item(self) -> Any:
        """The value of a one-element Tensor that is not tracked, as a Python number."""
        return self.leave("item()").item()

    def tolist(self) -> Any:
        """The values of a Tensor that is not tracked, as nested lists."""
        return self.leave("tolist()").tolist()

    def numpy(self) -> Any:
        """A fresh NumPy array of the value of a Tensor that is not tracked."""
        return np.array(self.leave("numpy()"))

    def __dlpack__(self, **options: Any) -> Any:
        value = np.asarray(self.leave("__dlpack__()"))
        try:
            return value.__dlpack__(**options)
        except BufferError:  # NumPy 2.0 cannot say that memory is read-only
            return value.copy().__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return np.asarray(self.leave("__dlpack__()")).__dlpack_device__()

    def __format__(self, spec: str) -> str:
        return format(self.leave("format()"), spec) if spec else str(self)

    def __round__(self, digits: int = 0) -> Any:
        return round(self.leave("round()"), digits)

    if TYPE_CHECKING:
        __add__: Callable[[Any, Any], Any]
        __radd__: Callable[[Any, Any], Any]
        __sub__: Callable[[Any, Any], Any]
        __rsub__: Callable[[Any, Any], Any]
        __mul__: Callable[[Any, Any], Any]
        __rmul__: Callable[[Any, Any], Any]
        __truediv__: Callable[[Any, Any], Any]
        __rtruediv__: Callable[[Any, Any], Any]
        __pow__: Callable[[Any, Any], Any]
        __rpow__: Callable[[Any, Any], Any]
        __matmul__: Callable[[Any, Any], Any]
        __rmatmul__: Callable[[Any, Any], Any]
        __getitem__: Callable[[Any, Any], Any]
        __setitem__: Callable[[Any, Any, Any], None]
        __array_function__: Callable[..., Any]
        __neg__: Callable[[Any], Any]
        spread: Callable[[float, tuple[int, ...], Any], Any]


def snapshot(value: Any) -> Any:
    """`value` as it is now, whatever is written into it later; a constant as the plain value."""
    while isinstance(value, Traced) and value.constant:
        value = value.primal
    if not isinstance(value, Traced) or type(value).__slots__:
        return value
    twin = object.__new__(type(value))
    twin.primal, twin.level, twin.node = value.primal, value.level, value.node
    return twin


def bottom(value: Any) -> Any:
    """What is inside all levels: the plain array, or what stands for one."""
    while isinstance(value, Traced) and not value.staged:
        value = value.primal
    return value


def rare(test: Any) -> bool:
    """`test`, a truth value that is hardly ever true, of a plain array or of its stand-in."""
    return test.rare() if isinstance(test, Traced) else bool(test)


def shape(value: Any) -> tuple[int, ...]:
    """The shape of an array, a Tensor or a number."""
    return () if type(value) in (float, int, complex, bool) else value.shape
