"""python benchmarks/compile/run.py: compiled functions against hand-written NumPy and their peers.

All contenders run in one process, in turns: every round times each of them once, and a ratio is
taken within the round, so that a slow second of the machine slows both sides. What is printed is
the median over rounds. Everybody may use every core. The garbage collector is on, but the imported
libraries are frozen out of it; it runs between the timings. Before it is timed, each contender's
answer is compared with the hand-written one. First calls are timed in processes of their own.

Without arguments the whole suite runs (some minutes) and RESULTS.md is written beside this file.
"""

import argparse
import gc
import os
import platform
import sys
import warnings
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
from entrants import CONTENDERS
from latency import first_calls
from losses import SMALL, WORKLOADS

DTYPES = ("float64", "float32")
AGREEMENT = dict(float64=1e-9, float32=2e-3)
SLOW = ("torch.compile",)  # up to a minute a workload: timed only if asked for


@dataclass
class Timing:
    """Seconds per call in each round, or why there are none; `first` of the first call."""

    seconds: list = field(default_factory=list)
    first: float = 0.0
    failure: str = ""

    @property
    def median(self):
        return median(self.seconds)

    def over(self, other):
        """How many times slower than `other`; None if either was not timed."""
        pairs = list(zip(self.seconds, other.seconds, strict=False))
        return median(a / b for a, b in pairs) if pairs else None


def flat(answer):
    """The value and the gradients of an answer as one list of NumPy arrays."""
    value, *gradients = answer
    if len(gradients) == 1 and isinstance(gradients[0], (tuple, list)):
        (gradients,) = gradients
    arrays = [value, *gradients]
    return [np.asarray(a.detach() if hasattr(a, "detach") else a, float) for a in arrays]


def disagreement(answer, reference):
    """The largest error of any array, relative to that array's largest entry."""
    return max(
        np.max(np.abs(a - b), initial=0.0) / (np.max(np.abs(b), initial=0.0) or 1.0)
        for a, b in zip(flat(answer), flat(reference), strict=True)
    )


def prepare(contender, work, dtype, reference):
    """A thunk, checked, and the `Timing` of its first call or the reason there is none."""
    try:
        start = perf_counter()
        thunk = contender.thunk(work)
        answer = thunk()
        first = perf_counter() - start
        error = disagreement(answer, reference)
    except Exception as exception:
        return None, Timing(failure=type(exception).__name__)
    if not error <= AGREEMENT[dtype]:
        return None, Timing(failure=f"wrong by {error:.0e}")
    return thunk, Timing(first=first)


def clock(thunk, repetitions):
    start = perf_counter()
    for _ in range(repetitions):
        thunk()
    return (perf_counter() - start) / repetitions


def measure(work, dtype, contenders, rounds, budget):
    """{contender: Timing} of one workload; one slower than a second gets three rounds at most."""
    reference = work.hand(*work.arrays)
    timings, plan = {}, []
    for contender in contenders:
        if contender.name in work.skip:
            continue
        thunk, timings[contender.name] = prepare(contender, work, dtype, reference)
        if thunk:
            once = min(clock(thunk, 1), clock(thunk, 1))
            turns = rounds if once < 1.0 else min(rounds, 3)
            plan.append((contender.name, thunk, max(1, int(budget / once)), turns))
    gc.collect()
    gc.freeze()
    for turn in range(rounds):
        first = turn % len(plan)
        for name, thunk, repetitions, turns in plan[first:] + plan[:first]:
            if turn < turns:
                gc.collect()
                thunk()
                timings[name].seconds.append(clock(thunk, repetitions))
    gc.unfreeze()
    return timings


JAX = "jax.jit NumPy"  # the targets are about NumPy in and out; jax.jit's own arrays stand beside


@dataclass(frozen=True)
class Target:
    """`at_least` times faster than a peer."""

    workload: str
    peer: str
    at_least: float


TARGETS = [
    Target(workload, peer, at_least)
    for workload, peers in {
        "tiny": {JAX: 50, "PyTorch": 300},
        "rosen10": {JAX: 50, "PyTorch": 300},
        "chain": {JAX: 2, "PyTorch": 6},
        "rosen1e5": {JAX: 5, "PyTorch": 5},
        "scan": {JAX: 2},
    }.items()
    for peer, at_least in peers.items()
]
FIRST_CALL, REROLLED, WARM = 0.2, 0.3, 0.01  # seconds, to stay below
REROLLS = ("scan",)


