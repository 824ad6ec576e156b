"""The overview: the findings block, then a tile for each cluster and cache.

Three layouts, laid out on purpose: 80×24 (findings first, small tiles in two columns), 120×35 and 200×50 (wide tiles
whose members and figures stand beside each other). One canvas: what is selected is a finding or a tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from console.readings import Finding
from screens.base import BoardScreen, Described
from screens.findings_block import draw_findings, stories
from screens.keys import bindings
from screens.log_target import log_of
from screens.tiles import TileFacts, all_tiles, draw_tile, tile_names
from screens.view import View
from widgets.lines import Lines
from widgets.spans import Block, Line, beside, fit, line, pad, width
from widgets.table import LiveTable
from widgets.verdict import sign

LEAST_TILE = 38
"""Cells below which a tile is not drawn as one."""
LEAST_HEIGHT = 6
"""Rows of a tile, frame included, that findings leave it."""
LOW = 4
"""Likewise where tiles stand in three rows or more: then what is wrong comes first. With less they become single lines."""


@dataclass(frozen=True)
class Picture:
    """The overview at one size."""

    lines: Block
    finding_rows: dict[str, int]
    tiles: tuple[TileFacts, ...]
    columns: int


def overview_picture(view: View, cells: int, height: int, selected: str = "") -> Picture:
    """Findings above, tiles below; ``selected``: ``finding <id>`` or ``tile <pane> <subject>``."""
    columns = _columns(len(tile_names(view)), cells)
    tiles = all_tiles(view, cells // columns)
    wanted = draw_findings(view, cells, 10_000, _selected_finding(selected))
    room = _tile_room(tiles, columns, height, len(wanted.lines))
    above = height - room
    findings = draw_findings(view, cells, max(0, above - 1), _selected_finding(selected))
    block = pad(findings.lines, cells, above) if room else pad(findings.lines, cells, height)
    lines = [*block, *_deck(tiles, columns, cells, room, selected)]
    return Picture(lines, findings.at, tuple(tiles), columns)


def _selected_finding(selected: str) -> str:
    return selected.partition(" ")[2] if selected.startswith("finding ") else ""


def _columns(count: int, cells: int) -> int:
    """How many tiles stand in a row: few wide ones rather than a gap at the right."""
    if not count:
        return 1
    most = max(1, min(count, (cells + 1) // (LEAST_TILE + 1)))
    rows = -(-count // most)
    return -(-count // rows)


def _tile_room(tiles: list[TileFacts], columns: int, height: int, findings: int) -> int:
    """Rows for the tiles: what findings leave, but never so little that no tile is left."""
    if not tiles:
        return 0
    rows = -(-len(tiles) // columns)
    least = rows * (LEAST_HEIGHT if rows < 3 else LOW) if height >= 16 else rows
    room = max(least, height - findings - 1)
    return min(room, max(0, height - 5))


def _deck(tiles: list[TileFacts], columns: int, cells: int, room: int, selected: str) -> Block:
    """The tiles in rows of ``columns``; as single lines where there is no room for frames."""
    if not tiles or room <= 0:
        return []
    rows = -(-len(tiles) // columns)
    each = room // rows
    if each < LOW or cells < LEAST_TILE:
        if len(tiles) > room:
            return pad(_packed(tiles, cells, room, selected), cells, room)
        return pad([_tile_line(facts, selected) for facts in tiles], cells, room)
    lines: Block = []
    for row in range(rows):
        group = tiles[row * columns : (row + 1) * columns]
        share, more = divmod(cells, len(group))  # the last row may have fewer: they are the wider
        blocks = [
            draw_tile(facts, share + (1 if at < more else 0), each, selected == _tile_id(facts))
            for at, facts in enumerate(group)
        ]
        lines += beside(*blocks)
    return pad(lines, cells, room)


def _packed(tiles: list[TileFacts], cells: int, room: int, selected: str) -> Block:
    """Several to a line, the worst first: key, sign and name are left of each."""
    rank = {"critical": 0, "unknown": 1, "warning": 2}
    rows: Block = [()]
    for facts in sorted(tiles, key=lambda facts: rank.get(facts.state, 3)):
        here = selected == _tile_id(facts)
        part = line(("▸" if here else " ", "accent"), (facts.key, "key"), sign(facts.state), facts.subject)
        if rows[-1] and width(rows[-1]) + width(part) + 1 > cells and len(rows) < room:
            rows.append(())
        rows[-1] = line(rows[-1], part, " ")
    return [fit(row, cells) for row in rows]


def _tile_id(facts: TileFacts) -> str:
    return f"tile {facts.pane} {facts.subject}"


def _tile_line(facts: TileFacts, selected: str) -> Line:
    here = selected == _tile_id(facts)
    return line(
        ("▸" if here else " ", "accent"), (facts.key, "key"), " ", sign(facts.state), " ", (facts.title, "strong"), "  ",
        (facts.why or facts.state, "muted"),
    )  # fmt: skip


class Canvas(Lines, can_focus=True, inherit_bindings=False):
    """What the keys of a list work on here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        each for each in bindings("table") if getattr(each, "id", "") not in ("table.mark",)
    ]
    DEFAULT_CSS = "Canvas { height: 1fr; }"

    @property
    def overview(self) -> OverviewScreen:
        """The screen."""
        assert isinstance(self.screen, OverviewScreen)
        return self.screen

    def on_resize(self) -> None:
        """The header or the key bar grew or shrank."""
        self.overview.paint()

    def action_move(self, steps: int) -> None:
        """Up and down."""
        self.overview.move(steps)

    def action_page(self, pages: int) -> None:
        """By pages there is only the first and the last."""
        self.overview.move(pages * 1000)

    def action_first(self) -> None:
        """The worst finding."""
        self.overview.move(-1000)

    def action_last(self) -> None:
        """The last tile."""
        self.overview.move(1000)

    def action_select(self) -> None:
        """Enter."""
        self.overview.enter()

    def action_copy(self) -> None:
        """``c``."""
        self.overview.copy()


