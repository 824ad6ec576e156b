"""Members of a cluster as rows: SQL's word and Patroni's side by side."""

from __future__ import annotations

from datetime import datetime

from screens.database_cluster import Cluster, Member
from screens.database_topology import notes
from screens.section import MISSING, Section, number_cell
from screens.trust import silence, silent_for
from widgets.columns import Cell, Column, Row
from widgets.format import UNKNOWN, count, milliseconds, seconds, short_age, size
from widgets.spans import line

MEMBERS = (
    Column("name", "member", 12, sort="M"),
    Column("role", "role", 9, sort="R"),
    Column("state", "state", 14, flex=1, sort="S"),
    Column("patroni", "Patroni says", 22, drop=1, sort="P"),
    Column("timeline", "tl", 3, "right", sort="T", descending=True),
    Column("behind", "behind", 8, "right", sort="B", descending=True),
    Column("replay", "to replay", 9, "right", drop=4, sort="Y", descending=True),
    Column("connections", "connections", 11, "right", drop=6, sort="C", descending=True),
    Column("up", "up", 6, "right", drop=7, sort="U", descending=True),
    Column("clock", "clock", 7, "right", drop=8, sort="K", descending=True),
    Column("took", "answers in", 10, "right", drop=5, sort="A", descending=True),
    Column("notes", "what does not agree", 26, flex=2, drop=3, sort="W"),
)


def member_row(cluster: Cluster, member: Member, now: datetime) -> Row:
    """One member; of one that is silent nothing is shown but that."""
    sql = member.sql
    said = notes(cluster, member, now)
    words = Cell(line((said[0][0], said[0][1])) if said else "", "")
    patroni = Cell(_patroni_words(member, now), "unknown" if member.has_patroni and member.patroni is None else "")
    if sql is None:
        cells = (member.name, Cell(UNKNOWN, "unknown"), Cell(silent_for(member.sql_raw, now), "unknown"), patroni)
        return Row(member.name, (*cells, *(Cell(UNKNOWN, "unknown", MISSING) for _ in range(7)), words))
    role = "primary" if member.is_primary else "standby" if sql.in_recovery else UNKNOWN
    state = "accepts writes" if member.is_primary else sql.receiver_status or "not streaming"
    good = len(cluster.primaries) == 1 if member.is_primary else sql.receiver_status == "streaming"
    leader = cluster.member(cluster.main)
    position = leader.sql.current_bytes if leader is not None and leader.sql is not None else None
    behind = None if position is None or sql.replayed_bytes is None else max(0, position - sql.replayed_bytes)
    to_replay = (
        None
        if sql.received_bytes is None or sql.replayed_bytes is None
        else max(0, sql.received_bytes - sql.replayed_bytes)
    )
    blank = Cell("", "", MISSING)
    up = (now - sql.started_at).total_seconds() if sql.started_at else None
    off = sql.clock_off_s
    return Row(
        member.name,
        (
            member.name,
            Cell(role, "primary" if member.is_primary else ""),
            Cell(state, "ok" if good else "critical" if member.is_primary else "warning"),
            patroni,
            number_cell(UNKNOWN if sql.timeline is None else str(sql.timeline), sql.timeline),
            blank if member.is_primary else number_cell(size(behind), behind),
            blank if member.is_primary else number_cell(size(to_replay), to_replay),
            number_cell(count(sql.connections), sql.connections),
            number_cell(short_age(up), up),
            number_cell(
                UNKNOWN if off is None else seconds(off), off, "warning" if off is not None and abs(off) >= 1 else ""
            ),
            number_cell(milliseconds(sql.took_ms), sql.took_ms),
            words,
        ),
    )


def _patroni_words(member: Member, now: datetime) -> str:
    if not member.has_patroni:
        return "not run by Patroni"
    if member.patroni is None:
        return silence(member.patroni_raw, now)
    return ", ".join(word for word in (member.patroni.role, member.patroni.state) if word) or "nothing of itself"


def members(cluster: Cluster, now: datetime) -> Section:
    """All members, the primary first."""
    rows = sorted(cluster.members, key=lambda member: (not member.is_primary, member.name))
    return Section(
        MEMBERS,
        tuple(member_row(cluster, member, now) for member in rows),
        empty="no member is configured",
        count=len(rows),
    )
