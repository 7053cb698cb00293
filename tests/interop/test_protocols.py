"""NumPy's own functions on Tensors: `np.f(t)` is what NumPy says, and is differentiated."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import ConversionError, DataError, NoRuleError

X = np.array([[0.3, 0.8, 0.5], [0.9, 0.2, 0.7]])
V = np.array([0.43, 0.17, 0.91])
S = np.array([[3.0, 0.5], [0.5, 2.0]])
SMALL = X < 0.6


def agrees(f, *points):
    """f, written in NumPy's names alone: the same of arrays and of Tensors; right derivatives."""
    want = f(*points)
    got = f(*map(ad.Tensor, points))
    assert isinstance(got, ad.Tensor)
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-13)
    assert got.dtype == np.asarray(want).dtype
    ad.check_grads(f, points)
    np.testing.assert_allclose(ad.vmap(f)(*[np.stack([p, p]) for p in points]), [want, want])


UNARY = [f for f in vars(np).values() if isinstance(f, np.ufunc) and f.nin == f.nout == 1]
NO_SLOPE = {"ceil", "floor", "rint", "trunc", "sign", "spacing"}
ABOVE_ONE = {"arccosh"}


@pytest.mark.parametrize("ufunc", sorted({f.__name__: f for f in UNARY}.items()))
def test_every_ufunc_of_one_array_is_known(ufunc):
    name, f = ufunc
    if "f->" not in "".join(f.types).replace("d", "f") or "f->f" not in f.types:
        pytest.skip("of real numbers it gives none")
    x = X + 1.0 if name in ABOVE_ONE else X
    if name in NO_SLOPE:
        np.testing.assert_array_equal(f(ad.Tensor(x)).detach().numpy(), f(x))
        assert not ad.grad(lambda x: f(x).sum())(x).any()
        return
    agrees(f, x)


BINARY = "add subtract multiply divide power float_power arctan2 hypot maximum minimum fmax fmin"
BINARY += " logaddexp logaddexp2 remainder fmod copysign"


@pytest.mark.parametrize("name", BINARY.split())
def test_ufuncs_of_two_arrays_take_tensors_on_either_side(name):
    f = getattr(np, name)
    agrees(f, X, V)
    agrees(lambda x: f(x, V), X)
    agrees(lambda x: f(V, x), X)
    agrees(lambda x: f(np.float64(0.65), x), X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: V + x, lambda x: V - x, lambda x: V * x, lambda x: V / x, lambda x: V**x,
        lambda x: X.T @ x.T[:, :2].T, lambda x: np.float64(2.0) * x, lambda x: np.float32(2.0) * x,
        lambda x: V % x, lambda x: np.matmul(x, V), lambda x: X @ x.T,
    ],
)  # fmt: skip
def test_arrays_and_their_numbers_stand_on_the_left(f):
    agrees(f, X)


@pytest.mark.parametrize(
    "f",
    {
        "add.reduce": lambda x: np.add.reduce(x),
        "add.reduce over all": lambda x: np.add.reduce(x, axis=None),
        "multiply.reduce": lambda x: np.multiply.reduce(x, axis=1, keepdims=True),
        "maximum.reduce": lambda x: np.maximum.reduce(x, axis=(0, 1)),
        "minimum.reduce": lambda x: np.minimum.reduce(x, initial=0.35),
        "logaddexp.reduce": lambda x: np.logaddexp.reduce(x, axis=1),
        "hypot.reduce": lambda x: np.hypot.reduce(x, axis=1, keepdims=True),
        "subtract.reduce": lambda x: np.subtract.reduce(x, axis=1),
        "add.accumulate": lambda x: np.add.accumulate(x, axis=1),
        "multiply.accumulate": lambda x: np.multiply.accumulate(x),
        "maximum.accumulate": lambda x: np.maximum.accumulate(x, axis=1),
        "hypot.accumulate": lambda x: np.hypot.accumulate(x, axis=1),
        "multiply.outer": lambda x: np.multiply.outer(x, V),
        "subtract.outer": lambda x: np.subtract.outer(V, x),
        "add.reduceat": lambda x: np.add.reduceat(x, [0, 2, 1], axis=1),
        "reduce where": lambda x: np.add.reduce(x, axis=1, where=SMALL),
        "logaddexp.reduce where": lambda x: np.logaddexp.reduce(x, 1, where=SMALL, initial=0.5),
        "dtype": lambda x: np.add(x, V, dtype=np.float32).astype(np.float64),
    }.values(),
)
def test_methods_of_ufuncs(f):
    if "float32" in str(f.__code__.co_names):
        np.testing.assert_allclose(f(ad.Tensor(X)).detach().numpy(), f(X))
    else:
        agrees(f, X)


