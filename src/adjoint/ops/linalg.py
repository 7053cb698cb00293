"""Matrices: products of every rank, solving, determinants, the Cholesky factor.

Matrices stand in the last two axes, the axes before them are batches. Sources: M. B. Giles,
"An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), sections 2 and 3; I. Murray, "Differentiation of the Cholesky
decomposition", arXiv:1602.07527, section 3.
"""

from __future__ import annotations

import math
import string
from typing import Any, NamedTuple

import numpy as np

from ..core.traced import shape
from ..errors import ShapeError
from .batch import aligned, as_it_is, lettered, solving
from .elementwise import conj, is_complex, real
from .reduce import sum
from .rules import bilinear, linear, op
from .shape import (
    broadcast_to,
    diagonal,
    expand_dims,
    known,
    moveaxis,
    normalised,
    permute_dims,
    reshape,
    several,
    tril,
)  # fmt: skip


def matmul_left(ct, y):
    """X̄ = Z̄ Yᵀ; a vector x met a matrix where the output has fewer axes than y."""
    if y.ndim == 1:
        return expand_dims(ct, -1) * y if ct.ndim else ct * y
    if ct.ndim < y.ndim:
        return (y @ expand_dims(ct, -1))[..., 0]
    return ct @ y.mT


def matmul_right(ct, x):
    """Ȳ = Xᵀ Z̄; a vector y met a matrix where the output has fewer axes than x."""
    if x.ndim == 1:
        return expand_dims(x, -1) * expand_dims(ct, -2) if ct.ndim else ct * x
    if ct.ndim < x.ndim:
        return (x.mT @ expand_dims(ct, -1))[..., 0]
    return x.mT @ ct


@bilinear(matmul_left, matmul_right)
def matmul(xp, x, y, /):
    """Matrix product of every rank: Z = XY,  X̄ = Z̄Yᵀ,  Ȳ = XᵀZ̄.

    x : (..., m, k) or (k,)    y : (..., k, n) or (k,)    out : (..., m, n), less a vector's axis

    Keeps: x, y.  Raises: ShapeError where the k differ.

    >>> ad.grad(ad.matmul, (0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    (array([3., 4.]), array([1., 2.]))
    """
    return xp.matmul(x, y)


def contract_jvp(tangents, xs, subscripts):
    """ż = Σ over the operands of the same contraction with one operand replaced by its tangent."""
    total = None
    for i, t in enumerate(tangents):
        if t is not None:
            term = contract(*xs[:i], t, *xs[i + 1 :], subscripts=subscripts)
            total = term if total is None else total + term
    return total


def contract_vjp(ct, xs, subscripts):
    """x̄ᵢ = z̄ contracted with the other operands, repeated along the axes that only xᵢ had."""
    inputs, output = subscripts
    cts = []
    for i, term in enumerate(inputs):
        others = [(t, x) for j, (t, x) in enumerate(zip(inputs, xs, strict=True)) if j != i]
        there = set(output).union(*(t for t, _ in others))
        left = "".join(c for c in term if c in there)
        back = contract(
            ct, *[x for _, x in others], subscripts=((output, *[t for t, _ in others]), left)
        )
        alone = tuple([k for k, c in enumerate(term) if c not in there])
        cts.append(broadcast_to(expand_dims(back, alone), shape(xs[i])) if alone else back)
    return cts


@op(jvp=contract_jvp, vjp=contract_vjp, batch=lettered)
def contract(xp, *xs, subscripts):
    """Sum of products: `subscripts` is (input terms, output term), no letter twice in a term.

    Keeps: xs.
    """
    inputs, output = subscripts
    large = math.prod([math.prod(x.shape) for x in xs]) > 4096
    return xp.einsum(f"{','.join(inputs)}->{output}", *xs, optimize=large) + 0


@linear(lambda ct, x_shape, terms: spread_out(ct, x_shape, terms), batch=lettered)
def rearranged(xp, x, /, terms):
    """The axes of one array permuted and summed: `terms` is (input term, output term)."""
    return xp.einsum(f"{terms[0]}->{terms[1]}", x) + 0


def spread_out(ct, x_shape, terms):
    """The transpose of `rearranged`: axes back in order, repeated where they were summed."""
    term, output = terms
    back = rearranged(ct, (output, "".join(c for c in term if c in output)))
    gone = tuple([k for k, c in enumerate(term) if c not in output])
    return broadcast_to(expand_dims(back, gone), x_shape) if gone else back


