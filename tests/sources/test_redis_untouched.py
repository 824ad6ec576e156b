"""Looking changes nothing: what the server knows of its keys, and how often they were asked for, is what it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rigs_valkey import Make, Server, environment, sources, until

pytestmark = pytest.mark.server

LFU = ("--lfu-decay-time", "0", "--lfu-log-factor", "0")
"""Each touch counts, and none is forgotten."""

KINDS = {
    "string": ("SET", "string", "x" * 5000),
    "list": ("RPUSH", "list", *["x" * 50] * 200),
    "set": ("SADD", "set", *[f"{number:050}" for number in range(200)]),
    "zset": ("ZADD", "zset", 1, "a", 2, "b"),
    "hash": ("HSET", "hash", "a", "b"),
    "stream": ("XADD", "stream", "*", "a", "b"),
    "expiring": ("SET", "expiring", "x", "PXAT", 4_000_000_000_000),
    "\x1b[2J\x00": ("SET", "\x1b[2J\x00", "x"),
}


def state(server: Server, usage: str) -> dict[str, Any]:
    """Everything a look could move. Asked in an order in which the questions themselves move nothing."""
    client = server.client(single_connection_client=True)
    client.execute_command("CLIENT", "NO-TOUCH", "ON")  # DUMP would touch
    stats = client.info("stats")
    keys = [key.encode() for key in KINDS]
    return {
        "hits": stats["keyspace_hits"],
        "misses": stats["keyspace_misses"],
        "expired": stats["expired_keys"],
        "evicted": stats["evicted_keys"],
        "databases": {name: (row["keys"], row["expires"]) for name, row in client.info("keyspace").items()},
        "dirty": client.info("persistence")["rdb_changes_since_last_save"],
        "scripts": client.info("memory")["number_of_cached_scripts"],
        "config": dict(client.config_get("*").items()),
        "expiries": {key: client.execute_command("PEXPIRETIME", key) for key in keys},
        "content": {key: client.execute_command("DUMP", key) for key in keys},
        usage: {key: client.execute_command("OBJECT", usage, key) for key in keys},
    }


@pytest.mark.parametrize("policy", ["allkeys-lfu", "allkeys-lru"])
async def test_a_cache_with_a_replica(make_valkey: Make, secret: Any, policy: str) -> None:
    options = ("--maxmemory", "100mb", "--maxmemory-policy", policy, *LFU)
    primary = make_valkey("up", *options)
    replica = make_valkey("down", *options, primary=primary)
    client = primary.client()
    for command in KINDS.values():
        client.execute_command(*command)
    until(lambda: replica.client().dbsize() == len(KINDS), "the replica has it all")
    usage = "FREQ" if policy == "allkeys-lfu" else "IDLETIME"
    servers, keys, _ = sources(environment([primary, replica], secret, queues=["list", "no such queue"]))
    watched = [*servers.values(), keys]
    if usage == "IDLETIME":
        for server in (primary, replica):
            until(lambda: idle(server), "a second has gone by since the keys were touched")  # noqa: B023
    before = state(primary, usage), state(replica, usage)
    asked = {server.name: reads_of(server) for server in (primary, replica)}
    for _ in range(30):
        for source in watched:
            assert (await source.read()).status == "ok"
    moved = {server.name: reads_of(server) - asked[server.name] for server in (primary, replica)}
    after = state(primary, usage), state(replica, usage)
    for source in watched:
        await source.close()
    own = own_questions()
    for then, now in zip(before, after, strict=True):
        idle_then, idle_now = then.pop(usage), now.pop(usage)
        # LFU's counter must not rise; idle time goes on, and would fall to 0 at a touch.
        if usage == "FREQ":
            assert idle_now == idle_then
        else:
            assert all(idle_now[key] >= idle_then[key] for key in idle_then)
        assert now.pop("hits") - then.pop("hits") >= own
        assert now == then  # misses among it
    assert moved == {"up": 0, "down": keys._footprint.hits("down")}


def idle(server: Server) -> bool:
    """All keys are idle for a second or more, so that a touch would show."""
    client = server.client()
    return all(client.execute_command("OBJECT", "IDLETIME", key) >= 1 for key in KINDS)


def reads_of(server: Server) -> int:
    """Look-ups that found something."""
    return int(server.client().info("stats")["keyspace_hits"])


def own_questions() -> int:
    """Look-ups that one call of ``state`` makes."""
    return 2 * len(KINDS)


async def test_a_lone_primary(make_valkey: Make, secret: Any) -> None:
    server = make_valkey("cache-1", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lfu", *LFU)
    client = server.client()
    for command in KINDS.values():
        client.execute_command(*command)
    servers, keys, _ = sources(environment([server], secret))
    before = state(server, "FREQ")
    asked = reads_of(server)
    for _ in range(30):
        for source in (*servers.values(), keys):
            assert (await source.read()).status == "ok"
    assert reads_of(server) == asked  # not one look-up
    after = state(server, "FREQ")
    for source in (*servers.values(), keys):
        await source.close()
    del before["hits"], after["hits"]
    assert after == before


async def test_our_own_look_ups_are_not_in_the_hit_ratio(make_valkey: Make, secret: Any) -> None:
    primary = make_valkey("up")
    replica = make_valkey("down", primary=primary)
    primary.client().rpush("jobs", 1)
    reader = replica.client()
    until(lambda: reader.dbsize() == 1)
    servers, keys, _ = sources(environment([primary, replica], secret, queues=["jobs"]))
    await servers["down"].read()
    await keys.read()
    assert (await servers["down"].read()).hit_ratio is None
    await keys.read()
    reader.get("nothing")
    assert (await servers["down"].read()).hit_ratio == 0
    for source in (*servers.values(), keys):
        await source.close()


async def test_our_own_commands_are_not_in_the_rate(make_valkey: Make, secret: Any) -> None:
    server = make_valkey()
    client = server.client()
    client.mset({f"key:{number}": "x" for number in range(1000)})
    servers, keys, _ = sources(environment([server], secret))
    source = servers["cache-1"]
    await source.read()
    for _ in range(3):
        await keys.read()  # thousands of commands
    assert (await source.read()).ops_per_s == 0
    client.ping()
    reading = await source.read()
    assert reading.ops_per_s is not None
    assert reading.ops_per_s > 0
    for one in (source, keys):
        await one.close()


async def test_it_never_asks_for_all_keys_nor_their_content(make_valkey: Make, secret: Any) -> None:
    server = make_valkey("cache-1", "--slowlog-log-slower-than", "0", "--slowlog-max-len", "100000")
    for command in KINDS.values():
        server.client().execute_command(*command)
    client = server.client()
    client.slowlog_reset()
    servers, keys, _ = sources(environment([server], secret, queues=["list"]))
    for _ in range(3):
        for source in (*servers.values(), keys):
            await source.read()
    stats = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
    for source in (*servers.values(), keys):
        await source.close()
    setup = {"set", "rpush", "sadd", "zadd", "hset", "xadd", "slowlog|reset", "client|setinfo", "hello"}
    assert stats - setup <= {
        "auth",
        "client|list",
        "client|no-touch",
        "client|setname",
        "config|get",
        "info",
        "llen",
        "memory|usage",
        "ping",
        "scan",
        "select",
        "slowlog|get",
        "type",
    }
