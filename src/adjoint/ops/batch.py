"""How an op carries a batch axis in front of its inputs: derived from its kind or declared.

A batching rule (op, args, batched, params) gets inputs of which those that are `batched` have one
more axis, the first, and returns the output with that axis first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.op import OPS, Op
from ..core.traced import shape
from ..errors import AxisError

Rule = Callable[[Op, list[Any], list[bool], dict[str, Any]], Any]


def aligned(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Elementwise: axes of length one after the batch axis, so the shapes broadcast as before."""
    ranks = [len(shape(a)) - b for a, b in zip(args, batched, strict=True)]
    rank = max(ranks)
    return op.call(
        *[
            lengthen(a, rank) if b and r < rank else a
            for a, b, r in zip(args, batched, ranks, strict=True)
        ],
        **params,
    )


def lengthen(a: Any, rank: int) -> Any:
    """A batched value with axes of length one in front of its own, `rank` of them in all."""
    n, *own = shape(a)
    return a if len(own) >= rank else OPS["reshape"].call(a, (n, *[1] * (rank - len(own)), *own))


def in_front(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """An op of one input along its last axis: all that precede are a batch already."""
    return op.call(*args, **params)


def as_it_is(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """An op on matrices in the last two axes: what precedes is a batch already.

    What the op makes of a vector, or how it refuses one, it is asked one at a time.
    """
    if len(shape(args[0])) < 3:
        return looped(op, args, batched, params)
    return op.call(*args, **params)


def shifted(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """An op along axes: they all move up by one."""
    rank = len(shape(args[0])) - 1
    axis = params["axis"]
    if axis is None:
        axis = tuple(range(1, rank + 1))
    elif isinstance(axis, tuple):
        axis = tuple([up(op, a, rank) for a in axis])
    elif not rank:  # NumPy lets some ops have an axis of a number
        return looped(op, args, batched, params)
    else:
        axis = up(op, axis, rank)
    return op.call(*args, **{**params, "axis": axis})


def up(op: Op, axis: int, rank: int) -> int:
    """`axis` of an example among the axes of the batch; `AxisError` where there is none."""
    if not -rank <= axis < rank:
        raise AxisError(
            f"`{op.name}` was given axis {axis}; its input has {rank} axes. "
            f"Use -{rank} ... {rank - 1}."
        )
    return axis % rank + 1


def in_a_row(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """An op along one axis that without an axis takes all elements in a row."""
    if params["axis"] is not None:
        return shifted(op, args, batched, params)
    n, *own = shape(args[0])
    row = OPS["reshape"].call(args[0], (n, int(np.prod(own))))
    out = op.call(row, **{**params, "axis": 1})
    if params.get("keepdims"):
        return OPS["reshape"].call(out, (n, *[1] * len(own)))
    return out if len(shape(out)) == 1 else OPS["reshape"].call(out, (n, *own))


def shaped(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """An op with a target shape: the batch axis goes before it."""
    target = params["shape"]
    target = tuple(target) if isinstance(target, (tuple, list)) else (target,)
    n, *own = shape(args[0])
    if -1 in target and op.name == "reshape":
        rest = int(np.prod([t for t in target if t != -1]))
        if not rest:  # NumPy refuses: any length would do
            return looped(op, args, batched, params)
        target = tuple([int(np.prod(own)) // rest if t == -1 else t for t in target])
    x = lengthen(args[0], len(target)) if op.name == "broadcast_to" else args[0]
    return op.call(x, **{**params, "shape": (n, *target)})


def matrices(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """A product of matrices: vectors become matrices of one row or column for the while."""
    ranks = [len(shape(a)) - b for a, b in zip(args, batched, strict=True)]
    x, y = args
    if 0 in ranks:  # a number is no matrix: the op says so
        return looped(op, args, batched, params)
    if ranks[0] == 1 and batched[0]:
        x = OPS["reshape"].call(x, (shape(x)[0], 1, shape(x)[1]))
    elif ranks[0] == 1:
        x = OPS["reshape"].call(x, (1, shape(x)[0]))
    if ranks[1] == 1:
        y = OPS["reshape"].call(y, (*shape(y), 1))
    rank = max(2, *ranks)
    x, y = (lengthen(a, rank) if b else a for a, b in zip((x, y), batched, strict=True))
    out = op.call(x, y, **params)
    if ranks[1] == 1:
        out = out[..., 0]
    return (
        out[..., 0, :] if ranks[0] == 1 and ranks[1] > 1 else out[..., 0] if ranks[0] == 1 else out
    )


def solving(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Linear systems: a vector on the right is a matrix of one column."""
    a, b = args
    if len(shape(a)) - batched[0] < 2:  # no matrix: the op says so
        return looped(op, args, batched, params)
    vector = len(shape(b)) - batched[1] == 1
    b = OPS["reshape"].call(b, (*shape(b), 1)) if vector else b
    rank = max(len(shape(v)) - k for v, k in zip((a, b), batched, strict=True))
    out = op.call(
        *[lengthen(v, rank) if k else v for v, k in zip((a, b), batched, strict=True)], **params
    )
    return out[..., 0] if vector else out


def joining(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Arrays joined: those that are not batched are repeated first."""
    n = next(shape(a)[0] for a, b in zip(args, batched, strict=True) if b)
    full = [
        a if b else OPS["broadcast_to"].call(a, (n, *shape(a)))
        for a, b in zip(args, batched, strict=True)
    ]
    return op.call(*full, axis=params["axis"] + 1)


def permuted(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Axes in another order: the batch axis stays in front."""
    rank = len(shape(args[0])) - 1
    return op.call(args[0], (0, *[up(op, a, rank) for a in params["axes"]]))


def indexed(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Indexing: all of the batch axis, then the index; where NumPy moves axes, they are put back.

    What an index picks out comes out, or goes in where the op has a target shape.
    """
    index = params["index"] if isinstance(params["index"], tuple) else (params["index"],)
    index = tuple([np.asarray(i) if isinstance(i, list) else i for i in index])
    more = {**params, "index": (slice(None), *index)}
    picks = [k for k, i in enumerate(index) if isinstance(i, PICKS)]
    width = 0
    if picks and picks[-1] - picks[0] + 1 != len(picks):
        width = len(np.broadcast_shapes(*map(picked_shape, [index[k] for k in picks])))
    if "shape" not in params:
        return moved(op.call(args[0], **more), width, 0)
    more["shape"] = (shape(args[0])[0], *params["shape"])
    return op.call(moved(args[0], 0, width), **more)


PICKS = (int, np.integer, np.bool_, np.ndarray)


def picked_shape(i: Any) -> tuple[int, ...]:
    """The shape of what an integer, an array or a mask in an index picks."""
    i = np.asarray(i)
    return (int(np.count_nonzero(i)),) if i.dtype == bool else i.shape


def gathering(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Elements at integers, or added at integers: an example's own number is one integer more.

    Where but one of the two inputs is batched, the other is shared by all.
    """
    (x, where), target = args, params.get("shape")
    n = shape(args[batched[1]])[0]
    k, *form = shape(where)[batched[1] :]
    if not batched[1]:
        if target is None:
            return moved(op.call(moved(x, 0, k), where), len(form), 0)
        target = (*target[:k], n, *target[k:])
        return moved(op.call(moved(x, 0, len(form)), where, target), k, 0)
    rows = moved(where, 0, 1)
    if target is None and not batched[0]:
        return op.call(x, rows)
    own = np.broadcast_to(np.arange(n).reshape(n, *[1] * len(form)), (1, n, *form))
    rows = OPS["joined"].call(own, rows, axis=0)
    if target is None:
        return op.call(x, rows)
    x = x if batched[0] else OPS["broadcast_to"].call(x, (n, *shape(x)))
    return op.call(x, rows, (n, *target))


def moved(x: Any, source: int, destination: int) -> Any:
    """x with one axis in another place."""
    if source == destination:
        return x
    order = list(range(len(shape(x))))
    order.insert(destination, order.pop(source))
    return OPS["permute_dims"].call(x, tuple(order))


def lettered(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Contractions: the batch axis is one more letter."""
    one = "terms" in params
    inputs, output = ((params["terms"][0],), params["terms"][1]) if one else params["subscripts"]
    used = {*output}.union(*inputs)
    z = next(c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba" if c not in used)
    terms = tuple([z + t if b else t for t, b in zip(inputs, batched, strict=True)])
    return (
        op.call(args[0], (terms[0], z + output))
        if one
        else op.call(*args, subscripts=(terms, z + output))
    )


def looped(op: Op, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """Any op, one example at a time: right for all, and slow."""
    n = next(shape(a)[0] for a, b in zip(args, batched, strict=True) if b)
    pairs = list(zip(args, batched, strict=True))
    outs = [op.call(*[a[i] if b else a for a, b in pairs], **params) for i in range(n)]
    if not n:  # of none, the shape is that of one
        ones = [np.ones(shape(a)[1:], a.dtype)[()] if b else a for a, b in pairs]
        outs = [op.call(*ones, **params)]
    if isinstance(outs[0], (tuple, list)):
        columns = [piled(column)[:n] for column in zip(*outs, strict=True)]
        return type(outs[0])(*columns) if hasattr(outs[0], "_fields") else type(outs[0])(columns)
    return piled(outs)[:n]


def piled(values: Sequence[Any]) -> Any:
    """Values of one shape along a new first axis."""
    return OPS["joined"].call(
        *[
            OPS["reshape"].call(np.asarray(v) if not hasattr(v, "shape") else v, (1, *shape(v)))
            for v in values
        ],
        axis=0,
    )


def usual(op: Op) -> Rule:
    """The batching rule that follows from the kind of an op."""
    if "axis" in op.params:
        return shifted
    if op.word in ("elementwise", "constant", "predicate"):
        return aligned
    return matrices if op.word == "bilinear" else looped
