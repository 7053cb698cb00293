"""Special functions: derivatives against mpmath at extremes too, refusals, ends and conventions."""

import numpy as np
import pytest
import scipy.special as sp

import adjoint as ad

from .test_kinks import curvature
from .test_kinks import slope as slope_both_ways

mp = pytest.importorskip("mpmath")
special = ad.special
inf, nan = np.inf, np.nan


def nth(f, n):
    """The nth derivative of a function of a number."""
    return f if n == 0 else nth(ad.grad(f), n - 1)


def agrees(got, want, rtol):
    assert abs(mp.mpf(float(got)) - want) <= rtol * abs(want) + 1e-300, (got, mp.nstr(want, 17))


def phi(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def log_phi(x):
    return mp.log1p(-phi(-x)) if x > 0 else mp.log(phi(x))


def log_phi_inverse(y):
    """The x with ln Φ(x) = y, by Newton's method from SciPy's."""
    return mp.findroot(lambda x: mp.log(phi(x)) - y, mp.mpf(float(sp.ndtri_exp(float(y)))))


def dawson(x):
    return mp.exp(-x * x) * mp.erfi(x) * mp.sqrt(mp.pi) / 2


def exprel(x):
    return mp.expm1(x) / x if x else mp.mpf(1)


def dilogarithm(z):
    return mp.polylog(2, 1 - z)


def student(df, t):
    tail = mp.betainc(df / 2, 0.5, 0, df / (df + t * t), regularized=True) / 2
    return 1 - tail if t > 0 else tail


def kolmogorov(y):
    odd = [mp.exp(-((2 * k - 1) ** 2) * mp.pi**2 / (8 * y * y)) for k in range(1, 40)]
    return 1 - mp.sqrt(2 * mp.pi) / y * mp.fsum(odd)


ONE = dict(
    erf=(mp.erf, [-5, -0.3, 0, 1e-9, 2, 6]),
    erfc=(mp.erfc, [-5, 0.1, 2, 26]),
    erfcx=(lambda x: mp.exp(x * x) * mp.erfc(x), [-5, 0, 1, 4, 7.99, 8.01, 100, 1e5]),
    erfi=(mp.erfi, [-5, 0, 20]),
    dawsn=(dawson, [-9, -2, 0, 5, 7.99, 8.01, 50]),
    erfinv=(mp.erfinv, [-0.99, 1e-9, 0.5, 1 - 1e-6]),
    ndtr=(phi, [-37, -1, 0.1, 5]),
    log_ndtr=(log_phi, [-1e3, -20, -1, 0, 3, 30]),
    ndtri_exp=(log_phi_inverse, [-1e4, -30, -1, -0.1]),
    gamma=(mp.gamma, [-3.3, -0.5, 1e-3, 1.5, 20, 160]),
    gammaln=(lambda x: mp.log(abs(mp.gamma(x))), [-3.3, 1e-3, 1.5, 1e5]),
    rgamma=(mp.rgamma, [-20.5, -3, -1, 0, 0.3, 1.5, 20]),
    digamma=(mp.digamma, [-3.3, 1e-3, 1.5, 1e5]),
    zeta=(mp.zeta, [-7.5, -2, -0.5, 0, 0.5, 1.1, 2, 5, 30]),
    zetac=(lambda x: mp.zeta(x) - 1, [-0.5, 1.1, 2, 5]),
    exprel=(exprel, [-1e3, -30, -1, 1e-9, 2, 300]),
    sinc=(lambda x: mp.sincpi(x), [1e-9, 0.3, 5.5, 100.3]),
    expi=(mp.ei, [-20, -0.1, 1e-3, 2, 100]),
    exp1=(mp.e1, [1e-3, 2, 100]),
    spence=(dilogarithm, [1e-3, 0.4, 0.9, 1 + 1e-7, 1.6, 100, 1e9]),
    wrightomega=(lambda z: mp.lambertw(mp.exp(z)), [-30, 0, 2, 50]),
    ellipk=(mp.ellipk, [-1e3, -1, 1e-9, 0.5, 0.999]),
    ellipe=(mp.ellipe, [-1e3, -1, 1e-9, 0.5, 0.999]),
    j0=(lambda x: mp.besselj(0, x), [1e-5, 1, 30, 300]),
    j1=(lambda x: mp.besselj(1, x), [1e-5, 1, 30, 300]),
    y0=(lambda x: mp.bessely(0, x), [1e-3, 1, 30]),
    i0e=(lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), [-3, 1e-3, 2, 30]),
    kolmogorov=(kolmogorov, [0.1, 0.5, 0.99, 1.01, 2, 4]),
)  # fmt: skip


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("order", [1, 2])
def test_functions_of_one_number_have_the_derivatives_of_mpmath(name, order):
    reference, points = ONE[name]
    for x in map(float, points):
        with mp.workdps(60 if name == "kolmogorov" else 45):
            want = mp.diff(reference, mp.mpf(x), order)
        agrees(nth(getattr(special, name), order)(x), want, 1e-9 if order == 2 else 2e-12)


