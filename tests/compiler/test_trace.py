"""A trace is the function: values, derivatives and dtypes, and nothing baked in silently."""

import functools
import random
import threading
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest
from ops import CASES

import adjoint as ad
from adjoint.compiler.graph import Node
from adjoint.compiler.infer import broadcast, infer, typed
from adjoint.compiler.interpret import run_graph
from adjoint.compiler.paths import Fork, preorder
from adjoint.compiler.trace import Static, Unstageable, trace
from adjoint.core.call import FEW
from adjoint.core.tree import flatten, tree_map

# What these return, or how much of it, depends on values.
BY_VALUE = {
    "argwhere", "distinct", "flatnonzero", "linalg.null_space", "linalg.orth", "nonzero",
    "trim_zeros", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values",
}  # fmt: skip
# The outcome is a Tensor even of plain arrays; a program returns arrays.
TENSORS = {"full"}
STAGED = [c for c in CASES if c.name not in BY_VALUE | TENSORS]
ONE_OF_EACH = [*{c.name: c for c in reversed(STAGED)}.values(), *STAGED[::11]]
V = np.array([1.0, 2.0, 3.0])
M = np.arange(1.0, 7.0).reshape(2, 3)
SINGLE = V.astype(np.float32)


def run(traced, args, kwargs=None):
    """What the program computes at other arguments, and whether one of its checks objects."""
    leaves = flatten((tuple(args), kwargs or {}))[0]
    given = [x for x, leaf in zip(leaves, traced.leaves, strict=True) if type(leaf) is not Static]
    outs = run_graph(traced.graph, given)
    n = len(traced.checks)
    return traced.pack(outs[: len(outs) - n]), any(map(bool, outs[len(outs) - n :]))


def same(got, want, exact=False):
    """Equal in structure, types, shapes and dtypes, and in values up to rounding."""
    (a, _, _), (b, _, _) = flatten(got), flatten(want)
    assert type(got) is type(want)
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert type(x) is type(y)
        assert np.shape(x) == np.shape(y)
        if hasattr(y, "dtype"):
            assert x.dtype == y.dtype
        if exact or isinstance(y, str) or np.asarray(y).dtype.kind not in "fc":
            np.testing.assert_array_equal(x, y)
        else:
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-10)


def agrees(f, *args, other=None, **kwargs):
    """Trace at `args`, run there and at `other`: what eager computes, and no check objects."""
    traced = trace(f, args, kwargs)
    traced.graph.check(typed)
    for point in [args, other] if other is not None else [args]:
        got, objects = run(traced, point, kwargs)
        assert not objects
        same(got, f(*point, **kwargs))
    return traced


def refused(f, *args, match, **kwargs):
    with pytest.raises(Unstageable, match=match) as caught:
        trace(f, args, kwargs)
    return caught.value


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=[c.label for c in cases])


def moved(tree):
    """The numbers of a tree, a little larger."""

    def larger(x):
        if type(x) in (float, complex):
            return x * 1.003
        x = np.asarray(x)
        return (x * x.dtype.type(1.003) if x.dtype.kind in "fc" else x)[()]

    return tree_map(larger, tree)


def total(case):
    """A scalar function of a case."""

    def f(*xs):
        terms = [
            ad.sum(ad.real(ad.conj(out) * out) if out.dtype.kind == "c" else ad.sin(out))
            for out in flatten(case(*xs))[0]
            if getattr(out, "dtype", np.dtype(int)).kind in "fc"
        ]
        return functools.reduce(ad.add, terms)

    return f


def derivatives(case):
    """The value of a case with its tangent, its gradient with a tangent of that."""
    numbers = tuple(range(len(case.point)))
    ways = tree_map(lambda x: np.cos(np.arange(np.size(x))).reshape(np.shape(x)).astype(
        np.asarray(x).dtype)[()], case.point)  # fmt: skip
    slope = ad.value_and_grad(total(case), numbers)
    yield case
    if case.point:
        yield lambda *xs: ad.jvp(case, xs, ways)
        yield slope
        yield lambda *xs: ad.jvp(slope, xs, ways)


