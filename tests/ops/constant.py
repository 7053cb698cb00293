"""Cases of `adjoint.ops.constant`."""

import numpy as np

import adjoint as ad

from .case import apart, case, plane, uniform

TIES = np.array([[1.0, 2.0, 2.0], [-1.0, 2.0, -3.0]])

for name in "equal", "not_equal", "less", "less_equal", "greater", "greater_equal":
    case(name, TIES, np.array([1.0, 2.0, -3.0]))
    case(name, TIES, 2.0)
    case(name, 1.0, 2.0)
    case(name, uniform(0, 1, (0,)), uniform(0, 1, (1,)))
TRUTH = np.array([[True, False], [False, False]])
for name in "logical_and", "logical_or":
    case(name, TIES, np.array([0.0, 2.0, -3.0]))
    case(name, TRUTH, np.array([True, False]))
    case(name, 1.0, 0.0)
case("logical_not", TIES)
case("logical_not", TRUTH)
case("logical_xor", TIES, np.array([0.0, 2.0, -3.0]))
case("logical_xor", TRUTH, np.array([True, False]))
for name in "isposinf", "isneginf":
    case(name, np.array([1.0, np.inf, -np.inf, np.nan]))
    case(name, 1.0)
for name in "isreal", "iscomplex":
    case(name, np.array([1.0, 1j, 1 + 0j]))
    case(name, TIES)
for params in {}, dict(rtol=0.3), dict(atol=1.0, rtol=0.0), dict(equal_nan=True):
    case("isclose", TIES, np.array([1.0, 2.0, -3.0]), **params)
    case("isclose", np.array([1.0, np.nan, 2.5]), np.array([1.0, np.nan, 2.0]), **params)
case("isclose", plane(-1, 1, (2,)), 1.0)
case("isin", TIES, np.array([1.0, -3.0]))
case("isin", TIES, np.array([[2.0], [5.0]]), invert=True)
case("isin", 2.0, 2.0)
for axis in None, 0, (0, -1):
    case("count_nonzero", np.array([[0.0, 1.0, 0.0], [2.0, 3.0, 0.0]]), axis=axis)
case("count_nonzero", np.array([[0.0, 1.0], [2.0, 3.0]]), axis=1, keepdims=True)
case("argwhere", np.array([[0.0, 1.0, 0.0], [2.0, 3.0, 0.0]]))
case("argwhere", TRUTH)
for name in "isfinite", "isinf", "isnan":
    case(name, np.array([1.0, np.inf, -np.inf, np.nan]))
    case(name, plane(-1, 1, (2,)))
    case(name, 1.0)
case("signbit", np.array([-0.0, 0.0, -1.0, 2.0]))
for name in "argmax", "argmin":
    case(name, TIES)
    case(name, TIES, axis=1)
    case(name, TIES, axis=-2, keepdims=True)


def stably(x, axis=-1, descending=False, **ignored):
    """The reference of `argsort`: as many elements are before each as it says."""
    x = x.ravel() if axis is None else x
    axis = 0 if axis is None else axis
    return np.argsort(-x if descending else x, axis, kind="stable")


case("argsort", apart(-1, 1, (3, 4)), like=stably)
case("argsort", 1.5, like=lambda x: np.argsort(x))
case("argsort", uniform(0, 1, (0, 2)), axis=0, like=stably)
for axis in 0, 1, None:
    for descending in False, True:
        case("argsort", TIES, axis=axis, descending=descending, like=stably)
case("argsort", TIES, kind="quicksort", stable=False, like=stably)
for axis in 0, -1, None:
    for k in 0, 2, [0, 1]:
        case("argpartition", apart(-1, 1, (3, 4)), k, axis=axis)


for name in "all", "any":
    case(name, np.array([[0.0, 1.0], [1.0, 1.0]]))
    case(name, np.array([[0.0, 1.0], [1.0, 1.0]]), axis=(0, -1), keepdims=True)
    case(name, plane(1, 2, (2, 2)), axis=1)
for name in "signum", "floor", "ceil", "trunc", "round", "rint", "fix":
    like = dict(signum=np.sign, fix=np.trunc).get(name)
    case(name, np.array([[-1.7, -0.2, 0.3], [1.2, 1.6, 7.1]]), like=like)
    case(name, 0.4, like=like)
    case(name, uniform(0, 1, (0, 2)), like=like)
case("round", np.array([0.123, 4.567]), decimals=1)
case("round", plane(0.6, 0.9, (2,)))
case("floor_divide", np.array([[-1.7, 2.2, 5.3]]), np.array([[0.7], [-1.9]]))
case("floor_divide", 7.3, np.array([1.9, -2.1]))
case("rint", plane(0.6, 0.9, (2,)))
case("spacing", np.array([[-1.7, 1.2], [5.3, 0.3]]))
case("heaviside", np.array([-1, 0, 2, 0]), uniform(-1, 1, (4,)))
case("heaviside", np.array([[-1.0], [2.0]]), uniform(-1, 1, (3,)))
case("heaviside", 0, 0.5)
case("nextafter", uniform(-1, 1, (3,)), 2.0)


def beside(name, *args, **params):
    """A case of a function whose result does not move: a number, times what it gives."""

    def times(of):
        return lambda t, *xs, **params: t * total(of(*xs, **params))

    call, like = times(getattr(ad, name)), times(getattr(np, name))
    case(name, uniform(1, 2), *args, call=call, like=like, **params)


def total(found):
    """Truth values or indices as one number, in which each has a weight of its own."""
    parts = found if isinstance(found, tuple) else (found,)
    return sum([((part + 1) * (i + 2)).sum() for i, part in enumerate(map(ad.asarray, parts))])


for other in np.array([1, 2]), np.array([1, 3]), np.array([1.0, 2.5]):
    beside("allclose", np.array([1, 2]), other)
    beside("allclose", np.array([1, 2]), other, rtol=0.5)
    beside("array_equal", np.array([1, 2]), other)
    beside("array_equiv", np.array([1, 2]), other)
beside("array_equal", np.array([1, 2]), 1)
beside("array_equiv", np.array([1, 2]), np.array([1, 2, 1]))
beside("array_equiv", np.array([2, 2]), 2)
for name in "nonzero", "flatnonzero":
    beside(name, np.array([[0, 1, 0], [2, 3, 0]]))
