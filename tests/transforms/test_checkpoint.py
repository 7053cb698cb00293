"""Checkpoints: the same derivatives in less memory, wherever their values come from."""

import gc
import tracemalloc

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import FreedGraphError, MutationError
from adjoint.transforms.batching import vmap
from adjoint.transforms.checkpoint import checkpoint, checkpoint_chain
from adjoint.transforms.custom import custom

X = np.array([0.3, -0.5, 0.7])
W = np.array([[0.5, 0.1, -0.2], [0.3, -0.4, 0.6], [0.2, 0.9, 0.1]])
KEEPS = {"nothing kept": (), "matmul": ["matmul"], "functions": (ad.tanh, "sum", ad.matmul)}
keeps = pytest.mark.parametrize("keep", KEEPS.values(), ids=KEEPS)


def layer(x, w):
    return {"y": ad.tanh(w @ x), "s": (x * x).sum()}


def pushforward(f):
    return lambda x: ad.jvp(f, (x,), (1.0,))[1]


def pullback(f):
    return lambda x: ad.vjp(f, x)[1](1.0)[0]


MODES = {"grad": ad.grad, "jvp": pushforward, "vjp": pullback}
ALL = [(a, b, c) for a in MODES for b in MODES for c in MODES]


def wave(x):
    return ad.sin(2 * x) / x


# Laws


@keeps
def test_derivatives_pass_the_check_to_third_order(keep):
    ad.check_grads(checkpoint(layer, keep), (X, W), order=3)


@pytest.mark.parametrize("modes", ALL, ids="-".join)
@pytest.mark.parametrize("keep", [(), ["sin"], ["sin", "divide", "multiply"]], ids=str)
def test_all_nestings_agree_with_the_plain_function(modes, keep):
    a, b, c = (MODES[m] for m in modes)
    want = a(b(c(wave)))(0.7)

    def hold(f):
        return checkpoint(f, keep)

    np.testing.assert_allclose(a(b(c(hold(wave))))(0.7), want)
    np.testing.assert_allclose(hold(a(b(c(wave))))(0.7), want)
    np.testing.assert_allclose(a(hold(b(hold(c(hold(wave))))))(0.7), want)


def test_checkpoints_inside_checkpoints():
    def nested(x, w):
        @checkpoint
        def outer(x):
            return checkpoint(lambda y: ad.tanh(w @ y), keep=["matmul"])(x * x) * x

        return checkpoint(outer, keep=["multiply"])(x).sum()

    def plain(x, w):
        return (ad.tanh(w @ (x * x)) * x).sum()

    for i in (0, 1):
        np.testing.assert_allclose(ad.grad(nested, i)(X, W), ad.grad(plain, i)(X, W))
    ad.check_grads(nested, (X, W), order=2)


@keeps
def test_vmap_inside_and_outside(keep, rng):
    xs = rng.normal(size=(4, 3))
    held = checkpoint(layer, keep)

    def loss(f):
        return lambda x, w: (f(x, w)["y"] ** 2).sum()

    want = vmap(ad.grad(loss(layer)), (0, None))(xs, W)
    np.testing.assert_allclose(vmap(ad.grad(loss(held)), (0, None))(xs, W), want)
    total = ad.grad(lambda w: vmap(lambda x: loss(held)(x, w))(xs).sum())(W)
    np.testing.assert_allclose(total, vmap(ad.grad(loss(layer), 1), (0, None))(xs, W).sum(0))
    whole = ad.grad(lambda w: checkpoint(vmap(lambda x: loss(layer)(x, w)), keep)(xs).sum())(W)
    np.testing.assert_allclose(whole, total)


def test_aux_passes():
    f = checkpoint(lambda x: (x * x, {"n": 3, "name": "a", "x": x}))
    got = ad.grad(f, has_aux=True)(3.0)
    assert got == (6, {"n": 3, "name": "a", "x": 3.0})


def test_arguments_by_name_and_of_any_kind():
    @checkpoint
    def f(x, how, *, w=None):
        """A layer."""
        return how(w @ x).sum()

    np.testing.assert_allclose(
        ad.grad(f, argnums=("x", "w"))(X, ad.tanh, w=W)[1],
        ad.grad(lambda w: ad.tanh(w @ X).sum())(W),
    )
    assert (f.__name__, f.__doc__) == ("f", "A layer.")


def test_an_output_that_is_an_input_or_a_constant_passes():
    f = checkpoint(lambda x: (x, x * x, 3.0, x, np.ones(2)))
    x = ad.Tensor(2.0)
    out = f(x)
    assert out[0] is x and out[2] == 3.0
    (out[0] * out[1] * out[2] * out[3]).backward()
    assert x.grad == 3 * 4 * 2**3


