"""Jacobians, Hessians and their kin: against analysis, finite differences and one another."""

import operator
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
import pytest

import adjoint as ad
from adjoint.core.tree import flatten
from adjoint.errors import (
    BatchError,
    CotangentError,
    DataError,
    NotLinearError,
    NotScalarError,
    ShapeError,
)
from adjoint.transforms import jacobians

M = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]])
X = np.array([0.3, -0.8, 1.2])
Z = X + 1j * X[::-1]
EPS = 1e-6
modes = pytest.mark.parametrize("mode", ["auto", "fwd", "rev"])


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass
class Model:
    w: Any
    b: Any


def energy(x):
    """A real function whose Hessian is full and not constant."""
    return ad.sum(ad.sin(x) * x[::-1] ** 2) + ad.exp(x[0] * x[1])


def wave(x):
    return ad.sin(M @ x) * x[0]


def differences(f, x):
    """The Jacobian of f, one element at a time."""
    x = np.asarray(x, float)
    columns = []
    for i in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[i] = EPS
        columns.append((np.asarray(f(x + step)) - np.asarray(f(x - step))) / (2 * EPS))
    return np.stack(columns, -1).reshape(np.shape(f(x)) + x.shape)


def near(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


# jacobian

FUNCTIONS = {
    "vector to vector": (wave, X),
    "vector to number": (energy, X),
    "number to vector": (lambda t: ad.exp(t * X), 0.7),
    "number to number": (lambda t: ad.exp(t) * t, 0.7),
    "matrix to matrix": (lambda a: a @ a.T + ad.sin(a[:, :2]), M),
    "matrix to vector": (lambda a: ad.norm(a, axis=0), M),
    "vector to matrix": (lambda x: ad.outer(x, x) * x, X),
    "constant": (lambda x: np.ones(2), X),
    "picked": (lambda x: x[[0, 0, 2]] ** 2, X),
}


@modes
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_jacobian_is_that_of_finite_differences(name, mode):
    f, x = FUNCTIONS[name]
    got = ad.jacobian(f, mode=mode)(x)
    assert np.shape(got) == np.shape(f(x)) + np.shape(x)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, differences(f, x), rtol=1e-7, atol=1e-7)


@modes
def test_a_jacobian_is_that_of_analysis(mode):
    near(ad.jacobian(lambda x: M @ x, mode=mode)(X), M)
    near(ad.jacobian(lambda x: ad.sin(M @ x), mode=mode)(X), np.cos(M @ X)[:, None] * M)
    softmax = ad.softmax(X)
    want = np.diag(softmax) - np.outer(softmax, softmax)
    near(ad.jacobian(ad.softmax, mode=mode)(X), want)


def test_jacfwd_and_jacrev_are_the_two_modes():
    near(ad.jacfwd(wave)(X), ad.jacrev(wave)(X))
    assert ad.jacfwd(wave)(X).shape == (2, 3)


def test_the_mode_is_that_of_fewer_columns():
    """Reverse runs f once; forward once for the value and once for all columns."""
    calls = []

    def f(x):
        calls.append(0)
        return x[:1] * x

    ad.jacobian(lambda x: f(x)[:2])(X)
    assert len(calls) == 1
    ad.jacobian(f)(X)
    assert len(calls) == 3
    ad.jacobian(f, mode="rev")(X)
    assert len(calls) == 4


@modes
@pytest.mark.parametrize("chunk", [1, 2, 3, 7, None, "auto"])
def test_chunks_of_columns_change_nothing(mode, chunk):
    want = ad.jacobian(wave, mode="rev")(X)
    near(ad.jacobian(wave, mode=mode, chunk=chunk)(X), want)
    tree = ad.jacobian(lambda p: Pair(wave(p.a) * p.b, p.b), mode=mode, chunk=chunk)(Pair(X, 2.0))
    near(tree.a.a, 2 * want)
    near(tree.b.b, 1.0)


