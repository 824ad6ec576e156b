"""Gauges: a share of a limit, as bar, figure and sign."""

from __future__ import annotations

from widgets.format import bar, percent
from widgets.spans import Line, line


def level(share: float | None, warning: float, critical: float) -> str:
    """State of a share against its two limits: ``ok``, ``warning``, ``critical`` or ``unknown``."""
    if share is None:
        return "unknown"
    return "critical" if share >= critical else "warning" if share >= warning else "ok"


def gauge(share: float | None, cells: int, state: str = "ok") -> Line:
    """``▕██████▍   ▏ 71 %``: a bar of ``cells`` cells between marks, the figure, and ▲/■ where it is bad."""
    sign = {"warning": " ▲", "critical": " ■"}.get(state, "")
    look = "series" if state == "ok" else state
    return line(
        ("▕", "line"),
        (bar(share, cells), look),
        ("▏", "line"),
        (percent(share).rjust(5), state if sign else ""),
        (sign, state),
    )
