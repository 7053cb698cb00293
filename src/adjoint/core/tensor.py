"""Tensor: an array that remembers how it was made."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..backends.namespace import INEXACT, RAW, as_array
from ..errors import ConversionError, DataError, NotKeptError, ShapeError
from .guard import seal_all
from .op import Op, next_level
from .traced import Traced, shape

# One remembered application of an op: (tick, op, parent, kept, parent, kept, shapes, seal).
#   tick      creation number counting down, so that a heap pops the newest first
#   parent    the node of an input that is differentiated, else None; with it
#   kept      what the derivative in that input asked to remember
#   shapes    of the inputs and the output where broadcasting must be undone, else None
#   seal      marks of arrays that a user could change, see `guard`
# A node that its op pulls back by itself (many inputs or outputs) has (None, parents, None, kept)
# in the middle; a leaf (None, tap, None, None). Nodes are immutable and point to the past only: no
# cycles, no global tape; they die with the last Tensor that needs them.
Node = tuple[Any, ...]

tick: Callable[[], int] = count(0, -1).__next__
new = object.__new__
PAUSED: dict[int, int] = {}
HINTS = {
    "np.asarray()": "; to gather Tensors in one array write `ad.array([...])` or "
    "`ad.stack([...])`.",
    "float()": "; to fill an array element by element make it with `ad.zeros`.",
}
TAPS: dict[int, weakref.ref[Tap]] = {}


def paused(level: int) -> bool:
    """True inside `no_grad`, in this thread, for all levels but those of transforms begun in it."""
    return level < PAUSED.get(threading.get_ident(), -1)


@contextmanager
def no_grad() -> Iterator[None]:
    """Within this block, in this thread, ops on Tensors are computed and not remembered.

    >>> import adjoint as ad
    >>> w = ad.Tensor([1.0, 2.0])
    >>> with ad.no_grad():
    ...     y = w * w
    >>> y.tracked, (w * w).tracked
    (False, True)
    """
    me = threading.get_ident()
    before = PAUSED.get(me)
    PAUSED[me] = next_level()
    try:
        yield
    finally:
        if before is None:
            del PAUSED[me]
        else:
            PAUSED[me] = before


class Tap:
    """Where the cotangent of a node is caught: the gradient it leaves, the hooks it meets."""

    __slots__ = ("grad", "hooks", "like", "keeps", "__weakref__")

    like: Any
    keeps: bool
    grad: Any
    hooks: tuple[Callable[[Any], Any], ...]

    def __init__(self, like: Any, keeps: bool = True) -> None:
        self.like = like
        self.keeps = keeps
        self.grad = None
        self.hooks = ()

    def meet(self, ct: Any) -> Any:
        """The cotangent after the hooks."""
        for hook in self.hooks:
            replaced = hook(ct)
            if replaced is None:
                continue
            if getattr(replaced, "shape", None) != ct.shape:
                got = getattr(replaced, "shape", None)
                got = type(replaced).__name__ if got is None else f"shape {got}"
                raise ShapeError(
                    f"a hook was given a cotangent of shape {ct.shape} and returned {got}."
                )
            ct = replaced
        return ct


class Tensor(Traced):
    """An array and the memory of how it was made.

    data : real or complex array, number or nested list. A floating-point NumPy array is shared, not
        copied, so `w.data += step` updates the caller's array; integers and booleans are promoted
        to float64 (in a copy): a derivative needs a continuum. 0-d arrays are taken by value and
        written back by assignment to `data`.

    >>> import adjoint as ad
    >>> x = ad.Tensor([1.0, 2.0, 3.0])
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __slots__ = ()
    node: Node | None

    def __init__(self, data: Any) -> None:
        kind = type(data)
        if kind is not np.ndarray or data.dtype.char not in INEXACT:
            data = to_inexact(data)
        tap = new(Tap)  # its __init__, unrolled: per-sample loops make a Tensor of every input
        tap.like, tap.keeps, tap.grad, tap.hooks = data, True, None, ()
        self.level = 0
        self.primal = data if data.shape else data[()]
        self.node = (tick(), LEAF, None, tap, None, None, None, None)

    @property
    def data(self) -> Any:
        """The value: of a leaf the caller's own array, of a result a read-only view."""
        value, node = self.primal, self.node
        mine = type(self) is Tensor and (node is None or node[1] is LEAF)
        if mine or type(value) is not np.ndarray:
            return value
        view = value.view()
        view.flags.writeable = False
        return view

    @data.setter
    def data(self, value: Any) -> None:
        if value is self.primal:
            return
        if self.node is not None and self.node[1] is not LEAF:
            raise DataError(
                f"`data` of a result of `{self.node[1].name}` cannot be assigned: the "
                "tape would not see it. Only leaves can be updated; compute a new Tensor instead."
            )
        if shape(value) != self.shape:
            raise DataError(f"`data` has shape {self.shape}; it was assigned shape {shape(value)}")
        value = (
            np.asarray(value, self.primal.dtype)
            if type(value) is not np.ndarray
            else value.astype(self.primal.dtype, copy=False)
        )
        if self.node is not None:
            like = self.node[3].like
            if not self.shape and type(like) is np.ndarray:
                like[...] = value
            else:
                self.node[3].like = value
        self.primal = value if value.shape else value[()]

    @property
    def grad(self) -> Any:
        """The gradient accumulated by `backward`: zeros before the first, None if not tracked."""
        node = self.node
        if node is None:
            return None
        tap = node[3] if node[1] is LEAF else getattr(self, "tap", None)
        if tap is None or not tap.keeps:
            raise NotKeptError(
                f"the gradient of a result of `{self.op and self.op.name}` is not kept. "
                "Call `.retain_grad()` on it before `backward`."
            )
        if tap.grad is None:
            tap.grad = np.zeros(self.shape, self.dtype)[()]
        return tap.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if self.node is None or self.node[1] is not LEAF:
            raise NotKeptError("only a leaf has a gradient that can be assigned")
        if value is not None and shape(value) != self.shape:
            raise DataError(
                f"`grad` must have the shape of its Tensor, {self.shape}; "
                f"it was assigned {shape(value)}"
            )
        self.node[3].grad = value

    def zero_grad(self) -> None:
        """Forget the accumulated gradient: it is zeros again."""
        node = self.node
        if node is not None and node[1] is LEAF:
            node[3].grad = None
        elif (tap := getattr(self, "tap", None)) is not None:
            tap.grad = None

    constant = property(lambda self: self.node is None)

    @property
    def tracked(self) -> bool:
        """True where a derivative can flow back through this Tensor."""
        return self.node is not None

    @property
    def op(self) -> Op | None:
        """The op that made this Tensor; None for a leaf and for what is not tracked."""
        node = self.node
        if node is None or node[1] is LEAF:
            return None
        return node[3][0][1] if node[1] is PICK else node[1]  # type: ignore[no-any-return]

    def detach(self) -> Tensor:
        """The same value without its history, at every level: a constant to every derivative."""
        value = super().detach()
        if type(value) is np.ndarray and self.node is not None and self.node[1] is not LEAF:
            value = value.view()
            value.flags.writeable = False
        t = new(
            (type(self) if type(self) is not Lifted else Result) if type(value) in RAW else Lifted
        )
        t.primal, t.level, t.node = value, self.level, None
        return t

    def retain_grad(self) -> None:
        """Keep the gradient of this result in `.grad` too; costs one array at `backward`."""
        self._tap().keeps = True

    def register_hook(self, hook: Callable[[Any], Any]) -> Callable[[], None]:
        """Call `hook(cotangent)` when the cotangent of this Tensor is complete.

        What the hook returns replaces it. Returns a function that removes the hook. It lives as
        long as this Tensor, and as what is computed from it after this call.

        >>> import adjoint as ad
        >>> x = ad.Tensor(3.0)
        >>> remove = x.register_hook(lambda ct: 10 * ct)
        >>> (x * x).backward(); float(x.grad)
        60.0
        """
        tap = self._tap()
        tap.hooks = (*tap.hooks, hook)

        def remove() -> None:
            tap.hooks = tuple([h for h in tap.hooks if h is not hook])

        return remove

    def _tap(self) -> Tap:
        if self.node is None:
            raise NotKeptError("this Tensor is not tracked: no gradient reaches it")
        if self.node[1] is LEAF:
            return self.node[3]  # type: ignore[no-any-return]
        if not hasattr(self, "tap"):
            key = self.node[0]
            known = TAPS[key]() if key in TAPS else None
            self.tap = known or Tap(self.primal, False)
            if known is None:
                TAPS[key] = weakref.ref(self.tap, lambda _: TAPS.pop(key, None))
            # What is computed from here on keeps the tap alive, whatever becomes of this Tensor.
            self.node = (*self.node[:7], (*(self.node[7] or ()), (self.tap, None)))
        return self.tap

    @classmethod
    def record(cls, op: Op, top: list[Any], primals: Any, out: Any, params: dict[str, Any]) -> Any:
        """Write one line of the tape: see `Node`."""
        if op.word == "predicate":
            return out
        level = next(t.level for t in top if t is not None)
        several = isinstance(out, (tuple, list))
        nodes = (
            [None if t is None else t.node for t in top]
            if not (PAUSED and paused(level))
            else [None] * len(top)
        )
        if not any(nodes):
            return (
                rewrap([wrap(o, level, None, op) for o in out], out)
                if several
                else wrap(out, level, None, op)
            )
        asked = (
            (op.keep,)
            if op.vjp is not None
            else [e.names for n, e in zip(nodes, op.edges, strict=True) if n and e]
        )
        kept_names = {name for names in asked for name in names}
        inputs = op.labels(len(top), params)
        needed = [
            n in kept_names and type(t) is not Result for n, t in zip(inputs, top, strict=True)
        ]
        loose = seal_all([p for p, need in zip(primals, needed, strict=True) if need])
        if op.many:
            kept: Any = (
                op.pick(primals, out, params)
                if op.vjp is not None
                else [
                    n and e and e.pick(primals, out, params)
                    for n, e in zip(nodes, op.edges, strict=True)
                ]
            )
            sizes = (
                [shape(p) for p in primals],
                [(o.shape, o.dtype) for o in out] if several else None,
            )
            node: Node = (tick(), op, None, nodes, None, kept, sizes, loose)
            if several:
                picks = [(tick(), PICK, None, [node], None, i, None, None) for i in range(len(out))]
                return rewrap([wrap(o, level, n, op) for o, n in zip(out, picks, strict=True)], out)
            return wrap(out, level, node, op)
        if op.pull is not None:
            kept = op.edges[0].pick(primals, out, params)  # type: ignore[union-attr]
            return wrap(out, level, (tick(), op, None, nodes, None, kept, None, loose), op)
        halves = []
        for n, e in zip(nodes, op.edges, strict=True):
            halves += [n, e.pick(primals, out, params)] if n and e else [None, None]
        halves += [None] * (4 - len(halves))
        shapes = (*map(shape, primals), shape(out)) if len(primals) == 2 else None
        return wrap(out, level, (tick(), op, *halves, shapes, loose), op)

    def __repr__(self) -> str:
        body = (
            repr(self.primal)
            if isinstance(self.primal, Traced)
            else np.array2string(np.asarray(self.primal), separator=", ", prefix="Tensor(")
        )
        dtype = "" if self.dtype in (np.float64, np.complex128) else f", dtype={self.dtype}"
        made = "" if self.op is None else f", op={self.op.name}"
        return f"Tensor({body}{dtype}{made})"

    def leave(self, how: str) -> Any:
        """The raw value, if nothing is lost by handing it out; else `ConversionError`."""
        value = self.primal
        if self.node is not None or isinstance(value, Traced):
            made = f"it was made by `{self.op.name}`, " if self.op else ""
            raise ConversionError(
                f"`{how}` of a tracked Tensor would lose its gradient; {made}shape {self.shape}. "
                "Write `.detach()` first if that is meant, or stay with adjoint's functions"
                + HINTS.get(how, ".")
            )
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        if self.node is not None and self.node[1] is not LEAF:
            self.leave("pickle")
        return rebuild, (self.primal, self.node is not None)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        build, state = self.__reduce__()
        return build(np.array(state[0])[()], state[1])  # type: ignore[no-any-return]

    if TYPE_CHECKING:
        backward: Callable[..., None]
        from_tensors: tuple[Tensor, ...]


