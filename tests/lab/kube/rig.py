"""What the tests of the Kubernetes API share."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx

from console.lab.kube.cluster import Cluster
from console.lab.kube.server import Server

ADMIN, VIEWER = "admin-token", "viewer-token"


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
