"""What a checkpoint keeps all the same: results of chosen ops, written down once and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..backends.namespace import INEXACT
from ..core.op import OPS, Op, next_level
from ..core.tensor import rewrap
from ..core.traced import Traced
from ..core.tree import flatten
from .custom import Custom, levels
from .derivatives import at_level, lowest, peel

Function = Callable[..., Any]


class Book:
    """Results that are kept: written down in the first run, read in every other."""

    __slots__ = ("ops", "saved", "written")

    def __init__(self, ops: frozenset[Op]) -> None:
        self.ops, self.written = ops, False
        self.saved: list[tuple[Op, dict[str, Any], Any]] = []

    def use(self, f: Function, args: Any, kwargs: Any) -> Any:
        """`f(*args, **kwargs)`, its arrays replaced by values that come here with every op."""
        level, reader = next_level(), Reader(self, iter(self.saved) if self.written else None)
        leaves, _, rebuild = flatten((args, kwargs))
        args, kwargs = rebuild([Kept(x, level, reader) if followed(x) else x for x in leaves])
        ends, _, rebuild_out = flatten(f(*args, **kwargs))
        self.written, reader.book = True, None
        return rebuild_out([peel(o, level) for o in ends])


class Reader:
    """One run with a book: it writes where it has no lines to read."""

    __slots__ = ("book", "lines")

    def __init__(self, book: Book, lines: Iterator[Any] | None) -> None:
        self.book: Book | None = book
        self.lines = lines

    def result(self, op: Op, primals: Sequence[Any], params: dict[str, Any]) -> Any:
        """The output of `op`, from the book if it is there."""
        if self.book is None or op not in self.book.ops or any(map(remodelled, primals)):
            return op.call(*primals, **params)
        if self.lines is None:
            out = op.call(*primals, **params)
            plain = [lowest(o) for o in out] if isinstance(out, (tuple, list)) else lowest(out)
            self.book.saved.append(
                (op, params, rewrap(plain, out) if type(plain) is list else plain)
            )
            return out
        nothing: Any = (None, {}, None)
        known, before, value = next(self.lines, nothing)
        if known is not op:
            return op.call(*primals, **params)  # the run differs, which is noticed at its end
        if isinstance(op, Custom):
            params["call"].like(before["call"])
        return recorded(op, primals, params, value)


class Kept(Traced):
    """A value inside a checkpoint that keeps some results."""

    __slots__ = ()
    reader: Any = Traced.__dict__["node"]

    def __init__(self, primal: Any, level: int, reader: Reader) -> None:
        self.primal, self.level, self.reader = primal, level, reader

    @classmethod
    def apply(cls, op: Op, top: list[Any], primals: Sequence[Any], params: dict[str, Any]) -> Any:
        """Apply `op` to the primals, or look up what came out."""
        first = next(t for t in top if t is not None)
        out = first.reader.result(op, primals, params)
        if op.word == "predicate":
            return out
        if isinstance(out, (tuple, list)):
            return rewrap([cls(o, first.level, first.reader) for o in out], out)
        return cls(out, first.level, first.reader)


def followed(x: Any) -> bool:
    """True for what a derivative could be taken by."""
    return isinstance(x, (Traced, np.ndarray, np.generic)) and x.dtype.char in INEXACT


def remodelled(x: Any) -> bool:
    """True for a value in whose modes an op is not just computed and recorded."""
    while isinstance(x, Traced):
        if type(x).apply.__func__ is not Traced.apply.__func__:  # type: ignore[attr-defined]
            return True
        x = x.primal
    return False


def recorded(op: Op, args: Sequence[Any], params: dict[str, Any], value: Any) -> Any:
    """What `door` would return of an op whose value is known."""
    level = max([level for a in args for level in levels(a)], default=None)
    if level is None:
        return value
    top = [a if at_level(a, level) else None for a in args]
    primals = [peel(a, level) for a in args]
    mode = type(next(t for t in top if t is not None))
    return mode.record(op, top, primals, recorded(op, primals, params, value), params)


def op_named(k: Any) -> Op:
    """The op that an entry of `keep` means."""
    op = OPS.get(k) if isinstance(k, str) else getattr(k, "op", None)
    if not isinstance(op, Op):
        near = get_close_matches(str(k), OPS)
        raise ValueError(
            f"`checkpoint` keeps results of ops, by name or function; {k!r} is none."
            + (f" Did you mean {near[0]!r}?" if near else "")
        )
    return op
