"""The sources against a real Traefik: traffic, configuration, certificates, access log, failed reloads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import pytest
import pytest_asyncio
import trustme

from console.readings import (
    Reading,
    TraefikAccess,
    TraefikCertificates,
    TraefikConfig,
    TraefikReloads,
    TraefikServer,
)
from console.settings import Application, EnvironmentFile, load_defaults
from console.sources import sources_for
from console.sources.base import Source, SourceError
from console.sources.traefik import traefik_sources
from console.sources.traefik_certificates import TraefikCertificatesSource
from tests.rigs_traefik import DOMAIN, Ingress, in_days

pytestmark = pytest.mark.server

R = TypeVar("R", bound=Reading)


class Sources:
    """The sources of the rig by topic."""

    def __init__(self, found: dict[str, Source]) -> None:
        self.found = found

    async def read(self, cls: type[R]) -> R:
        reading = await self.found[cls.topic].read()
        assert isinstance(reading, cls)
        return reading

    async def until(self, cls: type[R], done: Callable[[R], bool], limit_s: float = 20) -> R:
        """Look until something is so."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            reading = await self.read(cls)
            if done(reading):
                return reading
            if isinstance(reading, TraefikCertificates):  # one that was well would be left alone for a minute
                cast("TraefikCertificatesSource", self.found[cls.topic])._due.clear()
            await asyncio.sleep(0.05)
        raise AssertionError(f"never so; last: {reading}")


@pytest_asyncio.fixture
async def sources(ingress: Ingress) -> AsyncIterator[Sources]:
    found = ingress.sources()
    yield Sources(found)
    for source in found.values():
        await source.close()


async def asked(ingress: Ingress, tenant: str, path: str = "/", times: int = 1) -> list[int]:
    """Requests, made in a thread so that the loop goes on."""
    return await asyncio.to_thread(lambda: [ingress.ask(tenant, path) for _ in range(times)])


def test_all_of_them_are_registered(ingress: Ingress) -> None:
    found = sources_for(ingress.settings(), load_defaults().cadences)
    assert [(source.reading.topic, source.key) for source in found] == [
        ("traefik", "edge/traefik-1"),
        ("traefik.config", "edge/traefik-1"),
        ("traefik.log", "edge/traefik-1"),
        ("traefik.certificates", "edge"),
        ("traefik.access", "edge"),
    ]


async def test_traffic_of_each_tenant(ingress: Ingress, sources: Sources) -> None:
    await asked(ingress, "acme"), await asked(ingress, "bauhof")
    await sources.read(TraefikConfig)
    first = await sources.read(TraefikServer)
    assert first.window_s == 0 and first.requests_per_s is None and first.routers["acme@file"].requests is None
    began = datetime.now(UTC)
    assert set(await asked(ingress, "acme", times=12)) == {200}
    assert set(await asked(ingress, "bauhof", "/502", times=5)) == {502}
    assert set(await asked(ingress, "bauhof", "/429", times=3)) == {429}
    reading = await sources.read(TraefikServer)
    acme, bauhof = reading.routers["acme@file"], reading.routers["bauhof@file"]
    assert (acme.tenant, acme.requests, acme.errors_per_s) == ("acme", 12, 0)
    assert (bauhof.tenant, bauhof.requests) == ("bauhof", 8)
    assert bauhof.requests_per_s and bauhof.errors_per_s and bauhof.limited_per_s
    assert bauhof.errors_per_s == bauhof.gateway_per_s == pytest.approx(bauhof.requests_per_s * 5 / 8, rel=0.02)
    assert bauhof.limited_per_s == pytest.approx(bauhof.requests_per_s * 3 / 8, rel=0.02)
    assert reading.requests == 20 and reading.services["acme@file"].requests == 12
    assert reading.entry_points["websecure"].requests == 20
    assert set(reading.open_connections) == {"metrics", "traefik", "websecure"}
    assert reading.started_at is not None and reading.started_at < began
    assert reading.reloaded_at is not None and not reading.untold
    assert acme.p50_ms is not None and 0 < acme.p50_ms <= 100
    assert acme.p95_ms is not None and acme.p95_ms > acme.p50_ms


