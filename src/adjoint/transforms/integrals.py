"""Integrals of functions, and differential equations: SciPy finds the value, these the derivative.

Whatever is differentiated is again an integral or a differential equation, and is given to the same
functions; so every mode nests to any order. What is computed at an order has the tolerances that
were asked for; so has its derivative, apart from what those tolerances leave in the solution.

    quad       ẏ = f(b) ḃ - f(a) ȧ + ∫ ∂f/∂θ θ̇ dx,  and back θ̄ = ȳ ∫ ∂f/∂θ dx
    odeint     ṡ = ∂f/∂y s + ∂f/∂θ θ̇ beside the solution,  and back from the end
               λ' = -λ ∂f/∂y,  θ̄' = -λ ∂f/∂θ,  where λ jumps by ȳ at each time asked for

Sources: L. S. Pontryagin et al., The Mathematical Theory of Optimal Processes (1962); R. T. Q. Chen
et al., Neural Ordinary Differential Equations, arXiv:1806.07366, section 2 and appendix B.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..backends.namespace import scipy
from ..core.batch import Batched
from ..core.traced import Traced, shape
from ..core.tree import flatten, tree_map
from ..errors import BatchError, ConversionError, DataError, IntegrationError, ShapeError
from ..ops.constant import greater_equal, isfinite
from ..ops.elementwise import real, safe_divide, where
from ..ops.reduce import sum as sum_
from ..ops.shape import concat, reshape, stack
from .custom import custom, stop_gradient
from .derivatives import jvp, lowest, numeric, vjp
from .ravel import cast, ravel_tree

Function = Callable[..., Any]


HALVINGS = 8
"""How often a solver's step is halved at most, for cubics to follow the solution."""
SLACK = 10.0
"""How many tolerances a cubic may miss the solution by."""


def quad(
    func: Function,
    a: Any,
    b: Any,
    args: Any = (),
    *,
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
    limit: int = 50,
    points: Any = None,
    complex_func: bool = False,
) -> tuple[Any, Any]:
    """The integral of func(x, *args) from a to b and an estimate of its error, as SciPy's `quad`.

    a, b : numbers, also infinite; their slopes are -f(a) and f(b), at infinity 0
    args : numbers, arrays or containers, which are differentiated under the integral sign

    Cost: one integral forward; one more for all args together in either mode. Any order. func is
    called on one number at a time, and with tracked ones for a derivative: write it with adjoint's
    functions. Under `vmap` each example is integrated in turn.
    Raises: DataError where func uses a tracked value that is not among its arguments.

    >>> import adjoint as ad, numpy as np
    >>> laplace = lambda k: ad.integrate.quad(lambda x, k: ad.exp(-k * x), 0, np.inf, (k,))[0]
    >>> round(ad.grad(laplace)(2.0), 9)
    np.float64(-0.25)
    """
    options = dict(epsabs=epsabs, epsrel=epsrel, limit=limit, points=points)
    method = Quadrature("quad", options, complex_func)
    return area(func, a, b, args if isinstance(args, tuple) else (args,), method)


def quad_vec(
    f: Function,
    a: Any,
    b: Any,
    epsabs: float = 1e-200,
    epsrel: float = 1e-8,
    norm: str = "2",
    limit: int = 10000,
    points: Any = None,
    *,
    args: Any = (),
) -> tuple[Any, Any]:
    """The integral of an array f(x, *args) from a to b and an estimate of its error; see `quad`.

    >>> import adjoint as ad, numpy as np
    >>> power = np.array([0.0, 1.0, 2.0])
    >>> ad.jvp(lambda b: ad.integrate.quad_vec(lambda x: x**power, 0, b)[0], (1.0,), (1.0,))[1]
    array([1., 1., 1.])
    """
    options = dict(epsabs=epsabs, epsrel=epsrel, norm=norm, limit=limit, points=points)
    method = Quadrature("quad_vec", options)
    return area(f, a, b, args if isinstance(args, tuple) else (args,), method)


