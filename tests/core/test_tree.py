"""Containers: taken apart and put together again."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import pytest

import adjoint as ad
from adjoint.core.tree import REGISTERED, flatten
from adjoint.errors import ShapeError

Point = namedtuple("Point", "x y")


@dataclass
class Layer:
    weight: Any
    bias: Any = 0.0
    size: int = field(init=False, default=7)


@dataclass(frozen=True)
class Frozen:
    a: Any


@pytest.mark.parametrize(
    ("tree", "paths"),
    [
        (1, [""]),
        ([], []),
        (None, []),
        ((1, [2, (3,)]), ["[0]", "[1][0]", "[1][1][0]"]),
        ({"b": 1, "a": {"c": 2}}, ["['b']", "['a']['c']"]),
        (Point(1, (2, 3)), [".x", ".y[0]", ".y[1]"]),
        (Layer(1, [2]), [".weight", ".bias[0]"]),
        (Frozen({0: 1}), [".a[0]"]),
        ([None, 1, {}], ["[1]"]),
    ],
    ids=str,
)
def test_a_container_is_taken_apart_and_put_together_again(tree, paths):
    leaves, names, rebuild = flatten(tree)
    assert names == paths
    assert leaves == list(range(1, len(paths) + 1))
    assert rebuild(leaves) == tree
    assert type(rebuild(leaves)) is type(tree)


def test_tree_map_keeps_kinds_and_goes_along_several_trees():
    a = {"w": Point(1, [2]), "n": None, "l": Layer(3)}
    b = {"w": Point(10, [20]), "n": None, "l": Layer(30)}
    assert ad.tree_map(lambda x, y: x + y, a, b) == {
        "w": Point(11, [22]), "n": None, "l": Layer(33, 0.0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("like", "other", "outlines"),
    [
        ([1, 2], (1, 2), (r"\[\*, \*\]", r"\(\*, \*\)")),
        ([1, 2], [1], (r"\[\*, \*\]", r"\[\*\]")),
        ({"a": 1}, {"b": 1}, (r"\{'a': \*\}", r"\{'b': \*\}")),
        (Point(1, 2), (1, 2), (r"Point\(\*, \*\)", r"\(\*, \*\)")),
        ([1, [2]], [1, 2], (r"\[\*\]", r"\*")),
        ({"a": [1]}, {"a": None}, (r"\[\*\]", "NoneType")),
    ],
    ids=str,
)
def test_containers_that_do_not_match_are_drawn(like, other, outlines):
    message = "`tree_map` needs a.* of the structure of {}; it was given {}"
    with pytest.raises(ShapeError, match=message.format(*outlines)):
        ad.tree_map(lambda x, y: x, like, other)


def test_an_ordered_dict_or_a_class_of_ones_own_is_registered():
    ad.register(
        OrderedDict, lambda d: d.values(), lambda parts: OrderedDict(zip("ab", parts, strict=True))
    )
    try:
        slope = ad.grad(lambda d: d["a"] * d["b"])(OrderedDict(a=2.0, b=5.0))
        assert slope == OrderedDict(a=5.0, b=2.0)
        assert type(slope) is OrderedDict
    finally:
        del REGISTERED[OrderedDict]
