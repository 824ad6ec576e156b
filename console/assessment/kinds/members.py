"""Standbys that cannot be reached."""

from __future__ import annotations

from console.assessment.look import Look, fact, patroni_says
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.views import Cluster, Member, silent
from console.assessment.words import clock, count
from console.readings import Evidence


@kind("standby-unreachable", "database", "after_seconds", "silent_after_seconds")
def standby_unreachable(look: Look) -> Said:
    """A member that is not the primary cannot be reached."""
    for cluster in look.clusters.values():
        for member in cluster.members.values():
            if member.down and (cluster.writer is not None or member is not cluster.primary):
                yield _gone(look, cluster, member)


def _gone(look: Look, cluster: Cluster, member: Member) -> Symptom:
    sql = member.sql_last
    was = look.remembers(cluster).was_primary.get(member.name)
    hangs = silent(sql)
    how = "does not answer" if hangs else "cannot be reached"
    who = (
        f"{member.name} of {cluster.name}, primary until {clock(was)},"
        if was
        else f"Standby {member.name} of {cluster.name}"
    )
    after = "silent_after_seconds" if hangs else "after_seconds"
    good_at = sql.good_at if sql else None
    return Symptom(
        subject=member.subject,
        severity="warning",
        title=f"{who} {how}",
        impact=_impact(look, cluster, member),
        action=f"Look at host and log of {member.name}"
        + ("; keep applications off it: it may wake up as a second primary." if was and hangs else "."),
        stands_on=(sql,) if sql else (),
        since=good_at,
        evidence=(fact(sql, "PostgreSQL", sql.problem if sql else "?"), *_patroni(member)),
        hidden_by=(
            f"primary-unreachable:{cluster.name}",
            # It was primary a moment ago: one story at a time.
            f"primary-unreachable:{member.subject}",
            f"primary-hung:{member.subject}",
        ),
        covers=member.sql_addresses if member.patroni else member.addresses,
        after_s=look.threshold("standby-unreachable", after),
    )


def _impact(look: Look, cluster: Cluster, member: Member) -> str:
    writer = cluster.writer
    left = [other for other in cluster.members.values() if other.is_standby and other is not member]
    spare = f"{count(len(left), 'standby', 'standbys')} left to take over"
    if writer is None or writer.sql is None:
        return f"One member fewer can take over: {spare}."
    if member.name in writer.sql.synchronous_names:
        return f"{look.users(cluster).words}: saving may wait while {member.name} is the synchronous standby; {spare}."
    return (
        f"Users feel nothing yet; {spare}." if left else "Users feel nothing yet, but no standby is left to take over."
    )


def _patroni(member: Member) -> tuple[Evidence, ...]:
    if member.patroni is not None:
        return (fact(member.patroni, "Patroni", patroni_says(member.patroni)),)
    if member.patroni_last is not None:
        return (fact(member.patroni_last, "Patroni", member.patroni_last.problem or member.patroni_last.status),)
    return ()
