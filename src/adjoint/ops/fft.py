"""Fourier, cosine and sine transforms: linear maps whose transposes are transforms again.

Complex cotangents are paired without conjugation, so the transpose of a symmetric matrix such as
that of the Fourier transform is that matrix itself, and not the inverse transform.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..backends.namespace import scipy
from ..core.traced import shape
from ..errors import ShapeError
from .elementwise import conj, is_complex, real
from .index import index_add
from .rules import linear
from .shape import known, normalised, roll

OPPOSITE = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The normalisation of a transform whose transpose is the inverse of another, by that other's."""


def fourier_transpose(ct, axis, norm, inverse, narrow):
    """The Fourier matrix is symmetric; of real x the cotangent is real too."""
    back = fourier(ct, axis, norm, inverse)
    return real(back) if narrow else back


@linear(fourier_transpose)
def fourier(xp, x, /, axis, norm=None, inverse=False, narrow=False):
    """Fourier transform along `axis`: yₖ = Σ xⱼ exp(-2πi jk/n), or its inverse.

    narrow : whether x is real.  Keeps: nothing.
    """
    return (xp.fft.ifft if inverse else xp.fft.fft)(x, None, axis, norm)


@linear(
    lambda ct, x_shape, axis, norm: fourier_to_real(
        conj(unpaired(ct, x_shape[axis], axis, 0.5)), x_shape[axis], axis, OPPOSITE[norm]
    )
)
def fourier_of_real(xp, x, /, axis, norm=None):
    """The frequencies 0 ... n//2 of the Fourier transform of real x.

    The transpose adds up the waves of these frequencies, as the inverse does, which counts those
    between the first and the last twice.
    """
    return xp.fft.rfft(x, None, axis, norm)


@linear(
    lambda ct, n, axis, norm: unpaired(
        conj(fourier_of_real(real(ct), axis, OPPOSITE[norm])), n, axis, 2
    )
)
def fourier_to_real(xp, x, /, n, axis, norm=None):
    """The n real numbers whose Fourier transform has the frequencies x: 0 ... n//2."""
    return xp.fft.irfft(x, n, axis, norm)


