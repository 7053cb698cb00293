"""Memory for time: what a function's derivative needs is computed again in the backward pass.

The function runs as always, and writes its tape, at whatever levels its values are followed. Then
the piece of tape between what the function was given, from its arguments or from outside, and what
it returned is taken out, and one node put in its place, with all that entered for its parents. Of
the arrays on the piece nothing stays. In the backward pass the function runs again, the cotangents
are pulled back through the new piece, and those that come out at its far end go to the parents. So
a value from outside is found wherever it enters, and no gradient is lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from heapq import heapify
from math import isqrt
from typing import Any, NoReturn

import numpy as np

from ..core.guard import seal_all
from ..core.op import Op
from ..core.reverse import give, pull_back
from ..core.tensor import LEAF, PAUSED, PICK, Node, Result, Tensor, new, tick
from ..core.traced import Traced, shape
from ..core.tree import flatten
from ..errors import MutationError
from .custom import Wrapped
from .derivatives import lowest
from .function import name_of
from .keeping import Book, op_named

Function = Callable[..., Any]
Place = tuple[Any, ...]
"""Where a tracked value stands: the number of a leaf, then the slots that lead into it."""
SLOTS: dict[type, tuple[str, ...]] = {}
HUNG = frozenset(("source", "views", "tap", "__weakref__"))


def checkpoint(f: Function, keep: Sequence[Any] = ()) -> Function:
    """`f`, computed again when its derivative is: checkpoint : (x -> y) -> (x -> y).

    f : a function of arrays, containers and anything else; it may use tracked values from outside
    keep : ops whose results are kept all the same, and not computed again: names as "matmul", or
        functions as `ad.matmul`, also custom ones

    Between the forward and the backward pass only the arguments are held, and what `keep` says.
    Costs one more forward of `f`. While `f` runs, forward or again, its tape is there as always: so
    cut a long computation into pieces, as `checkpoint_chain` does. Where there is no tape (plain
    arrays, `jvp`, `no_grad`) it does nothing.
    Nests with everything, in any order; the backward pass is itself such a piece of higher orders.
    `f` must compute the same again: random numbers are drawn outside and passed in. Where it does
    not, or where what it needs was changed meanwhile, `MutationError` is raised.

    >>> import adjoint as ad, numpy as np
    >>> w = ad.Tensor(np.eye(2))
    >>> layer = ad.checkpoint(lambda x: ad.tanh(w @ x), keep=["matmul"])
    >>> layer(ad.Tensor([1.0, 2.0])).sum().backward()
    >>> w.grad.round(3)
    array([[0.42 , 0.84 ],
           [0.071, 0.141]])
    """
    ops = frozenset([op_named(k) for k in ([keep] if isinstance(keep, str) else keep)])

    def held(*args: Any, **kwargs: Any) -> Any:
        leaves, _, rebuild = flatten((args, kwargs))
        book = Book(ops) if ops else None

        def run(leaves: Sequence[Any]) -> Any:
            args, kwargs = rebuild(leaves)
            return f(*args, **kwargs) if book is None else book.use(f, args, kwargs)

        return remembered_as_one(run, leaves, name_of(f))

    return Wrapped(held, checkpoint, f, keep)


def checkpoint_chain(functions: Sequence[Function], every: int | None = None) -> Function:
    """The composition of `functions`, first one first, in checkpointed pieces of `every`.

    checkpoint_chain : [(x -> x)] -> (x -> x)

    every : functions in a piece, by default √n of n: then √n arguments are held, and the tape of √n
        functions while their piece runs again, for one more forward (Griewank & Walther 2008,
        chapter 12). Nests as `checkpoint` does.

    >>> import adjoint as ad
    >>> f = ad.checkpoint_chain([ad.sin] * 9)
    >>> round(float(ad.grad(f)(1.0)), 12)
    0.089457149281
    """
    functions = tuple(functions)
    if every is not None and every < 1:
        raise ValueError(f"`checkpoint_chain` needs pieces of at least one function, not {every!r}")
    size = every or max(1, isqrt(len(functions)))

    def piece(some: Sequence[Function]) -> Function:
        def through(x: Any) -> Any:
            for f in some:
                x = f(x)
            return x

        return checkpoint(through)

    pieces = [piece(functions[i : i + size]) for i in range(0, len(functions), size)]

    def chain(x: Any) -> Any:
        for one in pieces:
            x = one(x)
        return x

    return chain


class Piece:
    """What stays of a piece of tape: how to run it again, and by what to tell that it is the same.

    run, leaves   the function of a list of values, and those values as they were
    start         a tick before all that is remembered of the first run
    pause         what `no_grad` said at the time
    marks         sums of the outputs
    taps          the leaves of the tape that entered, each with its array
    """

    __slots__ = ("leaves", "marks", "name", "pause", "run", "start", "taps")

    def __init__(self, run: Function, leaves: Sequence[Any], name: str) -> None:
        self.run, self.name, self.start = run, name, tick()
        self.leaves = [remade(x, (), {}) for x in leaves]
        self.pause = PAUSED.get(threading.get_ident())
        self.marks: list[Any] = []
        self.taps: list[tuple[Any, Any]] = []

    def again(
        self,
        level: int,
        places: Sequence[Place],
        cts: Sequence[Any],
        entered: Sequence[Node],
        follow: int | None,
    ) -> list[Any]:
        """The cotangents of the nodes that `entered` the piece at `level`; None where none arrives.

        The piece is run again behind a barrier: a node older than the new tape and newer than all
        else. When the reverse pass meets it, what it would visit next is the far end of the piece.
        """
        if any(tap.like is not array for tap, array in self.taps):
            self.complain("a Tensor that it uses has been given other data")
        start = tick()
        with paused_as(self.pause):
            ends = flatten(self.run(self.leaves))[0]
        marks, nodes = marked(ends), dict(tracked(ends))
        del ends
        if len(marks) != len(self.marks) or not all(map(alike, self.marks, marks)):
            self.complain("it computed something else the second time")
        known = [nodes[p] for p in places if p in nodes]
        outs: list[Any] = [t.node for t in known if t.level == level]
        del known
        nodes.clear()
        if len(outs) != len(places) or None in outs:
            self.complain("its output was not tracked the second time")
        far = dict.fromkeys([n[0] for n in far_end(outs, start)])
        before = dict.fromkeys([n[0] for n in entered])
        inside, made = [n for n in far if n < start], [n for n in before if n not in far]
        others = [n for n in far if n > start and n not in before]
        if others or len(inside) != len(made) or any(n > self.start for n in made):
            self.complain("it used other tracked values the second time")
        found: list[tuple[Node, Any]] = []
        heap: list[Node] = [(start, BARRIER, None, None, None, found, None, None)]
        totals: dict[int, Any] = {start: None}
        while outs:
            node, ct = outs.pop(), cts[len(outs)]
            if ct is not None and node[0] in totals:
                totals[node[0]] = totals[node[0]] + ct
            elif ct is not None:
                totals[node[0]] = ct
                heap.append(node)
        node = None
        heapify(heap)
        found += [(n, ct) for n, ct, _ in pull_back(heap, totals, follow, careful=True)]
        arrived = {n[0]: ct for n, ct in found}
        twins = dict(zip(made, inside, strict=True))
        return [arrived.get(twins.get(n[0], n[0])) for n in entered]

    def complain(self, what: str) -> NoReturn:
        """Raise the error for a second run that is not as the first."""
        raise MutationError(
            f"`checkpoint` must run `{self.name}` again for its derivative, and {what}. Draw "
            "random numbers outside and pass them in, and call `backward` before a change."
        )


def remembered_as_one(run: Function, leaves: Sequence[Any], name: str) -> Any:
    """`run(leaves)`; what it wrote on the tape, at every level, is replaced by one node."""
    piece = Piece(run, leaves, name)
    out = run(leaves)
    ends, _, rebuild = flatten(out)
    young: dict[int, list[tuple[Place, Tensor]]] = {}
    for place, t in tracked(ends):
        if t.node is not None and t.node[0] < piece.start and t.node[1] is not LEAF:
            young.setdefault(t.level, []).append((place, t))
    if not young:
        return out
    piece.marks = marked(ends)
    entered = {
        level: far_end([t.node for _, t in some if t.node], piece.start)
        for level, some in young.items()
    }
    old = [n for some in entered.values() for n in some if n[0] > piece.start]
    piece.taps = [(n[3], n[3].like) for n in old if n[1] is LEAF]
    seal = seal_all([*map(exposed, leaves), *[array for _, array in piece.taps]])
    nodes: dict[Place, Node] = {}
    for level, some in young.items():
        places = [place for place, _ in some]
        forms = [()] * len(entered[level]), [(t.shape, t.dtype) for _, t in some]
        kept = (piece, level, places)
        node = (tick(), CHECKPOINT, None, entered[level], None, kept, forms, seal)
        for i, place in enumerate(places):
            nodes[place] = (tick(), PICK, None, [node], None, i, None, None)
    changed = {place[0] for place in nodes}
    return rebuild([remade(o, (i,), nodes) if i in changed else o for i, o in enumerate(ends)])


def pull_piece(
    ct: Any, node: Node, cts: dict[int, Any], owned: set[int], heap: list[Node], level: int | None
) -> None:
    """The reverse pass at a piece: run it again and pull back, as a piece of the outer levels."""
    entered, (piece, at, places) = node[3], node[5]
    there = [c is not None for c in ct]

    def run(given: Sequence[Any]) -> list[Any]:
        rest = iter(given)
        full = [next(rest) if t else None for t in there]
        return piece.again(at, places, full, entered, level)  # type: ignore[no-any-return]

    backs = remembered_as_one(run, [c for c in ct if c is not None], piece.name)
    for p, back in zip(entered, backs, strict=True):
        if back is not None:
            give(p, back, cts, owned, heap)


def pull_barrier(
    ct: Any, node: Node, cts: dict[int, Any], owned: set[int], heap: list[Node], level: int | None
) -> None:
    """Stop the reverse pass: what it would visit next is handed over, and its work is done."""
    node[5].extend([(n, cts.pop(n[0])) for n in heap])
    heap.clear()


def far_end(nodes: Sequence[Node], start: int) -> list[Node]:
    """What the tape behind `nodes` meets of the time before `start`, and leaves made since.

    The oldest is first.
    """
    seen: set[int] = set()
    found: list[Node] = []
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node[0] in seen:
            continue
        seen.add(node[0])
        if node[0] > start or node[1] is LEAF:
            found.append(node)
        else:
            several = node[3] if node[1].pull is not None else (node[2], node[4])
            stack += [p for p in several if p is not None]
    return sorted(found, key=lambda n: -n[0])


def slots(kind: type) -> tuple[str, ...]:
    """What a mode's values consist of, apart from what the user hung on them."""
    if kind not in SLOTS:
        every = [slot for c in kind.__mro__ for slot in c.__dict__.get("__slots__", ())]
        SLOTS[kind] = tuple([slot for slot in every if slot not in HUNG])
    return SLOTS[kind]


