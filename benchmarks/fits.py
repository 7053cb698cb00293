"""Fit the polynomials of the vector math: `python benchmarks/fits.py --write`.

Each polynomial is minimax: by the exchange of Remez (1934) in 100 digits it makes the greatest
weighted error the least possible, the weight being such that the error is that of the function it
serves, relative to its value. Its coefficients, then rounded to double precision, are written to
src/adjoint/compiler/coefficients.py; float32 code rounds them once more. Without `--write` the
errors are printed, in bits.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp

TARGET = Path(__file__).parents[1] / "src" / "adjoint" / "compile" / "coefficients.py"
mp.mp.dps = 100

LN2, LN10, HALF = mp.log(2), mp.log(10), mp.mpf("0.5")
ROOM = mp.mpf("1.001")  # intervals are a little wider than rounding lets arguments be


class Fit(NamedTuple):
    """`function` on an interval, to a degree in float64 and to one in float32, or None."""

    function: Callable[[Any], Any]
    weight: Callable[[Any], Any]
    low: Any
    high: Any
    double: int | None
    single: int | None = None


def evaluated(coefficients: list[Any], x: Any) -> Any:
    """The polynomial with these coefficients, constant first, at x."""
    value = mp.mpf(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def series(term: Callable[[int], Any], count: int = 160) -> Callable[[Any], Any]:
    """Σ term(k) zᵏ: where the closed form cancels."""
    coefficients = [mp.mpf(1) * term(k) for k in range(count)]
    return lambda z: evaluated(coefficients, z)


def erfcx_part(centre: int) -> Callable[[Any], Any]:
    """The function (1 + 2x) eˣˣ erfc x of the q with x = centre·(1 + q)/(1 - q)."""

    def part(q: Any) -> Any:
        x = centre * (1 + q) / (1 - q)
        return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)

    return part


def position(x: Any, centre: int) -> Any:
    """The q of `erfcx_part` at x."""
    return (mp.mpf(x) - centre) / (mp.mpf(x) + centre)


def stirling(z: Any) -> Any:
    """x(ln Γ(x) - (x - ½) ln x + x - ½ ln 2π) at z = 1/x²."""
    if z < mp.mpf(10) ** -12:
        return mp.mpf(1) / 12 - z / 360
    x = 1 / mp.sqrt(z)
    return x * (mp.loggamma(x) - (x - HALF) * mp.log(x) + x - mp.log(2 * mp.pi) / 2)


def near_two(e: Any) -> Any:
    """(ln Γ(2 + e)/e - (1 - γ))/e."""
    if abs(e) < mp.mpf(10) ** -30:
        return (mp.zeta(2) - 1) / 2
    return (mp.loggamma(2 + e) / e - (1 - mp.euler)) / e


QUARTER, OCTANT = mp.pi / 4 * ROOM, mp.tan(mp.pi / 8) * ROOM
BEND = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1) * ROOM) ** 2

FITS = dict(
    exp=Fit(series(lambda k: 1 / mp.factorial(k + 2)), lambda r: r * r,
            -LN2 / 2 * ROOM, LN2 / 2 * ROOM, 9, 4),
    expm1=Fit(series(lambda k: 1 / mp.factorial(k + 2)), abs,
              -LN2 / 2 * ROOM, LN2 / 2 * ROOM, 10, 5),
    exp2=Fit(series(lambda k: LN2 ** (k + 2) / mp.factorial(k + 2)), lambda r: r * r,
             -HALF * ROOM, HALF * ROOM, 9, 4),
    log=Fit(series(lambda k: mp.mpf(2) / (2 * k + 3)), lambda z: z, 0, BEND, 6, 2),
    # atanh s = s + s³/3 + s⁵·(this), for the logarithm in two doubles
    log_tail=Fit(series(lambda k: mp.mpf(1) / (2 * k + 5)), lambda z: z * z, 0, BEND, 7),
    sin=Fit(series(lambda k: (-1) ** (k + 1) / mp.factorial(2 * k + 3)), lambda z: z,
            0, QUARTER**2, 5, 2),
    cos=Fit(series(lambda k: (-1) ** k / mp.factorial(2 * k + 4)), lambda z: z * z,
            0, QUARTER**2, 5, 2),
    atan=Fit(series(lambda k: mp.mpf((-1) ** (k + 1)) / (2 * k + 3)), lambda z: z,
             0, OCTANT**2, 10, 4),
    asin=Fit(series(lambda k: mp.binomial(2 * k + 2, k + 1) / mp.mpf(4) ** (k + 1) / (2 * k + 3)),
             lambda z: z, 0, HALF**2 * ROOM, 12, 4),
    erf=Fit(series(lambda k: 2 / mp.sqrt(mp.pi) * (-1) ** k / mp.factorial(k) / (2 * k + 1)
                   - (k == 0)), lambda z: 1, 0, ROOM, 11, 6),
    erfcx=Fit(erfcx_part(4), lambda q: 1, position(0.49, 4), position(28, 4), 22),
    erfcx_single=Fit(erfcx_part(2), lambda q: 1, position(0.49, 2), position(11, 2), None, 10),
    gammaln=Fit(near_two, abs, -HALF * ROOM, HALF * ROOM, 18),
    stirling=Fit(stirling, lambda z: 1, 0, ROOM / 64, 6),
    cbrt=Fit(lambda m: m ** (mp.mpf(1) / 3), lambda m: m ** (-mp.mpf(1) / 3),
             mp.mpf("0.35"), mp.mpf("2.84"), 5, 5),
)  # fmt: skip


def remez(fit: Fit, degree: int, rounds: int = 12) -> tuple[list[Any], Any]:
    """The minimax polynomial's coefficients, constant first, and its greatest weighted error."""
    low, high, count = mp.mpf(fit.low), mp.mpf(fit.high), degree + 2
    half, middle = (high - low) / 2, (high + low) / 2
    grid = [middle - half * mp.cos(mp.pi * i / (24 * count)) for i in range(24 * count + 1)]
    grid = [x for x in grid if fit.weight(x) > mp.mpf(10) ** -20]
    values, weights = [fit.function(x) for x in grid], [fit.weight(x) for x in grid]
    chosen = [round(k * (len(grid) - 1) / (count - 1)) for k in range(count)]
    for _ in range(rounds):
        rows = [[((grid[i] - middle) / half) ** j for j in range(degree + 1)]
                + [(-1) ** k / weights[i]] for k, i in enumerate(chosen)]  # fmt: skip
        solution = mp.lu_solve(mp.matrix(rows), mp.matrix([values[i] for i in chosen]))
        scaled = list(solution)[: degree + 1]
        error = [
            w * (v - evaluated(scaled, (x - middle) / half))
            for x, v, w in zip(grid, values, weights, strict=True)
        ]
        chosen = exchanged(error, count)
        if max(map(abs, error)) < abs(solution[degree + 1]) * mp.mpf("1.001"):
            break
    return shifted(scaled, middle, half), max(map(abs, error))


