"""Cases of `adjoint.ops.incomplete`."""

import numpy as np
import scipy.special as sp

from .bessel import held
from .case import case, plane, uniform

PAIRS = [((2, 3), (2, 3)), ((3,), (2, 1)), ((), (2, 3)), ((), ()), ((0,), (1,))]
BINARY = dict(
    gammainc=((0.5, 3), (0.5, 3)), gammaincc=((0.5, 3), (0.5, 3)),
    gammaincinv=((0.7, 3), (0.2, 0.8)), gammainccinv=((0.7, 3), (0.2, 0.8)),
    stdtr=((1, 5), (-2, 2)), stdtrit=((1, 5), (0.1, 0.4)), owens_t=((-2, 2), (-2, 2)),
    chdtr=((1, 5), (0.5, 3)), chdtrc=((1, 5), (0.5, 3)), chdtri=((1.5, 5), (0.2, 0.8)),
    ellipkinc=((-1.2, 1.2), (-1, 0.8)), ellipeinc=((-1.2, 1.2), (-1, 0.8)),
    ellipj=((-2, 2), (0.2, 0.8)), elliprc=((0.5, 2), (0.5, 2)), agm=((0.5, 2), (0.5, 2)),
)  # fmt: skip
COMPOSED = "chdtr chdtrc chdtri ellipj fdtr fdtrc fdtri gdtr gdtrc gdtrix gdtria".split()


def named(name):
    return f"special.{name}" if name in COMPOSED else name


for name, (left, right) in BINARY.items():
    for x, y in PAIRS:
        case(named(name), uniform(*left, x), uniform(*right, y))
case("gammainc", np.array([30.0, 40.0, 200.0]), np.array([25.0, 50.0, 201.0]))
case("gammaincc", 40.0, uniform(30, 50))
case("stdtr", np.array([3.0, 50.0]), np.array([0.0, 9.0]))
case("agm", uniform(-2, -0.5, (3,)), uniform(-2, -0.5))
for phi in 2.0, 4.0, -2.5, -5.0:
    case("ellipkinc", phi, uniform(-1, 0.8))
    case("ellipeinc", phi, uniform(-1, 0.8))
case(
    "amplitude",
    uniform(-2, 2, (2, 3)),
    uniform(0.2, 0.8, (3,)),
    like=lambda u, m: sp.ellipj(u, m)[3],
)
case("amplitude", uniform(4, 6), uniform(0.2, 0.8), like=lambda u, m: sp.ellipj(u, m)[3])


def density(a, x):
    return np.exp((a - 1) * np.log(x) - x - sp.gammaln(a))


def student(df, x):
    return (1 + x * x / df) ** (-(df + 1) / 2) / (np.sqrt(df) * sp.beta(df / 2, 0.5))


def beta_density(a, b, x):
    return x ** (a - 1) * (1 - x) ** (b - 1) / sp.beta(a, b)


for a, x in PAIRS:
    case("gamma_density", uniform(0.5, 3, a), uniform(0.5, 3, x), like=density)
    case("student_density", uniform(1, 5, a), uniform(-2, 2, x), like=student)
case("gamma_density", uniform(18, 25, (5,)), uniform(15, 30, (5,)), like=density)


def compared_elsewhere(*args, **params):
    """In place of a reference: `test_special.py` compares these with mpmath."""
    return sum(args)


def slope(name, *args, **params):
    case(name, *args, **params, like=compared_elsewhere, via=lambda x: x)


for order in 1, 2:
    slope("gammainc_slope", uniform(0.5, 3, (2, 1)), uniform(0.5, 3, (2,)), order=order)
    slope("gammainc_slope", 2.0, 1.0, order=order)
for n, m in (1, 0), (0, 1), (1, 1), (2, 0):
    point = uniform(0.6, 2, (2, 1)), uniform(0.6, 2, (2,)), uniform(0.3, 0.7)
    slope("betainc_slope", *point, n=n, m=m)
THREE = [((2, 3), (3,), (2, 1)), ((), (2, 3), ()), ((), (), ()), ((0,), (1,), ())]
for a, b, x in THREE:
    shapes = uniform(0.6, 3, a), uniform(0.6, 3, b)
    case("beta_density", *shapes, uniform(0.2, 0.8, x), like=beta_density)
    for name in "betainc", "betaincc", "betaincinv", "betainccinv":
        case(name, *shapes, uniform(0.2, 0.8, x))
    for name in "fdtr", "fdtrc":
        case(named(name), *shapes, uniform(0.3, 2, x))
    case("special.fdtri", *shapes, uniform(0.2, 0.7, x), via=lambda x: x * (1 + 1e-14))
    for name in "gdtr", "gdtrc":
        case(named(name), *shapes, uniform(0.3, 2, x))
    case("special.gdtrix", *shapes, uniform(0.2, 0.7, x))
    case("special.gdtria", uniform(0.2, 0.7, a), uniform(0.6, 3, b), uniform(0.3, 2, x))
    case("special.nrdtrimn", uniform(0.2, 0.7, a), uniform(0.6, 3, b), uniform(0.3, 2, x))
    case("special.nrdtrisd", uniform(-1, 0, a), uniform(0.6, 0.9, b), uniform(0.3, 2, x))
    if (a, b, x) != THREE[-1]:
        three = uniform(0.5, 2, a), uniform(0.5, 2, b), uniform(0.5, 2, x)
        case("elliprf", *three)
        case("elliprd", *three)
        case("elliprg", *three)
