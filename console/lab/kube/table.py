"""Tables: what ``kubectl get`` asks for instead of objects."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from console.lab.kube import ages
from console.lab.kube.columns import PLAIN, PRINTED, Printed
from console.lab.kube.kinds import Column, Json, Kind
from console.lab.kube.store import Stored

_STEP = re.compile(r"\.?([\w\-/\0]+)|\[\?\(@\.(\w+)==['\"]([^'\"]*)['\"]\)\]|\[(\d+)\]|\['([^']+)'\]")


def at_path(data: Any, path: str) -> Any:
    """What a JSON path of a printer column finds; None if nothing."""
    for name, field, value, index, quoted in _STEP.findall(path.replace("\\.", "\0")):
        key = (name or quoted).replace("\0", ".")
        if key:
            data = data.get(key) if isinstance(data, dict) else None
        elif field:
            data = next((item for item in data or [] if isinstance(item, dict) and str(item.get(field)) == value), None)
        elif isinstance(data, list):
            data = data[int(index)] if int(index) < len(data) else None
    return data


def _definition(name: str, kind: str, priority: int, first: bool) -> Json:
    return {"name": name, "type": kind, "format": "name" if first else "", "description": "", "priority": priority}


def _built_in(printed: Printed) -> list[Json]:
    """Column definitions: ``|`` begins those for ``-o wide``, ``;`` ends them."""
    found: list[Json] = []
    wide = 0
    for part in re.split(r"(\s[|;]\s|,\s*)", printed.columns):
        if part.strip() in ("|", ";"):
            wide = int(part.strip() == "|")
        elif part.strip(" ,"):
            name, _, kind = part.strip().partition(":")
            found.append(_definition(name, kind or "string", wide, first=name == "Name"))
    return found


def _custom_cell(data: Json, column: Column) -> Any:
    found = at_path(data, column.path)
    if column.type == "date":
        return ages.age(found) if found else None
    return found if found is None or column.type != "string" else str(found)


def _columns(kind: Kind) -> tuple[list[Json], Any]:
    if not kind.custom:
        printed = PRINTED.get(kind.kind, PLAIN)
        return _built_in(printed), printed.cells
    columns = kind.columns or (Column("Age", ".metadata.creationTimestamp", "date"),)
    definitions = [
        _definition("Name", "string", 0, first=True),
        *(_definition(c.name, c.type, c.priority, False) for c in columns),
    ]
    return definitions, lambda data: [data["metadata"]["name"], *(_custom_cell(data, column) for column in columns)]


def partial(stored: Stored) -> Json:
    """An object's metadata, as an object of its own."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": stored.metadata}


def table(kind: Kind, items: list[Stored], metadata: Json, include: str) -> Json:
    """Objects as a Table; ``include`` says what of each goes with its row: Metadata, Object or None."""
    definitions, cells = _columns(kind)
    rows: list[Json] = []
    for stored in items:
        row: Json = {"cells": cells(stored.data)}
        if include == "Object":
            row["object"] = stored.raw
        elif include != "None":
            row["object"] = partial(stored)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def row(kind: Kind, stored: Stored, include: str) -> msgspec.Raw:
    """One object as a Table, for a watch."""
    metadata = {"resourceVersion": stored.metadata["resourceVersion"]}
    return msgspec.Raw(msgspec.json.encode(table(kind, [stored], metadata, include)))