def times_ours(timings, name):
    """How many times slower than ours a contender is; None if either was not timed."""
    ours = timings.get("compiled", Timing())
    return timings[name].over(ours) if name in timings else None


def verdicts(results, latencies):
    """Every target with what was measured, the unmet ones first to be seen."""
    lines = []
    for (key, dtype), timings in results.items():
        for target in TARGETS:
            value = times_ours(timings, target.peer) if target.workload == key else None
            if value is not None:
                text = f"{value:.3g} times faster than {target.peer} (target ≥ {target.at_least})"
                lines.append((value >= target.at_least, f"{key} {dtype}: {text}"))
    for (key, dtype), (loaded, _, warm) in latencies.items():
        if key not in {target.workload for target in TARGETS}:
            continue
        limit = REROLLED if key in REROLLS else FIRST_CALL
        cold = f"first call in {loaded * 1e3:.0f} ms (target < {limit * 1e3:.0f} ms)"
        lines.append((loaded < limit, f"{key} {dtype}: {cold}"))
        again = f"with a warm cache in {warm * 1e3:.1f} ms (target < {WARM * 1e3:.0f} ms)"
        lines.append((warm < WARM, f"{key} {dtype}: {again}"))
    met = sum(ok for ok, _ in lines)
    lines.sort(key=lambda line: line[0])
    return f"{met} of {len(lines)} measured targets are met.\n\n" + "".join(
        f"- {'met' if ok else '**falls short**'}: {text}\n" for ok, text in lines
    )


def table(header, rows):
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def ratio(value):
    return "" if value is None else f"{value:.0f}" if value >= 99.5 else f"{value:.3g}"


def seconds(value):
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * scale >= 1.0:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e9:.0f} ns"


def columns(results):
    seen = {name for timings in results.values() for name in timings}
    return [name for name in CONTENDERS if name in seen]


def speeds(results, titles):
    """Our time, and everybody's in units of it."""
    names = [name for name in columns(results) if name != "compiled"]
    rows = []
    for (key, dtype), timings in results.items():
        ours = timings.get("compiled", Timing())
        time = seconds(ours.median) if ours.seconds else ours.failure
        cells = [
            (timings[name].failure or ratio(times_ours(timings, name))) if name in timings else ""
            for name in names
        ]
        rows.append([f"{key}: {titles[key]}", dtype, time, *cells])
    return table(["workload", "dtype", "compiled", *names], rows)


def times(results):
    """Everybody's own time."""
    names = columns(results)
    rows = [
        [key, dtype]
        + [
            seconds(timings[name].median) if name in timings and timings[name].seconds else ""
            for name in names
        ]
        for (key, dtype), timings in results.items()
    ]
    return table(["workload", "dtype", *names], rows)


def firsts(results, latencies):
    """First calls: ours in new processes, the compiling peers' in the process of the timings."""
    peers = [name for name in columns(results) if name in ("jax.jit", "torch.compile")]
    rows = []
    for place, (loaded, cold, warm) in latencies.items():
        timings = results.get(place, {})
        cells = [seconds(timings[name].first) if name in timings else "" for name in peers]
        rows.append([*place, *map(seconds, (loaded, cold, warm)), *cells])
    header = ["workload", "dtype", "ours", "ours, LLVM's import included", "ours, warm cache"]
    return table([*header, *peers], rows)


def machine():
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text()
        lines = [line for line in cpuinfo.splitlines() if line.startswith("model name")]
        cpu = lines[0].partition(":")[2].strip()
    except (OSError, IndexError):
        cpu = platform.processor() or platform.machine()
    return f"{cpu}, {os.cpu_count()} CPUs, {platform.system()}"


def load():
    """What else the machine was doing, if it tells."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def report(results, latencies, titles, contenders, rounds, load_before):
    packages = {c.package: c.version for c in contenders}
    versions = ", ".join(f"{package} {version}" for package, version in packages.items())
    parts = [
        f"""# Compiled benchmarks

{date.today()}. {machine()}, load average {load_before} before the run.
Python {platform.python_version()}, {versions}.

