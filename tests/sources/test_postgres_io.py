"""I/O, checkpoints, databases; and the arithmetic of checkpoints over an hour."""

from __future__ import annotations

from typing import cast

import pytest

from console.readings import PostgresIo
from console.sources.postgres_checkpoints import Checkpoints
from console.sources.postgres_io import PostgresIoSource
from tests.rigs_postgres import Postgres, Watch


async def read(source: PostgresIoSource) -> PostgresIo:
    return cast("PostgresIo", await source.read())


@pytest.mark.server
async def test_io_of_the_interval(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresIoSource, postgres_server)
    first = await read(source)
    assert (first.status, first.problem) == ("ok", "")
    assert first.io == {}
    assert first.window_s == 0
    with postgres_server.connect("acme", options="-c work_mem=64kB") as session:
        session.execute("CREATE TABLE bulk AS SELECT generate_series(1, 20000) AS n")
        session.execute("SELECT count(*) FROM (SELECT n FROM bulk ORDER BY -n) AS sorted")
        session.execute("CHECKPOINT")
        session.execute("DROP TABLE bulk")
        session.execute("SELECT pg_stat_force_next_flush()")
    second = await read(source)
    assert second.io_timing
    extended = [row for row in second.io.values() if row.extends_per_s > 0]
    assert extended
    assert all(row.backend and row.object and row.context for row in second.io.values())
    timed = [row.write_ms for row in second.io.values() if row.writes_per_s > 0 and row.object != "wal"]
    assert timed
    assert all(value is not None for value in timed)
    assert second.io["client backend/wal/normal"].write_ms is None, "track_wal_io_timing is off"
    acme = second.databases["acme"]
    assert (acme.temp_bytes_per_s or 0) > 0
    assert (acme.temp_files_per_s or 0) > 0
    assert (acme.commits_per_s or 0) > 0
    assert (second.wal_bytes_per_s or 0) > 0
    assert second.last_checkpoint_at is not None
    assert (first.last_checkpoint_at or second.last_checkpoint_at) <= second.last_checkpoint_at
    assert (second.wal_directory_bytes or 0) >= 16 * 1024 * 1024


@pytest.mark.server
async def test_databases(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresIoSource, postgres_server)
    postgres_server.run("ALTER DATABASE acme CONNECTION LIMIT 17")
    try:
        with postgres_server.connect("acme"):
            reading = await read(source)
            for _ in range(5):
                reading = await read(source)
    finally:
        postgres_server.run("ALTER DATABASE acme CONNECTION LIMIT -1")
    acme = reading.databases["acme"]
    assert acme.connections == 1
    assert acme.connection_limit == 17
    assert acme.xid_age > 0
    assert not reading.databases["template0"].allow_connections
    sizes = dict(postgres_server.run("SELECT datname, pg_database_size(oid) FROM pg_database"))
    for name, row in reading.databases.items():
        assert row.size_bytes == pytest.approx(sizes[name], rel=0.5)
    assert reading.freeze_max_age == 200_000_000


@pytest.mark.server
async def test_a_reset_of_one_view_costs_one_interval(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresIoSource, postgres_server)
    await read(source)
    postgres_server.run("SELECT pg_stat_reset_shared('io'), pg_stat_reset_shared('wal')")
    after = await read(source)
    assert after.io == {}
    assert after.wal_bytes_per_s is None
    assert after.stats_reset_at is not None
    again = await read(source)
    assert again.wal_bytes_per_s is not None
    assert again.wal_bytes_per_s >= 0


@pytest.mark.server
async def test_a_restart(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresIoSource, postgres_server)
    await read(source)
    postgres_server.restart()
    after = await read(source)
    assert after.io == {}
    assert all(row.commits_per_s is None for row in after.databases.values())


@pytest.mark.server
async def test_a_stranger(postgres_server: Postgres, watch_postgres: Watch) -> None:
    postgres_server.run("REVOKE CONNECT ON DATABASE acme FROM PUBLIC")
    try:
        source = watch_postgres(PostgresIoSource, postgres_server, user="stranger")
        for _ in range(4):
            reading = await read(source)
        assert reading.status == "partial"
        assert reading.wal_directory_bytes is None
        assert reading.databases["acme"].size_bytes is None
        assert reading.databases["postgres"].size_bytes is not None
    finally:
        postgres_server.run("GRANT CONNECT ON DATABASE acme TO PUBLIC")


def row(timed: int, requested: int, write: float = 0.0) -> dict[str, object]:
    return {
        "timed": timed,
        "requested": requested,
        "done": timed + requested,
        "write_time": write,
        "sync_time": 0.0,
        "stats_reset": None,
    }


def test_one_checkpoint_is_not_hundreds_an_hour() -> None:
    checkpoints = Checkpoints()
    assert checkpoints.take(0, "life", row(10, 0))["checkpoints_timed_per_h"] is None
    assert checkpoints.take(10, "life", row(11, 0))["checkpoints_timed_per_h"] is None
    assert checkpoints.take(600, "life", row(12, 0, 4000.0)) == {
        "checkpoints_timed_per_h": 12.0,
        "checkpoints_requested_per_h": 0.0,
        "checkpoint_write_ms": 2000.0,
        "checkpoint_sync_ms": 0.0,
    }


def test_only_the_last_hour_counts() -> None:
    checkpoints = Checkpoints()
    for minute in range(180):
        found = checkpoints.take(minute * 60.0, "life", row(minute // 5, 100 if minute > 60 else minute))
    assert found["checkpoints_timed_per_h"] == pytest.approx(12, rel=0.05)
    assert found["checkpoints_requested_per_h"] == 0


def test_a_new_life_begins_anew() -> None:
    checkpoints = Checkpoints()
    checkpoints.take(0, "one", row(10, 10))
    assert checkpoints.take(600, "two", row(0, 0))["checkpoints_timed_per_h"] is None
    checkpoints.take(1200, "two", row(5, 5))
    assert checkpoints.take(1210, "two", row(0, 0))["checkpoints_timed_per_h"] is None
