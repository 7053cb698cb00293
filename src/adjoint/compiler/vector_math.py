"""Exponentials, logarithms, trigonometry and special functions as straight-line vector code.

Each function takes the builder and values of float64 or float32 and returns one value. All of the
range is covered: denormal, infinite and NaN inputs, denormal and overflowing results, signed zeros
come out as NumPy's; docs/vector_math.md has the measured errors. Work shared by two functions of
one argument (`sin` and `cos`) is done once. What is rare and costly sits behind a branch that is
taken only where some lane needs it.

The methods are those of Cody and Waite, *Software Manual for the Elementary Functions* (1980):
reduce the argument, approximate by a polynomial, rebuild. Where one rounding too many would show,
a value is carried as the sum of two (Dekker 1971), `high` and `low`. Polynomials are ours:
benchmarks/fits.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .coefficients import PIECES, POLYNOMIALS
from .emit import Builder, Value
from .lanes import (
    MANTISSA,
    copysign,
    fabs,
    isinf,
    isnan,
    maximum,
    minus_product,
    trunc,
    two_product,
)

Pair = tuple[Value, Value]

INF, NAN, LN2 = math.inf, math.nan, math.log(2.0)
# Adding 1.5·2ᵖ⁻¹ to a number rounds it to a whole one, which then stands in the lowest bits.
MAGIC = dict(f64=1.5 * 2.0**52, f32=1.5 * 2.0**23)
BIAS = dict(f64=1023, f32=127)
SMALLEST_NORMAL = dict(f64=2.0**-1022, f32=2.0**-126)


def memo(function: Callable[..., Value]) -> Callable[..., Value]:
    """The function, computed once for the same arguments."""

    def shared(b: Builder, *args: Value) -> Value:
        return b.once(function.__name__, function, *args)

    return shared


def in_double(function: Callable[..., Value]) -> Callable[..., Value]:
    """The function, for float32 by way of float64."""

    def apply(b: Builder, *args: Value) -> Value:
        if args[0].kind == "f64":
            return function(b, *args)
        wide = [b.convert("fpext", x, "f64") for x in args]
        return b.convert("fptrunc", function(b, *wide), "f32")

    apply.__name__ = function.__name__
    return apply


def polynomial(b: Builder, name: str, x: Value, start: int = 0) -> Value:
    """A fitted polynomial at x: by Estrin's scheme in pairs and quadruples, then by Horner's.

    With `start` what is left when the first terms are taken off and x divided out.
    """
    terms = [b.constant(c, x.kind) for c in POLYNOMIALS[f"{name}_{x.kind}"][start:]]
    for _ in range(2):
        if len(terms) > 3:
            terms = [
                b.fma(terms[k + 1], x, terms[k]) if k + 1 < len(terms) else terms[k]
                for k in range(0, len(terms), 2)
            ]
            x = b.mul(x, x)
    value = terms[-1]
    for term in terms[-2::-1]:
        value = b.fma(value, x, term)
    return value


def fast_two_sum(b: Builder, x: Value, y: Value) -> Pair:
    """x + y and its error, for |x| >= |y|."""
    total = b.add(x, y)
    return total, b.add(b.sub(x, total), y)


def two_sum(b: Builder, x: Value, y: Value) -> Pair:
    """x + y and its error (Knuth)."""
    total = b.add(x, y)
    part = b.sub(total, x)
    return total, b.add(b.sub(x, b.sub(total, part)), b.sub(y, part))


def least(b: Builder, x: Value, bound: float) -> Value:
    """x, but at most `bound`; NaN stays."""
    return b.select(b.compare("gt", x, bound), bound, x)


def most(b: Builder, x: Value, bound: float) -> Value:
    """x, but at least `bound`; NaN stays."""
    return b.select(b.compare("lt", x, bound), bound, x)


def one_where(b: Builder, mask: Value, kind: str) -> Value:
    """1 where the mask is true, else 0."""
    return b.select(mask, b.constant(1.0, kind), 0.0)


def negated(b: Builder, mask: Value) -> Value:
    """Not the mask."""
    return b.binary("xor", mask, 1)


# Exponentials


def whole_part(b: Builder, x: Value, factor: float) -> Pair:
    """The whole number n nearest to x·factor, as bits that end in it and as a float."""
    shifted = b.fma(x, factor, MAGIC[x.kind])
    return b.bits(shifted), b.sub(shifted, MAGIC[x.kind])


def power_of_two(b: Builder, n: Value, shift: int, kind: str) -> Value:
    """2 to n + shift, from the bits of n, for normal results."""
    return of_exponent(b, b.binary("add", n, shift + BIAS[kind]), kind)


def of_exponent(b: Builder, biased: Value, kind: str) -> Value:
    """The power of two with this exponent field."""
    return b.number(b.binary("shl", biased, MANTISSA[kind]))


def reduced(b: Builder, x: Value) -> Pair:
    """The bits of n, and r with x = n ln 2 + r, |r| <= ½ ln 2; exact but for the rounding of r."""
    high, low = PIECES[f"ln2_{x.kind}"]
    bits, n = whole_part(b, x, 1 / LN2)
    return bits, b.fma(n, -low, b.fma(n, -high, x))


def scaled(b: Builder, p: Value, n: Value, tiny: Value) -> Value:
    """p·2ⁿ, rounded once where the result is denormal: where `tiny`, in two steps."""
    shift, bias = (200, 1023) if p.kind == "f64" else (100, 127)
    first = b.select(tiny, b.constant(bias + shift, n.kind), bias - 1)
    second = b.select(tiny, b.constant(2.0**-shift, p.kind), 2.0)
    return b.mul(b.mul(p, of_exponent(b, b.binary("add", n, first), p.kind)), second)


def exp_of(b: Builder, x: Value, low: Value | None = None, factor: Pair | None = None) -> Value:
    """e to x + low, where |low| is at most a rounding of x; times a factor below 2 in two parts."""
    bottom, top, edge = (-750.0, 710.0, -700.0) if x.kind == "f64" else (-110.0, 89.0, -80.0)
    x = most(b, least(b, x, top), bottom)
    tiny = b.compare("lt", x, edge)
    if low is None:
        n, r = reduced(b, x)
        return scaled(b, exp_reduced(b, r)[0], n, tiny)
    high, small = PIECES[f"ln2_{x.kind}"]
    n, whole = whole_part(b, x, 1 / LN2)
    r, error = fast_two_sum(b, b.fma(whole, -high, x), b.mul(whole, -small))
    p, lost = exp_reduced(b, r)
    lost = b.fma(p, b.add(error, low), lost)
    if factor is None:
        return scaled(b, b.add(p, lost), n, tiny)
    more = b.fma(p, factor[1], b.mul(lost, factor[0]))
    return scaled(b, b.fma(p, factor[0], more), n, tiny)


def exp_reduced(b: Builder, r: Value) -> Pair:
    """e to r, |r| <= ½ ln 2, and what its last rounding lost."""
    return fast_two_sum(b, b.constant(1.0, r.kind), b.fma(b.mul(r, r), polynomial(b, "exp", r), r))


@memo
def exp(b: Builder, x: Value) -> Value:
    """e to x."""
    return exp_of(b, x)


@memo
def exp2(b: Builder, x: Value) -> Value:
    """2 to x, exact for whole x."""
    bottom, top, edge = (-1080.0, 1024.0, -1010.0) if x.kind == "f64" else (-155.0, 128.0, -120.0)
    x = most(b, least(b, x, top), bottom)
    bits, n = whole_part(b, x, 1.0)
    r = b.sub(x, n)
    p = b.add(b.fma(b.mul(r, r), polynomial(b, "exp2", r), b.mul(r, LN2)), 1.0)
    return scaled(b, p, bits, b.compare("lt", x, edge))


def shrunk_expm1(b: Builder, x: Value, shift: int) -> Value:
    """(eˣ - 1)·2^shift, so that it is finite for large x; x within the range of `exp`.

    As (2ⁿ - 1) + 2ⁿr + 2ⁿ(eʳ - 1 - r), the first sum with its error.
    """
    bits, r = reduced(b, x)
    scale = power_of_two(b, bits, shift, x.kind)
    whole, linear = b.sub(scale, 2.0**shift), b.mul(scale, r)
    high, low = fast_two_sum(b, whole, linear)
    rest = b.mul(b.mul(r, r), polynomial(b, "expm1", r))
    return b.add(high, b.fma(scale, rest, low))


@memo
def expm1(b: Builder, x: Value) -> Value:
    """eˣ - 1."""
    bottom, top, tiny = (-40.0, 710.0, 2.0**-54) if x.kind == "f64" else (-20.0, 89.0, 2.0**-25)
    half = shrunk_expm1(b, most(b, least(b, x, top), bottom), -1)
    return b.select(b.compare("lt", fabs(b, x), tiny), x, b.add(half, half))


def one_more(b: Builder, h: Value) -> Pair:
    """h + 1 and its error, for h >= 0."""
    total = b.add(h, 1.0)
    return total, b.sub(h, b.sub(total, 1.0))


@memo
def tanh(b: Builder, x: Value) -> Value:
    """h/(h + 1) with h = ½(e²ᵃ - 1), a = |x|."""
    top, tiny = (20.0, 2.0**-28) if x.kind == "f64" else (9.5, 2.0**-13)
    a = fabs(b, x)
    held = least(b, a, top)
    h = shrunk_expm1(b, b.add(held, held), -1)
    total, lost = one_more(b, h)
    y = b.div(h, total)
    y = b.sub(y, b.mul(b.mul(y, lost), b.sub(b.constant(1.0, x.kind), y)))
    y = copysign(b, least(b, y, 1.0), x)
    return b.select(b.compare("lt", a, tiny), x, y)


@memo
def sinh(b: Builder, x: Value) -> Value:
    """h + h/(2h + 1) with h = ½(eᵃ - 1), a = |x|."""
    top, tiny = (710.6, 2.0**-28) if x.kind == "f64" else (89.7, 2.0**-13)
    a = fabs(b, x)
    quarter = shrunk_expm1(b, least(b, a, top), -2)
    h = b.add(quarter, quarter)
    rest = b.div(h, b.add(b.add(h, h), 1.0))
    y = copysign(b, b.add(h, b.select(b.compare("lt", h, INF), rest, 0.0)), x)
    return b.select(b.compare("lt", a, tiny), x, y)


@memo
def cosh(b: Builder, x: Value) -> Value:
    """e + ¼/e with e = ½eᵃ, a = |x|."""
    bits, r = reduced(b, least(b, fabs(b, x), 710.6 if x.kind == "f64" else 89.7))
    quarter = b.mul(exp_reduced(b, r)[0], power_of_two(b, bits, -2, x.kind))
    half = b.add(quarter, quarter)
    return b.add(half, b.div(b.constant(0.25, x.kind), half))


@memo
def sigmoid(b: Builder, x: Value) -> Value:
    """1/(1 + e⁻ˣ), by e to -|x|, which is exact to the end of both tails."""
    one, right = b.constant(1.0, x.kind), b.compare("ge", x, 0.0)
    small = exp(b, b.neg(fabs(b, x)))
    total, lost = one_more(b, small)
    y = b.div(b.select(right, one, small), total)
    return b.sub(y, b.mul(b.mul(y, lost), b.select(right, y, b.sub(one, y))))


# Logarithms


def mantissa_and_exponent(b: Builder, x: Value) -> tuple[Value, Value, Value]:
    """m from √½ to √2 and k with x = m·2ᵏ, of normal x > 0; and the bits of 2⁻ᵏ less those of 1."""
    start = 0x3FE6A09E667F3BCD if x.kind == "f64" else 0x3F3504F3
    digits = MANTISSA[x.kind]
    bits = b.bits(x)
    above = b.binary("sub", bits, start)
    turn = b.binary("and", above, -1 << digits)
    m = b.number(b.binary("sub", bits, turn))
    if x.kind == "f32":
        return m, b.convert("sitofp", b.binary("ashr", above, digits), "f32"), turn
    # A vector of int64 becomes float64 by standing in the mantissa of 2⁵² + bias.
    biased = b.binary("lshr", b.binary("add", above, BIAS["f64"] << digits), digits)
    pasted = b.number(b.binary("or", biased, 0x433 << digits))
    return m, b.sub(pasted, 2.0**52 + BIAS["f64"]), turn


def normalised(b: Builder, x: Value) -> tuple[Value, Value]:
    """x with denormals scaled up, and the power of two to add for them: 0, or less."""
    power = 54.0 if x.kind == "f64" else 25.0
    small = b.compare("lt", x, SMALLEST_NORMAL[x.kind])
    zero = b.constant(0.0, x.kind)
    return b.select(small, b.mul(x, 2.0**power), x), b.select(small, b.sub(zero, power), zero)


class Logarithm:
    """ln(x + low) of normal x > 0 in parts: k ln 2 + f - (½f² - s(½f² + R)), s = f/(2 + f).

    So fdlibm arranges it (Sun 1993): f is exact, and what is taken from it smaller.
    """

    def __init__(self, b: Builder, x: Value, more: Value | None, low: Value | None = None) -> None:
        self.b = b
        m, k, turn = mantissa_and_exponent(b, x)
        self.k = k if more is None else b.add(k, more)
        self.f = b.sub(m, 1.0)
        if low is not None:
            one = b.bits(b.constant(1.0, x.kind))
            down = b.number(b.binary("sub", one, turn))
            down = b.select(b.compare("gt", x, 2.0**60), b.constant(0.0, x.kind), down)
            self.f = b.fma(low, down, self.f)
        s = b.div(self.f, b.add(self.f, 2.0))
        z = b.mul(s, s)
        self.half_square = b.mul(b.mul(self.f, 0.5), self.f)
        self.series = b.fma(z, polynomial(b, "log", z), self.half_square)
        self.s = s

    def natural(self) -> Value:
        """All of it."""
        b = self.b
        high, low = PIECES[f"ln2_{self.k.kind}"]
        taken = b.sub(self.half_square, b.fma(self.s, self.series, b.mul(self.k, low)))
        return b.sub(b.mul(self.k, high), b.sub(taken, self.f))

    def to_base(self, factor: str, unit: tuple[float, float]) -> Value:
        """It times `factor` (in pieces), where `unit` is ln 2 times it."""
        b = self.b
        high, low = fast_two_sum(b, self.f, b.neg(self.half_square))
        low = b.fma(self.s, self.series, low)
        big, small = PIECES[f"{factor}_{self.k.kind}"]
        product, error = two_product(b, high, b.constant(big, high.kind))
        error = b.add(error, b.fma(high, small, b.mul(low, big)))
        total, rest = fast_two_sum(b, b.mul(self.k, unit[0]), product)
        return b.add(total, b.add(rest, b.fma(self.k, unit[1], error)))


def at_the_ends(b: Builder, x: Value, pole: float, value: Value) -> Value:
    """A logarithm where x is infinite (x), at the pole (-∞) and below it (NaN); NaN stays."""
    kind = x.kind
    value = b.select(b.compare("lt", x, INF), value, x)
    outside = b.select(b.compare("eq", x, pole), b.constant(-INF, kind), b.constant(NAN, kind))
    return b.select(b.compare("gt", x, pole), value, outside)


@memo
def log(b: Builder, x: Value) -> Value:
    """ln x."""
    return at_the_ends(b, x, 0.0, Logarithm(b, *normalised(b, x)).natural())


@memo
def log2(b: Builder, x: Value) -> Value:
    """log₂ x, exact for powers of two."""
    value = Logarithm(b, *normalised(b, x)).to_base("log2e", (1.0, 0.0))
    return at_the_ends(b, x, 0.0, value)


@memo
def log10(b: Builder, x: Value) -> Value:
    """log₁₀ x."""
    high, low = PIECES[f"log10_2_{x.kind}"]
    value = Logarithm(b, *normalised(b, x)).to_base("log10e", (high, low))
    return at_the_ends(b, x, 0.0, value)


def log_of_more(
    b: Builder, x: Value, low: Value | None = None, doubled: Value | None = None
) -> Value:
    """ln(1 + x + low) for finite x > -1, and ln 2 more where `doubled` is 1."""
    total, error = two_sum(b, b.constant(1.0, x.kind), x)
    return Logarithm(b, total, doubled, error if low is None else b.add(error, low)).natural()


@memo
def log1p(b: Builder, x: Value) -> Value:
    """ln(1 + x)."""
    return at_the_ends(b, x, -1.0, copysign(b, log_of_more(b, x), x))


@memo
def logaddexp(b: Builder, x: Value, y: Value) -> Value:
    """max + ln(1 + e⁻ᵈ), d = |x - y|."""
    gap = exp(b, b.neg(fabs(b, b.sub(x, y))))
    value = b.add(maximum(b, x, y), log_of_more(b, gap))
    return b.select(b.compare("eq", x, y), b.add(x, LN2), value)


@memo
def logaddexp2(b: Builder, x: Value, y: Value) -> Value:
    """max + log₂(1 + 2⁻ᵈ), d = |x - y|."""
    gap = exp2(b, b.neg(fabs(b, b.sub(x, y))))
    value = b.add(maximum(b, x, y), b.mul(log_of_more(b, gap), 1 / LN2))
    return b.select(b.compare("eq", x, y), b.add(x, 1.0), value)


@memo
def softplus(b: Builder, x: Value) -> Value:
    """ln(1 + eˣ) = max(x, 0) + ln(1 + e to -|x|)."""
    gap = exp(b, b.neg(fabs(b, x)))
    return b.add(most(b, x, 0.0), log_of_more(b, gap))


def log_sigmoid(b: Builder, x: Value) -> Value:
    """-ln(1 + e⁻ˣ)."""
    return b.neg(softplus(b, b.neg(x)))


@memo
def xlogy(b: Builder, x: Value, y: Value) -> Value:
    """x·ln y, and 0 where x = 0 unless y is NaN."""
    nothing = b.binary("and", b.compare("eq", x, 0.0), negated(b, isnan(b, y)))
    return b.mul(x, log(b, b.select(nothing, b.constant(1.0, y.kind), y)))


@memo
def asinh(b: Builder, x: Value) -> Value:
    """ln(1 + a + a²/(1 + √(1 + a²))), a = |x|; of large a ln a + ln 2."""
    large = 2.0**28 if x.kind == "f64" else 2.0**13
    a = fabs(b, x)
    far = b.compare("gt", a, large)
    near = least(b, a, large)
    square = b.mul(near, near)
    bend = b.div(square, b.add(b.intrinsic("sqrt", b.add(square, 1.0)), 1.0))
    high, low = fast_two_sum(b, near, bend)
    high, low = b.select(far, a, high), b.select(far, -1.0, low)
    value = log_of_more(b, high, low, one_where(b, far, x.kind))
    return copysign(b, b.select(b.compare("lt", a, INF), value, a), x)


@memo
def acosh(b: Builder, x: Value) -> Value:
    """ln(1 + t + √(2t + t²)), t = x - 1; of large x ln x + ln 2."""
    large = 2.0**28 if x.kind == "f64" else 2.0**13
    far = b.compare("gt", x, large)
    t = b.sub(least(b, x, large), 1.0)
    root = b.intrinsic("sqrt", b.fma(t, t, b.add(t, t)))
    high, low = two_sum(b, t, root)
    high, low = b.select(far, x, high), b.select(far, -1.0, low)
    value = log_of_more(b, high, low, one_where(b, far, x.kind))
    value = b.select(b.compare("lt", x, INF), value, x)
    return b.select(b.compare("lt", x, 1.0), b.constant(NAN, x.kind), value)


@memo
def atanh(b: Builder, x: Value) -> Value:
    """½ ln(1 + 2a/(1 - a)), a = |x|."""
    a = fabs(b, x)
    ratio = b.div(b.add(a, a), b.sub(b.constant(1.0, x.kind), a))
    return copysign(b, b.mul(log1p(b, ratio), 0.5), x)


# Powers


def log_in_two(b: Builder, x: Value) -> Pair:
    """ln x of normal x > 0, float64, as a sum of two: error 2⁻⁶⁴ of the value.

    2 atanh s = 2s(1 + z/3 + z²·tail(z)), s = f/(2 + f), z = s²; the leading terms in two each.
    """
    x, more = normalised(b, x)
    m, k, _ = mantissa_and_exponent(b, x)
    k = b.add(k, more)
    f = b.sub(m, 1.0)
    bottom, bottom_low = fast_two_sum(b, b.constant(2.0, "f64"), f)
    inverse = b.div(b.constant(1.0, "f64"), bottom)
    s = b.mul(f, inverse)
    left = b.sub(minus_product(b, f, s, bottom), b.mul(s, bottom_low))
    s_low = b.mul(left, inverse)
    z, z_low = two_product(b, s, s)
    z_low = b.add(z_low, b.mul(b.add(s, s), s_low))
    third, third_low = PIECES["third_f64"]
    t, t_low = fast_two_sum(b, b.constant(third, "f64"), b.mul(z, polynomial(b, "log_tail", z)))
    t_low = b.add(t_low, third_low)
    u, u_low = two_product(b, z, t)
    u_low = b.add(u_low, b.fma(z, t_low, b.mul(z_low, t)))
    twice, twice_low = b.add(s, s), b.add(s_low, s_low)
    v, v_low = two_product(b, twice, u)
    v_low = b.add(v_low, b.fma(twice, u_low, b.mul(twice_low, u)))
    high, low = PIECES["ln2_f64"]
    total, rest = fast_two_sum(b, twice, v)
    total, lost = fast_two_sum(b, b.mul(k, high), total)
    rest = b.add(lost, b.add(rest, b.fma(k, low, b.add(twice_low, v_low))))
    return fast_two_sum(b, total, rest)


def power_of_size(b: Builder, base: Value, y: Value) -> Value:
    """base to y of normal base > 0: e to y ln base, the logarithm and the product in two parts."""
    high, low = log_in_two(b, base)
    product, error = two_product(b, y, high)
    inside = b.compare("lt", fabs(b, product), 1000.0)
    return exp_of(b, product, b.select(inside, b.fma(y, low, error), 0.0))


def power_for_single(b: Builder, base: Value, y: Value) -> Value:
    """The same to the precision of float32: one float64 has digits enough."""
    return exp_of(b, b.mul(y, Logarithm(b, *normalised(b, base)).natural()))


@memo
def pow(b: Builder, x: Value, y: Value) -> Value:
    """x to y, with C99's special cases (F.9.4.4); float32 by way of float64."""
    if x.kind == "f64":
        return signed_power(b, x, y, power_of_size)
    x, y = [b.convert("fpext", v, "f64") for v in (x, y)]
    return b.convert("fptrunc", signed_power(b, x, y, power_for_single), "f32")


