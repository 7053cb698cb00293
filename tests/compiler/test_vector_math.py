"""The vector math is accurate over its whole range, on every kind of machine."""

import importlib.util
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import adjoint.special  # noqa: F401  (registers erf, erfc, gammaln)
from adjoint.backends.namespace import NUMPY
from adjoint.compiler import coefficients
from adjoint.compiler.vector_math import VECTOR_MATH
from adjoint.core.op import OPS

pytest.importorskip("llvmlite")
pytest.importorskip("scipy")

from compiler.vectors import DTYPES, assembly, loop, mapped

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
BINARY = frozenset(("pow", "atan2", "hypot", "logaddexp", "logaddexp2", "xlogy"))
UNARY = sorted(VECTOR_MATH.keys() - BINARY)
KINDS = ("f64", "f32")
HUGE = np.array([1e5, 2.1e5, 1e6, 1e10, 1e13, 2e15, 1e19, 1e22, 1e37, 3e38])
BOUND = 2.5


def script(name):
    """A module of benchmarks/."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


accuracy = script("vector_accuracy")


def kinds_of(name, kind):
    return (kind,) * (2 if name in BINARY else 1)


def special_values(kind):
    """Zeros, infinities, NaN, the ends of the range and of the domains."""
    info = np.finfo(DTYPES[kind])
    some = [0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 1e5, info.max, info.tiny, info.smallest_subnormal,
            np.inf, np.nan]  # fmt: skip
    return np.array([*some, *[-x for x in some]], DTYPES[kind])


@pytest.mark.parametrize("fma", [True, False], ids=["fma", "plain"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", sorted(accuracy.REFERENCES))
def test_the_error_stays_below_two_and_a_half_roundings(name, kind, fma):
    function = mapped(VECTOR_MATH[name], kinds_of(name, kind), 8, fma)
    worst = accuracy.measure(name, function, DTYPES[kind], count=400)
    assert worst.error < BOUND, worst


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", sorted(VECTOR_MATH))
@pytest.mark.filterwarnings("ignore")
def test_special_values_are_those_of_the_op(name, kind):
    columns = itertools.product(special_values(kind), repeat=len(kinds_of(name, kind)))
    arrays = [np.array(column) for column in zip(*columns, strict=True)]
    want = OPS[name].forward(NUMPY, *arrays)
    for fma in (True, False):
        got = mapped(VECTOR_MATH[name], kinds_of(name, kind), 4, fma)(*arrays)
        assert got.dtype == want.dtype
        plain = np.isfinite(want) & (want != 0)
        if name == "gammaln":  # SciPy's overflows at the smallest numbers, and ours need not
            plain |= np.isfinite(got)
        np.testing.assert_array_equal(got[~plain], want[~plain])
        zero = want == 0
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))
        kept = plain & np.isfinite(want)
        np.testing.assert_allclose(got[kept], want[kept], rtol=8 * np.finfo(got.dtype).eps)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", sorted(VECTOR_MATH))
def test_a_value_does_not_depend_on_its_lane(name, kind):
    random = np.random.default_rng(0)
    arrays = [random.uniform(0.01, 0.99, 64).astype(DTYPES[kind]) for _ in kinds_of(name, kind)]
    arrays[0][::5] = 3e38  # beyond what `sin` reduces itself
    results = [mapped(VECTOR_MATH[name], kinds_of(name, kind), n)(*arrays) for n in (1, 4, 16)]
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


@pytest.mark.parametrize("fma", [True, False], ids=["fma", "plain"])
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_huge_angles_are_reduced_exactly(name, fma):
    mp = pytest.importorskip("mpmath")
    for kind in KINDS:
        x = HUGE.astype(DTYPES[kind])
        got = mapped(VECTOR_MATH[name], (kind,), 8, fma)(x)
        with mp.workprec(1500):
            want = [float(getattr(mp, name)(mp.mpf(float(v)))) for v in x]
        np.testing.assert_allclose(got, want, rtol=BOUND * np.finfo(got.dtype).eps)


def test_angles_next_to_multiples_of_a_quarter_turn_keep_their_digits():
    mp = pytest.importorskip("mpmath")
    x = np.rint(10 ** np.linspace(0, 11, 300)) * (np.pi / 2)
    for fma in (True, False):
        got = mapped(VECTOR_MATH["sin"], ("f64",), 8, fma)(x)
        with mp.workprec(200):
            want = [float(mp.sin(mp.mpf(float(v)))) for v in x]
        np.testing.assert_allclose(got, want, rtol=BOUND * 2.0**-52)


def test_sine_and_cosine_share_their_work():
    def both(b, x):
        return b.add(VECTOR_MATH["sin"](b, x), VECTOR_MATH["cos"](b, x))

    together = loop("both", both, ("f64",), 8)[0].count("\n")
    alone = [loop(n, VECTOR_MATH[n], ("f64",), 8)[0].count("\n") for n in ("sin", "cos")]
    assert together < sum(alone) - 30


def test_a_function_of_the_same_argument_is_computed_once():
    def twice(b, x):
        return b.add(VECTOR_MATH["exp"](b, x), VECTOR_MATH["exp"](b, x))

    assert loop("f", twice, ("f64",), 8)[0].count("shl") == 1


TARGETS = dict(
    aarch64=dict(triple="aarch64-unknown-linux-gnu", cpu="generic", features=""),
    sse2=dict(triple="x86_64-unknown-linux-gnu", cpu="x86-64", features=""),
    avx2=dict(triple="x86_64-unknown-linux-gnu", cpu="haswell", features=""),
)  # fmt: skip
# What the branches for huge angles and negative arguments call by name.
RARE = dict(sin={"sin"}, cos={"cos"}, tan={"tan"}, gammaln={"lgamma"})


@pytest.mark.parametrize("target", TARGETS)
def test_no_machine_needs_a_library_but_for_what_is_rare(target):
    fma = target != "sse2"
    arch = TARGETS[target]["triple"].split("-")[0]
    for name, kind in itertools.product(VECTOR_MATH, KINDS):
        lanes = 4 if kind == "f64" else 8
        text, _ = loop("f", VECTOR_MATH[name], kinds_of(name, kind), lanes, fma=fma, target=arch)
        code = assembly(text, **TARGETS[target])
        calls = re.findall(r"^\s+(?:call\w*|bl)\s+([\w.@]+)", code, re.MULTILINE)
        assert {c.removesuffix("@PLT") for c in calls} <= RARE.get(name, set()), name


def test_a_fit_made_anew_gives_the_coefficients():
    pytest.importorskip("mpmath")
    fits = script("fits")
    made, error = fits.remez(fits.FITS["sin"], 5)
    assert tuple(map(float, made)) == coefficients.POLYNOMIALS["sin_f64"]
    assert error < 2.0**-57
    assert all(
        coefficients.PIECES[name] == tuple(fits.parts(*piece))
        for name, piece in fits.PIECES.items()
    )


def test_every_polynomial_is_used_and_has_its_degree():
    fits = script("fits")
    degrees = {
        f"{name}_{kind}": degree
        for name, fit in fits.FITS.items()
        for kind, degree in (("f64", fit.double), ("f32", fit.single))
        if degree is not None
    }
    assert {n: len(c) - 1 for n, c in coefficients.POLYNOMIALS.items()} == degrees
