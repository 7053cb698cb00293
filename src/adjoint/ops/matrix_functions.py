"""Functions of matrices, matrix equations, factors for solving: what `scipy.linalg` adds to NumPy.

Sources: A. H. Al-Mohy and N. J. Higham, "Computing the Fréchet derivative of the matrix
exponential" (2009); N. J. Higham, "Functions of matrices" (2008), chapter 3: f of the matrix
[[A, E], [0, A]] holds the derivative of f along E in its corner.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..backends.namespace import scipy
from ..core.traced import Traced, shape
from ..errors import DataError, ShapeError
from .batch import aligned, as_it_is
from .decompositions import in_front, matrix, svd
from .elementwise import conj, imag, is_complex, real
from .index import take, take_along_axis
from .linalg import adjoint_of, cholesky, inv, solve
from .products import kron, matrix_power, square
from .reduce import sum
from .rules import op, predicate
from .shape import (
    broadcast_to,
    concat,
    expand_dims,
    flip,
    known,
    memory,
    reshape,
    stack,
    tril,
    triu,
)  # fmt: skip


def each(xp, f, *arrays):
    """f of one matrix at a time, in the precision of the arrays; it keeps the last shape."""
    lead = np.broadcast_shapes(*[a.shape[:-2] for a in arrays])
    spread = [xp.broadcast_to(a, (*lead, *a.shape[-2:])) for a in arrays]
    outs = [f(*[a[i] for a in spread]) for i in np.ndindex(lead)]
    kind = xp.result_type(*arrays, xp.float32)
    if any(x.dtype.kind == "c" for x in outs):
        kind = xp.result_type(kind, xp.complex64)
    return xp.asarray(outs, kind).reshape((*lead, *arrays[-1].shape[-2:]))


def block(a, e):
    """[[A, E], [0, A]]."""
    below = concat([a * 0, a], -1)
    return concat([concat([a + e * 0, e + a * 0], -1), below + concat([e, e], -1) * 0], -2)


def corner(x, n):
    """The upper right block of a matrix of four."""
    return x[..., :n, n:]


@op(
    jvp=lambda ts, a: frechet(a, ts[0]),
    vjp=lambda ct, a: [frechet(a.mT, ct)],
    batch=as_it_is,
)
def matrix_exponential(xp, a, /):
    """Exponential of a matrix: eᴬ, along E its Fréchet derivative L(A, E),  Ā = L(Aᵀ, Ȳ).

    a : (..., n, n).  Keeps: a.  Source: Al-Mohy and Higham (2009).
    """
    return scipy("linalg").expm(a)


def frechet_jvp(tangents, a, e):
    """L(A, Ė), and along Ȧ the corner of L of the blocks [[A, E], [0, A]] and [[Ȧ, 0], [0, Ȧ]]."""
    da, de = tangents
    one = None if da is None else corner(frechet(block(a, e), block(da, da * 0)), shape(a)[-1])
    two = None if de is None else frechet(a, de)
    return two if one is None else one if two is None else one + two


def frechet_vjp(ct, a, e):
    """Σ W·L⁽²⁾(A; E, Ȧ) is symmetric in all: Ā is the corner for Aᵀ, Eᵀ and the cotangent."""
    grown = corner(frechet(block(a.mT, e.mT), block(ct, ct * 0)), shape(a)[-1])
    return [grown, frechet(a.mT, ct)]


@op(jvp=frechet_jvp, vjp=frechet_vjp, batch=aligned)
def frechet(xp, a, e, /):
    """Fréchet derivative L(A, E) of the exponential: linear in E, and L(Aᵀ, ·) is its transpose.

    a, e : (..., n, n).  Keeps: a, e.  Source: Al-Mohy and Higham (2009).
    """
    push = scipy("linalg").expm_frechet
    return each(xp, lambda a, e: push(a, e, compute_expm=False), a, e)


def expm(A: Any) -> Any:
    """Exponential of square matrices: eᴬ = 1 + A + A²/2 + ...

    >>> np.round(ad.grad(lambda a: ad.linalg.expm(a)[0, 0])(np.array([[0.0, 1.0], [0.0, 0.0]])), 9)
    array([[1. , 0. ],
           [0.5, 0. ]])
    """
    return matrix_exponential(square(A, "expm"))


def expm_frechet(A: Any, E: Any, compute_expm: bool = True) -> Any:
    """The exponential of A and its Fréchet derivative along E, or that alone.

    >>> ad.linalg.expm_frechet(np.zeros((2, 2)), np.eye(2), compute_expm=False)
    array([[1., 0.],
           [0., 1.]])
    """
    A, E = square(A, "expm_frechet"), square(E, "expm_frechet")
    return (matrix_exponential(A), frechet(A, E)) if compute_expm else frechet(A, E)


def by_corner(name, call):
    """jvp and vjp of a function of matrices, `call()`, from the corner of a block of four."""

    def jvp(tangents, a):
        return corner(call()(block(a, tangents[0])), shape(a)[-1])

    def vjp(ct, a):
        return [corner(call()(block(a.mT, ct)), shape(a)[-1])]

    jvp.__doc__ = vjp.__doc__ = f"The derivative of `{name}` along a direction."
    return dict(jvp=jvp, vjp=vjp)


@op(**by_corner("logm", lambda: matrix_logarithm), batch=as_it_is)
def matrix_logarithm(xp, a, /):
    """Principal logarithm of a matrix; its derivative is a corner of that of [[A, E], [0, A]].

    a : (..., n, n).  Keeps: a.  Source: Higham (2008), 3.6.
    """
    return each(xp, in_double, a)


def in_double(a):
    """The logarithm of one matrix in double precision, without SciPy's warning of small errors."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "logm result may be inaccurate", RuntimeWarning)
        return scipy("linalg").logm(a.astype(np.result_type(a, float)))


