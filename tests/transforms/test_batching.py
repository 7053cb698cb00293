"""vmap: axes of every kind, chunks, nesting with every transform, indexing, and what it refuses."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import BatchError, ConversionError, DataError, ShapeError
from adjoint.ops import batch


class Layer(NamedTuple):
    w: Any
    b: Any


def energy(x):
    """A real function of a vector, of which nothing is linear or symmetric."""
    return ad.sum(ad.sin(x) * x[::-1] ** 2) + ad.exp(x[0] * x[1])


def loop(f, xs):
    return np.stack([f(x) for x in xs])


@pytest.fixture
def x(rng):
    return rng.normal(size=(4, 3))


# where the axes are


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3, np.int64(1)])
def test_any_axis_may_be_mapped(rng, axis):
    x = rng.normal(size=(2, 3, 4))
    want = np.stack([np.tanh(np.take(x, i, axis)) for i in range(x.shape[axis])])
    np.testing.assert_array_equal(ad.vmap(ad.tanh, axis)(x), want)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_the_mapped_axis_goes_where_it_is_asked_to(rng, axis):
    x = rng.normal(size=(4, 2, 3))
    np.testing.assert_array_equal(ad.vmap(lambda x: x, out_axes=axis)(x), np.moveaxis(x, 0, axis))


def test_an_axis_that_is_none_is_shared(x):
    got = ad.vmap(lambda x, w: x @ w, (0, None))(x, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(got, x @ [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "in_axes",
    [
        (0, {"w": None, "b": 1}),
        (0, {"b": 1, "w": None}),
        [0, {"w": None, "b": -1}],
    ],
)
def test_axes_are_given_by_a_container_that_begins_as_the_arguments_do(x, rng, in_axes):
    p = {"w": rng.normal(size=3), "b": rng.normal(size=(2, 4))}
    got = ad.vmap(lambda x, p: x @ p["w"] + p["b"], in_axes)(x, p)
    np.testing.assert_allclose(got, (x @ p["w"])[:, None] + p["b"].T)


def test_one_axis_serves_a_whole_container(x):
    got = ad.vmap(lambda p, q: p.w * p.b + q[0], (0, None))(Layer(x, x[:, 0]), [1.0, 5])
    np.testing.assert_allclose(got, x * x[:, :1] + 1)
    got = ad.vmap(lambda p: p.w * p.b, (Layer(1, None),))(Layer(x, 2.0))
    np.testing.assert_allclose(got, 2 * x.T)


def test_a_list_of_arguments_has_its_own_axes(x):
    np.testing.assert_allclose(ad.vmap(lambda p: p[0] * p[1], ([0, None],))([x, 2.0]), 2 * x)


def test_keyword_arguments_are_mapped_over_their_first_axis(x):
    got = ad.vmap(lambda x, *, k: x * k)(x, k=np.arange(4.0))
    np.testing.assert_allclose(got, x * np.arange(4.0)[:, None])


def test_outputs_may_be_containers_with_axes_of_their_own(x):
    def f(x):
        return {"twice": 2 * x, "rest": (x[0], 5.0)}

    got = ad.vmap(f)(x)
    np.testing.assert_array_equal(got["twice"], 2 * x)
    np.testing.assert_array_equal(got["rest"][0], x[:, 0])
    np.testing.assert_array_equal(got["rest"][1], np.full(4, 5.0))
    got = ad.vmap(f, out_axes={"rest": (0, None), "twice": -1})(x)
    np.testing.assert_array_equal(got["twice"], 2 * x.T)
    assert got["rest"][1] == 5.0
    assert ad.vmap(lambda x: None)(x) is None


@pytest.mark.parametrize("value", [3.0, 3, np.ones(2), np.arange(3), True, [1.0]])
def test_what_ignores_its_input_is_repeated(x, value):
    got = ad.vmap(lambda x: value)(x)
    leaf = got[0] if isinstance(got, list) else got
    np.testing.assert_array_equal(leaf, np.stack([np.ravel(value)] * 4).reshape(leaf.shape))
    assert leaf.shape[0] == 4


def test_values_from_outside_are_shared(x, rng):
    w = rng.normal(size=3)
    np.testing.assert_allclose(ad.vmap(lambda x: x @ w)(x), x @ w)
    slope = ad.grad(lambda w: ad.vmap(lambda x: ad.tanh(x @ w))(x).sum())(w)
    np.testing.assert_allclose(slope, (1 - np.tanh(x @ w) ** 2) @ x)


def test_integers_and_truth_values_are_mapped_as_they_are():
    np.testing.assert_array_equal(ad.vmap(lambda k: k * 2)(np.arange(3)), [0, 2, 4])
    got = ad.vmap(lambda m: ad.where(m, 1.0, 2.0))(np.array([True, False]))
    np.testing.assert_array_equal(got, [1.0, 2.0])


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.longdouble])
def test_the_dtype_stays(x, dtype):
    assert ad.vmap(lambda x: 2 * x @ x + 1)(x.astype(dtype)).dtype == dtype


def test_an_example_looks_like_one(x):
    seen = []

    def f(x):
        seen.append((x.shape, x.ndim, x.size, len(x), x.dtype, repr(x)))
        return sum(x)

    np.testing.assert_allclose(ad.vmap(f)(x), x.sum(1))
    assert seen == [((3,), 1, 3, 3, np.dtype(float), "Batched(4 of shape (3,), float64)")]


def test_the_function_is_called_once(x):
    calls = []
    ad.vmap(lambda x: calls.append(0) or x)(x)
    assert len(calls) == 1


def test_a_mapped_function_keeps_its_name_and_prints():
    assert repr(ad.vmap(energy)) == "<vmap of energy>"
    assert energy.__doc__ in ad.vmap(energy).__doc__


# chunks


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 5, 100])
@pytest.mark.parametrize("out_axes", [0, -1])
def test_chunks_change_nothing(x, chunk, out_axes):
    f = ad.grad(energy)
    want = ad.vmap(f, out_axes=out_axes)(x)
    np.testing.assert_allclose(ad.vmap(f, 0, out_axes, chunk)(x), want)


def test_chunks_divide_containers_and_leave_what_is_shared(x):
    calls = []

    def f(p, w):
        calls.append(0)
        return {"y": p["a"] @ w, "w": w, "b": p["b"]}

    got = ad.vmap(f, ({"a": 0, "b": 1}, None), {"y": 0, "w": None, "b": 1}, 3)(
        {"a": x, "b": x.T}, x[0]
    )
    assert len(calls) == 2
    np.testing.assert_allclose(got["y"], x @ x[0])
    np.testing.assert_array_equal(got["w"], x[0])
    np.testing.assert_array_equal(got["b"], x.T)


def test_chunks_are_differentiated(x):
    got = ad.grad(lambda x: ad.vmap(energy, chunk_size=3)(x).sum())(x)
    np.testing.assert_allclose(got, loop(ad.grad(energy), x))


def test_no_example_at_all_gives_none_back():
    none = np.zeros((0, 3))
    assert ad.vmap(energy)(none).shape == (0,)
    assert ad.vmap(ad.grad(energy))(none).shape == (0, 3)
    assert ad.vmap(ad.hessian(energy), chunk_size=2)(none).shape == (0, 3, 3)
    assert ad.vmap(lambda x: (x, 1.0), out_axes=(1, 0))(none)[0].shape == (3, 0)
    picked = ad.vmap(lambda x: x[[0, 1], :, [0, 1]])(np.zeros((0, 3, 4, 2)))
    assert picked.shape == (0, 2, 4)


# nested with itself and the others


def test_maps_nest(rng):
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    table = ad.vmap(ad.vmap(lambda x, y: x @ y, (None, 0)), (0, None))(x, y)
    np.testing.assert_allclose(table, x @ y.T)
    other = ad.vmap(ad.vmap(lambda x, y: x @ y, (0, None)), (None, 0), out_axes=1)(x, y)
    np.testing.assert_allclose(other, x @ y.T)
    three = ad.vmap(lambda a: ad.vmap(lambda b: ad.vmap(lambda c: a + b * c)(y[0]))(x[0]))(y[1])
    np.testing.assert_allclose(
        three, y[1][:, None, None] + x[0][None, :, None] * y[0][None, None, :]
    )


TANGENT = np.array([0.3, -1.0, 2.0])
WITHIN = {
    "grad": ad.grad(energy),
    "value and grad": lambda x: ad.value_and_grad(energy)(x)[1],
    "vjp": lambda x: ad.vjp(ad.tanh, x)[1](TANGENT)[0],
    "jvp": lambda x: ad.jvp(energy, (x,), (TANGENT,))[1],
    "jvp along itself": lambda x: ad.jvp(energy, (x,), (x,))[1],
    "jacobian forward": ad.jacobian(lambda x: ad.outer(x, ad.sin(x)), mode="fwd"),
    "jacobian reverse": ad.jacobian(lambda x: ad.outer(x, ad.sin(x)), mode="rev"),
    "hessian": ad.hessian(energy),
    "hessian in chunks": ad.hessian(energy, chunk=2),
    "hvp": lambda x: ad.hvp(energy, x, TANGENT),
    "vhp": lambda x: ad.vhp(energy, x, TANGENT),
    "laplacian": ad.laplacian(energy),
    "grad of hvp": ad.grad(lambda x: ad.hvp(energy, x, TANGENT).sum()),
    "third derivative": ad.jacobian(ad.hessian(energy)),
    "linearize": lambda x: ad.linearize(energy, x)[1](TANGENT),
    "elementwise": ad.elementwise_grad(ad.tanh),
    "a loop within": lambda x: ad.vmap(ad.grad(ad.sin))(x),
    "no grad": ad.grad(lambda x: (x * constant(energy, x)).sum()),
}


def constant(f, x):
    with ad.no_grad():
        return f(x)


@pytest.mark.parametrize("name", WITHIN)
def test_the_map_of_a_derivative_is_the_loop(x, name):
    f = WITHIN[name]
    np.testing.assert_allclose(ad.vmap(f)(x), loop(f, x), rtol=1e-12, atol=1e-12)


def test_derivatives_of_a_map_are_those_of_the_loop(x, rng):
    t = rng.normal(size=x.shape)
    mapped = ad.vmap(energy)
    slopes = loop(ad.grad(energy), x)
    np.testing.assert_allclose(ad.grad(lambda x: mapped(x).sum())(x), slopes)
    np.testing.assert_allclose(ad.jvp(mapped, (x,), (t,))[1], (slopes * t).sum(1))
    dense = ad.jacobian(mapped)(x)
    for i in range(4):
        for j in range(4):
            np.testing.assert_allclose(dense[i, j], slopes[i] * (i == j), atol=1e-14)
    ad.check_grads(mapped, (x,))
    ad.check_grads(ad.vmap(lambda x, w: x @ w, (1, None), 1), (x, rng.normal(size=(4, 2))))


def test_backward_goes_through_a_map(x):
    w = ad.Tensor(x)
    ad.vmap(energy)(w).sum().backward()
    np.testing.assert_allclose(w.grad, loop(ad.grad(energy), x))


def test_per_example_gradients_sum_to_that_of_the_batch(x, rng):
    y, p = rng.normal(size=4), {"w": rng.normal(size=3), "b": 0.5}

    def error(p, x, y):
        return (ad.tanh(x @ p["w"]) + p["b"] - y) ** 2

    each = ad.vmap(ad.grad(error), (None, 0, 0))(p, x, y)
    total = ad.grad(lambda p: ad.vmap(error, (None, 0, 0))(p, x, y).sum())(p)
    assert each["w"].shape == (4, 3)
    assert each["b"].shape == (4,)
    np.testing.assert_allclose(each["w"].sum(0), total["w"])
    np.testing.assert_allclose(each["b"].sum(0), total["b"])


def test_levels_do_not_mix(x):
    """An outer example inside an inner map, and the other way round."""
    got = ad.vmap(lambda a: ad.vmap(lambda b: a * b)(x[:, 0]))(x[:, 1])
    np.testing.assert_array_equal(got, np.outer(x[:, 1], x[:, 0]))
    got = ad.vmap(lambda a: ad.grad(lambda b: (a * b * b).sum())(a))(x)
    np.testing.assert_allclose(got, 2 * x * x)
    got = ad.grad(lambda a: ad.vmap(lambda b: a @ b)(x).sum())(x[0])
    np.testing.assert_allclose(got, x.sum(0))


def test_a_detached_example_is_constant_and_still_mapped(x):
    np.testing.assert_allclose(ad.vmap(ad.grad(lambda x: (x.detach() * x).sum()))(x), x)
    np.testing.assert_allclose(ad.grad(lambda x: ad.vmap(lambda x: x.detach() @ x)(x).sum())(x), x)


# truth values, choices, indices


def test_comparisons_are_mapped(x):
    got = ad.vmap(lambda x: ad.where(x > 0, x, -2 * x))(x)
    np.testing.assert_array_equal(got, np.where(x > 0, x, -2 * x))
    np.testing.assert_array_equal(ad.vmap(lambda x: x <= 0.1)(x), x <= 0.1)
    np.testing.assert_array_equal(ad.vmap(lambda x: x == x.max())(x), x == x.max(1, keepdims=True))
    got = ad.vmap(ad.grad(lambda x: ad.where(x > 0, x, 0.0).sum()))(x)
    np.testing.assert_array_equal(got, (x > 0).astype(float))


def test_truth_values_combine(x):
    got = ad.vmap(lambda x: ad.where((x > 0) & (x < 1) | ~(x > -0.5), x, 0.0))(x)
    np.testing.assert_array_equal(got, np.where((x > 0) & (x < 1) | (x <= -0.5), x, 0.0))


@pytest.mark.parametrize("name", ["argmax", "argmin", "all", "any"])
@pytest.mark.parametrize(
    "how",
    [{}, dict(axis=0), dict(axis=-1), dict(keepdims=True), dict(axis=1, keepdims=True)],
    ids=str,
)
def test_predicates_along_axes_are_mapped(rng, name, how):
    x = rng.integers(0, 2, (4, 2, 3)).astype(float)
    f = getattr(np, name)
    got = ad.vmap(lambda x: getattr(ad, name)(x, **how))(x)
    want = np.stack([f(a, **how) for a in x])
    np.testing.assert_array_equal(got, want)
    assert got.dtype == want.dtype


def test_sorting_indices_are_mapped(x):
    np.testing.assert_array_equal(ad.vmap(ad.argsort)(x), x.argsort(-1))
    assert np.all(ad.vmap(lambda x: ad.argmax(x, axis=0))(x[:, 0]) == 0), "an axis of a number"


INDICES = [
    0, -1, slice(None, None, -1), slice(1, 2), None, ..., (), (0, 1), (slice(None), 2),
    (..., 0), (None, ..., None, 1), [0, 1, 1], ([1, 0], [2, 2]), (0, [0, 2]), (slice(None), [0, 0]),
    ([0, 1], slice(None), [3, 3]), (0, slice(None), [1, 2]), ([[0], [1]], [0, 2]),
    np.array([True, False]), (slice(None), np.array([True, False, True])), True, False,
    (np.True_, slice(None), [0, 1]), np.int64(1), np.array(1), np.zeros((2, 3, 4), bool),
    ([0, 1], None, [1, 2]), (..., [2, 0], 0), np.array([], int),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing_is_mapped(rng, index, monkeypatch):
    x = rng.normal(size=(3, 2, 3, 4))
    monkeypatch.delattr(batch, "looped")

    def f(x):
        return x[index]

    def total(x):
        return ad.sum(ad.square(x[index]))

    np.testing.assert_array_equal(ad.vmap(f)(x), loop(f, x))
    np.testing.assert_array_equal(ad.vmap(ad.grad(total))(x), loop(ad.grad(total), x))


def test_an_index_may_be_mapped_too(x):
    """All forms of it: `test_mapped_indices.py`."""
    k = np.array([0, 2, 1, 1])
    np.testing.assert_array_equal(ad.vmap(lambda x, k: x[k])(x, k), x[np.arange(4), k])


# what is refused


def refuse(f, *args, match, error=BatchError):
    with pytest.raises(error, match=match):
        f(*args)


def test_lengths_must_agree(x):
    refuse(ad.vmap(lambda x, y: x), x, np.ones(3), match=r"4 at \[0\] and 3 at \[1\]")
    with pytest.raises(BatchError, match=r"3 at \['k'\]"):
        ad.vmap(lambda x, k: x)(x, k=np.ones(3))


def test_something_must_be_mapped(x):
    refuse(ad.vmap(lambda x: x, None), x, match="nothing to map over")
    refuse(ad.vmap(lambda: 1.0), match="nothing to map over")


def test_the_axis_must_be_there(x):
    refuse(ad.vmap(lambda x: x, 2), x, match=r"axis 2 of \[0\], which has shape \(4, 3\)")
    refuse(ad.vmap(lambda x: x, -3), x, match="axis -3")
    refuse(ad.vmap(lambda x: x), 1.0, match=r"shape \(\)")
    refuse(ad.vmap(lambda x: x, out_axes=2), x, match="out_axes=2; the output has 2 axes")


@pytest.mark.parametrize("axes", [(0, 0), "a", 0.5, ({"b": 0},), ([0, 0, 0],)])
def test_the_structure_of_axes_must_fit(axes):
    f = ad.vmap(lambda p: p["a"], axes)
    refuse(f, {"a": np.ones(3)}, match="for values of the structure")


def test_the_structure_of_output_axes_must_fit(x):
    f = ad.vmap(lambda x: (x, x), out_axes=(0, 0, 0))
    refuse(f, x, match=r"out_axes=\(0, 0, 0\) for values of the structure \(\*, \*\)")


def test_an_output_that_is_mapped_needs_an_axis(x):
    refuse(ad.vmap(lambda x: x, out_axes=None), x, match="depends on the mapped axis")
    np.testing.assert_array_equal(ad.vmap(lambda y: x, out_axes=None)(x), x)


@pytest.mark.parametrize("size", [0, -1, 1.5, "auto"])
def test_a_chunk_holds_at_least_one(size):
    with pytest.raises(BatchError, match="chunk_size of at least 1"):
        ad.vmap(lambda x: x, chunk_size=size)


@pytest.mark.parametrize(
    "branch",
    [
        lambda x: x if x > 0 else -x,
        lambda x: x > 0 and x < 1,
        lambda x: not (x > 0),
        lambda x: max(x, 0.0),
    ],
)
def test_python_cannot_branch_on_an_example(x, branch):
    refuse(ad.vmap(branch), x[:, 0], match=r"stands for 4 of them.*ad\.where")
    refuse(ad.vmap(ad.grad(branch)), x[:, 0], match="stands for 4 of them")


@pytest.mark.parametrize(
    "exit", [float, int, complex, np.asarray, lambda x: [1, 2][x], lambda x: f"{x:.2f}"]
)
def test_an_example_does_not_leave(x, exit):
    refuse(ad.vmap(exit), x[:, 0], match="inside `vmap`", error=ConversionError)


def test_what_is_no_array_is_refused(x):
    refuse(ad.vmap(lambda x: x), np.array(["a"]), match="vmap", error=DataError)
    refuse(ad.vmap(lambda x: "text"), x, match="vmap", error=DataError)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ad.sum(x, axis=1),
        lambda x: ad.max(x, axis=-2),
        lambda x: ad.mean(x, axis=(0, 1)),
        lambda x: ad.flip(x, axis=3),
        lambda x: ad.argmax(x, axis=1),
        lambda x: ad.roll(x, 1, axis=1),
        lambda x: ad.permute_dims(x, (1,)),
        lambda x: ad.matrix_transpose(x),
        lambda x: ad.diagonal(x),
        lambda x: ad.inv(x),
        lambda x: ad.svd(x),
        lambda x: ad.solve(x, x),
        lambda x: ad.matmul(x[0], x),
        lambda x: ad.reshape(x, (2, -1)),
        lambda x: ad.broadcast_to(x, (-1, 3)),
        lambda x: x[0, 0],
        lambda x: x[3],
    ],
)
def test_the_axis_of_the_batch_is_out_of_reach(rng, f):
    """What one example refuses, many refuse: the hidden axis does not stand in for one it lacks."""
    x = rng.normal(size=(3, 3))
    with pytest.raises(Exception):  # noqa: B017
        f(x[0])
    with pytest.raises((ValueError, IndexError, TypeError)):
        ad.vmap(f)(x)


def test_a_triangle_of_a_vector_is_numpys(x):
    np.testing.assert_array_equal(ad.vmap(ad.tril)(x), loop(np.tril, x))
    np.testing.assert_array_equal(ad.vmap(lambda x: ad.triu(x, 1))(x), [np.triu(a, 1) for a in x])


def test_a_wrong_shape_is_the_ops_own_error(x):
    refuse(ad.vmap(lambda x: x + np.ones(2)), x, match="add", error=ShapeError)
