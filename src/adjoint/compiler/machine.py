"""The machine compiled for: whether native code works here, what the CPU has, IR to objects."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
import platform
import re
import struct
import sys
import threading
from typing import Any, NamedTuple

from ..errors import CompileError
from .memory import executable

SMALL = 1000  # lines of IR up to which instruction combining pays: about 4 us a line, against 25
# Lines of a function beyond which the fast code generator makes it: 20,000 lines in 0.5 s instead
# of 3.4, 40,000 in 1.2 instead of 17. What it makes is about half as fast, and keeps most values on
# the stack, of which it may take so many bytes.
HUGE, FRAME = 12_000, 1 << 22
LOCK = threading.RLock()  # held while LLVM works; a fork waits for it, lest the child inherit half
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release
    )


class Machine(NamedTuple):
    """A target of LLVM: triple, name of the CPU, and its features as "+avx2,-avx512f,...".

    >>> Machine("x86_64-unknown-linux-gnu", "haswell", "+avx2,+fma").lanes_bytes
    32
    """

    triple: str
    cpu: str
    features: str = ""

    @property
    def has_fma(self) -> bool:
        """Whether a fused multiply-add is one instruction rather than a call of libm."""
        return self.triple.startswith("aarch64") or "+fma" in self.features.split(",")

    @property
    def lanes_bytes(self) -> int:
        """Bytes of the vector registers that are fastest here.

        On Zen 4 exp, tanh, log and sin with 64 bytes take 0.57 to 0.68 of their time with twice 32
        bytes, and streaming takes the same. Elsewhere AVX-512 may lower the clock: 32 bytes.
        """
        features = self.features.split(",")
        if "+avx512dq" in features and self.cpu in ("znver4", "znver5", "znver6"):
            return 64
        return 32 if "+avx2" in features else 16


@functools.cache
def llvm() -> Any:
    """The bindings of LLVM, with every target they have; CompileError where they are broken."""
    try:
        import llvmlite.binding as binding  # why: 0.15 s, and what is cached does without it
    except (ImportError, OSError) as error:
        raise CompileError(f"LLVM could not be loaded: {error}") from error
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    binding.initialize_native_asmparser()
    return binding


@functools.cache
def host() -> Machine:
    """The machine this runs on; its objects are ELF, which is what our linker reads."""
    binding = llvm()
    triple = f"{architecture()}-unknown-linux-gnu"
    features = binding.get_host_cpu_features().flatten()
    return Machine(triple, binding.get_host_cpu_name(), features)


def architecture() -> str:
    """The kind of processor, as LLVM names it: "x86_64", "aarch64", ..."""
    name = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)


@functools.cache
def available() -> str | None:
    """None where native code can be made and run; else a sentence that says why not."""
    kind = architecture()
    if sys.implementation.name != "cpython":
        return f"Native code needs CPython; this is {sys.implementation.name}."
    if sys.platform != "linux" or kind not in ("x86_64", "aarch64") or sys.maxsize < 2**32:
        return f"Native code is made on 64-bit Linux, x86-64 or aarch64; this is {sys.platform} \
on {kind}, Python of {struct.calcsize('P') * 8} bits."
    if "t" in sys.abiflags:
        return "Native code needs a Python with the global lock; this is a free-threaded build."
    if importlib.util.find_spec("llvmlite") is None:
        return "Native code needs llvmlite: pip install 'adjoint[compile]'."
    try:
        fingerprint()
    except OSError as error:
        return f"The system allows no code made at run time: {error.strerror}."
    except CompileError as error:
        return f"{error}."
    return None


# void cpuid(leaf, subleaf, uint32_t out[4]) and uint64_t xgetbv(), in the System V convention:
# push %rbx; mov %rdx,%r8; mov %edi,%eax; mov %esi,%ecx; cpuid; mov %eax,(%r8); mov %ebx,4(%r8);
# mov %ecx,8(%r8); mov %edx,12(%r8); pop %rbx; ret
CPUID = bytes.fromhex("53 4989d0 89f8 89f1 0fa2 418900 41895804 41894808 4189500c 5b c3")
# xor %ecx,%ecx; xgetbv; shl $32,%rdx; or %rdx,%rax; ret
XGETBV = bytes.fromhex("31c9 0f01d0 48c1e220 4809d0 c3")
# What LLVM asks the CPU, and of the four answers those that are no property of one core.
LEAVES = (
    (0x0, 0, "abcd"), (0x1, 0, "acd"), (0x7, 0, "abcd"), (0x7, 1, "abcd"), (0xD, 1, "a"),
    (0x14, 0, "b"), (0x19, 0, "b"), (0x1E, 1, "a"), (0x24, 0, "b"), (0x80000000, 0, "a"),
    (0x80000001, 0, "cd"), (0x80000008, 0, "b"),
)  # fmt: skip
OSXSAVE = 1 << 27


@functools.cache
def fingerprint() -> str:
    """The CPU as far as code made for it may depend on it; equal for equal CPUs only.

    On x86-64 from the instructions CPUID and XGETBV, in microseconds: what LLVM decides by, with
    no need of it. Elsewhere what LLVM says. OSError where the system allows no code of ours.

    Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A, CPUID.
    """
    if architecture() != "x86_64":
        executable(b"\0")
        return repr(host())
    probe = executable(CPUID + XGETBV)
    registers = (ctypes.c_uint32 * 4)()
    ask = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)(probe.address)
    enabled = ctypes.CFUNCTYPE(ctypes.c_uint64)(probe.address + len(CPUID))

    def cpuid(leaf: int, subleaf: int) -> dict[str, int]:
        ask(leaf, subleaf, ctypes.addressof(registers))
        return dict(zip("abcd", registers, strict=True))

    last = {base: cpuid(base, 0)["a"] for base in (0, 0x80000000)}
    words = [
        answer[register]
        for leaf, subleaf, wanted in LEAVES
        if leaf <= last[leaf & 0x80000000]  # beyond the last, answers are of some other leaf
        for answer in [cpuid(leaf, subleaf)]
        for register in wanted
    ]
    words.append(enabled() if cpuid(1, 0)["c"] & OSXSAVE else 0)
    return " ".join(f"{word:x}" for word in words)


def assemble(ir: str, machine: Machine | None = None, opt: int | None = None) -> bytes:
    """LLVM IR text to a relocatable object, position-independent, for `machine` (else this one).

    Functions marked `alwaysinline` are inlined and stack slots become registers in any case (0.5
    ms for 300 lines); `opt=1` also combines instructions, by default where the text is short.
    Loops are left as they are written, and so is the arithmetic: no flag but those in the text.

    Raises: CompileError where the text is not LLVM IR, or has a function that is far too long.

    >>> assemble("define i32 @f() { ret i32 7 }")[1:4]
    b'ELF'
    """
    with LOCK:
        return emitted("emit_object", ir, machine or host(), opt)


def assembly(ir: str, machine: Machine | None = None, opt: int | None = None) -> str:
    """What `assemble` makes of `ir`, as text to be read."""
    with LOCK:
        return emitted("emit_assembly", ir, machine or host(), opt)


def emitted(how: str, ir: str, machine: Machine, opt: int | None) -> Any:
    """Parse, verify, optimise and emit, in a context of its own; all of it is gone at the end."""
    binding = llvm()
    longest = max([function.count("\n") for function in ir.split("\n}")])
    if longest > HUGE:
        lanes = max(map(int, re.findall(r"<(\d+) x ", ir)), default=1)
        if 8 * lanes * longest > FRAME:
            raise CompileError(
                f"a straight stretch of {longest} instructions, {lanes} numbers each, is too long "
                "for native code; compile parts of it apart, or make it shorter"
            )
    target = binding.Target.from_triple(machine.triple).create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=int(longest <= HUGE), reloc="pic",
        codemodel="small",
    )  # fmt: skip
    try:
        module = binding.parse_assembly(ir, binding.create_context())
        module.verify()
    except RuntimeError as error:
        reason = str(error).strip()
        raise CompileError(f"LLVM refused the code it was given: {reason}") from None
    module.triple, module.data_layout = machine.triple, str(target.target_data)
    passes = binding.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_sroa_pass()
    if ir.count("\n") < SMALL if opt is None else opt:
        passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    options = binding.create_pipeline_tuning_options(speed_level=1)
    passes.run(module, binding.create_pass_builder(target, options))
    return getattr(target, how)(module)
