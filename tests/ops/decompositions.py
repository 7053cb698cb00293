"""Cases of `adjoint.ops.decompositions`."""

import numpy as np

import adjoint as ad

from .case import Draw, case, definite, plane, regular, uniform

assert ad.linalg, "its ops enter the registry"


def projectors(v):
    """What of the vectors in the columns does not depend on phases."""
    return ad.einsum("...ik,...jk->...kij", v, ad.conj(v))


def of_pairs(system):
    """Values, and what of their vectors is determined."""
    return system[0], projectors(system[1])


def power_sums(w):
    """What of eigenvalues does not depend on their order."""
    return [ad.sum(w**k, -1) for k in (1, 2, 3)]


def steps(*shape, imaginary):
    """Square matrices with eigenvalues near 0, 1, 2: those of real ones stay real."""
    shape = (*shape, shape[-1])

    def make(rng):
        a = rng.uniform(-1, 1, shape) + (1j * rng.uniform(-1, 1, shape) if imaginary else 0)
        return a / 8 + np.diag(np.arange(shape[-1]))

    return Draw(make, f"{'complex ' if imaginary else ''}steps{shape}")


for i in False, True:
    for batch in (), (2,), (0,):
        matrix = regular(*batch, 3, 3, imaginary=i)
        case("hermitian_system", matrix, via=of_pairs, like=np.linalg.eigh)
        case("hermitian_values", matrix, like=lambda a: np.linalg.eigvalsh(symmetric(a)))
        case("linalg.eigvalsh", definite(*batch, 3, 3, imaginary=i))
        spread = steps(*batch, 3, imaginary=i)
        case("eigen_system", spread, via=of_pairs, like=np.linalg.eig)
        case("linalg.eigvals", spread, via=power_sums)
        case("eigen_values", spread, via=power_sums, like=np.linalg.eigvals)
        case("singular_values", matrix, like=lambda a: np.linalg.svd(a, compute_uv=False))
    case("linalg.eigh", definite(3, 3, imaginary=i), via=of_pairs)
    case("linalg.eigh", regular(3, 3, imaginary=i), via=of_pairs, UPLO="L")
    case("linalg.eigh", regular(2, 3, 3, imaginary=i), via=of_pairs, UPLO="U")
    case("linalg.eigvalsh", regular(3, 3, imaginary=i), UPLO="L")
    case("linalg.eigvalsh", regular(3, 3, imaginary=i), UPLO="U")
    case("linalg.eig", steps(3, imaginary=i), via=of_pairs)
case("linalg.eigh", definite(3, 3))
case("linalg.eig", np.array([[3.0, 1.0, 0.2], [0.5, 2.0, -0.3], [0.1, 0.4, -1.0]]))
case("linalg.eig", np.array([[3.0, 1.0, 0.2], [0.5, 2.0, -0.3], [0.1, 0.4, -1.0]]), via=of_pairs)
case("linalg.eigvals", np.array([[3.0, 1.0], [0.5, 2.0]]))
case("hermitian_system", uniform(-1, 1, (1, 1)), via=of_pairs, like=np.linalg.eigh)


def symmetric(a):
    return (a + a.conj().swapaxes(-1, -2)) / 2


def squared(x):
    """|x|², which is smooth."""
    return ad.real(x * ad.conj(x))


def settled(usv):
    """What of a singular value decomposition does not depend on the phases of the vectors."""
    u, s, vh = usv
    k = s.shape[-1]
    joint = ad.einsum("...ik,...kj->...ikj", u[..., :k], vh[..., :k, :])
    rest = u[..., k:] @ ad.conj(u[..., k:]).mT, ad.conj(vh[..., k:, :]).mT @ vh[..., k:, :]
    return joint, s, squared(u[..., :k]), squared(vh[..., :k, :]), *rest


