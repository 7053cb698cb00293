"""Why a gradient is zero, NaN, infinite or missing, with the line of source where that happens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.reverse import ones_like
from ..core.tensor import Tensor
from ..errors import DataError, NoRuleError
from ..transforms.derivatives import lowest
from .draw import origin, walk
from .formula import SHOWN, bar, summary
from .program import Line, Noted, Program, Step, finish, follow, pull

Reach = dict[Noted, set[Noted]]
FINE = "finite and nonzero"
MARK = "zero where it exists, "


@dataclass(frozen=True)
class Finding:
    """What is the matter, with which input or value, and where in the source.

    kind : "value", "cotangent", "no rule", "no path", "cut", "zero", "partly zero", "cancelled",
        "untracked", "not kept", "fine"
    """

    kind: str
    about: str
    text: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.about}: {self.text}" + (f"\n    at {self.place}" if self.place else "")


class Report:
    """What was found, the gravest first; `str` of it is for reading, `.findings` for programs."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def __repr__(self) -> str:
        return "\n".join(map(str, self.findings))


def why(f: Any, *args: Any) -> Report:
    """Why the gradient of `f(*args)` is zero, NaN, infinite or missing: the op and the line.

    f : a function of `args`, or a Tensor. A function is run once forward and once back, and each
        value and cotangent is looked at. Of a Tensor the tape knows no source: it can be said
        whether a gradient is kept, and with leaves as `args`, whether the Tensor depends on them.

    >>> import adjoint as ad
    >>> from adjoint.show.why import why
    >>> why(lambda x, y: x * 2, 1.0, 3.0)
    x: the gradient is finite and nonzero: 2
    y: the gradient is zero: no path connects it to the output
    """
    if isinstance(f, Tensor):
        return Report(tensor(f, args))
    program = follow(f, args, "why")
    for x, label in zip(program.inputs, program.labels, strict=True):
        x.name = label
    findings = [*bad_values(program)]
    cts: dict[Noted, Any] = {}
    for _, end in program.seeds():
        if isinstance(end, Noted):
            cts[end] = cts.get(end, 0) + ones_like(lowest(end))
    steps: list[Step] = []
    try:
        steps.extend(pull(program, cts))
    except NoRuleError as error:
        where = str(error.__notes__[0]).removeprefix("at ")
        return Report([*findings, Finding("no rule", "the gradient", f"missing: {error}", where)])
    findings += bad_cotangents(steps)
    reach = dependence(program)
    slopes = finish(program, cts)
    for x, slope in zip(program.inputs, slopes, strict=True):
        findings.append(verdict(program, x, slope, steps, reach))
    return Report(findings)


def bad_values(program: Program) -> Iterable[Finding]:
    """The first line that made NaN or infinity out of finite numbers."""
    for x in program.inputs:
        if not finite(x.primal):
            yield Finding("value", x.name, f"the input holds {flaw(x.primal)}")
    for line in program.lines:
        for i, o in enumerate(line.outs):
            if not finite(o.primal) and all(map(finite, line.primals)):
                text = f"the value is {flaw(o.primal)} in {line.formula(i)}{given(line)}"
                yield Finding("value", o.name, text, str(line.place))
                return


def bad_cotangents(steps: list[Step]) -> Iterable[Finding]:
    """The first step back that made NaN or infinity out of a finite cotangent."""
    for step in steps:
        if not finite(step.back) and all(map(finite, step.cts)):
            text = (
                f"the cotangent becomes {flaw(step.back)} in {contribution(step)}, "
                f"the derivative of {step.line.formula()}{given(step.line)}"
            )
            yield Finding("cotangent", bar(step.to.name), text, str(step.line.place))
            return


def verdict(program: Program, x: Noted, slope: Any, steps: list[Step], reach: Reach) -> Finding:
    """What there is to say about the gradient in one input."""
    if not finite(slope):
        return Finding("cotangent", x.name, f"the gradient holds {flaw(slope)}")
    ends = [e for e in program.ends if isinstance(e, Noted)]
    if not any(x in reach[e] for e in ends):
        return cut_off(program, x, reach)
    zeros = np.asarray(slope) == 0
    if not zeros.any():
        return Finding("fine", x.name, f"the gradient is {FINE}: {summary(slope)}")
    lost = [(s, blocked(s)) for s in steps if x in reach[s.to]]
    stops = [(s, n) for s, n in lost if n]
    kind, much = "zero", "zero"
    if not zeros.all():
        kind, much = "partly zero", f"zero in {zeros.sum()} of {zeros.size} elements"
    if not stops:
        text = "what comes back is added up and cancels"
        if kind == "partly zero":
            text = f"no path leads to those elements, or {text}"
        return Finding("cancelled", x.name, f"the gradient is {much}: {text}")
    step, n = stops[0]
    size = np.size(lowest(step.back))
    count = f"{n} of {size} elements" if size > 1 else "it"
    text = f"the gradient is {much}: {step.line.formula()} stops {count} with {contribution(step)}"
    return Finding(kind, x.name, text + given(step.line), str(step.line.place))


