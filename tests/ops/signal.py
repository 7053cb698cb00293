"""Cases of `adjoint.ops.signal`."""

import numpy as np
import scipy.signal

import adjoint as ad

from .case import case, plane, uniform

B, A = np.array([0.5, 0.2, -0.1]), np.array([1.5, -0.4, 0.2])
SOS = np.array([[0.5, 0.2, 0.1, 1, -0.3, 0.2], [1, 0.4, 0, 1, 0.5, 0]])


for mode in "full", "same", "valid":
    for name in "convolve", "correlate":
        for method in "direct", "fft":
            case(f"signal.{name}", uniform(-1, 1, (4,)), uniform(-1, 1, (2,)), mode, method)
            case(f"signal.{name}", plane(-1, 1, (2, 3)), plane(-1, 1, (1, 2)), mode, method)
        case(f"signal.{name}", uniform(-1, 1, (2, 2)), uniform(-1, 1, (3, 4)), mode)
    for name in "fftconvolve", "oaconvolve":
        case(f"signal.{name}", uniform(-1, 1, (4,)), uniform(-1, 1, (2,)), mode)
        case(f"signal.{name}", plane(-1, 1, (2, 3)), uniform(-1, 1, (2, 2)), mode)
        case(f"signal.{name}", uniform(-1, 1, (3, 2)), uniform(-1, 1, (2, 1)), mode, axes=0)
    for name in "convolve2d", "correlate2d":
        for edge in "fill", "wrap", "symm":
            case(f"signal.{name}", uniform(-1, 1, (3, 2)), uniform(-1, 1, (2, 2)), mode, edge)
        case(f"signal.{name}", plane(-1, 1, (3, 3)), plane(-1, 1, (2, 3)), mode)
        case(f"signal.{name}", plane(-1, 1, (2, 2)), plane(-1, 1, (3, 2)), mode)
        case(f"signal.{name}", uniform(-1, 1, (2, 2)), uniform(-1, 1, (2, 2)), mode, "fill", 0.5)
case("signal.convolve", uniform(-1, 1), uniform(-1, 1))
case("signal.convolve", uniform(-1, 1, (2, 2, 2)), uniform(-1, 1, (1, 2, 1)))
case("signal.fftconvolve", uniform(-1, 1, (2, 3, 2)), uniform(-1, 1, (2, 1, 1)), axes=[2, 0])
case("signal.deconvolve", np.array([1, 12.0, 21, 3]), np.array([1, 0.3]))
case("signal.deconvolve", np.array([1, 0.3]), np.array([2.0]))

for b, a in [(B, A), (B[:2], A), (B, A[:2]), (B, A[:1]), (B[:1], A), (B[:1], A[:1])]:
    case("signal.lfilter", b, a, uniform(-1, 1, (5,)))
    case("signal.lfilter", b, a, uniform(-1, 1, (2, 3)), axis=0)
    order = max(len(a), len(b)) - 1
    if order:
        case("signal.lfilter_zi", b, a)
        for n in 1, 4:
            states = uniform(-1, 1, (order, 2))
            case("signal.lfilter", b, a, uniform(-1, 1, (n, 2)), 0, states)
case("signal.lfilter", B, A, plane(-1, 1, (3,)))
case("signal.lfilter", B * (1 + 0.2j), A, uniform(-1, 1, (2, 3)))
for kind in "odd", "even", "constant", None:
    case("signal.filtfilt", B, A, uniform(-1, 1, (6,)), padtype=kind, padlen=3 if kind else None)
    case("signal.sosfiltfilt", SOS, uniform(-1, 1, (6,)), padtype=kind, padlen=3 if kind else None)
case("signal.filtfilt", B, A, uniform(-1, 1, (11, 2)), axis=0)
case("signal.sosfiltfilt", SOS[:1], uniform(-1, 1, (7, 2)), 0, padlen=4)

case("signal.sosfilt", SOS, uniform(-1, 1, (5,)))
case("signal.sosfilt", SOS[:1], uniform(-1, 1, (2, 3)), axis=0)
case("signal.sosfilt", SOS, uniform(-1, 1, (3, 2)), 0, uniform(-1, 1, (2, 2, 2)))
case("signal.sosfilt_zi", SOS)
for params in {}, dict(whole=True), dict(include_nyquist=True), dict(fs=3.0):
    case("signal.freqz", B, A, 5, **params)
