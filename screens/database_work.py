"""Statements, I/O and databases, as rows."""

from __future__ import annotations

from datetime import datetime

from console.board import Board
from console.readings import Database, IoRow, PostgresIo, PostgresStatements, Statement
from screens.database_cluster import source
from screens.database_sessions import one_line
from screens.section import MISSING, Section, fact, number_cell, unknown
from widgets.columns import Cell, Column, Row
from widgets.format import bar, count, milliseconds, number, percent, rate, short_age, size, size_rate
from widgets.spans import Line, joined, line

BLOCK = 8192
"""Bytes of a PostgreSQL block (the block size of every build that is packaged)."""

STATEMENTS = (
    Column("share", "share of time", 15, sort="S", descending=True),
    Column("busy", "ms/s", 6, "right", sort="M", descending=True),
    Column("calls", "calls/s", 7, "right", sort="C", descending=True),
    Column("mean", "mean", 7, "right", sort="A", descending=True),
    Column("rows", "rows/s", 6, "right", drop=4, sort="R", descending=True),
    Column("reads", "read", 8, "right", drop=5, sort="E", descending=True),
    Column("temp", "temp", 8, "right", drop=2, sort="T", descending=True),
    Column("wal", "WAL", 8, "right", drop=1, sort="W", descending=True),
    Column("database", "database", 12, drop=3, sort="D"),
    Column("user", "user", 9, drop=6, sort="U"),
    Column("query", "query", 26, flex=1, sort="Q"),
)
IO = (
    Column("backend", "backend", 19, sort="B"),
    Column("object", "object", 13, sort="O"),
    Column("context", "context", 9, drop=3, sort="C"),
    Column("reads", "reads", 7, "right", sort="R", descending=True),
    Column("read_ms", "each", 7, "right", sort="E", descending=True),
    Column("read_bytes", "read", 8, "right", drop=2, sort="A", descending=True),
    Column("writes", "writes", 7, "right", sort="W", descending=True),
    Column("write_ms", "each", 7, "right", sort="H", descending=True),
    Column("write_bytes", "written", 8, "right", drop=1, sort="I", descending=True),
    Column("extends", "extends", 7, "right", drop=5, sort="X", descending=True),
    Column("fsyncs", "fsyncs", 7, "right", drop=4, sort="F", descending=True),
)
DATABASES = (
    Column("name", "database", 18, flex=1, sort="D"),
    Column("size", "size", 7, "right", sort="S", descending=True),
    Column("connections", "connections", 12, "right", sort="C", descending=True),
    Column("commits", "commits", 8, "right", sort="O", descending=True),
    Column("rollbacks", "rollbacks", 9, "right", drop=3, sort="R", descending=True),
    Column("hit", "hit", 6, "right", drop=2, sort="H"),
    Column("temp", "temp", 8, "right", drop=1, sort="T", descending=True),
    Column("deadlocks", "deadlocks", 9, "right", drop=4, sort="K", descending=True),
    Column("xid", "xid age", 7, "right", sort="X", descending=True),
    Column("freeze", "to freezing", 15, drop=1, sort="F", descending=True),
    Column("mxid", "mxid age", 8, "right", drop=5, sort="M", descending=True),
)
XID_STYLES = ((1.5, "critical"), (1.0, "warning"))
"""Share of autovacuum_freeze_max_age → style: beyond it autovacuum should have frozen, and has not."""


def statement_row(statement: Statement) -> Row:
    """One statement since the previous look."""
    share = statement.share
    return Row(
        statement.id,
        (
            Cell("banksman's", "muted", -1.0)
            if statement.ours
            else Cell(line((bar(share, 10), "series"), (f"{percent(share):>5}", "")), "", share),
            number_cell(number(statement.ms_per_s), statement.ms_per_s),
            number_cell(number(statement.calls_per_s), statement.calls_per_s),
            number_cell(milliseconds(statement.mean_ms), statement.mean_ms),
            number_cell(number(statement.rows_per_s), statement.rows_per_s),
            _bytes(statement.blocks_read_per_s * BLOCK),
            _bytes(statement.temp_blocks_per_s * BLOCK, "warning"),
            _bytes(statement.wal_bytes_per_s),
            statement.database,
            statement.user,
            Cell(one_line(statement.query)),
        ),
    )


def _bytes(amount: float, style: str = "") -> Cell:
    """A rate in bytes; nothing where there is nothing, so that what there is stands out."""
    return Cell("", "", 0.0) if amount <= 0 else number_cell(size_rate(amount), amount, style)


def _flow(amount: float) -> Cell:
    return Cell("", "", 0.0) if amount <= 0 else number_cell(rate(amount), amount)


def statements(board: Board, cluster: str, member: str, now: datetime) -> Section:
    """Top statements of one server by their share of time since the previous look, never since the last reset."""
    reading, why = source(board, PostgresStatements, cluster, member, now)
    if reading is None:
        return unknown(STATEMENTS, why)
    if not reading.extension:
        return unknown(STATEMENTS, "pg_stat_statements is not installed in this database", "warning")
    if reading.window_s <= 0:
        return unknown(STATEMENTS, "first look: there is nothing yet to compare with", "unknown")
    rows = sorted(reading.rows.values(), key=lambda row: (row.ours, -row.share, row.id))
    summary = joined(
        (
            fact("execution", f"{number(reading.total_ms_per_s)} ms/s"),
            fact("and banksman's own", f"{number(reading.own_ms_per_s)} ms/s"),
            fact("over the last", short_age(reading.window_s)),
            line((f"{count(reading.evicted)} statements evicted, not attributed", "warning"))
            if reading.evicted
            else (),
        ),
        "   ",
    )
    return Section(
        STATEMENTS, tuple(map(statement_row, rows)), (summary,), empty="no statement has run since the last look"
    )


