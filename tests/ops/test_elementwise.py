"""Elementwise functions where they are hard: at zeros, at infinities, far out and close in."""

import itertools

import numpy as np
import pytest

import adjoint as ad

inf, nan = np.inf, np.nan


def slopes(f, *args):
    """The gradient in each argument, the same from both modes."""
    args = tuple([np.float64(a) for a in args])
    back = ad.grad(f, tuple(range(len(args))))(*args)
    for i, slope in enumerate(back):
        unit = tuple([np.float64(i == j) for j in range(len(args))])
        np.testing.assert_array_equal(ad.jvp(f, args, unit)[1], slope)
    return [float(s) for s in back]


def hessians(f, *args):
    """The Hessian from each nesting of the modes; they must agree."""
    x = np.array(args, float)
    k = range(len(args))

    def g(x):
        return f(*[x[i] for i in k])

    def back(h):
        return ad.grad(lambda x: ad.sum(h(x)))

    found = [
        outer(inner(g))(x) for outer, inner in itertools.product((ad.jacfwd, ad.jacrev), repeat=2)
    ]
    for one in found[1:]:
        np.testing.assert_array_equal(one, found[0])
    return found[0].tolist()


@pytest.mark.parametrize(
    ("f", "at", "want"),
    [
        (ad.pow, (0, 2), [0, 0]),
        (ad.pow, (0, 1), [1, 0]),
        (ad.pow, (0, 0), [0, 0]),
        (ad.pow, (0, 1.5), [0, 0]),
        (ad.pow, (1, 0), [0, 0]),
        (ad.pow, (2, 0), [0, np.log(2)]),
        (ad.hypot, (0, 0), [0, 0]),
        (ad.hypot, (3e200, 4e200), [0.6, 0.8]),
        (ad.hypot, (3e-200, 4e-200), [0.6, 0.8]),
        (ad.atan2, (0, 0), [0, 0]),
        (ad.atan2, (1e200, 1e200), [5e-201, -5e-201]),
        (ad.atan2, (1e-200, 1e-200), [5e199, -5e199]),
        (ad.atan2, (1e-300, 1e300), [1e-300, 0]),
        (ad.logaddexp, (-inf, -inf), [0.5, 0.5]),
        (ad.logaddexp, (inf, inf), [0.5, 0.5]),
        (ad.logaddexp, (-inf, 0), [0, 1]),
        (ad.logaddexp, (inf, -inf), [1, 0]),
        (ad.logaddexp, (3, 3), [0.5, 0.5]),
        (ad.logaddexp, (0, -700), [1, np.exp(-700)]),
        (ad.logaddexp2, (-inf, -inf), [0.5, 0.5]),
        (ad.logaddexp2, (inf, inf), [0.5, 0.5]),
        (ad.xlogy, (0, 0), [0, 0]),
        (ad.xlogy, (0, 2), [np.log(2), 0]),
        (ad.fmax, (1, 1), [0.5, 0.5]),
        (ad.fmax, (nan, 1), [0, 1]),
        (ad.fmax, (1, nan), [1, 0]),
        (ad.fmax, (nan, nan), [0, 0]),
        (ad.fmin, (1, 1), [0.5, 0.5]),
        (ad.fmin, (nan, 1), [0, 1]),
        (ad.fmin, (1, nan), [1, 0]),
        (ad.fmin, (-inf, nan), [1, 0]),
        (ad.fmod, (7, -3), [1, 2]),
        (ad.fmod, (-7, -3), [1, -2]),
        (ad.fmod, (6, 3), [1, -2]),
        (ad.fmod, (1, 0.1), [1, -9]),
        (lambda x: x**2, (0,), [0]),
        (lambda x: x**3, (-2,), [12]),
        (lambda x: x ** np.float64(3), (-2,), [12]),
        (lambda x: x**-1, (-2,), [-0.25]),
        (ad.asinh, (1e200,), [1e-200]),
        (ad.asinh, (-1e300,), [1e-300]),
        (ad.acosh, (1e200,), [1e-200]),
        (ad.log10, (1.7e308,), [1 / 1.7e308 / np.log(10)]),
        (ad.expm1, (-50,), [np.exp(-50.0)]),
        (ad.sigmoid, (-50,), [np.exp(-50.0)]),
        (lambda x: ad.exp(ad.log_sigmoid(x)), (50,), [np.exp(-50.0)]),
    ],
)
def test_slopes_at_hard_places(f, at, want):
    np.testing.assert_allclose(slopes(f, *at), want, rtol=1e-14)


