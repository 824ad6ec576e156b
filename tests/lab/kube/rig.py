"""What the tests of the Kubernetes API share."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx

from console.lab.kube.cluster import Cluster
from console.lab.kube.kinds import Kind
from console.lab.kube.server import Server

ADMIN, VIEWER = "admin-token", "viewer-token"
PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
AS_VIEWER = {"Authorization": f"Bearer {VIEWER}"}
MERGE = {"Content-Type": "application/merge-patch+json"}


class Kube(NamedTuple):
    cluster: Cluster
    server: Server
    address: str
    client: httpx.AsyncClient


def make_cluster() -> Cluster:
    """A cluster with an administrator and with ``viewer``, who may do nothing yet."""
    cluster = Cluster()
    cluster.tokens.add(ADMIN, "admin", ("system:masters",))
    cluster.tokens.add(VIEWER, "viewer")
    return cluster


def deployment(name: str, replicas: int = 2, **labels: str) -> dict[str, Any]:
    """A Deployment's manifest."""
    chosen = labels or {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": chosen},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": chosen},
            "template": {
                "metadata": {"labels": chosen},
                "spec": {"containers": [{"name": "odoo", "image": "registry.example/odoo:18.0"}]},
            },
        },
    }


def pod(name: str, **spec: Any) -> dict[str, Any]:
    """A Pod's manifest."""
    containers = [{"name": "odoo", "image": "registry.example/odoo:18.0"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": containers, **spec},
    }


class Measured:
    """Metrics of one node and one pod."""

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {
                "metadata": {"name": "node-a"},
                "timestamp": "2026-11-22T00:00:00Z",
                "window": "10s",
                "usage": {"cpu": "500m", "memory": "1Gi"},
            }
        ]

    def pods(self, namespace: str) -> list[dict[str, Any]]:
        containers = [{"name": "odoo", "usage": {"cpu": "10m", "memory": "5Mi"}}]
        found = {
            "metadata": {"name": "p", "namespace": "default", "labels": {"app": "p"}},
            "timestamp": "2026-11-22T00:00:00Z",
            "window": "10s",
        }
        return [{**found, "containers": containers}] if namespace in ("", "default") else []


def kind_of(cluster: Cluster, group: str, version: str, plural: str) -> Kind:
    found = cluster.registry.find(group, version, plural)
    assert found is not None
    return found


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
