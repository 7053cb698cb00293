"""Native loops compute what the same loops compute in NumPy, and touch no other memory."""

import ctypes
import math
import mmap
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import adjoint as ad
from adjoint.compiler import image, machine, run
from adjoint.compiler.kernel import Access, Body, Buffer, Fold, Instr, Loop, Nest, Store
from adjoint.compiler.lower import Module, lower
from adjoint.compiler.pool import pool
from adjoint.compiler.walk import MANY
from adjoint.errors import CompileError

pytestmark = pytest.mark.skipif(bool(machine.available()), reason=str(machine.available()))

F64, F32, I64, I32, BOOL = map(np.dtype, ("f8", "f4", "i8", "i4", "?"))
EXTENTS = (1, 2, 3, 7, 8, 9, 16, 31, 63, 64, 65, 130, 1000)
LARGE = (1, 3, 5, 64, 200, 1000, 4001, 30000)
FOLDS = dict(
    sum=np.add, prod=np.multiply, max=np.maximum, min=np.minimum,
    any=np.logical_or, all=np.logical_and,
)  # fmt: skip
OTHERS = dict(
    sse2=machine.Machine("x86_64-unknown-linux-gnu", "x86-64", "+sse2"),
    avx2=machine.Machine("x86_64-unknown-linux-gnu", "haswell", "+avx2,+fma"),
)
NUMPY = dict(
    add=np.add, subtract=np.subtract, multiply=np.multiply, maximum=np.maximum,
    negative=np.negative, where=np.where, less=np.less, logical_and=np.logical_and,
    logical_or=np.logical_or, exp=np.exp, sin=np.sin, cos=np.cos, tanh=np.tanh, fabs=np.abs,
)  # fmt: skip


# Running


class Fenced:
    """Elements of a dtype amid bytes that must stay as they are."""

    def __init__(self, count, dtype):
        size = max(1, count) * dtype.itemsize
        self.bytes = np.full(size + 1088, 0xA5, np.uint8)
        start = 512 - self.bytes.ctypes.data % 64
        self.outside = np.r_[:start, start + size : len(self.bytes)]
        self.array = self.bytes[start : start + size].view(dtype)[:count]

    def unharmed(self):
        return bool((self.bytes[self.outside] == 0xA5).all())


class Walled:
    """Elements of a dtype next to a page that nobody may touch: a touch ends the process."""

    def __init__(self, count, dtype, at_end=True):
        size = max(1, count) * dtype.itemsize
        room = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        pages = mmap.mmap(-1, room + 2 * mmap.PAGESIZE)
        first = np.frombuffer(pages, np.uint8).ctypes.data
        protect = ctypes.CDLL(None).mprotect
        for page in (first, first + mmap.PAGESIZE + room):
            assert not protect(ctypes.c_void_p(page), ctypes.c_size_t(mmap.PAGESIZE), 0)
        offset = mmap.PAGESIZE + (room - size if at_end else 0)
        self.array = np.frombuffer(pages, dtype, count, offset)

    def unharmed(self):
        return True


