"""Black boxes: functions that are differentiated by finite differences, and say so."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backends.namespace import INEXACT
from ..ops.batch import looped
from ..ops.elementwise import real
from ..ops.reduce import sum as sum_
from ..ops.shape import reshape, stack
from .custom import Call, Custom, Wrapped, differentiable
from .derivatives import lowest

Function = Callable[..., Any]


class NumericDerivativeWarning(UserWarning):
    """A derivative was taken by finite differences, of a function given to `numeric`."""


def numeric(f: Function, eps: float | None = None, static: Sequence[str | int] = ()) -> Function:
    """A black box, differentiated by central differences: numeric : (x -> y) -> (x -> y).

    f : a function of NumPy arrays, numbers and containers of them; it may call compiled code
    eps : the step in units of max(1, |x|); by default the cube root of the rounding unit, 6e-6 of
        float64, which leaves about 10 digits of a first derivative
    static : names or positions of arguments that are no arrays

    ẏ costs 2 calls of f; x̄ costs 2 calls for every element of x (4 for a complex one): the whole
    Jacobian. A `NumericDerivativeWarning` says so, once for each function. Nests with everything: a
    second derivative is a difference of differences, of about 5 digits and at the square of the
    cost; under `vmap` f is called for each example in turn.

    >>> import adjoint as ad, math, warnings
    >>> gamma = ad.numeric(lambda x: math.gamma(x))
    >>> with warnings.catch_warnings(action="ignore"):
    ...     round(float(ad.grad(gamma)(1.0)), 8)
    -0.57721566
    """
    op = Numeric(f, eps, (static,) if isinstance(static, (str, int)) else static)
    return Wrapped(op.perform, numeric, f, eps, static)


class Numeric(Custom):
    """A custom op whose rules are differences of itself."""

    batch = staticmethod(looped)

    def __init__(self, f: Function, eps: float | None, static: Sequence[str | int]) -> None:
        super().__init__(f, static)
        self.eps, self.warned = eps, False
        everything = (f, tuple(self.signature.parameters))
        self.ruled(everything, everything)

    def warn(self, cost: str) -> None:
        """Say once what it costs."""
        if not self.warned:
            self.warned = True
            warnings.warn(
                f"`{self.name}` is differentiated by finite differences, at {cost}. Give it a rule "
                "by `custom`, or write it with adjoint's functions.",
                NumericDerivativeWarning,
                stacklevel=2,
            )

    def unit(self, call: Call) -> float:
        """The step for values of size one."""
        if self.eps is not None:
            return self.eps
        units = [float(np.finfo(d).eps) for _, d in filter(differentiable, call.specs)]
        return float(np.cbrt(max(units)))

    def slope(self, xs: Sequence[Any], steps: Sequence[Any], h: Any, call: Call) -> list[Any]:
        """Central differences along `steps`, None for what stays, over h."""

        def at(sign: int) -> list[Any]:
            moved = [x if d is None else x + sign * d for x, d in zip(xs, steps, strict=True)]
            out = self.call(*moved, call=call)
            return [out] if call.ends is None else list(out)

        return [(a - b) / (2 * h) for a, b in zip(at(1), at(-1), strict=True)]

    def pushed(
        self, ts: Sequence[Any], xs: Sequence[Any], out: Any, call: Call, specs: Sequence[Any]
    ) -> list[Any]:
        """The tangents of the output: one difference along all tangents together."""
        self.warn("2 calls for a tangent")
        free = [differentiable(s) for s in call.specs]
        far = max([largest(t) for t, m in zip(ts, free, strict=True) if m], default=0.0) or 1.0
        size = max([largest(x) for x, m in zip(xs, free, strict=True) if m], default=0.0)
        h = self.unit(call) * max(1.0, size) / far
        steps = [h * t if m else None for t, m in zip(ts, free, strict=True)]
        slopes = self.slope(xs, steps, h, call)
        return [m if differentiable(s) else None for m, s in zip(slopes, specs, strict=True)]

    def pulled(self, cts: Sequence[Any], xs: Sequence[Any], out: Any, call: Call) -> list[Any]:
        """The cotangents of the inputs: one difference for each element."""
        calls = sum([2 * int(np.prod(s)) for s, d in call.specs if d.char in INEXACT])
        self.warn(f"{calls} calls for a gradient")
        backs: list[Any] = []
        for i, s in enumerate(call.specs):
            backs.append(self.element_by_element(i, cts, xs, call) if differentiable(s) else None)
        return backs

    def element_by_element(self, i: int, cts: Sequence[Any], xs: Sequence[Any], call: Call) -> Any:
        """The cotangent of input i; of a complex one ∂/∂Re - i ∂/∂Im."""
        form, dtype = call.specs[i]
        value, found = np.asarray(lowest(xs[i])), []
        for at in np.ndindex(form):
            total: Any = 0.0
            for way in (1, 1j) if dtype.kind == "c" else (1,):
                h = self.unit(call) * max(1.0, largest(value[(..., *at)]))
                step = np.zeros(form, dtype)
                step[at] = h * way
                steps = [step[()] if j == i else None for j in range(len(xs))]
                pairs = zip(cts, self.slope(xs, steps, h, call), strict=True)
                total = (
                    total
                    + sum([real(sum_(c * s)) for c, s in pairs if c.dtype.char in INEXACT]) / way
                )
            found.append(total)
        return reshape(stack(found), form) if found else None


def largest(x: Any) -> float:
    """The largest absolute value of the plain array inside."""
    return float(np.max(np.abs(lowest(x)), initial=0.0))


__all__ = ["NumericDerivativeWarning", "numeric"]
