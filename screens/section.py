"""A section of a screen as data: a table's columns and rows, the lines above it, and the words where it has nothing.

Made by pure functions from the board; shown by a ``LiveTable``. A section that cannot be believed has a notice and no
rows: old values are never shown as current.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from widgets.columns import Cell, Column, Row
from widgets.spans import Line, line

MISSING = float("nan")
"""Sorts last, whatever the direction. One object, since it equals nothing but itself: rows must be able to be equal."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section at one moment."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...] = ()
    summary: tuple[Line, ...] = ()
    """Lines above the table, the most telling first: a small screen shows only the first."""
    notice: str = ""
    """Why there are no rows, where that is not simply because there are none."""
    notice_style: str = "unknown"
    empty: str = "nothing here"
    count: int | None = None
    """Number in the tab; None: none."""
    state: str = ""
    """Style of the tab's number: warning, critical, unknown."""


@dataclass(frozen=True, slots=True)
class Tab:
    """How a section is called: in full, and where it is narrow."""

    key: str
    title: str
    short: str


def unknown(columns: Sequence[Column], notice: str, style: str = "unknown") -> Section:
    """A section that has nothing to show, and says why."""
    return Section(tuple(columns), notice=notice, notice_style=style, state=style)


def number_cell(text: str, value: float | None, style: str = "") -> Cell:
    """A figure: sorts by its value, not by its text; what is not known is muted and goes last."""
    if value is None:
        return Cell(text, "muted", MISSING)
    return Cell(text, style, value)


def fact(label: str, value: str, style: str = "") -> Line:
    """``label value``, the label quiet."""
    return line((label + " ", "muted"), (value, style))
