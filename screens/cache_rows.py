"""A cache's readings as rows: servers, clients, keys, queues, slow calls, Sentinels."""

from __future__ import annotations

from datetime import datetime

from console.board import Board
from console.readings import BigKey, Queue, RedisClient, RedisKeys, RedisServer, SlowCall
from screens.cache_group import Cache, Server, Watch
from screens.cache_topology import FULL, NEARLY, wasteful
from screens.database_sessions import one_line
from screens.section import MISSING, Section, fact, number_cell, unknown
from screens.trust import believed, silence_and_why, silent_for
from widgets.columns import Cell, Column, Row
from widgets.format import (
    bar,
    clock,
    count,
    milliseconds,
    number,
    percent,
    rate,
    seconds,
    short_age,
    since,
    size,
    size_rate,
)
from widgets.gauge import level
from widgets.spans import Line, joined, line

SERVERS = (
    Column("name", "server", 10, sort="S"),
    Column("role", "role", 7, sort="R"),
    Column("state", "state", 13, flex=1, sort="A"),
    Column("memory", "memory", 15, sort="M", descending=True),
    Column("policy", "policy", 15, drop=6, sort="Y"),
    Column("fragmentation", "fragm.", 6, "right", drop=5, sort="F", descending=True),
    Column("evicted", "evicted", 8, "right", drop=1, sort="E", descending=True),
    Column("hit", "hit", 5, "right", sort="H"),
    Column("ops", "ops", 8, "right", sort="O", descending=True),
    Column("clients", "clients", 7, "right", drop=3, sort="C", descending=True),
    Column("blocked", "blocked", 7, "right", drop=4, sort="B", descending=True),
    Column("p50", "rtt p50", 7, "right", drop=2, sort="P", descending=True),
    Column("p99", "rtt p99", 7, "right", sort="T", descending=True),
    Column("keys", "keys", 8, "right", drop=7, sort="K", descending=True),
    Column("in", "in", 8, "right", drop=9, sort="I", descending=True),
    Column("out", "out", 8, "right", drop=8, sort="U", descending=True),
)
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
SENTINELS = (
    Column("name", "Sentinel", 14, flex=1, sort="S"),
    Column("primary", "primary is", 14, sort="P"),
    Column("state", "and is", 18, sort="A"),
    Column("quorum", "quorum", 12, sort="Q"),
    Column("others", "sees Sentinels", 14, "right", drop=1, sort="E"),
    Column("replicas", "replicas", 9, "right", drop=2, sort="R"),
    Column("epoch", "epoch", 6, "right", drop=4, sort="H"),
    Column("answer", "in its own words", 24, flex=2, drop=3, sort="W"),
)


# -- servers -----------------------------------------------------------------------------------------------------------


def server_state(server: Server, now: datetime) -> tuple[str, str]:
    """How a server is, in few words, and the style."""
    reading = server.reading
    if reading is None:
        return silent_for(server.raw, now), "unknown"
    if reading.write_refused:
        return f"refuses: {reading.write_refused.partition(':')[0]}", "critical"
    if reading.loading:
        return "loading", "warning"
    if reading.role == "replica" and reading.link_up is False:
        return f"link down {seconds(reading.link_down_s)}", "warning"
    if reading.sync_in_progress:
        return "resynchronising", "warning"
    return ("following" if reading.role == "replica" else "running"), "ok"


def server_row(server: Server, now: datetime) -> Row:
    """One server; where it is silent nothing but that is said."""
    words, style = server_state(server, now)
    reading = server.reading
    if reading is None:
        return Row(server.name, (server.name, Cell("?", "unknown"), Cell(words, style)))
    share = reading.used_memory / reading.maxmemory if reading.maxmemory else None
    look = level(share, NEARLY, FULL) if share is not None else "ok"
    memory = (
        line(
            (bar(share, 8), "series" if look == "ok" else look), (f" {percent(share):>6}", look if look != "ok" else "")
        )
        if share is not None
        else line(size(reading.used_memory))
    )
    fragmented = wasteful(reading)
    return Row(
        server.name,
        (
            server.name,
            Cell(reading.role, "primary" if server.is_primary else ""),
            Cell(words, style),
            Cell(memory, "", share if share is not None else 0.0),
            Cell(reading.maxmemory_policy, "muted"),
            number_cell(
                "?" if reading.fragmentation is None else f"{reading.fragmentation:.2f}",
                reading.fragmentation,
                "warning" if fragmented else "",
            ),
            number_cell(rate(reading.evicted_per_s), reading.evicted_per_s, "warning" if reading.evicted_per_s else ""),
            number_cell(percent(reading.hit_ratio), reading.hit_ratio),
            number_cell(rate(reading.ops_per_s), reading.ops_per_s),
            number_cell(count(reading.clients), reading.clients),
            number_cell(count(reading.blocked_clients), reading.blocked_clients),
            number_cell(milliseconds(reading.rtt_p50_ms), reading.rtt_p50_ms),
            number_cell(milliseconds(reading.rtt_p99_ms), reading.rtt_p99_ms),
            number_cell(count(reading.keys), reading.keys),
            number_cell(size_rate(reading.net_in_per_s), reading.net_in_per_s),
            number_cell(size_rate(reading.net_out_per_s), reading.net_out_per_s),
        ),
    )


