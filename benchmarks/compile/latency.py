"""python latency.py WORKLOAD DTYPE: seconds of our first call, by itself in this new process.

With `--llvm` its bindings are imported before the clock starts. `first_calls` runs this with a
cold and then with a warm cache.
"""

import os
import subprocess
import sys
import tempfile
from statistics import median
from time import perf_counter


def first_calls(workload, dtype, processes, small=False):
    """Seconds (cold with LLVM loaded, cold, warm) of the first call in new processes, medians."""
    samples = []
    for _ in range(processes):
        with tempfile.TemporaryDirectory() as loaded, tempfile.TemporaryDirectory() as bare:
            given = (workload, dtype, *["--small"] * small)
            ready = in_new_process(loaded, *given, "--llvm")
            samples.append((ready, in_new_process(bare, *given), in_new_process(bare, *given)))
    return tuple(median(column) for column in zip(*samples, strict=True))


def in_new_process(cache, *given):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["ADJOINT_CACHE"] = cache
    done = subprocess.run(
        [sys.executable, __file__, *given], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)


def main():
    from entrants import Compiled
    from losses import SMALL, WORKLOADS

    name, dtype, *flags = sys.argv[1:]
    if "--llvm" in flags:
        import llvmlite.binding  # noqa: F401
    work = (SMALL if "--small" in flags else WORKLOADS)[name]().of_dtype(dtype)
    thunk = Compiled().thunk(work)
    start = perf_counter()
    thunk()
    print(perf_counter() - start)


if __name__ == "__main__":
    main()
