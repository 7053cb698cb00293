"""Minimisation over containers: SciPy's methods, first-order steps, and the loop around them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice, repeat
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ..core.traced import Traced
from ..core.tree import flatten, matching
from ..errors import DataError, OptimisationError, ShapeError
from ..ops.elementwise import conj, sqrt
from ..ops.rules import zeros_like
from .derivatives import checked, grad, lowest, require_scalar, value_and_grad
from .function import name_of
from .jacobians import hvp, jacobian
from .ravel import ravel_tree

Function = Callable[..., Any]
VALUES_ONLY = {"nelder-mead", "powell", "cobyla", "cobyqa"}
PRODUCTS = {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}
HESSIANS = {"dogleg", "trust-exact"}
FINITE = {"l-bfgs-b", "tnc"}  # SciPy's stop at a value of infinity, the former reporting success


def optional(module: str, extra: str, who: str) -> Any:
    """A module of an optional library; where it is missing, the error says how to get it."""
    try:
        return import_module(module)  # why: optional and heavy
    except ImportError as error:
        name = module.partition(".")[0]
        raise ImportError(
            f'{who} needs {name} ({error}). Install it: pip install "adjoint[{extra}]"'
        ) from error


@dataclass
class History:
    """What a minimisation went through: the value at each step, and the seconds since its start.

    The values are plain numbers, without derivative. aux : what a loss with has_aux returned.

    >>> import adjoint as ad
    >>> _, history = ad.descend(lambda x: x * x, 8.0, ad.sgd(0.25), steps=3)
    >>> history.values
    [64.0, 16.0, 4.0]
    """

    values: list[Any] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    aux: list[Any] = field(default_factory=list)
    begun: float = field(default_factory=perf_counter, repr=False)

    @property
    def steps(self) -> range:
        """The number of each value: that of step k was found after k updates."""
        return range(len(self.values))

    def add(self, value: Any) -> None:
        """Note the value of the next step."""
        self.values.append(value)
        self.seconds.append(perf_counter() - self.begun)

    def plot(self, path: Any = None) -> Any:
        """The values over the steps as a Matplotlib figure, saved where a path is given."""
        module = optional("matplotlib.figure", "show", "`History.plot`")
        figure = module.Figure(layout="constrained")
        axes = figure.add_subplot(xlabel="step", ylabel="value")
        axes.plot(self.steps, self.values)
        if self.values and np.min(self.values) > 0:
            axes.set_yscale("log")
        if path is not None:
            figure.savefig(path)
        return figure


@contextmanager
def bar(wanted: bool, label: str, total: int | None) -> Iterator[Callable[[Any], None]]:
    """A function to call with each value: it moves a bar, if one is wanted and on a terminal."""
    if not (wanted and sys.stdout.isatty()):
        yield lambda value: None
        return
    rich = optional("rich.progress", "show", "a progress bar")
    columns = [*rich.Progress.get_default_columns(), rich.TextColumn("{task.fields[value]}")]
    with rich.Progress(*columns, transient=True) as bars:
        task = bars.add_task(label, total=total, value="")
        yield lambda value: bars.update(task, advance=1, value=f"{np.mean(value):.6g}")


def not_finite(tree: Any, name: str) -> str:
    """The paths to the leaves of `tree` that hold NaN or infinity."""
    leaves, paths, _ = flatten(tree)
    found = [not np.isfinite(lowest(x)).all() for x in leaves]
    return ", ".join(name + path for path, bad in zip(paths, found, strict=True) if bad)


def minimize(
    f: Function, x0: Any, args: tuple[Any, ...] = (), method: Any = "L-BFGS-B", bounds: Any = None,
    constraints: Any = (), tol: float | None = None, callback: Function | None = None,
    options: dict[str, Any] | None = None, progress: bool = False, history: bool = False,
) -> Any:  # fmt: skip
    """A minimum of `f(x, *args)` near x0, found by `scipy.optimize` from exact derivatives.

    x0 : a container of real arrays; f, callback and the constraints are given such containers
    method : any of SciPy's. Newton-CG, trust-ncg, trust-krylov and trust-constr are handed
        Hessian-vector products, dogleg and trust-exact the Hessian, all but the derivative-free
        methods the gradient
    bounds : a container like x0 with (low, high) or None at each leaf, low and high None, numbers
        or arrays that broadcast to it; or SciPy's `Bounds`, or its list of a pair a number
    constraints : SciPy's, where a function takes the container and may return one; its derivatives
        come from here. The matrix of a `LinearConstraint` meets the vector `ravel_tree(x)[0]`
    callback : called with x after each iteration; a true answer, or StopIteration, ends the run
    progress, history : show a bar on a terminal; record a `History`, else None

    Returns SciPy's OptimizeResult with `x` and `jac`, the gradient, as containers in the dtypes of
    x0, and `history`. With trust-constr the Jacobians of the constraints are in `constr_jac`.
    SciPy works in float64, so f is evaluated in float64 whatever x0 has.

    Cost: value and gradient 2 to 4 times f, a Hessian-vector product twice that, a Hessian about
    one product an element of x0.
    Raises: OptimisationError where f is NaN, finite with a gradient that is not, or, with L-BFGS-B
    and TNC, infinite; and for bounds that do not fit. DataError for a complex leaf.

    >>> import adjoint as ad, numpy as np
    >>> misfit = lambda p, t, y: ((p["slope"] * t + p["height"] - y) ** 2).sum()
    >>> t = np.arange(4.0)
    >>> found = ad.minimize(misfit, {"slope": 0.0, "height": 0.0}, args=(t, 3 * t + 1))
    >>> ad.tree_map(lambda x: round(float(x), 3), found.x)
    {'slope': 3.0, 'height': 1.0}
    """
    scipy = optional("scipy.optimize", "scipy", "`minimize`")
    leaves, paths, rebuild = flatten(x0)
    for i, path in enumerate(paths):
        x = leaves[i] = checked(leaves[i], path, "minimize")
        if x.dtype.kind == "c":
            raise DataError(
                f"`minimize` needs real numbers; x0{path} is {x.dtype}{x.shape}. "
                "Give its real and its imaginary part as two leaves."
            )
    start, inside = ravel_tree(rebuild([np.asarray(x, np.float64) for x in leaves]))
    _, outside = ravel_tree(x0)
    if not start.size:
        raise OptimisationError("`minimize` found no numbers in x0.")
    method = method.lower() if isinstance(method, str) else method
    seen: dict[bytes, float] = {}  # values since the last step, for a history without evaluations

    def objective(x: Any) -> Any:
        return f(inside(x), *args)

    objective.__name__ = name_of(f)
    both, slope = value_and_grad(objective, who="minimize"), grad(objective)

    def noted(x: Any, value: Any, trouble: str = "") -> float:
        number = float(value)
        if history or progress:
            seen[x.tobytes()] = number
        if method in FINITE and np.isinf(number):
            trouble = f"(`{method}` needs bounds that keep it finite; others, as BFGS, step back) "
        if np.isnan(number) or trouble:
            with np.printoptions(threshold=20, edgeitems=3):
                raise OptimisationError(
                    f"`minimize`: `{name_of(f)}` is {number} {trouble}at x = {outside(x)!r}."
                )
        return number

    def value_only(x: Any) -> float:
        value = objective(x)
        require_scalar(value, f, "minimize", False)
        return noted(x, value)

    def value_and_slope(x: Any) -> tuple[float, Any]:
        value, gradient = both(x)
        bad = not_finite(inside(gradient), "x") if np.isfinite(value) else ""
        return noted(x, value, bad and f"but its gradient is not finite in {bad}, "), gradient

    plain = method in VALUES_ONLY
    given: dict[str, Any] = dict(method=method, tol=tol, options=options, jac=not plain or None)
    if method in PRODUCTS:
        given["hessp"] = lambda x, p: hvp(objective, x, p)
    if method in HESSIANS:
        # By reverse over reverse: f runs once and unbatched, so it may branch on its values.
        given["hess"] = jacobian(slope, mode="rev")
    if bounds is not None:
        given["bounds"] = box(bounds, x0, start.size, scipy.Bounds)
    constraints = constraints if isinstance(constraints, (list, tuple)) else [constraints]
    given["constraints"] = [constraint(c, inside, method, scipy) for c in constraints]
    record = History()
    with bar(progress, f"minimize `{name_of(f)}`", None) as show:

        def step(x: Any, *state: Any) -> None:
            if history or progress:
                value = seen[x.tobytes()] if x.tobytes() in seen else value_only(x)
                seen.clear()
                seen[x.tobytes()] = value
                record.add(value)
                show(value)
            try:
                ended = callback is not None and callback(outside(x.copy()))
            except StopIteration:
                ended = True
            if ended:
                raise StopIteration(x.copy())

        if history:
            record.add(value_only(start))
        try:
            result = scipy.minimize(
                value_only if plain else value_and_slope, start, callback=step, **given
            )
        except StopIteration as stop:  # TNC lets it through
            value, slopes = value_and_slope(*stop.args)
            result = scipy.OptimizeResult(x=stop.args[0], fun=value, jac=slopes, success=False)
            result.message = "The callback ended the run."
    if isinstance(result.get("jac"), list):
        result.constr_jac, result.jac = result.jac, result.grad
    for name in {"x", "jac", "grad"} & set(result):
        result[name] = outside(result[name])
    result.history = record if history else None
    return result


def box(bounds: Any, x0: Any, size: int, kind: Any) -> Any:
    """SciPy's `Bounds` from a container of (low, high); what SciPy understands as it is."""
    listed = type(bounds) in (list, tuple) and len(bounds) == size
    if listed and all(pair(b) and np.ndim(b[0]) == np.ndim(b[1]) == 0 for b in bounds):
        return bounds
    if isinstance(bounds, kind):
        return bounds
    leaves, paths, _ = flatten(x0)
    limits: list[list[Any]] = [[], []]
    for x, b, path in zip(leaves, matching(x0, bounds, "minimize", "bounds"), paths, strict=True):
        if b is not None and not pair(b):
            raise OptimisationError(
                f"`minimize` needs (low, high) at bounds{path}; it was given {b!r}."
            )
        for side, limit, none in zip(limits, b or (None, None), (-np.inf, np.inf), strict=True):
            limit = np.asarray(none if limit is None else limit, float)
            try:
                side.append(np.broadcast_to(limit, np.shape(x)).ravel())
            except ValueError:
                shape = f"{limit.shape} for x0{path} of {np.shape(x)}"
                raise ShapeError(f"`minimize` has bounds{path} of shape {shape}.") from None
        if not (limits[0][-1] <= limits[1][-1]).all():
            raise OptimisationError(f"`minimize` needs low <= high; bounds{path} is {b!r}.")
    return kind(*map(np.concatenate, limits))


