"""NumPy's own functions on our values: `np.sin(t)`, `np.linalg.solve(a, t)`, `array * t`.

NumPy hands a call with a Traced value among its arguments to `__array_ufunc__` or
`__array_function__`. Both look for adjoint's function of the same name and room. What of NumPy's
parameters that function lacks is done around it: `out=`, `where=`, `dtype=`, `initial=`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from itertools import takewhile
from typing import Any

import numpy as np

from ..core.batch import Batched
from ..core.op import OPS
from ..core.tensor import Tensor
from ..core.traced import Traced
from ..core.tree import flatten, tree_map
from ..errors import DataError, NoRuleError
from . import ufuncs, writing
from .around import AROUND, around
from .methods import METHODS
from .names import face

Function = Callable[..., Any]
IGNORED = frozenset(
    ("casting", "device", "kind", "like", "optimize", "order", "overwrite_input", "subok")
)
"""Parameters that change how a value is computed or kept, and not what it is."""

STRAIGHT = ([(-2, -1)] * 3, [(-1,), (-2, -1), (-1,)])
"""The `axes` that `array @= t` gives `np.matmul`: those it has anyhow."""

BITWISE = dict(
    bitwise_and="logical_and",
    bitwise_or="logical_or",
    bitwise_xor="not_equal",
    invert="logical_not",
)

FORMAL = frozenset(
    "can_cast common_type diag_indices_from einsum_path iscomplexobj isrealobj ndim result_type "
    "shape size tril_indices_from triu_indices_from".split()
)
"""Functions of shapes and dtypes alone."""

PLAIN = frozenset(
    "allclose argpartition argwhere array2string array_equal array_equiv array_repr array_str "
    "count_nonzero digitize flatnonzero isclose iscomplex isin isneginf isposinf isreal ix_ "
    "lexsort may_share_memory min_scalar_type nonzero searchsorted shares_memory".split()
)
"""Functions whose result does not move: they are asked of plain values."""


def __array_ufunc__(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """A ufunc of Traced values, or its `reduce`, `accumulate`, `outer`, `at`, `reduceat`."""
    function = of_ufunc(ufunc)
    if function is None:
        return untracked(getattr(ufunc, method), ufunc.__name__, inputs, kwargs)
    if method != "__call__":
        return ufuncs.METHODS[method](function, ufunc, *inputs, **kwargs)
    if not kwargs:
        return function(*inputs)
    extras = {k: kwargs.pop(k) for k in AROUND if k in kwargs}
    if ufunc is np.matmul and kwargs.get("axes") in STRAIGHT:
        del kwargs["axes"]
    kwargs = {k: v for k, v in kwargs.items() if k not in IGNORED}
    for param, value in kwargs.items():
        if param not in inspect.signature(function).parameters:
            raise unknown(ufunc.__name__, param, value, function)
    return around(function, ufunc.__name__, inputs, kwargs, extras)


def unknown(name: str, param: str, value: Any, ours: Function) -> DataError:
    """What a parameter of NumPy's says that adjoint's function lacks."""
    return DataError(
        f"`np.{name}` of a Tensor was given {param}={value!r}, which adjoint does not know; "
        f"its own has {', '.join(inspect.signature(ours).parameters)}."
    )


@functools.cache
def of_ufunc(ufunc: Any) -> Any:
    """The function that stands for `ufunc`, one of NumPy's or of SciPy's special functions."""
    name = ufunc.__name__
    if name in BITWISE:
        return functools.partial(of_truth, face("", BITWISE[name]), name)
    return face("" if getattr(np, name, None) is ufunc else "special", name)


def of_truth(function: Function, name: str, *values: Any) -> Any:
    """`&`, `|`, `^` and `~` of truth values: an array stands on the left, ours on the right."""
    for x in values:
        if (x.dtype.kind if hasattr(x, "dtype") else np.asarray(x).dtype.kind) != "b":
            raise NoRuleError(
                f"`np.{name}` of numbers has no derivative; `&`, `|` take truth values."
            )
    return function(*values)


def __array_function__(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """A function of NumPy's that is no ufunc, with Traced values among its arguments."""
    return of_function(function)(args, kwargs)


@functools.cache
def of_function(theirs: Any) -> Function:
    """What to do with the arguments of NumPy's function `theirs`."""
    room = theirs.__module__.removeprefix("numpy").removeprefix(".")
    name = theirs.__name__
    if room == "" and name in writing.FUNCTIONS:
        return lambda args, kwargs: writing.FUNCTIONS[name](*args, **kwargs)
    ours = face("" if room.startswith("lib") else room, name)
    if ours is not None:
        return Adapter(name, theirs, ONE_TRIANGLE[name](ours) if name in ONE_TRIANGLE else ours)
    if name in FORMAL or name in PLAIN:
        view = form if name in FORMAL else plain
        return lambda args, kwargs: theirs(*tree_map(view, args), **tree_map(view, kwargs))
    return lambda args, kwargs: untracked(theirs, name, args, kwargs)


