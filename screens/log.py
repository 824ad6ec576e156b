"""The end of a server log, as the engine reads it."""

from __future__ import annotations

import time
from typing import Any, cast

from textual.app import ComposeResult

from console.readings import LogTail
from screens.base import BoardScreen, Table
from screens.page import Title
from screens.view import View
from widgets.columns import Cell, Column, Row
from widgets.format import age
from widgets.spans import Line, fit, line, spread

AGAIN_S = 5.0
"""How often the log is asked for while it is on the screen."""
_BAD = (
    ("PANIC", "critical"),
    ("FATAL", "critical"),
    ("CRITICAL", "critical"),
    ("ERROR", "critical"),
    (" ERR ", "critical"),
    ("WARNING", "warning"),
    (" WRN ", "warning"),
)
"""Words for levels: PostgreSQL's, Python's, and Traefik's."""
_LEVEL_WITHIN = 160
"""Cells from the beginning of a line within which its level stands."""


class LogScreen(BoardScreen):
    """Newest line last; the cursor stays on its line while new ones arrive."""

    name_of_pane = "log"

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = self._first = target
        self._variants: tuple[str, ...] = (target,)
        self._refusal = ""
        self._asked_at = float("-inf")
        self._seen = False

    def body(self) -> ComposeResult:
        """A title and the lines."""
        yield Title(id="title")
        yield Table([Column("text", "", 10, flex=1)], header=False, empty="the log is empty", id="lines")

    def on_unmount(self) -> None:
        """Nobody reads it here any more: the engine need not either."""
        cast("Any", self.app).leave("log", self._target)

    def aside(self, step: int) -> None:
        """Left and right: of a pod the run before its last restart, and its other containers."""
        if len(self._variants) < 2:
            return
        left, at = self._target, self._variants.index(self._target)
        self._target = self._variants[(at + step) % len(self._variants)]
        self._refusal, self._seen, self._asked_at = "", False, float("-inf")
        self.paint()
        cast("Any", self.app).leave("log", left)

    def refused(self, why: str) -> None:
        """The engine would not."""
        self._refusal = why
        self.paint()

    def draw(self, view: View) -> None:
        """What has arrived so far."""
        self._ask(view)
        table = self.query_one("#lines", Table)
        tail = view.board.get(LogTail, self._target)
        if tail is not None and tail.readable:
            self._variants = variants(self._first, tail.containers) if len(self._variants) < 2 else self._variants
        self._title(view, tail, table.size.width)
        if tail is None or not tail.readable:
            style = "muted" if tail is None and not self._refusal else "unknown"
            waiting = "logs are not part of a recording" if view.replay else "asking for the log …"
            table.set_notice((tail.problem if tail else "") or self._refusal or waiting, style)
            return
        table.set_notice("", "")
        table.set_rows(Row(number, (Cell(_level(text)),)) for number, text in sorted(tail.lines.items()))
        if not self._seen and tail.lines:
            self._seen = True
            table.action_last()

    def _ask(self, view: View) -> None:
        now = time.monotonic()
        if now - self._asked_at >= AGAIN_S and not view.lost and view.replay is None and not view.held:
            self._asked_at = now
            cast("Any", self.app).request_log(self._target)

    def _title(self, view: View, tail: LogTail | None, cells: int) -> None:
        if not cells:
            return
        origin = tail.origin if tail else ""
        read = f"   read {age(tail.age_s(view.now))} ago" if tail and tail.age_s(view.now) >= 10 else ""
        ended = f"   {tail.ended}" if tail and tail.ended else ""
        name, _, previous = self._target.partition(" ")[2].partition(" ")
        title = line(
            " ", ("Log of ", "muted"), (name, "title"), (" before the last restart" if previous else "", "warning"),
            (f"   {origin}{read}{ended}", "muted"),
        )  # fmt: skip
        many = len(self._variants)
        others = "  earlier run" if cells >= 80 else ""
        others += ", other containers" if cells >= 110 and many > 2 else ""
        place = f" {self._variants.index(self._target) + 1} of {many}{others} "
        hint = line(("← →", "key"), (place, "muted"))
        self.query_one("#title", Title).put(spread(title, hint, cells) if many > 1 else fit(title, cells))


def variants(target: str, containers: tuple[str, ...]) -> tuple[str, ...]:
    """The logs beside the one of ``target``: of the run before the last restart, and of a pod's other containers."""
    topic = target.partition(" ")[0]
    if topic not in ("kubernetes.pods", "kubernetes.workloads") or target.endswith(" previous"):
        return (target,)
    others = [f"{target}/{name}" for name in containers[1:]] if topic == "kubernetes.pods" else []
    return tuple(each + run for each in (target, *others) for run in ("", " previous"))


def _level(text: str) -> Line:
    """The line with the word of its level in colour: not all of it, or a talkative server paints the screen."""
    head = text[:_LEVEL_WITHIN]
    for word, style in _BAD:
        at = head.find(word)
        if at >= 0:
            return line((text[:at], "muted"), (word, style), text[at + len(word) :])
    return line(text)
