"""The environment file, as types. The JSON schema and the loader's errors are made from them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

SecretRef = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(env|file|kube):.+$",
        description="Where the secret is, never the secret: env:NAME, file:/path (first line), kube:namespace/secret/key",
    ),
]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Unknown keys are errors: a misspelt key must not switch a check off in silence."""


class LogSource(_Strict, frozen=True, kw_only=True):
    """Where a server's log is: a file or directory (newest file) that the engine can read, or a command that prints its tail."""

    path: str = ""
    command: list[str] = []
    """A list, never a shell string. Ends by itself or is ended after the deadline."""


class PostgresServer(_Strict, frozen=True, kw_only=True):
    """One PostgreSQL server."""

    host: str
    port: Port = 5432
    patroni: str = ""
    """Base address of this member's Patroni REST API, ``http://10.0.0.11:8008``; empty: not run by Patroni."""
    log: LogSource | None = None


class PatroniSettings(_Strict, frozen=True, kw_only=True):
    """How Patroni's REST API is asked (reading needs no credentials unless it demands client certificates)."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class PostgresCluster(_Strict, frozen=True, kw_only=True):
    """A primary and its standbys: with Patroni, or plain streaming replication."""

    servers: dict[Name, PostgresServer]
    user: str = "banksman"
    password: SecretRef | None = None
    """None: from ~/.pgpass or a service file, as libpq finds it."""
    service: str = ""
    """Section of pg_service.conf whose settings are the ground for every member."""
    database: str = "postgres"
    """Database to connect to."""
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    sslrootcert: str = ""
    patroni: PatroniSettings = PatroniSettings()


class RedisServerSettings(_Strict, frozen=True, kw_only=True):
    """One Redis or Valkey server."""

    host: str
    port: Port = 6379
    log: LogSource | None = None


class SentinelSettings(_Strict, frozen=True, kw_only=True):
    """The Sentinels that watch a cache."""

    master: str
    """Name of the master in Sentinel's configuration."""
    servers: dict[Name, RedisServerSettings]
    username: str = ""
    password: SecretRef | None = None


class RedisCache(_Strict, frozen=True, kw_only=True):
    """A primary and its replicas, with or without Sentinels."""

    servers: dict[Name, RedisServerSettings]
    username: str = ""
    password: SecretRef | None = None
    tls: bool = False
    ca_file: str = ""
    sentinel: SentinelSettings | None = None
    queues: list[str] = []
    """Keys (lists, streams, sorted sets) whose length is a queue depth."""
    sample_keys: bool = True
    """Look for big keys by SCAN, within a budget, on a replica where there is one."""
    used_for: str = ""
    """What users lose without it, in a few words: ``sessions and job queues``."""


class Application(_Strict, frozen=True, kw_only=True):
    """Which databases belong to whom, so that a finding can say for whom."""

    databases: list[str]
    """Names or patterns (``acme_*``)."""
    label: str = ""
    """What people call it: ``Acme payroll``."""


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
    postgres: dict[Name, PostgresCluster] = {}
    redis: dict[Name, RedisCache] = {}
    applications: dict[Name, Application] = {}
    thresholds: dict[str, dict[str, float]] = {}
    """Finding → threshold → value, over ``config/defaults.yaml``."""
