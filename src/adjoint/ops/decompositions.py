"""Eigenvalues, singular values, QR, and what is made of them; right where values are repeated.

A repeated eigenvalue leaves the choice of its vectors free, the gauge. A loss that does not depend
on the choice has a derivative, found here without dividing by a gap of zero; a loss that does has
none, and asking for it raises `GaugeError`. Values count as equal within 30 n units of rounding of
the largest, n the length of the matrix. Under differentiation the vectors of equal values are
mixed, by a fixed reflection, so that dependence on them shows.

Sources: J. R. Magnus, "On differentiating eigenvalues and eigenvectors" (1985); M. B. Giles (2008),
section 3; J. Townsend, "Differentiating the singular value decomposition" (2016); Z.-Q. Wan and
S.-X. Zhang, arXiv:1909.02659, for the phases of complex vectors; C. Boeddeker et al.,
arXiv:1701.00392, for general complex matrices; S. F. Walter and L. Lehmann, arXiv:1001.1654, and
D. Roberts and L. Roberts, arXiv:2009.10071, for QR; G. Golub and V. Pereyra, "The differentiation
of pseudo-inverses and nonlinear least squares problems whose variables separate" (1973).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.batch import Batched
from ..core.traced import Traced, rare, shape
from ..errors import DataError, GaugeError, ShapeError
from .batch import as_it_is
from .constant import argsort, greater
from .elementwise import abs, conj, imag, is_complex, real, sign, where
from .index import take_along_axis
from .linalg import adjoint_of, diagonal_matrix, solve
from .products import square
from .reduce import sum
from .rules import op, predicate
from .shape import (
    broadcast_to,
    concat,
    diagonal,
    embed_diagonal,
    expand_dims,
    flip,
    known,
    memory,
    tril,
    triu,
)  # fmt: skip

MIXED = 30


def in_front(op, args, batched, params):
    """A batching rule: vectors and matrices, in the last axes, have the same axes in front."""
    return op.call(*args, **params)


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and eigenvectors in columns, of a Hermitian matrix."""

    eigenvalues: Any
    eigenvectors: Any


