"""python benchmarks/accuracy.py: values and slopes against mpmath, over the whole range of floats.

    python benchmarks/accuracy.py               the page docs/accuracy.md, on standard output
    python benchmarks/accuracy.py --write       into docs/accuracy.md
    python benchmarks/accuracy.py tanh hypot    these, each with its worst points

Each function is taken at points of all magnitudes, of both signs, near 1, and near its kinks, poles
and zeros, as far as its domain goes. The true value is mpmath's. The true slope is a central
difference of it, in so many digits that two steps agree to 24 of them: no rule of ours is written
down twice.
"""

import platform
import sys
import warnings
from collections.abc import Callable
from itertools import product
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import mpmath as mp
import numpy as np
import scipy

import adjoint as ad

PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
ALLOWED = 1e-12
TINY, HUGE = mp.mpf(2) ** -1022, mp.mpf(2) ** 1024 * (1 - mp.mpf(2) ** -54)
INF = float("inf")
EXPONENTS = [-300, -200, -160, -100, -30, -16, -8, -4, -2, -1]
EXPONENTS += [0, *(-e for e in reversed(EXPONENTS))]
STEPS = (0.0, 2.0**-52, 1e-12, 1e-8, 1e-4, 1e-2, 0.3)
PRECISIONS = ((70, 350), (150, 900), (1250, 3600), (70, 3600))


class Subject(NamedTuple):
    """What is measured: a function of ours, the same in mpmath, and where."""

    name: str
    ours: Callable
    true: Callable
    points: list
    vector: bool = False  # one array of all arguments, not an argument each


class Worst(NamedTuple):
    """A relative error, where it is, and what was found and is true there."""

    error: float
    at: tuple
    got: float
    want: float


def line(low=-INF, high=INF, near=(), largest=1e300):
    """Numbers of all magnitudes between `low` and `high`, and close to those in `near`."""
    found = {s * m * 10.0**e for e in EXPONENTS for m in (1.0, 1.7, 2.9) for s in (1, -1)}
    for centre in (1.0, -1.0, *near):
        found |= {centre * (1 + s) for step in STEPS for s in (step, -step)}
    return sorted(x for x in found if low < x < high and 0 < abs(x) <= largest)


def settled(f):
    """f(bits, precision) in so many digits that two steps agree to 24 of them."""
    nonzero = False
    for bits, precision in PRECISIONS:
        with mp.workprec(precision):
            one, two = f(bits), f(bits + 9)
            if one and abs(one - two) <= abs(two) * mp.mpf(10) ** -24:
                return two
            nonzero = nonzero or one or two
    return mp.nan if nonzero else one


def value(true, args):
    """What the function is there."""

    def at(bits):
        with mp.workprec(mp.mp.prec + bits):
            return mp.mpf(true(*map(mp.mpf, args)))

    return settled(at)


def slope(true, args, i):
    """What its derivative is in one argument."""
    x = mp.mpf(args[i])
    size = mp.mpf(2) ** (mp.frexp(x)[1] if x else 0)

    def at(bits):
        h = size * mp.mpf(2) ** -bits
        above, below = (
            [*map(mp.mpf, args[:i]), x + s * h, *map(mp.mpf, args[i + 1 :])] for s in (1, -1)
        )
        return (true(*above) - true(*below)) / (2 * h)

    return settled(at)


def error(got, want, size=TINY):
    """Relative, to `size` at least; 0 where neither is a float."""
    if mp.isnan(want):
        return 0.0 if np.isnan(got) else INF
    if abs(want) > HUGE:
        return 0.0 if np.isinf(got) and np.sign(got) == mp.sign(want) else INF
    if not np.isfinite(got):
        return INF
    return float(abs(mp.mpf(float(got)) - want) / max(abs(want), size))


