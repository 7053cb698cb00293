"""Roots, remainders and fits where values decide, and what does not fit."""

import numpy as np
import pytest

import adjoint as ad


def test_zeros_in_front_and_behind_are_roots_or_none():
    for p in [0.0, 0.0, 1.0, -3.0, 2.0], [2.0, 1.0, 0.0, 0.0], [0.0, 0.0], [5.0], [], [0, 1, -1]:
        np.testing.assert_allclose(ad.roots(p), np.roots(p))
        assert ad.roots(p).dtype == np.roots(p).dtype


def test_a_root_at_zero_moves_too():
    p = np.array([1.0, -2.0, 0.0])
    np.testing.assert_allclose(ad.jacobian(ad.roots)(p), [[-2, -1, -0.5], [0, 0, 0.5]])


def test_roots_and_coefficients_are_inverse_maps():
    z = np.array([-1.0, 0.5, 2.0])
    there, back = ad.jacobian(ad.poly)(z), ad.jacobian(ad.roots)(np.poly(z))
    order = np.argsort(np.argsort(-np.abs(z)))
    np.testing.assert_allclose((back @ there)[np.ix_(order, range(3))], np.eye(3), atol=1e-12)


def test_roots_are_mapped_in_one():
    p = np.array([[1.0, -3.0, 2.0], [1.0, 0.0, 1.0]])
    got = ad.vmap(ad.roots)(p)
    np.testing.assert_allclose(got, [[2, 1], [1j, -1j]])


def test_pairs_of_conjugate_roots_have_real_coefficients():
    assert ad.poly([1 + 1j, 1 - 1j]).dtype == np.float64
    assert ad.poly([1 + 1j, 1 - 2j]).dtype == np.complex128
    assert ad.poly([]) == 1.0 and ad.poly([2, 3]).dtype == np.float64


def test_values_decide_what_is_left_out():
    np.testing.assert_array_equal(
        ad.polymul([0, 0, 2], [0, 1, 1]), np.polymul([0, 0, 2], [0, 1, 1])
    )
    np.testing.assert_array_equal(ad.polymul([0, 0], [1, 1]), np.polymul([0, 0], [1, 1]))
    for u, v in ([1.0, 3.0, 2.0], [1.0, 1.0]), ([1.0, 0, 0, 5], [1.0, 0, 0]), ([4.0], [2.0]):
        for got, want in zip(ad.polydiv(u, v), np.polydiv(u, v), strict=True):
            np.testing.assert_allclose(got, want)
    product = ad.vmap(ad.polymul)(np.array([[0.0, 1.0]]), np.array([[1.0, 1.0]]))
    np.testing.assert_array_equal(product, [[0, 1, 1]])


def test_a_list_may_hold_tensors():
    a = ad.Tensor(2.0)
    ad.polyval([a, 1.0, a], 3.0).backward()
    assert a.grad == 10


def test_whole_numbers_stay_whole():
    for got, want in [
        (ad.polyval([1, 2], 3), np.polyval([1, 2], 3)),
        (ad.polyadd([1, 2], [3]), np.polyadd([1, 2], [3])),
        (ad.vander([1, 2, 3], 2), np.vander([1, 2, 3], 2)),
        (ad.polyder([3, 2, 1]), np.polyder([3, 2, 1])),
    ]:
        np.testing.assert_array_equal(got, want)
        assert got.dtype == want.dtype


def test_a_fit_says_what_numpy_says():
    x, y = np.linspace(-1, 1, 6), np.array([1.0, 0.2, -0.5, 0.1, 0.9, 2.0])
    for got, want in zip(
        ad.polyfit(x, y, 2, full=True), np.polyfit(x, y, 2, full=True), strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=1e-12)
    with pytest.warns(np.exceptions.RankWarning):
        ad.polyfit(np.full(4, 2.0), np.ones(4), 2)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ad.roots(np.eye(2)), "a sequence of numbers"),
        (lambda: ad.polyder([1.0], -1), "order of at least 0"),
        (lambda: ad.polyint([1.0], 3, [1.0, 2.0]), "a constant for each of 3"),
        (lambda: ad.polyfit([1.0, 2.0], [1.0], 1), "as many rows of y"),
        (lambda: ad.polyfit([1.0, 2.0], [1.0, 2.0], 1, w=[1.0]), "needs 2 weights"),
        (lambda: ad.polyfit([1.0, 2.0], [1.0, 2.0], 1, cov=True), "more points than the 2"),
    ],
)
def test_what_does_not_fit_is_refused(call, says):
    with pytest.raises(ad.errors.ShapeError, match=says):
        call()