def dblquad(
    func: Function,
    a: Any,
    b: Any,
    gfun: Any,
    hfun: Any,
    args: Any = (),
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
) -> tuple[Any, Any]:
    """The integral of func(y, x, *args) over x from a to b and y from gfun(x) to hfun(x).

    gfun, hfun : numbers or functions.  Beside it stands the estimated error of the outer integral.

    >>> import adjoint as ad
    >>> part = lambda r: ad.integrate.dblquad(lambda y, x: x * y, 0, r, 0, lambda x: x)[0]
    >>> round(ad.grad(part)(2.0), 9)
    np.float64(4.0)
    """

    def inner(x: Any, *args: Any) -> Any:
        low, high = (edge(x) if callable(edge) else edge for edge in (gfun, hfun))
        return quad(func, low, high, (x, *args), epsabs=epsabs, epsrel=epsrel)[0]

    return quad(inner, a, b, args, epsabs=epsabs, epsrel=epsrel)


class Quadrature:
    """How an integral is found by SciPy: the function of `scipy.integrate`, and its options."""

    def __init__(self, name: str, options: dict[str, Any], complex_func: bool = False) -> None:
        self.name, self.options = name, options
        self.more = {"complex_func": True} if complex_func else {}

    def __call__(self, f: Function, a: Any, b: Any) -> tuple[Any, Any]:
        """The integral of a function of one number, and its error."""
        return getattr(scipy("integrate"), self.name)(  # type: ignore[no-any-return]
            lambda x: untracked(f(x), self.name), a, b, **self.options, **self.more
        )

    def of_vectors(self) -> Quadrature:
        """The same for functions whose values are vectors."""
        if self.name == "quad_vec":
            return self
        return Quadrature("quad_vec", {k: v for k, v in self.options.items() if k != "limit"})


class Area:
    """One integral: f(x, free), its limits where nothing is differentiated by them, the method."""

    def __init__(self, f: Function, limits: tuple[Any, Any], method: Quadrature) -> None:
        self.f, self.limits, self.method = f, limits, method

    def ends(self, limits: Any) -> list[Any]:
        """Both limits, those of `limits` that are not None before our own."""
        return [own if x is None else x for own, x in zip(self.limits, limits, strict=True)]

    def at(self, x: Any, free: Any) -> Any:
        """f there; 0 at infinity, where f is evaluated at 1 in its stead."""
        there = isfinite(x)
        return where(there, self.f(where(there, x, 1.0), free), 0.0)


def area(f: Function, a: Any, b: Any, args: Any, method: Quadrature) -> tuple[Any, Any]:
    """The integral of f(x, *args) and its error, differentiated by whatever is tracked."""
    own, free = freed(f, args)
    limits = tuple([x if isinstance(x, Traced) else None for x in (a, b)])
    if not free and all(x is None for x in limits):
        return method(lambda x: f(x, *args), a, b)
    value, error = integral(limits, free, Area(own, (a, b), method))
    return value, error


def area_jvp(t: Any, limits: Any, free: Any, task: Area) -> Any:
    """ẏ = f(b) ḃ - f(a) ȧ + ∫ ḟ dx."""
    a, b = task.ends(limits)
    (da, db), dfree = t
    total: Any = 0.0
    if free:
        total = area(
            lambda x, free, dfree: jvp(lambda free: task.f(x, free), (free,), (dfree,))[1],
            a, b, (free, dfree), task.method,
        )[0]  # fmt: skip
    if da is not None:
        total = total - task.at(a, free) * da
    if db is not None:
        total = total + task.at(b, free) * db
    return total, None


def area_vjp(ct: Any, limits: Any, free: Any, task: Area) -> Any:
    """ā = -ȳ f(a),  b̄ = ȳ f(b),  and the integral of ȳ ∂f/∂θ for all θ as one vector."""
    a, b = task.ends(limits)
    ct, unravel = ct[0], ravel_tree(free)[1]
    backs = [
        None if x is None else sign * sum_(real(ct * task.at(x, free)))
        for x, sign in zip(limits, (-1.0, 1.0), strict=True)
    ]
    if not free:
        return tuple(backs), None

    def pulled(x: Any, free: Any, ct: Any) -> Any:
        return ravel_tree(vjp(lambda free: task.f(x, free), free)[1](ct)[0])[0]

    return tuple(backs), unravel(area(pulled, a, b, (free, ct), task.method.of_vectors())[0])


def quadrature(limits: Any, free: Any, task: Area) -> Any:
    """The integral of plain numbers."""
    plain_all((limits, free), task.method.name)
    value, error = task.method(lambda x: task.f(x, free), *task.ends(limits))
    return value, np.max(np.abs(error))


