"""Top statements, as deltas."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from console.readings import PostgresStatements, Statement
from console.sources.postgres_statements import PostgresStatementsSource
from tests.rigs_postgres import Postgres, Watch

pytestmark = pytest.mark.server


async def read(source: PostgresStatementsSource) -> PostgresStatements:
    return cast("PostgresStatements", await source.read())


def find(reading: PostgresStatements, text: str) -> Statement | None:
    return next((row for row in reading.rows.values() if text in row.query), None)


async def test_deltas_never_lifetime(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresStatementsSource, postgres_server)
    with postgres_server.connect("acme", application_name="odoo") as session:
        session.execute("SELECT pg_sleep(0.02), 'counted'")
        first = await read(source)
        assert (first.status, first.window_s, first.rows) == ("ok", 0.0, {})
        for _ in range(5):
            session.execute("SELECT pg_sleep(0.02), 'counted'")
        await asyncio.sleep(0.2)
        second = await read(source)
        row = find(second, "pg_sleep")
        assert row is not None
        assert (row.database, row.user) == ("acme", "postgres")
        assert row.calls_per_s * second.window_s == pytest.approx(5, rel=0.3)
        assert row.mean_ms >= 20
        assert 0 < row.share <= 1
        assert row.query == "SELECT pg_sleep($1), $2"
        assert second.total_ms_per_s >= row.ms_per_s
        third = await read(source)
        assert find(third, "pg_sleep") is None, "nothing was called since, so there is no row"


async def test_what_watching_costs_is_told_apart(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresStatementsSource, postgres_server)
    await read(source)
    postgres_server.run("SELECT pg_sleep(0.05), 'theirs'", database="acme")
    await read(source)
    postgres_server.run("SELECT pg_sleep(0.05), 'theirs'", database="acme")
    reading = await read(source)
    ours = [row for row in reading.rows.values() if row.ours]
    assert ours
    assert reading.own_ms_per_s > 0
    assert all(row.share == 0 for row in ours)
    assert all("pg_sleep" not in row.query for row in ours)
    theirs = [row for row in reading.rows.values() if not row.ours]
    assert sum(row.share for row in theirs) == pytest.approx(1, abs=0.05)
    assert reading.total_ms_per_s == pytest.approx(sum(row.ms_per_s for row in theirs), rel=0.05)


async def test_a_statement_that_is_new_has_counted_from_zero(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresStatementsSource, postgres_server)
    await read(source)
    postgres_server.run("SELECT 1 AS brand_new_column", database="acme")
    row = find(await read(source), "brand_new_column")
    assert row is not None
    assert row.calls_per_s > 0


@pytest.mark.parametrize("reset", ["all", "one", "restart"])
async def test_resets(postgres_server: Postgres, watch_postgres: Watch, reset: str) -> None:
    source = watch_postgres(PostgresStatementsSource, postgres_server)
    for _ in range(10):
        postgres_server.run("SELECT 2 AS counted_before", database="acme")
    before = await read(source)
    if reset == "restart":
        postgres_server.restart()
    elif reset == "all":
        postgres_server.run("SELECT pg_stat_statements_reset()")
    else:
        postgres_server.run(
            "SELECT pg_stat_statements_reset(userid, dbid, queryid) FROM pg_stat_statements"
            " WHERE query LIKE '%counted_before%' AND query NOT LIKE '%reset%'"
        )
    postgres_server.run("SELECT 2 AS counted_before", database="acme")
    after = await read(source)
    for row in after.rows.values():
        assert row.calls_per_s >= 0
        assert row.ms_per_s >= 0
    if reset == "one":
        assert find(after, "counted_before") is None
    else:
        assert after.window_s == 0
        assert after.rows == {}
    if reset == "all":
        assert after.reset_at != before.reset_at


async def test_what_was_evicted_is_counted(postgres_server: Postgres, watch_postgres: Watch) -> None:
    """pg_stat_statements.max is 100 here."""
    source = watch_postgres(PostgresStatementsSource, postgres_server)
    await read(source)
    with postgres_server.connect("acme") as session:
        for n in range(150):
            session.execute("SELECT 1" + " + 1" * n)  # type: ignore[call-overload]
    reading = await read(source)
    assert reading.evicted > 0
    assert (await read(source)).evicted == 0


async def test_without_the_extension(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresStatementsSource, postgres_server, database="acme")
    reading = await read(source)
    assert reading.status == "partial"
    assert not reading.extension
    assert "not installed in database acme: CREATE EXTENSION pg_stat_statements;" in reading.problem


async def test_in_a_schema_of_its_own(postgres_server: Postgres, watch_postgres: Watch) -> None:
    postgres_server.run(
        'CREATE SCHEMA "Odd schema"', 'CREATE EXTENSION pg_stat_statements SCHEMA "Odd schema"', database="acme"
    )
    try:
        source = watch_postgres(PostgresStatementsSource, postgres_server, database="acme")
        refused = await read(source)
        assert (refused.status, refused.extension) == ("partial", False)
        assert "permission denied for schema Odd schema" in refused.problem
        postgres_server.run('GRANT USAGE ON SCHEMA "Odd schema" TO banksman', database="acme")
        fresh = watch_postgres(PostgresStatementsSource, postgres_server, database="acme")
        assert (await read(fresh)).status == "ok"
    finally:
        postgres_server.run('DROP SCHEMA "Odd schema" CASCADE', database="acme")


async def test_a_refused_part_is_not_asked_again_at_each_look(postgres_server: Postgres, watch_postgres: Watch) -> None:
    """Each refusal is an ERROR line in the server's log."""
    postgres_server.run("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    try:
        source = watch_postgres(PostgresStatementsSource, postgres_server)
        log = postgres_server.home / "log"
        before = log.read_text(errors="replace").count("permission denied for schema public")
        readings = [await read(source) for _ in range(5)]
        after = log.read_text(errors="replace").count("permission denied for schema public")
        assert {reading.status for reading in readings} == {"partial"}
        assert all("permission denied" in reading.problem for reading in readings)
        assert after - before <= 4  # once together, once each by itself
    finally:
        postgres_server.run("GRANT USAGE ON SCHEMA public TO PUBLIC")


async def test_a_password_does_not_travel(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresStatementsSource, postgres_server)
    await read(source)
    postgres_server.run("CREATE ROLE brief PASSWORD 'hunter2-hunter2'", "DROP ROLE brief")
    reading = await read(source)
    assert find(reading, "CREATE ROLE brief") is not None
    assert "hunter2" not in str(reading)