def signed_power(b: Builder, x: Value, y: Value, of_size: Callable[..., Value]) -> Value:
    """x to y, float64: the power of |x|, its sign, and what is exact, infinite or undefined."""
    zero, one = b.constant(0.0, "f64"), b.constant(1.0, "f64")
    base = fabs(b, x)
    # Finite, y times the logarithm 0 is 0; so large, all other powers are 0 or infinite.
    value = of_size(b, base, most(b, least(b, y, 2.0**100), -(2.0**100)))
    value = b.select(isnan(b, base), base, value)
    empty = b.compare("eq", base, 0.0)
    rising = b.binary("xor", empty, b.compare("gt", y, 0.0))
    edge = b.select(rising, b.constant(INF, "f64"), zero)
    value = b.select(b.binary("or", empty, isinf(b, x)), b.select(isnan(b, y), y, edge), value)
    whole, half = b.compare("eq", trunc(b, y), y), b.mul(y, 0.5)
    odd = b.binary("and", whole, b.compare("ne", trunc(b, half), half))
    flipped = b.binary("and", b.compare("lt", copysign(b, one, x), 0.0), odd)
    value = b.select(flipped, b.neg(value), value)
    below = b.binary("and", b.compare("lt", x, 0.0), b.compare("gt", x, -INF))
    undefined = b.binary("and", below, negated(b, whole))
    value = b.select(undefined, b.constant(NAN, "f64"), value)
    sure = b.binary("or", b.compare("eq", y, 0.0), b.compare("eq", x, 1.0))
    return b.select(sure, one, value)


