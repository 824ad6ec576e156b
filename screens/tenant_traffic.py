"""What goes to each tenant through the ingress: its routers, found by the host names that its users open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from console.board import Board
from console.readings import believed
from console.readings.traefik import TraefikConfig, TraefikRouter, TraefikServer, TraefikService, Traffic
from screens.trust import silence


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests of one tenant, all servers of the ingress together. None: not known; ``why`` says why."""

    ingress: str = ""
    routers: tuple[TraefikRouter, ...] = ()
    services: tuple[TraefikService, ...] = ()
    requests_per_s: float | None = None
    errors_per_s: float | None = None
    p95_ms: float | None = None
    requests: int | None = None
    """Within the servers' window."""
    usual_per_s: float | None = None
    usual_p95_ms: float | None = None
    why: str = ""

    @property
    def errors(self) -> float | None:
        """Share of requests answered with 5xx; None: not known, or no requests."""
        if self.requests_per_s is None or self.errors_per_s is None or self.requests_per_s <= 0:
            return None
        return min(1.0, self.errors_per_s / self.requests_per_s)


class Flows:
    """Every router of every ingress by host, looked up once for all tenants."""

    def __init__(self, board: Board, now: datetime) -> None:
        self._silent = ""
        self._routers: dict[str, dict[tuple[str, str], TraefikRouter]] = {}
        self._services: dict[tuple[str, str], TraefikService] = {}
        self._traffic: dict[tuple[str, str], list[Traffic]] = {}
        self._untold: dict[str, str] = {}
        self._configured = False
        for config in board.every(TraefikConfig):
            self._configured = True
            reading = believed(config, now)
            if reading is None:
                self._silent = self._silent or f"{config.key}: {silence(config, now)}"
                continue
            for name, service in reading.services.items():
                self._services[reading.ingress, name] = service
            for name, router in reading.routers.items():
                for owner in (router.tenant, *(host.casefold() for host in router.hosts)):
                    self._routers.setdefault(owner, {})[reading.ingress, name] = router
        for server in board.every(TraefikServer):
            metrics = believed(server, now)
            if metrics is None:
                self._silent = self._silent or f"{server.key}: {silence(server, now)}"
                continue
            if "routers" in metrics.untold:
                self._untold[metrics.ingress] = metrics.untold["routers"]
            for name, traffic in metrics.routers.items():
                self._traffic.setdefault((metrics.ingress, name), []).append(traffic)

    def of(self, tenant: str, hosts: Iterable[str]) -> Flow | None:
        """What goes to a tenant or to these hosts. None: no ingress is watched, or the tenant has no address."""
        names = [host.casefold() for host in hosts]
        found = {where: router for owner in (tenant, *names) for where, router in self._routers.get(owner, {}).items()}
        if not self._configured or not (names or found):
            return None
        if not found:
            return Flow(why=self._silent or f"no router takes {names[0]}")
        ingress = next(iter(found))[0]
        services = tuple(
            service for where, router in found.items() if (service := self._service(where[0], router)) is not None
        )
        routers = tuple(found.values())
        counted = [traffic for where in found for traffic in self._traffic.get(where, ())]
        if not counted:
            return Flow(ingress, routers, services, why=self._silent or self._untold.get(ingress, "no request yet"))
        return Flow(
            ingress,
            routers,
            services,
            _sum(each.requests_per_s for each in counted),
            _sum(each.errors_per_s for each in counted),
            _most(each.p95_ms for each in counted),
            _count(each.requests for each in counted),
            _sum(each.usual_per_s for each in counted),
            _most(each.usual_p95_ms for each in counted),
        )

    def _service(self, ingress: str, router: TraefikRouter) -> TraefikService | None:
        """A router may name the service of its own provider without the provider."""
        provider = router.name.partition("@")[2]
        return self._services.get((ingress, router.service)) or self._services.get(
            (ingress, f"{router.service}@{provider}")
        )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _count(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
