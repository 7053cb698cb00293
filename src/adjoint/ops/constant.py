"""Functions without a derivative, and why: predicates, locally constant steps, ops with no rule."""

from __future__ import annotations

from .batch import in_a_row
from .rules import constant, op, predicate


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


@predicate
def argsort(xp, x, /, axis=-1):
    """Indices that sort x along `axis`, equal elements in order; `x[argsort(x)]` is differentiated.

    >>> x = np.array([3.0, 1.0, 2.0])
    >>> ad.grad(lambda x: x[ad.argsort(x)][0])(x)
    array([0., 1., 0.])
    """
    return xp.argsort(x, axis=axis, kind="stable")


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


@op()
def nextafter(xp, x, y, /):
    """The next floating-point number after x towards y: a matter of bits, so it has no rule.

    Raises: NoRuleError when its derivative is asked for.

    >>> float(ad.nextafter(1.0, 2.0) - 1.0)
    2.220446049250313e-16
    """
    return xp.nextafter(x, y)


__all__ = [
    "all", "any", "argmax", "argmin", "argsort", "ceil", "equal", "floor", "floor_divide",
    "greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "logical_and",
    "logical_not", "logical_or", "nextafter", "not_equal", "round", "signbit", "signum", "trunc",
]  # fmt: skip