@modes
def test_containers_of_outputs_hold_containers_of_inputs(mode):
    def f(p):
        return {"s": p["a"] * p["b"].sum(), "t": (p["b"] ** 2, 1.0, [p["a"]])}

    got = ad.jacobian(f, mode=mode)({"a": 2.0, "b": X})
    near(got["s"]["a"], X.sum())
    near(got["s"]["b"], [2.0, 2.0, 2.0])
    near(got["t"][0]["a"], np.zeros(3))
    near(got["t"][0]["b"], np.diag(2 * X))
    near(got["t"][1]["a"], 0.0)
    near(got["t"][1]["b"], np.zeros(3))
    near(got["t"][2][0]["a"], 1.0)
    model = ad.jacobian(lambda m: m.w @ X + m.b, mode=mode)(Model(M, np.zeros(2)))
    near(model.w, np.einsum("ij,k->ijk", np.eye(2), X))
    near(model.b, np.eye(2))


@modes
def test_arguments_are_chosen_by_place_or_name(mode):
    def f(x, k, shift=0.0):
        return x * k + shift

    near(ad.jacobian(f, 1, mode)(X, 2.0), X)
    near(ad.jacobian(f, -1, mode)(X, 2.0), X)
    near(ad.jacobian(f, "k", mode)(X, 2.0), X)
    near(ad.jacobian(f, "k", mode)(X, k=2.0, shift=1.0), X)
    both = ad.jacobian(f, (0, "shift"), mode)(X, 2.0, shift=X)
    assert type(both) is tuple
    near(both[0], 2 * np.eye(3))
    near(both[1], np.eye(3))
    (one,) = ad.jacobian(f, [0], mode)(X, 2.0)
    near(one, 2 * np.eye(3))


@modes
def test_what_f_returns_besides_is_handed_on(mode):
    def f(x):
        return wave(x), {"x": x, "n": 3, "text": "as it is"}

    got, aux = ad.jacobian(f, mode=mode, has_aux=True)(X)
    near(got, ad.jacobian(wave)(X))
    assert type(aux["x"]) is np.ndarray
    assert (aux["n"], aux["text"]) == (3, "as it is")
    assert ad.jacobian(lambda t: (t * t, "number"), mode=mode, has_aux=True)(2.0) == (4, "number")


@modes
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_a_jacobian_is_as_precise_as_its_input(mode, dtype):
    """Whatever the output, as of a gradient: so the mode that was chosen does not show."""
    x = X.astype(dtype)
    assert ad.jacobian(lambda x: x * x, mode=mode)(x).dtype == dtype
    assert ad.jacobian(lambda x: x * np.ones(3), mode=mode)(x).dtype == dtype
    two = ad.jacobian(lambda x, y: x * y, (0, 1), mode)(x, X)
    assert [j.dtype for j in two] == [dtype, np.float64]
    assert ad.hessian(energy)(x).dtype == dtype
    assert ad.hessian_diagonal(energy)(x).dtype == dtype


@modes
def test_integers_become_floats(mode):
    got = ad.jacobian(lambda x: x * x, mode=mode)(np.arange(3))
    assert got.dtype == np.float64
    near(got, np.diag([0.0, 2.0, 4.0]))
    near(ad.jacobian(lambda x: x > 0, mode=mode)(X), np.zeros((3, 3)))
    near(ad.jacobian(lambda x: np.arange(2), mode=mode)(X), np.zeros((2, 3)))


@modes
def test_nothing_has_an_empty_jacobian(mode):
    assert ad.jacobian(lambda x: 2 * x, mode=mode)(np.zeros(0)).shape == (0, 0)
    assert ad.jacobian(lambda x: x[:0], mode=mode)(X).shape == (0, 3)
    assert ad.jacobian(lambda x: None, mode=mode)(X) is None
    assert ad.jacobian(lambda p: 2.0, mode=mode)([]) == []


