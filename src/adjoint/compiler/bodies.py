"""The code of one loop: its units written out in each box, and its axes brought into order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .access import (
    BANDS,
    ORIGIN,
    REGIONS,
    VIEWS,
    Affine,
    Band,
    Box,
    Place,
    Region,
    address,
    cuts,
    everywhere,
    flat,
    holds,
    operand,
    span,
    strides_of,
)
from .graph import Node
from .kernel import Access, Body, Fold, Instr, Loop, Nest, Store
from .vocabulary import BOOL, FOLDS, constant_in, folded_axes

Value = tuple[Node, Place]
INT = np.dtype(np.int64)
NONE = -1  # stands for a line that is not there
LINE = 64  # bytes that memory gives at once
SHORT, LONG = 4, 16


class Unit(NamedTuple):
    """What a loop computes into one buffer: `value` at each index of its own array.

    node      whose memory it writes
    value     None for what is one number, `fill`
    domain    the shape that is looped over; its axes of length one are no loop
    space     the loop's space, a number of the plan's
    offset    and `steps`, by axis of the domain: where in the buffer it goes
    how       how it is folded over `axes` of the domain; "" where it is stored
    """

    node: Node
    value: Node | None
    domain: tuple[int, ...]
    space: int
    offset: int
    steps: tuple[int, ...]
    how: str = ""
    axes: tuple[int, ...] = ()
    fill: float = 0


class Cut(Exception):
    """A question that has two answers in a box: to be cut at `ends` along `axis`."""

    def __init__(self, axis: int, ends: Sequence[int]) -> None:
        self.axis, self.ends = axis, ends


class Memory(NamedTuple):
    """What the plan tells about memory.

    kinds      by node id, see `vocabulary.kind_of`
    dtypes     by node id, those that a map takes its inputs in
    read       ids of nodes that are in memory when a loop runs that does not compute them
    buffer     the number of the buffer that a node is read from
    target     of that it is written to
    strides    of the former, in elements
    """

    kinds: Sequence[str]
    dtypes: Sequence[tuple[np.dtype, ...]]
    read: Set[int]
    buffer: Callable[[Node], int]
    target: Callable[[Node], int]
    strides: Callable[[Node], tuple[int, ...]]

    def contiguous(self, node: Node) -> bool:
        """Whether the elements lie in C order without gaps."""
        strides = zip(self.strides(node), strides_of(node.shape), node.shape, strict=True)
        return all(have == want for have, want, n in strides if n > 1)


class Writer:
    """Lines of the body of one box; equal ones are written once."""

    def __init__(self, memory: Memory, own: frozenset[int], box: Box) -> None:
        self.memory, self.own, self.box = memory, own, box
        self.kinds, self.read = memory.kinds, memory.read
        self.instrs: list[Instr] = []
        self.table: dict[Any, int] = {}
        self.known: dict[Value, int] = {}
        self.numbers: dict[tuple[int, str], int] = {}
        self.zeros: set[int] = set()
        self.lines: dict[str, None] = {}

    def holds(self, e: Affine, start: int, stop: int) -> bool:
        """Whether start <= e < stop in the box; `Cut` where only in a part of it."""
        answer = holds(e, start, stop, self.box)
        if answer is None:
            raise Cut(*cuts(e, start, stop, self.box))
        return answer

    def readable(self, node: Node) -> bool:
        """Whether a node is loaded rather than computed here."""
        number = node.id
        return self.kinds[number] == "leaf" or (number in self.read and number not in self.own)

    # Where a value comes from

    def source(self, node: Node, place: Place) -> Value | int:
        """What is loaded or computed there, behind views and regions; a line where it is zero."""
        kinds = self.kinds
        while True:
            kind = kinds[node.id]
            if kind in ("map", "number") or self.readable(node):
                return node, place
            if kind == "view":
                (x,) = node.inputs
                if node.op == "reshape" and self.readable(x) and self.memory.contiguous(x):
                    return x, (flat(place, node.shape),)
                back = VIEWS[node.op](node, place, self.box)
                assert back is not None, f"%{node.id}: a reshape that the plan should have stored"
                node, place = x, back
                continue
            region = self.region(node, place)
            if region is None:
                return self.zero(node.dtype)
            if kind == "band" or region.child.dtype != node.dtype:
                return node, place
            node, place = region.child, region.place

    def region(self, node: Node, place: Place) -> Region | None:
        """The region that a place lies in; None where there is nothing but zeros."""
        if node.op in BANDS:
            return self.banded(node, place)
        for region in REGIONS[node.op](node, place):
            if all(self.holds(*condition) for condition in region.conditions):
                return region
        return None

    def banded(self, node: Node, place: Place) -> Region | None:
        """The region of a band, None where the box lies outside."""
        band = BANDS[node.op](node, place)
        low, high = span(band.e, self.box)
        outside = (band.low is not None and high < band.low) or (
            band.high is not None and low > band.high
        )
        inside = all(self.holds(*condition) for condition in band.region.conditions)
        return band.region if inside and not outside else None

    def inputs(self, node: Node, place: Place) -> list[Value | int]:
        """What a line of `node` is made of; in which dtype a number is wanted, `write` knows."""
        kinds, read = self.kinds, self.read
        kind = kinds[node.id]
        if kind == "map" and not node.shape and node.id not in read and node.op not in FOLDS:
            return [  # as below, without the detour: most of a long program
                NONE
                if (kind := kinds[x.id]) == "number"
                else (x, place)
                if kind == "map" and x.id not in read
                else self.source(x, place)
                for x in node.inputs
            ]
        if kind == "number" or self.readable(node):
            return []
        if kind == "map":
            return [
                NONE if kinds[x.id] == "number" else self.source(x, place_in(x, node, place))
                for x in node.inputs
            ]
        region = self.region(node, place)
        assert region is not None
        return [self.source(region.child, region.place)]

    # Lines

    def line(self, node: Node, place: Place) -> int:
        """The line of a value, all that it needs written before it in the order of the graph."""
        end = self.source(node, place)
        if isinstance(end, int):
            return end
        known, waiting = self.known, [end]
        missing: list[tuple[Value, list[Value | int]]] = []
        while waiting:
            value = waiting.pop()
            if value not in known:
                known[value] = NONE  # until it is written
                found = self.inputs(*value)
                missing.append((value, found))
                waiting += [x for x in found if type(x) is tuple]
        missing.sort(key=lambda pair: pair[0][0].id)
        for value, found in missing:
            args = [known[x] if type(x) is tuple else x for x in found]
            known[value] = self.write(*value, args)
        return known[end]

    def write(self, node: Node, place: Place, args: Sequence[Any]) -> int:
        """The line of a node whose inputs are written."""
        kind = self.kinds[node.id]
        if kind != "map" or node.id in self.read:
            if kind == "number":
                return self.number(node, node.dtype)
            if self.readable(node):
                return self.emit("load", (), node.dtype, self.access(node, place))
            if kind == "band":
                return self.mask(BANDS[node.op](node, place), self.cast(args[0], node.dtype))
            if kind == "regions":
                return self.cast(args[0], node.dtype)
        if node.line:
            self.lines[node.line] = None
        instrs = self.instrs
        given = tuple([
            line if line != NONE and instrs[line].dtype is dtype else self.converted(x, line, dtype)
            for x, line, dtype in zip(node.inputs, args, self.memory.dtypes[node.id], strict=True)
        ])  # fmt: skip
        if node.op == "astype" or node.op in FOLDS:
            return given[0]
        if self.zeros and (line := self.folded(node.op, given)) is not None:
            return line
        return self.emit(node.op, given, node.dtype)

    def converted(self, x: Node, line: int, dtype: np.dtype) -> int:
        """The line of an argument in the dtype that it is wanted in."""
        return self.number(x, dtype) if line == NONE else self.cast(line, dtype)

    def number(self, node: Node, dtype: np.dtype) -> int:
        """The line of a number of the graph."""
        key = (node.id, dtype.char)
        if key not in self.numbers:
            self.numbers[key] = self.constant(node.params["value"], dtype)
        return self.numbers[key]

    def folded(self, op: str, given: tuple[int, ...]) -> int | None:
        """The line that this equals because padding is zero; the sign of a zero may differ."""
        zero = [i in self.zeros for i in given]
        if op == "add" and any(zero):
            return given[zero[0]]
        if op == "subtract" and zero[1]:
            return given[0]
        if op == "negative" and zero[0]:
            return given[0]
        return given[1] if op == "where" and zero[1] and zero[2] else None

    def emit(self, op: str, args: tuple[int, ...], dtype: np.dtype, attr: Any = None) -> int:
        """A line, or the one that is equal."""
        key: Any = (op, args)
        if not args or op == "cast":
            key = (op, args, dtype.char, repr(attr) if op == "constant" else attr)
        found = self.table.get(key)
        if found is None:
            found = self.table[key] = len(self.instrs)
            self.instrs.append(Instr(op, args, dtype, attr))
        return found

    def constant(self, value: Any, dtype: np.dtype) -> int:
        """The line of a number."""
        return self.emit("constant", (), dtype, constant_in(value, dtype))

    def zero(self, dtype: np.dtype) -> int:
        """The zero of padding, which is told apart from one that was computed."""
        key = ("zero", dtype.char)
        if key not in self.table:
            self.zeros.add(len(self.instrs))
            self.table[key] = len(self.instrs)
            self.instrs.append(Instr("constant", (), dtype, constant_in(0, dtype)))
        return self.table[key]

    def cast(self, line: int, dtype: np.dtype) -> int:
        """A line in another dtype."""
        instr = self.instrs[line]
        if instr.dtype == dtype:
            return line
        if line in self.zeros:
            return self.zero(dtype)
        if instr.op == "constant":
            return self.constant(instr.dtype.type(instr.attr), dtype)
        return self.emit("cast", (line,), dtype)

    def mask(self, band: Band, line: int) -> int:
        """`line` where the index lies in the band, else zero."""
        e, low, high = band.e, band.low, band.high
        least, most = span(e, self.box)
        tests = [
            self.emit(op, (self.index(e), self.constant(bound, INT)), BOOL)
            for op, bound, sure in (
                ("greater_equal", low, low is None or least >= low),
                ("less_equal", high, high is None or most <= high),
            )
            if not sure
        ]
        if not tests:
            return line
        test = tests[0] if len(tests) == 1 else self.emit("logical_and", (*tests,), BOOL)
        dtype = self.instrs[line].dtype
        return self.emit("where", (test, line, self.constant(0, dtype)), dtype)

    def index(self, e: Affine) -> int:
        """The line of an affine function of the index."""
        total = None
        for axis, factor in e.terms:
            term = self.emit("index", (), INT, axis)
            if factor != 1:
                term = self.emit("multiply", (term, self.constant(factor, INT)), INT)
            total = term if total is None else self.emit("add", (total, term), INT)
        if total is None:
            return self.constant(e.offset, INT)
        return self.emit("add", (total, self.constant(e.offset, INT)), INT) if e.offset else total

    def access(self, node: Node, place: Place) -> Access:
        """How a node's buffer is read at a place, or, of another rank, at an element's number."""
        strides = self.memory.strides(node) if len(place) == node.ndim else (1,)
        offset, steps = address(place, strides, len(self.box))
        return Access(self.memory.buffer(node), offset, tuple(steps))

    # Units

    def unit(self, unit: Unit, body: Body) -> None:
        """Write a unit, in the part of the box that is in its domain."""
        place = everywhere(unit.domain)
        if not all(self.holds(e, 0, n) for e, n in zip(place, unit.domain, strict=True)):
            return
        dtype = unit.node.dtype
        if unit.value is None:
            line = self.constant(unit.fill, dtype)
        else:
            line = self.cast(self.line(unit.value, place), dtype)
        steps, axes = [0] * len(self.box), []
        for d, (e, step) in enumerate(zip(place, unit.steps, strict=True)):
            for k, _ in e.terms:
                steps[k] = step
                if d in unit.axes:
                    axes.append(k)
        access = Access(self.memory.target(unit.node), unit.offset, tuple(steps))
        if unit.how:
            body.folds.append(Fold(line, unit.how, tuple(axes), access))
        else:
            body.stores.append(Store(line, access))


def place_in(x: Node, node: Node, place: Place) -> Place:
    """The place in an input of a map; a fold of axes of length one is a map too."""
    if x.shape == node.shape:
        return place
    if node.op in FOLDS and x.ndim != node.ndim:
        kept, axes = iter(place), folded_axes(node)
        return tuple([ORIGIN if a in axes else next(kept) for a in range(x.ndim)])
    return operand(place, x.shape)


def loop(memory: Memory, units: Sequence[Unit], extents: tuple[int, ...]) -> Loop:
    """The loop over `extents` that computes all `units`."""
    own = frozenset([u.node.id for u in units if not u.how])
    waiting: list[Box] = [tuple([(0, n) for n in extents])]
    nests: list[Nest] = []
    lines: dict[str, None] = {}
    while waiting:
        box = waiting.pop()
        writer, body = Writer(memory, own, box), Body()
        try:
            for unit in units:
                writer.unit(unit, body)
        except Cut as cut:
            waiting += divided(box, cut)
            continue
        body.instrs = writer.instrs
        nests.append(Nest(box, pruned(body)))
        lines |= writer.lines
    nests.sort(key=lambda nest: -volume(nest.box))
    nodes = tuple(dict.fromkeys([u.node.id for u in units]))
    return arranged(Loop(extents, joined_boxes(nests), nodes, tuple(lines)))


def divided(box: Box, cut: Cut) -> Iterator[Box]:
    """The parts of a box."""
    start, stop = box[cut.axis]
    ends = [start, *sorted({*cut.ends}), stop]
    for low, high in pairwise(ends):
        yield (*box[: cut.axis], (low, high), *box[cut.axis + 1 :])


def volume(box: Box) -> int:
    """How many indices a box has."""
    return prod([high - low for low, high in box])


def body_ends(body: Body) -> list[tuple[int, Access]]:
    """The lines that a body stores or folds, and where they go."""
    stores = [(s.value, s.access) for s in body.stores]
    return stores + [(f.value, f.access) for f in body.folds]


def pruned(body: Body) -> Body:
    """The body without lines that nothing needs."""
    needed = [False] * len(body.instrs)
    for value, _ in body_ends(body):
        needed[value] = True
    for i in range(len(needed) - 1, -1, -1):
        if needed[i]:
            for k in body.instrs[i].args:
                needed[k] = True
    if all(needed):
        return body
    place = np.cumsum(needed) - 1
    instrs = [
        i._replace(args=tuple([int(place[k]) for k in i.args]))
        for i, kept in zip(body.instrs, needed, strict=True)
        if kept
    ]
    stores = [s._replace(value=int(place[s.value])) for s in body.stores]
    folds = [f._replace(value=int(place[f.value])) for f in body.folds]
    return Body(instrs, stores, folds)


def joined_boxes(nests: list[Nest]) -> list[Nest]:
    """Neighbouring boxes of equal bodies as one."""
    done: list[Nest] = []
    for nest in nests:
        while True:
            for other in done:
                box = bridged(nest.box, other.box)
                if box is not None and nest.body == other.body:
                    done.remove(other)
                    nest = Nest(box, nest.body)
                    break
            else:
                break
        done.append(nest)
    return sorted(done, key=lambda nest: -volume(nest.box))


def bridged(one: Box, two: Box) -> Box | None:
    """The box that two boxes make up together; None where they make up none."""
    apart = [k for k, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
    if len(apart) != 1:
        return None
    (k,) = apart
    (a, b), (c, d) = one[k], two[k]
    if b != c and d != a:
        return None
    return (*one[:k], (min(a, c), max(b, d)), *one[k + 1 :])


# Axes


def arranged(loop: Loop) -> Loop:
    """The loop with its most contiguous axis innermost, and axes that step as one made one."""
    if not loop.extents:
        return loop
    loop = merged(reordered(loop, order_of(loop)))
    longest = max(range(len(loop.extents)), key=lambda k: loop.extents[k])
    if loop.extents[-1] < SHORT and loop.extents[longest] >= LONG:
        order = [*[k for k in range(len(loop.extents)) if k != longest], longest]
        loop = merged(reordered(loop, order))
    return loop


def accesses(loop: Loop) -> Iterator[tuple[Access, int, int]]:
    """Each access of a loop, its bytes an element, and how much it counts: a store twice."""
    for nest in loop.nests:
        instrs = nest.body.instrs
        for instr in instrs:
            if instr.op == "load":
                yield instr.attr, instr.dtype.itemsize, 1
        for value, access in body_ends(nest.body):
            yield access, instrs[value].dtype.itemsize, 2


def order_of(loop: Loop) -> list[int]:
    """The axes by the memory that a step along them passes over, the most first."""
    passed = [0] * len(loop.extents)
    for access, size, times in accesses(loop):
        for k, step in enumerate(access.steps):
            passed[k] += times * min(abs(step) * size, LINE)
    return sorted(range(len(passed)), key=lambda k: -passed[k])


def rewritten(loop: Loop, extents: tuple[int, ...], box: Callable[[Box], Box],
              access: Callable[[Access], Access], axis: Sequence[int]) -> Loop:  # fmt: skip
    """The loop over other axes; `axis` says what each old one has become."""

    def line(instr: Instr) -> Instr:
        if instr.op == "load":
            return instr._replace(attr=access(instr.attr))
        return instr._replace(attr=axis[instr.attr]) if instr.op == "index" else instr

    nests = [
        Nest(
            box(nest.box),
            Body(
                [line(i) for i in nest.body.instrs],
                [s._replace(access=access(s.access)) for s in nest.body.stores],
                [
                    f._replace(
                        axes=tuple(sorted({axis[k] for k in f.axes})), access=access(f.access)
                    )
                    for f in nest.body.folds
                ],
            ),
        )
        for nest in loop.nests
    ]
    return Loop(extents, nests, loop.nodes, loop.lines)


def reordered(loop: Loop, order: list[int]) -> Loop:
    """The loop with its axes in another order."""
    if order == sorted(order):
        return loop

    def access(a: Access) -> Access:
        return a._replace(steps=tuple([a.steps[k] for k in order]))

    place = [order.index(k) for k in range(len(order))]
    return rewritten(
        loop, tuple([loop.extents[k] for k in order]),
        lambda box: tuple([box[k] for k in order]), access, place,
    )  # fmt: skip


def merged(loop: Loop) -> Loop:
    """The loop with axes made one where every access steps through both as through one."""
    k = len(loop.extents) - 2
    while k >= 0:
        if one_axis(loop, k):
            loop = with_one_axis(loop, k)
        k -= 1
    return loop


def one_axis(loop: Loop, k: int) -> bool:
    """Whether axes k and k + 1 may be one."""
    n = loop.extents[k + 1]
    if any(a.steps[k] != a.steps[k + 1] * n for a, _, _ in accesses(loop)):
        return False
    for nest in loop.nests:
        if nest.box[k + 1] != (0, n):
            return False
        if any((k in f.axes) != (k + 1 in f.axes) for f in nest.body.folds):
            return False
        if any(i.op == "index" and i.attr in (k, k + 1) for i in nest.body.instrs):
            return False
    return True


def with_one_axis(loop: Loop, k: int) -> Loop:
    """The loop with axes k and k + 1 made one."""
    n = loop.extents[k + 1]

    def box(b: Box) -> Box:
        return (*b[:k], (b[k][0] * n, b[k][1] * n), *b[k + 2 :])

    def access(a: Access) -> Access:
        return a._replace(steps=(*a.steps[:k], *a.steps[k + 1 :]))

    extents = (*loop.extents[:k], loop.extents[k] * n, *loop.extents[k + 2 :])
    axis = [i - (i > k) for i in range(len(loop.extents))]
    return rewritten(loop, extents, box, access, axis)