def pair(b: Any) -> bool:
    """True for a list or a tuple of two."""
    return type(b) in (list, tuple) and len(b) == 2


def constraint(given: Any, inside: Function, method: Any, scipy: Any) -> Any:
    """A constraint on vectors, with derivatives, from one on containers."""
    is_dict, kind = isinstance(given, dict), scipy.NonlinearConstraint
    if not is_dict and not isinstance(given, kind):
        return given
    fun, args = (given["fun"], given.get("args", ())) if is_dict else (given.fun, ())

    def flat(x: Any) -> Any:
        return ravel_tree(fun(inside(x), *args))[0]

    def hess(x: Any, v: Any) -> Any:
        return jacobian(grad(lambda x: flat(x) @ v), mode="rev")(x)

    jac = jacobian(flat, mode="rev")
    if method != "trust-constr":  # the only one to use a Hessian; the others warn of it
        if is_dict:
            return {"type": given["type"], "fun": flat, "jac": jac}
        return kind(flat, given.lb, given.ub, jac, keep_feasible=given.keep_feasible)
    if is_dict:
        return kind(flat, 0, 0 if given["type"].lower() == "eq" else np.inf, jac, hess)
    return kind(flat, given.lb, given.ub, jac, hess, given.keep_feasible)


class Optimiser(NamedTuple):
    """A first-order method as two pure functions over containers.

    init : params -> state
    update : (grads, state, params) -> (params, state)

    The state is a dict: `step`, the number of updates made, and containers like the parameters.
    Of a complex leaf the gradient is ∂f/∂Re - i ∂f/∂Im, as `grad` returns it; its conjugate, which
    points uphill, is what stands for g in the formulas of `sgd` and the others.

    >>> import adjoint as ad
    >>> init, update = ad.sgd(0.5)
    >>> update({"w": 4.0}, init({"w": 1.0}), {"w": 1.0})
    ({'w': np.float64(-1.0)}, {'step': 1})
    """

    init: Function
    update: Function


