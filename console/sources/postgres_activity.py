"""Who does what on a server, and who waits for whom."""

from __future__ import annotations

import asyncio
from typing import Any

from psycopg import sql

from console.clients.clean import clean
from console.clients.postgres import APPLICATION_NAME, Look, Row
from console.readings import Activity, BlockedSession, Reading, Session
from console.sources.postgres_base import PostgresSource, judged, utc
from console.sources.postgres_facts import Facts
from console.sources.postgres_names import RelationNames
from console.sources.postgres_query import COLUMNS, query_text

_SESSIONS = 500
_BLOCKED = 200
_AT_ONCE = 25
"""Rows that are cleaned before the loop gets its turn: 500 long texts in another script take a while."""

SESSIONS = sql.SQL("""
SELECT a.pid, d.datname, u.rolname, a.application_name, host(a.client_addr) AS address, a.client_port, a.state,
       a.wait_event_type, a.wait_event, a.backend_start, a.xact_start, a.query_start, a.state_change,
       {query},
       a.backend_type, count(*) OVER () AS total
FROM pg_stat_get_activity(NULL) a
LEFT JOIN pg_database d ON d.oid = a.datid LEFT JOIN pg_roles u ON u.oid = a.usesysid
WHERE {which}
ORDER BY a.state = 'idle', coalesce(a.xact_start, a.state_change, a.backend_start) LIMIT {limit}
""")

# The lock table is read only while somebody waits for a lock; and then once.
BLOCKED = sql.SQL("""
WITH waiting AS MATERIALIZED (
    SELECT count(*) AS n FROM pg_stat_get_activity(NULL) WHERE {gate}),
locks AS MATERIALIZED (
    SELECT * FROM pg_locks WHERE (SELECT n FROM waiting) > 0 AND (NOT granted OR locktype = 'tuple')),
oldest AS MATERIALIZED (
    SELECT *, {since} AS since, count(*) OVER () AS total FROM locks WHERE NOT granted ORDER BY {since} LIMIT {limit})
SELECT l.pid, pg_blocking_pids(l.pid) AS blocked_by, l.mode, l.since, l.total, l.locktype, l.database, d.datname,
       coalesce(l.relation, t.relation) AS relation, l.page, l.tuple, l.virtualxid,
       l.transactionid::text AS transactionid, l.classid, l.objid, l.objsubid, t.relation IS NOT NULL AS of_row,
       coalesce(d.datname, td.datname) AS relation_database, coalesce(l.database, t.database) AS relation_database_oid
FROM oldest l
LEFT JOIN locks t ON t.pid = l.pid AND t.granted AND t.locktype = 'tuple' AND l.locktype = 'transactionid'
LEFT JOIN pg_database d ON d.oid = l.database LEFT JOIN pg_database td ON td.oid = t.database
""")


class PostgresActivitySource(PostgresSource):
    """Sessions and blocking. The console's own sessions are left out."""

    reading: type[Reading] = Activity

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._names = RelationNames(self.line.target)

    async def take(self, look: Look, known: Facts) -> Activity:
        """Sessions and waits in one round trip; names of relations that are not known yet in further ones."""
        found = await self.find(look, {"sessions": _sessions(known), "locks": _blocked(known)})
        sessions = found.rows.get("sessions", [])
        waits = found.rows.get("locks", [])
        await self._names.learn(look, known, waits)
        others = await self._others(look, sessions, waits)
        return Activity(
            key=self.key,
            taken_at=found.asked_at,
            cluster=self.member.cluster,
            member=self.member.name,
            sessions=await _cleaned([*sessions, *others]),
            sessions_total=sessions[0]["total"] if sessions else 0,
            blocked={row["pid"]: self._wait(row) for row in waits},
            blocked_total=waits[0]["total"] if waits else 0,
            **judged([*self.blind_spots(known), *found.problems]),
        )

    def abandon(self) -> None:
        """Drop the connection if this look holds it, and a look-up of names in another database."""
        super().abandon()
        self._names.abandon()

    async def close(self) -> None:
        """End the connections."""
        await super().close()
        self._names.abandon()

    async def _others(self, look: Look, sessions: list[Row], waits: list[Row]) -> list[Row]:
        """Those in the blocking tree that are not listed: autovacuum workers, and whoever came after the 500th."""
        there = {row["pid"] for row in sessions}
        wanted = {pid for row in waits for pid in (row["pid"], *(row["blocked_by"] or ()))} - there - {0}
        if not wanted:
            return []
        pids = sql.SQL(", ").join(sql.Literal(pid) for pid in sorted(wanted)[:_BLOCKED])
        found = await self.find(look, {"blocking": _listed(sql.SQL("a.pid IN ({})").format(pids))})
        return found.rows.get("blocking", [])

    def _wait(self, row: Row) -> BlockedSession:
        return BlockedSession(
            pid=row["pid"],
            blocked_by=tuple(dict.fromkeys(row["blocked_by"] or ())),
            since=utc(row["since"]),
            mode=row["mode"] or "",
            target=clean(target(row, self._names), 200),
        )


