"""Functions without a derivative, and why: predicates, locally constant steps, ops with no rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.op import OPS, Op
from ..core.traced import shape
from ..errors import BatchError, DataError, ShapeError
from .batch import in_a_row, looped, shifted
from .rules import constant, elementwise, op, predicate
from .shape import known, ravel


def laid_out(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """An op along one axis, or without one of all elements in a row, which its output then is."""
    if params["axis"] is not None:
        return shifted(op, args, batched, params)
    row = OPS["reshape"].call(args[0], (shape(args[0])[0], math.prod(shape(args[0])[1:])))
    return op.call(row, **{**params, "axis": 1})


def as_long_as_it_gets(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """An op whose output is as long as the values decide: the examples would not fit together."""
    raise BatchError(
        f"how many elements `{op.name}` returns depends on values, so inside `vmap` the examples "
        "would differ in shape. Mask with `ad.where`, or loop in Python."
    )


@predicate
def equal(xp, x, y, /):
    """x == y, element by element.

    >>> ad.equal(np.array([1.0, 2.0]), 2.0)
    array([False,  True])
    """
    return xp.equal(x, y)


@predicate
def not_equal(xp, x, y, /):
    """x != y, element by element.

    >>> ad.not_equal(np.array([1.0, 2.0]), 2.0)
    array([ True, False])
    """
    return xp.not_equal(x, y)


@predicate
def less(xp, x, y, /):
    """x < y, element by element.

    >>> ad.less(np.array([1.0, 2.0]), 2.0)
    array([ True, False])
    """
    return xp.less(x, y)


@predicate
def less_equal(xp, x, y, /):
    """x <= y, element by element.

    >>> ad.less_equal(np.array([1.0, 2.0]), 2.0)
    array([ True,  True])
    """
    return xp.less_equal(x, y)


@predicate
def greater(xp, x, y, /):
    """x > y, element by element.

    >>> ad.greater(np.array([1.0, 2.0]), 1.0)
    array([False,  True])
    """
    return xp.greater(x, y)


@predicate
def greater_equal(xp, x, y, /):
    """x >= y, element by element.

    >>> ad.greater_equal(np.array([1.0, 2.0]), 1.0)
    array([ True,  True])
    """
    return xp.greater_equal(x, y)


@predicate
def isfinite(xp, x, /):
    """True where x is neither infinite nor NaN.

    >>> ad.isfinite(np.array([1.0, np.inf, np.nan]))
    array([ True, False, False])
    """
    return xp.isfinite(x)


@predicate
def isinf(xp, x, /):
    """True where x is infinite.

    >>> ad.isinf(np.array([1.0, np.inf, np.nan]))
    array([False,  True, False])
    """
    return xp.isinf(x)


@predicate
def isnan(xp, x, /):
    """True where x is NaN.

    >>> ad.isnan(np.array([1.0, np.inf, np.nan]))
    array([False, False,  True])
    """
    return xp.isnan(x)


@predicate
def signbit(xp, x, /):
    """True where the sign bit of x is set, -0.0 included.

    >>> ad.signbit(np.array([-0.0, 0.0]))
    array([ True, False])
    """
    return xp.signbit(x)


@predicate
def logical_and(xp, x, y, /):
    """True where both x and y are.

    >>> ad.logical_and(np.array([True, False]), True)
    array([ True, False])
    """
    return xp.logical_and(x, y)


@predicate
def logical_or(xp, x, y, /):
    """True where x or y is, or both are.

    >>> ad.logical_or(np.array([True, False]), False)
    array([ True, False])
    """
    return xp.logical_or(x, y)


@predicate
def logical_not(xp, x, /):
    """True where x is not.

    >>> ad.logical_not(np.array([True, False]))
    array([False,  True])
    """
    return xp.logical_not(x)


@predicate
def logical_xor(xp, x, y, /):
    """True where one of x and y is, and not both.

    >>> ad.logical_xor(np.array([True, False]), True)
    array([False,  True])
    """
    return xp.logical_xor(x, y)


@predicate
def isposinf(xp, x, /):
    """True where x is +∞.

    >>> ad.isposinf(np.array([1.0, np.inf, -np.inf]))
    array([False,  True, False])
    """
    return xp.isposinf(x)


@predicate
def isneginf(xp, x, /):
    """True where x is -∞.

    >>> ad.isneginf(np.array([1.0, np.inf, -np.inf]))
    array([False, False,  True])
    """
    return xp.isneginf(x)


@predicate
def isreal(xp, x, /):
    """True where the imaginary part of x is 0, or x has none.

    >>> ad.isreal(np.array([1.0, 1j]))
    array([ True, False])
    """
    return xp.isreal(x)


@predicate
def iscomplex(xp, x, /):
    """True where the imaginary part of x is not 0.

    >>> ad.iscomplex(np.array([1.0, 1j]))
    array([False,  True])
    """
    return xp.iscomplex(x)


@predicate
def isclose(xp, x, y, /, rtol=1e-05, atol=1e-08, equal_nan=False):
    """True where |x - y| <= atol + rtol·|y|; NaN is close to NaN where `equal_nan` says so.

    >>> ad.isclose(np.array([1.0, 1.1]), 1.0 + 1e-9)
    array([ True, False])
    """
    return xp.isclose(x, y, rtol, atol, equal_nan)


def among(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Membership: each example may be asked about alone only where they share what is searched."""
    return looped(op, args, batched, params) if batched[1] else op.call(*args, **params)


