"""A cache's readings as rows: clients, keys, queues, slow calls."""

from __future__ import annotations

from datetime import datetime

from console.board import Board
from console.readings import BigKey, Queue, RedisClient, RedisKeys, RedisServer, SlowCall, believed
from screens.cache_group import Cache
from screens.database_sessions import one_line
from screens.section import MISSING, Section, fact, number_cell, unknown
from screens.trust import silence_and_why
from widgets.columns import Cell, Column, Row
from widgets.format import (
    bar,
    clock,
    count,
    milliseconds,
    number,
    percent,
    rate,
    short_age,
    since,
    size,
)
from widgets.spans import joined, line

CLIENTS = (
    Column("name", "application", 26, flex=1, sort="A"),
    Column("connections", "connections", 11, "right", sort="C", descending=True),
    Column("share", "share", 15, drop=2, sort="S", descending=True),
    Column("blocked", "blocked", 8, "right", sort="B", descending=True),
    Column("input", "input", 8, "right", drop=1, sort="I", descending=True),
    Column("output", "output", 8, "right", sort="O", descending=True),
)
KEYS = (
    Column("name", "key", 26, flex=1, sort="K"),
    Column("type", "type", 8, sort="T"),
    Column("bytes", "memory", 8, "right", sort="M", descending=True),
    Column("share", "of the server", 15, drop=1, sort="S", descending=True),
    Column("items", "items", 8, "right", sort="I", descending=True),
    Column("ttl", "expires in", 10, "right", sort="E", descending=True),
    Column("db", "db", 3, "right", drop=2, sort="D"),
)
QUEUES = (
    Column("name", "queue", 26, flex=1, sort="Q"),
    Column("type", "type", 8, sort="T"),
    Column("depth", "depth", 10, "right", sort="D", descending=True),
)
SLOW = (
    Column("at", "at (UTC)", 8, sort="A", descending=True),
    Column("ago", "ago", 6, "right", drop=2, sort="G"),
    Column("took", "took", 8, "right", sort="T", descending=True),
    Column("client", "client", 26, drop=1, sort="L"),
    Column("command", "command", 20, flex=1, sort="C"),
)


# -- clients, keys, queues, slow calls ---------------------------------------------------------------------------------


def client_row(client: RedisClient, total: int) -> Row:
    """One application."""
    share = client.connections / total if total else 0.0
    return Row(
        client.name,
        (
            client.name,
            number_cell(count(client.connections), client.connections),
            Cell(line((bar(share, 9), "series"), f" {percent(share):>5}"), "", share),
            number_cell(count(client.blocked), client.blocked) if client.blocked else Cell("", "", 0),
            number_cell(size(client.input_bytes), client.input_bytes) if client.input_bytes else Cell("", "", 0),
            number_cell(size(client.output_bytes), client.output_bytes) if client.output_bytes else Cell("", "", 0),
        ),
    )


def clients(cache: Cache, server: str, now: datetime) -> Section:
    """Connections of one server by application."""
    reading, why = _believed(cache, server, now)
    if reading is None:
        return unknown(CLIENTS, why)
    rows = sorted(reading.apps.values(), key=lambda client: (-client.connections, client.name))
    total = sum(client.connections for client in rows)
    rejected = reading.rejected_per_s
    summary = joined(
        (
            fact("clients", f"{count(reading.clients)} of {count(reading.maxclients)}"),
            fact("blocked", count(reading.blocked_clients)),
            fact("rejected", rate(rejected), "critical" if rejected else ""),
            fact("errors", rate(reading.errors_per_s), "warning" if reading.errors_per_s else ""),
        ),
        "   ",
    )
    return Section(
        CLIENTS, tuple(client_row(row, total) for row in rows), (summary,), empty="nobody is connected", count=len(rows)
    )


def _believed(cache: Cache, name: str, now: datetime) -> tuple[RedisServer | None, str]:
    server = cache.server(name)
    if server is not None and server.reading is not None:
        return server.reading, ""
    return None, f"{name}: {silence_and_why(server.raw if server else None, now)}"


def key_row(key: BigKey, used: int) -> Row:
    """One big key."""
    share = key.bytes / used if used else None
    return Row(
        (key.db, key.name),
        (
            Cell(key.name),
            Cell(key.type, "muted"),
            number_cell(size(key.bytes), key.bytes),
            Cell(line((bar(share, 9), "series"), f" {percent(share):>5}"), "", share),
            number_cell(count(key.items), key.items) if key.items is not None else Cell("", "", MISSING),
            Cell("never", "muted", float("inf")) if key.ttl_s is None else number_cell(short_age(key.ttl_s), key.ttl_s),
            Cell(str(key.db), "muted", key.db),
        ),
    )


def keys(board: Board, cache: Cache, now: datetime) -> Section:
    """The biggest keys that sampling found."""
    raw = board.get(RedisKeys, cache.name)
    reading = believed(raw, now)
    if reading is None:
        return unknown(KEYS, f"keys: {silence_and_why(raw, now)}")
    main = cache.server(cache.main)
    used = main.reading.used_memory if main and main.reading else 0
    rows = sorted(reading.big.values(), key=lambda key: (-key.bytes, key.db, key.name))
    summary = joined(
        (
            fact("sampled", f"{number(reading.sampled)} of {number(reading.total)} keys"),
            fact("last full pass", f"{since(reading.pass_done_at, now)} ago" if reading.pass_done_at else "none yet"),
        ),
        "   ",
    )
    return Section(KEYS, tuple(key_row(row, used) for row in rows), (summary,), empty="no key has been sampled yet")


def queue_row(queue: Queue) -> Row:
    """One queue."""
    return Row(
        queue.name, (queue.name, Cell(queue.type or "absent", "muted"), number_cell(count(queue.depth), queue.depth))
    )


def queues(board: Board, cache: Cache, now: datetime) -> Section:
    """Depths of the queues that the environment names."""
    raw = board.get(RedisKeys, cache.name)
    reading = believed(raw, now)
    if reading is None:
        return unknown(QUEUES, f"queues: {silence_and_why(raw, now)}")
    rows = sorted(reading.queues.values(), key=lambda queue: (-queue.depth, queue.name))
    waiting = sum(queue.depth for queue in rows)
    return Section(
        QUEUES,
        tuple(map(queue_row, rows)),
        (fact("waiting together", count(waiting)),) if rows else (),
        empty="the environment file names no queue (redis: CACHE: queues)",
        count=waiting if rows else None,
    )


def slow_row(key: str, call: SlowCall, now: datetime) -> Row:
    """One slow call."""
    took_ms = call.took_us / 1000
    return Row(
        key,
        (
            Cell(clock(call.at), "muted", call.at.timestamp()),
            Cell(since(call.at, now), "", (now - call.at).total_seconds()),
            number_cell(milliseconds(took_ms), took_ms),
            call.client,
            Cell(one_line(call.command)),
        ),
    )


def slow(cache: Cache, server: str, now: datetime) -> Section:
    """The slow log of one server, newest first."""
    reading, why = _believed(cache, server, now)
    if reading is None:
        return unknown(SLOW, why)
    rows = sorted(reading.slow.items(), key=lambda pair: pair[1].at, reverse=True)
    return Section(
        SLOW,
        tuple(slow_row(key, call, now) for key, call in rows),
        empty="the slow log is empty",
        count=len(rows) or None,
    )
