"""Custom rules: what the user says is the derivative, in every mode, order and nesting."""

import gc
import pickle
import warnings
from typing import NamedTuple

import numpy as np
import pytest

import adjoint as ad
from adjoint.core.op import OPS
from adjoint.errors import DataError, DeclarationError, NoRuleError, ShapeError
from adjoint.transforms.batching import vmap
from adjoint.transforms.custom import (
    clip_gradient,
    custom,
    reverse_gradient,
    stop_gradient,
    straight_through,
)
from adjoint.transforms.differences import NumericDerivativeWarning, numeric

X = np.array([0.3, -0.5])
Y = np.array([2.0, 3.0])


def pushforward(f):
    return lambda x: ad.jvp(f, (x,), (1.0,))[1]


def pullback(f):
    return lambda x: ad.vjp(f, x)[1](1.0)[0]


MODES = {"grad": ad.grad, "jvp": pushforward, "vjp": pullback}


def wave(x):
    return ad.sin(2 * x) / x


def slope(x, out):
    return (2 * ad.cos(2 * x) - out) / x


RULES = {
    "vjp": dict(vjp=lambda ct, x, out: ct * slope(x, out)),
    "jvp": dict(jvp=lambda t, x, out: t * slope(x, out)),
    "both": dict(
        vjp=lambda ct, x, out: ct * slope(x, out), jvp=lambda t, x, out: t * slope(x, out)
    ),
}
rules = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


class Pair(NamedTuple):
    s: object
    q: object


def table(x, p):
    return Pair(ad.sin(x) * p["y"], {"sum": (x * x).sum()})


def table_vjp(ct, x, p):
    dx = ct.s * ad.cos(x) * p["y"] + 2 * ct.q["sum"] * x
    return dx, {"y": ct.s * ad.sin(x)}


def table_jvp(t, x, p):
    dx, dp = t
    return Pair(dx * ad.cos(x) * p["y"] + ad.sin(x) * dp["y"], {"sum": 2 * (x * dx).sum()})


TABLES = {
    "vjp": custom(table, vjp=table_vjp),
    "jvp": custom(table, jvp=table_jvp),
    "both": custom(table, vjp=table_vjp, jvp=table_jvp),
}
tables = pytest.mark.parametrize("f", TABLES.values(), ids=TABLES)


# Laws


@rules
def test_right_rules_pass_the_check_in_both_modes_to_third_order(rule):
    ad.check_grads(custom(wave, **rule), (X,), order=3)


@tables
def test_containers_and_several_outputs_pass_the_check(f):
    ad.check_grads(f, (X, {"y": Y}), order=2)


@rules
@pytest.mark.parametrize("a", MODES)
@pytest.mark.parametrize("b", MODES)
@pytest.mark.parametrize("c", MODES)
def test_all_nestings_agree_with_the_plain_function(rule, a, b, c):
    def third(f):
        return MODES[a](MODES[b](MODES[c](f)))(0.7)

    np.testing.assert_allclose(third(custom(wave, **rule)), third(wave))


@pytest.mark.parametrize("rule", [dict(vjp=lambda ct: 5 * ct), dict(jvp=lambda t: 5 * t)])
def test_the_rule_is_believed(rule):
    f = custom(lambda x: x * x, **rule)
    assert f(3.0) == 9
    assert ad.grad(f)(3.0) == 5
    assert ad.jvp(f, (3.0,), (2.0,)) == (9, 10)
    assert ad.grad(lambda x: ad.grad(f)(x) * x)(3.0) == 5


def test_a_higher_derivative_is_that_of_the_rule():
    f = custom(lambda x: x, vjp=lambda ct, x: ct * x * x)
    assert ad.grad(ad.grad(f))(3.0) == 6
    assert pushforward(pushforward(f))(3.0) == 6
    assert ad.grad(pushforward(f))(3.0) == pushforward(ad.grad(f))(3.0) == 6


@rules
def test_an_eager_graph_is_differentiated_twice(rule):
    x = ad.Tensor(X)
    custom(wave, **rule)(x).sum().backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.sum().backward()
    want = ad.grad(lambda x: ad.grad(lambda x: wave(x).sum())(x).sum())(X)
    np.testing.assert_allclose(x.grad, want)


