"""The two-column table of the tutorials: forward evaluation trace, reverse adjoint trace."""

from __future__ import annotations

import ast
import html
import keyword
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.reverse import ones_like
from ..core.traced import shape
from ..errors import AdjointError, ExpressionError
from ..transforms.derivatives import lowest
from .expression import parse
from .formula import bar, padded, summary, width
from .program import Noted, Program, Step, finish, follow, pull

FORWARD, REVERSE = "Forward evaluation trace ↓", "Reverse adjoint trace ↑"
WIDEST = 28


@dataclass(frozen=True)
class Row:
    """One line of a trace: `name = formula = value`.

    chain : of a reverse line the chain rule, `v̄5 ∂v5/∂v4`, of which the formula is the instance
    beside : of a reverse line the name of the forward line that it stands beside
    part : of a forward line "input", "op" or "output"
    """

    name: str
    formula: str
    value: Any
    chain: str = ""
    beside: str = ""
    part: str = ""

    def __str__(self) -> str:
        texts = (self.name, self.chain, self.formula, summary(self.value))
        return " = ".join([text for text in texts if text])


@dataclass(frozen=True, repr=False)
class Explanation:
    """What a function computed and how its gradient came back; `str` of it is the table.

    forward, reverse : the rows of the two traces, in the order of computation
    value : what the function returned
    gradients : a tuple with the gradient in each argument, of its structure
    """

    forward: list[Row]
    reverse: list[Row]
    value: Any
    gradients: tuple[Any, ...]
    note: str = ""

    def __repr__(self) -> str:
        blocks = [[r for r in reversed(self.reverse) if r.beside == f.name] for f in self.forward]
        left = aligned([[r.name, r.formula, summary(r.value)] for r in self.forward])
        flat = [r for block in blocks for r in block]
        right = aligned([[r.name, r.chain, r.formula, summary(r.value)] for r in flat])
        one, two = max(map(width, [FORWARD, *left])), max(map(width, [REVERSE, *right]))
        rule = f"{'─' * (one + 2)}┼{'─' * (two + 2)}"
        lines, part, cells = [f"{padded(FORWARD, one)}  │  {REVERSE}"], "", iter(right)
        for row, cell, block in zip(self.forward, left, blocks, strict=True):
            lines += [rule] if row.part != part else []
            part = row.part
            for i in range(max(1, len(block))):
                beside = next(cells) if block else ""
                lines.append(f"{padded('' if i else cell, one)}  │  {beside}".rstrip())
        return "\n".join(lines + [self.note] * bool(self.note))

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def explain(f: Callable[..., Any], *args: Any) -> Explanation:
    """The forward evaluation trace of `f(*args)` and, beside it, the reverse adjoint trace.

    Read the left column down and the right one up: v̄ is the derivative of the output y in v. The
    formulas on the right are the ops' own rules, run on symbols; where one is too long to read,
    words stand for it. An output that is not one number gets a cotangent of ones. The layout is
    that of A. G. Baydin, B. A. Pearlmutter, A. A. Radul and J. M. Siskind, "Automatic
    differentiation in machine learning: a survey", JMLR 18 (2018), table 3.

    args : arrays, numbers or containers of them; all are differentiated

    Cost: forward and backward once, without any of the speed.

    >>> import adjoint as ad
    >>> from adjoint.show.explain import explain
    >>> explain(lambda x1, x2: ad.log(x1) + x1 * x2 - ad.sin(x2), 2.0, 5.0)
    Forward evaluation trace ↓  │  Reverse adjoint trace ↑
    ────────────────────────────┼───────────────────────────────────────────────────
    v-1 = x1       = 2          │  x̄1                      = v̄-1            = 5.5
    v0  = x2       = 5          │  x̄2                      = v̄0             = 1.716
    ────────────────────────────┼───────────────────────────────────────────────────
    v1  = ln v-1   = 0.693      │  v̄-1 = v̄-1 + v̄1 ∂v1/∂v-1 = v̄-1 + v̄1 / v-1 = 5.5
    v2  = v-1 · v0 = 10         │  v̄0  = v̄0 + v̄2 ∂v2/∂v0   = v̄0 + v̄2 · v-1  = 1.716
                                │  v̄-1 = v̄2 ∂v2/∂v-1       = v̄2 · v0        = 5
    v3  = sin v0   = -0.959     │  v̄0  = v̄3 ∂v3/∂v0        = v̄3 · cos v0    = -0.284
    v4  = v1 + v2  = 10.693     │  v̄2  = v̄4 ∂v4/∂v2        = v̄4             = 1
                                │  v̄1  = v̄4 ∂v4/∂v1        = v̄4             = 1
    v5  = v4 - v3  = 11.652     │  v̄3  = v̄5 ∂v5/∂v3        = -v̄5            = -1
                                │  v̄4  = v̄5 ∂v5/∂v4        = v̄5             = 1
    ────────────────────────────┼───────────────────────────────────────────────────
    y   = v5       = 11.652     │  v̄5                      = ȳ              = 1
    """
    return explained(follow(f, args, "explain"))


