"""An index that `vmap` maps: a gather, equal to the loop in value and in every derivative."""

import functools
import itertools

import numpy as np
import pytest

import adjoint as ad
from adjoint.backends.namespace import NUMPY
from adjoint.errors import BatchError, ConversionError
from adjoint.ops import batch
from adjoint.ops.index import frozen, put

EXAMPLES = 3
SHAPES = [(), (1,), (2,), (3, 2), (0,)]
EVERY = slice(None)
INDICES = {
    "i": lambda i, j: i,
    "i, j": lambda i, j: (i, j),
    "i, j, i, j": lambda i, j: (i, j, i, j),
    ":, i": lambda i, j: (EVERY, i),
    ":, i, j": lambda i, j: (EVERY, i, j),
    ":, :, i, j": lambda i, j: (EVERY, EVERY, i, j),
    ":, i, :, j": lambda i, j: (EVERY, i, EVERY, j),
    "..., i": lambda i, j: (..., i),
    "i, ...": lambda i, j: (i, ...),
    "i, ..., j": lambda i, j: (i, ..., j),
    "i, j, :, :, ...": lambda i, j: (i, j, EVERY, EVERY, ...),
    "i, :, :, ..., j": lambda i, j: (i, EVERY, EVERY, ..., j),
    "None, i": lambda i, j: (None, i),
    "None, i, None": lambda i, j: (None, i, None),
    "i, None, j": lambda i, j: (i, None, j),
    "1:, i, None, ..., j": lambda i, j: (slice(1, None), i, None, ..., j),
    "::-1, i": lambda i, j: (slice(None, None, -1), i),
    "i, 1:3": lambda i, j: (i, slice(1, 3)),
    "0, i": lambda i, j: (0, i),
    "i, j, None, -1": lambda i, j: (i, j, None, np.int64(-1)),
    "i, [0, 1]": lambda i, j: (i, [0, 1]),
    "i, array": lambda i, j: (i, np.array(1)),
    "[i, j]": lambda i, j: [i, j],
    ":, [j, i], 0": lambda i, j: (EVERY, [j, i], 0),
    "True, i": lambda i, j: (True, i),
    "i, False": lambda i, j: (i, False),
    ":, True, :, i": lambda i, j: (EVERY, True, EVERY, i),
    "mask, i": lambda i, j: (np.array([True, False]), i),
    "i, masks": lambda i, j: (i, np.ones((3, 4), bool)),
    "i, :, mask": lambda i, j: (i, EVERY, np.array([True, False, True, True])),
}
MAPPED = [(0, 0, 0), (0, 0, None), (0, None, 0), (None, 0, 0), (None, 0, None)]
each = pytest.mark.parametrize("name", INDICES)


@pytest.fixture
def no_loop(monkeypatch):
    """The loop that serves any op must not be needed."""

    def refuse(*args):
        raise AssertionError("one example at a time")

    monkeypatch.setattr(batch, "looped", refuse)


def example(n, axes, args):
    return [a[n] if axis == 0 else a for a, axis in zip(args, axes, strict=True)]


def loop(f, axes, *args):
    return np.stack([f(*example(n, axes, args)) for n in range(EXAMPLES)])


def with_arrays(index):
    """The same index as NumPy takes it."""
    if isinstance(index, tuple):
        return tuple(map(with_arrays, index))
    return np.array(index) if isinstance(index, list) else index


@each
@pytest.mark.parametrize("axes", MAPPED, ids=str)
def test_every_form_of_index_is_that_of_the_loop(rng, no_loop, name, axes):
    """Value, both modes, a derivative inside and outside of the map; what NumPy refuses, too."""
    index = INDICES[name]

    def f(x, i, j):
        return (ad.Tensor(x).detach() if type(x) is np.ndarray else x)[index(i, j)] * 2.0

    def slope(x, i, j, w):
        return ad.grad(lambda x: (f(x, i, j) * w).sum())(x)

    def added(x, i, j, w):
        out = np.zeros(x.shape)
        np.add.at(out, with_arrays(index(i, j)), 2 * w)
        return out

    for shapes in itertools.product(SHAPES, SHAPES):
        args = [rng.normal(size=(EXAMPLES, 2, 3, 4, 2))]
        args += [rng.integers(-2, 2, (EXAMPLES, *form)) for form in shapes]
        x, *rest = args = [a if axis == 0 else a[0] for a, axis in zip(args, axes, strict=True)]
        mapped = functools.partial(ad.vmap(lambda i, j, x: f(x, i, j), (*axes[1:], axes[0])), *rest)
        try:
            want = loop(lambda x, i, j: 2 * x[with_arrays(index(i, j))], axes, *args)
        except (IndexError, ValueError):
            with pytest.raises((IndexError, ValueError)):
                mapped(x)
            continue
        np.testing.assert_array_equal(ad.stop_gradient(mapped(x)), want)
        w, t = rng.normal(size=want.shape), rng.normal(size=x.shape)
        want = loop(added, (*axes, 0), *args, w)
        np.testing.assert_allclose(ad.vmap(slope, (*axes, 0))(*args, w), want)
        (pulled,) = ad.vjp(mapped, x)[1](w)
        np.testing.assert_allclose(pulled, want if axes[0] == 0 else want.sum(0))
        pushed = ad.jvp(mapped, (x,), (t,))[1]
        np.testing.assert_array_equal(pushed, ad.stop_gradient(mapped(t)))