@tables
def test_vmap_carries_the_function_and_its_rules(f, rng):
    xs, p = rng.normal(size=(4, 2)), {"y": Y}

    def loss(f):
        return lambda x: (f(x, p).s ** 2).sum() + f(x, p).q["sum"]

    def total(f):
        return lambda y: vmap(lambda x: (f(x, {"y": y}).s ** 2).sum())(xs).sum()

    np.testing.assert_allclose(vmap(loss(f))(xs), vmap(loss(table))(xs))
    np.testing.assert_allclose(vmap(ad.grad(loss(f)))(xs), vmap(ad.grad(loss(table)))(xs))
    each = ad.grad(lambda xs: vmap(loss(f))(xs).sum())(xs)
    np.testing.assert_allclose(each, vmap(ad.grad(loss(table)))(xs))
    np.testing.assert_allclose(ad.grad(total(f))(Y), ad.grad(total(table))(Y))
    pushed = ad.jvp(vmap(loss(f)), (xs,), (xs,))[1]
    np.testing.assert_allclose(pushed, ad.jvp(vmap(loss(table)), (xs,), (xs,))[1])
    ad.check_grads(total(f), (Y,), order=2)


def test_vmap_of_a_function_that_is_not_adjoints_goes_one_by_one(rng):
    xs = rng.normal(size=(4, 2))
    f = custom(lambda x: np.asarray(np.sin(x)), vjp=lambda ct, x: ct * ad.cos(x))
    np.testing.assert_allclose(vmap(f)(xs), np.sin(xs))
    np.testing.assert_allclose(vmap(ad.grad(lambda x: f(x).sum()))(xs), np.cos(xs))


@pytest.mark.parametrize("rule", ["vjp", "jvp"])
def test_complex_functions_follow_the_convention(rule):
    z = np.array([1 + 2j, 0.5j])
    square = {"vjp": lambda ct, z: 2 * z * ct, "jvp": lambda t, z: 2 * z * t}[rule]
    ad.check_grads(custom(lambda z: z * z, **{rule: square}), (z,))
    turn = {"vjp": lambda ct, out: (1j * out * ct).real, "jvp": lambda t, out: 1j * out * t}[rule]
    ad.check_grads(custom(lambda x: ad.exp(1j * x), **{rule: turn}), (X,))


def test_a_decorator_keeps_name_doc_signature_and_op():
    @custom(vjp=lambda ct, x, power: ct * power * x ** (power - 1), static=["power"])
    def raised(x, power=2):
        """x to a power."""
        return x**power

    assert (raised.__name__, raised.__doc__, raised.op.name) == (
        "raised",
        "x to a power.",
        "raised",
    )
    assert ad.grad(raised, argnums="x")(3.0) == 6
    assert ad.grad(raised)(3.0, power=3) == ad.grad(raised)(3.0, 3) == 27
    assert "raised" not in OPS
    assert ad.Tensor(X).op is None and raised(ad.Tensor(X)).op is raised.op


def test_static_arguments_by_position_may_be_anything():
    f = custom(lambda g, x: g(x), vjp=lambda ct, g, x: ct * x, static=(0,))
    assert ad.grad(f, argnums=1)(ad.sin, 3.0) == 3


def test_star_arguments_are_containers():
    f = custom(lambda *xs, **named: sum(xs) * named["k"], vjp=lambda ct, xs, named: (
        tuple([ct * named["k"] for _ in xs]), {"k": ct * sum(xs)}))  # fmt: skip
    assert ad.grad(f, argnums=(0, 1))(2.0, 3.0, k=5.0) == (5, 5)


def test_integers_have_no_derivative_and_integer_outputs_leave_the_tape():
    @custom(vjp=lambda ct, x, i: (ad.where(np.arange(3) == i, ct[0], 0.0), None))
    def at(x, i):
        return x[i], np.argmax(x)

    x = np.array([1.0, 5.0, 2.0])
    np.testing.assert_array_equal(ad.grad(lambda x: at(x, 2)[0])(x), [0, 0, 1])
    value, place = at(ad.Tensor(x), 2)
    assert value.tracked and place == 1 and not isinstance(place, ad.Tensor)
    np.testing.assert_array_equal(ad.jvp(lambda x: at(x, 2)[0], (x,), (x,))[1], 2.0)


def test_none_is_zeros():
    f = custom(lambda x, y: {"a": x, "b": y}, vjp=lambda ct, x: (ct["a"], None))
    slopes = ad.grad(lambda x, y: (f(x, y)["a"] * f(x, y)["b"]).sum(), argnums=(0, 1))(X, Y)
    np.testing.assert_array_equal(slopes, [Y, [0, 0]])
    g = custom(lambda x: {"a": x, "b": x}, jvp=lambda t: {"a": t, "b": None})
    assert pushforward(lambda x: g(x)["b"] + g(x)["a"])(1.0) == 1
    assert ad.grad(lambda x: g(x)["b"] + g(x)["a"])(1.0) == 1


