"""One function of each element: arithmetic, powers, exponentials, trigonometry, choices.

Inputs are real or complex, of any floating-point dtype, where nothing else is said; they broadcast,
and the dtype of the output is NumPy's. *Keeps* lists the arrays that the tape holds for the reverse
pass, *Undefined* the kinks and poles and the value returned there; without it there are none.
"""

from __future__ import annotations

import math

from numpy import finfo, iinfo

from ..errors import DataError
from .batch import aligned
from .constant import all as every
from .constant import (
    equal,
    floor_divide,
    greater,
    isfinite,
    isinf,
    isnan,
    less,
    logical_and,
    logical_or,
    signum,
    trunc,
)
from .constant import round as nearest
from .kinks import corner, share
from .rules import elementwise, linear, predicate

LN2, LN10 = math.log(2.0), math.log(10.0)


@elementwise(lambda t, _: t, lambda t, _: t)
def add(xp, x, y, /):
    """Sum: z = x + y,  ∂z/∂x = ∂z/∂y = 1.

    Keeps: nothing. Arrays of two shapes broadcast, as in every op here, and each gets a
    cotangent of its own shape.

    >>> ad.grad(lambda x, y: ad.add(x, y).sum(), (0, 1))(np.ones(3), 1.0)
    (array([1., 1., 1.]), np.float64(3.0))
    """
    return xp.add(x, y)


@elementwise(lambda t, _: t, lambda t, _: -t)
def subtract(xp, x, y, /):
    """Difference: z = x - y,  ∂z/∂x = 1,  ∂z/∂y = -1.

    Keeps: nothing.

    >>> ad.grad(ad.subtract, (0, 1))(5.0, 2.0)
    (np.float64(1.0), np.float64(-1.0))
    """
    return xp.subtract(x, y)


@elementwise(lambda t, y: t * y, lambda t, x: t * x)
def multiply(xp, x, y, /):
    """Product: z = x·y,  ∂z/∂x = y,  ∂z/∂y = x.

    Keeps: x, y; of a product with a constant the constant alone.

    >>> ad.grad(ad.multiply, (0, 1))(2.0, 5.0)
    (np.float64(5.0), np.float64(2.0))
    """
    return xp.multiply(x, y)


@elementwise(lambda t, y: t / y, lambda t, y, out: -t * out / y)
def divide(xp, x, y, /):
    """Quotient: z = x/y,  ∂z/∂x = 1/y,  ∂z/∂y = -z/y.

    Keeps: y, out.  Undefined: at y = 0 (a pole).

    >>> ad.grad(ad.divide, (0, 1))(3.0, 2.0)
    (np.float64(0.5), np.float64(-0.75))
    """
    return xp.divide(x, y)


@elementwise(
    lambda t, x, y: t * power_slope(x, y),
    lambda t, x, out: t * (out * safe_log(x, logical_and(equal(x, 0), isfinite(out)), out)),
)
def pow(xp, x, y, /):
    """Power: z = xʸ,  ∂z/∂x = y·xʸ⁻¹ (0 where y = 0),  ∂z/∂y = z·ln x (0 where x = 0 ≤ y).

    Keeps: x, y, out.  Undefined: for real x < 0 in y, and in x where y is a fraction (NaN); for
    x = 0 > y (a pole).

    >>> ad.grad(ad.pow, (0, 1))(1.0, 3.0), ad.grad(ad.pow, (0, 1))(0.0, 0.0)
    ((np.float64(3.0), np.float64(0.0)), (np.float64(0.0), np.float64(0.0)))
    """
    return xp.pow(x, y)


def power_slope(x, y):
    """y·xʸ⁻¹, and 0 where y = 0, at x = 0 too."""
    if type(y) in (int, float):
        return x + x if y == 2 else y * x ** (y - 1) if y else 0.0
    flat = equal(y, 0)
    return where(flat, 0.0, y * x ** where(flat, 1.0, y - 1))


@elementwise(lambda t, _: -t)
def negative(xp, x, /):
    """Negation: y = -x.

    Keeps: nothing.

    >>> ad.grad(ad.negative)(2.0)
    np.float64(-1.0)
    """
    return xp.negative(x)


@elementwise(lambda t, _: t)
def behind(xp, x, /):
    """x itself, a cotangent that came through a choice in a reverse pass: see `core.mend`."""
    return xp.positive(x)