def logm(A: Any) -> Any:
    """Principal logarithm of square matrices, complex where an eigenvalue is negative.

    Undefined: where an eigenvalue is 0 or negative.

    >>> np.round(ad.grad(lambda a: ad.linalg.logm(a)[0, 1])(np.eye(2)), 9) + 0.0
    array([[0., 1.],
           [0., 0.]])
    """
    return matrix_logarithm(square(A, "logm"))


@op(
    jvp=lambda ts, out: sylvester(out, out, ts[0]),
    vjp=lambda ct, out: [sylvester(out.mT, out.mT, ct)],
    batch=as_it_is,
)
def matrix_root(xp, a, /):
    """Principal square root of a matrix, X X = A:  X Ẋ + Ẋ X = Ȧ.

    a : (..., n, n).  Keeps: out.  Source: Higham (2008), 6.1.
    """
    return each(xp, scipy("linalg").sqrtm, a)


def sqrtm(A: Any) -> Any:
    """Principal square root of square matrices, complex where an eigenvalue is negative.

    Undefined: where A is singular; the derivative is infinite there.

    >>> ad.grad(lambda a: ad.linalg.sqrtm(a)[0, 0])(np.diag([4.0, 9.0])) + 0.0
    array([[0.25, 0.  ],
           [0.  , 0.  ]])
    """
    return matrix_root(square(A, "sqrtm"))


def turned(A: Any, who: str) -> tuple[Any, Any]:
    """exp(iA), and exp(-iA) where that is not its conjugate."""
    A = square(A, who)
    return expm(1j * A), expm(-1j * A) if is_complex(A) else None


def cosm(A: Any) -> Any:
    """Cosine of square matrices, by exponentials.

    >>> ad.linalg.cosm(np.zeros((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    plus, minus = turned(A, "cosm")
    return real(plus) if minus is None else (plus + minus) / 2


def sinm(A: Any) -> Any:
    """Sine of square matrices, by exponentials.

    >>> ad.grad(lambda a: ad.linalg.sinm(a)[0, 1])(np.zeros((2, 2))) + 0.0
    array([[0., 1.],
           [0., 0.]])
    """
    plus, minus = turned(A, "sinm")
    return imag(plus) if minus is None else (plus - minus) * -0.5j


def tanm(A: Any) -> Any:
    """Tangent of square matrices: cos(A)⁻¹ sin(A).

    >>> ad.linalg.tanm(np.zeros((1, 1)))
    array([[0.]])
    """
    return solve(cosm(A), sinm(A))


def coshm(A: Any) -> Any:
    """Hyperbolic cosine of square matrices.

    >>> ad.linalg.coshm(np.zeros((1, 1)))
    array([[1.]])
    """
    A = square(A, "coshm")
    return (expm(A) + expm(-A)) / 2


def sinhm(A: Any) -> Any:
    """Hyperbolic sine of square matrices.

    >>> ad.linalg.sinhm(np.zeros((1, 1)))
    array([[0.]])
    """
    A = square(A, "sinhm")
    return (expm(A) - expm(-A)) / 2


def tanhm(A: Any) -> Any:
    """Hyperbolic tangent of square matrices: cosh(A)⁻¹ sinh(A).

    >>> ad.linalg.tanhm(np.zeros((1, 1)))
    array([[0.]])
    """
    return solve(coshm(A), sinhm(A))


def signm(A: Any) -> Any:
    """Sign of square matrices: A (A²)^(-1/2), which squares to 1.

    Undefined: where an eigenvalue is imaginary.

    >>> ad.linalg.signm(np.diag([3.0, -2.0])) + 0.0
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    A = square(A, "signm")
    return solve(sqrtm(A @ A), A)


def fractional_matrix_power(A: Any, t: Any) -> Any:
    """Power of square matrices with any real exponent: exp(t log A); of an integer their product.

    >>> np.round(ad.linalg.fractional_matrix_power(np.diag([4.0, 9.0]), 0.5), 12) + 0.0
    array([[2., 0.],
           [0., 3.]])
    """
    if not isinstance(t, Traced) and t == int(t):
        return matrix_power(A, int(t))
    return expm(t * logm(A))


def add_up(terms: Any) -> Any:
    """The sum of a few terms, at least one."""
    total, *rest = terms
    for term in rest:
        total = total + term
    return total


def sylvester_jvp(tangents, a, b, out):
    """Ẋ solves A Ẋ + Ẋ B = Q̇ - Ȧ X - X Ḃ."""
    da, db, dq = tangents
    terms = [None if da is None else -(da @ out), None if db is None else -(out @ db), dq]
    return sylvester(a, b, add_up([term for term in terms if term is not None]))


def sylvester_vjp(ct, a, b, out):
    """With S the solution of Aᵀ S + S Bᵀ = X̄:  Q̄ = S,  Ā = -S Xᵀ,  B̄ = -Xᵀ S."""
    back = sylvester(a.mT, b.mT, ct)
    return [-(back @ out.mT), -(out.mT @ back), back]


