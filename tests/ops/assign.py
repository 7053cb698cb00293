"""Cases of `adjoint.ops.assign`."""

import numpy as np

import adjoint as ad

from .case import case, plane, uniform
from .index import INDICES

cube = uniform(-1, 1, (2, 3, 4))


def assigned(x, y, index):
    """The reference of `setitem`."""
    out = np.array(x)
    out[index] = y
    return out[()]


for index in INDICES:
    picked = np.zeros((2, 3, 4))[index].shape
    case("setitem", cube, uniform(-1, 1, picked), index=index, like=assigned)
case("setitem", cube, uniform(-1, 1, (4,)), index=(0, slice(1, None)), like=assigned)
case("setitem", cube, uniform(-1, 1), index=(slice(None), [0, 2, 2]), like=assigned)
case("setitem", cube, uniform(-1, 1, (2, 1, 4)), index=..., like=assigned)
case("setitem", plane(-1, 1, (3,)), plane(-1, 1, (2,)), index=[0, 0], like=assigned)
case("setitem", plane(-1, 1, (3,)), uniform(-1, 1, (2,)), index=slice(2), like=assigned)
case("setitem", uniform(-1, 1), uniform(-1, 1), index=(), like=assigned)


def written(x, y, out):
    """The same through the statement, over elements that are written to twice."""
    out[...] = x
    out[1:] = y
    out[0] += out[2] * y[0]
    out[[0, 1]] *= 2.0
    return out


case(
    "setitem",
    uniform(-1, 1, (3,)),
    uniform(-1, 1, (2,)),
    call=lambda x, y: written(x, y, ad.zeros_like(x * y[0])),
    like=lambda x, y: written(x, y, np.zeros_like(x)),
)
