"""How people and programs get into the API: a certificate, tokens and kubeconfigs that stay the same while the laboratory does."""

from __future__ import annotations

import secrets
import ssl
from pathlib import Path
from typing import NamedTuple

import trustme

from console.lab.kube import access
from console.lab.kube.cluster import Cluster
from console.lab.kube.rbac import MASTERS
from console.lab.platform.settings import Files
from console.lab.state import write_file

VIEWER = "banksman"
TRAEFIK_NAMESPACE, TRAEFIK = "ingress", "traefik"
_HOST = "127.0.0.1"


class _User(NamedTuple):
    token: Path
    name: str
    groups: tuple[str, ...] = ()


def _users(files: Files) -> list[_User]:
    account = f"system:serviceaccount:{TRAEFIK_NAMESPACE}:{TRAEFIK}"
    return [
        _User(files.folder / "admin.token", "admin", (MASTERS,)),
        _User(files.folder / "viewer.token", VIEWER),
        _User(files.traefik, account, ("system:serviceaccounts", f"system:serviceaccounts:{TRAEFIK_NAMESPACE}")),
    ]


def _token(path: Path) -> str:
    """The token in a file; a new one if there is none."""
    if not path.exists():
        write_file(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def admit(cluster: Cluster, files: Files) -> None:
    """Let the three users in."""
    for user in _users(files):
        cluster.tokens.add(_token(user.token), user.name, user.groups)


def certificate(files: Files) -> ssl.SSLContext:
    """The server's certificate, made once; the authority that vouches for it is ``tls/ca.pem``."""
    files.tls.mkdir(mode=0o700, exist_ok=True)
    chain = files.tls / "server.pem"
    if not chain.exists():
        authority = trustme.CA()
        issued = authority.issue_cert(_HOST, "localhost")
        write_file(files.authority, authority.cert_pem.bytes(), 0o644)
        write_file(chain, issued.private_key_and_cert_chain_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def write_kubeconfigs(files: Files, port: int) -> None:
    """For people and for the console."""
    admin, viewer, _ = _users(files)
    for path, user in ((files.admin, admin), (files.viewer, viewer)):
        access.write_kubeconfig(path, port, _token(user.token), files.authority)
