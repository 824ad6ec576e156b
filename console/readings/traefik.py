"""What Traefik says of itself: traffic from its metrics, configuration from its API, certificates from handshakes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import PrivateText, Reading, topic


class Traffic(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went through one router, service or entry point since the previous look; None where there was none."""

    name: str
    requests_per_s: float | None = None
    errors_per_s: float | None = None
    """Answered with 5xx."""
    refused_per_s: float | None = None
    """Answered with 4xx but for 404 and 401: 429 (too many), 403 …"""
    p50_ms: float | None = None
    """Interpolated within the buckets of its histogram, like Prometheus's ``histogram_quantile``."""
    p95_ms: float | None = None
    p99_ms: float | None = None
    over_ms: float | None = None
    """Set where a quantile lies beyond the last bucket: this is that bucket's bound."""
    usual_per_s: float | None = None
    """Requests a second, mean of the last fifteen minutes but for the last one; None: not known yet."""
    usual_p95_ms: float | None = None


class TraefikRouter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A router as the API shows it."""

    name: str
    rule: str = ""
    hosts: tuple[str, ...] = ()
    """Of its rule."""
    service: str = ""
    entry_points: tuple[str, ...] = ()
    middlewares: tuple[str, ...] = ()
    tls: bool = False
    state: str = ""
    """enabled, disabled, warning."""
    problems: tuple[str, ...] = ()


class TraefikService(msgspec.Struct, frozen=True, omit_defaults=True):
    """A service and its servers."""

    name: str
    kind: str = ""
    """loadbalancer, weighted …"""
    servers: dict[str, str] = {}
    """Address → UP, DOWN; UP too where nobody checks."""
    checked: bool = False
    """Whether Traefik checks their health."""
    problems: tuple[str, ...] = ()


class TraefikMiddleware(msgspec.Struct, frozen=True, omit_defaults=True):
    """A middleware."""

    name: str
    kind: str = ""
    state: str = ""
    used_by: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@topic("traefik", "ingress")
class TraefikServer(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """One Traefik process: its metrics. Key ``ingress/server``."""

    ingress: str = ""
    server: str = ""
    version: str = ""
    started_at: datetime | None = None
    open_connections: dict[str, int] = {}
    """By entry point."""
    requests_per_s: float | None = None
    errors_per_s: float | None = None
    p95_ms: float | None = None
    routers: dict[str, Traffic] = {}
    services: dict[str, Traffic] = {}
    entry_points: dict[str, Traffic] = {}
    reloaded_at: datetime | None = None
    """Last time that a configuration was taken."""
    reload_failed: bool = False
    """The last one was not taken: what is in force is older than what is written."""
    reload_failures: int = 0
    memory_bytes: int | None = None
    untold: dict[str, str] = {}
    """What its metrics do not tell, and which setting would: ``routers`` → ``addRoutersLabels is off``."""


@topic("traefik.config", "ingress")
class TraefikConfig(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """One Traefik process: routers, services and middlewares in force. Key ``ingress/server``."""

    ingress: str = ""
    server: str = ""
    routers: dict[str, TraefikRouter] = {}
    services: dict[str, TraefikService] = {}
    middlewares: dict[str, TraefikMiddleware] = {}
    providers: tuple[str, ...] = ()


class Certificate(msgspec.Struct, frozen=True, omit_defaults=True):
    """The certificate that is served for one name."""

    host: str
    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    serial: str = ""
    matches: bool | None = None
    """Whether it is made out to this name. None: no certificate."""
    trusted: bool | None = None
    """Whether its chain leads to an authority that is trusted here."""
    default: bool = False
    """Traefik's own, which it serves where it has none for the name."""
    chain: int = 0
    """Certificates sent."""
    problem: str = ""
    handshake_ms: float | None = None


@topic("traefik.certificates", "ingress")
class TraefikCertificates(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Certificates by server name, from handshakes at the ingress's address. Key: the ingress."""

    ingress: str = ""
    address: str = ""
    certificates: dict[str, Certificate] = {}


class AccessRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Requests of the access log that went wrong in one way, taken together."""

    router: str
    status: int
    count: int = 1
    last_at: datetime | None = None
    path: PrivateText = ""
    """Of the newest."""
    backend: str = ""
    slowest_ms: float | None = None


@topic("traefik.access", "ingress")
class TraefikAccess(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """What the access log tells of the last minutes. Key: the ingress."""

    ingress: str = ""
    wrong: dict[str, AccessRow] = {}
    """``ROUTER STATUS`` → requests with 5xx, 429 or no backend within the last five minutes."""
