"""Executable memory: pages are written, then sealed, and never writable and executable at once."""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import weakref

PAGE = 4096


@functools.cache
def libc() -> ctypes.CDLL:
    """The C library of this process, with the three calls on pages declared."""
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long
    library.mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    library.munmap.argtypes = ctypes.c_void_p, ctypes.c_size_t
    return library


def refused(call: str) -> OSError:
    """The error of a call that the operating system refused."""
    number = ctypes.get_errno()
    return OSError(number, f"{call} was refused: {os.strerror(number)}")


def unmap(address: int, length: int) -> None:
    """Give pages back."""
    libc().munmap(address, length)


class Pages:
    """Fresh writable pages, given back when nothing refers to them any more.

    They are not given back while the interpreter shuts down, when a thread may still run in them.

    >>> pages = Pages(100)
    >>> pages.write(b"abc"); pages.seal(0, 3)
    >>> ctypes.string_at(pages.address, 3)
    b'abc'
    """

    def __init__(self, length: int) -> None:
        self.length = max(PAGE, -(-length // PAGE) * PAGE)
        protection, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        address = libc().mmap(None, self.length, protection, flags, -1, 0)
        if address == ctypes.c_void_p(-1).value:
            raise refused(f"mmap of {self.length} bytes")
        self.address: int = address
        # A finalizer of ours, because an `mmap.mmap` is torn down with its module at exit.
        weakref.finalize(self, unmap, address, self.length).atexit = False

    def write(self, data: bytes | bytearray) -> None:
        """Put `data` at the beginning."""
        if len(data) > self.length:
            raise ValueError(f"`write` got {len(data)} bytes for {self.length} bytes of pages")
        ctypes.memmove(self.address, bytes(data), len(data))

    def seal(self, start: int, stop: int, execute: bool = False) -> None:
        """Make the pages from `start` to `stop` unwritable, and executable if asked."""
        protection = mmap.PROT_READ | (mmap.PROT_EXEC if execute else 0)
        if start < stop and libc().mprotect(self.address + start, stop - start, protection):
            raise refused("mprotect")


def executable(code: bytes) -> Pages:
    """Pages that hold `code`; OSError where the system allows no code made at run time."""
    pages = Pages(len(code))
    pages.write(code)
    pages.seal(0, pages.length, execute=True)
    return pages
