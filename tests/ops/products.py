"""Cases of `adjoint.ops.products`."""

import numpy as np

from .case import case, plane, regular, uniform

case("vdot", uniform(-1, 1, (3,)), uniform(-1, 1, (3,)))
case("vdot", plane(-1, 1, (2, 3)), plane(-1, 1, (2, 3)))
case("vdot", plane(-1, 1, (2,)), uniform(-1, 1, (2,)))


def matvec(x, y):
    return np.einsum("...ij,...j->...i", x, y)


def vecmat(x, y):
    return np.einsum("...i,...ij->...j", np.conj(x), y)


for kind in uniform, plane:
    case("matvec", kind(-1, 1, (2, 3)), kind(-1, 1, (3,)), like=matvec)
    case("matvec", kind(-1, 1, (2, 2, 3)), uniform(-1, 1, (3,)), like=matvec)
    case("matvec", uniform(-1, 1, (2, 3)), kind(-1, 1, (2, 3)), like=matvec)
    case("vecmat", kind(-1, 1, (2,)), kind(-1, 1, (2, 3)), like=vecmat)
    case("vecmat", kind(-1, 1, (2,)), uniform(-1, 1, (2, 2, 3)), like=vecmat)
    for x, y in [
        ((2,), (3,)),
        ((2, 3), (3, 2)),
        ((2,), (3, 2)),
        ((2, 1, 2), (3,)),
        ((2, 0), (2, 2)),
    ]:
        case("kron", kind(-1, 1, x), kind(-1, 1, y))
    case("cross", kind(-1, 1, (3,)), kind(-1, 1, (3,)))
    case("linalg.cross", kind(-1, 1, (2, 3)), uniform(-1, 1, (3,)), like=np.cross)
case("kron", uniform(-1, 1, (2, 2)), 2.0)
case("cross", uniform(-1, 1, (3, 2)), uniform(-1, 1, (2, 3)), axisa=0, axisc=0)
case("cross", uniform(-1, 1, (2, 3)), uniform(-1, 1, (3, 2)), axisb=0)
case("cross", uniform(-1, 1, (2, 3, 2)), uniform(-1, 1, (2, 3, 2)), axis=1)

CHAINS = [
    ((2, 3), (3, 2)), ((3,), (3, 2)), ((2, 3), (3,)), ((3,), (3,)), ((2, 3), (3, 4), (4, 2)),
    ((3,), (3, 4), (4, 2), (2,)), ((4, 2), (2, 4), (4, 3), (3, 2)), ((2, 3), (3, 0), (0, 2)),
]  # fmt: skip
for shapes in CHAINS:
    case("linalg.multi_dot", [uniform(-1, 1, s) for s in shapes])
case("linalg.multi_dot", [plane(-1, 1, (2, 3)), uniform(-1, 1, (3, 2)), plane(-1, 1, (2,))])

for n in 0, 1, 2, 3, 6, -1, -2, -3:
    case("linalg.matrix_power", regular(3, 3), n)
    case("linalg.matrix_power", regular(2, 2, 2, imaginary=True), n)


case("linalg.tensorinv", regular(4, 4), ind=1)
case("linalg.tensorinv", np.roll(np.eye(6), 1, 0).reshape(2, 3, 6) * 2 + 0.1, ind=2)
case("linalg.tensorinv", np.roll(np.eye(6), 1, 0).reshape(6, 3, 2) * 2 - 0.3, ind=1)
case("linalg.tensorsolve", np.eye(6).reshape(2, 3, 6) * 2 + 0.1, uniform(-1, 1, (2, 3)))
case("linalg.tensorsolve", np.eye(6).reshape(6, 2, 3) * 2 + 0.1, uniform(-1, 1, (6,)))
case(
    "linalg.tensorsolve",
    np.eye(6).reshape(2, 3, 6).swapaxes(1, 2) * 2 + np.linspace(0, 0.5, 36).reshape(2, 6, 3),
    uniform(-1, 1, (2, 3)),
    axes=(1,),
)


def khatri_rao(a, b):
    return np.vstack([np.kron(a[:, k], b[:, k]) for k in range(b.shape[1])]).T


case("linalg.khatri_rao", uniform(-1, 1, (2, 3)), plane(-1, 1, (4, 3)), like=khatri_rao)
