"""The scheduler: a graph becomes loops, each one pass over the data, and calls of the backend.

A value is *inlined* into the loops that use it, or *stored*: outputs, results of folds, what calls
take and give, and what is dearer to compute again than to write and read. Going from the outputs to
the inputs, each node is asked for at *places*: affine functions of the index of a loop, see
`access`. Views change the place; padding and joining hold in a part of the box only, so a loop is
cut into boxes inside which every such question has one answer, see `bodies`. Loops run in *stages*,
as early as what they read is ready; those of one stage over the same extents are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ..backends.namespace import is_basic
from ..errors import CompileError
from .access import (
    BANDS,
    REGIONS,
    VIEWS,
    Box,
    Picked,
    Place,
    address,
    axes_of,
    cuts,
    everywhere,
    flat,
    holds,
    picked,
    squeezed,
    strides_of,
)
from .bodies import Memory, Unit, body_ends, loop, place_in
from .emit import lane_kind
from .graph import Graph, Node
from .kernel import Branch, Buffer, Call, Loop, Program, Step, View
from .lanes import IDENTITY
from .vocabulary import FOLDS, folded_axes, is_native, kinds_of, weight

# Costs in units of an addition: of memory near and far, and of a loop of its own.
NEAR, FAR, OVERHEAD = (2, 1), (8, 4), 100
NEAR_BYTES = 1 << 18
# At so many places a value is stored though it is cheap: each place is code.
PLACES = 8
# Arithmetic of an element that is not summed up to the end.
DEAR = 800
# A loop is cut into at most so many boxes; what would cut it further is stored.
BOXES = 32
# Extents are nearly the same that differ by so little, and by so small a part.
APART, PART = 8, 8
# A view of less than this part of a computed array is stored rather than the array.
FRACTION = 2
# So many reads of single elements make it worth while to join what their derivatives add up.
PICKS = 4
# How often the plan is made anew with what was found to be computed repeatedly.
ROUNDS = 6

Question = tuple[int, Place]
Key = tuple[int, tuple[Any, ...]]


@dataclass
class Space:
    """The extents that values of one level are computed over, nearly the same ones together.

    alone   0, or a number of its own where the space is shared with no other
    ends    where padding and joining cut each axis
    """

    level: int
    extents: tuple[int, ...]
    alone: int = 0
    ends: dict[int, set[int]] = field(default_factory=dict)

    def full(self) -> Box:
        """All its indices."""
        return tuple([(0, n) for n in self.extents])

    def order(self) -> tuple[Any, ...]:
        """Its place among the loops of a stage: the small ones first, which may feed the others."""
        return prod(self.extents), len(self.extents), self.extents, -self.alone

    def takes(self, extents: tuple[int, ...]) -> bool:
        """Whether these extents are nearly the same."""
        return all(
            abs(a - b) <= APART and min(a, b) >= PART * abs(a - b)
            for a, b in zip(self.extents, extents, strict=True)
        )


def fuse(
    graph: Graph, checks: int = 0, strides: Mapping[int, tuple[int, ...]] | None = None
) -> Program:
    """The program of a graph that the passes have simplified.

    checks : how many of the outputs, the last ones, are truth values for `Program.checks`
    strides : of inputs, by index, in bytes; the others are contiguous

    Raises: CompileError where strides are no whole number of elements of a dtype that loops read.

    >>> from adjoint.compiler.graph import Graph
    >>> g = Graph()
    >>> x = g.input((3,), "float64")
    >>> y = g.add("exp", [x], shape=(3,), dtype=x.dtype)
    >>> g.outputs = (g.add("sum", [y], dict(axis=None, keepdims=False), shape=(), dtype=x.dtype),)
    >>> print(describe(fuse(g)))
    loop over [3]: exp sum of input 0 float64[3] -> output 0 float64[]
    32 bytes moved a call; inputs and outputs have 32
    """
    return Plan(assembled(graph), checks, strides or {}).program()


class Plan:
    """What is stored, what computes it, and in which order.

    kinds     by node id, see `vocabulary.kind_of`; "" of what no output needs
    homes     by node id, the first output that it is
    items     by node id of a call with several outputs, by output the id of its item
    asked     by node id, the questions (space, place) at which others want the value
    stored    ids of nodes with a buffer; `read`: those that others load rather than compute again
    units     by node id, what computes its buffer
    stages    by node id of what is stored, when it is ready
    loops     by stage and order of the space, the units that are one loop
    users     by node id, the keys of the loops that compute or load it
    """

    def __init__(self, graph: Graph, checks: int, strides: Mapping[int, tuple[int, ...]]) -> None:
        self.ends = graph.outputs
        self.outputs = self.ends[: len(self.ends) - checks]
        self.homes = {n.id: len(self.outputs) - 1 - i for i, n in enumerate(self.outputs[::-1])}
        self.strides = strides
        self.nodes = needed(graph)
        self.kinds, self.dtypes = kinds_of(self.nodes, len(graph.nodes))
        self.levels = [0] * len(graph.nodes)
        for node in self.nodes:
            level = max([self.levels[x.id] for x in node.inputs], default=0)
            self.levels[node.id] = level + (self.kinds[node.id] in ("fold", "call"))
        self.items: dict[int, dict[int, int]] = {}
        for node in self.nodes:
            if node.op == "item":
                (x,) = node.inputs
                self.items.setdefault(x.id, {})[node.params["index"]] = node.id
        self.buffers: list[Buffer] = []
        self.numbers: dict[int, int] = {}
        self.copies: dict[int, int] = {}
        self.several: dict[int, tuple[int, ...]] = {}
        self.forced: set[int] = set()
        for turn in range(ROUNDS):
            self.store()
            self.order()
            again = self.repeated(last=turn == ROUNDS - 1)
            if not again:
                break
            self.forced |= again

    # What is stored

    def store(self) -> None:
        """Decide for each node, the outputs first, and pass on what it asks of its inputs."""
        size = len(self.kinds)
        self.spaces: list[Space] = []
        self.near: dict[Any, list[int]] = {}
        self.asked: list[frozenset[Question]] = [frozenset()] * size
        self.stored = {node.id for node in self.ends}
        self.read: set[int] = set()
        self.units: dict[int, list[Unit]] = {}
        self.given: dict[int, list[Any]] = {}
        self.memory = Memory(
            self.kinds, self.dtypes, self.read, self.buffer, self.target, self.elements
        )
        for node in reversed(self.nodes):
            kind = self.kinds[node.id]
            if kind == "map" and self.is_plain(node):
                for x in node.inputs:
                    self.want(x, self.asked[node.id])
                continue
            if kind in ("leaf", "number"):
                if node.id in self.stored and is_native(node) and node.size:
                    self.units[node.id] = [self.unit(node, node, 0, strides_of(node.shape))]
                continue
            if kind == "fold":
                self.stored.add(node.id)
                self.read.add(node.id)
                self.ask_fold(node)
                continue
            if kind not in ("call", "item"):
                questions = self.asked[node.id]
                if self.is_dear(node, questions):
                    self.stored.add(node.id)
                    self.read.add(node.id)
                if node.id not in self.stored or is_native(node):
                    self.ask(node, questions)
                    continue
                self.kinds[node.id] = "call"
            self.stored.add(node.id)
            self.read.add(node.id)
            if kind != "item":
                self.given[node.id] = [self.argument(x) for x in node.inputs]

    def is_plain(self, node: Node) -> bool:
        """Whether a node is a number that only one loop over nothing wants: most of them are."""
        questions = self.asked[node.id]
        if node.shape or len(questions) != 1 or node.op in FOLDS:
            return False
        if node.id in self.stored or node.id in self.forced:
            return False
        ((space, _),) = questions
        return not self.spaces[space].extents

    def ask(self, node: Node, questions: frozenset[Question]) -> None:
        """Pass the questions for an inlined or stored node on to its inputs."""
        own: set[Question] = set()
        if node.id in self.stored:
            units = self.units[node.id] = []
            for value, offset, steps in targets(node, self.kinds) if node.size else ():
                unit = self.unit(node, value, offset, steps)
                units.append(unit)
                question = (unit.space, everywhere(value.shape))
                if value is node:
                    own.add(question)
                else:
                    self.want(value, frozenset((question,)))
        if node.id not in self.read:
            own.update(questions)
        kind, passed = self.kinds[node.id], frozenset(own) if own != questions else questions
        for x in node.inputs if kind == "map" and node.size else ():
            if x.shape == node.shape:
                self.want(x, passed)
            else:
                self.want(x, frozenset([(space, place_in(x, node, at)) for space, at in passed]))
        if kind != "map" and node.size:
            for space, place in passed:
                for x, at in self.behind(node, kind, space, place):
                    self.want(x, frozenset(((space, at),)))

    def want(self, x: Node, questions: frozenset[Question]) -> None:
        """Ask for a node; sets are shared, for most of them are equal."""
        have = self.asked[x.id]
        if not have:
            self.asked[x.id] = questions
        elif have is not questions and not questions <= have:
            self.asked[x.id] = have | questions

    def behind(
        self, node: Node, kind: str, space: int, place: Place
    ) -> Iterator[tuple[Node, Place]]:
        """Which inputs a view, regions or a band show where asked for, and at what places."""
        box = self.spaces[space].full()
        if kind == "view":
            back = VIEWS[node.op](node, place, box)
            if back is not None:
                yield node.inputs[0], back
        elif kind == "band":
            region = BANDS[node.op](node, place).region
            yield region.child, region.place
        else:
            for region in REGIONS[node.op](node, place):
                answers = [holds(*condition, box) for condition in region.conditions]
                if False not in answers:
                    yield region.child, region.place
                    if None not in answers:
                        return

    def ask_fold(self, node: Node) -> None:
        """The unit of a fold, and what it asks of its inputs."""
        level = self.levels[node.id] - 1
        if not node.size:
            self.units[node.id] = []
        elif not node.inputs[0].size:
            fill = IDENTITY[node.op](lane_kind(node.dtype))
            space = self.space(level, node.shape)
            steps = strides_of(node.shape)
            self.units[node.id] = [Unit(node, None, node.shape, space, 0, steps, fill=fill)]
        else:
            (x,) = node.inputs
            unit = fold(node, self.space(level, x.shape))
            self.units[node.id] = [unit]
            self.want(x, frozenset(((unit.space, everywhere(x.shape)),)))

    def unit(self, node: Node, value: Node, offset: int, steps: tuple[int, ...]) -> Unit:
        """The unit that computes `value` into a part of the buffer of `node`."""
        alone = value is node and node.id in self.read and self.kinds[node.id] == "regions"
        space = self.space(self.levels[value.id], value.shape, alone=node.id * alone)
        return Unit(node, value, value.shape, space, offset, steps)

    def space(self, level: int, shape: tuple[int, ...], alone: int = 0) -> int:
        """The space for values of a shape: one that is there, widened perhaps, or a new one."""
        extents = squeezed(shape)
        near = self.near.setdefault((level, len(extents), alone), [])
        for number in near:
            space = self.spaces[number]
            if space.takes(extents):
                space.extents = tuple(map(max, space.extents, extents))
                return number
        near.append(len(self.spaces))
        self.spaces.append(Space(level, extents, alone))
        return near[-1]

    def is_dear(self, node: Node, questions: frozenset[Question]) -> bool:
        """Whether others shall load a node: it cannot be inlined, or costs more than memory does.

        Computing it again costs its arithmetic at every index of each loop that asks; keeping it
        costs its arithmetic once, a store of each element and loads, in additions' worth.
        """
        if not questions or not node.size or node.id in self.forced:
            return bool(questions and node.size)
        kind = self.kinds[node.id]
        if kind == "view":
            return any(not self.shows(node, s, p) for s, p in questions)
        if kind != "map" and any(not self.divides(node, s, p) for s, p in questions):
            return True
        if kind != "map" and len(questions) <= PLACES:
            return False
        size, kept = node.size, OVERHEAD
        if stored := node.id in self.stored:
            own = (self.space(self.levels[node.id], node.shape), everywhere(node.shape))
            questions -= {own}
        times = [self.times(size, s, p) for s, p in questions]
        again = sum(times)
        spared = again - (not stored) * size
        if spared <= 0:
            return False
        store, load = NEAR if size * node.dtype.itemsize < NEAR_BYTES else FAR
        kept += load * sum([min(t, size) for t in times]) + (not stored) * store * size
        return self.costs_more(node, 1 if len(times) > PLACES else kept // spared)

    def times(self, size: int, space: int, place: Place) -> int:
        """How often a loop computes a node of `size` elements that it asks for at a place."""
        extents = self.spaces[space].extents
        used = {k for e in place for k, _ in e.terms}
        missing = prod([n for k, n in enumerate(extents) if k not in used])
        return min(prod(extents), size * missing)

    def costs_more(self, node: Node, most: int) -> bool:
        """Whether one element of a node costs more: loads, and the maps below that are inlined.

        False where `most` is `DEAR` or more.
        """
        top, cost, seen, waiting = node, 0, {node.id}, [node]
        while waiting and cost <= most < DEAR:
            node = waiting.pop()
            kind = self.kinds[node.id]
            if kind == "number":
                continue
            inlined = self.is_inline(node) and (node is top or node.id not in self.forced)
            cost += weight(node) if kind == "map" else not inlined
            if inlined:
                for x in node.inputs:
                    if x.id not in seen:
                        seen.add(x.id)
                        waiting.append(x)
        return cost > most

    def shows(self, node: Node, space: int, place: Place) -> bool:
        """Whether a view can be looked through at a place: all but some reshapes can."""
        (x,) = node.inputs
        if node.op != "reshape" or (self.kinds[x.id] != "view" and self.flat(x)):
            return True
        return VIEWS["reshape"](node, place, self.spaces[space].full()) is not None

    def flat(self, node: Node) -> bool:
        """Whether a node is in contiguous memory whatever is decided."""
        kind = self.kinds[node.id]
        return kind in ("fold", "call", "item") or (kind == "leaf" and self.memory.contiguous(node))

    def divides(self, node: Node, space: int, place: Place) -> bool:
        """Whether a loop can be cut into boxes by the regions of a node, and into few enough."""
        if self.kinds[node.id] == "band":
            conditions = [*BANDS[node.op](node, place).region.conditions]
        else:
            conditions = [c for r in REGIONS[node.op](node, place) for c in r.conditions]
        ends = {k: set(v) for k, v in self.spaces[space].ends.items()}
        box = self.spaces[space].full()
        for e, start, stop in conditions:
            if holds(e, start, stop, box) is None:
                if len(e.terms) != 1:
                    return False
                axis, places = cuts(e, start, stop, box)
                ends.setdefault(axis, set()).update(places)
        if prod([1 + len(v) for v in ends.values()]) > BOXES:
            return False
        self.spaces[space].ends = ends
        return True

    def argument(self, x: Node) -> tuple[Node, Place] | None:
        """The stored node that a call gets a view of, and its place; None for a number.

        The place is a function of the index of x; of a rank that the node has not, the number of
        its element.
        """
        if self.kinds[x.id] == "number":
            return None
        node, place = x, everywhere(x.shape)
        box: Box = tuple([(0, n) for n in squeezed(x.shape)])
        while self.kinds[node.id] == "view" and node.id not in self.stored and x.size:
            (below,) = node.inputs
            if node.op == "reshape" and self.flat(below):
                node, place = below, (flat(place, node.shape),)
                break
            back = VIEWS[node.op](node, place, box)
            if back is None:
                break
            node, place = below, back
        kind = self.kinds[node.id]
        inlined = kind in ("map", "view", "regions", "band")
        if kind == "number" or (node is not x and inlined and node.size > FRACTION * x.size):
            node, place = x, everywhere(x.shape)
        if self.kinds[node.id] != "leaf":
            self.stored.add(node.id)
        return node, place

    # When it is computed

    def order(self) -> None:
        """Give each buffer, and each unit, its stage: the first at which all it reads is ready."""
        self.ready: dict[tuple[int, int], int] = {}
        self.stages: dict[int, int] = {}
        self.loops: dict[Key, list[Unit]] = {}
        self.home_of: dict[int, list[Key]] = {}
        late = {*self.read}
        for node in self.nodes:
            kind = self.kinds[node.id]
            if kind in ("call", "item"):
                self.stages[node.id] = self.call_stage(node)
                continue
            waits = not late.isdisjoint([x.id for x in node.inputs])
            if waits and kind not in ("leaf", "number", "fold"):
                spaces = {u.space for u in self.units.get(node.id, ()) if u.value is node}
                if node.id not in self.read:
                    spaces.update([space for space, _ in self.asked[node.id]])
                for space in spaces:
                    for x in node.inputs:
                        stage = self.arrival(x, space)
                        if stage > self.ready.get((node.id, space), 0):
                            self.ready[node.id, space] = stage
                            late.add(node.id)
            if node.id in self.units:
                units = self.units[node.id]
                keys = [(self.start(u), self.spaces[u.space].order()) for u in units]
                for unit, key in zip(units, keys, strict=True):
                    self.loops.setdefault(key, []).append(unit)
                self.home_of[node.id] = keys
                self.stages[node.id] = max([stage for stage, _ in keys], default=0)

    def call_stage(self, node: Node) -> int:
        """The stage of a call, which comes after the loops of its stage, or of an output of it."""
        if self.kinds[node.id] == "item":
            return self.stages[node.inputs[0].id]
        below = self.bases(node)
        stages = [self.stages.get(x.id, 0) + self.is_called(x) for x in below]
        return max(stages, default=0)

    def start(self, unit: Unit) -> int:
        """The stage of a unit."""
        x = unit.value
        if x is None:
            return 0
        if x is unit.node and self.is_inline(x):
            return self.ready.get((x.id, unit.space), 0)
        return self.arrival(x, unit.space)

    def is_inline(self, node: Node) -> bool:
        """True of what loops compute, be it stored or not."""
        return self.kinds[node.id] in ("map", "view", "regions", "band")

    def is_called(self, node: Node) -> bool:
        """True of what the backend computes."""
        return self.kinds[node.id] in ("call", "item")

    def bases(self, node: Node) -> list[Node]:
        """The stored nodes that a call reads."""
        return [pair[0] for pair in self.given[node.id] if pair is not None]

    def arrival(self, x: Node, space: int) -> int:
        """The first stage at which a loop of `space` can use x."""
        if x.id not in self.read:
            return self.ready.get((x.id, space), 0)
        stage = self.stages[x.id]
        if self.is_called(x):
            return stage + 1
        units = self.units[x.id]
        order = self.spaces[space].order()
        if all(self.spaces[u.space].order() < order for u in units):
            return stage
        if len(units) == 1 and units[0].value is x:
            place = everywhere(x.shape)
            if units[0].space == space and self.is_inline(x):
                if all(p == place for s, p in self.asked[x.id] if s == space):
                    return stage
        return stage + 1

    def repeated(self, last: bool) -> set[int]:
        """Maps that several loops would compute each for itself, though reading them is cheaper.

        It is only known now which loops those are. Notes by node id the loops that use it; of what
        is found, the one that will store it, unless this is the `last` plan, where nothing is.
        """
        found: set[int] = set()
        if len(self.loops) < 2:
            return found
        self.users: list[set[Key]] = [set() for _ in self.kinds]
        for node in reversed(self.nodes):
            users = self.users[node.id]
            own: set[Key] = set()
            for unit, key in zip(
                self.units.get(node.id, ()), self.home_of.get(node.id, ()), strict=True
            ):
                (own if unit.value in (node, None) else self.users[unit.value.id]).add(key)
                if self.kinds[node.id] == "fold" and unit.value is not None:
                    self.users[unit.value.id].add(key)
            if not self.is_inline(node) or not node.size:
                continue
            if node.id in self.read:
                users = own
            elif not last and len(users | own) > 1 and self.is_slow(node, users | own):
                found.add(node.id)
                users = {min(users | own)}
            else:
                users = users | own
            for x in node.inputs:
                self.users[x.id] |= users
        return found

    def is_slow(self, node: Node, users: set[Key]) -> bool:
        """Whether computing a map in each of several loops costs more than keeping it."""
        if self.kinds[node.id] != "map":
            return False
        store, load = NEAR if node.size * node.dtype.itemsize < NEAR_BYTES else FAR
        n, fresh = len(users), node.id not in self.stored
        return self.costs_more(node, (load * n + fresh * store) // (n - fresh))

    def sink(self) -> None:
        """Let loops wait that can, to be one with a later loop over the same extents."""
        if len(self.loops) < 2:
            return
        calls: dict[int, int] = {}
        for node in self.nodes:
            if self.kinds[node.id] == "call":
                for x in self.bases(node):
                    stage = self.stages[node.id]
                    calls[x.id] = min(stage, calls.get(x.id, stage))
        moved: dict[Key, Key] = {}
        later: dict[Any, int] = {}  # by order, the next stage of a loop that stays
        for key in sorted(self.loops, reverse=True):
            stage, order = key
            last = min([calls[u.node.id] for u in self.loops[key] if u.node.id in calls],
                       default=len(self.loops) + len(self.nodes))  # fmt: skip
            for unit in self.loops[key]:
                for user in self.users[unit.node.id] if unit.node.id in self.read else ():
                    if user != key:
                        at, its = moved.get(user, user)
                        last = min(last, at - (order >= its))
            if later.get(order, last + 1) <= last:
                moved[key] = (later[order], order)
                self.loops[moved[key]] += self.loops.pop(key)
            else:
                later[order] = stage

    # What runs

    def program(self) -> Program:
        """The loops and calls in order, and the buffers that they use."""
        self.sink()
        steps: list[tuple[Any, Step]] = []
        for (stage, order), units in self.loops.items():
            units.sort(key=lambda unit: unit.node.id)
            extents = self.spaces[units[0].space].extents
            steps.append(((stage, 0, order), loop(self.memory, units, extents)))
        calls = [node for node in self.nodes if self.kinds[node.id] == "call"]
        steps += [((self.stages[n.id], 1, (n.id,)), self.call(n)) for n in calls]
        steps.sort(key=lambda step: step[0])
        ends = tuple([self.result(n) for n in self.ends])
        n = len(self.outputs)
        if set(ends[n:]) & set(ends[:n]):
            raise CompileError("a truth value that must be False is an output too")
        return Program(self.buffers, [step for _, step in steps], ends[:n], ends[n:])

    def call(self, node: Node) -> Call:
        """An op for the backend."""
        inputs = [
            x.params["value"] if base is None else self.view(x, *base)
            for x, base in zip(node.inputs, self.given[node.id], strict=True)
        ]
        return Call(node.op, tuple(inputs), node.params, self.parts(node), node.line)

    def view(self, x: Node, base: Node, place: Place) -> View:
        """The elements of `base` that x consists of."""
        number = self.buffer(base)
        buffer = self.buffers[number]
        strides = buffer.strides if len(place) == base.ndim else (buffer.dtype.itemsize,)
        offset, steps = address(place, strides, len(squeezed(x.shape)))
        along = iter(steps)
        return View(number, offset, x.shape, tuple([0 if n == 1 else next(along) for n in x.shape]))

    # Buffers

    def buffer(self, node: Node) -> int:
        """The number of the buffer that a node is read from."""
        if node.id not in self.numbers:
            if self.kinds[node.id] == "item":
                self.parts(node.inputs[0])
            else:
                self.numbers[node.id] = self.add(self.home(node))
        return self.numbers[node.id]

    def target(self, node: Node) -> int:
        """The number of the buffer that a node is written to; a leaf or number is copied."""
        if self.kinds[node.id] not in ("leaf", "number"):
            return self.buffer(node)
        if node.id not in self.copies:
            self.copies[node.id] = self.add(self.fresh(node.id, node.shape, node.dtype))
        return self.copies[node.id]

    def result(self, node: Node) -> int:
        """The number of the buffer of an output: of an argument that loops cannot copy, its own."""
        if self.kinds[node.id] == "leaf" and not is_native(node):
            return self.buffer(node)
        return self.target(node)

    def parts(self, node: Node) -> tuple[int, ...]:
        """The numbers of the buffers of all outputs of a call."""
        if isinstance(node.dtype, np.dtype):
            return (self.buffer(node),)
        if node.id not in self.several:
            items = self.items.get(node.id, {})
            types = zip(node.shape, node.dtype, strict=True)
            found = [self.add(self.fresh(items.get(i), s, d)) for i, (s, d) in enumerate(types)]
            self.numbers |= {number: found[i] for i, number in items.items()}
            self.several[node.id] = tuple(found)
        return self.several[node.id]

    def home(self, node: Node) -> Buffer:
        """The buffer that a node is read from."""
        if node.op == "capture":
            array = node.params["array"]
            return Buffer("capture", array, node.shape, node.dtype, array.strides)
        if node.op == "input":
            index = node.params["index"]
            strides = self.strides.get(index) or bytes_of(node.shape, node.dtype)
            return Buffer("input", index, node.shape, node.dtype, tuple(strides))
        return self.fresh(node.id, node.shape, node.dtype)

    def fresh(self, number: int | None, shape: tuple[int, ...], dtype: np.dtype) -> Buffer:
        """New memory for the node of this number: an output's, or scratch."""
        index = None if number is None else self.homes.get(number)
        kind = "scratch" if index is None else "output"
        return Buffer(kind, index, shape, dtype, bytes_of(shape, dtype))

    def add(self, buffer: Buffer) -> int:
        """The number of a new buffer."""
        self.buffers.append(buffer)
        return len(self.buffers) - 1

    def elements(self, node: Node) -> tuple[int, ...]:
        """The strides of a node's buffer in elements."""
        buffer = self.buffers[self.buffer(node)]
        size = buffer.dtype.itemsize
        if any(s % size for s, n in zip(buffer.strides, buffer.shape, strict=True) if n > 1):
            raise CompileError(
                f"{buffer.kind} %{node.id} has strides of {buffer.strides} bytes, which are no "
                f"multiples of the {size} bytes of an element; copy it first"
            )
        return tuple([s // size for s in buffer.strides])


def needed(graph: Graph) -> list[Node]:
    """The nodes that an output depends on, in order."""
    alive = [False] * len(graph.nodes)
    for node in graph.outputs:
        alive[node.id] = True
    for node in reversed(graph.nodes):
        if alive[node.id]:
            for x in node.inputs:
                alive[x.id] = True
    return [node for node in graph.nodes if alive[node.id]]


def assembled(graph: Graph) -> Graph:
    """The graph with sums of single elements or rows, put into zeros, as arrays joined of them.

    So n reads x[i] of a Python loop have a derivative of n stores rather than of n² additions.
    """
    users = graph.users() if sum([is_pick(n) for n in graph.nodes]) >= PICKS else {}
    tops = {n.id: n for n in graph.nodes if users and is_top(n, users)}
    terms = {i: terms_of(n, users) for i, n in tops.items()}
    if not any(len(found) >= PICKS for found, _ in terms.values()):
        return graph
    new = Graph(graph.name)
    there: list[Node] = []
    for node in graph.nodes:
        found, others = terms.get(node.id, ((), ()))
        if len(found) >= PICKS:
            made = joined_rows(new, node, [there[n.id] for n in found])
            for x in others:
                made = new.add("add", [made, there[x.id]], shape=node.shape, dtype=node.dtype)
        else:
            made = new.add(
                node.op, [there[x.id] for x in node.inputs], node.params,
                shape=node.shape, dtype=node.dtype, weak=node.weak, line=node.line,
            )  # fmt: skip
        there.append(made)
    new.outputs = tuple([there[n.id] for n in graph.outputs])
    return new


def is_pick(node: Node) -> bool:
    """Whether a node is zeros but for one element, or one row, of its first axes."""
    if node.op != "index_add" or not is_basic(node.params["index"]) or not node.size:
        return False
    parts = picked(node.shape, node.params["index"])
    rest = [(k, p) for k, p in enumerate(parts) if p.out is not None]
    first = len(parts) - len(rest)
    whole = all(p == Picked(0, 1, node.shape[k], k - first) for k, p in rest)
    return (
        0 < first == (rest[0][0] if rest else len(parts))
        and whole
        and (node.inputs[0].shape == node.shape[first:])
    )


def is_sum(node: Node) -> bool:
    """Whether a node adds two arrays of its own shape and dtype."""
    return node.op == "add" and all(
        (x.shape, x.dtype) == (node.shape, node.dtype) for x in node.inputs
    )


def is_top(node: Node, users: dict[int, list[Node]]) -> bool:
    """Whether a node is a sum that is no term of another one."""
    above = users[node.id]
    return is_sum(node) and not (len(above) == 1 and is_sum(above[0]))


def terms_of(top: Node, users: dict[int, list[Node]]) -> tuple[list[Node], list[Node]]:
    """The terms of a sum in order: those that pick, and the others."""
    picks, others, waiting = list[Node](), list[Node](), [top]
    while waiting:
        node = waiting.pop()
        if node is top or (is_sum(node) and len(users[node.id]) == 1):
            waiting += reversed(node.inputs)
        else:
            (picks if is_pick(node) else others).append(node)
    return picks, others


def joined_rows(graph: Graph, node: Node, picks: list[Node]) -> Node:
    """The sum of `picks`, of the type of `node`: their rows, and zeros between them, joined."""
    (inner,) = {n.inputs[0].shape for n in picks[:1]}
    lead = node.shape[: node.ndim - len(inner)]
    rows: dict[int, Node] = {}
    for pick in picks:
        (x,) = pick.inputs
        starts = [p.start for p in picked(node.shape, pick.params["index"])][: len(lead)]
        row = sum([i * s for i, s in zip(starts, strides_of(lead), strict=True)])
        before = rows.get(row)
        rows[row] = x if before is None else graph.add(
            "add", [before, x], shape=x.shape, dtype=x.dtype
        )  # fmt: skip
    parts, place = list[Node](), 0
    zero = graph.constant(node.dtype.type(0))
    for row in (*sorted(rows), prod(lead)):
        if row > place:
            shape = (row - place, *inner)
            gap = graph.add(
                "broadcast_to", [zero], dict(shape=shape), shape=shape, dtype=node.dtype
            )
            parts.append(gap)
        if row in rows:
            shape = (1, *inner)
            parts.append(
                graph.add("reshape", [rows[row]], dict(shape=shape), shape=shape, dtype=node.dtype)
            )
        place = row + 1
    shape = (prod(lead), *inner)
    whole = graph.add("joined", parts, dict(axis=0), shape=shape, dtype=node.dtype)
    if shape == node.shape:
        return whole
    return graph.add("reshape", [whole], dict(shape=node.shape), shape=node.shape, dtype=node.dtype)


def bytes_of(shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, ...]:
    """The strides in bytes of a contiguous array."""
    return tuple([s * dtype.itemsize for s in strides_of(shape)])


def targets(node: Node, kinds: Sequence[str]) -> list[tuple[Node, int, tuple[int, ...]]]:
    """What is computed into the buffer of a node, each by a loop over its own array.

    A turned, permuted or reshaped value is stored where it belongs; what is joined, piece by piece.
    Of each the offset in the buffer and the steps by axis.
    """
    found = []
    waiting = [(node, 0, strides_of(node.shape))]
    while waiting:
        value, offset, steps = waiting.pop()
        below = before(value, offset, steps, kinds[value.id])
        if below is None:
            found.append((value, offset, steps))
        waiting += reversed(below or [])
    return found


def before(
    node: Node, offset: int, steps: tuple[int, ...], kind: str
) -> list[tuple[Node, int, tuple[int, ...]]] | None:
    """What stands behind a node that only arranges, and where its elements go; None of others."""
    if kind == "view" and node.op in ("permute_dims", "matrix_transpose", "flip", "reshape"):
        (x,) = node.inputs
        if node.op == "flip":
            axes = axes_of(node.params.get("axis"), node.ndim)
            last = [(n - 1) * s for n, s in zip(node.shape, steps, strict=True)]
            turned = tuple([-s if k in axes else s for k, s in enumerate(steps)])
            return [(x, offset + sum([last[k] for k in axes]), turned)]
        if node.op != "reshape":
            axes = node.params["axes"] if node.op == "permute_dims" else swapped(node.ndim)
            back = list(steps)
            for a, s in zip(axes, steps, strict=True):
                back[a] = s
            return [(x, offset, tuple(back))]
        if steps == strides_of(node.shape):
            return [(x, offset, strides_of(x.shape))]
    if kind == "regions" and node.op == "joined":
        axis, found = node.params["axis"], []
        for x in node.inputs:
            if x.dtype != node.dtype:
                return None
            if x.size:
                found.append((x, offset, steps))
            offset += x.shape[axis] * steps[axis]
        return found
    return None


def swapped(rank: int) -> tuple[int, ...]:
    """The axes with the last two exchanged."""
    return (*range(rank - 2), rank - 1, rank - 2)


def fold(node: Node, space: int) -> Unit:
    """The unit of a fold of some elements."""
    (x,) = node.inputs
    axes = folded_axes(node)
    kept = strides_of([1 if a in axes else n for a, n in enumerate(x.shape)])
    steps = tuple([0 if a in axes else s for a, s in enumerate(kept)])
    return Unit(node, x, x.shape, space, 0, steps, node.op, axes)


def describe(program: Program) -> str:
    """What became of a graph: its loops and calls, and the bytes that it moves.

    The least that could be moved is each input and each output once.
    """
    buffers = program.buffers
    lines, moved = described(program.steps, buffers)
    used = [b for b in buffers if b.kind != "scratch"]
    least = sum([prod(b.shape) * b.dtype.itemsize for b in used])
    most = "at most " * any(isinstance(step, Branch) for step in program.steps)
    return "\n".join([*lines, f"{most}{moved} bytes moved a call; inputs and outputs have {least}"])


def described(steps: Sequence[Step], buffers: Sequence[Buffer]) -> tuple[list[str], int]:
    """A line for each step, and the bytes they move; of a branch, the side that moves more."""
    lines, moved = list[str](), 0
    for step in steps:
        if isinstance(step, Branch):
            sides = [described(side, buffers) for side in step.sides]
            moved += max(size for _, size in sides)
            for word, (inside, _) in zip((f"unless scratch {step.buffer}:", "else:"), sides,
                                         strict=True):  # fmt: skip
                lines += [word, *[f"    {line}" for line in inside]]
            continue
        reads, writes = traffic(step, buffers)
        moved += sum(reads.values()) + sum(writes.values())
        if isinstance(step, Call):
            text = f"call of {step.op}"
        else:
            ops = [i.op for i in step.nests[0].body.instrs]
            ops += [f.how for f in step.nests[0].body.folds]
            ops = [op for op in dict.fromkeys(ops) if op not in ("load", "constant", "cast")]
            edges = f", {len(step.nests) - 1} edges" if len(step.nests) > 1 else ""
            text = f"loop over {[*step.extents]}{edges}: {' '.join(ops) or 'copy'}"
        given, made = (", ".join([called(buffers[b], b) for b in bs]) for bs in (reads, writes))
        lines.append(f"{text} of {given} -> {made}" if given else f"{text} -> {made}")
    return lines, moved


def traffic(step: Loop | Call, buffers: Sequence[Buffer]) -> tuple[dict[int, int], dict[int, int]]:
    """The bytes that a step reads, and those that it writes, by buffer."""
    reads, writes = dict[int, int](), dict[int, int]()
    if isinstance(step, Call):
        for x in step.inputs:
            if isinstance(x, View):
                size = prod([n for n, s in zip(x.shape, x.strides, strict=True) if s])
                count(reads, x.buffer, size, buffers)
        for b in step.outputs:
            count(writes, b, prod(buffers[b].shape), buffers)
        return reads, writes
    bodies = [nest.body for nest in step.nests]
    loads = {i.attr for body in bodies for i in body.instrs if i.op == "load"}
    ends = {access for body in bodies for _, access in body_ends(body)}
    for found, accesses in ((reads, loads), (writes, ends)):
        for access in accesses:
            moving = zip(step.extents, access.steps, strict=True)
            count(found, access.buffer, prod([n for n, s in moving if s]), buffers)
    return reads, writes


def count(found: dict[int, int], number: int, elements: int, buffers: Sequence[Buffer]) -> None:
    """Note that so many more elements of a buffer move, in all no more than it has."""
    buffer = buffers[number]
    size = buffer.dtype.itemsize
    most = prod(buffer.shape) * size
    found[number] = min(elements * size + found.get(number, 0), most)


def called(buffer: Buffer, number: int) -> str:
    """What a description calls a buffer."""
    name = buffer.kind if buffer.kind in ("input", "output") else f"{buffer.kind} {number}"
    index = f" {buffer.index}" if buffer.kind in ("input", "output") else ""
    return f"{name}{index} {buffer.dtype}{[*buffer.shape]}"
