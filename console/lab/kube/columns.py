"""What ``kubectl get`` shows of each built-in kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from console.lab.kube import ages, podrow
from console.lab.kube.kinds import Json
from console.lab.kube.selectors import as_text


class Printed(NamedTuple):
    """A kind's columns: those after the bar only with ``-o wide``; a ``:`` names a type other than string."""

    columns: str
    cells: Callable[[Json], list[Any]]


def _age(data: Json) -> str:
    return ages.age(data["metadata"].get("creationTimestamp"))


def _name(data: Json) -> str:
    return str(data["metadata"]["name"])


def _status(data: Json) -> Json:
    return data.get("status") or {}


def _spec(data: Json) -> Json:
    return data.get("spec") or {}


def _joined(items: Any) -> str:
    return ",".join(str(item) for item in items) or "<none>"


def _template(data: Json) -> tuple[str, str]:
    containers = ((_spec(data).get("template") or {}).get("spec") or {}).get("containers") or []
    return ",".join(c["name"] for c in containers), ",".join(c.get("image", "") for c in containers)


def _deployment(data: Json) -> list[Any]:
    spec, status = _spec(data), _status(data)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [_name(data), ready, *counts, _age(data), *_template(data), as_text(spec.get("selector"))]


def _replica_set(data: Json) -> list[Any]:
    spec, status = _spec(data), _status(data)
    counts = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [_name(data), *counts, _age(data), *_template(data), as_text(spec.get("selector"))]


def _stateful_set(data: Json) -> list[Any]:
    ready = f"{_status(data).get('readyReplicas', 0)}/{_spec(data).get('replicas', 0)}"
    return [_name(data), ready, _age(data), *_template(data)]


def _daemon_set(data: Json) -> list[Any]:
    spec, status = _spec(data), _status(data)
    names = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    chosen = (spec.get("template") or {}).get("spec", {}).get("nodeSelector") or {}
    selected = _joined(f"{key}={value}" for key, value in chosen.items())
    return [
        _name(data),
        *(status.get(name, 0) for name in names),
        selected,
        _age(data),
        *_template(data),
        as_text(spec.get("selector")),
    ]


def _job(data: Json) -> list[Any]:
    spec, status = _spec(data), _status(data)
    conditions = {c.get("type"): c.get("status") for c in status.get("conditions") or []}
    state = next((name for name in ("Complete", "Failed", "Suspended") if conditions.get(name) == "True"), "Running")
    began, ended = ages.parse(status.get("startTime")), ages.parse(status.get("completionTime"))
    lasted = (
        ages.duration(int((ended - began).total_seconds()))
        if began and ended
        else ages.age(status.get("startTime"))
        if began
        else ""
    )
    done = f"{status.get('succeeded', 0)}/{spec.get('completions', 1)}"
    return [_name(data), state, done, lasted, _age(data), *_template(data), as_text(spec.get("selector"))]


def _cron_job(data: Json) -> list[Any]:
    spec, status = _spec(data), _status(data)
    last = ages.age(status["lastScheduleTime"]) if status.get("lastScheduleTime") else "<none>"
    return [
        _name(data),
        spec.get("schedule", ""),
        spec.get("timeZone") or "<none>",
        str(bool(spec.get("suspend"))),
        len(status.get("active") or []),
        last,
        _age(data),
    ]


def _service(data: Json) -> list[Any]:
    spec = _spec(data)
    ports = _joined(
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port['protocol']}"
        for port in spec.get("ports") or []
    )
    outside = _joined(
        spec.get("externalIPs")
        or [i.get("ip") or i.get("hostname") for i in (_status(data).get("loadBalancer") or {}).get("ingress") or []]
    )
    selector = _joined(f"{key}={value}" for key, value in (spec.get("selector") or {}).items())
    return [_name(data), spec.get("type", ""), spec.get("clusterIP") or "<none>", outside, ports, _age(data), selector]


