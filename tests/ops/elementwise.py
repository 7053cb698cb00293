"""Cases of `adjoint.ops.elementwise`."""

import numpy as np

import adjoint as ad

from .case import apart, case, plane, uniform

REAL = dict(
    negative=(-2, 2), positive=(-2, 2), square=(-2, 2), reciprocal=(0.5, 2), sqrt=(0.5, 3),
    cbrt=(0.5, 3), exp=(-2, 2), exp2=(-2, 2), expm1=(-1, 1), log=(0.5, 3), log2=(0.5, 3),
    log10=(0.5, 3), log1p=(-0.5, 2), sigmoid=(-3, 3), softplus=(-3, 3), log_sigmoid=(-3, 3),
    sin=(-3, 3), cos=(-3, 3), tan=(-1, 1), asin=(-0.8, 0.8), acos=(-0.8, 0.8), atan=(-2, 2),
    sinh=(-2, 2), cosh=(-2, 2), tanh=(-2, 2), asinh=(-2, 2), acosh=(1.3, 3), atanh=(-0.7, 0.7),
    deg2rad=(-90, 90), rad2deg=(-2, 2), fabs=(0.2, 2), abs=(-2, -0.2), real=(-2, 2), imag=(-2, 2),
    conj=(-2, 2), angle=(0.5, 2), fractional_part=(0.1, 0.9), modf=(-1.9, -1.1),
    real_if_close=(-2, 2), binary_exponent=(1.1, 1.9),
)  # fmt: skip
LIKE = dict(
    sigmoid=lambda x: 1 / (1 + np.exp(-x)),
    softplus=lambda x: np.log(1 + np.exp(x)),
    log_sigmoid=lambda x: -np.log(1 + np.exp(-x)),
    reciprocal=lambda x: 1 / x,
    fractional_part=lambda x: np.modf(x)[0],
    binary_exponent=lambda x: np.frexp(x)[1],
)
HOLOMORPHIC = """negative positive square reciprocal sqrt exp exp2 expm1 log log2 log10 log1p sin
    cos tan asin acos atan sinh cosh tanh asinh acosh atanh real imag conj abs angle""".split()

for name, (low, high) in REAL.items():
    case(name, uniform(low, high, (2, 3)), like=LIKE.get(name))
    case(name, uniform(low, high), like=LIKE.get(name))
    case(name, uniform(low, high, (2, 0)), like=LIKE.get(name))
for name in HOLOMORPHIC:
    case(name, plane(0.2, 0.7, (2, 3)), like=LIKE.get(name))
    case(name, plane(-0.7, -0.2), like=LIKE.get(name))
case("cbrt", uniform(-3, -0.5, (3,)))
case("fabs", uniform(-2, -0.2, (3,)))
case("abs", 2.0)
case("sign", plane(1, 2, (2, 3)))
case("sign", plane(-2, -1))
case("sign", uniform(-2, -1, (2, 3)))

BINARY = dict(
    add=(-2, 2), subtract=(-2, 2), multiply=(-2, 2), divide=(0.5, 2), pow=(0.5, 2),
    logaddexp=(-2, 2), logaddexp2=(-2, 2), xlogy=(0.5, 2), atan2=(0.5, 2), hypot=(-2, -0.2),
    to_complex=(-2, 2), copysign=(0.2, 2),
)  # fmt: skip
LIKE |= dict(xlogy=lambda x, y: x * np.log(y), to_complex=lambda x, y: x + 1j * y)
PAIRS = [
    ((2, 3), (2, 3)), ((3,), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 1), (3,)),
    ((), (2, 3)), ((2, 3), ()), ((), ()), ((1,), ()), ((0,), (1,)), ((0, 3), (3,)),
    ((1, 2), (3, 1, 1)),
]  # fmt: skip

for name, (low, high) in BINARY.items():
    for x, y in PAIRS:
        case(name, uniform(low, high, x), uniform(low, high, y), like=LIKE.get(name))
    case(name, uniform(low, high, (3,)), 1.5, like=LIKE.get(name))
    case(name, 1.5, uniform(low, high, (3,)), like=LIKE.get(name))
for name in "add", "subtract", "multiply", "divide", "pow":
    case(name, plane(0.3, 1, (2, 3)), plane(0.3, 1, (3,)))
    case(name, uniform(0.5, 2, (2, 3)), plane(0.3, 1, (3,)))
    case(name, plane(0.3, 1, (2, 1)), uniform(0.5, 2, (1, 3)))
    case(name, plane(0.3, 1), uniform(0.5, 2, (3,)))
