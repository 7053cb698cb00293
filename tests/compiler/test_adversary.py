"""What may break a compiler: edges of sizes, types and layouts, aliases, odd structures, stress.

Each table has functions that are compared to themselves uncompiled: structure, types, shapes,
dtypes, values.
"""

import subprocess
import sys
import warnings
from functools import partial
from itertools import chain, combinations, product

import numpy as np
import pytest

import adjoint as ad
from adjoint.core.tree import flatten

rng = np.random.default_rng(0)
X = rng.normal(size=(4, 5))
V = np.arange(3.0)
W = np.array([1.0, 2.0, 3.0])
I = np.array([0, -1, 2, 2, -4])  # noqa: E741
I.flags.writeable = W.flags.writeable = False


def each(table):
    return pytest.mark.parametrize("f", [*table.values()], ids=[*table])


def same(got, want, rtol=1e-11):
    """Equal structure, types, shapes, dtypes; values to rounding of the largest of them."""
    ours, theirs = flatten(got), flatten(want)
    assert ours[1] == theirs[1]
    for g, w, path in zip(ours[0], theirs[0], ours[1], strict=True):
        assert type(g) is type(w), path
        if not isinstance(w, (np.ndarray, np.generic, float, complex)):
            assert g == w, path
            continue
        g, w = np.asarray(g), np.asarray(w)
        assert (g.dtype, g.shape) == (w.dtype, w.shape), path
        if w.dtype.kind in "fc":
            scale = np.max(np.abs(w[np.isfinite(w)]), initial=1e-3)
            scale *= rtol if w.dtype.itemsize == 8 or w.dtype.kind == "c" else max(rtol, 3e-5)
            np.testing.assert_allclose(g, w, 0, scale, err_msg=path)
        else:
            np.testing.assert_array_equal(g, w, path)


def agrees(f, *args, rtol=1e-11, kinds=("native", "steps"), **kwargs):
    """Compiled, `f` gives twice what it gives, and it was compiled."""
    compiled = ad.compile(f)
    with np.errstate(all="ignore"):
        want = f(*args, **kwargs)
        for _ in range(2):
            same(compiled(*args, **kwargs), want, rtol)
    (plan,) = compiled.plans.values()
    assert plan.kind in kinds, plan.reason
    return compiled


def with_gradient(f):
    """The value of f, and the gradient of a number made of it."""
    return lambda x: (f(x), ad.grad(lambda x: ad.sum(ad.sin(f(x)) * 1.3))(x))


# Sizes

LENGTHS = [*range(1, 10), 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 130, 16383, 16384,
           16385, 100_000, 1_000_001]  # fmt: skip


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_lengths_around_vectors_and_chunks_make_no_difference(n, dtype):
    def f(x, y):
        z = ad.sum((x[1:] - x[:-1] ** 2) ** 2 * y[1:]) + ad.mean(ad.tanh(x) * y)
        return z, ad.exp(x) - y, ad.max(x), ad.min(y), x < y

    x, y = (rng.uniform(-1, 1, n).astype(dtype) for _ in range(2))
    rtol = 1e-11 if dtype is np.float64 else 1e-3
    agrees(f, x, y, rtol=rtol, kinds=["native"])
    if n < 20_000:
        slopes = ad.grad(lambda x, y: ad.sum(f(x, y)[1]) + f(x, y)[0] + f(x, y)[2], (0, 1))
        agrees(slopes, x, y, rtol=rtol, kinds=["native"])


FOLDS = "sum prod max min mean var logsumexp any all".split()
LAYOUTS = {
    "C": lambda x: x,
    "transposed": lambda x: x.transpose(2, 0, 3, 1),
    "backwards": lambda x: x[::-1, :, ::-1, ::2],
    "broadcast": lambda x: np.broadcast_to(x[:, :1], x.shape),
}


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_folds_over_all_sets_of_axes(fold, layout):
    x = LAYOUTS[layout](rng.normal(size=(3, 5, 4, 7)))
    axes = None, *chain.from_iterable(combinations(range(4), k) for k in range(5))

    def f(x):
        y = x > 0.5 if fold in ("any", "all") else x
        return [getattr(ad, fold)(y, axis=a, keepdims=k) for a in axes for k in (False, True)]

    agrees(f, x)


