"""Sorting and quantiles: ties, NaNs, mapped places, and what is refused."""

import numpy as np
import pytest

import adjoint as ad

from .order import METHODS

X = np.array([[3.0, 1.0, 2.0, 7.0, 5.0], [0.5, 4.0, -1.0, 2.5, 9.0]])


def test_sort_is_stable_in_both_directions():
    x = np.array([2.0, 1.0, 2.0, 1.0])
    assert ad.argsort(x).tolist() == [1, 3, 0, 2]
    assert ad.argsort(x, descending=True).tolist() == [0, 2, 1, 3]
    slopes = ad.jacobian(lambda x: ad.sort(x, descending=True))(x)
    np.testing.assert_array_equal(slopes, np.eye(4)[[0, 2, 1, 3]])


def test_nan_is_sorted_last_and_descending_first():
    x = np.array([2.0, np.nan, 1.0])
    np.testing.assert_array_equal(ad.sort(x), [1.0, 2.0, np.nan])
    np.testing.assert_array_equal(ad.sort(x, descending=True), [np.nan, 2.0, 1.0])
    assert ad.grad(lambda x: ad.sort(x)[:2].sum())(x).tolist() == [1, 0, 1]


def test_sorted_in_one_example_is_sorted_in_all():
    w = np.arange(5.0)
    back = ad.vmap(ad.grad(lambda x: ad.sort(x) @ w))(X)
    np.testing.assert_array_equal(back, np.argsort(np.argsort(X)))


def test_equal_elements_pass_all_that_the_median_gets():
    for x in ([2.0, 2.0, 2.0], [1.0, 2.0, 2.0, 3.0]):
        slope = ad.grad(ad.median)(np.array(x))
        assert slope.sum() == 1
        assert slope[np.array(x) != 2].tolist() == [0] * (np.array(x) != 2).sum()


@pytest.mark.parametrize("function", [ad.median, lambda x: ad.quantile(x, 0.3)])
def test_a_nan_is_the_quantile_and_gets_the_cotangent(function):
    x = np.array([2.0, np.nan, 1.0, 4.0])
    value, slope = ad.value_and_grad(function)(x)
    assert np.isnan(value)
    assert slope.tolist() == [0, 1, 0, 0]
    mapped = ad.vmap(function)(np.stack([x, np.arange(4.0)]))
    assert np.isnan(mapped).tolist() == [True, False]


@pytest.mark.parametrize("method", METHODS)
def test_quantiles_are_those_of_numpy_at_every_jump(method):
    for n in range(1, 6):
        x = np.random.default_rng(n).normal(size=n)
        for q in [*np.linspace(0, 1, 2 * n + 1), *np.linspace(0, 1, 11)]:
            assert ad.quantile(x, q, method=method) == pytest.approx(
                np.quantile(x, q, method=method), rel=1e-14
            )


@pytest.mark.parametrize("method", METHODS)
def test_slope_in_q_is_the_width_of_the_gap_times_how_many_gaps_there_are(method):
    x = np.array([1.0, 2.0, 4.0, 8.0])
    smooth = dict(
        linear=3, hazen=4, weibull=5, interpolated_inverted_cdf=4, median_unbiased=4 + 1 / 3,
        normal_unbiased=4.25,
    )  # fmt: skip
    slope = ad.grad(lambda q: ad.quantile(x, q, method=method))(0.6)
    low = np.quantile(x, 0.6, method=method)
    gap = 2 if low < 4 else 4
    assert slope == pytest.approx(gap * smooth.get(method, 0))
    mapped = ad.vmap(ad.grad(lambda q: ad.quantile(x, q, method=method)))(np.array([0.6, 0.61]))
    assert mapped[0] == pytest.approx(slope)


def test_slope_in_q_at_a_corner_is_that_on_its_right():
    x = np.array([1.0, 2.0, 4.0])
    slopes = ad.vmap(ad.grad(lambda q: ad.quantile(x, q)))(np.array([0.0, 0.5, 1.0]))
    assert slopes.tolist() == [2, 4, 0]


