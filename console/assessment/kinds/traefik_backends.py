"""What goes through an ingress: backends that do not answer, or late; floods; errors everywhere."""

from __future__ import annotations

import math
from typing import NamedTuple

from console.assessment.ingress import Ingress, Load, felt_by, label, who
from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.words import count, listing, share, short
from console.readings import Evidence, Reading, TraefikConfig, TraefikServer, TraefikService
from console.readings.finding import Severity

_GATEWAY = (502, 503, 504)


@kind("backend-down", "ingress", "warning_share", "least_requests", "after_seconds")
def backend_down(look: Look) -> Said:
    """Behind a tenant's route nothing answers: it has no server, or requests end in 502, 503 or 504."""
    for ingress in look.ingresses.values():
        lost = _without_server(ingress)
        loads = ingress.loads
        for name in {**lost, **loads}:
            subject = ingress.subject(name)
            load = loads.get(name)
            failing = load if load is not None and _fails(look, load, subject) else None
            if name in lost or failing is not None:
                yield _backend_down(look, ingress, name, lost.get(name), failing)


def _without_server(ingress: Ingress) -> dict[str, tuple[TraefikConfig, TraefikService]]:
    """Tenants of whose services one has no server that is up."""
    found: dict[str, tuple[TraefikConfig, TraefikService]] = {}
    for config, service in ingress.services:
        if service.kind == "loadBalancer" and "UP" not in service.servers.values():
            found.setdefault(who(service.tenant, service.name), (config, service))
    return found


def _fails(look: Look, load: Load, subject: str) -> bool:
    failed = load.gateway_requests
    return failed >= look.threshold("backend-down", "least_requests") and failed >= load.requests * look.limit(
        "backend-down", "warning_share", subject
    )


def _backend_down(
    look: Look, ingress: Ingress, name: str, lost: tuple[TraefikConfig, TraefikService] | None, load: Load | None
) -> Symptom:
    users = felt_by(look.environment, [name], f"everybody who opens {short(name)}")
    stands_on: tuple[Reading, ...] = (lost[0],) if lost else load.readings if load else ()
    evidence: list[Evidence] = []
    if lost:
        config, service = lost
        down = [f"{state} {url.partition('://')[2] or url}" for url, state in service.servers.items()]
        evidence.append(fact(config, f"servers of {short(service.name, 60)}", listing(down) or "none"))
        what = "all servers are down" if down else "it has no server"
    else:
        what = "502, 503 or 504"
    if load:
        part = share(load.gateway_requests, load.requests)
        limit = f"{look.threshold('backend-down', 'warning_share'):.0%}"
        evidence.append(fact(load.readings[0], "502, 503, 504", f"{part} of {count(load.requests, 'request')}", limit))
    if row := ingress.wrong(name, *_GATEWAY):
        backend = f", server {row.backend}" if row.backend else ", no server was asked"
        evidence.append(fact(ingress.access, f"{row.status} in the access log", f"{row.count}{backend}", text=row.path))
    return Symptom(
        subject=ingress.subject(name),
        severity="critical",
        title=f"No backend answers for {label(look.environment, name)} behind {ingress.name} ({what})",
        impact=f"{users.words}: every page ends in an error.",
        action="See whether its pods run and are ready (cluster pane), then their log; then the service's selector and port.",
        stands_on=stands_on,
        affects=users.affects,
        tenants=users.tenants,
        scope=users.scope,
        evidence=tuple(evidence),
        causes=look.tenants[name].pods_down if name in look.tenants else (),
        hidden_by=(f"ingress-unreachable:{ingress.name}",),
        after_s=look.threshold("backend-down", "after_seconds"),
    )


@kind(
    "backend-slow", "ingress", "warning_ms", "critical_ms", "times_usual", "least_requests", "slow_requests", "slow_share",
    "after_seconds",
)  # fmt: skip
def backend_slow(look: Look) -> Said:
    """A tenant's requests take far longer than they should, and than they usually do."""
    for ingress in look.ingresses.values():
        for name, load in ingress.loads.items():
            if _is_slow(look, load, ingress.subject(name)):
                yield _backend_slow(look, ingress, name, load)