def smirnov(n, d):
    pieces = range(int(n * (1 - mp.mpf(float(d)))) + 1)
    at = [(mp.binomial(n, j), mp.mpf(j) / n) for j in pieces]
    return d * mp.fsum(
        w * (d + u) ** (j - 1) * (1 - d - u) ** (n - j) for j, (w, u) in enumerate(at)
    )


HELD = dict(
    jv=(mp.besselj, [(0.3, 2), (7, 1e-2), (2.5, 40)]),
    yv=(mp.bessely, [(0.3, 2), (3, 0.5), (2.5, 40)]),
    iv=(mp.besseli, [(0.3, 2), (7, 1e-2), (2.5, 40)]),
    kv=(mp.besselk, [(0.3, 2), (3, 0.5), (2.5, 40)]),
    struve=(mp.struveh, [(0.3, 2), (1, 9)]),
    modstruve=(mp.struvel, [(0.3, 2), (1, 9)]),
    hyp0f1=(mp.hyp0f1, [(0.3, -3), (2, 20)]),
    hyp1f1=(mp.hyp1f1, [(0.3, 1.2, -30), (2, 3, 20)]),
    hyp2f1=(mp.hyp2f1, [(0.3, 1.2, 2.5, -30), (2, 3, 4.5, 0.9)]),
    hyperu=(mp.hyperu, [(0.3, 1.2, 3), (2, 3, 0.5)]),
    elliprc=(mp.elliprc, [(1, 2), (0.01, 30), (5, 0.1)]),
    elliprf=(mp.elliprf, [(1, 2, 3), (0, 1e-3, 50)]),
    elliprd=(mp.elliprd, [(1, 2, 3), (0, 1e-3, 50)]),
    elliprg=(mp.elliprg, [(1, 2, 3), (0, 1e-3, 50)]),
    elliprj=(mp.elliprj, [(1, 2, 3, 4), (0, 1e-3, 50, 0.1)]),
    agm=(mp.agm, [(1, 2), (1, 1), (1e-6, 30)]),
    smirnov=(smirnov, [(1, 0.3), (4, 0.1), (30, 0.21), (500, 0.05)]),
    expn=(mp.expint, [(0, 0.5), (1, 1e-3), (3, 0.1), (5, 30)]),
    polygamma=(mp.polygamma, [(0, 0.2), (2, -1.5), (4, 30)]),
    eval_legendre=(mp.legendre, [(5, 0.3), (40, 0.99)]),
    eval_chebyt=(mp.chebyt, [(5, 0.3), (40, 0.99)]),
    eval_hermite=(mp.hermite, [(5, 0.3), (20, 3)]),
    eval_laguerre=(lambda n, x: mp.laguerre(n, 0, x), [(5, 0.3), (20, 3)]),
    eval_gegenbauer=(mp.gegenbauer, [(5, 0.7, 0.3), (20, 1.5, 0.99)]),
    eval_jacobi=(mp.jacobi, [(5, 0.7, 1.3, 0.3), (20, 1.5, 0.2, 0.99)]),
)  # fmt: skip


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("order", [1, 2])
def test_functions_with_parameters_have_the_derivatives_of_mpmath(name, order):
    reference, points = HELD[name]
    for *held, x in points:
        with mp.workdps(45):
            exact = [h if type(h) is int else mp.mpf(h) for h in held]
            want = mp.diff(lambda x, exact=exact: reference(*exact, x), mp.mpf(x), order)
        slope = nth(lambda x, held=held: getattr(special, name)(*held, x), order)
        agrees(slope(float(x)), want, 1e-9)


