"""A compiled function decides by values: on every path it gives what the function gives."""

import os
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from compiler.test_compiled import same
from hypothesis import given, settings
from hypothesis import strategies as st

import adjoint as ad
from adjoint.compiler import compiled as compiling
from adjoint.compiler import paths
from adjoint.compiler.interpret import run_program
from adjoint.errors import BatchError

NAN = float("nan")


def only(f):
    (plan,) = f.plans.values()
    return plan


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """New paths are compiled at once, however slow the machine is."""
    monkeypatch.setattr(compiling, "QUICK", 1e9)


def piecewise(x):
    q = ad.sum(x * x)
    if q > 4.0:
        return ad.sum(ad.sin(x))
    elif q > 1.0:
        return ad.sum(x * x * x) + q
    return q * 3.0


def newton(x):
    a, y = ad.sum(x * x) + 0.1, ad.sum(x * x) * 0.5 + 0.5
    while abs(y * y - a) > 1e-10:
        y = (y + a / y) * 0.5
    return y


def early_return(x):
    for k in range(3):
        if x[k] > 0.5:
            return x[k] * float(k + 1)
    return ad.sum(x) * 0.1


def early_stop(x):
    total = ad.sum(x) * 0.0
    for k in range(6):
        if total > 1.0:
            break
        if x[k % 3] < 0.0:
            continue
        total = total + ad.exp(x[k % 3]) * 0.3
    else:
        total = total * 2.0
    return total


def nested(x):
    if x[0] > 0.0:
        if x[1] > 0.0:
            return x[0] * x[1]
        return x[0] - x[1]
    while x[2] < 0.5:
        x = x * 0.5 + 0.5
    return ad.sum(ad.log(x + 5.0))


def recursive(x, depth=0):
    n = ad.sum(ad.abs(x))
    if n < 1.0 or depth > 6:
        return n * n
    return recursive(x * 0.6, depth + 1) + ad.sin(n)


def logical(x):
    if (x[0] > 0 and x[1] > 0) or not x[2] > 0:
        return ad.sum(ad.tanh(x))
    return x[0] ** 2 if 0.0 < x[0] < 1.0 else x[1] * 3.0


def smallest(x):
    return min(x[0], x[1], x[2]) * max(x[0] * 2.0, x[1])


def median(x):
    return sorted([x[0], x[1], x[2]])[1] * 2.0


def member(x):
    signs = ad.sign(x)
    return ad.sum(x * x) if signs[0] in (signs[1], signs[2]) else ad.sum(ad.exp(x))


def one_element(x):
    return ad.sum(x * 2.0) if x[:1] > 0 else ad.sum(ad.cos(x))


def number(x):
    return ad.sum(x * x) if ad.sum(x) * 0.0 else ad.sum(x)


def reused(x):
    e = ad.exp(x)
    if ad.sum(e) > 4.0:
        return ad.sum(e * x)
    return ad.sum(e) * ad.sum(e / 2.0)


clipped = ad.custom(
    lambda x: ad.clip(x, -1.0, 1.0),
    vjp=lambda ct, x: ct * 2.0 if ad.sum(x) > 0 else ct * 3.0,
)


def own_rule(x):
    return ad.sum(clipped(x) * x)


def euler(x):
    y, t, h = ad.tanh(ad.sum(x * x)), 0.0, 0.25
    while t < 1.0:
        step = y * (1.0 - y) * h
        if abs(step) > 0.04 and h > 0.15:
            h = h * 0.5
            continue
        y, t = y + step, t + h
    return y


def with_calls(x):
    a = ad.outer(x, x) + 3.0 * ad.asarray(np.eye(3))
    y = ad.linalg.solve(a, x)
    if ad.sum(y) > 0.2:
        return ad.linalg.slogdet(a)[1] + ad.sum(y)
    if y[0] > 0:
        return ad.sum(ad.linalg.cholesky(a) * 0.5)
    return ad.sum(y * y)