def native(loops, buffers, target=None, threads=False, fence=Fenced):
    """A function of one array for each buffer, and the lowered module."""
    slots = {k: k for k in range(len(buffers))}
    made = lower(loops, buffers, slots, target or machine.host(), threads)
    code = image.load(machine.assemble(made.ir, target) if target else image.build(made.ir))
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code.address("run"))

    def call(*arrays):
        pointers = [a.ctypes.data for a in arrays]
        scratch = fence(-(-made.scratch_bytes // 64) * 64, np.dtype("u1"))
        if made.scratch_bytes:
            scratch.array[:] = 0xFF  # NaN, should it be read before it is written
            pointers.append(scratch.array.ctypes.data)
        if made.parallel:
            pool().start()
            pointers.append(pool().address)
        assert len(pointers) == made.slots
        run((ctypes.c_void_p * len(pointers))(*pointers))
        assert scratch.unharmed()
        return code  # which has to outlive the call

    return call, made


# The reference


def evaluate(loops, buffers, arrays):
    """Run the loops by NumPy on flat arrays; return by buffer the sizes of what was summed."""
    scales = {}
    for loop in loops:
        begun = set()
        for nest in loop.nests:
            grid = [np.arange(a, b).reshape([-1 if k == j else 1 for j in range(len(nest.box))])
                    for k, (a, b) in enumerate(nest.box)]  # fmt: skip
            shape = tuple([b - a for a, b in nest.box])

            def place(access, grid=grid, shape=shape):
                at = sum((i * s for i, s in zip(grid, access.steps, strict=True)), access.offset)
                return np.broadcast_to(at, shape)

            values = []
            for op, args, dtype, attr in nest.body.instrs:
                if op == "load":
                    value = arrays[attr.buffer][place(attr)]
                elif op == "constant":
                    value = np.asarray(attr, dtype)
                elif op == "index":
                    value = np.asarray(grid[attr], np.int64)
                elif op == "cast":
                    value = values[args[0]].astype(dtype)
                else:
                    value = NUMPY[op](*[values[a] for a in args])
                assert value.dtype == dtype, op
                values.append(value)
            for value, access in nest.body.stores:
                arrays[access.buffer][place(access)] = values[value]
            for value, how, axes, access in nest.body.folds:
                x = np.broadcast_to(values[value], shape)
                out = arrays[access.buffer]
                if access not in begun:
                    begun.add(access)
                    full = [1 if k in axes else n for k, n in enumerate(loop.extents)]
                    at = sum((i * s for i, s in zip(np.indices(full), access.steps, strict=True)),
                             access.offset)  # fmt: skip
                    out[at] = identity(how, out.dtype)
                    scales[access.buffer] = np.zeros(out.shape)
                first = tuple([slice(0, 1) if k in axes else slice(None) for k in range(x.ndim)])
                if x.size:
                    at = place(access)[first]
                    exact = x.astype("g") if x.dtype.kind == "f" else x
                    part = FOLDS[how].reduce(exact, axis=axes, keepdims=True) if axes else exact
                    out[at] = FOLDS[how](out[at], part).astype(out.dtype)
                    scales[access.buffer][at] += np.abs(exact).sum(axis=axes, keepdims=True)
    return scales


def identity(how, dtype):
    if how not in ("max", "min"):
        return dict(sum=0, prod=1, any=False, all=True)[how]
    if dtype.kind == "f":
        return -math.inf if how == "max" else math.inf
    return np.iinfo(dtype).min if how == "max" else np.iinfo(dtype).max


# Random loops


class Drawn:
    """A random loop, its buffers, and arrays for them."""

    def __init__(self, seed, most=20000, choices=EXTENTS):
        self.rng = rng = np.random.default_rng(seed)
        self.buffers, self.arrays, self.seed = [], [], seed
        rank = int(rng.integers(0, 5))
        extents = [int(rng.choice(choices)) for _ in range(rank)]
        while math.prod(extents) > most:
            extents[int(rng.integers(rank))] = int(rng.choice((1, 2, 3)))
        if rank and rng.random() < 0.05:
            extents[0] = 0
        self.extents = tuple(extents)
        self.sources = [
            self.buffer("input", self.reach(), dtype)
            for dtype in rng.choice([F64, F64, F32, F32, I64, I32, BOOL], 3)
        ]
        # One dtype of each kind that is stored or folded; the same results in all nests.
        self.targets = [self.target() for _ in range(int(rng.integers(0, 3)))]
        self.results = [self.result() for _ in range(int(rng.integers(not self.targets, 3)))]
        nests = [Nest(box, self.body(k)) for k, box in enumerate(self.boxes())]
        self.loop = Loop(self.extents, nests)

    def __repr__(self):
        return f"Drawn({self.seed}): {self.extents}, {self.loop.nests}"

    def buffer(self, kind, access, dtype):
        """A buffer just long enough for an access, whose offset is mended to fit."""
        steps = access
        ends = [s * max(0, n - 1) for s, n in zip(steps, self.extents, strict=True)]
        low, high = sum(min(0, e) for e in ends), sum(max(0, e) for e in ends)
        count, index = high - low + 1, len(self.buffers)
        if dtype.kind == "f":
            data = self.rng.normal(size=count).astype(dtype)
        else:
            data = self.rng.integers(0, 2 if dtype.kind == "b" else 5, count).astype(dtype)
        self.buffers.append(Buffer(kind, index, (count,), dtype, (dtype.itemsize,)))
        self.arrays.append(data)
        return Access(index, -low, tuple(steps))

    def reach(self):
        """Steps of a load: any."""
        return [int(s) for s in self.rng.choice([0, 1, 1, -1, 2, 3, -2, 5], len(self.extents))]

    def distinct(self, axes=()):
        """Steps of a store: those of an array in some order of axes, some reversed."""
        steps, size = [0] * len(self.extents), 1
        axis_order = list(range(len(self.extents)))[::-1]
        if self.rng.random() < 0.3:
            self.rng.shuffle(axis_order)
        if self.rng.random() < 0.2:
            size = 2
        for axis in axis_order:
            if axis not in axes:
                steps[axis] = -size if self.rng.random() < 0.1 else size
                size *= self.extents[axis]
        return steps

    def target(self):
        dtype = self.rng.choice([F64, F32, I64, BOOL])
        return self.buffer("output", self.distinct(), dtype), dtype

    def result(self):
        rank = len(self.extents)
        axes = tuple([k for k in range(rank) if self.rng.random() < 0.6])
        dtype = self.rng.choice([F64, F32, I64, I32])
        how = str(self.rng.choice(["sum", "sum", "max", "min", "prod"]))
        if self.rng.random() < 0.15:
            dtype, how = BOOL, str(self.rng.choice(["any", "all"]))
        if 0 in self.extents and how in ("max", "min"):
            how = "sum"
        return how, axes, self.buffer("output", self.distinct(axes), dtype), dtype

    def boxes(self):
        """The interior, and edges that were cut off; disjoint, together all."""
        box = [(0, n) for n in self.extents]
        edges = []
        for axis, n in enumerate(self.extents):
            if n > 2 and self.rng.random() < 0.25:
                k = int(self.rng.integers(1, 3))
                edges.append([*box[:axis], (0, k), *box[axis + 1 :]])
                box[axis] = (k, n)
        return [tuple(box), *[tuple(edge) for edge in edges]]

    def body(self, number):
        rng, body = self.rng, Body()

        def line(op, *args, dtype, attr=None):
            body.instrs.append(Instr(op, args, dtype, attr))
            return len(body.instrs) - 1

        def some(dtype):
            """A value of a dtype, cast from another if there is none."""
            have = [p for p, i in enumerate(body.instrs) if i.dtype == dtype]
            if have and rng.random() < 0.8:
                return int(rng.choice(have[-6:]))
            if rng.random() < 0.3:
                return line("constant", dtype=dtype, attr=dtype.type(rng.integers(-2, 3)).item())
            held = [p for p, i in enumerate(body.instrs)
                    if i.dtype.kind in ("bif" if dtype.kind in "fb" else "bi")]  # fmt: skip
            p = int(rng.choice(held)) if held else line("constant", dtype=BOOL, attr=True)
            return p if body.instrs[p].dtype == dtype else line("cast", p, dtype=dtype)

        for access in self.sources:
            dtype = self.buffers[access.buffer].dtype
            line("load", dtype=dtype, attr=access)
        if self.extents and rng.random() < 0.3:
            line("index", dtype=I64, attr=int(rng.integers(len(self.extents))))
        for _ in range(int(rng.integers(2, 9))):
            dtype = rng.choice([F64, F32, I64, BOOL])
            kind = rng.random()
            if dtype == BOOL:
                of = rng.choice([F64, F32, I64])
                line("less", some(of), some(of), dtype=BOOL)
                line("logical_and", some(BOOL), some(BOOL), dtype=BOOL)
            elif kind < 0.15:
                line("where", some(BOOL), some(dtype), some(dtype), dtype=dtype)
            elif kind < 0.35 and dtype.kind == "f":
                bounded = line("sin", some(dtype), dtype=dtype)
                line(str(rng.choice(["exp", "cos", "tanh"])), bounded, dtype=dtype)
            elif kind < 0.5:
                line("negative", some(dtype), dtype=dtype)
            else:
                op = str(rng.choice(["add", "subtract", "maximum", "add"]))
                line(op, some(dtype), some(dtype), dtype=dtype)
        for access, dtype in self.targets:
            body.stores.append(Store(some(dtype), access))
        for how, axes, access, dtype in self.results:
            value = some(dtype)
            if how == "prod" and dtype.kind == "f":
                value = line("exp", line("negative", line("fabs", value, dtype=dtype),
                                         dtype=dtype), dtype=dtype)  # fmt: skip
            if number == 0 or rng.random() < 0.7:
                body.folds.append(Fold(value, how, axes, access))
        return body


def verify(drawn, target=None, threads=False, fence=Fenced):
    """The native loop agrees with NumPy's, and touches no memory but its own."""
    expected = [a.copy() for a in drawn.arrays]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scales = evaluate([drawn.loop], drawn.buffers, expected)
    held = [fence(a.size, a.dtype) for a in drawn.arrays]
    for memory, a in zip(held, drawn.arrays, strict=True):
        memory.array[:] = a
    run, made = native([drawn.loop], drawn.buffers, target, threads, fence)
    run(*[memory.array for memory in held])
    eps = 1e-12 if all_double(drawn) else 1e-5
    for k, (memory, want) in enumerate(zip(held, expected, strict=True)):
        assert memory.unharmed(), (drawn, k)
        got = memory.array
        room = eps * (1 + np.abs(want) + scales.get(k, 0)) if want.dtype.kind == "f" else 0
        with np.errstate(invalid="ignore"):
            far = np.abs(got - want) > room if want.dtype.kind != "b" else got != want
        far &= got != want
        far |= np.isnan(got) != np.isnan(want)
        assert not far.any(), (drawn, k, got[far], want[far], made.listing)


def all_double(drawn):
    """Whether nothing in it is float32."""
    dtypes = [b.dtype for b in drawn.buffers]
    dtypes += [i.dtype for nest in drawn.loop.nests for i in nest.body.instrs]
    return F32 not in dtypes


@pytest.mark.parametrize("seed", range(80))
def test_a_random_loop_computes_what_numpy_computes(seed):
    verify(Drawn(seed))


@pytest.mark.parametrize("seed", range(1000, 1040))
@pytest.mark.parametrize("threads", [False, True])
def test_a_large_random_loop_computes_what_numpy_computes_in_chunks(seed, threads):
    verify(Drawn(seed, 300000, LARGE), threads=threads)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("seed", range(2000, 2015))
def test_narrower_registers_compute_the_same(name, seed):
    if machine.architecture() != "x86_64":
        pytest.skip("registers of x86-64")
    if name == "avx2" and not machine.host().has_fma:
        pytest.skip("this CPU has no FMA")
    verify(Drawn(seed), OTHERS[name])


def test_no_loop_reads_or_writes_outside_its_arrays():
    script = "import functools; from test_lower import *\nfor seed in range(3000, 3120):\n"
    script += "    fence = functools.partial(Walled, at_end=seed % 2 == 0)\n"
    script += "    verify(Drawn(seed), fence=fence)\n"
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", script], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_text_is_code_for_aarch64_too():
    drawn = Drawn(1004, 300000, LARGE)
    target = machine.Machine("aarch64-unknown-linux-gnu", "generic", "+neon")
    slots = {k: k for k in range(len(drawn.buffers))}
    assert machine.assemble(lower([drawn.loop], drawn.buffers, slots, target).ir, target)


@pytest.mark.parametrize("seed", range(4000, 4020))
def test_the_fast_code_generator_makes_code_that_computes_the_same(seed, monkeypatch):
    slow = size_of_code(Drawn(4000))
    monkeypatch.setattr(machine, "HUGE", 0)
    verify(Drawn(seed))
    assert size_of_code(Drawn(4000)) != slow


def size_of_code(drawn):
    slots = {k: k for k in range(len(drawn.buffers))}
    return len(machine.assemble(lower([drawn.loop], drawn.buffers, slots, machine.host()).ir))


def test_what_would_take_too_much_of_the_stack_is_refused(monkeypatch):
    monkeypatch.setattr(machine, "HUGE", 10)
    monkeypatch.setattr(machine, "FRAME", 100)
    with pytest.raises(CompileError, match=r"straight stretch of \d+ instructions"):
        size_of_code(Drawn(4000))


# Loops written by hand


def exponentials(count):
    """As many loops, each of which adds exp(x) of one array to the last sum."""
    buffers = [buffer("input", 8, F64), *[buffer("output", 8, F64) for _ in range(count + 1)]]
    loops = []
    for k in range(1, count + 1):
        instrs = lines(("load", (), F64, Access(0, 0, (1,))), ("exp", (0,), F64),
                       ("load", (), F64, Access(k, 0, (1,))), ("add", (1, 2), F64))  # fmt: skip
        body = Body(instrs, [Store(3, Access(k + 1, 0, (1,)))])
        loops.append(Loop((8,), [Nest(((0, 8),), body)]))
    return loops, buffers


def test_a_function_that_many_loops_use_is_written_a_few_times_only():
    loops, buffers = exponentials(100)
    x, outs = np.linspace(-1, 1, 8), np.zeros((101, 8))
    run, made = native(loops, buffers)
    run(x, *outs)
    np.testing.assert_allclose(outs, np.arange(101)[:, None] * np.exp(x), 1e-14)
    assert made.ir.count("@exp.f64.8(") == 1 + 100 - MANY
    assert "@exp" not in native(*exponentials(MANY))[1].ir


def test_regions_of_one_module_are_functions_of_their_own():
    module = Module(machine.host())
    drawn = [Drawn(seed) for seed in range(4000, 4010)]
    kept = [native([d.loop], d.buffers)[1] for d in drawn]
    for k, (d, alone) in enumerate(zip(drawn, kept, strict=True)):
        made = module.add([d.loop], d.buffers, {b: b for b in range(len(d.buffers))}, f"run{k}")
        assert made[1:] == alone[1:]
    code = image.load(image.build(module.text()))
    assert len({code.address(f"run{k}") for k in range(10)}) == 10


def test_all_loops_between_the_calls_of_a_program_are_one_module(monkeypatch):
    def f(x):
        for _ in range(4):
            x = ad.tanh(ad.linalg.inv(x) * 0.5)
        return x

    made = []

    def spy(text, *rest):
        made.append(text)
        return native_code(text, *rest)

    native_code = run.native
    monkeypatch.setattr(run, "native", spy)
    x = np.eye(5) * 3
    np.testing.assert_allclose(ad.compile(f, cache=False)(x), f(x), 1e-12)
    (text,) = made
    assert text.count("define ptr @entry") == 4


def lines(*given):
    """Instrs from (op, args, dtype) or (op, args, dtype, attr)."""
    return [Instr(*line) for line in given]


def buffer(kind, count, dtype):
    return Buffer(kind, 0, (count,), dtype, (dtype.itemsize,))


def folded(x, how, axes=None, threads=False):
    """A fold of a contiguous array by native code."""
    axes = tuple(range(x.ndim)) if axes is None else axes
    steps = tuple([math.prod(x.shape[k + 1 :]) for k in range(x.ndim)])
    shape = tuple([1 if k in axes else n for k, n in enumerate(x.shape)])
    kept = tuple([0 if k in axes else math.prod(shape[k + 1 :]) for k in range(x.ndim)])
    body = Body(lines(("load", (), x.dtype, Access(0, 0, steps))), [],
                [Fold(0, how, axes, Access(1, 0, kept))])  # fmt: skip
    loop = Loop(x.shape, [Nest(tuple([(0, n) for n in x.shape]), body)])
    count = math.prod(shape)
    buffers = [buffer("input", x.size, x.dtype), buffer("output", count, x.dtype)]
    out = np.full(count, 77, x.dtype)
    run, made = native([loop], buffers, threads=threads)
    run(np.ascontiguousarray(x), out)
    return out, made


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8, 9, 63, 64, 65, 1000, 100003])
@pytest.mark.parametrize(
    "how, dtype",
    [(how, dtype) for how in ("sum", "prod", "max", "min") for dtype in (F64, F32, I64, I32)]
    + [("any", BOOL), ("all", BOOL)],
)
def test_every_fold_of_every_dtype_is_numpys(n, how, dtype):
    n += how in ("max", "min") and not n
    x = (np.random.default_rng(n).integers(-9, 9, n) / 8).astype(dtype)  # sums are exact
    if how == "prod":
        x = np.random.default_rng(n).choice([-1, 1, 1, -1], n).astype(dtype)
        x[-1:] = 5
    if how == "all":
        x[:-1] = True
    assert folded(x, how)[0] == FOLDS[how].reduce(x, dtype=dtype)


