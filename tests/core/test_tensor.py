"""A Tensor: what it takes in, what it shares with its maker, and what it says of itself."""

import gc

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import DataError, NotKeptError


@pytest.mark.parametrize(
    "data",
    [
        "one", ["one"], None, object(), {}, {1, 2}, [None, 1.0], [[1.0, 2.0], [3.0]],
        np.array(["a"]), np.array([1, "a"], object), np.array(["2020"], "M8[D]"),
        np.ma.array([1.0, 2.0], mask=[True, False]), np.zeros(2, [("a", float)]), b"raw",
    ],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_what_is_not_an_array_of_numbers_is_refused(data):
    with pytest.raises(DataError, match=r"`Tensor`"):
        ad.Tensor(data)
    with pytest.raises(DataError, match="`multiply`"):
        ad.Tensor(1.0) * data


@pytest.mark.parametrize("data", [2, 2.0, True, np.float32(2), [1, 2], (1.0, 2), [[1], [2]]])
def test_numbers_and_lists_are_taken(data):
    x = ad.Tensor(data)
    assert x.tracked
    assert x.op is None
    assert x.from_tensors == ()
    np.testing.assert_array_equal(x.data, data)


def test_a_tracked_tensor_is_not_wrapped_again():
    x = ad.Tensor(1.0)
    for tracked in (x, x * 2):
        with pytest.raises(DataError, match="history"):
            ad.Tensor(tracked)
    assert ad.Tensor((x * 2).detach()).tracked


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_array_is_shared_with_its_maker(order):
    data = np.ones((2, 3), order=order)
    w = ad.Tensor(data)
    assert w.data is data
    (w * w).sum().backward()
    w.data -= 0.25 * w.grad
    np.testing.assert_array_equal(data, np.full((2, 3), 0.5))
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad, np.full((2, 3), 3.0))


def test_a_0d_array_is_taken_by_value_and_written_back_by_assignment():
    data = np.array(3.0)
    w = ad.Tensor(data)
    (w * w).backward()
    w.data -= 0.5 * w.grad
    assert data == w.data == 0
    w.data = 7
    assert data == 7
    assert w.dtype == np.float64
    (w * w).backward()
    assert w.grad == 6 + 14


def test_data_of_a_leaf_may_be_replaced():
    w = ad.Tensor(np.ones(3, np.float32))
    w.data = np.arange(3)
    assert w.dtype == np.float32
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad, [0.0, 2.0, 4.0])


def test_replacing_data_between_the_passes_leaves_the_first_computation_alone():
    w = ad.Tensor(np.ones(3))
    loss = (w * w).sum()
    w.data = np.full(3, 5.0)
    loss.backward()
    np.testing.assert_array_equal(w.grad, [2.0, 2.0, 2.0])


def test_data_keeps_its_shape():
    w = ad.Tensor(np.ones(3))
    with pytest.raises(DataError, match=r"shape \(3,\).*\(2,\)"):
        w.data = np.ones(2)
    with pytest.raises(DataError, match="shape"):
        w.data = 1.0


def test_data_of_a_result_is_read_only():
    x = ad.Tensor(np.ones(3))
    y = x.tanh()
    with pytest.raises(ValueError, match="read-only"):
        y.data += 1
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 0
    with pytest.raises(DataError, match="`tanh`"):
        y.data = np.zeros(3)
    y.sum().backward()
    np.testing.assert_allclose(x.grad, 1 - np.tanh(1) ** 2)


def test_gradients_are_zeros_before_the_first_backward():
    for shape, dtype in (((), float), ((2, 3), np.float32), ((0,), complex)):
        x = ad.Tensor(np.ones(shape, dtype))
        assert np.shape(x.grad) == shape
        assert x.grad.dtype == dtype
        assert not np.any(x.grad)


def test_a_gradient_may_be_assigned_and_cleared():
    x = ad.Tensor(np.ones(2))
    x.grad = np.array([5.0, 6.0])
    (x * 1).sum().backward()
    np.testing.assert_array_equal(x.grad, [6.0, 7.0])
    x.grad = None
    np.testing.assert_array_equal(x.grad, [0.0, 0.0])
    with pytest.raises(DataError, match="shape"):
        x.grad = np.ones(3)
    with pytest.raises(NotKeptError):
        (x * 1).grad = np.ones(2)


