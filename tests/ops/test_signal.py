"""What filters, convolutions and spectra refuse, and where they choose."""

import warnings

import numpy as np
import pytest
import scipy.signal

import adjoint as ad
from adjoint.ops import convolution

S, RNG = ad.signal, np.random.default_rng(0)


@pytest.mark.parametrize("shapes", [((40,), (30,)), ((12, 9), (11, 10)), ((300,), (290,))])
def test_large_arrays_are_convolved_by_fourier_transforms(shapes):
    x, y = (RNG.normal(size=s) for s in shapes)
    for mode in "full", "same":
        for ours, theirs in (
            (S.convolve, scipy.signal.convolve),
            (S.correlate, scipy.signal.correlate),
        ):
            np.testing.assert_allclose(ours(x, y, mode), theirs(x, y, mode), atol=1e-11)
    ct = RNG.normal(size=np.add(*shapes) - 1)
    want = scipy.signal.correlate(ct, y, "valid")
    np.testing.assert_allclose(ad.vjp(lambda x: S.convolve(x, y), x)[1](ct)[0], want, atol=1e-11)


def test_integers_are_convolved_directly():
    x = np.arange(3000) % 7
    got = S.convolve(x, x)
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got, np.convolve(x, x))


def test_fast_lengths_have_small_factors():
    for n in range(1, 600):
        best = n
        while True:
            rest = best
            for p in 2, 3, 5:
                while rest % p == 0:
                    rest //= p
            if rest == 1:
                break
            best += 1
        assert convolution.fast_length(n) == best


@pytest.mark.parametrize(
    ("n", "m"), [(n, m) for n in range(1, 6) for m in range(1, 6)], ids=lambda n: str(n)
)
def test_every_pair_of_lengths_is_placed_as_numpy_and_scipy_place_it(n, m):
    x, y = (RNG.normal(size=k) + 1j * RNG.normal(size=k) for k in (n, m))
    for mode in "full", "same", "valid":
        np.testing.assert_allclose(ad.convolve(x, y, mode), np.convolve(x, y, mode))
        np.testing.assert_allclose(ad.correlate(x, y, mode), np.correlate(x, y, mode))
        for method in "direct", "fft":
            for name in "convolve", "correlate":
                want = getattr(scipy.signal, name)(x, y, mode, method)
                np.testing.assert_allclose(getattr(S, name)(x, y, mode, method), want, atol=1e-12)
        for edge in "fill", "wrap", "symm":
            for name in "convolve2d", "correlate2d":
                a, b = np.stack([x, x + 1, x - 1]), np.stack([y, 2 * y])
                if mode == "valid" and n < m:
                    a, b = np.stack([x, 2 * x]), np.stack([y, y + 1, y - 1])
                want = getattr(scipy.signal, name)(a, b, mode, edge, 0.5)
                np.testing.assert_allclose(
                    getattr(S, name)(a, b, mode, edge, 0.5), want, atol=1e-12
                )


def test_a_filter_of_high_order_is_the_filter_of_scipy():
    b, a = scipy.signal.butter(6, 0.2)
    x = RNG.normal(size=(2, 200))
    np.testing.assert_allclose(S.lfilter(b, a, x), scipy.signal.lfilter(b, a, x), atol=1e-10)
    np.testing.assert_allclose(S.filtfilt(b, a, x), scipy.signal.filtfilt(b, a, x), atol=1e-8)
    sos = scipy.signal.butter(6, 0.2, output="sos")
    np.testing.assert_allclose(S.sosfiltfilt(sos, x), scipy.signal.sosfiltfilt(sos, x), atol=1e-10)
    y, state = S.lfilter(b, a, x, zi=np.zeros((2, 6)))
    more = S.lfilter(b, a, x, zi=state)[0]
    whole = S.lfilter(b, a, np.concatenate([x, x], 1))
    np.testing.assert_allclose(np.concatenate([y, more], 1), whole, atol=1e-9)


def test_deconvolve_by_a_longer_divisor_has_no_quotient():
    quotient, rest = S.deconvolve([1.0, 2.0], [1.0, 2.0, 3.0])
    assert not len(quotient)
    np.testing.assert_array_equal(rest, [1.0, 2.0])


def test_of_nothing_a_filter_makes_nothing():
    for a in [1.0, 0.5], [2.0]:
        y = ad.vjp(lambda x, a=a: S.lfilter([1.0, 1.0], a, x), np.zeros((2, 0)))
        assert y[0].shape == y[1](y[0])[0].shape == (2, 0)


def test_windows_of_one_weight_or_none():
    for n in 0, 1, 2, 5:
        for beta in 0.0, 8.6:
            np.testing.assert_allclose(ad.kaiser(n, beta), np.kaiser(n, beta), atol=1e-15)
    assert ad.hanning is np.hanning


def test_a_plot_is_drawn_of_the_response():
    drawn = []
    S.freqz([1.0], worN=3, plot=lambda w, h: drawn.append((w, h)))
    np.testing.assert_allclose(drawn[0][1], 1)


