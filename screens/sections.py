"""The ground of every pane with tabs: head, topology, tabs over one table, and a side where it is wide.

Three layouts, chosen by width: *small* (80×24: topology as lines, one line of findings, one of summary), *middle*
(120×35: boxes, two lines of findings), *wide* (from 150 cells: boxes with the coordination store beside them, and at the
right what must be in sight whatever tab is open). A subclass says what to show; nothing here knows what is watched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from console.readings import Finding
from screens.base import BoardScreen, Described, Table
from screens.keys import bindings
from screens.layout import LEAST_ROWS, MIDDLE_FROM, SIDE, WIDE_FROM, Layout, Sections, Side, roomy, topology_lines
from screens.pane_findings import finding_lines
from screens.section import Section, Tab
from screens.tabs import Badge, tab_line
from screens.view import View
from widgets.columns import Row
from widgets.lines import Lines
from widgets.spans import Block, Line, line, spread
from widgets.table import LiveTable
from widgets.topology import Topology, TopologyView

__all__ = ["Layout", "SectionsScreen"]


class SectionsScreen(BoardScreen, inherit_bindings=False):
    """A pane of sections about one subject (a cluster, a cache) at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("pane"), *bindings("sections")]
    DEFAULT_CSS = """
    SectionsScreen #lower { height: 1fr; }
    SectionsScreen #sections { width: 1fr; height: 1fr; }
    SectionsScreen #side { display: none; width: 66; height: 1fr; }
    SectionsScreen Table { height: 1fr; }
    SectionsScreen #below { display: none; height: auto; }
    """
    tabs: ClassVar[tuple[Tab, ...]] = ()
    nothing: ClassVar[str] = "nothing is configured"
    """What is said where there is no subject."""

    def __init__(self) -> None:
        super().__init__()
        self._subject = ""
        self._tab = self.tabs[0].key
        self._member = ""
        self._section: Section | None = None
        self._fed: dict[str, tuple[Row, ...]] = {}
        """Tab → the rows that its table was given last: the same ones are not gone through again."""

    # -- what a subclass brings --------------------------------------------------------------------------------------

    def subjects(self, view: View) -> list[str]:
        """Names of the clusters or caches there are."""
        raise NotImplementedError

    def offered(self, view: View) -> tuple[Tab, ...]:
        """The tabs that there is something to show in."""
        return self.tabs

    def look(self, view: View, subject: str) -> None:
        """Work out what the methods below share, once for a picture."""

    def section(self, key: str, view: View) -> Section:
        """The section of a tab."""
        raise NotImplementedError

    def badges(self, view: View) -> Mapping[str, Badge]:
        """Numbers at the tabs; cheap."""
        return {}

    def topology(self, view: View) -> Topology:
        """The drawing."""
        raise NotImplementedError

    def topology_lines(self, layout: Layout, height: int) -> int:
        """At most so many lines of it."""
        return topology_lines(layout, height)

    def head(self, view: View, cells: int, layout: Layout) -> Block:
        """The lines over the topology."""
        raise NotImplementedError

    def side(self, view: View, cells: int, height: int) -> Block:
        """What stands at the right of a wide screen."""
        return []

    def below(self, view: View, cells: int, layout: Layout, room: int) -> Block:
        """What stands under the table: at most ``room`` lines, of which the table loses as many; none: nothing."""
        return []

    def findings(self, view: View) -> list[Finding]:
        """Open findings about the subject, the worst first."""
        return []

    def members(self) -> list[str]:
        """Members whose sections can be looked at, by ``m``."""
        return []

    def source_words(self) -> Line:
        """Whose figures the table shows, for the row of tabs."""
        return ()

    def struct_at(self, tab: str, key: Any) -> Described | None:
        """What a row of a tab is made of."""
        return None

    def log_of(self, tab: str, key: Any) -> str:
        """``topic key`` whose server log belongs to a row; ``key`` None: to no row."""
        return ""

    # -- state -------------------------------------------------------------------------------------------------------

    @property
    def subject(self) -> str:
        """Name of the cluster or cache shown."""
        return self._subject

    @property
    def tab(self) -> str:
        """Key of the tab shown."""
        return self._tab

    @property
    def chosen_member(self) -> str:
        """The member chosen by ``m``; empty: the one that matters most."""
        return self._member

    def selected(self, table: LiveTable, key: Any) -> None:
        """A finding has a page of its own; other rows are described."""
        if self.tab == "findings":
            self.host.open_page("finding", key)
        else:
            self.action_describe()

    @property
    def table(self) -> Table:
        """The table of the tab shown."""
        return self.query_one(f"#table-{self._tab}", Table)

    @property
    def layout_now(self) -> Layout:
        """Which of the three layouts the size asks for."""
        width = self.size.width
        return "wide" if width >= WIDE_FROM else "middle" if width >= MIDDLE_FROM else "small"

    # -- composition and painting ------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """Head, topology, tabs, summary, one table for each tab (so that each keeps its cursor, order and filter), side."""
        yield Lines(id="head")
        yield TopologyView(id="topology")
        with Horizontal(id="lower"):
            with Sections(id="sections"):
                yield Lines(id="tabs")
                yield Lines(id="summary")
                for tab in self.tabs:
                    table = Table((), id=f"table-{tab.key}")
                    table.display = tab.key == self._tab
                    yield table
                yield Lines(id="below")
            yield Side(id="side")

    def draw(self, view: View) -> None:
        """Bring the body up to date; equal data costs nothing."""
        subjects = self.subjects(view)
        if self._subject not in subjects:
            self._subject = subjects[0] if subjects else ""
            self._member = ""
        self.look(view, self._subject)
        offered = self.offered(view)
        if all(tab.key != self._tab for tab in offered):
            self._turn(offered[0].key)
        layout, cells, height = self.layout_now, self.size.width, self.size.height
        self._draw_top(view, layout, cells, height)
        self._draw_table(view, layout)
        side = self.query_one("#side", Lines)
        if side.display != (layout == "wide"):
            side.display = layout == "wide"
        if layout == "wide":
            side.show(self.side(view, SIDE, side.size.height) if side.size.height else [])

    def _draw_top(self, view: View, layout: Layout, cells: int, height: int) -> None:
        picture = self.query_one("#topology", TopologyView)
        if not self._subject:
            self.query_one("#head", Lines).show([line((f" {self._why_nothing(view)}", "muted"))])
            picture.show_topology(Topology())
            return
        head = self.head(view, cells, layout)
        if layout != "wide":
            found = self.findings(view)
            head = [*head, *finding_lines(found, view.now, cells, 1 if layout == "small" else 2)]
        self.query_one("#head", Lines).show(head)
        picture.most = self.topology_lines(layout, height)
        if picture.topology != (fresh := self.topology(view)):
            picture.show_topology(fresh)
        else:
            picture.redraw()

    def _draw_table(self, view: View, layout: Layout) -> None:
        section = self.section(self._tab, view) if self._subject else Section((), empty=self._why_nothing(view))
        self._section = section
        badges = self.badges(view) if self._subject else {}
        width = self.size.width - (SIDE if layout == "wide" else 0)
        self.query_one("#tabs", Lines).show([tab_line(self.offered(view), self._tab, badges, width)])
        summary = [line(" ", each) for each in section.summary[: 1 if layout == "small" else 2] if each]
        source = self.source_words()
        if source:
            summary[:1] = [spread(summary[0] if summary else (), source, width)]
        self.query_one("#summary", Lines).show(summary)
        table = self.table
        table.empty = section.empty
        columns = roomy(section.columns, width)
        if table.columns != columns:
            table.set_columns(columns)
        table.set_notice(section.notice, section.notice_style)
        if self._fed.get(self._tab) is not section.rows:
            self._fed[self._tab] = section.rows
            table.set_rows(section.rows)
        self._draw_below(view, layout, width)

    def _draw_below(self, view: View, layout: Layout, cells: int) -> None:
        """What stands under the table, as far as the table can spare the room."""
        below = self.query_one("#below", Lines)
        rows = len(self._section.rows) if self._section is not None else 0
        least = 1 + min(LEAST_ROWS, max(2, rows))
        room = self.query_one("#sections").size.height - 1 - len(self.query_one("#summary", Lines).lines) - least
        drawn = self.below(view, cells, layout, room) if room > 2 else []
        if below.display != bool(drawn):
            below.display = bool(drawn)
        below.show(drawn[:room] if drawn else [])

    def on_live_table_highlighted(self, event: LiveTable.Highlighted) -> None:
        """What stands under the table may be about the row under the cursor."""
        if event.table.display and self._section is not None:
            layout = self.layout_now
            self._draw_below(self.host.view, layout, self.size.width - (SIDE if layout == "wide" else 0))

    def _why_nothing(self, view: View) -> str:
        return self.nothing if view.environment else "no answer from the engine yet"

    # -- keys --------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In a recording ``[`` and ``]`` step in time; with one subject there is nothing to change."""
        if action == "subject":
            return len(self.subjects(self.host.view)) > 1 and not self.host.view.replay
        if action == "member":
            return len(self.members()) > 1
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Esc takes the filter away before it leaves the screen."""
        if event.key == "escape" and self.table.filter and self.focused is self.table:
            event.stop()
            event.prevent_default()
            self.table.set_filter("")

    def action_subject(self, step: int) -> None:
        """The next or previous cluster or cache."""
        subjects = self.subjects(self.host.view)
        if subjects:
            at = subjects.index(self._subject) if self._subject in subjects else 0
            self._subject = subjects[(at + step) % len(subjects)]
            self._member = ""
            self.paint()

    def action_member(self) -> None:
        """The next member's figures; after the last again the one that matters most."""
        names = ["", *self.members()]
        at = names.index(self._member) if self._member in names else 0
        self._member = names[(at + 1) % len(names)]
        self.paint()

    def action_section(self, key: str) -> None:
        """Show a tab."""
        if key in {tab.key for tab in self.offered(self.host.view)}:
            self._turn(key)
            self.paint()

    def _turn(self, key: str) -> None:
        before, self._tab = self.table, key
        if self.table is not before:
            self.table.display = True
            before.display = False
            self.focus_part(self.table)

    def aside(self, step: int) -> None:
        """Left and right: the tab before or after."""
        keys = [tab.key for tab in self.offered(self.host.view)]
        self.action_section(keys[(keys.index(self._tab) + step) % len(keys)])

    def filtered(self) -> Table:
        """``/`` filters the table of the tab."""
        return self.table

    def described(self) -> Described | None:
        """The row under the cursor, as the reading has it."""
        key = self.table.cursor
        return None if key is None or self._section is None or self._section.notice else self.struct_at(self._tab, key)

    def log_target(self) -> str:
        """Whose log belongs to the row under the cursor."""
        return self.log_of(self._tab, self.table.cursor)
