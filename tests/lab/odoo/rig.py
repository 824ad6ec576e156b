"""A tenant's database and server process for tests."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg2

from console.lab.odoo import schema, seed
from console.lab.odoo.config import Config, Limits
from console.lab.odoo.versions import VERSIONS
from tests.rigs_postgres import PASSWORD, Postgres, free_port
from tests.rigs_valkey import Server

DATABASES = {16: "acme16", 17: "acme17", 18: "acme"}
SMALL = seed.Size(users=3, projects=4, vendors=12, orders=10, attachments=12, jobs=5)
SOON_S = 20.0


def until(happens: Callable[[], Any]) -> Any:
    end = time.monotonic() + SOON_S
    while not (found := happens()):
        assert time.monotonic() < end, f"{happens} did not happen"
        time.sleep(0.05)
    return found


@dataclass
class Tenant:
    """One version's database and server."""

    major: int
    database: str
    postgres: Postgres
    cache: Server
    process: subprocess.Popen[bytes]
    config: Config

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.config.port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=SOON_S)

    def run(self, *statements: str) -> list[Any]:
        return self.postgres.run(*statements, database=self.database)

    def log(self) -> str:
        return Path(self.config.log_file).read_text()


@contextlib.contextmanager
def tenant(major: int, postgres: Postgres, cache: Server, home: Path) -> Iterator[Tenant]:
    database, role, version = DATABASES[major], f"odoo{major}", VERSIONS[major]
    others = ["bauhof"] if major == 18 else []
    postgres.run(f"create role {role} login password '{PASSWORD}'")
    postgres.run(*(f"drop database if exists {name}" for name in (database, *others)))
    postgres.run(*(f"create database {name} owner {role}" for name in (database, *others)))
    password_file = home / "password"
    password_file.write_text(PASSWORD)
    port = free_port()
    with contextlib.closing(
        psycopg2.connect(host="127.0.0.1", port=postgres.port, user=role, password=PASSWORD, dbname=database)
    ) as made:
        cursor = made.cursor()
        schema.create(cursor, version)
        seed.fill(cursor, version, database, home, SMALL, "admin", f"http://127.0.0.1:{port}")
        made.commit()
    cache_password = home / "cache-password"
    cache_password.write_text(cache.password)
    config = Config(
        version=major, port=port, hosts=[("127.0.0.1", postgres.port)], user=role, password_file=str(password_file),
        data_dir=str(home), log_file=str(home / "odoo.log"), cron_pause_s=0.0, redis_host="127.0.0.1",
        redis_port=cache.port, redis_password_file=str(cache_password), limits=Limits(time_real_s=4.0), web=2,
    )  # fmt: skip
    try:
        with served(config) as process:
            yield Tenant(major, database, postgres, cache, process, config)
    finally:
        postgres.run(*(f"drop database {name} with (force)" for name in (database, *others)), f"drop role {role}")


@contextlib.contextmanager
def served(config: Config) -> Iterator[subprocess.Popen[bytes]]:
    """The server process of a configuration."""
    file = Path(config.data_dir, "config.json")
    file.write_bytes(msgspec.json.encode(config))
    process = subprocess.Popen([sys.executable, "-m", "console.lab.odoo", str(file)])
    try:
        until(lambda: _answers(f"http://127.0.0.1:{config.port}"))
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(15)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/web/health", timeout=SOON_S).status_code == 200
    except httpx.TransportError:
        return False
