"""python benchmarks/count.py: instructions executed, forward and backward, counted by cachegrind.

Seconds on a shared machine wander by tens of per cent; instructions repeat to a few per mille, so
this is the check against a slower engine. Each count is the difference of two runs of different
length, which leaves out start-up and imports. About ten instructions are a nanosecond.

Counts depend on the interpreter and on NumPy (not on the CPU: valgrind shows every program the same
AVX2 machine), so a recording is compared only with counts of the same versions: `--record` writes
counts.json beside this file, a run without it exits with 1 if adjoint needs over 2 % more.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from contenders import CONTENDERS
from workloads import chain, logistic

RECORD = Path(__file__).with_name("counts.json")
TOLERANCE = 1.02
WARM, RUNS = 2, 6

WORKLOADS = {
    "a0": lambda: chain(200, np.float64(0.5), "scalar chain, 1000 ops, 0-d"),
    "a8": lambda: chain(200, np.linspace(0.1, 0.9, 8), "the same, shape (8,)"),
    "c": lambda: logistic(50),
    "c_tracked": lambda: logistic(50, tracked=True),
}
PACKAGES = {
    "hand": "numpy",
    "adjoint": "adjoint",
    "seed_like": "numpy",
    "HIPS": "autograd",
    "MyGrad": "mygrad",
    "PyTorch": "torch",
}


def execute(workload, contender, times):
    """What runs under cachegrind."""
    work, contender = WORKLOADS[workload](), CONTENDERS[contender]()
    run = getattr(contender, work.kind)(work)
    for _ in range(times):
        run()


def instructions(workload, contender, times):
    command = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=no",
        "--cachegrind-out-file=/dev/null",
        sys.executable,
        __file__,
        "--execute",
        workload,
        contender,
        str(times),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "0"}
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"{workload} with {contender} failed under cachegrind:\n{done.stderr}")
    return int(found[1].replace(",", ""))


def per_run(workload, contender):
    longer, shorter = (instructions(workload, contender, n) for n in (WARM + RUNS, WARM))
    return (longer - shorter) / RUNS


def versions():
    return f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}"


def recorded():
    """{workload: instructions} of the same versions, or nothing."""
    if not RECORD.exists():
        return {}
    record = json.loads(RECORD.read_text())
    return record["instructions"] if record["versions"] == versions() else {}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument(
        "--contenders", default="hand,adjoint,seed_like", help=f"of {', '.join(PACKAGES)}"
    )
    parser.add_argument("--record", action="store_true", help="write counts.json")
    parser.add_argument("--execute", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.execute:
        workload, contender, times = options.execute
        return execute(workload, contender, int(times))
    if not shutil.which("valgrind"):
        sys.exit("valgrind is absent: no instructions were counted (apt install valgrind)")

    names = [name for name in options.contenders.split(",") if find_spec(PACKAGES[name])]
    before, counts, worse = recorded(), {}, []
    print(f"Million instructions per run; {versions()}\n")
    print("| " + " | ".join(["workload", *names, "adjoint / hand", "against the record"]) + " |")
    print("| --- |" + " ---: |" * (len(names) + 2))
    for key in options.workloads.split(","):
        work = WORKLOADS[key]()
        row = {
            name: per_run(key, name) for name in names if getattr(CONTENDERS[name], work.kind, None)
        }
        cells = [f"{row[name] / 1e6:.2f}" if name in row else "" for name in names]
        ours = row.get("adjoint")
        cells.append(f"{ours / row['hand']:.2f}" if ours and "hand" in row else "")
        change = ours / before[key] if ours and key in before else None
        cells.append(f"{change - 1:+.1%}" if change else "")
        print("| " + " | ".join([f"{key}: {work.title}", *cells]) + " |", flush=True)
        if ours:
            counts[key] = round(ours)
        if change and change > TOLERANCE:
            worse.append(key)
    if options.record and counts:
        RECORD.write_text(
            json.dumps({"versions": versions(), "instructions": counts}, indent=2) + "\n"
        )
    elif worse:
        sys.exit(f"more instructions than recorded: {', '.join(worse)}")


if __name__ == "__main__":
    main()
