"""Distributions at the ends of their support, far out, with parameters that are not allowed."""

import inspect
import pickle
import warnings
from itertools import product

import numpy as np
import pytest
import scipy.stats

import adjoint as ad
from adjoint.ops import densities
from adjoint.ops.family import Family

from . import CASES

inf, nan = np.inf, np.nan
FAMILIES = {name: getattr(ad.stats, name) for name in densities.__all__}
METHODS = [(name, method) for name, family in FAMILIES.items() for method in family.methods]
PLACES = np.array(
    [-inf, -1e10, -50, -3, -1, -0.5, -1e-8, 0, 1e-300, 1e-8, 0.3, 0.5, 1, 1.5, 2, 3, 5, 2 * np.pi,
     20, 100, 1e4, inf, nan]
)  # fmt: skip
LEVELS = np.array([-0.1, 0, 1e-20, 1e-10, 0.01, 0.3, 0.5, 0.7, 0.99, 1, 1.1, nan])
COUNTS = np.array([-inf, -3, -1, 0, 0.5, 1, 2, 3, 5, 10, inf, nan])
ALLOWED = dict(
    p=[0.3, 1.0], n=[1.0, 5.0], c=[0.3, 0.7], kappa=[0.0, 3.0], mu=[0.5, 3.0],
    zipf=[1.5, 3.0], a=[0.5, 1.0, 3.5], b=[0.5, 2.0, 50.0],
)  # fmt: skip
OTHERS = dict(p=[-0.1, 1.2], wrapcauchy=[-0.3, 2.0], kappa=[-1.0], zipf=[1.0], truncnorm=[1.0])


def each(pairs):
    return pytest.mark.parametrize(("name", "method"), pairs, ids=[".".join(p) for p in pairs])


def grid(family):
    return COUNTS if family.discrete else PLACES


def shapes_of(name):
    """Shapes that are allowed, in all combinations."""
    if name == "truncnorm":
        return [(-2.0, 3.0), (-inf, 0.5), (1.0, inf), (5.0, 8.0), (-inf, inf), (-40.0, -38.0)]
    known = [ALLOWED.get(name) or ALLOWED.get(s, [0.5, 2.0, 10.0]) for s in FAMILIES[name].shapes]
    return list(product(*known))


def places(name, method):
    return LEVELS if method in ("ppf", "isf") else grid(FAMILIES[name])


def test_every_family_and_every_function_has_a_case():
    named = {c.name for c in CASES}
    for name, method in METHODS:
        assert f"stats.{name}.{method}" in named
    for name in "multivariate_normal", "multivariate_t", "dirichlet", "multinomial":
        for method in vars(type(getattr(ad.stats, name))):
            assert method.startswith("_") or f"stats.{name}.{method}" in named


def test_every_function_of_the_face_is_one_of_these():
    found = {n for n in dir(ad.stats) if isinstance(getattr(ad.stats, n), Family)}
    assert found == set(FAMILIES)
    for family in FAMILIES.values():
        assert "p(x)" in family.__doc__ or "P(" in family.__doc__


@each(METHODS)
def test_is_scipys_inside_and_outside_the_support(name, method):
    ours, theirs = (getattr(getattr(m.stats, name), method) for m in (ad, scipy))
    at = places(name, method)
    for shapes in shapes_of(name):
        for moved in {}, dict(loc=1), *([] if FAMILIES[name].discrete else [dict(scale=2.5)]):
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                want, got = (f(at, *shapes, **moved) for f in (theirs, ours))
            # SciPy has NaN for some densities at infinity, and -∞ for some logarithms below -745
            poor = np.isnan(want) & np.isinf(at) | (want == -inf) & (got < -700)
            poor |= (want == -inf) & (np.abs(at) > 1e9)
            poor |= (at < 1e-9) & ((name, method) == ("f", "isf"))
            np.testing.assert_allclose(
                np.where(poor, 0, got), np.where(poor, 0, want), rtol=1e-7, atol=1e-11
            )


@each(METHODS)
def test_parameters_that_are_not_allowed_give_nan(name, method):
    family, at = FAMILIES[name], places(name, method)
    first = list(shapes_of(name)[0])
    wrong = [{"scale": s} for s in (0.0, -1.0, nan)] if not family.discrete else []
    for i, shape in enumerate(family.shapes):
        wrong += [
            {"shapes": [bad if i == j else s for j, s in enumerate(first)]}
            for bad in OTHERS.get(name) or OTHERS.get(shape, [-1.0])
            if name != "truncnorm" or i == 0
        ]
    for params in wrong:
        shapes = params.pop("shapes", first)
        if name == "truncnorm" and shapes != first:
            shapes = [1.0, 1.0]
        with np.errstate(over="ignore"):
            assert np.isnan(getattr(family, method)(at, *shapes, **params)).all()
            slope = ad.grad(lambda x: ad.sum(getattr(family, method)(x, *shapes, **params)))  # noqa: B023
            assert not slope(np.where(np.isnan(at), 0.5, at)).any()


