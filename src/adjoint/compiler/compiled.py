"""A function that is traced once for each kind of arguments, and then runs as native code.

A call whose arguments and surroundings are as in an earlier one goes to native code directly. Any
other comes to `Compiled.arrive`, which finds the plan for such arguments or makes one. What cannot
be traced runs eagerly, after one warning.
"""

from __future__ import annotations

import gc
import inspect
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..core.traced import Traced
from ..core.tree import flatten, tree_map
from ..errors import AdjointError, CompileError
from ..transforms.function import name_of
from . import paths
from .branches import runner as branching
from .cache import key_of
from .following import Follower, kind_of
from .graph import Node
from .interpret import runner
from .layout import self_test
from .plan import Plan, planned
from .report import Lowering, report
from .trace import Trace, Unstageable, trace
from .vectorcall import Link, Native, vectorcall

Function = Callable[..., Any]
CHAIN = 4  # plans that native code tries one after another before it comes to Python
MANY = 64  # plans that a function may have; beyond them new kinds of arguments run eagerly
STRAYS = 8  # calls that led to no new path, after which such calls are traced ever more seldom
QUICK = 0.1  # seconds of a compilation up to which each new path is worth one
RESTLESS = 8  # plans for one kind of arguments, as what stands outside changes
FAULTS = (
    AdjointError, ArithmeticError, AssertionError, AttributeError, LookupError, OSError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
ROOM = str(Path(__file__).parents[1])


class CompileWarning(UserWarning):
    """A compiled function runs eagerly, or baked in what it cannot watch; it says why and where."""


@vectorcall
class Door(Native):
    """The way into the code of one plan, from Python."""

    __slots__ = ()


@vectorcall
class Compiled(Native):
    """A function that compiles itself for the kinds of arguments it is called with.

    plans   by kind of arguments, what was made of them
    """

    __slots__ = ()

    def __init__(self, f: Function, background: bool = False, cache: bool = True) -> None:
        super().__init__(self.arrive, self.stray)
        self.f, self.background, self.cache = f, background, cache
        self.plans: dict[Any, Plan] = {}
        self.said: set[str] = set()
        self.making: set[Any] = set()
        self.follower = Follower(self)
        self.__wrapped__ = f
        self.__name__ = name_of(f)
        self.__qualname__ = getattr(f, "__qualname__", self.__name__)
        self.__module__ = getattr(f, "__module__", __name__)
        self.__doc__ = inspect.getdoc(f)

    def arrive(self, *args: Any, **kwargs: Any) -> Any:
        """A call that no native code takes: by a plan made before or now, or eagerly."""
        leaves, _, rebuild = flatten((args, kwargs))
        if any(isinstance(x, Traced) for x in leaves):
            return self.follower.follow(leaves, rebuild)
        if any(isinstance(x, np.ndarray) and not x.flags.aligned for x in leaves):
            args, kwargs = rebuild([own(x) for x in leaves])
            return self(*args, **kwargs)
        key = kind_of_call(args, kwargs)
        plan = self.found(key)
        if plan is None:
            if self.background:
                self.make_aside(key, args, kwargs)
                return self.f(*args, **kwargs)
            plan = self.make(key, args, kwargs)
            if plan.kind == "eager":
                try:
                    out = self.f(*args, **kwargs)  # its errors come before the warning
                except Exception:
                    self.plans.pop(key, None)  # other arguments may have none
                    raise
                self.warn(f"`{self.__name__}` runs eagerly: {plan.reason}")
                return out
        if plan.door is not None:
            return plan.door(*args, **kwargs)
        return self.step(plan, leaves, args, kwargs, self.stray)

    def found(self, key: Any) -> Plan | None:
        """The plan for a kind of arguments whose guards hold, put in front of the others."""
        newest = plan = self.plans.get(key)
        newer = None
        while plan is not None and not plan.holds():
            newer, plan = plan, plan.older
        if plan is not None and newer is not None:
            newer.older, plan.older, self.plans[key] = plan.older, newest, plan
            self.link = plan.link or self.link
        return plan

    def stray(self, *args: Any, **kwargs: Any) -> Any:
        """A call that left the known paths, or failed a check: it adds a path, or runs eagerly."""
        leaves = flatten((args, kwargs))[0]
        key = kind_of_call(args, kwargs)
        before = self.found(key)
        if before is None or before.trace is None or before.trace.tree is None:
            return self.f(*args, **kwargs)
        if before.strays > STRAYS and before.strays & (before.strays - 1):
            before.strays += 1
            self.warn(
                f"`{self.__name__}` runs eagerly where its decisions lead to none of the "
                f"{len(paths.leaves(before.trace.tree))} paths that are compiled."
            )
            return self.f(*args, **kwargs)
        if self.background:
            self.make_aside(key, args, kwargs)
            return self.f(*args, **kwargs)
        plan = self.make(key, args, kwargs)
        if plan.hindrance:
            out = self.f(*args, **kwargs)  # its errors come before the warning
            self.hindered(plan)
            return out
        if plan.link is not None:
            once = Door(miss=self.f, again=self.f)
            once.link = plan.link
            return once(*args, **kwargs)
        return self.step(plan, leaves, args, kwargs, self.f)

    def step(
        self, plan: Plan, leaves: Sequence[Any], args: Any, kwargs: Any, again: Function
    ) -> Any:
        """The call by a plan that Python runs; `again` is called where it failed a check."""
        trace = plan.trace
        if plan.call is None or trace is None:
            return self.f(*args, **kwargs)
        given = [x for x, n in zip(leaves, trace.leaves, strict=True) if isinstance(n, Node)]
        try:
            found = plan.call(given)
        except CompileError:  # a function of the backend made something else than in the trace
            return self.f(*args, **kwargs)
        last = len(trace.nodes)
        if any(found[last:]):
            return again(*args, **kwargs)
        return trace.pack(trace.plain(found[:last]))

    def make(self, key: Any, args: Any, kwargs: Any) -> Plan:
        """The plan for these arguments, made and put in place.

        Where there is one it learns the path of these arguments, if they go one that it has not.
        """
        before = self.plans.get(key)
        known = (before.learnt or before.trace) if before and before.holds() else None
        if known is not None and known.tree is None:
            known = None
        try:
            with calm():
                plan = self.made(before, known, args, kwargs)
        except Unstageable as reason:
            plan = Plan(None, f"{reason}.")
        if before is not None and known is not None:
            if plan.kind == "eager":
                return self.unchanged(before, plan)
            plan.older, plan.age = before.older, before.age
            plan.compilations = before.compilations + 1
        elif before is not None:
            plan.older, plan.age = before, before.age + 1
        self.plans[key] = plan
        for warning in plan.trace.warnings if plan.trace else ():
            self.warn(f"`{self.__name__}`: {warning}")
        if plan.link is not None:
            plan.door = Door(miss=self.f, again=self.stray)
            plan.door.link = self.link = plan.link
        return plan

    def unchanged(self, before: Plan, plan: Plan) -> Plan:
        """The plan `before`, which a trace has taught no path: known already, or not to be had."""
        before.hindrance = plan.reason
        if plan.trace is not None and plan.trace.is_new:
            before.learnt, before.waiting = plan.trace, before.waiting + 1
        elif self.link is before.link:
            before.strays += plan.trace is not None
        else:  # another thread has learnt it meanwhile, or put an older link in front
            self.link = before.link
        return before

    def hindered(self, plan: Plan) -> None:
        """Say of what keeps a plan from learning a path, and count it."""
        plan.strays += 1
        self.warn(f"`{self.__name__}` runs eagerly on some paths: {plan.hindrance}")

    def made(self, before: Plan | None, known: Trace | None, args: Any, kwargs: Any) -> Plan:
        """Trace, and what follows; after a fault of ours on the way the function runs eagerly.

        known   the trace of `before`, if that is to learn another path
        """
        if before is None and len(self.plans) >= MANY:
            raise Unstageable(f"it was compiled for {MANY} kinds of arguments already")
        if known is None and before and before.trace and before.age >= RESTLESS:
            names = ", ".join(f"`{g.name}`" for g in before.trace.guards if not g.holds())
            raise Unstageable(f"{names} outside it changes again and again; pass it as an argument")
        start = time.perf_counter()
        traced = trace(self.f, args, kwargs, known)
        plan = Plan(traced)
        plan.stages["trace"] = time.perf_counter() - start
        if known is not None and before is not None and not is_due(before, traced):
            return plan
        plan.lay_out(flatten((args, kwargs))[0])
        plan.reason = self_test() or ""
        if plan.reason:
            tree, graph = traced.tree, traced.graph
            plan.kind, plan.call = "graph", branching(graph, tree) if tree else runner(graph)
            return plan
        try:
            following = self.link if length(self.link) < CHAIN else None
            if before is not None:
                following = following.following if following and following is before.link else None
            return planned(plan, args, kwargs, following, self.cache)
        except FAULTS as error:
            what = f"compiling it failed: {type(error).__name__}: {error}"
            raise Unstageable(what) from error

    def make_aside(self, key: Any, args: Any, kwargs: Any) -> None:
        """Make a plan in another thread, unless one is at it."""
        if key in self.making:
            return
        self.making.add(key)
        args, kwargs = tree_map(own, (args, kwargs))

        def work() -> None:
            try:
                plan = self.make(key, args, kwargs)
                if plan.kind == "eager":
                    self.warn(f"`{self.__name__}` runs eagerly: {plan.reason}")
                elif plan.hindrance:
                    self.hindered(plan)
            finally:
                self.making.discard(key)

        threading.Thread(target=work, daemon=True, name=f"compile {self.__name__}").start()

    def warn(self, text: str) -> None:
        """Say something once, where the user called."""
        if text in self.said:
            return
        self.said.add(text)
        depth, frame = 1, sys._getframe()
        while frame.f_back is not None and frame.f_code.co_filename.startswith(ROOM):
            depth, frame = depth + 1, frame.f_back
        warnings.warn(text, CompileWarning, stacklevel=depth)

    def lower(self, *args: Any, **kwargs: Any) -> Lowering:
        """What becomes of the function for such arguments, to be read; nothing is run.

        `.text()` is the graph as traced, `.optimised()` the graph after the passes, `.program()`
        the loops and what they read and write, `.llvm()` the code given to LLVM.

        Raises: CompileError where the function cannot be compiled for them; it says why.

        >>> import adjoint as ad, numpy as np
        >>> f = ad.compile(ad.grad(lambda x: ad.sum(x * x)))
        >>> print(f.lower(np.ones(3)).program())
        loop over [3]: multiply of input 0 float64[3] -> output 0 float64[3]
        48 bytes moved a call; inputs and outputs have 48
        """
        return Lowering(self.f, args, kwargs)

    def report(self) -> str:
        """What was traced, fused, left to the backend and guarded, and how long each stage took."""
        return report(self.__name__, self.plans.values())

    def clear(self) -> None:
        """Forget all plans: the next call traces anew."""
        self.link = None
        self.plans.clear()
        self.follower = Follower(self)

    def __reduce__(self) -> Any:
        """By name where the name stands for this very function, as after a decorator."""
        found: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            found = getattr(found, part, None)
        options = self.f, self.background, self.cache
        return self.__qualname__ if found is self else (again, options)

    def __repr__(self) -> str:
        return f"<compiled {self.__name__}>"


@contextmanager
def calm() -> Iterator[None]:
    """A block without garbage collection: graphs are many objects, and all of them in use."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def length(link: Link | None) -> int:
    """How many links native code would try."""
    count = 0
    while link is not None:
        count, link = count + 1, link.following
    return count


def is_due(plan: Plan, traced: Trace) -> bool:
    """Whether a plan is to be compiled anew after this trace, with the paths it has learnt.

    Where that takes long, a path is compiled when it is taken again, or many are waiting.
    """
    if not traced.is_new:
        return plan.waiting > 0
    took = sum([seconds for stage, seconds in plan.stages.items() if stage != "trace"])
    return took < QUICK or plan.waiting + 1 >= len(paths.leaves(traced.tree)) / 4


def kind_of_call(args: Any, kwargs: dict[str, Any]) -> Any:
    """What a plan depends on in the arguments."""
    return tuple([kind_of(x) for x in (args, *kwargs.items())])


def own(x: Any) -> Any:
    """A copy of an array, which nobody else changes and which lies as it should."""
    return x.copy() if isinstance(x, np.ndarray) else x


def again(f: Function, background: bool, cache: bool) -> Compiled:
    """The compiled function of these options, in another process."""
    return Compiled(f, background, cache)


def compile(f: Function | None = None, *, background: bool = False, cache: bool = True) -> Any:
    """`f` as native code: compile : (x -> y) -> (x -> y), the same values sooner.

    f : a function of arrays, numbers and containers of them, written with adjoint's or NumPy's
        functions, transforms among them; as a decorator too
    background : compile in another thread, and run eagerly until that is done
    cache : look for code on disk, and leave it there, see `ADJOINT_CACHE` in docs/compile.md

    The first call for each kind of arguments traces f: it runs once on values that stand for the
    arguments, and what it does with them is written down, derivatives and all. Later calls run the
    program: loops fused into one pass over the data, what is no loop (a product of matrices, a
    decomposition) by NumPy's function. Baked in, and guarded, are shapes, strides and dtypes,
    arguments that are no arrays or floats, and what f takes from outside. Python's own effects
    (prints, counters) happen in the trace alone. Results are new arrays; they equal the eager
    ones to rounding (4 ulp in each elementwise op, 1e-12 in sums of float64).

    Nests: `compile(grad(f))` compiles the gradient with the value it needs; `grad(compile(f))`
    differentiates a compiled function by compiled derivatives, to any order, by `vmap` too.

    Where f decides by a value (`if x > 0:`, `while`, `int(x)`) each path is traced when a call
    first takes it, and the program branches. Where it asks for an array (`np.asarray`), or takes
    more than 32 paths, it runs eagerly, after a `CompileWarning` that names the line.
    Without llvmlite the program runs op by op: `report()` says so.

    Raises: TypeError where f is no function.

    >>> import adjoint as ad, numpy as np
    >>> @ad.compile
    ... def loss(w, x, y):
    ...     return ad.mean((x @ w - y) ** 2)
    >>> x, y = np.eye(3), np.arange(3.0)
    >>> loss(np.ones(3), x, y)
    np.float64(0.6666666666666666)
    >>> step = ad.compile(ad.value_and_grad(loss))
    >>> step(np.ones(3), x, y)[1].round(3)
    array([ 0.667,  0.   , -0.667])
    """
    if f is None:
        return lambda f: compile(f, background=background, cache=cache)
    if not callable(f):
        raise TypeError(f"`compile` needs a function; it was given {f!r}.")
    if self_test() is None and cache:
        key_of()  # looks at what all code here depends on, once in a process, before a call waits
    return f if isinstance(f, Compiled) else Compiled(f, background, cache)


__all__ = ["CompileWarning", "compile"]