def of_factors(x):
    values, vectors = ad.linalg.eigh(ad.outer(x, x) + ad.asarray(np.diag([1.0, 2.0, 4.0])))
    return ad.sum(vectors[:, 0] ** 3) if values[0] > 1.05 else values[2]


FUNCTIONS = [
    piecewise, newton, early_return, early_stop, nested, recursive, logical, smallest, median,
    member, one_element, number, reused, own_rule, euler, with_calls, of_factors,
]  # fmt: skip


def drawn(seed, n, scale=1.2):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=3) * rng.choice([0.2, 1.0, 2.0]) * scale for _ in range(n)]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_values_and_gradients_equal_eager_on_all_paths(f):
    eager = ad.value_and_grad(f)
    compiled = ad.compile(eager)
    for x in drawn(0, 60):
        same(compiled(x), eager(x), 1e-9, 1e-10)
    plan = only(compiled)
    assert plan.kind == ("steps" if f in (with_calls, of_factors) else "native")
    assert plan.compilations == len(paths.leaves(plan.trace.tree)) > 1 or f is number
    assert plan.strays == 0
    count = plan.compilations
    for x in drawn(0, 60):
        same(compiled(x), eager(x), 1e-9, 1e-10)
    assert only(compiled).compilations == count


@pytest.mark.parametrize("f", FUNCTIONS)
def test_without_native_code_the_paths_are_followed_in_python(f, monkeypatch):
    monkeypatch.setattr(compiling, "self_test", lambda: "There is no native code today.")
    eager = ad.value_and_grad(f)
    c = ad.compile(eager)
    for x in drawn(1, 20):
        same(c(x), eager(x), 1e-14, 0)
    assert only(c).kind == "graph" and only(c).strays == 0


@pytest.mark.parametrize("f", FUNCTIONS)
def test_the_program_of_a_tree_computes_what_its_code_does(f):
    eager = ad.value_and_grad(f)
    compiled, xs = ad.compile(eager), drawn(7, 15)
    for x in xs[:10]:
        compiled(x)
    plan = only(compiled)
    for x in xs:
        *outputs, unknown = run_program(plan.schedule(), [x])
        if not unknown:
            same(tuple(plan.trace.plain(outputs)), eager(x), 1e-9, 1e-10)
    assert not any(run_program(plan.schedule(), [x])[-1] for x in xs[:10])


@pytest.mark.parametrize("f", [piecewise, newton, early_stop, reused, euler])
@pytest.mark.parametrize(
    "transform",
    [
        ad.grad,
        ad.value_and_grad,
        ad.hessian,
        lambda f: lambda x: ad.jvp(f, (x,), (np.cos(x),)),
        lambda f: lambda x: ad.hvp(f, x, np.ones_like(x)),
    ],
)
def test_transforms_work_inside_and_outside(f, transform):
    eager = transform(f)
    inside, outside = ad.compile(eager), transform(ad.compile(f))
    for x in drawn(2, 6):
        want = eager(x)
        same(inside(x), want, 1e-8, 1e-8)
        same(outside(x), want, 1e-8, 1e-8)


def test_vmap_refuses_to_branch_as_ever():
    for f in (ad.vmap(ad.compile(piecewise)), ad.compile(ad.vmap(piecewise))):
        for _ in range(2):
            with pytest.raises(BatchError, match="stands for 4"):
                f(np.ones((4, 3)))


def test_a_new_path_costs_one_compilation():
    f = ad.compile(lambda x: x * 2.0 if x > 0.0 else x - 1.0)
    for x, count in ((1.0, 1), (2.0, 1), (-1.0, 2), (-3.0, 2), (4.0, 2)):
        same(f(x), x * 2.0 if x > 0.0 else x - 1.0)
        assert only(f).compilations == count


