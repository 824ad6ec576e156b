"""I/O, checkpoints, temporary files, databases."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from psycopg import sql

from console.clients.clean import clean, clean_key
from console.clients.postgres import Look, Row
from console.readings import Database, IoRow, PostgresIo, Reading
from console.sources.postgres_base import Found, PostgresSource, judged, utc
from console.sources.postgres_checkpoints import Checkpoints
from console.sources.postgres_facts import Facts
from console.sources.postgres_io_sql import parts
from console.sources.rates import Counted, Meter, Step, rate, ratio, three_digits

_SIZE_KEPT_S = 300.0
_SIZES_AT_ONCE = 2
"""Databases measured in one look: the server reads the size of every file in them."""

_SIZES = sql.SQL("""
SELECT oid, CASE WHEN {may} THEN pg_database_size(oid) END AS size FROM pg_database WHERE oid IN ({wanted})
""")

_IO = ("reads", "writes", "extends", "fsyncs", "read_time", "write_time", "read_bytes", "write_bytes")
_DATABASE = (
    "xact_commit",
    "xact_rollback",
    "temp_bytes",
    "temp_files",
    "deadlocks",
    "blks_hit",
    "blks_read",
    "blk_read_time",
)


class PostgresIoSource(PostgresSource):
    """The look at what the disks do."""

    reading: type[Reading] = PostgresIo

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        longest_s = 3 * self.every_s
        self._io: Meter[str] = Meter(longest_s=longest_s)
        self._wal: Meter[str] = Meter(longest_s=longest_s)
        self._databases: Meter[int] = Meter(longest_s=longest_s)
        self._checkpoints = Checkpoints()
        self._sizes: dict[int, tuple[float, int | None]] = {}

    async def take(self, look: Look, known: Facts) -> PostgresIo:
        """Counters in one round trip; the sizes of a few databases in another."""
        found = await self.find(look, parts(known))
        at = time.monotonic()
        settings = found.one("settings")
        databases = found.rows.get("databases", [])
        problems = [*self.blind_spots(known), *found.problems, *await self._measure(look, known, databases)]
        started = settings.get("started_at")
        step = self._databases.step(at, {row["oid"]: _counted(row, _DATABASE, started) for row in databases})
        return PostgresIo(
            key=self.key,
            taken_at=found.asked_at,
            cluster=self.member.cluster,
            member=self.member.name,
            window_s=round(step.window_s, 1),
            io=self._rows(at, found, known, step),
            io_timing=bool(settings.get("io_timing")),
            last_checkpoint_at=utc(settings.get("last_checkpoint_at")),
            wal_directory_bytes=found.one("wal directory").get("bytes"),
            databases={clean_key(row["datname"], 64): self._database(row, step) for row in databases},
            freeze_max_age=settings.get("freeze_max_age", 200_000_000),
            stats_reset_at=_latest_reset(found),
            **self._wal_rates(at, found, started),
            **self._checkpoints.take(at, (started, settings.get("in_recovery")), found.one("checkpoints")),
            **judged(problems),
        )

    def _rows(self, at: float, found: Found, known: Facts, databases: Step[int]) -> dict[str, IoRow]:
        settings = found.one("settings")
        if not known.at_least(16):
            return _all_reads(databases, bool(settings.get("io_timing")))
        rows = {"/".join((r["backend_type"], r["object"], r["context"])): r for r in found.rows.get("pg_stat_io", [])}
        step = self._io.step(at, {key: _counted(row, _IO, settings.get("started_at")) for key, row in rows.items()})
        return {
            key: _io_row(rows[key], delta, step.window_s, bool(settings.get(_timing(rows[key]))))
            for key, delta in step.deltas.items()
            if any(delta)
        }

    def _wal_rates(self, at: float, found: Found, started: datetime | None) -> dict[str, Any]:
        row = found.one("pg_stat_wal")
        names = ("wal_bytes", "wal_fpi", "wal_buffers_full")
        step = self._wal.step(at, {"wal": _counted(row, names, started)} if row else {})
        delta = step.deltas.get("wal", (None,) * 3)
        return {f"{name}_per_s": rate(value, step.window_s) for name, value in zip(names, delta, strict=True)}

    async def _measure(self, look: Look, known: Facts, databases: list[Row]) -> list[str]:
        """Sizes whose turn it is: of those never measured, then of the oldest."""
        now = time.monotonic()
        there = {row["oid"]: row for row in databases}
        self._sizes = {oid: size for oid, size in self._sizes.items() if oid in there}
        due = [oid for oid in there if now - self._sizes.get(oid, (-_SIZE_KEPT_S, None))[0] >= _SIZE_KEPT_S]
        due.sort(key=lambda oid: self._sizes.get(oid, (0.0, None))[0])
        if not due:
            return []
        # Somebody who may not connect to a database may not know its size, unless he reads all statistics.
        may = sql.SQL("true" if known.sees_sessions else "has_database_privilege(oid, 'CONNECT')")
        wanted = sql.SQL(", ").join(sql.Literal(oid) for oid in due[:_SIZES_AT_ONCE])
        query = _SIZES.format(may=may, wanted=wanted)
        found = await self.find(look, {"sizes": query})
        self._sizes.update({row["oid"]: (now, row["size"]) for row in found.rows.get("sizes", [])})
        return [problem for problem in found.problems if problem.startswith("sizes")]

    def _database(self, row: Row, step: Step[int]) -> Database:
        commits, rollbacks, temp_bytes, temp_files, deadlocks, hits, reads, _ = step.deltas.get(row["oid"], (None,) * 8)
        return Database(
            name=clean(row["datname"], 64),
            size_bytes=self._sizes.get(row["oid"], (0.0, None))[1],
            xid_age=row["xid_age"],
            mxid_age=row["mxid_age"],
            connections=row["connections"],
            connection_limit=row["datconnlimit"],
            commits_per_s=rate(commits, step.window_s),
            rollbacks_per_s=rate(rollbacks, step.window_s),
            temp_bytes_per_s=rate(temp_bytes, step.window_s),
            temp_files_per_s=rate(temp_files, step.window_s),
            deadlocks_per_s=rate(deadlocks, step.window_s),
            cache_hit_ratio=ratio(hits, reads),
            allow_connections=row["datallowconn"],
        )


def _counted(row: Row, names: tuple[str, ...], started: datetime | None) -> Counted:
    return Counted((started, row["stats_reset"]), tuple(float(row[name] or 0) for name in names))


def _timing(row: Row) -> str:
    return "wal_timing" if row["object"] == "wal" else "io_timing"


def _io_row(row: Row, delta: tuple[float, ...], window_s: float, timed: bool) -> IoRow:
    reads, writes, extends, fsyncs, read_time, write_time, read_bytes, write_bytes = delta
    return IoRow(
        backend=row["backend_type"],
        object=row["object"],
        context=row["context"],
        reads_per_s=three_digits(reads / window_s),
        writes_per_s=three_digits(writes / window_s),
        extends_per_s=three_digits(extends / window_s),
        fsyncs_per_s=three_digits(fsyncs / window_s),
        read_ms=three_digits(read_time / reads) if timed and reads else None,
        write_ms=three_digits(write_time / writes) if timed and writes else None,
        read_bytes_per_s=three_digits(read_bytes / window_s),
        write_bytes_per_s=three_digits(write_bytes / window_s),
    )


_BLOCK = 8192


def _all_reads(step: Step[int], timed: bool) -> dict[str, IoRow]:
    """Before PostgreSQL 16 there are only the databases' own counters of blocks read."""
    reads = sum(delta[6] for delta in step.deltas.values())
    if not reads:
        return {}
    row = IoRow(
        backend="all",
        object="relation",
        context="normal",
        reads_per_s=three_digits(reads / step.window_s),
        read_ms=three_digits(sum(delta[7] for delta in step.deltas.values()) / reads) if timed else None,
        read_bytes_per_s=three_digits(reads * _BLOCK / step.window_s),
    )
    return {"all/relation/normal": row}


def _latest_reset(found: Found) -> datetime | None:
    parts_with_reset = ("databases", "pg_stat_io", "pg_stat_wal", "checkpoints")
    moments = [
        row["stats_reset"] for part in parts_with_reset for row in found.rows.get(part, []) if row["stats_reset"]
    ]
    return utc(max(moments, default=None))
