"""Cases of `adjoint.ops.interpolation`."""

import numpy as np

from .case import case, plane, uniform

TABLE, EDGES = np.array([-1.0, -0.4, 0.3, 1.1, 1.5]), np.array([0.0, 0.7, 1.6])
BETWEEN = np.array([[-0.7, 0.0, 0.1], [1.2, 1.45, -0.5]])
BEYOND = np.array([-2.0, -0.7, 1.2, 3.0])
VALUES = uniform(-1, 1, (5,))

for side in "left", "right":
    case("searchsorted", TABLE, np.array([-3.0, 0.3, 0.35, 1.5]), side=side)
case("searchsorted", TABLE, 0.5)
case("searchsorted", TABLE[[2, 0, 1]], BETWEEN, sorter=np.array([1, 2, 0]))
case("searchsorted", TABLE, np.zeros((0, 2)))
for right in False, True:
    case("digitize", np.array([[-1.0, 0.3], [0.7, 9.0]]), EDGES, right=right)
    case("digitize", np.array([-1.0, 0.3, 0.7]), EDGES[::-1], right=right)
case("digitize", 0.5, EDGES)

case("interp", BETWEEN, TABLE, VALUES)
case("interp", BEYOND, TABLE, VALUES)
case("interp", BEYOND, TABLE, VALUES, 0.3, -0.2)
case("interp", BEYOND, TABLE, plane(-1, 1, (5,)))
case("interp", 0.6, TABLE, VALUES)
case("interp", np.zeros((0,)), TABLE, VALUES)
case("interp", np.array([-1.0, 3.0]), np.array([0.5]), np.array([2.0]))
case("interp", BEYOND, np.array([0.2, 3.1, 1.4]), uniform(-1, 1, (3,)), period=2.5)
case("interp", BETWEEN, np.array([0.2, 1.3]), plane(-1, 1, (2,)), None, None, 1.7)

cube = uniform(-1, 1, (3, 4, 3))
for params in {}, dict(n=2), dict(n=0), dict(axis=0), dict(n=2, axis=1):
    case("diff", cube, **params)
case("diff", uniform(-1, 1, (3,)), 1, -1, 0.5)
case("diff", uniform(-1, 1, (3, 2)), 2, 0, uniform(-1, 1, (2, 2)), 0.3)
case("diff", uniform(-1, 1, (3, 2)), append=np.ones((3, 1)))
case("diff", plane(-1, 1, (3,)))
case("diff", uniform(-1, 1, (1,)))
case("diff", uniform(-1, 1, (2,)), 4)
case("ediff1d", uniform(-1, 1, (2, 3)))
case("ediff1d", uniform(-1, 1, (3,)), uniform(-1, 1, (2,)), 0.5)
case("ediff1d", uniform(-1, 1, (1,)), to_begin=np.array([0.5]))

PLACES = np.array([0.0, 0.5, 1.4, 2.0])
for order in 1, 2:
    case("gradient", cube, edge_order=order)
    case("gradient", cube, 0.5, edge_order=order)
    case("gradient", cube, axis=1, edge_order=order)
    case("gradient", cube, PLACES, axis=1, edge_order=order)
    case("gradient", cube, PLACES[1:], 0.5, axis=(2, 1), edge_order=order)
    case("gradient", plane(-1, 1, (5,)), 0.5, edge_order=order)
    case("gradient", uniform(-1, 1, (3,)), PLACES[:3], edge_order=order)
case("gradient", uniform(-1, 1, (2,)))
case("gradient", uniform(-1, 1, (2, 2)), PLACES[:2], axis=0)
case("gradient", np.array([1, 4, 9]), 0.5)

STEPS = np.array([[0.1, 3.0, -2.9, 5.5, 12.0], [0.0, 1.0, 2.0, -1.5, 9.0]])
case("unwrap", STEPS)
case("unwrap", STEPS, axis=0)
case("unwrap", STEPS, 5.0)
case("unwrap", STEPS, period=4.3)
case("unwrap", uniform(-1, 1, (1,)))
case("trapezoid", uniform(-1, 1, (2, 3)))
case("trapezoid", uniform(-1, 1, (2, 4)), PLACES)
case("trapezoid", uniform(-1, 1, (4, 2)), PLACES, axis=0)
case("trapezoid", uniform(-1, 1, (3,)), None, 0.5)
