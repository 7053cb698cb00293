"""Arithmetic as instructions gives NumPy's bits."""

import itertools

import numpy as np
import pytest

from adjoint.backends.namespace import NUMPY
from adjoint.compiler.emit import Builder, Value
from adjoint.compiler.lanes import COMBINE, IDENTITY, LANES, cast, horizontal, power
from adjoint.core.op import OPS

pytest.importorskip("llvmlite")

from compiler.vectors import BYTES, DTYPES, KINDS, loop, mapped

FLOATS = ("f64", "f32")
INTEGERS = ("i64", "i32", "i8", "u64", "u8")
ARITY = dict(where=3, clamp=3)
OF_FLOATS = frozenset((
    "copysign", "heaviside", "fractional_part", "signbit", "sqrt", "deg2rad", "rad2deg",
    "isposinf", "isneginf", "reciprocal", "divide",
))  # fmt: skip
# NumPy refuses these of bools, or has int8 or float16 for them.
NOT_OF_BOOLS = OF_FLOATS | {
    "negative", "positive", "behind", "subtract", "signum", "floor", "ceil", "trunc", "rint",
    "floor_divide", "remainder", "fmod", "square", "isreal", "iscomplex", "isnan", "isinf",
    "isfinite", "fabs", "real", "conj",
}  # fmt: skip


def values(kind):
    """Zeros, ends, neighbours of ends, and ordinary numbers of a kind."""
    dtype = DTYPES[kind]
    if kind == "i1":
        return np.array([False, True])
    if kind in FLOATS:
        info = np.finfo(dtype)
        some = [0.0, 0.1, 0.25, 0.5, 2 / 3, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 7.0, 1e3]
        some += [4503599627370497.0, 8388609.5, info.max, info.tiny, info.smallest_subnormal]
        some += [np.inf, np.nan]
        return np.array([*some, *[-x for x in some]], np.float64).astype(dtype)
    info = np.iinfo(dtype)
    some = [0, 1, 2, 3, 7, 100, info.max, info.max - 1, info.min, info.min + 1]
    return np.array([*some, *([-1, -2, -3, -7, -100] if info.min else [])], dtype)


def every(kinds):
    """All combinations of the values of some kinds, one array for each."""
    return [np.array(a) for a in zip(*itertools.product(*map(values, kinds)), strict=True)]


def same(got, want):
    """Equal in dtype and bits; one NaN is as good as another."""
    want = np.asarray(want)
    assert got.dtype == want.dtype
    if got.dtype.kind == "f":
        got, want = [np.where(np.isnan(a), np.nan, a) for a in (got, want)]
    np.testing.assert_array_equal(got.view(f"V{got.itemsize}"), want.view(f"V{want.itemsize}"))


def kinds_of(name):
    """The kinds of the arguments that the scheduler may give an op."""
    arity = ARITY.get(name, len(OPS[name].inputs))
    for kind in (*FLOATS, *INTEGERS, "i1"):
        if kind == "i1" and name in NOT_OF_BOOLS:
            continue
        if name in OF_FLOATS and kind not in FLOATS:
            continue
        if name == "rint" and BYTES[kind] < 4:  # float16
            continue
        yield ("i1", kind, kind) if name == "where" else (kind,) * arity


CALLS = [(name, kinds) for name in LANES for kinds in kinds_of(name)]


@pytest.mark.parametrize(("name", "kinds"), CALLS, ids=[f"{n}-{k[-1]}" for n, k in CALLS])
@pytest.mark.filterwarnings("ignore")
def test_an_op_gives_the_bits_of_numpy(name, kinds):
    arrays = every(kinds)
    want = OPS[name].forward(NUMPY, *arrays)
    for lanes, fma in ((8, True), (1, False)):
        got = mapped(LANES[name], kinds, lanes, fma)(*arrays)
        if name in ("fmax", "fmin"):  # which of two zeros comes depends on NumPy's own lanes
            got, want = [np.where(a == 0, np.zeros_like(a), a) for a in (got, want)]
        same(got, want)


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.filterwarnings("ignore")
def test_remainders_of_any_two_numbers_are_those_of_numpy(kind):
    random = np.random.default_rng(0)
    bits = np.int64 if kind == "f64" else np.int32
    ends = np.iinfo(bits)
    arrays = [random.integers(ends.min, ends.max, 4000, bits).view(DTYPES[kind]) for _ in "xy"]
    arrays[0][::2] = arrays[1][::2] * random.uniform(-1000, 1000, 2000).astype(DTYPES[kind])
    for name, fma in itertools.product(("fmod", "remainder", "floor_divide"), (True, False)):
        got = mapped(LANES[name], (kind, kind), 8, fma)(*arrays)
        same(got, OPS[name].forward(NUMPY, *arrays))


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.filterwarnings("ignore")
def test_a_cast_is_that_of_astype(source):
    x = values(source)
    if source in FLOATS:
        powers = [2.0**k + d for k in (31, 32, 63, 64) for d in (-1.0, -0.5, 0.0, 1.0)]
        x = np.concatenate([x, np.array([*powers, *[-v for v in powers]]).astype(x.dtype)])
    for kind, dtype in DTYPES.items():
        given = x
        if source in FLOATS and kind[0] in "iu" and kind != "i1":
            # What no integer holds NumPy leaves to the machine, and to where in the array it is.
            info, whole = np.iinfo(dtype), np.trunc(x.astype(np.longdouble))
            given = x[(whole >= info.min) & (whole <= info.max)]
        got = mapped(lambda b, v, kind=kind: cast(b, v, kind), (source,), 4)(given)
        same(got, given.astype(dtype))


