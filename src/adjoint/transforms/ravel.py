"""A container as one vector, and the vector as the container again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np

from ..core.tree import flatten
from ..errors import DataError, ShapeError
from ..ops.elementwise import astype, real
from ..ops.shape import concat, reshape
from .derivatives import checked, numeric


def ravel_tree(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All numbers of a container in one vector, and the way back: tree -> [n], ([n] -> tree).

    The leaves stand one after another, each in row-major order; the vector has the dtype that they
    promote to, integers counting as float64. `unravel` gives each leaf its shape and its dtype
    again, and a real leaf the real part of a vector that is complex because of another leaf.

    Cost: one copy each way. Both ways are made of ops, so any transform goes through them.
    Raises: ShapeError for a vector of another length; DataError for a leaf that is no array of
    numbers, named by its path, and for a complex vector where all leaves are real.

    >>> import adjoint as ad, numpy as np
    >>> vector, unravel = ad.ravel_tree({"a": np.array([[1.0, 2.0]]), "b": 3.0})
    >>> vector
    array([1., 2., 3.])
    >>> unravel(2 * vector)
    {'a': array([[2., 4.]]), 'b': np.float64(6.0)}
    """
    leaves, paths, rebuild = flatten(tree)
    leaves = [checked(x, path, "ravel_tree") for x, path in zip(leaves, paths, strict=True)]
    kinds = [(x.shape, x.dtype) for x in leaves]
    ends = [0, *accumulate(prod(x.shape) for x in leaves)]
    common = np.result_type(*[x.dtype for x in leaves]) if leaves else np.dtype(float)
    flat = [cast(reshape(x, (-1,)), common) for x in leaves]

    def unravel(vector: Any) -> Any:
        """The container that a vector of its length holds."""
        vector = numeric(vector)
        if vector.shape != (ends[-1],):
            raise ShapeError(
                f"`unravel` needs a vector of length {ends[-1]}; it was given shape {vector.shape}."
            )
        if vector.dtype.kind == "c" and common.kind != "c":
            raise DataError(f"`unravel` was given {vector.dtype} for a container of real leaves.")
        rows = zip(pairwise(ends), kinds, strict=True)
        return rebuild([cast(reshape(vector[a:b], s), kind) for (a, b), (s, kind) in rows])

    return concat(flat) if flat else np.zeros(0), unravel


def cast(x: Any, kind: np.dtype[Any]) -> Any:
    """x in another dtype; of a complex x a real dtype takes the real part."""
    x = real(x) if x.dtype.kind == "c" and kind.kind != "c" else x
    return x if x.dtype == kind else astype(x, kind)