def tracked(ends: Sequence[Any]) -> Iterator[tuple[Place, Tensor]]:
    """Every Tensor in the values `ends`, also inside other modes' values, and where it stands."""
    stack: list[tuple[Place, Traced]] = [
        ((i,), o) for i, o in enumerate(ends) if isinstance(o, Traced)
    ]
    while stack:
        place, value = stack.pop()
        if isinstance(value, Tensor):
            yield place, value
        parts = [((*place, slot), getattr(value, slot)) for slot in slots(type(value))]
        stack += [(where, part) for where, part in parts if isinstance(part, Traced)]


def remade(value: Any, place: Place, nodes: dict[Place, Node]) -> Any:
    """A tracked value as it is now, whatever becomes of its Tensors; made by `nodes`, if any."""
    if not isinstance(value, Traced):
        return value
    twin: Any = new(type(value))
    for slot in slots(type(value)):
        setattr(twin, slot, remade(getattr(value, slot), (*place, slot), nodes))
    if place in nodes:
        twin.node = nodes[place]
    return twin


def exposed(x: Any) -> Any:
    """The plain array inside `x` if a user could change it, else None."""
    kind: type = type(x)
    while isinstance(x, Traced):
        kind, x = type(x), x.primal
    return None if kind is Result else x


def marked(ends: Sequence[Any]) -> list[Any]:
    """By what an output is known again: its sum, its size, and what rounding may change of it."""
    marks: list[Any] = []
    for end in ends:
        x = lowest(end)
        if isinstance(x, Traced) or getattr(x, "dtype", np.dtype(object)).kind not in "fciub":
            marks.append(None)
            continue
        with np.errstate(all="ignore"):
            wide = np.result_type(x.dtype, np.float64)
            size = np.add.reduce(np.abs(x), axis=None, dtype=np.float64)
            total = np.add.reduce(x, axis=None, dtype=wide)
        fuzz = np.finfo(x.dtype).eps ** 0.5 if x.dtype.kind in "fc" else 0.0
        marks.append((shape(x), total, size, fuzz))
    return marks


