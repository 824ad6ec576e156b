"""The environment file, as types. The JSON schema and the loader's errors are made from them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

SecretRef = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:(/|~/).+|kube:[^/]+/[^/]+/[^/]+)$",
        description="a reference to the secret, never the secret itself: env:NAME, file:/path (its first line) "
        "or kube:namespace/secret/key",
        extra={"secret": True},
    ),
]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535, description="a port, a whole number from 1 to 65535")]
Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="a name of at most 63 letters, digits, dots, dashes and underscores that begins with a letter or digit",
    ),
]
Host = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?)$",
        description="a host name or address, without port, user or scheme",
    ),
]
PostgresHost = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?|/.*)$",
        description="a host name, an address, or the folder of a Unix socket; without port, user or scheme",
    ),
]
PatroniUrl = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(https?://[^\s@/?#]+/?)?$",
        description="the address of a Patroni REST API like http://10.0.0.11:8008, without user or password",
    ),
]
HttpUrl = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(https?://[^\s@?#]+)?$",
        description="an address like https://acme.example.com, without user or password",
    ),
]
HostPort = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(([A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})?$",
        description="host and port, like 203.0.113.7:443",
    ),
]
FilePath = Annotated[str, msgspec.Meta(pattern=r"^(/.*)?$", description="a path from the root, beginning with /")]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Unknown keys are errors: a misspelt key must not switch a check off in silence."""


class LogSource(_Strict, frozen=True, kw_only=True):
    """Where a server's log is: a file or directory (newest file) that the engine can read, or a command that prints its tail."""

    path: FilePath = ""
    command: list[str] = []
    """A list, never a shell string. Ends by itself or is ended after the deadline."""


class PostgresServer(_Strict, frozen=True, kw_only=True):
    """One PostgreSQL server."""

    host: PostgresHost
    port: Port = 5432
    patroni: PatroniUrl = ""
    """Base address of this member's Patroni REST API, ``http://10.0.0.11:8008``; empty: not run by Patroni."""
    log: LogSource | None = None


class PatroniSettings(_Strict, frozen=True, kw_only=True):
    """How Patroni's REST API is asked (reading needs no credentials unless it demands client certificates)."""

    ca_file: FilePath = ""
    cert_file: FilePath = ""
    key_file: FilePath = ""


class PostgresCluster(_Strict, frozen=True, kw_only=True):
    """A primary and its standbys: with Patroni, or plain streaming replication."""

    servers: Annotated[dict[Name, PostgresServer], msgspec.Meta(min_length=1, description="at least one server")]
    user: str = "banksman"
    password: SecretRef | None = None
    """None: from ~/.pgpass or a service file, as libpq finds it."""
    service: str = ""
    """Section of pg_service.conf whose settings are the ground for every member."""
    database: str = "postgres"
    """Database to connect to."""
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    sslrootcert: FilePath = ""
    patroni: PatroniSettings = PatroniSettings()


class RedisServerSettings(_Strict, frozen=True, kw_only=True):
    """One Redis or Valkey server."""

    host: Host
    port: Port = 6379
    log: LogSource | None = None


class SentinelServerSettings(RedisServerSettings, frozen=True, kw_only=True):
    """One Sentinel: the same, on another port."""

    port: Port = 26379


class SentinelSettings(_Strict, frozen=True, kw_only=True):
    """The Sentinels that watch a cache."""

    master: str
    """Name of the master in Sentinel's configuration."""
    servers: Annotated[
        dict[Name, SentinelServerSettings], msgspec.Meta(min_length=1, description="at least one server")
    ]
    username: str = ""
    password: SecretRef | None = None


class RedisCache(_Strict, frozen=True, kw_only=True):
    """A primary and its replicas, with or without Sentinels."""

    servers: Annotated[dict[Name, RedisServerSettings], msgspec.Meta(min_length=1, description="at least one server")]
    username: str = ""
    password: SecretRef | None = None
    tls: bool = False
    ca_file: FilePath = ""
    sentinel: SentinelSettings | None = None
    queues: list[str] = []
    """Keys (lists, streams, sorted sets) whose length is a queue depth."""
    sample_keys: bool = True
    """Look for big keys by SCAN, within a budget, on a replica where there is one."""
    used_for: str = ""
    """What users lose without it, in a few words: ``sessions and job queues``."""