def einsum(subscripts: Any, *operands: Any) -> Any:
    """Sum of products by Einstein's convention, with `...`, repeated letters and implicit outputs.

    Or, as NumPy has it, each operand followed by the list of its axes' numbers, the output's last.

    Raises: ShapeError where terms and operands do not fit.

    >>> ad.grad(lambda a: ad.einsum("ii->", a))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 0.],
           [0., 1.]])
    """
    if not isinstance(subscripts, str):
        subscripts, operands = spelt((subscripts, *operands))
    operands = tuple([x if hasattr(x, "shape") else np.asarray(x) for x in operands])
    inputs, output = parsed(subscripts, operands)
    arrays, terms = [], []
    for term, x in zip(inputs, operands, strict=True):
        for letter in sorted(set(term)):
            while term.count(letter) > 1:
                i = term.index(letter)
                j = term.index(letter, i + 1)
                x = diagonal(moveaxis(x, (i, j), (-2, -1)))
                term = term[:i] + term[i + 1 : j] + term[j + 1 :] + letter
        arrays.append(x)
        terms.append(term)
    if len(arrays) == 1:
        return rearranged(arrays[0], (terms[0], output))
    return contract(*arrays, subscripts=(tuple(terms), output))


def spelt(pairs: Any) -> tuple[str, Any]:
    """Letters for operands and lists of numbers in turn, and the operands."""

    def term(axes: Any) -> str:
        return "".join(["..." if a is Ellipsis else string.ascii_letters[a] for a in axes])

    count = len(pairs) // 2
    text = ",".join([term(axes) for axes in pairs[1 : 2 * count : 2]])
    return text + (f"->{term(pairs[-1])}" if len(pairs) % 2 else ""), pairs[: 2 * count : 2]


def parsed(subscripts: str, operands: Any) -> tuple[list[str], str]:
    """The term of each operand and of the output, with `...` spelt out in letters that are free."""
    text = subscripts.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        raise ShapeError(
            f"`einsum` has {len(inputs)} terms in {subscripts!r} and {len(operands)} operands."
        )
    ranks = [
        len(shape(x)) - len(t.replace("...", "")) for t, x in zip(inputs, operands, strict=True)
    ]
    for t, x, rank in zip(inputs, operands, ranks, strict=True):
        if rank < 0 or (rank > 0 and "..." not in t):
            raise ShapeError(
                f"`einsum` term {t!r} of {subscripts!r} does not fit an operand "
                f"of shape {shape(x)}."
            )
    free = "".join(c for c in string.ascii_letters if c not in text)
    dots = free[: sorted([0, *ranks])[-1]]
    inputs = [t.replace("...", dots[len(dots) - r :]) for t, r in zip(inputs, ranks, strict=True)]
    letters = "".join(inputs)
    if arrow:
        output = output.replace("...", dots)
    else:
        output = dots + "".join(
            c for c in sorted(set(letters)) if letters.count(c) == 1 and c not in dots
        )
    if set(output) - set(letters) or len(set(output)) != len(output):
        raise ShapeError(
            f"`einsum` cannot make {output!r} of {subscripts!r}: each letter once, from the inputs."
        )
    return inputs, output


