"""Making arrays: what comes back, that it can be written into, and what is refused."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import DataError, ShapeError


def test_what_is_made_of_nothing_can_be_written_into():
    def f(x):
        total = 0.0
        for make in (
            lambda: ad.zeros((2, 2)),
            lambda: ad.ones((2, 2)),
            lambda: ad.empty((2, 2)),
            lambda: ad.full((2, 2), 3.0),
            lambda: ad.eye(2),
            lambda: ad.identity(2),
            lambda: ad.tri(2),
            lambda: ad.zeros_like(x),
            lambda: ad.ones_like(x),
            lambda: ad.empty_like(x),
            lambda: ad.full_like(x, 2.0),
            lambda: ad.full((2, 2), x[0, 1]),
        ):
            out = make()
            assert not isinstance(out, np.ndarray)
            out[0, 0] = x[0, 0] ** 2
            total = total + out.sum()
        return total

    x = np.arange(4.0).reshape(2, 2) + 1
    np.testing.assert_array_equal(ad.grad(f)(x), [[24, 3], [0, 0]])
    rows = np.stack([x, 2 * x])
    np.testing.assert_array_equal(ad.vmap(ad.grad(f))(rows), [ad.grad(f)(r) for r in rows])
    assert ad.jvp(f, (x,), (np.ones((2, 2)),))[1] == 27


def test_of_integers_and_plain_arrays_arrays_are_made():
    for out in (ad.zeros(3, int), ad.full(3, 7), ad.eye(2, dtype=bool), ad.arange(3)):
        assert isinstance(out, np.ndarray)
    for out in (ad.zeros_like(np.ones(3)), ad.full_like(np.ones(3), 2.0)):
        assert isinstance(out, np.ndarray) and out.dtype == float
    assert ad.zeros_like(ad.Tensor(np.ones(3, np.float32))).dtype == np.float32
    assert ad.zeros_like(np.ones(3, int)).dtype == int
    assert ad.ones_like(ad.Tensor(1.0), shape=(2, 3)).shape == (2, 3)
    assert ad.full((2,), 1.0, np.float32).dtype == np.float32


def test_nothing_that_is_made_is_tracked():
    for out in (ad.zeros(2), ad.eye(2), ad.zeros_like(ad.Tensor(np.ones(2)))):
        assert not out.tracked


def test_array_puts_together_what_lists_hold():
    def f(x):
        return ad.array([[x[0], 1.0, 2.0], [3.0, x[1] * x[0], 4.0]])

    x = np.array([3.0, 4.0])
    assert f(x).tolist() == [[3, 1, 2], [3, 12, 4]]
    jacobian = ad.jacobian(f)(x)
    assert jacobian[0, 0].tolist() == [1, 0] and jacobian[1, 1].tolist() == [4, 3]
    assert np.count_nonzero(jacobian) == 3
    np.testing.assert_array_equal(ad.vmap(f)(np.stack([x, x]))[1], f(x))
    assert ad.array([ad.Tensor(np.ones((2, 2))), np.zeros((2, 2))]).shape == (2, 2, 2)
    assert ad.array([], dtype=np.float32).dtype == np.float32
    assert ad.array([ad.Tensor(1.0), 2], dtype=np.float32).dtype == np.float32
    assert ad.array(ad.Tensor(1.0), ndmin=2).shape == (1, 1)
    assert ad.array([ad.Tensor(1.0), 2j]).dtype == complex


def test_array_of_a_tensor_is_its_own():
    t = ad.Tensor(np.ones(2))
    other = ad.array(t)
    other[0] = 5.0
    assert t.detach().numpy().tolist() == [1, 1]
    assert ad.asarray(t) is t and ad.array(t, copy=False) is t


@pytest.mark.parametrize("rows", [[[ad.Tensor(1.0), 2.0], [3.0]], [[1.0, 2.0], [3.0]]])
def test_ragged_lists_are_refused(rows):
    with pytest.raises(ShapeError, match="rows of different shapes"):
        ad.concat([rows, rows])
    with pytest.raises(ShapeError, match="rows of different shapes"):
        ad.array([ad.Tensor(1.0), rows])


def test_spaced_numbers_are_numpys():
    for args in ((0.0, 1.0, 5), (0, 7, 4, False), (2.0, 2.0, 3), (1.0, 5.0, 1), (1.0, 2.0, 0)):
        np.testing.assert_array_equal(ad.linspace(*args), np.linspace(*args))
    assert ad.linspace(0, 9, 4, dtype=int).tolist() == np.linspace(0, 9, 4, dtype=int).tolist()
    assert ad.linspace(0, 9.5, 4, dtype=int).tolist() == np.linspace(0, 9.5, 4, dtype=int).tolist()
    assert ad.linspace(ad.Tensor(0.0), 1.0, 3, dtype=np.float32).dtype == np.float32
    assert ad.linspace(0.0, 1.0, 3, retstep=True)[1] == 0.5
    assert np.isnan(ad.linspace(0.0, 1.0, 1, retstep=True)[1])
    assert ad.logspace(0, 2, 3, dtype=int).tolist() == [1, 10, 100]
    assert ad.geomspace(-1, -8, 4, dtype=np.float32).tolist() == [-1, -2, -4, -8]
    assert ad.geomspace(1.0, 1000.0, 4)[-1] == 1000.0
    assert ad.arange(1.0, 2.0, 0.5).tolist() == [1, 1.5]


def test_what_cannot_be_spaced_is_refused():
    with pytest.raises(DataError, match="cannot make -1"):
        ad.linspace(0.0, 1.0, -1)
    with pytest.raises(DataError, match="has no ratio"):
        ad.geomspace(0.0, 1.0)
    with pytest.raises(DataError, match="jumps with its ends"):
        ad.arange(ad.Tensor(3.0))
    with pytest.raises(ShapeError, match="cannot fill"):
        ad.full((3,), ad.Tensor(np.ones((2, 3))))
    with pytest.raises(ad.errors.AdjointError):
        ad.full((3,), ad.Tensor(np.ones(2)))
