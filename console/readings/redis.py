"""What one Redis or Valkey server, or one Sentinel, says."""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import PrivateText, Reading, topic


class ReplicaLink(msgspec.Struct, frozen=True, omit_defaults=True):
    """A replica as its primary counts it."""

    address: str
    state: str = ""
    offset: int = 0
    lag_bytes: int | None = None
    """Primary's offset minus the replica's acknowledged one."""
    lag_s: float | None = None
    """Seconds since the replica's last acknowledgement (INFO field ``lag``)."""


class RedisClient(msgspec.Struct, frozen=True, omit_defaults=True):
    """Connections of one application (CLIENT SETNAME, else user@address), summed."""

    name: str
    connections: int = 0
    blocked: int = 0
    input_bytes: int = 0
    output_bytes: int = 0


class SlowCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of SLOWLOG."""

    at: datetime
    took_us: int
    command: PrivateText = ""
    client: str = ""


@topic("redis", "cache")
class RedisServer(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """One server. Key ``cache/server``. Rates are per second since the previous look; None where there was none."""

    cache: str = ""
    server: str = ""
    address: str = ""
    """host:port, as Sentinels and replicas name it."""
    flavour: str = ""
    """Redis or Valkey, with version."""
    role: str = ""
    """primary or replica."""
    run_id: str = ""
    started_at: datetime | None = None
    loading: bool = False
    used_memory: int = 0
    maxmemory: int = 0
    """0: no limit."""
    maxmemory_policy: str = ""
    fragmentation: float | None = None
    """used_memory_rss / used_memory."""
    evicted_per_s: float | None = None
    expired_per_s: float | None = None
    hit_ratio: float | None = None
    """0..1 since the previous look, the console's own look-ups left out; None: there were none."""
    ops_per_s: float | None = None
    """Commands of others: the console's own are left out."""
    net_in_per_s: float | None = None
    net_out_per_s: float | None = None
    errors_per_s: float | None = None
    rejected_per_s: float | None = None
    """Connections refused for maxclients."""
    clients: int = 0
    maxclients: int = 0
    blocked_clients: int = 0
    rtt_p50_ms: float | None = None
    rtt_p99_ms: float | None = None
    """Of the console's own PINGs, over the last 100, without what the engine itself was late."""
    keys: int = 0
    keys_with_ttl: int = 0
    offset: int = 0
    """Replication offset: what it has written (primary) or received (replica)."""
    replicas: dict[str, ReplicaLink] = {}
    primary_address: str = ""
    """As a replica: host:port it follows."""
    link_up: bool | None = None
    link_down_s: float | None = None
    primary_last_io_s: float | None = None
    sync_in_progress: bool = False
    replica_priority: int | None = None
    min_replicas_ok: bool | None = None
    """False: writes are refused for want of replicas (min-replicas-to-write)."""
    rdb_last_save_at: datetime | None = None
    rdb_last_ok: bool = True
    rdb_in_progress: bool = False
    aof_enabled: bool = False
    aof_last_ok: bool = True
    persistence: str = ""
    """none, rdb, aof, rdb+aof."""
    write_refused: str = ""
    """Why the server would refuse writes now (OOM, MISCONF, NOREPLICAS); empty: it would not."""
    apps: dict[str, RedisClient] = {}
    slow: dict[str, SlowCall] = {}


class BigKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key by the memory it takes."""

    name: str
    type: str
    bytes: int
    items: int | None = None
    ttl_s: int | None = None
    db: int = 0


class Queue(msgspec.Struct, frozen=True, omit_defaults=True):
    """A list, stream or sorted set that the environment names as a queue."""

    name: str
    depth: int
    type: str = ""


@topic("redis.keys", "cache")
class RedisKeys(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Sampled keys of one cache (by SCAN on a replica where there is one, within a budget). Key ``cache``."""

    cache: str = ""
    sampled: int = 0
    total: int = 0
    big: dict[str, BigKey] = {}
    """The ten biggest of the last full pass and of the pass under way."""
    queues: dict[str, Queue] = {}
    pass_done_at: datetime | None = None


class SentinelPeer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Another Sentinel, or a replica, as this Sentinel sees it."""

    name: str
    address: str
    flags: str = ""
    """Comma-separated, as Sentinel says: s_down, o_down, disconnected …"""
    last_ok_ms: int | None = None
    priority: int | None = None
    offset: int | None = None


@topic("sentinel", "cache")
class Sentinel(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """One Sentinel's view of one master name. Key ``cache/sentinel``."""

    cache: str = ""
    sentinel: str = ""
    master_name: str = ""
    primary_address: str = ""
    primary_flags: str = ""
    quorum: int = 0
    known_sentinels: int = 0
    """The others it knows, reachable or not."""
    quorum_ok: bool | None = None
    quorum_answer: str = ""
    """SENTINEL CKQUORUM's own words."""
    down_after_ms: int | None = None
    failover_timeout_ms: int | None = None
    failover_state: str = ""
    config_epoch: int | None = None
    peers: dict[str, SentinelPeer] = {}
    replicas: dict[str, SentinelPeer] = {}