@memo
def cbrt(b: Builder, x: Value) -> Value:
    """The cube root: a polynomial for ten bits, Halley's step for thirty, Newton's for all."""
    third = 1.0 / 3.0
    a, more = normalised(b, fabs(b, x))
    m, k, _ = mantissa_and_exponent(b, a)
    k = b.add(k, more)
    bits, n = whole_part(b, k, third)
    rest, _ = whole_part(b, b.fma(n, -3.0, k), 1.0)
    m = b.mul(m, power_of_two(b, rest, 0, x.kind))
    y = polynomial(b, "cbrt", m)
    cube = b.mul(b.mul(y, y), y)
    y = b.mul(y, b.div(b.add(cube, b.add(m, m)), b.add(b.add(cube, cube), m)))
    square, square_low = two_product(b, y, y)
    left = b.sub(minus_product(b, m, square, y), b.mul(square_low, y))
    y = b.add(y, b.div(left, b.mul(square, 3.0)))
    value = copysign(b, b.mul(y, power_of_two(b, bits, 0, x.kind)), x)
    plain = b.binary("and", b.compare("gt", a, 0.0), b.compare("lt", a, INF))
    return b.select(plain, value, x)


@memo
def hypot(b: Builder, x: Value, y: Value) -> Value:
    """√(x² + y²), scaled by a power of two where a square would leave the range."""
    edge, far = (2.0**500, 2.0**600) if x.kind == "f64" else (2.0**60, 2.0**90)
    a, c = fabs(b, x), fabs(b, y)
    long, short = b.select(b.compare("gt", a, c), a, c), b.select(b.compare("gt", a, c), c, a)
    tiny, huge = b.compare("lt", long, 1 / edge), b.compare("gt", long, edge)
    up = b.select(huge, b.constant(1 / far, x.kind), b.select(tiny, b.constant(far, x.kind), 1.0))
    down = b.select(huge, b.constant(far, x.kind), b.select(tiny, b.constant(1 / far, x.kind), 1.0))
    p, q = b.mul(long, up), b.mul(short, up)
    value = b.mul(b.intrinsic("sqrt", b.fma(p, p, b.mul(q, q))), down)
    infinite = b.binary("or", isinf(b, x), isinf(b, y))
    return b.select(infinite, b.constant(INF, x.kind), value)


