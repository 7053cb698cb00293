"""Arranging: what is refused, which forms of argument are understood, and that memory is shared."""

import tracemalloc

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import BatchError, DataError, ShapeError

table = np.arange(6.0).reshape(2, 3)
cube = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ad.reshape(table, (3, 2), "Z"), "knows the orders"),
        (lambda: ad.ravel(table, "K"), "knows the orders"),
        (lambda: ad.trim_zeros(table, "x"), "knows trim="),
        (lambda: ad.meshgrid(table, indexing="yx"), "knows the indexing"),
        (lambda: ad.repeat(table, 1.5), "needs one integer"),
        (lambda: ad.repeat(table, -1), "none negative"),
    ],
)
def test_what_is_no_choice_is_refused(call, words):
    with pytest.raises(DataError, match=words):
        call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ad.diagonal(cube, 0, 1, 1), "an axis twice"),
        (lambda: ad.diagonal(cube, 0, 1, 3), "was given axis 3"),
        (lambda: ad.moveaxis(cube, (0, 0), (1, 2)), "an axis twice"),
        (lambda: ad.moveaxis(cube, (0, 1), 1), "2 axes and 1 destinations"),
        (lambda: ad.expand_dims(cube, (0, 0)), "an axis twice"),
        (lambda: ad.rot90(table, 1, (0, 0)), "an axis twice"),
        (lambda: ad.rollaxis(table, 0, 4), "was given axis 4"),
        (lambda: ad.block([[table], table]), "nested equally deep"),
        (lambda: ad.block([[], []]), "none of them empty"),
        (lambda: ad.block([(table, table)]), "was given a tuple"),
        (lambda: ad.array_split(table, 0), "at least 1 part"),
        (lambda: ad.vsplit(np.ones(3), 1), "needs 2 axes or more"),
        (lambda: ad.hsplit(1.0, 1), "needs 1 axes or more"),
        (lambda: ad.fliplr(np.ones(3)), "needs 2 axes or more"),
        (lambda: ad.unstack(1.0), "needs 1 axes or more"),
        (lambda: ad.repeat(table, [1, 2], axis=1), "give one, or as many"),
        (lambda: ad.resize(table, (-1, 2)), "a length is negative"),
        (lambda: ad.diag(cube), "takes a vector or a matrix"),
        (lambda: ad.split(table, 4), "into 4 equal parts"),
        (lambda: ad.reshape(table.T, 6, copy=False), "which copy=False forbids"),
        (lambda: ad.apply_along_axis(np.sum, 0, np.ones((3, 0))), "found no vector"),
        (
            lambda: ad.apply_over_axes(lambda x, axis: x[None], table, 0),
            "keeps 2 axes or folds one",
        ),
        (lambda: ad.concat([]), "at least one array"),
        (lambda: ad.stack([table, cube]), "arrays of one shape"),
        (lambda: ad.stack([[ad.Tensor(1.0), 2.0], [3.0]]), "arrays of one shape"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call, words):
    with pytest.raises(ShapeError, match=words):
        call()


@pytest.mark.parametrize("order", ["C", "F", "A"])
@pytest.mark.parametrize("x", [table, table.T, np.asfortranarray(cube), cube[:, ::2]])
def test_reshape_and_ravel_follow_an_order_as_numpy_does(order, x):
    np.testing.assert_array_equal(ad.reshape(x, -1, order), np.reshape(x, -1, order))
    np.testing.assert_array_equal(ad.ravel(x, order), np.ravel(x, order))
    tracked = ad.reshape(ad.Tensor(x), (2, -1), order).detach().numpy()
    np.testing.assert_array_equal(tracked, np.reshape(x, (2, -1), order))
    slope = ad.grad(lambda y: ad.reshape(y, -1, order) @ np.reshape(x, -1, order))(x)
    np.testing.assert_array_equal(slope, x)


def test_a_copy_is_a_copy():
    x = np.ones(4)
    assert ad.reshape(x, (2, 2), copy=False).base is x
    assert ad.reshape(x, (2, 2), copy=True).base is not x
    t = ad.Tensor(x)
    t2 = ad.reshape(t, (2, 2), copy=True)
    t2[0, 0] = 5.0
    assert t.detach().numpy()[0] == 1.0
    assert ad.copy(x) is not x


