"""What a request for a log or a description means in Kubernetes; see ``console.readings.reply`` for how targets are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from console.clients import kubernetes_kinds as kinds
from console.clients import kubernetes_optional as optional
from console.clients.kubernetes_kinds import Kind

_ROWS: dict[str, Kind] = {
    "kubernetes.nodes": kinds.NODES,
    "kubernetes.pods": kinds.PODS,
    "kubernetes.scalers": kinds.SCALERS,
    "kubernetes.quotas": kinds.QUOTAS,
    "kubernetes.budgets": kinds.BUDGETS,
}
"""Topics whose rows are objects of one kind, keyed by namespace and name."""
_PLURALS: dict[str, dict[str, Kind]] = {
    "kubernetes.workloads": {kind.plural: kind for kind in (kinds.DEPLOYMENTS, kinds.STATEFULSETS, kinds.DAEMONSETS)},
    "kubernetes.databases": {kind.plural: kind for kind in (optional.CNPG_CLUSTERS, optional.POOLERS)},
}
"""Topics whose rows are keyed by plural, namespace and name."""
_WORDS: dict[str, tuple[str, str]] = {
    "Node": ("/api/v1", "nodes"),
    "Pod": ("/api/v1", "pods"),
    "ResourceQuota": ("/api/v1", "resourcequotas"),
    "Service": ("/api/v1", "services"),
    "PersistentVolumeClaim": ("/api/v1", "persistentvolumeclaims"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "Job": ("/apis/batch/v1", "jobs"),
    "CronJob": ("/apis/batch/v1", "cronjobs"),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
    "PodDisruptionBudget": ("/apis/policy/v1", "poddisruptionbudgets"),
    "Cluster": ("/apis/postgresql.cnpg.io/v1", "clusters"),
    "Pooler": ("/apis/postgresql.cnpg.io/v1", "poolers"),
}
"""Kinds that events and owners name."""


class Wanted(NamedTuple):
    """One object.

    Attributes:
        root: ``/api/v1`` or ``/apis/GROUP/VERSION``.
        namespace: Empty where the kind has none.
    """

    cluster: str
    root: str
    plural: str
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """Where objects of its kind are listed."""
        within = f"/namespaces/{quote(self.namespace, safe='')}" if self.namespace else ""
        return f"{self.root}{within}/{quote(self.plural, safe='')}"


class WantedLog(NamedTuple):
    """A log: of a pod, or of one of the pods of an ``owner`` (``Deployment/odoo``)."""

    cluster: str
    namespace: str
    pod: str
    container: str = ""
    previous: bool = False
    owner: str = ""


def wanted_object(target: str) -> Wanted | None:
    """The object that ``target`` means; None where it means none."""
    topic, _, key = target.partition(" ")
    cluster, _, rest = key.partition("/")
    parts = rest.split("/")
    if not cluster or not all(parts):
        return None
    if topic in _ROWS:
        return _of_kind(cluster, _ROWS[topic], parts)
    if topic in _PLURALS:
        kind = _PLURALS[topic].get(parts[0])
        return _of_kind(cluster, kind, parts[1:]) if kind else None
    if topic == "kubernetes.usage":
        return _of_kind(cluster, kinds.NODES if len(parts) == 1 else kinds.PODS, parts)
    if topic in ("kubernetes.warnings", "kubernetes.images") and len(parts) >= 3 and parts[1] in _WORDS:
        root, plural = _WORDS[parts[1]]
        return Wanted(cluster, root, plural, "" if plural == "nodes" else parts[0], parts[2])
    if topic == "kubernetes" and len(parts) in (4, 5):
        group, version, plural, *namespace, name = parts
        root = f"/api/{quote(version)}" if group == "core" else f"/apis/{quote(group)}/{quote(version)}"
        return Wanted(cluster, root, plural, namespace[0] if namespace else "", name)
    return None


def _of_kind(cluster: str, kind: Kind, parts: Sequence[str]) -> Wanted | None:
    if len(parts) != 1 + kind.namespaced:
        return None
    return Wanted(cluster, kind.root, kind.plural, parts[0] if kind.namespaced else "", parts[-1])


def wanted_log(target: str) -> WantedLog | None:
    """The log that ``target`` means; None where it means none of Kubernetes."""
    topic, _, key = target.partition(" ")
    key, _, how = key.partition(" ")
    cluster, _, rest = key.partition("/")
    parts = rest.split("/")
    if not cluster or not all(parts) or how not in ("", "previous"):
        return None
    if topic == "kubernetes.pods" and len(parts) in (2, 3):
        return WantedLog(cluster, parts[0], parts[1], parts[2] if len(parts) == 3 else "", how == "previous")
    kind = _PLURALS["kubernetes.workloads"].get(parts[0]) if topic == "kubernetes.workloads" else None
    if kind is not None and len(parts) == 3:
        word = next(word for word, (_root, plural) in _WORDS.items() if plural == kind.plural)
        return WantedLog(cluster, parts[1], "", previous=how == "previous", owner=f"{word}/{parts[2]}")
    return None
