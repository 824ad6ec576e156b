"""Gauges: a share of a limit, as bar, figure and sign."""

from __future__ import annotations

from widgets.format import bar, percent
from widgets.spans import Line, line


def level(share: float | None, warning: float, critical: float) -> str:
    """State of a share against its two limits: ``ok``, ``warning``, ``critical`` or ``unknown``."""
    if share is None:
        return "unknown"
    return "critical" if share >= critical else "warning" if share >= warning else "ok"


def thin_bar(share: float, cells: int) -> str:
    """A bar that is a line, ``━━━━╸``, in halves of a cell: rows of them do not run together. Above zero it shows."""
    halves = round(min(1.0, max(0.0, share)) * cells * 2)
    if share > 0:
        halves = max(1, halves)
    return ("━" * (halves // 2) + ("╸" if halves % 2 else "")).ljust(cells)


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
