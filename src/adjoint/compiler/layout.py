"""Objects as CPython and NumPy lay them out in memory, their C functions, and the test of it.

Native code reads objects where their headers say that things are. `self_test` sees, once in a
process, that they are there; where they are not, or no native code can run, it says so.
"""

from __future__ import annotations

import ctypes
import functools
import math
import struct
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from .machine import available

# Objects, by offset in bytes. Source: CPython's Include/cpython, NumPy's ndarraytypes.h.
HEADER = object.__basicsize__
TYPE = HEADER - 8
VALUE = HEADER  # of a float, a NumPy scalar, a cell
SIZE = HEADER  # of a tuple, list, dict
ITEMS = HEADER + 8  # of a list, a pointer to them
TUPLE = tuple.__basicsize__  # the items themselves
DATA, NDIM, DIMS, STRIDES, DESCR, FLAGS = (HEADER + k for k in (0, 8, 16, 24, 40, 48))
KIND = HEADER + 8  # of a dtype: kind, character, byte order, flags, number (int)
CONTIGUOUS, ALIGNED = 0x1, 0x100

# Functions that native code calls.
PYTHON = (
    "Py_IncRef", "Py_DecRef", "PyObject_Vectorcall", "PyErr_Clear", "PyErr_NoMemory",
    "PyErr_Occurred",
    "Py_EnterRecursiveCall", "Py_LeaveRecursiveCall", "PyObject_RichCompareBool",
    "PyDict_Next", "PyDict_GetItemWithError", "PyDict_New", "PyDict_SetItem", "PyTuple_New",
    "PyList_New", "PyFloat_FromDouble", "PyLong_FromLongLong", "PyBool_FromLong",
    "PyComplex_FromDoubles", "PyEval_SaveThread", "PyEval_RestoreThread", "PyMem_RawMalloc",
    "PyMem_RawFree",
)  # fmt: skip
NUMPY = {"PyArray_NewFromDescr": 94, "PyArray_Scalar": 60}  # places in NumPy's own table
FUNCTIONS = (*PYTHON, *NUMPY)


@functools.cache
def functions() -> tuple[int, ...]:
    """The addresses of `FUNCTIONS`."""
    api = numpy_api()
    python = (ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p) for name in PYTHON)
    return (*(pointer.value or 0 for pointer in python), *(api[k] for k in NUMPY.values()))


def numpy_api() -> Any:
    """NumPy's table of C functions."""
    kind = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    pointer = kind(("PyCapsule_GetPointer", ctypes.pythonapi))
    capsule = np._core._multiarray_umath._ARRAY_API  # type: ignore[attr-defined]
    return ctypes.cast(pointer(capsule, None), ctypes.POINTER(ctypes.c_void_p))


def words_of(value: Any, more: int = 0) -> tuple[int, ...]:
    """The memory of an object itself as 64-bit words, and of so many items behind it."""
    size = type(value).__basicsize__ // 8 + more
    return struct.unpack(f"<{size}Q", ctypes.string_at(id(value), 8 * size))


@functools.cache
def self_test() -> str | None:
    """None where native calls work here, else a sentence that says why not.

    Reads memory of objects of its own only, and follows a pointer only where all it knew before
    was as expected.
    """
    if reason := available():
        return reason
    for what, holds in claims():
        if not holds:
            return (
                f"Native calls need {what} laid out as in the headers of CPython 3.11 to 3.14 and \
NumPy 2; here it is otherwise."
            )
    return None


def claims() -> Iterator[tuple[str, bool]]:
    """What native code takes for granted about objects, and whether it is so."""
    marks = object(), object()
    ids = tuple(map(id, marks))
    yield "an object", words_of(1.5)[TYPE // 8] == id(float) and sys.byteorder == "little"
    for number in (1.5, -0.0, math.pi):
        memory = struct.pack("<Q", words_of(number)[VALUE // 8])
        yield "a float", struct.pack("<d", number) == memory
    yield "a cell", words_of(types.CellType(marks))[VALUE // 8] == id(marks)
    words = words_of(marks, 2)
    yield "a tuple", (words[SIZE // 8], words[TUPLE // 8 :]) == (2, ids)
    pair = list(marks)
    words = words_of(pair)
    room = words[ITEMS // 8 + 1] * 8 == pair.__sizeof__() - list.__basicsize__
    yield "a list", words[SIZE // 8] == 2 and room
    yield "a list", struct.unpack("<2Q", ctypes.string_at(words[ITEMS // 8], 16)) == ids
    for length in (0, 3):
        yield "a dict", words_of(dict.fromkeys(range(length)))[SIZE // 8] == length
    for kind in "?bBhHiIlLqQefdFD":
        dtype = np.dtype(kind)
        scalar = dtype.type(1)
        memory = ctypes.string_at(id(scalar), type(scalar).__basicsize__)[VALUE:]
        yield "a NumPy scalar", memory[: dtype.itemsize] == scalar.tobytes()
        wanted = struct.unpack("<I", f"{dtype.kind}{kind}{dtype.byteorder}\0".encode())[0]
        seen = words_of(dtype)[KIND // 8]
        yield "a dtype", (seen & 0xFFFFFF, seen >> 32) == (wanted, dtype.num)
    table = np.arange(24.0).reshape(2, 3, 4)
    for array in (table, table[:, ::2].T, table[0, 0, 1:], table[0, 0, 0, ...], table[:0]):
        words, ndim = words_of(array), array.ndim
        yield (
            "an array",
            (words[DATA // 8], words[DESCR // 8]) == (array.ctypes.data, id(array.dtype)),
        )
        numbers = words[NDIM // 8] & 0xFFFFFFFF, words[FLAGS // 8] & 0xFFFFFFFF
        yield "an array", numbers == (ndim, array.flags.num)
        yield "an array", not ndim or words[STRIDES // 8] == words[DIMS // 8] + 8 * ndim
        memory = ctypes.string_at(words[DIMS // 8], 16 * ndim) if ndim else b""
        yield "an array", struct.unpack(f"<{2 * ndim}q", memory) == array.shape + array.strides
    version = ctypes.CFUNCTYPE(ctypes.c_uint)(numpy_api()[0] or 0)()
    yield "NumPy's table of functions", version >> 24 == 2
