"""Padding in each of NumPy's modes: a margin for each side, joined axis after axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.traced import Traced
from ..core.traced import shape as shape_of
from ..errors import DataError, ShapeError
from .creation import copy
from .index import index_add, take
from .order import median
from .reduce import max as largest
from .reduce import mean
from .reduce import min as least
from .shape import broadcast_to, flip, joined, known, reshape

KEYWORDS = dict(
    constant="constant_values", linear_ramp="end_values", maximum="stat_length",
    mean="stat_length", median="stat_length", minimum="stat_length", reflect="reflect_type",
    symmetric="reflect_type", edge="", empty="", wrap="",
)  # fmt: skip


def pad(array: Any, pad_width: Any, mode: str = "constant", **kwargs: Any) -> Any:
    """An array with margins: `pad_width` elements before and after it along each axis.

    pad_width : one number, (before, after), one such pair for each axis, or a dict {axis: pair}
    mode : "constant", with `constant_values` (0); "linear_ramp", to `end_values` (0); "edge";
        "maximum", "minimum", "mean", "median" of the outermost `stat_length` elements (all);
        "reflect", "symmetric", with `reflect_type` "even" or "odd"; "wrap"; "empty", which is zeros

    `constant_values` and `end_values` may be tracked, and are given as `pad_width` is. Later axes
    pad what earlier ones have padded.

    >>> ad.pad(np.array([1.0, 2.0, 3.0]), (1, 2), "reflect")
    array([2., 1., 2., 3., 2., 1.])
    >>> ad.grad(lambda x: ad.pad(x, 2, "edge").sum())(np.array([1.0, 2.0, 3.0]))
    array([3., 1., 3.])
    """
    array = known(array)
    if callable(mode):
        raise DataError(
            "`pad` by a function writes into the padded array, which no tape can see. "
            "Pad with a mode, or join the margins with `concat`."
        )
    if mode not in KEYWORDS:
        raise DataError(f"`pad` has the modes {', '.join(sorted(KEYWORDS))}; not {mode!r}.")
    if unknown := kwargs.keys() - {KEYWORDS[mode]}:
        raise TypeError(f"`pad` in mode {mode!r} has no parameter {', '.join(sorted(unknown))}.")
    sides = widths(pad_width, len(shape_of(array)))
    if not any(map(any, sides)):
        return copy(array)
    if mode == "empty" or (mode == "constant" and plain_zero(kwargs.get("constant_values", 0))):
        own = shape_of(array)
        whole = tuple([b + n + a for n, (b, a) in zip(own, sides, strict=True)])
        inner = tuple([slice(b, b + n) for n, (b, _) in zip(own, sides, strict=True)])
        return index_add(array, whole, inner)
    margin = prepared(mode, len(sides), **kwargs)
    for axis, (before, after) in enumerate(sides):
        if not before and not after:
            continue
        if mode != "constant" and shape_of(array)[axis] == 0:
            raise ShapeError(
                f"`pad` in mode {mode!r} has no element to go by along axis {axis}: the shape is "
                f"{shape_of(array)}. Use the mode 'constant'."
            )
        parts = [margin(array, before, axis, 0)] if before else []
        parts.append(array)
        if after:
            parts.append(flip(margin(flip(array, axis), after, axis, 1), axis))
        array = joined(*parts, axis=axis)
    return array


def plain_zero(values: Any) -> bool:
    """True where a margin of `values` is what an array of zeros has."""
    return not isinstance(values, Traced) and type(values) in (int, float) and values == 0


def widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """How many elements go before and after, for each axis."""
    if isinstance(pad_width, dict):
        pairs = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            pairs[axis] = (width, width) if np.ndim(width) == 0 else tuple(width)
        pad_width = pairs
    given = np.asarray(pad_width)
    if given.dtype.kind not in "iu":
        raise TypeError(f"`pad` needs integers for `pad_width`; it was given {pad_width!r}.")
    if (given < 0).any():
        raise ShapeError(f"`pad` cannot pad by {pad_width}: a width is negative. Slice instead.")
    return [(int(b), int(a)) for b, a in pairs_of(given, ndim, "pad_width")]


def pairs_of(values: Any, ndim: int, name: str) -> Any:
    """`values` as one pair for each axis."""
    have = shape_of(values)
    try:
        fits = np.broadcast_shapes(have, (ndim, 2)) == (ndim, 2)
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"`pad` needs for `{name}` one value, a pair, or a pair for each of {ndim} axes; "
            f"it was given shape {have}."
        )
    return values if have == (ndim, 2) else broadcast_to(values, (ndim, 2))


def prepared(mode: str, ndim: int, **kwargs: Any) -> Callable[[Any, int, int, int], Any]:
    """The function margin(x, width, axis, side): what stands before x along an axis.

    After x stands, reversed, what would stand before x reversed.
    """
    if mode in ("reflect", "symmetric"):
        kind = kwargs.get("reflect_type", "even")
        if kind not in ("even", "odd"):
            raise DataError(f"`pad` reflects 'even' or 'odd'; `reflect_type` was {kind!r}.")
        inside = int(mode == "reflect")
        return lambda x, width, axis, side: mirrored(x, width, axis, inside, kind == "odd")
    if mode == "wrap":
        return lambda x, width, axis, side: take(x, np.arange(-width, 0) % shape_of(x)[axis], axis)
    if mode == "edge":
        return lambda x, width, axis, side: plateau(x, width, axis, first(x, axis, 1))
    if mode in ("constant", "linear_ramp"):
        values = pairs_of(known(kwargs.get(KEYWORDS[mode], 0)), ndim, KEYWORDS[mode])
        form = plateau if mode == "constant" else ramp
        return lambda x, width, axis, side: form(x, width, axis, values[axis, side])
    lengths = kwargs.get("stat_length")
    fold = dict(maximum=largest, minimum=least, mean=mean, median=median)[mode]
    if lengths is None:
        return lambda x, width, axis, side: plateau(x, width, axis, fold(x, axis, True), np.round)
    most = pairs_of(np.asarray(lengths), ndim, "stat_length")
    if (most < 1).any():
        raise ShapeError(f"`pad` by the {mode} of no element; `stat_length` was {lengths}.")
    return lambda x, width, axis, side: plateau(
        x, width, axis, fold(first(x, axis, int(most[axis, side])), axis, True), np.round
    )


def first(x: Any, axis: int, n: int, start: int = 0) -> Any:
    """The first n elements of x along an axis, or n from `start` on."""
    return x[(slice(None),) * axis + (slice(start, start + n),)]


def plateau(
    x: Any, width: int, axis: int, value: Any, whole: Callable[[Any], Any] = np.asarray
) -> Any:
    """A margin of one value along an axis."""
    own = shape_of(x)
    return broadcast_to(as_in(value, x, whole), (*own[:axis], width, *own[axis + 1 :]))


def mirrored(x: Any, width: int, axis: int, inside: int, odd: bool) -> Any:
    """The margin that mirrors x, again and again: about its edge (`inside`), or with it."""
    if inside and shape_of(x)[axis] == 1:
        return plateau(x, width, axis, x)
    whole, missing = x, width
    while missing > 0:
        n = shape_of(whole)[axis] - inside
        more = flip(first(whole, axis, n if n < missing else missing, inside), axis)
        whole = joined(2 * first(whole, axis, 1) - more if odd else more, whole, axis=axis)
        missing -= n
    return first(whole, axis, width)


def ramp(x: Any, width: int, axis: int, end: Any) -> Any:
    """A margin that begins with `end` and rises evenly towards the edge of x."""
    end = end if x.dtype.kind in "iu" else as_in(end, x)
    i = np.arange(width, dtype=np.result_type(x.dtype, np.float16))
    places = reshape(i, (width, *[1] * (len(shape_of(x)) - axis - 1)))
    return as_in(places * ((first(x, axis, 1) - end) / width) + end, x, np.floor)


def as_in(value: Any, x: Any, whole: Callable[[Any], Any] = np.asarray) -> Any:
    """A plain `value` in the dtype of x, made `whole` where that is integers."""
    if isinstance(value, Traced) or value.dtype == x.dtype:
        return value
    return (whole(value) if x.dtype.kind in "iu" else np.asarray(value)).astype(x.dtype)


__all__ = ["pad"]
