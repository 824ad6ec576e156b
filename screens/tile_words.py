"""What tiles of all kinds say in the same way: states, findings about a subject, marks, silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.board import Board
from console.readings import Finding, Pane, Reading, State, Trend
from screens.tile_drawing import Figure
from screens.trust import silence
from screens.view import View
from widgets.format import short_age


def trend_of(board: Board, pane: str, subject: str, *names: str) -> Trend | None:
    """The first of these series that there is."""
    return next((found for name in names if (found := board.get(Trend, f"{pane}/{subject}/{name}")) is not None), None)


def about(view: View, pane: Pane, subject: str) -> list[Finding]:
    """Open findings about a cluster or cache, or a member of it."""
    return [
        each
        for each in view.board.findings
        if each.pane == pane
        and (each.subject == subject or each.subject.startswith(subject + "/"))
        and each.state == "open"
    ]


def speaks_of(found: Sequence[Finding], *words: str) -> str:
    """Severity of the worst finding whose kind has one of these words; empty: none."""
    return next((each.severity for each in found if any(word in each.kind for word in words)), "")


def marked(value: str, severity: str) -> str:
    """A figure with the sign of what is said of it: ``14 ▲``."""
    return f"{value} {'■' if severity == 'critical' else '▲'}" if severity else value


def tile_state(view: View, pane: Pane, subject: str, alone: bool) -> tuple[State, float | None, str]:
    """State, age and reason of one cluster's tile: the pane's, unless what makes it so belongs to another cluster."""
    whole = view.state(pane)
    if alone or whole.state in ("ok", "not-configured"):
        return whole.state, whole.age_s, whole.why
    found = about(view, pane, subject)
    if found:
        severity: State = found[0].severity
        return severity, whole.age_s, whole.why
    mine = f" {subject}/" in f" {whole.why}" or f" {subject}:" in whole.why or "still to come" in whole.why or view.lost
    return (whole.state if mine else "ok"), whole.age_s, whole.why


def no_primary(found: Sequence[Finding]) -> Figure:
    """What stands in place of all figures that only a primary could give."""
    return Figure("figures", "unknown", found[0].severity if found else "unknown", note="no primary")


def silent(reading: Reading | None, now: datetime, narrow: bool, lost: str) -> str:
    """Why nothing is known of a member; short where it is narrow: the finding has the rest."""
    if reading is not None and reading.status == "unreachable" and lost:
        return "not known"
    if not narrow or reading is None or reading.good_at is None:
        return silence(reading, now)
    return f"no answer {short_age((now - reading.good_at).total_seconds())}"
