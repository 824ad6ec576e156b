"""Findings as a pane shows them: one line each, a box with impact and action, or a table."""

from __future__ import annotations

from datetime import datetime

from console.board import Board
from console.readings import Address, Finding, believed
from screens.section import Section, number_cell, unknown
from widgets.columns import Cell, Column, Row
from widgets.format import age, short_age
from widgets.spans import Block, Line, box, line, spread, wrap

FINDINGS = (
    Column("severity", "", 10, sort="S"),
    Column("since", "for", 6, "right", sort="F", descending=True),
    Column("title", "finding", 40, flex=2, sort="I"),
    Column("impact", "what users feel", 24, flex=2, drop=1, sort="W"),
    Column("action", "what to do", 24, flex=2, drop=2, sort="D"),
)
_SIGNS = {"critical": "■", "warning": "▲"}


def finding_line(finding: Finding, now: datetime, cells: int, more: int = 0) -> Line:
    """``■ Primary pg-2 of main does not answer        for 8 s  +2``."""
    style = "unknown" if finding.state == "unknown" else finding.severity
    sign = "?" if finding.state == "unknown" else _SIGNS[finding.severity]
    right = line(
        (f"for {age((now - finding.since).total_seconds())}", "muted"),
        (f"  +{more} more" if more > 0 else "", "muted"),
        " ",
    )
    return spread(line(" ", (f"{sign} ", style), (finding.title, style)), right, cells)


def finding_lines(found: list[Finding], now: datetime, cells: int, most: int) -> Block:
    """The worst ``most`` findings in a line each; the first, where it is critical, with what users feel and what to do."""
    drawn: Block = []
    for at, finding in enumerate(found[:most]):
        drawn.append(finding_line(finding, now, cells, len(found) - most if at == most - 1 else 0))
        if at == 0 and finding.severity == "critical" and finding.state == "open":
            drawn += [line("   ", each) for each in wrap(finding.impact, cells - 4, limit=2)]
            drawn += [
                line(" → " if index == 0 else "   ", each, style="accent")
                for index, each in enumerate(wrap(finding.action, cells - 4, "accent", limit=2))
            ]
    return drawn


def _body(found: list[Finding], now: datetime, inner: int, room: int, silent: str) -> Block:
    """Every title, and as much of impact and action as ``room`` lines hold, the worst first."""
    if not found:
        nothing = f"no finding, but {silent}" if silent else "no finding"
        return [line(" ", each) for each in wrap(nothing, inner - 2, "unknown" if silent else "muted")]
    body: Block = []
    for index, finding in enumerate(found):
        left = room - len(body) - (len(found) - index - 1)
        body.append(finding_line(finding, now, inner))
        words = wrap(finding.impact, inner - 5) + wrap(
            f"→ {finding.action}" if finding.action else "", inner - 5, "accent"
        )
        if finding.state == "open" and left > len(words):
            body += [line("   ", each) for each in words]
    return body


def findings_box(found: list[Finding], now: datetime, cells: int, most: int, silent: str = "") -> Block:
    """A box as high as its findings need, at most ``most`` lines."""
    body = _body(found, now, cells - 2, most - 2, silent)
    state = "unknown" if silent else "line"
    if found:
        state = "unknown" if found[0].state == "unknown" else found[0].severity
    return box(body, cells, max(3, min(most, len(body) + 2)), "Findings", style=state)


def finding_row(finding: Finding, now: datetime) -> Row:
    """One finding."""
    style = "unknown" if finding.state == "unknown" else finding.severity
    age_s = (now - finding.since).total_seconds()
    return Row(
        finding.id,
        (
            Cell(
                "? unknown" if finding.state == "unknown" else f"{_SIGNS[finding.severity]} {finding.severity}",
                style,
                finding.severity != "critical",
            ),
            number_cell(short_age(age_s), age_s),
            Cell(finding.title, "strong"),
            Cell(finding.impact),
            Cell(finding.action),
        ),
    )


def findings(found: list[Finding], now: datetime, silent: str = "") -> Section:
    """The open findings of a pane or of a subject. ``silent``: why there may be more that nobody could see."""
    rows = tuple(finding_row(finding, now) for finding in found)
    worst = next((row.cells[0] for row in rows), None)
    state = worst.style if isinstance(worst, Cell) else "unknown" if silent else ""
    if not rows and silent:
        return unknown(FINDINGS, f"no finding, but {silent}")
    return Section(FINDINGS, rows, empty="no finding", count=len(rows) or None, state=state)


def about(board: Board, pane: str, name: str) -> list[Finding]:
    """Open findings of a pane that are about cluster or cache ``name`` or one of its members."""
    return [
        finding
        for finding in board.findings
        if finding.pane == pane and (finding.subject == name or finding.subject.startswith(f"{name}/"))
    ]


def severities(found: list[Finding]) -> dict[str, str]:
    """Subject → the worst severity of its open findings."""
    marks: dict[str, str] = {}
    for finding in reversed(found):  # the worst is first in the list, so it is last here
        if finding.state == "open":
            marks[finding.subject] = finding.severity
    return marks


def silent_words(board: Board, pane: str, name: str, now: datetime) -> str:
    """Of what a finding could not be made, because it cannot be read: ``3 of 18 readings are missing``; empty: of nothing."""
    environment = board.environment
    pairs = environment.panes.get(pane, ()) if environment else ()
    wanted = [Address(*pair.split(" ", 1)) for pair in pairs]
    own = [where for where in wanted if where.key == name or where.key.startswith(f"{name}/")]
    readings = [board.at(where) for where in own]
    missing = sum(
        believed(each, now) is None and (each is None or each.status != "not-configured") for each in readings
    )
    return f"{missing} of {len(own)} readings are missing" if missing else ""
