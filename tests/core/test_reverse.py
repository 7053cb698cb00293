"""The reverse pass: every node once, nothing recurses, shapes and dtypes come back as they went."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import (
    CotangentError,
    FreedGraphError,
    NotScalarError,
    NotTrackedError,
    ShapeError,
)

MILLION = 1_000_000


def test_each_node_is_visited_once(counted):
    """60 doublings have 2**60 paths and 60 nodes, of two edges each."""
    add, calls = counted
    x = ad.Tensor(1.0)
    y = x
    for _ in range(60):
        y = add(y, y)
    y.backward()
    assert len(calls) == 120
    assert x.grad == 2.0**60


def test_each_node_is_visited_once_where_paths_are_of_different_lengths(counted):
    """Fibonacci: y[n] uses y[n-1] and y[n-2], and there are as many paths as its value."""
    add, calls = counted
    a = b = x = ad.Tensor(1.0)
    for _ in range(60):
        a, b = b, add(a, b)
    b.backward()
    assert len(calls) == 120
    assert x.grad == b.data == 4052739537881


def test_each_node_is_visited_once_when_the_pass_is_remembered(counted):
    add, calls = counted
    x = ad.Tensor(2.0)
    y = x * x
    for _ in range(30):
        y = add(y, y)
    y.backward(create_graph=True)
    slope = x.grad
    assert len(calls) == 60
    x.zero_grad()
    slope.backward()
    assert x.grad == 2.0 * 2**30


def test_a_chain_of_a_million_ops_is_differentiated():
    x = ad.Tensor(1.0)
    y = x
    for _ in range(MILLION):
        y = y + 1e-6
    y.backward()
    assert x.grad == 1


def test_a_graph_of_a_million_ops_is_dropped_without_backward():
    """A chain of records, released from its end, must not be released by recursion."""
    x = ad.Tensor(1.0)
    y = x
    for _ in range(MILLION):
        y = y * 1.0
    del y
    (x * 3.0).backward()
    assert x.grad == 3


@pytest.mark.parametrize(
    "step",
    [
        lambda x: ad.where(True, x, 0.0),
        lambda x: ad.split(ad.concat([x, x]), 2)[0],
        lambda x: x.reshape(1)[:],
        lambda x: ad.tanh(x.sum()).reshape(1),
    ],
    ids=["three inputs", "several outputs", "views", "unary"],
)
def test_long_chains_of_every_kind_of_node_are_differentiated_and_dropped(step):
    x = y = ad.Tensor(np.ones(1))
    for _ in range(20_000):
        y = step(y)
    y.backward(retain_graph=True)
    assert x.grad.shape == (1,)
    del y


def test_a_remembered_pass_of_many_ops_is_dropped_without_backward():
    x = ad.Tensor(1.0)
    y = x
    for _ in range(50_000):
        y = y * x
    y.backward(create_graph=True)
    assert x.grad == 50_001
    x.zero_grad()


def test_a_thousand_uses_of_one_value_are_summed():
    x = ad.Tensor(np.ones(3))
    y = x * 1.0
    total = y
    for k in range(1000):
        total = total + y * float(k)
    total.sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(3, 499501.0))


@pytest.mark.parametrize(
    "shapes",
    [
        ((3,), (2, 3)), ((2, 1), (1, 3)), ((), (2, 3)), ((1,), (2, 3)), ((1, 1, 1), (2, 3)),
        ((2, 3), ()), ((0,), (2, 0)), ((1,), (0,)), ((4, 1, 3), (2, 1)), ((1,), ()), ((), (1, 1)),
        ((2, 3), (2, 3)),
    ],
    ids=str,
)  # fmt: skip
def test_broadcasting_is_undone(shapes, rng):
    """Σ g·(x+y): each gradient is g summed over the axes along which its input was repeated."""
    x, y = (ad.Tensor(rng.normal(size=s)) for s in shapes)
    g = rng.normal(size=np.broadcast_shapes(*shapes))
    (x + y).backward(g)
    for t, other in ((x, y), (y, x)):
        padded = (1,) * (g.ndim - t.ndim) + t.shape
        axes = tuple(i for i, n in enumerate(padded) if n == 1 != g.shape[i])
        want = g.sum(axes, keepdims=True).reshape(t.shape)
        assert np.shape(t.grad) == t.shape
        np.testing.assert_allclose(t.grad, want, rtol=1e-13)
        assert type(t.grad) is np.ndarray or not t.shape
        assert other.grad.dtype == np.float64


@pytest.mark.parametrize("constant", [2.0, np.full((2, 3), 2.0), [[2.0] * 3] * 2, np.float64(2)])
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "pow"])
def test_broadcasting_against_a_constant_is_undone(name, constant):
    op = ad.OPS[name].call
    for turned in (False, True):
        x = ad.Tensor(np.full((1, 3), 3.0))
        y = op(constant, x) if turned else op(x, constant)
        y.sum().backward()
        assert x.grad.shape == (1, 3)
        plain = ad.Tensor(np.full(y.shape, 3.0))
        (op(constant, plain) if turned else op(plain, constant)).sum().backward()
        want = plain.grad.sum(tuple(range(y.ndim - 1)), keepdims=True).reshape(1, 3)
        np.testing.assert_allclose(x.grad, want)


def test_a_shared_subexpression_counts_every_use():
    x = ad.Tensor(3.0)
    y = x * x
    (y * y + y).backward()
    assert x.grad == 4 * 27 + 6


def test_gradients_accumulate_over_calls():
    x = ad.Tensor(np.arange(3.0))
    for k in range(1, 4):
        (x * x).sum().backward()
        np.testing.assert_array_equal(x.grad, 2 * k * np.arange(3.0))
    x.zero_grad()
    np.testing.assert_array_equal(x.grad, np.zeros(3))


def test_an_earlier_gradient_is_left_alone_by_the_next():
    x = ad.Tensor(np.ones(3))
    (x * 2).sum().backward()
    first = x.grad
    (x * 2).sum().backward()
    np.testing.assert_array_equal(first, np.full(3, 2.0))


def test_a_leaf_is_its_own_derivative():
    x = ad.Tensor(np.ones(3))
    x.backward()
    x.backward(np.arange(3.0))
    np.testing.assert_array_equal(x.grad, [1.0, 2.0, 3.0])


# Seeds


def test_a_seed_weighs_the_outputs():
    x = ad.Tensor(np.array([1.0, 2.0, 3.0]))
    (x * x).backward(np.array([1.0, 0.0, -1.0]))
    np.testing.assert_array_equal(x.grad, [2.0, 0.0, -6.0])


@pytest.mark.parametrize("seed", [[1, 0, 2], (1.0, 0.0, 2.0), np.array([1, 0, 2], np.int8)])
def test_a_seed_may_be_anything_that_is_an_array(seed):
    x = ad.Tensor(np.ones(3))
    (3 * x).backward(seed)
    np.testing.assert_array_equal(x.grad, [3.0, 0.0, 6.0])


def test_a_seed_may_be_a_tensor():
    x, g = ad.Tensor(np.ones(2)), ad.Tensor(np.array([1.0, 5.0]))
    (3 * x).backward(g.detach())
    np.testing.assert_array_equal(x.grad, [3.0, 15.0])


def test_a_non_scalar_is_seeded_with_ones():
    x = ad.Tensor(np.ones((2, 3)))
    (x * 5).backward()
    np.testing.assert_array_equal(x.grad, np.full((2, 3), 5.0))


@pytest.mark.parametrize("seed", [1.0, np.ones(2), np.ones((1, 3)), np.ones((3, 1)), []])
def test_a_seed_of_another_shape_is_refused(seed):
    x = ad.Tensor(np.ones(3))
    with pytest.raises(ShapeError, match=r"`backward` has shape .*; the output has shape \(3,\)"):
        (x * 2).backward(seed)


@pytest.mark.parametrize("seed", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_a_seed_that_is_not_finite_is_refused(seed, shape):
    x = ad.Tensor(np.ones(shape))
    bad = np.ones(shape)
    bad[(0,) * len(shape)] = seed
    with pytest.raises(CotangentError, match="NaN or infinity"):
        (x * 2).backward(bad)


@pytest.mark.parametrize("seed", [1j, "one", None.__class__, object(), np.array("2020", "M8[D]")])
def test_a_seed_of_another_kind_is_refused(seed):
    with pytest.raises(CotangentError, match=r"dtype .*; the output is float64"):
        (ad.Tensor(1.0) * 2).backward(seed)


def test_a_refused_seed_leaves_the_graph_whole():
    x = ad.Tensor(np.ones(3))
    y = x * 2
    for bad in (np.ones(2), np.full(3, np.nan), np.full(3, 1j)):
        with pytest.raises((ShapeError, CotangentError)):
            y.backward(bad)
    np.testing.assert_array_equal(x.grad, np.zeros(3))
    y.backward()
    np.testing.assert_array_equal(x.grad, np.full(3, 2.0))


# Freed and retained graphs


def test_a_freed_graph_is_not_used_again():
    x = ad.Tensor(3.0)
    y = x * x
    y.backward()
    with pytest.raises(FreedGraphError, match=r"`multiply`.*retain_graph=True"):
        y.backward()
    z = y * 2
    with pytest.raises(FreedGraphError):
        z.backward()
    assert x.grad == 6


def test_a_retained_graph_is_used_again_and_again():
    x = ad.Tensor(np.ones(3))
    y = ad.exp(x * x).sum()
    for k in range(1, 4):
        y.backward(retain_graph=True)
        np.testing.assert_allclose(x.grad, 2 * k * np.e * np.ones(3))
    y.backward()
    with pytest.raises(FreedGraphError):
        y.backward()


def test_two_results_over_one_value_are_differentiated_one_after_the_other():
    x = ad.Tensor(2.0)
    y = x * x
    a, b = 3 * y, ad.sin(y)
    a.backward()
    b.backward()
    np.testing.assert_allclose(x.grad, 12 + 4 * np.cos(4))


def test_what_is_not_tracked_has_no_backward():
    with pytest.raises(NotTrackedError, match="no_grad"):
        ad.Tensor(1.0).detach().backward()
    with ad.no_grad():
        y = ad.Tensor(1.0) * 2
    with pytest.raises(NotTrackedError):
        y.backward()


# Higher orders


def test_create_graph_reaches_the_fourth_order():
    x = ad.Tensor(0.7)
    y = ad.sin(x)
    for want in (np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7)):
        x.zero_grad()
        y.backward(create_graph=True)
        y = x.grad
        np.testing.assert_allclose(y.detach().data, want, rtol=1e-14)
    x.zero_grad()


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: (a + b).sum(),
        lambda a, b: (a * b - b).sum(),
        lambda a, b: ad.where(a.data > 0, a * a, b).sum(),
        lambda a, b: ad.concat([a * b, b]).sum(),
        lambda a, b: ad.sum(a @ b) + (a[0] * a[1:]).sum(),
        lambda a, b: ad.max(a * b) + ad.stack([a, b]).mean(),
    ],
)
def test_a_remembered_pass_gives_the_gradients_of_an_ordinary_one(f):
    got, want = [], []
    for grads, remember in ((want, False), (got, True)):
        a, b = ad.Tensor(np.array([1.0, 2.0, 3.0])), ad.Tensor(np.array([-1.0, 0.5, 2.0]))
        f(a, b).backward(create_graph=remember)
        for t in (a, b):
            grads.append(t.grad.detach().data if remember else t.grad)
            t.zero_grad()
    np.testing.assert_array_equal(got, want)


def test_create_graph_gives_the_product_with_a_hessian(rng):
    a = rng.normal(size=(3, 3))
    x, v = ad.Tensor(rng.normal(size=3)), rng.normal(size=3)
    (x @ a @ x).backward(create_graph=True)
    slope = x.grad
    x.zero_grad()
    (slope @ v).backward()
    np.testing.assert_allclose(x.grad, (a + a.T) @ v)


def test_a_penalty_on_the_gradient_is_differentiated():
    """f = Σ x³, penalty Σ (∂f)² = Σ 9x⁴, its gradient 36x³."""
    x = ad.Tensor(np.array([1.0, 2.0]))
    (x * x * x).sum().backward(create_graph=True)
    slope = x.grad
    x.zero_grad()
    (slope * slope).sum().backward()
    np.testing.assert_allclose(x.grad, [36.0, 288.0])


def test_gradients_of_a_remembered_pass_do_not_share_writable_memory():
    a, b = ad.Tensor(np.ones(2)), ad.Tensor(np.ones(2))
    (a + b).sum().backward(create_graph=True)
    grads = [t.grad.data for t in (a, b)]
    assert not np.shares_memory(*grads) or not any(g.flags.writeable for g in grads)


# Several outputs


def test_an_op_of_several_outputs_gathers_their_cotangents(rng):
    a = rng.normal(size=(3, 3)) + 3 * np.eye(3)
    x = ad.Tensor(a)
    sign, logdet = ad.slogdet(x)
    (sign.detach() * ad.exp(logdet)).backward()
    np.testing.assert_allclose(x.grad, np.linalg.det(a) * np.linalg.inv(a).T)


@pytest.mark.parametrize("used", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
def test_any_of_several_outputs_may_go_unused(used, rng):
    x = rng.normal(size=(4, 3))

    def f(x):
        parts = ad.svd(x)
        return sum(ad.sum(ad.square(parts[i])[..., :2]) for i in used)

    ad.check_grads(f, (x,), order=1)


def test_one_of_several_outputs_used_twice_counts_twice(rng):
    x = ad.Tensor(rng.normal(size=6))
    a, b, _ = ad.split(x, 3)
    (a * a + 3 * b + a).sum().backward()
    want = np.concatenate([2 * x.data[:2] + 1, [3.0, 3.0], [0.0, 0.0]])
    np.testing.assert_allclose(x.grad, want)


# What costs nothing


def test_constants_are_not_remembered():
    c = ad.Tensor(np.ones(3)).detach()
    for y in (
        c + 1,
        c * c,
        ad.exp(c),
        c.sum(),
        ad.concat([c, c]),
        c @ c,
        c[0],
        ad.where(c > 0, c, 1),
    ):
        assert isinstance(y, ad.Tensor)
        assert not y.tracked
        assert y.op is None
        assert y.from_tensors == ()


def test_plain_arrays_stay_plain_arrays():
    assert type(ad.exp(np.ones(3))) is np.ndarray
    assert type(ad.exp(1.0)) is np.float64


# Kinds of numbers


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_every_precision_stays_its_own(dtype, shape):
    x = ad.Tensor(np.full(shape, 2, dtype))
    y = ((x * 3 + 1.5) * x / 2 - x).sum() if shape else (x * 3 + 1.5) * x / 2 - x
    y.backward()
    assert y.dtype == x.grad.dtype == x.dtype == dtype
    np.testing.assert_array_equal(x.grad, np.full(shape, 5.75, dtype))


def test_longdouble_is_differentiated_in_its_own_precision():
    x = ad.Tensor(np.longdouble(2))
    ad.log(x * x).backward()
    assert abs(x.grad - 1) < np.finfo(np.longdouble).eps


def test_precisions_meet_and_part_again():
    x, y = ad.Tensor(np.ones(3, np.float32)), ad.Tensor(np.ones(3))
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_integers_and_truth_values_are_promoted(dtype):
    """The seed's own tests differentiate integer arrays."""
    data = np.array([1, 0, 1], dtype)
    x = ad.Tensor(data)
    (x * 3).sum().backward()
    assert x.dtype == x.grad.dtype == np.float64
    np.testing.assert_array_equal(x.grad, [3.0, 3.0, 3.0])
    x.data += 1
    np.testing.assert_array_equal(data, np.array([1, 0, 1], dtype))


