"""Parts of scripted boards: what a healthy cache of two servers and three Sentinels says."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.readings import (
    BigKey,
    Queue,
    Reading,
    RedisClient,
    RedisKeys,
    RedisServer,
    ReplicaLink,
    Sentinel,
    SentinelPeer,
    SlowCall,
)

CACHE = "cache"
PRIMARY, REPLICA = "cache-1", "cache-2"
SERVERS = (PRIMARY, REPLICA)
SENTINELS = ("sentinel-1", "sentinel-2", "sentinel-3")
ADDRESSES = {PRIMARY: "10.0.1.11:6379", REPLICA: "10.0.1.12:6379"}
KB, MB, GB = 1024, 1024**2, 1024**3


def key(name: str) -> str:
    return f"{CACHE}/{name}"


def server(now: datetime, name: str) -> RedisServer:
    primary = name == PRIMARY
    taken = now - timedelta(seconds=0.6)
    return RedisServer(
        key=key(name),
        taken_at=taken,
        took_ms=1.1,
        every_s=2,
        good_at=taken,
        cache=CACHE,
        server=name,
        address=ADDRESSES[name],
        flavour="Valkey 9.1.2",
        role="primary" if primary else "replica",
        run_id="5e" * 20,
        started_at=now - timedelta(days=12, hours=3),
        used_memory=int(727 * MB),
        maxmemory=GB,
        maxmemory_policy="allkeys-lru",
        fragmentation=1.08 if primary else 1.11,
        evicted_per_s=0.0,
        expired_per_s=3.2 if primary else 0.0,
        hit_ratio=0.962 if primary else None,
        ops_per_s=1840.0 if primary else 96.0,
        net_in_per_s=310.0 * KB if primary else 41.0 * KB,
        net_out_per_s=2.4 * MB if primary else 8.0 * KB,
        errors_per_s=0.0,
        rejected_per_s=0.0,
        clients=64 if primary else 5,
        maxclients=10_000,
        blocked_clients=4 if primary else 0,
        rtt_p50_ms=0.21,
        rtt_p99_ms=0.6,
        keys=184_220,
        keys_with_ttl=171_004,
        offset=88_120_440,
        replicas={ADDRESSES[REPLICA]: ReplicaLink(ADDRESSES[REPLICA], "online", 88_120_312, 128, 0.0)}
        if primary
        else {},
        primary_address="" if primary else ADDRESSES[PRIMARY],
        link_up=None if primary else True,
        primary_last_io_s=None if primary else 0.0,
        replica_priority=100,
        min_replicas_ok=True if primary else None,
        rdb_last_save_at=now - timedelta(seconds=260),
        aof_enabled=True,
        persistence="rdb+aof",
        apps=apps() if primary else {},
        slow=slow(now) if primary else {},
    )


def apps() -> dict[str, RedisClient]:
    rows = (
        RedisClient("odoo-web", 40, 0, 12 * KB, 96 * KB),
        RedisClient("odoo-queue", 16, 4, 2 * KB, 4 * KB),
        RedisClient("session-gc", 1, 0, 0, 0),
        RedisClient("sentinel-cmd", 6, 0, 0, 0),
        RedisClient("banksman", 1, 0, 0, 20 * KB),
    )
    return {row.name: row for row in rows}


def slow(now: datetime) -> dict[str, SlowCall]:
    return {
        "41": SlowCall(now - timedelta(seconds=95), 48_200, "HGETALL session:index", "odoo-web 10.1.0.22:51022"),
        "40": SlowCall(
            now - timedelta(minutes=38), 12_900, "ZRANGE queue:late 0 -1 WITHSCORES", "odoo-queue 10.1.0.31"
        ),
    }


def sentinel(now: datetime, name: str) -> Sentinel:
    taken = now - timedelta(seconds=0.9)
    return Sentinel(
        key=key(name),
        taken_at=taken,
        took_ms=0.8,
        every_s=2,
        good_at=taken,
        cache=CACHE,
        sentinel=name,
        master_name="odoo",
        primary_address=ADDRESSES[PRIMARY],
        primary_flags="master",
        quorum=2,
        known_sentinels=2,
        quorum_ok=True,
        quorum_answer="OK 3 usable Sentinels. Quorum and failover authorization can be reached",
        down_after_ms=5000,
        failover_timeout_ms=60_000,
        config_epoch=3,
        peers={
            other: SentinelPeer(other, f"10.0.1.2{other[-1]}:26379", "sentinel", 140)
            for other in SENTINELS
            if other != name
        },
        replicas={
            ADDRESSES[REPLICA]: SentinelPeer(ADDRESSES[REPLICA], ADDRESSES[REPLICA], "slave", 90, 100, 88_120_312)
        },
    )


def keys(now: datetime) -> RedisKeys:
    taken = now - timedelta(seconds=6)
    big = (
        BigKey("session:index", "hash", 14 * MB, 41_200),
        BigKey("cache:assets:web", "string", 3 * MB, None, 86_000),
        BigKey("queue:mail", "list", 410 * KB, 812),
    )
    return RedisKeys(
        key=CACHE,
        taken_at=taken,
        took_ms=22.0,
        every_s=30,
        good_at=taken,
        cache=CACHE,
        sampled=184_000,
        total=184_220,
        big={f"0/{row.name}": row for row in big},
        queues={"queue:mail": Queue("queue:mail", 812, "list"), "queue:jobs": Queue("queue:jobs", 14, "stream")},
        pass_done_at=now - timedelta(minutes=3),
    )


def readings(now: datetime) -> list[Reading]:
    """Everything that a healthy cache says at ``now``."""
    found: list[Reading] = [server(now, name) for name in SERVERS]
    found += [sentinel(now, name) for name in SENTINELS]
    found.append(keys(now))
    return found