SHAPES = (3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (3, 1), (0, 2, 2)
for shape in SHAPES:
    for matrix in uniform(-1, 1, shape), plane(-1, 1, shape):
        case("singular_system", matrix, via=settled, like=np.linalg.svd)
        case("singular_system", matrix, via=settled, full_matrices=True, like=np.linalg.svd)
        case("svd", matrix, via=settled)
        case("linalg.svdvals", matrix)
for shape in (3, 3), (4, 2), (2, 4):
    case("svd", uniform(-1, 1, shape), full_matrices=False)
case("svd", regular(3, 3))
case("svd", uniform(-1, 1, (2, 4)), compute_uv=False)
case("svd", definite(3, 3), hermitian=True)
case("svd", definite(3, 3, imaginary=True), hermitian=True, via=settled)
case("svd", np.array([[1.0, 2.0], [2.0, -3.0]]), hermitian=True)
case("svd", np.array([[1.0, 2.0], [2.0, -3.0]]), compute_uv=False, hermitian=True)


def far(shape, imaginary):
    """Matrices of full rank, whose first columns lie where Householder's signs do not change."""

    def make(rng):
        a = rng.uniform(-1, 1, shape) + (1j * rng.uniform(-1, 1, shape) if imaginary else 0)
        return a + 3 * np.eye(*shape[-2:])

    return Draw(make, f"{'complex ' if imaginary else ''}far{shape}")


def beside(n):
    """Q and R with the columns of Q beyond n as the projector on them."""

    def via(qr):
        q, r = qr
        return q[..., :n], q[..., n:] @ ad.conj(q[..., n:]).mT, r

    return via


def complete(a, complete):
    return np.linalg.qr(a, "complete")


for shape in SHAPES:
    for matrix in uniform(-1, 1, shape), plane(-1, 1, shape):
        n = min(shape[-2:])
        matrix = far(shape, imaginary=matrix.text.startswith("complex"))
        case("linalg.qr", matrix)
        case("linalg.qr", matrix, mode="r")
        case("linalg.qr", matrix, mode="complete", via=beside(n))
        if shape[-2] >= shape[-1]:
            case("orthogonal_factors", matrix, like=np.linalg.qr)
            case("orthogonal_factors", matrix, complete=True, via=beside(n), like=complete)
        case("pseudo_inverse", matrix, like=np.linalg.pinv)
        case("linalg.pinv", matrix)
LOW = np.outer([1.0, 2.0, -1.0], [0.5, 1.0])


def constant_rank(f):
    """f of a matrix kept at the rank 1, which a step of finite differences would leave."""
    return lambda a, **given: f(a[:, :1] @ a[:1, :] / a[0, 0], **given)


for matrix in LOW, LOW + 0.5j * LOW:
    case(
        "linalg.pinv",
        matrix,
        call=constant_rank(lambda a: ad.linalg.pinv(a, 1e-8)),
        like=constant_rank(lambda a: np.linalg.pinv(a, 1e-8)),
    )
case("linalg.pinv", definite(3, 3), rtol=1e-10)
case("linalg.pinv", definite(2, 3, 3, imaginary=True), hermitian=True)


def first(solution):
    return solution[0], solution[1], solution[3]


for shape in (4, 2), (2, 4), (3, 3):
    for kind in uniform, plane:
        case("linalg.lstsq", kind(-1, 1, shape), kind(-1, 1, shape[:1]), via=first)
        case("linalg.lstsq", kind(-1, 1, shape), kind(-1, 1, (shape[0], 2)), via=first)

case("matrix_rank", regular(3, 3))
case("matrix_rank", regular(2, 3, 3), tol=2.5)
case("matrix_rank", definite(3, 3), hermitian=True)
case("matrix_rank", regular(2, 3, 3), rtol=0.5)
case("matrix_rank", uniform(-1, 1, (3,)))
for name, args in dict(
    coincident=[np.array([1.0, 1.0, 2.0])],
    vanishing=[np.array([[1.0, 0.0], [1e-30, 2.0]])],
    uneven=[
        np.array([1.0, 1.0]), np.array([1.0, 2.0]), np.zeros((2, 2)),
        np.ones((2, 2), bool), np.zeros((2, 2)),
    ],
    sizeable=[np.array([[0.0, 1.0]]), np.array([[1.0, 2.0]])],
    still=[np.array([1.0, 2.0])],
    sum_of=[np.array([True, False, True])],
).items():  # fmt: skip
    case(name, *args, like=ad.OPS[name].call)
