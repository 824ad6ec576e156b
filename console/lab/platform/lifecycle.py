"""What is done about nodes that no longer tell anything, or are in trouble: conditions, taints, evictions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from console.lab.kube import ages
from console.lab.kube.api import now
from console.lab.kube.cluster import Cluster
from console.lab.kube.kinds import Json
from console.lab.kube.store import Change, Stored, clone
from console.lab.platform import objects
from console.lab.platform.controller import Controller, Place, own, put_status
from console.lab.platform.events import Recorder
from console.lab.platform.kinds import LEASE, NODE, POD
from console.lab.platform.nodes import GRACE_S, LEASES
from console.lab.platform.scheduler import toleration

_UNREACHABLE, _NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
_PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
}
_SILENT = "Kubelet stopped posting node status."
_CONTROLLER = "node-controller"
_STOOD_STILL_S = 3.0


class Lifecycle(Controller):
    """Marks nodes that no longer tell, taints those in trouble, and evicts what does not tolerate it."""

    kind = NODE

    def __init__(self, cluster: Cluster, recorder: Recorder) -> None:
        super().__init__(cluster, recorder)
        self._looked = self._loop.time()
        self._awake_since = self._looked

    def concerned(self, change: Change) -> Iterable[Place]:
        if change.key == POD.key and change.new is not None and change.old is None:
            node = change.new.data["spec"].get("nodeName")
            return (("", node),) if node else ()
        return own(change, NODE)

    def reconcile(self, stored: Stored) -> None:
        self.again(stored.place, 1.0)
        self._mind_the_gap()
        lease = self.store.get(LEASE.key, LEASES, stored.place[1])
        renewed = ages.parse((lease.data.get("spec") or {}).get("renewTime")) if lease else None
        silent = renewed is None or (datetime.now(UTC) - renewed).total_seconds() > GRACE_S
        silent &= self._looked - self._awake_since > GRACE_S
        if silent:
            self._lost(stored)
        current = self.api.find(NODE, *stored.place)
        self._taint(current)
        self._evict(self.api.find(NODE, *stored.place))

    def _mind_the_gap(self) -> None:
        """After this process itself stood still, nodes get their grace anew: their silence was its own."""
        moment = self._loop.time()
        if moment - self._looked > _STOOD_STILL_S:
            self._awake_since = moment
        self._looked = moment

    def _lost(self, stored: Stored) -> None:
        if objects.condition(stored.data, "Ready").get("status") == "Unknown":
            return
        listed = objects.conditions(stored.data)
        for each in listed:
            listed = objects.with_condition(listed, each["type"], "Unknown", "NodeStatusUnknown", _SILENT)
        put_status(self.cluster, NODE, stored, {**stored.data["status"], "conditions": listed})
        name = stored.place[1]
        text = f"Node {name} status is now: NodeNotReady"
        self.recorder.note(NODE, stored.data, "NodeNotReady", text, source=_CONTROLLER)
        for pod in self._pods(name):
            if objects.ready(pod.data):
                told = objects.with_condition(objects.conditions(pod.data), "Ready", "False", "", "")
                put_status(self.cluster, POD, pod, {**pod.data["status"], "conditions": told})
                self.recorder.note(POD, pod.data, "NodeNotReady", "Node is not ready", source=_CONTROLLER, warning=True)

    def _pods(self, node: str) -> list[Stored]:
        found = self.store.objects(POD.key)
        return [each for each in found if each.data["spec"].get("nodeName") == node and objects.active(each.data)]

    def _taint(self, stored: Stored) -> None:
        ready = objects.condition(stored.data, "Ready").get("status")
        wanted: list[tuple[str, str]] = []
        for status, key in (("Unknown", _UNREACHABLE), ("False", _NOT_READY)):
            if ready == status:
                wanted += [(key, "NoSchedule"), (key, "NoExecute")]
        wanted += [(key, "NoSchedule") for name, key in _PRESSURES.items() if objects.holds(stored.data, name)]
        if stored.data["spec"].get("unschedulable"):
            wanted.append(("node.kubernetes.io/unschedulable", "NoSchedule"))
        managed = {_UNREACHABLE, _NOT_READY, "node.kubernetes.io/unschedulable", *_PRESSURES.values()}
        old: list[Json] = stored.data["spec"].get("taints") or []
        kept = [each for each in old if each["key"] not in managed or (each["key"], each["effect"]) in wanted]
        there = {(each["key"], each["effect"]) for each in kept}
        new = [
            {"key": key, "effect": effect, "timeAdded": now()} for key, effect in wanted if (key, effect) not in there
        ]
        if new or kept != old:
            data = clone(stored.data)
            data["spec"]["taints"] = [*kept, *new]
            if not data["spec"]["taints"]:
                del data["spec"]["taints"]
            self.api.replace(NODE, *stored.place, data)

    def _evict(self, stored: Stored) -> None:
        taints = [each for each in stored.data["spec"].get("taints") or [] if each["effect"] == "NoExecute"]
        for pod in self._pods(stored.place[1]) if taints else ():
            waits = [_left_s(pod.data, taint) for taint in taints]
            if any(left is not None and left <= 0 for left in waits):
                text = f"Marking for deletion Pod {'/'.join(pod.place)}"
                self.recorder.note(POD, pod.data, "TaintManagerEviction", text, source="taint-eviction-controller")
                self.cluster.deletions.delete(POD, *pod.place)


def _left_s(pod: Json, taint: Json) -> float | None:
    """How long a pod still tolerates a taint; None: for ever."""
    found = toleration(pod, taint)
    if found is None:
        return 0.0
    if "tolerationSeconds" not in found:
        return None
    since = ages.parse(taint.get("timeAdded"))
    age = (datetime.now(UTC) - since).total_seconds() if since else 0.0
    return float(found["tolerationSeconds"]) - age
