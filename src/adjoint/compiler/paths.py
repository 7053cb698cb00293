"""What a function asked of its values while it was traced, and where each answer led.

A function that branches is a tree: at a `Fork` it asks a question, a truth value that the program
computes, and goes on by the answer; at a `Leaf` it ends. A side that no call has taken yet is None.
All paths are of one graph, so what they have in common are the same nodes. Trees do not change: a
new path makes a new tree, which shares with the old one what the path does not touch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .graph import Node, label

LEAVES = 32
"""Paths that a tree may have."""
DEPTH = 96
"""Decisions on one path."""
FORKS = 1024
"""Decisions in a tree."""
VALUES = 3
"""Different numbers that one place of a function may hand to Python."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """An end of a function.

    ends     of the output: the node of an array, or what was baked in
    form     of the output: equal for equal containers and types
    checks   truth values that must be False, see `Trace.checks`
    arrays   from outside that were met since the last decision, in order
    weak     where paths differ in that: a number whose bits say which outputs are Python's numbers
    """

    ends: tuple[Any, ...]
    form: Any
    checks: tuple[Node, ...]
    arrays: tuple[np.ndarray, ...] = ()
    weak: Node | None = None

    @property
    def outputs(self) -> tuple[Node, ...]:
        """The nodes of the output, then `weak`."""
        nodes = [e for e in self.ends if isinstance(e, Node)]
        return (*nodes, *([] if self.weak is None else [self.weak]))


@dataclass(frozen=True, eq=False)
class Fork:
    """A decision: `sides[k]` is where the function goes on if the value of `node` is k.

    line     where it is taken
    arrays   from outside that were met since the decision before, in order
    """

    node: Node
    sides: tuple[Tree, Tree]
    line: str = ""
    arrays: tuple[np.ndarray, ...] = ()


Tree = Fork | Leaf | None


def grown(tree: Tree, path: Sequence[tuple[Fork, bool]], leaf: Leaf) -> Tree:
    """The tree with one more path: forks and answers, their sides not looked at, then the leaf."""
    others: list[Tree] = []
    for _, answer in path:
        sides = tree.sides if isinstance(tree, Fork) else (None, None)
        others.append(sides[not answer])
        tree = sides[answer]
    new: Tree = leaf
    for (fork, answer), other in zip(reversed(path), reversed(others), strict=True):
        sides = (other, new) if answer else (new, other)
        new = Fork(fork.node, sides, fork.line, fork.arrays)
    return new


def preorder(tree: Tree) -> Iterator[Tree]:
    """Every fork, then what is behind it where the answer is no, then where it is yes."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, Fork):
            waiting += reversed(part.sides)


def assembled(parts: Sequence[Tree]) -> Tree:
    """The tree of these parts in preorder; the sides that forks have are not looked at."""
    done: list[Tree] = []
    for part in reversed(parts):
        if isinstance(part, Fork):
            part = replace(part, sides=(done.pop(), done.pop()))
        done.append(part)
    return done.pop()


def numbers(leaf: Leaf) -> tuple[bool, ...]:
    """Of each output that is a node, whether it is one of Python's numbers."""
    return tuple([e.weak for e in leaf.ends if isinstance(e, Node)])


def leveled(tree: Tree, constant: Callable[[int], Node]) -> Tree:
    """The tree whose leaves all have `weak`, or none: which they need if their numbers differ."""
    if len({numbers(leaf) for leaf in leaves(tree)}) == 1:
        return tree
    bits = {
        leaf: constant(sum([weak << k for k, weak in enumerate(numbers(leaf))]))
        for leaf in leaves(tree)
    }
    return assembled(
        [replace(p, weak=bits[p]) if isinstance(p, Leaf) else p for p in preorder(tree)]
    )


def leaves(tree: Tree) -> list[Leaf]:
    """The ends that are known."""
    return [part for part in preorder(tree) if isinstance(part, Leaf)]


def results(tree: Tree) -> tuple[Node, ...]:
    """All nodes that a program of this tree computes, in preorder."""
    found: list[Node] = []
    for part in preorder(tree):
        if isinstance(part, Fork):
            found.append(part.node)
        elif part is not None:
            found += part.outputs + part.checks
    return tuple(found)


def spelled(tree: Tree) -> str:
    """The form of a tree: with the graph and its outputs, all that its program depends on."""
    signs = []
    for part in preorder(tree):
        leaf = f"{len(part.outputs)}/{len(part.checks)}" if isinstance(part, Leaf) else "-"
        signs.append("?" if isinstance(part, Fork) else leaf)
    return " ".join(signs)


def drawn(tree: Tree) -> list[str]:
    """The tree in lines that one can read."""
    lines, count = list[str](), 0
    waiting: list[tuple[Tree, str, int]] = [(tree, "", 0)]
    while waiting:
        part, answer, depth = waiting.pop()
        if isinstance(part, Fork):
            text = f"{label(part.node)}?{f'  # {part.line}' if part.line else ''}"
            words = zip(part.sides, ("no: ", "yes: "), strict=True)
            waiting += [(side, word, depth + 1) for side, word in words]
        elif part is None:
            text = "not met yet"
        else:
            count += 1
            text = f"path {count}"
        lines.append(f"{'  ' * depth}{answer}{text}")
    return lines