def _is_slow(look: Look, load: Load, subject: str) -> bool:
    if load.p95_ms is None or load.p50_ms is None:
        return False
    usual = load.usual_p95_ms
    if usual is not None and load.p95_ms < usual * look.limit("backend-slow", "times_usual", subject):
        return False
    tail = load.requests >= look.threshold("backend-slow", "least_requests") and load.p95_ms >= look.limit(
        "backend-slow", "warning_ms", subject
    )
    # Of few requests one slow report makes the 95th percentile: then several must be slow, and a good part of all. Once
    # it is known to be slow, one is enough to say that it still is: who waits asks less.
    fewest = 1 if look.is_open("backend-slow", subject) else look.threshold("backend-slow", "slow_requests")
    many = load.slow >= fewest and load.slow >= load.requests * look.limit("backend-slow", "slow_share", subject)
    return tail or many


def _backend_slow(look: Look, ingress: Ingress, name: str, load: Load) -> Symptom:
    users = felt_by(look.environment, [name], f"everybody who opens {short(name)}")
    assert load.p50_ms is not None
    assert load.p95_ms is not None
    subject = ingress.subject(name)
    severe = load.p50_ms >= look.limit("backend-slow", "critical_ms", subject)
    usual = f"{load.usual_p95_ms / 1e3:.1f} s" if load.usual_p95_ms is not None else "not known yet"
    evidence = [
        fact(load.readings[0], "95th percentile", f"{load.p95_ms / 1e3:.1f} s of {count(load.requests, 'request')}",
             f"{look.threshold('backend-slow', 'warning_ms') / 1e3:g} s"),
        fact(load.readings[0], "slower than a second", f"{load.slow} of {count(load.requests, 'request')}",
             f"{look.threshold('backend-slow', 'slow_share'):.0%}"),
        fact(load.readings[0], "median", f"{load.p50_ms / 1e3:.1f} s"),
        fact(load.readings[0], "usually (95th percentile)", usual),
    ]  # fmt: skip
    if slow := _slowest(ingress, name):
        evidence.append(slow)
    return Symptom(
        subject=subject,
        severity="critical" if severe else "warning",
        title=f"{label(look.environment, name)} answers slowly behind {ingress.name}: p95 over {_stepped(load.p95_ms)}",
        impact=f"{users.words}: pages and saving take seconds; one request in twenty takes over {_stepped(load.p95_ms)}.",
        action="See what its workers wait for: database locks and slow SQL, its pods' CPU and memory, then its log.",
        stands_on=load.readings,
        affects=users.affects,
        tenants=users.tenants,
        scope=users.scope,
        evidence=tuple(evidence),
        causes=(
            f"workers-busy:{name}",
            f"requests-flood:{subject}",
            *(f"lock-waits:{cluster}" for cluster in look.clusters),
            *(f"primary-hung:{cluster}" for cluster in look.clusters),
        ),
        hidden_by=(f"backend-down:{subject}", f"ingress-unreachable:{ingress.name}"),
        after_s=look.threshold("backend-slow", "after_seconds"),
    )


