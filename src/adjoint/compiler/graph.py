"""The graph of a traced function: ops on values whose shapes and dtypes are known, each made once.

A node is an op of the registry applied to earlier nodes, or one of four leaves: "input" (an array
argument), "capture" (an array from outside, read anew in each call), "constant" (a number), "item"
(one output of an op that has several). Equal applications are one node, so common subexpressions
do not arise. Passes are functions Graph -> Graph; `check` holds what they must preserve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..core.op import OPS
from ..errors import CompileError

LEAVES = frozenset(("input", "capture", "constant"))
NO_PARAMS: dict[str, Any] = {}  # the parameters of most nodes


class Node:
    """A value of the graph.

    id       its place among the nodes: inputs have smaller ones
    op       name of an op of the registry, "input", "capture", "constant" or "item"
    inputs   the nodes it is made of
    params   static parameters of the op by name; of a leaf: `index` of an input, `array` of a
             capture, `value` of a constant; `index` of an item
    shape    and `dtype`; of an op with several outputs tuples of them
    weak     True of a Python number, whose dtype gives way to that of arrays (NumPy's NEP 50)
    line     where in the user's code it was made, "file.py:12", or ""
    """

    __slots__ = ("id", "op", "inputs", "params", "shape", "dtype", "weak", "line")

    def __init__(
        self, id: int, op: str, inputs: tuple[Node, ...], params: dict[str, Any],
        shape: Any, dtype: Any, weak: bool, line: str,
    ) -> None:  # fmt: skip
        self.id, self.op, self.inputs, self.params = id, op, inputs, params
        self.shape, self.dtype, self.weak, self.line = shape, dtype, weak, line

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: prod(self.shape))

    def __repr__(self) -> str:
        return f"<%{self.id} {self.op} {described(self)}>"


class Graph:
    """Nodes in the order of their making, the first ones the inputs; and the outputs."""

    def __init__(self, name: str = "f") -> None:
        self.name = name
        self.nodes: list[Node] = []
        self.inputs: list[Node] = []
        self.outputs: tuple[Node, ...] = ()
        self.table: dict[Any, Node] = {}

    def add(
        self, op: str, inputs: Sequence[Node] = (), params: dict[str, Any] | None = None, *,
        shape: Any, dtype: Any, weak: bool = False, line: str = "",
    ) -> Node:  # fmt: skip
        """The node of this application: a new one, or the one that is there already."""
        inputs, params = tuple(inputs), params or NO_PARAMS
        given = frozen(params) if params else ()
        key = (op, inputs, given, weak, dtype, shape)
        node = self.table.get(key)
        if node is None:
            node = Node(len(self.nodes), op, inputs, params, shape, dtype, weak, line)
            self.table[key] = node
            self.nodes.append(node)
            if op == "input":
                self.inputs.append(node)
        return node

    def input(self, shape: tuple[int, ...], dtype: Any, weak: bool = False) -> Node:
        """A new input, the next argument."""
        index = len(self.inputs)
        return self.add("input", (), dict(index=index), shape=shape, dtype=np.dtype(dtype),
                        weak=weak)  # fmt: skip

    def constant(self, value: Any) -> Node:
        """A number: a weak one if it is Python's, else of its own dtype."""
        weak = type(value) in (float, int, complex, bool)
        return self.add("constant", (), dict(value=value), shape=(), dtype=np.asarray(value).dtype,
                        weak=weak)  # fmt: skip

    def capture(self, array: np.ndarray) -> Node:
        """An array from outside, by identity: what is written to it later, later calls see."""
        return self.add("capture", (), dict(array=array), shape=array.shape, dtype=array.dtype)

    def copy(self) -> Graph:
        """A graph of the same nodes, to which others can be added."""
        twin = Graph(self.name)
        twin.nodes, twin.inputs = self.nodes.copy(), self.inputs.copy()
        twin.outputs, twin.table = self.outputs, self.table.copy()
        return twin

    def users(self) -> dict[int, list[Node]]:
        """By id, the nodes that each node is an input of."""
        found: dict[int, list[Node]] = {n.id: [] for n in self.nodes}
        for node in self.nodes:
            for x in node.inputs:
                found[x.id].append(node)
        return found

    def check(self, infer: Callable[[Node], tuple[Any, Any]] | None = None) -> None:
        """Raise `CompileError` where the graph is none; `infer` says anew what a node's type is."""
        for place, node in enumerate(self.nodes):
            where = f"node %{node.id}, `{node.op}`"
            if node.id != place:
                raise CompileError(f"{where}: stands at place {place}")
            if any(x.id >= place or self.nodes[x.id] is not x for x in node.inputs):
                raise CompileError(f"{where}: an input comes later, or from another graph")
            if node.op not in LEAVES and node.op != "item" and node.op not in OPS:
                raise CompileError(f"{where}: there is no such op")
            if infer is not None and node.op not in LEAVES:
                shape, dtype = infer(node)
                if (shape, dtype) != (node.shape, node.dtype):
                    raise CompileError(
                        f"{where}: is {described(node)}, and its op makes {dtype}{list(shape)}"
                    )
        for node in (*self.inputs, *self.outputs):
            if node.id >= len(self.nodes) or self.nodes[node.id] is not node:
                raise CompileError(f"%{node.id}, an input or output, is from another graph")

    def text(self) -> str:
        """The program in lines that one can read: `%3 = multiply %1 %2`, its type, its origin."""
        rows = [(label(n), n) for n in self.nodes if n.op not in ("input", "constant")]
        width = max((len(text) for text, _ in rows), default=0)
        inputs = ", ".join(f"{name(n)}: {described(n)}" for n in self.inputs)
        lines = [f"{self.name}({inputs})"]
        for text, node in rows:
            line = f"  # {node.line}" if node.line else ""
            lines.append(f"    {text:<{width}}  {described(node)}{line}")
        lines.append(f"    return {', '.join(name(n) for n in self.outputs)}")
        return "\n".join(lines)


def frozen(value: Any) -> Any:
    """`value` as a key: equal for equal parameters; what cannot be compared, by identity."""
    if type(value) is dict:
        return tuple([(k, frozen(v)) for k, v in value.items()])
    if type(value) in (tuple, list):
        return (type(value), *[frozen(v) for v in value])
    if type(value) is slice:
        return (slice, frozen(value.start), frozen(value.stop), frozen(value.step))
    if isinstance(value, (float, complex, np.inexact)):
        return (type(value), repr(value))  # tells 0.0 from -0.0, and finds NaN again
    try:
        hash(value)
    except TypeError:
        return (type(value), id(value))
    return (type(value), value)


def name(node: Node) -> str:
    """What the text calls a node."""
    if node.op == "input":
        return f"x{node.params['index']}"
    return repr(node.params["value"]) if node.op == "constant" else f"%{node.id}"


def label(node: Node) -> str:
    """The equation of a node."""
    given = [f"{k}={shown(v)}" for k, v in node.params.items()]
    return f"{name(node)} = {' '.join([node.op, *map(name, node.inputs), *given])}"


def shown(value: Any) -> str:
    """A parameter in one short line."""
    if isinstance(value, np.ndarray):
        return f"<{value.dtype}{list(value.shape)}>"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def described(node: Node) -> str:
    """The type of a node: `float64[3, 4]`."""
    if type(node.dtype) is tuple:
        pairs: Iterable[Any] = zip(node.dtype, node.shape, strict=True)
        return f"({', '.join(f'{d}{list(s)}' for d, s in pairs)})"
    return f"{'weak ' if node.weak else ''}{node.dtype}{list(node.shape)}"


def spelling(graph: Graph) -> str | None:
    """What the graph computes, as text that is the same in every process; None where it has none.

    It covers ops, parameters, constants to the bit, shapes and dtypes, and of captures the layout,
    for their contents are read anew in each call.
    """
    rows: list[Any] = []
    try:
        for node in graph.nodes:
            several = type(node.dtype) is tuple
            dtype = [d.char for d in node.dtype] if several else node.dtype.char
            rows += node.op, [x.id for x in node.inputs], node.shape, dtype, node.weak
            if node.op == "capture":
                rows.append(node.params["array"].strides)
            elif node.params:
                rows.append([(k, spelled(v)) for k, v in node.params.items()])
    except TypeError:
        return None
    rows.append([n.id for n in graph.outputs])
    return repr(rows)


def spelled(value: Any) -> Any:
    """A parameter as text that says all of it; TypeError for what has no such text."""
    if type(value) in (tuple, list):
        return [type(value).__name__, *map(spelled, value)]
    if type(value) is slice:
        return ["slice", value.start, value.stop, value.step]
    if value is None or value is ... or type(value) in (int, float, complex, bool, str):
        return repr(value)
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        return [str(value.dtype), value.shape, value.tobytes().hex()]
    if isinstance(value, np.dtype) or isinstance(value, type):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no spelling")
