"""Lays a laboratory out in its directory: ports, passwords, configurations; nothing runs yet."""

from __future__ import annotations

import secrets
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from console.lab import privilege, state
from console.lab.certificates import Authority
from console.lab.errors import LabError
from console.lab.manifests import ingress
from console.lab.ports import Reservation
from console.lab.process import Identity, boot_id
from console.lab.servers import cache, odoo, postgres
from console.lab.servers.etcd import etcd
from console.lab.servers.kubernetes import kubernetes
from console.lab.servers.mail import mail
from console.lab.state import Lab, Server, write_file
from console.lab.tenants import MONITOR, TENANTS


def clear(directory: Path) -> None:
    """Remove what a laboratory has left in its directory; refuses to touch a directory that holds none."""
    if not (directory / state.FILE).exists():
        raise LabError(f"{directory} holds no laboratory")
    shutil.rmtree(directory)


def _prepare(directory: Path, way: str) -> None:
    if directory.exists() and any(directory.iterdir()):
        raise LabError(f"{directory} is not empty, and what is in it is no laboratory: choose another directory")
    # Where PostgreSQL runs as another user, that user must be able to pass through.
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o711 if way == privilege.SETUID else 0o700)


def _passwords(directory: Path) -> dict[str, str]:
    folder = directory / "secrets"
    folder.mkdir(mode=0o700)
    names = ["cache", MONITOR, *postgres.ROLES.values()]
    for tenant in TENANTS:
        names += [tenant.name, tenant.users_secret, tenant.monitor_secret]
    made = {name: secrets.token_urlsafe(18) for name in names}
    for name, password in made.items():
        write_file(folder / name, password + "\n")
    return made


def _load(directory: Path) -> Server:
    home = directory / "load"
    home.mkdir()
    return Server(
        name="load",
        kind="load",
        argv=[sys.executable, "-m", "console.lab.load", str(directory)],
        directory=str(home),
        log=str(home / "load.log"),
    )


def _servers(
    directory: Path, ports: Reservation, passwords: dict[str, str], way: str, *, platform: bool
) -> list[Server]:
    servers = [etcd(directory, ports.take(), ports.take())]
    store = servers[0].ports["client"]
    for name in postgres.MEMBERS:
        own = {"postgres": ports.take(), "rest": ports.take()}
        servers.append(postgres.member(directory, name, own, store, passwords, way))
    nodes = [ports.take() for _ in cache.NODES]
    watchers = [ports.take() for _ in cache.SENTINELS]
    for name, port in zip(cache.NODES, nodes, strict=True):
        servers.append(cache.node(directory, name, port, nodes[0], watchers, passwords["cache"]))
    for name, port in zip(cache.SENTINELS, watchers, strict=True):
        servers.append(cache.sentinel(directory, name, port, nodes[0], passwords["cache"]))
    if platform:
        servers += [mail(directory, ports.take()), kubernetes(directory, ports.take())]
    return [*servers, _load(directory)]


def _platform(directory: Path, servers: list[Server]) -> None:
    """What the pods find on their volumes."""
    Authority(directory).make()
    ingress.home(directory).mkdir()
    databases = [server for server in servers if server.kind == "patroni"]
    sentinels = [server for server in servers if server.kind == "sentinel"]
    for tenant in TENANTS:
        odoo.lay_out(directory, tenant, databases, sentinels)


def lay_out(
    directory: Path, ports: Reservation, load: float, owner: Identity | None = None, *, platform: bool = True
) -> Lab:
    """Write everything that a new laboratory needs into an empty directory.

    ``platform``: with Kubernetes, Traefik and the tenants' Odoo.

    Raises:
        LabError: The directory is not empty, a package is missing, or this user cannot run PostgreSQL.
    """
    way = privilege.choose()
    _prepare(directory, way)
    privilege.check(way, directory)
    passwords = _passwords(directory)
    servers = _servers(directory, ports, passwords, way, platform=platform)
    if platform:
        _platform(directory, servers)
    lab = Lab(
        directory=str(directory),
        created_at=datetime.now(UTC),
        boot_id=boot_id(),
        load=load,
        privilege=way,
        owner=owner,
        servers={server.name: server for server in servers},
        ports={name: ports.take() for name in ingress.Ports.__struct_fields__} if platform else {},
    )
    state.write(lab)
    return lab
