"""The last quarter of an hour of a few figures, as a box of sparklines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from console.readings import Trend
from screens.view import View
from widgets.format import UNKNOWN, age, right
from widgets.spans import Block, Line, box, line
from widgets.spark import sparkline, steps

Figure = tuple[str, str, Callable[[float | None], str]]
"""Label, name of the series, how a value is written."""
LABEL, VALUE = 12, 10
MOST = 90
"""Points that the engine keeps."""
STEP_S = 10


def trend_row(view: View, key: str, label: str, write: Callable[[float | None], str], cells: int) -> Line:
    """``commits       412/s  ▁▂▂▃▅▇``: the newest complete step and those before; steps that were not measured are gaps."""
    trend = view.board.get(Trend, key)
    room = cells - LABEL - VALUE - 3
    if trend is None or trend.step_s <= 0:
        return line((f" {label:<{LABEL}}", "muted"), (right(UNKNOWN, VALUE), "unknown"))
    last = int(view.now.timestamp()) // trend.step_s - 1
    series = steps(trend.points, last, max(1, min(MOST, room)))
    value = series[-1] if series[-1] is not None else series[-2] if len(series) > 1 else None
    known = [each for each in series if each is not None]
    drawn = sparkline(series, low=None, flat=max(known, default=0.0) / 2)
    figure = (right(write(value), VALUE), "" if value is not None else "unknown")
    return line((f" {label:<{LABEL}}", "muted"), figure, "  ", (drawn, "series"))


def trends_box(view: View, pane: str, subject: str, figures: Sequence[Figure], cells: int) -> Block:
    """A line for each figure."""
    rows = [trend_row(view, f"{pane}/{subject}/{name}", label, write, cells - 2) for label, name, write in figures]
    return box(rows, cells, len(rows) + 2, f"Last {age(STEP_S * max(1, min(MOST, cells - LABEL - VALUE - 5)))}")
