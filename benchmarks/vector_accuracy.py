"""python benchmarks/vector_accuracy.py: the vector math against the truth, over all its range.

    python benchmarks/vector_accuracy.py               the page, on standard output
    python benchmarks/vector_accuracy.py --write       into docs/vector_math.md
    python benchmarks/vector_accuracy.py tanh pow      the lines of these

Errors are in units of the last place of the true value, whose distance is that of two neighbouring
floats, in the denormal range too; a result that overflows counts as 2¹⁰²⁴ (2¹²⁸). The truth of
float64 is computed in long double of 64 bits, that of float32 in float64, and erf, erfc and ln Γ in
40 digits by mpmath. Points: floats of random bits, float32 of one argument in steps of 257 through
all 2³², and random ones in the ranges where a function bends. Speed is that of 8192 elements in
cache, one thread, as NumPy's (or SciPy's) time divided by ours.
"""

import ctypes
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import mpmath as mp
import numpy as np
import scipy.special
from compiler.vectors import DTYPES, mapped

from adjoint.compiler.vector_math import VECTOR_MATH

PAGE = Path(__file__).parents[1] / "docs" / "vector_math.md"
LONG = np.longdouble
STRIDE = 257
BINARY = frozenset(("pow", "atan2", "hypot", "logaddexp", "logaddexp2", "xlogy"))


def by_digits(function: Callable) -> Callable:
    """A function of mpmath for arrays, as long doubles."""

    def apply(x):
        return np.array([rounded(function, v) for v in x.astype(float)], LONG)

    return apply


def rounded(function: Callable, v: float) -> np.longdouble:
    """Its value at v in long double, by way of two doubles."""
    if not np.isfinite(v):
        return LONG(np.nan)
    with mp.workdps(40):
        value = function(mp.mpf(v))
        high = float(value)
        return LONG(high) + LONG(float(value - high)) if np.isfinite(high) else LONG(high)


def log_gamma(v):
    """ln Γ of a positive number."""
    return mp.loggamma(v) if v > 0 else mp.nan


def complement(v):
    """erfc; beyond 40 it is less than any float, or 2."""
    return mp.erfc(min(max(v, -40), 40))


def ramp(x):
    """ln(1 + eˣ)."""
    return np.logaddexp(x, np.zeros_like(x))


