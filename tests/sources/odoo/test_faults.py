"""Servers that are none, that hang, and that answer with anything: a look ends in time, and the next one goes on."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from console.clients.odoo import OdooError, OdooWeb
from console.clients.postgres import PostgresError, Target
from console.engine.lateness import Lateness
from console.engine.looking import Looker
from console.readings.odoo import OdooDatabase, OdooPages
from console.settings import Application
from console.settings.environment import OdooUser
from console.sources.base import Source
from console.sources.odoo_database import OdooDatabaseSource, Place
from console.sources.odoo_pages import OdooPagesSource
from console.sources.odoo_visits import Visits
from tests.lab.odoo.rig import Tenant, until
from tests.sources.odoo.rig import database_source, granted

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def server(behave: Behave) -> AsyncIterator[str]:
    """A server on the loopback that behaves so at each connection."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            await behave(reader, writer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def says(*answers: bytes) -> Behave:
    """One answer after the other, the last one for ever."""
    left = list(answers)

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return behave


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(60)


PASS = answer(b'{"status": "pass"}')


def source_at(url: str, secret: str) -> OdooPagesSource:
    made = Application(databases=["acme"], odoo=True, url=url, user=OdooUser(login="user1", password=secret))
    return OdooPagesSource("acme", made, lambda: "acme", asyncio.Semaphore(1), every_s=10.0)


def looker_of(source: Source) -> Looker:
    """As the engine looks."""
    return Looker(source, str, lambda reading: reading, Lateness())


async def looked(source: OdooPagesSource) -> OdooPages:
    reading = await looker_of(source).look()
    assert isinstance(reading, OdooPages)
    await source.close()
    return reading


async def test_a_server_that_hangs(users_secret: str) -> None:
    began = time.monotonic()
    async with server(hangs) as url:
        reading = await looked(source_at(url, users_secret))
    assert time.monotonic() - began < 8
    assert reading.status == "ok"
    assert reading.steps["health"].silent
    assert reading.steps["project"].ok is None


async def test_a_worker_that_is_killed_over_the_record(users_secret: str) -> None:
    """It passes the first page and closes the connection without a word in the next call."""
    async with server(says(PASS, b"")) as url:
        reading = await looked(source_at(url, users_secret))
    assert reading.steps["health"].ok
    assert reading.status == "partial"
    assert "ended without an answer" in reading.problem


@pytest.mark.parametrize(
    "status", ["502 Bad Gateway", "503 Service Unavailable", "500 Internal Server Error", "404 Not Found"]
)
async def test_an_error_before_odoo(users_secret: str, status: str) -> None:
    async with server(says(answer(b"<h1>Oh no</h1>", status))) as url:
        reading = await looked(source_at(url, users_secret))
    assert reading.steps["health"].ok is False
    assert reading.steps["health"].problem == f"HTTP {status[:3]}"
    assert not reading.steps["health"].silent


async def test_somebody_else_answers(users_secret: str) -> None:
    async with server(says(answer(b"<html>Welcome to nginx!</html>"))) as url:
        reading = await looked(source_at(url, users_secret))
    assert reading.steps["health"].problem == "not the answer of an Odoo"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bodies=st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from(
                [
                    b'{"result": []}',
                    b'{"result": {"uid": 1}}',
                    b'{"error": 7}',
                    b'{"error": {"data": []}}',
                    b"[]",
                    b'{"result": 3, "error": null}',
                    b"\xff" * 90,
                    b"[" * 5000,
                ]
            ),
        ),
        min_size=1,
        max_size=5,
    ),
    raw=st.booleans(),
)
def test_any_answer(users_secret: str, bodies: list[bytes], raw: bool) -> None:
    cookie = "Set-Cookie: session_id=" + "a" * 84
    answers = [PASS, *(body if raw else answer(body, "200 OK", cookie) for body in bodies)]

    async def look() -> OdooPages:
        async with server(says(*answers)) as url:
            return await looked(source_at(url, users_secret))

    reading = asyncio.run(look())
    assert reading.steps["health"].ok
    for step in reading.steps.values():
        assert step.problem.isprintable()
        assert len(step.problem) <= 400
    assert "admin" not in str(reading)


async def test_authorities_that_cannot_be_read_are_no_fault_of_the_server(users_secret: str) -> None:
    source = source_at("https://127.0.0.1:1", users_secret)
    source._web = OdooWeb("https://127.0.0.1:1", ca_file="/no/such/file")
    reading = await looked(source)
    assert reading.status == "denied"
    assert "/no/such/file: No such file or directory" in reading.problem


async def test_an_answer_without_end_is_cut() -> None:
    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with server(floods) as url:
        web = OdooWeb(url)
        found = await web.page("/", 10.0)
        assert found.truncated
        await web.close()


async def test_a_password_in_an_answer_is_not_told() -> None:
    body = b'{"error": {"message": "x", "data": {"name": "E", "message": "hunter2hunter2 is wrong"}}}'
    async with server(says(answer(body))) as url:
        web = OdooWeb(url)
        with pytest.raises(OdooError) as caught:
            await web.log_in("acme", "me", "hunter2hunter2", 5.0)
        assert "hunter2" not in caught.value.problem
        await web.close()


@pytest.mark.server
@pytest.mark.parametrize("odoo", [18], indirect=True)
async def test_a_database_server_that_hangs_and_comes_back(odoo: Tenant) -> None:
    with granted(odoo):
        source = database_source(odoo)
        source.deadline_s = 4.0
        looker = looker_of(source)
        assert (await looker.look()).status == "ok"
        with odoo.postgres.hung():
            reading = await looker.look()
            assert isinstance(reading, OdooDatabase)
            assert reading.status == "unreachable"
            assert "no answer within" in reading.problem
            assert (reading.tenant, reading.database) == ("acme", odoo.database)
        assert (await looker.look()).status == "ok"
        await looker.end()


@pytest.mark.server
@pytest.mark.parametrize("odoo", [18], indirect=True)
async def test_one_database_that_hangs_keeps_no_other_waiting(odoo: Tenant) -> None:
    """Its look is abandoned half-way, in a statement."""
    with granted(odoo):
        source = database_source(odoo)
        visits = source._place.visits

        async def sleeps() -> None:
            async with visits.visit("another", "postgres", statement_s=30.0) as visit:
                await visit.look.ask(sql.SQL("SELECT pg_sleep(30)::text AS x"))

        sleeping = asyncio.create_task(sleeps())
        asleep = "select 1 from pg_stat_activity where query like 'SELECT pg_sleep(30)%'"
        await asyncio.to_thread(until, lambda: odoo.postgres.run(asleep))
        assert (await source.read()).status == "ok"
        visits.abandon("another")
        with pytest.raises((PostgresError, psycopg.Error)):
            await sleeping
        assert (await source.read()).status == "ok"


async def test_no_connection_is_left_half_open() -> None:
    """A server that accepts and says nothing: what is left open there would fill its slots when it wakes up."""
    ended = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        ended.append(1)

    gc.disable()
    try:
        async with server(silent) as url:
            port = int(url.rpartition(":")[2])
            visits = Visits(
                "main", {"pg-1": Target(host="127.0.0.1", port=port, user="x", sslmode="disable")}, every_s=10.0
            )
            looker = looker_of(OdooDatabaseSource(Place("acme", "acme", visits, "postgres"), deadline_s=4.0))
            assert "no answer within 1.5 s" in (await looker.look()).problem
            for _ in range(500):
                if ended:
                    break
                await asyncio.sleep(0.01)
            assert ended == [1]
            await looker.end()
    finally:
        gc.enable()