def lower(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


@pytest.mark.parametrize("a", [1e-3, 0.1, 0.5, 1.0, 3.0, 19.9, 20.1, 300.0])
@pytest.mark.parametrize("order", [1, 2])
def test_the_incomplete_gamma_function_is_differentiated_in_its_parameter(a, order):
    for ratio in 1e-3, 0.1, 0.6, 0.95, 1.1, 1.5, 3.0, 30.0:
        x = a * ratio
        with mp.workdps(40):
            want = mp.diff(lambda a, x=x: lower(a, x), mp.mpf(a), order)
        if abs(want) > 1e-280:
            agrees(nth(lambda a, x=x: special.gammainc(a, x), order)(a), want, 5e-11)


@pytest.mark.parametrize("a", [1e4, 1e6])
def test_a_large_parameter_of_the_incomplete_gamma_function_costs_few_digits(a):
    width = a**0.5
    for x in a - 3 * width, a + width / 2, a + 3 * width:
        with mp.workdps(30):
            ends = [x + k * width * (1 if x > a else -1) for k in (0, 1, 3, 8, 25)]

            def term(t):
                density = mp.exp((a - 1) * mp.log(t) - t - mp.loggamma(a))
                return density * (mp.log(t) - mp.digamma(a))

            want = -mp.quad(term, ends)
        agrees(ad.grad(special.gammainc)(a, x), want, 1e-11)


@pytest.mark.parametrize(
    ("a", "b"),
    [(1e-3, 1e-3), (1e-3, 1.0), (50.0, 1e-2), (0.5, 0.5), (5.0, 7.0), (3.0, 40.0), (100.0, 120.0)],
)
@pytest.mark.parametrize("orders", [(1, 0), (0, 1), (1, 1)])
def test_the_incomplete_beta_function_is_differentiated_in_its_parameters(a, b, orders):
    for x in 1e-100, 1e-6, 0.01, 0.3, a / (a + b), 0.7, 0.99, 1 - 1e-6:
        with mp.workdps(50):
            want = mp.diff(
                lambda a, b, x=x: mp.betainc(a, b, 0, mp.mpf(x), regularized=True),
                (mp.mpf(a), mp.mpf(b)),
                orders,
            )
        f = lambda a, b, x=x: special.betainc(a, b, x)  # noqa: E731
        for i, n in enumerate(orders):
            f = ad.grad(f, i) if n else f
        if abs(want) > 1e-280:
            agrees(f(a, b), want, 2e-11 if sum(orders) == 1 else 1e-6)


@pytest.mark.parametrize(("a", "b"), [(1e4, 3e4), (3.0, 1e5), (1e6, 0.5), (25.0, 1e6)])
def test_large_parameters_of_the_incomplete_beta_function_cost_few_digits(a, b):
    mean = a / (a + b)
    width = (mean * (1 - mean) / (a + b)) ** 0.5
    for x in mean - width / 2, mean + width:
        if not 0 < x < 1:
            continue
        side = 1 if x > mean else -1
        ends = [x + side * k * width for k in (1, 3, 8, 25, 200)]
        ends = [x, *(e for e in ends if 0 < e < 1), max(side, 0)]
        for i in 0, 1:
            with mp.workdps(30):

                def term(t, i=i):
                    logs = mp.log(t) - mp.digamma(a) if i == 0 else mp.log1p(-t) - mp.digamma(b)
                    height = -mp.log(mp.beta(a, b))
                    density = mp.exp((a - 1) * mp.log(t) + (b - 1) * mp.log1p(-t) + height)
                    return density * (logs + mp.digamma(a + b))

                want = -mp.quad(term, ends)
            agrees(ad.grad(special.betainc, i)(a, b, x), want, 1e-10)
        with mp.workdps(30):
            want = mp.exp((a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x)) / mp.beta(a, b)
        agrees(ad.grad(special.betainc, 2)(a, b, x), want, 1e-10)


@pytest.mark.parametrize("df", [0.3, 1.0, 7.5, 300.0, 1e4])
def test_the_distributions_are_differentiated_in_their_degrees_of_freedom(df):
    for t in -30.0, -2.0, -0.1, 0.5, 4.0:
        with mp.workdps(40):
            want = mp.diff(lambda df, t=t: student(df, mp.mpf(t)), mp.mpf(df))
            chi = mp.diff(lambda df, t=t: lower(df / 2, abs(t) / 2), mp.mpf(df))
        agrees(ad.grad(special.stdtr)(df, t), want, 1e-9)
        agrees(ad.grad(special.chdtr)(df, abs(t)), chi, 1e-10)


def test_student_at_zero_has_the_derivatives_of_its_density():
    for df in 0.7, 3.0:
        mixed = ad.grad(ad.grad(special.stdtr, 1))(df, 0.0)
        with mp.workdps(30):
            want = mp.diff(lambda d: mp.exp(-mp.log(d) / 2) / mp.beta(d / 2, 0.5), mp.mpf(df))
        agrees(mixed, want, 1e-10)
        agrees(ad.grad(ad.grad(special.stdtr), 1)(df, 0.0), want, 1e-10)
        assert ad.grad(special.stdtr)(df, 0.0) == 0
        assert ad.grad(ad.grad(special.stdtr))(df, 0.0) == 0


def test_hurwitz_zeta_is_differentiated_in_both():
    for s, q in (1.1, 0.2), (2.0, 1.0), (5.0, 30.0), (30.0, 0.7):
        with mp.workdps(40):
            first = mp.diff(lambda s, q=q: mp.zeta(s, q), mp.mpf(s))
            second = mp.diff(lambda q, s=s: mp.zeta(s, q), mp.mpf(q))
        agrees(ad.grad(special.zeta)(s, q), first, 1e-12)
        agrees(ad.grad(special.zeta, 1)(s, q), second, 1e-12)


REFUSED = [
    ("jv", 0, (0.5, 1.0)), ("yv", 0, (0.5, 1.0)), ("iv", 0, (0.5, 1.0)), ("kv", 0, (0.5, 1.0)),
    ("kve", 0, (0.5, 1.0)), ("ive", 0, (0.5, 1.0)), ("jve", 0, (0.5, 1.0)), ("yve", 0, (0.5, 1.0)),
    ("hankel1", 0, (0.5, 1.0)), ("hankel2e", 0, (0.5, 1.0)), ("struve", 0, (0.5, 1.0)),
    ("modstruve", 0, (0.5, 1.0)), ("hyp0f1", 0, (0.5, 1.0)), ("hyp1f1", 0, (0.5, 1.5, 1.0)),
    ("hyp1f1", 1, (0.5, 1.5, 1.0)), ("hyperu", 0, (0.5, 1.5, 1.0)),
    ("hyp2f1", 2, (0.5, 1.5, 1.0, 0.3)), ("eval_gegenbauer", 1, (2.0, 1.5, 0.3)),
    ("eval_jacobi", 2, (2.0, 1.5, 0.5, 0.3)), ("eval_genlaguerre", 1, (2.0, 1.5, 0.3)),
    ("lpmv", 1, (1.0, 2.5, 0.3)),
]  # fmt: skip
COUNTED = [
    ("polygamma", (1.0, 0.5)), ("yn", (1.0, 0.5)), ("kn", (1.0, 0.5)), ("expn", (1.0, 0.5)),
    ("spherical_jn", (1.0, 0.5)), ("eval_legendre", (1.0, 0.5)), ("eval_chebyt", (1.0, 0.5)),
    ("bdtr", (1.0, 3.0, 0.5)), ("nbdtr", (1.0, 3.0, 0.5)), ("pdtr", (1.0, 0.5)),
    ("smirnov", (3.0, 0.5)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "i", "args"), REFUSED)
def test_a_parameter_without_a_closed_form_is_refused_and_differences_serve(name, i, args):
    f = getattr(special, name)
    for slope in (
        lambda: ad.grad(lambda *xs: ad.real(f(*xs)), i)(*args),
        lambda: ad.jvp(lambda v: f(*args[:i], v, *args[i + 1 :]), (args[i],), (1.0,)),
    ):
        with pytest.raises(
            ad.errors.NoRuleError, match=rf"`{name}`.*`ad.numeric\(ad.special.{name}"
        ):
            slope()
    by_differences = ad.numeric(f)
    with pytest.warns(ad.NumericDerivativeWarning):
        got = ad.grad(lambda *xs: ad.real(by_differences(*xs)), i)(*args)
    h = 1e-5
    moved = [f(*args[:i], args[i] + s * h, *args[i + 1 :]).real for s in (1, -1)]
    np.testing.assert_allclose(got, (moved[0] - moved[1]) / (2 * h), rtol=1e-5, atol=1e-9)


@pytest.mark.filterwarnings("ignore:non-integer arg n is deprecated")
@pytest.mark.parametrize(("name", "args"), COUNTED)
def test_a_whole_number_is_refused(name, args):
    f = getattr(special, name)
    value, back = ad.vjp(lambda n: f(n, *args[1:]), args[0])
    assert value == f(*args)
    with pytest.raises(ad.errors.NoRuleError, match=f"`{name}`.*whole number.*detach"):
        back(1.0)


def test_what_is_not_asked_for_is_not_refused():
    order = ad.Tensor(0.5).detach()
    assert ad.grad(lambda z: special.jv(order, z))(1.0) == ad.grad(special.jv, 1)(0.5, 1.0)
    orders = np.array([0.5, 1.5])
    both = ad.vmap(ad.grad(special.jv, 1))(orders, np.ones(2))
    np.testing.assert_allclose(both, [ad.grad(special.jv, 1)(v, 1.0) for v in orders])


@pytest.mark.parametrize("name", ["zeta", "airye"])
def test_complex_arguments_without_a_rule_are_refused(name):
    f = getattr(special, name)
    first = (lambda z: f(z)[0]) if name == "airye" else f
    assert np.isfinite(first(2.0 + 1j))
    with pytest.raises(ad.errors.NoRuleError, match=name):
        ad.grad(lambda z: ad.real(first(z)))(2.0 + 1j)


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (special.i0e, 0.0, 0.0),
        (special.i1e, 0.0, 0.5),
        (special.sinc, 0.0, 0.0),
        (lambda x: special.diric(x, 3), 0.0, 0.0),
        (lambda x: special.diric(x, 4), 2 * np.pi, 0.0),
        (special.exprel, 0.0, 0.5),
        (special.spence, 1.0, -1.0),
        (special.entr, 1.0, -1.0),
        (lambda x: special.rel_entr(x, 0.5), 0.0, 1.0),
        (lambda x: special.rel_entr(0.0, x), 0.5, 0.0),
        (lambda x: special.rel_entr(0.0, x), 0.0, 0.0),
        (lambda x: special.kl_div(x, 0.5), 0.0, 0.0),
        (lambda x: special.kl_div(0.0, x), 0.0, 1.0),
        (lambda x: special.huber(1.0, x), 1.0, 1.0),
        (lambda x: special.huber(1.0, x), -1.0, -1.0),
        (lambda d: special.huber(d, 1.0), 1.0, 0.0),
        (special.rgamma, -3.0, -6.0),
        (lambda x: special.boxcox(x, 0.0), 2.0, 0.5),
        (lambda k: special.boxcox(2.0, k), 0.0, np.log(2) ** 2 / 2),
        (lambda k: special.inv_boxcox(1.5, k), 0.0, -np.exp(1.5) * 1.125),
        (special.lambertw, 0.0, 1.0),
        (lambda x: special.gammainc(1.0, x), 0.0, 1.0),
        (lambda x: special.gammainc(2.0, x), 0.0, 0.0),
        (lambda x: special.gammainc(0.5, x), inf, 0.0),
        (lambda a: special.gammainc(a, 0.0), 2.0, 0.0),
        (lambda a: special.gammainc(a, inf), 2.0, 0.0),
        (lambda a: special.betainc(a, 2.0, 0.0), 2.0, 0.0),
        (lambda b: special.betainc(2.0, b, 1.0), 2.0, 0.0),
        (special.kolmogorov, 0.0, 0.0),
        (special.kolmogorov, 0.02, 0.0),
        (special.ellipk, 0.0, np.pi / 8),
        (lambda m: special.ellipkinc(1.0, m), 0.0, 0.5 * (0.5 - np.sin(2.0) / 4)),
        (lambda x: special.eval_legendre(0, x), 0.3, 0.0),
    ],
)
def test_at_ends_and_holes_the_slope_is_the_limit_or_the_one_stated(f, x, want):
    slope = ad.grad(lambda x: ad.real(f(x)))(x)
    np.testing.assert_allclose(slope, want, rtol=1e-14, atol=1e-15)


