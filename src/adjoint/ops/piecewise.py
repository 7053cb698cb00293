"""One of several values for each element, and some of the elements: choices by truth and number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backends.namespace import NUMBERS
from ..core.traced import Traced
from ..core.traced import shape as shape_of
from ..errors import DataError, ShapeError
from .constant import logical_not, logical_or
from .elementwise import where
from .index import index_add, take, take_along_axis
from .shape import broadcast_arrays, broadcast_to, known, memory, ravel, reshape, stack


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each element the choice that belongs to the first condition that is true, or `default`.

    All choices are computed; see `where` on poles among them.

    >>> x = np.array([-2.0, 0.5, 3.0])
    >>> ad.grad(lambda x: ad.select([x < 0, x < 1], [-x, x * x], 1.0).sum())(x)
    array([-1.,  1.,  0.])
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ShapeError(
            f"`select` needs a choice for each condition; it was given {len(condlist)} conditions "
            f"and {len(choicelist)} choices."
        )
    values = [v if type(v) in NUMBERS else known(v) for v in (default, *choicelist[::-1])]
    dtype = np.result_type(*[v.dtype if hasattr(v, "dtype") else v for v in values])
    out, *rest = [v if hasattr(v, "dtype") else dtype.type(v) for v in values]
    for condition, choice in zip(condlist[::-1], rest, strict=True):
        mask = known(condition)
        if mask.dtype.kind != "b":
            raise DataError(f"`select` needs conditions of truth values; one has {mask.dtype}.")
        out = where(mask, choice, out)
    return out


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Functions, or values, each where its condition is true; the last true one counts, else 0.

    One function more than there are conditions is for where none is true. A function sees only the
    elements x[condition], so a pole elsewhere does no harm. Inside `vmap`, with conditions that are
    mapped, it sees all of x, and is chosen by `where`.

    >>> x = np.array([0.0, 4.0])
    >>> ad.grad(lambda x: ad.piecewise(x, [x > 0], [ad.sqrt, 0.0]).sum())(x)
    array([0.  , 0.25])
    """
    x = known(x)
    masks = conditions(x, condlist, len(funclist))
    if any(isinstance(mask, Traced) for mask in masks):
        out = np.zeros(shape_of(x), x.dtype)
        for mask, f in zip(masks, funclist, strict=True):
            out = where(mask, f(x, *args, **kw) if callable(f) else f, out)
        return out
    form = shape_of(x) or (1,)
    row = reshape(x, form)
    taken, terms = np.zeros(form, bool), []
    for mask, f in [*zip(masks, funclist, strict=True)][::-1]:
        mask = np.broadcast_to(mask, form)
        own, taken = mask & ~taken, mask | taken
        if own.any():
            value = known(f(row[mask], *args, **kw) if callable(f) else f)
            picked = value[own[mask]] if shape_of(value) else broadcast_to(value, (own.sum(),))
            picked = picked if isinstance(picked, Traced) else picked.astype(x.dtype)
            terms.append(index_add(picked, form, own))
    out = terms[0] if terms else index_add(row[taken], form, taken)
    for term in terms[1:]:
        out = out + term
    return reshape(out, shape_of(x))


def conditions(x: Any, condlist: Any, functions: int) -> list[Any]:
    """The conditions of `piecewise` one by one, if need be with that for where none is true."""
    rows = isinstance(condlist, (list, tuple)) or shape_of(condlist)
    if not rows or (
        shape_of(x) and not isinstance(condlist[0], list) and not shape_of(condlist[0])
    ):
        condlist = [condlist]
    masks = [known(mask) for mask in condlist]
    if functions == len(masks) + 1:
        some = masks[0]
        for mask in masks[1:]:
            some = logical_or(some, mask)
        masks.append(logical_not(some))
    if functions != len(masks):
        raise ShapeError(
            f"`piecewise` with {len(masks)} conditions takes {len(masks)} functions, or one more; "
            f"it was given {functions}."
        )
    return masks


def choose(a: Any, choices: Sequence[Any], mode: str = "raise") -> Any:
    """For each element the choice of that number: y[i] = choices[a[i]][i], all of them broadcast.

    mode : for numbers out of range "raise", "wrap" (modulo), or "clip" (the nearest)

    >>> ad.choose(np.array([1, 0]), [np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    array([3., 2.])
    """
    if mode not in ("raise", "wrap", "clip"):
        raise DataError(f"`choose` has the modes 'raise', 'wrap' and 'clip'; not {mode!r}.")
    number: Any
    number, *full = broadcast_arrays(known(a), *choices)
    n = len(full)
    if number.dtype.kind not in "iub":
        raise DataError(f"`choose` needs integers to choose by; it was given {number.dtype}.")
    number = number if isinstance(number, Traced) else number.astype(np.intp)
    if mode == "raise":
        raw = np.asarray(memory(number))
        if ((raw < 0) | (raw >= n)).any():
            raise ShapeError(
                f"`choose` among {n} choices was given a number out of 0 ... {n - 1}. "
                "The modes 'wrap' and 'clip' allow it."
            )
    elif mode == "wrap":
        number = number % n
    else:
        number = where(number < 0, 0, where(number >= n, n - 1, number))
    index = reshape(number, (1, *shape_of(number)))
    return take_along_axis(stack(full), index, 0)[0]


def compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    """The slices along `axis` whose `condition` is true, or, with None, of all elements in a row.

    >>> ad.compress([False, True], np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    array([[3., 4.]])
    """
    a = known(a)
    picked = np.asarray(condition)
    if picked.ndim != 1:
        raise ShapeError(
            f"`compress` needs a condition with one axis; it was given shape {picked.shape}."
        )
    return take(
        ravel(a) if axis is None else a, np.flatnonzero(picked), 0 if axis is None else axis
    )


def extract(condition: Any, arr: Any) -> Any:
    """The elements whose `condition` is true, in a row.

    >>> x = np.array([1.0, 2.0, 3.0])
    >>> ad.grad(lambda x: ad.extract(x > 1, x).prod())(x)
    array([0., 3., 2.])
    """
    return compress(ravel(condition), arr)


__all__ = ["choose", "compress", "extract", "piecewise", "select"]