def logistic(x):
    """1/(1 + e⁻ˣ), exact to the end of both tails."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def weighted_log(x, y):
    """x ln y, and 0 where x = 0."""
    return x * np.log(np.where((x == 0) & ~np.isnan(y), 1, y))


REFERENCES: dict[str, Callable] = dict(
    exp=np.exp, exp2=np.exp2, expm1=np.expm1, log=np.log, log2=np.log2, log10=np.log10,
    log1p=np.log1p, sin=np.sin, cos=np.cos, tan=np.tan, asin=np.arcsin, acos=np.arccos,
    atan=np.arctan, sinh=np.sinh, cosh=np.cosh, tanh=np.tanh, asinh=np.arcsinh, acosh=np.arccosh,
    atanh=np.arctanh, cbrt=np.cbrt, sigmoid=logistic, softplus=ramp,
    log_sigmoid=lambda x: -ramp(-x), erf=by_digits(mp.erf), erfc=by_digits(complement),
    gammaln=by_digits(log_gamma), pow=np.power, atan2=np.arctan2,
    hypot=np.hypot, logaddexp=np.logaddexp, logaddexp2=np.logaddexp2, xlogy=weighted_log,
)  # fmt: skip
SLOW = dict(erf=scipy.special.erf, erfc=scipy.special.erfc, gammaln=scipy.special.gammaln)

USUAL = ((-1e-3, 1e-3), (-0.1, 0.1), (-1, 1), (-3, 3), (-30, 30), (-800, 800), (-1e6, 1e6))
POSITIVE = ((0, 0.5), (0.5, 2), (0.999, 1.001), (0, 10), (0, 1e6))
# Where a function bends; for two arguments a range for each.
RANGES: dict[str, tuple] = dict.fromkeys(REFERENCES, USUAL) | dict(
    exp=(*USUAL, (-745.2, -700), (-104, -86), (88, 89), (709, 710)),
    exp2=(*USUAL, (-1075, -1020), (-150, -125)),
    sigmoid=(*USUAL, (-745.2, -700), (-104, -86)),
    log=POSITIVE, log2=POSITIVE, log10=POSITIVE,
    acosh=((1, 1.001), (1, 2), (1, 100), (1, 1e9)),
    asin=((-1, 1), (-0.51, 0.51), (0.99, 1)), acos=((-1, 1), (-0.51, 0.51), (0.99, 1)),
    atanh=((-1, 1), (-0.1, 0.1), (0.99, 1)),
    erf=((-1.1, 1.1), (-6, 6), (0.9, 1.1)),
    erfc=((-1, 1), (0.4, 0.6), (0, 6), (-6, 27.3), (9, 10.1)),
    gammaln=((0, 0.5), (0.5, 1.5), (0.99, 1.01), (1.3, 1.6), (1.5, 2.6), (1.99, 2.01), (2, 9),
             (7.9, 8.1), (8, 100), (0, 1e6)),
    pow=(((0, 4), (-30, 30)), ((0.99, 1.01), (-7e4, 7e4)), ((0, 1e30), (-10, 10)),
         ((0, 1e-30), (-10, 10))),
    atan2=(((-1, 1), (-1, 1)), ((-1, 1), (-1e3, 1e3)), ((-1e3, 1e3), (-1, 1))),
    hypot=(((-1, 1), (-1, 1)), ((-1, 1), (-1e3, 1e3))),
    logaddexp=(((0, 1), (0, 2)), ((-100, 100), (-100, 100)), ((-3, 3), (-3, 3))),
    logaddexp2=(((0, 1), (0, 2)), ((-100, 100), (-100, 100)), ((-3, 3), (-3, 3))),
    xlogy=(((-1, 1), (0, 3)), ((-1e9, 1e9), (0.5, 2))),
)  # fmt: skip
EDGES = (0.0, 0.5, 1.0, 2.0, 3.0, np.inf, np.nan)


class Worst(NamedTuple):
    """The greatest error in units of the last place, where and what it is, and the mean."""

    error: float
    at: tuple
    got: float
    want: float
    mean: float


def points(name: str, dtype: np.dtype, count: int) -> list:
    """Arguments of a function: an array for each of them."""
    random = np.random.default_rng(0)
    arity = 2 if name in BINARY else 1
    bits = np.dtype(f"i{dtype.itemsize}")
    ends = np.iinfo(bits)
    sets = [[random.integers(ends.min, ends.max, 2 * count, bits, endpoint=True).view(dtype)
             for _ in range(arity)]]  # fmt: skip
    for bounds in RANGES[name]:
        pairs = bounds if arity == 2 else (bounds,)
        sets.append([random.uniform(low, high, count).astype(dtype) for low, high in pairs])
    info = np.finfo(dtype)
    edges = np.array([*EDGES, info.max, info.tiny, info.smallest_subnormal], dtype)
    edges = np.concatenate([edges, -edges])
    sets.append([a.ravel() for a in np.meshgrid(*[edges] * arity)])
    return [np.concatenate(column) for column in zip(*sets, strict=True)]


def errors(name: str, got: np.ndarray, want: np.ndarray, arguments: list) -> np.ndarray:
    """The distance in units of the last place; infinite where one of the two is NaN.

    A sum that may cancel is measured by the place of its larger argument, where that is higher.
    """
    dtype = got.dtype
    info = np.finfo(dtype)
    beyond = np.ldexp(LONG(1), int(info.maxexp))
    size = np.abs(want)
    if name.startswith("logaddexp"):
        size = np.maximum(size, np.max(np.abs(arguments), axis=0))
    place = np.spacing(np.fmin(size.astype(dtype), info.max)).astype(LONG)
    near, true = [np.clip(a.astype(LONG), -beyond, beyond) for a in (got, want)]
    off = np.abs(near - true) / place
    off[np.isnan(got) & np.isnan(want)] = 0
    off[np.isnan(got) != np.isnan(want)] = np.inf
    return off


def measure(name: str, function: Callable, dtype: np.dtype, count: int) -> Worst:
    """The error of a compiled function over its points."""
    reference = REFERENCES[name]
    if dtype == np.float32 and name in SLOW:
        reference = SLOW[name]
    elif name in SLOW:
        count = min(count, 2000)
    sets = [points(name, dtype, count)]
    if dtype == np.float32 and name not in BINARY and count > 1e5:
        sets = [sets[0], *[[block] for block in all_singles()]]
    worst, total, size = None, LONG(0), 0
    with np.errstate(all="ignore"):
        for arguments in sets:
            if name == "gammaln":
                arguments = [arguments[0][~(arguments[0] < 0)]]  # those are left to libm
            if not arguments[0].size:
                continue
            got = function(*arguments)
            wide = np.float64 if dtype == np.float32 else LONG
            want = np.asarray(reference(*[a.astype(wide) for a in arguments]), LONG)
            if name == "gammaln":
                want[arguments[0] == np.inf] = want[arguments[0] == 0] = np.inf
            if name in ("erf", "erfc"):
                ends = np.isinf(arguments[0])
                want[ends] = SLOW[name](arguments[0][ends])
            off = errors(name, got, want, arguments)
            total, size = total + off.sum(), size + off.size
            k = int(np.argmax(off))
            if worst is None or off[k] > worst[0]:
                worst = float(off[k]), tuple(float(a[k]) for a in arguments), got[k], want[k]
    return Worst(*worst, float(total / size))


def all_singles():
    """Every 257th float32, in blocks."""
    for start in range(0, 2**32, 2**28):
        yield np.arange(start, start + 2**28, STRIDE, dtype=np.uint32).view(np.float32)


OTHER_NAMES = dict(
    pow=np.power, atan2=np.arctan2, asin=np.arcsin, acos=np.arccos, atan=np.arctan,
    asinh=np.arcsinh, acosh=np.arccosh, atanh=np.arctanh, sigmoid=scipy.special.expit,
    log_sigmoid=scipy.special.log_expit, softplus=lambda x: np.logaddexp(x, 0),
)  # fmt: skip


def speed(name: str, kind: str) -> float:
    """The time of NumPy or SciPy for 8192 elements, divided by ours; the least of many runs."""
    arity = 2 if name in BINARY else 1
    low, high = RANGES[name][2 if arity == 1 else 0][0:2] if arity == 1 else (0.1, 2.0)
    random = np.random.default_rng(0)
    arrays = [random.uniform(low, high, 8192).astype(DTYPES[kind]) for _ in range(arity)]
    lanes = 8 if kind == "f64" else 16
    function, out = mapped(VECTOR_MATH[name], (kind,) * arity, lanes), np.empty_like(arrays[0])
    entry = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (arity + 1), ctypes.c_int64)
    run = entry(function.engine.get_function_address("run"))
    pointers = [a.ctypes.data for a in arrays]
    peer = OTHER_NAMES.get(name) or getattr(np, name, None) or getattr(scipy.special, name)
    ours = least_time(lambda: run(*pointers, out.ctypes.data, out.size))
    return least_time(lambda: peer(*arrays)) / ours


def least_time(call: Callable) -> float:
    """The least time of a call, in seconds."""
    best = np.inf
    for _ in range(200):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def row(name: str) -> str:
    """A line of the table."""
    cells = []
    for kind, lanes in (("f64", 8), ("f32", 16)):
        kinds = (kind,) * (2 if name in BINARY else 1)
        found = [
            measure(name, mapped(VECTOR_MATH[name], kinds, lanes, fma), DTYPES[kind], 200_000)
            for fma in (True, False)
        ]
        at = ", ".join(f"{v:.6g}" for v in found[0].at)
        cells += [f"{found[0].error:.2f}", f"{found[0].mean:.2f}", at, f"{found[1].error:.2f}",
                  f"{speed(name, kind):.1f}"]  # fmt: skip
    return f"| `{name}` | " + " | ".join(cells) + " |"


HEAD = """# The vector math of `ad.compile`

