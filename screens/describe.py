"""Describe: any row or reading as plain text that reads like YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from textual.app import ComposeResult

from screens.base import BoardScreen, Described, Table
from screens.page import Title
from screens.view import View
from widgets.columns import Cell, Column, Row
from widgets.format import age
from widgets.spans import Line, fit, line, plain, wrap

MOST_ROWS = 5000
"""A description longer than this ends in a sentence that says so."""


class DescribeScreen(BoardScreen):
    """One thing, as it was when it was opened; `/` filters, `c` copies a line."""

    name_of_pane = "describe"

    def __init__(self, described: Described) -> None:
        super().__init__()
        self._described = described
        self._at: datetime | None = None
        self._for = (-1, -1)

    def body(self) -> ComposeResult:
        """A title and the lines."""
        yield Title(id="title")
        yield Table([Column("text", "", 10, flex=1)], header=False, empty="nothing is known", id="lines")

    def draw(self, view: View) -> None:
        """Made once for each width: it stands still."""
        table = self.query_one("#lines", Table)
        cells = table.size.width
        self._at = self._at or view.now
        if not cells or self._for == (cells, 0):
            return
        self._for = (cells, 0)
        title = line(" ", (self._described.title, "title"), (f"   as of {self._at:%H:%M:%SZ}", "muted"))
        self.query_one("#title", Title).put(fit(title, cells))
        rows = []
        for number, each in enumerate(yaml_lines(self._described.content, self._at, max(20, cells - 4))):
            if number == MOST_ROWS:
                rows.append(Row(number, (Cell("… and more", "muted"),)))
                break
            rows.append(Row(number, (Cell(each),)))
        table.set_rows(rows)


def yaml_lines(content: Any, now: datetime, cells: int, indent: int = 0) -> Iterator[Line]:
    """``content`` as lines: structs and maps as ``key: value``, empty fields left out, long text wrapped."""
    if isinstance(content, msgspec.Struct):
        content = {name: getattr(content, name) for name in content.__struct_fields__}
        content = {name: value for name, value in content.items() if value not in (None, "", (), {}, [])}
    pad = "  " * indent
    if isinstance(content, Mapping):
        for key, value in content.items():
            if _nested(value):
                yield line(pad, (f"{key}:", "accent"))
                yield from yaml_lines(value, now, cells, indent + 1)
            else:
                yield from _pair(pad, f"{key}: ", value, now, cells)
    elif isinstance(content, list | tuple | set | frozenset):
        for value in content:
            if _nested(value):
                yield line(pad, ("-", "muted"))
                yield from yaml_lines(value, now, cells, indent + 1)
            else:
                yield from _pair(pad, "- ", value, now, cells)
    else:
        yield from _pair(pad, "", content, now, cells)


def _nested(value: Any) -> bool:
    return isinstance(value, msgspec.Struct | Mapping | list | tuple | set | frozenset) and bool(value)


def _pair(pad: str, key: str, value: Any, now: datetime, cells: int) -> Iterator[Line]:
    text, note = _scalar(value, now)
    head = line(pad, (key, "accent" if key != "- " else "muted"))
    room = max(12, cells - len(pad) - len(plain(key)))
    if len(text) <= room and "\n" not in text:
        yield line(head, text, (f"   {note}" if note else "", "muted"))
        return
    yield line(head, ("|", "muted"))
    for paragraph in text.splitlines() or [""]:
        yield from (line(pad, "    ", each) for each in wrap(paragraph, max(10, cells - len(pad) - 4)) or [()])


def _scalar(value: Any, now: datetime) -> tuple[str, str]:
    if isinstance(value, datetime):
        away = (now - value).total_seconds()
        return f"{value:%Y-%m-%d %H:%M:%S}Z", f"{age(away)} ago" if away >= 0 else f"in {age(-away)}"
    if isinstance(value, bool):
        return ("yes" if value else "no"), ""
    if isinstance(value, float):
        return f"{value:.6g}", ""
    if value is None:
        return "not known", ""
    return str(value), ""
