import ctypes
import functools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from adjoint.compiler.cache import native
from adjoint.compiler.machine import Machine, assembly, available
from adjoint.compiler.pool import FUTEX, GROUPS, HEAD, Pool, ir, pool, set_threads, threads

pytestmark = pytest.mark.skipif(available() is not None, reason=str(available()))

KERNELS = """
define void @count(ptr %c, i64 %i) {
  %p = getelementptr i64, ptr %c, i64 %i
  %old = atomicrmw add ptr %p, i64 1 seq_cst
  ret void
}
define void @meet(ptr %c, i64 %i) {
start:
  %old = atomicrmw add ptr %c, i64 1 seq_cst
  br label %look
look:
  %k = phi i64 [ 0, %start ], [ %k1, %again ]
  %here = load atomic i64, ptr %c seq_cst, align 8
  %both = icmp sge i64 %here, 2
  br i1 %both, label %met, label %again
again:
  %k1 = add i64 %k, 1
  %patient = icmp ult i64 %k1, 2000000000
  br i1 %patient, label %look, label %end
met:
  %n = getelementptr i64, ptr %c, i64 1
  %o = atomicrmw add ptr %n, i64 1 seq_cst
  br label %end
end:
  ret void
}
define void @work(ptr %c, i64 %i) {
start:
  %p = getelementptr double, ptr %c, i64 %i
  br label %loop
loop:
  %k = phi i64 [ 0, %start ], [ %k1, %loop ]
  %x = phi double [ 1.0, %start ], [ %x1, %loop ]
  %x1 = fmul double %x, 1.0000001
  %k1 = add i64 %k, 1
  %more = icmp ult i64 %k1, 20000
  br i1 %more, label %loop, label %end
end:
  store double %x1, ptr %p
  ret void
}
define void @storm(ptr %run, ptr %state, ptr %counts, i64 %jobs) {
start:
  br label %loop
loop:
  %k = phi i64 [ 0, %start ], [ %k1, %loop ]
  %few = and i64 %k, 7
  %n = add i64 %few, 2
  call void %run(ptr %state, ptr @count, ptr %counts, i64 %n)
  %k1 = add i64 %k, 1
  %more = icmp ult i64 %k1, %jobs
  br i1 %more, label %loop, label %end
end:
  ret void
}
define void @nest(ptr %c, i64 %i) {
  %run = load ptr, ptr %c
  %q = getelementptr ptr, ptr %c, i64 1
  %state = load ptr, ptr %q
  %r = getelementptr ptr, ptr %c, i64 2
  %counts = load ptr, ptr %r
  call void %run(ptr %state, ptr @count, ptr %counts, i64 10)
  ret void
}
"""


@pytest.fixture(autouse=True)
def two_threads():
    set_threads(2)
    yield
    set_threads(None)


@functools.cache
def kernels():
    return native(KERNELS)


def kernel(name):
    return kernels().address(name)


def counted(chunks, run=None):
    """How often each chunk was done."""
    counts = np.zeros(chunks + 8, int)
    (run or pool().run)(kernel("count"), counts.ctypes.data, chunks)
    assert not counts[chunks:].any()
    return counts[:chunks]


