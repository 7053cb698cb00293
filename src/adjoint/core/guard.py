"""Was an array changed that the tape still needs? A mark at the forward, a look at the backward.

Only memory that a user can reach is guarded: the arrays of leaves and their views, and NumPy arrays
used as constants. What an op made is reachable through `Tensor.data` alone, which hands it out
read-only. A mark is the bytes themselves up to 64 kB, exact; above, sums of words in 509 columns:
any single change alters one, and so do flips of signs and exchanges of places, unless they meet in
one column by a multiple of that prime. An array is read once more in each pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from ..errors import FreedGraphError, MutationError

SMALL = 65536
COLUMNS = 509
WORDS = {size: np.dtype(f"u{min(size, 8)}") for size in (1, 2, 4, 8, 16)}
Seal = tuple[tuple[Any, Any], ...]
FREED: Seal = ((None, "freed"),)
"""In the place of a seal it says that `backward` freed this node."""
policy: Literal["fast", "exact", "off"] = "fast"


def guard(mode: Literal["fast", "exact", "off"]) -> None:
    """Choose how changes of arrays that the tape needs are detected, for the whole process.

    mode : "fast" (the default), "exact" (a copy of every guarded array is kept and compared: sure,
        at the cost of the memory) or "off" (no detection: you promise not to change them)

    >>> import adjoint as ad
    >>> ad.guard("exact"); ad.guard("fast")
    """
    global policy
    if mode not in ("fast", "exact", "off"):
        raise ValueError(f"`guard` takes 'fast', 'exact' or 'off'; it was given {mode!r}")
    policy = mode


def mark(array: Any) -> Any:
    """What is compared later to tell whether `array` has changed."""
    if array.nbytes <= SMALL or policy == "exact":
        return array.tobytes()
    return summary(array)


def summary(array: Any) -> Any:
    """The mark of a large array: the sums of its words in columns, and those that fill no row."""
    words = array.ravel("K").view(WORDS.get(array.itemsize, WORDS[1]))
    full = words.size - words.size % COLUMNS
    return np.add.reduce(words[:full].reshape(-1, COLUMNS), 0).tobytes(), words[full:].tobytes()


def seal(a: Any, b: Any = None) -> Seal | None:
    """Marks of one array or two; numbers cannot change and need none."""
    if policy == "off":
        return None
    if type(b) is not np.ndarray:
        return (
            ((a, a.tobytes() if a.nbytes <= SMALL else mark(a)),) if type(a) is np.ndarray else None
        )
    second = (b, b.tobytes() if b.nbytes <= SMALL else mark(b))
    if type(a) is not np.ndarray:
        return (second,)
    return (a, a.tobytes() if a.nbytes <= SMALL else mark(a)), second


def seal_all(arrays: Iterable[Any]) -> Seal | None:
    """Marks of any number of arrays."""
    return (
        None
        if policy == "off"
        else tuple([(a, mark(a)) for a in arrays if type(a) is np.ndarray]) or None
    )


def check(seals: Seal, op: str) -> None:
    """Raise `MutationError` if an array is not what it was when `op` used it."""
    if seals is FREED:
        raise FreedGraphError(
            f"`backward` needs the graph of a result of `{op}`, and an earlier `backward` "
            "freed it. Compute the value again, or call the earlier one with `retain_graph=True`."
        )
    for array, before in seals:
        if (
            before is not None  # a tap, which is only kept alive here
            and (array.tobytes() if type(before) is bytes else summary(array)) != before
        ):
            raise MutationError(
                f"an input of `{op}`, {array.dtype}{array.shape}, was changed in place after "
                "the forward pass, and its derivative needs the old value. "
                "Call `backward` before the change, or compute on a copy."
            )
