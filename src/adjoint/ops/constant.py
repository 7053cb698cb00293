"""Functions without a derivative, and why: predicates, locally constant steps, ops with no rule."""

from __future__ import annotations

from .rules import constant, op, predicate


@predicate
def equal(xp, x, y, /):
    """x == y, element by element."""
    return xp.equal(x, y)


@predicate
def not_equal(xp, x, y, /):
    """x != y, element by element."""
    return xp.not_equal(x, y)


@predicate
def less(xp, x, y, /):
    """x < y, element by element."""
    return xp.less(x, y)


@predicate
def less_equal(xp, x, y, /):
    """x <= y, element by element."""
    return xp.less_equal(x, y)


@predicate
def greater(xp, x, y, /):
    """x > y, element by element."""
    return xp.greater(x, y)


@predicate
def greater_equal(xp, x, y, /):
    """x >= y, element by element."""
    return xp.greater_equal(x, y)


@predicate
def isfinite(xp, x, /):
    """True where x is neither infinite nor NaN."""
    return xp.isfinite(x)


@predicate
def isinf(xp, x, /):
    """True where x is infinite."""
    return xp.isinf(x)


@predicate
def isnan(xp, x, /):
    """True where x is NaN."""
    return xp.isnan(x)


@predicate
def signbit(xp, x, /):
    """True where the sign bit of x is set, -0.0 included."""
    return xp.signbit(x)


@predicate
def argmax(xp, x, /, axis=None, keepdims=False):
    """Index of the first maximum along `axis`."""
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@predicate
def argmin(xp, x, /, axis=None, keepdims=False):
    """Index of the first minimum along `axis`."""
    return xp.argmin(x, axis=axis, keepdims=keepdims)


@predicate
def argsort(xp, x, /, axis=-1):
    """Indices that sort x along `axis`, equal elements in order."""
    return xp.argsort(x, axis=axis, kind="stable")


@predicate
def all(xp, x, /, axis=None, keepdims=False):
    """True where every element along `axis` is nonzero."""
    return xp.all(x, axis=axis, keepdims=keepdims)


@predicate
def any(xp, x, /, axis=None, keepdims=False):
    """True where an element along `axis` is nonzero."""
    return xp.any(x, axis=axis, keepdims=keepdims)


@constant("the sign only jumps, at 0")
def signum(xp, x, /):
    """Sign of a real number: -1, 0 or 1."""
    return xp.sign(x)


@constant("a step function")
def floor(xp, x, /):
    """The largest integer not above x."""
    return xp.floor(x)


@constant("a step function")
def ceil(xp, x, /):
    """The smallest integer not below x."""
    return xp.ceil(x)


@constant("a step function")
def trunc(xp, x, /):
    """x rounded towards zero."""
    return xp.trunc(x)


@constant("a step function")
def round(xp, x, /, decimals=0):
    """x rounded to `decimals` decimal places, halves to even."""
    return xp.round(x, decimals)


@constant("a step function of the quotient")
def floor_divide(xp, x, y, /):
    """The floor of x/y."""
    return xp.floor_divide(x, y)


@op()
def nextafter(xp, x, y, /):
    """The next floating-point number after x towards y: a matter of bits, so it has no rule."""
    return xp.nextafter(x, y)


__all__ = [
    "all", "any", "argmax", "argmin", "argsort", "ceil", "equal", "floor", "floor_divide", "greater",
    "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "nextafter", "not_equal", "round",
    "signbit", "signum", "trunc",
]  # fmt: skip
