"""Quadrature and differential equations under the names of scipy.integrate."""
