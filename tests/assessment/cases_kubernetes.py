"""For every kind about Kubernetes: what makes it, and what is just not enough to make it."""

from __future__ import annotations

from datetime import timedelta

from console.readings import (
    KubernetesApi,
    KubernetesBudgets,
    KubernetesNodes,
    KubernetesPods,
    KubernetesQuotas,
    KubernetesScalers,
    KubernetesUsage,
    KubernetesWarnings,
    KubernetesWorkloads,
    KubeWarning,
    Reading,
)
from tests.assessment.cases import Act, Case
from tests.assessment.scene import Scene
from tests.assessment.scene_kubernetes import BUDGETS, GIB, NODES, PODS, QUOTAS, SCALERS, WORKLOADS, but, kube

_FIELDS: dict[type[Reading], str] = {
    KubernetesNodes: "nodes", KubernetesPods: "pods", KubernetesWorkloads: "workloads", KubernetesScalers: "scalers",
    KubernetesQuotas: "quotas", KubernetesBudgets: "budgets", KubernetesWarnings: "warnings",
}  # fmt: skip
BAUHOF, ACME = "tenant-bauhof/odoo-1", "tenant-acme/odoo-1"
BAUHOF_ODOO, ACME_ODOO = "deployments/tenant-bauhof/odoo", "deployments/tenant-acme/odoo"


def rows(cls: type[Reading], found: object) -> Act:
    """From now on these rows."""
    return lambda scene: scene.change(cls, "lab", **{_FIELDS[cls]: found})


def both(*acts: Act) -> Act:
    def act(scene: Scene) -> None:
        for each in acts:
            each(scene)

    return act


def well(scene: Scene) -> None:
    """All is as it was."""
    for cls in (*_FIELDS, KubernetesApi, KubernetesUsage):
        scene.mend(cls, "lab")


def nodes(*names: str, **fields: object) -> Act:
    """These nodes since now."""

    def act(scene: Scene) -> None:
        rows(KubernetesNodes, but(NODES, *names, ready_since=scene.now, **fields))(scene)

    return act


def pods(*keys: str, **fields: object) -> Act:
    return rows(KubernetesPods, but(PODS, *keys, **fields))


def short(key: str, ready: int, **fields: object) -> Act:
    return rows(KubernetesWorkloads, but(WORKLOADS, key, ready=ready, **fields))


