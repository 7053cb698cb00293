"""python benchmarks/run.py: the eager engine against hand-written NumPy and against its peers.

All contenders run in one process, in turns: every round times each of them once, and a ratio is
taken within the round, so that a slow second of the machine slows both sides. What is printed is
the median over rounds. The garbage collector is on, but the imported libraries are frozen out of
it (nobody pays for walking another's modules); it runs between the timings. BLAS has one thread.
Before it is timed, each contender's answer is compared with the hand-written one.

Without arguments the whole suite runs (some minutes) and RESULTS.md is written beside this file.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"):
    os.environ[variable] = "1"  # before NumPy is imported; NPROC is XLA's
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import argparse
import gc
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from contenders import CONTENDERS
from workloads import COSTS, GRADIENTS, HIGHER

AGREEMENT = 1e-8
WORKLOADS = [*GRADIENTS, *HIGHER, *COSTS]


@dataclass
class Timing:
    """Seconds per call in each round, or why there are none."""

    seconds: list = field(default_factory=list)
    failure: str = ""

    def over(self, other):
        """How many times slower than `other`; None if either was not timed."""
        pairs = list(zip(self.seconds, other.seconds, strict=False))
        return median(a / b for a, b in pairs) if pairs else None


def to_numpy(array):
    return np.asarray(array.detach() if hasattr(array, "detach") else array, dtype=float)


def disagreement(answer, reference):
    """The largest error of any array, relative to that array's largest entry."""
    return max(
        np.max(np.abs(to_numpy(a).ravel() - np.ravel(b)), initial=0.0)
        / (np.max(np.abs(b), initial=0.0) or 1.0)
        for a, b in zip(answer, reference, strict=True)
    )


def answer_by_hand(work):
    return [np.array(a) for a in work.hand()]


def prepare(contender, work, reference):
    """A thunk whose answer has been checked, or the reason there is none."""
    contender.before()
    try:
        thunk = getattr(contender, work.kind)(work)
        error = disagreement(thunk(), reference)
    except Exception as exception:
        return None, type(exception).__name__
    if not error <= AGREEMENT:
        return None, f"wrong by {error:.0e}"
    return thunk, ""


def clock(thunk, repetitions):
    start = perf_counter()
    for _ in range(repetitions):
        thunk()
    return (perf_counter() - start) / repetitions


def in_turns(entrants, rounds, budget):
    """{name: Timing} of (name, contender, workload, its answer by hand).

    One slower than a second a call gets three rounds at most.
    """
    timings, plan = {}, []
    for name, contender, work, reference in entrants:
        thunk, failure = prepare(contender, work, reference)
        timings[name] = Timing(failure=failure)
        if thunk:
            once = min(clock(thunk, 1), clock(thunk, 1))
            plan.append(
                (
                    name,
                    contender,
                    thunk,
                    max(1, int(budget / once)),
                    rounds if once < 1.0 else min(rounds, 3),
                )
            )
    gc.collect()
    gc.freeze()
    for turn in range(rounds):
        first = turn % len(plan)
        for name, contender, thunk, repetitions, turns in plan[first:] + plan[:first]:
            if turn < turns:
                contender.before()
                gc.collect()
                timings[name].seconds.append(clock(thunk, repetitions))
    gc.unfreeze()
    return timings


def measure(work, contenders, rounds, budget):
    """{contender: Timing} of one workload."""
    reference = answer_by_hand(work)
    entrants = [
        (contender.name, contender, work, reference)
        for contender in contenders
        if getattr(contender, work.kind, None) is not None and contender.name not in work.skip
    ]
    return in_turns(entrants, rounds, budget)


def measure_costs(works, contenders, rounds, budget):
    """{kind: Timing} of adjoint's derivatives of one function, and of its bare text: `primal`."""
    by_name = {contender.name: contender for contender in contenders}
    runners = [by_name["hand" if work.kind == "primal" else "adjoint"] for work in works]
    entrants = [
        (work.kind, runner, work, answer_by_hand(work))
        for runner, work in zip(runners, works, strict=True)
        if getattr(runner, work.kind, None) is not None
    ]
    return in_turns(entrants, rounds, budget)


