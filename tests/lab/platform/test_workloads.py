"""Deployments, quotas, autoscalers and budgets act."""

from __future__ import annotations

import time

import pytest

from console.lab.platform import control
from console.lab.platform.admin import AdminError, condition
from tests.lab.platform.rig import Json, Platform, container, deployment, ready

pytestmark = pytest.mark.server


def test_scale_roll_out_undo_and_restart(platform: Platform) -> None:
    platform.namespace("roll")
    platform.admin.apply(deployment("roll", replicas=2))
    assert "successfully rolled out" in platform.kubectl(
        "rollout", "status", "deploy/web", "-n", "roll", "--timeout=20s"
    )
    platform.kubectl("scale", "deploy/web", "--replicas=3", "-n", "roll")
    platform.admin.rolled_out("web", "roll", 15)
    platform.kubectl("set", "image", "deploy/web", "web=test/web:2", "-n", "roll")
    least = 3
    end = time.monotonic() + 20
    while True:  # with a surge of one and none unavailable, three serve all the time
        serving = sum(ready(each) for each in platform.pods("roll"))
        least = min(least, serving)
        status = platform.admin.get("Deployment", "web", "roll")["status"]
        if status.get("updatedReplicas") == 3 and status["replicas"] == 3 and status["observedGeneration"] == 3:
            break
        assert time.monotonic() < end, status
    assert least == 3
    platform.admin.rolled_out("web", "roll", 15)
    history = platform.kubectl("rollout", "history", "deploy/web", "-n", "roll")
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["1", "2"]
    assert "rolled back" in platform.kubectl("rollout", "undo", "deploy/web", "-n", "roll")
    data = platform.admin.rolled_out("web", "roll", 15)
    assert data["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    assert {container(each)["image"] for each in platform.pods("roll")} == {"test/web:1"}
    names = {each["metadata"]["name"] for each in platform.pods("roll")}
    platform.kubectl("rollout", "restart", "deploy/web", "-n", "roll")
    platform.admin.rolled_out("web", "roll", 15)
    assert not names & {each["metadata"]["name"] for each in platform.pods("roll")}
    assert condition(platform.admin.get("Deployment", "web", "roll"), "Progressing") == "True"
    assert len(platform.admin.objects("ReplicaSet", "roll")) == 3
    platform.kubectl("rollout", "pause", "deploy/web", "-n", "roll")
    platform.kubectl("set", "image", "deploy/web", "web=test/web:2", "-n", "roll")
    paused = platform.admin.wait_for(
        "Deployment", "web", "roll", lambda each: condition(each, "Progressing") == "Unknown", 10
    )
    assert "updatedReplicas" not in paused["status"]
    assert {container(each)["image"] for each in platform.pods("roll")} == {"test/web:1"}
    platform.kubectl("rollout", "resume", "deploy/web", "-n", "roll")
    platform.admin.rolled_out("web", "roll", 20)
    assert {container(each)["image"] for each in platform.pods("roll")} == {"test/web:2"}


def test_a_rollout_that_gets_nowhere_says_so_and_the_old_pods_stay(platform: Platform) -> None:
    platform.namespace("stuck")
    platform.admin.apply(deployment("stuck", progressDeadlineSeconds=2))
    platform.admin.rolled_out("web", "stuck", 15)
    platform.admin.apply(deployment("stuck", progressDeadlineSeconds=2, container={"image": "test/web:404"}))
    data = platform.admin.wait_for(
        "Deployment", "web", "stuck", lambda each: condition(each, "Progressing") == "False", 15
    )
    assert condition(data, "Available") == "True"
    assert data["status"]["readyReplicas"] == 1
    told = platform.kubectl("rollout", "status", "deploy/web", "-n", "stuck", code=1)
    assert "exceeded its progress deadline" in told


def test_a_quota_refuses_pods_and_lets_them_in_when_there_is_room(platform: Platform) -> None:
    platform.namespace("quota")
    quota: Json = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "quota"}}
    platform.admin.apply({**quota, "spec": {"hard": {"requests.cpu": "150m", "pods": "5"}}})
    platform.admin.apply(deployment("quota", replicas=2))
    data = platform.admin.wait_for(
        "Deployment", "web", "quota", lambda each: condition(each, "ReplicaFailure") == "True", 15
    )
    reasons = {each["type"]: each for each in data["status"]["conditions"]}
    assert reasons["ReplicaFailure"]["reason"] == "FailedCreate"
    assert "exceeded quota: q" in reasons["ReplicaFailure"]["message"]
    assert "FailedCreate" in platform.kubectl("get", "events", "-n", "quota")
    assert platform.admin.get("ResourceQuota", "q", "quota")["status"]["used"]["requests.cpu"] == "100m"
    platform.admin.apply({**quota, "spec": {"hard": {"requests.cpu": "300m", "pods": "5"}}})
    data = platform.admin.rolled_out("web", "quota", 30)
    assert condition(data, "ReplicaFailure") == ""