def crashing(scene: Scene) -> None:
    """Restarted every twenty seconds; it runs for most of the time."""
    began = scene.now

    def made() -> object:
        passed = (scene.now - began).total_seconds()
        ended = scene.now - timedelta(seconds=passed % 20)
        ended_as = {"ended_reason": "OOMKilled", "ended_code": 137, "ended_at": ended}
        return but(PODS, "ingress/traefik-1", restarts=3 + int(passed // 20), **ended_as)

    rows(KubernetesPods, made)(scene)


def refused(scene: Scene) -> None:
    """Pods are refused for a quota, a moment before each look."""

    def made() -> dict[str, KubeWarning]:
        message = 'Error creating: pods "odoo-x" is forbidden: exceeded quota: tenant, requested: pods=5, used: pods=2, limited: pods=6'
        at = scene.now - timedelta(seconds=20)
        return {"w": KubeWarning("tenant-acme", "ReplicaSet/odoo-7d9f", "FailedCreate", message, 3, at, at)}

    rows(KubernetesWarnings, made)(scene)


LOST = {"ready": "Unknown", "reason": "NodeStatusUnknown"}
BACK_OFF = {"reason": "CrashLoopBackOff", "ready": 0, "restarts": 4, "ended_reason": "Error", "ended_code": 1}

KUBERNETES = tuple(
    case._replace(platform=kube)
    for case in (
        Case(
            "api-server-unreachable:lab", lambda scene: scene.fail(KubernetesApi, "lab"), well,
            lambda scene: scene.change(KubernetesApi, "lab", status="denied", problem="the API server does not accept the credentials (401)"),
            "critical",
        ),
        Case(
            "api-server-unready:lab", lambda scene: scene.change(KubernetesApi, "lab", ready=False, failing=("etcd",)), well,
            lambda scene: scene.change(KubernetesApi, "lab", ready=None, status="partial", problem="403"),
        ),
        Case(
            "metrics-missing:lab", lambda scene: scene.fail(KubernetesUsage, "lab", "503 the server is currently unable"), well,
            lambda scene: scene.change(KubernetesUsage, "lab", status="partial", problem="pods: 503"),
        ),
        Case(
            "metrics-missing:lab", lambda scene: scene.change(KubernetesUsage, "lab", status="not-configured"), well,
            lambda scene: scene.change(KubernetesUsage, "lab", status="denied", problem="403"),
        ),
        Case("zone-lost:lab/a", nodes("node-1", "node-2", **LOST), well, nodes("node-1", "node-2", cordoned=True), "critical"),
        Case("node-not-ready:lab/node-3", nodes("node-3", **LOST), well, nodes("node-3", ready="")),
        Case("node-not-ready:lab/node-1", nodes("node-1", ready="False", reason="KubeletNotReady"), well, nodes("node-1", cordoned=True)),
        Case("node-pressure:lab/node-1", nodes("node-1", pressures=("MemoryPressure",)), well, nodes("node-1", pressures=("DiskPressure unknown",))),
        Case("crash-loop:lab/tenant-bauhof/odoo", pods(BAUHOF, **BACK_OFF), well, pods(BAUHOF, **BACK_OFF | {"restarts": 1})),
        Case("crash-loop:lab/ingress/traefik", crashing, well, pods(BAUHOF, restarts=40, ended_reason="Error", ended_code=1)),
        Case(
            "image-unpullable:lab/tenant-acme/odoo", pods(ACME, reason="ImagePullBackOff", ready=0, phase="Pending"), well,
            pods(ACME, reason="ContainerCreating", ready=0, phase="Pending"),
        ),
        Case(
            "pod-unschedulable:lab/tenant-acme/odoo", pods(ACME, reason="Unschedulable", ready=0, phase="Pending", node=""), well,
            pods(ACME, ready=0, phase="Pending", node=""),
        ),
        Case("workload-short:lab/tenant-bauhof/odoo", short(BAUHOF_ODOO, 0), well, short(BAUHOF_ODOO, 0, desired=0), "critical"),
        Case("workload-short:lab/tenant-acme/odoo", short(ACME_ODOO, 1), well, short(ACME_ODOO, 2, updated=1), steps=90),
        Case(
            "workload-short:lab/tenant-acme/odoo", short(ACME_ODOO, 1, reason="ProgressDeadlineExceeded"), well,
            short(ACME_ODOO, 2, reason="ProgressDeadlineExceeded"),
        ),
        Case(
            "pdb-blocks:lab/tenant-acme/odoo", rows(KubernetesBudgets, but(BUDGETS, "tenant-acme/odoo", allowed=0, healthy=1)), well,
            rows(KubernetesBudgets, but(BUDGETS, "tenant-acme/odoo", allowed=0, healthy=2, needed=2, expected=2)),
        ),
        Case(
            "pdb-blocks:lab/ingress/traefik", rows(KubernetesBudgets, but(BUDGETS, "ingress/traefik", drained=("node-5",))), well,
            rows(KubernetesBudgets, but(BUDGETS, "tenant-acme/odoo", drained=("node-1",))),
        ),
        Case(
            "quota-exhausted:lab/tenant-acme/tenant", rows(KubernetesQuotas, but(QUOTAS, "tenant-acme/tenant", used={"pods": 6.0})), well,
            rows(KubernetesQuotas, but(QUOTAS, "tenant-acme/tenant", used={"pods": 5.0, "requests.memory": 5.9 * GIB})),
        ),
        Case(
            "quota-exhausted:lab/tenant-acme/tenant", refused, well,
            rows(KubernetesQuotas, but(QUOTAS, "tenant-acme/tenant", hard={"services.loadbalancers": 1.0}, used={"services.loadbalancers": 1.0})),
        ),
        Case(
            "hpa-at-limit:lab/tenant-acme/odoo", rows(KubernetesScalers, but(SCALERS, "tenant-acme/odoo", current=3, desired=3, at_limit="TooManyReplicas")),
            well, rows(KubernetesScalers, but(SCALERS, "tenant-acme/odoo", current=1, desired=1, at_limit="TooFewReplicas")),
        ),
        Case(
            "hpa-blind:lab/tenant-acme/odoo", rows(KubernetesScalers, but(SCALERS, "tenant-acme/odoo", reason="FailedGetResourceMetric")), well,
            rows(KubernetesScalers, but(SCALERS, "tenant-acme/odoo", reason="ScalingDisabled", desired=0)),
        ),
    )
)  # fmt: skip
