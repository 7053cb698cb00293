"""Cases of `adjoint.ops.linalg`."""

import numpy as np

from .case import case, definite, plane, regular, uniform

RANKS = [
    ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((2, 2, 3), (3, 4)),
    ((2, 3), (2, 3, 4)), ((2, 1, 2, 3), (3, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)),
    ((2, 2, 3), (2, 3, 1)), ((1, 2, 3), (4, 3, 2)), ((3,), (2, 2, 3, 2)), ((2, 2, 2, 3), (3,)),
    ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((0,), (0,)), ((1, 1), (1, 1)), ((2, 3), (0, 3, 4)),
    ((1,), (1, 2)),
]  # fmt: skip
for x, y in RANKS:
    case("matmul", uniform(-1, 1, x), uniform(-1, 1, y))
    case("matmul", plane(-1, 1, x), uniform(-1, 1, y))
    case("matmul", plane(-1, 1, x), plane(-1, 1, y))

PRODUCTS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ba,b", (2, 3), (2,)),
    ("i,i", (3,), (3,)), ("i,i->i", (3,), (3,)), ("i,j->ji", (2,), (3,)), ("ii", (3, 3)),
    ("ii->i", (3, 3)), ("iij->j", (2, 2, 3)), ("iii->", (2, 2, 2)), ("ijij->i", (2, 3, 2, 3)),
    ("ij->", (2, 3)), ("ij->j", (2, 3)), ("ij->ji", (2, 3)), ("ji", (2, 3)),
    ("...ij->...ji", (2, 2, 3)), ("...i,...i", (2, 3), (3,)),
    ("...ij,...jk", (2, 1, 2, 3), (2, 3, 2)), ("i...->...", (2, 3)), ("...,...", (), (2,)),
    (",i", (), (3,)), ("i,j,k->ijk", (2,), (3,), (2,)), ("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
    ("i,i,i->", (3,), (3,), (3,)), ("ijk,k->i", (2, 3, 2), (2,)), ("ij,k->i", (2, 3), (2,)),
    ("ii,i->i", (3, 3), (3,)), ("ij,jj->", (2, 3), (3, 3)), ("b...,b->...b", (2, 3), (2,)),
    ("...i->...", (2, 3)), ("a...b,b...->a...", (2, 3, 4), (4, 3)), ("ij,ij->ij", (1, 3), (2, 3)),
    ("...i,i...->...", (2, 3), (3, 2)), (" i j , j -> i ", (2, 3), (3,)),
    ("ij,jk->ik", (2, 0), (0, 2)), ("i,ij,j,jk->k", (2,), (2, 3), (3,), (3, 2)),
]  # fmt: skip
for text, *shapes in PRODUCTS:
    case("einsum", text, *[uniform(-1, 1, s) for s in shapes])
case("einsum", "ij,jk->ik", plane(-1, 1, (2, 3)), plane(-1, 1, (3, 2)))
case("einsum", "ij,jk->ik", uniform(-1, 1, (2, 3)), plane(-1, 1, (3, 2)))
case("einsum", "ii", plane(-1, 1, (2, 2)))


def contracted(*xs, subscripts):
    return np.einsum(f"{','.join(subscripts[0])}->{subscripts[1]}", *xs)


case(
    "contract",
    uniform(-1, 1, (2, 3)),
    uniform(-1, 1, (3, 2)),
    subscripts=(("ij", "jk"), "ik"),
    like=contracted,
)
case(
    "contract",
    uniform(-1, 1, (2, 3)),
    plane(-1, 1, (3, 2)),
    subscripts=(("ij", "kl"), "k"),
    like=contracted,
)
case("rearranged", uniform(-1, 1, (2, 3)), terms=("ij", "j"), like=lambda x, terms: x.sum(0))
case("rearranged", plane(-1, 1, (2, 3)), terms=("ij", "ji"), like=lambda x, terms: x.T)