# Trigonometry


def quarter_turns(b: Builder, x: Value) -> tuple[Value, Value, Value]:
    """n in the lowest bits, and x - n·π/2 as a sum of two; for |x| below `turn_limit`.

    The first product and difference are exact; each later piece of π/2 adds its digits below.
    """
    if not b.has_fma:
        return quarter_turns_in_double(b, x)
    bits, n = whole_part(b, x, 2 / math.pi)
    p1, p2, p3 = PIECES[f"half_pi_{x.kind}"]
    r = b.fma(n, -p1, x)
    w = b.mul(n, p2)
    high = b.sub(r, w)
    error = b.sub(b.sub(r, high), w)
    rest = b.fma(n, p3, b.fma(n, p2, b.neg(w)))  # does not wait for r
    return bits, high, b.sub(error, rest)


def quarter_turns_in_double(b: Builder, x: Value) -> tuple[Value, Value, Value]:
    """`quarter_turns` without FMA: pieces of 33 bits, whose products with n are exact."""
    wide = x if x.kind == "f64" else b.convert("fpext", x, "f64")
    bits, n = whole_part(b, wide, 2 / math.pi)
    p1, p2, p3, p4 = PIECES["half_pi_short"]
    high = b.sub(wide, b.mul(n, p1))
    high, low = two_sum(b, high, b.mul(n, -p2))
    high, more = two_sum(b, high, b.mul(n, -p3))
    high, low = fast_two_sum(b, high, b.sub(b.add(low, more), b.mul(n, p4)))
    if x.kind == "f64":
        return bits, high, low
    short = b.convert("fptrunc", high, "f32")
    rest = b.sub(high, b.convert("fpext", short, "f64"))
    return b.convert("trunc", bits, "i32"), short, b.convert("fptrunc", rest, "f32")


