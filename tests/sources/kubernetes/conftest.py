"""A cluster of the laboratory's, and one that is watched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from console.sources.kubernetes_cluster import Cluster
from tests.rigs_kubernetes import ApiServer


@pytest.fixture
async def api_server() -> AsyncIterator[ApiServer]:
    """An API server on a free port."""
    server = ApiServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def watched(api_server: ApiServer) -> AsyncIterator[Callable[..., Cluster]]:
    """Begins to watch; ends it afterwards."""
    begun: list[Cluster] = []

    def begin(*namespaces: str) -> Cluster:
        begun.append(Cluster(api_server.client(), "main", namespaces))
        begun[-1].start()
        return begun[-1]

    yield begin
    for cluster in begun:
        await cluster.close()
