"""The operators, with anything NumPy would take on either side."""

import operator

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import ShapeError

BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod,
    operator.floordiv, operator.matmul,
]  # fmt: skip
COMPARISONS = [
    operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
]  # fmt: skip
DATA = np.array([1.5, 2.0, 3.0])
OPERANDS = {
    "array": np.array([4.0, 2.5, 3.0]),
    "float32": np.array([4.0, 2.5, 3.0], np.float32),
    "integers": np.array([4, 2, 3]),
    "list": [4.0, 2, 3],
    "tuple": (4.0, 2.5, 3),
    "float": 4.0,
    "int": 4,
    "bool": True,
    "scalar": np.float64(4.0),
    "integer scalar": np.int8(4),
    "0-d": np.array(4.0),
    "table": np.array([[4.0], [2.0]]),
    "reversed view": np.array([4.0, 2.5, 3.0])[::-1],
}


@pytest.mark.parametrize("other", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("turned", [False, True], ids=["right", "left"])
@pytest.mark.parametrize("op", BINARY, ids=lambda f: f.__name__)
def test_operators_take_anything_on_either_side(op, turned, other):
    if op is operator.matmul and (np.ndim(other) == 0 or np.shape(other) == (2, 1)):
        other = np.ones((3, 3))
    x = ad.Tensor(DATA.copy())
    plain = np.asarray(other)
    got = op(other, x) if turned else op(x, other)
    want = op(plain, DATA) if turned else op(DATA, plain)
    assert isinstance(got, ad.Tensor)
    assert got.tracked
    np.testing.assert_allclose(got.detach().numpy(), want)
    assert got.dtype == want.dtype
    if op is not operator.floordiv:
        y = ad.Tensor(DATA.copy())
        (op(ad.Tensor(plain), y) if turned else op(y, ad.Tensor(plain))).sum().backward()
        got.sum().backward()
        np.testing.assert_allclose(x.grad, y.grad)


@pytest.mark.parametrize("other", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("op", COMPARISONS, ids=lambda f: f.__name__)
def test_comparisons_give_plain_truth_values(op, other):
    x = ad.Tensor(DATA)
    for got, want in (
        (op(x, other), op(DATA, np.asarray(other))),
        (op(other, x), op(np.asarray(other), DATA)),
    ):
        assert not isinstance(got, ad.Tensor)
        np.testing.assert_array_equal(got, want)


def test_augmented_assignment_leaves_the_array_alone():
    data = np.ones(3)
    x = ad.Tensor(data)
    y = x.copy()
    y += 1
    y *= x
    y.sum().backward()
    np.testing.assert_array_equal(data, np.ones(3))
    np.testing.assert_array_equal(x.grad, [3.0, 3.0, 3.0])


def test_an_array_is_not_changed_in_place_by_a_tensor():
    """It could not remember where its values come from."""
    data = np.ones(3)
    with pytest.raises(TypeError):
        data += ad.Tensor(np.ones(3))
    np.testing.assert_array_equal(data, np.ones(3))


def test_pythons_own_sum_max_and_abs_are_differentiated():
    x = ad.Tensor(np.array([1.0, -3.0, 2.0]))
    (sum(x) + 10 * max(x) + 100 * abs(x).sum()).backward()
    np.testing.assert_array_equal(x.grad, [101.0, -99.0, 111.0])


@pytest.mark.parametrize("name", ["add", "multiply", "matmul"])
def test_shapes_that_do_not_fit_are_named(name):
    x, y = ad.Tensor(np.ones(3)), np.ones((2, 2))
    with pytest.raises(ShapeError, match=rf"`{name}\(x: float64\(3,\), y: float64\(2, 2\)\)`"):
        ad.OPS[name].call(x, y)
    with pytest.raises(ShapeError, match=rf"`{name}\(x: float64\(2, 2\), y: float64\(3,\)\)`"):
        ad.OPS[name].call(y, x)


@pytest.mark.parametrize("index", [3, (0, 0), "a", 1.0, [7], np.array([True, False])])
def test_an_index_that_does_not_fit_is_an_index_error(index):
    with pytest.raises(IndexError, match="getitem"):
        ad.Tensor(np.ones(3))[index]


def test_iteration_and_unpacking_are_differentiated():
    x = ad.Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]))
    (a, b), last = x
    (a * b + last.sum()).backward()
    np.testing.assert_array_equal(x.grad, [[2.0, 1.0], [1.0, 1.0]])


def test_an_element_picked_twice_counts_twice():
    x = ad.Tensor(np.array([1.0, 2.0, 3.0]))
    (x[[0, 0, 2]] * np.array([1.0, 10.0, 100.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [11.0, 0.0, 100.0])


def test_many_picks_from_one_array_are_summed_in_place_and_right(rng):
    x = ad.Tensor(rng.normal(size=50))
    weights = rng.normal(size=50)
    sum((w * x[i] * x[i] for i, w in enumerate(weights)), 0.0).backward()
    np.testing.assert_allclose(x.grad, 2 * weights * x.data)