async def test_slow_answers_show_in_the_quantiles_and_in_the_access_log(ingress: Ingress, sources: Sources) -> None:
    await sources.read(TraefikServer)
    await sources.read(TraefikAccess)
    await asked(ingress, "acme", "/200?wait=0.6", times=3)
    reading = await sources.read(TraefikServer)
    acme = reading.routers["acme@file"]
    assert acme.requests == 3 and acme.p50_ms is not None and 300 < acme.p50_ms <= 1200


async def test_routers_services_and_middlewares(ingress: Ingress, sources: Sources) -> None:
    ingress.middlewares = {"few": {"rateLimit": {"average": 50, "burst": 50}}, "spare": {"addPrefix": {"prefix": "/x"}}}
    ingress.routers["acme"]["middlewares"] = ["few"]
    ingress.services["bauhof"]["loadBalancer"]["servers"].append({"url": f"http://127.0.0.1:{ingress.closed}"})
    ingress.services["bauhof"]["loadBalancer"]["healthCheck"] = {"path": "/", "interval": "100ms", "timeout": "1s"}
    ingress.write()
    reading = await sources.until(
        TraefikConfig,
        lambda found: "DOWN" in found.services["bauhof@file"].servers.values() and "few@file" in found.middlewares,
    )
    acme = reading.routers["acme@file"]
    assert (acme.hosts, acme.tenant, acme.state, acme.tls) == ((f"acme.{DOMAIN}",), "acme", "enabled", True)
    assert acme.middlewares == ("few@file",) and not acme.any_host and not acme.problems
    service = reading.services["bauhof@file"]
    assert (service.tenant, service.kind, service.checked, service.used_by) == (
        "bauhof",
        "loadBalancer",
        True,
        ("bauhof@file",),
    )
    assert sorted(service.servers.values()) == ["DOWN", "UP"]
    assert not reading.services["acme@file"].checked
    few, spare = reading.middlewares["few@file"], reading.middlewares["spare@file"]
    assert (few.kind, few.used_by, few.state) == ("rateLimit", ("acme@file",), "enabled")
    assert spare.used_by == ()
    assert reading.version.startswith("3.") and reading.providers == ("File",)
    assert not any("@internal" in name for name in (*reading.routers, *reading.services, *reading.middlewares))


async def test_a_missing_middleware_disables_the_router(ingress: Ingress, sources: Sources) -> None:
    ingress.routers["acme"]["middlewares"] = ["gone"]
    ingress.write()
    reading = await sources.until(TraefikConfig, lambda found: found.routers["acme@file"].state == "disabled")
    assert reading.routers["acme@file"].problems == ('middleware "gone@file" does not exist',)
    assert await asked(ingress, "acme") == [404]


async def test_a_service_without_a_server_and_one_that_refuses(ingress: Ingress, sources: Sources) -> None:
    ingress.services["acme"]["loadBalancer"]["servers"] = []
    ingress.services["bauhof"]["loadBalancer"]["servers"] = [{"url": f"http://127.0.0.1:{ingress.closed}"}]
    ingress.write()
    await sources.until(TraefikConfig, lambda found: not found.services["acme@file"].servers)
    await sources.read(TraefikServer)
    await sources.read(TraefikAccess)
    assert await asked(ingress, "acme", "/web?secret=1") == [503]
    assert await asked(ingress, "bauhof", "/web") == [502]
    metrics = await sources.read(TraefikServer)
    assert metrics.routers["acme@file"].gateway_per_s and metrics.routers["bauhof@file"].gateway_per_s
    access = await sources.until(TraefikAccess, lambda found: len(found.wrong) >= 2)
    none, refused = access.wrong["503 acme@file"], access.wrong["502 bauhof@file"]
    assert (none.by_traefik, none.backend, none.path, none.tenant) == (True, "", "/web", "acme"), "without its query"
    assert refused.backend == f"127.0.0.1:{ingress.closed}" and refused.by_traefik
    assert refused.last_at is not None and refused.method == "GET"


