"""The call of an op, specialised at declaration: `door` with everything known beforehand unrolled.

A generic door costs about ten NumPy calls; unrolled, a remembered call costs one more than NumPy's.
The text below is written once, filled in with the names that an op's rules ask for, and compiled.
What it does not expect (another level, another mode, a list) it leaves to `door`.
"""

from __future__ import annotations

import builtins
import functools
import linecache
import operator
from collections.abc import Callable
from itertools import count
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from ..backends.namespace import NUMERIC, NUMPY, SIMPLE
from .alias import WRITTEN, look, looked
from .forward import Dual, push
from .guard import seal
from .op import Op, blame, door
from .tensor import PAUSED, Lifted, Result, Tensor, new, paused, tick
from .traced import Traced, bottom

FEW = 100
"""Calls in a program that is traced up to which the door is cheaper than compiling the call."""

ONE_INPUT = """
def call(x{signature}):
    X = type(x)
    if X is Result or X is Tensor:
        a = x.primal
        try:
            out = {forward}
        except Exception as error:
            raise blame(OP, (a,), error) from error
{predicate}        p = x.node
        if PAUSED and paused(x.level):
            p = None
        t = new({result})
        t.primal = out
        t.level = x.level
        t.node = p and (tick(), OP, {edge}, None, {seal})
{look}        return t
    if X in RAW:
        try:
            return {raw}
        except Exception as error:
            raise blame(OP, (x,), error) from error
{beyond}    return {end}
"""

TWO_INPUTS = """
def call(x, y):
    X = type(x)
    Y = type(y)
    if X is Result or X is Tensor:
        if (Y is Result or Y is Tensor) and x.level is y.level:
{both}
        if Y in NUMBERS:
{x_number}
        if Y is ndarray and y.dtype.char in NUMERIC:
{x_array}
    elif Y is Result or Y is Tensor:
        if X in NUMBERS:
{number_y}
        if X is ndarray and x.dtype.char in NUMERIC:
{array_y}
    elif X in RAW and Y in RAW:
        a = x
        b = y
        try:
            return {forward}
        except Exception as error:
            raise blame(OP, (a, b), error) from error
{beyond}    return door(OP, (x, y), {{}})
"""

BEYOND_ONE = """\
    if X is Lifted:
        return NESTED(x{given})
    if X is Dual:
        return {push}
"""

LOOK = """\
        if {shows}:
            t.source = (x, OP, {given})
            if WRITTEN:
                look(t, x)
"""

BEYOND_TWO = """\
    if X is Lifted or Y is Lifted:
        return NESTED(x, y)
    if X is Dual:
        if Y is Dual and x.level is y.level:
            return push(OP, (x.tangent, y.tangent), (x.primal, y.primal), x.level, {})
        if Y in NUMBERS or Y is ndarray:
            return push(OP, (x.tangent, None), (x.primal, y), x.level, {})
    elif Y is Dual and (X in NUMBERS or X is ndarray):
        return push(OP, (None, y.tangent), (x, y.primal), y.level, {})
"""

BRANCH = """\
            a = {a}
            b = {b}
            try:
                out = {forward}
            except Exception as error:
                raise blame(OP, (a, b), error) from error
            {nodes}
            if PAUSED and paused({level}):
                p = q = None
            t = new({result})
            t.primal = out
            t.level = {level}
            t.node = {tracked} and (tick(), OP, {edges}, {shapes}, {seal})
            return t
"""

PREDICATE = """\
            a = {a}
            b = {b}
            try:
                return {forward}
            except Exception as error:
                raise blame(OP, (a, b), error) from error
"""


@functools.cache
def code(text: str) -> CodeType:
    """`text` compiled, once for all ops that share it, with a source that tracebacks can show."""
    file = f"<adjoint call {len(linecache.cache)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    return compile(text, file, "exec")


COMMON = dict(
    __builtins__=builtins,  # what NumPy imports on the way is imported in the name of the caller
    RAW=SIMPLE | {np.ndarray}, NUMBERS=SIMPLE, NUMERIC=NUMERIC, PAUSED=PAUSED, Tensor=Tensor,
    Result=Result, Lifted=Lifted, Dual=Dual, push=push, ndarray=np.ndarray, new=new, tick=tick,
    seal=seal, door=door, blame=blame, paused=paused, look=look, looked=looked,
    WRITTEN=WRITTEN, FEW=FEW,
)  # fmt: skip


def on_demand(op: Op, text: str, later: Any = None, **more: Any) -> Callable[..., Any]:
    """The function `call` that `text` defines, compiled when it is first called.

    Compiling all of them would be most of the time of `import adjoint`. The function that stands
    here until then takes the code of the real one. A program that is traced calls most ops a few
    times, and once only: what it calls first goes to `later`, the same by the door.
    """
    names: dict[str, Any] = COMMON | dict(
        OP=op, TEXT=text, DEFAULTS=op.defaults, UNROLL=unroll, LATER=later, STAGED=is_staged,
        CALLS=count(), **more,
    )  # fmt: skip
    names["SELF"] = call = FunctionType(first_call.__code__, names)
    return call


