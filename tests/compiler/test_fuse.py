"""A scheduled program computes what its graph does, in as few passes as there must be."""

import itertools
import warnings

import numpy as np
import pytest
from compiler.programs import Drawn

import adjoint as ad
from adjoint.compiler.fuse import describe, fuse
from adjoint.compiler.graph import Graph
from adjoint.compiler.infer import Refused, infer
from adjoint.compiler.interpret import run_graph
from adjoint.compiler.kernel import Call, Loop, View
from adjoint.compiler.passes import optimise
from adjoint.compiler.trace import Unstageable, trace
from adjoint.core.op import OPS
from adjoint.errors import CompileError

FOLDS = dict(sum=np.add, prod=np.multiply, max=np.maximum, min=np.minimum,
             any=np.logical_or, all=np.logical_and)  # fmt: skip


def memory_of(buffer, arrays):
    """A flat array that holds a buffer, and the place in it of the buffer's first element."""
    if buffer.kind in ("input", "capture"):
        x = np.asarray(arrays[buffer.index] if buffer.kind == "input" else buffer.index)
        assert (x.shape, x.dtype) == (buffer.shape, buffer.dtype)
        moves = list(zip(x.shape, x.strides, strict=True))
        assert all(s == t or n < 2 for (n, s), t in zip(moves, buffer.strides, strict=True))
        low = sum((n - 1) * s for n, s in moves if s < 0 and n)
        span = sum((n - 1) * abs(s) for n, s in moves) + x.itemsize if x.size else 0
        first = x[tuple([slice(None, None, -1 if s < 0 else 1) for s in x.strides])]
        raw = np.lib.stride_tricks.as_strided(
            first.reshape(-1)[:0] if not x.size else first, (span // x.itemsize,), (x.itemsize,)
        )
        return raw, -low // x.itemsize
    flat = np.empty(int(np.prod(buffer.shape)), buffer.dtype)
    flat.view(np.uint8)[...] = 0xA5
    return flat, 0


def places(access, box):
    """The elements that an access touches, an array over the box."""
    where = np.full([b - a for a, b in box], access.offset)
    for k, ((a, b), step) in enumerate(zip(box, access.steps, strict=True)):
        form = [-1 if i == k else 1 for i in range(len(box))]
        where = where + (np.arange(a, b) * step).reshape(form)
    return where


def inside(at, raw):
    """Nothing outside of a buffer is touched."""
    assert at.min() >= 0
    assert at.max() < raw.size


def run_loop(loop, memory):
    """Every nest over its box at once, as `kernel` describes it; what that asks for is checked."""
    covered = np.zeros(loop.extents, int)
    pending = {}
    for nest in loop.nests:
        covered[tuple([slice(a, b) for a, b in nest.box])] += 1
        shape = tuple([b - a for a, b in nest.box])
        assert all(n > 0 for n in shape)
        values = []
        for place, instr in enumerate(nest.body.instrs):
            assert all(k < place for k in instr.args)
            args = [values[k] for k in instr.args]
            if instr.op == "load":
                raw, base = memory[instr.attr.buffer]
                at = places(instr.attr, nest.box) + base
                inside(at, raw)
                value = raw[at]
                assert raw.dtype == instr.dtype
            elif instr.op == "constant":
                assert type(instr.attr) in (int, float, bool)
                value = np.full(shape, instr.attr, instr.dtype)
            elif instr.op == "index":
                a, b = nest.box[instr.attr]
                form = [-1 if i == instr.attr else 1 for i in range(len(shape))]
                value = np.broadcast_to(np.arange(a, b).reshape(form), shape).astype(instr.dtype)
            elif instr.op == "cast":
                value = args[0].astype(instr.dtype)
            else:
                kinds = {a.dtype for a in args[instr.op == "where" :]}
                assert len(kinds) == 1, "casts are explicit"
                value = np.asarray(OPS[instr.op].call(*args))
                assert value.dtype == instr.dtype, instr
            values.append(np.broadcast_to(value, shape))
        for store in nest.body.stores:
            raw, base = memory[store.access.buffer]
            at = places(store.access, nest.box) + base
            inside(at, raw)
            assert values[store.value].dtype == raw.dtype
            assert np.unique(at).size == at.size, "an element is stored twice"
            raw[at] = values[store.value]
        for fold in nest.body.folds:
            assert fold.axes and all(fold.access.steps[k] == 0 for k in fold.axes)
            part = FOLDS[fold.how].reduce(values[fold.value], fold.axes)
            assert part.dtype == memory[fold.access.buffer][0].dtype
            rest = [b for k, b in enumerate(nest.box) if k not in fold.axes]
            steps = [s for k, s in enumerate(fold.access.steps) if k not in fold.axes]
            at = places(fold.access._replace(steps=tuple(steps)), rest)
            total = pending.setdefault((fold.how, fold.access), {})
            for index in np.ndindex(*at.shape):
                i = int(at[index])
                total[i] = FOLDS[fold.how](total[i], part[index]) if i in total else part[index]
    assert (covered == 1).all(), "the boxes cover every index once"
    for (_, access), total in pending.items():
        raw, base = memory[access.buffer]
        for i, value in total.items():
            raw[i + base] = value


def run(program, arrays):
    """What a program computes: its outputs and its checks."""
    memory = [memory_of(b, arrays) for b in program.buffers]

    def viewed(b, offset, shape, strides):
        raw, base = memory[b]
        assert offset % raw.itemsize == 0 and all(s % raw.itemsize == 0 for s in strides)
        start = base + offset // raw.itemsize
        return np.lib.stride_tricks.as_strided(raw[start:], shape, strides)[()]

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for step in program.steps:
            if isinstance(step, Loop):
                run_loop(step, memory)
                continue
            args = [viewed(*x) if isinstance(x, View) else x for x in step.inputs]
            made = OPS[step.op].call(*args, **step.params)
            many = made if len(step.outputs) > 1 or isinstance(made, (tuple, list)) else [made]
            for b, value in zip(step.outputs, many, strict=True):
                assert np.shape(value) == program.buffers[b].shape
                assert np.asarray(value).dtype == program.buffers[b].dtype
                memory[b][0][...] = np.ravel(value)
    ends = [program.buffers[b] for b in (*program.outputs, *program.checks)]
    kinds = {b.kind for b in ends[: len(program.outputs)]}
    assert kinds <= {"output", "input", "capture"}
    return [
        viewed(b, 0, e.shape, e.strides)
        for b, e in zip((*program.outputs, *program.checks), ends, strict=True)
    ]


def agree(graph, arrays, checks=0):
    """The program of `graph`, which was seen to compute what the graph does."""
    strides = {n.params["index"]: np.asarray(arrays[n.params["index"]]).strides
               for n in graph.inputs}  # fmt: skip
    program = fuse(graph, checks, strides)
    got = run(program, arrays)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        want = run_graph(graph, arrays)
    for g, w, node in zip(got, want, graph.outputs, strict=True):
        assert (np.shape(g), np.asarray(g).dtype) == (node.shape, node.dtype)
        exact = np.asarray(w).dtype.kind not in "fc"
        rtol = 0 if exact else 1e-4 if np.asarray(w).dtype.itemsize == 4 else 1e-11
        np.testing.assert_allclose(g, w, rtol=rtol, atol=rtol)
    return program


def compiled(f, *args):
    """The program of a function's trace after the passes."""
    try:
        found = trace(f, args)
    except Unstageable as reason:
        pytest.skip(str(reason))
    return agree(optimise(found.graph), args, len(found.checks))


class Maker(Graph):
    """A graph by hand: `g("add", x, y)` with the type inferred."""

    def __call__(self, op, *inputs, **params):
        inputs = [x if hasattr(x, "op") else self.constant(x) for x in inputs]
        found = infer(op, inputs, params)
        return self.add(op, inputs, params, shape=found.shape, dtype=found.dtype, weak=found.weak)

    def agree(self, *outputs, data=None, seed=0):
        self.outputs = outputs
        rng = np.random.default_rng(seed)
        made = [rng.standard_normal(n.shape) * 3 for n in self.inputs]
        arrays = [x.astype(n.dtype) for x, n in zip(made, self.inputs, strict=True)]
        return agree(self, data or arrays)


def loops(program):
    return [s for s in program.steps if isinstance(s, Loop)]


def value_and_grad(f):
    return ad.value_and_grad(f)


@pytest.mark.parametrize("seed", range(120))
def test_a_drawn_program_computes_what_its_graph_does(seed):
    drawn = Drawn(seed, dtypes=("float64", "float32"))
    compiled(drawn, *drawn.inputs)


@pytest.mark.parametrize("seed", range(60))
def test_so_does_its_gradient(seed):
    drawn = Drawn(seed, length=6)
    compiled(ad.value_and_grad(drawn.loss), *drawn.inputs)


# The workloads


def chain(x):
    return ad.sum(ad.tanh(x) * ad.exp(-x * x) + ad.log1p(x * x))


def rosenbrock(x):
    return ad.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def least(program):
    """Whether a description says that the program moves no more bytes than it must."""
    moved, needed = (int(w) for w in describe(program).splitlines()[-1].split() if w.isdigit())
    return moved == needed


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_forward_and_backward_of_a_chain_are_one_pass_over_the_data(dtype):
    x = np.linspace(-3, 3, 1000).astype(dtype)
    program = compiled(ad.value_and_grad(chain), x)
    (loop,) = program.steps
    assert (loop.extents, len(loop.nests)) == ((1000,), 1)
    assert least(program)


@pytest.mark.parametrize("n", [10, 1000])
def test_shifted_windows_are_one_pass_with_an_edge_on_either_side(n):
    program = compiled(ad.value_and_grad(rosenbrock), np.linspace(-1, 2, n))
    (loop,) = program.steps
    boxes = [nest.box for nest in loop.nests]
    assert boxes[0] == ((1, n - 1),)
    assert sorted(boxes[1:]) == [((0, 1),), ((n - 1, n),)]
    assert [len(nest.body.folds) for nest in loop.nests] == [
        1,
        *[b == ((0, 1),) for b in boxes[1:]],
    ]
    assert least(program)


def test_a_stencil_of_two_axes_and_its_gradient_are_one_pass():
    def laplacian(u):
        inner = 4 * u[1:-1, 1:-1]
        return ad.sum((inner - u[2:, 1:-1] - u[:-2, 1:-1] - u[1:-1, 2:] - u[1:-1, :-2]) ** 2)

    program = compiled(
        ad.value_and_grad(laplacian), np.random.default_rng(0).normal(size=(200, 300))
    )
    (loop,) = program.steps
    assert loop.nests[0].box == ((2, 198), (2, 298))
    assert least(program)


def test_a_recurrence_of_numbers_is_one_block():
    def f(x):
        for _ in range(50):
            x = ad.sin(x) * 1.01 + x * x * 0.001
        return x

    program = compiled(ad.value_and_grad(f), 0.7)
    (loop,) = program.steps
    assert loop.extents == () and loop.nests[0].box == ()


def test_elements_read_one_by_one_give_back_one_block_of_stores():
    def f(x):
        return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(19))

    program = compiled(ad.value_and_grad(f), np.linspace(-1, 2, 20))
    (loop,) = program.steps
    assert loop.extents == () and len(loop.nests[0].body.stores) == 21


