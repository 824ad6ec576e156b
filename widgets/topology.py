"""Who follows whom, drawn: boxes joined by arrows where there is room, else one line for each member.

The arrow carries what matters about the link: how far behind in bytes and seconds, and whether it is synchronous. A
broken link is drawn broken, and says so in words. Pure drawing (``draw``) and a widget that shows it (``TopologyView``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from textual import events

from widgets.lines import Lines
from widgets.spans import Block, Line, beside, box, fit, joined, line, pad, text_of, width, wrap

EDGE = 28
"""Cells between two boxes: room for ``─┬─ 1.2 MB  0.4 s  async ──▶``."""
LEAST_BOX, WIDEST_BOX = 26, 58
ASIDE, ASIDE_FROM = 38, 150
"""Cells of the box beside, and the least width at which there is one."""
_MARGIN = 1
MOST_LINES = 6
"""Of content in a box that nobody follows."""


@dataclass(frozen=True, slots=True)
class Node:
    """One member."""

    key: str
    name: Line
    """Sign and name: ``● pg-2``."""
    role: Line
    state: Line
    """How it is, in two or three words, or since when it does not answer."""
    corner: str = ""
    """Short fact for the upper right corner: ``tl 7``."""
    notes: tuple[Line, ...] = ()
    """What is wrong or contradictory: shown before any fact."""
    facts: tuple[Line, ...] = ()
    """What is nice to know, the most telling first."""
    style: str = "line"
    """Of the frame."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One follows another. ``distance`` and ``span`` with units, ``kind`` such as ``sync``."""

    source: str
    target: str
    distance: str = ""
    span: str = ""
    kind: str = ""
    style: str = ""
    broken: str = ""
    """Why nothing flows; empty: it flows."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Members, links, and what stands beside them (the coordination store, the Sentinels)."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    aside: Node | None = None
    _order: dict[str, Node] = field(default_factory=dict, compare=False, repr=False)

    def node(self, key: str) -> Node:
        """The node of a key."""
        if not self._order:
            self._order.update({each.key: each for each in self.nodes})
        return self._order[key]

    def below(self, key: str) -> list[Edge]:
        """Links that start at ``key``, in order of the nodes."""
        known = {each.key for each in self.nodes}
        return [edge for edge in self.edges if edge.source == key and edge.target in known]

    def roots(self) -> list[Node]:
        """Nodes that follow nobody we know, and one node of every ring; each node is below exactly one of them."""
        known = {each.key for each in self.nodes}
        followers = {edge.target for edge in self.edges if edge.source in known and edge.source != edge.target}
        found = [each for each in self.nodes if each.key not in followers]
        seen = set(self._reach([each.key for each in found]))
        for each in self.nodes:
            if each.key not in seen:  # a ring: it has no start, so it is opened here
                found.append(each)
                seen |= set(self._reach([each.key], seen))
        return found

    def _reach(self, keys: list[str], closed: set[str] | None = None) -> Iterator[str]:
        seen = set(closed or ())
        queue = list(keys)
        while queue:
            key = queue.pop(0)
            if key in seen:
                continue
            seen.add(key)
            yield key
            queue += [edge.target for edge in self.below(key)]


@dataclass(frozen=True, slots=True)
class _Branch:
    """A node with what is below it: each node once."""

    node: Node
    edge: Edge | None
    children: tuple[_Branch, ...]

    @property
    def depth(self) -> int:
        return 1 + max((child.depth for child in self.children), default=0)


def _branches(topology: Topology) -> list[_Branch]:
    placed: set[str] = {each.key for each in topology.roots()}

    def grow(node: Node, edge: Edge | None) -> _Branch:
        children: list[_Branch] = []
        for below in topology.below(node.key):
            if below.target not in placed:
                placed.add(below.target)
                children.append(grow(topology.node(below.target), below))
        return _Branch(node, edge, tuple(children))

    return [grow(root, None) for root in topology.roots()]


def draw(topology: Topology, cells: int, height: int) -> Block:
    """The topology in at most ``height`` lines of ``cells``: boxes if they fit, else a line for each member."""
    for lines in range(MOST_LINES, 0, -1):
        block = boxes(topology, cells, lines)
        if block is not None and len(block) <= height:
            return block
    return compact(topology, cells, height)


def boxes(topology: Topology, cells: int, lines: int) -> Block | None:
    """Boxes with ``lines`` lines of content, joined by arrows; None where ``cells`` are too few."""
    branches = _branches(topology)
    if not branches:
        return []
    depth = max(branch.depth for branch in branches)
    aside = topology.aside if cells >= max(ASIDE_FROM, _needed(depth) + ASIDE + 2) else None
    room = cells - _MARGIN - (ASIDE + 2 if aside else 0)
    box_cells = min(WIDEST_BOX, (room - (depth - 1) * EDGE) // depth)
    if box_cells < LEAST_BOX:
        return None
    block: Block = []
    for branch in branches:
        if branch.children:
            block += _tree(branch, box_cells, lines)
    block += _lone(
        [branch.node for branch in branches if not branch.children], room, lines, box_cells if block else WIDEST_BOX
    )
    if aside:
        used = max(width(each) for each in block)
        high = max(min(lines, len(_body(aside, WIDEST_BOX))), len(block) - 2)
        side = _box(aside, min(cells - _MARGIN - used - 2, WIDEST_BOX), high, full=len(block) > 2)
        block = beside([fit(each, used) for each in block], side, gap=2)
    return [((" " * _MARGIN, ""), *each) for each in block]


def _needed(depth: int) -> int:
    return _MARGIN + depth * LEAST_BOX + (depth - 1) * EDGE


def _lone(nodes: list[Node], room: int, lines: int, widest: int) -> Block:
    """Boxes of nodes that nobody follows, side by side, as many in a row as fit."""
    if not nodes:
        return []
    across = min(len(nodes), max(1, (room + 2) // (LEAST_BOX + 2)))
    cells = min(widest, (room - 2 * (across - 1)) // across)
    block: Block = []
    for start in range(0, len(nodes), across):
        row = nodes[start : start + across]
        height = min(lines, max(len(_body(node, cells)) for node in row))
        block += beside(*(_box(node, cells, height, full=True) for node in row), gap=2)
    return block


def _body(node: Node, cells: int) -> Block:
    """What stands in a box of ``cells``: notes are too important to be cut, so they are broken into lines."""
    body: Block = [line(" ", node.state)]
    for note in node.notes:
        whole = text_of(note)
        sign, _, words = whole.partition(" ")
        style = note[-1][1] if note else ""
        for index, part in enumerate(wrap(words, cells - 5, style)):
            body.append(line(" ", (sign if index == 0 else " ", style), " ", part))
    return body + [line(" ", each) for each in node.facts]


def _box(node: Node, cells: int, lines: int, *, full: bool = False) -> Block:
    """A node in its frame, at most ``lines`` lines of content, or exactly so many where ``full``."""
    body = _body(node, cells)
    height = (lines if full else min(max(1, lines), len(body))) + 2
    title = joined((node.name, node.role), " ")
    return box(body, cells, height, title, line((node.corner, "muted")) if node.corner else "", node.style)


def _tree(branch: _Branch, cells: int, lines: int) -> Block:
    """A box with its followers to the right."""
    if not branch.children:
        return _box(branch.node, cells, lines)
    stacks = [_tree(child, cells, lines) for child in branch.children]
    height = sum(len(stack) for stack in stacks)
    own = _box(branch.node, cells, max(lines, height - 2))
    wiring = _wiring(branch.children, [len(stack) for stack in stacks], max(height, len(own)))
    followers = [each for stack in stacks for each in stack]
    return beside(
        pad(own, cells, max(height, len(own))), wiring, pad(followers, max(map(width, followers)), len(wiring))
    )


def _wiring(children: tuple[_Branch, ...], heights: list[int], height: int) -> Block:
    """The arrows between a box and its followers: one trunk, one arrow for each."""
    block: Block = [((" " * EDGE, ""),)] * height
    rows = [sum(heights[:index]) + 1 for index in range(len(children))]
    for y in range(rows[0], rows[-1]):
        block[y] = fit(line((" │", "line")), EDGE)
    for index, (child, y) in enumerate(zip(children, rows, strict=True)):
        first, last = index == 0, index == len(children) - 1
        trunk = "──" if first and last else "─┬" if first else " ╰" if last else " ├"
        block[y] = _arrow(child.edge, trunk)
    return block


def _arrow(edge: Edge | None, trunk: str) -> Line:
    if edge is None:
        return ()
    if edge.broken:
        label = line(
            " ", (" ".join(part for part in ("✗ " + edge.broken, edge.distance, edge.span) if part), edge.style)
        )
        shaft, head = "╌", "╌▷"
    else:
        label = joined(
            (line(" " + edge.distance, style=edge.style), line(edge.span, style=edge.style), line(edge.kind)), "  "
        )
        shaft, head = "─", "─▶"
    body = fit(label, min(width(label), EDGE - 5)) if width(label) else ()
    rest = EDGE - 5 - width(body)
    gap = " " if body and rest else ""
    look = edge.style or "line" if edge.broken else "line"
    return line((trunk, "line"), (shaft, look), body, gap, (shaft * (rest - len(gap)), look), (head, look))


def compact(topology: Topology, cells: int, height: int) -> Block:
    """One line for each member, followers under whom they follow; notes on lines of their own while ``height`` lasts."""
    rows: list[tuple[Node, Line]] = []
    for branch in _branches(topology):
        rows += _compact_rows(branch, "", "")
    names = max((width(node.name) for node, _ in rows), default=0)
    roles = max((width(node.role) for node, _ in rows), default=0)
    spare = height - len(rows)
    block: Block = []
    for node, lead in rows:
        notes = list(node.notes) if spare >= len(node.notes) else []
        spare -= len(notes)
        head = (lead, fit(node.name, names), fit(node.role, roles))
        tail = (
            (node.state, line((node.corner, "muted")))
            if notes
            else (node.state, *node.notes, line((node.corner, "muted")))
        )
        block.append(fit(line(" ", joined((*head, *tail, *node.facts), "  ")), cells))
        block += [fit(line("   ", note), cells) for note in notes]
    return block[:height] if height > 0 else []


def _compact_rows(branch: _Branch, guide: str, below: str) -> list[tuple[Node, Line]]:
    rows = [(branch.node, _compact_lead(branch.edge, guide))]
    for index, child in enumerate(branch.children):
        last = index == len(branch.children) - 1
        rows += _compact_rows(child, below + ("╰" if last else "├"), below + ("  " if last else "│ "))
    return rows


def _compact_lead(edge: Edge | None, guide: str) -> Line:
    if edge is None:
        return ()
    if edge.broken:
        words = " ".join(part for part in ("✗ " + edge.broken, edge.distance, edge.span) if part)
        return line((guide + "╌ ", "line"), fit(line((words, edge.style)), 24), (" ▷", edge.style or "line"))
    label = line(
        fit(line((edge.distance, edge.style)), 7, "right"),
        " ",
        fit(line((edge.span, edge.style)), 7, "right"),
        "  ",
        fit(line(edge.kind), 7),
    )
    return line((guide + "─ ", "line"), label, (" ▶", "line"))


class TopologyView(Lines):
    """Shows a topology in the room it has; equal topologies cost nothing."""

    DEFAULT_CSS = """
    TopologyView { height: auto; }
    """

    def __init__(self, *, most: int = 12, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._topology = Topology()
        self.most = most
        """At most so many lines."""

    @property
    def topology(self) -> Topology:
        """What is shown."""
        return self._topology

    def show_topology(self, topology: Topology) -> None:
        """Show ``topology`` in place of the last one."""
        if topology != self._topology:
            self._topology = topology
            self.redraw()

    def redraw(self) -> None:
        """Draw anew for the width there is."""
        if self.size.width:
            self.show(draw(self._topology, self.size.width, self.most))

    def on_resize(self, event: events.Resize) -> None:
        """Textual: the room changed."""
        self.show(draw(self._topology, event.size.width, self.most))
