"""A compiled function gives what the function gives: values, derivatives, errors, structure."""

import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
import warnings
import weakref
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from compiler.programs import Drawn

import adjoint as ad
from adjoint.core.tree import flatten

Pair = namedtuple("Pair", "a b")


@dataclass
class Net:
    w: np.ndarray
    b: float


def plans(f):
    return list(f.plans.values())


def kind(f):
    (plan,) = plans(f)
    return plan.kind


def same(got, want, rtol=1e-12, atol=1e-12):
    """Equal structure, types, shapes, dtypes; values to rounding."""
    assert type(got) is type(want)
    ours, paths, _ = flatten(got)
    theirs, their_paths, _ = flatten(want)
    assert paths == their_paths
    for g, w, path in zip(ours, theirs, paths, strict=True):
        assert type(g) is type(w), path
        if hasattr(w, "dtype"):
            assert (g.dtype, g.shape) == (w.dtype, w.shape), path
            np.testing.assert_allclose(g, w, rtol, atol, err_msg=path)
        elif isinstance(w, (float, complex)):
            np.testing.assert_allclose(g, w, rtol, atol, err_msg=path)
        else:
            assert g == w, path


@pytest.fixture
def x():
    return np.linspace(-2.0, 2.0, 12).reshape(3, 4)


def loss(x):
    return ad.sum(ad.tanh(x) * ad.exp(-x * x) + ad.log1p(x * x))


# Random programs


@pytest.mark.filterwarnings("ignore:.* comes from outside:adjoint.CompileWarning")
@pytest.mark.parametrize("start", range(0, 200, 10))
def test_random_programs_compiled_equal_eager(start):
    for seed in range(start, start + 10):
        agrees(seed)


def agrees(seed):
    drawn = Drawn(seed, dtypes=("float64",) if seed % 2 else ("float64", "float32"))
    tolerance = (1e-9, 1e-10) if seed % 2 else (2e-3, 2e-4)
    for f in (drawn, ad.value_and_grad(drawn.loss, (0, 1, 2))):
        compiled = ad.compile(f)
        with np.errstate(all="ignore"):
            same(compiled(*drawn.inputs), f(*drawn.inputs), *tolerance)
            same(compiled(*drawn.inputs), f(*drawn.inputs), *tolerance)
        assert kind(compiled) in ("native", "steps"), (drawn, plans(compiled)[0].reason)


# Composition with the transforms


@pytest.mark.parametrize("order", ["compile(value_and_grad)", "value_and_grad(compile)"])
def test_both_orders_of_compile_and_gradient_work(x, order):
    f = (
        ad.compile(ad.value_and_grad(loss))
        if order.startswith("compile")
        else ad.value_and_grad(ad.compile(loss))
    )
    same(f(x), ad.value_and_grad(loss)(x))
    same(f(x), ad.value_and_grad(loss)(x))


@pytest.mark.parametrize(
    "transform",
    [
        ad.grad,
        ad.hessian,
        ad.jacobian,
        ad.jacfwd,
        lambda f: ad.vmap(f),
        lambda f: ad.vmap(ad.grad(f)),
        lambda f: ad.grad(lambda x: ad.sum(ad.grad(f)(x) ** 2)),
        lambda f: lambda x: ad.jvp(f, (x,), (np.ones_like(x),)),
        lambda f: lambda x: ad.hvp(f, x, np.ones_like(x)),
        lambda f: lambda x: ad.jvp(ad.grad(f), (x,), (np.ones_like(x),)),
        lambda f: ad.checkpoint(f),
    ],
)
def test_transforms_of_compiled_and_compiled_transforms_agree_with_eager(x, transform):
    want = transform(loss)(x)
    same(transform(ad.compile(loss))(x), want, 1e-10, 1e-12)
    same(ad.compile(transform(loss))(x), want, 1e-10, 1e-12)


def test_tensors_flow_through_a_compiled_function(x):
    f = ad.compile(loss)
    t = ad.Tensor(x)
    (f(t) * 3.0).backward()
    u = ad.Tensor(x)
    (loss(u) * 3.0).backward()
    np.testing.assert_allclose(t.grad, u.grad, 1e-12)


def test_a_compiled_function_inside_a_compiled_one_is_one_program(x):
    inner = ad.compile(lambda x: ad.sin(x) * 2.0)
    outer = ad.compile(lambda x: ad.sum(inner(x) + x))
    same(outer(x), np.sum(np.sin(x) * 2.0 + x))
    assert not inner.plans and kind(outer) == "native"