@op(jvp=sylvester_jvp, vjp=sylvester_vjp, batch=aligned)
def sylvester(xp, a, b, q, /):
    """Solution of A X + X B = Q:  with S that for Aᵀ, Bᵀ and X̄,  Q̄ = S, Ā = -S Xᵀ, B̄ = -Xᵀ S.

    Keeps: a, b, out.  Raises where A and -B share an eigenvalue.
    """
    return each(xp, scipy("linalg").solve_sylvester, a, b, q)


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """Solution X of A X + X B = Q.

    >>> ad.linalg.solve_sylvester(np.eye(2), np.eye(2), np.ones((2, 2)))
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    a, b = square(a, "solve_sylvester"), square(b, "solve_sylvester")
    return sylvester(a, b, matrix(q, "solve_sylvester"))


def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """Solution X of A X + X Aᴴ = Q.

    >>> ad.linalg.solve_continuous_lyapunov(np.eye(2), np.eye(2))
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    a = square(a, "solve_continuous_lyapunov")
    return sylvester(a, adjoint_of(a), square(q, "solve_continuous_lyapunov"))


def solve_discrete_lyapunov(a: Any, q: Any, method: str | None = None) -> Any:
    """Solution X of A X Aᴴ - X + Q = 0.

    method : "direct", a system of n² unknowns, by default below n = 10; or "bilinear", by the
        continuous equation

    >>> ad.linalg.solve_discrete_lyapunov(np.eye(1) / 2, np.ones((1, 1)))
    array([[1.33333333]])
    """
    a, q = square(a, "solve_discrete_lyapunov"), square(q, "solve_discrete_lyapunov")
    n = shape(a)[-1]
    method = method or ("direct" if n < 10 else "bilinear")
    if method == "direct" and len(shape(a)) == len(shape(q)) == 2:
        system = np.eye(n * n, dtype=a.dtype) - kron(a, conj_of(a))
        return reshape(solve(system, reshape(q, (n * n,))), (n, n))
    if method not in ("direct", "bilinear"):
        raise DataError(
            "`solve_discrete_lyapunov` has the methods 'direct' and 'bilinear'; it was given "
            f"{method!r}."
        )
    return stein(a, q)


def stein(a, q):
    """X = A X Aᴴ + Q by the continuous equation of (Aᴴ - 1)(Aᴴ + 1)⁻¹."""
    eye, high = np.eye(shape(a)[-1], dtype=a.dtype), adjoint_of(a)
    back = inv(high + eye)
    moved = (high - eye) @ back
    return sylvester(adjoint_of(moved), moved, -2 * (inv(a + eye) @ q @ back))


def regulated(a, b, gain):
    """A - B K, the matrix of the closed loop."""
    return a - b @ gain


def continuous_jvp(tangents, a, b, r, out):
    """Hᴴ Ẋ + Ẋ H = -Φ with K = R⁻¹BᴴX, H = A - BK, Φ = Q̇ + KᴴṘK + XȦ + ȦᴴX - XḂK - KᴴḂᴴX."""
    da, db, dq, dr = tangents
    gain = solve(r, adjoint_of(b) @ out)
    moved = [None if da is None else out @ da, None if db is None else -(out @ db @ gain)]
    terms = [term + adjoint_of(term) for term in moved if term is not None]
    terms += [] if dq is None else [dq]
    terms += [] if dr is None else [adjoint_of(gain) @ dr @ gain]
    loop = regulated(a, b, gain)
    return sylvester(adjoint_of(loop), loop, -add_up(terms))


def continuous_vjp(ct, a, b, r, out):
    """With H* S + S Hᵀ = -X̄:  Q̄ = S,  R̄ = K*SKᵀ,  Ā = XᵀS + (SXᵀ)ᴴ,  B̄ = -XᵀSKᵀ - (K*SXᵀ)ᴴ."""
    gain = solve(r, adjoint_of(b) @ out)
    loop = regulated(a, b, gain)
    back = sylvester(conj_of(loop), loop.mT, -ct)
    left, right = out.mT @ back, back @ out.mT
    given_b = left @ gain.mT + adjoint_of(conj_of(gain) @ right)
    return [left + adjoint_of(right), -given_b, back, conj_of(gain) @ back @ gain.mT]


@op(jvp=continuous_jvp, vjp=continuous_vjp, batch=aligned)
def continuous_riccati(xp, a, b, q, r, /):
    """Stabilising solution of AᴴX + XA - XBR⁻¹BᴴX + Q = 0, by a Sylvester equation of its own.

    a, q : (..., n, n)      b : (..., n, k)      r : (..., k, k), q and r Hermitian

    Keeps: a, b, r, out.  Raises where there is no such solution.
    """
    solver = scipy("linalg").solve_continuous_are
    return each(xp, lambda b, r, q, a: solver(a, b, q, r), b, r, q, a)


def solve_continuous_are(a: Any, b: Any, q: Any, r: Any) -> Any:
    """Stabilising solution of the Riccati equation AᴴX + XA - XBR⁻¹BᴴX + Q = 0.

    >>> one = np.eye(1)
    >>> np.round(ad.linalg.solve_continuous_are(0 * one, one, one, one), 12)
    array([[1.]])
    """
    a, q, r = (square(m, "solve_continuous_are") for m in (a, q, r))
    return continuous_riccati(a, matrix(b, "solve_continuous_are"), q, r)


def discrete_gain(a, b, r, x):
    """K = (R + BᴴXB)⁻¹BᴴXA."""
    high = adjoint_of(b) @ x
    return solve(r + high @ b, high @ a)