@modes
def test_a_holomorphic_jacobian_is_that_of_analysis(mode):
    got = ad.jacobian(lambda z: ad.sin(z) * z[0], mode=mode)(Z)
    want = np.diag(np.cos(Z) * Z[0])
    want[:, 0] += np.sin(Z)
    near(got, want)
    near(ad.jacobian(lambda z: z * z, mode=mode)(Z[0]), 2 * Z[0])
    assert ad.jacobian(lambda z: z * z, mode=mode)(Z.astype(np.complex64)).dtype == np.complex64


def test_complex_outputs_of_real_inputs_go_forward():
    for mode in "auto", "fwd":
        near(ad.jacobian(lambda x: ad.exp(1j * x), mode=mode)(X), np.diag(1j * np.exp(1j * X)))
        near(ad.jacobian(lambda x: x * 1j, mode=mode)(2.0), 1j)
    got = ad.jacobian(lambda x: ad.sum(x * 1j))(X)
    near(got, [1j, 1j, 1j])
    near(ad.jacobian(lambda x: (x, x * 1j))(X)[1], 1j * np.eye(3))
    assert ad.jacobian(lambda x: x * 1j)(X.astype(np.float32)).dtype == np.complex64
    with pytest.raises(DataError, match="mode 'rev' cannot hold a complex output of a real input"):
        ad.jacobian(lambda x: x * 1j, mode="rev")(X)


def test_real_outputs_of_complex_inputs_go_back():
    for mode in "auto", "rev":
        near(ad.jacobian(lambda z: ad.abs(z) ** 2, mode=mode)(Z), np.diag(2 * Z.conj()))
        near(ad.jacobian(lambda z: ad.abs(z) ** 2, mode=mode)(Z[0]), 2 * Z[0].conj())
    near(ad.jacobian(lambda z: ad.stack([ad.real(z)] * 3))(Z[0]), np.ones(3))
    with pytest.raises(DataError, match="mode 'fwd' cannot hold a real output of a complex input"):
        ad.jacobian(ad.abs, mode="fwd")(Z)


def test_both_at_once_are_refused():
    with pytest.raises(DataError, match="neither mode gives both"):
        ad.jacobian(lambda x, z: (x * 1j, ad.abs(z)), (0, 1))(X, Z)


@modes
def test_jacobians_nest_and_are_differentiated(mode):
    cubes = ad.jacobian(lambda x: x**3, mode=mode)
    near(ad.jacobian(cubes, mode=mode)(X)[1, 1], [0.0, 6 * X[1], 0.0])
    near(ad.grad(lambda x: cubes(x).sum())(X), 6 * X)
    near(ad.jvp(cubes, (X,), (X,))[1], np.diag(6 * X * X))
    w = ad.Tensor(X)
    cubes(w).sum().backward()
    near(w.grad, 6 * X)
    near(ad.vmap(cubes)(M), [np.diag(3 * row**2) for row in M])


@modes
def test_python_may_branch_on_the_point_itself(mode):
    got = ad.jacobian(lambda x: 2 * x if x[0] > 0 else 3 * x, mode=mode)(X)
    near(got, 2 * np.eye(3))


def test_what_a_jacobian_refuses():
    with pytest.raises(ShapeError, match="'auto', 'fwd' and 'rev'"):
        ad.jacobian(wave, mode="forward")
    with pytest.raises(ShapeError, match="argument 3"):
        ad.jacobian(wave, 3)(X)
    with pytest.raises(BatchError, match="chunk_size"):
        ad.jacobian(wave, chunk=0)(X)
    for mode in "auto", "fwd", "rev":
        with pytest.raises(DataError, match=r"needs numbers as outputs; `<lambda>` returned <U4"):
            ad.jacobian(lambda x: "text", mode=mode)(X)
    with pytest.raises(DataError, match=r"It stands at \[0\]\['name'\]"):
        ad.jacobian(lambda p: p["w"])({"w": X, "name": "first"})


