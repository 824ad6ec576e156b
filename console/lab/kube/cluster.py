"""A cluster: the store and everything that works on it, without the wire."""

from __future__ import annotations

from console.lab.kube import builtin, rbac
from console.lab.kube.api import Api
from console.lab.kube.builtin import BUILTIN, METRICS
from console.lab.kube.custom import CUSTOM, definition
from console.lab.kube.deletion import Deletions
from console.lab.kube.errors import ApiError
from console.lab.kube.housekeeping import Definitions, Namespaces, Quotas
from console.lab.kube.kinds import Json, Registry
from console.lab.kube.providers import Logs, Metrics
from console.lab.kube.rbac import Authorizer, Tokens
from console.lab.kube.selectors import matches
from console.lab.kube.store import Store, clone

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


class Cluster:
    """What the server serves and controllers work on.

    Attributes:
        logs: Where pods' logs come from; without it, asking for one is an error.
        metrics: Where metrics come from; without it, there is no metrics API.
    """

    def __init__(self) -> None:
        self.store = Store()
        self.registry = Registry(BUILTIN)
        self.api = Api(self.store, self.registry)
        self.deletions = Deletions(self.api)
        self.tokens = Tokens()
        self.authorizer = Authorizer(self.store)
        self.logs: Logs | None = None
        self._metrics: Metrics | None = None
        Namespaces(self.api, self.deletions)
        Quotas(self.api)
        Definitions(self.api)
        self._begin()

    def _begin(self) -> None:
        """What every cluster starts with."""
        for name in NAMESPACES:
            self.api.create(builtin.NAMESPACE, "", {"metadata": {"name": name}})
        for kind in CUSTOM:
            self.api.create(builtin.DEFINITION, "", definition(kind))
        for name, rules in rbac.ROLES.items():
            self.api.create(builtin.CLUSTER_ROLE, "", {"metadata": {"name": name}, "rules": clone(rules)})
        for name, groups in rbac.BINDINGS.items():
            subjects = [{"kind": "Group", "name": group} for group in groups]
            role = {"kind": "ClusterRole", "name": name}
            self.api.create(
                builtin.CLUSTER_ROLE_BINDING, "", {"metadata": {"name": name}, "roleRef": role, "subjects": subjects}
            )

    @property
    def metrics(self) -> Metrics | None:
        return self._metrics

    @metrics.setter
    def metrics(self, provider: Metrics | None) -> None:
        self._metrics = provider
        for kind in METRICS:
            if provider is None:
                self.registry.remove(kind)
            else:
                self.registry.add(kind)

    def evict(self, namespace: str, name: str) -> None:
        """Delete a pod, unless a disruption budget forbids it now.

        Raises:
            ApiError: 404, or 429.
        """
        pod = self.api.find(builtin.POD, namespace, name)
        labels = pod.metadata.get("labels") or {}
        for budget in self.store.objects(builtin.BUDGET.key, namespace):
            if not matches((budget.data.get("spec") or {}).get("selector"), labels):
                continue
            status: Json = budget.data.get("status") or {}
            allowed = status.get("disruptionsAllowed", 0)
            if allowed <= 0:
                raise _budget_spent(budget.metadata["name"], status)
            data = clone(budget.data)
            data["status"] = {**status, "disruptionsAllowed": allowed - 1}
            self.store.put(builtin.BUDGET.key, data)
        self.deletions.delete(builtin.POD, namespace, name)


def _budget_spent(name: str, status: Json) -> ApiError:
    counts = f"needs {status.get('desiredHealthy', 0)} healthy pods and has {status.get('currentHealthy', 0)} currently"
    cause = {"reason": "DisruptionBudget", "message": f"The disruption budget {name} {counts}"}
    why = "Cannot evict pod as it would violate the pod's disruption budget."
    return ApiError(429, "TooManyRequests", why, {"causes": [cause]})