@elementwise(lambda t, _: t)
def positive(xp, x, /):
    """Identity: y = +x.

    Keeps: nothing.

    >>> ad.grad(ad.positive)(2.0)
    np.float64(1.0)
    """
    return xp.positive(x)


@elementwise(lambda t, out: -t * out * out)
def reciprocal(xp, x, /):
    """Reciprocal: y = 1/x,  ∂y/∂x = -y².

    Keeps: out.  Undefined: at 0 (a pole).

    >>> ad.grad(ad.reciprocal)(2.0)
    np.float64(-0.25)
    """
    return 1 / x


@elementwise(lambda t, x: t * (x + x))
def square(xp, x, /):
    """Square: y = x²,  ∂y/∂x = 2x.

    Keeps: x.

    >>> ad.grad(ad.square)(3.0)
    np.float64(6.0)
    """
    return xp.square(x)


@elementwise(lambda t, out: t / (2 * out))
def sqrt(xp, x, /):
    """Square root: y = √x,  ∂y/∂x = 1/(2y).

    Keeps: out.  Undefined: for real x < 0 (NaN), and at 0, where the slope is infinite.

    >>> ad.grad(ad.sqrt)(4.0)
    np.float64(0.25)
    """
    return xp.sqrt(x)


@elementwise(lambda t, out: t / (3 * out * out))
def cbrt(xp, x, /):
    """Cube root, of negative numbers too: y = ∛x,  ∂y/∂x = 1/(3y²).

    x : real.  Keeps: out.  Undefined: at 0, where the slope is infinite.

    >>> ad.cbrt(-8.0), float(ad.grad(ad.cbrt)(-1.0))
    (np.float64(-2.0), 0.3333333333333333)
    """
    return xp.cbrt(x)


@elementwise(lambda t, out: t * out)
def exp(xp, x, /):
    """Exponential: y = eˣ,  ∂y/∂x = y.

    Keeps: out.

    >>> ad.grad(ad.exp)(0.0)
    np.float64(1.0)
    """
    return xp.exp(x)


@elementwise(lambda t, out: t * (LN2 * out))
def exp2(xp, x, /):
    """Power of two: y = 2ˣ,  ∂y/∂x = y·ln 2.

    Keeps: out.

    >>> ad.grad(ad.exp2)(3.0)
    np.float64(5.545177444479562)
    """
    return xp.exp2(x)


@elementwise(lambda t, x: t * exp(x))
def expm1(xp, x, /):
    """Exponential less one: y = eˣ - 1,  ∂y/∂x = eˣ; exact where x is small.

    Keeps: x.  The slope y + 1 would lose all its digits where x < -37.

    >>> float(ad.expm1(1e-20)), float(ad.exp(1e-20) - 1)
    (1e-20, 0.0)
    """
    return xp.expm1(x)


@elementwise(lambda t, x: t / x)
def log(xp, x, /):
    """Natural logarithm: y = ln x,  ∂y/∂x = 1/x.

    Keeps: x.  Undefined: for real x < 0 (the value is NaN, the slope 1/x), and at 0 (a pole).

    >>> ad.grad(ad.log)(2.0)
    np.float64(0.5)
    """
    return xp.log(x)


@elementwise(lambda t, x: t * (1 / LN2) / x)
def log2(xp, x, /):
    """Binary logarithm: y = log₂ x,  ∂y/∂x = 1/(x·ln 2).

    Keeps: x.  Undefined: as `log`.

    >>> bool(abs(ad.grad(ad.log2)(2.0) - 0.5 / np.log(2)) < 1e-15)
    True
    """
    return xp.log2(x)


@elementwise(lambda t, x: t * (1 / LN10) / x)
def log10(xp, x, /):
    """Decimal logarithm: y = log₁₀ x,  ∂y/∂x = 1/(x·ln 10).

    Keeps: x.  Undefined: as `log`.

    >>> bool(abs(ad.grad(ad.log10)(2.0) - 0.5 / np.log(10)) < 1e-15)
    True
    """
    return xp.log10(x)


@elementwise(lambda t, x: t / (1 + x))
def log1p(xp, x, /):
    """Logarithm of one more: y = ln(1 + x),  ∂y/∂x = 1/(1 + x); exact where x is small.

    Keeps: x.  Undefined: for real x < -1 (NaN), and at -1 (a pole).

    >>> ad.grad(ad.log1p)(1.0)
    np.float64(0.5)
    """
    return xp.log1p(x)


