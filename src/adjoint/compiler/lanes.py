"""Arithmetic, comparisons, choices and casts of the registry as instructions, bit for bit NumPy's.

`LANES` has a function for each op by the op's name: it takes the builder and values of one kind
(`where` a mask first) and returns a value. Predicates return `i1`; functions that NumPy computes in
floating point take integers as float64. `COMBINE`, `IDENTITY` and `horizontal` are for reductions.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .emit import BITS, Builder, Value, round_to_single

Function = Callable[..., Value]

MANTISSA = dict(f64=52, f32=23)


def is_float(x: Value) -> bool:
    """True of a value whose lanes are floating-point numbers."""
    return x.kind in BITS


def like(b: Builder, x: Value, number: float) -> Value:
    """A constant of the kind of x."""
    return b.constant(number, x.kind)


def inexact(b: Builder, x: Value) -> Value:
    """x in floating point, where NumPy's functions of integers compute: float64."""
    return x if is_float(x) else cast(b, x, "f64")


def cast(b: Builder, x: Value, kind: str) -> Value:
    """x in another kind, as `astype` converts; what no integer holds, as x86-64 does."""
    if x.kind == kind:
        return x
    if kind == "i1":
        return truth(b, x)
    if is_float(x):
        if kind in BITS:
            return b.convert("fpext" if kind == "f64" else "fptrunc", x, kind)
        return float_to_integer(b, x, kind)
    unsigned = x.kind[0] == "u" or x.kind == "i1"
    if kind in BITS:
        return b.convert("uitofp" if unsigned else "sitofp", x, kind)
    have, want = int(x.kind[1:]), int(kind[1:])
    if have == want:
        return Value(x.name, kind)
    return b.convert("trunc" if have > want else "zext" if unsigned else "sext", x, kind)


def float_to_integer(b: Builder, x: Value, kind: str) -> Value:
    """x rounded towards zero; outside the range the bits that the instructions of x86-64 leave."""
    bits = int(kind[1:])
    if bits < 32:
        return cast(b, float_to_integer(b, x, "i32"), kind)
    half, signed = 2.0 ** (bits - 1), f"i{bits}"
    if kind[0] == "i":
        # The bound below is exclusive where x can lie between it and the smallest integer.
        between = bits == 32 and x.kind == "f64"
        above = b.compare("gt" if between else "ge", x, like(b, x, -half - between))
        fits = b.binary("and", above, b.compare("lt", x, half))
        inside = b.select(fits, x, like(b, x, 0.0))
        return b.select(fits, b.convert("fptosi", inside, kind), b.constant(-half, kind))
    low = float_to_integer(b, x, signed)
    high = float_to_integer(b, b.sub(x, half), signed)
    turned = b.binary("xor", high, b.constant(-half, signed))
    return Value(b.select(b.compare("ge", x, half), turned, low).name, kind)


def truth(b: Builder, x: Value) -> Value:
    """Whether x is not 0; NaN is true."""
    return x if x.kind == "i1" else b.compare("ne", x, 0)


def nothing(b: Builder, x: Value) -> Value:
    """x itself."""
    return x


def arithmetic(floats: str, integers: str, logic: str) -> Function:
    """A binary operation of numbers; integers wrap, bools have `logic` in its place."""

    def apply(b: Builder, x: Value, y: Value) -> Value:
        if is_float(x):
            return getattr(b, floats)(x, y)
        return b.binary(logic if x.kind == "i1" else integers, x, y)

    return apply


add = arithmetic("plus", "add", "or")
subtract = arithmetic("minus", "sub", "xor")
multiply = arithmetic("times", "mul", "and")


def divide(b: Builder, x: Value, y: Value) -> Value:
    """x/y in floating point."""
    return b.div(inexact(b, x), inexact(b, y))


def negative(b: Builder, x: Value) -> Value:
    """-x; the smallest integer stays."""
    return b.neg(x) if is_float(x) else b.binary("sub", like(b, x, 0), x)


def reciprocal(b: Builder, x: Value) -> Value:
    """1/x in floating point."""
    x = inexact(b, x)
    return b.div(like(b, x, 1.0), x)


def square(b: Builder, x: Value) -> Value:
    """x·x."""
    return multiply(b, x, x)


def sqrt(b: Builder, x: Value) -> Value:
    """√x, rounded correctly."""
    return b.intrinsic("sqrt", inexact(b, x))


def fabs(b: Builder, x: Value) -> Value:
    """|x|; the smallest integer stays."""
    if is_float(x):
        return b.intrinsic("fabs", x)
    if x.kind[0] == "u" or x.kind == "i1":
        return x
    return b.select(b.compare("lt", x, 0), negative(b, x), x)


def copysign(b: Builder, x: Value, y: Value) -> Value:
    """|x| with the sign bit of y."""
    return b.intrinsic("copysign", inexact(b, x), inexact(b, y))