class EigResult(NamedTuple):
    """Eigenvalues, in no order, and eigenvectors in columns."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """The singular value decomposition: A = U diag(S) Vh."""

    U: Any
    S: Any
    Vh: Any


class QRResult(NamedTuple):
    """Orthonormal columns times an upper triangle: A = Q R."""

    Q: Any
    R: Any


def rounding(xp, w, n):
    """How far apart values may be and still count as equal."""
    top = xp.abs(w).max(axis=-1, keepdims=True, initial=0.0)
    return MIXED * n * xp.finfo(w.dtype).eps * top


@predicate(batch=in_front)
def coincident(xp, w, /, n=None):
    """True where two of the values in the last axis are equal to rounding, (..., n, n)."""
    near = xp.abs(w[..., :, None] - w[..., None, :]) <= rounding(xp, w, n or w.shape[-1])[..., None]
    found, before = near.sum(), w.size
    while found > before:  # what equals a third is equal
        table = near.astype(xp.float32)
        near, before = table @ table > 0, found
        found = near.sum()
    return near


@predicate(batch=in_front)
def vanishing(xp, s, /, n=None):
    """True where a singular value is zero to rounding."""
    return s <= rounding(xp, s, n or s.shape[-1])


@predicate(batch=in_front)
def still(xp, s, /):
    """s as a constant."""
    return s


def occurs(mask):
    """True where any element is true, in any example."""
    return rare(np.any(memory(mask)))


def off_diagonal(same):
    """True where two different values are equal."""
    return same & ~np.eye(shape(same)[-1], dtype=bool)


def refuse(kind, who, w):
    """Raise the error that says which choice a loss, or a direction, depends on."""
    raw = np.asarray(memory(w))
    rows = raw.reshape(-1, raw.shape[-1])
    near = off_diagonal(coincident(rows))
    if kind == "phase" and not near.any():
        raise GaugeError(
            f"`{who}` has vectors that are determined up to a phase, and the derivative depends on "
            "theirs: LAPACK's choice, which is not smooth. Use what does not change when a column "
            "is multiplied by a number of modulus 1: absolute values, projectors v vᴴ."
        )
    k = np.argwhere(near)[0] if near.any() else None
    if kind == "zero":
        what = "a singular value of 0"
    elif k is None:
        what = "repeated values"
    else:
        what = f"the values number {k[1]} and {k[2]}, both {rows[k[0], k[1]]:.6g},"
    raise GaugeError(
        f"`{who}` met {what}{'' if kind == 'zero' else ' equal to rounding'}: their vectors are "
        "free to mix, and the derivative depends on the choice, or on which value is which. For "
        "a function of the matrix take `expm`, `logm`, `sqrtm`, `inv`, `pinv`, `polar` or `norm`; "
        "for the space of these vectors its projector, in reverse mode; else keep values apart."
    )


def reflection(xp, same, u):
    """A unitary matrix that mixes, within each class of equal values, all the vectors."""
    u = xp.where(same.sum(-1) > 1, u, 0.0)
    sizes = (same @ (xp.abs(u) ** 2)[..., None])[..., 0]
    table = u[..., :, None] * xp.conj(u)[..., None, :]
    return xp.eye(same.shape[-1]) - 2 * same * table / xp.where(sizes > 0, sizes, 1.0)[..., None]


def numbers(xp, n, like, shift=0.0):
    """n numbers without a pattern, complex where `like` is."""
    k = xp.arange(n) + shift
    return 1.5 + xp.sin(7 * k) + (1j * xp.cos(5 * k) if like.dtype.kind == "c" else 0)


def differentiated(x):
    """True for a value that remembers its derivative, at any level."""
    while isinstance(x, Traced):
        if not isinstance(x, Batched):
            return True
        x = x.primal
    return False


def quotient(x, y, same):
    """x/y off the classes of equal values, 0 within."""
    return where(same, 0.0, x / where(same, 1.0, y))


def differences(w):
    """The table of wⱼ - wᵢ."""
    return expand_dims(w, -2) - expand_dims(w, -1)


def on_diagonal(w):
    """Diagonal matrices of the vectors w."""
    return embed_diagonal(w, (*shape(w), shape(w)[-1]))


def suited(ct, x):
    """The cotangent of x, real where x is: on its way it may have met complex numbers."""
    return ct if is_complex(x) else real(ct)


def skew(m):
    """The skew-Hermitian part."""
    return (m - adjoint_of(m)) / 2


def allowance(xp, x):
    """What is rounding: relative to the size of what is looked at, and absolutely."""
    unit = xp.finfo(x.dtype).eps
    return unit**0.5, MIXED * unit


@predicate(batch=in_front)
def uneven(xp, w, x, table, same, size, /, tangent=False):
    """True for a matrix whose equal values w are given different x, or an entry of the table.

    What counts is larger than the root of the unit of rounding times the largest of all entries,
    those of `size` among them, and than some units. A cotangent of values counts as often as the
    largest value says; tangents are all of one kind.
    """
    eps, least = allowance(xp, w)
    top = xp.abs(w).max(axis=-1, initial=0.0)[..., None, None]
    scale = xp.ones_like(top) if tangent else top
    most = xp.abs(x).max(axis=-1, initial=0.0)[..., None, None]
    size = xp.abs(size).max(axis=(-2, -1), keepdims=True, initial=0.0)
    apart = xp.abs(x[..., :, None] - x[..., None, :])
    bound = least + eps * (most + size / xp.where(scale > 0, scale, xp.inf))
    wrong = (apart > bound) | (xp.abs(table) > least + eps * (size + most * scale))
    return (same & wrong).any((-2, -1))


@predicate(batch=in_front)
def sizeable(xp, table, size, /):
    """True for a matrix whose largest entry is not small beside that of `size`."""
    eps, least = allowance(xp, size)
    bound = least + eps * xp.abs(size).max(axis=(-2, -1), initial=0.0)
    return xp.abs(table).max(axis=(-2, -1), initial=0.0) > bound


def check_classes(who, w, x, table, same, size, tangent=False, phases=False):
    """Raise GaugeError unless `uneven` finds nothing; without equal values nothing is looked at."""
    if (phases or occurs(off_diagonal(same))) and occurs(
        uneven(w, x, table, same, size, tangent=tangent)
    ):
        refuse("phase" if phases else "", who, w)


def check_values(who, w, x, same):
    """Raise GaugeError where equal values are given different x."""
    table = np.zeros((1, 1), w.dtype)
    check_classes(who, w, x, table, same, table)


def hermitian_jvp(tangents, out):
    """ẇ = Re diag D and V̇ = V(F∘D) with D = VᴴȦV, F_ij = 1/(w_j - w_i)."""
    w, v = out
    d = adjoint_of(v) @ tangents[0] @ v
    d = hermitian_part(d)
    same, moved = coincident(w), real(diagonal(d))
    check_classes("eigh", w, moved, where(off_diagonal(same), d, 0.0), same, d, tangent=True)
    return moved, v @ quotient(d, differences(w), same)


def hermitian_vjp(ct, out):
    """Ā = V̄*(diag w̄ + F∘K)Vᵀ with K, the skew part of VᵀV̄; within a class it has to vanish."""
    w, v = out
    grown = v.mT @ suited(ct[1], v)
    k, same, values = skew(grown), coincident(w), real(ct[0])
    check_classes("eigh", w, values, k, same, grown, phases=is_complex(v))
    return [conj(v) @ (quotient(k, differences(w), same) + on_diagonal(values)) @ v.mT]


@op(jvp=hermitian_jvp, vjp=hermitian_vjp, batch=as_it_is)
def hermitian_system(xp, a, /, mixed=False):
    """Eigenvalues w and eigenvectors V of a Hermitian A:  ẇ = Re diag D,  V̇ = V(F∘D).

    D = VᴴȦV and F_ij = 1/(w_j - w_i).  a : (..., n, n), of which the Hermitian part is taken.
    mixed : mix the vectors of equal values, so that a loss that depends on them shows

    Keeps: out.  Source: Magnus (1985); Giles (2008), 3.1.
    """
    w, v = xp.linalg.eigh((a + xp.conj(a).swapaxes(-1, -2)) / 2)
    if mixed:
        same = coincident.op.forward(xp, w)
        if off_diagonal(same).any():
            v = (v @ reflection(xp, same, numbers(xp, w.shape[-1], v))).astype(v.dtype)
    return EighResult(w, v)


def eigh(a: Any, UPLO: str | None = None) -> EighResult:
    """Eigenvalues, ascending, and eigenvectors of Hermitian matrices.

    a : (..., n, n), of which the Hermitian part is taken, and the gradient is Hermitian too
    UPLO : "L" or "U" to read, and differentiate, that triangle alone

    Raises: GaugeError where the derivative depends on the choice of vectors, that of phases, of
    complex ones, or of vectors in a space that equal eigenvalues share; or where the loss treats
    equal eigenvalues differently. Forward mode raises there for every direction that parts them.

    >>> a = np.diag([1.0, 1.0, 2.0])
    >>> def projector(a):
    ...     v = ad.linalg.eigh(a).eigenvectors[:, :2]
    ...     return v @ v.mT
    >>> np.round(ad.grad(lambda a: projector(a)[0, 2])(a), 12) + 0.0
    array([[ 0. ,  0. , -0.5],
           [ 0. ,  0. ,  0. ],
           [-0.5,  0. ,  0. ]])
    """
    a = triangle_read(a, UPLO, "eigh")
    return hermitian_system(a, mixed=differentiated(a))


def triangle_read(a: Any, UPLO: str | None, who: str) -> Any:
    """The Hermitian matrix whose lower or upper triangle that of `a` is; `a` where none is said."""
    a = square(a, who)
    if UPLO is None:
        return a
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise DataError(f"`{who}` knows the triangles 'L' and 'U'; UPLO was {UPLO!r}.")
    half = tril(a, -1) if UPLO.upper() == "L" else triu(a, 1)
    return half + adjoint_of(half) + real(diagonal_matrix(a))


def hermitian_values_jvp(tangents, a):
    """ẇ = Re diag VᴴȦV."""
    return hermitian_jvp(tangents, hermitian_system(a, mixed=True))[0]


def hermitian_values_vjp(ct, a, out):
    """Ā = V̄* diag w̄ Vᵀ."""
    v, values = hermitian_system(a, mixed=True)[1], real(ct)
    check_values("eigvalsh", out, values, coincident(out))
    return [(conj(v) * expand_dims(values, -2)) @ v.mT]


def hermitian_part(a):
    """The Hermitian part."""
    return (a + adjoint_of(a)) / 2


@op(jvp=hermitian_values_jvp, vjp=hermitian_values_vjp, batch=as_it_is)
def hermitian_values(xp, a, /):
    """Eigenvalues of a Hermitian A, ascending:  ẇ = Re diag VᴴȦV.

    a : (..., n, n), of which the Hermitian part is taken.  Keeps: a, out.
    """
    return xp.linalg.eigvalsh((a + xp.conj(a).swapaxes(-1, -2)) / 2)


def eigvalsh(a: Any, UPLO: str | None = None) -> Any:
    """Eigenvalues of Hermitian matrices, ascending.

    a : (..., n, n), of which the Hermitian part is taken, and the gradient is Hermitian too
    UPLO : "L" or "U" to read, and differentiate, that triangle alone

    Raises: GaugeError where eigenvalues are equal and the loss treats them differently, and in
    forward mode for every direction that parts them.

    >>> ad.grad(lambda a: ad.linalg.eigvalsh(a)[0])(np.diag([2.0, 1.0])) + 0.0
    array([[0., 0.],
           [0., 1.]])
    """
    return hermitian_values(triangle_read(a, UPLO, "eigvalsh"))


def check_independent(v, same):
    """Raise GaugeError where equal eigenvalues have not as many eigenvectors."""
    if not occurs(off_diagonal(same)):
        return
    sizes = np.linalg.svd(memory(v), compute_uv=False)
    if (sizes[..., -1] < np.finfo(sizes.dtype).eps ** 0.5 * sizes[..., 0]).any():
        raise GaugeError(
            "`eig` met a defective matrix: equal eigenvalues that share an eigenvector, where "
            "neither has a derivative. Symmetric functions of the eigenvalues, such as traces of "
            "powers, `det` or `expm`, have one."
        )


def eigen_jvp(tangents, out):
    """ẇ = diag D and V̇ = W - V diag(VᴴW) with W = V(F∘D) and D = V⁻¹ȦV, F_ij = 1/(w_j - w_i)."""
    w, v = out
    same = coincident(w)
    check_independent(v, same)
    d = solve(v, tangents[0] @ v)
    moved = diagonal(d)
    check_classes("eig", w, moved, where(off_diagonal(same), d, 0.0), same, d, tangent=True)
    turned = v @ quotient(d, differences(w), same)
    along = sum(conj(v) * turned, -2) if is_complex(v) else sum(v * turned, -2)
    return moved, turned - v * expand_dims(along, -2)


def eigen_vjp(ct, out):
    """Ā = V⁻ᵀ(diag w̄ + F∘(VᵀW̄))Vᵀ with W̄ = V̄ - V̄* diag h, h = diag VᵀV̄, which is real."""
    w, v = out
    same = coincident(w)
    check_independent(v, same)
    values, given = (suited(c, v) for c in ct)
    h = sum(v * given, -2)
    grown = v.mT @ (given - conj(v) * expand_dims(h, -2))
    table = where(off_diagonal(same), grown, 0.0)
    if is_complex(v):
        table = table + on_diagonal(imag(h))
    check_classes("eig", w, values, table, same, v.mT @ given, phases=is_complex(v))
    inside = quotient(grown, differences(w), same) + on_diagonal(values)
    return [solve(v.mT, inside @ v.mT)]


@op(jvp=eigen_jvp, vjp=eigen_vjp, batch=as_it_is)
def eigen_system(xp, a, /, mixed=False):
    """Eigenvalues w and eigenvectors V of length 1:  ẇ = diag D,  V̇ = V(F∘D) off V, D = V⁻¹ȦV.

    F_ij = 1/(w_j - w_i).  a : (..., n, n).  Keeps: out.  Source: Boeddeker et al. (2017).
    mixed : mix the vectors of equal values, so that a loss that depends on them shows
    """
    w, v = xp.linalg.eig(a)
    if mixed:
        same = coincident.op.forward(xp, w)
        if off_diagonal(same).any():
            v = v @ reflection(xp, same, numbers(xp, w.shape[-1], v)).astype(v.dtype)
            lengths = xp.linalg.norm(v, axis=-2, keepdims=True)
            v = v / xp.where(lengths > 0, lengths, 1)
    return EigResult(w, v)


def eig(a: Any) -> EigResult:
    """Eigenvalues and eigenvectors of any square matrices, complex unless all values are real.

    Raises: GaugeError where the derivative depends on the phase of a vector, or on the choice of
    vectors of equal eigenvalues, and of a defective matrix.

    >>> a = np.array([[2.0, 1.0], [0.0, 1.0]])
    >>> ad.grad(lambda a: ad.linalg.eig(a).eigenvalues[0])(a)
    array([[1., 0.],
           [1., 0.]])
    """
    a = square(a, "eig")
    return eigen_system(a, mixed=differentiated(a))


def eigen_values_jvp(tangents, a):
    """ẇ = diag V⁻¹ȦV."""
    return eigen_jvp(tangents, eigen_system(a, mixed=True))[0]


def eigen_values_vjp(ct, a, out):
    """Ā = V⁻ᵀ diag w̄ Vᵀ."""
    v, same = eigen_system(a, mixed=True)[1], coincident(out)
    values = suited(ct, v)
    check_independent(v, same)
    check_values("eigvals", out, values, same)
    return [solve(v.mT, expand_dims(values, -1) * v.mT)]


@op(jvp=eigen_values_jvp, vjp=eigen_values_vjp, batch=as_it_is)
def eigen_values(xp, a, /):
    """Eigenvalues of any square matrix, in the order of `eig`:  ẇ = diag V⁻¹ȦV.

    a : (..., n, n).  Keeps: a, out.
    """
    return xp.linalg.eig(a)[0]


def eigvals(a: Any) -> Any:
    """Eigenvalues of any square matrices, complex unless all of them are real.

    Raises: GaugeError where eigenvalues are equal and the loss treats them differently, in forward
    mode for every direction that parts them, and where the matrix is defective.

    >>> ad.grad(lambda a: ad.linalg.eigvals(a)[0])(np.array([[2.0, 1.0], [0.0, 1.0]]))
    array([[1., 0.],
           [1., 0.]])
    """
    return eigen_values(square(a, "eigvals"))


def svd_jvp(tangents, a_shape, out, full_matrices):
    """With D = UᴴȦV, H and Z its Hermitian and skew parts: ṡ = Re diag D, P = F⁻∘H + F⁺∘Z.

    F⁻_ij = 1/(s_j - s_i), F⁺_ij = 1/(s_i + s_j), Q = F⁻∘H - F⁺∘Z; then U̇ = UP + (1 - UUᴴ)ȦV s⁻¹
    and V̇ = VQ + (1 - VVᴴ)ȦᴴU s⁻¹.
    """
    (m, n), t = a_shape[-2:], tangents[0]
    whole_u, s, vh = out
    whole_v, k = adjoint_of(vh), shape(s)[-1]
    u, v = whole_u[..., :k], whole_v[..., :k]
    moved, turned = t @ v, adjoint_of(t) @ u
    d = adjoint_of(u) @ moved
    same, none = coincident(s, n=top_of(m, n)), vanishing(s, n=top_of(m, n))
    both = expand_dims(none, -1) & expand_dims(none, -2)
    values = real(diagonal(d))
    beside_u = moved - u @ d if m > n else None
    beside_v = turned - v @ adjoint_of(d) if n > m else None
    table = where(off_diagonal(same), hermitian_part(d), 0.0)
    check_classes("svd", s, values, table, same, d, tangent=True)
    check_null(s, none, [d], [beside_u, beside_v], t)
    symmetric = quotient(hermitian_part(d), differences(s), same)
    turn = quotient(skew(d), expand_dims(s, -1) + expand_dims(s, -2), both)
    du, dv = u @ (symmetric + turn), v @ (symmetric - turn)
    row = where(expand_dims(none, -2), 1.0, expand_dims(s, -2))
    if m > n:
        du = du + where(expand_dims(none, -2), 0.0, beside_u) / row
    if n > m:
        dv = dv + where(expand_dims(none, -2), 0.0, beside_v) / row
    if full_matrices and m > n:
        du = completed(du, whole_u, k)
    if full_matrices and n > m:
        dv = completed(dv, whole_v, k)
    return du, values, adjoint_of(dv)


def top_of(m, n):
    """The larger of two lengths."""
    return sorted((m, n))[1]


def completed(du, whole, k):
    """U̇ with that of the columns beyond k: Ẇ = -U U̇ᴴW, which do not turn among themselves."""
    rest = whole[..., k:]
    return concat([du, -(whole[..., :k] @ (adjoint_of(du) @ rest))], -1)


def folded(who, ct, whole, k):
    """The cotangent of the first k columns, with what those beyond give: Ū - (W W̄ᵀU)*."""
    u, rest = whole[..., :k], whole[..., k:]
    given = ct[..., k:]
    table = skew(rest.mT @ given)
    if occurs(sizeable(table, given)):
        raise GaugeError(
            f"`{who}` completes its columns to a basis, which is free to turn, and the derivative "
            "depends on the choice. Use the projector on the added columns, or take the reduced "
            "form."
        )
    return ct[..., :k] - conj(rest @ (given.mT @ u))


def check_null(s, none, inside, beside, size):
    """Raise GaugeError where a direction, or a cotangent, acts on vectors of singular values 0.

    inside : tables of which the rows and columns of those values count
    beside : tables, or None, of which their columns count
    """
    if not occurs(none):
        return
    columns = expand_dims(none, -2)
    tables = [where(expand_dims(none, -1), table, 0.0) for table in inside]
    for table in [*tables, *[table for table in beside if table is not None]]:
        if occurs(sizeable(where(columns, table, 0.0), size)):
            refuse("zero", "svd", s)


def svd_vjp(ct, a_shape, out, full_matrices):
    """Ā = U*(diag s̄ + F⁻∘skew(M + N) + F⁺∘skew(M - N))Vᵀ with M = UᵀŪ and N = VᵀV̄, and beside.

    Beside: (1 - U*Uᵀ)Ū s⁻¹Vᵀ where A is tall, and the same of V where it is wide.
    """
    m, n = a_shape[-2:]
    whole_u, s, vh = out
    whole_v, k = adjoint_of(vh), shape(s)[-1]
    u, v = whole_u[..., :k], whole_v[..., :k]
    values, from_u, from_v = real(ct[1]), suited(ct[0], vh), adjoint_of(suited(ct[2], vh))
    if full_matrices and m > n:
        from_u = folded("svd", from_u, whole_u, k)
    if full_matrices and n > m:
        from_v = folded("svd", from_v, whole_v, k)
    left, right = u.mT @ from_u, v.mT @ from_v
    same, none = coincident(s, n=top_of(m, n)), vanishing(s, n=top_of(m, n))
    both = expand_dims(none, -1) & expand_dims(none, -2)
    plus, minus = skew(left + right), skew(left - right)
    size = concat([abs(from_u), abs(from_v)], -2)
    check_classes("svd", s, values, plus, same, size, phases=is_complex(u))
    beside_u = from_u - conj(u) @ left if m > n else None
    beside_v = from_v - conj(v) @ right if n > m else None
    top = s[..., :1]
    pulled = on_diagonal(values * where(greater(top, 0), top, 1.0))
    check_null(s, none, [minus, pulled], [beside_u, beside_v], concat([size, abs(pulled)], -2))
    inside = quotient(plus, differences(s), same) + on_diagonal(values)
    inside = inside + quotient(minus, expand_dims(s, -1) + expand_dims(s, -2), both)
    back = conj(u) @ inside @ v.mT
    row = where(expand_dims(none, -2), 1.0, expand_dims(s, -2))
    if m > n:
        back = back + (where(expand_dims(none, -2), 0.0, beside_u) / row) @ v.mT
    if n > m:
        back = back + conj(u) @ adjoint_of(where(expand_dims(none, -2), 0.0, beside_v) / row)
    return [back]


@op(jvp=svd_jvp, vjp=svd_vjp, batch=as_it_is)
def singular_system(xp, a, /, full_matrices=False, mixed=False):
    """Singular value decomposition A = U diag(s) Vᴴ, s descending:  ṡ = Re diag UᴴȦV.

    a : (..., m, n)      U : (..., m, k)      S : (..., k)      Vh : (..., k, n), k = min(m, n)
    full_matrices : U (..., m, m) and Vh (..., n, n); the columns beyond k are a basis of the rest
    mixed : mix the vectors of equal values, so that a loss that depends on them shows

    Keeps: out.  Source: Giles (2008), 3.2; Townsend (2016); Wan and Zhang (2019).
    """
    u, s, vh = xp.linalg.svd(a, full_matrices=full_matrices)
    n = sorted(a.shape[-2:])[-1]
    if not mixed:
        return SVDResult(u, s, vh)
    same, none = coincident.op.forward(xp, s, n), vanishing.op.forward(xp, s, n)
    if not (off_diagonal(same).any() or none.any()):
        return SVDResult(u, s, vh)
    u, s, vh = xp.linalg.svd(a, full_matrices=True)
    k = s.shape[-1]
    for which, mat in enumerate((u, vh)):
        size = mat.shape[-1]
        null = xp.concat([none, xp.ones((*none.shape[:-1], size - k), bool)], -1)
        null = null & (none.any(-1)[..., None])
        joint = xp.zeros((*none.shape[:-1], size, size), bool)
        joint[..., :k, :k] = same
        joint = xp.where(null[..., :, None] | null[..., None, :], False, joint)
        joint = joint | (null[..., :, None] & null[..., None, :])
        k_th = xp.where(null, numbers(xp, size, a, 0.5 + which), numbers(xp, size, a))
        turn = reflection(xp, joint, k_th).astype(mat.dtype)
        if which:
            vh = xp.conj(turn).swapaxes(-1, -2) @ vh
        else:
            u = u @ turn
    if full_matrices:
        return SVDResult(u, s, vh)
    return SVDResult(u[..., :k], s, vh[..., :k, :])


def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Singular value decomposition A = U diag(S) Vh, S descending; or S alone.

    full_matrices : complete U and Vh to square matrices
    compute_uv : False for S alone
    hermitian : take the decomposition from that of the eigenvalues of a Hermitian A

    Raises: GaugeError where the derivative depends on the choice of vectors: of phases, of complex
    ones, of vectors in a space that equal singular values share, of those for a value of 0, or of
    the columns that complete U or Vh; or where the loss treats equal values differently. Forward
    mode raises there for every direction that parts them.

    >>> ad.grad(lambda a: ad.svd(a).S[0])(np.diag([3.0, 2.0])) + 0.0
    array([[1., 0.],
           [0., 0.]])
    """
    a = matrix(a, "svd")
    if not compute_uv:
        return hermitian_singular(a)[1] if hermitian else singular_values(a)
    if hermitian:
        return SVDResult(*hermitian_singular(a))
    return singular_system(a, full_matrices=bool(full_matrices), mixed=differentiated(a))


