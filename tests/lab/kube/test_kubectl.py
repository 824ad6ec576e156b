"""The real kubectl against the laboratory's API."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from console.lab.kube.api import Options
from console.lab.kube.builtin import POD
from console.lab.kube.cluster import Cluster
from console.lab.kube.providers import LogOptions
from tests.lab.kube.rig import ADMIN, VIEWER, Kube, Measured, deployment, pod
from tests.lab.kube.tls import serve

pytestmark = pytest.mark.server

KUBECTL = Path(sys.executable).parent / "kubectl"
Run = Callable[..., Awaitable[str]]


class Lines:
    """A log of three lines, and whatever is said while somebody follows it."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[bytes] = asyncio.Queue()
        self.asked: list[LogOptions] = []
        self.left = asyncio.Event()

    async def lines(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        self.asked.append(options)
        for number in range(3)[-(options.tail if options.tail is not None else 3) :]:
            yield f"{pod}/{container} {number}\n".encode()
        try:
            while options.follow:
                yield await self.said.get()
        finally:
            self.left.set()


@pytest.fixture
async def config(kube: Kube, tmp_path: Path) -> Path:
    return await serve(kube.server, tmp_path, ADMIN)


def _command(config: Path, arguments: tuple[str, ...]) -> list[str]:
    return [str(KUBECTL), "--kubeconfig", str(config), "--cache-dir", str(config.parent / "cache"), *arguments]


async def _start(config: Path, *arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    environment = {"PATH": os.environ["PATH"], "HOME": str(config.parent)}
    return await asyncio.create_subprocess_exec(
        *_command(config, arguments), stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    )


@pytest.fixture
def run(config: Path) -> Run:
    """Run kubectl; returns what it prints, and expects it to end as told."""

    async def run(*arguments: str, given: Any = None, code: int = 0) -> str:
        process = await _start(config, *arguments)
        text = json.dumps(given).encode() if given is not None else None
        out, err = await asyncio.wait_for(process.communicate(text), 20)
        assert process.returncode == code, (arguments, out, err)
        return (out + err).decode()

    return run


def _roll_out(cluster: Cluster, name: str) -> None:
    """Say of a deployment what its controller would say once it is done."""
    kind = cluster.registry.find("apps", "v1", "deployments")
    assert kind is not None
    data = cluster.api.find(kind, "default", name).data
    wanted = data["spec"]["replicas"]
    status: dict[str, Any] = {"observedGeneration": data["metadata"]["generation"]}
    status |= dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), wanted)
    status["conditions"] = [{"type": "Available", "status": "True"}]
    cluster.api.replace(kind, "default", name, {**data, "status": status}, Options(subresource="status"))


async def test_apply_get_scale_patch_and_delete(kube: Kube, run: Run) -> None:
    manifest = deployment("web")
    assert "web created" in await run("apply", "-f", "-", given=manifest)
    assert "web unchanged" in await run("apply", "-f", "-", given=manifest)
    manifest["spec"]["replicas"] = 3
    assert "web configured" in await run("apply", "-f", "-", given=manifest)
    assert (await run("get", "deploy", "web", "--no-headers")).split()[:4] == ["web", "0/3", "0", "0"]
    assert "web scaled" in await run("scale", "deploy", "web", "--replicas=2")
    assert "web patched" in await run(
        "patch",
        "deploy",
        "web",
        "-p",
        '{"spec":{"template":{"spec":{"containers":[{"name":"odoo","image":"a/b:2"}]}}}}',
    )
    _roll_out(kube.cluster, "web")
    wide = await run("get", "deploy", "-o", "wide")
    assert wide.split()[-7:-4] == ["2/2", "2", "2"]
    assert wide.split()[-2:] == ["a/b:2", "app=web"]
    assert '"web" deleted' in await run("delete", "deploy", "web")
    assert '(NotFound): deployments.apps "web" not found' in await run("get", "deploy", "web", code=1)


