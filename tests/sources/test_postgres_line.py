"""The line to a server: what it sets, what ends it, and that a hung server costs nothing but the look that hangs."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable

import msgspec
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from console.clients.postgres import Line, PostgresError, Target
from tests.rigs_postgres import PASSWORD, Postgres

pytestmark = pytest.mark.server
SLEEP = sql.SQL("SELECT pg_sleep(60)")


@pytest_asyncio.fixture
async def line(postgres_server: Postgres) -> AsyncIterator[Line]:
    line = postgres_server.line(timeout_s=1)
    yield line
    await line.close()


async def ask(line: Line, statement: str, owner: object = None) -> list[dict[str, object]]:
    async with line.look(owner) as look:
        return (await look.ask(sql.SQL(statement))).rows[0]  # type: ignore[arg-type]


async def soon(task: asyncio.Task[object]) -> bool:
    """Whether a task ends by itself in a few turns of the loop, that is, without waiting for anybody."""
    for _ in range(10):
        if task.done():
            return True
        await asyncio.sleep(0)
    return task.done()


async def at_work(line: Line) -> asyncio.Task[object]:
    """A look that waits for the server's answer."""
    task: asyncio.Task[object] = asyncio.create_task(ask(line, "SELECT pg_sleep(60)", "owner"))  # type: ignore[arg-type]
    await until(lambda: line._connection is not None and line._running is not None and line.generation > 0)
    return task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


async def test_the_session_can_only_look(line: Line) -> None:
    row = (
        await ask(
            line,
            "SELECT current_setting('application_name') AS name, current_setting('default_transaction_read_only') AS ro,"
            " current_setting('statement_timeout') AS timeout, current_setting('search_path') AS path",
        )
    )[0]
    assert row == {"name": "banksman", "ro": "on", "timeout": "1s", "path": "pg_catalog"}
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await ask(line, "CREATE TABLE public.mine ()")
    assert await ask(line, "SELECT 1 AS n") == [{"n": 1}]
    assert line.generation == 1


async def test_several_statements_take_one_round_trip(line: Line) -> None:
    async with line.look(None) as look:
        answer = await look.ask(
            sql.SQL("SELECT 1 AS a"), sql.SQL("SELECT 2 AS b WHERE false"), sql.SQL("SELECT 3 AS c")
        )
    assert answer.rows == [[{"a": 1}], [], [{"c": 3}]]


async def test_the_server_ends_a_long_statement_and_the_line_lives_on(postgres_server: Postgres) -> None:
    line = postgres_server.line(timeout_s=0.2)
    with pytest.raises(psycopg.errors.QueryCanceled):
        await ask(line, "SELECT pg_sleep(60)")
    assert await ask(line, "SELECT 1 AS n") == [{"n": 1}]
    assert line.generation == 1
    await line.close()


async def test_a_cancelled_look_ends_at_once(line: Line) -> None:
    task = await at_work(line)
    task.cancel()
    assert await soon(task)
    assert task.cancelled()
    assert await ask(line, "SELECT 1 AS n") == [{"n": 1}]
    assert line.generation == 2


async def test_a_hung_server_holds_nobody(postgres_server: Postgres, line: Line) -> None:
    await ask(line, "SELECT 1")
    with postgres_server.hung():
        on_old_connection = asyncio.create_task(ask(line, "SELECT 1", "first"))
        await asyncio.sleep(0.05)
        on_old_connection.cancel()
        assert await soon(on_old_connection)  # type: ignore[arg-type]
        connecting = asyncio.create_task(ask(line, "SELECT 1", "second"))
        await asyncio.sleep(0.05)
        assert not connecting.done()
        connecting.cancel()
        assert await soon(connecting)  # type: ignore[arg-type]
    assert await ask(line, "SELECT 1 AS n") == [{"n": 1}]


async def test_abandoning_fails_the_look_that_hangs_and_lets_the_next_one_in(line: Line) -> None:
    hangs = await at_work(line)
    waits = asyncio.create_task(ask(line, "SELECT 1 AS n", "other"))
    await asyncio.sleep(0)
    line.abandon("owner")
    with pytest.raises((psycopg.OperationalError, PostgresError)):
        await hangs
    assert await waits == [{"n": 1}]


async def test_a_look_that_only_waits_its_turn_drops_nothing(line: Line) -> None:
    works = await at_work(line)
    waits = asyncio.create_task(ask(line, "SELECT 1 AS n", "other"))
    await asyncio.sleep(0)
    line.abandon("other")
    waits.cancel()
    await asyncio.sleep(0.05)
    assert not works.done()
    line.abandon("owner")
    await asyncio.gather(works, waits, return_exceptions=True)


async def test_abandoning_while_connecting_is_a_failure_not_a_cancellation(postgres_server: Postgres) -> None:
    line = postgres_server.line()
    with postgres_server.hung():
        task = asyncio.create_task(ask(line, "SELECT 1", "owner"))
        await until(lambda: line._running is not None)
        line.abandon("owner")
        with pytest.raises(PostgresError, match="dropped"):
            await task
    await line.close()


async def test_a_connection_that_ended_between_looks_is_made_anew(postgres_server: Postgres, line: Line) -> None:
    (row,) = await ask(line, "SELECT pg_backend_pid() AS pid")
    postgres_server.run(f"SELECT pg_terminate_backend({row['pid']}, 10000)")
    assert await ask(line, "SELECT 1 AS n") == [{"n": 1}]
    assert line.generation == 2


async def test_nothing_is_left_on_the_server(postgres_server: Postgres) -> None:
    line = postgres_server.line(timeout_s=0.5)  # so long a statement runs on that nobody waits for
    task = await at_work(line)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await ask(line, "SELECT 1")
    await line.close()
    for _ in range(1000):
        left = postgres_server.run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'banksman'")
        if left == [(0,)]:
            return
        await asyncio.sleep(0.02)
    pytest.fail("a session of ours is still there")


@pytest.mark.parametrize(
    ("changes", "denied", "says"),
    [
        ({"password": lambda: "a wrong one"}, True, "password authentication failed"),
        ({"user": "nobody-of-that-name"}, True, "password authentication failed"),
        ({"database": "absent"}, True, "does not exist"),
        ({"port": 1}, False, "Connection refused"),
        ({"host": "host.invalid"}, False, "cannot resolve host.invalid"),
    ],
)
async def test_why_there_is_no_connection(
    postgres_server: Postgres, changes: dict[str, object], denied: bool, says: str
) -> None:
    line = Line(msgspec.structs.replace(postgres_server.target(), **changes), statement_timeout_s=5)
    with pytest.raises(PostgresError, match=says) as caught:
        await ask(line, "SELECT 1")
    assert caught.value.denied is denied
    assert "\n" not in caught.value.problem
    assert PASSWORD not in repr(caught.value) + repr(line.target)
    assert "a wrong one" not in repr(caught.value)


async def test_a_resolver_that_hangs_holds_one_thread_and_not_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = threading.Semaphore(0), threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        asked.release()
        answer.wait(60)
        raise OSError("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    line = Line(Target(host="db.example"), statement_timeout_s=1)
    for _ in range(3):
        task = asyncio.create_task(ask(line, "SELECT 1"))
        await asyncio.sleep(0.02)
        task.cancel()
        assert await soon(task)  # type: ignore[arg-type]
    assert asked.acquire(timeout=10)
    assert not asked.acquire(blocking=False), "a second lookup was started while the first one hung"
    answer.set()
