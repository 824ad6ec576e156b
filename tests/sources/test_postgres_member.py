"""Every field of PostgresMember, against a primary and a standby without Patroni."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from console.lab.binaries import postgres_bin
from console.readings import PostgresMember, Replica
from console.sources.base import SourceError
from console.sources.postgres_member import PostgresMemberSource, commits_wait
from tests.rigs_postgres import PASSWORD, Postgres, Watch

pytestmark = pytest.mark.server


async def read(source: PostgresMemberSource) -> PostgresMember:
    return cast("PostgresMember", await source.read())


async def until(
    source: PostgresMemberSource, condition: Callable[[PostgresMember], bool], patience_s: float = 60
) -> PostgresMember:
    """The first reading for which the condition holds."""
    async with asyncio.timeout(patience_s):
        while True:
            reading = await read(source)
            if condition(reading):
                return reading
            await asyncio.sleep(0.05)


async def test_a_primary(postgres_server: Postgres, postgres_standby: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server)
    reading = await until(source, lambda r: "pg-2" in r.replicas and r.replicas["pg-2"].state == "streaming")
    assert (reading.status, reading.problem) == ("ok", "")
    assert (reading.key, reading.cluster, reading.member) == ("main/pg-1", "main", "pg-1")
    assert reading.address == f"127.0.0.1:{postgres_server.port}"
    assert reading.version == "18.6"
    assert reading.in_recovery is False
    assert reading.timeline == 1
    identifier, started = postgres_server.run(
        "SELECT system_identifier::text, pg_postmaster_start_time() FROM pg_control_system()"
    )[0]
    assert reading.system_identifier == identifier
    assert reading.started_at == started
    assert reading.started_at is not None
    assert reading.started_at.utcoffset() == timedelta(0)
    assert reading.clock_off_s is not None
    assert abs(reading.clock_off_s) < 1
    assert reading.current_bytes is not None
    assert reading.received_bytes is None
    assert reading.replayed_bytes is None
    assert reading.max_connections == 40
    assert reading.reserved_connections == 3
    replica = reading.replicas["pg-2"]
    assert replica.sync_state == "async"
    assert replica.address.startswith("127.0.0.1:")
    assert replica.replay_lag_bytes is not None


async def test_a_standby_knows_its_own_positions(
    postgres_server: Postgres, postgres_standby: Postgres, watch_postgres: Watch
) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_standby)
    before = await until(source, lambda r: r.receiver_status == "streaming")
    assert before.in_recovery is True
    assert before.current_bytes is None
    assert before.timeline == 1
    assert before.receiver_from == f"127.0.0.1:{postgres_server.port}"
    assert before.receiver_last_message_at is not None
    postgres_server.run("CREATE TABLE IF NOT EXISTS positions (n int)", "INSERT INTO positions VALUES (1)")
    position = postgres_server.run("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")[0][0]
    after = await until(source, lambda r: (r.replayed_bytes or 0) >= position)
    assert (after.received_bytes or 0) >= position
    assert after.replayed_at is not None
    assert datetime.now(UTC) - after.replayed_at < timedelta(minutes=5)


async def test_a_stopped_walreceiver_shows_in_the_standbys_own_positions(
    postgres_server: Postgres, postgres_standby: Postgres, watch_postgres: Watch
) -> None:
    """Its row leaves pg_stat_replication after wal_sender_timeout; what it has received stays behind for all to see."""
    on_primary = watch_postgres(PostgresMemberSource, postgres_server)
    on_standby = watch_postgres(PostgresMemberSource, postgres_standby)
    await until(on_standby, lambda r: r.receiver_status == "streaming")
    receiver = postgres_standby.process("walreceiver")
    receiver.suspend()
    try:
        postgres_server.run("CREATE TABLE behind AS SELECT generate_series(1, 1000)", "DROP TABLE behind")
        primary = await until(on_primary, lambda r: "pg-2" not in r.replicas)
        standby = await read(on_standby)
        assert (primary.current_bytes or 0) - (standby.received_bytes or 0) > 10_000
    finally:
        receiver.resume()
    behind = primary.current_bytes or 0
    await until(on_standby, lambda r: (r.replayed_bytes or 0) >= behind)


async def test_replay_paused(postgres_standby: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_standby)
    postgres_standby.run("SELECT pg_wal_replay_pause()")
    try:
        assert (await until(source, lambda r: r.replay_paused)).replay_paused
    finally:
        postgres_standby.run("SELECT pg_wal_replay_resume()")
    assert not (await read(source)).replay_paused


async def test_slots(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server)
    postgres_server.run("SELECT pg_create_physical_replication_slot('unread', true)")
    try:
        postgres_server.run("CREATE TABLE kept AS SELECT generate_series(1, 1000)", "DROP TABLE kept")
        slot = (await read(source)).slots["unread"]
        assert (slot.type, slot.active, slot.wal_status) == ("physical", False, "reserved")
        assert (slot.retained_bytes or 0) > 10_000
        assert slot.safe_bytes is None
        assert slot.inactive_since is not None
    finally:
        postgres_server.run("SELECT pg_drop_replication_slot('unread')")
    assert (await read(source)).slots == {}


async def test_a_missing_synchronous_standby(
    postgres_server: Postgres, postgres_standby: Postgres, watch_postgres: Watch
) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server)
    await until(source, lambda r: "pg-2" in r.replicas)
    postgres_server.run("ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (\"pg-9\")'", "SELECT pg_reload_conf()")
    waiter = None
    try:
        missing = await until(source, lambda r: r.sync_missing)
        assert missing.synchronous_names == 'FIRST 1 ("pg-9")'
        waiter = asyncio.create_task(asyncio.to_thread(postgres_server.run, "CREATE TABLE IF NOT EXISTS waits ()"))
        await until(source, lambda r: r.sync_waiting == 1)
        postgres_server.run("ALTER SYSTEM SET synchronous_standby_names = '\"pg-2\"'", "SELECT pg_reload_conf()")
        there = await until(source, lambda r: r.replicas["pg-2"].sync_state == "sync")
        assert not there.sync_missing
    finally:
        postgres_server.run("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        if waiter is not None:
            await waiter


@pytest.mark.parametrize(
    ("names", "commit", "standbys", "waits"),
    [
        ("", "on", (), False),
        ("a", "on", (), True),
        ("a", "off", (), False),
        ("a", "local", (), False),
        ("a", "on", ("sync",), False),
        ("*", "on", ("async",), True),
        ("FIRST 2 (a, b, c)", "on", ("sync", "potential"), True),
        ("FIRST 2 (a, b, c)", "remote_apply", ("sync", "sync"), False),
        ("ANY 2 (a, b, c)", "on", ("quorum",), True),
        ("any 1 (a, b)", "on", ("quorum", "quorum"), False),
        ("2 (a, b)", "on", ("sync",), True),
    ],
)
def test_when_commits_wait(names: str, commit: str, standbys: tuple[str, ...], waits: bool) -> None:
    replicas = {str(n): Replica(name="x", state="streaming", sync_state=state) for n, state in enumerate(standbys)}
    assert commits_wait(names, commit, replicas) is waits


async def test_the_archiver(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server)
    postgres_server._settings |= {"archive_mode": "on", "archive_command": "/bin/false"}
    postgres_server.restart()
    try:
        postgres_server.run("CREATE TABLE IF NOT EXISTS archived ()", "SELECT pg_switch_wal()")
        failing = await until(source, lambda r: r.archive_failed_count > 0)
        assert failing.archive_mode == "on"
        assert failing.archive_last_failed
        assert failing.archive_last_failed_at is not None
    finally:
        postgres_server._settings |= {"archive_mode": "on", "archive_command": "/bin/true"}
        postgres_server.restart()
        with postgres_server.connect() as connection:  # its history file is archived under a name that is no number
            connection.execute("SELECT pg_backup_start('a label', true)")
            connection.execute("SELECT pg_backup_stop(false)")
        done = await until(source, lambda r: r.archive_last_ok.endswith(".backup"))
        assert done.archived_count > 0
        assert done.archive_last_ok_at is not None
        postgres_server._settings |= {"archive_mode": "off"}
        postgres_server.restart()


async def test_rates_are_of_the_interval(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server)
    first = await read(source)
    assert first.commits_per_s is None
    assert first.wal_per_s is None
    with postgres_server.connect("acme") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS busy (n int)")
        for n in range(50):
            connection.execute("INSERT INTO busy VALUES (%s)", [n])
        connection.execute("SELECT pg_stat_force_next_flush()")
    busy = await read(source)
    assert (busy.commits_per_s or 0) > 1
    assert (busy.wal_per_s or 0) > 1
    assert busy.cache_hit_ratio is None or 0 <= busy.cache_hit_ratio <= 1
    assert busy.commits_per_s == float(f"{busy.commits_per_s:.3g}")


@pytest.mark.parametrize("reset", ["pg_stat_reset", "restart", "crash"])
async def test_a_reset_is_never_a_negative_rate_nor_a_spike(
    postgres_server: Postgres, watch_postgres: Watch, reset: str
) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server, database="acme")
    await read(source)
    await read(source)
    if reset == "pg_stat_reset":
        postgres_server.run("SELECT pg_stat_reset()", database="acme")
    else:
        postgres_server.restart(signal.SIGQUIT if reset == "crash" else signal.SIGINT)
    after = await until(source, lambda r: r.status == "ok")
    assert after.commits_per_s is None
    again = await until(source, lambda r: r.commits_per_s is not None)
    assert (again.commits_per_s or 0) >= 0


async def test_connections_are_counted_by_database(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server)
    await until(source, lambda r: r.connections == 1)
    with postgres_server.connect("acme"), postgres_server.connect("acme"):
        busy = await read(source)
    assert busy.connections_by_database == {"acme": 2, "postgres": 1}
    assert busy.connections == 3


async def test_a_stranger_sees_what_anybody_may_and_says_what_is_missing(
    postgres_server: Postgres, postgres_standby: Postgres, watch_postgres: Watch
) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server, user="stranger")
    reading = await read(source)
    assert reading.status == "partial"
    assert 'GRANT pg_monitor TO "stranger";' in reading.problem
    assert reading.in_recovery is False
    assert reading.timeline == 1
    assert not reading.sync_missing


async def test_a_hung_server_is_a_failure_and_comes_back(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server)
    await read(source)
    with postgres_server.hung():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(source.read(), 0.3)
        source.abandon()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(source.read(), 0.3)
        source.abandon()
    assert (await read(source)).status == "ok"


async def test_no_server(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server)
    postgres_server.stop()
    try:
        with pytest.raises(SourceError, match="refused") as caught:
            await source.read()
        assert not caught.value.denied
    finally:
        postgres_server.start()
    assert (await read(source)).status == "ok"


async def test_two_replicas_of_one_name_are_two_rows(
    postgres_server: Postgres, postgres_standby: Postgres, watch_postgres: Watch
) -> None:
    source = watch_postgres(PostgresMemberSource, postgres_server)
    folder = postgres_server.home / "received"
    folder.mkdir()
    conninfo = f"host=127.0.0.1 port={postgres_server.port} user=postgres password={PASSWORD} application_name=pg-2"
    receiver = subprocess.Popen(  # noqa: ASYNC220 - it is back at once
        [postgres_bin() / "pg_receivewal", "-D", folder, "--no-loop", "--synchronous", "-d", conninfo],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        both = await until(source, lambda r: len(r.replicas) == 2)
        assert {replica.name for replica in both.replicas.values()} == {"pg-2"}
    finally:
        receiver.kill()
        receiver.wait(20)
