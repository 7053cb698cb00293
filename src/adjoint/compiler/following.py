"""A compiled function met by values that some mode remembers: its derivatives, compiled as well.

The innermost level is taken off, as everywhere. To a Tensor or a Dual the function is a custom one,
whose rules are compiled functions of their own; for many examples at once it is `vmap` of the
function, compiled. What those are called with may be remembered by outer levels: so to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backends.namespace import INEXACT
from ..core.batch import Batched
from ..core.traced import Traced, bottom
from ..core.tree import children, tree_map
from ..transforms.batching import vmap
from ..transforms.custom import custom
from ..transforms.derivatives import jvp, vjp

Function = Callable[..., Any]
HOLE = object()


class Follower:
    """Calls one compiled function with remembered values.

    rules   by the arguments around the arrays, the function with its derivatives
    maps    by these and by which arrays are batched, the function mapped
    """

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled
        self.rules: dict[Any, Function] = {}
        self.maps: dict[Any, Function] = {}

    def follow(self, leaves: Sequence[Any], rebuild: Function) -> Any:
        """The call with these leaves of the arguments, some of them remembered."""
        traced = [x for x in leaves if isinstance(x, Traced)]
        if any(isinstance(b := bottom(x), Traced) and b.staged for x in traced):
            args, kwargs = rebuild(leaves)  # another function is being traced: this is part of it
            return self.compiled.f(*args, **kwargs)
        level = max(x.level for x in traced)
        around = Around(leaves, rebuild)
        xs = [x for x in leaves if is_array(x)]
        batched = tuple([isinstance(x, Batched) and x.level == level for x in xs])
        if any(batched):
            return self.mapped(around, xs, batched, level)
        if around.key not in self.rules:
            self.rules[around.key] = self.differentiable(around)
        return self.rules[around.key](xs)

    def mapped(
        self, around: Around, xs: Sequence[Any], batched: tuple[bool, ...], level: int
    ) -> Any:
        """The call with values that stand for many."""
        key = around.key, batched
        if key not in self.maps:
            f = vmap(self.flat(around), in_axes=tuple([0 if b else None for b in batched]))
            self.maps[key] = self.relative(lambda *xs: f(*xs))
        out = self.maps[key](*[x.primal if b else x for x, b in zip(xs, batched, strict=True)])
        return tree_map(lambda o: Batched(o, level) if is_array(o) else o, out)

    def differentiable(self, around: Around) -> Function:
        """The function of its arrays, with derivatives."""
        flat = self.flat(around)

        def value(xs: Sequence[Any]) -> Any:
            args, kwargs = around.fill(xs)
            return self.compiled(*args, **kwargs)

        def pull(ct: Any, xs: Sequence[Any]) -> Any:
            live, whole = split(xs)
            backs = iter(vjp(lambda ds: flat(*whole(ds)), live)[1](ct)[0])
            return [next(backs) if is_inexact(x) else None for x in xs]

        def push(t: Any, xs: Sequence[Any]) -> Any:
            live, whole = split(xs)
            ways = [d for d, x in zip(t, xs, strict=True) if is_inexact(x)]
            return jvp(lambda ds: flat(*whole(ds)), (live,), (ways,))[1]

        value.__name__ = self.compiled.__name__
        pullback, pushforward = self.relative(pull), self.relative(push)
        return custom(
            value, vjp=lambda ct, xs: pullback(ct, xs), jvp=lambda t, xs: pushforward(t, xs)
        )

    def flat(self, around: Around) -> Function:
        """The function itself, of its arrays alone."""

        def flat(*xs: Any) -> Any:
            args, kwargs = around.fill(xs)
            return self.compiled.f(*args, **kwargs)

        return flat

    def relative(self, f: Function) -> Any:
        """A function made of this one, compiled alike, under its name.

        That it wraps the function tells the trace to watch what the function takes from outside.
        """
        one = self.compiled
        f.__name__, f.__wrapped__ = one.__name__, one.f  # type: ignore[attr-defined]
        made = type(one)(f, one.background, one.cache)
        made.said = one.said
        return made


class Around:
    """The arguments of a call around its arrays.

    key   equal for equal surroundings; objects that are compared by identity are held
    """

    def __init__(self, leaves: Sequence[Any], rebuild: Function) -> None:
        self.leaves = [HOLE if is_array(x) else x for x in leaves]
        self.rebuild = rebuild
        self.key = kind_of(rebuild(self.leaves))

    def fill(self, xs: Sequence[Any]) -> Any:
        """The positional and the keyword arguments around these arrays."""
        given = iter(xs)
        return self.rebuild([next(given) if x is HOLE else x for x in self.leaves])


def kind_of(x: Any) -> Any:
    """What a plan depends on in an argument: layouts of arrays, values of what is baked in."""
    kind = type(x)
    if kind is np.ndarray:
        return x.dtype, x.shape, x.strides
    if kind is float or kind is complex or isinstance(x, np.generic):
        return kind
    if kind in (tuple, list):
        return kind, *map(kind_of, x)
    if kind is dict:
        return kind, *[(k, kind_of(v)) for k, v in x.items()]
    if kind in (int, bool, str, bytes, type(None)):
        return kind, x
    parts = children(x)
    return (kind, id(x)) if parts is None else (kind, *map(kind_of, parts[1]))


def split(xs: Sequence[Any]) -> tuple[list[Any], Function]:
    """The leaves that can be differentiated, and how new ones go between the others."""
    live = [is_inexact(x) for x in xs]

    def whole(ds: Sequence[Any]) -> list[Any]:
        given = iter(ds)
        return [next(given) if m else x for x, m in zip(xs, live, strict=True)]

    return [x for x, m in zip(xs, live, strict=True) if m], whole


def is_array(x: Any) -> bool:
    """True for what becomes an input of a program."""
    return isinstance(x, (Traced, np.ndarray, np.generic)) or type(x) in (float, complex)


def is_inexact(x: Any) -> bool:
    """True for leaves of real and complex numbers."""
    return type(x) in (float, complex) or x.dtype.char in INEXACT