def turn_limit(b: Builder, kind: str) -> float:
    """The largest |x| that `quarter_turns` reduces."""
    if b.has_fma:
        return 2.0**40 if kind == "f64" else 2.0**17
    return 2.0**20


def sine_and_cosine(b: Builder, x: Value) -> tuple[Value, Value, Value]:
    """The number of quarter turns, and sine and cosine of what is left."""
    n, r, low = quarter_turns(b, x)
    z, z_low = two_product(b, r, r)
    half = b.mul(z, 0.5)
    one = b.constant(1.0, x.kind)
    near = b.sub(one, half)
    sine = b.add(r, b.fma(b.mul(z, r), polynomial(b, "sin", z), b.mul(low, near)))
    lost = b.sub(b.sub(one, near), half)
    less = b.fma(z_low, 0.5, b.mul(r, low))
    rest = b.fma(b.mul(z, z), polynomial(b, "cos", z), b.neg(less))
    return n, b.select(b.compare("eq", x, 0.0), x, sine), b.add(near, b.add(lost, rest))


def is_odd(b: Builder, n: Value) -> Value:
    """Whether the lowest bit is set."""
    return b.compare("ne", b.binary("and", n, 1), 0)


def turned(b: Builder, value: Value, n: Value) -> Value:
    """The value, negated where the second lowest bit of n is set."""
    bits = 63 if value.kind == "f64" else 31
    sign = b.binary("shl", b.binary("and", n, 2), bits - 1)
    return b.number(b.binary("xor", b.bits(value), sign))


