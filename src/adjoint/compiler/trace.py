"""The mode that writes a program down: each op becomes a node, its shape and dtype inferred.

A `Staged` value stands for a plain array, at the outermost level: transforms inside the traced
function work over it as they do over arrays, so derivatives enter the graph as the same ops.
Whatever asks for an array (`np.asarray`, `tolist`, ...) raises `Unstageable`, and the caller runs
the function eagerly instead. What `bool`, `float`, `int` or an index asks of one number is answered
for the arguments at hand: that is a decision, and the trace one of the paths that the program
knows, see `paths`. Where the engine itself asks for something that is hardly ever true (a NaN
behind a choice, see `core.mend`; equal eigenvalues), the trace goes on as if it were false and
keeps the question as a check: the program computes it, and if it is true after all, the call is
repeated eagerly.

What a trace bakes in: shapes, strides and dtypes of array arguments; integers, truth values, texts
and other objects among the arguments; what the function takes from outside, see `guards`. Python
code that has no adjoint value in it (prints, logs, plain NumPy on plain arrays) runs only when the
function is traced. Where that shows, because a variable outside, a container or an array has
changed or random numbers were drawn, the function is not compiled.
"""

from __future__ import annotations

import functools
import operator
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import BuiltinFunctionType, FrameType, ModuleType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..backends.namespace import NUMBERS, NUMERIC, NUMPY
from ..core.batch import CARRIED
from ..core.guard import SMALL
from ..core.guard import mark as marked
from ..core.op import OPS, Op, next_level
from ..core.reverse import pull_back
from ..core.traced import Traced
from ..core.tree import flatten
from ..interop.protocols import __array_function__, __array_ufunc__
from ..ops.assign import IN_PLACE
from ..transforms.custom import Custom
from ..transforms.function import name_of
from .following import HOLE, kind_of
from .graph import Graph, Node
from .guards import Guard, Surroundings, global_state
from .infer import BY_VALUE, PLAIN, Refused, Type, infer, type_of, unnoticed
from .interpret import function, leaf, result
from .paths import (
    DEPTH,
    FORKS,
    LEAVES,
    VALUES,
    Fork,
    Leaf,
    Tree,
    grown,
    leaves,
    leveled,
    numbers,
    preorder,
    results,
)
from .vocabulary import is_native

ROOMS = (str(Path(__file__).parents[1]) + os.sep, str(Path(np.__file__).parent) + os.sep)
PLACES: dict[str, str] = {}
SHARING = (np.may_share_memory, np.shares_memory)
IDENTITIES = frozenset(("behind", "still"))
UNSTEADY = "what it decides by changes from call to call, though its arguments are alike"
CHANGED = "it changes an array from outside, or one of its own that it has used before"


class Unstageable(BaseException):
    """A trace came upon what only values can answer; what that was, and the user's line.

    No `except Exception` on the way may take it for an error: the function is to run eagerly.
    """

    def __init__(self, what: str, line: str = "") -> None:
        super().__init__(f"{what}{f' ({line})' if line else ''}")
        self.what, self.line = what, line


class Static(NamedTuple):
    """A leaf of the arguments or of the outputs that is no array."""

    value: Any


