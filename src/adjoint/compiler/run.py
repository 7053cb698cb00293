"""A scheduled program made callable: native regions, and the backend's functions between them.

A program of loops alone is one region, entered from Python directly. Any other becomes a few lines
of Python, one a step, which pass NumPy arrays from a region to a function and on. Their scratch
memory is kept from call to call; a call that finds it taken makes its own.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from ..core.op import OPS
from ..errors import CompileError
from . import entry as native_entry
from .cache import native
from .entry import Capture, Check, Entry, Input, Memory, Output, Scratch, Threads, entry_ir
from .kernel import Branch, Call, Program, Step, View, every
from .lower import Lowered, Module, lower
from .machine import host
from .passes import Arena, padded, reuse, touches
from .vectorcall import Native, vectorcall

LONG = 20e3  # ns of a run from which on other Python threads may run meanwhile
IN_PLACE: dict[str, Callable[..., Any]] = {"matmul": np.matmul}
"""Functions that write their result where they are told."""


OPENING = "def run(x):\n    try:\n"
CLOSING = "    except Exception as error:\n        blamed(error)\n        raise\n"


@vectorcall
class Region(Native):
    """Loops between two calls of the backend: takes the arrays they read and write."""

    __slots__ = ()


class Built(NamedTuple):
    """The code of a program that is one region, and what its slots are filled with."""

    ir: str
    lowered: Lowered
    slots: tuple[Any, ...]


def slots_of(places: dict[int, Any], lowered: Lowered, free: int = 0) -> tuple[Any, ...]:
    """What the slots of a region are filled with.

    places   by buffer, what its slot is filled with
    free     where scratch memory that is not taken yet begins
    """
    more: list[Any] = [Scratch(lowered.scratch_bytes, free)] * (lowered.scratch_bytes > 0)
    more += [Threads()] * lowered.parallel
    return (*places.values(), *more)


def numbered(places: dict[int, Any]) -> dict[int, int]:
    """The slot of each buffer."""
    return {b: k for k, b in enumerate(places)}


def place_of(program: Program, b: int, captures: list[Any], arena: Arena) -> Any:
    """What the slot of a buffer is filled with in a program that is one region."""
    buffer = program.buffers[b]
    if b in program.checks:
        return Check()
    if buffer.kind == "input":
        return Input(buffer.index)
    if buffer.kind == "capture":
        captures.append(buffer.index)
        return Capture(len(captures) - 1)
    if buffer.kind == "output":
        return Output(buffer.index)
    return Scratch(padded(buffer), arena.offsets.get(b, 0))


def whole(program: Program) -> tuple[Built, list[Any]]:
    """The code of a program without calls, and the arrays from outside that it reads."""
    captures: list[Any] = []
    arena = reuse(program)
    places = {b: place_of(program, b, captures, arena) for b in range(len(program.buffers))}
    lowered = lower(program.steps, program.buffers, numbered(places), host())
    return Built(lowered.ir, lowered, slots_of(places, lowered, arena.size)), captures


def is_native(program: Program) -> bool:
    """True for a program that loops alone compute, its outputs too."""
    made = all(program.buffers[b].kind == "output" for b in program.outputs)
    return made and all(is_region(step) for step in program.steps)


def is_region(step: Step) -> bool:
    """True for what calls no function of the backend."""
    return not any(isinstance(part, Call) for part in every((step,)))


class Steps:
    """A program with calls of the backend, as a Python function of its input arrays.

    text      the function, to be read
    listings  of the regions, what `Lowered.listing` says
    run       takes the arrays of the inputs; returns those of the outputs, fresh, and the checks
    """

    def __init__(self, program: Program, keep: bool) -> None:
        self.program, self.listings = program, list[str]()
        self.key = None if keep else ""
        self.regions: list[tuple[list[Step], list[int]]] = []  # and the buffers they use
        self.names: dict[str, Any] = dict(
            asarray=np.asarray, view=view, fitted=fitted, empty=np.empty, blamed=self.blamed
        )
        self.lines: list[str] = []
        self.origins: dict[int, str] = {}
        self.spare: list[Any] = []
        self.made: set[int] = set()
        self.arena = reuse(program)
        self.kept = self.preallocated()
        self.write()
        if self.regions:
            self.compile()

    def preallocated(self) -> list[int]:
        """Scratch buffers that are written where they lie, rather than rebound by a call."""
        bound = {
            b for s in every(self.program.steps) if isinstance(s, Call) and s.op not in IN_PLACE
            for b in s.outputs
        }  # fmt: skip
        return [b for b in self.arena.offsets if b not in bound]

    def scratch(self) -> tuple[np.ndarray, ...]:
        """One set of scratch arrays, at multiples of 64 bytes."""
        memory = np.empty(self.arena.size + 63, np.uint8)
        start = -memory.ctypes.data % 64
        return tuple(
            [
                np.ndarray(buffer.shape, buffer.dtype, memory, start + self.arena.offsets[b])
                for b in self.kept
                for buffer in [self.program.buffers[b]]
            ]
        )

    def write(self) -> None:
        """Write the function, and compile it."""
        program = self.program
        for b, buffer in enumerate(program.buffers):
            if buffer.kind == "input":
                self.lines.append(f"b{b} = asarray(x[{buffer.index}])")
                self.made.add(b)
            elif buffer.kind == "capture":
                self.names[f"b{b}"] = buffer.index
                self.made.add(b)
        if self.kept:
            self.names |= dict(spare=self.spare, scratch=self.scratch)
            self.lines.append("s = spare.pop() if spare else scratch()")
            self.lines.append(f"{', '.join(f'b{b}' for b in self.kept)}, = s")
        self.made.update(self.kept)
        if any(isinstance(step, Branch) for step in program.steps):
            for b in program.outputs:  # made in one place, written on one side or the other
                self.array(b)
        self.steps(program.steps)
        ends = [self.ended(b, k) for k, b in enumerate((*program.outputs, *program.checks))]
        self.lines += [f"r = {''.join(f'{e}, ' for e in ends) or '()'}"]
        if self.kept:
            self.lines.append("spare.append(s)")
        self.lines.append("return r")
        body = "".join(f"        {line}\n" for line in self.lines)
        self.text = f"{OPENING}{body}{CLOSING}"
        file = f"<adjoint program {len(linecache.cache)}>"
        linecache.cache[file] = (len(self.text), None, self.text.splitlines(keepends=True), file)
        exec(compile(self.text, file, "exec"), self.names)
        self.run = self.names["run"]

    def steps(self, steps: Sequence[Step]) -> None:
        """Steps in order, those without calls together."""
        for together, group in groupby(steps, is_region):
            if together:
                self.region(list(group))
                continue
            for step in group:
                if isinstance(step, Branch):
                    self.branch(step)
                else:
                    assert isinstance(step, Call)
                    self.call(step)

    def branch(self, branch: Branch) -> None:
        """One side or the other."""
        words = f"if not {self.array(branch.buffer)}:", "else:"
        for word, side in zip(words, branch.sides, strict=True):
            made, begun = self.made.copy(), len(self.lines)
            self.lines.append(word)
            self.steps(side)
            self.made = made
            self.lines[begun + 1 :] = [f"    {line}" for line in self.lines[begun + 1 :]]

    def region(self, steps: list[Step]) -> None:
        """Loops and branches of them: their outputs made, their code called."""
        used = list(dict.fromkeys(b for step in every(steps) for b in touches(step)))
        for b in used:
            self.array(b)
        self.lines.append(f"loops{len(self.regions)}({', '.join(f'b{b}' for b in used)})")
        self.regions.append((steps, used))

    def compile(self) -> None:
        """The code of all regions, which is one module: LLVM takes 5 ms for any."""
        module, entries, texts = Module(host()), list[Entry](), list[str]()
        for k, (steps, used) in enumerate(self.regions):
            places = {b: Input(place) for place, b in enumerate(used)}
            lowered = module.add(steps, self.program.buffers, numbered(places), f"run{k}")
            entry = Entry((Memory(),) * len(used), slots_of(places, lowered),
                          release_gil=lowered.cost > LONG)  # fmt: skip
            entries.append(entry)
            texts.append(entry_ir(entry, f"entry{k}", f"run{k}"))
            self.listings.append(lowered.listing)
        code = native(module.text() + "".join(texts), self.key)
        for k, entry in enumerate(entries):
            region = Region(miss=refused, again=refused)
            region.link = native_entry.link(entry, code, name=f"entry{k}")
            self.names[f"loops{k}"] = region

    def array(self, b: int) -> str:
        """The name of a buffer's array, which is made here if nothing has made it before."""
        if b not in self.made:
            buffer = self.program.buffers[b]
            self.lines.append(f"b{b} = empty({buffer.shape}, {self.named(buffer.dtype)})")
            self.made.add(b)
        return f"b{b}"

    def ended(self, b: int, k: int) -> str:
        """The text of output k: an array, which is nobody else's, or a number."""
        buffer = self.program.buffers[b]
        if not buffer.shape:
            return f"{self.array(b)}[()]"
        shared = buffer.kind in ("input", "capture") or b in self.program.outputs[:k]
        return self.array(b) + ".copy()" * shared

    def blamed(self, error: Exception) -> None:
        """Say of an error which op raised it, and where the user wrote it."""
        assert error.__traceback__ is not None
        origin = self.origins.get(error.__traceback__.tb_lineno)
        if origin is not None:
            error.add_note(origin)

    def named(self, value: Any) -> str:
        """A name for an object that the text cannot spell."""
        for name, known in self.names.items():
            if known is value:
                return name
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def call(self, call: Call) -> None:
        """One function of the backend."""
        program = self.program
        given = [self.viewed(x) for x in call.inputs]
        params = [f"{k}={self.named(v)}" for k, v in call.params.items()]
        in_place = IN_PLACE.get(call.op)
        if in_place is not None and program.buffers[call.outputs[0]].shape:
            out = self.array(call.outputs[0])
            self.from_line(call)
            self.lines.append(f"{self.named(in_place)}({', '.join([*given, f'out={out}'])})")
            return
        names = [f"b{b}" for b in call.outputs]
        kinds = [(program.buffers[b].shape, program.buffers[b].dtype) for b in call.outputs]
        result = f"{self.named(OPS[call.op].call)}({', '.join([*given, *params])})"
        fit = f"fitted({result}, {self.named(tuple(kinds))})"
        self.from_line(call)
        self.lines.append(f"{', '.join(names)}, = {fit}")
        self.made |= set(call.outputs)

    def from_line(self, call: Call) -> None:
        """Remember where the next line comes from."""
        line = len(self.lines) + OPENING.count("\n") + 1
        self.origins[line] = f"in `{call.op}` of a compiled function{call.line and ', '}{call.line}"

    def viewed(self, x: Any) -> str:
        """The text of an argument: a whole buffer, a view of one, or a number."""
        if not isinstance(x, View):
            return self.named(x)
        buffer = self.program.buffers[x.buffer]
        name = self.array(x.buffer)
        if (x.offset, x.shape, x.strides) == (0, buffer.shape, buffer.strides):
            return name if x.shape else f"{name}[()]"
        return f"view({name}, {self.named(buffer.dtype)}, {x.offset}, {x.shape}, {x.strides})"