@elementwise(lambda t, x, y: t * sigmoid(lead(x, y)), lambda t, x, y: t * sigmoid(lead(y, x)))
def logaddexp(xp, x, y, /):
    """Logarithm of a sum: z = ln(eˣ + eʸ),  ∂z/∂x = 1/(1 + eʸ⁻ˣ),  ∂z/∂y = 1/(1 + eˣ⁻ʸ).

    Overflows nowhere.  x, y : real.  Keeps: x, y.  Undefined: at two equal infinities; each slope
    is ½ there, as where two finite numbers are equal.

    >>> ad.grad(ad.logaddexp, (0, 1))(1000.0, 1000.0)
    (np.float64(0.5), np.float64(0.5))
    """
    return xp.logaddexp(x, y)


@elementwise(
    lambda t, x, y: t * sigmoid(LN2 * lead(x, y)), lambda t, x, y: t * sigmoid(LN2 * lead(y, x))
)
def logaddexp2(xp, x, y, /):
    """Binary logarithm of a sum: z = log₂(2ˣ + 2ʸ),  ∂z/∂x = 1/(1 + 2ʸ⁻ˣ),  ∂z/∂y = 1/(1 + 2ˣ⁻ʸ).

    x, y : real.  Keeps: x, y.  Undefined: at two equal infinities, as `logaddexp`.

    >>> ad.logaddexp2(3.0, 3.0), ad.grad(ad.logaddexp2)(3.0, 3.0)
    (np.float64(4.0), np.float64(0.5))
    """
    return xp.logaddexp2(x, y)


def lead(x, y):
    """x - y, and 0 where both are the same infinity."""
    same = logical_and(equal(x, y), isinf(x))
    return where(same, 0.0, typed(x, y)) - where(same, 0.0, typed(y, x))


@elementwise(
    lambda t, x, y, out: t * safe_log(y, both_zero(x, y), out),
    lambda t, x, y: t * where(both_zero(x, y), 0.0, x / where(both_zero(x, y), 1.0, y)),
)
def xlogy(xp, x, y, /):
    """Weighted logarithm: z = x·ln y, and 0 where x = 0,  ∂z/∂x = ln y,  ∂z/∂y = x/y.

    Keeps: x, y, out.  Undefined: at y = 0; there both slopes are 0 if x = 0 too.

    >>> ad.xlogy(0.0, 0.0), ad.grad(ad.xlogy, (0, 1))(0.0, 0.0)
    (np.float64(0.0), (np.float64(0.0), np.float64(0.0)))
    """
    weightless = xp.equal(x, 0) & ~xp.isnan(y)
    return x * xp.log(xp.where(weightless, 1.0, y).astype(xp.result_type(x, y)))


def both_zero(x, y):
    """True where x and y are 0."""
    return logical_and(equal(x, 0), equal(y, 0))


def safe_log(x, zero, like):
    """ln x in the domain and precision of `like`, and 0 where `zero` is true."""
    x = typed(x, like)
    return log(where(zero, 1.0, astype(x, like.dtype) if is_complex(like) > is_complex(x) else x))


def typed(x, like):
    """A Python number in the dtype of `like`; all else as it is."""
    return like.dtype.type(x) if type(x) in (int, float, complex) else x


@elementwise(lambda t, out: t * (out * (1 - out)))
def sigmoid(xp, x, /):
    """Logistic function: y = 1/(1 + e⁻ˣ),  ∂y/∂x = y(1 - y); overflows nowhere.

    x : real.  Keeps: out.  So the slope is exact to a rounding of 1, not of itself: beyond x = 37
    it is 0. `exp(log_sigmoid(x))` has the slope to full precision, and costs more.

    >>> ad.grad(ad.sigmoid)(0.0), ad.sigmoid(-1000.0)
    (np.float64(0.25), np.float64(0.0))
    """
    small = xp.exp(-1.0 * xp.abs(x))  # not -|x|: of unsigned integers that is positive
    return xp.where(x >= 0, 1.0, small) / (1 + small)


@elementwise(lambda t, x: t * sigmoid(x))
def softplus(xp, x, /):
    """Smooth ramp: y = ln(1 + eˣ),  ∂y/∂x = 1/(1 + e⁻ˣ); overflows nowhere.

    x : real.  Keeps: x.

    >>> ad.softplus(1000.0), ad.grad(ad.softplus)(0.0)
    (np.float64(1000.0), np.float64(0.5))
    """
    return xp.logaddexp(x, 0)


