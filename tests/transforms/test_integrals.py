"""Integrals and differential equations, against solutions known in closed form."""

import numpy as np
import pytest
import scipy.integrate

import adjoint as ad
from adjoint.integrate import dblquad, odeint, quad, quad_vec, solve_ivp

TIGHT = dict(rtol=1e-10, atol=1e-10)


def close(got, want, tolerance=1e-6):
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def wave(x, k):
    return ad.sin(k * x)


def swept(a, b, k):
    """∫ sin kx dx."""
    return quad(wave, a, b, (k,))[0]


def test_quad_of_numbers_is_scipys():
    assert quad(np.exp, 0, 1) == scipy.integrate.quad(np.exp, 0, 1)
    want = scipy.integrate.quad(lambda x, k: np.sin(k * x), 0, 1, (2.0,), epsabs=1e-3)
    assert quad(wave, 0, 1, (2.0,), epsabs=1e-3) == want
    assert quad(wave, 0, 1, 2.0)[0] == quad(wave, 0, 1, (2.0,))[0]


def test_quad_has_its_derivatives_in_every_mode_and_order():
    ad.check_grads(swept, (0.1, 1.3, 0.7))
    third = ad.grad(ad.grad(ad.grad(swept, 2), 2), 2)
    exact = ad.grad(ad.grad(ad.grad(lambda k: (ad.cos(0.1 * k) - ad.cos(1.3 * k)) / k)))
    close(third(0.1, 1.3, 0.7), exact(0.7), 1e-9)


def test_quad_with_an_argument_that_is_an_array_or_a_container():
    def f(b, p):
        return quad(lambda x, p: ad.sum(ad.exp(-p["k"] * x)) * p["s"], 0.0, b, (p,))[0]

    def exact(b, p):
        return ad.sum((1 - ad.exp(-p["k"] * b)) / p["k"]) * p["s"]

    at = 1.5, {"k": np.array([0.5, 2.0]), "s": 3.0}
    got, want = (ad.grad(g, (0, 1))(*at) for g in (f, exact))
    close(got[0], want[0], 1e-9)
    close(got[1]["k"], want[1]["k"], 1e-9)
    close(got[1]["s"], want[1]["s"], 1e-9)


def test_quad_to_infinity():
    def laplace(k, b):
        return quad(lambda x, k: ad.exp(-k * x), 0, b, (k,))[0]

    close(ad.grad(laplace)(2.0, np.inf), -0.25, 1e-9)
    close(ad.grad(ad.grad(laplace))(2.0, np.inf), 0.25, 1e-9)
    assert ad.grad(laplace, 1)(2.0, np.inf) == 0
    assert ad.jvp(laplace, (2.0, np.inf), (0.0, 1.0))[1] == 0


def test_a_limit_that_is_not_differentiated_may_be_a_pole():
    close(ad.grad(lambda b: quad(lambda x: 1 / np.sqrt(x), 0, b)[0])(4.0), 0.5)


def test_quad_of_complex_functions():
    def f(w, b):
        return quad(lambda x, w: ad.exp(1j * w * x), 0.0, b, (w,), complex_func=True)[0]

    ad.check_grads(f, (0.7, 1.3))


def test_quad_mapped_is_the_loop():
    k, b = np.array([0.5, 1.0, 2.0]), np.array([1.0, 1.5, 0.3])
    both = ad.grad(swept, (1, 2))
    got = ad.vmap(both, (None, 0, 0))(0.1, b, k)
    want = np.array([both(0.1, *pair) for pair in zip(b, k, strict=True)]).T
    close(got, want, 1e-12)
    close(ad.grad(lambda k: ad.vmap(swept, (None, None, 0))(0.0, 1.0, k).sum())(k), [
        ad.grad(swept, 2)(0.0, 1.0, one) for one in k
    ], 1e-12)  # fmt: skip


def test_quad_vec_is_an_array_of_integrals():
    p = np.array([1.0, 2.0, 3.0])

    def powers(b, p):
        return quad_vec(lambda x, p: x**p, 0.5, b, args=(p,))[0]

    np.testing.assert_array_equal(
        powers(1.5, p), scipy.integrate.quad_vec(lambda x: x**p, 0.5, 1.5)[0]
    )
    ad.check_grads(powers, (1.5, p))


def test_double_integral():
    def f(r, k):
        return dblquad(lambda y, x, k: x * y * k, 0, r, 0, lambda x: x, (k,))[0]

    close(f(2.0, 1.5), 1.5 * 2)
    close(ad.grad(f, (0, 1))(2.0, 1.5), [1.5 * 4, 2])
    close(ad.jvp(f, (2.0, 1.5), (1.0, 1.0))[1], 1.5 * 4 + 2)


