"""Loops found again in straight-line code: what a Python loop left unrolled becomes a loop.

A body traced from a Python loop is one long line in which a stretch of lines repeats, and repeats
again, backwards in time, in the derivative. `reroll` finds the stretches; `emit_items` writes them.

Finding goes in two steps. *Candidates* are runs of lines equal in op and dtype to those one period
before; the periods are the distances at which windows of eight lines recur. A run then is *proven*:
for every argument of every line, what it reads must follow one rule over all turns that are rolled
(see the operands below). Where a rule breaks the loop ends, and another may begin; what obeys none
stays straight: the first and last turns, mostly, whose constants were folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .emit import SCALARS, Builder, Value, lane_kind, literal
from .kernel import Body, Instr

# Fewest turns of a loop, and fewest lines that it must save.
TURNS, SAVED = 4, 24
# How many turns back a carried value may be: each one is a register.
REACH = 16
# How many periods are tried, and how often what failed is tried with the next best.
PERIODS, ROUNDS = 32, 4
LEAVES = frozenset(("constant", "load", "index"))
# Rules that an argument follows from one turn to the next: it moves along with the lines, it stays,
# it is looked up, or it moves by `rule - STEP` (elements of a load, turns of an earlier loop).
BROKEN, ALONG, STAYS, LISTED, STEP = 0, 1, 2, 3, 1 << 40
# An odd number without pattern, the base of the windows' hash.
MIX = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class Line:
    """The value of a line of the same turn."""

    line: int


@dataclass(frozen=True)
class Carried:
    """The value of a line `len(initial)` turns ago; in the first turns those of `initial`."""

    line: int
    initial: tuple[int, ...]


@dataclass(frozen=True)
class Fixed:
    """The same value from outside in every turn, that of a place of the body."""

    place: int


@dataclass(frozen=True)
class Moving:
    """A load whose offset moves: in turn 0 that of `place`, then `stride` elements more a turn."""

    place: int
    stride: int


@dataclass(frozen=True)
class Table:
    """Values from outside that follow no rule: in turn k that of `places[k]`."""

    places: tuple[int, ...]


@dataclass(frozen=True)
class Stream:
    """What `line` of an earlier loop was in its turn `start + step * k`."""

    rolled: Rolled
    line: int
    start: int
    step: int


Operand = Line | Carried | Fixed | Moving | Table | Stream


@dataclass(eq=False, repr=False)
class Rolled:
    """A stretch as a loop: turn k computes the instrs at `places[k]`, one for each line.

    operands   by line what its arguments are
    taped      lines whose value is read outside in turns before the last: all turns are stored
    """

    places: np.ndarray
    operands: list[tuple[Operand, ...]]
    taped: set[int] = field(default_factory=set)

    count = property(lambda self: len(self.places))


Item = int | Rolled


def reroll(body: Body) -> list[Item]:
    """The body as items in order: places of its instrs, and loops in place of repeated stretches.

    Constants, loads and indices are no items: they are made where they are needed.
    """
    code = Code(body.instrs)
    code.search()
    items: list[Item] = []
    done = 0
    for start, rolled in sorted(code.loops, key=lambda found: found[0]):
        items += [*code.order[done:start].tolist(), rolled]
        done = start + rolled.places.size
    items += code.order[done:].tolist()
    if code.loops:
        mark_taped(body, items)
    return items


def results(body: Body) -> list[int]:
    """The places of what a body stores and folds."""
    return [*[store.value for store in body.stores], *[fold.value for fold in body.folds]]


def homes(items: list[Item]) -> dict[int, tuple[Rolled, int, int]]:
    """By place which loop computes it, in which turn, by which line."""
    return {
        place: (item, turn, line)
        for item in items
        if isinstance(item, Rolled)
        for turn, places in enumerate(item.places.tolist())
        for line, place in enumerate(places)
    }


def mark_taped(body: Body, items: list[Item]) -> None:
    """Note in each loop which lines are read from outside in turns before the last."""
    home = homes(items)
    read = set(results(body))
    for item in items:
        if not isinstance(item, Rolled):
            read.update(body.instrs[item].args)
            continue
        for operand in [x for operands in item.operands for x in operands]:
            if isinstance(operand, Stream):
                operand.rolled.taped.add(operand.line)
            else:
                read.update(outside(operand))
    for place in read & home.keys():
        rolled, turn, line = home[place]
        if turn < rolled.count - 1:
            rolled.taped.add(line)


def outside(operand: Operand) -> tuple[int, ...]:
    """The places that an operand reads before its loop begins."""
    match operand:
        case Carried(_, initial):
            return initial
        case Fixed(place):
            return (place,)
        case Table(places):
            return places
    return ()


class Run(NamedTuple):
    """Lines `start` to `start + length`: each is like the one a `period` later."""

    start: int
    period: int
    length: int


class Window(NamedTuple):
    """Turns that make a loop: (turns, period) their lines, (period, arity) the arguments' rules."""

    lines: np.ndarray
    rules: np.ndarray

    @property
    def saved(self) -> int:
        """Lines fewer than straight code, the entries of tables counted."""
        count, period = self.lines.shape
        return (count - 1) * period - count * int((self.rules == LISTED).sum())


