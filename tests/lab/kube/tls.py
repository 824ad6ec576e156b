"""The server over TLS, with a kubeconfig, for programs that send tokens over nothing else."""

from __future__ import annotations

from pathlib import Path

from console.lab.kube import access
from console.lab.kube.server import Server


async def serve(server: Server, directory: Path, token: str) -> Path:
    """Serve over TLS; returns the kubeconfig of whoever has the token."""
    port = await server.start(0, access.server_context(directory))
    path = directory / "kubeconfig"
    access.write_kubeconfig(path, port, token, access.authority_file(directory))
    return path
