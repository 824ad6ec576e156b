"""The arithmetic of rolling updates, as the deployment controller of Kubernetes does it."""

from __future__ import annotations

from typing import NamedTuple

from console.lab.kube.kinds import Json
from console.lab.platform import objects


class Limits(NamedTuple):
    """How many pods more, and how many available fewer, than wanted there may be during an update."""

    surge: int
    unavailable: int


def limits(spec: Json) -> Limits:
    """Of a Deployment."""
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    wanted = spec["replicas"]
    surge = objects.rounded(rolling.get("maxSurge", "25%"), wanted, up=True)
    unavailable = objects.rounded(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    return Limits(surge, min(unavailable if surge or unavailable else 1, wanted))


def rolls(data: Json) -> bool:
    """Whether a Deployment replaces its pods bit by bit, not all at once."""
    return bool(data["spec"]["strategy"]["type"] == "RollingUpdate")


class Counts(NamedTuple):
    """Of one ReplicaSet: pods asked for, and of these available."""

    asked: int
    available: int


def new_size(wanted: int, room: Limits, new: Counts, old: list[Counts]) -> int:
    """How many pods of the new template to ask for now."""
    if new.asked >= wanted:
        return wanted
    total = new.asked + sum(each.asked for each in old)
    return min(wanted, new.asked + max(wanted + room.surge - total, 0))


def old_sizes(wanted: int, room: Limits, new: Counts, old: list[Counts]) -> list[int]:
    """How many pods of each older template, the oldest first, to ask for now: first those go that do not work."""
    total = new.asked + sum(each.asked for each in old)
    least = wanted - room.unavailable
    spare = total - least - (new.asked - min(new.available, new.asked))
    sizes = [each.asked for each in old]
    for number, each in enumerate(old):
        broken = min(max(each.asked - each.available, 0), max(spare, 0))
        sizes[number] -= broken
        spare -= broken
    working = new.available + sum(min(each.available, size) for each, size in zip(old, sizes, strict=True))
    spare = min(spare, working - least)
    for number, size in enumerate(sizes):
        gone = min(size, max(spare, 0))
        sizes[number] -= gone
        spare -= gone
    return sizes
