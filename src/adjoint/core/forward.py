"""Forward mode: a value carries its tangent, and every op pushes it forward at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .op import OPS, Op
from .tensor import PAUSED, new, paused, rewrap
from .traced import Traced, shape

MENDING: dict[int, Callable[..., Any]] = {}
"""What takes the place of an op's jvp in a thread, see `core.mend`."""


class Dual(Traced):
    """A primal and its tangent, of the same shape: x + ε ẋ with ε² = 0."""

    __slots__ = ()
    tangent: Any = Traced.__dict__["node"]

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal, self.tangent, self.level = primal, tangent, level

    @classmethod
    def apply(cls, op: Op, top: list[Any], primals: Any, params: dict[str, Any]) -> Any:
        """Apply `op` to the primals and push the tangents through it."""
        level = next(t.level for t in top if t is not None)
        return push(op, [None if t is None else t.tangent for t in top], primals, level, params)


def push(op: Op, tangents: Any, primals: Any, level: int, params: dict[str, Any]) -> Any:
    """The output of `op` and its tangent; what has no tangent stays a constant."""
    out = op.call(*primals, **params)
    if op.word == "predicate" or (PAUSED and paused(level)):
        return out
    if MENDING and (mended := MENDING.get(threading.get_ident())):
        tangent = mended(op, tangents, primals, out, params)
    else:
        tangent = op.jvp(tangents, primals, out, params)
    if isinstance(out, (tuple, list)):
        return rewrap([dual(o, t, level) for o, t in zip(out, tangent, strict=True)], out)
    return dual(out, tangent, level)


def dual(out: Any, tangent: Any, level: int) -> Any:
    """`out` with its tangent, or alone where it does not move."""
    if tangent is None:
        return out
    d = new(Dual)
    d.primal, d.level = out, level
    d.tangent = tangent if tangent.shape == out.shape else fit(tangent, out)
    return d


def fit(tangent: Any, out: Any) -> Any:
    """A tangent in the shape of its primal: broadcast inputs push less than the output."""
    if shape(tangent) == shape(out):
        return tangent
    return OPS["broadcast_to"].call(tangent, shape(out))
