"""The entry of native code, written as LLVM IR: guards, memory, the run, the result.

An `Entry` says what is taken, what must still hold, what the native `void @run(ptr %slots)` gets,
and what comes back; `entry_ir` writes the function that does it, and `link` the table it reads.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..errors import CompileError
from . import layout
from .pool import READY, pool
from .vectorcall import AGAIN, HEAD, MISS, SPARE, WHERE, Link

# What an entry takes: trees (tuple, list, dict) of these. ------------------------------------


class Array(NamedTuple):
    """An array of exactly this layout; strides in bytes."""

    dtype: np.dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def of(cls, array: np.ndarray) -> Array:
        """The layout of `array`."""
        return cls(array.dtype, array.shape, array.strides)

    @property
    def contiguous(self) -> bool:
        """Whether it lies as C does; strides of axes without a second element count for nothing."""
        steps = itertools.accumulate(self.shape[:0:-1], int.__mul__, initial=self.dtype.itemsize)
        axes = zip(self.shape, self.strides, reversed(list(steps)), strict=False)
        return 0 in self.shape or all(n == 1 or s == step for n, s, step in axes)


class Memory(NamedTuple):
    """Any array: its layout is the caller's promise."""


class Float(NamedTuple):
    """A Python float."""


class Scalar(NamedTuple):
    """A NumPy scalar of this dtype."""

    dtype: np.dtype


class Static(NamedTuple):
    """One object; an int, str or bytes may also be equal to it. In a result: handed out."""

    value: Any


# What `run` gets, and what the result is built of. -------------------------------------------


class Input(NamedTuple):
    """The data of the `number`-th array or number among the arguments; in a result: itself."""

    number: int


class Capture(NamedTuple):
    """The data of the `number`-th captured array; in a result: itself."""

    number: int


class Output(NamedTuple):
    """Fresh memory for the `number`-th output; in a result: the object made of it."""

    number: int


class Check(NamedTuple):
    """One byte that must be 0 after the run, else the call is repeated by `again`."""


class Scratch(NamedTuple):
    """Memory for the time of the call, at an offset in one block; a multiple of 64."""

    nbytes: int
    offset: int = 0


class Threads(NamedTuple):
    """The thread pool, as `pool.ir` describes it."""


class Fresh(NamedTuple):
    """An output: kind "array", "scalar" (NumPy's), or Python's "float", "int", "bool", "complex".

    The memory of Python's numbers is that of float64, int64, bool, complex128.
    """

    kind: str
    dtype: np.dtype
    shape: tuple[int, ...] = ()


class Made(NamedTuple):
    """In a result: what a Python callable makes of some parts."""

    function: Callable
    parts: tuple[Any, ...]


# What must still be so. ----------------------------------------------------------------------


class Cell(NamedTuple):
    """A closure's cell holds `value`."""

    cell: types.CellType
    value: Any


class Captured(NamedTuple):
    """An array from outside has this layout; its data is read anew in each call."""

    array: np.ndarray
    layout: Array


class Item(NamedTuple):
    """A dict, of globals or builtins say, has `value` under `key`, or nothing if `MISSING`."""

    table: dict
    key: str
    value: Any


MISSING = object()


class Entry(NamedTuple):
    """How native code is entered: what is taken, what must hold, what `run` gets, what comes back.

    inputs       a tree for each argument; the last `len(keywords)` are given by these names
    slots        in the order of `run`: Input, Capture, Output, Check, Scratch, Threads
    result       a tree of Input, Capture, Output, Static, Made, None
    guards       Cell and Item, compared by identity
    release_gil  whether other Python threads run meanwhile
    """

    inputs: tuple[Any, ...]
    slots: tuple[Any, ...]
    outputs: tuple[Fresh, ...] = ()
    result: Any = None
    keywords: tuple[str, ...] = ()
    guards: tuple[Any, ...] = ()
    captures: tuple[Captured, ...] = ()
    release_gil: bool = False


