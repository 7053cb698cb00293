"""Cases of `adjoint.ops.special`."""

import numpy as np
import scipy.special as sp

from .case import case, plane, uniform

REAL = dict(
    erf=(-2, 2), erfc=(-2, 2), erfi=(-1, 1), erfcx=(-1, 3), dawsn=(-3, 3), erfinv=(-0.8, 0.8),
    erfcinv=(0.2, 1.8), ndtr=(-2, 2), log_ndtr=(-3, 2), ndtri=(0.1, 0.9), ndtri_exp=(-3, -0.2),
    gamma=(0.5, 3), gammaln=(0.5, 3), loggamma=(0.5, 3), rgamma=(0.6, 3), digamma=(0.6, 3),
    zetac=(1.5, 4), logit=(0.2, 0.8), entr=(0.2, 2), cosm1=(-2, 2), exp10=(-1, 1), sindg=(-90, 90),
    cosdg=(10, 170), tandg=(-60, 60), cotdg=(30, 150), wrightomega=(-2, 2),
)  # fmt: skip
HOLOMORPHIC = """erf erfc erfi erfcx dawsn ndtr log_ndtr gamma loggamma rgamma digamma wofz
    wrightomega""".split()

for name, (low, high) in REAL.items():
    case(name, uniform(low, high, (2, 3)))
    case(name, uniform(low, high))
    case(name, uniform(low, high, (2, 0)))
for name in HOLOMORPHIC:
    case(name, plane(0.3, 0.9, (2, 3)))
    case(name, plane(-0.9, -0.3))
case("erfcx", uniform(9, 30, (3,)))
case("erfcx", plane(9, 12, (2,)))
case("wofz", np.array([0.5 + 9j, -2 + 20j]))
case("wofz", plane(0.5, 1, (0, 2)))
case("dawsn", np.array([-20.0, 9.0, 15.0]))
case("rgamma", uniform(-3, 0.4, (4,)))
case("rgamma", np.array([0.0, -1.0, -2.0]))
case("gamma", uniform(-1.8, -1.2, (3,)))
case("digamma", uniform(-1.8, -1.2, (3,)))
case("digamma", plane(-6, -5, (2,)))
for wave in uniform(0.2, 1.5, (2, 3)), uniform(-2, -1), plane(0.3, 0.9, (2,)), uniform(0, 1, (0,)):
    case("fresnel", wave)
case("gammasgn", uniform(0.5, 2, (2, 3)))
case("gammasgn", uniform(-0.9, -0.1, (3,)))

for n in 0, 1, 2, np.array([0, 1, 3]):
    case("polygamma", n, uniform(0.6, 3, (2, 3)))
case("polygamma", 2, 1.5)
case("polygamma", 1, uniform(-1.8, -1.2, (3,)))
case("polygamma", np.array([[1], [2]]), uniform(0.6, 3, (0,)))


def by_differences(n):
    """The derivative of `digamma` at complex numbers, which SciPy's `polygamma` does not take."""
    return lambda _, z: sum(w * sp.digamma(z + h) for h, w in zip(*stencil(n), strict=True))


def stencil(n, points=24, radius=0.5):
    """Weights of Cauchy's integral for the nth derivative, on a circle."""
    turns = np.exp(2j * np.pi * np.arange(points) / points)
    return radius * turns, turns**-n * (sp.gamma(n + 1) / (points * radius**n))


case("polygamma", 1, plane(2, 3, (2, 3)), like=by_differences(1))
case("polygamma", 2, plane(2, 3), like=by_differences(2))
case("riemann", uniform(1.5, 4, (2, 3)), like=sp.zeta)
case("riemann", uniform(-3.8, 0.8, (5,)), like=sp.zeta)
case("riemann", 2.5, like=sp.zeta)
case("hurwitz_zeta", uniform(1.5, 4, (2, 1)), uniform(0.5, 2, (3,)), like=sp.zeta)
case("hurwitz_zeta", uniform(1.5, 4), uniform(0.5, 2), like=sp.zeta)
case("special.zeta", uniform(1.5, 4, (2, 3)))
case("special.zeta", uniform(1.5, 4, (3,)), uniform(0.5, 2, (2, 3)))
case("special.multigammaln", uniform(2, 3, (2, 3)), 3)
case("special.multigammaln", uniform(2, 3), 1)

