"""ReplicaSets: as many pods as are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from console.lab.kube import ages
from console.lab.kube.deletion import How
from console.lab.kube.errors import ApiError
from console.lab.kube.kinds import Json
from console.lab.kube.store import Change, Stored, clone
from console.lab.platform import objects
from console.lab.platform.controller import Controller, Place, own, put_status
from console.lab.platform.kinds import POD, REPLICA_SET

NAME = "replicaset-controller"
TOLERATION_S = 15
_LOST = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_FAILED_FIRST_S, _FAILED_MOST_S = 1.0, 16.0


def available(pod: Json, since_s: int) -> bool:
    """Whether a pod has been ready for so long."""
    since = ages.parse(objects.condition(pod, "Ready").get("lastTransitionTime"))
    return objects.ready(pod) and since is not None and (datetime.now(UTC) - since).total_seconds() >= since_s


def _rank(pod: Json) -> tuple[Any, ...]:
    """Those that serve least go first, then the youngest."""
    spec, status = pod["spec"], pod["status"]
    phase = {"Pending": 0, "Unknown": 1}.get(status.get("phase", ""), 2)
    began = ages.parse(pod["metadata"]["creationTimestamp"])
    return bool(spec.get("nodeName")), phase, objects.ready(pod), -(began.timestamp() if began else 0)


class ReplicaSets(Controller):
    """Makes pods and deletes them."""

    kind = REPLICA_SET

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._pause: dict[Place, float] = {}

    def concerned(self, change: Change) -> Iterable[Place]:
        if change.key == POD.key:
            stored = change.new or change.old
            assert stored is not None
            owner = objects.controller_of(stored.data)
            return ((stored.place[0], owner["name"]),) if owner.get("kind") == "ReplicaSet" else ()
        return own(change, REPLICA_SET)

    def reconcile(self, stored: Stored) -> None:
        data, namespace = stored.data, stored.place[0]
        found = self.pods(stored)
        problem = "" if objects.leaving(data) else self._settle(stored, found)
        current = self.store.get(REPLICA_SET.key, *stored.place)
        if current is not None:
            self._tell(current, self.pods(current), problem)
        if problem:
            pause = min(self._pause.get(stored.place, _FAILED_FIRST_S / 2) * 2, _FAILED_MOST_S)
            self._pause[namespace, data["metadata"]["name"]] = pause
            self.again(stored.place, pause)
        else:
            self._pause.pop(stored.place, None)

    def pods(self, stored: Stored) -> list[Json]:
        """Its pods that count."""
        uid, namespace = stored.metadata["uid"], stored.place[0]
        found = [each.data for each in self.store.objects(POD.key, namespace)]
        return [pod for pod in found if objects.controller_of(pod).get("uid") == uid and objects.active(pod)]

    def _settle(self, stored: Stored, found: list[Json]) -> str:
        """Make or delete what is missing or too much; returns why it could not."""
        wanted = stored.data["spec"]["replicas"]
        for pod in sorted(found, key=_rank)[: max(len(found) - wanted, 0)]:
            name = pod["metadata"]["name"]
            self.cluster.deletions.delete(POD, stored.place[0], name, How())
            self.recorder.note(REPLICA_SET, stored.data, "SuccessfulDelete", f"Deleted pod: {name}", source=NAME)
        for _ in range(wanted - len(found)):
            try:
                made = self.api.create(POD, stored.place[0], _from_template(stored.data))
            except ApiError as error:
                text = f"Error creating: {error.message}"
                self.recorder.note(REPLICA_SET, stored.data, "FailedCreate", text, source=NAME, warning=True)
                return error.message
            text = f"Created pod: {made['metadata']['name']}"
            self.recorder.note(REPLICA_SET, stored.data, "SuccessfulCreate", text, source=NAME)
        return ""

    def _tell(self, stored: Stored, found: list[Json], problem: str) -> None:
        spec, old = stored.data["spec"], stored.data.get("status") or {}
        since_s = int(spec.get("minReadySeconds", 0))
        ready = [pod for pod in found if objects.ready(pod)]
        settled = [pod for pod in ready if available(pod, since_s)]
        if len(settled) < len(ready):
            self.again(stored.place, 1.0)
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        full = [pod for pod in found if labels.items() <= (pod["metadata"].get("labels") or {}).items()]
        status: Json = {"replicas": len(found), "fullyLabeledReplicas": len(full)}
        status |= {"readyReplicas": len(ready), "availableReplicas": len(settled)}
        status = {name: count for name, count in status.items() if count or name == "replicas"}
        status["observedGeneration"] = stored.metadata.get("generation", 1)
        listed = old.get("conditions") or []
        if problem:
            listed = objects.with_condition(listed, "ReplicaFailure", "True", "FailedCreate", problem)
        else:
            listed = objects.without_condition(listed, "ReplicaFailure")
        if listed:
            status["conditions"] = listed
        put_status(self.cluster, REPLICA_SET, stored, status)


def _from_template(data: Json) -> Json:
    """A pod of a ReplicaSet; it tolerates a lost node for a shorter time than Kubernetes' five minutes."""
    template = clone(data["spec"]["template"])
    metadata = template.get("metadata") or {}
    spec = template["spec"]
    tolerations = spec.setdefault("tolerations", [])
    for key in _LOST:
        if not any(each.get("key") in (key, None) for each in tolerations):
            lasts: Json = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_S}
            tolerations.append(lasts)
    made: Json = {name: metadata[name] for name in ("labels", "annotations") if metadata.get(name)}
    made |= {"generateName": f"{data['metadata']['name']}-"}
    made["ownerReferences"] = [objects.owner_reference(REPLICA_SET, data)]
    return {"metadata": made, "spec": spec}
