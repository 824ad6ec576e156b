"""What controllers ask of objects: conditions, owners, whether a pod counts."""

from __future__ import annotations

from decimal import Decimal

from console.lab.kube import quantity
from console.lab.kube.api import now
from console.lab.kube.kinds import Json, Kind

NEVER = "1970-01-01T00:00:00Z"


def conditions(data: Json) -> list[Json]:
    """Of an object's status."""
    found: list[Json] = (data.get("status") or {}).get("conditions") or []
    return found


def condition(data: Json, name: str) -> Json:
    """One of them; empty without it."""
    return next((each for each in conditions(data) if each["type"] == name), {})


def holds(data: Json, name: str) -> bool:
    """Whether a condition is True."""
    return condition(data, name).get("status") == "True"


def with_condition(listed: list[Json], name: str, status: str, reason: str, message: str, **more: str) -> list[Json]:
    """Conditions with one of them set; when it turned is kept unless it turns now."""
    old = next((each for each in listed if each["type"] == name), {})
    turned = old.get("lastTransitionTime", NEVER) if old.get("status") == status else now()
    new = {"type": name, "status": status, "lastTransitionTime": turned}
    new |= {key: value for key, value in {"reason": reason, "message": message, **more}.items() if value}
    if not old:
        return [*listed, new]
    return [new if each is old else each for each in listed]


def without_condition(listed: list[Json], name: str) -> list[Json]:
    """Conditions without one of them."""
    return [each for each in listed if each["type"] != name]


def owner_reference(kind: Kind, data: Json) -> Json:
    """By which an object names the one that controls it."""
    metadata = data["metadata"]
    found: Json = {"apiVersion": kind.api_version, "kind": kind.kind, "name": metadata["name"], "uid": metadata["uid"]}
    return {**found, "controller": True, "blockOwnerDeletion": True}


def controller_of(data: Json) -> Json:
    """The reference to what controls an object; empty without."""
    owners = data["metadata"].get("ownerReferences") or []
    return next((each for each in owners if each.get("controller")), {})


def leaving(data: Json) -> bool:
    """Whether it is being deleted."""
    return "deletionTimestamp" in data["metadata"]


def done(pod: Json) -> bool:
    """Whether a pod has run to its end."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def active(pod: Json) -> bool:
    """Whether a pod counts as one that its owner wanted."""
    return not done(pod) and not leaving(pod)


def ready(pod: Json) -> bool:
    """Whether a pod serves."""
    return holds(pod, "Ready")


def requested(pod: Json, resource: str) -> Decimal:
    """What a pod's containers request of ``cpu`` (cores) or ``memory`` (bytes)."""
    found = [
        ((each.get("resources") or {}).get("requests") or {}).get(resource, 0) for each in pod["spec"]["containers"]
    ]
    return sum((quantity.parse(each) for each in found), Decimal())


def rounded(value: str | int | None, total: int, *, up: bool) -> int:
    """A number that may be a percentage of a total."""
    if not isinstance(value, str):
        return int(value or 0)
    share = int(value.rstrip("%")) * total
    return -(-share // 100) if up else share // 100
