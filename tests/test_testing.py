"""The checker itself: it passes what is right, and says where and how much something is wrong."""

from typing import NamedTuple

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import DataError, GradientMismatch, ShapeError
from adjoint.ops.rules import elementwise, op

x = np.array([0.3, 0.7, -0.4])


class Weighted(NamedTuple):
    values: object
    weight: object


@pytest.fixture
def declare():
    """Declare an op for the length of a test."""
    before = set(ad.OPS)

    def declared(word):
        def product(xp, x, y, /):
            """Product."""
            return x * y

        return word(product)

    yield declared
    for name in set(ad.OPS) - before:
        del ad.OPS[name]


def message(f, *args, **options):
    with pytest.raises(GradientMismatch) as caught:
        ad.check_grads(f, args, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "dtype", [np.float32, np.float64, np.longdouble, np.complex64, np.complex128]
)
def test_right_derivatives_pass_in_every_precision(dtype):
    ad.check_grads(lambda x: ad.exp(ad.sin(x) * x), (x.astype(dtype),))


def test_containers_go_in_and_out():
    def f(pair, options):
        assert isinstance(pair, Weighted)
        return {
            "scaled": [pair.values * pair.weight, None],
            "more": (options["bias"] + pair.values,),
        }

    ad.check_grads(f, (Weighted(x, 2.0), {"bias": np.float32(1)}))


def test_third_order():
    ad.check_grads(lambda x: ad.sin(x) * x, (0.4,), order=3)


def test_integers_and_tensors_count_as_their_values():
    ad.check_grads(lambda a, b: a * b, (3, ad.Tensor(x)))


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev"), ["rev", "fwd"]])
def test_each_mode_can_be_checked_alone(modes):
    ad.check_grads(ad.tanh, (x,), modes=modes)


def test_message_names_mode_input_place_and_numbers(declare):
    product = declare(elementwise(lambda t, y: t * y * 1.5, lambda t, x: t * x))
    assert message(lambda d: {"y": product(d["a"], d["b"])}, {"a": x, "b": x + 0.05}) == (
        "a derivative of `<lambda>` is wrong\n"
        "  mode      fwd, order 1: `jvp` against finite differences\n"
        "  input     [0]['a'] at index (1,)\n"
        "  output    ['y'] at index (1,)\n"
        "  found     1.125\n"
        "  expected  0.75\n"
        "  distance  0.5 relative, tolerance 9.54e-07"
    )


def test_slip_in_one_mode_shows_against_the_other(declare):
    product = declare(
        op(
            jvp=lambda ts, x, y: ts[0] * y + ts[1] * x,
            vjp=lambda ct, x, y: (ct * y, ct * x * 1.001),
        )
    )
    text = message(product, x, x)
    assert "mode      rev, order 1: `vjp` against `jvp`" in text
    assert "input     [1] at index" in text
    text = message(product, x, x, modes=("rev",))
    assert "mode      rev, order 1: `vjp` against finite differences" in text


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
def test_slip_in_the_second_derivative_alone_is_found(declare, modes):
    """A rule that treats a residual as a constant has the right slope, and the wrong curvature."""

    def constant(y):
        while not isinstance(y, (np.ndarray, np.generic)):
            y = y.primal
        return y

    product = declare(elementwise(lambda t, y: t * constant(y), lambda t, x: t * x))
    ad.check_grads(product, (x, x), order=1, modes=modes)
    assert "order 2" in message(product, x, x, modes=modes)


def test_imaginary_directions_are_tried(declare):
    product = declare(elementwise(lambda t, y: ad.real(t) * y, lambda t, x: t * x))
    assert "input     [0], imaginary" in message(product, 1 + 2j, 2.0)


def test_kink_within_the_step_is_no_success():
    assert "finite differences" in message(ad.abs, np.array([1e-4]))
    ad.check_grads(ad.abs, (np.array([1e-4]),), eps=1e-5)


def test_nan_is_a_mismatch():
    def f(x):
        return x * float("nan")

    assert "nan" in message(f, x)


@pytest.mark.parametrize(
    ("error", "text", "call"),
    [
        (
            DataError,
            r"needs a tuple of arguments; it was given ndarray. Write `\(x,\)`",
            lambda: ad.check_grads(ad.sin, x),
        ),
        (DataError, "`args` holds none", lambda: ad.check_grads(lambda: 1.0, ())),
        (DataError, "stands at", lambda: ad.check_grads(lambda s: 1.0, ("text",))),
        (
            DataError,
            r"output \['n'\], returned dtype int64",
            lambda: ad.check_grads(lambda x: {"n": ad.argmax(x)}, (x,)),
        ),
        (ValueError, "modes", lambda: ad.check_grads(ad.sin, (x,), modes="fwd")),
        (ValueError, "modes", lambda: ad.check_grads(ad.sin, (x,), modes=("forward",))),
        (ValueError, "order", lambda: ad.check_grads(ad.sin, (x,), order=0)),
        (ShapeError, "structure", lambda: ad.testing.numeric_jvp(ad.sin, (x,), (x, x))),
    ],
)
def test_bad_input_is_explained(error, text, call):
    with pytest.raises(error, match=text):
        call()


def test_numeric_jvp_is_of_fourth_order():
    exact = np.cos(0.5)
    coarse, fine = (
        abs(ad.testing.numeric_jvp(ad.sin, (0.5,), (1.0,), eps=h) - exact) for h in (0.2, 0.1)
    )
    assert coarse / fine == pytest.approx(16, rel=0.02)