def hermitian_singular(a: Any) -> tuple[Any, Any, Any]:
    """The singular system of a Hermitian matrix by its eigenvalues: |w| descending, signs in V."""
    w, v = eigh(a)
    order = flip(argsort(abs(w)), -1)
    w = take_along_axis(w, order, -1)
    u = take_along_axis(v, broadcast_to(expand_dims(order, -2), shape(v)), -1)
    return u, abs(w), adjoint_of(u * expand_dims(sign(w), -2))


def matrix(a: Any, who: str) -> Any:
    """`a` as an array or remembered value; ShapeError unless it has two axes or more."""
    a = known(a)
    if len(shape(a)) < 2:
        raise ShapeError(
            f"`{who}` needs matrices in the last two axes; it was given shape {shape(a)}."
        )
    return a


def singular_values_jvp(tangents, a):
    """ṡ = Re diag UᴴȦV."""
    return svd_jvp(tangents, shape(a), singular_system(a, mixed=True), False)[1]


def singular_values_vjp(ct, a, out):
    """Ā = U* diag s̄ V*ᴴ."""
    (u, _, vh), values, n = singular_system(a, mixed=True), real(ct), top_of(*shape(a)[-2:])
    check_values("svdvals", out, values, coincident(out, n=n))
    table = on_diagonal(values)
    check_null(out, vanishing(out, n=n), [table], [], table)
    return [(conj(u) * expand_dims(values, -2)) @ conj(vh)]


