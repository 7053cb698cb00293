"""What is kept, for how long, and that nothing is shared which a user may change."""

import gc
import sys
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest

import adjoint as ad

N = 256
ARRAY = N * N * 8


@contextmanager
def traced():
    """Yield a function that tells the memory in use, and its peak, since this block began."""
    gc.collect()
    tracemalloc.start()
    start = tracemalloc.get_traced_memory()[0]

    def used():
        now, peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        return (now - start) / ARRAY, (peak - start) / ARRAY

    try:
        yield used
    finally:
        tracemalloc.stop()


@contextmanager
def without_collector():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape) / 16


def net(x, weights):
    for w in weights:
        x = ad.tanh(x @ w)
    return x


def test_a_net_keeps_one_array_a_layer():
    """tanh names its output, which is also the input that the next product names."""
    x, weights = draw(N, N), [ad.Tensor(draw(N, N)) for _ in range(8)]
    with traced() as used:
        y = net(x, weights)
        now, _ = used()
    assert 8 <= now < 8.2
    assert y.tracked


def test_what_no_rule_names_is_not_kept():
    x = ad.Tensor(draw(N, N))
    with traced() as used:
        y = x
        for k in range(20):
            y = (y + k) * 2.0 - 1
        y = y.sum()
        now, peak = used()
    assert now < 0.1
    assert peak < 3.1


def test_an_untracked_computation_keeps_nothing():
    x, weights = draw(N, N), [ad.Tensor(draw(N, N)) for _ in range(8)]
    with traced() as used:
        with ad.no_grad():
            y = net(x, weights)
        now, peak = used()
    assert now < 1.1
    assert peak < 3.1
    assert not y.tracked


def test_buffers_are_freed_as_the_backward_pass_consumes_them():
    """At its end only the gradient of the input is left, and the pass never held 3 arrays more."""
    x = ad.Tensor(draw(N, N))
    with traced() as used:
        y = x
        for _ in range(20):
            y = ad.tanh(y)
        loss = y.sum()
        del y
        forward, _ = used()
        loss.backward()
        now, peak = used()
    assert 20 <= forward < 20.1
    assert peak < forward + 3.1
    assert now < 1.1


def test_half_way_through_the_backward_pass_half_is_freed():
    x = ad.Tensor(draw(N, N))
    seen = []
    with traced() as used:
        y = x
        for k in range(20):
            if k == 10:
                middle = ad.positive(y)
                middle.register_hook(lambda ct: seen.append(used()[0]) or ct)
                y = middle
            y = ad.tanh(y)
        loss = y.sum()
        del y
        loss.backward()
    assert seen[0] < 14


def test_a_retained_graph_is_kept():
    x = ad.Tensor(draw(N, N))
    with traced() as used:
        y = x
        for _ in range(10):
            y = ad.tanh(y)
        loss = y.sum()
        del y
        loss.backward(retain_graph=True)
        kept, _ = used()
        loss.backward()
        x.zero_grad()
        now, _ = used()
    assert 11 <= kept < 11.1
    assert now < 0.1


def test_grad_frees_its_tape_on_the_way():
    def f(x):
        for _ in range(20):
            x = ad.tanh(x)
        return x.sum()

    x = draw(N, N)
    with traced() as used:
        ad.grad(f)(x)
        now, peak = used()
    assert peak < 23.1
    assert now < 0.1


def test_forward_mode_keeps_no_tape():
    def f(x):
        for _ in range(20):
            x = ad.tanh(x)
        return x

    x = draw(N, N)
    with traced() as used:
        ad.jvp(f, (x,), (x,))
        now, peak = used()
    assert peak < 8.1
    assert now < 0.1


# Reference cycles


def loop(steps):
    w, b, x = ad.Tensor(draw(5, 3)), ad.Tensor(np.zeros(3)), draw(7, 5)
    for _ in range(steps):
        w.zero_grad()
        b.zero_grad()
        h = ad.tanh(x @ w + b)
        first, _, _ = ad.split(h, 3, axis=1)
        loss = ad.where(h > 0, h, 0.1 * h).mean() + ad.logsumexp(h) + first[2:].sum()
        loss.backward()
        w.data -= 0.01 * w.grad
        b.data -= 0.01 * b.grad


def test_a_long_training_loop_does_not_grow():
    """20,000 steps with the collector off: not one block in a hundred steps stays."""

    def run(steps):
        for _ in range(steps):
            w.zero_grad()
            (ad.exp(w * 0.5 - 1.0) * w).backward()
            w.data -= 1e-6 * w.grad

    w = ad.Tensor(1.0)
    with without_collector():
        run(200)
        before = sys.getallocatedblocks()
        run(20_000)
        assert sys.getallocatedblocks() - before < 200


