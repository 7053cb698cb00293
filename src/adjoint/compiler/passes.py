"""Passes: graph to graph, each with the law that it keeps; and memory shared after scheduling.

dead      what no output needs is dropped
fold      what is made of numbers is a number; what is made of broadcasts is broadcast afterwards
moves     chains of views are one view, and indices canonical
algebra   arithmetic that keeps every bit, see `algebra.py`
expand    composite ops as the elementwise ops and reductions that the scheduler can fuse
counted   a sum of equal terms is a product

All are exact, but for `expand` and `counted`: those stay within 4 units in the last place of what
eager computes, and their sums within its rounding. `optimise` is all of them, in one way through.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..ops.reduce import count, freedom
from .access import axes_of
from .algebra import (
    ALGEBRA,
    EACH,
    FOLD,
    MOVES,
    Draft,
    Laws,
    alike,
    is_float,
    is_map,
    number,
    rewritten,
)
from .graph import Graph, Node
from .kernel import Branch, Buffer, Call, Program, Step, View, every

SMALL_PRODUCT = 2048
"""Multiplications in a matrix product up to which a fused loop beats the call of a BLAS."""
ALIGNMENT = 64


def dead(graph: Graph) -> Graph:
    """Drop what no output needs; inputs stay. Values: the same bits."""
    return rewritten(graph, {"each": ()})


def fold(graph: Graph) -> Graph:
    """op(numbers) is NumPy's number, op(broadcast x) = broadcast op(x). Values: the same bits."""
    return rewritten(graph, FOLD)


def moves(graph: Graph) -> Graph:
    """Views of views are one view of explicit indices, axes, shapes. Values: the same bits."""
    return rewritten(graph, MOVES)


def algebra(graph: Graph) -> Graph:
    """Fewer and cheaper operations. Values: the same bits, but for the payload of a NaN."""
    return rewritten(graph, ALGEBRA)


def expand(graph: Graph) -> Graph:
    """Composite ops in simple ones. Values: within 4 units in the last place, special ones equal.

    Those of reductions within the rounding of a sum, whose order no one promised.
    """
    return rewritten(graph, EXPAND)


def counted(graph: Graph) -> Graph:
    """A sum of n equal terms is n times one: nearer to the exact sum than adding them up."""
    return rewritten(graph, COUNTED)


def optimise(graph: Graph) -> Graph:
    """All passes, in one way through the graph."""
    return rewritten(graph, everything())


@functools.cache
def everything() -> Laws:
    """The laws of all passes; an op of each element has first those that all such ops have."""
    tables = (EXPAND, COUNTED, MOVES, ALGEBRA)
    ops = dict.fromkeys([op for table in tables for op in table if op != "each"])
    laws: dict[str, Any] = {"each": EACH}
    for op in ops:
        laws[op] = (EACH if is_map(op) else ()) + tuple(
            [law for table in tables for law in table.get(op, ())]
        )
    return laws


# What composite ops are made of: their forwards, in nodes


def itself(w: Draft, node: Node, x: Node) -> Node | None:
    """+x, and the real part of a real number."""
    return x if alike(x, node) else None


def own_conjugate(w: Draft, node: Node, x: Node) -> Node | None:
    """The conjugate of a real number."""
    return x if alike(x, node) and x.dtype.kind != "c" else None


def no_imaginary(w: Draft, node: Node, x: Node) -> Node | None:
    """The imaginary part of a real number."""
    if x.dtype.kind == "c" or node.weak:
        return None
    return w.fill(w.graph.constant(node.dtype.type(0)), node.shape)


def spread(w: Draft, node: Node, x: Node) -> Node:
    """`spread` is `broadcast_to`."""
    return w.like(node, "broadcast_to", x, shape=node.shape)


def matrix_transpose(w: Draft, node: Node, x: Node) -> Node:
    """The last two axes exchanged, as a permutation."""
    axes = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
    return w.like(node, "permute_dims", x, axes=axes)


def flip(w: Draft, node: Node, x: Node) -> Node:
    """Axes reversed, as slices."""
    axes = axes_of(node.params["axis"], x.ndim)
    index = tuple([slice(None, None, -1 if i in axes else 1) for i in range(x.ndim)])
    return w.like(node, "getitem", x, index=index)


