"""The live table: keyed rows, fixed columns, repaints of changed cells only; cursor and marks stay on their rows.

::

    table = LiveTable([
        Column("pid", "pid", 7, "right", sort="P"),
        Column("wait", "wait", 18, drop=2),
        Column("query", "query", 20, flex=1, drop=1),
    ])
    table.set_rows([Row(4121, ("4121", Cell("Lock: transactionid", "warning"), "UPDATE …"))])
    table.set_notice("pg-2 has not answered for 12 s", "unknown")   # hides the rows: old values are never shown as current
    table.set_notice("", "")                                         # rows again

Data in by ``set_rows``; out by messages: ``Highlighted`` (cursor moved), ``Selected`` (Enter), ``Copied`` (text for the
clipboard). The table binds no keys itself: its ``action_…`` methods are bound by whoever owns the key map.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from textual import events
from textual.geometry import Size
from textual.message import Message

from widgets.columns import Cell, Column, Key, Placed, Row, heading, place, row_line
from widgets.lines import LineView
from widgets.rowset import RowSet
from widgets.spans import Line, fit, line, plain, restyle, spread

__all__ = ["Cell", "Column", "Key", "LiveTable", "Row"]

GUTTER = 2
"""Cells at the left: the cursor's ``▸`` and the mark's ``◆``."""
_NOTICES = {"unknown": "? ", "failed": "■ ", "critical": "■ ", "warning": "▲ ", "ok": "✓ "}


class LiveTable(LineView, can_focus=True):
    """A virtual table of any number of rows; cost follows what is visible and changed."""

    DEFAULT_CSS = """
    LiveTable { height: 1fr; min-height: 3; }
    """

    class Highlighted(Message):
        """The cursor stands on another row (``key`` None: on none)."""

        def __init__(self, table: LiveTable, key: Key | None) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LiveTable:
            """The table."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            """Only the last place matters."""
            return isinstance(message, LiveTable.Highlighted)

    class Selected(Message):
        """Enter on a row."""

        def __init__(self, table: LiveTable, key: Key) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LiveTable:
            """The table."""
            return self.table

    class Copied(Message):
        """``c``: text of the marked rows, or of the row under the cursor, cells parted by tabs."""

        def __init__(self, text: str, rows: int) -> None:
            super().__init__()
            self.text = text
            self.rows = rows

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "nothing here",
        header: bool = True,
        sort: str = "",
        descending: bool | None = None,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """``empty``: what an empty table says; ``sort``: key of the column it is sorted by at first ("": as given)."""
        super().__init__(name=name, id=id, classes=classes)
        self.columns = tuple(columns)
        self.empty = empty
        self.header = header
        first = next((column.descending for column in self.columns if column.key == sort), False)
        self._set = RowSet(self.columns, sort, first if descending is None else descending)
        self._told: Key | None = None
        self._notice: tuple[str, str] = ("", "")
        self._layout: list[Placed] = []
        self._layout_for = -1
        self._lines: dict[Key, tuple[Row, str, Line]] = {}
        self._head: tuple[object, Line] = (None, ())

    # -- data in ---------------------------------------------------------------------------------------------------

    def set_rows(self, rows: Iterable[Row]) -> None:
        """These rows, in this order where the table is not sorted. Rows equal to the last ones cost nothing."""
        self._set.take(rows, self.body_height)
        for key in self._lines.keys() - self._set.rows.keys():
            del self._lines[key]
        self._moved()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns, for rows that will follow."""
        self.columns = self._set.columns = tuple(columns)
        self._layout_for = -1
        self._lines.clear()
        self._arrange()

    def set_notice(self, text: str, style: str = "unknown") -> None:
        """Say ``text`` in place of the rows (unknown, failed, waiting …); empty text: show the rows."""
        self._notice = (text, style)
        self.repaint()

    # -- what it holds ---------------------------------------------------------------------------------------------

    @property
    def cursor(self) -> Key | None:
        """Key of the row under the cursor."""
        return self._set.cursor

    @property
    def keys(self) -> list[Key]:
        """Keys of the rows that pass the filter, in the order shown."""
        return list(self._set.order)

    @property
    def row_count(self) -> int:
        """Rows, filtered ones included."""
        return len(self._set.rows)

    @property
    def marks(self) -> frozenset[Key]:
        """Keys of the marked rows."""
        return frozenset(self._set.marks)

    @property
    def filter(self) -> str:
        """Words that every row shown contains; with ``!`` in front, that none does."""
        return self._set.filter

    def set_filter(self, text: str) -> None:
        """Show only rows with all of these words (any case); ``!`` in front: only rows without them."""
        if text != self._set.filter:
            self._set.filter = text
            self._arrange()

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """Key of the column and whether descending; an empty key: as the rows were given."""
        return self._set.sort, self._set.descending

    def sort_by(self, column: str, descending: bool) -> None:
        """Sort by a column."""
        self._set.sort, self._set.descending = column, descending
        self._arrange()

    def move_to(self, key: Key) -> None:
        """Put the cursor on a row."""
        at = self._set.index(key)
        if at is not None:
            self._go(at)

    def _arrange(self) -> None:
        self._set.arrange(self.body_height)
        self._moved()

    def _go(self, at: int) -> None:
        self._set.go(at, self.body_height)
        self._moved()

    def _moved(self) -> None:
        """Rows, order or cursor may be others: tell, and paint what differs."""
        if self._told != self._set.cursor:
            self._told = self._set.cursor
            self.post_message(self.Highlighted(self, self._told))
        self.repaint()

    # -- actions ---------------------------------------------------------------------------------------------------

    def action_move(self, steps: int) -> None:
        """Cursor up (negative) or down."""
        self._go(self._set.at + steps)

    def action_page(self, pages: int) -> None:
        """Cursor by pages."""
        self._go(self._set.at + pages * max(1, self.body_height - 1))

    def action_first(self) -> None:
        """Cursor on the first row."""
        self._go(0)

    def action_last(self) -> None:
        """Cursor on the last row."""
        self._go(len(self._set.order) - 1)

    def action_select(self) -> None:
        """Enter."""
        if self.cursor is not None and not self._notice[0]:
            self._set.pin()
            self.post_message(self.Selected(self, self.cursor))

    def action_mark(self) -> None:
        """Mark the row, or take the mark off; then one row down."""
        if self.cursor is not None:
            self._set.marks ^= {self.cursor}
            self._go(self._set.at + 1)

    def action_clear_marks(self) -> None:
        """Take all marks off."""
        self._set.marks.clear()
        self.repaint()

    def action_copy(self) -> None:
        """Text of the marked rows, or of the row under the cursor, to the clipboard."""
        marked = [key for key in self._set.order if key in self._set.marks]
        keys = marked or ([self.cursor] if self.cursor is not None else [])
        if keys and not self._notice[0]:
            rows = (self._set.rows[key] for key in keys)
            text = "\n".join("\t".join(plain(row.text(at)) for at in range(len(self.columns))) for row in rows)
            self.post_message(self.Copied(text, len(keys)))

    def action_sort(self, letter: str) -> None:
        """Sort by the column of a capital letter; again: the other way; a third time: as given."""
        column = next((column for column in self.columns if column.sort == letter), None)
        if column is None:
            return
        sort, descending = self.sorted_by
        if sort != column.key:
            self.sort_by(column.key, column.descending)
        elif descending == column.descending:
            self.sort_by(column.key, not column.descending)
        else:
            self.sort_by("", False)

    def on_key(self, event: events.Key) -> None:
        """shift+letter sorts where a column has the letter."""
        letter = event.character or ""
        if len(letter) == 1 and letter.isupper() and any(column.sort == letter for column in self.columns):
            event.stop()
            self.action_sort(letter)

    def on_focus(self) -> None:
        """The cursor is drawn another way."""
        self.repaint()

    def on_blur(self) -> None:
        """The cursor is drawn another way."""
        self.repaint()

    def on_resize(self) -> None:
        """Other columns may fit; the cursor stays in view."""
        if self._set.order:
            self._set.keep_in_view(self.body_height)

    # -- drawing ---------------------------------------------------------------------------------------------------

    @property
    def body_height(self) -> int:
        """Rows that fit."""
        return max(0, self.size.height - self._fixed)

    @property
    def _fixed(self) -> int:
        return int(self.header) + int(bool(self._set.filter))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its rows, where its height is auto."""
        return self._fixed + max(1, len(self._set.order))

    def draw(self, y: int) -> Line:
        """Line API: the filter's line, the heading, then the rows."""
        cells = self.size.width
        if self._set.filter:
            if y == 0:
                return self._filter_line(cells)
            y -= 1
        if self.header:
            if y == 0:
                return self._heading(cells)
            y -= 1
        text, style = self._notice
        if text or not self._set.order:
            return self._say(y, cells, text, style)
        at = self._set.top + y
        if at >= len(self._set.order):
            return ()
        row = self._row(self._set.order[at], cells)
        if len(self._set.order) <= self.body_height:
            return row
        return (*row, (self._thumb(y), "line"))

    def _row(self, key: Key, cells: int) -> Line:
        row = self._set.rows[key]
        look = ("cursor" if self.has_focus else "cursor-away") if key == self.cursor else ""
        if key in self._set.marks:
            look += "+mark"
        kept = self._lines.get(key)
        if kept is not None and kept[0] is row and kept[1] == look and self._layout_for == cells:
            return kept[2]
        marked = "◆" if key in self._set.marks else " "
        sign = "▸" if key == self.cursor else " "
        drawn = line((sign, "accent"), (marked, "mark"), row_line(row, self._columns(cells)))
        if key == self.cursor:
            drawn = restyle(drawn, "cursor" if self.has_focus else "cursor-away")
        drawn = fit(drawn, cells - 1, fill=look.partition("+")[0])
        self._lines[key] = (row, look, drawn)
        return drawn

    def _columns(self, cells: int) -> list[Placed]:
        if self._layout_for != cells:
            self._layout_for = cells
            self._layout = place(self.columns, cells - GUTTER - 1)
            self._lines.clear()
        return self._layout

    def _heading(self, cells: int) -> Line:
        layout = self._columns(cells)
        state: Any = (cells, self._set.sort, self._set.descending, self.columns)
        if self._head[0] != state:
            whole = line((" " * GUTTER, "heading"), heading(layout, self._set.sort, self._set.descending))
            self._head = (state, whole)
        return self._head[1]

    def _filter_line(self, cells: int) -> Line:
        left = line(("  /", "key"), (self._set.filter, "match"))
        right = line(
            (f"{len(self._set.order)} of {len(self._set.rows)}  ", "muted"), ("Esc", "key"), (" all ", "muted")
        )
        return spread(left, right, cells)

    def _say(self, y: int, cells: int, text: str, style: str) -> Line:
        if y:
            return ()
        if not text:
            text = (
                f"no row matches; {len(self._set.rows)} without the filter"
                if self._set.filter and self._set.rows
                else self.empty
            )
            style = "muted"
        known = "critical" if style == "failed" else style
        return fit(line("  ", (_NOTICES.get(style, ""), known), (text, known)), cells)

    def _thumb(self, y: int) -> str:
        """Where in the whole the view stands, drawn in the last column."""
        height, total = self.body_height, len(self._set.order)
        size = max(1, height * height // total)
        room = height - size
        start = round(self._set.top * room / max(1, total - height))
        return "┃" if start <= y < start + size else "│"
