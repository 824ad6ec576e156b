"""An object of a cluster as YAML, as the API server has it now."""

from __future__ import annotations

import time
from typing import Any, cast

from textual.app import ComposeResult

from console.readings import Description
from screens.base import BoardScreen, Table
from screens.page import Title
from screens.view import View
from widgets.columns import Cell, Column, Row
from widgets.format import clock
from widgets.spans import Line, fit, line, plain

AGAIN_S = 5.0
"""How often the object is asked for while it is on the screen."""


class ObjectScreen(BoardScreen):
    """One object; `/` filters its lines, `c` copies one, `l` shows its log."""

    name_of_pane = "object"

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target
        self._refusal = ""
        self._asked_at = float("-inf")

    def body(self) -> ComposeResult:
        """A title and the lines."""
        yield Title(id="title")
        yield Table([Column("text", "", 10, flex=1)], header=False, empty="it is empty", id="lines")

    def on_unmount(self) -> None:
        """Nobody reads it here any more."""
        cast("Any", self.app).leave("describe", self._target)

    def refused(self, why: str) -> None:
        """The engine would not."""
        self._refusal = why
        self.paint()

    def log_target(self) -> str:
        """Of a pod or a workload."""
        return self._target if self._target.startswith(("kubernetes.pods ", "kubernetes.workloads ")) else ""

    def draw(self, view: View) -> None:
        """What has arrived so far."""
        now = time.monotonic()
        if now - self._asked_at >= AGAIN_S and not view.lost and view.replay is None and not view.held:
            self._asked_at = now
            cast("Any", self.app).request_description(self._target)
        table = self.query_one("#lines", Table)
        found = view.board.get(Description, self._target)
        self._title(found, table.size.width)
        if found is None or not found.readable:
            style = "muted" if found is None and not self._refusal else "unknown"
            waiting = (
                "objects are not part of a recording: d shows what was known"
                if view.replay
                else "asking for the object …"
            )
            table.set_notice((found.problem if found else "") or self._refusal or waiting, style)
            return
        table.set_notice("", "")
        table.set_rows(Row(number, (Cell(yaml_line(text)),)) for number, text in sorted(found.lines.items()))

    def _title(self, found: Description | None, cells: int) -> None:
        if cells:
            title = found.title if found and found.title else self._target.partition(" ")[2]
            read = f"   as of {clock(found.taken_at)}Z" if found and found.readable else ""
            self.query_one("#title", Title).put(fit(line(" ", (title, "title"), (read, "muted")), cells))


def yaml_line(text: str) -> Line:
    """A line of YAML, its key set off from the value."""
    text = plain(text)
    body = text.lstrip(" ")
    lead = text[: len(text) - len(body)]
    dash = "- " if body.startswith("- ") else ""
    key, colon, value = body[len(dash) :].partition(":")
    if not colon or (value and not value.startswith(" ")) or " " in key.strip('"'):
        return line(lead, (dash, "muted"), body[len(dash) :])
    return line(lead, (dash, "muted"), (key + ":", "accent"), value)
