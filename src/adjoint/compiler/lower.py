"""Loops become functions of LLVM IR: large nests in chunks, the results of chunks combined.

A nest is cut along one axis into chunks whose number depends on its sizes and its body alone, so
results are the same bits for any number of threads. A fold over that axis has partial results in
scratch memory, one for each chunk, which are combined afterwards, those of float32 in float64.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .emit import Builder, Value, lane_kind
from .kernel import Access, Body, Branch, Buffer, Fold, Instr, Loop, Nest, Step, Store
from .lanes import IDENTITY
from .walk import FUNCTIONS, Bound, Form, Function, Walk, form_of, sizes, start_of

CHUNK = 16384  # elements of a chunk; fewer where that takes longer than CHUNK_TIME
CHUNK_TIME = 40e3  # ns
THREADED = 60e3  # ns from which on chunks are handed to the pool
ROW = 2048  # indices along the axis of the lanes, least in a chunk of many rows
PART = 1000  # lines of a function that is run once, about: LLVM takes n² time for n of them
SHARE = 8  # elements of a chunk for each one of its partial results, at least


class Lowered(NamedTuple):
    """What became of one region, `void @run(ptr %slots)`.

    ir             the text that defines it; "" where that is the module's, which is under way
    slots          length of the array of slots: those given, then one of scratch memory if
                   `scratch_bytes` is not 0, then the pool's if `parallel`
    scratch_bytes  memory needed besides the buffers, aligned to 64
    parallel       whether it calls the pool
    cost           estimate of one run in ns, by one thread
    listing        a line for each nest: its extents, how it is walked, its chunks
    """

    ir: str
    slots: int
    scratch_bytes: int
    parallel: bool
    cost: float
    listing: str


class Partial(NamedTuple):
    """Where partial results are in scratch memory: bytes from its start, and of each chunk."""

    offset: int
    bytes: int


class Cut(NamedTuple):
    """Chunks of `block` indices of `axis`; the last one also has what is left over."""

    axis: int
    block: int
    chunks: int


def lower(
    steps: Sequence[Step], buffers: Sequence[Buffer], slots: dict[int, int], machine: Any,
    threads: bool = True,
) -> Lowered:  # fmt: skip
    """The module of these loops and branches, run one after another.

    slots    by buffer its place in the array of pointers that `@run` is given
    machine  what the code is for: `lanes_bytes`, `has_fma` and `triple` are read
    threads  whether the pool may be called

    Inputs are not written, and what a loop stores overlaps nothing else that it reads or writes.
    """
    module = Module(machine, threads)
    lowered = module.add(steps, buffers, slots)
    return lowered._replace(ir=module.text())


class Module:
    """The functions of some regions while they are written, and what these have in common."""

    def __init__(self, machine: Any, threads: bool = True) -> None:
        self.machine, self.threads = machine, threads
        self.declarations: set[str] = set()
        self.constants: list[str] = []
        self.functions: list[str] = []
        self.helpers: dict[Any, tuple[str, str]] = {}
        self.uses: Counter[str] = Counter()  # of transcendental functions, in all bodies so far

    def add(
        self, steps: Sequence[Step], buffers: Sequence[Buffer], slots: dict[int, int],
        name: str = "run",
    ) -> Lowered:  # fmt: skip
        """Write a region, a function of this name; its arguments are those of `lower`."""
        region = Region(self, buffers, slots, name)
        region.steps(steps)
        return region.lowered()

    def text(self) -> str:
        """The finished module."""
        parts = [*sorted(self.declarations), *self.constants, *self.functions]
        return "\n".join([*parts, "!0 = !{}", ""])

    def helper(self, ops: tuple[str, ...], kinds: Sequence[str], lanes: int) -> tuple[str, str]:
        """A function that is not inlined: `@name`, and the kind of its result.

        It computes an op of arguments of these kinds; of several ops all results together.
        """
        key = (ops, *kinds, lanes)
        if key not in self.helpers:
            machine = self.machine
            b = Builder(lanes, fma=machine.has_fma, target=machine.triple.split("-")[0])
            b.declarations = self.declarations
            args = [Value(f"%x{k}", kind) for k, kind in enumerate(kinds)]
            outs = [FUNCTIONS[op](b, *args) for op in ops]
            kind, type_, result = outs[0].kind, b.type(outs[0].kind), outs[0].name
            if len(outs) > 1:
                type_, result = f"{{ {', '.join([type_] * len(outs))} }}", "poison"
                for k, x in enumerate(outs):
                    result = b.emit(f"insertvalue {type_} {result}, {b.typed(x)}, {k}", kind).name
            symbol = f"@{'.'.join([*ops, *kinds])}.{lanes}"
            given = ", ".join(map(b.typed, args))
            self.functions += [
                f"define internal {type_} {symbol}({given}) noinline nounwind {{",
                "entry:", *b.lines, f"  ret {type_} {result}", "}",
            ]  # fmt: skip
            self.helpers[key] = symbol, kind
        return self.helpers[key]


class Region:
    """The functions of one region while they are written, and the memory they need."""

    def __init__(
        self, module: Module, buffers: Sequence[Buffer], slots: dict[int, int], name: str
    ) -> None:
        self.module, self.name = module, name
        self.buffers, self.slots, self.machine = list(buffers), slots, module.machine
        self.scratch = max(slots.values(), default=-1) + 1  # the slot
        self.partials: dict[int, Partial] = {}
        self.free, self.shared = 0, False  # scratch memory, in the nest under way
        self.scratch_bytes, self.cost, self.parallel = 0, 0.0, False
        self.listing: list[str] = []
        self.run = Function(self, f"{name}.part0")  # the part under way
        self.parts = [self.run]
        self.inside = 0  # branches, which are not cut into parts

    def lowered(self) -> Lowered:
        """The finished region."""
        slots = self.scratch + (self.scratch_bytes > 0)
        if self.parallel:
            for part in self.parts:
                pool = part.slot(slots)
                part.head += [
                    f"  %pool.run = load ptr, ptr {pool}, align 8",
                    f"  %pool.state.at = getelementptr ptr, ptr {pool}, i64 1",
                    "  %pool.state = load ptr, ptr %pool.state.at, align 8",
                ]
            slots += 1
        run, functions = self.run, self.module.functions
        if len(self.parts) > 1:
            run = Function(self, self.name)
            for part in self.parts:
                functions.append(part.text(f"internal void @{part.name}(ptr %slots) noinline"))
                run.raw(f"call void @{part.name}(ptr %slots)")
        functions.append(run.text(f"void @{self.name}(ptr %slots)"))
        listing = "\n".join(self.listing)
        return Lowered("", slots, self.scratch_bytes, self.parallel, self.cost, listing)

    def base(self, b: Function, buffer: int) -> str:
        """The data pointer of a buffer in a function; of partial results, those of its chunk."""
        if buffer not in self.partials:
            return b.slot(self.slots[buffer])
        return b.memory(self.scratch, *self.partials[buffer])

    def reserve(self, size: int) -> int:
        """Where `size` bytes of scratch memory begin that the nest has for itself."""
        offset, self.free = self.free, self.free + -(-size // 64) * 64
        self.scratch_bytes = max(self.scratch_bytes, self.free)
        return offset

    def tape(self, b: Function, size: int) -> str:
        """A pointer to scratch memory of which there is one for all chunks."""
        self.shared = True
        return b.memory(self.scratch, self.reserve(size), 0)

    def steps(self, steps: Sequence[Step]) -> None:
        """Loops and branches in order."""
        for step in steps:
            if isinstance(step, Branch):
                self.branch(step)
                continue
            assert isinstance(step, Loop)
            if len(self.run.lines) > PART and not self.inside:
                self.run = Function(self, f"{self.name}.part{len(self.parts)}")
                self.parts.append(self.run)
            self.loop(step)

    def branch(self, branch: Branch) -> None:
        """One side or the other; the cost is that of the dearer one."""
        b, name = self.run, self.run.fresh()
        at = self.base(b, branch.buffer)
        truth = b.emit(f"load i8, ptr {at}, align 1", "u8", fresh=True).name
        yes = b.emit(f"icmp ne i8 {truth}, 0", "i1", fresh=True).name
        b.raw(f"br i1 {yes}, label %{name}.1, label %{name}.0")
        before, most = self.cost, 0.0
        self.inside += 1
        for k, side in enumerate(branch.sides):
            b.label(f"{name}.{k}")
            self.cost = before
            with b.scope():
                self.steps(side)
            most = max(most, self.cost)
            b.raw(f"br label %{name}.end")
        self.inside -= 1
        self.cost = most
        b.label(f"{name}.end")

    def loop(self, loop: Loop) -> None:
        """All nests of a loop; where none folds anything in, the result is the identity."""
        begun: set[Access] = set()
        for nest in loop.nests:
            if all(sizes(nest)):
                fresh = {fold.access for fold in nest.body.folds} - begun
                self.nest(nest, loop.extents, fresh)
                begun |= fresh
        for fold in {f.access: f for nest in loop.nests for f in nest.body.folds}.values():
            if fold.access not in begun:
                self.fill(self.run, fold, loop.extents)

    def nest(self, nest: Nest, extents: tuple[int, ...], fresh: set[Access]) -> None:
        """A nest, whole or in chunks; the results of `fresh` folds are not yet in memory."""
        self.free, self.shared = 0, False
        form = form_of(nest, self.buffers, self.machine)
        cut = cut_of(nest, form)
        if cut is None:
            self.place(self.run, nest, form, {}, extents, fresh)
        else:
            self.chunked(nest, form, cut, extents, fresh)
        self.cost += form.cost
        self.listing.append(described(nest, form, cut))

    def place(
        self, b: Function, nest: Nest, form: Form, bounds: dict[int, tuple[Bound, Bound]],
        extents: tuple[int, ...], fresh: set[Access],
    ) -> None:  # fmt: skip
        """Write a nest into a function, after the identities that it folds onto."""
        direct = set()
        for k, fold in enumerate(nest.body.folds):
            if fold.access in fresh:
                if is_direct(nest, form, fold, extents):
                    direct.add(k)
                else:
                    self.fill(b, fold, extents)
        Walk(b, nest, form, bounds, direct).write()

    def fill(self, b: Function, fold: Fold, extents: tuple[int, ...]) -> None:
        """Write the identity of a fold wherever it has a result."""
        dtype = self.buffers[fold.access.buffer].dtype
        identity = Instr("constant", (), dtype, IDENTITY[fold.how](lane_kind(dtype)))
        body = Body([identity], [Store(0, fold.access)])
        if all(extents_kept := kept(fold, extents)):
            nest = Nest(tuple([(0, n) for n in extents_kept]), body)
            Walk(b, nest, form_of(nest, self.buffers, self.machine), {}, set()).write()

    def chunked(
        self, nest: Nest, form: Form, cut: Cut, extents: tuple[int, ...], fresh: set[Access]
    ) -> None:
        """A function of the chunk, and its calls; then partial results are combined."""
        folds, partial = [], []
        for fold in nest.body.folds:
            if cut.axis in fold.axes:
                folds.append(self.partial(fold, nest.body.instrs[fold.value].dtype, cut, extents))
                partial.append((fold, folds[-1]))
            else:
                if fold.access in fresh and not is_direct(nest, form, fold, extents):
                    self.fill(self.run, fold, extents)
                    fresh = fresh - {fold.access}
                folds.append(fold)
        inner = Nest(nest.box, Body(nest.body.instrs, nest.body.stores, folds))
        kernel = Function(self, f"{self.name}.chunk{len(self.listing)}", "%chunk")
        start, stop = nest.box[cut.axis]
        before = kernel.emit(f"mul i64 %chunk, {cut.block}", "i64").name
        low = kernel.emit(f"add i64 {before}, {start}", "i64").name
        after = kernel.emit(f"add i64 {low}, {cut.block}", "i64").name
        last = kernel.emit(f"icmp eq i64 %chunk, {cut.chunks - 1}", "i1").name
        high = kernel.emit(f"select i1 {last}, i64 {stop}, i64 {after}", "i64").name
        begun = fresh | {f.access for _, f in partial}
        self.place(kernel, inner, form, {cut.axis: (low, high)}, extents, begun)
        signature = f"internal void @{kernel.name}(ptr %slots, i64 %chunk)"
        self.module.functions.append(kernel.text(signature))
        parallel = self.module.threads and not self.shared and form.cost > THREADED
        self.dispatch(kernel, cut.chunks, parallel)
        for fold, part in partial:
            self.combine(fold, part, cut, extents, fold.access in fresh)

    def dispatch(self, kernel: Function, chunks: int, parallel: bool) -> None:
        """All chunks: by the pool, or one after another."""
        run = self.run
        if parallel:
            self.parallel = True
            arguments = f"ptr %pool.state, ptr @{kernel.name}, ptr %slots, i64 {chunks}"
            run.raw(f"call void %pool.run({arguments})")
            return

        def one(i: str, held: Any) -> Any:
            run.raw(f"call void @{kernel.name}(ptr %slots, i64 {i})")
            return held

        run.counted(0, chunks, 1, {}, one)

    def partial(self, fold: Fold, dtype: np.dtype, cut: Cut, extents: tuple[int, ...]) -> Fold:
        """The fold of one chunk, into scratch memory in the order of the axes that are kept.

        Chunks that write more than one number stay on cache lines of their own.
        """
        shape = kept(fold, extents)
        size = math.prod(shape) * dtype.itemsize
        if size > dtype.itemsize:
            size = -(-size // 64) * 64
        steps = tuple([
            0 if k in fold.axes else math.prod(shape[k + 1 :]) for k in range(len(shape))
        ])  # fmt: skip
        buffer = len(self.buffers)
        self.buffers.append(Buffer("scratch", None, shape, dtype, ()))
        self.partials[buffer] = Partial(self.reserve(size * cut.chunks), size)
        return Fold(fold.value, fold.how, fold.axes, Access(buffer, 0, steps))

    def combine(
        self, fold: Fold, part: Fold, cut: Cut, extents: tuple[int, ...], fresh: bool
    ) -> None:
        """Fold the partial results of all chunks, in an order of its own but always the same."""
        buffer, rank = part.access.buffer, len(extents)
        dtype = self.buffers[buffer].dtype
        step = self.partials[buffer].bytes // dtype.itemsize
        instrs = [Instr("load", (), dtype, Access(buffer, 0, (*part.access.steps, step)))]
        if dtype == np.float32 and fold.how in ("sum", "prod"):
            instrs.append(Instr("cast", (0,), np.dtype(np.float64)))
        access = Access(fold.access.buffer, fold.access.offset, (*fold.access.steps, 0))
        whole = Fold(len(instrs) - 1, fold.how, (rank,), access)
        shape = (*kept(fold, extents), cut.chunks)
        nest = Nest(tuple([(0, n) for n in shape]), Body(instrs, [], [whole]))
        form = form_of(nest, self.buffers, self.machine)
        self.place(self.run, nest, form, {}, shape, {access} if fresh else set())


def kept(fold: Fold, extents: tuple[int, ...]) -> tuple[int, ...]:
    """The extents of a fold's result: 1 along the axes that are folded."""
    return tuple([1 if k in fold.axes else n for k, n in enumerate(extents)])


