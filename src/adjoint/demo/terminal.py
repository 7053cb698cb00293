"""What a run may find or lack: a terminal for its progress bars, and the optional libraries."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

INSTALL = 'pip install "adjoint[demo]"'


def optional(module: str) -> Any:
    """The module of an optional library, imported only now; None where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        return None


def track(steps: Sequence[Any], label: str) -> Iterator[Any]:
    """Each of `steps`, with a progress bar under what is printed if that goes to a terminal."""
    progress = optional("rich.progress") if sys.stdout.isatty() else None
    if progress is None:
        yield from steps
    else:
        yield from progress.track(steps, description=label, transient=True)