def signum(b: Builder, x: Value) -> Value:
    """-1, 0 (also of -0.0) or 1; NaN stays."""
    zero = like(b, x, 0)
    below = b.select(b.compare("lt", x, zero), like(b, x, -1), like(b, x, 0))
    sign = b.select(b.compare("gt", x, zero), like(b, x, 1), below)
    return b.select(isnan(b, x), x, sign) if is_float(x) else sign


def extreme(predicate: str) -> Function:
    """The larger (`gt`) or smaller (`lt`) of two; NaN wins, and of equal ones the second."""

    def apply(b: Builder, x: Value, y: Value) -> Value:
        chosen = b.select(b.compare(predicate, x, y), x, y)
        return b.select(isnan(b, x), x, chosen) if is_float(x) else chosen

    return apply


def numeric_extreme(predicate: str) -> Function:
    """The larger (`gt`) or smaller (`lt`) of two; NaN loses, and of equal ones the second wins."""

    def apply(b: Builder, x: Value, y: Value) -> Value:
        chosen = b.select(b.compare(predicate, x, y), x, y)
        return b.select(isnan(b, y), x, chosen) if is_float(x) else chosen

    return apply


maximum, minimum = extreme("gt"), extreme("lt")
fmax, fmin = numeric_extreme("gt"), numeric_extreme("lt")


def where(b: Builder, mask: Value, x: Value, y: Value) -> Value:
    """x where the mask is true, else y."""
    return b.select(truth(b, mask), x, y)


def clamp(b: Builder, x: Value, low: Value, high: Value) -> Value:
    """x held between two bounds."""
    return minimum(b, maximum(b, x, low), high)


def heaviside(b: Builder, x: Value, y: Value) -> Value:
    """0 below 0, 1 above, y at 0; NaN stays."""
    x, y = inexact(b, x), inexact(b, y)
    zero = like(b, x, 0.0)
    step = b.select(b.compare("gt", x, zero), like(b, x, 1.0), zero)
    return b.select(isnan(b, x), x, b.select(b.compare("eq", x, zero), y, step))


def rounding(name: str, adjust: str | None) -> Function:
    """An LLVM rounding to whole numbers, or the same by sums where it would be a libm call.

    There adding and taking away 2⁵² rounds to the nearest, which `adjust` then corrects by one.
    """

    def apply(b: Builder, x: Value) -> Value:
        if not is_float(x):
            return inexact(b, x) if name == "rint" else x
        if b.has_fma or b.target != "x86_64":
            return b.intrinsic(name, x)
        size, big = fabs(b, x), like(b, x, 2.0 ** MANTISSA[x.kind])
        base = size if adjust == "toward" else x
        whole = copysign(b, b.sub(b.add(size, big), big), base)
        if adjust:
            over = b.compare("lt" if adjust == "up" else "gt", whole, base)
            step = like(b, x, 1.0 if adjust == "up" else -1.0)
            whole = b.select(over, b.add(whole, step), whole)
        return b.select(b.compare("lt", size, big), copysign(b, whole, x), x)

    return apply


floor, ceil = rounding("floor", "down"), rounding("ceil", "up")
trunc, rint = rounding("trunc", "toward"), rounding("rint", None)


def fractional_part(b: Builder, x: Value) -> Value:
    """What is behind the point, with the sign of x; of an infinity 0."""
    x = inexact(b, x)
    rest = b.select(isinf(b, x), like(b, x, 0.0), b.sub(x, trunc(b, x)))
    return copysign(b, rest, x)


def fmod(b: Builder, x: Value, y: Value) -> Value:
    """The remainder of a quotient rounded towards zero, exact."""
    if not is_float(x):
        return integer_division(b, "rem", x, y)
    return b.once("fmod", float_fmod, x, y)


def float_fmod(b: Builder, x: Value, y: Value) -> Value:
    """By one quotient where that has no more digits than the mantissa, else by C's `fmod`.

    The rounded quotient is at most one too large, and x - qy is exact for it and its neighbours.
    """
    a, d = fabs(b, x), fabs(b, y)
    quotient = b.div(a, d)
    q = trunc(b, quotient)
    rest = minus_product(b, a, q, d)
    rest = b.select(b.compare("lt", rest, 0.0), b.add(rest, d), rest)
    rest = b.select(b.compare("lt", a, d), a, rest)  # for infinite d too
    limit = MANTISSA[x.kind] + 1
    easy = b.compare("lt", quotient, 2.0**limit)
    if not b.has_fma:
        # Splitting a product into halves neither overflows nor underflows between these.
        small = 2.0 ** (-960 if x.kind == "f64" else -60)
        normal = b.binary("and", b.compare("gt", d, small), b.compare("lt", a, 1 / small))
        easy = b.binary("and", easy, normal)
    hard = b.binary("xor", easy, 1)
    return b.unlikely(hard, copysign(b, rest, x), lambda: b.each_lane("fmod", x, y))