async def test_apply_removes_what_the_manifest_no_longer_says(kube: Kube, run: Run) -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1", "b": "2"}}
    await run("apply", "-f", "-", given=config_map)
    await run("apply", "-f", "-", given={**config_map, "data": {"a": "1"}})
    assert json.loads(await run("get", "cm", "m", "-o", "jsonpath={.data}")) == {"a": "1"}


async def test_server_side_apply_conflicts_and_takes_over(kube: Kube, run: Run) -> None:
    manifest = deployment("web")
    assert "serverside-applied" in await run("apply", "--server-side", "-f", "-", given=manifest)
    await run("scale", "deploy", "web", "--replicas=5")
    refused = await run("apply", "--server-side", "-f", "-", given=manifest, code=1)
    assert "Apply failed with 1 conflict" in refused
    assert ".spec.replicas" in refused
    assert "serverside-applied" in await run("apply", "--server-side", "--force-conflicts", "-f", "-", given=manifest)
    assert await run("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "2"


async def test_rollout_status_waits_until_the_controller_says_so(kube: Kube, config: Path, run: Run) -> None:
    await run("apply", "-f", "-", given=deployment("web"))
    process = await _start(config, "rollout", "status", "deploy/web", "--timeout=15s")
    assert process.stdout is not None
    assert b"Waiting for deployment" in await asyncio.wait_for(process.stdout.readline(), 15)
    _roll_out(kube.cluster, "web")
    out, err = await asyncio.wait_for(process.communicate(), 15)
    assert b"successfully rolled out" in out, err
    assert "condition met" in await run("wait", "deploy/web", "--for=condition=Available", "--timeout=10s")


async def test_describe_shows_a_pod_and_its_events(kube: Kube, run: Run) -> None:
    made = kube.cluster.api.create(POD, "default", pod("p", nodeName="node-a"))
    events = kube.cluster.registry.find("", "v1", "events")
    assert events is not None
    about = {"kind": "Pod", "namespace": "default", "name": "p", "uid": made["metadata"]["uid"], "apiVersion": "v1"}
    told = {
        "reason": "BackOff",
        "message": "Back-off restarting",
        "type": "Warning",
        "count": 7,
        "involvedObject": about,
    }
    times = {
        "firstTimestamp": made["metadata"]["creationTimestamp"],
        "lastTimestamp": made["metadata"]["creationTimestamp"],
    }
    kube.cluster.api.create(events, "default", {"metadata": {"name": "p.1"}, **told, **times})
    kube.cluster.api.create(
        events,
        "default",
        {"metadata": {"name": "q.1"}, **told, **times, "involvedObject": {**about, "name": "q", "uid": "x"}},
    )
    shown = await run("describe", "pod", "p")
    assert "Node:" in shown and "node-a" in shown
    assert shown.count("Back-off restarting") == 1
    assert "pod/p" in await run("get", "events")


async def test_logs_follow(kube: Kube, config: Path, run: Run) -> None:
    kube.cluster.api.create(POD, "default", pod("p"))
    lines = Lines()
    kube.cluster.logs = lines
    assert await run("logs", "p", "--tail=2") == "p/odoo 1\np/odoo 2\n"
    process = await _start(config, "logs", "-f", "p", "--tail=1")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 15) == b"p/odoo 2\n"
    lines.said.put_nowait(b"news\n")
    assert await asyncio.wait_for(process.stdout.readline(), 15) == b"news\n"
    lines.left.clear()
    process.kill()
    await process.wait()
    await asyncio.wait_for(lines.left.wait(), 10)  # nobody goes on reading for a reader that went
    assert [each.tail for each in lines.asked] == [2, 1]


