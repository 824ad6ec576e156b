"""Looking changes nothing: tables, sessions and files are what they were, but for the one session and its log-in row."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.settings import (
    Cadence,
    Cadences,
    EnvironmentFile,
    LogSource,
    PostgresCluster,
    PostgresServer,
    SessionStore,
)
from console.sources import Source, sources_for
from tests.lab.odoo.rig import Tenant
from tests.rigs_postgres import PASSWORD
from tests.sources.odoo.rig import application, granted

pytestmark = pytest.mark.server
CADENCES = Cadences(
    fast=Cadence(every_s=2, deadline_s=2),
    normal=Cadence(every_s=10, deadline_s=5),
    slow=Cadence(every_s=60, deadline_s=20),
)
LOOKS = 6


def tables(tenant: Tenant) -> dict[str, list[Any]]:
    """Every row of every table, with the transaction that wrote or locked it last."""
    names = [name for (name,) in tenant.run("select tablename from pg_tables where schemaname = 'public' order by 1")]
    return {
        name: tenant.run(f"select t.*, t.xmin::text, t.xmax::text from public.{name} t order by 1") for name in names
    }


def files(tenant: Tenant) -> dict[str, str]:
    root = Path(tenant.config.data_dir, "filestore")
    return {str(path): hashlib.sha1(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()}


def sessions(tenant: Tenant) -> dict[str, bytes]:
    if tenant.major < 18:
        client = tenant.cache.client()
        return {key.decode(): client.get(key) or b"" for key in client.keys("session:*")}  # type: ignore[union-attr]
    root = Path(tenant.config.data_dir, "sessions")
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def watched(tenant: Tenant, secret: str, place: Path) -> list[Source]:
    """Every source that there is for a tenant."""
    password = place / "monitor"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    server = PostgresServer(host="127.0.0.1", port=tenant.postgres.port)
    data = Path(tenant.config.data_dir)
    store = {"sessions": SessionStore(path=str(data / "sessions"))} if tenant.major >= 18 else {}
    environment = EnvironmentFile(
        name="x",
        postgres={"main": PostgresCluster(servers={"pg-1": server}, password=f"file:{password}", sslmode="disable")},
        applications={
            "acme": application(
                tenant, secret, filestore=str(data / "filestore"), log=LogSource(path=tenant.config.log_file), **store
            )
        },
    )
    return [source for source in sources_for(environment, CADENCES) if source.reading.topic.startswith("odoo")]


async def test_a_tenant_is_as_it_was(odoo: Tenant, users_secret: str, tmp_path: Path) -> None:
    with granted(odoo):
        odoo.run("update ir_cron set active = false")  # what is left to move is ours
        sources = watched(odoo, users_secret, tmp_path)
        assert {source.reading.topic for source in sources} == {"odoo", "odoo.files", "odoo.pages", "odoo.log"} | (
            {"odoo.sessions"} if odoo.major >= 18 else set()
        )
        before = tables(odoo), files(odoo), sessions(odoo)
        for _ in range(LOOKS):
            for source in sources:
                reading = await source.read()
                assert reading.status == "ok", (reading.topic, reading.problem)
                assert reading.problem == ""
                msgspec.msgpack.encode(reading)
        for source in sources:
            await source.close()
        after = tables(odoo), files(odoo), sessions(odoo)
        odoo.run("update ir_cron set active = true")
    assert after[1] == before[1]
    new = set(after[2]) - set(before[2])
    assert len(new) == 1, "one session"
    assert {name: after[2][name] for name in before[2]} == before[2]
    for name in before[0]:
        more = [row for row in after[0][name] if row not in before[0][name]]
        less = [row for row in before[0][name] if row not in after[0][name]]
        assert less == [], name
        assert len(more) == (1 if name == "res_users_log" or (name == "res_device_log" and odoo.major >= 18) else 0), (
            name
        )