def first_order(
    name: str, rate: Any, slots: dict[str, bool], rule: Function, **shares: Any
) -> Optimiser:
    """An optimiser from its rule for one leaf: (t, rate, g, x, *past) -> (x, *past), t from 1.

    slots : what the rule remembers, and whether it does; shares : numbers in [0, 1)
    """
    for key, share in shares.items():
        if not 0 <= share < 1:
            raise OptimisationError(f"`{name}` needs 0 <= {key} < 1; it was given {share!r}.")
    kept = [slot for slot, is_kept in slots.items() if is_kept]

    def init(params: Any) -> dict[str, Any]:
        leaves, paths, rebuild = flatten(params)
        zeros = [zeros_like(checked(x, p, name)) for x, p in zip(leaves, paths, strict=True)]
        return {"step": 0} | {slot: rebuild(zeros) for slot in kept}

    def update(grads: Any, state: dict[str, Any], params: Any) -> tuple[Any, dict[str, Any]]:
        t = state["step"]
        now = rate(t) if callable(rate) else rate
        now = now if isinstance(now, Traced) else float(now)  # a Python float keeps float32
        leaves, paths, rebuild = flatten(params)
        pasts = [matching(params, state[slot], name, "state") for slot in kept]
        rows = []
        for x, path, g, *past in zip(
            leaves, paths, matching(params, grads, name, "gradient"), *pasts, strict=True
        ):
            x, g = checked(x, path, name), checked(g, path, name)
            if x.shape != g.shape:
                shape = f"{g.shape} for params{path} of {x.shape}"
                raise ShapeError(f"`{name}` was given a gradient of shape {shape}.")
            rows.append(rule(t + 1, now, conj(g) if g.dtype.kind == "c" else g, x, *past))
        new = [rebuild([row[i] for row in rows]) for i in range(1 + len(kept))]
        return new[0], {"step": t + 1, **dict(zip(kept, new[1:], strict=True))}

    return Optimiser(init, update)


