"""Cases of `adjoint.ops.index`."""

import numpy as np

from adjoint.ops.index import sources

from .case import case, plane, uniform

cube = uniform(-1, 1, (2, 3, 4))
matrix = uniform(-1, 1, (4, 3))
MASK = np.array([[True, False, True], [False, False, True]])
TWICE = np.array([0, 2, 0, -1, 2])
INDICES = [
    1, -1, (1, 2, 3), slice(None, None, -1), slice(2, None, -2), slice(1, 1), (0, slice(None), -1),
    None, ..., (), (..., 0), (None, ..., None, 1), (slice(None), None, 2), [0, 1, 1],
    ([1, 0], [2, 2]), (slice(None), [0, 0, 2]), (0, [0, 0, 2]), ([0, 1], slice(None), [3, 3]),
    ([[0], [1]], [0, 2, 2]), MASK, (0, MASK[0]), (MASK[:, 0], 1), (slice(None), MASK[1], None),
    True, False, np.array(1), (np.int64(1), TWICE[:2]), (..., TWICE), (None, [1, 1], slice(0, 2)),
    (slice(None), slice(None), np.array([], int)), np.zeros((2, 3, 4), bool),
]  # fmt: skip


def added(x, shape, index):
    """The reference of `index_add`."""
    out = np.zeros(shape, x.dtype)
    np.add.at(out, index, x)
    return out


for index in INDICES:
    case("getitem", cube, index=index, like=lambda x, index: x[index])
    picked = np.zeros((2, 3, 4))[index].shape
    case("index_add", uniform(-1, 1, picked), shape=(2, 3, 4), index=index, like=added)
case("getitem", plane(-1, 1, (3,)), index=[0, 0, 2], like=lambda x, index: x[index])
case("getitem", plane(-1, 1, (3,)), index=2, like=lambda x, index: x[index])
case("getitem", uniform(-1, 1), index=(), like=lambda x, index: x[index])
case("getitem", uniform(-1, 1), index=None, like=lambda x, index: x[index])
case("index_add", plane(-1, 1, (3,)), shape=(4,), index=[0, 0, 2], like=added)
case("index_add", uniform(-1, 1), shape=(4,), index=2, like=added)
for text, slices in [
    ("rows", lambda x: x[0] * x[1] - x[-1] + x[1:3].sum(0)),
    ("repeats", lambda x: x[[0, 0, 1]].sum(0) * x[0] + x[TWICE].sum(0)),
    ("first whole", lambda x: x * x[0] + x[1] * x),
]:
    case(
        "getitem",
        matrix,
        call=lambda x, text, of=slices: of(x),
        text=text,
        like=lambda x, text, of=slices: of(x),
    )
for where in [[[0]], [[0, 1, 1]], [[1, 0], [2, -1]], [[1], [2], [-1]], [[[0, 1]], [[2, 2]]]]:
    where = np.array(where)
    case("gather", cube, where, like=lambda x, where: x[tuple(where)])
    picked = np.zeros((2, 3, 4))[tuple(where)].shape
    case(
        "scatter_add",
        uniform(-1, 1, picked),
        where,
        shape=(2, 3, 4),
        like=lambda x, where, shape: added(x, shape, tuple(where)),
    )
case("gather", plane(-1, 1, (3,)), np.array([[0, 0]]), like=lambda x, where: x[where[0]])
case("gather", matrix, np.array([1]), like=lambda x, where: x[1])
case("gather", matrix, np.array([1, 2]), like=lambda x, where: x[1, 2])
case("gather", matrix, np.zeros((1, 0), int), like=lambda x, where: x[:0])
case(
    "scatter_add",
    uniform(-1, 1),
    np.array([1]),
    shape=(3,),
    like=lambda x, where, shape: x * np.array([0, 1, 0], x.dtype),
)
case("as_position", np.array([[3, 1], [0, 2]], np.int8), like=lambda i: i.astype(np.intp))
for written, size, wanted in [([3, 1, 3], 5, [0, 6, 2, 7, 4]), ([], 3, [0, 1, 2])]:
    case(
        "sources",
        np.array(written, int),
        call=lambda where, size=size: sources(where, size),
        like=lambda where, wanted=wanted: np.array(wanted),
    )
case("take", matrix, [1, 0, 1])
case("take", matrix, TWICE, axis=0)
case("take", matrix, np.array([[0, 2], [1, 1]]), axis=-1)
case("take", matrix, 2, axis=1)
case("take", matrix, np.array([], int), axis=1)
case("take", plane(-1, 1, (3,)), [0, 0])
case("take_along_axis", matrix, np.array([[0, 2, 2], [1, 1, 0]]), axis=0)
case("take_along_axis", matrix, np.array([[0], [2], [2], [1]]))
case("take_along_axis", uniform(-1, 1, (3,)), TWICE, axis=0)
