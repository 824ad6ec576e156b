"""Patroni and its configuration store."""

from __future__ import annotations

from datetime import datetime

from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.views import Cluster, Member, down
from console.assessment.words import clock, listing, span
from console.readings import PatroniMember, Reading, address


def _host_gone(cluster: Cluster, member: Member) -> tuple[str, ...]:
    """Findings that already say that this member's PostgreSQL, or its whole host, is away."""
    return (
        f"primary-unreachable:{member.subject}",
        f"primary-unreachable:{cluster.name}",
        f"primary-hung:{member.subject}",
        f"standby-unreachable:{member.subject}",
    )


@kind("patroni-paused", "database")
def patroni_paused(look: Look) -> Said:
    """Maintenance mode: Patroni looks on and does nothing."""
    for cluster in look.clusters.values():
        paused = [patroni for patroni in cluster.patronis if patroni.paused]
        if not paused:
            continue
        yield Symptom(
            subject=cluster.name,
            severity="warning",
            title=f"Patroni of {cluster.name} is paused: no failover would happen",
            impact="Users feel nothing yet; if the primary fails now, it stays down until somebody acts.",
            action="Ask who paused it and why; when the work is done: patronictl resume.",
            stands_on=_leaders_word(cluster, paused),
            evidence=(
                fact(paused[0], "paused, as told by", listing([patroni.member for patroni in paused])),
                fact(paused[0], "leader", cluster.leader or "nobody"),
            ),
        )


def _leaders_word(cluster: Cluster, paused: list[PatroniMember]) -> tuple[Reading, ...]:
    """The leader's reading where it says so, else any: one that is paused is enough, and one is asked in time."""
    return (next((patroni for patroni in paused if patroni.member == cluster.leader), paused[0]),)


@kind("patroni-unreachable", "database", "after_seconds", "settle_seconds")
def patroni_unreachable(look: Look) -> Said:
    """A member's Patroni cannot be reached while its PostgreSQL can."""
    for cluster in look.clusters.values():
        for member in cluster.members.values():
            last = member.patroni_last
            if last is None or not down(last):
                continue
            ttl = max((patroni.ttl_s or 0 for patroni in cluster.patronis), default=0)
            yield Symptom(
                subject=member.subject,
                severity="critical" if member.is_primary else "warning",
                title=f"Patroni of {member.name} in {cluster.name} does not answer",
                impact=_unguarded(member, ttl),
                action=f"On {member.name}: is Patroni running, and what does its log say? Start it again."
                + (" If it hangs, stop PostgreSQL there before the others promote." if member.is_primary else ""),
                stands_on=(last,),
                since=last.good_at,
                evidence=(
                    fact(last, "Patroni", last.problem or last.status),
                    fact(
                        member.sql,
                        "PostgreSQL",
                        "out of recovery" if member.is_primary else "answers" if member.sql else "?",
                    ),
                    *(
                        (fact(cluster.voters[0], "leader key", cluster.leader or "held by nobody"),)
                        if cluster.voters
                        else ()
                    ),
                ),
                # Without its store Patroni is slow to answer; that is said once.
                hidden_by=(*_host_gone(cluster, member), f"dcs-unreachable:{cluster.name}"),
                covers=(address(PatroniMember, member.subject),),
                after_s=look.threshold("patroni-unreachable", "after_seconds"),
                settle_s=look.threshold("patroni-unreachable", "settle_seconds"),
            )


def _unguarded(member: Member, ttl: float) -> str:
    if not member.is_primary:
        return f"Users feel nothing; {member.name} cannot take over and does not rejoin by itself."
    within = f" within {span(ttl + 10)}" if ttl else ""
    return f"Users feel nothing yet; the others promote a new primary{within}, while {member.name} goes on accepting writes."


@kind("dcs-unreachable", "database", "after_seconds", "loops", "settle_seconds")
def dcs_unreachable(look: Look) -> Said:
    """Patroni has not reached its configuration store (etcd, Consul …) for too long."""
    for cluster in look.clusters.values():
        lost = {
            member.name: member
            for member in cluster.members.values()
            if member.patroni is not None and _out_of_touch(look, member, member.patroni)
        }
        if lost and len(lost) == len(cluster.patronis):
            yield _dcs_gone(look, cluster, list(lost.values()))
            continue
        for member in lost.values():
            yield _member_cut_off(look, cluster, member)