@op(jvp=singular_values_jvp, vjp=singular_values_vjp, batch=as_it_is)
def singular_values(xp, a, /):
    """Singular values, descending:  ṡ = Re diag UᴴȦV.

    a : (..., m, n).  Keeps: a, out.
    """
    return xp.linalg.svd(a, compute_uv=False)


def svdvals(x: Any) -> Any:
    """Singular values, descending.

    Raises: GaugeError where they are equal and the loss treats them differently, or depends on one
    that is 0, which has a kink there; in forward mode for every direction that parts or moves them.

    >>> ad.grad(lambda a: ad.linalg.svdvals(a)[0])(np.diag([2.0, 1.0])) + 0.0
    array([[1., 0.],
           [0., 0.]])
    """
    return singular_values(matrix(x, "svdvals"))


def qr_jvp(tangents, out, complete):
    """With B = QᴴȦR⁻¹ and Ω its lower triangle made skew: Ṙ = (B - Ω)R, Q̇ = (Ȧ - QṘ)R⁻¹."""
    whole, r = out
    n = shape(r)[-1]
    q, r = whole[..., :n], r[..., :n, :]
    d = over(tangents[0], r)
    b = adjoint_of(q) @ d
    low = tril(b, -1)
    turn = low - adjoint_of(low)
    if is_complex(b):
        turn = turn + imag(diagonal_matrix(b)) * 1j
    dq, dr = d - q @ (b - turn), triu(b - turn) @ r
    if not complete:
        return dq, dr
    return completed(dq, whole, n), lengthened(dr, shape(whole)[-1])


