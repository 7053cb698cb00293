"""Convolution and filters under the names of scipy.signal."""