Value and gradient, by `python benchmarks/compile/run.py`: contenders interleaved in one process,
medians of per-round ratios over {rounds} rounds, garbage collector on, every core for everybody.
`compiled`, `eager`, `hand`, HIPS and `jax.jit NumPy` take and return NumPy arrays; `jax.jit` and
PyTorch have arrays of their own. JAX's recurrence is a `lax.scan`, the others' a Python loop.
Every answer agreed with the hand-written one to {AGREEMENT["float64"]:.0e} (float64) and
{AGREEMENT["float32"]:.0e} (float32). An empty cell: not run; an error's name: what happened.

## Times ours (higher: we are faster)
""",
        speeds(results, titles),
        "## Times\n",
        times(results),
    ]
    if latencies:
        parts += [
            "## The first call: traced, compiled, called\n",
            "Ours are medians of new processes: with LLVM's bindings imported before (what the "
            "targets are about), with that import in the call, and with a warm cache on disk.\n",
            firsts(results, latencies),
        ]
    if lines := verdicts(results, latencies):
        parts += ["## Targets\n", lines]
    return "\n".join(parts)


def arguments():
    def names(text):
        return [name for name in text.split(",") if name]

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--workloads", type=names, metavar="A,B", default=list(WORKLOADS),
        help=f"of {', '.join(WORKLOADS)}",
    )  # fmt: skip
    parser.add_argument(
        "--peers", type=names, metavar="A,B", default=[n for n in CONTENDERS if n not in SLOW],
        help=f"of {', '.join(CONTENDERS)}; hand and compiled are always there",
    )  # fmt: skip
    parser.add_argument("--dtypes", type=names, metavar="A,B", default=list(DTYPES))
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--quick", action="store_true", help="five rounds of shorter timings")
    parser.add_argument("--small", action="store_true", help="small arrays: does it all work?")
    parser.add_argument(
        "--processes", type=int, default=3, help="that make a first call each; 0: none is timed"
    )
    parser.add_argument("--out", type=Path, help="default: RESULTS.md for a whole run, else none")
    options = parser.parse_args()
    for given, known in (
        (options.workloads, WORKLOADS), (options.peers, CONTENDERS), (options.dtypes, DTYPES)
    ):  # fmt: skip
        if unknown := [name for name in given if name not in known]:
            parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    if options.quick:
        options.rounds = min(options.rounds, 5)
    whole = [options.workloads, options.peers, options.dtypes] == [
        parser.get_default(name) for name in ("workloads", "peers", "dtypes")
    ]
    if whole and options.processes and not (options.quick or options.small or options.out):
        options.out = Path(__file__).with_name("RESULTS.md")
    return options


def present(names):
    contenders = []
    for name, contender in CONTENDERS.items():
        if name in names or name in ("hand", "compiled"):
            try:
                contenders.append(contender())
            except ImportError as error:
                print(f"{name} is skipped: {error}")
    return contenders


def main():
    options, load_before = arguments(), load()
    warnings.filterwarnings("ignore")  # the peers', of overflow in exp and the like
    contenders = present(options.peers)
    budget = 0.002 if options.small else 0.005 if options.quick else 0.02
    results, latencies, titles = {}, {}, {}
    for key in options.workloads:
        whole = (SMALL if options.small else WORKLOADS)[key]()
        titles[key] = whole.title
        for dtype in options.dtypes:
            timings = measure(whole.of_dtype(dtype), dtype, contenders, options.rounds, budget)
            results[key, dtype] = timings
            cells = [f"{name} {t.failure or seconds(t.median)}" for name, t in timings.items()]
            print(f"{key} {dtype}: {', '.join(cells)}", flush=True)
            ours = timings.get("compiled")
            if ours and ours.seconds and options.processes:
                latencies[key, dtype] = first_calls(
                    key, dtype, processes=options.processes, small=options.small
                )
    text = report(results, latencies, titles, contenders, options.rounds, load_before)
    print("\n" + text)
    if options.out:
        options.out.write_text(text)
    ours = {place: timings.get("compiled") for place, timings in results.items()}
    if wrong := [" ".join(place) for place, timing in ours.items() if timing and timing.failure]:
        sys.exit(f"`compile` failed or disagreed in: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
