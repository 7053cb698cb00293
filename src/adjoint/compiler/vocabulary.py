"""What each op is to the scheduler: a map, a view, a fold, ..., or a call of the backend.

Loops know real numbers of NumPy's native dtypes and the ops that `lanes` and `vector_math` can
emit; whatever else there is runs by the backend's own function.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..backends.namespace import is_basic
from ..core.op import OPS
from .access import BANDS, REGIONS, VIEWS, axes_of, picked
from .emit import Builder, Value, lane_kind
from .graph import Node
from .lanes import LANES
from .vector_math import VECTOR_MATH

NATIVE = frozenset("?bhilqBHILQfd")
FOLDS = frozenset(("sum", "prod", "max", "min", "any", "all"))
TRUTH = frozenset(("any", "all", "logical_and", "logical_or", "logical_not", "logical_xor"))
BOOL = np.dtype(bool)
# Arithmetic in units of an addition; what is not listed costs one.
WEIGHTS = dict.fromkeys(
    "divide reciprocal sqrt remainder fmod floor_divide".split(), 8
) | dict.fromkeys("pow atan2 gamma gammaln logaddexp".split(), 50)
HEAVY = 25


def kinds_of(nodes: Iterable[Node], size: int) -> tuple[list[str], list[tuple[np.dtype, ...]]]:
    """By node id what a node is, see `kind_of`, and the dtypes that a map takes its inputs in."""
    kinds = [""] * size
    dtypes: list[tuple[np.dtype, ...]] = [()] * size
    types = [0] * size
    names: dict[Any, int] = {}
    known: dict[Any, tuple[str, tuple[np.dtype, ...]]] = {}
    for node in nodes:
        whole = node.op == "constant" and node.dtype.kind == "i"  # it may not fit
        name = (node.dtype, node.weak, node.params["value"] if whole else None)
        types[node.id] = own = names.setdefault(name, len(names))
        key = (node.op, own, *[types[x.id] for x in node.inputs])
        simple = not node.params and node.op not in FOLDS
        found = known.get(key) if simple else None
        if found is None:
            kind = kind_of(node)
            found = kind, wanted(node) if kind == "map" else ()
            if simple:
                known[key] = found
        kinds[node.id], dtypes[node.id] = found
    return kinds, dtypes


def is_native(node: Node) -> bool:
    """True of one array whose elements a loop can load."""
    return isinstance(node.dtype, np.dtype) and node.dtype.char in NATIVE and node.dtype.isnative


def kind_of(node: Node) -> str:
    """leaf, number, map, view, regions, band, fold, item or call."""
    op = node.op
    if op in ("input", "capture"):
        return "leaf"
    if op in ("constant", "item"):
        return "number" if op == "constant" else "item"
    if op in VIEWS and viewed(node):
        return "view"
    if not is_native(node) or not all(is_native(x) for x in node.inputs):
        return "call"
    if op in REGIONS:
        return "regions" if contiguous_regions(node) else "call"
    if op in BANDS:
        return "band"
    if op in FOLDS:
        x, axes = node.inputs[0], folded_axes(node)
        return "fold" if any(x.shape[a] != 1 for a in axes) or not x.size else "map"
    if op == "astype" or (op in OPS and fits(node)):
        return "map"
    return "call"


def viewed(node: Node) -> bool:
    """Whether a node of an op of `VIEWS` shows elements of its input as they are."""
    x = node.inputs[0]
    if node.op == "getitem":
        return is_basic(node.params["index"])
    return node.op not in ("real", "conj") or x.dtype.kind != "c"


def contiguous_regions(node: Node) -> bool:
    """Whether a node of an op of `REGIONS` is made of boxes without gaps."""
    if node.op == "joined":
        return True
    if node.op == "roll":
        axis = node.params.get("axis")
        return type(node.params["shift"]) is int and (type(axis) is int or node.ndim == 1)
    index = node.params["index"]
    return is_basic(index) and all(
        abs(p.step) == 1 or p.length < 2 for p in picked(node.shape, index)
    )


def folded_axes(node: Node) -> tuple[int, ...]:
    """The axes that a fold folds."""
    return axes_of(node.params.get("axis"), node.inputs[0].ndim)


def fits(node: Node) -> bool:
    """Whether a loop can compute an elementwise node exactly as NumPy does."""
    if (node.op not in LANES and node.op not in VECTOR_MATH) or node.params:
        return False
    dtypes = wanted(node)
    whole = all(x.dtype.kind in "iu" for x in node.inputs)
    if whole and node.dtype.kind == "b" and dtypes[0].kind == "f":
        return False  # NumPy compares integers with and without sign exactly
    for x, dtype in zip(node.inputs, dtypes, strict=True):
        if dtype.char not in NATIVE:
            return False
        if x.weak and dtype.kind in "iu" and not holds_number(x, dtype):
            return False
    return supported(node.op, dtypes, node.dtype)


def holds_number(x: Node, dtype: np.dtype) -> bool:
    """Whether an integer dtype can hold a Python number."""
    if x.op != "constant":
        return x.dtype.kind == "b"
    info = np.iinfo(dtype)
    return info.min <= int(x.params["value"]) <= info.max


def wanted(node: Node) -> tuple[np.dtype, ...]:
    """The dtypes that a map takes its inputs in."""
    return converted(node.op, tuple([(x.dtype, x.weak) for x in node.inputs]), node.dtype)


@functools.lru_cache(4096)
def converted(
    op: str, types: tuple[tuple[np.dtype, bool], ...], dtype: np.dtype
) -> tuple[np.dtype, ...]:
    """The dtypes by NumPy's promotion: of the result, or of all inputs of a predicate together."""
    n = len(types)
    if op in TRUTH:
        return (BOOL,) * n
    if op == "where":
        return (BOOL, *(dtype,) * (n - 1))
    if op == "astype" or op in FOLDS:
        return (dtype,) * n
    if OPS[op].word != "predicate":
        return (dtype,) * n
    examples = [t.type(0).item() if weak else t for t, weak in types]
    return (np.result_type(*examples),) * n


@functools.lru_cache(4096)
def supported(op: str, dtypes: tuple[np.dtype, ...], dtype: np.dtype) -> bool:
    """Whether `op` of these dtypes can be emitted, and makes `dtype`."""
    builder = Builder(1)
    emit = LANES.get(op) or VECTOR_MATH[op]
    args = [Value(f"%x{i}", lane_kind(d)) for i, d in enumerate(dtypes)]
    try:
        return emit(builder, *args).kind == lane_kind(dtype)
    except (KeyError, ValueError, TypeError, AttributeError, NotImplementedError):
        return False


def weight(node: Node) -> int:
    """What one element of a map costs."""
    return WEIGHTS.get(node.op) or (HEAVY if node.op in VECTOR_MATH else 1)


def constant_in(value: Any, dtype: np.dtype) -> Any:
    """A number as a Python number that `dtype` holds exactly."""
    with np.errstate(all="ignore"):
        return np.asarray(value).astype(dtype).item()
