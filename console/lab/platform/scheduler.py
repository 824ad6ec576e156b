"""The scheduler: gives a pod a node that has room for it, that it tolerates and that spreads it over zones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from console.lab.kube import quantity
from console.lab.kube.kinds import Json
from console.lab.kube.store import Change, Stored, clone
from console.lab.platform import objects
from console.lab.platform.controller import Controller, Place, put_status
from console.lab.platform.kinds import NODE, POD

NAME = "default-scheduler"
ZONE = "topology.kubernetes.io/zone"
_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_REPEAT_S = 60.0
_ROOM = ("cpu", "memory")


def tolerates(pod: Json, taint: Json) -> bool:
    """Whether a pod tolerates a taint, for however long."""
    return toleration(pod, taint) is not None


def toleration(pod: Json, taint: Json) -> Json | None:
    """The toleration by which it does."""
    for each in pod["spec"].get("tolerations") or []:
        if each.get("effect") not in (None, "", taint["effect"]):
            continue
        same = each.get("value") in (None, "", taint.get("value")) or each.get("operator") == "Exists"
        if each.get("key") in (None, "") or (each["key"] == taint["key"] and same):
            found: Json = each
            return found
    return None


class Room(NamedTuple):
    """What is left on a node, and who of a pod's siblings is there."""

    node: Json
    free: dict[str, Decimal]
    pods: int
    siblings: int
    ports: set[int]

    @property
    def zone(self) -> str:
        return str((self.node["metadata"].get("labels") or {}).get(ZONE, ""))


def _host_ports(pod: Json) -> set[int]:
    if not pod["spec"].get("hostNetwork"):
        return set()
    return {port["containerPort"] for each in pod["spec"]["containers"] for port in each.get("ports") or []}


def _family(pod: Json) -> str:
    return str(objects.controller_of(pod).get("uid") or pod["metadata"]["uid"])


def room(node: Json, pods: list[Json], pod: Json) -> Room:
    """What a node has left beside the pods that are on it."""
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    free = {
        name: quantity.parse(allocatable.get(name, 0))
        - sum((objects.requested(each, name) for each in pods), Decimal())
        for name in _ROOM
    }
    siblings = sum(_family(each) == _family(pod) for each in pods)
    ports = {port for each in pods for port in _host_ports(each)}
    return Room(node, free, int(allocatable.get("pods", 0)) - len(pods), siblings, ports)


def obstacle(pod: Json, there: Room) -> str:
    """Why a pod cannot go to a node, as a real scheduler words it; "" if it can."""
    spec = there.node.get("spec") or {}
    if spec.get("unschedulable") and not tolerates(pod, _UNSCHEDULABLE):
        return "node(s) were unschedulable"
    for taint in spec.get("taints") or []:
        bars = taint["effect"] in ("NoSchedule", "NoExecute") and taint["key"] != _UNSCHEDULABLE["key"]
        if bars and not tolerates(pod, taint):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    labels = there.node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (pod["spec"].get("nodeSelector") or {}).items()):
        return "node(s) didn't match Pod's node affinity/selector"
    if there.ports & _host_ports(pod):
        return "node(s) didn't have free ports for the requested pod ports"
    if there.pods < 1:
        return "Too many pods"
    short = [name for name in _ROOM if objects.requested(pod, name) > max(there.free[name], Decimal())]
    return f"Insufficient {short[0]}" if short else ""


def choose(pod: Json, rooms: list[Room]) -> Room | None:
    """Of the nodes that can take a pod the one where its zone, then the node, has fewest siblings, then most room."""
    zones = Counter[str]()
    for each in rooms:
        zones[each.zone] += each.siblings
    fit = [each for each in rooms if not obstacle(pod, each)]
    if not fit:
        return None
    return min(fit, key=lambda each: (zones[each.zone], each.siblings, -each.free["cpu"], -each.free["memory"]))


def verdict(pod: Json, rooms: list[Room]) -> str:
    """Why no node can take a pod."""
    if not rooms:
        return "no nodes available to schedule pods"
    counts = Counter(obstacle(pod, each) for each in rooms)
    why = ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
    return f"0/{len(rooms)} nodes are available: {why}."


class Scheduler(Controller):
    """Looks at pods that have no node; at all of them again when a node or another pod changes."""

    kind = POD

    def concerned(self, change: Change) -> Iterable[Place]:
        if change.key == POD.key and change.new is not None:
            if _waits(change.new.data):
                return (change.new.place,)
            if change.old is not None and not objects.leaving(change.new.data) and not objects.done(change.new.data):
                return ()  # nothing has become free
        elif change.key != NODE.key and not (change.key == POD.key and change.new is None):
            return ()
        return [stored.place for stored in self.store.objects(POD.key) if _waits(stored.data)]

    def reconcile(self, stored: Stored) -> None:
        pod = stored.data
        if not _waits(pod):
            return
        rooms = self._rooms(pod)
        chosen = choose(pod, rooms)
        if chosen is None:
            self._refuse(stored, verdict(pod, rooms))
            return
        data = clone(pod)
        data["spec"]["nodeName"] = name = chosen.node["metadata"]["name"]
        listed = objects.conditions(data)
        data["status"]["conditions"] = objects.with_condition(listed, "PodScheduled", "True", "", "")
        self.store.put(POD.key, data)
        text = f"Successfully assigned {'/'.join(stored.place)} to {name}"
        self.recorder.note(POD, pod, "Scheduled", text, source=NAME)

    def _rooms(self, pod: Json) -> list[Room]:
        on: dict[str, list[Json]] = {}
        for stored in self.store.objects(POD.key):
            node = stored.data["spec"].get("nodeName")
            if node and not objects.done(stored.data):
                on.setdefault(node, []).append(stored.data)
        nodes = [stored.data for stored in self.store.objects(NODE.key)]
        return [room(node, on.get(node["metadata"]["name"], []), pod) for node in nodes]

    def _refuse(self, stored: Stored, why: str) -> None:
        old = objects.condition(stored.data, "PodScheduled")
        listed = objects.conditions(stored.data)
        status = {
            **stored.data["status"],
            "conditions": objects.with_condition(listed, "PodScheduled", "False", "Unschedulable", why),
        }
        self.again(stored.place, _REPEAT_S)
        if old.get("message") != why:
            put_status(self.cluster, POD, stored, status)
        self.recorder.note(POD, stored.data, "FailedScheduling", why, source=NAME, warning=True)


def _waits(pod: Json) -> bool:
    return not pod["spec"].get("nodeName") and objects.active(pod) and pod["spec"].get("schedulerName") == NAME
