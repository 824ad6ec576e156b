"""How clients get in: a certificate of the server's own, and kubeconfigs."""

from __future__ import annotations

import json
import os
import ssl
from pathlib import Path

import trustme

from console.lab.kube.kinds import Json


def server_context(directory: Path, host: str = "127.0.0.1") -> ssl.SSLContext:
    """A new certificate for the server; the authority that vouches for it is written to ``ca.pem`` in the directory."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    authority.cert_pem.write_to_path(str(authority_file(directory)))
    return context


def authority_file(directory: Path) -> Path:
    """Where ``server_context`` writes the authority."""
    return directory / "ca.pem"


def write_kubeconfig(
    path: Path, port: int, token: str, authority: Path, namespace: str = "default", host: str = "127.0.0.1"
) -> None:
    """Write the kubeconfig of whoever has a token; only the owner of the file may read it."""
    cluster = {"server": f"https://{host}:{port}", "certificate-authority": str(authority)}
    found: Json = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "laboratory", "cluster": cluster}],
        "users": [{"name": "person", "user": {"token": token}}],
        "contexts": [
            {"name": "laboratory", "context": {"cluster": "laboratory", "user": "person", "namespace": namespace}}
        ],
        "current-context": "laboratory",
    }
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(found, file, indent=2)
    fresh.replace(path)
