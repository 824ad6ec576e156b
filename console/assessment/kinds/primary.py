"""Who accepts writes: nobody, two, one that does not answer, one that just started anew."""

from __future__ import annotations

from datetime import timedelta

from console.assessment.look import Look, fact, patroni_says
from console.assessment.memory import Start, recent
from console.assessment.symptom import Clear, Said, Symptom, kind
from console.assessment.views import Cluster, Member, silent, starting
from console.assessment.words import clock, listing, size, span
from console.readings import Evidence, Reading


def readings_of(*members: Member) -> tuple[Reading, ...]:
    """The members' last readings."""
    return tuple(member.sql_last for member in members if member.sql_last is not None)


@kind("two-primaries", "database")
def two_primaries(look: Look) -> Said:
    """More than one member accepts writes: the worst there is."""
    for cluster in look.clusters.values():
        several = cluster.primaries
        if len(several) < 2:
            continue
        names = [member.name for member in several]
        users = look.users(cluster)
        newest = several[0]
        yield Symptom(
            subject=cluster.name,
            severity="critical",
            loudest=True,
            title=f"{len(names)} members of {cluster.name} accept writes: {listing(names)}",
            impact=f"What {users.words} save may land on either server, and part of it will be lost.",
            action=f"Keep {newest.name} (newest timeline), keep applications off the others, then stop those: see the runbook.",
            stands_on=readings_of(*several),
            affects=users.databases,
            evidence=tuple(_role(member) for member in several),
            causes=(
                *(f"patroni-unreachable:{member.subject}" for member in several),
                f"patroni-paused:{cluster.name}",
                f"dcs-unreachable:{cluster.name}",
            ),
        )


def _role(member: Member) -> Evidence:
    sql = member.sql
    timeline = sql.timeline if sql else None
    position = f", WAL position {size(sql.current_bytes)}" if sql and sql.current_bytes is not None else ""
    return fact(sql, member.name, f"out of recovery, timeline {timeline or '?'}{position}", "one member only")


@kind("no-primary", "database", "after_seconds")
def no_primary(look: Look) -> Said:
    """Every member that answers is read-only."""
    for cluster in look.clusters.values():
        if cluster.writer is not None:
            yield Clear(subject=cluster.name, stands_on=readings_of(cluster.writer))
            continue
        standbys = [member for member in cluster.members.values() if member.is_standby]
        believed = cluster.primary
        if not standbys or (believed is not None and not believed.is_standby) or _follows_another(look, cluster):
            continue
        memory, users = look.remembers(cluster), look.users(cluster)
        seen = memory.writer_at
        yield Symptom(
            subject=cluster.name,
            severity="critical",
            title=f"{cluster.name} has no primary: every member is read-only",
            impact=f"{users.words}: nothing can be saved; what only reads still works.",
            action="Find out why nobody was promoted: leader key, DCS and lag of the standbys, in this order.",
            stands_on=readings_of(*standbys),
            since=seen,
            affects=users.databases,
            evidence=(
                *(fact(member.sql, member.name, "in recovery: read-only") for member in standbys),
                *_leader_key(cluster),
            ),
            causes=(f"dcs-unreachable:{cluster.name}", f"patroni-paused:{cluster.name}"),
            after_s=look.threshold("no-primary", "after_seconds"),
        )


def _follows_another(look: Look, cluster: Cluster) -> bool:
    """Whether this is a standby cluster: its primary is elsewhere, and read-only is what it is meant to be."""
    if any(patroni.role == "standby_leader" for patroni in cluster.patronis):
        return True
    if look.remembers(cluster).writer_at is not None:
        return False
    told = [member.sql for member in cluster.members.values() if member.sql is not None]
    return len(told) == len(cluster.members) and all(sql.receiver_status == "streaming" for sql in told)


def _leader_key(cluster: Cluster) -> tuple[Evidence, ...]:
    if not cluster.voters:
        return ()
    return (fact(cluster.voters[0], "leader key", cluster.leader or "held by nobody"),)


@kind("primary-unreachable", "database", "after_seconds")
def primary_unreachable(look: Look) -> Said:
    """The member that accepted writes cannot be reached, and no other took over."""
    for cluster in look.clusters.values():
        lost = _lost_primary(cluster)
        if lost is None:
            if cluster.primary is None and cluster.all_down and cluster.members:
                yield _nobody(look, cluster)
            continue
        if not _hangs(look, lost):
            yield _primary_gone(look, cluster, lost)
    yield from _replaced(look)


@kind("primary-hung", "database", "after_seconds")
def primary_hung(look: Look) -> Said:
    """The primary takes connections and answers no query."""
    for cluster in look.clusters.values():
        lost = _lost_primary(cluster)
        if lost is None or lost.sql_last is None or not _hangs(look, lost):
            continue
        users, sql = look.users(cluster), lost.sql_last
        patroni = (fact(lost.patroni, "Patroni", "answers: the host is up"),) if lost.patroni else ()
        yield Symptom(
            subject=lost.subject,
            severity="critical",
            title=f"Primary {lost.name} of {cluster.name} hangs: it answers no query",
            impact=f"{users.words}: nothing can be read or saved, every request waits.",
            action=_takeover(cluster, lost) + f" Look at the disk and the log of {lost.name}.",
            stands_on=(sql,),
            since=sql.good_at,
            affects=users.databases,
            evidence=(fact(sql, "PostgreSQL", sql.problem), *patroni, *_candidates(cluster)),
            covers=lost.sql_addresses if lost.patroni else lost.addresses,
            after_s=look.threshold("primary-hung", "after_seconds"),
        )
    yield from _replaced(look)


