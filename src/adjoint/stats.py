"""Probability densities under the names of scipy.stats."""
