"""Every field of Sentinel against a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
import redis

from console.settings import EnvironmentFile
from console.sources.base import SourceError
from console.sources.sentinel import SentinelSource
from tests.rigs_valkey import Make, Rig, environment, sentinel_server, sources, until

pytestmark = pytest.mark.server


def sentinel_of(of: EnvironmentFile, name: str = "sentinel-1") -> SentinelSource:
    return sources(of)[2][name]


def flags(client: redis.Redis) -> bytes:
    """Of the one other Sentinel."""
    peers = client.execute_command("SENTINEL", "SENTINELS", "cache")
    return bytes(peers[0][9]) if peers else b""


@pytest_asyncio.fixture
async def source(valkey: Rig) -> AsyncIterator[SentinelSource]:
    source = sentinel_of(valkey.environment())
    yield source
    await source.close()


async def test_fields(valkey: Rig, source: SentinelSource) -> None:
    reading = await source.read()
    assert reading.status == "ok", reading.problem
    assert (reading.key, reading.cache, reading.sentinel) == ("cache/sentinel-1", "cache", "sentinel-1")
    assert reading.master_name == "cache"
    assert reading.primary_address == f"127.0.0.1:{valkey.primary.port}"
    assert reading.primary_flags == "master"
    assert reading.quorum == 1
    assert reading.known_sentinels == 0
    assert reading.quorum_ok is True
    assert reading.quorum_answer.startswith("OK 1 usable")
    assert (reading.down_after_ms, reading.failover_timeout_ms) == (60_000, 6_000)
    assert reading.failover_state == ""
    assert reading.config_epoch == 0
    assert reading.peers == {}
    replica = reading.replicas[f"127.0.0.1:{valkey.replica.port}"]
    assert (replica.flags, replica.priority) == ("slave", 100)
    assert replica.offset is not None
    assert replica.last_ok_ms is not None


async def test_peers_and_quorum(valkey: Rig, make_valkey: Make, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("sentinels")
    primary = make_valkey()
    first = sentinel_server(directory, primary, "one")
    second = sentinel_server(directory, primary, "two")
    watcher = None
    try:
        first.start()
        second.start()
        asked = first.client()
        asked.execute_command("SENTINEL", "SET", "cache", "quorum", "2", "down-after-milliseconds", "300")
        until(lambda: flags(asked) == b"sentinel", "they find each other")
        watcher = sentinel_of(environment([primary], valkey.secret, sentinels=[first]), "one")
        reading = await watcher.read()
        assert (reading.quorum, reading.known_sentinels, reading.quorum_ok) == (2, 1, True)
        (peer,) = reading.peers.values()
        assert peer.address == f"127.0.0.1:{second.port}"
        assert peer.flags == "sentinel"
        second.kill()
        until(lambda: b"s_down" in flags(asked), "it is missed")
        reading = await watcher.read()
        assert reading.status == "ok"
        assert reading.quorum_ok is False
        assert reading.quorum_answer.startswith("NOQUORUM")
        (peer,) = reading.peers.values()
        assert "s_down" in peer.flags
    finally:
        if watcher is not None:
            await watcher.close()
        first.end()
        second.end()


async def test_a_master_that_it_does_not_watch(valkey: Rig) -> None:
    of = valkey.environment()
    cache = of.redis["cache"]
    assert cache.sentinel is not None
    other = msgspec.structs.replace(cache, sentinel=msgspec.structs.replace(cache.sentinel, master="other"))
    source = sentinel_of(msgspec.structs.replace(of, redis={"cache": other}))
    with pytest.raises(SourceError, match=r"No such master.*other"):
        await source.read()
    await source.close()


async def test_a_server_that_is_no_sentinel(valkey: Rig) -> None:
    of = environment([valkey.primary], valkey.secret, sentinels=[valkey.primary])
    source = sentinel_of(of, "cache-1")
    with pytest.raises(SourceError) as caught:
        await source.read()
    assert caught.value.denied  # it asks for a password that Sentinels here have not
    await source.close()


async def test_examine(source: SentinelSource) -> None:
    checks = await source.examine()
    assert [check.answer for check in checks] == ["pass"] * 6
