"""A topic of a tenant: what is known of it in one line, and at length where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from screens.tenant_group import Part
from screens.trust import silence_and_why
from widgets.spans import Block, Line, joined, line, width


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic."""

    key: str
    title: str
    parts: tuple[Line, ...]
    """What is said in one line, the most telling first."""
    body: tuple[Line, ...] = ()
    """What follows at length."""
    style: str = ""
    """warning, critical or unknown, where something of it is."""
    tail: Line = ()
    """What one line says last, of what ``body`` says at length."""
    whole: bool = False
    """``body`` says all that ``parts`` say."""

    @property
    def short(self) -> Line:
        """In one line."""
        return joined((*self.parts, self.tail))

    def long(self, cells: int) -> Block:
        """At length, in lines of ``cells``."""
        return list(self.body) if self.whole and self.body else [*flowing(self.parts, cells), *self.body]


def flowing(parts: Sequence[Line], cells: int) -> Block:
    """Parts one after the other, over as many lines as they need; no part is broken unless it is longer than a line."""
    rows: Block = []
    for part in parts:
        if rows and width(rows[-1]) + 2 + width(part) <= cells:
            rows[-1] = line(rows[-1], "  ", part)
        else:
            rows.append(part)
    return rows


def silent_topic(key: str, title: str, part: Part[Any], now: datetime) -> Topic:
    """A topic of which nothing can be read."""
    return Topic(key, title, (line((silence_and_why(part.raw, now), "unknown")),), style="unknown")
