"""One real PostgreSQL for the tests, and a streaming standby of it where one is wanted."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
import pytest
import pytest_asyncio

from console.clients.postgres import Line, Target
from console.lab import privilege
from console.lab.binaries import postgres_bin
from console.settings import Cadence
from console.sources.postgres_base import Member, PostgresSource

PASSWORD = "only-in-tests"
MONITOR = "banksman"
_PATIENCE_S = 60.0


class Postgres:
    """A server in a directory of its own, on a free port of the loopback. ``stop`` leaves nothing behind."""

    def __init__(self, home: Path, name: str, *, settings: dict[str, str] | None = None) -> None:
        self.home = home / name
        self.home.mkdir(mode=0o700)
        self.data = self.home / "data"
        self.name = name
        self.port = free_port()
        self._privilege = privilege.choose()
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "dynamic_shared_memory_type": "mmap",
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": "40",
            "max_wal_senders": "5",
            "wal_sender_timeout": "2s",
            "wal_retrieve_retry_interval": "200ms",
            "shared_preload_libraries": "pg_stat_statements",
            "pg_stat_statements.max": "100",
            "track_io_timing": "on",
            "log_destination": "stderr",
            **(settings or {}),
        }

    def initialise(self) -> None:
        """Make an empty cluster with the roles that tests use."""
        self.home.joinpath("password").write_text(PASSWORD)
        self._hand_over()
        self._run(
            "initdb", "-D", str(self.data), "-U", "postgres", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync",
            "--auth=scram-sha-256", f"--pwfile={self.home / 'password'}",
        )  # fmt: skip
        self.data.joinpath("pg_hba.conf").write_text(
            "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n"
        )

    def follow(self, primary: Postgres) -> None:
        """Make a standby of ``primary`` by pg_basebackup."""
        self._hand_over()
        conninfo = f"host=127.0.0.1 port={primary.port} user=postgres password={PASSWORD} application_name={self.name}"
        self._run("pg_basebackup", "-D", str(self.data), "-d", conninfo, "-c", "fast", "--no-sync", "-X", "stream")
        self.data.joinpath("standby.signal").touch()
        self._hand_over()
        self._settings["primary_conninfo"] = conninfo

    def start(self) -> Postgres:
        """Start the server and wait until it answers."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(postgres_bin() / "postgres"), "-D", str(self.data), "-p", str(self.port), *options]
        argv, extra = privilege.wrap(self._privilege, command)
        with self.home.joinpath("log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True, cwd="/", **extra)
        self._until_answers()
        return self

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Fast shutdown; SIGQUIT is a crash."""
        process, self._process = self._process, None
        if process is None:
            return
        for each in self._family(process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop and start again."""
        self.stop(how)
        self.start()

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """Every process of the server stopped, as on a host whose disk hangs."""
        assert self._process is not None
        family = self._family(self._process.pid)
        for each in family:
            each.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for each in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.send_signal(signal.SIGCONT)

    def process(self, title: str) -> psutil.Process:
        """The server's process whose title contains ``title`` (walreceiver, startup …)."""
        assert self._process is not None
        for each in self._family(self._process.pid):
            if title in " ".join(each.cmdline()):
                return each
        raise LookupError(title)

    def process_of(self, pid: int) -> psutil.Process:
        """The backend that calls itself ``pid``."""
        return psutil.Process(pid)

    def connect(self, database: str = "postgres", user: str = "postgres", **more: Any) -> psycopg.Connection[Any]:
        """A plain connection, for what tests do to the server."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, password=PASSWORD, dbname=database, autocommit=True,
            connect_timeout=10, **more,
        )  # fmt: skip

    def run(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Run statements as superuser; the rows of the last."""
        with self.connect(database) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def target(self, user: str = MONITOR, database: str = "postgres", password: str = PASSWORD) -> Target:
        """How a source finds this server."""
        return Target(
            host="127.0.0.1", port=self.port, user=user, database=database, sslmode="disable", password=lambda: password
        )

    def line(self, user: str = MONITOR, database: str = "postgres", timeout_s: float = 5.0) -> Line:
        """A line to this server."""
        return Line(self.target(user, database), statement_timeout_s=timeout_s)

    def _until_answers(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as error:
                assert self._process is not None
                ended = self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    log = self.home.joinpath("log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"PostgreSQL did not start: {log}") from error
                time.sleep(0.05)

    def _family(self, pid: int) -> list[psutil.Process]:
        try:
            parent = psutil.Process(pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _hand_over(self) -> None:
        privilege.hand_over(self._privilege, self.home)

    def _run(self, program: str, *arguments: str) -> None:
        argv, extra = privilege.wrap(self._privilege, [str(postgres_bin() / program), *arguments])
        subprocess.run(argv, check=True, capture_output=True, timeout=120, cwd="/", **extra)


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A primary with a monitoring role, pg_stat_statements, and nothing else."""
    home = Path(tempfile.mkdtemp(prefix="bm-pg-"))
    server: Postgres | None = None
    try:
        os.chmod(home, 0o711)  # noqa: PTH101 - the server may run as another user
        server = Postgres(home, "pg-1")
        server.initialise()
        server.start()
        server.run(
            f"CREATE ROLE {MONITOR} LOGIN PASSWORD '{PASSWORD}'",
            f"GRANT pg_monitor TO {MONITOR}",
            f"CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}'",
            "CREATE EXTENSION pg_stat_statements",
            "CREATE DATABASE acme",
        )
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def standby_of(primary: Postgres, name: str = "pg-2") -> Iterator[Postgres]:
    """A streaming standby of ``primary``, without Patroni."""
    server = Postgres(primary.home.parent, name)
    try:
        server.follow(primary)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.home, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


S = TypeVar("S", bound=PostgresSource)


class Watch:
    """Makes sources on lines of their own, and closes them."""

    def __init__(self) -> None:
        self._sources: list[PostgresSource] = []

    def __call__(
        self,
        cls: Callable[..., S],
        server: Postgres,
        *,
        user: str = MONITOR,
        database: str = "postgres",
        line: Line | None = None,
    ) -> S:
        """A source of ``cls`` that looks at ``server``."""
        cadence = Cadence(every_s=2, deadline_s=30)
        source = cls(line or server.line(user, database), Member("main", server.name), cadence)
        self._sources.append(source)
        return source

    async def close(self) -> None:
        """Close all of them."""
        for source in self._sources:
            await source.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL for the whole session; a test leaves it as it was."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_standby(postgres_server: Postgres) -> Iterator[Postgres]:
    """A streaming standby of it, for the whole session."""
    with standby_of(postgres_server) as server:
        yield server


@pytest_asyncio.fixture
async def watch_postgres() -> AsyncIterator[Watch]:
    """Makes sources for one test."""
    watch = Watch()
    yield watch
    await watch.close()