# hessian and its products


def test_a_hessian_is_that_of_analysis_and_symmetric():
    near(
        ad.hessian(lambda x: (x**3).sum() + x[0] * x[1])(X),
        np.diag(6 * X) + np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]),
    )
    got = ad.hessian(energy)(X)
    near(got, got.T)
    np.testing.assert_allclose(got, differences(ad.grad(energy), X), rtol=1e-7, atol=1e-7)
    near(ad.hessian(energy, chunk=2)(X), got)
    near(ad.hessian(lambda t: t**3)(2.0), 12.0)
    near(ad.hessian(lambda x: x.sum())(X), np.zeros((3, 3)))
    near(
        ad.hessian(lambda a: (a @ a.T).sum())(M),
        ad.jacobian(ad.jacobian(lambda a: (a @ a.T).sum()))(M),
    )


def test_a_hessian_is_symmetric_to_the_last_digit(rng):
    a, x = rng.normal(size=(7, 5)), rng.normal(size=5)
    h = ad.hessian(lambda x: ad.logsumexp(ad.tanh(a @ x)) * ad.sum(x))(x)
    np.testing.assert_array_equal(h, h.T)
    h = ad.hessian(lambda x: ad.sum(ad.tanh(a.T @ x @ x.T)))(a[:, :2])
    np.testing.assert_array_equal(h, h.transpose(2, 3, 0, 1))
    h = ad.hessian(lambda p: ad.sum(ad.tanh(a @ p["x"] + p["b"])) ** 2)({"x": x, "b": 0.5})
    np.testing.assert_array_equal(h["x"]["x"], h["x"]["x"].T)
    np.testing.assert_array_equal(h["x"]["b"], h["b"]["x"])


def network(p, x):
    h = ad.tanh(x @ p["w"][0] + p["b"])
    return ad.logsumexp(h @ p["w"][1]) * p["s"]


@pytest.mark.parametrize("chunk", ["auto", None, 3])
def test_a_hessian_by_blocks_is_the_whole(rng, monkeypatch, chunk):
    """Pairs of leaves: each once, along one way, with the aux of the first."""
    p = {"w": [rng.normal(size=(3, 4)), rng.normal(size=4)], "b": rng.normal(size=4), "s": 0.7}
    p["b"] = p["b"].astype(np.float32)
    x = rng.normal(size=(5, 3))
    calls = []

    def f(p, x):
        calls.append(0)
        return network(p, x), {"x": x, "n": 3}

    whole, _ = ad.hessian(f, has_aux=True, chunk=chunk)(p, x)
    two = ad.hessian(lambda a, p: network(p, a), (1, 0), chunk)(x, p)
    assert len(calls) == 1
    monkeypatch.setattr(jacobians, "APART", 1)
    blocks, aux = ad.hessian(f, has_aux=True, chunk=chunk)(p, x)
    assert len(calls) == 1 + 4
    near(aux["x"], x)
    assert blocks["b"]["s"].dtype == np.float64
    assert blocks["s"]["b"].dtype == np.float32
    ends, _, _ = flatten(blocks)
    for got, want in zip(ends, flatten(whole)[0], strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    for got, want in zip(
        flatten(ad.hessian(lambda a, p: network(p, a), (1, 0), chunk)(x, p))[0],
        flatten(two)[0],
        strict=True,
    ):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)

    def slope(s):
        return ad.hessian(network)({**p, "s": s}, x)["w"][0]["b"].sum()

    np.testing.assert_allclose(ad.grad(slope)(0.7), slope(1.0), rtol=1e-5)