@pytest.mark.parametrize(
    "make",
    [
        lambda x: ad.tile(x, 2),
        lambda x: ad.repeat(x, 2),
        lambda x: ad.resize(x, 5),
        lambda x: ad.meshgrid(x, x)[0],
        lambda x: ad.pad(x, 0),
        lambda x: ad.copy(x),
        lambda x: ad.full((2, 3), x),
        lambda x: ad.block(x),
    ],
)
def test_results_of_their_own_can_be_written_into(make):
    x = ad.Tensor(np.array([1.0, 2.0, 3.0]))
    out = make(x)
    out[..., 0] = 7.0
    assert x.detach().numpy().tolist() == [1, 2, 3]
    assert out.detach().numpy()[..., 0].ravel()[0] == 7


def test_diagonal_and_trace_take_numpys_axes():
    for axes in ((0, 1), (1, 2), (2, 0), (-1, -2)):
        np.testing.assert_array_equal(ad.diagonal(cube, 1, *axes), np.diagonal(cube, 1, *axes))
    np.testing.assert_array_equal(ad.diagonal(cube), np.diagonal(cube))


def test_lists_hold_what_is_remembered():
    def f(x):
        return ad.hstack([[x[0], 1.0], ad.vstack([x, [x[1], 2.0]]).sum(0), x[0]])

    x = np.array([3.0, 4.0])
    assert f(x).tolist() == [3, 1, 7, 6, 3]
    np.testing.assert_array_equal(ad.jacobian(f)(x), [[1, 0], [0, 0], [1, 1], [0, 1], [1, 0]])


def test_trimming_goes_by_the_values():
    x = np.array([0.0, 0.0, 1.0, 0.0, 2.0, 0.0])
    for trim in "f", "b", "fb", "BF":
        want = np.trim_zeros(x, trim.lower())
        np.testing.assert_array_equal(ad.trim_zeros(x, trim), want)
    slope = ad.grad(lambda x: ad.trim_zeros(x) @ np.array([1.0, 2.0, 3.0]))(x)
    np.testing.assert_array_equal(slope, [0, 0, 1, 2, 3, 0])
    assert ad.trim_zeros(np.zeros(3)).shape == (0,)
    assert ad.trim_zeros(np.zeros(3), "f").shape == (0,)
    assert ad.trim_zeros(2.0) == 2.0
    grid = np.zeros((4, 5))
    grid[1, 2:4] = 1
    assert ad.trim_zeros(grid).shape == (1, 2)
    assert ad.trim_zeros(grid, axis=1).shape == (4, 2)
    assert ad.trim_zeros(grid, "f", axis=0).shape == (3, 5)
    np.testing.assert_array_equal(ad.vmap(ad.trim_zeros)(np.stack([x, 2 * x])).shape, (2, 3))
    with pytest.raises(BatchError, match="different shapes"):
        ad.vmap(ad.trim_zeros)(np.array([[0.0, 1.0], [1.0, 1.0]]))


def test_what_is_inserted_takes_the_dtype_of_the_array():
    assert ad.insert(np.array([1, 2]), 1, 9.5).tolist() == [1, 9, 2]
    assert ad.insert(np.ones(2, np.float32), [0], 9.5).dtype == np.float32
    assert ad.insert(np.ones(2), 1, ad.Tensor(2.0)).shape == (3,)
    assert ad.insert(np.ones(2), [], []).tolist() == [1, 1]
    with pytest.raises(IndexError):
        ad.insert(np.ones(2), 5, 1.0)
    with pytest.raises(IndexError):
        ad.delete(np.ones(2), 5)


def test_windows_are_a_view_and_their_gradient_needs_no_room():
    x = ad.Tensor(np.ones(100_000))
    tracemalloc.start()
    y = ad.sliding_window_view(x, 100)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert y.shape == (99_901, 100)
    assert ad.sliding_window_view(table, (1, 2)).shape == (2, 2, 1, 2)
    with pytest.raises(ShapeError, match="sliding_window_view"):
        ad.sliding_window_view(ad.Tensor(np.ones(2)), 3)


def test_a_convolution_made_of_windows():
    x, w = np.random.default_rng(0).normal(size=(2, 5, 5))
    w = w[:3, :3]

    def f(x, w):
        return ad.sum(ad.sliding_window_view(x, (3, 3)) * w, axis=(-1, -2))

    assert f(x, w).shape == (3, 3)
    ad.check_grads(f, (x, w))


def test_a_function_along_an_axis_sees_vectors():
    seen = []

    def f(v, a, b=0.0):
        seen.append(v.shape)
        return ad.array([v[0] * a, v.sum() + b])

    got = ad.apply_along_axis(f, 1, cube, 2.0, b=1.0)
    want = np.apply_along_axis(lambda v: np.array([v[0] * 2, v.sum() + 1]), 1, cube)
    np.testing.assert_array_equal(got, want)
    assert set(seen) == {(3,)}
    ad.check_grads(lambda x: ad.apply_along_axis(f, 0, x, 2.0), (table,))
