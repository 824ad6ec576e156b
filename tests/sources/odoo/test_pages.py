"""What a tenant's users would get, from real servers of 16, 17 and 18."""

from __future__ import annotations

import msgspec
import pytest

from console.readings.odoo import OdooPages
from console.settings.environment import OdooUser
from console.sources.base import SourceError
from tests.lab.odoo.rig import Tenant
from tests.rigs_postgres import free_port
from tests.sources.odoo.rig import pages_source

pytestmark = pytest.mark.server
newest = pytest.mark.parametrize("odoo", [18], indirect=True)


def log_ins(odoo: Tenant) -> int:
    return int(
        odoo.run(
            "select count(*) from res_users_log where create_uid = (select id from res_users where login = 'user1')"
        )[0][0]
    )


async def test_one_session_is_kept_and_reused(odoo: Tenant, users_secret: str) -> None:
    before = log_ins(odoo)
    source = pages_source(odoo, users_secret)
    for _ in range(4):
        reading = await source.read()
        assert isinstance(reading, OdooPages)
        assert reading.status == "ok", reading.problem
        assert {name: step.ok for name, step in reading.steps.items()} == {
            "health": True,
            "project": True,
            "document": True,
        }, reading
        assert all(step.ms and step.p95_ms for step in reading.steps.values())
    assert log_ins(odoo) == before + 1
    assert reading.server_version == f"{odoo.major}.0"
    assert set(reading.untold) == {"log in", "purchase"}
    await source.close()


@newest
async def test_a_session_that_is_gone_is_begun_anew_once(odoo: Tenant, users_secret: str) -> None:
    before = log_ins(odoo)
    source = pages_source(odoo, users_secret)
    await source.read()
    for number in range(5):
        source._web.sid = "0" * 40 if odoo.major < 18 else "x" * 84  # what a session store that lost it makes of it
        reading = await source.read()
        assert reading.steps["project"].ok is (number == 0)
        if number:
            assert "lost soon after" in reading.problem
    assert log_ins(odoo) == before + 2
    await source.close()


async def test_log_ins_and_purchases_only_where_they_are_asked_for(odoo: Tenant, users_secret: str) -> None:
    orders = odoo.run("select id, state, write_date from purchase_order order by id")
    before = log_ins(odoo)
    writer = OdooUser(login="user2", password=users_secret)
    source = pages_source(odoo, users_secret, timed_log_in=True, writer=writer)
    for _ in range(3):
        reading = await source.read()
        assert list(reading.steps) == ["health", "log in", "project", "document", "purchase"]
        assert all(step.ok for step in reading.steps.values()), reading.steps
        assert reading.untold == {}
    assert log_ins(odoo) == before + 2, "the one of the kept session, and one that was timed"
    assert odoo.run("select id, state, write_date from purchase_order order by id") == orders
    await source.close()


@newest
async def test_a_wrong_password_is_a_sentence_and_not_tried_again_at_once(odoo: Tenant, users_secret: str) -> None:
    user = OdooUser(login="nobody-known", password=users_secret)
    before = odoo.log().count("/web/session/authenticate")
    source = pages_source(odoo, users_secret, user=user)
    for _ in range(3):
        reading = await source.read()
        assert reading.status == "partial"
        assert "log-in of nobody-known refused" in reading.problem
        assert reading.steps["health"].ok
        assert reading.steps["project"].ok is None
        assert b"admin" not in msgspec.json.encode(reading)
    assert odoo.log().count("/web/session/authenticate") == before + 1
    await source.close()


@newest
async def test_a_database_that_is_down_fails_the_record_and_not_the_health(odoo: Tenant, users_secret: str) -> None:
    source = pages_source(odoo, users_secret)
    await source.read()
    odoo.postgres.run(
        f"alter database {odoo.database} with allow_connections false",
        f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{odoo.database}'",
    )
    try:
        reading = await source.read()
    finally:
        odoo.postgres.run(f"alter database {odoo.database} with allow_connections true")
    assert reading.steps["health"].ok
    assert reading.steps["project"].ok is False
    assert reading.steps["project"].problem
    odoo_log_ins = log_ins(odoo)
    reading = await source.read()
    assert reading.steps["project"].ok
    assert log_ins(odoo) == odoo_log_ins, "the session that was there holds again"
    await source.close()


@newest
async def test_nobody_there(users_secret: str, odoo: Tenant) -> None:
    source = pages_source(odoo, users_secret, url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SourceError, match="connection refused"):
        await source.read()
    await source.close()


@newest
async def test_the_doctor(odoo: Tenant, users_secret: str) -> None:
    source = pages_source(odoo, users_secret)
    checks = await source.examine()
    assert [check.answer for check in checks] == ["pass"] * len(checks), checks
    assert any("user1" in check.what for check in checks)
    await source.close()
    source = pages_source(odoo, users_secret, user=OdooUser(login="x", password=users_secret))
    assert "fail" in {check.answer for check in await source.examine()}
    await source.close()
