"""The load's daily rhythm: how busy a construction company's ERP is at a time of day."""

from __future__ import annotations

import math
from datetime import datetime


def busyness(moment: datetime) -> float:
    """Between 0.35 at four in the morning and 1.0 at four in the afternoon of the given local time; the same for the same time of day."""
    hours = moment.hour + moment.minute / 60 + moment.second / 3600
    return 0.675 + 0.325 * math.sin((hours - 10) / 24 * 2 * math.pi)