@pytest.mark.filterwarnings("ignore:divide by zero|invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    ("f", "x", "first", "second"),
    [
        (lambda x: special.sici(x)[0], 0.0, 1.0, 0.0),
        (lambda x: special.shichi(x)[0], 0.0, 1.0, 0.0),
        (lambda x: special.sici(x)[0], [0.0, np.pi], 1.0, -1 / np.pi),
        (lambda x: special.airy(x)[0], 200.0, 0.0, 0.0),
    ],
)
def test_the_pole_of_another_output_takes_no_part(f, x, first, second):
    np.testing.assert_allclose(slope_both_ways(f, x).sum(), first, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(curvature(f, x), second, rtol=1e-14, atol=1e-15)
    mapped = ad.vmap(ad.grad(lambda x: f(x).sum()))(np.asarray(x, float)[None])
    np.testing.assert_array_equal(mapped[0], slope_both_ways(f, x))


def test_the_slope_of_an_integral_at_its_pole_is_infinite():
    with np.errstate(divide="ignore"):
        assert ad.grad(lambda x: special.sici(x)[1])(0.0) == inf
        assert ad.grad(lambda x: special.shichi(x)[1])(0.0) == inf


def test_outside_of_the_domain_a_slope_is_nan():
    assert np.isnan(ad.grad(special.gammainc)(-1.0, 1.0))
    assert np.isnan(ad.grad(special.gammainc)(1.0, -1.0))
    assert np.isnan(ad.grad(special.betainc)(1.0, 1.0, 1.5))
    assert np.isnan(ad.grad(special.betainc)(-1.0, 1.0, 0.5))
    assert np.isnan(ad.grad(special.elliprj, 3)(1.0, 1.0, 1.0, -1.0))
    assert np.isnan(special.multigammaln(0.5, 3))


def test_an_argument_of_carlson_at_zero_has_an_infinite_slope():
    assert ad.grad(special.elliprc)(0.0, 1.0) == -inf
    assert ad.grad(special.elliprd)(0.0, 1.0, 1.0) == -inf


def test_incomplete_elliptic_integrals_turn_with_the_angle():
    for m in -2.0, 0.3, 0.99:
        for phi in 2.0, -4.0, 9.5:
            with mp.workdps(30):
                first = mp.diff(lambda m, phi=phi: mp.ellipf(phi, m), mp.mpf(m))
                second = mp.diff(lambda m, phi=phi: mp.ellipe(phi, m), mp.mpf(m))
            agrees(ad.grad(special.ellipkinc, 1)(phi, m), first, 1e-12)
            agrees(ad.grad(special.ellipeinc, 1)(phi, m), second, 1e-12)


def test_jacobi_functions_are_those_of_scipy_near_one_too():
    for m in 0.0, 0.5, 1 - 1e-9, 1.0:
        u = np.linspace(-3, 3, 13)
        np.testing.assert_allclose(special.ellipj(u, m), sp.ellipj(u, m), rtol=1e-12, atol=1e-15)


def test_a_block_of_many_elements_is_taken_in_parts():
    x = np.linspace(0.1, 9, 5000).reshape(50, 100)
    got = ad.grad(lambda a: ad.sum(special.gammainc(a, x)))(np.full(x.shape, 2.0))
    few = ad.grad(lambda a: ad.sum(special.gammainc(a, x[::7])))(np.full(x[::7].shape, 2.0))
    np.testing.assert_array_equal(got[::7], few)


def test_single_precision_stays_where_scipy_would_leave_it():
    x = np.float32(0.3)
    for f in (
        lambda x: special.jv(2, x),
        lambda x: special.polygamma(2, x),
        lambda x: special.spherical_jn(1, x),
        lambda x: special.gammainc(np.float32(2.0), x),
        lambda x: special.betainc(2.0, 3.0, x),
        lambda x: special.hyp2f1(1.0, 2.0, 3.0, x),
        lambda x: special.diric(x, 3),
        lambda x: special.bdtr(1, 3, x),
    ):
        assert f(x).dtype == np.float32
        assert ad.grad(f)(x).dtype == np.float32
        np.testing.assert_allclose(ad.grad(f)(x), ad.grad(f)(float(x)), rtol=2e-5)


def test_a_ufunc_of_scipy_is_called_with_all_its_inputs_by_position():
    names = [n for n in dir(special) if isinstance(getattr(sp, n, None), np.ufunc)]
    assert len(names) > 130
    for name in names:
        f = getattr(special, name)
        op = getattr(f, "op", None)
        count = len(op.inputs) if op else f.__code__.co_argcount
        assert count == len(getattr(sp, name).types[0].partition("->")[0]), name


def test_exact_factorials_are_refused():
    assert special.factorial(4) == 24 and special.factorial([0, -1])[1] == 0
    with pytest.raises(ad.errors.DataError, match="exact=True"):
        special.factorial(30, exact=True)
    with pytest.raises(ad.errors.DataError, match="exact=True"):
        special.comb(30, 3, exact=True)
