"""The laboratory's Kubernetes API in this process, that can go away and come back, and pods of real size for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from console.clients.kubernetes import Access, Kubernetes
from console.lab.kube import builtin
from console.lab.kube.server import Server
from console.sources.kubernetes_cluster import Cluster
from tests.lab.kube.rig import ADMIN, VIEWER, make_cluster


class ApiServer:
    """A cluster, and the server before it."""

    def __init__(self) -> None:
        self.cluster = make_cluster()
        self.server = Server(self.cluster)
        self.port = 0
        self.token = ADMIN
        """What clients of ``client`` log in with from now on."""

    async def start(self) -> None:
        """Serve, again on the port that it had."""
        self.port = await self.server.start(self.port)

    async def stop(self) -> None:
        """Close every connection and the port; the objects stay."""
        await self.server.stop()

    def client(self) -> Kubernetes:
        """A client of the console's."""
        return Kubernetes(Access(server=f"http://127.0.0.1:{self.port}", token=lambda: self.token))

    def as_viewer(self) -> None:
        """Log in as somebody who may do nothing yet."""
        self.token = VIEWER

    def allow(
        self, *resources: str, groups: tuple[str, ...] = ("", "apps", "autoscaling", "policy"), namespace: str = ""
    ) -> None:
        """Let the viewer list and watch."""
        rules = [{"apiGroups": list(groups), "resources": list(resources), "verbs": ["list", "watch"]}]
        name = f"see-{len(self.cluster.store.objects(builtin.CLUSTER_ROLE.key))}"
        self.cluster.api.create(builtin.CLUSTER_ROLE, "", {"metadata": {"name": name}, "rules": rules})
        bound = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "viewer"}],
        }
        kind = builtin.ROLE_BINDING if namespace else builtin.CLUSTER_ROLE_BINDING
        self.cluster.api.create(kind, namespace, bound)

    def put_pod(self, number: int, restarts: int = 0, namespace: str = "default") -> None:
        """A running pod of real size, as its kubelet left it."""
        self.cluster.store.put(builtin.POD.key, real_pod(number, restarts, namespace))

    def drop_pod(self, number: int, namespace: str = "default") -> None:
        """It is gone."""
        self.cluster.store.remove(builtin.POD.key, namespace, f"odoo-7d9f-{number:05}")


def all_told(cluster: Cluster) -> bool:
    """Whether all can be seen that there is."""
    return all(each.readable or each.state == "absent" for each in cluster.every())


async def until(condition: Callable[[], Any], limit_s: float = 30) -> None:
    """Wait for ``condition``."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - conditions on what others change, without an event
            await asyncio.sleep(0.01)


def real_pod(number: int, restarts: int = 0, namespace: str = "default") -> dict[str, Any]:
    """A pod as a cluster sends it: 4 kB, most of it of no use here."""
    at = "2026-11-20T08:00:00Z"
    names = ("odoo", "exporter")
    managed = {
        "manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": at, "fieldsType": "FieldsV1", "subresource": "status",
        "fieldsV1": {"f:status": {f"f:{field}": {".": {}, "k:{\"type\":\"Ready\"}": {"f:lastProbeTime": {}, "f:status": {}}} for field in (
            "conditions", "containerStatuses", "hostIP", "phase", "podIP", "startTime")}},
    }  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"odoo-7d9f-{number:05}", "generateName": "odoo-7d9f-", "namespace": namespace, "uid": f"5b1d8c0e-0000-4000-8000-{number:012}",
            "creationTimestamp": at, "managedFields": [managed],
            "labels": {"app.kubernetes.io/name": "odoo", "app.kubernetes.io/instance": f"tenant-{number % 50}", "pod-template-hash": "7d9f"},
            "annotations": {"checksum/config": "a" * 64, "prometheus.io/scrape": "true"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "odoo-7d9f", "uid": "u", "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": {
            "nodeName": f"node-{number % 60}", "restartPolicy": "Always", "serviceAccountName": "odoo", "dnsPolicy": "ClusterFirst",
            "containers": [{
                "name": name, "image": f"registry.example/{name}:18.0", "imagePullPolicy": "IfNotPresent",
                "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
                "env": [{"name": f"VARIABLE_{i}", "value": f"value-{i}"} for i in range(8)],
                "volumeMounts": [{"name": "data", "mountPath": "/var/lib/odoo"}, {"name": "token", "mountPath": "/var/run/secrets", "readOnly": True}],
                "readinessProbe": {"httpGet": {"path": "/web/health", "port": 8069, "scheme": "HTTP"}, "periodSeconds": 10, "failureThreshold": 3},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            } for name in names],
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "token", "projected": {"defaultMode": 420}}],
        },
        "status": {
            "phase": "Running", "hostIP": "10.0.0.1", "podIP": "10.244.0.7", "startTime": at, "qosClass": "Burstable",
            "conditions": [{"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": at}
                           for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
            "containerStatuses": [{
                "name": name, "ready": True, "started": True, "restartCount": restarts, "image": f"registry.example/{name}:18.0",
                "imageID": f"registry.example/{name}@sha256:{'c' * 64}", "containerID": f"containerd://{'d' * 64}",
                "state": {"running": {"startedAt": at}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": at, "finishedAt": at}} if restarts else {},
            } for name in names],
        },
    }  # fmt: skip
