"""Who owns which fields: ``managedFields``, read, changed and written.

A set of fields is a set of paths, whose steps are spelled as ``fieldsV1`` spells them: ``f:name`` for a field, ``k:{…}`` for
an item of a list that merges by key, ``v:…`` for one of a list that is a set.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from console.lab.kube.kinds import Json, Kind
from console.lab.kube.merging import is_set, merge_key

Path = tuple[str, ...]
Paths = frozenset[Path]

_OWN = {
    ("f:apiVersion",),
    ("f:kind",),
    *(
        ("f:metadata", f"f:{name}")
        for name in (
            *("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"),
            *("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"),
        )
    ),
}
"""Fields that nobody manages."""


class Manager(NamedTuple):
    """By whom and how fields were set."""

    name: str
    operation: str
    subresource: str
    api_version: str


class Entry(NamedTuple):
    """One manager's fields, and when it last changed them."""

    paths: Paths
    time: str


Managers = dict[Manager, Entry]


def _item_step(key: str, item: Json) -> str:
    return "k:" + json.dumps({key: item[key]}, separators=(",", ":"))


def paths(kind: Kind, data: Json) -> Paths:
    """All fields of an object that somebody may own."""
    return frozenset(path for path in _walk(kind, data, "", ()) if path[:1] not in _OWN and path[:2] not in _OWN)


def _walk(kind: Kind, value: Any, name: str, prefix: Path) -> Iterator[Path]:
    if isinstance(value, dict) and value:
        for field, item in value.items():
            yield from _walk(kind, item, field, (*prefix, f"f:{field}"))
    elif isinstance(value, list) and (key := merge_key(kind, name, value)):
        for item in value:
            step = (*prefix, _item_step(key, item))
            yield step
            yield from _walk(kind, item, "", step)
    elif isinstance(value, list) and is_set(name):
        yield from ((*prefix, "v:" + json.dumps(item)) for item in value)
    else:
        yield prefix


_MISSING = object()


def value_at(data: Any, path: Path) -> Any:
    """What is at a path; a mark of its own if nothing is."""
    for step in path:
        data = _down(data, step)
    return data


def _down(data: Any, step: str) -> Any:
    if step.startswith("f:"):
        return data.get(step[2:], _MISSING) if isinstance(data, dict) else _MISSING
    if not isinstance(data, list):
        return _MISSING
    wanted = json.loads(step[2:])
    if step.startswith("v:"):
        return wanted if wanted in data else _MISSING
    return next((item for item in data if isinstance(item, dict) and wanted.items() <= item.items()), _MISSING)


def without(data: Json, path: Path) -> None:
    """Take a field, or an item, out of an object."""
    parent, last = value_at(data, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent.pop(last[2:], None)
    elif isinstance(parent, list) and (found := _down(parent, last)) is not _MISSING:
        parent.remove(found)


def read(metadata: Json) -> Managers:
    """An object's ``managedFields``."""
    found: Managers = {}
    for entry in metadata.get("managedFields") or []:
        manager = Manager(
            entry.get("manager", ""),
            entry.get("operation", ""),
            entry.get("subresource", ""),
            entry.get("apiVersion", ""),
        )
        found[manager] = Entry(frozenset(_unfold(entry.get("fieldsV1") or {}, ())), entry.get("time", ""))
    return found


def _unfold(tree: Json, prefix: Path) -> Iterator[Path]:
    for step, below in tree.items():
        if step == ".":
            yield prefix
        elif below:
            yield from _unfold(below, (*prefix, step))
        else:
            yield (*prefix, step)


def write(managers: Managers) -> list[Json]:
    """``managedFields`` of these, without those that own nothing."""
    found: list[Json] = []
    for manager, entry in managers.items():
        if not entry.paths:
            continue
        item: Json = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.api_version,
            "time": entry.time,
        }
        item |= {"fieldsType": "FieldsV1", "fieldsV1": _fold(entry.paths)}
        found.append({**item, "subresource": manager.subresource} if manager.subresource else item)
    return found


def _fold(found: Paths) -> Json:
    tree: Json = {}
    for path in sorted(found):
        place = tree
        for step in path:
            place = place.setdefault(step, {})
    for path in found:
        place = value_at_tree(tree, path)
        if place:
            place["."] = {}
    return tree


def value_at_tree(tree: Json, path: Path) -> Json:
    """The branch of a folded set at a path."""
    for step in path:
        tree = tree[step]
    return tree


def updated(kind: Kind, managers: Managers, by: Manager, old: Json, new: Json, now: str) -> Managers:
    """Managers after somebody changed an object without applying: what changed is now theirs."""
    there = paths(kind, new)
    changed = frozenset(path for path in there if value_at(old, path) != value_at(new, path))
    found = {manager: Entry((entry.paths & there) - changed, entry.time) for manager, entry in managers.items()}
    if changed:
        mine = found.get(by)
        found[by] = Entry(changed | (mine.paths if mine else frozenset()), now)
    return found
