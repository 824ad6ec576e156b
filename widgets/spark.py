"""Sparklines: a series in one line, with gaps where nothing was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from widgets.spans import Line, line

_STEPS = "▁▂▃▄▅▆▇"
"""No full block: rows above each other stay apart."""
GAP = "·"
"""What a step that was not measured reads: neither zero nor a line drawn through."""


def sparkline(
    values: Sequence[float | None], low: float | None = 0.0, high: float | None = None, flat: float = 0.0
) -> str:
    """One character for each value, the lowest step for ``low``, the highest for ``high``; blank before the first.

    ``low``/``high`` None: the least and the greatest value. ``flat``: the least span worth drawing; a series that moves
    by less stays low instead of blowing noise up to full height.
    """
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    bottom = min(known) if low is None else low
    top = max(known) if high is None else high
    span = max(top - bottom, flat) or 1.0
    first = next(at for at, value in enumerate(values) if value is not None)
    return " " * first + "".join(
        GAP if value is None else _STEPS[min(6, max(0, int((value - bottom) / span * 7)))] for value in values[first:]
    )


def steps(points: Mapping[int, float], last: int, count: int) -> list[float | None]:
    """The ``count`` steps that end with ``last`` of a series kept by step number; None where a step is missing."""
    return [points.get(step) for step in range(last - count + 1, last + 1)]


def trend_line(points: Mapping[int, float], cells: int, *, high: float | None = None, flat: float = 0.0) -> Line:
    """The newest ``cells`` steps of a series, ready for a tile; empty where there is none."""
    if not points or cells < 1:
        return ()
    return line((sparkline(steps(points, max(points), cells), high=high, flat=flat), "series"))
