"""Looks at one Traefik's metrics."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

from console.clients.clean import clean, clean_key
from console.clients.web import Web
from console.readings import Reading, TraefikServer, Traffic
from console.settings import Cadence
from console.sources.base import Check, SourceError
from console.sources.traefik_common import ask, mend_reach
from console.sources.traefik_metrics import Counts, Metrics, Scrape
from console.sources.traefik_routing import Routing
from console.sources.traefik_window import Course
from console.threads import in_daemon

_INLINE = 300_000
"""Bytes of metrics that are read at once; more go to a thread, so that nothing waits for them."""
_MOST_NAMES = 2_000
"""Routers, services or entry points that a reading carries."""
SETTING = "metrics: {prometheus: {%s: true}}"
LABELS = {"routers": "addRoutersLabels", "services": "addServicesLabels", "entry points": "addEntryPointsLabels"}


class TraefikServerSource:
    """One process's Prometheus endpoint."""

    reading: type[Reading] = TraefikServer
    privilege = (
        "GET on the metrics of Traefik (`metrics: {prometheus: {addRoutersLabels: true}}` in its static configuration)"
    )

    def __init__(self, ingress: str, server: str, web: Web, routing: Routing, cadence: Cadence) -> None:
        self.key = f"{ingress}/{server}"
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._ingress = ingress
        self._server = server
        self._web = web
        self._routing = routing
        self._metrics = Metrics()
        self._digesting = threading.Lock()
        self._course = Course(longest_s=10 * self.every_s)

    async def read(self) -> TraefikServer:
        """One look. Raises SourceError."""
        taken_at, began = datetime.now(UTC), time.monotonic()
        body = await self._body()
        if len(body) <= _INLINE:
            return self._digest(body, taken_at, began)
        return await in_daemon(lambda: self._digest(body, taken_at, began), f"metrics {self.key}")

    async def _body(self) -> bytes:
        return await ask(self._web, "", self.deadline_s, "metrics", "set `metrics: {prometheus: {}}` in Traefik")

    def _digest(self, body: bytes, taken_at: datetime, began: float) -> TraefikServer:
        """One scrape's reading. May be called in a thread, one at a time."""
        if not self._digesting.acquire(blocking=False):
            raise SourceError(f"{self._web.base}: its last metrics are still being read")
        try:
            scrape = self._metrics.read(body)
            if "started" not in scrape.plain:
                begin = clean(body[:200], 60) or "an empty body"
                raise SourceError(f"{self._web.base}: answers, but not with the metrics of a process: {begin}")
            self._course.take(began, scrape.plain["started"], scrape)
            return self._reading(scrape, taken_at)
        finally:
            self._digesting.release()

    def _reading(self, scrape: Scrape, taken_at: datetime) -> TraefikServer:
        course, routing = self._course, self._routing
        return TraefikServer(
            key=self.key,
            taken_at=taken_at,
            ingress=self._ingress,
            server=self._server,
            started_at=_moment(scrape.plain.get("started")),
            window_s=max(0.1, round(course.window_s, 1)) if course.window_s else 0.0,
            open_connections={clean_key(name): int(number) for name, number in scrape.connections.items()},
            routers=_rows(course.traffic("router", _most(scrape.routers), routing.tenant_of_router)),
            services=_rows(course.traffic("service", _most(scrape.services), routing.tenant_of_service)),
            entry_points=_rows(course.traffic("entrypoint", _most(scrape.entry_points), lambda _name: "")),
            reloads=int(scrape.plain.get("reloads", 0)),
            reloaded_at=_moment(scrape.plain.get("reloaded")),
            memory_bytes=int(scrape.plain["memory"]) if "memory" in scrape.plain else None,
            series=scrape.series,
            untold=untold(scrape),
            **_fields(course.whole()),
        )

    def abandon(self) -> None:
        """End every request now."""
        self._web.drop()

    async def close(self) -> None:
        """End the connections."""
        await self._web.close()

    async def examine(self) -> list[Check]:
        """Whether metrics can be read, and whether they tell of routers and services."""
        what = f"{self.key}: metrics"
        try:
            scrape = Metrics().read(await self._body())
        except SourceError as error:
            return [Check(what, "fail", error.problem, mend_reach("metrics", self._web.base))]
        if not scrape.series:
            return [
                Check(what, "fail", f"{self._web.base}: not metrics of Traefik", mend_reach("metrics", self._web.base))
            ]
        checks = [Check(what, "pass", f"{self._web.base}, {scrape.series} series")]
        missing = untold(scrape)
        found = {"routers": scrape.routers, "services": scrape.services, "entry points": scrape.entry_points}
        for name, rows in found.items():
            label = f"{what} of {name}"
            if rows:
                checks.append(Check(label, "pass", f"{len(rows)}"))
            elif name in missing:
                checks.append(Check(label, "fail", "there are none, though requests are counted", missing[name]))
            else:
                checks.append(
                    Check(label, "cannot tell", "none yet: nothing has been asked of it", SETTING % LABELS[name])
                )
        return checks


def untold(scrape: Scrape) -> dict[str, str]:
    """What these metrics lack though there have been requests, and the setting that would tell it."""
    # What no router takes is answered with 404 and counted at the entry point alone; it was not refused by a backend.
    services = sum(counts.requests for counts in scrape.services.values())
    routers = sum(counts.requests for counts in scrape.routers.values())
    routed = max(services, routers, sum(_answered(counts) for counts in scrape.entry_points.values()))
    if not routed:
        return {}
    found = {"routers": scrape.routers, "services": scrape.services, "entry points": scrape.entry_points}
    return {name: SETTING % LABELS[name] for name, rows in found.items() if not rows}


def _answered(counts: Counts) -> float:
    return counts.errors + counts.limited + counts.refused


def _most(names: dict[str, Counts]) -> dict[str, Counts]:
    """The busiest, where there are more than a reading should carry."""
    if len(names) <= _MOST_NAMES:
        return names
    ranked = sorted(names, key=lambda name: (-names[name].requests, name))[:_MOST_NAMES]
    return {name: names[name] for name in ranked}


def _rows(found: dict[str, Traffic]) -> dict[str, Traffic]:
    """With names that may be shown."""
    rows: dict[str, Traffic] = {}
    for name, row in found.items():
        key = clean_key(name)
        rows[key] = row if key == name else Traffic(clean(name), *_after_name(row))
    return rows


def _after_name(row: Traffic) -> tuple[Any, ...]:
    return tuple(getattr(row, field) for field in row.__struct_fields__[1:])


def _fields(found: dict[str, object]) -> dict[str, Any]:
    return dict(found)


def _moment(seconds: float | None) -> datetime | None:
    """Unix seconds, to the second."""
    if not seconds or not 0 < seconds < 1e11:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)
