"""Formulas as text: a mode whose values write down how they are computed, with few parentheses."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, NamedTuple

import numpy as np

from ..core.op import Op
from ..core.traced import Traced, shape
from ..transforms.derivatives import lowest

COMPARE, SUM, MATRIX, PRODUCT, POWER, APPLY, CALL, NAME = range(8)
INFIX = dict(
    add=("+", SUM), subtract=("-", SUM), multiply=("·", PRODUCT), divide=("/", PRODUCT),
    matmul=("@", MATRIX), equal=("=", COMPARE), not_equal=("≠", COMPARE), less=("<", COMPARE),
    less_equal=("≤", COMPARE), greater=(">", COMPARE), greater_equal=("≥", COMPARE),
)  # fmt: skip
PUBLIC = dict(
    fabs="abs",
    clamp="clip",
    variance="var",
    deviation="std",
    running_sum="cumsum",
    joined="concat",
    signum="sign",
)
SHOWN = dict(log="ln", sqrt="√") | PUBLIC
LONGEST = 80


class Text(NamedTuple):
    """A formula, how tightly its outermost operation binds, and the text that may stand on a left.

    `cos x` is read alone; before `· y` it must be `cos(x)`.
    """

    text: str
    rank: int
    closed: str


class Unreadable(Exception):
    """A formula grew longer than anybody reads."""


class Symbol(Traced):
    """A value and the formula that it came from."""

    __slots__ = ()
    text: Any = Traced.__dict__["node"]

    def __init__(self, primal: Any, level: int, text: Text) -> None:
        self.primal, self.level, self.text = primal, level, text

    @classmethod
    def record(cls, op: Op, top: list[Any], primals: Any, out: Any, params: dict[str, Any]) -> Any:
        """Write the formula of `op` out of those of its inputs; truth values keep theirs too."""
        level = next(t.level for t in top if t is not None)
        terms = [literal(p) if t is None else t.text for p, t in zip(primals, top, strict=True)]
        if op.name in ("reshape", "broadcast_to") and shape(out) == shape(primals[0]):
            return Symbol(out, level, terms[0])
        text = written(op, terms, params)
        if len(text.text) > LONGEST:
            raise Unreadable(op.name)
        if isinstance(out, (tuple, list)):
            parts = [Symbol(o, level, whole(f"{text.closed}[{i}]")) for i, o in enumerate(out)]
            return type(out)(*parts) if hasattr(out, "_fields") else type(out)(parts)
        return Symbol(out, level, text)


def written(op: Op, terms: list[Text], params: dict[str, Any]) -> Text:
    """The formula of `op` applied to `terms`."""
    name, x = op.name, terms[0]
    if name in INFIX:
        return infix(name, x, terms[1])
    if name == "pow":
        return power(x, terms[1])
    if name == "square":
        return power(x, literal(2))
    if name == "reciprocal":
        return infix("divide", literal(1), x)
    if name == "negative":
        inside = x if x.rank >= PRODUCT and x.text[0] != "-" else enclosed(x)
        return Text(f"-{inside.text}", PRODUCT, f"-{inside.closed}")
    if name == "fabs":
        return whole(f"|{x.text}|")
    if name == "matrix_transpose" or (name == "permute_dims" and params["axes"] == (1, 0)):
        return whole(f"{(x if x.rank == NAME else enclosed(x)).text}ᵀ")
    if name == "getitem":
        return whole(f"{(x if x.rank >= CALL else enclosed(x)).text}[{position(params['index'])}]")
    shown = SHOWN.get(name, name)
    given = []
    for n, v in params.items():
        if n not in op.defaults:
            given.append(f"[{position(v)}]" if n == "index" else worded(v))
        elif repr(v) != repr(op.defaults[n]):
            given.append(f"{n}={worded(v)}")
    call = f"{shown}({', '.join([t.text for t in terms] + given)})"
    if len(terms) == 1 and not given and x.rank == NAME and x.text[0] != "-":
        return Text(f"{shown}{' ' * shown[-1].isalnum()}{x.text}", APPLY, call)
    return whole(call)


def infix(name: str, left: Text, right: Text) -> Text:
    """Two terms with a sign between; what is associative in mathematics is so here."""
    sign, rank = INFIX[name]
    if left.rank < rank or rank == left.rank == MATRIX or rank == left.rank == COMPARE:
        left = enclosed(left)
    if name == "add" and right.text[0] == "-":
        sign, right = "-", Text(right.text[1:], right.rank, right.closed[1:])
    elif right.text[0] == "-" or right.rank < rank + (name not in ("add", "multiply")):
        right = enclosed(right)
    start = f"{left.text if rank == SUM else left.closed} {sign} "
    return Text(start + right.text, rank, start + right.closed)


def power(base: Text, exponent: Text) -> Text:
    """A power; the first is the base itself."""
    if exponent.text == "1":
        return base
    base = base if base.rank >= APPLY and base.text[0] != "-" else enclosed(base)
    high = exponent if exponent.rank == NAME and exponent.text[0] != "-" else enclosed(exponent)
    return whole(f"{base.closed} ^ {high.text}", POWER)


def whole(text: str, rank: int = CALL) -> Text:
    """A text that needs no parentheses."""
    return Text(text, rank, text)


def enclosed(term: Text) -> Text:
    """A term in parentheses."""
    return whole(f"({term.text})")


def literal(value: Any) -> Text:
    """A constant written in place."""
    text = summary(value)
    return whole(text, NAME if np.ndim(lowest(value)) == 0 else CALL)


def bar(name: str) -> str:
    """The adjoint of `name`: v3 -> v̄3, and where no bar fits, weights -> ∂y/∂weights."""
    if not re.fullmatch(r"[^\W\d_]-?\d*", name):
        return f"∂y/∂{name}"
    return unicodedata.normalize("NFC", f"{name[0]}\u0304{name[1:]}")


def summary(value: Any) -> str:
    """A value in short: of a large array the first elements and the shape."""
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(summary, value))})"
    x = np.asarray(lowest(value))
    if not x.ndim:
        return number(x[()])
    if 0 < x.size <= 4:
        return f"[{', '.join(map(summary, x))}]"
    first = ", ".join([number(e) for e in x.flat[:3]])
    return f"[{first}, …] {x.shape}" if x.size else f"[] {x.shape}"


def number(x: Any) -> str:
    """A number to three decimals, or three digits where it is very large or small.

    >>> number(11.6520711), number(-2e-5), number(1 - 2j), number(3.0)
    ('11.652', '-2e-05', '(1 - 2j)', '3')
    """
    if isinstance(x, (bool, np.bool_)):
        return str(x)
    if isinstance(x, (complex, np.complexfloating)):
        return f"({number(x.real)} + {number(x.imag)}j)".replace("+ -", "- ")
    if 0.1 <= abs(x) < 1e6:
        return f"{x:.3f}".rstrip("0").rstrip(".")
    return f"{x:.3g}" if x else "0"


def position(index: Any) -> str:
    """An index as it was written."""
    if isinstance(index, tuple):
        return ", ".join(map(position, index))
    if isinstance(index, slice):
        ends = ["" if e is None else str(e) for e in (index.start, index.stop)]
        return ":".join(ends + ([str(index.step)] if index.step not in (None, 1) else []))
    return worded(index)


def worded(value: Any) -> str:
    """A parameter as it was written."""
    if value is Ellipsis:
        return "..."
    if isinstance(value, (type, np.dtype)):
        return np.dtype(value).name
    if isinstance(value, (float, np.generic, np.ndarray)):
        return summary(value)
    return repr(value)


def width(text: str) -> int:
    """How many columns `text` takes; a bar above a letter takes none."""
    return sum(not unicodedata.combining(c) for c in text)


def padded(text: str, columns: int) -> str:
    """`text` filled with spaces to `columns`."""
    return text + " " * (columns - width(text))
