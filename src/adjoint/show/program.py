"""The mode that writes a program down: each op, its value and the user's line; and its reverse."""

from __future__ import annotations

import inspect
import linecache
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..core.op import Op, next_level
from ..core.reverse import unbroadcast
from ..core.traced import Traced, shape
from ..core.tree import flatten
from ..errors import AdjointError
from ..transforms.derivatives import at_level, checked, lowest
from .formula import NAME, SHOWN, Symbol, Text, bar, literal, summary, whole, written

PACKAGE = str(Path(__file__).parents[1]) + os.sep


class Place(NamedTuple):
    """Where in the user's source an op was called."""

    file: str
    line: int

    def __str__(self) -> str:
        code = linecache.getline(self.file, self.line).strip()
        try:
            file = str(Path(self.file).relative_to(Path.cwd()))
        except ValueError:
            file = self.file
        return f"{file}:{self.line}" + (f": `{code}`" if code else "")


@dataclass(eq=False)
class Line:
    """One line of a program: what `door` was told, and what came out."""

    op: Op
    inputs: list[Noted | None]
    primals: list[Any]
    out: Any
    params: dict[str, Any]
    place: Place
    outs: list[Noted] = field(default_factory=list)

    def smooth(self, i: int) -> bool:
        """True where the op has a derivative in its input i."""
        return self.op.vjp is not None or self.op.edges[i] is not None

    def formula(self, i: int = 0) -> str:
        """The op applied to the names of its inputs; of several outputs output i."""
        pairs = zip(self.inputs, self.primals, strict=True)
        terms = [literal(p) if n is None else whole(n.name, NAME) for n, p in pairs]
        text = written(self.op, terms, self.params)
        return text.text if len(self.outs) == 1 else f"{text.closed}[{i}]"


@dataclass(eq=False)
class Program:
    """All that a function did with its inputs."""

    inputs: list[Noted] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    cuts: list[Line] = field(default_factory=list)
    ends: list[Any] = field(default_factory=list)
    rebuild: Callable[..., Any] = tuple
    rebuild_out: Callable[..., Any] = tuple

    def seeds(self) -> Iterator[tuple[str, Any]]:
        """The name of each output, and the output."""
        for i, end in enumerate(self.ends, 1):
            yield "y" if len(self.ends) == 1 else f"y{i}", end


class Noted(Traced):
    """A value of the program and the line that made it; an input has none."""

    __slots__ = ("program", "line", "depth", "name")

    def __init__(self, primal: Any, level: int, program: Program, line: Any, depth: int) -> None:
        self.primal, self.level, self.node, self.program = primal, level, None, program
        self.line, self.depth, self.name = line, depth, ""


class Followed(Traced):
    """What the function works with: it stands for one value, and for another once written to."""

    __slots__ = ()

    def __init__(self, noted: Noted) -> None:
        self.primal, self.level, self.node = noted.primal, noted.level, noted

    @classmethod
    def record(cls, op: Op, top: list[Any], primals: Any, out: Any, params: dict[str, Any]) -> Any:
        """Write one line. What leaves as truth values or indices is set down as a cut."""
        inputs = [None if t is None else t.node for t in top]
        known = [n for n in inputs if n is not None]
        program, level = known[0].program, known[0].level
        line = Line(op, inputs, list(primals), out, params, place())
        if op.word == "predicate":
            program.cuts.append(line)
            return out
        program.lines.append(line)
        depth = 1 + max([n.depth for n in known])
        several = isinstance(out, (tuple, list))
        line.outs = [Noted(o, level, program, line, depth) for o in (out if several else [out])]
        values = [Followed(n) for n in line.outs]
        if not several:
            return values[0]
        return type(out)(*values) if hasattr(out, "_fields") else type(out)(values)

    def detach(self) -> Any:
        """The same value as a constant; the program remembers the cut."""
        return Followed.record(DETACH, [self], [self.primal], self.primal, {})


def _detach(xp: Any, x: Any, /) -> Any:
    """Derivative: zero where it exists, because the program says so."""
    return x


DETACH = Op(_detach, "constant")
DETACH.name, DETACH.edges = "detach", (None,)


class Step(NamedTuple):
    """One contribution of the reverse pass: what `line` sends back to the value `to`."""

    line: Line
    to: Noted
    cts: list[Any]
    back: Any
    text: Text
    before: Any
    total: Any


