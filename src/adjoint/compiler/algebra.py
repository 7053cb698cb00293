"""Laws of the graph: which node equals which simpler one, with NaN, infinities and signed zeros.

A law gets the draft of a graph and a node that is about to stand in it, and returns one that equals
it and was simpler to make, or None. `rewritten` makes a graph anew under a table of laws. Where a
law says no more, it is exact: the same bits, whatever the inputs; only a NaN may be another NaN.
What looks like algebra and is not exact is absent: 0·x (NaN for infinite x), x + 0 (0 for -0),
-(x - y) = y - x (0 for -0), x/c = x·(1/c) and (x·c)·d = x·(c·d) unless they are powers of two.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..backends.namespace import NUMPY, is_basic
from ..core.op import OPS
from .graph import LEAVES, Graph, Node, frozen
from .infer import BROADCASTING, COMPARISONS, infer

Law = Callable[..., Node | None]
Laws = Mapping[str, Sequence[Law]]
"""By op, its laws in order; under "each" those of ops of each element without laws of their own."""

CASTS = frozenset(("astype", "real", "imag", "conj"))
COMMUTATIVE = (
    "add", "multiply", "equal", "not_equal", "logical_and", "logical_or", "logical_xor",
)  # fmt: skip


class Draft:
    """A graph in the making, whose nodes are put down as the laws have them."""

    def __init__(self, name: str, laws: Laws) -> None:
        self.graph, self.laws, self.line = Graph(name), dict(laws), ""

    def put(self, node: Node, inputs: Sequence[Node]) -> Node:
        """The application that `node` describes, to other inputs, or what a law has instead."""
        laws = self.laws.get(node.op)
        if laws is None:
            laws = self.laws[node.op] = self.laws["each"] if is_map(node.op) else ()
        for law in laws:
            found = law(self, node, *inputs)
            if found is not None:
                return found
        return self.graph.add(
            node.op, inputs, node.params,
            shape=node.shape, dtype=node.dtype, weak=node.weak, line=node.line,
        )  # fmt: skip

    def apply(
        self, op: str, inputs: Sequence[Any], params: dict[str, Any], shape: Any, dtype: Any,
        weak: bool = False,
    ) -> Node:  # fmt: skip
        """A node of the draft, under the same laws."""
        return self.put(Node(-1, op, (), params, shape, dtype, weak, self.line), inputs)

    def like(self, node: Node, op: str, *inputs: Any, **params: Any) -> Node:
        """Another op that makes what `node` is."""
        nodes = [self.lifted(x) for x in inputs]
        return self.apply(op, nodes, params, node.shape, node.dtype, node.weak)

    def each(self, op: str, *inputs: Any, **params: Any) -> Node:
        """An op of each element of the inputs, which may be numbers."""
        return self.typed(op, [self.lifted(x) for x in inputs], params)

    def fold(self, op: str, x: Node, axes: tuple[int, ...], keepdims: bool) -> Node:
        """A reduction of x."""
        return self.typed(op, [x], dict(axis=axes, keepdims=keepdims))

    def typed(self, op: str, inputs: Sequence[Node], params: dict[str, Any]) -> Node:
        """A node of the type that its op makes."""
        shape, dtype, weak, _ = infer(op, inputs, params)
        return self.apply(op, inputs, params, shape, dtype, weak)

    def reshape(self, x: Node, shape: tuple[int, ...]) -> Node:
        """The elements of x in another shape."""
        return self.apply("reshape", [x], dict(shape=shape), shape, x.dtype)

    def fill(self, x: Node, shape: tuple[int, ...]) -> Node:
        """x repeated to `shape`."""
        if x.shape == shape:
            return x
        return self.apply("broadcast_to", [x], dict(shape=shape), shape, x.dtype)

    def cast(self, x: Node, dtype: np.dtype) -> Node:
        """x in a floating-point dtype."""
        return self.apply("astype", [x], dict(dtype=dtype), x.shape, dtype)

    def lifted(self, x: Any) -> Node:
        """A node, or the constant of a number."""
        return x if type(x) is Node else self.graph.constant(x)


def rewritten(graph: Graph, laws: Laws) -> Graph:
    """The graph made anew under laws: what its outputs need, equal nodes once; inputs stay.

    One way through: a law sees inputs that were rewritten, and the nodes it makes are rewritten.
    """
    draft = Draft(graph.name, laws)
    keep, at, put = reached(graph), {}, draft.put
    for x in graph.inputs:
        at[x.id] = draft.graph.input(x.shape, x.dtype, x.weak)
    for node in graph.nodes:
        if keep[node.id] and node.op != "input":
            draft.line = node.line
            at[node.id] = put(node, [at[x.id] for x in node.inputs])
    draft.graph.outputs = tuple([at[x.id] for x in graph.outputs])
    return compacted(draft.graph)


def compacted(graph: Graph) -> Graph:
    """A graph that is ours without the nodes that laws have put out of use, numbered anew."""
    keep = reached(graph)
    if all(keep):
        return graph
    for key in [key for key, node in graph.table.items() if not keep[node.id]]:
        del graph.table[key]
    graph.nodes = [*graph.table.values()]
    for place, node in enumerate(graph.nodes):
        node.id = place
    return graph


def reached(graph: Graph) -> bytearray:
    """By id, 1 for an input and for a node that an output needs."""
    keep = bytearray(len(graph.nodes))
    for node in (*graph.inputs, *graph.outputs):
        keep[node.id] = 1
    for node in reversed(graph.nodes):
        if keep[node.id]:
            for x in node.inputs:
                keep[x.id] = 1
    return keep


@functools.cache
def is_map(op: str) -> bool:
    """True of an op of each element, whose inputs broadcast."""
    if op in LEAVES or op == "item":
        return False
    return op in COMPARISONS or op in CASTS or OPS[op].word in BROADCASTING


def alike(x: Node, y: Node) -> bool:
    """True of two nodes of one type, of which one may stand for the other."""
    return x.dtype == y.dtype and x.shape == y.shape and x.weak == y.weak


def number(x: Node) -> Any:
    """The value of a constant that is a real number, and no integer beyond all floats, or None."""
    if x.op != "constant":
        return None
    value = x.params["value"]
    if isinstance(value, int):
        return value if abs(value) < 1 << 1000 else None
    return value if isinstance(value, (float, np.floating)) else None


def is_float(x: Node) -> bool:
    """True of real floating-point numbers."""
    return x.dtype.kind == "f"


def is_negated(x: Node) -> bool:
    """True of -y, a float."""
    return x.op == "negative" and is_float(x) and x.inputs[0].weak == x.weak


def is_zero(value: Any, sign: float) -> bool:
    """True of the zero of that sign."""
    return value == 0 and math.copysign(1.0, value) == sign


def is_power_of_two(value: Any, dtype: np.dtype) -> bool:
    """True of ±2ⁿ where both 2ⁿ and 2⁻ⁿ are numbers of `dtype`."""
    mantissa, exponent = math.frexp(value or 0)
    return abs(mantissa) == 0.5 and bool(abs(exponent - 1) < np.finfo(dtype).maxexp)


# Laws of any op of each element


def uniform(w: Draft, node: Node, *inputs: Node) -> Node | None:
    """op(c, ...) of numbers is a number;  op(broadcast x, y) = broadcast op(x, y)."""
    if inputs[0].op == "constant":
        found = computed(w, node, inputs)
        if found is not None:
            return found
    for x in inputs:
        if x.op == "broadcast_to":
            return hoisted(w, node, inputs)
    return None


def computed(w: Draft, node: Node, inputs: Sequence[Node]) -> Node | None:
    """The number that NumPy makes of numbers."""
    if node.shape or any(x.op != "constant" for x in inputs):
        return None
    try:
        with np.errstate(all="ignore"):
            forward = OPS[node.op].forward
            value = np.asarray(forward(NUMPY, *[x.params["value"] for x in inputs], **node.params))
    except (ArithmeticError, TypeError, ValueError):
        return None  # what NumPy refuses, it shall refuse when the program runs
    return w.graph.constant(value.item() if node.weak else value[()])


def hoisted(w: Draft, node: Node, inputs: Sequence[Node]) -> Node | None:
    """The op of what was broadcast, broadcast if need be: no element is computed twice."""
    bare = [x.inputs[0] if x.op == "broadcast_to" else x for x in inputs]
    if any(x.weak > y.weak for x, y in zip(bare, inputs, strict=True)):
        return None
    shape = np.broadcast_shapes(*[x.shape for x in bare])
    return w.fill(w.apply(node.op, bare, node.params, shape, node.dtype), node.shape)


def ordered(w: Draft, node: Node, x: Node, y: Node) -> Node | None:
    """op(x, y) = op(y, x) where NumPy's own is commutative: numbers second, else the older first.

    Not those that may return either of 0 and -0, as `maximum` does; nor a product of complex
    numbers, in which a fused multiply and add rounds one order otherwise than the other.
    """
    fixed = x.op == "constant"
    later = x.id > y.id if fixed == (y.op == "constant") else fixed
    return w.like(node, node.op, y, x) if later and node.dtype.kind != "c" else None


# Laws of arithmetic, of real floats where nothing else is said


def plus(w: Draft, node: Node, x: Node, y: Node) -> Node | None:
    """x + (-0.0) = x;  x + x = 2·x;  x + (-y) = x - y,  (-x) + y = y - x."""
    if x is y and is_float(node):
        return w.like(node, "multiply", x, 2.0)
    value = number(y)
    if value is not None and is_float(node) and is_zero(value, -1.0) and alike(x, node):
        return x
    if is_negated(y):
        return w.like(node, "subtract", x, y.inputs[0])
    return w.like(node, "subtract", y, x.inputs[0]) if is_negated(x) else None


def minus(w: Draft, node: Node, x: Node, y: Node) -> Node | None:
    """x - 0.0 = x;  x - (-y) = x + y."""
    value = number(y)
    if value is not None and is_float(node) and is_zero(value, 1.0) and alike(x, node):
        return x
    return w.like(node, "add", x, y.inputs[0]) if is_negated(y) else None


def times(w: Draft, node: Node, x: Node, y: Node) -> Node | None:
    """x·1 = x,  x·(-1) = -x,  (x·2ⁿ)·c = x·(2ⁿ·c) where n >= 0 and |c| >= 1;  (-x)·c = x·(-c).

    (-x)·y = x·(-y) = -(x·y), where -x is as large as the product, so that it may meet a sum. With
    n < 0 a denormal would be rounded twice, with |c| < 1 the first product might overflow.
    """
    if not is_float(node):
        return None
    value = number(y)
    if value is None:
        return drawn_out(w, node, x, y) if "negative" in (x.op, y.op) else None
    if abs(value) == 1 and alike(x, node):
        return x if value == 1 else w.like(node, "negative", x)
    if is_negated(x):
        return w.like(node, "multiply", x.inputs[0], -value)
    if x.op == "multiply" and abs(value) >= 1 and alike(x.inputs[0], node):
        power = number(x.inputs[1])
        if is_power_of_two(power, node.dtype) and abs(power) >= 1:
            product = float(power) * float(value)
            if node.dtype.itemsize <= 8 and abs(product) <= float(np.finfo(node.dtype).max):
                return w.like(node, "multiply", x.inputs[0], product)
    return None


def over(w: Draft, node: Node, x: Node, y: Node) -> Node | None:
    """x/1 = x,  x/(-1) = -x,  x/2ⁿ = x·2⁻ⁿ;  (-x)/c = x/(-c);  (-x)/y = x/(-y) = -(x/y)."""
    if not is_float(node) or not is_float(x):
        return None
    value = number(y)
    if value is None:
        return drawn_out(w, node, x, y) if "negative" in (x.op, y.op) else None
    if abs(value) == 1 and alike(x, node):
        return x if value == 1 else w.like(node, "negative", x)
    if is_power_of_two(value, node.dtype):
        return w.like(node, "multiply", x, 1 / value)
    return w.like(node, "divide", x.inputs[0], -value) if is_negated(x) else None


def drawn_out(w: Draft, node: Node, x: Node, y: Node) -> Node | None:
    """A product or quotient with the sign of a factor of its own shape in front of it."""
    for i, factor in enumerate((x, y)):
        if is_negated(factor) and factor.shape == node.shape:
            pair = (factor.inputs[0], y) if i == 0 else (x, factor.inputs[0])
            return w.like(node, "negative", w.like(node, node.op, *pair))
    return None


def minus_itself(w: Draft, node: Node, x: Node) -> Node | None:
    """-(-x) = x;  -(x·c) = x·(-c),  -(x/c) = x/(-c),  -(s·x) = (-s)·x  for a smaller s."""
    if not is_float(node):
        return None
    if is_negated(x):
        return x.inputs[0]
    if x.op in ("multiply", "divide"):
        a, b = x.inputs
        for i, factor in enumerate((b, a)):
            value = number(factor)
            if value is not None or (factor.shape != node.shape and is_float(factor)):
                # An integer as a float, as unsigned arrays are not divided by negative integers.
                turned = w.like(factor, "negative", factor) if value is None else -1.0 * value
                return w.like(node, x.op, *((turned, b) if i else (a, turned)))
    return None


def bounded(bound: float) -> Law:
    """max(x, -∞) = x or min(x, ∞) = x, NaN included."""

    def law(w: Draft, node: Node, x: Node, y: Node) -> Node | None:
        return x if number(y) == bound and is_float(node) and alike(x, node) else None

    return law


def decided(w: Draft, node: Node, mask: Node, x: Node, y: Node) -> Node | None:
    """where(True, x, y) = x,  where(False, x, y) = y,  where(mask, x, x) = x."""
    taken = x
    if mask.op == "constant":
        taken = x if mask.params["value"] else y
        taken = taken if taken.weak or taken.dtype != node.dtype else w.fill(taken, node.shape)
    elif x is not y:
        return None
    return taken if alike(taken, node) else None


def cast_once(w: Draft, node: Node, x: Node) -> Node | None:
    """A cast to the same dtype is none;  one to a wider float and on is one."""
    if alike(x, node):
        return x
    if x.op == "astype" and is_float(x) and is_float(x.inputs[0]) and not x.inputs[0].weak:
        source = x.inputs[0]
        if np.can_cast(source.dtype, x.dtype):
            return w.like(node, "astype", source, dtype=node.dtype)
    return None


# Laws of moves, of any dtype


def unmoved(w: Draft, node: Node, x: Node) -> Node | None:
    """Elements that are all one number can be moved about: what remains is a fill."""
    if x.op == "broadcast_to" and not x.inputs[0].shape and not x.inputs[0].weak:
        return w.fill(x.inputs[0], node.shape)
    return None


def reshaped(w: Draft, node: Node, x: Node) -> Node | None:
    """reshape(reshape x) = reshape x, and x itself where that is its shape."""
    if x.shape == node.shape:
        return x if alike(x, node) else None
    if x.op == "reshape" or node.params["shape"] != node.shape:
        return w.like(node, "reshape", x.inputs[0] if x.op == "reshape" else x, shape=node.shape)
    return None


def permuted(w: Draft, node: Node, x: Node) -> Node | None:
    """permute(permute x) = permute x, and x itself in the order that it has."""
    axes = tuple([operator.index(a) % x.ndim for a in node.params["axes"]])
    if axes == tuple(range(x.ndim)):
        return x if alike(x, node) else None
    if x.op == "permute_dims":
        inner = x.params["axes"]
        return w.like(node, "permute_dims", x.inputs[0], axes=tuple([inner[a] for a in axes]))
    return None if axes == node.params["axes"] else w.like(node, "permute_dims", x, axes=axes)


def repeated(w: Draft, node: Node, x: Node) -> Node | None:
    """broadcast(broadcast x) = broadcast x, and x itself where that is its shape."""
    if x.shape == node.shape:
        return x if alike(x, node) else None
    if x.weak:
        if x.op != "constant":
            return None
        x = w.graph.constant(node.dtype.type(x.params["value"]))
    elif x.op == "broadcast_to" and not x.inputs[0].weak:
        x = x.inputs[0]
    elif node.params["shape"] == node.shape:
        return None
    return w.like(node, "broadcast_to", x, shape=node.shape)


class Pick(NamedTuple):
    """What a basic index does to one axis: a slice of `length`, an integer (length None), or new.

    A new axis, of length one, has the axis None. Element k of a slice is element start + k·step.
    """

    axis: int | None
    start: int = 0
    step: int = 1
    length: int | None = 1


def basic_index(shape: tuple[int, ...], index: Any) -> list[Pick] | None:
    """An index in canonical form: a `Pick` for every axis of `shape` and every new one, in order.

    None where it is no basic index: slices, integers, `...` and `None` are.

    >>> basic_index((5, 3), (slice(None, None, -2), None, ...))
    [Pick(axis=0, start=4, step=-2, length=3), Pick(axis=None, start=0, step=1, length=1), \
Pick(axis=1, start=0, step=1, length=3)]
    """
    items = index if type(index) is tuple else (index,)
    items = tuple([int(i) if isinstance(i, np.integer) else i for i in items])
    if not is_basic(items):
        return None
    rest = [slice(None)] * (len(shape) - sum([i is not None and i is not Ellipsis for i in items]))
    place = items.index(Ellipsis) if Ellipsis in items else len(items)
    picks, axis = [], 0
    for item in (*items[:place], *rest, *items[place + 1 :]):
        if item is None:
            picks.append(Pick(None))
            continue
        picks.append(picked(axis, shape[axis], item))
        axis += 1
    return picks


def picked(axis: int, n: int, item: Any) -> Pick:
    """What a slice or an integer does to an axis of length n."""
    if type(item) is int:
        return Pick(axis, item % n, 1, None)
    start, stop, step = item.indices(n)
    length = len(range(start, stop, step))
    return Pick(axis, start if length else 0, step if length > 1 else 1, length)


def subscript(picks: Sequence[Pick]) -> tuple[Any, ...]:
    """The index that the picks are: explicit slices, integers that are not negative, None."""
    index: list[Any] = []
    for axis, start, step, length in picks:
        if axis is None or length is None:
            index.append(None if axis is None else start)
        else:
            stop = start + step * (length - 1) + (1 if step > 0 else -1)
            index.append(slice(start, stop if stop >= 0 else None, step))
    return tuple(index)


def lengths(picks: Sequence[Pick]) -> tuple[int, ...]:
    """The shape of what is picked."""
    return tuple([p.length for p in picks if p.length is not None])


def after(picks: Sequence[Pick], then: Sequence[Pick]) -> list[Pick] | None:
    """The picks of what `then` picks of what `picks` left.

    None where that is nothing of a new axis, which no one basic index says.
    """
    left = [p for p in picks if p.length is not None]
    dropped = [p for p in picks if p.length is None]
    found: list[Pick] = []
    for axis, start, step, length in then:
        if axis is None:
            found.append(Pick(None))
            continue
        own = left[axis]
        if own.axis is None:
            if length == 0:
                return None
            found += [own] * (length == 1)
        elif length is None:
            dropped.append(own._replace(start=own.start + own.step * start, step=1, length=None))
        else:
            start = own.start + own.step * start if length else 0
            found.append(Pick(own.axis, start, own.step * step if length > 1 else 1, length))
    joint: list[Pick] = []
    dropped.sort()
    for pick in found:
        while pick.axis is not None and dropped and dropped[0].axis < pick.axis:  # type: ignore[operator]
            joint.append(dropped.pop(0))
        joint.append(pick)
    return joint + dropped


def is_whole(shape: tuple[int, ...], picks: Sequence[Pick]) -> bool:
    """True where everything is picked, in order, and no axis added."""
    return [*picks] == [Pick(i, 0, 1, n) for i, n in enumerate(shape)]


def indexed(w: Draft, node: Node, x: Node) -> Node | None:
    """x[i][j] = x[k], and x itself where all is picked; a basic index becomes canonical."""
    picks = basic_index(x.shape, node.params["index"])
    if picks is None:
        return None
    if x.op == "getitem" and not x.inputs[0].weak:
        inner = basic_index(x.inputs[0].shape, x.params["index"])
        joint = None if inner is None else after(inner, picks)
        if joint is not None:
            return w.like(node, "getitem", x.inputs[0], index=subscript(joint))
    if is_whole(x.shape, picks):
        return x if alike(x, node) else None
    index = subscript(picks)
    if frozen(index) == frozen(node.params["index"]):
        return None
    return w.like(node, "getitem", x, index=index)


def embedded(w: Draft, node: Node, x: Node) -> Node | None:
    """Zeros with (zeros with x at j) at i are zeros with x at k; x itself where it fills them."""
    picks = basic_index(node.shape, node.params["index"])
    if picks is None:
        return None
    if x.op == "index_add" and x.shape == lengths(picks):
        inner = basic_index(x.shape, x.params["index"])
        joint = None if inner is None else after(picks, inner)
        if joint is not None:
            index = subscript(joint)
            return w.like(node, "index_add", x.inputs[0], shape=node.shape, index=index)
    if is_whole(node.shape, picks) and alike(x, node):
        return x
    index = subscript(picks)
    if frozen(index) == frozen(node.params["index"]) and node.params["shape"] == node.shape:
        return None
    return w.like(node, "index_add", x, shape=node.shape, index=index)


EACH: tuple[Law, ...] = (uniform,)
FOLD: Laws = {"each": EACH}
MOVES: Laws = {
    "each": (), "reshape": (unmoved, reshaped), "permute_dims": (unmoved, permuted),
    "broadcast_to": (unmoved, repeated), "getitem": (unmoved, indexed), "index_add": (embedded,),
    "flip": (unmoved,), "roll": (unmoved,), "diagonal": (unmoved,),
}  # fmt: skip
ALGEBRA: Laws = {
    "each": (), **dict.fromkeys(COMMUTATIVE, (ordered,)),
    "add": (ordered, plus), "subtract": (minus,), "multiply": (ordered, times), "divide": (over,),
    "negative": (minus_itself,), "maximum": (bounded(-math.inf),), "minimum": (bounded(math.inf),),
    "where": (decided,), "astype": (cast_once,),
}  # fmt: skip
