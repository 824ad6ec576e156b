"""The tile of a Redis or Valkey cache."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.readings import Finding
from screens.cache_group import Cache, Server, cache_at, caches
from screens.cache_topology import quorum_words
from screens.tile_drawing import Figure, TileFacts
from screens.tile_extras import cache_parts
from screens.tile_words import about, marked, no_primary, silent, speaks_of, tile_state, trend_of
from screens.view import View
from widgets.format import percent, rate, size
from widgets.spans import Line, fit, line


def cache_tile(view: View, name: str, narrow: bool = False) -> TileFacts:
    """A Redis or Valkey primary with its replicas and Sentinels."""
    cache = cache_at(view.board, name, view.now)
    found = about(view, "cache", name)
    state, age_s, why = tile_state(view, "cache", name, len(caches(view.board)) == 1)
    title = "Cache" if name == "cache" else f"Cache · {name}"
    members = [_server_line(cache, server, found, view.now, narrow, view.lost) for server in cache.servers]
    if cache.sentinels:
        members.append(line("  ", quorum_words(cache)))
    primary = next((each.reading for each in cache.primaries if each.reading), None)
    return TileFacts(
        "cache", name, title, "4", state, age_s, why, tuple(members), tuple(_cache_figures(view, cache, found)),
        tuple(cache_parts(primary, view.now, narrow)) if primary else (),
    )  # fmt: skip


def _server_line(
    cache: Cache, server: Server, found: Sequence[Finding], now: datetime, narrow: bool, lost: str
) -> Line:
    severity = next((each.severity for each in found if each.subject == f"{cache.name}/{server.name}"), "")
    reading = server.reading
    if reading is None:
        return line(
            ("? ", "unknown strong"),
            *fit(((server.name, "strong"),), 10),
            (silent(server.raw, now, narrow, lost), severity or "unknown"),
        )
    if server.is_primary:
        look = "critical" if len(cache.primaries) > 1 else "primary"
        return line(*fit((("● " + server.name, look),), 12), (f"{'primary':<9}", look), (reading.flavour, "muted"))
    link = next(
        (
            row
            for each in cache.primaries
            if each.reading
            for row in each.reading.replicas.values()
            if row.address == reading.address
        ),
        None,
    )
    far = size(link.lag_bytes) if link else "?"
    if reading.link_up is False:
        return line(*fit("○ " + server.name, 12), f"{'replica':<9}", ("link down ▲", severity or "warning"))
    late = f"{link.lag_s:.0f} s" if link and link.lag_s is not None else ""
    return line(
        *fit("○ " + server.name, 12),
        f"{'replica':<9}",
        (f"{far:>8}", severity or "muted"),
        (f"{late:>6}", severity or "muted"),
    )


def _cache_figures(view: View, cache: Cache, found: Sequence[Finding]) -> list[Figure]:
    primary = next((each.reading for each in cache.primaries if each.reading), None)
    board, name = view.board, cache.name
    if primary is None:
        return [no_primary(found)] if cache.servers else []
    full = speaks_of(found, "memory", "full", "evict")
    share = primary.used_memory / primary.maxmemory if primary.maxmemory else None
    memory = percent(share) if share is not None else size(primary.used_memory)
    trend = trend_of(board, "cache", name, "memory_ratio") if share is not None else None
    figures = [
        Figure(
            "memory",
            marked(memory, full),
            full,
            trend or trend_of(board, "cache", name, "memory"),
            1.0 if trend else None,
        ),
        Figure("hits", percent(primary.hit_ratio), "", trend_of(board, "cache", name, "hit_ratio", "hit"), 1.0),
        Figure("ops", rate(primary.ops_per_s), "", trend_of(board, "cache", name, "ops")),
        Figure(
            "evicted",
            rate(primary.evicted_per_s),
            full if primary.evicted_per_s else "",
            note="by policy",
        ),
    ]
    if primary.rtt_p99_ms is not None:
        figures.append(
            Figure("rtt p99", f"{primary.rtt_p99_ms:.1f} ms", "", trend_of(board, "cache", name, "rtt_p99", "rtt"))
        )
    if primary.write_refused:
        figures.insert(0, Figure("writes", "refused ■", "critical", note=primary.write_refused))
    return figures
