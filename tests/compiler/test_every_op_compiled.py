"""Every case of every op, compiled: values and derivatives both ways are those of eager.

A few cases of one op make one program, `ADJOINT_CASES=all` takes every case rather than two of each
op. Maps that loops compute are compared to 4 ulp at all kinds of numbers.
"""

import os
from collections import defaultdict
from zlib import crc32

import numpy as np
import pytest
from ops import CASES

import adjoint as ad
from adjoint.compiler.lanes import LANES
from adjoint.compiler.vector_math import VECTOR_MATH
from adjoint.core.tree import flatten, tree_map

NO_RULE = {"nextafter", "schur", "hessenberg"}
BY_VALUE = "the shape of `distinct` depends on values"
EAGER = {
    "argwhere": "the shape of `argwhere` depends on values",
    "distinct": BY_VALUE,
    "unique": BY_VALUE,
    "unique_all": BY_VALUE,
    "unique_counts": BY_VALUE,
    "unique_inverse": BY_VALUE,
    "unique_values": BY_VALUE,
    "trim_zeros": "asks for the value of bool",
    "linalg.null_space": "asks for the value of float64",
    "linalg.orth": "asks for the value of float64",
}
"""What runs eagerly, and why: how many elements there are depends on their values."""
MANY = 6  # cases that share a program
FEW = len(CASES) if os.environ.get("ADJOINT_CASES") == "all" else 2