def discrete_jvp(tangents, a, b, r, out):
    """Ẋ = HᴴẊH + Φ with H = A - BK, Φ = Q̇ + KᴴṘK + HᴴX(Ȧ - ḂK) + (Ȧ - ḂK)ᴴXH."""
    da, db, dq, dr = tangents
    gain = discrete_gain(a, b, r, out)
    loop = regulated(a, b, gain)
    moved = [da, None if db is None else -(db @ gain)]
    moved = [adjoint_of(loop) @ out @ term for term in moved if term is not None]
    terms = [term + adjoint_of(term) for term in moved]
    terms += [] if dq is None else [dq]
    terms += [] if dr is None else [adjoint_of(gain) @ dr @ gain]
    return stein(adjoint_of(loop), add_up(terms))


def discrete_vjp(ct, a, b, r, out):
    """With S = H*SHᵀ + X̄ and W = (HᴴX)ᵀS + (S(XH)ᵀ)ᴴ:  Q̄ = S, R̄ = K*SKᵀ, Ā = W, B̄ = -WKᵀ."""
    gain = discrete_gain(a, b, r, out)
    loop = regulated(a, b, gain)
    back = stein(conj_of(loop), ct)
    moved = out @ loop
    given = (adjoint_of(loop) @ out).mT @ back + adjoint_of(back @ moved.mT)
    return [given, -(given @ gain.mT), back, conj_of(gain) @ back @ gain.mT]


@op(jvp=discrete_jvp, vjp=discrete_vjp, batch=aligned)
def discrete_riccati(xp, a, b, q, r, /):
    """Stabilising solution of X = AᴴXA - AᴴXB(R + BᴴXB)⁻¹BᴴXA + Q, by a Lyapunov equation.

    a, q : (..., n, n)      b : (..., n, k)      r : (..., k, k), q and r Hermitian

    Keeps: a, b, r, out.  Raises where there is no such solution.
    """
    solver = scipy("linalg").solve_discrete_are
    return each(xp, lambda b, r, q, a: solver(a, b, q, r), b, r, q, a)


def solve_discrete_are(a: Any, b: Any, q: Any, r: Any) -> Any:
    """Stabilising solution of the Riccati equation X = AᴴXA - AᴴXB(R + BᴴXB)⁻¹BᴴXA + Q.

    >>> one = np.eye(1)
    >>> np.round(ad.linalg.solve_discrete_are(0 * one, one, one, one), 12)
    array([[1.]])
    """
    a, q, r = (square(m, "solve_discrete_are") for m in (a, q, r))
    return discrete_riccati(a, matrix(b, "solve_discrete_are"), q, r)


def isometry_jvp(tangents, out, a):
    """U̇ = UΩ + (1 - UUᴴ)ȦP⁻¹, with PΩ + ΩP = UᴴȦ - ȦᴴU and P = UᴴA."""
    t, high = tangents[0], adjoint_of(out)
    p = high @ a
    p = (p + adjoint_of(p)) / 2
    d = high @ t
    turn = sylvester(p, p, d - adjoint_of(d))
    moved = out @ turn
    return moved if shape(a)[-1] == shape(a)[-2] else moved + solve(p.mT, (t - out @ d).mT).mT


def isometry_vjp(ct, out, a):
    """With PᵀS + SPᵀ = UᵀŪ:  Ā = U*(S - Sᴴ) + (1 - U*Uᵀ)ŪP⁻ᵀ."""
    high = adjoint_of(out)
    p = high @ a
    p = (p + adjoint_of(p)) / 2
    grown = out.mT @ ct
    back = sylvester(p.mT, p.mT, grown)
    pulled = conj(out) @ (back - adjoint_of(back))
    if shape(a)[-1] == shape(a)[-2]:
        return [pulled]
    return [pulled + solve(p, (ct - conj(out) @ grown).mT).mT]


@op(jvp=isometry_jvp, vjp=isometry_vjp, batch=as_it_is)
def isometry(xp, a, /):
    """The U of A = U P with orthonormal columns and P positive definite, of a tall A of full rank.

    a : (..., m, n), m >= n.  Keeps: a, out.  Right where singular values are equal too: no
    difference of them is a divisor.  Source: Higham (2008), chapter 8.
    """
    u, _, vh = xp.linalg.svd(a, full_matrices=False)
    return u @ vh


def polar(a: Any, side: str = "right") -> tuple[Any, Any]:
    """Polar decomposition: A = U P, or A = P U on the left side, P positive and U an isometry.

    Undefined: where the rank is less than min(m, n).

    >>> u, p = ad.linalg.polar(np.diag([2.0, -3.0]))
    >>> u + 0.0, p + 0.0
    (array([[ 1.,  0.],
           [ 0., -1.]]), array([[2., 0.],
           [0., 3.]]))
    """
    a = matrix(a, "polar")
    if side not in ("left", "right"):
        raise DataError(f"`polar` has the sides 'left' and 'right'; it was given {side!r}.")
    tall = shape(a)[-2] >= shape(a)[-1]
    u = isometry(a) if tall else adjoint_of(isometry(adjoint_of(a)))
    p = adjoint_of(u) @ a if side == "right" else a @ adjoint_of(u)
    return u, (p + adjoint_of(p)) / 2


def triangular_jvp(tangents, a, out, trans, lower, unit_diagonal):
    """T ẋ = ḃ - Ṫ x, with T the triangle of A, transposed or not."""
    da, db = tangents
    moved = None
    if da is not None:
        t = triangle(da, lower, unit_diagonal)
        t = adjoint_of(t) if trans == 2 else t.mT if trans else t
        moved = -(t @ out)
    total = db if moved is None else moved if db is None else db + moved
    return triangular(a, total, trans=trans, lower=lower, unit_diagonal=unit_diagonal)


