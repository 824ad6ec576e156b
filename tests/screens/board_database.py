"""Parts of scripted boards: what a healthy cluster ``main`` of three members under Patroni says."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.readings import (
    Activity,
    Database,
    DcsMember,
    IoRow,
    PatroniMember,
    PostgresIo,
    PostgresMember,
    PostgresSettings,
    PostgresStatements,
    Reading,
    Replica,
    Role,
    Session,
    Setting,
    Slot,
    Statement,
)

CLUSTER = "main"
PRIMARY, SYNC, ASYNC = "pg-2", "pg-1", "pg-3"
MEMBERS = ("pg-1", "pg-2", "pg-3")
DATABASES = ("acme_prod", "bauhof_prod", "cobalt_prod", "delta_prod", "postgres")
WAL_AT = (3 << 32) + 0xA1000148
KB, MB, GB = 1024, 1024**2, 1024**3


def key(member: str, cluster: str = CLUSTER) -> str:
    return f"{cluster}/{member}"


def ago(now: datetime, seconds: float) -> datetime:
    return now - timedelta(seconds=seconds)


def member(now: datetime, name: str) -> PostgresMember:
    primary = name == PRIMARY
    taken = ago(now, 0.8)
    return PostgresMember(
        key=key(name),
        taken_at=taken,
        took_ms=6.2,
        every_s=2,
        good_at=taken,
        cluster=CLUSTER,
        member=name,
        address=f"10.0.0.1{name[-1]}:5432",
        version="18.6",
        system_identifier="7572839400112233445",
        in_recovery=not primary,
        timeline=7,
        started_at=ago(now, 4 * 86400 + 7 * 3600),
        server_time=taken,
        clock_off_s=0.002,
        current_bytes=WAL_AT if primary else None,
        received_bytes=None if primary else WAL_AT,
        replayed_bytes=None if primary else WAL_AT,
        replayed_at=None if primary else taken,
        receiver_status="" if primary else "streaming",
        receiver_last_message_at=None if primary else taken,
        receiver_from="" if primary else "10.0.0.12:5432",
        wal_per_s=1.2 * MB if primary else None,
        synchronous_names=f'"{SYNC}"' if primary else "",
        replicas=replicas() if primary else {},
        slots=slots() if primary else {},
        archive_mode="on",
        archived_count=41_233 if primary else 0,
        archive_last_ok="0000000700000003000000A0" if primary else "",
        archive_last_ok_at=ago(now, 14) if primary else None,
        connections=88 if primary else 4,
        connections_by_database={"acme_prod": 34, "bauhof_prod": 22, "cobalt_prod": 18, "delta_prod": 12, "postgres": 2}
        if primary
        else {"postgres": 4},
        max_connections=200,
        reserved_connections=3,
        commits_per_s=412.0 if primary else 0.0,
        rollbacks_per_s=0.6 if primary else 0.0,
        deadlocks_per_s=0.0,
        cache_hit_ratio=0.9938 if primary else None,
    )


def replicas() -> dict[str, Replica]:
    return {
        "1": Replica("pg-1", "10.0.0.11", "streaming", "sync", 0, 0, 0, 0.0004, 0.0011, 0.0012, "pg_1"),
        "2": Replica("pg-3", "10.0.0.13", "streaming", "async", 0, 8 * KB, int(1.2 * MB), 0.0006, 0.002, 0.4, "pg_3"),
    }


def slots() -> dict[str, Slot]:
    return {
        "pg_1": Slot("pg_1", active=True, retained_bytes=16 * KB, safe_bytes=4 * GB, wal_status="reserved"),
        "pg_3": Slot("pg_3", active=True, retained_bytes=int(1.3 * MB), safe_bytes=4 * GB, wal_status="reserved"),
    }


def patroni(now: datetime, name: str, leader: str = PRIMARY) -> PatroniMember:
    taken = ago(now, 0.9)
    return PatroniMember(
        key=key(name),
        taken_at=taken,
        took_ms=3.1,
        every_s=2,
        good_at=taken,
        cluster=CLUSTER,
        member=name,
        scope=CLUSTER,
        version="4.1.5",
        role="primary" if name == leader else "replica",
        state="running",
        timeline=7,
        postmaster_started_at=ago(now, 4 * 86400 + 7 * 3600),
        system_identifier="7572839400112233445",
        dcs_last_seen=ago(now, 1.4),
        synchronous_standby=name == SYNC,
        ttl_s=20,
        loop_wait_s=1,
        synchronous_mode="on",
        maximum_lag_bytes=MB,
        leader=leader,
        members=dcs_members(leader),
        history={6: "no recovery target specified at 2026-11-17T19:40:02Z"},
    )


def dcs_members(leader: str = PRIMARY) -> dict[str, DcsMember]:
    roles = {PRIMARY: "leader", SYNC: "sync_standby", ASYNC: "replica"}
    return {
        name: DcsMember(
            name,
            roles[name] if leader else "replica",
            "running" if name == leader else "streaming",
            7,
            None if name == leader else 0,
            f"10.0.0.1{name[-1]}",
            5432,
        )
        for name in MEMBERS
    }


_QUERIES = (
    (
        "SELECT id, name, amount_total FROM purchase_order WHERE company_id = $1 AND state = $2 ORDER BY date_order",
        0.31,
    ),
    ("UPDATE stock_quant SET quantity = quantity + $1, in_date = now() WHERE id = $2", 0.22),
    ("INSERT INTO account_move_line (move_id, account_id, debit, credit) VALUES ($1, $2, $3, $4)", 0.14),
    ("SELECT res_id FROM ir_attachment WHERE res_model = $1 AND res_id IN ($2, $3)", 0.11),
    ("SELECT count(*) FROM mail_message WHERE model = $1", 0.07),
    ("DELETE FROM bus_bus WHERE create_date < $1", 0.02),
)


def sessions(now: datetime) -> dict[int, Session]:
    found: dict[int, Session] = {}
    for index in range(24):
        pid = 4100 + 7 * index
        database = DATABASES[index % 4]
        query, _share = _QUERIES[index % len(_QUERIES)]
        age = (0.4, 2.1, 0.02, 12.5)[index % 4] * (1 + index // 4)
        active = index < 5
        waits = ("", "IO: DataFileRead", "", "LWLock: WALWrite", "")
        found[pid] = Session(
            pid=pid,
            database=database,
            user=database.split("_")[0],
            application="odoo" if index % 5 else "payroll-import",
            client=f"10.1.0.{20 + index}",
            state="active" if active else "idle",
            wait=waits[index] if active else "Client: ClientRead",
            backend_start=ago(now, 3600 + 61 * index),
            xact_start=ago(now, age) if active else None,
            query_start=ago(now, age),
            state_change=ago(now, age),
            query=query,
        )
    return found


def activity(now: datetime, name: str) -> Activity:
    taken = ago(now, 0.7)
    own = sessions(now) if name == PRIMARY else {}
    return Activity(
        key=key(name),
        taken_at=taken,
        took_ms=4.4,
        every_s=2,
        good_at=taken,
        cluster=CLUSTER,
        member=name,
        sessions=own,
        sessions_total=len(own),
    )


def statements(now: datetime, name: str) -> PostgresStatements:
    taken = ago(now, 3.2)
    rows = {
        f"{911 + index}/acme/acme": Statement(
            id=f"{911 + index}/acme/acme",
            database=DATABASES[index % 4],
            user=DATABASES[index % 4].split("_")[0],
            calls_per_s=(120.0, 84.0, 41.0, 260.0, 2.0, 0.1)[index],
            ms_per_s=share * 1240,
            mean_ms=share * 1240 / (120.0, 84.0, 41.0, 260.0, 2.0, 0.1)[index],
            rows_per_s=(900.0, 84.0, 41.0, 1400.0, 2.0, 30.0)[index],
            blocks_read_per_s=(14.0, 2.0, 0.0, 4.0, 900.0, 0.0)[index],
            temp_blocks_per_s=(0.0, 0.0, 0.0, 0.0, 128.0, 0.0)[index],
            wal_bytes_per_s=(0.0, 410.0 * KB, 630.0 * KB, 0.0, 0.0, 9.0 * KB)[index],
            share=share,
            query=query,
        )
        for index, (query, share) in enumerate(_QUERIES)
    }
    return PostgresStatements(
        key=key(name),
        taken_at=taken,
        took_ms=9.0,
        every_s=5,
        good_at=taken,
        cluster=CLUSTER,
        member=name,
        window_s=5.0,
        total_ms_per_s=1240.0 if name == PRIMARY else 0.0,
        rows=rows if name == PRIMARY else {},
        reset_at=ago(now, 9 * 86400),
    )


def io(now: datetime, name: str) -> PostgresIo:
    taken = ago(now, 4.1)
    rows = (
        IoRow("client backend", "relation", "normal", 920.0, 14.0, 3.0, 0.0, 0.21, 0.04, 7.4 * MB, 112.0 * KB),
        IoRow("client backend", "temp relation", "normal", 120.0, 130.0, 0.0, 0.0, 0.09, 0.11, 1.0 * MB, 1.0 * MB),
        IoRow("checkpointer", "relation", "normal", 0.0, 240.0, 0.0, 0.4, None, 0.06, 0.0, 1.9 * MB),
        IoRow("autovacuum worker", "relation", "vacuum", 61.0, 9.0, 0.0, 0.0, 0.33, 0.05, 488.0 * KB, 72.0 * KB),
        IoRow("walwriter", "wal", "normal", 0.0, 18.0, 0.0, 4.0, None, 0.9, 0.0, 1.2 * MB),
    )
    primary = name == PRIMARY
    return PostgresIo(
        key=key(name),
        taken_at=taken,
        took_ms=11.0,
        every_s=10,
        good_at=taken,
        cluster=CLUSTER,
        member=name,
        window_s=10.0,
        io={f"{row.backend}/{row.object}/{row.context}": row for row in rows} if primary else {},
        io_timing=True,
        checkpoints_timed_per_h=12.0,
        checkpoints_requested_per_h=0.0,
        checkpoint_write_ms=269_000.0,
        checkpoint_sync_ms=41.0,
        last_checkpoint_at=ago(now, 190),
        wal_bytes_per_s=1.2 * MB if primary else None,
        wal_fpi_per_s=14.0,
        wal_buffers_full_per_s=0.0,
        wal_directory_bytes=int(1.1 * GB),
        databases=databases() if primary else {},
        stats_reset_at=ago(now, 9 * 86400),
    )


def databases() -> dict[str, Database]:
    rows = (
        Database("acme_prod", 41 * GB, 61_000_000, 120, 34, -1, 190.0, 0.2, 1.0 * MB, 0.1, 0.0, 0.992),
        Database("bauhof_prod", 22 * GB, 58_000_000, 90, 22, 60, 110.0, 0.1, 0.0, 0.0, 0.0, 0.996),
        Database("cobalt_prod", 18 * GB, 44_000_000, 10, 18, 60, 72.0, 0.3, 0.0, 0.0, 0.0, 0.997),
        Database("delta_prod", 9 * GB, 12_000_000, 10, 12, 60, 38.0, 0.0, 0.0, 0.0, 0.0, 0.999),
        Database("postgres", 9 * MB, 61_000_000, 10, 2, -1, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        Database("template0", 7 * MB, 61_000_000, 10, 0, -1, allow_connections=False),
    )
    return {row.name: row for row in rows}


def settings(now: datetime, name: str) -> PostgresSettings:
    taken = ago(now, 22)
    rows = (
        Setting("max_connections", "200", "", "configuration file"),
        Setting("shared_buffers", "1048576", "8kB", "configuration file"),
        Setting("work_mem", "65536" if name != ASYNC else "16384", "kB", "configuration file"),
        Setting(
            "random_page_cost", "1.1", "", "configuration file", previous="4", changed_at=ago(now, 3 * 3600 + 12 * 60)
        ),
        Setting("max_slot_wal_keep_size", "4096", "MB", "configuration file"),
        Setting("max_wal_size", "4096", "MB", "configuration file", pending_restart=False),
        Setting("track_io_timing", "on", "", "configuration file"),
        Setting("synchronous_commit", "on", "", "default"),
    )
    roles = (
        Role(
            "postgres", superuser=True, login=True, replication=True, create_role=True, create_db=True, bypass_rls=True
        ),
        Role("replicator", login=True, replication=True),
        Role("acme", login=True, connection_limit=60),
        Role("bauhof", login=True, connection_limit=60),
        Role("banksman", login=True, member_of=("pg_monitor",)),
        Role("import_helper", login=True, create_role=True, changed_at=ago(now, 1800)),
    )
    return PostgresSettings(
        key=key(name),
        taken_at=taken,
        took_ms=14.0,
        every_s=60,
        good_at=taken,
        cluster=CLUSTER,
        member=name,
        settings={row.name: row for row in rows},
        roles={row.name: row for row in roles},
    )


def readings(now: datetime) -> list[Reading]:
    """Everything that a healthy cluster says at ``now``."""
    found: list[Reading] = []
    for name in MEMBERS:
        found += [member(now, name), patroni(now, name), activity(now, name), settings(now, name)]
        found += [statements(now, name), io(now, name)]
    return found