def test_blocks_of_a_hessian_are_followed_by_what_they_need_alone(rng, monkeypatch):
    """For the last leaf the reverse pass does not go back to the first."""
    monkeypatch.setattr(jacobians, "APART", 1)
    seen = []

    @ad.custom(vjp=lambda ct: seen.append(0) or ct)
    def watched(x):
        return x

    def f(first, last):
        return ad.sum(watched(ad.sin(first))) * ad.sum(last**3)

    ad.hessian(f, (0, 1))(X, X)
    both = len(seen)
    seen.clear()
    ad.hessian(f, (1,))(X, X)
    assert not seen
    ad.hessian(f, (0,))(X, X)
    assert len(seen) == both


def test_a_hessian_of_containers_is_a_container_of_containers():
    got = ad.hessian(lambda p: (p["a"] ** 2 * p["b"]).sum())({"a": X, "b": 2.0})
    near(got["a"]["a"], 4 * np.eye(3))
    near(got["a"]["b"], 2 * X)
    near(got["b"]["a"], 2 * X)
    near(got["b"]["b"], 0.0)
    got = ad.hessian(lambda a, b: (a**2 * b).sum(), ("b", 0))(X, 2.0)
    near(got[0][1], 2 * X)
    near(got[1][1], 4 * np.eye(3))
    got, aux = ad.hessian(lambda x: (energy(x), {"x": x, "n": 1}), has_aux=True)(X)
    near(got, ad.hessian(energy)(X))
    assert type(aux["x"]) is np.ndarray


V = np.array([0.5, -1.0, 2.0])


def test_products_with_the_hessian_are_the_dense_ones():
    dense = ad.hessian(energy)(X)
    near(ad.hvp(energy, X, V), dense @ V)
    near(ad.vhp(energy, X, V), V @ dense)
    near(ad.hvp(energy, (X,), (V,))[0], dense @ V)
    near(ad.vhp(energy, (X,), (V,))[0], V @ dense)


@pytest.mark.parametrize("product", [ad.hvp, ad.vhp])
def test_products_with_the_hessian_take_containers(product):
    def f(a, p):
        return (a**2 * p["k"]).sum()

    got = product(f, (X, {"k": 2.0}), (V, {"k": 3.0}))
    near(got[0], 4 * V + 6 * X)
    near(got[1]["k"], (2 * X * V).sum())
    got = product(lambda p: f(p["a"], p), {"a": X, "k": 2.0}, {"a": V, "k": 3.0})
    near(got["a"], 4 * V + 6 * X)
    near(product(lambda p: (p[0] * p[1]).sum(), [X, 2.0], [V, 1.0])[1], V.sum())


def test_the_gauss_newton_product_is_the_dense_one():
    def loss(y):
        return ad.logsumexp(y) + (y**4).sum()

    j, h = ad.jacobian(wave)(X), ad.hessian(loss)(wave(X))
    near(ad.ggnvp(wave, loss, X, V), j.T @ h @ j @ V)
    near(ad.ggnvp(wave, loss, (X,), (V,))[0], j.T @ h @ j @ V)
    got = ad.ggnvp(
        lambda p: {"y": wave(p["x"]) * p["k"]}, lambda y: loss(y["y"]),
        {"x": X, "k": 1.0}, {"x": V, "k": 0.0},
    )  # fmt: skip
    near(got["x"], j.T @ h @ j @ V)
    near(got["k"], wave(X) @ h @ j @ V)


def test_the_diagonal_and_the_trace_of_the_hessian():
    dense = ad.hessian(energy)(X)
    near(ad.hessian_diagonal(energy)(X), np.diag(dense))
    near(ad.hessian_diagonal(energy, chunk=2)(X), np.diag(dense))
    near(ad.laplacian(energy)(X), np.trace(dense))
    near(ad.hessian_diagonal(lambda a: (a**3).sum())(M), 6 * M)
    near(ad.hessian_diagonal(lambda t: t**3)(2.0), 12.0)
    near(ad.laplacian(lambda k, x: k * energy(x), "x")(2.0, X), 2 * np.trace(dense))
    assert ad.hessian_diagonal(lambda x: x.sum())(np.zeros(0)).shape == (0,)