def _out_of_touch(look: Look, member: Member, patroni: PatroniMember) -> bool:
    silent_s = member.age_s(patroni.taken_at, patroni.dcs_last_seen)
    if silent_s is None:
        return False
    loops = look.threshold("dcs-unreachable", "loops") * (patroni.loop_wait_s or 10.0)
    return silent_s >= max(look.threshold("dcs-unreachable", "after_seconds"), loops)


def _seen(members: list[Member]) -> datetime | None:
    moments = [
        member.ours(member.patroni.dcs_last_seen)
        for member in members
        if member.patroni and member.patroni.dcs_last_seen
    ]
    return max(moments, default=None)


def _dcs_gone(look: Look, cluster: Cluster, members: list[Member]) -> Symptom:
    users = look.users(cluster)
    failsafe = any(patroni.failsafe_active for patroni in cluster.patronis)
    if cluster.writer is None:
        impact = f"{users.words}: nothing can be saved, since Patroni takes write access away without its store."
    elif failsafe:
        impact = "Users feel nothing: failsafe mode keeps the primary; any further failure takes it away."
    else:
        impact = f"{users.words}: nothing can be saved once Patroni gives up the primary, within seconds."
    last = _seen(members)
    return Symptom(
        subject=cluster.name,
        severity="critical",
        title=f"Patroni of {cluster.name} cannot reach its configuration store",
        impact=impact,
        action="Bring the store (etcd) back: its processes, its quorum, its disk. Then Patroni promotes by itself.",
        stands_on=tuple(member.patroni for member in members if member.patroni is not None),
        since=last,
        affects=users.databases if cluster.writer is None else (),
        evidence=tuple(
            fact(member.patroni, f"{member.name} last reached it", clock(member.patroni.dcs_last_seen))
            for member in members
            if member.patroni is not None
        ),
    )


def _member_cut_off(look: Look, cluster: Cluster, member: Member) -> Symptom:
    patroni = member.patroni
    return Symptom(
        subject=member.subject,
        severity="warning",
        title=f"Patroni of {member.name} in {cluster.name} cannot reach its store",
        impact=f"Users feel nothing yet; {member.name} can neither keep nor take the leader key.",
        action=f"Look at the network between {member.name} and the store, and at Patroni's log there.",
        stands_on=(patroni,) if patroni else (),
        since=_seen([member]),
        evidence=(fact(patroni, "last reached it", clock(patroni.dcs_last_seen if patroni else None)),),
        hidden_by=(f"dcs-unreachable:{cluster.name}", *_host_gone(cluster, member)),
        # When the store comes back, members find it again one after the other.
        settle_s=look.threshold("dcs-unreachable", "settle_seconds"),
    )


@kind("leader-stale", "database", "after_seconds")
def leader_stale(look: Look) -> Said:
    """The leader key names nobody, or somebody else than the member that accepts writes."""
    for cluster in look.clusters.values():
        writer = cluster.writer
        if writer is None or not cluster.voters or cluster.leader == writer.name:
            continue
        names = cluster.leader or "nobody"
        yield Symptom(
            subject=cluster.name,
            severity="warning",
            title=f"{cluster.name}: {writer.name} accepts writes, the leader key names {names}",
            impact="Users feel nothing yet; Patroni may demote the primary or promote another at any moment.",
            action="Compare `patronictl list` on every member; read Patroni's log on the member that accepts writes.",
            stands_on=(*cluster.voters, *((writer.sql,) if writer.sql else ())),
            evidence=tuple(
                fact(patroni, f"leader as {patroni.member} sees it", patroni.leader or "nobody")
                for patroni in cluster.voters
            ),
            causes=(f"patroni-paused:{cluster.name}",),
            hidden_by=(
                f"two-primaries:{cluster.name}",
                f"dcs-unreachable:{cluster.name}",
                f"patroni-unreachable:{writer.subject}",
            ),
            after_s=look.threshold("leader-stale", "after_seconds"),
        )
