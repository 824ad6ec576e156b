"""What goes wrong slowly: archiving, transaction ids, settings, clocks."""

from __future__ import annotations

from console.assessment.kinds.primary import readings_of
from console.assessment.look import Look, fact
from console.assessment.memory import archiving_fails
from console.assessment.symptom import Clear, Said, Symptom, kind
from console.assessment.views import Cluster, Member
from console.assessment.words import clock, count, listing, share, short, span
from console.readings import Database, PostgresIo, PostgresMember

_XIDS = 2**31
"""Transaction ids from a table's oldest row to the moment where PostgreSQL must refuse new ones."""

_EQUAL = (
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "wal_level",
    "wal_log_hints",
    "track_commit_timestamp",
    "archive_mode",
    "shared_preload_libraries",
)
"""A standby whose value differs cannot take over unnoticed, or does not even start."""


@kind("archiving-failing", "database", "critical_seconds")
def archiving_failing(look: Look) -> Said:
    """The archive command fails: backups stand still and WAL piles up."""
    for cluster in look.clusters.values():
        writer = cluster.writer
        if writer is None or writer.sql is None:
            continue
        sql = writer.sql
        failed, ok = sql.archive_last_failed_at, sql.archive_last_ok_at
        if failed is None or not archiving_fails(sql):
            yield Clear(subject=cluster.name, stands_on=(sql,))
            continue
        # Not from the last success: where nothing was written for hours, nothing had to be archived.
        began = look.remembers(cluster).archiving_failed_at or failed
        lasted = writer.age_s(sql.taken_at, began) or 0.0
        yield Symptom(
            subject=cluster.name,
            severity="critical" if lasted >= look.threshold("archiving-failing", "critical_seconds") else "warning",
            title=f"WAL of {cluster.name} cannot be archived since {clock(writer.ours(began))}",
            impact="Users feel nothing yet; what is saved now could not be restored, and WAL fills the primary's disk.",
            action=f"Read the log of {writer.name} for what archive_command says; check the archive's space and credentials.",
            stands_on=(sql,),
            since=writer.ours(began),
            evidence=(
                fact(sql, "last failed", f"{short(sql.archive_last_failed, 40)} at {clock(failed)}"),
                fact(sql, "last archived", f"{short(sql.archive_last_ok, 40)} at {clock(ok)}" if ok else "never"),
                fact(sql, "failures", count(sql.archive_failed_count, "time")),
            ),
        )


@kind("wraparound-near", "database", "warning_share", "critical_share")
def wraparound_near(look: Look) -> Said:
    """A database's oldest transaction id is so old that PostgreSQL will refuse writes."""
    for cluster in look.clusters.values():
        io = cluster.writer.io if cluster.writer else None
        if io is None:
            continue
        for database in io.databases.values():
            yield _xids(look, cluster, io, database)


def _xids(look: Look, cluster: Cluster, io: PostgresIo, database: Database) -> Symptom | Clear:
    subject = f"{cluster.name}/{database.name}"
    age, what = max((database.xid_age, "transaction ids"), (database.mxid_age, "multixact ids"))
    part = age / _XIDS
    if part < look.limit("wraparound-near", "warning_share", subject):
        return Clear(subject=subject, stands_on=(io,))
    severe = part >= look.limit("wraparound-near", "critical_share", subject)
    users = look.these({database.name: 1})
    return Symptom(
        subject=subject,
        severity="critical" if severe else "warning",
        title=f"{short(database.name)} on {cluster.name} has used {part:.0%} of its {what}",
        impact=f"{users.words}: nothing feels different yet; at 100 % PostgreSQL refuses every write of the cluster.",
        action="Find what holds vacuum back (old transaction, slot, prepared one), then VACUUM (FREEZE) the oldest tables.",
        stands_on=(io,),
        affects=users.databases,
        evidence=(
            fact(
                io,
                what,
                f"{age:,} of {_XIDS:,} ({share(age, _XIDS)})",
                f"{look.threshold('wraparound-near', 'warning_share'):.0%}",
            ),
            fact(io, "autovacuum_freeze_max_age", f"{io.freeze_max_age:,}"),
        ),
        causes=(f"long-transaction:{cluster.name}", f"idle-in-transaction:{cluster.name}"),
    )