@pytest.mark.parametrize(
    "work",
    [
        lambda: loop(10),
        lambda: ad.grad(ad.grad(lambda x: ad.sin(x) * x))(1.0),
        lambda: ad.jvp(ad.grad(lambda x: (x * ad.exp(x)).sum()), (np.ones(3),), (np.ones(3),)),
        lambda: ad.vjp(lambda x: {"a": x, "b": [x * x]}, 2.0)[1]({"a": 1.0, "b": [1.0]}),
        lambda: ad.slogdet(ad.Tensor(np.eye(3)))[1].backward(),
        lambda: ad.svd(ad.Tensor(draw(4, 3)))[1].sum().backward(),
        lambda: (ad.Tensor(2.0) * 3).from_tensors[0].from_tensors,
    ],
    ids=["training", "grad of grad", "jvp of grad", "vjp", "slogdet", "svd", "history"],
)  # fmt: skip
def test_nothing_is_left_for_the_collector(work):
    work()
    with without_collector():
        for _ in range(5):
            work()
        assert gc.collect() == 0


def test_errors_leave_nothing_for_the_collector():
    x = ad.Tensor(np.ones(3))

    def attempts():
        for f in (
            lambda: x + np.ones(2),
            lambda: (x * 2).backward(np.ones(2)),
            lambda: float(x),
            lambda: ad.grad(lambda x: x)(np.ones(3)),
        ):
            try:
                f()
            except ad.AdjointError:
                pass

    attempts()
    with without_collector():
        attempts()
        assert gc.collect() == 0


def test_a_remembered_gradient_is_a_cycle_that_zero_grad_breaks():
    """A leaf holds a gradient that remembers the leaf: as in other libraries, clear it."""
    x = ad.Tensor(np.ones(3))
    with without_collector():
        for _ in range(3):
            (x * x * x).sum().backward(create_graph=True)
            x.zero_grad()
        assert gc.collect() == 0


# Nothing that a user may change is shared


SHARING = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "views": lambda a, b: (a.T + b).reshape(-1),
    "a alone": lambda a, b: a,
    "positive": lambda a, b: +a + (+b),
    "concat": lambda a, b: ad.concat([a, b]),
    "stack": lambda a, b: ad.stack([a, b]),
    "transposed twice": lambda a, b: a.T.T + b,
    "broadcast": lambda a, b: ad.broadcast_to(a, (1, 3, 3)) + b,
    "where": lambda a, b: ad.where(np.eye(3) > 0, a, b),
    "split": lambda a, b: ad.split(a, 3)[0] + b,
    "index": lambda a, b: a[:] + b[::-1],
    "all of it": lambda a, b: a[...] + b[None][0],
    "products": lambda a, b: a * b,
    "by one": lambda a, b: a * 1.0 + b / 1.0,
    "reshape": lambda a, b: a.reshape(9) + b.reshape(9),
    "real": lambda a, b: ad.real(a) + b.conj(),
    "astype": lambda a, b: a.astype(float) + b,
    "clip": lambda a, b: a.clip(-9, 9) + b,
    "maximum": lambda a, b: ad.maximum(a, b),
    "tanh": lambda a, b: ad.tanh(a + b),
    "exp": lambda a, b: ad.exp(a) + ad.exp(b),
    "sum": lambda a, b: a.sum() + b.sum(),
    "matmul": lambda a, b: a @ b,
    "einsum": lambda a, b: ad.einsum("ij,kl->ijkl", a, b),
    "einsum transposed": lambda a, b: ad.einsum("ij->ji", a) + b,
}


@pytest.mark.parametrize("f", SHARING.values(), ids=SHARING)
def test_gradients_share_memory_with_nothing(f):
    """Not with each other, a seed, the data, or what the tape keeps for the next pass."""
    data = draw(2, 3, 3)
    a, b = ad.Tensor(data[0].copy()), ad.Tensor(data[1].copy())
    y = f(a, b)
    seed = np.ones(y.shape)
    y.backward(seed, retain_graph=True)
    first = [t.grad.copy() for t in (a, b)]
    others = [seed, a.data, b.data, y.data]
    for t, s in ((a, b), (b, a)):
        assert not any(np.shares_memory(t.grad, o) for o in [*others, s.grad])
        assert t.grad.flags.writeable
        t.grad[...] = 1e6
    y.backward(seed, retain_graph=True)
    for t, g in zip((a, b), first, strict=True):
        np.testing.assert_array_equal(t.grad, 1e6 + g)
    np.testing.assert_array_equal(seed, np.ones(y.shape))
    y.backward(seed)


@pytest.mark.parametrize("f", SHARING.values(), ids=SHARING)
def test_results_of_a_pullback_share_memory_with_nothing(f):
    a, b = draw(2, 3, 3)
    y, pullback = ad.vjp(f, a, b)
    ct = np.ones(y.shape)
    first, second = pullback(ct), pullback(ct)
    arrays = [*first, *second, ct, a, b]
    for i, x in enumerate(arrays):
        assert not any(np.shares_memory(x, other) for other in arrays[i + 1 :])
    for g, h in zip(first, second, strict=True):
        assert g.flags.writeable
        np.testing.assert_array_equal(g, h)


def test_accumulated_gradients_share_memory_with_nothing():
    a, b = ad.Tensor(np.ones(3)), ad.Tensor(np.ones(3))
    for _ in range(3):
        (a + b + a).sum().backward()
        assert not np.shares_memory(a.grad, b.grad)
    a.grad[:] = 0
    np.testing.assert_array_equal(b.grad, [3.0, 3.0, 3.0])
