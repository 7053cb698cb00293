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


@pytest.mark.parametrize("level", [1e8, -1e15, 0.0])
def test_the_level_of_large_numbers_takes_no_digits_off_their_softmax(level):
    x = np.array([0.0, 1.0, -1.0]) + level
    p = np.exp([0.0, 1.0, -1.0])
    p /= p.sum()
    slopes = np.diag(p) - np.outer(p, p)
    np.testing.assert_allclose(ad.softmax(x), p, rtol=1e-15)
    np.testing.assert_allclose(ad.log_softmax(x), np.log(p), rtol=1e-14)
    np.testing.assert_allclose(ad.vmap(ad.softmax)(np.array([x, -x]))[0], p, rtol=1e-15)
    every = ad.jacfwd, ad.jacrev, lambda f: lambda x: ad.vmap(ad.jacrev(f))(x[None])[0]
    for jacobian in every:
        np.testing.assert_allclose(jacobian(ad.softmax)(x), slopes, atol=1e-15)
        np.testing.assert_allclose(jacobian(ad.log_softmax)(x), np.eye(3) - p, atol=1e-15)
        np.testing.assert_allclose(
            jacobian(ad.grad(lambda x: ad.log_softmax(x)[0]))(x), -slopes, atol=1e-15
        )


def test_softmax_takes_a_number_and_whole_numbers_and_names_an_axis_that_is_not_there():
    assert ad.softmax(2.0) == ad.softmax(2.0, None) == 1
    assert ad.log_softmax(2.0) == 0
    for whole in np.array([1, 3], np.uint8), np.array([0, 1]) > 0:
        np.testing.assert_allclose(ad.softmax(whole), ad.softmax(whole.astype(float)))
        assert ad.logsumexp(whole) == ad.logsumexp(whole.astype(float))
    assert ad.softmax(np.zeros((2, 0))).shape == (2, 0)
    for f in ad.softmax, ad.log_softmax:
        with pytest.raises(ad.errors.AxisError, match=f"`{f.__name__}` was given axis 5"):
            f(np.ones(3), 5)
    with pytest.raises(ad.errors.AxisError, match=r"`logsumexp.*axis 5 is out of bounds for 1 dim"):
        ad.logsumexp(np.ones(3), 5)


@pytest.mark.parametrize("scale", [1e-300, 1e300, -1e-200])
@pytest.mark.parametrize(
    "f",
    [
        ad.std,
        ad.nanstd,
        lambda x: ad.std(x, ddof=1),
        lambda x: ad.std(x, mean=2 * x[0]),
        lambda x: ad.std(ad.multiply(x, 1j)),
        lambda x: ad.std(ad.stack([x, x + x]), 1).sum(),
        lambda x: ad.norm(x, 3),
        lambda x: ad.norm(x, 0.5),
        lambda x: ad.norm(x, -2),
        lambda x: ad.norm(ad.stack([x, x]), 3, 1, True).sum(),
    ],
)
def test_a_spread_and_a_norm_of_any_scale_keep_their_digits(f, scale):
    x = np.array([1.0, 2.0, 4.0])
    value, slopes = ad.value_and_grad(f)(x)
    got, there = ad.value_and_grad(f)(x * scale)
    np.testing.assert_allclose(got, value * abs(scale), rtol=1e-14)
    np.testing.assert_allclose(there, slopes * np.sign(scale), rtol=1e-13)
    push = ad.jvp(f, (x * scale,), (np.array([1.0, 0.0, 0.0]),))[1]
    np.testing.assert_allclose(push, slopes[0] * np.sign(scale), rtol=1e-13)


def test_a_deviation_has_the_bits_of_that_of_numbers_scaled_by_a_power_of_two():
    x = np.random.default_rng(0).normal(size=(50, 40))
    for axis in None, 0, 1:
        want = ad.std(x, axis)
        np.testing.assert_allclose(want, np.std(x, axis), rtol=1e-15)
        for power in -900, 900:
            assert (ad.std(np.ldexp(x, power), axis) == np.ldexp(want, power)).all()
    mixed = np.array([[1.0, 2.0], [1e-300, 3e-300], [1e300, 3e300], [5.0, 5.0]])
    np.testing.assert_allclose(ad.std(mixed, 1), [0.5, 1e-300, 1e300, 0], rtol=1e-15)
    np.testing.assert_allclose(
        ad.vmap(ad.grad(ad.std))(mixed), [[-0.5, 0.5]] * 3 + [[0, 0]], rtol=1e-15
    )


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