def test_integer_arrays_are_arguments_without_derivative(x):
    def pick(x, i):
        return ad.sum(ad.sin(x[i]))

    i = np.array([0, 2, 2])
    same(ad.grad(ad.compile(pick))(x, i), ad.grad(pick)(x, i))


def test_derivatives_of_several_outputs_and_containers(x):
    def f(tree):
        return {"s": tree["a"] * tree["b"], "t": (ad.sum(tree["a"]),)}

    tree = {"a": x, "b": x + 1.0}
    value, pullback = ad.vjp(ad.compile(f), tree)
    want, back = ad.vjp(f, tree)
    same(value, want)
    ct = {"s": x * 0.5, "t": (np.float64(2.0),)}
    same(pullback(ct), back(ct))


# Arguments


def test_containers_go_in_and_come_out(x):
    def f(pair, d, *rest, scale=1.0):
        return Pair(pair[0] * d["w"], [rest[0] - 1.0, None]), {"scale": scale, "z": "text"}

    compiled = ad.compile(f)
    args = ((x, x), {"w": x + 1.0}, x * 2.0)
    same(compiled(*args, scale=2.0), f(*args, scale=2.0))
    same(compiled(*args, scale=3.0), f(*args, scale=3.0))
    assert kind(compiled) == "native"


def test_a_dataclass_is_a_container_too():
    def f(net, x):
        return Net(net.w * x, net.b + 1.0)

    net, x = Net(np.arange(3.0), 2.0), np.ones(3)
    same(ad.compile(f)(net, x), f(net, x))


def test_python_floats_are_inputs_and_stay_weak():
    f = ad.compile(lambda x, lr: x * lr)
    x = np.ones(3, np.float32)
    for lr in (0.1, 0.2, 0.3):
        same(f(x, lr), x * np.float32(lr), 1e-6)
    assert len(f.plans) == 1


def test_results_of_python_numbers_are_what_eager_gives():
    f = lambda a, b: (a + b, a * b, -a, a / b)  # noqa: E731
    same(ad.compile(f)(2.0, 3.0), f(2.0, 3.0))


def test_integers_and_texts_are_baked_in_and_guarded(x):
    def f(x, n, how="sin"):
        for _ in range(n):
            x = getattr(ad, how)(x)
        return x

    compiled = ad.compile(f)
    for n, how in ((1, "sin"), (3, "sin"), (3, "cos"), (1, "sin")):
        same(compiled(x, n, how), f(x, n, how))
        same(compiled(x, n, how=how), f(x, n, how))


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a[::2],
        lambda a: a[::-1],
        lambda a: np.broadcast_to(a[:1], (7,)),
        lambda a: a.astype(">f8"),
        lambda a: np.frombuffer(b"\0" + a.tobytes(), np.uint8)[1:].view(np.float64),
        lambda a: a[:0],
        lambda a: np.array(a[0]),
        lambda a: a.astype(np.float32),
        lambda a: a.astype(int),
        lambda a: a > 0,
        lambda a: a + 1j,
        lambda a: np.asfortranarray(a.reshape(2, 3).repeat(2, 0)),
        lambda a: a.view(np.recarray),
        lambda a: np.ma.masked_array(a),
        lambda a: a.tolist(),
    ],
)
def test_any_array_gives_what_eager_gives(make):
    f = lambda x: ad.sum(ad.asarray(x) * 2)  # noqa: E731
    g = lambda x: x * 2  # noqa: E731
    array = make(np.arange(1.0, 7.0))
    if isinstance(array, np.ndarray):
        array.flags.writeable = False
    for function in (f, g):
        want = function(array)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ad.CompileWarning)
            compiled = ad.compile(function)
            compiled(np.ones(6))
            for _ in range(2):
                got = compiled(array)
                assert type(got) is type(want)
                np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("function", [lambda x: ad.sum(x * x), lambda x: ad.sum(ad.sort(x))])
def test_arguments_are_not_kept(function):
    f, argument = ad.compile(function), np.ones(1000)
    gone = weakref.ref(argument)
    f(argument)
    del argument
    gc.collect()
    assert gone() is None


def test_outputs_are_fresh(x):
    f = ad.compile(lambda x: (x, x, x[1:], x.T, x * 1.0))
    outs = f(x)
    for out in outs:
        assert not np.shares_memory(out, x)
        assert out.flags.writeable
        out[...] = 7.0
    same(f(x)[0], x)


def test_wrong_arguments_raise_what_the_function_raises(x):
    f = ad.compile(lambda x, y: x @ y)
    same(f(x, x.T), x @ x.T)
    with pytest.raises(TypeError, match="argument"):
        f(x)
    with pytest.raises(TypeError, match="argument"):
        f(x, x, x)
    with pytest.raises(ValueError):
        f(x, x)