def measured(subject):
    """The errors of the value and of each slope at each point."""
    points = subject.points
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if subject.vector:
            pairs = [ad.value_and_grad(subject.ours)(np.array(p)) for p in points]
            values, slopes = [v for v, _ in pairs], [g for _, g in pairs]
        else:
            columns = [np.array(c) for c in zip(*points, strict=True)]
            values, pullback = ad.vjp(subject.ours, *columns)
            slopes = list(zip(*pullback(np.ones(len(points))), strict=True))
    found: tuple[list, list] = ([], [])
    for p, y, back in zip(points, values, slopes, strict=True):
        want = value(subject.true, p)
        found[0].append(Worst(error(y, want), p, float(y), want))
        wanted = [slope(subject.true, p, i) for i in range(len(p))]
        size = max([TINY, *(abs(w) for w in wanted if subject.vector and abs(w) < HUGE)])
        for g, want in zip(back, wanted, strict=True):
            found[1].append(Worst(error(g, want, size), p, float(g), want))
    return found


def one(*args, zero=True, **options):
    """Points of a function of one number; 0 too, unless that is a kink or outside the domain."""
    found = line(*args, **options)
    return [(x,) for x in ([*found, 0.0] if zero and found[0] < 0 else found)]


SPREAD = [1e-300, 2.9e-160, 1.7e-20, 1e-3, 1.0, 1.0 + 2.0**-52, 2.9, 700.0, 1.7e20, 2.9e160, 1e300]
SPREAD += [-x for x in SPREAD]


def two(keep=lambda x, y: True):
    """Points of a function of two numbers: pairs of all magnitudes."""
    return [pair for pair in product(SPREAD, SPREAD) if keep(*pair)]


PATTERNS = (1, 2, 4), (1, -1.5, 0.3), (1, 1 + 1e-8, 1 - 1e-8), (1, 1e-8, -1e8)


def vectors(patterns=PATTERNS, largest=1e290):
    """Points of a function of an array: some patterns at all magnitudes."""
    scales = [10.0**e for e in EXPONENTS if 10.0**e <= largest]
    return [tuple(float(s * x) for x in p) for s in scales for p in patterns]


