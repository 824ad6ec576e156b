"""An ingress's readings as rows: routers, services, middlewares, certificates, entry points, errors. Worst first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.board import Board
from console.readings import AccessRow, Certificate, TraefikMiddleware, TraefikRouter, TraefikService, Traffic
from screens.ingress_group import NO_FLOW, Flow, Ingress, Seen, flow_of, label_of
from screens.ingress_state import State, certificate_state, days_left, days_words, router_state, service_state
from screens.section import MISSING, Section, fact, number_cell, unknown
from screens.trust import silence_and_why
from widgets.columns import Cell, Column, Row
from widgets.format import UNKNOWN, count, milliseconds, number, percent, rate, since
from widgets.spans import Line, joined, line

ROUTERS = (
    Column("tenant", "tenant", 10, flex=1, sort="T"),
    Column("host", "host", 20, flex=2, sort="H"),
    Column("rate", "rate", 7, "right", sort="R", descending=True),
    Column("usual", "usual", 7, "right", drop=3, sort="U", descending=True),
    Column("errors", "5xx", 5, "right", sort="X", descending=True),
    Column("p50", "p50", 7, "right", drop=4, sort="M", descending=True),
    Column("p95", "p95", 7, "right", sort="P", descending=True),
    Column("usual95", "usual", 7, "right", drop=2, sort="L", descending=True),
    Column("p99", "p99", 7, "right", drop=5, sort="N", descending=True),
    Column("state", "state", 13, sort="S"),
    Column("router", "router", 20, flex=1, drop=6, sort="O"),
)
SERVICES = (
    Column("tenant", "tenant", 10, flex=1, sort="T"),
    Column("name", "service", 24, flex=2, sort="S"),
    Column("up", "up", 6, "right", sort="U"),
    Column("state", "state", 12, sort="A"),
    Column("rate", "rate", 7, "right", sort="R", descending=True),
    Column("errors", "5xx", 5, "right", sort="X", descending=True),
    Column("p95", "p95", 7, "right", drop=1, sort="P", descending=True),
    Column("kind", "kind", 12, drop=3, sort="K"),
    Column("servers", "servers", 20, flex=2, drop=2, sort="E"),
)
MIDDLEWARES = (
    Column("name", "middleware", 30, flex=2, sort="M"),
    Column("kind", "kind", 16, sort="K"),
    Column("state", "state", 13, sort="S"),
    Column("used", "used by", 7, "right", sort="U", descending=True),
    Column("why", "what Traefik says", 20, flex=2, drop=1, sort="W"),
)
CERTIFICATES = (
    Column("tenant", "tenant", 10, drop=2, sort="T"),
    Column("host", "host", 22, flex=2, sort="H"),
    Column("left", "left", 6, "right", sort="L"),
    Column("state", "state", 17, sort="S"),
    Column("ends", "ends (UTC)", 16, drop=3, sort="E"),
    Column("chain", "chain", 10, drop=1, sort="C"),
    Column("names", "made out to", 20, flex=1, drop=5, sort="M"),
    Column("issuer", "issuer", 18, flex=1, drop=1, sort="I"),
    Column("seen", "seen", 7, "right", drop=4, sort="N"),
)
ENTRY_POINTS = (
    Column("server", "Traefik", 12, sort="T"),
    Column("name", "entry point", 14, flex=1, sort="E"),
    Column("open", "open", 6, "right", sort="O", descending=True),
    Column("rate", "rate", 7, "right", sort="R", descending=True),
    Column("usual", "usual", 7, "right", drop=2, sort="U", descending=True),
    Column("errors", "5xx", 5, "right", sort="X", descending=True),
    Column("limited", "429", 7, "right", drop=3, sort="I", descending=True),
    Column("p50", "p50", 7, "right", drop=1, sort="M", descending=True),
    Column("p95", "p95", 7, "right", sort="P", descending=True),
    Column("p99", "p99", 7, "right", drop=4, sort="N", descending=True),
)
ERRORS = (
    Column("status", "status", 6, sort="S"),
    Column("count", "count", 6, "right", sort="C", descending=True),
    Column("tenant", "tenant", 10, sort="T"),
    Column("last", "last", 6, "right", sort="L"),
    Column("by", "answered by", 12, sort="A"),
    Column("slowest", "slowest", 7, "right", drop=1, sort="O", descending=True),
    Column("backend", "backend", 20, drop=2, sort="B"),
    Column("path", "newest request", 18, flex=2, sort="N"),
    Column("router", "router", 20, flex=1, drop=3, sort="R"),
)
_MIN_FOR_SHARE = 20
"""Requests from which a share of errors is coloured."""


# -- cells -------------------------------------------------------------------------------------------------------------


def tenant_cell(board: Board, tenant: str) -> Cell:
    """What people call a tenant."""
    return Cell(label_of(board, tenant), "") if tenant else Cell("", "muted")


def latency_cell(amount: float | None, over: float | None = None, style: str = "") -> Cell:
    """A quantile; ``>5 s`` where all that is known is that it lies beyond the last bucket."""
    if amount is None:
        return Cell("", "", MISSING)
    more = ">" if over is not None and amount >= over else ""
    return number_cell(f"{more}{milliseconds(amount)}", amount, style)


def share_cell(flow: Flow) -> Cell:
    """Share of 5xx; quiet where there is none."""
    share = flow.error_share
    if share is None:
        return Cell("", "", MISSING)
    many = (flow.requests or 0) >= _MIN_FOR_SHARE
    style = "critical" if many and share >= 0.5 else "warning" if many and share >= 0.05 else ""
    return number_cell(percent(share), share, style or ("muted" if not share else ""))


def rate_cell(amount: float | None, style: str = "") -> Cell:
    """Requests a second."""
    return Cell(UNKNOWN, "unknown", MISSING) if amount is None else number_cell(rate(amount), amount, style)


def _p95(flow: Flow) -> Cell:
    slow = flow.p95_ms is not None and flow.usual_p95_ms is not None and (flow.requests or 0) >= _MIN_FOR_SHARE
    odd = slow and flow.p95_ms >= max(500.0, 3 * flow.usual_p95_ms)  # type: ignore[operator]
    return latency_cell(flow.p95_ms, flow.over_ms, "warning" if odd else "")


def _silent(seen: Seen, now: datetime, what: str) -> str:  # type: ignore[type-arg]
    return f"{what}: {silence_and_why(seen.raw, now)}"


def why_not(ingress: Ingress, part: str, now: datetime) -> str:
    """Why nothing is known of a part of every Traefik: ``metrics`` or ``config``."""
    seen = [getattr(server, part) for server in ingress.servers]
    if not any(each.configured for each in seen):
        return "the environment file names no `api:` of this ingress" if part == "config" else "not configured"
    return next((_silent(each, now, server.name) for server, each in zip(ingress.servers, seen, strict=True)), "")


# -- routers -----------------------------------------------------------------------------------------------------------


def routers_of(ingress: Ingress) -> dict[str, tuple[TraefikRouter | None, Flow]]:
    """Every router that is in force or has traffic; of the same name on several Traefiks the worst."""
    known: dict[str, TraefikRouter] = {}
    for config in ingress.configs:
        for name, router in config.routers.items():
            if name not in known or router.state == "disabled":
                known[name] = router
    counted: dict[str, list[Traffic]] = {}
    for metrics in ingress.metrics:
        for name, row in metrics.routers.items():
            counted.setdefault(name, []).append(row)
    empty = Flow(0, 0.0, 0.0, 0.0) if ingress.metrics and all(m.window_s > 0 for m in ingress.metrics) else NO_FLOW
    return {
        name: (known.get(name), flow_of(counted[name]) if name in counted else empty) for name in {**known, **counted}
    }


def router_tenant(ingress: Ingress, name: str, router: TraefikRouter | None) -> str:
    """Whose it is."""
    if router is not None:
        return router.tenant
    return next((row.tenant for metrics in ingress.metrics if (row := metrics.routers.get(name))), "")


def routers(board: Board, ingress: Ingress, said: Mapping[str, State], now: datetime) -> Section:
    """Routers with what goes through them."""
    if not ingress.configs and not ingress.metrics:
        return unknown(ROUTERS, why_not(ingress, "metrics", now))
    told, untold = bool(ingress.configs), any("routers" in metrics.untold for metrics in ingress.metrics)
    counted = bool(ingress.metrics) and not untold
    ordered: list[tuple[tuple[object, ...], Row]] = []
    for name, (router, flow) in routers_of(ingress).items():
        tenant = router_tenant(ingress, name, router)
        state = router_state(router, flow, said, tenant or name.partition("@")[0], told=told, counted=counted)
        row = router_row(board, name, router, flow, tenant, state, counted=counted)
        ordered.append(((state.rank, -(flow.errors_per_s or 0), -(flow.per_s or 0), name), row))
    rows = tuple(row for _, row in sorted(ordered, key=lambda pair: pair[0]))
    if not rows and not told:
        setting = next((metrics.untold["routers"] for metrics in ingress.metrics if "routers" in metrics.untold), "")
        return unknown(
            ROUTERS, f"routers are not counted apart: set {setting}" if setting else why_not(ingress, "config", now)
        )
    bad = sum(order[0] < 2 for order, _ in ordered)  # type: ignore[operator]
    return Section(
        ROUTERS,
        rows,
        _router_words(ingress, untold=untold, now=now),
        empty="no router is in force",
        count=bad or len(rows),
    )


def router_row(
    board: Board, name: str, router: TraefikRouter | None, flow: Flow, tenant: str, state: State, *, counted: bool
) -> Row:
    """One router."""
    hosts = router.hosts if router else ()
    host = hosts[0] + (f" +{len(hosts) - 1}" if len(hosts) > 1 else "") if hosts else router.rule if router else ""
    style = state.style if state.words == "flood" else ""
    return Row(
        name,
        (
            tenant_cell(board, tenant),
            Cell(host or name, "" if hosts else "muted"),
            rate_cell(flow.per_s if counted else None, style),
            number_cell(rate(flow.usual_per_s), flow.usual_per_s, "muted")
            if flow.usual_per_s is not None
            else Cell("", "", MISSING),
            share_cell(flow),
            latency_cell(flow.p50_ms, flow.over_ms),
            _p95(flow),
            latency_cell(flow.usual_p95_ms, None, "muted"),
            latency_cell(flow.p99_ms, flow.over_ms),
            Cell(state.words, state.style, state.rank),
            Cell(name, "muted"),
        ),
    )


def _router_words(ingress: Ingress, *, untold: bool, now: datetime) -> tuple[Line, ...]:
    """What of this is not known, and of how long an interval it is."""
    parts: list[Line] = []
    if not ingress.metrics:
        parts.append(line((f"no traffic is known: {why_not(ingress, 'metrics', now)}", "unknown")))
    elif untold:
        setting = next(m.untold["routers"] for m in ingress.metrics if "routers" in m.untold)
        parts.append(line(("routers are not counted apart: set ", "unknown"), (setting, "strong")))
    else:
        window = max(metrics.window_s for metrics in ingress.metrics)
        parts.append(fact("over the last", f"{window:.0f} s") if window else line(("first look", "unknown")))
    if not ingress.configs:
        parts.append(line((f"rules are not known: {why_not(ingress, 'config', now)}", "unknown")))
    return (joined(parts, "   "),)


# -- services, middlewares ---------------------------------------------------------------------------------------------


def services(board: Board, ingress: Ingress, said: Mapping[str, State], now: datetime) -> Section:
    """Services with their servers."""
    if not ingress.configs:
        return unknown(SERVICES, why_not(ingress, "config", now))
    found: dict[str, TraefikService] = {}
    for config in ingress.configs:
        for name, service in config.services.items():
            before = found.get(name)
            # Each Traefik checks by itself: the one that sees fewest servers up is shown.
            if before is None or _up(service) < _up(before):
                found[name] = service
    ordered = []
    for name, service in found.items():
        state = service_state(service, said, service.tenant or name.partition("@")[0])
        flow = flow_of([row for metrics in ingress.metrics if (row := metrics.services.get(name))])
        ordered.append(
            (
                (state.rank, -(flow.errors_per_s or 0), -(flow.per_s or 0), name),
                service_row(board, name, service, flow, state),
            )
        )
    rows = tuple(row for _, row in sorted(ordered, key=lambda pair: pair[0]))
    bad = sum(order[0] < 2 for order, _ in ordered)
    return Section(SERVICES, rows, empty="no service is in force", count=bad or len(rows))


def _up(service: TraefikService) -> int:
    return sum(state == "UP" for state in service.servers.values())


def service_row(board: Board, name: str, service: TraefikService, flow: Flow, state: State) -> Row:
    """One service."""
    total, up = len(service.servers), _up(service)
    return Row(
        name,
        (
            tenant_cell(board, service.tenant),
            name,
            number_cell(f"{up} of {total}", up, state.style if up < total or not total else "")
            if service.kind in ("loadBalancer", "")
            else Cell("", "", MISSING),
            Cell(state.words, state.style, state.rank),
            rate_cell(flow.per_s) if flow.per_s is not None else Cell("", "", MISSING),
            share_cell(flow),
            _p95(flow),
            Cell(service.kind, "muted"),
            Cell(", ".join(_servers(service)), "muted"),
        ),
    )


def _servers(service: TraefikService) -> list[str]:
    rows = sorted(service.servers.items(), key=lambda pair: (pair[1] == "UP", pair[0]))
    return [url.removeprefix("http://") + ("" if state == "UP" else f" {state}") for url, state in rows]


def middlewares(ingress: Ingress, now: datetime) -> Section:
    """Middlewares, and how many routers use each; those that routers name and that are not there first."""
    if not ingress.configs:
        return unknown(MIDDLEWARES, why_not(ingress, "config", now))
    found: dict[str, TraefikMiddleware] = {}
    wanted: dict[str, set[str]] = {}
    for config in ingress.configs:
        found.update(config.middlewares)
        for name, router in config.routers.items():
            for middleware in router.middlewares:
                full = middleware if "@" in middleware else f"{middleware}@{name.partition('@')[2]}"
                if full not in config.middlewares and not full.endswith("@internal"):
                    wanted.setdefault(full, set()).add(name)
    rows = [
        Row(
            name,
            (
                name,
                Cell("", ""),
                Cell("missing", "critical", 0),
                number_cell(str(len(users)), len(users)),
                Cell(f"named by {', '.join(sorted(users))}"),
            ),
        )
        for name, users in sorted(wanted.items())
    ]
    rows += [
        middleware_row(name, row)
        for name, row in sorted(found.items(), key=lambda pair: (not pair[1].problems, pair[0]))
    ]
    return Section(MIDDLEWARES, tuple(rows), empty="no middleware is in force", count=len(wanted) or len(rows))


def middleware_row(name: str, row: TraefikMiddleware) -> Row:
    """One middleware."""
    if row.problems or row.state == "disabled":
        state = Cell("not in force", "critical", 0)
    elif not row.used_by:
        state = Cell("not used", "muted", 5)
    else:
        state = Cell("in force", "ok", 4)
    return Row(
        name,
        (
            name,
            Cell(row.kind, "muted"),
            state,
            number_cell(str(len(row.used_by)), len(row.used_by)),
            Cell("; ".join(row.problems)),
        ),
    )


# -- certificates ------------------------------------------------------------------------------------------------------


def certificates(board: Board, ingress: Ingress, now: datetime) -> Section:
    """What is served for each name, the worst and then the nearest end first."""
    seen = ingress.certificates
    if not seen.configured:
        return unknown(
            CERTIFICATES, "the environment file names no `address:` of this ingress: nobody looks", "unknown"
        )
    if seen.reading is None:
        return unknown(CERTIFICATES, _silent(seen, now, ingress.name))
    ordered = []
    for host, row in seen.reading.certificates.items():
        state, left = certificate_state(row, now), days_left(row, now)
        ordered.append(
            ((state.rank, left if left is not None else 1e9, host), certificate_row(board, host, row, state, now))
        )
    rows = tuple(row for _, row in sorted(ordered, key=lambda pair: pair[0]))
    bad = sum(order[0] < 2 for order, _ in ordered)
    summary = joined((fact("handshakes at", seen.reading.address), fact("names", str(len(rows)))), "   ")
    return Section(CERTIFICATES, rows, (summary,), empty="no router with TLS names a host", count=bad or len(rows))


def certificate_row(board: Board, host: str, row: Certificate, state: State, now: datetime) -> Row:
    """One name."""
    left = days_left(row, now)
    if row.seen_at is None:
        return Row(
            host,
            (tenant_cell(board, row.tenant), host, Cell("", "", MISSING), Cell(state.words, state.style, state.rank)),
        )
    trusted = {True: "trusted", False: "no", None: "?"}[row.trusted]
    return Row(
        host,
        (
            tenant_cell(board, row.tenant),
            host,
            number_cell(days_words(left), left, state.style if state.words in ("runs out", "has run out") else ""),
            Cell(state.words, state.style, state.rank),
            Cell(f"{row.not_after:%Y-%m-%d %H:%M}" if row.not_after else "?", "muted"),
            Cell(trusted + (f", {row.chain}" if row.chain else ""), "" if row.trusted else "critical"),
            Cell(", ".join(row.names), "critical" if row.matches is False else "muted"),
            Cell(short_name(row.issuer), "muted"),
            number_cell(since(row.seen_at, now), (now - row.seen_at).total_seconds(), "muted"),
        ),
    )


def short_name(distinguished: str) -> str:
    """``Let's Encrypt R11`` of ``CN=R11,O=Let's Encrypt,C=US``."""
    parts = dict(reversed([part.partition("=")[::2] for part in distinguished.split(",") if "=" in part]))
    words = " ".join(parts[key] for key in ("O", "CN") if parts.get(key))
    return words or distinguished


# -- entry points, errors ----------------------------------------------------------------------------------------------


def entry_points(ingress: Ingress, now: datetime) -> Section:
    """Entry points of each Traefik."""
    if not ingress.metrics:
        return unknown(ENTRY_POINTS, why_not(ingress, "metrics", now))
    rows: list[Row] = []
    for metrics in ingress.metrics:
        names = sorted({**metrics.entry_points, **metrics.open_connections})
        for name in sorted(names, key=lambda name: (name not in metrics.entry_points, name)):
            row = metrics.entry_points.get(name)
            flow = flow_of([row] if row else [])
            opened = metrics.open_connections.get(name)
            limited = flow.limited_per_s
            rows.append(
                Row(
                    (metrics.server, name),
                    (
                        metrics.server,
                        name,
                        number_cell(count(opened), opened) if opened is not None else Cell("", "", MISSING),
                        rate_cell(flow.per_s) if flow.per_s is not None else Cell("", "", MISSING),
                        latency_or_rate(flow.usual_per_s),
                        share_cell(flow),
                        number_cell(rate(limited), limited, "warning") if limited else Cell("", "", 0),
                        latency_cell(flow.p50_ms, flow.over_ms),
                        _p95(flow),
                        latency_cell(flow.p99_ms, flow.over_ms),
                    ),
                )
            )
    return Section(ENTRY_POINTS, tuple(rows), empty="no entry point", count=len(rows))


def latency_or_rate(amount: float | None) -> Cell:
    """What is usual; nothing where it is not known yet."""
    return Cell("", "", MISSING) if amount is None else number_cell(rate(amount), amount, "muted")


def errors(board: Board, ingress: Ingress, now: datetime) -> Section:
    """Requests of the access log that went wrong, most first; then those that were slow."""
    seen = ingress.access
    if not seen.configured:
        return unknown(ERRORS, "the environment file names no `access_log:` of this ingress")
    reading = seen.reading
    if reading is None:
        return unknown(ERRORS, _silent(seen, now, "access log"))
    wrong = sorted(reading.wrong.items(), key=lambda pair: (-pair[1].count, pair[0]))
    slow = sorted(reading.slow.items(), key=lambda pair: (-(pair[1].slowest_ms or 0), pair[0]))
    rows = [error_row(board, ("wrong", key), row, now) for key, row in wrong]
    rows += [error_row(board, ("slow", key), row, now) for key, row in slow]
    summary = joined(
        (
            fact("requests within 5 min", f"{'more than ' if reading.partly else ''}{number(reading.lines)}"),
            fact("wrong", count(sum(row.count for _, row in wrong)), "warning" if wrong else ""),
            fact("slower than 5 s", count(sum(row.count for _, row in slow)), "warning" if slow else ""),
            line(("too many lines: counts are too low", "warning")) if reading.partly else (),
        ),
        "   ",
    )
    return Section(ERRORS, tuple(rows), (summary,), empty="no request went wrong within five minutes", count=len(rows))


def error_row(board: Board, key: tuple[str, str], row: AccessRow, now: datetime) -> Row:
    """Requests that went wrong in one way."""
    slow = key[0] == "slow"
    by = "backend" if slow or not row.by_traefik else "Traefik"
    style = (
        "warning" if slow or row.status in (429, 499) else "critical" if row.status in (502, 503, 504) else "warning"
    )
    return Row(
        key,
        (
            Cell("slow" if slow else str(row.status), style, row.status),
            number_cell(count(row.count), row.count),
            tenant_cell(board, row.tenant),
            number_cell(since(row.last_at, now), (now - row.last_at).total_seconds() if row.last_at else None),
            Cell(by),
            latency_cell(row.slowest_ms),
            Cell(row.backend or "none", "" if row.backend else "muted"),
            Cell(f"{row.method} {row.path}".strip()),
            Cell(row.router, "muted"),
        ),
    )