def circular(name: str) -> Callable[..., Value]:
    """`sin`, `cos` or `tan`; of huge arguments by the C library."""

    def apply(b: Builder, x: Value) -> Value:
        n, sine, cosine = b.once("sincos", sine_and_cosine, x)
        odd = is_odd(b, n)
        if name == "sin":
            usual = turned(b, b.select(odd, cosine, sine), n)
        elif name == "cos":
            usual = turned(b, b.select(odd, sine, cosine), b.binary("add", n, 1))
        else:
            ratio = b.div(b.select(odd, cosine, sine), b.select(odd, sine, cosine))
            usual = b.select(odd, b.neg(ratio), ratio)
        huge = b.compare("gt", fabs(b, x), turn_limit(b, x.kind))
        return b.unlikely(huge, usual, lambda: b.each_lane(name, x))

    apply.__name__ = name
    return memo(apply)


def octant(b: Builder, short: Value, long: Value, swap: Value, back: Value) -> Value:
    """atan(short/long), 0 <= short <= long; from ½π where `swap`, and that from π where `back`.

    Above tan π/8 as ¼π + atan((short - long)/(short + long)), so one division serves both.
    """
    kind = short.kind
    steep = b.compare("gt", short, b.mul(long, math.tan(math.pi / 8)))
    top = b.select(steep, b.sub(short, long), short)
    bottom = b.select(steep, b.add(short, long), long)
    t = b.div(top, bottom)
    t = b.select(b.binary("xor", swap, back), b.neg(t), t)
    quarters = one_where(b, steep, kind)
    quarters = b.select(swap, b.sub(b.constant(2.0, kind), quarters), quarters)
    quarters = b.select(back, b.sub(b.constant(4.0, kind), quarters), quarters)
    # Three quarters of π are not exact as a product; the error joins what is below.
    big, small = PIECES[f"half_pi_{kind}"][:2]
    base, low = two_product(b, quarters, b.constant(big / 2, kind))
    z = b.mul(t, t)
    rest = b.fma(b.mul(t, z), polynomial(b, "atan", z), b.fma(quarters, small / 2, low))
    return b.add(base, b.add(t, rest))


