"""Fourier transforms under the names of numpy.fft."""
