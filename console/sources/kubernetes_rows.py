"""From objects as the API has them to the rows of readings. Pure; all text is cleaned here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from console.clients import kubernetes_kinds as kinds
from console.clients.clean import clean
from console.clients.quantity import quantity
from console.readings.kubernetes import (
    KubeBudget,
    KubeNode,
    KubePod,
    KubeQuota,
    KubeScaler,
    KubeWarning,
    KubeWorkload,
)

_MESSAGE = 300
_NAME = 253
_ZONE, _REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
_HASH = "pod-template-hash"
_MOST_WARNINGS = 500


def node(found: kinds.Node) -> KubeNode:
    """A node."""
    labels = found.metadata.labels or {}
    conditions = {condition.type: condition for condition in found.status.conditions or ()}
    ready = conditions.pop("Ready", kinds.Condition())
    holds, can = found.status.capacity or {}, found.status.allocatable or {}
    return KubeNode(
        zone=clean(labels.get(_ZONE), 63),
        region=clean(labels.get(_REGION), 63),
        ready=clean(ready.status, 10),
        ready_since=ready.last_transition_time,
        reason="" if ready.status == "True" else clean(ready.reason, 80),
        pressures=tuple(
            sorted(
                clean(name, 60) if condition.status == "True" else f"{clean(name, 60)} unknown"
                for name, condition in conditions.items()
                if condition.status != "False"
            )
        ),
        cordoned=found.spec.unschedulable,
        taints=tuple(f"{clean(taint.key, _NAME)}:{clean(taint.effect, 30)}" for taint in found.spec.taints or ()),
        cpu_capacity=_amount(holds, "cpu"),
        memory_capacity=_whole(holds, "memory"),
        pods_capacity=_whole(holds, "pods"),
        cpu_allocatable=_amount(can, "cpu"),
        memory_allocatable=_whole(can, "memory"),
        pods_allocatable=_whole(can, "pods"),
        kubelet=clean(found.status.node_info.kubelet_version, 40),
        created_at=found.metadata.creation_timestamp,
    )


def pod(found: kinds.Pod) -> KubePod:
    """A pod."""
    containers = found.spec.containers or []
    statuses = found.status.container_statuses or []
    every = [*(found.status.init_container_statuses or ()), *statuses]
    digests = {status.name: status.image_id for status in statuses}
    reason, message = _trouble(found, every)
    ended = _last_ended(every)
    return KubePod(
        namespace=clean(found.metadata.namespace, _NAME),
        name=clean(found.metadata.name, _NAME),
        phase=clean(found.status.phase, 20),
        reason=clean(reason, 80),
        message=clean(message, _MESSAGE),
        ready=sum(status.ready for status in statuses),
        containers=len(containers),
        restarts=sum(status.restart_count for status in every),
        ended_reason=clean(ended.reason, 80) if ended else "",
        ended_code=ended.exit_code if ended else None,
        ended_at=ended.finished_at if ended else None,
        node=clean(found.spec.node_name, _NAME),
        owner=_owner(found.metadata),
        images=_images(containers),
        digests=tuple(_digest(digests.get(container.name, "")) for container in containers),
        cpu_request=_sum(containers, "requests", "cpu"),
        memory_request=int(_sum(containers, "requests", "memory")),
        cpu_limit=_sum(containers, "limits", "cpu"),
        memory_limit=int(_sum(containers, "limits", "memory")),
        created_at=found.metadata.creation_timestamp,
        started_at=found.status.start_time,
        deleted_at=found.metadata.deletion_timestamp,
    )


def _trouble(found: kinds.Pod, every: Iterable[kinds.ContainerStatus]) -> tuple[str, str]:
    """Why a pod does not run as it should, and what is said to it."""
    if found.status.reason:  # Evicted, NodeLost, Preempting
        return found.status.reason, found.status.message
    starting = ("", "")
    for status in every:
        state = status.state
        if state is None:
            continue
        if state.waiting is not None and state.waiting.reason:
            if state.waiting.reason not in ("ContainerCreating", "PodInitializing"):
                return state.waiting.reason, state.waiting.message
            starting = (state.waiting.reason, state.waiting.message)
        elif state.terminated is not None and state.terminated.exit_code:
            return state.terminated.reason, state.terminated.message
    if starting[0]:
        return starting
    for condition in found.status.conditions or ():
        if condition.type == "PodScheduled" and condition.status == "False":
            return condition.reason, condition.message
    return "", ""


def _last_ended(every: Iterable[kinds.ContainerStatus]) -> kinds.Terminated | None:
    last: kinds.Terminated | None = None
    for status in every:
        for state in (status.state, status.last_state):
            ended = state.terminated if state is not None else None
            if ended is not None and (last is None or _later(ended.finished_at, last.finished_at)):
                last = ended
    return last


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)


def _owner(meta: kinds.Meta) -> str:
    owner = next((owner for owner in meta.owner_references or () if owner.controller), None)
    if owner is None:
        return ""
    suffix = "-" + (meta.labels or {}).get(_HASH, "")
    if owner.kind == "ReplicaSet" and len(suffix) > 1 and owner.name.endswith(suffix):
        # A Deployment names its ReplicaSets so; asking for them would cost a watch more.
        return f"Deployment/{clean(owner.name.removesuffix(suffix), _NAME)}"
    return f"{clean(owner.kind, 63)}/{clean(owner.name, _NAME)}"


def _images(containers: Iterable[kinds.Container]) -> tuple[str, ...]:
    return tuple(clean(container.image, 300) for container in containers)


def _digest(image: str) -> str:
    """``sha256:…`` of ``docker-pullable://registry/odoo@sha256:…``; without one, what there is."""
    return clean(image.rpartition("@")[2], 300)


