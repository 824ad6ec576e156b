"""The overview's tiles: what each database cluster and each cache says of itself in a few lines.

A tile marks a figure only where a finding speaks of it: one place decides what is bad (the assessment), not two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.board import Board
from console.readings import Activity, Finding, Pane, PostgresMember, Reading, Replica, State, Trend
from screens.cache_group import Cache, Server, cache_at, caches
from screens.cache_topology import quorum_words
from screens.database_cluster import Cluster, Member, cluster_at, clusters
from screens.tile_extras import Part, cache_parts, database_parts, orphan_parts, parts_block
from screens.trust import believed, silence
from screens.view import View
from widgets.format import number, percent, rate, short_age, size, size_rate
from widgets.spans import Block, Line, beside, fit, line, pad, width
from widgets.spark import chart, trend_line
from widgets.tile import tile

NARROW = 52
"""Width of a tile below which its lines are the short ones."""
SIDE_BY_SIDE = 74
"""Inner width from which members and figures stand beside each other."""


@dataclass(frozen=True)
class Figure:
    """One figure of a tile: label, value, and its recent course."""

    label: str
    value: str
    style: str = ""
    trend: Trend | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class TileFacts:
    """What a tile shows, whatever its size."""

    pane: Pane
    subject: str
    title: str
    key: str
    state: State
    age_s: float | None
    why: str
    members: tuple[Line, ...]
    figures: tuple[Figure, ...]
    parts: tuple[Part, ...] = ()
    """What follows where there is room."""


def tile_names(view: View) -> list[tuple[Pane, str]]:
    """Pane and subject of a tile for each cluster and each cache that is configured."""
    found: list[tuple[Pane, str]] = [("database", name) for name in clusters(view.board)]
    return found + [("cache", name) for name in caches(view.board)]


def all_tiles(view: View, cells: int) -> list[TileFacts]:
    """What the tiles show where each is ``cells`` wide."""
    narrow = cells < NARROW
    return [
        database_tile(view, name, narrow) if pane == "database" else cache_tile(view, name, narrow)
        for pane, name in tile_names(view)
    ]


def draw_tile(facts: TileFacts, cells: int, height: int, selected: bool = False) -> Block:
    """The tile at this size: what is least telling is left out first."""
    inner = cells - 4
    rows = max(0, height - 2)
    if inner >= SIDE_BY_SIDE:
        left = min(46, inner * 2 // 5)
        right = inner - left - 3
        body = beside(
            pad([fit(each, left) for each in facts.members], left, rows),
            pad([figure_line(each, right) for each in facts.figures], right, rows),
            gap=3,
        )
        used = max(len(facts.members), len(facts.figures))
        body = body[:used]
    else:
        figures = facts.figures[: max(1, rows - len(facts.members))] if facts.figures else ()
        members = facts.members[: rows - len(figures)] if len(facts.members) + len(figures) > rows else facts.members
        body = [fit(each, inner) for each in members]
        body += [figure_line(each, inner) for each in figures]
    body += parts_block(facts.parts, inner, rows - len(body))
    body += _charts(facts.figures, inner, rows - len(body))
    framed = [line(" ", each) for each in body]
    return tile(facts.title, framed, cells, height, facts.state, key=facts.key, age_s=facts.age_s, selected=selected)


def _charts(figures: Sequence[Figure], cells: int, rows: int) -> Block:
    """What room is still left shows courses large: a blank row, a heading, then at least three rows each."""
    drawn = [figure for figure in figures if figure.trend is not None and figure.trend.points]
    drawn = drawn[: max(0, rows // 5)]
    block: Block = []
    for at, figure in enumerate(drawn):
        assert figure.trend is not None
        height = rows // len(drawn) + (1 if at < rows % len(drawn) else 0) - 2
        top = figure.high or max(figure.trend.points.values())
        title = line((figure.label, "heading"), (f"  15 min, to {_amount(top, figure.trend.unit)} ", "muted"))
        block += [(), line(title, ("─" * max(0, cells - width(title)), "line"))]
        block += chart(figure.trend.points, min(90, cells), min(height, 8), high=figure.high)
    return block


def _amount(value: float, unit: str) -> str:
    if unit == "ratio":
        return percent(value)
    if unit in ("B", "B/s"):
        return size(value) if unit == "B" else size_rate(value)
    return f"{number(value)}{unit if unit.startswith('/') else ' ' + unit if unit else ''}"


def figure_line(figure: Figure, cells: int) -> Line:
    """``commits    412/s  ▁▂▂▃▅▇▇▆``."""
    label = 8 if cells < 48 else 13
    head = line(*fit(((figure.label, "muted"),), label), *fit(((figure.value, figure.style),), 9, "right"))
    if figure.note:
        head = line(head, "  ", (figure.note, "muted"))
    room = min(90, cells - label - 9 - 2)
    if figure.trend is None or figure.note or room < 6:
        return fit(head, cells)
    return fit(line(head, "  ", trend_line(figure.trend.points, room, high=figure.high)), cells)


def trend_of(board: Board, pane: str, subject: str, *names: str) -> Trend | None:
    """The first of these series that there is."""
    return next((found for name in names if (found := board.get(Trend, f"{pane}/{subject}/{name}")) is not None), None)


def about(view: View, pane: Pane, subject: str) -> list[Finding]:
    """Open findings about a cluster or cache, or a member of it."""
    return [
        each
        for each in view.board.findings
        if each.pane == pane
        and (each.subject == subject or each.subject.startswith(subject + "/"))
        and each.state == "open"
    ]


def _speaks_of(found: Sequence[Finding], *words: str) -> str:
    """Severity of the worst finding whose kind has one of these words; empty: none."""
    return next((each.severity for each in found if any(word in each.kind for word in words)), "")


def _marked(value: str, severity: str) -> str:
    return f"{value} {'■' if severity == 'critical' else '▲'}" if severity else value


def _state(view: View, pane: Pane, subject: str, alone: bool) -> tuple[State, float | None, str]:
    """State of one cluster's tile: the pane's, unless what makes it so belongs to another cluster."""
    whole = view.state(pane)
    if alone or whole.state in ("ok", "not-configured"):
        return whole.state, whole.age_s, whole.why
    found = about(view, pane, subject)
    if found:
        severity: State = found[0].severity
        return severity, whole.age_s, whole.why
    mine = f" {subject}/" in f" {whole.why}" or f" {subject}:" in whole.why or "still to come" in whole.why or view.lost
    return (whole.state if mine else "ok"), whole.age_s, whole.why


def _no_primary(found: Sequence[Finding]) -> Figure:
    return Figure("figures", "unknown", found[0].severity if found else "unknown", note="no primary")


# -- database ----------------------------------------------------------------------------------------------------------


def database_tile(view: View, name: str, narrow: bool = False) -> TileFacts:
    """A PostgreSQL cluster."""
    cluster = cluster_at(view.board, name, view.now)
    found = about(view, "database", name)
    state, age_s, why = _state(view, "database", name, len(clusters(view.board)) == 1)
    primary = next((each.sql for each in cluster.primaries), None)
    return TileFacts(
        "database", name, f"Database · {name}", "3", state, age_s, why,
        tuple(_member_line(cluster, member, found, view.now, narrow, view.lost) for member in _primary_first(cluster)),
        tuple(_database_figures(view, cluster, found)),
        tuple(database_parts(view.board, name, primary, view.now, narrow) if primary else orphan_parts(cluster)),
    )  # fmt: skip


def _silent(reading: Reading | None, now: datetime, narrow: bool, lost: str) -> str:
    """Why nothing is known of a member; short where it is narrow: the finding has the rest."""
    if reading is not None and reading.status == "unreachable" and lost:
        return "not known"
    if not narrow or reading is None or reading.good_at is None:
        return silence(reading, now)
    return f"no answer {short_age((now - reading.good_at).total_seconds())}"


def _primary_first(cluster: Cluster) -> list[Member]:
    """Members as one reads them: who accepts writes, or should, above the others."""
    return sorted(cluster.members, key=lambda member: (not member.is_primary, member.name != cluster.main, member.name))


def _member_line(
    cluster: Cluster, member: Member, found: Sequence[Finding], now: datetime, narrow: bool, lost: str
) -> Line:
    severity = next((each.severity for each in found if each.subject == f"{cluster.name}/{member.name}"), "")
    sql = member.sql
    if sql is None:
        return line(
            ("? ", "unknown strong"),
            *fit(((member.name, "strong"),), 10),
            (_silent(member.sql_raw, now, narrow, lost), severity or "unknown"),
        )
    if sql.in_recovery is False:
        look = "critical" if len(cluster.primaries) > 1 else "primary"
        tail = f"timeline {sql.timeline}" if sql.timeline is not None else ""
        return line(*fit((("● " + member.name, look),), 12), (f"{'primary':<9}", look), (tail, "muted"))
    behind, seconds_behind = _behind(cluster, member)
    if behind is None and sql.receiver_last_message_at is not None:
        heard = short_age((now - sql.receiver_last_message_at).total_seconds())
        word = _standby_word(cluster, member)
        return line(
            *fit("○ " + member.name, 12),
            f"{word:<9}",
            (f"{'' if narrow else 'last '}WAL {heard} ago", severity or "muted"),
        )
    far = line((f"{size(behind) if behind is not None else '?':>8}", severity or "muted"))
    late = f"{seconds_behind:.0f} s" if seconds_behind is not None else ""
    sign = line((" ■" if severity == "critical" else " ▲" if severity else "", severity))
    return line(
        *fit("○ " + member.name, 12),
        f"{_standby_word(cluster, member):<9}",
        far,
        (f"{late:>6}", severity or "muted"),
        sign,
    )


def _replica_of(cluster: Cluster, member: Member) -> Replica | None:
    rows = (row for each in cluster.primaries if each.sql for row in each.sql.replicas.values())
    return next((row for row in rows if row.name == member.name), None)


def _standby_word(cluster: Cluster, member: Member) -> str:
    row = _replica_of(cluster, member)
    if row is not None and row.sync_state in ("sync", "quorum"):
        return row.sync_state
    if row is not None and row.sync_state:
        return "async"
    return "sync" if member.patroni is not None and member.patroni.synchronous_standby else "standby"


def _behind(cluster: Cluster, member: Member) -> tuple[int | None, float | None]:
    """Bytes and seconds that a standby has yet to replay: as its sender counts, else from both positions."""
    row = _replica_of(cluster, member)
    if row is not None and row.replay_lag_bytes is not None:
        return row.replay_lag_bytes, row.replay_lag_s or 0.0
    at = next((each.sql.current_bytes for each in cluster.primaries if each.sql), None)
    if at is None or member.sql is None or member.sql.replayed_bytes is None:
        return None, None
    return max(0, at - member.sql.replayed_bytes), None


def _database_figures(view: View, cluster: Cluster, found: Sequence[Finding]) -> list[Figure]:
    primary = next((each.sql for each in cluster.primaries), None)
    board, name = view.board, cluster.name
    if primary is None:
        return [_no_primary(found)] if cluster.members else []
    figures = [
        _connections(board, name, primary, found),
        Figure("commits", rate(primary.commits_per_s), "", trend_of(board, "database", name, "tps")),
        Figure("WAL", size_rate(primary.wal_per_s), "", trend_of(board, "database", name, "wal_bytes", "wal")),
    ]
    activity = believed(board.get(Activity, f"{name}/{primary.member}"), view.now)
    if activity is not None:
        waiting = len(activity.blocked)
        severity = _speaks_of(found, "lock", "block")
        long = [each for each in activity.sessions.values() if each.state.startswith("idle in transaction")]
        note = f"{len(long)} idle in transaction" if long else ""
        figures.insert(1, Figure("waiting", _marked(str(waiting), severity), severity, note=note or "for locks"))
    held = max((slot.retained_bytes or 0 for slot in primary.slots.values()), default=0)
    if primary.slots:
        severity = _speaks_of(found, "slot")
        figures.append(Figure("slots", _marked(size(held), severity), severity, note="WAL kept"))
    failing = _speaks_of(found, "archiv")
    if primary.archive_mode not in ("", "off"):
        figures.append(Figure("archive", "failing" if failing else "ok", failing or "ok"))
    return figures


def _connections(board: Board, name: str, primary: PostgresMember, found: Sequence[Finding]) -> Figure:
    severity = _speaks_of(found, "connection")
    value = f"{primary.connections}/{primary.max_connections}" if primary.max_connections else str(primary.connections)
    trend = trend_of(board, "database", name, "connections")
    return Figure("conn", _marked(value, severity), severity, trend, high=float(primary.max_connections) or None)


# -- cache -------------------------------------------------------------------------------------------------------------


def cache_tile(view: View, name: str, narrow: bool = False) -> TileFacts:
    """A Redis or Valkey primary with its replicas and Sentinels."""
    cache = cache_at(view.board, name, view.now)
    found = about(view, "cache", name)
    state, age_s, why = _state(view, "cache", name, len(caches(view.board)) == 1)
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
            (_silent(server.raw, now, narrow, lost), severity or "unknown"),
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
        return [_no_primary(found)] if cache.servers else []
    full = _speaks_of(found, "memory", "full", "evict")
    share = primary.used_memory / primary.maxmemory if primary.maxmemory else None
    memory = percent(share) if share is not None else size(primary.used_memory)
    trend = trend_of(board, "cache", name, "memory_ratio") if share is not None else None
    figures = [
        Figure(
            "memory",
            _marked(memory, full),
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