def groups():
    """Cases by op, the first and others evenly among the rest, a few together."""
    by_name = defaultdict(list)
    for case in CASES:
        if case.point:
            by_name[case.name].append(case)
    for name, cases in by_name.items():
        if name not in EAGER:
            chosen = cases[:: max(1, -(-len(cases) // FEW))]
            for k in range(0, len(chosen), MANY):
                yield pytest.param(chosen[k : k + MANY], id=f"{name}-{k // MANY}" if k else name)


def is_smooth(case):
    """True where a case has derivatives."""
    word = getattr(ad.OPS.get(case.name), "word", "")
    return word != "predicate" and case.name not in NO_RULE


def like(x, rng):
    """Random numbers in the form of x."""
    if isinstance(x, (float, complex)):
        return type(x)(rng.normal())
    x = np.asarray(x)
    made = rng.normal(size=x.shape) + (1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else 0)
    return made.astype(x.dtype if x.dtype.kind in "fc" else float)[()]


def single(x):
    """x in single precision; Python's numbers stay."""
    kinds = {"f": np.float32, "c": np.complex64}
    return x.astype(kinds[x.dtype.kind])[()] if hasattr(x, "dtype") else x


def program(cases):
    """The function of points, cotangents and tangents that makes all there is of these cases."""

    def values_and_derivatives(points, cts, tangents):
        outs = []
        for case, point, ct, tangent in zip(cases, points, cts, tangents, strict=True):
            if is_smooth(case):
                value, pullback = ad.vjp(case, *point)
                outs.append((value, pullback(ct), ad.jvp(case, point, tangent)[1]))
            else:
                outs.append(case(*point))
        return outs

    return values_and_derivatives


def arguments(cases, change=lambda x: x):
    """Points, cotangents and tangents."""
    rng = np.random.default_rng(crc32(cases[0].label.encode()))
    points = [tree_map(change, case.point) for case in cases]
    outs = [case(*point) for case, point in zip(cases, points, strict=True)]
    return points, *[[tree_map(lambda x: like(x, rng), tree) for tree in t] for t in (outs, points)]


def same(case, got, want, rtol):
    """Equal structure, types, shapes, dtypes; values to rounding of the largest of them."""
    ours, theirs = flatten(got), flatten(want)
    assert ours[1] == theirs[1], case.label
    for g, w, path in zip(ours[0], theirs[0], ours[1], strict=True):
        assert type(g) is type(w), (case.label, path)
        g, w = np.asarray(g), np.asarray(w)
        assert (g.dtype, g.shape) == (w.dtype, w.shape), (case.label, path)
        if w.dtype.kind in "fc":
            scale = np.max(np.abs(w[np.isfinite(w)]), initial=1.0)
            np.testing.assert_allclose(g, w, 0, rtol * scale, err_msg=f"{case.label} {path}")
        else:
            np.testing.assert_array_equal(g, w, case.label)


def agree(cases, args, rtol):
    """The compiled program gives, twice, what the function gives."""
    f = program(cases)
    compiled = ad.compile(f)
    with np.errstate(all="ignore"):
        wants = f(*args)
        for _ in range(2):
            for case, got, want in zip(cases, compiled(*args), wants, strict=True):
                same(case, got, want, rtol)
    (plan,) = compiled.plans.values()
    assert plan.kind in ("native", "steps"), plan.reason


@pytest.mark.filterwarnings("ignore:.* comes from outside:adjoint.CompileWarning")
@pytest.mark.parametrize("cases", [*groups()])
def test_values_and_derivatives_are_those_of_eager(cases):
    agree(cases, arguments(cases), 1e-11)


ELEMENTWISE = [c for c in CASES if getattr(ad.OPS.get(c.name), "word", "") == "elementwise"]


@pytest.mark.filterwarnings("ignore:.* comes from outside:adjoint.CompileWarning")
@pytest.mark.parametrize("start", range(0, len(ELEMENTWISE), 2 * MANY))
def test_elementwise_ops_of_single_precision_are_those_of_eager(start):
    cases = ELEMENTWISE[start : start + 2 * MANY]
    agree(cases, arguments(cases, single), 2e-5)


@pytest.mark.parametrize("name", [*EAGER])
def test_what_depends_on_values_runs_eagerly_and_says_why(name):
    for case in CASES:
        if case.name == name and case.point:
            compiled = ad.compile(lambda *point, case=case: case(*point))
            with pytest.warns(ad.CompileWarning, match=EAGER[name]):
                got = compiled(*case.point)
            same(case, got, case(*case.point), 0)


# Maps, wherever their arguments are


MAPS = sorted(
    name
    for name in {*LANES, *VECTOR_MATH} & {*ad.OPS}
    if len(ad.OPS[name].inputs) < 3 and not ad.OPS[name].params
)
NEAR_ZERO = {"gammaln", "logaddexp2"}  # where they cross it: SciPy's and NumPy's lose digits there


def everywhere(dtype):
    """Numbers of all kinds: special ones, bounds of domains and of the format, tiny and huge."""
    info = np.finfo(dtype)
    bounds = [info.max, info.tiny, info.smallest_subnormal, info.eps, 1 - info.eps / 2,
              1 + info.eps]  # fmt: skip
    ends = [88.7, 103.9, 709.7, 745.1, 34.0, 36.0, 170.6, 171.7]
    usual = [0.0, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, np.pi / 2, np.pi, 10.0, 100.0, 1e-3, 1e-8]
    huge = [1e5, 1e10, 2.0**31, 2.0**53, 2.0**63, np.inf]
    x = np.array([*bounds, *ends, *usual, *huge, np.nan]).astype(dtype)
    return np.concatenate([x, -x])


def apart(x, y):
    """How many ulp are between, of each element; infinitely many between different kinds."""
    with np.errstate(all="ignore"):
        x, y = np.asarray(x, np.longdouble), np.asarray(y)
        size = np.spacing(np.maximum(np.abs(y), np.finfo(y.dtype).tiny)).astype(np.longdouble)
        steps = np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0, np.abs(x - y) / size)
    return np.where(np.isnan(steps), np.inf, steps)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", MAPS)
def test_maps_are_within_4_ulp_of_numpy_everywhere(name, dtype):
    x, call = everywhere(dtype), ad.OPS[name].call
    args = [x] if len(ad.OPS[name].inputs) == 1 else [a.copy() for a in np.meshgrid(x, x)]
    compiled = ad.compile(lambda *args: call(*args))
    with np.errstate(all="ignore"):
        got, want = compiled(*args), call(*args)
    (plan,) = compiled.plans.values()
    assert plan.kind == "native", plan.reason
    assert got.dtype == want.dtype
    if want.dtype.kind == "f":
        close = apart(got, want) <= 4
        if name in NEAR_ZERO:  # and next to its pole SciPy is infinite too soon
            with np.errstate(invalid="ignore"):
                close |= np.abs(got - want) <= 4 * np.finfo(dtype).eps
            close |= np.abs(args[-1]) < np.finfo(dtype).tiny
        assert close.all(), [a[~close] for a in (*args, got, want)]
        zero = (want == 0) & (got == 0)
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))
    else:
        np.testing.assert_array_equal(got, want)