@pytest.mark.parametrize(
    "shape", [(1000, 3), (3, 1000), (1, 1000), (1000, 1), (17, 33, 65), (2, 3, 20_000), (20_000, 3),
              (300, 1, 200), (50, 40, 1, 7), (1,), (1, 1, 1), (2, 1, 2, 1, 2, 2)]
)  # fmt: skip
def test_folds_of_long_and_flat_shapes(shape):
    def f(x):
        return [(ad.sum(x, axis=a), ad.max(x, axis=a)) for a in range(len(shape))], ad.mean(x * x)

    def loss(x):
        lead, last = ad.logsumexp(x, axis=0), ad.max(x, axis=-1) * ad.sum(x * x, axis=-1)
        return ad.sum(lead) + ad.sum(last)

    x = rng.normal(size=shape)
    agrees(f, x)
    agrees(ad.value_and_grad(loss), x)


@pytest.mark.parametrize("n", [1000, 10_000, 3_000_000])
def test_sums_of_float32_are_as_good_as_numpys(n):
    x = (rng.random(n) + 1).astype(np.float32)
    f = ad.compile(lambda x: (ad.sum(x), ad.mean(x), ad.sum(ad.reshape(x, (-1, 10)), axis=0)))
    exact = x.astype(float)
    wants = exact.sum(), exact.mean(), exact.reshape(-1, 10).sum(0)
    for got, want in zip(f(x), wants, strict=True):
        np.testing.assert_allclose(got, want, 2e-6)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_nothing_is_an_array_too(shape):
    def f(x):
        folds = ad.sum(x), ad.sum(x, axis=0), ad.prod(x, axis=-1), ad.any(x > 0), ad.all(x > 0)
        return folds, x * 2, ad.cumsum(x, axis=0), ad.concat([x, x]), x[:0], ad.exp(x).T

    agrees(f, np.zeros(shape))
    agrees(ad.value_and_grad(lambda x: ad.sum(x * x)), np.zeros(shape))


# Types

NAMES = (
    "add multiply divide floor_divide remainder fmod maximum minimum equal not_equal less "
    "less_equal greater greater_equal logical_and logical_or logical_xor atan2 hypot subtract",
    "square sqrt fabs floor ceil trunc rint isnan isfinite logical_not exp tanh sum prod max min "
    "mean any all cumsum argmax negative positive signum",
)
REFUSED = "subtract negative positive signum"  # by NumPy, of bools