@pytest.mark.parametrize("place", [0, 5, 99, 4242, 99999])
@pytest.mark.parametrize("how", ["max", "min", "sum", "prod"])
def test_one_nan_is_never_lost(place, how):
    x = np.linspace(-1, 1, 100000)
    x[place] = np.nan
    assert np.isnan(folded(x, how)[0])


@pytest.mark.parametrize("n", [1, 3, 8, 100, 40000])
def test_a_sum_of_negative_zeros_is_signed_as_numpys(n):
    x = np.full(n, -0.0)
    assert np.signbit(folded(x, "sum")[0]) == np.signbit(x.sum())
    assert np.signbit(folded(x, "max")[0])


@pytest.mark.parametrize("shape", [(1000003,), (1000, 997), (50001, 20), (3, 300001), (100001, 3)])
def test_sums_are_as_exact_as_numpys(shape):
    x = np.random.default_rng(0).uniform(-1, 1, shape)
    for axes in [(0,), (1,), (0, 1)][: 3 if len(shape) > 1 else 1]:
        exact = x.astype("g").sum(axes).ravel()
        scale = np.abs(x).sum(axes).ravel()
        assert (np.abs(folded(x, "sum", axes)[0] - exact) <= 1e-14 * scale).all()
        single = x.astype(F32)
        exact = single.astype("g").sum(axes).ravel()
        error = np.abs(folded(single, "sum", axes)[0] - exact) / scale
        assert error.max() <= max(
            2e-7, 2 * (np.abs(single.sum(axes).ravel() - exact) / scale).max()
        )


