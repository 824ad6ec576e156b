"""Top statements by time since the previous look, from pg_stat_statements."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg import sql

from console.clients.clean import clean
from console.clients.postgres import Look, Row
from console.readings import PostgresStatements, Reading, Statement
from console.sources.postgres_base import PostgresSource, judged, utc
from console.sources.postgres_facts import Facts
from console.sources.postgres_query import COLUMNS, query_text
from console.sources.rates import Counted, Meter, Step, three_digits

_TOP = 30
_TEXTS = 500
_NAMES_EVERY_S = 60.0


class _Key(NamedTuple):
    """One statement of one role in one database."""

    query: int
    database: int
    role: int


class PostgresStatementsSource(PostgresSource):
    """Counters of all statements at each look; their texts, which lie in a file on the server, only once."""

    reading: type[Reading] = PostgresStatements
    privilege = "pg_monitor, and the extension pg_stat_statements in the database that it connects to"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # A statement that was not there before was counted from zero, for all of them are read each time.
        self._meter: Meter[_Key] = Meter(longest_s=3 * self.every_s, new_counts=True)
        self._life: object = None
        self._evicted: int | None = None
        self._texts: OrderedDict[int, str] = OrderedDict()
        self._databases: dict[int, str] = {}
        self._roles: dict[int, str] = {}
        self._named_at = -_NAMES_EVERY_S

    async def take(self, look: Look, known: Facts) -> PostgresStatements:
        """Counters, then the texts and names that the top ones still need."""
        problem = _missing(known)
        if problem:
            self._meter.forget()
            return self._reading(known, [problem], extension=False)
        found = await self.find(look, _queries(known))
        if "pg_stat_statements" not in found.rows:
            self._meter.forget()
            return self._reading(known, found.problems, extension=False)
        info = found.one("pg_stat_statements_info")
        reset_at = info.get("stats_reset")
        step = self._step(known, reset_at, found.rows["pg_stat_statements"])
        top = sorted(step.deltas, key=lambda key: step.deltas[key][1], reverse=True)[:_TOP]
        top = [key for key in top if step.deltas[key][0] > 0]
        await self._learn(look, known, top)
        total_ms, own_ms = self._totals(known, step)
        return self._reading(
            known,
            found.problems,
            window_s=round(step.window_s, 1),
            total_ms_per_s=three_digits(total_ms / step.window_s) if step.window_s else 0.0,
            own_ms_per_s=three_digits(own_ms / step.window_s) if step.window_s else 0.0,
            rows=dict(self._row(key, step, total_ms, known.role) for key in top),
            reset_at=utc(reset_at),
            evicted=self._evicted_since(info.get("dealloc"), step),
        )

    def _reading(self, known: Facts, problems: list[str], **content: Any) -> PostgresStatements:
        return PostgresStatements(
            key=self.key,
            taken_at=datetime.now(UTC),
            cluster=self.member.cluster,
            member=self.member.name,
            **content,
            **judged([*self.blind_spots(known), *problems]),
        )

    def _step(self, known: Facts, reset_at: datetime | None, rows: list[Row]) -> Step[_Key]:
        life = (known.started_at, reset_at)
        if life != self._life:
            self._meter.forget()
            self._life = life
        return self._meter.step(time.monotonic(), _counters(rows))

    def _evicted_since(self, dealloc: int | None, step: Step[_Key]) -> int:
        before, self._evicted = self._evicted, dealloc
        if dealloc is None or before is None or not step.window_s:
            return 0
        return max(0, dealloc - before)

    def _totals(self, known: Facts, step: Step[_Key]) -> tuple[float, float]:
        """Milliseconds of everybody else's statements, and of our own."""
        others = own = 0.0
        for key, delta in step.deltas.items():
            if self._roles.get(key.role) == known.role:
                own += delta[1]
            else:
                others += delta[1]
        return others, own

    def _row(self, key: _Key, step: Step[_Key], total_ms: float, own_role: str) -> tuple[str, Statement]:
        calls, ms, rows, read, temp, wal = step.deltas[key]
        name = f"{key.query} {key.database} {key.role}"
        ours = self._roles.get(key.role) == own_role
        return name, Statement(
            id=name,
            database=self._databases.get(key.database, str(key.database)),
            user=self._roles.get(key.role, str(key.role)),
            calls_per_s=three_digits(calls / step.window_s),
            ms_per_s=three_digits(ms / step.window_s),
            mean_ms=three_digits(ms / calls),
            rows_per_s=three_digits(rows / step.window_s),
            blocks_read_per_s=three_digits(read / step.window_s),
            temp_blocks_per_s=three_digits(temp / step.window_s),
            wal_bytes_per_s=three_digits(wal / step.window_s),
            share=three_digits(ms / total_ms) if total_ms > 0 and not ours else 0.0,
            ours=ours,
            query=self._texts.get(key.query, ""),
        )

    async def _learn(self, look: Look, known: Facts, top: list[_Key]) -> None:
        unknown = sorted({key.query for key in top if key.query not in self._texts})
        nameless = any(key.database not in self._databases or key.role not in self._roles for key in top)
        parts: dict[str, sql.Composable] = {}
        if unknown:
            parts["texts"] = _texts(known, unknown)
        if nameless or time.monotonic() - self._named_at > _NAMES_EVERY_S:
            parts["databases"] = sql.SQL("SELECT oid, datname AS name FROM pg_database")
            parts["roles"] = sql.SQL("SELECT oid, rolname AS name FROM pg_roles")
        if not parts:
            return
        found = await self.find(look, parts)
        for row in found.rows.get("texts", []):
            self._texts[row["queryid"]] = query_text(row)
        while len(self._texts) > _TEXTS:
            self._texts.popitem(last=False)
        if "databases" in found.rows:
            self._named_at = time.monotonic()
            self._databases = {row["oid"]: clean(row["name"], 64) for row in found.rows["databases"]}
            self._roles = {row["oid"]: clean(row["name"], 64) for row in found.rows.get("roles", [])}


