"""Cases of `adjoint.ops.norms`."""

import numpy as np

import adjoint as ad

from .case import apart, case, plane, regular, uniform

assert ad.linalg, "its ops enter the registry"


def lengths(x, axis=None, keepdims=False):
    return np.sqrt(np.sum(x * x, axis, keepdims=keepdims))


for fold in (
    dict(axis=None), dict(axis=0), dict(axis=-1, keepdims=True), dict(axis=(0, 2)),
    dict(axis=None, keepdims=True),
):  # fmt: skip
    case("length", uniform(0.5, 2, (2, 3, 2)), **fold, like=lengths)
case("length", uniform(0.5, 2), axis=None, like=lengths)
case("length", uniform(0.5, 2, (0, 2)), axis=1, like=lengths)
vectors, signs = apart(-2, 2.1, (2, 4)), uniform(-2, 2.2, (2, 3, 2))
for order in None, 1, 2, 3, 0.5, -1, 0, np.inf, -np.inf:
    case("norm", apart(-2, 2.3, (4,)), ord=order)
    case("norm", vectors, ord=order, axis=-1)
    case("norm", vectors, ord=order, axis=0, keepdims=True)
    case("norm", plane(0.5, 2, (2, 3)), ord=order, axis=1)
for order in "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf:
    case("norm", vectors, ord=order)
    case("norm", vectors, ord=order, keepdims=True)
    case("norm", signs, ord=order, axis=(0, 1))
    case("norm", signs, ord=order, axis=(2, 1), keepdims=True)
    case("norm", plane(0.5, 2, (2, 3)), ord=order)
case("norm", signs)
case("norm", signs, axis=(0, 2))
case("norm", signs, axis=(0, 2), keepdims=True)
case("norm", plane(-1, 1, (2, 3)))
case("norm", 2.0)
case("norm", uniform(0, 1, (0,)))

for order in 2, 1, 3, np.inf, 0:
    case("linalg.vector_norm", apart(-2, 2.3, (2, 4)), ord=order)
    case("linalg.vector_norm", signs, axis=(0, 2), ord=order)
    case("linalg.vector_norm", signs, axis=-1, ord=order, keepdims=True)
case("linalg.vector_norm", plane(-1, 1, (2, 3)), keepdims=True)
APART = np.array([[[4.0, 1.0], [0.3, 2.0]], [[-1.0, 0.2], [3.0, 5.0]]])
for order in "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf:
    case("linalg.matrix_norm", regular(2, 3, 3), ord=order)
    case("linalg.matrix_norm", regular(2, 3, 3), ord=order, keepdims=True)
    case("linalg.cond", APART, p=order)
case("linalg.cond", regular(3, 3))
case("linalg.cond", uniform(-1, 1, (4, 2)))
case("linalg.cond", regular(3, 3, imaginary=True))
