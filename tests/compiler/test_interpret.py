"""The safe path computes what eager does, in memory of its own; so does a program, and no more."""

import warnings

import numpy as np
import pytest

import adjoint as ad
from adjoint.compiler.graph import Graph
from adjoint.compiler.interpret import plan, run_graph, run_program, runner
from adjoint.compiler.kernel import (
    Access,
    Body,
    Buffer,
    Call,
    Fold,
    Instr,
    Loop,
    Nest,
    Program,
    Store,
    View,
)
from adjoint.compiler.trace import trace
from adjoint.errors import CompileError

F8, I8, B1 = np.dtype(float), np.dtype(np.int64), np.dtype(bool)
V = np.array([1.0, 2.0, 3.0])


def test_a_value_is_dropped_after_its_last_use():
    graph = trace(lambda x: ad.sin(ad.exp(x)) + x, [V]).graph
    dead = {node.op: [graph.nodes[i].op for i in gone] for node, _, _, gone in plan(graph)}
    assert dead == {"input": [], "exp": [], "sin": ["exp"], "add": ["sin", "input"]}


def test_what_no_output_needs_is_not_computed():
    graph = trace(lambda x: [ad.exp(x), ad.sin(x)][1], [V]).graph
    assert [node.op for node, *_ in plan(graph)] == ["input", "sin"]


def test_outputs_are_in_memory_of_their_own():
    weights = np.ones(3)
    traced = trace(lambda x: (x, x[1:], x, weights, ad.reshape(x, (3, 1)), x * 2), [V])
    outs = run_graph(traced.graph, [V])
    for i, out in enumerate(outs):
        assert out.flags.owndata
        assert out.flags.writeable
        for other in (*outs[:i], V, weights):
            assert not np.shares_memory(out, other)


def test_a_run_warns_of_nothing():
    run = runner(trace(lambda x: ad.log(x) / 0.0, [V]).graph)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (got,) = run([np.array([0.0, -1.0, 2.0])])
    np.testing.assert_array_equal(got, [-np.inf, np.nan, np.inf])


def test_an_op_that_makes_something_else_than_traced_is_an_error():
    root = trace(lambda a: ad.linalg.sqrtm(a), [np.eye(2)]).graph
    with pytest.raises(CompileError, match="`matrix_root`"):
        run_graph(root, [np.diag([-1.0, 1.0])])


def test_a_runner_may_be_used_again_and_at_once():
    graph = trace(ad.value_and_grad(lambda x: (x * ad.sin(x)).sum()), [V]).graph
    run = runner(graph)
    first, second = run([V]), run([V + 1])
    np.testing.assert_array_equal(first[1], run([V])[1])
    np.testing.assert_array_equal(second[1], ad.grad(lambda x: (x * ad.sin(x)).sum())(V + 1))


def buffer(kind, index, like):
    return Buffer(kind, index, like.shape, like.dtype, like.strides)


def line(op, *args, dtype=F8, attr=None):
    return Instr(op, args, dtype, attr)


def program(arrays, outputs, loop):
    buffers = [buffer("input", i, a) for i, a in enumerate(arrays)]
    buffers += [buffer("output", i, o) for i, o in enumerate(outputs)]
    return Program(buffers, loop, tuple(range(len(arrays), len(buffers))))


