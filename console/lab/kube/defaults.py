"""What a real server fills in where a manifest says nothing, and the status that a new object starts with."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from console.lab.kube import quantity
from console.lab.kube.kinds import Json, Kind

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def _fill(found: Json, **values: Any) -> None:
    for name, value in values.items():
        if found.get(name) is None:
            found[name] = value


def _container(container: Json) -> None:
    image = str(container.get("image", "")).rpartition("/")[2]
    newest = (":" not in image or image.endswith(":latest")) and "@" not in image
    _fill(container, resources={}, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File")
    _fill(container, imagePullPolicy="Always" if newest else "IfNotPresent")
    for port in container.get("ports") or []:
        _fill(port, protocol="TCP")
    for name in _PROBES:
        if isinstance(container.get(name), dict):
            _fill(container[name], **_PROBE)


def _pod_spec(spec: Json) -> None:
    for container in (*(spec.get("containers") or []), *(spec.get("initContainers") or [])):
        _container(container)
    _fill(spec, restartPolicy="Always", terminationGracePeriodSeconds=30, dnsPolicy="ClusterFirst", securityContext={})
    _fill(spec, schedulerName="default-scheduler")


def _pod(data: Json) -> None:
    spec = data["spec"]
    _pod_spec(spec)
    for container in (*(spec.get("containers") or []), *(spec.get("initContainers") or [])):
        resources = container["resources"]
        if resources.get("limits"):  # in pods only, not in templates of them
            resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}
    _fill(spec, enableServiceLinks=True, priority=0, preemptionPolicy="PreemptLowerPriority")
    _fill(spec, serviceAccountName=spec.get("serviceAccount") or "default")
    _fill(spec, serviceAccount=spec["serviceAccountName"])
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(
            each.get("key") in (key, None) and each.get("effect") in ("NoExecute", None) for each in tolerations
        ):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


def _template(spec: Json) -> None:
    _pod_spec(spec.setdefault("template", {}).setdefault("spec", {}))


def _deployment(data: Json) -> None:
    spec = data["spec"]
    _template(spec)
    _fill(spec, replicas=1, strategy={}, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec["strategy"]
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy, rollingUpdate={})
        _fill(strategy["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")


def _replica_set(data: Json) -> None:
    _template(data["spec"])
    _fill(data["spec"], replicas=1)


def _stateful_set(data: Json) -> None:
    _template(data["spec"])
    _fill(data["spec"], replicas=1, podManagementPolicy="OrderedReady", revisionHistoryLimit=10)
    _fill(data["spec"], updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})


def _daemon_set(data: Json) -> None:
    _template(data["spec"])
    rolling = {"maxUnavailable": 1, "maxSurge": 0}
    _fill(data["spec"], updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling}, revisionHistoryLimit=10)


def _job_spec(spec: Json) -> None:
    _template(spec)
    _fill(spec, parallelism=1, completions=1, backoffLimit=6, completionMode="NonIndexed", suspend=False)


def _job(data: Json) -> None:
    _job_spec(data["spec"])


def _cron_job(data: Json) -> None:
    spec = data["spec"]
    _fill(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    _template(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))


def _service(data: Json) -> None:
    spec = data["spec"]
    _fill(spec, type="ClusterIP", sessionAffinity="None")
    for port in spec.get("ports") or []:
        _fill(port, protocol="TCP", targetPort=port.get("port"))


def _namespace(data: Json) -> None:
    metadata = data["metadata"]
    metadata["labels"] = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    if "deletionTimestamp" not in metadata:
        _fill(data["spec"], finalizers=["kubernetes"])


def _secret(data: Json) -> None:
    _fill(data, type="Opaque")
    for name, value in (data.pop("stringData", None) or {}).items():
        data.setdefault("data", {})[name] = base64.b64encode(str(value).encode()).decode()


def _definition(data: Json) -> None:
    spec = data["spec"]
    names = spec.setdefault("names", {})
    _fill(names, singular=str(names.get("kind", "")).lower(), listKind=f"{names.get('kind', '')}List")
    _fill(spec, conversion={"strategy": "None"})


def _binding(data: Json) -> None:
    _fill(data.setdefault("roleRef", {}), apiGroup="rbac.authorization.k8s.io")
    for subject in data.get("subjects") or []:
        if subject.get("kind") != "ServiceAccount":
            _fill(subject, apiGroup="rbac.authorization.k8s.io")


def _slice(data: Json) -> None:
    for port in data.get("ports") or []:
        _fill(port, name="", protocol="TCP")


def _claim(data: Json) -> None:
    _fill(data["spec"], volumeMode="Filesystem")


def _autoscaler(data: Json) -> None:
    _fill(data["spec"], minReplicas=1)


_BY_KIND: dict[str, Callable[[Json], None]] = {
    "ClusterRoleBinding": _binding,
    "CronJob": _cron_job,
    "CustomResourceDefinition": _definition,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "EndpointSlice": _slice,
    "HorizontalPodAutoscaler": _autoscaler,
    "Job": _job,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "ReplicaSet": _replica_set,
    "RoleBinding": _binding,
    "Secret": _secret,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
_WITHOUT_SPEC = {"EndpointSlice", "Secret", "RoleBinding", "ClusterRoleBinding"}


def fill(kind: Kind, data: Json) -> None:
    """Fill an object in; doing so again changes nothing."""
    if kind.custom:
        return
    if kind.status or kind.kind == "Lease":
        _fill(data, spec={})
    if filler := _BY_KIND.get(kind.kind):
        if kind.kind not in _WITHOUT_SPEC:
            _fill(data, spec={})
        filler(data)


def quality_of_service(spec: Json) -> str:
    """Guaranteed, Burstable or BestEffort, from what a pod's containers request."""
    requests: list[Json] = [c["resources"].get("requests") or {} for c in spec["containers"]]
    limits: list[Json] = [c["resources"].get("limits") or {} for c in spec["containers"]]
    if not any(requests) and not any(limits):
        return "BestEffort"

    def equal(name: str) -> bool:
        pairs = zip(requests, limits, strict=True)
        return all(name in r and name in m and quantity.parse(r[name]) == quantity.parse(m[name]) for r, m in pairs)

    return "Guaranteed" if equal("cpu") and equal("memory") else "Burstable"


def initial_status(kind: Kind, data: Json) -> Json | None:
    """The status of a new object; None for kinds that start without."""
    if kind.custom or not kind.status:
        return None
    if kind.kind == "Namespace":
        return {"phase": "Active"}
    if kind.kind == "Pod":
        return {"phase": "Pending", "qosClass": quality_of_service(data["spec"])}
    if kind.kind == "PersistentVolumeClaim":
        return {"phase": "Pending"}
    if kind.kind == "CustomResourceDefinition":
        stored = [version["name"] for version in data["spec"].get("versions") or [] if version.get("storage")]
        return {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored}
    return {}
