"""What a function takes from outside: cells and globals that its trace has baked in.

Each is watched by identity: a guard is the place where it stands and what stood there. Modules,
classes and builtins count as stable, and so does the code of adjoint, of NumPy and of installed
packages. What can change inside without changing its identity (a list, a dict, an object with
attributes) cannot be watched cheaply: it is named in a warning. An array is no such thing: where a
program uses it, it reads it anew in each call.

A function that changes what stands outside, or draws random numbers, would do so once, when it is
traced; where that shows, it is not compiled.
"""

from __future__ import annotations

import dataclasses
import dis
import functools
import random
import sys
import sysconfig
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import pairwise
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GenericAlias,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any, NamedTuple

import numpy as np

from ..core.guard import mark
from ..core.traced import Traced
from ..transforms.function import Derived

STILL = (
    type(None), bool, int, float, complex, str, bytes, range, slice, type(...), np.ndarray,
    np.generic, np.dtype, np.ufunc, type, ModuleType, BuiltinFunctionType, GenericAlias, Enum,
    Traced,
)  # fmt: skip
"""Kinds of values that do not change inside, or that a program reads anew."""
STABLE = (ModuleType, BuiltinFunctionType, type)
"""Kinds of values whose names stand for them for good."""
CHANGING = (list, dict, set, bytearray, deque, SimpleNamespace)
LARGE = 1 << 24
"""Bytes of an array outside above which it is not looked at for changes by the function."""
INSTALLED = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
PACKAGE = str(Path(__file__).parents[1])


class Missing:
    """Stands for what is not there: an empty cell."""


class Guard(NamedTuple):
    """Where a value from outside stands, and what stood there when the function was traced.

    kind   "cell" (`place` is a cell) or "global" (`place` is a dict that has `name`)
    """

    kind: str
    place: Any
    name: str
    value: Any

    def holds(self) -> bool:
        """True while the same object stands there."""
        here = contents(self.place) if self.kind == "cell" else self.place.get(self.name, Missing)
        return here is self.value


class Surroundings:
    """All that a function, and the functions of the user's that it calls, take from outside.

    guards     the places that are watched
    warnings   what cannot be watched, in words
    loose      of each thing that could show a side effect: what is said then, how it is looked at,
               and what it looked like before the trace
    """

    def __init__(self, f: Any) -> None:
        self.guards: list[Guard] = []
        self.warnings: list[str] = []
        self.loose: list[tuple[str, Callable[[], Any], Any]] = []
        self.seen: set[int] = set()
        self.hold("draws random numbers from `np.random`", global_state)
        self.hold("draws random numbers from `random`", random.getstate)
        self.look(f, getattr(f, "__name__", type(f).__name__))

    def hold(self, deed: str, state: Callable[[], Any]) -> None:
        """Remember a state that a function without side effects leaves as it is."""
        self.loose.append((deed, state, state()))

    def deed(self) -> str | None:
        """What the function was seen to do that a program would not do; None if nothing."""
        for guard in self.guards:
            if not guard.holds():
                return f"changes `{guard.name}`, a variable outside"
        return next((deed for deed, state, before in self.loose if state() != before), None)

    def unread(self, captures: Sequence[np.ndarray]) -> list[str]:
        """Warnings of arrays outside that no capture shows: plain NumPy may have read them."""
        return [
            f"`{name}`, an array, comes from outside, and the program does not read it: what plain "
            "NumPy, or an index, made of it when the function was traced is baked in. Make it "
            "read-only if it stays as it is (`array.flags.writeable = False`), or pass it as an "
            "argument."
            for _, _, name, value in self.guards
            if isinstance(value, np.ndarray)
            and value.flags.writeable
            and not any(np.may_share_memory(value, array) for array in captures)
        ]

    def look(self, value: Any, name: str) -> None:
        """Follow a function into what it uses; note what cannot be watched."""
        if id(value) in self.seen:
            return
        self.seen.add(id(value))
        if isinstance(value, np.ndarray):
            if value.nbytes <= LARGE and not value.dtype.hasobject:
                self.hold(f"writes into `{name}`, an array outside", lambda: mark(value))
        elif isinstance(value, FunctionType):
            if is_users(value.__code__):
                self.enter(value)
            elif hasattr(value, "__wrapped__"):
                self.look(value.__wrapped__, name)
        elif isinstance(value, np.random.Generator):
            self.hold(f"draws random numbers from `{name}`", lambda: value.bit_generator.state)
        elif (parts := parts_of(value)) is not None:
            for part in parts:
                self.look(part, name)
        elif not isinstance(value, STILL) and not is_standard(type(value)):
            self.warn(value, name)

    def enter(self, f: FunctionType) -> None:
        """The cells, the globals and the defaults of a function of the user's."""
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            self.watch("cell", cell, name, contents(cell))
        for place, name in globals_of(f.__code__, f.__globals__):
            self.watch("global", place, name, place[name])
        for value in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
            self.look(value, f"a default of {f.__name__}")

    def watch(self, kind: str, place: Any, name: str, value: Any) -> None:
        """A guard of one place, and a look at what stands there."""
        if not isinstance(value, STABLE):
            self.guards.append(Guard(kind, place, name, value))
        self.look(value, name)

    def warn(self, value: Any, name: str) -> None:
        """Say of a value that what changes inside it is not seen."""
        if isinstance(value, (list, dict, set, deque, bytearray)):
            self.hold(f"changes `{name}`, a {type(value).__name__} outside", lambda: ids(value))
        if callable(value) and isinstance(type(value).__call__, FunctionType):
            self.look(type(value).__call__, name)
        self.warnings.append(
            f"`{name}`, a {type(value).__name__}, comes from outside: what it held when the "
            "function was traced is baked in, and later changes inside it are not seen. Pass it "
            "as an argument, or name what the function needs of it in a variable of its own."
        )