case("signal.freqz", plane(-1, 1, (3,)), worN=3)
case("signal.freqz", uniform(-1, 1, (3,)), worN=[0.1, 0.2], fs=2.0)

for mode in "interp", "mirror", "constant", "nearest", "wrap":
    case("signal.savgol_filter", uniform(-1, 1, (7,)), 5, 2, mode=mode)
    case(
        "signal.savgol_filter",
        uniform(-1, 1, (6, 2)),
        4,
        3,
        deriv=1,
        delta=0.5,
        axis=0,
        mode=mode,
        cval=0.5,
    )
case("signal.savgol_filter", uniform(-1, 1, (3,)), 1, 0)
case("signal.savgol_filter", uniform(-1, 1, (1,)), 3, 1, mode="mirror")
case("signal.detrend", uniform(-1, 1, (5,)))
case("signal.detrend", uniform(-1, 1, (2, 5)), bp=[1, 3])
case("signal.detrend", plane(-1, 1, (4, 2)), axis=0)
case("signal.detrend", uniform(-1, 1, (2, 3)), type="constant")
for n in None, 3, 4, 6:
    case("signal.hilbert", uniform(-1, 1, (5,)), n)
case("signal.hilbert", uniform(-1, 1, (4, 2)), axis=0)
for up, down in (1, 1), (3, 2), (1, 3), (2, 1):
    case("signal.upfirdn", uniform(-1, 1, (3,)), uniform(-1, 1, (4,)), up, down)
    case("signal.resample_poly", uniform(-1, 1, (5,)), up, down)
case("signal.upfirdn", plane(-1, 1, (2,)), uniform(-1, 1, (3, 2)), 2, axis=0)
case("signal.upfirdn", uniform(-1, 1, (1,)), uniform(-1, 1, (3,)), 3)
for kind in "mean", "median", "minimum", "maximum", "constant":
    case("signal.resample_poly", uniform(-1, 1, (2, 5)), 2, 3, axis=1, padtype=kind)
case("signal.resample_poly", uniform(-1, 1, (4,)), 3, 2, cval=0.5)
case("signal.resample_poly", plane(-1, 1, (4,)), 1, 2, window=[0.2, 0.5, 0.3])
for params in {}, dict(zero_phase=False), dict(ftype="fir"), dict(ftype="fir", zero_phase=False):
    case("signal.decimate", uniform(-1, 1, (30,)), 2, **params)
case("signal.decimate", uniform(-1, 1, (20, 2)), 2, 2, axis=0)
WEIGHTS = np.array([1.0, 0.5, 0.7, 0.2])
for num in 2, 3, 4, 6, 7:
    case("signal.resample", uniform(-1, 1, (4,)), num)
    case("signal.resample", plane(-1, 1, (4,)), num, window="hann")
    case("signal.resample", plane(-1, 1, (5, 2)), num)
case("signal.resample", uniform(-1, 1, (2, 4)), 6, axis=1, window="hann")
case("signal.resample", uniform(-1, 1, (4,)), 2, window=lambda f: 1 + f * f)
case("signal.resample", plane(-1, 1, (4,)), 3, domain="freq")


def weighed(x, num, **params):
    """NumPy's windows are not differentiated."""
    return scipy.signal.resample(x, num, window=WEIGHTS.copy(), **params)


case(
    "signal.resample",
    uniform(-1, 1, (4,)),
    3,
    call=lambda x, num: ad.signal.resample(x, num, window=WEIGHTS),
    like=weighed,
)
case("signal.resample", uniform(-1, 1, (4,)), 3, np.arange(4))

for a, x in (
    ((2,), (4,)),
    ((3,), (2, 3)),
    ((2, 2), (3,)),
    ((2,), (0,)),
    ((1, 2), (2, 3)),
    ((2, 1), (3,)),
):
    case(
        "recursive",
        uniform(1, 2, a),
        uniform(-1, 1, x),
        like=lambda a, x: np.vectorize(
            lambda a, x: scipy.signal.lfilter([1.0], a, x), signature="(k),(n)->(n)"
        )(a, x),
    )
case(
    "recursive",
    plane(1, 2, (2,)),
    plane(-1, 1, (3,)),
    like=lambda a, x: scipy.signal.lfilter([1.0], a, x),
)