def _sessions(known: Facts) -> sql.Composed:
    client = "a.backend_type = 'client backend'" if known.sees_sessions else "a.datid <> 0"
    return _listed(
        sql.SQL("{} AND NOT (a.application_name = {} AND u.rolname = current_user)").format(
            sql.SQL(client), sql.Literal(APPLICATION_NAME)
        )
    )


def _listed(which: sql.Composable) -> sql.Composed:
    return SESSIONS.format(query=COLUMNS, which=which, limit=sql.Literal(_SESSIONS))


def _blocked(known: Facts) -> sql.Composed:
    return BLOCKED.format(
        gate=sql.SQL("wait_event_type = 'Lock'" if known.sees_sessions else "true"),
        since=sql.SQL("waitstart" if known.at_least(14) else "NULL::timestamptz"),
        limit=sql.Literal(_BLOCKED),
    )


async def _cleaned(rows: list[Row]) -> dict[int, Session]:
    sessions: dict[int, Session] = {}
    for row in rows:
        sessions[row["pid"]] = _session(row)
        if len(sessions) % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return sessions


def _session(row: Row) -> Session:
    address = row["address"]
    wait, event = row["wait_event_type"], row["wait_event"]
    kind = row["backend_type"]
    return Session(
        pid=row["pid"],
        database=clean(row["datname"], 64),
        user=clean(row["rolname"], 64),
        application=clean(row["application_name"], 64) if kind in (None, "client backend") else clean(kind, 64),
        client=f"{address}:{row['client_port']}" if address else "local" if row["client_port"] == -1 else "",
        state=row["state"] or "",
        # Waiting for the client to say something is what an idle session does.
        wait=clean(f"{wait}: {event}", 80) if wait and event != "ClientRead" else "",
        backend_start=utc(row["backend_start"]),
        xact_start=utc(row["xact_start"]),
        query_start=utc(row["query_start"]),
        state_change=utc(row["state_change"]),
        query=query_text(row),
    )


def target(row: Row, names: RelationNames) -> str:
    """What a session waits for, in words."""
    kind, database = row["locktype"], row["datname"]
    where = f"{clean(database, 64)}: " if database else "shared: " if row["database"] == 0 else ""
    relation = names.name(row["relation_database_oid"], row["relation"]) if row["relation"] else ""
    if kind == "relation":
        return f"{where}relation {relation}"
    if kind == "tuple":
        return f"{where}row ({row['page']},{row['tuple']}) of {relation}"
    if kind in ("extend", "page"):
        return f"{where}{kind} of {relation}"
    if kind == "transactionid":
        row_of = f", row of {clean(row['relation_database'], 64)}: {relation}" if row["of_row"] else ""
        return f"transaction {row['transactionid']}{row_of}"
    if kind == "virtualxid":
        return f"virtual transaction {row['virtualxid']}"
    if kind == "advisory":
        return f"{where}advisory lock {_advisory(row)}"
    return f"{where}{kind} {row['classid']}/{row['objid']}"


def _advisory(row: Row) -> str:
    if row["objsubid"] == 1:  # one key of 64 bits, in two halves
        key = (row["classid"] << 32) | row["objid"]
        return str(key - 2**64 if key >= 2**63 else key)
    return f"{row['classid']}, {row['objid']}"