def place() -> Place:
    """The innermost line of source that is not adjoint's own."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_code.co_filename.startswith((PACKAGE, "<adjoint ")):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)


def follow(f: Callable[..., Any], args: tuple[Any, ...], who: str) -> Program:
    """Run `f` and write down what it does; values get the names v-1, v0, v1 ... of the literature.

    Lines are numbered layer by layer: what could be computed at the same time stands together.
    """
    program, level = Program(), next_level()
    trees = [flatten(a, n) for a, n in zip(args, argument_names(f, len(args)), strict=True)]
    built = []
    for leaves, paths, rebuild in trees:
        values = [lowest(checked(x, p, who)) for x, p in zip(leaves, paths, strict=True)]
        new = [Noted(v, level, program, None, 0) for v in values]
        program.inputs += new
        program.labels += paths
        built.append(rebuild(map(Followed, new)))
    program.rebuild = flatten(args)[2]
    with np.errstate(all="ignore"):
        ends, _, program.rebuild_out = flatten(f(*built))
    program.ends = [e.node if at_level(e, level) else lowest(e) for e in ends]
    program.lines.sort(key=lambda line: line.outs[0].depth)
    values = program.inputs + [o for line in program.lines for o in line.outs]
    for i, value in enumerate(values, 1 - len(program.inputs)):
        value.name = f"v{i}"
    return program


def argument_names(f: Callable[..., Any], n: int) -> list[str]:
    """The names of the first n arguments of `f`; x1, x2 ... where it does not say."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return (names + [f"x{i}" for i in range(len(names) + 1, n + 1)])[:n]


def pull(program: Program, cts: dict[Noted, Any]) -> Iterator[Step]:
    """Pull `cts` back along the lines, newest first, and add up in it; yield each contribution."""
    for line in reversed(program.lines):
        if not any(o in cts for o in line.outs):
            continue
        arrived = [cts.get(o, np.zeros_like(lowest(o))) for o in line.outs]
        with np.errstate(all="ignore"):
            for to, back in zip(line.inputs, pulled(line, arrived), strict=True):
                if to is None or back is None:
                    continue
                value, text = back
                if shape(value) != shape(to):
                    value, text = unbroadcast(value, shape(to)), whole(f"Σ({text.text})")
                before = cts.get(to)
                cts[to] = value if before is None else before + value
                yield Step(line, to, arrived, value, text, before, cts[to])


def pulled(line: Line, cts: list[Any]) -> list[tuple[Any, Text] | None]:
    """The cotangent of each input of `line` with its formula: the op's own rule, run on symbols."""
    level = next_level()

    def symbol(value: Any, name: str) -> Symbol:
        return Symbol(value, level, whole(name, NAME))

    pairs = zip(line.primals, line.inputs, strict=True)
    primals = [p if n is None else symbol(p, n.name) for p, n in pairs]
    outs = [symbol(o.primal, o.name) for o in line.outs]
    seeds = [symbol(ct, bar(o.name)) for ct, o in zip(cts, line.outs, strict=True)]
    several = isinstance(line.out, (tuple, list))
    op = line.op

    def apply(rule: Any, cts: list[Any], primals: list[Any], outs: list[Any]) -> Any:
        kept = rule.pick(primals, tuple(outs) if several else outs[0], line.params)
        return rule.vjp(cts if several else cts[0], kept)

    def run(rule: Any) -> Any:
        try:
            return apply(rule, seeds, primals, outs)
        except Exception:  # what a rule cannot do with symbols it is given numbers for
            try:
                return apply(rule, cts, line.primals, [o.primal for o in line.outs])
            except AdjointError as error:
                error.add_note(f"at {line.place}")
                raise

    if op.vjp is not None:
        backs = run(op)
    else:
        ends = zip(op.edges, line.inputs, strict=True)
        backs = [None if e is None or n is None else run(e) for e, n in ends]
    words = whole(f"pullback of {SHOWN.get(op.name, op.name)}")
    return [
        None if b is None else (b.primal, b.text) if at_level(b, level) else (b, words)
        for b in backs
    ]


def finish(program: Program, cts: dict[Noted, Any]) -> list[Any]:
    """The gradient in each input, zeros where nothing arrived; real for a real input."""
    found = []
    for x in program.inputs:
        ct = np.asarray(lowest(cts.get(x, np.zeros_like(x.primal))))
        found.append((ct.real if x.dtype.kind == "f" else ct).astype(x.dtype)[()])
    return found


__all__ = ["Line", "Noted", "Place", "Program", "Step", "finish", "follow", "pull", "summary"]