def test_aux_passes():
    f = custom(lambda x: {"y": x * x, "n": np.array(3)}, vjp=lambda ct, x: 2 * x * ct["y"])
    got = ad.grad(lambda x: (f(x)["y"], f(x)["n"]), has_aux=True)(3.0)
    assert got == (6, 3)


def test_a_tracked_value_of_an_outer_level_is_differentiated_through_the_function():
    def mixed(w):
        return ad.grad(custom(lambda x: x * x * w, vjp=lambda ct, x: 2 * ct * x * w))(3.0)

    assert ad.grad(mixed)(5.0) == 6
    w = ad.Tensor(5.0)
    mixed(w).backward()
    assert w.grad == 6


# What is kept


def test_only_what_a_rule_names_is_kept():
    def kept(rule, names):
        f = custom(lambda x, y: x * y, vjp=rule)
        node = f(ad.Tensor(X) * 1.0, ad.Tensor(Y) * 1.0).node
        held = node[5] if type(node[5]) is tuple else (node[5],)
        found = [x is not None for x in held[0]] if "xs" in f.op.keep else []
        assert found == names, f.op.keep

    kept(lambda ct: (ct, ct), [])
    kept(lambda ct, y: (ct * y, None), [False, True])
    kept(lambda ct, x, y: (ct * y, ct * x), [True, True])


def test_a_custom_function_is_one_op_and_no_cycle():
    f = custom(lambda x: x * x, vjp=lambda ct, x: 2 * x * ct)
    before = len(OPS)
    assert f(ad.Tensor(X)).op is f(ad.Tensor(Y)).op and len(OPS) == before
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            f = custom(lambda x: x * x, vjp=lambda ct, x: 2 * x * ct)
            f(ad.Tensor(X)).sum().backward()
        del f
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_users_arrays_are_not_handed_out():
    mine = np.ones(2)
    f = custom(lambda x: x, vjp=lambda ct: mine)
    ad.grad(lambda x: f(x).sum())(X)[...] = 7
    x = ad.Tensor(X.copy())
    f(x).sum().backward()
    x.grad[...] = 7
    assert mine.tolist() == [1, 1]


@custom(vjp=lambda ct, x: 2 * ct * x)
def module_level(x):
    return x * x


def test_a_decorated_function_is_pickled_by_name():
    assert pickle.loads(pickle.dumps(module_level)) is module_level


# Errors


def test_a_rule_that_names_what_is_not_there_is_refused_at_once():
    with pytest.raises(DeclarationError, match="the vjp of `wave` names `z`; `wave` has x, out"):
        custom(wave, vjp=lambda ct, z: ct)
    with pytest.raises(DeclarationError, match="needs a rule for `wave`"):
        custom(wave)
    with pytest.raises(DeclarationError, match="no parameter 'y' to be static; it has x"):
        custom(wave, vjp=lambda ct: ct, static="y")
    with pytest.raises(DeclarationError, match="rename the parameter"):
        custom(lambda out: out, vjp=lambda ct: ct)


@pytest.mark.parametrize(
    ("f", "rule", "said"),
    [
        (
            lambda x: x.sum(),
            dict(vjp=lambda ct: ct),
            r"for x, float64\(2,\), a cotangent float64\(",
        ),
        (
            lambda x: x.sum(),
            dict(jvp=lambda t: t),
            r"for output, float64\(\), a tangent float64\(2",
        ),
        (lambda x: {"a": x}, dict(vjp=lambda ct: ct), r"must return the structure \*; it returned"),
        (lambda x: {"a": x}, dict(jvp=lambda t: t), r"must return the structure {'a': \*}; it"),
        (lambda x: x, dict(vjp=lambda ct: ct * 1j), "complex128.* Return its real part"),
    ],
)
def test_what_a_rule_returns_is_checked(f, rule, said):
    total = custom(f, **rule)

    def loss(x):
        y = total(x)
        return (y["a"] if isinstance(y, dict) else y).sum()

    for derive in (lambda: ad.grad(loss)(X), lambda: ad.jvp(loss, (X,), (X,))):
        with pytest.raises((ShapeError, DataError), match=said):
            derive()


def test_a_tuple_of_cotangents_is_asked_for():
    f = custom(lambda x, y: x * y, vjp=lambda ct, y: ct * y)
    with pytest.raises(ShapeError, match="a tuple of 2 cotangents, for x, y; it returned"):
        ad.grad(lambda x: f(x, Y).sum())(X)