def _hangs(look: Look, lost: Member) -> bool:
    """Whether it takes connections and answers nothing. Once that was told, a Patroni that falls silent too changes nothing."""
    return lost.hung or (silent(lost.sql_last) and look.is_open("primary-hung", lost.subject))


def _lost_primary(cluster: Cluster) -> Member | None:
    member = cluster.primary
    return member if member is not None and member.down and cluster.writer is None else None


def _replaced(look: Look) -> Said:
    """Where another member accepts writes, the lost one is no primary any more."""
    for cluster in look.clusters.values():
        if cluster.writer is not None:
            others = (member.subject for member in cluster.members.values() if not member.is_primary)
            for subject in (cluster.name, *others):
                yield Clear(subject=subject, stands_on=readings_of(cluster.writer))


def _primary_gone(look: Look, cluster: Cluster, lost: Member) -> Symptom:
    users, sql = look.users(cluster), lost.sql_last
    said = sql.problem if sql else ""
    state = (fact(lost.patroni, "Patroni", patroni_says(lost.patroni)),) if lost.patroni else ()
    good_at = sql.good_at if sql else None
    return Symptom(
        subject=lost.subject,
        severity="critical",
        title=f"Primary {lost.name} of {cluster.name} "
        + ("is starting or stopping: it takes nobody" if starting(sql) else "cannot be reached"),
        impact=f"{users.words}: nothing can be read or saved until "
        + ("another member takes over." if len(cluster.members) > 1 else "it is back."),
        action=_takeover(cluster, lost) + f" Look at host and log of {lost.name}.",
        stands_on=readings_of(lost),
        since=good_at,
        affects=users.databases,
        evidence=(fact(sql, "PostgreSQL", said), *state, *_candidates(cluster)),
        causes=(f"dcs-unreachable:{cluster.name}",),
        covers=lost.addresses,
        after_s=look.threshold("primary-unreachable", "after_seconds"),
    )


def _nobody(look: Look, cluster: Cluster) -> Symptom:
    members, users = tuple(cluster.members.values()), look.users(cluster)
    return Symptom(
        subject=cluster.name,
        severity="critical",
        title=f"No member of {cluster.name} can be reached",
        impact=f"{users.words}: nothing can be read or saved, unless only the console is cut off.",
        action="Try from another host: is it the servers, or the network between them and the console?",
        stands_on=readings_of(*members),
        affects=users.databases,
        evidence=tuple(
            fact(member.sql_last, member.name, member.sql_last.problem) for member in members if member.sql_last
        ),
        covers=tuple(where for member in members for where in member.addresses),
    )


def _takeover(cluster: Cluster, lost: Member) -> str:
    """What to do about the lost primary: wait for Patroni, or act oneself."""
    if len(cluster.members) == 1:
        return "There is no standby: bring it back, or restore a backup elsewhere."
    if not cluster.patronis:
        return f"If {lost.name} is lost for good, promote a standby by hand."
    paused = any(patroni.paused for patroni in cluster.patronis)
    if paused:
        return "Patroni is paused and will not fail over: resume it, or fail over by hand."
    ttl = max((patroni.ttl_s or 0 for patroni in cluster.patronis), default=0)
    return (
        f"Patroni should promote a standby within {span(ttl + 10)}; if not, fail over by hand."
        if ttl
        else ("Patroni should promote a standby; if not, fail over by hand.")
    )


def _candidates(cluster: Cluster) -> tuple[Evidence, ...]:
    return tuple(
        fact(member.sql, member.name, f"standby, answers; replayed to {clock(member.sql.replayed_at)}")
        for member in cluster.members.values()
        if member.sql is not None and member.is_standby
    )


@kind("primary-restarted", "database", "shown_seconds", "older_seconds")
def primary_restarted(look: Look) -> Said:
    """The primary started anew a moment ago, and it, or the members around it, had been up before."""
    for cluster in look.clusters.values():
        writer = cluster.writer
        if writer is None or writer.sql is None or writer.sql.started_at is None:
            continue
        started = writer.ours(writer.sql.started_at)
        if not recent(started, writer.sql.taken_at, look.threshold("primary-restarted", "shown_seconds")):
            continue
        seen = look.remembers(cluster).restarts.get(writer.name) == writer.sql.started_at
        if not seen and not _others_older(look, cluster, writer):
            continue
        users = look.users(cluster)
        yield Symptom(
            subject=writer.subject,
            severity="warning",
            title=f"Primary {writer.name} of {cluster.name} restarted at {clock(started)}",
            impact=f"{users.words}: open requests failed at {clock(started)}; connections were lost and come back.",
            action=f"Read the log of {writer.name} for the reason (l): crash, out of memory, or somebody's restart.",
            stands_on=(writer.sql,),
            since=started,
            affects=users.databases,
            evidence=(
                fact(writer.sql, "postmaster started", clock(started), "shown for 2 min"),
                fact(writer.sql, "timeline", str(writer.sql.timeline or "?")),
            ),
        )


def _others_older(look: Look, cluster: Cluster, writer: Member) -> bool:
    """Whether a standby had been up well before the primary started: then this is no young cluster.

    Only where the first look found it so: what was watched longer is told by its own earlier start.
    """
    if writer.sql is None or writer.sql.started_at is None:
        return False
    if look.remembers(cluster).first_starts.get(writer.name) != Start(writer.sql.started_at, True):
        return False
    before = writer.ours(writer.sql.started_at) - timedelta(
        seconds=look.threshold("primary-restarted", "older_seconds")
    )
    return any(
        member.sql is not None and member.sql.started_at is not None and member.ours(member.sql.started_at) < before
        for member in cluster.members.values()
        if member.is_standby
    )
