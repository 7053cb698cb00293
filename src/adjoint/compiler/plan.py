"""From a trace to what runs: the passes in order, the code, the link; and what each step took.

Code of a program of loops alone is kept on disk under a name of its graph, so another process has
it without scheduling, lowering or compiling anything.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..core.tree import build, children
from . import entry as native_entry
from .branches import woven
from .cache import fetch, key_of, native
from .entry import (
    Array,
    Capture,
    Captured,
    Cell,
    Check,
    Entry,
    Float,
    Fresh,
    Input,
    Item,
    Made,
    Output,
    Scalar,
    Scratch,
    Static,
    Threads,
    entry_ir,
)  # fmt: skip
from .fuse import describe, fuse
from .graph import Graph, Node, spelling
from .kernel import Program
from .passes import optimise
from .paths import spelled
from .run import LONG, Steps, is_native, whole
from .trace import Trace, number_of
from .vectorcall import Link

SLOTS = {kind.__name__: kind for kind in (Input, Capture, Output, Check, Scratch, Threads)}


class Plan:
    """What a function does with one kind of arguments, and how it is run.

    trace      the graph as it was written down
    kind       "native" (entered directly), "steps" (native loops between calls of the backend),
               "graph" (the ops one by one, where native code cannot run) or "eager"
    reason     why it is eager, or has no native code
    link       of a native plan: its code and what it refers to; `door`, the way in from Python
    call       of another: takes the values of the graph's inputs, gives those of its outputs
    stages     seconds by stage
    older      the plan for such arguments that was made before, for something outside had changed;
               `age` counts them
    strays     how many calls have left the paths of a function that decides by values, or failed a
               check, and led to no new path
    hindrance  why the last of them did not
    compilations  how often it was compiled, each time with more paths
    learnt     a trace that knows more paths than the program, if there is one; `waiting`, how many
    """

    age = strays = waiting = 0
    older: Plan | None = None
    learnt: Trace | None = None
    compilations = 1

    kind = "eager"
    hindrance = ""
    link: Link | None = None
    door: Any = None
    program: Program | None = None
    optimised: Graph | None = None
    listing = ""
    cached = False

    def __init__(self, trace: Trace | None, reason: str = "") -> None:
        self.trace, self.reason = trace, reason
        self.stages: dict[str, float] = {}
        self.call: Callable[[Sequence[Any]], Sequence[Any]] | None = None
        self.strides: dict[int, tuple[int, ...]] = {}
        self.outside = [(a, Array.of(a)) for a in arrays_of(trace)]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - start

    def holds(self) -> bool:
        """True while what the function took from outside is what it was."""
        return self.trace is None or (
            all(guard.holds() for guard in self.trace.guards)
            and all(Array.of(array) == layout for array, layout in self.outside)
        )

    def schedule(self) -> Program:
        """The program of this plan, which code from disk does not need."""
        trace = self.trace
        assert trace is not None
        if self.program is None:
            with self.stage("optimise"):
                self.optimised = optimise(trace.graph)
            with self.stage("fuse"):
                if trace.tree is None:
                    self.program = fuse(self.optimised, len(trace.checks), self.strides)
                else:
                    self.program = woven(self.optimised, trace.tree, self.strides)
        return self.program

    def lay_out(self, leaves: Sequence[Any]) -> None:
        """Note how the arrays among the arguments lie; they themselves are not kept."""
        assert self.trace is not None
        self.strides = {
            node.params["index"]: x.strides
            for x, node in zip(leaves, self.trace.leaves, strict=True)
            if isinstance(node, Node) and isinstance(x, np.ndarray)
        }

    def describe(self) -> str:
        """Which loops there are, and what they read and write."""
        return describe(self.schedule())


def planned(plan: Plan, args: Sequence[Any], kwargs: dict[str, Any],
            following: Link | None, keep: bool) -> Plan:  # fmt: skip
    """The plan of a trace of `f(*args, **kwargs)` with what runs.

    following   the link that native code goes on to where its guards do not hold
    keep        whether code is looked for and left on disk
    """
    assert plan.trace is not None
    form = outer_form(plan.trace, args, kwargs)
    if form is not None:
        with plan.stage("fetch"):
            key = name_of_code(plan, form) if keep else ""
            found = kept_code(plan, form, key)
        if found is None and is_native(plan.schedule()):
            found = compiled(plan, form, key)
        if found is not None:
            with plan.stage("link"):
                plan.link = native_entry.link(*found, following)
            plan.kind = "native"
            return plan
    program = plan.schedule()
    with plan.stage("compile"):
        steps = Steps(program, keep)
    plan.kind, plan.call = "steps", steps.run
    plan.listing = "\n".join(steps.listings)
    return plan


class Form:
    """What an entry takes and gives, as far as the trace decides it.

    text   all of it that its code depends on
    """

    def __init__(self, trace: Trace, inputs: Sequence[Any], keywords: tuple[str, ...]) -> None:
        self.trace, self.inputs, self.keywords = trace, tuple(inputs), keywords
        self.guards = tuple([
            Cell(g.place, g.value) if g.kind == "cell" else Item(g.place, g.name, g.value)
            for g in trace.guards
        ])  # fmt: skip
        mixed = trace.mixed
        self.outputs = tuple([
            Fresh("array", n.dtype, n.shape) if n.shape
            else Fresh(PYTHON[n.dtype.kind] if n.weak and k not in mixed else "scalar", n.dtype)
            for k, n in enumerate(trace.nodes)
        ])  # fmt: skip
        result = self.result(range(len(trace.nodes)))
        self.text = repr((
            blind(self.inputs), keywords, blind(result),
            [type(g).__name__ for g in self.guards], self.outputs,
        ))  # fmt: skip

    def result(self, homes: Sequence[int]) -> Any:
        """The output of the function; `homes`: by array leaf the output that holds it.

        An array that stands for two leaves is copied for the second, to be nobody else's.
        """
        places: list[Any] = []
        seen: set[int] = set()
        of_leaf = iter(homes)
        for e in self.trace.ends:
            if not isinstance(e, Node):
                places.append(Static(e.value))
                continue
            k = next(of_leaf)
            if k in seen and self.outputs[k].kind == "array":
                places.append(Made(np.ndarray.copy, (Output(k),)))
            elif k in self.trace.mixed:
                parts = Output(k), Output(len(self.outputs) - 1)
                places.append(Made(functools.partial(number_of, k), parts))
            else:
                places.append(Output(k))
            seen.add(k)
        return result_tree(self.trace.rebuild(places))

    def entry(self, slots: tuple[Any, ...], captures: tuple[Any, ...], homes: Sequence[int],
              long: bool) -> Entry:  # fmt: skip
        """The entry of code that gets these slots."""
        told = tuple([Captured(array, Array.of(array)) for array in captures])
        return Entry(self.inputs, slots, self.outputs, self.result(homes), self.keywords,
                     self.guards, told, long)  # fmt: skip


PYTHON = dict(f="float", i="int", b="bool", c="complex")


def blind(tree: Any) -> Any:
    """A tree without the objects in it, which code does not depend on."""
    if type(tree) in (tuple, list):
        return type(tree)([blind(x) for x in tree])
    if type(tree) is dict:
        return {repr(k) if type(k) in (str, int) else type(k): blind(v) for k, v in tree.items()}
    if type(tree) is Static:
        return f"static {type(tree.value).__name__}"
    if type(tree) is Made:
        return ("made", *[blind(p) for p in tree.parts])
    return tree


def outer_form(trace: Trace, args: Sequence[Any], kwargs: dict[str, Any]) -> Form | None:
    """How native code is entered with such arguments; None where it cannot take them apart."""
    inputs = [input_tree(x) for x in (*args, *kwargs.values())]
    return None if None in inputs else Form(trace, inputs, tuple(kwargs))


def input_tree(x: Any) -> Any:
    """What an entry knows of an argument; None for what it cannot look into."""
    kind = type(x)
    if kind is np.ndarray:
        return Array.of(x)
    if kind is float:
        return Float()
    if isinstance(x, np.generic):
        return Scalar(x.dtype)
    if kind in (tuple, list):
        parts = [input_tree(part) for part in x]
        return None if None in parts else kind(parts)
    if kind is dict:
        entries = {k: input_tree(v) for k, v in x.items()}
        return None if None in entries.values() else entries
    if kind is complex or (x is not None and children(x) is not None):
        return None
    return Static(x)


def result_tree(x: Any) -> Any:
    """The output of the function as an entry builds it: what is no plain container, by a call."""
    if x is None or type(x) in (Output, Static, Made):
        return x
    if type(x) in (tuple, list):
        return type(x)([result_tree(part) for part in x])
    if type(x) is dict:
        return {k: result_tree(v) for k, v in x.items()}
    split = children(x)
    assert split is not None
    return Made(lambda *parts: build(x, list(parts)), tuple([result_tree(p) for p in split[1]]))


def compiled(plan: Plan, form: Form, key: str) -> tuple[Entry, Any]:
    """Code for a program of loops, made, and kept under `key` with what its entry needs."""
    program = plan.schedule()
    with plan.stage("lower"):
        built, captures = whole(program)
        homes = [program.buffers[b].index for b in program.outputs]
        entry = form.entry(built.slots, tuple(captures), homes, built.lowered.cost > LONG)
        text = built.ir + entry_ir(entry)
    plan.listing = built.lowered.listing
    order = {id(a): k for k, a in enumerate(arrays_of(plan.trace))}
    facts = dict(
        slots=[(type(s).__name__, *s) for s in built.slots],
        captures=[order[id(a)] for a in captures], homes=homes, long=entry.release_gil,
        listing=plan.listing,
    )  # fmt: skip
    with plan.stage("compile"):
        return entry, native(text, key, facts)


def code_of(program: Program) -> str:
    """The code of a program, to be read."""
    if is_native(program):
        return whole(program)[0].ir
    return Steps(program, keep=False).text


def arrays_of(trace: Trace | None) -> list[np.ndarray]:
    """The arrays from outside, in the order of the graph."""
    return [node.params["array"] for node in trace.captures] if trace else []


def kept_code(plan: Plan, form: Form, key: str) -> tuple[Entry, Any] | None:
    """Code of an earlier process for such a trace; None where there is none."""
    found = fetch(key) if key else None
    if found is None:
        return None
    facts, arrays = found.facts, arrays_of(plan.trace)
    slots = tuple([SLOTS[name](*rest) for name, *rest in facts["slots"]])
    captures = tuple([arrays[k] for k in facts["captures"]])
    plan.listing, plan.cached = facts["listing"], True
    return form.entry(slots, captures, facts["homes"], facts["long"]), found.code


def name_of_code(plan: Plan, form: Form) -> str:
    """What code for a trace is kept under; "" where it cannot be named."""
    assert plan.trace is not None
    text = spelling(plan.trace.graph)
    tree = spelled(plan.trace.tree)
    return key_of("program", text, tree, form.text, repr(plan.strides)) if text else ""


__all__ = ["Plan", "code_of", "planned"]