BINARY = dict(
    poch=((0.6, 2), (0.6, 2)), beta=((0.6, 2), (0.6, 2)), betaln=((0.6, 2), (0.6, 2)),
    binom=((3, 5), (0.5, 2)), rel_entr=((0.5, 2), (0.5, 2)), kl_div=((0.5, 2), (0.5, 2)),
    pseudo_huber=((0.5, 2), (-2, 2)), xlog1py=((0.5, 2), (0.5, 2)), powm1=((0.5, 2), (-2, 2)),
)  # fmt: skip
PAIRS = [((2, 3), (2, 3)), ((3,), (2, 1)), ((), (2, 3)), ((), ()), ((0,), (1,))]
for name, (left, right) in BINARY.items():
    for x, y in PAIRS:
        case(name, uniform(*left, x), uniform(*right, y))
case("xlog1py", plane(0.3, 1, (2, 1)), plane(0.3, 1, (3,)))
case("huber", uniform(0.9, 1.1, (3,)), np.array([0.4, -0.3, 0.7]))
case("huber", uniform(0.9, 1.1, (2, 1)), np.array([2.0, -3.0, 1.7]))
case("huber", 1.0, uniform(1.5, 2))
case("special.factorial", uniform(0.5, 3, (2, 3)))
case("special.factorial", np.array([0.5, -2.5]))
case("lambert", uniform(0.5, 2, (2, 3)), k=0, tol=1e-8, like=sp.lambertw)
case("lambert", plane(0.5, 2), k=1, tol=1e-8, like=sp.lambertw)
case("special.lambertw", uniform(0.5, 2, (2, 3)))
case("special.lambertw", plane(0.5, 2, (2,)), -1)
case("special.lambertw", 0.0)
case("special.voigt_profile", uniform(-2, 2, (2, 3)), uniform(0.5, 1, (3,)), uniform(0.5, 1))
case("special.voigt_profile", 0.5, 1.0, 0.3)

grid, mixed = uniform(-2, 2, (2, 3)), np.array([[1.0, -0.2, 0.5], [0.0, 2.0, 0.1]])
for params in {}, dict(axis=0), dict(axis=-1, keepdims=True), dict(axis=(0, 1)):
    case("special.logsumexp", grid, **params)
    case("special.logsumexp", plane(-1, 1, (2, 3)), **params)
    case("special.softmax", grid, params.get("axis"))
    case("special.log_softmax", grid, params.get("axis"))
case("special.logsumexp", grid, None, uniform(0.5, 2, (3,)))
case("special.logsumexp", grid, 1, mixed, True)
case("special.logsumexp", grid, 1, uniform(0.5, 2, (2, 1)), False)
case("special.logsumexp", grid, 1, mixed, False, True)
case("special.logsumexp", plane(-1, 1, (2, 3)), 0, plane(-1, 1, (2, 3)), return_sign=True)
case("special.logsumexp", 0.5, return_sign=True)
case("special.softmax", uniform(-1, 1))
for x, y in PAIRS:
    case("special.comb", uniform(3, 5, x), uniform(0.5, 2, y))
case("special.comb", uniform(3, 5, (2,)), uniform(0.5, 2, (2,)), repetition=True)
case("special.comb", 5, np.array([-1.5, 6.5]))
case("special.radian", uniform(0, 90, (2, 3)), uniform(0, 60, (3,)), uniform(0, 60))
case("special.radian", 1.5, 2.0, 3.0)
