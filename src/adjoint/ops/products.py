"""More products of matrices and vectors, and tensors taken as matrices; all are compositions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.traced import shape
from ..errors import ShapeError
from .elementwise import conj, is_complex
from .linalg import einsum, inv, matmul, matrix_trace, solve
from .shape import broadcast_to, expand_dims, known, moveaxis, ravel, reshape, roll


def vdot(a: Any, b: Any) -> Any:
    """Inner product of all elements, a conjugated: z = Σ conj(a)·b.

    >>> ad.grad(ad.vdot)(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([3., 4.])
    """
    a, b = known(a), known(b)
    return matmul(ravel(conj(a) if is_complex(a) else a), ravel(b))


def matvec(x1: Any, x2: Any) -> Any:
    """Matrices times vectors, each with batches in front: z = A x.

    >>> ad.matvec(np.ones((4, 2, 3)), np.ones((4, 3))).shape
    (4, 2)
    """
    return matmul(known(x1), expand_dims(known(x2), -1))[..., 0]


def vecmat(x1: Any, x2: Any) -> Any:
    """Vectors, conjugated, times matrices, each with batches in front: z = conj(x) A.

    >>> ad.vecmat(np.ones((4, 2)), np.ones((4, 2, 3))).shape
    (4, 3)
    """
    x1 = known(x1)
    return matmul(expand_dims(conj(x1) if is_complex(x1) else x1, -2), known(x2))[..., 0, :]


def kron(a: Any, b: Any) -> Any:
    """Kronecker product: blocks of b, each times one element of a, along every axis.

    >>> ad.kron(np.array([1.0, 10.0]), np.array([1.0, 2.0]))
    array([ 1.,  2., 10., 20.])
    """
    a, b = known(a), known(b)
    ndim = len(max(shape(a), shape(b), key=len))
    outer = (1,) * (ndim - len(shape(a))) + shape(a)
    within = (1,) * (ndim - len(shape(b))) + shape(b)
    table = reshape(a, tuple([m for n in outer for m in (n, 1)])) * reshape(
        b, tuple([m for n in within for m in (1, n)])
    )
    return reshape(table, tuple([m * n for m, n in zip(outer, within, strict=True)]))


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Cross product of vectors of three elements, along the last axes or those that are named.

    Raises: ShapeError where a vector has not three elements.

    >>> ad.grad(lambda x: ad.cross(x, np.array([0.0, 1.0, 0.0]))[2])(np.ones(3))
    array([1., 0., 0.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(known(a), axisa, -1), moveaxis(known(b), axisb, -1)
    if shape(a)[-1] != 3 or shape(b)[-1] != 3:
        raise ShapeError(
            "`cross` needs vectors of three elements; it was given "
            f"{shape(a)[-1]} and {shape(b)[-1]}. Of two elements, x[0]*y[1] - x[1]*y[0] is meant."
        )
    ahead, behind = roll(a, -1, -1) * roll(b, 1, -1), roll(a, 1, -1) * roll(b, -1, -1)
    return moveaxis(ahead - behind, -1, axisc)


def multi_dot(arrays: Sequence[Any]) -> Any:
    """Product of several matrices, in the order that costs least; the ends may be vectors.

    >>> ad.linalg.multi_dot([np.ones((9, 2)), np.ones((2, 9)), np.ones(9)]).shape
    (9,)
    """
    arrays = [known(a) for a in arrays]
    ranks = [len(shape(a)) for a in arrays]
    if len(arrays) < 2 or set(ranks[1:-1]) - {2} or {ranks[0], ranks[-1]} - {1, 2}:
        raise ShapeError(
            "`multi_dot` needs two arrays or more, matrices, of which the first and the last may "
            f"be vectors; it was given the shapes {[*map(shape, arrays)]}."
        )
    ends = [shape(a)[0] if r == 2 else 1 for a, r in zip(arrays[:1], ranks[:1], strict=True)]
    ends += [shape(a)[0] for a in arrays[1:]] + [shape(arrays[-1])[1] if ranks[-1] == 2 else 1]
    best: dict[tuple[int, int], tuple[int, int]] = {(i, i): (0, i) for i in range(len(arrays))}
    for width in range(1, len(arrays)):
        for i in range(len(arrays) - width):
            j = i + width
            best[i, j] = min(
                (best[i, k][0] + best[k + 1, j][0] + ends[i] * ends[k + 1] * ends[j + 1], k)
                for k in range(i, j)
            )

    def product(i: int, j: int) -> Any:
        k = best[i, j][1]
        return arrays[i] if i == j else matmul(product(i, k), product(k + 1, j))

    return product(0, len(arrays) - 1)


def matrix_power(a: Any, n: int) -> Any:
    """Product of n matrices A; of a negative n that of inverses, of 0 the identity.

    >>> ad.grad(lambda a: ad.linalg.matrix_power(a, 3)[0, 0])(np.diag([2.0, 1.0]))
    array([[12.,  0.],
           [ 0.,  0.]])
    """
    a = square(a, "matrix_power")
    if n == 0:
        return a * 0 + np.eye(shape(a)[-1], dtype=a.dtype)
    a, n, total = (inv(a) if n < 0 else a), abs(n), None
    while n:
        if n % 2:
            total = a if total is None else total @ a
        n //= 2
        a = a @ a if n else a
    return total


def square(a: Any, who: str) -> Any:
    """`a` as an array or remembered value; ShapeError unless it holds square matrices."""
    a = known(a)
    if len(shape(a)) < 2 or shape(a)[-1] != shape(a)[-2]:
        raise ShapeError(
            f"`{who}` needs square matrices in the last two axes; it was given shape {shape(a)}."
        )
    return a


def tensorinv(a: Any, ind: int = 2) -> Any:
    """Inverse for `tensordot`, where the first `ind` axes of a stand for the rows of a matrix.

    >>> ad.linalg.tensorinv(np.eye(6).reshape(2, 3, 6), ind=2).shape
    (6, 2, 3)
    """
    a = known(a)
    rows, columns = shape(a)[:ind], shape(a)[ind:]
    if ind < 1 or math.prod(rows) != math.prod(columns):
        raise ShapeError(
            f"`tensorinv` needs as many rows as columns; shape {shape(a)} has, with ind={ind}, "
            f"{math.prod(rows)} and {math.prod(columns)}."
        )
    n = math.prod(rows)
    return reshape(inv(reshape(a, (n, n))), (*columns, *rows))


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """Solution x of tensordot(a, x, x.ndim) = b; `axes` of a are moved to its end first.

    >>> ad.linalg.tensorsolve(np.eye(6).reshape(2, 3, 6), np.ones((2, 3))).shape
    (6,)
    """
    a, b = known(a), known(b)
    if axes is not None:
        a = moveaxis(a, tuple(axes), tuple(range(-len(axes), 0)))
    rest = shape(a)[len(shape(b)) :]
    n = math.prod(rest)
    if math.prod(shape(a)) != n * n:
        raise ShapeError(
            f"`tensorsolve` needs as many equations as unknowns; a has shape {shape(a)}, "
            f"b {shape(b)}."
        )
    return reshape(solve(reshape(a, (n, n)), ravel(b)), rest)


def trace(x: Any, *, offset: int = 0) -> Any:
    """Sum of the diagonal of the matrices in the last two axes.

    >>> ad.linalg.trace(np.ones((3, 2, 2)))
    array([2., 2., 2.])
    """
    return matrix_trace(known(x), offset)


def khatri_rao(a: Any, b: Any) -> Any:
    """Column by column the Kronecker product: (m, n) and (p, n) make (m·p, n).

    >>> ad.linalg.khatri_rao(np.ones((2, 4)), np.ones((3, 4))).shape
    (6, 4)
    """
    a, b = known(a), known(b)
    table = einsum("...ik,...jk->...ijk", a, b)
    *batch, m, p, n = shape(table)
    return reshape(table, (*batch, m * p, n))


def identity(a: Any) -> Any:
    """The identity matrices of the shape and dtype of `a`, a constant."""
    n = shape(a)[-1]
    return broadcast_to(np.eye(n, dtype=a.dtype), shape(a))


__all__ = ["cross", "kron", "matvec", "vdot", "vecmat"]
