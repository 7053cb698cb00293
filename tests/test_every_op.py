"""Every op of the registry and every public function: none goes untested.

The cases stand in `tests/ops/`, a table for each file of `adjoint.ops`.
"""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ops import CASES

import adjoint as ad

NO_RULE = {"nextafter"}
SINGLE = (np.float32, np.complex64)
FUNCTIONS = [
    name
    for name, value in vars(ad).items()
    if callable(value) and getattr(value, "__module__", "").startswith("adjoint.ops")
]
SMOOTH = [
    c
    for c in CASES
    if c.name not in NO_RULE and getattr(ad.OPS.get(c.name), "word", "") != "predicate"
]
PREDICATES = [c for c in CASES if getattr(ad.OPS.get(c.name), "word", "") == "predicate"]


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=[c.label for c in cases])


def leaves(tree):
    return [x for t in tree for x in leaves(t)] if isinstance(tree, (list, tuple)) else [tree]


def retyped(tree, change):
    if isinstance(tree, (list, tuple)):
        return type(tree)([retyped(t, change) for t in tree])
    return change(tree)


def single(x):
    x = np.asarray(x)
    return x.astype({"f": np.float32, "c": np.complex64}[x.dtype.kind])[()]


@pytest.mark.parametrize("name", sorted({*ad.OPS, *FUNCTIONS}))
def test_has_a_case_and_a_formula(name):
    assert any(c.name == name for c in CASES), "add a line to the table in tests/ops"
    doc = ad.OPS[name].__doc__ if name in ad.OPS else getattr(ad, name).__doc__
    assert re.match(r".+[.:]", doc)


@each(SMOOTH)
def test_derivatives_are_right(case):
    ad.check_grads(case, case.point)


@each([c for c in CASES if c.via is None])
def test_plain_arrays_give_what_numpy_gives(case):
    got, want = leaves(case(*case.point)), leaves(case.expected())
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        assert isinstance(g, (np.ndarray, np.generic, bool, float, complex))
        assert type(g) is not np.ndarray or g.shape, "0-d results are NumPy scalars"
        assert np.shape(g) == np.shape(w)
        assert np.asarray(g).dtype == np.asarray(w).dtype
        np.testing.assert_allclose(g, w, rtol=1e-13, atol=1e-13)


@each(SMOOTH)
def test_single_precision_stays_single(case):
    """Outputs, and the cotangents on their way: a hook sees them before a leaf projects them.

    A Python number takes the precision of what it meets. A cotangent may be complex on its way.
    """
    numbers = not all(type(x) is float for x in leaves(case.point))
    point = retyped(case.point, lambda x: x if numbers and type(x) is float else single(x))
    if any(x.dtype not in SINGLE for x in leaves(case.at(case.like, point)) if hasattr(x, "dtype")):
        pytest.skip("NumPy makes this double")
    seen = []

    def through(x):
        if type(x) is float:
            return x
        y = ad.positive(ad.Tensor(x))
        y.register_hook(lambda ct: seen.append(ct.dtype))
        return y

    for out in leaves(case(*retyped(point, through))):
        assert out.dtype in SINGLE
        if isinstance(out, ad.Tensor) and out.tracked:
            out.backward(np.ones(out.shape, out.dtype), retain_graph=True)
    assert all(dtype in SINGLE for dtype in seen)


@each(SMOOTH)
def test_tracked_and_untracked_agree_with_plain(case):
    plain = leaves(case(*case.point))
    for track in (ad.Tensor, lambda x: ad.Tensor(x).detach()):
        for got, want in zip(leaves(case(*retyped(case.point, track))), plain, strict=True):
            raw = got.detach().numpy() if isinstance(got, ad.Tensor) else got
            np.testing.assert_array_equal(raw, want)


@each(PREDICATES)
def test_predicates_leave_the_tape_as_plain_arrays(case):
    got = case(*retyped(case.point, ad.Tensor))
    assert isinstance(got, (np.ndarray, np.generic, bool))
    np.testing.assert_array_equal(got, case.expected())
    out, push = ad.jvp(lambda *xs: xs[0] * np.sum(case(*xs)), case.point, case.point)
    want = np.asarray(case.point[0] * np.sum(case.expected()))
    np.testing.assert_array_equal(out, want)
    np.testing.assert_array_equal(push, want)


@pytest.mark.parametrize("name", sorted(n for n, op in ad.OPS.items() if op.word == "constant"))
def test_constants_say_why(name):
    assert "Derivative: zero where it exists, " in ad.OPS[name].__doc__


@each([c for c in CASES if c.name in NO_RULE])
def test_ops_without_a_rule_refuse_to_be_differentiated(case):
    def f(*xs):
        return ad.sum(case(*xs))

    with pytest.raises(ad.errors.NoRuleError, match=case.name):
        ad.grad(f)(*case.point)
    with pytest.raises(ad.errors.NoRuleError, match=case.name):
        ad.jvp(f, case.point, case.point)


@pytest.mark.parametrize(
    "name", ["sin", "exp", "sum", "square", "mean", "softmax", "negative", "cumsum", "var"]
)
def test_integers_are_promoted(name):
    f, x = getattr(ad, name), np.array([1, 2, 4])
    slope = ad.grad(lambda x: ad.sum(f(x)))(x)
    assert slope.dtype == np.float64
    np.testing.assert_array_equal(slope, ad.grad(lambda x: ad.sum(f(x)))(x.astype(float)))
    np.testing.assert_array_equal(f(ad.Tensor(x)).detach().numpy(), f(x.astype(float)))


def test_every_rule_that_is_wrong_by_a_thousandth_is_noticed():
    script = Path(__file__).parents[1] / "benchmarks" / "mutate.py"
    run = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    caught, of = map(int, re.findall(r"\d+", run.stdout))
    assert caught == of > 150