@each(METHODS)
def test_no_slope_is_nan(name, method):
    """In x, the shapes, loc and scale; also outside the support, at its ends, at infinity."""
    family = FAMILIES[name]
    at = places(name, method)[:-1]
    for shapes in shapes_of(name):
        params = [*shapes, *([0.0] if family.discrete else [0.5, 2.0])]
        point = [at, *[np.full(at.shape, p) for p in params]]

        def values(*point):
            return ad.sum(getattr(family, method)(*point))

        with np.errstate(all="ignore"):
            slopes = ad.grad(values, tuple(range(len(point))))(*point)
            levels = getattr(family, method)(*point)
        for slope in slopes:
            assert not np.isnan(slope[~np.isnan(levels)]).any()


@each(METHODS)
def test_single_precision_is_kept(name, method):
    family = FAMILIES[name]
    x = np.array([1.0] if family.discrete else [0.4], np.float32)
    shapes = [np.float32(s) for s in shapes_of(name)[0]]
    for params in shapes, [float(s) for s in shapes], [*shapes, np.float32(0.5)]:
        out = getattr(family, method)(x, *params)
        assert out.dtype == np.float32
        assert getattr(family, method)(ad.Tensor(x), *params).dtype == np.float32
    assert type(getattr(family, method)(0.4, *map(float, shapes))) is np.float64


@each([(n, m) for n, m in METHODS if m == "ppf"])
def test_quantiles_undo_the_distribution_function(name, method):
    family, q = FAMILIES[name], np.array([0.01, 0.3, 0.5, 0.9])
    for shapes in shapes_of(name):
        np.testing.assert_allclose(family.cdf(family.ppf(q, *shapes, 1, 2), *shapes, 1, 2), q)
        np.testing.assert_allclose(family.sf(family.isf(q, *shapes), *shapes), q)


@pytest.mark.parametrize(
    ("f", "x", "want", "slope"),
    [
        (ad.stats.norm.logsf, 40.0, -804.608442013754, -40.02496881),
        (ad.stats.norm.logcdf, -40.0, -804.608442013754, 40.02496881),
        (ad.stats.logistic.logsf, 800.0, -800.0, -1.0),
        (ad.stats.laplace.logsf, 800.0, -800 - np.log(2), -1.0),
        (ad.stats.expon.logsf, 1e4, -1e4, -1.0),
        (ad.stats.halfnorm.logsf, 40.0, -804.608442013754 + np.log(2), -40.02496881),
        (ad.stats.gumbel_r.logcdf, -6.0, -np.exp(6), np.exp(6)),
        (ad.stats.norm.logcdf, 9.0, -1.1285884059538408e-19, 1.02797736e-18),
        (lambda x: ad.stats.truncnorm.logsf(x, -inf, inf), 40.0, -804.608442013754, -40.02496881),
        (lambda x: ad.stats.gamma.logcdf(x, 2.0), 50.0, -9.8366748e-21, 9.6438e-21),
    ],
)
def test_far_out(f, x, want, slope):
    assert f(x) == pytest.approx(want, rel=1e-4 if abs(want) < 1e-18 else 1e-12)
    assert ad.grad(f)(x) == pytest.approx(slope, rel=1e-4 if abs(slope) < 1e-17 else 1e-8)


def test_whole_numbers_have_no_slope():
    assert ad.grad(lambda k: ad.stats.poisson.logpmf(k, 2.0))(3.0) == 0
    assert ad.jvp(lambda k: ad.stats.binom.cdf(k, 5, 0.3), (3.0,), (1.0,))[1] == 0
    assert not ad.grad(lambda x: ad.stats.multinomial.logpmf(x, 3, [0.5, 0.5]))([1.0, 2.0])[0]


