"""Hooks and kept gradients of intermediate results."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import AdjointError, ShapeError


@pytest.mark.parametrize("early", [True, False], ids=["before its consumers", "after them"])
def test_retain_grad_may_be_asked_at_any_time_before_backward(early):
    x = ad.Tensor(np.array([1.0, 2.0]))
    y = x * x
    if early:
        y.retain_grad()
    z = (ad.exp(y) + 3 * y).sum()
    if not early:
        y.retain_grad()
    np.testing.assert_array_equal(y.grad, [0.0, 0.0])
    z.backward()
    np.testing.assert_allclose(y.grad, np.exp(x.data**2) + 3)
    np.testing.assert_allclose(x.grad, (np.exp(x.data**2) + 3) * 2 * x.data)


def test_a_kept_gradient_accumulates_and_is_cleared():
    x = ad.Tensor(np.ones(2))
    y = x * 2
    y.retain_grad()
    z = (y * 3).sum()
    z.backward(retain_graph=True)
    z.backward()
    np.testing.assert_array_equal(y.grad, [6.0, 6.0])
    y.zero_grad()
    np.testing.assert_array_equal(y.grad, [0.0, 0.0])
    np.testing.assert_array_equal(x.grad, [12.0, 12.0])


@pytest.mark.parametrize(
    "make", [lambda x: ad.split(x, 2)[0], lambda x: ad.concat([x, x]), lambda x: x[1:]]
)
def test_the_gradient_of_any_kind_of_result_is_kept(make):
    x = ad.Tensor(np.arange(4.0))
    y = make(x)
    y.retain_grad()
    (y * y).sum().backward()
    np.testing.assert_array_equal(y.grad, 2 * y.data)


def test_the_gradient_of_the_result_itself_is_its_seed():
    y = ad.Tensor(np.ones(2)) * 2
    y.retain_grad()
    y.backward(np.array([3.0, 4.0]))
    np.testing.assert_array_equal(y.grad, [3.0, 4.0])


def test_a_kept_gradient_shares_no_memory():
    x = ad.Tensor(np.ones(2))
    u = x + 1.0
    v = u + 1.0
    u.retain_grad()
    v.retain_grad()
    v.backward(np.ones(2))
    u.grad[:] = 50
    v.grad[:] = 70
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])
    np.testing.assert_array_equal(u.grad, [50.0, 50.0])


def test_a_hook_sees_the_complete_cotangent_once():
    x = ad.Tensor(3.0)
    y = x * 2
    seen = []
    y.register_hook(seen.append)
    (y * y + y).backward()
    assert seen == [13.0]


@pytest.mark.parametrize("leaf", [True, False])
def test_what_a_hook_returns_replaces_the_cotangent(leaf):
    x = ad.Tensor(np.ones(3))
    y = x if leaf else x * 1.0
    y.register_hook(lambda ct: ct * 10)
    y.register_hook(lambda ct: ct + 1)
    (y * 2).sum().backward()
    np.testing.assert_array_equal(x.grad, [21.0, 21.0, 21.0])


@pytest.mark.parametrize("leaf", [True, False])
def test_a_removed_hook_is_not_called(leaf):
    x = ad.Tensor(1.0)
    y = x if leaf else x * 1.0
    seen = []
    remove = y.register_hook(seen.append)
    y.register_hook(lambda ct: seen.append("other"))
    remove()
    remove()
    (y * 2).backward()
    assert seen == ["other"]


def test_a_hook_outlives_the_tensor_it_was_set_on():
    """Inside a function, the local name is gone before the backward pass."""
    seen = []

    def f(x):
        y = x * x
        y.register_hook(seen.append)
        return y * 3

    f(ad.Tensor(2.0)).backward()
    assert seen == [3.0]


def test_hooks_inside_a_transform_are_called():
    def f(x):
        y = x * x
        y.register_hook(lambda ct: ct * 100)
        return y * 3

    assert ad.grad(f)(2.0) == 1200


def test_a_hook_is_differentiated_when_the_pass_is():
    def f(x):
        y = x * x
        y.register_hook(lambda ct: ct * x)
        return y

    x = ad.Tensor(2.0)
    y = f(x)
    y.backward(create_graph=True)
    slope = x.grad
    x.zero_grad()
    slope.backward()
    assert x.grad == 8


@pytest.mark.parametrize("leaf", [True, False])
@pytest.mark.parametrize("wrong", [np.ones(2), np.ones((1, 3)), "three", 3.0], ids=repr)
def test_a_hook_that_returns_another_shape_is_refused(wrong, leaf):
    x = ad.Tensor(np.ones(3))
    y = x if leaf else x * 1.0
    y.register_hook(lambda ct: wrong)
    with pytest.raises((ShapeError, AdjointError), match=r"hook|cotangent"):
        (y * 2).sum().backward()


@pytest.mark.parametrize("leaf", [True, False])
def test_a_hook_that_fails_leaves_no_gradient_behind(leaf):
    def fail(ct):
        raise ZeroDivisionError

    x, w = ad.Tensor(np.ones(3)), ad.Tensor(np.ones(3))
    y = x if leaf else x * 1.0
    remove = y.register_hook(fail)
    with pytest.raises(ZeroDivisionError):
        (y * w).sum().backward()
    assert not x.grad.any()
    assert not w.grad.any()
    remove()
    (x * w).sum().backward()
    np.testing.assert_array_equal(x.grad, np.ones(3))


def test_gradients_that_hooks_return_are_not_shared():
    buffer = np.zeros(2)
    a, b = ad.Tensor(np.ones(2)), ad.Tensor(np.ones(2))
    for t in (a, b):
        t.register_hook(lambda ct: buffer)
    (a * b).sum().backward()
    a.grad[:] = 5
    np.testing.assert_array_equal(b.grad, [0.0, 0.0])
    np.testing.assert_array_equal(buffer, [0.0, 0.0])


def test_what_a_hook_saw_does_not_change_with_the_gradient():
    x = ad.Tensor(np.ones(2))
    seen = []
    x.register_hook(seen.append)
    (x * x).sum().backward()
    x.grad[:] = 5
    np.testing.assert_array_equal(seen, [[2.0, 2.0]])


def test_hooks_die_with_their_graph():
    from adjoint.core.tensor import TAPS

    before = len(TAPS)
    x = ad.Tensor(1.0)
    for _ in range(10):
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda ct: None)
        y.backward()
    del y
    assert len(TAPS) == before