def entry_ir(entry: Entry, name: str = "entry", run: str = "run") -> str:
    """`ptr @entry(ptr args, i64 count, ptr names, ptr table)` as LLVM IR, which calls `@run`.

    Returns what `vectorcall` describes. The text depends on layouts, not on objects. A module with
    several entries has them, and what they call, under other names.

    >>> from adjoint.compiler.cache import native
    >>> from adjoint.compiler.vectorcall import Native, vectorcall
    >>> half = '''define void @run(ptr %slots) {
    ...   %out = getelementptr ptr, ptr %slots, i64 1
    ...   %x = load ptr, ptr %slots
    ...   %y = load ptr, ptr %out
    ...   %value = load double, ptr %x
    ...   %half = fmul double %value, 0.5
    ...   store double %half, ptr %y
    ...   ret void
    ... }
    ... '''
    >>> out = Fresh("float", np.dtype(float))
    >>> entry = Entry((Float(),), (Input(0), Output(0)), (out,), Output(0))
    >>> f = vectorcall(Native)(miss=lambda *args: "missed", again=print)
    >>> f.link = link(entry, native(half + entry_ir(entry)))
    >>> f(3.0), f(3)
    (1.5, 'missed')
    """
    return Writer(entry, name, run).text


def link(entry: Entry, code: Any, following: Link | None = None, name: str = "entry") -> Link:
    """A link to `code`, which holds `entry_ir(entry, name)` and what it runs."""
    writer = Writer(entry)
    return Link(code.address(name), writer.words, (code, writer.kept), following)


NEW = {  # Python's numbers: what makes one of the values at its memory
    "float": ("PyFloat_FromDouble", "double"),
    "int": ("PyLong_FromLongLong", "i64"),
    "bool": ("PyBool_FromLong", "i8"),
    "complex": ("PyComplex_FromDoubles", "double", "double"),
}
STACK = 16384  # bytes of scratch memory up to which it is on the stack
KEEP = "store volatile ptr"  # in registers, n references would be n² phis at the ways out


