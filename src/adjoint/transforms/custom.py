"""Your own derivative for your own function: rules; gradients cut, turned, clipped."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..backends.namespace import INEXACT, NUMBERS, NUMPY, as_array, describe
from ..core.batch import Batched
from ..core.forward import fit
from ..core.op import Op, door, next_level
from ..core.reverse import project, pull_many
from ..core.tensor import Tensor, variable
from ..core.traced import Traced, shape
from ..core.tree import children, flatten, outline, tree_map
from ..errors import ConversionError, DataError, DeclarationError, NoRuleError, ShapeError
from ..ops.batch import looped
from ..ops.elementwise import clip, maximum, real, sqrt
from ..ops.reduce import sum as sum_
from .batching import vmap
from .derivatives import at_level, pulled
from .function import Derived, name_of

Function = Callable[..., Any]
Rule = tuple[Function, tuple[str, ...]]


class Wrapped(Derived):
    """A function that stands for another: it has its name, signature and docstring, and pickles."""

    def __init__(self, call: Function, maker: Function, *args: Any) -> None:
        super().__init__(call, "", maker, args)
        f = args[0]
        self.__doc__ = inspect.getdoc(f)
        self.__module__ = getattr(f, "__module__", __name__)
        self.__qualname__ = getattr(f, "__qualname__", self.__name__)

    def __reduce__(self) -> Any:
        """By name where the name stands for this very function, as after a decorator."""
        found: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            found = getattr(found, part, None)
        return self.__qualname__ if found is self else super().__reduce__()


class Call:
    """One call of a custom function: its static arguments, and how its containers are built.

    parts   name, range among the leaves, and builder of every argument that is differentiated
    paths   of the leaves, and `specs`, their shapes and dtypes
    levels  those of the leaves; what `f` takes from outside must be of a lower one
    ends    paths of the output's leaves; None for an output that is one array
    """

    __slots__ = ("build_out", "ends", "levels", "parts", "paths", "specs", "static")

    def __init__(self) -> None:
        self.parts: list[tuple[str, slice, Function]] = []
        self.paths: list[str] = []
        self.specs: list[tuple[tuple[int, ...], Any]] = []
        self.static: dict[str, Any] = {}
        self.levels: set[int] = set()
        self.ends: list[str] | None = None
        self.build_out: Function = tuple

    def __repr__(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.static.items()) or "..."

    def trees(self, leaves: Sequence[Any]) -> list[Any]:
        """One container for every argument that is differentiated."""
        return [build(leaves[where]) for _, where, build in self.parts]

    def values(self, names: Sequence[str], xs: Sequence[Any], out: Any) -> Iterator[Any]:
        """What a rule asked for by its parameter names."""
        parts = {name: (where, build) for name, where, build in self.parts}
        for name in names:
            if name in parts:
                where, build = parts[name]
                yield build(xs[where])
            else:
                yield self.outputs(out) if name == "out" else self.static[name]

    def outputs(self, out: Any) -> Any:
        """The container of the output around its leaves."""
        return self.build_out([out] if self.ends is None else out)

    def like(self, other: Call) -> None:
        """Take over the form of the output, where the function itself is not run."""
        self.ends, self.build_out = other.ends, other.build_out


class Custom(Op):
    """The op of one custom function, in no registry: its inputs are the leaves of its arguments."""

    many = True

    def __init__(self, f: Function, static: Sequence[str | int]) -> None:
        def forward(xp: Any, *xs: Any, call: Any) -> Any:
            """The form of `Custom.forward`, which stands for it: so an op is no cycle."""

        super().__init__(forward, "op", view=True)
        self.pull = pull_many
        del self.forward
        self.f, self.name, self.__doc__ = f, name_of(f), inspect.getdoc(f)
        self.maps: dict[tuple[bool, ...], Function] = {}
        try:
            self.signature = inspect.signature(f)
        except (TypeError, ValueError):
            raise DeclarationError(
                f"a rule names the parameters of its function, and `{self.name}` does not tell "
                "its own. Wrap it: `lambda x: f(x)`."
            ) from None
        names = list(self.signature.parameters)
        for s in static:
            if s not in names and not (isinstance(s, int) and -len(names) <= s < len(names)):
                raise DeclarationError(
                    f"`{self.name}` has no parameter {s!r} to be static; it has {', '.join(names)}"
                )
        self.static = {s if isinstance(s, str) else names[s] for s in static}
        self.dynamic = [n for n in names if n not in self.static]
        if "out" in names:
            raise DeclarationError(
                f"`out` in a rule is the output of `{self.name}`; rename the parameter called so"
            )

    def ruled(self, vjp: Rule | None, jvp: Rule | None) -> None:
        """Set both rules, each derived from the other where it is missing."""
        self.vjp_rule, self.jvp_rule = vjp, jvp
        asked = (vjp or jvp or self.refuse())[1]
        self.asked = set(asked)
        inputs = self.asked.intersection(self.dynamic)
        self.keep = (*["xs"] * bool(inputs), *["out"] * ("out" in asked), "call")

    def refuse(self) -> Any:
        """Complain that there is no rule."""
        raise DeclarationError(
            f"`custom` needs a rule for `{self.name}`: a vjp, a jvp, or both. Without one, "
            "call the function as it is: its ops are differentiated."
        )

    def rule(self, rule: Function | None, what: str) -> Rule | None:
        """A rule beside the residuals that it names."""
        if rule is None:
            return None
        names = tuple(inspect.signature(rule).parameters)[1:]
        known = (*self.signature.parameters, "out")
        for name in names:
            if name not in known:
                raise DeclarationError(
                    f"the {what} of `{self.name}` names `{name}`; "
                    f"`{self.name}` has {', '.join(known)}"
                )
        return rule, names

    def perform(self, *args: Any, **kwargs: Any) -> Any:
        """The public function."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        call = Call()
        leaves: list[Any] = []
        for name, value in bound.arguments.items():
            if name in self.static:
                call.static[name] = self.still(name, value)
                continue
            some, paths, build = flatten(value, name)
            call.parts.append((name, slice(len(leaves), len(leaves) + len(some)), build))
            call.paths += paths
            leaves += [self.array(x, path) for x, path in zip(some, paths, strict=True)]
        call.specs = [spec(x) for x in leaves]
        call.levels = {level for x in leaves for level in levels(x)}
        out = self.call(*leaves, call=call)
        ends = [out] if call.ends is None else out
        return call.build_out([o if differentiable(spec(o)) else untracked(o) for o in ends])

    def still(self, name: str, value: Any) -> Any:
        """A static argument, which nothing is differentiated by."""
        if any(isinstance(x, Traced) for x in flatten(value)[0]):
            raise DataError(
                f"`{self.name}` was given a tracked value for its static argument `{name}`; it "
                "would have no derivative. Detach it, or do not call the argument static."
            )
        return value

    def array(self, x: Any, path: str) -> Any:
        """A leaf of an argument: an array, a number or a tracked value."""
        if isinstance(x, Traced) or type(x) in NUMBERS:
            return x
        try:
            return as_array(x, self.name)
        except DataError:
            raise DataError(
                f"`{self.name}` needs arrays, numbers or containers of them; {path} is a "
                f"{type(x).__name__}. Name the argument in `static` if it is none."
            ) from None

    def call(self, *xs: Any, call: Call) -> Any:
        """The op on any mixture of plain and tracked leaves; errors of `f` come out as they are."""
        traced = any(isinstance(x, Traced) for x in xs)
        return door(self, xs, {"call": call}) if traced else self.forward(NUMPY, *xs, call=call)

    def forward(self, xp: Any, *xs: Any, call: Call) -> Any:
        """`f` on plain leaves."""
        return self.closed(self.run(xs, call), call, -1)

    def closed(self, out: Any, call: Call, rest: int) -> Any:
        """`out`, where no value may hide of the level at hand, the leaves' next after `rest`."""
        here = min([level for level in call.levels if level > rest], default=np.inf)
        for o in [out] if call.ends is None else out:
            if max(levels(o), default=-1) >= here:
                raise DataError(
                    f"`{self.name}` uses a tracked value that is not among its arguments, so its "
                    "rule has no derivative for it. Pass it as an argument, or detach it."
                )
        return out

    def run(self, xs: Sequence[Any], call: Call) -> Any:
        """`f` itself; its output as leaves."""
        given = dict(zip([p[0] for p in call.parts], call.trees(xs), strict=True)) | call.static
        bound = inspect.BoundArguments(
            self.signature,
            {n: given[n] for n in self.signature.parameters},
        )
        out = self.f(*bound.args, **bound.kwargs)
        ends, paths, call.build_out = flatten(out, "output")
        call.ends = None if children(out) is None else paths
        ends = [o if isinstance(o, Traced) else as_array(o, self.name)[()] for o in ends]
        ends = [o.primal if isinstance(o, Tensor) and o.node is None else o for o in ends]
        return ends[0] if call.ends is None else tuple(ends)

    def labels(self, n: int, params: dict[str, Any]) -> tuple[str, ...]:
        """`xs` for the leaves of arguments that the rule names: the others are not kept."""
        labels = [""] * n
        for name, where, _ in params["call"].parts:
            if name in self.asked:
                labels[where] = ["xs"] * (where.stop - where.start)
        return tuple(labels)

    def pick(self, primals: Sequence[Any], out: Any, params: dict[str, Any]) -> Any:
        """What the tape keeps: what the rule names, leaf by leaf."""
        labels = self.labels(len(primals), params)
        xs = tuple([x if label else None for x, label in zip(primals, labels, strict=True)])
        kept = [dict(xs=xs, out=out, **params)[name] for name in self.keep]
        return kept[0] if len(kept) == 1 else tuple(kept)

    def vjp(self, ct: Any, kept: Any) -> list[Any]:
        """The pullback: cotangents of the output's leaves -> cotangents of the inputs'."""
        have = dict(zip(self.keep, kept if len(self.keep) > 1 else [kept], strict=True))
        call, xs, out = have["call"], have.get("xs", ()), have.get("out")
        cts = [ct] if call.ends is None else ct
        if self.vjp_rule is not None:
            return [own(b, cts) for b in self.pulled(cts, xs, out, call)]
        level = next_level()
        ts = [variable(np.zeros(*s)[()], level) for s in call.specs]
        with transposing(self.name, "jvp", "vjp"):
            ends = self.pushed(ts, xs, out, call, [spec(c) for c in cts])
            return pulled(nodes(ts, level), nodes(ends, level), cts)

    def jvp(
        self, tangents: Sequence[Any], primals: Sequence[Any], out: Any, params: dict[str, Any]
    ) -> Any:
        """The pushforward: tangents of the inputs' leaves, None for constants -> the output's."""
        call = params["call"]
        ends = [out] if call.ends is None else out
        specs = [spec(o) for o in ends]
        if self.jvp_rule is not None:
            full = [
                np.zeros(*s)[()] if t is None else fit(t, x)
                for t, x, s in zip(tangents, primals, call.specs, strict=True)
            ]
            moved = self.pushed(full, primals, out, call, specs)
        else:
            level = next_level()
            cts = [variable(np.zeros(*s)[()], level) for s in specs]
            with transposing(self.name, "vjp", "jvp"):
                backs = self.pulled(cts, primals, out, call)
                pairs = [
                    (project(b, x), fit(t, x))
                    for b, x, t in zip(backs, primals, tangents, strict=True)
                    if t is not None and b is not None
                ]
                moved = pulled(
                    nodes(cts, level), nodes([b for b, _ in pairs], level), [t for _, t in pairs]
                )
        moved = [m if differentiable(s) else None for m, s in zip(moved, specs, strict=True)]
        return moved[0] if call.ends is None else moved

    def pulled(self, cts: Sequence[Any], xs: Sequence[Any], out: Any, call: Call) -> list[Any]:
        """The user's vjp, leaf by leaf and checked."""
        rule, names = self.vjp_rule  # type: ignore[misc]
        ct = call.build_out(cts)
        back = self.told(rule, "vjp", ct, call.values(names, xs, out))
        likes = [build(call.paths[where]) for _, where, build in call.parts]
        if len(likes) == 1:
            back = (back,)
        elif type(back) not in (tuple, list) or len(back) != len(likes):
            raise ShapeError(
                f"the vjp of `{self.name}` must return a tuple of {len(likes)} cotangents, for "
                f"{', '.join(p[0] for p in call.parts)}; it returned {outline(back)}."
            )
        found = [leaf for like, b in zip(likes, back, strict=True) for leaf in self.paired(like, b)]
        return [
            self.checked("vjp", "cotangent", b, path, s)
            for (path, b), s in zip(found, call.specs, strict=True)
        ]

    def pushed(
        self, ts: Sequence[Any], xs: Sequence[Any], out: Any, call: Call, specs: Sequence[Any]
    ) -> list[Any]:
        """The user's jvp, leaf by leaf and checked."""
        rule, names = self.jvp_rule  # type: ignore[misc]
        trees = call.trees(ts)
        t = trees[0] if len(trees) == 1 else tuple(trees)
        moved = self.told(rule, "jvp", t, call.values(names, xs, out))
        like = call.build_out(["output"] if call.ends is None else call.ends)
        found = self.paired(like, moved)
        return [
            self.checked("jvp", "tangent", m, path, s)
            for (path, m), s in zip(found, specs, strict=True)
        ]

    def told(self, rule: Function, what: str, t: Any, values: Iterator[Any]) -> Any:
        """What a rule answers; its errors say whose it is."""
        try:
            return rule(t, *values)
        except Exception as error:
            error.add_note(f"in the {what} of `{self.name}`")
            raise

    def paired(self, like: Any, got: Any) -> list[tuple[str, Any]]:
        """The leaves that a rule returned, each with its path; None stands for zeros."""
        mine, theirs = children(like), children(got)
        if got is None:
            return [(path, None) for path in flatten(like)[0]]
        if mine is theirs is None:
            return [(like, got)]
        if mine is None or theirs is None or type(like) is not type(got) or mine[0] != theirs[0]:
            raise ShapeError(
                f"a rule of `{self.name}` must return the structure {outline(like)}; "
                f"it returned {outline(got)}."
            )
        return [x for a, b in zip(mine[1], theirs[1], strict=True) for x in self.paired(a, b)]

    def checked(self, what: str, kind: str, got: Any, path: str, wanted: Any) -> Any:
        """A leaf that a rule returned, of the shape and the kind of what it belongs to."""
        if got is None or not differentiable(wanted):
            return None
        if not isinstance(got, Traced):
            got = as_array(got, self.name)[()]
        form = f"{wanted[1]}{wanted[0]}"
        if shape(got) != wanted[0]:
            raise ShapeError(
                f"the {what} of `{self.name}` returned for {path}, {form}, "
                f"a {kind} {describe(got)}. It must have the same shape."
            )
        if got.dtype.kind == "c" and wanted[1].kind != "c":
            raise DataError(
                f"the {what} of `{self.name}` returned for {path}, {form}, "
                f"a {kind} {describe(got)}. Return its real part."
            )
        return got.astype(wanted[1]) if got.dtype.kind in "biu" else got