def test_parameters_have_scipys_names_and_order():
    gamma = ad.stats.gamma
    assert gamma.pdf(2.0, 3.0, 0.5, 2.0) == gamma.pdf(x=2.0, scale=2.0, a=3.0, loc=0.5)
    assert str(inspect.signature(gamma.pdf)) == "(x, a, loc=0, scale=1)"
    assert str(inspect.signature(ad.stats.binom.cdf)) == "(k, n, p, loc=0)"
    assert str(inspect.signature(ad.stats.norm.isf)) == "(q, loc=0, scale=1)"
    assert "scale" in repr(gamma.ppf) and "logpdf" in repr(gamma)
    with pytest.raises(TypeError, match="missing a required argument: 'a'"):
        gamma.pdf(2.0)


def test_lists_and_lists_of_tracked_values():
    want = scipy.stats.norm.logpdf([0.0, 1.0], [1.0, 2.0])
    np.testing.assert_allclose(ad.stats.norm.logpdf([0.0, 1.0], [1.0, 2.0]), want)
    slope = ad.grad(lambda a: ad.stats.norm.logpdf([a, 2 * a]).sum())(1.0)
    assert slope == -5.0


def test_families_and_their_functions_pickle():
    for thing in ad.stats.gamma, ad.stats.gamma.pdf:
        assert pickle.loads(pickle.dumps(thing)) is thing


def test_several_variables_say_what_does_not_fit():
    with pytest.raises(ad.errors.ShapeError, match="3 variables needs a covariance of shape"):
        ad.stats.multivariate_normal.logpdf(np.zeros(3), np.zeros(3), np.eye(2))
    with pytest.raises(ad.errors.ShapeError, match="x has 2 variables"):
        ad.stats.multivariate_normal.logpdf(np.zeros(2), np.zeros(3))
    with pytest.raises(ad.errors.ShapeError, match="as many x as alpha, or one less"):
        ad.stats.dirichlet.pdf(np.ones(2), np.ones(4))
    with pytest.raises(ad.errors.ShapeError, match="3 variables; the samples have 2"):
        ad.stats.gaussian_kde(np.eye(2)).pdf(np.ones((3, 1)))
    with pytest.raises(ValueError, match="no bw_method 'other'"):
        ad.stats.gaussian_kde(np.arange(3.0), "other")


def test_dirichlet_and_multinomial_outside_are_impossible():
    assert ad.stats.dirichlet.pdf([-0.5, 0.7], [2.0, 3.0, 1.0]) == 0
    slope = ad.grad(lambda x: ad.stats.dirichlet.pdf(x, [2.0, 3.0, 1.0]))(np.array([-0.5, 0.7]))
    np.testing.assert_array_equal(slope, [0, 0])
    np.testing.assert_array_equal(
        ad.stats.multinomial.pmf([[1, 1], [1.5, 0.5], [-1, 3]], 3, [0.5, 0.5]), [0, 0, 0]
    )
    assert np.isnan(ad.stats.multinomial.pmf([1, 1], 2, [1.5, -0.5]))


def test_estimated_density_takes_scalars_and_functions():
    data = np.array([0.0, 1.0, 1.5, 4.0])
    for way in 0.3, lambda kde: kde.neff**-0.3:
        ours, theirs = (m.stats.gaussian_kde(data, way) for m in (ad, scipy))
        np.testing.assert_allclose(ours([0.5, 2.0]), theirs([0.5, 2.0]))
        np.testing.assert_allclose(ours.covariance, theirs.covariance)
    plane = np.stack([data, data**2])
    ours, theirs = (m.stats.gaussian_kde(plane).logpdf([1.0, 2.0]) for m in (ad, scipy))
    np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize(
    "f",
    [
        ad.stats.skew,
        ad.stats.kurtosis,
        lambda x: ad.stats.zscore(x)[0],
        lambda x: ad.stats.zmap(x, x)[0],
        lambda x: ad.stats.pearsonr(x, np.arange(4.0)).statistic,
        lambda x: ad.stats.pearsonr(x[:2], np.arange(2.0)).pvalue,
    ],
)
def test_where_nothing_varies_a_statistic_is_nan_and_its_slopes_are_not(f):
    x = np.full(4, 2.0)
    assert np.isnan(f(x))
    np.testing.assert_array_equal(ad.vjp(f, x)[1](1.0)[0], 0.0)


def test_statistics_say_what_they_need():
    with pytest.raises(ad.errors.DataError, match="needs whole orders"):
        ad.stats.moment(np.ones(3), 1.5)
    with pytest.raises(ad.errors.DataError, match="needs a positive base"):
        ad.stats.entropy(np.ones(3), base=0)
    with pytest.raises(ad.errors.ShapeError, match="needs at least 2 samples"):
        ad.stats.pearsonr([1.0], [2.0])
