"""What quadrature refuses, and what it is exact for."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.integrate import (
    cumulative_trapezoid,
    fixed_quad,
    newton_cotes,
    romb,
    simpson,
    trapezoid,
)


def test_places_that_do_not_fit_are_refused():
    for f in trapezoid, simpson, cumulative_trapezoid:
        with pytest.raises(ad.errors.ShapeError, match=f.__name__):
            f(np.ones((2, 3)), np.arange(4.0))
        with pytest.raises(ad.errors.ShapeError, match=f"`{f.__name__}` was given axis 2"):
            f(np.ones((2, 3)), axis=2)
    with pytest.raises(ad.errors.DataError, match="takes initial=0 or None"):
        cumulative_trapezoid(np.ones(3), initial=1.0)


def test_romberg_needs_powers_of_two():
    for n in 1, 4, 6:
        with pytest.raises(ad.errors.ShapeError, match=f"it was given {n}"):
            romb(np.ones(n))


def test_fixed_quad_refuses_infinity():
    with pytest.raises(ad.errors.DataError, match="needs finite limits"):
        fixed_quad(ad.exp, -np.inf, 0.0)


def test_fixed_quad_differentiates_by_what_the_function_takes_from_outside():
    slope = ad.grad(lambda k: fixed_quad(lambda x: ad.exp(k * x), 0.0, 1.0, n=8)[0])(0.5)
    assert slope == pytest.approx((np.exp(0.5) * (0.5 - 1) + 1) / 0.25, rel=1e-12)


def test_weights_of_tracked_places_are_refused():
    for places in (lambda x: x, lambda x: [x[0], x[1], 2.0]):
        with pytest.raises(ad.errors.NoRuleError, match="no derivative in the places"):
            ad.grad(lambda x, at=places: ad.sum(newton_cotes(at(x))[0]))(np.array([0.0, 1.0, 2.0]))


@pytest.mark.parametrize("n", [3, 5, 9])
def test_simpson_is_exact_for_cubics(n):
    x = np.linspace(0.0, 2.0, n)
    assert simpson(x**3, x) == pytest.approx(4.0, rel=1e-14)
    assert simpson(x**3, dx=x[1]) == pytest.approx(4.0, rel=1e-14)


def test_equal_places_count_as_in_scipy():
    x = np.array([0.0, 0.0, 1.0, 1.0])
    y = np.array([1.0, 2.0, 3.0, 4.0])
    assert np.isfinite(ad.grad(lambda y: simpson(y, x))(y)).all()
