"""What a Deployment says of itself: whether enough of it is available, whether it progresses, why its pods are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from console.lab.kube import ages
from console.lab.kube.api import now
from console.lab.kube.kinds import Json
from console.lab.kube.store import Stored
from console.lab.platform import objects, rollout


class Told(NamedTuple):
    """Conditions, and after how many seconds to look again; None: when something changes."""

    listed: list[Json]
    again_s: float | None = None


class _Verdict(NamedTuple):
    status: str
    reason: str
    message: str


def conditions(stored: Stored, new: Stored | None, sets: list[Stored], status: Json, note: str) -> Told:
    """The conditions of a Deployment.

    ``new``: the ReplicaSet of its template; ``sets``: all of them; ``status``: its counts now; ``note``: what has just been
    done, as a reason of the condition Progressing, or "".
    """
    return _progress(stored, new, status, _failure(stored, sets, _available(stored, status)), note)


def _available(stored: Stored, status: Json) -> list[Json]:
    spec, listed = stored.data["spec"], objects.conditions(stored.data)
    least = spec["replicas"] - (rollout.limits(spec).unavailable if rollout.rolls(stored.data) else 0)
    if status.get("availableReplicas", 0) >= least:
        told = _Verdict("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        told = _Verdict("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    if objects.condition(stored.data, "Available").get("status") == told.status:
        return listed
    return objects.with_condition(listed, "Available", *told, lastUpdateTime=now())


def _failure(stored: Stored, sets: list[Stored], listed: list[Json]) -> list[Json]:
    found = next((each for each in (objects.condition(one.data, "ReplicaFailure") for one in sets) if each), None)
    if found is None:
        return objects.without_condition(listed, "ReplicaFailure")
    told = _Verdict("True", found["reason"], found["message"])
    if _says(stored, "ReplicaFailure", told):
        return listed
    return objects.with_condition(listed, "ReplicaFailure", *told, lastUpdateTime=now())


def _says(stored: Stored, name: str, told: _Verdict) -> bool:
    old = objects.condition(stored.data, name)
    return (old.get("status"), old.get("reason"), old.get("message")) == told


def _progress(stored: Stored, new: Stored | None, status: Json, listed: list[Json], note: str) -> Told:
    old, was = objects.condition(stored.data, "Progressing"), stored.data.get("status") or {}
    if stored.data["spec"].get("paused"):
        told, again_s = _Verdict("Unknown", "DeploymentPaused", "Deployment is paused"), None
    elif old.get("reason") == "DeploymentPaused":
        told, again_s = _Verdict("Unknown", "DeploymentResumed", "Deployment is resumed"), 0.0
    elif new is None:
        return Told(listed)
    else:
        found = _judged(stored, new.place[1], status, note)
        if found is None:
            return _overdue(stored, listed, new.place[1])
        told, again_s = found, _deadline_s(stored) + 0.5
    settled = told.status == "Unknown" or told.reason == "NewReplicaSetAvailable" or not _moved(was, status)
    if _says(stored, "Progressing", told) and settled:
        return Told(listed)
    return Told(objects.with_condition(listed, "Progressing", *told, lastUpdateTime=now()), again_s)


def _judged(stored: Stored, name: str, status: Json, note: str) -> _Verdict | None:
    """How far a rollout is; None if it has not moved since it was last judged."""
    old, was = objects.condition(stored.data, "Progressing"), stored.data.get("status") or {}
    counts = [status.get(key, 0) for key in ("updatedReplicas", "replicas", "availableReplicas")]
    finished = _Verdict("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    if counts == [stored.data["spec"]["replicas"]] * 3:
        return finished
    if note == "NewReplicaSetCreated":
        return _Verdict("True", note, f'Created new replica set "{name}"')
    if note:
        return _Verdict("True", note, f'Found new replica set "{name}"')
    if old.get("reason") == finished.reason and old.get("message") == finished.message:
        return finished  # a pod lost after a finished rollout is no rollout
    if _moved(was, status) or not old:
        return _Verdict("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    return None


def _overdue(stored: Stored, listed: list[Json], name: str) -> Told:
    """Say so when nothing has moved for longer than it may."""
    old = objects.condition(stored.data, "Progressing")
    since = ages.parse(old.get("lastUpdateTime"))
    left = _deadline_s(stored) - (datetime.now(UTC) - since).total_seconds() if since else 0.0
    if old.get("status") == "False":
        return Told(listed)
    if left > 0:
        return Told(listed, left + 0.5)
    told = _Verdict("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    return Told(objects.with_condition(listed, "Progressing", *told, lastUpdateTime=now()))


def _moved(was: Json, status: Json) -> bool:
    """Whether a rollout has come further."""
    more = ("updatedReplicas", "readyReplicas", "availableReplicas")
    older = [each.get("replicas", 0) - each.get("updatedReplicas", 0) for each in (was, status)]
    return any(status.get(name, 0) > was.get(name, 0) for name in more) or older[1] < older[0]


def _deadline_s(stored: Stored) -> float:
    return float(stored.data["spec"].get("progressDeadlineSeconds", 600))