def odeint(
    func: Function,
    y0: Any,
    t: Any,
    args: Any = (),
    *,
    rtol: Any = None,
    atol: Any = None,
    tcrit: Any = None,
    h0: float = 0.0,
    hmax: float = 0.0,
    hmin: float = 0.0,
    mxstep: int = 0,
    tfirst: bool = False,
) -> Any:
    """The solution of y' = func(y, t, *args), y(t[0]) = y0, at the times t, as SciPy's `odeint`.

    y0 : (n,), real     t : (m,), increasing or decreasing     out : (m, n)
    args : numbers, arrays or containers of them;  y0, t and args are differentiated

    Forward mode solves the variational equation, of twice the size. Reverse mode solves the adjoint
    one from time to time backwards, beside the solution, which is found again, and followed by
    cubics through as many points as the tolerance asks for; so stiff equations are no harder back.
    Any order; rtol and atol are those of every equation that is solved. Under `vmap` each example
    is solved in turn. func is called with tracked values too: write it with adjoint's functions.
    Raises: DataError where func uses a tracked value that is not among its arguments;
    IntegrationError where SciPy says that it failed.

    >>> import adjoint as ad, numpy as np
    >>> decay = lambda y, t, k: -k * y
    >>> slope = ad.grad(lambda k: ad.integrate.odeint(decay, [1.0], [0.0, 1.0], (k,))[-1, 0])(2.0)
    >>> bool(abs(slope + np.exp(-2.0)) < 1e-6)
    True
    """
    field = func if tfirst else lambda t, y, *args: func(y, t, *args)
    options = dict(rtol=rtol, atol=atol, tcrit=tcrit, h0=h0, hmax=hmax, hmin=hmin, mxstep=mxstep)
    args = args if isinstance(args, tuple) else (args,)
    return trajectory(field, vector(t), vector(y0), args, Solver("odeint", options))


class Solution(NamedTuple):
    """The times of a solution, (m,), and its values there, (n, m)."""

    t: Any
    y: Any


def solve_ivp(
    fun: Function,
    t_span: Any,
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    *,
    args: Any = None,
    **options: Any,
) -> Solution:
    """The solution of y' = fun(t, y, *args), y(t_span[0]) = y0, by the methods of SciPy's.

    t_eval : the times of the columns of `y`; by default those of SciPy's steps, which count as
        constants but for the ends, and which `vmap` does not allow, for they differ among examples
    options : rtol, atol, max_step and what else SciPy's solver of that name takes
    out : a pair of `t`, (m,), and `y`, (n, m)

    y0, t_span, t_eval and args are differentiated as by `odeint`, which see; y0 may be complex.
    SciPy's rtol is 1e-3 where nothing else is said, and so coarse is then the derivative.
    Raises: as `odeint`; DataError for dense_output, events and vectorized.

    >>> import adjoint as ad, numpy as np
    >>> def last(w):
    ...     turn = lambda t, y: [y[1], -y[0]]
    ...     return ad.integrate.solve_ivp(turn, (0.0, w), [1.0, 0.0], rtol=1e-9, atol=1e-9).y[0, -1]
    >>> bool(abs(ad.grad(last)(np.pi / 2) + 1) < 1e-6)
    True
    """
    for name in "dense_output", "events", "vectorized":
        if options.get(name) is not None:
            raise DataError(
                f"`solve_ivp` of adjoint does not take `{name}`, for which it has no derivative; "
                "ask for the values at `t_eval`, or call SciPy's."
            )
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    y0, solver = vector(y0), Solver("solve_ivp", dict(method=method, **options))
    first, last = t_span
    if t_eval is None:
        plain = tree_map(lambda x: lowest(x) if isinstance(x, Traced) else x, (args, y0))
        if any(map(batched, flatten((t_span, args, y0))[0])):
            raise BatchError(
                "`solve_ivp` inside `vmap` needs `t_eval`: the steps differ among the examples."
            )
        steps = solver.steps(
            lambda t, y: fun(t, y, *plain[0]), lowest(first), lowest(last), plain[1]
        )
        times = vector([first, *steps[1:-1], last])
        return Solution(times, trajectory(fun, times, y0, args, solver).T)
    t_eval = vector(t_eval)
    times = concat([vector([first]), t_eval, vector([last])])
    return Solution(t_eval, trajectory(fun, times, y0, args, solver)[1:-1].T)


