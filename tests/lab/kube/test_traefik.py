"""The real Traefik watches the laboratory's API with its kubernetesCRD provider, and routes by what it sees there."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from console.lab.kube.api import Api
from console.lab.kube.kinds import Kind
from console.lab.ports import Reservation
from tests.lab.kube.rig import ADMIN, Kube

pytestmark = pytest.mark.server


TRAEFIK = Path(sys.executable).parent / "traefik"


@pytest.fixture
async def backend() -> AsyncIterator[int]:
    """An upstream that answers everything with its path; its port."""
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=request.path)

    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.fixture
async def traefik(kube: Kube, tmp_path: Path) -> AsyncIterator[str]:
    """Traefik on a free port; its address."""
    ports = Reservation()
    port = ports.take()
    settings = f"""
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
log: {{level: INFO}}
entryPoints: {{web: {{address: "127.0.0.1:{port}"}}}}
providers:
  providersThrottleDuration: 100ms
  kubernetesCRD: {{endpoint: "{kube.address}", token: "{ADMIN}"}}
"""
    (tmp_path / "traefik.yml").write_text(settings)
    ports.release()
    with (tmp_path / "traefik.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(TRAEFIK), f"--configFile={tmp_path / 'traefik.yml'}", stdout=log, stderr=log, cwd=tmp_path
        )
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def _until(
    ask: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], what: str, limit_s: float = 20
) -> float:
    """Ask until the answer is as wanted; how long that took."""
    began = time.monotonic()
    last: Any = None
    while time.monotonic() - began < limit_s:
        try:
            last = await ask()
        except httpx.TransportError as error:
            last = error
        else:
            if wanted(last):
                return time.monotonic() - began
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what} did not come about in {limit_s} s; last seen: {last}")


def _kind(kube: Kube, group: str, version: str, plural: str) -> Kind:
    found = kube.cluster.registry.find(group, version, plural)
    assert found is not None
    return found


def _route(api: Api, kube: Kube, port: int) -> None:
    service = {"metadata": {"name": "odoo"}, "spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]}}
    api.create(_kind(kube, "", "v1", "services"), "default", service)
    endpoints = {
        "metadata": {"name": "odoo-1", "labels": {"kubernetes.io/service-name": "odoo"}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port}],
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
    }
    api.create(_kind(kube, "discovery.k8s.io", "v1", "endpointslices"), "default", endpoints)
    rule = {
        "kind": "Rule",
        "match": "Host(`acme.lab.test`)",
        "services": [{"name": "odoo", "port": 80}],
        "middlewares": [{"name": "gate"}],
    }
    route = {"metadata": {"name": "acme"}, "spec": {"entryPoints": ["web"], "routes": [rule]}}
    api.create(_kind(kube, "traefik.io", "v1alpha1", "ingressroutes"), "default", route)


async def test_routes_and_middlewares_take_effect(kube: Kube, traefik: str, backend: int) -> None:
    api = kube.cluster.api
    middlewares = _kind(kube, "traefik.io", "v1alpha1", "middlewares")
    api.create(middlewares, "default", {"metadata": {"name": "gate"}, "spec": {"addPrefix": {"prefix": "/one"}}})
    _route(api, kube, backend)
    async with httpx.AsyncClient(base_url=traefik, headers={"Host": "acme.lab.test"}) as client:

        async def ask() -> tuple[int, str]:
            response = await client.get("/x")
            return response.status_code, response.text

        await _until(ask, lambda answer: answer == (200, "/one/x"), "the first route")
        patch = {"spec": {"addPrefix": {"prefix": "/two"}}}
        api.patch(middlewares, "default", "gate", "application/merge-patch+json", patch)
        await _until(ask, lambda answer: answer == (200, "/two/x"), "the patched middleware")
        api.patch(
            middlewares,
            "default",
            "gate",
            "application/merge-patch+json",
            {"spec": {"addPrefix": None, "ipAllowList": {"sourceRange": ["10.0.0.1/32"]}}},
        )
        await _until(ask, lambda answer: answer[0] == 403, "the closed gate")
        kube.cluster.deletions.delete(middlewares, "default", "gate")
        await _until(ask, lambda answer: answer[0] == 404, "a route whose middleware is gone")
        api.create(middlewares, "default", {"metadata": {"name": "gate"}, "spec": {"addPrefix": {"prefix": "/three"}}})
        await _until(ask, lambda answer: answer == (200, "/three/x"), "the middleware that is back")
        kube.cluster.deletions.delete(_kind(kube, "traefik.io", "v1alpha1", "ingressroutes"), "default", "acme")
        await _until(ask, lambda answer: answer[0] == 404, "a route that is gone")