@each(ONE_OF_EACH)
def test_every_op_traces_in_value_and_derivatives(case):
    """What eager can do, a trace can; at a second point, where nothing baked in would do."""
    for f in derivatives(case):
        try:
            with np.errstate(all="ignore"):
                want = f(*case.point), f(*moved(case.point))
        except (ad.errors.AdjointError, TypeError):  # it has no such derivative
            continue
        traced = trace(f, case.point)
        traced.graph.check(typed)
        for point, expected in zip((case.point, moved(case.point)), want, strict=True):
            got, objects = run(traced, point)
            assert not objects
            same(got, expected)


@each([c for c in CASES if c.name in BY_VALUE and c.varied and "nonzero" not in c.name])
def test_what_has_no_shape_before_it_is_computed_is_refused(case):
    refused(case, *case.point, match="depends on values|asks for the value")


def test_a_pass_back_is_written_down_in_the_same_ops():
    traced = agrees(ad.grad(lambda x: (x * ad.sin(x)).sum()), V, other=(V + 1,))
    ops = {n.op for n in traced.graph.nodes}
    assert {"sin", "cos", "multiply"} <= ops
    assert "capture" not in ops, "the seed of the pass is a number"


def test_equal_applications_are_one_node():
    traced = trace(lambda x: (ad.exp(x) + ad.exp(x), ad.exp(x)), [V])
    assert [n.op for n in traced.graph.nodes] == ["input", "exp", "add"]


def test_a_node_knows_the_line_of_the_user_that_made_it():
    def f(x):
        y = ad.sin(x * x)
        return np.sum(y * y)

    first = f.__code__.co_firstlineno
    lines = {n.op: n.line for n in trace(ad.grad(f), [V]).graph.nodes}
    assert lines["sin"].endswith(f"test_trace.py:{first + 1}")
    assert lines["sum"].endswith(f"test_trace.py:{first + 2}")
    assert lines["cos"] == lines["sin"], "a reverse pass belongs to the line whose value it uses"


def test_so_does_that_of_a_gradient_taken_inside():
    def f(x):
        def inner(x):
            y = ad.exp(x)
            return ad.sum(ad.sin(y))

        return 2 * ad.grad(inner)(x)

    first = f.__code__.co_firstlineno
    lines = {n.op: n.line for n in trace(f, [V]).graph.nodes}
    assert lines["cos"].endswith(f"test_trace.py:{first + 2}")
    assert lines["broadcast_to"].endswith(f"test_trace.py:{first + 5}"), "of no value with a line"


def test_a_call_makes_the_same_nodes_before_and_after_it_is_specialised():
    def f(x, y):
        return ad.sum(2.0 - x[::-1] * ad.exp(y) / (1 + ad.cumsum(x, 0) ** 2), axis=0)

    both = ad.value_and_grad(f, (0, 1))
    texts = {trace(both, [V, V]).graph.text() for _ in range(FEW + 2)}
    assert len(texts) == 1


@pytest.mark.parametrize(
    "f",
    [
        ad.vmap(ad.grad(lambda row: ad.tanh(row).sum() * row[0])),
        ad.grad(lambda m: ad.vmap(lambda r: r @ r)(m).sum()),
        ad.grad(lambda m: ad.checkpoint(lambda y: ad.maximum(ad.sin(y), 0.1) * y)(m).sum()),
        ad.grad(lambda m: ad.checkpoint(lambda y: ad.exp(y).sum(), keep=["exp"])(m)),
        ad.grad(lambda m: ad.grad(lambda n: (n**3).sum())(m * m).sum()),
        ad.hessian(lambda m: (m**3).sum() * m[0, 0]),
        ad.jacobian(lambda m: ad.sin(m) @ m.T),
        lambda m: ad.jvp(ad.grad(lambda m: ad.prod(m)), (m,), (m,)),
        lambda m: ad.vjp(lambda y: y * y, m)[1](2 * m),
        lambda m: ad.linearize(ad.sin, m)[0],
        ad.grad(lambda m: (ad.straight_through(np.round)(m) * m).sum()),
        ad.grad(lambda m: ad.clip_gradient(m * m, -1.0, 1.0).sum()),
        ad.vmap(ad.vmap(lambda x: x * x)),
    ],
    ids="per-example mapped checkpoint keep nested hessian jacobian hvp pullback linearize through "
    "clipped twice".split(),
)
def test_every_transform_traces(f):
    agrees(f, M, other=(M + 0.3,))


