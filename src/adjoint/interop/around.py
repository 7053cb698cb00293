"""What NumPy's functions take and adjoint's do not: `out=`, `where=`, `dtype=`, `initial=`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.alias import write
from ..core.traced import Traced, shape
from ..errors import DataError
from ..ops import constant, elementwise, reduce
from ..ops.assign import setitem
from ..ops.shape import broadcast_to

Function = Callable[..., Any]
AROUND = ("out", "where", "dtype", "initial")
TOTALS: dict[str, tuple[float, Function]] = {
    "sum": (0.0, elementwise.add),
    "prod": (1.0, elementwise.multiply),
    "max": (-np.inf, elementwise.maximum),
    "min": (np.inf, elementwise.minimum),
    "logsumexp": (-np.inf, elementwise.logaddexp),
    "all": (1.0, constant.logical_and),
    "any": (0.0, constant.logical_or),
}
TOTALS |= {"amax": TOTALS["max"], "amin": TOTALS["min"]}
"""Reductions with an identity, and how one more value joins the result."""


def around(
    function: Function,
    name: str,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    extras: dict[str, Any],
) -> Any:
    """`function(*args, **kwargs)` with the `extras` that it does not take itself."""
    extras = {k: v for k, v in extras.items() if v is not None and v is not np._NoValue}
    if not extras:
        return function(*args, **kwargs)
    dtype, out = extras.get("dtype"), extras.get("out")
    mask, initial = extras.get("where", True), extras.get("initial")
    if dtype is not None:
        args = [of_dtype(a, dtype, name) for a in args]
    if name in MASKED or name in TOTALS or name.startswith("nan"):
        value = reduced(function, name, args, kwargs, mask, initial)
        mask = True
    else:
        if initial is not None:
            raise DataError(f"`np.{name}` of a Tensor takes no `initial=`.")
        value = function(*args, **kwargs)
    if hasattr(value, "dtype") and dtype is not None and value.dtype.kind == np.dtype(dtype).kind:
        value = of_dtype(value, dtype, name)
    if out is None:
        if mask is not True:
            raise DataError(
                f"`np.{name}` with `where=` leaves the rest as it was in `out=`, and there is no "
                "`out=`. Give one, or use `ad.where(mask, f(x), otherwise)`."
            )
        return value
    return stored(value, out, mask)


def of_dtype(x: Any, dtype: Any, name: str) -> Any:
    """An argument in the dtype that the computation is to have."""
    kind = np.dtype(dtype).kind
    if not hasattr(x, "dtype") or x.dtype == np.dtype(dtype):
        return x
    if x.dtype.kind not in "fc":
        operand = kind in "fc" and isinstance(getattr(np, name, None), np.ufunc)
        return np.asarray(x, dtype)[()] if operand and not isinstance(x, Traced) else x
    if x.dtype.kind == "c" and kind == "f":
        raise DataError(
            f"`np.{name}` of complex values was given dtype={np.dtype(dtype)}: the imaginary part "
            "would be lost. Take `.real` first, or `.astype` of the result."
        )
    if kind not in "fc":
        raise DataError(
            f"`np.{name}` of a Tensor was given dtype={np.dtype(dtype)}: whole numbers have no "
            "derivative. Leave it out, or give it `.detach()` of the Tensor."
        )
    return elementwise.astype(x, dtype)


def stored(value: Any, out: Any, mask: Any = True) -> Any:
    """`value` written into `out`, one or a tuple of several, where `mask` is true."""
    if isinstance(value, tuple):
        return tuple(
            [v if o is None else stored(v, o, mask) for v, o in zip(value, out, strict=True)]
        )
    out = out[0] if isinstance(out, tuple) else out
    if mask is not True:
        value = elementwise.where(mask, value, out)
    if isinstance(out, Traced):
        write(out, setitem(out, value, ...))
    else:
        out[...] = value.leave("out=") if isinstance(value, Traced) else value
    return out


def reduced(
    function: Function,
    name: str,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    mask: Any,
    initial: Any,
) -> Any:
    """A reduction over what `mask` leaves, from `initial` on."""
    x, *rest = args
    if mask is True:
        value = function(x, *rest, **kwargs)
    elif name in MASKED:
        value = MASKED[name](x, mask, *rest, **kwargs)
    elif name in TOTALS:
        if initial is None and math.isinf(TOTALS[name][0]):
            raise DataError(f"`np.{name}` with `where=` needs `initial=`: it has no identity.")
        value = function(elementwise.where(mask, x, TOTALS[name][0]), *rest, **kwargs)
    else:
        value = function(elementwise.where(mask, x, np.nan), *rest, **kwargs)
    if initial is None:
        return value
    if name not in TOTALS:
        raise DataError(f"`np.{name}` of a Tensor takes no `initial=`.")
    return TOTALS[name][1](value, initial)


def mean(x: Any, mask: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of the elements where `mask` is true."""
    kept = broadcast_to(np.asarray(mask, x.dtype), shape(x))
    total = reduce.sum(elementwise.where(mask, x, 0.0), axis, keepdims)
    return total / reduce.sum(kept, axis, keepdims)


def var(
    x: Any,
    mask: Any,
    axis: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The variance of the elements where `mask` is true."""
    ddof = ddof if correction is None else correction
    centre = MASKED["mean"](x, mask, axis, True) if mean is None else mean
    apart = elementwise.abs(elementwise.where(mask, x - centre, 0.0))
    kept = reduce.sum(broadcast_to(np.asarray(mask, apart.dtype), shape(x)), axis, keepdims)
    return reduce.sum(apart * apart, axis, keepdims) / elementwise.maximum(kept - ddof, 0.0)


def std(x: Any, mask: Any, *args: Any, **kwargs: Any) -> Any:
    """The standard deviation of the elements where `mask` is true; of equal ones the slope is 0."""
    square = var(x, mask, *args, **kwargs)
    flat = square == 0
    return elementwise.where(flat, 0.0, elementwise.sqrt(elementwise.where(flat, 1.0, square)))


MASKED: dict[str, Function] = dict(mean=mean, var=var, std=std)
