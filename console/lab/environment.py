"""Writes the environment file with which the console watches a laboratory, as it would watch any platform."""

from __future__ import annotations

import msgspec
import yaml

from console.lab.certificates import Authority
from console.lab.databases import home
from console.lab.manifests import ingress
from console.lab.platform.settings import Files
from console.lab.servers import kubernetes
from console.lab.servers.cache import CACHE
from console.lab.servers.odoo import LOG
from console.lab.servers.postgres import CLUSTER
from console.lab.state import Lab, Server, write_file
from console.lab.tenants import MONITOR, TENANTS, Tenant
from console.lab.users.cache import QUEUES
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
from console.settings.environment import (
    Application,
    KubernetesCluster,
    OdooUser,
    SessionStore,
    TraefikIngress,
    TraefikServer,
)

FILE = "environment.yaml"
_HEAD = "# Written by `banksman lab up`; gone with `banksman lab down`.\n"


def _redis_server(server: Server) -> RedisServerSettings:
    return RedisServerSettings(host="127.0.0.1", port=server.ports["cache"], log=LogSource(path=server.server_log))


STAND_INS = {
    "kubernetes": "a cluster",
    "odoo": "Odoo 16 to 18",
}
"""Part → what it stands in for, short enough for a narrow header; the README says more."""


_NEWEST_POD = f'tail -n 500 "$(ls -t "$0"/{ingress.NAMESPACE}_*/{ingress.NAME}.log | head -n 1)"'
"""A container's log has its pod's name, which changes. ``kubectl logs`` would do, at fifty times the cost."""


def _ingress(lab: Lab) -> dict[str, TraefikIngress]:
    here = "http://127.0.0.1"
    server = TraefikServer(
        metrics=f"{here}:{lab.ports['metrics']}/metrics",
        api=f"{here}:{lab.ports['api']}",
        log=LogSource(command=["sh", "-c", _NEWEST_POD, str(Files(lab.path).pods)]),
    )
    return {
        "edge": TraefikIngress(
            servers={"traefik-1": server},
            address=f"127.0.0.1:{lab.ports['websecure']}",
            hosts=[tenant.host for tenant in TENANTS],
            ca_file=str(Authority(lab.path).certificate),
            access_log=LogSource(path=str(ingress.access_log(lab.path))),
        )
    }


def _application(lab: Lab, tenant: Tenant) -> Application:
    plain = Application(databases=[tenant.name], label=tenant.label)
    if not lab.has_platform:
        return plain
    place = home(lab.path, tenant)
    sessions = (
        SessionStore(path=str(place / "data" / "sessions"))
        if tenant.version >= 18
        else SessionStore(cache=CACHE, prefix=tenant.name)
    )
    return msgspec.structs.replace(
        plain,
        cluster=CLUSTER,
        odoo=True,
        url=f"https://{tenant.host}",
        connect=f"127.0.0.1:{lab.ports['websecure']}",
        ca_file=str(Authority(lab.path).certificate),
        user=OdooUser(login=MONITOR, password=f"file:{lab.path / 'secrets' / tenant.monitor_secret}"),
        sessions=sessions,
        filestore=str(place / "data" / "filestore"),
        kubernetes=kubernetes.CLUSTER,
        namespace=tenant.namespace,
        log=LogSource(path=str(place / LOG)),
    )


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
        kubernetes=(
            {kubernetes.CLUSTER: KubernetesCluster(kubeconfig=str(Files(lab.path).viewer))} if lab.has_platform else {}
        ),
        traefik=_ingress(lab) if lab.has_platform else {},
        applications={tenant.name: _application(lab, tenant) for tenant in TENANTS},
        stand_ins=STAND_INS if lab.has_platform else {},
    )


def write(lab: Lab) -> None:
    """Write ``environment.yaml``."""
    content = yaml.safe_dump(msgspec.to_builtins(environment(lab)), sort_keys=False, allow_unicode=True)
    write_file(lab.path / FILE, _HEAD + content)
