"""A Kubernetes API of the laboratory's own, in the test's process, over plain HTTP on a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from console.lab.kube.cluster import Cluster
from console.lab.kube.server import Server
from tests.lab.kube.rig import ADMIN, Kube, make_cluster


@pytest.fixture
async def kube() -> AsyncIterator[Kube]:
    """A cluster that is served, and a client that may do everything."""
    cluster: Cluster = make_cluster()
    server = Server(cluster)
    port = await server.start(0)
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=10) as client:
        yield Kube(cluster, server, address, client)
    await server.stop()
