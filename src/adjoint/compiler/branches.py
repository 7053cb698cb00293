"""A tree of paths as one program with branches, and as a function of arrays without native code.

Each fork ends a *segment*: the loops and calls that its question needs, scheduled like a graph of
their own. What a segment computes and a later one needs stays in memory, unless it is a large array
that costs less to compute again. A side that no call has taken yet, and a check that fails, say so
in one byte, and the call goes back to Python.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from .fuse import bytes_of, fuse
from .graph import LEAVES, Graph, Node
from .interpret import fresh, function, leaf, result
from .kernel import (
    Access,
    Body,
    Branch,
    Buffer,
    Call,
    Fold,
    Instr,
    Loop,
    Nest,
    Program,
    Step,
    Store,
    View,
)
from .paths import Fork, Leaf, Tree, assembled, leaves, preorder, results
from .vocabulary import NATIVE, kind_of, weight

BOOL = np.dtype(bool)
LITTLE = 64
"""Elements up to which a value is kept rather than computed again."""
CHEAP = 6
"""Additions' worth of arithmetic up to which a larger one is computed again."""


def woven(graph: Graph, tree: Tree, strides: Mapping[int, tuple[int, ...]]) -> Program:
    """The program of all paths of a tree.

    graph : that of the paths after the passes, whose outputs are those of `paths.results(tree)`
    strides : of inputs, by index, in bytes; the others are contiguous
    """
    return Weaver(graph, strides).program(renewed(tree, graph.outputs))


def renewed(tree: Tree, nodes: Sequence[Node]) -> Tree:
    """The tree of other nodes, given in preorder."""
    given = iter(nodes)

    def new(part: Tree) -> Tree:
        if isinstance(part, Fork):
            return replace(part, node=next(given))
        if part is None:
            return None
        ends = tuple([next(given) for _ in part.outputs])
        return Leaf(ends, part.form, tuple([next(given) for _ in part.checks]))

    return assembled([new(part) for part in preorder(tree)])


