"""How a router, a service or a certificate is, in a word or two, and the style: findings first, and unknown is never green."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from console.readings import Certificate, Finding, TraefikRouter, TraefikService
from screens.ingress_group import Flow
from widgets.format import short_age

WARNING_DAYS, CRITICAL_DAYS = 21, 3
"""Days left from which a certificate is yellow and red; the finding has its own thresholds."""
OLD_S = 300
"""A certificate that nobody has seen for so long (seconds) is not known any more."""

_WORDS = {
    "backend-down": "no backend",
    "backend-slow": "slow",
    "requests-flood": "flood",
    "middleware-missing": "no middleware",
    "router-broken": "broken",
}
_OF_BACKENDS = ("no backend", "slow", "flood")
_OF_CERTIFICATES = {"cert-expiring": "cert ends", "cert-wrong-host": "wrong cert", "cert-untrusted": "bad cert"}


class State(NamedTuple):
    """Rank (the worst first), words, style."""

    rank: int
    words: str
    style: str


_RANKS = {"critical": 0, "warning": 1}


def found_states(found: Iterable[Finding]) -> dict[str, State]:
    """Who a finding is about (tenant, or router without one) → the worst that is said of its routes."""
    states: dict[str, State] = {}
    for finding in found:
        words = _WORDS.get(finding.kind) or _OF_CERTIFICATES.get(finding.kind)
        if words is None or finding.state != "open":
            continue
        named = finding.tenants if finding.kind in _OF_CERTIFICATES else (finding.subject.partition("/")[2],)
        for who in named:
            states.setdefault(who, State(_RANKS[finding.severity], words, finding.severity))
    return states


def router_state(
    router: TraefikRouter | None, flow: Flow, said: Mapping[str, State], who: str, *, told: bool, counted: bool
) -> State:
    """``told``: the API says what is in force; ``counted``: metrics say what goes through."""
    if router is not None and router.state == "disabled":
        return State(0, "not in force", "critical")
    if who in said:
        return said[who]
    if router is not None and (router.problems or router.state == "warning"):
        return State(1, "in part", "warning")
    if told and router is None:
        return State(3, "removed", "muted")
    if not counted or (not told and flow.requests is None):
        return State(2, "not known", "unknown")
    if flow.requests is None:
        return State(4, "first look", "unknown")
    if not flow.requests:
        return State(5, "quiet", "muted")
    return State(4, "ok", "ok")


def service_state(service: TraefikService, said: Mapping[str, State], who: str) -> State:
    """By its servers."""
    up = sum(state == "UP" for state in service.servers.values())
    if service.state == "disabled" or service.problems:
        return State(0, "not in force", "critical")
    if not service.used_by:
        return State(6, "not used", "muted")
    if service.kind == "loadBalancer" and not service.servers:
        return State(0, "no server", "critical")
    if service.servers and not up:
        return State(0, "all down", "critical")
    if who in said and said[who].words in _OF_BACKENDS:
        return said[who]
    if up < len(service.servers):
        return State(1, f"{len(service.servers) - up} down", "warning")
    if not service.servers:
        return State(4, "", "")
    return State(4, "up", "ok") if service.checked else State(4, "not checked", "muted")


def certificate_state(row: Certificate, now: datetime) -> State:
    """By trust, name and time; a certificate that was not seen lately is not known."""
    if row.problem:
        return State(0, row.problem, "critical")
    if row.seen_at is None:
        return State(2, "not seen yet", "unknown")
    seen_s = (now - row.seen_at).total_seconds()
    if seen_s > OLD_S:
        return State(2, f"seen {short_age(seen_s)} ago", "unknown")
    if row.default:
        return State(0, "Traefik's default", "critical")
    if row.matches is False:
        return State(0, "for other names", "critical")
    if row.trusted is False:
        return State(0, "not trusted", "critical")
    left = days_left(row, now)
    if row.not_before is not None and row.not_before > now:
        return State(0, "not valid yet", "critical")
    if left is None or row.trusted is None or row.matches is None:
        return State(2, "not known", "unknown")
    if left <= 0:
        return State(0, "has run out", "critical")
    if left < WARNING_DAYS:
        severe = left < CRITICAL_DAYS
        return State(0 if severe else 1, "runs out", "critical" if severe else "warning")
    return State(4, "ok", "ok")


def days_left(row: Certificate, now: datetime) -> float | None:
    """Days until it ends; negative once it has."""
    return None if row.not_after is None else (row.not_after - now).total_seconds() / 86_400


def days_words(days: float | None) -> str:
    """``9 d``, ``21 h``, ``ended``."""
    if days is None:
        return "?"
    if days <= 0:
        return "ended"
    return f"{int(days)} d" if days >= 2 else f"{int(days * 24)} h"