async def test_a_backend_that_answers_badly_is_told_from_one_that_is_gone(ingress: Ingress, sources: Sources) -> None:
    await sources.read(TraefikAccess)
    await asked(ingress, "acme", "/500", times=2)
    await asked(ingress, "acme", "/503")
    access = await sources.until(
        TraefikAccess, lambda found: "503 acme@file" in found.wrong and found.wrong.get("500 acme@file") is not None
    )
    assert not access.wrong["500 acme@file"].by_traefik and not access.wrong["503 acme@file"].by_traefik
    assert access.wrong["500 acme@file"].count == 2
    assert access.lines >= 3


# -- certificates ------------------------------------------------------------------------------------------------------


async def certificates(sources: Sources) -> TraefikCertificates:
    await sources.read(TraefikConfig)
    return await sources.read(TraefikCertificates)


async def test_a_good_certificate(ingress: Ingress, sources: Sources) -> None:
    reading = await certificates(sources)
    row = reading.certificates[f"acme.{DOMAIN}"]
    assert (row.tenant, row.matches, row.trusted, row.default, row.names) == (
        "acme",
        True,
        True,
        False,
        (f"acme.{DOMAIN}",),
    )
    assert row.not_after is not None and 89 <= (row.not_after - datetime.now(UTC)).days <= 90
    assert row.seen_at is not None and not row.problem and row.serial
    again = await certificates(sources)
    assert again.certificates[f"acme.{DOMAIN}"] == row, "one that is well is left alone for a minute"


async def test_bad_certificates(ingress: Ingress, sources: Sources) -> None:
    """Expired, of an unknown authority, for another name; each is asked again at once, and is well once it is mended."""
    await certificates(sources)
    stranger = trustme.CA()
    ingress.certificates = []
    ingress.certify("acme", ingress.authority.issue_cert(f"acme.{DOMAIN}", not_after=in_days(-1)))
    ingress.certify("bauhof", stranger.issue_cert(f"bauhof.{DOMAIN}"))
    ingress.write()
    found = Sources(ingress.sources())
    reading = await found.until(TraefikCertificates, lambda _: True)
    await found.read(TraefikConfig)
    acme, bauhof = f"acme.{DOMAIN}", f"bauhof.{DOMAIN}"
    reading = await found.until(
        TraefikCertificates,
        lambda seen: (
            seen.certificates[bauhof].trusted is False and seen.certificates[acme].not_after < datetime.now(UTC)
        ),  # type: ignore[operator]
    )
    assert reading.certificates[acme].trusted is True, "it has run out; its authority is no question"
    assert "local issuer" in reading.certificates[bauhof].why or "self" in reading.certificates[bauhof].why
    assert reading.certificates[bauhof].matches is True
    ingress.certificates = []
    ingress.certify("acme", ingress.authority.issue_cert(f"acme.{DOMAIN}", f"www.{DOMAIN}"))
    ingress.write()
    reading = await found.until(
        TraefikCertificates, lambda seen: seen.certificates[bauhof].default and len(seen.certificates[acme].names) == 2
    )
    assert reading.certificates[bauhof].trusted is False and reading.certificates[bauhof].matches is False
    assert set(reading.certificates[acme].names) == {acme, f"www.{DOMAIN}"}
    for source in found.found.values():
        await source.close()


async def test_a_certificate_for_another_name(ingress: Ingress) -> None:
    """Where there is only one for somebody else: Traefik serves it where it is the default."""
    other = ingress.authority.issue_cert(f"other.{DOMAIN}")
    stem = ingress.folder / "other"
    other.private_key_pem.write_to_path(f"{stem}.key")
    other.cert_chain_pems[0].write_to_path(f"{stem}.pem")
    ingress.certificates = []
    ingress.write()
    ingress.put(
        "broken.yml",
        f"tls: {{stores: {{default: {{defaultCertificate: {{certFile: {stem}.pem, keyFile: {stem}.key}}}}}}}}",
    )
    found = Sources(ingress.sources())
    await found.read(TraefikConfig)
    reading = await found.until(
        TraefikCertificates, lambda seen: seen.certificates[f"acme.{DOMAIN}"].names == (f"other.{DOMAIN}",)
    )
    row = reading.certificates[f"acme.{DOMAIN}"]
    assert (row.matches, row.trusted, row.default) == (False, True, False)
    for source in found.found.values():
        await source.close()