case("xlogy", plane(0.3, 1, (2, 1)), plane(0.3, 1, (3,)), like=LIKE["xlogy"])
case("pow", uniform(-2, -1, (3,)), np.array([2, 3, 0]))
case("pow", uniform(-2, -1, (2, 3)), 3)
case("pow", 2, uniform(-1, 1, (3,)))
case("pow", plane(0.3, 1, (3,)), 2)
case("pow", uniform(-2, -1, (3,)), plane(0.3, 1, (3,)))
case("pow", -1.5, plane(0.3, 1, (3,)))
case("atan2", uniform(-2, -0.5, (3,)), uniform(-2, -0.5, (2, 3)))
case("copysign", uniform(-2, -0.5, (3,)), np.array([1.0, -1.0, -2.0]))
case("divide", uniform(-2, -1, (3,)), 4)
case("multiply", uniform(-2, -1, (3,)), np.array([True, False, True]))

for name in "maximum", "minimum", "fmax", "fmin":
    case(name, apart(-2, 1.9, (2, 3)), apart(-1.8, 2.1, (2, 3)))
    case(name, apart(-2, 1.9, (2, 1)), apart(-1.8, 2.1, (3,)))
    case(name, apart(-2, 1.9, (5,)), 0.2)
    case(name, 0.2, apart(-2, 1.9, (5,)))
    case(name, 0.2, 0.3)
    case(name, uniform(0, 1, (0,)), 0.3)
MASK = np.array([[True, False, True], [False, False, True]])
case("where", MASK, uniform(-1, 1, (2, 3)), uniform(-1, 1, (2, 3)))
case("where", MASK, uniform(-1, 1, (3,)), 2.0)
case("where", MASK[0], 2.0, uniform(-1, 1, (2, 1)))
case("where", True, uniform(-1, 1, (3,)), uniform(-1, 1, (2, 1)))
case("where", MASK, plane(-1, 1, (3,)), uniform(-1, 1, (2, 1)))
case("where", MASK[:, :0], uniform(-1, 1, (2, 0)), 1.0)
case("clamp", apart(-2, 2, (2, 6)), -0.9, 1.1, like=np.clip)
case("clamp", apart(-2, 2, (2, 3)), uniform(-1, -0.5, (3,)), uniform(0.5, 1, (2, 1)), like=np.clip)
case("clamp", apart(-2, 2, (4,)), 1.1, -0.9, like=np.clip)
case("clip", apart(-2, 2, (2, 6)), -0.9, 1.1)
case("clip", apart(-2, 2, (2, 3)), None, 0.1)
case("clip", apart(-2, 2, (2, 3)), min=0.1)
case("clip", 0.3, 0.0, 1.0)
case("clip", apart(-2, 2, (6,)), a_min=-1.1, a_max=1.1, like=np.clip)
case("clip", apart(-2, 2, (6,)), min=-1.1, max=1.1)
case("remainder", uniform(2.1, 2.9, (2, 3)), uniform(0.8, 1, (3,)))
case("remainder", uniform(-2.9, -2.1, (2, 1)), uniform(0.8, 1, (3,)))
case("remainder", 7.3, -2.0)
case("fmod", uniform(2.1, 2.9, (2, 3)), uniform(0.8, 1, (3,)))
case("fmod", uniform(-2.9, -2.1, (2, 1)), uniform(0.8, 1, (3,)))
case("fmod", 7.3, -2.0)
case("divmod", uniform(-2.9, -2.1, (2, 1)), uniform(0.8, 1, (3,)))
case("divmod", 7.3, -2.0)
case("float_power", uniform(0.5, 2, (2, 1)), uniform(-2, 2, (3,)))
case("float_power", plane(0.5, 2, (2,)), 2)
case("float_power", uniform(-2, -1, (3,)), 3)
case("ldexp", uniform(-2, 2, (2, 3)), np.array([3, 0, -2]))
case("ldexp", uniform(-2, 2), 5)
case(
    "ldexp",
    plane(-2, 2, (3,)),
    call=lambda z: ad.ldexp(ad.real(z), 2) * 1j,
    like=lambda z: np.ldexp(np.real(z), 2) * 1j,
)
case("frexp", uniform(1.1, 1.9, (2, 3)), via=lambda out: out[0])
case("frexp", uniform(-9, -8.1), via=lambda out: out[0])
case("angle", plane(0.2, 0.7, (2, 3)), deg=True)
case("angle", uniform(-2, -1, (3,)), True)
case("astype", uniform(-1, 1, (3,)), dtype=np.complex128, like=lambda x, dtype: x.astype(dtype))
case("astype", uniform(-1, 1, (2, 2)), dtype=np.float64, like=lambda x, dtype: x.astype(dtype))
case("astype", plane(-1, 1), dtype=np.complex128, like=lambda x, dtype: x.astype(dtype))
case("behind", uniform(-2, 2, (2, 3)), like=np.positive)
