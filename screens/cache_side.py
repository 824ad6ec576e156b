"""What a wide cache screen shows besides the open tab: figures of the primary at the right, other sections below."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from console.readings import Finding, RedisKeys, RedisServer, believed
from screens.cache_group import Cache
from screens.cache_topology import FULL, NEARLY, wasteful
from screens.database_sessions import one_line
from screens.pane_findings import findings_box, silent_words
from screens.section import fact
from screens.trends import Figure, trends_box
from screens.trust import silence
from screens.view import View
from widgets.format import bar, count, milliseconds, percent, rate, short_age, since, size, size_rate
from widgets.gauge import gauge, level
from widgets.spans import Block, Line, beside, box, fit, joined, line

FIGURES: tuple[Figure, ...] = (
    ("ops", "ops", rate),
    ("memory", "memory", size),
    ("hit ratio", "hit_ratio", percent),
    ("evictions", "evictions", rate),
    ("rtt p99", "rtt", milliseconds),
)


def side(view: View, cache: Cache, found: list[Finding], cells: int, height: int) -> Block:
    """Findings, the primary in figures, trends at the foot."""
    silent = silent_words(view.board, "cache", cache.name, view.now)
    trends = trends_box(view, "cache", cache.name, FIGURES, cells)
    shown = figures(cache, view.now, cells)
    room = height - len(trends)
    if room - len(shown) < 4:
        shown = []
    parts = [*findings_box(found, view.now, cells, room - len(shown), silent), *shown]
    parts += [()] * max(0, room - len(parts))
    return [*parts, *trends]


def figures(cache: Cache, now: datetime, cells: int) -> Block:
    """Memory, keys, traffic, clients and persistence of the server that matters most."""
    server = cache.server(cache.main)
    title = f"{cache.main} in figures"
    if server is None or server.reading is None:
        why = silence(server.raw if server else None, now)
        return box([line((f" {why}", "unknown"))], cells, 3, title, style="unknown")
    rows = figure_rows(server.reading, now)
    body = [line(fit(line((f" {label}", "muted")), 14), value) for label, value in rows]
    return box(body, cells, len(body) + 2, title)


def figure_rows(reading: RedisServer, now: datetime) -> list[tuple[str, Line]]:
    """Label and value, in the order in which one asks."""
    share = reading.used_memory / reading.maxmemory if reading.maxmemory else None
    memory = (
        line(
            gauge(share, 14, level(share, NEARLY, FULL)), f"  {size(reading.used_memory)} of {size(reading.maxmemory)}"
        )
        if share is not None
        else line(size(reading.used_memory), (", no limit", "muted"))
    )
    fragmented = wasteful(reading)
    rows: list[tuple[str, Line]] = [
        ("memory", memory),
        (
            "policy",
            joined(
                (
                    line(reading.maxmemory_policy or "?"),
                    fact(
                        "fragmentation",
                        "?" if reading.fragmentation is None else f"{reading.fragmentation:.2f}",
                        "warning" if fragmented else "",
                    ),
                )
            ),
        ),
        (
            "keys",
            line(count(reading.keys), (" of which expire ", "muted"), count(reading.keys_with_ttl)),
        ),
        (
            "leave",
            joined(
                (
                    fact("evicted", rate(reading.evicted_per_s), "warning" if reading.evicted_per_s else ""),
                    fact("expired", rate(reading.expired_per_s)),
                )
            ),
        ),
        (
            "look-ups",
            joined(
                (
                    fact("hit", percent(reading.hit_ratio) if reading.hit_ratio is not None else "none made"),
                    fact("errors", rate(reading.errors_per_s), "warning" if reading.errors_per_s else ""),
                )
            ),
        ),
        (
            "traffic",
            joined(
                (
                    fact("ops", rate(reading.ops_per_s)),
                    fact("in", size_rate(reading.net_in_per_s)),
                    fact("out", size_rate(reading.net_out_per_s)),
                )
            ),
        ),
        (
            "clients",
            joined(
                (
                    line(f"{count(reading.clients)} of {count(reading.maxclients)}"),
                    fact("blocked", count(reading.blocked_clients)),
                    fact("rejected", rate(reading.rejected_per_s), "critical" if reading.rejected_per_s else ""),
                )
            ),
        ),
        (
            "our PINGs",
            joined((fact("p50", milliseconds(reading.rtt_p50_ms)), fact("p99", milliseconds(reading.rtt_p99_ms)))),
        ),
        ("persistence", _persistence(reading, now)),
    ]
    if reading.min_replicas_ok is False:
        rows.append(("replicas", line(("too few: writes are refused", "critical"))))
    return rows


def _persistence(reading: RedisServer, now: datetime) -> Line:
    last = reading.rdb_last_save_at
    saved = f"RDB {short_age((now - last).total_seconds())} ago" if last else "no RDB yet"
    return joined(
        (
            line(reading.persistence or "?"),
            line((saved if reading.rdb_last_ok else "RDB save failed", "muted" if reading.rdb_last_ok else "critical")),
            line(
                (
                    "AOF ok" if reading.aof_last_ok else "AOF write failed",
                    "muted" if reading.aof_last_ok else "critical",
                )
            )
            if reading.aof_enabled
            else (),
        )
    )


# -- below -------------------------------------------------------------------------------------------------------------

_Body = Callable[[View, Cache, int, int], tuple[Block, str]]
"""Lines of a box (view, cache, cells, most) and why there are none."""


def below(view: View, cache: Cache, tab: str, cells: int, room: int) -> Block:
    """The other sections in brief, two by two, as far as there is room."""
    parts = [(title, make) for key, title, make in _PARTS if key != tab]
    each = (cells - 1) // 2
    rows = max(1, (len(parts) + 1) // 2)
    height = min(12, max(4, room // rows))
    drawn: Block = []
    for start in range(0, len(parts), 2):
        if len(drawn) + height > room:
            break
        boxes = [_brief(view, cache, title, make, each, height) for title, make in parts[start : start + 2]]
        drawn += beside(*boxes, gap=1)
    return drawn


def _brief(view: View, cache: Cache, title: str, make: _Body, cells: int, height: int) -> Block:
    body, why = make(view, cache, cells - 4, height - 2)
    if why:
        return box([line((f" {why}", "unknown"))], cells, height, title, style="unknown")
    return box([line(" ", each) for each in body], cells, height, title)


def _clients(view: View, cache: Cache, cells: int, most: int) -> tuple[Block, str]:
    server = cache.server(cache.main)
    if server is None or server.reading is None:
        return [], silence(server.raw if server else None, view.now)
    apps = sorted(server.reading.apps.values(), key=lambda app: (-app.connections, app.name))
    top = max((app.connections for app in apps), default=1)
    return [
        line(
            fit(line(app.name), 20),
            fit(line(count(app.connections)), 6, "right"),
            "  ",
            (bar(app.connections / top, max(4, cells - 42)), "series"),
            fit(line((f"{count(app.blocked)} blocked" if app.blocked else "", "muted")), 14, "right"),
        )
        for app in apps[:most]
    ] or [line(("nobody is connected", "muted"))], ""


def _keys(view: View, cache: Cache, cells: int, most: int) -> tuple[Block, str]:
    raw = view.board.get(RedisKeys, cache.name)
    reading = believed(raw, view.now)
    if reading is None:
        return [], silence(raw, view.now)
    big = sorted(reading.big.values(), key=lambda key: (-key.bytes, key.db, key.name))[:most]
    return [
        line(
            fit(line(key.name), max(8, cells - 26)),
            fit(line((key.type, "muted")), 8, "right"),
            fit(line(size(key.bytes)), 9, "right"),
            fit(line((f"{count(key.items)}" if key.items is not None else "", "muted")), 9, "right"),
        )
        for key in big
    ] or [line(("no key has been sampled yet", "muted"))], ""


def _queues(view: View, cache: Cache, cells: int, most: int) -> tuple[Block, str]:
    raw = view.board.get(RedisKeys, cache.name)
    reading = believed(raw, view.now)
    if reading is None:
        return [], silence(raw, view.now)
    rows = sorted(reading.queues.values(), key=lambda queue: (-queue.depth, queue.name))[:most]
    return [
        line(
            fit(line(queue.name), max(8, cells - 22)),
            fit(line((queue.type, "muted")), 8, "right"),
            fit(line(count(queue.depth)), 12, "right"),
        )
        for queue in rows
    ] or [line(("the environment file names no queue", "muted"))], ""


def _slow(view: View, cache: Cache, cells: int, most: int) -> tuple[Block, str]:
    server = cache.server(cache.main)
    if server is None or server.reading is None:
        return [], silence(server.raw if server else None, view.now)
    calls = sorted(server.reading.slow.values(), key=lambda call: call.at, reverse=True)[:most]
    return [
        line(
            fit(line((since(call.at, view.now), "muted")), 6, "right"),
            fit(line(milliseconds(call.took_us / 1000)), 9, "right"),
            "  ",
            one_line(call.command),
        )
        for call in calls
    ] or [line(("the slow log is empty", "muted"))], ""


_PARTS: tuple[tuple[str, str, _Body], ...] = (
    ("clients", "Clients", _clients),
    ("keys", "Big keys", _keys),
    ("queues", "Queues", _queues),
    ("slow", "Slow log", _slow),
)
