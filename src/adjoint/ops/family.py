"""Families of distributions: the density in standard form becomes all functions of SciPy's names.

A declaration is a decorator with what is known of the distribution, a docstring with the formula,
and the logarithm of the density in standard form, a function of x and the shapes. From it follow
`loc` and `scale`, the support, the parameters that are not allowed, and what was not given:

    pdf(x) = p((x - loc)/scale)/scale,  cdf(x) = F((x - loc)/scale),  ppf(q) = loc + scale F⁻¹(q)

Outside the support, at infinity and at its ends where the density is 0 or infinite, all slopes are
0; parameters that are not allowed give NaN. Every function is a composition of ops, so it works in
every mode, and is differentiated by every argument, but for the k of a discrete distribution, which
is a whole number. float32 stays float32, where SciPy computes in double precision.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.traced import Traced
from .constant import (
    equal,
    floor,
    greater,
    greater_equal,
    isfinite,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
)
from .elementwise import exp, log, log1p, where
from .shape import known

Function = Callable[..., Any]
Bound = float | Function
CONTINUOUS = "pdf logpdf cdf logcdf sf logsf ppf isf".split()
DISCRETE = "pmf logpmf cdf logcdf sf logsf".split()
SAID = dict(
    pdf="The density", logpdf="The logarithm of the density",
    pmf="The probability of k", logpmf="The logarithm of the probability of k",
    cdf="The probability of at most that much", logcdf="The logarithm of `cdf`",
    sf="The probability of more, 1 - cdf, exact where it is small", logsf="The logarithm of `sf`",
    ppf="The quantile, the inverse of `cdf`", isf="The upper quantile, the inverse of `sf`",
)  # fmt: skip


class Family:
    """The distributions of one form: `declared` is ln p(x, *shapes) in standard form.

    low, high   ends of the support: numbers, or functions of the shapes
    opened      True where the density is 0 at finite ends, by a logarithm that has a pole there
    anchor      a point inside, where the functions are evaluated in the place of points outside
    valid       the shapes that are allowed; by default those above 0
    safe        allowed shapes, which stand in for others; by default 1
    symmetric   True where p(-x) = p(x)
    given       some of cdf, sf, logcdf, logsf, ppf, isf in standard form
    """

    pdf: Method
    logpdf: Method
    pmf: Method
    logpmf: Method
    cdf: Method
    logcdf: Method
    sf: Method
    logsf: Method
    ppf: Method
    isf: Method

    def __init__(
        self,
        declared: Function,
        discrete: bool,
        low: Bound,
        high: Bound,
        opened: bool,
        anchor: Bound | None,
        valid: Function | None,
        safe: tuple[float, ...],
        symmetric: bool,
        given: dict[str, Function],
    ) -> None:
        self.name, self.__doc__ = declared.__name__, inspect.getdoc(declared)
        self.__module__ = declared.__module__
        self.discrete, self.low, self.high, self.opened = discrete, low, high, opened
        self.valid = valid or (lambda *shapes: every([greater(s, 0) for s in shapes]))
        self.log_density, self.given = declared, dict(given)
        self.shapes = list(inspect.signature(declared).parameters)[1:]
        self.safe = safe or (1.0,) * len(self.shapes)
        if anchor is None:
            ends = [e for e in (low, high) if not callable(e) and math.isfinite(e)]
            anchor = (ends[0] + ends[-1]) / 2 + (len(ends) == 1) if ends else 0.0
        self.anchor = anchor
        if symmetric:
            self.mirror()
        for name in self.methods:
            setattr(self, name, Method(self, name))

    def mirror(self) -> None:
        """The upper tail is the lower one turned round."""
        for name, turned in dict(cdf="sf", logcdf="logsf").items():
            if name in self.given:
                f = self.given[name]
                self.given[turned] = lambda x, *shapes, f=f: f(-x, *shapes)
        if "ppf" in self.given:
            self.given["isf"] = lambda q, *shapes: -self.given["ppf"](q, *shapes)

    @property
    def methods(self) -> list[str]:
        """The names of the functions that there are."""
        first = DISCRETE[:2] if self.discrete else CONTINUOUS[:2]
        tails = DISCRETE[2:] if {"cdf", "sf", "logcdf", "logsf"} & self.given.keys() else []
        return [*first, *tails, *(["ppf", "isf"] if "ppf" in self.given else [])]

    def __repr__(self) -> str:
        return f"<family {self.name}: {', '.join(self.methods)}>"

    def __reduce__(self) -> str:
        return self.name

    def ends(self, shapes: list[Any]) -> list[Any]:
        """Both ends of the support in standard form."""
        return [e(*shapes) if callable(e) else e for e in (self.low, self.high)]

    def at(self, mask: Any, z: Any, shapes: list[Any]) -> Any:
        """z where the mask is true, else a point inside the support."""
        anchor = self.anchor(*shapes) if callable(self.anchor) else self.anchor
        return where(mask, z, anchor)

    def density(self, z: Any, shapes: list[Any]) -> Any:
        """ln p of the standard form, -∞ outside the support."""
        low, high = self.ends(shapes)
        inside = isfinite(z)
        closer = (greater, less) if self.opened else (greater_equal, less_equal)
        for end, within in zip((low, high), closer, strict=True):
            if type(end) is not float or math.isfinite(end):
                inside = logical_and(inside, within(z, end))
        if self.discrete:
            whole = still(floor(z))
            inside = logical_and(inside, equal(whole, z))
            z = whole
        return where(inside, self.log_density(self.at(inside, z, shapes), *shapes), -math.inf)

    def value(self, name: str, z: Any, shapes: list[Any], scale: Any) -> Any:
        """The function `name`, not a quantile; a density is divided by the scale."""
        if name not in ("pdf", "pmf", "logpdf", "logpmf"):
            return self.tail(name, z, shapes)
        value = self.density(z, shapes)
        value = value if scale is None else value - log(scale)
        if name[0] == "l":
            return value
        finite = isfinite(value)
        density = where(finite, exp(where(finite, value, 0.0)), 0.0)
        return where(equal(value, math.inf), math.inf, density)

    def tail(self, name: str, z: Any, shapes: list[Any]) -> Any:
        """The function `name`, one of cdf, logcdf, sf, logsf, of the standard form."""
        low, high = self.ends(shapes)
        if self.discrete:
            z = still(floor(z))
        before = less(z, low) if self.discrete else less_equal(z, low)
        after = greater_equal(z, high)
        inside = logical_not(logical_or(logical_or(before, after), isnan(z)))
        value = self.formed(name, self.at(inside, z, shapes), shapes)
        least, most = (-math.inf, 0.0) if name[0] == "l" else (0.0, 1.0)
        first, last = (least, most) if name.endswith("cdf") else (most, least)
        return where(before, first, where(after, last, value))

    def formed(self, name: str, z: Any, shapes: list[Any]) -> Any:
        """The same inside the support: as given, or from the others, that which is exact."""
        if name in self.given:
            return self.given[name](z, *shapes)
        side, opposite = ("cdf", "sf") if name.endswith("cdf") else ("sf", "cdf")
        if name == side:
            if "log" + side in self.given:
                return exp(self.given["log" + side](z, *shapes))
            return 1 - self.formed(opposite, z, shapes)
        here, there = self.formed(side, z, shapes), self.formed(opposite, z, shapes)
        small = less(here, 0.5)
        none = equal(here, 0)
        near = log(where(logical_and(small, logical_not(none)), here, 1.0))
        return where(none, -math.inf, where(small, near, log1p(-where(small, 0.0, there))))

    def quantile(self, name: str, q: Any, shapes: list[Any]) -> Any:
        """The function `name`, ppf or isf, of the standard form; constant where it is an end."""
        low, high = self.ends(shapes)
        lower, upper = self.ends([still(s) for s in shapes])
        inside = logical_and(greater(q, 0), less(q, 1))
        find = self.given.get(name) or (lambda q, *shapes: self.given["ppf"](1 - q, *shapes))
        rough = find(still(where(inside, q, 0.5)), *[still(s) for s in shapes])
        short = logical_and(greater(rough, lower), less(rough, upper))
        value = find(where(logical_and(inside, short), q, 0.5), *shapes)
        if name == "isf":
            low, high = high, low
        value = where(short, value, rough)
        value = where(equal(q, 0), low, where(equal(q, 1), high, value))
        return where(logical_and(greater_equal(q, 0), less_equal(q, 1)), value, math.nan)


class Method:
    """One function of one family, under SciPy's name and with SciPy's parameters."""

    def __init__(self, family: Family, name: str) -> None:
        self.family, self.__name__ = family, name
        self.__qualname__, self.__module__ = f"{family.name}.{name}", family.__module__
        first = "k" if family.discrete else "q" if name in ("ppf", "isf") else "x"
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        moved = {"loc": 0} if family.discrete else {"loc": 0, "scale": 1}
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(n, kind) for n in (first, *family.shapes)]
            + [inspect.Parameter(n, kind, default=value) for n, value in moved.items()]
        )
        self.__doc__ = f"{SAID[name]}. {family.__doc__}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function at those places, of the distributions with those parameters."""
        bound = self.__signature__.bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        unmoved = type(given["loc"]) is int and not given["loc"]
        unscaled = self.family.discrete or (type(given["scale"]) is int and given["scale"] == 1)
        values = alike(list(given.values()))
        x, shapes = values[0], values[1 : 1 + len(self.family.shapes)]
        loc, scale = None if unmoved else given["loc"], None if unscaled else values[-1]
        loc = loc if loc is None else values[1 + len(shapes)]
        allowed = [self.family.valid(*shapes)] if shapes else []
        if scale is not None:
            positive = greater(scale, 0)
            allowed.append(positive)
            scale = where(positive, scale, 1.0)
        if shapes:
            ok = every(allowed)
            shapes = [where(ok, s, safe) for s, safe in zip(shapes, self.family.safe, strict=True)]
        if self.__name__ in ("ppf", "isf"):
            value = self.family.quantile(self.__name__, x, shapes)
            value = value if scale is None else value * scale
            value = value if loc is None else value + loc
        else:
            z = x if loc is None else x - loc
            z = z if scale is None else z / scale
            value = self.family.value(self.__name__, z, shapes, scale)
            allowed.append(logical_not(isnan(z)))
        return where(every(allowed), value, math.nan) if allowed else value

    def __reduce__(self) -> Any:
        return getattr, (self.family, self.__name__)

    def __repr__(self) -> str:
        return f"<{self.__qualname__}{self.__signature__}>"


