"""Cases of `adjoint.ops.spectra`."""

import numpy as np
import scipy.signal

from .case import case, plane, uniform

FADING = np.array([0.3, 1.0, 0.8, 0.2])
for name in "welch", "spectrogram":
    case(f"signal.{name}", uniform(-1, 1, (9,)), nperseg=4)
    case(f"signal.{name}", uniform(-1, 1, (2, 9)), nperseg=5, noverlap=3, nfft=7, fs=2.0)
    case(f"signal.{name}", plane(-1, 1, (9,)), nperseg=4, return_onesided=False)
    case(f"signal.{name}", uniform(-1, 1, (8, 2)), nperseg=4, axis=0, scaling="spectrum")
    case(f"signal.{name}", uniform(-1, 1, (9,)), window=list(FADING), detrend="linear")
case("signal.welch", uniform(-1, 1, (14,)), nperseg=4, average="median")
case("signal.welch", uniform(-1, 1, (8,)), nperseg=4, return_onesided=False)
case("signal.csd", uniform(-1, 1, (9,)), uniform(-1, 1, (9,)), nperseg=4)
case("signal.csd", uniform(-1, 1, (2, 9)), uniform(-1, 1, (2, 7)), nperseg=5, noverlap=1)
case("signal.csd", plane(-1, 1, (8,)), plane(-1, 1, (8,)), nperseg=4, return_onesided=False)
case("signal.csd", uniform(-1, 1, (13,)), uniform(-1, 1, (13,)), nperseg=4, average="median")
case("signal.coherence", uniform(-1, 1, (12,)), uniform(-1, 1, (12,)), nperseg=4)
for n in None, 4, 6, 9:
    case("signal.periodogram", uniform(-1, 1, (6,)), nfft=n)
case("signal.periodogram", plane(-1, 1, (2, 5)), window="hann", return_onesided=False)
case("signal.periodogram", uniform(-1, 1, (5, 2)), axis=0, detrend=lambda x: x * 0.5)
for mode in "complex", "magnitude":
    case("signal.spectrogram", uniform(-1, 1, (9,)), nperseg=4, mode=mode, detrend=False)
for edge in "zeros", "even", "odd", "constant", None:
    case("signal.stft", uniform(-1, 1, (7,)), nperseg=4, boundary=edge)
case("signal.stft", uniform(-1, 1, (9, 2)), nperseg=5, noverlap=3, padded=False, axis=0)
case("signal.stft", plane(-1, 1, (7,)), nperseg=4, scaling="psd", return_onesided=False)
case("signal.istft", plane(-1, 1, (3, 4)))
case("signal.istft", plane(-1, 1, (3, 4)), nperseg=5, scaling="psd")
case("signal.istft", plane(-1, 1, (4, 3)), input_onesided=False)
case("signal.istft", plane(-1, 1, (4, 3)), window="boxcar", boundary=False, noverlap=4)
case(
    "signal.istft",
    plane(-1, 1, (3, 2, 4)),
    time_axis=0,
    freq_axis=1,
    via=lambda out: out[1],
    like=scipy.signal.istft,
)