class Result(Tensor):
    """A Tensor whose array an op made and nobody else can write to. Users meet it as a Tensor."""

    __slots__ = ()


class Lifted(Tensor):
    """A Tensor over something that is not a plain NumPy array: a value of an outer level."""

    __slots__ = ()


for kind in (Result, Lifted):
    kind.__name__ = kind.__qualname__ = "Tensor"


def to_inexact(data: Any) -> Any:
    """User data as a float or complex array; integers and booleans are promoted to float64."""
    if isinstance(data, Traced):
        if isinstance(data, Tensor) and data.node is None:
            data = data.primal
        else:
            raise DataError(
                "`Tensor` of a tracked Tensor would cut its history. "
                "Use it as it is, or `.detach()` it."
            )
    data = as_array(data, "Tensor")
    return data if data.dtype.char in INEXACT else data.astype(np.float64)


def rebuild(data: Any, tracked: bool) -> Tensor:
    """The Tensor that was pickled: a leaf without its gradient, or a constant."""
    return Tensor(data) if tracked else Tensor(data).detach()


def wrap(out: Any, level: int, node: Node | None, op: Op) -> Tensor:
    """A Tensor of `level` around the output of `op`."""
    plain = type(out) in RAW
    t = new((Tensor if op.view else Result) if plain else Lifted)
    t.primal, t.level, t.node = out, level, node
    return t


def variable(primal: Any, level: int) -> Tensor:
    """A new leaf of `level` around a raw array or a value of an outer level."""
    t = new(Tensor if type(primal) in RAW else Lifted)
    t.primal, t.level = primal, level
    t.node = (tick(), LEAF, None, Tap(primal), None, None, None, None)
    return t


def rewrap(values: list[Any], like: Any) -> Any:
    """`values` in the kind of sequence that `like` is: list, tuple or namedtuple."""
    return type(like)(*values) if hasattr(like, "_fields") else type(like)(values)


def _leaf(xp: Any, /) -> NoReturn:
    """A variable: what a user made, and where gradients end."""
    raise AssertionError


def _pick(xp: Any, x: Any, /) -> NoReturn:
    """One output of an op that has several."""
    raise AssertionError


LEAF = Op(_leaf, "leaf")
PICK = Op(_pick, "pick")
PICK.many = True
