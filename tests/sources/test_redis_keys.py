"""Big keys and queues against real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from console.clients.clean import clean
from console.readings import RedisKeys
from console.sources import redis_pass
from console.sources.base import SourceError
from console.sources.redis_keys import RedisKeysSource
from tests.rigs_valkey import Make, Rig, Server, environment, sources, until

pytestmark = pytest.mark.server


class Watch:
    """Makes sources, and closes them."""

    def __init__(self) -> None:
        self.made: list[RedisKeysSource] = []

    def __call__(self, servers: list[Server], secret: Path, **cache: object) -> RedisKeysSource:
        self.made.append(sources(environment(servers, secret, **cache))[1])
        return self.made[-1]


@pytest_asyncio.fixture
async def watch() -> AsyncIterator[Watch]:
    watch = Watch()
    yield watch
    for source in watch.made:
        await source.close()


def settled(rig: Rig) -> None:
    """The replica has what the primary has."""
    offset = rig.primary.client().info("replication")["master_repl_offset"]
    until(lambda: rig.replica.client().info("replication")["slave_repl_offset"] >= offset)


def names(reading: RedisKeys) -> set[str]:
    return {row.name for row in reading.big.values()}


async def test_the_ten_biggest_with_what_they_are(valkey: Rig, watch: Watch) -> None:
    client = valkey.primary.client()
    client.set("string", "x" * 200_000, ex=1000)
    client.rpush("list", *["x" * 100] * 800)
    client.sadd("set", *[f"{number:0100}" for number in range(600)])
    client.zadd("zset", {f"{number:0100}": number for number in range(400)})
    client.hset("hash", mapping={f"field:{number}": "x" * 100 for number in range(300)})
    for _ in range(100):
        client.xadd("stream", {"field": "x" * 200})
    client.mset({f"small:{number}": "x" for number in range(1000)})
    settled(valkey)
    reading = await watch([valkey.primary, valkey.replica], valkey.secret).read()
    assert reading.status == "ok", reading.problem
    assert (reading.key, reading.cache) == ("cache", "cache")
    assert (reading.sampled, reading.total) == (1006, 1006)
    assert reading.pass_done_at is not None
    assert len(reading.big) == redis_pass.TOP
    rows = {row.name: row for row in reading.big.values()}
    assert [row.name for row in reading.big.values()][:1] == ["string"]
    assert {name: row.items for name, row in rows.items() if not name.startswith("small")} == {
        "string": None,
        "list": 800,
        "set": 600,
        "zset": 400,
        "hash": 300,
        "stream": 100,
    }
    assert all(row.type == name for name, row in rows.items() if not name.startswith("small"))
    assert rows["string"].bytes == pytest.approx(200_000, rel=0.3)
    assert rows["string"].ttl_s == pytest.approx(1000, abs=30)
    assert rows["list"].ttl_s is None


async def test_it_walks_on_from_look_to_look(valkey: Rig, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_pass, "KEYS_PER_LOOK", 300)
    client = valkey.primary.client()
    client.mset({f"key:{number}": "x" for number in range(1500)})
    settled(valkey)
    source = watch([valkey.primary, valkey.replica], valkey.secret)
    looks = [await source.read()]
    assert looks[0].pass_done_at is None
    while looks[-1].pass_done_at is None:
        looks.append(await source.read())
        assert len(looks) < 20
    sampled = [look.sampled for look in looks]
    assert sampled == sorted(sampled)
    assert len(looks) >= 3
    assert sampled[-1] >= 1500
    # What the last full walk found stays while the next is under way, and what has gone is gone at once.
    client.set("big", "x" * 50_000)
    settled(valkey)
    for _ in range(40):
        if "big" in names(await source.read()):
            break
    assert "big" in names(await source.read())
    client.delete("big")
    settled(valkey)
    assert "big" not in names(await source.read())


async def test_every_database(valkey: Rig, watch: Watch) -> None:
    valkey.primary.client(db=0).set("same", "x" * 3000)
    valkey.primary.client(db=9).set("same", "x" * 2000)
    settled(valkey)
    reading = await watch([valkey.primary, valkey.replica], valkey.secret).read()
    assert [(row.db, row.name) for row in reading.big.values()] == [(0, "same"), (9, "same")]
    assert reading.total == reading.sampled == 2


async def test_queues(valkey: Rig, watch: Watch) -> None:
    client = valkey.primary.client()
    client.rpush("jobs", *range(7))
    client.xadd("events", {"a": 1})
    client.zadd("later", {"a": 1, "b": 2})
    client.set("string", "x")
    settled(valkey)
    queues = ["jobs", "events", "later", "nothing", "string"]
    source = watch([valkey.primary, valkey.replica], valkey.secret, queues=queues, sample_keys=False)
    reading = await source.read()
    assert {name: (queue.depth, queue.type) for name, queue in reading.queues.items()} == {
        "jobs": (7, "list"),
        "events": (1, "stream"),
        "later": (2, "zset"),
        "nothing": (0, ""),
    }
    assert reading.big == {}
    client.delete("jobs")
    client.zadd("jobs", {"a": 1})
    settled(valkey)
    await source.read()  # finds that it has become something else
    assert (await source.read()).queues["jobs"].type == "zset"


async def test_on_a_lone_primary_nothing_is_looked_up(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey()
    client = server.client()
    client.rpush("list", *["x" * 100] * 100)
    client.set("string", "x" * 9000, ex=1000)
    client.rpush("jobs", 1)
    source = watch([server], secret, queues=["jobs", "nothing"])
    before = client.info("stats")
    reading = await source.read()
    after = client.info("stats")
    rows = {row.name: row for row in reading.big.values()}
    assert (rows["list"].type, rows["string"].type) == ("list", "string")
    assert rows["list"].items is rows["string"].ttl_s is None
    assert reading.queues["jobs"].depth == 1
    assert after["keyspace_misses"] == before["keyspace_misses"]
    assert after["keyspace_hits"] == before["keyspace_hits"] + 2  # the queue's kind, once, and its depth


async def test_it_prefers_a_replica_and_does_without(valkey: Rig, watch: Watch) -> None:
    valkey.primary.client().set("key", "x")
    settled(valkey)
    source = watch([valkey.primary, valkey.replica], valkey.secret)
    assert "a replica" in (await source.examine())[0].detail
    valkey.replica.freeze()
    reading = await source.read()  # within its deadline, and from the primary
    assert reading.status == "ok"
    assert names(reading) == {"key"}
    valkey.replica.thaw()
    until(lambda: valkey.replica.client().ping())
    assert names(await source.read()) == {"key"}
    assert "cache-2" in (await source.examine())[0].detail


async def test_no_server_answers(make_valkey: Make, watch: Watch, secret: Path) -> None:
    server = make_valkey()
    source = watch([server], secret)
    await source.read()
    await asyncio.to_thread(server.kill)
    with pytest.raises(SourceError, match="refuses connections"):
        await source.read()
    assert (await source.examine())[0].answer == "fail"


async def test_any_bytes_as_key(valkey: Rig, watch: Watch) -> None:
    client = valkey.primary.client()
    raw = [bytes([byte]) * 5 for byte in range(256)] + [
        b"",
        b"\x1b]0;x\x07",
        b"[@click=app.quit]",
        "\u202eevil".encode(),
    ]
    client.mset({key: "x" * (3000 + 200 * number) for number, key in enumerate(raw)})
    settled(valkey)
    reading = await watch([valkey.primary, valkey.replica], valkey.secret).read()
    assert reading.sampled == len(raw)
    assert names(reading) == {clean(key) for key in raw[-10:]}
    assert len(reading.big) == 10
    assert all(row.type == "string" for row in reading.big.values())


async def test_keys_that_clean_to_the_same_name_stay_apart(valkey: Rig, watch: Watch) -> None:
    client = valkey.primary.client()
    same = [b"a\xe2\x80\x8bb", b"a\xe2\x80\x8cb", b"ab", b"a\xe2\x80\xaeb"]
    client.mset(dict.fromkeys(same, "x" * 3000))
    settled(valkey)
    reading = await watch([valkey.primary, valkey.replica], valkey.secret).read()
    assert len(reading.big) == len(same)
