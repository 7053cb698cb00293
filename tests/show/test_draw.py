"""The graph as text, for Graphviz, as an image."""

import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import adjoint as ad
from adjoint.show.draw import draw

TEXT = """\
y = v3 = 24
└─ v3 = v2 · v1 = 24
   ├─ v2 = v1 + x1 = 6
   │  ├─ v1 = x1 ^ 2 = 4
   │  │  └─ x1 = 2
   │  └─ x1 = 2
   └─ v1 (above)"""

DOT = """\
digraph adjoint {
  rankdir=LR;
  node [shape=box, style="rounded,filled"];
  n0 [label="w[\\"a\\"]\\n2", fillcolor="#d8e8f8"];
  n1 [label="v1 = w[\\"a\\"] · w[\\"a\\"]\\n4", fillcolor="#ffffff"];
  n2 [label="y = v1\\n4", fillcolor="#f8e8c8"];
  n0 -> n1;
  n1 -> n2;
}"""


def twice(x1):
    square = x1**2
    return (square + x1) * square


def test_text_names_what_stands_above():
    assert draw(twice, 2.0).text() == TEXT


def test_dot_escapes_quotes():
    assert draw(lambda w: w["a"] * w["a"], {"a": 2.0}).dot().replace("'", '\\"') == DOT


def test_svg_is_well_formed_with_a_box_a_value():
    drawing = draw(lambda x, y: {"<&>": x * y, "z": x}, np.ones((50, 2)), 2.0)
    root = ElementTree.fromstring(drawing.svg())
    kinds = [child.tag.rpartition("}")[2] for child in root]
    assert kinds.count("rect") == len(drawing.nodes) == 5
    assert kinds.count("path") == 4


def test_no_two_boxes_stand_on_each_other():
    drawing = draw(lambda x: ad.sum(ad.stack([ad.sin(x), ad.cos(x), x * x, x])), 1.0)
    spots = drawing.spots()
    assert len(set(spots)) == len(spots)


def test_the_history_of_a_tensor_is_drawn():
    a, b = ad.Tensor([1.0, 2.0]), ad.Tensor(3.0)
    assert str(draw((ad.exp(a) * b * a).sum())) == (
        "y = v4 = 52.489\n"
        "└─ v4 = sum(v3)\n"
        "   └─ v3 = multiply(v2, x1)\n"
        "      ├─ v2 = multiply(v1, x2)\n"
        "      │  ├─ v1 = exp(x1)\n"
        "      │  │  └─ x1 = [1, 2]\n"
        "      │  └─ x2 = 3\n"
        "      └─ x1 = [1, 2]"
    )


def test_several_outputs_of_one_op_have_one_history():
    s = ad.Tensor([[2.0, 1.0], [1.0, 3.0]])
    sign, log = ad.slogdet(s)
    assert "slogdet(x1)" in str(draw(sign * log))


def test_a_tensor_without_history_is_one_box():
    assert str(draw(ad.Tensor(2.0).detach())) == "y = 2"


def test_a_long_chain_does_not_recurse():
    x = ad.Tensor(1.0)
    y = x
    for _ in range(3000):
        y = y + 1
    assert str(draw(y)).count("\n") == 3001


@pytest.mark.parametrize(
    "name, start", [("g.svg", b"<svg"), ("g.dot", b"digraph"), ("g.txt", b"y = ")]
)
def test_it_is_saved_as_text_without_matplotlib(name, start, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    draw(twice, 2.0).save(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_it_is_saved_as_an_image(tmp_path):
    pytest.importorskip("matplotlib")
    draw(twice, 2.0).save(tmp_path / "g.png")
    assert (tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
