"""Laws that hold for every program: linearity, duality, symmetry of second derivatives, nesting.

The programs are drawn from the registry: every elementwise op of NumPy's names takes part, then
folds along axes, products of matrices and indexing.
"""

import numpy as np
import pytest
from compiler.programs import NAMES, inside
from hypothesis import given, settings
from hypothesis import strategies as st

import adjoint as ad

SHAPES = ((2, 3), (3,), ())
small = settings(max_examples=40, deadline=None, derandomize=True, database=None)


class Program:
    """A straight-line program over three inputs; each step is an op on two earlier values."""

    def __init__(self, steps):
        self.steps = steps

    def __repr__(self):
        return "; ".join(
            f"v{i + 3} = {name}(v{a}, v{b})" for i, (name, a, b) in enumerate(self.steps)
        )

    def __call__(self, *inputs):
        values = list(inputs)
        for name, a, b in self.steps:
            op = ad.OPS[name]
            args = [inside(values[i % len(values)]) for i in (a, b)][: len(op.inputs)]
            values.append(op.call(*args))
        return values[-1] * values[-2] + values[0]


programs = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5
).map(Program)
numbers = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def draw(rng):
    return tuple([rng.uniform(-2, 2, s)[()] for s in SHAPES])


def dot(xs, ys):
    return sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True))


def combine(a, xs, b, ys):
    return tuple([a * x + b * y for x, y in zip(xs, ys, strict=True)])


def same(got, want):
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-9)


@small
@given(programs, numbers)
def test_vjp_is_linear_in_its_cotangent(f, rng):
    x = draw(rng)
    y, back = ad.vjp(f, *x)
    u, v = rng.normal(size=(2, *np.shape(y)))
    same(back(2 * u - 3 * v), combine(2, back(u), -3, back(v)))


@small
@given(programs, numbers)
def test_jvp_is_linear_in_its_tangent(f, rng):
    x, s, t = draw(rng), draw(rng), draw(rng)
    together = ad.jvp(f, x, combine(2, s, -3, t))[1]
    same([together], [2 * ad.jvp(f, x, s)[1] - 3 * ad.jvp(f, x, t)[1]])


@small
@given(programs, numbers)
def test_forward_and_reverse_are_adjoint(f, rng):
    x, t = draw(rng), draw(rng)
    y, back = ad.vjp(f, *x)
    value, push = ad.jvp(f, x, t)
    ct = rng.normal(size=np.shape(y))
    np.testing.assert_array_equal(y, f(*x))
    np.testing.assert_array_equal(value, y)
    np.testing.assert_allclose(dot([ct], [push]), dot(back(ct), t), rtol=1e-9, atol=1e-9)


def forward(f, t):
    """x -> the derivative of f along t, pushed forward."""
    return lambda *x: ad.jvp(f, x, t)[1]


def reverse(f, t):
    """x -> the derivative of f along t, paired with the gradient."""
    return lambda *x: sum(ad.sum(g * d) for g, d in zip(ad.grad(f, (0, 1, 2))(*x), t, strict=True))


@small
@given(programs, numbers)
def test_second_derivatives_are_symmetric_in_all_nestings(f, rng):
    x, s, t = draw(rng), draw(rng), draw(rng)

    def total(*x):
        return ad.sum(f(*x))

    values = [
        outer(inner(total, a), b)(*x)
        for outer in (forward, reverse)
        for inner in (forward, reverse)
        for a, b in ((s, t), (t, s))
    ]
    np.testing.assert_allclose(values, values[0], rtol=1e-8, atol=1e-8)


@small
@given(programs, numbers)
def test_backward_agrees_with_vjp(f, rng):
    x = draw(rng)
    leaves = [ad.Tensor(v) for v in x]
    y = f(*leaves)
    ct = rng.normal(size=y.shape)
    y.backward(ct)
    same([leaf.grad for leaf in leaves], ad.vjp(f, *x)[1](ct))


