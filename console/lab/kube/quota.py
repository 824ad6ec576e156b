"""Quotas: what counts, how much is used, and what would be too much."""

from __future__ import annotations

from decimal import Decimal

from console.lab.kube import builtin, quantity
from console.lab.kube.errors import forbidden
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.store import Store, Stored

_COUNTED = {
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
}
_COMPUTE = {"requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "cpu", "memory"}
_DONE = {"Succeeded", "Failed"}
Usage = dict[str, Decimal]


def _compute_of(name: str) -> tuple[str, str]:
    side, _, resource = name.rpartition(".")
    return side or "requests", resource


def _pod_usage(data: Json, hard: Json) -> Usage:
    if (data.get("status") or {}).get("phase") in _DONE:
        return {}
    found: Usage = {"pods": Decimal(1)}
    for name in _COMPUTE & hard.keys():
        side, resource = _compute_of(name)
        found[name] = sum(
            (quantity.parse((c["resources"].get(side) or {}).get(resource, 0)) for c in data["spec"]["containers"]),
            Decimal(),
        )
    return found


def _usage(kind: Kind, data: Json, hard: Json) -> Usage:
    """What an object takes of what a quota limits."""
    found: Usage = {f"count/{kind.resource}": Decimal(1)}
    if kind == builtin.POD:
        found |= _pod_usage(data, hard)
    elif not kind.group and kind.plural in _COUNTED:
        found[kind.plural] = Decimal(1)
    if kind == builtin.CLAIM:
        requests = ((data.get("spec") or {}).get("resources") or {}).get("requests") or {}
        found["requests.storage"] = quantity.parse(requests.get("storage", 0))
    if kind == builtin.SERVICE and data["spec"].get("type") == "LoadBalancer":
        found["services.loadbalancers"] = Decimal(1)
    return {name: amount for name, amount in found.items() if name in hard}


def _kinds_for(kinds: list[Kind], hard: Json) -> list[Kind]:
    """The kinds of which a quota counts any."""
    wanted = {name.removeprefix("count/") for name in hard}
    if wanted & _COMPUTE:
        wanted.add("pods")
    if "requests.storage" in wanted:
        wanted.add("persistentvolumeclaims")
    if "services.loadbalancers" in wanted:
        wanted.add("services")
    return [kind for kind in kinds if kind.resource in wanted]


def used(store: Store, kinds: list[Kind], namespace: str, hard: Json) -> Usage:
    """What all objects of a namespace take together."""
    total: Usage = {name: Decimal() for name in hard}
    for kind in _kinds_for(kinds, hard):
        for stored in store.objects(kind.key, namespace):
            for name, amount in _usage(kind, stored.data, hard).items():
                total[name] += amount
    return total


def in_words(usage: Usage) -> Json:
    """Usage as quantities."""
    return {
        name: quantity.text(amount, binary=name.endswith(("memory", "storage")))
        for name, amount in sorted(usage.items())
    }


def _listed(usage: Usage, names: list[str]) -> str:
    return ",".join(f"{name}={value}" for name, value in in_words({name: usage[name] for name in names}).items())


def _unspecified(data: Json, hard: Json) -> list[str]:
    """What a quota on computing wants every container to say, and which do not."""
    missing = []
    for name in sorted(_COMPUTE & hard.keys()):
        side, resource = _compute_of(name)
        silent = [c["name"] for c in data["spec"]["containers"] if resource not in (c["resources"].get(side) or {})]
        if silent:
            missing.append(f"{name} for: {','.join(silent)}")
    return missing


def admit(store: Store, kinds: list[Kind], kind: Kind, data: Json, namespace: str) -> None:
    """Refuse a new object for which a quota has no room.

    Raises:
        ApiError: 403.
    """
    for quota in store.objects(builtin.QUOTA.key, namespace):
        hard: Json = (quota.data.get("spec") or {}).get("hard") or {}
        name = data["metadata"].get("name", "")
        if kind == builtin.POD and (missing := _unspecified(data, hard)):
            raise forbidden(kind, name, f"failed quota: {quota.metadata['name']}: must specify {'; '.join(missing)}")
        asked = _usage(kind, data, hard)
        if not asked:
            continue
        taken = used(store, kinds, namespace, {name: hard[name] for name in asked})
        limits = {name: quantity.parse(hard[name]) for name in asked}
        over = [name for name, amount in asked.items() if taken[name] + amount > limits[name]]
        if over:
            why = f"requested: {_listed(asked, over)}, used: {_listed(taken, over)}, limited: {_listed(limits, over)}"
            raise forbidden(kind, name, f"exceeded quota: {quota.metadata['name']}, {why}")


def status(store: Store, kinds: list[Kind], quota: Stored) -> Json:
    """The status that a quota should show now."""
    hard: Json = (quota.data.get("spec") or {}).get("hard") or {}
    return {"hard": dict(hard), "used": in_words(used(store, kinds, quota.metadata["namespace"], hard))}