def over(x, r):
    """X R⁻¹."""
    return solve(r.mT, x.mT).mT


def lengthened(r, m):
    """R with rows of zeros, m in all."""
    *batch, k, n = shape(r)
    return concat([r, np.zeros((*batch, m - k, n), r.dtype)], -2)


def qr_vjp(ct, out, complete):
    """Ā* = (G + Q(M made Hermitian from below))R⁻ᴴ, M = R R̄ᵀ - GᴴQ, G = Q̄*  (Walter, Lehmann)."""
    whole, r = out
    n = shape(r)[-1]
    q, r = whole[..., :n], r[..., :n, :]
    given = folded("qr", ct[0], whole, n) if complete else ct[0]
    given, grown = (conj(given), conj(ct[1])) if is_complex(q) else (given, ct[1])
    m = r @ adjoint_of(grown[..., :n, :]) - adjoint_of(given) @ q
    low = tril(m, -1)
    inside = low + adjoint_of(low) + real(diagonal_matrix(m))
    back = over(given + q @ inside, adjoint_of(r))
    return [conj(back) if is_complex(q) else back]


@op(jvp=qr_jvp, vjp=qr_vjp, batch=as_it_is)
def orthogonal_factors(xp, a, /, complete=False):
    """A = Q R, Q with orthonormal columns and R an upper triangle, of a tall A of full rank.

    a : (..., m, n), m >= n.  complete : Q (..., m, m), R (..., m, n) with rows of zeros below

    Keeps: out.  Raises where the rank is less than n.  Source: Walter and Lehmann (2010).
    """
    return QRResult(*xp.linalg.qr(a, "complete" if complete else "reduced"))


