"""The graph of a computation: as text, for Graphviz, and drawn in layers."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.history import parents, remembered
from ..core.tensor import LEAF, PICK, Tensor
from .formula import PUBLIC, SHOWN, summary
from .program import Noted, follow

ACROSS, DOWN, WIDE, HIGH = 200, 64, 160, 44
Point = tuple[float, float]
COLOURS = dict(input="#d8e8f8", op="#ffffff", output="#f8e8c8")


@dataclass
class Node:
    """A value in the graph: what it is called, how it was made, and the nodes it was made from."""

    name: str
    formula: str
    value: str
    parents: list[int]
    kind: str
    op: str

    def __str__(self) -> str:
        return " = ".join([t for t in (self.name, self.formula, self.value) if t])


class Drawing:
    """A graph whose nodes stand in an order of computation; `str` of it is the text."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    def __repr__(self) -> str:
        return self.text()

    def text(self) -> str:
        """The graph as a tree, from each output to the inputs; what stands above is only named."""
        lines: list[str] = []
        shown = set[int]()
        tops = [i for i, node in enumerate(self.nodes) if node.kind == "output"]
        stack = [(i, "", "", "") for i in reversed(tops)]
        while stack:
            i, indent, branch, below = stack.pop()
            node = self.nodes[i]
            again = i in shown and node.parents
            lines.append(indent + branch + (f"{node.name} (above)" if again else str(node)))
            if again:
                continue
            shown.add(i)
            inside = list(dict.fromkeys(node.parents))
            ends = [("├─ ", "│  ")] * (len(inside) - 1) + [("└─ ", "   ")]
            stack += [
                (p, indent + below, *end) for p, end in reversed([*zip(inside, ends, strict=False)])
            ]
        return "\n".join(lines)

    def dot(self) -> str:
        """The graph in Graphviz's language: `dot -Tsvg` draws it."""
        style = 'shape=box, style="rounded,filled"'
        lines = ["digraph adjoint {", "  rankdir=LR;", f"  node [{style}];"]
        for i, node in enumerate(self.nodes):
            label = "\\n".join(quoted(line) for line in self.caption(node))
            lines.append(f'  n{i} [label="{label}", fillcolor="{COLOURS[node.kind]}"];')
        lines += [f"  n{p} -> n{i};" for p, i in self.edges()]
        return "\n".join([*lines, "}"])

    def svg(self) -> str:
        """The graph as an SVG image, its layers from left to right."""
        corners, curves, wide, high = self.layout()
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" '
            f'width="{wide:g}" height="{high:g}" font-family="sans-serif" font-size="12">'
        ]
        for points in curves:
            start, turn, *bend = [f"{x:g} {y:g}" for x, y in points]
            path = f"M{start}L{turn}C{' '.join(bend)}"
            parts.append(f'<path d="{path}" fill="none" stroke="#888"/>')
        for node, (x, y) in zip(self.nodes, corners, strict=True):
            box = f'x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="6"'
            parts.append(f'<rect {box} fill="{COLOURS[node.kind]}" stroke="#444"/>')
            caption = self.caption(node)
            for k, line in enumerate(caption):
                at = f'x="{x + WIDE / 2:g}" y="{y + HIGH / 2 + 12 - 8 * len(caption) + 16 * k:g}"'
                parts.append(f'<text {at} text-anchor="middle">{html.escape(line)}</text>')
        return "\n".join([*parts, "</svg>"])

    _repr_svg_ = svg

    def save(self, path: Any) -> None:
        """Write the graph to `path`: .svg, .dot, .txt as they are, other images by Matplotlib."""
        path = Path(path)
        texts = {".svg": self.svg, ".dot": self.dot, ".txt": self.text}
        if path.suffix in texts:
            path.write_text(texts[path.suffix]() + "\n", "utf-8")
            return
        from matplotlib import figure, patches  # why: optional and heavy
        from matplotlib.path import Path as Curve  # why: optional and heavy

        corners, curves, wide, high = self.layout()
        sheet = figure.Figure((wide / 100, high / 100), dpi=200)
        axes = sheet.add_axes((0, 0, 1, 1), xlim=(0, wide), ylim=(high, 0))
        axes.set_axis_off()
        for points in curves:
            axes.add_patch(patches.PathPatch(Curve(points, [1, 2, 4, 4, 4]), fill=False, ec="#888"))
        for node, (x, y) in zip(self.nodes, corners, strict=True):
            box = patches.Rectangle((x, y), WIDE, HIGH, fc=COLOURS[node.kind], ec="#444")
            axes.add_patch(box)
            caption = "\n".join(self.caption(node)).replace("$", r"\$")
            axes.text(x + WIDE / 2, y + HIGH / 2, caption, ha="center", va="center", fontsize=8)
        sheet.savefig(path)

    def layout(self) -> tuple[list[Point], list[list[Point]], float, float]:
        """The upper left corners of the boxes, the points of the edges, and the whole size.

        An edge runs straight in its row to the last gap between columns, and bends there.
        """
        spots = self.spots()
        corners = [(10 + ACROSS * column, 10 + DOWN * row) for column, row in spots]
        curves = []
        for p, i in self.edges():
            (a, b), (c, d) = corners[p], corners[i]
            a, b, d = a + WIDE, b + HIGH / 2, d + HIGH / 2
            turn, middle = c - ACROSS + WIDE, c - (ACROSS - WIDE) / 2
            curves.append([(a, b), (turn, b), (middle, b), (middle, d), (c, d)])
        wide, high = (max(z) for z in zip(*corners, strict=True))
        return corners, curves, wide + WIDE + 10, high + HIGH + 10

    def edges(self) -> list[tuple[int, int]]:
        """Pairs (from, to) of node numbers."""
        return [(p, i) for i, node in enumerate(self.nodes) for p in dict.fromkeys(node.parents)]

    def caption(self, node: Node) -> list[str]:
        """What stands in the box of a node."""
        first = " = ".join([t for t in (node.name, node.formula) if t])
        short = first if len(first) <= 22 else f"{node.name} = {node.op}(…)"
        lines = [line for line in (short, node.value) if line]
        return [line if len(line) <= 23 else f"{line[:22]}…" for line in lines]

    def spots(self) -> list[Point]:
        """Column and row of each node: the longest path from an input, and near the parents."""
        layers: list[int] = []
        for node in self.nodes:
            layers.append(1 + max([layers[p] for p in node.parents], default=-1))
        columns = [[i for i, n in enumerate(layers) if n == c] for c in range(max(layers) + 1)]
        tallest = max(map(len, columns))
        row = [0.0] * len(self.nodes)
        for column in columns:
            wishes = []
            for i in column:
                parents = self.nodes[i].parents
                wishes.append((sum(row[p] for p in parents) / max(1, len(parents)), i))
            for k, (_, i) in enumerate(sorted(wishes)):
                row[i] = k + (tallest - len(column)) / 2
        return [(float(x), y) for x, y in zip(layers, row, strict=True)]