@kind("settings-differ", "database", "after_seconds")
def settings_differ(look: Look) -> Said:
    """Settings that must be equal on every member are not."""
    for cluster in look.clusters.values():
        known = [member for member in cluster.members.values() if member.settings is not None]
        unequal: dict[str, dict[str, str]] = {}
        for name in _EQUAL:
            values = {
                member.name: member.settings.settings[name].value
                for member in known
                if member.settings is not None and name in member.settings.settings
            }
            if len(set(values.values())) > 1:
                unequal[name] = values
        if not unequal:
            continue
        yield Symptom(
            subject=cluster.name,
            severity="warning",
            title=f"Members of {cluster.name} differ in {listing(unequal, 2)}",
            impact="Users feel nothing yet; a standby with another value may refuse to start or to take over.",
            action="Make them equal through Patroni (patronictl edit-config) or on each member, then restart where needed.",
            stands_on=tuple(member.settings for member in known if member.settings is not None),
            evidence=tuple(
                fact(known[0].settings, name, ", ".join(f"{member} {short(value)}" for member, value in values.items()))
                for name, values in unequal.items()
            ),
            after_s=look.threshold("settings-differ", "after_seconds"),
        )


@kind("clock-off", "database", "warning_seconds")
def clock_off(look: Look) -> Said:
    """A server's clock and the console's do not agree."""
    for cluster in look.clusters.values():
        told = [
            member
            for member in cluster.members.values()
            if member.sql is not None and member.sql.clock_off_s is not None
        ]
        off = [member for member in told if _off(member) >= look.limit("clock-off", "warning_seconds", member.subject)]
        if len(told) > 1 and len(off) == len(told) and _agree(off):
            yield _own_clock(look, cluster, off)
            continue
        for member in off:
            if member.sql is not None:
                yield _wrong_clock(look, cluster, member, member.sql)


def _off(member: Member) -> float:
    return abs(member.sql.clock_off_s or 0.0) if member.sql else 0.0


def _agree(members: list[Member]) -> bool:
    values = [member.sql.clock_off_s or 0.0 for member in members if member.sql]
    return max(values) - min(values) < 1.0


def _own_clock(look: Look, cluster: Cluster, members: list[Member]) -> Symptom:
    sql = members[0].sql
    off = sql.clock_off_s or 0.0 if sql else 0.0
    return Symptom(
        subject=cluster.name,
        severity="warning",
        title=f"The console's clock is {span(abs(off))} {'behind' if off > 0 else 'ahead of'} all of {cluster.name}",
        impact="Users feel nothing; times on these screens and in recordings are wrong by as much.",
        action="Set the clock of the host that Banksman's engine runs on (chrony, systemd-timesyncd).",
        stands_on=readings_of(*members),
        evidence=tuple(
            fact(member.sql, member.name, f"{member.sql.clock_off_s:+.1f} s", _limit(look))
            for member in members
            if member.sql
        ),
    )


def _wrong_clock(look: Look, cluster: Cluster, member: Member, sql: PostgresMember) -> Symptom:
    off = sql.clock_off_s or 0.0
    return Symptom(
        subject=member.subject,
        severity="warning",
        title=f"The clock of {member.name} in {cluster.name} is {span(abs(off))} {'ahead' if off > 0 else 'behind'}",
        impact="Users may see wrong times; after a failover to it, times jump, and a restore to a moment may miss it.",
        action=f"Set the clock of {member.name} slowly (chrony, systemd-timesyncd), never by a jump.",
        stands_on=(sql,),
        evidence=(fact(sql, "against the console's clock", f"{off:+.1f} s", _limit(look)),),
    )


def _limit(look: Look) -> str:
    return f"{look.threshold('clock-off', 'warning_seconds'):g} s"
