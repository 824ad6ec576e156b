"""Web sessions are counted where each version keeps them, without reading a key's value."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from console.clients.redis import RedisLink
from console.settings import Cadence
from console.sources.base import SourceError
from console.sources.odoo_sessions import ANONYMOUS_S, CachedSessionsSource, CacheSessions, DiskSessionsSource
from console.sources.redis_choice import Choice
from console.sources.redis_common import Footprint
from console.sources.redis_privilege import server_line
from tests.lab.odoo.rig import Tenant
from tests.lab.odoo.test_behaviour import _log_in
from tests.rigs_valkey import Make, Server

CADENCE = Cadence(every_s=60, deadline_s=20)


def store_of(server: Server, user: str = "", password: str = "") -> CacheSessions:
    footprint = Footprint()
    link = RedisLink("127.0.0.1", server.port, username=user, password=password or None)
    return CacheSessions("cache", Choice({"cache-1": link}, footprint), footprint, fresh_s=0.0)


@pytest.mark.server
async def test_by_prefix_and_age(make_valkey: Make, secret: Any, tmp_path: Path) -> None:
    server = make_valkey("sessions")
    client = server.client()
    for number in range(1200):
        prefix = ("", ":acme:", ":bauhof:")[number % 3]
        client.set(f"session:{prefix}{number:040x}", "{}", ex=604_800 if number % 2 else ANONYMOUS_S)
    client.set("session::acme:not a session", "x")
    client.set("other", "x")
    words = server_line((8, 0), "watcher").replace(">PASSWORD", ">only-in-tests").split()
    client.execute_command(*words)
    password = tmp_path / "watcher"
    password.write_text("only-in-tests")
    password.chmod(0o600)
    store = store_of(server, "watcher", f"file:{password}")
    found = {}
    for prefix in ("", "acme", "bauhof", "nobody"):
        reading = await CachedSessionsSource("x", prefix, store, CADENCE).read()
        assert reading.complete
        assert reading.shared is (prefix == "")
        found[prefix] = (reading.logged_in, reading.anonymous)
    assert found == {"": (200, 200), "acme": (200, 200), "bauhof": (200, 200), "nobody": (0, 0)}
    client.execute_command("ACL", "SETUSER", "watcher", "-ttl")
    store.abandon()
    reading = await CachedSessionsSource("x", "acme", store, CADENCE).read()
    assert reading.status == "partial"
    assert "TTL: not permitted" in reading.problem
    assert reading.logged_in is None
    store.abandon()


@pytest.mark.server
@pytest.mark.parametrize("odoo", [16], indirect=True)
async def test_of_a_real_tenant_in_a_cache(odoo: Tenant, tmp_path: Path) -> None:
    password = tmp_path / "cache"
    password.write_text(odoo.cache.password)
    password.chmod(0o600)
    source = CachedSessionsSource("acme", "", store_of(odoo.cache, "", f"file:{password}"), CADENCE)
    before = await source.read()
    with odoo.client() as client:
        _log_in(client, odoo)
    after = await source.read()
    assert after.logged_in == (before.logged_in or 0) + 1
    await source.close()


@pytest.mark.server
@pytest.mark.parametrize("odoo", [18], indirect=True)
async def test_of_a_real_tenant_on_disk(odoo: Tenant) -> None:
    path = str(Path(odoo.config.data_dir, "sessions"))
    source = DiskSessionsSource("acme", path, odoo.database, CADENCE)
    with odoo.client() as client:
        _log_in(client, odoo)
    before = await source.read()
    with odoo.client() as client:
        _log_in(client, odoo)
    after = await source.read()
    assert after.logged_in == (before.logged_in or 0) + 1
    other = await DiskSessionsSource("acme", path, "another", CADENCE).read()
    assert other.logged_in == 0


def write(root: Path, name: str, content: object, age_s: float = 0.0) -> None:
    path = root / name[:2] / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    os.utime(path, (time.time() - age_s,) * 2)


async def test_files_of_any_kind(tmp_path: Path) -> None:
    session = {"db": "acme", "uid": 7, "login": "x"}
    write(tmp_path, "a" * 84, session)
    write(tmp_path, "b" * 84, session, age_s=7200)
    write(tmp_path, "c" * 84, session, age_s=8 * 86400)
    write(tmp_path, "d" * 84, {"db": None, "uid": None})
    write(tmp_path, "e" * 84, {"db": "bauhof", "uid": 3})
    write(tmp_path, "f" * 84, "not json")
    write(tmp_path, "g" * 84, "[1]")
    write(tmp_path, "h" * 84, "x" * 100_000)
    (tmp_path / "ii").mkdir()
    (tmp_path / "ii" / ("i" * 84)).symlink_to("/etc/passwd")
    (tmp_path / "jj").mkdir()
    os.mkfifo(tmp_path / "jj" / ("j" * 84))
    (tmp_path / ("werkzeug_" + "k" * 40 + ".sess")).write_bytes(b"\x80\x04pickle")
    source = DiskSessionsSource("acme", str(tmp_path), "acme", CADENCE)
    for _ in range(2):
        reading = await source.read()
        assert (reading.logged_in, reading.anonymous, reading.used_last_hour) == (2, 1, 2)
    write(tmp_path, "a" * 84, {"db": "acme", "uid": None})
    assert (await source.read()).logged_in == 1
    with pytest.raises(SourceError, match="No such file"):
        await DiskSessionsSource("acme", str(tmp_path / "nowhere"), "acme", CADENCE).read()