class Code:
    """The lines of a body as arrays, and the loops that were found in them.

    order    places of the instrs that are no leaves, in the order of computation
    tokens   by line a number, equal for lines of equal op, dtype, attribute and kinds of arguments
    args     (lines, arity) places of the arguments, -1 where there are fewer
    line     by place its line, -1 for a leaf; of place -1, too
    loops    each with its first line; by line, `owner` says which one (-1: none), `turn` which turn
             of it, `slot` which line
    """

    def __init__(self, instrs: list[Instr]) -> None:
        names: dict[Any, int] = {}
        kinds = [names.setdefault(kind(i), len(names)) for i in instrs]
        given = [k if i.op in LEAVES else i.dtype.char for i, k in zip(instrs, kinds, strict=True)]
        order = ordered(instrs)
        arity = max((len(instrs[place].args) for place in order), default=0)
        keys = [(kinds[place], *[given[a] for a in instrs[place].args]) for place in order]
        rows = [(*a, *[-1] * (arity - len(a))) for a in [instrs[place].args for place in order]]
        self.instrs = instrs
        self.order = np.array(order, np.int64)
        self.tokens = np.array([names.setdefault(key, len(names)) for key in keys], np.int64)
        self.args = np.array(rows, np.int64).reshape(len(order), arity)
        self.line = np.full(len(instrs) + 1, -1)
        self.line[self.order] = np.arange(len(order))
        self.loads = np.array([*[i.op == "load" for i in instrs], False])
        self.offset = np.array([*[i.attr.offset if i.op == "load" else 0 for i in instrs], 0])
        self.loops: list[tuple[int, Rolled]] = []
        self.owner, self.turn, self.slot = np.full((3, len(order) + 1), -1)

    def search(self) -> None:
        """Find loops: the longest runs first, then others in what those left straight.

        A run of which little can be proven may hide one of another period, and is put off.
        """
        runs = sorted(self.runs(), key=lambda run: (-run.length, run.period))
        tried: set[Run] = set()
        for turn in range(ROUNDS):
            last = turn == ROUNDS - 1
            chosen = self.apart([run for run in runs if last or run not in tried])
            for whole, run in sorted(chosen, key=lambda pair: pair[1]):
                tried.add(whole)
                found = list(self.proven(run))
                if last or 2 * sum(w.saved for w in found) >= run.length:
                    for window in found:
                        self.roll(window)

    def runs(self) -> Iterator[Run]:
        """Every run of every period worth trying."""
        for period in self.periods():
            like = np.zeros(len(self.tokens) - period + 2, np.int8)
            like[1:-1] = self.tokens[period:] == self.tokens[:-period]
            starts, ends = np.flatnonzero(np.diff(like) == 1), np.flatnonzero(np.diff(like) == -1)
            long = ends - starts >= max(period * (TURNS - 1), SAVED)
            for start, end in zip(starts[long].tolist(), ends[long].tolist(), strict=True):
                yield Run(start, period, end - start)

    def periods(self) -> list[int]:
        """The distances at which windows of eight lines most often recur, and twice the best."""
        windows = self.tokens.astype(np.uint64)
        for step in (1, 2, 4):
            if len(windows) <= step:
                return []
            windows = windows[:-step] * np.uint64(pow(MIX, step, 1 << 64)) + windows[step:]
        order = np.argsort(windows, kind="stable")
        apart = np.diff(order)[np.diff(windows[order]) == 0]
        distances, counts = np.unique(apart, return_counts=True)
        best = distances[np.argsort(-counts, kind="stable")][:PERIODS].tolist()
        tried = dict.fromkeys([*best, *[2 * distance for distance in best[:3]]])
        return [period for period in tried if period * TURNS <= len(self.tokens)]

    def apart(self, runs: list[Run]) -> list[tuple[Run, Run]]:
        """Runs, and what is left of each where earlier ones and the loops have taken theirs."""
        taken = self.owner >= 0
        chosen = []
        for run in runs:
            stop = run.start + run.length + run.period
            edges = np.flatnonzero(np.diff(taken[run.start : stop], prepend=True, append=True))
            for start, end in (edges.reshape(-1, 2) + run.start).tolist():
                length = end - start - run.period
                if length >= max(run.period * (TURNS - 1), SAVED):
                    chosen.append((run, Run(start, run.period, length)))
                    taken[start:end] = True
        return chosen

    def proven(self, run: Run) -> Iterator[Window]:
        """The longest successions of whole turns in which every argument follows one rule."""
        start, period, length = run
        lines = start + np.arange((length // period + 1) * period).reshape(-1, period)
        rules, read = self.rules(lines)
        steady = (rules[1:] == rules[:-1]).all((1, 2))
        broken = (rules == BROKEN).any((1, 2))
        starts = ~broken & np.insert(~steady, 0, True)
        free = 0
        for first in np.flatnonzero(starts).tolist():
            last = first + 1
            while last < len(rules) and steady[last - 1]:
                last += 1
            # What stays is from outside: no turn of this loop computes it.
            rule = rules[first]
            inner = read[first][(rule == STAYS) & (read[first] >= start)]
            first = max(first, free, (int(inner.max(initial=-1)) - start) // period + 1)
            window = Window(lines[first : last + 1], rule)
            if last + 1 - first >= TURNS and window.saved >= SAVED:
                free = last + 1
                yield window

    def rules(self, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(turns - 1, period, arity) the rule of each argument from turn to turn; the lines read.

        A rule that would break often is given up for a table, if all it reads is from before.
        """
        places = self.args[lines]
        read, loads = self.line[places], self.loads[places[0]]
        leaf = (read[0] < 0) & ~loads
        moved = np.diff(np.where(loads, self.offset[places], read), axis=0)
        owner, slot = self.owner[read], self.slot[read]
        turned = np.diff(self.turn[read], axis=0)
        streamed = (owner[1:] >= 0) & (owner[1:] == owner[:-1]) & (slot[1:] == slot[:-1])
        period = lines.shape[1]
        near = (moved == period) & (lines[1:, :1, None] - read[1:] <= REACH * period) & ~loads
        rules = np.select(
            [leaf | (moved == 0), streamed, near, loads & (moved != 0)],
            [STAYS, STEP + turned, ALONG, STEP + moved],
            BROKEN,
        )
        breaks = (rules[1:] != rules[:-1]).sum(0) + (rules == BROKEN).sum(0)
        before = loads | (read.max(0) < lines[0, 0])
        rules[:, before & (breaks > max(2, len(rules) // 8))] = LISTED
        return rules, read

    def roll(self, window: Window) -> None:
        """Make a window a loop."""
        lines, rules = window
        places = self.args[lines]
        operands = [
            tuple(
                self.operand(lines, q, places[:, q, i], int(rule))
                for i, rule in enumerate(rules[q].tolist())
                if places[0, q, i] >= 0
            )
            for q in range(lines.shape[1])
        ]
        flat = lines.ravel()
        self.owner[flat] = len(self.loops)
        self.turn[flat], self.slot[flat] = np.indices(lines.shape).reshape(2, -1)
        self.loops.append((int(lines[0, 0]), Rolled(self.order[lines], operands)))

    def operand(self, lines: np.ndarray, q: int, places: np.ndarray, rule: int) -> Operand:
        """An argument of line q, which reads these `places` turn by turn, by its rule."""
        start, period = int(lines[0, 0]), lines.shape[1]
        read = int(self.line[places[0]])
        if rule == ALONG:
            back, line = divmod(read - start, period)
            return Carried(line, tuple(places[:-back].tolist())) if back else Line(line)
        if rule == LISTED:
            return Table(tuple(places.tolist()))
        if rule == STAYS and (read >= 0 or self.loads[places[0]] or same(self.instrs, places)):
            return Fixed(int(places[0]))
        if rule == STAYS:
            return Table(tuple(places.tolist()))
        if self.loads[places[0]]:
            return Moving(int(places[0]), rule - STEP)
        rolled = self.loops[self.owner[read]][1]
        return Stream(rolled, int(self.slot[read]), int(self.turn[read]), rule - STEP)


def kind(instr: Instr) -> Any:
    """What lines must share to be one line of a loop; of a load all but its offset."""
    match instr.op:
        case "constant":
            return "constant", instr.dtype.char
        case "load":
            return "load", instr.attr.buffer, instr.attr.steps, instr.dtype.char
    return instr.op, instr.dtype.char, instr.attr if instr.attr is None else repr(instr.attr)


def ordered(instrs: list[Instr]) -> list[int]:
    """Places of all but leaves, each cosine moved to the sine of the same, whose work it shares."""
    sines = {instr.args: place for place, instr in enumerate(instrs) if instr.op == "sin"}
    pairs = {
        sines[instr.args]: place
        for place, instr in enumerate(instrs)
        if instr.op == "cos" and sines.get(instr.args, place) < place
    }
    order = []
    moved = set(pairs.values())
    for place, instr in enumerate(instrs):
        if instr.op not in LEAVES and place not in moved:
            order.append(place)
            if place in pairs:
                order.append(pairs[place])
    return order


def same(instrs: list[Instr], places: np.ndarray) -> bool:
    """Whether constants are equal, NaN to itself and zeros by their sign."""
    return len({repr(instrs[place].attr) for place in set(places.tolist())}) == 1


class Emitted(NamedTuple):
    """What `emit_items` leaves to the caller.

    values       by place: of what the body stores and folds, and of the straight lines
    entry        lines for the entry block of the function: the memory of the tapes
    constants    lines for the module: tables of constants
    """

    values: dict[int, Value]
    entry: list[str]
    constants: list[str]


def emit_items(
    builder: Builder,
    body: Body,
    items: list[Item],
    emit_instr: Callable[[Instr, tuple[Value, ...], str | None], Value],
    name: str,
    memory: str | None = None,
) -> Emitted:
    """Write the items with `builder`.

    emit_instr   writes one instr, given the values of its arguments. Its third argument is None,
                 or for a load the name of an i64 to be added to its offset, in elements
    name         begins the names of blocks, values and tables: unique in the module
    memory       name of a pointer to `tape_bytes` bytes, aligned to 64; None: on the stack
    """
    writer = Writer(builder, body, items, emit_instr, name, memory or f"%{name}.tape")
    for item in items:
        if isinstance(item, Rolled):
            writer.loop(item)
        else:
            writer.value(item)
    for place in results(body):
        writer.value(place)
    size = tape_bytes(items, body, builder.lanes)
    stack = f"  %{name}.tape = alloca [{size} x i8], align 64"
    entry = [stack] if memory is None and size else []
    return Emitted(writer.values, entry, writer.constants)


def tape_bytes(items: list[Item], body: Body, lanes: int) -> int:
    """Bytes of memory that the tapes and tables of the items take."""
    return max((tape.end for tape in tapes(items, body, lanes).values()), default=0)


class Tape(NamedTuple):
    """Memory for the values of all turns: from byte `offset` to `end`, `width` bytes a turn."""

    offset: int
    end: int
    width: int
    kind: str


def tapes(items: list[Item], body: Body, lanes: int) -> dict[Any, Tape]:
    """The tape of each (loop, taped line) and each (loop, table of values)."""
    found: dict[Any, Tape] = {}
    offset = 0
    for loop in [item for item in items if isinstance(item, Rolled)]:
        places = {line: int(loop.places[0, line]) for line in sorted(loop.taped)}
        tables = [x for x in operands_of(loop) if isinstance(x, Table)]
        spilt = {x: x.places[0] for x in tables if body.instrs[x.places[0]].op != "constant"}
        for key, place in [*places.items(), *spilt.items()]:
            dtype = body.instrs[place].dtype
            width = lanes * dtype.itemsize
            end = offset + -(-loop.count * width // 64) * 64
            found[loop, key] = Tape(offset, end, width, lane_kind(dtype))
            offset = end
    return found


def operands_of(loop: Rolled) -> list[Operand]:
    """What the lines of a loop read, each once."""
    return list(dict.fromkeys(x for operands in loop.operands for x in operands))


class Writer:
    """The state of `emit_items`; `values` are by place those that all later lines may use."""

    def __init__(
        self, builder: Builder, body: Body, items: list[Item],
        emit_instr: Callable[..., Value], name: str, memory: str,
    ) -> None:  # fmt: skip
        self.builder, self.instrs, self.emit_instr = builder, body.instrs, emit_instr
        self.name, self.memory = name, memory
        self.home = homes(items)
        self.tapes = tapes(items, body, builder.lanes)
        self.values: dict[int, Value] = {}
        self.constants: list[str] = []
        self.loops = 0

    def value(self, place: int) -> Value:
        """The value of a place, for lines outside of loops."""
        if place not in self.values:
            if place in self.home:
                loop, turn, line = self.home[place]
                self.values[place] = self.recall(self.tapes[loop, line], str(turn))
            else:
                instr = self.instrs[place]
                given = tuple([self.value(x) for x in instr.args])
                self.values[place] = self.emit_instr(instr, given, None)
        return self.values[place]

    def address(self, tape: Tape, turn: str) -> str:
        """A pointer to what a tape holds of a turn, an i64."""
        start = self.pointer(f"i8, ptr {self.memory}, i64 {tape.offset}")
        return self.pointer(f"[{tape.width} x i8], ptr {start}, i64 {turn}")

    def pointer(self, text: str) -> str:
        """A pointer, computed from another."""
        return self.builder.emit(f"getelementptr {text}", "i64").name

    def keep(self, tape: Tape, turn: str, value: Value) -> None:
        """Write a value to a tape, a truth value as a byte."""
        b = self.builder
        held = b.convert("zext", value, "i8") if tape.kind == "i1" else value
        aligned = min(64, tape.width & -tape.width)
        b.raw(f"store {b.typed(held)}, ptr {self.address(tape, turn)}, align {aligned}")

    def recall(self, tape: Tape, turn: str) -> Value:
        """Read a value from a tape."""
        b, kind = self.builder, "i8" if tape.kind == "i1" else tape.kind
        aligned = min(64, tape.width & -tape.width)
        text = f"load {b.type(kind)}, ptr {self.address(tape, turn)}, align {aligned}"
        value = b.emit(text, kind, fresh=True)  # memory changes: equal text, another value
        return b.compare("ne", value, b.constant(0, "i8")) if tape.kind == "i1" else value

    def loop(self, loop: Rolled) -> None:
        """Write a loop, whose turns are run at least once."""
        b = self.builder
        self.loops += 1
        label = f"{self.name}.{self.loops}"
        turn = f"%{label}.turn"
        operands = operands_of(loop)
        for operand in operands:
            self.prepare(loop, operand)
        before = b.block
        b.raw(f"br label %{label}")
        b.label(label)
        head = len(b.lines)
        given: dict[Operand, Value] = {}
        phis: list[tuple[int, list[str], list[Value]]] = []
        for operand in operands:
            if isinstance(operand, Carried):
                first = [self.values[place] for place in operand.initial]
                names = [f"%{label}.{len(phis)}.{back}" for back in range(len(first))]
                given[operand] = Value(names[0], first[0].kind)
                phis.append((operand.line, names, first))
            elif not isinstance(operand, Line | Moving):
                given[operand] = self.given(loop, operand, turn)
        done: list[Value] = []
        for line, place in enumerate(loop.places[0].tolist()):
            args = [self.of_turn(x, done, given, turn) for x in loop.operands[line]]
            done.append(self.emit_instr(self.instrs[place], tuple(args), None))
            if line in loop.taped:
                self.keep(self.tapes[loop, line], turn, done[-1])
        b.raw(f"{turn}.next = add nuw nsw i64 {turn}, 1")
        b.raw(f"{turn}.more = icmp ult i64 {turn}.next, {loop.count}")
        b.raw(f"br i1 {turn}.more, label %{label}, label %{label}.end")
        heads = [f"  {turn} = phi i64 [ 0, %{before} ], [ {turn}.next, %{b.block} ]"]
        for line, names, first in phis:
            for name, value, later in zip(names, first, [*names[1:], done[line].name], strict=True):
                arms = f"[ {value.name}, %{before} ], [ {later}, %{b.block} ]"
                heads.append(f"  {name} = phi {b.type(value.kind)} {arms}")
        b.lines[head:head] = heads
        b.label(f"{label}.end")
        self.values.update(zip(loop.places[-1].tolist(), done, strict=True))

    def prepare(self, loop: Rolled, operand: Operand) -> None:
        """Have what an operand reads from outside at hand before the loop begins."""
        for turn, place in enumerate(outside(operand)):
            if not isinstance(operand, Table):
                self.value(place)
            elif (loop, operand) in self.tapes:
                self.keep(self.tapes[loop, operand], str(turn), self.value(place))

    def of_turn(self, operand: Operand, done: list[Value], given: dict, turn: str) -> Value:
        """The value of an operand, with the lines done so far in this turn."""
        if isinstance(operand, Line):
            return done[operand.line]
        if isinstance(operand, Moving):
            return self.moving(operand, turn)
        return given[operand]

    def moving(self, operand: Moving, turn: str) -> Value:
        """The element that a load reads in this turn."""
        shift = self.builder.emit(f"mul nsw i64 {turn}, {operand.stride}", "i64").name
        return self.emit_instr(self.instrs[operand.place], (), shift)

    def given(self, loop: Rolled, operand: Any, turn: str) -> Value:
        """The value of an operand that no line of the loop computes."""
        if isinstance(operand, Fixed):
            return self.value(operand.place)
        if isinstance(operand, Table):
            if (loop, operand) in self.tapes:
                return self.recall(self.tapes[loop, operand], turn)
            return self.looked_up(operand, turn)
        b = self.builder
        steps = b.emit(f"mul nsw i64 {turn}, {operand.step}", "i64").name
        there = b.emit(f"add nsw i64 {steps}, {operand.start}", "i64").name
        return self.recall(self.tapes[operand.rolled, operand.line], there)

    def looked_up(self, table: Table, turn: str) -> Value:
        """The constant of this turn, in every lane, from a table in the module."""
        b, symbol = self.builder, f"@{self.name}.table{len(self.constants)}"
        instrs = [self.instrs[place] for place in table.places]
        kind = lane_kind(instrs[0].dtype)
        held = "i8" if kind == "i1" else kind
        scalar = SCALARS[held]
        numbers = ", ".join(f"{scalar} {literal(i.attr, held)}" for i in instrs)
        array = f"[{len(instrs)} x {scalar}]"
        self.constants.append(f"{symbol} = private unnamed_addr constant {array} [{numbers}]")
        address = self.pointer(f"{scalar}, ptr {symbol}, i64 {turn}")
        value = b.splat(b.emit(f"load {scalar}, ptr {address}", held).name, held)
        return b.compare("ne", value, b.constant(0, "i8")) if kind == "i1" else value