class Mixer(Program):
    """A program whose steps also fold, multiply, move and pick; every value is 2 x 2."""

    def __call__(self, *inputs):
        values = [square(x) for x in inputs]
        for name, a, b in self.steps:
            args = [inside(values[i % len(values)]) for i in (a, b)]
            if name in MIXING:
                values.append(MIXING[name](*args))
            else:
                values.append(ad.OPS[name].call(*args[: len(ad.OPS[name].inputs)]))
        return values[-1] * values[-2] + values[0]


def square(x):
    """x of any of the `SHAPES` as a matrix of 2 x 2."""
    rank = len(np.shape(x))
    return x[:, :2] if rank == 2 else x[1:] + ad.reshape(x[:2], (2, 1)) if rank else x * ANY


ANY = np.array([[0.5, -1.0], [2.0, 0.25]])
CHOICE = np.array([[True, False], [True, True]])
FOLDS = [n for n in ad.OPS if {"axis", "keepdims"} <= {*ad.OPS[n].params}]
FOLDS = [n for n in FOLDS if ad.OPS[n].word in ("linear", "reduction")]
MIXING = {
    **{
        f"{name} along {axis}": lambda x, y, op=ad.OPS[name].call, axis=axis: (
            op(x, axis=axis, keepdims=True) + y
        )
        for name in FOLDS
        for axis in (0, -1, None, (0, 1))
    },
    "matmul": lambda x, y: x @ y,
    "matrix times vector": lambda x, y: (x @ y[0])[:, None] + y,
    "vector times matrix": lambda x, y: (x[:, 1] @ y) * x,
    "contract": lambda x, y: ad.einsum("ij,kj->ik", x, y),
    "solve": lambda x, y: ad.solve(x + 2 * np.eye(2), y),
    "transpose": lambda x, y: x.T * y,
    "rows": lambda x, y: x[[1, 1]] + y[:, [0, 0]],
    "element": lambda x, y: x[0, -1] * y,
    "mask": lambda x, y: ad.sum(x[CHOICE]) * y,
    "turned": lambda x, y: ad.flip(x, axis=0) - ad.roll(y, 1),
    "joined": lambda x, y: ad.concat([x[:1], y[1:]]),
    "running": lambda x, y: ad.cumsum(x, 0) * ad.cumprod(y, 1),
    "chosen": lambda x, y: ad.where(x > y, x, y * y),
    "triangle": lambda x, y: ad.tril(x) @ ad.triu(y),
}
mixers = st.lists(
    st.tuples(st.sampled_from([*MIXING, *NAMES]), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=4,
).map(Mixer)
few = settings(small, max_examples=100)


def batch(rng, n=3):
    return tuple([rng.uniform(-2, 2, (n, *s)) for s in SHAPES])


def examples(xs):
    return [tuple([x[i] for x in xs]) for i in range(len(xs[0]))]


@few
@given(mixers, numbers)
def test_forward_and_reverse_are_adjoint_where_elements_mix(f, rng):
    x, s, t = draw(rng), draw(rng), draw(rng)
    y, back = ad.vjp(f, *x)
    _, push = ad.jvp(f, x, t)
    u, v = rng.normal(size=(2, *np.shape(y)))
    np.testing.assert_allclose(dot([u], [push]), dot(back(u), t), rtol=1e-9, atol=1e-9)
    same(back(2 * u - 3 * v), combine(2, back(u), -3, back(v)))
    both = ad.jvp(f, x, combine(2, s, -3, t))[1]
    same([both], combine(2, [ad.jvp(f, x, s)[1]], -3, [push]))


@few
@given(mixers, numbers)
def test_a_map_is_a_loop(f, rng):
    """vmap ∘ f, vmap ∘ grad ∘ f and grad ∘ vmap ∘ f, one at a time and all at once."""
    x, t = batch(rng), batch(rng)
    every = (0, 1, 2)

    def total(*x):
        return ad.sum(f(*x))

    same([ad.vmap(f)(*x)], [np.stack([f(*one) for one in examples(x)])])
    slopes = [ad.grad(total, every)(*one) for one in examples(x)]
    want = [np.stack(column) for column in zip(*slopes, strict=True)]
    same(ad.vmap(ad.grad(total, every))(*x), want)
    same(ad.grad(lambda *x: ad.sum(ad.vmap(f)(*x)), every)(*x), want)
    pushed = [ad.jvp(f, *both)[1] for both in zip(examples(x), examples(t), strict=True)]
    same([ad.vmap(lambda x, t: ad.jvp(f, x, t)[1])(x, t)], [np.stack(pushed)])
    same([ad.jvp(ad.vmap(f), x, t)[1]], [np.stack(pushed)])


@few
@given(mixers, numbers)
def test_the_four_second_derivatives_are_one_where_elements_mix(f, rng):
    """Forward and reverse in each other, of a program and of its map."""
    x, s, t = draw(rng), draw(rng), draw(rng)

    def total(*x):
        return ad.sum(f(*x))

    nests = [
        outer(inner(total, a), b)
        for outer in (forward, reverse)
        for inner in (forward, reverse)
        for a, b in ((s, t), (t, s))
    ]
    values = [nest(*x) for nest in nests]
    np.testing.assert_allclose(values, values[0], rtol=1e-8, atol=1e-8)
    two = [np.stack([v, v]) for v in x]
    mapped = [ad.vmap(nest)(*two)[1] for nest in nests[::2]]
    np.testing.assert_allclose(mapped, values[0], rtol=1e-8, atol=1e-8)


@few
@given(mixers, numbers)
def test_a_jacobian_is_the_same_by_rows_and_columns(f, rng):
    x, t = draw(rng), draw(rng)
    rows, columns = (ad.jacobian(f, (0, 1, 2), mode)(*x) for mode in ("rev", "fwd"))
    same(rows, columns)
    pushed = sum(np.tensordot(j, d, np.ndim(d)) for j, d in zip(rows, t, strict=True))
    same([pushed], [ad.jvp(f, x, t)[1]])


@pytest.mark.parametrize("outer", [forward, reverse])
@pytest.mark.parametrize("middle", [forward, reverse])
@pytest.mark.parametrize("inner", [forward, reverse])
def test_third_derivative_in_every_nesting(outer, middle, inner):
    one = (1.0, 0.0, 0.0)
    third = outer(middle(inner(lambda x, y, z: x**4 * ad.exp(y) + z, one), one), one)
    assert third(2.0, 0.0, 1.0) == pytest.approx(48.0)


def test_derivatives_do_not_mix_up_their_variables():
    """Perturbation confusion: the inner derivative must not see the outer direction."""
    for outer in (forward, reverse):
        for inner in (forward, reverse):

            def f(x, y, z, inner=inner):
                return x * inner(lambda u, v, w: x + u, (1.0, 0.0, 0.0))(1.0, 0.0, 0.0)

            assert outer(f, (1.0, 0.0, 0.0))(1.0, 0.0, 0.0) == 1.0


def test_real_and_complex_contributions_meet():
    """A real input used by real and by complex functions, in any order."""
    parts = [
        lambda x: x * x,
        lambda x: ad.sin(x),
        lambda x: ad.real(x * (1 + 2j)),
        lambda x: ad.abs(x + 1j),
    ]
    x = np.array([0.5, -0.7])
    for i in range(4):
        turned = parts[i:] + parts[:i]
        ad.check_grads(lambda x, turned=turned: sum(p(x) for p in turned), (x,))


def test_single_and_double_contributions_meet():
    w = np.array([0.5, -0.7], np.float32)
    slope = ad.grad(lambda w: (w * w + w * np.ones(2) + w * w).sum())(w)
    assert slope.dtype == np.float32
    np.testing.assert_allclose(slope, 4 * w + 1, rtol=1e-6)
