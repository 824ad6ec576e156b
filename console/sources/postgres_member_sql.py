"""Statements of the member's look, by version and state of the server."""

from __future__ import annotations

from psycopg import sql

SERVER = sql.SQL("""
SELECT clock_timestamp() AS server_time, pg_is_in_recovery() AS in_recovery, pg_postmaster_start_time() AS started_at,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint END AS current_bytes,
       CASE WHEN NOT pg_is_in_recovery()
            THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END AS writing_timeline,
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::bigint AS received_bytes,
       pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint AS replayed_bytes,
       pg_last_xact_replay_timestamp() AS replayed_at,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS replay_paused,
       (SELECT greatest(c.timeline_id, r.min_recovery_end_timeline)
          FROM pg_control_checkpoint() c, pg_control_recovery() r) AS control_timeline,
       current_setting('synchronous_standby_names') AS synchronous_names,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved_connections,
       current_setting('archive_mode') AS archive_mode
""")

RECEIVER = sql.SQL("""
SELECT status, received_tli, last_msg_receipt_time, sender_host, sender_port FROM pg_stat_wal_receiver
""")

# A cascading standby sends what it has received or, from the archive, replayed.
_HERE = "CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END"

REPLICAS = sql.SQL(f"""
SELECT r.pid, r.application_name, host(r.client_addr) AS address, r.client_port, r.state, r.sync_state,
       pg_wal_lsn_diff(here.lsn, r.sent_lsn)::bigint AS sent_lag, pg_wal_lsn_diff(here.lsn, r.flush_lsn)::bigint AS flush_lag,
       pg_wal_lsn_diff(here.lsn, r.replay_lsn)::bigint AS replay_lag, extract(epoch FROM r.write_lag)::float8 AS write_s,
       extract(epoch FROM r.flush_lag)::float8 AS flush_s, extract(epoch FROM r.replay_lag)::float8 AS replay_s, s.slot_name
FROM (SELECT {_HERE} AS lsn) AS here
CROSS JOIN pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
""")  # noqa: S608 - no text from outside

ARCHIVER = sql.SQL("""
SELECT archived_count, last_archived_wal, last_archived_time, failed_count, last_failed_wal, last_failed_time
FROM pg_stat_archiver
""")

TOTALS = sql.SQL("""
SELECT sum(xact_commit)::float8 AS commits, sum(xact_rollback)::float8 AS rollbacks, sum(deadlocks)::float8 AS deadlocks,
       sum(blks_hit)::float8 AS hits, sum(blks_read)::float8 AS reads, count(*) AS databases, max(stats_reset) AS reset_at
FROM pg_stat_database
""")

CONNECTIONS = sql.SQL("""
SELECT d.datname, count(*) AS connections, count(*) FILTER (WHERE a.wait_event = 'SyncRep') AS waiting
FROM pg_stat_get_activity(NULL) a LEFT JOIN pg_database d ON d.oid = a.datid
WHERE a.backend_type = 'client backend' GROUP BY d.datname
""")

CONNECTIONS_UNPRIVILEGED = sql.SQL("""
SELECT datname, numbackends AS connections, 0 AS waiting FROM pg_stat_database WHERE numbackends > 0
""")
"""Without pg_read_all_stats the kind of a backend is hidden; this counts a database's workers too."""


def slots(version: int) -> sql.SQL:
    """Slots, with the columns that this version has."""
    if version >= 170000:
        newer = "inactive_since, invalidation_reason"
    else:
        newer = "NULL::timestamptz AS inactive_since, NULL::text AS invalidation_reason"
    return sql.SQL(f"""
SELECT slot_name, slot_type, active, database, wal_status, safe_wal_size, {newer},
       pg_wal_lsn_diff({_HERE}, restart_lsn)::bigint AS retained
FROM pg_replication_slots
""")  # noqa: S608 - no text from outside