@pytest.mark.parametrize("inner", MAPPED, ids=str)
@pytest.mark.parametrize("outer", MAPPED, ids=str)
def test_maps_nest(rng, no_loop, inner, outer):
    """An index of one map, an array of another, or both of both."""

    def f(x, i, j):
        return ad.sin(x)[i, :, j]

    x = rng.normal(size=(2, 4, 5, 2, 3))
    i, j = rng.integers(-3, 3, (2, 4, 2)), rng.integers(-3, 3, (2, 4))
    args = [x, i, j]
    for n, (a, b) in enumerate(zip(outer, inner, strict=True)):
        args[n] = args[n] if a == 0 else args[n][0]
        args[n] = args[n] if b == 0 else args[n][(EVERY, 0) if a == 0 else 0]
    args = [ad.Tensor(args[0]), *args[1:]]
    both = ad.vmap(ad.vmap(f, inner), outer)
    got = both(*args)
    assert got.shape[:2] == (2, 4)
    value = args[0].data

    def one(m, n):
        return f(*example(n, inner, example(m, outer, [value, *args[1:]])))

    want = np.stack([np.stack([one(m, n) for n in range(4)]) for m in range(2)])
    np.testing.assert_array_equal(got.data, want)
    ad.check_grads(lambda x: both(x, *args[1:]), (value,))


@each
@pytest.mark.parametrize("axes", MAPPED, ids=str)
def test_writing_at_a_mapped_index_is_the_loop(rng, no_loop, name, axes):
    """Of several writes to one element the last one counts, and it alone has a derivative."""
    index = INDICES[name]

    def write(x, i, j, y):
        return put(x, frozen(index(i, j)), y)

    def written(x, i, j, y):
        out = x.copy()
        out[with_arrays(index(i, j))] = y
        return out

    for shapes in [((), ()), ((2,), (2,)), ((3, 1), (2,))]:
        args = [rng.normal(size=(EXAMPLES, 2, 3, 4, 2))]
        args += [rng.integers(-2, 2, (EXAMPLES, *form)) for form in shapes]
        x, *_ = args = [a if axis == 0 else a[0] for a, axis in zip(args, axes, strict=True)]
        try:
            picked = loop(lambda x, i, j: x[with_arrays(index(i, j))], axes, *args)
        except (IndexError, ValueError):
            continue
        mapped = ad.vmap(write, (*axes, 0))
        y = rng.normal(size=picked.shape)
        want = loop(written, (*axes, 0), *args, y)
        np.testing.assert_array_equal(mapped(*args, y), want)
        np.testing.assert_array_equal(
            ad.vmap(write, (*axes, None))(*args, 5.0), loop(written, (*axes, None), *args, 5.0)
        )
        ct = rng.normal(size=want.shape)
        back_x, back_y = ad.vjp(functools.partial(at_both, mapped, args[1:]), x, y)[1](ct)
        last = loop(written, (*axes, 0), *[args[0] * 0, *args[1:]], y * 0 + 1.0)
        want = ct * (1 - last)
        np.testing.assert_array_equal(back_x, want if axes[0] == 0 else want.sum(0))
        np.testing.assert_allclose((back_y * y).sum(), (ct * last * mapped(*args, y)).sum())


def at_both(f, between, x, y):
    return f(x, *between, y)


@pytest.fixture
def table(rng):
    return rng.normal(size=(4, 5)), np.array([0, 2, 4, 2])


def cross_entropy(w, x, label):
    return -ad.log_softmax(ad.tanh(x @ w))[label]


