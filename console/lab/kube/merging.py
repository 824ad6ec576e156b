"""Merge patch and strategic merge patch.

A strategic patch merges lists of objects by a key of theirs. Which lists, and by which key, is written in Go tags of the
real server's types; the table here has those that the laboratory's kinds use.
"""

from __future__ import annotations

from typing import Any

from console.lab.kube.kinds import Json, Kind
from console.lab.kube.store import clone

_KEYS = {
    "addresses": "type",
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
_VALUES = {"finalizers"}
"""Lists of words that are merged as sets."""


def merge_key(kind: Kind, name: str, items: list[Any]) -> str | None:
    """The field by which a list of objects merges; None if the list is replaced as a whole."""
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    if kind.custom and name != "ownerReferences":
        return None
    key = _KEYS.get(name)
    if name == "ports":
        key = "port" if kind.kind == "Service" else "containerPort" if "containerPort" in items[0] else None
    return key if key and all(key in item for item in items) else None


def is_set(name: str) -> bool:
    """Whether a list of words merges as a set."""
    return name in _VALUES


def merge(original: Any, patch: Any) -> Any:
    """A merge patch, RFC 7386."""
    if not isinstance(patch, dict):
        return clone(patch)
    found = dict(original) if isinstance(original, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merge(found.get(name), value)
    return found


def strategic(kind: Kind, original: Json, patch: Json) -> Json:
    """A strategic merge patch, with its directives."""
    if patch.get("$patch") == "replace":
        return clone({name: value for name, value in patch.items() if name != "$patch"})  # type: ignore[no-any-return]
    found = dict(original)
    for name, value in patch.items():
        if not name.startswith("$"):
            _merge_field(kind, found, name, value)
    for name, value in patch.items():
        directive, _, field = name.partition("/")
        if directive == "$deleteFromPrimitiveList":
            found[field] = [item for item in found.get(field) or [] if item not in value]
        elif directive == "$setElementOrder" and field in found:
            found[field] = _in_order(kind, field, found[field], value)
    if (kept := patch.get("$retainKeys")) is not None:
        found = {name: value for name, value in found.items() if name in kept}
    return found


def _merge_field(kind: Kind, found: Json, name: str, value: Any) -> None:
    if value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
        found.pop(name, None)
    elif isinstance(value, dict):
        old = found.get(name)
        found[name] = strategic(kind, old if isinstance(old, dict) else {}, value)
    elif isinstance(value, list):
        found[name] = _merge_list(kind, name, found.get(name) or [], value)
    else:
        found[name] = value


def _merge_list(kind: Kind, name: str, old: list[Any], patch: list[Any]) -> list[Any]:
    if {"$patch": "replace"} in patch:
        return clone([item for item in patch if item != {"$patch": "replace"}])  # type: ignore[no-any-return]
    if is_set(name):
        return [*old, *(item for item in patch if item not in old)]
    key = merge_key(kind, name, patch)
    if key is None:
        return clone(patch)  # type: ignore[no-any-return]
    found: dict[Any, Any] = {item.get(key): item for item in old if isinstance(item, dict)}
    for item in patch:
        if item.get("$patch") == "delete":
            found.pop(item[key], None)
        else:
            found[item[key]] = strategic(kind, found.get(item[key], {}), item)
    return list(found.values())


def _in_order(kind: Kind, name: str, items: list[Any], order: list[Any]) -> list[Any]:
    """Items that an order names, so ordered; others stay behind them."""
    key = merge_key(kind, name, items)
    if key is None:
        wanted = [item for item in order if item in items]
        return [*wanted, *(item for item in items if item not in wanted)]
    rank = {item.get(key): number for number, item in enumerate(order)}
    return sorted(items, key=lambda item: rank.get(item[key], len(rank)))