def view(
    array: np.ndarray, dtype: np.dtype, offset: int, shape: tuple[int, ...],
    strides: tuple[int, ...],
) -> np.ndarray:  # fmt: skip
    """Elements of `array`, offset and strides in bytes from its first."""
    if array.flags.c_contiguous and min(strides, default=0) >= 0:
        return np.ndarray(shape, dtype, array, offset, strides)
    facts = dict(array.__array_interface__, shape=shape, strides=strides)
    facts["data"] = (facts["data"][0] + offset, False)
    return np.asarray(Shown(facts, array))


class Shown:
    """Memory that is shown otherwise."""

    def __init__(self, facts: dict[str, Any], owner: np.ndarray) -> None:
        self.__array_interface__, self.owner = facts, owner


def fitted(result: Any, kinds: Sequence[Any]) -> list[np.ndarray]:
    """What a function returned, as arrays of their own of the kinds that were traced."""
    found = []
    parts = result if isinstance(result, (tuple, list)) else (result,)
    for value, (shape, dtype) in zip(parts, kinds, strict=True):
        array = np.ascontiguousarray(value) if shape else np.asarray(value)
        if array.shape != shape or array.dtype != dtype:
            raise CompileError(
                f"a function of the backend made {array.dtype}{list(array.shape)} where the trace "
                f"has {dtype}{list(shape)}"
            )
        found.append(array.copy() if array.base is not None else array)
    return found


def refused(*args: Any) -> Any:
    """What a region answers where its arrays are not as its program promised."""
    raise CompileError("a compiled region was given arrays that are not as they were traced")