def test_where_compiling_takes_long_paths_wait_until_they_are_taken_again(monkeypatch):
    monkeypatch.setattr(compiling, "QUICK", -1.0)

    def f(x):
        for k in range(20):
            if x < float(k):
                return x * (k + 1.0)
        return x

    c = ad.compile(f)
    for k in range(10):
        same(c(k - 0.5), f(k - 0.5))
    counts = only(c).compilations
    assert counts < 8 and only(c).strays == 0
    for k in range(10):
        same(c(k - 0.5), f(k - 0.5))
    assert len(paths.leaves(only(c).trace.tree)) == 10 and not only(c).waiting
    counts = only(c).compilations
    for k in range(10):
        same(c(k - 0.5), f(k - 0.5))
    assert only(c).compilations == counts


def test_nan_decides_as_in_numpy():
    def f(x):
        first = 1.0 if x < 0.0 else 2.0
        second = 10.0 if x != x else 20.0
        return x * 0.0 + first + second if not (x >= 0.0) else x * first

    compiled = ad.compile(f)
    for x in (1.0, NAN, -1.0, NAN, -0.0, float("inf"), -float("inf")):
        for kind in (float, np.float64, np.array):
            with np.errstate(invalid="ignore"):
                want = f(kind(x))
            same(compiled(kind(x)), want)


def test_a_number_handed_to_python_is_a_decision():
    def power(x, n):
        for _ in range(n):
            x = x * 1.5
        return x

    f, x = ad.compile(power), np.ones(3)
    for n in (1, 3, 1, 0, 3, 1):
        same(f(x, np.int64(n)), power(x, n))
    assert only(f).compilations == 3


@pytest.mark.parametrize("ask", [float, int, lambda s: s.item(), lambda s: round(s.item(), 1)])
def test_the_values_asked_for_are_told_apart(ask):
    def f(x, k):
        return x * ask(ad.sum(k))

    compiled, x = ad.compile(f), np.arange(3.0)
    for k in (1.0, 2.0, 1.0, -3.0):
        same(compiled(x, np.array([k])), f(x, np.array([k])))
    assert only(compiled).compilations == 3


def test_int_of_a_number_is_one_decision_for_all_that_are_cut_to_it():
    f = ad.compile(lambda x: x * int(x))
    for x in (1.2, 1.5, 1.9, 2.5, 2.1, -0.5, 0.5):
        same(f(x), x * int(x))
    assert only(f).compilations == 3


def test_zeros_of_both_signs_and_nan_are_values_of_their_own():
    f = ad.compile(lambda x: np.copysign(1.0, float(x)) + x * 0.0)
    for x in (0.0, -0.0, 0.0, -0.0):
        same(f(x), np.copysign(1.0, x) + 0.0)
    g = ad.compile(lambda x: x * 0.0 + (5.0 if np.isnan(float(x)) else 6.0))
    for x in (1.0, NAN, 1.0, NAN):
        same(g(x), x * 0.0 + (5.0 if np.isnan(x) else 6.0))


def test_too_many_values_run_eagerly_after_a_warning():
    f = ad.compile(lambda x: x * float(x))
    with pytest.warns(ad.CompileWarning, match="more than 3 different numbers.*test_branches.py"):
        for k in range(10):
            same(f(float(k)), float(k) ** 2)
    with pytest.warns(ad.CompileWarning, match="none of the 3 paths"):
        for k in range(30):
            same(f(float(k)), float(k) ** 2)
    assert only(f).compilations == 3


def test_a_limit_within_rounding_is_decided_one_way_or_the_other():
    def f(x, limit):
        return ad.sum(x * 2.0) if ad.sum(x) > limit else -1.0

    rng = np.random.default_rng(0)
    compiled = ad.compile(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ad.CompileWarning)
        for _ in range(40):
            x = rng.normal(size=1000)
            limit = float(np.sum(x))
            assert compiled(x, limit) in (-1.0, pytest.approx(2.0 * limit, 1e-12))
        for shift in (1.0, -1.0, 1.0, -1.0):
            for _ in range(40):
                same(compiled(x, limit + shift), f(x, limit + shift), 1e-12)
    assert only(compiled).compilations == 2


