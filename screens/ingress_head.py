"""What stands over and beside an ingress's sections: its Traefiks drawn, traffic in a line, tenants and ends of certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from console.board import Board
from console.readings import Certificate, Finding, TraefikServer
from screens.database_head import subject_words
from screens.ingress_group import Ingress, Traefik, label_of
from screens.ingress_rows import router_tenant, routers_of
from screens.ingress_state import certificate_state, days_left, days_words
from screens.pane_findings import findings_box, silent_words
from screens.section import fact
from screens.trends import Figure, trends_box
from screens.trust import silence
from screens.view import View
from widgets.format import bar, count, milliseconds, percent, rate, since, size
from widgets.spans import Block, Line, box, fit, joined, line, spread, width
from widgets.topology import Node, Topology

FIGURES: tuple[Figure, ...] = (
    ("requests", "requests", rate),
    ("5xx", "errors", percent),
    ("p50", "p50", milliseconds),
    ("p95", "p95", milliseconds),
    ("connections", "connections", lambda value: "?" if value is None else count(round(value))),
)


# -- in a line ---------------------------------------------------------------------------------------------------------


def whole_rate(servers: Sequence[TraefikServer]) -> float | None:
    """Requests a second of all Traefiks; None where one does not tell."""
    rates = [server.requests_per_s for server in servers]
    return sum(known) if (known := [each for each in rates if each is not None]) and len(known) == len(rates) else None


def whole_errors(servers: Sequence[TraefikServer]) -> float | None:
    """Share of 5xx of all requests; None where nothing is known, or nothing was asked."""
    total = whole_rate(servers)
    return sum(server.errors_per_s or 0.0 for server in servers) / total if total else None


def slowest_p95(servers: Sequence[TraefikServer]) -> float | None:
    """The slowest Traefik's 95th percentile."""
    return max((server.p95_ms for server in servers if server.p95_ms is not None), default=None)


def nearest(ingress: Ingress, now: datetime) -> Certificate | None:
    """The certificate that is worst, or ends first; None: none is known."""
    reading = ingress.certificates.reading
    rows = reading.certificates.values() if reading else ()
    ends = 1e9
    return min(
        rows,
        key=lambda row: (
            certificate_state(row, now).rank,
            ends if (left := days_left(row, now)) is None else left,
            row.host,
        ),
        default=None,
    )


def certificate_words(ingress: Ingress, now: datetime) -> Line:
    """``cert 9 d portal.example.com ▲``."""
    seen = ingress.certificates
    if not seen.configured:
        return line(("certificates not looked at", "muted"))
    row = nearest(ingress, now)
    if row is None:
        why = silence(seen.raw, now) if seen.reading is None else "no name with TLS"
        return line(("certificates ", "muted"), (why, "unknown" if seen.reading is None else "muted"))
    state = certificate_state(row, now)
    sign = {"critical": " ■", "warning": " ▲"}.get(state.style, "")
    if state.rank < 3 and state.words != "runs out":
        return line(("certificate ", "muted"), (f"{state.words} {row.host}{sign}", state.style))
    style = state.style if sign else ""
    return line(("next certificate ends in ", "muted"), (f"{days_words(days_left(row, now))}{sign}", style))


def head_lines(ingress: Ingress, names: list[str], now: datetime, cells: int) -> Block:
    """Its name, how much goes through, how much of it badly, and the nearest end of a certificate."""
    right = subject_words(names, ingress.name)
    parts: list[Line] = [line((ingress.name, "title"))]
    if ingress.metrics:
        errors = whole_errors(ingress.metrics)
        bad = errors is not None and errors >= 0.05
        parts.append(line((rate(whole_rate(ingress.metrics)), "strong")))
        parts.append(fact("5xx", percent(errors) if errors is not None else "none asked", "warning" if bad else ""))
        parts.append(fact("p95", milliseconds(slowest_p95(ingress.metrics))))
    else:
        parts.append(line(("traffic not known", "unknown")))
    parts.append(certificate_words(ingress, now))
    while len(parts) > 2 and width(joined(parts, "   ")) + width(right) + 3 > cells:
        parts.pop()
    return [spread(line(" ", joined(parts, "   ")), right, cells)]


# -- Traefiks drawn ----------------------------------------------------------------------------------------------------


def topology(ingress: Ingress, severities: Mapping[str, str], now: datetime) -> Topology:
    """A box for each Traefik."""
    return Topology(
        tuple(
            _node(ingress, server, severities.get(f"{ingress.name}/{server.name}", ""), now)
            for server in ingress.servers
        )
    )


