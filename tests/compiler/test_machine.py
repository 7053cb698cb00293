"""What the machine is, whether native code works on it, and what LLVM makes of a text."""

import os
import platform
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from adjoint.compiler import machine
from adjoint.compiler.machine import Machine, assemble, assembly
from adjoint.errors import CompileError

pytestmark = pytest.mark.skipif(bool(machine.available()), reason=str(machine.available()))

SEVEN = "define i32 @f() { ret i32 7 }"
FMA = """
declare double @llvm.fma.f64(double, double, double)
define double @f(double %x, double %y) {
  %r = call double @llvm.fma.f64(double %x, double %y, double %x)
  ret double %r
}"""
LINUX = "x86_64-unknown-linux-gnu"


def refused(*args):
    raise PermissionError(13, "mprotect was refused: Permission denied")


def broken():
    raise CompileError("LLVM could not be loaded: no such file")


@pytest.mark.parametrize(
    "owner, name, value, words",
    [
        (sys, "implementation", SimpleNamespace(name="pypy"), "needs CPython; this is pypy"),
        (sys, "platform", "win32", "on 64-bit Linux, x86-64 or aarch64; this is win32"),
        (sys, "maxsize", 2**31 - 1, "64-bit"),
        (sys, "abiflags", "t", "free-threaded"),
        (platform, "machine", lambda: "riscv64", "riscv64"),
        (machine.importlib.util, "find_spec", lambda name: None, "pip install 'adjoint[compile]'"),
        (machine, "executable", refused, "allows no code made at run time: mprotect"),
        (machine, "fingerprint", broken, "LLVM could not be loaded: no such file."),
    ],
)
def test_what_is_missing_is_said(monkeypatch, owner, name, value, words):
    monkeypatch.setattr(machine, "fingerprint", machine.fingerprint.__wrapped__)
    monkeypatch.setattr(owner, name, value)
    assert words in machine.available.__wrapped__()


HARDENED = """
import ctypes
refuse_new_code = ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)  # PR_SET_MDWE, of Linux 6.3
from adjoint.compiler.machine import available
print("unknown" if refuse_new_code else available())
"""


def test_a_system_that_allows_no_new_code_is_told_apart():
    run = subprocess.run([sys.executable, "-c", HARDENED], capture_output=True, text=True)
    if run.stdout == "unknown\n":
        pytest.skip("the kernel cannot refuse new code")
    assert "allows no code made at run time: mprotect was refused" in run.stdout


