"""Averages, covariance and counts: identities of their derivatives, and what is refused."""

import numpy as np
import pytest

import adjoint as ad

X = np.random.default_rng(0).normal(size=(3, 6))


def test_correlation_knows_no_scale():
    """It does not move along x, nor does its diagonal in any direction."""
    np.testing.assert_allclose(ad.jvp(ad.corrcoef, (X,), (X,))[1], 0, atol=1e-15)
    slope = ad.grad(lambda x: ad.corrcoef(x).diagonal().sum())(X)
    np.testing.assert_allclose(slope, 0, atol=1e-15)


def test_covariance_is_symmetric_and_knows_no_origin():
    c, moved = ad.jvp(ad.cov, (X,), (np.ones_like(X),))
    np.testing.assert_array_equal(c, c.T)
    np.testing.assert_allclose(moved, 0, atol=1e-15)


def test_observations_repeated_are_observations_weighed():
    often = np.array([1, 2, 1, 3, 1, 1])
    np.testing.assert_allclose(ad.cov(np.repeat(X, often, 1)), ad.cov(X, fweights=often))
    slope = ad.grad(lambda w: ad.sum(ad.cov(X, aweights=w)))(np.ones(6))
    assert slope.sum() == pytest.approx(0, abs=1e-15)  # only their ratios count


def test_a_row_alone_has_a_correlation_of_one():
    assert ad.corrcoef(X[0]) == 1
    assert ad.cov(X[0]) == pytest.approx(np.var(X[0], ddof=1))


def test_counts_are_plain_and_weights_are_followed():
    assert ad.bincount([0, 2, 2], minlength=4).tolist() == [1, 0, 2, 0]
    w = ad.Tensor([1.0, 2.0, 3.0])
    ad.bincount([0, 2, 2], w)[2].backward()
    assert w.grad.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: ad.average(X, weights=np.ones(3)),
            ad.errors.ShapeError,
            "`average` needs weights",
        ),
        (lambda: ad.average(X, 1, np.ones(3)), ad.errors.ShapeError, "axis is"),
        (lambda: ad.average(X, 2), ad.errors.ShapeError, "`average` was given axis 2"),
        (lambda: ad.cov(X[None]), ad.errors.ShapeError, "at most two axes"),
        (lambda: ad.cov(1.0), ad.errors.ShapeError, "it was given 1 of them"),
        (lambda: ad.cov(X, ddof=0.5), ValueError, "whole number"),
        (lambda: ad.cov(X, fweights=np.full(6, 0.5)), ad.errors.DataError, "integers"),
        (lambda: ad.cov(X, aweights=np.ones(3)), ad.errors.ShapeError, "one of the aweights"),
        (lambda: ad.bincount([0, 1], np.ones(3)), ad.errors.ShapeError, "each of the 2 integers"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
