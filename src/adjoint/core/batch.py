"""Batching: a value that stands for many of its kind, one along a hidden first axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import BatchError, ConversionError
from .op import Op
from .tensor import rewrap
from .traced import Traced, shape


class Batched(Traced):
    """Values of one shape, stacked along axis 0 of `primal`; the mapped function sees but one."""

    __slots__ = ()

    def __init__(self, primal: Any, level: int) -> None:
        self.primal, self.level, self.node = primal, level, None

    @classmethod
    def apply(cls, op: Op, top: list[Any], primals: Sequence[Any], params: dict[str, Any]) -> Any:
        """Apply `op` once to all of them: each op knows how it carries an axis in front."""
        batched = [t is not None for t in top]
        level = top[batched.index(True)].level
        out = op.batch(op, list(primals), batched, params)
        if isinstance(out, (tuple, list)):
            return rewrap([cls(o, level) for o in out], out)
        return cls(out, level)

    shape = property(lambda self: shape(self.primal)[1:])
    ndim = property(lambda self: len(shape(self.primal)) - 1)
    size = property(lambda self: math.prod(self.shape))

    def leave(self, how: str) -> Any:
        """Nothing leaves: one number would have to stand for many."""
        index = (
            " As an index it goes into adjoint's values, and by `ad.take(array, i, axis=0)` into "
            "other arrays; the bounds of a slice it cannot be: `ad.take(array, i + np.arange(n))`."
        )
        raise ConversionError(
            f"`{how}` of a value inside `vmap`, which stands for {shape(self.primal)[0]} of shape "
            f"{self.shape}: there is no one number to hand out. Stay with adjoint's functions."
            f"{index if self.dtype.kind in 'iu' else ''}"
        )

    def detach(self) -> Any:
        """The values alone, at every level."""
        return (
            Batched(self.primal.detach(), self.level) if isinstance(self.primal, Traced) else self
        )

    def __bool__(self) -> bool:
        raise BatchError(
            f"inside `vmap` a value of shape {self.shape} stands for {shape(self.primal)[0]} of "
            "them, so Python's `if`, `while`, `and` cannot branch on it. "
            "Use `ad.where`, or loop in Python."
        )

    def __repr__(self) -> str:
        return f"Batched({shape(self.primal)[0]} of shape {self.shape}, {self.dtype})"


CARRIED: set[type] = {Batched}
"""Modes whose integers nobody can see, so that an index carries them: as an input of a gather."""