def alone(name):
    """Run a function of this file in a process of its own."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-W", "ignore::DeprecationWarning"]
    done = subprocess.run([*command, __file__, name], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and not done.stderr, done.stderr[-3000:] or done.returncode


@pytest.mark.parametrize("chunks", [0, 1, 2, 3, 64, 100_000])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_chunk_is_done_once(chunks, count):
    set_threads(count)
    for _ in range(20):
        assert (counted(chunks) == 1).all()


def test_two_threads_work_at_the_same_time():
    met = np.zeros(2, int)
    pool().run(kernel("meet"), met.ctypes.data, 2)
    assert met.tolist() == [2, 2]


def test_one_thread_does_it_all_alone_and_one_after_another():
    set_threads(1)
    seen = []
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
    chunk = kind(lambda c, i: seen.append((threading.get_ident(), i)))
    pool().run(ctypes.cast(chunk, ctypes.c_void_p).value, None, 20)
    assert seen == [(threading.get_ident(), i) for i in range(20)]


def test_a_chunk_may_use_the_pool_and_does_its_part_alone():
    counts = np.zeros(10, int)
    run, state = (pool().word(k, ctypes.c_void_p).value for k in (0, 8))
    table = (ctypes.c_void_p * 3)(run, state, counts.ctypes.data)
    for n in range(1, 50):
        pool().run(kernel("nest"), ctypes.addressof(table), 7)
        assert (counts == 7 * n).all()


def test_no_chunk_of_one_job_is_taken_for_one_of_another():
    jobs, counts = 400_000, np.zeros(16, int)
    counted(2)
    run, state = (pool().word(k, ctypes.c_void_p).value for k in (0, 8))
    kinds = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64
    ctypes.CFUNCTYPE(None, *kinds)(kernel("storm"))(run, state, counts.ctypes.data, jobs)
    expected = [jobs] * 2 + [jobs * (8 - k) // 8 for k in range(1, 8)] + [0] * 7
    assert counts.tolist() == expected


def test_callers_in_many_threads_get_their_own_chunks_done():
    wrong = []

    def call():
        wrong.extend(k for k in range(300) if (counted(k) != 1).any())

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert wrong == []


def test_the_number_of_threads_may_change_at_any_time():
    stop = threading.Event()

    def change():
        k = 0
        while not stop.is_set():
            k += 1
            set_threads(1 + k % 4)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        assert all((counted(50) == 1).all() for _ in range(500))
    finally:
        stop.set()
        changer.join()


def test_workers_that_sleep_are_woken():
    counted(2)
    time.sleep(0.05)
    sleepers = pool().word(HEAD + GROUPS["sleepers"]).value
    assert sleepers == pool().started - 1
    met = np.zeros(2, int)
    pool().run(kernel("meet"), met.ctypes.data, 2)
    assert met.tolist() == [2, 2]


def test_workers_take_no_signals():
    counted(2)
    blocked = [
        line
        for task in Path("/proc/self/task").iterdir()
        for line in (task / "status").read_text().splitlines()
        if line.startswith("SigBlk")
    ]
    assert sum(int(line.split()[1], 16) & 2 > 0 for line in blocked) >= pool().started - 1


def test_where_no_thread_is_to_be_had_the_caller_does_it_alone(monkeypatch):
    monkeypatch.setattr(sys.modules[Pool.__module__], "spawn", lambda *args: False)
    lonely = Pool()
    assert (counted(100, lonely.run) == 1).all() and lonely.started == 1


def test_the_number_of_threads_comes_from_the_call_the_environment_or_the_cores(monkeypatch):
    set_threads(None)
    cores = len(os.sched_getaffinity(0))
    for text, expected in (("3", 3), ("", cores), ("0", cores), ("many", cores), ("-1", cores)):
        monkeypatch.setenv("ADJOINT_THREADS", text)
        assert threads() == expected
    monkeypatch.setenv("ADJOINT_THREADS", "3")
    set_threads(1)
    assert threads() == 1
    for wrong in (0, -1, 1.5, "2", True):
        with pytest.raises(ValueError, match="positive integer or None"):
            set_threads(wrong)


@pytest.mark.parametrize("kind", FUTEX)
def test_it_compiles_for_every_processor_it_is_meant_for(kind):
    text = assembly(ir(kind), Machine(f"{kind}-unknown-linux-gnu", "generic"))
    assert "syscall" in text and {"x86_64": "pause", "aarch64": "yield"}[kind] in text


def in_a_child_of_a_fork():
    """The child of a fork starts threads of its own, also when another thread was in the middle."""
    set_threads(2)
    stop, data = threading.Event(), np.zeros(64)

    def busy():
        while not stop.is_set():
            pool().run(kernel("work"), data.ctypes.data, 64)

    other = threading.Thread(target=busy)
    other.start()
    for k in range(40):
        time.sleep(0.001 * (k % 3))
        child = os.fork()
        if child == 0:
            data[:] = -1
            pool().start()
            time.sleep(0.01)
            right = (data == -1).all()  # the job that was under way is not ours
            right &= all((counted(n) == 1).all() for n in range(50))
            met = np.zeros(2, int)
            pool().run(kernel("meet"), met.ctypes.data, 2)
            os._exit(not right or met.tolist() != [2, 2])
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    other.join()


def at_exit():
    """The interpreter may end while threads are at work."""
    set_threads(3)
    data = np.zeros(1 << 12)

    def forever():
        while True:
            pool().run(kernel("work"), data.ctypes.data, len(data))

    threading.Thread(target=forever, daemon=True).start()
    pool().run(kernel("work"), data.ctypes.data, 100)


def under_load():
    """On a machine with more threads than cores all is done, by whoever gets there."""
    set_threads(8)
    data = np.zeros(64)
    for _ in range(200):
        data[:] = 0
        pool().run(kernel("work"), data.ctypes.data, 64)
        assert (data == data[0]).all() and data[0] > 1


@pytest.mark.parametrize("name", ["in_a_child_of_a_fork", "at_exit", "under_load"])
def test_the_pool_holds(name):
    alone(name)


if __name__ == "__main__":
    ctypes.CDLL(None).alarm(120)
    kernels()
    globals()[sys.argv[1]]()
