"""Standbys that answer and fall behind, and commits that wait for one."""

from __future__ import annotations

from datetime import timedelta

from console.assessment.look import Look, fact
from console.assessment.symptom import Clear, Said, Symptom, kind
from console.assessment.views import Cluster, Member
from console.assessment.words import clock, count, size, span
from console.readings import Activity, Evidence, PostgresMember, Session
from console.readings.finding import Severity

_BYTES_COUNT_FROM_S = 5.0
"""A burst may put a standby many megabytes behind for a moment; bytes count once it is this late too."""


@kind("standby-lagging", "database", "warning_seconds", "critical_seconds", "warning_bytes")
def standby_lagging(look: Look) -> Said:
    """A standby's replayed position is behind what the primary had written a while ago."""
    for cluster in look.clusters.values():
        writer = cluster.writer
        if writer is None or writer.sql is None or writer.sql.current_bytes is None:
            continue
        for member in cluster.members.values():
            if member.is_standby and member.sql is not None:
                yield _lag(look, cluster, writer.sql, member, member.sql)


def _lag(
    look: Look, cluster: Cluster, primary: PostgresMember, member: Member, standby: PostgresMember
) -> Symptom | Clear:
    good = Clear(subject=member.subject, stands_on=(standby,))
    if standby.replayed_bytes is None or primary.current_bytes is None:
        return good
    late = _late_s(look, cluster, member, standby)
    behind = primary.current_bytes - standby.replayed_bytes
    seconds = look.limit("standby-lagging", "warning_seconds", member.subject)
    limit = look.limit("standby-lagging", "warning_bytes", member.subject)
    if behind <= 0 or (late < seconds and (behind < limit or late < _BYTES_COUNT_FROM_S)):
        return good
    severe = late >= look.limit("standby-lagging", "critical_seconds", member.subject)
    unsent = max(0, primary.current_bytes - (standby.received_bytes or standby.replayed_bytes))
    return Symptom(
        subject=member.subject,
        severity="critical" if severe else "warning",
        title=f"Standby {member.name} of {cluster.name} is {span(late)} behind ({size(behind)})",
        impact=f"Users feel nothing, but what reads from {member.name} is {span(late)} old, and a failover to it would lose that.",
        action=_stuck(member, standby, unsent, behind),
        stands_on=(standby, primary),
        since=standby.taken_at - timedelta(seconds=late),
        evidence=(
            fact(
                standby,
                "behind",
                f"{span(late)}, {size(behind)}",
                span(look.threshold("standby-lagging", "warning_seconds")),
            ),
            fact(standby, "not received", size(unsent)),
            fact(standby, "received, not replayed", size(max(0, behind - unsent))),
            _receiver(standby),
        ),
    )


def _late_s(look: Look, cluster: Cluster, member: Member, standby: PostgresMember) -> float:
    """Seconds behind, from positions; a delay that is configured on purpose does not count."""
    memory = look.remembers(cluster)
    position = standby.replayed_bytes or 0
    late = memory.behind_s(position, standby.taken_at) or 0.0
    if not memory.covers(position) and memory.stood_still(member.name):
        # Watched for too short to know when the primary was there: the last replayed commit tells, where it stands still.
        late = max(late, member.age_s(standby.taken_at, standby.replayed_at) or 0.0)
    return max(0.0, late - _delay_s(member))


def _delay_s(member: Member) -> float:
    row = member.settings.settings.get("recovery_min_apply_delay") if member.settings else None
    if row is None or not row.value.isdigit():
        return 0.0
    return int(row.value) / 1000


def _stuck(member: Member, standby: PostgresMember, unsent: int, behind: int) -> str:
    if standby.replay_paused:
        return f"Replay on {member.name} is paused: SELECT pg_wal_replay_resume() there, unless somebody means it."
    if unsent >= behind / 2:
        return f"{member.name} receives nothing or too slowly: look at its WAL receiver, its log and the network."
    return (
        f"{member.name} receives but does not replay: look for a long query or a recovery conflict there, and its disk."
    )


def _receiver(standby: PostgresMember) -> Evidence:
    said = standby.receiver_status or "no receiver runs"
    at = standby.receiver_last_message_at
    return fact(standby, "WAL receiver", f"{said}, last message {clock(at)}" if at else said)


@kind("standby-not-streaming", "database", "after_seconds", "quiet_seconds")
def standby_not_streaming(look: Look) -> Said:
    """A standby has no connection to the server it follows, or hears nothing over it."""
    for cluster in look.clusters.values():
        if cluster.writer is None:
            continue
        for member in cluster.members.values():
            if member.is_standby and member.sql is not None and not _hears(look, member, member.sql):
                yield _deaf(look, cluster, member, member.sql, cluster.writer)


