"""What a look at pages costs the tenant and says of it when log-ins fail, time runs out or others are in the way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from console.clients.odoo import OdooError, OdooWeb, Timed
from console.readings.odoo import OdooPages
from console.settings import Application
from console.settings.environment import OdooUser
from console.sources import odoo_pages
from console.sources.odoo_pages import OdooPagesSource
from console.sources.odoo_steps import LogIns


class Scripted(OdooWeb):
    """A server that answers at once, but for what the test says."""

    def __init__(self) -> None:
        super().__init__("http://acme.lab.test")
        self.log_in_error: OdooError | None = None
        self.takes_s = 0.0
        self.log_ins = 0

    async def page(self, path: str, patience_s: float, *, session: bool = False) -> Timed:
        return Timed(200, b'{"status": "pass"}', 5.0)

    async def call(
        self, path: str, params: dict[str, Any], patience_s: float, *, session: bool = True
    ) -> tuple[Any, float]:
        return {"server_version": "18.0"}, 5.0

    async def method(
        self, model: str, method: str, args: list[Any], patience_s: float, **kwargs: Any
    ) -> tuple[Any, float]:
        if self.takes_s > patience_s:
            await asyncio.sleep(patience_s)
            raise OdooError(f"no answer within {patience_s:.1f} s", silent=True)
        await asyncio.sleep(self.takes_s)
        return [1], 1e3 * self.takes_s

    async def log_in(self, database: str, login: str, password: str, patience_s: float) -> tuple[dict[str, Any], float]:
        self.log_ins += 1
        if self.log_in_error is not None:
            raise self.log_in_error
        self.sid = "x" * 84
        return {"uid": 2}, 5.0


def scripted(turns: asyncio.Semaphore, secret: str, **changes: Any) -> tuple[OdooPagesSource, Scripted]:
    application = Application(
        databases=["acme"],
        odoo=True,
        url="http://acme.lab.test",
        user=OdooUser(login="user1", password=secret),
        **changes,
    )
    source = OdooPagesSource("acme", application, lambda: "acme", turns, every_s=10.0)
    web = Scripted()
    source._web = source._probe = web
    return source, web


async def read(source: OdooPagesSource) -> OdooPages:
    reading = await source.read()
    assert isinstance(reading, OdooPages)
    return reading


async def test_a_refused_user_is_not_tried_again_every_minute_to_time_it(
    users_secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odoo_pages, "_SELDOM_S", 0.0)
    source, web = scripted(asyncio.Semaphore(1), users_secret, timed_log_in=True)
    web.log_in_error = OdooError("AccessDenied", denied=True)
    for _ in range(5):
        reading = await read(source)
        assert reading.steps["log in"].ok is None
    assert web.log_ins == 1


def test_a_server_that_was_down_is_tried_again_soon_and_a_refusal_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("console.sources.odoo_steps.time.monotonic", lambda: now)
    down, wrong = LogIns(), LogIns()
    for _ in range(6):
        down.failed("no answer"), wrong.refused("AccessDenied")
    now += 61
    assert down.due
    assert not wrong.due


async def test_a_database_that_is_down_counts_as_no_refusal(users_secret: str) -> None:
    source, web = scripted(asyncio.Semaphore(1), users_secret)
    web.log_in_error = OdooError("OperationalError: connection refused")
    await read(source)
    assert source._log_ins._pause_s < 60


async def test_who_has_to_wait_for_others_is_not_silent(users_secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odoo_pages, "DEADLINE_S", 3.7)
    turns = asyncio.Semaphore(1)
    source, _web = scripted(turns, users_secret)
    await turns.acquire()
    reading = await read(source)
    assert reading.status == "partial"
    assert {step.ok for step in reading.steps.values()} == {None}
    turns.release()
    reading = await read(source)
    assert reading.status == "ok"
    assert {step.ok for step in reading.steps.values()} == {True}
    assert not turns.locked()


async def test_what_there_was_no_time_for_has_not_failed(users_secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odoo_pages, "DEADLINE_S", 2.5)
    source, web = scripted(asyncio.Semaphore(1), users_secret)
    web.takes_s = 1.2
    reading = await read(source)
    assert reading.steps["project"].ok
    assert reading.steps["document"].ok is None