def first_call(*args: Any, **params: Any) -> Any:
    """What every specialised call is until it is compiled; its names are those of `on_demand`."""
    if LATER and next(CALLS) < FEW and STAGED(args):  # type: ignore[name-defined]  # noqa: F821
        return LATER(*args, **params)  # type: ignore[name-defined]  # noqa: F821
    return UNROLL(SELF)(*args, **params)  # type: ignore[name-defined]  # noqa: F821


def is_staged(args: tuple[Any, ...]) -> bool:
    """Whether a program is being traced."""
    return any(isinstance(a, Traced) and isinstance(bottom(a), Traced) for a in args)


def unroll(call: FunctionType) -> FunctionType:
    """Give `call` the code that its text stands for."""
    names = call.__globals__
    if "forward" not in names:
        names["forward"] = on_numpy(names["OP"])
    exec(code(names["TEXT"]), scope := dict(names))
    call.__defaults__ = scope["call"].__defaults__
    call.__code__ = scope["call"].__code__
    return call


def expression(op: Op, names: tuple[str, ...]) -> str:
    """Python text for the residuals called `names`: one alone, or a tuple."""
    letters = dict(zip(op.inputs, "ab", strict=False), out="out")
    terms = []
    for name in names:
        base = name.removesuffix("_shape")
        terms.append(
            name if name in op.params else letters[base] + (".shape" if base != name else "")
        )
    return terms[0] if len(terms) == 1 else f"({', '.join(terms)})" if terms else "None"


NESTED_RESULT = "Tensor if type(out) in RAW else Lifted"


def specialise(op: Op) -> Callable[..., Any]:
    """The public function of `op`: unrolled for one or two inputs, else through the door."""
    if not op.many and not op.variadic and len(op.inputs) == 1:
        return one_input(op)
    if not op.many and len(op.inputs) == 2 and not op.params:
        return two_inputs(op)
    return general(op)


def one_input(op: Op) -> Callable[..., Any]:
    """The call of an op of one array and any number of static parameters."""
    edge = op.edges[0]
    signature = "".join(
        f", {n}=DEFAULTS[{n!r}]" if n in op.defaults else f", {n}" for n in op.params
    )
    given = "".join(f", {n}" for n in op.params)
    edge_text = "p, {}, None, None" if op.pull is None else "None, (p,), None, {}"
    keeps_x = edge is not None and op.inputs[0] in edge.names
    params = f"dict({', '.join(f'{n}={n}' for n in op.params)})"
    end = f"door(OP, (x,), {params})"
    push_x = f"push(OP, (x.tangent,), (x.primal,), x.level, {params})"
    named = "".join(f"{n}, " for n in op.params)
    if op.view:
        end, push_x = (f"looked({made}, x, OP, ({named}))" for made in (end, push_x))
    parts = dict(
        end=end,
        predicate="        return out\n" if op.word == "predicate" else "",
        signature=signature,
        forward=f"forward(a{given})",
        raw=f"forward(x{given})",
        edge=edge_text.format(expression(op, edge.names)) if edge else "None, None, None, None",
        seal="None if X is Result else seal(a)" if keeps_x else "None",
    )
    beyond = BEYOND_ONE.format(given=given, push=push_x)
    shared = "out.base is not None"
    plain, nested = (
        LOOK.format(shows=shows, given=named) if op.view else "" for shows in (shared, "out.ndim")
    )
    text = ONE_INPUT.format(result="X" if op.view else "Result", beyond=beyond, look=plain, **parts)
    inner = ONE_INPUT.format(result=NESTED_RESULT, beyond="", look=nested, **parts)
    return with_nested(op, None if op.view else general(op), text, inner)