@pytest.mark.parametrize(
    ("f", "at", "want"),
    [
        (ad.pow, (0, 2), [[2, 0], [0, 0]]),
        (ad.pow, (0, 3), [[0, 0], [0, 0]]),
        (ad.pow, (0, 2.5), [[0, 0], [0, 0]]),
        (ad.pow, (1, 2), [[2, 1], [1, 0]]),
        (ad.hypot, (0, 0), [[0, 0], [0, 0]]),
        (ad.atan2, (0, 0), [[0, 0], [0, 0]]),
        (ad.atan2, (0, 2), [[0, -0.25], [-0.25, 0]]),
        (ad.logaddexp, (3, 3), [[0.25, -0.25], [-0.25, 0.25]]),
        (ad.logaddexp, (-inf, -inf), [[0, 0], [0, 0]]),
        (ad.logaddexp, (inf, inf), [[0, 0], [0, 0]]),
        (ad.xlogy, (0, 0), [[0, 0], [0, 0]]),
        (ad.xlogy, (0, 2), [[0, 0.5], [0.5, 0]]),
        (ad.fmax, (1, 1), [[0, 0], [0, 0]]),
        (ad.abs, (0,), [[0]]),
        (lambda x: x**2, (0,), [[2]]),
        (lambda x: x**1, (0,), [[0]]),
        (lambda x: x**0, (0,), [[0]]),
        (lambda x: x**2.0, (-3,), [[2]]),
    ],
)
def test_curvatures_at_hard_places(f, at, want):
    np.testing.assert_allclose(hessians(f, *at), want, atol=1e-15)


def test_a_negative_power_of_zero_is_a_pole():
    with np.errstate(divide="ignore"):
        assert ad.grad(ad.pow, (0, 1))(0.0, -1.0) == (-inf, -inf)


def test_a_complex_power_of_a_negative_number():
    y = 0.3 + 0.2j
    want = (-2.0 + 0j) ** y * np.log(-2.0 + 0j)
    np.testing.assert_allclose(ad.grad(lambda y: ad.pow(-2.0, y), holomorphic=True)(y), want)


@pytest.mark.parametrize("name", ["asinh", "atan", "atanh", "acosh", "log10", "log"])
def test_complex_slopes_far_out_neither_overflow_nor_vanish(name):
    z = 3e200 + 4e200j
    slope = ad.grad(getattr(ad, name), holomorphic=True)(z)
    assert np.isfinite(slope)
    if name in ("asinh", "acosh", "log"):
        np.testing.assert_allclose(slope, 1 / z, rtol=1e-14)


@pytest.mark.parametrize("z", [0.3 + 2j, -0.3 + 2j, 0.3 - 2j, -3 - 0.1j, 2j + 1e-3])
def test_the_complex_root_of_asinh_is_on_the_right_branch(z):
    step = 1e-6
    quotient = (np.arcsinh(z + step) - np.arcsinh(z - step)) / (2 * step)
    np.testing.assert_allclose(ad.grad(ad.asinh, holomorphic=True)(z), quotient, rtol=1e-7)


def test_single_numbers_keep_their_precision_at_infinity():
    x = np.array([-inf, 1.0], np.float32)
    y = ad.logaddexp(ad.Tensor(x), -inf)
    assert y.dtype == np.float32
    assert ad.grad(lambda x: ad.logaddexp(x, -inf).sum())(x).dtype == np.float32


def test_parts_of_a_number_put_it_together_again():
    x = np.array([-2.5, 0.0, 3.75, inf, -inf])
    part, whole = ad.modf(x)
    np.testing.assert_array_equal(part, np.modf(x)[0])
    np.testing.assert_array_equal(part + whole, x)
    m, n = ad.frexp(x)
    np.testing.assert_array_equal(m, np.frexp(x)[0])
    np.testing.assert_array_equal(ad.ldexp(m, n), x)
    assert n.dtype == np.frexp(x)[1].dtype


def test_exponents_may_be_mapped():
    x, n = np.array([1.0, 2.0]), np.array([3, -1])
    np.testing.assert_array_equal(ad.vmap(ad.ldexp)(x, n), np.ldexp(x, n))
    slope = ad.vmap(ad.grad(lambda x: ad.frexp(x)[0]))(np.array([1.0, 12.0]))
    np.testing.assert_array_equal(slope, [0.5, 1 / 16])


def test_clip_knows_both_names_of_a_bound_but_not_at_once():
    x = np.array([-2, 0, 2])
    got = ad.clip(x, 0, None)
    assert got.dtype == x.dtype and got.tolist() == [0, 0, 2]
    assert ad.clip(x, max=np.array([1, 1, 1])).tolist() == [-2, 0, 1]
    for twice in (dict(a_min=0, min=0), dict(a_max=1, max=1), dict(a_min=x, min=x)):
        with pytest.raises(TypeError, match="by both its names"):
            ad.clip(x, **twice)


def test_real_if_close_looks_at_the_values():
    z = np.array([1 + 1e-15j, 2.0])
    assert ad.real_if_close(z).dtype == float
    assert ad.real_if_close(z + 1j).dtype == complex
    assert ad.real_if_close(z, tol=1e-20).dtype == complex
    slope = ad.grad(lambda z: ad.sum(ad.real_if_close(z) ** 2))(z)
    np.testing.assert_allclose(slope, [2, 4], atol=1e-14)
    with pytest.raises(ad.errors.BatchError):
        ad.vmap(ad.real_if_close)(z)


def test_sigmoid_of_unsigned_integers_and_truth_values():
    for kind in (np.uint8, np.uint16, np.uint64, bool):
        np.testing.assert_allclose(ad.sigmoid(np.array([0, 1], kind)), [0.5, 0.731], rtol=1e-3)