def test_the_gradient_of_a_result_is_kept_on_request_only():
    x = ad.Tensor(np.ones(2))
    y = x * 3
    with pytest.raises(NotKeptError, match=r"`multiply`.*`\.retain_grad\(\)`"):
        _ = y.grad
    assert y.detach().grad is None


def test_a_constant_has_no_gradient():
    c = ad.Tensor(1.0).detach()
    assert c.grad is None
    c.zero_grad()
    assert not c.tracked
    with pytest.raises(NotKeptError):
        c.register_hook(print)


def test_detach_is_a_constant_of_the_same_value():
    x = ad.Tensor(np.array([1.0, 2.0]))
    (x * (x * x).detach()).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 4.0])


def test_detach_of_a_leaf_shares_its_array():
    data = np.ones(2)
    assert np.shares_memory(ad.Tensor(data).detach().data, data)


def test_no_grad_nests_and_ends():
    x = ad.Tensor(1.0)
    with ad.no_grad():
        with ad.no_grad():
            assert not (x * 2).tracked
        assert not (x * 2).tracked
        assert not ad.concat([x.reshape(1), x.reshape(1)]).tracked
        assert not ad.exp(x).tracked
        assert x.tracked
    assert (x * 2).tracked


def test_no_grad_is_a_decorator_too():
    @ad.no_grad()
    def f(x):
        return x * 2

    x = ad.Tensor(1.0)
    assert not f(x).tracked
    assert not f(x).tracked
    assert (x * 2).tracked


def test_what_was_made_under_no_grad_is_a_constant():
    x = ad.Tensor(3.0)
    with ad.no_grad():
        y = x * x
    (y * x).backward()
    assert x.grad == 9


def test_a_tensor_says_what_it_is():
    x = ad.Tensor(np.ones((2, 3), np.float32))
    assert (x.shape, x.dtype, x.ndim, x.size, len(x)) == ((2, 3), np.float32, 2, 6, 2)
    assert repr(ad.Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    assert repr(ad.Tensor(1.0) * 2) == "Tensor(2., op=multiply)"
    assert repr(ad.Tensor(np.float32(1))) == "Tensor(1., dtype=float32)"


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x * 2, lambda x: (x * 2).detach()])
def test_every_tensor_is_called_tensor_in_pythons_own_errors(make):
    x = make(ad.Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="'Tensor'"):
        memoryview(x)


def test_op_and_from_tensors_walk_the_history():
    x, y = ad.Tensor(2.0), ad.Tensor(5.0)
    z = x * y + ad.exp(x)
    assert z.op is ad.OPS["add"]
    a, b = z.from_tensors
    assert (a.op, b.op) == (ad.OPS["multiply"], ad.OPS["exp"])
    assert [t.data for t in a.from_tensors] == [2.0, 5.0]
    assert [t.op for t in a.from_tensors] == [None, None]
    assert b.data == np.exp(2)
    with pytest.raises(NotKeptError, match="`multiply` was not kept"):
        _ = a.data


def test_the_history_leads_to_the_same_leaves():
    x = ad.Tensor(2.0)
    (leaf, same) = (x * x).from_tensors
    (x * 3).backward()
    assert leaf.grad == same.grad == x.grad == 3
    assert leaf.tracked


@pytest.mark.parametrize(
    "make", [lambda x: ad.split(x, 2)[0], lambda x: ad.concat([x, x]), lambda x: x[1:], ad.diag]
)
def test_the_history_of_every_kind_of_node_is_walked(make):
    x = ad.Tensor(np.arange(4.0))
    t = make(x)
    assert t.op is not None
    while t.from_tensors:
        t = t.from_tensors[0]
    assert t.op is None
    assert t.data is x.data


def test_a_handle_from_the_history_does_not_disturb_the_first():
    x = ad.Tensor(np.ones(2))
    y = ad.exp(x)
    y.retain_grad()
    z = (y * y).sum()
    seen = []
    z.from_tensors[0].from_tensors[0].register_hook(seen.append)
    z.backward()
    np.testing.assert_allclose(y.grad, 2 * np.e * np.ones(2))


def test_a_tensor_dies_with_its_last_reference():
    gc.collect()
    gc.disable()
    try:
        x = ad.Tensor(np.ones(3))
        y = ad.exp(x * x)
        y.retain_grad()
        y.register_hook(lambda ct: None)
        y.sum().backward()
        del x, y
        assert gc.collect() == 0
    finally:
        gc.enable()
