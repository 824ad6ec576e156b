"""The built-in kinds that controllers work on, by name."""

from __future__ import annotations

from console.lab.kube.builtin import BUDGET, BUILTIN, NAMESPACE, POD, SERVICE

_BY_NAME = {kind.kind: kind for kind in BUILTIN}

CONFIG_MAP = _BY_NAME["ConfigMap"]
DAEMON_SET = _BY_NAME["DaemonSet"]
DEPLOYMENT = _BY_NAME["Deployment"]
EVENT = _BY_NAME["Event"]
HPA = _BY_NAME["HorizontalPodAutoscaler"]
LEASE = _BY_NAME["Lease"]
NODE = _BY_NAME["Node"]
REPLICA_SET = _BY_NAME["ReplicaSet"]
SECRET = _BY_NAME["Secret"]
SLICE = _BY_NAME["EndpointSlice"]

__all__ = [
    "BUDGET",
    "CONFIG_MAP",
    "DAEMON_SET",
    "DEPLOYMENT",
    "EVENT",
    "HPA",
    "LEASE",
    "NAMESPACE",
    "NODE",
    "POD",
    "REPLICA_SET",
    "SECRET",
    "SERVICE",
    "SLICE",
]