def import_milliseconds(module, rounds):
    """What `import module` adds to `import numpy`, in fresh interpreters; None if it cannot."""
    code = f"""if True:
        import time, numpy
        start = time.perf_counter()
        import {module}
        print(time.perf_counter() - start)"""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    for _ in range(1 + rounds):  # the first compiles to bytecode and is left out
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment
        )
        if done.returncode:
            return None
        seconds.append(float(done.stdout))
    return median(seconds[1:]) * 1000.0


@dataclass(frozen=True)
class Target:
    """`at_least` times faster than a peer, or `at_most` times the hand-written NumPy."""

    workload: str
    peer: str
    at_least: float = 0.0
    at_most: float = 0.0

    def measured(self, results):
        timings = results.get(self.workload, {})
        ours, theirs = timings.get("adjoint"), timings.get(self.peer)
        if ours is None or theirs is None:
            return None
        return theirs.over(ours) if self.at_least else ours.over(theirs)

    def met(self, value):
        return value >= self.at_least if self.at_least else value <= self.at_most

    def __str__(self):
        return f"{self.peer} " + (
            f"≥ {self.at_least:g}" if self.at_least else f"≤ {self.at_most:g}"
        )


TARGETS = (
    Target("a0", "PyTorch", at_least=5),
    Target("a0", "HIPS", at_least=15),
    Target("b10", "PyTorch", at_least=4),
    Target("b10", "HIPS", at_least=6),
    Target("b1000", "PyTorch", at_least=4),
    Target("b1000", "HIPS", at_least=6),
    Target("c", "PyTorch", at_least=6),
    Target("c", "HIPS", at_least=8),
    Target("c", "hand", at_most=5),
    Target("c_tracked", "seed_like", at_least=1.5),
    Target("d", "hand", at_most=1.35),
    Target("e", "hand", at_most=1.1),
    Target("e", "PyTorch", at_least=1),
    Target("h", "hand", at_most=3.5),
    Target("b100_hessian", "HIPS", at_least=10),
    Target("b100_hessian", "PyTorch", at_least=1),
    Target("d_per_example", "HIPS", at_least=10),
    Target("d_per_example", "PyTorch", at_least=1),
)
COST_TARGETS = dict(gradient=4.0, jvp=2.5, hvp=8.0)  # primals, to stay below
FLATNESS, IMPORT_MS = (0.8, 1.25), 50.0


def judged(target, results):
    """(a cell of the table, the verdict: True, False, or None when it was not measured)."""
    value = target.measured(results)
    if value is None:
        return f"{target} (not measured)", None
    met = target.met(value)
    return f"{target} {'✓' if met else f'**✗ {value:.2f}**'}", met


def flatness(results):
    """The cost of an op in a million-op chain over that in a 100,000-op one, both in hand units."""
    deep, long = (Target(name, "hand", at_most=1).measured(results) for name in ("h1m", "h"))
    return deep / long if deep and long else None


def table(header, rows):
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def ratio(value):
    return "" if value is None else f"{value:.0f}" if value >= 99.5 else f"{value:.3g}"


def seconds(timing):
    t = median(timing.seconds)
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if t * scale >= 1.0:
            return f"{t * scale:.3g} {unit}"
    return f"{t * 1e6:.3g} µs"


def columns(results, without):
    seen = {name for timings in results.values() for name in timings}
    return [name for name in CONTENDERS if name in seen and name not in without]


def times_hand(results, titles):
    names = columns(results, without=("hand",))
    rows = []
    for key, timings in results.items():
        cells = [
            timings[name].failure or ratio(timings[name].over(timings["hand"]))
            if name in timings
            else ""
            for name in names
        ]
        rows.append([f"{key}: {titles[key]}", seconds(timings["hand"]), *cells])
    return table(["workload", "hand-written", *names], rows)


