"""What sections are laid out by: three layouts by width, and the parts whose room is known only once they stand."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any, Literal

from textual.containers import Vertical
from textual.screen import Screen

from screens.base import BoardScreen
from widgets.columns import Column
from widgets.lines import Lines

Layout = Literal["small", "middle", "wide"]
MIDDLE_FROM, WIDE_FROM = 100, 150
LEAST_ROWS = 6
"""Rows that the table keeps."""
SIDE = 66
"""Cells of the side of a wide screen."""


@functools.lru_cache(maxsize=64)
def roomy(columns: tuple[Column, ...], cells: int) -> tuple[Column, ...]:
    """The columns for ``cells``: where there is room, text at the end gets a fair share before optional columns come in."""
    if cells < MIDDLE_FROM - 4 or not columns or not columns[-1].flex:
        return columns
    last = columns[-1]
    return (*columns[:-1], replace(last, width=max(last.width, min(40, cells // 5))))


def topology_lines(layout: Layout, height: int) -> int:
    """Lines that the drawing over the sections may take on a screen of ``height``."""
    least, most, rest = {"small": (3, 6, 16), "middle": (4, 8, 20), "wide": (4, 11, 26)}[layout]
    return max(least, min(most, height - rest))


class Sections(Vertical):
    """The left part: tabs, summary, table and what stands below. Its room is known only once it is laid out."""

    def on_resize(self) -> None:
        """Draw for the room there is."""
        _repaint(self.screen)


class Side(Lines):
    """The right part; likewise."""

    def on_resize(self) -> None:
        """Draw for the room there is."""
        _repaint(self.screen)


def _repaint(screen: Screen[Any]) -> None:
    if isinstance(screen, BoardScreen):
        screen.call_later(screen.paint)
