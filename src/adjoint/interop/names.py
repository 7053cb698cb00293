"""Which of adjoint's functions has this name? The face answers; what is below it may not ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LOOKUP: list[Callable[[str, str], Any]] = []
"""Functions (room, name) -> what the face calls so, put here by the face."""


def face(room: str, name: str) -> Any:
    """Adjoint's function `name` in `room` (`""`, `linalg`, `fft`, `special`), or None."""
    found = [lookup(room, name) for lookup in LOOKUP]
    return found[0] if found and callable(found[0]) else None