The functions that compiled programs compute themselves, in vectors of several elements, and how far
from the truth they are. `python benchmarks/vector_accuracy.py --write` writes this page and says
how it measures; the code is `src/adjoint/compiler/vector_math.py`.

Errors are in units of the last place (ulp): the greatest over all points, the mean, and where the
greatest is; "plain" is the greatest on machines without fused multiply-add. The bound that the
tests hold is 2.5. "Speed" is how many times faster than NumPy's or SciPy's own function, on one
thread: {machine}.

- Inputs and results may be denormal; infinities, NaN and signed zeros are as NumPy's. What a lane
  holds does not depend on the other lanes.
- `sin`, `cos` and `tan` reduce arguments up to 2⁴⁰ themselves (float32: 2¹⁷; without fused
  multiply-add 2²⁰); larger ones go, element by element, to the C library's double function.
- `gammaln` of negative numbers goes there too, and the table is of positive ones; next to its
  negative zeros the relative error is that library's.
- `logaddexp` and `logaddexp2` may cancel: near a sum of 0 the error is of the place of the larger
  argument, as NumPy's is, and so it is measured.
- Everything else that has no line here is computed by NumPy or SciPy in compiled programs too,
  but for arithmetic, comparisons and roundings, which have NumPy's bits.

| function | float64 max | mean | at | plain | speed | float32 max | mean | at | plain | speed |
|:---|---:|---:|:---|---:|---:|---:|---:|:---|---:|---:|
"""


def machine() -> str:
    """What the speed depends on."""
    wide = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    own = (
        ", with vector functions of its own for AVX-512"
        if {"X86_V4", "AVX512_SKX"} & set(wide)
        else ""
    )
    return f"{platform.machine()}, NumPy {np.__version__}{own}"


def main() -> None:
    names = [a for a in sys.argv[1:] if not a.startswith("-")] or list(VECTOR_MATH)
    rows = "".join(f"{row(name)}\n" for name in names)
    text = HEAD.format(machine=machine()) + rows
    if "--write" in sys.argv:
        PAGE.write_text(text, "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