def is_direct(nest: Nest, form: Form, fold: Fold, extents: tuple[int, ...]) -> bool:
    """Whether a nest computes each result of a fold at once, and all results of the loop."""
    outer = form.order[: start_of(form, fold.axes)]
    whole = all(nest.box[k] == (0, n) for k, n in enumerate(extents) if k not in fold.axes)
    return whole and not set(outer) & set(fold.axes)


def cut_of(nest: Nest, form: Form) -> Cut | None:
    """How a nest is cut: along its outermost axis, unless another makes far more chunks."""
    n = sizes(nest)
    total = math.prod(n)
    target = min(CHUNK, max(1024, int(CHUNK_TIME * total / form.cost)))
    best = None
    for axis in form.order:
        others = total // n[axis]
        partial = sum([math.prod(kept(f, n)) for f in nest.body.folds if axis in f.axes])
        block = max(1, target // others, -(-SHARE * partial // others))
        if axis == form.vector:
            turn = form.lanes * form.unroll
            block = -(-max(block, ROW if others > 1 else 1) // turn) * turn
        chunks = n[axis] // block
        if chunks > 1 and (best is None or chunks > 2 * best.chunks):
            best = Cut(axis, block, chunks)
    return best


def described(nest: Nest, form: Form, cut: Cut | None) -> str:
    """A nest in one line."""
    shape = " x ".join(map(str, sizes(nest))) or "scalar"
    parts = [f"{len(nest.body.instrs)} lines"]
    if form.order:
        parts.append(f"{form.lanes} lanes of axis {form.vector}")
    if form.unroll > 1:
        parts.append(f"{form.unroll} vectors a turn")
    if cut is not None:
        parts.append(f"{cut.chunks} chunks of axis {cut.axis}")
    return f"{shape}: {', '.join(parts)}, about {form.cost / 1000:.3g} us"