def test_rows_read_one_by_one_give_back_their_rows():
    def f(x):
        h = np.zeros(3)
        for row in x:
            h = ad.tanh(h + row)
        return ad.sum(h)

    program = compiled(ad.value_and_grad(f), np.random.default_rng(0).normal(size=(6, 3)))
    (loop,) = program.steps
    assert loop.extents == (3,)


def test_steps_of_a_stencil_in_time_each_read_only_the_step_before():
    def heat(u):
        for _ in range(4):
            u = u + 0.1 * (ad.roll(u, 1) + ad.roll(u, -1) - 2 * u)
        return ad.sum(u * u)

    program = compiled(ad.value_and_grad(heat), np.linspace(0, 1, 100))
    assert len(program.steps) == 8
    for loop in program.steps[5:]:
        loads = {i.attr.buffer for i in loop.nests[0].body.instrs if i.op == "load"}
        assert len(loads) == 1


def test_a_matrix_product_is_the_backend_s_and_takes_a_transpose_as_a_view():
    x, w = np.ones((30, 40)), np.ones((40, 50))
    program = compiled(ad.value_and_grad(lambda w: ad.sum(ad.tanh(x @ w))), w)
    assert [type(s) for s in program.steps] == [Call, Loop, Call]
    transposed = program.steps[2].inputs[0]
    assert (transposed.shape, transposed.strides) == ((40, 30), (8, 320))


