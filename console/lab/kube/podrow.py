"""A pod's row: ready, status and restarts, worked out as a real server does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from console.lab.kube import ages
from console.lab.kube.kinds import Json


def _ended(state: Json) -> str:
    """Why a container ended."""
    if state.get("reason"):
        return str(state["reason"])
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"


def _initializing(status: Json, count: int) -> str | None:
    """What the first container that initialises and has not yet done so is at."""
    for number, each in enumerate(status.get("initContainerStatuses") or []):
        state = each.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if terminated is not None and terminated.get("exitCode") == 0:
            continue
        if terminated is not None:
            return f"Init:{_ended(terminated)}"
        reason = waiting.get("reason")
        return f"Init:{reason}" if reason and reason != "PodInitializing" else f"Init:{number}/{count}"
    return None


def _running(status: Json, reason: str) -> str:
    """What the containers say; the first of them that says something wins."""
    runs = False
    for each in reversed(status.get("containerStatuses") or []):
        state = each.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif state.get("terminated") is not None:
            reason = _ended(state["terminated"])
        elif each.get("ready") and state.get("running") is not None:
            runs = True
    if reason == "Completed" and runs:
        ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or [])
        return "Running" if ready else "NotReady"
    return reason


def status_of(data: Json) -> str:
    """The word in the column Status."""
    status: Json = data.get("status") or {}
    reason = str(status.get("reason") or status.get("phase") or "")
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    initializing = _initializing(status, len(data["spec"].get("initContainers") or []))
    reason = initializing or _running(status, reason)
    if "deletionTimestamp" in data["metadata"]:
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason


def _restarts(status: Json) -> str:
    found = status.get("containerStatuses") or []
    count = sum(each.get("restartCount", 0) for each in found)
    ends = [ages.parse(((each.get("lastState") or {}).get("terminated") or {}).get("finishedAt")) for each in found]
    last = max((end for end in ends if end is not None), default=None)
    if not count or last is None:
        return str(count)
    return f"{count} ({ages.duration(int((datetime.now(UTC) - last).total_seconds()))} ago)"


def cells(data: Json) -> list[Any]:
    """All cells of a pod."""
    spec, status = data["spec"], data.get("status") or {}
    ready = sum(bool(each.get("ready")) for each in status.get("containerStatuses") or [])
    gates = [gate["conditionType"] for gate in spec.get("readinessGates") or []]
    passed = sum(c.get("status") == "True" for c in status.get("conditions") or [] if c.get("type") in gates)
    return [
        data["metadata"]["name"],
        f"{ready}/{len(spec['containers'])}",
        status_of(data),
        _restarts(status),
        ages.age(data["metadata"]["creationTimestamp"]),
        status.get("podIP") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        f"{passed}/{len(gates)}" if gates else "<none>",
    ]
