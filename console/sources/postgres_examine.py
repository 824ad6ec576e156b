"""The doctor's questions to a PostgreSQL server: each failing answer names the statement or setting that mends it."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from psycopg import sql

from console.clients.clean import clean
from console.clients.postgres import Line, Look, PostgresError, Row
from console.sources.base import Check
from console.sources.postgres_facts import Facts, facts, grant_monitor, quoted

_CLOCK_LIMIT_S = 2.0

_ASK = sql.SQL("""
SELECT clock_timestamp() AS server_time, current_setting('track_io_timing') AS io_timing,
       current_setting('track_activity_query_size') AS query_size,
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS connection_limit,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser
""")


async def examine(line: Line, owner: object, key: str) -> list[Check]:
    """Connect, and look at every privilege that the sources of this member use."""
    target = line.target
    try:
        async with line.look(owner) as look:
            known = await facts(look)
            before = datetime.now(UTC)
            answer = await look.ask(_ASK)
            middle = before + (datetime.now(UTC) - before) / 2
            return [
                Check(f"{key}: connect", "pass", f"{target.address}, PostgreSQL {known.version_text}"),
                *_privileges(key, known, answer.rows[0][0]),
                *await _statements(key, known, look),
                *_timing(key, answer.rows[0][0], middle),
            ]
    except PostgresError as error:
        return [Check(f"{key}: connect", "fail", error.problem, _mend_connection(error, line))]
    except psycopg.Error as error:
        return [Check(f"{key}: ask", "fail", clean(str(error).partition("\n")[0], 300))]


def _mend_connection(error: PostgresError, line: Line) -> str:
    target, text = line.target, error.problem
    role = quoted(target.user or "banksman")
    if "does not exist" in text and "role" in text:
        return f"CREATE ROLE {role} LOGIN; GRANT pg_monitor TO {role};"
    if "no pg_hba.conf entry" in text:
        return f"pg_hba.conf: host {target.database} {role} <address of this host>/32 scram-sha-256"
    if "password" in text or "authentication failed" in text:
        return (
            f"ALTER ROLE {role} LOGIN PASSWORD '…'; and the same behind the password reference of the environment file"
        )
    if "permission denied for database" in text:
        return f"GRANT CONNECT ON DATABASE {quoted(target.database)} TO {role};"
    if "too many" in text or "remaining connection slots" in text:
        return f"GRANT pg_use_reserved_connections TO {role}; and reserved_connections = 3 (PostgreSQL 16 or later)"
    if "resolve" in text:
        return f"name {target.host}: check `host` in the environment file, and the resolver of this machine"
    if "database" in text and "does not exist" in text:
        return "set `database` of this cluster in the environment file to one that exists"
    return f"check that {target.address} listens and that no firewall is in between" if not error.denied else ""


def _privileges(key: str, known: Facts, row: Row) -> list[Check]:
    what = f"{key}: privileges"
    role = clean(known.role, 64)
    checks = [
        Check(what, "pass", f"role {role} has pg_monitor")
        if known.sees_sessions and known.sees_settings and known.lists_wal
        else Check(what, "fail", f"role {role} lacks pg_monitor", grant_monitor(known))
    ]
    if row["superuser"]:
        checks.append(
            Check(
                f"{key}: superuser",
                "cannot tell",
                f"role {role} is a superuser: more than looking needs",
                f"ALTER ROLE {quoted(known.role)} NOSUPERUSER; {grant_monitor(known)}",
            )
        )
    if 0 <= row["connection_limit"] < 3:
        checks.append(
            Check(
                f"{key}: connection limit",
                "fail",
                f"role {role} may hold {row['connection_limit']} connections; each engine needs three",
                f"ALTER ROLE {quoted(known.role)} CONNECTION LIMIT 6;",
            )
        )
    return checks


async def _statements(key: str, known: Facts, look: Look) -> list[Check]:
    what = f"{key}: pg_stat_statements"
    preload = "shared_preload_libraries = 'pg_stat_statements' (needs a restart)"
    create = f"in database {clean(known.database, 64)}, on the primary: CREATE EXTENSION pg_stat_statements;"
    if not known.statements_loaded:
        mend = preload if known.statements_schema else f"{preload}; then {create}"
        return [Check(what, "fail", "the library is not loaded", mend)]
    if known.statements_schema is None:
        return [Check(what, "fail", f"not installed in database {clean(known.database, 64)}", create)]
    try:
        await look.ask(
            sql.SQL("SELECT 1 FROM {}.pg_stat_statements(false) LIMIT 1").format(
                sql.Identifier(known.statements_schema)
            )
        )
    except psycopg.Error as error:
        mend = f"GRANT USAGE ON SCHEMA {quoted(known.statements_schema)} TO {quoted(known.role)};"
        return [Check(what, "fail", clean(error.diag.message_primary or type(error).__name__, 200), mend)]
    return [Check(what, "pass", "version " + ".".join(map(str, known.statements_version)))]


def _timing(key: str, row: Row, ours: datetime) -> list[Check]:
    checks: list[Check] = []
    off = (row["server_time"] - ours).total_seconds()
    if abs(off) > _CLOCK_LIMIT_S:
        mend = "synchronise both clocks (chrony or systemd-timesyncd)"
        checks.append(Check(f"{key}: clock", "fail", f"the server's clock is {off:+.1f} s from ours", mend))
    else:
        checks.append(Check(f"{key}: clock", "pass", f"{off:+.2f} s from ours"))
    if row["io_timing"] == "on":
        checks.append(Check(f"{key}: I/O timing", "pass", "track_io_timing is on"))
    else:
        mend = "ALTER SYSTEM SET track_io_timing = on; SELECT pg_reload_conf(); (with Patroni: patronictl edit-config)"
        checks.append(Check(f"{key}: I/O timing", "fail", "latencies of I/O are not measured", mend))
    return checks
