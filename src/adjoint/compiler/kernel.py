"""A program after scheduling: loops over boxes of indices and calls of the backend, over buffers.

Everything is static: extents, strides and offsets are numbers, and the entry guards them. A loop
computes its body once for every index of its box; a body is straight-line code in SSA form, whose
loads and stores step through memory by an affine function of the index. A scalar block is a loop
over no axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


class Buffer(NamedTuple):
    """Memory that a program reads or writes, elements of one dtype.

    kind     "input", "capture", "output" (fresh for the user), "scratch" (dead after the call)
    index    which input or output; of a capture, the array itself
    shape    and `strides` in bytes; of an output or scratch C-contiguous
    """

    kind: str
    index: Any
    shape: tuple[int, ...]
    dtype: np.dtype
    strides: tuple[int, ...]


class Access(NamedTuple):
    """Where a loop reads or writes: element `offset + Σ index[k] · steps[k]` of a buffer.

    Offset and steps count elements of the buffer's dtype from its data pointer, so a transposed,
    reversed, sliced, broadcast or diagonal view needs no other form.
    """

    buffer: int
    offset: int
    steps: tuple[int, ...]


class Instr(NamedTuple):
    """One line of a body; its value is that of its place.

    op     "load" (attr: Access), "constant" (attr: the number), "index" (attr: the loop axis whose
           index it is, int64), "cast" (of args[0] to `dtype`), or an elementwise op of the registry
    args   places of earlier lines; all of one dtype except for `where` (mask first, bool) and
           what else NumPy itself takes mixed (`ldexp`): casts are explicit
    dtype  of the value
    """

    op: str
    args: tuple[int, ...]
    dtype: np.dtype
    attr: Any = None


class Store(NamedTuple):
    """Write the value of line `value` to memory, once for every index."""

    value: int
    access: Access


class Fold(NamedTuple):
    """Fold line `value` over some loop axes by `how`: sum, prod, max, min, any, all.

    The result goes to `access`, whose steps along the folded `axes` are zero. It is combined in an
    order that depends on the extents alone, never on threads; `access` is written once, whole, by
    all nests of the loop together: the first contribution initialises.
    """

    value: int
    how: str
    axes: tuple[int, ...]
    access: Access


@dataclass
class Body:
    """Straight-line code, and what becomes of its values."""

    instrs: list[Instr] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)


class Nest(NamedTuple):
    """A body computed over a box: `start <= index[k] < stop` along each axis k."""

    box: tuple[tuple[int, int], ...]
    body: Body


@dataclass
class Loop:
    """Nests that together cover `extents`, outermost axis first, the contiguous one last.

    The boxes are disjoint: the first nest is the interior, the others its edges, where what lies
    outside an array is another value. All nests have the same folds, in the same order, of the
    same accesses; a nest in which a fold gets nothing has no entry for it (see `Fold.access`).
    `lines` are the places in the user's code it came from, `nodes` the ids of its outputs.
    """

    extents: tuple[int, ...]
    nests: list[Nest]
    nodes: tuple[int, ...] = ()
    lines: tuple[str, ...] = ()


class View(NamedTuple):
    """A strided view of a buffer, as a backend function gets it; offset and strides in bytes."""

    buffer: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass
class Call:
    """An op run by the backend's own function: inputs are views of buffers or numbers.

    outputs   one buffer for each output of the op. `op.forward` may return fresh memory, which is
              then copied into the buffer unless the function takes `out=`.
    """

    op: str
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    outputs: tuple[int, ...]
    line: str = ""


@dataclass
class Branch:
    """A decision: the steps of `sides[k]` run where the truth value in `buffer` is k.

    Of what they write only one side is written in a run.
    """

    buffer: int
    sides: tuple[list[Step], list[Step]]


Step = Loop | Call | Branch


@dataclass
class Program:
    """What runs: buffers and the steps in order.

    outputs   by output: the buffer that holds it (one of kind "output", "input" or "capture", or a
              scratch buffer never; an input handed back unchanged is copied by the entry)
    checks    buffers of one bool each that must be False after the run, else the call is repeated
              by the eager engine (a NaN behind a choice, see `core.mend`)
    """

    buffers: list[Buffer]
    steps: list[Step]
    outputs: tuple[int, ...]
    checks: tuple[int, ...] = ()


def every(steps: Iterable[Step]) -> Iterator[Step]:
    """All steps, those of branches after the branch."""
    for step in steps:
        yield step
        if isinstance(step, Branch):
            for side in step.sides:
                yield from every(side)
