"""Padding: every mode against NumPy over many widths, and what is refused."""

import itertools

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import DataError, ShapeError

rng = np.random.default_rng(0)
OPTIONS = dict(
    constant=[{}, dict(constant_values=2.5), dict(constant_values=(1, 2))],
    edge=[{}],
    linear_ramp=[{}, dict(end_values=2.5), dict(end_values=((1, 2),))],
    maximum=[{}, dict(stat_length=2)],
    mean=[{}, dict(stat_length=(1, 3))],
    median=[{}, dict(stat_length=2)],
    minimum=[{}, dict(stat_length=((2, 1),))],
    reflect=[{}, dict(reflect_type="odd")],
    symmetric=[{}, dict(reflect_type="odd")],
    wrap=[{}],
)
CASES = [(mode, options) for mode in OPTIONS for options in OPTIONS[mode]]


@pytest.mark.parametrize(("mode", "options"), CASES)
@pytest.mark.parametrize("dtype", [float, np.float32, int, complex])
def test_values_are_numpys(mode, options, dtype):
    for shape, width in itertools.product(
        [(5,), (1,), (3, 4), (2, 1, 3)], [1, (2, 0), (0, 3), ((1,),)]
    ):
        x = (10 * rng.normal(size=shape)).astype(dtype)
        want = np.pad(x, width, mode, **options)
        got = ad.pad(x, width, mode, **options)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-6 if dtype is np.float32 else 1e-13)
        if dtype is not int:
            tracked = ad.pad(ad.Tensor(x), width, mode, **options)
            np.testing.assert_array_equal(tracked.detach().numpy(), got)
            assert tracked.dtype == want.dtype


def position(i, n, mode):
    """Where the element i of a line of n, continued without end, comes from."""
    if mode == "wrap":
        return i % n
    if mode == "edge":
        return min(max(i, 0), n - 1)
    period = 2 * n if mode == "symmetric" else max(2 * n - 2, 1)
    i %= period
    return i if i < n else (period - 1 - i if mode == "symmetric" else period - i)


@pytest.mark.parametrize("mode", ["wrap", "edge", "symmetric", "reflect"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_margins_longer_than_the_array_go_round_again(mode, n):
    x, before, after = np.arange(1.0, n + 1), 8, 11
    sources = [position(i, n, mode) for i in range(-before, n + after)]
    np.testing.assert_array_equal(ad.pad(x, (before, after), mode), x[sources])
    weights = rng.normal(size=len(sources))
    slope = ad.grad(lambda x: ad.pad(x, (before, after), mode) @ weights)(x)
    np.testing.assert_allclose(slope, np.bincount(sources, weights, n))


@pytest.mark.parametrize("mode", ["symmetric", "reflect"])
def test_odd_mirrors_continue_a_line(mode):
    x = np.arange(4.0)
    got = ad.pad(x, 9, mode, reflect_type="odd")
    steps = np.diff(got)
    assert set(steps.tolist()) <= {0.0, 1.0}
    assert (steps == 1).all() == (mode == "reflect")


def test_constants_and_ends_may_be_tracked():
    x = np.array([1.0, 2.0])

    def f(x, c):
        return ad.pad(x, (2, 3), constant_values=(c, c * c))

    assert f(x, 3.0).tolist() == [3, 3, 1, 2, 9, 9, 9]
    dx, dc = ad.grad(lambda x, c: f(x, c).sum(), (0, 1))(x, 3.0)
    assert dx.tolist() == [1, 1] and dc == 2 + 3 * 6
    ad.check_grads(
        lambda x, c: ad.pad(x, 1, constant_values=c), (np.ones((2, 2)), rng.normal(size=(2, 2)))
    )
    ad.check_grads(lambda x, c: ad.pad(x, 2, "linear_ramp", end_values=c), (x, 3.0))
    rows = ad.vmap(lambda c: ad.pad(x, 1, constant_values=c))(np.array([5.0, 6.0]))
    assert rows.tolist() == [[5, 1, 2, 5], [6, 1, 2, 6]]


def test_widths_come_in_all_forms():
    x = np.ones((2, 3))
    for width, want in [
        (1, (4, 5)), ((1, 2), (5, 6)), (((1, 2), (3, 4)), (5, 10)), (((1,), (2,)), (4, 7)),
        ({0: 1}, (4, 3)), ({-1: (1, 2)}, (2, 6)), ({0: (3, 0), 1: 2}, (5, 7)), ({}, (2, 3)),
        (np.uint8(1), (4, 5)),
    ]:  # fmt: skip
        assert ad.pad(x, width).shape == ad.pad(x, width, "wrap").shape == want


def test_what_cannot_be_padded_is_refused():
    x = np.ones((2, 0))
    with pytest.raises(DataError, match="by a function"):
        ad.pad(x, 1, lambda vector, width, axis, kwargs: None)
    with pytest.raises(DataError, match="has the modes constant"):
        ad.pad(x, 1, "mirror")
    with pytest.raises(TypeError, match="no parameter end_values"):
        ad.pad(x, 1, end_values=3)
    with pytest.raises(TypeError, match="needs integers"):
        ad.pad(x, 1.5)
    with pytest.raises(ShapeError, match="a width is negative"):
        ad.pad(x, -1)
    with pytest.raises(ShapeError, match="a pair for each of 2 axes"):
        ad.pad(x, (1, 2, 3))
    with pytest.raises(ShapeError, match="no element to go by along axis 1"):
        ad.pad(x, 1, "edge")
    with pytest.raises(DataError, match="'even' or 'odd'"):
        ad.pad(np.ones(2), 1, "reflect", reflect_type="both")
    with pytest.raises(ShapeError, match="of no element"):
        ad.pad(np.ones(2), 1, "mean", stat_length=0)


def test_an_empty_axis_that_is_not_padded_stays_empty():
    assert ad.pad(np.ones((0, 2)), ((0, 0), (1, 1)), "edge").shape == (0, 4)
