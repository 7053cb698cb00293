"""Cases of `adjoint.ops.matrix_functions`."""

import numpy as np
import scipy.linalg as sl

import adjoint as ad

from .case import Draw, case, definite, plane, regular, uniform

assert ad.linalg, "its ops enter the registry"


def over_batches(f):
    """SciPy's function of one matrix, for batches of them."""

    def call(*args, **params):
        lead = np.broadcast_shapes(*[np.shape(a)[:-2] for a in args])
        args = [np.broadcast_to(a, (*lead, *np.shape(a)[-2:])) for a in args]
        outs = [f(*[a[i] for a in args], **params) for i in np.ndindex(lead)]
        return np.reshape(outs, (*lead, *args[-1].shape[-2:])).astype(np.result_type(*args, *outs))

    return call


def stable(*shape, imaginary=False):
    """Matrices whose eigenvalues are near 2."""

    def make(rng):
        a = rng.uniform(-1, 1, shape) + (1j * rng.uniform(-1, 1, shape) if imaginary else 0)
        return a / 3 + 2 * np.eye(shape[-1])

    return Draw(make, f"{'complex ' if imaginary else ''}stable{shape}")


def isometry(a):
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return u @ vh


def over_columns(f):
    return lambda a, b, **how: np.stack([f(m, b, **how) for m in a])


def first(pair):
    return pair[0]


def first_real(pair):
    return ad.real(pair[0])


def power(a, t):
    """SciPy leaves an imaginary part of rounding errors."""
    out = sl.fractional_matrix_power(a, t)
    return out if a.dtype.kind == "c" else out.real


def logm(a):
    """SciPy warns of the errors of single precision."""
    single = a.dtype in (np.float32, np.complex64)
    out = sl.logm(a.astype(np.result_type(a, float)))
    return out.astype(np.complex64 if out.dtype.kind == "c" else np.float32) if single else out


def of_hermitian(name):
    """The solution where q and r are made Hermitian, as SciPy asks."""

    def call(a, b, q, r):
        q, r = ((x + ad.conj(x).mT) / 2 for x in (q, r))
        return getattr(ad.linalg, f"solve_{name}_are")(a, b, q, r)

    return call


def last_two(parts):
    return parts[1:]


def packed(a):
    return sl.lu_factor(a)[0]


def banded(ab, b, below, above):
    return sl.solve_banded((below, above), ab, b)


def complex_schur(a, output):
    return tuple(map(np.stack, zip(*[sl.schur(m, output) for m in a], strict=True)))


def projector(v):
    return v @ ad.conj(v).mT


def steep(shape, imaginary):
    """Matrices in which the row that is exchanged stays the same nearby."""

    def make(rng):
        a = rng.uniform(-1, 1, shape) + (1j * rng.uniform(-1, 1, shape) if imaginary else 0)
        return a + 3 * np.roll(np.eye(*shape[-2:]), 1, -2)

    return Draw(make, f"{'complex ' if imaginary else ''}steep{shape}")


def heavy(row, shape, imaginary, hermitian=False, flat=False):
    """Bands of which one is large."""

    def make(rng):
        a = rng.uniform(-1, 1, shape) + (1j * rng.uniform(-1, 1, shape) if imaginary else 0)
        a[row] = a[row] / 4 + 4
        a[row] = a[row].real if hermitian else a[row]
        return a[:, 0] if flat else a

    kind = "complex " if imaginary else ""
    return Draw(make, f"{kind}heavy{row}{shape}{'h' if hermitian else ''}")


