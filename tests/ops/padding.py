"""Cases of `adjoint.ops.padding`."""

import numpy as np

from .case import apart, case, plane, uniform

row = uniform(-1, 1, (3,))
table = uniform(-1, 1, (2, 3))

for mode in "constant", "edge", "linear_ramp", "mean", "reflect", "symmetric", "wrap":
    case("pad", row, (1, 2), mode)
    case("pad", row, 7, mode)
    case("pad", table, ((1, 0), (2, 3)), mode)
    case("pad", plane(-1, 1, (3,)), (2, 0), mode)
    case("pad", uniform(-1, 1, (1,)), 2, mode)
for mode in "maximum", "median", "minimum":
    case("pad", apart(-2, 2, (3,)), (1, 2), mode)
    case("pad", apart(-2, 2, (4,)), (1, 2), mode)
    case("pad", apart(-2, 2, (3, 4)), ((1, 0), (2, 3)), mode, stat_length=2)
case("pad", table, 2, "mean", stat_length=((1, 2), (2, 3)))
case("pad", uniform(-1, 1, (0, 2)), 1)
case("pad", table, 0)
for mode in "reflect", "symmetric":
    case("pad", row, 8, mode, reflect_type="odd")
    case("pad", table, ((1, 0), (0, 4)), mode, reflect_type="odd")
case("pad", table, 1, constant_values=2.5)
case("pad", table, 1, constant_values=((1.0, 2.0), (3.0, 4.0)))
case("pad", table, 1, "linear_ramp", end_values=(2.0, 3.0))
case("pad", table, 1, "empty", like=lambda x, width, mode: np.pad(x, width))
