"""The clock: the only thing that may write when nothing changes, and then only the digits that changed."""

from __future__ import annotations

from datetime import UTC, datetime

from textual.geometry import Size

from widgets.lines import Lines
from widgets.spans import line


class Clock(Lines):
    """Time of day, UTC: ``02:47:12Z``. ``tick(now)`` repaints the last digit nine times in ten."""

    DEFAULT_CSS = "Clock { width: 9; height: 1; }"

    def tick(self, now: datetime) -> None:
        """Show this moment."""
        self.show([clock_line(now)])

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Nine cells."""
        return 9


def clock_line(now: datetime) -> tuple[tuple[str, str], ...]:
    """``02:47:12Z`` as a line."""
    return line(now.astimezone(UTC).strftime("%H:%M:%SZ"))
