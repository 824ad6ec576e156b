"""The bottom row: the keys that are alive here, or what was just done or asked."""

from __future__ import annotations

from collections.abc import Iterable

from console.actions import Action, written
from widgets.spans import Line, fit, line, width


def key_line(actions: Iterable[Action], cells: int, live: frozenset[str] | None = None) -> Line:
    """``1 Overview  3 Database  …  ? Help``: as many as fit, in the order of their place in the bar."""
    shown = sorted((action for action in actions if action.bar and (live is None or action.id in live)), key=_place)
    parts: dict[str, Line] = {}
    room = cells - 2
    for action in sorted(shown, key=lambda action: (action.id not in _ALWAYS, _place(action))):
        part = line((written(action), "key"), " ", (action.label, "muted"))
        if width(part) + 2 <= room:
            parts[action.id] = part
            room -= width(part) + 2
    whole: list[tuple[str, str]] = [(" ", "")]
    for action in shown:
        if action.id in parts:
            whole += (*parts[action.id], ("  ", ""))
    return fit(tuple(whole), cells)


_ALWAYS = frozenset({"app.help", "app.back"})
"""Where there is room for only a few, these."""


def _place(action: Action) -> int:
    return action.bar
