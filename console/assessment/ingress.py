"""An ingress as judges want it: what its Traefiks say, taken together, and by whose users it is felt."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, TypeVar

from console.assessment.people import Crowd, crowd
from console.assessment.words import listing, short
from console.board import Board
from console.readings import (
    AccessRow,
    Certificate,
    Reading,
    TraefikAccess,
    TraefikCertificates,
    TraefikConfig,
    TraefikReloads,
    TraefikRouter,
    TraefikServer,
    TraefikService,
    Traffic,
    believed,
)
from console.readings.finding import Scope
from console.settings import EnvironmentFile, TraefikIngress


class Load(NamedTuple):
    """The traffic of one tenant, or of one router that is nobody's, over all servers."""

    requests: int
    window_s: float
    per_s: float
    errors_per_s: float
    gateway_per_s: float
    limited_per_s: float
    slow: int
    """Took longer than a second."""
    p50_ms: float | None
    """The worst server's, as the next."""
    p95_ms: float | None
    usual_per_s: float | None
    """None where it is not known for a server that has traffic."""
    usual_p95_ms: float | None
    readings: tuple[TraefikServer, ...]

    @property
    def gateway_requests(self) -> int:
        """Answered with 502, 503 or 504 within the window."""
        # Rates have three digits: three requests would come back as 2.995, and be too few.
        return round(self.gateway_per_s * self.window_s)


class Ingress:
    """One ingress: last readings (``*_last``), and what of them may be believed."""

    def __init__(self, board: Board, now: datetime, name: str, settings: TraefikIngress) -> None:
        self.name = name
        self.settings = settings
        keys = {server: f"{name}/{server}" for server in settings.servers}
        self.servers_last = {server: board.get(TraefikServer, key) for server, key in keys.items()}
        self.certificates_last = board.get(TraefikCertificates, name)
        self.servers = _known({server: believed(last, now) for server, last in self.servers_last.items()})
        self.configs = _known({server: believed(board.get(TraefikConfig, key), now) for server, key in keys.items()})
        self.reloads = _known({server: believed(board.get(TraefikReloads, key), now) for server, key in keys.items()})
        self.certificates = believed(self.certificates_last, now)
        self.access = believed(board.get(TraefikAccess, name), now)

    @property
    def loads(self) -> dict[str, Load]:
        """Tenant, or name of what is nobody's → its traffic; by routers where they are counted, else by services."""
        found: dict[str, list[tuple[TraefikServer, Traffic]]] = {}
        for reading in self.servers.values():
            if reading.window_s <= 0:
                continue
            for row in (reading.routers or reading.services).values():
                if row.requests is not None:
                    found.setdefault(who(row.tenant, row.name), []).append((reading, row))
        return {subject: _load(rows) for subject, rows in found.items()}

    @property
    def routers(self) -> list[tuple[TraefikConfig, TraefikRouter]]:
        """Every router of every server."""
        return [(config, router) for config in self.configs.values() for router in config.routers.values()]

    @property
    def services(self) -> list[tuple[TraefikConfig, TraefikService]]:
        """Every service that a router uses, of every server."""
        return [
            (config, service)
            for config in self.configs.values()
            for service in config.services.values()
            if any(_works(config, name) for name in service.used_by)
        ]

    def served(self) -> list[Certificate]:
        """Certificates that were seen."""
        rows = self.certificates.certificates.values() if self.certificates else ()
        return [row for row in rows if row.seen_at is not None]

    def wrong(self, tenant: str, *statuses: int) -> AccessRow | None:
        """The most frequent way in which requests of a tenant went wrong with one of these status codes."""
        rows = self.access.wrong.values() if self.access else ()
        found = [row for row in rows if who(row.tenant, row.router) == tenant and row.status in statuses]
        return max(found, key=lambda row: (row.count, row.router), default=None)

    def subject(self, name: str) -> str:
        """A finding's subject."""
        return f"{self.name}/{short(name, 60)}"


R = TypeVar("R", bound=Reading)


def _known(found: dict[str, R | None]) -> dict[str, R]:
    return {name: reading for name, reading in found.items() if reading is not None}


def who(tenant: str, name: str) -> str:
    """A tenant, or the bare name of what is nobody's."""
    return tenant or name.partition("@")[0]


def _works(config: TraefikConfig, router: str) -> bool:
    found = config.routers.get(router)
    return found is None or found.state != "disabled"


def _load(rows: list[tuple[TraefikServer, Traffic]]) -> Load:
    def total(field: str) -> float:
        return float(sum(getattr(row, field) or 0.0 for _, row in rows))

    def worst(field: str) -> float | None:
        return max((value for _, row in rows if (value := getattr(row, field)) is not None), default=None)

    unknown = any(row.usual_per_s is None for _, row in rows)
    return Load(
        requests=sum(row.requests or 0 for _, row in rows),
        window_s=max(reading.window_s for reading, _ in rows),
        per_s=total("requests_per_s"),
        errors_per_s=total("errors_per_s"),
        gateway_per_s=total("gateway_per_s"),
        limited_per_s=total("limited_per_s"),
        slow=sum(row.slow or 0 for _, row in rows),
        p50_ms=worst("p50_ms"),
        p95_ms=worst("p95_ms"),
        usual_per_s=None if unknown else total("usual_per_s"),
        usual_p95_ms=worst("usual_p95_ms"),
        readings=tuple({reading.key: reading for reading, _ in rows}.values()),
    )


class Felt(NamedTuple):
    """Who feels it."""

    words: str
    affects: tuple[str, ...]
    tenants: tuple[str, ...]

    @property
    def scope(self) -> Scope:
        """Of what concerns nobody but them: one tenant's own, or something that tenants share."""
        return "tenant" if len(self.tenants) == 1 else "platform"


def felt_by(environment: EnvironmentFile, tenants: Iterable[str], otherwise: str) -> Felt:
    """Users of these tenants; ``otherwise`` is said where nobody is known."""
    names = tuple(dict.fromkeys(name for name in tenants if name in environment.applications))
    databases = [
        database
        for name in names
        for database in environment.applications[name].databases
        if not any(letter in database for letter in "*?[")
    ]
    users: Crowd = crowd(environment, databases, listing(names) or otherwise)
    return Felt(users.words, users.databases or names, names)


def label(environment: EnvironmentFile, tenant: str) -> str:
    """What people call a tenant, cut; the name itself where it is none."""
    application = environment.applications.get(tenant)
    return short(application.label or tenant) if application else short(tenant, 32)
