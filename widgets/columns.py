"""Columns and rows of a table, as plain data, and how they become lines of one width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from widgets.spans import Line, fit, line, restyle, text_of, width

Key = str | int | tuple[Any, ...]


class Cell(NamedTuple):
    """One value: what is shown, in which semantic style, and by what it sorts (None: by its text)."""

    text: str | Line
    style: str = ""
    sort: Any = None

    @property
    def plain(self) -> str:
        """The text without styles."""
        return self.text if isinstance(self.text, str) else text_of(self.text)


class Row(NamedTuple):
    """A row: its key, which never changes, and a cell for each column (None or missing: empty).

    ``indent`` is drawn before the column marked ``tree`` (``"│ ├─ "``); ``style`` lies over the whole row.
    """

    key: Key
    cells: tuple[Cell | str | None, ...]
    style: str = ""
    indent: str = ""

    def text(self, at: int) -> str:
        """Bare text of one cell."""
        cell = self.cells[at] if at < len(self.cells) else None
        return "" if cell is None else cell if isinstance(cell, str) else cell.plain

    @property
    def words(self) -> str:
        """All of it in small letters, for the filter."""
        return " ".join(self.text(at) for at in range(len(self.cells))).casefold()


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Its width is fixed: it never follows the content."""

    key: str
    title: str
    width: int
    """Cells; the least width where ``flex`` is set."""
    align: Literal["left", "right"] = "left"
    flex: int = 0
    """Share of the width that is left over."""
    drop: int = 0
    """Columns with the highest number go first where it is narrow; 0 stays always."""
    sort: str = ""
    """Capital letter (shift+letter) that sorts by this column; never G, which goes to the end. Best one of the title's letters."""
    descending: bool = False
    """Direction of the first press: True for figures of which the big ones matter."""
    tree: bool = False
    """Where the row's ``indent`` is drawn."""


class Placed(NamedTuple):
    """A column that is shown: where its cell stands in a row, how wide it is here."""

    column: Column
    at: int
    width: int


GAP = "  "


def place(columns: Sequence[Column], cells: int) -> list[Placed]:
    """The columns that fit ``cells``, with what is left given to the flexible ones."""
    kept = list(range(len(columns)))

    def needed() -> int:
        return sum(columns[at].width for at in kept) + len(GAP) * max(0, len(kept) - 1)

    while needed() > cells and any(columns[at].drop for at in kept):
        kept.remove(max(kept, key=lambda at: (columns[at].drop, at)))
    rest = max(0, cells - needed())
    shares = sum(columns[at].flex for at in kept)
    placed: list[Placed] = []
    for at in kept:
        column = columns[at]
        more = rest * column.flex // shares if shares and column.flex else 0
        shares -= column.flex
        rest -= more
        placed.append(Placed(column, at, column.width + more))
    return placed


def cell_line(row: Row, placed: Placed) -> Line:
    """One cell of ``row``, exactly as wide as its column."""
    cell = row.cells[placed.at] if placed.at < len(row.cells) else None
    if cell is None:
        content: Line = ()
    elif isinstance(cell, str):
        content = line(cell)
    elif isinstance(cell.text, str):
        content = line((cell.text, cell.style))
    else:
        content = restyle(cell.text, cell.style) if cell.style else cell.text
    if placed.column.tree and row.indent:
        content = line((row.indent, "line"), content)
    return fit(content, placed.width, placed.column.align)


def row_line(row: Row, layout: Sequence[Placed]) -> Line:
    """The cells of ``row`` side by side."""
    spans: list[tuple[str, str]] = []
    for index, placed in enumerate(layout):
        if index:
            spans.append((GAP, ""))
        spans += cell_line(row, placed)
    whole = tuple(spans)
    return restyle(whole, row.style) if row.style else whole


def heading(layout: Sequence[Placed], sorted_by: str, descending: bool) -> Line:
    """The titles; the letter that sorts is underlined, the column sorted by carries ▲ or ▼."""
    spans: list[tuple[str, str]] = []
    for index, placed in enumerate(layout):
        column = placed.column
        if index:
            spans.append((GAP, "heading"))
        title = _title(column)
        if column.key == sorted_by:
            arrow = line("▼" if descending else "▲", style="accent")
            title = (*fit(title, min(placed.width - 1, width(title))), *arrow) if placed.width > 1 else arrow
        spans += fit(title, placed.width, column.align, fill="heading")
    return tuple(spans)


def _title(column: Column) -> Line:
    at = column.title.casefold().find(column.sort.casefold()) if column.sort else -1
    if at < 0:
        return line(column.title, style="heading")
    title = column.title
    return line((title[:at], "heading"), (title[at], "heading underline"), (title[at + 1 :], "heading"))


def sort_key(row: Row, at: int) -> tuple[int, Any]:
    """What a row sorts by in column ``at``: numbers before text; see ``missing`` for what has no value."""
    cell = row.cells[at] if at < len(row.cells) else None
    value = cell.sort if isinstance(cell, Cell) and cell.sort is not None else row.text(at)
    if isinstance(value, bool | int | float):
        return (0, value)
    if isinstance(value, str):
        return (1, value.casefold())
    return (2, str(value))


def missing(row: Row, at: int) -> bool:
    """Whether a cell has nothing to sort by: such rows go last, whatever the direction."""
    cell = row.cells[at] if at < len(row.cells) else None
    if isinstance(cell, Cell) and cell.sort is not None:
        return bool(cell.sort != cell.sort)  # NaN
    return row.text(at) in ("", "?")
