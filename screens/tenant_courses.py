"""The last quarter of an hour of a tenant: pages, queue and requests as charts."""

from __future__ import annotations

from console.readings import Trend
from screens.tenant_group import TenantNow
from screens.view import View
from widgets.format import milliseconds, number, rate
from widgets.spans import Block, box, line
from widgets.spark import chart

_SERIES = (("page", "slowest page", milliseconds), ("requests", "requests", rate), ("waiting", "queued jobs", number))
LEAST = 6
"""Rows of a chart, frame included."""


def courses(view: View, tenant: TenantNow, cells: int, room: int) -> Block:
    """A chart for each series that there is, as high as there is room; none where there is too little."""
    found = [(name, words, trend) for key, name, words in _SERIES if (trend := _trend(view, tenant, key)) is not None]
    found = found[: room // LEAST]
    drawn: Block = []
    for at, (name, words, trend) in enumerate(found):
        height = min(12, room // len(found) + (1 if at < room % len(found) else 0))
        top = words(max(trend.points.values()))
        body = [line(" ", each) for each in chart(trend.points, min(90, cells - 4), height - 2)]
        drawn += box(body, cells, height, name, line((f"15 min, to {top}", "muted")))
    return drawn


def _trend(view: View, tenant: TenantNow, key: str) -> Trend | None:
    trend = view.board.get(Trend, f"application/{tenant.name}/{key}")
    return trend if trend is not None and trend.points else None