def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """Sum of products over the last `axes` axes of x and first of y, or over a pair of axis lists.

    >>> ad.tensordot(np.ones((2, 3)), np.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    m, n = len(shape(x)), len(shape(y))
    if isinstance(axes, int):
        over_x, over_y = list(range(m - axes, m)), list(range(axes))
    else:
        over_x, over_y = ([a] if isinstance(a, int) else list(a) for a in axes)
    over_x = [normalised(a, m, "tensordot") for a in over_x]
    over_y = [normalised(a, n, "tensordot") for a in over_y]
    if [shape(x)[a] for a in over_x] != [shape(y)[a] for a in over_y]:
        raise ShapeError(
            f"`tensordot` was asked to sum axes {over_x} of shape {shape(x)} with axes {over_y} of "
            f"shape {shape(y)}: their lengths differ."
        )
    left = [i for i in range(m) if i not in over_x]
    right = [i for i in range(n) if i not in over_y]
    rows, columns = [shape(x)[i] for i in left], [shape(y)[i] for i in right]
    folded = math.prod([shape(x)[a] for a in over_x])
    x = reshape(permute_dims(x, (*left, *over_x)), (math.prod(rows), folded))
    y = reshape(permute_dims(y, (*over_y, *right)), (folded, math.prod(columns)))
    return reshape(matmul(x, y), (*rows, *columns))


def dot(x: Any, y: Any) -> Any:
    """NumPy's dot: the product of numbers, vectors and matrices.

    Else the sum over the last axis of x and the next to last of y.

    >>> ad.grad(ad.dot)(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([3., 4.])
    """
    m, n = len(shape(x)), len(shape(y))
    if not m or not n:
        return x * y
    return matmul(x, y) if n <= 2 else tensordot(x, y, ([m - 1], [n - 2]))


def vecdot(x: Any, y: Any, axis: int = -1) -> Any:
    """Inner products along `axis`, x conjugated: z = Σ conj(x)·y.

    >>> ad.vecdot(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    array([11.])
    """
    x, y = (a if hasattr(a, "shape") else np.asarray(a) for a in (x, y))
    x, y = (moveaxis(a, normalised(axis, len(shape(a)), "vecdot"), -1) for a in (x, y))
    if shape(x)[-1] != shape(y)[-1]:
        raise ShapeError(
            f"`vecdot` was given vectors of lengths {shape(x)[-1]} and {shape(y)[-1]}."
        )
    return sum((conj(x) if is_complex(x) else x) * y, -1)


def inner(x: Any, y: Any) -> Any:
    """Sum of products over the last axes of both.

    >>> ad.inner(np.ones((2, 3)), np.ones((4, 3))).shape
    (2, 4)
    """
    return tensordot(x, y, ([-1], [-1])) if shape(x) and shape(y) else x * y


def outer(x: Any, y: Any) -> Any:
    """All products of an element of x and an element of y.

    >>> ad.outer(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[3., 4.],
           [6., 8.]])
    """
    return reshape(x, (-1, 1)) * reshape(y, (1, -1))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum of the diagonal of two axes, by default the first two.

    >>> ad.grad(ad.trace)(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 0.],
           [0., 1.]])
    """
    a = known(a)
    if len(shape(a)) == 2 and (axis1, axis2) == (0, 1):
        return matrix_trace(a, offset=offset)
    axes = several((axis1, axis2), len(shape(a)), "trace")
    return matrix_trace(moveaxis(a, axes, (-2, -1)), offset=offset)


def matrix_trace(x: Any, offset: int = 0) -> Any:
    """Sum of the diagonal of the last two axes."""
    return sum(diagonal(x, offset), -1)


def solve_jvp(tangents, a, out, b_shape):
    """A z = b gives ż = A⁻¹(ḃ - Ȧ z)."""
    da, db = tangents
    if da is None:
        return solve(a, db)
    moved = da @ column(out, b_shape)
    z = solve(a, -moved if db is None else column(db, b_shape) - moved)
    return z[..., 0] if len(b_shape) == 1 else z


def solve_vjp(ct, a, out, b_shape):
    """b̄ = A⁻ᵀ z̄,  Ā = -b̄ zᵀ  (Giles, 2.3.1)."""
    back = solve(a.mT, column(ct, b_shape))
    return -(back @ column(out, b_shape).mT), back[..., 0] if len(b_shape) == 1 else back


def column(x, b_shape):
    """x as a matrix: where b is a vector, so are the solutions, of a batch of matrices too."""
    return expand_dims(x, -1) if len(b_shape) == 1 else x


@op(jvp=solve_jvp, vjp=solve_vjp, batch=solving)
def solve(xp, a, b, /):
    """Solution of A z = b:  ż = A⁻¹(ḃ - Ȧ z),  b̄ = A⁻ᵀ z̄,  Ā = -b̄ zᵀ.

    a : (..., n, n)        b : (n,) or (..., n, k)        out : as b, batched as a

    Keeps: a, out.  Raises where A is singular.  Source: Giles (2008), 2.3.1.

    >>> a = np.diag([2.0, 4.0])
    >>> ad.grad(lambda b: ad.solve(a, b).sum())(np.ones(2))
    array([0.5 , 0.25])
    """
    return xp.linalg.solve(a, b)


@op(
    jvp=lambda ts, out: -(out @ ts[0] @ out),
    vjp=lambda ct, out: [-(out.mT @ ct @ out.mT)],
    batch=as_it_is,
)
def inv(xp, a, /):
    """Inverse: Z = A⁻¹,  Ż = -Z Ȧ Z,  Ā = -Zᵀ Z̄ Zᵀ.

    a : (..., n, n).  Keeps: out.  Raises where A is singular.  Source: Giles (2008), 2.2.3.

    >>> ad.grad(lambda a: ad.trace(ad.inv(a)))(np.diag([1.0, 2.0])) + 0.0
    array([[-1.  ,  0.  ],
           [ 0.  , -0.25]])
    """
    return xp.linalg.inv(a)


@op(
    jvp=lambda ts, a: sum(cofactor(a) * ts[0], (-2, -1)),
    vjp=lambda ct, a: [expand_dims(ct, (-2, -1)) * cofactor(a)],
    batch=as_it_is,
)
def det(xp, a, /):
    """Determinant: y = |A|,  ẏ = Σ C∘Ȧ,  Ā = ȳ C with the cofactors C, of a regular A y A⁻ᵀ.

    a : (..., n, n).  Keeps: a.  Singular matrices have a gradient too, and second derivatives; the
    third ones there raise.  Source: Giles (2008), 2.2.4; Jacobi's formula.

    >>> ad.grad(ad.det)(np.array([[1.0, 2.0], [2.0, 4.0]]))
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    return xp.linalg.det(a)


@op(
    jvp=lambda ts, a: cofactor_slope(a, ts[0]),
    vjp=lambda ct, a: [cofactor_slope(a, ct)],
    batch=as_it_is,
)
def cofactor(xp, a, /):
    """Cofactors C of A, the gradient of the determinant; of a regular A they are |A| A⁻ᵀ.

    a : (..., n, n).  Keeps: a.  Of a singular A = U s Vᴴ they are |U Vᴴ| Ū π Vᵀ, π the products of
    all s but one.
    """
    x, y = regular_inverse(xp, a)
    if x is not None:
        return y * x.swapaxes(-1, -2)
    u, s, vh = xp.linalg.svd(a)
    turn = xp.linalg.det(u) * xp.linalg.det(vh)
    return (xp.conj(u) * (turn[..., None] * left_out(xp, s, 1))[..., None, :]) @ xp.conj(vh)


def slope_jvp(tangents, a, t):
    """Along Ȧ and Ṫ: the third differential of the determinant, which is symmetric, and C'(Ṫ)."""
    da, dt = tangents
    one = None if da is None else third_differential(a, t, da)
    two = None if dt is None else cofactor_slope(a, dt)
    return two if one is None else one if two is None else one + two


@op(
    jvp=slope_jvp,
    vjp=lambda ct, a, t: [third_differential(a, t, ct), cofactor_slope(a, ct)],
    batch=aligned,
)
def cofactor_slope(xp, a, t, /):
    """Tangent of the cofactors of A along T: |A| (tr(XT) Xᵀ - (XTX)ᵀ) with X = A⁻¹.

    a, t : (..., n, n).  Keeps: a, t.  Of a singular A the same by its singular values, where the
    products of all but two of them stand for |A| X∘X.
    """
    x, y = regular_inverse(xp, a)
    if x is not None:
        moved = x @ t
        weight = xp.trace(moved, axis1=-2, axis2=-1)[..., None, None]
        return y * (weight * x - moved @ x).swapaxes(-1, -2)
    u, s, vh = xp.linalg.svd(a)
    v = xp.conj(vh).swapaxes(-1, -2)
    d = xp.conj(u).swapaxes(-1, -2) @ t @ v
    pairs = left_out(xp, s, 2)
    on = (pairs @ xp.diagonal(d, 0, -2, -1)[..., None])[..., 0]
    inside = -(d * pairs).swapaxes(-1, -2)
    i = xp.arange(s.shape[-1])
    inside[..., i, i] = on
    turn = (xp.linalg.det(u) * xp.linalg.det(vh))[..., None, None]
    return xp.conj(u) @ (turn * inside) @ xp.conj(vh)


def regular_inverse(xp, a):
    """A⁻¹ and |A| for the axes of A, or None twice where a matrix is singular or nearly so."""
    y = xp.linalg.det(a)[..., None, None]
    if not (xp.isfinite(y) & (y != 0)).all():
        return None, None
    try:
        x = xp.linalg.inv(a)
    except xp.linalg.LinAlgError:
        return None, None
    sizes = [xp.abs(m).sum(-1).max(-1, initial=0.0) for m in (a, x)]
    near = sizes[0] * sizes[1] > xp.finfo(x.dtype).eps ** -0.5
    return (None, None) if near.any() else (x, y)


def left_out(xp, s, k):
    """Products of s without one element, (..., n), or without two, (..., n, n) 0 of i, i."""
    n = s.shape[-1]
    eye = xp.eye(n, dtype=bool)
    if k == 1:
        return xp.where(eye, 1.0, s[..., None, :]).prod(-1).astype(s.dtype)
    gone = eye[:, None, :] | eye[None, :, :]
    rest = xp.where(gone, 1.0, s[..., None, None, :]).prod(-1).astype(s.dtype)
    return xp.where(eye, 0.0, rest).astype(s.dtype)


def third_differential(a, t, u):
    """The gradient of the determinant differentiated along t and u, for a regular A."""
    x = inv(a)
    one, two = x @ t, x @ u
    both = one @ two
    single, other = (expand_dims(matrix_trace(m), (-2, -1)) for m in (one, two))
    whole = other * (single * x - one @ x)
    whole = whole - expand_dims(matrix_trace(both), (-2, -1)) * x - single * (two @ x)
    whole = whole + (two @ one + both) @ x
    return expand_dims(det(a), (-2, -1)) * whole.mT


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


def slogdet_jvp(tangents, a, out):
    """With w = tr(A⁻¹Ȧ): the logarithm moves by Re w, a complex sign turns by i Im w."""
    w = matrix_trace(solve(a, tangents[0]))
    if not is_complex(a):
        return None, w
    return out[0] * (w - real(w)), real(w)


def slogdet_vjp(ct, a, out):
    """Ā = (l̄ - i Re(i s̄ s)) A⁻ᵀ; of real matrices the sign is constant."""
    weight = real(ct[1])
    if is_complex(a):
        weight = weight - real(ct[0] * out[0] * 1j) * 1j
    return [expand_dims(weight, (-2, -1)) * inv(a).mT]


@op(jvp=slogdet_jvp, vjp=slogdet_vjp, batch=as_it_is)
def slogdet(xp, a, /):
    """Sign and logarithm of |A|:  l = ln |det A|,  l̇ = Re tr(A⁻¹Ȧ),  Ā = l̄ A⁻ᵀ.

    a : (..., n, n).  Keeps: a, out.  Undefined: where A is singular.

    >>> ad.grad(lambda a: ad.slogdet(a).logabsdet)(np.diag([2.0, -4.0])) + 0.0
    array([[ 0.5 ,  0.  ],
           [ 0.  , -0.25]])
    """
    return SlogdetResult(*xp.linalg.slogdet(a))


def halved(x):
    """Φ: the lower triangle with half the diagonal."""
    return tril(x) - diagonal_matrix(x) / 2


def diagonal_matrix(x):
    """The diagonal of x and zeros beside it."""
    return tril(x) - tril(x, -1)


def adjoint_of(x):
    """The conjugate transpose."""
    return conj(x).mT if is_complex(x) else x.mT


def cholesky_jvp(tangents, out, upper):
    """L̇ = L Φ(L⁻¹ Ȧ L⁻ᴴ)  (Murray, eq. 8)."""
    low = adjoint_of(out) if upper else out
    t = (tangents[0] + adjoint_of(tangents[0])) / 2
    inside = solve(low, t)
    moved = low @ halved(adjoint_of(solve(low, adjoint_of(inside))))
    return adjoint_of(moved) if upper else moved


def cholesky_vjp(ct, out, upper):
    """Ā = L⁻ᴴ Φ(Lᴴ L̄) L⁻¹ made symmetric  (Murray, eq. 10), conjugated for our pairing."""
    high = out if upper else adjoint_of(out)
    lower = tril(ct.mT) if upper else tril(conj(ct)) if is_complex(out) else tril(ct)
    inside = solve(high, halved(high @ lower))
    back = adjoint_of(solve(high, adjoint_of(inside)))
    symmetric = (back + adjoint_of(back)) / 2
    return [conj(symmetric) if is_complex(out) else symmetric]


@op(jvp=cholesky_jvp, vjp=cholesky_vjp, batch=as_it_is)
def cholesky(xp, a, /, upper=False):
    """Lower triangular L with A = L Lᴴ, or Lᴴ where `upper`; the cotangent is Hermitian as A is.

    a : (..., n, n), of which the Hermitian part is taken.  Keeps: out.  Raises where it is not
    positive definite.  Source: Murray, arXiv:1602.07527, eq. 8 and 10.

    >>> ad.grad(lambda a: ad.cholesky(a)[1, 0])(np.eye(2))
    array([[0. , 0.5],
           [0.5, 0. ]])
    """
    low = xp.linalg.cholesky((a + xp.conj(a).swapaxes(-1, -2)) / 2)
    return xp.conj(low).swapaxes(-1, -2) if upper else low
