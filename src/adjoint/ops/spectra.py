"""Spectra of signals, whole or in overlapping segments, by Fourier transforms."""

from __future__ import annotations

import operator
import warnings
from typing import Any, NamedTuple

import numpy as np

from ..backends.namespace import scipy
from ..core.traced import shape
from ..errors import ShapeError
from .elementwise import abs, angle, conj, imag, is_complex, real, to_complex
from .fft import fft, ifft, irfft, resized, rfft
from .index import index_add
from .interpolation import unwrap
from .order import median
from .reduce import mean
from .shape import known, moveaxis, normalised
from .signal import along, extended
from .signal import detrend as without_trend


class Plan(NamedTuple):
    """How a signal is cut up: the weights of a segment, the step, the length of the transform."""

    weights: np.ndarray
    step: int
    points: int


def planned(n: Any, window: Any, nperseg: Any, noverlap: Any, nfft: Any, name: str) -> Plan:
    """The segments of a signal of length n; of any length, where n is None."""
    length = None if nperseg is None else operator.index(nperseg)
    if isinstance(window, (str, tuple, float)):
        length = 256 if length is None else length
        if n is not None and length > n:
            warnings.warn(
                f"`{name}`: nperseg = {length} is greater than the length of the signal; "
                f"{n} is taken.",
                stacklevel=4,
            )
            length = n
        weights = scipy("signal").get_window(window, length)
    else:
        weights = np.asarray(window)
    length = len(weights) if length is None else length
    overlap = length // 2 if noverlap is None else operator.index(noverlap)
    points = length if nfft is None else operator.index(nfft)
    if weights.shape != (length,) or (n is not None and length > n):
        raise ShapeError(
            f"`{name}` needs a window of one axis, of length nperseg, no longer than the signal; "
            f"it was given {weights.shape}, nperseg = {length}, and a signal of {n}."
        )
    if not overlap < length <= points:
        raise ShapeError(
            f"`{name}` needs noverlap < nperseg <= nfft; it was given {overlap}, {length} and "
            f"{points}."
        )
    return Plan(weights, length - overlap, points)


def places(count: int, length: int, step: int) -> Any:
    """The indices of each of `count` overlapping segments, in rows."""
    return np.arange(count)[:, None] * step + np.arange(length)


