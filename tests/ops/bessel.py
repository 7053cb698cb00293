"""Cases of `adjoint.ops.bessel`."""

import numpy as np
import scipy.special as sp

from adjoint import special

from .case import case, plane, uniform


def held(name, *values):
    """Keywords of a case of `name` in its last argument, with `values` for those before."""
    return dict(
        call=lambda x: getattr(special, name)(*values, x),
        like=lambda x: getattr(sp, name)(*values, x),
    )


REAL = dict(
    j0=(-3, 3), j1=(-3, 3), y0=(0.5, 3), y1=(0.7, 3), i0=(-2, 2), i1=(-2, 2), i0e=(0.5, 2),
    i1e=(-2, -0.5), k0=(0.5, 3), k1=(0.7, 3), k0e=(0.5, 3), k1e=(0.7, 3), exprel=(-2, 2),
    sinc=(-2, 2), airy=(-2, 2), airye=(0.3, 2),
)  # fmt: skip
for name, (low, high) in REAL.items():
    case(name, uniform(low, high, (2, 3)))
    case(name, uniform(low, high))
    case(name, uniform(low, high, (2, 0)))
case("exprel", np.array([0.0, 1e-9, 30.0, -30.0]))
case("sinc", np.array([0.0, 1e-9, 1.0]))
case("sinc", plane(0.3, 0.9, (2,)))
case("airy", plane(-0.9, 0.9, (2, 3)))

for name in "jv yv iv kv kve hankel1 hankel2 hankel1e hankel2e".split():
    for order in 0, 2, -1, np.array([0, 1, 3]):
        case(name, order, uniform(0.8, 3, (2, 3)))
    case(name, np.array([[1], [2]]), uniform(0.8, 3))
    case(name, 1, plane(0.8, 2, (2, 3)))
    case(name, uniform(0.8, 3, (3,)), **held(name, 1.5))
    case(name, plane(0.8, 2), **held(name, np.array([0.5, -1.3])))
    case(name, 1, 1.5)
    case(name, 0, uniform(0.8, 2, (0, 3)))
for name in "jve yve ive".split():
    for order in 0, 2, np.array([0, 1, 3]):
        case(f"special.{name}", order, uniform(0.8, 3, (2, 3)))
        case(f"special.{name}", order, plane(0.8, 2, (2, 3)))
    case(f"special.{name}", uniform(0.8, 3), **held(name, 0.5))
    case(f"special.{name}", plane(-2, -0.8), **held(name, 0.5))
    part = np.real if name == "ive" else np.imag

    def apart(v, z, c, name=name, part=part):
        return getattr(sp, name)(v, z) * np.exp(np.abs(part(z)) - c)

    case(f"{name}_apart", 1, uniform(0.8, 2, (2, 3)), uniform(0.5, 1, (3,)), like=apart)
    case(f"{name}_apart", 0, plane(0.8, 2), uniform(0.5, 1), like=apart)
for name in "yn", "kn":
    for order in 0, 2, np.array([0, 1, 3]):
        case(name, order, uniform(0.8, 3, (2, 3)))
    case(name, 1, uniform(0.8, 3))
for name in "spherical_jn spherical_yn spherical_in spherical_kn".split():
    for order in 0, 1, np.array([0, 1, 3]):
        case(f"special.{name}", order, uniform(0.8, 3, (2, 3)))
        case(f"special.{name}", order, plane(0.8, 2, (2, 3)))
    case(f"special.{name}", 0, uniform(0.8, 3, (2, 3)), True)
    case(f"special.{name}", 2, uniform(0.8, 3), True)
    case(f"{name}_value", 2, uniform(0.8, 3, (2, 3)), like=getattr(sp, name))
    case(f"{name}_value", 1, uniform(0.8, 3), like=getattr(sp, name))
case("special.spherical_jn", 1, np.array([0.0, 1e-9]))
for name in "struve", "modstruve":
    for order in 0, 2, np.array([0, 1, 3]):
        case(name, order, uniform(0.8, 3, (2, 3)))
    case(name, uniform(0.8, 3), **held(name, 0.5))

