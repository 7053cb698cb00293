"""The operators and methods of a Tensor are the functions of the same meaning."""

import operator

import numpy as np
import pytest

import adjoint as ad

x = np.array([[0.5, 1.5, -0.7], [2.5, 0.9, 1.1]])
y = np.array([1.3, 0.6, 2.2])
BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod,
    operator.floordiv,
]  # fmt: skip
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
UNARY = {
    "negative": operator.neg,
    "positive": operator.pos,
    "abs": operator.abs,
    "transpose": lambda t: t.T,
    "matrix_transpose": lambda t: t.mT,
    "real": lambda t: t.real,
    "imag": lambda t: t.imag,
    "ravel": lambda t: t.flatten(),
}
METHODS = """sum mean prod max min var std cumsum cumprod all any argmax argmin argsort exp
    log sqrt tanh
    sin cos abs clip round conj trace squeeze ravel diagonal transpose""".split()


def value(t):
    return t.detach().numpy() if isinstance(t, ad.Tensor) else t


@pytest.mark.parametrize("f", BINARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", [y, 2.0, 3, np.float64(1.5), np.array(2)], ids=repr)
def test_operators_and_their_reflections(f, other):
    base = np.array([[0.537, 1.461, 0.713], [2.593, 0.917, 1.129]])
    for got, want in [
        (f(ad.Tensor(base), other), f(base, other)),
        (f(other, ad.Tensor(base)), f(other, base)),
        (f(ad.Tensor(base), ad.Tensor(other)), f(base, other)),
    ]:
        assert isinstance(got, ad.Tensor)
        np.testing.assert_allclose(value(got), want, rtol=1e-15)
    ad.check_grads(lambda t: f(t, other), (base,), eps=1e-4, rtol=1e-6)
    ad.check_grads(lambda t: f(other, t), (base,), eps=1e-4, rtol=1e-6)


@pytest.mark.parametrize("f", BINARY[:5], ids=lambda f: f.__name__)
def test_python_complex_numbers_meet_scalars(f):
    """Python answers `1j * np.float64(2)` itself, with a number that has no dtype or shape."""
    for got in (f(1j, ad.Tensor(2.0)), f(ad.Tensor(2.0), 1j)):
        assert got.dtype == np.complex128
        assert got.shape == ()
    ad.check_grads(lambda t: f(1j, t), (2.0,))
    ad.check_grads(lambda t: f(t, 1j), (2.0,))


@pytest.mark.parametrize("f", COMPARISONS, ids=lambda f: f.__name__)
def test_comparisons_give_plain_truth_values(f):
    for got in (f(ad.Tensor(x), y), f(ad.Tensor(x), ad.Tensor(y)), f(ad.Tensor(x), 0.9)):
        assert type(got) is np.ndarray
    np.testing.assert_array_equal(f(ad.Tensor(x), y), f(x, y))
    np.testing.assert_array_equal(f(y, ad.Tensor(x)), f(y, x))


def test_matmul_operator():
    ad.check_grads(operator.matmul, (x, y))
    ad.check_grads(lambda t: x @ t, (y,))
    ad.check_grads(lambda t: t @ y, (x,))


@pytest.mark.parametrize("name", UNARY)
def test_unary_operators_and_properties(name):
    np.testing.assert_array_equal(value(UNARY[name](ad.Tensor(x))), getattr(ad, name)(x))


@pytest.mark.parametrize("name", METHODS)
def test_methods(name):
    t = np.abs(x) if name in ("log", "sqrt") else x
    np.testing.assert_array_equal(value(getattr(ad.Tensor(t), name)()), getattr(ad, name)(t))


@pytest.mark.parametrize(
    "f",
    [
        lambda t: t.reshape(3, 2),
        lambda t: t.reshape((3, -1)),
        lambda t: t.transpose(1, 0),
        lambda t: t.transpose((1, 0)),
        lambda t: t.swapaxes(0, 1),
        lambda t: t.sum(0),
        lambda t: t.sum(axis=1, keepdims=True),
        lambda t: t.mean((0, 1)),
        lambda t: t.var(0, ddof=1),
        lambda t: t.clip(0.0, 1.0),
        lambda t: t.take([0, 1], axis=1),
        lambda t: t.dot(y),
        lambda t: t.astype(np.complex128),
        lambda t: t[0, ::-1],
        lambda t: t[t > 0.8],
        lambda t: t[np.array([0, 0]), [1, 2]],
        lambda t: sum(row[0] for row in t),
        lambda t: t[1][ad.Tensor(y).argmax()] if isinstance(t, ad.Tensor) else t[1][2],
    ],
)
def test_methods_with_arguments_agree_with_numpy(f):
    def conj_free(t):
        return ad.real(f(t))

    if isinstance(f(x), (np.ndarray, np.generic)):
        np.testing.assert_allclose(value(f(ad.Tensor(x))), f(x), rtol=1e-15)
    ad.check_grads(conj_free, (x,))