def lower(cholesky: Function) -> Function:
    """`cholesky` of the matrix that one triangle of its argument stands for."""

    def of_triangle(a: Any, upper: bool = False) -> Any:
        half = OPS["triu" if upper else "tril"].call(a, 1 if upper else -1)
        diagonal = OPS["tril"].call(OPS["triu"].call(a, 0), 0)
        mirrored = OPS["conj"].call(OPS["matrix_transpose"].call(half))
        return cholesky(half + diagonal + mirrored, upper=upper)

    return of_triangle


ONE_TRIANGLE: dict[str, Callable[[Function], Function]] = dict(
    cholesky=lower,
    eigh=lambda eigh: functools.partial(eigh, UPLO="L"),
    eigvalsh=lambda eigvalsh: functools.partial(eigvalsh, UPLO="L"),
)
"""Of a matrix that is to be Hermitian NumPy reads one triangle, adjoint the Hermitian part."""


def form(x: Any) -> Any:
    """An array of the shape and dtype of `x`."""
    return np.broadcast_to(np.zeros((), x.dtype), x.shape) if isinstance(x, Traced) else x


def plain(x: Any) -> Any:
    """The array inside all levels: what is asked of it does not move."""
    while isinstance(x, Traced):
        x = x.leave("NumPy's view") if isinstance(x, Batched) else x.primal
    return x


def untracked(theirs: Function, name: str, args: Any, kwargs: Any) -> Any:
    """A function that has no counterpart, of Tensors that nothing is remembered of."""
    leaves = [x for x in flatten((args, kwargs))[0] if isinstance(x, Traced)]
    for x in leaves:
        if not isinstance(x, Tensor) or x.node is not None or isinstance(x.primal, Traced):
            raise NoRuleError(
                f"`np.{name}` was given a value that is followed, shape {x.shape}, and adjoint has "
                "no derivative for it. Express it by functions that have one, or give it "
                "`.detach()` of what is to count as a constant."
            )
    return theirs(*tree_map(plain, args), **tree_map(plain, kwargs))


class Adapter:
    """Adjoint's function called the way NumPy's of the same name is called.

    Parameters of the same name belong together, and so do those that stand in the same place.
    """

    def __init__(self, name: str, theirs: Function, ours: Function) -> None:
        self.name, self.ours = name, ours
        mine = list(inspect.signature(ours).parameters.values())
        self.signature = signature_of(theirs)
        self.pairs: dict[str, str] = {}
        self.first: list[str] = []
        self.straight = 0
        several = {inspect.Parameter.VAR_POSITIONAL}
        if self.signature is None or several & {
            p.kind for p in (*mine, *self.signature.parameters.values())
        }:
            self.signature = None
            return
        keywords = inspect.Parameter.VAR_KEYWORD
        self.open = any(p.kind is keywords for p in mine)
        mine = [p for p in mine if p.kind is not keywords]
        named = {p.name for p in mine if p.kind is not p.POSITIONAL_ONLY}
        theirs_all = self.signature.parameters.values()
        self.rest = next((p.name for p in theirs_all if p.kind is keywords), "")
        known = [p.name for p in theirs_all if p.kind is not keywords]
        for i, param in enumerate(known):
            if param in named:
                self.pairs[param] = param
            elif (
                i < len(mine)
                and (mine[i].name == param or mine[i].name not in known)
                and mine[i].kind is not mine[i].KEYWORD_ONLY
            ):
                self.pairs[param] = mine[i].name
        self.first = [p.name for p in mine if p.kind is not p.KEYWORD_ONLY]
        while (
            self.straight < min(len(known), len(mine))
            and self.pairs.get(known[self.straight]) == mine[self.straight].name
            and mine[self.straight].kind is not inspect.Parameter.KEYWORD_ONLY
        ):
            self.straight += 1

    def __call__(self, args: Any, kwargs: Any) -> Any:
        """Ours, with the arguments that theirs was given."""
        if self.signature is None:
            extras = {k: v for k, v in kwargs.items() if k in AROUND}
            kwargs = {k: v for k, v in kwargs.items() if k not in IGNORED and k not in AROUND}
            return around(self.ours, self.name, args, kwargs, extras)
        if not kwargs and len(args) <= self.straight:
            return self.ours(*args)
        given: dict[str, Any] = {}
        extras = {}
        bound = self.signature.bind(*args, **kwargs).arguments
        bound |= bound.pop(self.rest, {})
        for param, value in bound.items():
            if param in self.pairs or (self.open and param not in self.signature.parameters):
                if value is not np._NoValue:
                    given[self.pairs.get(param, param)] = value
            elif param in AROUND:
                extras[param] = value
            elif param not in IGNORED and not (
                param in self.signature.parameters
                and same(value, self.signature.parameters[param].default)
            ):
                raise unknown(self.name, param, value, self.ours)
        first = [given.pop(name) for name in takewhile(given.__contains__, self.first)]
        return around(self.ours, self.name, first, given, extras)


def signature_of(function: Function) -> inspect.Signature | None:
    """The parameters of a function; None where it does not tell."""
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def same(value: Any, default: Any) -> bool:
    """True where a parameter was given just what it would have been."""
    return (
        value is default
        or value is np._NoValue
        or (
            isinstance(value, (int, float, str))
            and type(default) is type(value)
            and value == default
        )
    )


for name, method in METHODS.items():
    setattr(Traced, name, method)
Traced.__array_ufunc__ = __array_ufunc__
Traced.__array_function__ = __array_function__