def cut_off(program: Program, x: Noted, reach: Reach) -> Finding:
    """Why no path with a derivative leads from `x` to an output."""
    for line in program.lines + program.cuts:
        for i, n in enumerate(line.inputs):
            if n is None or x not in reach[n] or (line.outs and line.smooth(i)):
                continue
            op = SHOWN.get(line.op.name, line.op.name)
            reason = (line.op.__doc__ or "").rpartition(MARK)[2].strip().rstrip(".")
            if not line.outs:
                reason = "it gives truth values or indices, which have no derivative"
            elif MARK not in (line.op.__doc__ or ""):
                reason = f"having no derivative in its input `{line.op.inputs[i]}`"
            text = f"the gradient is zero: `{op}` cuts the path, {reason}"
            return Finding("cut", x.name, text, str(line.place))
    return Finding("no path", x.name, "the gradient is zero: no path connects it to the output")


def dependence(program: Program) -> Reach:
    """For each value the inputs that a derivative can flow back to."""
    reach = {x: {x} for x in program.inputs}
    for line in program.lines:
        smooth = [n for i, n in enumerate(line.inputs) if n is not None and line.smooth(i)]
        found = set[Noted]().union(*(reach[n] for n in smooth))
        reach.update(dict.fromkeys(line.outs, found))
    return reach


def tensor(t: Tensor, leaves: tuple[Any, ...]) -> list[Finding]:
    """What the tape of a Tensor says about gradients."""
    if t.node is None:
        text = "it was detached, made under `no_grad`, or made from nothing tracked"
        return [Finding("untracked", "this Tensor", f"`.grad` is None: {text}")]
    if leaves:
        return [connection(i, leaf, t) for i, leaf in enumerate(leaves, 1)]
    if t.op is not None:
        text = f"a result of `{t.op.name}` keeps no gradient"
        hint = "call `.retain_grad()` before `backward`"
        return [Finding("not kept", "this Tensor", f"{text}: {hint}")]
    grad = np.asarray(lowest(t.grad))
    if not finite(grad):
        text = f"`.grad` holds {flaw(grad)}; give `why` the function to see where it begins"
        return [Finding("cotangent", "this Tensor", text)]
    if not grad.any():
        text = "`.grad` is zero: no `backward` has reached it, or it came back as zero"
        return [Finding("zero", "this Tensor", f"{text}; give `why` the function to see where")]
    return [Finding("fine", "this Tensor", f"`.grad` is not zero: {summary(grad)}")]


def connection(i: int, leaf: Any, t: Tensor) -> Finding:
    """Whether the history of `t` reaches `leaf`, argument i."""
    if not isinstance(leaf, Tensor):
        kind = type(leaf).__name__
        raise DataError(f"`why` of a Tensor takes Tensors; argument {i} is a {kind}.")
    if leaf.node is not None and any(node is origin(leaf.node) for node in walk(t)):
        return Finding("fine", f"argument {i}", "a path leads to it")
    text = "no gradient: no path that is remembered leads to it"
    return Finding("no path", f"argument {i}", text)


def finite(value: Any) -> bool:
    """No NaN and no infinity."""
    return bool(np.isfinite(np.asarray(lowest(value))).all())


def flaw(value: Any) -> str:
    """Whether NaN or infinity is in `value`, and how much of it."""
    x = np.asarray(lowest(value))
    name = "NaN" if np.isnan(x).any() else "infinity"
    bad = ~np.isfinite(x)
    return name if not x.ndim else f"{name} ({bad.sum()} of {x.size} elements not finite)"


def blocked(step: Step) -> int:
    """How many elements of a cotangent that was not zero are zero after this step."""
    back = np.asarray(lowest(step.back))
    cts = [np.asarray(lowest(ct)) for ct in step.cts]
    if cts[0].shape == back.shape and step.line.op.word == "elementwise":
        return int(((cts[0] != 0) & (back == 0)).sum())
    return back.size if any(ct.any() for ct in cts) and not back.any() else 0


def contribution(step: Step) -> str:
    """What a step computes: `v̄1 / v0`."""
    return f"{bar(step.to.name)} = {step.text.text}"


def given(line: Line) -> str:
    """The values that a line had, for the reader of its formula."""
    values = {n.name: summary(n.primal) for n in [*line.inputs, *line.outs] if n is not None}
    return ", where " + ", ".join([f"{name} = {value}" for name, value in values.items()])
