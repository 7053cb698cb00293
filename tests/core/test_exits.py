"""Nothing leaves silently: every way out of a tracked Tensor is refused and says `.detach()`."""

import array
import copy
import decimal
import fractions
import json
import math
import pickle
import statistics
import struct

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import AdjointError, ConversionError, DataError


def assigned(value, at):
    a = np.zeros(3)
    a[at] = value
    return a


SCALAR = {
    "float": float,
    "int": int,
    "complex": complex,
    "item": lambda t: t.item(),
    "index": lambda t: [1, 2, 3][t],
    "range": range,
    "round": round,
    "format": lambda t: f"{t:.2f}",
    "percent": lambda t: "%f" % t,  # noqa: UP031
    "math.sin": math.sin,
    "math.isclose": lambda t: math.isclose(t, 1.0),
    "math.floor": math.floor,
    "np.float64": np.float64,
    "np.int64": np.int64,
    "np.linspace": lambda t: np.linspace(0, t, 3),
    "np.full": lambda t: np.full(3, t),
    "in a list": lambda t: np.array([t]),
    "in a nested list": lambda t: np.array([[t, 1.0], [2.0, t]]),
    "index of an array": lambda t: np.zeros(3)[t],
    "a random number": np.random.default_rng(0).normal,
    "Tensor of a list": lambda t: ad.Tensor([t, t]),
}
ANY = {
    "np.asarray": np.asarray,
    "np.array": np.array,
    "np.array, float": lambda t: np.array(t, dtype=float),
    "np.array, object": lambda t: np.array(t, dtype=object),
    "np.dot": lambda t: np.dot(t, t),
    "np.stack": lambda t: np.stack([t, t]),
    "np.where": lambda t: np.where(True, t, t),
    "np.linalg.norm": np.linalg.norm,
    "np.allclose": lambda t: np.allclose(t, t),
    "np.testing": lambda t: np.testing.assert_allclose(t, t),
    "np.from_dlpack": np.from_dlpack,
    "dlpack": lambda t: t.__dlpack__(),
    "numpy()": lambda t: t.numpy(),
    "tolist": lambda t: t.tolist(),
    "assignment to a slice": lambda t: assigned(t, slice(None)),
    "array.array": lambda t: array.array("d", t.reshape(-1)),
    "math.fsum": lambda t: math.fsum(t.reshape(-1)),
}
PICKLES = {
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
OTHERS = {  # Python's or NumPy's own refusal
    "json": json.dumps,
    "json of a list": lambda t: json.dumps([t]),
    "Decimal": decimal.Decimal,
    "Fraction": fractions.Fraction,
    "statistics": lambda t: statistics.mean([t, t]),
    "struct": lambda t: struct.pack("d", t),
    "memoryview": memoryview,
    "assignment of an element": lambda t: assigned(t, 0),
    "np.fromiter": lambda t: np.fromiter([t], float),
    "bytes": lambda t: bytes(t.reshape(1)),
}


def tracked_kinds(data):
    x = ad.Tensor(data)
    return {
        "leaf": x,
        "result": x * 1.0,
        "view": x.reshape(np.shape(data)),
        "many": ad.where(True, x, x),
    }


@pytest.mark.parametrize("kind", ["leaf", "result", "view", "many"])
@pytest.mark.parametrize("way", {**SCALAR, **ANY})
def test_exits_of_a_tracked_number_are_refused(way, kind):
    with pytest.raises(ConversionError, match=r"of a tracked Tensor would lose .*`\.detach\(\)`"):
        (SCALAR | ANY)[way](tracked_kinds(1.0)[kind])


@pytest.mark.parametrize("kind", ["leaf", "result", "view", "many"])
@pytest.mark.parametrize("way", ANY)
def test_exits_of_a_tracked_array_are_refused(way, kind):
    with pytest.raises(ConversionError, match=r"of a tracked Tensor would lose .*`\.detach\(\)`"):
        ANY[way](tracked_kinds(np.arange(3.0))[kind])


@pytest.mark.parametrize("way", PICKLES)
def test_copies_of_a_result_are_refused(way):
    with pytest.raises(ConversionError, match="`multiply`"):
        PICKLES[way](ad.Tensor(1.0) * 2)


@pytest.mark.parametrize("way", OTHERS)
def test_other_exits_are_refused_too(way):
    with pytest.raises((TypeError, ValueError, struct.error)):
        OTHERS[way](ad.Tensor(1.0) * 2)


@pytest.mark.parametrize("way", {**SCALAR, **ANY})
@pytest.mark.parametrize("transform", ["grad", "jvp", "grad of grad"])
def test_exits_inside_a_transform_are_refused(way, transform):
    def f(x):
        (SCALAR | ANY)[way](x * 1.0)
        return x

    with pytest.raises(ConversionError, match=r"`\.detach\(\)`"):
        if transform == "jvp":
            ad.jvp(f, (1.0,), (1.0,))
        elif transform == "grad":
            ad.grad(f)(1.0)
        else:
            ad.grad(ad.grad(f))(1.0)


@pytest.mark.parametrize(
    "way",
    [np.sin, np.exp, np.isfinite, np.sum, np.mean, np.max, lambda t: np.add(np.ones(3), t)],
)
def test_numpys_functions_refuse_or_are_differentiated(way):
    """Never a plain array, which would have lost the gradient."""
    x = ad.Tensor(np.ones(3))
    try:
        y = way(x * 1)
    except TypeError:
        return
    assert isinstance(y, ad.Tensor) or y.dtype == bool


@pytest.mark.parametrize("data", [2.0, np.arange(3.0)], ids=["number", "array"])
@pytest.mark.parametrize("kind", ["leaf", "result", "view", "many"])
def test_the_door_is_open_after_detach(kind, data):
    t = tracked_kinds(data)[kind].detach()
    np.testing.assert_array_equal(np.asarray(t), data)
    np.testing.assert_array_equal(t.numpy(), data)
    np.testing.assert_array_equal(np.array([t, t]), [data, data])
    assert t.tolist() == np.asarray(data).tolist()
    if not np.ndim(data):
        assert (float(t), int(t), complex(t), t.item(), f"{t:.1f}") == (2.0, 2, 2 + 0j, 2.0, "2.0")
        assert math.sqrt(t) == math.sqrt(2)
        assert round(t) == 2
        np.testing.assert_array_equal(assigned(t, 0), [2.0, 0.0, 0.0])
    else:
        np.testing.assert_array_equal(np.from_dlpack(t), data)


def test_what_numpy_returns_is_a_copy():
    x = ad.Tensor(np.ones(3))
    for out in (x.detach().numpy(), np.array(x.detach())):
        out[:] = 5
    np.testing.assert_array_equal(x.data, np.ones(3))


def test_control_flow_may_look_at_a_value():
    x = ad.Tensor(2.0)
    y = x * x if x > 1 and x else -x
    while y < 100:
        y = y * x
    y.backward()
    assert x.grad == 7 * 2.0**6
    assert not ad.Tensor(0.0)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(ad.Tensor(np.ones(2)))


def test_text_of_a_tensor_is_allowed():
    y = ad.Tensor(2.0) * 2
    assert str(y) == repr(y) == f"{y}" == f"{y!r}" == "Tensor(4., op=multiply)"


@pytest.mark.parametrize("copied", [lambda t: pickle.loads(pickle.dumps(t)), copy.deepcopy])
@pytest.mark.parametrize("data", [2.0, np.arange(3.0), np.ones((2, 2), np.complex64)])
def test_a_leaf_is_kept_by_pickle_and_deepcopy(copied, data):
    x = ad.Tensor(data)
    y, c = copied([x, x.detach()])
    np.testing.assert_array_equal(y.data, x.data)
    assert (y.tracked, c.tracked, y.dtype) == (True, False, x.dtype)
    ad.real(y * y).sum().backward()
    assert not np.any(x.grad)
    assert not np.shares_memory(x.data, y.data)


def test_a_result_is_pickled_once_detached():
    y = (ad.Tensor(np.ones(2)) * 2).detach()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(y)).data, [2.0, 2.0])


def test_tensors_are_hashed_by_identity():
    x, y = ad.Tensor(1.0), ad.Tensor(1.0)
    assert len({x, y, x}) == 2
    assert {x: "a", y: "b"}[x] == "a"


def test_a_value_is_found_in_a_tensor():
    x = ad.Tensor(np.array([1.0, 2.0]))
    assert 2.0 in x
    assert 3.0 not in x


def test_a_0d_tensor_has_no_length_and_no_elements():
    x = ad.Tensor(1.0) * 2
    for ask in (len, list, iter):
        with pytest.raises(TypeError):
            ask(x)


def test_setting_an_item_is_refused_and_says_what_to_do():
    x = ad.Tensor(np.ones(3))
    for t in (x, x * 1, (x * 1).detach()):
        with pytest.raises(DataError, match=r"ad\.where"):
            t[0] = 1.0
    assert issubclass(DataError, AdjointError)


def test_a_value_of_a_transform_that_has_ended_is_still_no_array():
    kept = []

    def f(x):
        kept.append(x * 2)
        return x

    ad.grad(f)(1.0)
    with pytest.raises(ConversionError):
        float(kept[0])
    assert float(kept[0].detach()) == 2
