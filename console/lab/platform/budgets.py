"""PodDisruptionBudgets: how many pods may be asked away now."""

from __future__ import annotations

from collections.abc import Iterable

from console.lab.kube.kinds import Json
from console.lab.kube.selectors import matches
from console.lab.kube.store import Change, Stored
from console.lab.platform import objects
from console.lab.platform.controller import Controller, Place, own, put_status
from console.lab.platform.kinds import BUDGET, POD, REPLICA_SET

_TOLD = {
    True: ("True", "SufficientPods", ""),
    False: ("False", "InsufficientPods", ""),
}


def needed(spec: Json, expected: int) -> int:
    """How many of the pods expected must stay healthy."""
    if "maxUnavailable" in spec:
        return max(expected - objects.rounded(spec["maxUnavailable"], expected, up=True), 0)
    return objects.rounded(spec.get("minAvailable", 1), expected, up=True)


class Budgets(Controller):
    """Counts."""

    kind = BUDGET

    def concerned(self, change: Change) -> Iterable[Place]:
        if change.key in (POD.key, REPLICA_SET.key):
            stored = change.new or change.old
            assert stored is not None
            return [each.place for each in self.store.objects(BUDGET.key, stored.place[0])]
        return own(change, BUDGET)

    def reconcile(self, stored: Stored) -> None:
        spec, namespace = stored.data["spec"], stored.place[0]
        found = [each.data for each in self.store.objects(POD.key, namespace)]
        pods = [
            pod
            for pod in found
            if matches(spec.get("selector"), pod["metadata"].get("labels") or {}) and not objects.done(pod)
        ]
        expected = self._expected(spec, namespace, pods)
        healthy = sum(objects.ready(pod) and not objects.leaving(pod) for pod in pods)
        least = needed(spec, expected)
        allowed = max(healthy - least, 0) if expected else 0
        listed = objects.conditions(stored.data)
        more = {"observedGeneration": stored.metadata.get("generation", 1)}
        status: Json = {
            "currentHealthy": healthy,
            "desiredHealthy": least,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "conditions": objects.with_condition(listed, "DisruptionAllowed", *_TOLD[allowed > 0]),
        }
        put_status(self.cluster, BUDGET, stored, status | more)

    def _expected(self, spec: Json, namespace: str, pods: list[Json]) -> int:
        """Pods there should be: with a plain number those there are, else what their owners want."""
        if isinstance(spec.get("minAvailable"), int) and "maxUnavailable" not in spec:
            return len(pods)
        total, owners = 0, set()
        for pod in pods:
            owner = objects.controller_of(pod)
            parent = self.store.get(REPLICA_SET.key, namespace, owner.get("name", ""))
            if parent is None:
                total += 1
            elif parent.place not in owners:
                owners.add(parent.place)
                total += parent.data["spec"]["replicas"]
        return total