@predicate(batch=among)
def isin(xp, x, y, /, assume_unique=False, invert=False, kind=None):
    """True where the element of x is one of those of y, whatever the shape of y.

    >>> ad.isin(np.array([1.0, 2.0, 3.0]), [3.0, 1.0])
    array([ True, False,  True])
    """
    return xp.isin(x, y, assume_unique=assume_unique, invert=invert, kind=kind)[()]


@predicate
def count_nonzero(xp, x, /, axis=None, keepdims=False):
    """How many elements along `axis` are not 0.

    >>> ad.count_nonzero(np.array([[0.0, 1.0], [2.0, 3.0]]), axis=1)
    array([1, 2])
    """
    return xp.asarray(xp.count_nonzero(x, axis=axis, keepdims=keepdims))[()]


@predicate(batch=as_long_as_it_gets)
def argwhere(xp, x, /):
    """Indices of the elements that are not 0, one row each.

    Raises: BatchError inside `vmap`, where the examples would differ in shape.

    >>> ad.argwhere(np.array([[0.0, 1.0], [2.0, 0.0]]))
    array([[0, 1],
           [1, 0]])
    """
    return xp.argwhere(x)


@predicate(batch=in_a_row)
def argmax(xp, x, /, axis=None, keepdims=False):
    """Index of the first maximum along `axis`.

    >>> ad.argmax(np.array([[1.0, 3.0], [5.0, 2.0]]), axis=1)
    array([1, 0])
    """
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@predicate(batch=in_a_row)
def argmin(xp, x, /, axis=None, keepdims=False):
    """Index of the first minimum along `axis`.

    >>> ad.argmin(np.array([[1.0, 3.0], [5.0, 2.0]]), axis=1)
    array([0, 1])
    """
    return xp.argmin(x, axis=axis, keepdims=keepdims)


@predicate(batch=laid_out)
def argsort(xp, x, /, axis=-1, kind=None, order=None, stable=None, descending=False):
    """Indices that sort x along `axis`; equal elements keep their order, descending too.

    `kind` and `stable` are NumPy's and change nothing: the sort is always stable. NaN comes last,
    descending first. With axis None all elements stand in a row.

    >>> x = np.array([3.0, 1.0, 2.0])
    >>> ad.grad(lambda x: x[ad.argsort(x)][0])(x)
    array([0., 1., 0.])
    """
    unordered(order, "argsort")
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable")
    row = x.ravel() if axis is None else x
    last = (row.shape[0 if axis is None else axis] if row.ndim else 1) - 1
    turned = xp.argsort(xp.flip(row, axis), axis=axis, kind="stable")
    return last - xp.flip(turned, axis)


@predicate(batch=laid_out)
def argpartition(xp, x, /, kth, axis=-1, kind="introselect", order=None):
    """Indices that put the element at `kth` in its sorted place, the smaller ones before it.

    Which order the others come in, and which of equal elements comes first, is left open.

    >>> x = np.array([3.0, 1.0, 2.0])
    >>> ad.argpartition(x, 1)[1]
    np.int64(2)
    """
    unordered(order, "argpartition")
    return xp.argpartition(x, kth, axis=axis, kind=kind)


def unordered(order: Any, op: str) -> None:
    """Refuse names of fields to sort by."""
    if order is not None:
        raise DataError(
            f"`{op}` was given order={order!r}: fields of structured arrays to sort by. "
            "What it sorts are numbers, which have none; leave `order` out."
        )


@predicate
def all(xp, x, /, axis=None, keepdims=False):
    """True where every element along `axis` is nonzero.

    >>> ad.all(np.array([[1.0, 0.0], [2.0, 3.0]]), axis=1)
    array([False,  True])
    """
    return xp.all(x, axis=axis, keepdims=keepdims)


@predicate
def any(xp, x, /, axis=None, keepdims=False):
    """True where an element along `axis` is nonzero.

    >>> ad.any(np.array([[0.0, 0.0], [2.0, 0.0]]), axis=1)
    array([False,  True])
    """
    return xp.any(x, axis=axis, keepdims=keepdims)


@constant("the sign only jumps, at 0")
def signum(xp, x, /):
    """Sign of a real number: -1, 0 or 1."""
    return xp.sign(x)


@constant("a step function")
def floor(xp, x, /):
    """The largest integer not above x.

    >>> ad.floor(-1.5), ad.grad(ad.floor)(-1.5)
    (np.float64(-2.0), np.float64(0.0))
    """
    return xp.floor(x)


@constant("a step function")
def ceil(xp, x, /):
    """The smallest integer not below x.

    >>> ad.ceil(-1.5), ad.grad(ad.ceil)(-1.5)
    (np.float64(-1.0), np.float64(0.0))
    """
    return xp.ceil(x)