def triangular_vjp(ct, a, out, trans, lower, unit_diagonal):
    """b̄ = T⁻ᵀ x̄ and T̄ = -b̄ xᵀ, of which A gets its triangle."""
    how = dict(lower=lower, unit_diagonal=unit_diagonal)
    if trans == 2:
        back = conj(triangular(a, conj(ct), trans=0, **how))
        given = -conj(out @ back.mT)
    else:
        back = triangular(a, ct, trans=0 if trans else 1, **how)
        given = -(out @ back.mT) if trans else -(back @ out.mT)
    return [triangle(given, lower, unit_diagonal), back]


def triangle(a, lower, unit_diagonal):
    """The triangle that is read, without the diagonal where that is taken as 1."""
    k = int(unit_diagonal)
    return tril(a, -k) if lower else triu(a, k)


@op(jvp=triangular_jvp, vjp=triangular_vjp, batch=aligned)
def triangular(xp, a, b, /, trans=0, lower=False, unit_diagonal=False):
    """Solution of T x = b, T a triangle of A:  b̄ = T⁻ᵀ x̄,  T̄ = -b̄ xᵀ.

    a : (..., n, n)      b : (..., n, k).  Keeps: a, out.  Raises where the diagonal holds a 0.
    """
    return each(
        xp,
        lambda a, b: scipy("linalg").solve_triangular(a, b, trans, lower, unit_diagonal),
        a,
        b,
    )


TRANSPOSED = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}


def side_of(trans: Any, who: str) -> int:
    """Which system is meant: 0 for A x = b, 1 for Aᵀ x = b, 2 for Aᴴ x = b."""
    if trans not in TRANSPOSED:
        raise DataError(f"`{who}` knows trans 0, 1, 2, 'N', 'T' and 'C'; it was given {trans!r}.")
    return TRANSPOSED[trans]


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False
) -> Any:
    """Solution of T x = b, where T is the upper, or lower, triangle of a; the rest is not read.

    trans : 0 or "N" for T, 1 or "T" for Tᵀ, 2 or "C" for Tᴴ
    unit_diagonal : take the diagonal as 1

    >>> ad.linalg.solve_triangular(np.array([[2.0, 1.0], [9.0, 4.0]]), np.array([4.0, 8.0]))
    array([1., 2.])
    """
    a, b = square(a, "solve_triangular"), known(b)
    how = dict(trans=side_of(trans, "solve_triangular"), lower=lower, unit_diagonal=unit_diagonal)
    return solved_columns(lambda b: triangular(a, b, **how), b)


def solved_columns(solver: Any, b: Any) -> Any:
    """A solver of matrices, applied to a vector too."""
    return solver(expand_dims(b, -1))[..., 0] if len(shape(b)) == 1 else solver(b)


def cho_factor(a: Any, lower: bool = False) -> tuple[Any, bool]:
    """The Cholesky factor of a Hermitian A for `cho_solve`, upper or lower, and which it is.

    The other triangle holds zeros.

    >>> ad.linalg.cho_factor(np.diag([4.0, 9.0]))
    (array([[2., 0.],
           [0., 3.]]), False)
    """
    return cholesky(square(a, "cho_factor"), upper=not lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any) -> Any:
    """Solution of A x = b from the Cholesky factor of A, as `cho_factor` gives it.

    >>> ad.linalg.cho_solve(ad.linalg.cho_factor(np.diag([4.0, 9.0])), np.ones(2))
    array([0.25      , 0.11111111])
    """
    c, lower = c_and_lower
    c, first = square(c, "cho_solve"), 0 if lower else 2

    def solver(b: Any) -> Any:
        half = triangular(c, b, trans=first, lower=lower)
        return triangular(c, half, trans=2 - first, lower=lower)

    return solved_columns(solver, known(b))


def packed_jvp(tangents, a, out):
    """Of PᵀA = L U, L with 1 on its diagonal, packed as L + U - 1: L̇ and U̇ packed likewise.

    With G = L⁻¹PᵀȦU⁻¹ of the square part, L̇ = L tril(G, -1) and U̇ = triu(G) U; the rows below and
    the columns beside follow.
    """
    m, n = shape(a)[-2:]
    k = sorted((m, n))[0]
    order = row_order(pivots(a), n=m)
    t = take_along_axis(tangents[0], expand_dims(order, -1), -2)
    square_part = out[..., :k, :k]
    low, up = unit_lower(square_part), triu(square_part)
    g = triangular(square_part, t[..., :k, :k], lower=True, unit_diagonal=True)
    g = triangular(square_part, g.mT, trans=1).mT
    dlow, dup = low @ tril(g, -1), triu(g) @ up
    packed = dlow + dup
    if m > k:
        rest = t[..., k:, :] - out[..., k:, :] @ dup
        return concat([packed, triangular(square_part, rest.mT, trans=1).mT], -2)
    if n > k:
        rest = t[..., k:] - dlow @ out[..., k:]
        beside = triangular(square_part, rest, lower=True, unit_diagonal=True)
        return concat([packed, beside], -1)
    return packed


def unit_lower(packed):
    """The lower triangle with ones on the diagonal."""
    low = tril(packed, -1)
    return low + np.eye(*shape(low)[-2:], dtype=low.dtype)


