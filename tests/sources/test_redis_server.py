"""Every field of RedisServer against real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import redis

from console.readings import RedisServer
from console.sources.redis_server import RedisServerSource
from tests.rigs_valkey import Make, Rig, Server, environment, sources, until

pytestmark = pytest.mark.server


class Watch:
    """Makes sources, and closes them."""

    def __init__(self) -> None:
        self.made: list[RedisServerSource] = []

    def __call__(self, server: Server, secret: Path, **cache: object) -> RedisServerSource:
        source = sources(environment([server], secret, **cache))[0][server.name]
        self.made.append(source)
        return source


@pytest_asyncio.fixture
async def watch() -> AsyncIterator[Watch]:
    watch = Watch()
    yield watch
    for source in watch.made:
        await source.close()


async def twice(source: RedisServerSource) -> tuple[RedisServer, RedisServer]:
    return await source.read(), await source.read()


async def test_primary(valkey: Rig, watch: Watch) -> None:
    client = valkey.primary.client(client_name="odoo")
    client.set("with", "x", ex=1000)
    client.rpush("without", "x")
    source = watch(valkey.primary, valkey.secret)
    first = await source.read()
    assert first.status == "ok", first.problem
    info = client.info()
    assert (first.key, first.cache, first.server) == ("cache/cache-1", "cache", "cache-1")
    assert first.address == f"127.0.0.1:{valkey.primary.port}"
    assert first.flavour == f"Valkey {info['valkey_version']}"
    assert first.role == "primary"
    assert first.run_id == info["run_id"]
    assert first.started_at is not None
    up = timedelta(seconds=info["uptime_in_seconds"])
    assert abs(datetime.now(UTC) - up - first.started_at) < timedelta(seconds=5)
    assert not first.loading
    assert first.used_memory == pytest.approx(info["used_memory"], rel=0.5)
    assert (first.maxmemory, first.maxmemory_policy) == (0, "noeviction")
    assert first.fragmentation is not None
    assert first.fragmentation > 0
    assert (first.keys, first.keys_with_ttl) == (2, 1)
    assert first.maxclients == info["maxclients"]
    assert first.clients >= 2
    assert first.blocked_clients == 0
    assert first.rtt_p50_ms is not None
    assert first.rtt_p99_ms is not None
    assert 0 < first.rtt_p50_ms <= first.rtt_p99_ms
    assert first.offset > 0
    assert first.persistence == "none"
    assert (first.rdb_last_save_at, first.rdb_last_ok, first.aof_enabled, first.aof_last_ok) == (
        None,
        True,
        False,
        True,
    )
    assert (first.min_replicas_ok, first.write_refused) == (None, "")
    # The first look has nothing to compare with.
    rates = [name for name in RedisServer.__struct_fields__ if name.endswith("_per_s")]
    assert all(getattr(first, name) is None for name in (*rates, "hit_ratio"))
    second = await source.read()
    assert all(getattr(second, name) is not None for name in rates)
    assert second.started_at == first.started_at
    assert second.hit_ratio is None  # nobody looked anything up between the two


async def test_replication_as_the_primary_counts_it(valkey: Rig, watch: Watch) -> None:
    source = watch(valkey.primary, valkey.secret)
    reading = await source.read()
    link = reading.replicas[f"127.0.0.1:{valkey.replica.port}"]
    assert link.state == "online"
    assert link.lag_bytes is not None
    assert link.lag_s is not None
    assert link.lag_bytes == max(0, reading.offset - link.offset)


async def test_replica(valkey: Rig, watch: Watch) -> None:
    reading = await watch(valkey.replica, valkey.secret).read()
    assert reading.role == "replica"
    assert reading.primary_address == f"127.0.0.1:{valkey.primary.port}"
    assert reading.link_up is True
    assert reading.link_down_s is None
    assert reading.primary_last_io_s is not None
    assert not reading.sync_in_progress
    assert reading.replica_priority == 100
    assert reading.offset > 0
    assert reading.replicas == {}


async def test_a_frozen_replica_falls_behind(valkey: Rig, watch: Watch) -> None:
    client = valkey.primary.client()
    source = watch(valkey.primary, valkey.secret)
    valkey.replica.freeze()
    for _ in range(20):
        client.set("filler", "x" * 1000)
    behind = (await source.read()).replicas[f"127.0.0.1:{valkey.replica.port}"]
    assert behind.lag_bytes is not None
    assert behind.lag_bytes > 20_000
    valkey.replica.thaw()

    def caught_up() -> bool:
        info = client.info("replication")
        return bool(info["slave0"]["offset"] == info["master_repl_offset"])

    until(caught_up, "the replica catches up")
    again = (await source.read()).replicas[f"127.0.0.1:{valkey.replica.port}"]
    assert again.lag_bytes is not None
    assert again.lag_bytes < 1000


async def test_a_replica_without_its_primary(make_valkey: Make, watch: Watch, secret: Path) -> None:
    primary = make_valkey("up")
    replica = make_valkey("down", primary=primary)
    until(lambda: replica.client().info("replication")["master_link_status"] == "up")
    primary.kill()
    until(lambda: replica.client().info("replication")["master_link_status"] == "down")
    reading = await watch(replica, secret).read()
    assert (reading.role, reading.link_up) == ("replica", False)
    assert reading.link_down_s is not None


async def test_rates_since_the_look_before(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey()
    client = server.client()
    source = watch(server, secret)
    client.set("there", "x")
    await source.read()
    for _ in range(30):
        client.get("there")
    for _ in range(10):
        client.get("not there")
    for _ in range(5):
        with pytest.raises(redis.ResponseError):
            client.execute_command("LPOP", "there")
    client.set("short", "x", px=1)
    until(lambda: client.info("stats")["expired_keys"] == 1)
    reading = await source.read()
    # LPOP on the wrong kind is a look-up for writing: neither hit nor miss.
    assert reading.hit_ratio == pytest.approx(0.75)
    for rate in (
        reading.ops_per_s,
        reading.errors_per_s,
        reading.expired_per_s,
        reading.net_in_per_s,
        reading.net_out_per_s,
    ):
        assert rate is not None
        assert rate > 0
    assert reading.evicted_per_s == reading.rejected_per_s == 0


async def test_evictions_and_memory(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey("cache-1", "--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru")
    client = server.client()
    source = watch(server, secret)
    await source.read()
    for number in range(300):
        client.set(f"key:{number}", "x" * 20_000)
    reading = await source.read()
    assert (reading.maxmemory, reading.maxmemory_policy) == (3 * 1024 * 1024, "allkeys-lru")
    assert reading.evicted_per_s is not None
    assert reading.evicted_per_s > 0
    assert reading.write_refused == ""


@pytest.mark.parametrize("policy", ["noeviction", "volatile-lru"])
async def test_full_memory_refuses_writes(make_valkey: Make, watch: Watch, secret: Path, policy: str) -> None:
    server = make_valkey("cache-1", "--maxmemory", "3mb", "--maxmemory-policy", policy)
    client = server.client()
    source = watch(server, secret)
    assert (await source.read()).write_refused == ""

    def fill() -> None:
        for number in range(300):
            client.set(f"key:{number}", "x" * 20_000)

    with pytest.raises(redis.exceptions.OutOfMemoryError):
        fill()
    reading = await source.read()
    assert reading.write_refused.startswith("OOM")
    assert policy in reading.write_refused
    client.flushall()
    await source.read()
    assert (await source.read()).write_refused == ""


async def test_failed_snapshot_refuses_writes(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey("cache-1", "--save", "3600 1")
    client = server.client()
    source = watch(server, secret)
    assert (await source.read()).persistence == "rdb"
    client.bgsave()
    until(lambda: not client.info("persistence")["rdb_bgsave_in_progress"])
    good = await source.read()
    assert good.rdb_last_save_at is not None
    assert datetime.now(UTC) - good.rdb_last_save_at < timedelta(minutes=1)
    # A directory in place of the file: not even root can write there.
    (server.directory / "dump.rdb").unlink()
    (server.directory / "dump.rdb").mkdir()
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
    with pytest.raises(redis.ResponseError, match="MISCONF"):
        client.set("x", "y")
    bad = await source.read()
    assert not bad.rdb_last_ok
    assert bad.write_refused.startswith("MISCONF")
    client.config_set("stop-writes-on-bgsave-error", "no")
    client.set("x", "y")
    fresh = watch(server, secret)  # settings are asked anew on a new connection
    assert (await fresh.read()).write_refused == ""


async def test_append_only_file(make_valkey: Make, watch: Watch, secret: Path) -> None:
    reading = await watch(make_valkey("cache-1", "--appendonly", "yes", "--save", "3600 1"), secret).read()
    assert (reading.aof_enabled, reading.aof_last_ok, reading.persistence) == (True, True, "rdb+aof")


async def test_too_few_replicas_refuse_writes(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey("cache-1", "--min-replicas-to-write", "1")
    with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
        server.client().set("x", "y")
    reading = await watch(server, secret).read()
    assert reading.min_replicas_ok is False
    assert reading.write_refused.startswith("NOREPLICAS")
    replica = make_valkey("cache-2", primary=server)
    until(lambda: server.client().info("replication").get("min_slaves_good_slaves"))
    reading = await watch(server, secret).read()
    assert (reading.min_replicas_ok, reading.write_refused) == (True, "")
    assert (await watch(replica, secret).read()).write_refused == ""


async def test_a_restart_gives_no_rates(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey()
    source = watch(server, secret)
    first, second = await twice(source)
    assert second.ops_per_s is not None
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    third = await source.read()  # found closed before anything was sent: no look is lost
    assert third.status == "ok"
    assert third.run_id != first.run_id
    assert third.ops_per_s is None
    assert third.hit_ratio is None
    assert third.started_at is not None
    assert first.started_at is not None
    assert third.started_at >= first.started_at
    assert (await source.read()).ops_per_s is not None


async def test_reset_counters_give_no_rates(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey()
    source = watch(server, secret)
    client = server.client()
    for _ in range(200):
        client.get("nothing")
    await twice(source)
    client.config_resetstat()
    reading = await source.read()
    assert reading.ops_per_s is None
    assert reading.hit_ratio is None


async def test_applications(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey()
    names = ["odoo", "odoo", "queue=job,flags=N", "[/foo]", ""]
    clients = [server.client(single_connection_client=True) for _ in names]
    for client, name in zip(clients, names, strict=True):
        client.client_setname(name)
    for refused in (b"\x1b[31m", "näme".encode(), b"\xff", b"two words"):  # printable ASCII is all that a server takes
        with pytest.raises(redis.ResponseError):
            server.client().execute_command("CLIENT", "SETNAME", refused)
    waiting = server.client(client_name="waiting", socket_timeout=None)
    waiting.connection_pool.get_connection().send_command("BLPOP", "never", 0)
    until(lambda: server.client().info("clients")["blocked_clients"] == 1)
    reading = await watch(server, secret).read()
    apps = reading.apps
    assert reading.blocked_clients == 1
    assert apps["odoo"].connections == 2
    assert apps["queue=job,flags=N"].connections == 1
    assert apps["[/foo]"].connections == 1
    assert apps["default@127.0.0.1"].connections >= 1
    assert apps["waiting"].blocked == 1
    assert apps["banksman"].connections == 1
    assert sum(app.connections for app in apps.values()) == reading.clients


async def test_applications_are_bounded(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey()
    clients = [server.client(single_connection_client=True) for _ in range(130)]
    for number, client in enumerate(clients):
        client.client_setname(f"worker-{number}")
    reading = await watch(server, secret).read()
    assert len(reading.apps) == 101
    assert sum(app.connections for app in reading.apps.values()) == reading.clients


async def test_slow_calls(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey("cache-1", "--slowlog-log-slower-than", "0")
    client = server.client(client_name="importer", single_connection_client=True)
    client.set("key\x1b[31m", b"\x00\xff")
    client.execute_command("CONFIG", "SET", "masterauth", "hunter2")
    client.config_set("slowlog-log-slower-than", "-1")
    slow = (await watch(server, secret).read()).slow.values()
    call = next(call for call in slow if call.command.startswith("SET"))
    assert call.command == "SET key␛[31m ␀\\xff"
    assert call.client == "importer"
    assert call.took_us >= 0
    assert abs(datetime.now(UTC) - call.at) < timedelta(minutes=1)
    assert not any("hunter2" in call.command for call in slow)


async def test_loading(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey()
    client = server.client()
    client.mset({f"key:{number}": "x" for number in range(10_000)})
    client.save()
    server.kill()
    server.argv += ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"]  # 20 s in all
    server.start(ready=False)
    reading = await watch(server, secret).read()
    assert reading.loading
    assert reading.write_refused.startswith("LOADING")
    assert reading.status == "ok", reading.problem
    assert reading.role == "primary"
    assert (await watch(server, secret).examine())[0].answer == "pass"


async def test_hung_server_costs_its_own_deadline_only(valkey: Rig, watch: Watch) -> None:
    hung, well = watch(valkey.replica, valkey.secret), watch(valkey.primary, valkey.secret)
    await asyncio.gather(hung.read(), well.read())
    valkey.replica.freeze()
    task = asyncio.create_task(hung.read())
    for _ in range(20):
        assert (await well.read()).status == "ok"
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hung.abandon()
    valkey.replica.thaw()
    assert (await hung.read()).status == "ok"
