"""Compiled code on disk: kept from process to process, and trusted only where nobody else writes.

A file is one image with its facts, named by a hash of all that it depends on. It is written aside
and renamed, so that a reader sees all of it or nothing, and read only if it and its directory are
the user's alone and its digest matches. What is wrong counts as absent; trouble with the disk is
never the caller's.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import functools
import importlib.util
import os
import stat
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..errors import CompileError
from . import machine
from .image import Mapped, build, load

try:  # of `hashlib`, the part that does not load OpenSSL, which takes 3 ms
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

IMPORTED = time.time()
LIMIT = 256 << 20  # bytes; beyond it what was longest unused is removed
STALE = 3600  # seconds after which a file that was never finished is nobody's
CODE, PART = ".code", ".part"
MAGIC = b"adjoint cache 1\n"
HEAD = struct.Struct("<16s32sQQ")  # magic, digest, lengths of the facts and of the image


class Found(NamedTuple):
    """What a key leads to: code ready to run, and the facts that were stored with it."""

    code: Mapped
    facts: dict[str, Any]


def native(ir: str, key: str | None = None, facts: dict[str, Any] | None = None) -> Mapped:
    """The code of LLVM IR text: from disk, or else compiled and stored with `facts` under `key`.

    Without a key the text itself is the key.

    >>> code = native("define i32 @f() { ret i32 7 }")
    >>> code.address("f") > 0
    True
    """
    key = key_of("ir", ir) if key is None else key
    found = fetch(key)
    if found:
        return found.code
    blob = build(ir)
    put(key, blob, facts or {})
    return load(blob)


def fetch(key: str) -> Found | None:
    """What was stored under `key`, loaded; None where there is nothing that can be trusted."""
    stored = get(key)
    with contextlib.suppress(CompileError, OSError):
        return stored and Found(load(stored[0]), stored[1])
    return None


def key_of(*parts: str | bytes) -> str:
    """A key for what depends on `parts`, on this room, and on all it compiles with and for.

    It is "", under which nothing is kept, where the text of this room cannot be told.

    >>> len(key_of("a", "b")), key_of("a", "b") == key_of("ab")
    (64, False)
    """
    try:
        return hash_of(environment(), *parts).hex()
    except OSError:
        return ""


def hash_of(*parts: str | bytes) -> bytes:
    """32 bytes that differ where any part differs."""
    total = blake2b(digest_size=32)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.digest()


@functools.cache
def environment() -> bytes:
    """A hash of what compiled code depends on besides what is compiled.

    That is the CPU, the versions of Python, NumPy and llvmlite, and the text of this room, which
    tells more than a version while it is worked on. OSError where the text is not at hand, or was
    written after it was imported: then it is not the text of what runs.
    """
    room = os.path.dirname(__file__)
    files = sorted(os.path.join(room, name) for name in os.listdir(room) if name.endswith(".py"))
    if not files or any(os.stat(file).st_mtime > IMPORTED for file in files):
        raise FileNotFoundError("the source of what runs is not at hand")
    versions = sys.version, np.__version__, llvmlite_version(), sys.platform
    return hash_of(machine.fingerprint(), *versions, *map(content, files))


def llvmlite_version() -> str:
    """The version of llvmlite, which is not imported for it; "" where there is none."""
    spec = importlib.util.find_spec("llvmlite")
    if spec is None or spec.origin is None:
        return ""
    return content(os.path.join(os.path.dirname(spec.origin), "_version.py")).decode()


def content(path: str) -> bytes:
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def directory() -> str | None:
    """Where the cache is: `ADJOINT_CACHE`, or in the user's own place for caches; None for nowhere.

    An `ADJOINT_CACHE` that is empty or "off" switches it off.
    """
    chosen = os.environ.get("ADJOINT_CACHE")
    if chosen is None:
        home = {"darwin": "~/Library/Caches", "win32": "~/AppData/Local"}.get(sys.platform)
        base = os.path.expanduser(home or os.environ.get("XDG_CACHE_HOME") or "~/.cache")
        return os.path.join(base, "adjoint", "native") if os.path.isabs(base) else None
    if chosen in ("", "off"):
        return None
    return os.path.join(os.path.abspath(os.path.expanduser(chosen)), "native")


@contextlib.contextmanager
def opened(create: bool = False) -> Iterator[int]:
    """The directory, opened; OSError where there is none, or others may enter it."""
    path = directory()
    if path is None:
        raise FileNotFoundError("switched off by ADJOINT_CACHE")
    if not hasattr(os, "geteuid"):
        raise PermissionError("nothing is kept on this system")
    if create:
        os.makedirs(path, 0o700, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if not is_private(os.fstat(folder)):
            raise PermissionError(f"{path} must belong to you, with mode 0700")
        yield folder
    finally:
        os.close(folder)


def is_private(found: os.stat_result) -> bool:
    """Whether a file is the user's, and nobody else may read or write it."""
    return found.st_uid == os.geteuid() and not found.st_mode & 0o077