@pytest.mark.parametrize("dtype", "?bhilBHIL")
def test_integers_wrap_divide_by_zero_and_round_as_numpys(dtype):
    if dtype == "?":
        numbers = [0, 1]
    else:
        info = np.iinfo(dtype)
        numbers = [0, 1, 2, 3, 7, 100, info.max, info.max - 1, info.min]
        numbers += [-n for n in numbers if info.min <= -n <= info.max]
    x, y = (a.copy() for a in np.meshgrid(*[np.array(numbers, dtype)] * 2))
    refused = REFUSED.split() if dtype == "?" else ()
    pairs_of, ones_of = (
        tuple([getattr(ad, n, None) or ad.OPS[n].call for n in names.split() if n not in refused])
        for names in NAMES
    )

    def f(x, y):
        pairs, ones = [call(x, y) for call in pairs_of], [call(x) for call in ones_of]
        mixed = [abs(x), x // 3, x % 3, x * 2.5, x // 0, x / 0, x**2, ad.clip(x, 1, 5), x > 2.5]
        return pairs, ones, mixed, ad.where(x > 1, x, y), ad.where(x > 1, x, 2)

    agrees(f, x, y, rtol=1e-6 if dtype in "?bBhH" else 1e-11)


KINDS = dict(
    f4=np.float32([0.5, -1.5, 2.0]), f8=np.array([0.25, -2.5, 1.0]), f2=np.float16([1, 2, -0.5]),
    i4=np.arange(1, 4, dtype=np.int32), u1=np.arange(1, 4, dtype=np.uint8), bools=V > 1,
    c8=np.array([1j, 2, -1 + 0.5j]),
)  # fmt: skip
OTHERS = KINDS | dict(
    number=0.1, whole=3, truth=True, n8=np.float64(0.1), n4=np.float32(0.1), w8=np.int64(3),
    z4=np.array(0.3, np.float32), huge=1e300,
)  # fmt: skip


@pytest.mark.parametrize("first", KINDS)
def test_kinds_of_numbers_mix_as_numpys(first):
    def f(x, y):
        found = [x + y, x * y, y - x * 2, x == y, ad.where(x == y, x, y), ad.exp(x) * y]
        if not np.iscomplexobj(x + y):
            found += [ad.maximum(x, y), x < y, x / y, y // x, x % y, ad.hypot(x, y)]
        return found

    def all_of(x, others):
        return [f(x, y) for y in others]

    agrees(all_of, KINDS[first], list(OTHERS.values()), rtol=2e-3 if first == "f2" else 1e-6)


@pytest.mark.parametrize("times", [1, 4, 9, 17])
@pytest.mark.parametrize(
    "x", [[0.0, -0.0], [np.nan, 1], [1, np.nan], [-np.inf, np.nan], [np.inf, -np.inf], [2, 2, 1]]
)  # fmt: skip
def test_extremes_see_nan_signs_and_ties_as_eager(x, times):
    def loss(x):
        tied = ad.maximum(x, 0.0) + ad.minimum(x, -0.0) + ad.clip(x, -1, 1) + abs(x)
        return ad.sum(tied) + 2 * ad.max(x) + ad.min(x) + x[ad.argmax(x)]

    x = np.array(x * times, float)
    agrees(lambda x: (ad.max(x), ad.min(x), ad.argmax(x), ad.argmin(x), ad.sum(x), ad.prod(x)), x)
    agrees(ad.value_and_grad(loss), x)


# Programs


def overlapping_writes(x):
    y = x * 1.0
    y[0] += y[1]
    y[:, 1] *= 2
    y[1:] += y[:-1]
    y[:, ::-1] += y
    return y


def writes_through_views(x):
    y = (x * 2).ravel()
    z = y.reshape(4, 5)
    a, b = z[1:], z[:-1]
    a += b
    a[0] = 3.0
    b *= 2.0
    z.T[2] += 1
    return y * y


def writes_at_indices(x):
    y = x * 1.0
    y[np.array([0, 2])] = x[1]
    y[x > 0.5] = 0.0
    y[[0, 1]] = y[[1, 0]]
    y[:, 0], y[:, 1] = y[:, 1], y[:, 0]
    return y * x


doubled = ad.custom(lambda x: ad.sin(x) * 2, vjp=lambda ct, x: ct * 7.0)


PADS = "constant edge reflect symmetric wrap linear_ramp maximum mean minimum median".split()
PROGRAMS = {
    "gathers": lambda x: (ad.take(x, I, axis=0) + x[I])[:, I - 1] * x[I, I],
    "masks": lambda x: x[np.array([True, False, True, True])],
    "slices": lambda x: x[::-1, ::-2][1:3, None, ..., -1] * x[5:, :1].sum() + x[-1, 0],
    "triangles": lambda x: ad.tril(x) + ad.triu(x, 1) * ad.tril(x, -1) + ad.trace(x),
    "diagonals": lambda x: ad.diagonal(x, 1) + ad.diagonal(x)[::-1],
    "rolls": lambda x: ad.roll(x, 2, axis=1) + ad.roll(x, (1, -2), axis=(0, 1)) + ad.roll(x, 17),
    "turns": lambda x: ad.rot90(x) + ad.flip(x).T + ad.swapaxes(x, 0, 1),
    "repeats": lambda x: ad.repeat(x, 3, axis=1) * ad.tile(x, (1, 3)),
    "fifty pieces": lambda x: ad.concat([x * k for k in range(50)], 0),
    "pieces of pieces": lambda x: ad.concat(
        [ad.concat([x, x[:, :k]], 1)[:, :4] for k in range(5)], 0
    ),
    "stacks": lambda x: ad.stack([x, x * 2, x[::-1]], 1),
    "sums on the way": lambda x: ad.cumsum(x, axis=1) * ad.cumprod(x, axis=0),
    "orders": lambda x: ad.sort(x, axis=0) + x[ad.argsort(x[:, 0])] + x[ad.argmax(x[:, 0])],
    "einsum": lambda x: (
        ad.einsum("ij,kj->ik", x, x) * ad.einsum("ii->i", x[:, :4]) + ad.einsum("ij,ij->", x, x)
    ),
    "products": lambda x: (x @ x[0]) * (x @ x.T) + ad.outer(x[0], x[:, 0])[:4] + ad.norm(x, axis=1),
    "convolution": lambda x: ad.convolve(x[0], x[1, :3]) + ad.softmax(ad.pad(x[0], 1), axis=0),
    "choices": lambda x: ad.where(x > 0, ad.sqrt(x), 0.0) + ad.where(x > 0, ad.log(x), x),
    "select": lambda x: ad.select([x > 1, x > 0], [x, x * x], 0.0) + ad.clip(x, -0.5, 0.5),
    "powers": lambda x: x**3 + x**0 + x**-1 + abs(x) ** 0.5 + abs(x) ** x + 2**x + abs(x) ** 1.7,
    "remainders": lambda x: x % 0.3 + x // 0.3 + x + ad.floor(x) * x,
    "windows": lambda x: ad.sum(ad.sliding_window_view(x, 3, axis=1) ** 2, axis=-1),
    "rows": lambda x: sum(r * (k + 1) for k, r in enumerate(x)) + (lambda a, b, c, d: a * b)(*x),
    "mixing reshapes": lambda x: x.T.reshape(4, 5) * x + x.reshape(2, -1).ravel().reshape(4, 5),
    "statistics": lambda x: ad.var(x, axis=1, keepdims=True) * x + ad.quantile(x, 0.3, axis=0),
    "numpy": lambda x: np.where(x > 0, x, np.tanh(x)) + np.sum(np.sin(x), axis=0) * np.mean(x),
    "linear algebra": lambda x: (
        np.linalg.solve(x[:, :4] + 5 * np.eye(4), x[:, 4]) + ad.linalg.cholesky(x @ x.T + np.eye(4))
    ),
    "spectra": lambda x: abs(ad.fft.fft(x, axis=1)) + ad.real(ad.exp(1j * x) * (1 + 2j)),
    "special": lambda x: ad.special.erf(x) + ad.special.gammaln(abs(x) + 0.1) + ad.i0(x),
    "overlapping writes": overlapping_writes,
    "writes through views": writes_through_views,
    "writes at indices": writes_at_indices,
    "a rule of one's own": lambda x: doubled(x) * x,
    "checkpoint": lambda x: ad.checkpoint(lambda y: ad.tanh(y) * y)(x),
    "vmap": lambda x: ad.vmap(lambda r: ad.sum(r * r) * r)(x) + ad.vmap(ad.sum, in_axes=1)(x),
    "a mapped hessian": lambda x: ad.vmap(ad.hessian(lambda r: ad.sum(r**3) * r[0]))(x),
    "a jacobian": lambda x: ad.jacobian(lambda r: ad.sin(r) * r[0])(x[0]),
    **{f"{m} padding": partial(ad.pad, pad_width=((2, 1), (0, 3)), mode=m) for m in PADS},
}
SOURCES = [X, np.asfortranarray(X), rng.normal(size=(8, 10))[::-2, ::2], X.astype(np.float32)]


@pytest.mark.parametrize("k", range(len(PROGRAMS)), ids=[*PROGRAMS])
def test_programs_and_their_gradients(k):
    f = list(PROGRAMS.values())[k]
    agrees(with_gradient(f), SOURCES[k % 3])
    agrees(with_gradient(f), SOURCES[3], rtol=1e-3)


TRANSFORMS = dict(
    grad=ad.grad,
    hessian=ad.hessian,
    jacfwd=ad.jacfwd,
    value_and_grad=lambda f: lambda x: ad.value_and_grad(f)(x)[1],
    jvp=lambda f: lambda x: ad.jvp(f, (x,), (x,))[1],
    compile=ad.compile,
    vmap=lambda f: lambda x: ad.vmap(f, in_axes=-1)(ad.stack([x, x * 2], axis=-1)),
    checkpoint=ad.checkpoint,
    sum=lambda f: lambda x: ad.sum(f(x)),
)


@pytest.mark.parametrize("names", [*product(TRANSFORMS, repeat=2)], ids="-".join)
def test_transforms_nest_over_and_under_a_compiled_function(names):
    def loss(x):
        return ad.sum(ad.tanh(x) ** 3) * x[0]

    def nested(f):
        for name in names:
            f = TRANSFORMS[name](f)
        return f

    try:
        want = nested(loss)(V)
    except ad.AdjointError as error:
        with pytest.raises(type(error)):
            nested(ad.compile(loss))(V)
        return
    same(nested(ad.compile(loss))(V), want)
    same(ad.compile(nested(loss))(V), want)


def test_long_programs():
    def straight(x):
        for k in range(5000):
            x = ad.sin(x) + 0.1 * (k % 7) * x if k % 3 else x * 0.5
        return x

    def crooked(x):
        steps = [ad.sin, ad.cos, ad.tanh, lambda y: y * y * 0.1, lambda y: y + ad.sum(y) * 0.01,
                 lambda y: y[::-1], lambda y: ad.sqrt(abs(y) + 1)]  # fmt: skip
        for k in np.random.default_rng(0).integers(0, len(steps), 200):
            x = steps[k](x)
        return ad.sum(x)

    def recursive(x, n=100):
        return x if n == 0 else recursive(x, n - 1) * ad.sin(x) + n

    agrees(straight, V, rtol=1e-6)
    agrees(ad.value_and_grad(crooked), V, rtol=1e-8)
    agrees(recursive, V)


# Arguments, results, surroundings


def nested_in(kind, depth, x=V):
    for _ in range(depth):
        x = kind(x)
    return x


BIG = np.arange(10.0)
ARGUMENTS = {
    "300 arrays": (lambda *a: sum(a), *[V * k for k in range(300)]),
    "300 numbers": (lambda *a: sum(a), *map(float, range(300))),
    "a long list": (lambda a: sum(a), [V * k for k in range(300)]),
    "a long dict": (lambda d: sum(d.values()), {f"{k}": V * k for k in range(99)}),
    "a list in lists": (lambda t: t, nested_in(lambda x: [x], 60)),
    "a dict in dicts": (lambda t: t, nested_in(lambda x: {"a": x}, 60)),
    "nothing": (lambda: W * 2,),
    "one array twice": (lambda x, y: (x + y, x * y), V, V),
    "overlapping arrays": (lambda x, y: x * y + x[::-1], BIG[1:8], BIG[2:9]),
    "defaults": (lambda x, y=2.0, *a, k=3.0, **kw: (x * y * k, a, kw), V),
    "100 slopes": (ad.grad(lambda *a: ad.sum(sum(a) * a[0]), tuple(range(100))),
                   *[V * k for k in range(100)]),
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_of_any_number_and_structure(name):
    f, *args = ARGUMENTS[name]
    agrees(f, *args)


def test_keywords_of_any_number():
    agrees(lambda **k: sum(k.values()), **{f"k{i}": V * i for i in range(300)})
    agrees(lambda x, y=2.0, *a, k=3.0, **kw: (x * y * k, a, kw), V, 3.0, V, k=V, z=1)


RETURNS = {
    "its argument": lambda x: x,
    "a number": lambda x: 3.5,
    "-0.0": lambda x: -0.0 * x,
    "None": lambda x: None,
    "much": lambda x: (x, None, "a", 1, 2.0, True, x),
    "nothing": lambda x: ((), {}, []),
    "an outer array": lambda x: (W, W[1:], np.float64(2.0), np.zeros(3)),
    "nested": lambda x: {"a": [{"b": (x, [x * 2])}], 1: x},
    "facts": lambda x: (x.shape, x.dtype, len(x), x.size, x.ndim, int, b"x", slice(1), 10**30),
    "a list of rows": lambda x: list(x),
    "a generator's": lambda x: tuple(a * 2 for a in x),
    "bools, integers, complex": lambda x: (x > 0, ad.argsort(x), x + 1j, x.astype(np.float32)),
    "one value thrice": lambda x: (lambda y: (y, y, y + 0))(x * 2),
}  # fmt: skip


@each(RETURNS)
def test_results_of_any_structure_belong_to_the_caller(f):
    compiled = agrees(f, V)
    for leaf in flatten(compiled(V))[0]:
        if isinstance(leaf, np.ndarray):
            assert not np.shares_memory(leaf, V) and not np.shares_memory(leaf, W)
            leaf[...] = 9
    same(compiled(V), f(V))


DEEDS = dict(
    flattened=lambda a: setattr(a, "shape", (12,)),
    transposed=lambda a: setattr(a, "shape", (4, 3)),
    shrunk=lambda a: a.resize((2, 2), refcheck=False),
    grown=lambda a: a.resize((50, 50), refcheck=False),
    reread=lambda a: setattr(a, "dtype", np.int64),
    refilled=lambda a: a.fill(7.0),
)


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("native", [True, False])
@pytest.mark.filterwarnings("ignore:Setting the:DeprecationWarning")
def test_an_outer_array_may_change_in_place(deed, native):
    q, x = np.ones((3, 4)), np.ones((3, 4))

    def f(x):
        y = x * 2 + q
        return ad.sum(y if native else y @ ad.matrix_transpose(y))

    compiled = ad.compile(f)
    same(compiled(x), f(x))
    DEEDS[deed](q)
    try:
        want = f(x)
    except ValueError as error:
        with pytest.raises(type(error)):
            compiled(x)
    else:
        same(compiled(x), want)


EYE = np.eye(3)
MISTAKES = {
    "an index beyond": (lambda x, i: x[i] * 2, (V, np.array([0, 2])), (V, np.array([3]))),
    "an index before": (lambda x, i: x[i] * 2, (V, np.array([0, 2])), (V, np.array([0, -4]))),
    "shapes": (lambda x, y: x + y, (V, V), (V, np.ones(4))),
    "no inverse": (lambda a: ad.linalg.inv(a) * 2, (EYE,), (EYE * 0,)),
    "not definite": (lambda a: ad.linalg.cholesky(a) + a, (EYE,), (-EYE,)),
    "a number too large": (lambda x, y: x + y, (np.uint8([1, 2]), 3), (np.uint8([1, 2]), -3)),
    "division by zero": (lambda x, y: x / y, (1.0, 2.0), (1.0, 0.0)),
    "too large a power": (lambda x, y: x**y, (10.0, 2.0), (10.0, 400.0)),
    "an array for a number": (lambda x: 1.0 / [x][int(np.ndim(x))], (1.0,), (V,)),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_raise_what_eager_raises_and_leave_the_function_usable(name):
    f, good, bad = MISTAKES[name]
    compiled = ad.compile(f)
    for _ in range(2):
        same(compiled(*good), f(*good))
        with pytest.raises(Exception) as wanted:
            f(*bad)
        with pytest.raises(wanted.type):
            compiled(*bad)


def test_more_kinds_of_arguments_than_there_is_room_for_run_eagerly():
    f = ad.compile(lambda x: ad.sum(x * x))
    with pytest.warns(ad.CompileWarning, match="64 kinds"):
        for n in range(70):
            assert f(np.ones(n)) == n
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(70):
            assert f(np.ones(n)) == n


def test_a_room_of_the_compiler_does_not_hide_the_function():
    script = "import adjoint.compiler.machine, adjoint; assert adjoint.compile(abs)(-2.0) == 2.0"
    subprocess.run([sys.executable, "-c", script], check=True)


# Stress, in a process of its own: nothing here may crash it

STRESS = """
import faulthandler, gc, os, sys, threading, tracemalloc, weakref
import numpy as np, adjoint as ad
faulthandler.dump_traceback_later(100, exit=True)
made = lambda: ad.compile(ad.value_and_grad(lambda x: ad.sum(ad.sort(ad.sin(x)) * x) + ad.sum(x)))
done, small, big = [], np.arange(3.0), np.zeros(300_000)

def together(work, n):
    threads = [threading.Thread(target=work, args=(k,)) for k in range(n)]
    for t in threads: t.start()
    for t in threads: t.join()

def work(k):
    for j in range(40):
        x = np.full((7 * k + j) % 13 + 1, 1.0 + j)
        value, slope = f(x)
        assert np.isclose(value, x.size * (np.sin(x[0]) * x[0] + x[0]))
        assert np.allclose(slope, np.sin(x) + np.cos(x) * x + 1)
        j % 20 or gc.collect()
    done.append(k)

f = made()
together(work, 6)
assert len(done) == 6
print("threads")

total = ad.compile(lambda a: ad.sum(ad.exp(a[0])))
cell, stop = [big], []
def running(k):
    while not stop: assert total([big]) == big.size
def changing(k):
    while not stop: cell[0] = np.zeros(big.size)
def clearing(k):
    for _ in range(10): total.clear(); assert total(cell) == big.size
    for _ in range(100): assert total(cell) == big.size
    stop.append(1)
together(lambda k: (running, changing, clearing)[k](k), 3)
print("changes")

for _ in range(3):
    child = os.fork()
    if not child:
        try:
            total([big]), f(small), ad.compile(lambda x: ad.sum(ad.cos(x)))(big)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
print("forks")

gone = []
for k in range(10):
    g = ad.compile(lambda x, k=k: ad.sum(ad.sort(x * k)))
    g(small), ad.grad(g)(small), ad.vmap(g)(np.ones((2, 3)))
    gone.append(weakref.ref(g))
del g
gc.collect()
assert not any(r() for r in gone)
print("freed")

for g, args in ((made(), (small,)), (ad.compile(lambda t: {"a": t["x"] * 2}), ({"x": small},))):
    g(*args), g(*args)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5000): g(*args)
    gc.collect()
    assert tracemalloc.get_traced_memory()[0] - before < 2000
    tracemalloc.stop()
print("no leaks")
"""


def test_stress_of_threads_forks_and_collections():
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "ignore", "-c", STRESS],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.splitlines() == ["threads", "changes", "forks", "freed", "no leaks"]
