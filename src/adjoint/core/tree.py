"""Containers in, the same containers out: lists, tuples, dicts, namedtuples, dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from ..backends.namespace import RAW
from ..errors import ShapeError
from .traced import Traced

Children = tuple[list[Any], list[Any]]
REGISTERED: dict[type, tuple[Callable[[Any], Iterable[Any]], Callable[[list[Any]], Any]]] = {}


def register(
    kind: type, parts: Callable[[Any], Iterable[Any]], build: Callable[[list[Any]], Any]
) -> None:
    """Teach adjoint a container class.

    parts(container) -> its parts, in an order that does not change; build(parts) -> the container.
    Lists, tuples, dicts, namedtuples and plain dataclasses need no registration.

    >>> import adjoint as ad
    >>> class Pair:
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    >>> ad.register(Pair, lambda p: (p.a, p.b), lambda parts: Pair(*parts))
    >>> ad.grad(lambda p: p.a * p.b)(Pair(2.0, 5.0)).a
    np.float64(5.0)
    """
    REGISTERED[kind] = (parts, build)


def is_leaf(value: Any) -> bool:
    """True for what is plainly no container: most leaves, which are looked at often."""
    return type(value) in RAW or isinstance(value, Traced)


def children(value: Any) -> Children | None:
    """The keys and the parts of a container, or None for a leaf."""
    if is_leaf(value):
        return None
    kind = type(value)
    if kind in REGISTERED:
        parts = list(REGISTERED[kind][0](value))
        return list(range(len(parts))), parts
    if kind is dict:
        return list(value), list(value.values())
    if kind is list or kind is tuple:
        return list(range(len(value))), list(value)
    if value is None:
        return [], []
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(value._fields), list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value) if f.init]
        return names, [getattr(value, n) for n in names]
    return None


def build(like: Any, parts: list[Any]) -> Any:
    """A container of the kind and the keys of `like` with other parts."""
    kind = type(like)
    if kind in REGISTERED:
        return REGISTERED[kind][1](parts)
    if like is None:
        return None
    if kind is dict:
        return dict(zip(like, parts, strict=True))
    if kind is list or kind is tuple:
        return kind(parts)
    if isinstance(like, tuple):
        return kind(*parts)
    return kind(**dict(zip(children(like)[0], parts, strict=True)))  # type: ignore[index]


def flatten(
    tree: Any, path: str = ""
) -> tuple[list[Any], list[str], Callable[[Iterable[Any]], Any]]:
    """The leaves of `tree`, the path to each, and a function that builds it from new leaves."""
    split = children(tree)
    if split is None:
        return [tree], [path], lambda leaves: next(iter(leaves))
    dotted = not isinstance(tree, (dict, list, tuple)) or hasattr(tree, "_fields")
    leaves: list[Any] = []
    paths: list[str] = []
    builders: list[Callable[..., Any]] = []
    for key, part in zip(*split, strict=True):
        way = f"{path}.{key}" if dotted else f"{path}[{key!r}]"
        if is_leaf(part):
            leaves.append(part)
            paths.append(way)
            builders.append(next)
        else:
            below, ways, rebuild = flatten(part, way)
            leaves += below
            paths += ways
            builders.append(rebuild)

    def rebuild_all(new: Iterable[Any]) -> Any:
        it = iter(new)
        return build(tree, [rebuild(it) for rebuild in builders])

    return leaves, paths, rebuild_all


def tree_map(f: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """`f` applied to every leaf of `tree`, beside it those of `others`, which have its structure.

    >>> import adjoint as ad
    >>> ad.tree_map(lambda x, y: x + y, {"a": 1, "b": (2, 3)}, {"a": 10, "b": (20, 30)})
    {'a': 11, 'b': (22, 33)}
    """
    leaves, _, rebuild = flatten(tree)
    rows = [leaves, *(matching(tree, o, "tree_map") for o in others)]
    return rebuild([f(*row) for row in zip(*rows, strict=True)])


def matching(like: Any, other: Any, who: str, what: str = "argument") -> list[Any]:
    """The leaves of `other`, which must have the structure of `like`; else an error draws both."""
    split = children(like)
    if split is None:
        return [other]
    mine = children(other)
    if type(like) is type(other) is dict and like.keys() == other.keys():
        mine = list(like), [other[key] for key in like]
    if mine is None or (type(other) is not type(like)) or mine[0] != split[0]:
        raise ShapeError(
            f"`{who}` needs a {what} of the structure of {outline(like)}; "
            f"it was given {outline(other)}."
        )
    return [
        leaf for a, b in zip(split[1], mine[1], strict=True) for leaf in matching(a, b, who, what)
    ]


def outline(tree: Any) -> str:
    """A container in words: its kinds and keys, a `*` for each leaf."""
    split = children(tree)
    if split is None:
        return "*"
    inside = [outline(part) for part in split[1]]
    if type(tree) is dict:
        return "{" + ", ".join(f"{k!r}: {v}" for k, v in zip(split[0], inside, strict=True)) + "}"
    if type(tree) in (list, tuple):
        return ("[{}]" if type(tree) is list else "({})").format(", ".join(inside))
    return f"{type(tree).__name__}({', '.join(inside)})"
