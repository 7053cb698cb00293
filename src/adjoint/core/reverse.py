"""Reverse mode: a cotangent is pulled back along the tape, newest node first."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from ..backends.namespace import RAW, as_array
from ..errors import CotangentError, NotScalarError, NotTrackedError, ShapeError
from .guard import FREED, check
from .mend import mended, spoilt
from .op import OPS
from .tensor import LEAF, PICK, TAPS, Lifted, Node, Result, Tap, Tensor, new, tick
from .traced import Traced, bottom, rare, shape

WRITING = threading.Lock()
"""Held while gradients are added up: NumPy lets other threads run while it adds large arrays."""
OLDEST = 1
"""The tick of a freed node: ticks count down from 0, so whatever reaches it, it comes last."""
ONES = {kind: kind(1) for kind in (np.float64, np.float32, np.float16, np.longdouble)}
"""The seed of a backward pass from a real scalar, by its type."""


def pull_back(
    heap: list[Node],
    cts: dict[int, Any],
    level: int | None = None,
    careful: bool = False,
    watch: bool = True,
) -> list[Any]:
    """The leaves that the nodes in `heap` depend on, each with its cotangent.

    `cts` holds the cotangents of those nodes by their ticks; both are used up. With a `level`, the
    pass itself is remembered there. A `careful` pass is not run twice, see `chosen`; one that does
    not `watch` for choices says of each cotangent as it is whether nobody else holds it.

    The newest node is popped when all that used it have been: its cotangent is complete, and each
    edge maps it to the cotangent of a parent. A node is visited once, nothing recurses, and a node
    that only the heap holds is freed as it is passed. The first contribution to a parent is kept by
    reference; the second makes a sum that is ours, so later ones are added in place.
    """
    owned: set[int] = set()
    shared: set[int] = set()
    leaves: list[Any] = []
    taps = TAPS
    while heap:
        node = heappop(heap)
        key, op, p, kept_p, q, kept_q, shapes, seal = node
        if op.chooses is not None and watch and op.chooses(node):
            heappush(heap, node)
            return leaves + chosen(heap, cts, level, careful, shared)
        ct = cts.pop(key)
        if seal is not None:
            check(seal, op.name)
        if taps and key in taps:
            ct = tapped(key, ct)
        if level is not None and (p is not None or q is not None):
            kept_p, kept_q = lift_edges(node, level)
        if p is not None:
            back = op.vjp_x(ct, kept_p)
            if shapes is not None:
                back = unbroadcast(back, shapes[0])
            key = p[0]
            if key not in cts:
                cts[key] = back
                heappush(heap, p)
            elif key in owned:
                try:
                    cts[key] += back
                except TypeError:
                    cts[key] = cts[key] + back
            else:
                cts[key] = total = cts[key] + back
                if type(total) in RAW:
                    owned.add(key)
        if q is not None:
            back = op.vjp_y(ct, kept_q)
            if shapes is not None:
                back = unbroadcast(back, shapes[1])
            key = q[0]
            if key not in cts:
                cts[key] = back
                heappush(heap, q)
            elif key in owned:
                try:
                    cts[key] += back
                except TypeError:
                    cts[key] = cts[key] + back
            else:
                cts[key] = total = cts[key] + back
                if type(total) in RAW:
                    owned.add(key)
        elif p is None:
            if op is LEAF:
                mine = key in owned
                leaves.append((node, settle(ct, kept_p, mine, shared) if watch else ct, mine))
            elif op.pull is not None:
                op.pull(ct, node, cts, owned, heap, level)
    return leaves


def chosen(
    heap: list[Node], cts: dict[int, Any], level: int | None, careful: bool, shared: set[int]
) -> list[Any]:
    """The rest of a pass that comes upon a choice, whose zeros may meet slopes that are not finite.

    Such a pass is run as any other, and if NaNs come out, once more by `pull_mending`; at once by
    that if it must not be run twice: because a hook looks on, or because it is `careful`. Its
    results are marked: a pass back through them has come upon the choice too.
    """
    start = heap.copy(), cts.copy()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        leaves = [] if careful or TAPS else pull_back(heap, cts, level, careful, watch=False)
        if careful or TAPS or any(spoilt(ct) for _, ct, _ in leaves):
            leaves = pull_mending(*start, level)
    return [
        (n, settle(OPS["behind"].call(ct) if isinstance(ct, Traced) else ct, n[3], m, shared), m)
        for n, ct, m in leaves
    ]


def pull_mending(
    heap: list[Node], cts: dict[int, Any], level: int | None
) -> list[tuple[Node, Any, bool]]:
    """`pull_back` in which a cotangent of zero contributes zero, see `core.mend`; it is slower."""
    owned: set[int] = set()
    leaves: list[tuple[Node, Any, bool]] = []
    while heap:
        node = heappop(heap)
        key, op, ct = node[0], node[1], cts.pop(node[0])
        if node[7] is not None:
            check(node[7], op.name)
        if TAPS and key in TAPS:
            ct = tapped(key, ct)
        if op is LEAF:
            leaves.append((node, ct, False))
        elif op.pull is None or (op.pull is pull_many and op.vjp is None):
            several = op.pull is not None
            parents, kept = (
                (node[3], node[5]) if several else ((node[2], node[4]), (node[3], node[5]))
            )
            shapes = node[6][0] if several else node[6]
            for i, (p, k) in enumerate(zip(parents, kept, strict=True)):
                edge = op.edges[i] if i < len(op.edges) else None
                if p is not None and edge is not None:
                    k = k if level is None else lift(edge.names, k, parents, node, level)
                    back = mended(op, i, ct, k)
                    back = back if shapes is None else unbroadcast(back, shapes[i])
                    give(p, back, cts, owned, heap)
        else:
            op.pull(ct, node, cts, owned, heap, level)
    return leaves


def pull_many(
    ct: Any, node: Node, cts: dict[int, Any], owned: set[int], heap: list[Node], level: int | None
) -> None:
    """The same step for an op of several inputs or outputs."""
    _, op, _, parents, _, kept, (shapes, outs), _ = node
    if outs is not None:
        ct = [np.zeros(s, d)[()] if c is None else c for c, (s, d) in zip(ct, outs, strict=True)]
    if op.vjp is not None:
        backs = op.vjp(ct, kept if level is None else lift(op.keep, kept, parents, node, level))
    else:
        backs = [None] * len(parents)
        for i, (e, p, k) in enumerate(zip(op.edges, parents, kept, strict=True)):
            if e is not None and p is not None:
                backs[i] = e.vjp(ct, k if level is None else lift(e.names, k, parents, node, level))
    for p, back, s in zip(parents, backs, shapes, strict=True):
        if p is not None and back is not None:
            give(p, unbroadcast(back, s), cts, owned, heap)


def pull_pick(
    ct: Any, node: Node, cts: dict[int, Any], owned: set[int], heap: list[Node], level: int | None
) -> None:
    """Put the cotangent of one output in its place among those of all outputs of its op."""
    (whole,), i = node[3], node[5]
    if whole[0] not in cts:
        cts[whole[0]] = [None] * len(whole[6][1])
        heappush(heap, whole)
    cts[whole[0]][i] = ct


def pull_into(
    ct: Any, node: Node, cts: dict[int, Any], owned: set[int], heap: list[Node], level: int | None
) -> None:
    """The step for an op that picks elements: they are added in place to a sum that is ours."""
    edge, p, kept = node[1].edges[0], node[3][0], node[5]
    key = p[0]
    total = cts.get(key)
    if (
        key in owned
        and level is None
        and type(total) is np.ndarray
        and type(ct) in RAW
        and ct.dtype == total.dtype
    ):
        edge.into(total, ct, kept)
        return
    give(p, edge.vjp(ct, kept), cts, owned, heap)
    if type(cts[key]) is np.ndarray:
        owned.add(key)


def give(p: Node, back: Any, cts: dict[int, Any], owned: set[int], heap: list[Node]) -> None:
    """Add a contribution to the cotangent of the node `p`: the tail of `pull_back`'s step."""
    key = p[0]
    if key not in cts:
        cts[key] = back
        heappush(heap, p)
    else:
        cts[key] = cts[key] + back
        owned.add(key)