def parts_of(value: Any) -> Any:
    """What a value that cannot change itself consists of; None where it is none of that kind."""
    if isinstance(value, (tuple, frozenset)):
        return value
    if isinstance(value, MethodType):
        return value.__func__, value.__self__
    if isinstance(value, functools.partial):
        return value.func, *value.args, *value.keywords.values()
    if isinstance(value, Derived):
        return value._args
    if hasattr(value, "__wrapped__"):
        return (value.__wrapped__,)
    if getattr(getattr(type(value), "__dataclass_params__", None), "frozen", False):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return None


def globals_of(code: CodeType, names: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each global that `code` reads, also inside the functions it defines: a dict and a name.

    Of a module of the user's, the names that are read in it.
    """
    found: dict[tuple[int, str], dict[str, Any]] = {}
    instructions = list(dis.get_instructions(code))
    for now, then in pairwise(instructions):
        if now.opname in ("LOAD_GLOBAL", "LOAD_NAME") and now.argval in names:
            place, name = names, now.argval
            module = names[name]
            if isinstance(module, ModuleType) and then.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                if not is_installed(getattr(module, "__file__", None) or "<frozen>"):
                    place, name = vars(module), then.argval
            if name in place:
                found[id(place), name] = place
    for (_, name), place in found.items():
        yield place, name
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from globals_of(constant, names)


def contents(cell: Any) -> Any:
    """What stands in a cell."""
    try:
        return cell.cell_contents
    except ValueError:
        return Missing


def ids(container: Any) -> Any:
    """What a container holds, as something that can be compared."""
    if isinstance(container, bytearray):
        return bytes(container)
    if isinstance(container, dict):
        return [(id(k), id(v)) for k, v in container.items()]
    return [id(v) for v in container]


def global_state() -> Any:
    """The state of NumPy's global generator of random numbers, as it can be compared and set."""
    state: Any = np.random.get_state()
    kind, keys, *rest = state
    return kind, tuple(keys.tolist()), *rest


def is_users(code: CodeType) -> bool:
    """True for code that is not adjoint's, nor of an installed package."""
    return not is_installed(code.co_filename)


def is_installed(file: str) -> bool:
    """True for a file of the standard library, of adjoint or of an installed package."""
    return file.startswith((PACKAGE, "<adjoint ", "<frozen", *INSTALLED))


def is_standard(kind: type) -> bool:
    """True for a class of the standard library whose instances do not change."""
    root = kind.__module__.partition(".")[0]
    return root in sys.stdlib_module_names and not issubclass(kind, CHANGING)
