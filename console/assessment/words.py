"""How findings speak: sizes, spans, lists of names. Plain sentences, bounded length."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

_UNITS = ("B", "kB", "MB", "GB", "TB")
_NAME = 24
"""Characters of a name from outside (database, application, slot) that a sentence carries."""


def size(number: float) -> str:
    """Bytes with a unit, counted by 1024 as PostgreSQL does: ``14.2 MB``."""
    value = float(number)
    for unit in _UNITS:
        if abs(value) < 1024 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or abs(value) >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("the last unit takes every size")


def span(seconds: float) -> str:
    """A length of time in words of one glance: ``45 s``, ``6 min``, ``2 h 10 min``, ``3 d``.

    It steps by 5 s from 20 s on: a sentence that changes with every look costs every screen a repaint.
    """
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole if whole < 20 else whole // 5 * 5} s"
    minutes = whole // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} d"


def share(part: float, whole: float) -> str:
    """``94 %``; ``?`` where there is no whole."""
    return f"{100 * part / whole:.0f} %" if whole > 0 else "?"


def clock(moment: datetime | None) -> str:
    """Time of day in UTC: ``02:41:03Z``."""
    return f"{moment:%H:%M:%S}Z" if moment else "an unknown time"


def short(name: str, limit: int = _NAME) -> str:
    """A name from outside, cut."""
    return name if len(name) <= limit else name[: limit - 1] + "…"


def listing(names: Iterable[str], limit: int = 3) -> str:
    """``a, b and c``; beyond ``limit`` names ``a, b, c and 5 more``."""
    cut = [short(name) for name in names]
    if len(cut) > limit:
        return f"{', '.join(cut[:limit])} and {len(cut) - limit} more"
    if len(cut) <= 1:
        return "".join(cut)
    return f"{', '.join(cut[:-1])} and {cut[-1]}"


def count(number: int, thing: str, things: str = "") -> str:
    """``1 session``, ``14 sessions``."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"
