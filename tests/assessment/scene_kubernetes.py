"""A small Kubernetes cluster that is well: six nodes in three zones, two tenants, an ingress."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from console.readings import (
    KubeBudget,
    KubeNode,
    KubePod,
    KubeQuota,
    KubernetesApi,
    KubernetesBudgets,
    KubernetesDatabases,
    KubernetesImages,
    KubernetesNodes,
    KubernetesPods,
    KubernetesQuotas,
    KubernetesScalers,
    KubernetesUsage,
    KubernetesWarnings,
    KubernetesWorkloads,
    KubeScaler,
    KubeUse,
    KubeWorkload,
    Reading,
)
from console.settings import Application, EnvironmentFile, KubernetesCluster

GIB = 2**30
BEGAN = datetime.fromisoformat("2026-11-19T02:00:00Z")

NODES = {
    f"node-{number}": KubeNode(
        zone="abc"[(number - 1) // 2], ready="True", ready_since=BEGAN, cpu_allocatable=4.0, memory_allocatable=16 * GIB, pods=2,
        memory_requested=4 * GIB, created_at=BEGAN,
    )
    for number in range(1, 7)
}  # fmt: skip


def pod(namespace: str, name: str, node: str, owner: str) -> KubePod:
    """One that runs and serves."""
    return KubePod(
        namespace, name, phase="Running", ready=1, containers=1, node=node, owner=owner, images=(f"registry.lab/{owner.partition('/')[2]}:18.0",),
        digests=(f"sha256:{'c' * 64}",), cpu_request=0.5, memory_request=GIB, memory_limit=2 * GIB, created_at=BEGAN, started_at=BEGAN,
    )  # fmt: skip


PODS = {
    f"{each.namespace}/{each.name}": each
    for each in (
        pod("tenant-acme", "odoo-1", "node-1", "Deployment/odoo"),
        pod("tenant-acme", "odoo-2", "node-3", "Deployment/odoo"),
        pod("tenant-bauhof", "odoo-1", "node-2", "Deployment/odoo"),
        pod("ingress", "traefik-1", "node-5", "Deployment/traefik"),
    )
}
WORKLOADS = {
    f"deployments/{namespace}/{name}": KubeWorkload(
        "Deployment", namespace, name, desired=count, ready=count, updated=count, available=count, created_at=BEGAN
    )
    for namespace, name, count in (("tenant-acme", "odoo", 2), ("tenant-bauhof", "odoo", 1), ("ingress", "traefik", 1))
}
QUOTAS = {
    "tenant-acme/tenant": KubeQuota("tenant-acme", "tenant", {"pods": 6.0, "requests.memory": 6.0 * GIB}, {"pods": 2.0, "requests.memory": 2.0 * GIB})
}  # fmt: skip
SCALERS = {"tenant-acme/odoo": KubeScaler("tenant-acme", "odoo", "Deployment/odoo", 1, 3, 2, 2)}
BUDGETS = {
    "tenant-acme/odoo": KubeBudget("tenant-acme", "odoo", "1", allowed=1, healthy=2, needed=1, expected=2, workloads=("Deployment/odoo",)),
    "ingress/traefik": KubeBudget("ingress", "traefik", "1", allowed=0, healthy=1, needed=1, expected=1, workloads=("Deployment/traefik",)),
}  # fmt: skip


def kube() -> EnvironmentFile:
    """Of a platform with just this cluster."""
    return EnvironmentFile(
        name="test",
        kubernetes={"lab": KubernetesCluster(server="https://10.0.0.9:6443")},
        applications={
            "acme": Application(databases=["acme"], label="Acme", namespace="tenant-acme", kubernetes="lab"),
            "bauhof": Application(databases=["bauhof"], namespace="tenant-bauhof"),
        },
    )


def kubernetes_readings(now: datetime, key: str = "lab") -> list[Reading]:
    """What it says of itself when all is well."""
    usage = {name: KubeUse(0.5, 4 * GIB) for name in NODES}
    return [
        KubernetesApi(key=key, taken_at=now, cluster=key, ready=True, checks=40, version="v1.34.1"),
        KubernetesNodes(key=key, taken_at=now, nodes=NODES),
        KubernetesPods(key=key, taken_at=now, pods=PODS),
        KubernetesWorkloads(key=key, taken_at=now, workloads=WORKLOADS),
        KubernetesScalers(key=key, taken_at=now, scalers=SCALERS),
        KubernetesQuotas(key=key, taken_at=now, quotas=QUOTAS),
        KubernetesBudgets(key=key, taken_at=now, budgets=BUDGETS),
        KubernetesWarnings(key=key, taken_at=now),
        KubernetesUsage(key=key, taken_at=now, nodes=usage, measured_at=now - timedelta(seconds=9)),
        KubernetesImages(key=key, taken_at=now),
        KubernetesDatabases(key=key, taken_at=now, status="not-configured", problem="CloudNativePG is not installed"),
    ]


S = TypeVar("S", bound=msgspec.Struct)


def but(rows: Mapping[str, S], *keys: str, **fields: object) -> dict[str, S]:
    """These rows, those under ``keys`` with other fields."""
    return {key: msgspec.structs.replace(row, **fields) if key in keys else row for key, row in rows.items()}
