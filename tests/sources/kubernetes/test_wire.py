"""A bad line to the API server, and TLS: through a proxy that goes wrong on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest

from console.clients.kubernetes import Access, Kubernetes, KubernetesError
from console.clients.kubernetes_kinds import PODS
from console.sources.base import SourceError
from console.sources.kubernetes_cluster import Cluster
from tests.lab.kube.rig import ADMIN
from tests.lab.kube.tls import serve
from tests.rigs_kubernetes import ApiServer, all_told, until
from tests.tools.proxy import BOTH, TO_CLIENT, Cut, FaultProxy, Garbage, Hang

pytestmark = pytest.mark.server


@pytest.fixture
async def line(api_server: ApiServer) -> AsyncIterator[FaultProxy]:
    """The way to the API server."""
    async with FaultProxy("127.0.0.1", api_server.port) as proxy:
        yield proxy


@pytest.fixture
async def beyond(line: FaultProxy) -> AsyncIterator[Cluster]:
    """A cluster that is watched through it."""
    cluster = Cluster(Kubernetes(Access(server=f"http://127.0.0.1:{line.port}", token=lambda: ADMIN)), "main")
    cluster.start()
    await until(lambda: all_told(cluster))
    await cluster.pulse(5)
    yield cluster
    await cluster.close()


async def test_a_line_that_goes_dead_is_found_by_the_pulse(
    api_server: ApiServer, line: FaultProxy, beyond: Cluster
) -> None:
    """An open watch cannot tell silence from nothing to say."""
    line.set(Hang(), *BOTH)
    api_server.put_pod(0)
    with pytest.raises(SourceError, match=r"no answer within 0\.5 s"):
        await beyond.pulse(0.5)
    with pytest.raises(SourceError):
        beyond.pods()
    line.heal()
    assert (await beyond.pulse(5)).ready
    await until(lambda: len(beyond.mirrors[PODS][0].rows) == 1)
    assert beyond.pods().status == "ok"


@pytest.mark.parametrize("how", ["reset", "end"])
async def test_a_line_that_is_cut_is_mended_without_a_word(
    api_server: ApiServer, line: FaultProxy, beyond: Cluster, how: Literal["reset", "end"]
) -> None:
    line.set(Cut(how=how), *BOTH)
    line.heal()
    api_server.put_pod(0)
    await until(lambda: len(beyond.mirrors[PODS][0].rows) == 1)
    assert beyond.mirrors[PODS][0].lists == 1
    assert beyond.pods().status == "ok"


async def test_garbage_is_a_sentence_and_mends(api_server: ApiServer, line: FaultProxy, beyond: Cluster) -> None:
    line.set(Garbage(), TO_CLIENT)
    api_server.put_pod(0)
    with pytest.raises(SourceError):
        await beyond.pulse(2)
    await until(lambda: not beyond.mirrors[PODS][0].readable)
    assert beyond.mirrors[PODS][0].problem
    line.heal()
    beyond.api.drop()
    await until(lambda: len(beyond.mirrors[PODS][0].rows) == 1)
    await beyond.pulse(5)
    assert len(beyond.pods().pods) == 1


async def test_a_kubeconfig_with_an_authority_of_its_own(tmp_path: Path) -> None:
    server = ApiServer()
    try:
        kubeconfig = await serve(server.server, tmp_path, ADMIN)
        client = Kubernetes(Access(kubeconfig=str(kubeconfig)))
        assert b'"items":[]' in (await client.get("/api/v1/pods", 5)).replace(b" ", b"")
        await client.close()
        # Whoever else claims to be the server is not believed.
        stranger = Kubernetes(Access(server=f"https://127.0.0.1:{kubeconfig_port(kubeconfig)}", token=lambda: ADMIN))
        with pytest.raises(KubernetesError, match=r"(?i)certificate"):
            await stranger.get("/api/v1/pods", 5)
        await stranger.close()
    finally:
        await server.server.stop()


def kubeconfig_port(path: Path) -> int:
    return int(path.read_text().split("https://", 1)[1].split(":", 1)[1].split()[0].strip("\"'/,"))
