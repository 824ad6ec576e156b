"""What a tenant's server is told: a JSON file, its only argument."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a worker is ended. Seconds, bytes, requests."""

    time_real_s: float = 120.0
    time_cpu_s: int = 60
    memory_soft: int = 2048 << 20
    """Of virtual memory."""
    requests: int = 65536


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server. Passwords are files, read when the server starts."""

    version: int
    port: int
    hosts: list[tuple[str, int]]
    """Members of the cluster; whichever is primary is used."""
    user: str
    password_file: str
    data_dir: str
    log_file: str
    """Empty: stderr alone, where a container's log is taken from."""
    interface: str = "127.0.0.1"
    """Address that it listens on."""
    echo_log: bool = False
    """Lines for ``log_file`` go to stderr too."""
    dbfilter: str = ".*"
    list_db: bool = True
    web: int = 2
    cron: int = 1
    queue: int = 1
    cron_pause_s: float = 60.0
    """Pause between a cron worker's rounds; a few seconds are added, by the worker's process number."""
    maintenance_db: str = "postgres"
    redis_host: str = ""
    """With ``redis_port``, the session store; or ``redis_sentinels``, who say which server is primary."""
    redis_port: int = 0
    redis_sentinels: list[tuple[str, int]] = []
    redis_master: str = ""
    """Name by which the Sentinels know it. They have the same password."""
    redis_password_file: str = ""
    redis_prefix: str = ""
    limits: Limits = Limits()

    def password(self) -> str:
        """Of the database role."""
        return Path(self.password_file).read_text().strip()

    def redis_password(self) -> str | None:
        """Of the session store."""
        return Path(self.redis_password_file).read_text().strip() if self.redis_password_file else None


def read(path: Path) -> Config:
    """The file's content."""
    return msgspec.json.decode(path.read_bytes(), type=Config)
