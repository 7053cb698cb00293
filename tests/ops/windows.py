"""Cases of `adjoint.ops.windows`."""

from .case import case, uniform

case("kaiser", 5, uniform(1, 3))
case("kaiser", 2, uniform(1, 3))
