"""Functions that do not move: of values of every mode, and what is refused."""

import numpy as np
import pytest

import adjoint as ad

X = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0]])


def test_indices_and_truth_of_tensors_are_plain():
    t = ad.Tensor(X)
    for got, want in [
        (ad.argwhere(t), np.argwhere(X)),
        (ad.flatnonzero(t), np.flatnonzero(X)),
        (ad.array_equal(t, X), True),
        (ad.array_equiv(t, X[0]), False),
        (ad.allclose(t, X + 1e-12), True),
        *zip(ad.nonzero(t), np.nonzero(X), strict=True),
    ]:
        assert isinstance(got, (np.ndarray, np.generic))
        np.testing.assert_array_equal(got, want)


def test_nan_equals_nan_where_that_is_asked_for():
    x = np.array([1.0, np.nan])
    assert not ad.array_equal(x, x)
    assert ad.array_equal(x, x, equal_nan=True)
    assert not ad.array_equal(x, [1.0, 2.0], equal_nan=True)
    assert ad.allclose(x, x, equal_nan=True)


def test_what_is_compared_may_be_mapped():
    got = ad.vmap(lambda x: ad.array_equal(x, X[0]))(X)
    assert got.tolist() == [True, False]
    assert ad.vmap(ad.isin, (None, 0))(X[0], X).tolist() == [[True] * 3, [True, True, False]]
    assert ad.vmap(lambda x: ad.allclose(x, X[0]))(X).tolist() == [True, False]


def test_a_number_has_no_indices():
    with pytest.raises(ad.errors.ShapeError, match="needs an axis"):
        ad.nonzero(1.0)


def test_nonzero_elements_are_picked_and_followed():
    slope = ad.grad(lambda x: (x[ad.nonzero(x)] ** 2).sum())(X)
    np.testing.assert_array_equal(slope, 2 * X)
