"""Which slope a kink has: the policy, and the rules' way to ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple


class Policy(NamedTuple):
    """The slopes that are chosen where there is a choice."""

    ties: Literal["share", "first", "last"] = "share"
    corner: float = 0.0


USUAL = Policy()
POLICY: ContextVar[Policy] = ContextVar("kinks", default=USUAL)


@contextmanager
def kinks(ties: Literal["share", "first", "last"] = "share", corner: float = 0.0) -> Iterator[None]:
    """Within this block derivatives take these elements of the subdifferential at kinks.

    ties : who gets the cotangent where arguments of `maximum`, `minimum`, `fmax`, `fmin` or
        elements in `max`, `min` are equal: all in equal parts, the first or the last
    corner : slope of `abs` at 0, from -1 to 1

    It counts where a derivative is computed (`backward`, the call of `grad(f)`, a pullback), in
    this thread or task alone. Raises: ValueError.

    >>> relu = lambda x: ad.maximum(x, 0.0)
    >>> with ad.kinks(ties="last"):
    ...     slope = ad.grad(relu)(0.0)
    >>> float(slope), float(ad.grad(relu)(0.0))
    (0.0, 0.5)
    """
    if ties not in SHARES:
        raise ValueError(f"`kinks` takes ties='share', 'first' or 'last'; it was given {ties!r}")
    if not -1 <= corner <= 1:
        raise ValueError(f"`kinks` takes a corner from -1 to 1; it was given {corner!r}")
    token = POLICY.set(Policy(ties, corner))
    try:
        yield
    finally:
        POLICY.reset(token)


SHARES = dict(share=(0.5, 0.5), first=(1.0, 0.0), last=(0.0, 1.0))


def share(place: int) -> float:
    """The part of the cotangent that the first (0) or second (1) of two equal arguments gets."""
    return SHARES[POLICY.get().ties][place]


def ties() -> str:
    """Who gets the cotangent of equal elements."""
    return POLICY.get().ties


def corner() -> Any:
    """The slope of |x| at 0."""
    return POLICY.get().corner


__all__ = ["kinks"]
