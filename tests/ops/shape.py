"""Cases of `adjoint.ops.shape`."""

import numpy as np

from .case import case, plane, uniform

cube = uniform(-1, 1, (2, 3, 4))
square = uniform(-1, 1, (3, 3))
row = uniform(-1, 1, (4,))
number = uniform(-1, 1)
nothing = uniform(-1, 1, (0, 3))


def embedded(x, shape, offset=0):
    """The reference of `embed_diagonal`: one element at a time."""
    out = np.zeros(shape, x.dtype)
    for i in range(x.shape[-1]):
        out[..., i + max(-offset, 0), i + max(offset, 0)] = x[..., i]
    return out


case("reshape", cube, shape=(4, 6))
case("reshape", cube, shape=(-1,))
case("reshape", number, shape=(1, 1))
case("reshape", uniform(-1, 1, (1,)), shape=())
case("reshape", nothing, shape=(3, 0))
case("reshape", plane(-1, 1, (2, 3)), shape=(3, 2))
case("permute_dims", cube, axes=(1, 2, 0))
case("permute_dims", cube, axes=(-1, 0, -2))
case("permute_dims", number, axes=())
case("permute_dims", plane(-1, 1, (2, 3)), axes=(1, 0))
case("transpose", cube)
case("transpose", cube, (0, -1, 1))
case("transpose", number)
case("transpose", row)
case("matrix_transpose", cube)
case("matrix_transpose", plane(-1, 1, (2, 3)))
case("swapaxes", cube, 0, -1)
case("moveaxis", cube, 0, -1)
case("moveaxis", cube, (0, -1), (-1, 0))
case("ravel", cube)
case("ravel", number)
case("expand_dims", row, 0)
case("expand_dims", row, (0, -1))
case("expand_dims", number, 0)
case("squeeze", uniform(-1, 1, (1, 3, 1)))
case("squeeze", uniform(-1, 1, (1, 3, 1)), -1)
case("squeeze", uniform(-1, 1, (1, 3, 1)), (0, 2))
case("squeeze", uniform(-1, 1, (1,)))
case("broadcast_to", row, shape=(3, 4))
case("broadcast_to", uniform(-1, 1, (2, 1)), shape=(3, 2, 4))
case("broadcast_to", number, shape=(2, 2))
case("broadcast_to", number, shape=())
case("broadcast_to", 2.0, shape=(2,))
case("broadcast_to", uniform(-1, 1, (1,)), shape=(0,))
case("broadcast_to", plane(-1, 1, (3, 1)), shape=(3, 2))
case("broadcast_arrays", row, uniform(-1, 1, (3, 1)), 2.0)
case("flip", cube)
case("flip", cube, axis=1)
case("flip", cube, axis=(0, -1))
case("flip", plane(-1, 1, (3,)))
case("roll", cube, shift=5)
case("roll", cube, shift=-1, axis=1)
case("roll", cube, shift=(1, 2), axis=(0, -1))
case("roll", cube, shift=1, axis=(0, 1))
case("roll", nothing, shift=1, axis=0)
for offset in 0, 1, -2:
    case("diagonal", square, offset=offset)
    case("diagonal", cube, offset=offset, like=lambda x, offset: np.diagonal(x, offset, -2, -1))
    case(
        "embed_diagonal",
        uniform(-1, 1, (2, 4 - abs(offset))),
        shape=(2, 4, 4),
        offset=offset,
        like=embedded,
    )
    case("diag", row, offset)
    case("diag", uniform(-1, 1, (3, 4)), offset)
    case("tril", cube, k=offset)
    case("triu", cube, k=offset)
case("diagonal", uniform(-1, 1, (3, 5)), offset=1)
case("diagonal", uniform(-1, 1, (5, 3)), offset=1)
case("diagonal", uniform(-1, 1, (2, 3)), offset=4)
case("diagonal", plane(-1, 1, (3, 3)))
case("embed_diagonal", plane(-1, 1, (3,)), shape=(3, 3), like=embedded)
case("tril", plane(-1, 1, (3, 3)))
case("triu", plane(-1, 1, (3, 3)))
case("joined", cube, uniform(-1, 1, (2, 1, 4)), axis=1, like=lambda *xs, axis: np.concat(xs, axis))
case("concat", [row, uniform(-1, 1, (2,)), row])
case("concat", [cube, uniform(-1, 1, (2, 3, 1))], -1)
case("concat", [cube, row, number], None)
case("concat", [row, plane(-1, 1, (2,))])
case("concat", [nothing, square])
case("concat", [row])
case("stack", [row, row, uniform(-1, 1, (4,))])
case("stack", [square, square], -1)
case("stack", [number, 2.0])
case("stack", [row, plane(-1, 1, (4,))], 1)
case("split", row, 2)
case("split", uniform(-1, 1, (6, 2)), [1, 4])
case("split", uniform(-1, 1, (2, 6)), [2, -1], axis=1)
case("split", row, [3, 1])
case("tile", row, 2)
case("tile", uniform(-1, 1, (2, 3)), (2, 1, 3))
case("tile", uniform(-1, 1, (2, 3)), (2,))
case("tile", number, 3)
case("tile", row, 0)