def _missing(known: Facts) -> str:
    database = clean(known.database, 64)
    if known.statements_schema is None:
        return f"pg_stat_statements is not installed in database {database}: CREATE EXTENSION pg_stat_statements;"
    if not known.statements_loaded:
        return "pg_stat_statements is not loaded: shared_preload_libraries = 'pg_stat_statements' (needs a restart)"
    return ""


_COUNTERS = sql.SQL("""
SELECT queryid, dbid, userid, calls, {ms} AS ms, rows, shared_blks_read + local_blks_read AS read,
       temp_blks_read + temp_blks_written AS temp, {wal}::float8 AS wal
FROM {schema}.pg_stat_statements(false) WHERE queryid IS NOT NULL
""")
_INFO = sql.SQL("SELECT dealloc, stats_reset FROM {schema}.pg_stat_statements_info")
_TEXT = sql.SQL("""
SELECT DISTINCT ON (queryid) queryid, {columns}
FROM {schema}.pg_stat_statements(true) WHERE queryid IN ({wanted})
""")


def _queries(known: Facts) -> dict[str, sql.Composable]:
    schema = sql.Identifier(known.statements_schema or "public")
    modern = known.statements_version >= (1, 8)  # an extension that was never updated keeps its old columns
    ms, wal = ("total_exec_time", "wal_bytes") if modern else ("total_time", "0")
    parts: dict[str, sql.Composable] = {
        "pg_stat_statements": _COUNTERS.format(ms=sql.SQL(ms), wal=sql.SQL(wal), schema=schema)
    }
    if known.statements_version >= (1, 9):
        parts["pg_stat_statements_info"] = _INFO.format(schema=schema)
    return parts


def _texts(known: Facts, queries: Iterable[int]) -> sql.Composed:
    wanted = sql.SQL(", ").join(sql.Literal(query) for query in queries)
    schema = sql.Identifier(known.statements_schema or "public")
    return _TEXT.format(columns=COLUMNS, schema=schema, wanted=wanted)


def _counters(rows: list[Row]) -> dict[_Key, Counted]:
    """Counters by statement; a statement called at top level and within functions is one."""
    counters: dict[_Key, Counted] = {}
    for row in rows:
        key = _Key(row["queryid"], row["dbid"], row["userid"])
        values = tuple(float(row[name] or 0) for name in ("calls", "ms", "rows", "read", "temp", "wal"))
        twin = counters.get(key)
        if twin is not None:
            values = tuple(a + b for a, b in zip(values, twin.values, strict=True))
        counters[key] = Counted(None, values)
    return counters
