"""At a corner, a pole or a hole the derivative is the one that the docstring states."""

import threading

import numpy as np
import pytest

import adjoint as ad

inf = np.inf


def slope(f, *args, argnums=0):
    """The gradient of the sum of f, the same from both modes."""
    args = [np.asarray(a, float)[()] if not np.iscomplexobj(a) else np.asarray(a)[()] for a in args]
    back = ad.grad(lambda *xs: ad.sum(ad.real(f(*xs))), argnums)(*args)
    ones = tuple(
        [np.ones_like(a) if i == argnums else np.zeros_like(a) for i, a in enumerate(args)]
    )
    push = ad.jvp(lambda *xs: ad.sum(ad.real(f(*xs))), tuple(args), ones)[1]
    np.testing.assert_allclose(push, np.sum(back.real), atol=1e-15)
    return back


def curvature(f, x):
    """The second derivative of the sum of f in all four nestings, along ones; they must agree."""
    x = np.asarray(x, float)[()]
    one = np.ones_like(x)

    def total(x):
        return ad.sum(f(x))

    def push(g):
        return lambda x: ad.jvp(g, (x,), (one,))[1]

    def pull(g):
        return lambda x: ad.sum(ad.grad(g)(x))

    values = [float(a(b(total))(x)) for a in (push, pull) for b in (push, pull)]
    np.testing.assert_allclose(values, values[0], atol=1e-15)
    return values[0]


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (ad.abs, [0.0, -0.0, -2.0], [0, 0, -1]),
        (ad.sign, [0.0, 3.0], [0, 0]),
        (ad.floor, [1.0, 1.5], [0, 0]),
        (lambda x: ad.maximum(x, 0.0), [0.0, 1.0, -1.0], [0.5, 1, 0]),
        (lambda x: ad.minimum(x, 0.0), [0.0, 1.0, -1.0], [0.5, 0, 1]),
        (lambda x: ad.maximum(x, x), [2.0, -1.0], [1, 1]),
        (lambda x: ad.hypot(x, 0.0), [0.0, -2.0], [0, -1]),
        (lambda x: ad.hypot(x, x), [0.0], [0]),
        (lambda x: ad.atan2(x, 0.0 * x), [0.0], [0]),
        (lambda x: ad.copysign(x, -1.0), [0.0, 2.0, -2.0], [0, -1, 1]),
        (lambda x: ad.clip(x, 0.0, 1.0), [0.0, 1.0, -1.0, 2.0, 0.5], [1, 1, 0, 0, 1]),
        (lambda x: ad.clip(x, x, 1.0), [0.0, 2.0], [1, 0]),
        (lambda x: ad.clip(1.0, x, 2.0), [1.0, 1.5, 0.0], [0, 1, 0]),
        (lambda x: ad.clip(1.0, 0.0, x), [1.0, 0.5, 2.0], [0, 1, 0]),
        (lambda x: x**0, [0.0, 2.0], [0, 0]),
        (lambda x: x**0.0, [0.0, 2.0], [0, 0]),
        (lambda x: x**1, [0.0, -2.0], [1, 1]),
        (lambda x: x**2, [0.0, -2.0], [0, -4]),
        (lambda x: x**3.0, [0.0, -2.0], [0, 12]),
        (lambda x: x ** np.array([0, 1, 2]), [0.0, 0.0, 0.0], [0, 1, 0]),
        (lambda x: 0.0**x, [2.0, 0.5], [0, 0]),
        (lambda x: 0**x, [0.0, 1.0], [0, 0]),
        (lambda x: ad.xlogy(x, 2.0), [0.0, 1.0], [np.log(2), np.log(2)]),
        (lambda x: ad.xlogy(x, 0.0), [0.0], [0]),
        (lambda x: ad.xlogy(x, x), [0.0, 1.0], [0, 1]),
        (lambda x: ad.xlogy(0.0, x), [0.0, 2.0], [0, 0]),
        (ad.max, [1.0, 3.0, 3.0, 2.0], [0, 0.5, 0.5, 0]),
        (ad.min, [1.0, 1.0, 1.0, 2.0], [1 / 3, 1 / 3, 1 / 3, 0]),
        (ad.norm, [0.0, 0.0], [0, 0]),
        (lambda x: ad.norm(x, 1), [0.0, -2.0], [0, -1]),
        (lambda x: ad.norm(x, 3), [0.0, 0.0], [0, 0]),
        (lambda x: ad.norm(x, inf), [2.0, -2.0], [0.5, -0.5]),
        (ad.std, [2.0, 2.0, 2.0], [0, 0, 0]),
        (ad.prod, [0.0, 2.0, 3.0], [6, 0, 0]),
        (ad.prod, [0.0, 2.0, 0.0], [0, 0, 0]),
        (lambda x: ad.cumprod(x)[-1], [2.0, 0.0, 3.0], [0, 6, 0]),
        (ad.logsumexp, [-inf, 0.0], [0, 1]),
        (ad.logsumexp, [-inf, -inf], [0, 0]),
        (ad.logsumexp, [1000.0, 1000.0], [0.5, 0.5]),
        (ad.logsumexp, [-1000.0, 0.0], [0, 1]),
        (ad.sigmoid, [1000.0, -1000.0, 0.0], [0, 0, 0.25]),
        (ad.softplus, [1000.0, -1000.0, 0.0], [1, 0, 0.5]),
        (ad.log_sigmoid, [1000.0, -1000.0, 0.0], [0, 1, 0.5]),
        (ad.tanh, [1000.0, -1000.0], [0, 0]),
        (lambda x: ad.logaddexp(x, 0.0), [1000.0, -1000.0, -inf], [1, 0, 0]),
        (lambda x: ad.softmax(x)[0], [1000.0, -1000.0], [0, 0]),
        (lambda x: ad.log_softmax(x)[0], [1000.0, -1000.0], [0, 0]),
        (lambda x: ad.where(x > 0, x, 0.0), [0.0, 1.0], [0, 1]),
    ],
)
def test_slope_at_a_kink(f, x, want):
    np.testing.assert_allclose(slope(f, x), want, atol=1e-15)


