"""Views and writes: which values show the same elements, and what a write does to all of them.

Arrays are never written to here: a value that is written to takes on another array and another
history, and so do all views of the same elements, as NumPy's would show the change. The tape and
the user's own arrays keep what they had.

A view points to the value whose elements it shows (`source`, strong, as `ndarray.base` is), and
that value points back (`views`, weak). A write goes up to the value that shows all the elements,
by the rule that each op with `write` declares, and down again to every view that is alive.

Pointing back costs a quarter of a slice, and most programs never write. So it begins with the first
write of the process, which looks for all views there are; that takes some milliseconds, once.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ShapeError
from .op import Op
from .tensor import LEAF, PAUSED, Tensor, paused
from .traced import Traced, shape

MANY = 32
WRITTEN: list[bool] = []
"""Not empty once something was written to."""


def look(view: Any, of: Any) -> None:
    """Let `of` know that `view` was made of its elements."""
    try:
        views = of.views
    except AttributeError:
        of.views = [weakref.ref(view)]
        return
    if len(views) >= MANY and not len(views) & (len(views) - 1):
        views[:] = [v for v in views if v() is not None]
    views.append(weakref.ref(view))


def looked(view: Any, of: Any, op: Op, params: tuple[Any, ...]) -> Any:
    """`view`, which remembers that `op` made it from `of`, if it is a value of some mode."""
    if isinstance(of, Traced) and isinstance(view, Traced) and view.ndim:
        view.source = (of, op, *params)
        if WRITTEN:
            look(view, of)
    return view


def start_writing() -> None:
    """From now on views are known to what they show; those that there are already are sought."""
    WRITTEN.append(True)
    gc.unfreeze()
    for view in [o for o in gc.get_objects() if isinstance(o, Traced) and hasattr(o, "source")]:
        look(view, view.source[0])


def source_of(view: Any) -> Any:
    """(of, op, params) of a view, None for what shows no elements of another value."""
    source = getattr(view, "source", None)
    if source is None:
        return None
    of, op, *params = source
    return (of, op, tuple(params)) if op.write and op.shows(view, of, *params) else None


def write(t: Any, value: Any) -> None:
    """Let `t` and all that shows its elements have those of `value`, which is of its shape."""
    if shape(value) != t.shape:
        raise ShapeError(f"a value of shape {shape(value)} cannot be written into one of {t.shape}")
    changes = [(t, value)]
    while (source := source_of(t)) is not None:
        t, op, params = source
        changes.append((t, value := op.write(t, value, *params)))
    if is_updated(t, value):
        if type(t.primal) is np.ndarray:
            t.primal[...] = value.primal
        else:
            t.data = value.primal
        return
    if not WRITTEN:
        start_writing()
    views = list(shown(t))
    for each, new in changes:
        become(each, new)
    for view in views:
        of, op, *params = view.source
        become(view, op.call(of, *params))


def is_updated(t: Any, value: Any) -> bool:
    """True for a variable of the user's under `no_grad`: it takes `value` in its own array."""
    if not (PAUSED and t.level == value.level == 0 and paused(0) and isinstance(t, Tensor)):
        return False
    return t.node is not None and t.node[1] is LEAF


def become(t: Any, value: Any) -> None:
    """Give `t` the mode, the elements and the history of `value`, a value of some mode."""
    if hasattr(t, "tap"):
        del t.tap
    t.__class__ = type(value)
    t.primal, t.level, t.node = value.primal, value.level, value.node


def shown(t: Any) -> Iterator[Any]:
    """Every view of the elements of `t` that is alive, each before the views of it."""
    for reference in tuple(getattr(t, "views", ())):
        view = reference()
        if view is not None and source_of(view) is not None:
            yield view
            yield from shown(view)