def square(w: Draft, node: Node, x: Node) -> Node | None:
    """x² = x·x, of real x; of complex x NumPy has its own formula."""
    return None if x.dtype.kind in "cb" else w.like(node, "multiply", x, x)


def reciprocal(w: Draft, node: Node, x: Node) -> Node:
    """1/x."""
    return w.like(node, "divide", 1, x)


def power(w: Draft, node: Node, x: Node, y: Node) -> Node | None:
    """x⁰ = 1, x¹ = x, x² = x·x, x³ = x²·x, x⁴ = x²·x², x⁻¹ = 1/x, x⁻² = (1/x)², x^½ = √x.

    x^½ of arrays alone: of -∞ and -0 the root is NaN and -0, as NumPy has it for arrays, while a
    NumPy scalar to the power ½ is ∞ and 0. The square of 1/x leaves the range only where x⁻² does.
    """
    exponent = number(y)
    if exponent is None or x.dtype != node.dtype or node.dtype.kind not in "fiu" or x.weak:
        return None
    if exponent == 0.5:
        return w.like(node, "sqrt", x) if node.shape else None
    if exponent not in (-2, -1, 0, 1, 2, 3, 4):
        return None
    if exponent == 0:
        return w.fill(w.graph.constant(node.dtype.type(1)), node.shape)
    if exponent == 1:
        return itself(w, node, x)
    if exponent < 0:
        x = w.like(node, "divide", 1, x)
    if exponent == -1:
        return x
    squared = w.like(node, "multiply", x, x)
    if exponent in (2, -2):
        return squared
    return w.like(node, "multiply", squared, x if exponent == 3 else squared)


def clamp(w: Draft, node: Node, x: Node, low: Node, high: Node) -> Node:
    """min(max(x, low), high)."""
    return w.like(node, "minimum", w.each("maximum", x, low), high)


def nearest(w: Draft, node: Node, x: Node) -> Node | None:
    """Rounding to no decimals is `rint`, of floats."""
    whole = is_float(node) and node.params["decimals"] == 0
    return w.like(node, "rint", x) if whole else None


def count_nonzero(w: Draft, node: Node, x: Node) -> Node:
    """Σ of 1 where x is not 0."""
    marked = x if x.dtype.kind == "b" else w.each("not_equal", x, 0)
    return w.like(node, "sum", marked, **folding(x, node))


def mean(w: Draft, node: Node, x: Node) -> Node:
    """Σ x / n."""
    axis = node.params["axis"]
    total = w.fold("sum", x, axes_of(axis, x.ndim), node.params["keepdims"])
    return w.like(node, "divide", total, count(x.shape, axis))


def variance(w: Draft, node: Node, x: Node) -> Node:
    """Σ (x - x̄)²/(n - c)."""
    return w.like(node, "divide", *squares(w, node, x))


def squares(w: Draft, node: Node, x: Node) -> tuple[Node, float]:
    """Σ (x - x̄)² and n - c."""
    axis, axes = node.params["axis"], axes_of(node.params["axis"], x.ndim)
    centre = w.each("divide", w.fold("sum", x, axes, True), count(x.shape, axis))
    apart = w.each("subtract", x, centre)
    squared = w.each("multiply", apart, apart)
    n = freedom(x.shape, axis, node.params["correction"])
    return w.fold("sum", squared, axes, node.params["keepdims"]), n


def deviation(w: Draft, node: Node, x: Node) -> Node | None:
    """√ of the variance, in float64, where squares of float32 are neither too large nor too small.

    Those of float64 are so once x is scaled by a power of two where it is beyond 2^±300: what is
    left of a difference is at least 2⁻⁵²·2⁻³⁰⁰, or 2⁻¹⁰⁷⁴·2⁶⁰⁰.
    """
    axes = axes_of(node.params["axis"], x.ndim)
    if not is_float(x) or x.dtype.itemsize > 8 or x.weak:
        return None
    wide = w.cast(x, np.dtype(np.float64))
    if x.dtype.itemsize < 8 or not count(x.shape, node.params["axis"]):
        root = w.each("sqrt", w.each("divide", *squares(w, node, wide)))
        return w.cast(root, node.dtype)
    top = w.fold("max", w.each("fabs", x), axes, True)
    small, large = w.each("less", top, 2.0**-300), w.each("greater", top, 2.0**300)
    scale = w.each("where", small, 2.0**600, w.each("where", large, 2.0**-600, 1.0))
    root = w.each("sqrt", w.each("divide", *squares(w, node, w.each("multiply", x, scale))))
    return w.like(node, "divide", root, w.reshape(scale, node.shape))