@elementwise(lambda t, x: t * sigmoid(-x))
def log_sigmoid(xp, x, /):
    """Logarithm of the logistic function: y = -ln(1 + e⁻ˣ),  ∂y/∂x = 1/(1 + eˣ); overflows nowhere.

    x : real.  Keeps: x.

    >>> ad.log_sigmoid(-1000.0), ad.grad(ad.log_sigmoid)(-1000.0)
    (np.float64(-1000.0), np.float64(1.0))
    """
    return -xp.logaddexp(-x, 0)


@elementwise(lambda t, x: t * cos(x))
def sin(xp, x, /):
    """Sine of x radians: y = sin x,  ∂y/∂x = cos x.

    Keeps: x.

    >>> ad.grad(ad.sin)(0.0)
    np.float64(1.0)
    """
    return xp.sin(x)


@elementwise(lambda t, x: -t * sin(x))
def cos(xp, x, /):
    """Cosine of x radians: y = cos x,  ∂y/∂x = -sin x.

    Keeps: x.

    >>> ad.grad(ad.grad(ad.cos))(0.0)
    np.float64(-1.0)
    """
    return xp.cos(x)


@elementwise(lambda t, out: t * (1 + out * out))
def tan(xp, x, /):
    """Tangent of x radians: y = tan x,  ∂y/∂x = 1 + y².

    Keeps: out.  Undefined: at π/2 + kπ (poles, which no float hits).

    >>> ad.grad(ad.tan)(0.0)
    np.float64(1.0)
    """
    return xp.tan(x)


@elementwise(lambda t, x: t / sqrt((1 - x) * (1 + x)))
def asin(xp, x, /):
    """Inverse sine in radians: y = arcsin x,  ∂y/∂x = 1/√(1 - x²).

    Keeps: x.  Undefined: for real |x| > 1 (NaN), and at ±1, where the slope is infinite.

    >>> ad.grad(ad.asin)(0.0)
    np.float64(1.0)
    """
    return xp.asin(x)


@elementwise(lambda t, x: -t / sqrt((1 - x) * (1 + x)))
def acos(xp, x, /):
    """Inverse cosine in radians: y = arccos x,  ∂y/∂x = -1/√(1 - x²).

    Keeps: x.  Undefined: for real |x| > 1 (NaN), and at ±1, where the slope is infinite.

    >>> ad.grad(ad.acos)(0.0)
    np.float64(-1.0)
    """
    return xp.acos(x)


@elementwise(lambda t, x: t * lorentzian(x))
def atan(xp, x, /):
    """Inverse tangent in radians: y = arctan x,  ∂y/∂x = 1/(1 + x²).

    Keeps: x.  Beyond 10¹⁵⁴ the square overflows; the slope, less than 10⁻³⁰⁸, is 0.

    >>> ad.grad(ad.atan)(1.0)
    np.float64(0.5)
    """
    return xp.atan(x)


@elementwise(
    lambda t, x, y: t * turn(y, hypot(x, y)),
    lambda t, x, y: -t * turn(x, hypot(x, y)),
)
def atan2(xp, x, y, /):
    """Angle of the point (y, x) in radians: z = arg(y + ix),  ∂z/∂x = y/r²,  ∂z/∂y = -x/r².

    With r² = x² + y².  x, y : real.  Keeps: x, y.  Undefined: at the origin; both slopes are 0.

    >>> ad.grad(ad.atan2, (0, 1))(1.0, 0.0), float(ad.grad(ad.atan2)(0.0, 0.0))
    ((np.float64(0.0), np.float64(-1.0)), 0.0)
    """
    return xp.atan2(x, y)


def turn(x, r):
    """x/r², and 0 where r = 0; a square might leave the range."""
    return safe_divide(safe_divide(x, r), r)


def root(x):
    """√(1 + x²), without the square."""
    return sqrt(1 + 1j * x) * sqrt(1 - 1j * x) if is_complex(x) else hypot(1.0, x)


def lorentzian(x):
    """1/(1 + x²); the square of a complex number may be NaN where the quotient is not."""
    return 1 / (1 + 1j * x) / (1 - 1j * x) if is_complex(x) else 1 / (1 + x * x)


@elementwise(lambda t, x: t * cosh(x))
def sinh(xp, x, /):
    """Hyperbolic sine: y = sinh x,  ∂y/∂x = cosh x.

    Keeps: x.

    >>> ad.grad(ad.sinh)(0.0)
    np.float64(1.0)
    """
    return xp.sinh(x)