# -- I/O ---------------------------------------------------------------------------------------------------------------


def io_row(row: IoRow, timing: bool) -> Row:
    """What one kind of backend does to one kind of object."""
    return Row(
        f"{row.backend}/{row.object}/{row.context}",
        (
            row.backend,
            row.object,
            Cell(row.context, "muted"),
            _flow(row.reads_per_s),
            _latency(row.read_ms, row.reads_per_s, timing),
            _bytes(row.read_bytes_per_s),
            _flow(row.writes_per_s),
            _latency(row.write_ms, row.writes_per_s, timing),
            _bytes(row.write_bytes_per_s),
            _flow(row.extends_per_s),
            _flow(row.fsyncs_per_s),
        ),
    )


def _latency(amount: float | None, per_s: float, timing: bool) -> Cell:
    if per_s <= 0:
        return Cell("", "", MISSING)
    return number_cell(milliseconds(amount), amount) if timing else Cell("?", "muted", MISSING)


def io(board: Board, cluster: str, member: str, now: datetime) -> Section:
    """Reads and writes of one server by who does them, checkpoints, WAL."""
    reading, why = source(board, PostgresIo, cluster, member, now)
    if reading is None:
        return unknown(IO, why)
    rows = sorted(reading.io.values(), key=lambda row: -(row.reads_per_s + row.writes_per_s + row.extends_per_s))
    return Section(
        IO,
        tuple(io_row(row, reading.io_timing) for row in rows),
        (checkpoint_words(reading, now), wal_words(reading)),
        empty="nothing was read or written since the last look"
        if reading.window_s > 0
        else "first look: there is nothing yet to compare with",
    )


def checkpoint_words(reading: PostgresIo, now: datetime) -> Line:
    """Checkpoints: how often, asked for by whom, how long."""
    requested = reading.checkpoints_requested_per_h
    last = reading.last_checkpoint_at
    return joined(
        (
            fact("checkpoints", f"{number(reading.checkpoints_timed_per_h)}/h timed"),
            fact("requested", f"{number(requested)}/h", "warning" if requested and requested >= 6 else ""),
            fact("last", f"{short_age((now - last).total_seconds())} ago") if last else (),
            fact("write", milliseconds(reading.checkpoint_write_ms)) if reading.checkpoint_write_ms is not None else (),
            fact("sync", milliseconds(reading.checkpoint_sync_ms)) if reading.checkpoint_sync_ms is not None else (),
        ),
        "   ",
    )


def wal_words(reading: PostgresIo) -> Line:
    """WAL: how fast, how much of it full pages, how much is kept."""
    full = reading.wal_buffers_full_per_s
    return joined(
        (
            fact("WAL", size_rate(reading.wal_bytes_per_s)),
            fact("full pages", rate(reading.wal_fpi_per_s)),
            fact("buffers full", rate(full), "warning" if full and full >= 1 else ""),
            fact("pg_wal", size(reading.wal_directory_bytes)),
            line(("latencies need track_io_timing", "muted")) if not reading.io_timing else (),
        ),
        "   ",
    )


# -- databases ---------------------------------------------------------------------------------------------------------


def database_row(database: Database, freeze_max_age: int) -> Row:
    """One database."""
    limit = database.connection_limit
    share = database.xid_age / freeze_max_age if freeze_max_age > 0 else None
    style = next((style for least, style in XID_STYLES if share is not None and share >= least), "")
    near = limit > 0 and database.connections >= 0.8 * limit
    return Row(
        database.name,
        (
            Cell(database.name),
            number_cell(size(database.size_bytes), database.size_bytes),
            number_cell(
                f"{count(database.connections)} of {limit}" if limit >= 0 else count(database.connections),
                database.connections,
                "warning" if near else "",
            ),
            number_cell(rate(database.commits_per_s), database.commits_per_s),
            number_cell(rate(database.rollbacks_per_s), database.rollbacks_per_s),
            number_cell(percent(database.cache_hit_ratio), database.cache_hit_ratio),
            _bytes(database.temp_bytes_per_s or 0.0, "warning"),
            number_cell(
                rate(database.deadlocks_per_s), database.deadlocks_per_s, "warning" if database.deadlocks_per_s else ""
            ),
            number_cell(number(database.xid_age), database.xid_age, style),
            Cell(line((bar(share, 9), style or "series"), (f" {percent(share):>5}", style)), "", share),
            number_cell(number(database.mxid_age), database.mxid_age),
        ),
        "" if database.allow_connections else "muted",
    )


def databases(board: Board, cluster: str, member: str, now: datetime) -> Section:
    """The databases of the cluster."""
    reading, why = source(board, PostgresIo, cluster, member, now)
    if reading is None:
        return unknown(DATABASES, why)
    rows = sorted(reading.databases.values(), key=lambda row: (-(row.size_bytes or 0), row.name))
    total = sum(row.size_bytes or 0 for row in rows)
    oldest = max(rows, key=lambda row: row.xid_age, default=None)
    summary = joined(
        (
            fact("together", size(total)),
            fact("oldest xid", f"{number(oldest.xid_age)} of {number(reading.freeze_max_age)} in {oldest.name}")
            if oldest
            else (),
        ),
        "   ",
    )
    return Section(
        DATABASES,
        tuple(database_row(row, reading.freeze_max_age) for row in rows),
        (summary,),
        empty="no database was listed: they are counted on the primary",
        count=len(rows) or None,
    )
