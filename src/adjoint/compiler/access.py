"""Where an element comes from: the arithmetic of views, boxes, and what is joined or padded.

A value of a loop is asked for *at* affine functions of the loop's index, one for each of its axes.
An axis of length one is asked for at `ORIGIN`, so that equal places are equal tuples.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from .graph import Node


class Affine(NamedTuple):
    """offset + Σ factor · index[axis] over `terms` (axis, factor), by axis; no factor is 0."""

    offset: int
    terms: tuple[tuple[int, int], ...] = ()


ORIGIN = Affine(0)
NEVER = (ORIGIN, 1, 1)
Place = tuple[Affine, ...]
Box = tuple[tuple[int, int], ...]


class Region(NamedTuple):
    """One of the values that a node is made of: `child` at `place`, where all conditions hold.

    conditions   (e, start, stop): start <= e < stop
    """

    conditions: tuple[tuple[Affine, int, int], ...]
    child: Node
    place: Place


class Picked(NamedTuple):
    """What a basic index does to one axis: elements start, start + step, ... become axis `out`."""

    start: int
    step: int
    length: int
    out: int | None


def affine(offset: int, terms: dict[int, int]) -> Affine:
    """The canonical form."""
    return Affine(offset, tuple([(k, f) for k, f in sorted(terms.items()) if f]))


def scaled(e: Affine, factor: int, offset: int = 0) -> Affine:
    """factor · e + offset."""
    if factor == 1:
        return Affine(e.offset + offset, e.terms)
    return Affine(e.offset * factor + offset, tuple([(k, f * factor) for k, f in e.terms]))


def total(parts: Sequence[tuple[Affine, int]]) -> Affine:
    """Σ factor · e over pairs (e, factor)."""
    offset, terms = 0, dict[int, int]()
    for e, factor in parts:
        offset += e.offset * factor
        for k, f in e.terms:
            terms[k] = terms.get(k, 0) + f * factor
    return affine(offset, terms)


def span(e: Affine, box: Box) -> tuple[int, int]:
    """The smallest and the largest value in a box that is not empty."""
    low = high = e.offset
    for k, f in e.terms:
        first, last = box[k][0] * f, (box[k][1] - 1) * f
        low, high = (low + first, high + last) if f > 0 else (low + last, high + first)
    return low, high


def holds(e: Affine, start: int, stop: int, box: Box) -> bool | None:
    """Whether start <= e < stop in the whole box, nowhere (False), or in a part of it (None)."""
    low, high = span(e, box)
    if start <= low and high < stop:
        return True
    return False if high < start or low >= stop else None


def cuts(e: Affine, start: int, stop: int, box: Box) -> tuple[int, list[int]]:
    """The axis, and the places along it, where a condition on one index begins and ends to hold."""
    ((k, f),) = e.terms
    ends = []
    for bound in (start, stop):
        at = -((e.offset - bound) // f) if f > 0 else (e.offset - bound) // -f + 1
        if box[k][0] < at < box[k][1]:
            ends.append(at)
    return k, ends


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """The elements from one index to the next along each axis of a contiguous array."""
    return (*reversed(list(accumulate(shape[:0:-1], operator.mul, initial=1))),) if shape else ()


def squeezed(shape: Sequence[int]) -> tuple[int, ...]:
    """`shape` without the axes of length one: the loop over such an array."""
    return tuple([n for n in shape if n != 1])


def everywhere(shape: Sequence[int]) -> Place:
    """The place of each element in the loop over its own array."""
    place, axis = [], 0
    for n in shape:
        place.append(ORIGIN if n == 1 else Affine(0, ((axis, 1),)))
        axis += n != 1
    return tuple(place)


def operand(place: Place, shape: Sequence[int]) -> Place:
    """The place in an input that is broadcast to what is asked for at `place`."""
    return tuple(
        [
            ORIGIN if n == 1 else e
            for n, e in zip(shape, place[len(place) - len(shape) :], strict=True)
        ]
    )


def digits(e: Affine, shape: Sequence[int], box: Box) -> Place | None:
    """The place at which element number e of an array stands; None where that is not affine."""
    terms: list[dict[int, int]] = [{} for _ in shape]
    strides = strides_of(shape)
    for k, f in e.terms:
        if box[k][1] - box[k][0] > 0:
            fits = [d for d, s in enumerate(strides) if s <= abs(f) and shape[d] > 1]
            if not fits or f % strides[fits[0]]:
                return None
            terms[fits[0]][k] = f // strides[fits[0]]
    parts = [affine(0, t) for t in terms]
    spans = [span(p, box) for p in parts]
    rest = e.offset + sum(low * s for (low, _), s in zip(spans, strides, strict=True))
    place = []
    for p, (low, high), n, s in zip(parts, spans, shape, strides, strict=True):
        first, rest = divmod(rest, s)
        if not 0 <= first <= n - 1 - (high - low):
            return None
        place.append(ORIGIN if n == 1 else Affine(first - low, p.terms))
    return tuple(place)


def flat(place: Place, shape: Sequence[int]) -> Affine:
    """The number of an element in C order."""
    return total(list(zip(place, strides_of(shape), strict=True)))


def address(place: Place, strides: Sequence[int], rank: int) -> tuple[int, list[int]]:
    """Offset and steps, by axis of a loop of that rank, of the elements at a place."""
    offset, steps = 0, [0] * rank
    for e, stride in zip(place, strides, strict=True):
        offset += e.offset * stride
        for k, factor in e.terms:
            steps[k] += factor * stride
    return offset, steps


def picked(shape: Sequence[int], index: Any) -> list[Picked]:
    """What a basic index does to each axis of an array."""
    parts = list(index) if type(index) is tuple else [index]
    dots = next((k for k, i in enumerate(parts) if i is Ellipsis), len(parts))
    rest = len(shape) - sum(i is not None and i is not Ellipsis for i in parts)
    parts[dots : dots + 1] = [slice(None)] * rest
    found: list[Picked] = []
    out = 0
    for i in parts:
        if i is None:
            out += 1
        elif isinstance(i, slice):
            start, stop, step = i.indices(shape[len(found)])
            found.append(Picked(start, step, len(range(start, stop, step)), out))
            out += 1
        else:
            n = shape[len(found)]
            found.append(Picked(operator.index(i) % n, 1, 1, None))
    return found


# Views: each a function (node, place of an element of the node, box) -> its place in the input.


def reshaped(node: Node, place: Place, box: Box) -> Place | None:
    """The place before a reshape, where that is affine."""
    shape = node.inputs[0].shape
    if squeezed(shape) == squeezed(node.shape):
        kept = iter([e for e, n in zip(place, node.shape, strict=True) if n != 1])
        return tuple([ORIGIN if n == 1 else next(kept) for n in shape])
    return digits(flat(place, node.shape), shape, box)


def permuted(node: Node, place: Place, box: Box) -> Place:
    """The place before the axes were permuted."""
    back = list(place)
    for e, a in zip(place, node.params["axes"], strict=True):
        back[a] = e
    return tuple(back)


def transposed(node: Node, place: Place, box: Box) -> Place:
    """The place before the last two axes were exchanged."""
    return (*place[:-2], place[-1], place[-2])


def repeated(node: Node, place: Place, box: Box) -> Place:
    """The place before broadcasting."""
    return operand(place, node.inputs[0].shape)


def turned(node: Node, place: Place, box: Box) -> Place:
    """The place before axes were reversed."""
    axes = axes_of(node.params.get("axis"), node.ndim)
    return tuple(
        [
            scaled(e, -1, n - 1) if k in axes and n != 1 else e
            for k, (e, n) in enumerate(zip(place, node.shape, strict=True))
        ]
    )


def indexed(node: Node, place: Place, box: Box) -> Place:
    """The place before a basic index."""
    shape = node.inputs[0].shape
    return tuple(
        [
            ORIGIN if n == 1 else scaled(ORIGIN if p.out is None else place[p.out], p.step, p.start)
            for n, p in zip(shape, picked(shape, node.params["index"]), strict=True)
        ]
    )


def on_diagonal(node: Node, place: Place, box: Box) -> Place:
    """The place of an element of the diagonal in its matrix."""
    k, e = node.params.get("offset", 0), place[-1]
    pair = (scaled(e, 1, max(-k, 0)), scaled(e, 1, max(k, 0)))
    rows = node.inputs[0].shape[-2:]
    return (*place[:-1], *[ORIGIN if n == 1 else i for i, n in zip(pair, rows, strict=True)])


def windowed(node: Node, place: Place, box: Box) -> Place:
    """The place of an element of a window in the array that the windows lie over."""
    rank = node.inputs[0].ndim
    axis = node.params.get("axis")
    axes = range(rank) if axis is None else axis if isinstance(axis, (tuple, list)) else [axis]
    back = list(place[:rank])
    for a, e in zip(axes, place[rank:], strict=True):
        back[a % rank] = total([(back[a % rank], 1), (e, 1)])
    return tuple(back)


def unmoved(node: Node, place: Place, box: Box) -> Place:
    """The same place."""
    return place


VIEWS: dict[str, Callable[[Node, Place, Box], Place | None]] = dict(
    reshape=reshaped, permute_dims=permuted, matrix_transpose=transposed, broadcast_to=repeated,
    spread=repeated, flip=turned, getitem=indexed, diagonal=on_diagonal,
    sliding_window_view=windowed, behind=unmoved, positive=unmoved, real=unmoved, conj=unmoved,
)  # fmt: skip


# What is put together: functions (node, place) -> regions, the first that holds counts, else 0.


def embedded(node: Node, shape: Sequence[int], place: Place, child: Node) -> Region:
    """The region of `shape` that a basic index picks, and what stands there."""
    conditions, back = [], [ORIGIN] * (max(child.ndim, 1) + node.ndim)
    for e, n, p in zip(place, shape, picked(shape, node.params["index"]), strict=True):
        last = p.start + (p.length - 1) * p.step
        low, high = min(p.start, last), max(p.start, last) + 1
        if not p.length:
            conditions.append(NEVER)
        elif (low, high) != (0, n):
            conditions.append((e, low, high))
        if p.out is not None and p.length > 1:
            back[p.out] = scaled(e, p.step, -p.start * p.step)
    outs = index_rank(shape, node.params["index"])
    return Region(tuple(conditions), child, operand(tuple(back[:outs]), child.shape))


def index_rank(shape: Sequence[int], index: Any) -> int:
    """How many axes x[index] has."""
    parts = index if type(index) is tuple else (index,)
    new = sum(i is None for i in parts)
    return new + sum(p.out is not None for p in picked(shape, index))


def padded(node: Node, place: Place) -> list[Region]:
    """`index_add`: the input where the index picks, zeros elsewhere."""
    return [embedded(node, node.shape, place, node.inputs[0])]


def overwritten(node: Node, place: Place) -> list[Region]:
    """`setitem`: what was written where the index picks, the array elsewhere."""
    x, y = node.inputs
    return [embedded(node, node.shape, place, y), Region((), x, place)]


def in_turn(node: Node, place: Place) -> list[Region]:
    """`joined`: each input in its stretch of the axis."""
    axis, start, found = node.params["axis"], 0, []
    for x in node.inputs:
        n = x.shape[axis]
        e = ORIGIN if n == 1 else scaled(place[axis], 1, -start)
        back = (*place[:axis], e, *place[axis + 1 :])
        found.append(Region(((place[axis], start, start + n),), x, back))
        start += n
    return found


def rolled(node: Node, place: Place) -> list[Region]:
    """`roll` along one axis: the last elements first."""
    axis = (node.params.get("axis") or 0) % node.ndim
    n = node.shape[axis]
    by = node.params["shift"] % n
    e, child = place[axis], node.inputs[0]

    def moved(shift: int) -> Place:
        return (*place[:axis], ORIGIN if n == 1 else scaled(e, 1, shift), *place[axis + 1 :])

    return [Region(((e, by, n),), child, moved(-by)), Region((), child, moved(n - by))]


REGIONS: dict[str, Callable[[Node, Place], list[Region]]] = dict(
    index_add=padded, setitem=overwritten, joined=in_turn, roll=rolled
)


class Band(NamedTuple):
    """A node that is `child` at `place` where low <= e <= high and all conditions hold, else 0."""

    e: Affine
    low: int | None
    high: int | None
    region: Region


def lower(node: Node, place: Place) -> Band:
    """`tril`: columns up to k places right of the diagonal."""
    e = total([(place[-1], 1), (place[-2], -1)])
    return Band(e, None, node.params.get("k", 0), whole(node, place))


def upper(node: Node, place: Place) -> Band:
    """`triu`: columns from k places right of the diagonal."""
    e = total([(place[-1], 1), (place[-2], -1)])
    return Band(e, node.params.get("k", 0), None, whole(node, place))


def whole(node: Node, place: Place) -> Region:
    """The input of a triangle; a vector is every row of it."""
    return Region((), node.inputs[0], operand(place, node.inputs[0].shape))


def diagonal(node: Node, place: Place) -> Band:
    """`embed_diagonal`: the input along the diagonal of the last two axes."""
    (child,), k = node.inputs, node.params.get("offset", 0)
    row, n = place[-2], child.shape[-1]
    e = total([(place[-1], 1), (row, -1)])
    start = max(-k, 0)
    at = ORIGIN if n == 1 else scaled(row, 1, -start)
    inside = () if n == node.shape[-2] else ((row, start, start + n),)
    return Band(e, k, k, Region(inside, child, (*place[:-2], at)))


BANDS: dict[str, Callable[[Node, Place], Band]] = dict(
    tril=lower, triu=upper, embed_diagonal=diagonal
)


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes that a parameter `axis` names, counted from the front and sorted."""
    if axis is None or not rank:  # NumPy lets a number have the axis 0
        return tuple(range(rank))
    return tuple(sorted([a % rank for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]))
