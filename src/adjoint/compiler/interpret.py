"""The safe path: a graph run by the ops' own functions on NumPy's arrays, and a program by NumPy.

It is what runs where native code cannot, and what native code is tested against.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backends.namespace import NUMPY
from ..core.op import OPS
from ..errors import CompileError
from .graph import LEAVES, Graph, Node, described
from .kernel import Access, Body, Branch, Buffer, Call, Instr, Loop, Program, View

Step = tuple[Node, Callable[..., Any] | None, tuple[int, ...], tuple[int, ...]]


def run_graph(graph: Graph, arrays: Sequence[Any]) -> list[Any]:
    """The outputs of `graph` at `arrays`, one an input: what eager would have computed.

    >>> import numpy as np
    >>> from adjoint.compiler.graph import Graph
    >>> g = Graph()
    >>> x = g.input((3,), "float64")
    >>> g.outputs = (g.add("sum", [x], dict(axis=None, keepdims=False), shape=(), dtype=x.dtype),)
    >>> run_graph(g, [np.ones(3)])
    [np.float64(3.0)]
    """
    return runner(graph)(arrays)


def runner(graph: Graph) -> Callable[[Sequence[Any]], list[Any]]:
    """A function of the input arrays: the graph in order, each value dropped after its last use."""
    steps = plan(graph)
    ends = [n.id for n in graph.outputs]
    kept = [n.params["array"] for n in graph.nodes if n.op == "capture"]

    def run(arrays: Sequence[Any]) -> list[Any]:
        values: dict[int, Any] = {}
        with np.errstate(all="ignore"):
            for node, call, inputs, dead in steps:
                values[node.id] = (
                    leaf(node, arrays)
                    if call is None
                    else result(node, call(*[values[i] for i in inputs], **node.params))
                )
                for i in dead:
                    del values[i]
        held = {id(a) for a in (*arrays, *kept)}
        return [fresh(values[i], held) for i in ends]

    return run


def fresh(value: Any, held: set[int]) -> Any:
    """An output in memory that nobody else holds; `held` are arrays that somebody does."""
    if type(value) is not np.ndarray:
        return value
    if value.base is not None or id(value) in held:
        value = value.copy()
    held.add(id(value))
    return value


def plan(graph: Graph) -> list[Step]:
    """For each node that an output needs: its function, its inputs, and what dies with it."""
    last = {n.id: len(graph.nodes) for n in graph.outputs}
    steps: list[Step] = []
    for node in reversed(graph.nodes):
        if node.id in last:
            dead = tuple([i for i in dict.fromkeys(x.id for x in node.inputs) if i not in last])
            last.update(dict.fromkeys(dead, node.id))
            steps.append((node, function(node), tuple([x.id for x in node.inputs]), dead))
    return steps[::-1]


def function(node: Node) -> Callable[..., Any] | None:
    """What computes a node from the values of its inputs; None for a leaf.

    Eager's own function, but of Python numbers: they would raise where a check is to speak.
    """
    if node.op in LEAVES:
        return None
    if node.op == "item":
        return lambda x, index: x[index]
    op = OPS[node.op]
    return functools.partial(op.forward, NUMPY) if node.weak else op.call


def leaf(node: Node, arrays: Sequence[Any]) -> Any:
    """The value of an input, a capture or a constant."""
    if node.op == "input":
        return arrays[node.params["index"]]
    return node.params["array" if node.op == "capture" else "value"]


def result(node: Node, value: Any) -> Any:
    """`value` if it is of the type of its node; a Python number where the node is weak."""
    if node.weak:
        return value.item() if hasattr(value, "item") else value
    several = type(node.dtype) is tuple
    values = value if several else (value,)
    shapes, dtypes = (node.shape, node.dtype) if several else ((node.shape,), (node.dtype,))
    for v, shape, dtype in zip(values, shapes, dtypes, strict=True):
        if not hasattr(v, "dtype"):
            v = np.asarray(v)
        if v.shape != shape or v.dtype != dtype:
            raise CompileError(
                f"`{node.op}`{f' of {node.line}' if node.line else ''} made {v.dtype}"
                f"{list(v.shape)}; when it was traced, {described(node)}"
            )
    return value if several or hasattr(value, "dtype") else np.asarray(value, node.dtype)[()]


def run_program(program: Program, arrays: Sequence[Any]) -> list[Any]:
    """The outputs of `program` and after them its checks: what its native code must compute.

    Nothing is fast here: each access is worked out element by element, and one that leaves its
    array raises `CompileError`.
    """
    memory = [Memory(buffer, arrays) for buffer in program.buffers]
    with np.errstate(all="ignore"):
        run_steps(program.steps, memory)
    return [memory[i].whole()[()] for i in (*program.outputs, *program.checks)]


def run_steps(steps: Sequence[Loop | Call | Branch], memory: Sequence[Memory]) -> None:
    """Steps in order; of a branch one side."""
    for step in steps:
        if isinstance(step, Loop):
            run_loop(step, memory)
        elif isinstance(step, Branch):
            run_steps(step.sides[int(memory[step.buffer].row[0])], memory)
        else:
            run_call(step, memory)


class Memory:
    """The elements of a buffer in a row, and the place among them of each address.

    An address counts elements from the data pointer; `addresses` are those of the row, sorted, or
    None where they are the places themselves.
    """

    def __init__(self, buffer: Buffer, arrays: Sequence[Any]) -> None:
        self.buffer, self.addresses = buffer, None
        if buffer.kind in ("output", "scratch"):
            self.row = np.zeros(int(np.prod(buffer.shape)), buffer.dtype)
            return
        array = np.asarray(buffer.index if buffer.kind == "capture" else arrays[buffer.index])
        steps = [s // buffer.dtype.itemsize for s in buffer.strides]
        found = address(0, steps, [(0, n) for n in buffer.shape]).ravel()
        self.addresses, first = np.unique(found, return_index=True)
        self.row = array.ravel()[first].astype(buffer.dtype, casting="equiv")

    def places(self, addresses: np.ndarray) -> np.ndarray:
        """Where in the row these addresses are."""
        if self.addresses is None:
            found, inside = addresses, (0 <= addresses) & (addresses < len(self.row))
        else:
            found = np.asarray(np.searchsorted(self.addresses, addresses))
            inside = np.asarray(found < len(self.row))
            inside[inside] = self.addresses[found[inside]] == addresses[inside]
        if not inside.all():
            raise CompileError(f"an access leaves the {self.buffer.kind} {self.buffer.index}")
        return found

    def whole(self) -> np.ndarray:
        """The buffer as an array."""
        steps = [s // self.buffer.dtype.itemsize for s in self.buffer.strides]
        return self.row[self.places(address(0, steps, [(0, n) for n in self.buffer.shape]))]


def address(offset: int, steps: Sequence[int], box: Sequence[tuple[int, int]]) -> np.ndarray:
    """The address for each index of a box."""
    total = np.full([max(stop - start, 0) for start, stop in box], offset)
    for k, (step, (start, stop)) in enumerate(zip(steps, box, strict=True)):
        total += (step * np.arange(start, stop)).reshape(-1, *[1] * (len(box) - k - 1))
    return total


def run_loop(loop: Loop, memory: Sequence[Memory]) -> None:
    """The nests in order; where a body reads what it writes, index by index."""
    begun = {f.access: np.zeros(len(memory[f.access.buffer].row), bool)
             for nest in loop.nests for f in nest.body.folds}  # fmt: skip
    for nest in loop.nests:
        loads = {i.attr for i in nest.body.instrs if i.op == "load"}
        stores = {s.access for s in nest.body.stores}
        touched = {a.buffer for a in loads} & {a.buffer for a in stores}
        if any(a not in loads for a in stores if a.buffer in touched) or any(
            a not in stores for a in loads if a.buffer in touched
        ):
            for index in np.ndindex(*[stop - start for start, stop in nest.box]):
                at = [(s + i, s + i + 1) for i, (s, _) in zip(index, nest.box, strict=True)]
                run_body(nest.body, at, memory, begun)
        else:
            run_body(nest.body, nest.box, memory, begun)
    for nest in loop.nests:
        for fold in nest.body.folds:
            m = memory[fold.access.buffer]
            kept = [(0, 1 if k in fold.axes else n) for k, n in enumerate(loop.extents)]
            places = m.places(address(fold.access.offset, fold.access.steps, kept))
            empty = places[~begun[fold.access][places]]
            if empty.size:
                m.row[empty] = IDENTITIES[fold.how]


def run_body(
    body: Body, box: Sequence[tuple[int, int]], memory: Sequence[Memory],
    begun: dict[Access, np.ndarray],
) -> None:  # fmt: skip
    """Every line of a body for all indices of a box, then its stores and folds."""
    form = [max(stop - start, 0) for start, stop in box]
    values: list[Any] = []
    for instr in body.instrs:
        value = compute(instr, values, box, memory)
        if np.asarray(value).dtype != instr.dtype:
            raise CompileError(f"`{instr.op}` makes {np.asarray(value).dtype}, not {instr.dtype}")
        values.append(value)
    for store in body.stores:
        m = memory[store.access.buffer]
        m.row[m.places(address(store.access.offset, store.access.steps, box))] = values[store.value]
    for fold in body.folds:
        if 0 in form:
            continue
        m, done = memory[fold.access.buffer], begun[fold.access]
        part = UFUNCS[fold.how].reduce(np.broadcast_to(values[fold.value], form), fold.axes)
        kept = [(a, a + 1 if k in fold.axes else b) for k, (a, b) in enumerate(box)]
        places = m.places(address(fold.access.offset, fold.access.steps, kept)).reshape(part.shape)
        part = np.where(done[places], UFUNCS[fold.how](m.row[places], part), part)
        m.row[places], done[places] = part, True


def compute(
    instr: Instr, values: Sequence[Any], box: Sequence[tuple[int, int]], memory: Sequence[Memory]
) -> Any:
    """One line of a body."""
    if instr.op == "load":
        m = memory[instr.attr.buffer]
        return m.row[m.places(address(instr.attr.offset, instr.attr.steps, box))]
    if instr.op == "constant":
        return instr.dtype.type(instr.attr)
    if instr.op == "index":
        return address(0, [int(k == instr.attr) for k in range(len(box))], box)
    args = [values[i] for i in instr.args]
    if instr.op == "cast":
        return np.asarray(args[0]).astype(instr.dtype)
    params = instr.attr if isinstance(instr.attr, dict) else {}
    return OPS[instr.op].forward(NUMPY, *args, **params)


def run_call(call: Call, memory: Sequence[Memory]) -> None:
    """One op by the backend, its outputs put into their buffers."""
    args = [viewed(x, memory) if isinstance(x, View) else x for x in call.inputs]
    out = OPS[call.op].call(*args, **call.params)
    for value, i in zip(
        out if isinstance(out, (tuple, list)) else [out], call.outputs, strict=True
    ):
        buffer = memory[i].buffer
        if np.shape(value) != buffer.shape or np.asarray(value).dtype != buffer.dtype:
            raise CompileError(
                f"`{call.op}` made {np.asarray(value).dtype}{list(np.shape(value))} for a buffer "
                f"of {buffer.dtype}{list(buffer.shape)}"
            )
        memory[i].row[:] = np.ravel(value)


def viewed(view: View, memory: Sequence[Memory]) -> Any:
    """The array that a view of a buffer shows."""
    m = memory[view.buffer]
    size = m.buffer.dtype.itemsize
    box = [(0, n) for n in view.shape]
    return m.row[m.places(address(view.offset // size, [s // size for s in view.strides], box))][()]


UFUNCS: dict[str, np.ufunc] = dict(
    sum=np.add, prod=np.multiply, max=np.maximum, min=np.minimum, any=np.logical_or,
    all=np.logical_and,
)  # fmt: skip
IDENTITIES = dict(sum=0, prod=1, any=False, all=True)
"""What a fold of nothing makes, where it makes anything."""