def tapped(key: int, ct: Any) -> Any:
    """The cotangent of a result after its hooks; kept where `retain_grad` asked for it."""
    tap = TAPS[key]()
    if tap is None:
        return ct
    ct = tap.meet(project(ct, tap.like))
    if tap.keeps:
        with WRITING:
            tap.grad = ct + 0 if tap.grad is None else tap.grad + ct
    return ct


def lift_edges(node: Node, level: int) -> tuple[Any, Any]:
    """What the two edges of a node keep, as Tensors that remember where they came from."""
    edges, ends = node[1].edges, (node[2], node[4])
    return tuple(  # type: ignore[return-value]
        lift(edges[i].names, kept, ends, node, level) if ends[i] is not None else None
        for i, kept in enumerate((node[3], node[5]))
    )


def lift(names: Sequence[str], kept: Any, parents: Sequence[Any], node: Node, level: int) -> Any:
    """Residuals called `names` as Tensors of `level`: an input of its parent, `out` of the node."""
    if not names:
        return kept
    inputs = node[1].inputs
    lifted = []
    for name, value in zip(names, [kept] if len(names) == 1 else kept, strict=True):
        if name == "xs":
            lifted.append(
                tuple([remember(v, p, level) for v, p in zip(value, parents, strict=True)])
            )
        elif name == "out" and node[1].many and node[6][1] is not None:
            picks = [
                (tick(), PICK, None, [node], None, i, None, None) for i in range(len(node[6][1]))
            ]
            lifted.append(tuple([remember(v, n, level) for v, n in zip(value, picks, strict=True)]))
        else:
            origin = (
                node if name == "out" else parents[inputs.index(name)] if name in inputs else None
            )
            lifted.append(remember(value, origin, level))
    return lifted[0] if len(lifted) == 1 else lifted