def test_the_gradient_of_a_real_loss_is_the_conjugate_of_pytorchs():
    """L = |z|² at 1+2j: ∂L/∂Re - i ∂L/∂Im = 2 - 4j."""
    z = ad.Tensor(1 + 2j)
    (z * ad.conj(z)).real.backward()
    assert z.grad == 2 - 4j
    z.zero_grad()
    ad.square(ad.abs(z)).backward()
    np.testing.assert_allclose(z.grad, 2 - 4j)


def test_a_complex_result_needs_a_cotangent():
    z = ad.Tensor(1 + 2j)
    with pytest.raises(NotScalarError, match="complex"):
        (z * z).backward()
    y = z * z
    y.backward(1.0)
    assert z.grad == 2 * (1 + 2j)


def test_a_real_leaf_of_a_complex_computation_gets_a_real_gradient():
    x = ad.Tensor(np.array([1.0, 2.0]))
    z = x * (3 + 4j)
    ad.square(ad.abs(z)).sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_allclose(x.grad, 50 * x.data)


def test_real_and_complex_uses_of_one_value_are_summed():
    """The first two contributions to z are real, the third is complex."""
    x = ad.Tensor(np.ones(2))
    z = x * 1.0
    a, b, c = z * 1j, z * 2, z * 3
    (a.imag + b + c).sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_array_equal(x.grad, [6.0, 6.0])


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_empty_arrays_have_empty_gradients(shape):
    x = ad.Tensor(np.ones(shape))
    ((ad.exp(x) * 2 + x).sum() + x.reshape(-1).sum()).backward()
    assert x.grad.shape == shape
    assert ad.grad(lambda x: ad.sum(x * x))(np.ones(shape)).shape == shape


def test_an_empty_matrix_product_is_zero_and_has_zero_gradients():
    a, b = ad.Tensor(np.ones((2, 0))), ad.Tensor(np.ones((0, 3)))
    c = a @ b
    c.sum().backward()
    np.testing.assert_array_equal(c.detach().data, np.zeros((2, 3)))
    assert (a.grad.shape, b.grad.shape) == ((2, 0), (0, 3))