def _hears(look: Look, member: Member, sql: PostgresMember) -> bool:
    if sql.receiver_status != "streaming":
        return False
    quiet = member.age_s(sql.taken_at, sql.receiver_last_message_at)
    return quiet is None or quiet < look.limit("standby-not-streaming", "quiet_seconds", member.subject)


def _deaf(look: Look, cluster: Cluster, member: Member, sql: PostgresMember, writer: Member) -> Symptom:
    return Symptom(
        subject=member.subject,
        severity="warning",
        title=f"Standby {member.name} of {cluster.name} does not stream from its primary",
        impact=f"Users feel nothing yet; {member.name} falls behind with the next write and cannot take over safely.",
        action=f"Read the log of {member.name} for why its WAL receiver cannot connect (password, slot, WAL removed, timeline).",
        stands_on=(sql, *((writer.sql,) if writer.sql else ())),
        since=member.ours(sql.receiver_last_message_at) if sql.receiver_last_message_at else None,
        evidence=(
            _receiver(sql),
            fact(sql, "follows", sql.receiver_from or "nobody"),
            fact(sql, "timeline", str(sql.timeline or "?")),
        ),
        causes=(f"two-primaries:{cluster.name}", f"slot-retains-wal:{cluster.name}/{member.name.replace('-', '_')}"),
        hidden_by=(f"standby-lagging:{member.subject}", f"standby-unreachable:{member.subject}"),
        after_s=look.threshold("standby-not-streaming", "after_seconds"),
    )


@kind("sync-standby-missing", "database", "waited_seconds", "sessions")
def sync_standby_missing(look: Look) -> Said:
    """Commits wait for a synchronous standby."""
    for cluster in look.clusters.values():
        writer = cluster.writer
        if writer is None or writer.sql is None:
            continue
        waiting = _waiting_commits(look, writer) if writer.activity else []
        if len(waiting) >= look.limit("sync-standby-missing", "sessions", cluster.name) and writer.activity:
            yield _commits_hang(look, cluster, writer.sql, writer.activity, waiting)
        elif writer.sql.sync_missing:
            yield _commits_hang(look, cluster, writer.sql, writer.sql, [])
        else:
            yield Clear(subject=cluster.name, stands_on=(writer.sql,))


def _waiting_commits(look: Look, writer: Member) -> list[tuple[float, Session]]:
    """Sessions whose commit waits for a standby, with the seconds since their statement began, longest first."""
    if writer.activity is None:
        return []
    least, found = look.threshold("sync-standby-missing", "waited_seconds"), []
    for session in writer.activity.sessions.values():
        if session.wait == "IPC: SyncRep":
            waited = writer.age_s(writer.activity.taken_at, session.query_start or session.state_change)
            if waited is not None and waited >= least:
                found.append((waited, session))
    return sorted(found, key=lambda pair: (-pair[0], pair[1].pid))


def _commits_hang(
    look: Look,
    cluster: Cluster,
    sql: PostgresMember,
    reading: PostgresMember | Activity,
    waiting: list[tuple[float, Session]],
) -> Symptom:
    databases: dict[str, int] = {}
    for _waited, session in waiting:
        databases[session.database] = databases.get(session.database, 0) + 1
    users = look.these(databases) if databases else look.users(cluster)
    longest = waiting[0][0] if waiting else None
    evidence = [fact(sql, "synchronous_standby_names", sql.synchronous_names or "?")]
    if longest is not None:
        evidence.insert(0, fact(reading, "commits waiting", f"{len(waiting)}, the longest for {span(longest)}"))
    severity: Severity = "critical"
    return Symptom(
        subject=cluster.name,
        severity=severity,
        title=f"Commits on {cluster.name} wait: the synchronous standby does not confirm"
        + (f" ({count(len(waiting), 'session')})" if waiting else ""),
        impact=f"{users.words} cannot save: every write waits.",
        action="Bring the synchronous standby back, or let Patroni choose another (it does where one streams).",
        stands_on=(reading,),
        since=reading.taken_at - timedelta(seconds=longest) if longest is not None else None,
        affects=users.databases,
        evidence=tuple(evidence),
        causes=(
            *(f"standby-unreachable:{member.subject}" for member in cluster.members.values()),
            *(f"standby-lagging:{member.subject}" for member in cluster.members.values()),
            *(f"standby-not-streaming:{member.subject}" for member in cluster.members.values()),
            f"patroni-paused:{cluster.name}",
        ),
        hidden_by=(f"two-primaries:{cluster.name}",),
    )
