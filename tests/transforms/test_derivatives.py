"""The value, the gradient, the pullback and the pushforward of a function."""

import functools
import inspect
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import CotangentError, DataError, NotScalarError, ShapeError

Point = namedtuple("Point", "x y")


@dataclass
class Layer:
    weight: Any
    bias: Any


def product(a, b, c=1.0):
    return a * b * c


def plain(value):
    return isinstance(value, (np.ndarray, np.generic))


# grad and value_and_grad


def test_grad_is_the_gradient_and_value_and_grad_both():
    x = np.array([1.0, 2.0])
    value, slope = ad.value_and_grad(lambda x: (x * x * x).sum())(x)
    assert value == 9
    assert plain(value)
    assert plain(slope)
    np.testing.assert_array_equal(slope, [3.0, 12.0])
    np.testing.assert_array_equal(ad.grad(lambda x: (x * x * x).sum())(x), slope)


@pytest.mark.parametrize(
    ("argnums", "want"),
    [
        (0, 15.0), (1, 10.0), (2, 6.0), (-1, 6.0), (-3, 15.0), ("a", 15.0), ("c", 6.0),
        ((0,), (15.0,)), ((0, 1), (15.0, 10.0)), ((2, "a", -2), (6.0, 15.0, 10.0)),
        ([0, 2], (15.0, 6.0)), (np.int64(1), 10.0), ((), ()),
    ],
    ids=str,
)  # fmt: skip
def test_argnums_are_positions_or_names_or_several(argnums, want):
    assert ad.grad(product, argnums)(2.0, 3.0, 5.0) == want
    value, slope = ad.value_and_grad(product, argnums=argnums)(2.0, 3.0, 5.0)
    assert (value, slope) == (30.0, want)


@pytest.mark.parametrize("argnums", [3, -4, "d", (0, 3), (0, "d"), 1.5, None, "", (0, (1,))])
@pytest.mark.parametrize("derive", [ad.grad, ad.value_and_grad])
def test_unknown_argnums_are_refused(derive, argnums):
    with pytest.raises(
        (ShapeError, TypeError), match=rf"`{derive.__name__}` was asked for argument"
    ):
        derive(product, argnums)(2.0, 3.0, 5.0)


@pytest.mark.parametrize("argnums", [(0, 0), (0, "a"), (1, -2)])
def test_an_argument_asked_for_twice_is_given_twice_or_refused(argnums):
    try:
        one, two = ad.grad(product, argnums)(2.0, 3.0, 5.0)
    except ShapeError:
        return
    assert one == two != 0


def test_arguments_given_by_name_are_differentiated_by_name():
    assert ad.grad(product, "b")(2.0, b=3.0, c=5.0) == 10
    assert ad.grad(product, ("c", "a"))(a=2.0, b=3.0, c=5.0) == (6.0, 15.0)
    assert ad.grad(product, "c")(2.0, 3.0, c=5.0) == 6
    assert ad.grad(product, "c")(2.0, c=5.0, b=3.0) == 6


def test_a_keyword_only_argument_is_differentiated_by_name():
    def f(a, *, scale, **others):
        return a * scale * others["more"]

    assert ad.grad(f, "scale")(2.0, scale=3.0, more=4.0) == 8
    assert ad.grad(f, ("scale", "a"))(2.0, scale=3.0, more=4.0) == (8.0, 12.0)
    assert ad.grad(f, "more")(2.0, scale=3.0, more=4.0) == 6


def test_an_argument_that_was_not_given_is_refused():
    for argnums in ("c", 2, -3):
        with pytest.raises(ShapeError, match="argument"):
            ad.grad(product, argnums)(2.0, 3.0)


def test_other_arguments_are_constants_and_reach_the_function_unchanged():
    seen = []

    def f(x, n, *, mode):
        seen.append((n, mode))
        return x**n

    assert ad.grad(f)(3.0, 2, mode="fast") == 6
    assert seen == [(2, "fast")]
    assert type(seen[0][0]) is int