def test_slope_of_the_exponent_is_zero_where_the_base_is():
    np.testing.assert_array_equal(slope(ad.pow, [0.0, 0.0], [2.0, 0.0], argnums=1), [0, 0])
    np.testing.assert_array_equal(slope(ad.xlogy, [0.0, 0.0], [0.0, 2.0], argnums=1), [0, 0])


@pytest.mark.parametrize(
    "f", [ad.abs, ad.sign, lambda z: ad.norm(z), lambda z: ad.std(z), ad.angle]
)
def test_complex_kinks_have_slope_zero(f):
    z = np.zeros(2, complex)
    np.testing.assert_array_equal(slope(f, z), z)


def test_rounding_to_integers_is_refused():
    with pytest.raises(ad.errors.DataError, match="`astype` to int64 is a step function"):
        ad.Tensor(1.5).astype(int)


def test_bounds_of_clip_share_nothing():
    low, x, high = (
        np.array([0.0, 0.0, 0.0]),
        np.array([-1.0, 0.0, 2.0]),
        np.array([1.0, 1.0, 1.0]),
    )
    slopes = ad.grad(lambda x, a, b: ad.clip(x, a, b).sum(), (0, 1, 2))(x, low, high)
    np.testing.assert_array_equal(slopes, [[0, 1, 0], [1, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (ad.abs, [0.0, 2.0], 0),
        (lambda x: x**2, [0.0, 1.0], 4),
        (lambda x: x**2.0, [0.0], 2),
        (lambda x: x**1, [0.0], 0),
        (lambda x: x**3, [0.0, 1.0], 6),
        (ad.prod, [0.0, 2.0, 3.0], 10),
        (ad.prod, [0.0, 0.0, 3.0], 6),
        (ad.prod, [0.0, 0.0, 0.0], 0),
        (lambda x: ad.cumprod(x)[-1], [0.0, 0.0, 3.0], 6),
        (ad.std, [2.0, 2.0], 0),
        (ad.norm, [0.0, 0.0], 0),
        (lambda x: ad.hypot(x, 0.0), [0.0], 0),
        (ad.sigmoid, [1000.0, -1000.0], 0),
        (ad.softplus, [1000.0, -1000.0, 0.0], 0.25),
        (ad.logsumexp, [-inf, 0.0, 0.0], 0),
        (lambda x: ad.maximum(x, 0.0), [0.0, 1.0], 0),
        (lambda x: ad.clip(x, 0.0, 1.0) ** 2, [0.0, 1.0, 2.0], 4),
        (lambda x: ad.xlogy(x, 2.0), [0.0], 0),
    ],
)
def test_curvature_at_a_kink(f, x, want):
    assert curvature(f, x) == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (ad.logsumexp, [-inf, -inf], -inf),
        (ad.logsumexp, [1e308, 1e308], 1e308),
        (ad.logsumexp, [-1e308, -1e308], -1e308),
        (ad.logsumexp, [inf, 0.0], inf),
        (ad.norm, [3e200, 4e200], 5e200),
        (ad.norm, [3e-200, 4e-200], 5e-200),
        (ad.hypot, ([3e200], [4e200]), [5e200]),
        (ad.sigmoid, [-1000.0, 1000.0], [0, 1]),
        (ad.softplus, [-1000.0, 1000.0], [0, 1000]),
        (ad.log_sigmoid, [-1000.0, 1000.0], [-1000, 0]),
        (ad.softmax, [1e308, 0.0], [1, 0]),
    ],
)
def test_values_far_out_are_finite_where_they_can_be(f, x, want):
    args = x if isinstance(x, tuple) else (x,)
    np.testing.assert_allclose(f(*map(np.array, args)), want)
    np.testing.assert_allclose(f(*map(ad.Tensor, args)).detach().numpy(), want)