def some(points, most=60):
    """Some of the points, evenly spread: mpmath's special functions take their time."""
    return points[:: max(1, -(-len(points) // most))]


def grid(*axes):
    """All combinations of moderate arguments."""
    return some([*product(*axes)], 150)


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def root(x):
    return mp.sign(x) * mp.cbrt(abs(x))


def moment(*xs):
    centre = sum(xs) / len(xs)
    return sum((x - centre) ** 2 for x in xs) / len(xs)


def norm(ord):
    return lambda *xs: sum(abs(x) ** ord for x in xs) ** (mp.mpf(1) / ord)


def logsumexp(*xs):
    return max(xs) + mp.log(sum(mp.exp(x - max(xs)) for x in xs))


QUARTERS = tuple(np.pi * k / 2 for k in (1, 2, 3, 4, 7, 100, 1e5 + 1))
ONE = {
    "abs": (abs, one(zero=False)),
    "acos": (mp.acos, one(-1, 1)),
    "acosh": (mp.acosh, one(1)),
    "asin": (mp.asin, one(-1, 1)),
    "asinh": (mp.asinh, one()),
    "atan": (mp.atan, one()),
    "atanh": (mp.atanh, one(-1, 1)),
    "cbrt": (root, one(zero=False)),
    "cos": (mp.cos, one(near=QUARTERS)),
    "cosh": (mp.cosh, one()),
    "deg2rad": (lambda x: x * mp.pi / 180, one()),
    "exp": (mp.exp, one(near=(709.78, -708.4, -745.1))),
    "exp2": (lambda x: 2**x, one(near=(1023.9, -1022.0, -1074.0))),
    "expm1": (mp.expm1, one(near=(709.78,))),
    "fabs": (abs, one(zero=False)),
    "log": (mp.log, one(0)),
    "log10": (mp.log10, one(0)),
    "log1p": (mp.log1p, one(-1)),
    "log2": (lambda x: mp.log(x, 2), one(0)),
    "log_sigmoid": (lambda x: -mp.log1p(mp.exp(-x)), one(near=(37.0, 745.0))),
    "negative": (lambda x: -x, one()),
    "positive": (lambda x: x, one()),
    "rad2deg": (lambda x: x * 180 / mp.pi, one()),
    "reciprocal": (lambda x: 1 / x, one(zero=False)),
    "sigmoid": (sigmoid, one(near=(37.0, 745.0))),
    "sign": (mp.sign, one(zero=False)),
    "sin": (mp.sin, one(near=QUARTERS)),
    "sinh": (mp.sinh, one()),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), one(near=(37.0, 745.0))),
    "sqrt": (mp.sqrt, one(0)),
    "square": (lambda x: x * x, one()),
    "tan": (mp.tan, one(near=QUARTERS)),
    "tanh": (mp.tanh, one(near=(19.0, 350.0))),
}
TWO = {
    "add": (lambda x, y: x + y, two()),
    "atan2": (mp.atan2, two(lambda x, y: x != 0)),
    "copysign": (lambda x, y: abs(x) * mp.sign(y), two()),
    "divide": (lambda x, y: x / y, two()),
    "fmax": (max, two(lambda x, y: x != y)),
    "fmin": (min, two(lambda x, y: x != y)),
    "fmod": (
        lambda x, y: x - y * mp.sign(x / y) * mp.floor(abs(x / y)),
        two(lambda x, y: abs(x / y) < 1e15 and x % y),
    ),
    "hypot": (mp.hypot, two()),
    "logaddexp": (lambda x, y: max(x, y) + mp.log1p(mp.exp(-abs(x - y))), two()),
    "logaddexp2": (lambda x, y: max(x, y) + mp.log1p(2 ** -abs(x - y)) / mp.ln2, two()),
    "maximum": (max, two(lambda x, y: x != y)),
    "minimum": (min, two(lambda x, y: x != y)),
    "multiply": (lambda x, y: x * y, two()),
    "pow": (mp.power, two(lambda x, y: x > 0)),
    "remainder": (
        lambda x, y: x - y * mp.floor(x / y),
        two(lambda x, y: abs(x / y) < 1e15 and x % y),
    ),
    "subtract": (lambda x, y: x - y, two()),
    "xlogy": (lambda x, y: x * mp.log(y), two(lambda x, y: y > 0)),
}
VECTOR = {
    "cumprod": (lambda x: ad.cumprod(x)[2], lambda x, y, z: x * y * z, vectors()),
    "cumsum": (lambda x: ad.cumsum(x)[1], lambda x, y, z: x + y, vectors()),
    "dot": (lambda x: ad.dot(x[:2], x[1:]), lambda x, y, z: x * y + y * z, vectors(largest=1e130)),
    "log_softmax": (
        lambda x: ad.log_softmax(x)[0],
        lambda *xs: -mp.log1p(sum(mp.exp(x - xs[0]) for x in xs[1:])),
        vectors(),
    ),
    "logsumexp": (ad.logsumexp, logsumexp, vectors()),
    "max": (ad.max, max, vectors()),
    "mean": (ad.mean, lambda *xs: sum(xs) / len(xs), vectors()),
    "min": (ad.min, min, vectors()),
    "norm": (ad.norm, norm(2), vectors()),
    "norm, ord=1": (lambda x: ad.norm(x, 1), norm(1), vectors()),
    "norm, ord=3": (lambda x: ad.norm(x, 3), norm(3), vectors()),
    "prod": (ad.prod, lambda x, y, z: x * y * z, vectors()),
    "softmax": (
        lambda x: ad.softmax(x)[0],
        lambda *xs: 1 / (1 + sum(mp.exp(x - xs[0]) for x in xs[1:])),
        vectors(),
    ),
    "std": (ad.std, lambda *xs: mp.sqrt(moment(*xs)), vectors()),
    "sum": (ad.sum, lambda *xs: sum(xs), vectors()),
    "var": (ad.var, moment, vectors()),
}


def ncdf_log(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)


def log_gamma(x):
    return mp.log(abs(mp.gamma(x)))


def kl(x, y):
    return x * mp.log(x / y) - x + y


def moderate(low=-INF, high=INF, near=(), largest=100.0, zero=True):
    return some(one(low, high, near, largest, zero=zero))


POSITIVE = (0.03, 0.5, 1.0, 2.3, 7.0, 40.0)
UNIT = (1e-8, 0.01, 0.3, 0.5, 0.9, 0.9999)
SPECIAL = {
    "agm": (mp.agm, grid((1e-100, 1e-5, 0.5, 1.0, 3.0, 1e20), (1e-90, 0.7, 2.0, 1e10))),
    "beta": (mp.beta, grid(POSITIVE, POSITIVE)),
    "betainc": (
        lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True),
        grid(POSITIVE[1:5], POSITIVE[1:5], UNIT[1:5]),
    ),
    "betaln": (lambda a, b: mp.log(mp.beta(a, b)), grid(POSITIVE, POSITIVE)),
    "cosm1": (lambda x: mp.cos(x) - 1, moderate()),
    "dawsn": (lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), moderate()),
    "digamma": (lambda x: mp.psi(0, x), [*moderate(0.0), (-0.3,), (-7.6,)]),
    "ellipe": (mp.ellipe, moderate(high=1.0)),
    "ellipk": (mp.ellipk, moderate(high=1.0)),
    "ellipkm1": (lambda p: mp.ellipk(1 - p), moderate(0.0, zero=False)),
    "entr": (lambda x: -x * mp.log(x), moderate(0.0, largest=1e300)),
    "erf": (mp.erf, moderate(largest=1e300)),
    "erfc": (mp.erfc, moderate(near=(26.0,))),
    "erfcinv": (lambda x: mp.erfinv(1 - x), moderate(1e-20, 1.9)),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), moderate(-26.0)),
    "erfi": (mp.erfi, moderate(largest=26.0)),
    "erfinv": (mp.erfinv, moderate(-1.0, 1.0)),
    "exp1": (mp.e1, moderate(0.0, 700.0)),
    "exp10": (lambda x: mp.power(10, x), moderate(-300.0, 300.0, largest=300.0)),
    "expi": (mp.ei, moderate(largest=700.0, zero=False)),
    "expit": (sigmoid, moderate(near=(37.0,), largest=700.0)),
    "gamma": (mp.gamma, moderate(0.0, 171.0, largest=170.0)),
    "gammainc": (
        lambda a, x: mp.gammainc(a, 0, x, regularized=True),
        grid(POSITIVE, (0.01, 0.5, 1.0, 3.0, 20.0, 60.0)),
    ),
    "gammaincc": (
        lambda a, x: mp.gammainc(a, x, regularized=True),
        grid(POSITIVE, (0.01, 0.5, 1.0, 3.0, 20.0, 60.0)),
    ),
    "gammaln": (log_gamma, moderate(0.0, largest=1e300)),
    "i0": (lambda x: mp.besseli(0, x), moderate()),
    "i0e": (lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), moderate(zero=False)),
    "i1": (lambda x: mp.besseli(1, x), moderate()),
    "j0": (lambda x: mp.besselj(0, x), moderate()),
    "j1": (lambda x: mp.besselj(1, x), moderate()),
    "k0": (lambda x: mp.besselk(0, x), moderate(0.0)),
    "k0e": (lambda x: mp.exp(x) * mp.besselk(0, x), moderate(0.0)),
    "k1": (lambda x: mp.besselk(1, x), moderate(0.0)),
    "kl_div": (kl, grid(POSITIVE, (0.1, 0.9, 12.0, 50.0))),
    "log_expit": (lambda x: -mp.log1p(mp.exp(-x)), moderate(near=(37.0,), largest=700.0)),
    "log_ndtr": (ncdf_log, moderate()),
    "logit": (lambda x: mp.log(x / (1 - x)), moderate(0.0, 1.0)),
    "ndtr": (mp.ncdf, moderate(near=(37.0,))),
    "ndtri": (lambda x: mp.sqrt(2) * mp.erfinv(2 * x - 1), moderate(1e-20, 1.0)),
    "owens_t": (
        lambda h, a: mp.quad(
            lambda x: mp.exp(-h * h * (1 + x * x) / 2) / (1 + x * x) / (2 * mp.pi), [0, a]
        ),
        grid((0.01, 0.5, 2.0), (0.1, 1.0, 3.0)),
    ),
    "poch": (mp.rf, grid(POSITIVE[1:], POSITIVE[1:])),
    "pseudo_huber": (
        lambda delta, r: delta**2 * (mp.sqrt(1 + (r / delta) ** 2) - 1),
        grid(POSITIVE, (1e-8, 0.1, 1.0, 30.0)),
    ),
    "rel_entr": (lambda x, y: x * mp.log(x / y), grid(POSITIVE, POSITIVE)),
    "rgamma": (mp.rgamma, moderate(0.0, largest=170.0)),
    "sindg": (lambda x: mp.sin(x * mp.pi / 180), moderate(largest=179.0)),
    "spence": (lambda x: mp.re(mp.polylog(2, 1 - x)), moderate(0.0)),
    "xlog1py": (lambda x, y: x * mp.log1p(y), grid(POSITIVE, (1e-20, 1e-3, 0.5, 30.0))),
    "y0": (lambda x: mp.bessely(0, x), moderate(0.0)),
    "y1": (lambda x: mp.bessely(1, x), moderate(0.0)),
    "zeta": (mp.zeta, moderate(1.0)),
}
OTHERS = {
    "special.boxcox": (
        ad.special.boxcox, lambda x, p: (x**p - 1) / p, grid(POSITIVE, (-3.0, 1e-3, 0.5, 2.0)),
    ),
    "special.eval_hermite": (
        lambda x: ad.special.eval_hermite(7, x), lambda x: mp.hermite(7, x), moderate(),
    ),
    "special.eval_legendre": (
        lambda x: ad.special.eval_legendre(6, x), lambda x: mp.legendre(6, x),
        moderate(-1.0, 1.0, zero=False),
    ),
    "special.expn": (
        lambda x: ad.special.expn(2, x), lambda x: mp.exp(-x) - x * mp.e1(x), moderate(0.0),
    ),
    "special.exprel": (ad.special.exprel, lambda x: mp.expm1(x) / x, moderate(zero=False)),
    "special.iv": (lambda x: ad.special.iv(1.5, x), lambda x: mp.besseli(1.5, x), moderate(0.0)),
    "special.kv": (lambda x: ad.special.kv(1.5, x), lambda x: mp.besselk(1.5, x), moderate(0.0)),
    "special.loggamma": (ad.special.loggamma, mp.loggamma, moderate(0.0)),
    "special.stdtr": (
        lambda t: ad.special.stdtr(3.0, t),
        lambda t: mp.mpf(1) / 2
        + (mp.sqrt(3) * t / (t * t + 3) + mp.atan(t / mp.sqrt(3))) / mp.pi,
        moderate(),
    ),
    "special.struve": (
        lambda x: ad.special.struve(1, x), lambda x: mp.struveh(1, x), moderate(0.0),
    ),
    "special.airy": (lambda x: ad.special.airy(x)[0], mp.airyai, moderate()),
    "special.ellipkinc": (
        ad.special.ellipkinc, mp.ellipf, grid((0.1, 0.7, 1.5), (-2.0, 0.1, 0.5, 0.99)),
    ),
    "special.fresnel": (
        lambda x: ad.special.fresnel(x)[0], mp.fresnels, moderate(zero=False, largest=9.0),
    ),
    "special.hyp2f1": (
        lambda z: ad.special.hyp2f1(0.5, 1.5, 2.5, z),
        lambda z: mp.hyp2f1(0.5, 1.5, 2.5, z),
        moderate(-30.0, 0.99),
    ),
    "special.jv": (
        lambda x: ad.special.jv(2.5, x), lambda x: mp.besselj(2.5, x), moderate(0.0),
    ),
    "special.polygamma": (
        lambda x: ad.special.polygamma(2, x), lambda x: mp.psi(2, x), moderate(0.0),
    ),
    "special.sici": (lambda x: ad.special.sici(x)[0], mp.si, moderate()),
}  # fmt: skip

