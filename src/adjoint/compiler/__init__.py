"""A trace becomes a program: recorded once, optimised, run as fused native code."""