def _scaler(namespace: str, most: int) -> Json:
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    }


def test_an_autoscaler_measures_scales_up_to_its_limit_and_down_again(platform: Platform) -> None:
    platform.namespace("hpa")
    platform.admin.apply(deployment("hpa", "burn"), _scaler("hpa", 2))
    data = platform.admin.wait_for(
        "HorizontalPodAutoscaler", "web", "hpa", lambda each: condition(each, "ScalingLimited") == "True", 30
    )
    assert condition(data, "ScalingActive") == "True"
    assert data["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"] > 50
    platform.admin.wait_for("Deployment", "web", "hpa", lambda each: each["status"].get("readyReplicas") == 2, 20)
    assert "SuccessfulRescale" in platform.kubectl("get", "events", "-n", "hpa")
    top = platform.kubectl("top", "pods", "-n", "hpa", "--no-headers").split()
    assert int(top[1].removesuffix("m")) > 50
    assert int(top[2].removesuffix("Mi")) > 1
    assert "%" in platform.kubectl("top", "nodes", "--no-headers")
    control.metrics(platform.directory, there=False)
    try:
        data = platform.admin.wait_for(
            "HorizontalPodAutoscaler", "web", "hpa", lambda each: condition(each, "ScalingActive") == "False", 15
        )
        assert "Metrics API not available" in platform.kubectl("top", "pods", "-n", "hpa", code=1)
    finally:
        control.metrics(platform.directory, there=True)
    platform.admin.apply(deployment("hpa", replicas=2))
    platform.admin.wait_for("Deployment", "web", "hpa", lambda each: each["spec"]["replicas"] == 1, 40)


def test_a_budget_blocks_eviction_and_drain_until_there_are_enough(platform: Platform) -> None:
    platform.namespace("budget")
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "budget"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }
    platform.admin.apply(budget, deployment("budget"))
    platform.admin.rolled_out("web", "budget", 15)
    (pod,) = platform.pods("budget")
    name = pod["metadata"]["name"]
    found = platform.admin.wait_for(
        "PodDisruptionBudget", "web", "budget", lambda each: each["status"].get("currentHealthy") == 1, 10
    )
    assert found["status"]["disruptionsAllowed"] == 0
    with pytest.raises(AdminError) as refused:
        platform.admin.evict(name, "budget")
    assert refused.value.code == 429
    node = pod["spec"]["nodeName"]
    arguments = ("drain", node, "--ignore-daemonsets", "--force", "--pod-selector=app=web", "-n", "budget")
    try:
        assert "violate the pod's disruption budget" in platform.kubectl(*arguments, "--timeout=2s", code=1)
        platform.admin.scale("Deployment", "web", 2, "budget")
        platform.admin.wait_for(
            "PodDisruptionBudget", "web", "budget", lambda each: each["status"].get("disruptionsAllowed") == 1, 15
        )
        assert "drained" in platform.kubectl(*arguments, "--timeout=20s")
        platform.admin.rolled_out("web", "budget", 20)
        assert node not in {each["spec"]["nodeName"] for each in platform.pods("budget")}
    finally:
        platform.kubectl("uncordon", node)


def test_the_viewer_may_do_nothing_until_it_is_granted(platform: Platform) -> None:
    viewer = platform.directory / "kubernetes" / "viewer.kubeconfig"
    assert "no" in platform.kubectl("auth", "can-i", "list", "pods", config=viewer, code=1)
    assert "banksman" in platform.kubectl("auth", "whoami", config=viewer)
    assert "yes" in platform.kubectl("auth", "can-i", "delete", "pods")
