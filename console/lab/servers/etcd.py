"""etcd: the store in which Patroni keeps its leader key."""

from __future__ import annotations

from pathlib import Path

from console.lab.binaries import etcd_binary
from console.lab.state import Server


def etcd(directory: Path, client: int, peer: int) -> Server:
    """One member, not safe against loss of power: it is as short-lived as the laboratory."""
    home = directory / "etcd"
    home.mkdir()
    client_url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    argv = [str(etcd_binary()), "--name", "etcd", "--data-dir", str(home / "data")]
    argv += ["--listen-client-urls", client_url, "--advertise-client-urls", client_url]
    argv += ["--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url]
    argv += ["--initial-cluster", f"etcd={peer_url}", "--unsafe-no-fsync", "--log-level", "warn", "--logger", "zap"]
    argv += ["--auto-compaction-retention", "5m"]
    return Server(
        name="etcd",
        kind="etcd",
        argv=argv,
        directory=str(home),
        log=str(home / "etcd.log"),
        ports={"client": client, "peer": peer},
        data_directory=str(home / "data"),
    )
