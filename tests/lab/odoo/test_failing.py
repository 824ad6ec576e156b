"""A tenant whose database is elsewhere or nowhere, and workers that meet a limit."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx
import psutil
import pytest

from console.lab.odoo.config import Config, Limits
from console.lab.odoo.database import Databases
from tests.lab.odoo.rig import served, until
from tests.rigs_postgres import PASSWORD, Postgres, free_port, postgres_standby

__all__ = ["postgres_standby"]
pytestmark = [pytest.mark.server]


def _config(home: Path, major: int, hosts: list[tuple[str, int]], **more: object) -> Config:
    password_file = home / "password"
    password_file.write_text(PASSWORD)
    return Config(
        version=major, port=free_port(), hosts=hosts, user="postgres", password_file=str(password_file),
        data_dir=str(home), log_file=str(home / "odoo.log"), **more,
    )  # fmt: skip


@pytest.mark.parametrize("major", [16, 18])
def test_without_a_database_health_passes_and_calls_fail(tmp_path: Path, major: int) -> None:
    config = _config(tmp_path, major, [("127.0.0.1", free_port())], limits=Limits(requests=6), web=1)
    with served(config) as process, httpx.Client(base_url=f"http://127.0.0.1:{config.port}", timeout=20) as client:
        assert client.get("/web/health").json() == {"status": "pass"}
        asked = client.get("/web/health?db_server_status=1")
        wanted = (200, {"status": "pass"}) if major == 16 else (500, {"status": "fail", "db_server_status": False})
        assert (asked.status_code, asked.json()) == wanted
        params = {"service": "common", "method": "authenticate", "args": ["acme", "admin", "admin", {}]}
        told = client.post("/jsonrpc", json={"jsonrpc": "2.0", "id": 1, "params": params})
        assert told.status_code == 200
        assert told.json()["error"]["data"]["name"] == "psycopg2.OperationalError"

        log = Path(config.log_file)
        until(lambda: client.get("/web/health") and "max request (6) reached" in log.read_text())
        assert client.get("/web/health").status_code == 200, "another worker has taken its place"

        before = psutil.Process(process.pid).children()
        os.kill(process.pid, signal.SIGTTIN)
        until(lambda: len(psutil.Process(process.pid).children()) == len(before) + 1)
        os.kill(process.pid, signal.SIGTTOU)
        until(lambda: len(psutil.Process(process.pid).children()) == len(before))
    assert not psutil.pid_exists(before[0].pid)


def test_a_connection_goes_to_the_primary(
    tmp_path: Path,
    postgres_server: Postgres,
    postgres_standby: Postgres,
) -> None:
    hosts = [("127.0.0.1", free_port()), ("127.0.0.1", postgres_standby.port), ("127.0.0.1", postgres_server.port)]
    databases = Databases(_config(tmp_path, 18, hosts))
    with databases.cursor("postgres") as cursor:
        assert cursor.run(
            "select pg_is_in_recovery(), current_setting('application_name'), current_setting('port')"
        ) == [(False, f"odoo-{os.getpid()}", str(postgres_server.port))]
    databases.close()
