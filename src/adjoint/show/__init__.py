"""Seeing it: the two-column trace, the graph, and why a gradient is zero, NaN or missing."""
