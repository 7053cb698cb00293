"""What transforms refuse, what they undo, and what their cotangents are."""

import numpy as np
import pytest

import adjoint as ad

RNG = np.random.default_rng(0)


def test_a_real_input_gets_a_real_cotangent_midway():
    seen = []
    x = ad.Tensor(RNG.normal(size=6))
    y = x * 2.0
    y.register_hook(lambda ct: seen.append(ct.dtype))
    for transform in ad.fft.fft, ad.fft.ifft, ad.fft.rfft, ad.fft.ihfft:
        ad.sum(ad.abs(transform(y)) ** 2).backward(retain_graph=True)
    assert {*seen} == {np.dtype(float)}


@pytest.mark.parametrize("n", [5, 6])
def test_parseval_holds_for_the_gradient(n):
    """Σ|X|²/n is Σx², of which the gradient is 2x; half a spectrum counts its middle twice."""
    x, k = RNG.normal(size=n), np.arange(n // 2 + 1)
    twice = np.where((k == 0) | (2 * k == n), 1, 2)
    for loss in (
        lambda x: ad.sum(ad.abs(ad.fft.fft(x)) ** 2) / n,
        lambda x: ad.sum(ad.abs(ad.fft.fft(x, norm="ortho")) ** 2),
        lambda x: ad.sum(twice * ad.abs(ad.fft.rfft(x)) ** 2) / n,
    ):
        np.testing.assert_allclose(ad.grad(loss)(x), 2 * x, atol=1e-13)


@pytest.mark.parametrize("n", [1, 4, 7])
def test_inverses_undo(n):
    x = RNG.normal(size=(2, n))
    f = ad.fft
    for there, back in (f.fft, f.ifft), (f.rfft, f.irfft), (f.ihfft, f.hfft):
        for norm in "backward", "ortho", "forward":
            m = {} if there is f.fft else dict(n=n)
            np.testing.assert_allclose(back(there(x, norm=norm), norm=norm, **m), x, atol=1e-13)
    np.testing.assert_array_equal(f.ifftshift(f.fftshift(x)), x)
    for there, back in (f.dct, f.idct), (f.dst, f.idst), (f.dctn, f.idctn), (f.dstn, f.idstn):
        for kind in (2, 3, 4) if n == 1 else (1, 2, 3, 4):
            if kind == 1 and (there is f.dctn or n == 1):
                there_x = there(x[:, :2] if n > 1 else x, kind)
                np.testing.assert_allclose(back(there_x, kind), x[:, :2], atol=1e-13)
                continue
            np.testing.assert_allclose(back(there(x, kind), kind), x, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x: ad.fft.fft(x, 0), "`fft` needs at least one point"),
        (lambda x: ad.fft.irfft(x[:, :1]), "`irfft` needs at least one point"),
        (lambda x: ad.fft.rfft(x, axis=2), "`rfft` was given axis 2"),
        (lambda x: ad.fft.fftn(x, (3,), (0, 1)), "`fftn` was given 1 lengths"),
        (lambda x: ad.fft.rfftn(x, axes=()), "`rfftn` needs at least one axis"),
        (lambda x: ad.fft.dctn(x, axes=(0, 0)), "`dctn` transforms each axis once"),
        (lambda x: ad.fft.fftshift(x, 5), "`fftshift` was given axis 5"),
        (lambda x: ad.fft.fft(x, norm="best"), "the norms backward, ortho and forward"),
    ],
)
def test_what_does_not_fit_is_refused(call, says):
    for x in np.ones((2, 3)), ad.Tensor(np.ones((2, 3))):
        with pytest.raises(ad.errors.ShapeError, match=says):
            call(x)


def test_the_transform_of_complex_numbers_by_rfft_is_refused():
    with pytest.raises(TypeError):
        ad.fft.rfft(ad.Tensor(np.ones(3) * 1j))


def test_lists_are_taken():
    np.testing.assert_array_equal(ad.fft.fft([1, 2, 3]), np.fft.fft([1, 2, 3]))
    np.testing.assert_array_equal(ad.fft.fftfreq(4), np.fft.fftfreq(4))
