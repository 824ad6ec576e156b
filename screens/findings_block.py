"""The overview's upper part: is it bad? for whom? why, most probably? what can I do now? In this order, always.

What users feel stands first; below it, indented with ←, what most probably causes it. With little room the worst one
keeps its answers and the others keep their title.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.readings import Evidence, Finding, Pane
from screens.view import View
from widgets.format import age, clock
from widgets.spans import Block, Line, fit, line, spread, width, wrap
from widgets.verdict import SIGNS

LABEL = 7
"""Cells of the labels ``felt``, ``why``, ``do``."""


@dataclass(frozen=True)
class Story:
    """A finding that users feel, and the chain of findings that most probably cause it, the nearest first."""

    effect: Finding
    causes: tuple[Finding, ...]


def stories(findings: Sequence[Finding]) -> list[Story]:
    """Findings as effects with their causes; one that only causes others is not told again by itself."""
    by_id = {finding.id: finding for finding in findings}
    causing = {
        finding.caused_by for finding in findings if finding.caused_by in by_id and finding.caused_by != finding.id
    }
    told = [Story(finding, _chain(finding, by_id)) for finding in findings if finding.id not in causing]
    seen = {finding.id for story in told for finding in (story.effect, *story.causes)}
    return told + [Story(finding, ()) for finding in findings if finding.id not in seen]  # a ring of causes


def _chain(finding: Finding, by_id: dict[str, Finding]) -> tuple[Finding, ...]:
    chain: list[Finding] = []
    at = by_id.get(finding.caused_by)
    while at is not None and at is not finding and at not in chain:
        chain.append(at)
        at = by_id.get(at.caused_by)
    return tuple(chain)


@dataclass(frozen=True)
class Drawn:
    """The block, and which of its rows belong to which finding."""

    lines: Block
    at: dict[str, int]
    """Finding id → its row."""


def draw_findings(view: View, cells: int, height: int, selected: str = "") -> Drawn:
    """At most ``height`` rows of ``cells``; where nothing is wrong, that, and what is watched."""
    told = stories(view.board.findings)
    if not told:
        return Drawn([fit(each, cells) for each in _calm(view, cells)[:height]], {})
    rows: list[tuple[int, str, Line]] = []  # order of importance, finding, line
    for number, story in enumerate(told):
        rows += _story(story, number, view.now, cells, selected)
    kept = _within(rows, height)
    missing = len(told) - len({story.effect.id for story in told} & {of for _, of, _ in kept})
    if missing and kept:
        kept = _within(rows, height - 1)
        missing = len(told) - len({story.effect.id for story in told} & {of for _, of, _ in kept})
        kept.append((0, "", line((f"   and {missing} more: Enter or ↓ shows them", "muted"))))
    at: dict[str, int] = {}
    for y, (_, of, _) in enumerate(kept):
        if of:
            at.setdefault(of, y)
    return Drawn([fit(each, cells) for _, _, each in kept], at)


def _within(rows: Sequence[tuple[int, str, Line]], height: int) -> list[tuple[int, str, Line]]:
    """The most important rows that fit, in the order in which they stand; a sentence that lost its end says so."""
    if len(rows) <= height:
        return list(rows)
    order = sorted(range(len(rows)), key=lambda index: (rows[index][0], index))
    keep = set(order[: max(0, height)])
    kept: list[tuple[int, str, Line]] = []
    for index, (rank, of, row) in enumerate(rows):
        if index in keep:
            goes_on = index + 1 < len(rows) and index + 1 not in keep and _continues(rows[index + 1][2])
            kept.append((rank, of, line(row, ("…", row[-1][1])) if goes_on and row else row))
    return kept


def _continues(row: Line) -> bool:
    """Whether a row is the second of an answer: its label is blank."""
    return bool(row) and len(row[0][0]) == 3 + LABEL and not row[0][0].strip() and row[1][1] != "key"


def _story(story: Story, number: int, now: datetime, cells: int, selected: str) -> list[tuple[int, str, Line]]:
    """Rows of one story with their importance: titles of all, then the answers of the worst, then the rest."""
    effect = story.effect
    first = number == 0
    rank = (0, 1, 3, 2, 5) if first else (4, 6, 8, 7, 9)
    title, felt, why, todo, more = rank
    rows = [(title, effect.id, _title(effect, now, cells, 0, selected))]
    rows += [(felt, effect.id, each) for each in _answer("felt", _impact(effect), cells)]
    for depth, cause in enumerate(story.causes, 1):
        rows.append((felt, cause.id, _title(cause, now, cells, depth, selected)))
        rows += [(more, cause.id, each) for each in _seen(cause, now, cells, 2 + 2 * depth)]
    if not story.causes:
        rows += [(why, effect.id, each) for each in _seen(effect, now, cells, 2)]
    root = story.causes[-1] if story.causes else effect
    if root.action:
        rows += [(todo, effect.id, each) for each in _answer("do", root.action, cells, "accent")]
    if first:
        rows.append((10, "", _KEYS))
    rows.append((11, "", ()))
    return rows


_KEYS: Line = line(
    (" " * (3 + LABEL), ""), ("Enter", "key"), (" evidence and runbook   ", "muted"), ("d", "key"), (" describe   ", "muted"),
    ("l", "key"), (" server log   ", "muted"), ("c", "key"), (" copy", "muted"),
)  # fmt: skip


def _title(finding: Finding, now: datetime, cells: int, depth: int, selected: str) -> Line:
    look = "unknown" if finding.state == "unknown" else finding.severity
    here = finding.id == selected
    sign = line(("▸" if here else " ", "accent"))
    if depth:
        sign = line(sign, ("  " * depth + "← ", "muted"), (f"{SIGNS[look]} ", look))
    else:
        sign = line(sign, (f"{SIGNS[look]} ", look))
    title = line(sign, (finding.title, "strong" if not depth else ""))
    if finding.state == "unknown":
        title = line(title, ("  cannot be read now", "unknown"))
    lasted = (now - finding.since).total_seconds()
    right = line((f"since {clock(finding.since)}", "muted"), (f"  {age(lasted):>9} " if cells >= 72 else " ", "muted"))
    whole = spread(title, right, cells)
    return tuple((text, f"{style} cursor" if style else "cursor") for text, style in whole) if here else whole


def _impact(finding: Finding) -> str:
    if finding.impact:
        return finding.impact
    return f"felt by {', '.join(finding.affects)}" if finding.affects else ""


def _answer(label: str, text: str, cells: int, style: str = "") -> Block:
    """``   felt   Nothing can be read …`` over at most two rows."""
    if not text:
        return []
    rows = wrap(text, max(10, cells - 3 - LABEL - 1), style, limit=2)
    return [line((f"   {label if not index else '':<{LABEL}}", "muted"), row) for index, row in enumerate(rows)]


def _seen(finding: Finding, now: datetime, cells: int, indent: int) -> Block:
    """The evidence: one row each where it is wide, else all in one."""
    if not finding.evidence:
        return []
    if cells >= 110:
        return [
            line((" " * (indent + 1) + f"{'seen' if not index else '':<{LABEL}}", "muted"), _fact(each))
            for index, each in enumerate(finding.evidence[:4])
        ]
    parts: Line = line((" " * (indent + 1) + f"{'seen':<{LABEL}}", "muted"))
    for index, each in enumerate(finding.evidence):
        part = line((" · " if index else "", "line"), _fact(each))
        if index and width(parts) + width(part) > cells - 1:
            break
        parts = line(parts, part)
    return [fit(parts, cells)]


def _fact(evidence: Evidence) -> Line:
    limit = f" (limit {evidence.threshold})" if evidence.threshold and evidence.threshold not in evidence.value else ""
    return line((f"{evidence.what}: ", "muted"), evidence.value, (limit, "muted"))


# -- nothing wrong -------------------------------------------------------------------------------------------------------


_THINGS = {
    "kubernetes": ("Kubernetes cluster", "Kubernetes clusters"),
    "postgres": ("PostgreSQL server", "PostgreSQL servers"),
    "patroni": ("Patroni", "Patronis"),
    "redis": ("cache server", "cache servers"),
    "sentinel": ("Sentinel", "Sentinels"),
    "traefik": ("Traefik", "Traefiks"),
    "odoo.pages": ("tenant", "tenants"),
}


def _calm(view: View, cells: int) -> Block:
    """Nothing wrong, or nothing known: said as such, with what is watched and how fresh it is."""
    environment = view.environment
    if environment is None:
        return [(), line(" ", ("? Nothing is known yet", "unknown strong"))]
    if view.lost:
        said = "Nothing is known now" if view.lost_state != "starting" else "Nothing is known yet"
        return [
            (),
            line(" ", (f"? {said}", "unknown strong"), (": what was read before is not shown as if it were.", "muted")),
        ]
    watched = _watched(environment.panes)
    states = {pane: view.state(pane) for pane in _panes(environment.panes)}
    bad = {pane: state for pane, state in states.items() if state.state not in ("ok", "not-configured")}
    if bad:
        waiting = all("still to come" in state.why for state in bad.values())
        head = "… Looking for the first time" if waiting else "? No finding, but not everything can be read"
        rows: Block = [(), line(" ", (head, "muted" if waiting else "unknown strong"))]
        for pane, state in bad.items():
            name = "tenants" if pane == "application" else pane
            for index, row in enumerate(wrap(state.why or state.state, max(10, cells - 16), limit=2)):
                rows.append(line((f"   {name if not index else '':<11}", "muted"), row))
        return rows
    oldest = max((state.age_s or 0.0 for state in states.values()), default=0.0)
    fresh = next((limit for limit in (5, 10, 30, 60, 120) if oldest <= limit), None)
    said = f"all answered within the last {fresh} s" if fresh else f"the oldest answer is {age(oldest)} old"
    rows = [(), line(" ", ("✓ ", "ok strong"), ("Nothing is wrong", "ok strong"), (" that is watched here.", "muted"))]
    rows += [line("   ", each) for each in wrap(f"Watched: {watched}; {said}.", cells - 4, "muted", limit=2)]
    rows += _recently(view, cells)
    return rows


def _panes(panes: dict[str, tuple[str, ...]]) -> list[Pane]:
    return [pane for pane in panes if panes[pane]]  # type: ignore[misc]


def _watched(panes: dict[str, tuple[str, ...]]) -> str:
    """``3 PostgreSQL servers, 3 Patronis, 2 cache servers and 3 Sentinels``."""
    counts: dict[str, int] = {}
    for pairs in panes.values():
        for pair in pairs:
            topic = pair.partition(" ")[0]
            if topic in _THINGS:
                counts[topic] = counts.get(topic, 0) + 1
    parts = [f"{count} {_THINGS[topic][count != 1]}" for topic, count in counts.items()]
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else "nothing"


def _recently(view: View, cells: int) -> Block:
    """Since when the engine has been watching."""
    environment = view.environment
    if environment is None or environment.started_at is None:
        return []
    since = environment.started_at
    watched = view.now - since
    if watched < timedelta(minutes=1):
        return [fit(line(("   The engine has just started.", "muted")), cells)]
    return [fit(line((f"   This engine has been watching for {age(watched.total_seconds())}.", "muted")), cells)]