def framed(x: Any, plan: Plan, trend: Any, onesided: bool) -> Any:
    """The Fourier transforms of the segments of x: (..., segments, frequencies)."""
    length = len(plan.weights)
    x = x[..., places((shape(x)[-1] - length) // plan.step + 1, length, plan.step)]
    if callable(trend):
        x = trend(x)
    elif trend:
        x = without_trend(x, type=trend)
    weights = plan.weights.astype(np.finfo(x.dtype if x.dtype.kind in "fc" else float).dtype)
    return (rfft if onesided else fft)(x * weights, plan.points)


def scale_of(plan: Plan, fs: Any, scaling: str, name: str) -> float:
    """What the squares are multiplied by: to a density, or to the square of an amplitude."""
    if scaling == "density":
        return float(1 / (fs * np.sum(plan.weights**2)))
    if scaling == "spectrum":
        return float(1 / np.sum(plan.weights) ** 2)
    raise ShapeError(f"`{name}` has the scalings density and spectrum; it was given {scaling!r}.")


def frequencies(plan: Plan, fs: Any, onesided: bool) -> Any:
    """The frequencies of the transform."""
    return (np.fft.rfftfreq if onesided else np.fft.fftfreq)(plan.points, 1 / fs)


def powers(x: Any, y: Any, plan: Plan, trend: Any, onesided: bool, scale: float) -> Any:
    """conj(X)·Y of each segment, scaled; where one side stands for both, twice."""
    X = framed(x, plan, trend, onesided)
    if y is x:
        out = (real(X) ** 2 + imag(X) ** 2) * scale
    else:
        out = conj(X) * framed(y, plan, trend, onesided) * scale
    if not onesided:
        return out
    k = np.arange(shape(out)[-1])
    twice = np.where((k == 0) | (2 * k == plan.points), 1, 2)
    return out * twice.astype(np.finfo(out.dtype).dtype)


def csd(
    x: Any, y: Any, fs: Any = 1.0, window: Any = "hann", nperseg: int | None = None,
    noverlap: int | None = None, nfft: int | None = None, detrend: Any = "constant",
    return_onesided: bool = True, scaling: str = "density", axis: int = -1, average: str = "mean",
) -> Any:  # fmt: skip
    """Frequencies and the cross spectral density of x and y: conj(X)·Y averaged over segments.

    Source: P. D. Welch, IEEE Trans. Audio Electroacoust. 15 (1967) 70.

    >>> x = np.cos(np.arange(8) * np.pi / 2)
    >>> f, p = ad.signal.csd(x, 2 * x, nperseg=8, window="boxcar", scaling="spectrum")
    >>> np.round(p.real, 9) + 0.0
    array([0., 0., 1., 0., 0.])
    """
    return averaged(x, y, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling,
                    axis, average, "csd")  # fmt: skip


def averaged(
    x: Any, y: Any, fs: Any, window: Any, nperseg: Any, noverlap: Any, nfft: Any, trend: Any,
    onesided: bool, scaling: str, axis: int, average: str, name: str,
) -> Any:  # fmt: skip
    """Frequencies and the average over segments of conj(X)·Y; of the same array real."""
    same = y is x
    x, y = known(x), known(y)
    behind = normalised(axis, len(shape(x)), name) - len(shape(x))
    x, y = moveaxis(x, behind, -1), moveaxis(y, behind, -1)
    n = max(shape(x)[-1], shape(y)[-1])
    x = resized(x, n, len(shape(x)) - 1)
    y = x if same else resized(y, n, len(shape(y)) - 1)
    plan = planned(n, window, nperseg, noverlap, nfft, name)
    onesided = onesided and not (is_complex(x) or is_complex(y))
    p = powers(x, y, plan, trend, onesided, scale_of(plan, fs, scaling, name))
    if average == "mean":
        p = mean(p, -2)
    elif average == "median":
        odd = np.arange(3, shape(p)[-2] + 1, 2)
        bias = 1 + float(np.sum(1 / odd - 1 / (odd - 1)))
        p = (median(p, -2) if same else to_complex(median(real(p), -2), median(imag(p), -2))) / bias
    else:
        raise ShapeError(f"`{name}` has the averages mean and median; it was given {average!r}.")
    return frequencies(plan, fs, onesided), moveaxis(p, -1, behind)


def welch(
    x: Any, fs: Any = 1.0, window: Any = "hann", nperseg: int | None = None,
    noverlap: int | None = None, nfft: int | None = None, detrend: Any = "constant",
    return_onesided: bool = True, scaling: str = "density", axis: int = -1, average: str = "mean",
) -> Any:  # fmt: skip
    """Frequencies and the power spectral density of x: |X|² averaged over overlapping segments.

    >>> f, p = ad.signal.welch(np.arange(16.0) % 2, nperseg=8, window="boxcar", scaling="spectrum")
    >>> np.round(p, 9) + 0.0
    array([0.  , 0.  , 0.  , 0.  , 0.25])
    """
    return averaged(x, x, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling,
                    axis, average, "welch")  # fmt: skip


def periodogram(
    x: Any, fs: Any = 1.0, window: Any = "boxcar", nfft: int | None = None,
    detrend: Any = "constant", return_onesided: bool = True, scaling: str = "density",
    axis: int = -1,
) -> Any:  # fmt: skip
    """Frequencies and the power spectral density of x, taken whole: |X|².

    >>> f, p = ad.signal.periodogram(np.array([1.0, -1.0, 1.0, -1.0]))
    >>> np.round(p, 9) + 0.0
    array([0., 0., 4.])
    """
    x = known(x)
    place = normalised(axis, len(shape(x)), "periodogram")
    n = shape(x)[place] if nfft is None else min(operator.index(nfft), shape(x)[place])
    window = "boxcar" if window is None else window
    x = resized(x, n, place)
    return averaged(x, x, fs, window, n, 0, nfft, detrend, return_onesided, scaling, axis, "mean",
                    "periodogram")  # fmt: skip


def coherence(
    x: Any, y: Any, fs: Any = 1.0, window: Any = "hann", nperseg: int | None = None,
    noverlap: int | None = None, nfft: int | None = None, detrend: Any = "constant",
    axis: int = -1,
) -> Any:  # fmt: skip
    """Frequencies and how far x and y go together: |Pxy|²/(Pxx·Pyy), between 0 and 1.

    >>> x = np.random.default_rng(0).normal(size=32)
    >>> np.round(ad.signal.coherence(x, -x, nperseg=8)[1], 9)
    array([1., 1., 1., 1., 1.])
    """
    how = (fs, window, nperseg, noverlap, nfft, detrend, True, "density", axis, "mean", "coherence")
    f, xx = averaged(x, x, *how)
    _, yy = averaged(y, y, *how)
    _, xy = averaged(x, y, *how)
    return f, (real(xy) ** 2 + imag(xy) ** 2) / xx / yy


MODES = ("psd", "complex", "magnitude", "angle", "phase")


def spectrogram(
    x: Any, fs: Any = 1.0, window: Any = ("tukey", 0.25), nperseg: int | None = None,
    noverlap: int | None = None, nfft: int | None = None, detrend: Any = "constant",
    return_onesided: bool = True, scaling: str = "density", axis: int = -1, mode: str = "psd",
) -> Any:  # fmt: skip
    """Frequencies, times, and the spectrum of each segment of x, the times along the last axis.

    mode : "psd" (the power), "complex", "magnitude", "angle", or "phase", which is
        the angle unwrapped along the frequencies

    >>> f, t, s = ad.signal.spectrogram(np.ones(16), nperseg=8, noverlap=4)
    >>> f.shape, t, s.shape
    ((5,), array([ 4.,  8., 12.]), (5, 3))
    """
    if mode not in MODES:
        raise ShapeError(f"`spectrogram` has the modes {', '.join(MODES)}; it was given {mode!r}.")
    x, axis = along(axis, x, "spectrogram")
    n = shape(x)[-1]
    plan = planned(n, window, nperseg, 0, None, "spectrogram")
    overlap = len(plan.weights) // 8 if noverlap is None else noverlap
    plan = planned(n, plan.weights, None, overlap, nfft, "spectrogram")
    onesided = return_onesided and not is_complex(x)
    scale = scale_of(plan, fs, scaling, "spectrogram")
    if mode == "psd":
        s = powers(x, x, plan, detrend, onesided, scale)
    else:
        s = framed(x, plan, detrend, onesided) * scale**0.5
        s = abs(s) if mode == "magnitude" else s if mode == "complex" else angle(s)
        s = unwrap(s) if mode == "phase" else s
    return frequencies(plan, fs, onesided), times(n, plan, fs), moveaxis(s, -1, axis)


def times(n: int, plan: Plan, fs: Any) -> Any:
    """The times of the middles of the segments."""
    half = len(plan.weights) / 2
    return np.arange(half, n - half + 1, plan.step) / float(fs)


def stft(
    x: Any, fs: Any = 1.0, window: Any = "hann", nperseg: int = 256, noverlap: int | None = None,
    nfft: int | None = None, detrend: Any = False, return_onesided: bool = True,
    boundary: Any = "zeros", padded: bool = True, axis: int = -1, scaling: str = "spectrum",
) -> Any:  # fmt: skip
    """Frequencies, times, and the Fourier transforms of segments, the times along the last axis.

    boundary : how x goes on for half a segment: "zeros", "even", "odd", "constant" or None
    padded : whether zeros fill up the last segment
    scaling : "spectrum" (amplitudes) or "psd" (roots of densities)

    >>> f, t, z = ad.signal.stft(np.ones(8), nperseg=4)
    >>> t, np.round(abs(z[0]), 9)
    (array([0., 2., 4., 6., 8.]), array([0.75, 1.  , 1.  , 1.  , 0.25]))
    """
    if scaling not in ("spectrum", "psd"):
        raise ShapeError(f"`stft` has the scalings spectrum and psd; it was given {scaling!r}.")
    x, axis = along(axis, x, "stft")
    plan = planned(shape(x)[-1], window, nperseg, noverlap, nfft, "stft")
    length = len(plan.weights)
    half = length // 2 if boundary is not None else 0
    if boundary == "zeros":
        x = index_add(
            x, (*shape(x)[:-1], shape(x)[-1] + 2 * half), (..., slice(half, -half or None))
        )
    elif boundary is not None:
        x, _ = extended(x, boundary, half, half, "stft")
    n = shape(x)[-1]
    if padded:
        n += (-(n - length) % plan.step) % length
        x = resized(x, n, len(shape(x)) - 1)
    onesided = return_onesided and not is_complex(x)
    scale = scale_of(plan, fs, "density" if scaling == "psd" else scaling, "stft") ** 0.5
    z = framed(x, plan, detrend, onesided) * scale
    t = times(n, plan, fs) - (0 if boundary is None else length / 2 / fs)
    return frequencies(plan, fs, onesided), t, moveaxis(z, -1, axis)


def istft(
    Zxx: Any, fs: Any = 1.0, window: Any = "hann", nperseg: int | None = None,
    noverlap: int | None = None, nfft: int | None = None, input_onesided: bool = True,
    boundary: bool = True, time_axis: int = -1, freq_axis: int = -2, scaling: str = "spectrum",
) -> Any:  # fmt: skip
    """Times and the signal whose segments have these Fourier transforms: the inverse of `stft`.

    Where they overlap, the segments are weighted and added up, over the sum of the squared weights.

    >>> np.round(ad.signal.istft(ad.signal.stft(np.arange(6.0), nperseg=4)[2])[1], 9)
    array([0., 1., 2., 3., 4., 5.])
    """
    z = known(Zxx)
    ndim = len(shape(z))
    time_axis, freq_axis = (normalised(a, ndim, "istft") for a in (time_axis, freq_axis))
    if time_axis == freq_axis:
        raise ShapeError(f"`istft` needs two axes; it was given the axis {time_axis} for both.")
    z = moveaxis(z, (time_axis, freq_axis), (-2, -1))
    points = 2 * (shape(z)[-1] - 1) if input_onesided else shape(z)[-1]
    length = points if nperseg is None else operator.index(nperseg)
    if nfft is None and input_onesided and length == points + 1:
        points = length
    plan = planned(None, window, length, noverlap, points if nfft is None else nfft, "istft")
    pieces = (irfft if input_onesided else ifft)(z, plan.points)[..., :length]
    single = np.finfo(pieces.dtype).dtype
    if scaling not in ("spectrum", "psd"):
        raise ShapeError(f"`istft` has the scalings spectrum and psd; it was given {scaling!r}.")
    scale = scale_of(plan, fs, "density" if scaling == "psd" else scaling, "istft") ** -0.5
    *front, count, _ = shape(pieces)
    whole, rows = (count - 1) * plan.step + length, places(count, length, plan.step)
    weights = (plan.weights * scale).astype(single)
    x = index_add(pieces * weights, (*front, whole), (..., rows))
    total = index_add(np.tile(plan.weights**2, (count, 1)), (whole,), rows)
    if boundary:
        inner = slice(length // 2, whole - length // 2)
        x, total = x[..., inner], total[inner]
    if np.any(total <= 1e-10):
        warnings.warn(
            "`istft`: some elements are in no segment; they are not divided.", stacklevel=2
        )
    x = x / np.where(total > 1e-10, total, 1.0).astype(single)
    t = np.arange(shape(x)[-1]) / float(fs)
    return t, moveaxis(x, -1, time_axis - (freq_axis < time_axis))


__all__ = [
    "coherence", "csd", "istft", "periodogram", "spectrogram", "stft", "welch",
]  # fmt: skip