def test_a_custom_function_may_be_inside_and_kept():
    calls = []

    @custom(vjp=lambda ct, x: ct["a"] * 2 * x)
    def square(x):
        calls.append(1)
        return {"a": x * x}

    def f(x):
        return ad.sin(square(x)["a"])

    want = ad.grad(lambda x: ad.sin(x * x).sum())(X)
    for keep, runs in ((), 2), ([square], 1):
        calls.clear()
        np.testing.assert_allclose(ad.grad(lambda x: checkpoint(f, keep)(x).sum())(X), want)  # noqa: B023
        assert len(calls) == runs


# Values from outside


@keeps
def test_a_closure_over_eager_tensors_keeps_its_gradient(keep):
    def run(wrap):
        w, x = ad.Tensor(W), ad.Tensor(X)
        h = w @ w
        wrap(lambda x: ad.tanh(h @ x) * w[0] + ad.matmul(w, w).sum())(x * 1.0).sum().backward(
            create_graph=True
        )
        first = w.grad, x.grad
        w.zero_grad(), x.zero_grad()
        ((first[0] ** 2).sum() + (first[1] ** 2).sum()).backward()
        return first[0].detach().data, first[1].detach().data, w.grad, x.grad

    for got, want in zip(run(lambda f: checkpoint(f, keep)), run(lambda f: f), strict=True):
        np.testing.assert_allclose(got, want)


@keeps
@pytest.mark.parametrize("outer", MODES.values(), ids=MODES)
@pytest.mark.parametrize("inner", MODES.values(), ids=MODES)
def test_a_closure_over_values_of_any_level_keeps_its_derivative(outer, inner, keep):
    """The argument belongs to the outer level, the closure to the inner one, and the other way."""

    def f(wrap):
        def of(a):
            def one(b):
                return wrap(lambda c: ad.sin(a * b) * c * b)(a)

            def two(b):
                return wrap(lambda c: ad.sin(a * b) * c * b)(b)

            return inner(one)(a * 2.0) * inner(two)(a * 3.0)

        return of

    held = f(lambda g: checkpoint(g, keep))
    np.testing.assert_allclose(outer(held)(0.3), outer(f(lambda g: g))(0.3))
    np.testing.assert_allclose(outer(ad.grad(held))(0.3), outer(ad.grad(f(lambda g: g)))(0.3))


def test_no_arguments_at_all():
    w = ad.Tensor(W)
    checkpoint(lambda: (w * w).sum())().backward()
    np.testing.assert_array_equal(w.grad, 2 * W)


def test_leaves_made_inside_get_their_gradients():
    lazy, made = [], []

    def f(x):
        if not lazy:
            lazy.append(ad.Tensor(3.0))
        made.append(ad.Tensor(2.0))
        return x * lazy[0] * made[-1]

    checkpoint(f)(ad.Tensor(5.0)).backward()
    assert lazy[0].grad == 10
    assert [t.grad for t in made] == [15, 0]


def test_hooks_are_met_once():
    seen = []
    x = ad.Tensor(X)
    y = x * 1.0
    y.register_hook(lambda ct: seen.append(ct))
    z = checkpoint(ad.sin)(y)
    z.register_hook(lambda ct: 2 * ct)
    z.sum().backward()
    assert len(seen) == 1
    np.testing.assert_allclose(x.grad, 2 * np.cos(X))


# Passes


def test_no_grad_means_what_it_meant_in_the_forward_pass():
    with ad.no_grad():
        assert not checkpoint(layer)(ad.Tensor(X), W)["y"].tracked
    x = ad.Tensor(X)
    y = checkpoint(ad.tanh)(x).sum()
    with ad.no_grad():
        y.backward()
    np.testing.assert_allclose(x.grad, 1 - np.tanh(X) ** 2)

    def f(x):
        with ad.no_grad():
            a = x * x
        return a * x

    assert ad.grad(checkpoint(f))(3.0) == 9


