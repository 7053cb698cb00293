"""Reductions and running totals at their ends: infinities, NaNs, no elements, wrong axes."""

import numpy as np
import pytest

import adjoint as ad

from .test_kinks import curvature, slope

nan, inf = np.nan, np.inf


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (ad.logsumexp, [inf, 1000.0], [1, 0]),
        (ad.logsumexp, [inf, -inf, inf], [0.5, 0, 0.5]),
        (ad.logsumexp, [1e308, 1e308], [0.5, 0.5]),
        (ad.max, [1.0, nan], [0, 1]),
        (ad.min, [nan, 2.0, nan], [0.5, 0, 0.5]),
        (ad.ptp, [1.0, 3.0, 3.0], [-1, 0.5, 0.5]),
        (lambda x: ad.cummax(x)[-1], [3.0, 1.0, 3.0, 3.0], [1 / 3, 0, 1 / 3, 1 / 3]),
        (lambda x: ad.cummin(x)[-1], [1.0, 1.0, 2.0], [0.5, 0.5, 0]),
        (ad.cummax, [1.0, 1.0, 2.0], [1.5, 0.5, 1]),
        (lambda x: ad.cummax(x)[2], [1.0, nan, 2.0], [0, 1, 0]),
        (lambda x: ad.cummax(x)[-1], [-inf, inf, 2.0], [0, 1, 0]),
        (lambda x: ad.logcumsumexp(x)[-1], [-inf, -inf], [0, 0]),
        (lambda x: ad.logcumsumexp(x)[-1], [-inf, 0.0, 0.0], [0, 0.5, 0.5]),
        (lambda x: ad.logcumsumexp(x)[-1], [0.0, inf, 1000.0, inf], [0, 0.5, 0, 0.5]),
        (lambda x: ad.logcumsumexp(x)[2], [1e308] * 4, [1 / 3, 1 / 3, 1 / 3, 0]),
        (lambda x: ad.logcumsumexp(x)[-1], [-1000.0, 0.0, -1e308], [0, 1, 0]),
        (lambda x: ad.std(x, mean=2.0), [2.0, 2.0], [0, 0]),
        (lambda x: ad.cumulative_prod(x, include_initial=True)[-1], [0.0, 2.0], [2, 0]),
        (lambda x: ad.heaviside(0.0, x), [3.0], [1]),
        (lambda x: ad.heaviside(x, 0.5), [0.0, 1.0], [0, 0]),
        (lambda x: ad.average([1.0, 5.0], weights=x), [3.0, 1.0], [-0.25, 0.75]),
    ],
)
def test_slope_at_an_end(f, x, want):
    np.testing.assert_allclose(slope(f, x), want, atol=1e-15)


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (ad.logsumexp, [inf, 0.0], 0),
        (lambda x: ad.logcumsumexp(x)[-1], [-inf, 0.0, inf], 0),
        (lambda x: ad.logcumsumexp(x**2)[-1], [1.0, 1.0], 2),
        (lambda x: ad.cummax(x)[-1] ** 2, [2.0, 2.0], 2),
        (lambda x: ad.cumprod(x)[-1], [0.0, 0.0, 3.0], 6),
        (lambda x: ad.cumprod(x)[-1], [0.0, 2.0, 3.0], 10),
        (ad.var, [1.0, 1.0], 0),
        (lambda x: ad.std(x, mean=2.0), [2.0, 2.0], 0),
    ],
)
def test_curvature_at_an_end(f, x, want):
    assert curvature(f, x) == pytest.approx(want, abs=1e-12)


def test_small_terms_of_a_running_sum_keep_their_digits():
    x = np.array([-50.0, 0.0, 3.0])
    slopes = ad.grad(lambda x: ad.logcumsumexp(x)[-1])(x)
    np.testing.assert_allclose(slopes, np.exp(x - np.logaddexp.reduce(x)), rtol=1e-14)
    long = np.random.default_rng(0).normal(size=1000) * 30
    slopes = ad.grad(lambda x: ad.logcumsumexp(x)[-1])(long)
    np.testing.assert_allclose(slopes, np.exp(long - np.logaddexp.reduce(long)), rtol=1e-12)


def test_running_ops_are_ufuncs_accumulated():
    x = np.array([[0.5, -inf, 2.0], [nan, 1.0, 2.0]])
    for of, ufunc in [
        (ad.cummax, np.maximum), (ad.cummin, np.minimum), (ad.logcumsumexp, np.logaddexp),
    ]:  # fmt: skip
        for axis in 0, 1:
            with np.errstate(invalid="ignore"):
                got, want = of(x, axis), ufunc.accumulate(x, axis=axis)
            np.testing.assert_array_equal(got, want)


def test_of_no_elements_the_logarithm_of_the_sum_is_minus_infinity():
    x = np.zeros((0, 2), np.float32)
    assert ad.logsumexp(x) == -inf
    assert ad.logsumexp(x, 0).tolist() == [-inf, -inf]
    assert ad.logsumexp(x, 0).dtype == np.float32
    assert ad.grad(lambda x: ad.logsumexp(x, 0).sum())(x).shape == (0, 2)


@pytest.mark.parametrize("f", [ad.max, ad.min, ad.ptp, ad.nanmax, ad.nanmin])
def test_no_elements_have_no_extreme(f):
    for x in np.zeros(0), ad.Tensor(np.zeros(0)):
        with pytest.raises(ValueError, match="zero-size"):
            f(x)


@pytest.mark.parametrize("f", [ad.sum, ad.mean, ad.max, ad.prod, ad.logsumexp, ad.var])
@pytest.mark.parametrize("track", [np.asarray, ad.Tensor])
def test_a_list_of_axes_is_refused_as_numpy_refuses_it(f, track):
    with pytest.raises(TypeError):
        f(track(np.ones((2, 3))), axis=[0, 1])


@pytest.mark.parametrize("f", [ad.cumsum, ad.cumprod, ad.cummax, ad.cummin, ad.logcumsumexp])
def test_running_ops_take_lists_and_refuse_other_axes(f):
    assert f([1.0, 2.0], 0).shape == f([[1.0], [2.0]]).shape == (2,)
    with pytest.raises(ad.errors.ShapeError, match="was given axis 1; its input has 1 axes"):
        f(np.ones(2), 1)


def test_the_axis_of_a_cumulative_sum_must_be_clear():
    with pytest.raises(ad.errors.ShapeError, match="needs to know along which axis"):
        ad.cumulative_sum(np.ones((2, 2)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("f", [ad.var, ad.std])
def test_corrections_have_two_names_and_leave_at_least_nothing(f):
    x = np.array([1.0, 3.0])
    assert f(x, correction=1) == f(x, ddof=1)
    with pytest.raises(ValueError, match="two names of one thing"):
        f(x, ddof=1, correction=1)
    assert f(x, ddof=3) == getattr(np, f.__name__)(x, ddof=3) == inf


def test_the_recurrence_is_mapped_in_either_input():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    op = ad.OPS["recurrence"].call
    for axes in (0, None), (None, 0), (0, 0):
        args = [x if at == 0 else x[0] for x, at in zip((a, b), axes, strict=True)]
        got = ad.vmap(lambda a, b: op(a, b, axis=0), axes)(*args)
        want = [
            op(*[x[i] if at == 0 else x for x, at in zip(args, axes, strict=True)], axis=0)
            for i in range(3)
        ]
        np.testing.assert_allclose(got, want)