def test_too_many_paths_run_eagerly_after_a_warning(monkeypatch):
    from adjoint.compiler import trace

    monkeypatch.setattr(trace, "LEAVES", 4)

    def f(x):
        for k in range(12):
            if x < float(k):
                return x * (k + 1.0)
        return x

    compiled = ad.compile(f)
    with pytest.warns(ad.CompileWarning, match="more than 4 paths"):
        for k in range(8):
            same(compiled(k + 0.5), f(k + 0.5))
    assert only(compiled).compilations == 4 and only(compiled).kind == "native"


def test_too_many_decisions_in_a_call_run_eagerly():
    def f(x):
        while x < 1000.0:
            x = x + 1.0
        return x

    with pytest.warns(ad.CompileWarning, match="decides more than"):
        same(ad.compile(f)(0.5), 1000.5)


def test_a_path_that_cannot_be_traced_runs_eagerly_and_the_others_stay():
    def f(x):
        if x[0] > 0:
            return x * 2.0
        return x * np.asarray(x).sum()

    compiled, x = ad.compile(f), np.arange(1.0, 4.0)
    same(compiled(x), x * 2.0)
    with pytest.warns(ad.CompileWarning, match="on some paths"):
        same(compiled(-x), f(-x))
    same(compiled(-x), f(-x))
    same(compiled(x), x * 2.0)
    assert only(compiled).kind == "native"


def test_an_error_on_one_path_is_raised_there_alone():
    def f(x):
        if x < 0.0:
            raise ValueError(f"negative: {x}")
        return x * 2.0

    for first in (-1.0, 1.0):
        compiled = ad.compile(f)
        for x in (first, 1.0, *[-1.0] * 20, 2.0, -2.0):
            if x < 0:
                with pytest.raises(ValueError, match=f"negative: {x}"):
                    compiled(x)
            else:
                same(compiled(x), x * 2.0)
        assert only(compiled).kind == "native" and only(compiled).strays == 0


def test_paths_that_end_in_other_types_run_eagerly():
    def f(x):
        return (x, x) if x[0] > 0 else x

    compiled, x = ad.compile(f), np.ones(2)
    same(compiled(x), (x, x))
    with pytest.warns(ad.CompileWarning, match="one type on this path"):
        same(compiled(-x), -x)
    same(compiled(x), (x, x))


def test_numbers_and_texts_are_outputs_of_paths():
    def f(x):
        if x > 1.0:
            return 1.0, 3, True, "end", x
        return (-1.0 if x > 0 else 0.5), 4, False, "end", x + 1.0

    compiled = ad.compile(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ad.CompileWarning)
        for x in (2.0, 0.5, -1.0, 3.0):
            same(compiled(x), f(x))


@pytest.mark.parametrize("outer", [lambda f: f, ad.value_and_grad])
def test_a_number_of_python_on_one_path_may_be_numpys_on_another(outer):
    def relu(x):
        return ad.sum(x) if ad.sum(x) > 0 else 0.0

    def calls(x):
        y = ad.linalg.solve(ad.outer(x, x) + np.eye(3), x)
        return ad.sum(y) if ad.sum(x) > 0 else 0.5

    for f in (relu, calls):
        compiled, eager = ad.compile(outer(f)), outer(f)
        for x in drawn(6, 12):
            same(compiled(x), eager(x), 1e-12)
        assert only(compiled).compilations == 2


def test_one_array_may_be_several_outputs_on_one_path():
    def f(x, z):
        y = ad.exp(x)
        if ad.sum(x) > 0:
            return y, y, x, z, z
        return x, y, y * 2.0, z, z

    compiled, eager = ad.compile(f), f
    z = np.array([1j, 2.0])
    for x in (np.ones(100), -np.ones(100), np.ones(100)):
        out = compiled(x, z)
        same(out, eager(x, z))
        arrays = [*out, x, z]
        for k, a in enumerate(arrays):
            assert not any(np.shares_memory(a, b) for b in arrays[:k])