case("elliprj", uniform(0.5, 2, (2, 1)), uniform(0.5, 2, (3,)), uniform(0.5, 2), uniform(0.5, 2))
case("elliprc", plane(0.5, 2), plane(0.5, 2))
for name in "elliprf", "elliprd", "elliprg":
    case(name, plane(0.5, 2), plane(0.5, 2), plane(0.5, 2))


four = [uniform(0.5, 2, shape) for shape in ((2, 1), (2,), (), ())]
case("carlson", *four, powers=(0.5, 0.5, 0.5, 1), like=lambda *a, powers: sp.elliprj(*a) / 1.5)
case("carlson", *four, powers=(0.5, 0.5, 1.5, 0), like=lambda *a, powers: sp.elliprd(*a[:3]) / 1.5)
slope("carlson", *four, powers=(1.5, 0.5, 0.5, 1), start=1)

three = np.array(3)  # of a number and float32, SciPy makes a float
for name in "bdtr bdtrc bdtri nbdtr nbdtrc nbdtri".split():
    for k, n in (1, three), (np.array([0, 2, 3]), np.array(4)), (0, np.array([2, 5, 9])):
        case(name, k, n, uniform(0.2, 0.7, (2, 3)))
    case(name, 1, three, uniform(0.2, 0.7))
for name in "pdtr", "pdtrc":
    for k in 0, 2, np.array([0, 1, 4]):
        case(name, k, uniform(0.5, 3, (2, 3)))
    case(name, uniform(0.5, 3), **held(name, 2.7))
for k in 0, 2, np.array([0, 1, 4]):
    case("pdtri", k, uniform(0.2, 0.8, (2, 3)))
case("bdtr", uniform(0.2, 0.7), **held("bdtr", 1.5, np.array(4)))
case("kolmogorov", np.array([0.3, 0.6, 0.9, 1.2, 2.0]))
case("kolmogorov", uniform(0.5, 0.9))
case("kolmogi", uniform(0.2, 0.8, (2, 3)))
for n in 1, 5, np.array([2, 3, 8]):
    case("smirnov", n, np.array([0.17, 0.46, 0.93]))
case("smirnov", 3, 0.17)


slope("smirnov_slope", np.array([1, 2, 5]), np.array([0.17, 0.46, 0.77]), order=1)
slope("smirnov_slope", 6, uniform(0.2, 0.3), order=2)

case("student_density", np.array([38.0, 42.0]), uniform(-2, 2, (2,)), like=student)

UNARY = dict(
    expi=(0.5, 3), exp1=(0.5, 3), sici=(0.5, 3), shichi=(0.5, 3), spence=(0.6, 1.4),
    ellipk=(-1, 0.8), ellipkm1=(0.2, 2), ellipe=(-1, 0.8),
)  # fmt: skip
for name, (low, high) in UNARY.items():
    case(name, uniform(low, high, (2, 3)))
    case(name, uniform(low, high))
    case(name, uniform(low, high, (0,)))
for name in "expi", "exp1", "sici", "shichi", "spence":
    case(name, plane(0.5, 1.5, (2,)))
case("spence", np.array([0.3, 1.0, 5.0]))
case("ellipk", np.array([0.0, 1e-9]))
case("ellipe", np.array([0.0, 1e-9]))
for n in 0, 1, 3, np.array([0, 1, 2]):
    case("expn", n, uniform(0.5, 3, (2, 3)))
case("expn", 2, 1.5)
inner = uniform(0.2, 0.8, (2, 3))
case("gdtrib", uniform(0.5, 2, (3,)), inner, uniform(0.5, 2, (2, 1)))
case("gdtrib", 1.5, 0.3, 2.0)
case("special.chdtriv", inner, uniform(0.5, 2, (3,)))
case("stdtridf", uniform(0.77, 0.78, (2, 3)), uniform(1, 1.03, (3,)))
case("btdtria", inner, uniform(0.5, 2, (3,)), uniform(0.2, 0.8))
case("btdtrib", uniform(0.5, 2, (3,)), inner, uniform(0.2, 0.8))
case("smirnovi", np.array([2, 3, 8]), np.array([0.17, 0.46, 0.83]))
