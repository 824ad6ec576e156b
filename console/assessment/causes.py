"""From open cases to the list that people read: what explains what, and what need not be said at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.assessment.keeper import Case
from console.assessment.words import listing
from console.readings import Finding


def listed(cases: Mapping[str, Case], now: datetime) -> dict[str, Finding]:
    """Findings to show, by id, with causes."""
    visible = {name: case for name, case in cases.items() if case.open and not _kept_back(case, cases, now)}
    for case in visible.values():
        case.shown = True
    causes = _causes(visible)
    return {name: _finding(case, causes.get(name, "")) for name, case in visible.items()}


def _kept_back(case: Case, cases: Mapping[str, Case], now: datetime) -> bool:
    if _hidden(case, cases):
        case.hidden_at = now
        return True
    if case.shown or case.hidden_at is None:
        return False
    if case.closing:  # it was never told, and is going
        return True
    return (now - case.hidden_at).total_seconds() < case.symptom.settle_s


def _hidden(case: Case, cases: Mapping[str, Case]) -> bool:
    if case.blind:
        explained = {
            where for other in cases.values() if other.open and not other.blind for where in other.symptom.covers
        }
        if explained and not explained.isdisjoint(case.stands_on):
            return True
    for name in case.symptom.hidden_by:
        other = cases.get(name)
        # A mere suspicion may keep something back; it never takes away what people have seen already.
        if other is not None and not other.blind and (other.open or not case.shown):
            return True
    return False


def _causes(visible: Mapping[str, Case]) -> dict[str, str]:
    """Finding → the most probable of its possible causes that is there; never in a circle."""
    causes: dict[str, str] = {}
    for name, case in visible.items():
        for cause in case.symptom.causes:
            if cause in visible and not _leads_to(causes, cause, name):
                causes[name] = cause
                break
    return causes


def _leads_to(causes: Mapping[str, str], start: str, goal: str) -> bool:
    at = start
    while at != goal and at in causes:
        at = causes[at]
    return at == goal


def _finding(case: Case, cause: str) -> Finding:
    symptom = case.symptom
    impact, state = symptom.impact, "open"
    if case.blind:
        state = "unknown"
        sources = sorted({f"{where.topic} {where.key}" for where in case.stands_on})
        impact = f"Whether this still holds is not known: {listing(sources, 2)} cannot be read."
    return Finding(
        id=case.id,
        kind=case.kind.name,
        pane=case.kind.pane,
        subject=symptom.subject,
        severity=case.severity,
        loudest=symptom.loudest,
        title=symptom.title,
        impact=impact,
        action=symptom.action,
        since=case.since,
        affects=symptom.affects,
        evidence=symptom.evidence,
        caused_by=cause,
        runbook=case.kind.name,
        state="unknown" if state == "unknown" else "open",
    )
