"""Arithmetic typed by anybody, made a function of its names without `eval`."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.op import OPS, Op
from ..core.traced import Traced
from ..errors import ExpressionError
from .formula import PUBLIC

LONGEST, DEEPEST = 1000, 100
CONSTANTS = dict(pi=math.pi, e=math.e)
OPERATORS: dict[type, str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "pow",
    ast.UAdd: "positive", ast.USub: "negative",
}  # fmt: skip
REFUSED: dict[type, str] = {
    ast.Attribute: "an attribute", ast.Subscript: "a subscript", ast.Lambda: "a lambda",
    ast.Compare: "a comparison", ast.BoolOp: "a choice", ast.IfExp: "a choice",
    ast.NamedExpr: "an assignment", ast.List: "a list", ast.Tuple: "a tuple", ast.Dict: "a dict",
    ast.Set: "a set", ast.JoinedStr: "text", ast.Starred: "a star", ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension", ast.BitXor: "`^` (a power is `**`)",
}  # fmt: skip
WORDS = ("elementwise", "reduction", "constant")
ROOMS = tuple(f"adjoint.ops.{room}" for room in ("elementwise", "reduce", "constant", "special"))
ALLOWED = "Allowed are numbers, names, + - * / **, parentheses and calls of functions."
Part = Callable[[dict[str, Any]], Any]


def functions() -> dict[str, Op]:
    """What an expression may call: ops of numbers alone, by their public names."""
    known = {"ln": OPS["log"], "sum": OPS["sum"], "mean": OPS["mean"]}
    for op in OPS.values():
        real = op.word in WORDS and op.name not in ("where", "to_complex")
        if real and op.forward.__module__ in ROOMS and set(op.params) <= set(op.defaults):
            known[PUBLIC.get(op.name, op.name)] = op
    return known


def parse(text: str, names: Sequence[str]) -> Callable[..., Any]:
    """The function of `names` that `text` describes; what is not arithmetic is refused.

    Only the shape of the text decides: nothing in it is executed, looked up or imported.

    >>> f = parse("2 * sin(x) ** 2 + a", ["x", "a"])
    >>> float(f(0.0, 3.0))
    3.0
    """
    text = text.strip()
    if not text:
        raise ExpressionError(f"the expression is empty. {ALLOWED}")
    if len(text) > LONGEST:
        raise ExpressionError(f"it has {len(text)} characters; at most {LONGEST} are read.")
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = error.offset or len(text) + 1
        raise ExpressionError(f"column {column}: {error.msg}. {ALLOWED}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("it is nested too deeply, or holds a null byte.") from None
    body = Reader(text, names).read(tree, 0)

    def expression(*values: Any) -> Any:
        with np.errstate(all="ignore"):
            return body(dict(zip(names, values, strict=True)))

    kind = inspect.Parameter.POSITIONAL_ONLY
    signature = inspect.Signature([inspect.Parameter(n, kind) for n in names])
    expression.__signature__ = signature  # type: ignore[attr-defined]
    return expression


class Reader:
    """Turns a syntax tree into functions of the names' values, node by node, or says why not."""

    def __init__(self, text: str, names: Sequence[str]) -> None:
        self.text, self.names, self.functions = text, names, functions()

    def refuse(self, node: Any, what: str) -> ExpressionError:
        """The error that points at `node`."""
        line = self.text.splitlines()[node.lineno - 1]
        column = len(line.encode()[: node.col_offset].decode()) + 1
        return ExpressionError(f"column {column}: {what}")

    def source(self, node: Any) -> str:
        """What was typed for `node`, in short."""
        return (ast.get_source_segment(self.text, node) or "")[:40]

    def read(self, node: Any, depth: int) -> Part:
        """The value of `node`, as a function of the names' values."""
        if depth > DEEPEST:
            raise self.refuse(node, f"the expression is nested more than {DEEPEST} deep.")
        if isinstance(node, ast.Constant):
            return self.number(node)
        if isinstance(node, ast.Name):
            return self.name(node)
        if isinstance(node, ast.Call):
            return self.apply(node, self.function(node), node.args, depth)
        if isinstance(node, (ast.BinOp, ast.UnaryOp)) and type(node.op) in OPERATORS:
            parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.operand]
            return self.apply(node, OPS[OPERATORS[type(node.op)]], parts, depth)
        kind = type(node.op) if isinstance(node, ast.BinOp) else type(node)
        what = REFUSED.get(kind) or f"`{self.source(node)}`"
        raise self.refuse(node, f"{what} is not arithmetic. {ALLOWED}")

    def number(self, node: ast.Constant) -> Part:
        """A real number."""
        if type(node.value) not in (int, float):
            raise self.refuse(node, f"`{self.source(node)}` is not a real number. {ALLOWED}")
        value = self.finite(node, lambda: float(node.value))  # type: ignore[arg-type]
        return lambda env: value

    def name(self, node: ast.Name) -> Part:
        """A name that was given a value, or a constant."""
        name = node.id
        if name in self.names:
            return lambda env: env[name]
        if name in CONSTANTS:
            return lambda env: CONSTANTS[name]
        if name in self.functions:
            raise self.refuse(node, f"`{name}` is a function: write {name}(...).")
        known = ", ".join(self.names) or "no name"
        text = f"`{name}` has no value; known are {known}, pi and e. Add {name}=1."
        raise self.refuse(node, text)

    def function(self, node: ast.Call) -> Op:
        """The op that is called, with as many arguments as it takes."""
        name = getattr(node.func, "id", None)
        if name is None:
            raise self.refuse(node.func, f"only functions can be called by name. {ALLOWED}")
        if name not in self.functions:
            known = ", ".join(sorted(self.functions))
            raise self.refuse(node.func, f"there is no function `{name}`; there are {known}.")
        op = self.functions[name]
        if node.keywords or len(node.args) != len(op.inputs):
            takes = f"{len(op.inputs)} argument{'s' * (len(op.inputs) > 1)}"
            raise self.refuse(node, f"`{name}` takes {takes}, by position.")
        return op

    def apply(self, node: Any, op: Op, parts: list[Any], depth: int) -> Part:
        """An op of the values of `parts`; of numbers alone it must be finite."""
        inner = [self.read(part, depth + 1) for part in parts]

        def value(env: dict[str, Any]) -> Any:
            values = [part(env) for part in inner]
            if any(isinstance(v, (Traced, np.ndarray, np.generic)) for v in values):
                return op.call(*values)
            return self.finite(node, lambda: op.call(*map(np.float64, values)))

        return value

    def finite(self, node: Any, compute: Callable[[], Any]) -> float:
        """A constant as a float, which must exist."""
        try:
            value = float(compute())
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self.refuse(node, f"`{self.source(node)}` is not a finite number.")
        return value