def draw(f: Any, *args: Any) -> Drawing:
    """The graph of `f(*args)`, or of the history of a Tensor.

    f : a function of `args`, or a Tensor; of a Tensor the tape knows how values were made, and only
        those of leaves

    Returns a drawing: `str` or `.text()` for the terminal, `.dot()` for Graphviz, `.svg()` for the
    browser (notebooks show it), `.save("graph.png")`.

    >>> import adjoint as ad
    >>> from adjoint.show.draw import draw
    >>> draw(lambda x1, x2: ad.log(x1) + x1 * x2 - ad.sin(x2), 2.0, 5.0)
    y = v5 = 11.652
    └─ v5 = v4 - v3 = 11.652
       ├─ v4 = v1 + v2 = 10.693
       │  ├─ v1 = ln x1 = 0.693
       │  │  └─ x1 = 2
       │  └─ v2 = x1 · x2 = 10
       │     ├─ x1 = 2
       │     └─ x2 = 5
       └─ v3 = sin x2 = -0.959
          └─ x2 = 5
    """
    return Drawing(history(f) if isinstance(f, Tensor) and not args else program(f, args))


def program(f: Callable[..., Any], args: tuple[Any, ...]) -> list[Node]:
    """The nodes of what a function does."""
    run, nodes, number = follow(f, args, "draw"), list[Node](), dict[Noted, int]()
    for x, label in zip(run.inputs, run.labels, strict=True):
        x.name, number[x] = label, len(nodes)
        nodes.append(Node(label, "", summary(x.primal), [], "input", ""))
    for line in run.lines:
        parents = [number[n] for n in line.inputs if n is not None]
        for i, o in enumerate(line.outs):
            number[o], op = len(nodes), SHOWN.get(line.op.name, line.op.name)
            nodes.append(Node(o.name, line.formula(i), summary(o.primal), parents, "op", op))
    for name, end in run.seeds():
        noted = isinstance(end, Noted)
        parents = [number[end]] if noted else []
        nodes.append(Node(name, end.name if noted else "", summary(end), parents, "output", ""))
    return nodes


def walk(end: Tensor) -> list[Any]:
    """The nodes that `end` was made from, and its own, each after those that it needs."""
    order: list[Any] = []
    seen = set[int]()
    stack = [(origin(end.node), False)] if end.node is not None else []
    while stack:
        node, complete = stack.pop()
        if complete:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(origin(p), False) for _, p in reversed(parents(node))]
    return order


def history(end: Tensor) -> list[Node]:
    """The nodes of the history of a Tensor, as far as the tape has it."""
    nodes, number = list[Node](), dict[int, int]()
    leaves = 0
    for node in walk(end):
        made = [number[id(origin(p))] for _, p in parents(node)]
        number[id(node)] = len(nodes)
        if node[1] is LEAF:
            leaves += 1
            value = summary(remembered(node, end, 0).data)
            nodes.append(Node(f"x{leaves}", "", value, [], "input", ""))
        else:
            name, op = f"v{len(nodes) - leaves + 1}", PUBLIC.get(node[1].name, node[1].name)
            formula = f"{op}({', '.join([nodes[p].name for p in made])})"
            nodes.append(Node(name, formula, "", made, "op", op))
    last = [len(nodes) - 1] if nodes else []
    name = nodes[-1].name if nodes else ""
    return [*nodes, Node("y", name, summary(end), last, "output", "")]


def origin(node: Any) -> Any:
    """The node itself; where it is one of several outputs of an op, the node of that op."""
    while node[1] is PICK:
        node = node[3][0]
    return node


def quoted(text: str) -> str:
    """`text` inside the quotes of Graphviz."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
