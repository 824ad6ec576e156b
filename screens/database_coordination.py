"""How a cluster is coordinated: the leader key, Patroni's store, the synchronous mode, and what stands out about them."""

from __future__ import annotations

from datetime import datetime

from screens.database_cluster import Cluster
from screens.section import fact
from widgets.format import age, seconds, size
from widgets.spans import Line, joined, line
from widgets.topology import Node

DCS_LATE_S = 4.0
"""Beyond so many seconds and three loops Patroni counts as not reaching its store."""


def store_state(cluster: Cluster, now: datetime) -> Line:
    """Whether Patroni reaches its store: the latest contact that any member reports."""
    view = cluster.view
    if view is None:
        return line(("no Patroni answers", "unknown"))
    seen = [(each.patroni.dcs_last_seen, each.patroni) for each in cluster.members if each.patroni is not None]
    times = [(moment, patroni) for moment, patroni in seen if moment is not None]
    if not times:
        return line(("DCS contact not known", "unknown"))
    late = [
        patroni.member
        for moment, patroni in times
        if (patroni.taken_at - moment).total_seconds() > DCS_LATE_S + 3 * (patroni.loop_wait_s or 10)
    ]
    if not late:
        return line(("DCS ", "muted"), ("ok", "ok"))
    latest = max(moment for moment, _ in times)
    if len(late) == len(times):
        return line((f"DCS not reached for {age((now - latest).total_seconds())}", "critical"))
    return line((f"DCS not reached by {', '.join(late)}", "warning"))


def leader_words(cluster: Cluster) -> Line:
    """Who holds the leader key."""
    view = cluster.view
    if view is None:
        return line(("leader key not known", "unknown"))
    if view.cluster_unlocked or not view.leader:
        return line(("leader key held by nobody", "critical"))
    return fact("leader key", view.leader, "primary")


def flags(cluster: Cluster) -> list[Line]:
    """What stands out about how Patroni runs this cluster."""
    found: list[Line] = []
    patronis = [each.patroni for each in cluster.members if each.patroni is not None]
    if any(each.paused for each in patronis):
        found.append(line(("PAUSED: no automatic failover", "warning")))
    if any(each.failsafe_active for each in patronis):
        found.append(line(("failsafe mode", "warning")))
    failed = [each.member for each in patronis if each.watchdog_failed]
    if failed:
        found.append(line((f"watchdog failed on {', '.join(failed)}", "critical")))
    pending = [each.member for each in patronis if each.pending_restart]
    if pending:
        found.append(line((f"restart pending on {', '.join(pending)}", "warning")))
    return found


def synchronous_words(cluster: Cluster) -> Line:
    """The synchronous mode and who stands by."""
    view = cluster.view
    if view is None or not view.synchronous_mode:
        names = [each.sql.synchronous_names for each in cluster.primaries if each.sql]
        return fact("synchronous", names[0] or "off") if names else ()
    standbys = [each.name for each in view.members.values() if each.role in ("sync_standby", "quorum_standby")]
    wanted = view.synchronous_mode not in ("", "off")
    if wanted and not standbys:
        return line(("synchronous ", "muted"), (f"{view.synchronous_mode}, no standby", "warning"))
    return fact("synchronous", view.synchronous_mode + (f": {', '.join(standbys)}" if standbys else ""))


def store(cluster: Cluster, now: datetime) -> Node:
    view = cluster.view
    facts: list[Line] = [synchronous_words(cluster)]
    if view is not None:
        facts.append(
            joined(
                (
                    fact("ttl", seconds(view.ttl_s)),
                    fact("loop", seconds(view.loop_wait_s)),
                    fact("max lag at failover", size(view.maximum_lag_bytes))
                    if view.maximum_lag_bytes is not None
                    else (),
                )
            )
        )
        if view.history:
            newest = max(view.history)
            facts.append(fact(f"timeline {newest} ended:", view.history[newest]))
        facts.append(fact("seen by", f"Patroni of {view.member}"))
    return Node(
        key="store",
        name=line(("◇ ", ""), ("coordination", "strong")),
        role=line((f"Patroni {view.version}" if view else "", "muted")),
        state=joined((leader_words(cluster), store_state(cluster, now))),
        notes=tuple(line(("▲ ", each[0][1]), each) for each in flags(cluster)),
        facts=tuple(each for each in facts if each),
        style="line" if view else "unknown",
    )
