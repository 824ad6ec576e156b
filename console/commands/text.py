"""A summary as text for people: the verdict first, at most as wide as the terminal, coloured only where one looks at it. Pure."""

from __future__ import annotations

import os
import shutil
import textwrap
from datetime import datetime
from typing import TextIO

from console.commands.summary import Summary
from console.readings import Finding
from widgets.format import age, clock
from widgets.spans import plain
from widgets.verdict import SIGNS, WORDS

_COLOURS = {"ok": "32", "warning": "33;1", "critical": "31;1", "unknown": "35;1", "not-configured": "2", "strong": "1"}
MIN_WIDTH, MAX_WIDTH = 40, 100


class Paint:
    """Colours by name where wanted, else nothing."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def __call__(self, style: str, text: str) -> str:
        code = _COLOURS.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if self._wanted and code else text


def painted(stream: TextIO) -> bool:
    """Whether colour is wanted: a terminal that knows some, and no NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int:
    """Columns to write in: the terminal's, within bounds; 80 where there is none."""
    columns = shutil.get_terminal_size((80, 24)).columns if stream.isatty() else 80
    return max(MIN_WIDTH, min(MAX_WIDTH, columns))


def status_lines(summary: Summary, width: int, paint: Paint) -> list[str]:
    """The whole answer."""
    lines = [_headline(summary, paint)]
    if summary.problem:
        lines += indented(summary.problem, width, "  ")
    lines.append("")
    for name, pane in summary.panes.items():
        sign = paint(pane.state, f"{SIGNS[pane.state]} {WORDS[pane.state]:<14}")
        seen = f"oldest reading {age(pane.age_s)}" if pane.age_s is not None else ""
        lines.append(f"  {name:<10} {sign} {seen}".rstrip())
        if pane.why and pane.why != summary.problem:
            lines += indented(pane.why, width, "             ")
    for finding in summary.board.findings:
        lines += ["", *_finding(finding, summary.taken_at, width, paint)]
    if not summary.board.findings and summary.verdict == "ok":
        lines += ["", "  Nothing is wrong."]
    return lines


def _headline(summary: Summary, paint: Paint) -> str:
    marks = [plain(summary.environment)]
    marks += [summary.kind] if summary.kind else []
    marks += [paint("critical", "PRODUCTION")] if summary.production else []
    marks += ["laboratory"] if summary.laboratory else []
    verdict = paint(summary.verdict, f"{SIGNS[summary.verdict]} {WORDS[summary.verdict]}")
    return f"{verdict}  {' · '.join(marks)}  {clock(summary.taken_at)}Z"


def _finding(finding: Finding, now: datetime, width: int, paint: Paint) -> list[str]:
    state = finding.severity if finding.state == "open" else "unknown"
    head = f"  {paint(state, f'{SIGNS[state]} {WORDS[state]}')}  {paint('strong', plain(finding.title))}"
    since = f"since {clock(finding.since)}Z, {age((now - finding.since).total_seconds())}"
    lines = [head, *indented(since, width)]
    if finding.state == "unknown":
        lines += indented("It was open and can no longer be read.", width)
    lines += indented(finding.impact, width)
    for fact in finding.evidence:
        threshold = f" (threshold {fact.threshold})" if fact.threshold else ""
        lines += indented(f"{fact.what}: {fact.value}{threshold}", width, "    - ", "      ")
    if finding.caused_by:
        lines += indented(f"because of {finding.caused_by}", width, "    ← ", "      ")
    lines += indented(finding.action, width, "    → ", "      ")
    return lines


def indented(text: str, width: int, first: str = "    ", others: str = "") -> list[str]:
    """``text`` in lines of at most ``width``; a word that is longer (a path) stays whole, so that it can be copied."""
    return textwrap.wrap(
        plain(text),
        width,
        initial_indent=first,
        subsequent_indent=others or first,
        break_long_words=False,
        break_on_hyphens=False,
    )
