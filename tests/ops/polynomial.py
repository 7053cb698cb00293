"""Cases of `adjoint.ops.polynomial`."""

import numpy as np

import adjoint as ad

from .case import apart, case, plane, uniform


def row(n):
    return uniform(-1, 1, (n,))


case("polyval", row(4), uniform(-1, 1, (2, 3)))
case("polyval", row(4), uniform(-1, 1))
case("polyval", plane(-1, 1, (3,)), row(2))
case("polyval", row(1), row(2))
case("polyval", row(0), row(2))
case("polyval", [1.5, -0.5, 2.0], 0.3)
for name in "polyadd", "polysub", "polymul":
    for n, m in (3, 3), (2, 4), (4, 1):
        case(name, row(n), row(m))
    case(name, plane(-1, 1, (2,)), row(3))
    case(name, 1.5, row(3))
case("polydiv", np.array([1.5, -0.5, 2.0, 0.3]), np.array([0.7, 0.2]))
case("polydiv", np.array([1.5, -0.5, 2.0, 0.3, 0.1]), np.array([0.7, 0.2, -0.3]))
case("polydiv", np.array([1.5, -0.5]), np.array([0.7]))
case("polydiv", np.array([1.5, -0.5]), np.array([0.7, 0.2, 0.1]))
case("polydiv", plane(0.5, 1, (3,)), plane(0.5, 1, (2,)))
for m in 0, 1, 2, 5:
    case("polyder", row(4), m)
    case("polyint", row(3), m)
case("polyint", row(2), 2, row(2))
case("polyint", row(2), 2, 0.5)
case("polyint", plane(-1, 1, (2,)))
case("poly", row(3))
case("poly", plane(-1, 1, (2,)))
case("poly", np.array([[2.0, 1.0], [0.5, 3.0]]))
case("vander", row(3))
case("vander", row(2), 4, increasing=True)
case("vander", row(2), 0)
case("vander", plane(-1, 1, (2,)), 1)

REAL = np.poly([-1.0, 0.5, 2.0])


def parts(r):
    """Whether roots are real or complex is a matter of values; their parts are real."""
    return ad.real(r), ad.imag(r)


case("roots", REAL)
case("roots", np.array([2.0, 0.3, 1.5, 0.7]), via=parts)
case("roots", np.array([2.0]))
case("roots", np.array([0.5 + 1j, 2.0, -1j]))
case("polynomial_roots", REAL, like=np.roots)
case("polynomial_roots", REAL * (1 + 0.5j), like=np.roots)
case(
    "polynomial_roots",
    np.array([[2.0, 0.3, 1.5, 0.7], [1.0, 0.2, 2.0, -0.4]]),
    via=parts,
    like=lambda p: np.stack([np.roots(q) for q in p]),
)
case("polynomial_roots", np.array([2.0]), like=np.roots)

X = apart(-1, 1.2, (6,))
case("polyfit", X, row(6), 2)
case("polyfit", X, uniform(-1, 1, (6, 2)), 1)
case("polyfit", X, plane(-1, 1, (6,)), 1)
case("polyfit", X, row(6), 1, None, False, uniform(0.5, 1, (6,)))
case("polyfit", X, uniform(-1, 1, (6, 2)), 1, None, False, uniform(0.5, 1, (6,)))
for cov in True, "unscaled":
    case("polyfit", X, row(6), 1, cov=cov)
    case("polyfit", X, uniform(-1, 1, (6, 2)), 1, cov=cov)