def test_what_a_fold_needs_and_what_needs_it_are_passes_of_their_own():
    program = compiled(lambda x: x - ad.max(x), np.arange(10.0))
    assert [loop.extents for loop in program.steps] == [(10,), (10,)]
    assert program.buffers[program.steps[0].nests[0].body.folds[0].access.buffer].kind == "scratch"


def test_a_pass_that_can_wait_joins_a_later_one_over_the_same_extents():
    def f(x, y):
        total = ad.sum(y * y, axis=1)  # which could be the first pass
        return ad.sum(x - ad.max(x, axis=1, keepdims=True), axis=1) * total

    program = compiled(f, np.ones((20, 30)), np.ones((20, 30)))
    assert sum(loop.extents == (20, 30) for loop in program.steps) == 2


# What is stored


def test_what_is_dear_and_wanted_at_two_places_is_stored_and_what_is_cheap_is_not():
    x = np.linspace(0, 1, 2000)
    stored = compiled(lambda x: ad.exp(x)[1:] * ad.exp(x)[:-1], x)
    inlined = compiled(lambda x: (x + 1)[1:] * (x + 1)[:-1], x)
    assert (len(stored.steps), len(inlined.steps)) == (2, 1)


def test_a_value_is_not_computed_again_for_each_row():
    g = Maker()
    x, y = g.input((100, 1), "float64"), g.input((50,), "float64")
    program = g.agree(g("multiply", x, g("exp", y)))
    assert [loop.extents for loop in program.steps] == [(50,), (100, 50)]


