"""The linker: images run as what LLVM links, lie in sealed pages, and bad objects are refused."""

import ctypes
import gc
import math
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from adjoint.compiler import elf, image, machine
from adjoint.compiler.image import Image, build, link, load
from adjoint.compiler.machine import Machine, assemble
from adjoint.errors import CompileError

pytestmark = [
    pytest.mark.skipif(bool(machine.available()), reason=str(machine.available())),
    pytest.mark.skipif(machine.architecture() != "x86_64", reason="images are for x86-64"),
]

INT, DOUBLE, POINTER = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p
# Constants, variables set and unset, tables of addresses, a jump table, calls of the C library.
TEXT = """
@table = internal constant [3 x ptr] [ptr @ten, ptr @twenty, ptr @sin]
@state = global i64 41
@unset = internal global [10 x i64] zeroinitializer
@digits = internal constant [4 x i64] [i64 3, i64 1, i64 4, i64 1]
declare double @sin(double)
declare double @fmod(double, double)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define i64 @ten() { ret i64 10 }
define i64 @twenty() { ret i64 20 }
define i64 @pick(i64 %k) {
  %p = getelementptr ptr, ptr @table, i64 %k
  %f = load ptr, ptr %p
  %r = call i64 %f()
  ret i64 %r
}
define i64 @count() {
  %v = load i64, ptr @state
  %w = add i64 %v, 1
  store i64 %w, ptr @state
  %z = load i64, ptr getelementptr (i64, ptr @unset, i64 9)
  %s = add i64 %w, %z
  ret i64 %s
}
define i64 @digit(i64 %k) {
  %p = getelementptr i64, ptr @digits, i64 %k
  %v = load i64, ptr %p
  ret i64 %v
}
define double @fraction(double %x) {
  %s = call double @sin(double %x)
  %r = call double @fmod(double %s, double 0.25)
  ret double %r
}
define void @halves(ptr %p) {
  store <4 x double> <double 0.5, double 1.5, double 2.5, double 3.5>, ptr %p, align 8
  ret void
}
define double @odd(double %x) {
  %r = fadd double %x, 0.3
  ret double %r
}
define ptr @where() { ret ptr @sin }
define ptr @own() { ret ptr @state }
define void @fill(ptr %p, i64 %n) {
  call void @llvm.memset.p0.i64(ptr %p, i8 7, i64 %n, i1 false)
  ret void
}
define i64 @choose(i64 %k) {
  switch i64 %k, label %other
    [i64 0, label %a i64 1, label %b i64 2, label %c i64 3, label %d i64 4, label %e]
a:
  %ra = call i64 @digit(i64 2)
  ret i64 %ra
b:
  ret i64 12
c:
  %rc = call i64 @pick(i64 1)
  ret i64 %rc
d:
  ret i64 77
e:
  ret i64 5
other:
  ret i64 -1
}
"""


@pytest.fixture(scope="module")
def data():
    return assemble(TEXT)


def function(code, name, result, *arguments):
    return ctypes.CFUNCTYPE(result, *arguments)(code.address(name))


@pytest.mark.parametrize("pack", [lambda data: link(data).pack(), bytes], ids=["ours", "LLVM's"])
def test_linked_code_runs(data, pack):
    code = load(pack(data))
    assert [function(code, "pick", INT, INT)(k) for k in (0, 1)] == [10, 20]
    assert [function(code, "digit", INT, INT)(k) for k in range(4)] == [3, 1, 4, 1]
    assert [function(code, "count", INT)() for _ in range(3)] == [42, 43, 44]
    assert function(code, "fraction", DOUBLE, DOUBLE)(1.0) == math.fmod(math.sin(1.0), 0.25)
    assert [function(code, "choose", INT, INT)(k) for k in range(-1, 6)] == [
        -1,
        4,
        12,
        20,
        77,
        5,
        -1,
    ]
    four = (DOUBLE * 4)()
    function(code, "halves", None, POINTER)(ctypes.addressof(four))
    assert list(four) == [0.5, 1.5, 2.5, 3.5]
    assert function(code, "odd", DOUBLE, DOUBLE)(1.0) == 1.3
    room = ctypes.create_string_buffer(5)
    function(code, "fill", None, POINTER, INT)(ctypes.addressof(room), 3)
    assert room.raw == b"\x07\x07\x07\0\0"
    assert INT.from_address(code.address("state")).value == 44
    assert function(code, "own", POINTER)() == code.address("state")


