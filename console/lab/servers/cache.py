"""Valkey: a primary, a replica and three Sentinels, as a store of Odoo sessions and job queues."""

from __future__ import annotations

import sys
from pathlib import Path

from console.lab.binaries import valkey_binary
from console.lab.state import Server, write_file

CACHE = "cache"
"""Name of the master in Sentinel's configuration, and of the cache in the environment file."""
NODES = ("cache-1", "cache-2")
SENTINELS = ("sentinel-1", "sentinel-2", "sentinel-3")
MEMORY_MB = 64


def node(directory: Path, name: str, port: int, primary: int, sentinels: list[int], password: str) -> Server:
    """One data node.

    ``volatile-lru``: under pressure the sessions least used go first (users log in again), never a queued job, which has
    no expiry. The append-only file keeps a node that is started again from serving an empty store.
    """
    home = directory / name
    (home / "data").mkdir(parents=True)
    file = home / "valkey.conf"
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f'dir "{home / "data"}"',
        f'logfile "{home / "valkey.log"}"',
        f"requirepass {password}",
        f"masterauth {password}",
        f"maxmemory {MEMORY_MB}mb",
        "maxmemory-policy volatile-lru",
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        "auto-aof-rewrite-min-size 32mb",
        "repl-diskless-sync-delay 0",
        "repl-backlog-size 4mb",
        "repl-timeout 10",
        "latency-monitor-threshold 50",
    ]
    write_file(file, "\n".join(lines) + "\n")
    password_file = directory / "secrets" / "cache"
    start = [sys.executable, "-m", "console.lab.servers.cache_start", str(valkey_binary()), str(file), str(port)]
    start += [str(password_file), str(primary), *map(str, sentinels)]
    return Server(
        name=name,
        kind="cache",
        argv=start,
        directory=str(home),
        log=str(home / "start.log"),
        ports={"cache": port},
        data_directory=str(home / "data"),
        server_log=str(home / "valkey.log"),
    )


def sentinel(directory: Path, name: str, port: int, primary: int, password: str) -> Server:
    """One Sentinel. It rewrites its configuration as it learns of the others and of failovers."""
    home = directory / name
    home.mkdir()
    file = home / "sentinel.conf"
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f'dir "{home}"',
        f'logfile "{home / "sentinel.log"}"',
        "protected-mode no",
        f"requirepass {password}",
        f"sentinel sentinel-pass {password}",
        f"sentinel monitor {CACHE} 127.0.0.1 {primary} 2",
        f"sentinel auth-pass {CACHE} {password}",
        f"sentinel down-after-milliseconds {CACHE} 2000",
        f"sentinel failover-timeout {CACHE} 6000",
        f"sentinel parallel-syncs {CACHE} 1",
    ]
    write_file(file, "\n".join(lines) + "\n")
    return Server(
        name=name,
        kind="sentinel",
        argv=[str(valkey_binary()), str(file), "--sentinel"],
        directory=str(home),
        log=str(home / "start.log"),
        ports={"sentinel": port},
        data_directory=str(home),
        server_log=str(home / "sentinel.log"),
    )