@contextmanager
def transposing(name: str, given: str, wanted: str) -> Iterator[None]:
    """A block in which one rule of an op is run backwards to have the other."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, (ConversionError, NoRuleError)) and type(error) is not TypeError:
            raise
        raise NoRuleError(
            f"`{name}` has a {given} alone; its {wanted} is the {given} transposed, and that "
            f"failed: {str(error).rstrip('.')}. Write the {given} with adjoint's functions, "
            f"or give a {wanted} too."
        ) from error


def spec(x: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype."""
    return shape(x), x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype


def differentiable(s: tuple[tuple[int, ...], Any]) -> bool:
    """True for shapes and dtypes of real and complex numbers."""
    return s[1].char in INEXACT


def levels(x: Any) -> Iterator[int]:
    """The levels at which a value is followed, innermost first."""
    while isinstance(x, Traced):
        yield x.level
        x = x.primal


def untracked(x: Any) -> Any:
    """An integer output: nothing is differentiated by it, but it may be batched or staged."""
    if isinstance(x, Batched):
        return Batched(untracked(x.primal), x.level)
    return untracked(x.primal) if isinstance(x, Traced) and not x.staged else x


def nodes(values: Sequence[Any], level: int) -> list[Any]:
    """Where the reverse pass starts, for each value that depends on the variables of `level`."""
    return [v.node if at_level(v, level) else None for v in values]


