"""Writes the environment file with which the console watches a laboratory, as it would watch any platform."""

from __future__ import annotations

import msgspec
import yaml

from console.lab.load import QUEUES
from console.lab.servers.cache import CACHE
from console.lab.servers.postgres import CLUSTER
from console.lab.state import Lab, Server, write_file
from console.lab.tenants import MONITOR, TENANTS
from console.settings import (
    EnvironmentFile,
    LogSource,
    PostgresCluster,
    PostgresServer,
    RedisCache,
    RedisServerSettings,
    SentinelServerSettings,
    SentinelSettings,
)
from console.settings.environment import Application

FILE = "environment.yaml"
_HEAD = "# Written by `banksman lab up`; gone with `banksman lab down`.\n"


def _redis_server(server: Server) -> RedisServerSettings:
    return RedisServerSettings(host="127.0.0.1", port=server.ports["cache"], log=LogSource(path=server.server_log))


def environment(lab: Lab) -> EnvironmentFile:
    """The environment of this laboratory."""
    secrets = lab.path / "secrets"
    servers = {
        server.name: PostgresServer(
            host="127.0.0.1",
            port=server.ports["postgres"],
            patroni=f"http://127.0.0.1:{server.ports['rest']}",
            log=LogSource(path=server.server_log),
        )
        for server in lab.of_kind("patroni")
    }
    sentinel = SentinelSettings(
        master=CACHE,
        servers={
            server.name: SentinelServerSettings(
                host="127.0.0.1", port=server.ports["sentinel"], log=LogSource(path=server.server_log)
            )
            for server in lab.of_kind("sentinel")
        },
        password=f"file:{secrets / 'cache'}",
    )
    return EnvironmentFile(
        name="lab",
        laboratory=True,
        postgres={
            CLUSTER: PostgresCluster(
                servers=servers, user=MONITOR, password=f"file:{secrets / MONITOR}", sslmode="disable"
            )
        },
        redis={
            CACHE: RedisCache(
                servers={server.name: _redis_server(server) for server in lab.of_kind("cache")},
                password=f"file:{secrets / 'cache'}",
                sentinel=sentinel,
                queues=list(QUEUES),
                used_for="sessions and job queues",
            )
        },
        applications={tenant.name: Application(databases=[tenant.name], label=tenant.label) for tenant in TENANTS},
    )


def write(lab: Lab) -> None:
    """Write ``environment.yaml``."""
    content = yaml.safe_dump(msgspec.to_builtins(environment(lab)), sort_keys=False, allow_unicode=True)
    write_file(lab.path / FILE, _HEAD + content)
