"""Trust, and check: derivatives against finite differences, and one mode against the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from .backends.namespace import describe
from .core.tensor import Tensor
from .core.tree import flatten, matching
from .errors import DataError, GradientMismatch
from .transforms.derivatives import checked, jvp, lowest, vjp
from .transforms.function import name_of

Function = Callable[..., Any]
SEARCHED = 256
"""How many elements of an input are tried one by one to find where a mismatch sits."""


class Settings(NamedTuple):
    """What stays the same while `check_grads` descends through the orders."""

    modes: Sequence[str]
    rtol: float
    atol: float
    eps: float
    tight: float
    rng: np.random.Generator


class Stage(NamedTuple):
    """The function that is checked, where, its name, and the modes that made it, last first."""

    f: Function
    args: tuple[Any, ...]
    out: Any
    name: str
    modes: tuple[str, ...]


class Gap(NamedTuple):
    """Where two arrays differ most; `excess` is the difference in units of what is allowed."""

    excess: float
    path: str
    at: tuple[int, ...]
    got: Any
    want: Any
    distance: float


def check_grads(
    f: Function,
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    rtol: float | None = None,
    atol: float | None = None,
    eps: float | None = None,
    seed: int = 0,
) -> None:
    """Raise `GradientMismatch` unless the derivatives of `f` at `args` are right.

    args : tuple of arguments: arrays, numbers, or containers of them, real or complex
    order : how many times f is differentiated; from 2 on, in all nestings of the modes
    modes : "fwd" compares `jvp` with finite differences of f; "rev" compares `vjp` with `jvp`, by
        Re Σ ȳ·(J ẋ) = Re Σ (Jᵀ ȳ)·ẋ, or, where "fwd" is not asked for, with finite differences
    rtol, atol : tolerances against finite differences, rtol relative to the largest element;
        eps² by default
    eps : the step, by default about u^(1/5), with u the rounding unit of the coarsest dtype:
        2⁻¹⁰ for float64, 2⁻⁵ for float32. The differences are of fourth order: both their errors
        are then of the size of eps⁴
    seed : of the random directions ẋ and cotangents ȳ

    The two modes must agree to u^(2/3); values, shapes and dtypes are compared too. f must be
    smooth within 2·eps of `args`: near a kink or the edge of its domain give a smaller `eps`, and
    an `rtol`. Cost: about 10 forwards at order 1, and 5 times as much for each order more.

    >>> import adjoint as ad, numpy as np
    >>> x = np.array([0.5, 0.75])
    >>> ad.check_grads(lambda x: {"square": x * x, "total": ad.sin(x).sum()}, (x,))

    An op with a slip of the pen in its derivative:

    >>> from adjoint.ops.rules import elementwise
    >>> @elementwise(lambda t, x: t * 3 * x)
    ... def squared(xp, x, /):
    ...     return x * x
    >>> ad.check_grads(squared, (x,))
    Traceback (most recent call last):
        ...
    adjoint.errors.GradientMismatch: a derivative of `squared` is wrong
      mode      fwd, order 1: `jvp` against finite differences
      input     [0] at index (1,)
      output    at index (1,)
      found     2.25
      expected  1.5
      distance  0.5 relative, tolerance 9.54e-07
    """
    if not isinstance(args, (tuple, list)):
        got = type(args).__name__
        raise DataError(
            f"`check_grads` needs a tuple of arguments; it was given {got}. Write `(x,)`."
        )
    if isinstance(modes, str) or not modes or set(modes) - {"fwd", "rev"}:
        raise ValueError(f"`check_grads` has the modes ('fwd', 'rev'); it was given {modes!r}")
    if type(order) is not int or order < 1:
        raise ValueError(f"`check_grads` needs an order of at least 1; it was given {order!r}")
    point = inexact(tuple(args), "check_grads")
    if not flatten(point)[0]:
        raise DataError("`check_grads` needs an array to differentiate by; `args` holds none.")
    out = evaluate(f, point)
    u = rounding_unit(point, out)
    step = step_for(u) if eps is None else eps
    rtol, atol = step**2 if rtol is None else rtol, step**2 if atol is None else atol
    s = Settings(tuple(modes), rtol, atol, step, u ** (2 / 3), np.random.default_rng(seed))
    descend(Stage(f, point, out, name_of(f), ()), order, s)


def numeric_jvp(
    f: Function, primals: Sequence[Any], tangents: Sequence[Any], eps: float | None = None
) -> Any:
    """The tangent of `f` at `primals` along `tangents` by finite differences, without any rule.

    (8 (f(x + hẋ) - f(x - hẋ)) - (f(x + 2hẋ) - f(x - 2hẋ))) / 12h, of fourth order in h = eps.

    >>> import adjoint as ad
    >>> bool(abs(ad.testing.numeric_jvp(ad.exp, (0.0,), (1.0,)) - 1) < 1e-11)
    True
    """
    point = inexact(tuple(primals), "numeric_jvp")
    leaves, _, rebuild = flatten(point)
    directions = [lowest(t) for t in matching(point, tuple(tangents), "numeric_jvp", "tangent")]
    out = evaluate(f, point)
    h = step_for(rounding_unit(point, out)) if eps is None else eps

    def at(k: int) -> list[Any]:
        moved = [
            np.asarray(x + k * h * t, x.dtype)[()] for x, t in zip(leaves, directions, strict=True)
        ]
        return arrays(evaluate(f, rebuild(moved)))

    rows = zip(at(1), at(-1), at(2), at(-2), strict=True)
    return flatten(out)[2]([(8 * (a - b) - (c - d)) / (12 * h) for a, b, c, d in rows])


def descend(stage: Stage, order: int, s: Settings) -> None:
    """Check one function in each mode, then its derivatives, as functions, with one order less.

    They are functions of the direction or the cotangent too: of those, linear ones.
    """
    f, args, out, name, made = stage
    tangents, cts = random_like(args, s.rng), random_like(out, s.rng)
    for mode in s.modes:
        forward = mode == "fwd"
        here = stage._replace(modes=(mode, *made))
        (check_forward if forward else check_reverse)(here, tangents, cts, s)
        if order > 1:
            g = pushforward(f) if forward else pullback(f)
            point = (args, tangents if forward else cts)
            descend(Stage(g, point, evaluate(g, point), name, here.modes), order - 1, s)


def pushforward(f: Function) -> Function:
    """(x, ẋ) -> ẏ."""
    return lambda primals, tangents: jvp(f, primals, tangents)[1]


def pullback(f: Function) -> Function:
    """(x, ȳ) -> x̄."""
    return lambda primals, ct: vjp(f, *primals)[1](ct)


def check_forward(stage: Stage, tangents: Any, cts: Any, s: Settings) -> None:
    """`jvp` against finite differences, output by output."""
    f, args, out, *_ = stage
    value, pushed = jvp(f, args, tangents)
    alike(stage, value, out, "value of `jvp`", s.tight)
    alike(stage, pushed, out, "tangent of `jvp`")

    def gaps(direction: Any) -> Iterator[Gap]:
        got, want = jvp(f, args, direction)[1], numeric_jvp(f, args, direction, s.eps)
        for path, g, w, y in zip(
            flatten(out)[1], arrays(got), arrays(want), arrays(out), strict=True
        ):
            yield gap(path, g, w, largest(w) + s.eps * largest(y), s.rtol, s.atol)

    agree(stage, gaps, tangents, "`jvp` against finite differences", s.rtol)


def check_reverse(stage: Stage, tangents: Any, cts: Any, s: Settings) -> None:
    """`vjp` against `jvp`, or against finite differences, both paired to one number."""
    f, args, out, *_ = stage
    value, back = vjp(f, *args)
    pulled = back(cts)
    alike(stage, value, out, "value of `vjp`", s.tight)
    alike(stage, pulled, args, "cotangent of `vjp`")
    both = "fwd" in s.modes
    rtol, atol = (s.tight, s.tight) if both else (s.rtol, s.atol)

    def gaps(direction: Any) -> Iterator[Gap]:
        pushed = jvp(f, args, direction)[1] if both else numeric_jvp(f, args, direction, s.eps)
        (got, size), (want, other) = pairing(pulled, direction), pairing(cts, pushed)
        noise = 0.0 if both else s.eps * pairing(cts, out)[1]
        yield gap("", got, want, max(size, other) + noise, rtol, atol)

    agree(stage, gaps, tangents, f"`vjp` against {'`jvp`' if both else 'finite differences'}", rtol)


def agree(
    stage: Stage, gaps: Callable[[Any], Iterator[Gap]], direction: Any, sides: str, rtol: float
) -> None:
    """Raise if there is a gap along `direction`; try each element to say where it is widest."""
    widest, where = max(gaps(direction), default=None), ""
    if widest is None or widest.excess <= 1:
        return
    for place, single in units(stage.args):
        tried = max(gaps(single))
        if tried.excess > 1 and (not where or tried.excess > widest.excess):
            widest, where = tried, place
    output = located(widest.path, widest.at)
    raise GradientMismatch(
        f"a derivative of `{stage.name}` is wrong\n  mode      {title(stage)}: {sides}"
        f"\n  input     {where or 'a random direction'}"
        + (f"\n  output    {output}" if output else "")
        + f"\n  found     {widest.got}\n  expected  {widest.want}"
        f"\n  distance  {widest.distance:.3g} relative, tolerance {rtol:.3g}"
    )


def title(stage: Stage) -> str:
    """The modes of a stage, the outermost first, and its order."""
    return f"{'-over-'.join(stage.modes)}, order {len(stage.modes)}"


def located(path: str, index: tuple[int, ...]) -> str:
    """A place in a container in words; nothing for a number alone."""
    return " ".join([*([path] if path else []), *([f"at index {index}"] if index else [])])


def alike(stage: Stage, got: Any, like: Any, what: str, tight: float | None = None) -> None:
    """Raise unless `got` has the shapes and dtypes of `like`; its values too, given `tight`."""
    matching(like, got, "check_grads", what)
    for path, g, x in zip(flatten(like)[1], arrays(got), arrays(like), strict=True):
        where = f"`{stage.name}`: the {what}{f' at {path}' if path else ''} in {title(stage)},"
        if (g.shape, g.dtype) != (x.shape, x.dtype):
            raise GradientMismatch(f"{where} is {describe(g)}, not {describe(x)}")
        if tight is not None and gap(path, g, x, largest(x), tight, tight).excess > 1:
            raise GradientMismatch(f"{where} is {g}; without derivatives it is {x}")


def gap(path: str, got: Any, want: Any, scale: float, rtol: float, atol: float) -> Gap:
    """Where `got` and `want` differ most; NaN differs from everything."""
    if not want.size:
        return Gap(0.0, path, (), got, want, 0.0)
    off = np.abs(got - want)
    off = np.where(np.isnan(off), np.inf, off)
    at = tuple(int(i) for i in np.unravel_index(np.argmax(off), off.shape))
    allowed = atol + rtol * scale
    excess = float(off[at]) / allowed if np.isfinite(allowed) else np.inf
    return Gap(excess, path, at, got[at], want[at], float(off[at] / (np.abs(want[at]) or 1.0)))


def units(args: Any) -> Iterator[tuple[str, Any]]:
    """The directions along one element of one input, each with its name; imaginary ones too."""
    leaves, paths, rebuild = flatten(args)
    zeros = [np.zeros_like(x)[()] for x in leaves]
    for i, (x, path) in enumerate(zip(leaves, paths, strict=True)):
        for index in islice(np.ndindex(x.shape), SEARCHED):
            for step in (1, 1j) if x.dtype.kind == "c" else (1,):
                single = np.zeros_like(x)
                single[index] = step
                place = located(path, index) + (", imaginary" if step == 1j else "")
                yield place, rebuild([*zeros[:i], single[()], *zeros[i + 1 :]])


def pairing(ct: Any, t: Any) -> tuple[Any, float]:
    """Re Σ ct·t over all leaves, and the same sum of absolute values."""
    products = [np.sum(np.real(c * v)) for c, v in zip(arrays(ct), arrays(t), strict=True)]
    sizes = [np.sum(np.abs(c * v)) for c, v in zip(arrays(ct), arrays(t), strict=True)]
    return np.asarray(sum(products)), float(sum(sizes))


def inexact(tree: Any, who: str) -> Any:
    """`tree` with plain floating-point arrays for leaves."""
    leaves, paths, rebuild = flatten(tree)
    return rebuild([checked(lowest(x), path, who) for x, path in zip(leaves, paths, strict=True)])


def evaluate(f: Function, args: tuple[Any, ...]) -> Any:
    """The value of `f`, given Tensors that track nothing, with plain arrays for leaves."""
    leaves, _, rebuild = flatten(args)
    ends, paths, rebuild_out = flatten(f(*rebuild([Tensor(x).detach() for x in leaves])))
    ends = [lowest(y) for y in ends]
    for y, path in zip(ends, paths, strict=True):
        if y.dtype.kind not in "fc":
            where = f"{name_of(f)}`{f', output {path},' if path else ''}"
            raise DataError(
                f"`check_grads` needs real or complex outputs; `{where} returned dtype {y.dtype}."
            )
    return rebuild_out(ends)


def arrays(tree: Any) -> list[Any]:
    """The leaves of a container as plain arrays."""
    return [np.asarray(lowest(x)) for x in flatten(tree)[0]]


def random_like(tree: Any, rng: np.random.Generator) -> Any:
    """A direction for each leaf; no element is near 0, where an error could hide."""

    def draw(x: Any) -> Any:
        a, b = (rng.uniform(0.5, 1.0, x.shape) * rng.choice([-1.0, 1.0], x.shape) for _ in "ab")
        return np.asarray(a + b * 1j if x.dtype.kind == "c" else a, x.dtype)[()]

    leaves, _, rebuild = flatten(tree)
    return rebuild([draw(x) for x in leaves])


def largest(x: Any) -> float:
    """The largest absolute value, 0 of no elements."""
    return float(np.max(np.abs(x), initial=0.0))


def rounding_unit(*trees: Any) -> float:
    """That of the coarsest dtype among the leaves."""
    return max(float(np.finfo(x.dtype).eps) for tree in trees for x in arrays(tree))


def step_for(u: float) -> float:
    """Where rounding, u/h, balances truncation, h⁴; a power of two, so that x + h is exact."""
    return float(2.0 ** round(np.log2(u) / 5))


__all__ = ["check_grads", "numeric_jvp"]