def test_the_diagonal_of_containers_is_a_container():
    def f(p, k=1.0):
        return energy(p["x"]) * k**3 * p["s"] ** 2

    dense = ad.hessian(energy)(X)
    got = ad.hessian_diagonal(f)({"x": X, "s": 3.0})
    near(got["x"], 9 * np.diag(dense))
    near(got["s"], 2 * energy(X))
    both = ad.hessian_diagonal(f, (0, 1))({"x": X, "s": 3.0}, 2.0)
    near(both[0]["x"], 72 * np.diag(dense))
    near(both[1], 12 * 9 * energy(X))
    near(ad.laplacian(f)({"x": X, "s": 3.0}), 9 * np.trace(dense) + 2 * energy(X))


@pytest.mark.parametrize("transform", [ad.hessian, ad.hessian_diagonal, ad.laplacian])
def test_second_derivatives_are_of_real_functions_of_real_numbers(transform):
    """The gradient of |z|² is 2z̄, which has no complex derivative."""
    with pytest.raises(DataError, match="needs real inputs"):
        transform(lambda z: ad.sum(ad.abs(z) ** 2))(Z)
    with pytest.raises(NotScalarError, match=r"shape \(2,\)"):
        transform(wave)(X)


# derivative and its kin

SINES = [np.sin, np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t)]


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_a_derivative_of_any_order(order):
    near(ad.derivative(ad.sin, order)(0.3), SINES[order % 4](0.3))


def test_a_derivative_of_any_output_at_any_number():
    got = ad.derivative(lambda t, k, m=1.0: {"a": t * X, "b": k * m * t**2}, 2)(3.0, 5.0, m=2.0)
    near(got["a"], np.zeros(3))
    near(got["b"], 20.0)
    near(ad.derivative(lambda z: z**2)(2 + 1j), 4 + 2j)
    assert ad.derivative(lambda t: t**2)(3) == 6.0
    assert ad.derivative(ad.sin, 2)(np.float32(0.3)).dtype == np.float32
    near(ad.vmap(ad.derivative(ad.sin, 3))(X), -np.cos(X))


def test_what_a_derivative_refuses():
    with pytest.raises(ShapeError, match=r"given shape \(3,\). Use `elementwise_grad`"):
        ad.derivative(ad.sin)(X)
    for order in 0, -1, 1.5:
        with pytest.raises(ShapeError, match=f"at least 1; it was given {order}"):
            ad.derivative(ad.sin, order)


def test_an_elementwise_gradient():
    near(ad.elementwise_grad(ad.tanh)(M), 1 - np.tanh(M) ** 2)
    near(ad.elementwise_grad(ad.elementwise_grad(ad.sin))(X), -np.sin(X))
    got = ad.elementwise_grad(lambda x, y: x * y**2, (0, "y"))(X, V)
    near(got[0], V**2)
    near(got[1], 2 * X * V)
    assert ad.elementwise_grad(ad.sin)(0.5) == np.cos(0.5)
    with pytest.raises(NotScalarError, match="`sin` returned dtype complex128"):
        ad.elementwise_grad(ad.sin)(Z)


@modes
def test_the_jacobian_of_each_row(mode):
    batch = np.stack([X, V, X * V])
    got = ad.batch_jacobian(lambda x: ad.tanh(x @ M.T), mode=mode)(batch)
    near(got, [ad.jacobian(lambda x: ad.tanh(x @ M.T))(row) for row in batch])
    both = ad.batch_jacobian(lambda x, y: {"out": x * y}, (0, "y"), mode)(batch, batch[::-1])
    near(both["out"][0], [np.diag(row) for row in batch[::-1]])
    near(both["out"][1], [np.diag(row) for row in batch])
    with pytest.raises(BatchError, match=r"3 at \[0\] and 2 at \[1\]"):
        ad.batch_jacobian(lambda x, y: x)(batch, M)