@pytest.mark.parametrize("rule", [lambda ct: np.asarray(ct), lambda ct: float(ct[0]) * X])
def test_a_vjp_that_cannot_be_transposed_is_explained(rule):
    f = custom(lambda x: x, vjp=rule)
    with pytest.raises(NoRuleError, match="a vjp alone; its jvp is the vjp transposed, and that"):
        ad.jvp(f, (X,), (X,))


def test_what_a_rule_does_not_name_may_change():
    x, y = ad.Tensor(np.ones(3)), ad.Tensor(np.full(3, 2.0))
    f = custom(lambda x, y: x * y, vjp=lambda ct, y: (ct * y, None))
    z = f(x, y).sum()
    x.data += 1.0
    z.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 2.0, 2.0])
    z = f(x, y).sum()
    y.data += 1.0
    with pytest.raises(ad.errors.MutationError, match="input of"):
        z.backward()


def test_a_tracked_value_that_is_no_argument_is_refused():
    w = ad.Tensor(2.0)
    f = custom(lambda x: x * w, vjp=lambda ct: ct)
    with pytest.raises(DataError, match="not among its arguments"):
        f(ad.Tensor(1.0))
    with pytest.raises(DataError, match="not among its arguments"):
        ad.grad(lambda v: custom(lambda x: x * v, vjp=lambda ct: ct)(v))(1.0)
    with pytest.raises(DataError, match="not among its arguments"):
        vmap(lambda v: custom(lambda x: x * v, vjp=lambda ct: ct)(v))(X)


def test_arguments_that_are_no_arrays_are_refused():
    f = custom(lambda x, how: x, vjp=lambda ct: (ct, None))
    with pytest.raises(DataError, match=r"how is a str\. Name the argument in `static`"):
        f(1.0, "fast")
    g = custom(lambda x, k: x * k, vjp=lambda ct: ct, static="k")
    with pytest.raises(DataError, match="tracked value for its static argument `k`"):
        g(1.0, ad.Tensor(2.0))


def test_errors_of_the_function_come_out_as_they_are():
    def broken(x):
        raise KeyError("mine")

    f = custom(broken, vjp=lambda ct: ct)
    for call in (lambda: f(1.0), lambda: ad.grad(f)(1.0)):
        with pytest.raises(KeyError, match="mine"):
            call()


def test_errors_of_a_rule_say_whose_it_is():
    f = custom(wave, vjp=lambda ct: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        ad.grad(f)(1.0)
    assert caught.value.__notes__ == ["in the vjp of `wave`"]


# Gradients cut, turned and clipped


def test_stop_gradient_is_a_constant_at_every_level_of_a_container():
    def f(x):
        held = stop_gradient({"x": x, "name": "a"})
        return x * held["x"] * (held["name"] == "a")

    assert ad.grad(f)(3.0) == 3
    assert ad.grad(ad.grad(lambda x: x * x * stop_gradient(x)))(3.0) == 6
    assert ad.jvp(f, (3.0,), (1.0,)) == (9, 3)
    np.testing.assert_array_equal(vmap(ad.grad(f))(X), X)
    assert stop_gradient([1.0, "a", None]) == [1.0, "a", None]


@pytest.mark.parametrize("f", [np.round, lambda x: x > 0.4, ad.floor])
def test_straight_through_is_the_identity_to_derivatives(f):
    g = straight_through(f)
    np.testing.assert_array_equal(g(X), f(X))
    np.testing.assert_array_equal(ad.grad(lambda x: (g(x) * Y).sum())(X), Y)
    np.testing.assert_array_equal(ad.jvp(g, (X,), (Y,))[1], Y)
    np.testing.assert_array_equal(vmap(g)(X), f(X))
    np.testing.assert_array_equal(vmap(ad.grad(lambda x: g(x) ** 2))(X), 2.0 * f(X))
    assert ad.grad(ad.grad(lambda x: g(x) ** 2))(2.7) == 2


def test_straight_through_takes_containers_and_checks_shapes():
    g = straight_through(lambda t: {"a": np.round(t["a"])})
    assert ad.grad(lambda t: 3 * g(t)["a"])({"a": 2.7}) == {"a": 3}
    with pytest.raises(ShapeError, match=r"shape of its input, \(2,\) at x; `sum` returned \(\)"):
        straight_through(ad.sum)(X)
    with pytest.raises(ShapeError, match="structure of its input"):
        straight_through(lambda x: (x, x))(X)


def test_reverse_gradient_turns_both_modes():
    def f(x):
        x = reverse_gradient({"x": x}, 0.5)["x"]
        return (x * x).sum()

    assert f(X) == (X * X).sum()
    np.testing.assert_allclose(ad.grad(f)(X), -X)
    np.testing.assert_allclose(ad.jvp(f, (X,), (Y,))[1], -(X * Y).sum())
    assert ad.grad(ad.grad(lambda x: reverse_gradient(x) ** 3))(2.0) == 12


def test_clip_gradient_bounds_the_cotangent():
    x = np.array([3.0, -4.0, 0.1])
    clipped = ad.grad(lambda x: (clip_gradient(x, -1, 2) ** 2).sum())(x)
    np.testing.assert_allclose(clipped, [2, -1, 0.2])
    np.testing.assert_allclose(ad.grad(lambda x: (clip_gradient(x, high=2) ** 2).sum())(x)[1], -8)
    np.testing.assert_array_equal(ad.jvp(lambda x: clip_gradient(x, -1, 1), (x,), (x,))[1], x)
    assert ad.grad(ad.grad(lambda x: clip_gradient(x, -1, 1) ** 2))(3.0) == 0
    each = vmap(ad.grad(lambda x: clip_gradient(x, -1, 2) ** 2))(x)
    np.testing.assert_allclose(each, [2, -1, 0.2])


def test_clip_gradient_by_norm_takes_all_leaves_together():
    def loss(t):
        t = clip_gradient(t, norm=1.0)
        return 3 * t["a"] + 4 * t["b"][0]

    slopes = ad.grad(loss)({"a": 0.0, "b": [0.0]})
    np.testing.assert_allclose([slopes["a"], slopes["b"][0]], [0.6, 0.8])
    small = ad.grad(lambda x: 0.5 * clip_gradient(x, norm=1.0))(0.0)
    assert small == 0.5
    assert ad.grad(ad.grad(lambda x: clip_gradient(x, norm=9.0) ** 2))(0.0) == 2
    turned = ad.grad(lambda z: ad.abs(clip_gradient(z, norm=1.0)) ** 2)(3 + 4j)
    np.testing.assert_allclose(turned, 0.6 - 0.8j)


def test_clip_gradient_wants_bounds_or_a_norm():
    for wrong in (dict(), dict(low=0, norm=1.0)):
        with pytest.raises(DataError, match="needs bounds `low` and `high`, or a `norm`"):
            clip_gradient(X, **wrong)
    with pytest.raises(DataError, match="positive norm; it was given 0"):
        clip_gradient(X, norm=0)


# Black boxes


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumericDerivativeWarning)
        yield