@op(jvp=packed_jvp, batch=as_it_is)
def packed_lu(xp, a, /):
    """L and U of PᵀA = L U in one matrix:  L̇ = L tril(G, -1), U̇ = triu(G) U, G = L⁻¹PᵀȦU⁻¹.

    a : (..., m, n).  Keeps: a, out.  The permutation is constant.  Raises where U is singular.
    """
    return each(xp, lambda a: lu_pair(a)[0], a)


@predicate(batch=as_it_is)
def pivots(xp, a, /):
    """Row i was exchanged with row pivots[i], in turn."""
    out = xp.empty((*a.shape[:-2], sorted(a.shape[-2:])[0]), xp.int32)
    for i in np.ndindex(a.shape[:-2]):
        out[i] = lu_pair(a[i])[1]
    return out


def lu_pair(a):
    """LAPACK's LU of one matrix; singular ones pass, as their factors are finite."""
    factor, piv, _ = scipy("linalg").get_lapack_funcs(("getrf",), (a,))[0](a)
    return factor, piv


@predicate(batch=in_front)
def row_order(xp, piv, /, n=None):
    """The order of all n rows after the exchanges."""
    n = n or piv.shape[-1]
    order = xp.broadcast_to(xp.arange(n), (*piv.shape[:-1], n)).copy()
    for i in np.ndindex(piv.shape[:-1]):
        for k, other in enumerate(piv[i]):
            order[i][[k, other]] = order[i][[other, k]]
    return order


def lu(a: Any, permute_l: bool = False, p_indices: bool = False) -> tuple[Any, ...]:
    """LU decomposition with row exchanges: A = P L U, P a permutation.

    permute_l : return P L and U
    p_indices : give P as indices: A = L[p] U

    Undefined: where another row would be exchanged, P jumps.  Raises where U is singular and its
    derivative is asked for.

    >>> p, l, u = ad.linalg.lu(np.array([[1.0, 2.0], [4.0, 4.0]]))
    >>> l, u
    (array([[1.  , 0.  ],
           [0.25, 1.  ]]), array([[4., 4.],
           [0., 1.]]))
    """
    a = matrix(a, "lu")
    m, n = shape(a)[-2:]
    k = sorted((m, n))[0]
    packed = packed_lu(a)
    low, up = unit_lower(packed[..., :k]), triu(packed[..., :k, :])
    places = inverse_order(row_order(pivots(a), n=m))
    if permute_l:
        return take_along_axis(low, expand_dims(places, -1), -2), up
    return (places if p_indices else permutation(places, kind=a.dtype)), low, up


@predicate(batch=in_front)
def inverse_order(xp, order, /):
    """The order that undoes another."""
    return xp.argsort(order, -1)


@predicate(batch=in_front)
def permutation(xp, order, /, kind=float):
    """The permutation matrix whose row i has its 1 in column order[i]."""
    return xp.eye(order.shape[-1], dtype=xp.zeros((), kind).real.dtype)[order]


def lu_factor(a: Any) -> tuple[Any, Any]:
    """L and U of A in one matrix, and the row exchanges, for `lu_solve`.

    >>> ad.linalg.lu_factor(np.array([[1.0, 2.0], [4.0, 4.0]]))
    (array([[4.  , 4.  ],
           [0.25, 1.  ]]), array([1, 1], dtype=int32))
    """
    a = matrix(a, "lu_factor")
    return packed_lu(a), pivots(a)


def lu_solve(lu_and_piv: tuple[Any, Any], b: Any, trans: Any = 0) -> Any:
    """Solution of A x = b, Aᵀ x = b (trans 1) or Aᴴ x = b (trans 2) from `lu_factor(A)`.

    >>> ad.linalg.lu_solve(ad.linalg.lu_factor(np.diag([2.0, 4.0])), np.ones(2))
    array([0.5 , 0.25])
    """
    packed, piv = lu_and_piv
    packed, side = square(packed, "lu_solve"), side_of(trans, "lu_solve")
    order = row_order(piv)

    def solver(b: Any) -> Any:
        if not side:
            index = broadcast_index(order, b)
            half = triangular(packed, take_along_axis(b, index, -2), lower=True, unit_diagonal=True)
            return triangular(packed, half)
        half = triangular(packed, b, trans=side)
        half = triangular(packed, half, trans=side, lower=True, unit_diagonal=True)
        return take_along_axis(half, broadcast_index(inverse_order(order), half), -2)

    return solved_columns(solver, known(b))


def broadcast_index(order: Any, b: Any) -> Any:
    """Row numbers as `take_along_axis` wants them for the rows of b."""
    lead = np.broadcast_shapes(shape(order)[:-1], shape(b)[:-2])
    return broadcast_to(expand_dims(order, -1), (*lead, *shape(b)[-2:]))


def shifted_rows(x: Any, k: int) -> Any:
    """y[i] = x[i + k] along the last axis, 0 where there is no x."""
    n = shape(x)[-1]
    gap = x[..., : min(abs(k), n)] * 0
    if k >= 0:
        return concat([x[..., k:], gap], -1)
    return concat([gap, x[..., : n + k if n + k > 0 else 0]], -1)


def banded_product(ab: Any, x: Any, below: int, above: int) -> Any:
    """The banded matrix times the columns of x."""
    bands = [ab[..., above - k, None, :] * x.mT for k in range(above, -below - 1, -1)]
    return add_up([shifted_rows(b, above - row) for row, b in enumerate(bands)]).mT


def banded_part(left: Any, x: Any, below: int, above: int) -> Any:
    """The bands of Σ left[i] x[j] over columns, as `ab` holds them."""
    rows = [sum(shifted_rows(left.mT, -k) * x.mT, -2) for k in range(above, -below - 1, -1)]
    return stack(rows, -2)


