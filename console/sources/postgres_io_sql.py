"""Statements of the I/O look, by version of the server."""

from __future__ import annotations

from psycopg import sql

from console.sources.postgres_facts import Facts

SETTINGS = sql.SQL("""
SELECT current_setting('track_io_timing') = 'on' AS io_timing,
       coalesce(current_setting('track_wal_io_timing', true), 'off') = 'on' AS wal_timing,
       current_setting('autovacuum_freeze_max_age')::int AS freeze_max_age,
       pg_postmaster_start_time() AS started_at, pg_is_in_recovery() AS in_recovery,
       (SELECT checkpoint_time FROM pg_control_checkpoint()) AS last_checkpoint_at
""")

DATABASES = sql.SQL("""
SELECT d.oid, d.datname, age(d.datfrozenxid) AS xid_age, mxid_age(d.datminmxid) AS mxid_age, d.datconnlimit,
       d.datallowconn, s.xact_commit, s.xact_rollback, s.temp_bytes, s.temp_files, s.deadlocks, s.blks_hit, s.blks_read,
       s.blk_read_time, s.blk_write_time, s.stats_reset, coalesce(c.connections, s.numbackends) AS connections
FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid
LEFT JOIN (SELECT datid, count(*) AS connections FROM pg_stat_get_activity(NULL)
           WHERE backend_type = 'client backend' GROUP BY datid) c ON c.datid = d.oid
""")

WAL_DIRECTORY = sql.SQL("SELECT sum(size)::bigint AS bytes FROM pg_ls_waldir()")


def parts(known: Facts) -> dict[str, sql.Composable]:
    """What is asked at each look."""
    asked: dict[str, sql.Composable] = {
        "settings": SETTINGS,
        "databases": DATABASES,
        "checkpoints": checkpoints(known),
    }
    if known.at_least(16):
        asked["pg_stat_io"] = io(known)
    if known.at_least(14):
        asked["pg_stat_wal"] = sql.SQL(
            "SELECT wal_bytes::float8, wal_fpi, wal_buffers_full, stats_reset FROM pg_stat_wal"
        )
    if known.lists_wal:
        asked["wal directory"] = WAL_DIRECTORY
    return asked


_IO = sql.SQL("""
SELECT backend_type, object, context, coalesce(reads, 0) AS reads, coalesce(writes, 0) AS writes,
       coalesce(extends, 0) AS extends, coalesce(fsyncs, 0) AS fsyncs, coalesce(read_time, 0) AS read_time,
       coalesce(write_time, 0) AS write_time, {sizes}, stats_reset
FROM pg_stat_io
""")
_SIZES = sql.SQL("read_bytes::float8, (coalesce(write_bytes, 0) + coalesce(extend_bytes, 0))::float8 AS write_bytes")
_SIZES_BEFORE_18 = sql.SQL(
    "(reads * op_bytes)::float8 AS read_bytes,"
    " ((coalesce(writes, 0) + coalesce(extends, 0)) * op_bytes)::float8 AS write_bytes"
)


def io(known: Facts) -> sql.Composed:
    """pg_stat_io; before 18 it counts operations of one size."""
    return _IO.format(sizes=_SIZES if known.at_least(18) else _SIZES_BEFORE_18)


_CHECKPOINTER = sql.SQL("""
SELECT CASE WHEN pg_is_in_recovery() THEN restartpoints_timed ELSE num_timed END AS timed,
       CASE WHEN pg_is_in_recovery() THEN restartpoints_req ELSE num_requested END AS requested,
       CASE WHEN pg_is_in_recovery() THEN restartpoints_done ELSE {done} END AS done,
       write_time, sync_time, stats_reset
FROM pg_stat_checkpointer
""")
_BGWRITER = sql.SQL("""
SELECT checkpoints_timed AS timed, checkpoints_req AS requested, checkpoints_timed + checkpoints_req AS done,
       checkpoint_write_time AS write_time, checkpoint_sync_time AS sync_time, stats_reset
FROM pg_stat_bgwriter
""")


def checkpoints(known: Facts) -> sql.Composable:
    """Counts and times; on a standby, from 17 on, of restartpoints."""
    if not known.at_least(17):
        return _BGWRITER
    return _CHECKPOINTER.format(done=sql.SQL("num_done" if known.at_least(18) else "num_timed + num_requested"))