class Solver:
    """How an equation is solved by SciPy: the function of `scipy.integrate`, and its options."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name, self.options = name, options

    def __call__(self, f: Function, times: Any, y0: Any) -> Any:
        """The solution of y' = f(t, y) at times of which neighbours may be equal, one a row."""
        moved = np.append(True, times[1:] != times[:-1])
        distinct = times[moved]
        y0 = y0 if y0.dtype.kind == "c" else y0.astype(np.float64)
        if len(distinct) < 2 or not y0.size:
            return np.stack([y0] * len(times))
        if self.name != "odeint":
            found = self.solved(f, distinct[0], distinct[-1], y0, t_eval=distinct).y.T
            return found[np.cumsum(moved) - 1]
        library = scipy("integrate")
        with warnings.catch_warnings():
            warnings.simplefilter("error", library.ODEintWarning)
            try:
                found = library.odeint(f, y0, distinct, tfirst=True, **self.options)
            except library.ODEintWarning as warning:
                reason = str(warning).partition(" Run with")[0]
                raise IntegrationError(f"`odeint` did not reach the end: {reason}") from None
        return found[np.cumsum(moved) - 1]

    def steps(self, f: Function, first: Any, last: Any, y0: Any) -> Any:
        """The times at which SciPy's own steps end."""
        size = shape(y0)
        return self.solved(
            lambda t, y: untracked(field(f, t, y, size), self.name), first, last, y0
        ).t

    def solved(self, f: Function, first: Any, last: Any, y0: Any, **more: Any) -> Any:
        """SciPy's result."""
        found = scipy("integrate").solve_ivp(f, (first, last), y0, **self.options, **more)
        if not found.success:
            raise IntegrationError(f"`solve_ivp` did not reach the end: {found.message}")
        return found

    def derived(self) -> Solver:
        """The same for an equation made from this one, which may have another number of unknowns.

        For `odeint` that is the same method step by step, which has no limit of their number.
        """
        lost = ("jac", "jac_sparsity", "lband", "uband", "first_step", "vectorized")
        options = {k: v for k, v in self.options.items() if k not in lost}
        if self.name == "odeint":
            options = {"method": "LSODA", "rtol": 1.5e-8, "atol": 1.5e-8}
            options |= {k: self.options[k] for k in ("rtol", "atol") if self.options[k] is not None}
        for name in "rtol", "atol":
            if name in options:
                options[name] = np.min(options[name])
        return Solver("solve_ivp", options)

    def places(self, f: Function, first: Any, last: Any, y0: Any) -> Any:
        """Fractions of the way from `first` to `last` between which cubics are close enough."""
        found = self.solved(f, first, last, y0, dense_output=True)
        rtol, atol = self.options.get("rtol", 1e-3), self.options.get("atol", 1e-6)
        places = (found.t - first) / (last - first)
        for _ in range(HALVINGS):
            times = first + (last - first) * places
            y = found.sol(times).T
            rates = np.stack([f(t, one) for t, one in zip(times, y, strict=True)])
            steps = np.diff(times)[:, None]
            cubic = (y[1:] + y[:-1]) / 2 - steps / 8 * np.diff(rates, axis=0)
            want = found.sol((times[1:] + times[:-1]) / 2).T
            far = np.any(np.abs(cubic - want) > SLACK * (atol + rtol * np.abs(want)), axis=1)
            new = ((places[1:] + places[:-1]) / 2)[far]
            if not new.size:
                break
            places = np.union1d(places, new)
        return places


def trajectory(f: Function, times: Any, y0: Any, args: Any, solver: Solver) -> Any:
    """The solution of y' = f(t, y, *args) at `times`, differentiated by whatever is tracked."""
    own, free = freed(f, args)
    task = Course(own, None if isinstance(times, Traced) else times, shape(y0), solver)
    if task.times is not None and not free and not isinstance(y0, Traced):
        return task.solved(times, y0, free)
    return course(times if task.times is None else None, y0, free, task)