def length(w: Draft, node: Node, x: Node) -> Node | None:
    """√Σ x², of x divided by the largest."""
    if not is_float(x) or x.weak or not x.size:
        return None
    axes = axes_of(node.params["axis"], x.ndim)
    top = w.fold("max", w.each("fabs", x), axes, True)
    usual = w.each("logical_and", w.each("greater", top, 0), w.each("isfinite", top))
    top = w.each("where", usual, top, 1.0)
    part = w.each("divide", x, top)
    root = w.each("sqrt", w.fold("sum", w.each("multiply", part, part), axes, True))
    return w.reshape(w.each("multiply", root, top), node.shape)


def summit(w: Draft, node: Node, x: Node) -> Node | None:
    """The largest, or 0 where it is not finite."""
    if not is_float(x) or x.weak or not count(x.shape, node.params["axis"]):
        return None
    top = w.fold("max", x, axes_of(node.params["axis"], x.ndim), True)
    return w.each("where", w.each("isfinite", top), top, 0)


def logsumexp(w: Draft, node: Node, x: Node) -> Node | None:
    """ln Σ exp(x - top) + top, of the largest x if it is finite; -∞ where the sum is 0."""
    top = summit(w, node, x)
    if top is None:
        return None
    parts = w.each("exp", w.each("subtract", x, top))
    whole = w.fold("sum", parts, axes_of(node.params["axis"], x.ndim), node.params["keepdims"])
    nothing = w.each("equal", whole, 0)
    logarithm = w.each("log", w.each("where", nothing, 1.0, whole))
    found = w.each("add", logarithm, w.reshape(top, node.shape))
    return w.like(node, "where", nothing, -math.inf, found)


def small_product(w: Draft, node: Node, x: Node, y: Node) -> Node | None:
    """A small matrix product is a sum of products, which fuses with what is around it."""
    if not is_float(node) or node.dtype.itemsize < 4 or x.dtype != y.dtype:
        return None
    if node.size * x.shape[-1] > SMALL_PRODUCT:
        return None
    column = y.ndim > 1
    if column:
        y = w.reshape(y, (*y.shape[:-2], 1, *y.shape[-2:])) if x.ndim > 1 else y
        x = w.reshape(x, (*x.shape, 1))
    terms = w.each("multiply", x, y)
    return w.like(node, "sum", terms, axis=(terms.ndim - 1 - column,), keepdims=False)


def canonical(w: Draft, node: Node, x: Node) -> Node | None:
    """A reduction with its axes as a sorted tuple; over axes of length one there is none.

    Sums begin with 0, so that of one -0 is 0.
    """
    given = folding(x, node)
    if math.prod([x.shape[a] for a in given["axis"]]) == 1 and x.dtype == node.dtype and not x.weak:
        alone = w.reshape(x, node.shape)
        if node.op != "sum":
            return alone
        if is_float(x):
            return w.like(node, "add", alone, 0.0)
    return None if node.params == given else w.like(node, node.op, x, **given)


def folding(x: Node, node: Node) -> dict[str, Any]:
    """The parameters of a reduction: axes as a sorted tuple."""
    axes = axes_of(node.params["axis"], x.ndim)
    return dict(axis=axes, keepdims=bool(node.params["keepdims"]))


def repeated_terms(w: Draft, node: Node, x: Node) -> Node | None:
    """Σ of x over axes along which it was repeated n times is n·x, or n·Σ x over the others."""
    if x.op != "broadcast_to" or not is_float(node) or x.dtype.itemsize < 4 or x.inputs[0].weak:
        return None
    (source,) = x.inputs
    axes, lead = axes_of(node.params["axis"], x.ndim), x.ndim - source.ndim
    times = [x.shape[a] for a in axes if a < lead or source.shape[a - lead] != x.shape[a]]
    n = math.prod(times)
    if n < 2:
        return None
    one = w.fold("sum", source, tuple([a - lead for a in axes if a >= lead]), True)
    shape = [*enumerate((1,) * lead + one.shape)]
    kept = tuple([m for i, m in shape if node.params["keepdims"] or i not in axes])
    return w.fill(w.reshape(w.each("multiply", one, float(n)), kept), node.shape)