@ad.custom(vjp=lambda ct, out: ct * (1 - out))
def soft(x):
    return -ad.log(ad.sigmoid(-x))


def test_a_custom_rule_stands_in_the_program():
    traced = agrees(ad.grad(lambda x: soft(x).sum()), V, other=(V - 2,))
    assert "subtract" in {n.op for n in traced.graph.nodes}
    agrees(lambda x: ad.jvp(soft, (x,), (x,)), V)
    agrees(lambda x: soft(x) + ad.vmap(soft)(x), V)


def test_writes_pass_through_views_as_numpys_do():
    def f(m):
        y = m * 2
        y[0] = m[1]
        y[1:] += 1
        row = y[::-1]
        row[0, 0] = m.sum()
        flat, columns = y.reshape(-1), y.T.reshape(-1)
        flat[1] = 9.0  # shows in y
        columns[2] = 7.0  # a copy of y
        y[m > 3] = 0.5
        return y, flat, columns

    agrees(f, M, other=(M + 1,))
    agrees(ad.grad(lambda m: sum((part * part).sum() for part in f(m))), M)


def test_numpys_functions_are_traced():
    def f(m):
        return (
            np.concatenate([np.linalg.norm(m, axis=1), np.sort(np.ravel(m))]),
            np.where(m.sum() > 0, m, -m),
            np.add.reduce(m, axis=0),
            m[np.argmax(m, axis=0), np.arange(3)],
            [row @ row for row in m],
            np.linalg.solve(m @ m.T + np.eye(2), np.ones(2)),
            np.einsum("ij,kj->ik", m, m),
        )

    agrees(f, M, other=(M[::-1] + 1,))


