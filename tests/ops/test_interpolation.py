"""Tables at their points, differences of whole numbers, and what does not fit."""

import numpy as np
import pytest

import adjoint as ad

XP, FP = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 2.0, 6.0, 5.0])


def test_at_a_point_the_slope_is_the_mean_of_both_sides():
    x = np.array([0.0, 1.0, 2.0, 4.0, -1.0, 5.0])
    slopes = ad.grad(lambda x: ad.interp(x, XP, FP).sum())(x)
    np.testing.assert_allclose(slopes, [2, 3, 1.75, -0.5, 0, 0])
    values = ad.grad(lambda fp: ad.interp(x, XP, fp).sum())(FP)
    np.testing.assert_allclose(values, [2, 1, 1, 2])
    points = ad.grad(lambda xp: ad.interp(1.0, xp, FP))(XP)
    np.testing.assert_allclose(points, [0, -3, 0, 0])


def test_at_its_points_a_table_is_exact():
    rng = np.random.default_rng(0)
    xp, fp = np.sort(rng.normal(size=50)), rng.normal(size=50)
    np.testing.assert_array_equal(ad.interp(xp, xp, fp), fp)


def test_beyond_the_table_left_and_right_are_taken():
    x = np.array([-np.inf, -1.0, 9.0, np.inf, np.nan])
    np.testing.assert_array_equal(ad.interp(x, XP, FP, -1.0, 7.0), np.interp(x, XP, FP, -1.0, 7.0))
    np.testing.assert_array_equal(ad.interp(x, XP, FP), np.interp(x, XP, FP))
    sides = ad.grad(lambda a, b: ad.interp(x[:4], XP, FP, a, b).sum(), (0, 1))(0.0, 0.0)
    assert sides == (2.0, 2.0)


def test_single_precision_is_interpolated_in_double_as_numpy_does():
    x = np.float32([0.5, 1.5])
    assert ad.interp(x, XP, FP).dtype == np.float64
    assert ad.grad(lambda x: ad.interp(x, XP, FP).sum())(x).dtype == np.float32


def test_a_table_that_is_mapped_is_searched_one_at_a_time():
    tables = np.stack([XP, XP + 0.7])
    got = ad.vmap(lambda t: ad.searchsorted(t, np.array([0.5, 3.0])))(tables)
    np.testing.assert_array_equal(got, [[1, 3], [0, 3]])
    got = ad.vmap(lambda t: ad.digitize(2.5, t))(tables)
    np.testing.assert_array_equal(got, [3, 2])


def test_whole_numbers_and_truth_values_keep_their_kind():
    x = np.array([1, 4, 9])
    for got, want in [
        (ad.diff(x), np.diff(x)),
        (ad.diff(x > 2), np.diff(x > 2)),
        (ad.ediff1d(x, 7), np.ediff1d(x, 7)),
        (ad.unwrap(x, period=4), np.unwrap(x, period=4)),
        (ad.unwrap(x, period=5), np.unwrap(x, period=5)),
        (ad.gradient(x), np.gradient(x)),
    ]:
        np.testing.assert_array_equal(got, want)
        assert got.dtype == want.dtype


@pytest.mark.parametrize("period", [2 * np.pi, 4.0])
def test_half_a_period_is_left_as_it_goes(period):
    steps = np.array([0.0, 0.5, -0.5, 1.5, -1.5, 0.25]) * period
    p = np.cumsum(steps)
    np.testing.assert_allclose(ad.unwrap(p, period=period), np.unwrap(p, period=period))
    np.testing.assert_array_equal(ad.jacobian(lambda p: ad.unwrap(p, period=period))(p), np.eye(6))
    turns = ad.grad(lambda q: ad.unwrap(p, period=q)[-1])(period * 1.01)
    assert turns == np.round(turns)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ad.interp(1.0, XP, FP[:2]), "as many points xp as values fp"),
        (lambda: ad.interp(1.0, [], []), "at least one"),
        (lambda: ad.diff(XP, -1), "order of at least 0"),
        (lambda: ad.diff(1.0), "axis -1"),
        (lambda: ad.gradient(XP, edge_order=3), "the edge orders 1 and 2"),
        (lambda: ad.gradient(XP[:1]), "at least 2 samples"),
        (lambda: ad.gradient(XP, XP[:2]), "the places of 4 samples"),
        (lambda: ad.gradient(XP, 1.0, 2.0), "for each of 1 axes"),
    ],
)
def test_what_does_not_fit_is_refused(call, says):
    with pytest.raises(ad.errors.ShapeError, match=says):
        call()


def test_the_ends_of_differences_must_fit_their_kind():
    with pytest.raises(ad.errors.DataError, match="cannot hold the ends"):
        ad.ediff1d([1, 2], 0.5)
    row = ad.ediff1d(np.float32([1, 2]), ad.Tensor(np.array([0.5])))
    assert row.dtype == np.float32
