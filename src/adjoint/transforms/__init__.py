"""Functions of functions: each takes a function and returns one."""