@elementwise(lambda t, x: t * sinh(x))
def cosh(xp, x, /):
    """Hyperbolic cosine: y = cosh x,  ∂y/∂x = sinh x.

    Keeps: x.

    >>> ad.grad(ad.cosh)(0.0)
    np.float64(0.0)
    """
    return xp.cosh(x)


@elementwise(lambda t, out: t * (1 - out * out))
def tanh(xp, x, /):
    """Hyperbolic tangent: y = tanh x,  ∂y/∂x = 1 - y².

    Keeps: out.  So the slope is exact to a rounding of 1, not of itself: beyond |x| = 19 it is 0.
    `1 / cosh(x)**2` has full precision there, and costs more.

    >>> ad.grad(ad.tanh)(0.0)
    np.float64(1.0)
    """
    return xp.tanh(x)


@elementwise(lambda t, x: t / root(x))
def asinh(xp, x, /):
    """Inverse hyperbolic sine: y = arsinh x,  ∂y/∂x = 1/√(1 + x²).

    Keeps: x.

    >>> ad.grad(ad.asinh)(0.0)
    np.float64(1.0)
    """
    return xp.asinh(x)


@elementwise(lambda t, x: t / (sqrt(x - 1) * sqrt(x + 1)))
def acosh(xp, x, /):
    """Inverse hyperbolic cosine: y = arcosh x,  ∂y/∂x = 1/√(x² - 1).

    Keeps: x.  Undefined: for real x < 1 (NaN), and at 1, where the slope is infinite.

    >>> float(ad.grad(ad.acosh)(1.25))
    1.3333333333333333
    """
    return xp.acosh(x)


@elementwise(lambda t, x: t / (1 - x) / (1 + x))
def atanh(xp, x, /):
    """Inverse hyperbolic tangent: y = artanh x,  ∂y/∂x = 1/(1 - x²).

    Keeps: x.  Undefined: for real |x| > 1 (NaN), and at ±1 (poles).

    >>> float(ad.grad(ad.atanh)(0.5))
    1.3333333333333333
    """
    return xp.atanh(x)


@elementwise(lambda t, x, out: t * safe_divide(x, out), lambda t, y, out: t * safe_divide(y, out))
def hypot(xp, x, y, /):
    """Length of a vector: z = √(x² + y²),  ∂z/∂x = x/z,  ∂z/∂y = y/z; at the origin 0.

    x, y : real.  Keeps: x, y, out.

    >>> ad.grad(ad.hypot, (0, 1))(3.0, 4.0), ad.grad(ad.hypot)(0.0, 0.0)
    ((np.float64(0.6), np.float64(0.8)), np.float64(0.0))
    """
    return xp.hypot(x, y)


@elementwise(lambda t: t * (math.pi / 180))
def deg2rad(xp, x, /):
    """Degrees to radians: y = x·π/180.

    x : real.  Keeps: nothing.

    >>> float(ad.deg2rad(180.0)), float(ad.grad(ad.deg2rad)(0.0))
    (3.141592653589793, 0.017453292519943295)
    """
    return xp.deg2rad(x)


@elementwise(lambda t: t * (180 / math.pi))
def rad2deg(xp, x, /):
    """Radians to degrees: y = x·180/π.

    x : real.  Keeps: nothing.

    >>> float(ad.rad2deg(np.pi)), float(ad.grad(ad.rad2deg)(0.0))
    (180.0, 57.29577951308232)
    """
    return xp.rad2deg(x)


@elementwise(lambda t, x: t * (where(equal(x, 0), corner(), signum(x)) if corner() else signum(x)))
def fabs(xp, x, /):
    """Absolute value of a real number: y = |x|,  ∂y/∂x = sign x.

    Keeps: x.  Undefined: at 0, a corner; there the slope is that of `kinks`, by default 0.

    >>> ad.grad(lambda x: ad.fabs(x).sum())(np.array([-2.0, 0.0, 2.0]))
    array([-1.,  0.,  1.])
    """
    return xp.abs(x)


def abs(x, /):
    """Absolute value: y = |x|,  ∂y/∂x = sign x, at 0 the value 0; of complex x √(Re² + Im²).

    >>> ad.grad(ad.abs)(-2.0), ad.grad(ad.abs)(0.0)
    (np.float64(-1.0), np.float64(0.0))
    >>> ad.grad(lambda z: ad.abs(z) ** 2)(1 + 2j)
    np.complex128(2-4j)
    """
    return hypot(real(x), imag(x)) if is_complex(x) else fabs(x)


