"""Cases of `adjoint.ops.aliases`: each name once, for the function has its own cases."""

import numpy as np

from .case import apart, case, uniform

half = uniform(0.1, 0.8, (2, 3))

for name in """absolute arccos arcsin arcsinh arctan arctanh around conjugate degrees
        radians""".split():
    case(name, half)
case("arccosh", uniform(1.1, 2, (3,)))
for name in "arctan2", "power", "true_divide":
    case(name, half, uniform(0.5, 2, (3,)))
case("mod", uniform(2.1, 2.9, (2, 3)), uniform(0.8, 1, (3,)))
case("amax", apart(-1, 1, (2, 3)), axis=1, like=np.max)
case("amin", apart(-1, 1, (2, 3)), like=np.min)
case("concatenate", [half, half], 1)