AT = {
    "add": lambda x: np.add.at(x, [0, 0, 2], x[1:4] * 2),
    "subtract": lambda x: np.subtract.at(x, [0, 0], 3.0),
    "multiply": lambda x: np.multiply.at(x, [1, 1, 2], np.array([2.0, 3.0, 4.0])),
    "power": lambda x: np.power.at(x, slice(0, 2), 2.0),
    "negative": lambda x: np.negative.at(x, [0, 0, 1]),
    "maximum": lambda x: np.maximum.at(x, [0, 1, 0], 0.45),
}


@pytest.mark.parametrize("name", AT)
def test_at_writes_once_for_each_time_that_an_element_is_picked(name):
    def f(x):
        y = x * 1.0
        AT[name](y)
        return y

    agrees(f, np.array([0.3, 0.8, 0.5, 0.9]))


WRITING = {
    "nan_to_num": lambda x: np.nan_to_num(np.log(x, out=x), copy=False, neginf=1.0),
    "out": lambda x: np.add(x, 1.0, out=x),
    "out and where": lambda x: np.multiply(x, x, out=x, where=SMALL),
    "out of a reduction": lambda x: np.sum(x, axis=0, out=x[1]),
    "copyto": lambda x: np.copyto(x, x[::-1] * 2),
    "copyto where": lambda x: np.copyto(x, 2 * x[0], where=SMALL),
    "put": lambda x: np.put(x, [0, 4, -1], x[0, 1:3]),
    "put, clipped": lambda x: np.put(x, [99], x[0, 1], mode="clip"),
    "place": lambda x: np.place(x, SMALL, x[0, :2] * 3),
    "putmask": lambda x: np.putmask(x, SMALL, x * x),
    "fill_diagonal": lambda x: np.fill_diagonal(x, x[0, 1:]),
    "put_along_axis": lambda x: np.put_along_axis(x, np.array([[0], [2]]), x[:, 1:2] * 2, axis=1),
    "fill": lambda x: x.fill(x[0, 0]),
    "sort": lambda x: x.sort(),
    "method put": lambda x: x.put([1, 2], 5.0),
}


@pytest.mark.parametrize("name", WRITING)
def test_functions_that_write(name):
    def f(x):
        y = x * 1.0
        WRITING[name](y)
        return y

    agrees(f, X)


