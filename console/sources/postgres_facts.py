"""What a server is and what our role may see there: asked once per connection, and again while something is missing."""

from __future__ import annotations

import time
import weakref
from datetime import datetime

import msgspec
import psycopg
from psycopg import sql

from console.clients.clean import clean
from console.clients.postgres import Line, Look, Row

_ASK_AGAIN_S = 30.0


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one connection."""

    version: int
    """server_version_num, 180006."""
    version_text: str
    role: str
    database: str
    """The one we are connected to; locks in it can be named."""
    started_at: datetime
    system_identifier: str
    monitors: bool
    """Our role has the privileges of pg_monitor."""
    sees_sessions: bool
    """pg_read_all_stats: what other roles' sessions do."""
    sees_settings: bool
    """pg_read_all_settings."""
    lists_wal: bool
    """May run pg_ls_waldir()."""
    statements_schema: str | None
    """Where pg_stat_statements is installed; None: not in this database."""
    statements_version: tuple[int, ...]
    statements_loaded: bool
    """Whether the library is in shared_preload_libraries."""

    @property
    def complete(self) -> bool:
        """Nothing that a grant or an extension could add."""
        return self.sees_sessions and self.sees_settings and self.lists_wal and self.statements_schema is not None

    def at_least(self, major: int) -> bool:
        """Whether the server's major version is ``major`` or later."""
        return self.version >= major * 10000


_ASK = sql.SQL("""
SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_text,
       current_user AS role, current_database() AS database, pg_postmaster_start_time() AS started_at,
       (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
       pg_has_role(current_user, 'pg_monitor', 'USAGE') AS monitors,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_sessions,
       pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') AS sees_settings,
       has_function_privilege('pg_ls_waldir()', 'EXECUTE') AS lists_wal,
       n.nspname AS statements_schema, e.extversion AS statements_version,
       current_setting('pg_stat_statements.max', true) IS NOT NULL AS statements_loaded
FROM (SELECT 1) AS one
LEFT JOIN pg_extension e ON e.extname = 'pg_stat_statements'
LEFT JOIN pg_namespace n ON n.oid = e.extnamespace
""")

_known: weakref.WeakKeyDictionary[Line, tuple[int, float, Facts]] = weakref.WeakKeyDictionary()


async def facts(look: Look) -> Facts:
    """Facts of the connection that ``look`` is on. Raises psycopg.Error."""
    line = look.line
    found = _known.get(line)
    if found is not None:
        generation, asked_at, known = found
        if generation == line.generation and (known.complete or time.monotonic() - asked_at < _ASK_AGAIN_S):
            return known
    answer = await look.ask(_ASK)
    fresh = _facts(answer.rows[0][0])
    _known[line] = (line.generation, time.monotonic(), fresh)
    return fresh


def _facts(row: Row) -> Facts:
    version = str(row["statements_version"] or "")
    return Facts(
        version=row["version"],
        version_text=clean(row["version_text"], 60),
        role=row["role"],
        database=row["database"],
        started_at=row["started_at"],
        system_identifier=str(row["system_identifier"] % 2**64),
        monitors=row["monitors"],
        sees_sessions=row["sees_sessions"],
        sees_settings=row["sees_settings"],
        lists_wal=row["lists_wal"],
        statements_schema=row["statements_schema"],
        statements_version=tuple(int(part) for part in version.split(".") if part.isdigit()),
        statements_loaded=row["statements_loaded"],
    )


def grant_monitor(known: Facts) -> str:
    """The statement that gives our role what it needs."""
    return f"GRANT pg_monitor TO {quoted(known.role)};"


def quoted(name: str) -> str:
    """An SQL identifier, cleaned, for a person to copy."""
    return psycopg.sql.Identifier(clean(name, 64)).as_string(None)