class Weaver:
    """Writes the program of a tree.

    buffers   of the whole program; `numbers`: what stands in them, and their places
    free      by shape and dtype the scratch buffers there are, for paths that exclude each other
    """

    def __init__(self, graph: Graph, strides: Mapping[int, tuple[int, ...]]) -> None:
        self.graph, self.strides = graph, strides
        self.buffers: list[Buffer] = []
        self.numbers: dict[Any, int] = {}
        self.free: dict[Any, list[int]] = defaultdict(list)

    def program(self, tree: Tree) -> Program:
        """All of it."""
        ends = leaves(tree)[0].outputs
        outputs = [
            self.add(Buffer("output", k, n.shape, n.dtype, bytes_of(n.shape, n.dtype)))
            for k, n in enumerate(ends)
        ]
        self.status = self.add(Buffer("scratch", None, (), BOOL, ()))
        self.outputs = tuple(outputs)
        steps = self.steps(tree, {}, {}, {})
        return Program(self.buffers, steps, self.outputs, (self.status,))

    def steps(
        self, tree: Tree, known: dict[int, int], taken: dict[Any, int], answers: dict[int, bool]
    ) -> list[Step]:
        """What is done from here on.

        known     by node id, the buffer in which its value is
        taken     by shape and dtype, how many scratch buffers are in use
        answers   of the questions asked on the way here
        """
        while isinstance(tree, Fork) and (answer := answered(tree.node, answers)) is not None:
            tree = tree.sides[answer]
        if not isinstance(tree, Fork):
            return self.end(tree, known, taken)
        node, taken, steps = tree.node, taken.copy(), list[Step]()
        if node.id not in known:
            kept = self.kept(tree, reached((node,), known), known)
            wanted = [*{n.id: n for n in (node, *kept)}.values()]
            targets = [self.scratch(n.shape, n.dtype, taken) for n in wanted]
            steps = self.segment(wanted, targets, known, taken)
            known = known | {n.id: b for n, b in zip(wanted, targets, strict=True)}
        no, yes = tree.sides
        steps.append(Branch(known[node.id], (
            self.steps(no, known, taken, answers | {node.id: False}),
            self.steps(yes, known, taken, answers | {node.id: True}),
        )))  # fmt: skip
        return steps

    def end(self, end: Leaf | None, known: dict[int, int], taken: dict[Any, int]) -> list[Step]:
        """The outputs, and whether the call must go back to Python."""
        graph = self.graph
        nodes, checks = ((), ()) if end is None else (end.outputs, end.checks)
        bad = graph.constant(np.bool_(end is None))
        for k, check in enumerate(checks):
            bad = graph.add("logical_or", (bad, check), shape=(), dtype=BOOL) if k else check
        targets = [*(self.outputs if end else ()), self.status]
        return self.segment([*nodes, bad], targets, known, taken.copy())

    # What is kept in memory

    def kept(self, fork: Fork, found: dict[int, Node], known: dict[int, int]) -> list[Node]:
        """Of what the segment of a fork computes, what is needed behind it."""
        kept: dict[int, Node] = {}
        seen: set[int] = set()
        waiting = [n for side in fork.sides for n in results(side)]
        while waiting:
            node = waiting.pop()
            if node.id in seen or node.id in known or node.op in LEAVES:
                continue
            seen.add(node.id)
            part = node.op == "item" and node.inputs[0].id in found
            if part or (node.id in found and not self.is_cheap(node, known)):
                kept[node.id] = node
            else:
                waiting += node.inputs
        return [kept[i] for i in sorted(kept)]

    def is_cheap(self, node: Node, known: dict[int, int]) -> bool:
        """Whether it is better to compute a value again than to keep it."""
        if type(node.dtype) is tuple:
            return True  # its parts are kept
        if node.size <= LITTLE:
            return False
        cost, waiting = 0, [node]
        while waiting and cost <= CHEAP:
            node = waiting.pop()
            if node.op in LEAVES or node.id in known:
                cost += 1
                continue
            kind = kind_of(node)
            if kind not in ("map", "view"):
                cost += 0 if node.size <= LITTLE else CHEAP + 1
                continue
            cost += weight(node) if kind == "map" else 0
            waiting += node.inputs
        return cost <= CHEAP

    # Segments

    def segment(
        self, nodes: Sequence[Node], targets: Sequence[int], known: dict[int, int],
        taken: dict[Any, int],
    ) -> list[Step]:  # fmt: skip
        """The steps that compute `nodes` into the buffers `targets`."""
        graph, there = Graph(self.graph.name), dict[int, Node]()
        homes: dict[int, int] = {}
        for _, n in sorted(reached(nodes, known).items()):
            if n.id in known:
                op, inputs, params = "input", [], dict(index=len(self.graph.inputs) + known[n.id])
                homes[params["index"]] = known[n.id]
            else:
                op, inputs, params = n.op, [there[x.id] for x in n.inputs], n.params
            there[n.id] = graph.add(
                op, inputs, params, shape=n.shape, dtype=n.dtype, weak=n.weak, line=n.line
            )
        graph.outputs = tuple([there[n.id] for n in nodes])
        part = fuse(graph, 0, self.strides)
        moved = [
            targets[b.index] if b.kind == "output" else self.home(b, homes, taken)
            for b in part.buffers
        ]
        steps = [transferred(step, moved) for step in part.steps]
        for target, b in zip(targets, part.outputs, strict=True):
            if moved[b] != target:
                steps.append(self.copied(moved[b], target))
        return steps

    def home(self, buffer: Buffer, homes: dict[int, int], taken: dict[Any, int]) -> int:
        """The place in the whole program of what a segment reads, or has for itself."""
        if buffer.kind == "scratch":
            return self.scratch(buffer.shape, buffer.dtype, taken)
        if buffer.kind == "input" and buffer.index in homes:
            return homes[buffer.index]
        key = buffer.kind, id(buffer.index) if buffer.kind == "capture" else buffer.index
        if key not in self.numbers:
            self.numbers[key] = self.add(buffer)
        return self.numbers[key]

    def scratch(self, shape: tuple[int, ...], dtype: np.dtype, taken: dict[Any, int]) -> int:
        """A scratch buffer that nothing else has on this path."""
        key = shape, dtype
        place = taken.get(key, 0)
        taken[key] = place + 1
        if place == len(self.free[key]):
            self.free[key].append(
                self.add(Buffer("scratch", None, shape, dtype, bytes_of(shape, dtype)))
            )
        return self.free[key][place]

    def add(self, buffer: Buffer) -> int:
        """The number of a new buffer."""
        self.buffers.append(buffer)
        return len(self.buffers) - 1

    def copied(self, source: int, target: int) -> Step:
        """What puts an array into another buffer: an argument, or what is an output already."""
        buffer = self.buffers[source]
        if buffer.dtype.char not in NATIVE:
            return Call("positive", (View(source, 0, buffer.shape, buffer.strides),), {}, (target,))
        n = prod(buffer.shape)
        load = Instr("load", (), buffer.dtype, Access(source, 0, (1,)))
        body = Body([load], [Store(0, Access(target, 0, (1,)))])
        return Loop((n,), [Nest(((0, n),), body)])


