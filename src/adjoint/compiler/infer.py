"""What an op makes of shapes and dtypes: by formula where that is easy, else by asking the op.

The dtype of an elementwise op is what its forward makes of one element; the answer is remembered.
Any other op without a formula here is run on arrays of ones that take no memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..backends.namespace import NUMPY, SLICING, is_basic
from ..core.op import OPS, Op
from ..ops.rules import kept_shape
from .graph import Node, frozen

Shape = tuple[int, ...]
PLAIN = frozenset((float, int, complex, bool))
BROADCASTING = frozenset(("elementwise", "constant"))
COMPARISONS = frozenset(
    "equal not_equal less less_equal greater greater_equal isfinite isinf isnan signbit "
    "logical_and logical_or logical_not logical_xor isposinf isneginf isreal iscomplex isclose "
    "binary_exponent as_position".split()
)
"""Predicates of each element."""
FOLDS = frozenset("sum mean all any count_nonzero argmax argmin".split())
"""Ops with `axis` and `keepdims` that are no `reduction` by declaration."""
SAME = frozenset("flip roll real imag conj astype tril triu running_sum still".split())
"""Ops whose output has the shape of its input."""
BY_VALUE = frozenset(("argwhere", "distinct"))
"""Ops the shape of whose output depends on values."""
SEEING = frozenset(("adjoint.ops.matrix_functions", "adjoint.ops.polynomial"))
"""Files of ops whose dtype depends on values: a root may be complex."""
ARITHMETIC = frozenset("add subtract multiply divide pow negative".split())
"""What of Python numbers is a Python number again."""
LIMIT = 4096
BYTE = np.dtype(np.int8)
DTYPES: dict[Any, Any] = {}
KNOWN: dict[Any, Type] = {}


class Type(NamedTuple):
    """What an op makes: `kind` is None of one array, else list, tuple or a namedtuple."""

    shape: Any
    dtype: Any
    weak: bool = False
    kind: Any = None


class Refused(Exception):
    """Types alone do not tell: the op depends on values, or it does not take such inputs."""


def infer(name: str, inputs: Sequence[Node], params: dict[str, Any]) -> Type:
    """The type of op `name` applied to `inputs`; `Refused` where that depends on values.

    >>> from adjoint.compiler.graph import Graph
    >>> x = Graph().input((2, 3), "float32")
    >>> infer("multiply", [x, x], {})
    Type(shape=(2, 3), dtype=dtype('float32'), weak=False, kind=None)
    """
    op = OPS[name]
    if op.word in BROADCASTING or name in COMPARISONS:
        return element(op, inputs, params)
    if name in BY_VALUE or op.forward.__module__ in SEEING:
        raise Refused(name)
    formula = FORMULAS.get(name) or (fold if op.word == "reduction" else None)
    if formula is not None:
        found = formula(op, inputs, params)
        if found is not None:
            return found
    return asked(op, inputs, params)


def typed(node: Node) -> tuple[Any, Any]:
    """The shape and dtype of a node by its op and its inputs, as `Graph.check` asks for them.

    Of a node that only values tell of, what it says itself.
    """
    if node.op == "item":
        (whole,), index = node.inputs, node.params["index"]
        return whole.shape[index], whole.dtype[index]
    try:
        return infer(node.op, node.inputs, node.params)[:2]
    except Refused:
        return node.shape, node.dtype


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The shape that arrays of these shapes broadcast to."""
    first = shapes[0]
    for other in shapes[1:]:
        if other != first:
            if not other:
                continue
            if first:
                try:
                    return np.broadcast_shapes(*shapes)
                except ValueError as error:
                    raise Refused(str(error)) from error
            first = other
    return first


def picked(shape: Shape, index: Any) -> Shape:
    """The shape of what an index picks of an array."""
    try:
        return one(BYTE, shape)[index].shape
    except IndexError as error:
        raise Refused(str(error)) from error


