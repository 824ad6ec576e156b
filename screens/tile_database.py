"""The tile of a PostgreSQL cluster.

A figure is marked only where a finding speaks of it: one place decides what is bad (the assessment), not two.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.board import Board
from console.readings import Activity, Finding, PostgresMember, Replica, believed
from screens.database_cluster import Cluster, Member, cluster_at, clusters
from screens.tile_drawing import Figure, TileFacts
from screens.tile_extras import database_parts, orphan_parts
from screens.tile_words import about, marked, no_primary, silent, speaks_of, tile_state, trend_of
from screens.view import View
from widgets.format import rate, short_age, size, size_rate
from widgets.spans import Line, fit, line


def database_tile(view: View, name: str, narrow: bool = False) -> TileFacts:
    """A PostgreSQL cluster."""
    cluster = cluster_at(view.board, name, view.now)
    found = about(view, "database", name)
    state, age_s, why = tile_state(view, "database", name, len(clusters(view.board)) == 1)
    primary = next((each.sql for each in cluster.primaries), None)
    return TileFacts(
        "database", name, f"Database · {name}", "3", state, age_s, why,
        tuple(_member_line(cluster, member, found, view.now, narrow, view.lost) for member in _primary_first(cluster)),
        tuple(_database_figures(view, cluster, found)),
        tuple(database_parts(view.board, name, primary, view.now, narrow) if primary else orphan_parts(cluster)),
    )  # fmt: skip


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
            (silent(member.sql_raw, now, narrow, lost), severity or "unknown"),
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
        return [no_primary(found)] if cluster.members else []
    figures = [
        _connections(board, name, primary, found),
        Figure("commits", rate(primary.commits_per_s), "", trend_of(board, "database", name, "tps")),
        Figure("WAL", size_rate(primary.wal_per_s), "", trend_of(board, "database", name, "wal_bytes", "wal")),
    ]
    activity = believed(board.get(Activity, f"{name}/{primary.member}"), view.now)
    if activity is not None:
        waiting = len(activity.blocked)
        severity = speaks_of(found, "lock", "block")
        long = [each for each in activity.sessions.values() if each.state.startswith("idle in transaction")]
        note = f"{len(long)} idle in transaction" if long else ""
        figures.insert(1, Figure("waiting", marked(str(waiting), severity), severity, note=note or "for locks"))
    held = max((slot.retained_bytes or 0 for slot in primary.slots.values()), default=0)
    if primary.slots:
        severity = speaks_of(found, "slot")
        figures.append(Figure("slots", marked(size(held), severity), severity, note="WAL kept"))
    failing = speaks_of(found, "archiv")
    if primary.archive_mode not in ("", "off"):
        figures.append(Figure("archive", "failing" if failing else "ok", failing or "ok"))
    return figures


def _connections(board: Board, name: str, primary: PostgresMember, found: Sequence[Finding]) -> Figure:
    severity = speaks_of(found, "connection")
    value = f"{primary.connections}/{primary.max_connections}" if primary.max_connections else str(primary.connections)
    trend = trend_of(board, "database", name, "connections")
    return Figure("conn", marked(value, severity), severity, trend, high=float(primary.max_connections) or None)