def squared(g: Any) -> Any:
    """|g|², elementwise."""
    return g * (conj(g) if g.dtype.kind == "c" else g)


def sgd(
    rate: Any, momentum: Any = 0.0, nesterov: bool = False, weight_decay: Any = 0.0
) -> Optimiser:
    """Gradient descent, with momentum μ if asked: x ← x - η d.

    g is the gradient plus weight_decay · x. Without momentum d = g; with it v ← μ v + g from v = 0,
    and d = v, or with nesterov d = g + μ v.

    rate : η, a number or a function of the number of updates made, which is 0 at the first step
    Source: Polyak, Some methods of speeding up the convergence of iteration methods (1964).
    Nesterov, A method of solving a convex programming problem with convergence rate O(1/k²) (1983),
    as rewritten in Sutskever et al., On the importance of initialization and momentum in deep
    learning (2013): x here is their point that looks ahead, θ + μ v, and v theirs over -η.

    >>> import adjoint as ad
    >>> ad.descend(lambda x: x * x, 1.0, ad.sgd(0.25, momentum=0.5), steps=2)[0]
    np.float64(0.0)
    """
    if nesterov and not momentum:
        raise OptimisationError("`sgd` with nesterov needs a momentum; it was given none.")

    def rule(t: int, rate: Any, g: Any, x: Any, v: Any = None) -> tuple[Any, ...]:
        g = g + weight_decay * x if weight_decay else g
        if v is None:
            return (x - rate * g,)
        v = momentum * v + g
        return x - rate * (g + momentum * v if nesterov else v), v

    return first_order("sgd", rate, {"velocity": bool(momentum)}, rule, momentum=momentum)


def adam(rate: Any = 1e-3, b1: Any = 0.9, b2: Any = 0.999, eps: Any = 1e-8) -> Optimiser:
    """Adam, whose steps do not depend on the scale of the gradient: x ← x - η m̂ / (√v̂ + ε).

    m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) |g|² from 0; at step t, counted from 1,
    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) undo the bias of that start.

    rate : η, a number or a function of the number of updates made, which is 0 at the first step
    Source: Kingma & Ba, Adam: a method for stochastic optimization (2015), Algorithm 1.

    >>> import adjoint as ad
    >>> float(round(ad.descend(lambda x: 7 * x, 1.0, ad.adam(0.1), steps=1)[0], 6))
    0.9
    """
    return adamw(rate, b1, b2, eps, 0.0)


