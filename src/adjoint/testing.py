"""Trust, and check: derivatives against finite differences, and the two modes against each other."""

from __future__ import annotations
from typing import Any
def check_grads(*a: Any, **k: Any) -> None: ...