def answered(node: Node, answers: Mapping[int, bool]) -> bool | None:
    """What a question is answered without computing it; None if it is to be asked."""
    if node.op == "constant":
        return bool(node.params["value"])
    return answers.get(node.id)


def reached(nodes: Iterable[Node], known: Mapping[int, Any]) -> dict[int, Node]:
    """By id, what must be there to compute some nodes: not what is behind those that are known."""
    found: dict[int, Node] = {}
    waiting = [*nodes]
    while waiting:
        node = waiting.pop()
        if node.id not in found:
            found[node.id] = node
            if node.id not in known:
                waiting += node.inputs
    return found


def transferred(step: Step, moved: Sequence[int]) -> Step:
    """A step on other buffers."""
    if isinstance(step, Call):
        inputs = [
            x._replace(buffer=moved[x.buffer]) if isinstance(x, View) else x for x in step.inputs
        ]
        outputs = tuple([moved[b] for b in step.outputs])
        return Call(step.op, tuple(inputs), step.params, outputs, step.line)
    assert isinstance(step, Loop)
    nests = [Nest(box, on_others(body, moved)) for box, body in step.nests]
    return Loop(step.extents, nests, step.nodes, step.lines)


def on_others(body: Body, moved: Sequence[int]) -> Body:
    """A body on other buffers."""

    def there(access: Access) -> Access:
        return access._replace(buffer=moved[access.buffer])

    instrs = [i._replace(attr=there(i.attr)) if i.op == "load" else i for i in body.instrs]
    stores = [Store(value, there(access)) for value, access in body.stores]
    folds = [Fold(value, how, axes, there(access)) for value, how, axes, access in body.folds]
    return Body(instrs, stores, folds)


def runner(graph: Graph, tree: Tree) -> Callable[[Sequence[Any]], list[Any]]:
    """A function of the input arrays that follows the tree op by op.

    It returns the outputs and one truth value: whether the path was not met yet, or a check failed.
    """
    captures = [n.params["array"] for n in graph.nodes if n.op == "capture"]
    count = len(leaves(tree)[0].outputs)
    segments: dict[Any, list[Any]] = {}

    def segment(part: Any, values: dict[int, Any]) -> list[Any]:
        """The steps of a fork or leaf; they are the same in each run, for the way there is."""
        if part not in segments:
            nodes = (part.node,) if isinstance(part, Fork) else part.outputs + part.checks
            new = [n for i, n in sorted(reached(nodes, values).items()) if i not in values]
            segments[part] = [(n, function(n), [x.id for x in n.inputs]) for n in new]
        return segments[part]

    def run(arrays: Sequence[Any]) -> list[Any]:
        part, values = tree, dict[int, Any]()
        with np.errstate(all="ignore"):
            while part is not None:
                for node, call, inputs in segment(part, values):
                    values[node.id] = (
                        leaf(node, arrays)
                        if call is None
                        else result(node, call(*[values[i] for i in inputs], **node.params))
                    )
                if isinstance(part, Leaf):
                    held = {id(a) for a in (*arrays, *captures)}
                    bad = any(values[n.id] for n in part.checks)
                    return [*[fresh(values[n.id], held) for n in part.outputs], bad]
                part = part.sides[bool(values[part.node.id])]
        return [*[None] * count, True]

    return run
