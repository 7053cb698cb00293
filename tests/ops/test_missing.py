"""NaNs that are left out: their slopes are 0, never NaN, to second order; of none there is NaN."""

import warnings

import numpy as np
import pytest

import adjoint as ad

from .order import METHODS

nan, inf = np.nan, np.inf
HOLES = np.array([[1.0, nan, 3.0, -2.0], [nan, nan, nan, nan], [0.5, 2.0, nan, nan]])
FUNCTIONS = {
    **{name: getattr(ad, name) for name in (
        "nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian",
    )},
    **{method: lambda x, axis, method=method: ad.nanquantile(x, 0.3, axis, method=method)
       for method in METHODS},
    "nancumsum": ad.nancumsum,
    "nancumprod": ad.nancumprod,
    "nan_to_num": lambda x, axis: ad.nan_to_num(x),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_no_nan_comes_out_of_a_derivative(name, axis):
    """Not even of a row of which nothing is left."""

    def f(x):
        return ad.sum(ad.sin(ad.where(ad.isnan(y := FUNCTIONS[name](x, axis)), 0.0, y)))

    gone, ones = np.isnan(HOLES), np.ones_like(HOLES)
    slope = ad.grad(f)(HOLES)
    assert np.isfinite(slope).all()
    assert not slope[gone].any()
    assert slope.any()
    pushed = ad.jvp(lambda x: FUNCTIONS[name](x, axis), (HOLES,), (ones,))[1]
    assert np.isfinite(pushed).all()
    y, pull = ad.vjp(lambda x: FUNCTIONS[name](x, axis), HOLES)
    assert np.isfinite(pull(np.ones_like(y))).all()
    for curve in (
        ad.grad(lambda x: ad.sum(ad.grad(f)(x) * ones)),
        lambda x: ad.jvp(ad.grad(f), (x,), (ones,))[1],
        ad.grad(lambda x: ad.jvp(f, (x,), (ones,))[1]),
    ):
        assert np.isfinite(curve(HOLES)).all()
        assert not curve(HOLES)[gone].any()


def of_numpy(name, *args, **params):
    """What NumPy says, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(np, name)(*args, **params)


@pytest.mark.parametrize("name", ["nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian"])
def test_of_nothing_the_value_is_nan_and_says_so_without_a_warning(name):
    got = getattr(ad, name)(HOLES, axis=1)
    np.testing.assert_allclose(got, of_numpy(name, HOLES, axis=1))
    assert np.isnan(got[1])


def test_too_few_numbers_have_no_variance():
    x = np.array([[1.0, nan], [1.0, 2.0]])
    for name in "nanvar", "nanstd":
        got = getattr(ad, name)(x, axis=1, ddof=1)
        np.testing.assert_allclose(got, of_numpy(name, x, axis=1, ddof=1))
    assert ad.grad(lambda x: ad.nanvar(x, axis=1, ddof=1)[1])(x).tolist() == [[0, 0], [-1, 1]]


def test_extremes_share_among_those_that_are_there():
    x = np.array([nan, -inf, -inf, nan])
    assert ad.nanmax(x) == -inf
    assert ad.grad(ad.nanmax)(x).tolist() == [0, 0.5, 0.5, 0]
    assert ad.grad(ad.nanmin)(np.array([inf, nan])).tolist() == [1, 0]


def test_deviation_of_equal_numbers_has_slope_zero():
    assert ad.grad(ad.nanstd)(np.array([2.0, nan, 2.0])).tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["nanquantile", "nanmedian"])
def test_mapped_rows_miss_different_places(name):
    function = getattr(ad, name) if name == "nanmedian" else lambda x: ad.nanquantile(x, 0.3)
    got = ad.vmap(function)(HOLES)
    np.testing.assert_allclose(got, [function(row) for row in HOLES])
    slopes = ad.vmap(ad.grad(function))(HOLES)
    np.testing.assert_allclose(slopes, [ad.grad(function)(row) for row in HOLES])


def test_indices_of_nothing_are_refused():
    with pytest.raises(ValueError, match="All-NaN"):
        ad.nanargmax(HOLES, axis=1)


def test_what_stands_for_nan_gets_the_cotangent():
    x = np.array([1.0, nan, inf, -inf])
    slopes = ad.grad(
        lambda x, *stand: ad.nan_to_num(x, True, *stand) @ np.array([1.0, 2.0, 3.0, 4.0]),
        (0, 1, 2, 3),
    )(x, 0.0, 5.0, 6.0)
    assert slopes[0].tolist() == [1, 0, 0, 0]
    assert slopes[1:] == (2, 3, 4)
    most = np.finfo(np.float32).max
    assert ad.nan_to_num(x.astype(np.float32)).tolist() == [1, 0, most, -most]
    z = np.array([complex(nan, 1.0), complex(2.0, inf)])
    np.testing.assert_array_equal(ad.nan_to_num(z), np.nan_to_num(z))
    np.testing.assert_array_equal(ad.nan_to_num(np.array([1, 2])), [1, 2])