@pytest.mark.parametrize("seed", range(5))
def test_partial_sums_in_single_precision_are_added_in_double(seed):
    # The sum of a chunk is exact, that of two no more.
    x = np.random.default_rng(seed).integers(1000, 1024, 2_000_000).astype(F32)
    assert folded(x, "sum")[0] == F32.type(x.sum(dtype=np.float64))


def test_large_nests_fold_onto_one_result():
    # As the sum of what was joined along an axis.
    n, extents = 40000, (3, 80000)
    folds = [Fold(1, "sum", (1,), Access(2, 0, (1, 0)))]
    folds.append(Fold(1, "max", (0, 1), Access(3, 0, (0, 0))))
    first, second = [
        Body(lines(("load", (), F64, Access(k, -n * k, (n, 1))), ("exp", (0,), F64)), [], folds)
        for k in (0, 1)
    ]
    loop = Loop(extents, [Nest(((0, 3), (0, n)), first), Nest(((0, 3), (n, 2 * n)), second)])
    counts = dict(input=3 * n, output=3)
    buffers = [buffer(k, counts[k], F64) for k in ("input", "input", "output", "output")]
    x, y = np.random.default_rng(0).normal(size=(2, 3, n))
    total, most = np.full(3, np.nan), np.full(1, np.nan)
    run, made = native([loop], buffers)
    run(np.ascontiguousarray(x), np.ascontiguousarray(y), total, most)
    both = np.exp(np.concatenate([x, y], 1))
    np.testing.assert_allclose(total, both.sum(1), rtol=1e-13)
    np.testing.assert_allclose(most[0], both.max(), rtol=1e-15)
    assert made.listing.count("chunks") == 2