def explained(program: Program) -> Explanation:
    """The two traces of a program."""
    forward = [
        Row(x.name, label, x.primal, part="input")
        for x, label in zip(program.inputs, program.labels, strict=True)
    ]
    for line in program.lines:
        for i, o in enumerate(line.outs):
            forward.append(Row(o.name, line.formula(i), o.primal, part="op"))
    reverse, cts = [], dict[Noted, Any]()
    for name, end in program.seeds():
        noted = isinstance(end, Noted)
        forward.append(Row(name, end.name if noted else "", lowest(end), part="output"))
        if noted:
            before = f"{bar(end.name)} + " if end in cts else ""
            seed = ones_like(lowest(end))
            cts[end] = cts[end] + seed if end in cts else seed
            reverse.append(Row(bar(end.name), before + bar(name), cts[end], beside=name))
    reverse += [contribution(step) for step in pull(program, cts)]
    gradients = finish(program, cts)
    for x, label, slope in reversed([*zip(program.inputs, program.labels, gradients, strict=True)]):
        reverse.append(Row(bar(label), bar(x.name) if x in cts else "", slope, beside=x.name))
    ends = [lowest(e) for e in program.ends]
    note = ""
    if len(ends) != 1 or shape(ends[0]):
        seeds = ", ".join(bar(name) for name, _ in program.seeds())
        note = f"The output is not one number: {seeds} = ones, and x̄ is the gradient of the sum."
    value = program.rebuild_out(ends)
    return Explanation(forward, reverse, value, program.rebuild(gradients), note)


def contribution(step: Step) -> Row:
    """What one line sends back to one of its inputs, added to what is there."""
    line, to = step.line, step.to
    name, before = bar(to.name), "" if step.before is None else f"{bar(to.name)} + "
    chain = " + ".join([f"{bar(o.name)} ∂{o.name}/∂{to.name}" for o in line.outs])
    text = step.text.text
    formula = f"{before[:-2]}- {text[1:]}" if before and text[0] == "-" else before + text
    return Row(name, formula, step.total, before + chain, beside=line.outs[0].name)


def aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells joined by `=`, column beneath column; an empty cell leaves no sign."""
    if not cells:
        return []
    wide = [min(max(map(width, column)), WIDEST) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        text = padded(row[0], wide[0])
        for cell, columns in zip(row[1:], wide[1:], strict=True):
            text += (f" = {padded(cell, columns)}") if cell else " " * (columns + 3 * (columns > 0))
        lines.append(text.rstrip())
    return lines


def main(expression: str, assignments: Sequence[str]) -> int:
    """Print the table of an expression; return 0, or 2 where it is refused.

    >>> from adjoint.show.explain import main
    >>> main("x ** 2 + 1", ["x=3"])
    Forward evaluation trace ↓  │  Reverse adjoint trace ↑
    ────────────────────────────┼──────────────────────────────────────
    v0 = x      = 3             │  x̄               = v̄0             = 6
    ────────────────────────────┼──────────────────────────────────────
    v1 = v0 ^ 2 = 9             │  v̄0 = v̄1 ∂v1/∂v0 = v̄1 · (v0 + v0) = 6
    v2 = v1 + 1 = 10            │  v̄1 = v̄2 ∂v2/∂v1 = v̄2             = 1
    ────────────────────────────┼──────────────────────────────────────
    y  = v2     = 10            │  v̄2              = ȳ              = 1
    0
    """
    try:
        pairs = [assigned(text) for text in assignments]
        names = [name for name, _ in pairs]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ExpressionError(f"`{repeated[0]}` is given a value more than once.")
        print(explain(parse(expression, names), *[value for _, value in pairs]))
    except AdjointError as error:
        print(f"adjoint explain: {error}", file=sys.stderr)
        return 2
    return 0


def assigned(text: str) -> tuple[str, Any]:
    """The name and the value of `x=2` or `x=[1, 2, 3]`."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("__"):
        raise ExpressionError(
            f"`{text[:40]}` gives no value to a name. Write for example x=2, or x=[1,2,3]."
        )
    try:
        number = np.asarray(ast.literal_eval(value))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        number = np.asarray(None)
    if number.dtype.kind not in "iuf" or not np.isfinite(number).all():
        raise ExpressionError(
            f"the value of `{name}` must be a number or a list of numbers; `{value[:40]}` came."
        )
    return name, number.astype(float)[()]