def adamw(
    rate: Any = 1e-3, b1: Any = 0.9, b2: Any = 0.999, eps: Any = 1e-8, weight_decay: Any = 1e-2
) -> Optimiser:
    """Adam with decoupled weight decay λ: x ← x - η (m̂ / (√v̂ + ε) + λ x); the rest as in `adam`.

    Source: Loshchilov & Hutter, Decoupled weight decay regularization (2019), Algorithm 2, with
    their α = 1 and their schedule η_t as the rate, which therefore multiplies the decay too.

    >>> import adjoint as ad
    >>> ad.descend(lambda x: 0 * x, 1.0, ad.adamw(0.1, weight_decay=0.5), steps=1)[0]
    np.float64(0.95)
    """

    def rule(t: int, rate: Any, g: Any, x: Any, m: Any, v: Any) -> tuple[Any, ...]:
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * squared(g)
        way = m / (1 - b1**t) / (sqrt(v / (1 - b2**t)) + eps)
        return x - rate * (way + weight_decay * x if weight_decay else way), m, v

    return first_order("adam", rate, {"m": True, "v": True}, rule, b1=b1, b2=b2)


def rmsprop(rate: Any = 1e-3, decay: Any = 0.9, eps: Any = 1e-8, momentum: Any = 0.0) -> Optimiser:
    """RMSprop, the gradient over the root of the running mean of its square: x ← x - η d.

    s ← ρ s + (1 - ρ) |g|² from 0, not corrected for that start, ρ the decay; q = g / (√s + ε).
    Without momentum d = q; with a momentum μ, u ← μ u + q from 0, and d = u.

    rate : η, a number or a function of the number of updates made, which is 0 at the first step
    Source: Tieleman & Hinton, Neural networks for machine learning, Lecture 6.5 (2012), which has
    no ε; here it stands outside the root, as in PyTorch.

    >>> import adjoint as ad
    >>> float(round(ad.descend(lambda x: x * x, 1.0, ad.rmsprop(0.1, decay=0.75), steps=1)[0], 6))
    0.8
    """

    def rule(t: int, rate: Any, g: Any, x: Any, s: Any, u: Any = None) -> tuple[Any, ...]:
        s = decay * s + (1 - decay) * squared(g)
        way = g / (sqrt(s) + eps)
        if u is None:
            return x - rate * way, s
        u = momentum * u + way
        return x - rate * u, s, u

    slots = {"square": True, "velocity": bool(momentum)}
    return first_order("rmsprop", rate, slots, rule, decay=decay, momentum=momentum)


def descend(
    loss: Function, params: Any, optimiser: Optimiser, steps: int | None = None,
    batches: Iterable[Any] | None = None, progress: bool = False, has_aux: bool = False,
    callback: Function | None = None,
) -> tuple[Any, History]:  # fmt: skip
    """The parameters after a descent of the loss, one update a step, and its `History`.

    steps : how many, each with `loss(params)`
    batches : a step for each, with `loss(params, *batch)` for a tuple, `loss(params, batch)` for
        anything else; where steps is given too, no more than that
    has_aux : loss returns (value, anything else); the else goes to `history.aux`
    callback : called with (step, params, value) after each update, the value being that before it;
        a true answer ends the descent
    progress : show a bar on a terminal

    Cost: a step 2 to 4 times the loss. Differentiable in the first parameters, in the rate and in
    whatever else the loss sees; the tape then holds every step.
    Raises: OptimisationError at the first step whose loss is not finite.

    >>> import adjoint as ad
    >>> ad.descend(lambda p: (p["w"] - 3.0) ** 2, {"w": 0.0}, ad.sgd(0.5), steps=2)[0]
    {'w': np.float64(3.0)}
    """
    if steps is None and batches is None:
        raise OptimisationError("`descend` needs steps or batches; it was given neither.")
    both = value_and_grad(loss, has_aux=has_aux, who="descend")
    state, history = optimiser.init(params), History()
    total = steps if steps is not None else getattr(batches, "__len__", lambda: None)()
    with bar(progress, f"descend `{name_of(loss)}`", total) as show:
        for step, batch in enumerate(islice(repeat(()) if batches is None else batches, steps)):
            value, grads = both(params, *(batch if type(batch) is tuple else (batch,)))
            if has_aux:
                value, aux = value
                history.aux.append(aux)
            value = lowest(value)
            value = value if value.shape else float(value)
            if not np.isfinite(value).all():
                bad = not_finite(params, "params")
                raise OptimisationError(
                    f"`descend`: the loss `{name_of(loss)}` is {value} at step {step}, where "
                    f"{f'{bad} is not' if bad else 'the parameters are'} finite. "
                    "Look at its batch, or try a smaller rate."
                )
            params, state = optimiser.update(grads, state, params)
            history.add(value)
            show(value)
            if callback is not None and callback(step, params, value):
                break
    if bad := not_finite(params, "params"):
        raise OptimisationError(f"`descend`: {bad} is not finite after the last step.")
    return params, history
