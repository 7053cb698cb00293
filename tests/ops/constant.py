"""Cases of `adjoint.ops.constant`."""

import numpy as np

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
for name in "isfinite", "isinf", "isnan":
    case(name, np.array([1.0, np.inf, -np.inf, np.nan]))
    case(name, plane(-1, 1, (2,)))
    case(name, 1.0)
case("signbit", np.array([-0.0, 0.0, -1.0, 2.0]))
for name in "argmax", "argmin":
    case(name, TIES)
    case(name, TIES, axis=1)
    case(name, TIES, axis=-2, keepdims=True)
case("argsort", apart(-1, 1, (3, 4)), like=lambda x: np.argsort(x, -1))
case("argsort", TIES, axis=0, like=lambda x, axis: np.argsort(x, axis, kind="stable"))
for name in "all", "any":
    case(name, np.array([[0.0, 1.0], [1.0, 1.0]]))
    case(name, np.array([[0.0, 1.0], [1.0, 1.0]]), axis=(0, -1), keepdims=True)
    case(name, plane(1, 2, (2, 2)), axis=1)
for name in "signum", "floor", "ceil", "trunc", "round":
    like = np.sign if name == "signum" else None
    case(name, np.array([[-1.7, -0.2, 0.3], [1.2, 1.6, 7.1]]), like=like)
    case(name, 0.4, like=like)
    case(name, uniform(0, 1, (0, 2)), like=like)
case("round", np.array([0.123, 4.567]), decimals=1)
case("round", plane(0.6, 0.9, (2,)))
case("floor_divide", np.array([[-1.7, 2.2, 5.3]]), np.array([[0.7], [-1.9]]))
case("floor_divide", 7.3, np.array([1.9, -2.1]))
case("nextafter", uniform(-1, 1, (3,)), 2.0)
