"""Looks at what one Traefik has in force: routers, services and middlewares by its API."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from console.clients.clean import clean, clean_key
from console.clients.web import Web
from console.readings import Reading, TraefikConfig, TraefikMiddleware, TraefikRouter, TraefikService
from console.settings import Cadence
from console.sources.base import Check, SourceError
from console.sources.traefik_common import ask, mend_reach
from console.sources.traefik_routing import Routing, hosts_of

_RARELY_S = 60.0
_MOST = 2_000
_PROBLEMS = 5
_TEXT = 300
MEND = "set `api: {insecure: true}` on an entry point of its own, or a router to api@internal"

Json = dict[str, Any]


class _Router(msgspec.Struct, frozen=True):
    rule: str = ""
    service: str = ""
    entry_points: list[str] | None = msgspec.field(default=None, name="entryPoints")
    using: list[str] | None = None
    middlewares: list[str] | None = None
    tls: Any = None
    status: str = ""
    error: list[str] | str | None = None


class _Balancer(msgspec.Struct, frozen=True):
    servers: list[Json] | None = None
    check: Any = msgspec.field(default=None, name="healthCheck")


class _Service(msgspec.Struct, frozen=True):
    balancer: _Balancer | None = msgspec.field(default=None, name="loadBalancer")
    weighted: Any = None
    mirroring: Any = None
    failover: Any = None
    status: str = ""
    error: list[str] | str | None = None
    used_by: list[str] | None = msgspec.field(default=None, name="usedBy")
    server_status: dict[str, str] | None = msgspec.field(default=None, name="serverStatus")


class _Raw(msgspec.Struct, frozen=True):
    routers: dict[str, _Router] | None = None
    services: dict[str, _Service] | None = None
    middlewares: dict[str, Json] | None = None


class TraefikConfigSource:
    """``/api/rawdata`` at each look; version and providers once a minute."""

    reading: type[Reading] = TraefikConfig
    privilege = "GET on the API of Traefik (`api: {…}` in its static configuration)"

    def __init__(self, ingress: str, server: str, web: Web, routing: Routing, cadence: Cadence) -> None:
        self.key = f"{ingress}/{server}"
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._ingress = ingress
        self._server = server
        self._web = web
        self._routing = routing
        self._rarely_at = -_RARELY_S
        self._version = ""
        self._providers: tuple[str, ...] = ()

    async def read(self) -> TraefikConfig:
        """One look. Raises SourceError."""
        taken_at = datetime.now(UTC)
        raw = self._decoded(await ask(self._web, "/api/rawdata", self.deadline_s, "routers and services", MEND))
        if time.monotonic() - self._rarely_at >= _RARELY_S:
            await self._rarely()
        routing = self._routing
        routers = {clean_key(name): _router(name, row, routing) for name, row in _own(raw.routers)}
        services = {
            clean_key(name): _service(name, row, _tenant(name, row, routers, routing))
            for name, row in _own(raw.services)
        }
        routing.learn(self._server, routers, {name: row.tenant for name, row in services.items()})
        return TraefikConfig(
            key=self.key,
            taken_at=taken_at,
            ingress=self._ingress,
            server=self._server,
            version=self._version,
            providers=self._providers,
            routers=routers,
            services=services,
            middlewares={clean_key(name): _middleware(name, row) for name, row in _own(raw.middlewares)},
        )

    def _decoded(self, body: bytes) -> _Raw:
        try:
            return msgspec.json.decode(body, type=_Raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            begin = clean(body[:200], 60) or "an empty body"
            raise SourceError(f"{self._web.base}/api/rawdata: not what Traefik answers: {begin}") from None

    async def _rarely(self) -> None:
        version = await self._object("/api/version")
        overview = await self._object("/api/overview")
        self._rarely_at = time.monotonic()
        self._version = clean(str(version.get("Version", "")), 30)
        providers = overview.get("providers")
        self._providers = tuple(clean(str(each), 40) for each in providers[:20]) if isinstance(providers, list) else ()

    async def _object(self, path: str) -> Json:
        body = await ask(self._web, path, self.deadline_s, "version and providers", MEND)
        try:
            found = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def abandon(self) -> None:
        """End every request now."""
        self._web.drop()

    async def close(self) -> None:
        """End the connections."""
        await self._web.close()

    async def examine(self) -> list[Check]:
        """Whether the API answers."""
        what = f"{self.key}: API"
        try:
            reading = await self.read()
        except SourceError as error:
            mend = MEND if "404" in error.problem else mend_reach("api", self._web.base)
            return [Check(what, "fail", error.problem, mend)]
        said = f"{self._web.base}, Traefik {reading.version or '?'}, {len(reading.routers)} routers"
        return [Check(what, "pass", said)]


def _own(rows: dict[str, Any] | None) -> list[tuple[str, Any]]:
    """Without Traefik's internal ones, bounded."""
    found = [(name, row) for name, row in (rows or {}).items() if not name.endswith("@internal")]
    return sorted(found, key=lambda pair: pair[0])[:_MOST]


def _texts(values: Any) -> tuple[str, ...]:
    listed = values if isinstance(values, list) else [values] if values else []
    return tuple(clean(str(value), _TEXT) for value in listed[:_PROBLEMS])


def _names(values: Any) -> tuple[str, ...]:
    return tuple(clean(value) for value in values[:100] if isinstance(value, str)) if isinstance(values, list) else ()


def _router(name: str, row: _Router, routing: Routing) -> TraefikRouter:
    hosts, any_host = hosts_of(row.rule)
    return TraefikRouter(
        name=clean(name),
        tenant=routing.tenant_at(hosts) or routing.tenant_named(f"{row.service}@{name.rpartition('@')[2]}", name),
        rule=clean(row.rule, _TEXT),
        hosts=tuple(clean(host) for host in hosts[:100]),
        any_host=any_host,
        service=clean(row.service),
        entry_points=_names(row.entry_points),
        middlewares=_names(row.middlewares),
        tls=row.tls is not None,
        state=clean(row.status, 20),
        problems=_texts(row.error),
    )


def _tenant(name: str, row: _Service, routers: dict[str, TraefikRouter], routing: Routing) -> str:
    """Whose a service is: of all routers that use it, else by its name."""
    users = {routers[user].tenant for user in _names(row.used_by) if user in routers} - {""}
    return users.pop() if len(users) == 1 else "" if users else routing.tenant_named(name)


def _service(name: str, row: _Service, tenant: str) -> TraefikService:
    kinds = {
        "loadBalancer": row.balancer,
        "weighted": row.weighted,
        "mirroring": row.mirroring,
        "failover": row.failover,
    }
    servers = dict(row.server_status or {})
    if not servers and row.balancer is not None:
        servers = {url: "UP" for each in row.balancer.servers or [] if isinstance(url := each.get("url"), str)}
    return TraefikService(
        name=clean(name),
        tenant=tenant,
        kind=next((kind for kind, value in kinds.items() if value is not None), ""),
        servers={clean_key(url): clean(state, 20) for url, state in sorted(servers.items())[:200]},
        checked=row.balancer is not None and row.balancer.check is not None,
        state=clean(row.status, 20),
        used_by=_names(row.used_by),
        problems=_texts(row.error),
    )


def _middleware(name: str, row: Json) -> TraefikMiddleware:
    known = ("status", "error", "usedBy")
    return TraefikMiddleware(
        name=clean(name),
        kind=clean(next((key for key in row if key not in known), ""), 40),
        state=clean(str(row.get("status", "")), 20),
        used_by=_names(row.get("usedBy")),
        problems=_texts(row.get("error")),
    )