def test_has_aux_returns_what_else_the_function_returns():
    def f(x):
        y = x * x
        return y.sum(), {"y": y, "note": "a", "n": None}

    x = np.array([1.0, 2.0])
    slope, aux = ad.grad(f, has_aux=True)(x)
    (value, again), same = ad.value_and_grad(f, has_aux=True)(x)
    np.testing.assert_array_equal(slope, [2.0, 4.0])
    np.testing.assert_array_equal(same, slope)
    np.testing.assert_array_equal(aux["y"], [1.0, 4.0])
    assert (value, aux["note"], aux["n"]) == (5.0, "a", None)
    assert plain(aux["y"])
    assert again.keys() == aux.keys()


@pytest.mark.parametrize("derive", [ad.grad, ad.value_and_grad])
def test_has_aux_needs_a_pair(derive):
    for f in (lambda x: x, lambda x: (x, 1, 2), lambda x: [x, 1]):
        with pytest.raises(ShapeError, match="pair"):
            derive(f, has_aux=True)(1.0)


CONTAINERS = {
    "dict": {"w": np.ones(3), "b": 2.0},
    "list": [np.ones(3), 2.0],
    "tuple": (np.ones(3), 2.0),
    "namedtuple": Point(np.ones(3), 2.0),
    "dataclass": Layer(np.ones(3), 2.0),
    "nested": {"layers": [Layer(np.ones(3), (1.0, None)), {"w": Point(2.0, [3.0])}]},
    "with None": [np.ones(3), None, 2.0],
    "empty inside": [np.ones(3), [], {}, 1.0],
}


def squares(tree):
    parts = [0.0]
    ad.tree_map(lambda x: parts.append(ad.sum(x * x)), tree)
    return sum(parts)


@pytest.mark.parametrize("tree", CONTAINERS.values(), ids=CONTAINERS)
def test_gradients_come_in_the_container_of_the_argument(tree):
    slope = ad.grad(squares)(tree)
    want = ad.tree_map(lambda x: 2 * x, tree)
    assert type(slope) is type(tree)
    ad.tree_map(np.testing.assert_array_equal, slope, want)