case("tensordot", uniform(-1, 1, (2, 3, 4)), uniform(-1, 1, (3, 4, 2)))
case("tensordot", uniform(-1, 1, (2, 3)), uniform(-1, 1, (2, 2)), 0)
case("tensordot", uniform(-1, 1, (2, 3, 4)), uniform(-1, 1, (4, 2)), ([0, -1], [1, 0]))
case("tensordot", plane(-1, 1, (2, 3)), uniform(-1, 1, (3, 2)), 1)
case("tensordot", uniform(-1, 1, (2, 3)), uniform(-1, 1, (3, 2)), (1, 0))
for x, y in [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 2)), ((2, 3), (2, 3, 2)),
    ((), (3,)), ((3,), (2, 3, 2)), ((2, 2, 3), (3, 2)), ((2, 2, 3), (2, 3, 2)), ((), ()),
]:  # fmt: skip
    case("dot", uniform(-1, 1, x), uniform(-1, 1, y))
case("dot", plane(-1, 1, (2, 3)), plane(-1, 1, (3,)))
case("vecdot", uniform(-1, 1, (2, 3)), uniform(-1, 1, (3,)))
case("vecdot", plane(-1, 1, (2, 3)), plane(-1, 1, (3,)))
case("vecdot", plane(-1, 1, (2, 3)), uniform(-1, 1, (2, 3)), axis=0)
case("inner", uniform(-1, 1, (2, 3)), uniform(-1, 1, (4, 3)))
case("inner", uniform(-1, 1, (3,)), uniform(-1, 1, (3,)))
case("inner", 2.0, uniform(-1, 1, (3,)))
case("outer", uniform(-1, 1, (2,)), uniform(-1, 1, (3,)))
case("outer", uniform(-1, 1, (2, 2)), plane(-1, 1, (3,)))
case("trace", uniform(-1, 1, (3, 3)))
case("trace", uniform(-1, 1, (3, 4)), 1)
case("trace", uniform(-1, 1, (2, 3, 3)))
case("trace", uniform(-1, 1, (2, 3, 3)), -1, axis1=-1, axis2=1)
for offset in 0, 1:
    case("linalg.trace", plane(-1, 1, (2, 3, 3)), offset=offset)
case("trace", plane(-1, 1, (3, 3)), -1)


def upper(a, upper):
    return np.linalg.cholesky(a).conj().swapaxes(-1, -2)


def minors(a):
    return np.linalg.det(a)[..., None, None] * np.linalg.inv(a).swapaxes(-1, -2)


def minors_along(a, t):
    x = np.linalg.inv(a)
    along = np.trace(x @ t, axis1=-2, axis2=-1)[..., None, None]
    return np.linalg.det(a)[..., None, None] * (along * x - x @ t @ x).swapaxes(-1, -2)


for i in False, True:
    for batch in (), (2,), (0,):
        case("inv", regular(*batch, 3, 3, imaginary=i))
        case("det", regular(*batch, 3, 3, imaginary=i))
        case("slogdet", regular(*batch, 3, 3, imaginary=i))
        case("cholesky", definite(*batch, 3, 3, imaginary=i))
        case("cholesky", definite(*batch, 3, 3, imaginary=i), upper=True, like=upper)
        case("cofactor", regular(*batch, 3, 3, imaginary=i), like=minors)
        tangent = plane(-1, 1, (3, 3)) if i else uniform(-1, 1, (3, 3))
        case("cofactor_slope", regular(*batch, 3, 3, imaginary=i), tangent, like=minors_along)
    case("det", regular(1, 1, imaginary=i))
    case("solve", regular(3, 3, imaginary=i), uniform(-1, 1, (3,)))
    case("solve", regular(3, 3, imaginary=i), uniform(-1, 1, (3, 2)))
    case("solve", regular(2, 3, 3, imaginary=i), uniform(-1, 1, (3,)))
    case("solve", regular(2, 3, 3, imaginary=i), uniform(-1, 1, (3, 2)))
    case("solve", regular(3, 3, imaginary=i), uniform(-1, 1, (2, 3, 2)))
    case("solve", regular(2, 1, 3, 3, imaginary=i), plane(-1, 1, (2, 3, 1)))
    case("solve", regular(3, 3, imaginary=i), uniform(-1, 1, (3, 0)))


def numbered(a, b, out):
    return np.einsum(a, [0, ..., 1], b, [1, 2], *([out] if out else []))


for out in None, [2, ..., 0]:
    case(
        "einsum",
        uniform(-1, 1, (2, 4, 3)),
        uniform(-1, 1, (3, 2)),
        out=out,
        call=numbered,
        like=numbered,
    )