def _node(data: Json) -> list[Any]:
    status, labels = _status(data), data["metadata"].get("labels") or {}
    ready = next((c.get("status") for c in status.get("conditions") or [] if c.get("type") == "Ready"), "Unknown")
    state = {"True": "Ready", "False": "NotReady"}.get(str(ready), "NotReady")
    state += ",SchedulingDisabled" if _spec(data).get("unschedulable") else ""
    prefix = "node-role.kubernetes.io/"
    roles = _joined(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix)))
    info = status.get("nodeInfo") or {}
    addresses = {a.get("type"): a.get("address") for a in status.get("addresses") or []}
    wide = [addresses.get("InternalIP") or "<none>", addresses.get("ExternalIP") or "<none>"]
    system = [info.get(name) or "<unknown>" for name in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    return [_name(data), state, roles, _age(data), info.get("kubeletVersion", ""), *wide, *system]


def _event(data: Json) -> list[Any]:
    about = data.get("involvedObject") or {}
    seen, first = (
        data.get("lastTimestamp") or data.get("eventTime"),
        data.get("firstTimestamp") or data.get("eventTime"),
    )
    what = f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"
    source = (data.get("source") or {}).get("component") or data.get("reportingComponent") or ""
    wide = [about.get("fieldPath", ""), source, ages.age(first), data.get("count", 1), _name(data)]
    return [
        ages.age(seen),
        data.get("type", ""),
        data.get("reason", ""),
        what,
        *wide[:2],
        str(data.get("message", "")).strip(),
        *wide[2:],
    ]


def _autoscaler(data: Json) -> list[Any]:
    spec, status = _spec(data), _status(data)
    about = spec.get("scaleTargetRef") or {}
    now = {
        (each.get("resource") or {}).get("name"): (each.get("resource") or {}).get("current") or {}
        for each in status.get("currentMetrics") or []
    }
    shown = []
    for metric in spec.get("metrics") or []:
        resource = metric.get("resource") or {}
        target, current = resource.get("target") or {}, now.get(resource.get("name")) or {}
        if "averageUtilization" in target:
            known = current.get("averageUtilization")
            shown.append(
                f"{resource.get('name')}: {'<unknown>' if known is None else f'{known}%'}/{target['averageUtilization']}%"
            )
        else:
            shown.append(
                f"{resource.get('name')}: {current.get('averageValue', '<unknown>')}/{target.get('averageValue', '<auto>')}"
            )
    limits = [str(spec.get("minReplicas", "<unset>")), spec.get("maxReplicas", 0), status.get("currentReplicas", 0)]
    return [_name(data), f"{about.get('kind')}/{about.get('name')}", ", ".join(shown) or "<none>", *limits, _age(data)]


def _budget(data: Json) -> list[Any]:
    spec, status = _spec(data), _status(data)
    limits = [str(spec.get("minAvailable", "N/A")), str(spec.get("maxUnavailable", "N/A"))]
    return [_name(data), *limits, status.get("disruptionsAllowed", 0), _age(data)]


def _quota(data: Json) -> list[Any]:
    hard, used = _status(data).get("hard") or {}, _status(data).get("used") or {}
    shown = [f"{name}: {used.get(name, 0)}/{limit}" for name, limit in sorted(hard.items())]
    plain = ", ".join(each for each in shown if not each.startswith("limits."))
    return [_name(data), plain, ", ".join(each for each in shown if each.startswith("limits.")), _age(data)]


def _claim(data: Json) -> list[Any]:
    spec, status = _spec(data), _status(data)
    modes = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    granted = ",".join(modes.get(mode, mode) for mode in status.get("accessModes") or [])
    phase = "Terminating" if "deletionTimestamp" in data["metadata"] else status.get("phase", "")
    size = (status.get("capacity") or {}).get("storage", "")
    rest = [
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or "<unset>",
        _age(data),
        spec.get("volumeMode", ""),
    ]
    return [_name(data), phase, spec.get("volumeName", ""), size, granted, *rest]


def _slice(data: Json) -> list[Any]:
    ports = _joined(port.get("port") for port in data.get("ports") or [])
    addresses = _joined(
        address for endpoint in data.get("endpoints") or [] for address in endpoint.get("addresses") or []
    )
    return [_name(data), data.get("addressType", ""), ports, addresses, _age(data)]


_WORKLOAD = "| Containers, Images, Selector"

PRINTED: dict[str, Printed] = {
    "ConfigMap": Printed(
        "Name, Data, Age", lambda d: [_name(d), str(len(d.get("data") or {}) + len(d.get("binaryData") or {})), _age(d)]
    ),
    "CronJob": Printed("Name, Schedule, Timezone, Suspend, Active:integer, Last Schedule, Age", _cron_job),
    "CustomResourceDefinition": Printed(
        "Name, Created At:date", lambda d: [_name(d), d["metadata"]["creationTimestamp"]]
    ),
    "DaemonSet": Printed(
        f"Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer, Node Selector, Age {_WORKLOAD}",
        _daemon_set,
    ),
    "Deployment": Printed(f"Name, Ready, Up-to-date, Available, Age {_WORKLOAD}", _deployment),
    "EndpointSlice": Printed("Name, AddressType, Ports, Endpoints, Age", _slice),
    "Event": Printed(
        "Last Seen, Type, Reason, Object | Subobject, Source ; Message | First Seen, Count:integer, Name", _event
    ),
    "HorizontalPodAutoscaler": Printed(
        "Name, Reference, Targets, MinPods, MaxPods:integer, Replicas:integer, Age", _autoscaler
    ),
    "Job": Printed(f"Name, Status, Completions, Duration, Age {_WORKLOAD}", _job),
    "Lease": Printed("Name, Holder, Age", lambda d: [_name(d), _spec(d).get("holderIdentity", ""), _age(d)]),
    "Namespace": Printed("Name, Status, Age", lambda d: [_name(d), _status(d).get("phase", ""), _age(d)]),
    "Node": Printed(
        "Name, Status, Roles, Age, Version | Internal-IP, External-IP, OS-Image, Kernel-Version, Container-Runtime",
        _node,
    ),
    "PersistentVolumeClaim": Printed(
        "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age | VolumeMode", _claim
    ),
    "Pod": Printed("Name, Ready, Status, Restarts, Age | IP, Node, Nominated Node, Readiness Gates", podrow.cells),
    "PodDisruptionBudget": Printed("Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age", _budget),
    "ReplicaSet": Printed(f"Name, Desired:integer, Current:integer, Ready:integer, Age {_WORKLOAD}", _replica_set),
    "ResourceQuota": Printed("Name, Request, Limit, Age", _quota),
    "Secret": Printed(
        "Name, Type, Data, Age", lambda d: [_name(d), d.get("type", ""), str(len(d.get("data") or {})), _age(d)]
    ),
    "Service": Printed("Name, Type, Cluster-IP, External-IP, Port(s), Age | Selector", _service),
    "StatefulSet": Printed("Name, Ready, Age | Containers, Images", _stateful_set),
}
PLAIN = Printed("Name, Age", lambda d: [_name(d), _age(d)])
