"""Nodes are lost and come back, run out of disk, and the process itself may be killed."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from console.lab.errors import LabError
from console.lab.platform import control
from console.lab.platform.admin import Admin, AdminError, condition
from console.lab.platform.nodes import GRACE_S
from console.lab.process import Identity, alive, identify, processes_of, stopped, wait_gone
from console.lab.sweep import sweep
from tests.lab.platform.rig import SMALL, Json, Platform, container, deployment, fetch, pid, ready, state

pytestmark = pytest.mark.server

_HASTY = [
    {"key": f"node.kubernetes.io/{why}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}
    for why in ("unreachable", "not-ready")
]


def _on(node: str, *words: str, namespace: str, name: str, **pod: Any) -> Json:
    chosen = {"nodeSelector": {"kubernetes.io/hostname": node}, **pod}
    return deployment(namespace, *words, name=name, pod=chosen)


def _process(pod: Json) -> Identity:
    found = identify(pid(pod))
    assert found is not None
    return found


def test_a_zone_is_lost_and_comes_back(platform: Platform) -> None:
    """One node without power, one behind a cut network; pods with short tolerations move, the others wait."""
    platform.namespace("zone")
    dark, cut = control.zone(platform.directory, "a")
    hasty = deployment("zone", name="hasty", replicas=3, pod={"tolerations": _HASTY})
    platform.admin.apply(hasty, _on(dark, namespace="zone", name="dark"), _on(cut, namespace="zone", name="cut"))
    for name in ("hasty", "dark", "cut"):
        platform.admin.rolled_out(name, "zone", 20)
    pods = {each["metadata"]["labels"]["app"]: each for each in platform.pods("zone")}
    (moving,) = [
        each
        for each in platform.pods("zone")
        if each["metadata"]["labels"]["app"] == "hasty" and each["spec"]["nodeName"] in (dark, cut)
    ]
    killed, frozen = _process(pods["dark"]), _process(pods["cut"])
    control.lose(platform.directory, dark)
    control.lose(platform.directory, cut, how="freeze")
    try:
        assert control.lost(platform.directory) == {dark: "power", cut: "freeze"}
        assert wait_gone([killed], 5) == []
        assert stopped(frozen)
        for node in (dark, cut):
            found = platform.admin.wait_for("Node", node, "", lambda each: condition(each, "Ready") == "Unknown", 20)
            reasons = {each["reason"] for each in found["status"]["conditions"]}
            assert reasons == {"NodeStatusUnknown"}
        assert "NotReady" in platform.kubectl("get", "node", dark)
        platform.admin.rolled_out("hasty", "zone", 20)
        assert not {dark, cut} & {
            each["spec"]["nodeName"] for each in platform.pods("zone") if each["metadata"]["labels"]["app"] == "hasty"
        }
        name = moving["metadata"]["name"]
        assert "Terminating" in platform.kubectl("get", "pod", name, "-n", "zone")
        assert condition(platform.admin.get("Pod", pods["dark"]["metadata"]["name"], "zone"), "Ready") == "False"
        dark_name = pods["dark"]["metadata"]["name"]
        assert "no route to host" in platform.kubectl("logs", dark_name, "-n", "zone", code=1)
        (shown,) = [line for line in platform.kubectl("top", "nodes").splitlines() if line.startswith(dark)]
        assert "<unknown>" in shown
    finally:
        control.restore(platform.directory)
    for node in (dark, cut):
        platform.admin.wait_for(
            "Node", node, "", lambda each: condition(each, "Ready") == "True" and "taints" not in each["spec"], 15
        )
    platform.admin.wait_gone("Pod", moving["metadata"]["name"], "zone", 15)
    for name in ("dark", "cut"):
        platform.admin.rolled_out(name, "zone", 15)
    back = {each["metadata"]["labels"]["app"]: each for each in platform.pods("zone")}
    assert container(back["dark"])["restartCount"] == 1
    assert alive(frozen) and not stopped(frozen)
    assert container(back["cut"])["restartCount"] == 0
    assert fetch(back["cut"]) == fetch(back["dark"]) == "ok"


def test_a_full_disk_keeps_pods_away(platform: Platform) -> None:
    platform.namespace("disk")
    node = control.zone(platform.directory, "b")[0]
    control.fill_disk(platform.directory, node)
    try:
        platform.admin.wait_for("Node", node, "", lambda each: condition(each, "DiskPressure") == "True", 15)
        platform.admin.wait_for("Node", node, "", lambda each: each["spec"].get("taints"), 15)
        platform.admin.apply(_on(node, namespace="disk", name="web"))
        platform.wait_event("disk", "1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }")
        (pod,) = platform.pods("disk")
        assert condition(pod, "PodScheduled") == "False"
    finally:
        control.empty_disk(platform.directory, node)
    platform.admin.wait_for("Node", node, "", lambda each: condition(each, "DiskPressure") == "False", 15)
    platform.admin.rolled_out("web", "disk", 20)


def test_a_node_short_of_memory_evicts_who_uses_most(platform: Platform) -> None:
    platform.namespace("short")
    stays = {"tolerations": [{"key": "small", "operator": "Exists"}]}
    platform.admin.apply(_on(SMALL, namespace="short", name="modest", **stays))
    platform.admin.apply(_on(SMALL, "eat", namespace="short", name="greedy", **stays))
    platform.admin.wait_for("Node", SMALL, "", lambda each: condition(each, "MemoryPressure") == "True", 20)

    def evicted(pods: list[Json]) -> list[Json]:
        return [each for each in pods if each["status"].get("reason") == "Evicted" and state(each)]

    (gone, *_) = evicted(platform.wait_pods("short", evicted, 20))
    assert gone["metadata"]["labels"]["app"] == "greedy"
    assert "low on resource: memory" in gone["status"]["message"]
    assert gone["status"]["phase"] == "Failed"
    platform.wait_event("short", "untolerated taint {node.kubernetes.io/memory-pressure: }")
    platform.admin.delete("Deployment", "greedy", "short")
    platform.admin.wait_for("Node", SMALL, "", lambda each: condition(each, "MemoryPressure") == "False", 20)
    platform.admin.rolled_out("modest", "short", 10)


def test_what_asks_for_more_than_there_is_stays_pending(platform: Platform) -> None:
    platform.namespace("room")
    asked = {"resources": {"requests": {"cpu": "64", "memory": "1Gi"}}}
    platform.admin.apply(deployment("room", container=asked))
    platform.wait_event(
        "room", "0/6 nodes are available: 1 node(s) had untolerated taint {small: }, 5 Insufficient cpu."
    )
    assert [each["status"]["phase"] for each in platform.pods("room")] == ["Pending"]


def test_the_api_goes_away_while_pods_go_on(platform: Platform) -> None:
    platform.namespace("away")
    platform.admin.apply(deployment("away"))
    platform.admin.rolled_out("web", "away", 15)
    (pod,) = platform.pods("away")
    control.api(platform.directory, there=False)
    try:
        with pytest.raises(AdminError) as failed:
            platform.admin.objects("Node")
        assert failed.value.code == 0
        assert fetch(pod) == "ok"
    finally:
        control.api(platform.directory, there=True)
    assert ready(platform.admin.get("Pod", pod["metadata"]["name"], "away"))
    with pytest.raises(LabError, match="no node 'node-77'"):
        control.lose(platform.directory, "node-77")


@pytest.mark.matrix
def test_a_platform_that_stood_still_does_not_blame_its_nodes(platform: Platform) -> None:
    before = {each["metadata"]["name"]: each["status"]["conditions"] for each in platform.admin.objects("Node")}
    platform.process.send_signal(signal.SIGSTOP)
    time.sleep(GRACE_S + 1)  # what is tested is that this time passes
    platform.process.send_signal(signal.SIGCONT)
    lease = platform.admin.get("Lease", SMALL, "kube-node-lease")["spec"]["renewTime"]
    platform.admin.wait_for(
        "Lease", SMALL, "kube-node-lease", lambda each: each["spec"]["renewTime"] > lease, 15, "not renewed"
    )
    after = {each["metadata"]["name"]: each["status"]["conditions"] for each in platform.admin.objects("Node")}
    assert after == before
    events = [each["reason"] for each in platform.admin.objects("Event") if each["involvedObject"]["name"] == SMALL]
    assert "NodeNotReady" not in events


def test_killed_and_started_anew_and_then_swept_away(platform: Platform) -> None:
    """The last test here: it ends the platform."""
    platform.namespace("anew")
    platform.admin.apply(deployment("anew", "child"))
    platform.admin.rolled_out("web", "anew", 15)
    (pod,) = platform.pods("anew")
    old = _process(pod)
    _wait_kept(platform, pod)
    platform.process.send_signal(signal.SIGKILL)
    platform.process.wait(10)
    assert alive(old)
    second = platform.start()
    try:
        with Admin.of(platform.directory) as admin:
            name = pod["metadata"]["name"]
            found = admin.wait_for(
                "Pod", name, "anew", lambda each: container(each)["restartCount"] and ready(each), 20
            )
            assert found["metadata"]["uid"] == pod["metadata"]["uid"]
        assert not alive(old)
        second.kill()
        second.wait(10)
        assert len(processes_of(platform.directory)) > 1
    finally:
        sweep(platform.directory)
        second.wait(10)
    assert processes_of(platform.directory) == []


def _wait_kept(platform: Platform, pod: Json) -> None:
    """Wait until what is known of a pod is in the file."""
    kept = platform.directory / "kubernetes" / "state.json"
    wanted = container(pod)["containerID"].encode()
    platform.admin.wait_for("Namespace", "anew", "", lambda _: wanted in kept.read_bytes(), 15)
