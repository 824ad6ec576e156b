"""What one PostgreSQL server says. Positions in WAL are bytes since 0/0; rates are per second since the previous look."""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import PrivateText, Reading, topic


class Replica(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of pg_stat_replication, as the sending server counts it."""

    name: str
    """application_name, which under Patroni is the member's name."""
    address: str = ""
    state: str = ""
    sync_state: str = ""
    """async, potential, sync, quorum."""
    sent_lag_bytes: int | None = None
    """Sender's current position minus sent_lsn; likewise below."""
    flush_lag_bytes: int | None = None
    replay_lag_bytes: int | None = None
    write_lag_s: float | None = None
    flush_lag_s: float | None = None
    replay_lag_s: float | None = None
    slot: str = ""


class Slot(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of pg_replication_slots."""

    name: str
    type: str = "physical"
    active: bool = False
    database: str = ""
    retained_bytes: int | None = None
    """WAL it keeps from removal."""
    safe_bytes: int | None = None
    """How much more WAL until it is invalidated (max_slot_wal_keep_size); None: no limit."""
    wal_status: str = ""
    """reserved, extended, unreserved, lost."""
    inactive_since: datetime | None = None
    invalidation_reason: str = ""


@topic("postgres", "database")
class PostgresMember(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """One server: role, positions, replication, slots, archiver, limits. Key ``cluster/member``."""

    cluster: str = ""
    member: str = ""
    address: str = ""
    version: str = ""
    system_identifier: str = ""
    in_recovery: bool | None = None
    """False: out of recovery, that is, accepts writes. More than one such member is the worst there is."""
    timeline: int | None = None
    started_at: datetime | None = None
    """pg_postmaster_start_time()."""
    server_time: datetime | None = None
    """The server's clock when asked."""
    clock_off_s: float | None = None
    """Server's clock minus ours, less half the round trip."""
    current_bytes: int | None = None
    """Primary: pg_current_wal_lsn."""
    received_bytes: int | None = None
    """Standby: pg_last_wal_receive_lsn (the last received since start)."""
    replayed_bytes: int | None = None
    replayed_at: datetime | None = None
    """Commit time of the last replayed transaction (pg_last_xact_replay_timestamp)."""
    receiver_status: str = ""
    """pg_stat_wal_receiver.status; empty: no receiver runs."""
    receiver_last_message_at: datetime | None = None
    receiver_from: str = ""
    replay_paused: bool = False
    wal_per_s: float | None = None
    """Primary: bytes of WAL written per second."""
    synchronous_names: str = ""
    """synchronous_standby_names in force."""
    sync_missing: bool = False
    """Commits wait for a synchronous standby and none is streaming."""
    sync_waiting: int = 0
    """Sessions whose commit waits for a synchronous standby right now (wait event SyncRep)."""
    replicas: dict[str, Replica] = {}
    slots: dict[str, Slot] = {}
    archive_mode: str = ""
    archived_count: int = 0
    archive_failed_count: int = 0
    archive_last_ok: str = ""
    archive_last_ok_at: datetime | None = None
    archive_last_failed: str = ""
    archive_last_failed_at: datetime | None = None
    connections: int = 0
    connections_by_database: dict[str, int] = {}
    max_connections: int = 0
    reserved_connections: int = 0
    """superuser_reserved_connections + reserved_connections."""
    commits_per_s: float | None = None
    rollbacks_per_s: float | None = None
    deadlocks_per_s: float | None = None
    cache_hit_ratio: float | None = None
    """Blocks found in shared buffers / all blocks asked for, since the previous look, 0..1."""


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """A client backend of pg_stat_activity. Ages are counted by whoever shows them, from these moments."""

    pid: int
    database: str = ""
    user: str = ""
    application: str = ""
    client: str = ""
    state: str = ""
    """active, idle, idle in transaction …"""
    wait: str = ""
    """``Lock: transactionid``: wait_event_type: wait_event; empty: it waits for nothing."""
    backend_start: datetime | None = None
    xact_start: datetime | None = None
    query_start: datetime | None = None
    state_change: datetime | None = None
    query: PrivateText = ""


class BlockedSession(msgspec.Struct, frozen=True, omit_defaults=True):
    """A session that waits for a lock, and who holds it (pg_blocking_pids)."""

    pid: int
    blocked_by: tuple[int, ...]
    since: datetime | None = None
    """pg_locks.waitstart."""
    mode: str = ""
    target: str = ""
    """``acme: relation purchase_order``, ``transaction 7321`` …"""


@topic("postgres.activity", "database")
class Activity(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Who does what on one server, and who waits for whom. Key ``cluster/member``."""

    cluster: str = ""
    member: str = ""
    sessions: dict[int, Session] = {}
    """Client backends but the console's own, at most 500: not idle first, then longest. Then any other process that
    blocks or is blocked, an autovacuum worker for one, under its kind as ``application``."""
    sessions_total: int = 0
    blocked: dict[int, BlockedSession] = {}
    """Those who have waited longest, at most 200."""
    blocked_total: int = 0


class Statement(msgspec.Struct, frozen=True, omit_defaults=True):
    """A statement's share since the previous look (never lifetime)."""

    id: str
    """queryid, database and role, joined."""
    database: str = ""
    user: str = ""
    calls_per_s: float = 0.0
    ms_per_s: float = 0.0
    """Execution milliseconds per second: 1000 is one core or one waiting session all the time."""
    mean_ms: float = 0.0
    rows_per_s: float = 0.0
    blocks_read_per_s: float = 0.0
    temp_blocks_per_s: float = 0.0
    wal_bytes_per_s: float = 0.0
    share: float = 0.0
    """Of the time of all statements but the console's own in the interval, 0..1; of one of its own: 0."""
    ours: bool = False
    """Run by the console's own role: what watching costs, not what the platform does."""
    query: PrivateText = ""


@topic("postgres.statements", "database")
class PostgresStatements(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Top statements by time since the previous look, at most 30. Key ``cluster/member``."""

    cluster: str = ""
    member: str = ""
    window_s: float = 0.0
    """Length of the interval; 0: first look, no deltas yet."""
    total_ms_per_s: float = 0.0
    """Of all statements but the console's own."""
    own_ms_per_s: float = 0.0
    """Of the console's own role: what watching costs this server."""
    rows: dict[str, Statement] = {}
    reset_at: datetime | None = None
    evicted: int = 0
    """pg_stat_statements_info.dealloc since the previous look: so much could not be attributed."""
    extension: bool = True


class IoRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of pg_stat_io, as rates. Latencies only with track_io_timing."""

    backend: str
    object: str
    context: str
    reads_per_s: float = 0.0
    writes_per_s: float = 0.0
    extends_per_s: float = 0.0
    fsyncs_per_s: float = 0.0
    read_ms: float | None = None
    """Milliseconds per read."""
    write_ms: float | None = None
    read_bytes_per_s: float = 0.0
    write_bytes_per_s: float = 0.0


class Database(msgspec.Struct, frozen=True, omit_defaults=True):
    """One database of the cluster."""

    name: str
    size_bytes: int | None = None
    xid_age: int = 0
    mxid_age: int = 0
    connections: int = 0
    connection_limit: int = -1
    commits_per_s: float | None = None
    rollbacks_per_s: float | None = None
    temp_bytes_per_s: float | None = None
    temp_files_per_s: float | None = None
    deadlocks_per_s: float | None = None
    cache_hit_ratio: float | None = None
    allow_connections: bool = True


@topic("postgres.io", "database")
class PostgresIo(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """I/O, checkpoints, temp files, databases. Key ``cluster/member``."""

    cluster: str = ""
    member: str = ""
    window_s: float = 0.0
    io: dict[str, IoRow] = {}
    """``backend/object/context`` → rates; rows that did nothing in the window are left out."""
    io_timing: bool = False
    checkpoints_timed_per_h: float | None = None
    """Over the last hour, or so much of it as was seen; None until that is five minutes. Likewise below."""
    checkpoints_requested_per_h: float | None = None
    checkpoint_write_ms: float | None = None
    """Mean write time of the checkpoints of the last hour."""
    checkpoint_sync_ms: float | None = None
    last_checkpoint_at: datetime | None = None
    wal_bytes_per_s: float | None = None
    wal_fpi_per_s: float | None = None
    wal_buffers_full_per_s: float | None = None
    wal_directory_bytes: int | None = None
    """None: the role may not list it."""
    databases: dict[str, Database] = {}
    freeze_max_age: int = 200_000_000
    """autovacuum_freeze_max_age."""
    stats_reset_at: datetime | None = None


class Setting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A setting that is not at its default, or that matters to us at any value."""

    name: str
    value: str
    unit: str = ""
    source: str = ""
    pending_restart: bool = False
    previous: str | None = None
    """Value before the last change that the engine saw."""
    changed_at: datetime | None = None


class Role(msgspec.Struct, frozen=True, omit_defaults=True):
    """A login role or a privileged one."""

    name: str
    superuser: bool = False
    login: bool = False
    replication: bool = False
    create_role: bool = False
    create_db: bool = False
    bypass_rls: bool = False
    connection_limit: int = -1
    valid_until: datetime | None = None
    member_of: tuple[str, ...] = ()
    changed_at: datetime | None = None
    """When the engine saw it appear or change; None: as it was at the first look."""


@topic("postgres.settings", "database")
class PostgresSettings(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Settings and roles. Key ``cluster/member``."""

    cluster: str = ""
    member: str = ""
    settings: dict[str, Setting] = {}
    roles: dict[str, Role] = {}
