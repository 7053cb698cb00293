"""Transforms inside transforms: each follows its own variable and nobody else's."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import ConversionError


def pushforward(f):
    """The derivative of a function of one number, by forward mode."""
    return lambda x: ad.jvp(f, (x,), (1.0,))[1]


def pullback(f):
    return lambda x: ad.vjp(f, x)[1](1.0)[0]


MODES = {"grad": ad.grad, "jvp": pushforward, "vjp": pullback}
pairs = pytest.mark.parametrize(
    ("outer", "inner"),
    [(a, b) for a in MODES.values() for b in MODES.values()],
    ids=[f"{a} of {b}" for a in MODES for b in MODES],
)


@pairs
def test_perturbations_are_not_confused(outer, inner):
    """d/dx [x · d/dy (x + y)] = 1, where confusion gives 2 (Siskind & Pearlmutter 2005)."""
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1


@pairs
def test_an_inner_variable_at_the_outer_value_is_another_variable(outer, inner):
    """d/dx [x · (d/dy x·y²) at y = x] = d/dx 2x³ = 6x²."""
    assert outer(lambda x: x * inner(lambda y: x * y * y)(x))(3.0) == 54


@pairs
def test_a_function_that_ignores_the_inner_variable_has_no_derivative(outer, inner):
    assert outer(lambda x: x * x + inner(lambda y: x * 3.0)(x))(2.0) == 4


@pairs
def test_second_derivatives_agree(outer, inner):
    got = outer(inner(lambda x: ad.exp(x) * ad.sin(x)))(0.3)
    np.testing.assert_allclose(got, 2 * np.exp(0.3) * np.cos(0.3))


@pytest.mark.parametrize("a", MODES)
@pytest.mark.parametrize("b", MODES)
@pytest.mark.parametrize("c", MODES)
def test_third_derivatives_agree(a, b, c):
    f = MODES[a](MODES[b](MODES[c](lambda x: ad.sin(2 * x) / x)))
    x = 0.7
    s, co = np.sin(2 * x), np.cos(2 * x)
    want = -8 * co / x + 12 * s / x**2 + 12 * co / x**3 - 6 * s / x**4
    np.testing.assert_allclose(f(x), want)


def test_the_seventh_derivative_is_right():
    f = ad.sin
    for k in range(1, 8):
        f = ad.grad(f)
        want = (np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x))[k % 4](0.5)
        np.testing.assert_allclose(f(0.5), want)


def test_a_hessian_vector_product_in_three_ways(rng):
    x, v = rng.normal(size=(2, 4))

    def f(x):
        return (ad.tanh(x) * x[::-1]).sum()

    forward_over_reverse = ad.jvp(ad.grad(f), (x,), (v,))[1]
    reverse_over_forward = ad.grad(lambda x: ad.jvp(f, (x,), (v,))[1])(x)
    reverse_over_reverse = ad.grad(lambda x: (ad.grad(f)(x) * v).sum())(x)
    np.testing.assert_allclose(reverse_over_forward, forward_over_reverse)
    np.testing.assert_allclose(reverse_over_reverse, forward_over_reverse)


def test_one_function_differentiated_by_two_variables_in_turn():
    mixed = ad.grad(lambda y: ad.grad(lambda x: x * x * y * y * y)(2.0))(3.0)
    assert mixed == 2 * 2 * 3 * 9


@pytest.mark.parametrize("inner", MODES.values(), ids=MODES)
def test_an_eager_tensor_inside_a_transform_is_tracked(inner):
    """d/dw [d/dx (w·x²) at x = 3] = 6."""
    w = ad.Tensor(2.0)
    slope = inner(lambda x: w * x * x)(3.0)
    assert slope.detach().data == 12
    slope.backward()
    assert w.grad == 6


def test_an_eager_tensor_may_be_the_argument_of_a_transform():
    x = ad.Tensor(np.array([1.0, 2.0]))
    slope = ad.grad(lambda x: (x * x * x).sum())(x)
    slope.sum().backward()
    np.testing.assert_array_equal(x.grad, [6.0, 12.0])
    y, t = ad.jvp(lambda x: x * x, (ad.Tensor(3.0).detach(),), (1.0,))
    assert (y, t) == (9.0, 6.0)


def test_the_gradient_of_an_eager_tensor_is_not_touched_by_a_transform():
    w = ad.Tensor(2.0)
    (w * 5.0).backward()
    ad.grad(lambda x: x * w.detach())(1.0)
    assert w.grad == 5


def test_an_eager_backward_inside_a_transform_is_its_own():
    w = ad.Tensor(2.0)

    def f(x):
        w.zero_grad()
        (w * w * 3.0).backward()
        return x * x + w.grad

    assert ad.grad(f)(1.0) == 2
    assert w.grad == 12


def test_a_tensor_made_inside_a_transform_is_a_constant_to_it():
    def f(x):
        y = ad.Tensor(2.0)
        z = y * y
        z.backward()
        return x * y.grad

    assert ad.grad(f)(5.0) == 4


def test_a_transform_inside_a_transform_of_arrays(rng):
    a, x = rng.normal(size=(3, 3)), rng.normal(size=3)

    def energy(x):
        return x @ a @ ad.tanh(x)

    def flow(x):
        return (ad.grad(energy)(x) ** 2).sum()

    ad.check_grads(flow, (x,), order=1)


def test_detach_is_a_constant_at_every_level():
    assert ad.grad(lambda x: x * x.detach())(3.0) == 3
    assert ad.grad(ad.grad(lambda x: x * x * x.detach()))(3.0) == 6
    assert ad.jvp(lambda x: x * x.detach(), (3.0,), (1.0,)) == (9.0, 3.0)
    assert ad.grad(lambda x: ad.grad(lambda y: y * x.detach())(2.0) * x)(3.0) == 3


def test_no_grad_inside_a_function_makes_constants():
    def f(x):
        with ad.no_grad():
            y = x * x
        return y * x

    assert ad.grad(f)(3.0) == 9
    assert ad.vjp(f, 3.0)[1](1.0) == (9.0,)
    assert ad.jvp(f, (3.0,), (1.0,)) == (27.0, 9.0)
    assert ad.grad(ad.grad(lambda x: f(x) * x))(3.0) == 2 * 9


@pytest.mark.parametrize("derive", MODES.values(), ids=MODES)
def test_no_grad_around_a_transform_does_not_turn_it_off(derive):
    """A gradient of zero would be silently wrong."""
    with ad.no_grad():
        assert derive(lambda x: x * x)(3.0) == 6
        assert derive(derive(lambda x: x * x * x))(3.0) == 18
        assert not (ad.Tensor(1.0) * 2).tracked


def test_control_flow_follows_the_values():
    def f(x):
        total = 0.0
        while x > 1:
            total = total + x * x
            x = x / 2
        return total if total > 3 else -x

    assert ad.grad(f)(4.0) == 2 * (4 + 2 / 2)
    assert ad.grad(f)(0.5) == -1
    assert ad.grad(ad.grad(f))(4.0) == 2 * (1 + 1 / 4)


def test_a_recursive_function_is_differentiated():
    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    assert ad.grad(power)(2.0, 10) == 10 * 2**9
    assert ad.grad(ad.grad(power))(2.0, 10) == 90 * 2**8


def test_values_of_an_inner_transform_do_not_leak_into_numbers():
    def f(x):
        return ad.grad(lambda y: x * float(y))(1.0)

    with pytest.raises(ConversionError):
        ad.grad(f)(1.0)


def test_the_value_of_an_outer_variable_passes_through_aux():
    def f(x):
        slope, aux = ad.grad(lambda y: (x * y * y, (x, y)), has_aux=True)(2.0)
        return slope * aux[0] * aux[1]

    assert ad.grad(f)(3.0) == 4 * 3 * 2 * 2


def test_newtons_method_is_differentiated_through():
    """√a by Newton's steps, each of which differentiates: d√a/da = 1/(2√a)."""

    def root(a):
        x = 1.0
        for _ in range(8):
            value, slope = ad.value_and_grad(lambda x: x * x - a)(x)
            x = x - value / slope
        return x

    np.testing.assert_allclose(ad.grad(root)(2.0), 0.5 / np.sqrt(2))
    np.testing.assert_allclose(ad.grad(ad.grad(root))(2.0), -0.25 * 2**-1.5)


def test_gradient_descent_is_differentiated_by_its_rate():
    def train(rate):
        w = np.array([1.0, -2.0])
        for _ in range(3):
            w = w - rate * ad.grad(lambda w: (w * w).sum())(w)
        return (w * w).sum()

    np.testing.assert_allclose(ad.grad(train)(0.1), -5 * 6 * 2 * 0.8**5)