def test_asking_does_not_import_llvmlite():
    ask = "import sys; from adjoint.compiler.machine import available; print(available())"
    command = [sys.executable, "-c", f"{ask}; print('llvmlite' in sys.modules)"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["None", "False"]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen")
def test_fingerprint_is_the_same_on_every_core():
    cores = os.sched_getaffinity(0)
    found = set()
    try:
        for core in cores:
            os.sched_setaffinity(0, {core})
            found.add(machine.fingerprint.__wrapped__())
    finally:
        os.sched_setaffinity(0, cores)
    assert len(found) == 1


@pytest.mark.skipif(machine.architecture() != "x86_64", reason="CPUID is of x86-64")
def test_fingerprint_is_what_the_kernel_says_of_the_cpu():
    info = Path("/proc/cpuinfo").read_text("utf-8")
    flags = re.search(r"^flags\s*: (.*)$", info, re.MULTILINE)[1].split()
    words = [int(word, 16) for word in machine.fingerprint().split()]
    bits = dict(fma=(5, 12), avx=(5, 28), f16c=(5, 29), avx2=(8, 5), avx512f=(8, 16), bmi2=(8, 8))
    assert {name: bool(words[k] >> bit & 1) for name, (k, bit) in bits.items()} == {
        name: name in flags for name in bits
    }
    vendor = b"".join(words[k].to_bytes(4, "little") for k in (1, 3, 2))
    assert vendor.decode() in info


def test_host_has_elf_objects_and_registers_it_can_fill():
    host = machine.host()
    assert host.triple == f"{machine.architecture()}-unknown-linux-gnu"
    assert host.lanes_bytes in (16, 32, 64)


@pytest.mark.parametrize(
    "target, lanes, fma",
    [
        (Machine(LINUX, "x86-64", "+sse2,-avx,-fma"), 16, False),
        (Machine(LINUX, "haswell", "+avx2,+fma"), 32, True),
        (Machine(LINUX, "znver4", "+avx2,+avx512dq,+fma"), 64, True),
        (Machine(LINUX, "znver4", "+avx2,-avx512dq,+fma"), 32, True),
        (Machine(LINUX, "skylake-avx512", "+avx2,+avx512dq,+fma"), 32, True),
        (Machine("aarch64-unknown-linux-gnu", "generic", "+neon"), 16, True),
    ],
)
def test_registers_and_fma_are_read_from_the_features(target, lanes, fma):
    assert (target.lanes_bytes, target.has_fma) == (lanes, fma)
    called = re.search(r"\b(call|jmp|bl|b)\b.*\bfma\b", assembly(FMA, target))
    assert bool(called) is not fma


def test_an_llvmlite_that_cannot_be_imported_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    with pytest.raises(CompileError, match=r"LLVM could not be loaded: .*llvmlite\.binding"):
        machine.llvm.__wrapped__()


def test_equal_texts_are_equal_objects():
    assert assemble(SEVEN) == assemble(SEVEN) != assemble(SEVEN.replace("7", "8"))


@pytest.mark.parametrize(
    "text, words",
    [
        ("define i32 @f() { ret i64 7 }", "value doesn't match function result type 'i32'"),
        ("no such thing", "expected top-level entity"),
        ("define void @f() {\na:\n  br label %a\nb:\n  ret void\nc:\n  ret i32 %x\n}", "refused"),
        (
            "define void @f(i1 %c) {\n  br label %l\nl:\n  %x = phi i1 [%c, %l]\n  ret void\n}",
            "PHI",
        ),
    ],
)
def test_what_is_no_ir_is_refused(text, words):
    with pytest.raises(CompileError, match=re.escape(words)):
        assemble(text)


def test_functions_are_inlined_where_they_ask_for_it():
    text = """
    define internal void @run(ptr %slots) ATTRIBUTE {
      %p = load ptr, ptr %slots
      store double 1.0, ptr %p
      ret void
    }
    define void @entry(ptr %p) {
      %slots = alloca ptr
      store ptr %p, ptr %slots
      call void @run(ptr %slots)
      ret void
    }"""
    inlined, called = (assembly(text.replace("ATTRIBUTE", a)) for a in ("alwaysinline", "noinline"))
    assert "run" in called and "run" not in inlined
    assert "%rsp" not in inlined


ADDED = """
define i64 @f(i64 %x, i1 %c) {
  %a = add i64 %x, 5
  br i1 %c, label %more, label %done
more:
  call void @g()
  %b = add i64 %a, 7
  ret i64 %b
done:
  ret i64 0
}
declare void @g()"""


def test_instructions_of_a_short_text_are_combined(monkeypatch):
    combined, plain = assembly(ADDED, opt=1), assembly(ADDED, opt=0)
    assert combined != plain and assembly(ADDED) == combined
    monkeypatch.setattr(machine, "SMALL", 0)
    assert assembly(ADDED) == plain


def test_arithmetic_is_left_as_it_is_written():
    """x + 0 is 0 at -0, x·0 is NaN at infinity, and (x + y) - y is not x."""
    text = """define double @f(double %x, double %y) {
      %a = fadd double %x, 0.0
      %b = fmul double %a, 0.0
      %c = fadd double %b, %y
      %d = fsub double %c, %y
      ret double %d
    }"""
    target = Machine(LINUX, "x86-64", "+sse2")
    found = re.findall(r"\b(addsd|mulsd|subsd|xorpd)\b", assembly(text, target, opt=1))
    assert [name for name in found if name != "xorpd"] == ["addsd", "mulsd", "addsd", "subsd"]


def test_threads_assemble_at_once():
    texts = [SEVEN.replace("7", str(k)) for k in range(24)]
    found = {}
    threads = [
        threading.Thread(target=lambda t=text: found.update({t: assemble(t)})) for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {text: assemble(text) for text in texts}


FORK = f"""
import os, threading, time, warnings
from adjoint.compiler.machine import assemble
warnings.simplefilter("ignore")
text = {SEVEN!r}
stop = threading.Event()
def keep_busy():
    while not stop.is_set():
        assemble(text)
        time.sleep(1e-4)
thread = threading.Thread(target=keep_busy)
thread.start()
for _ in range(20):
    child = os.fork()
    if not child:
        os._exit(assemble(text)[:4] != b"\\x7fELF")
    assert os.waitpid(child, 0)[1] == 0
stop.set()
thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_forked_amid_assembling_can_assemble():
    subprocess.run([sys.executable, "-c", FORK], check=True, timeout=60)
