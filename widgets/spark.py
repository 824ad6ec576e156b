"""Sparklines: a series in one line, with gaps where nothing was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from widgets.spans import Block, Line, line

_STEPS = "▁▂▃▄▅▆▇"
"""No full block: rows above each other stay apart."""
GAP = "·"
"""What a step that was not measured reads: neither zero nor a line drawn through."""


def sparkline(
    values: Sequence[float | None], low: float | None = 0.0, high: float | None = None, flat: float = 0.0
) -> str:
    """One character for each value, the lowest step for ``low``, the highest for ``high``; blank before the first
    and after the last one measured.

    ``low``/``high`` None: the least and the greatest value. ``flat``: the least span worth drawing; a series that moves
    by less stays low instead of blowing noise up to full height.
    """
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    bottom = min(known) if low is None else low
    top = max(known) if high is None else high
    span = max(top - bottom, flat) or 1.0
    measured = [at for at, value in enumerate(values) if value is not None]
    first, last = measured[0], measured[-1]
    drawn = "".join(
        GAP if value is None else _STEPS[int(min(6.0, max(0.0, (value - bottom) / span * 7)))]
        for value in values[first : last + 1]
    )
    return " " * first + drawn + " " * (len(values) - last - 1)


def steps(points: Mapping[int, float], last: int, count: int) -> list[float | None]:
    """The ``count`` steps that end with ``last`` of a series kept by step number; None where a step is missing."""
    return [points.get(step) for step in range(last - count + 1, last + 1)]


SHIFT = 6
"""Steps by which a long course moves to the left at once: in between only its newest step is drawn."""


def window(points: Mapping[int, float], cells: int) -> list[float | None]:
    """The newest steps of a series kept by step number, for ``cells`` columns; None where a step is missing or to come.

    A long course leaves up to five columns free at the right and fills them step by step, so that it is drawn anew once
    a minute instead of each time a step arrives.
    """
    last = max(points)
    if cells >= 5 * SHIFT:
        last += SHIFT - 1 - last % SHIFT
    return steps(points, last, cells)


def trend_line(points: Mapping[int, float], cells: int, *, high: float | None = None, flat: float = 0.0) -> Line:
    """The newest ``cells`` steps of a series, ready for a tile; empty where there is none."""
    if not points or cells < 1:
        return ()
    return line((sparkline(window(points, cells), high=high, flat=flat), "series"))


def chart(points: Mapping[int, float], cells: int, rows: int, *, high: float | None = None) -> Block:
    """The newest ``cells`` steps as columns over ``rows`` rows, from zero to ``high`` (None: the greatest value)."""
    if not points or cells < 1 or rows < 1:
        return []
    values = window(points, cells)
    top = max(high or 0.0, max((value for value in values if value is not None), default=0.0)) or 1.0
    eighths = [None if value is None else round(max(0.0, value) / top * rows * 8) for value in values]
    return [line((_chart_row(eighths, rows - 1 - row), "chart")) for row in range(rows)]


def _chart_row(eighths: Sequence[int | None], floor: int) -> str:
    """One row of a chart, ``floor`` rows above the ground; on the ground anything measured shows."""
    cells = []
    for value in eighths:
        here = 0 if value is None else min(8, max(0, value - floor * 8))
        if value is not None and floor == 0:
            here = max(1, here)
        cells.append(" ▁▂▃▄▅▆▇█"[here])
    return "".join(cells)