def test_numbers_come_before_the_loops_that_use_them():
    program = compiled(lambda a, x: ad.sum(ad.exp(a) * x), 0.5, np.ones(1000))
    assert [loop.extents for loop in program.steps] == [(), (1000,)]


# Axes


def test_a_contiguous_map_of_two_axes_is_a_loop_over_one():
    (loop,) = compiled(lambda x: ad.exp(x), np.ones((6, 7, 8))).steps
    assert loop.extents == (336,)


def test_the_contiguous_axis_is_innermost():
    x = np.asfortranarray(np.arange(600.0).reshape(20, 30))
    program = compiled(lambda x: (ad.sum(x * x, axis=0), ad.sum(x, axis=1)), x)
    (loop,) = program.steps
    (load,) = [i for i in loop.nests[0].body.instrs if i.op == "load"]
    assert loop.extents == (30, 20) and load.attr.steps == (20, 1)


def test_a_short_last_axis_is_not_innermost():
    w = np.ones(3)
    program = compiled(lambda x: ad.sum(x * w, axis=1), np.ones((100, 3)))
    assert program.steps[0].extents == (3, 100)


@pytest.mark.parametrize("view", [
    lambda x: x[::-1], lambda x: x[:, ::-2], lambda x: x.T, lambda x: x[2:5, 1:],
    lambda x: np.broadcast_to(x[0], (4, 9)), lambda x: x[:0], lambda x: x[3:4],
])  # fmt: skip
def test_inputs_may_lie_in_memory_as_they_like(view):
    x = view(np.arange(72.0).reshape(8, 9))
    compiled(lambda x: (ad.exp(-x), ad.sum(x), ad.ravel(x) * 2, x.T + 1, ad.sum(x, axis=0)), x)


def test_strides_of_parts_of_an_element_are_refused():
    g = Graph()
    x = g.input((3,), "float64")
    g.outputs = (g.add("exp", [x], shape=(3,), dtype=x.dtype),)
    with pytest.raises(CompileError, match=r"\(12,\) bytes"):
        fuse(g, strides={0: (12,)})


