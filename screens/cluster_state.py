"""How pods, nodes and workloads are, in few words, with a style and a rank: what is worst comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from console.readings import KubeNode, KubePod, KubeWorkload
from widgets.format import short_age

BROKEN = frozenset(
    (
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "PostStartHookError",
        "StartError",
        "OOMKilled",
        "Error",
    )
)
"""Reasons (of the kubelet) for which a container does not run, and will not without somebody's help."""
STARTING = frozenset(("ContainerCreating", "PodInitializing"))


class State(NamedTuple):
    """In words, style, and rank: 0 is worst, from ``FINE`` on nothing is wrong."""

    words: str
    style: str
    rank: int


FINE = 6
RUNNING = State("Running", "ok", 8)


def pod_state(pod: KubePod, lost: bool) -> State:
    """How a pod is; ``lost``: its node does not report, so that nobody knows."""
    if (
        pod.phase == "Running"
        and not pod.reason
        and pod.ready >= pod.containers
        and pod.deleted_at is None
        and not lost
    ):
        return RUNNING
    if pod.phase == "Succeeded":
        return State("Completed", "muted", 9)
    if lost:
        return State("node lost", "unknown", 1)
    if pod.deleted_at is not None:
        return State("Terminating", "muted", 7)
    if pod.phase == "Failed":
        return State(pod.reason or "Failed", "warning", 4)
    if pod.reason in BROKEN:
        return State(pod.reason, "critical", 0)
    if pod.phase == "Pending":
        if pod.reason in STARTING:
            return State(pod.reason, "muted", 6)
        return State(pod.reason or "Pending", "warning", 2)
    if pod.phase != "Running":
        return State(pod.phase or "not told", "unknown", 1)
    if pod.ready < pod.containers:
        return State("not ready" if not pod.reason or pod.reason in STARTING else pod.reason, "warning", 3)
    return RUNNING


class Counted(NamedTuple):
    """Pods of a cluster, told apart by how they are."""

    total: int
    running: int
    """Ready, on nodes that report."""
    others: tuple[tuple[State, int], ...]
    """The rest by state, the worst first."""

    @property
    def troubled(self) -> int:
        """Pods that are not as they should be."""
        return sum(many for state, many in self.others if state.rank < FINE)

    @property
    def worst(self) -> str:
        """Style of the worst."""
        return next((state.style for state, _ in self.others if state.rank < FINE), "")


def counted(pods: Iterable[KubePod], lost: frozenset[str]) -> Counted:
    """Count pods by state."""
    amounts: dict[State, int] = {}
    running = 0
    for pod in pods:
        state = pod_state(pod, pod.node in lost)
        if state is RUNNING:
            running += 1
        else:
            amounts[state] = amounts.get(state, 0) + 1
    others = sorted(((s, many) for s, many in amounts.items()), key=lambda each: (each[0].rank, -each[1]))
    return Counted(running + sum(amounts.values()), running, tuple(others))


def node_state(node: KubeNode, now: datetime) -> State:
    """How a node is: ready or not and since when, pressures, cordoned."""
    since = f" {short_age((now - node.ready_since).total_seconds())}" if node.ready_since else ""
    if node.ready == "False":
        return State(f"not ready{since}", "critical", 0)
    if node.ready != "True":
        return State(f"no report{since}" if node.ready else "has never reported", "critical", 0)
    wrong = [*node.pressures, *(("cordoned",) if node.cordoned else ())]
    if node.pressures:
        return State(", ".join(wrong), "warning", 1)
    if node.cordoned:
        return State("ready, cordoned", "warning", 2)
    return State("ready", "ok", 8)


def workload_state(workload: KubeWorkload, worst: State | None) -> State:
    """How a workload is; ``worst``: the state of the pod of it that is worst off."""
    missing = workload.desired - workload.ready
    why = worst.words if worst is not None and worst.rank < FINE else ""
    if missing > 0:
        reason = workload.reason or why or "not ready"
        if why and workload.reason == "ProgressDeadlineExceeded":
            reason = why  # it only says that something has lasted too long
        elif why and workload.reason and why not in workload.reason:
            reason = f"{workload.reason}, {why}"
        bad = workload.ready == 0 or (worst is not None and worst.rank == 0)
        return State(reason, "critical" if bad else "warning", 0 if workload.ready == 0 else 1)
    if workload.reason:
        return State(workload.reason, "warning", 2)
    if why:
        return State(f"extra pod: {why}" if worst and worst.rank != 1 else why, worst.style if worst else "", 3)
    if workload.behind:
        return State("not seen by its controller", "warning", 4)
    if workload.paused:
        return State("paused", "warning", 5)
    if workload.desired == 0:
        return State("scaled to 0", "muted", 7)
    if workload.updated < workload.desired:
        return State("rolling out", "", FINE)
    return State("ok", "ok", 8)


def by_owner(pods: Mapping[str, KubePod]) -> dict[tuple[str, str], tuple[KubePod, ...]]:
    """(namespace, ``Deployment/odoo``) → its pods."""
    found: dict[tuple[str, str], list[KubePod]] = {}
    for pod in pods.values():
        if pod.owner:
            found.setdefault((pod.namespace, pod.owner), []).append(pod)
    return {key: tuple(each) for key, each in found.items()}


def worst_pod(pods: Iterable[KubePod], lost: frozenset[str]) -> tuple[KubePod, State] | None:
    """The pod that is worst off, and how; those that have ended or are ending do not count."""
    states = ((pod, pod_state(pod, pod.node in lost)) for pod in pods if pod.phase != "Failed")
    return min(states, key=lambda each: (each[1].rank, -each[0].restarts, each[0].name), default=None)
