"""Nothing leaves silently: every way out of a tracked Tensor is refused and says `.detach()`.

Or it is no way out: NumPy's own functions may give Tensors, and then with the right derivative.
"""

import array
import cmath
import copy
import ctypes
import datetime
import decimal
import fractions
import io
import itertools
import json
import math
import operator
import pickle
import random
import statistics
import struct
import warnings
from functools import partial

import numpy as np
import pytest
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.spatial
import scipy.special
import scipy.stats

import adjoint as ad
from adjoint.errors import AdjointError, ConversionError


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


def after(target, act):
    """`target` once `act` has been done to it."""
    act(target)
    return target


def zeros(*shape):
    return np.zeros(shape or 3)


def sparse():
    return scipy.sparse.eye_array(3).tocsr()


def rng():
    return np.random.default_rng(0)


def at(index):
    """Assignment to an element or elements of a plain array."""
    return lambda t: after(zeros(), lambda a: operator.setitem(a, index, t))


WRITES = {
    "an element": at(0),
    "a slice": at(slice(None)),
    "a mask": at(np.ones(3, bool)),
    "an index array": at([0, 1, 2]),
    "a list": lambda t: after(zeros(3, 1), lambda a: operator.setitem(a, 0, [t])),
    "a field": lambda t: after(np.zeros(3, [("a", float)]), lambda a: operator.setitem(a, "a", t)),
    "objects": lambda t: after(np.zeros(3, object), lambda a: operator.setitem(a, 0, t)),
    "flat": lambda t: after(zeros(), lambda a: operator.setitem(a.flat, slice(None), t)),
    "fill": lambda t: after(zeros(), lambda a: a.fill(t)),
    "put": lambda t: after(zeros(), lambda a: a.put([0], t)),
    "+=": lambda t: operator.iadd(zeros(), t),
    "*=": lambda t: operator.imul(np.ones(3), t),
    "@=": lambda t: operator.imatmul(np.eye(3), t * np.eye(3)),
    "np.put": lambda t: after(zeros(), lambda a: np.put(a, [0], t)),
    "np.copyto": lambda t: after(zeros(), lambda a: np.copyto(a, t)),
    "np.place": lambda t: after(zeros(), lambda a: np.place(a, np.ones(3, bool), t)),
    "np.putmask": lambda t: after(zeros(), lambda a: np.putmask(a, np.ones(3, bool), t)),
    "np.put_along_axis": lambda t: after(
        zeros(), lambda a: np.put_along_axis(a, np.arange(3), t, 0)
    ),
    "np.fill_diagonal": lambda t: after(zeros(3, 3), lambda a: np.fill_diagonal(a, t)),
    "np.add.at": lambda t: after(zeros(), lambda a: np.add.at(a, [0, 1, 2], t)),
    "np.multiply.at": lambda t: after(np.ones(3), lambda a: np.multiply.at(a, [0, 1, 2], t)),
    "np.add, out": lambda t: np.add(t, 1, out=zeros()),
    "np.add, where": lambda t: np.add(t, 1, where=np.arange(3) > 0, out=zeros()),
    "np.sin, out": lambda t: np.sin(t, out=zeros()),
    "np.modf, out": lambda t: np.modf(t, out=(zeros(), zeros())),
    "np.add.reduce, out": lambda t: np.add.reduce(np.ones((3, 3)) * t, out=zeros()),
    "np.einsum, out": lambda t: np.einsum("i,i->i", t, t, out=zeros()),
    "np.matmul, out": lambda t: np.matmul(np.eye(3), t, out=zeros()),
    "np.dot, out": lambda t: np.dot(np.eye(3), t, out=zeros()),
    "np.sum, out": lambda t: np.sum(np.ones((3, 3)) * t, 0, out=zeros()),
    "np.cumsum, out": lambda t: np.cumsum(t * np.ones(3), out=zeros()),
    "np.clip, out": lambda t: np.clip(t, 0, 1, out=zeros()),
    "np.round, out": lambda t: np.round(t, 1, out=zeros()),
    "np.concatenate, out": lambda t: np.concatenate([t, t], out=zeros(6)),
    "np.stack, out": lambda t: np.stack([t, t], out=zeros(2, 3)),
    "np.take, out": lambda t: np.take(t, [0, 0, 0], out=zeros()),
    "np.choose, out": lambda t: np.choose([0, 0, 0], [t, t], out=zeros()),
    "special.expit, out": lambda t: scipy.special.expit(t, out=zeros()),
    "list": lambda t: after([0.0], lambda a: operator.setitem(a, 0, t)),
    "array.array": lambda t: after(array.array("d"), lambda a: a.append(t)),
    "a sparse matrix": lambda t: after(
        sparse().tolil(), lambda a: operator.setitem(a, (0, 0), t)
    ).todense(),
}
METHODS = {  # of a plain array, given a Tensor
    "*": lambda t: np.ones(3) * t,
    "float64 *": lambda t: np.float64(2) * t,
    "float32 *": lambda t: np.float32(2) * t,
    "@": lambda t: np.ones((3, 3)) @ t,
    "__mul__": np.ones(3).__mul__,
    "dot": np.ones(3).dot,
    "clip": np.linspace(0, 1, 3).clip,
    "clip, max": lambda t: np.linspace(0, 1, 3).clip(0, t),
    "searchsorted": np.arange(3.0).searchsorted,
    "choose": lambda t: np.array([0, 0, 0]).choose([t, t]),
    "sum, initial": lambda t: np.ones(3).sum(initial=t),
    "max, initial": lambda t: np.ones(3).max(initial=t),
    "mean, out": lambda t: np.ones((3, 3)).mean(0, out=t),
    "[t > 0]": lambda t: np.ones(3)[t > 0],
}
NUMPYS = {
    "np.append": lambda t: np.append(zeros(), t),
    "np.insert": lambda t: np.insert(zeros(), 1, t),
    "np.full": lambda t: np.full(3, t),
    "np.full_like": lambda t: np.full_like(zeros(), t),
    "np.full_like of it": lambda t: np.full_like(t, 1.0),
    "np.zeros_like": np.zeros_like,
    "np.linspace": lambda t: np.linspace(0, t, 3),
    "np.logspace": lambda t: np.logspace(0, t, 3),
    "np.geomspace": lambda t: np.geomspace(1, t, 3),
    "np.asanyarray": np.asanyarray,
    "np.ascontiguousarray": np.ascontiguousarray,
    "np.asfortranarray": np.asfortranarray,
    "np.asarray_chkfinite": np.asarray_chkfinite,
    "np.require": np.require,
    "np.copy": np.copy,
    "np.array of two": lambda t: np.array([t, t]),
    "np.array of rows": lambda t: np.array([[t, t], [t, t]]),
    "np.array of a tuple, object": lambda t: np.array((t, t), dtype=object),
    "np.array, structured": lambda t: np.array([(t,)], dtype=[("a", float)]),
    "np.float32": np.float32,
    "np.complex128": np.complex128,
    "np.str_": np.str_,
    "np.ma.array": np.ma.array,
    "np.ma.masked_invalid": np.ma.masked_invalid,
    "np.asmatrix": np.asmatrix,
    "np.poly1d": np.poly1d,
    "a poly1d of it": lambda t: np.poly1d([1.0, 2.0])(t),
    "np.polynomial": lambda t: np.polynomial.Polynomial(t),
    "a Polynomial of it": lambda t: np.polynomial.Polynomial([1.0, 2.0])(t),
    "chebval": lambda t: np.polynomial.chebyshev.chebval(t, [1.0, 2.0, 3.0]),
    "np.rec": lambda t: np.rec.fromarrays([t, t]),
    "np.frombuffer": np.frombuffer,
    "np.fromiter of it": lambda t: np.fromiter(t, float),
    "np.fromiter, object": lambda t: np.fromiter([t], object),
    "np.fromfunction": lambda t: np.fromfunction(lambda i: i * t, (3,)),
    "np.vectorize": np.vectorize(math.sin),
    "np.vectorize, identity": np.vectorize(lambda x: x),
    "np.vectorize, excluded": lambda t: np.vectorize(lambda i, x: i * x, excluded=[1])(zeros(), t),
    "np.frompyfunc": np.frompyfunc(lambda x: 2 * x, 1, 1),
    "np.apply_along_axis": lambda t: np.apply_along_axis(np.sum, 0, t),
    "np.apply_over_axes": lambda t: np.apply_over_axes(np.sum, t, [0]),
    "np.piecewise": lambda t: np.piecewise(t, [t > 0], [lambda x: 2 * x, 0.0]),
    "np.piecewise by it": lambda t: np.piecewise(
        np.arange(3.0), [np.arange(3) > 1], [lambda x: x * t, 0.0]
    ),
    "np.save": lambda t: np.save(io.BytesIO(), t),
    "np.savez": lambda t: np.savez(io.BytesIO(), t),
    "np.savez_compressed": lambda t: np.savez_compressed(io.BytesIO(), a=t),
    "np.savetxt": lambda t: np.savetxt(io.StringIO(), t),
    "np.sin": np.sin,
    "np.exp": np.exp,
    "np.add": lambda t: np.add(np.ones(3), t),
    "np.isfinite": np.isfinite,
    "np.sum": np.sum,
    "np.mean": np.mean,
    "np.max": np.max,
    "np.add.reduce": np.add.reduce,
    "np.add.accumulate": np.add.accumulate,
    "np.add.outer": lambda t: np.add.outer(t, t),
    "np.add.reduceat": lambda t: np.add.reduceat(t, [0, 1]),
    "np.dot": lambda t: np.dot(t, t),
    "np.einsum": lambda t: np.einsum("i,i", t, t),
    "np.stack": lambda t: np.stack([t, t]),
    "np.block": lambda t: np.block([t, t]),
    "np.meshgrid": lambda t: np.meshgrid(t, t),
    "np.where": lambda t: np.where(t > 0.65, t, 0.0),
    "np.where, all": lambda t: np.where(True, t, t),
    "np.select": lambda t: np.select([np.arange(3) > 0], [t]),
    "np.choose": lambda t: np.choose([0, 0, 0], [t, t]),
    "np.linalg.norm": np.linalg.norm,
    "np.linalg.solve": lambda t: np.linalg.solve(2 * np.eye(3), t),
    "np.fft.fft": lambda t: np.abs(np.fft.fft(t)),
    "np.allclose": lambda t: np.allclose(t, t),
    "np.array_equal": lambda t: np.array_equal(t, t),
    "np.testing": lambda t: np.testing.assert_allclose(t, t),
    "np.interp": lambda t: np.interp(t, [0, 1], [0, 3]),
    "np.interp, values": lambda t: np.interp([0.5], [0, 1, 2], t),
    "np.searchsorted": lambda t: np.searchsorted(np.arange(3.0), t),
    "np.digitize": lambda t: np.digitize(t, [0, 1]),
    "np.histogram": lambda t: np.histogram(t)[0],
    "np.bincount": lambda t: np.bincount([0, 1, 2], weights=t),
    "np.unique": np.unique,
    "np.sort": np.sort,
    "np.median": np.median,
    "np.percentile": lambda t: np.percentile(t, 30.0),
    "np.cov": np.cov,
    "np.corrcoef": lambda t: np.corrcoef(t, [1.0, 0.0, 3.0]),
    "np.convolve": lambda t: np.convolve(t, t),
    "np.correlate": lambda t: np.correlate(t, t),
    "np.polyfit": lambda t: np.polyfit(np.arange(3.0), t, 1),
    "np.polyval": lambda t: np.polyval([1.0, 2.0, 3.0], t),
    "np.vander": np.vander,
    "np.trapezoid": np.trapezoid,
    "np.gradient": np.gradient,
    "np.diff": np.diff,
    "np.pad": lambda t: np.pad(t, 1),
    "np.tile": lambda t: np.tile(t, 2),
    "np.real": np.real,
    "np.i0": np.i0,
    "np.sinc": np.sinc,
    "np.nan_to_num": np.nan_to_num,
    "np.modf": np.modf,
    "np.frexp": np.frexp,
    "np.ldexp": lambda t: np.ldexp(t, 2),
    "np.atleast_2d": np.atleast_2d,
    "np.broadcast_to": lambda t: np.broadcast_to(t, (2, 3)),
    "np.nonzero": np.nonzero,
    "np.isin": lambda t: np.isin(t, [1.0]),
    "np.nditer": lambda t: [float(x) for x in np.nditer(t)],
    "np.ndenumerate": lambda t: [x for _, x in np.ndenumerate(t)],
    "np.broadcast": lambda t: [float(x) for (x,) in np.broadcast(t)],
    "sliding_window_view": lambda t: np.lib.stride_tricks.sliding_window_view(t, 2),
    "as_strided": lambda t: np.lib.stride_tricks.as_strided(t, (2,), (8,)),
    "np.r_": lambda t: np.r_[t, t],
    "np.c_": lambda t: np.c_[t, t],
    "np.mgrid": lambda t: np.mgrid[0:t:3j],
    "np.ogrid": lambda t: np.ogrid[0:t:3j],
    "np.array2string": np.array2string,
    "np.array_repr": np.array_repr,
    "np.format_float_positional": np.format_float_positional,
    "np.finfo": lambda t: np.finfo(t).bits,
    "np.result_type": lambda t: str(np.result_type(t)),
    "np.shape": np.shape,
    "np.ndim": np.ndim,
    "np.size": np.size,
}
RANDOM = {
    "normal": lambda t: rng().normal(t),
    "normal, scale": lambda t: rng().normal(0, t),
    "uniform": lambda t: rng().uniform(0, t),
    "choice": lambda t: rng().choice(t),
    "choice, p": lambda t: rng().choice(3, p=t / sum(t)),
    "permutation": lambda t: rng().permutation(t),
    "multivariate_normal": lambda t: rng().multivariate_normal(t, np.eye(3)),
    "RandomState": lambda t: np.random.RandomState(0).normal(t),
    "gauss": lambda t: random.Random(0).gauss(t, 1.0),
    "random.uniform": lambda t: random.Random(0).uniform(0, t),
    "random.choices": lambda t: random.Random(0).choices([1, 2, 3], t),
}
PYTHONS = {
    "round, digits": lambda t: round(t, 2),
    "str.format": "{:f}".format,
    "repr": lambda t: repr(t)[:1],
    "divmod": lambda t: divmod(t, 2),
    "pow": lambda t: pow(t, 2),
    "abs": abs,
    "bool": bool,
    "sum": sum,
    "max": max,
    "sorted": sorted,
    "list": list,
    "set": set,
    "any": any,
    "map": lambda t: [*map(float, t)],
    "accumulate": lambda t: [*itertools.accumulate(t)],
    "bytes": bytes,
    "bytearray": bytearray,
    "math.hypot": lambda t: math.hypot(t, t),
    "math.ceil": math.ceil,
    "math.trunc": math.trunc,
    "math.fsum of it": math.fsum,
    "math.prod": math.prod,
    "math.dist": lambda t: math.dist(t, [0.0, 0.0, 0.0]),
    "math.isnan": math.isnan,
    "math.gamma": math.gamma,
    "math.copysign": lambda t: math.copysign(t, 1),
    "math.frexp": math.frexp,
    "math.ldexp": lambda t: math.ldexp(t, 1),
    "cmath.exp": lambda t: cmath.exp(t).real,
    "statistics.mean": statistics.mean,
    "statistics.fmean": statistics.fmean,
    "statistics.stdev": statistics.stdev,
    "statistics.mean of a list": lambda t: statistics.mean([t, t]),
    "Decimal": decimal.Decimal,
    "Fraction": fractions.Fraction,
    "timedelta": datetime.timedelta,
    "struct": partial(struct.pack, "d"),
    "ctypes": lambda t: ctypes.c_double(t).value,
    "ctypes, array": lambda t: list((ctypes.c_double * 3)(*t)),
    "memoryview": memoryview,
    "json": json.dumps,
    "__array__": lambda t: t.__array__(),
    "__array_interface__": lambda t: t.__array_interface__ and 0,
    "__array_struct__": lambda t: t.__array_struct__ and 0,
}
SCIPYS = {
    "csr_array": lambda t: scipy.sparse.csr_array(t.reshape(1, -1)).todense(),
    "csr_matrix": lambda t: scipy.sparse.csr_matrix(t.reshape(1, -1)).todense(),
    "coo_array": lambda t: scipy.sparse.coo_array((t, (np.arange(3), np.arange(3)))).todense(),
    "diags": lambda t: scipy.sparse.diags_array([t]).todense(),
    "sparse @": lambda t: sparse() @ t,
    "@ sparse": lambda t: t @ sparse(),
    "sparse *": lambda t: (sparse() * t).todense(),
    "sparse +": lambda t: sparse() + t * np.ones((3, 3)),
    "sparse dot": lambda t: sparse().dot(t * np.ones(3)),
    "linalg.solve": lambda t: scipy.linalg.solve(2 * np.eye(3), t),
    "linalg.expm": lambda t: scipy.linalg.expm(np.eye(3) * t),
    "linalg.norm": scipy.linalg.norm,
    "special.erf": scipy.special.erf,
    "special.gammaln": scipy.special.gammaln,
    "special.struve": partial(scipy.special.struve, 0),
    "special.logsumexp": scipy.special.logsumexp,
    "special.softmax": scipy.special.softmax,
    "stats.norm.pdf": scipy.stats.norm.pdf,
    "stats.zscore": scipy.stats.zscore,
    "stats.skew": scipy.stats.skew,
    "integrate.simpson": scipy.integrate.simpson,
    "integrate.trapezoid": scipy.integrate.trapezoid,
    "integrate.quad": lambda t: scipy.integrate.quad(lambda x: x * t, 0, 1)[0],
    "integrate.odeint": lambda t: scipy.integrate.odeint(lambda y, s: -y, t, [0.0, 1.0]),
    "integrate.solve_ivp": lambda t: scipy.integrate.solve_ivp(lambda s, y: -y, (0, 1), t).y,
    "optimize.brentq": lambda t: scipy.optimize.brentq(lambda x: x - t, 0, 1),
    "optimize.minimize": lambda t: scipy.optimize.minimize(lambda x: ((x - 1) ** 2).sum(), t).fun,
    "interpolate": lambda t: scipy.interpolate.make_interp_spline(np.arange(3.0), t, k=1)(0.5),
    "ndimage": lambda t: scipy.ndimage.gaussian_filter(t, 1.0),
    "signal.lfilter": lambda t: scipy.signal.lfilter([1.0], [1.0], t),
    "signal.convolve": lambda t: scipy.signal.convolve(t, t),
    "signal.savgol_filter": lambda t: scipy.signal.savgol_filter(t, 3, 1),
    "fft.fft": lambda t: np.abs(scipy.fft.fft(t)),
    "fft.dct": scipy.fft.dct,
    "spatial.cdist": lambda t: scipy.spatial.distance.cdist(t.reshape(-1, 1), [[0.0]]),
    "spatial.Rotation": lambda t: scipy.spatial.transform.Rotation.from_rotvec(t).as_matrix(),
}
WAYS = {
    f"{table}: {way}": f
    for table, ways in {
        "write": WRITES, "method": METHODS, "numpy": NUMPYS, "random": RANDOM,
        "python": PYTHONS, "scipy": SCIPYS,
    }.items()
    for way, f in ways.items()
}  # fmt: skip
POINTS = {"number": np.float64(0.6), "array": np.array([0.6, 0.7, 0.9])}
STORED = """np.save np.savez np.savez_compressed np.savetxt bytes bytearray struct json memoryview
    np.frombuffer Decimal Fraction timedelta str.format np.format_float_positional""".split()
