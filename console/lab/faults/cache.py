"""Faults of the cache and its Sentinels."""

from __future__ import annotations

import redis
import redis.exceptions

from console.lab import health
from console.lab.errors import LabError
from console.lab.faults import tools
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth, Variant
from console.lab.servers.cache import SENTINELS
from console.lab.state import Lab, Server

FILLING = "import:rows:"
BIG_STRING, BIG_LIST = "report:payroll-archive", "export:stock-moves"


def primary(lab: Lab) -> Server:
    """The cache node that takes writes.

    Raises:
        LabError: None does.
    """
    for server in lab.of_kind("cache"):
        try:
            if health.valkey(lab, server).info("replication")["role"] == "master":
                return server
        except redis.exceptions.RedisError:
            continue
    raise LabError("no node of the cache is primary at the moment")


def _memory_full(stroke: Stroke) -> bool:
    """Nothing that could be evicted is left, and a write is refused."""
    about = health.valkey(stroke.lab, primary(stroke.lab)).info("everything")
    refused = about.get("errorstat_OOM", {}).get("count", 0)
    return about["used_memory"] >= 0.98 * about["maxmemory"] and int(refused) > int(stroke.notes["refused"])


def _fill(stroke: Stroke) -> None:
    about = health.valkey(stroke.lab, primary(stroke.lab)).info("errorstats")
    stroke.notes["refused"] = str(about.get("errorstat_OOM", {}).get("count", 0))
    tools.run_worker(stroke, CACHE_FULL.name)


def _unlink(client: redis.Redis, pattern: str) -> None:
    cursor = -1
    while cursor:
        cursor, keys = client.scan(max(cursor, 0), match=pattern, count=1000)
        if keys:
            client.unlink(*keys)


def _empty(stroke: Stroke) -> None:
    tools.end_worker(stroke, CACHE_FULL.name)
    _unlink(health.valkey(stroke.lab, primary(stroke.lab)), f"{FILLING}*")


def _kill_primary(stroke: Stroke) -> None:
    stroke.notes["server"] = primary(stroke.lab).name
    tools.hold(stroke, stroke.notes["server"])


def _lose_sentinels(stroke: Stroke) -> None:
    if not 1 <= stroke.number("count") <= len(SENTINELS):
        raise LabError(f"there are {len(SENTINELS)} Sentinels")
    lost = SENTINELS[-stroke.number("count") :]
    stroke.notes["lost"] = " ".join(lost)
    tools.hold(stroke, *lost)


def _write_big_keys(stroke: Stroke) -> None:
    client = health.valkey(stroke.lab, primary(stroke.lab))
    client.set(BIG_STRING, b"payslip " * (stroke.number("mb") * 2**20 // 8))
    wanted = stroke.number("elements")
    for begin in range(0, wanted, 5000):
        rows = range(begin, min(begin + 5000, wanted))
        client.rpush(BIG_LIST, *(f"move {row:07}: 12 bags of cement, depot to site 4" for row in rows))


def _big_keys_there(stroke: Stroke) -> bool:
    client = health.valkey(stroke.lab, primary(stroke.lab))
    return client.llen(BIG_LIST) >= stroke.number("elements")


def _remove_big_keys(stroke: Stroke) -> None:
    health.valkey(stroke.lab, primary(stroke.lab)).unlink(BIG_STRING, BIG_LIST)


CACHE_FULL = Fault(
    name="cache-full",
    does=f"keys {FILLING}… of 64 kB, then of 4 kB and less, without expiry are written to the primary until it refuses even those, and "
    "whenever it takes some again. Sessions, which have an expiry, are evicted first (volatile-lru); then every write is refused",
    observable_from="memory is at its limit and a write has been refused",
    signs=Signs(
        findings=("cache-memory-full", "cache-writes-refused"),
        allowed=("cache-evicting", "cache-slow"),
        panes={"cache": "critical"},
        latency_s=12,
        tenants=("*",),
        truth=Truth(
            broken="an import keeps its rows in the cache without expiry and has filled it",
            felt="every tenant: users are logged out, nobody can log in, no job is queued",
            cause="cache-memory-full",
        ),
    ),
)

CACHE_PRIMARY_KILLED = Fault(
    name="cache-primary-killed",
    does="SIGKILL to the cache's primary, held down until heal. After 2 s the Sentinels agree that it is down and promote "
    "the replica; healed, it comes back as the replica",
    observable_from="its port refuses connections",
    signs=Signs(
        findings=("cache-failover", "cache-no-replica"),
        allowed=("cache-primary-down", "cache-replica-lagging", "cache-writes-refused"),
        panes={"cache": "warning"},
        latency_s=20,
        lingers_s=130,
        tenants=("*",),
        truth=Truth(
            broken="the cache's primary is dead; the replica has taken over and is alone",
            felt="every tenant: sessions and jobs fail for some four seconds; another loss would lose them all",
            cause="cache-failover",
        ),
    ),
)

_NO_QUORUM = Signs(
    findings=("sentinel-no-quorum",),
    allowed=("sentinel-lost",),
    panes={"cache": "critical"},
    latency_s=12,
    truth=Truth(
        broken="too few Sentinels are left to agree: if the cache's primary dies, nobody takes over",
        felt="nobody, yet",
        cause="sentinel-no-quorum",
    ),
)

SENTINEL_LOST = Fault(
    name="sentinel-lost",
    does="SIGKILL to one Sentinel or more, held down until heal",
    observable_from="its port refuses connections",
    parameters=(Parameter("count", 1, "how many of the three"),),
    signs=Signs(
        findings=("sentinel-lost",),
        panes={"cache": "warning"},
        latency_s=12,
        truth=Truth(
            broken="one of three Sentinels is dead; the two that are left can still agree",
            felt="nobody",
            cause="sentinel-lost",
        ),
    ),
    variants=(Variant({"count": 2}, _NO_QUORUM), Variant({"count": 3}, _NO_QUORUM)),
)

BIG_KEYS = Fault(
    name="big-keys",
    does=f"two keys are written to the primary: {BIG_STRING}, one string, and {BIG_LIST}, a list of many elements",
    observable_from="both are there",
    parameters=(
        Parameter("mb", 12, "size of the string, in MB"),
        Parameter("elements", 200_000, "length of the list"),
    ),
    signs=Signs(
        findings=("big-keys",),
        allowed=("cache-slow",),
        panes={"cache": "warning"},
        latency_s=40,
        truth=Truth(
            broken="two keys are so big that reading, moving or deleting one holds up everybody",
            felt="every tenant, for a moment, whenever one of them is touched",
            cause="big-keys",
        ),
    ),
)

DEEDS = {
    CACHE_FULL.name: (CACHE_FULL, Deed(_fill, _memory_full, _empty, visible_within_s=60)),
    CACHE_PRIMARY_KILLED.name: (
        CACHE_PRIMARY_KILLED,
        Deed(
            _kill_primary,
            lambda stroke: tools.refused(stroke.lab.servers[stroke.notes["server"]]),
            lambda stroke: tools.release(stroke, stroke.notes["server"]),
        ),
    ),
    SENTINEL_LOST.name: (
        SENTINEL_LOST,
        Deed(
            _lose_sentinels,
            lambda stroke: all(tools.refused(stroke.lab.servers[name]) for name in stroke.notes["lost"].split()),
            lambda stroke: tools.release(stroke, *stroke.notes["lost"].split()),
        ),
    ),
    BIG_KEYS.name: (BIG_KEYS, Deed(_write_big_keys, _big_keys_there, _remove_big_keys)),
}
