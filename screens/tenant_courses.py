"""The last quarter of an hour of a tenant: pages, queue and requests as charts."""

from __future__ import annotations

from collections.abc import Callable

from console.readings import Trend
from screens.tenant_group import TenantNow
from screens.view import View
from widgets.format import milliseconds, number, rate
from widgets.spans import Block, beside, box, line
from widgets.spark import chart

_SERIES = (("page", "slowest page", milliseconds), ("requests", "requests", rate), ("waiting", "queued jobs", number))
LEAST, MOST = 6, 12
"""Rows of a chart, frame included."""
LEAST_CELLS = 60
"""Cells of a chart: with less, they stand above each other."""


def courses(view: View, tenant: TenantNow, cells: int, room: int) -> Block:
    """A chart for each series that there is, as high as there is room; none where there is too little."""
    found = [(name, words, trend) for key, name, words in _SERIES if (trend := _trend(view, tenant, key)) is not None]
    columns = max(1, min(len(found), cells // LEAST_CELLS))
    found = found[: room // LEAST * columns]
    rows = -(-len(found) // columns)
    drawn: Block = []
    for row in range(rows):
        group = found[row * columns : (row + 1) * columns]
        height = min(MOST, room // rows)
        widths = [cells // columns + (1 if at < cells % columns else 0) for at in range(columns)]
        drawn += beside(*(_chart(*each, width, height) for each, width in zip(group, widths, strict=False)))
    return drawn


def _chart(name: str, words: Callable[[float | None], str], trend: Trend, cells: int, height: int) -> Block:
    top = words(max(trend.points.values()))
    body = [line(" ", each) for each in chart(trend.points, min(90, cells - 4), height - 2)]
    return box(body, cells, height, name, line((f"15 min, to {top}", "muted")))


def _trend(view: View, tenant: TenantNow, key: str) -> Trend | None:
    trend = view.board.get(Trend, f"application/{tenant.name}/{key}")
    return trend if trend is not None and trend.points else None
