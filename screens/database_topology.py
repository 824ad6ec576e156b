"""A cluster's topology as a drawing: what SQL says of each member, what Patroni says, and where the two disagree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.readings import PostgresMember, Replica
from screens.database_cluster import Cluster, Member
from screens.database_coordination import store
from screens.section import fact
from screens.trust import silence
from widgets.format import age, count, number, seconds, short_age, size, size_rate
from widgets.spans import Line, joined, line
from widgets.topology import Edge, Node, Topology

QUIET_S = 5.0
"""A receiver that got no message for so long is drawn as cut off (PostgreSQL's own keepalives come sooner)."""


def topology(cluster: Cluster, severities: Mapping[str, str], now: datetime) -> Topology:
    """The drawing. ``severities``: subject of an open finding (``main/pg-3``) → its severity."""
    nodes = [
        _node(cluster, member, severities.get(f"{cluster.name}/{member.name}", ""), now) for member in cluster.members
    ]
    edges = [edge for member in cluster.members if (edge := _edge(cluster, member, severities, now)) is not None]
    for sender in cluster.members:
        for key, replica in (sender.sql.replicas if sender.sql else {}).items():
            if _member_of(cluster, replica) is None:
                nodes.append(_stranger(f"{sender.name}:{key}", replica))
                edges.append(_sent(sender.name, f"{sender.name}:{key}", replica, ""))
    order = sorted(nodes, key=lambda node: (node.key not in {each.name for each in cluster.primaries}, node.key))
    return Topology(tuple(order), tuple(edges), store(cluster, now) if cluster.has_patroni else None)


# -- members -----------------------------------------------------------------------------------------------------------


def _node(cluster: Cluster, member: Member, severity: str, now: datetime) -> Node:
    sql = member.sql
    timeline = sql.timeline if sql else member.dcs.timeline if member.dcs else None
    style = severity or ("line" if sql else "unknown")
    if len(cluster.primaries) > 1 and member.is_primary:
        style = "critical"
    return Node(
        key=member.name,
        name=_name(member),
        role=_role(cluster, member),
        state=_state(member, "critical" if style == "critical" else severity, now),
        corner=f"tl {timeline}" if timeline is not None else "",
        notes=tuple(
            line(("≠ " if "says" in note else "▲ ", tone), (note, tone)) for note, tone in notes(cluster, member, now)
        ),
        facts=_facts(member, now),
        style=style,
    )


def _name(member: Member) -> Line:
    if member.sql is None:
        return line(("? ", "unknown"), (member.name, "strong"))
    return (
        line(("● ", "primary"), (member.name, "primary"))
        if member.is_primary
        else line(("○ ", ""), (member.name, "strong"))
    )


def _role(cluster: Cluster, member: Member) -> Line:
    if member.sql is None:
        told = member.dcs.role.replace("_", " ") if member.dcs else ""
        return line((f"{told}?" if told else "role unknown", "unknown"))
    if member.is_primary:
        return line(("primary", "critical" if len(cluster.primaries) > 1 else "primary"))
    if member.sql.in_recovery is None:
        return line(("role unknown", "unknown"))
    synchronous = member.patroni is not None and member.patroni.synchronous_standby
    return line("sync standby" if synchronous else "standby")


def _state(member: Member, severity: str, now: datetime) -> Line:
    sql = member.sql
    if sql is None:
        return line((silence(member.sql_raw, now), "critical" if severity == "critical" else "unknown"))
    if sql.in_recovery is False:
        state = line(("accepts writes" if severity == "critical" else "running", severity or "ok"))
    elif sql.replay_paused:
        state = line(("replay paused", "warning"))
    elif _cut_off(sql, now):
        state = line((f"receiver quiet for {age(_quiet_s(sql, now))}", "warning"))
    elif sql.receiver_status:
        state = line((sql.receiver_status, "ok" if sql.receiver_status == "streaming" and not severity else "warning"))
    else:
        state = line(("not streaming", "warning"))
    if sql.status == "partial":
        state = joined((state, line((f"in part: {sql.problem}", "warning"))))
    return state


def _quiet_s(sql: PostgresMember, now: datetime) -> float:
    """Seconds since the receiver's last message, as of the look: it does not grow between looks."""
    if sql.receiver_last_message_at is None:
        return 0.0
    return max(0.0, (sql.taken_at - sql.receiver_last_message_at).total_seconds())


def _cut_off(sql: PostgresMember, now: datetime) -> bool:
    return bool(sql.receiver_status) and _quiet_s(sql, now) > QUIET_S


def _facts(member: Member, now: datetime) -> tuple[Line, ...]:
    sql = member.sql
    facts: list[Line] = []
    if sql is not None:
        up = fact("up", short_age((now - sql.started_at).total_seconds())) if sql.started_at else ()
        usable = sql.max_connections - sql.reserved_connections
        connections = fact("connections", f"{count(sql.connections)} of {count(usable)}") if sql.max_connections else ()
        if sql.in_recovery is False:
            facts.append(
                joined((fact("WAL", size_rate(sql.wal_per_s)), fact("commits", f"{number(sql.commits_per_s)}/s")))
            )
            facts.append(connections)
        else:
            facts.append(joined((_behind(sql), connections)))
        facts.append(joined((up, line((f"PostgreSQL {sql.version}", "muted")) if sql.version else ())))
        if sql.clock_off_s is not None and abs(sql.clock_off_s) >= 1:
            facts.insert(0, fact("clock off by", seconds(sql.clock_off_s), "warning"))
    facts.append(_patroni_words(member))
    return tuple(each for each in facts if each)


def _behind(sql: PostgresMember) -> Line:
    if sql.received_bytes is None or sql.replayed_bytes is None:
        return ()
    return fact("to replay", size(max(0, sql.received_bytes - sql.replayed_bytes)))


def _patroni_words(member: Member) -> Line:
    patroni = member.patroni
    if patroni is None:
        return ()
    extra = [
        word
        for word, there in (
            ("pending restart", patroni.pending_restart),
            ("nofailover", bool(member.dcs and member.dcs.tags.get("nofailover"))),
        )
        if there
    ]
    words = [word for word in (patroni.role, patroni.state, *extra) if word]
    return fact("Patroni", ", ".join(words)) if words else ()


# -- where the two disagree --------------------------------------------------------------------------------------------


def notes(cluster: Cluster, member: Member, now: datetime) -> list[tuple[str, str]]:
    """What is contradictory or missing about a member: sentence and style."""
    found: list[tuple[str, str]] = []
    sql, dcs = member.sql, member.dcs
    if sql is not None and sql.sync_missing:
        found.append(("commits wait: no synchronous standby", "critical"))
    if dcs is not None:
        found += [(sentence, "warning") for sentence in _contradictions(member, now)]
    elif member.has_patroni and cluster.view is not None:
        found.append(("/cluster says nothing of it", "warning"))
    if member.has_patroni and member.patroni is None:
        found.append((f"Patroni: {silence(member.patroni_raw, now)}", "unknown"))
    elif member.patroni is not None and member.patroni.state not in ("running", "streaming", ""):
        found.append((f"Patroni: {member.patroni.state}", "warning"))
    if member.patroni is not None and member.patroni.watchdog_failed:
        found.append(("watchdog failed", "critical"))
    return found


def _contradictions(member: Member, now: datetime) -> list[str]:
    sql, dcs = member.sql, member.dcs
    if dcs is None:
        return []
    state = dcs.state or dcs.role
    if sql is None:
        if member.sql_raw is not None and not member.sql_raw.readable and state in ("running", "streaming"):
            good_at = member.sql_raw.good_at
            span = f" for {age((now - good_at).total_seconds())}" if good_at else ""
            return [f"/cluster says {state}, SQL does not answer{span}"]
        return []
    leads = dcs.role in ("leader", "standby_leader")
    if sql.in_recovery is False and not leads:
        return [f"/cluster says {dcs.role.replace('_', ' ')}, SQL accepts writes"]
    if sql.in_recovery and dcs.role == "leader":
        return ["/cluster says leader, SQL is in recovery"]
    found = []
    if sql.in_recovery and dcs.state == "streaming" and not sql.receiver_status:
        found.append("/cluster says streaming, SQL has no receiver")
    if dcs.timeline is not None and sql.timeline is not None and dcs.timeline != sql.timeline:
        found.append(f"/cluster says timeline {dcs.timeline}, SQL {sql.timeline}")
    return found


# -- links -------------------------------------------------------------------------------------------------------------


def _member_of(cluster: Cluster, replica: Replica) -> Member | None:
    """The watched member that a sender's row is about: by name, else by address."""
    by_name = cluster.member(replica.name)
    if by_name is not None:
        return by_name
    for member in cluster.members:
        host = member.sql.address.rpartition(":")[0] if member.sql else ""
        if host and replica.address == host and not host.startswith(("127.", "::1", "localhost")):
            return member
    return None


def _edge(cluster: Cluster, member: Member, severities: Mapping[str, str], now: datetime) -> Edge | None:
    if member.is_primary:
        return None
    severity = severities.get(f"{cluster.name}/{member.name}", "")
    for sender in cluster.members:
        for replica in sender.sql.replicas.values() if sender.sql else ():
            if _member_of(cluster, replica) is member and sender is not member:
                return _sent(sender.name, member.name, replica, severity)
    upstream = _upstream(cluster, member)
    if upstream is None or upstream is member:
        return None
    sql, sender_sql = member.sql, upstream.sql
    kind = "sync" if member.patroni is not None and member.patroni.synchronous_standby else ""
    if sql is None:
        return Edge(upstream.name, member.name, "", kind=kind, style="unknown", broken="not known")
    distance = _distance(sender_sql, sql)
    if sender_sql is None:
        quiet = _quiet_s(sql, now)
        why = f"no WAL for {age(quiet)}" if quiet > QUIET_S else "sender silent"
        return Edge(upstream.name, member.name, distance, kind=kind, style="warning", broken=why)
    behind = (sql.taken_at - sql.replayed_at).total_seconds() if sql.replayed_at else None
    span = seconds(behind) if behind is not None and behind >= 1 and distance not in ("", "0 B") else ""
    return Edge(upstream.name, member.name, distance, span, kind, severity or "warning", broken="cut off")


def _distance(sender: PostgresMember | None, receiver: PostgresMember) -> str:
    if sender is None or sender.current_bytes is None or receiver.replayed_bytes is None:
        return ""
    return size(max(0, sender.current_bytes - receiver.replayed_bytes))


def _sent(source: str, target: str, replica: Replica, severity: str) -> Edge:
    """The link as the sender counts it."""
    state = "" if replica.state in ("streaming", "") else f"{replica.state} "
    style = severity or ("" if not state else "warning")
    return Edge(
        source,
        target,
        size(replica.replay_lag_bytes),
        seconds(replica.replay_lag_s)
        if replica.replay_lag_s is not None
        else "0 s"
        if replica.replay_lag_bytes == 0
        else "",
        state + replica.sync_state,
        style,
    )


def _upstream(cluster: Cluster, member: Member) -> Member | None:
    """Whom a standby follows: where its receiver connects, else the leader, else the only primary."""
    receiver_from = member.sql.receiver_from if member.sql else ""
    if receiver_from:
        for other in cluster.members:
            if receiver_from in (other.sql.address if other.sql else None, _dcs_address(other)):
                return other
        untold = [other for other in cluster.members if other is not member and other.sql is None and not other.dcs]
        if len(untold) == 1:  # nobody told us its address, and it is nobody else's
            return untold[0]
    if cluster.leader:
        return cluster.member(cluster.leader)
    return cluster.primaries[0] if len(cluster.primaries) == 1 else None


def _dcs_address(member: Member) -> str:
    return f"{member.dcs.host}:{member.dcs.port}" if member.dcs and member.dcs.host else ""


def _stranger(key: str, replica: Replica) -> Node:
    """Somebody who receives WAL and is not a watched member: a backup tool, a foreign standby."""
    return Node(
        key=key,
        name=line(("◌ ", "muted"), (replica.name or "unnamed receiver", "")),
        role=line(("not watched", "muted")),
        state=line(replica.state),
        facts=tuple(
            fact(label, value) for label, value in (("from", replica.address), ("slot", replica.slot)) if value
        ),
    )