def test_data_and_q_are_mapped_together_and_apart():
    q = np.array([0.3, 0.8])
    want = [np.quantile(row, p) for row, p in zip(X, q, strict=True)]
    np.testing.assert_allclose(ad.vmap(ad.quantile)(X, q), want)
    np.testing.assert_allclose(ad.vmap(lambda x: ad.quantile(x, q))(X), np.quantile(X, q, axis=1).T)
    np.testing.assert_allclose(ad.vmap(lambda p: ad.quantile(X, p, 1))(q), np.quantile(X, q, 1))


def test_weights_choose_and_do_not_move():
    x, w = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 4.0])
    f = lambda x, w: ad.quantile(x, 0.5, weights=w, method="inverted_cdf")  # noqa: E731
    assert f(x, w) == np.quantile(x, 0.5, weights=w, method="inverted_cdf") == 2
    assert [s.tolist() for s in ad.grad(f, (0, 1))(x, w)] == [[0, 0, 1], [0, 0, 0]]
    ahead = ad.quantile(x, 0.0, weights=[1.0, 0.0, 1.0], method="inverted_cdf")
    assert ahead == 2


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ad.quantile(X, 1.5), ValueError, r"`quantile` needs q in \[0, 1\]"),
        (lambda: ad.percentile(X, -1), ValueError, r"`percentile` needs q in \[0, 100\]"),
        (lambda: ad.quantile(X, np.nan), ValueError, "some outside"),
        (lambda: ad.quantile(X, ad.Tensor(2.0)), ValueError, "some outside"),
        (lambda: ad.quantile(X, 0.5, method="cubic"), ValueError, "the methods inverted_cdf, "),
        (lambda: ad.quantile(X, 0.5, weights=X), ValueError, "method='inverted_cdf' only"),
        (
            lambda: ad.quantile(X, 0.5, weights=-X, method="inverted_cdf"),
            ValueError,
            "not negative",
        ),
        (
            lambda: ad.quantile(X, 0.5, weights=[1.0], method="inverted_cdf"),
            ad.errors.ShapeError,
            "axis is None, and the weights have shape",
        ),
        (lambda: ad.quantile(X + 1j, 0.5), ad.errors.DataError, "needs real numbers"),
        (lambda: ad.median(np.zeros((2, 0)), axis=1), ad.errors.ShapeError, "at least one element"),
        (lambda: ad.median(X, axis=2), ad.errors.ShapeError, "`median` was given axis 2"),
        (lambda: ad.median(X, axis=(0, 0)), ad.errors.ShapeError, "an axis twice"),
        (lambda: ad.sort(X, axis=2), ad.errors.ShapeError, "`sort` was given axis 2"),
        (lambda: ad.sort(1.0), ad.errors.ShapeError, "its input has 0 axes"),
        (lambda: ad.sort(X, order="name"), ad.errors.DataError, "`sort` was given order='name'"),
        (lambda: ad.argsort(X, order="name"), ad.errors.DataError, "fields"),
        (lambda: ad.partition(ad.Tensor(X), 9), ad.errors.ShapeError, "kth"),
        (lambda: ad.lexsort([]), ad.errors.ShapeError, "needs a key"),
    ],
)
def test_what_cannot_be_ordered_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_the_first_of_equal_values_is_the_unique_one():
    x = np.array([2.0, 1.0, 2.0, 1.0])
    values, where, which, counts = ad.unique(ad.Tensor(x), True, True, True)
    assert values.detach().numpy().tolist() == [1, 2]
    assert [a.tolist() for a in (where, which, counts)] == [[1, 0], [1, 0, 1, 0], [2, 2]]
    slopes = ad.jacobian(ad.unique)(x)
    assert slopes.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]


def test_no_nan_equals_another_for_the_array_standard():
    x = np.array([np.nan, 1.0, np.nan])
    assert ad.unique(x).shape == (2,)
    assert ad.unique_counts(x).counts.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "function", [ad.unique, ad.unique_values, ad.nonzero, ad.flatnonzero, ad.argwhere]
)
def test_what_has_no_shape_of_its_own_is_refused_inside_vmap(function):
    with pytest.raises(ad.errors.BatchError, match="depends on values"):
        ad.vmap(lambda x: function(x)[0])(X)