def qr(a: Any, mode: str = "reduced") -> Any:
    """QR decomposition: A = Q R, Q with orthonormal columns and R an upper triangle.

    mode : "reduced", "complete" (Q square), or "r" (R alone)

    Raises: where the first min(m, n) columns are not independent; GaugeError where the derivative
    depends on how the columns turn that "complete" adds.  Source: Walter and Lehmann (2010), and
    Roberts and Roberts (2020) for wide matrices.

    >>> ad.grad(lambda a: abs(ad.linalg.qr(a).R[0, 0]))(np.array([[3.0, 0.0], [4.0, 5.0]]))
    array([[0.6, 0. ],
           [0.8, 0. ]])
    """
    a = matrix(a, "qr")
    if mode not in ("reduced", "complete", "r"):
        raise DataError(
            f"`qr` has the modes 'reduced', 'complete' and 'r'; it was given {mode!r}. The "
            "reflections of 'raw' have no derivative of use."
        )
    m, n = shape(a)[-2:]
    if n > m:
        q, r = orthogonal_factors(a[..., :m])
        r = concat([r, adjoint_of(q) @ a[..., m:]], -1)
    else:
        q, r = orthogonal_factors(a, complete=mode == "complete" and m > n)
    return r if mode == "r" else QRResult(q, r)


