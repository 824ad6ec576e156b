"""What tiles of all kinds say in the same way: states, findings about a subject, marks, silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from console.board import Board, pane_state
from console.readings import Finding, Findings, Pane, Reading, State, Trend
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
    """State, age and reason of one tile: the pane's where it is the only one, else judged as if it were."""
    whole = view.state(pane) if alone else pane_state(_only(view.board, pane, subject), pane, view.now, view.lost)
    return whole.state, whole.age_s, whole.why


def _only(board: Board, pane: Pane, subject: str) -> Board:
    """``board`` as if nothing but this subject were watched: its readings, its findings."""
    narrowed = board.copy()
    environment, found = board.environment, board.get(Findings)
    if environment is not None:
        pairs = tuple(pair for pair in environment.panes.get(pane, ()) if _subject(pair) == subject)
        narrowed.put(msgspec.structs.replace(environment, panes={pane: pairs}))
    if found is not None:
        rows = {key: row for key, row in found.rows.items() if row.subject.split("/")[0] == subject}
        narrowed.put(msgspec.structs.replace(found, rows=rows))
    return narrowed


def _subject(pair: str) -> str:
    return pair.partition(" ")[2].split("/")[0]


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