def exchanged(error: list[Any], count: int) -> list[int]:
    """Where the error is greatest in each run of one sign; the `count` runs that matter most."""
    peaks: list[int] = []
    for i, e in enumerate(error):
        if peaks and (e > 0) == (error[peaks[-1]] > 0):
            if abs(e) > abs(error[peaks[-1]]):
                peaks[-1] = i
        elif e:
            peaks.append(i)
    while len(peaks) > count:
        peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
    if len(peaks) < count:
        raise ArithmeticError(f"the error has {len(peaks)} alternating peaks, not {count}")
    return peaks


def shifted(scaled: list[Any], middle: Any, half: Any) -> list[Any]:
    """The coefficients in x of a polynomial in (x - middle)/half."""
    out = [mp.mpf(0)]
    for c in reversed(scaled):
        turned = [mp.mpf(0), *[a / half for a in out]]
        out = [t - middle / half * a for t, a in zip(turned, [*out, 0], strict=True)]
        out[0] += c
    return out[: len(scaled)]


def parts(value: Any, bits: list[int]) -> list[float]:
    """A number as a sum of floats that have so many bits each."""
    out = []
    for width in bits:
        _, exponent = mp.frexp(value)
        unit = mp.mpf(2) ** (exponent - width)
        piece = mp.nint(value / unit) * unit
        out.append(float(piece))
        value -= piece
    return out


# Constants in pieces: short ones first, whose products with a small whole number are exact.
PIECES: dict[str, tuple[Any, list[int]]] = dict(
    ln2_f64=(LN2, [42, 53]),
    ln2_f32=(LN2, [15, 24]),
    log2e_f64=(1 / LN2, [53, 53]),
    log2e_f32=(1 / LN2, [24, 24]),
    log10e_f64=(1 / LN10, [53, 53]),
    log10e_f32=(1 / LN10, [24, 24]),
    log10_2_f64=(LN2 / LN10, [42, 53]),
    log10_2_f32=(LN2 / LN10, [15, 24]),
    half_pi_f64=(mp.pi / 2, [53, 53, 53]),
    half_pi_f32=(mp.pi / 2, [24, 24, 24]),
    half_pi_short=(mp.pi / 2, [33, 33, 33, 53]),
    one_less_gamma_f64=(1 - mp.euler, [53, 53]),
    third_f64=(mp.mpf(1) / 3, [53, 53]),
)


def entry(name: str, values: list[Any]) -> list[str]:
    """Lines of a table: a name and its numbers."""
    numbers = ", ".join(repr(float(v)) for v in values)
    indent = "        "
    filled = textwrap.fill(numbers, 99, initial_indent=indent, subsequent_indent=indent)
    return [f'    "{name}": (', filled + ",", "    ),"]


def text() -> str:
    """The source of coefficients.py."""
    lines = [
        '"""Minimax polynomials of the vector math, constant term first, and constants in pieces.',
        "",
        "Made by `python benchmarks/fits.py --write`, which says what each of them approximates.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "# fmt: off",
        "POLYNOMIALS: dict[str, tuple[float, ...]] = {",
    ]
    for name, fit in FITS.items():
        for kind, degree in (("f64", fit.double), ("f32", fit.single)):
            if degree is not None:
                lines += entry(f"{name}_{kind}", remez(fit, degree)[0])
    lines += ["}", "", "PIECES: dict[str, tuple[float, ...]] = {"]
    for name, (value, bits) in PIECES.items():
        lines += entry(name, parts(value, bits))
    return "\n".join([*lines, "}", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    if parser.parse_args().write:
        TARGET.write_text(text(), "utf-8")
        return
    for name, fit in FITS.items():
        for kind, degree in (("f64", fit.double), ("f32", fit.single)):
            if degree is not None:
                error = remez(fit, degree)[1]
                print(f"{name:10} {kind}  degree {degree:2}  2^{float(mp.log(error, 2)):.1f}")


if __name__ == "__main__":
    main()
