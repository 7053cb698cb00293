"""Every op of the registry and every public function: none goes untested.

The cases stand in `tests/ops/`, a table for each file of `adjoint.ops`.
"""

import re
import subprocess
import sys
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from ops import CASES

import adjoint as ad
from adjoint.core.tree import flatten
from adjoint.ops.batch import looped

NO_RULE = {"nextafter", "schur", "hessenberg"}
SINGLE = (np.float32, np.complex64)
FUNCTIONS = {
    room + name: getattr(module, name)
    for room, module in [("", ad), *((f"{face}.", getattr(ad, face)) for face in ad.FACES)]
    for name in dir(module)
    if getattr(getattr(module, name), "__module__", "").startswith("adjoint.ops")
    and callable(getattr(module, name))
    and name != "kinks"
}
OPS = {id(op.call) for op in ad.OPS.values()}
PLAIN = {id(f) for name, f in FUNCTIONS.items() if "." not in name}
SMOOTH = [
    c
    for c in CASES
    if c.name not in NO_RULE and getattr(ad.OPS.get(c.name), "word", "") != "predicate"
]
PREDICATES = [c for c in CASES if getattr(ad.OPS.get(c.name), "word", "") == "predicate"]
# How much these return depends on values, so `vmap` refuses them.
RAGGED = {
    "argwhere", "distinct", "flatnonzero", "nonzero", "unique", "unique_all", "unique_counts",
    "unique_inverse", "unique_values",
}  # fmt: skip
MAPPED = [c for c in CASES if c.name not in RAGGED]


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


@pytest.mark.parametrize(
    "name",
    sorted(
        {*ad.OPS, *(n for n, f in FUNCTIONS.items() if "." not in n or id(f) not in OPS | PLAIN)}
    ),
)
def test_has_a_case_and_a_formula(name):
    """A function that a room has from elsewhere, or that is an op, has its case there."""
    assert any(c.name == name for c in CASES), "add a line to the table in tests/ops"
    doc = ad.OPS[name].__doc__ if name in ad.OPS else FUNCTIONS[name].__doc__
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


@each([c for c in PREDICATES if c.point])
def test_predicates_leave_the_tape_as_plain_arrays(case):
    got = case(*retyped(case.point, ad.Tensor))
    assert isinstance(got, (np.ndarray, np.generic, bool))
    np.testing.assert_array_equal(got, case.expected())
    out, push = ad.jvp(lambda *xs: xs[0] * np.sum(case(*xs)), case.point, case.point)
    want = np.asarray(case.point[0] * np.sum(case.expected()))
    np.testing.assert_array_equal(out, want)
    np.testing.assert_array_equal(push, want)


def of_leaves(case):
    """The function of a case with its containers spread out; of truth values, of all arguments."""
    if not case.point:
        return case.call
    _, _, rebuild = flatten(case.point)
    return lambda *xs: case(*rebuild(xs))


def near(case, n):
    """Arguments of `of_leaves(case)`, n examples of each, not far from those of the case."""
    rng = np.random.default_rng(crc32(case.label.encode()))
    points = flatten(case.point)[0]
    if not points:
        return [rng.permuted(np.stack([x] * n), axis=-1) for x in case.args]
    return [x * rng.uniform(0.99, 1.01, (n, *np.shape(x))) for x in points]


def random_like(x, rng):
    x = np.asarray(x)
    ct = rng.normal(size=x.shape) + (1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else 0)
    return ct.astype(x.dtype)


def one_by_one(f, args, axes):
    """f of each example in turn, the outputs stacked: what `vmap` must equal."""
    n = next(len(x) for x, a in zip(args, axes, strict=True) if a == 0)
    outs = [f(*[x[i] if a == 0 else x for x, a in zip(args, axes, strict=True)]) for i in range(n)]
    columns = zip(*[flatten(out)[0] for out in outs], strict=True)
    return [np.stack([np.asarray(x) for x in column]) for column in columns]


def same(got, want):
    got = flatten(got)[0]
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        assert np.shape(g) == np.shape(w)
        assert np.asarray(g).dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=1e-10, atol=1e-10)


def derivatives_mapped(f, args, axes):
    """Mapped derivatives and derivatives of what is mapped, forward and back, are the loop's."""
    rng = np.random.default_rng(0)
    tangents = [random_like(x, rng) for x in args]
    k, mapped = len(args), ad.vmap(f, axes)

    def push(*both):
        return ad.jvp(f, both[:k], both[k:])[1]

    want = one_by_one(push, [*args, *tangents], [*axes, *axes])
    same(ad.vmap(push, (*axes, *axes))(*args, *tangents), want)
    same(ad.jvp(mapped, tuple(args), tuple(tangents))[1], want)

    out, pullback = ad.vjp(mapped, *args)
    ends, _, rebuild = flatten(out)
    cts = [random_like(end, rng) for end in ends]

    def pull(*both):
        return ad.vjp(f, *both[:k])[1](rebuild(both[k:]))

    every = (*axes, *[0] * len(cts))
    want = one_by_one(pull, [*args, *cts], every)
    same(ad.vmap(pull, every)(*args, *cts), want)
    want = [w if a == 0 else w.sum(0) for w, a in zip(want, axes, strict=True)]
    same(pullback(rebuild(cts)), want)


@each(MAPPED)
def test_mapped_is_the_loop(case):
    """`vmap` of a case over all its inputs, and over each but one, in value and derivatives."""
    f, points = of_leaves(case), near(case, 3)
    k = len(points)
    choices = [(0,) * k, *[(0,) * i + (None,) + (0,) * (k - i - 1) for i in range(k) if k > 1]]
    for axes in choices:
        args = [x if a == 0 else x[0] for x, a in zip(points, axes, strict=True)]
        same(ad.vmap(f, axes)(*args), one_by_one(f, args, axes))
        if case in SMOOTH:
            derivatives_mapped(f, args, axes)


@each(MAPPED)
def test_a_batch_may_hold_one_example_or_none(case):
    f, points = of_leaves(case), near(case, 1)
    want = one_by_one(f, points, (0,) * len(points))
    same(ad.vmap(f)(*points), want)
    same(ad.vmap(f)(*[x[:0] for x in points]), [w[:0] for w in want])


@each(MAPPED[::5])
def test_mapped_twice_is_the_double_loop(case):
    f, points = of_leaves(case), near(case, 6)
    want = one_by_one(f, points, (0,) * len(points))
    got = ad.vmap(ad.vmap(f))(*[x.reshape(2, 3, *x.shape[1:]) for x in points])
    same(got, [w.reshape(2, 3, *w.shape[1:]) for w in want])


def test_these_ops_are_mapped_one_example_at_a_time():
    """Right, and slow: the list may grow only knowingly."""
    ours = {n: op for n, op in ad.OPS.items() if op.forward.__module__.startswith("adjoint.ops")}
    assert {name for name, op in ours.items() if op.batch is looped} == {"nextafter"}


DEAR = ("linalg.", "matrix_", "triangular", "packed_lu", "frechet", "joined")


@each([c for c in SMOOTH[::4] if not c.name.startswith(DEAR) and c.name not in RAGGED])
def test_the_loop_that_serves_any_op_is_right(case, monkeypatch):
    f, points = of_leaves(case), near(case, 3)
    axes = (0,) * len(points)
    for op in ad.OPS.values():
        monkeypatch.setattr(op, "batch", looped)
    same(ad.vmap(f)(*points), one_by_one(f, points, axes))
    derivatives_mapped(f, points, axes)


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
    assert caught == of
    assert f"{of} rules" in (Path(__file__).parents[1] / "README.md").read_text("utf-8")
