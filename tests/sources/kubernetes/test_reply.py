"""Descriptions and logs of pods, as they are asked for: against the laboratory's API over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml

from console.lab.kube import builtin
from console.lab.kube.providers import LogOptions
from console.readings import NOT_RECORDED, hide_text
from console.settings import EnvironmentFile, KubernetesCluster, load_defaults
from console.sources.base import SourceError
from console.sources.kubernetes_log import PodLogSource
from console.sources.kubernetes_object import MOST_LINES, ObjectSource, yaml_of
from console.sources.kubernetes_reply import log_source, object_source
from console.sources.kubernetes_target import Wanted, WantedLog, wanted_log, wanted_object
from tests.rigs_kubernetes import ApiServer, real_pod, until

CADENCES = load_defaults().cadences


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("kubernetes.nodes lab/node-1", "/api/v1/nodes"),
        ("kubernetes.pods lab/t1/web", "/api/v1/namespaces/t1/pods"),
        ("kubernetes.workloads lab/statefulsets/t1/web", "/apis/apps/v1/namespaces/t1/statefulsets"),
        ("kubernetes.scalers lab/t1/web", "/apis/autoscaling/v2/namespaces/t1/horizontalpodautoscalers"),
        ("kubernetes.usage lab/t1/web", "/api/v1/namespaces/t1/pods"),
        ("kubernetes.warnings lab/t1/Pod/web/BackOff", "/api/v1/namespaces/t1/pods"),
        ("kubernetes.warnings lab/default/Node/web/NodeNotReady", "/api/v1/nodes"),
        ("kubernetes.images lab/t1/Deployment/web/registry.example/odoo:18.0", "/apis/apps/v1/namespaces/t1/deployments"),
        ("kubernetes.databases lab/clusters/t1/web", "/apis/postgresql.cnpg.io/v1/namespaces/t1/clusters"),
        ("kubernetes lab/traefik.io/v1alpha1/middlewares/t1/web", "/apis/traefik.io/v1alpha1/namespaces/t1/middlewares"),
        ("kubernetes lab/core/v1/namespaces/web", "/api/v1/namespaces"),
        ("kubernetes lab/core/v1/../../web", "/api/v1/namespaces/../.."),
    ],
)  # fmt: skip
def test_targets_of_objects(target: str, path: str) -> None:
    found = wanted_object(target)
    assert found is not None and found.cluster == "lab"
    if ".." in path:
        # However it is written, it stays below the group.
        assert found.path.startswith("/api/v1/") and found.path.count("/") <= 6
    else:
        assert found.path == path and found.name in ("web", "node-1")


@pytest.mark.parametrize(
    "target", ["", "kubernetes.pods lab", "kubernetes.pods lab/web", "kubernetes.pods lab//web", "postgres main/pg-1", "kubernetes.workloads lab/secrets/t1/x", "kubernetes.warnings lab/t1/Gadget/x/y"],
)  # fmt: skip
def test_what_is_no_target(target: str) -> None:
    assert wanted_object(target) is None
    assert wanted_log(target) is None


def test_targets_of_logs() -> None:
    assert wanted_log("kubernetes.pods lab/t1/web") == WantedLog("lab", "t1", "web")
    assert wanted_log("kubernetes.pods lab/t1/web/exporter previous") == WantedLog("lab", "t1", "web", "exporter", True)
    assert wanted_log("kubernetes.workloads lab/deployments/t1/odoo") == WantedLog(
        "lab", "t1", "", owner="Deployment/odoo"
    )
    environment = EnvironmentFile(name="test", kubernetes={"lab": KubernetesCluster(server="http://127.0.0.1:1")})
    assert isinstance(log_source(environment, "kubernetes.pods lab/t1/web", CADENCES), PodLogSource)
    assert log_source(environment, "kubernetes.pods other/t1/web", CADENCES) is None
    assert isinstance(object_source(environment, "kubernetes.pods lab/t1/web", CADENCES), ObjectSource)
    assert object_source(environment, "kubernetes.pods other/t1/web", CADENCES) is None


def test_what_is_secret_or_endless_is_not_shown() -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"password": "aHVudGVyMg=="},
        "stringData": {"x": "hunter2"},
    }
    text = "\n".join(yaml_of(secret))
    assert "hunter2" not in text and "aHVu" not in text and "password: '***'" in text
    pod: dict[str, Any] = real_pod(1)
    pod["spec"]["containers"][0]["env"] += [
        {"name": "DB_PASSWORD", "value": "hunter2"},
        {"name": "ODOO_URL", "value": "postgres://odoo:hunter2@db/odoo"},
        {"name": "SAFE", "valueFrom": {"secretKeyRef": {"name": "odoo-secret", "key": "password"}}},
    ]
    pod["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = '{"hunter2": 1}'
    pod["metadata"]["annotations"]["note"] = "\x1b[31mred\u202e" + "x" * 10_000
    text = "\n".join(yaml_of(pod))
    assert "hunter2" not in text and "managedFields" not in text and "odoo-secret" in text
    assert "\x1b" not in text and "\u202e" not in text
    read = yaml.safe_load(text.split("    note:")[0])
    assert list(read) == ["apiVersion", "kind", "metadata"]
    long = yaml_of({"kind": "ConfigMap", "data": {f"key-{n}": "x" for n in range(5000)}})
    assert len(long) == MOST_LINES + 1 and "more lines" in long[-1]


@pytest.mark.server
async def test_an_object_is_described_with_the_role_that_watches(api_server: ApiServer) -> None:
    api_server.put_pod(1)
    api_server.as_viewer()
    api_server.allow("pods")
    wanted = Wanted("main", "/api/v1", "pods", "default", "odoo-7d9f-00001")
    source = ObjectSource(api_server.client(), wanted, "k", every_s=2, deadline_s=5)
    found = await source.read()
    assert found.title == "Pod default/odoo-7d9f-00001"
    text = "\n".join(found.lines.values())
    assert yaml.safe_load(text)["spec"]["nodeName"] == "node-1"
    assert set(hide_text(found).lines.values()) == {NOT_RECORDED}
    api_server.drop_pod(1)
    with pytest.raises(SourceError, match="there is no pods/odoo-7d9f-00001 in namespace default"):
        await source.read()
    await source.close()
    refused = ObjectSource(api_server.client(), wanted._replace(plural="secrets"), "k", every_s=2, deadline_s=5)
    with pytest.raises(SourceError) as told:
        await refused.read()
    assert told.value.denied
    await refused.close()


class Written:
    """A log that somebody writes to."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], list[str]] = {}
        self.ended = False
        self.opened = 0
        self._more = asyncio.Event()

    def write(self, pod: str, text: str, container: str = "odoo") -> None:
        lines = self.runs.setdefault((pod, container), [])
        lines.append(f"2026-11-22T04:00:{len(lines):02}.5Z {text}\n")
        self._more.set()

    async def lines(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        assert options.timestamps and options.tail == 500
        self.opened += 1
        at = 0
        lines = self.runs.setdefault((pod, f"{container} before" if options.previous else container), [])
        while True:
            while at < len(lines):
                yield lines[at].encode()
                at += 1
            if self.ended or not options.follow:
                return
            self._more.clear()
            await self._more.wait()


def follow(api_server: ApiServer, wanted: WantedLog) -> PodLogSource:
    return PodLogSource(api_server.client(), wanted, "k", every_s=2, deadline_s=5)


async def told(source: PodLogSource, *expected: str) -> None:
    """Wait until these are its lines."""

    async def same() -> bool:
        return list((await source.read()).lines.values()) == list(expected)

    async with asyncio.timeout(30):
        while not await same():  # noqa: ASYNC110 - what the stream brings has no event of ours
            await asyncio.sleep(0.02)


@pytest.mark.server
async def test_a_log_is_followed_and_taken_up_again(api_server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.sources.kubernetes_log._AGAIN_S", 0.05)
    logs = Written()
    api_server.cluster.logs = logs
    api_server.put_pod(1)
    name = "odoo-7d9f-00001"
    logs.write(name, "one")
    logs.write(name, "password=hunter2 \x1b[31m")
    source = follow(api_server, WantedLog("main", "default", name))
    await told(source, "one", "password=*** ␛[31m")
    reading = await source.read()
    assert reading.origin == f"default/{name} odoo" and reading.containers == ("odoo", "exporter")
    assert set(hide_text(reading).lines.values()) == {NOT_RECORDED}
    logs.write(name, "three")
    await told(source, "one", "password=*** ␛[31m", "three")
    assert logs.opened == 1, "followed, not asked for again and again"
    logs.ended = True
    logs.write(name, "four")
    await until(lambda: logs.opened > 3)
    await told(source, "one", "password=*** ␛[31m", "three", "four")
    assert "ended" in (await source.read()).ended
    api_server.drop_pod(1)
    await until(lambda: source._problem is not None)
    with pytest.raises(SourceError, match="there is no"):
        await source.read()
    await source.close()


@pytest.mark.server
async def test_another_container_the_run_before_and_a_workloads_pod(api_server: ApiServer) -> None:
    logs = Written()
    api_server.cluster.logs = logs
    for number in (1, 2):
        api_server.put_pod(number)
    bad = real_pod(3)
    bad["status"]["containerStatuses"][0]["ready"] = False
    api_server.cluster.store.put(builtin.POD.key, bad)
    name = "odoo-7d9f-00001"
    logs.write(name, "its exporter", "exporter")
    logs.write(name, "before the restart", "odoo before")
    logs.write("odoo-7d9f-00003", "not ready")
    other = follow(api_server, WantedLog("main", "default", name, "exporter"))
    await told(other, "its exporter")
    before = follow(api_server, WantedLog("main", "default", name, previous=True))
    await told(before, "before the restart")
    assert "restart" in (await before.read()).ended
    worst = follow(api_server, WantedLog("main", "default", "", owner="Deployment/odoo"))
    await told(worst, "not ready")
    for source in (other, before, worst):
        await source.close()


@pytest.mark.server
async def test_a_log_that_may_not_be_read_says_so(api_server: ApiServer) -> None:
    api_server.put_pod(1)
    api_server.as_viewer()
    api_server.allow("pods")
    source = follow(api_server, WantedLog("main", "default", "odoo-7d9f-00001"))
    with pytest.raises(SourceError) as refused:
        await source.read()
    assert refused.value.denied and "pods/log" in refused.value.problem
    await source.close()


async def test_a_pod_that_floods_its_log_costs_what_is_shown_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.clients.kubernetes import Access, Kubernetes
    from console.sources import kubernetes_log

    cleaned: list[str] = []
    monkeypatch.setattr(kubernetes_log, "redact", lambda text: cleaned.append(text) or text)
    source = PodLogSource(
        Kubernetes(Access(server="http://192.0.2.1")), WantedLog("lab", "t1", "web"), "k", every_s=2, deadline_s=5
    )

    async def nothing_more() -> None:
        await asyncio.Event().wait()

    source._follow = nothing_more  # type: ignore[method-assign]
    source._open.set()
    for number in range(20_000):
        source._take(b"2026-11-22T04:00:%02d.%09dZ line %d" % (number // 1000, number, number))
    reading = await source.read()
    assert list(reading.lines)[-1] == 20_000 and reading.lines[20_000] == "line 19999"
    assert len(reading.lines) == len(cleaned) == kubernetes_log.LINES
    source._take(b"2026-11-22T04:01:00Z one more")
    assert list((await source.read()).lines.items())[-1] == (20_001, "one more")
    await source.close()