EXPAND: Laws = {
    "each": (), "behind": (itself,), "positive": (itself,), "real": (itself,),
    "conj": (own_conjugate,), "imag": (no_imaginary,), "spread": (spread,), "flip": (flip,),
    "matrix_transpose": (matrix_transpose,), "square": (square,), "reciprocal": (reciprocal,),
    "pow": (power,), "clamp": (clamp,), "round": (nearest,),
    "count_nonzero": (count_nonzero,), "mean": (mean,), "variance": (variance,),
    "deviation": (deviation,), "length": (length,), "summit": (summit,),
    "logsumexp": (logsumexp,), "matmul": (small_product,),
    **dict.fromkeys(("sum", "prod", "max", "min", "any", "all"), (canonical,)),
}  # fmt: skip
COUNTED: Laws = {"each": (), "sum": (repeated_terms,)}


# Memory


class Arena(NamedTuple):
    """Scratch memory of a program: its bytes, and by buffer the offset in it."""

    size: int
    offsets: dict[int, int]


def reuse(program: Program) -> Arena:
    """Places for the scratch buffers in one block of memory, shared where lives do not overlap.

    A life is from the step that first touches a buffer to the last one. Buffers are placed one by
    one at the lowest offset that is free for the whole of their life, in two orders, of which the
    better counts: the largest first, and the earliest first.
    """
    lives = lifetimes(program)
    sizes = {b: padded(program.buffers[b]) for b in lives}
    orders = (lambda b: (-sizes[b], lives[b]), lambda b: (lives[b], -sizes[b]))
    tried = dict.fromkeys([tuple(sorted(lives, key=order)) for order in orders])
    arenas = [packed(order, lives, sizes) for order in tried]
    return min(arenas, key=lambda arena: arena.size)


def packed(order: Sequence[int], lives: dict[int, tuple[int, int]], sizes: dict[int, int]) -> Arena:
    """Each buffer in turn at the lowest offset that nothing has while it lives."""
    size = np.array([sizes[b] for b in order], np.int64)
    first, last = np.array([lives[b] for b in order], np.int64).reshape(-1, 2).T
    starts = np.zeros(len(order), np.int64)
    for k in range(len(order)):
        taken = np.flatnonzero((first[:k] <= last[k]) & (first[k] <= last[:k]))
        taken = taken[np.argsort(starts[taken])]
        ends = np.maximum.accumulate(np.append(0, (starts + size)[taken]))
        fits = np.append(starts[taken] - ends[:-1] >= size[k], True)
        starts[k] = ends[fits.argmax()]
    offsets = dict(zip(order, starts.tolist(), strict=True))
    return Arena(int(max(starts + size, default=0)), offsets)


def padded(buffer: Buffer) -> int:
    """Bytes of a buffer, up to a whole number of cache lines."""
    size = math.prod(buffer.shape) * buffer.dtype.itemsize
    return -(-size // ALIGNMENT) * ALIGNMENT


def lifetimes(program: Program) -> dict[int, tuple[int, int]]:
    """By scratch buffer, the first and the last step that touches it; checks are read last."""
    lives: dict[int, tuple[int, int]] = {}
    touched = [*map(touches, every(program.steps)), iter(program.checks)]
    for step, buffers in enumerate(touched):
        for b in buffers:
            if program.buffers[b].kind == "scratch":
                lives[b] = (lives.get(b, (step, step))[0], step)
    return lives


def touches(step: Step) -> Iterator[int]:
    """The buffers that a step reads or writes; of a branch, to decide."""
    if isinstance(step, Branch):
        yield step.buffer
        return
    if isinstance(step, Call):
        yield from step.outputs
        yield from [x.buffer for x in step.inputs if isinstance(x, View)]
        return
    for _, body in step.nests:
        yield from [i.attr.buffer for i in body.instrs if i.op == "load"]
        yield from [store.access.buffer for store in body.stores]
        yield from [fold.access.buffer for fold in body.folds]