def get(key: str) -> tuple[bytes, dict[str, Any]] | None:
    """Image and facts stored under `key`; None, and the file removed, where they are not sound."""
    if not key:
        return None
    with contextlib.suppress(OSError), opened() as folder:
        try:
            return read(folder, key)
        except ValueError:
            os.unlink(key + CODE, dir_fd=folder)
    return None


def read(folder: int, key: str) -> tuple[bytes, dict[str, Any]]:
    """The same; ValueError where the file is not to be trusted, OSError where it cannot be read."""
    name = key + CODE
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise (ValueError("a link") if error.errno == errno.ELOOP else error) from None
    with open(handle, "rb") as file:
        found = os.fstat(handle)  # of what was opened: by now the name may be another's
        if not stat.S_ISREG(found.st_mode) or not is_private(found) or found.st_size > LIMIT:
            raise ValueError("not a file of ours")
        data = file.read()
        with contextlib.suppress(OSError):
            os.utime(handle)  # when it was last used
    if len(data) < HEAD.size:
        raise ValueError("cut off")
    magic, digest, facts, image = HEAD.unpack_from(data)
    payload = data[HEAD.size :]
    if magic != MAGIC or len(payload) != facts + image or digest != hash_of(key, payload):
        raise ValueError("changed")
    return payload[facts:], ast.literal_eval(payload[:facts].decode())


def put(key: str, image: bytes, facts: dict[str, Any]) -> None:
    """Store an image with facts; nothing happens where the disk refuses.

    The facts are what `repr` writes and a literal reads back: numbers but for inf and nan, text,
    bytes, None, and tuples, lists, dicts and sets of them. With others nothing is stored.
    """
    text = repr(facts)
    with contextlib.suppress(OSError, SyntaxError, ValueError):
        if not key or ast.literal_eval(text) != facts:
            return
        payload = text.encode() + image
        sizes = len(payload) - len(image), len(image)
        data = HEAD.pack(MAGIC, hash_of(key, payload), *sizes) + payload
        if len(data) > LIMIT:
            return
        with opened(create=True) as folder:
            write(folder, key + CODE, data)
            trim(folder)


def write(folder: int, name: str, data: bytes) -> None:
    """Write a file aside, and put it in place whole."""
    part = f"{os.getpid()}.{os.urandom(8).hex()}{PART}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(part, flags, 0o600, dir_fd=folder), "wb") as file:
        try:
            file.write(data)
            file.flush()
            os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(part, dir_fd=folder)
            raise


class Entry(NamedTuple):
    """A file of the cache."""

    used: float
    size: int
    name: str


def entries(folder: int) -> list[Entry]:
    """The files of ours, the longest unused first."""
    found = []
    with os.scandir(folder) as files:
        for file in files:
            if file.name.endswith((CODE, PART)):
                with contextlib.suppress(FileNotFoundError):  # removed by another process
                    state = file.stat(follow_symlinks=False)
                    found.append(Entry(state.st_mtime, state.st_size, file.name))
    return sorted(found)


def trim(folder: int) -> None:
    """Remove what was longest unused beyond `LIMIT`, and what was never finished."""
    files = entries(folder)
    excess = sum(file.size for file in files) - LIMIT
    for file in files:
        if excess > 0 or (file.name.endswith(PART) and file.used < time.time() - STALE):
            remove(folder, file)
            excess -= file.size


def remove(folder: int, file: Entry) -> None:
    """Remove a file, if it is still there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(file.name, dir_fd=folder)


def clear() -> int:
    """Empty the cache; how many files it had. OSError where it may not be emptied."""
    with contextlib.suppress(FileNotFoundError), opened() as folder:
        files = entries(folder)
        for file in files:
            remove(folder, file)
        return len(files)
    return 0


def describe() -> str:
    """Where the cache is, how many files it has and how large they are; or why it is not used."""
    try:
        with opened() as folder:
            files = entries(folder)
    except FileNotFoundError:
        files = []
    except OSError as error:
        return f"not used: {error}"
    size = sum(file.size for file in files) / 2**20
    return f"{directory() or 'switched off by ADJOINT_CACHE'}: {size:.1f} MiB, files: {len(files)}"
