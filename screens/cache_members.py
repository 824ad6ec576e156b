"""Servers and Sentinels of a cache as rows."""

from __future__ import annotations

from datetime import datetime

from console.readings import RedisServer
from screens.cache_group import Cache, Server, Watch
from screens.cache_topology import FULL, NEARLY, wasteful
from screens.section import Section, fact, number_cell
from screens.trust import silent_for
from widgets.columns import Cell, Column, Row
from widgets.format import (
    bar,
    count,
    milliseconds,
    percent,
    rate,
    seconds,
    short_age,
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
