"""Choices: poles that are not chosen, conditions in all forms, and what is refused."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import ConversionError, DataError, ShapeError

x = np.array([-1.0, 0.0, 4.0])


def test_a_piece_sees_only_its_own_elements():
    def f(x):
        return ad.piecewise(x, [x < 0, x > 0], [lambda v: v * v, ad.sqrt])

    assert f(x).tolist() == [1, 0, 2]
    assert ad.grad(lambda x: f(x).sum())(x).tolist() == [-2, 0, 0.25]
    hessian = ad.hessian(lambda x: f(x).sum())(x)
    np.testing.assert_allclose(np.diag(hessian), [2, 0, -1 / 32])


def test_the_last_true_condition_counts():
    pieces = [lambda v: v + 1, lambda v: 10 * v, 5.0]
    for conditions in ([x > -2, x > 0], [x < 9, x < 9], [x > 9, x > 9]):
        want = np.piecewise(x, conditions, pieces)
        np.testing.assert_array_equal(ad.piecewise(x, conditions, pieces), want)
        ad.check_grads(lambda y, c=conditions: ad.piecewise(y, c, pieces), (x,))


def test_conditions_come_in_all_forms():
    square = [lambda v: v * v, 7.0]
    mask = x > 0
    for conditions in (mask, [mask], mask.tolist(), mask[None]):
        got = ad.piecewise(x, conditions, square)
        np.testing.assert_array_equal(got, np.piecewise(x, conditions, square))
    assert ad.piecewise(3.0, [True], [lambda v: v * v]) == 9.0
    assert ad.piecewise(3.0, True, [lambda v: v * v]) == 9.0
    assert ad.grad(lambda y: ad.piecewise(y, [y > 0, y < 0], [lambda v: v * v, 1.0]))(3.0) == 6.0
    assert ad.piecewise(np.array([1, 2]), [[True, False]], [lambda v: v / 4]).tolist() == [0, 0]


def test_parameters_of_the_pieces_may_be_tracked():
    slope = ad.grad(lambda a: ad.piecewise(x, [x > 0], [lambda v: a * v, a]).sum())(3.0)
    assert slope == 4 + 2


def test_mapped_conditions_choose_afterwards():
    def f(x):
        return ad.piecewise(x, [x < 0, x > 1], [lambda v: v * v, ad.exp, 3.0])

    rows = np.array([[-1.0, 0.5], [2.0, -3.0]])
    np.testing.assert_allclose(ad.vmap(f)(rows), [f(row) for row in rows])
    np.testing.assert_allclose(ad.vmap(f)(rows[0]), f(rows[0]))


def test_choices_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="with 2 conditions takes 2 functions"):
        ad.piecewise(x, [x > 0, x < 0], [1.0])
    with pytest.raises(ShapeError, match="a choice for each condition"):
        ad.select([x > 0], [1.0, 2.0])
    with pytest.raises(ShapeError, match="a choice for each condition"):
        ad.select([], [])
    with pytest.raises(DataError, match="conditions of truth values"):
        ad.select([x], [1.0])
    with pytest.raises(DataError, match="needs integers"):
        ad.choose(x, [x, x])
    with pytest.raises(DataError, match="has the modes"):
        ad.choose(np.array([0]), [x, x], mode="throw")
    with pytest.raises(ShapeError, match="out of 0"):
        ad.choose(np.array([0, 2]), [1.0, 2.0])
    with pytest.raises(ShapeError, match="a condition with one axis"):
        ad.compress(np.ones((1, 2), bool), x)
    with pytest.raises(ConversionError, match="inside `vmap`"):
        ad.vmap(lambda y: ad.extract(y > 0, y))(np.ones((2, 3)))


def test_choices_keep_the_precision_of_arrays():
    single = np.ones(3, np.float32)
    assert ad.select([x > 0], [ad.Tensor(single)]).dtype == np.float32
    assert ad.select([x > 0], [1.0], ad.Tensor(single)).dtype == np.float32
    assert ad.select([x > 0, x < 0], [1, 2]).dtype == np.select([x > 0, x < 0], [1, 2]).dtype


def test_numbers_to_choose_by_may_be_mapped():
    choices = [np.array([1.0, 2.0]), np.array([3.0, 4.0])]
    numbers = np.array([[0, 1], [1, 1]])
    got = ad.vmap(lambda i: ad.choose(i, choices))(numbers)
    np.testing.assert_array_equal(got, [np.choose(i, choices) for i in numbers])
    for mode in "wrap", "clip":
        got = ad.vmap(lambda i, mode=mode: ad.choose(i, choices, mode=mode))(numbers * 5 - 2)
        want = [np.choose(i, choices, mode=mode) for i in numbers * 5 - 2]
        np.testing.assert_array_equal(got, want)
    assert ad.choose(np.array([True, False]), choices).tolist() == [3, 2]


def test_a_short_condition_compresses_what_it_covers():
    np.testing.assert_array_equal(ad.compress([True], x), np.compress([True], x))
    slope = ad.grad(lambda y: ad.extract(y > -1, y).sum())(x)
    assert slope.tolist() == [0, 1, 1]
