"""A small pool of threads for generated code: chunks claimed by an atomic counter, spin then futex.

While `threads()` is 1, chunks run one after another in the thread that calls. Workers are bare
threads of the operating system that never touch Python, parked in a futex: this is for Linux.
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from .cache import native
from .machine import architecture

FUTEX = {"x86_64": 202, "aarch64": 98}  # the system call's number
PAUSE = {
    "x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "aarch64": ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"),
}
SPIN = 2000  # pauses before a thread sleeps: some 20 to 60 us, longer than between two loops

# The block of memory shared by all: what a `pool` slot points to, then the state, every group on
# a cache line of its own. The block is never given back, because workers never end.
RUN, STATE, READY = 0, 8, 16
GROUPS = dict(ticket=0, done=64, waiting=68, fn=128, ctx=136, chunks=144, word=192, sleepers=196,
              lock=256, limit=260, workers=264)  # fmt: skip
HEAD, SIZE = 64, 448


def ir(kind: str) -> str:
    """The pool as LLVM IR for the processor `kind`: `pool_run`, `worker`, and `nothing`, a chunk.

    `pool_run(ptr state, ptr fn, ptr ctx, i64 chunks)` calls `fn(ctx, i)` once for every i below
    `chunks` (< 2**32 - 1), on any thread and in any order, and returns when all are done. Who finds
    the pool busy, another thread or a chunk itself, does its chunks alone and never waits.

    The ticket is (generation << 32 | next chunk). It is closed (no chunk is that large) before the
    job behind it changes, so a claim can only succeed for the job whose fields were read.
    """
    declare, pause = PAUSE[kind]
    field = "\n".join(
        f"  %{name} = getelementptr i8, ptr %state, i64 {offset}" for name, offset in GROUPS.items()
    )
    futex = f"call i64 (i64, ...) @syscall(i64 {FUTEX[kind]}, ptr"
    sleep = "i32 128, i32 {}, ptr null, ptr null, i32 0)".format
    wake = "i32 129, i32 {}, ptr null, ptr null, i32 0)".format
    return f"""declare i64 @syscall(i64, ...)
{declare}

define internal void @claim(ptr %state, i64 %generation) {{
start:
{field}
  br label %next
next:
  %seen = load atomic i64, ptr %ticket seq_cst, align 8
  %current = lshr i64 %seen, 32
  %same = icmp eq i64 %current, %generation
  %i = and i64 %seen, 4294967295
  %n = load atomic i64, ptr %chunks monotonic, align 8
  %f = load atomic ptr, ptr %fn monotonic, align 8
  %c = load atomic ptr, ptr %ctx monotonic, align 8
  %more = icmp ult i64 %i, %n
  %try = and i1 %same, %more
  br i1 %try, label %take, label %end
take:
  %following = add i64 %seen, 1
  %swap = cmpxchg ptr %ticket, i64 %seen, i64 %following seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %swap, 1
  br i1 %mine, label %work, label %next
work:
  call void %f(ptr %c, i64 %i)
  %before = atomicrmw add ptr %done, i32 1 seq_cst
  %asleep = load atomic i32, ptr %waiting seq_cst, align 4
  %awake = icmp eq i32 %asleep, 0
  br i1 %awake, label %next, label %call
call:
  %r = {futex} %done, {wake(1)}
  br label %next
end:
  ret void
}}

define ptr @worker(ptr %state) {{
start:
{field}
  %before = atomicrmw add ptr %workers, i32 1 seq_cst
  %rank = add i32 %before, 1
  br label %watch
watch:
  %last = phi i64 [ -1, %start ], [ %generation, %job ], [ %generation, %help ]
  br label %look
look:
  %k = phi i32 [ 0, %watch ], [ %k1, %spin ], [ 0, %sleep ]
  %seen = load atomic i64, ptr %ticket seq_cst, align 8
  %generation = lshr i64 %seen, 32
  %new = icmp ne i64 %generation, %last
  br i1 %new, label %job, label %idle
idle:
  %k1 = add i32 %k, 1
  %go = icmp ult i32 %k1, {SPIN}
  br i1 %go, label %spin, label %sleep
spin:
  {pause}
  br label %look
sleep:
  %a = atomicrmw add ptr %sleepers, i32 1 seq_cst
  %known = trunc i64 %last to i32
  %r = {futex} %word, {sleep("%known")}
  %b = atomicrmw sub ptr %sleepers, i32 1 seq_cst
  br label %look
job:
  %most = load atomic i32, ptr %limit seq_cst, align 4
  %wanted = icmp slt i32 %rank, %most
  br i1 %wanted, label %help, label %watch
help:
  call void @claim(ptr %state, i64 %generation)
  br label %watch
}}