def own(back: Any, cts: Sequence[Any]) -> Any:
    """A cotangent in memory of its own: a rule may return an array that the user holds."""
    if type(back) is not np.ndarray or any(back is c for c in cts):
        return back
    return back.copy()


def mapped(op: Custom, args: list[Any], batched: list[bool], params: dict[str, Any]) -> Any:
    """The batching rule: `f` and its rules mapped; where `f` is not adjoint's, one by one."""
    call, mask = params["call"], tuple(batched)
    if mask not in op.maps:
        op.maps[mask] = mapping(op, batched)
    try:
        out = op.maps[mask](*args, call=call)
    except (ConversionError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        return looped(op, args, batched, params)
    return op.closed(out, call, max([level for a in args for level in levels(a)], default=-1))


Custom.batch = staticmethod(mapped)


def mapping(op: Custom, batched: list[bool]) -> Function:
    """`op` as a custom function of leaves of which those that are `batched` have one more axis."""
    axes = tuple([0 if b else None for b in batched])

    def f(*xs: Any, call: Any) -> Any:
        return vmap(lambda *one: op.run(one, call), axes)(*xs)

    def vjp(ct: Any, xs: Any, out: Any, call: Any) -> Any:
        single = call.ends is None

        def one(ct: Any, xs: Any, out: Any) -> Any:
            kept = op.pick(xs, out, {"call": call})
            return zeroed(op.vjp(ct, kept), call.specs)

        backs = vmap(one, (0, axes, 0))(ct if single else list(ct), xs, out)
        return tuple([b if m else sum_(b, 0) for b, m in zip(backs, batched, strict=True)])

    def jvp(tangents: Any, xs: Any, out: Any, call: Any) -> Any:
        single = call.ends is None

        def one(tangents: Any, xs: Any, out: Any) -> Any:
            moved = op.jvp(tangents, xs, out, {"call": call})
            ends = zeroed(
                [moved] if single else moved, [spec(o) for o in ([out] if single else out)]
            )
            return ends[0] if single else tuple(ends)

        return vmap(one, (axes, axes, 0))(tangents, xs, out)

    f.__name__ = op.name
    function: Function = custom(f, vjp, jvp, ("call",))
    return function


def zeroed(values: Sequence[Any], specs: Sequence[Any]) -> list[Any]:
    """Zeros in the place of None."""
    return [np.zeros(*s)[()] if v is None else v for v, s in zip(values, specs, strict=True)]


def custom(
    f: Function | None = None,
    vjp: Function | None = None,
    jvp: Function | None = None,
    static: Sequence[str | int] = (),
) -> Any:
    """`f` with a derivative of your own: custom : (x -> y), (ȳ, x, y -> x̄) -> (x -> y).

    f : a function of arrays, numbers and containers of them, and of static arguments
    vjp : `vjp(ct, ...)` -> the cotangent of the argument; of several arguments a tuple of them
    jvp : `jvp(t, ...)` -> the tangent of the output; of several arguments `t` is a tuple
    static : names or positions of the arguments that are no arrays; they have no derivative

    **A rule's parameter names are its residuals**: after the first, each is a parameter of `f`, or
    `out`, its output. What no rule names is not kept. Containers come and go as `f` has them; None
    stands for zeros. A constant's tangent comes as zeros. Integer arrays have no derivative.

    One rule is enough. A vjp is linear in `ct`, a jvp in `t`; the other is that map transposed, at
    about twice the cost of one written by hand. A rule is differentiated for higher orders and
    mapped by `vmap`, so it is then to be written with adjoint's functions. `f` itself is run on
    plain arrays, and may use anything; under `vmap` it is run on each example in turn if need be.
    What `f` takes from outside is differentiated through its own ops; a value of the level of its
    arguments is refused, for the rule says nothing of it. Nests in any order. As a decorator:

    >>> import adjoint as ad
    >>> @ad.custom(vjp=lambda ct, out: ct * (1 - out))
    ... def softplus(x):
    ...     return -ad.log(ad.sigmoid(-x))
    >>> ad.grad(softplus)(0.0)          # not the derivative, but what the rule says of it
    np.float64(0.3068528194400547)
    >>> ad.jvp(softplus, (0.0,), (2.0,))[1]
    np.float64(0.6137056388801094)
    """
    if f is None:
        return lambda f: custom(f, vjp, jvp, static)
    op = Custom(f, (static,) if isinstance(static, (str, int)) else static)
    op.ruled(op.rule(vjp, "vjp"), op.rule(jvp, "jvp"))
    function: Any = Wrapped(op.perform, custom, f, vjp, jvp, static)
    function.op = op
    return function


def stop_gradient(x: Any) -> Any:
    """`x`, a constant to every derivative at every level: stop_gradient : x -> x, x̄ = 0.

    x : an array, or a container of arrays; other leaves pass. Costs nothing. Nests with everything.

    >>> import adjoint as ad
    >>> ad.grad(lambda x: x * ad.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return tree_map(lambda leaf: leaf.detach() if isinstance(leaf, Traced) else leaf, x)


def straight_through(f: Function) -> Function:
    """`f` forward, the identity back: straight_through : (x -> x) -> (x -> x), x̄ = ȳ and ẏ = ẋ.

    f : a function of one array or container, whose output has its structure and shapes; it may use
        NumPy, for it is run on plain arrays (under `vmap` on adjoint's)

    For rounding, thresholds and codes, where the derivative is zero and of no use for training
    (Bengio, Léonard & Courville 2013). Costs one call of f. Nests with everything.

    >>> import adjoint as ad, numpy as np
    >>> ad.value_and_grad(ad.straight_through(np.round))(2.7)
    (np.float64(3.0), np.float64(1.0))
    """

    def through(x: Any) -> Any:
        out = f(x)
        ends, (leaves, paths, build) = flatten(out)[0], flatten(x, "x")
        if outline(out) != outline(x):
            raise ShapeError(
                f"`straight_through` needs an output of the structure of its input, {outline(x)}; "
                f"`{name_of(f)}` returned {outline(out)}."
            )
        for end, leaf, path in zip(ends, leaves, paths, strict=True):
            if shape(end) != shape(leaf):
                raise ShapeError(
                    "`straight_through` needs an output of the shape of its input, "
                    f"{shape(leaf)} at {path}; `{name_of(f)}` returned {shape(end)}."
                )
        return build([alike(e, leaf) for e, leaf in zip(ends, leaves, strict=True)])

    through.__name__ = name_of(f)
    op = Custom(through, ())
    op.ruled((lambda ct: ct, ()), (lambda t: t, ()))
    return Wrapped(op.perform, straight_through, f)


def alike(out: Any, x: Any) -> Any:
    """`out` in the dtype of `x`: truth values and integers become numbers that can be moved."""
    dtype = spec(x)[1]
    return (
        out
        if spec(out)[1] == dtype or dtype.char not in INEXACT
        else (out.astype(dtype) if hasattr(out, "astype") else dtype.type(out))
    )


def reverse_gradient(x: Any, scale: float = 1.0) -> Any:
    """`x`, whose derivative is turned round: reverse_gradient : x -> x, x̄ = -scale·ȳ, ẏ = -scale·ẋ.

    x : an array, or a container of arrays

    What lies behind it is trained to do the opposite (domain adaptation: Ganin & Lempitsky 2015).
    Costs one product in the backward pass. Nests with everything.

    >>> import adjoint as ad
    >>> ad.grad(lambda x: ad.reverse_gradient(x, 0.5) ** 2)(3.0)
    np.float64(-3.0)
    """
    return turned(x, scale)


def clip_gradient(x: Any, low: Any = None, high: Any = None, norm: float | None = None) -> Any:
    """`x`, whose cotangent is bounded: clip_gradient : x -> x, x̄ = clip(ȳ, low, high), ẏ = ẋ.

    x : an array, or a container of arrays
    low, high : bounds of each element of the cotangent; None for none
    norm : instead, the largest Euclidean norm of all of x together; a longer cotangent is shortened

    Tangents pass as they are. Costs two passes over the cotangent. Nests with everything; the
    cotangents of higher orders are bounded too.

    >>> import adjoint as ad
    >>> ad.grad(lambda x: ad.clip_gradient(x, -1.0, 1.0) ** 2)(3.0)
    np.float64(1.0)
    >>> import numpy as np
    >>> ad.grad(lambda x: (ad.clip_gradient(x, norm=1.0) ** 2).sum())(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """
    if (norm is None) == (low is None and high is None):
        raise DataError("`clip_gradient` needs bounds `low` and `high`, or a `norm`, not both.")
    if norm is not None and not norm > 0:
        raise DataError(f"`clip_gradient` needs a positive norm; it was given {norm!r}.")
    return clipped(x, low, high, norm)


def clipping(ct: Any, low: Any, high: Any, norm: Any) -> Any:
    """The bounded cotangent. The bound comes before the root, which has no slope at 0."""
    if norm is None:
        return tree_map(lambda c: clip(c, low, high), ct)  # type: ignore[no-untyped-call]
    squares = sum([sum_(real(c * c.conj())) for c in flatten(ct)[0]])
    factor = norm / sqrt(maximum(squares, norm * norm))
    return tree_map(lambda c: c * factor, ct)


turned = custom(
    lambda x, scale: x,
    vjp=lambda ct, scale: tree_map(lambda c: -scale * c, ct),
    jvp=lambda t, scale: tree_map(lambda d: -scale * d, t),
    static=("scale",),
)
clipped = custom(
    lambda x, low, high, norm: x, vjp=clipping, jvp=lambda t: t, static=("low", "high", "norm")
)
turned.op.name, clipped.op.name = "reverse_gradient", "clip_gradient"


__all__ = [
    "clip_gradient",
    "custom",
    "reverse_gradient",
    "stop_gradient",
    "straight_through",
]
