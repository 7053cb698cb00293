"""Relocatable ELF objects, as LLVM emits them: read with every reference checked.

Source: System V ABI, chapter 4 (object files), with the 64-bit layouts of ELF-64.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from ..errors import CompileError
from .memory import PAGE

ELF = b"\x7fELF"
RELOCATABLE = 1  # e_type
MACHINES = {62: "x86_64", 183: "aarch64"}  # e_machine
PROGBITS, SYMTAB, RELA, NOTE, NOBITS, REL, UNWIND = 1, 2, 4, 7, 8, 9, 0x70000001  # sh_type
WRITE, ALLOC, EXECUTE = 1, 2, 4  # sh_flags
FLAGS = WRITE | ALLOC | EXECUTE | 0x270  # and mergeable, strings, info link, group: no matter here
GLOBAL, WEAK, TLS, IFUNC = 1, 2, 6, 10  # binding and type, in st_info
LARGEST = 1 << 26  # bytes of a section, and of all together
STARTING = (".ctors", ".dtors", ".init_array", ".fini_array", ".preinit_array")


class Section(NamedTuple):
    """A row of the table of sections; `name` is where the name begins."""

    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int

    def kind(self) -> int | None:
        """0 of code, 1 of constants, 2 of variables; None of what is not loaded."""
        if not self.flags & ALLOC or self.type in (NOTE, UNWIND):
            return None
        if self.type not in (PROGBITS, NOBITS) or self.flags & ~FLAGS:
            raise CompileError(f"a section of type {self.type} with flags {self.flags:#x}")
        if self.flags & WRITE and self.flags & EXECUTE:
            raise CompileError("a section both writable and executable")
        if self.align & (self.align - 1) or self.align > PAGE or self.size > LARGEST:
            raise CompileError(f"a section of {self.size} bytes aligned to {self.align}")
        return 2 if self.flags & WRITE else 0 if self.flags & EXECUTE else 1


class Symbol(NamedTuple):
    """A row of the table of symbols, its name looked up."""

    name: str
    info: int
    section: int
    value: int


class Elf:
    """A relocatable object: its machine, sections and symbols.

    Raises: CompileError where `data` is something else, or not whole.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        if data[:7] != ELF + b"\x02\x01\x01":
            raise CompileError("the linker needs a 64-bit little-endian ELF object")
        kind, number = self.unpack("<HH", 16)
        if kind != RELOCATABLE:
            raise CompileError(f"the linker needs a relocatable object; this has ELF type {kind}")
        self.machine = MACHINES.get(number, f"machine {number}")
        (start,), (size, count, naming) = self.unpack("<Q", 40), self.unpack("<HHH", 58)
        self.sections = [
            Section(*self.unpack("<IIQQQQIIQQ", start + size * k)) for k in range(count)
        ]
        names = self.content(at(self.sections, naming))
        if any(text(names, section.name).startswith(STARTING) for section in self.sections):
            raise CompileError("the object has constructors")
        tables = [section for section in self.sections if section.type == SYMTAB]
        if len(tables) != 1:
            raise CompileError(f"the object has {len(tables)} tables of symbols")
        names = self.content(at(self.sections, tables[0].link))
        self.symbols = [
            Symbol(text(names, start), info, section, value)
            for start, info, _, section, value, _ in self.table(tables[0], "<IBBHQQ")
        ]

    def unpack(self, form: str, offset: int) -> tuple[Any, ...]:
        """The numbers at `offset`."""
        try:
            return struct.unpack_from(form, self.data, offset)
        except (struct.error, OverflowError):
            raise CompileError(f"the object is cut off: nothing at {offset}") from None

    def content(self, section: Section) -> bytes:
        """The bytes of a section."""
        content = self.data[section.offset : section.offset + section.size]
        if len(content) != section.size:
            raise CompileError(f"the object is cut off: nothing at {section.offset + section.size}")
        return content

    def table(self, section: Section, form: str) -> list[tuple[Any, ...]]:
        """The rows of a section."""
        content = self.content(section)
        if len(content) % struct.calcsize(form):
            raise CompileError("a table of the object ends within a row")
        return list(struct.iter_unpack(form, content))

    def defined(self) -> list[Symbol]:
        """What other objects may refer to."""
        return [s for s in self.symbols if s.section and s.info >> 4 in (GLOBAL, WEAK)]

    def undefined(self) -> list[str]:
        """The names of what the object needs from elsewhere."""
        return [s.name for s in self.symbols if s.name and not s.section]


def text(names: bytes, start: int) -> str:
    """The name that begins at `start`."""
    name = names[start : names.find(b"\0", start)].decode("ascii", "replace")
    if not name.isprintable():
        raise CompileError(f"the object has a name that is no text: {name!r}")
    return name


def at(rows: Any, index: int) -> Any:
    """The row that another row refers to."""
    if index >= len(rows):
        raise CompileError(f"the object refers to row {index} of {len(rows)}")
    return rows[index]