def test_arrays_that_a_function_makes_are_one_constant_in_all_traces():
    def f(x):
        w = np.arange(3.0)
        if ad.sum(x * w) > 0:
            return x * w
        return x * np.ones(3) * 5.0

    compiled, x = ad.compile(f), np.ones(3)
    for sign in (1.0, -1.0, 1.0, -1.0):
        same(compiled(x * sign), f(x * sign))
    assert only(compiled).compilations == 2


def test_an_array_from_outside_is_read_anew_on_every_path():
    w = np.ones(3)
    f = ad.compile(lambda x: x * w if ad.sum(w * x) > 0 else x - w)
    x = np.ones(3)
    same(f(x), x)
    w *= -2.0
    same(f(x), x + 2.0)
    w *= -1.0
    same(f(x), x * 2.0)
    assert only(f).compilations == 2


def test_a_variable_outside_that_changes_starts_a_new_tree():
    limit = 0.0

    @ad.compile
    def f(x):
        return x * 2.0 if x > limit else x * 3.0

    same([f(x) for x in (1.0, -1.0)], [2.0, -3.0])
    assert only(f).compilations == 2
    limit = 5.0
    same([f(x) for x in (1.0, -1.0, 6.0)], [3.0, -3.0, 12.0])
    assert only(f).compilations == 2


def test_division_by_zero_raises_as_in_python_on_any_path():
    f = ad.compile(lambda x: 1.0 / x if 1.0 / x > 0.5 else x)
    same([f(x) for x in (1.0, 4.0, -1.0)], [1.0, 4.0, -1.0])
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            f(0.0)
    same(f(1.0), 1.0)


def test_a_decision_that_changes_from_call_to_call_is_not_compiled():
    times = iter(range(100))

    def f(x):
        if next(times) % 2:
            return x * 2.0 if x > 1.0 else x
        return x * 2.0 if x > 0.0 else x

    compiled = ad.compile(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ad.CompileWarning)
        for x in (2.0, -1.0, 2.0, -1.0):
            same(compiled(x), x * 2.0 if x > 0 else x)


def test_large_arrays_cross_a_decision():
    def f(x):
        y = ad.tanh(x) * x
        z = x * 2.0 + 1.0
        if ad.sum(y) > 0.5 * ad.sum(z):
            return ad.sum(y * z)
        return ad.sum(ad.sin(y) + z)

    eager = ad.value_and_grad(f)
    compiled = ad.compile(eager)
    rng = np.random.default_rng(0)
    for k in range(6):
        x = rng.normal(size=50_000) + (k % 3 - 1.0)
        same(compiled(x), eager(x), 1e-10, 1e-11)
    assert only(compiled).compilations == 2


def test_float32_paths_stay_float32():
    eager = ad.value_and_grad(piecewise)
    compiled = ad.compile(eager)
    for x in drawn(3, 12):
        same(compiled(x.astype(np.float32)), eager(x.astype(np.float32)), 1e-4, 1e-5)


