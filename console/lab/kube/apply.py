"""Server-side apply: what one manager declares, merged with what others own."""

from __future__ import annotations

from console.lab.kube import fieldsets
from console.lab.kube.errors import ApiError, Json
from console.lab.kube.fieldsets import Entry, Manager, Managers, Path, Paths
from console.lab.kube.kinds import Kind
from console.lab.kube.merging import strategic
from console.lab.kube.store import clone


def _dotted(path: Path) -> str:
    """A path as messages show it: ``.spec.containers[name="a"].image``."""
    return "".join(
        f".{step[2:]}"
        if step.startswith("f:")
        else f"[{step[2:].strip('{}').replace(':', '=', 1).replace(chr(34), '', 2)}]"
        for step in path
    )


def _conflicts(live: Json, config: Json, wanted: Paths, others: Managers) -> list[tuple[Manager, Path]]:
    def differs(path: Path) -> bool:
        return path[-1].startswith("f:") and fieldsets.value_at(live, path) != fieldsets.value_at(config, path)

    return [
        (manager, path) for manager, entry in others.items() for path in sorted(wanted & entry.paths) if differs(path)
    ]


def _refusal(found: list[tuple[Manager, Path]]) -> ApiError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager.name}" using {manager.api_version}',
            "field": _dotted(path),
        }
        for manager, path in found
    ]
    listed = "\n".join(f"- {cause['field']}" for cause in causes)
    if len(causes) == 1:
        message = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        message = f"Apply failed with {len(causes)} conflicts: conflicts with {', '.join(sorted({repr(m.name)[1:-1] for m, _ in found}))}:\n{listed}"
    return ApiError(409, "Conflict", message, {"causes": causes})


def applied(kind: Kind, live: Json, config: Json, by: Manager, force: bool, now: str) -> Json:
    """The object after a manager applied a configuration to it.

    Raises:
        ApiError: 409: others own fields that the configuration wants different, and it is not forced.
    """
    managers = fieldsets.read(live["metadata"])
    before = managers.pop(by, Entry(frozenset(), now))
    wanted = fieldsets.paths(kind, config)
    conflicts = _conflicts(live, config, wanted, managers)
    if conflicts and not force:
        raise _refusal(conflicts)
    taken = frozenset(path for _manager, path in conflicts)
    managers = {manager: Entry(entry.paths - taken, entry.time) for manager, entry in managers.items()}
    declared = {name: value for name, value in config.items() if name not in ("apiVersion", "kind")}
    declared["metadata"] = {
        name: value
        for name, value in (config.get("metadata") or {}).items()
        if name not in ("managedFields", "creationTimestamp")
    }
    found = strategic(kind, clone(live), declared)
    owned = frozenset[Path]().union(*(entry.paths for entry in managers.values())) | wanted
    for path in sorted(before.paths - owned, key=len, reverse=True):
        if not any(other[: len(path)] == path for other in owned):
            fieldsets.without(found, path)
    unchanged = before.paths == wanted and found == live
    managers[by] = Entry(wanted, before.time if unchanged else now)
    found["metadata"]["managedFields"] = fieldsets.write(managers)
    return found