@pytest.mark.parametrize(
    "f",
    [
        lambda k: quad(lambda x: ad.exp(-k * x), 0, 1)[0],
        lambda k: quad(lambda x, c: ad.exp(-k * x) * c, 0, 1, (k,))[0],
        lambda k: quad(lambda x, c: ad.exp(-k * x) * c, 0, k)[0],
        lambda k: quad_vec(lambda x: ad.exp(-k * x), 0, 1)[0],
        lambda k: dblquad(lambda y, x: x, 0, 1, 0, lambda x: k)[0],
        lambda k: odeint(lambda y, t: -k * y, [1.0], [0.0, 1.0])[-1, 0],
        lambda k: odeint(lambda y, t: -k * y, [k], [0.0, 1.0])[-1, 0],
        lambda k: solve_ivp(lambda t, y: [-k * y[0]], (0.0, 1.0), [1.0]).y[0, -1],
        lambda k: solve_ivp(lambda t, y: -k * y, (0.0, k), [k], t_eval=[0.5]).y[0, -1],
    ],
)
def test_a_tracked_value_from_outside_is_refused(f):
    for ask in (ad.grad(f), lambda k: ad.jvp(f, (k,), (1.0,)), lambda k: ad.vmap(f)(np.array([k]))):
        with pytest.raises((ad.AdjointError, TypeError), match=r"not among its arg|missing"):
            ask(0.7)


def decay(y, t, k):
    return -k * y


def decayed(k, y0, t):
    return odeint(decay, y0, t, (k,), **TIGHT)


def decayed_exactly(k, y0, t):
    return y0 * ad.exp(-k * (t - t[0]))[:, None]


TIMES = np.array([0.2, 0.7, 1.5])
POINT = 0.7, np.array([2.0, -1.0]), TIMES


def test_odeint_of_numbers_is_scipys():
    want = scipy.integrate.odeint(decay, [2.0, -1.0], TIMES, (0.7,))
    np.testing.assert_array_equal(odeint(decay, [2.0, -1.0], TIMES, (0.7,)), want)
    twice = odeint(decay, [2.0], [0.0, 1.0, 1.0], (0.7,))
    np.testing.assert_array_equal(twice[1], twice[2])


@pytest.mark.parametrize("mode", [ad.jacfwd, ad.jacrev])
def test_odeint_has_its_derivatives_in_both_modes(mode):
    got, want = (mode(f, (0, 1, 2))(*POINT) for f in (decayed, decayed_exactly))
    for g, w in zip(got, want, strict=True):
        close(g, w, 1e-8)


def test_odeint_backwards_in_time():
    def f(k):
        return odeint(decay, [1.0], [1.0, 0.0], (k,), **TIGHT)[-1, 0]

    close([f(0.5), ad.grad(f)(0.5)], np.exp(0.5), 1e-8)


@pytest.mark.parametrize("outer", [ad.jacfwd, ad.jacrev])
@pytest.mark.parametrize("inner", [ad.jacfwd, ad.jacrev])
def test_odeint_to_second_order_in_all_nestings(outer, inner):
    weights = np.array([[0.3, 1.0], [2.0, 0.5], [-1.0, 1.5]])

    def total(f, tolerances):
        def g(k, y0, t):
            return ad.sum(f(k, y0, t, **tolerances) * weights)

        return g

    def numeric(k, y0, t, **tolerances):
        return odeint(decay, y0, t, (k,), **tolerances)

    got = outer(inner(total(numeric, dict(rtol=1e-6, atol=1e-6)), (0, 1, 2)), (0, 1, 2))(*POINT)
    want = ad.hessian(total(decayed_exactly, {}), (0, 1, 2))(*POINT)
    for i in range(3):
        for j in range(3):
            close(got[i][j], want[i][j], 1e-3)


def turn(t, y, w):
    return [w * y[1], -w * y[0]]


@pytest.mark.parametrize("method", ["RK45", "DOP853", "LSODA", "Radau"])
def test_oscillator_by(method):
    def f(w, y0, span):
        return solve_ivp(turn, span, y0, method, args=(w,), rtol=1e-6, atol=1e-6).y[:, -1]

    def exact(w, y0, span):
        s, c = (g(w * (span[1] - span[0])) for g in (ad.sin, ad.cos))
        return ad.stack([c * y0[0] + s * y0[1], c * y0[1] - s * y0[0]])

    at = 1.3, np.array([1.0, 0.5]), np.array([0.5, 2.0])
    for mode in ad.jacfwd, ad.jacrev:
        got, want = (mode(g, (0, 1, 2))(*at) for g in (f, exact))
        for g, w in zip(got, want, strict=True):
            close(g, w, 1e-4)


def prey(t, y, p):
    return [p[0] * y[0] - p[1] * y[0] * y[1], -p[2] * y[1] + p[3] * y[0] * y[1]]


