"""Writing into values: assignment, `+=` and its kin, and how a write passes through a view."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..backends.namespace import RAW, SLICING, describe, is_basic
from ..core.alias import WRITTEN, is_updated, source_of, write
from ..core.op import OPS
from ..core.reverse import give, pull_many, unbroadcast
from ..core.tensor import PAUSED, Result, Tensor, tick
from ..core.traced import Traced
from ..core.traced import shape as shape_of
from ..errors import DataError, ShapeError
from . import elementwise, linalg
from .batch import lengthen, looped
from .elementwise import imag, is_complex, real, where
from .index import frozen, getitem, mapped, put
from .rules import op, zeros_like
from .shape import broadcast_to, flip, inverse, matrix_transpose, memory, permute_dims, reshape


def setitem_jvp(tangents, x, y, index):
    """The tangent of what was written over that of what it was written into."""
    dx, dy = tangents
    dy = zeros_like(y) if dy is None and hasattr(y, "dtype") else 0.0 if dy is None else dy
    return setitem(zeros_like(x) if dx is None else dx, dy, index)


def setitem_vjp(ct, x_shape, y_shape, index):
    """x̄ is the cotangent with zeros where y was written; ȳ is what stood there."""
    return [setitem(ct, 0.0, index), unbroadcast(written(ct, x_shape, index), y_shape)]


def written(ct, x_shape, index):
    """The cotangent of what was written; of several writes to one element the last one counts."""
    picked = getitem(ct, index)
    if is_basic(index) or not any(kind_of(i) in "iu" for i in parts(index)):
        return picked
    numbers = np.arange(int(np.prod(shape_of(picked)))).reshape(shape_of(picked))
    last = np.empty(x_shape, int)
    last[index] = numbers
    return where(last[index] == numbers, picked, 0.0)


def parts(index):
    """The elements of an index."""
    return index if type(index) is tuple else (index,)


def kind_of(i):
    """The kind of dtype of one element of an index; of what is no array a blank."""
    return np.asarray(i).dtype.kind if isinstance(i, (list, np.ndarray)) else " "


def batched_setitem(op, args, batched, params):
    """All of the batch axis, then the index; a shared x is repeated, for each writes its own."""
    x, y = args
    n = shape_of(x if batched[0] else y)[0]
    x = x if batched[0] else broadcast_to(x, (n, *shape_of(x)))
    index = params["index"]
    arrays = [k for k, i in enumerate(parts(index)) if not is_basic(i) or type(i) is int]
    if not is_basic(index) and arrays[-1] - arrays[0] + 1 != len(arrays):
        return looped(op, [x, y], [True, batched[1]], params)
    index = (slice(None), *parts(index))
    if batched[1]:
        y = lengthen(y, len(np.empty(shape_of(x), bool)[index].shape) - 1)
    return op.call(x, y, index=index)


@op(jvp=setitem_jvp, vjp=setitem_vjp, batch=batched_setitem)
def setitem(xp, x, y, /, index):
    """A copy of x with y written at `index`, in the dtype of x: x̄ = z̄ but 0 there, ȳ = z̄[index].

    Raises: ShapeError where y does not fit; DataError for complex y in real x.
    """
    if is_complex(y) and not is_complex(x):
        raise DataError(
            f"complex values, {describe(y)}, cannot be written into a real array, {describe(x)}: "
            "the imaginary part would be lost. Write `.real`, or make the array complex."
        )
    out = xp.asarray(x, copy=True)
    out[index] = y
    return out if out.ndim else out[()]


def pull_setitem(ct, node, cts, owned, heap, level):
    """The reverse step, in place where the cotangent is ours: n writes cost n steps, not n²."""
    p, q = node[3]
    if level is not None or type(ct) is not np.ndarray or p is None or p[0] in cts:
        pull_many(ct, node, cts, owned, heap, level)
        return
    x_shape, y_shape, index = node[5]
    if q is not None:
        back = unbroadcast(written(ct, x_shape, index), y_shape)
        shared = type(back) is np.ndarray and back.base is not None
        give(q, back.copy() if shared else back, cts, owned, heap)
    if node[0] not in owned:
        ct = ct.copy()
    ct[index] = 0
    give(p, ct, cts, owned, heap)
    owned.add(p[0])


setitem.op.pull = pull_setitem
setitem.op.chooses = lambda node: not is_basic(node[5][2])


PROBE = Tensor(np.zeros(1))
PROBE.primal = np.zeros(1)
ALONE = sys.getrefcount(PROBE.primal) if hasattr(sys, "getrefcount") else 0
"""How many references an array has whose Tensor is the only one that knows it; PyPy never tells."""


def assign(self: Any, index: Any, value: Any) -> None:
    """`self[index] = value`, seen by every view of the elements; the derivative follows.

    Arrays of the user are never changed: the value takes on an array of its own. Where it is the
    only one to refer to that, it is changed in place, so that a loop of writes costs one step each.
    """
    index = index if type(index) in SLICING else frozen(index)
    if isinstance(value, Traced):
        source = source_of(value)
        if source and source[0] is self and is_basic(index) and source[2] == (index,):
            return  # `x[i] += y` has written through the view by now
    elif not isinstance(value, np.ndarray) and type(value) not in RAW:
        value = np.asarray(value)
    if mapped(index):
        write(self, put(self, index, value))
    elif not in_place(self, index, value):
        write(self, setitem(self, value, index))


def in_place(t: Any, index: Any, value: Any) -> bool:
    """Write into the array of `t` itself, if nobody else could tell; False if that is not so."""
    kind = type(value)
    tracked = kind is Result or kind is Tensor
    raw = value.primal if tracked else value
    x = t.primal
    if (
        type(t) is not Result
        or PAUSED
        or kind is complex
        or hasattr(t, "tap")
        or not WRITTEN
        or source_of(t) is not None
        or not ((tracked and value.level == t.level) or kind in RAW)
        or (raw.dtype if hasattr(raw, "dtype") else x.dtype) != x.dtype
        or x.base is not None
    ):
        return False
    del x
    if not ALONE or sys.getrefcount(t.primal) != ALONE:
        return False
    try:
        t.primal[index] = raw
    except (IndexError, ValueError):  # `setitem` says it in our words
        return False
    p, q = t.node, value.node if tracked else None
    if p is not None or q is not None:
        x_shape, y_shape = t.primal.shape, shape_of(raw)
        kept = (x_shape, y_shape, index)
        t.node = (tick(), setitem.op, None, [p, q], None, kept, ([x_shape, y_shape], None), None)
    return True


def augmented(function: Any) -> Any:
    """`x += y` and its kin from the function of two: in place on arrays, anew for numbers."""

    def in_place_operator(self: Any, other: Any) -> Any:
        out = function(self, other)
        if out is NotImplemented or not (self.ndim or is_updated(self, out)):
            return out
        if shape_of(out) != self.shape:
            raise ShapeError(
                f"an operation in place cannot change the shape: {self.shape} became "
                f"{shape_of(out)}. Write `x = x + y`."
            )
        write(self, out if out.dtype == self.dtype else setitem(self, out, ...))
        return self

    return in_place_operator


def set_real(self: Any, value: Any) -> None:
    """`self.real = value`, which also ends `self.real *= 2`."""
    assign(self, ..., value + imag(self) * 1j if is_complex(self) else value)


def set_imag(self: Any, value: Any) -> None:
    """`self.imag = value`, which also ends `self.imag *= 2`."""
    if not is_complex(self):
        raise DataError(f"a real array, {describe(self)}, has no imaginary part to write into.")
    assign(self, ..., real(self) + value * 1j)


def read_only(of, view, *params):
    """What a write to a view that NumPy does not let be written to says."""
    raise DataError(
        "a view of a diagonal is read-only, as NumPy's is. Write into a copy, `x.copy()`."
    )


def same_memory(view, of, *params):
    """True where the arrays at the bottom overlap: NumPy copies what it cannot show."""
    return np.may_share_memory(memory(view), memory(of))


def sliced(view, of, index):
    """True where NumPy would not pick elements one by one."""
    return is_basic(index)


def always(view, of, *params):
    """A view whatever its parameters."""
    return True


# How what a view shows now is put back where it came from, and when there is anything to put back.
WRITES: dict[str, Any] = {
    "getitem": (lambda of, view, index: setitem(of, view, index), sliced),
    "reshape": (lambda of, view, shape: reshape(view, of.shape), same_memory),
    "permute_dims": (lambda of, view, axes: permute_dims(view, inverse(axes)), always),
    "matrix_transpose": (lambda of, view: matrix_transpose(view), always),
    "flip": (lambda of, view, axis: flip(view, axis), always),
    "real": (lambda of, view: view + imag(of) * 1j if is_complex(of) else view, always),
    "imag": (lambda of, view: real(of) + view * 1j, lambda view, of: is_complex(of)),
    "diagonal": (read_only, always),
}  # fmt: skip


for name, (back, shows) in WRITES.items():
    OPS[name].write, OPS[name].shows = back, shows

IN_PLACE: dict[str, Any] = dict(
    __iadd__=elementwise.add, __isub__=elementwise.subtract, __imul__=elementwise.multiply,
    __itruediv__=elementwise.divide, __ipow__=elementwise.pow, __imatmul__=linalg.matmul,
    __imod__=elementwise.remainder,
)  # fmt: skip
Traced.__setitem__ = assign
for operator, function in IN_PLACE.items():
    setattr(Traced, operator, augmented(function))
