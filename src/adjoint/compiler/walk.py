"""One nest of a loop as LLVM IR: its axes in a chosen order, W indices of one of them at a time.

What does not vary along the axis of the lanes is scalar, and whatever does not depend on inner
loops is computed outside of them. Where an axis is no multiple of W its last vector overlaps the
one before it: stores write the same numbers again, and folds mask the lanes that were counted. So
no access leaves its array, and the body is written once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..errors import CompileError
from .emit import SCALARS, Builder, Value, lane_kind, literal
from .kernel import Access, Instr, Nest
from .lanes import COMBINE, IDENTITY, LANES, cast, horizontal
from .reroll import Rolled, emit_items, reroll, tape_bytes
from .vector_math import VECTOR_MATH

FUNCTIONS = LANES | VECTOR_MATH
PAIR = ("sin", "cos")  # computed together

# Costs count instructions on one register; a machine does RATE of them in a nanosecond, in scalar
# code, which waits for results, SCALAR_RATE, and moves BANDWIDTH bytes from and to memory.
SLOW = dict(divide=8, reciprocal=8, sqrt=8, remainder=40, floor_divide=40, fmod=40, pow=80)
TRANSCENDENTAL = 25
RATE, SCALAR_RATE, BANDWIDTH = 5.0, 1.0, 30.0
CACHED = 1 << 20  # bytes that do not go to memory

MOST_LANES = 64
SHORT = 8  # vectors along an axis up to which no loop is written for it
LONG = 200  # instrs, above which they are not written out often, and repetitions looked for
FREQUENT = 6  # uses of a transcendental function in a body above which it is called, not inlined
MANY = 16  # the same of all bodies of a module, up to the one that is written
STACK = 1 << 17  # bytes of tapes of re-rolled code that may lie on the stack


class Form(NamedTuple):
    """How a nest is walked.

    order        the axes that have more than one index, outermost first
    vector       the one whose indices are the lanes; -1 in scalar code
    lanes        how many at a time: a power of two, not above the extent of that axis
    unroll       vectors in one turn of its loop
    written_out  whether its few vectors follow each other without a loop
    cost         estimate in ns
    """

    order: tuple[int, ...]
    vector: int
    lanes: int = 1
    unroll: int = 1
    written_out: bool = False
    cost: float = 0.0


class Index(NamedTuple):
    """A loop index: an i64 of the text, or "" for none, plus a number."""

    name: str
    shift: int


Bound = int | str  # a number, or an i64 of the text
Held = dict[Any, Value]  # accumulators, by fold and number


def kind_in_memory(dtype: np.dtype) -> str:
    """The kind of an element in memory, where a bool is a byte."""
    return "u8" if dtype.kind == "b" else lane_kind(dtype)


def sizes(nest: Nest) -> tuple[int, ...]:
    """How many indices a nest has along each axis."""
    return tuple([stop - start for start, stop in nest.box])


def price(op: str) -> float:
    """Instructions that an op takes on one register, about."""
    if op in ("load", "constant", "index"):
        return 0
    return SLOW.get(op, 1 if op in LANES or op == "cast" else TRANSCENDENTAL)


def axes_of(instrs: Sequence[Instr], rank: int) -> list[frozenset[int]]:
    """By line, the axes along which its value varies."""
    none: frozenset[int] = frozenset()
    if not rank:
        return [none] * len(instrs)
    found: list[frozenset[int]] = []
    for op, args, _, attr in instrs:
        if op == "load":
            found.append(frozenset([k for k in range(rank) if attr.steps[k]]))
        elif op == "index":
            found.append(frozenset([attr]))
        else:
            found.append(none.union(*[found[a] for a in args]))
    return found


def depths_of(axes: Sequence[frozenset[int]], order: tuple[int, ...]) -> list[int]:
    """By line, how many loops it is computed inside of: those around the innermost of its axes."""
    depth = {
        varies: max([d + 1 for d, axis in enumerate(order) if axis in varies], default=0)
        for varies in set(axes)
    }
    return [depth[varies] for varies in axes]


def touched(access: Access, n: tuple[int, ...]) -> int:
    """How many elements an access reaches, in a box of `n` indices."""
    return math.prod([m for m, step in zip(n, access.steps, strict=True) if step])


def start_of(form: Form, axes: tuple[int, ...]) -> int:
    """How many loops are outside of the accumulators of a fold over `axes`, which are registers.

    All loops inside are folded, but for that of the lanes if it is innermost and written out: then
    each of its vectors has an accumulator.
    """
    depth = len(form.order)
    if form.written_out and form.order[-1] == form.vector and form.vector not in axes:
        depth -= 1
    while depth and form.order[depth - 1] in axes:
        depth -= 1
    return depth


def form_of(nest: Nest, buffers: Sequence[Any], machine: Any) -> Form:
    """The cheapest order of the axes, and the axis of the lanes; the given one unless others win.

    An axis takes the lanes in its place, or as the innermost one.
    """
    order = tuple([k for k, n in enumerate(sizes(nest)) if n > 1])
    if not order:
        return priced(nest, order, -1, buffers, machine)
    forms = [priced(nest, order, order[-1], buffers, machine)]
    for axis in order[:-1]:
        moved = (*[k for k in order if k != axis], axis)
        forms += [priced(nest, o, axis, buffers, machine) for o in (order, moved)]
    best = min(forms, key=lambda form: form.cost)
    return best if best.cost < 0.8 * forms[0].cost else forms[0]


def priced(
    nest: Nest, order: tuple[int, ...], vector: int, buffers: Sequence[Any], machine: Any
) -> Form:
    """The form of this order and axis of lanes, with its cost."""
    body, n = nest.body, sizes(nest)
    loads = [i.attr for i in body.instrs if i.op == "load"]
    stores = [s.access for s in body.stores]
    widest = max(
        [i.dtype.itemsize for i in body.instrs]
        + [buffers[a.buffer].dtype.itemsize for a in stores],
        default=8,
    )
    full = min(MOST_LANES, 2 * machine.lanes_bytes // widest)
    lanes = 1 if vector < 0 else min(full, 1 << n[vector].bit_length() - 1)
    registers = max(1.0, 2 * lanes / full)
    trips = [1]
    for axis in order:
        trips.append(trips[-1] * (-(-n[axis] // lanes) if axis == vector else n[axis]))

    def moving(access: Access) -> float:
        step = 0 if vector < 0 else access.steps[vector]
        return {0: 1.0, 1: registers, -1: 2 * registers}.get(step, 1.5 * lanes)

    axes = axes_of(body.instrs, len(n))
    depths = depths_of(axes, order)
    each = [
        moving(instr.attr)
        if instr.op == "load"
        else price(instr.op) * (registers if vector in varies else 1)
        for instr, varies in zip(body.instrs, axes, strict=True)
    ]
    cost = 3.0 * sum(trips) + sum([one * trips[d] for one, d in zip(each, depths, strict=True)])
    cost += sum([moving(access) * trips[-1] for access in stores])
    form = Form(order, vector, lanes)
    if order:
        inside = [one for one, d in zip(each, depths, strict=True) if d == len(order)]
        form = arranged(form, -(-n[vector] // lanes), len(inside), sum(inside) / registers)
    for fold in body.folds:
        ends = 3.0 + (4 * math.log2(lanes) if vector in fold.axes else 0)
        ends += 2 * moving(fold.access)
        cost += registers * trips[-1] + ends * trips[start_of(form, fold.axes)]
    bytes_moved = {(a.buffer, a.steps): touched(a, n) * buffers[a.buffer].dtype.itemsize
                   for a in loads + stores}  # fmt: skip
    ns = cost / (RATE if lanes > 1 else SCALAR_RATE)
    return form._replace(cost=max(ns, (sum(bytes_moved.values()) - CACHED) / BANDWIDTH))


def arranged(form: Form, count: int, lines: int, weight: float) -> Form:
    """The form with its `count` vectors written out, or several of them in a turn.

    The body has `lines` lines in the innermost loop, of `weight` instructions for each register.
    """
    inner = form.order[-1] == form.vector
    if count == 1 or (inner and count <= SHORT and count * lines <= LONG):
        return form._replace(written_out=True)
    return form._replace(unroll=1 if not inner or weight > 20 else 2 if weight > 8 else 4)


class Function(Builder):
    """The text of one function of the slots; how many lanes it writes changes as it goes."""

    def __init__(self, region: Any, name: str, chunk: str = "") -> None:
        machine = region.machine
        super().__init__(1, fma=machine.has_fma, target=machine.triple.split("-")[0])
        self.region, self.name, self.chunk = region, name, chunk
        self.head: list[str] = []
        self.slots: set[int] = set()
        self.declarations = region.module.declarations

    @contextmanager
    def width(self, lanes: int) -> Iterator[None]:
        """Within it values have so many lanes."""
        before = self.lanes, self.types
        wide = {k: t if lanes == 1 else f"<{lanes} x {t}>" for k, t in SCALARS.items()}
        self.lanes, self.types = lanes, wide
        try:
            yield
        finally:
            self.lanes, self.types = before

    def slot(self, place: int) -> str:
        """The pointer in a slot, read where the function begins."""
        name = f"%slot{place}"
        if place not in self.slots:
            self.slots.add(place)
            self.head += [
                f"  {name}.at = getelementptr ptr, ptr %slots, i64 {place}",
                f"  {name} = load ptr, ptr {name}.at, align 8, !invariant.load !0",
            ]
        return name

    def memory(self, scratch: int, offset: int, size: int) -> str:
        """A pointer into scratch memory, which has `size` bytes for each chunk."""
        at = f"i8, ptr {self.slot(scratch)}, i64 {offset}"
        if self.chunk and size:
            before = self.emit(f"mul i64 {self.chunk}, {size}", "i64").name
            first = self.emit(f"getelementptr {at}", "ptr").name
            at = f"i8, ptr {first}, i64 {before}"
        return self.emit(f"getelementptr {at}", "ptr").name

    def call(self, op: str, args: tuple[Value, ...], paired: bool) -> Value:
        """A function of `FUNCTIONS` called, rather than its text once more.

        Where sine and cosine are `paired` one call computes both of an argument.
        """
        pair = PAIR if paired and op in PAIR else (op,)
        symbol, kind = self.region.module.helper(pair, [x.kind for x in args], self.lanes)
        result = self.type(kind)
        if len(pair) > 1:
            result = f"{{ {', '.join([result] * len(pair))} }}"
        given = ", ".join(map(self.typed, args))
        out = self.emit(f"call {result} {symbol}({given})", kind)
        if len(pair) > 1:
            out = self.emit(f"extractvalue {result} {out.name}, {pair.index(op)}", kind)
        return out

    def counted(
        self, start: Bound, stop: Bound, step: int, held: Held,
        turn: Callable[[str, Held], Held],
    ) -> Held:  # fmt: skip
        """A loop of `turn(i, held) -> held`, perhaps of no turn; what is held at its end."""
        name, before = self.fresh(), self.block
        i = f"%{name}.i"
        inside = {k: Value(f"%{name}.h{n}", x.kind) for n, (k, x) in enumerate(held.items())}
        self.raw(f"br label %{name}.head")
        self.label(f"{name}.head")
        phis = len(self.lines)
        self.raw(f"%{name}.more = icmp slt i64 {i}, {stop}")
        self.raw(f"br i1 %{name}.more, label %{name}.body, label %{name}.end")
        self.label(f"{name}.body")
        with self.scope():
            after = turn(i, inside)
        self.raw(f"%{name}.next = add nsw i64 {i}, {step}")
        self.raw(f"br label %{name}.head")
        self.lines[phis:phis] = [
            f"  {i} = phi i64 [ {start}, %{before} ], [ %{name}.next, %{self.block} ]"
        ] + [
            f"  {x.name} = phi {self.type(x.kind)}"
            f" [ {held[k].name}, %{before} ], [ {after[k].name}, %{self.block} ]"
            for k, x in inside.items()
        ]
        self.label(f"{name}.end")
        return inside

    def text(self, signature: str) -> str:
        """The whole function."""
        return "\n".join([f"define {signature} nounwind {{", "entry:", *self.head, *self.lines,
                          "  ret void", "}"])  # fmt: skip


class Walk:
    """One nest being written into a function.

    bounds   by axis where its loop begins and ends, if that is not all of the box
    direct   places of the folds whose result is stored, not combined with what memory holds
    """

    def __init__(
        self, b: Function, nest: Nest, form: Form,
        bounds: dict[int, tuple[Bound, Bound]], direct: set[int],
    ) -> None:  # fmt: skip
        self.b, self.nest, self.form, self.direct = b, nest, form, direct
        self.instrs, self.stores, self.folds = nest.body.instrs, nest.body.stores, nest.body.folds
        self.bounds = dict(enumerate(nest.box)) | bounds
        self.index = {k: Index("", lo) for k, (lo, hi) in enumerate(nest.box)}
        self.values: list[Any] = [None] * len(self.instrs)
        self.mask: Value | None = None
        axes = axes_of(self.instrs, len(nest.box))
        self.wide = [form.lanes > 1 and form.vector in a for a in axes]
        self.starts = [start_of(form, f.axes) for f in self.folds]
        self.part = 0  # which one of the vectors written out
        self.items: list[Any] = self.rolled()
        self.stages: list[list[int]] = [[] for _ in range(len(form.order) + 1)]
        for place, depth in enumerate([] if self.items else depths_of(axes, form.order)):
            self.stages[depth].append(place)
        self.accesses = list(
            dict.fromkeys(
                [i.attr for i in self.instrs if i.op == "load"]
                + [s.access for s in self.stores]
                + [f.access for f in self.folds]
            )
        )
        # Scalars that vectors are made of: the splat belongs where the scalar is computed.
        used = [a for p, i in enumerate(self.instrs) if self.wide[p] for a in i.args]
        if form.lanes > 1:
            used += [s.value for s in self.stores] + [f.value for f in self.folds]
        self.splats = {p for p in used if not self.wide[p] and self.instrs[p].op != "constant"}
        self.called = self.frequent()

    def rolled(self) -> list[Any]:
        """The body with its repetitions found, if it is long and has some."""
        items = reroll(self.nest.body) if len(self.instrs) > LONG else []
        return items if any(isinstance(item, Rolled) for item in items) else []

    def frequent(self) -> set[str]:
        """The transcendental functions that this body uses often, or the module does."""
        ops = [instr.op for instr in self.instrs]
        if self.items:
            turns = [x.places[0] if isinstance(x, Rolled) else [x] for x in self.items]
            ops = [self.instrs[place].op for turn in turns for place in turn]
        own = Counter([op for op in ops if price(op) >= TRANSCENDENTAL])
        uses = self.b.region.module.uses
        uses.update(own)
        return {op for op, count in own.items() if count > FREQUENT or uses[op] > MANY}

    def write(self) -> None:
        """The whole nest."""
        with self.b.width(self.form.lanes):
            self.level(0, {})

    def level(self, depth: int, held: Held) -> Held:
        """What is computed inside of `depth` loops; `held` are the accumulators begun outside."""
        if depth == len(self.form.order):
            return self.innermost(held)
        for access in self.accesses:
            self.row(access, depth)
        for place in self.stages[depth]:
            self.compute(place)
        mine = [k for k, start in enumerate(self.starts) if start == depth]
        begun = held | {(k, q): self.identity(k) for k in mine for q in range(self.parts(k))}
        axis = self.form.order[depth]
        if axis == self.form.vector:
            after = self.vectors(depth, begun)
        else:
            start, stop = self.bounds[axis]
            after = self.b.counted(
                start, stop, 1, begun, lambda i, inside: self.turn(depth, Index(i, 0), inside)
            )
        for k in mine:
            for q in range(self.parts(k)):
                if self.parts(k) > 1:
                    self.index[self.form.vector] = Index("", self.firsts()[q])
                self.deposit(k, after[k, q])
        return {key: after[key] for key in held}

    def parts(self, k: int) -> int:
        """How many accumulators fold `k` has: one, or one for each vector written out."""
        inside = self.form.order[self.starts[k] :]
        tile = self.form.written_out and inside and not set(inside) <= set(self.folds[k].axes)
        return len(self.firsts()) if tile else 1

    def turn(self, depth: int, index: Index, held: Held, mask: Value | None = None) -> Held:
        """One turn of the loop at `depth`, of the lanes from `index` that are in the mask."""
        axis = self.form.order[depth]
        self.index[axis] = index
        if axis == self.form.vector:
            self.mask = mask
        return self.level(depth + 1, held)

    def vectors(self, depth: int, held: Held) -> Held:
        """The loop over the axis of the lanes: whole turns of `unroll` vectors, then the rest."""
        b, form, lanes = self.b, self.form, self.form.lanes
        axis = form.order[depth]
        start, stop = self.bounds[axis]
        first, end = self.nest.box[axis]
        n = end - first
        if form.written_out:
            for q, at in enumerate(self.firsts()):
                self.part, counted = q, first + q * lanes - at
                held = held | self.turn(depth, Index("", at), held, self.static_mask(counted))
            return held
        if form.unroll > 1:
            start, held = self.unrolled(depth, start, stop, held)
            if n % (lanes * form.unroll) == 0:
                return held
        exact = n % lanes == 0

        def one(i: str, inside: Held) -> Held:
            if exact:
                return self.turn(depth, Index(i, 0), inside)
            last = b.emit(f"sub i64 {stop}, {lanes}", "i64").name
            over = b.emit(f"icmp sgt i64 {i}, {last}", "i1", fresh=True).name
            at = b.emit(f"select i1 {over}, i64 {last}, i64 {i}", "i64", fresh=True).name
            return self.turn(depth, Index(at, 0), inside, self.moving_mask(i, at))

        return b.counted(start, stop, lanes, held, one)

    def firsts(self) -> list[int]:
        """Where the vectors of an axis begin that is written out."""
        start, stop = self.nest.box[self.form.vector]
        return [min(i, stop - self.form.lanes) for i in range(start, stop, self.form.lanes)]

    def unrolled(self, depth: int, start: Bound, stop: Bound, held: Held) -> tuple[Bound, Held]:
        """Turns of several vectors, each with accumulators of its own; and where they end."""
        b, lanes, unroll = self.b, self.form.lanes, self.form.unroll
        size = lanes * unroll
        if isinstance(start, int) and isinstance(stop, int):
            end: Bound = start + (stop - start) // size * size
        else:
            length = b.emit(f"sub i64 {stop}, {start}", "i64").name
            whole = b.emit(f"and i64 {length}, {-size}", "i64").name
            end = b.emit(f"add i64 {start}, {whole}", "i64").name
        begun: Held = {(0, key): x for key, x in held.items()}
        begun |= {(u, key): self.identity(key[0]) for u in range(1, unroll) for key in held}

        def several(i: str, inside: Held) -> Held:
            after: Held = {}
            for u in range(unroll):
                own = {key: inside[u, key] for key in held}
                own = self.turn(depth, Index(i, u * lanes), own)
                after |= {(u, key): x for key, x in own.items()}
            return after

        after = b.counted(start, end, size, begun, several)
        return end, {key: self.tree(key[0], [after[u, key] for u in range(unroll)]) for key in held}

    def tree(self, k: int, parts: list[Value]) -> Value:
        """A power of two of contributions to fold `k` combined, neighbours first."""
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [COMBINE[self.folds[k].how](self.b, x, y) for x, y in pairs]
        return parts[0]

    def static_mask(self, counted: int) -> Value | None:
        """All lanes but the first ones, which an earlier vector has counted."""
        if not counted:
            return None
        lanes = ", ".join(f"i1 {literal(q >= counted, 'i1')}" for q in range(self.form.lanes))
        return Value(f"<{lanes}>", "i1")

    def moving_mask(self, i: str, at: str) -> Value | None:
        """The lanes from index `i` on, of a vector that begins at index `at`."""
        b = self.b
        if not self.folds:
            return None
        counted = b.emit(f"sub i64 {i}, {at}", "i64").name
        few = b.emit(f"trunc i64 {counted} to i32", "i32").name
        return b.compare("ge", self.ramp("i32"), b.splat(few, "i32"))

    def ramp(self, kind: str, shift: int = 0) -> Value:
        """The numbers of the lanes, from `shift` on."""
        lanes = ", ".join(f"{SCALARS[kind]} {shift + q}" for q in range(self.b.lanes))
        return Value(f"<{lanes}>", kind)

    def identity(self, k: int) -> Value:
        """What fold `k` begins with."""
        fold = self.folds[k]
        kind = lane_kind(self.instrs[fold.value].dtype)
        return self.b.constant(IDENTITY[fold.how](kind), kind)

    def innermost(self, held: Held) -> Held:
        """The body, with all indices known."""
        if self.items:
            self.emit_rolled()
        for place in self.stages[-1]:
            self.compute(place)
        for value, access in self.stores:
            self.store(access, value)
        after: Held = {}
        for k, fold in enumerate(self.folds):
            x = self.value(fold.value, self.form.lanes)
            stored = k in self.direct and self.form.vector not in fold.axes
            if self.mask is not None and not stored:
                x = self.b.select(self.mask, x, self.identity(k))
            key = k, self.part if self.parts(k) > 1 else 0
            if key in held:
                after[key] = COMBINE[fold.how](self.b, held[key], x)
            elif k in self.direct:
                self.deposit(k, COMBINE[fold.how](self.b, self.identity(k), x))
            else:
                self.deposit(k, x)
        return after

    # Lines of the body

    def compute(self, place: int) -> None:
        """Write a line, as wide as it varies."""
        instr = self.instrs[place]
        lanes = self.form.lanes if self.wide[place] else 1
        with self.b.width(lanes):
            args = tuple([self.value(a, lanes) for a in instr.args])
            self.values[place] = self.instruction(instr, args)
        if place in self.splats:
            self.value(place, self.form.lanes)

    def value(self, place: int, lanes: int) -> Value:
        """The value of a line, in so many lanes."""
        instr = self.instrs[place]
        if instr.op == "constant":
            return self.b.constant(instr.attr, lane_kind(instr.dtype))
        held: Value = self.values[place]
        if lanes == 1 or self.wide[place]:
            return held
        return self.b.splat(held.name, held.kind)

    def instruction(
        self, instr: Instr, args: tuple[Value, ...], offset: str | None = None
    ) -> Value:
        """One line, given its arguments; `offset` is an i64 added to that of a load."""
        b, kind = self.b, lane_kind(instr.dtype)
        if instr.op == "load":
            return self.load(instr.attr, offset)
        if instr.op == "constant":
            return b.constant(instr.attr, kind)
        if instr.op == "index":
            return self.position(instr.attr)
        if instr.op == "cast":
            return cast(b, args[0], kind)
        if instr.op in self.called:
            return b.call(instr.op, args, self.called.issuperset(PAIR))
        return FUNCTIONS[instr.op](b, *args)

    def position(self, axis: int) -> Value:
        """The index along an axis, of each lane."""
        b, (name, shift) = self.b, self.index[axis]
        if b.lanes > 1 and axis == self.form.vector:
            ramp = self.ramp("i64", shift)
            return b.binary("add", b.splat(name, "i64"), ramp) if name else ramp
        return b.splat(name, "i64") if name else b.constant(shift, "i64")

    def emit_rolled(self) -> None:
        """The body with its repetitions as loops."""
        b = self.b

        def emit_instr(instr: Instr, args: tuple[Value, ...], offset: str | None) -> Value:
            return self.instruction(instr, args, offset)

        size = tape_bytes(self.items, self.nest.body, b.lanes)
        memory = None if size <= STACK else b.region.tape(b, size)
        name = f"{b.name}.{b.fresh()}"
        out = emit_items(b, self.nest.body, self.items, emit_instr, name, memory)
        for place, value in out.values.items():
            self.values[place], self.wide[place] = value, b.lanes > 1
        b.head += out.entry
        b.region.module.constants += out.constants

    # Memory

    def element(self, access: Access) -> tuple[str, int]:
        """The kind of the elements in memory, and their bytes."""
        dtype = self.b.region.buffers[access.buffer].dtype
        return kind_in_memory(dtype), dtype.itemsize

    def row(self, access: Access, depth: int) -> str:
        """A pointer that has made the steps of the outer loops, offset and shifts not yet."""
        b = self.b
        at, type_ = b.region.base(b, access.buffer), SCALARS[self.element(access)[0]]
        for axis in self.form.order[:depth]:
            step, name = access.steps[axis], self.index[axis].name
            if step and name:
                far = name if step == 1 else b.emit(f"mul i64 {name}, {step}", "i64").name
                at = b.emit(f"getelementptr {type_}, ptr {at}, i64 {far}", "ptr").name
        return at

    def address(self, access: Access, offset: str | None = None, back: int = 0) -> str:
        """A pointer to the element of the current indices, `back` elements before it."""
        b, type_ = self.b, SCALARS[self.element(access)[0]]
        at = self.row(access, len(self.form.order))
        if offset is not None:
            at = b.emit(f"getelementptr {type_}, ptr {at}, i64 {offset}", "ptr").name
        far = access.offset - back
        far += sum([step * self.index[k].shift for k, step in enumerate(access.steps) if step])
        return b.emit(f"getelementptr {type_}, ptr {at}, i64 {far}", "ptr").name if far else at

    def step(self, access: Access) -> int:
        """Elements from lane to lane."""
        return 0 if self.b.lanes == 1 else access.steps[self.form.vector]

    def load(self, access: Access, offset: str | None = None) -> Value:
        """What is at the current indices."""
        b, (kind, size), step = self.b, self.element(access), self.step(access)
        buffer = b.region.buffers[access.buffer]
        still = ", !invariant.load !0" if buffer.kind in ("input", "capture") else ""
        wide, one = b.type(kind), SCALARS[kind]

        def read(type_: str, at: str) -> Value:
            return b.emit(f"load {type_}, ptr {at}, align {size}{still}", kind, fresh=True)

        if b.lanes == 1 or step == 1:
            x = read(wide, self.address(access, offset))
        elif step == 0:
            x = b.splat(read(one, self.address(access, offset)).name, kind)
        elif step == -1:
            x = self.reversed(read(wide, self.address(access, offset, b.lanes - 1)))
        else:
            at, x = self.address(access, offset), Value("poison", kind)
            for q in range(b.lanes):
                here = b.emit(f"getelementptr {one}, ptr {at}, i64 {q * step}", "ptr").name
                text = f"insertelement {b.typed(x)}, {one} {read(one, here).name}, i32 {q}"
                x = b.emit(text, kind, fresh=True)
        return cast(b, x, lane_kind(buffer.dtype))

    def store(self, access: Access, x: Value | int) -> None:
        """Write a value, or that of a line, at the current indices."""
        b, (kind, size), step = self.b, self.element(access), self.step(access)
        if isinstance(x, int):
            x = self.value(x, b.lanes)
        x = cast(b, x, kind)
        one = SCALARS[kind]
        if b.lanes == 1 or step == 1:
            b.raw(f"store {b.typed(x)}, ptr {self.address(access)}, align {size}")
        elif step == -1:
            at = self.address(access, None, b.lanes - 1)
            b.raw(f"store {b.typed(self.reversed(x))}, ptr {at}, align {size}")
        elif step == 0:
            raise CompileError("a loop stores more than one value in one place of memory")
        else:
            at = self.address(access)
            for q in range(b.lanes):
                here = b.emit(f"getelementptr {one}, ptr {at}, i64 {q * step}", "ptr").name
                part = b.emit(f"extractelement {b.typed(x)}, i32 {q}", kind, fresh=True).name
                b.raw(f"store {one} {part}, ptr {here}, align {size}")

    def reversed(self, x: Value) -> Value:
        """The lanes in opposite order."""
        b = self.b
        order = ", ".join(f"i32 {q}" for q in reversed(range(b.lanes)))
        wide = b.type(x.kind)
        return b.emit(
            f"shufflevector {wide} {x.name}, {wide} poison, <{b.lanes} x i32> <{order}>", x.kind
        )

    def deposit(self, k: int, x: Value) -> None:
        """Put a result of fold `k` into memory, combined with what is there unless it is direct."""
        b, fold = self.b, self.folds[k]
        lanes = self.form.lanes
        if lanes > 1 and self.form.vector in fold.axes:
            x, lanes = horizontal(b, fold.how, x), 1
        with b.width(lanes):
            if k not in self.direct:
                x = COMBINE[fold.how](b, cast(b, self.load(fold.access), x.kind), x)
            self.store(
                fold.access, cast(b, x, lane_kind(b.region.buffers[fold.access.buffer].dtype))
            )