def test_per_example_gradients_of_a_loss_with_labels(rng, table, no_loop):
    x, label = table
    w = rng.normal(size=(5, 6))
    want = np.stack([ad.grad(cross_entropy)(w, a, int(k)) for a, k in zip(x, label, strict=True)])
    np.testing.assert_allclose(
        ad.vmap(ad.grad(cross_entropy), (None, 0, 0))(w, x, label), want, rtol=1e-12
    )
    total = ad.grad(lambda w: ad.vmap(cross_entropy, (None, 0, 0))(w, x, label).sum())(w)
    np.testing.assert_allclose(total, want.sum(0))
    curved = ad.vmap(ad.hessian(cross_entropy, 1), (None, 0, 0))(w, x, label)
    want = np.stack(
        [ad.hessian(cross_entropy, 1)(w, a, int(k)) for a, k in zip(x, label, strict=True)]
    )
    np.testing.assert_allclose(curved, want, atol=1e-14)
    ad.check_grads(lambda w, x: ad.vmap(cross_entropy, (None, 0, 0))(w, x, label), (w, x))


def test_a_chosen_position_is_an_index(table, no_loop):
    x, _ = table
    got = ad.vmap(lambda x: x[ad.argmax(x)])(x)
    np.testing.assert_array_equal(got, x.max(1))
    got = ad.vmap(ad.grad(lambda x: x[ad.argmax(x)] ** 2))(x)
    np.testing.assert_allclose(got, 2 * x * (x == x.max(1, keepdims=True)))
    got = ad.vmap(lambda x: x[ad.argsort(x)])(x)
    np.testing.assert_array_equal(got, np.sort(x, 1))
    got = ad.vmap(lambda x: x[ad.argsort(x)[::-1][:2]])(x)
    np.testing.assert_array_equal(got, np.sort(x, 1)[:, :2:-1])


def test_a_jacobian_of_a_choice_goes_by_one_batched_pass(table, no_loop):
    x, _ = table

    def f(x):
        return ad.square(x)[ad.argsort(x)]

    want = 2 * np.eye(5)[x[0].argsort()] * x[0]
    for mode in ("fwd", "rev"):
        np.testing.assert_allclose(ad.jacobian(f, mode=mode)(x[0]), want)
        got = ad.vmap(ad.jacobian(f, mode=mode))(x)
        np.testing.assert_allclose(got[0], want)
    np.testing.assert_allclose(
        ad.hessian(lambda x: f(x)[0])(x[0]), 2 * np.diag(np.eye(5)[x[0].argmin()])
    )


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("shared", [True, False])
def test_take_is_mapped(rng, no_loop, axis, shared):
    x = rng.normal(size=(4, 3, 2))
    for form in [(), (3,), (2, 2)]:
        i = rng.integers(-2, 2, (4, *form))
        axes = (None if shared else 0, 0)
        got = ad.vmap(lambda x, i: ad.take(x, i, axis), axes)(x[0] if shared else x, i)
        want = [np.take(x[0 if shared else n], i[n], axis) for n in range(4)]
        np.testing.assert_array_equal(got, want)


def test_take_of_a_list_of_positions(table):
    x, k = table
    got = ad.vmap(lambda x, k: ad.take(x, [k, 0, -k]))(x, k)
    np.testing.assert_array_equal(got, np.stack([x[n, [k[n], 0, -k[n]]] for n in range(4)]))
    got = ad.vmap(lambda k: ad.take([1.0, 2.0, 3.0, 4.0, 5.0], [[k], [1]]))(k)
    np.testing.assert_array_equal(got[:, :, 0], np.stack([k + 1.0, np.full(4, 2.0)], 1))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_take_along_an_axis_is_mapped(rng, no_loop, axis):
    x, i = rng.normal(size=(4, 3, 2)), rng.integers(0, 2, (4, 3, 2))

    def f(x, i):
        return ad.take_along_axis(x, i, axis)

    want = np.stack([np.take_along_axis(*both, axis) for both in zip(x, i, strict=True)])
    np.testing.assert_array_equal(ad.vmap(f)(x, i), want)
    want = np.stack([np.take_along_axis(x[0], one, axis) for one in i])
    np.testing.assert_array_equal(ad.vmap(f, (None, 0))(x[0], i), want)
    ad.check_grads(lambda x: ad.vmap(f)(x, i), (x,))
    ad.check_grads(lambda x: ad.vmap(f, (None, 0))(x, i), (x[0],))


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.uint64, np.int32])
def test_integers_of_any_width_are_indices(table, kind):
    x, k = table
    got = ad.vmap(lambda x, k: x[k])(x, k.astype(kind))
    np.testing.assert_array_equal(got, x[np.arange(4), k])


def test_what_is_shared_is_not_repeated(rng, monkeypatch):
    """One gather from one table, and one sum into it on the way back."""
    table, k = rng.normal(size=(500, 40)), np.arange(100)
    seen = []
    original = NUMPY.index_add

    def counted(x, shape, index):
        seen.append(shape)
        return original(x, shape, index)

    monkeypatch.setattr(NUMPY, "index_add", counted, raising=False)
    slope = ad.grad(lambda t: ad.vmap(lambda k: ad.take(t, k, axis=0))(k).sum())(table)
    assert seen == [(500, 40)]
    np.testing.assert_array_equal(slope, (np.arange(500) < 100)[:, None] * np.ones(40))