@constant("a step function")
def trunc(xp, x, /):
    """x rounded towards zero.

    >>> ad.trunc(-1.5), ad.grad(ad.trunc)(-1.5)
    (np.float64(-1.0), np.float64(0.0))
    """
    return xp.trunc(x)


@constant("a step function")
def rint(xp, x, /):
    """x rounded to the nearest integer, halves to even.

    >>> ad.rint(2.5), ad.grad(ad.rint)(2.5)
    (np.float64(2.0), np.float64(0.0))
    """
    return xp.rint(x)


@constant("a step function")
def round(xp, x, /, decimals=0):
    """x rounded to `decimals` decimal places, halves to even.

    >>> ad.round(2.5), ad.grad(ad.round)(2.5)
    (np.float64(2.0), np.float64(0.0))
    """
    return xp.round(x, decimals)


@constant("a step function of the quotient")
def floor_divide(xp, x, y, /):
    """The floor of x/y.

    >>> ad.floor_divide(7.0, 2.0), ad.grad(ad.floor_divide)(7.0, 2.0)
    (np.float64(3.0), np.float64(0.0))
    """
    return xp.floor_divide(x, y)


@constant("a step function of the exponent")
def spacing(xp, x, /):
    """The distance from x to the next floating-point number away from zero.

    >>> ad.spacing(1.0), ad.grad(ad.spacing)(1.5)
    (np.float64(2.220446049250313e-16), np.float64(0.0))
    """
    return xp.spacing(x)


@elementwise(None, lambda t, x: OPS["where"].call(equal(x, 0), t, 0.0))
def heaviside(xp, x, y, /):
    """Step: z = 0 where x < 0, 1 where x > 0 and y where x = 0;  ∂z/∂y = 1 there, else 0.

    x, y : real.  Keeps: x.  Undefined: at x = 0 z jumps; in x the slope is 0 everywhere.

    >>> ad.heaviside(np.array([-2.0, 0.0, 2.0]), 0.5)
    array([0. , 0.5, 1. ])
    >>> ad.grad(ad.heaviside, (0, 1))(0.0, 0.5)
    (np.float64(0.0), np.float64(1.0))
    """
    return xp.heaviside(x, y)


@op()
def nextafter(xp, x, y, /):
    """The next floating-point number after x towards y: a matter of bits, so it has no rule.

    Raises: NoRuleError when its derivative is asked for.

    >>> float(ad.nextafter(1.0, 2.0) - 1.0)
    2.220446049250313e-16
    """
    return xp.nextafter(x, y)


fix = trunc


def nonzero(x: Any) -> tuple[Any, ...]:
    """Indices of the elements that are not 0, an array for each axis: `x[nonzero(x)]` picks them.

    Raises: BatchError inside `vmap`, where the examples would differ in shape.

    >>> ad.nonzero(np.array([[0.0, 1.0], [2.0, 0.0]]))
    (array([0, 1]), array([1, 0]))
    """
    x = known(x)
    if not shape(x):
        raise ShapeError("`nonzero` needs an axis to count along; it was given a number.")
    return tuple(argwhere(x).T)


def flatnonzero(x: Any) -> Any:
    """Indices of the elements that are not 0, all elements in a row.

    >>> ad.flatnonzero(np.array([[0.0, 1.0], [2.0, 0.0]]))
    array([1, 2])
    """
    return argwhere(ravel(x))[:, 0]


def allclose(
    x: Any, y: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """True where all elements are close: |x - y| <= atol + rtol·|y|.

    >>> ad.allclose(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-9]))
    np.True_
    """
    return all(isclose(x, y, rtol, atol, equal_nan))


def array_equal(x: Any, y: Any, equal_nan: bool = False) -> Any:
    """True where shapes and all elements are equal.

    >>> ad.array_equal(np.array([1.0, 2.0]), [1.0, 2.0]), ad.array_equal([1.0], [1.0, 1.0])
    (np.True_, False)
    """
    x, y = known(x), known(y)
    if shape(x) != shape(y):
        return False
    same = equal(x, y)
    return all(same | (isnan(x) & isnan(y)) if equal_nan else same)


def array_equiv(x: Any, y: Any) -> Any:
    """True where the arrays broadcast to one shape, and there are equal.

    >>> ad.array_equiv(np.array([1.0, 1.0]), 1.0), ad.array_equiv([1.0, 2.0], [1.0, 2.0, 3.0])
    (np.True_, False)
    """
    x, y = known(x), known(y)
    try:
        np.broadcast_shapes(shape(x), shape(y))
    except ValueError:
        return False
    return all(equal(x, y))


__all__ = [
    "all", "allclose", "any", "argmax", "argmin", "argpartition", "argsort", "argwhere",
    "array_equal", "array_equiv", "ceil", "count_nonzero", "equal", "fix",
    "flatnonzero", "floor", "floor_divide", "greater", "greater_equal", "heaviside",
    "isclose", "iscomplex", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal",
    "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "nextafter",
    "nonzero", "not_equal", "rint", "round", "signbit", "signum", "spacing", "trunc",
]  # fmt: skip