class OverviewScreen(BoardScreen, inherit_bindings=False):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("pane")
    name_of_pane = "overview"

    def __init__(self) -> None:
        super().__init__()
        self._selected = ""
        """Empty until somebody moves: then the worst finding counts as selected, whichever it is."""
        self._picture: Picture | None = None

    def body(self) -> ComposeResult:
        """One canvas."""
        yield Canvas(id="overview")

    def draw(self, view: View) -> None:
        """Findings and tiles."""
        canvas = self.query_one("#overview", Canvas)
        size = canvas.size
        if size.width and size.height:
            self._picture = overview_picture(view, size.width, size.height, self.selection)
            canvas.show(self._picture.lines)

    # -- selection -----------------------------------------------------------------------------------------------------

    def _items(self) -> list[str]:
        """Everything that can be selected, from top to bottom."""
        view = self.host.view
        found = [
            f"finding {finding.id}"
            for story in stories(view.board.findings)
            for finding in (story.effect, *story.causes)
        ]
        return list(dict.fromkeys(found)) + [f"tile {pane} {name}" for pane, name in tile_names(view)]

    @property
    def selection(self) -> str:
        """What is selected; before the first key the worst finding, and nothing where there is none."""
        if self._selected:
            return self._selected
        told = stories(self.host.view.board.findings)
        return f"finding {told[0].effect.id}" if told else ""

    def move(self, steps: int) -> None:
        """Select another finding or tile."""
        items = self._items()
        if not items:
            return
        at = items.index(self.selection) if self.selection in items else -1
        self._selected = items[max(0, min(len(items) - 1, at + steps if at >= 0 or steps > 0 else 0))]
        self.paint()

    def aside(self, step: int) -> None:
        """To the tile at the left or right."""
        tiles = [item for item in self._items() if item.startswith("tile ")]
        if tiles:
            at = tiles.index(self.selection) + step if self.selection in tiles else 0
            self._selected = tiles[max(0, min(len(tiles) - 1, at))]
            self.paint()

    def _finding(self) -> Finding | None:
        kind, _, rest = self.selection.partition(" ")
        if kind != "finding":
            return None
        return next((finding for finding in self.host.view.board.findings if finding.id == rest), None)

    def enter(self) -> None:
        """Into a finding, or a tile's pane."""
        finding = self._finding()
        if finding is not None:
            self.host.open_page("finding", finding.id)
        elif self.selection.startswith("tile "):
            self.host.open_pane(self.selection.split(" ")[1])

    def copy(self) -> None:
        """The selected finding as text."""
        finding = self._finding()
        if finding is None:
            self.host.say("select a finding to copy it", "muted")
            return
        seen = "; ".join(f"{each.what}: {each.value}" for each in finding.evidence)
        text = f"{finding.title} since {finding.since:%Y-%m-%d %H:%M:%SZ}. {finding.impact} {seen}".strip()
        self.post_message(LiveTable.Copied(text, 1))

    def described(self) -> Described | None:
        """The finding, or all readings behind a tile."""
        finding = self._finding()
        if finding is not None:
            return Described(finding.title, finding)
        kind, _, rest = self.selection.partition(" ")
        if kind != "tile":
            return None
        pane, _, subject = rest.partition(" ")
        view = self.host.view
        readings = {
            f"{reading.topic} {reading.key}": reading
            for reading in sorted(view.board, key=lambda each: each.where)
            if reading.pane == pane and (pane == "application" or reading.key.split("/")[0] == subject)
        }
        return Described(f"{pane} {subject}", readings)

    def log_target(self) -> str:
        """The server or tenant that the selected finding is about."""
        return log_of(self._finding(), self.host.view.board)
