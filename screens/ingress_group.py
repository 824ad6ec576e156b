"""One ingress as the board knows it: its Traefiks, what they have in force, certificates and access log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from console.board import Board
from console.readings import (
    Reading,
    TraefikAccess,
    TraefikCertificates,
    TraefikConfig,
    TraefikReloads,
    TraefikServer,
    Traffic,
    believed,
)

R = TypeVar("R", bound=Reading)


@dataclass(frozen=True, slots=True)
class Seen(Generic[R]):
    """A reading: raw, and what of it may be believed now. ``configured``: whether it is read at all."""

    raw: R | None
    reading: R | None
    configured: bool


@dataclass(frozen=True, slots=True)
class Traefik:
    """One Traefik."""

    name: str
    metrics: Seen[TraefikServer]
    config: Seen[TraefikConfig]
    reloads: Seen[TraefikReloads]

    @property
    def silent(self) -> bool:
        """Whether something that should be known of it is not."""
        return any(seen.configured and seen.reading is None for seen in (self.metrics, self.config, self.reloads))


@dataclass(frozen=True, slots=True)
class Ingress:
    """An ingress at one moment."""

    name: str
    servers: tuple[Traefik, ...]
    certificates: Seen[TraefikCertificates]
    access: Seen[TraefikAccess]

    @property
    def metrics(self) -> list[TraefikServer]:
        """Metrics that may be believed."""
        return [server.metrics.reading for server in self.servers if server.metrics.reading is not None]

    @property
    def configs(self) -> list[TraefikConfig]:
        """Configurations that may be believed."""
        return [server.config.reading for server in self.servers if server.config.reading is not None]

    def server(self, name: str) -> Traefik | None:
        """The Traefik of that name."""
        return next((server for server in self.servers if server.name == name), None)


def ingresses(board: Board) -> list[str]:
    """Names of the ingresses that are configured, in order of the environment file."""
    return list(dict.fromkeys(key.split("/", 1)[0] for _, key in _pairs(board)))


def _pairs(board: Board) -> list[tuple[str, str]]:
    environment = board.environment
    pairs = environment.panes.get("ingress", ()) if environment else ()
    return [(topic, key) for topic, _, key in (pair.partition(" ") for pair in pairs) if key]


def ingress_at(board: Board, name: str, now: datetime) -> Ingress:
    """The ingress ``name`` at ``now``."""
    pairs = {pair for pair in _pairs(board) if pair[1].split("/", 1)[0] == name}
    servers = sorted({key.split("/", 1)[1] for _, key in pairs if "/" in key})

    def seen(cls: type[R], key: str) -> Seen[R]:
        raw = board.get(cls, key)
        return Seen(raw, believed(raw, now), (cls.topic, key) in pairs)

    return Ingress(
        name,
        tuple(
            Traefik(
                server,
                seen(TraefikServer, f"{name}/{server}"),
                seen(TraefikConfig, f"{name}/{server}"),
                seen(TraefikReloads, f"{name}/{server}"),
            )
            for server in servers
        ),
        seen(TraefikCertificates, name),
        seen(TraefikAccess, name),
    )


@dataclass(frozen=True, slots=True)
class Flow:
    """Traffic of one name over all Traefiks; None: not known, or (quantiles) nothing was asked."""

    requests: int | None = None
    per_s: float | None = None
    errors_per_s: float | None = None
    limited_per_s: float | None = None
    p50_ms: float | None = None
    """The slowest Traefik's, as the next two."""
    p95_ms: float | None = None
    p99_ms: float | None = None
    over_ms: float | None = None
    usual_per_s: float | None = None
    usual_p95_ms: float | None = None

    @property
    def error_share(self) -> float | None:
        """5xx of all; None where nothing was asked."""
        return self.errors_per_s / self.per_s if self.per_s and self.errors_per_s is not None else None


NO_FLOW = Flow()


def flow_of(rows: list[Traffic]) -> Flow:
    """Their traffic together."""
    rows = [row for row in rows if row.requests is not None]
    if not rows:
        return NO_FLOW

    def total(field: str) -> float | None:
        known = [value for row in rows if (value := getattr(row, field)) is not None]
        return float(sum(known)) if len(known) == len(rows) else None

    def worst(field: str) -> float | None:
        return max((value for row in rows if (value := getattr(row, field)) is not None), default=None)

    return Flow(
        sum(row.requests or 0 for row in rows),
        total("requests_per_s"),
        total("errors_per_s"),
        total("limited_per_s"),
        worst("p50_ms"),
        worst("p95_ms"),
        worst("p99_ms"),
        worst("over_ms"),
        total("usual_per_s"),
        worst("usual_p95_ms"),
    )


def label_of(board: Board, tenant: str) -> str:
    """What people call a tenant."""
    environment = board.environment
    known = environment.applications.get(tenant) if environment else None
    return known.label or tenant if known else tenant
