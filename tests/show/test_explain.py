"""The two-column table: the tutorials' figure to the letter, and that it tells the truth."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.show.explain import explain, main

FIGURE = """\
Forward evaluation trace ↓  │  Reverse adjoint trace ↑
────────────────────────────┼───────────────────────────────────────────────────
v-1 = x1       = 2          │  x̄1                      = v̄-1            = 5.5
v0  = x2       = 5          │  x̄2                      = v̄0             = 1.716
────────────────────────────┼───────────────────────────────────────────────────
v1  = ln v-1   = 0.693      │  v̄-1 = v̄-1 + v̄1 ∂v1/∂v-1 = v̄-1 + v̄1 / v-1 = 5.5
v2  = v-1 · v0 = 10         │  v̄0  = v̄0 + v̄2 ∂v2/∂v0   = v̄0 + v̄2 · v-1  = 1.716
                            │  v̄-1 = v̄2 ∂v2/∂v-1       = v̄2 · v0        = 5
v3  = sin v0   = -0.959     │  v̄0  = v̄3 ∂v3/∂v0        = v̄3 · cos v0    = -0.284
v4  = v1 + v2  = 10.693     │  v̄2  = v̄4 ∂v4/∂v2        = v̄4             = 1
                            │  v̄1  = v̄4 ∂v4/∂v1        = v̄4             = 1
v5  = v4 - v3  = 11.652     │  v̄3  = v̄5 ∂v5/∂v3        = -v̄5            = -1
                            │  v̄4  = v̄5 ∂v5/∂v4        = v̄5             = 1
