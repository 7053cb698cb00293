"""A cotangent of zero contributes zero, also where a slope is infinite or NaN."""

import numpy as np
import pytest

import adjoint as ad

X = np.array([0.0, 4.0, -1.0])
GAPS = np.array([1.0, np.nan, 2.0])


def overwritten(x):
    """The root of x, in which what is no number is written over."""
    y = ad.sqrt(x)
    y[X <= 0] = 0.0
    return y


POLES = {
    "a mask written to": (overwritten, [0, 1 / 4, 0], [0, -1 / 32, 0]),
    "sqrt": (lambda x: ad.where(x > 0, ad.sqrt(x), 0.0), [0, 1 / 4, 0], [0, -1 / 32, 0]),
    "log": (lambda x: ad.where(x > 0, x * ad.log(x), 0.0), [0, np.log(4) + 1, 0], [0, 1 / 4, 0]),
    "reciprocal": (lambda x: ad.where(x > 0, 1 / x, 0.0), [0, -1 / 16, 0], [0, 1 / 32, 0]),
    "power": (lambda x: ad.where(x > 0, x**-0.5, 0.0), [0, -1 / 16, 0], [0, 3 / 128, 0]),
    "overflow": (lambda x: ad.where(x > 0, 2.0, ad.exp(1000 * x) * 0), [0, 0, 0], [0, 0, 0]),
    "a pole of the slope": (lambda x: ad.where(x > 0, x**1.5, 0.0), [0, 3, 0], [0, 3 / 8, 0]),
    "maximum": (lambda x: ad.maximum(ad.sqrt(ad.abs(x)), 1.5), [0, 1 / 4, 0], [0, -1 / 32, 0]),
    "a mask as index": (
        lambda x: ad.sqrt(x)[X > 0] + np.zeros(3),
        [0, 3 / 4, 0],
        [0, -3 / 32, 0],
    ),
    "numpy's name": (lambda x: np.where(x > 0, np.sqrt(x), 0.0), [0, 1 / 4, 0], [0, -1 / 32, 0]),
    "missing data": (
        lambda x: ad.where(np.isnan(GAPS), 0.0, (x - GAPS) ** 2),
        [-2, 0, -6],
        [2, 0, 2],
    ),
}


@pytest.fixture(autouse=True)
def quiet():
    """The forward values of what is not chosen are not finite, and NumPy warns of them."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        yield


@pytest.mark.parametrize("name", POLES)
def test_what_was_not_chosen_does_not_matter(name):
    f, slopes, curvatures = POLES[name]

    def total(x):
        return f(x).sum()

    np.testing.assert_allclose(ad.grad(total)(X), slopes, rtol=1e-14)
    t = ad.Tensor(X)
    total(t).backward()
    np.testing.assert_allclose(t.grad, slopes, rtol=1e-14)
    np.testing.assert_allclose(ad.jacfwd(total)(X), slopes, rtol=1e-14)
    for hessian in (ad.hessian(total), ad.jacrev(ad.grad(total)), ad.jacfwd(ad.grad(total))):
        np.testing.assert_allclose(hessian(X), np.diag(curvatures), rtol=1e-14, atol=1e-15)
    mapped = ad.vmap(ad.grad(total))(np.stack([X, X]))
    np.testing.assert_allclose(mapped, [slopes, slopes], rtol=1e-14)
    np.testing.assert_allclose(ad.grad(ad.checkpoint(total))(X), slopes, rtol=1e-14)


def test_no_warning_comes_from_what_was_not_chosen():
    _, pullback = ad.vjp(lambda x: ad.where(x > 0, ad.sqrt(x), 0.0), X)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(pullback(np.ones(3))[0], [0, 1 / 4, 0])


def test_a_pole_that_was_chosen_is_still_seen():
    slopes = ad.grad(lambda x: ad.where(x >= 0, ad.sqrt(x), 0.0).sum())(X)
    np.testing.assert_array_equal(slopes, [np.inf, 1 / 4, 0])
    assert np.isnan(ad.grad(lambda x: ad.where(x > 9, x, GAPS * x).sum())(X)[1])


def test_missing_rows_of_a_product():
    a = np.array([[1.0, np.nan], [2.0, 3.0]])
    rows = np.array([False, True])
    np.testing.assert_array_equal(
        ad.grad(lambda x: ad.where(rows, a @ x, 0.0).sum())(np.ones(2)), [2.0, 3.0]
    )
    assert np.isnan(ad.grad(lambda x: ad.where(rows, 0.0, a @ x).sum())(np.ones(2))[1])


def test_missing_rows_of_a_reduction():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    some = np.array([True, False])

    def f(x):
        return ad.where(some, ad.logsumexp(ad.log(x), axis=1), 0.0).sum()

    np.testing.assert_allclose(ad.grad(f)(x), [[1 / 7, 1 / 7], [0, 0]])


def test_hooks_are_called_once_and_see_no_nan():
    x = ad.Tensor(X)
    y = ad.sqrt(x * 1.0)
    seen = []
    y.register_hook(seen.append)
    x.register_hook(seen.append)
    ad.where(X > 0, y, 0.0).sum().backward()
    assert len(seen) == 2
    assert np.isfinite(seen).all()


def test_what_does_not_move_moves_nothing():
    def f(x):
        return ad.sqrt(x[0]) + x[1] * ad.log(x[2])

    x = np.array([0.0, 1.0, 0.0])
    np.testing.assert_array_equal(ad.jvp(f, (np.array([0.0, 1.0, 1.0]),), (np.eye(3)[1],))[1], 0.0)
    np.testing.assert_array_equal(ad.jacfwd(f)(x)[0], np.inf)
    np.testing.assert_array_equal(ad.jacfwd(f)(x)[2], np.inf)
    assert np.isnan(ad.jvp(lambda x: x * np.nan, (1.0,), (1.0,))[1])


def test_tangents_of_cotangents_survive():
    """The cotangent of what is chosen here is 0, its derivative is not."""

    def f(x):
        return ad.where(x > -1, x * x * ad.sqrt(x + 1), 0.0)

    np.testing.assert_allclose(ad.grad(ad.grad(f))(0.0), 2.0)
    np.testing.assert_allclose(ad.jvp(ad.grad(f), (0.0,), (1.0,))[1], 2.0)


def test_nan_that_is_the_larger_one_is_not_lost():
    assert np.isnan(ad.grad(lambda x: ad.maximum(x * np.nan, -np.inf))(1.0))
    assert np.isnan(ad.grad(lambda x: ad.minimum(1.0, x * np.nan))(1.0))