def test_what_we_cannot_link_llvm_does():
    text = """
    @shared = common global i64 0
    define i64 @count() {
      %v = load i64, ptr @shared
      %w = add i64 %v, 1
      store i64 %w, ptr @shared
      ret i64 %w
    }"""
    with pytest.raises(CompileError, match="`shared` is neither a function nor a variable"):
        link(assemble(text))
    code = load(build(text))
    assert [function(code, "count", INT)() for _ in range(2)] == [1, 2]
    assert build(TEXT).startswith(image.MAGIC)


def test_constructors_are_refused_rather_than_not_run():
    blob = build("""
    @llvm.global_ctors = appending global [1 x {i32, ptr, ptr}]
      [{i32, ptr, ptr} {i32 9, ptr @go, ptr null}]
    define void @go() { ret void }
    """)
    with pytest.raises(CompileError, match="constructors"):
        load(blob)


def test_sections_lie_as_they_are_aligned(data):
    read, linked = elf.Elf(data), link(data)
    layout = image.Layout(read, [section.kind() for section in read.sections], [])
    assert max(read.sections[k].align for k in layout.starts) >= 32
    assert all(start % read.sections[k].align == 0 for k, start in layout.starts.items())
    assert not any(bound % 4096 for bound in (*linked.bounds, len(linked.content)))


def test_every_load_has_variables_of_its_own(data):
    blob = link(data).pack()
    one, other = load(blob), load(blob)
    assert [function(code, "count", INT)() for code in (one, one, other)] == [42, 43, 42]


def test_names_from_elsewhere_are_given_or_in_the_c_library(data):
    double = ctypes.CFUNCTYPE(DOUBLE, DOUBLE)(lambda x: 2 * x)
    address = ctypes.cast(double, POINTER).value
    for blob in (link(data).pack(), data):
        code = load(blob, {"sin": address})
        assert function(code, "where", POINTER)() == address
        assert function(code, "fraction", DOUBLE, DOUBLE)(0.1) == 0.2
    missing = TEXT.replace("@sin", "@no_such_function")
    for blob in (build(missing), assemble(missing)):
        with pytest.raises(CompileError, match="needs `no_such_function`"):
            load(blob)


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    code = load(build("define void @run() { ret void }"))
    with pytest.raises(CompileError, match=r"no `walk` in this code, which has run"):
        code.address("walk")


def permissions(address):
    for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
        start, stop, mode = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
        if int(start, 16) <= address < int(stop, 16):
            return mode
    return None


def test_no_page_is_writable_and_executable(data):
    linked = link(data)
    code = load(linked.pack())
    base = code.address("ten") - linked.exports["ten"]
    modes = [permissions(base + start) for start in (0, *linked.bounds)]
    assert modes == ["r-xp", "r--p", "rw-p"]


def test_pages_are_given_back_with_their_owner(data):
    code = load(link(data).pack())
    base = code.address("ten")
    assert permissions(base) == "r-xp"
    del code
    gc.collect()
    assert permissions(base) is None


RUNNING = """
import ctypes, threading, time
from adjoint.compiler.image import link, load
from adjoint.compiler.machine import assemble
data = assemble("define void @f() {\\na:\\n  br label %b\\nb:\\n  br label %b\\n}")
code = load(PACKED)
spin = ctypes.CFUNCTYPE(None)(code.address("f"))
threading.Thread(target=spin, daemon=True).start()
time.sleep(0.1)
"""


@pytest.mark.parametrize("packed", ["link(data).pack()", "data"])
def test_exit_while_a_thread_runs_in_linked_code_is_clean(packed):
    text = RUNNING.replace("PACKED", packed)
    run = subprocess.run([sys.executable, "-X", "dev", "-c", text], capture_output=True)
    assert (run.returncode, run.stderr) == (0, b"")


def test_equal_objects_make_equal_images(data):
    assert link(data) == link(bytes(data)) == Image.unpack(link(data).pack())


