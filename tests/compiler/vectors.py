"""Functions of the builder as loops over arrays, so that a test can call them."""

from __future__ import annotations

import ctypes
import functools

import numpy as np

from adjoint.compiler.emit import SCALARS, Builder, Value

BYTES = dict(f64=8, f32=4, i1=1) | {f"{c}{n}": n // 8 for c in "iu" for n in (8, 16, 32, 64)}
DTYPES = {k: np.dtype("?" if k == "i1" else f"{k[0]}{BYTES[k]}") for k in BYTES}
KINDS = {dtype: kind for kind, dtype in DTYPES.items()}
LOOP = """
define void @{name}({pointers}, ptr %out, i64 %count) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %{last} ]
{body}
  %next = add i64 %i, {lanes}
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %end
end:
  ret void
}}
"""


def load(b, pointer, kind):
    """The lanes at `pointer`; a bool is a byte in memory."""
    stored = "i8" if kind == "i1" else kind
    value = b.emit(f"load {b.type(stored)}, ptr {pointer}, align 1", stored, fresh=True)
    return b.compare("ne", value, 0) if kind == "i1" else value


def store(b, value, pointer):
    """Write the lanes of a value."""
    if value.kind == "i1":
        value = b.convert("zext", value, "i8")
    b.raw(f"store {b.typed(value)}, ptr {pointer}, align 1")


def loop(name, function, kinds, lanes, **options):
    """The text of a function that maps `function` over arrays, and the kind of what it makes."""
    b = Builder(lanes, **options)
    b.block = "loop"
    arguments = []
    for place, kind in enumerate(kinds):
        scalar = "i8" if kind == "i1" else SCALARS[kind]
        pointer = b.fresh("p")
        b.raw(f"%{pointer} = getelementptr {scalar}, ptr %in{place}, i64 %i")
        arguments.append(load(b, f"%{pointer}", kind))
    value = function(b, *arguments)
    scalar = "i8" if value.kind == "i1" else SCALARS[value.kind]
    b.raw(f"%to = getelementptr {scalar}, ptr %out, i64 %i")
    store(b, Value(*value), "%to")
    pointers = ", ".join(f"ptr noalias %in{k}" for k in range(len(kinds)))
    text = LOOP.format(name=name, pointers=pointers, last=b.block, lanes=lanes,
                       body="\n".join(b.lines))  # fmt: skip
    return "\n".join(sorted(b.declarations)) + text, value.kind


@functools.cache
def host():
    """Triple, CPU and features of this computer; LLVM's targets made ready."""
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    features = llvm.get_host_cpu_features().flatten()
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), features


def machine(triple, cpu, features):
    """An LLVM target machine; an engine made of it owns it."""
    import llvmlite.binding as llvm

    host()
    target = llvm.Target.from_triple(triple)
    return target.create_target_machine(
        cpu=cpu, features=features, opt=2, codemodel="small", reloc="pic"
    )


def assembly(text, **target):
    """The assembly that LLVM makes of a module."""
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(text)
    module.verify()
    return machine(**target).emit_assembly(module)


def mapped(function, kinds, lanes=8, fma=True, **options):
    """`function` of the builder as one of arrays of these kinds, compiled for this machine."""
    import llvmlite.binding as llvm

    text, kind = loop("run", function, kinds, lanes, fma=fma, **options)
    module = llvm.parse_assembly(text)
    module.verify()
    triple, cpu, features = host()
    without = "" if fma else ",-fma,-fma4,-avx512f"
    engine = llvm.create_mcjit_compiler(module, machine(triple, cpu, features + without))
    engine.finalize_object()
    run = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(kinds) + 1), ctypes.c_int64)(
        engine.get_function_address("run")
    )

    def call(*arrays):
        size = max(np.size(a) for a in arrays)
        padded = -(-size // lanes) * lanes
        inputs = [np.empty(padded, DTYPES[k]) for k in kinds]
        for held, given in zip(inputs, arrays, strict=True):
            held[:size] = given
            held[size:] = held[0] if size else 0
        out = np.empty(padded, DTYPES[kind])
        if size:
            run(*[a.ctypes.data for a in inputs], out.ctypes.data, padded)
        return out[:size]

    call.engine, call.text = engine, text
    return call