def two_inputs(op: Op) -> Callable[..., Any]:
    """The call of an op of two arrays; its `reflected` is the same with the two exchanged."""
    (first, second), (x, y) = op.edges, op.inputs
    edge_x = f"p, p and {expression(op, first.names)}" if first else "None, None"
    edge_y = f"q, q and {expression(op, second.names)}" if second else "None, None"
    asks_x = {*first.names} if first else set[str]()
    asks_y = {*second.names} if second else set[str]()
    if op.word == "bilinear":
        shapes = shapes_x = shapes_y = (
            "None if a.ndim == b.ndim == 2 else (a.shape, b.shape, out.shape)"
        )
    else:
        shapes = "None if a.shape == b.shape else (a.shape, b.shape, out.shape)"
        shapes_x = "None if out.shape == a.shape else (a.shape, None, out.shape)"
        shapes_y = "None if out.shape == b.shape else (None, b.shape, out.shape)"

    def seal(asks: set[str], kinds: dict[str, str]) -> str:
        """A seal of the kept inputs among `kinds`, whose text says when one needs none."""
        held = {name: kind for name, kind in kinds.items() if name in asks}
        letters = [("a" if name == x else "b", kind) for name, kind in held.items()]
        arrays = ", ".join(
            f"None if {kind} else {letter}" if kind and len(held) > 1 else letter
            for letter, kind in letters
        )
        exempt = " and ".join(held.values()) if all(held.values()) else ""
        return f"{f'None if {exempt} else ' if exempt else ''}seal({arrays})" if held else "None"

    scalars = " or type(out) is not ndarray"
    both = dict(
        a="x.primal",
        b="y.primal",
        level="x.level",
        tracked="(p or q)",
        nodes="p = x.node; q = y.node",
        edges=f"{edge_x}, {edge_y}",
        shapes=shapes,
        seal=seal(asks_x | asks_y, {x: "X is Result", y: "Y is Result"}).replace(
            " else", f"{scalars} else", 1
        ),
    )
    on_x = dict(
        a="x.primal",
        b="y",
        level="x.level",
        tracked="p",
        nodes="p = x.node",
        edges=f"{edge_x}, None, None",
    )
    on_y = dict(a="x", b="y.primal", level="y.level", tracked="q", nodes="q = y.node",
                edges=f"None, None, {edge_y}")  # fmt: skip
    branches = dict(
        both=both,
        x_number=on_x | dict(shapes="None", seal=seal(asks_x, {x: "X is Result"})),
        x_array=on_x | dict(shapes=shapes_x, seal=seal(asks_x, {x: "X is Result", y: ""})),
        number_y=on_y | dict(shapes="None", seal=seal(asks_y, {y: "Y is Result"})),
        array_y=on_y | dict(shapes=shapes_y, seal=seal(asks_y, {y: "Y is Result", x: ""})),
    )
    branch = PREDICATE if op.word == "predicate" else BRANCH

    def text(result: str, beyond: str) -> str:
        bodies = {
            key: branch.format(forward="forward(a, b)", result=result, **parts).rstrip()
            for key, parts in branches.items()
        }
        return TWO_INPUTS.format(forward="forward(a, b)", beyond=beyond, **bodies)

    plain, nested = text("Result", BEYOND_TWO), text(NESTED_RESULT, "")
    through = general(op)
    call = with_nested(op, through, plain, nested)
    turned = plain.replace("def call(x, y)", "def call(y, x)")
    call.reflected = on_demand(  # type: ignore[attr-defined]
        op, turned, lambda y, x: through(x, y), NESTED=call.__globals__["NESTED"]
    )
    return call


def with_nested(op: Op, later: Any, plain: str, nested: str) -> Callable[..., Any]:
    """The call that `plain` defines, which hands Tensors over values of an outer level to `nested`.

    That one is the same text, its forward the op itself and its kinds of Tensor all three.
    """
    for kind in "XY":
        nested = nested.replace(f"{kind} is Result or {kind} is Tensor", f"{kind} in TENSORS")
    inner = on_demand(op, nested, later, TENSORS=frozenset((Tensor, Result, Lifted)), forward=None)
    call = on_demand(op, plain, later, NESTED=inner)
    inner.__globals__["forward"] = call
    return call


def general(op: Op) -> Callable[..., Any]:
    """The call of any other op: parameters are bound, then the door decides."""

    def call(*args: Any, **params: Any) -> Any:
        if params.keys() - op.defaults.keys() - set(op.params):
            unknown = sorted(params.keys() - set(op.params))
            raise TypeError(
                f"`{op.name}` has no parameter {unknown[0]!r}; it has {', '.join(op.params)}"
            )
        if not op.variadic and len(args) > len(op.inputs):
            extra = dict(zip(op.params, args[len(op.inputs) :], strict=False))
            args, params = args[: len(op.inputs)], {**extra, **params}
        return door(op, args, {**op.defaults, **params})

    return call


class Probe:
    """Stands in for a namespace or an array, to see if a forward is just one function of it."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **params: (name, args, params)

    def __eq__(self, other: object) -> bool:
        raise TypeError("a forward that compares is more than one function")

    __bool__ = __eq__
    __hash__ = None  # type: ignore[assignment]


def on_numpy(op: Op) -> Callable[..., Any]:
    """The forward of `op` on NumPy: the ufunc or operator itself where it is merely named."""
    forward = op.forward
    given = tuple([Probe() for _ in (*op.inputs, *op.params)])
    try:
        name, args, params = forward(Probe(), *given)
    except (AttributeError, NameError, TypeError, ValueError):
        name, args, params = "", (), {}
    if name and len(args) == len(given) and all(map(operator.is_, args, given)) and not params:
        return NUMPY.operators.get(name) or getattr(NUMPY, name)
    names = ", ".join((*op.inputs, *op.params))
    text = f"def call({names}):\n    return forward(NUMPY, {names})\n"
    exec(code(text), scope := dict(forward=forward, NUMPY=NUMPY))
    return scope["call"]  # type: ignore[return-value]
