"""The row of tabs over a table: which sections there are, how much is in each, which one is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from screens.section import Tab
from widgets.spans import Line, fit, line, width


class Badge(NamedTuple):
    """The number at a tab, and its style (``warning``, ``critical``, ``unknown``)."""

    text: str = ""
    style: str = ""


def tab_line(tabs: Sequence[Tab], current: str, badges: Mapping[str, Badge], cells: int) -> Line:
    """The tabs in ``cells``; where it is narrow by their short names, then without harmless numbers, then a part of them."""
    for short, quiet in ((False, True), (False, False), (True, True), (True, False)):
        parts = [_part(tab, tab.key == current, badges.get(tab.key, Badge()), short, quiet) for tab in tabs]
        whole = line(*parts)
        if width(whole) <= cells:
            return fit(whole, cells)
    at = next((index for index, tab in enumerate(tabs) if tab.key == current), 0)
    first, last = at, at + 1
    used = width(parts[at])
    while True:  # widen around the current one while it fits
        if last < len(parts) and used + width(parts[last]) <= cells - 4:
            used += width(parts[last])
            last += 1
        elif first > 0 and used + width(parts[first - 1]) <= cells - 4:
            first -= 1
            used += width(parts[first])
        else:
            break
    before, after = ("‹ " if first else "", "muted"), ("›" if last < len(parts) else "", "muted")
    return fit(line(before, *parts[first:last], after), cells)


def _part(tab: Tab, current: bool, badge: Badge, short: bool, quiet: bool) -> Line:
    name = tab.short if short else tab.title
    number = badge.text if quiet or badge.style else ""
    if current:
        return line((f" {name}{' ' + number if number else ''} ", "badge-mode"))
    return line((f" {name}", "muted"), (f" {number}" if number else "", badge.style or "muted"), " ")