def test_methods_and_decorators():
    class Model:
        scale = 3.0

        @ad.compile
        def apply(self, x):
            """Scale x."""
            return x * self.scale

    with pytest.warns(ad.CompileWarning, match=r"`args|self|\[0\]"):
        same(Model().apply(np.ones(2)), np.full(2, 3.0))
    assert Model.apply.__doc__ == "Scale x." and Model.apply.__name__ == "apply"


# Surroundings


def test_a_closure_variable_is_guarded(x):
    k = 2.0

    @ad.compile
    def f(x):
        return x * k

    same(f(x), x * 2.0)
    k = 5.0
    same(f(x), x * 5.0)
    k = 2.0
    same(f(x), x * 2.0)


def test_two_values_outside_that_alternate_are_two_plans(x, monkeypatch):
    f = ad.compile(scaled)
    for factor in (2.0, 3.0) * 10:
        monkeypatch.setitem(globals(), "FACTOR", factor)
        same(f(x), x * factor + 1.0)
    (newest,) = plans(f)
    assert newest.age == 1 and newest.older.older is None


def test_what_changes_again_and_again_outside_is_not_compiled_for_ever(x, monkeypatch):
    f = ad.compile(scaled)
    with pytest.warns(ad.CompileWarning, match="`FACTOR` outside it changes again and again"):
        for factor in range(20):
            monkeypatch.setitem(globals(), "FACTOR", float(factor))
            same(f(x), x * factor + 1.0)


FACTOR = 2.0


def scaled(x):
    return helper(x) + 1.0


def helper(x):
    return x * FACTOR


def test_a_global_is_guarded_also_in_functions_that_are_called(x, monkeypatch):
    f = ad.compile(scaled)
    same(f(x), x * 2.0 + 1.0)
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    same(f(x), x * 3.0 + 1.0)


def test_an_array_from_outside_is_read_anew(x):
    w = np.ones((3, 4))
    f = ad.compile(lambda x: x * w)
    same(f(x), x)
    w *= 2.0
    same(f(x), x * 2.0)


def test_an_array_from_outside_that_takes_another_shape_is_seen(x):
    for outer in (lambda x, w: ad.sum(x) * w, lambda x, w: ad.linalg.expm(ad.sum(x) * w)):
        w = np.arange(4.0).reshape(2, 2)
        f = ad.compile(lambda x, outer=outer, w=w: outer(x, w))
        same(f(x), outer(x, w))
        w *= 0.5
        same(f(x), outer(x, w))
        w = np.arange(9.0).reshape(3, 3)
        f = ad.compile(lambda x, outer=outer: outer(x, w))  # noqa: B023
        same(f(x), outer(x, w))
        w = np.zeros((2, 2))
        same(f(x), outer(x, w))


def test_what_cannot_be_watched_is_warned_about(x):
    settings = {"k": 2.0}
    f = ad.compile(lambda x: x * settings["k"])
    with pytest.warns(ad.CompileWarning, match="`settings`, a dict"):
        same(f(x), x * 2.0)


# What is not compiled