def element(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type:
    """The type of an elementwise op."""
    key = (op.name, *[mark(x) if x.weak else (x.shape, x.dtype) for x in inputs])
    if params:
        key += (frozen(params),)
    found = KNOWN.get(key)
    if found is None:
        shape = broadcast([x.shape for x in inputs])
        out = forward(op, [number(x) if x.weak else one(x.dtype, (1,)) for x in inputs], params)
        weak = op.name in ARITHMETIC and all(x.weak for x in inputs)
        found = known(key, Type(shape, np.asarray(out).dtype, weak))
    return found


def mark(x: Node) -> Any:
    """What a dtype depends on of a Python number: of an integer its value, which may not fit."""
    if x.op == "constant" and x.dtype.kind == "i":
        return int, x.params["value"]
    return x.dtype, "weak"


def number(x: Node) -> Any:
    """A Python number like `x`."""
    return x.params["value"] if x.op == "constant" else x.dtype.type(1).item()


def one(dtype: Any, shape: Shape) -> Any:
    """Ones that take the memory of one; a number of shape ()."""
    if not shape:
        return dtype.type(1)
    return np.ndarray(shape, dtype, np.ones(1, dtype), strides=(0,) * len(shape))


def forward(op: Op, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """The op's own function, whatever the values are like."""
    with unnoticed():
        try:
            return op.forward(NUMPY, *args, **params)
        except Exception as error:
            raise Refused(op.name) from error


@contextmanager
def unnoticed() -> Iterator[None]:
    """A block in which nothing is said of values that are only an example."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def asked(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type:
    """The type of what the op makes of ones."""
    arrays = any(holds_array(p) for p in params.values())
    key = None if arrays else (op.name, *[(x.shape, x.dtype) for x in inputs], frozen(params))
    found = None if key is None else KNOWN.get(key)
    if found is not None:
        return found
    try:
        out = forward(op, [one(x.dtype, x.shape) for x in inputs], params)
    except Refused:
        out = forward(op, [regular(x.dtype, x.shape) for x in inputs], params)
    found = type_of(out)
    return found if key is None else known(key, found)


def known(key: Any, found: Type) -> Type:
    """Keep an answer, which is the same for the same key."""
    if len(KNOWN) >= LIMIT:
        KNOWN.clear()
    KNOWN[key] = found
    return found


def regular(dtype: Any, shape: Shape) -> Any:
    """Square matrices with an inverse, of the memory of one; ones where they are not square."""
    if len(shape) < 2 or shape[-1] != shape[-2]:
        return one(dtype, shape)
    return np.broadcast_to(np.eye(shape[-1], dtype=dtype), shape)


def type_of(out: Any) -> Type:
    """The type of arrays that an op has made."""
    if isinstance(out, (tuple, list)):
        parts = [np.asarray(o) for o in out]
        return Type(
            tuple([p.shape for p in parts]), tuple([p.dtype for p in parts]), False, type(out)
        )
    out = np.asarray(out)
    return Type(out.shape, out.dtype)


def holds_array(p: Any) -> bool:
    """True for a parameter that is told apart by identity alone."""
    if type(p) in (tuple, list):
        return any(map(holds_array, p))
    return isinstance(p, np.ndarray)


def fold(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """A reduction: the shape without the folded axes; the dtype as of one element."""
    (x,) = inputs
    if 0 in x.shape:
        return None
    axis = params["axis"]
    key = (op.name, "fold", x.dtype, len(x.shape), frozen(params))
    if key not in DTYPES:
        DTYPES[key] = np.asarray(forward(op, [one(x.dtype, (1,) * len(x.shape))], params)).dtype
    kept = kept_shape(x.shape, axis)
    if not params["keepdims"]:
        if axis is None or not x.shape:
            kept = ()
        else:
            axes = {a % len(x.shape) for a in (axis if type(axis) is tuple else (axis,))}
            kept = tuple([n for i, n in enumerate(kept) if i not in axes])
    return Type(kept, DTYPES[key])


def same(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """The shape of the input, and the dtype that the op makes of one element."""
    (x,) = inputs
    if not x.shape or (len(x.shape) < 2 and op.name in ("tril", "triu")):
        return None
    key = (op.name, "same", x.dtype, len(x.shape), frozen(params))
    if key not in DTYPES:
        DTYPES[key] = np.asarray(forward(op, [one(x.dtype, (1,) * len(x.shape))], params)).dtype
    return Type(x.shape, DTYPES[key])


def reshaped(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`reshape`: the target, its -1 worked out."""
    (x,), shape = inputs, params["shape"]
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if not all(type(n) is int for n in shape):
        return None
    if -1 in shape:
        rest = -prod(shape)
        if rest <= 0 or shape.count(-1) > 1 or x.size % rest:
            return None
        shape = tuple([x.size // rest if n == -1 else n for n in shape])
    return Type(shape, x.dtype) if prod(shape) == x.size and min(shape, default=0) >= 0 else None


def permuted(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`permute_dims`."""
    (x,), axes = inputs, params["axes"]
    if sorted([a % max(len(x.shape), 1) for a in axes]) != [*range(len(x.shape))]:
        return None
    return Type(tuple([x.shape[a] for a in axes]), x.dtype)


def swapped(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`matrix_transpose`."""
    shape = inputs[0].shape
    return Type((*shape[:-2], shape[-1], shape[-2]), inputs[0].dtype) if len(shape) > 1 else None


def repeated(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`broadcast_to` and `spread`."""
    (x,), shape = inputs, params["shape"]
    if type(shape) is not tuple or not all(type(n) is int for n in shape):
        return None
    fits = zip(x.shape[::-1], shape[::-1], strict=False)
    if len(x.shape) > len(shape) or not all(n in (1, m) for n, m in fits):
        return None
    return Type(shape, x.dtype)


def joined(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`joined`: the lengths along the axis add up."""
    shapes, axis = [x.shape for x in inputs], params["axis"]
    rank = len(shapes[0])
    if type(axis) is not int or not -rank <= axis < rank:
        return None
    axis %= rank
    rests = {(*s[:axis], *s[axis + 1 :]) for s in shapes}
    if len(rests) > 1 or any(len(s) != rank for s in shapes):
        return None
    (rest,) = rests
    total = sum([s[axis] for s in shapes])
    return Type((*rest[:axis], total, *rest[axis:]), np.result_type(*[x.dtype for x in inputs]))


def got(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type:
    """`getitem`: NumPy says what an index picks."""
    (x,), index = inputs, params["index"]
    shape = x.shape
    if type(index) is int and shape and -shape[0] <= index < shape[0]:
        return Type(shape[1:], x.dtype)
    return Type(picked(shape, index), x.dtype)


def put_in(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`setitem`: the shape and dtype of what is written into, if the rest fits."""
    x, y = inputs
    if y.dtype.kind == "c" and x.dtype.kind != "c":
        return None
    hole = picked(x.shape, params["index"]) if x.shape else ()
    rank = len(y.shape) - len(hole)
    own = y.shape[max(rank, 0) :]
    fits = zip(own[::-1], hole[::-1], strict=False)
    if set(y.shape[: max(rank, 0)]) - {1} or not all(n in (1, m) for n, m in fits):
        return None
    return Type(x.shape, x.dtype)


def added(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`index_add`: the shape it is told, if the index is a slice of it that x fills."""
    (x,), shape, index = inputs, tuple(params["shape"]), params["index"]
    if not (type(index) in SLICING or is_basic(index)):
        return None
    return Type(shape, x.dtype) if picked(shape, index) == x.shape else None


def gathered(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`gather`: the form of the integers, then the axes they leave."""
    x, where = inputs
    if not where.shape or len(x.shape) < where.shape[0]:
        return None
    return Type((*where.shape[1:], *x.shape[where.shape[0] :]), x.dtype)


def scattered(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type:
    """`scatter_add`: the shape it is told."""
    return Type(tuple(params["shape"]), inputs[0].dtype)


def product(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`matmul`."""
    x, y = inputs
    if not x.shape or not y.shape or x.shape[-1] != y.shape[-2 if len(y.shape) > 1 else -1]:
        return None
    lead = broadcast([x.shape[:-2], y.shape[:-2]])
    key = ("matmul", x.dtype, y.dtype)
    if key not in DTYPES:
        DTYPES[key] = forward(op, [one(a.dtype, (1, 1)) for a in inputs], params).dtype
    shape = (*lead, *x.shape[-2:-1], *(y.shape[-1:] if len(y.shape) > 1 else ()))
    return Type(shape, DTYPES[key])


def contracted(op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type | None:
    """`contract` and `rearranged`: a length for each letter."""
    one_term = "terms" in params
    terms, output = (
        ((params["terms"][0],), params["terms"][1]) if one_term else params["subscripts"]
    )
    lengths: dict[str, int] = {}
    for term, x in zip(terms, inputs, strict=True):
        if len(term) != len(x.shape):
            return None
        for letter, n in zip(term, x.shape, strict=True):
            if lengths.setdefault(letter, n) != n:
                return None
    if not set(output) <= set(lengths):
        return None
    key = (op.name, *[x.dtype for x in inputs], frozen(params))
    if key not in DTYPES:
        small = [one(x.dtype, (1,) * len(x.shape)) for x in inputs]
        DTYPES[key] = np.asarray(forward(op, small, params)).dtype
    return Type(tuple([lengths[letter] for letter in output]), DTYPES[key])


FORMULAS: dict[str, Callable[[Op, Sequence[Node], dict[str, Any]], Type | None]] = {
    **dict.fromkeys(FOLDS, fold),
    **dict.fromkeys(SAME, same),
    "reshape": reshaped, "permute_dims": permuted, "matrix_transpose": swapped,
    "broadcast_to": repeated, "spread": repeated, "joined": joined, "getitem": got,
    "setitem": put_in, "index_add": added, "gather": gathered, "scatter_add": scattered,
    "matmul": product, "contract": contracted, "rearranged": contracted,
}  # fmt: skip
"""By name, the type of an op's output; None where the op is to be asked, or is to refuse."""