def alike(values: list[Any]) -> list[Any]:
    """Lists as arrays, and Python's numbers in the precision of the others."""
    values = [v if type(v) in (bool, int, float) else known(v) for v in values]
    dtype = np.result_type(*([v.dtype for v in values if hasattr(v, "dtype")] or [np.float64]))
    kind = dtype.type if dtype.kind == "f" else np.float64
    return [v if hasattr(v, "dtype") else kind(v) for v in values]


def still(x: Any) -> Any:
    """x as a constant to every derivative."""
    return x.detach() if isinstance(x, Traced) else x


def every(masks: list[Any]) -> Any:
    """True where all of the masks are."""
    return functools.reduce(logical_and, masks) if masks else True


def continuous(
    low: Bound = -math.inf,
    high: Bound = math.inf,
    opened: bool = False,
    anchor: Bound | None = None,
    valid: Function | None = None,
    safe: tuple[float, ...] = (),
    symmetric: bool = False,
    **given: Function,
) -> Callable[[Function], Family]:
    """A family with a density; see `Family`."""
    return lambda f: Family(f, False, low, high, opened, anchor, valid, safe, symmetric, given)


def discrete(
    low: Bound = 0.0,
    high: Bound = math.inf,
    anchor: float = 0.0,
    valid: Function | None = None,
    safe: tuple[float, ...] = (),
    **given: Function,
) -> Callable[[Function], Family]:
    """A family of whole numbers; see `Family`."""
    return lambda f: Family(f, True, low, high, False, anchor, valid, safe, False, given)


def power_log(k: Any, x: Any) -> Any:
    """k ln x for x ≥ 0; at x = 0 the limit, 0 or ±∞, and there all slopes are 0."""
    zero = equal(x, 0)
    return limited(k, zero, k * log(where(zero, 1.0, x)))


def power_log1p(k: Any, x: Any) -> Any:
    """k ln(1 + x) for x ≥ -1; at x = -1 the limit, 0 or ±∞, and there all slopes are 0."""
    zero = equal(x, -1)
    return limited(k, zero, k * log1p(where(zero, 0.0, x)))


def limited(k: Any, zero: Any, value: Any) -> Any:
    """-k·∞ and 0 for k = 0 where `zero` is true, else `value`."""
    value = where(logical_and(zero, less(k, 0)), math.inf, where(zero, 0.0, value))
    return where(logical_and(zero, greater(k, 0)), -math.inf, value)


def power(x: Any, k: Any) -> Any:
    """xᵏ for x ≥ 0 and k > 0; at x = 0 all slopes are 0."""
    zero = equal(x, 0)
    return where(zero, 0.0, where(zero, 1.0, x) ** k)


__all__ = ["Family", "continuous", "discrete", "power", "power_log", "power_log1p"]