def remember(value: Any, origin: Node | None, level: int) -> Any:
    """`value` as a Tensor that `origin` made; as it is where it is a constant."""
    if origin is None:
        return value
    t = new((Tensor if origin[1] is LEAF else Result) if type(value) in RAW else Lifted)
    t.primal, t.level, t.node = value, level, origin
    return t


def constant(value: Any, level: int) -> Tensor:
    """A Tensor of `level` that nothing is remembered of."""
    t = new(Result)
    t.primal, t.level, t.node = value, level, None
    return t


def unbroadcast(ct: Any, to: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum `ct` over the axes along which an input of shape `to` was repeated."""
    have = ct.shape
    if have == to:
        return ct
    lead = len(have) - len(to)
    if have[lead:] == to:
        axes: Any = 0 if lead == 1 else tuple(range(lead))
        return np.add.reduce(ct, axes) if type(ct) in RAW else OPS["sum"].call(ct, axes)
    axes = (*range(lead), *[i + lead for i, n in enumerate(to) if n == 1 and have[i + lead] != 1])
    if type(ct) in RAW:
        return np.add.reduce(ct, axes, keepdims=True).reshape(to)
    return OPS["reshape"].call(OPS["sum"].call(ct, axes, True), to)


def settle(ct: Any, leaf: Tap, owned: bool, shared: set[int]) -> Any:
    """The cotangent that reaches a leaf: in the leaf's dtype, after its hooks, in its own memory.

    Rules may hand one array to two inputs, or a view of one; a gradient is the user's to change.
    """
    like = leaf.like
    if ct.dtype is not like.dtype:
        ct = project(ct, like)
    if leaf.hooks:
        ct = leaf.meet(ct)
        return ct.copy() if type(ct) is np.ndarray else ct
    if owned or type(ct) is not np.ndarray:
        return ct
    if ct.base is not None or id(ct) in shared:
        return ct.copy()
    shared.add(id(ct))
    return ct


def project(ct: Any, like: Any) -> Any:
    """`ct` in the dtype of `like`: float64 or complex paths may lead to float32 or real values."""
    if ct.dtype == like.dtype:
        return ct
    return OPS["astype"].call(OPS["real"].call(ct) if like.dtype.kind == "f" else ct, like.dtype)


def seed(value: Any, like: Any, who: str) -> Any:
    """A cotangent given by the user, checked against the output `like` and brought to its dtype."""
    value = value.primal if isinstance(value, Tensor) and value.node is None else value
    raw = bottom(value)
    if not isinstance(value, Traced):
        masked = isinstance(raw, np.ma.MaskedArray)
        value = raw = as_array(raw, who) if masked else np.asarray(raw)
    if raw.dtype.kind not in "fciub" or (raw.dtype.kind == "c" and like.dtype.kind != "c"):
        raise CotangentError(
            f"the cotangent given to `{who}` has dtype {raw.dtype}; the output is {like.dtype}."
        )
    if shape(value) != shape(like):
        raise ShapeError(
            f"the cotangent given to `{who}` has shape {shape(value)}; "
            f"the output has shape {shape(like)}."
        )
    if rare(~np.isfinite(raw).all()):
        raise CotangentError(
            f"the cotangent given to `{who}` holds NaN or infinity; every gradient would be NaN. "
            "Check the computation that made it."
        )
    if not isinstance(value, Traced):
        return value.astype(like.dtype)[()]
    return OPS["astype"].call(value, like.dtype) if value.staged else value


def ones_like(value: Any) -> Any:
    """The seed of a backward pass."""
    if isinstance(value, Traced):
        return value.filled(1)
    return np.ones(value.shape, value.dtype)[()]


def backward(
    self: Tensor, grad: Any = None, *, create_graph: bool = False, retain_graph: bool | None = None
) -> None:
    """Add the gradient of this Tensor to `.grad` of every leaf that it depends on.

    grad : cotangent of this Tensor's shape; ones by default, so the gradient of the sum
    create_graph : remember the pass itself, so that the gradients can be differentiated again
    retain_graph : keep the graph for another call (default: as create_graph); else it is freed

    Costs 2 to 4 times the forward. Gradients are written after the whole pass: an error leaves none
    half done. Of a complex Tensor a cotangent must be given. A real loss has in a complex leaf the
    gradient ∂L/∂Re - i ∂L/∂Im, as in JAX and HIPS autograd, and the conjugate of PyTorch's.

    >>> import adjoint as ad
    >>> x = ad.Tensor(2.0)
    >>> (x * x * x).backward(create_graph=True)
    >>> slope = x.grad; x.zero_grad(); slope.backward()
    >>> float(slope.detach()), float(x.grad)
    (12.0, 12.0)
    """
    node = self.node
    if node is None:
        raise NotTrackedError(
            f"`backward` found nothing to differentiate: this Tensor, shape {self.shape}, "
            "depends on no tracked Tensor. Was it detached, or made under `no_grad`?"
        )
    if node[7] is FREED:
        check(FREED, node[1].name)
    ct = ONES.get(type(self.primal)) if grad is None else seed(grad, self.primal, "backward")
    if ct is None:
        if self.dtype.kind == "c":
            raise NotScalarError(
                f"`backward` of a complex Tensor, shape {self.shape}, needs a cotangent: "
                "give one, or take `.real` first."
            )
        ct = ones_like(self.primal)
    if create_graph and not isinstance(ct, Traced):
        ct = constant(ct, self.level)
    if not (create_graph if retain_graph is None else retain_graph) and node[1] is not LEAF:
        self.node = (OLDEST, node[1], None, None, None, None, None, FREED)
    heap, cts = [node], {node[0]: ct}
    del node
    found = pull_back(heap, cts, self.level if create_graph else None)
    with WRITING:
        for leaf, ct, _ in found:
            tap = leaf[3]
            tap.grad = ct if tap.grad is None else tap.grad + ct


PICK.pull = pull_pick
Tensor.backward = backward