class KubernetesCluster(_Strict, frozen=True, kw_only=True):
    """A Kubernetes cluster; with neither kubeconfig nor server: the one that the engine itself runs in."""

    kubeconfig: FilePath = ""
    context: str = ""
    """Of the kubeconfig; empty: its current one."""
    server: HttpUrl = ""
    """Instead of a kubeconfig: the API server, with ``token`` and ``ca_file``."""
    ca_file: FilePath = ""
    token: SecretRef | None = None
    namespaces: list[str] = []
    """Only these, for a role that holds in namespaces and not in the whole cluster. Empty: all."""


class TraefikServer(_Strict, frozen=True, kw_only=True):
    """One Traefik process."""

    metrics: HttpUrl
    """Its Prometheus endpoint: ``http://10.0.0.31:9100/metrics``."""
    api: HttpUrl = ""
    """Base address of its API, ``http://10.0.0.31:8080``; empty: routers, middlewares and their errors are not seen."""
    log: LogSource | None = None


class TraefikIngress(_Strict, frozen=True, kw_only=True):
    """One or more Traefik processes that answer for the same names."""

    servers: Annotated[dict[Name, TraefikServer], msgspec.Meta(min_length=1, description="at least one server")]
    address: HostPort = ""
    """Where clients connect for TLS, ``203.0.113.7:443``: certificates are taken from handshakes there. Empty: not looked at."""
    hosts: list[Host] = []
    """Server names whose certificate is looked at, beside those of the routers' rules."""
    ca_file: FilePath = ""
    """Authorities that a certificate's chain must lead to; empty: the system's."""
    access_log: LogSource | None = None


class SessionStore(_Strict, frozen=True, kw_only=True):
    """Where a tenant's web sessions are: a cache of this environment, or a folder that the engine can read."""

    cache: str = ""
    """Name under ``redis``."""
    prefix: str = ""
    """As ``ODOO_SESSION_REDIS_PREFIX`` says it."""
    path: FilePath = ""


class OdooUser(_Strict, frozen=True, kw_only=True):
    """A user of the tenant's own Odoo."""

    login: str
    password: SecretRef


class Application(_Strict, frozen=True, kw_only=True):
    """A tenant: whose databases they are, so that a finding can say for whom; and how its Odoo is looked at."""

    databases: Annotated[list[str], msgspec.Meta(min_length=1, description="at least one database")]
    """Names or patterns (``acme_*``)."""
    label: str = ""
    """What people call it: ``Acme payroll``."""
    cluster: str = ""
    """Name under ``postgres`` of the cluster that holds its databases; empty: there is only one."""
    odoo: bool = False
    """Its databases are Odoo's: modules, scheduled jobs, queues, mail and attachments are read from them."""
    url: HttpUrl = ""
    """What its users open: ``https://acme.example.com``. Empty: its pages are not asked."""
    connect: HostPort = ""
    """Connect there instead of to the host of ``url``."""
    ca_file: FilePath = ""
    user: OdooUser | None = None
    """The console's own user, who may read: one session is kept and reused. None: only what needs no log-in is asked."""
    timed_log_in: bool = False
    """Log in anew at every round, and time it: leaves a session and a row of the log-in table each time."""
    writer: OdooUser | None = None
    """Who creates and removes a purchase request at every round, timed. None: nothing is written."""
    sessions: SessionStore | None = None
    filestore: FilePath = ""
    """The folder ``<data_dir>/filestore``, where the engine can read it: attachments are checked against it."""
    kubernetes: str = ""
    """Name under ``kubernetes`` of the cluster that it runs in; empty: there is only one, or none."""
    namespace: str = ""
    """Of its workloads."""
    log: LogSource | None = None
    """Odoo's own log: to 17 it is all that tells of a failed scheduled job."""


class EnvironmentFile(_Strict, frozen=True, kw_only=True):
    """One environment, as its file says."""

    name: Name
    kind: Literal["multi-tenant", "dedicated"] = "multi-tenant"
    production: bool = False
    laboratory: bool = False
    record_text: bool = False
    """Record query and log text too. Salaries are in them: off by default."""
    stand_ins: dict[str, str] = {}
    """Part → what it stands in for; shown on the screen."""
    kubernetes: dict[Name, KubernetesCluster] = {}
    postgres: dict[Name, PostgresCluster] = {}
    redis: dict[Name, RedisCache] = {}
    traefik: dict[Name, TraefikIngress] = {}
    applications: dict[Name, Application] = {}
    thresholds: dict[str, dict[str, float]] = {}
    """Finding → threshold → value, over ``config/defaults.yaml``."""