def unpaired(x, n, axis, weight):
    """x times `weight`, but for the frequencies of n numbers that are their own mirror images."""
    k = np.arange(n // 2 + 1)
    weights = np.where((k == 0) | (2 * k == n), 1, weight).astype(np.finfo(x.dtype).dtype)
    return x * weights.reshape(-1, *[1] * (len(shape(x)) - 1 - axis))


def wave_transpose(ct, x_shape, wave, kind, axis, norm, orthogonal):
    """Types 2 and 3 are each other's transposes, 1 and 4 their own, but for what the ends count.

    Where the matrix is orthogonal that is settled. Else type 3, and type 1 of cosines, count an end
    of x once and all between twice.
    """
    n = x_shape[axis]
    ends = () if orthogonal else ENDS.get((wave, kind), ())
    before, after = BEFORE.get(kind, 1), AFTER.get(kind, 1)
    ct = weighted(ct, ends, before, n, axis)
    ct = waves(ct, wave, {2: 3, 3: 2}.get(kind, kind), axis, norm, orthogonal)
    return weighted(ct, ends, after, n, axis)


ENDS = {("dct", 1): (0, -1), ("dct", 2): (0,), ("dct", 3): (0,), ("dst", 2): (-1,),
        ("dst", 3): (-1,)}  # fmt: skip
BEFORE, AFTER = {1: 2.0, 2: 2.0}, {1: 0.5, 3: 0.5}


def weighted(x, ends, weight, n, axis):
    """x times `weight` at the ends of `axis`."""
    if weight == 1 or not ends:
        return x
    weights = np.ones(n, np.finfo(x.dtype).dtype)
    weights[list(ends)] = weight
    return x * weights.reshape(-1, *[1] * (len(shape(x)) - 1 - axis))


@linear(wave_transpose)
def waves(xp, x, /, wave, kind, axis, norm, orthogonal):
    """Cosine ("dct") or sine ("dst") transform of one of the types 1 ... 4 along `axis`.

    Source: V. Britanak, P. Yip, K. R. Rao, "Discrete cosine and sine transforms" (2007), 1.2.
    """
    return getattr(scipy("fft"), wave)(x, kind, None, axis, norm, orthogonalize=orthogonal)


def given(
    x: Any, n: Any, axis: int, norm: Any, name: str, halved: bool = False
) -> tuple[Any, int, int]:
    """x as an array, cut off or continued with zeros to n elements along `axis`; n and the axis.

    With `halved`, n counts the real numbers of which x holds the frequencies.
    """
    if norm not in OPPOSITE:
        raise ShapeError(
            f"`{name}` has the norms backward, ortho and forward; it was given {norm!r}."
        )
    x = known(x)
    axis = normalised(axis, len(shape(x)), name)
    have = shape(x)[axis]
    n = (2 * (have - 1) if halved else have) if n is None else operator.index(n)
    if n < 1:
        raise ShapeError(
            f"`{name}` needs at least one point; along axis {axis} of shape {shape(x)} it has {n}. "
            "Give a larger `n`."
        )
    return resized(x, n // 2 + 1 if halved else n, axis), n, axis


def resized(x: Any, n: int, axis: int) -> Any:
    """x cut off or continued with zeros to length n along `axis`."""
    have, before = shape(x)[axis], (slice(None),) * axis
    if n <= have:
        return x if n == have else x[(*before, slice(n))]
    return index_add(x, (*shape(x)[:axis], n, *shape(x)[axis + 1 :]), (*before, slice(have), ...))


def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Fourier transform along `axis`: yₖ = Σ aⱼ exp(-2πi jk/n); ā is the same transform of ȳ.

    n : a is cut off, or continued with zeros, to this length
    norm : what is divided by n: the inverse, with "backward" (the default), this, with "forward",
        or both by √n, with "ortho"

    >>> ad.grad(lambda a: ad.abs(ad.fft.fft(a)[1]) ** 2)(np.array([1.0, 0.0, 0.0, 0.0]))
    array([ 2.,  0., -2.,  0.])
    """
    a, _, axis = given(a, n, axis, norm, "fft")
    return fourier(a, axis, norm, False, not is_complex(a))


def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Inverse of `fft`: yⱼ = Σ aₖ exp(2πi jk/n)/n; ā is the same transform of ȳ.

    >>> np.round(ad.fft.ifft(ad.fft.fft(np.array([1.0, 2.0, 4.0]))).real, 9)
    array([1., 2., 4.])
    """
    a, _, axis = given(a, n, axis, norm, "ifft")
    return fourier(a, axis, norm, True, not is_complex(a))


def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Fourier transform of real a, of which the frequencies 0 ... n//2 say all.

    >>> ad.grad(lambda a: ad.real(ad.fft.rfft(a)[1]))(np.zeros(4)) + 0.0
    array([ 1.,  0., -1.,  0.])
    """
    a, _, axis = given(a, n, axis, norm, "rfft")
    return fourier_of_real(a, axis, norm)


def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Inverse of `rfft`: n real numbers, 2(m - 1) by default, of the frequencies 0 ... n//2.

    Of the frequencies 0 and n/2 the imaginary part does not count, and its slope is 0.

    >>> ad.fft.irfft(ad.fft.rfft(np.array([1.0, 2.0, 4.0])), 3)
    array([1., 2., 4.])
    """
    a, n, axis = given(a, n, axis, norm, "irfft", True)
    return fourier_to_real(a, n, axis, norm)


def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Fourier transform, real, of n numbers of which the first n//2 + 1 are a, the rest mirrored.

    >>> ad.fft.hfft(np.array([1.0, 2j]))
    array([1., 1.])
    """
    a, n, axis = given(a, n, axis, norm, "hfft", True)
    return fourier_to_real(conj(a), n, axis, OPPOSITE[norm])


def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Inverse of `hfft`.

    >>> ad.fft.ihfft(np.array([1.0, 2.0, 1.0]))[0].real
    np.float64(1.3333333333333333)
    """
    a, _, axis = given(a, n, axis, norm, "ihfft")
    return conj(fourier_of_real(a, axis, OPPOSITE[norm]))


def spread(x: Any, s: Any, axes: Any, name: str) -> tuple[Any, list[Any], list[int]]:
    """x as an array, and the length and the place of each axis that is transformed.

    A length is None where the whole axis is, and was not asked for.
    """
    x = known(x)
    ndim = len(shape(x))
    if axes is None:
        axes = range(ndim) if s is None else range(-len(s), 0)
    axes = [normalised(a, ndim, name) for a in axes]
    if s is None:
        return x, [None] * len(axes), axes
    if len(s) != len(axes):
        raise ShapeError(f"`{name}` was given {len(s)} lengths, {s}, for {len(axes)} axes, {axes}.")
    return x, [shape(x)[a] if n == -1 else n for n, a in zip(s, axes, strict=True)], axes


def fftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """Fourier transform along several axes, all by default; `s` gives their lengths.

    >>> ad.fft.fftn(np.ones((2, 2))).real
    array([[4., 0.],
           [0., 0.]])
    """
    return in_turn(fft, *spread(a, s, axes, "fftn"), norm)


def ifftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """Inverse of `fftn`.

    >>> ad.fft.ifftn(np.ones((2, 2))).real
    array([[1., 0.],
           [0., 0.]])
    """
    return in_turn(ifft, *spread(a, s, axes, "ifftn"), norm)


def in_turn(transform: Any, x: Any, lengths: list[Any], axes: list[int], norm: Any) -> Any:
    """A transform along each axis, the last first; an axis named twice is transformed twice."""
    full = [shape(x)[a] if n is None else n for n, a in zip(lengths, axes, strict=True)]
    for n, axis in zip(full[::-1], axes[::-1], strict=True):
        x = transform(x, n, axis, norm)
    return x


def rfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """Fourier transform of real a along several axes: `rfft` along the last, `fft` the others.

    >>> ad.fft.rfftn(np.ones((2, 4))).shape
    (2, 3)
    """
    x, lengths, axes = spread(a, s, axes, "rfftn")
    last = some(axes, "rfftn")
    full = [shape(x)[a] if n is None else n for n, a in zip(lengths, axes, strict=True)]
    return in_turn(fft, rfft(x, full[-1], last, norm), full[:-1], axes[:-1], norm)


def irfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """Inverse of `rfftn`: `irfft` along the last axis, by default to an even length.

    >>> ad.fft.irfftn(ad.fft.rfftn(np.ones((2, 4))))
    array([[1., 1., 1., 1.],
           [1., 1., 1., 1.]])
    """
    x, lengths, axes = spread(a, s, axes, "irfftn")
    last = some(axes, "irfftn")
    x = in_turn(ifft, x, lengths[:-1][::-1], axes[:-1][::-1], norm)
    return irfft(x, lengths[-1], last, norm)


def some(axes: list[int], name: str) -> int:
    """The last of the axes; `ShapeError` where there is none."""
    if not axes:
        raise ShapeError(f"`{name}` needs at least one axis; it was given none.")
    return axes[-1]


def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Any:
    """Fourier transform along two axes.

    >>> ad.fft.fft2(np.ones((2, 2))).real
    array([[4., 0.],
           [0., 0.]])
    """
    return in_turn(fft, *spread(a, s, axes, "fft2"), norm)


def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Any:
    """Inverse of `fft2`.

    >>> ad.fft.ifft2(np.ones((2, 2))).real
    array([[1., 0.],
           [0., 0.]])
    """
    return in_turn(ifft, *spread(a, s, axes, "ifft2"), norm)


def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Any:
    """Fourier transform of real a along two axes.

    >>> ad.fft.rfft2(np.ones((2, 4))).shape
    (2, 3)
    """
    return rfftn(a, s, axes, norm)


def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Any:
    """Inverse of `rfft2`.

    >>> ad.fft.irfft2(ad.fft.rfft2(np.ones((2, 4)))).shape
    (2, 4)
    """
    return irfftn(a, s, axes, norm)


def fftshift(x: Any, axes: Any = None) -> Any:
    """The frequency 0 moved to the middle of each axis.

    >>> ad.fft.fftshift(ad.fft.fftfreq(4, 0.25))
    array([-2., -1.,  0.,  1.])
    """
    return shifted_by(x, axes, "fftshift", lambda n: n // 2)


def ifftshift(x: Any, axes: Any = None) -> Any:
    """Inverse of `fftshift`; they differ where a length is odd.

    >>> ad.fft.ifftshift(np.array([-1.0, 0.0, 1.0]))
    array([ 0.,  1., -1.])
    """
    return shifted_by(x, axes, "ifftshift", lambda n: -(n // 2))


def shifted_by(x: Any, axes: Any, name: str, places: Any) -> Any:
    """x rolled along each of the axes, by a number of places that depends on its length."""
    x = known(x)
    ndim = len(shape(x))
    axes = range(ndim) if axes is None else axes if isinstance(axes, (tuple, list)) else (axes,)
    axes = tuple([normalised(a, ndim, name) for a in axes])
    return roll(x, tuple([places(shape(x)[a]) for a in axes]), axes) if axes else x


def dct(
    x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None,
    *, orthogonalize: bool | None = None,
) -> Any:  # fmt: skip
    """Discrete cosine transform of type 1, 2, 3 or 4, as `scipy.fft.dct`.

    orthogonalize : weigh the ends so that the matrix is orthogonal; by default if norm is "ortho"

    >>> ad.grad(lambda x: ad.fft.dct(x)[0])(np.ones(3))
    array([2., 2., 2.])
    """
    return wave_along(x, "dct", type, n, axis, norm, orthogonalize, "dct")


def idct(
    x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None,
    *, orthogonalize: bool | None = None,
) -> Any:  # fmt: skip
    """Inverse of `dct` of the same type.

    >>> ad.fft.idct(ad.fft.dct(np.array([1.0, 2.0])))
    array([1., 2.])
    """
    return wave_back(x, "dct", type, n, axis, norm, orthogonalize, "idct")


def dst(
    x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None,
    *, orthogonalize: bool | None = None,
) -> Any:  # fmt: skip
    """Discrete sine transform of type 1, 2, 3 or 4, as `scipy.fft.dst`.

    >>> ad.grad(lambda x: ad.fft.dst(x)[-1])(np.ones(3))
    array([ 2., -2.,  2.])
    """
    return wave_along(x, "dst", type, n, axis, norm, orthogonalize, "dst")


def idst(
    x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None,
    *, orthogonalize: bool | None = None,
) -> Any:  # fmt: skip
    """Inverse of `dst` of the same type.

    >>> ad.fft.idst(ad.fft.dst(np.array([1.0, 2.0])))
    array([1., 2.])
    """
    return wave_back(x, "dst", type, n, axis, norm, orthogonalize, "idst")


def dctn(
    x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: str | None = None,
    *, orthogonalize: bool | None = None,
) -> Any:  # fmt: skip
    """Discrete cosine transform along several axes, all by default.

    >>> ad.fft.dctn(np.ones((2, 2))) + 0.0
    array([[16.,  0.],
           [ 0.,  0.]])
    """
    return waves_along(dct, x, type, s, axes, norm, orthogonalize, "dctn")


def idctn(
    x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: str | None = None,
    *, orthogonalize: bool | None = None,
) -> Any:  # fmt: skip
    """Inverse of `dctn`.

    >>> ad.fft.idctn(ad.fft.dctn(np.ones((1, 2))))
    array([[1., 1.]])
    """
    return waves_along(idct, x, type, s, axes, norm, orthogonalize, "idctn")


def dstn(
    x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: str | None = None,
    *, orthogonalize: bool | None = None,
) -> Any:  # fmt: skip
    """Discrete sine transform along several axes, all by default.

    >>> ad.fft.dstn(np.ones((1, 1)))
    array([[4.]])
    """
    return waves_along(dst, x, type, s, axes, norm, orthogonalize, "dstn")


def idstn(
    x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: str | None = None,
    *, orthogonalize: bool | None = None,
) -> Any:  # fmt: skip
    """Inverse of `dstn`.

    >>> ad.fft.idstn(ad.fft.dstn(np.ones((1, 1))))
    array([[1.]])
    """
    return waves_along(idst, x, type, s, axes, norm, orthogonalize, "idstn")


def wave_along(
    x: Any, wave: str, type: int, n: Any, axis: int, norm: Any, orthogonalize: Any, name: str
) -> Any:
    """A cosine or sine transform of x along one axis."""
    x, _, axis = given(x, n, axis, norm, name)
    return waves(
        x, wave, type, axis, norm, norm == "ortho" if orthogonalize is None else orthogonalize
    )


def wave_back(
    x: Any, wave: str, type: int, n: Any, axis: int, norm: Any, orthogonalize: Any, name: str
) -> Any:
    """Its inverse: types 2 and 3 undo each other, 1 and 4 themselves, the other one divided."""
    if orthogonalize is None:
        orthogonalize = norm == "ortho"
    back = {2: 3, 3: 2}.get(type, type)
    return wave_along(x, wave, back, n, axis, OPPOSITE.get(norm, norm), orthogonalize, name)


def waves_along(
    transform: Any, x: Any, type: int, s: Any, axes: Any, norm: Any, orthogonalize: Any, name: str
) -> Any:
    """A cosine or sine transform along several axes."""
    axes = (axes,) if isinstance(axes, int) else axes
    x, lengths, axes = spread(x, (s,) if isinstance(s, int) else s, axes, name)
    if len({*axes}) < len(axes):
        raise ShapeError(f"`{name}` transforms each axis once; it was given the axes {axes}.")
    for n, axis in zip(lengths, axes, strict=True):
        x = transform(x, type, n, axis, norm, orthogonalize=orthogonalize)
    return x


__all__ = [
    "fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn",
    "fft2", "ifft2", "rfft2", "irfft2", "fftshift", "ifftshift",
    "dct", "idct", "dst", "idst", "dctn", "idctn", "dstn", "idstn",
]  # fmt: skip