async def test_top(kube: Kube, run: Run) -> None:
    assert "Metrics API not available" in await run("top", "nodes", code=1)
    nodes = kube.cluster.registry.find("", "v1", "nodes")
    assert nodes is not None
    kube.cluster.api.create(nodes, "", {"metadata": {"name": "node-a"}})
    made = kube.cluster.api.find(nodes, "", "node-a").data
    status = {"allocatable": {"cpu": "2", "memory": "4Gi"}, "capacity": {"cpu": "2", "memory": "4Gi"}}
    kube.cluster.api.replace(nodes, "", "node-a", {**made, "status": status}, Options(subresource="status"))
    kube.cluster.api.create(POD, "default", pod("p"))
    kube.cluster.metrics = Measured()
    assert (await run("top", "nodes", "--no-headers")).split() == ["node-a", "500m", "25%", "1024Mi", "25%"]
    assert (await run("top", "pods", "--no-headers")).split() == ["p", "10m", "5Mi"]


async def test_a_reader_may_read_and_no_more(kube: Kube, run: Run, tmp_path: Path) -> None:
    await run("create", "clusterrole", "reader", "--verb=get,list,watch", "--resource=pods")
    await run("create", "clusterrolebinding", "reader", "--clusterrole=reader", "--user=viewer")
    (tmp_path / "viewer").mkdir()
    config = await serve(kube.server, tmp_path / "viewer", VIEWER)

    async def as_viewer(*arguments: str) -> str:
        process = await _start(config, *arguments)
        out, err = await asyncio.wait_for(process.communicate(), 20)
        return (out + err).decode()

    assert await as_viewer("auth", "can-i", "list", "pods", "-A") == "yes\n"
    assert "no" in await as_viewer("auth", "can-i", "delete", "pods")
    assert "pods" in await as_viewer("auth", "can-i", "--list")
    assert "viewer" in await as_viewer("auth", "whoami")
    assert 'User "viewer" cannot list resource "secrets"' in await as_viewer("get", "secrets")
    assert "No resources found" in await as_viewer("get", "pods")


async def test_a_namespace_and_all_in_it_go(kube: Kube, run: Run) -> None:
    await run("create", "namespace", "tenant")
    await run("create", "secret", "generic", "s", "--from-literal=password=x", "-n", "tenant")
    await run("create", "configmap", "c", "--from-literal=a=b", "-n", "tenant")
    assert await run("get", "secret", "s", "-n", "tenant", "-o", "jsonpath={.data.password}") == "eA=="
    assert "deleted" in await run("delete", "namespace", "tenant")
    assert "NotFound" in await run("get", "namespace", "tenant", code=1)
    assert "No resources found" in await run("get", "configmaps", "-n", "tenant")


async def test_drain_respects_a_budget(kube: Kube, run: Run) -> None:
    nodes = kube.cluster.registry.find("", "v1", "nodes")
    budgets = kube.cluster.registry.find("policy", "v1", "poddisruptionbudgets")
    assert nodes is not None and budgets is not None
    kube.cluster.api.create(nodes, "", {"metadata": {"name": "node-a"}})
    kube.cluster.api.create(POD, "default", pod("p", nodeName="node-a"))
    budget = {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "p"}}}}
    made = kube.cluster.api.create(budgets, "default", budget)
    assert "SchedulingDisabled" in (await run("cordon", "node-a")) + await run("get", "nodes")
    refused = await kube.client.post("/api/v1/namespaces/default/pods/p/eviction", json={"metadata": {"name": "p"}})
    assert refused.status_code == 429
    assert "violate the pod's disruption budget" in refused.json()["message"]
    status = {
        "disruptionsAllowed": 1,
        "currentHealthy": 2,
        "desiredHealthy": 1,
        "observedGeneration": 1,
        "expectedPods": 2,
    }
    kube.cluster.api.replace(budgets, "default", "b", {**made, "status": status}, Options(subresource="status"))
    gone = asyncio.create_task(_let_go(kube.cluster))
    assert "drained" in await run("drain", "node-a", "--force", "--timeout=15s")
    await gone


async def _let_go(cluster: Cluster) -> None:
    """Do what a node's kubelet does: end the pod that is asked to, then let its object go."""
    with cluster.store.waiting(POD.key) as changed:
        while "deletionTimestamp" not in cluster.api.find(POD, "default", "p").metadata:
            changed.clear()
            await asyncio.wait_for(changed.wait(), 20)
    cluster.store.remove(POD.key, "default", "p")
