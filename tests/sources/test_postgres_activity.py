"""Sessions and blocking, against a real server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import psycopg
import pytest

from console.readings import Activity
from console.sources import postgres_names
from console.sources.postgres_activity import PostgresActivitySource
from tests.rigs_postgres import Postgres, Watch

pytestmark = pytest.mark.server


async def until(source: PostgresActivitySource, condition: Callable[[Activity], bool]) -> Activity:
    async with asyncio.timeout(60):
        while True:
            reading = cast("Activity", await source.read())
            if condition(reading):
                return reading
            await asyncio.sleep(0.05)


@contextlib.contextmanager
def waiting(connection: psycopg.Connection[Any], statement: str) -> Iterator[None]:
    """``statement`` in a thread, since it will wait; ended with the connection's own cancellation."""

    def run() -> None:
        with contextlib.suppress(psycopg.Error):
            connection.execute(statement)  # type: ignore[arg-type]

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        connection.cancel_safe(timeout=10)
        thread.join(30)


async def test_a_session(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresActivitySource, postgres_server)
    with postgres_server.connect("acme", application_name="odoo") as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 'what they asked'")
        pid = connection.info.backend_pid
        reading = await until(source, lambda r: pid in r.sessions and r.sessions[pid].state == "idle in transaction")
        assert reading.status == "ok"
        session = reading.sessions[pid]
        assert (session.database, session.user, session.application) == ("acme", "postgres", "odoo")
        assert session.query == "SELECT 'what they asked'"
        assert session.client.startswith("127.0.0.1:")
        assert session.wait == ""
        assert session.xact_start is not None
        assert session.backend_start is not None
        assert session.query_start is not None
        assert session.state_change is not None
        assert session.backend_start < session.xact_start <= session.query_start
        again = await until(source, lambda _: True)
        assert again.sessions[pid] == session, "nothing happened, and the row is not the same"


async def test_the_consoles_own_sessions_are_left_out_and_nobody_elses(
    postgres_server: Postgres, watch_postgres: Watch
) -> None:
    source = watch_postgres(PostgresActivitySource, postgres_server)
    assert (await until(source, lambda r: r.sessions_total == 0)).sessions == {}
    with postgres_server.connect("acme", application_name="banksman"):
        reading = await until(source, lambda r: r.sessions_total == 1)
        assert [session.user for session in reading.sessions.values()] == ["postgres"], "hid behind our name"


async def test_a_blocking_tree_with_names(
    postgres_server: Postgres, watch_postgres: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_names, "_VISIT_S", 0.0)
    source = watch_postgres(PostgresActivitySource, postgres_server)
    postgres_server.run(
        "CREATE SCHEMA IF NOT EXISTS store",
        "CREATE TABLE IF NOT EXISTS purchase_order (id int PRIMARY KEY, state text)",
        "CREATE TABLE IF NOT EXISTS store.item (id int)",
        "INSERT INTO purchase_order VALUES (1, 'draft') ON CONFLICT DO NOTHING",
        database="acme",
    )
    update = "UPDATE purchase_order SET state = 'done' WHERE id = 1"
    with (
        postgres_server.connect("acme") as head,
        postgres_server.connect("acme") as first,
        postgres_server.connect("acme") as second,
        postgres_server.connect("acme") as third,
    ):
        head.execute("BEGIN")
        head.execute(update)
        head.execute("LOCK TABLE store.item IN ACCESS EXCLUSIVE MODE")
        pids = [connection.info.backend_pid for connection in (head, first, second, third)]
        with waiting(first, update):
            await until(source, lambda r: pids[1] in r.blocked)
            with waiting(second, update), waiting(third, "SELECT * FROM store.item"):
                reading = await until(source, lambda r: len(r.blocked) == 3 and "store" in r.blocked[pids[3]].target)
                assert reading.blocked_total == 3
                blocked = reading.blocked
                assert blocked[pids[1]].blocked_by == (pids[0],)
                assert set(blocked[pids[2]].blocked_by) <= {pids[0], pids[1]}
                assert blocked[pids[3]].blocked_by == (pids[0],)
                assert blocked[pids[1]].target.startswith("transaction ")
                assert blocked[pids[1]].target.endswith(", row of acme: purchase_order")
                assert blocked[pids[2]].target == "acme: row (0,1) of purchase_order"
                assert blocked[pids[3]].target == "acme: relation store.item"
                assert blocked[pids[3]].mode == "AccessShareLock"
                assert blocked[pids[1]].since is not None
                assert reading.sessions[pids[1]].wait == "Lock: transactionid"
                assert next(iter(reading.sessions)) == pids[0], "the one that everybody waits for is the oldest"
        head.execute("ROLLBACK")
    assert (await until(source, lambda r: not r.blocked)).blocked_total == 0