# Graphs by hand, op by op


WINDOWS = ad.sliding_window_view  # in the registry from its first use
MOVES = {
    "permute_dims": dict(axes=(2, 0, 1)), "matrix_transpose": {}, "flip": dict(axis=(0, -1)),
    "roll": dict(shift=-2, axis=1), "diagonal": dict(offset=1), "tril": dict(k=1),
    "triu": dict(k=-1), "reshape": dict(shape=(4, 30)), "spread": dict(shape=(2, 4, 5, 6)),
    "broadcast_to": dict(shape=(2, 4, 5, 6)), "getitem": dict(index=(1, None, slice(4, 0, -2))),
    "sliding_window_view": dict(window_shape=2, axis=1), "behind": {}, "positive": {},
    "embed_diagonal": dict(shape=(4, 5, 8, 7), offset=-1), "real": {}, "astype": dict(dtype="f4"),
    "index_add": dict(shape=(7, 5, 9), index=(slice(1, 5), slice(None, None, -1), slice(3, 9))),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "int32", "bool"])
@pytest.mark.parametrize("op", MOVES)
def test_each_move_fuses_between_maps_and_stands_alone(op, dtype):
    g = Maker()
    x = g.input((4, 5, 6), "int8" if dtype == "bool" and op in ("positive", "behind") else dtype)
    y = g(op, g("where", g("greater", x, 0), x, g("logical_not", x)), **MOVES[op])
    program = g.agree(
        y, g("sum", g("multiply", y, 3), axis=(0,), keepdims=False), g(op, x, **MOVES[op])
    )
    assert all(isinstance(s, Loop) for s in program.steps)


@pytest.mark.parametrize("op", list(MOVES))
def test_moves_follow_one_another(op):
    followed = 0
    for other, params in MOVES.items():
        g = Maker()
        x = g.input((4, 5, 6), "float64")
        first = g(op, g("add", x, 1.0), **MOVES[op])
        try:
            second = g(other, first, **params)
        except (Refused, ValueError, IndexError, TypeError):
            continue  # does not fit the shape
        g.agree(g("negative", second), g("sum", second, axis=None, keepdims=False))
        followed += 1
    assert followed > 4


def test_joined_pieces_are_stored_where_they_belong_and_read_where_they_come_from():
    g = Maker()
    x, y = g.input((3, 4), "float64"), g.input((2, 4), "float32")
    both = g("joined", g("exp", x), y, g("sin", x), axis=0)
    g.agree(both, g("multiply", both, 2.0), g("sum", both, axis=(1,), keepdims=False))


def test_what_is_written_into_a_copy_stands_there_and_the_rest_remains():
    g = Maker()
    x, y = g.input((5, 6), "float32"), g.input((6,), "float64")
    z = g("setitem", g("exp", x), g("cos", y), index=(slice(1, 3),))
    g.agree(z, g("setitem", z, 7.0, index=(-1, slice(2, 4))))


def test_padding_that_holds_nan_stays_out_of_the_products():
    g = Maker()
    x = g.input((5,), "float64")
    inner = g("getitem", x, index=slice(1, 4))
    padded = g("index_add", g("divide", inner, inner), shape=(5,), index=slice(1, 4))
    data = [np.array([np.nan, 0.0, np.inf, 2.0, np.nan])]
    g.agree(g("add", padded, padded), g("multiply", padded, np.inf), data=data)


@pytest.mark.parametrize("how", ["sum", "prod", "max", "min", "any", "all"])
@pytest.mark.parametrize("dtype", ["float32", "int16", "bool"])
@pytest.mark.parametrize("axis", [None, (0,), (1, 2), (-1,), ()])
def test_each_fold_of_each_axis(how, dtype, axis):
    g = Maker()
    x = g.input((3, 4, 1), dtype)
    g.agree(g(how, x, axis=axis, keepdims=True), g(how, x, axis=axis, keepdims=False))