@pytest.mark.parametrize(
    "old, new, words",
    [
        (b"\x7fELF", b"\x7fELG", "64-bit little-endian ELF"),
        (b"\x7fELF\x02", b"\x7fELF\x01", "64-bit little-endian ELF"),
        (struct.pack("<HH", 1, 62), struct.pack("<HH", 3, 62), "ELF type 3"),
        (struct.pack("<HH", 1, 62), struct.pack("<HH", 1, 183), "this is for aarch64"),
    ],
)
def test_other_kinds_of_file_are_refused(data, old, new, words):
    assert old in data[:32]
    with pytest.raises(CompileError, match=words):
        link(data.replace(old, new, 1))


def test_objects_of_other_processors_are_not_run():
    foreign = assemble("define void @run() { ret void }", Machine("aarch64-unknown-linux-gnu", ""))
    with pytest.raises(CompileError, match="aarch64 on x86_64"):
        load(foreign)


@pytest.mark.parametrize("kind", [0, 3, 10, 11, 19, 22, 26, 37, 43, 250])
def test_relocations_of_other_kinds_are_refused(data, kind):
    """Absolute 32-bit addresses, thread locals, indirect functions, and what is yet to come."""
    linked = bytearray(data)
    read = elf.Elf(data)
    code = next(k for k, s in enumerate(read.sections) if s.flags & elf.EXECUTE)
    (rows,) = (s for s in read.sections if s.type == elf.RELA and s.info == code)
    struct.pack_into("<I", linked, rows.offset + 8, kind)
    with pytest.raises(CompileError, match=rf"relocation {kind} of "):
        link(bytes(linked))


@pytest.mark.parametrize(
    "flags, words",
    [
        (elf.WRITE | elf.ALLOC | elf.EXECUTE, "both writable and executable"),
        (elf.ALLOC | 0x400, "flags 0x402"),
        (elf.ALLOC | 0x800, "flags 0x802"),
    ],
)
def test_sections_of_other_kinds_are_refused(data, flags, words):
    changed, read = bytearray(data), elf.Elf(data)
    (start,) = struct.unpack_from("<Q", data, 40)
    code = next(k for k, s in enumerate(read.sections) if s.flags & elf.EXECUTE)
    struct.pack_into("<Q", changed, start + 64 * code + 8, flags)
    with pytest.raises(CompileError, match=words):
        link(bytes(changed))


def test_an_object_cut_off_anywhere_is_refused(data):
    for length in range(len(data)):
        with pytest.raises(CompileError):
            link(data[:length])


def test_an_image_cut_off_or_lengthened_is_refused(data):
    blob = link(data).pack()
    for length in [*range(600), *range(600, len(blob), 97), len(blob) - 1]:
        with pytest.raises(CompileError, match="cut off or changed"):
            load(blob[:length])
    with pytest.raises(CompileError, match="cut off or changed"):
        load(blob + b"\0")


def attempt(action, changed):
    try:
        return action(changed)
    except CompileError:
        return None


def test_a_changed_object_is_refused_or_stays_within_itself(data, rng):
    refused = 0
    for _ in range(3000):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            changed[place] = rng.integers(256)
        linked = attempt(link, bytes(changed))
        refused += linked is None
        assert linked is None or linked.is_closed()
        if linked:
            attempt(load, linked.pack())
    assert 100 < refused < 2900


def test_a_changed_image_is_refused_or_stays_within_itself(data, rng):
    blob = link(data).pack()
    facts = len(blob) - len(link(data).content)
    for _ in range(3000):
        changed = bytearray(blob)
        changed[rng.integers(0, facts)] = rng.integers(256)
        unpacked = attempt(Image.unpack, bytes(changed))
        assert unpacked is None or unpacked.is_closed()
        attempt(load, bytes(changed))


def test_noise_is_refused(rng):
    for length in (0, 1, 4, 63, 64, 65, 4096):
        for head in (b"", elf.ELF, elf.ELF + b"\x02\x01\x01", image.MAGIC):
            for action in (link, load):
                with pytest.raises(CompileError):
                    action(head + rng.bytes(length))


def test_a_changed_name_is_no_text(data):
    with pytest.raises(CompileError, match="no text"):
        link(data.replace(b"\0choose\0", b"\0cho\nse\0"))