@pytest.mark.parametrize("dtype", [F64, F32])
def test_the_number_of_threads_changes_no_bit(dtype):
    x = np.random.default_rng(1).normal(size=(700, 3001)).astype(dtype)
    for axes in [(0,), (1,), (0, 1)]:
        alone, _ = folded(x, "sum", axes)
        together, made = folded(x, "sum", axes, threads=True)
        assert made.parallel
        assert alone.tobytes() == together.tobytes()


def test_a_loop_reads_what_an_earlier_one_folded():
    n = 50000
    total = Body(lines(("load", (), F64, Access(0, 0, (1,)))), [],
                 [Fold(0, "sum", (0,), Access(1, 0, (0,)))])  # fmt: skip
    scaled = Body(
        lines(("load", (), F64, Access(0, 0, (1,))), ("load", (), F64, Access(1, 0, (0,))),
              ("divide", (0, 1), F64)),
        [Store(2, Access(2, 0, (1,)))],
    )  # fmt: skip
    loops = [Loop((n,), [Nest(((0, n),), body)]) for body in (total, scaled)]
    buffers = [buffer("input", n, F64), buffer("scratch", 1, F64), buffer("output", n, F64)]
    x, out = np.arange(1.0, n + 1), np.zeros(n)
    run, made = native(loops, buffers)
    run(x, np.zeros(1), out)
    np.testing.assert_array_equal(out, x / x.sum())
    assert len(made.listing.splitlines()) == 2


