"""Cases of `adjoint.ops.convolution`."""

import numpy as np

from .case import case, plane, uniform


def row(n):
    return uniform(-1, 1, (n,))


for mode in "full", "same", "valid":
    for name in "convolve", "correlate":
        for n, m in (4, 2), (2, 5), (3, 3), (1, 3):
            case(name, row(n), row(m), mode)
        case(name, plane(-1, 1, (4,)), plane(-1, 1, (3,)), mode)
        case(name, row(2), plane(-1, 1, (4,)), mode)
case("convolve", row(3), row(2))
case("correlate", row(3), row(2))
case("convolve", 1.5, row(2))
case("convolve", np.array([1, 2, 3]), row(2))


def summed(x, y, rank, valid=False):
    """The sum itself."""
    n, m = x.shape[-rank:], y.shape[-rank:]
    front = np.broadcast_shapes(x.shape[:-rank], y.shape[:-rank])
    z = np.zeros((*front, *np.add(n, m) - 1), np.result_type(x, y))
    for i in np.ndindex(n):
        for j in np.ndindex(m):
            z[(..., *np.add(i, j))] += x[(..., *i)] * y[(..., *j)]
    inner = [slice(b - 1, a) for a, b in zip(n, m, strict=True)]
    return z[(..., *inner)] if valid else z


PAIRS = [
    (1, (4,), (2,)), (1, (2, 3), (2,)), (1, (3,), (2, 2)), (1, (5, 1, 3), (2, 2)),
    (2, (3, 3), (2, 2)), (2, (3, 2), (1, 2)), (2, (2, 3, 3), (2, 3)),
    (1, (0, 3), (2,)), (1, (6, 3), (2,)),
]  # fmt: skip
for rank, x, y in PAIRS:
    for valid in False, True:
        params = dict(rank=rank, valid=valid, like=summed)
        case("convolution", uniform(-1, 1, x), uniform(-1, 1, y), **params)
case("convolution", row(2), row(4), rank=1, like=summed)
case("convolution", uniform(-1, 1, (1, 2)), uniform(-1, 1, (3, 3)), rank=2, like=summed)
case("convolution", plane(-1, 1, (2, 4)), uniform(-1, 1, (3,)), rank=1, like=summed)
case("convolution", row(4), plane(-1, 1, (2,)), rank=1, valid=True, like=summed)