def times_adjoint(results, titles):
    names = columns(results, without=("adjoint",))
    rows = []
    for key, timings in results.items():
        ours = timings.get("adjoint", Timing())
        cells = [ratio(timings[name].over(ours)) if name in timings else "" for name in names]
        targets = [judged(t, results)[0] for t in TARGETS if t.workload == key]
        rows.append([f"{key}: {titles[key]}", *cells, ", ".join(targets)])
    return table(["workload", *names, "target"], rows)


def cost(timings, kind):
    """What a derivative costs in units of the primal; None if either was not timed."""
    return timings.get(kind, Timing()).over(timings["primal"])


def times_primal(costs, titles):
    rows = []
    for key, timings in costs.items():
        cells = [
            timings[kind].failure or ratio(cost(timings, kind)) if kind in timings else ""
            for kind in COST_TARGETS
        ]
        rows.append([f"{key}: {titles[key]}", seconds(timings["primal"]), *cells])
    rows.append(["target", "", *(f"< {limit:g}" for limit in COST_TARGETS.values())])
    return table(["function", "plain NumPy forward", *COST_TARGETS], rows)


def verdicts(results, costs, import_ms):
    """Every target with what was measured, the unmet ones first to be seen."""
    lines = []
    for target in TARGETS:
        value = target.measured(results)
        if value is not None:
            claim = "times faster than" if target.at_least else "times the time of"
            lines.append(
                (
                    target.met(value),
                    f"{target.workload}: {value:.2f} {claim} {target.peer}"
                    f" (target {str(target).removeprefix(target.peer).strip()})",
                )
            )
    for key, timings in costs.items():
        for kind, limit in COST_TARGETS.items():
            value = cost(timings, kind)
            if value is not None:
                lines.append(
                    (value < limit, f"{key}: {kind} costs {value:.2f} primals (target < {limit:g})")
                )
    flat = flatness(results)
    if flat is not None:
        low, high = FLATNESS
        lines.append(
            (
                low <= flat <= high,
                f"h1m / h: an op costs {flat:.2f} times as much in a"
                f" chain of a million ops (target about 1: {low} to {high})",
            )
        )
    if import_ms is not None:
        lines.append(
            (
                import_ms < IMPORT_MS,
                f"`import adjoint` adds {import_ms:.0f} ms to"
                f" `import numpy` (target < {IMPORT_MS:g} ms)",
            )
        )
    met = sum(ok for ok, _ in lines)
    lines.sort(key=lambda line: line[0])
    return f"{met} of {len(lines)} measured targets are met.\n\n" + "".join(
        f"- {'met' if ok else '**falls short**'}: {text}\n" for ok, text in lines
    )


def machine():
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text()
        lines = [line for line in cpuinfo.splitlines() if line.startswith("model name")]
        cpu = lines[0].partition(":")[2].strip()
    except (OSError, IndexError):
        cpu = platform.processor() or platform.machine()
    return f"{cpu}, {os.cpu_count()} CPUs, {platform.system()}"