# linear maps


def test_a_linearised_function_is_called_once():
    calls = []

    def f(x, p):
        calls.append(0)
        return {"y": wave(x) * p["k"], "x": x}

    y, push = ad.linearize(f, X, {"k": 2.0})
    near(y["y"], 2 * wave(X))
    for v in V, 2 * V, X:
        near(push(v, {"k": 1.0})["y"], 2 * ad.jacobian(wave)(X) @ v + wave(X))
        near(push(v, {"k": 1.0})["x"], v)
    assert len(calls) == 1
    near(
        ad.vmap(lambda v: push(v, {"k": 0.0})["y"], out_axes=1)(np.eye(3)), 2 * ad.jacobian(wave)(X)
    )


def test_linearised_functions_of_every_number():
    near(ad.linearize(lambda z: z * z, Z)[1](V * 1j), 2j * Z * V)
    near(ad.linearize(lambda x: x * 1j, X)[1](V), V * 1j)
    near(ad.linearize(ad.real, Z)[1](Z), Z.real)
    near(ad.linearize(lambda x: 3.0, X)[1](V), 0.0)
    near(ad.grad(lambda x: ad.linearize(lambda y: y**3, x)[1](1.0))(2.0), 12.0)
    assert ad.linearize(lambda x: x * x, X.astype(np.float32))[1](V).dtype == np.float32


def test_what_a_linear_map_refuses():
    push = ad.linearize(wave, X)[1]
    with pytest.raises(ShapeError, match=r"tangent float64\(\) for the primal float64\(3,\)"):
        push(1.0)
    with pytest.raises(ShapeError, match=r"tangent of the structure of \(\*\)"):
        push(V, V)
    with pytest.raises(CotangentError, match="complex tangent for the real primal"):
        push(Z)
    with pytest.raises(ShapeError, match="the output has shape"):
        ad.linear_transpose(lambda x: M @ x, X)(V)


def test_the_transpose_of_a_linear_function():
    near(ad.linear_transpose(lambda x: M @ x, X)(M[:, 0])[0], M.T @ M[:, 0])
    x, y = ad.linear_transpose(lambda x, y: M @ x + y[::-1], X, np.zeros(2))(np.array([1.0, 2.0]))
    near(x, M.T @ [1.0, 2.0])
    near(y, [2.0, 1.0])
    near(ad.linear_transpose(lambda p: 2 * p["a"], {"a": X})(V)[0]["a"], 2 * V)
    near(ad.linear_transpose(lambda z: 1j * z, Z)(Z)[0], 1j * Z)
    near(ad.linear_transpose(lambda x: 2 * x, np.arange(3))(V)[0], 2 * V)
    near(ad.linear_transpose(lambda x: 2 * x, ad.Tensor(X))(V)[0], 2 * V)

    def back(y):
        return ad.linear_transpose(lambda x: M @ x, X)(y)[0]

    near(ad.linear_transpose(back, np.zeros(2))(X)[0], M @ X)


@pytest.mark.parametrize(
    "f",
    [
        ad.sin,
        lambda x: x + 1.0,
        lambda x: x * x,
        ad.abs,
        lambda x: ad.maximum(x, 0.0),
        lambda x: x / ad.sum(x),
        lambda x: 3.0,
        lambda x: ad.log(x),
        lambda x: {"a": x, "b": ad.tanh(x)},
        lambda x: ad.round(x),
        lambda x: x[ad.argmax(x)],
    ],
)
def test_the_transpose_of_what_is_not_linear_is_refused(f):
    with pytest.raises(NotLinearError, match=r"needs a linear function; .* is none"):
        ad.linear_transpose(f, X)


