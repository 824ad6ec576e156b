"""What Traefik says of itself: traffic from its metrics, configuration from its API, certificates from handshakes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import PrivateText, Reading, topic


class Traffic(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went through one router, service or entry point within the reading's window.

    Rates are per second; None: there is no look before to compare with. Quantiles leave out WebSocket connections, which
    last as long as somebody keeps a page open; None: nothing was asked.
    """

    name: str
    tenant: str = ""
    """Application of the environment file that it serves; empty: none, or more than one."""
    requests: int | None = None
    """Answered within the window: a share of few requests says little."""
    requests_per_s: float | None = None
    errors_per_s: float | None = None
    """Answered with 5xx."""
    gateway_per_s: float | None = None
    """Of these with 502, 503 or 504: the backend could not be reached, there was none, or it did not answer in time."""
    limited_per_s: float | None = None
    """Answered with 429."""
    refused_per_s: float | None = None
    """Answered with another 4xx but for 401 and 404."""
    slow: int | None = None
    """Of the requests, those that took longer than a second (or the next bound of the histogram above it)."""
    p50_ms: float | None = None
    """Interpolated within the buckets of its histogram, like Prometheus's ``histogram_quantile``."""
    p95_ms: float | None = None
    p99_ms: float | None = None
    over_ms: float | None = None
    """Bound of the last bucket, where the 99th percentile lies beyond it: quantiles that equal it are "more than that"."""
    usual_per_s: float | None = None
    """Requests a second, mean of the last fifteen minutes but for unusual ones and the one under way; None: not known yet."""
    usual_p95_ms: float | None = None


class TraefikRouter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A router as the API shows it."""

    name: str
    tenant: str = ""
    """Application of the environment file that it serves: by its hosts, else by the namespace of its service."""
    rule: str = ""
    hosts: tuple[str, ...] = ()
    """Of its rule."""
    any_host: bool = False
    """Its rule matches names that it does not spell out (no ``Host``, or ``HostRegexp``)."""
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
    tenant: str = ""
    kind: str = ""
    """loadBalancer, weighted …"""
    servers: dict[str, str] = {}
    """Address → UP, DOWN; UP too where nobody checks."""
    checked: bool = False
    """Whether Traefik checks their health."""
    state: str = ""
    used_by: tuple[str, ...] = ()
    """Routers."""
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
    started_at: datetime | None = None
    window_s: float = 0.0
    """Length of the interval that the figures are of; 0: the first look."""
    open_connections: dict[str, int] = {}
    """By entry point."""
    requests_per_s: float | None = None
    """Of all entry points, as the next five."""
    errors_per_s: float | None = None
    requests: int | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    routers: dict[str, Traffic] = {}
    services: dict[str, Traffic] = {}
    entry_points: dict[str, Traffic] = {}
    reloads: int = 0
    """Configurations taken since it started."""
    reloaded_at: datetime | None = None
    """Last time that a configuration was taken."""
    memory_bytes: int | None = None
    series: int = 0
    """Lines of metrics read."""
    untold: dict[str, str] = {}
    """What its metrics do not tell, and which setting would: ``routers`` → ``… addRoutersLabels: true …``."""


@topic("traefik.config", "ingress")
class TraefikConfig(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """One Traefik process: routers, services and middlewares in force. Key ``ingress/server``."""

    ingress: str = ""
    server: str = ""
    version: str = ""
    routers: dict[str, TraefikRouter] = {}
    services: dict[str, TraefikService] = {}
    middlewares: dict[str, TraefikMiddleware] = {}
    providers: tuple[str, ...] = ()


class ReloadFailure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of Traefik's log by which a provider could not give it a configuration."""

    provider: str
    at: datetime
    first_at: datetime
    count: int = 1
    """Within the time looked at."""
    text: PrivateText = ""


@topic("traefik.log", "ingress")
class TraefikReloads(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """What the log of one Traefik says of its providers within the last minutes. Key ``ingress/server``.

    Version 3 counts no failed reloads in its metrics any more: a configuration that is not taken shows in the log only.
    """

    ingress: str = ""
    server: str = ""
    failures: dict[str, ReloadFailure] = {}
    """By provider."""


class Certificate(msgspec.Struct, frozen=True, omit_defaults=True):
    """The certificate that is served for one name."""

    host: str
    tenant: str = ""
    seen_at: datetime | None = None
    """When the handshake was made. None: none has succeeded yet."""
    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    serial: str = ""
    """Hexadecimal."""
    matches: bool | None = None
    """Whether it is made out to this name. None: no certificate."""
    trusted: bool | None = None
    """Whether its chain leads to an authority that is trusted here; whether it is within its time is another question."""
    why: str = ""
    """Why it is not trusted, in the words of OpenSSL."""
    default: bool = False
    """Traefik's own, which it serves where it has none for the name."""
    chain: int = 0
    """Certificates sent; 0: not known."""
    problem: str = ""
    """Why there is no certificate."""


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
    tenant: str = ""
    count: int = 1
    first_at: datetime | None = None
    last_at: datetime | None = None
    method: str = ""
    """Of the newest, as the next three."""
    path: PrivateText = ""
    """Without its query."""
    backend: str = ""
    """Address of the server that was asked; empty: none was."""
    by_traefik: bool = False
    """No server answered: the status is Traefik's own."""
    slowest_ms: float | None = None
    """Until the client had its answer."""
    origin_slowest_ms: float | None = None
    """Of that, until the backend had answered; None: no backend was asked."""


@topic("traefik.access", "ingress")
class TraefikAccess(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """What the access log tells of the last five minutes. Key: the ingress."""

    ingress: str = ""
    wrong: dict[str, AccessRow] = {}
    """``STATUS ROUTER`` → requests with 5xx or 429, or without an answer (499)."""
    slow: dict[str, AccessRow] = {}
    """Router → answered well, and only after five seconds."""
    lines: int = 0
    """Requests logged within that time, to two digits, as far as read."""
    partly: bool = False
    """There were more lines than are read: counts are too low."""
