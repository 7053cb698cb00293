"""Signals: convolution over several axes, linear filters, smoothing, resampling."""

from __future__ import annotations

import math
import operator
from itertools import pairwise
from typing import Any

import numpy as np

from ..backends.namespace import scipy
from ..core.traced import shape
from ..errors import BatchError, DataError, ShapeError
from .batch import aligned
from .convolution import (
    by_fourier,
    convolution,
    fourier_is_faster,
    mode_of,
    pad_with_zeros,
    plain,
    vector,
    window,
)
from .elementwise import conj, is_complex
from .fft import fft, ifft, irfft, resized, rfft
from .index import index_add
from .linalg import matmul
from .order import median
from .reduce import max as largest
from .reduce import mean, sum
from .reduce import min as smallest
from .rules import op
from .shape import concat, flip, known, moveaxis, normalised, reshape


def overlap(x: Any, y: Any, rank: int, mode: str, name: str, fourier: bool | None = None) -> Any:
    """The part `mode` of the convolution of two arrays over their last `rank` axes.

    fourier : by Fourier transforms, directly, or, with None, by what is faster
    """
    if len(shape(x)) != len(shape(y)):
        raise ShapeError(
            f"`{name}` needs two arrays of as many axes; it was given {shape(x)} and {shape(y)}."
        )
    if not rank:
        return x * y
    n, m = shape(x)[-rank:], shape(y)[-rank:]
    if not math.prod(n) or not math.prod(m):
        raise ShapeError(f"`{name}` needs arrays that are not empty; it was given {n} and {m}.")
    if mode_of(mode, name) == "valid" and not within(m, n):
        if not within(n, m):
            raise ShapeError(
                f"`{name}` with mode 'valid' needs one array to lie within the other along each "
                f"axis; it was given {n} and {m}."
            )
        x, y, n, m = y, x, m, n
    if fourier or (fourier is None and floating(x, y) and fourier_is_faster(x, y, rank)):
        z = by_fourier(x, y, rank)
        if mode == "valid":
            return z[window([k - 1 for k in m], [a - b + 1 for a, b in zip(n, m, strict=True)])]
    else:
        z = convolution(x, y, rank, mode == "valid")
    return z[window([(k - 1) // 2 for k in m], n)] if mode == "same" else z


def within(m: tuple[int, ...], n: tuple[int, ...]) -> bool:
    """True where an array of shape m is no longer than one of shape n along any axis."""
    return all(a <= b for a, b in zip(m, n, strict=True))


def floating(x: Any, y: Any) -> bool:
    """True unless both hold integers, which a Fourier transform would round."""
    return x.dtype.kind in "fc" or y.dtype.kind in "fc"


METHODS = dict(auto=None, direct=False, fft=True)


def method_of(method: str, name: str) -> bool | None:
    """Whether a method is that of Fourier transforms; None lets the sizes decide."""
    if method not in METHODS:
        raise ShapeError(f"`{name}` has the methods {', '.join(METHODS)}; it was given {method!r}.")
    return METHODS[method]


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Convolution over all axes: zₖ = Σ xⱼ yₖ₋ⱼ.

    mode : "full", of length n + m - 1; "same": its middle, of the shape of `in1`; "valid": where
        one array lies within the other
    method : "direct", "fft", or "auto", which decides by the sizes

    >>> ad.signal.convolve(np.array([[1.0, 2.0]]), np.array([[1.0], [10.0]]))
    array([[ 1.,  2.],
           [10., 20.]])
    """
    x, y = known(in1), known(in2)
    return overlap(x, y, len(shape(x)), mode, "convolve", method_of(method, "convolve"))


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Correlation over all axes: zₖ = Σ xⱼ₊ₖ conj(yⱼ); modes and methods as of `convolve`.

    >>> ad.signal.correlate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0]), "valid")
    array([2., 3.])
    """
    x, y = known(in1), turned(known(in2))
    return overlap(x, y, len(shape(x)), mode, "correlate", method_of(method, "correlate"))


def turned(y: Any) -> Any:
    """y conjugated, and reversed along all axes."""
    y = conj(y) if is_complex(y) else y
    return flip(y) if shape(y) else y


def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """Convolution by Fourier transforms, over all axes or over `axes`; the others broadcast.

    >>> np.round(ad.signal.fftconvolve(np.array([1.0, 2.0]), np.array([1.0, 10.0])), 9)
    array([ 1., 12., 20.])
    """
    return over_axes(in1, in2, mode, axes, "fftconvolve")


def oaconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """Convolution as `fftconvolve`, of arrays of which one is much shorter.

    >>> np.round(ad.signal.oaconvolve(np.array([1.0, 2.0, 3.0]), np.array([10.0])), 9)
    array([10., 20., 30.])
    """
    return over_axes(in1, in2, mode, axes, "oaconvolve")


def over_axes(in1: Any, in2: Any, mode: str, axes: Any, name: str) -> Any:
    """Convolution by Fourier transforms over some axes."""
    x, y = known(in1), known(in2)
    ndim = len(shape(x))
    axes = range(ndim) if axes is None else axes if isinstance(axes, (tuple, list)) else [axes]
    axes = [normalised(a, ndim, name) for a in axes]
    if axes == [*range(ndim)] or ndim != len(shape(y)):
        return overlap(x, y, ndim, mode, name, True)
    behind = [*range(ndim - len(axes), ndim)]
    x, y = moveaxis(x, axes, behind), moveaxis(y, axes, behind)
    return moveaxis(overlap(x, y, len(axes), mode, name, True), behind, axes)


def convolve2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    """Convolution over two axes, `in1` continued beyond its edges as `boundary` says.

    boundary : "fill" (with `fillvalue`), "wrap" (periodically) or "symm" (mirrored at the edges)

    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> ad.signal.convolve2d(x, np.array([[1.0, 0.0, 1.0]]), "same", "wrap")
    array([[5., 4., 3.]])
    """
    x, y = known(in1), known(in2)
    if mode == "valid" and len(shape(x)) == len(shape(y)) and not within(shape(y), shape(x)):
        x, y = y, x
    return in_the_plane(x, y, mode, boundary, fillvalue, [(k - 1) // 2 for k in shape(y)],
                        "convolve2d")  # fmt: skip


def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    """Correlation over two axes, zₖ = Σ xⱼ₊ₖ conj(yⱼ); `boundary` as of `convolve2d`.

    >>> ad.signal.correlate2d(np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 1.0]]), "valid")
    array([[2., 3.]])
    """
    x, y = known(in1), known(in2)
    if mode == "valid" and len(shape(x)) == len(shape(y)) and not within(shape(y), shape(x)):
        return flip(correlate2d(y, x, mode))
    return in_the_plane(x, turned(y), mode, boundary, fillvalue, [k // 2 for k in shape(y)],
                        "correlate2d")  # fmt: skip


BOUNDARIES = ("fill", "wrap", "symm")


def in_the_plane(
    x: Any, y: Any, mode: str, boundary: str, fill: Any, middle: list[int], name: str
) -> Any:
    """The part `mode` of a convolution over two axes; that of mode "same" begins at `middle`."""
    if len(shape(x)) != 2 or len(shape(y)) != 2:
        raise ShapeError(
            f"`{name}` needs two arrays of two axes; it was given {shape(x)} and {shape(y)}."
        )
    if boundary not in BOUNDARIES:
        raise ShapeError(
            f"`{name}` has the boundaries {', '.join(BOUNDARIES)}; it was given {boundary!r}."
        )
    if mode_of(mode, name) == "valid":
        return overlap(x, y, 2, mode, name)
    n, around = shape(x), [k - 1 for k in shape(y)]
    if boundary != "fill":
        for axis, (length, k) in enumerate(zip(n, around, strict=True)):
            i = np.arange(-k, length + k) % (length if boundary == "wrap" else 2 * length)
            i = np.minimum(i, 2 * length - 1 - i)
            x = x[(slice(None),) * axis + (i,)]
    elif not isinstance(fill, (int, float)) or fill:
        x = pad_with_zeros(x - fill, around, around) + fill
    else:
        x = pad_with_zeros(x, around, around)
    z = overlap(x, y, 2, "valid", name)
    return z if mode == "full" else z[window(middle, n)]


def recursive_jvp(tangents, a, out):
    """a * y = x gives a * ẏ = ẋ - ȧ * y."""
    da, dx = tangents
    if da is None:
        return recursive(a, dx)
    moved = convolution(out, da, 1)[..., : shape(out)[-1]]
    return recursive(a, -moved if dx is None else dx - moved)


def recursive_vjp(ct, a, out):
    """x̄ is ȳ filtered from the other end, and āₖ = -Σ x̄ₙ yₙ₋ₖ."""
    back = flip(recursive(a, flip(ct, -1)), -1)
    before = pad_with_zeros(out, [shape(a)[-1] - 1], [0])
    return [-flip(convolution(before, flip(back, -1), 1, True), -1), back]


@op(jvp=recursive_jvp, vjp=recursive_vjp, batch=aligned)
def recursive(xp, a, x, /):
    """The y with a * y = x, beginning from rest: a₀yₙ = xₙ - Σ aₖ yₙ₋ₖ over k ≥ 1.

    a : (..., k)        x, y : (..., n)        The axes in front broadcast.  Keeps: a, out.

    Source: transposed, the triangular system a * y = x is solved from its other end.
    """
    front, n = np.broadcast_shapes(a.shape[:-1], x.shape[:-1]), x.shape[-1]
    one = xp.ones(1, a.dtype)
    if not math.prod((*front, n)):
        return xp.zeros((*front, n), xp.result_type(a, x))
    if math.prod(a.shape[:-1]) == 1:
        return xp.signal.lfilter(one, a.reshape(-1), x).reshape(*front, n)
    rows = zip(
        xp.broadcast_to(a, (*front, a.shape[-1])).reshape(-1, a.shape[-1]),
        xp.broadcast_to(x, (*front, n)).reshape(-1, n),
        strict=True,
    )
    return xp.stack([xp.signal.lfilter(one, b, v) for b, v in rows]).reshape(*front, n)


def coefficients(x: Any, name: str, which: str) -> Any:
    """The coefficients of a filter; `ShapeError` where they are not a sequence."""
    return vector(x, name, f"coefficients {which}")


def along(axis: int, x: Any, name: str) -> tuple[Any, int]:
    """x with `axis` as its last, and that axis counted from the front."""
    x = known(x)
    axis = normalised(axis, len(shape(x)), name)
    return moveaxis(x, axis, -1), axis


def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """Linear filter along `axis`: a₀yₙ = Σ bₖ xₙ₋ₖ - Σ aₖ yₙ₋ₖ over k ≥ 1.

    zi : the state at the start (zeros by default); then the result is y and the state at the end

    Differentiable in b, a, x and zi. A filter without feedback is a convolution.

    >>> ad.signal.lfilter([1.0], [1.0, -0.5], [1.0, 0.0, 0.0])
    array([1.  , 0.5 , 0.25])
    >>> ad.grad(lambda a: ad.signal.lfilter([1.0], a, [1.0, 0.0, 0.0])[2])(np.array([1.0, -0.5]))
    array([-0.75, -1.  ])
    """
    b, a = coefficients(b, "lfilter", "b"), coefficients(a, "lfilter", "a")
    x, axis = along(axis, x, "lfilter")
    if zi is None:
        return moveaxis(filtered(b, a, x), -1, axis)
    y, state = stepped(b, a, x, moveaxis(known(zi), axis, -1))
    return moveaxis(y, -1, axis), moveaxis(state, -1, axis)


def filtered(b: Any, a: Any, x: Any) -> Any:
    """The filter of b and a along the last axis of x, from rest."""
    n = shape(x)[-1]
    if not n:
        return recursive(a, x * b[0])
    if shape(a)[0] == 1:
        return convolution(x, b / a, 1)[..., :n]
    return recursive(a, convolution(x, b, 1)[..., :n] if shape(b)[0] > 1 else x * b)


def stepped(b: Any, a: Any, x: Any, zi: Any) -> Any:
    """The filter of b and a along the last axis of x from the state zi, and the state at the end.

    The state is what past inputs and outputs still add to the outputs to come.
    """
    first, n = a[0], shape(x)[-1]
    a, b = a / first, b / first
    order = max(shape(a)[0], shape(b)[0]) - 1
    if shape(zi)[-1] != order or len(shape(zi)) != len(shape(x)):
        raise ShapeError(
            f"`lfilter` of order {order} needs a state `zi` of as many axes as x, of length "
            f"{order} along that of the filter; it was given {shape(zi)} for x of {shape(x)}."
        )
    due = resized(convolution(x, b, 1), n + order, len(shape(x)) - 1)
    due = due + pad_with_zeros(zi, [0], [n])
    y = recursive(a, due[..., :n])
    past = y[..., max(n - order, 0) :]
    k = shape(past)[-1]
    fed = resized(convolution(past, a, 1), k + order, len(shape(x)) - 1)
    return y, due[..., n:] - fed[..., k:]


def lfilter_zi(b: Any, a: Any) -> Any:
    """The state in which a filter answers a step of height 1 as if it had lasted for ever.

    With b and a over a₀: z₁ = Σ (bₖ - aₖb₀) / Σ aₖ over k ≥ 1 and all k, and
    zᵢ = z₁ Σ aₖ - Σ (bₖ - aₖb₀), both over k < i.

    >>> ad.signal.lfilter_zi([1.0], [1.0, -0.5])
    array([1.])
    """
    b, a = coefficients(b, "lfilter_zi", "b"), coefficients(a, "lfilter_zi", "a")
    order = max(shape(a)[0], shape(b)[0])
    a, b = resized(a, order, 0) / a[0], resized(b, order, 0) / a[0]
    moved = b[1:] - a[1:] * b[0]
    lower = np.tri(max(order - 1, 0), k=-1, dtype=moved.dtype)
    whole = sum(moved) / sum(a)
    return whole + (whole * matmul(lower, a[1:]) - matmul(lower, moved))


PADS = ("odd", "even", "constant", None)


def extended(x: Any, padtype: Any, padlen: Any, default: int, name: str) -> tuple[Any, int]:
    """x continued at both ends of its last axis, and by how many elements."""
    if padtype not in PADS:
        raise ShapeError(f"`{name}` has the padtypes {PADS}; it was given {padtype!r}.")
    k = 0 if padtype is None else default if padlen is None else operator.index(padlen)
    if not 0 <= k < max(shape(x)[-1], 1):
        raise ShapeError(
            f"`{name}` needs a padlen of at least 0 that is less than the length of x; it was "
            f"given {k} and length {shape(x)[-1]}."
        )
    if not k:
        return x, 0
    first, final = x[..., :1], x[..., -1:]
    ones = np.ones(k, x.dtype)
    left, right = x[..., k:0:-1], x[..., -2 : -(k + 2) : -1]
    if padtype == "odd":
        left, right = 2 * first - left, 2 * final - right
    elif padtype == "constant":
        left, right = first * ones, final * ones
    return concat([left, x, right], -1), k


def filtfilt(
    b: Any, a: Any, x: Any, axis: int = -1, padtype: Any = "odd", padlen: int | None = None
) -> Any:
    """A filter run forward and then backward, so that nothing is delayed.

    padtype, padlen : x is continued at both ends ("odd", "even", "constant", None), by default by
        thrice the number of coefficients; both runs begin in the state of `lfilter_zi`

    >>> np.round(ad.signal.filtfilt([0.5, 0.5], [1.0], np.arange(9.0)), 9)[:4]
    array([0., 1., 2., 3.])
    """
    b, a = coefficients(b, "filtfilt", "b"), coefficients(a, "filtfilt", "a")
    x, axis = along(axis, x, "filtfilt")
    x, k = extended(x, padtype, padlen, 3 * max(shape(a)[0], shape(b)[0]), "filtfilt")
    zi = lfilter_zi(b, a)
    for _ in "there", "back":
        x = flip(stepped(b, a, x, zi * x[..., :1])[0], -1)
    return moveaxis(x[..., k : shape(x)[-1] - k], -1, axis)


def sections(sos: Any, name: str) -> Any:
    """The coefficients of a chain of filters of second order, one in each row."""
    sos = known(sos)
    if len(shape(sos)) != 2 or shape(sos)[1] != 6:
        raise ShapeError(
            f"`{name}` needs sections in rows of 6, b and then a; it was given {shape(sos)}."
        )
    return sos


def sosfilt(sos: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """A chain of filters of second order along `axis`; each row of `sos` is b and then a of one.

    zi : the states at the start, (sections, ..., 2, ...); then the result is y and those at the end

    >>> ad.signal.sosfilt([[1.0, 0.0, 0.0, 1.0, -0.5, 0.0]], [1.0, 0.0, 0.0])
    array([1.  , 0.5 , 0.25])
    """
    sos = sections(sos, "sosfilt")
    x, axis = along(axis, x, "sosfilt")
    if zi is None:
        for i in range(shape(sos)[0]):
            x = filtered(sos[i, :3], sos[i, 3:], x)
        return moveaxis(x, -1, axis)
    x, states = chained(sos, x, moveaxis(known(zi), axis + 1, -1))
    return moveaxis(x, -1, axis), moveaxis(states, -1, axis + 1)


def chained(sos: Any, x: Any, zi: Any) -> Any:
    """The chain along the last axis of x from the states zi, and the states at the end."""
    states = []
    for i in range(shape(sos)[0]):
        x, state = stepped(sos[i, :3], sos[i, 3:], x, zi[i])
        states.append(reshape(state, (1, *shape(state))))
    return x, concat(states)


def sosfilt_zi(sos: Any) -> Any:
    """The states in which a chain answers a step of height 1 as if it had lasted for ever.

    >>> ad.signal.sosfilt_zi([[1.0, 0.0, 0.0, 1.0, -0.5, 0.0]])
    array([[1., 0.]])
    """
    sos = sections(sos, "sosfilt_zi")
    height, states = 1.0, []
    for i in range(shape(sos)[0]):
        b, a = sos[i, :3], sos[i, 3:]
        states.append(reshape(height * lfilter_zi(b, a), (1, 2)))
        height = height * (sum(b) / sum(a))
    return concat(states)


def sosfiltfilt(
    sos: Any, x: Any, axis: int = -1, padtype: Any = "odd", padlen: int | None = None
) -> Any:
    """A chain of filters run forward and then backward, as `filtfilt`.

    >>> np.round(ad.signal.sosfiltfilt([[0.5, 0.5, 0, 1, 0, 0]], np.arange(9.0)), 9)[:4]
    array([0., 1., 2., 3.])
    """
    sos = sections(sos, "sosfiltfilt")
    x, axis = along(axis, x, "sosfiltfilt")
    default = 0 if padtype is None or padlen is not None else 3 * taps(sos)
    x, k = extended(x, padtype, padlen, default, "sosfiltfilt")
    zi = sosfilt_zi(sos)
    zi = reshape(zi, (shape(zi)[0], *[1] * (len(shape(x)) - 1), 2))
    for _ in "there", "back":
        x = flip(chained(sos, x, zi * x[..., :1])[0], -1)
    return moveaxis(x[..., k : shape(x)[-1] - k], -1, axis)


def taps(sos: Any) -> int:
    """How many inputs the chain sees at once; a section of first order sees one less."""
    raw = plain(sos)
    if raw is None:
        raise BatchError(
            "`sosfiltfilt` counts the zeros of `sos` to choose a padlen, and `vmap` maps over it. "
            "Give padlen."
        )
    short = np.sum(raw == 0, 0)
    return 2 * raw.shape[0] + 1 - int(min(short[2], short[5]))


EDGES = ("mirror", "constant", "nearest", "wrap", "interp")


def savgol_filter(
    x: Any, window_length: int, polyorder: int, deriv: int = 0, delta: float = 1.0,
    axis: int = -1, mode: str = "interp", cval: float = 0.0,
) -> Any:  # fmt: skip
    """Savitzky and Golay's filter: each element from a polynomial fitted to those around it.

    deriv : of this order is the derivative that is taken of the polynomial, the step being `delta`
    mode : how x goes on beyond its ends: "mirror", "constant" (`cval`), "nearest" or "wrap"; with
        "interp" the polynomials of the first and the last window hold up to the ends

    x : real.  Linear in x: the weights depend on the parameters alone.

    >>> ad.signal.savgol_filter(np.array([1.0, 4.0, 9.0, 16.0, 25.0]), 3, 2, deriv=1)
    array([ 2.,  4.,  6.,  8., 10.])
    """
    if mode not in EDGES:
        raise ShapeError(f"`savgol_filter` has the modes {EDGES}; it was given {mode!r}.")
    x, axis = along(axis, x, "savgol_filter")
    n, dtype = shape(x)[-1], x.dtype if x.dtype.kind == "f" else np.dtype(float)

    def weights(place: int | None) -> Any:
        """The weights of a window for the element at `place` in it, its middle by default."""
        row = scipy("signal").savgol_coeffs(
            window_length, polyorder, deriv, delta, pos=place, use="dot"
        )
        return row.astype(dtype)

    def edge(places: Any) -> Any:
        """The weights of a window for the elements at several places in it, in columns."""
        return np.reshape([weights(i) for i in places], (-1, window_length)).astype(dtype).T

    half, before = window_length // 2, (window_length - 1) // 2
    if mode != "interp":
        x = beyond(x, before, half, mode, cval)
        return moveaxis(convolution(x, weights(None)[::-1], 1, True), -1, axis)
    if window_length > n:
        raise ShapeError(
            f"`savgol_filter` with mode 'interp' needs a window no longer than x; it was given "
            f"window_length {window_length} and length {n}."
        )
    first = matmul(x[..., :window_length], edge(range(half)))
    final = matmul(x[..., n - window_length :], edge(range(window_length - half, window_length)))
    inner = convolution(x, weights(None)[::-1], 1, True)
    inner = inner[..., half - before : n - half - before]
    return moveaxis(concat([first, inner, final], -1), -1, axis)


def beyond(x: Any, before: int, after: int, mode: str, cval: Any) -> Any:
    """x continued along its last axis: mirrored about its ends, wrapped, by its ends, by `cval`."""
    n = shape(x)[-1]
    if mode == "constant":
        return pad_with_zeros(x - cval, [before], [after]) + cval
    i = np.arange(-before, n + after)
    if mode == "nearest":
        i = np.clip(i, 0, n - 1)
    elif mode == "wrap":
        i = i % n
    elif n > 1:
        i = (n - 1) - np.abs(i % (2 * n - 2) - (n - 1))
    else:
        i = i * 0
    return x[..., i]


def detrend(data: Any, axis: int = -1, type: str = "linear", bp: Any = 0) -> Any:
    """`data` less its mean ("constant") or the line fitted to it ("linear"), along `axis`.

    bp : indices at which a line ends and another begins

    >>> np.round(ad.signal.detrend(np.array([1.0, 2.0, 3.0, 4.0])), 9) + 0.0
    array([0., 0., 0., 0.])
    """
    x, axis = along(axis, data, "detrend")
    if type in ("constant", "c"):
        return moveaxis(x - mean(x, -1, True), -1, axis)
    if type not in ("linear", "l"):
        raise ShapeError(f"`detrend` has the types linear and constant; it was given {type!r}.")
    n = shape(x)[-1]
    ends = sorted({0, *np.ravel(bp).tolist(), n})
    if ends[0] < 0 or ends[-1] > n:
        raise ShapeError(f"`detrend` needs break points within the length {n}; it was given {bp}.")
    parts = []
    for start, stop in pairwise(ends):
        k = np.arange(stop - start)
        flat = np.full(len(k), len(k) ** -0.5)
        slope = k - np.mean(k)
        basis = np.stack([flat, slope / (np.linalg.norm(slope) or 1.0)]).astype(
            x.dtype if x.dtype.kind in "fc" else float
        )
        part = x[..., start:stop]
        parts.append(part - matmul(matmul(part, basis.T), basis))
    return moveaxis(concat(parts, -1), -1, axis)


def hilbert(x: Any, N: int | None = None, axis: int = -1) -> Any:
    """The analytic signal of real x: its positive frequencies twice, its negative ones not at all.

    >>> np.round(ad.signal.hilbert(np.cos(np.arange(4) * np.pi / 2)).imag, 9) + 0.0
    array([ 0.,  1.,  0., -1.])
    """
    x, axis = along(axis, x, "hilbert")
    if is_complex(x):
        raise DataError(f"`hilbert` needs real x; it was given dtype {x.dtype}.")
    X = fft(x, N)
    n = shape(X)[-1]
    k = np.arange(n)
    weights = np.where((k == 0) | (2 * k == n), 1, np.where(2 * k < n, 2, 0))
    return moveaxis(ifft(X * weights.astype(np.finfo(X.dtype).dtype)), -1, axis)


def resample(
    x: Any, num: int, t: Any = None, axis: int = 0, window: Any = None, domain: str = "time"
) -> Any:
    """x at `num` points of the same period along `axis`, by Fourier transforms.

    t : the points of x; then the result is x and the new points
    window : weights of the frequencies: an array in the order of `fft`, a function of the
        frequencies, or a name for `scipy.signal.get_window`
    domain : "freq" where x is a Fourier transform already

    >>> np.round(ad.signal.resample(np.array([1.0, 0.0, -1.0, 0.0]), 8), 3) + 0.0
    array([ 1.   ,  0.707,  0.   , -0.707, -1.   , -0.707,  0.   ,  0.707])
    """
    if domain not in ("time", "freq"):
        raise ShapeError(f"`resample` has the domains time and freq; it was given {domain!r}.")
    x, axis = along(axis, x, "resample")
    n, num = shape(x)[-1], operator.index(num)
    m = min(n, num)
    real = domain == "time" and not is_complex(x)
    X = rfft(x) if real else fft(x) if domain == "time" else x
    scale = np.full(n, num / n)
    if window is not None:
        scale = scale * frequency_weights(window, n)
    single = np.finfo(X.dtype).dtype if X.dtype.kind in "fc" else np.dtype(float)
    if real:
        scale = (scale + scale[-np.arange(n)])[: m // 2 + 1] / 2
        if m % 2 == 0 and num != n:
            scale[-1] *= 2 if num < n else 0.5
        y = irfft(X[..., : m // 2 + 1] * scale.astype(single), num)
    else:
        X = X * scale.astype(single)
        half = (m + 1) // 2
        parts, rest = [X[..., :half]], num - m
        if m % 2 == 0:
            low, high = X[..., m // 2 : m // 2 + 1], X[..., n - m // 2 : n - m // 2 + 1]
            parts += [low + high] if num < n else [low] if num == n else [low / 2]
        zeros = max(rest - (m % 2 == 0), 0)
        parts.append(np.zeros((*shape(X)[:-1], zeros), single))
        if m % 2 == 0 and num > n:
            parts.append(low / 2)
        parts.append(X[..., n - (m - 1) // 2 :])
        y = ifft(concat(parts, -1))
    y = moveaxis(y, -1, axis)
    return y if t is None else (y, t[0] + (t[1] - t[0]) * (n / num) * np.arange(num))


def upfirdn(h: Any, x: Any, up: int = 1, down: int = 1, axis: int = -1) -> Any:
    """x with up - 1 zeros behind each element, convolved with h, of which each down-th is taken.

    >>> ad.signal.upfirdn([1.0, 1.0], [1.0, 2.0], up=2)
    array([1., 1., 2., 2.])
    """
    h = coefficients(h, "upfirdn", "h")
    x, axis = along(axis, x, "upfirdn")
    return moveaxis(rate_changed(h, x, rate(up, "upfirdn"), rate(down, "upfirdn")), -1, axis)


def rate_changed(h: Any, x: Any, up: int, down: int, start: int = 0) -> Any:
    """The same along the last axis, from the element `start` of the convolution."""
    if up > 1:
        wide = (*shape(x)[:-1], (shape(x)[-1] - 1) * up + 1)
        x = index_add(x, wide, (..., slice(None, None, up)))
    fast = floating(x, h) and fourier_is_faster(x, h, 1)
    return (by_fourier(x, h, 1) if fast else convolution(x, h, 1))[..., start::down]


def rate(n: Any, name: str) -> int:
    """n as a whole number of at least 1."""
    whole = int(n)
    if whole != n or whole < 1:
        raise ShapeError(f"`{name}` needs whole rates of at least 1; it was given {n}.")
    return whole


LEVELS = dict(mean=mean, median=median, minimum=smallest, maximum=largest)


def resample_poly(
    x: Any, up: int, down: int, axis: int = 0, window: Any = ("kaiser", 5.0),
    padtype: str = "constant", cval: Any = None,
) -> Any:  # fmt: skip
    """x at up/down times as many points along `axis`, through a low pass of finite length.

    window : of the low pass, for `scipy.signal.firwin`, or its coefficients
    padtype : what x is beyond its ends: "constant" (`cval`, 0 by default), or its "mean",
        "median", "minimum" or "maximum"

    >>> np.round(ad.signal.resample_poly(np.ones(3), 2, 1, padtype="mean"), 2)
    array([1., 1., 1., 1., 1., 1.])
    """
    up, down = rate(up, "resample_poly"), rate(down, "resample_poly")
    up, down = up // math.gcd(up, down), down // math.gcd(up, down)
    x, axis = along(axis, x, "resample_poly")
    if padtype not in ("constant", *LEVELS):
        raise ShapeError(
            f"`resample_poly` has the padtypes constant, {', '.join(LEVELS)}; it was given "
            f"{padtype!r}."
        )
    if up == down == 1:
        return moveaxis(x, -1, axis)
    if isinstance(window, (str, tuple)):
        reach = 10 * max(up, down)
        h = scipy("signal").firwin(2 * reach + 1, 1 / max(up, down), window=window)
        h = h.astype(x.dtype) if x.dtype.kind in "fc" else h
    else:
        h = coefficients(window, "resample_poly", "window")
        reach = (shape(h)[0] - 1) // 2
    n, last = -(-shape(x)[-1] * up // down), len(shape(x)) - 1
    if padtype != "constant":
        level = LEVELS[padtype](x, -1, keepdims=True)
        y = rate_changed(h * up, x - level, up, down, reach)
        return moveaxis(resized(y, n, last) + level, -1, axis)
    if cval is not None:
        more = [reach // up + 1]
        x = pad_with_zeros(x - cval, more, more) + cval
        reach += more[0] * up
    return moveaxis(resized(rate_changed(h * up, x, up, down, reach), n, last), -1, axis)


def decimate(
    x: Any, q: int, n: int | None = None, ftype: str = "iir", axis: int = -1,
    zero_phase: bool = True,
) -> Any:  # fmt: skip
    """Each q-th element of x along `axis`, after a low pass.

    n, ftype : its order and kind: "iir", Chebyshev's of order 8, or "fir", of order 20q
    zero_phase : whether it delays nothing

    >>> np.round(ad.signal.decimate(np.ones(8), 2, 2, "fir"), 2)[1:]
    array([1., 1., 1.])
    """
    if ftype not in ("iir", "fir"):
        raise ShapeError(f"`decimate` has the ftypes iir and fir; it was given {ftype!r}.")
    x, axis = along(axis, x, "decimate")
    dtype = x.dtype if x.dtype.kind in "fc" else np.dtype(float)
    if ftype == "fir":
        b = scipy("signal").firwin((20 * q if n is None else n) + 1, 1 / q, window="hamming")
        b = b.astype(dtype)
        if zero_phase:
            y = resample_poly(x, 1, q, -1, b)
        else:
            y = rate_changed(b, x, 1, q)[..., : -(-shape(x)[-1] // q)]
        return moveaxis(y, -1, axis)
    sos = scipy("signal").cheby1(8 if n is None else n, 0.05, 0.8 / q, output="sos").astype(dtype)
    y = sosfiltfilt(sos, x) if zero_phase else sosfilt(sos, x)
    return moveaxis(y[..., ::q], -1, axis)


def frequency_weights(window: Any, n: int) -> Any:
    """The weights of n frequencies, in the order of `fft`."""
    if callable(window):
        return window(np.fft.fftfreq(n))
    if isinstance(window, (str, tuple, float)):
        return np.fft.fftshift(scipy("signal").get_window(window, n))
    weights = np.asarray(window)
    if weights.shape != (n,):
        raise ShapeError(
            f"`resample` needs a window of {n} weights, one a frequency; it was given "
            f"{weights.shape}."
        )
    return weights


def freqz(
    b: Any, a: Any = 1, worN: Any = 512, whole: bool = False, plot: Any = None,
    fs: float = 2 * math.pi, include_nyquist: bool = False,
) -> Any:  # fmt: skip
    """The frequency response of a filter: w and h = Σ bₖ exp(-iwk) / Σ aₖ exp(-iwk).

    worN : how many frequencies, up to fs/2 (fs, with `whole`), or the frequencies

    >>> w, h = ad.signal.freqz([0.5, 0.5], worN=[0.0, np.pi])
    >>> np.round(abs(h), 9)
    array([1., 0.])
    """
    b, a = coefficients(b, "freqz", "b"), coefficients(a, "freqz", "a")
    dtype = np.result_type(b.dtype, a.dtype)
    dtype = np.finfo(dtype).dtype if dtype.kind in "fc" else np.dtype(float)
    if isinstance(worN, (int, np.integer)):
        top = 2 * math.pi if whole else math.pi
        w = np.linspace(0, top, worN, endpoint=include_nyquist and not whole, dtype=dtype)
    else:
        w = np.atleast_1d(np.asarray(worN, dtype)) * (2 * math.pi / fs)

    def response(c: Any) -> Any:
        return matmul(np.exp(-1j * np.outer(w, np.arange(shape(c)[0], dtype=dtype))), c)

    w, h = w * (fs / (2 * math.pi)), response(b) / response(a)
    if plot is not None:
        plot(w, h)
    return w, h


def deconvolve(signal: Any, divisor: Any) -> Any:
    """Quotient and remainder of the division of one sequence by another, the inverse of `convolve`.

    >>> ad.signal.deconvolve([1.0, 12.0, 21.0], [1.0, 10.0])
    (array([1., 2.]), array([0., 0., 1.]))
    """
    x, y = (
        coefficients(signal, "deconvolve", "signal"),
        coefficients(divisor, "deconvolve", "divisor"),
    )
    n = shape(x)[0] - shape(y)[0] + 1
    if n < 1:
        return np.zeros(0), x
    quotient = recursive(y, x[:n])
    return quotient, x - convolution(quotient, y, 1)


__all__ = [
    "convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d", "deconvolve",
    "lfilter", "lfilter_zi", "filtfilt", "sosfilt", "sosfilt_zi", "sosfiltfilt", "freqz",
    "savgol_filter", "detrend", "hilbert", "resample", "resample_poly", "decimate", "upfirdn",
]  # fmt: skip