def test_a_cast_out_of_range_is_that_of_the_instructions_of_x86():
    x = np.array([np.nan, np.inf, -np.inf, 1e10, -1e10, 1e19, -1e19, 3e9, -1.5])
    least = {kind: np.iinfo(DTYPES[kind]).min for kind in ("i64", "i32")}
    want = dict(
        i64=[least["i64"]] * 3 + [10**10, -(10**10)] + [least["i64"]] * 2 + [3 * 10**9, -1],
        i32=[least["i32"]] * 8 + [-1],
        i8=[0] * 8 + [-1],
        u64=[2**63, 0, 2**63, 10**10, 2**64 - 10**10, 10**19, 2**63, 3 * 10**9, 2**64 - 1],
        u32=[2**31, 0, 2**31, 0, 2**31, 0, 2**31, 3 * 10**9, 2**32 - 1],
    )
    for kind, numbers in want.items():
        got = mapped(lambda b, v, kind=kind: cast(b, v, kind), ("f64",), 4)(x)
        same(got, np.array(numbers, DTYPES[kind]))


@pytest.mark.parametrize("exponent", [-2, -1, 0, 1, 2, 3, 4])
def test_small_powers_are_products(exponent):
    x = np.random.default_rng(0).uniform(-3, 3, 100)
    got = mapped(lambda b, v: power(b, v, exponent), ("f64",))(x)
    np.testing.assert_allclose(got, x**exponent, rtol=4e-16)


FOLDS = dict(sum=np.add, prod=np.multiply, max=np.maximum, min=np.minimum,
             any=np.logical_or, all=np.logical_and)  # fmt: skip


@pytest.mark.parametrize("name", COMBINE)
@pytest.mark.parametrize("lanes", [1, 2, 8, 16])
@pytest.mark.filterwarnings("ignore")
def test_lanes_fold_in_halves(name, lanes):
    kinds = ("i1",) if name in ("any", "all") else ("f64", "f32", "i64", "u8")
    for kind in kinds:
        x = np.resize(values(kind), lanes * 8)

        def fold(b, v):
            return b.splat(horizontal(b, name, v).name, v.kind)

        want = x.reshape(-1, lanes)
        while want.shape[1] > 1:
            half = want.shape[1] // 2
            want = FOLDS[name](want[:, :half], want[:, half:])
        got = mapped(fold, (kind,), lanes)(x)
        same(got, np.repeat(want[:, 0], lanes))


@pytest.mark.parametrize("name", COMBINE)
@pytest.mark.filterwarnings("ignore")
def test_an_identity_changes_nothing(name):
    for kind in ("i1",) if name in ("any", "all") else (*FLOATS, *INTEGERS):
        x = values(kind)
        got = mapped(
            lambda b, v: COMBINE[name](b, b.constant(IDENTITY[name](v.kind), v.kind), v), (kind,)
        )(x)
        same(got, x + 0 if name == "sum" else x)


def test_lanes_of_a_number_that_is_no_power_of_two_do_not_fold():
    with pytest.raises(ValueError, match="there are 6"):
        horizontal(Builder(6), "sum", Value("%x", "f64"))


def test_equal_instructions_are_one_value():
    b = Builder(4)
    x, y = Value("%x", "f64"), Value("%y", "f64")
    assert b.add(x, y) is b.add(x, y)
    assert len(b.lines) == 1


def test_a_value_of_a_branch_is_not_used_behind_it():
    b = Builder(4)
    x = Value("%x", "f64")
    with b.scope():
        inside = b.neg(x)
        assert b.neg(x) is inside
    assert b.neg(x) is not inside


def test_builders_of_two_prefixes_name_apart():
    one, two = Builder(4, prefix="a"), Builder(4, prefix="b")
    x = Value("%x", "f64")
    assert one.neg(x) != two.neg(x)


def test_user_arithmetic_fuses_only_where_it_may():
    def body(b, x, y, z):
        return LANES["add"](b, LANES["multiply"](b, x, y), z)

    assert "contract" not in loop("f", body, ("f64",) * 3, 8)[0]
    assert "fadd contract" in loop("f", body, ("f64",) * 3, 8, contract=True)[0]


def test_what_is_unlikely_touches_only_its_lanes():
    def body(b, x):
        huge = b.compare("gt", x, 2.0)
        return b.unlikely(huge, b.mul(x, 10.0), lambda: b.each_lane("sqrt", x))

    for lanes, kind in itertools.product((1, 4), FLOATS):
        x = np.array([1, 4, 1, 9, 1, 1, 1, 1], DTYPES[kind])
        got = mapped(body, (kind,), lanes)(x)
        same(got, np.array([10, 2, 10, 3, 10, 10, 10, 10], DTYPES[kind]))


def test_every_kind_has_its_dtype():
    assert {KINDS[d] for d in DTYPES.values()} == set(BYTES)
