"""What the console concludes of a platform that really does it: through its API, its watches and its controllers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from console.board import Board
from console.engine.core import Core
from console.engine.main import assessor
from console.engine.scheduler import Scheduler
from console.lab.platform import control
from console.readings import Findings
from console.settings import Application, EnvironmentFile, KubernetesCluster, load_defaults
from console.sources import sources_for
from tests.lab.platform.rig import Platform, deployment

pytestmark = [pytest.mark.server, pytest.mark.matrix]
LIMIT_S = 120.0


class Nothing:
    """Records nothing."""

    megabytes = 0.0
    problem = ""

    def take(self, *_: Any) -> None: ...
    def tick(self, *_: Any) -> None: ...


class Watched:
    """A platform with one tenant, and what is found on it."""

    def __init__(self, platform: Platform, namespace: str) -> None:
        self.platform = platform
        self.namespace = namespace
        kubernetes = KubernetesCluster(kubeconfig=str(platform.directory / "kubeconfig"))
        tenant = Application(databases=["acme"], label="Acme", namespace=namespace)
        self.environment = EnvironmentFile(name="t", kubernetes={"lab": kubernetes}, applications={"acme": tenant})
        defaults = load_defaults()
        self.board = Board()
        self.core = Core(self.board, assessor(self.environment, defaults), Nothing())
        self.core.scheduler = Scheduler(sources_for(self.environment, defaults.cadences), self.core.put, str)
        self.seen: set[str] = set()

    @property
    def now(self) -> set[str]:
        """Ids of what is found."""
        found = self.board.get(Findings)
        assert found is None or found.status == "ok", found.problem
        self.seen |= set(found.rows) if found else set()
        return set(found.rows) if found else set()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not (self.now, done())[1]:  # noqa: ASYNC110 - findings have no event of their own
                await asyncio.sleep(0.2)

    async def kubectl(self, *arguments: str) -> None:
        await asyncio.to_thread(self.platform.kubectl, "-n", self.namespace, *arguments)

    async def all_ready(self) -> None:
        await asyncio.to_thread(self.platform.admin.rolled_out, "odoo", self.namespace, LIMIT_S)

    def tenants(self, name: str) -> tuple[str, ...]:
        found = self.board.get(Findings)
        return found.rows[name].tenants if found else ()


@pytest.fixture
async def watched(platform: Platform, request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    namespace = f"tenant-{request.node.name.removeprefix('test_').replace('_', '-')[:40].strip('-')}"
    platform.namespace(namespace)
    platform.admin.apply(deployment(namespace, name="odoo", replicas=2))
    found = Watched(platform, namespace)
    await found.all_ready()
    assert found.core.scheduler is not None
    found.core.scheduler.start()
    found.core.start()
    await found.until(lambda: (judged := found.board.get(Findings)) is not None and len(judged.looked) >= 11)
    yield found
    await found.core.scheduler.close()
    found.core.stop()
    platform.admin.delete("Namespace", namespace)


async def test_rollouts_restarts_and_scaling_are_no_news(watched: Watched) -> None:
    await watched.kubectl("rollout", "restart", "deployment", "odoo")
    await watched.all_ready()
    await watched.kubectl("scale", "deployment", "odoo", "--replicas=4")
    await watched.all_ready()
    await watched.kubectl("delete", "pod", "--all", "--wait=false")
    await watched.all_ready()
    await asyncio.to_thread(control.compact, watched.platform.directory)
    before = watched.core.scheduler.looks if watched.core.scheduler else 0
    await watched.until(lambda: watched.core.scheduler is not None and watched.core.scheduler.looks > before + 30)
    assert not watched.now and watched.seen == set()


async def test_a_pod_that_no_node_takes(watched: Watched) -> None:
    name = f"pod-unschedulable:lab/{watched.namespace}/odoo"
    await watched.kubectl("set", "resources", "deployment/odoo", "--requests=memory=900Gi")
    await watched.until(lambda: name in watched.now)
    assert watched.tenants(name) == ("acme",)
    await watched.kubectl("rollout", "undo", "deployment", "odoo")
    await watched.until(lambda: not watched.now)
    assert watched.seen == {name}


async def test_metrics_and_the_api_itself_go_and_come_back(watched: Watched) -> None:
    directory = watched.platform.directory
    await asyncio.to_thread(control.metrics, directory, there=False)
    await watched.until(lambda: watched.now == {"metrics-missing:lab"})
    await asyncio.to_thread(control.metrics, directory, there=True)
    await watched.until(lambda: not watched.now)
    await asyncio.to_thread(control.api, directory, there=False)
    try:
        await watched.until(lambda: watched.now == {"api-server-unreachable:lab"})
    finally:
        await asyncio.to_thread(control.api, directory, there=True)
    await watched.until(lambda: not watched.now)
    assert watched.seen == {"metrics-missing:lab", "api-server-unreachable:lab"}
