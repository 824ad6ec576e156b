"""Whether a laboratory is healthy: asked of the servers themselves, part by part."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import psycopg
import redis
import redis.exceptions

from console.lab import platform_health
from console.lab.errors import LabError
from console.lab.servers.cache import CACHE
from console.lab.state import Lab, Server
from console.lab.tenants import connect
from console.lab.users.base import read_felt

_RECENT = timedelta(seconds=10)
_RECENT_VISIT = timedelta(seconds=40)
"""Through Traefik: at night a small tenant's users come every twenty seconds."""


def rest(server: Server, path: str, seconds: float = 2.0) -> Any:
    """What a member's Patroni answers, whatever its status code."""
    with httpx.Client(trust_env=False) as client:
        return client.get(f"http://127.0.0.1:{server.ports['rest']}{path}", timeout=seconds).json()


def members(lab: Lab) -> dict[str, dict[str, Any]]:
    """Members as the first Patroni that answers sees them, by name; empty when none does."""
    for server in lab.of_kind("patroni"):
        try:
            return {row["name"]: row for row in rest(server, "/cluster").get("members", [])}
        except (httpx.HTTPError, ValueError):
            continue
    return {}


def named(lab: Lab, *roles: str) -> str:
    """Name of the member that has this role according to Patroni: ``leader``, ``sync_standby``, ``replica``.

    Raises:
        LabError: None has.
    """
    for name, row in members(lab).items():
        if row["role"] in roles:
            return name
    raise LabError(f"no member of the cluster is {' or '.join(roles)} at the moment")


def valkey(lab: Lab, server: Server) -> redis.Redis:
    """A client of a cache node or a Sentinel."""
    port = next(iter(server.ports.values()))
    return redis.Redis(
        host="127.0.0.1", port=port, password=lab.secret("cache"), socket_timeout=2, socket_connect_timeout=2
    )


def etcd_problem(lab: Lab) -> str:
    """Why etcd is not healthy, or nothing."""
    port = lab.servers["etcd"].ports["client"]
    try:
        with httpx.Client(trust_env=False) as client:
            answer = client.get(f"http://127.0.0.1:{port}/health", timeout=2).json()
    except (httpx.HTTPError, ValueError) as problem:
        return f"etcd does not answer: {problem}"
    return "" if answer.get("health") == "true" else f"etcd says {answer}"


def _replication_problem(lab: Lab, leader: str) -> str:
    try:
        with connect(lab.servers[leader].ports["postgres"], "postgres", lab.secret("postgres")) as connection:
            rows = connection.execute("select application_name, state, sync_state from pg_stat_replication").fetchall()
    except psycopg.Error as problem:
        return f"{leader} does not answer SQL: {problem}"
    streaming = [row for row in rows if row[1] == "streaming"]
    if len(streaming) < 2:
        return f"{leader} streams to {len(streaming)} of 2 standbys"
    return "" if any(row[2] in ("sync", "quorum") for row in rows) else "no standby is synchronous"


def postgres_problem(lab: Lab) -> str:
    """Why the cluster is not healthy, or nothing: a leader, two streaming standbys of its timeline, one synchronous."""
    rows = members(lab)
    for server in lab.of_kind("patroni"):
        row = rows.get(server.name)
        if row is None:
            return f"{server.name} is not a member yet"
        wanted = "running" if row["role"] == "leader" else "streaming"
        if row["state"] != wanted:
            return f"{server.name} is {row['role']}, {row['state']}"
        try:
            own = rest(server, "/patroni")
        except (httpx.HTTPError, ValueError) as problem:
            return f"{server.name}: Patroni does not answer: {problem}"
        if own.get("state") != "running" or own.get("pause"):
            return f"{server.name} says {own.get('state')}{', paused' if own.get('pause') else ''}"
    roles = sorted(row["role"] for row in rows.values())
    if roles != ["leader", "replica", "sync_standby"]:
        return f"roles are {', '.join(roles)}"
    if len({row.get("timeline") for row in rows.values()}) != 1:
        return "members are on different timelines"
    return _replication_problem(lab, next(name for name, row in rows.items() if row["role"] == "leader"))


def cache_problem(lab: Lab) -> str:
    """Why the cache is not healthy, or nothing: one primary, and a replica whose link is up."""
    roles = []
    for server in lab.of_kind("cache"):
        try:
            about = valkey(lab, server).info("replication")
        except redis.exceptions.RedisError as problem:
            return f"{server.name} does not answer: {problem}"
        if about["role"] == "slave" and about["master_link_status"] != "up":
            return f"{server.name} is not connected to its primary"
        roles.append(about["role"])
    return "" if sorted(roles) == ["master", "slave"] else f"the cache's roles are {', '.join(roles)}"


def sentinel_problem(lab: Lab) -> str:
    """Why the Sentinels are not healthy, or nothing: each knows the others, the replica, and the same primary."""
    primaries = set()
    for server in lab.of_kind("sentinel"):
        try:
            seen = cast("dict[str, Any]", valkey(lab, server).sentinel_master(CACHE))
            replicas = valkey(lab, server).sentinel_slaves(CACHE)
        except redis.exceptions.RedisError as problem:
            return f"{server.name} does not answer: {problem}"
        if seen["num-other-sentinels"] != 2 or seen["num-slaves"] != 1 or seen["flags"] != "master":
            return (
                f"{server.name} sees {seen['num-other-sentinels']} other Sentinels, "
                f"{seen['num-slaves']} replicas, primary {seen['flags']}"
            )
        if any(replica["flags"] != "slave" for replica in replicas):
            return f"{server.name} sees its replica as {', '.join(replica['flags'] for replica in replicas)}"
        primaries.add(seen["port"])
    return "" if len(primaries) == 1 else "the Sentinels do not agree on the primary"


def load_problem(lab: Lab) -> str:
    """Why the load does not run well, or nothing: every tenant and the cache had two rounds done, the last just now."""
    felt = read_felt(lab.path)
    if not felt:
        return "the load has not begun"
    recent = _RECENT_VISIT if lab.has_platform else _RECENT
    for name, one in felt.items():
        if one.problem:
            return f"{name}: {one.problem}"
        if one.done < 2 or one.last_done is None or datetime.now(UTC) - one.last_done > recent:
            return f"{name}: {one.done} rounds done, none lately"
    return ""


def problems(lab: Lab) -> dict[str, str]:
    """Part → why it is not healthy; empty when the whole laboratory is."""
    asked = {
        "etcd": etcd_problem(lab),
        "main": postgres_problem(lab),
        "cache": cache_problem(lab),
        "sentinel": sentinel_problem(lab),
        "load": load_problem(lab),
    }
    if lab.has_platform:
        asked |= platform_health.problems(lab)
    for server in lab.servers.values():
        if server.condition != "running":
            asked[server.name] = f"{server.name} is {server.condition}"
    return {part: problem for part, problem in asked.items() if problem}


def wait_for(problem: Callable[[], str], seconds: float, every: float = 0.2) -> None:
    """Wait until ``problem`` says nothing.

    Raises:
        LabError: After so many seconds it still says something.
    """
    end = time.monotonic() + seconds
    while said := problem():
        if time.monotonic() > end:
            raise LabError(f"after {seconds:.0f} s: {said}")
        time.sleep(every)
