"""A cache's topology as a drawing: primary, replicas, and the Sentinels with their quorum."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.readings import RedisServer, ReplicaLink, Sentinel
from screens.cache_group import Cache, Server, Watch
from screens.section import fact
from screens.trust import silence
from widgets.format import count, milliseconds, number, percent, seconds, short_age, size
from widgets.gauge import gauge, level
from widgets.spans import Line, joined, line
from widgets.topology import Edge, Node, Topology

FULL, NEARLY = 0.95, 0.85
"""Share of maxmemory from which the bar is red and yellow; the finding has its own thresholds."""
WASTE = 100 * 1024**2


def topology(cache: Cache, severities: Mapping[str, str], now: datetime) -> Topology:
    """The drawing. ``severities``: subject of an open finding (``cache/cache-1``) → its severity."""
    nodes = [_node(cache, server, severities.get(f"{cache.name}/{server.name}", ""), now) for server in cache.servers]
    primaries = {server.name for server in cache.primaries}
    nodes.sort(key=lambda node: (node.key not in primaries, node.key))
    edges = [edge for server in cache.servers if (edge := _edge(cache, server)) is not None]
    return Topology(tuple(nodes), tuple(edges), _watchers(cache, now) if cache.sentinels else None)


# -- servers -----------------------------------------------------------------------------------------------------------


def _node(cache: Cache, server: Server, severity: str, now: datetime) -> Node:
    reading = server.reading
    twice = len(cache.primaries) > 1 and server.is_primary
    if reading is None:
        name: Line = line(("? ", "unknown"), (server.name, "strong"))
        named = cache.at(cache.named_by_sentinels)
        role = line(("primary?" if named is not None and named.name == server.name else "role unknown", "unknown"))
        state = line((silence(server.raw, now), "critical" if severity == "critical" else "unknown"))
        facts: tuple[Line, ...] = (fact("why", server.raw.problem),) if server.raw and server.raw.problem else ()
    else:
        sign, look = ("● ", "primary") if server.is_primary else ("○ ", "")
        name = line((sign, look), (server.name, look or "strong"))
        role = line((reading.role or "role unknown", "critical" if twice else look if reading.role else "unknown"))
        state = _state(reading, severity)
        facts = _facts(reading, now)
    return Node(
        key=server.name,
        name=name,
        role=role,
        state=state,
        corner=reading.flavour if reading else "",
        notes=tuple(
            line(("≠ " if "says" in note else "▲ ", tone), (note, tone)) for note, tone in notes(cache, server)
        ),
        facts=facts,
        style="critical" if twice else severity or ("line" if reading else "unknown"),
    )


def _state(reading: RedisServer, severity: str) -> Line:
    if reading.loading:
        return line(("loading its data", "warning"))
    if reading.write_refused:
        return line(("refuses writes", "critical"))
    if reading.sync_in_progress:
        return line(("full resynchronisation", "warning"))
    if reading.role == "replica" and reading.link_up is False:
        span = f" for {seconds(reading.link_down_s)}" if reading.link_down_s is not None else ""
        return line((f"link down{span}", severity or "warning"))
    words = line(("following" if reading.role == "replica" else "running", severity or "ok"))
    if reading.status == "partial":
        words = joined((words, line((f"in part: {reading.problem}", "warning"))))
    return words


def _facts(reading: RedisServer, now: datetime) -> tuple[Line, ...]:
    up = fact("up", short_age((now - reading.started_at).total_seconds())) if reading.started_at else ()
    found = [
        joined((fact("memory", ""), memory_words(reading)), ""),
        joined(
            (
                fact("ops", f"{number(reading.ops_per_s)}/s"),
                fact("hit", percent(reading.hit_ratio)) if reading.hit_ratio is not None else (),
            )
        ),
        joined((fact("rtt p50", milliseconds(reading.rtt_p50_ms)), fact("p99", milliseconds(reading.rtt_p99_ms)))),
        joined((fact("clients", count(reading.clients)), fact("blocked", count(reading.blocked_clients)), up)),
    ]
    return tuple(each for each in found if each)


def wasteful(reading: RedisServer) -> bool:
    """Whether fragmentation costs memory worth a word: half as much again as is used, and at least ``WASTE``."""
    if reading.fragmentation is None:
        return False
    return reading.fragmentation >= 1.5 and (reading.fragmentation - 1) * reading.used_memory >= WASTE


def memory_words(reading: RedisServer) -> Line:
    """Memory against its limit."""
    if not reading.maxmemory:
        return line(size(reading.used_memory), (" no limit", "muted"))
    share = reading.used_memory / reading.maxmemory
    return line(gauge(share, 8, level(share, NEARLY, FULL)), (f"  of {size(reading.maxmemory)}", "muted"))


def notes(cache: Cache, server: Server) -> list[tuple[str, str]]:
    """What is contradictory or wrong about a server: sentence and style."""
    found: list[tuple[str, str]] = []
    reading = server.reading
    if reading is not None:
        if reading.write_refused:
            found.append((reading.write_refused, "critical"))
        if not reading.rdb_last_ok:
            found.append(("last RDB save failed", "warning"))
        if not reading.aof_last_ok:
            found.append(("last AOF write failed", "critical"))
    found += [(sentence, "warning") for sentence in _contradictions(cache, server)]
    return found


def _contradictions(cache: Cache, server: Server) -> list[str]:
    named = cache.named_by_sentinels
    if not named:
        return []
    found: list[str] = []
    is_named = cache.at(named) is server
    if server.reading is None:
        if is_named and not any(_down(watch.reading) for watch in cache.sentinels):
            found.append("Sentinel says it is the primary and up, it does not answer us")
    elif server.is_primary and not is_named:
        found.append(f"it says primary, Sentinel says {_name_at(cache, named)}")
    elif not server.is_primary and is_named:
        found.append(f"Sentinel says primary, it says {server.reading.role or 'nothing'}")
    return found


def _down(reading: Sentinel | None) -> bool:
    return reading is not None and "_down" in reading.primary_flags


def _name_at(cache: Cache, address: str) -> str:
    server = cache.at(address)
    return server.name if server is not None else address


# -- links -------------------------------------------------------------------------------------------------------------


def _edge(cache: Cache, server: Server) -> Edge | None:
    """The link of a replica to whom it follows, as the primary counts it, else as the replica does."""
    reading = server.reading
    address = server.address
    for sender in cache.servers:
        row = sender.reading.replicas.get(address) if sender.reading and address else None
        row = row or _by_address(sender.reading, address)
        if row is not None and sender is not server:
            return _sent(sender.name, server, row)
    if reading is None:
        return None
    if reading.role != "replica":
        return None
    upstream = cache.at(reading.primary_address)
    if upstream is None or upstream is server:
        return None
    if reading.link_up:
        return Edge(upstream.name, server.name, "?", seconds(reading.primary_last_io_s), "")
    span = f" {seconds(reading.link_down_s)}" if reading.link_down_s is not None else ""
    return Edge(upstream.name, server.name, style="warning", broken=f"link down{span}")


def _by_address(reading: RedisServer | None, address: str) -> ReplicaLink | None:
    if reading is None or not address:
        return None
    return next((row for row in reading.replicas.values() if row.address == address), None)


def _sent(sender: str, server: Server, row: ReplicaLink) -> Edge:
    down = server.reading is not None and server.reading.link_up is False
    if down:
        return Edge(sender, server.name, size(row.lag_bytes), style="warning", broken="link down")
    odd = row.state not in ("online", "")
    return Edge(sender, server.name, size(row.lag_bytes), seconds(row.lag_s), row.state, "warning" if odd else "")


# -- Sentinels ---------------------------------------------------------------------------------------------------------


def quorum_words(cache: Cache) -> Line:
    """Whether the Sentinels could fail over."""
    answering = [watch.reading for watch in cache.sentinels if watch.reading is not None]
    if not cache.sentinels:
        return line(("no Sentinel: no automatic failover", "muted"))
    if not answering:
        return line(("no Sentinel answers: quorum not known", "unknown"))
    need = max(reading.quorum for reading in answering)
    there = f"{len(answering)} of {len(cache.sentinels)} answer, quorum {need}"
    refused = [reading for reading in answering if reading.quorum_ok is False]
    if refused or len(answering) < need:
        return line(("Sentinels ", "muted"), (f"{there}: no quorum", "critical"))
    if any(reading.quorum_ok is None for reading in answering):
        return line(("Sentinels ", "muted"), (f"{there}: not checked", "unknown"))
    return line(("Sentinels ", "muted"), (there, "warning" if len(answering) < len(cache.sentinels) else "ok"))


def primary_words(cache: Cache) -> Line:
    """Whom the Sentinels call primary; whether they agree."""
    names = {watch.reading.primary_address for watch in cache.sentinels if watch.reading}
    if len(names) > 1:
        return line((f"Sentinels disagree: {', '.join(sorted(_name_at(cache, name) for name in names))}", "critical"))
    if not names:
        primaries = [server.name for server in cache.primaries]
        return fact("primary", ", ".join(primaries), "primary") if primaries else line(("primary not known", "unknown"))
    return fact("primary", _name_at(cache, names.pop()), "primary")


def failover_words(cache: Cache) -> Line:
    """Whether a failover is under way, or the primary is held to be down."""
    readings = [watch.reading for watch in cache.sentinels if watch.reading]
    states = sorted(
        {reading.failover_state for reading in readings if reading.failover_state not in ("", "none", "no-failover")}
    )
    if states:
        return line((f"failover: {', '.join(states)}", "warning"))
    objectively = sum("o_down" in reading.primary_flags for reading in readings)
    if objectively:
        return line((f"objectively down, say {objectively}", "critical"))
    subjectively = sum("s_down" in reading.primary_flags for reading in readings)
    return line((f"subjectively down, say {subjectively}", "warning")) if subjectively else ()


def _watch_line(cache: Cache, watch: Watch, now: datetime) -> Line:
    reading = watch.reading
    if reading is None:
        return line(("? ", "unknown"), watch.name, "  ", (silence(watch.raw, now), "unknown"))
    down = "o_down" in reading.primary_flags, "s_down" in reading.primary_flags
    words, style = (
        ("objectively down", "critical") if down[0] else ("subjectively down", "warning") if down[1] else ("up", "ok")
    )
    lost = sum(("_down" in peer.flags) or ("disconnected" in peer.flags) for peer in reading.peers.values())
    return joined(
        (
            line(("◇ ", ""), watch.name),
            line((f"{_name_at(cache, reading.primary_address)} ", "muted"), (words, style)),
            line((f"loses {lost} other{'s' if lost > 1 else ''}", "warning")) if lost else (),
        )
    )


def _watchers(cache: Cache, now: datetime) -> Node:
    lines = [_watch_line(cache, watch, now) for watch in cache.sentinels]
    answering = [watch.reading for watch in cache.sentinels if watch.reading is not None]
    failover = failover_words(cache)
    settings = (
        joined(
            (
                fact("down after", milliseconds(answering[0].down_after_ms)),
                fact("failover within", milliseconds(answering[0].failover_timeout_ms)),
            )
        )
        if answering
        else ()
    )
    facts = tuple(each for each in (failover, *lines, settings) if each)
    return Node(
        key="sentinels",
        name=line(("◇ ", ""), ("Sentinels", "strong")),
        role=line(),
        state=joined((quorum_words(cache),)),
        facts=facts,
        style="line" if answering else "unknown",
    )