def sign(x, /):
    """Sign: -1, 0 or 1, its derivative 0; of complex x the direction x/|x|, at 0 the value 0.

    >>> ad.sign(-2.0), ad.sign(3 + 4j)
    (np.float64(-1.0), np.complex128(0.6+0.8j))
    """
    return safe_divide(x, abs(x)) if is_complex(x) else signum(x)


def ldexp_of(t, n):
    """`ldexp` of what may be complex."""
    return to_complex(ldexp(real(t), n), ldexp(imag(t), n)) if is_complex(t) else ldexp(t, n)


@elementwise(lambda t, n: ldexp_of(t, n), None)
def ldexp(xp, x, n, /):
    """Shift of the exponent: z = x·2ⁿ with an integer n,  ∂z/∂x = 2ⁿ.

    x : real.  n : integers, constants.  Keeps: n.

    >>> ad.grad(ad.ldexp)(0.75, 3)
    np.float64(8.0)
    """
    return xp.ldexp(x, n)


@predicate
def binary_exponent(xp, x, /):
    """The integer n of x = m·2ⁿ with ½ <= |m| < 1."""
    return xp.frexp(x)[1]


def frexp(x, /):
    """Mantissa and exponent: x = m·2ⁿ with ½ <= |m| < 1,  ∂m/∂x = 2⁻ⁿ; the integer n is constant.

    >>> ad.frexp(12.0), ad.grad(lambda x: ad.frexp(x)[0])(12.0)
    ((np.float64(0.75), np.int32(4)), np.float64(0.0625))
    """
    n = binary_exponent(x)
    return ldexp(x, -n), n


@elementwise(lambda t: t)
def fractional_part(xp, x, /):
    """What is behind the point, with the sign of x: ∂y/∂x = 1, at the jumps too."""
    return xp.modf(x)[0]


def modf(x, /):
    """What is behind the point and what is before it, both with the sign of x: slopes 1 and 0.

    >>> ad.modf(-2.5), ad.grad(lambda x: ad.modf(x)[0])(-2.5)
    ((np.float64(-0.5), np.float64(-2.0)), np.float64(1.0))
    """
    return fractional_part(x), trunc(x)


def divmod(x1, x2, /):
    """Quotient, rounded down, and remainder, with the sign of x2: what `//` and `%` give.

    >>> ad.divmod(7.0, 3.0), ad.grad(lambda x: ad.divmod(7.0, x)[1])(3.0)
    ((np.float64(2.0), np.float64(1.0)), np.float64(-2.0))
    """
    return floor_divide(x1, x2), remainder(x1, x2)


def float_power(x1, x2, /):
    """Power in double precision at least: z = x₁ to the x₂; derivatives as of `pow`.

    >>> ad.float_power(2, -1), ad.grad(ad.float_power)(3.0, 2)
    (np.float64(0.5), np.float64(6.0))
    """
    return pow(*[astype(x, "D" if is_complex(x) else "d") for x in (x1, x2)])


def real_if_close(a, tol=100):
    """The real part of complex numbers whose imaginary parts all are below `tol` roundings of 1.

    A `tol` of at most 1 is the bound itself. Which of the two is returned depends on the values,
    so inside `vmap` complex numbers are refused.

    >>> ad.real_if_close(np.array([2.0 + 1e-15j]))
    array([2.])
    """
    if not is_complex(a):
        return a
    bound = tol * finfo(a.dtype).eps if tol > 1 else tol
    return real(a) if every(less(abs(imag(a)), bound)) else a


def is_integer(x):
    """True for arrays of integers."""
    return getattr(getattr(x, "dtype", None), "kind", "f") in "iu"


def is_complex(x):
    """True for complex dtypes."""
    return getattr(getattr(x, "dtype", None), "kind", "c" if type(x) is complex else "f") == "c"


@elementwise(
    lambda t, x, y: where(less(x, y), 0.0, where(equal(x, y), t * share(0), t)),
    lambda t, x, y: where(greater(x, y), 0.0, where(equal(x, y), t * share(1), t)),
)
def maximum(xp, x, y, /):
    """The larger of two: ∂z/∂x = 1 where x > y, and ties share, half each; see `kinks`.

    Keeps: x, y.

    >>> ad.grad(ad.maximum, (0, 1))(2.0, 1.0), ad.grad(ad.maximum, (0, 1))(1.0, 1.0)
    ((np.float64(1.0), np.float64(0.0)), (np.float64(0.5), np.float64(0.5)))
    """
    return xp.maximum(x, y)


