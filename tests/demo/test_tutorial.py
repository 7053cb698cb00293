"""The tutorial's loop learns what plain NumPy learns, and the stable formula stays right."""

import numpy as np
import pytest

from adjoint.demo import tutorial


def by_hand(X, Y, epochs, rate):
    """The same ascent with the gradient worked out on paper: (y - h) x."""
    w, likelihoods = np.ones(X.shape[1]), []
    for _ in range(epochs):
        likelihood = 0.0
        for x, y in zip(X, Y, strict=True):
            h = 1 / (1 + np.exp(-np.sum(w * x)))
            likelihood += y * np.log(h) + (1 - y) * np.log(1 - h)
            w = w + rate * (y - h) * x
        likelihoods.append(likelihood)
    return w, likelihoods


@pytest.fixture
def points(rng):
    return tutorial.make_points(60, rng)


def test_points_are_in_the_unit_square_with_a_bias_column(points):
    X, Y = points
    assert X.shape == (60, 3) and (X[:, 2] == 1).all()
    assert (X >= 0).all() and (X <= 1).all()
    assert (Y == (X[:, 0] + X[:, 1] >= 1)).all()
    assert 0 < Y.sum() < 60


@pytest.mark.parametrize("rate", [0.01, 0.3])
def test_weights_equal_those_of_a_loop_written_by_hand(points, rate):
    history = tutorial.train(*points, epochs=20, rate=rate, log=lambda line: None)
    w, likelihoods = by_hand(*points, epochs=20, rate=rate)
    np.testing.assert_allclose(history[-1].weights, w, rtol=0, atol=1e-12)
    np.testing.assert_allclose([p.likelihood for p in history[1:]], likelihoods, rtol=1e-12)


def test_default_setup_learns_the_line(rng):
    X, Y = tutorial.make_points(100, rng)
    history = tutorial.train(X, Y, log=lambda line: None)
    assert len(history) == 301
    assert tutorial.accuracy(history[0].weights, X, Y) < 0.7
    assert tutorial.accuracy(history[-1].weights, X, Y) > 0.95
    np.testing.assert_allclose(history[-1].weights, by_hand(X, Y, 300, 0.01)[0], atol=1e-12)


def test_one_log_line_a_pass_with_likelihood_and_weights(points):
    lines = []
    history = tutorial.train(*points, epochs=12, log=lines.append)
    assert len(lines) == 12
    for line, (likelihood, weights) in zip(lines, history[1:], strict=True):
        assert len(line) < 80
        for number in (likelihood, *weights):
            assert f"{number:.4f}" in line


def test_training_ends_when_the_formula_has_overflowed(points):
    history = tutorial.train(*points, epochs=9, rate=1e4, log=lambda line: None)
    assert len(history) < 10
    assert np.isnan(history[-1].weights).all()


def test_stable_formula_is_right_at_every_logit():
    for label, logit, _, (value, slope) in tutorial.compare():
        exact = -np.logaddexp(0, -logit if label else logit)
        np.testing.assert_allclose(value, exact, rtol=1e-15)
        np.testing.assert_allclose(slope, label - 0.5 - 0.5 * np.tanh(logit / 2), atol=1e-15)


def test_tutorial_formula_is_right_near_the_boundary_and_overflows_far_from_it():
    rows = {(row.label, row.logit): row for row in tutorial.compare()}
    np.testing.assert_allclose(rows[0, 1].tutorial, rows[0, 1].stable, rtol=1e-14)
    np.testing.assert_allclose(rows[1, -10].tutorial, rows[1, -10].stable, rtol=1e-14)
    for hard in ((0, 40), (0, 1000), (1, 40), (1, -1000)):
        assert not np.isfinite(rows[hard].tutorial).any()
        assert np.isfinite(rows[hard].stable).all()


def test_comparison_table_is_aligned():
    lines = tutorial.comparison_table().splitlines()
    assert len(lines) == 2 + len(tutorial.HARD)
    assert {len(line) for line in lines[1:]} == {len(lines[1])}
    assert max(map(len, lines)) < 80
