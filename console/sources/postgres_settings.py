"""Settings and roles, and which of them changed since the engine began to look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from psycopg import sql

from console.clients.clean import clean, clean_key
from console.clients.postgres import Look, Row
from console.clients.redact import HIDDEN, is_secret_name, redact
from console.readings import PostgresSettings, Reading, Role, Setting
from console.sources.postgres_base import PostgresSource, judged, utc
from console.sources.postgres_facts import Facts, grant_monitor

_VALUE_LIMIT = 500
_ROLES = 1000

ALWAYS = (
    "archive_mode", "archive_timeout", "autovacuum", "checkpoint_timeout", "data_checksums", "effective_cache_size",
    "fsync", "full_page_writes", "hot_standby_feedback", "huge_pages", "idle_in_transaction_session_timeout",
    "lock_timeout", "log_lock_waits", "maintenance_work_mem", "max_connections", "max_replication_slots",
    "max_slot_wal_keep_size", "max_standby_streaming_delay", "max_wal_senders", "max_wal_size", "password_encryption",
    "random_page_cost", "shared_buffers", "shared_preload_libraries", "ssl", "statement_timeout", "synchronous_commit",
    "synchronous_standby_names", "temp_file_limit", "track_io_timing", "wal_keep_size", "wal_level",
    "wal_receiver_timeout", "wal_sender_timeout", "work_mem",
)  # fmt: skip
"""Shown at any value."""

# What our own session set says nothing of the server; what it would have been does. Where ALTER ROLE or ALTER DATABASE
# gave our role a value of its own, the server's cannot be seen, and none is shown.
SETTINGS = sql.SQL("""
SELECT name, unit, pending_restart,
       CASE WHEN source IN ('session', 'client') THEN reset_val ELSE setting END AS value,
       CASE WHEN source NOT IN ('session', 'client') THEN source
            WHEN reset_val IS NOT DISTINCT FROM boot_val THEN 'default' ELSE 'configuration' END AS origin
FROM pg_settings
WHERE name NOT IN ('application_name', 'client_encoding')
  AND lower(name) NOT IN (
      SELECT lower(split_part(pair, '=', 1)) FROM pg_db_role_setting, unnest(setconfig) AS pair
      WHERE setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
        AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))
""")

ROLES = sql.SQL("""
SELECT r.rolname, r.rolsuper, r.rolcanlogin, r.rolreplication, r.rolcreaterole, r.rolcreatedb, r.rolbypassrls,
       r.rolconnlimit, CASE WHEN r.rolvaliduntil BETWEEN '1000-01-01' AND '9000-01-01' THEN r.rolvaliduntil END AS valid_until,
       m.groups
FROM pg_roles r
LEFT JOIN (SELECT a.member, array_agg(g.rolname::text ORDER BY g.rolname) AS groups
           FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid GROUP BY a.member) m ON m.member = r.oid
WHERE r.rolcanlogin OR r.rolsuper OR r.rolreplication OR r.rolcreaterole OR r.rolcreatedb OR r.rolbypassrls
ORDER BY r.rolsuper DESC, r.rolname LIMIT {limit}
""")

T = TypeVar("T", Setting, Role)


class PostgresSettingsSource(PostgresSource):
    """The slow look. Changes are those between its own looks, across restarts and reconnections."""

    reading: type[Reading] = PostgresSettings

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._settings: dict[str, Setting] = {}
        self._roles: dict[str, Role] = {}

    async def take(self, look: Look, known: Facts) -> PostgresSettings:
        """Settings and roles in one round trip."""
        found = await self.find(look, {"settings": SETTINGS, "roles": ROLES.format(limit=sql.Literal(_ROLES))})
        now = datetime.now(UTC)
        if "settings" in found.rows:
            fresh = {clean_key(row["name"], 100): _setting(row) for row in found.rows["settings"]}
            self._settings = _compared(self._settings, fresh, now, _setting_changed)
        if "roles" in found.rows:
            roles = {clean_key(row["rolname"], 64): _role(row) for row in found.rows["roles"]}
            self._roles = _compared(self._roles, roles, now, _role_changed)
        problems = list(found.problems)
        if not known.sees_settings:
            problems.append(f"role {clean(known.role, 64)} may not see all settings: {grant_monitor(known)}")
        return PostgresSettings(
            key=self.key,
            taken_at=found.asked_at,
            cluster=self.member.cluster,
            member=self.member.name,
            settings={name: row for name, row in self._settings.items() if _is_shown(row)}
            if "settings" in found.rows
            else {},
            roles=self._roles if "roles" in found.rows else {},
            **judged(problems),
        )


def _is_shown(row: Setting) -> bool:
    return (
        row.source not in ("default", "override", "client")
        or row.pending_restart
        or row.changed_at is not None
        or row.name in ALWAYS
    )


def _setting(row: Row) -> Setting:
    name = clean(row["name"], 100)
    value = row["value"] or ""
    if value and is_secret_name(name):
        value = HIDDEN
    elif "_conninfo" in name or name.endswith("_command"):
        value = redact(value)
    return Setting(
        name=name,
        value=clean(redact(clean(value, 4 * _VALUE_LIMIT)), _VALUE_LIMIT),
        unit=row["unit"] or "",
        source=clean(row["origin"], 40),
        pending_restart=bool(row["pending_restart"]),
    )


def _role(row: Row) -> Role:
    return Role(
        name=clean(row["rolname"], 64),
        superuser=row["rolsuper"],
        login=row["rolcanlogin"],
        replication=row["rolreplication"],
        create_role=row["rolcreaterole"],
        create_db=row["rolcreatedb"],
        bypass_rls=row["rolbypassrls"],
        connection_limit=row["rolconnlimit"],
        valid_until=utc(row["valid_until"]),
        member_of=tuple(clean(group, 64) for group in row["groups"] or ()),
    )


def _compared(
    before: dict[str, T], fresh: dict[str, T], now: datetime, changed: Callable[[T | None, T, datetime], T]
) -> dict[str, T]:
    """``fresh`` with the marks of change; at the first look nothing has changed."""
    if not before:
        return fresh
    return {key: changed(before.get(key), row, now) for key, row in fresh.items()}


def _setting_changed(before: Setting | None, row: Setting, now: datetime) -> Setting:
    if before is None:  # a library brought it
        return msgspec.structs.replace(row, changed_at=now)
    if before.value != row.value:
        return msgspec.structs.replace(row, previous=before.value, changed_at=now)
    return msgspec.structs.replace(row, previous=before.previous, changed_at=before.changed_at)


def _role_changed(before: Role | None, row: Role, now: datetime) -> Role:
    if before is None:
        return msgspec.structs.replace(row, changed_at=now)
    same = msgspec.structs.replace(before, changed_at=None) == row
    return msgspec.structs.replace(row, changed_at=before.changed_at if same else now)