def test_a_map_reads_any_strides():
    m = np.arange(12.0).reshape(3, 4)
    for x in (m, m.T, m[::-1], m[:, ::2], m[::2, ::-1], np.broadcast_to(m[0], (5, 4))):
        steps = tuple(s // 8 for s in x.strides)
        out = np.empty(x.shape)
        body = Body(
            [line("load", attr=Access(0, 0, steps)), line("exp", 0)],
            [Store(1, Access(1, 0, tuple(s // 8 for s in out.strides)))],
        )
        box = tuple((0, n) for n in x.shape)
        (got,) = run_program(program([x], [out], [Loop(x.shape, [Nest(box, body)])]), [x])
        np.testing.assert_array_equal(got, np.exp(x))


def test_nests_cover_an_array_and_fold_once():
    """y[i] = x[i-1] + x[i], at the left edge x[0]; and the sum of all y."""
    x, n = np.arange(1.0, 8.0), 7
    here, before = (line("load", attr=Access(0, k, (1,))) for k in (0, -1))
    store, fold = Store, Fold(2, "sum", (0,), Access(2, 0, (0,)))
    inner = Body([here, before, line("add", 0, 1)], [store(2, Access(1, 0, (1,)))], [fold])
    zero = line("constant", attr=0.0)
    edge = Body([here, zero, line("add", 0, 1)], [store(2, Access(1, 0, (1,)))], [fold])
    loop = Loop((n,), [Nest(((1, n),), inner), Nest(((0, 1),), edge)])
    y, total = run_program(program([x], [np.empty(n), np.empty(())], [loop]), [x])
    want = x + np.concatenate([[0.0], x[:-1]])
    np.testing.assert_array_equal(y, want)
    assert total == want.sum()
    assert type(total) is np.float64


@pytest.mark.parametrize("how", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_folds_over_some_axes(how, axes, rng):
    x = rng.normal(size=(3, 4))
    want = getattr(np, how)(x, axis=axes)
    out = np.zeros(want.shape)
    step = iter([s // 8 for s in out.strides])
    access = Access(1, 0, tuple(0 if k in axes else next(step) for k in range(2)))
    body = Body([line("load", attr=Access(0, 0, (4, 1)))], [], [Fold(0, how, axes, access)])
    loop = Loop((3, 4), [Nest(((0, 3), (0, 4)), body)])
    (got,) = run_program(program([x], [out], [loop]), [x])
    np.testing.assert_allclose(got, want, rtol=1e-15)


@pytest.mark.parametrize("how, identity", [("sum", 0.0), ("prod", 1.0)])
def test_a_fold_of_nothing_is_its_identity(how, identity):
    x, out = np.empty((0, 2)), np.empty(2)
    body = Body([line("load", attr=Access(0, 0, (2, 1)))], [],
                [Fold(0, how, (0,), Access(1, 0, (0, 1)))])  # fmt: skip
    loop = Loop((0, 2), [Nest(((0, 0), (0, 2)), body)])
    (got,) = run_program(program([x], [out], [loop]), [x])
    np.testing.assert_array_equal(got, [identity, identity])


def test_a_body_that_reads_what_it_writes_runs_index_by_index():
    """A running sum through scratch memory: s[i + 1] = s[i] + x[i]."""
    x = np.arange(1.0, 5.0)
    body = Body(
        [line("load", attr=Access(0, 0, (1,))), line("load", attr=Access(1, 0, (1,))),
         line("add", 0, 1)],
        [Store(2, Access(1, 1, (1,)))],
    )  # fmt: skip
    loop = Loop((4,), [Nest(((0, 4),), body)])
    (got,) = run_program(program([x], [np.empty(5)], [loop]), [x])
    np.testing.assert_array_equal(got, [0, 1, 3, 6, 10])


def test_casts_indices_and_calls():
    x = np.arange(6.0).reshape(2, 3)
    out = np.empty((2, 2))
    body = Body(
        [line("index", dtype=I8, attr=1), line("cast", 0), line("load", attr=Access(0, 0, (3, 1))),
         line("multiply", 1, 2)],
        [Store(3, Access(2, 0, (3, 1)))],
    )  # fmt: skip
    loop = Loop((2, 3), [Nest(((0, 2), (0, 3)), body)])
    call = Call("matmul", (View(2, 0, (2, 3), (24, 8)), View(0, 0, (3, 2), (8, 24))), {}, (1,))
    buffers = [buffer("input", 0, x), buffer("output", 0, out), buffer("scratch", 0, x)]
    (got,) = run_program(Program(buffers, [loop, call], (1,)), [x])
    np.testing.assert_array_equal(got, (np.arange(3) * x) @ x.T)


def test_checks_come_after_the_outputs():
    x = np.array([1.0, np.nan])
    body = Body(
        [line("load", attr=Access(0, 0, (1,))), line("isnan", 0, dtype=B1)], [],
        [Fold(1, "any", (0,), Access(1, 0, (0,)))],
    )  # fmt: skip
    buffers = [buffer("input", 0, x), buffer("output", 0, np.empty((), bool))]
    loop = Loop((2,), [Nest(((0, 2),), body)])
    assert run_program(Program(buffers, [loop], (0,), (1,)), [x])[1]


def wrong(body):
    x = np.ones(3)
    return program([x], [np.empty(3)], [Loop((3,), [Nest(((0, 3),), body)])]), [x]


def test_a_wrong_program_is_found():
    load = line("load", attr=Access(0, 1, (1,)))
    with pytest.raises(CompileError, match="leaves the input 0"):
        run_program(*wrong(Body([load], [])))
    with pytest.raises(CompileError, match="leaves the output 0"):
        run_program(*wrong(Body([line("constant", attr=1.0)], [Store(0, Access(1, -1, (1,)))])))
    with pytest.raises(CompileError, match="`exp` makes"):
        run_program(*wrong(Body([line("constant", attr=1.0), line("exp", 0, dtype=I8)])))
    buffers = [buffer("input", 0, V), buffer("output", 0, np.empty(2))]
    call = Call("exp", (View(0, 0, (3,), (8,)),), {}, (1,))
    with pytest.raises(CompileError, match="`exp` made"):
        run_program(Program(buffers, [call], (1,)), [V])


def test_a_gap_between_the_elements_of_an_input_is_not_read():
    x = np.arange(6.0)[::2]
    buffers = [buffer("input", 0, x), buffer("output", 0, np.empty(3))]
    body = Body([line("load", attr=Access(0, 0, (1,)))], [Store(0, Access(1, 0, (1,)))])
    with pytest.raises(CompileError, match="leaves"):
        run_program(Program(buffers, [Loop((3,), [Nest(((0, 3),), body)])], (1,)), [x])


def test_a_graph_may_be_run_with_constants_alone():
    graph = Graph()
    graph.outputs = (graph.constant(2.5), graph.constant(np.float32(1.0)))
    assert run_graph(graph, []) == [2.5, np.float32(1.0)]
