"""What a transform returns: a function that knows how it was made: it prints and pickles."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


class Derived:
    """A function made by a transform: `maker(*args)` makes it again, in another process too."""

    def __init__(
        self, call: Callable[..., Any], what: str, maker: Callable[..., Any], args: tuple[Any, ...]
    ) -> None:
        f = args[0]
        self._call, self._maker, self._args = call, maker, args
        self.__name__ = self.__qualname__ = name_of(f)
        self.__doc__ = f"The {what} of `{name_of(f)}`. {inspect.getdoc(f) or ''}".rstrip()
        self.__wrapped__ = f

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the transform makes of the call."""
        return self._call(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return (
            self
            if instance is None
            else lambda *args, **kwargs: self._call(instance, *args, **kwargs)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return self._maker, self._args

    def __repr__(self) -> str:
        return f"<{self._maker.__name__} of {self.__name__}>"


def derived(call: Callable[..., Any], what: str, maker: Callable[..., Any], *args: Any) -> Derived:
    """`call` as the `what` of args[0], which `maker(*args)` would make again."""
    return Derived(call, what, maker, args)


def name_of(f: Any) -> str:
    """What errors call a function."""
    return getattr(f, "__name__", type(f).__name__)