────────────────────────────┼───────────────────────────────────────────────────
y   = v5       = 11.652     │  v̄5                      = ȳ              = 1"""


def tutorial(x1, x2):
    return ad.log(x1) + x1 * x2 - ad.sin(x2)


def rows(explanation):
    return [str(row) for row in explanation.reverse]


def formulas(f, *args):
    return [row.formula for row in explain(f, *args).reverse[1 : -len(args)]]


def test_the_tutorials_figure():
    assert str(explain(tutorial, 2.0, 5.0)) == FIGURE


def test_the_command_prints_the_same_figure(capsys):
    assert main("log(x1) + x1*x2 - sin(x2)", ["x1=2", "x2=5"]) == 0
    assert capsys.readouterr() == (FIGURE + "\n", "")


def test_its_numbers():
    told = explain(tutorial, 2.0, 5.0)
    assert told.value == np.log(2.0) + 10.0 - np.sin(5.0)
    assert told.gradients == (5.5, 2.0 - np.cos(5.0))
    assert [row.name for row in told.forward] == ["v-1", "v0", "v1", "v2", "v3", "v4", "v5", "y"]
    assert str(told.reverse[0]) == "v̄5 = ȳ = 1"


def test_a_notebook_shows_the_table():
    assert explain(tutorial, 2.0, 5.0)._repr_html_() == f"<pre>{FIGURE}</pre>"


@pytest.mark.parametrize(
    "f, formula",
    [
        (lambda x: x**3, "v̄1 · 3 · v0 ^ 2"),
        (lambda x: x**2, "v̄1 · (v0 + v0)"),
        (lambda x: 2 / x, "-v̄1 · v1 / v0"),
        (lambda x: ad.cos(x), "-v̄1 · sin v0"),
        (lambda x: ad.tanh(x), "v̄1 · (1 - v1 · v1)"),
        (lambda x: ad.sqrt(x), "v̄1 / (2 · v1)"),
        (lambda x: ad.sigmoid(x), "v̄1 · v1 · (1 - v1)"),
        (lambda x: ad.softplus(x), "v̄1 · sigmoid v0"),
        (lambda x: -x, "-v̄1"),
    ],
)
def test_the_formula_is_the_rule(f, formula):
    assert formulas(f, 0.5) == [formula]


@pytest.mark.parametrize(
    "f, text",
    [
        (lambda x: ad.abs(x), "|v0|"),
        (lambda x: x[1:, None, ::2], "v0[1:, None, ::2]"),
        (lambda x: x.T, "v0ᵀ"),
        (lambda x: ad.sum(x, axis=0), "sum(v0, axis=0)"),
        (lambda x: x.reshape(4, 1), "reshape(v0, (4, 1))"),
        (lambda x: x - -2.0, "v0 - (-2)"),
        (lambda x: ad.cumsum(x, 0), "cumsum(v0, 0)"),
        (lambda x: x + np.arange(3.0)[:2], "v0 + [0, 1]"),
        (lambda x: x[0, 0] * (1 + 2j), "v1 · (1 + 2j)"),
    ],
)
def test_forward_formulas_read_as_written(f, text):
    assert explain(f, np.eye(2)).forward[-2].formula == text


def programs():
    a, v = np.arange(1.0, 7.0).reshape(2, 3), np.array([0.5, -1.0, 2.0])
    s = np.array([[2.0, 1.0], [1.0, 3.0]])
    yield lambda a, v: ad.sum(ad.tanh(a @ v + 1) ** 2 / 3), (a, v)
    yield lambda a, v: ad.sum(a * v + a[0] * v[::-1]), (a, v)
    yield lambda a: ad.sum(a * ad.sum(a, axis=1, keepdims=True)), (a,)
    yield lambda v: ad.softmax(v)[0] + ad.logsumexp(v), (v,)
    yield lambda v: ad.sum(ad.maximum(v, 0.0) * ad.where(v > 1, v, 2 * v)), (v,)
    yield lambda v: ad.prod(v) + ad.max(v) + ad.var(v), (v,)
    yield lambda v: v[np.array([0, 0, 2])].sum() + ad.concat([v, v])[4], (v,)
    yield lambda s: ad.slogdet(s)[1] + ad.sum(ad.inv(s)) + ad.norm(s), (s,)
    yield lambda s: ad.einsum("ij,jk->", s, s) + ad.sum(ad.solve(s, s[0])), (s,)
    yield lambda x: ad.grad(lambda t: ad.sin(t) * t * x)(x), (1.5,)
    yield lambda x: ad.jvp(lambda t: ad.exp(t * x), (x,), (1.0,))[1], (1.5,)
    yield lambda x: x * x - x.detach() * x + ad.floor(x) * x, (1.5,)
    yield lambda w: w["a"] * w["b"][0] * w["b"][1], ({"a": 2.0, "b": [3.0, 4.0]},)
    yield lambda x: ad.real(ad.exp(1j * x) * x), (0.5,)


@pytest.mark.parametrize("f, args", [*programs()])
def test_gradients_are_those_of_grad(f, args):
    told = explain(f, *args)
    expected = ad.grad(f, tuple(range(len(args))))(*args)
    ad.tree_map(np.testing.assert_allclose, told.gradients, expected)
    np.testing.assert_allclose(told.value, ad.vjp(f, *args)[0])
    assert str(told) and all(rows(told))


def test_a_constant_function_has_gradient_zero():
    told = explain(lambda x: 3.0, 0.5)
    assert (told.value, told.gradients, rows(told)) == (3.0, (0.0,), ["x̄ = 0"])


LONG = {"atan2", "xlogy", "fmax", "fmin", "logaddexp", "logaddexp2"}  # guarded twice
ELEMENTWISE = sorted(
    name
    for name, op in ad.OPS.items()
    if op.word == "elementwise" and op.forward.__module__ == "adjoint.ops.elementwise"
)


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if name != "ldexp"])
def test_every_elementwise_rule_can_be_read(name):
    op = ad.OPS[name]
    args = [0.3, 0.6, 0.9][: len(op.inputs)] if name != "acosh" else [1.3]
    told = explain(op.call, *args)
    assert "pullback" not in str(told) or name in LONG
    slopes = ad.grad(lambda *xs: ad.real(op.call(*xs)), tuple(range(len(args))))(*args)
    np.testing.assert_allclose(told.gradients, slopes)


def test_broadcasting_is_undone_and_shown():
    told = explain(lambda x, y: x * y, np.ones(3), 2.0)
    assert told.gradients[1] == 3.0
    assert "v̄0 = v̄1 ∂v1/∂v0 = Σ(v̄1 · v-1) = 3" in rows(told)


def test_an_output_that_is_not_one_number_says_so():
    told = explain(lambda x: x * x, np.arange(3.0))
    assert told.gradients[0].tolist() == [0.0, 2.0, 4.0]
    assert told.note == "The output is not one number: ȳ = ones, and x̄ is the gradient of the sum."
    assert str(told).endswith(told.note)


def test_several_outputs_keep_their_structure():
    told = explain(lambda x: {"twice": 2 * x, "same": x, "three": 3.0}, 5.0)
    assert told.value == {"twice": 10.0, "same": 5.0, "three": 3.0}
    assert told.gradients == (3.0,)
    assert [row.name for row in told.forward] == ["v0", "v1", "y1", "y2", "y3"]


def test_an_output_given_twice_counts_twice():
    assert explain(lambda x: (x, x), 5.0).gradients == (2.0,)


def test_an_input_without_a_path_has_gradient_zero():
    told = explain(lambda x, y: 2 * x, 1.0, 3.0)
    assert told.gradients == (2.0, 0.0)
    assert "ȳ = 0" in rows(told)  # of the input y


def test_large_arrays_are_shown_in_short():
    assert "v0 = x      = [0, 0, 0, …] (50, 4)" in str(explain(lambda x: 2 * x, np.zeros((50, 4))))


def test_long_names_get_no_bar():
    assert rows(explain(lambda weights: 2 * weights, 1.0))[-1] == "∂y/∂weights = v̄0 = 2"


def test_a_rule_too_long_to_read_is_named_in_words():
    told = explain(lambda x: ad.prod(x), np.arange(1.0, 9.0))
    assert told.reverse[1].formula == "pullback of prod"


def test_a_missing_rule_is_reported_with_the_line():
    with pytest.raises(ad.errors.NoRuleError) as caught:
        explain(lambda x: ad.nextafter(x, 1.0), 3.0)
    assert "test_explain.py" in caught.value.__notes__[0]


def test_the_function_is_left_as_it_was():
    w = ad.Tensor([1.0, 2.0])
    assert explain(lambda x: ad.sum(w * x), 3.0).gradients == (3.0,)
    assert w.grad.tolist() == [0.0, 0.0]
