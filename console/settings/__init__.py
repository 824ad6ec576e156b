"""Environments and defaults: load, validate, explain; where files live.

``load_environment`` is the way in. Secrets are only references here; ``console.settings.secrets.resolve`` reads one, and
only the engine, the doctor and the laboratory call it.
"""

from console.settings.defaults import Cadence, Cadences, Defaults, FindingRules, load_defaults
from console.settings.environment import (
    Application,
    EnvironmentFile,
    KubernetesCluster,
    LogSource,
    OdooUser,
    PatroniSettings,
    PostgresCluster,
    PostgresServer,
    RedisCache,
    RedisServerSettings,
    SecretRef,
    SentinelServerSettings,
    SentinelSettings,
    SessionStore,
    TraefikIngress,
    TraefikServer,
)
from console.settings.errors import EXIT_USAGE, Mistake, SettingsError
from console.settings.load import Loaded, find_environment, load_environment
from console.settings.paths import (
    config_dir,
    environment_dirs,
    known_environments,
    lab_dir,
)

__all__ = [
    "EXIT_USAGE",
    "Application",
    "Cadence",
    "Cadences",
    "Defaults",
    "EnvironmentFile",
    "FindingRules",
    "KubernetesCluster",
    "Loaded",
    "LogSource",
    "Mistake",
    "OdooUser",
    "PatroniSettings",
    "PostgresCluster",
    "PostgresServer",
    "RedisCache",
    "RedisServerSettings",
    "SecretRef",
    "SentinelServerSettings",
    "SentinelSettings",
    "SessionStore",
    "SettingsError",
    "TraefikIngress",
    "TraefikServer",
    "config_dir",
    "environment_dirs",
    "find_environment",
    "known_environments",
    "lab_dir",
    "load_defaults",
    "load_environment",
]
