"""Callables whose calls are native: their type, their links to code, the way in.

A call of a `Native` object jumps to the trampoline `enter`, which takes the object's `Link` and
calls its code, one function per specialisation (see `entry.entry_ir`). That returns a new
reference, or null with an exception set; or `MISS` where a guard does not hold, and the trampoline
goes on to the link's successor, at last to `miss`, a Python callable; or `AGAIN` where a check
failed after the run, which goes to `again`.

No address is baked into code, which is cached on disk: all are in the link's table.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from .cache import native
from .image import Mapped
from .layout import DATA, FUNCTIONS, functions, words_of

MISS, AGAIN = 1, 2  # what native code returns instead of an object

# The table of a link, in words: where the code is, a spare block of scratch memory, the table of
# the following link, then the functions of CPython and NumPy, then what the entry refers to.
CODE, SPARE, FOLLOWING, HEAD = 0, 1, 2, 3
WHERE = {name: HEAD + k for k, name in enumerate(FUNCTIONS)}


class Native:
    """A callable that enters native code once it has a `Link`, and calls `miss` until then.

    `miss` gets the arguments that no link takes, `again` those whose run failed a check. In a class
    decorated by `vectorcall` calls are native; in any other they all go to `miss`.
    """

    __slots__ = ("__dict__", "__weakref__", "again", "miss", "native")
    native: Any

    def __new__(cls, *args: Any, **kwargs: Any) -> Native:
        """An object without a link."""
        self = super().__new__(cls)
        NATIVE.__set__(self, None)
        return self

    def __init__(self, miss: Callable, again: Callable) -> None:
        self.miss, self.again = miss, again

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """What `miss` says: Python comes here only where there never was a link."""
        return self.miss(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    @property
    def link(self) -> Link | None:
        """Where calls enter now; None: all go to `miss`."""
        link = NATIVE.__get__(self)
        return None if link is None or link is nowhere() else link

    @link.setter
    def link(self, link: Link | None) -> None:
        place = getattr(type(self), "vectorcall_offset", None)
        if place is None or not isinstance(link, Link | None):
            raise TypeError(
                f"`link` of {type(self).__name__} takes a Link or None, in a class decorated by "
                f"`vectorcall`; got {type(link).__name__}."
            )
        # One store: a call in another thread finds the old link or the new one. From the first on
        # there always is one, so that the trampoline need not ask.
        NATIVE.__set__(self, link or nowhere())
        ctypes.c_void_p.from_address(id(self) + place).value = runtime().address("enter")


# The slot that native code reads is out of reach: what is no Link there would be a crash.
NATIVE: Any = Native.__dict__["native"]
del Native.native

T = TypeVar("T", bound=type)


class Spec(ctypes.Structure):
    """PyType_Spec."""

    _fields_ = (("name", ctypes.c_char_p), ("basicsize", ctypes.c_int), ("itemsize", ctypes.c_int),
                ("flags", ctypes.c_uint), ("slots", ctypes.c_void_p))  # fmt: skip


class Member(ctypes.Structure):
    """PyMemberDef."""

    _fields_ = (("name", ctypes.c_char_p), ("type", ctypes.c_int), ("offset", ctypes.c_ssize_t),
                ("flags", ctypes.c_int), ("doc", ctypes.c_char_p))  # fmt: skip


class Slot(ctypes.Structure):
    """PyType_Slot."""

    _fields_ = (("slot", ctypes.c_int), ("value", ctypes.c_void_p))


def vectorcall(cls: T) -> T:
    """A subclass of `cls`, final and otherwise the same, whose instances may be called natively.

    Decorates subclasses of `Native`. Where CPython is not what it must be, `cls` itself.
    Source: PEP 590; PyType_FromSpecWithBases in CPython's C API.
    """
    if sys.implementation.name != "cpython" or sys.platform != "linux":
        return cls
    place = cls.__basicsize__
    name = f"{cls.__module__}.{cls.__name__}".encode()
    members = (Member * 2)(Member(b"__vectorcalloffset__", 19, place, 1, None))  # Py_T_PYSSIZET
    slots = (Slot * 2)(Slot(72, ctypes.addressof(members)))  # Py_tp_members
    flags = 1 << 11  # Py_TPFLAGS_HAVE_VECTORCALL
    spec = Spec(name, place + 8, 0, flags, ctypes.addressof(slots))
    kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object)
    make = kind(("PyType_FromSpecWithBases", ctypes.pythonapi))
    final = make(ctypes.byref(spec), (cls,))
    final.__doc__, final.__qualname__ = cls.__doc__, cls.__qualname__
    final.vectorcall_offset = place
    final.made_of = name, members, slots, spec  # older Pythons keep pointers into them
    return final


class Link:
    """One specialisation, ready to be entered.

    entry      the address of its code, as `entry.entry_ir` writes it
    words      its part of the table
    kept       what these refer to, the code among it
    following  the link to try where the guards of this one do not hold
    """

    __slots__ = ("__weakref__", "following", "kept", "table")
    table: np.ndarray

    def __init__(
        self, entry: int, words: Sequence[int], kept: Any, following: Link | None = None
    ) -> None:
        self.following, self.kept = following, (kept, following)
        head = entry, 0, following.table.ctypes.data if following else 0
        self.table = np.array((*head, *functions(), *words), dtype=np.uint64)

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if not ending() and hasattr(self, "table") and self.table[SPARE]:
            free = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
            free(("PyMem_RawFree", ctypes.pythonapi))(int(self.table[SPARE]))


@functools.cache
def runtime() -> Mapped:
    """The code that every native call goes through."""
    code = native(trampoline_ir())
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(code))  # entered to the very end of the process
    return code


@functools.cache
def nowhere() -> Link:
    """A link that takes no call."""
    return Link(runtime().address("absent"), (), None)


def trampoline_ir() -> str:
    """`enter`: a vectorcall function that calls the code of the callable's link.

    It holds the link, so that the code may replace or delete it while it runs, and calls `miss` and
    `again` in a recursion that Python counts.
    """
    probe = Native(min, max)
    miss, again = (offset_of(probe, type(probe).__dict__[name]) for name in ("miss", "again"))
    link, table = offset_of(probe, NATIVE), offset_of(Link.__new__(Link), Link.__dict__["table"])

    def load(*names: str) -> str:
        return "\n".join(
            f"  %p.{name} = getelementptr ptr, ptr %own, i64 {WHERE[name]}\n"
            f"  %{name} = load ptr, ptr %p.{name}"
            for name in names
        )

    counting = "Py_IncRef", "Py_DecRef"
    calling = "PyObject_Vectorcall", "PyErr_Clear", "Py_EnterRecursiveCall", "Py_LeaveRecursiveCall"
    return f"""
