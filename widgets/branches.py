"""Trees as rows: who stands under whom, in which order, with which guides in front.

Made for "who waits for whom": a graph that is nearly a tree, may have several heads, more than one parent for a node, and
for a moment even a ring. Every node comes out exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

K = TypeVar("K")


class Branch(NamedTuple, Generic[K]):
    """A node in its place."""

    key: K
    depth: int
    indent: str
    """Guides before it: ``│ ├─ ``."""
    below: int
    """How many nodes are under it, at any depth."""


def branches(parents: Mapping[K, Sequence[K]], order: Callable[[K], Any]) -> list[Branch[K]]:
    """The nodes as a tree, depth first.

    ``parents``: node → whom it stands under; whoever only occurs as a parent is a head. A node with several parents is
    under the first of them that is reached. Heads with the most nodes below come first, brothers by ``order``.
    """
    children: dict[K, list[K]] = {}
    for node, above in parents.items():
        for parent in dict.fromkeys(above):
            if parent != node:
                children.setdefault(parent, []).append(node)
    for brothers in children.values():
        brothers.sort(key=order)
    placed: dict[K, list[K]] = {}
    """Node → the children that were placed under it."""

    def place(head: K) -> int:
        """Place ``head`` and everything below it that is not placed yet; how many that is."""
        placed[head] = []
        found = 0
        stack = [head]
        while stack:
            node = stack.pop()
            fresh = [child for child in children.get(node, ()) if child not in placed]
            for child in fresh:
                placed[child] = []
            placed[node] = fresh
            found += len(fresh)
            stack += reversed(fresh)
        return found

    heads = sorted((node for node in children if not parents.get(node)), key=order)
    sizes = [(head, place(head)) for head in heads]
    # rings have no head: each is opened at its first node (evaluated one by one: placing one opens the others of its ring)
    sizes.extend((node, place(node)) for node in sorted(parents, key=order) if node not in placed)
    sizes.sort(key=lambda pair: -pair[1])
    out: list[Branch[K]] = []
    for head, _ in sizes:
        out += _rows(head, placed)
    return out


def _rows(head: K, placed: Mapping[K, Sequence[K]]) -> list[Branch[K]]:
    out: list[Branch[K]] = []
    stack: list[tuple[K, int, str, str]] = [(head, 0, "", "")]
    while stack:
        node, depth, guide, under = stack.pop()
        out.append(Branch(node, depth, guide, 0))
        brothers = placed[node]
        rows = [
            (child, depth + 1, under + ("╰─ " if last else "├─ "), under + ("   " if last else "│  "))
            for child, last in ((child, index == len(brothers) - 1) for index, child in enumerate(brothers))
        ]
        stack += reversed(rows)
    return _counted(out)


def _counted(rows: list[Branch[K]]) -> list[Branch[K]]:
    """The rows with ``below`` filled in: in depth-first order, what follows until the depth is back."""
    open_at: list[int] = []
    below = [0] * len(rows)
    for index, row in enumerate(rows):
        while open_at and rows[open_at[-1]].depth >= row.depth:
            done = open_at.pop()
            below[done] = index - done - 1
        open_at.append(index)
    for done in open_at:
        below[done] = len(rows) - done - 1
    return [row._replace(below=count) for row, count in zip(rows, below, strict=True)]