class Course:
    """One equation: f(t, y, free), the times if they are plain, the shape of y, the solver."""

    def __init__(self, f: Function, times: Any, size: tuple[int, ...], solver: Solver) -> None:
        self.f, self.times, self.size, self.solver = f, times, size, solver

    def at(self, t: Any, y: Any, free: Any) -> Any:
        """y' as a vector."""
        return field(lambda t, y: self.f(t, y, free), t, y, self.size)

    def solved(self, times: Any, y0: Any, free: Any) -> Any:
        """The solution of plain numbers."""
        return self.solver(functools.partial(self.plain, free=free), times, y0)

    def back(self, late: Any, early: Any, before: Any, adjoint: Any, total: Any, free: Any) -> Any:
        """(λ, θ̄) at the time `early`, where y is `before`, from (λ, θ̄) at the time `late`."""
        places = self.places(early, late, before, free)
        later = stop_gradient(early) + stop_gradient(late - early) * places[1:]
        times = concat([reshape(early, (1,)), later])
        y = trajectory(self.f, times, before, (free,), self.solver.derived())
        rates = stack([self.at(times[i], y[i], free) for i in range(len(places))])
        start, unravel = ravel_tree((adjoint, total))

        def reverse(t: Any, state: Any, free: Any, times: Any, y: Any, rates: Any) -> Any:
            here = between(t, times, y, rates, places)
            _, pull = vjp(lambda y, free: self.at(t, y, free), here, free)
            return ravel_tree(tree_map(lambda c: -c, pull(unravel(state)[0])))[0]

        way = trajectory(
            reverse, stack([late, early]), start, (free, times, y, rates), self.solver.derived()
        )
        return unravel(way[-1])

    def places(self, early: Any, late: Any, y: Any, free: Any) -> Any:
        """Fractions of the way at which cubics follow the solution within the tolerance."""
        found = np.array([0.0, 1.0])
        for first, last, start, *leaves in examples([early, late, y, *free]):
            if first != last:
                rate = functools.partial(self.plain, free=leaves)
                found = np.union1d(found, self.solver.derived().places(rate, first, last, start))
        return found

    def plain(self, t: Any, y: Any, free: Any) -> Any:
        """y' of plain numbers."""
        return untracked(self.at(t, y, free), self.solver.name)


def course_jvp(tangents: Any, times: Any, y0: Any, free: Any, task: Course) -> Any:
    """ẏ by the variational equation, beside y; a moved time moves y along the equation."""
    dt, dy0, dfree = tangents
    (n,) = task.size
    at = task.times if times is None else times
    if times is not None:
        dy0 = dy0 - task.at(at[0], y0, free) * dt[0]

    def both(t: Any, z: Any, free: Any, dfree: Any) -> Any:
        pair = (z[:n], free), (z[n:], dfree)
        return concat(jvp(lambda y, free: task.at(t, y, free), *pair))

    z = trajectory(both, at, concat([y0, dy0]), (free, dfree), task.solver.derived())
    if times is None:
        return z[:, n:]
    rates = [task.at(at[k], z[k, :n], free) * dt[k] for k in range(shape(at)[0])]
    return z[:, n:] + stack(rates)


def course_vjp(ct: Any, times: Any, y0: Any, free: Any, out: Any, task: Course) -> Any:
    """From the last time to the first: λ jumps by the cotangent of each, and runs back between."""
    at = task.times if times is None else times
    moved, ct = [], cast(ct, out.dtype)

    def pushed(k: int, weight: Any) -> None:
        if times is not None:
            moved.append(sum_(real(weight * task.at(at[k], out[k], free))))

    adjoint, total = ct[-1], tree_map(lambda x: numeric(x) * 0.0, free)
    for k in range(shape(at)[0] - 1, 0, -1):
        pushed(k, ct[k])
        adjoint, total = task.back(at[k], at[k - 1], out[k - 1], adjoint, total, free)
        if k > 1:
            adjoint = adjoint + ct[k - 1]
    if shape(at)[0] > 1:
        pushed(0, -adjoint)
        adjoint = adjoint + ct[0]
    else:
        moved.append(sum_(real(adjoint * 0.0)))
    return None if times is None else stack(moved[::-1]), adjoint, total


def solution(times: Any, y0: Any, free: Any, task: Course) -> Any:
    """The solution of plain numbers."""
    plain_all((times, y0, free), task.solver.name)
    return task.solved(task.times if times is None else times, y0, free)


