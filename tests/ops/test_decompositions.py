"""Where values are repeated, vanish or leave a choice: the right derivative, or an error."""

import numpy as np
import pytest
import scipy.linalg as sl

import adjoint as ad
from adjoint.testing import numeric_jvp

linalg = ad.linalg
GaugeError = ad.errors.GaugeError
ROTATION = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
UNITARY = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3, 2)) @ [1, 1j])[0]
REPEATED = [
    np.eye(3),
    np.diag([1.0, 1.0, 2.0]),
    np.diag([2.0, 1.0, 2.0]),
    ROTATION @ np.diag([1.0, 1.0, 2.0]) @ ROTATION.T,
    ROTATION @ np.diag([-3.0, 5.0, 5.0]) @ ROTATION.T,
    np.zeros((3, 3)),
]
COMPLEX = [UNITARY @ np.diag([1.0, 2.0, 2.0]) @ UNITARY.conj().T, np.eye(3) + 0j]
WEIGHTS = np.random.default_rng(5).normal(size=(3, 3))
every = pytest.mark.parametrize("a", [*REPEATED, *COMPLEX], ids=range(8))


def directions(a, symmetric=True):
    """Directions, Hermitian or any, that do not respect what is repeated."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        t = rng.normal(size=a.shape)
        t = t + 1j * rng.normal(size=a.shape) if a.dtype.kind == "c" else t
        yield (t + t.conj().T) / 2 if symmetric else t


def slopes_agree(f, a, symmetric=True, rtol=1e-6):
    """The gradient of a real f against finite differences."""
    slope = ad.grad(f)(a)
    for t in directions(a, symmetric):
        want = numeric_jvp(f, (a,), (t,))
        np.testing.assert_allclose(np.sum(slope * t).real, want, rtol=rtol, atol=1e-7)


def weighted(m):
    return ad.real(ad.sum(WEIGHTS * m))


@every
@pytest.mark.parametrize(
    "f",
    [
        lambda w: ad.sum(w**3),
        lambda w: ad.sum(ad.exp(w)) + ad.prod(w),
        lambda w: ad.logsumexp(w),
        lambda w: ad.sum(ad.expand_dims(w, 0) * ad.expand_dims(w, 1) ** 2),
    ],
)
@pytest.mark.parametrize("of", ["eigvalsh", "eigh"])
def test_symmetric_functions_of_repeated_eigenvalues(f, a, of):
    values = linalg.eigvalsh if of == "eigvalsh" else lambda a: linalg.eigh(a)[0]
    slopes_agree(lambda a: f(values(a)), a)


@every
@pytest.mark.parametrize("values", [linalg.eigvalsh, lambda a: linalg.eigh(a)[0]])
def test_second_derivatives_of_functions_of_repeated_eigenvalues_are_refused(values, a):
    def f(a):
        return ad.sum(values(a) ** 2) + ad.sum(values(a) ** 3)

    t = next(directions(a))
    for again in (
        lambda: ad.grad(lambda a: ad.real(ad.sum(ad.grad(f)(a) * t)))(a),
        lambda: ad.jvp(ad.grad(f), (a,), (t,)),
        lambda: ad.jvp(lambda a: ad.jvp(f, (a,), (t,))[1], (a,), (t,)),
        lambda: ad.grad(lambda a: ad.jvp(f, (a,), (t,))[1])(a),
    ):
        with pytest.raises(GaugeError):
            again()


@pytest.mark.parametrize(
    ("a", "which"),
    [(REPEATED[1], [0, 1]), (REPEATED[3], [2]), (REPEATED[4], [1, 2]), (COMPLEX[0], [1, 2])],
)
def test_projector_on_all_vectors_of_a_repeated_eigenvalue(a, which):
    def f(a):
        v = linalg.eigh(a).eigenvectors[:, which]
        return weighted(v @ ad.conj(v).mT)

    slopes_agree(f, a)


@pytest.mark.parametrize("a", [REPEATED[3], COMPLEX[0]], ids=["real", "complex"])
def test_second_derivatives_of_a_projector_are_right_or_refused(a):
    def f(a):
        v = linalg.eigh(a).eigenvectors
        v = v[:, :2] if a.dtype.kind == "f" else v[:, 1:]
        return weighted(v @ ad.conj(v).mT)

    one, two = (t for t, _ in zip(directions(a), "ab", strict=False))

    def along(a):
        return ad.real(ad.sum(ad.grad(f)(a) * one))

    try:
        got = ad.grad(along)(a)
    except GaugeError:
        return
    np.testing.assert_allclose(np.sum(got * two).real, numeric_jvp(along, (a,), (two,)), rtol=1e-5)


@every
@pytest.mark.parametrize(
    "f",
    [
        lambda a: weighted(linalg.eigh(a).eigenvectors),
        lambda a: ad.real(ad.sum(linalg.eigh(a).eigenvectors[:, 1] * [1, 2, 3])) ** 2,
        lambda a: linalg.eigh(a).eigenvalues[1],
        lambda a: linalg.eigvalsh(a)[1],
        lambda a: weighted(reassembled(linalg.eigh(a))),
        lambda a: ad.real(ad.sum(reassembled(linalg.eigh(a)))),
    ],
)
def test_eigh_raises_where_the_choice_of_vectors_matters(f, a):
    """And where it would matter nearby, so that one gradient at this choice is not enough."""
    with pytest.raises(GaugeError, match=r"coincide|equal to rounding|phase"):
        ad.grad(f)(a)
    with pytest.raises(GaugeError):
        ad.jvp(f, (a,), (next(directions(a)),))


def reassembled(system):
    w, v = system
    return (v * ad.expand_dims(w, -2)) @ ad.conj(v).mT


@every
def test_a_matrix_function_by_its_own_name_is_right_everywhere(a):
    for f in (
        linalg.expm,
        lambda a: linalg.matrix_power(a, 3),
        lambda a: linalg.sqrtm(a @ a + 2 * np.eye(3)),
        lambda a: linalg.logm(a @ a + 2 * np.eye(3)),
        lambda a: linalg.polar(a @ a + 2 * np.eye(3))[1],
        lambda a: linalg.polar(linalg.expm(a))[0],
    ):
        ad.check_grads(f, (a,), rtol=1e-5)


def test_eigenvectors_pass_forward_where_the_direction_keeps_equal_values_equal():
    a = np.diag([1.0, 1.0, 2.0])
    t = np.diag([3.0, 3.0, 1.0])
    t[0, 2] = t[2, 0] = 0.5
    _, (w, v) = ad.jvp(linalg.eigh, (a,), (t,))
    np.testing.assert_allclose(w, [3, 3, 1])
    np.testing.assert_allclose(np.abs(v[2, :2]) ** 2, [np.abs(x) ** 2 for x in v[2, :2]])
    with pytest.raises(GaugeError, match="number 0 and 1, both 1"):
        ad.jvp(linalg.eigh, (a,), (np.diag([1.0, 2.0, 3.0]),))


def test_phases():
    a = COMPLEX[0] + np.diag([0.0, 0.5, 1.5])
    with pytest.raises(GaugeError, match="phase"):
        ad.grad(lambda a: ad.imag(linalg.eigh(a)[1][1, 0]))(a)
    with pytest.raises(GaugeError, match="phase"):
        ad.grad(lambda a: ad.imag(linalg.svd(a)[0][1, 0]))(a)
    b = np.random.default_rng(0).normal(size=(3, 3))
    with pytest.raises(GaugeError, match="phase"):
        ad.grad(lambda a: ad.sum(ad.real(linalg.eig(a)[1]) * WEIGHTS))(b + 1j * b.T)
    slopes_agree(lambda a: weighted(ad.abs(linalg.eigh(a)[1]) ** 2), a)


def test_the_spectral_norm_has_a_kink_where_the_largest_are_equal():
    for a, largest, smallest in (
        (np.eye(2), np.eye(2) / 2, np.eye(2) / 2),
        (np.diag([3.0, -3.0, 1.0]), np.diag([0.5, -0.5, 0]), np.diag([0.0, 0, 1])),
        (np.diag([2.0, 0.0]), np.diag([1.0, 0]), np.zeros((2, 2))),
    ):
        for order, want in (2, largest), (-2, smallest):
            got = ad.grad(lambda a, order=order: ad.norm(a, order))(a)
            np.testing.assert_allclose(got, want, atol=1e-15)
            assert ad.norm(a, order) == pytest.approx(np.linalg.norm(a, order), abs=1e-15)


SINGULAR = [
    np.eye(3),
    np.diag([1.0, -1.0, 2.0]),
    ROTATION @ np.diag([1.0, 1.0, 2.0]),
    np.eye(4, 3) * [2.0, 2.0, 3.0],
    np.eye(2, 4),
    UNITARY @ np.diag([3.0, 3.0, 1.0]) @ UNITARY.T,
]


@pytest.mark.parametrize("a", SINGULAR, ids=range(6))
def test_functions_of_repeated_singular_values(a):
    for f in (
        lambda a: ad.norm(a, "nuc"),
        lambda a: ad.sum(linalg.svdvals(a) ** 3),
        lambda a: ad.sum(linalg.svd(a, full_matrices=False)[1]),
        lambda a: ad.sum(ad.log(linalg.svd(a)[1])),
    ):
        slopes_agree(f, a, symmetric=False)


@pytest.mark.parametrize("a", SINGULAR, ids=range(6))
def test_polar_factor_by_singular_vectors(a):
    def f(a):
        u, _, vh = linalg.svd(a, full_matrices=False)
        return ad.real(ad.sum(np.arange(a.size).reshape(a.shape) ** 0.5 * (u @ vh)))

    slopes_agree(f, a, symmetric=False)


@pytest.mark.parametrize("a", SINGULAR, ids=range(6))
def test_svd_raises_where_the_choice_of_vectors_matters(a):
    for f in (
        lambda a: ad.sum(ad.real(linalg.svd(a)[0]) * np.arange(a.shape[0])),
        lambda a: linalg.svd(a)[1] @ np.arange(min(a.shape)),
        lambda a: linalg.svdvals(a) @ np.arange(min(a.shape)),
        lambda a: ad.sum(ad.real(product(linalg.svd(a, full_matrices=False)))),
    ):
        with pytest.raises(GaugeError):
            ad.grad(f)(a)
        with pytest.raises(GaugeError):
            ad.jvp(f, (a,), (next(directions(a, symmetric=False)),))


def product(usv):
    u, s, vh = usv
    return (u * ad.expand_dims(s, -2)) @ vh


LOW = [
    np.outer([1.0, 2.0, -1.0], [0.5, 1.0, 0.2]),
    np.outer([1.0, 2.0, -1.0, 0.3], [0.5, 1.0]),
    np.outer([1.0, 2.0], [0.5, 1.0, 0.2]) + 0j,
    np.diag([2.0, 1.0, 0.0]),
    np.zeros((3, 2)),
]


@pytest.mark.parametrize("a", LOW, ids=range(5))
def test_singular_values_of_zero(a):
    """Smooth in the others; the nuclear norm has a kink there, whose slope is U₁V₁ᴴ."""
    rank = int(linalg.matrix_rank(a))
    u, _, vh = np.linalg.svd(a)
    np.testing.assert_allclose(
        ad.grad(lambda a: ad.norm(a, "nuc"))(a),
        np.conj(u[:, :rank]) @ np.conj(vh[:rank]),
        atol=1e-14,
    )
    slopes_agree(lambda a: ad.sum(linalg.svdvals(a) ** 2), a, symmetric=False)
    for f in (
        lambda a: ad.sum(linalg.svd(a)[1]),
        lambda a: ad.sum(ad.real(product(linalg.svd(a, full_matrices=False)))),
        lambda a: ad.sum(linalg.svdvals(a)),
    ):
        with pytest.raises(GaugeError, match=r"singular value of 0|equal to rounding"):
            ad.grad(f)(a)
        with pytest.raises(GaugeError):
            ad.jvp(f, (a,), (next(directions(a, symmetric=False)),))


@pytest.mark.parametrize("a", [LOW[0], LOW[1], LOW[2]], ids=range(3))
def test_truncated_svd_of_low_rank(a):
    def f(a):
        u, s, vh = linalg.svd(a, full_matrices=False)
        return ad.real(ad.sum(((u[:, :1] * s[:1]) @ vh[:1]) ** 2 * np.arange(a.shape[1])))

    slopes_agree(f, a, symmetric=False)


def test_null_space_of_low_rank():
    a = LOW[0]

    def f(a):
        n = linalg.null_space(a[:, :1] @ a[:1, :] / a[0, 0], rcond=1e-9)
        return ad.sum(n @ n.mT * WEIGHTS)

    slopes_agree(f, a, symmetric=False)


def test_completed_columns():
    a = np.random.default_rng(0).normal(size=(4, 2))
    for whole in lambda a: linalg.svd(a)[0], lambda a: linalg.qr(a, "complete")[0]:
        with pytest.raises(GaugeError, match="completes"):
            ad.grad(lambda a, whole=whole: whole(a)[0, 3])(a)
    with pytest.raises(GaugeError, match="completes"):
        ad.grad(lambda a: linalg.svd(a)[2][3, 0])(a.T)


def test_eig_of_repeated_values():
    """Right for symmetric functions; a defective matrix has no derivative of any one value."""
    for a in np.eye(3), np.diag([1.0, 1.0, 2.0]) + np.array([[0, 0, 1], [0, 0, 2], [0, 0, 0.0]]):
        slopes_agree(lambda a: ad.real(ad.sum(linalg.eigvals(a) ** 2)), a, symmetric=False)
        slopes_agree(lambda a: ad.real(ad.sum(linalg.eig(a)[0] ** 2)), a, symmetric=False)
        for f in (
            lambda a: ad.real(linalg.eig(a)[0][0]),
            lambda a: ad.real(ad.sum(linalg.eig(a)[1] * WEIGHTS)),
        ):
            with pytest.raises(GaugeError, match="equal to rounding"):
                ad.grad(f)(a)
    jordan = np.array([[1.0, 1.0], [0.0, 1.0]])
    for f in linalg.eigvals, lambda a: linalg.eig(a)[0]:
        with pytest.raises(GaugeError, match="defective"):
            ad.grad(lambda a, f=f: ad.real(f(a)[0]))(jordan)
        with pytest.raises(GaugeError, match="defective"):
            ad.jvp(f, (jordan,), (np.eye(2),))


def test_complex_results_of_real_matrices():
    """Whether they are complex depends on values, as in NumPy."""
    a = np.array([[1.0, -2.0, 0.3], [2.0, 1.0, 0.1], [0.4, -0.2, 3.0]])
    for b in a, a + 1j * a.T, np.stack([a, a.T]):
        np.testing.assert_array_equal(linalg.eigvals(b), np.linalg.eig(b)[0])

    def projectors(a):
        w, v = linalg.eig(a)
        return w, ad.einsum("ik,jk->kij", v, ad.conj(v))

    ad.check_grads(linalg.eigvals, (a,))
    ad.check_grads(projectors, (a,))
    both = np.stack([a, np.diag([1.0, 2.0, 3.0])])
    assert ad.vmap(linalg.eigvals)(both).dtype == complex
    ad.check_grads(linalg.sqrtm, (np.array([[-1.0, 0.2], [0.1, 2.0]]),))
    ad.check_grads(linalg.logm, (np.diag([1 - 2j, 2 + 1j]),))


def test_mapped_over_matrices_of_which_one_has_equal_values():
    both = np.stack([np.diag([1.0, 2.0]), np.eye(2)])
    slopes = ad.vmap(ad.grad(lambda a: ad.sum(linalg.eigvalsh(a) ** 2)))(both)
    np.testing.assert_allclose(slopes, 2 * both, atol=1e-14)
    with pytest.raises(GaugeError, match="both 1"):
        ad.vmap(ad.grad(lambda a: linalg.eigh(a)[0][0]))(both)
    with pytest.raises(GaugeError, match="both 1"):
        ad.jacobian(linalg.eigvalsh)(np.eye(2))


def test_values_do_not_change_without_derivatives():
    for a in REPEATED:
        for ours, theirs in ((linalg.eigh, np.linalg.eigh), (linalg.svd, np.linalg.svd)):
            for x, y in zip(ours(a), theirs(a), strict=True):
                np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("a", [*REPEATED, *COMPLEX], ids=range(8))
def test_mixed_vectors_are_as_good(a):
    """Under differentiation, vectors of equal values are others, and decompose the same matrix."""
    w, v = (x.detach().numpy() for x in linalg.eigh(ad.Tensor(a)))
    np.testing.assert_allclose(v @ np.diag(w) @ v.conj().T, a, atol=1e-14)
    np.testing.assert_allclose(v.conj().T @ v, np.eye(3), atol=1e-14)
    for b in (a, a[:, :2], a[:2]):
        for full in False, True:
            u, s, vh = (x.detach().numpy() for x in linalg.svd(ad.Tensor(b), full))
            k = len(s)
            np.testing.assert_allclose(u[:, :k] * s @ vh[:k], b, atol=1e-14)
            np.testing.assert_allclose(u.conj().T @ u, np.eye(u.shape[1]), atol=1e-14)
            np.testing.assert_allclose(vh @ vh.conj().T, np.eye(len(vh)), atol=1e-14)


DETERMINANTS = [
    np.array([[1.0, 2.0], [2.0, 4.0]]),
    np.diag([2.0, 3.0, 0.0]),
    np.diag([2.0, 0.0, 0.0]),
    np.zeros((3, 3)),
    np.zeros((2, 2)),
    np.zeros((1, 1)),
    np.outer([1.0, 2.0, 3.0, 4.0], [1.0, -1.0, 2.0, 0.5]) + np.diag([1.0, 0.0, 0.0, 0.0]),
    np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]) + np.diag([1.0, 0.0, 0.0]) * (1 + 2j),
    np.diag([1e-200, 1e-200]),
    np.array([[1.0, 2.0], [2.0, 4.0 + 1e-15]]),
]


def minors(a):
    """The cofactors as determinants of what is left."""
    n = len(a)
    table = np.ones((n, n), a.dtype)
    for i, j in np.ndindex(n, n):
        rest = np.delete(np.delete(a, i, 0), j, 1)
        table[i, j] = (-1) ** (i + j) * (np.linalg.det(rest) if n > 1 else 1)
    return table


@pytest.mark.parametrize("a", DETERMINANTS, ids=range(10))
def test_determinants_of_singular_matrices(a):
    slope = ad.grad(lambda a: ad.real(linalg.det(a)))(a)
    np.testing.assert_allclose(slope, minors(a), rtol=1e-12, atol=1e-13)
    if np.abs(a).max() != 1e-200:
        ad.check_grads(linalg.det, (a,), rtol=1e-5, atol=1e-5)


def test_third_derivatives_of_determinants():
    a = np.array([[1.0, 2.0, 0.5], [0.3, -1.0, 1.0], [2.0, 0.4, 1.5]])
    ad.check_grads(linalg.det, (a,), order=3, rtol=1e-4)
    ad.check_grads(linalg.det, (np.eye(3),), order=3, rtol=1e-4)

    def thrice(f, a):
        for _ in range(3):
            f = (lambda g: lambda a: ad.sum(ad.grad(g)(a) * np.eye(3)))(f)
        return f(a)

    assert thrice(linalg.det, np.eye(3)) == pytest.approx(6)
    with pytest.raises(np.linalg.LinAlgError):
        thrice(linalg.det, np.zeros((3, 3)))


def test_lstsq_is_as_numpy_says():
    rng = np.random.default_rng(0)
    for a, b in (
        (rng.normal(size=(4, 2)), rng.normal(size=4)),
        (rng.normal(size=(4, 2)), rng.normal(size=(4, 3))),
        (rng.normal(size=(2, 4)), rng.normal(size=2)),
        (LOW[0], rng.normal(size=(3, 2))),
        (rng.normal(size=(4, 2)).astype(np.float32), rng.normal(size=4).astype(np.float32)),
    ):
        for rcond in None, -1, 0.5:
            got, want = linalg.lstsq(a, b, rcond), np.linalg.lstsq(a, b, rcond)
            for g, w in zip(got, want, strict=True):
                assert np.shape(g) == np.shape(w) and g.dtype.kind == np.asarray(w).dtype.kind
                if not (rcond == -1 and a is LOW[0]):
                    np.testing.assert_allclose(g, w, rtol=1e-4 if g.dtype == "f4" else 1e-10)
    mixed = np.stack([np.outer([1.0, 2.0, 3.0], [1.0, 2.0]), rng.normal(size=(3, 2))])
    with pytest.raises(ad.errors.ShapeError, match="inside `vmap`"):
        ad.vmap(lambda a: linalg.lstsq(a, np.ones(3))[0])(mixed)


def test_schur_and_hessenberg_have_values():
    a = np.random.default_rng(0).normal(size=(3, 3))
    for got, want in (
        (linalg.schur(a), sl.schur(a)),
        (linalg.schur(a, "complex"), sl.schur(a, "complex")),
        (linalg.hessenberg(a, calc_q=True), sl.hessenberg(a, calc_q=True)),
    ):
        for g, w in zip(got, want, strict=True):
            np.testing.assert_allclose(g, w, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: linalg.eigh(np.ones((2, 3))), ad.errors.ShapeError, "square"),
        (lambda: linalg.svd(np.ones(3)), ad.errors.ShapeError, "last two axes"),
        (lambda: linalg.eigh(np.eye(2), UPLO="X"), ad.errors.DataError, "triangles"),
        (lambda: linalg.qr(np.eye(2), "raw"), ad.errors.DataError, "raw"),
        (lambda: linalg.pinv(np.eye(2), 1e-8, rtol=1e-8), ad.errors.DataError, "both"),
        (lambda: linalg.lstsq(np.eye(2), np.ones(3)), ad.errors.ShapeError, "lstsq"),
        (lambda: linalg.polar(np.eye(2), "top"), ad.errors.DataError, "sides"),
        (lambda: linalg.solve_triangular(np.eye(2), np.ones(2), 3), ad.errors.DataError, "trans"),
        (
            lambda: linalg.solve_banded((1, 1), np.ones((2, 3)), np.ones(3)),
            ad.errors.ShapeError,
            "3 diagonals",
        ),
        (
            lambda: linalg.solve_discrete_lyapunov(np.eye(2), np.eye(2), "other"),
            ad.errors.DataError,
            "methods",
        ),
        (lambda: linalg.companion(np.ones(1)), ad.errors.ShapeError, "coefficients"),
        (lambda: linalg.multi_dot([np.eye(2)]), ad.errors.ShapeError, "two arrays"),
        (lambda: linalg.tensorinv(np.ones((2, 3))), ad.errors.ShapeError, "tensorinv"),
        (
            lambda: linalg.tensorsolve(np.ones((2, 3)), np.ones(2)),
            ad.errors.ShapeError,
            "equations",
        ),
        (lambda: linalg.matrix_power(np.ones((2, 3)), 2), ad.errors.ShapeError, "square"),
        (lambda: ad.cross(np.ones(2), np.ones(2)), ad.errors.ShapeError, "three"),
        (
            lambda: linalg.null_space(np.stack([np.eye(2), np.diag([1.0, 0.0])])),
            ad.errors.ShapeError,
            "one rank",
        ),
    ],
)
def test_refusals(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_one_triangle_is_read_and_differentiated_where_it_is_named():
    a = np.array([[2.0, 9.0], [1.0, 3.0]])
    np.testing.assert_allclose(linalg.eigvalsh(a, "L"), np.linalg.eigvalsh(a, "L"))
    np.testing.assert_allclose(linalg.eigvalsh(a, "u"), np.linalg.eigvalsh(a, "U"))
    slope = ad.grad(lambda a: linalg.eigvalsh(a, "L")[0])(a)
    assert slope[0, 1] == 0 and slope[1, 0] != 0


def test_condition_of_a_singular_matrix():
    a = np.diag([1.0, 0.0])
    assert linalg.cond(a) == np.inf and linalg.cond(a, -2) == 0
    assert not ad.grad(linalg.cond)(a).any()