async def test_hosts_of_the_environment_file_are_asked_too(ingress: Ingress) -> None:
    found = Sources(ingress.sources(hosts=[f"acme.{DOMAIN}", "nobody.example.com"]))
    reading = await found.until(TraefikCertificates, lambda seen: seen.certificates["nobody.example.com"].default)
    assert reading.certificates[f"acme.{DOMAIN}"].tenant == "acme"


# -- failed reloads ----------------------------------------------------------------------------------------------------


async def test_a_file_that_cannot_be_read(ingress: Ingress, sources: Sources) -> None:
    ingress.put("broken.yml", "http: {routers: [broken")
    reading = await sources.until(TraefikReloads, lambda found: bool(found.failures))
    failure = reading.failures["file"]
    assert "broken.yml" in failure.text
    metrics = await sources.read(TraefikServer)
    assert metrics.reloaded_at is not None and failure.at >= metrics.reloaded_at
    assert await asked(ingress, "acme") == [200], "the last good one is in force"
    ingress.put("broken.yml", "http: {middlewares: {spare: {addPrefix: {prefix: /y}}}}")
    await sources.until(TraefikConfig, lambda found: "spare@file" in found.middlewares)
    mended = await sources.until(
        TraefikServer,
        lambda found: found.reloaded_at is not None and found.reloaded_at >= failure.at.replace(microsecond=0),
    )
    assert mended.reloads > metrics.reloads


# -- what is missing ---------------------------------------------------------------------------------------------------


async def test_doctor(ingress: Ingress, sources: Sources) -> None:
    await asked(ingress, "acme")
    await sources.read(TraefikConfig)
    checks = {check.what: check for source in sources.found.values() for check in await source.examine()}
    assert {check.answer for check in checks.values()} == {"pass"}
    assert "Traefik 3." in checks["edge/traefik-1: API"].detail


async def test_doctor_says_what_to_set(ingress: Ingress) -> None:
    """Addresses that are another part of Traefik's, and a port where nobody listens."""
    found = ingress.sources(metrics=ingress.api, api=ingress.metrics, tls=ingress.closed)
    checks = {}
    for topic in ("traefik", "traefik.config", "traefik.certificates"):
        (check, *_) = await found[topic].examine()
        checks[topic] = check
        assert check.answer == "fail" and check.mend, check
    assert "404" in checks["traefik"].detail and "metrics are not served" in checks["traefik"].detail
    assert "api: {insecure: true}" in checks["traefik.config"].mend
    assert "refuses connections" in checks["traefik.certificates"].detail
    for source in found.values():
        await source.close()


async def test_a_tenant_by_its_namespace_where_no_url_is_given(ingress: Ingress) -> None:
    environment = EnvironmentFile(
        name="test",
        traefik=ingress.settings().traefik,
        applications={"acme": Application(databases=["acme"], namespace="tenant-acme")},
    )
    found = Sources({s.reading.topic: s for s in traefik_sources(environment, load_defaults().cadences)})
    reading = await found.read(TraefikConfig)
    assert {router.tenant for router in reading.routers.values()} == {""}, "the file provider knows no namespaces"


async def test_an_access_log_that_is_no_json_is_said_to_be_none(ingress: Ingress, tmp_path: Any) -> None:
    path = tmp_path / "access.log"
    path.write_text('127.0.0.1 - - [22/Nov/2026] "GET / HTTP/1.1" 200\n' * 3)
    from console.settings import LogSource

    found = ingress.sources(access_log=LogSource(path=str(path)))
    with pytest.raises(SourceError, match="format: json"):
        await found["traefik.access"].read()