def test_threads_that_discover_paths_at_once_agree():
    f = ad.compile(ad.value_and_grad(piecewise))
    xs = drawn(4, 12)
    want = [ad.value_and_grad(piecewise)(x) for x in xs]
    failures = []

    def work(start):
        for k in range(60):
            i = (start + k) % len(xs)
            try:
                same(f(xs[i]), want[i], 1e-10, 1e-11)
            except BaseException as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=work, args=(5 * k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures[0]
    assert len(paths.leaves(only(f).trace.tree)) == 3


def test_in_the_background_new_paths_run_eagerly_until_they_are_compiled():
    f = ad.compile(ad.value_and_grad(piecewise), background=True)
    eager, xs = ad.value_and_grad(piecewise), drawn(5, 12)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for x in xs:
            same(f(x), eager(x), 1e-10, 1e-11)
        if f.plans and only(f).compilations == 3:
            break
        time.sleep(0.01)
    assert only(f).kind == "native" and only(f).compilations == 3


def test_other_kinds_of_arguments_have_trees_of_their_own():
    f = ad.compile(piecewise)
    for n in (2, 3, 4, 5, 6, 7):
        for scale in (0.1, 0.9, 3.0):
            x = np.full(n, scale)
            same(f(x), piecewise(x), 1e-12, 1e-12)
    for n in (7, 2, 3):
        same(f(np.full(n, 0.1)), piecewise(np.full(n, 0.1)), 1e-12, 1e-12)
    assert len(f.plans) == 6


def test_the_report_shows_the_tree():
    f = ad.compile(piecewise)
    f(np.ones(3))
    text = f.report()
    for part in ("paths: 1, compiled 1 times", "test_branches.py:", "not met yet", "path 1"):
        assert part in text, text
    f(np.zeros(3))
    assert "paths: 2, compiled 2 times" in f.report()


def test_lower_shows_the_branch():
    stages = ad.compile(piecewise).lower(np.ones(3))
    assert "unless" in stages.program() and "br i1" in stages.llvm()
    stages = ad.compile(with_calls).lower(np.ones(3))
    assert "if not" in stages.llvm()


SCRIPT = """
import sys
import numpy as np, adjoint as ad
def f(a):
    y = a * 0.5 + 0.5
    while abs(y * y - a) > 1e-12:
        y = (y + a / y) * 0.5
    return y
f = ad.compile(ad.value_and_grad(f))
out = [f(a) for a in (2.0, 30.0, 2.5)]
(plan,) = f.plans.values()
print(plan.kind, plan.compilations, plan.cached, "llvmlite" in sys.modules, out)
"""


def test_another_process_finds_the_tree_on_disk(tmp_path):
    environment = os.environ | {"ADJOINT_CACHE": str(tmp_path / "cache")}
    runs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True,
            check=True,
        ).stdout.split(maxsplit=4)
        for _ in range(2)
    ]  # fmt: skip
    assert [run[0] for run in runs] == ["native", "native"]
    assert [run[2:4] for run in runs] == [["False", "True"], ["True", "False"]]
    assert runs[0][1] == runs[1][1] and runs[0][4] == runs[1][4]


# Random programs


def random_program(choices):
    """A function of two numbers, made of updates, branches and loops with a bound."""

    def run(x, y):
        stack = [x, y]
        for kind, i, j, c in choices:
            a, b = stack[i % len(stack)], stack[j % len(stack)]
            if kind == 0:
                stack.append(ad.sin(a) * c + b)
            elif kind == 1:
                stack.append(a * b if a > c else a - b)
            elif kind == 2:
                steps = 0
                while a < c and steps < 4:
                    a, steps = a + 0.7, steps + 1
                stack.append(a * b)
            elif kind == 3:
                if a > b and not b < c:
                    return a * 2.0 + b
                stack.append(min(a, b) + c)
            else:
                stack.append(ad.tanh(a) if abs(b) < 1.0 else ad.exp(-ad.abs(a)))
        return stack[-1] + x * 0.5 + y * 0.25

    return run


STEPS = st.tuples(
    st.integers(0, 4), st.integers(0, 5), st.integers(0, 5), st.sampled_from([-1.0, 0.0, 0.4, 1.3])
)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=5), st.integers(0, 1000))
def test_random_programs_with_branches_equal_eager(choices, seed):
    f = random_program(choices)
    eager = ad.value_and_grad(f, (0, 1))
    compiled = ad.compile(eager, cache=False)
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ad.CompileWarning)
        for _ in range(6):
            args = [np.float64(v) for v in rng.normal(size=2) * 1.5]
            same(compiled(*args), eager(*args), 1e-9, 1e-10)