def test_arguments_that_are_not_used_have_zero_gradients():
    used, unused = ad.grad(lambda a, b: a.sum(), (0, 1))(np.ones(3), np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(used, np.ones(3))
    np.testing.assert_array_equal(unused, np.zeros((2, 2)))
    assert unused.dtype == np.float32
    assert ad.grad(lambda x: 3.0)(1.0) == 0
    assert ad.grad(lambda d: d["a"])({"a": 1.0, "b": 2.0}) == {"a": 1.0, "b": 0.0}


def test_integers_and_truth_values_are_promoted():
    for x in (3, True, np.int8(3), np.array(3), np.array([3, 4], np.uint8)):
        slope = ad.grad(lambda x: ad.sum(x * x))(x)
        assert slope.dtype == np.float64
        np.testing.assert_array_equal(slope, 2.0 * np.asarray(x))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_precisions_are_kept(dtype):
    x = np.ones(3, dtype)
    value, slope = ad.value_and_grad(lambda x: (2.0 * x * x).sum())(x)
    assert value.dtype == slope.dtype == dtype
    y, t = ad.jvp(lambda x: 2.0 * x, (x,), (np.ones(3),))
    assert y.dtype == t.dtype == dtype


@pytest.mark.parametrize("x", [2.0, 2, np.float32(2), np.array(2.0), np.ones(3), np.ones((0, 2))])
def test_a_gradient_has_the_shape_of_its_argument(x):
    slope = ad.grad(lambda x: ad.sum(x * x))(x)
    assert np.shape(slope) == np.shape(x)
    assert type(slope) is np.ndarray or slope.shape == ()


def test_the_arrays_of_the_caller_are_left_alone():
    x = np.ones(3)
    slope = ad.grad(lambda x: x.sum())(x)
    slope[:] = 7
    np.testing.assert_array_equal(x, np.ones(3))


def test_a_function_returns_what_it_likes_of_scalars():
    assert ad.grad(lambda x: ad.sum(x, axis=0))(np.ones(1)).shape == (1,)
    with pytest.raises(NotScalarError, match=r"shape \(1,\)"):
        ad.grad(lambda x: x)(np.ones(1))


@pytest.mark.parametrize(
    ("f", "got"),
    [
        (lambda x: x, r"returned shape \(3,\)"),
        (lambda x: x[None], r"returned shape \(1, 3\)"),
        (lambda x: (x.sum(), x.sum()), "returned a tuple"),
        (lambda x: [x.sum()], "returned a list"),
        (lambda x: {"loss": x.sum()}, "returned a dict"),
        (lambda x: None, "returned a NoneType"),
        (lambda x: Point(x.sum(), 1), "returned a Point"),
        (lambda x: x.sum() > 0, "returned dtype bool"),
        (lambda x: "loss", "returned dtype"),
        (lambda x: x.sum() * 1j, "returned dtype complex128.*holomorphic"),
    ],
)
@pytest.mark.parametrize("derive", [ad.grad, ad.value_and_grad])
def test_only_one_real_number_has_a_gradient(derive, f, got):
    with pytest.raises(
        NotScalarError, match=rf"`{derive.__name__}` needs a .* output; `<lambda>` {got}"
    ):
        derive(f)(np.ones(3))


def test_the_error_names_the_function_and_the_way_out():
    def loss(x):
        return x

    with pytest.raises(NotScalarError, match=r"`loss`.*Use `jacobian`, or `vjp` with a cotangent"):
        ad.grad(loss)(np.ones(3))


@pytest.mark.parametrize("bad", ["one", object(), np.array(["a"]), {"a": [1.0, "b"]}, {1, 2}, len])
def test_what_has_no_derivative_is_named_with_its_place(bad):
    with pytest.raises(DataError, match="`grad`"):
        ad.grad(lambda x: 1.0)(bad)
    with pytest.raises(DataError, match="`vjp`"):
        ad.vjp(lambda x: 1.0, bad)
    with pytest.raises(DataError, match="`jvp`"):
        ad.jvp(lambda x: 1.0, (bad,), (bad,))


def test_the_place_of_a_bad_leaf_is_told():
    with pytest.raises(DataError, match=r"\[0\]\['a'\]\[1\]"):
        ad.grad(lambda x: 1.0)({"a": [1.0, "b"]})


def test_derived_functions_are_named_after_the_function():
    def loss(x):
        """How wrong x is."""
        return x

    for derive in (ad.grad, ad.value_and_grad):
        assert derive(loss).__name__ == "loss"
        assert "How wrong x is." in inspect.getdoc(derive(loss))
    assert ad.grad(ad.sin)(0.0) == 1


def test_any_callable_is_differentiated():
    class Model:
        def __call__(self, x):
            return x * x

        def method(self, x):
            return x * x * x

    assert ad.grad(Model())(3.0) == 6
    assert ad.grad(Model().method)(3.0) == 27
    assert ad.grad(functools.partial(product, 2.0))(3.0, 5.0) == 10


# Complex numbers


def test_the_gradient_of_a_real_loss_of_complex_numbers():
    """∂f/∂Re - i ∂f/∂Im, the conjugate of PyTorch's."""
    z = 1 + 2j
    assert ad.grad(lambda z: ad.real(z * ad.conj(z)))(z) == 2 - 4j
    np.testing.assert_allclose(ad.grad(lambda z: ad.square(ad.abs(z)))(z), 2 - 4j)
    assert ad.grad(ad.real)(z) == 1
    assert ad.grad(ad.imag)(z) == -1j


def test_a_holomorphic_function_has_its_derivative():
    z = 0.5 + 0.25j
    for f, slope in (
        (ad.exp, np.exp),
        (ad.sin, np.cos),
        (lambda z: z * z * z, lambda z: 3 * z * z),
    ):
        np.testing.assert_allclose(ad.grad(f, holomorphic=True)(z), slope(z))
    second = ad.grad(ad.grad(ad.exp, holomorphic=True), holomorphic=True)
    np.testing.assert_allclose(second(z), np.exp(z))


def test_holomorphic_needs_a_complex_output():
    with pytest.raises(NotScalarError, match="complex output"):
        ad.grad(ad.real, holomorphic=True)(1j)
    with pytest.raises(NotScalarError, match="holomorphic=True"):
        ad.grad(ad.exp)(1j)


# vjp


def test_a_pullback_gives_one_cotangent_a_primal():
    y, pullback = ad.vjp(lambda a, b: a * b, np.array([1.0, 2.0]), 3.0)
    np.testing.assert_array_equal(y, [3.0, 6.0])
    da, db = pullback(np.array([1.0, 10.0]))
    np.testing.assert_array_equal(da, [3.0, 30.0])
    assert db == 21
    assert all(map(plain, (y, da, db)))


def test_a_pullback_is_called_again_and_again():
    _, pullback = ad.vjp(lambda x: ad.exp(x) * x, np.ones(2))
    (first,) = pullback([1.0, 2.0])
    for _ in range(3):
        np.testing.assert_array_equal(pullback([1.0, 2.0])[0], first)


def test_a_pullback_takes_a_cotangent_of_the_structure_of_the_output():
    def f(p):
        return {"sum": p.x + p.y, "rest": (p.x * p.y, None, 5.0)}

    y, pullback = ad.vjp(f, Point(2.0, 3.0))
    assert y == {"sum": 5.0, "rest": (6.0, None, 5.0)}
    (slope,) = pullback({"sum": 1.0, "rest": (10.0, None, 7.0)})
    assert slope == Point(31.0, 21.0)


@pytest.mark.parametrize("bad", [{"a": 1.0}, [1.0, 1.0], 1.0, {"a": 1.0, "b": [1.0]}, None])
def test_a_cotangent_of_another_structure_is_refused(bad):
    _, pullback = ad.vjp(lambda x: {"a": x, "b": x}, 1.0)
    with pytest.raises(ShapeError, match=r"cotangent of the structure|cotangent given"):
        pullback(bad)


@pytest.mark.parametrize("bad", [1.0, np.ones(2), np.ones((3, 1)), np.ones((1, 3))])
def test_a_cotangent_of_another_shape_is_refused(bad):
    _, pullback = ad.vjp(lambda x: x * 2, np.ones(3))
    with pytest.raises(ShapeError, match=r"the pullback` has shape .* output has shape \(3,\)"):
        pullback(bad)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1j, "one"])
