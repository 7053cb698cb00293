"""Walking back: the Tensors that a Tensor was made from."""

from __future__ import annotations

from typing import Any

from ..backends.namespace import RAW
from ..errors import NotKeptError
from .tensor import LEAF, PICK, Lifted, Node, Tensor, new


def parents(node: Node) -> list[tuple[int, Node]]:
    """The nodes that `node` was made from, each with the number of the input."""
    while node[1] is PICK:
        node = node[3][0]
    if node[1] is LEAF:
        return []
    several = node[3] if node[1].pull is not None else (node[2], node[4])
    return [(i, p) for i, p in enumerate(several) if p is not None]


class Unkept(Tensor):
    """A Tensor in the history whose value the tape had no reason to keep."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name in ("primal", "shape", "dtype", "ndim", "size"):
            made = object.__getattribute__(self, "op").name
            raise NotKeptError(
                f"the value of this result of `{made}` was not kept, for no derivative needed it. "
                "Hold on to the Tensor when it is made, or see every value with `ad.explain`."
            )
        return object.__getattribute__(self, name)

    def __repr__(self) -> str:
        return f"Tensor(not kept, op={object.__getattribute__(self, 'op').name})"


def remembered(node: Node, child: Tensor, i: int) -> Tensor:
    """A Tensor for `node`, input i of `child`, with its value where the tape has it."""
    value: Any = None
    op = node[1]
    below: Any = child.node
    if below is not None and below[1] is PICK:
        below = below[3][0]
    if op is LEAF:
        value = node[3].like if node[3].like.shape else node[3].like[()]
    else:
        for origin, name in ((below, below[1].inputs[i : i + 1]), (node, ("out",))):
            for names, kept in residuals(origin):
                if name and name[0] in names:
                    value = kept if len(names) == 1 else kept[names.index(name[0])]
    if value is None:
        t: Tensor = new(Unkept)
        t.level, t.node = child.level, node
        return t
    t = new(Tensor if type(value) in RAW else Lifted)
    t.primal, t.level, t.node = value, child.level, node
    return t


def residuals(node: Node) -> list[tuple[tuple[str, ...], Any]]:
    """What a node keeps, each with the names that its rule gave."""
    op = node[1]
    if op is PICK:
        return []
    if op.vjp is not None:
        return [(op.keep, node[5])]
    several = op.pull is not None
    pairs = (
        zip(node[3], node[5], strict=True) if several else ((node[2], node[3]), (node[4], node[5]))
    )
    return [(e.names, k) for e, (p, k) in zip(op.edges, pairs, strict=False) if e and p is not None]


def from_tensors(self: Tensor) -> tuple[Tensor, ...]:
    """The tracked Tensors this one was made from.

    The tape keeps only the values that a derivative needs; `data` of an earlier result that was not
    kept raises `NotKeptError`. `ad.explain` shows every value.

    >>> import adjoint as ad
    >>> x, y = ad.Tensor(2.0), ad.Tensor(5.0)
    >>> z = x * y + ad.exp(x)
    >>> z.op, [t.op for t in z.from_tensors]
    (<op add>, [<op multiply>, <op exp>])
    """
    return (
        () if self.node is None else tuple([remembered(p, self, i) for i, p in parents(self.node)])
    )


Tensor.from_tensors = property(from_tensors)  # type: ignore[assignment]
