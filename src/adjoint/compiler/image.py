"""A linker for x86-64: an object becomes an image, which is mapped and run without LLVM.

Loading LLVM to link one object takes 150 ms; an image from the disk is mapped in well under one.
`link` lays out the sections of a relocatable ELF object as code, constants and variables, each
from a page boundary, and settles every distance between them. Left to `load` are 8-byte places
that hold addresses: of other parts of the image, and of functions of the C library.

Source: System V ABI, AMD64 architecture processor supplement 1.0, section 4.4 (relocation).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import CompileError
from . import machine
from .elf import ELF, IFUNC, LARGEST, PROGBITS, REL, RELA, TLS, Elf, Symbol, at
from .memory import PAGE, Pages, libc

ABS64, PC32, PLT32, PC64, GOT = 1, 2, 4, 24, (9, 41, 42)  # r_type; GOTPCREL and its relaxed forms
WIDTHS = {ABS64: 8, PC64: 8, PC32: 4, PLT32: 4} | dict.fromkeys(GOT, 4)

MAGIC = b"adjoint image 1\n"
HEAD = struct.Struct("<16sIII")  # magic, ends of code and of constants, length of the facts


class Image(NamedTuple):
    """Code for x86-64 that runs wherever it lies, once its places hold their addresses.

    content    code, constants, variables, each from a page boundary
    bounds     where the code ends and where the constants end, page boundaries
    exports    offset by name
    relative   (place, offset) of each address of a part of the image
    imports    (place, name) of each address from elsewhere
    """

    content: bytes
    bounds: tuple[int, int]
    exports: dict[str, int]
    relative: list[tuple[int, int]]
    imports: list[tuple[int, str]]

    def pack(self) -> bytes:
        """The image as bytes, for `load`: sizes, facts in lines, content."""
        lines = [f"export {offset} {name}" for name, offset in self.exports.items()]
        lines += [f"relative {place} {offset}" for place, offset in self.relative]
        lines += [f"import {place} {name}" for place, name in self.imports]
        facts = "\n".join(lines).encode()
        return HEAD.pack(MAGIC, *self.bounds, len(facts)) + facts + self.content

    @classmethod
    def unpack(cls, blob: bytes) -> Image:
        """What `pack` made; CompileError where it cannot be that, or points beyond itself."""
        try:
            magic, code, constants, length = HEAD.unpack_from(blob)
            facts = {word: list[Any]() for word in ("export", "relative", "import")}
            for line in blob[HEAD.size : HEAD.size + length].decode().splitlines():
                word, number, name = line.split(" ", 2)
                facts[word].append((int(number), name))
            exports = {name: offset for offset, name in facts["export"]}
            relative = [(place, int(offset)) for place, offset in facts["relative"]]
            content = blob[HEAD.size + length :]
            image = cls(content, (code, constants), exports, relative, facts["import"])
            if magic == MAGIC and image.is_closed():
                return image
        except (KeyError, ValueError, struct.error):
            pass
        raise CompileError("`load` needs what `link` made; this is cut off or changed")

    def is_closed(self) -> bool:
        """Whether nothing lies or points beyond the image."""
        code, constants = self.bounds
        size = len(self.content)
        places = [place for place, _ in [*self.relative, *self.imports]]
        offsets = [*self.exports.values(), *(offset for _, offset in self.relative)]
        return (
            0 <= code <= constants <= size
            and not any(bound % PAGE for bound in (code, constants, size))
            and all(0 <= place <= size - 8 for place in places)
            and all(0 <= offset <= size for offset in offsets)
            and all(name.isprintable() for _, name in self.imports)
        )


class Relocation(NamedTuple):
    """A distance or an address that the linker fills in."""

    section: int
    offset: int
    symbol: int
    type: int
    addend: int


def link(data: bytes) -> Image:
    """Lay out a relocatable object for x86-64, and settle what does not depend on where it lies.

    Raises: CompileError where `data` is no such object, or asks for what is not done here: thread
    locals, constructors, absolute 32-bit addresses. LLVM's own linker may do it.
    """
    elf = Elf(data)
    if elf.machine != "x86_64":
        raise CompileError(f"`link` needs an object for x86-64; this is for {elf.machine}")
    kinds = [section.kind() for section in elf.sections]
    relocations = list(relocations_of(elf, kinds))
    layout = Layout(elf, kinds, relocations)
    content = bytearray(layout.size)
    for k, start in layout.starts.items():
        section = elf.sections[k]
        if section.type == PROGBITS:
            content[start : start + section.size] = elf.content(section)
    relative, imports = [], []
    for index, (stub, slot) in layout.slots.items():
        symbol = elf.symbols[index]
        put(content, stub, "<2si", b"\xff\x25", slot - stub - 6)  # jmp *slot(%rip)
        if symbol.section:
            relative.append((slot, layout.place(symbol)))
        else:
            imports.append((slot, symbol.name))
    for relocation in relocations:
        symbol, target = elf.symbols[relocation.symbol], layout.target(relocation)
        place = layout.starts[relocation.section] + relocation.offset
        if relocation.type != ABS64:
            put(content, place, "<q" if relocation.type == PC64 else "<i", target - place)
        elif symbol.section:
            relative.append((place, target))
        else:
            imports.append((place, symbol.name))
    exports = {symbol.name: layout.place(symbol) for symbol in elf.defined()}
    image = Image(bytes(content), (layout.code, layout.constants), exports, relative, imports)
    if not image.is_closed():
        raise CompileError("the object refers beyond itself")
    return image


def relocations_of(elf: Elf, kinds: list[int | None]) -> Iterator[Relocation]:
    """What is to be filled in, in the sections that are loaded."""
    for table in elf.sections:
        if table.type == REL or (table.type == RELA and at(kinds, table.info) is not None):
            for offset, info, addend in elf.table(table, "<QQq"):
                found = Relocation(table.info, offset, info >> 32, info & 0xFFFFFFFF, addend)
                symbol = at(elf.symbols, found.symbol)
                width = WIDTHS.get(found.type, 0)
                reachable = found.type in (PLT32, *GOT) or (found.type, addend) == (ABS64, 0)
                if table.type == REL or not width or not (symbol.section or reachable):
                    raise CompileError(f"relocation {found.type} of `{symbol.name}`")
                if offset + width > elf.sections[table.info].size:
                    raise CompileError("a relocation beyond its section")
                yield found


class Layout:
    """Where everything lies in the image.

    starts     of each loaded section
    slots      stub and slot of each symbol that is elsewhere or wanted through the table of
               addresses: the slot, among the constants, holds its address; the stub jumps there
    code       end of the code; so of `constants`, and `size` of all, page boundaries
    """

    def __init__(self, elf: Elf, kinds: list[int | None], relocations: list[Relocation]) -> None:
        self.elf, self.starts = elf, dict[int, int]()
        wanted = {
            r.symbol for r in relocations if r.type in GOT or not elf.symbols[r.symbol].section
        }
        extra, ends, end = [], [], 0
        for group in range(3):
            for k, section in enumerate(elf.sections):
                if kinds[k] == group:
                    self.starts[k] = ahead(end, max(section.align, 1))
                    end = self.starts[k] + section.size
            extra.append(ahead(end, 8))
            end = ahead(extra[-1] + 8 * len(wanted), PAGE)
            ends.append(end)
        self.slots = {s: (extra[0] + 8 * k, extra[1] + 8 * k) for k, s in enumerate(sorted(wanted))}
        self.code, self.constants, self.size = ends
        if self.size > LARGEST:
            raise CompileError(f"an image of {self.size} bytes")

    def place(self, symbol: Symbol) -> int:
        """Where a symbol of the object lies."""
        if symbol.section not in self.starts or symbol.info & 15 in (TLS, IFUNC):
            raise CompileError(f"`{symbol.name}` is neither a function nor a variable")
        return self.starts[symbol.section] + symbol.value

    def target(self, relocation: Relocation) -> int:
        """What a relocation refers to."""
        symbol = self.elf.symbols[relocation.symbol]
        if relocation.type in GOT:
            return self.slots[relocation.symbol][1] + relocation.addend
        if not symbol.section:
            return self.slots[relocation.symbol][0] + relocation.addend
        return self.place(symbol) + relocation.addend


def ahead(offset: int, align: int) -> int:
    """The next multiple of `align`, a power of two."""
    return (offset + align - 1) & -align


def put(content: bytearray, place: int, form: str, *values: Any) -> None:
    """Write numbers at `place`."""
    try:
        struct.pack_into(form, content, place, *values)
    except struct.error:
        raise CompileError("the object refers beyond itself") from None


class Mapped:
    """Code in memory, which stays there as long as this is referred to."""

    def __init__(self, addresses: Mapping[str, int], owner: object) -> None:
        self.addresses, self.owner = addresses, owner

    def address(self, name: str) -> int:
        """Where a function or variable begins."""
        try:
            return self.addresses[name]
        except KeyError:
            known = ", ".join(self.addresses) or "nothing"
            raise CompileError(f"no `{name}` in this code, which has {known}") from None


def load(blob: bytes, symbols: Mapping[str, int] = MappingProxyType({})) -> Mapped:
    """Map what `build` made: into memory, ready to run.

    Names that the code needs from elsewhere are looked up in `symbols`, addresses by name, then
    in the C library and libm.

    Raises: CompileError where `blob` is cut off, for another processor, or needs a name that is
    nowhere; OSError where the system refuses memory.
    """
    if blob.startswith(ELF):
        return load_by_llvm(blob, symbols)
    image = Image.unpack(blob)
    if machine.architecture() != "x86_64":
        raise CompileError(f"an image for x86-64 on {machine.architecture()}")
    content, pages = bytearray(image.content), Pages(len(image.content))
    for place, offset in image.relative:
        struct.pack_into("<Q", content, place, pages.address + offset)
    for place, name in image.imports:
        struct.pack_into("<Q", content, place, symbols.get(name) or elsewhere(name))
    code, constants = image.bounds
    pages.write(content)
    pages.seal(0, code, execute=True)
    pages.seal(code, constants)
    return Mapped({name: pages.address + k for name, k in image.exports.items()}, pages)


@functools.cache
def elsewhere(name: str) -> int:
    """The address of a function of the C library or libm."""
    for library in (libc(), libm()):
        with contextlib.suppress(AttributeError):
            return ctypes.cast(library[name], ctypes.c_void_p).value or 0
    raise CompileError(f"the code needs `{name}`, which neither the C library nor libm has")


@functools.cache
def libm() -> ctypes.CDLL:
    """The library of mathematical functions; where there is none by name, the process itself."""
    try:
        return ctypes.CDLL("libm.so.6")
    except OSError:
        return libc()


UNLOADED_NEVER: list[Any] = []  # a thread may run in it while the interpreter shuts down


def load_by_llvm(data: bytes, symbols: Mapping[str, int]) -> Mapped:
    """The same from an object, by LLVM's own linker: for what `link` does not do."""
    elf = Elf(data)
    if elf.machine != machine.architecture():
        raise CompileError(f"an object for {elf.machine} on {machine.architecture()}")
    with machine.LOCK:
        builder = machine.llvm().JITLibraryBuilder().add_object_img(data)
        for name in elf.undefined():
            builder.import_symbol(name, symbols.get(name) or elsewhere(name))
        exports = [symbol.name for symbol in elf.defined()]
        for name in exports:
            builder.export_symbol(name)
        try:
            library = builder.link(linker(), f"adjoint.{len(UNLOADED_NEVER)}")
        except RuntimeError as error:
            raise CompileError(f"LLVM could not link: {str(error).strip()}") from None
        UNLOADED_NEVER.append(library)
    return Mapped({name: library[name] for name in exports}, library)


@functools.cache
def linker() -> Any:
    """LLVM's linker."""
    return machine.llvm().create_lljit_compiler()


def build(ir: str, opt: int | None = None) -> bytes:
    """LLVM IR text to what `load` takes: an image, or where `link` cannot the object itself.

    >>> code = load(build("define i32 @f() { ret i32 7 }"))
    >>> ctypes.CFUNCTYPE(ctypes.c_int32)(code.address("f"))()
    7
    """
    data = machine.assemble(ir, opt=opt)
    try:
        return link(data).pack()
    except CompileError:
        return data
