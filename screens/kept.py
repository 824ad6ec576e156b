"""What is costly to work out is kept while what it was made of is the same.

Readings are immutable and keep the objects of rows that did not change, so that "the same" is a matter of identity:
5,000 pods of which three changed cost three rows, and none where nothing changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from widgets.columns import Key, Row
from widgets.format import steps_in

T = TypeVar("T")
Parts = tuple[Any, ...]
"""What something is made of."""


def same(one: Parts, other: Parts) -> bool:
    """Whether two sets of parts are the same objects, or equal plain values: what is large is not compared in depth."""
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        if a is not b and not (isinstance(a, str | int | float | frozenset) and type(a) is type(b) and a == b):
            return False
    return True


class Kept(Generic[T]):
    """The last result of a function."""

    def __init__(self) -> None:
        self._parts: Parts = ()
        self._result: list[T] = []

    def __call__(self, make: Callable[[], T], *parts: Any) -> T:
        """``make()``, or what it gave last where ``parts`` are the same as then."""
        if not self._result or not same(parts, self._parts):
            self._parts, self._result = parts, [make()]
        return self._result[0]


class Made(NamedTuple):
    """A row, by what rows are put in order, and for how long it reads as it does."""

    row: Row
    order: Any
    for_s: float = float("inf")


def reads_for(now: datetime, *moments: datetime | None) -> float:
    """Seconds for which the ages of these moments, as a column writes them, read the same."""
    return min((steps_in((now - each).total_seconds()) for each in moments if each is not None), default=float("inf"))


class _Entry(NamedTuple):
    parts: Parts
    made: Made
    until: float


ROWS_A_SECOND = 500
"""Rows whose ages are looked at in a second: those of 5,000 rows every ten seconds."""


class KeptRows:
    """The rows of a long table, in order."""

    def __init__(self) -> None:
        self._given: Parts = ()
        self._entries: dict[Key, _Entry] = {}
        self._sequence: list[Key] = []
        self._rows: tuple[Row, ...] = ()
        self._at = self._until = 0.0

    def __call__(
        self,
        given: Parts,
        items: Callable[[], Iterable[tuple[Key, Parts]]],
        make: Callable[..., Made],
        now: datetime,
    ) -> tuple[Row, ...]:
        """The same tuple as last time while ``given`` is the same and no age has stepped; else with the same rows where
        a row's parts are equal. ``items``: key and parts of each row; ``make(*parts)``: the row."""
        stamp = now.timestamp()
        if stamp < self._at:  # back in a recording
            self._entries.clear()
        elif self._rows and stamp < self._until and same(given, self._given):
            return self._rows
        entries: dict[Key, _Entry] = {}
        before, moved = self._entries, False
        until = float("inf")
        for key, parts in items():
            entry = before.get(key)
            if entry is None or stamp >= entry.until or parts != entry.parts:
                made = make(*parts)
                moved = moved or entry is None or made.order != entry.made.order
                entry = _Entry(parts, made, stamp + made.for_s)
            entries[key] = entry
            if entry.until < until:
                until = entry.until
        if moved or len(entries) != len(before):
            self._sequence = sorted(entries, key=lambda key: entries[key].made.order)
        self._given, self._entries, self._at = given, entries, stamp
        self._until = max(until, stamp + (len(entries) - ROWS_A_SECOND) / ROWS_A_SECOND)
        self._rows = tuple([entries[key].made.row for key in self._sequence])
        return self._rows
