"""A finding in full, with its runbook page below: what ``Enter`` opens."""

from __future__ import annotations

from datetime import datetime

from console.readings import Evidence, Finding
from screens.base import Described
from screens.findings_block import stories
from screens.log_target import log_of
from screens.page import TextPage
from screens.runbook import heading, runbook_lines
from screens.view import View
from widgets.format import age, clock, moment
from widgets.spans import Block, Line, fit, line, wrap
from widgets.verdict import SIGNS, word

LABEL = 9


class FindingScreen(TextPage):
    """Kept up to date; once the finding has closed it says so and keeps what it last knew."""

    name_of_pane = "finding"

    def __init__(self, finding_id: str) -> None:
        super().__init__()
        self._finding_id = finding_id
        self._last: Finding | None = None

    def text(self, view: View, cells: int) -> Block:
        """The finding, then its runbook."""
        found = {finding.id: finding for finding in view.board.findings}
        finding = found.get(self._finding_id)
        if finding is None and self._last is None:
            return [(), line(" ", ("This finding is not open.", "muted"))]
        shown = finding or self._last
        assert shown is not None
        self._last = shown
        return finding_lines(view, shown, cells, closed=finding is None)

    def described(self) -> Described | None:
        """The finding as data."""
        return Described(self._last.title, self._last) if self._last else None

    def log_target(self) -> str:
        """The server or tenant it is about."""
        return log_of(self._last, self.host.view.board)


def finding_lines(view: View, finding: Finding, cells: int, *, closed: bool = False) -> Block:
    """The page as lines."""
    state = "ok" if closed else "unknown" if finding.state == "unknown" else finding.severity
    head = line(" ", word(state) if not closed else line(("✓ CLOSED", "ok")), "  ", (finding.title, "strong"))
    lasted = age((view.now - finding.since).total_seconds())
    rows: Block = [(), *_wrapped(head, cells)]
    rows.append(line((f"   since {clock(finding.since)}, {lasted}  ·  {finding.subject}  ·  {finding.scope}", "muted")))
    rows.append(())
    rows += _answer("felt", finding.impact, cells)
    if finding.affects:
        rows += _answer("by", ", ".join(finding.affects), cells)
    rows += _causes(view, finding, cells)
    rows += _answer("do", finding.action, cells, "accent")
    rows += _evidence(finding.evidence, view.now, cells)
    rows.append(())
    rows.append(line(" ", heading(f"Runbook · {finding.runbook or finding.kind}", cells - 2)))
    rows.append(())
    rows += [line(" ", each) for each in runbook_lines(finding.runbook or finding.kind, min(100, cells - 2))]
    return [fit(each, cells) for each in rows]


def _wrapped(of: Line, cells: int) -> Block:
    return [fit(of, cells)]


def _answer(label: str, text: str, cells: int, style: str = "") -> Block:
    if not text:
        return []
    rows = wrap(text, max(10, min(110, cells - 3 - LABEL)), style)
    return [line((f"   {label if not index else '':<{LABEL}}", "muted"), row) for index, row in enumerate(rows)]


def _causes(view: View, finding: Finding, cells: int) -> Block:
    story = next((each for each in stories(view.board.findings) if each.effect.id == finding.id), None)
    rows: Block = []
    for depth, cause in enumerate(story.causes if story else ()):
        label = "why" if not depth else ""
        rows.append(
            line(
                (f"   {label:<{LABEL}}", "muted"), ("  " * depth + "← ", "muted"), (f"{SIGNS[cause.severity]} ", cause.severity),
                cause.title, (f"  since {clock(cause.since)}", "muted"),
            )
        )  # fmt: skip
    causing = [each for each in view.board.findings if each.caused_by == finding.id]
    for index, effect in enumerate(causing):
        rows += _answer("causes" if not index else "", effect.title, cells)
    return rows


def _evidence(evidence: tuple[Evidence, ...], now: datetime, cells: int) -> Block:
    rows: Block = []
    for index, each in enumerate(evidence):
        label = line((f"   {'seen' if not index else '':<{LABEL}}", "muted"))
        limit = f"   limit {each.threshold}" if each.threshold else ""
        read = f"   read {moment(each.taken_at, now)}" if each.taken_at else ""
        source = f"   {each.source}" if each.source and cells >= 100 else ""
        rows.append(line(label, (f"{each.what}: ", "muted"), (each.value, "strong"), (limit + read + source, "muted")))
        if each.text:
            rows += [
                line(" " * (LABEL + 5), row) for row in wrap(each.text, max(10, cells - LABEL - 6), "accent", limit=4)
            ]
    return rows
