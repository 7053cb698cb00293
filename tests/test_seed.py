"""The face this library grew from: a 2019 tutorial's `Tensor`, its names and its habits, kept."""

import operator

import numpy as np
import pytest

from adjoint import Tensor


def test_a_tensor_is_made_of_an_array_and_shows_it():
    data = np.array([[1.0, 2.0], [3.0, 4.0]])
    x = Tensor(data)
    assert x.data is data
    assert x.shape == (2, 2)


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_two_tensors_and_an_operator(op, shape):
    a, b = np.full(shape, 3.0), np.full(shape, 4.0)
    x, y = Tensor(a), Tensor(b)
    z = op(x, y)
    np.testing.assert_array_equal(z.data, op(a, b))
    z.backward()
    slopes = {
        operator.add: (1.0, 1.0),
        operator.sub: (1.0, -1.0),
        operator.mul: (4.0, 3.0),
        operator.truediv: (1 / 4, -3 / 16),
    }[op]
    np.testing.assert_allclose(x.grad, np.full(shape, slopes[0]))
    np.testing.assert_allclose(y.grad, np.full(shape, slopes[1]))


@pytest.mark.parametrize("constant", [2, 2.0, np.float64(2), np.array([1.0, 2.0, 4.0]), [1, 2, 4]])
@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_a_constant_on_either_side(op, constant):
    data = np.array([1.0, 2.0, 5.0])
    c = np.asarray(constant)
    left, right = Tensor(data), Tensor(data)
    y, z = op(constant, left), op(right, constant)
    assert isinstance(y, Tensor)
    assert isinstance(z, Tensor)
    np.testing.assert_array_equal(y.data, op(c, data))
    np.testing.assert_array_equal(z.data, op(data, c))
    y.backward()
    z.backward()
    ones = np.ones(3)
    slopes = {
        operator.add: (ones, ones),
        operator.sub: (-ones, ones),
        operator.mul: (c * ones, c * ones),
        operator.truediv: (-c / data**2, ones / c),
    }[op]
    np.testing.assert_allclose(left.grad, slopes[0])
    np.testing.assert_allclose(right.grad, slopes[1])


def test_negation():
    x = Tensor(np.array([1.0, -2.0]))
    (-x).backward()
    np.testing.assert_array_equal((-x).data, [-1.0, 2.0])
    np.testing.assert_array_equal(x.grad, [-1.0, -1.0])


def test_matmul():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    x, y = Tensor(a), Tensor(b)
    z = x.matmul(y)
    np.testing.assert_array_equal(z.data, a @ b)
    z.backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 4)) @ b.T)
    np.testing.assert_array_equal(y.grad, a.T @ np.ones((2, 4)))


@pytest.mark.parametrize("data", [np.array([1.0, 2.0, 4.0]), np.array([[1.0, 2.0], [3.0, 4.0]])])
def test_sum_mean_log_and_exp(data):
    for name, value, slope in (
        ("sum", data.sum(), np.ones_like(data)),
        ("mean", data.mean(), np.full_like(data, 1 / data.size)),
        ("log", np.log(data), 1 / data),
        ("exp", np.exp(data), np.exp(data)),
    ):
        x = Tensor(data)
        y = getattr(x, name)()
        np.testing.assert_allclose(y.data, value)
        y.backward()
        np.testing.assert_allclose(x.grad, slope)


def test_integer_arrays_are_differentiated():
    x, y = Tensor(np.array([1, 2, 3])), Tensor(np.array([4, 5, 6]))
    (x * y).sum().backward()
    np.testing.assert_array_equal(x.grad, [4, 5, 6])
    np.testing.assert_array_equal(y.grad, [1, 2, 3])


def test_backward_of_a_non_scalar_is_seeded_with_ones():
    x = Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]))
    (x * x).backward()
    np.testing.assert_array_equal(x.grad, 2 * x.data)


def test_gradients_are_zeros_at_first_then_accumulate_until_zero_grad():
    x = Tensor(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(x.grad, [0.0, 0.0])
    (3 * x).backward()
    (4 * x).backward()
    np.testing.assert_array_equal(x.grad, [7.0, 7.0])
    x.zero_grad()
    np.testing.assert_array_equal(x.grad, [0.0, 0.0])
    (5 * x).backward()
    np.testing.assert_array_equal(x.grad, [5.0, 5.0])


def test_a_value_used_twice_gets_both_contributions():
    x = Tensor(np.array([2.0, 3.0]))
    y = x * x
    (y + y * x).backward()
    np.testing.assert_array_equal(x.grad, 2 * x.data + 3 * x.data**2)


def test_an_update_through_data_reaches_the_callers_array():
    array = np.array([1.0, 2.0])
    w = Tensor(array)
    (w * w).backward()
    w.data += 0.5 * w.grad
    np.testing.assert_array_equal(array, [2.0, 4.0])
    assert w.data is array


def test_op_and_from_tensors_tell_how_a_tensor_was_made():
    x, y = Tensor(np.array(2.0)), Tensor(np.array(3.0))
    z = x * y
    assert x.op is None
    assert x.from_tensors == ()
    assert z.op is not None
    a, b = z.from_tensors
    assert (a.data, b.data) == (2.0, 3.0)
    names = []
    t = (z + x).exp()
    while t.op:
        names.append(t.op.name)
        t = t.from_tensors[0]
    assert names == ["exp", "add", "multiply"]


def test_the_tutorials_logistic_regression():
    """One sample at a time, against the gradient by hand: (y - h) x."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.random((50, 2)), np.ones(50)])
    Y = (X[:, 0] + X[:, 1] >= 1).astype(float)
    weights, by_hand = np.ones(3), np.ones(3)
    w = Tensor(weights)
    for _ in range(5):
        for x, y in zip(X, Y, strict=True):
            h = 1 / (1 + (-(w * x).sum()).exp())
            l = y * h.log() + (1 - y) * (1 - h).log()  # noqa: E741  as in the tutorial
            w.zero_grad()
            l.backward()
            w.data += 0.1 * w.grad
            by_hand += 0.1 * (y - 1 / (1 + np.exp(-(by_hand * x).sum()))) * x
    np.testing.assert_allclose(weights, by_hand, rtol=1e-12)
    assert np.mean((X @ weights > 0) == Y) > 0.7


def test_a_layer_in_matrices_trains_as_by_hand():
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    by_hand = rng.normal(size=(3, 2))
    w = Tensor(by_hand.copy())
    for _ in range(10):
        error = Tensor(X).matmul(w) - Y
        loss = (error * error).mean()
        w.zero_grad()
        loss.backward()
        w.data -= 0.1 * w.grad
        by_hand -= 0.1 * 2 * X.T @ (X @ by_hand - Y) / Y.size
    np.testing.assert_allclose(w.data, by_hand, rtol=1e-12)