def test_what_needs_an_array_in_python_runs_eagerly_after_one_warning_with_its_line(x):
    @ad.compile
    def f(x):
        return x * np.asarray(x).size

    with pytest.warns(ad.CompileWarning, match=r"np\.asarray\(\).*test_compiled\.py:\d+"):
        same(f(x), x * 12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(f(x - 1.0), (x - 1.0) * 12)


@pytest.mark.parametrize("ask", [np.asarray, lambda s: f"{s:.1f}", lambda s: s.tolist(), complex])
def test_asking_for_more_than_a_number_runs_eagerly(x, ask):
    f = ad.compile(lambda x: x * 2.0 if ask(ad.sum(x * 0.0) + 2.0) else x)
    with pytest.warns(ad.CompileWarning):
        same(f(x), x * 2.0)


def test_an_error_of_the_function_is_its_own():
    def f(x):
        raise KeyError("mine")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(KeyError, match="mine"):
            ad.compile(f)(np.ones(3))


def test_a_write_into_an_argument_is_not_lost():
    def f(x):
        x[0] = 5.0
        return x * 2.0

    x = np.ones(3)
    with pytest.warns(ad.CompileWarning, match="writes into its argument"):
        same(ad.compile(f)(x), np.array([10.0, 2.0, 2.0]))
    assert x[0] == 5.0


def test_errors_inside_compiled_code_name_the_line():
    f = ad.compile(lambda a: ad.sum(ad.linalg.cholesky(a)))
    same(f(np.eye(3)), np.float64(3.0))
    with pytest.raises(np.linalg.LinAlgError) as caught:
        f(-np.eye(3))
    assert any("test_compiled.py" in note for note in caught.value.__notes__)


def test_zeros_that_meet_infinite_slopes_stay_zero():
    def f(x):
        return ad.sum(ad.where(x > 0, ad.sqrt(x), 0.0))

    g, compiled = ad.grad(f), ad.compile(ad.grad(f))
    for x in (np.array([1.0, 4.0]), np.array([0.0, 4.0]), np.array([-1.0, 1.0])):
        with np.errstate(all="ignore"):
            same(compiled(x), g(x))


# Runtime


def test_threads_share_a_compiled_function():
    f = ad.compile(ad.value_and_grad(loss))
    arrays = [np.full(3000, float(k)) for k in range(8)]
    want = [ad.value_and_grad(loss)(a) for a in arrays]
    failures = []

    def work(k):
        for _ in range(200):
            try:
                same(f(arrays[k]), want[k], 1e-9)
            except BaseException as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures[0]


def test_results_do_not_depend_on_the_number_of_threads():
    from adjoint.compiler.pool import set_threads

    x = np.random.default_rng(0).normal(size=300_000)
    f = ad.compile(ad.value_and_grad(loss))
    values = []
    try:
        for n in (1, 2, 1, 2):
            set_threads(n)
            values.append(f(x))
    finally:
        set_threads(None)
    for value, gradient in values[1:]:
        assert value == values[0][0]
        np.testing.assert_array_equal(gradient, values[0][1])


def run_in_child(f, x):
    value, _ = f(x)
    os._exit(0 if np.isclose(value, loss(x)) else 1)


def test_a_compiled_function_survives_a_fork():
    x = np.random.default_rng(0).normal(size=300_000)
    f = ad.compile(ad.value_and_grad(loss))
    f(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        child = multiprocessing.get_context("fork").Process(target=run_in_child, args=(f, x))
        child.start()
        child.join(60)
    assert child.exitcode == 0
    f(x)


def test_a_compiled_function_pickles():
    f = pickle.loads(pickle.dumps(ad.compile(scaled)))
    same(f(np.ones(2)), np.full(2, FACTOR + 1.0))


def test_compiled_in_the_background_the_first_calls_run_eagerly(x):
    f = ad.compile(loss, background=True)
    same(f(x), loss(x))
    deadline = time.monotonic() + 60
    while not f.plans and time.monotonic() < deadline:
        time.sleep(0.01)
        same(f(x), loss(x))
    assert kind(f) == "native"
    same(f(x), loss(x))


SCRIPT = """
import sys, time
import numpy as np, adjoint as ad
f = ad.compile(ad.value_and_grad(lambda x: ad.sum(ad.sin(x) * x)))
value, gradient = f(np.arange(3.0))
(plan,) = f.plans.values()
print(plan.kind, plan.cached, "llvmlite" in sys.modules, repr(float(value)), gradient.tolist())
"""


def test_another_process_finds_the_code_on_disk(tmp_path):
    environment = os.environ | {"ADJOINT_CACHE": str(tmp_path / "cache")}
    runs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True,
            check=True,
        ).stdout.split(maxsplit=3)
        for _ in range(2)
    ]  # fmt: skip
    assert [run[:3] for run in runs] == [["native", "False", "True"], ["native", "True", "False"]]
    assert runs[0][3] == runs[1][3]


def test_without_native_code_the_results_are_the_same(x, monkeypatch):
    from adjoint.compiler import compiled

    monkeypatch.setattr(compiled, "self_test", lambda: "There is no native code today.")
    f = ad.compile(ad.value_and_grad(loss))
    same(f(x), ad.value_and_grad(loss)(x), 0, 0)
    same(f(x), ad.value_and_grad(loss)(x), 0, 0)
    assert kind(f) == "graph" and "no native code today" in f.report()


# To be read


def test_the_report_says_what_was_done(x):
    k = 2.0
    f = ad.compile(ad.value_and_grad(lambda x: ad.sum(ad.sin(x) * k)))
    f(x)
    text = f.report()
    for part in ("native code", "loop over", "bytes moved", "guarded outside: k", "trace", "ms"):
        assert part in text, text


def test_lower_shows_every_stage(x):
    stages = ad.compile(loss).lower(x)
    assert "tanh" in stages.text() and "test_compiled.py:" in stages.text()
    assert "tanh" in stages.optimised()
    assert "loop over [12]" in stages.program()
    assert "define void @run" in stages.llvm()


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="`compile` needs a function; it was given 3"):
        ad.compile(3)
