"""Nothing times infinity: a cotangent of zero contributes zero, also where a slope is not finite.

`where(x > 0, sqrt(x), 0)` sends the cotangent 0 to the root of 0, whose slope is infinite, and IEEE
arithmetic makes that NaN. The product is 0: what was not chosen does not matter. A reverse pass
that meets an op which chooses notes where it stands; if a NaN comes out, it is run from there once
more, with every product by a cotangent of zero taken to be zero. A forward pass out of which a NaN
comes is run once more in the same way: what does not move moves nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .batch import Batched
from .forward import MENDING, Dual
from .op import OPS, Op
from .traced import Traced, rare


def spoilt(x: Any) -> bool:
    """True where a NaN stands in `x`, in its value or its tangent."""
    while isinstance(x, Traced):
        if isinstance(x, Dual) and spoilt(x.tangent):
            return True
        if x.staged:
            return rare(OPS["any"].call(OPS["isnan"].call(x)))
        x = x.primal
    if type(x) is np.ndarray:
        x = np.vdot(x, x)
    return bool(x != x)


def each(x: Any, test: Callable[[Any], Any], join: str) -> Any:
    """`test` of each element, and of its tangents, joined; a batch where `x` is one."""
    if isinstance(x, Dual):
        return OPS[join].call(each(x.primal, test, join), each(x.tangent, test, join))
    if isinstance(x, Batched):
        return Batched(each(x.primal, test, join), x.level)
    return each(x.primal, test, join) if isinstance(x, Traced) and not x.staged else test(x)


def is_zero(x: Any) -> Any:
    """Where `x` is zero, and so are its tangents."""
    return each(x, lambda x: x == 0, "logical_and")


def is_nan(x: Any) -> Any:
    """Where `x` or one of its tangents is NaN."""
    return each(x, np.isnan, "logical_or")


def mended(op: Op, i: int, ct: Any, kept: Any) -> Any:
    """What input i of `op` gets for `ct`, in which zero times anything is zero."""
    edge = op.edges[i]
    assert edge is not None
    back = edge.vjp(ct, kept)
    if not spoilt(back):
        return back
    if op.word == "bilinear":
        return product(edge.vjp, ct, kept, back)
    if op.word == "reduction":
        names = dict(zip(edge.names, kept, strict=True))
        ct = op.unfold(ct, names["x_shape"], names["axis"])
    elif op.word != "elementwise":
        return back
    return OPS["where"].call(OPS["logical_and"].call(is_zero(ct), is_nan(back)), 0.0, back)


def product(rule: Callable[..., Any], ct: Any, kept: Any, back: Any) -> Any:
    """A sum of products without those by zero, which spoil the whole."""
    alone = not isinstance(kept, tuple)
    parts = [kept] if alone else list(kept)
    where = OPS["where"].call
    sound, ill = list(parts), list(parts)
    for i, part in enumerate(parts):
        if hasattr(part, "dtype"):
            finite = OPS["isfinite"].call(part)
            sound[i] = where(finite, part, 0.0)
            ill[i] = where(finite, 0.0, 1.0)
    moved = where(is_zero(ct), 0.0, 1.0)
    reached = rule(moved, ill[0] if alone else tuple(ill))
    return where(
        OPS["greater"].call(reached, 0), back, rule(ct, sound[0] if alone else tuple(sound))
    )


@contextmanager
def mending() -> Iterator[None]:
    """Within this block, in this thread, a tangent of zero contributes zero."""
    me = threading.get_ident()
    before = MENDING.get(me)
    MENDING[me] = pushed
    try:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            yield
    finally:
        if before is None:
            del MENDING[me]


def pushed(op: Op, tangents: Any, primals: Any, out: Any, params: dict[str, Any]) -> Any:
    """The tangent of an output, in which zero times anything is zero where that is told apart."""
    if op.word != "elementwise":
        return op.jvp(tangents, primals, out, params)
    total = None
    for i, (t, e) in enumerate(zip(tangents, op.edges, strict=True)):
        if t is not None and e is not None:
            t = mended(op, i, t, e.pick(primals, out, params))
            total = t if total is None else total + t
    return total