def servers(cache: Cache, now: datetime) -> Section:
    """All servers of the cache, the primary first."""
    rows = sorted(cache.servers, key=lambda server: (not server.is_primary, server.name))
    return Section(
        SERVERS,
        tuple(server_row(server, now) for server in rows),
        persistence_lines(cache, now),
        empty="no server is configured",
        count=len(rows),
        state="unknown" if any(server.reading is None for server in rows) else "",
    )


def persistence_words(reading: RedisServer, now: datetime) -> Line:
    """How a server keeps its data, and whether that worked."""
    last = reading.rdb_last_save_at
    parts = [fact("persistence", reading.persistence or "not known", "" if reading.persistence else "unknown")]
    if "rdb" in reading.persistence or not reading.rdb_last_ok:
        ok = "ok" if reading.rdb_last_ok else "failed"
        saved = f", {short_age((now - last).total_seconds())} ago" if last else ""
        parts.append(fact("last RDB save", ok + saved, "" if reading.rdb_last_ok else "critical"))
    if reading.rdb_in_progress:
        parts.append(line(("saving now", "")))
    if reading.aof_enabled:
        parts.append(
            fact("AOF", "ok" if reading.aof_last_ok else "last write failed", "" if reading.aof_last_ok else "critical")
        )
    return joined(parts, "   ")


def persistence_lines(cache: Cache, now: datetime) -> tuple[Line, ...]:
    """A line of persistence for each server that answers, the primary's first."""
    rows = sorted((server for server in cache.servers if server.reading), key=lambda server: not server.is_primary)
    return tuple(
        line((f"{server.name}  ", "strong"), persistence_words(server.reading, now))
        for server in rows
        if server.reading
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


# -- Sentinels ---------------------------------------------------------------------------------------------------------


def sentinel_row(cache: Cache, watch: Watch, now: datetime) -> Row:
    """One Sentinel's view."""
    reading = watch.reading
    if reading is None:
        return Row(watch.name, (watch.name, Cell("?", "unknown"), Cell(silent_for(watch.raw, now), "unknown")))
    named = cache.at(reading.primary_address)
    flags = reading.primary_flags
    state, style = (
        ("objectively down", "critical")
        if "o_down" in flags
        else ("subjectively down", "warning")
        if "s_down" in flags
        else ("up", "ok")
    )
    quorum = {True: ("reached", "ok"), False: ("not reached", "critical"), None: ("not checked", "unknown")}[
        reading.quorum_ok
    ]
    lost = sum("_down" in peer.flags or "disconnected" in peer.flags for peer in reading.peers.values())
    others = f"{len(reading.peers) - lost} of {reading.known_sentinels}"
    return Row(
        watch.name,
        (
            watch.name,
            named.name if named else reading.primary_address,
            Cell(reading.failover_state if reading.failover_state not in ("", "none", "no-failover") else state, style),
            Cell(*quorum),
            Cell(others, "warning" if lost else "", len(reading.peers) - lost),
            number_cell(count(len(reading.replicas)), len(reading.replicas)),
            number_cell(count(reading.config_epoch), reading.config_epoch),
            Cell(reading.quorum_answer, "muted"),
        ),
    )


def sentinels(cache: Cache, now: datetime) -> Section:
    """What each Sentinel sees."""
    silent = any(watch.reading is None for watch in cache.sentinels)
    return Section(
        SENTINELS,
        tuple(sentinel_row(cache, watch, now) for watch in cache.sentinels),
        empty="no Sentinel watches this cache",
        count=len(cache.sentinels) or None,
        state="unknown" if silent else "",
    )