@memo
def atan(b: Builder, x: Value) -> Value:
    """The inverse tangent."""
    a, one = fabs(b, x), b.constant(1.0, x.kind)
    swap = b.compare("gt", a, 1.0)
    never = b.constant(0, "i1")
    y = octant(b, b.select(swap, one, a), b.select(swap, a, one), swap, never)
    return copysign(b, y, x)


@memo
def atan2(b: Builder, y: Value, x: Value) -> Value:
    """The angle of the point (x, y)."""
    kind = x.kind
    zero, one = b.constant(0.0, kind), b.constant(1.0, kind)
    a, c = fabs(b, y), fabs(b, x)
    swap = b.compare("gt", a, c)
    short, long = b.select(swap, c, a), b.select(swap, a, c)
    # The sum of the two must not overflow; two infinities are as two ones.
    large = b.compare("gt", long, 2.0**1000 if kind == "f64" else 2.0**120)
    shrink = b.select(large, b.constant(0.25, kind), one)
    infinite, empty = isinf(b, long), b.compare("eq", long, 0.0)
    both = b.compare("eq", short, INF)
    short = b.select(infinite, b.select(both, one, zero), b.mul(short, shrink))
    long = b.select(b.binary("or", infinite, empty), one, b.mul(long, shrink))
    back = b.compare("lt", copysign(b, one, x), 0.0)
    angle = copysign(b, octant(b, short, long, swap, back), y)
    return b.select(b.compare("uno", x, y), b.add(x, y), angle)


def arcsine_parts(b: Builder, x: Value) -> tuple[Value, Value, Value]:
    """Whether |x| > ½; s, |x| or there √(½(1 - |x|)); and asin s - s."""
    a = fabs(b, x)
    far = b.compare("gt", a, 0.5)
    z = b.select(far, b.mul(b.sub(b.constant(1.0, x.kind), a), 0.5), b.mul(a, a))
    s = b.select(far, b.intrinsic("sqrt", z), a)
    return far, s, b.mul(b.mul(s, z), polynomial(b, "asin", z))


@memo
def asin(b: Builder, x: Value) -> Value:
    """The inverse sine: beyond ½ as ½π - 2 asin √(½(1 - a))."""
    far, s, rest = b.once("arcsine", arcsine_parts, x)
    high, low = PIECES[f"half_pi_{x.kind}"][:2]
    inner = b.add(b.mul(s, -2.0), b.fma(rest, -2.0, low))
    return copysign(b, b.select(far, b.add(inner, high), b.add(s, rest)), x)


@memo
def acos(b: Builder, x: Value) -> Value:
    """The inverse cosine: ½π - asin x, beyond ½ as 2 asin √(½(1 - a)), or that from π."""
    far, s, rest = b.once("arcsine", arcsine_parts, x)
    high, low = PIECES[f"half_pi_{x.kind}"][:2]
    left = b.compare("lt", x, 0.0)
    quarters = b.select(left, b.constant(2.0, x.kind), 0.0)
    quarters = b.select(far, quarters, 1.0)
    # Of the six cases two add: π/2 + asin a to the left of 0 inside, 2 asin(...) at the right end.
    sign = b.select(b.binary("xor", far, left), b.constant(1.0, x.kind), -1.0)
    factor = b.select(far, b.add(sign, sign), sign)
    inner = b.fma(s, factor, b.fma(rest, factor, b.mul(quarters, low)))
    return b.fma(quarters, high, inner)


# Error and gamma functions


@memo
def erf_inside(b: Builder, x: Value) -> Value:
    """erf x for |x| <= 1."""
    z = b.mul(x, x)
    return b.fma(x, polynomial(b, "erf", z), x)


