"""Cases of `adjoint.ops.creation`."""

import numpy as np

import adjoint as ad

from .case import case, plane, uniform

row = uniform(-1, 1, (3,))
table = uniform(-1, 1, (2, 3))
number = uniform(-1, 1)

case("array", [[number, 1.0], [2.0, number]])
case("array", [row, row])
case("array", [[row], [row]])
case("array", [number, plane(-1, 1)])
case("array", row, ndmin=2)
case("array", number)
case("asarray", table)
case("asarray", [number, 2.0, 3.0, number])
case("copy", table)
case("copy", number)
case("linspace", number, number, 4)
case("linspace", row, number, 3, False)
case("linspace", number, row, 3, axis=-1)
case("linspace", number, number, 1)
case("linspace", row, row, 2, retstep=True)
case("linspace", number, number, 0)
case("linspace", plane(-1, 1), number, 3)
case("logspace", number, number, 4)
case("logspace", row, number, 3, False, base=2.0)
case("logspace", number, number, 3, True, uniform(2, 3))
case("logspace", number, row, 3, True, uniform(2, 3, (3,)), axis=-1)
case("geomspace", uniform(1, 2), uniform(3, 4), 4)
case("geomspace", uniform(-2, -1, (2,)), uniform(-4, -3, (2,)), 3, axis=1)
case("geomspace", uniform(1, 2), uniform(3, 4, (2,)), 3, False)
case("geomspace", uniform(1, 2), uniform(3, 4), 1)
case("geomspace", plane(1, 2), plane(3, 4), 3)
case("geomspace", uniform(1, 2), plane(3, 4), 3)


def beside(name, *args, **params):
    """A case of a function that makes a constant: it is added to what is differentiated."""
    ours, theirs = getattr(ad, name), getattr(np, name)
    case(
        name,
        row,
        call=lambda x: x + np.asarray(ours(*args, **params)),
        like=lambda x: x + theirs(*args, **params),
    )


beside("zeros", (2, 3))
beside("ones", (2, 3))
beside("eye", 2, 3, 1)
beside("identity", 3, int)
beside("tri", 2, 3, 1)
beside("arange", 3)
case("empty", table, call=lambda x: x + ad.empty((2, 3), x.dtype).numpy(), like=lambda x: x)
case("full", (2, 3), number, via=lambda out: out)
case("full", (2, 3), row, via=lambda out: out)
case("full_like", np.zeros((2, 2)), number, via=lambda out: out)
for name in "zeros_like", "ones_like":
    case(
        name,
        table,
        call=lambda x, name=name: x + getattr(ad, name)(x),
        like=lambda x, name=name: x + getattr(np, name)(x),
    )
case("empty_like", table, call=lambda x: x + ad.empty_like(x), like=lambda x: x)
