"""From open cases to the list that people read: what explains what, and what need not be said at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.assessment.keeper import Case
from console.assessment.words import listing
from console.readings import Evidence, Finding

PER_KIND = 20
"""Findings of one kind that are listed, so that a thousand bad slots cannot drown the rest."""


def listed(cases: Mapping[str, Case], now: datetime) -> dict[str, Finding]:
    """Findings to show, by id, with causes."""
    visible = {name: case for name, case in cases.items() if case.open and not _kept_back(case, cases, now)}
    visible, left_out = _capped(visible)
    for case in visible.values():
        case.shown = True
    causes = _causes(visible)
    return {name: _finding(case, causes.get(name, ""), left_out.get(name, 0)) for name, case in visible.items()}


def _capped(cases: Mapping[str, Case]) -> tuple[dict[str, Case], dict[str, int]]:
    """At most ``PER_KIND`` of each kind, and by the last one's id how many were left out. Those still count as open."""
    kinds: dict[str, list[Case]] = {}
    for case in cases.values():
        kinds.setdefault(case.kind.name, []).append(case)
    kept: set[str] = set()
    left_out: dict[str, int] = {}
    for found in kinds.values():
        # What people see already stays, as long as nothing worse comes.
        found.sort(key=lambda case: (case.severity != "critical", not case.shown, case.since, case.id))
        kept.update(case.id for case in found[:PER_KIND])
        if len(found) > PER_KIND:
            left_out[found[PER_KIND - 1].id] = len(found) - PER_KIND
    for name, case in cases.items():
        case.shown = case.shown and name in kept
    return {name: case for name, case in cases.items() if name in kept}, left_out


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


def _finding(case: Case, cause: str, left_out: int) -> Finding:
    symptom = case.symptom
    impact, state = symptom.impact, "open"
    more = (Evidence(f"not listed: more {case.kind.name}", f"and {left_out} more"),) if left_out else ()
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
        tenants=symptom.tenants,
        scope=symptom.scope,
        evidence=(*symptom.evidence, *more),
        caused_by=cause,
        runbook=case.kind.name,
        state="unknown" if state == "unknown" else "open",
    )
