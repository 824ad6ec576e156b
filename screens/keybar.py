"""The bottom row: the keys that are alive here, or what was just done or asked."""

from __future__ import annotations

from collections.abc import Iterable

from console.actions import Action, written
from widgets.spans import Line, fit, line, width


def key_line(actions: Iterable[Action], cells: int, live: frozenset[str] | None = None) -> Line:
    """``1 Overview  3 Database  …  ? Help``: as many as fit, in the order of their place in the bar.

    Where not all fit, the panes go without their names, ``1 3 4 panes``: tiles and titles have those, and what can be done
    on this screen is told nowhere else.
    """
    shown = sorted((action for action in actions if action.bar and (live is None or action.id in live)), key=_place)
    parts = {action.id: line((written(action), "key"), " ", (action.label, "muted")) for action in shown}
    if sum(width(part) + 2 for part in parts.values()) > cells - 2:
        parts = _without_names(shown, parts)
    kept: set[str] = set()
    room = cells - 2
    for name in sorted(parts, key=lambda name: name not in _ALWAYS):
        if width(parts[name]) + 2 <= room:
            kept.add(name)
            room -= width(parts[name]) + 2
    whole: list[tuple[str, str]] = [(" ", "")]
    for name, part in parts.items():
        if name in kept:
            whole += (*part, ("  ", ""))
    return fit(tuple(whole), cells)


def _without_names(shown: list[Action], parts: dict[str, Line]) -> dict[str, Line]:
    """The same with the panes' keys together in one part, at the place of the first."""
    panes = [action for action in shown if written(action).isdigit()]
    if len(panes) < 2:
        return parts
    together = line((" ".join(written(action) for action in panes), "key"), " ", ("panes", "muted"))
    others = {action.id for action in panes[1:]}
    return {name: together if name == panes[0].id else part for name, part in parts.items() if name not in others}


_ALWAYS = frozenset({"app.help", "app.back"})
"""Where there is room for only a few, these."""


def _place(action: Action) -> int:
    return action.bar