@pytest.mark.parametrize("how", ["sum", "prod", "any", "all"])
def test_folds_of_nothing_are_their_identity_and_empty_arrays_are_no_loop(how):
    g = Maker()
    x = g.input((0, 3), "float64")
    fold = g(how, x, axis=(0,), keepdims=False)
    program = g.agree(fold, g("exp", x), g(how, x, axis=None, keepdims=False))
    assert all(n for loop in loops(program) for n in loop.extents)


def test_what_only_empty_arrays_are_made_of_is_wanted_by_no_loop():
    def f(x):
        none = x[1:1]
        return ad.sin(ad.tanh(ad.sum(none * none))) + ad.sum(ad.sin(x))

    compiled(ad.value_and_grad(f), np.ones(1))


@pytest.mark.parametrize("one, two", [*itertools.product(
    ["bool", "int8", "int64", "uint64", "float32", "float64"], repeat=2)])  # fmt: skip
@pytest.mark.parametrize(
    "op", ["add", "multiply", "less", "equal", "maximum", "logical_and", "divide"]
)
def test_dtypes_mix_as_numpy_has_it(op, one, two):
    g = Maker()
    x, y = g.input((9,), one), g.input((9,), two)
    g.agree(g(op, x, y), g(op, g(op, x, y), 2), g(op, x, 1.5))


def test_integers_of_mixed_signs_are_compared_exactly():
    g = Maker()
    x, y = g.input((2,), "int64"), g.input((2,), "uint64")
    data = [np.array([2**63 - 1, -1]), np.array([2**63, 2**64 - 1], "uint64")]
    program = g.agree(g("equal", x, y), g("less", x, y), data=data)
    assert not loops(program)


def test_complex_numbers_are_the_backend_s():
    def f(x):
        z = x * (1 + 2j)
        return ad.real(z * z), z[::-1], z.T, ad.sum(ad.abs(z))

    compiled(f, np.arange(6.0).reshape(2, 3))


def test_several_outputs_of_a_call_have_a_buffer_each():
    def f(a):
        sign, log = ad.linalg.slogdet(a)
        return sign * 2, log

    compiled(f, np.diag([1.0, 2.0, 3.0]) + 0.1)


def test_outputs_are_fresh_memory_and_one_listed_twice_is_one_buffer():
    g = Maker()
    x = g.input((3, 4), "float64")
    y = g("exp", x)
    program = g.agree(
        x, y, g("permute_dims", x, axes=(1, 0)), y, g.constant(2.5), g("flip", y, axis=0)
    )
    assert program.outputs[1] == program.outputs[3]
    kinds = [program.buffers[b] for b in program.outputs]
    assert {b.kind for b in kinds} == {"output"} and [b.index for b in kinds] == [0, 1, 2, 1, 4, 5]


def test_checks_are_the_last_outputs():
    g = Maker()
    x = g.input((3,), "float64")
    g.outputs = (g("exp", x), g("any", g("isnan", x), axis=None, keepdims=False))
    program = agree(g, [np.array([1.0, np.nan, 2.0])], checks=1)
    (check,) = program.checks
    assert (program.buffers[check].dtype, program.buffers[check].kind) == (bool, "scratch")


def test_captures_are_read_where_they_lie():
    table = np.arange(12.0).reshape(3, 4)[:, ::2]
    program = compiled(lambda x: x * table, np.ones((3, 1)))
    (buffer,) = [b for b in program.buffers if b.kind == "capture"]
    assert buffer.strides == (32, 16)


def test_many_regions_are_stored_rather_than_cut_into_ever_more_boxes():
    def f(x):
        return ad.sum(ad.concat([x[k : k + 3] * k for k in range(20)]) * ad.concat([x, x, x[:6]]))

    program = compiled(ad.value_and_grad(f), np.linspace(0, 1, 27))
    assert max(len(loop.nests) for loop in loops(program)) < 40


def test_the_description_says_what_became_of_what():
    text = describe(compiled(ad.value_and_grad(rosenbrock), np.ones(100)))
    assert "loop over [100], 2 edges" in text and text.endswith("inputs and outputs have 1608")
