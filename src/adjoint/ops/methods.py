"""Which op stands behind each operator and method of a Tensor: the array's face, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backends.namespace import SLICING, is_basic
from ..core.op import OPS
from ..core.traced import Traced
from ..errors import DataError
from . import assign as assign
from . import constant, elementwise, index, linalg, reduce, shape

OPERATORS = dict(
    add=elementwise.add,
    sub=elementwise.subtract,
    mul=elementwise.multiply,
    truediv=elementwise.divide,
    pow=elementwise.pow,
    matmul=linalg.matmul,
)
for name, op in OPERATORS.items():
    setattr(Traced, f"__{name}__", op)
    setattr(Traced, f"__r{name}__", op.reflected)

METHODS: dict[str, Callable[..., Any]] = dict(
    __neg__=elementwise.negative, __pos__=elementwise.positive, __abs__=elementwise.abs,
    __mod__=elementwise.remainder, __floordiv__=constant.floor_divide, __getitem__=index.subscript,
    __lt__=constant.less, __le__=constant.less_equal,
    __gt__=constant.greater, __ge__=constant.greater_equal,
    sum=reduce.sum, mean=reduce.mean, prod=reduce.prod, max=reduce.max, min=reduce.min,
    var=reduce.var, std=reduce.std, cumsum=reduce.cumsum, cumprod=reduce.cumprod,
    all=constant.all, any=constant.any,
    argmax=constant.argmax, argmin=constant.argmin, argsort=constant.argsort,
    exp=elementwise.exp, log=elementwise.log, sqrt=elementwise.sqrt, tanh=elementwise.tanh,
    sin=elementwise.sin, cos=elementwise.cos, abs=elementwise.abs, clip=elementwise.clip,
    round=constant.round, conj=elementwise.conj, astype=elementwise.astype,
    matmul=linalg.matmul, dot=linalg.dot, trace=linalg.trace,
    copy=elementwise.positive, conjugate=elementwise.conj,
    swapaxes=shape.swapaxes, squeeze=shape.squeeze, ravel=shape.ravel,
    take=index.take,
)  # fmt: skip
for name, op in METHODS.items():
    setattr(Traced, name, op)


def __eq__(self: Any, other: Any) -> Any:
    """x == y, element by element; no number equals None or a text."""
    return (
        NotImplemented if other is None or isinstance(other, str) else constant.equal(self, other)
    )


def __ne__(self: Any, other: Any) -> Any:
    """x != y, element by element; every number differs from None and from a text."""
    return (
        NotImplemented
        if other is None or isinstance(other, str)
        else constant.not_equal(self, other)
    )


def transpose(self: Any, *axes: Any) -> Any:
    """The axes reversed, or in the order given as one tuple or as several integers."""
    return shape.transpose(self, None if not axes else axes[0] if len(axes) == 1 else axes)


def flatten(self: Any, order: str = "C") -> Any:
    """All elements in a row, in a copy."""
    return elementwise.positive(shape.ravel(self, order))


def of_truth(op: Callable[..., Any]) -> Callable[..., Any]:
    """An operator that only truth values have, as NumPy's numbers have none."""
    return lambda self, *other: op(self, *other) if self.dtype.kind == "b" else NotImplemented


def __invert__(self: Any) -> Any:
    """The opposite of each truth value."""
    if self.dtype.kind != "b":
        raise DataError(f"`~` needs truth values; it was given dtype {self.dtype}.")
    return constant.logical_not(self)


REST: dict[str, Any] = dict(
    __eq__=__eq__, __ne__=__ne__, transpose=transpose, flatten=flatten,
    __divmod__=elementwise.divmod, __rdivmod__=lambda self, other: elementwise.divmod(other, self),
    __and__=of_truth(constant.logical_and), __rand__=of_truth(constant.logical_and),
    __or__=of_truth(constant.logical_or), __ror__=of_truth(constant.logical_or),
    __invert__=__invert__,
    T=property(transpose), mT=property(shape.matrix_transpose),
    real=property(elementwise.real, assign.set_real),
    imag=property(elementwise.imag, assign.set_imag),
    __rmod__=lambda self, other: elementwise.remainder(other, self),
    __rfloordiv__=lambda self, other: constant.floor_divide(other, self),
)  # fmt: skip
for name, value in REST.items():
    setattr(Traced, name, value)


def always(node: Any) -> bool:
    """The derivative of a choice leaves out what was not chosen, whatever it is."""
    return True


# See `core.mend`. A slice leaves out too, but it costs less than the look, and hides no poles.
for name in ("behind", "where", "clamp", "maximum", "minimum", "max", "min"):
    OPS[name].chooses = always
OPS["getitem"].chooses = lambda node: type(node[5][1]) not in SLICING and not is_basic(node[5][1])