integral: Any = custom(quadrature, vjp=area_vjp, jvp=area_jvp, static=("task",))
course: Any = custom(solution, vjp=course_vjp, jvp=course_jvp, static=("task",))


def freed(f: Function, args: Sequence[Any]) -> tuple[Function, list[Any]]:
    """f(..., free) for f(..., *args), where `free` are the leaves of args that are tracked."""
    leaves, _, rebuild = flatten(tuple(args))
    where_free = [i for i, x in enumerate(leaves) if isinstance(x, Traced)]
    still = [None if isinstance(x, Traced) else x for x in leaves]

    def own(*given: Any) -> Any:
        full = list(still)
        for i, x in zip(where_free, given[-1], strict=True):
            full[i] = x
        return f(*given[:-1], *rebuild(full))

    return own, [leaves[i] for i in where_free]


def field(f: Function, t: Any, y: Any, size: tuple[int, ...]) -> Any:
    """f(t, y), which may be a list or a number, as a vector of the shape of y."""
    rate = vector(f(t, y))
    if shape(rate) != size:
        raise ShapeError(
            f"the right-hand side must have the shape of y, {size}; it returned {shape(rate)}."
        )
    return rate


def vector(x: Any) -> Any:
    """An array, a number or a list of numbers, tracked or not, as floats with one axis."""
    if isinstance(x, (list, tuple)) and any(isinstance(one, Traced) for one in x):
        x = stack([reshape(numeric(one), ()) for one in x])
    elif not isinstance(x, Traced):
        x = np.asarray(x)
        x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    return x if shape(x) else reshape(x, (1,))


def untracked(value: Any, who: str) -> Any:
    """What a function returned for plain numbers, which must be plain."""
    if isinstance(value, Traced):
        raise DataError(
            f"the function given to `{who}` uses a tracked value that is not among its arguments; "
            "its derivative would be lost. Pass it in `args`, or detach it."
        )
    return value


def plain_all(tree: Any, who: str) -> None:
    """Refuse values that SciPy cannot take: then each example of a batch is taken by itself."""
    if any(isinstance(x, Traced) for x in flatten(tree)[0]):
        raise ConversionError(f"`{who}` is computed by SciPy, of plain numbers.")


def batched(x: Any) -> bool:
    """True for a value that stands for several."""
    while isinstance(x, Traced) and not isinstance(x, Batched):
        x = x.primal
    return isinstance(x, Batched)


def examples(values: Sequence[Any]) -> Iterator[list[Any]]:
    """The plain arrays inside all levels, for each example that batched values stand for."""
    while any(isinstance(x, Traced) and not isinstance(x, Batched) for x in values):
        values = [
            x.primal if isinstance(x, Traced) and not isinstance(x, Batched) else x for x in values
        ]
    level = max([x.level for x in values if isinstance(x, Batched)], default=None)
    if level is None:
        yield list(values)
        return
    here = [isinstance(x, Batched) and x.level == level for x in values]
    n = next(shape(x.primal)[0] for x, h in zip(values, here, strict=True) if h)
    for i in range(n):
        yield from examples([x.primal[i] if h else x for x, h in zip(values, here, strict=True)])


def between(t: Any, times: Any, y: Any, rates: Any, places: Any) -> Any:
    """The cubic of Hermite at t, from values and slopes at the times on both sides of it."""
    way = safe_divide(t - times[0], times[-1] - times[0])  # type: ignore[no-untyped-call]
    passed = greater_equal(way, places[1:-1])
    if batched(passed):
        steps = concat([[1.0], passed * 1.0, [0.0]])
        near = steps[:-1] - steps[1:]
        t0, y0, r0, t1, y1, r1 = (
            near @ x[i : len(x) - 1 + i] for i in (0, 1) for x in (times, y, rates)
        )
    else:
        k = int(np.sum(passed))
        t0, y0, r0, t1, y1, r1 = (x[k + i] for i in (0, 1) for x in (times, y, rates))
    h = t1 - t0
    u = safe_divide(t - t0, h)  # type: ignore[no-untyped-call]
    rise, r0, r1 = y1 - y0, h * r0, h * r1
    return y0 + u * (r0 + u * (3 * rise - 2 * r0 - r1 + u * (r0 + r1 - 2 * rise)))


__all__ = ["Solution", "dblquad", "odeint", "quad", "quad_vec", "solve_ivp"]
