"""What a cluster keeps: slots and the archive, settings, roles, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from console.board import Board
from console.readings import PostgresMember, PostgresSettings, Role, Setting, Slot, believed
from screens.database_cluster import Cluster, source
from screens.section import MISSING, Section, fact, number_cell, unknown
from screens.trust import silence_and_why
from widgets.columns import Cell, Column, Row
from widgets.format import age, count, moment, short_age, since, size
from widgets.spans import Line, joined, line

SLOTS = (
    Column("name", "slot", 20, flex=1, sort="S"),
    Column("type", "type", 8, drop=2, sort="T"),
    Column("active", "active", 8, sort="A"),
    Column("retained", "retained", 8, "right", sort="R", descending=True),
    Column("safe", "until lost", 10, "right", sort="U"),
    Column("status", "WAL", 10, sort="W"),
    Column("database", "database", 12, drop=3, sort="D"),
    Column("inactive", "inactive for", 12, "right", drop=1, sort="I", descending=True),
    Column("reason", "invalidated", 18, drop=4, sort="N"),
)
ROLES = (
    Column("name", "role", 18, flex=1, sort="R"),
    Column("rights", "rights", 34, flex=2, sort="I"),
    Column("member_of", "member of", 18, flex=1, drop=2, sort="M"),
    Column("limit", "limit", 6, "right", drop=3, sort="L", descending=True),
    Column("until", "valid until", 14, drop=4, sort="V"),
    Column("changed", "changed", 11, "right", sort="C", descending=True),
)
OWN_TO_A_MEMBER = frozenset(
    [
        "archive_cleanup_command",
        "config_file",
        "data_directory",
        "external_pid_file",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "log_directory",
        "log_filename",
        "port",
        "primary_conninfo",
        "primary_slot_name",
        "promote_trigger_file",
        "recovery_min_apply_delay",
        "recovery_target_timeline",
        "restore_command",
        "ssl_cert_file",
        "ssl_key_file",
        "synchronous_standby_names",
        "unix_socket_directories",
    ]
)
"""Settings that differ between members because of where a member runs or what it is at the moment: no news."""
_WAL_STYLES = {"reserved": "ok", "extended": "warning", "unreserved": "critical", "lost": "critical"}


# -- slots and archive -------------------------------------------------------------------------------------------------


def slot_row(slot: Slot, now: datetime) -> Row:
    """One replication slot."""
    return Row(
        slot.name,
        (
            Cell(slot.name),
            Cell(slot.type, "muted"),
            Cell("active", "ok") if slot.active else Cell("inactive", "warning"),
            number_cell(size(slot.retained_bytes), slot.retained_bytes),
            Cell("no limit", "muted", float("inf"))
            if slot.safe_bytes is None
            else number_cell(size(slot.safe_bytes), slot.safe_bytes, "critical" if slot.safe_bytes <= 0 else ""),
            Cell(slot.wal_status, _WAL_STYLES.get(slot.wal_status, "")),
            slot.database,
            Cell(
                since(slot.inactive_since, now),
                "warning",
                -slot.inactive_since.timestamp() if slot.inactive_since else MISSING,
            ),
            Cell(slot.invalidation_reason, "critical"),
        ),
    )


def archive_words(reading: PostgresMember, now: datetime) -> Line:
    """Whether WAL is archived, and since when it is not."""
    if reading.archive_mode in ("", "off"):
        return fact("archive", reading.archive_mode or "not known", "muted")
    failed, ok = reading.archive_last_failed_at, reading.archive_last_ok_at
    failing = failed is not None and (ok is None or failed > ok)
    return joined(
        (
            line(("archive ", "muted"), ("failing", "critical") if failing else ("ok", "ok")),
            fact("last", f"{reading.archive_last_ok} {age((now - ok).total_seconds())} ago")
            if ok
            else fact("last", "never"),
            fact("archived", count(reading.archived_count)),
            fact(
                "failed",
                f"{count(reading.archive_failed_count)}"
                + (f", last {reading.archive_last_failed} at {moment(failed, now)}" if failed else ""),
                "critical" if failing else "",
            ),
        ),
        "   ",
    )


def slots(board: Board, cluster: str, member: str, now: datetime) -> Section:
    """Replication slots of one server, and its archiver."""
    reading, why = source(board, PostgresMember, cluster, member, now)
    if reading is None:
        return unknown(SLOTS, why)
    rows = sorted(reading.slots.values(), key=lambda slot: (slot.active, -(slot.retained_bytes or 0), slot.name))
    idle = sum(not slot.active for slot in rows)
    return Section(
        SLOTS,
        tuple(slot_row(slot, now) for slot in rows),
        (archive_words(reading, now),),
        empty="no replication slot",
        count=len(rows),
        state="warning" if idle else "",
    )


# -- settings ----------------------------------------------------------------------------------------------------------


def setting_columns(members: Iterable[str]) -> tuple[Column, ...]:
    """A column for each member: what differs is seen side by side."""
    values = tuple(
        Column(f"value {name}", name, 10, flex=1, drop=0 if at < 3 else 3 + at) for at, name in enumerate(members)
    )
    return (
        Column("name", "setting", 22, flex=1, sort="S"),
        Column("why", "", 7, sort="Y"),
        *values,
        Column("changed", "changed", 24, drop=1, sort="C", descending=True),
        Column("source", "source", 18, drop=2, sort="O"),
    )


def _value(setting: Setting | None) -> str:
    if setting is None:
        return ""
    unit = setting.unit
    if unit == "8kB" and setting.value.lstrip("-").isdigit() and int(setting.value) > 0:
        return size(int(setting.value) * 8192)
    if unit in ("kB", "MB") and setting.value.isdigit() and int(setting.value) > 0:
        return size(int(setting.value) * (1024 if unit == "kB" else 1024**2))
    return f"{setting.value} {unit}".strip()


def settings(board: Board, cluster: Cluster, now: datetime) -> Section:
    """Settings of all members side by side: what differs, changed or waits for a restart comes first."""
    names = [member.name for member in cluster.members]
    raw = {name: board.get(PostgresSettings, f"{cluster.name}/{name}") for name in names}
    read = {name: reading for name in names if (reading := believed(raw[name], now)) is not None}
    columns = setting_columns(names)
    if not read:
        return unknown(columns, "; ".join(f"{name}: {silence_and_why(raw[name], now)}" for name in names))
    every = sorted({key for reading in read.values() for key in reading.settings})
    rows = [_setting_row(key, names, read, now) for key in every]
    rows.sort(key=lambda row: (row.text(1) == "", row.key))
    silent = [f"{name} not known" for name in names if name not in read]
    odd = sum(row.text(1) != "" for row in rows)
    summary = joined(
        (
            fact("not at default", count(len(rows))),
            fact("differ, changed or pending", count(odd), "warning" if odd else ""),
            line((", ".join(silent), "unknown")) if silent else (),
        ),
        "   ",
    )
    return Section(columns, tuple(rows), (summary,), count=odd or None, state="warning" if odd else "")


def _setting_row(key: str, names: list[str], read: dict[str, PostgresSettings], now: datetime) -> Row:
    found = {name: read[name].settings.get(key) for name in names if name in read}
    values = {_value(setting) for setting in found.values()}
    there = [setting for setting in found.values() if setting is not None]
    pending = any(setting.pending_restart for setting in there)
    changed = max((setting for setting in there if setting.changed_at), key=_changed_at, default=None)
    differs = len(values) > 1 and key not in OWN_TO_A_MEMBER
    why = "differs" if differs else "restart" if pending else "changed" if changed else ""
    cells: list[Cell | str] = [Cell(key, "strong" if why else ""), Cell(why, "warning")]
    for name in names:
        if name not in read:
            cells.append(Cell("?", "unknown"))
            continue
        odd = differs
        cells.append(Cell(_value(found[name]) or "default", ("warning" if odd else "") if found[name] else "muted"))
    words = ""
    if changed is not None and changed.changed_at is not None:
        before = "" if changed.previous is None else f"was {changed.previous}, "
        words = f"{before}{short_age((now - changed.changed_at).total_seconds())} ago"
    cells.append(Cell(words, "", changed.changed_at.timestamp() if changed and changed.changed_at else MISSING))
    cells.append(Cell(there[0].source if there else "", "muted"))
    return Row(key, tuple(cells))


def _changed_at(setting: Setting) -> float:
    return setting.changed_at.timestamp() if setting.changed_at else 0.0


# -- roles -------------------------------------------------------------------------------------------------------------


def role_row(role: Role, now: datetime) -> Row:
    """One role; rights that reach beyond its databases stand out."""
    strong = [word for word, has in (("superuser", role.superuser), ("bypasses RLS", role.bypass_rls)) if has]
    plain = [
        word
        for word, has in (
            ("replication", role.replication),
            ("creates roles", role.create_role),
            ("creates DBs", role.create_db),
            ("logs in", role.login),
        )
        if has
    ]
    rights = line((", ".join(strong), "warning"), ", " if strong and plain else "", ", ".join(plain))
    over = role.valid_until is not None and role.valid_until <= now
    return Row(
        role.name,
        (
            Cell(role.name),
            Cell(rights),
            ", ".join(role.member_of),
            Cell("" if role.connection_limit < 0 else str(role.connection_limit), "", role.connection_limit),
            Cell("" if role.valid_until is None else moment(role.valid_until, now), "warning" if over else ""),
            Cell(
                f"{since(role.changed_at, now)} ago" if role.changed_at else "",
                "warning",
                role.changed_at.timestamp() if role.changed_at else MISSING,
            ),
        ),
    )


def roles(board: Board, cluster: str, member: str, now: datetime) -> Section:
    """Roles of the cluster: changed ones first, then the most powerful."""
    reading, why = source(board, PostgresSettings, cluster, member, now)
    if reading is None:
        return unknown(ROLES, why)
    rows = sorted(
        reading.roles.values(),
        key=lambda role: (
            role.changed_at is None,
            not role.superuser,
            not (role.create_role or role.replication),
            role.name,
        ),
    )
    changed = sum(role.changed_at is not None for role in rows)
    supers = sum(role.superuser and role.login for role in rows)
    summary = joined(
        (
            fact("roles", count(len(rows))),
            fact("superusers that log in", count(supers)),
            fact("changed since we look", count(changed), "warning" if changed else ""),
        ),
        "   ",
    )
    return Section(
        ROLES,
        tuple(role_row(role, now) for role in rows),
        (summary,),
        empty="no role could be read",
        count=changed or None,
        state="warning" if changed else "",
    )
