"""What the compiler did, in words: the report of a compiled function, and its stages to be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..core.tree import flatten
from ..errors import CompileError
from ..transforms.function import name_of
from .graph import Node, described
from .paths import drawn, leaves
from .plan import Plan, code_of
from .trace import Unstageable, trace

KINDS = dict(
    native="native code, entered directly",
    steps="native loops between functions of the backend",
    graph="the ops one by one, without native code",
    eager="eagerly",
)


class Lowering:
    """The stages of a function for some arguments, each as text."""

    def __init__(self, f: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        try:
            traced = trace(f, args, kwargs)
        except Unstageable as reason:
            raise CompileError(f"`{name_of(f)}` cannot be compiled: {reason}.") from reason
        leaves = flatten((tuple(args), kwargs))[0]
        self.plan = Plan(traced)
        self.plan.lay_out(leaves)

    def text(self) -> str:
        """The graph as it was traced."""
        assert self.plan.trace is not None
        return self.plan.trace.graph.text()

    def optimised(self) -> str:
        """The graph after the passes."""
        self.plan.schedule()
        assert self.plan.optimised is not None
        return self.plan.optimised.text()

    def program(self) -> str:
        """The loops, what is left to the backend, and the bytes they move."""
        return self.plan.describe()

    def llvm(self) -> str:
        """The code of the loops as it is given to LLVM; Python and code where calls are between."""
        return code_of(self.plan.schedule())


def report(name: str, plans: Iterable[Plan]) -> str:
    """The plans of a function, one after another."""
    parts = [section(plan) for plan in plans]
    return "\n\n".join([f"{name}: compiled for {len(parts)} kinds of arguments", *parts])


def section(plan: Plan) -> str:
    """One plan."""
    traced = plan.trace
    if traced is None:
        return f"  runs {KINDS['eager']}: {plan.reason}"
    inputs = [f"{p}: {described(n) if isinstance(n, Node) else repr(n.value)}"
              for p, n in zip(traced.paths, traced.leaves, strict=True)]  # fmt: skip
    lines = [f"  {', '.join(inputs)}", f"    runs as {KINDS[plan.kind]}"]
    if traced.tree is not None:
        count = len(leaves(traced.tree))
        lines.append(f"    decides by values; paths: {count}, compiled {plan.compilations} times")
        lines += [f"    {line}" for line in drawn(traced.tree)]
    if plan.reason:
        lines.append(f"    {plan.reason}")
    lines.append(f"    traced {len(traced.graph.nodes)} nodes")
    if plan.optimised is not None:
        lines[-1] += f", {len(plan.optimised.nodes)} after the passes"
    if plan.kind != "graph":
        lines += [f"    {line}" for line in plan.describe().splitlines()]
        lines += [f"    {line}" for line in plan.listing.splitlines()]
    guards = ", ".join(dict.fromkeys(g.name for g in traced.guards)) or "nothing"
    lines.append(f"    guarded outside: {guards}")
    if traced.checks:
        lines.append(f"    checked after each run: {len(traced.checks)} rare cases")
    times = ", ".join(f"{stage} {1e3 * t:.1f} ms" for stage, t in plan.stages.items())
    lines.append(f"    took {times}{' (code from disk)' if plan.cached else ''}")
    return "\n".join(lines)