def test_single_precision_and_complex_numbers_stay(table):
    x, k = table
    for dtype in (np.float32, np.complex64):
        assert ad.vmap(lambda x, k: x[k])(x.astype(dtype), k).dtype == dtype
        slope = ad.vmap(ad.grad(lambda x, k: (x[k] * x[k].conj()).real))(x.astype(dtype), k)
        assert slope.dtype == dtype


def test_no_example_at_all(table):
    x, k = table
    assert ad.vmap(lambda x, k: x[[k, 0], None])(x[:0], k[:0]).shape == (0, 2, 1)
    assert ad.vmap(lambda k: ad.take(x, k, axis=1))(k[:0]).shape == (0, 4)


def test_chunks_change_nothing(table):
    x, k = table
    got = ad.vmap(lambda x, k: x[k], chunk_size=3)(x, k)
    np.testing.assert_array_equal(got, x[np.arange(4), k])


def test_a_checkpoint_and_a_custom_rule_may_hold_a_mapped_index(table):
    x, k = table

    def f(x, k):
        return ad.square(x)[k]

    want = 2 * np.where(np.arange(5) == k[:, None], x, 0.0)
    np.testing.assert_array_equal(ad.vmap(ad.grad(ad.checkpoint(f)))(x, k), want)
    own = ad.custom(f, vjp=lambda ct, x, k: (ad.grad(f)(x, k) * ct, None))
    np.testing.assert_array_equal(ad.vmap(ad.grad(own))(x, k), want)


def test_assignment_at_a_mapped_index_is_the_loop(table, no_loop):
    x, k = table
    v = np.array([1.0, -2.0, 3.0, 0.5])

    def f(x, k, v):
        y = x * 2.0
        y[k] = v * v
        y[k - 1] += 3.0 * v
        tail = y[1:]
        tail[k // 2] *= 2.0
        return y

    want = np.stack([f(*one) for one in zip(x, k, v, strict=True)])
    np.testing.assert_array_equal(ad.vmap(f)(x, k, v), want)
    ad.check_grads(lambda x, v: ad.vmap(f)(x, k, v), (x, v))
    ad.check_grads(lambda x, v: ad.vmap(f, (None, 0, 0))(x, k, v), (x[0], v))


# what is refused


def test_a_mapped_mask_is_refused(table):
    """It would pick more of one example than of another."""
    x, _ = table
    with pytest.raises(BatchError, match=r"mask .* `ad\.where"):
        ad.vmap(lambda x: x[x > 0])(x)
    with pytest.raises(BatchError, match="mask"):
        ad.vmap(lambda x: x[None, x > 0, ...])(x)


def test_an_array_of_numpys_asks_for_take(table):
    """NumPy converts the index before we see it."""
    x, k = table
    for f in (lambda k: x[k], lambda k: x[0, k], lambda k: [1, 2, 3, 4, 5][k]):
        with pytest.raises(ConversionError, match=r"ad\.take\(array, i, axis=0\)"):
            ad.vmap(f)(k)


def test_bounds_of_a_slice_cannot_be_mapped(table):
    x, k = table
    with pytest.raises(ConversionError, match=r"bounds of a slice .* i \+ np\.arange\(n\)"):
        ad.vmap(lambda x, k: x[k : k + 1])(x, k)
    with pytest.raises(ConversionError, match="bounds of a slice"):
        ad.vmap(lambda x, k: x[k, :k])(np.stack([x, x], 1), k)
    got = ad.vmap(lambda x, k: ad.take(x, k - 1 + np.arange(2)))(x, k)
    np.testing.assert_array_equal(got[1], x[1, 1:3])


def test_an_index_out_of_range_is_refused(table):
    x, k = table
    with pytest.raises(IndexError, match=r"gather.* index 5 is out of bounds for axis"):
        ad.vmap(lambda x, k: x[k])(x, k + 1)
    with pytest.raises(IndexError, match="too many indices"):
        ad.vmap(lambda x, k: x[k, 0])(x, k)
    with pytest.raises(IndexError, match="single ellipsis"):
        ad.vmap(lambda x, k: x[..., k, ...])(x, k)
    with pytest.raises(IndexError, match="boolean"):
        ad.vmap(lambda x, k: x[k, np.ones(4, bool)])(np.stack([x, x], 1), k[:4])


def test_numbers_that_are_no_integers_are_no_index(table):
    x, k = table
    with pytest.raises(IndexError, match="integer"):
        ad.vmap(lambda x, k: x[k])(x, k + 0.5)
