"""Sessions: who waits for whom, who holds a transaction open, who takes all the connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from console.assessment.blocking import Blocking, blocking
from console.assessment.look import Look, fact
from console.assessment.memory import SYSTEM_DATABASES
from console.assessment.symptom import Clear, Said, Symptom, kind
from console.assessment.views import Cluster, Member, full, limited
from console.assessment.words import clock, count, listing, share, short, span
from console.readings import Activity, Evidence, PostgresMember, Session


def name_of(session: Session) -> str:
    """``pid 4121 (payroll-import on acme)``."""
    who = short(session.application or session.user or "?")
    return f"pid {session.pid} ({who} on {short(session.database or '?')})"


def databases_of(sessions: Iterable[Session]) -> dict[str, int]:
    """Database → sessions."""
    return dict(Counter(session.database for session in sessions if session.database))


def long_blocking(look: Look, cluster: Cluster) -> Blocking | None:
    """Who waits long for whom on the primary; None: it cannot be told."""
    writer = cluster.writer
    if writer is None or writer.activity is None:
        return None
    return blocking(writer, writer.activity, look.threshold("lock-waits", "waited_seconds"))


@kind("lock-waits", "database", "waited_seconds", "warning_sessions", "critical_sessions", "alone_seconds")
def lock_waits(look: Look) -> Said:
    """Sessions wait for locks that somebody holds."""
    for cluster in look.clusters.values():
        writer, found = cluster.writer, long_blocking(look, cluster)
        if found is None or writer is None or writer.activity is None:
            continue
        waiting = len(found.waiting)
        many = waiting >= look.limit("lock-waits", "warning_sessions", cluster.name)
        long = found.longest_s >= look.limit("lock-waits", "alone_seconds", cluster.name)
        if waiting and (many or long):
            yield _lock_waits(look, cluster, writer.activity, found)
        else:
            yield Clear(subject=cluster.name, stands_on=(writer.activity,))


def _lock_waits(look: Look, cluster: Cluster, activity: Activity, found: Blocking) -> Symptom:
    users = look.these(found.databases)
    # The reading names those who have waited longest; where there are more, they wait too.
    waiting = len(found.waiting) + max(0, activity.blocked_total - len(activity.blocked))
    head = found.heads[0] if found.heads else None
    behind = (
        f" behind pid {head.pid}"
        if head and len(found.heads) == 1
        else f" behind {len(found.heads)} others"
        if head
        else ""
    )
    severe = waiting >= look.limit("lock-waits", "critical_sessions", cluster.name)
    return Symptom(
        subject=cluster.name,
        severity="critical" if severe else "warning",
        title=f"{count(waiting, 'session')} on {cluster.name} {'waits' if waiting == 1 else 'wait'} for locks{behind}",
        impact=f"{users.words}: {count(waiting, 'request')} {'hangs' if waiting == 1 else 'hang'}, the longest for {span(found.longest_s)}.",
        action=_end_head(head) if head else "Open the blocking tree in the database pane and find its head.",
        stands_on=(activity,),
        since=found.since,
        affects=users.databases,
        scope=users.scope,
        evidence=(
            fact(
                activity,
                "waiting",
                f"{waiting}, the longest for {span(found.longest_s)}",
                f"{look.threshold('lock-waits', 'warning_sessions'):.0f} for {span(look.threshold('lock-waits', 'waited_seconds'))}",
            ),
            *(_head(activity, found, session) for session in found.heads[:3]),
            *(fact(activity, "waits for", target) for target in found.targets[:2]),
        ),
        causes=(f"idle-in-transaction:{cluster.name}", f"long-transaction:{cluster.name}"),
        hidden_by=(f"sync-standby-missing:{cluster.name}",) if found.heads_wait_for_standby else (),
    )


def _end_head(head: Session) -> str:
    idle = head.state.startswith("idle in transaction")
    doing = "does nothing and keeps its locks" if idle else "is still at work"
    return f"{name_of(head)} {doing}: ask its owner, or end it: SELECT pg_terminate_backend({head.pid});"


def _head(activity: Activity, found: Blocking, session: Session) -> Evidence:
    since = f", in transaction since {clock(session.xact_start)}" if session.xact_start else ""
    return fact(
        activity,
        f"head: {name_of(session)}",
        f"{session.state or '?'}{since}; {count(found.behind.get(session.pid, 0), 'session')} behind it",
        text=session.query,
    )


class _Held(NamedTuple):
    """A transaction held open, and for how long."""

    seconds: float
    began: datetime
    session: Session


@kind("idle-in-transaction", "database", "warning_seconds")
def idle_in_transaction(look: Look) -> Said:
    """Sessions that hold a transaction open and do nothing."""
    for cluster in look.clusters.values():
        writer = cluster.writer
        if writer is None or writer.activity is None:
            continue
        limit = look.limit("idle-in-transaction", "warning_seconds", cluster.name)
        idle = [
            session for session in writer.activity.sessions.values() if session.state.startswith("idle in transaction")
        ]
        held = _held(look, cluster, writer, idle, limit, since_idle=True)
        if held:
            yield _idle(look, cluster, writer.activity, held)
        else:
            yield Clear(subject=cluster.name, stands_on=(writer.activity,))


def _held(
    look: Look, cluster: Cluster, writer: Member, sessions: Iterable[Session], limit: float, *, since_idle: bool
) -> list[_Held]:
    """Sessions over the limit, longest first. Heads of a lock storm and those who wait in it are told there."""
    found = long_blocking(look, cluster)
    told = found.told(int(look.threshold("lock-waits", "warning_sessions"))) if found else frozenset()
    held = []
    for session in sessions:
        moment = (session.state_change if since_idle else None) or session.xact_start
        age = writer.age_s(writer.activity.taken_at, moment) if writer.activity else None
        if moment is not None and age is not None and age >= limit and session.pid not in told:
            held.append(_Held(age, writer.ours(moment), session))
    return sorted(held, key=lambda one: (-one.seconds, one.session.pid))


def _idle(look: Look, cluster: Cluster, activity: Activity, held: list[_Held]) -> Symptom:
    worst, users = held[0], look.these(databases_of(one.session for one in held))
    return Symptom(
        subject=cluster.name,
        severity="warning",
        title=f"{count(len(held), 'session')} on {cluster.name} idle in transaction, longest {span(worst.seconds)}",
        impact=f"{users.words}: rows they changed stay locked, and vacuum cannot clean up behind them.",
        action=f"Ask the owner of {name_of(worst.session)}, or end it: SELECT pg_terminate_backend({worst.session.pid});",
        stands_on=(activity,),
        since=worst.began,
        affects=users.databases,
        scope=users.scope,
        evidence=_longest(activity, held, look.threshold("idle-in-transaction", "warning_seconds")),
    )


def _longest(activity: Activity, held: list[_Held], limit: float) -> tuple[Evidence, ...]:
    return tuple(
        fact(
            activity,
            name_of(one.session),
            f"for {span(one.seconds)}, since {clock(one.began)}",
            span(limit),
            one.session.query,
        )
        for one in held[:3]
    )


@kind("long-transaction", "database", "warning_seconds")
def long_transaction(look: Look) -> Said:
    """Transactions at work for very long."""
    for cluster in look.clusters.values():
        writer = cluster.writer
        if writer is None or writer.activity is None:
            continue
        limit = look.limit("long-transaction", "warning_seconds", cluster.name)
        busy = [session for session in writer.activity.sessions.values() if not session.state.startswith("idle")]
        held = _held(look, cluster, writer, busy, limit, since_idle=False)
        if not held:
            yield Clear(subject=cluster.name, stands_on=(writer.activity,))
            continue
        worst, users = held[0], look.these(databases_of(one.session for one in held))
        yield Symptom(
            subject=cluster.name,
            severity="warning",
            title=f"A transaction on {cluster.name} has run for {span(worst.seconds)}",
            impact=f"{users.words}: rows it changed stay locked; vacuum cannot clean up behind it anywhere in the cluster.",
            action=f"Ask the owner of {name_of(worst.session)} whether it is meant; a backup or a migration may be.",
            stands_on=(writer.activity,),
            since=worst.began,
            affects=users.databases,
            scope=users.scope,
            evidence=_longest(writer.activity, held, look.threshold("long-transaction", "warning_seconds")),
        )


@kind("connections-near-limit", "database", "warning_share", "critical_share")
def connections_near_limit(look: Look) -> Said:
    """Few or no connections are left on a server."""
    for cluster in look.clusters.values():
        for member in cluster.members.values():
            if full(member.sql_last) and member.sql_last is not None:
                yield _refused(look, cluster, member, member.sql_last)
            elif (what := limited(member.sql_last)) and member.sql_last is not None:
                yield _limited(cluster, member, member.sql_last, what)
            elif member.sql is not None:
                yield _crowded(look, cluster, member, member.sql)


def _refused(look: Look, cluster: Cluster, member: Member, sql: PostgresMember) -> Symptom:
    users = look.users(cluster)
    return Symptom(
        subject=member.subject,
        severity="critical",
        title=f"{member.name} of {cluster.name} takes no more connections",
        impact=f"{users.words}: new requests are refused; the console itself got no connection.",
        action="End idle sessions of whoever has most, from a superuser's connection; then find out why they grew.",
        stands_on=(sql,),
        since=sql.good_at,
        affects=users.databases,
        evidence=(fact(sql, "connecting", sql.problem),),
        covers=member.sql_addresses,
    )


def _limited(cluster: Cluster, member: Member, sql: PostgresMember, what: str) -> Symptom:
    """The server has room, and the console may not have it."""
    whose = "Banksman's own role" if what == "role" else "the database that Banksman connects to"
    return Symptom(
        subject=member.subject,
        severity="warning",
        title=f"The connection limit of {whose} is reached on {member.name} of {cluster.name}",
        impact="The server has room for others; what happens on it is not seen while Banksman gets no connection.",
        action=f"See who uses the connections of that {what}, then raise its limit (ALTER {what.upper()} … CONNECTION LIMIT).",
        stands_on=(sql,),
        since=sql.good_at,
        evidence=(fact(sql, "connecting", sql.problem),),
        covers=member.sql_addresses,
    )


def _crowded(look: Look, cluster: Cluster, member: Member, sql: PostgresMember) -> Symptom | Clear:
    room = sql.max_connections - sql.reserved_connections
    warning = look.limit("connections-near-limit", "warning_share", member.subject) * room
    if room <= 0 or sql.connections < warning:
        return Clear(subject=member.subject, stands_on=(sql,))
    severe = sql.connections >= look.limit("connections-near-limit", "critical_share", member.subject) * room
    by_database = sorted(sql.connections_by_database.items(), key=lambda pair: (-pair[1], pair[0]))
    users = look.these({name: number for name, number in by_database if name not in SYSTEM_DATABASES})
    most = listing([f"{short(name)} {number}" for name, number in by_database], 4)
    return Symptom(
        subject=member.subject,
        severity="critical" if severe else "warning",
        title=f"{sql.connections} of {room} connections of {member.name} in {cluster.name} are taken",
        impact=f"{users.words}: new connections {_refusal(sql.connections >= room, severe)}.",
        action=_most(member, by_database),
        stands_on=(sql,),
        affects=users.databases,
        evidence=(
            fact(
                sql,
                "connections",
                f"{sql.connections} of {room} ({share(sql.connections, room)})",
                f"{look.threshold('connections-near-limit', 'warning_share'):.0%}",
            ),
            fact(sql, "by database", most or "not known"),
            *_applications(member),
        ),
        causes=(
            f"lock-waits:{cluster.name}",
            f"sync-standby-missing:{cluster.name}",
            f"idle-in-transaction:{cluster.name}",
        ),
    )


def _refusal(none_left: bool, severe: bool) -> str:
    if none_left:
        return "are refused"
    return "will be refused in a moment" if severe else "may soon be refused"


def _most(member: Member, by_database: list[tuple[str, int]]) -> str:
    if not by_database:
        return "Find out who has most connections, and whether a pool or a worker count grew."
    name, number = by_database[0]
    idle = ""
    if member.activity is not None:
        own = [session for session in member.activity.sessions.values() if session.database == name]
        resting = sum(session.state.startswith("idle") for session in own)
        idle = f", {resting} of them idle" if resting else ""
    return f"Most belong to {short(name)} ({number}{idle}): limit its workers or pool, or end its idle sessions."


def _applications(member: Member) -> tuple[Evidence, ...]:
    if member.activity is None or not member.activity.sessions:
        return ()
    counted = Counter(
        short(session.application or session.user or "?") for session in member.activity.sessions.values()
    )
    return (
        fact(
            member.activity,
            "by application",
            listing([f"{name} {number}" for name, number in counted.most_common()], 4),
        ),
    )
