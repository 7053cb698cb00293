"""vmap: a function of one example becomes a function of many, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backends.namespace import as_array
from ..core.batch import Batched
from ..core.op import next_level
from ..core.traced import Traced, shape, snapshot
from ..core.tree import children, flatten, outline
from ..errors import BatchError
from ..ops.shape import broadcast_to, concat, moveaxis
from .function import derived

Function = Callable[..., Any]


def vmap(
    f: Function, in_axes: Any = 0, out_axes: Any = 0, chunk_size: int | None = None
) -> Function:
    """`f` mapped over an axis of its arguments: vmap : (x -> y) -> (xs -> ys).

    in_axes : for each positional argument the axis to map over, None for one that all share; an
        integer for all, or a container that begins as the arguments do (keyword arguments: axis 0)
    out_axes : where the mapped axis goes in each output, in the same way
    chunk_size : at most so many at once, which bounds the memory

    f is called once, on values that stand for all examples together; each op carries the axis.
    Nests with itself and every other transform: `vmap(grad(f))` gives per-example gradients.
    Python's `if` on a mapped value is an error.

    >>> import adjoint as ad, numpy as np
    >>> ad.vmap(ad.grad(lambda x: x * x))(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """
    if chunk_size is not None and not (isinstance(chunk_size, int) and chunk_size > 0):
        raise BatchError(
            f"`vmap` needs a chunk_size of at least 1, or None; it was given {chunk_size!r}."
        )

    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, paths, rebuild = flatten((args, kwargs))
        axes = spread(in_axes, args, "in_axes", True) + spread(0, kwargs, "in_axes", False)
        size, leaves = front(leaves, axes, paths)
        if chunk_size is not None and size > chunk_size:
            return in_chunks(f, leaves, axes, rebuild, size, chunk_size, out_axes)
        return once(f, leaves, axes, rebuild, size, out_axes)

    return derived(mapped, "map", vmap, f, in_axes, out_axes, chunk_size)


def once(
    f: Function, leaves: Sequence[Any], axes: Sequence[Any], rebuild: Any, size: int, out_axes: Any
) -> Any:
    """f called on values that stand for all examples, their axis in front."""
    level = next_level()
    args, kwargs = rebuild(
        [x if a is None else Batched(x, level) for x, a in zip(leaves, axes, strict=True)]
    )
    ends, _, rebuild_out = flatten(out := f(*args, **kwargs))
    places = spread(out_axes, out, "out_axes", False)
    return rebuild_out([finished(o, level, size, a) for o, a in zip(ends, places, strict=True)])


def in_chunks(
    f: Function,
    leaves: Sequence[Any],
    axes: Sequence[Any],
    rebuild: Any,
    size: int,
    chunk: int,
    out_axes: Any,
) -> Any:
    """The same, `chunk` examples at a time."""
    parts = []
    for start in range(0, size, chunk):
        some = [
            x if a is None else x[start : start + chunk] for x, a in zip(leaves, axes, strict=True)
        ]
        parts.append(once(f, some, axes, rebuild, min(chunk, size - start), out_axes))
    ends = [flatten(p)[0] for p in parts]
    places = spread(out_axes, parts[0], "out_axes", False)
    joined = [
        column[0] if a is None else concat(column, a)
        for column, a in zip(zip(*ends, strict=True), places, strict=True)
    ]
    return flatten(parts[0])[2](joined)


def spread(axes: Any, tree: Any, what: str, positional: bool) -> list[Any]:
    """One axis for every leaf of `tree`, from a container `axes` that begins as `tree` does."""
    if axes is None or isinstance(axes, (int, np.integer)):
        return [axes] * len(flatten(tree)[0])
    if positional and isinstance(axes, list):
        axes = tuple(axes)
    mine, theirs = children(axes), children(tree)
    if type(axes) is type(tree) is dict and axes.keys() == tree.keys():
        mine = list(tree), [axes[key] for key in tree]
    if mine is None or theirs is None or mine[0] != theirs[0]:
        raise BatchError(
            f"`vmap` was given {what}={axes!r} for values of the structure {outline(tree)}; "
            "give an integer or None in the place of every leaf or of a whole container."
        )
    return [
        a
        for one, part in zip(mine[1], theirs[1], strict=True)
        for a in spread(one, part, what, False)
    ]


def front(
    leaves: Sequence[Any], axes: Sequence[Any], paths: Sequence[str]
) -> tuple[int, list[Any]]:
    """The length of the mapped axis, and the leaves with it in front."""
    moved: list[Any] = []
    sizes: dict[int, str] = {}
    for x, axis, path in zip(leaves, axes, paths, strict=True):
        if axis is None:
            moved.append(x)
            continue
        x = snapshot(x) if isinstance(x, Traced) else as_array(x, "vmap")
        rank, where = len(shape(x)), path[3:] or path
        if not -rank <= axis < rank:
            raise BatchError(
                f"`vmap` was asked to map axis {axis} of {where}, which has shape {shape(x)}."
            )
        moved.append(x if axis % rank == 0 else moveaxis(x, axis, 0))
        sizes.setdefault(shape(x)[axis], where)
    if len(sizes) != 1:
        found = (
            " and ".join(f"{n} at {where}" for n, where in sizes.items()) or "nothing to map over"
        )
        raise BatchError(
            f"`vmap` maps over axes of one length; it was given {found}. "
            "Say in_axes=None for what is not mapped."
        )
    return next(iter(sizes)), moved


def finished(out: Any, level: int, size: int, axis: Any) -> Any:
    """An output of the mapped function with the mapped axis where it belongs."""
    mapped = isinstance(out, Batched) and out.level == level
    if axis is None:
        if mapped:
            raise BatchError(
                "`vmap` was asked for an output that is not mapped, by out_axes=None; "
                "it depends on the mapped axis."
            )
        return out
    if not isinstance(out, Traced):
        out = as_array(out, "vmap")
    full = out.primal if mapped else broadcast_to(out, (size, *shape(out)))
    rank = len(shape(full))
    if not -rank <= axis < rank:
        raise BatchError(f"`vmap` was asked for out_axes={axis}; the output has {rank} axes.")
    return full if axis % rank == 0 else moveaxis(full, 0, axis)