@elementwise(
    lambda t, x, y: where(greater(x, y), 0.0, where(equal(x, y), t * share(0), t)),
    lambda t, x, y: where(less(x, y), 0.0, where(equal(x, y), t * share(1), t)),
)
def minimum(xp, x, y, /):
    """The smaller of two: ∂z/∂x = 1 where x < y, and ties share, half each.

    Keeps: x, y.

    >>> ad.grad(ad.minimum, (0, 1))(2.0, 1.0), ad.grad(ad.minimum, (0, 1))(1.0, 1.0)
    ((np.float64(0.0), np.float64(1.0)), (np.float64(0.5), np.float64(0.5)))
    """
    return xp.minimum(x, y)


@elementwise(
    lambda t, x, y: where(
        logical_or(greater(x, y), less(isnan(x), isnan(y))), t, shared(t, x, y, 0)
    ),
    lambda t, x, y: where(
        logical_or(less(x, y), greater(isnan(x), isnan(y))), t, shared(t, x, y, 1)
    ),
)
def fmax(xp, x, y, /):
    """The larger of two, or the one that is a number: ∂z/∂x = 1 where z is x, and ties share.

    Keeps: x, y.  Undefined: where both are NaN; both slopes are 0.

    >>> ad.grad(lambda x: ad.fmax(x, 1.0).sum())(np.array([0.0, 1.0, 2.0, np.nan]))
    array([0. , 0.5, 1. , 0. ])
    """
    return xp.fmax(x, y)


@elementwise(
    lambda t, x, y: where(logical_or(less(x, y), less(isnan(x), isnan(y))), t, shared(t, x, y, 0)),
    lambda t, x, y: where(
        logical_or(greater(x, y), greater(isnan(x), isnan(y))), t, shared(t, x, y, 1)
    ),
)
def fmin(xp, x, y, /):
    """The smaller of two, or the one that is a number: ∂z/∂x = 1 where z is x, and ties share.

    Keeps: x, y.  Undefined: where both are NaN; both slopes are 0.

    >>> ad.grad(lambda x: ad.fmin(x, 1.0).sum())(np.array([0.0, 1.0, 2.0, np.nan]))
    array([1. , 0.5, 0. , 0. ])
    """
    return xp.fmin(x, y)


def shared(t, x, y, place):
    """What the first (0) or second (1) of x and y gets of t where they are equal."""
    return where(equal(x, y), t * share(place), 0.0)


@elementwise(None, lambda t, mask: where(mask, t, 0.0), lambda t, mask: where(mask, 0.0, t))
def where(xp, mask, x, y, /):
    """Choice: z = x where the mask is true, else y; each gets the cotangent of what it gave.

    Keeps: mask. Both x and y are computed; what is not chosen contributes nothing, also where its
    slope is infinite or NaN. A pass that meets one runs twice: choose before the pole, not after.

    >>> x = np.array([0.0, 4.0])
    >>> ad.grad(lambda x: ad.sqrt(ad.where(x > 0, x, 1.0)).sum())(x)
    array([0.  , 0.25])
    """
    return xp.where(mask, x, y)


@elementwise(
    lambda t, x, low, high: where(greater(x, high), 0.0, where(less(x, low), 0.0, t)),
    lambda t, x, low, high: where(less(x, low), where(greater(low, high), 0.0, t), 0.0),
    lambda t, x, low, high: where(
        greater(x, high), t, where(greater(low, high), where(less(x, low), t, 0.0), 0.0)
    ),
)
def clamp(xp, x, low, high, /):
    """x held between two bounds: ∂z/∂x = 1 inside and on them; outside, the bound gets it."""
    return xp.minimum(xp.maximum(x, low), high)


def clip(a, a_min=None, a_max=None, *, min=None, max=None):
    """The elements held between two bounds, `a_min` and `a_max` or `min` and `max`, or by one.

    ∂z/∂x = 1 inside and on the bounds, 0 outside; a bound gets the cotangent of what it cut off.

    Raises: TypeError where a bound is given by both its names.

    >>> ad.grad(lambda x: ad.clip(x, 0.0, 1.0).sum())(np.array([-1.0, 0.0, 0.5, 2.0]))
    array([0., 1., 1., 0.])
    """
    if (min is not None and a_min is not None) or (max is not None and a_max is not None):
        raise TypeError("`clip` was given a bound by both its names; use `min` and `max` alone.")
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    if low is None:
        low = iinfo(a.dtype).min if is_integer(a) else -math.inf
    if high is None:
        high = iinfo(a.dtype).max if is_integer(a) else math.inf
    return clamp(a, low, high)