# What has an error above ALLOWED, and why.
REASONS = {
    "exp2": "above 1024, where the value has overflowed, so has the slope",
    "log_softmax": "where one has all: 1 - y, rounded to the size of 1",
    "logaddexp2": "NumPy's value, near a zero",
    "sigmoid": "y(1 - y): rounded to the size of 1",
    "softmax": "as `log_softmax`",
    "special.expit": "as `sigmoid`",
    "special.gammainc": "in a, where the value is 1e-124",
    "special.gammaincc": "as `gammainc`",
    "special.gammaln": "SciPy's value, near its zeros 1 and 2",
    "special.iv": "SciPy's value vanishes below 1e-150",
    "special.loggamma": "as `gammaln`",
    "std": "the difference of elements that agree to eight digits",
    "tanh": "1 - y²: rounded to the size of 1",
    "var": "the difference of elements that agree to eight digits",
}
# Elementwise ops of the main namespace that are not measured: they choose, or scale exactly.
EXACT = {"behind", "clamp", "fractional_part", "ldexp", "to_complex", "where"}
HEAD = f"""# Accuracy

How far values and slopes are from the truth. `python benchmarks/accuracy.py --write` writes this
page. Here the machine was {{machine}};
another has other last digits.

Each function is taken at points of all magnitudes from 1e-300 to 1e300 (special functions: to 100,
or as far as they go), of both signs, near 1, and near kinks, poles and zeros. The true value is
mpmath's; the true slope a central difference of it, in so many digits that two steps agree to 24 of
them. An error is relative to what is true, and to 2.2e-308 at least; of an array relative to its
largest slope. So a needless overflow counts as inf, a needless zero as 1; a result outside the
range of floats may be either. Where an error is above {ALLOWED}, it says why.

| function | points | value | slope | worst at | |
| --- | --: | --: | --: | --- | --- |
"""


