"""What a laboratory consists of: ``lab.json``, written by `up` first and by the supervisor from then on."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from console.lab.errors import LabError
from console.lab.process import Identity

ServerKind = Literal["etcd", "patroni", "cache", "sentinel", "mail", "kubernetes", "load", "worker"]
Condition = Literal["new", "running", "dead", "held"]
"""``dead``: ended by itself, will be started again; ``held``: a fault keeps it down."""

FILE = "lab.json"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One child of the supervisor, and how it is started."""

    name: str
    kind: ServerKind
    argv: list[str]
    directory: str
    """Its working directory; its configuration and data are below it."""
    log: str
    """File that its own log goes to (for a PostgreSQL member: Patroni's output at start)."""
    ports: dict[str, int] = {}
    """What for → port on 127.0.0.1."""
    data_directory: str = ""
    server_log: str = ""
    """Where people look for its log, if not in ``log``."""
    environment: dict[str, str] = {}
    unprivileged: bool = False
    """Refuses to run as root."""
    condition: Condition = "new"
    process: Identity | None = None
    starts: int = 0


class Lab(msgspec.Struct, frozen=True, kw_only=True):
    """One laboratory."""

    directory: str
    created_at: datetime
    boot_id: str
    load: float
    privilege: str
    """How servers that refuse root are run: ``plain``, ``user namespace`` or ``setuid``."""
    servers: dict[str, Server]
    supervisor: Identity | None = None
    owner: Identity | None = None
    """The process with which the laboratory ends, where it belongs to one (a test run)."""
    ready_at: datetime | None = None
    ports: dict[str, int] = {}
    """Of pods that have the host's network: what for → port on 127.0.0.1."""

    @property
    def has_platform(self) -> bool:
        """Whether Kubernetes, Traefik and the tenants' Odoo are part of it, or only databases and cache."""
        return bool(self.of_kind("kubernetes"))

    @property
    def path(self) -> Path:
        """Its directory."""
        return Path(self.directory)

    def of_kind(self, kind: ServerKind) -> list[Server]:
        """Its servers of one kind, by name."""
        return [server for _, server in sorted(self.servers.items()) if server.kind == kind]

    def secret(self, name: str) -> str:
        """A password of this laboratory."""
        return (self.path / "secrets" / name).read_text().strip()


def read(directory: Path) -> Lab:
    """The laboratory in this directory.

    Raises:
        LabError: There is none, or its file cannot be read.
    """
    try:
        return msgspec.json.decode((directory / FILE).read_bytes(), type=Lab)
    except FileNotFoundError:
        raise LabError(f"no laboratory in {directory}: `banksman lab up --dir {directory}` makes one") from None
    except (msgspec.MsgspecError, OSError) as problem:
        raise LabError(f"{directory / FILE} cannot be read: {problem}") from problem


def write_file(path: Path, content: bytes | str, mode: int = 0o600) -> None:
    """Replace a file in one step: a reader sees the old content or the new one, never half of it."""
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    temporary.replace(path)


def write(lab: Lab) -> None:
    """Replace ``lab.json``."""
    write_file(lab.path / FILE, msgspec.json.format(msgspec.json.encode(lab), indent=1))