def minus_product(b: Builder, a: Value, x: Value, y: Value) -> Value:
    """a - xy, rounded once where xy is close to a."""
    if b.has_fma:
        return b.fma(b.neg(x), y, a)
    high, low = two_product(b, x, y)
    return b.sub(b.sub(a, high), low)


def two_product(b: Builder, x: Value, y: Value) -> tuple[Value, Value]:
    """The rounded product and its error: by FMA, or by Dekker (1971) from halves of the digits."""
    high = b.mul(x, y)
    if b.has_fma:
        return high, b.fma(x, y, b.neg(high))
    (xh, xl), (yh, yl) = split(b, x), split(b, y)
    error = b.add(b.sub(b.mul(xh, yh), high), b.mul(xh, yl))
    return high, b.add(b.add(error, b.mul(xl, yh)), b.mul(xl, yl))


def split(b: Builder, x: Value) -> tuple[Value, Value]:
    """x as a sum of two numbers of half the digits each (Veltkamp)."""
    wide = b.mul(x, like(b, x, 2.0 ** (27 if x.kind == "f64" else 12) + 1))
    high = b.sub(wide, b.sub(wide, x))
    return high, b.sub(x, high)


def floor_divide(b: Builder, x: Value, y: Value) -> Value:
    """⌊x/y⌋; integers by zero are 0."""
    if not is_float(x):
        return integer_division(b, "floor", x, y)
    return float_divmod(b, x, y)[0]


def remainder(b: Builder, x: Value, y: Value) -> Value:
    """x - y⌊x/y⌋, with the sign of y; integers by zero are 0."""
    if not is_float(x):
        return integer_division(b, "mod", x, y)
    return float_divmod(b, x, y)[1]


def float_divmod(b: Builder, x: Value, y: Value) -> tuple[Value, Value]:
    """Quotient and remainder as NumPy's `npy_divmod` makes them, from the exact remainder."""
    zero, one = like(b, x, 0.0), like(b, x, 1.0)
    mod = fmod(b, x, y)
    exact = b.compare("eq", mod, zero)
    crossed = b.binary("xor", b.compare("lt", y, zero), b.compare("lt", mod, zero))
    quotient = b.div(b.sub(x, mod), y)
    unequal = b.binary("xor", exact, 1)
    crossed = b.binary("and", crossed, unequal)
    quotient = b.select(crossed, b.sub(quotient, one), quotient)
    whole = floor(b, quotient)
    far = b.compare("gt", b.sub(quotient, whole), like(b, x, 0.5))
    whole = b.select(far, b.add(whole, one), whole)
    plain = b.div(x, y)
    whole = b.select(b.compare("eq", quotient, zero), copysign(b, zero, plain), whole)
    rest = b.select(exact, copysign(b, zero, y), b.select(crossed, b.add(mod, y), mod))
    none = b.compare("eq", y, zero)
    return b.select(none, plain, whole), b.select(none, mod, rest)


def integer_division(b: Builder, result: str, x: Value, y: Value) -> Value:
    """`floor`, `mod` or `rem` of integers; by zero 0, and the smallest by -1 wraps."""
    if x.kind == "i1":
        return integer_division(b, result, cast(b, x, "i8"), cast(b, y, "i8"))
    zero, signed = like(b, x, 0), x.kind[0] == "i"
    none = b.compare("eq", y, zero)
    turned = b.compare("eq", y, -1) if signed else none
    safe = b.select(b.binary("or", none, turned), like(b, x, 1), y)
    letter = "s" if signed else "u"
    q, r = b.binary(f"{letter}div", x, safe), b.binary(f"{letter}rem", x, safe)
    if signed and result != "rem":
        opposite = b.compare("lt", b.binary("xor", r, safe), zero)
        crossed = b.binary("and", b.compare("ne", r, zero), opposite)
        q = b.select(crossed, b.binary("sub", q, 1), q)
        r = b.select(crossed, b.binary("add", r, safe), r)
    if result != "floor":
        return b.select(none, zero, r)
    return b.select(none, zero, b.select(turned, negative(b, x), q) if signed else q)


def comparison(predicate: str) -> Function:
    """A comparison; with NaN all but `ne` are false."""

    def apply(b: Builder, x: Value, y: Value) -> Value:
        return b.compare(predicate, x, y)

    return apply


def of_floats(test: Function, otherwise: bool) -> Function:
    """A predicate of floating-point numbers; of integers it is always `otherwise`."""

    def apply(b: Builder, x: Value) -> Value:
        return test(b, x) if is_float(x) else b.constant(otherwise, "i1")

    return apply