def report(gradients, higher, costs, titles, contenders, rounds, import_ms):
    timed_us = costs or "adjoint" in columns(gradients | higher, without=())
    versions = ", ".join(
        [f"Python {platform.python_version()}"]
        + [
            f"{c.package or c.name} {c.version}"
            for c in contenders
            if c.name not in ("PyTorch 2t", "jax.jit")
        ]
    )
    parts = [
        f"""# Eager benchmarks

{date.today()}. {machine()}. {versions}.

Forward and backward, float64, by `python benchmarks/run.py`: contenders interleaved in one process,
medians of per-round ratios over {rounds} rounds, garbage collector on, BLAS on one thread. Every
answer agreed with the hand-written one to {AGREEMENT:.0e}. An empty cell: does not apply, or would
take minutes; an error's name: that is what happened. `jax.jit` is compiled ahead, its chains are
`fori_loop`s. PyTorch has one thread, "2t" two; `seed_like` re-creates the 2019 tool's semantics.
"""
    ]
    for heading, results in (("Gradients", gradients), ("Forward mode and higher order", higher)):
        if results:
            parts += [
                f"## {heading}: times the hand-written NumPy (lower is better)\n",
                times_hand(results, titles),
            ]
            if timed_us:
                parts += [
                    f"## {heading}: peer's time / adjoint's time (higher: we are faster)\n",
                    times_adjoint(results, titles),
                ]
    if costs:
        parts += [
            "## Cost of adjoint's derivatives, by all parameters, in units of the primal\n",
            "The primal is the same text called on NumPy arrays, without adjoint.\n",
            times_primal(costs, titles),
        ]
    if timed_us:
        parts += ["## Targets\n", verdicts(gradients | higher, costs, import_ms)]
    return "\n".join(parts)


def arguments():
    def names(text):
        return text.split(",")

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--workloads",
        type=names,
        metavar="A,B",
        default=list(WORKLOADS),
        help=f"of {', '.join(WORKLOADS)}",
    )
    parser.add_argument(
        "--peers",
        type=names,
        metavar="A,B",
        default=list(CONTENDERS),
        help=f"of {', '.join(CONTENDERS)}; hand is always there",
    )
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="five rounds of shorter timings, without h1m and eager JAX",
    )
    parser.add_argument("--out", type=Path, help="default: RESULTS.md for a whole run, else none")
    options = parser.parse_args()
    for given, known in ((options.workloads, WORKLOADS), (options.peers, CONTENDERS)):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    if options.quick:
        options.rounds = min(options.rounds, 5)
        if options.workloads == parser.get_default("workloads"):
            options.workloads.remove("h1m")
        if options.peers == parser.get_default("peers"):
            options.peers.remove("JAX")
    elif (
        not options.out
        and options.workloads == parser.get_default("workloads")
        and options.peers == parser.get_default("peers")
    ):
        options.out = Path(__file__).with_name("RESULTS.md")
    return options


def present(names):
    contenders = []
    for name, contender in CONTENDERS.items():
        if name in names or name == "hand":
            try:
                contenders.append(contender())
            except ImportError as error:
                print(f"{name} is skipped: {error}")
    return contenders


def main():
    options = arguments()
    contenders = present(options.peers)
    ours = any(c.name == "adjoint" for c in contenders)
    gradients, higher, costs, titles = {}, {}, {}, {}
    for key in options.workloads:
        how = (options.rounds, 0.005 if options.quick else 0.02)
        if key not in COSTS:
            work, unit = (GRADIENTS | HIGHER)[key](), "hand"
            timings = measure(work, contenders, *how)
            (gradients if key in GRADIENTS else higher)[key] = timings
        elif ours:
            (work, *_), unit = (works := COSTS[key]()), "primal"
            timings = costs[key] = measure_costs(works, contenders, *how)
        else:
            continue
        titles[key] = work.title
        cells = [
            f"{name} {t.failure or ratio(t.over(timings[unit]))}"
            for name, t in timings.items()
            if name != unit
        ]
        print(
            f"{key}: {work.title}: {unit} {seconds(timings[unit])}; times that:",
            ", ".join(cells),
            flush=True,
        )
    import_ms = None
    if ours:
        import_ms = import_milliseconds("adjoint", 5 if options.quick else 15)
    text = report(gradients, higher, costs, titles, contenders, options.rounds, import_ms)
    print("\n" + text)
    if options.out:
        options.out.write_text(text)
    wrong = [
        key
        for key, timings in (gradients | higher).items()
        if "adjoint" in timings and timings["adjoint"].failure
    ] + [key for key, timings in costs.items() if any(t.failure for t in timings.values())]
    if wrong:
        sys.exit(f"adjoint failed or disagreed in: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