def transposed_bands(ab: Any, below: int, above: int) -> Any:
    """The bands of the transposed matrix."""
    return stack([shifted_rows(ab[..., above - k, :], k) for k in range(-below, above + 1)], -2)


def banded_jvp(tangents, ab, out, below, above):
    """A ẋ = ḃ - Ȧ x."""
    da, db = tangents
    moved = None if da is None else -banded_product(da, out, below, above)
    total = db if moved is None else moved if db is None else db + moved
    return banded(ab, total, below=below, above=above)


def banded_vjp(ct, ab, out, below, above):
    """b̄ = A⁻ᵀ x̄ and Ā = -b̄ xᵀ, of which the bands count."""
    back = banded(transposed_bands(ab, below, above), ct, below=above, above=below)
    return [-banded_part(back, out, below, above), back]


@op(jvp=banded_jvp, vjp=banded_vjp, batch=aligned)
def banded(xp, ab, b, /, below, above):
    """Solution of A x = b, A banded:  b̄ = A⁻ᵀ x̄,  Ā = -b̄ xᵀ within the bands.

    ab : (..., below + above + 1, n), diagonal k in row above - k, by columns   b : (..., n, k)

    Keeps: ab, out.  Raises where A is singular.
    """
    solver = scipy("linalg").solve_banded
    return each(xp, lambda ab, b: solver((below, above), ab, b), ab, b)


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Any:
    """Solution of A x = b for a matrix of l diagonals below the main one and u above it.

    ab : (l + u + 1, n), the diagonals by rows from the highest, each at the columns of A

    >>> ad.linalg.solve_banded((0, 1), np.array([[0.0, 1.0], [2.0, 4.0]]), np.array([4.0, 8.0]))
    array([1., 2.])
    """
    below, above = l_and_u
    ab = matrix(ab, "solve_banded")
    if shape(ab)[0] != below + above + 1:
        raise ShapeError(
            f"`solve_banded` needs {below + above + 1} diagonals for l_and_u={l_and_u}; ab has "
            f"{shape(ab)[0]} rows."
        )
    return solved_columns(lambda b: banded(ab, b, below=below, above=above), known(b))


def solveh_banded(ab: Any, b: Any, lower: bool = False) -> Any:
    """Solution of A x = b for a Hermitian positive definite matrix of a few diagonals.

    ab : (u + 1, n), its diagonals from the highest down to the main one, each at the columns of A;
        or, where `lower`, from the main one down to the lowest

    >>> ad.linalg.solveh_banded(np.array([[0.0, 1.0], [2.0, 2.0]]), np.array([3.0, 3.0]))
    array([1., 1.])
    """
    ab = matrix(ab, "solveh_banded")
    u = shape(ab)[-2] - 1
    rows = [ab[..., k, :] for k in range(u + 1)]
    if lower:
        main, given = rows[0], [shifted_rows(rows[k], -k) for k in range(u, 0, -1)]
        above, below = [conj_of(r) for r in given], rows[1:]
    else:
        main, given = rows[u], [shifted_rows(rows[u - k], k) for k in range(1, u + 1)]
        above, below = rows[:u], [conj_of(r) for r in given]
    full = stack([*above, real_row(main), *below], -2)
    return solved_columns(lambda b: banded(full, b, below=u, above=u), known(b))


def conj_of(x: Any) -> Any:
    """The conjugate, of what has one."""
    return conj(x) if is_complex(x) else x


def real_row(x: Any) -> Any:
    """The main diagonal of a Hermitian matrix, of which the imaginary part is not read."""
    return real(x) + x * 0 if is_complex(x) else x


def toeplitz(c: Any, r: Any = None) -> Any:
    """Matrices with one number on each diagonal: the first column c, the first row r (conj(c)).

    >>> ad.linalg.toeplitz(np.array([1.0, 2.0]), np.array([9.0, 3.0]))
    array([[1., 3.],
           [2., 1.]])
    """
    c = known(c)
    r = conj_of(c) if r is None else known(r)
    m, n = shape(c)[-1], shape(r)[-1]
    row = concat([flip(c, -1), r[..., 1:]], -1)
    return take(row, np.arange(m)[::-1, None] + np.arange(n), -1)


def circulant(c: Any) -> Any:
    """Matrices whose columns are c, moved down one place each.

    >>> ad.linalg.circulant(np.array([1.0, 2.0]))
    array([[1., 2.],
           [2., 1.]])
    """
    c = known(c)
    n = shape(c)[-1]
    return take(c, (np.arange(n)[:, None] - np.arange(n)) % (n or 1), -1)


def hankel(c: Any, r: Any = None) -> Any:
    """Matrices with one number on each antidiagonal: first column c, last row r (zeros).

    >>> ad.linalg.hankel(np.array([1.0, 2.0]))
    array([[1., 2.],
           [2., 0.]])
    """
    c = known(c)
    r = c * 0 if r is None else known(r)
    m, n = shape(c)[-1], shape(r)[-1]
    return take(concat([c, r[..., 1:]], -1), np.arange(m)[:, None] + np.arange(n), -1)


