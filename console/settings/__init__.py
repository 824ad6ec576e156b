"""Environments and defaults: load, validate, explain; where files live.

``load_environment`` is the way in. Secrets are only references here; ``console.settings.secrets.resolve`` reads one, and
only the engine, the doctor and the laboratory call it.
"""

from console.settings.environment import (
    EnvironmentFile,
    LogSource,
    PatroniSettings,
    PostgresCluster,
    PostgresServer,
    RedisCache,
    RedisServerSettings,
    SecretRef,
    SentinelSettings,
)

__all__ = [
    "EnvironmentFile",
    "LogSource",
    "PatroniSettings",
    "PostgresCluster",
    "PostgresServer",
    "RedisCache",
    "RedisServerSettings",
    "SecretRef",
    "SentinelSettings",
]
