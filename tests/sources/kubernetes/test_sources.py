"""The sources as the engine runs them: from the environment file to readings, and through what befalls an API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from console.clients.kubernetes import Kubernetes
from console.engine.registry import panes_of
from console.engine.scheduler import Scheduler
from console.readings import KubernetesApi, KubernetesPods, KubernetesUsage, KubernetesWorkloads, Reading
from console.settings import Cadence, Cadences, EnvironmentFile, KubernetesCluster, load_defaults
from console.sources import sources_for
from console.sources.base import Source
from console.sources.kubernetes import PulseSource, _Source
from console.sources.kubernetes_privilege import manifest, needs
from console.sources.kubernetes_pulse import Pulse
from tests.lab.kube.rig import ADMIN, VIEWER, Measured
from tests.rigs_kubernetes import ApiServer, until
from tests.sources.kubernetes.test_privilege import apply

pytestmark = pytest.mark.server

QUICK = Cadences(
    fast=Cadence(every_s=0.1, deadline_s=5),
    normal=Cadence(every_s=0.2, deadline_s=5),
    slow=Cadence(every_s=1, deadline_s=5),
)


def settings(server: ApiServer, folder: Path, token: str = ADMIN) -> KubernetesCluster:
    (folder / "token").write_text(token + "\n")
    (folder / "token").chmod(0o600)
    return KubernetesCluster(server=f"http://127.0.0.1:{server.port}", token=f"file:{folder / 'token'}")


class Engine:
    """Runs sources, and keeps what they said."""

    def __init__(self) -> None:
        self.latest: dict[str, Reading] = {}
        self.every: list[Reading] = []
        self.scheduler: Scheduler | None = None

    def put(self, reading: Reading) -> None:
        self.latest[reading.topic] = reading
        self.every.append(reading)

    def start(self, sources: list[Source]) -> None:
        self.scheduler = Scheduler(sources, self.put, str)
        self.scheduler.start()

    def statuses(self, *but: type[Reading]) -> set[str]:
        left = {cls.topic for cls in but}
        return {reading.status for topic, reading in self.latest.items() if topic not in left}


@pytest.fixture
async def engine() -> AsyncIterator[Callable[[KubernetesCluster], Engine]]:
    """Runs the sources of a cluster; ends them afterwards."""
    begun: list[Engine] = []

    def begin(cluster: KubernetesCluster) -> Engine:
        begun.append(Engine())
        begun[-1].start(sources_for(EnvironmentFile(name="test", kubernetes={"main": cluster}), QUICK))
        return begun[-1]

    yield begin
    for each in begun:
        if each.scheduler is not None:
            await each.scheduler.close()


Begin = Callable[[KubernetesCluster], Engine]


async def all_there(engine: Engine) -> None:
    await until(lambda: len(engine.latest) == 11 and engine.statuses(KubernetesUsage) == {"ok"})


async def test_every_topic_is_good_from_its_first_look_and_closing_leaves_nothing(
    api_server: ApiServer, engine: Begin, tmp_path: Path
) -> None:
    api_server.put_pod(1)
    api_server.cluster.metrics = Measured()
    running = engine(settings(api_server, tmp_path))
    await all_there(running)
    assert {reading.status for reading in running.every} == {"ok"}, "nobody is frightened by a start"
    pods = running.latest[KubernetesPods.topic]
    assert isinstance(pods, KubernetesPods) and len(pods.pods) == 1 and pods.every_s == 0.1
    api = running.latest[KubernetesApi.topic]
    assert isinstance(api, KubernetesApi) and api.version.startswith("v1.") and api.ready
    assert running.scheduler is not None
    await running.scheduler.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("watch ")]


async def test_an_api_that_goes_takes_every_topic_with_it_and_brings_them_back(
    api_server: ApiServer, engine: Begin, tmp_path: Path
) -> None:
    api_server.put_pod(1)
    api_server.cluster.metrics = Measured()
    running = engine(settings(api_server, tmp_path))
    await all_there(running)
    await api_server.stop()
    await until(lambda: running.statuses() == {"unreachable"})
    for reading in running.latest.values():
        assert reading.problem and reading.good_at is not None and "127.0.0.1" in reading.problem
    gone = running.latest[KubernetesPods.topic]
    assert isinstance(gone, KubernetesPods) and not gone.pods, "what was seen before is not shown as current"
    await api_server.start()
    api_server.put_pod(2)
    await all_there(running)
    pods = running.latest[KubernetesPods.topic]
    assert isinstance(pods, KubernetesPods) and len(pods.pods) == 2
    await until(lambda: running.latest[KubernetesUsage.topic].status == "ok")


async def test_a_token_that_expired_denies_every_topic_until_the_file_has_another(
    api_server: ApiServer, engine: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.clients.kubernetes._RELOAD_S", 0.1)
    apply_all(api_server)
    running = engine(settings(api_server, tmp_path, VIEWER))
    await all_there(running)
    api_server.cluster.tokens.revoke(VIEWER)
    await until(lambda: running.statuses() == {"denied"})
    assert all("(401)" in reading.problem for reading in running.latest.values())
    api_server.cluster.tokens.add("renewed", "viewer")
    settings(api_server, tmp_path, "renewed")
    await all_there(running)


def apply_all(server: ApiServer) -> None:
    """The role that the doctor prints."""
    apply(server, manifest(needs(), "viewer"))


async def test_the_role_that_the_doctor_prints_is_enough_for_every_topic(
    api_server: ApiServer, engine: Begin, tmp_path: Path
) -> None:
    apply_all(api_server)
    api_server.cluster.metrics = Measured()
    running = engine(settings(api_server, tmp_path, VIEWER))
    await until(lambda: len(running.latest) == 11 and running.statuses() == {"ok"})


async def test_a_kubeconfig_with_its_context(api_server: ApiServer, engine: Begin, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "none",
        "clusters": [{"name": "lab", "cluster": {"server": f"http://127.0.0.1:{api_server.port}"}}],
        "users": [{"name": "me", "user": {"token": ADMIN}}],
        "contexts": [{"name": "here", "context": {"cluster": "lab", "user": "me"}}],
    }  # fmt: skip
    path.write_text(json.dumps(document))
    await all_there(engine(KubernetesCluster(kubeconfig=str(path), context="here")))


async def test_namespaces_are_watched_one_by_one(api_server: ApiServer, engine: Begin, tmp_path: Path) -> None:
    api_server.put_pod(1)
    api_server.put_pod(2, namespace="kube-public")
    api_server.put_pod(3, namespace="kube-system")
    apply(api_server, manifest(needs(("default", "kube-public")), "viewer"))
    cluster = settings(api_server, tmp_path, VIEWER)
    path = cluster.token
    running = engine(KubernetesCluster(server=cluster.server, token=path, namespaces=["default", "kube-public"]))
    await all_there(running)
    pods = running.latest[KubernetesPods.topic]
    assert isinstance(pods, KubernetesPods) and sorted(pods.pods) == [
        "default/odoo-7d9f-00001",
        "kube-public/odoo-7d9f-00002",
    ]


async def test_a_secret_that_leads_nowhere_is_a_sentence(api_server: ApiServer, engine: Begin, tmp_path: Path) -> None:
    absent = KubernetesCluster(server=f"http://127.0.0.1:{api_server.port}", token=f"file:{tmp_path / 'absent'}")
    running = engine(absent)
    await until(lambda: len(running.latest) == 11)
    assert "absent" in running.latest[KubernetesApi.topic].problem


async def test_a_slow_first_list_is_waited_for(
    api_server: ApiServer, engine: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not called unreachable meanwhile: the first readings come when there is something to say."""
    genuine = Kubernetes.get

    async def slow(self: Kubernetes, path: str, patience_s: float, **query: str) -> bytes:
        if path.endswith("/deployments"):
            await asyncio.sleep(1)
        return await genuine(self, path, patience_s, **query)

    monkeypatch.setattr(Kubernetes, "get", slow)
    running = engine(settings(api_server, tmp_path))
    await all_there(running)
    assert {reading.status for reading in running.every if isinstance(reading, KubernetesWorkloads)} == {"ok"}


def test_the_pane_has_every_topic() -> None:
    environment = EnvironmentFile(name="test", kubernetes={"main": KubernetesCluster(server="http://127.0.0.1:1")})
    sources = sources_for(environment, load_defaults().cadences)
    assert len(panes_of(sources)["cluster"]) == 11
    assert all(isinstance(source, _Source) for source in sources)
    (pulse,) = [source for source in sources if isinstance(source, PulseSource)]
    assert pulse.every_s == 5.0
    assert all(source.every_s <= 10 and source.deadline_s == 5 for source in sources)


class Answers:
    """Stands where a client does; a real server's answers to ``/readyz?verbose``."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def get(self, path: str, _patience_s: float, **_query: str) -> bytes:
        return self.body if path == "/readyz" else b'{"gitVersion": "v1.34.1"}'


async def test_checks_of_a_server_that_tells_them_are_counted() -> None:
    body = b"[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]poststarthook/generic-apiserver-start-informers ok\nreadyz check passed\n"
    told = await Pulse(Answers(body)).beat(1)  # type: ignore[arg-type]
    assert told == {"ready": True, "checks": 4, "version": "v1.34.1"}