FUNCTIONS = {
    "sum where": lambda x: np.sum(x, axis=1, where=SMALL, initial=0.5),
    "prod where": lambda x: np.prod(x, where=SMALL),
    "mean where": lambda x: np.mean(x, axis=1, where=SMALL),
    "var where": lambda x: np.var(x, where=SMALL, ddof=1),
    "std where": lambda x: np.std(x, axis=0, where=np.array([[True], [True]]), keepdims=True),
    "max where": lambda x: np.max(x, axis=1, where=SMALL, initial=0.1),
    "keepdims": lambda x: np.sum(x, axis=-1, keepdims=True),
    "by name": lambda x: np.sum(a=x, axis=0),
    "std": lambda x: np.std(x, axis=1, ddof=1),
    "concatenate": lambda x: np.concatenate([x, X, x], axis=1),
    "stack": lambda x: np.stack([x, 2 * x], axis=-1),
    "where": lambda x: np.where(SMALL, x, x**2),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, X),
    "tensordot": lambda x: np.tensordot(x, V, axes=1),
    "dot": lambda x: np.dot(V, x.T),
    "reshape": lambda x: np.reshape(x, (3, -1)),
    "transpose": lambda x: np.transpose(x, (1, 0)),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "clip": lambda x: np.clip(x, 0.35, 0.75),
    "clip above": lambda x: np.clip(x, None, 0.75),
    "norm": lambda x: np.linalg.norm(x, axis=1),
    "cumsum": lambda x: np.cumsum(x, axis=0),
    "take": lambda x: np.take(x, [2, 0], axis=1),
    "take_along_axis": lambda x: np.take_along_axis(x, np.argsort(X, axis=1), axis=1),
    "roll": lambda x: np.roll(x, 1, axis=1),
    "trace": lambda x: np.trace(x),
    "outer": lambda x: np.outer(x, V),
    "expand_dims": lambda x: np.expand_dims(x, 0),
    "nan_to_num": lambda x: np.nan_to_num(x),
    "sort": lambda x: np.sort(x, axis=1),
    "median": lambda x: np.median(x),
    "quantile": lambda x: np.quantile(x, 0.3, axis=1),
    "pad": lambda x: np.pad(x, 1, mode="reflect"),
    "pad with": lambda x: np.pad(x, 1, constant_values=2.0),
    "var where, corrected": lambda x: np.var(x, where=SMALL, correction=1),
    "interp": lambda x: np.interp(x, V[[1, 0, 2]], V),
    "fft": lambda x: np.abs(np.fft.fft(x, axis=1)),
    "array functions of several": lambda x: np.hstack([x, X]),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda r: r * r.sum(), 1, x),
    "linspace": lambda x: np.linspace(x, 2.0, 3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_by_numpys_names(name):
    agrees(FUNCTIONS[name], X)


LINALG = {
    "solve": lambda a: np.linalg.solve(a, np.ones(2)),
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "eigvalsh": lambda a: np.linalg.eigvalsh((a + a.T) / 2),
    "eigh": lambda a: np.linalg.eigh((a + a.T) / 2).eigenvalues,
    "cholesky": lambda a: np.linalg.cholesky((a + a.T) / 2),
    "svd": lambda a: np.linalg.svd(a, compute_uv=False),
    "qr": lambda a: np.linalg.qr(a).R,
    "slogdet": lambda a: np.linalg.slogdet(a)[1],
    "matrix_power": lambda a: np.linalg.matrix_power(a, 3),
    "pinv": np.linalg.pinv,
    "lstsq": lambda a: np.linalg.lstsq(a, np.ones(2), rcond=None)[0],
}


@pytest.mark.parametrize("name", LINALG)
def test_matrices_by_numpys_names(name):
    agrees(LINALG[name], S)


HALF = np.array([[3.0, 9.0], [0.5, 2.0]])
TRIANGLES = {
    "eigh": lambda a: np.linalg.eigh(a).eigenvalues,
    "eigh, upper": lambda a: np.linalg.eigh(a / 9, UPLO="U").eigenvalues,
    "eigvalsh": np.linalg.eigvalsh,
    "cholesky": np.linalg.cholesky,
}


@pytest.mark.parametrize("name", TRIANGLES)
def test_a_matrix_of_which_numpy_reads_one_triangle(name):
    agrees(TRIANGLES[name], HALF)


SPECIAL = ["erf", "gammaln", "expit", "j0", "ndtr", "digamma", "i0", "xlogy", "gammainc", "jv"]


@pytest.mark.parametrize("name", SPECIAL)
def test_ufuncs_of_scipys_special_functions(name):
    special = pytest.importorskip("scipy.special")
    f = getattr(special, name)
    agrees({1: f, 2: lambda x: f(2.0, x)}[f.nin], X)


def test_what_does_not_move_is_a_plain_value():
    t = ad.Tensor(X)
    assert np.shape(t) == (2, 3)
    assert np.ndim(t) == 2
    assert np.allclose(t, X)
    assert np.result_type(t, np.float32) == np.float64
    assert not np.iscomplexobj(t)
    assert type(np.isnan(t)) is np.ndarray
    assert type(np.argmax(t)) is np.int64


REFUSED = {
    "a row of a plain array": lambda t: X.copy().__setitem__(0, t),
    "out, a plain array": lambda t: np.add(t, 1.0, out=np.zeros(3)),
    "in place on a plain array": lambda t: np.zeros(3).__iadd__(t),
    "copyto a plain array": lambda t: np.copyto(np.zeros(3), t),
    "add.at a plain array": lambda t: np.add.at(np.zeros(3), [0, 1, 2], t),
    "an array of Tensors": lambda t: np.array([t[0], t[1]]),
    "a whole dtype": lambda t: np.sum(t, dtype=int),
    "a ufunc of whole numbers": lambda t: np.bitwise_and(t, 1),
    "a function without a rule": lambda t: np.packbits(t),
    "a parameter that is not known": lambda t: np.add(t, 1.0, signature="dd->d"),
    "axes of a product": lambda t: np.matmul(t, t, axes=[(0,), (0,), ()]),
    "matmul in place on a plain array": lambda t: np.ones((3, 3)).__imatmul__(np.diag(t)),
    "initial of a fold": lambda t: np.hypot.reduce(t, initial=2.0),
    "where of a fold": lambda t: np.hypot.reduce(t, where=V > 0.2, out=ad.zeros(())),
    "a real dtype of complex values": lambda t: np.var(t + 1j, dtype=float),
    "where without out": lambda t: np.sin(t, where=np.array([True, False, True])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_the_derivative_is_refused(name):
    with pytest.raises((ConversionError, DataError, NoRuleError)):
        REFUSED[name](ad.Tensor(V))


def test_a_plain_value_may_go_where_a_followed_one_may_not():
    constant = ad.Tensor(V).detach()
    out = np.zeros(3)
    np.add(constant, 1.0, out=out)
    out += constant
    np.testing.assert_allclose(out, 2 * V + 1)
    assert np.unpackbits(ad.Tensor(np.ones(1)).detach().numpy().astype(np.uint8)).sum() == 1


def test_truth_values_of_a_ufunc_are_those_of_numpy():
    t = ad.Tensor(X)
    assert np.all(t < 0.6, where=SMALL)
    np.testing.assert_array_equal(np.any(t, axis=0, where=SMALL), np.any(X, axis=0, where=SMALL))
    for method in (np.logical_and.accumulate, np.logical_or.reduce):
        np.testing.assert_array_equal(method(t), method(X), strict=True)


def test_the_dtype_is_that_of_the_result():
    t = ad.Tensor(X)
    assert np.multiply(t, np.arange(3), dtype=np.float32).dtype == np.float32
    assert np.cov(t, dtype=np.float32).dtype == np.float32
    assert np.var(t + 1j, where=SMALL).dtype == np.float64


def test_a_fold_of_one_element_is_no_view():
    y = ad.Tensor(X[:1]) * 1.0
    total = np.hypot.reduce(y)
    total *= 2.0
    np.testing.assert_array_equal(y.data, X[:1])


def test_out_is_what_is_returned():
    y = ad.Tensor(V) * 1.0
    assert np.exp(y, out=y) is y


def test_every_level_meets_in_numpys_names():
    def f(x):
        return np.sum(np.sin(x) * np.exp(V * x))

    want = ad.hessian(lambda x: (ad.sin(x) * ad.exp(V * x)).sum())(V)
    np.testing.assert_allclose(ad.hessian(f)(V), want, rtol=1e-12)
    np.testing.assert_allclose(ad.jacfwd(ad.grad(f))(V), want, rtol=1e-12)