for i in False, True:
    draw = plane if i else uniform
    for batch in (), (2,), (0,):
        case("matrix_exponential", regular(*batch, 2, 2, imaginary=i), like=sl.expm)
        case("matrix_logarithm", stable(*batch, 2, 2, imaginary=i), like=over_batches(logm))
        case("matrix_root", stable(*batch, 3, 3, imaginary=i), like=over_batches(sl.sqrtm))
        case("isometry", regular(*batch, 3, 3, imaginary=i), like=isometry)
    case(
        "frechet",
        regular(3, 3, imaginary=i),
        draw(-1, 1, (3, 3)),
        like=lambda a, e: sl.expm_frechet(a, e, compute_expm=False),
    )
    case("linalg.expm", draw(-1, 1, (3, 3)))
    case("linalg.expm", draw(-1, 1, (2, 2, 2)))
    case("linalg.expm_frechet", regular(3, 3, imaginary=i), draw(-1, 1, (3, 3)))
    case("linalg.expm_frechet", regular(2, 2, imaginary=i), draw(-1, 1, (2, 2)), compute_expm=False)
    case("linalg.logm", stable(2, 2, imaginary=i), like=logm)
    case("linalg.sqrtm", stable(3, 3, imaginary=i))
    for name in "sinm", "cosm", "tanm", "sinhm", "coshm", "tanhm":
        case(f"linalg.{name}", draw(-0.5, 0.5, (2, 2)))
    case("linalg.signm", regular(3, 3, imaginary=i))
    case("linalg.fractional_matrix_power", stable(2, 2, imaginary=i), 0.3, like=power)
    case("linalg.fractional_matrix_power", stable(3, 3, imaginary=i), 2)
    case("isometry", draw(-1, 1, (4, 2)), like=isometry)
    for shape in (3, 3), (4, 2), (2, 4):
        case("linalg.polar", draw(-1, 1, shape))
        case("linalg.polar", draw(-1, 1, shape), side="left")

    square = stable(3, 3, imaginary=i), stable(2, 2, imaginary=i)
    case(
        "sylvester",
        *square,
        draw(-1, 1, (2, 3, 2)),
        like=lambda a, b, q: np.stack([sl.solve_sylvester(a, b, k) for k in q]),
    )
    case("linalg.solve_sylvester", *square, draw(-1, 1, (3, 2)))
    case("linalg.solve_continuous_lyapunov", stable(3, 3, imaginary=i), draw(-1, 1, (3, 3)))
    for method in None, "direct", "bilinear":
        case(
            "linalg.solve_discrete_lyapunov",
            stable(3, 3, imaginary=i),
            draw(-1, 1, (3, 3)),
            method=method,
        )

    for name in "continuous", "discrete":
        given = (
            draw(-1, 1, (3, 3)),
            draw(-1, 1, (3, 2)),
            definite(3, 3, imaginary=i),
            definite(2, 2, imaginary=i),
        )
        solver = getattr(sl, f"solve_{name}_are")
        case(f"linalg.solve_{name}_are", *given, like=solver, call=of_hermitian(name))
        case(f"{name}_riccati", *given, like=solver, call=of_hermitian(name))

    for trans in 0, 1, 2:
        for lower in False, True:
            how = dict(trans=trans, lower=lower)
            case("linalg.solve_triangular", stable(3, 3, imaginary=i), draw(-1, 1, (3,)), **how)
            case(
                "linalg.solve_triangular",
                stable(3, 3, imaginary=i),
                draw(-1, 1, (3, 2)),
                unit_diagonal=True,
                **how,
            )
            case(
                "triangular",
                stable(2, 3, 3, imaginary=i),
                draw(-1, 1, (3, 2)),
                like=over_columns(sl.solve_triangular),
                **how,
            )
        case(
            "linalg.lu_solve",
            regular(3, 3, imaginary=i),
            draw(-1, 1, (3, 2)),
            call=lambda a, b, trans: ad.linalg.lu_solve(ad.linalg.lu_factor(a), b, trans),
            like=lambda a, b, trans: sl.lu_solve(sl.lu_factor(a), b, trans),
            trans=trans,
        )
    case(
        "linalg.lu_solve",
        regular(3, 3, imaginary=i),
        uniform(-1, 1, (3,)),
        call=lambda a, b: ad.linalg.lu_solve(ad.linalg.lu_factor(a), b),
        like=lambda a, b: sl.lu_solve(sl.lu_factor(a), b),
    )
    for lower in False, True:
        case("linalg.cho_factor", definite(3, 3, imaginary=i), lower=lower, via=first)
        for shape in (3,), (3, 2):
            case(
                "linalg.cho_solve",
                definite(3, 3, imaginary=i),
                draw(-1, 1, shape),
                call=lambda a, b, lower: ad.linalg.cho_solve(ad.linalg.cho_factor(a, lower), b),
                like=lambda a, b, lower: sl.cho_solve(sl.cho_factor(a, lower), b),
                lower=lower,
            )

    for shape in (3, 3), (4, 2), (2, 4):
        case("linalg.lu", steep(shape, imaginary=i))
        case("linalg.lu", steep(shape, imaginary=i), permute_l=True)
        case("linalg.lu", steep(shape, imaginary=i), p_indices=True, via=last_two)
        case("packed_lu", steep(shape, imaginary=i), like=packed)
    case("packed_lu", steep((2, 3, 3), imaginary=i), like=over_batches(packed))
    case("linalg.lu_factor", steep((3, 3), imaginary=i), via=first)

    bands = [(1, 1, (3, 4)), (0, 2, (3, 4)), (2, 1, (4, 5)), (0, 0, (1, 3)), (1, 0, (2, 3))]
    for below, above, shape in bands:
        ab = heavy(above, shape, imaginary=i)
        case("linalg.solve_banded", (below, above), ab, draw(-1, 1, shape[1:]))
        case("linalg.solve_banded", (below, above), ab, draw(-1, 1, (shape[1], 2)))
        case("banded", ab, draw(-1, 1, (shape[1], 2)), below=below, above=above, like=banded)
    for lower in False, True:
        for u, n in (0, 3), (1, 3), (2, 4):
            ab = heavy(0 if lower else u, (u + 1, n), imaginary=i, hermitian=True)
            case("linalg.solveh_banded", ab, draw(-1, 1, (n,)), lower=lower)
            case("linalg.solveh_banded", ab, draw(-1, 1, (n, 2)), lower=lower)

    case("linalg.toeplitz", draw(-1, 1, (3,)))
    case("linalg.toeplitz", draw(-1, 1, (3,)), draw(-1, 1, (4,)))
    case("linalg.circulant", draw(-1, 1, (3,)))
    case("linalg.hankel", draw(-1, 1, (3,)))
    case("linalg.hankel", draw(-1, 1, (3,)), draw(-1, 1, (2,)))
    case("linalg.companion", draw(1, 2, (4,)))
    case("linalg.companion", draw(1, 2, (2,)))
    case("linalg.block_diag", draw(-1, 1, (2, 3)), uniform(-1, 1, (1, 2)), draw(-1, 1, (2,)))
    column = heavy(0, (4, 1), imaginary=i, flat=True)
    case("linalg.solve_toeplitz", column, draw(-1, 1, (4,)))
    case("linalg.solve_circulant", column, draw(-1, 1, (4,)))
    case("linalg.matmul_toeplitz", column, draw(-1, 1, (4, 2)))
    case(
        "linalg.solve_toeplitz",
        column,
        draw(-1, 1, (4,)),
        draw(-1, 1, (4, 2)),
        call=lambda c, r, b: ad.linalg.solve_toeplitz((c, r), b),
        like=lambda c, r, b: sl.solve_toeplitz((c, r), b),
    )
    for name in "null_space", "orth":
        case(f"linalg.{name}", draw(-1, 1, (2, 4)), via=projector)
        case(f"linalg.{name}", draw(-1, 1, (4, 2)), via=projector)
    case("schur", regular(3, 3, imaginary=i), via=first_real, like=sl.schur)
    case("schur", regular(2, 3, 3), output="complex", via=first_real, like=complex_schur)
    case("hessenberg", regular(3, 3), like=sl.hessenberg)
    case("hessenberg", regular(3, 3, imaginary=i), calc_q=True, via=first_real, like=sl.hessenberg)
case("linalg.logm", np.array([[-0.2, 1.0], [-1.5, -0.3]]), like=logm)
case("linalg.expm", np.zeros((2, 2)))
case("linalg.solve_discrete_lyapunov", uniform(-0.1, 0.1, (10, 10)), uniform(-1, 1, (10, 10)))
for name, args in dict(
    pivots=[np.array([[1.0, 2.0], [3.0, 4.0]])],
    row_order=[np.array([1, 1])],
    inverse_order=[np.array([1, 2, 0])],
).items():
    case(name, *args, like=ad.OPS[name].call)
case("permutation", np.array([1, 2, 0]), like=lambda order: np.eye(3)[order])