for z in uniform(-0.9, 0.6, (2, 3)), plane(-0.5, 0.5, (2, 3)), uniform(-0.9, 0.6):
    case("hyp0f1", z, **held("hyp0f1", 1.5))
    case("hyp1f1", z, **held("hyp1f1", 1.5, 0.7))
    case("hyp2f1", z, **held("hyp2f1", 0.5, 1.5, 2.2))
case("hyp0f1", 2, uniform(-2, 2, (3,)))
case("hyp1f1", np.array([1, 2]), 3, uniform(-2, 2, (3, 1)))
case("hyp2f1", np.array([1, 2]), 2, 3, uniform(-2, 0.5, (3, 1)))
case("hyperu", uniform(0.5, 2, (2, 3)), **held("hyperu", 1.5, 0.7))
case("hyperu", 1, np.array([2, 3]), uniform(0.5, 2, (3, 1)))
case("hyperu", 1, 2, 0.7)

for x, y in [((2, 3), (2, 3)), ((3,), (2, 1)), ((), (2, 3)), ((), ()), ((0,), (1,))]:
    case("boxcox", uniform(0.5, 2, x), uniform(-1, 1, y))
    case("boxcox1p", uniform(-0.4, 2, x), uniform(-1, 1, y))
    case("inv_boxcox", uniform(-0.4, 1, x), uniform(-0.4, 0.9, y))
    case("inv_boxcox1p", uniform(-0.4, 1, x), uniform(-0.4, 0.9, y))
case("boxcox", uniform(0.5, 2, (3,)), np.array([0.0, 1e-9, 2.0]))
case("inv_boxcox", uniform(0.5, 2, (4,)), np.array([0.0, 1e-9, 2.0, 1.0]))
case("inv_boxcox1p", uniform(0.5, 2, (4,)), np.array([0.0, 1e-9, 2.0, 1.0]))
for n in 1, 4, np.array([1, 2, 5]):
    case("diric", uniform(0.3, 6, (2, 3)), n)
case("diric", np.array([0.0, 1e-9]), 4)

for name in "legendre chebyt chebyu chebyc chebys laguerre sh_legendre sh_chebyt sh_chebyu".split():
    name = f"eval_{name}"
    where = f"special.{name}" if "_sh_" in name else name
    low = 0.1 if "_sh_" in name else -0.8
    for n in 0, 1, 3, np.array([0, 2, 4]):
        case(where, n, uniform(low, 0.9, (2, 3)))
    case(where, 2, plane(low, 0.9, (2,)))
    case(where, 3, 0.4)
    case(where, uniform(low, 0.9, (3,)), **held(name, 1.5))
for name in "eval_hermite", "eval_hermitenorm":
    for n in 0, 1, 3, np.array([0, 2, 4]):
        case(name, n, uniform(-2, 2, (2, 3)))
    case(name, 2, uniform(-2, 2))
for name in "eval_legendre", "eval_chebyt", "eval_chebyu":
    case(name, np.array([-4, -3, -2, -1]), uniform(-0.8, 0.9, (4,)))
for name, values in dict(
    eval_genlaguerre=(0.5,), eval_gegenbauer=(0.7,), eval_jacobi=(0.5, 1.2)
).items():
    for n in 0, 1, 3, 1.5:
        case(name, uniform(-0.8, 0.9, (2, 3)), **held(name, n, *values))
    case(name, plane(-0.8, 0.9), **held(name, 2, *values))
    case(name, np.array([0, 2]), *[1] * len(values), uniform(-0.8, 0.9, (3, 1)))
case("special.eval_sh_jacobi", 2, 3, 2, uniform(0.1, 0.9, (2, 3)))
case("special.eval_sh_jacobi", uniform(0.1, 0.9), **held("eval_sh_jacobi", 2, 1.5, 0.7))
for m, v in (0, 2), (1, 3), (2, np.array([2, 3, 4])):
    case("lpmv", m, v, uniform(-0.8, 0.8, (2, 3)))
case("lpmv", uniform(-0.8, 0.8), **held("lpmv", 1, 1.5))