@dataclass
class Trace:
    """What a function did with its arguments, as a graph.

    graph      `outputs` are the array leaves of the output, in order, and after them the checks
    leaves     of the arguments: the input node of an array or a number, or what was baked in
    paths      what errors call them: "args[0]['w']", "kwargs['scale']"
    ends       of the output: the node of an array, or what was baked in
    rebuild    a function of the output's leaves that builds the output
    checks     truth values that must be false after a run, else the call is repeated eagerly
    guards     what stood outside, and where
    warnings   what the user should know: what was baked in and cannot be watched
    captures   nodes of arrays from outside
    tree       the paths that are known, this one among them, if the function decides by values:
               then the outputs of the graph are those of `paths.results`
    is_new     whether the path was not known before
    """

    graph: Graph
    leaves: list[Node | Static]
    paths: list[str]
    ends: list[Node | Static]
    rebuild: Callable[..., Any]
    checks: list[Node]
    guards: list[Guard]
    warnings: list[str]
    captures: list[Node] = field(default_factory=list)
    tree: Tree = None
    is_new: bool = True

    @functools.cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Those of the function's output, see `paths.Leaf.outputs`."""
        if self.tree is not None:
            return leaves(self.tree)[0].outputs
        return tuple([e for e in self.ends if isinstance(e, Node)])

    @functools.cached_property
    def mixed(self) -> frozenset[int]:
        """The outputs that are a number of Python's on some paths, and NumPy's on others."""
        kinds = zip(*map(numbers, leaves(self.tree)), strict=True)
        return frozenset([k for k, found in enumerate(kinds) if len({*found}) > 1])

    def plain(self, values: Sequence[Any]) -> list[Any]:
        """The values of `nodes` as those of the output: Python's numbers where it has such."""
        nodes, count = self.nodes, len(self.nodes) - bool(self.mixed)
        bits = int(values[-1]) if self.mixed else sum([n.weak << k for k, n in enumerate(nodes)])
        return [number_of(k, x, bits) for k, x in enumerate(values[:count])]

    def pack(self, values: Sequence[Any]) -> Any:
        """The output of the function, from the values of the graph's outputs."""
        arrays = iter(values)
        return self.rebuild([e.value if type(e) is Static else next(arrays) for e in self.ends])