@memo
def erfc_outside(b: Builder, a: Value) -> Value:
    """erfc a for a >= ½: (1 + 2a)eᵃᵃ erfc a is fitted; e to -a² has the error of the square."""
    centre, name, top = (4.0, "erfcx", 28.0) if a.kind == "f64" else (2.0, "erfcx_single", 11.0)
    a = least(b, most(b, a, 0.5), top)
    q = b.div(b.sub(a, centre), b.add(a, centre))
    first = b.constant(POLYNOMIALS[f"{name}_{a.kind}"][0], a.kind)
    fitted, fitted_low = fast_two_sum(b, first, b.mul(q, polynomial(b, name, q, 1)))
    below = b.fma(a, 2.0, 1.0)
    lost = b.sub(b.add(a, a), b.sub(below, 1.0))
    ratio = b.div(fitted, below)
    left = b.add(minus_product(b, fitted, ratio, below), fitted_low)
    left = b.sub(left, b.mul(ratio, lost))
    square, error = two_product(b, a, a)
    return exp_of(b, b.neg(square), b.neg(error), (ratio, b.div(left, below)))


@memo
def erf(b: Builder, x: Value) -> Value:
    """The error function."""
    a = fabs(b, x)
    outside = b.sub(b.constant(1.0, x.kind), erfc_outside(b, a))
    return b.select(b.compare("gt", a, 1.0), copysign(b, outside, x), erf_inside(b, x))


@memo
def erfc(b: Builder, x: Value) -> Value:
    """1 - erf x, without cancellation."""
    a = fabs(b, x)
    tail = erfc_outside(b, a)
    left = b.sub(b.constant(2.0, x.kind), tail)
    outside = b.select(b.compare("lt", x, 0.0), left, tail)
    inside = b.sub(b.constant(1.0, x.kind), erf_inside(b, x))
    return b.select(b.compare("gt", a, 0.5), outside, inside)


@memo
@in_double
def gammaln(b: Builder, x: Value) -> Value:
    """ln |Γ(x)|: by a polynomial about 2, shifted there up to 8, then by Stirling's series.

    Below 1.5 one factor, below ½ two are taken off by a logarithm in two parts, which keeps the
    digits near the zeros at 1 and 2. Negative x are the C library's.
    """
    one = b.constant(1.0, "f64")
    far = b.compare("ge", x, 8.0)
    tiny, low = b.compare("lt", x, 0.5), b.compare("lt", x, 1.5)
    z, product = x, one
    for _ in range(6):
        down = b.compare("ge", z, 2.5)
        z = b.select(down, b.sub(z, 1.0), z)
        product = b.select(down, b.mul(product, z), product)
    e = b.select(tiny, x, b.select(low, b.sub(x, 1.0), b.sub(z, 2.0)))
    factor = b.select(low, b.select(tiny, b.mul(x, b.add(x, 1.0)), x), product)
    log_high, log_low = log_in_two(b, b.select(far, x, factor))
    weight = b.select(low, b.constant(-1.0, "f64"), one)
    weight = b.select(far, b.sub(x, 0.5), weight)
    high, high_low = two_product(b, weight, log_high)
    high_low = b.fma(weight, log_low, high_low)
    slope, slope_low = PIECES["one_less_gamma_f64"]
    bend = b.mul(e, polynomial(b, "gammaln", e))
    chord, chord_low = fast_two_sum(b, b.constant(slope, "f64"), bend)
    other, other_low = two_product(b, e, chord)
    other_low = b.fma(e, b.add(chord_low, slope_low), other_low)
    inverse = b.div(one, x)
    stirling = polynomial(b, "stirling", b.mul(inverse, inverse))
    tail = b.fma(stirling, inverse, math.log(2 * math.pi) / 2)
    other = b.select(far, b.neg(x), other)
    other_low = b.select(far, tail, other_low)
    total, error = two_sum(b, high, other)
    value = b.add(total, b.add(error, b.add(high_low, other_low)))
    leading = b.mul(x, b.sub(log_high, 1.0))
    value = b.select(b.compare("lt", x, 2.0**200), value, leading)
    value = b.select(b.compare("eq", x, 0.0), b.constant(INF, "f64"), value)
    value = b.select(b.compare("eq", x, -INF), x, value)
    left = b.binary("and", b.compare("lt", x, 0.0), b.compare("gt", x, -INF))
    return b.unlikely(left, value, lambda: b.each_lane("lgamma", x))


VECTOR_MATH: dict[str, Callable[..., Value]] = dict(
    exp=exp, exp2=exp2, expm1=expm1, log=log, log2=log2, log10=log10, log1p=log1p,
    logaddexp=logaddexp, logaddexp2=logaddexp2, softplus=softplus, log_sigmoid=log_sigmoid,
    sigmoid=sigmoid, xlogy=xlogy, pow=pow, cbrt=cbrt, hypot=hypot,
    sin=circular("sin"), cos=circular("cos"), tan=circular("tan"),
    asin=asin, acos=acos, atan=atan, atan2=atan2,
    sinh=sinh, cosh=cosh, tanh=tanh, asinh=asinh, acosh=acosh, atanh=atanh,
    erf=erf, erfc=erfc, gammaln=gammaln,
)  # fmt: skip
