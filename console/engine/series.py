"""Which numbers are kept as a short history. One line each: a new sparkline is a new line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from console.board import Board
from console.readings import (
    KubernetesPods,
    KubernetesUsage,
    PostgresIo,
    PostgresMember,
    Reading,
    RedisServer,
    TraefikServer,
)
from console.readings.odoo import OdooDatabase, OdooLog, OdooPages

Members = list[Any]
"""Readable readings of one topic and subject, by key."""


class Series(NamedTuple):
    """One number per subject (cluster, cache) or per reading."""

    pane: str
    name: str
    unit: str
    topic: type[Reading]
    value: Callable[[Members], float | None]
    """From the subject's readings; None: not known now."""
    each: bool = False
    """One series per reading (``main/pg-1``) instead of one per subject (``main``)."""


def total(field: str) -> Callable[[Members], float | None]:
    """The sum over those that know it."""

    def value(members: Members) -> float | None:
        known = [number for member in members if (number := getattr(member, field)) is not None]
        return float(sum(known)) if known else None

    return value


def largest(field: str) -> Callable[[Members], float | None]:
    """The largest of those that know it."""

    def value(members: Members) -> float | None:
        known = [number for member in members if (number := getattr(member, field)) is not None]
        return float(max(known)) if known else None

    return value


def primary(field: str) -> Callable[[Members], float | None]:
    """Of the one that accepts writes; None where that is not exactly one."""

    def value(members: Members) -> float | None:
        writing = [member for member in members if _is_primary(member)]
        number = getattr(writing[0], field) if len(writing) == 1 else None
        return None if number is None else float(number)

    return value


def lag_bytes(members: Members) -> float | None:
    """Bytes that a standby has yet to replay, measured from the primary's position, as far as both are read."""
    positions = [m.current_bytes for m in members if m.in_recovery is False and m.current_bytes is not None]
    replayed = [m.replayed_bytes for m in members if m.in_recovery and m.replayed_bytes is not None]
    return float(max(0, max(positions) - min(replayed))) if positions and replayed else None


def memory_ratio(members: Members) -> float | None:
    """Memory in use over its limit on the primary; None without a limit."""
    writing = [member for member in members if _is_primary(member)]
    if len(writing) != 1 or not writing[0].maxmemory:
        return None
    return float(writing[0].used_memory / writing[0].maxmemory)


def error_share(members: Members) -> float | None:
    """5xx of all requests of an ingress; None: nothing was asked, or it is not known."""
    asked = sum(member.requests_per_s or 0.0 for member in members)
    return sum(member.errors_per_s or 0.0 for member in members) / asked if asked > 0 else None


def connections(members: Members) -> float | None:
    """Connections that are open at an ingress."""
    return float(sum(number for member in members for number in member.open_connections.values()))


def slowest_page(members: Members) -> float | None:
    """Milliseconds that the slowest page of a tenant took when it was last asked; health and log-in are no pages."""
    steps = [step for member in members for name, step in member.steps.items() if name not in ("health", "log in")]
    return max((step.ms for step in steps if step.ok is not None and step.ms is not None), default=None)


def queued(members: Members) -> float | None:
    """Jobs of queue_job that are due, in all databases of a tenant; None where it is not installed."""
    waiting = [channel.waiting for member in members if member.queue_job for channel in member.channels.values()]
    return float(sum(waiting)) if any(member.queue_job for member in members) else None


def used(field: str) -> Callable[[Members], float | None]:
    """What all nodes of a cluster use of CPU (cores) or memory (bytes)."""

    def value(members: Members) -> float | None:
        nodes = [each for member in members for each in member.nodes.values()]
        return float(sum(getattr(each, field) for each in nodes)) if nodes else None

    return value


def not_ready(members: Members) -> float:
    """Pods that should run and are not ready."""
    pods = (pod for member in members for pod in member.pods.values())
    return float(sum(pod.ready < pod.containers and pod.phase in ("Pending", "Running", "Unknown") for pod in pods))


def _is_primary(member: Any) -> bool:
    return bool(member.in_recovery is False if isinstance(member, PostgresMember) else member.role == "primary")


SERIES: tuple[Series, ...] = (
    Series("database", "tps", "/s", PostgresMember, total("commits_per_s")),
    Series("database", "rollbacks", "/s", PostgresMember, total("rollbacks_per_s")),
    Series("database", "connections", "", PostgresMember, primary("connections")),
    Series("database", "wal_bytes", "B/s", PostgresMember, primary("wal_per_s")),
    Series("database", "lag", "B", PostgresMember, lag_bytes),
    Series("database", "hit_ratio", "ratio", PostgresMember, primary("cache_hit_ratio")),
    Series("database", "connections", "", PostgresMember, largest("connections"), each=True),
    Series("database", "wal_directory", "B", PostgresIo, largest("wal_directory_bytes")),
    Series("cluster", "cpu", "cores", KubernetesUsage, used("cpu")),
    Series("cluster", "memory", "B", KubernetesUsage, used("memory")),
    Series("cluster", "not_ready", "pods", KubernetesPods, not_ready),
    Series("cache", "ops", "/s", RedisServer, primary("ops_per_s")),
    Series("cache", "memory", "B", RedisServer, primary("used_memory")),
    Series("cache", "memory_ratio", "ratio", RedisServer, memory_ratio),
    Series("cache", "hit_ratio", "ratio", RedisServer, primary("hit_ratio")),
    Series("cache", "evictions", "/s", RedisServer, total("evicted_per_s")),
    Series("cache", "clients", "", RedisServer, primary("clients")),
    Series("cache", "rtt", "ms", RedisServer, largest("rtt_p99_ms")),
    Series("ingress", "requests", "/s", TraefikServer, total("requests_per_s")),
    Series("ingress", "errors", "ratio", TraefikServer, error_share),
    Series("ingress", "p50", "ms", TraefikServer, largest("p50_ms")),
    Series("ingress", "p95", "ms", TraefikServer, largest("p95_ms")),
    Series("ingress", "connections", "", TraefikServer, connections),
    Series("application", "page", "ms", OdooPages, slowest_page),
    Series("application", "waiting", "", OdooDatabase, queued),
    Series("application", "requests", "/s", OdooLog, total("requests_per_s")),
)


def sample(board: Board, series: Iterable[Series] = SERIES) -> dict[str, tuple[str, float]]:
    """What can be said now: trend key (``database/main/tps``) → unit and value."""
    found: dict[str, tuple[str, float]] = {}
    for one in series:
        for subject, members in _subjects(board, one).items():
            value = one.value(members)
            if value is not None:
                found[f"{one.pane}/{subject}/{one.name}"] = (one.unit, value)
    return found


def _subjects(board: Board, series: Series) -> dict[str, Members]:
    subjects: dict[str, Members] = {}
    for reading in board.every(series.topic):
        if reading.readable:
            subject = reading.key if series.each else reading.key.partition("/")[0]
            subjects.setdefault(subject, []).append(reading)
    return subjects