def _sum(containers: Iterable[kinds.Container], which: str, resource: str) -> float:
    total = 0.0
    for container in containers:
        amounts = getattr(container.resources, which, None)
        if amounts:
            total += quantity(amounts.get(resource, "0")) or 0.0
    return round(total, 6)


def workload(kind: str, found: kinds.Workload) -> KubeWorkload:
    """A workload of ``kind``: Deployment, StatefulSet, DaemonSet."""
    spec, status = found.spec, found.status
    each_node = kind == "DaemonSet"
    reason, message = _stuck(status.conditions or ())
    return KubeWorkload(
        kind=kind,
        namespace=clean(found.metadata.namespace, _NAME),
        name=clean(found.metadata.name, _NAME),
        desired=status.desired_number_scheduled if each_node else 1 if spec.replicas is None else spec.replicas,
        ready=status.number_ready if each_node else status.ready_replicas,
        updated=status.updated_number_scheduled if each_node else status.updated_replicas,
        available=status.number_available if each_node else status.available_replicas,
        paused=spec.paused,
        behind=status.observed_generation < found.metadata.generation,
        reason=clean(reason, 80),
        message=clean(message, _MESSAGE),
        images=_images(spec.template.spec.containers or ()),
        created_at=found.metadata.creation_timestamp,
    )


def _stuck(conditions: Iterable[kinds.Condition]) -> tuple[str, str]:
    """Why a workload does not progress: first why it cannot make pods, which says more than that it takes long."""
    found = {each.type: each for each in conditions}
    failed, progress = found.get("ReplicaFailure"), found.get("Progressing")
    if failed is not None and failed.status == "True":
        return failed.reason, failed.message
    if progress is not None and progress.status == "False":
        return progress.reason, progress.message
    return "", ""