def subjects():
    """All that is measured."""
    for table, room in ((ONE, ""), (TWO, ""), (SPECIAL, "special.")):
        for name, (true, points) in table.items():
            yield Subject(room + name, attrgetter(room + name)(ad), true, points)
    for name, (ours, true, points) in VECTOR.items():
        yield Subject(name, ours, true, points, True)
    for name, (ours, true, points) in OTHERS.items():
        yield Subject(name, ours, true, points)


def row(subject):
    """A line of the page, and whether it needs a reason that it has not."""
    values, slopes = (max(found) for found in measured(subject))
    worst = max(values, slopes)
    at = ", ".join(map(shortest, worst.at)) if worst.error > 1e-13 else ""
    why = REASONS.get(subject.name, "")
    errors = [f"{w.error:.0e}" if w.error else "0" for w in (values, slopes)]
    cells = [f"`{subject.name}`", str(len(subject.points)), *errors, at, why]
    return f"| {' | '.join(cells)} |\n", (worst.error > ALLOWED) != bool(why)


def shortest(x):
    """A number in six digits where those are all, else in all of them."""
    return f"{x:.6g}" if float(f"{x:.6g}") == x else repr(float(x))


def in_order():
    """All that is measured, in the order of the page."""
    return sorted(subjects(), key=lambda s: (s.name.startswith("special"), s.name))


def main(arguments):
    names = [a for a in arguments if not a.startswith("--")]
    if names:
        for subject in (s for s in subjects() if s.name in names):
            for kind, found in zip(("value", "slope"), measured(subject), strict=True):
                for w in sorted(found, reverse=True)[:8]:
                    print(f"{subject.name} {kind} at {w.at}: {w.got!r}, not {mp.nstr(w.want, 17)}")
        return 0
    machine = f"{platform.machine()}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    lines = [row(s) for s in in_order()]
    text = HEAD.format(machine=machine) + "".join(line for line, _ in lines)
    if "--write" in arguments:
        PAGE.write_text(text, "utf-8")
    else:
        print(text, end="")
    bad = [line for line, unexplained in lines if unexplained]
    for line in bad:
        print(f"needs a reason, or has one without need: {line}", end="", file=sys.stderr)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