def test_a_cotangent_that_is_not_a_finite_number_of_its_kind_is_refused(bad):
    _, pullback = ad.vjp(lambda x: x * 2, 1.0)
    with pytest.raises(CotangentError, match="the pullback"):
        pullback(bad)
    assert pullback(1.0) == (2.0,)


def test_outputs_that_are_inputs_or_constants_pull_back():
    y, pullback = ad.vjp(lambda a, b: (a, a, 1.0, b), 2.0, 3.0)
    assert y == (2.0, 2.0, 1.0, 3.0)
    assert pullback((1.0, 10.0, 5.0, 7.0)) == (11.0, 7.0)


def test_one_output_given_twice_pulls_back_twice():
    def f(x):
        y = x * x
        return y, y

    assert ad.vjp(f, 3.0)[1]((1.0, 10.0)) == (66.0,)


def test_vjp_has_aux():
    y, pullback, aux = ad.vjp(lambda x: (x * x, [x, "note"]), 3.0, has_aux=True)
    assert (y, aux) == (9.0, [3.0, "note"])
    assert plain(aux[0])
    assert pullback(1.0) == (6.0,)


# jvp


def test_jvp_is_the_value_and_the_directional_derivative():
    y, t = ad.jvp(lambda a, b: a * b, (np.array([1.0, 2.0]), 3.0), (np.array([1.0, 0.0]), 1.0))
    np.testing.assert_array_equal(y, [3.0, 6.0])
    np.testing.assert_array_equal(t, [4.0, 2.0])
    assert plain(y)
    assert plain(t)