async def test_names_come_without_a_second_connection_where_we_are_connected(
    postgres_server: Postgres, watch_postgres: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("a connection to another database")

    monkeypatch.setattr(postgres_names.RelationNames, "_go", never)
    source = watch_postgres(PostgresActivitySource, postgres_server, database="acme")
    postgres_server.run("CREATE TABLE IF NOT EXISTS here (id int)", database="acme")
    with postgres_server.connect("acme") as head, postgres_server.connect("acme") as other:
        head.execute("BEGIN")
        head.execute("LOCK TABLE here")
        with waiting(other, "TABLE here"):
            reading = await until(source, lambda r: len(r.blocked) == 1)
            assert [row.target for row in reading.blocked.values()] == ["acme: relation here"]
        head.execute("ROLLBACK")


async def test_a_name_that_cannot_be_had_is_a_number(postgres_server: Postgres, watch_postgres: Watch) -> None:
    postgres_server.run("CREATE DATABASE closed")
    postgres_server.run("CREATE TABLE secret_plans ()", database="closed")
    oid = postgres_server.run("SELECT 'secret_plans'::regclass::oid::int", database="closed")[0][0]
    postgres_server.run("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    source = watch_postgres(PostgresActivitySource, postgres_server)
    try:
        with postgres_server.connect("closed") as head, postgres_server.connect("closed") as other:
            head.execute("BEGIN")
            head.execute("LOCK TABLE secret_plans")
            with waiting(other, "TABLE secret_plans"):
                reading = await until(source, lambda r: len(r.blocked) == 1)
                assert [row.target for row in reading.blocked.values()] == [f"closed: relation {oid}"]
                assert reading.status == "ok"
            head.execute("ROLLBACK")
    finally:
        postgres_server.run("DROP DATABASE closed (FORCE)")


@pytest.mark.parametrize(
    ("statement", "target"),
    [
        ("SELECT pg_advisory_lock(4294967297)", "acme: advisory lock 4294967297"),
        ("SELECT pg_advisory_lock(-5)", "acme: advisory lock -5"),
        ("SELECT pg_advisory_lock(7, 8)", "acme: advisory lock 7, 8"),
    ],
)
async def test_advisory_locks(postgres_server: Postgres, watch_postgres: Watch, statement: str, target: str) -> None:
    source = watch_postgres(PostgresActivitySource, postgres_server)
    with postgres_server.connect("acme") as head, postgres_server.connect("acme") as other:
        head.execute(statement)  # type: ignore[call-overload]
        with waiting(other, statement):
            reading = await until(source, lambda r: len(r.blocked) == 1)
            assert [row.target for row in reading.blocked.values()] == [target]


async def test_a_stranger_is_told_what_is_missing(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresActivitySource, postgres_server, user="stranger")
    with postgres_server.connect("acme") as connection:
        connection.execute("SELECT 'nothing for a stranger'")
        reading = await until(source, lambda r: connection.info.backend_pid in r.sessions)
    assert reading.status == "partial"
    assert 'GRANT pg_monitor TO "stranger";' in reading.problem
    assert "nothing for a stranger" not in str(reading)
    postgres_server.run("GRANT pg_monitor TO stranger")
    try:
        fresh = watch_postgres(PostgresActivitySource, postgres_server, user="stranger")
        assert (await until(fresh, lambda _: True)).status == "ok"
    finally:
        postgres_server.run("REVOKE pg_monitor FROM stranger")


async def test_a_worker_in_the_tree_is_listed_by_its_kind(postgres_server: Postgres, watch_postgres: Watch) -> None:
    """An autovacuum worker, made slow, and a session that waits for it and does not chase it away."""
    source = watch_postgres(PostgresActivitySource, postgres_server)
    postgres_server.run(
        "ALTER SYSTEM SET autovacuum_naptime = 1",
        "SELECT pg_reload_conf()",
        "CREATE TABLE vacuumed WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,"
        " autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0) AS SELECT generate_series(1, 50000) AS n",
        "DELETE FROM vacuumed",
    )
    try:
        with postgres_server.connect(options="-c deadlock_timeout=100s") as other:
            worker = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'autovacuum: VACUUM%vacuumed%'"
            async with asyncio.timeout(60):
                while not (found := postgres_server.run(worker)):  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.1)
            ((pid,),) = found
            blocked = other.info.backend_pid
            with waiting(other, "LOCK TABLE vacuumed; COMMIT"):
                reading = await until(source, lambda r: len(r.blocked) == 1)
        assert reading.blocked[blocked].blocked_by == (pid,)
        assert reading.sessions[pid].application == "autovacuum worker"
        assert reading.sessions[pid].query.startswith("autovacuum: VACUUM")
        assert reading.sessions_total == 1
    finally:
        postgres_server.run("ALTER SYSTEM RESET autovacuum_naptime", "SELECT pg_reload_conf()", "DROP TABLE vacuumed")


HOSTILE = [
    "[@click=app.quit]x[/foo]",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202eevil\u202c",
    "a" * 63,
    "宽" * 20,
    "e\u0301\u0301\u0301\u0301",
    "'; DROP TABLE purchase_order; --",
    '"%s" {} $1 \\',
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_names_and_queries(postgres_server: Postgres, watch_postgres: Watch, name: str) -> None:
    source = watch_postgres(PostgresActivitySource, postgres_server)
    identifier = psycopg.sql.Identifier(name)
    create = psycopg.sql.SQL("CREATE DATABASE {}").format(identifier)
    drop = psycopg.sql.SQL("DROP DATABASE {} (FORCE)").format(identifier)
    role = psycopg.sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD 'only-in-tests'").format(identifier)
    unrole = psycopg.sql.SQL("DROP ROLE {}").format(identifier)
    with postgres_server.connect() as admin:
        admin.execute(create)
        admin.execute(role)
        try:
            cut = name.encode()[:63].decode(errors="ignore")
            with postgres_server.connect(cut, user=cut, application_name=name) as session:
                session.execute(psycopg.sql.SQL("SELECT {}").format(psycopg.sql.Literal(name + "x" * 9000)))
                pid = session.info.backend_pid
                reading = await until(source, lambda r: pid in r.sessions)
        finally:
            admin.execute(drop)
            admin.execute(unrole)
    assert reading.status == "ok"
    row = reading.sessions[pid]
    for text in (row.database, row.user, row.application, row.query):
        assert text
        assert not set(text) & {"\x1b", "\x07", "\u202e", "\n", "\x00"}
    assert len(row.query) <= 2000


async def test_text_in_an_encoding_that_is_not_its_databases(postgres_server: Postgres, watch_postgres: Watch) -> None:
    """A LATIN1 database's query reaches pg_stat_activity as it is; reading it in a UTF-8 database must not fail."""
    postgres_server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    source = watch_postgres(PostgresActivitySource, postgres_server)
    try:
        with postgres_server.connect("latin") as session:
            session.execute("SELECT 'Größe in Quadratmetern: ÄÖÜ'")
            pid = session.info.backend_pid
            reading = await until(source, lambda r: pid in r.sessions)
    finally:
        postgres_server.run("DROP DATABASE latin (FORCE)")
    assert reading.status == "ok"
    assert "in Quadratmetern" in reading.sessions[pid].query


async def test_a_password_in_a_statement_stays_there(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresActivitySource, postgres_server)
    with postgres_server.connect() as session:
        session.execute("CREATE ROLE shortlived PASSWORD 'hunter2-hunter2'")
        pid = session.info.backend_pid
        reading = await until(source, lambda r: pid in r.sessions)
        assert reading.sessions[pid].query == "CREATE ROLE shortlived PASSWORD ***"
        session.execute("DROP ROLE shortlived")


async def test_many_sessions_are_counted_and_the_busy_ones_listed(
    postgres_server: Postgres, watch_postgres: Watch
) -> None:
    source = watch_postgres(PostgresActivitySource, postgres_server)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(postgres_server.connect("acme")) for _ in range(10)]
        idle[-1].execute("BEGIN")
        reading = await until(source, lambda r: r.sessions_total == 10)
        assert next(iter(reading.sessions)) == idle[-1].info.backend_pid