def test_the_inverse_of_stft_undoes_it():
    x = RNG.normal(size=50)
    for window in "hann", "boxcar", ("tukey", 0.5):
        z = S.stft(x, nperseg=8, window=window)[2]
        np.testing.assert_allclose(S.istft(z, nperseg=8, window=window)[1][:50], x, atol=1e-12)
    with pytest.warns(UserWarning, match="in no segment"):
        S.istft(z, nperseg=8, boundary=False)


def test_a_segment_longer_than_the_signal_is_cut_off_with_a_warning():
    with pytest.warns(UserWarning, match="nperseg = 9 is greater"):
        p = S.welch(np.arange(5.0), nperseg=9)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_allclose(p, scipy.signal.welch(np.arange(5.0), nperseg=9)[1])


def test_the_phase_of_a_spectrogram_is_unwrapped():
    x = RNG.normal(size=64)
    for mode in "angle", "phase":
        got = S.spectrogram(x, nperseg=16, mode=mode, detrend=False)[2]
        want = scipy.signal.spectrogram(x, nperseg=16, mode=mode, detrend=False)[2]
        np.testing.assert_allclose(np.exp(1j * got), np.exp(1j * want), atol=1e-9)
    assert np.abs(np.diff(got, axis=0)).max() <= np.pi + 1e-9


def test_sosfiltfilt_counts_zeros_only_where_it_may():
    sos = np.array([[1.0, 0.5, 0.0, 1.0, -0.2, 0.0]])
    x = RNG.normal(size=12)
    np.testing.assert_allclose(S.sosfiltfilt(sos, x), scipy.signal.sosfiltfilt(sos, x))
    ad.grad(lambda sos: S.sosfiltfilt(sos, x).sum())(sos)
    with pytest.raises(ad.errors.BatchError, match="Give padlen"):
        ad.vmap(lambda sos: S.sosfiltfilt(sos, x))(sos[None])


ONES = np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ad.convolve(ONES, [1.0]), "`convolve` needs two arrays of one axis"),
        (lambda: ad.correlate([], [1.0]), "not empty"),
        (lambda: ad.convolve([1.0], [1.0], "whole"), "the modes full, same, valid"),
        (lambda: S.convolve(ONES, [1.0]), "as many axes"),
        (lambda: S.convolve(ONES, ONES[:0]), "not empty"),
        (lambda: S.convolve(ONES, ONES.T, "valid"), "lie within the other"),
        (lambda: S.convolve(ONES, ONES, method="best"), "the methods auto, direct, fft"),
        (lambda: S.fftconvolve(ONES, [1.0], axes=0), "as many axes"),
        (lambda: S.convolve2d([1.0], [1.0]), "two axes"),
        (lambda: S.convolve2d(ONES, ONES, boundary="torn"), "the boundaries fill, wrap, symm"),
        (lambda: S.lfilter(ONES, [1.0], [1.0]), "coefficients b of one axis"),
        (lambda: S.lfilter([1.0, 1.0], [1.0], [1.0], zi=[0.0, 0.0]), "a state `zi`"),
        (lambda: S.filtfilt([1.0], [1.0], np.ones(4), padlen=4), "less than the length of x"),
        (lambda: S.filtfilt([1.0], [1.0], np.ones(4), padtype="torn"), "the padtypes"),
        (lambda: S.sosfilt(ONES, [1.0]), "rows of 6"),
        (lambda: S.savgol_filter(ONES, 3, 1, mode="torn"), "the modes"),
        (lambda: S.savgol_filter(ONES, 5, 1), "a window no longer than x"),
        (lambda: S.detrend(ONES, type="round"), "linear and constant"),
        (lambda: S.detrend(ONES, bp=7), "break points within the length 3"),
        (lambda: S.resample(ONES, 3, domain="space"), "the domains time and freq"),
        (lambda: S.resample(ONES, 3, window=np.ones(4)), "a window of 2 weights"),
        (lambda: S.resample_poly(ONES, 1.5, 2), "whole rates"),
        (lambda: S.resample_poly(ONES, 1, 2, padtype="torn"), "the padtypes"),
        (lambda: S.decimate(ONES, 2, ftype="torn"), "the ftypes"),
        (lambda: S.welch(ONES, nperseg=3, noverlap=3), "noverlap < nperseg"),
        (lambda: S.welch(ONES, window=np.ones(4)), "a window of one axis"),
        (lambda: S.welch(ONES, nperseg=3, scaling="torn"), "the scalings"),
        (lambda: S.welch(ONES, nperseg=3, average="torn"), "the averages"),
        (lambda: S.spectrogram(ONES, nperseg=3, mode="torn"), "the modes psd"),
        (lambda: S.stft(ONES, nperseg=3, scaling="torn"), "the scalings spectrum and psd"),
        (lambda: S.istft(ONES, scaling="torn"), "the scalings spectrum and psd"),
        (lambda: S.istft(ONES, time_axis=0, freq_axis=0), "two axes"),
    ],
)
def test_what_does_not_fit_is_refused(call, says):
    with pytest.raises(ad.errors.ShapeError, match=says):
        call()


def test_hilbert_refuses_complex_numbers():
    with pytest.raises(ad.errors.DataError, match="needs real x"):
        S.hilbert(np.ones(3) * 1j)