REFUSALS = (
    TypeError, ValueError, AttributeError, IndexError, BufferError, SystemError, struct.error,
    AdjointError,
)  # fmt: skip


def quietly(way, x):
    """What becomes of an array or a Tensor that way; a warning is no refusal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return way(x)


def weighed(out):
    """The numbers in something, each with a weight of its own, as one."""
    if isinstance(out, set):
        out = sorted(out, key=lambda x: float(x.detach() if hasattr(x, "detach") else x))
    if isinstance(out, np.ndarray) and out.dtype == object:
        out = out.ravel().tolist()
    if isinstance(out, (list, tuple, array.array)):
        return sum((i + 1) * weighed(x) for i, x in enumerate(out))
    if not isinstance(out, float) and getattr(getattr(out, "dtype", 0), "kind", "-") not in "fc":
        return 0.0
    out = np.asarray(out) if isinstance(out, (float, np.matrix)) else out
    weights = np.linspace(1.0, 2.0, out.size).reshape(out.shape)
    return (out * weights).sum()


def ways_out():
    """Each way with each point at which a plain array takes it."""
    for name, way in WAYS.items():
        for kind, x in POINTS.items():
            try:
                quietly(way, x.copy())
            except REFUSALS:
                continue
            yield name, kind


def derivatives(way, x, v):
    """How each mode is asked for the derivative along v."""

    def total(t):
        return quietly(lambda t: weighed(way(t)), t * 1.0) + 0.0 * t.sum()

    def backward():
        t = ad.Tensor(x)
        total(t).backward()
        return np.sum(t.grad * v)

    def forward(x):
        return ad.jvp(total, (x,), (v,))

    return dict(
        backward=backward,
        reverse=lambda: np.sum(ad.grad(total)(x) * v),
        forward=lambda: forward(x)[1],
        nested=lambda: ad.jvp(lambda x: forward(x)[0], (x,), (v,))[1],
    )


TAKEN = [*ways_out()]
EACH = pytest.mark.parametrize("name, kind", TAKEN, ids=map(": ".join, TAKEN))


@EACH
def test_every_way_keeps_the_derivative_or_is_refused(name, kind):
    way, x = WAYS[name], POINTS[kind]
    v = np.linspace(1.0, 2.0, x.size).reshape(x.shape)
    above, below = (weighed(quietly(way, x + h * v)) for h in (1e-6, -1e-6))
    for mode, derivative in derivatives(way, x, v).items():
        try:
            got = derivative()
        except REFUSALS:
            continue
        assert name.split(": ")[1] not in STORED, f"{mode} let it out"
        np.testing.assert_allclose(got, (above - below) / 2e-6, 1e-6, 1e-6, err_msg=mode)


@EACH
def test_every_way_out_of_vmap_is_mapped_or_refused(name, kind):
    way, x = WAYS[name], POINTS[kind]
    rows = np.stack([x, 1.1 * x, 0.9 * x])
    try:
        got = ad.vmap(lambda t: quietly(lambda t: weighed(way(t)), t) + 0.0 * t.sum())(rows)
    except REFUSALS:
        return
    np.testing.assert_allclose(got, [weighed(quietly(way, row)) for row in rows])


def test_every_way_is_taken_by_plain_arrays():
    """Or it would not be known whether it was refused for what it is."""
    taken = {name for name, _ in TAKEN}
    ours = {"python: __array__", "python: __array_interface__", "python: __array_struct__"}
    assert set(WAYS) - taken <= ours | {"python: json"}


FOREIGN = {
    "torch.tensor": lambda torch, t: torch.tensor(t),
    "torch.tensor of a list": lambda torch, t: torch.tensor([t, t]),
    "torch.as_tensor": lambda torch, t: torch.as_tensor(t),
    "torch.asarray": lambda torch, t: torch.asarray(t),
    "torch.from_numpy": lambda torch, t: torch.from_numpy(t),
    "torch.from_dlpack": lambda torch, t: torch.from_dlpack(t),
    "torch.+": lambda torch, t: torch.ones(3) + t,
    "torch.+=": lambda torch, t: operator.iadd(torch.ones(3), t),
    "torch.sin": lambda torch, t: torch.sin(t),
    "torch.copy_": lambda torch, t: torch.ones(3).copy_(t),
    "torch.an element": lambda torch, t: after(
        torch.ones(3), lambda a: operator.setitem(a, 0, t.sum())
    ),
    "jax.asarray": lambda jax, t: jax.numpy.asarray(t),
    "jax.array of a list": lambda jax, t: jax.numpy.array([t, t]),
    "jax.sin": lambda jax, t: jax.numpy.sin(t),
    "jax.from_dlpack": lambda jax, t: jax.numpy.from_dlpack(t),
    "jax.at": lambda jax, t: jax.numpy.ones(3).at[0].set(t.sum()),
    "dask.array.from_array": lambda dask, t: dask.from_array(t).compute(),
    "dask.array.asarray": lambda dask, t: dask.asarray(t).compute(),
    "dask.array.sin": lambda dask, t: dask.sin(dask.from_array(t)).compute(),
    "pandas.Series": lambda pandas, t: pandas.Series(t),
    "pandas.DataFrame": lambda pandas, t: pandas.DataFrame({"a": t}),
    "pandas.assignment": lambda pandas, t: after(
        pandas.Series(zeros()), lambda a: operator.setitem(a, slice(None), t)
    ),
}


@pytest.mark.backend
@pytest.mark.parametrize("way", FOREIGN)
def test_other_libraries_do_not_take_the_values_alone(way):
    library = pytest.importorskip(way.rpartition(".")[0])
    try:
        out = FOREIGN[way](library, ad.Tensor(np.ones(3)) * 2)
    except (*REFUSALS, RuntimeError):
        return
    assert isinstance(out, ad.Tensor) and out.tracked


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


def test_a_value_of_a_transform_that_has_ended_is_still_no_array():
    kept = []

    def f(x):
        kept.append(x * 2)
        return x

    ad.grad(f)(1.0)
    with pytest.raises(ConversionError):
        float(kept[0])
    assert float(kept[0].detach()) == 2
