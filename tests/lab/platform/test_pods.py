"""Pods are processes: they start, answer, crash, are ended and leave logs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from console.lab.platform.settings import Files
from console.lab.process import alive, identify, wait_gone
from tests.lab.platform.rig import Json, Platform, container, deployment, fetch, pid, ready, state

pytestmark = pytest.mark.server


def test_a_pod_is_a_process_with_an_address_of_its_own(platform: Platform) -> None:
    platform.namespace("one")
    platform.admin.apply(deployment("one", "child", replicas=2))
    platform.admin.rolled_out("web", "one", 15)
    pods = platform.pods("one")
    assert len({each["status"]["podIP"] for each in pods}) == 2
    assert len({each["spec"]["nodeName"] for each in pods}) == 2
    assert [fetch(each) for each in pods] == ["ok", "ok"]
    assert container(pods[0])["imageID"].startswith("test/web@sha256:")
    assert b"program.py" in Path(f"/proc/{pid(pods[0])}/cmdline").read_bytes()
    shown = platform.kubectl("get", "pods", "-n", "one", "-o", "wide")
    assert shown.count("1/1     Running   0") == 2
    told = platform.kubectl("describe", "pod", pods[0]["metadata"]["name"], "-n", "one")
    assert "Started container web" in told and "Successfully assigned one/" in told


def test_a_pod_that_is_deleted_ends_with_all_it_started_and_is_replaced(platform: Platform) -> None:
    platform.namespace("gone")
    platform.admin.apply(deployment("gone", "child"))
    platform.admin.rolled_out("web", "gone", 15)
    (old,) = platform.pods("gone")
    own = identify(pid(old))
    children = [identify(int(each)) for each in Path(f"/proc/{pid(old)}/task/{pid(old)}/children").read_text().split()]
    assert own is not None and len(children) == 1 and children[0] is not None
    platform.kubectl("delete", "pod", old["metadata"]["name"], "-n", "gone")
    assert wait_gone([own, children[0]], 5) == []
    platform.admin.rolled_out("web", "gone", 15)
    (new,) = platform.pods("gone")
    assert new["metadata"]["name"] != old["metadata"]["name"]


def test_who_does_not_end_when_asked_is_ended_after_its_grace(platform: Platform) -> None:
    platform.namespace("stubborn")
    platform.admin.apply(deployment("stubborn", "stubborn", pod={"terminationGracePeriodSeconds": 2}))
    platform.admin.rolled_out("web", "stubborn", 15)
    (pod,) = platform.pods("stubborn")
    process = identify(pid(pod))
    assert process is not None
    platform.admin.delete("Deployment", "web", "stubborn")
    name = pod["metadata"]["name"]
    platform.admin.wait_for("Pod", name, "stubborn", lambda each: "deletionTimestamp" in each["metadata"], 10)
    assert alive(process)
    platform.admin.wait_gone("Pod", name, "stubborn", 10)
    assert not alive(process)
    assert not Files(platform.directory).log("stubborn", name, "web").exists()


def test_a_crash_loop(platform: Platform) -> None:
    platform.namespace("crash")
    platform.admin.apply(deployment("crash", "crash"))

    def loops(pods: list[Json]) -> bool:
        return bool(pods) and container(pods[0]).get("restartCount", 0) >= 2 and state(pods[0]) == "CrashLoopBackOff"

    (pod,) = platform.wait_pods("crash", loops)
    assert container(pod)["lastState"]["terminated"]["exitCode"] == 3
    assert not ready(pod)
    name = pod["metadata"]["name"]
    assert "CrashLoopBackOff" in platform.kubectl("get", "pod", name, "-n", "crash")
    assert "hello from" in platform.kubectl("logs", name, "-n", "crash", "--previous")
    assert "Back-off restarting failed container" in platform.kubectl("get", "events", "-n", "crash")
    assert platform.admin.get("Deployment", "web", "crash")["status"]["unavailableReplicas"] == 1
    assert '"crash" deleted' in platform.kubectl("delete", "namespace", "crash", "--timeout=15s")
    assert not (platform.directory / "pods" / f"crash_{name}").exists()


def test_a_pod_that_runs_once(platform: Platform) -> None:
    platform.namespace("once")
    for name, word in (("well", "done"), ("badly", "crash")):
        spec = deployment("once", word)["spec"]["template"]["spec"] | {"restartPolicy": "Never"}
        metadata = {"name": name, "namespace": "once"}
        platform.admin.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    for name, phase in (("well", "Succeeded"), ("badly", "Failed")):
        found = platform.admin.wait_for("Pod", name, "once", lambda each, p=phase: each["status"]["phase"] == p, 10)
        assert container(found)["restartCount"] == 0
    shown = platform.kubectl("get", "pods", "-n", "once", "--no-headers").split()
    assert shown[2] == "Error" and shown[7] == "Completed"
    assert "hello from well" in platform.kubectl("logs", "well", "-n", "once")
    platform.kubectl("delete", "pods", "well", "badly", "-n", "once", "--timeout=10s")


def test_an_image_that_is_not_there_and_then_is(platform: Platform) -> None:
    platform.namespace("image")
    platform.admin.apply(deployment("image", container={"image": "test/web:404"}))
    (pod,) = platform.wait_pods("image", lambda pods: pods and state(pods[0]) == "ImagePullBackOff")
    assert pod["status"]["phase"] == "Pending"
    assert "test/web:404: not found" in container(pod)["state"]["waiting"]["message"]
    platform.kubectl("set", "image", "deploy/web", "web=test/web:2", "-n", "image")
    platform.admin.rolled_out("web", "image", 15)


def test_what_a_container_refers_to_must_be_there(platform: Platform) -> None:
    platform.namespace("refers")
    more = [
        {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "POD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    platform.admin.apply(deployment("refers", container={"env": more}))
    platform.wait_pods("refers", lambda pods: pods and state(pods[0]) == "CreateContainerConfigError")
    platform.admin.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": "refers"},
            "stringData": {"k": "a secret"},
        }
    )
    platform.admin.rolled_out("web", "refers", 15)
    assert "hello from a secret" in platform.kubectl("logs", "deploy/web", "-n", "refers")


def test_more_memory_than_its_limit(platform: Platform) -> None:
    platform.namespace("memory")
    resources = {"requests": {"memory": "20Mi"}, "limits": {"memory": "40Mi"}}
    platform.admin.apply(deployment("memory", "eat", container={"resources": resources}))
    (pod,) = platform.wait_pods("memory", lambda pods: pods and container(pods[0]).get("lastState"))
    ended = container(pod)["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_a_probe_that_fails_takes_a_pod_out_of_service(platform: Platform) -> None:
    platform.namespace("probe")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "probe"},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }
    platform.admin.apply(service, deployment("probe", "unready"))

    def endpoint(serves: bool) -> str:
        def holds(_: object) -> bool:
            for each in platform.admin.objects("EndpointSlice", "probe"):
                if [one["conditions"]["ready"] for one in each["endpoints"]] == [serves]:
                    return bool(each["ports"] == [{"name": "http", "port": 8000, "protocol": "TCP"}])
            return False

        platform.admin.wait_for("Service", "web", "probe", holds, 15)
        (found,) = platform.admin.objects("EndpointSlice", "probe")
        return str(found["endpoints"][0]["addresses"][0])

    address = endpoint(False)
    platform.wait_event("probe", "HTTP probe failed with statuscode: 503")
    platform.admin.apply(deployment("probe"))
    assert endpoint(True) != address


def test_a_liveness_probe_restarts(platform: Platform) -> None:
    platform.namespace("live")
    probe = {"httpGet": {"port": 8000}, "periodSeconds": 1, "failureThreshold": 2}
    platform.admin.apply(deployment("live", "unready", container={"livenessProbe": probe, "readinessProbe": None}))
    (pod,) = platform.wait_pods("live", lambda pods: pods and container(pods[0]).get("restartCount", 0) >= 1)
    assert container(pod)["lastState"]["terminated"]["reason"] == "Completed"
    assert "failed liveness probe, will be restarted" in platform.kubectl("get", "events", "-n", "live")


def test_logs_are_followed_with_times(platform: Platform) -> None:
    platform.namespace("logs")
    platform.admin.apply(deployment("logs"))
    platform.admin.rolled_out("web", "logs", 15)
    (pod,) = platform.pods("logs")
    name = pod["metadata"]["name"]
    follow = platform.command("logs", "-f", name, "-n", "logs", "--timestamps", "--tail=1")
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline().split()
        assert first[0].endswith("Z") and first[0][:10] == first[1]
        assert fetch(pod, "/say/news") == "ok"
        assert process.stdout.readline().split()[1:] == ["news"]
        platform.admin.delete("Pod", name, "logs")
        assert process.wait(15) == 0  # it ends with the container
    assert platform.kubectl("logs", "deploy/web", "-n", "logs", "--tail=0") == ""