def test_a_graph_is_used_again_only_if_retained():
    x = ad.Tensor(X)
    y = checkpoint(ad.sin)(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_allclose(x.grad, 2 * np.cos(X))
    with pytest.raises(FreedGraphError):
        y.backward()


def test_a_pullback_may_be_called_again():
    y, back = ad.vjp(checkpoint(layer), X, W)
    first, second = back(y), back(y)
    np.testing.assert_array_equal(first[0], second[0])
    assert not np.shares_memory(first[0], second[0])


def test_the_history_shows_a_checkpoint():
    x = ad.Tensor(X)
    y = checkpoint(layer)(x, W)["y"]
    assert y.op.name == "checkpoint"
    assert y.from_tensors[0].op is None
    assert "checkpoint" not in ad.OPS
    assert "tanh" in str(ad.explain(lambda x: checkpoint(layer)(x, W)["y"].sum(), X))


# Memory


def sines(n):
    def chain(x):
        for _ in range(n):
            x = ad.sin(x)
        return x

    return chain


def held(f, n=20_000):
    """Arrays held after the forward pass, and at most in the backward pass, beyond the input."""
    x = ad.Tensor(np.ones(n))
    tracemalloc.start()
    y = f(x).sum()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    y.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(kept / (8 * n)), round(peak / (8 * n))


def test_only_inputs_are_held():
    assert held(sines(64))[0] >= 63
    assert held(checkpoint(sines(64)))[0] == 0


def test_a_chain_holds_the_square_root_forward_and_back():
    kept, peak = held(checkpoint_chain([ad.sin] * 64))
    assert kept == 7
    assert peak <= 7 + 8 + 4
    assert held(checkpoint_chain([ad.sin] * 64, every=32))[0] == 1


def test_pieces_hold_what_is_named():
    assert held(checkpoint(lambda x: sines(32)(ad.exp(-x)), keep=["sin"]))[0] == 32
    assert held(checkpoint(lambda x: sines(32)(ad.exp(-x)), keep=[ad.exp]))[0] == 1


def test_the_second_order_holds_no_more_pieces():
    """The backward pass is a piece too: its tape at the outer level is dropped."""

    def peak(f, n=20_000):
        x = np.ones(n)
        tracemalloc.start()
        ad.grad(lambda x: ad.grad(lambda x: f(x).sum())(x).sum())(x)
        top = tracemalloc.get_traced_memory()[1] / (8 * n)
        tracemalloc.stop()
        return top

    assert peak(checkpoint_chain([ad.sin] * 64)) < peak(sines(64)) / 2


def test_kept_results_are_not_computed_again():
    calls = []

    @custom(vjp=lambda ct, x: ct * ad.cos(x))
    def costly(x):
        calls.append(1)
        return np.sin(x)

    f = checkpoint(lambda x: costly(costly(x)) * x, keep=[costly])
    np.testing.assert_allclose(ad.grad(f)(0.5), ad.grad(lambda x: ad.sin(ad.sin(x)) * x)(0.5))
    assert len(calls) == 2
    ad.grad(checkpoint(lambda x: costly(costly(x)) * x))(0.5)
    assert len(calls) == 2 + 4


def test_a_checkpoint_is_no_cycle():
    gc.collect()
    gc.disable()
    try:
        for keep in ((), ["sin"]):
            x = ad.Tensor(X)
            checkpoint(ad.sin, keep)(x).sum().backward()
            ad.grad(ad.grad(checkpoint(wave, keep)))(0.7)
        assert gc.collect() == 0
    finally:
        gc.enable()


# Errors


def test_random_numbers_drawn_inside_are_noticed():
    rng = np.random.default_rng(0)
    y = checkpoint(lambda x: x * x * rng.normal(size=3))(ad.Tensor(X)).sum()
    with pytest.raises(MutationError, match="computed something else the second time"):
        y.backward()


def test_changes_of_what_is_needed_are_noticed():
    def forward(change, x=None):
        w = ad.Tensor(W.copy())
        x = ad.Tensor(X) if x is None else x
        y = checkpoint(lambda x: w @ x * x)(x).sum()
        change(w)
        return y

    def add(w):
        w.data += 1

    def assign(w):
        w.data = w.data * 1.0

    with pytest.raises(MutationError, match="an input of `checkpoint`, float64"):
        forward(add).backward()
    with pytest.raises(MutationError, match="has been given other data"):
        forward(assign).backward()
    x = X.copy()

    def change(_):
        x[0] = 5

    with pytest.raises(MutationError, match="an input of `checkpoint`"):
        forward(change, x).backward()


def test_other_tracked_values_the_second_time_are_noticed():
    w = [ad.Tensor(2.0)]
    y = checkpoint(lambda x: x * w[0])(ad.Tensor(X)).sum()
    w[0] = ad.Tensor(2.0)
    with pytest.raises(MutationError, match="other tracked values"):
        y.backward()
    y = checkpoint(lambda x: x * w[0])(X).sum()
    w[0] = 2.0
    with pytest.raises(MutationError, match="not tracked the second time"):
        y.backward()


def test_an_unknown_op_to_keep_is_refused():
    with pytest.raises(ValueError, match=r"'matmuul' is none\. Did you mean 'matmul'"):
        checkpoint(layer, keep="matmuul")
    with pytest.raises(ValueError, match="pieces of at least one function"):
        checkpoint_chain([ad.sin], every=0)


def test_errors_of_the_function_come_out_as_they_are():
    with pytest.raises(ZeroDivisionError):
        ad.grad(checkpoint(lambda x: x * (1 / 0)))(1.0)


# Chains


@pytest.mark.parametrize("every", [None, 1, 2, 7, 100])
def test_a_chain_is_the_composition(every):
    functions = [ad.sin, lambda x: x * x, ad.tanh, ad.exp, ad.sin]

    def plain(x):
        for f in functions:
            x = f(x)
        return x

    chain = checkpoint_chain(functions, every)
    np.testing.assert_array_equal(chain(X), plain(X))
    ad.check_grads(chain, (X,), order=2)
    assert checkpoint_chain([])(3.0) == 3.0
