"""Cases of `adjoint.ops.fft`."""

import numpy as np
import scipy.fft

from .case import case, plane, uniform


def along(transform, like=None):
    """The reference of an op that is NumPy's transform without a change of length."""
    return lambda x, axis, **params: transform(x, None, axis, params.get("norm"))


for name in "fft", "ifft", "rfft", "ihfft":
    for draw in [uniform, plane] if name in ("fft", "ifft") else [uniform]:
        for n in None, 1, 4, 7:
            case(f"fft.{name}", draw(-1, 1, (5,)), n)
        case(f"fft.{name}", draw(-1, 1, (2, 4, 3)), axis=1)
        case(f"fft.{name}", draw(-1, 1, (3, 2)), n=4, axis=0, norm="forward")
        case(f"fft.{name}", draw(-1, 1, (0, 3)), norm="ortho")
        for n, norm in (4, "forward"), (5, "ortho"), (5, "backward"):
            case(f"fft.{name}", draw(-1, 1, (n,)), norm=norm)
for name in "irfft", "hfft":
    for n in None, 1, 2, 5, 9:
        case(f"fft.{name}", plane(-1, 1, (4,)), n)
    case(f"fft.{name}", uniform(-1, 1, (3,)))
    case(f"fft.{name}", plane(-1, 1, (2, 3, 2)), axis=1)
    case(f"fft.{name}", plane(-1, 1, (3, 2)), n=5, axis=0)
    for n, norm in (4, "forward"), (5, "ortho"), (None, "backward"):
        case(f"fft.{name}", plane(-1, 1, (3,)), n, norm=norm)

SEVERAL = [
    {}, dict(axes=(-1, 0)), dict(axes=(1, 1)), dict(s=(2, 5), axes=(0, 1)), dict(norm="ortho"),
    dict(s=(3, 4), axes=(1, 1)), dict(s=(-1, 4), axes=(0, 2)),
]  # fmt: skip
for params in SEVERAL:
    for name in "fftn", "ifftn", "irfftn":
        case(f"fft.{name}", plane(-1, 1, (2, 3, 2)), **params)
    for name in "fftn", "rfftn":
        case(f"fft.{name}", uniform(-1, 1, (2, 3, 4)), **params)
for params in {}, dict(s=(4, 3)), dict(axes=(0, 1), s=(1, 4), norm="ortho"):
    for name in "fft2", "ifft2", "irfft2":
        case(f"fft.{name}", plane(-1, 1, (3, 2, 2)), **params)
    for name in "fft2", "rfft2":
        case(f"fft.{name}", uniform(-1, 1, (3, 2, 2)), **params)
case("fft.fftn", plane(-1, 1, (2, 3)), axes=())
for name in "fftshift", "ifftshift":
    for axes in None, -1, (0, 2), [1, 1]:
        case(f"fft.{name}", uniform(-1, 1, (2, 3, 4)), axes=axes)
    case(f"fft.{name}", plane(-1, 1, (5,)))
    case(f"fft.{name}", uniform(-1, 1, (2, 0)))

for name in "dct", "dst", "idct", "idst":
    for kind in 1, 2, 3, 4:
        case(f"fft.{name}", uniform(-1, 1, (4,)), kind)
        case(f"fft.{name}", uniform(-1, 1, (4,)), kind, norm="ortho")
    case(f"fft.{name}", uniform(-1, 1, (4,)), 3, norm="ortho", orthogonalize=False)
    case(f"fft.{name}", uniform(-1, 1, (4,)), 2, norm="forward", orthogonalize=True)
    case(f"fft.{name}", uniform(-1, 1, (3, 5)), 1, n=4, axis=0)
    case(f"fft.{name}", uniform(-1, 1, (2, 5)), 3, n=3)
    case(f"fft.{name}", plane(-1, 1, (2, 3, 2)), 2, axis=1)
    case(f"fft.{name}n", uniform(-1, 1, (2, 3)))
    case(f"fft.{name}n", uniform(-1, 1, (2, 3, 2)), 3, axes=(0, 2), norm="ortho")
    case(f"fft.{name}n", uniform(-1, 1, (2, 3, 2)), 4, s=(3, 2))
    case(f"fft.{name}n", uniform(-1, 1, (2, 3)), 2, axes=1)
    case(f"fft.{name}n", uniform(-1, 1, (2, 3)), 2, s=(-1, 4), orthogonalize=True)

for n in 1, 2, 5, 6:
    case("fourier", plane(-1, 1, (n,)), axis=0, like=along(np.fft.fft))
    case("fourier_of_real", uniform(-1, 1, (n,)), axis=0, like=along(np.fft.rfft))
    case(
        "fourier_to_real",
        plane(-1, 1, (n // 2 + 1,)),
        n=n,
        axis=0,
        like=lambda x, n, axis: np.fft.irfft(x, n, axis),
    )
case(
    "fourier",
    uniform(-1, 1, (2, 3)),
    axis=0,
    inverse=True,
    narrow=True,
    like=lambda x, axis, inverse, narrow: np.fft.ifft(x, None, axis),
)
case("fourier_of_real", uniform(-1, 1, (3, 2)), axis=0, norm="forward", like=along(np.fft.rfft))


def wave_of(x, wave, kind, axis, norm, orthogonal):
    return getattr(scipy.fft, wave)(x, kind, None, axis, norm, orthogonalize=orthogonal)


for wave in "dct", "dst":
    for kind in 1, 2, 3, 4:
        for orthogonal in True, False:
            params = dict(wave=wave, kind=kind, axis=0, norm=None, orthogonal=orthogonal)
            case("waves", uniform(-1, 1, (3, 2)), **params, like=wave_of)
