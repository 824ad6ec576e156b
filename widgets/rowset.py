"""The rows of a table: which of them are shown, in what order, and where cursor and view stand. No drawing, no Textual.

The cursor is a key, never an index: whatever moves, it stays on its row, and the row stays where it is on the screen.
Until somebody moves the cursor it follows the first row, so that what comes to the top is in sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from widgets.columns import Column, Key, Row, missing, sort_key


class RowSet:
    """Rows by key, filtered and sorted, with a cursor, marks, and the first row in view."""

    def __init__(self, columns: Sequence[Column], sort: str = "", descending: bool = False) -> None:
        self.columns = tuple(columns)
        self.rows: dict[Key, Row] = {}
        self.order: list[Key] = []
        """Keys of the rows that pass the filter, in the order shown."""
        self.marks: set[Key] = set()
        self.cursor: Key | None = None
        self.top = 0
        """Index of the first row in view."""
        self.filter = ""
        self.sort = sort
        """Key of the column sorted by; empty: as given."""
        self.descending = descending
        self._place: dict[Key, int] = {}
        self._loose = True
        self._words: dict[Key, tuple[Row, str]] = {}
        """What the filter looks at in a row, worked out once: 5,000 rows take a tenth of a second."""
        self._values: dict[Key, tuple[Row, bool, Any]] = {}
        """Likewise what a row sorts by in column ``_values_of``: whether it has nothing, and the value."""
        self._values_of = -1

    @property
    def at(self) -> int:
        """Index of the cursor's row."""
        return self._place.get(self.cursor, 0) if self.cursor is not None else 0

    def index(self, key: Key) -> int | None:
        """Where a row stands; None: it is not shown."""
        return self._place.get(key)

    def take(self, rows: Iterable[Row], height: int) -> None:
        """These rows in place of the last ones; a row equal to its last one stays the same object."""
        fresh = {row.key: row for row in rows}
        for key, row in fresh.items():
            before = self.rows.get(key)
            if before is not row and before is not None and before == row:
                fresh[key] = before
        self.rows = fresh
        self.marks &= fresh.keys()
        for kept in (self._words, self._values):
            if len(kept) > 2 * len(fresh):
                kept.clear()
        self.arrange(height)

    def arrange(self, height: int) -> None:
        """Filter and sort anew; keep the cursor on its row and the row where it is in a view of ``height``."""
        was_at, before = self.at, self.order
        self.order = self._sorted(self._filtered())
        if self.order != before:
            self._place = {key: at for at, key in enumerate(self.order)}
        if not self.order:
            self.top, self.cursor = 0, None
        elif self._loose or self.cursor is None:
            self.top, self.cursor = 0, self.order[0]
        else:
            self._follow(was_at, before, height)

    def _filtered(self) -> list[Key]:
        words = self.filter.casefold().split()
        inverse = bool(words) and words[0].startswith("!")
        if inverse:
            words = [word for word in (words[0][1:], *words[1:]) if word]
        if not words:
            return list(self.rows)
        if inverse:
            return [key for key, row in self.rows.items() if not any(word in self._said(key, row) for word in words)]
        return [key for key, row in self.rows.items() if all(word in self._said(key, row) for word in words)]

    def _said(self, key: Key, row: Row) -> str:
        kept = self._words.get(key)
        if kept is None or kept[0] is not row:
            kept = self._words[key] = (row, row.words)
        return kept[1]

    def _value(self, key: Key, at: int) -> tuple[Row, bool, Any]:
        row, kept = self.rows[key], self._values.get(key)
        if kept is None or kept[0] is not row:
            kept = self._values[key] = (row, missing(row, at), sort_key(row, at))
        return kept

    def _sorted(self, keys: list[Key]) -> list[Key]:
        at = next((index for index, column in enumerate(self.columns) if column.key == self.sort), -1)
        if at < 0:
            return keys
        if self._values_of != at:
            self._values.clear()
            self._values_of = at
        values = {key: self._value(key, at) for key in keys}
        there = [key for key in keys if not values[key][1]]
        there.sort(key=lambda key: values[key][2], reverse=self.descending)
        return there + [key for key in keys if values[key][1]] if len(there) < len(keys) else there

    def _follow(self, was_at: int, before: list[Key], height: int) -> None:
        at = self._place.get(self.cursor) if self.cursor is not None else None
        if at is None:  # its row is gone: the next that is still there, else the last before it
            after = (key for key in before[was_at:] if key in self._place)
            earlier = (key for key in reversed(before[:was_at]) if key in self._place)
            self.cursor = next(after, next(earlier, self.order[0]))
            at = self._place[self.cursor]
        if self.top:
            self.top += at - was_at
        self.keep_in_view(height)

    def keep_in_view(self, height: int) -> None:
        """Scroll as little as shows the cursor's row."""
        height, at = max(1, height), self.at
        self.top = max(0, min(self.top, len(self.order) - height))
        if at < self.top:
            self.top = at
        elif at >= self.top + height:
            self.top = at - height + 1

    def go(self, at: int, height: int) -> None:
        """The cursor on the row at an index, the nearest there is."""
        if self.order:
            self._loose = False
            self.cursor = self.order[max(0, min(at, len(self.order) - 1))]
            self.keep_in_view(height)

    def pin(self) -> None:
        """The cursor's row is meant: it does not follow the first row any more."""
        self._loose = False
