"""From objects to rows: what an engineer reads from them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.clients import kubernetes_kinds as kinds
from console.clients.kubernetes_mirror import page_type
from console.clients.quantity import quantity
from console.frames import apply, diff
from console.readings import NOT_RECORDED, hide_text, topics
from console.readings.kubernetes import KubernetesPods, KubernetesWarnings, KubeWarning
from console.sources import kubernetes_rows as rows
from tests.rigs_kubernetes import real_pod
from tests.strategies import histories


def read(shape: Any, value: dict[str, Any]) -> Any:
    return msgspec.json.decode(json.dumps(value), type=shape)


def pod(**status: Any) -> Any:
    found = real_pod(1)
    found["status"] |= status
    return rows.pod(read(kinds.Pod, found))


def waiting(reason: str, message: str = "") -> list[dict[str, Any]]:
    return [
        {
            "name": "odoo",
            "ready": False,
            "restartCount": 5,
            "state": {"waiting": {"reason": reason, "message": message}},
        }
    ]


def test_a_pod_of_a_deployment() -> None:
    found = rows.pod(read(kinds.Pod, real_pod(1, restarts=2)))
    assert (found.phase, found.ready, found.containers, found.restarts, found.reason) == ("Running", 2, 2, 4, "")
    assert found.owner == "Deployment/odoo" and found.node == "node-1"
    assert found.images == ("registry.example/odoo:18.0", "registry.example/exporter:18.0")
    assert found.digests == (f"sha256:{'c' * 64}",) * 2
    assert (found.cpu_request, found.memory_request, found.cpu_limit, found.memory_limit) == (0.5, 2**30, 0.0, 2**31)
    assert (found.ended_reason, found.ended_code) == ("OOMKilled", 137)
    assert found.created_at is not None and found.created_at.utcoffset() is not None


@pytest.mark.parametrize(
    "reason", ["CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError"]
)
def test_why_a_container_waits(reason: str) -> None:
    found = pod(containerStatuses=waiting(reason, "back-off\x1b[31m 5m0s"))
    assert found.reason == reason and "\x1b" not in found.message
    assert hide_text(found).message == NOT_RECORDED


def test_why_a_pod_is_not_placed_or_was_thrown_out() -> None:
    unplaced = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]
    found = pod(phase="Pending", conditions=unplaced, containerStatuses=None)
    assert (found.reason, found.message, found.digests) == ("Unschedulable", "0/3 nodes", ("", ""))
    assert pod(phase="Failed", reason="Evicted", message="low on memory").reason == "Evicted"
    # Starting up is said only where nothing worse is.
    assert pod(containerStatuses=waiting("ContainerCreating") + waiting("ErrImagePull")).reason == "ErrImagePull"


def test_a_node() -> None:
    def condition(kind: str, status: str) -> dict[str, str]:
        return {
            "type": kind,
            "status": status,
            "reason": "NodeStatusUnknown",
            "lastTransitionTime": "2026-11-20T08:00:00Z",
        }

    found = rows.node(
        read(
            kinds.Node,
            {
                "metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "a"}},
                "spec": {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]},
                "status": {
                    "capacity": {"cpu": "4", "memory": "16Gi", "pods": "110"},
                    "allocatable": {"cpu": "3920m", "memory": "15Gi", "pods": "110"},
                    "conditions": [condition("Ready", "Unknown"), condition("MemoryPressure", "True"), condition("DiskPressure", "Unknown"), condition("PIDPressure", "False")],
                },
            },
        )
    )  # fmt: skip
    assert (found.zone, found.ready, found.reason, found.cordoned) == ("a", "Unknown", "NodeStatusUnknown", True)
    assert found.pressures == ("DiskPressure unknown", "MemoryPressure") and found.taints == ("k:NoSchedule",)
    assert (found.cpu_capacity, found.cpu_allocatable, found.memory_capacity) == (4.0, 3.92, 16 * 2**30)
    empty = rows.node(kinds.Node())
    assert (empty.ready, empty.cpu_capacity) == ("", None)


def test_workloads_count_under_their_own_names() -> None:
    deployment = {
        "metadata": {"name": "w", "generation": 2},
        "spec": {},
        "status": {"readyReplicas": 1, "observedGeneration": 1},
    }
    found = rows.workload("Deployment", read(kinds.Workload, deployment))
    assert (found.desired, found.ready, found.behind) == (1, 1, True)
    daemons = {
        "status": {"desiredNumberScheduled": 3, "numberReady": 2, "updatedNumberScheduled": 3, "numberAvailable": 1}
    }
    found = rows.workload("DaemonSet", read(kinds.Workload, daemons))
    assert (found.desired, found.ready, found.updated, found.available) == (3, 2, 3, 1)
    stuck = {
        "status": {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}
    }
    assert rows.workload("Deployment", read(kinds.Workload, stuck)).reason == "ProgressDeadlineExceeded"


def test_scalers_quotas_and_budgets() -> None:
    limited = [{"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}]
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 2, "maxReplicas": 5}
    found = rows.scaler(
        read(
            kinds.Scaler, {"spec": spec, "status": {"currentReplicas": 5, "desiredReplicas": 5, "conditions": limited}}
        )
    )
    assert (found.target, found.minimum, found.maximum, found.at_limit) == ("Deployment/web", 2, 5, "TooManyReplicas")
    quota = {"status": {"hard": {"requests.cpu": "2", "pods": "10"}, "used": {"requests.cpu": "1500m", "pods": "3"}}}
    assert rows.quota(read(kinds.Quota, quota)).used == {"requests.cpu": 1.5, "pods": 3.0}
    budget = {
        "spec": {"minAvailable": "50%"},
        "status": {"disruptionsAllowed": 0, "expectedPods": 2, "currentHealthy": 1},
    }
    assert rows.budget(read(kinds.Budget, budget)).blocks and not rows.budget(kinds.Budget()).blocks


def test_warnings_about_one_object_for_one_reason_are_one() -> None:
    def event(count: int | None, minute: int, **more: Any) -> KubeWarning:
        at = f"2026-11-22T01:{minute:02}:00Z"
        about = {"kind": "Pod", "namespace": "t1", "name": "web-1"}
        return rows.warning(
            read(
                kinds.Event,
                {"involvedObject": about, "reason": "BackOff", "message": f"m{minute}", "count": count, "firstTimestamp": at, "lastTimestamp": at} | more,
            )
        )  # fmt: skip

    series = {"count": 7, "lastObservedTime": "2026-11-22T01:30:00.000001Z"}
    groups, more = rows.grouped([event(3, 10), event(None, 20, series=series), event(2, 5)])
    (key,), (group,) = groups, groups.values()
    assert key == "t1/Pod/web-1/BackOff" and more == 0
    assert (group.count, group.message) == (12, "m20")
    assert (
        group.first_at is not None
        and group.first_at.minute == 5
        and group.last_at is not None
        and group.last_at.minute == 30
    )
    many, more = rows.grouped(KubeWarning(namespace="n", object=f"Pod/{i}") for i in range(520))
    assert (len(many), more) == (500, 20)


@pytest.mark.parametrize(
    ("text", "value"),
    [("100m", 0.1), ("1Gi", 2.0**30), ("1.5G", 1.5e9), ("2e3", 2000.0), ("5E", 5e18), ("0", 0.0), (".5", 0.5), ("12Ki", 12288.0), ("1E2", 100.0)],
)  # fmt: skip
def test_quantities(text: str, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


@given(st.text(max_size=12))
def test_what_is_no_quantity_is_none(text: str) -> None:
    found = quantity(text)
    assert found is None or any(character.isdigit() for character in text)


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.plural)
def test_lists_that_are_null_or_empty_are_read(kind: kinds.Kind) -> None:
    for body in (
        b'{"items":null,"metadata":{}}',
        b'{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"labels":null}}]}',
    ):
        msgspec.json.decode(body, type=page_type(kind))


@given(histories(KubernetesPods, KubernetesWarnings))
def test_frames_carry_every_change(history: list[Any]) -> None:
    shown: dict[tuple[str, str], Any] = {}
    for reading in history:
        frame = diff(shown.get(reading.where), reading)
        if frame is not None:
            shown[reading.where] = apply(shown.get(reading.where), frame)
        assert shown[reading.where] == reading


def test_every_topic_has_its_pane() -> None:
    mine = [cls for cls in topics().values() if cls.topic.partition(".")[0] == "kubernetes"]
    assert len(mine) == 11
    assert {cls.pane for cls in mine} == {"cluster"}