def pinv_jvp(tangents, a, out):
    """Ṗ = -PȦP + PPᴴȦᴴ(1 - AP) + (1 - PA)ȦᴴPᴴP  (Golub and Pereyra, 4.12)."""
    t, high, turned = tangents[0], adjoint_of(out), adjoint_of(tangents[0])
    first, second = out @ (high @ turned), (turned @ high) @ out
    return -(out @ t @ out) + first - (first @ a) @ out + second - out @ (a @ second)


def pinv_vjp(ct, a, out):
    """The transpose: Ā = -PᵀP̄Pᵀ + ((PPᴴ)ᵀP̄(1 - AP)ᵀ + (1 - PA)ᵀP̄(PᴴP)ᵀ)ᴴ."""
    p, high = out.mT, adjoint_of(out).mT
    right = ct - (ct @ p) @ a.mT
    left = ct - a.mT @ (p @ ct)
    return [adjoint_of(high @ (p @ right) + (left @ p) @ high) - p @ ct @ p]


@op(jvp=pinv_jvp, vjp=pinv_vjp, batch=as_it_is)
def pseudo_inverse(xp, a, /, rcond=None, hermitian=False):
    """Pseudo-inverse P of A:  Ṗ = -PȦP + PPᴴȦᴴ(1 - AP) + (1 - PA)ȦᴴPᴴP, at constant rank.

    Keeps: a, out.  Source: Golub and Pereyra (1973), 4.12.
    """
    return xp.linalg.pinv(a, rcond, hermitian)


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """Pseudo-inverse by singular values, of which those below rcond times the largest count as 0.

    rcond, rtol : two names of it
    hermitian : compute it from eigenvalues, of a Hermitian A

    Undefined: where the rank changes nearby, P jumps; the derivative is that at constant rank.

    >>> ad.grad(lambda a: ad.linalg.pinv(a)[0, 0])(np.diag([2.0, 4.0]))
    array([[-0.25,  0.  ],
           [ 0.  ,  0.  ]])
    """
    a = matrix(a, "pinv")
    if rcond is not None and rtol is not None:
        raise DataError("`pinv` takes rcond or rtol, which mean the same; it was given both.")
    a, cut = (hermitian_part(a) if hermitian else a), (rtol if rcond is None else rcond)
    return pseudo_inverse(a, rcond=1e-15 if cut is None else cut, hermitian=hermitian)