def test_lotka_and_volterra_against_differences():
    t = np.linspace(0.0, 4.0, 9)

    def f(p, y0):
        found = solve_ivp(prey, (0.0, 4.0), y0, t_eval=t, args=(p,), rtol=1e-9, atol=1e-9)
        return ad.sum(found.y**2)

    at = [np.array([1.5, 1.0, 3.0, 1.0]), np.array([1.0, 0.7])]
    slopes = ad.grad(f, (0, 1))(*at)
    for i, x in enumerate(at):
        for j in range(len(x)):
            step = 1e-5 * np.eye(len(x))[j]
            up, down = ([*at[:i], x + sign * step, *at[i + 1 :]] for sign in (1, -1))
            close(slopes[i][j], (f(*up) - f(*down)) / 2e-5, 1e-5)
    push = ad.jvp(f, tuple(at), (np.ones(4), np.ones(2)))[1]
    close(push, np.sum(slopes[0]) + np.sum(slopes[1]), 1e-6)


def test_solve_ivp_of_numbers_is_scipys():
    p = np.array([1.5, 1.0, 3.0, 1.0])
    for t_eval in None, [0.5, 1.0, 2.0]:
        got = solve_ivp(prey, (0.0, 3.0), [1.0, 0.7], t_eval=t_eval, args=(p,))
        want = scipy.integrate.solve_ivp(prey, (0.0, 3.0), [1.0, 0.7], t_eval=t_eval, args=(p,))
        np.testing.assert_allclose(got.t, want.t, rtol=1e-14)
        np.testing.assert_allclose(got.y, want.y, rtol=1e-12)


def test_stiff_equations_are_no_harder_back():
    def relax(y, t, rate):
        return -rate * (y**3 - ad.cos(t))

    def f(rate):
        return odeint(relax, [0.0], [0.0, 1.0, 2.0], (rate,), mxstep=5000)[-1, 0]

    for rate in 10.0, 1e4:
        back, push = ad.grad(f)(rate), ad.jvp(f, (rate,), (1.0,))[1]
        assert back == pytest.approx(push, rel=3e-3)


def test_complex_equation():
    def f(w):
        y0 = np.array([1.0 + 0.0j])
        found = solve_ivp(lambda t, y, w: 1j * w * y, (0.0, 1.0), y0, args=(w,), **TIGHT)
        return ad.real(found.y[0, -1])

    close([ad.grad(f)(0.7), ad.jvp(f, (0.7,), (1.0,))[1]], -np.sin(0.7), 1e-8)


def test_solutions_mapped_are_the_loop():
    k = np.array([0.5, 2.0])

    def f(k, t):
        return odeint(decay, [1.0], [0.0, t], (k,), rtol=1e-6, atol=1e-6)[-1, 0]

    both = ad.grad(f, (0, 1))
    close(ad.vmap(both)(k, k), np.array([both(*pair) for pair in zip(k, k, strict=True)]).T, 1e-4)
    third = ad.grad(ad.grad(f, 1), 1)
    close(ad.vmap(third)(k, k), [third(*pair) for pair in zip(k, k, strict=True)], 1e-3)

    def g(y):
        return solve_ivp(lambda t, y: -y * y, (0.0, 1.0), [y], t_eval=[0.5, 1.0]).y

    np.testing.assert_allclose(ad.vmap(g)(k), np.stack([g(y) for y in k]), rtol=1e-12)
    with pytest.raises(ad.errors.BatchError, match="needs `t_eval`"):
        ad.vmap(lambda y: solve_ivp(lambda t, y: -y * y, (0.0, 1.0), [y]).y)(k)


def test_times_that_fall_together():
    def f(w):
        t = ad.stack([0.0 * w, w, w])
        return odeint(decay, [1.0], t, (0.5,), **TIGHT)[:, 0]

    want = np.array([0.0, -0.5, -0.5]) * np.exp(-0.35)
    close(ad.jacfwd(f)(0.7), want, 1e-8)
    close(ad.jacrev(f)(0.7), want, 1e-8)
    one = ad.grad(lambda y: odeint(decay, [y], [0.3], (0.5,))[0, 0])
    assert one(2.0) == 1.0
    assert ad.grad(lambda t: odeint(decay, [1.0], [t], (0.5,))[0, 0])(0.3) == 0.0


def test_backward_of_tensors():
    y0 = ad.Tensor([1.0, 2.0])
    odeint(lambda y, t: -y, y0, [0.0, 1.0])[-1].sum().backward()
    close(y0.grad, np.exp(-1.0))


def test_what_has_no_derivative_is_not_taken():
    with pytest.raises(ad.errors.DataError, match="does not take `events`"):
        solve_ivp(lambda t, y: -y, (0.0, 1.0), [1.0], events=lambda t, y: y[0])


def test_failures_say_what_failed():
    for solve in (
        lambda: odeint(lambda y, t: y * y, [1.0], [0.0, 2.0]),
        lambda: solve_ivp(lambda t, y: y * y, (0.0, 2.0), [1.0]),
    ):
        with pytest.raises(ad.integrate.IntegrationError, match="did not reach the end"):
            solve()
    with pytest.raises(ad.errors.ShapeError, match="must have the shape of y, \\(1,\\)"):
        ad.grad(lambda y: odeint(lambda y, t: [y[0], y[0]], [y], [0.0, 1.0])[-1, 0])(1.0)