def companion(a: Any) -> Any:
    """The matrix whose eigenvalues are the roots of the polynomial with coefficients a.

    >>> ad.linalg.companion(np.array([1.0, -3.0, 2.0]))
    array([[ 3., -2.],
           [ 1.,  0.]])
    """
    a = known(a)
    n = shape(a)[-1]
    if n < 2:
        raise ShapeError(f"`companion` needs two coefficients or more; it was given {n}.")
    first = expand_dims(-a[..., 1:] / a[..., :1], -2)
    below = np.eye(n - 2, n - 1, dtype=first.dtype)
    below = broadcast_to(below, (*shape(first)[:-2], n - 2, n - 1))
    return concat([first, below], -2)


def block_diag(*arrs: Any) -> Any:
    """The matrices one after another on the diagonal, zeros beside them; a vector is one row.

    >>> ad.linalg.block_diag(np.array([[1.0]]), np.array([[2.0, 3.0]]))
    array([[1., 0., 0.],
           [0., 2., 3.]])
    """
    blocks = [known(a) for a in arrs] or [np.zeros((1, 0))]
    blocks = [reshape(a, (1, -1)) if len(shape(a)) < 2 else a for a in blocks]
    kind = np.result_type(*[a.dtype for a in blocks])
    width, rows, at = 0, [], 0
    for a in blocks:
        width += shape(a)[-1]
    for a in blocks:
        *batch, m, n = shape(a)
        sides = [np.zeros((*batch, m, k), kind) for k in (at, width - at - n)]
        rows.append(concat([sides[0], a, sides[1]], -1))
        at += n
    return concat(rows, -2)


def solve_toeplitz(c_or_cr: Any, b: Any) -> Any:
    """Solution of T x = b, T the `toeplitz` matrix of a column c, or of a pair (c, r).

    The matrix is written out and solved as any other.

    >>> ad.linalg.solve_toeplitz(np.array([2.0, 1.0]), np.array([3.0, 3.0]))
    array([1., 1.])
    """
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    return solve(toeplitz(c, r), known(b))


def matmul_toeplitz(c_or_cr: Any, x: Any) -> Any:
    """The `toeplitz` matrix of a column c, or of a pair (c, r), times x.

    >>> ad.linalg.matmul_toeplitz(np.array([2.0, 1.0]), np.array([1.0, 1.0]))
    array([3., 3.])
    """
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    return toeplitz(c, r) @ known(x)


def solve_circulant(c: Any, b: Any) -> Any:
    """Solution of C x = b, C the `circulant` matrix of c, written out and solved as any other.

    >>> ad.linalg.solve_circulant(np.array([2.0, 1.0]), np.array([3.0, 3.0]))
    array([1., 1.])
    """
    return solve(circulant(c), known(b))


def null_space(A: Any, rcond: float | None = None) -> Any:
    """Orthonormal columns that A takes to 0, singular values below rcond times the largest being 0.

    Raises: GaugeError where the derivative depends on the choice of columns; that of the projector
    on them does not.

    >>> np.abs(ad.linalg.null_space(np.array([[1.0, 0.0]])))
    array([[0.],
           [1.]])
    """
    A = matrix(A, "null_space")
    _, s, vh = svd(A)
    return adjoint_of(vh[..., rank_of(s, A, rcond) :, :])


def orth(A: Any, rcond: float | None = None) -> Any:
    """Orthonormal columns that span those of A, as `null_space` counts its rank.

    Raises: GaugeError where the derivative depends on the choice of columns; that of the projector
    on them does not.

    >>> np.abs(ad.linalg.orth(np.array([[1.0, 2.0], [0.0, 0.0]])))
    array([[1.],
           [0.]])
    """
    A = matrix(A, "orth")
    u, s, _ = svd(A, full_matrices=False)
    return u[..., : rank_of(s, A, rcond)]


def rank_of(s: Any, a: Any, rcond: float | None) -> int:
    """How many singular values are not 0: the shape of a result, so one number for a batch."""
    raw = np.asarray(memory(s))
    cut = np.finfo(raw.dtype).eps * sorted(shape(a)[-2:])[1] if rcond is None else rcond
    ranks = np.unique((raw > cut * raw.max(-1, keepdims=True, initial=0.0)).sum(-1))
    if len(ranks) > 1:
        raise ShapeError(
            f"the matrices of a batch must have one rank, for it is a length; these have {ranks}."
        )
    return int(ranks[0]) if len(ranks) else shape(s)[-1]


@op(batch=as_it_is)
def schur(xp, a, /, output="real"):
    """Schur decomposition A = Z T Zᴴ, T triangular, or with blocks of two; it has no derivative.

    a : (..., n, n).  output : "real" or "complex"

    >>> ad.linalg.schur(np.diag([1.0, 2.0]))[0]
    array([[1., 0.],
           [0., 2.]])
    """
    t, z = pairwise(xp, lambda a: scipy("linalg").schur(a, output), a)
    return t, z


@op(batch=as_it_is)
def hessenberg(xp, a, /, calc_q=False):
    """Hessenberg form H = Qᴴ A Q, with zeros below the first subdiagonal; it has no derivative.

    a : (..., n, n).  calc_q : give Q too

    >>> ad.linalg.hessenberg(np.diag([1.0, 2.0]))
    array([[1., 0.],
           [0., 2.]])
    """
    h, q = pairwise(xp, lambda a: scipy("linalg").hessenberg(a, True), a)
    return (h, q) if calc_q else h


def pairwise(xp, f, a):
    """Both results of f, which takes one matrix at a time."""
    pairs = [f(a[i]) for i in np.ndindex(a.shape[:-2])]
    kind = pairs[0][0].dtype if pairs else a.dtype
    return (xp.asarray([p[k] for p in pairs], kind).reshape(a.shape) for k in (0, 1))
