"""The tile of an ingress: how much goes through, how much of it badly, how fast, and the nearest end of a certificate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.board import Board
from console.readings import Finding
from screens.ingress_group import Ingress, Traefik, ingress_at, ingresses
from screens.ingress_head import busiest, ending, nearest, slowest_p95, whole_errors, whole_rate
from screens.ingress_state import certificate_state, days_left, days_words
from screens.tile_drawing import Figure, TileFacts
from screens.tile_extras import Part
from screens.tile_words import about, marked, silent, speaks_of, tile_state, trend_of
from screens.view import View
from widgets.format import count, milliseconds, percent, rate
from widgets.spans import Line, fit, line


def ingress_tile(view: View, name: str, narrow: bool = False) -> TileFacts:
    """One ingress."""
    ingress = ingress_at(view.board, name, view.now)
    found = about(view, "ingress", name)
    alone = len(ingresses(view.board)) == 1
    state, age_s, why = tile_state(view, "ingress", name, alone)
    members = _together(ingress) if narrow and len(ingress.servers) > 1 and not _apart(ingress, found) else []
    members = members or [_server_line(each, found, name, view.now, narrow, view.lost) for each in ingress.servers]
    return TileFacts(
        "ingress", name, "Ingress" if alone else f"Ingress · {name}", "5", state, age_s, why, tuple(members),
        tuple(_figures(view, ingress, found)), tuple(_parts(view.board, ingress, view.now, narrow)),
    )  # fmt: skip


def _apart(ingress: Ingress, found: Sequence[Finding]) -> bool:
    """Whether one of the Traefiks has something to say of its own."""
    own = {f"{ingress.name}/{server.name}" for server in ingress.servers}
    return any(server.metrics.reading is None for server in ingress.servers) or any(
        each.subject in own for each in found
    )


def _together(ingress: Ingress) -> list[Line]:
    """All of them in a line, where each answers: ``● 2 Traefiks  8 routers``."""
    routers = max((len(config.routers) for config in ingress.configs), default=None)
    off = max(
        (sum(each.state == "disabled" for each in config.routers.values()) for config in ingress.configs), default=0
    )
    words = line(
        (count(routers, "router"), "muted") if routers is not None else "",
        (f"  {off} off ■" if off else "", "critical"),
    )
    return [line(("● ", "ok"), count(len(ingress.servers), "Traefik"), "  ", words)]


def _server_line(
    server: Traefik, found: Sequence[Finding], ingress: str, now: datetime, narrow: bool, lost: str
) -> Line:
    severity = next((each.severity for each in found if each.subject == f"{ingress}/{server.name}"), "")
    metrics, config = server.metrics.reading, server.config.reading
    if metrics is None:
        words = silent(server.metrics.raw, now, narrow, lost)
        return line(("? ", "unknown strong"), *fit(((server.name, "strong"),), 10), (words, severity or "unknown"))
    routes: Line = ()
    if config is not None:
        bad = sum(router.state == "disabled" for router in config.routers.values())
        routes = line((count(len(config.routers), "router"), "muted"), (f"  {bad} off ■" if bad else "", "critical"))
    elif server.config.configured:
        routes = line(("routes not known", "unknown"))
    return line(("● ", severity or "ok"), *fit(server.name, 10), " ", routes)


def _figures(view: View, ingress: Ingress, found: Sequence[Finding]) -> list[Figure]:
    board, name = view.board, ingress.name
    figures: list[Figure] = []
    if ingress.metrics:
        errors = whole_errors(ingress.metrics)
        failing = speaks_of(found, "errors", "backend-down")
        slow, flood = speaks_of(found, "slow"), speaks_of(found, "flood")
        figures = [
            Figure(
                "requests",
                marked(rate(whole_rate(ingress.metrics)), flood),
                flood,
                trend_of(board, "ingress", name, "requests"),
            ),
            Figure(
                "5xx",
                marked(percent(errors) if errors is not None else "none", failing),
                failing,
                trend_of(board, "ingress", name, "errors"),
                None,
            ),
            Figure(
                "p95",
                marked(milliseconds(slowest_p95(ingress.metrics)), slow),
                slow,
                trend_of(board, "ingress", name, "p95"),
            ),
        ]
    elif ingress.servers:
        severity = speaks_of(found, "unreachable") or "unknown"
        figures = [Figure("requests", "unknown", severity, note="no metrics")]
    figures.append(_certificate(ingress, view.now))
    return figures


def _certificate(ingress: Ingress, now: datetime) -> Figure:
    """``cert 9 d portal ▲``."""
    seen = ingress.certificates
    if not seen.configured:
        return Figure("cert", "not read", "muted", note="no address")
    row = nearest(ingress, now)
    if row is None:
        return Figure("cert", "?", "unknown", note="not known" if seen.reading is None else "no name with TLS")
    state = certificate_state(row, now)
    severity = state.style if state.style in ("critical", "warning") else ""
    value = days_words(days_left(row, now)) if row.not_after is not None else "?"
    style = severity or ("unknown" if state.style == "unknown" else "")
    sign = {"critical": " ■", "warning": " ▲"}.get(severity, "")
    note = (
        f"{row.host.partition('.')[0]}{sign}"
        if state.words in ("ok", "runs out")
        else f"{row.host.partition('.')[0]} {state.words}{sign}"
    )
    return Figure("cert", value, style, note=note)


def _parts(board: Board, ingress: Ingress, now: datetime, narrow: bool) -> list[Part]:
    """Who is asked most, and which certificates end first."""
    parts: list[Part] = []
    if ingress.metrics:
        parts.append(("asked most", busiest(board, ingress, 40 if narrow else 52, 6)))
    if ingress.certificates.reading is not None:
        parts.append(("certificates", ending(board, ingress, now, 44 if narrow else 56, 4)))
    return parts