isnan = of_floats(lambda b, x: b.compare("uno", x, x), False)
isinf = of_floats(lambda b, x: b.compare("eq", fabs(b, x), math.inf), False)
isfinite = of_floats(lambda b, x: b.compare("lt", fabs(b, x), math.inf), True)
isposinf = of_floats(lambda b, x: b.compare("eq", x, math.inf), False)
isneginf = of_floats(lambda b, x: b.compare("eq", x, -math.inf), False)


def signbit(b: Builder, x: Value) -> Value:
    """Whether the sign bit is set."""
    bits = b.bits(inexact(b, x))
    return b.compare("lt", bits, 0)


def logical(instruction: str) -> Function:
    """A logical operation of truth values, or of what is not 0."""

    def apply(b: Builder, x: Value, y: Value) -> Value:
        return b.binary(instruction, truth(b, x), truth(b, y))

    return apply


def logical_not(b: Builder, x: Value) -> Value:
    """Whether x is 0."""
    return b.binary("xor", truth(b, x), 1)


def scaled_by(top: float, bottom: float) -> Function:
    """x times a quotient, of two float32 for float32, in floating point."""

    def apply(b: Builder, x: Value) -> Value:
        x = inexact(b, x)
        if x.kind == "f32":
            return b.times(x, round_to_single(top) / round_to_single(bottom))
        return b.times(x, top / bottom)

    return apply


LANES: dict[str, Function] = dict(
    add=add, subtract=subtract, multiply=multiply, divide=divide,
    negative=negative, positive=nothing, behind=nothing, reciprocal=reciprocal, square=square,
    sqrt=sqrt, fabs=fabs, copysign=copysign, signum=signum,
    maximum=maximum, minimum=minimum, fmax=fmax, fmin=fmin, where=where, clamp=clamp,
    heaviside=heaviside, floor=floor, ceil=ceil, trunc=trunc, rint=rint,
    fractional_part=fractional_part, fmod=fmod, remainder=remainder, floor_divide=floor_divide,
    equal=comparison("eq"), not_equal=comparison("ne"),
    less=comparison("lt"), less_equal=comparison("le"),
    greater=comparison("gt"), greater_equal=comparison("ge"),
    isnan=isnan, isinf=isinf, isfinite=isfinite, isposinf=isposinf, isneginf=isneginf,
    signbit=signbit, logical_and=logical("and"), logical_or=logical("or"),
    logical_xor=logical("xor"), logical_not=logical_not,
    deg2rad=scaled_by(math.pi, 180), rad2deg=scaled_by(180, math.pi),
    real=nothing, conj=nothing,
    isreal=lambda b, x: b.constant(True, "i1"), iscomplex=lambda b, x: b.constant(False, "i1"),
)  # fmt: skip


def power(b: Builder, x: Value, exponent: int) -> Value:
    """x to a whole power from -2 to 4, by products."""
    if exponent < 0:
        return power(b, reciprocal(b, x), -exponent)
    if exponent < 2:
        return x if exponent else like(b, x, 1)
    half = square(b, x)
    return half if exponent == 2 else multiply(b, half, x if exponent == 3 else half)


# Reductions


COMBINE: dict[str, Function] = dict(
    sum=add, prod=multiply, max=maximum, min=minimum, any=logical("or"), all=logical("and")
)


def least(kind: str) -> float:
    """The smallest number of a kind."""
    if kind in BITS:
        return -math.inf
    return -(1 << (int(kind[1:]) - 1)) if kind[0] == "i" and kind != "i1" else 0


def greatest(kind: str) -> float:
    """The largest number of a kind."""
    if kind in BITS:
        return math.inf
    return -1 - least(kind) if kind[0] == "i" and kind != "i1" else (1 << int(kind[1:])) - 1


IDENTITY: dict[str, Callable[[str], float]] = dict(
    sum=lambda kind: 0, prod=lambda kind: 1, max=least, min=greatest,
    any=lambda kind: False, all=lambda kind: True,
)  # fmt: skip


def horizontal(b: Builder, name: str, value: Value) -> Value:
    """All lanes of a value combined, as a scalar: halves onto halves, so in one order always.

    The scalar is to be used with builders of one lane, or through `Builder.splat`.
    """
    width, kind = b.lanes, value.kind
    while width > 1:
        if width % 2:
            raise ValueError(f"`horizontal` folds a power of two of lanes; there are {b.lanes}")
        width //= 2
        order = ", ".join(f"i32 {i + width if i < width else 'poison'}" for i in range(b.lanes))
        wide = b.type(kind)
        mask = f"<{b.lanes} x i32> <{order}>"
        upper = b.emit(f"shufflevector {wide} {value.name}, {wide} poison, {mask}", kind)
        value = COMBINE[name](b, value, upper)
    if b.lanes == 1:
        return value
    return b.emit(f"extractelement {b.typed(value)}, i32 0", kind)
