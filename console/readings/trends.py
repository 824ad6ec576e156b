"""Short history for sparklines: a row per step, kept by the engine."""

from __future__ import annotations

from console.readings.base import Reading, topic


@topic("trend")
class Trend(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Key: ``database/main/tps`` (pane/subject/series), at most 90 points."""

    unit: str = ""
    step_s: int = 10
    points: dict[int, float] = {}
    """Unix time divided by ``step_s`` → mean in that step, three significant digits. A missing step was not measured."""
