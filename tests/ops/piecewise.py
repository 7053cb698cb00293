"""Cases of `adjoint.ops.piecewise`."""

import numpy as np

import adjoint as ad

from .case import apart, case, uniform

row = uniform(-1, 1, (4,))
table = uniform(-1, 1, (2, 3))
first = np.array([True, True, False, False])
second = np.array([False, True, True, False])

case("select", [first, second], [row, row])
case("select", [first, second], [row, 2.0], uniform(-1, 1))
case("select", [first[:, None], np.array([True, False])], [uniform(-1, 1, (4, 2)), 1.0], 5)
case(
    "select",
    apart(-2, 1.9, (5,)),
    call=lambda x: ad.select([x < 0, x < 1], [x * x, 3 * x]),
    like=lambda x: np.select([x < 0, x < 1], [x * x, 3 * x]),
)
case("piecewise", row, [first], [lambda x: x * x, lambda x: 3 * x])
case("piecewise", row, [first, second], (lambda x: x * x, 2.5))
case("piecewise", row, first, [lambda x: x * x])
case("piecewise", row, [first, second], [lambda x: x * x, lambda x: 3 * x, lambda x: 5.0])
case("piecewise", row, [first & False], [lambda x: x * x])
case("piecewise", uniform(-1, 1), [True], [lambda x: x * x])
case("piecewise", row, [first], [lambda x, a, b: a * x**b], 3.0, b=2)
case(
    "piecewise",
    apart(-2, 1.9, (5,)),
    call=lambda x: ad.piecewise(x, [x < 0, x > 1], [lambda x: x * x, ad.exp, ad.sin]),
    like=lambda x: np.piecewise(x, [x < 0, x > 1], [lambda x: x * x, np.exp, np.sin]),
)
case("choose", np.array([2, 0, 1]), [uniform(-1, 1, (3,)), uniform(-1, 1, (3,)), uniform(-1, 1)])
case("choose", np.array([[1], [0]]), [uniform(-1, 1, (3,)), uniform(-1, 1, (3,))])
case("choose", np.array([-1, 4, 1]), [uniform(-1, 1, (3,)), uniform(-1, 1)], mode="wrap")
case("choose", np.array([-1, 4, 1]), [uniform(-1, 1, (3,)), uniform(-1, 1)], mode="clip")
case("choose", 1, [uniform(-1, 1, (3,)), uniform(-1, 1, (3,))])
case("compress", np.array([True, False, True]), table, axis=1)
case("compress", [False, True], table)
case("extract", np.array([[True, False, True], [False, False, True]]), table)