def scaler(found: kinds.Scaler) -> KubeScaler:
    """A HorizontalPodAutoscaler."""
    conditions = {condition.type: condition for condition in found.status.conditions or ()}
    limited = conditions.get("ScalingLimited")
    failed = next(
        (c for name in ("AbleToScale", "ScalingActive") if (c := conditions.get(name)) and c.status == "False"), None
    )
    target = found.spec.scale_target_ref
    return KubeScaler(
        namespace=clean(found.metadata.namespace, _NAME),
        name=clean(found.metadata.name, _NAME),
        target=f"{clean(target.kind, 63)}/{clean(target.name, _NAME)}",
        minimum=1 if found.spec.min_replicas is None else found.spec.min_replicas,
        maximum=found.spec.max_replicas,
        current=found.status.current_replicas,
        desired=found.status.desired_replicas,
        at_limit=clean(limited.reason, 80) if limited is not None and limited.status == "True" else "",
        reason=clean(failed.reason, 80) if failed else "",
        message=clean(failed.message, _MESSAGE) if failed else "",
        scaled_at=found.status.last_scale_time,
    )


def quota(found: kinds.Quota) -> KubeQuota:
    """A ResourceQuota, as its controller last counted."""
    return KubeQuota(
        namespace=clean(found.metadata.namespace, _NAME),
        name=clean(found.metadata.name, _NAME),
        hard=_amounts(found.status.hard or {}),
        used=_amounts(found.status.used or {}),
    )


def budget(found: kinds.Budget) -> KubeBudget:
    """A PodDisruptionBudget."""
    least, most = found.spec.min_available, found.spec.max_unavailable
    return KubeBudget(
        namespace=clean(found.metadata.namespace, _NAME),
        name=clean(found.metadata.name, _NAME),
        min_available="" if least is None else clean(str(least), 20),
        max_unavailable="" if most is None else clean(str(most), 20),
        allowed=found.status.disruptions_allowed,
        healthy=found.status.current_healthy,
        needed=found.status.desired_healthy,
        expected=found.status.expected_pods,
    )


def warning(found: kinds.Event) -> KubeWarning:
    """One event, which may itself stand for several."""
    about = found.involved_object
    first = found.first_timestamp or found.event_time or found.metadata.creation_timestamp
    series = found.series
    return KubeWarning(
        namespace=clean(about.namespace or found.metadata.namespace, _NAME),
        object=f"{clean(about.kind, 63)}/{clean(about.name, _NAME)}",
        reason=clean(found.reason, 80),
        message=clean(found.message, _MESSAGE),
        count=max(1, found.count or (series.count if series else 1)),
        first_at=first,
        last_at=(series.last_observed_time if series else None) or found.last_timestamp or found.event_time or first,
    )


def grouped(events: Iterable[KubeWarning]) -> tuple[dict[str, KubeWarning], int]:
    """Events of one object and reason taken together, the newest groups; and how many groups were left out."""
    groups: dict[str, list[KubeWarning]] = {}
    for event in events:
        groups.setdefault(f"{event.namespace}/{event.object}/{event.reason}", []).append(event)
    made = {key: found[0] if len(found) == 1 else _together(found) for key, found in groups.items()}
    if len(made) <= _MOST_WARNINGS:
        return made, 0
    newest = sorted(made, key=lambda key: _seconds(made[key].last_at), reverse=True)[:_MOST_WARNINGS]
    return {key: made[key] for key in sorted(newest)}, len(made) - _MOST_WARNINGS


def _together(events: list[KubeWarning]) -> KubeWarning:
    last = max(events, key=lambda event: _seconds(event.last_at))
    firsts = [event.first_at for event in events if event.first_at is not None]
    return KubeWarning(
        namespace=last.namespace,
        object=last.object,
        reason=last.reason,
        message=last.message,
        count=sum(event.count for event in events),
        first_at=min(firsts, default=None),
        last_at=last.last_at,
    )


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else 0.0


def _amount(amounts: Mapping[str, str], resource: str) -> float | None:
    return quantity(amounts[resource]) if resource in amounts else None


def _whole(amounts: Mapping[str, str], resource: str) -> int | None:
    found = _amount(amounts, resource)
    return None if found is None else int(found)


def _amounts(amounts: Mapping[str, str]) -> dict[str, float]:
    return {clean(name, _NAME): found for name, text in amounts.items() if (found := quantity(text)) is not None}