@pytest.mark.parametrize(("ties", "first"), [("share", 0.5), ("first", 1.0), ("last", 0.0)])
@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_the_policy_says_who_gets_a_tie(name, ties, first):
    f = getattr(ad, name)
    with ad.kinks(ties=ties):
        assert ad.grad(f, (0, 1))(2.0, 2.0) == (first, 1 - first)
        assert ad.jvp(f, (2.0, 2.0), (1.0, 0.0))[1] == first
        np.testing.assert_array_equal(ad.vmap(ad.grad(f))(np.ones(2), np.ones(2)), [first] * 2)
    assert ad.grad(f)(2.0, 2.0) == 0.5


@pytest.mark.parametrize(
    ("ties", "weights"), [("share", [0.5, 0.5]), ("first", [1, 0]), ("last", [0, 1])]
)
def test_the_policy_says_which_of_equal_elements_is_the_largest(ties, weights):
    x = np.array([[3.0, 1.0, 3.0], [3.0, 3.0, 2.0]])
    want = np.zeros((2, 3))
    want[[0, 0], [0, 2]] = want[[1, 1], [0, 1]] = weights
    with ad.kinks(ties=ties):
        np.testing.assert_array_equal(ad.grad(lambda x: ad.max(x, axis=1).sum())(x), want)
        np.testing.assert_array_equal(ad.grad(lambda x: ad.min(-x, axis=1).sum())(x), -want)
        np.testing.assert_array_equal(ad.vmap(ad.grad(ad.max))(x), want)


def test_the_policy_says_the_slope_of_abs_at_zero():
    with ad.kinks(corner=-0.25):
        assert ad.grad(ad.abs)(0.0) == -0.25
        np.testing.assert_array_equal(
            ad.jacobian(ad.abs)(np.array([0.0, 2.0])), np.diag([-0.25, 1])
        )


def test_the_policy_is_the_threads_own():
    seen = []
    with ad.kinks(ties="first"):
        thread = threading.Thread(target=lambda: seen.append(ad.grad(ad.maximum)(1.0, 1.0)))
        thread.start()
        thread.join()
        assert ad.grad(ad.maximum)(1.0, 1.0) == 1.0
    assert seen == [0.5]


def test_a_policy_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'share', 'first' or 'last'"), ad.kinks(ties="second"):
        pass
    with pytest.raises(ValueError, match="from -1 to 1"), ad.kinks(corner=2.0):
        pass