def test_linear_functions_pass_the_test_of_linearity(rng):
    """Ill-conditioned, in single precision, of a value of an outer level, mapped."""
    a = np.vander(np.linspace(0.1, 1.0, 10))
    (got,) = ad.linear_transpose(lambda b: ad.solve(a, b), np.ones(10))(a.sum(0))
    np.testing.assert_allclose(got, np.ones(10), rtol=1e-7)
    for dtype in (np.float32, np.complex64, np.float16):
        x = np.ones(500, dtype)
        got = ad.linear_transpose(lambda x: ad.cumsum(x)[::-1] - x, x)(x)[0]
        assert got.dtype == dtype
    near(ad.linear_transpose(lambda z: ad.real(z) + ad.conj(z)[0], Z)(X)[0].shape, (3,))
    near(ad.linear_transpose(lambda x: x * 0.0, X)(X)[0], 0.0 * X)

    def through(m, y):
        return ad.linear_transpose(lambda x: m @ x, X)(y)[0]

    near(ad.vmap(through)(np.stack([M, 2 * M]), np.ones((2, 2))), np.outer([1, 2], M.sum(0)))
    near(ad.grad(lambda m: through(m, np.ones(2)) @ X)(M), np.outer(np.ones(2), X))
    with pytest.raises(NotLinearError):
        ad.vmap(lambda m: ad.linear_transpose(lambda x: m * x * x, 1.0)(1.0)[0])(X)


# functions that travel

DERIVED = {
    "grad": (ad.grad(ad.logsumexp), X),
    "value_and_grad": (ad.value_and_grad(ad.logsumexp), X),
    "vmap": (ad.vmap(ad.softmax, 1, 1, 2), M),
    "vmap of grad": (ad.vmap(ad.grad(ad.logsumexp)), M),
    "jacobian": (ad.jacobian(ad.softmax), X),
    "jacfwd": (ad.jacfwd(ad.softmax), X),
    "jacrev": (ad.jacrev(ad.softmax, chunk=2), X),
    "batch_jacobian": (ad.batch_jacobian(ad.softmax), M),
    "hessian": (ad.hessian(ad.logsumexp), X),
    "hessian_diagonal": (ad.hessian_diagonal(ad.logsumexp), X),
    "laplacian": (ad.laplacian(ad.logsumexp), X),
    "elementwise_grad": (ad.elementwise_grad(ad.tanh), X),
    "derivative": (ad.derivative(ad.tanh), 0.3),
    "third derivative": (ad.derivative(ad.tanh, 3), 0.3),
    "by name": (ad.jacobian(operator.neg, 0, "rev"), X),
}


@pytest.mark.parametrize("name", DERIVED)
def test_a_derived_function_pickles_and_tells_of_what(name):
    f, x = DERIVED[name]
    again = pickle.loads(pickle.dumps(f))
    got, want = (h(x) if type(h(x)) is tuple else (h(x),) for h in (again, f))
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)
    assert again.__name__ == f.__name__
    assert again.__doc__ == f.__doc__
    assert repr(again) == repr(f)


def test_derived_functions_go_to_other_processes():
    names = ["vmap of grad", "jacobian", "hessian", "third derivative"]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for name in names:
            f, x = DERIVED[name]
            np.testing.assert_array_equal(pool.submit(f, x).result(60), f(x))


def test_threads_nest_transforms_without_meeting():
    """Four threads, each with its own nest of modes over a value that all share."""
    barrier, found = threading.Barrier(4), {}
    shared = ad.Tensor(X)

    def work(k):
        barrier.wait()
        for _ in range(5):
            h = ad.hessian(lambda x: k * energy(x))(X)
            rows = ad.vmap(ad.grad(lambda x: k * energy(x)))(M)
            outer = ad.vjp(lambda x: k * ad.vmap(lambda y: x @ y)(M).sum(), shared.detach())[1](1.0)
        found[k] = h, rows, outer[0]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(1, 5):
        near(found[k][0], k * ad.hessian(energy)(X))
        near(found[k][1], k * ad.vmap(ad.grad(energy))(M))
        near(found[k][2], k * M.sum(0))