class Writer:
    """Writes the code of an entry, and with it the words of the table it reads."""

    def __init__(self, entry: Entry, name: str = "entry", run: str = "run") -> None:
        self.entry, self.callee = entry, run
        self.words: list[int] = []
        self.kept: list[Any] = [entry]
        self.place: dict[int, int] = {}
        self.lines: list[str] = []
        self.stack: list[str] = []
        self.fresh = itertools.count()
        self.held: list[str] = []  # references to what lies in lists and dicts
        self.owned: list[str] = []  # stack slots of references that are dropped on failure
        self.data: list[tuple[str, str]] = []  # of each input: the object, its data
        self.captured: list[tuple[str, str]] = []
        self.made: list[str] = []  # of each output: the stack slot of its object
        self.given: list[str] = []  # stack slots whose reference was passed on
        self.memory: list[str] = []  # of each output: its data
        self.uses = collections.Counter(
            leaf.number for leaf in leaves(entry.result) if type(leaf) is Output
        )
        self.outcome = self.slot("ptr")
        self.write()
        prologue = [*self.stack, *(f"  {KEEP} null, ptr {slot}" for slot in self.owned)]
        head = f"define ptr @{name}(ptr %args, i64 %count, ptr %names, ptr %table) {{\nstart:"
        self.text = "\n".join([head, *prologue, *self.lines, "}\n"])

    # Words of the language.

    def do(self, line: str) -> None:
        """One instruction."""
        self.lines.append("  " + line)

    def let(self, right: str) -> str:
        """One instruction and the name of its value."""
        name = f"%v{next(self.fresh)}"
        self.do(f"{name} = {right}")
        return name

    def slot(self, kind: str, align: int = 8) -> str:
        """A place on the stack."""
        name = f"%s{next(self.fresh)}"
        self.stack.append(f"  {name} = alloca {kind}, align {align}")
        return name

    def at(self, base: str, offset: int) -> str:
        """The address `offset` bytes on."""
        return self.let(f"getelementptr i8, ptr {base}, i64 {offset}")

    def load(self, base: str, offset: int = 0, kind: str = "ptr") -> str:
        """The value at an address."""
        return self.let(f"load {kind}, ptr {self.at(base, offset)}")

    def block(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label}:")

    def call(self, name: str, kind: str, *args: str) -> str:
        """Call a function of CPython's or NumPy's."""
        function = self.load("%table", 8 * WHERE[name])
        line = f"call {kind} {function}({', '.join(args)})"
        if kind != "void":
            return self.let(line)
        self.do(line)
        return ""

    def word(self, *values: int) -> int:
        """The place in the table, in bytes, of some numbers."""
        self.words += values
        return 8 * (HEAD + len(WHERE) + len(self.words) - len(values))

    def object(self, value: Any) -> str:
        """A Python object, kept alive by the link."""
        if id(value) not in self.place:
            self.kept.append(value)
            self.place[id(value)] = self.word(id(value))
        return self.load("%table", self.place[id(value)])

    def need(self, condition: str, otherwise: str) -> None:
        """Go on if it holds."""
        label = f"b{next(self.fresh)}"
        self.do(f"br i1 {condition}, label %{label}, label %{otherwise}")
        self.block(label)

    def guard(self, *conditions: str) -> None:
        """Go on if all hold, else give up what is held and miss."""
        self.need(
            functools.reduce(lambda x, y: self.let(f"and i1 {x}, {y}"), conditions), self.miss
        )

    @contextlib.contextmanager
    def unless(self, condition: str) -> Iterator[None]:
        """What is written inside is done only where it does not hold."""
        other, after = f"b{next(self.fresh)}", f"b{next(self.fresh)}"
        self.do(f"br i1 {condition}, label %{after}, label %{other}")
        self.block(other)
        yield
        self.do(f"br label %{after}")
        self.block(after)

    @property
    def miss(self) -> str:
        """The block that misses from here."""
        return f"miss{len(self.held)}"

    def equal(self, x: str, y: str | int, kind: str = "ptr") -> str:
        """Whether two values are the same."""
        return self.let(f"icmp eq {kind} {x}, {y}")

    def has_type(self, value: str, kind: type) -> str:
        """Whether an object is of exactly this type."""
        return self.equal(self.load(value, layout.TYPE), self.object(kind))

    # The entry, from top to bottom.

    def write(self) -> None:
        """All of it."""
        entry = self.entry
        self.admit_call()
        for capture in entry.captures:
            value = self.object(capture.array)
            self.captured.append((value, self.admit_array(capture.layout, value)))
        for condition in entry.guards:
            self.still(condition)
        for fresh in entry.outputs:
            self.make_room(fresh)
        self.run()
        for index, fresh in enumerate(entry.outputs):
            self.box(index, fresh)
        self.leave()

    def admit_call(self) -> None:
        """Guard the number of arguments, the keywords, and every argument."""
        names, count = self.entry.keywords, len(self.entry.inputs)
        self.guard(self.equal("%count", count - len(names), "i64"))
        if not names:
            self.guard(self.equal("%names", "null"))
        else:
            self.guard(self.let("icmp ne ptr %names, null"))
            self.guard(self.equal(self.load("%names", layout.SIZE, "i64"), len(names), "i64"))
            given = [self.load("%names", layout.TUPLE + 8 * k) for k in range(len(names))]
            known = [self.object(sys.intern(name)) for name in names]
            self.guard(*map(self.equal, given, known))
        for k, tree in enumerate(self.entry.inputs):
            self.admit(tree, self.load("%args", 8 * k))

    def admit(self, tree: Any, value: str) -> None:
        """Guard that an argument, or what lies in one, is like `tree`; note the data in it."""
        kind = type(tree)
        if kind in (tuple, list, dict):
            self.guard(self.has_type(value, kind))
            self.guard(self.equal(self.load(value, layout.SIZE, "i64"), len(tree), "i64"))
            items = self.items_of_dict if kind is dict else self.items_of_sequence
            for child, item in items(tree, value):
                self.admit(child, item)
        elif kind is Static:
            self.admit_static(tree.value, value)
        elif kind in (Float, Scalar):
            self.guard(self.has_type(value, float if kind is Float else tree.dtype.type))
            self.data.append((value, self.at(value, layout.VALUE)))
        elif kind is Memory:
            self.guard(self.has_type(value, np.ndarray))
            self.data.append((value, self.load(value, layout.DATA)))
        else:
            self.data.append((value, self.admit_array(tree, value)))

    def items_of_sequence(self, tree: Any, value: str) -> Iterator[tuple[Any, str]]:
        """What lies in a tuple or list of known length, beside its parts of `tree`."""
        items = (
            self.at(value, layout.TUPLE) if type(tree) is tuple else self.load(value, layout.ITEMS)
        )
        for k, child in enumerate(tree):
            item = self.load(items, 8 * k)
            yield child, item if type(tree) is tuple else self.hold(item)

    def items_of_dict(self, tree: dict, value: str) -> Iterator[tuple[Any, str]]:
        """What lies in a dict of known length, whose keys come in the same order."""
        place, key, item = self.slot("i64"), self.slot("ptr"), self.slot("ptr")
        self.do(f"store i64 0, ptr {place}")
        for name, child in tree.items():
            places = (f"ptr {p}" for p in (value, place, key, item))
            more = self.call("PyDict_Next", "i32", *places)
            self.guard(self.let(f"icmp ne i32 {more}, 0"))
            self.admit_static(name, self.load(key))
            yield child, self.hold(self.load(item))

    def hold(self, value: str) -> str:
        """Keep what a mutable container may lose while we run."""
        self.call("Py_IncRef", "void", f"ptr {value}")
        self.held.append(value)
        return value

    def admit_static(self, known: Any, value: str) -> None:
        """Guard for one object, or for one equal to it where no code of the user decides that."""
        same, expected = self.equal(value, self.object(known)), self.object(known)
        if type(known) not in (int, str, bytes):
            return self.guard(same)
        with self.unless(same):
            self.guard(self.has_type(value, type(known)))
            pair = f"ptr {value}", f"ptr {expected}", "i32 2"  # Py_EQ
            self.guard(self.equal(self.call("PyObject_RichCompareBool", "i32", *pair), 1, "i32"))

    def admit_array(self, array: Array, value: str) -> str:
        """Guard the layout of what should be an array; its data."""
        dtype = array.dtype
        if not dtype.isnative or dtype.kind not in "biufc":
            raise CompileError(f"native code takes numbers in native byte order, not {dtype!r}")
        self.guard(self.has_type(value, np.ndarray))
        descr = self.load(value, layout.DESCR)
        # Most arrays share one dtype object; an unpickled one has its own.
        with self.unless(self.equal(descr, self.object(np.dtype(dtype.char)))):
            order = ord("|" if dtype.itemsize == 1 else "=")
            seen = self.let(f"and i64 {self.load(descr, layout.KIND, 'i64')}, {0xFFFFFFFF00FF0000}")
            self.guard(self.equal(seen, dtype.num << 32 | order << 16, "i64"))
        wanted = layout.ALIGNED | layout.CONTIGUOUS * array.contiguous
        flags = self.let(f"and i32 {self.load(value, layout.FLAGS, 'i32')}, {wanted}")
        ndim = self.load(value, layout.NDIM, "i32")
        self.guard(self.equal(flags, wanted, "i32"), self.equal(ndim, len(array.shape), "i32"))
        numbers = [(layout.DIMS, array.shape)]
        if not array.contiguous:
            numbers.append((layout.STRIDES, array.strides))
        for place, expected in numbers if array.shape else ():
            seen = self.load(value, place)
            self.guard(*(
                self.equal(self.load(seen, 8 * k, "i64"), n, "i64")
                for k, n in enumerate(expected)
                if place == layout.DIMS or array.shape[k] > 1
            ))  # fmt: skip
        return self.load(value, layout.DATA)

    def still(self, condition: Any) -> None:
        """Guard that something outside is as it was."""
        if type(condition) is Cell:
            seen = self.load(self.object(condition.cell), layout.VALUE)
        else:
            pair = (f"ptr {self.object(x)}" for x in (condition.table, condition.key))
            seen = self.call("PyDict_GetItemWithError", "ptr", *pair)
        if condition.value is not MISSING:
            self.guard(self.equal(seen, self.object(condition.value)))
        else:
            self.guard(self.equal(seen, "null"))
            self.guard(self.equal(self.call("PyErr_Occurred", "ptr"), "null"))

    def make_room(self, fresh: Fresh) -> None:
        """Memory for an output: that of a new array, or a place on the stack."""
        if fresh.kind != "array":
            self.made.append(self.owned_slot())
            self.memory.append(self.slot("[16 x i8]", 16))
            return
        descr = self.object(np.dtype(fresh.dtype.char))
        self.call("Py_IncRef", "void", f"ptr {descr}")  # which the new array takes over
        dims = self.at("%table", self.word(*fresh.shape))
        array = self.call(
            "PyArray_NewFromDescr", "ptr", f"ptr {self.object(np.ndarray)}", f"ptr {descr}",
            f"i32 {len(fresh.shape)}", f"ptr {dims}", "ptr null", "ptr null", "i32 0", "ptr null",
        )  # fmt: skip
        self.made.append(self.own(array))
        self.memory.append(self.load(array, layout.DATA))

    def owned_slot(self) -> str:
        """A place for a reference of ours, null at first."""
        self.owned.append(self.slot("ptr"))
        return self.owned[-1]

    def own(self, value: str, slot: str | None = None) -> str:
        """Put a new reference in its place; on null, fail."""
        slot = slot or self.owned_slot()
        self.do(f"{KEEP} {value}, ptr {slot}")
        self.need(self.let(f"icmp ne ptr {value}, null"), "fail")
        return slot

    def run(self) -> None:
        """Fill the slots, run, look at the checks."""
        entry, checks = self.entry, []
        ends = [s.offset + s.nbytes for s in entry.slots if type(s) is Scratch]
        block, spare = self.scratch(max(ends, default=0) + 63 & -64)
        slots = self.slot(f"[{max(1, len(entry.slots))} x ptr]")
        for k, slot in enumerate(entry.slots):
            if type(slot) is Input:
                memory = self.data[slot.number][1]
            elif type(slot) is Capture:
                memory = self.captured[slot.number][1]
            elif type(slot) is Output:
                memory = self.memory[slot.number]
            elif type(slot) is Scratch:
                memory = self.at(block, slot.offset)
            elif type(slot) is Check:
                checks.append(memory := self.slot("i8"))
                self.do(f"store i8 0, ptr {memory}")
            else:
                memory = self.threads()
            self.do(f"store ptr {memory}, ptr {self.at(slots, 8 * k)}")
        state = self.call("PyEval_SaveThread", "ptr") if entry.release_gil else ""
        self.do(f"call void @{self.callee}(ptr {slots})")
        if state:
            self.call("PyEval_RestoreThread", "void", f"ptr {state}")
        if spare:
            place = self.at("%table", 8 * SPARE)
            other = self.let(f"atomicrmw xchg ptr {place}, ptr {self.load(spare)} seq_cst")
            self.call("PyMem_RawFree", "void", f"ptr {other}")
        for memory in checks:
            self.need(self.equal(self.load(memory, kind="i8"), 0, "i8"), "again")

    def scratch(self, size: int) -> tuple[str, str]:
        """Scratch memory; where it is not on the stack, also the place of its address.

        The link has one block to spare; who finds it taken, another thread or a call within this
        one, allocates another, and whichever comes back last is kept.
        """
        if size <= STACK:
            return self.slot(f"[{size} x i8]", 64) if size else "null", ""
        raw = self.slot("ptr")
        spare = self.let(f"atomicrmw xchg ptr {self.at('%table', 8 * SPARE)}, ptr null seq_cst")
        self.do(f"store ptr {spare}, ptr {raw}")
        with self.unless(self.let(f"icmp ne ptr {spare}, null")):
            new = self.call("PyMem_RawMalloc", "ptr", f"i64 {size + 63}")
            self.do(f"store ptr {new}, ptr {raw}")
            self.need(self.let(f"icmp ne ptr {new}, null"), "nomemory")
        number = self.let(f"ptrtoint ptr {self.at(self.load(raw), 63)} to i64")
        return self.let(f"inttoptr i64 {self.let(f'and i64 {number}, -64')} to ptr"), raw

    def threads(self) -> str:
        """The pool, its threads started: they are not before the first use, nor after a fork."""
        shared = self.load("%table", self.word(pool().address))
        with self.unless(self.let(f"icmp ne i32 {self.load(shared, READY, 'i32')}, 0")):
            start = f"ptr {self.object(pool().start)}"
            none = self.call("PyObject_Vectorcall", "ptr", start, "ptr null", "i64 0", "ptr null")
            self.call("Py_DecRef", "void", f"ptr {none}")
            self.call("PyErr_Clear", "void")
        return shared

    # The result.

    def box(self, index: int, fresh: Fresh) -> None:
        """The Python object of an output that is a number."""
        memory = self.memory[index]
        if fresh.kind == "scalar":
            descr = self.object(np.dtype(fresh.dtype.char))
            values = [f"ptr {memory}", f"ptr {descr}", "ptr null"]
            self.own(self.call("PyArray_Scalar", "ptr", *values), self.made[index])
        elif fresh.kind != "array":
            function, *kinds = NEW[fresh.kind]
            values = [f"{kind} {self.load(memory, 8 * k, kind)}" for k, kind in enumerate(kinds)]
            if fresh.kind == "bool":
                values = [f"i64 {self.let(f'zext {values[0]} to i64')}"]
            self.own(self.call(function, "ptr", *values), self.made[index])

    def build(self, tree: Any) -> tuple[str, str]:
        """A part of the result, and where our reference to it is; "" if it is not ours to give."""
        kind = type(tree)
        if tree is None or kind is Static:
            return self.object(tree and tree.value), ""
        if kind is Input:
            return self.data[tree.number][0], ""
        if kind is Capture:
            return self.captured[tree.number][0], ""
        if kind is Output:
            once = self.uses[tree.number] == 1
            return self.load(self.made[tree.number]), self.made[tree.number] * once
        if kind is Made:
            return self.build_made(tree)
        if kind is dict:
            return self.build_dict(tree)
        parts = [self.build(child) for child in tree]
        new = "PyTuple_New" if kind is tuple else "PyList_New"
        whole = self.call(new, "ptr", f"i64 {len(tree)}")
        slot = self.own(whole)
        items = self.at(whole, layout.TUPLE) if kind is tuple else self.load(whole, layout.ITEMS)
        for k, part in enumerate(parts):
            self.do(f"store ptr {self.give(*part)}, ptr {self.at(items, 8 * k)}")
        return whole, slot

    def build_dict(self, tree: dict) -> tuple[str, str]:
        """A dict, which takes references of its own."""
        parts = [self.build(child)[0] for child in tree.values()]
        whole = self.call("PyDict_New", "ptr")
        slot = self.own(whole)
        for key, part in zip(tree, parts, strict=True):
            values = f"ptr {whole}", f"ptr {self.object(key)}", f"ptr {part}"
            bad = self.call("PyDict_SetItem", "i32", *values)
            self.need(self.equal(bad, 0, "i32"), "fail")
        return whole, slot

    def build_made(self, tree: Made) -> tuple[str, str]:
        """What a callable of the user's makes of some parts."""
        parts = [self.build(part)[0] for part in tree.parts]
        values = self.slot(f"[{max(1, len(parts))} x ptr]")
        for k, part in enumerate(parts):
            self.do(f"store ptr {part}, ptr {self.at(values, 8 * k)}")
        call = f"ptr {self.object(tree.function)}", f"ptr {values}", f"i64 {len(parts)}", "ptr null"
        whole = self.call("PyObject_Vectorcall", "ptr", *call)
        return whole, self.own(whole)

    def give(self, value: str, slot: str) -> str:
        """Pass on our reference, or a new one."""
        if slot:
            self.given.append(slot)
            self.do(f"{KEEP} null, ptr {slot}")
        else:
            self.call("Py_IncRef", "void", f"ptr {value}")
        return value

    def leave(self) -> None:
        """Hand out the result; then the ways out on failure."""
        result = self.give(*self.build(self.entry.result))
        self.drop(set(self.owned) - set(self.given))
        self.do(f"ret ptr {result}")
        self.block("nomemory")
        self.call("PyErr_NoMemory", "ptr")
        self.do("br label %fail")
        self.block("again")
        self.do(f"store ptr inttoptr (i64 {AGAIN} to ptr), ptr {self.outcome}")
        self.do("br label %drop")
        self.block("fail")
        self.do(f"store ptr null, ptr {self.outcome}")
        self.do("br label %drop")
        self.block("drop")
        self.drop(self.owned)
        self.do(f"ret ptr {self.load(self.outcome)}")
        for k in range(len(self.held), 0, -1):
            self.block(f"miss{k}")
            self.call("Py_DecRef", "void", f"ptr {self.held[k - 1]}")
            self.do(f"br label %miss{k - 1}")
        self.block("miss0")
        self.do(f"ret ptr inttoptr (i64 {MISS} to ptr)")

    def drop(self, slots: Iterable[str]) -> None:
        """Give up references of ours, and all that is held."""
        for slot in sorted(slots):
            self.call("Py_DecRef", "void", f"ptr {self.load(slot)}")
        for value in self.held:
            self.call("Py_DecRef", "void", f"ptr {value}")


def leaves(tree: Any) -> Iterator[Any]:
    """The leaves of a result."""
    parts = {tuple: tree, list: tree, Made: getattr(tree, "parts", ())}.get(type(tree))
    if type(tree) is dict:
        parts = tree.values()
    if parts is None:
        yield tree
    else:
        for part in parts:
            yield from leaves(part)
