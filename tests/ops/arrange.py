"""Cases of `adjoint.ops.arrange`."""

import numpy as np

import adjoint as ad

from .case import case, plane, uniform

cube = uniform(-1, 1, (2, 3, 4))
table = uniform(-1, 1, (2, 3))
row = uniform(-1, 1, (4,))
number = uniform(-1, 1)
nothing = uniform(-1, 1, (0, 3))

case("diagflat", table, 1)
case("diagflat", number)
for name in "atleast_1d", "atleast_2d", "atleast_3d":
    for x in number, row, table, cube:
        case(name, x)
    case(name, row, number, table)
case("hstack", [row, uniform(-1, 1, (2,)), number])
case("hstack", [table, uniform(-1, 1, (2, 1))])
case("vstack", [row, uniform(-1, 1, (2, 4))])
case("row_stack", [row, row], like=np.vstack)
case("dstack", [table, table])
case("dstack", [row, row])
case("column_stack", [row, uniform(-1, 1, (4, 2))])
case("column_stack", [row, plane(-1, 1, (4,))])
case("block", [[uniform(-1, 1, (2, 2)), uniform(-1, 1, (2, 1))], [uniform(-1, 1, (2,)), number]])
case("block", [row, number])
case("block", table)
case("append", row, number)
case("append", table, uniform(-1, 1, (1, 3)), 0)
case("append", table, row)
case("array_split", row, 3)
case("array_split", table, 2, axis=1)
case("array_split", row, [1, 3])
case("hsplit", uniform(-1, 1, (2, 4)), 2)
case("hsplit", row, [1])
case("vsplit", uniform(-1, 1, (4, 2)), 2)
case("dsplit", cube, [1, 3])
case("unstack", table, axis=1, like=lambda x, axis: tuple(np.moveaxis(x, axis, 0)))
case("unstack", row, like=tuple)
case("repeat", table, 3)
case("repeat", table, 2, 1)
case("repeat", table, np.array([2, 0, 1]), axis=-1)
case("repeat", number, 3)
case("repeat", row, 0)
case("resize", table, (2, 5))
case("resize", row, 3)
case("resize", nothing, (2, 2))
case("insert", row, 1, number)
case("insert", row, -1, uniform(-1, 1, (3,)))
case("insert", row, [1, 3], uniform(-1, 1, (2,)))
case("insert", row, [2], uniform(-1, 1, (2,)))
case("insert", table, 1, uniform(-1, 1, (2,)), axis=1)
case("insert", table, [0, 2], number, axis=1)
case("insert", table, slice(0, 2), number, 0)
case("insert", table, 2, 9.0)
case("insert", table, np.array([True, False, True]), uniform(-1, 1, (2, 1)), 1)
case("delete", row, 1)
case("delete", table, [0, -1], 1)
case("delete", table, slice(1, None), axis=0)
case("delete", row, np.array([True, False, False, True]))
case("trim_zeros", row)
case("fliplr", table)
case("flipud", row)
for k in range(4):
    case("rot90", table, k)
case("rot90", cube, -1, (2, 0))
case("rollaxis", cube, 2)
case("rollaxis", cube, 0, 3)
case("rollaxis", cube, 1, -1)
case("meshgrid", row, uniform(-1, 1, (2,)), uniform(-1, 1, (3,)))
case("meshgrid", row, number, indexing="ij")
case("meshgrid", row, uniform(-1, 1, (2,)), sparse=True)
case("meshgrid", row)
windows = np.lib.stride_tricks.sliding_window_view
case("sliding_window_view", row, window_shape=3, like=windows)
case("sliding_window_view", table, window_shape=2, axis=1, like=windows)
case("sliding_window_view", table, window_shape=(2, 2), like=windows)
case("sliding_window_view", cube, window_shape=(2, 2), axis=(-1, 0), like=windows)
case("sliding_window_view", row, window_shape=(2, 2), axis=(0, 0), like=windows)
case("sliding_window_view", plane(-1, 1, (3,)), window_shape=2, like=windows)


def added(x, shape, axis):
    """The reference of `overlap_add`: one element at a time."""
    out = np.zeros(shape, x.dtype)
    for at in np.ndindex(x.shape):
        place = list(at[: len(shape)])
        for i, k in zip(axis, at[len(shape) :], strict=True):
            place[i] += k
        out[tuple(place)] += x[at]
    return out


case("overlap_add", uniform(-1, 1, (3, 2)), shape=(4,), axis=(0,), like=added)
case("overlap_add", uniform(-1, 1, (2, 2, 2)), shape=(2, 3), axis=(1,), like=added)
case("overlap_add", plane(-1, 1, (1, 2, 2, 2)), shape=(2, 3), axis=(0, 1), like=added)

for order in "C", "F":
    case(
        "reshape",
        cube,
        (4, -1),
        order,
        call=lambda *args: ad.reshape(*args),
        like=lambda x, shape, order: np.reshape(x, shape, order),
    )
    case("ravel", table, order)
case("diagonal", cube, 1, 2, 0, call=lambda *args: ad.diagonal(*args))
case("diagonal", cube, call=lambda *args: ad.diagonal(*args))


def squares(x):
    """A function of vectors that has more than one axis."""
    return x[:, None] * x[:2]


case("apply_along_axis", lambda x: x[0] * x[1], 1, table)
case("apply_along_axis", squares, 1, cube)
case("apply_along_axis", squares, 0, row)
case(
    "apply_over_axes",
    lambda x, axis: x.sum(axis),
    cube,
    (0, 2),
)
