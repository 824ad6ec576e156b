"""What each node tells of itself: its status, and its Lease."""

from __future__ import annotations

import asyncio
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from console.lab.kube import quantity
from console.lab.kube.api import now
from console.lab.kube.discovery import version
from console.lab.kube.kinds import Json
from console.lab.platform import objects
from console.lab.platform.controller import put_status
from console.lab.platform.events import Recorder
from console.lab.platform.kinds import LEASE, NODE
from console.lab.platform.kubelet import Kubelet
from console.lab.platform.scheduler import ZONE
from console.lab.platform.settings import REGION

RENEW_S = 2.0
GRACE_S = 8.0
"""After the last renewal, before a node counts as lost (Kubernetes: 40 s, renewed every ten)."""
LEASES = "kube-node-lease"
_RESERVED = 100 * 2**20
"""Bytes of memory that pods may not request, and below which a node is short (Kubernetes' threshold too)."""
_DISK_FULL = 0.85
_HEARTBEAT_S = 300.0
_TOLD = {
    ("MemoryPressure", True): ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    ("MemoryPressure", False): ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", True): ("KubeletHasDiskPressure", "kubelet has disk pressure"),
    ("DiskPressure", False): ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
}
_HAPPENED = {
    ("MemoryPressure", True): "NodeHasInsufficientMemory",
    ("MemoryPressure", False): "NodeHasSufficientMemory",
    ("DiskPressure", True): "NodeHasDiskPressure",
    ("DiskPressure", False): "NodeHasNoDiskPressure",
}


def micro() -> str:
    """The time as Leases have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def disk_used(folder: Path) -> int:
    """Bytes that the files below a folder take."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def _system() -> Json:
    try:
        release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    except OSError:
        release = {}
    machine = platform.machine()
    return {
        "machineID": "",
        "systemUUID": "",
        "bootID": "",
        "kernelVersion": platform.release(),
        "osImage": release.get("PRETTY_NAME", "Linux").strip('"'),
        "containerRuntimeVersion": "process://1",
        "kubeletVersion": version()["gitVersion"],
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine),
    }


class Reporter:
    """What a kubelet tells of its node."""

    def __init__(self, kubelet: Kubelet, recorder: Recorder) -> None:
        self.memory_used = 0
        """Bytes that its pods take, as last measured."""
        self._kubelet = kubelet
        self._cluster = kubelet.cluster
        self._recorder = recorder
        self._heard = 0.0
        self._folder = kubelet.files.node(kubelet.name)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._register()

    @property
    def kubelet(self) -> Kubelet:
        return self._kubelet

    def _register(self) -> None:
        node = self._kubelet.node
        if self._cluster.store.get(NODE.key, "", node.name) is None:
            labels = {
                "kubernetes.io/hostname": node.name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/region": REGION,
                ZONE: node.zone,
                **node.labels,
            }
            spec: Json = {"taints": node.taints} if node.taints else {}
            self._cluster.api.create(NODE, "", {"metadata": {"name": node.name, "labels": labels}, "spec": spec})
        self.tell()
        self.renew()

    def renew(self) -> None:
        """Renew the Lease."""
        node = self._cluster.store.get(NODE.key, "", self._kubelet.name)
        if self._kubelet.loss is not None or node is None:
            return
        spec = {"holderIdentity": self._kubelet.name, "leaseDurationSeconds": int(GRACE_S), "renewTime": micro()}
        old = self._cluster.store.get(LEASE.key, LEASES, self._kubelet.name)
        if old is None:
            reference = {"apiVersion": "v1", "kind": "Node", "name": self._kubelet.name, "uid": node.metadata["uid"]}
            metadata = {"name": self._kubelet.name, "ownerReferences": [reference]}
            self._cluster.api.create(LEASE, LEASES, {"metadata": metadata, "spec": spec})
        else:
            self._cluster.store.put(LEASE.key, {**old.data, "metadata": {**old.metadata}, "spec": spec})

    def _capacity(self, reserved: int) -> Json:
        node = self._kubelet.node
        memory = int(quantity.parse(node.memory)) - reserved
        return {
            "cpu": node.cpu,
            "memory": f"{memory // 1024}Ki",
            "pods": str(node.pods),
            "ephemeral-storage": f"{int(quantity.parse(node.disk)) // 1024}Ki",
        }

    def _pressures(self) -> dict[str, bool]:
        node = self._kubelet.node
        left = int(quantity.parse(node.memory)) - self.memory_used
        full = disk_used(self._folder) > _DISK_FULL * float(quantity.parse(node.disk))
        return {"MemoryPressure": left < _RESERVED, "DiskPressure": full}

    def tell(self) -> None:
        """Post the node's status, if something has changed or for a while nothing was posted."""
        stored = self._cluster.store.get(NODE.key, "", self._kubelet.name)
        if self._kubelet.loss is not None or stored is None:
            return
        listed, found = objects.conditions(stored.data), self._pressures()
        moment = asyncio.get_running_loop().time()
        heartbeat = {"lastHeartbeatTime": now()}
        stale = not self._heard or moment - self._heard > _HEARTBEAT_S
        for name, pressed in found.items():
            if stale or objects.condition(stored.data, name).get("status") != str(pressed):
                was = objects.condition(stored.data, name).get("status")
                if was is not None and was != str(pressed):
                    text = f"Node {self._kubelet.name} status is now: {_HAPPENED[name, pressed]}"
                    self._kubelet.note(NODE, stored.data, _HAPPENED[name, pressed], text)
                listed = objects.with_condition(listed, name, str(pressed), *_TOLD[name, pressed], **heartbeat)
        told = {
            "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
        }
        for name, (holds, reason, text) in told.items():
            if stale or objects.condition(stored.data, name).get("status") != holds:
                listed = objects.with_condition(listed, name, holds, reason, text, **heartbeat)
        if listed == objects.conditions(stored.data):
            return
        self._heard = moment
        addresses = [
            {"type": "InternalIP", "address": self._kubelet.address},
            {"type": "Hostname", "address": self._kubelet.name},
        ]
        status: Json = {
            **(stored.data.get("status") or {}),
            "addresses": addresses,
            "capacity": self._capacity(0),
            "allocatable": self._capacity(_RESERVED),
            "conditions": listed,
            "nodeInfo": _system(),
        }
        put_status(self._cluster, NODE, stored, status)

    def relieve(self) -> None:
        """Where memory is short, evict the pod that uses most beyond its request."""
        stored = self._cluster.store.get(NODE.key, "", self._kubelet.name)
        if stored is None or not objects.holds(stored.data, "MemoryPressure"):
            return
        runs = [run for run in self._kubelet.runs.values() if not objects.leaving(run.pod)]
        if not runs:
            return
        over = {run: run.memory - int(objects.requested(run.pod, "memory")) for run in runs}
        worst = max(runs, key=lambda run: over[run])
        worst.evict("The node was low on resource: memory. Threshold quantity: 100Mi.")
