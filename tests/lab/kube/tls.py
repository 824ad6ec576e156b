"""The server over TLS, with a kubeconfig, for programs that send tokens over nothing else."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import trustme

from console.lab.kube.server import Server


async def serve(server: Server, directory: Path, token: str) -> Path:
    """Serve over TLS; returns the kubeconfig of whoever has the token."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    port = await server.start(0, context)
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(directory / "ca.pem")}
    found = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "person", "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "person", "namespace": "default"}}],
        "current-context": "lab",
    }
    path = directory / "kubeconfig"
    path.write_text(json.dumps(found))
    return path
