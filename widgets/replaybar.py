"""The replay bar: where in a recording the screens stand, and whether it plays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from widgets.lines import Lines
from widgets.spans import Line, fit, line, width


def replay_line(
    start: datetime,
    end: datetime,
    at: datetime,
    cells: int,
    *,
    playing: bool = False,
    speed: float = 1.0,
    marks: Sequence[tuple[datetime, str]] = (),
) -> Line:
    """``▶ RECORDED 02:41:07 ├──■──●─────┤ 03:00:00 ×4``: ``marks`` are moments with the state that began then."""
    sign = "▶" if playing else "❚❚"
    head = line(
        (f" {sign} RECORDED ", "badge-mode"), " ", (f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}", "strong"), "  ",
        (f"{start.astimezone(UTC):%H:%M:%S} ", "muted"),
    )  # fmt: skip
    tail = line((f" {end.astimezone(UTC):%H:%M:%S}", "muted"), (f"  ×{speed:g} " if playing else "  ", "accent"))
    room = cells - width(head) - width(tail)
    if room < 10:
        return fit(head, cells)
    return line(head, _track(start, end, at, room, marks), tail)


def _track(start: datetime, end: datetime, at: datetime, cells: int, marks: Sequence[tuple[datetime, str]]) -> Line:
    span = max((end - start).total_seconds(), 1.0)

    def cell(moment: datetime) -> int:
        share = (moment - start).total_seconds() / span
        return min(cells - 1, max(0, round(share * (cells - 1))))

    here = cell(at)
    track: list[tuple[str, str]] = [("━", "accent") if x < here else ("─", "line") for x in range(cells)]
    for moment, state in marks:
        track[cell(moment)] = ({"critical": "■", "warning": "▲", "ok": "✓"}.get(state, "?"), state)
    track[here] = ("●", "accent strong")
    return _merged(track)


def _merged(cells: Sequence[tuple[str, str]]) -> Line:
    """Neighbours of one style as one span."""
    spans: list[tuple[str, str]] = []
    for text, style in cells:
        if spans and spans[-1][1] == style:
            spans[-1] = (spans[-1][0] + text, style)
        else:
            spans.append((text, style))
    return tuple(spans)


class ReplayBar(Lines):
    """The bar as a widget, one row."""

    DEFAULT_CSS = "ReplayBar { height: 1; }"

    def put(
        self,
        start: datetime,
        end: datetime,
        at: datetime,
        *,
        playing: bool,
        speed: float = 1.0,
        marks: Sequence[tuple[datetime, str]] = (),
    ) -> None:
        """Show this place in the recording."""
        self.show([replay_line(start, end, at, self.size.width or 80, playing=playing, speed=speed, marks=marks)])
