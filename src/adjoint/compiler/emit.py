"""LLVM IR as text, W lanes wide: a builder that names values, shares equal ones, and branches.

A `Value` is one SSA name and its kind; every lane of it is one element. Kinds are those of NumPy's
dtypes by letter and bits (`f64`, `i32`, `u8`, ...) and `i1`, a truth value. With one lane the text
is scalar. Floating-point instructions carry no flags, so each rounds as NumPy's does; `contract`
allows the sums and products asked for by `plus`, `minus` and `times` to fuse.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

SCALARS = dict(f64="double", f32="float", i1="i1") | {
    f"{letter}{bits}": f"i{bits}" for letter in "iu" for bits in (8, 16, 32, 64)
}
# The integer that holds the bits of a floating-point number.
BITS = dict(f64="i64", f32="i32")
UNSIGNED = dict(lt="ult", le="ule", gt="ugt", ge="uge", eq="eq", ne="ne")
SIGNED = dict(lt="slt", le="sle", gt="sgt", ge="sge", eq="eq", ne="ne")
# False where an operand is NaN, but for `ne`: as in Python and NumPy.
ORDERED = {word: "o" + word for word in ("lt", "le", "gt", "ge", "eq")} | dict(ne="une", uno="uno")


class Value(NamedTuple):
    """One name in the text (`%v3`, or a literal) and the kind of its lanes."""

    name: str
    kind: str


def lane_kind(dtype: np.dtype) -> str:
    """The kind of an element in a register: `f64`, `i32`, `u8`, and `i1` of a bool."""
    return "i1" if dtype.kind == "b" else f"{dtype.kind}{8 * dtype.itemsize}"


class Builder:
    """Lines of one function's body, and what they declare.

    lanes : elements in each value; 1 makes scalar code
    fma : whether the machine multiplies and adds in one rounding; without it `fma` rounds twice
    prefix : what fresh names begin with, so that two builders can write one function
    target : the machine's architecture, as the triple names it
    contract : whether user arithmetic may fuse a product into a sum
    """

    def __init__(
        self,
        lanes: int,
        *,
        fma: bool = True,
        prefix: str = "v",
        target: str = "x86_64",
        contract: bool = False,
    ) -> None:
        self.lanes, self.has_fma, self.prefix, self.target = lanes, fma, prefix, target
        self.flags = "contract " if contract else ""
        self.lines: list[str] = []
        self.declarations: set[str] = set()
        self.block = "entry"
        self.seen: dict[tuple[str, ...], Any] = {}
        self.count = 0
        self.types = {k: t if lanes == 1 else f"<{lanes} x {t}>" for k, t in SCALARS.items()}

    # Text

    def type(self, kind: str) -> str:
        """The LLVM type of a value of this kind, lanes included."""
        return self.types[kind]

    def typed(self, value: Value) -> str:
        """A value with its type in front, as an argument is written."""
        return f"{self.types[value.kind]} {value.name}"

    def fresh(self, stem: str = "") -> str:
        """A name that nothing else has, without `%`."""
        self.count += 1
        return f"{self.prefix}{self.count}{stem}"

    def raw(self, line: str) -> None:
        """Write a line as it is."""
        self.lines.append("  " + line)

    def label(self, name: str) -> None:
        """Begin the basic block `name`."""
        self.lines.append(f"{name}:")
        self.block = name

    def emit(self, text: str, kind: str, fresh: bool = False) -> Value:
        """The value of an instruction; equal text is computed once, unless it is to be `fresh`."""
        if not fresh and (kind, text) in self.seen:
            return self.seen[kind, text]
        self.count += 1
        value = Value(f"%{self.prefix}{self.count}", kind)
        self.lines.append(f"  {value.name} = {text}")
        if not fresh:
            self.seen[kind, text] = value
        return value

    def once(self, name: str, make: Callable[..., Any], *args: Value) -> Any:
        """`make(self, *args)`, several values or branches, computed once for these arguments."""
        key = (name, args[0].kind, *[x.name for x in args])
        if key not in self.seen:
            self.seen[key] = make(self, *args)
        return self.seen[key]

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Within it values of before are shared, and after it none that were born inside."""
        before, self.seen = self.seen, self.seen.copy()
        try:
            yield
        finally:
            self.seen = before

    def constant(self, value: float, kind: str) -> Value:
        """A literal in every lane; integers wrap, float32 is rounded to nearest."""
        text = literal(value, kind)
        return Value(text if self.lanes == 1 else f"splat ({SCALARS[kind]} {text})", kind)

    def splat(self, name: str, kind: str) -> Value:
        """The scalar `name` in every lane."""
        if self.lanes == 1:
            return Value(name, kind)
        wide, scalar = self.types[kind], SCALARS[kind]
        one = self.emit(f"insertelement {wide} poison, {scalar} {name}, i32 0", kind)
        mask = f"<{self.lanes} x i32> zeroinitializer"
        return self.emit(f"shufflevector {wide} {one.name}, {wide} poison, {mask}", kind)

    # Instructions

    def matched(self, *args: Value | float) -> list[Value]:
        """Arguments of one kind; a number among them becomes a constant of the others' kind."""
        kind = next(a.kind for a in args if isinstance(a, Value))
        return [a if isinstance(a, Value) else self.constant(a, kind) for a in args]

    def binary(self, instruction: str, x: Value | float, y: Value | float) -> Value:
        """`instruction` of two values of one kind; one may be a number, here and below."""
        x, y = self.matched(x, y)
        return self.emit(f"{instruction} {self.types[x.kind]} {x.name}, {y.name}", x.kind)

    def intrinsic(self, name: str, *given: Value | float) -> Value:
        """LLVM's function `name` of values of one kind, for instance `fabs`."""
        args = self.matched(*given)
        kind, wide = args[0].kind, self.types[args[0].kind]
        element = kind.replace("u", "i")
        suffix = element if self.lanes == 1 else f"v{self.lanes}{element}"
        symbol = f"@llvm.{name}.{suffix}"
        self.declarations.add(f"declare {wide} {symbol}({', '.join([wide] * len(args))})")
        return self.emit(f"call {wide} {symbol}({', '.join(map(self.typed, args))})", kind)

    def plus(self, x: Value | float, y: Value | float) -> Value:
        """x + y, free to fuse where the builder may contract."""
        return self.binary(f"fadd {self.flags}".rstrip(), x, y)

    def minus(self, x: Value | float, y: Value | float) -> Value:
        """x - y, free to fuse where the builder may contract."""
        return self.binary(f"fsub {self.flags}".rstrip(), x, y)

    def times(self, x: Value | float, y: Value | float) -> Value:
        """x·y, free to fuse where the builder may contract."""
        return self.binary(f"fmul {self.flags}".rstrip(), x, y)

    def add(self, x: Value | float, y: Value | float) -> Value:
        """x + y, rounded once."""
        return self.binary("fadd", x, y)

    def sub(self, x: Value | float, y: Value | float) -> Value:
        """x - y, rounded once."""
        return self.binary("fsub", x, y)

    def mul(self, x: Value | float, y: Value | float) -> Value:
        """x·y, rounded once."""
        return self.binary("fmul", x, y)

    def div(self, x: Value | float, y: Value | float) -> Value:
        """x/y, rounded once."""
        return self.binary("fdiv", x, y)

    def fma(self, x: Value, y: Value | float, z: Value | float) -> Value:
        """x·y + z; rounded once where the machine can, else twice."""
        return self.intrinsic("fma", x, y, z) if self.has_fma else self.add(self.mul(x, y), z)

    def neg(self, x: Value) -> Value:
        """-x: the sign bit flipped, of 0 and NaN too."""
        return self.emit(f"fneg {self.types[x.kind]} {x.name}", x.kind)

    def compare(self, predicate: str, x: Value, y: Value | float) -> Value:
        """`lt`, `le`, `gt`, `ge`, `eq` or `ne` of two values of one kind, and `uno` of floats."""
        x, y = self.matched(x, y)
        if x.kind in BITS:
            word = f"fcmp {ORDERED[predicate]}"
        else:
            signed = x.kind[0] == "i" and x.kind != "i1"
            word = f"icmp {(SIGNED if signed else UNSIGNED)[predicate]}"
        return self.emit(f"{word} {self.types[x.kind]} {x.name}, {y.name}", "i1")

    def select(self, mask: Value, x: Value | float, y: Value | float) -> Value:
        """x where the mask is true, else y."""
        x, y = self.matched(x, y)
        if x == y:
            return x
        return self.emit(f"select {self.typed(mask)}, {self.typed(x)}, {self.typed(y)}", x.kind)

    def convert(self, instruction: str, x: Value, kind: str) -> Value:
        """A conversion by LLVM's instruction: `fpext`, `sitofp`, `zext`, `bitcast`, ..."""
        return self.emit(f"{instruction} {self.typed(x)} to {self.types[kind]}", kind)

    def bits(self, x: Value) -> Value:
        """The bits of a floating-point number as an integer."""
        return self.convert("bitcast", x, BITS[x.kind])

    def number(self, x: Value) -> Value:
        """The floating-point number of these bits."""
        return self.convert("bitcast", x, f"f{x.kind[1:]}")

    # Control

    def any(self, mask: Value) -> str:
        """A scalar truth value: whether the mask is true in some lane."""
        if self.lanes == 1:
            return mask.name
        symbol = f"@llvm.vector.reduce.or.v{self.lanes}i1"
        self.declarations.add(f"declare i1 {symbol}({self.types['i1']})")
        return self.emit(f"call i1 {symbol}({self.typed(mask)})", "i1").name

    def unlikely(self, mask: Value, usual: Value, rare: Callable[[], Value]) -> Value:
        """`rare()` in the lanes of the mask, else `usual`; skipped where no lane needs it.

        All lanes of the mask must be defined: a branch on poison is undefined behaviour.
        """
        name = self.fresh()
        self.raw(f"br i1 {self.any(mask)}, label %{name}.rare, label %{name}.join")
        before = self.block
        self.label(f"{name}.rare")
        with self.scope():
            mended = self.select(mask, rare(), usual)
        after = self.block
        self.raw(f"br label %{name}.join")
        self.label(f"{name}.join")
        arms = f"[ {usual.name}, %{before} ], [ {mended.name}, %{after} ]"
        return self.emit(f"phi {self.types[usual.kind]} {arms}", usual.kind, fresh=True)

    def each_lane(self, symbol: str, *args: Value) -> Value:
        """A C function of doubles, `symbol`, called for every lane in turn, which is slow.

        float32 goes through double and is rounded once more.
        """
        kind = args[0].kind
        if kind == "f32":
            wide = self.each_lane(symbol, *[self.convert("fpext", x, "f64") for x in args])
            return self.convert("fptrunc", wide, "f32")
        arity = ", ".join(["double"] * len(args))
        self.declarations.add(f"declare double @{symbol}({arity})")
        if self.lanes == 1:
            given = ", ".join(map(self.typed, args))
            return self.emit(f"call double @{symbol}({given}) cold", kind, fresh=True)
        name, wide_type, before = self.fresh(), self.types[kind], self.block
        i, out, done = f"%{name}.i", f"%{name}.out", f"%{name}.done"
        self.raw(f"br label %{name}.lane")
        self.label(f"{name}.lane")
        self.raw(f"{i} = phi i32 [ 0, %{before} ], [ {i}.next, %{name}.lane ]")
        self.raw(f"{out} = phi {wide_type} [ poison, %{before} ], [ {done}, %{name}.lane ]")
        elements = [
            self.emit(f"extractelement {self.typed(x)}, i32 {i}", kind, fresh=True).name
            for x in args
        ]
        given = ", ".join(f"double {element}" for element in elements)
        one = self.emit(f"call double @{symbol}({given}) cold", kind, fresh=True).name
        self.raw(f"{done} = insertelement {wide_type} {out}, double {one}, i32 {i}")
        self.raw(f"{i}.next = add nuw nsw i32 {i}, 1")
        more = self.emit(f"icmp ult i32 {i}.next, {self.lanes}", "i1", fresh=True).name
        self.raw(f"br i1 {more}, label %{name}.lane, label %{name}.end")
        self.label(f"{name}.end")
        return Value(done, kind)


def literal(value: float, kind: str) -> str:
    """A number as LLVM writes it: floats by the bits of the double that holds them."""
    if kind == "i1":
        return "true" if value else "false"
    if kind in BITS:
        held = round_to_single(value) if kind == "f32" else float(value)
        return f"0x{struct.unpack('<Q', struct.pack('<d', held))[0]:016X}"
    bits = int(kind[1:])
    wrapped = int(value) & ((1 << bits) - 1)
    return str(wrapped - (1 << bits) if wrapped >> (bits - 1) else wrapped)


def round_to_single(value: float) -> float:
    """The nearest float32, infinite beyond the largest."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
