"""Threads do not meet, and a failure leaves nothing behind."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import adjoint as ad
from adjoint.ops.rules import elementwise


def together(jobs):
    """Run the jobs in a thread each, all starting at once; their results."""
    barrier = threading.Barrier(len(jobs))

    def start(job):
        barrier.wait(timeout=60)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(start, jobs))


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_that_train_do_not_meet(threads, eager_switching):
    def train(seed):
        rng = np.random.default_rng(seed)
        w, x = ad.Tensor(rng.normal(size=(4, 2))), rng.normal(size=(6, 4))
        for _ in range(50):
            w.zero_grad()
            ad.square(ad.tanh(x @ w)).mean().backward()
            w.data -= 0.1 * w.grad
        return w.data

    alone = [train(seed) for seed in range(threads)]
    got = together([lambda seed=seed: train(seed) for seed in range(threads)])
    np.testing.assert_array_equal(got, alone)


def test_threads_over_a_shared_subgraph_do_not_meet(eager_switching):
    """Each thread has its own leaf above a value that all of them share and keep."""
    x = ad.Tensor(np.linspace(0, 1, 5))
    shared = ad.exp(x * x)
    for _ in range(20):
        shared = ad.sin(shared) + shared
    want = ad.grad(lambda s: (ad.square(s) * 3.0).sum())(shared.data)

    def work(k):
        w = ad.Tensor(np.full(5, 3.0))
        for _ in range(20):
            w.zero_grad()
            (ad.square(shared) * w).sum().backward(retain_graph=True)
        return w.grad

    for got in together([lambda k=k: work(k) for k in range(4)]):
        np.testing.assert_allclose(got, shared.data**2)
    _, pullback = ad.vjp(lambda s: (ad.square(s) * 3.0).sum(), shared.data)
    for got in together([lambda: [pullback(1.0)[0] for _ in range(50)] for _ in range(4)]):
        np.testing.assert_array_equal(got, [want] * 50)


def test_no_gradient_is_lost_where_threads_reach_one_leaf(eager_switching):
    """Adding large arrays, NumPy lets other threads run."""
    x = ad.Tensor(np.zeros(10_000))

    def work():
        for _ in range(500):
            (x * 1.0).backward()

    together([work] * 4)
    np.testing.assert_array_equal(x.grad, np.full(10_000, 2000.0))


def test_nested_transforms_in_threads_do_not_meet(eager_switching):
    def work(k):
        def third(x):
            return ad.grad(ad.grad(ad.grad(lambda x: ad.sin(k * x))))(x)

        return [third(0.3) for _ in range(20)]

    got = together([lambda k=k: work(float(k)) for k in range(1, 5)])
    want = [[-(k**3) * np.cos(0.3 * k)] * 20 for k in range(1, 5)]
    np.testing.assert_allclose(got, want)


def test_a_tensor_made_in_one_thread_is_differentiated_in_another(eager_switching):
    x = ad.Tensor(np.ones(3))
    y = ad.exp(x)
    (grads,) = together([lambda: ((y * y).sum().backward(), x.grad)[1]])
    np.testing.assert_allclose(grads, 2 * np.exp(2) * np.ones(3))


def test_no_grad_in_one_thread_does_not_reach_another(eager_switching):
    inside, outside = threading.Event(), threading.Event()
    x = ad.Tensor(1.0)

    def pause():
        with ad.no_grad():
            inside.set()
            assert outside.wait(60)
            return (x * 2).tracked

    def carry_on():
        assert inside.wait(60)
        tracked = (x * 2).tracked, ad.concat([x.reshape(1)]).tracked, ad.grad(ad.sin)(0.0)
        outside.set()
        return tracked

    assert together([pause, carry_on]) == [False, (True, True, 1.0)]


# Failures


def attempt(f, *args):
    with pytest.raises(ZeroDivisionError):
        f(*args)


def fail(*ignored):
    raise ZeroDivisionError


@pytest.fixture
def broken():
    """An op whose rule fails."""

    @elementwise(fail)
    def broken(xp, x, /):
        return x * 2

    yield broken
    del ad.OPS["broken"]


def every_kind_of_failure(broken):
    def inside_no_grad(x):
        with ad.no_grad():
            fail()

    hooked = ad.Tensor(np.ones(3))
    hooked.register_hook(fail)
    attempt(lambda: ad.grad(fail)(1.0))
    attempt(lambda: ad.grad(ad.grad(fail))(1.0))
    attempt(lambda: ad.jvp(fail, (1.0,), (1.0,)))
    attempt(lambda: ad.grad(inside_no_grad)(1.0))
    attempt(lambda: ad.grad(broken)(1.0))
    attempt(lambda: ad.jvp(broken, (1.0,), (1.0,)))
    attempt(lambda: ad.jvp(ad.grad(broken), (1.0,), (1.0,)))
    attempt(lambda: broken(ad.Tensor(np.ones(3))).backward())
    attempt(lambda: (hooked * 2).backward())


def test_a_failure_leaves_no_state_behind(broken):
    for _ in range(2):
        every_kind_of_failure(broken)
        x = ad.Tensor(2.0)
        y = x * x
        assert y.tracked
        y.backward()
        assert x.grad == 4
        assert ad.grad(ad.grad(ad.sin))(0.5) == -np.sin(0.5)


def test_no_grad_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), ad.no_grad(), ad.no_grad():
        fail()
    assert (ad.Tensor(1.0) * 2).tracked


def test_a_failure_in_one_thread_is_not_felt_in_another(broken, eager_switching):
    def work():
        x = ad.Tensor(np.ones(3))
        for _ in range(100):
            x.zero_grad()
            (x * x * 2).sum().backward()
        return x.grad

    _, got = together([lambda: [every_kind_of_failure(broken) for _ in range(10)], work])
    np.testing.assert_array_equal(got, [4.0, 4.0, 4.0])


def test_a_failing_backward_writes_no_gradient(broken):
    x, w = ad.Tensor(np.ones(3)), ad.Tensor(np.ones(3))
    y = (broken(x) * w + w * x).sum()
    attempt(y.backward)
    assert not x.grad.any()
    assert not w.grad.any()


def test_a_failing_forward_writes_nothing():
    x = ad.Tensor(np.ones(3))
    y = x * 2
    with pytest.raises(ValueError, match="add"):
        y + np.ones(2)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 2.0, 2.0])