@predicate(batch=as_it_is)
def matrix_rank(xp, A, /, tol=None, hermitian=False, rtol=None):
    """Number of singular values above a bound: tol, or rtol times the largest.

    >>> ad.linalg.matrix_rank(np.diag([1.0, 2.0, 0.0]))
    np.int64(2)
    """
    more = {} if rtol is None else dict(rtol=rtol)
    return xp.asarray(xp.linalg.matrix_rank(A, tol, hermitian, **more))[()]


def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Any, Any, Any, Any]:
    """Least squares: the shortest x that minimises ‖A x - b‖, as (x, residuals, rank, s).

    rcond : singular values below rcond times the largest count as 0, by default max(m, n) units of
        rounding
    residuals : sums of squares, one for each column of b; none where the rank is less than n, or
        m <= n

    x is differentiated at constant rank, s as by `svdvals`.  Source: Golub and Pereyra (1973).

    >>> a, b = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([1.0, 3.0, 5.0])
    >>> np.round(ad.grad(lambda b: ad.linalg.lstsq(a, b)[0][1])(b), 12) + 0.0
    array([-0.5,  0. ,  0.5])
    """
    a, b = matrix(a, "lstsq"), known(b)
    m, n = shape(a)[-2:]
    if len(shape(a)) != 2 or len(shape(b)) not in (1, 2) or shape(b)[0] != m:
        raise ShapeError(
            "`lstsq` needs a of shape (m, n) and b of shape (m,) or (m, k); it was given "
            f"{shape(a)} and {shape(b)}."
        )
    s = svdvals(a)
    unit = np.finfo(a.dtype if a.dtype.kind in "fc" else float).eps
    cut = unit * top_of(m, n) if rcond is None else unit if rcond < 0 else rcond
    x = pinv(a, cut) @ b
    rank = sum_of(greater(s, cut * s[:1]))
    deficient = memory(rank) != n
    if m <= n or rare(np.any(deficient)):
        if m > n and not np.all(deficient):
            raise ShapeError(
                "`lstsq` returns residuals where the rank is full; inside `vmap` it is so for some "
                "examples only. Compute them from x."
            )
        return x, np.zeros(0, real(x).dtype), rank, s
    off = b - a @ x
    squares = real(off * conj(off)) if is_complex(off) else off * off
    return x, sum(squares if len(shape(b)) == 2 else expand_dims(squares, -1), 0), rank, s


@predicate(batch=in_front)
def sum_of(xp, mask, /):
    """How many are true in the last axis."""
    return mask.sum(-1)