define void @pool_run(ptr %state, ptr %f, ptr %c, i64 %n) {{
start:
{field}
  %most = load atomic i32, ptr %limit monotonic, align 4
  %one = icmp slt i32 %most, 2
  %few = icmp ult i64 %n, 2
  %simple = or i1 %one, %few
  br i1 %simple, label %alone, label %enter
enter:
  %swap = cmpxchg ptr %lock, i32 0, i32 1 seq_cst seq_cst
  %free = extractvalue {{ i32, i1 }} %swap, 1
  br i1 %free, label %post, label %alone
alone:
  %i = phi i64 [ 0, %start ], [ 0, %enter ], [ %i1, %chunk ]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %chunk, label %end
chunk:
  call void %f(ptr %c, i64 %i)
  %i1 = add i64 %i, 1
  br label %alone
post:
  %seen = load atomic i64, ptr %ticket seq_cst, align 8
  %closed = or i64 %seen, 4294967295
  store atomic i64 %closed, ptr %ticket seq_cst, align 8
  store atomic ptr %f, ptr %fn monotonic, align 8
  store atomic ptr %c, ptr %ctx monotonic, align 8
  store atomic i64 %n, ptr %chunks monotonic, align 8
  store atomic i32 0, ptr %done monotonic, align 4
  %opened = add i64 %closed, 1
  store atomic i64 %opened, ptr %ticket seq_cst, align 8
  %generation = lshr i64 %opened, 32
  %known = trunc i64 %generation to i32
  store atomic i32 %known, ptr %word seq_cst, align 4
  %idle = load atomic i32, ptr %sleepers seq_cst, align 4
  %none = icmp eq i32 %idle, 0
  br i1 %none, label %help, label %call
call:
  %r = {futex} %word, {wake(2**31 - 1)}
  br label %help
help:
  call void @claim(ptr %state, i64 %generation)
  %all = trunc i64 %n to i32
  br label %wait
wait:
  %k = phi i32 [ 0, %help ], [ %k1, %spin ]
  %d = load atomic i32, ptr %done seq_cst, align 4
  %ready = icmp eq i32 %d, %all
  br i1 %ready, label %leave, label %patient
patient:
  %k1 = add i32 %k, 1
  %go = icmp ult i32 %k1, {SPIN}
  br i1 %go, label %spin, label %rest
spin:
  {pause}
  br label %wait
rest:
  store atomic i32 1, ptr %waiting seq_cst, align 4
  br label %doze
doze:
  %d1 = load atomic i32, ptr %done seq_cst, align 4
  %ready1 = icmp eq i32 %d1, %all
  br i1 %ready1, label %rise, label %nap
nap:
  %r1 = {futex} %done, {sleep("%d1")}
  br label %doze
rise:
  store atomic i32 0, ptr %waiting seq_cst, align 4
  br label %leave
leave:
  store atomic i32 0, ptr %lock seq_cst, align 4
  br label %end
end:
  ret void
}}

define void @nothing(ptr %c, i64 %i) {{
  ret void
}}
"""


class Pool:
    """The pool of this process: its memory, and the threads started so far."""

    def __init__(self) -> None:
        self.code = native(ir(architecture()))
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.code))  # workers run in it to the end
        raw = ctypes.create_string_buffer(SIZE + 64)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(raw))
        self.address = ctypes.addressof(raw) + 63 & -64
        self.state = self.address + HEAD
        self.word(RUN, ctypes.c_void_p).value = self.code.address("pool_run")
        self.word(STATE, ctypes.c_void_p).value = self.state
        self.reset()
        os.register_at_fork(after_in_child=self.reset)

    def word(self, offset: int, kind: Any = ctypes.c_int32) -> Any:
        """A number in the block."""
        return kind.from_address(self.address + offset)

    def reset(self) -> None:
        """As if no thread had been started: the truth at first, and in the child of a fork."""
        self.busy = threading.Lock()
        self.started = 1
        for name in ("waiting", "chunks", "sleepers", "lock", "workers"):  # no job is under way
            self.word(HEAD + GROUPS[name]).value = 0
        self.limit(threads())

    def limit(self, count: int) -> None:
        """Use at most `count` threads; those missing are started by the next call that needs them.

        A call under way keeps the threads it has.
        """
        self.word(HEAD + GROUPS["limit"]).value = count
        self.word(READY).value = count <= self.started

    def start(self) -> None:
        """Start the threads that are missing; where the system refuses one, do with fewer."""
        with self.busy:
            worker = ctypes.c_void_p(self.code.address("worker"))
            while self.started < threads() and spawn(worker, ctypes.c_void_p(self.state)):
                self.started += 1
            self.word(READY).value = 1

    def run(self, fn: int, ctx: int | None, chunks: int) -> None:
        """Call the native function at `fn` with `ctx` and every chunk's number."""
        if not self.word(READY).value:
            self.start()
        self.entry(self.state, fn, ctx, chunks)

    @functools.cached_property
    def entry(self) -> Callable[..., None]:
        """`pool_run`, as Python calls it."""
        kinds = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64
        return ctypes.CFUNCTYPE(None, *kinds)(self.code.address("pool_run"))


def spawn(function: ctypes.c_void_p, argument: ctypes.c_void_p) -> bool:
    """Start a detached thread of the operating system; whether there is one.

    It takes no signals: those are for the threads of Python, whose system calls they interrupt.
    """
    libc, handle = ctypes.CDLL(None), ctypes.c_ulong()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        failed = libc.pthread_create(ctypes.byref(handle), None, function, argument)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return not failed and not libc.pthread_detach(handle)


@functools.cache
def pool() -> Pool:
    """The pool of this process; wherever native code runs there is one."""
    return Pool()


_chosen: int | None = None


def threads() -> int:
    """How many threads a compiled function may use.

    What `set_threads` was given; else the number in the environment variable `ADJOINT_THREADS`;
    else as many as the process has cores.
    """
    if _chosen is not None:
        return _chosen
    text = os.environ.get("ADJOINT_THREADS", "")
    if text.strip().isdecimal() and int(text) > 0:
        return int(text)
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def set_threads(count: int | None) -> None:
    """Let compiled functions use `count` threads from now on; None: as many as there are cores.

    Their results do not depend on it: what is summed in which order follows from sizes alone.

    Raises: ValueError unless `count` is a positive integer or None.

    >>> set_threads(1)
    >>> threads()
    1
    >>> set_threads(None)
    """
    global _chosen
    if count is not None and (type(count) is not int or count < 1):
        raise ValueError(f"`set_threads` takes a positive integer or None, not {count!r}.")
    _chosen = count
    if pool.cache_info().currsize:
        pool().limit(threads())