def box(x, p):
    assert not isinstance(x, ad.Tensor)
    return {"y": np.sin(x) * p["k"], "s": x.sum()}


def test_a_black_box_warns_once():
    f = numeric(lambda x: float(x) ** 2)
    with pytest.warns(NumericDerivativeWarning, match="finite differences, at 2 calls"):
        np.testing.assert_allclose(ad.grad(f)(3.0), 6, rtol=1e-9)
    np.testing.assert_allclose(ad.grad(f)(4.0), 8, rtol=1e-9)
    assert f(3.0) == 9


@pytest.mark.usefixtures("quiet")
def test_a_black_box_is_differentiated_in_both_modes():
    f = numeric(box)
    ad.check_grads(f, (X, {"k": Y}), order=1, rtol=1e-6, modes=["rev"])
    ad.check_grads(f, (X, {"k": Y}), order=1, rtol=1e-6, modes=["fwd"])
    z = np.array([1 + 2j, 0.5j])
    ad.check_grads(numeric(lambda z: z * z), (z,), order=1, rtol=1e-6, modes=["rev"])
    single = ad.grad(numeric(lambda x: (x * x).sum()))(X.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, 2 * X, rtol=1e-2)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("a", MODES)
@pytest.mark.parametrize("b", MODES)
def test_a_black_box_is_differentiated_twice(a, b):
    f = numeric(lambda x: np.sin(x), eps=1e-4)
    np.testing.assert_allclose(MODES[a](MODES[b](f))(0.7), -np.sin(0.7), rtol=1e-5)


@pytest.mark.usefixtures("quiet")
def test_a_black_box_is_mapped_one_by_one(rng):
    xs = rng.normal(size=(4, 2))
    f = numeric(lambda x: float((x * x).sum()))
    np.testing.assert_allclose(vmap(f)(xs), (xs * xs).sum(1))
    np.testing.assert_allclose(vmap(ad.grad(f))(xs), 2 * xs, rtol=1e-6)


@pytest.mark.usefixtures("quiet")
def test_a_gradient_of_a_black_box_costs_two_calls_an_element():
    calls = []
    f = numeric(lambda x, how: (calls.append(how), (x * x).sum())[1], static="how")
    ad.grad(f)(np.ones(5), "a")
    assert len(calls) == 1 + 2 * 5