def _floor(value: float) -> float:
    """Down to one digit: a sentence that changes with every look costs every screen a repaint."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(value))
    return math.floor(value / unit + 1e-9) * unit


def _stepped(milliseconds: float) -> str:
    """A latency, down to one digit: ``400 ms``, ``4 s``."""
    floor = _floor(milliseconds)
    return f"{floor:g} ms" if floor < 1000 else f"{floor / 1000:g} s"


def _slowest(ingress: Ingress, name: str) -> Evidence | None:
    rows = ingress.access.slow.values() if ingress.access else ()
    found = [row for row in rows if who(row.tenant, row.router) == name]
    row = max(found, key=lambda row: (row.slowest_ms or 0.0, row.router), default=None)
    if row is None:
        return None
    backend = f", {row.origin_slowest_ms / 1e3:.1f} s of it the backend's" if row.origin_slowest_ms is not None else ""
    return fact(
        ingress.access, "slowest in the access log", f"{(row.slowest_ms or 0) / 1e3:.1f} s{backend}", text=row.path
    )


@kind("requests-flood", "ingress", "warning_per_s", "times_usual", "limited_per_s")
def requests_flood(look: Look) -> Said:
    """A tenant is asked far more often than usual, or so often that Traefik turns requests away (429)."""
    for ingress in look.ingresses.values():
        for name, load in ingress.loads.items():
            subject = ingress.subject(name)
            usual = load.usual_per_s
            many = usual is not None and load.per_s >= max(
                look.limit("requests-flood", "warning_per_s", subject),
                usual * look.limit("requests-flood", "times_usual", subject),
            )
            limited = load.limited_per_s >= look.limit("requests-flood", "limited_per_s", subject)
            if many or limited:
                yield _flood(look, ingress, name, load, limited=limited)


def _flood(look: Look, ingress: Ingress, name: str, load: Load, *, limited: bool) -> Symptom:
    users = felt_by(look.environment, [name], f"everybody who opens {short(name)}")
    usual = f"{load.usual_per_s:.3g}/s" if load.usual_per_s is not None else "not known yet"
    evidence = [
        fact(load.readings[0], "requests", f"{load.per_s:.3g}/s", f"{look.threshold('requests-flood', 'warning_per_s'):g}/s"),
        fact(load.readings[0], "usually", usual),
        fact(load.readings[0], "turned away (429)", f"{load.limited_per_s:.3g}/s", f"{look.threshold('requests-flood', 'limited_per_s'):g}/s"),
    ]  # fmt: skip
    if row := ingress.wrong(name, 429):
        evidence.append(fact(ingress.access, "429 in the access log", f"{row.count}", text=row.path))
    feel = (
        "requests are turned away, those of its own people among them"
        if limited
        else "its workers are taken, and pages wait"
    )
    return Symptom(
        subject=ingress.subject(name),
        severity="warning",
        title=f"Flood of requests to {label(look.environment, name)} at {ingress.name}: over {_floor(load.per_s):g}/s",
        impact=f"{users.words}: {feel}; tenants beside it may slow down.",
        action="See in the access log who sends them; a rateLimit middleware on its route keeps the others safe.",
        stands_on=load.readings,
        affects=users.affects,
        tenants=users.tenants,
        scope=users.scope,
        evidence=tuple(evidence),
    )


@kind("ingress-errors", "ingress", "warning_share", "critical_share", "least_requests")
def ingress_errors(look: Look) -> Said:
    """Requests of more than one tenant end in 5xx: a part of the platform that all of them use is in trouble."""
    for ingress in look.ingresses.values():
        found = _everywhere(look, ingress)
        if found is not None:
            reading, part, names = found.readings[0], found.part, found.names
            severe = part >= look.limit("ingress-errors", "critical_share", ingress.name)
            severity: Severity = "critical" if severe else "warning"
            users = felt_by(look.environment, names, f"everybody behind {ingress.name}")
            yield Symptom(
                subject=ingress.name,
                severity=severity,
                title=f"{part:.0%} of all requests at {ingress.name} end in an error of the server",
                impact=f"{users.words}: pages end in errors.",
                action="Look for what these tenants share: database, cache, a node; the Errors tab says which status and where.",
                stands_on=found.readings,
                affects=users.affects,
                tenants=users.tenants,
                evidence=(
                    fact(reading, "5xx", f"{part:.1%} of {count(found.requests, 'request')}",
                         f"{look.threshold('ingress-errors', 'warning_share'):.0%}"),
                    fact(reading, "of", listing(names) or "routers are not counted apart"),
                ),
                causes=(
                    *(f"no-primary:{cluster}" for cluster in look.clusters),
                    *(f"primary-unreachable:{cluster}" for cluster in look.clusters),
                    *(f"cache-primary-down:{cache}" for cache in look.caches),
                    *(f"backend-down:{ingress.subject(name)}" for name in names),
                ),
                hidden_by=(f"ingress-unreachable:{ingress.name}",),
            )  # fmt: skip


class _Everywhere(NamedTuple):
    """Errors of an ingress that are not one tenant's alone."""

    readings: tuple[TraefikServer, ...]
    part: float
    requests: int
    names: list[str]
    """Whose requests fail, the worst first."""


def _everywhere(look: Look, ingress: Ingress) -> _Everywhere | None:
    """It holds only where it holds without the worst of them too: else it is that one's own finding."""
    readings = tuple(reading for reading in ingress.servers.values() if reading.requests)
    requests = sum(reading.requests or 0 for reading in readings)
    errors = sum((reading.errors_per_s or 0.0) * reading.window_s for reading in readings)
    limit = look.limit("ingress-errors", "warning_share", ingress.name)
    least = look.threshold("ingress-errors", "least_requests")
    if requests < least or errors < limit * requests:
        return None
    loads = ingress.loads
    names = sorted(loads, key=lambda name: (-loads[name].errors_per_s, name))
    if names:
        worst = loads[names[0]]
        spared, left = requests - worst.requests, errors - worst.errors_per_s * worst.window_s
        if spared < least / 2 or left < limit * spared:
            return None
    return _Everywhere(readings, errors / requests, requests, [name for name in names if loads[name].errors_per_s > 0])