@elementwise(lambda t: t, lambda t, x, y: -t * floor_divide(x, y))
def remainder(xp, x, y, /):
    """Remainder with the sign of y: z = x - y·⌊x/y⌋,  ∂z/∂x = 1,  ∂z/∂y = -⌊x/y⌋.

    x, y : real.  Keeps: x, y.  Undefined: where x/y is whole z jumps; the slopes are as beside it.

    >>> ad.grad(ad.remainder, (0, 1))(7.0, 3.0)
    (np.float64(1.0), np.float64(-2.0))
    """
    return xp.remainder(x, y)


@elementwise(lambda t: t, lambda t, x, y, out: t * nearest((out - x) / y))
def fmod(xp, x, y, /):
    """Remainder with the sign of x: z = x - y·⌊|x/y|⌋·sign(x/y),  ∂z/∂x = 1,  ∂z/∂y = (z - x)/y.

    x, y : real.  Keeps: x, y, out.  Undefined: where x/y is whole z jumps; the slopes are as
    beside it.

    >>> ad.fmod(-7.0, 3.0), ad.grad(ad.fmod, (0, 1))(-7.0, 3.0)
    (np.float64(-1.0), (np.float64(1.0), np.float64(2.0)))
    """
    return xp.fmod(x, y)


@elementwise(lambda t, x, out: t * (signum(x) * signum(out)), None)
def copysign(xp, x, y, /):
    """|x| with the sign of y: ∂z/∂x = ±1, at 0 the value 0; in y it is locally constant.

    x, y : real.  Keeps: x, out.

    >>> ad.grad(ad.copysign, (0, 1))(2.0, -1.0)
    (np.float64(-1.0), np.float64(0.0))
    """
    return xp.copysign(x, y)


def safe_divide(x, y):
    """x/y, and 0 where y = 0."""
    empty = equal(y, 0)
    return where(empty, 0.0, x / where(empty, 1.0, y))


@linear(lambda ct: real(ct), view=True, batch=aligned)
def real(xp, x, /):
    """Real part; the cotangent it passes back is real.

    >>> ad.grad(ad.real)(1 + 2j)
    np.complex128(1+0j)
    """
    return xp.real(x)


@linear(lambda ct: real(ct) * -1j, view=True, batch=aligned)
def imag(xp, x, /):
    """Imaginary part; it passes -i times the real cotangent back, for y = Re(-ix).

    >>> bool(ad.grad(ad.imag)(1 + 2j) == -1j)
    True
    """
    return xp.imag(x)


@linear(lambda ct: conj(ct), batch=aligned)
def conj(xp, x, /):
    """Complex conjugate; it passes the conjugate cotangent back.

    >>> z = 1 + 2j
    >>> ad.grad(lambda z: ad.real(z * ad.conj(z)))(z)  # |z|², so 2·conj(z)
    np.complex128(2-4j)
    """
    return xp.conj(x)


@elementwise(lambda t: t, lambda t: t * 1j)
def to_complex(xp, x, y, /):
    """The complex number x + iy of two real ones."""
    return x + y * 1j


def angle(z, deg=False):
    """Argument of a complex number, in radians or degrees; at 0 its derivative is 0.

    >>> ad.angle(1j), ad.angle(-1.0, deg=True)
    (np.float64(1.5707963267948966), np.float64(180.0))
    """
    a = atan2(imag(z), real(z))
    return rad2deg(a) if deg else a


@linear(lambda ct, dtype: ct, view=True, batch=aligned)
def astype(xp, x, /, dtype):
    """x in another floating-point or complex dtype; the cotangent comes back in that of the leaf.

    >>> x = ad.Tensor(np.float32(3.0))
    >>> (ad.astype(x, np.float64) ** 2).backward(); x.grad
    np.float32(6.0)
    """
    if xp.dtype(dtype).kind not in "fc":
        raise DataError(
            f"`astype` to {xp.dtype(dtype)} is a step function, which has no derivative worth "
            "having. Use `round` or `trunc`, or cast the plain array, `.detach().numpy()`."
        )
    return xp.asarray(x, dtype=dtype)[()]