def _node(ingress: Ingress, server: Traefik, severity: str, now: datetime) -> Node:
    metrics, config = server.metrics.reading, server.config.reading
    facts: list[Line] = []
    if metrics is None:
        why = silence(server.metrics.raw, now)
        state = line((why, severity or "unknown"))
        if server.metrics.raw is not None and server.metrics.raw.problem:
            facts.append(fact("why", server.metrics.raw.problem))
    else:
        state = line((rate(metrics.requests_per_s), severity or ("ok" if metrics.window_s else "unknown")))
        quiet = joined(
            (
                fact("p50", milliseconds(metrics.p50_ms)),
                fact("p95", milliseconds(metrics.p95_ms)),
                fact("p99", milliseconds(metrics.p99_ms)),
            )
        )
        facts.append(quiet if metrics.requests else line(("nothing asked in this window", "muted")))
        opened = sum(metrics.open_connections.values())
        up = since(metrics.started_at, now) if metrics.started_at else "?"
        facts.append(
            joined((fact("connections", count(opened)), fact("memory", size(metrics.memory_bytes)), fact("up", up)))
        )
        taken = since(metrics.reloaded_at, now)
        facts.append(fact("configuration taken", f"{taken} ago" if taken else "never", "" if taken else "warning"))
    failures = server.reloads.reading.failures if server.reloads.reading else {}
    reloaded = metrics.reloaded_at if metrics else None
    notes = [
        line(("▲ ", "warning"), (f"{each.provider}: configuration not taken, {since(each.at, now)} ago", "warning"))
        for each in failures.values()
        if reloaded is None or each.at >= reloaded
    ]
    if config is not None:
        bad = sum(router.state == "disabled" for router in config.routers.values())
        words = line(count(len(config.routers), "router"), (f", {bad} not in force" if bad else "", "critical"))
    else:
        words = line(("routes not known" if server.config.configured else "", "unknown"))
    return Node(
        key=server.name,
        name=line(
            ("? " if metrics is None else "● ", "unknown" if metrics is None else severity or "ok"),
            (server.name, "strong"),
        ),
        role=words,
        state=state,
        corner=f"Traefik {config.version}" if config and config.version else "",
        notes=tuple(notes),
        facts=tuple(facts),
        style=severity or ("line" if metrics is not None else "unknown"),
    )


# -- beside and below --------------------------------------------------------------------------------------------------


def side(view: View, ingress: Ingress, found: list[Finding], tab: str, cells: int, height: int) -> Block:
    """Findings, who is asked most, certificates that end first, trends at the foot."""
    silent = silent_words(view.board, "ingress", ingress.name, view.now)
    trends = trends_box(view, "ingress", ingress.name, FIGURES, cells)
    room = height - len(trends)
    parts = findings_box(found, view.now, cells, max(3, room - 10), silent)
    if room - len(parts) >= 5:
        busy = busiest(view.board, ingress, cells - 4, min(8, room - len(parts) - 2))
        parts += box([line(" ", each) for each in busy], cells, len(busy) + 2, "Asked most")
    if tab != "certificates" and room - len(parts) >= 5:
        ends = ending(view.board, ingress, view.now, cells - 4, min(6, room - len(parts) - 2))
        parts += box([line(" ", each) for each in ends], cells, len(ends) + 2, "Certificates")
    parts += [()] * max(0, room - len(parts))
    return [*parts[:room], *trends]


def busiest(board: Board, ingress: Ingress, cells: int, most: int) -> Block:
    """Tenants, and routers that are nobody's, by requests."""
    if not ingress.metrics:
        return [line(("not known", "unknown"))]
    sums: dict[str, float] = {}
    for name, (router, flow) in routers_of(ingress).items():
        who = router_tenant(ingress, name, router)
        sums[label_of(board, who) if who else name] = sums.get(label_of(board, who) if who else name, 0.0) + (
            flow.per_s or 0.0
        )
    ranked = sorted(((amount, name) for name, amount in sums.items() if amount), key=lambda pair: (-pair[0], pair[1]))[
        :most
    ]
    top = ranked[0][0] if ranked else 1.0
    return [
        line(
            fit(line(name), 18),
            fit(line(rate(amount)), 9, "right"),
            "  ",
            (bar(amount / top, max(4, cells - 30)), "series"),
        )
        for amount, name in ranked
    ] or [line(("nobody is asked", "muted"))]


def ending(board: Board, ingress: Ingress, now: datetime, cells: int, most: int) -> Block:
    """Certificates, the worst and then the nearest end first."""
    reading = ingress.certificates.reading
    if reading is None:
        return [
            line(
                (
                    silence(ingress.certificates.raw, now) if ingress.certificates.configured else "not looked at",
                    "unknown",
                )
            )
        ]
    rows = sorted(
        reading.certificates.values(),
        key=lambda row: (certificate_state(row, now).rank, days_left(row, now) or 0.0, row.host),
    )[:most]
    found = []
    for row in rows:
        state = certificate_state(row, now)
        style = state.style if state.words in ("runs out", "has run out") else ""
        found.append(
            line(
                fit(line(row.host), max(10, cells - 28)),
                fit(line((days_words(days_left(row, now)) if row.not_after else "", style)), 7, "right"),
                "  ",
                (state.words, state.style),
            )
        )
    return found or [line(("no name with TLS", "muted"))]