class Recorder:
    """Writes the graph of one trace; stands where a value would be inside, and has none to tell."""

    def __init__(self, name: str, level: int, before: Trace | None = None) -> None:
        self.graph, self.level = before.graph.copy() if before else Graph(name), level
        self.tree: Tree = before.tree if before else None
        self.spot, self.path = self.tree, list[tuple[Fork, bool]]()
        self.met: list[np.ndarray] = []
        self.answers: dict[int, bool] = {}
        self.checks: list[Node] = []
        self.numbers: dict[float, Node] = {}
        self.captures: dict[int, tuple[np.ndarray, Any]] = {}
        self.twins: dict[int, np.ndarray] = {}
        self.arrays: list[Any] = []
        self.known: dict[int, Any] = {}
        self.failure: Unstageable | None = None
        self.open = True

    def staged(self, node: Node) -> Staged:
        """The value that `node` will be."""
        value = object.__new__(Staged)
        value.primal, value.level, value.node = self, self.level, node
        return value

    def argument(self, x: Any) -> Staged:
        """The value that stands for an argument."""
        self.arrays.append(x)
        if len(self.graph.inputs) >= len(self.arrays):
            return self.staged(self.graph.inputs[len(self.arrays) - 1])
        dtype = x.dtype if hasattr(x, "dtype") else np.dtype(type(x))
        return self.staged(self.graph.input(np.shape(x), dtype, type(x) in PLAIN))

    def add(self, op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Any:
        """What `op` makes of nodes, as one more node, or several for several outputs."""
        self.require_open()
        name = op.name
        if name in IDENTITIES:
            return self.staged(inputs[0])
        try:
            shape, dtype, weak, kind = infer(name, inputs, params)
        except Refused:
            shape, dtype, weak, kind = self.seen(op, inputs, params)
        add, line = self.graph.add, line_of(sys._getframe(2), inputs)
        node = add(name, inputs, params, shape=shape, dtype=dtype, weak=weak, line=line)
        if kind is None:
            if weak and name in ("divide", "pow"):
                self.check_number(node)
            return self.staged(node)
        outs = [
            self.staged(add("item", (node,), dict(index=i), shape=s, dtype=d, line=line))
            for i, (s, d) in enumerate(zip(shape, dtype, strict=True))
        ]
        return kind(*outs) if hasattr(kind, "_fields") else kind(outs)

    def require_open(self) -> None:
        """Raise `Unstageable` after the end of the trace."""
        if not self.open:
            raise Unstageable("a value of a traced function is used after the trace has ended")

    def follow(self, op: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """What an op of no registry makes: its function is run on staged values."""
        if isinstance(op, Custom):
            return op.closed(op.run(args, params["call"]), params["call"], self.level)
        return op.forward(NUMPY, *args, **params)

    def seen(self, op: Op, inputs: Sequence[Node], params: dict[str, Any]) -> Type:
        """The type of an output where the op must see values: from those of this first call."""
        if op.name in BY_VALUE:
            self.fail(f"the shape of `{op.name}` depends on values")
        with undrawn():
            return type_of(op.call(*[self.value(x) for x in inputs], **params))

    def value(self, node: Node) -> Any:
        """The value of a node in the call that is traced, computed when it is first asked for."""
        self.require_open()
        needed, stack = {}, [node]
        while stack:
            n = stack.pop()
            if n.id not in self.known and n.id not in needed:
                needed[n.id] = n
                stack += n.inputs
        with undrawn():
            for _, n in sorted(needed.items()):
                call, args = function(n), [self.known[x.id] for x in n.inputs]
                self.known[n.id] = (
                    leaf(n, self.arrays) if call is None else result(n, call(*args, **n.params))
                )
        return self.known[node.id]

    def input_of(self, x: Any) -> Node:
        """The node of what is no value of this trace: a number, or an array from outside."""
        if type(x) is np.ndarray:
            return self.capture(x)
        if type(x) in NUMBERS:
            if type(x) is not float or x == 0:  # -0.0 == 0.0, and 1 == True
                return self.graph.constant(x)
            node = self.numbers.get(x)
            if node is None:
                node = self.numbers[x] = self.graph.constant(x)
            return node
        return self.fail("it uses a tracked value from outside, which is not among its arguments")

    def capture(self, array: np.ndarray) -> Node:
        """The node of an array from outside, which must not change while the function runs."""
        known = self.captures.get(id(array))
        if known is None:
            if not array.dtype.isnative:
                self.fail("it uses an array of foreign byte order from outside")
            self.captures[id(array)] = (array, marked(array))
            self.twins[id(array)] = self.meet(array)
        elif array.nbytes <= SMALL and marked(array) != known[1]:
            self.fail(CHANGED)
        return self.graph.capture(self.twins[id(array)])

    def meet(self, array: np.ndarray) -> np.ndarray:
        """An array from outside, or its twin of an earlier trace: one that was met at this place.

        A function that makes an array of its own makes an equal one in each trace.
        """
        arrays, k = self.spot.arrays if self.spot else (), len(self.met)
        if k < len(arrays) and arrays[k] is not array:
            array = arrays[k] if is_twin(arrays[k], array) else array
        self.met.append(array)
        return array

    def check(self, test: Node) -> None:
        """Keep a question whose answer must be False."""
        if test not in self.checks:
            self.checks.append(test)

    def decide(self, node: Node) -> bool:
        """The truth of a value in the call that is traced, from which on the trace is of one path.

        Raises: ValueError of more than one element, as NumPy does.
        """
        answer = bool(self.value(node))
        if node.op == "constant":
            return answer
        if node.dtype.kind != "b":
            zero = self.graph.constant(node.dtype.type(0))
            node = self.add(OPS["not_equal"], [node, zero], {}).node
        if node.shape:
            node = self.add(OPS["reshape"], [node], dict(shape=())).node
        if node.id not in self.answers:
            self.fork(node, answer)
        return answer

    def fork(self, node: Node, answer: bool) -> None:
        """Go one way, where the tree has been before or not."""
        spot = self.spot
        if spot is not None and (not isinstance(spot, Fork) or spot.node is not node):
            self.fail(UNSTEADY)
        if len(self.path) >= DEPTH:
            self.fail(f"it decides more than {DEPTH} times in a call")
        line = spot.line if spot else line_of(sys._getframe(2), (node,))
        self.path.append((Fork(node, (None, None), line, tuple(self.met)), answer))
        self.answers[node.id] = answer
        self.spot, self.met = spot and spot.sides[answer], []

    def settle(self, node: Node, signed: bool = True) -> Any:
        """The value of a number in the call that is traced; that it is this one is a decision.

        Values that were met here before are asked for first. Zeros are told apart if `signed`.
        """
        value = self.value(node)
        number = value.item() if hasattr(value, "item") else value
        if node.op == "constant":
            return number
        if node.dtype.kind not in "biuf":
            self.fail(f"it asks for the value of {node.dtype}{list(node.shape)}")
        if node.dtype.kind == "b":
            return self.decide(node)
        if node.shape:
            node = self.add(OPS["reshape"], [node], dict(shape=())).node
        if node.dtype.kind == "f" and self.decide(self.add(OPS["isnan"], [node], {}).node):
            return number
        for _ in range(VALUES):
            wanted = self.asked_before(node) or self.graph.constant(node.dtype.type(number))
            if self.decide(self.add(OPS["equal"], [node, wanted], {}).node):
                break
        else:
            self.fail(f"it hands more than {VALUES} different numbers to Python")
        if signed and number == 0 and node.dtype.kind == "f":
            self.decide(self.add(OPS["signbit"], [node], {}).node)
        return number

    def asked_before(self, node: Node) -> Node | None:
        """The number that a value was compared with at this place of an earlier trace."""
        question = self.spot.node if isinstance(self.spot, Fork) else None
        if question is None or question.op != "equal" or question.inputs[0] is not node:
            return None
        return question.inputs[1]

    def finish(self, ends: list[Node | Static], out: Any) -> tuple[list[Node | Static], Tree, bool]:
        """The ends as all paths have them, the tree with this path, and whether that is new."""
        if not self.path and self.tree is None:
            return ends, None, True
        ends = [self.counted(e) for e in ends]
        hollow = flatten(out)[2]([HOLE] * len(ends))
        form = (kind_of(hollow), *map(type_of_end, ends))
        leaf = Leaf(tuple(ends), form, tuple(self.checks), tuple(self.met))
        known = leaves(self.tree)
        if isinstance(self.spot, Fork):
            self.fail(UNSTEADY)
        if known and known[0].form != form:
            self.fail("its output has one type on this path, and another one on others")
        if self.spot is not None:
            return [*self.spot.ends], self.tree, False
        tree = leveled(grown(self.tree, self.path, leaf), self.graph.constant)
        if len(known) >= LEAVES or sum(isinstance(part, Fork) for part in preorder(tree)) > FORKS:
            self.fail(f"it has more than {len(known)} paths")
        return ends, tree, True

    def counted(self, x: Node | Static) -> Node | Static:
        """A number that a path ends with as a node, for on another it may be another number."""
        if isinstance(x, Node) or type(x.value) not in NUMBERS:
            return x
        node = self.input_of(x.value)
        return node if is_native(node) else x

    def check_number(self, node: Node) -> None:
        """Python's division and power of numbers raise where NumPy's make no finite number."""
        finite = self.add(OPS["isfinite"], [node], {}).node
        self.check(self.add(OPS["logical_not"], [finite], {}).node)

    def fail(self, what: str) -> NoReturn:
        """Give up the trace."""
        self.failure = self.failure or Unstageable(what, line_of(sys._getframe(1), ()))
        raise self.failure

    def refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Answer whoever asks what stands inside a staged value."""
        self.fail("it asks for a value")

    def close(self) -> None:
        """End the trace: what it knew of this one call is forgotten."""
        self.open = False
        self.arrays, self.known = [], {}

    __array__ = __array_ufunc__ = __array_function__ = refuse
    __bool__ = __float__ = __int__ = __index__ = __complex__ = __len__ = __iter__ = refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = refuse
    __hash__ = object.__hash__


class Staged(Traced):
    """A value of a program: its shape and dtype are known, its elements are not.

    `primal` is the recorder of the trace, `node` the node of its graph.
    """

    __slots__ = ()
    staged = True
    primal: Recorder
    node: Node

    @classmethod
    def apply(cls, op: Op, top: list[Any], primals: Sequence[Any], params: dict[str, Any]) -> Any:
        """One more node. An op of no registry is its function, which is followed."""
        recorder: Any = None
        for t in top:
            if t is not None:
                recorder = t.primal
                break
        if OPS.get(op.name) is not op:
            args = [p if t is None else t for t, p in zip(top, primals, strict=True)]
            return recorder.follow(op, args, params)
        inputs = [
            recorder.input_of(p) if t is None else t.node for t, p in zip(top, primals, strict=True)
        ]
        return recorder.add(op, inputs, params)

    shape = property(lambda self: self.node.shape)
    dtype = property(lambda self: self.node.dtype)
    ndim = property(lambda self: len(self.node.shape))
    size = property(lambda self: self.node.size)
    flags = property(lambda self: np.asarray(self.primal.value(self.node)).flags)

    def leave(self, how: str) -> NoReturn:
        """Nothing leaves: there is no value yet."""
        self.primal.fail(f"`{how}` asks for the value of {self.node.dtype}{list(self.shape)}")

    def __bool__(self) -> bool:
        return self.primal.decide(self.node)

    def __float__(self) -> float:
        return float(self.primal.settle(self.node))

    def __int__(self) -> int:
        whole = self if self.dtype.kind != "f" else OPS["trunc"].call(self)
        return int(self.primal.settle(whole.node, signed=False))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.shape:
            raise TypeError(f"{self.dtype}{list(self.shape)} is no index")
        return operator.index(self.primal.settle(self.node))

    def item(self) -> Any:
        """The number itself: a decision."""
        return self.primal.settle(self.node)

    def rare(self) -> bool:
        """False, as it hardly ever is otherwise; the program finds out."""
        self.primal.check(self.node)
        return False

    def detach(self) -> Any:
        """The same value: nothing is differentiated by it."""
        return self

    def spread(self, number: float, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array of one number, of which the program need not make one."""
        one = self.primal.input_of(dtype.type(number))
        if not shape:
            return self.primal.staged(one)
        return self.primal.add(OPS["spread"], [one], dict(shape=shape))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return firm(__array_ufunc__(self, ufunc, method, *inputs, **kwargs))

    def __array_function__(self, theirs: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if theirs in SHARING:
            arrays = [a.primal.value(a.node) if isinstance(a, Staged) else a for a in args]
            return theirs(*arrays, **kwargs)
        return firm(__array_function__(self, theirs, types, args, kwargs))

    def __repr__(self) -> str:
        return f"Staged({self.node!r})"


CARRIED.add(Staged)


def trace(
    f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any] | None = None,
    before: Trace | None = None,
) -> Trace:  # fmt: skip
    """The graph of `f(*args, **kwargs)`, for all arguments of these shapes, strides and dtypes.

    args, kwargs : containers of arrays, NumPy scalars, Python floats and complex numbers, which
        become inputs, and of anything else, which is baked in
    before : a trace of the same function and kinds of arguments, whose paths are known

    Raises: Unstageable where what `f` does depends on values, or would not be done by a program.

    >>> import numpy as np
    >>> import adjoint as ad
    >>> print(trace(ad.grad(lambda x: (x * x).sum()), [np.ones(3)]).graph.text().split("#")[0])
    <lambda>(x0: float64[3])
        %1 = ...
    """
    leaves, ways, rebuild = flatten((tuple(args), kwargs or {}))
    paths = [("args" if way.startswith("[0]") else "kwargs") + way[3:] for way in ways]
    recorder = Recorder(name_of(f), next_level(), before)
    surroundings = Surroundings(f)
    given = [
        argument(recorder, surroundings, x, path) for x, path in zip(leaves, paths, strict=True)
    ]
    nodes = [x.node if isinstance(x, Staged) else None for x in given]
    args, kwargs = tree = rebuild(given)
    try:
        out = f(*args, **kwargs)
        require_pure(recorder, surroundings, tree, given, nodes, paths)
        ends, _, rebuild_out = flatten(out)
        found = [end(recorder, e, leaves) for e in ends]
        found, tree_of_paths, is_new = recorder.finish(found, out)
    except Exception as error:
        raise Unstageable(f"{type(error).__name__}: {error}", raised_at(error)) from error
    finally:
        recorder.close()
    graph = recorder.graph
    ended = (*[e for e in found if isinstance(e, Node)], *recorder.checks)
    graph.outputs = results(tree_of_paths) if tree_of_paths else ended
    captures = [n for n in graph.nodes if n.op == "capture"]
    return Trace(
        graph, [Static(x) if n is None else n for x, n in zip(leaves, nodes, strict=True)], paths,
        found, rebuild_out, recorder.checks, surroundings.guards,
        surroundings.warnings + surroundings.unread([n.params["array"] for n in captures]),
        captures, tree_of_paths, is_new,
    )  # fmt: skip


def argument(recorder: Recorder, surroundings: Surroundings, x: Any, path: str) -> Any:
    """What stands for a leaf of the arguments: a staged value, or what is baked in."""
    if type(x) in (float, complex) or (isinstance(x, np.generic) and x.dtype.char in NUMERIC):
        return recorder.argument(x)
    if isinstance(x, np.ndarray):
        if type(x) is not np.ndarray or x.dtype.char not in NUMERIC or not x.dtype.isnative:
            recorder.fail(f"its argument {path} is a {type(x).__name__} of dtype {x.dtype}")
        return recorder.argument(x)
    if isinstance(x, Traced):
        recorder.fail(f"its argument {path} is a tracked value")
    surroundings.look(x, path)
    return x


def require_pure(
    recorder: Recorder, surroundings: Surroundings, tree: Any, given: Sequence[Any],
    nodes: Sequence[Node | None], paths: Sequence[str],
) -> None:  # fmt: skip
    """Raise `Unstageable` if the function was seen to do more than compute its output."""
    if recorder.failure is not None:  # somebody caught it
        raise recorder.failure
    for x, node, path in zip(given, nodes, paths, strict=True):
        if node is not None and (type(x) is not Staged or x.node is not node):
            recorder.fail(f"it writes into its argument {path}")
    left = flatten(tree)[0]
    if len(left) != len(given) or any(a is not b for a, b in zip(left, given, strict=True)):
        recorder.fail("it changes a container among its arguments")
    if (deed := surroundings.deed()) is not None:
        recorder.fail(f"it {deed}")
    if any(marked(array) != mark for array, mark in recorder.captures.values()):
        recorder.fail(CHANGED)


def end(recorder: Recorder, x: Any, leaves: Sequence[Any]) -> Node | Static:
    """A leaf of the output: a node, or what cannot be changed by whoever gets it."""
    if isinstance(x, Staged) and x.primal is recorder:
        return x.node
    if isinstance(x, Traced):
        recorder.fail("it returns a tracked value")
    if type(x) is np.ndarray and x.dtype.char in NUMERIC:
        return recorder.capture(x)
    if isinstance(x, FIXED) or any(x is given for given in leaves):
        return Static(x)
    return recorder.fail(f"it returns a {type(x).__name__}, which a program cannot make anew")


def type_of_end(x: Node | Static) -> Any:
    """What two paths must have in common at one leaf of the output."""
    if isinstance(x, Node):
        return x.dtype, x.shape
    return (type(x.value), repr(x.value)) if type(x.value) in NUMBERS else kind_of(x.value)


def number_of(k: int, x: Any, bits: int) -> Any:
    """Output k: a number of Python's where bit k is set."""
    return x.item() if bits >> k & 1 and hasattr(x, "item") else x


def is_twin(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether two arrays are the same to the bit, and lie alike."""
    alike = (x.shape, x.strides, x.dtype) == (y.shape, y.strides, y.dtype)
    return alike and x.tobytes() == y.tobytes()


FIXED = (
    bool, int, float, complex, str, bytes, np.generic, np.dtype, type, slice, range, ModuleType,
    BuiltinFunctionType,
)  # fmt: skip
"""Kinds of outputs that are the same in each call."""


def line_of(frame: FrameType | None, inputs: Sequence[Node]) -> str:
    """The user's line that a frame was called from; in a reverse pass that of the latest input.

    Such a pass is run by no line of the function: what its rules compute belongs to the line whose
    value they use, if there is one.
    """
    while frame is not None:
        code = frame.f_code
        place = PLACES.get(code.co_filename)
        if place is None:
            place = PLACES[code.co_filename] = place_of(code.co_filename)
        if place:
            return f"{place}:{frame.f_lineno}"
        if code is PULLING or code is TRACING:
            for x in reversed(inputs):
                if x.line:
                    return x.line
            if code is TRACING:
                break
        frame = frame.f_back
    return ""


def place_of(file: str) -> str:
    """What a file of the user's is called; nothing for one of adjoint's or NumPy's."""
    if file.startswith((*ROOMS, "<adjoint ", "<__array_function__", "<frozen")):
        return ""
    here = os.getcwd() + os.sep
    return file.removeprefix(here)


def raised_at(error: BaseException) -> str:
    """The user's line that an error comes from."""
    found, step = "", error.__traceback__
    while step is not None:
        if place := place_of(step.tb_frame.f_code.co_filename):
            found = f"{place}:{step.tb_lineno}"
        step = step.tb_next
    return found


TRACING, PULLING = trace.__code__, pull_back.__code__


@contextmanager
def undrawn() -> Iterator[None]:
    """A block that draws no random numbers, as far as others can tell: SciPy's `logm` does."""
    before = global_state()
    with unnoticed():
        yield
    if global_state() != before:
        np.random.set_state(before)


def firm(out: Any) -> Any:
    """What a function of NumPy's makes of Python numbers: one of NumPy's."""
    if isinstance(out, Staged) and out.node.weak:
        return OPS["astype"].call(out, out.dtype)
    return out


def of_numbers(operator: Callable[..., Any]) -> Callable[..., Any]:
    """An operator that makes a Python number of Python numbers, as its function does not."""

    def method(self: Staged, *others: Any) -> Any:
        out = operator(self, *others)
        weak = self.node.weak and all(
            type(o) in PLAIN or (isinstance(o, Staged) and o.node.weak) for o in others
        )
        if not weak:
            return out
        n, recorder = out.node, self.primal
        node = recorder.graph.add(
            n.op, n.inputs, n.params, shape=(), dtype=n.dtype, weak=True, line=n.line
        )
        if others:
            recorder.check_number(node)
        return recorder.staged(node)

    return method


def same_kind(in_place: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """`x += y` and its kin, which NumPy refuses where the dtype of x is of a lower kind."""

    def method(self: Staged, other: Any) -> Any:
        n, recorder = self.node, self.primal
        if n.op == "input" and type(recorder.arrays[n.params["index"]]) is np.ndarray:
            recorder.fail("it writes into an argument")
        out = function(self, other)
        if not np.can_cast(out.dtype, self.dtype, "same_kind"):
            raise TypeError(f"{out.dtype} cannot be written into {self.dtype} in place")
        return in_place(self, other)

    return method


for name in "abs pos mod rmod floordiv rfloordiv".split():
    setattr(Staged, f"__{name}__", of_numbers(getattr(Traced, f"__{name}__")))
for name, operation in IN_PLACE.items():
    setattr(Staged, name, same_kind(getattr(Traced, name), operation))

__all__ = ["Guard", "Recorder", "Staged", "Static", "Trace", "Unstageable", "trace"]
