"""Convolution and correlation over any number of axes, directly or by Fourier transforms."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from ..core.batch import Batched
from ..core.traced import Traced, shape
from ..errors import ShapeError
from .batch import aligned
from .elementwise import conj, is_complex
from .fft import fftn, ifftn, irfftn, rfftn
from .index import index_add
from .rules import bilinear
from .shape import flip, known, reshape


def convolution_left(ct, y, rank, valid):
    """x̄ is the correlation of z̄ and y: all of it where z was the valid part, else that part."""
    return convolution(ct, flip(y, last(rank)), rank, not valid)


def convolution_right(ct, x, rank, valid):
    """ȳ likewise; of the valid part x is the larger one, and the larger one comes first."""
    turned = flip(x, last(rank))
    return convolution(turned, ct, rank, True) if valid else convolution(ct, turned, rank, True)


@bilinear(convolution_left, convolution_right, batch=aligned)
def convolution(xp, x, y, /, rank, valid=False):
    """Convolution over the last `rank` axes: zₖ = Σ xⱼ yₖ₋ⱼ,  x̄ⱼ = Σ z̄ₖ yₖ₋ⱼ,  ȳᵢ = Σ z̄ₖ xₖ₋ᵢ.

    x : (..., n)        y : (..., m)        z : (..., n + m - 1)

    With `valid` only where y lies within x: (..., n - m + 1). The axes in front broadcast. It is
    summed in as many steps as y has elements, or x, or z, or as there are examples of one axis;
    whichever are fewest.  Keeps: x, y.
    """
    n, m = np.shape(x)[-rank:], np.shape(y)[-rank:]
    front = np.broadcast_shapes(np.shape(x)[:-rank], np.shape(y)[:-rank])
    k = tuple([a - b + 1 if valid else a + b - 1 for a, b in zip(n, m, strict=True)])
    steps = min(math.prod(m), math.prod(k if valid else n))
    if rank == 1 and 0 < math.prod(front) <= steps:
        rows = zip(
            xp.broadcast_to(x, (*front, *n)).reshape(-1, *n),
            xp.broadcast_to(y, (*front, *m)).reshape(-1, *m),
            strict=True,
        )
        mode = "valid" if valid else "full"
        return xp.reshape(xp.stack([xp.convolve(a, b, mode) for a, b in rows]), (*front, *k))
    z = xp.zeros((*front, *k), xp.result_type(x, y))
    if not valid:
        small, large, lengths = (y, x, n) if math.prod(m) <= math.prod(n) else (x, y, m)
        for at in np.ndindex(small.shape[-rank:]):
            z[window(at, lengths)] += small[window(at)] * large
    elif math.prod(m) <= math.prod(k):
        for at in np.ndindex(m):
            z += x[window([b - 1 - i for i, b in zip(at, m, strict=True)], k)] * y[window(at)]
    else:
        turned = xp.flip(y, last(rank))
        for at in np.ndindex(k):
            z[(..., *at)] = xp.sum(x[window(at, m)] * turned, last(rank))
    return z


def window(start: Any, lengths: Any = None) -> Any:
    """The index of a block of the last axes, of length one each by default."""
    return (
        ...,
        *[slice(i, i + k) for i, k in zip(start, lengths or [1] * len(start), strict=True)],
    )


def last(rank: int) -> tuple[int, ...]:
    """The last `rank` axes."""
    return tuple(range(-rank, 0))


def by_fourier(x: Any, y: Any, rank: int) -> Any:
    """All of the convolution over the last `rank` axes, as the product of Fourier transforms.

    >>> np.round(by_fourier(np.array([1.0, 2.0]), np.array([1.0, 10.0]), 1), 9)
    array([ 1., 12., 20.])
    """
    whole = [a + b - 1 for a, b in zip(shape(x)[-rank:], shape(y)[-rank:], strict=True)]
    lengths, axes = [fast_length(n) for n in whole], last(rank)
    there, back = (fftn, ifftn) if is_complex(x) or is_complex(y) else (rfftn, irfftn)
    z = back(there(x, lengths, axes) * there(y, lengths, axes), lengths, axes)
    return z[window([0] * rank, whole)]


def fast_length(n: int) -> int:
    """The least 2ᵃ3ᵇ5ᶜ that is not below n: of this length a Fourier transform is fast.

    >>> fast_length(7), fast_length(121)
    (8, 125)
    """
    best = 1 << (n - 1).bit_length()
    for b, c in product(range(best.bit_length()), repeat=2):
        odd = 3**b * 5**c
        if odd < best:
            best = min(best, odd << max(-(-n // odd) - 1, 0).bit_length())
    return best


def fourier_is_faster(x: Any, y: Any, rank: int) -> bool:
    """Whether to convolve by Fourier transforms, from the number of multiplications of each way."""
    n, m = shape(x)[-rank:], shape(y)[-rank:]
    whole = math.prod([a + b - 1 for a, b in zip(n, m, strict=True)])
    return math.prod(n) * math.prod(m) > 50 * whole * math.log2(whole + 1)


def pad_with_zeros(x: Any, before: Any, after: Any) -> Any:
    """x with zeros added before and behind it along its last axes."""
    rank = len(before)
    inner = shape(x)[-rank:]
    outer = [b + n + a for b, n, a in zip(before, inner, after, strict=True)]
    if outer == [*inner]:
        return x
    return index_add(x, (*shape(x)[:-rank], *outer), window(before, inner))


def plain(x: Any) -> Any:
    """The plain array at the bottom of x; None where there is none, or where it stands for many."""
    while isinstance(x, Traced):
        if isinstance(x, Batched) or x.staged:
            return None
        x = x.primal
    return x


def vector(x: Any, name: str, what: str, hint: str = "") -> Any:
    """x, which is `what`, as an array of one axis; `ShapeError` where it has more, or is empty."""
    x = known(x)
    x = x if shape(x) else reshape(x, (1,))
    if len(shape(x)) != 1 or not shape(x)[0]:
        raise ShapeError(
            f"`{name}` needs {what} of one axis that are not empty; "
            f"it was given the shape {shape(x)}.{hint}"
        )
    return x


def two_vectors(a: Any, v: Any, name: str) -> tuple[Any, Any]:
    """Both as `vector` has them."""
    hint = f" `ad.signal.{name}` takes several axes."
    return vector(a, name, "two arrays", hint), vector(v, name, "two arrays", hint)


MODES = ("full", "same", "valid")


def mode_of(mode: str, name: str) -> str:
    """`mode` if it is one; else `ShapeError`."""
    if mode not in MODES:
        raise ShapeError(f"`{name}` has the modes {', '.join(MODES)}; it was given {mode!r}.")
    return mode


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Convolution of two sequences: zₖ = Σ aⱼ vₖ₋ⱼ.

    mode : "full", of length n + m - 1; "same": its middle, of the larger length; "valid": where
        the shorter lies within the longer

    >>> ad.convolve([1.0, 2.0], [1.0, 10.0])
    array([ 1., 12., 20.])
    >>> ad.grad(lambda v: ad.convolve([1.0, 2.0, 3.0], v, "valid").sum())(np.ones(2))
    array([5., 3.])
    """
    a, v = two_vectors(a, v, "convolve")
    if shape(a)[0] < shape(v)[0]:
        a, v = v, a
    if mode_of(mode, "convolve") != "same":
        return convolution(a, v, 1, mode == "valid")
    start = (shape(v)[0] - 1) // 2
    return convolution(a, v, 1)[start : start + shape(a)[0]]


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Correlation of two sequences: zₖ = Σ aⱼ₊ₖ conj(vⱼ).

    mode : as of `convolve`

    >>> ad.correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
    array([3.5])
    """
    a, v = two_vectors(a, v, "correlate")
    turned = flip(conj(v) if is_complex(v) else v)
    n, m = shape(a)[0], shape(v)[0]
    if mode_of(mode, "correlate") == "valid":
        return convolution(a, turned, 1, True) if n >= m else convolution(turned, a, 1, True)
    z = convolution(a, turned, 1)
    start = (m - 1) // 2 if n >= m else n // 2
    return z if mode == "full" else z[start : start + max(n, m)]


__all__ = ["convolve", "correlate"]