def alike(one: Any, two: Any) -> bool:
    """True where two marks may be of the same output."""
    if one is None or two is None or one[0] != two[0]:
        return one is two
    (_, a, size, fuzz), (_, b, other, _) = one, two
    if not np.isfinite(size + other):
        return str(size) == str(other)
    return bool(abs(a - b) <= fuzz * size and abs(size - other) <= fuzz * size)


@contextmanager
def paused_as(pause: int | None) -> Iterator[None]:
    """Within this block, in this thread, `no_grad` says what it said then."""
    me = threading.get_ident()
    before = PAUSED.pop(me, None)
    if pause is not None:
        PAUSED[me] = pause
    try:
        yield
    finally:
        PAUSED.pop(me, None)
        if before is not None:
            PAUSED[me] = before


def _checkpoint(xp: Any, /, *xs: Any) -> NoReturn:
    """A piece of the tape that is computed again."""
    raise AssertionError


def _barrier(xp: Any, /, *xs: Any) -> NoReturn:
    """The end of a piece."""
    raise AssertionError


CHECKPOINT, BARRIER = Op(_checkpoint, "op"), Op(_barrier, "op")
CHECKPOINT.name, BARRIER.name = "checkpoint", "barrier"
CHECKPOINT.many = BARRIER.many = True
CHECKPOINT.vjp = CHECKPOINT.pull = pull_piece
BARRIER.vjp = BARRIER.pull = pull_barrier

__all__ = ["checkpoint", "checkpoint_chain"]