def test_a_python_number_gives_way_as_one_does():
    agrees(lambda a, x: a * x / 3 + 2 * a, 2.5, SINGLE)
    agrees(lambda a: (a * 2 + 1, a / 3, -a, a**2, abs(a), a // 1, a % 2, 7.0 % a, +a), 2.5)
    agrees(lambda a, x: (np.abs(a) * x, abs(a) * x, np.add(a, a) * x, (a + a) * x), 2.5, SINGLE)
    agrees(lambda a, x: ad.exp(a) * x, 2.5, SINGLE)
    agrees(lambda a, x: x + 1j * a, 2.5, SINGLE)
    agrees(ad.value_and_grad(lambda a, x: (a * x).sum()), 2.5, SINGLE)
    agrees(lambda x, t: ad.jvp(ad.sin, (x,), (t,)), SINGLE, V)
    agrees(lambda x, c: ad.vjp(ad.sin, x)[1](c), SINGLE, V)
    agrees(lambda a, n: (n * a, n + 1, a * 1j), 2.5, 3)


RAISING = [
    (lambda a: 1 / a, 0.0),
    (lambda a: a**0.5, -2.0),
    (lambda a: 10.0**a, 400.0),
    (lambda a: 5.0 % a, 0.0),
    (lambda a: 5.0 // a, 0.0),
]


@pytest.mark.parametrize("f, at", RAISING)
def test_where_python_would_raise_a_check_says_so(f, at):
    traced = agrees(f, 2.0)
    assert run(traced, [at])[1]


def test_integers_are_promoted_where_they_are_differentiated():
    agrees(ad.grad(lambda x: (x * x).sum()), np.array([1, 2, 3]), other=(np.array([4, 5, 6]),))


def test_a_nan_behind_a_choice_is_left_to_eager():
    f = ad.grad(lambda x: ad.where(x > 0, ad.sqrt(x), 0.0).sum())
    traced = agrees(f, np.array([1.0, 4.0]))
    assert traced.checks
    assert run(traced, [np.array([1.0, 0.0])])[1], "eager mends it, a program does not"


def test_a_nan_in_a_tangent_is_left_to_eager():
    traced = agrees(lambda x: ad.jvp(ad.sqrt, (x,), (x,)), V)
    assert run(traced, [np.array([1.0, 0.0, 2.0])])[1]


def test_equal_eigenvalues_are_left_to_eager():
    traced = agrees(ad.grad(lambda a: np.linalg.eigh(a @ a.T)[1][0, 0] ** 2), M)
    assert run(traced, [np.eye(2, 3)])[1]


def test_a_cotangent_that_is_not_finite_is_left_to_eager():
    traced = agrees(lambda x, ct: ad.vjp(ad.sin, x)[1](ct), V, V)
    assert run(traced, [V, np.array([1.0, np.inf, 0.0])])[1]


Point = namedtuple("Point", "x, y")


def test_containers_come_and_go():
    def f(p, scale=1.0, *, name):
        return {"a": [p["w"].x * scale, None], name: Point(p["w"].y, p["n"])}

    traced = agrees(f, {"w": Point(V, 2.0), "n": 3}, name="b", scale=2.0)
    assert [type(leaf) for leaf in traced.leaves] == [Node, Node, Static, Static, Node]
    assert traced.paths == [
        "args[0]['w'].x", "args[0]['w'].y", "args[0]['n']", "kwargs['name']", "kwargs['scale']",
    ]  # fmt: skip


def test_an_array_from_outside_is_read_anew():
    weights = np.ones(3)
    traced = agrees(lambda x: (x * weights, weights), V)
    (capture,) = traced.captures
    assert capture.params["array"] is weights
    weights[:] = 2.0
    same(run(traced, [V])[0], (V * 2, weights))
    assert run(traced, [V])[0][1] is not weights


SCALE = 2.0


def scaled(x):
    return x * SCALE


def test_variables_from_outside_are_guarded():
    shift = np.ones(3)

    def inner(x):
        return scaled(x) + shift

    traced = agrees(ad.grad(lambda x: inner(x).sum()), V)
    assert {g.name for g in traced.guards} == {"inner", "scaled", "SCALE", "shift"}
    assert all(g.holds() for g in traced.guards)
    shift = np.zeros(3)
    assert [g.name for g in traced.guards if not g.holds()] == ["shift"]
    try:
        globals()["SCALE"] = 3.0
        assert {g.name for g in traced.guards if not g.holds()} == {"SCALE", "shift"}
    finally:
        globals()["SCALE"] = 2.0


TABLE = [2.0]
SETTINGS = SimpleNamespace(rate=0.5)
PLACES, FIXED_PLACES, WEIGHTS = np.array([0, 2]), np.array([0, 2]), np.ones(2)
FIXED_PLACES.flags.writeable = False


class Model:
    def __init__(self):
        self.w = np.ones(3)

    def __call__(self, x):
        return x * self.w

    def apply(self, x):
        return x * self.w * SCALE


def test_what_cannot_be_guarded_is_named_in_a_warning():
    model = Model()
    for f, name in [
        (lambda x: x * TABLE[0], "`TABLE`, a list"),
        (lambda x: x * SETTINGS.rate, "`SETTINGS`, a SimpleNamespace"),
        (lambda x: model(x), "`model`, a Model"),
        (model.apply, "`apply`, a Model"),
        (functools.partial(lambda m, x: m(x), model), "a Model"),
    ]:
        (warning,) = agrees(f, V).warnings
        assert name in warning
    assert agrees(lambda x: x[FIXED_PLACES] * SCALE, V).warnings == []
    (warning,) = agrees(lambda x: x[PLACES] * WEIGHTS, V).warnings
    assert "`PLACES`, an array" in warning
    (warning,) = trace(lambda m, x: m(x), [model, V]).warnings
    assert "`args[0]`, a Model" in warning


@pytest.mark.parametrize(
    "f, asks",
    [
        (lambda x: x.tolist(), r"tolist\(\)"),
        (lambda x: np.asarray(x), r"np.asarray\(\)"),
        (lambda x: f"{x[0]:.3f}", r"format\(\)"),
        (lambda x: x[x > 1], "an array at a mask"),
        (lambda x: complex(x[0]), r"complex\(\)"),
        (lambda x: np.add(x, 1, out=np.empty(3)), "out="),
    ],
)
def test_what_asks_for_a_value_is_refused_with_its_line(f, asks):
    error = refused(f, V, match=asks)
    line = f.__code__.co_firstlineno
    assert error.line.endswith(f"test_trace.py:{line}")


def test_a_refusal_that_the_function_swallows_is_not_lost():
    def f(x):
        try:
            positive = np.asarray(x)[0] > 0
        except BaseException:
            positive = True
        return x if positive else -x

    refused(f, V, match="asarray")


@pytest.mark.parametrize(
    "f, question",
    [
        (lambda x: x if x.sum() > 0 else -x, "greater"),
        (lambda x: x * float(x[0]), "equal"),
        (lambda x: x * int(x[0]), "equal"),
        (lambda x: x * x[0].item(), "equal"),
        (lambda x: x * [1, 2, 3][np.argmax(x)], "equal"),
        (lambda x: x * len(range(np.argmax(x))), "equal"),
    ],
)
def test_what_asks_for_one_number_is_a_decision_with_its_line(f, question):
    traced = trace(f, [V])
    forks = [part for part in preorder(traced.tree) if isinstance(part, Fork)]
    assert forks[-1].node.op == question
    assert forks[-1].line.endswith(f"test_trace.py:{f.__code__.co_firstlineno}")
    again = trace(f, [V + 0.0], before=traced)
    assert again.tree is traced.tree and not again.is_new


def first_entry(x):
    x[0] = 5.0
    return x


def entry_of_a_view(x):
    x[1:][0] = 5.0
    return x


def in_place(x):
    x += 1.0
    return x


def buffered(x):
    b = np.zeros(3)
    b[0] = 1
    a = x + b
    b[0] = 2
    return a * b


counter, log = 0, []


def counted(x):
    global counter
    counter += 1
    return x


def logged(x):
    log.append(1)
    return x


STATE = np.zeros(2)
GENERATOR = np.random.default_rng(0)
LEAF = ad.Tensor(V)


def stored(x):
    STATE[0] += 1
    return x


@pytest.mark.parametrize(
    "f, match",
    [
        (first_entry, "writes into (its|an) argument"),
        (entry_of_a_view, "writes into (its|an) argument"),
        (in_place, "writes into (its|an) argument"),
        (lambda x: in_place(x.astype(int)), "astype"),
        (lambda x: trace(in_place, [np.array(1.0)]), "writes into an argument"),
        (buffered, "changes an array"),
        (counted, "changes `counter`"),
        (logged, "changes `log`, a list"),
        (stored, "writes into `STATE`"),
        (lambda x: x + np.random.rand(), "draws random numbers from `np.random`"),
        (lambda x: x + random.random(), "draws random numbers from `random`"),
        (lambda x: x + GENERATOR.random(), "draws random numbers from `GENERATOR`"),
        (lambda x: x * LEAF, "tracked value from outside"),
        (lambda x: (x, object()), "returns a object"),
        (lambda x: (x, lambda: x), "returns a function"),
        (lambda x: x + np.ones(4), "ShapeError"),
        (lambda x: x.nothing, "AttributeError"),
    ],
)
def test_what_a_program_would_not_do_is_refused(f, match):
    refused(f, V.copy(), match=match)


def test_integers_in_place_are_refused_as_numpy_refuses_them():
    def f(k):
        k = k * 1
        k += 0.5
        return k

    refused(f, np.array([1, 2]), match="TypeError")


def test_a_container_argument_that_is_changed_is_refused():
    refused(lambda xs: xs.append(1.0), [V], match="changes a container")
    refused(lambda d: d.pop("a"), {"a": V}, match="changes a container")


@pytest.mark.parametrize(
    "x",
    [
        V.astype(">f8"), V.astype(object), np.ma.masked_array(V), np.array(["a"]), ad.Tensor(V),
        V.view(type("Sub", (np.ndarray,), {})), ad.Tensor(V).detach(),
    ],
    ids="swapped object masked text tensor subclass constant".split(),
)  # fmt: skip
def test_arguments_that_no_program_reads_are_refused(x):
    refused(lambda x: x, x, match=r"its argument args\[0\] is a")


def test_a_value_that_outlives_its_trace_is_no_use():
    kept = []
    with pytest.raises(Unstageable):
        trace(lambda x: kept.append(x) or x, [V])
    with pytest.raises(Unstageable, match="has ended"):
        kept[0] + 1


def test_traces_in_many_threads_do_not_meet():
    found = {}

    def work(n):
        found[n] = agrees(ad.grad(lambda x: (ad.sin(x) * n).sum()), V)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [*range(8)]


def test_tracing_draws_no_random_numbers_and_leaves_no_warning():
    state = np.random.get_state()[1].copy()
    trace(lambda a: ad.linalg.logm(a @ a.T + 3 * np.eye(2)), [M])
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_a_recurrence_of_many_steps_is_traced_without_recursion():
    def f(x):
        h = x[0]
        for _ in range(1000):
            h = ad.sin(h) * x[1] + h * h * x[2]
        return h

    traced = agrees(ad.value_and_grad(f), np.array([0.3, 1.01, 0.001]))
    assert 10_000 < len(traced.graph.nodes) < 25_000


def test_zeros_keep_their_signs():
    for zero in (0.0, np.float64(0.0), np.float32(0.0), 0j, np.complex128(0), np.longdouble(0)):
        traced = trace(lambda x, z=zero: (x + z, x + -z, x - z), [V])
        assert len({e.inputs[1] for e in traced.ends if isinstance(e, Node)}) == 2
    agrees(lambda x: (x * 1, x * True, x * 1.0, x * np.float32(1.0)), np.array([1, 2]))


def test_broadcasting_is_numpys(rng):
    for _ in range(200):
        shapes = [tuple(rng.choice([1, 3], rng.integers(4))) for _ in range(3)]
        shapes = [tuple(int(n) for n in s) for s in shapes]
        assert broadcast(shapes) == np.broadcast_shapes(*shapes)


def test_inference_says_what_the_op_does_for_all_dtypes():
    """Each pair of dtypes, also of a number that gives way."""
    kinds = [np.dtype(k) for k in "?bBhilqefdgFDG"]
    arrays = [np.ones((2, 1), k) for k in kinds] + [2, 0.5, 1j]
    for name in ("add", "multiply", "divide", "maximum", "less", "atan2"):
        for x in arrays:
            for y in arrays:
                try:
                    want = ad.OPS[name].call(x, y)
                except TypeError:
                    continue
                if type(x) is int and type(y) is int:
                    continue

                def f(x, y, name=name):
                    return ad.OPS[name].call(x, y)

                node = trace(f, (x, y)).ends[0]
                if isinstance(node, Node):
                    assert node.dtype == np.asarray(want).dtype
                    assert node.weak == (type(want) is float) or complex in (type(x), type(y))
                    assert infer(name, node.inputs, {})[:2] == (node.shape, node.dtype)