define internal ptr @python(ptr %own, ptr %object, ptr %args, i64 %count, ptr %names) {{
start:
{load(*counting, *calling)}
  call void %PyErr_Clear()
  %deep = call i32 %Py_EnterRecursiveCall(ptr @where)
  %fine = icmp eq i32 %deep, 0
  br i1 %fine, label %go, label %no
go:
  call void %Py_IncRef(ptr %object)
  %r = call ptr %PyObject_Vectorcall(ptr %object, ptr %args, i64 %count, ptr %names)
  call void %Py_DecRef(ptr %object)
  call void %Py_LeaveRecursiveCall()
  ret ptr %r
no:
  ret ptr null
}}

define ptr @absent(ptr %args, i64 %count, ptr %names, ptr %table) {{
  ret ptr inttoptr (i64 {MISS} to ptr)
}}

@where = private constant [32 x i8] c" while entering a compiled call\\00"

define ptr @enter(ptr %callable, ptr %args, i64 %nargsf, ptr %names) {{
start:
  %lp = getelementptr i8, ptr %callable, i64 {link}
  %link = load ptr, ptr %lp
  %tp = getelementptr i8, ptr %link, i64 {table}
  %array = load ptr, ptr %tp
  %dp = getelementptr i8, ptr %array, i64 {DATA}
  %own = load ptr, ptr %dp
{load(*counting)}
  call void %Py_IncRef(ptr %link)
  %count = and i64 %nargsf, {2**63 - 1}
  br label %try
try:
  %table = phi ptr [ %own, %start ], [ %next, %missed ]
  %code = load ptr, ptr %table
  %r = call ptr %code(ptr %args, i64 %count, ptr %names, ptr %table)
  %word = ptrtoint ptr %r to i64
  switch i64 %word, label %done [ i64 {MISS}, label %missed i64 {AGAIN}, label %failed ]
missed:
  %fp = getelementptr ptr, ptr %table, i64 {FOLLOWING}
  %next = load ptr, ptr %fp
  %last = icmp eq ptr %next, null
  br i1 %last, label %slow, label %try
failed:
  br label %slow
slow:
  %where = phi i64 [ {miss}, %missed ], [ {again}, %failed ]
  %op = getelementptr i8, ptr %callable, i64 %where
  %object = load ptr, ptr %op
  %gone = icmp eq ptr %object, null
  br i1 %gone, label %done, label %call
call:
  %answer = call ptr @python(ptr %own, ptr %object, ptr %args, i64 %count, ptr %names)
  br label %done
done:
  %result = phi ptr [ %r, %try ], [ null, %slow ], [ %answer, %call ]
  call void %Py_DecRef(ptr %link)
  ret ptr %result
}}
"""


def offset_of(probe: Any, slot: Any) -> int:
    """Where an object keeps what is in a slot: seen by putting something there."""
    marker = object()
    slot.__set__(probe, marker)
    place = words_of(probe).index(id(marker)) * 8
    slot.__delete__(probe)
    return place