def test_jvp_of_containers():
    y, t = ad.jvp(
        lambda p: {"a": p.x * p.y, "b": [p.x, None, 1.0]}, (Point(2.0, 3.0),), (Point(1.0, 10.0),)
    )
    assert y == {"a": 6.0, "b": [2.0, None, 1.0]}
    assert t == {"a": 23.0, "b": [1.0, None, 0.0]}


@pytest.mark.parametrize("bad", [1.0, np.ones(2), np.ones((1, 3)), np.ones((3, 1))])
def test_a_tangent_of_another_shape_is_refused(bad):
    with pytest.raises(ShapeError, match=r"tangent .* for the primal float64\(3,\) at \[0\]"):
        ad.jvp(lambda x: x, (np.ones(3),), (bad,))


def test_a_tangent_of_another_kind_is_refused():
    with pytest.raises(CotangentError, match=r"complex tangent for the real primal at \[0\]"):
        ad.jvp(lambda x: x, (1.0,), (1j,))
    with pytest.raises(DataError, match="`jvp`"):
        ad.jvp(lambda x: x, (1.0,), ("one",))


@pytest.mark.parametrize("bad", [[1.0], (1.0, 2.0), 1.0, ({"b": 1.0},), ()])
def test_tangents_of_another_structure_are_refused(bad):
    with pytest.raises(ShapeError, match="`jvp` needs a tangent of the structure of"):
        ad.jvp(lambda x: x["a"], ({"a": 1.0},), bad)


def test_tangents_take_the_dtype_of_their_primals():
    y, t = ad.jvp(lambda x: x * x, (np.float32(3),), (1,))
    assert y.dtype == t.dtype == np.float32
    assert ad.jvp(lambda x: x * x, (3,), (1,)) == (9.0, 6.0)


def test_what_does_not_move_has_a_zero_tangent():
    y, t = ad.jvp(lambda x: (np.ones(3), 2.0, x.detach()), (1.0,), (1.0,))
    np.testing.assert_array_equal(t[0], np.zeros(3))
    assert (t[1], t[2]) == (0.0, 0.0)
    assert y[1:] == (2.0, 1.0)


def test_jvp_has_aux():
    y, t, aux = ad.jvp(lambda x: (x * x, {"x": x}), (3.0,), (1.0,), has_aux=True)
    assert (y, t, aux) == (9.0, 6.0, {"x": 3.0})


def test_broadcast_outputs_have_tangents_of_their_shape():
    y, t = ad.jvp(lambda x: x + np.zeros((2, 3)), (1.0,), (1.0,))
    assert y.shape == t.shape == (2, 3)
    np.testing.assert_array_equal(t, np.ones((2, 3)))


@pytest.mark.parametrize("f", [ad.exp, lambda x: x @ x[:, None], lambda x: ad.cumsum(x)[::-1] * x])
def test_the_two_modes_are_adjoint(f, rng):
    x, v = rng.normal(size=(2, 4))
    y, t = ad.jvp(f, (x,), (v,))
    w = rng.normal(size=y.shape)
    (g,) = ad.vjp(f, x)[1](w)
    np.testing.assert_allclose(np.sum(w * t), np.sum(g * v))


@pytest.mark.parametrize("out", ["text", object()], ids=["text", "object"])
@pytest.mark.parametrize("where", ["alone", "in a dict"])
def test_an_output_that_is_no_number_is_refused(out, where):
    def f(x):
        return out if where == "alone" else {"a": x, "b": out}

    says = "needs numbers as outputs; `f` returned" + (".*b" if where != "alone" else "")
    for run in (lambda: ad.vjp(f, 1.0), lambda: ad.jvp(f, (1.0,), (1.0,))):
        with pytest.raises(DataError, match=says):
            run()
