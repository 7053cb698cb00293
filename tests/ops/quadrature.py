"""Cases of `adjoint.ops.quadrature`."""

import numpy as np
import scipy.integrate

import adjoint as ad

from .case import case, plane, uniform


def of(name, *args, **params):
    """A case of a function of the room; SciPy's trapezoid rounds places to the samples' dtype."""
    like = np.trapezoid if name == "trapezoid" else getattr(scipy.integrate, name)
    case(name if name == "trapezoid" else f"integrate.{name}", *args, like=like, **params)


places = np.array([0.0, 0.3, 0.7, 1.5, 1.6, 2.0, 3.0])
for name in "trapezoid", "cumulative_trapezoid", "simpson", "cumulative_simpson":
    for n in 1, 2, 3, 4, 5, 6, 7:
        of(name, uniform(-1, 1, (n,)))
        of(name, uniform(-1, 1, (2, n)), x=places[:n])
    of(name, uniform(-1, 1, (5, 2)), dx=0.3, axis=0)
    of(name, uniform(-1, 1, (2, 6, 2)), dx=2, axis=1)
    of(name, plane(-1, 1, (2, 5)), axis=-1)
    of(name, plane(-1, 1, (6,)), x=places[:6])
    of(name, uniform(-1, 1, (0, 4)))
for name in "trapezoid", "cumulative_trapezoid", "simpson":
    of(name, uniform(-1, 1, (2, 4)), np.array([[0.0, 1.0, 1.5, 2.0], [1.0, 0.5, 0.3, -1.0]]))
    of(name, uniform(-1, 1, (5,)), np.array([0.0, 0.4, 0.9, 1.3, 2.0]))
for name in "cumulative_trapezoid", "cumulative_simpson":
    of(name, uniform(-1, 1, (2, 5)), initial=0)
    of(name, uniform(-1, 1, (5, 2)), axis=0, x=places[:5], initial=0.0)
of("cumulative_simpson", uniform(-1, 1, (2, 4)), dx=np.array([[0.5], [2.0]]))
of("cumulative_simpson", uniform(-1, 1, (4, 2)), axis=0, initial=np.array([[0.5, 2.0]]))
of("cumulative_simpson", uniform(-1, 1, (2,)), initial=1.5)
for name in "trapezoid", "simpson", "cumulative_simpson", "romb":
    like = getattr(scipy.integrate, name)
    case(
        name if name == "trapezoid" else f"integrate.{name}",
        uniform(-1, 1, (5,)),
        0.7,
        call=lambda y, dx, name=name: getattr(ad.integrate, name)(y, dx=dx),
        like=lambda y, dx, like=like: like(y, dx=dx),
    )
for n in 2, 3, 5, 9:
    of("romb", uniform(-1, 1, (n,)))
of("romb", uniform(-1, 1, (5, 2)), 0.3, axis=0)
of("romb", plane(-1, 1, (2, 5)), axis=-1)


def bell(x, width):
    return ad.exp(-x * x * width)


for n in 1, 4, 5:
    case(
        "integrate.fixed_quad",
        uniform(-1, 0),
        uniform(1, 2),
        uniform(0.5, 1),
        n=n,
        call=lambda a, b, width, n: ad.integrate.fixed_quad(bell, a, b, (width,), n)[0],
        like=lambda a, b, width, n: scipy.integrate.fixed_quad(
            lambda x: np.exp(-x * x * width), a, b, n=n
        )[0],
    )
case(
    "integrate.newton_cotes",
    uniform(-1, 1, (3,)),
    call=lambda y: ad.sum(ad.integrate.newton_cotes(2)[0] * y),
    like=lambda y: np.sum(scipy.integrate.newton_cotes(2)[0] * y),
)
