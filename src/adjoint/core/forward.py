"""Forward mode: a value carries its tangent, and every op pushes it forward at once."""

from __future__ import annotations

from typing import Any

from .op import OPS, Op
from .tensor import PAUSED, paused
from .traced import Traced, shape


class Dual(Traced):
    """A primal and its tangent, of the same shape: x + ε ẋ with ε² = 0."""

    __slots__ = ("tangent",)
    tangent: Any

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal, self.tangent, self.level = primal, tangent, level

    @classmethod
    def record(cls, op: Op, top: list[Any], primals: Any, out: Any, params: dict[str, Any]) -> Any:
        """Push the tangents of the inputs through `op`; what has no tangent stays a constant."""
        if op.word == "predicate":
            return out
        level = next(t.level for t in top if t is not None)
        if PAUSED and paused(level):
            return out
        tangent = op.jvp([None if t is None else t.tangent for t in top], primals, out, params)
        if isinstance(out, (tuple, list)):
            pairs = [
                o if t is None else Dual(o, t, level) for o, t in zip(out, tangent, strict=True)
            ]
            return type(out)(*pairs) if hasattr(out, "_fields") else type(out)(pairs)
        return out if tangent is None else Dual(out, fit(tangent, out), level)


def fit(tangent: Any, out: Any) -> Any:
    """A tangent in the shape of its primal: an input that was broadcast pushes less than the output."""
    return (
        tangent if shape(tangent) == shape(out) else OPS["broadcast_to"].call(tangent, shape(out))
    )