def recurrence(turns, steps):
    """x <- sin(x) a + x, so many times, and the derivative: a body of 7 lines a turn."""
    given = [("load", (), F64, Access(0, 0, steps)), ("constant", (), F64, 0.5)]
    given.append(("constant", (), F64, 1.0))
    x, g, seen = 0, 2, []

    def line(*what):
        given.append(what)
        return len(given) - 1

    for _ in range(turns):
        seen.append(x)
        x = line("add", (line("multiply", (line("sin", (x,), F64), 1), F64), x), F64)
    for y in reversed(seen):
        slope = line("multiply", (line("cos", (y,), F64), 1), F64)
        g = line("add", (line("multiply", (g, slope), F64), g), F64)
    return Body(lines(*given), [Store(x, Access(1, 0, steps)), Store(g, Access(2, 0, steps))])


@pytest.mark.parametrize("turns", [3, 9, 40, 300, 3000])
@pytest.mark.parametrize("n", [None, 5, 4001])
def test_an_unrolled_recurrence_is_rolled_again(turns, n):
    extents = () if n is None else (n,)
    body = recurrence(turns, (1,) * len(extents))
    loop = Loop(extents, [Nest(tuple([(0, m) for m in extents]), body)])
    kinds = ("input", "output", "output")
    run, made = native([loop], [buffer(kind, n or 1, F64) for kind in kinds], threads=True)
    x = np.linspace(0.1, 0.4, n or 1)
    y, g = np.zeros_like(x), np.zeros_like(x)
    run(x, y, g)
    want, slope, seen = x, np.ones_like(x), []
    for _ in range(turns):
        seen.append(want)
        want = np.sin(want) * 0.5 + want
    for value in reversed(seen):
        slope = slope * (np.cos(value) * 0.5) + slope
    np.testing.assert_allclose(y, want, rtol=1e-12)
    np.testing.assert_allclose(g, slope, rtol=1e-9, atol=1e-300)
    assert made.ir.count("\n") < 2500
    assert not made.parallel or turns < 3000  # one tape for all chunks


def test_a_loop_that_stores_twice_in_one_place_is_refused():
    body = Body(lines(("load", (), F64, Access(0, 0, (1,)))), [Store(0, Access(1, 0, (0,)))])
    buffers = [buffer("input", 64, F64), buffer("output", 1, F64)]
    with pytest.raises(CompileError, match="one place"):
        lower([Loop((64,), [Nest(((0, 64),), body)])], buffers, {0: 0, 1: 1}, machine.host())
