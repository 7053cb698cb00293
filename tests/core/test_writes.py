"""Assignment, `+=`, views and views of views: values as NumPy's, and the derivative follows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adjoint as ad
from adjoint.errors import AdjointError, DataError, NotKeptError, ShapeError

X = np.array([1.0, -2.0, 3.0, 0.5, -1.5, 2.5])
M = X.reshape(2, 3)


def both(f, x=X, mapped=True):
    """f of an array and of a Tensor agree; its derivatives are right in every mode."""
    before = x.copy()
    want = f(x.copy())
    t = ad.Tensor(x)
    got = f(t * 1.0)
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-14)
    np.testing.assert_array_equal(x, before, "the user's array was changed")
    ad.check_grads(lambda x: f(x * 1.0), (x,))
    if mapped:
        got = ad.vmap(lambda x: f(x * 1.0))(np.stack([x, 2 * x]))
        np.testing.assert_allclose(got, [f(x.copy()), f(2 * x)], rtol=1e-14)


def writes(*statements):
    """The function that runs these statements on x and returns x and all views, in one vector."""
    text = "\n    ".join(["def f(x):", *statements, "return x"])
    exec(text, scope := {"np": np, "ad": ad, "M": M})
    return scope["f"]


PROGRAMS = {
    "an element": ["x[0] = x[1] * x[2]"],
    "a slice": ["x[1:3] = x[3:5] ** 2"],
    "a slice, broadcast": ["x[::2] = x[1]"],
    "a number": ["x[1:] = 2.0"],
    "an array": ["x[:3] = np.arange(3.0)"],
    "everything": ["x[...] = x[::-1] * x"],
    "a mask": ["x[np.array([True, False, True, False, False, True])] = x[:3] * x[3]"],
    "a mask of itself": ["x[x > 0] = x[x > 0] ** 2"],
    "a mask in place": ["x[M.ravel() < 0] *= x[1]"],
    "integers in place": ["x[[0, 2]] += x[[1, 1]]"],
    "integers": ["x[[0, 3, 5]] = x[[1, 1, 2]] * 3"],
    "integers that repeat": ["x[[0, 0, 5]] = x[1:4] ** 2"],
    "from itself, overlapping": ["x[1:] = x[:-1] * x[1:]"],
    "twice": ["x[0] = x[1] ** 2", "x[0] = x[0] * x[2]"],
    "overwritten": ["x[0] = x[1] ** 2", "x[0] = 1.0"],
    "add": ["x += x[::-1] * 2"],
    "every operator": ["x -= 1.0", "x *= x[1]", "x /= 3.0", "x **= 2"],
    "element by element": ["x[2] += x[0]", "x[2] *= x[2]", "x[-1] -= 1.0"],
    "a slice in place": ["x[1:4] *= x[2]"],
    "through a view": ["u = x[1:]", "u[0] = x[0] * 5", "x[2] = u[0] * u[3]"],
    "a view sees the base": ["u = x[2:5]", "x[3] = x[0] ** 2", "x = x + u.sum()"],
    "a view sees another": ["u, v = x[:4], x[2:]", "u[3] = x[0] ** 2", "x = x * v[1]"],
    "a view of a view": ["u = x[1:][::2]", "u[1] = x[0] * 7", "u *= 2.0"],
    "a reshaped view": ["u = x.reshape(2, 3)", "u[1, 0] = x[0] ** 2", "u[0] += u[1]"],
    "a transposed view": ["u = x.reshape(2, 3).T", "u[2] = x[0] * x[1]", "u[:, 0] -= u[0, 1]"],
    "an axis more": ["u = x[:, None]", "u[2, 0] = x[1] ** 2"],
    "a flipped view": ["u = np.flip(x)", "u[0] = x[0] * 3"],
    "ravel shows": ["u = x.reshape(2, 3).ravel()", "u[4] = x[0] * x[1]"],
    "ravel of a transpose copies": ["u = x.reshape(2, 3).T.ravel()", "u[1] = 9.0", "x = x * u[1]"],
    "flatten copies": ["u = x.flatten()", "u[4] = x[0] * x[1]", "x = x + u"],
    "an index copies": ["u = x[[1, 2]]", "u[0] = 5.0", "x[0] = u[0] * x[1]"],
    "a copy": ["u = x.copy()", "u[0] = x[1]", "x = x * u"],
    "a number is no view": ["u = x[0]", "u += 1.0", "x[1] = u"],
    "swapped rows": ["m = x.reshape(2, 3)", "m[0], m[1] = m[1].copy(), m[0].copy()"],
    "a view in place": ["u = x[::2]", "u += x[1::2]", "x *= 2.0", "u -= 1.0"],
    "a view outlives its base": ["u = (x * 2.0)[1:3]", "u[0] = x[0]", "x[:2] = u"],
    "old and new": ["y = x * x", "x[0] = 3.0", "x = x * y"],
    "split": ["u, v = np.split(x, 2)", "u[1] = v[2] ** 2"],
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_writes_are_those_of_numpy(name):
    both(writes(*PROGRAMS[name]), mapped=name != "a mask of itself")


STEPS = st.sampled_from(
    [
        "x[{i}] = x[{j}] * 1.5",
        "x[{i}] += x[{j}]",
        "u = x[{i}:]",
        "u = x[::-1][{i}:]",
        "u = u[::-1]",
        "u = x.reshape(2, 3)[:, 1]",
        "u = x.reshape(3, 2).T[0]",
        "u[0] = x[{j}] - x[{i}]",
        "u *= 1.25",
        "u[-1] += u[0]",
        "x[{i}:] = u[0]",
        "x[1:-1] = x[:-2]",
        "x -= x[{j}]",
        "u = u.copy()",
    ]
)


@given(st.lists(st.tuples(STEPS, st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=9))
@settings(max_examples=60, deadline=None)
def test_any_program_of_writes_is_numpys(steps):
    lines = [text.format(i=min(i, 4), j=j) for text, i, j in steps]
    f = writes("u = x[:3]", *lines, "x = x + u.sum()")
    want = f(X.copy())
    np.testing.assert_allclose(f(ad.Tensor(X) * 1.0).detach().numpy(), want, rtol=1e-13)
    rng = np.random.default_rng(0)
    v, w = rng.normal(size=6), rng.normal(size=6)
    slope = ad.grad(lambda x: (f(x) * w).sum())(X) @ v
    push = ad.jvp(f, (X,), (v,))[1] @ w
    h = 1e-5
    numeric = (f(X + h * v) - f(X - h * v)) @ w / (2 * h)
    np.testing.assert_allclose([slope, push], numeric, rtol=1e-6, atol=1e-6)


def test_writing_to_an_argument_leaves_the_callers_array_alone():
    def f(x):
        x[0] = 5.0
        return (x * x).sum()

    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(ad.grad(f)(x), [0.0, 4.0])
    np.testing.assert_array_equal(ad.jacfwd(f)(x), [0.0, 4.0])
    np.testing.assert_array_equal(x, [1.0, 2.0])


def test_an_array_is_filled_element_by_element():
    def f(x):
        out = ad.zeros(3)
        for i in range(3):
            out[i] = x[i] ** (i + 1)
        return out

    x = np.array([2.0, 3.0, 4.0])
    np.testing.assert_allclose(ad.jacobian(f)(x), np.diag([1.0, 6.0, 48.0]))
    np.testing.assert_allclose(ad.vmap(f)(np.stack([x, x])), [f(x).detach().numpy()] * 2)


def test_a_loop_of_writes_costs_one_step_each(monkeypatch):
    """No copy of the whole array for each element, forward or back."""
    n, copies = 200, []
    forward = ad.OPS["setitem"].forward
    monkeypatch.setattr(
        ad.OPS["setitem"], "forward", lambda *a, **k: copies.append(1) or forward(*a, **k)
    )
    x = ad.Tensor(np.ones(n))
    out = ad.zeros(n)
    for i in range(n):
        out[i] = x[i] * 2.0
    assert len(copies) <= 1
    (out * out).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(n, 8.0))
    assert len(copies) <= 2


def test_what_the_tape_kept_is_not_changed_by_a_write():
    x = ad.Tensor([1.0, 2.0])
    y = x * 3.0
    z = y * y
    y[0] = 100.0
    z.sum().backward()
    np.testing.assert_array_equal(x.grad, [18.0, 36.0])


def test_a_closure_may_be_written_to_while_an_inner_transform_needs_it():
    def f(x):
        y = x * 1.0

        def inner(s):
            out = s * y
            y[0] = 7.0
            return (out * out).sum()

        return ad.grad(inner)(2.0) + y[0]

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(ad.grad(f)(x), [8.0, 16.0])


def test_levels_meet_in_one_array():
    def f(x):
        def g(s):
            out = ad.zeros(2)
            out[0] = s * x
            out[1] = s * s
            return (out**2).sum()

        return ad.grad(g)(x)

    np.testing.assert_allclose(ad.grad(f)(2.0), (f(2.0 + 1e-5) - f(2.0 - 1e-5)) / 2e-5, rtol=1e-6)


def test_a_view_of_data_does_not_see_a_write():
    y = ad.Tensor([1.0, 2.0]) * 1.0
    before = y.data
    y[0] = 5.0
    np.testing.assert_array_equal(before, [1.0, 2.0])
    np.testing.assert_array_equal(y.data, [5.0, 2.0])


def test_a_leaf_that_is_written_to_says_where_its_gradient_went():
    w = ad.Tensor([1.0, 2.0])
    w[0] = 3.0
    with pytest.raises(NotKeptError, match="setitem"):
        w.grad  # noqa: B018


def test_without_tracking_a_leaf_is_updated_in_its_own_array():
    array = np.array([1.0, 2.0])
    w = ad.Tensor(array)
    with ad.no_grad():
        w -= 0.5
        w[0] = 9.0
    np.testing.assert_array_equal(array, [9.0, 1.5])
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad, [18.0, 3.0])


def test_without_tracking_a_leaf_is_updated_through_its_views():
    array = np.arange(6.0).reshape(2, 3)
    w = ad.Tensor(array)
    before = w[0]
    with ad.no_grad():
        w[1:] -= 10.0
        w.T[0] += 1.0
        w.reshape(-1)[5] = 7.0
        before *= 2.0
    np.testing.assert_array_equal(array, [[2.0, 2.0, 4.0], [-6.0, -6.0, 7.0]])
    assert w.data is array
    assert w.tracked
    assert w.op is None
    np.testing.assert_array_equal(before.data, array[0])


def test_without_tracking_a_leaf_that_is_a_number_is_updated():
    array = np.array(2.0)
    w = ad.Tensor(array)
    with ad.no_grad():
        w -= 0.5
    assert w.tracked
    assert w.op is None
    assert array == w.data == 1.5


def test_parts_of_complex_values_are_assigned():
    def f(x):
        z = x * (1 + 2j)
        z.real[0] = x[1]
        z.real *= x[2]
        z.imag *= x[3]
        z.imag += z.real
        return abs(z)

    both(f)
    x = ad.Tensor(X) * 1.0
    x.real = 2.0
    np.testing.assert_array_equal(x.data, np.full(6, 2.0))
    with pytest.raises(DataError, match="no imaginary part"):
        x.imag = 1.0


def test_numbers_are_not_written_to():
    total = start = ad.Tensor(1.0)
    total += 2.0
    assert (start.detach(), total.detach()) == (1.0, 3.0)


def test_what_is_written_takes_the_dtype():
    x = ad.Tensor(np.ones(3, np.float32)) * 1
    x[0] = np.float64(2.0)
    x += np.ones(3)
    assert x.dtype == np.float32
    z = ad.Tensor(np.ones(2, complex)) * 1
    z[0] = 2.0
    np.testing.assert_array_equal(z.data, [2.0, 1.0])


@pytest.mark.parametrize(
    ("write", "error", "says"),
    [
        (lambda x: x.__setitem__(9, 1.0), (AdjointError, IndexError), "9"),
        (lambda x: x.__setitem__(slice(2), np.ones(3)), ShapeError, "shape"),
        (lambda x: x.__setitem__(0, 1j), DataError, "imaginary part would be lost"),
        (lambda x: x.__iadd__(np.ones((2, 3))), ShapeError, "shape"),
        (lambda x: ad.diagonal(ad.reshape(x, (1, 3))).__setitem__(0, 1.0), DataError, "read-only"),
    ],
)
def test_a_write_that_does_not_fit_says_so_and_changes_nothing(write, error, says):
    x = ad.Tensor([1.0, 2.0, 3.0]) * 1.0
    with pytest.raises(error, match=says):
        write(x)
    np.testing.assert_array_equal(x.data, [1.0, 2.0, 3.0])


def test_dead_views_are_forgotten():
    x = ad.Tensor(np.ones(4)) * 1.0
    for _ in range(1000):
        x[1:]
    assert len(x.views) < 100


def test_a_gradient_of_a_gradient_passes_writes():
    def f(x):
        x = x * 1.0
        x[1:] *= x[:-1]
        return (x**3).sum()

    def plain(x):
        return (x[0] ** 3) + ((x[1:] * x[:-1]) ** 3).sum()

    x = np.array([1.0, 2.0, -1.5])
    np.testing.assert_allclose(ad.hessian(f)(x), ad.hessian(plain)(x), rtol=1e-12)


def test_the_imaginary_part_is_a_view():
    z = ad.Tensor(np.array([1 + 2j, 3 - 1j])) * 1.0
    z.imag[0] = 7.0
    z.real[1] *= 2.0
    np.testing.assert_array_equal(z.data, [1 + 7j, 6 - 1j])
