"""Settings and roles that changed; secrets among them."""

from __future__ import annotations

from typing import cast

import pytest

from console.clients.redact import redact
from console.readings import PostgresSettings
from console.sources.postgres_settings import PostgresSettingsSource
from tests.rigs_postgres import Postgres, Watch


async def read(source: PostgresSettingsSource) -> PostgresSettings:
    return cast("PostgresSettings", await source.read())


@pytest.mark.server
async def test_a_change_shows_before_and_when(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresSettingsSource, postgres_server)
    first = await read(source)
    assert (first.status, first.problem) == ("ok", "")
    work_mem = first.settings["work_mem"]
    assert (work_mem.value, work_mem.unit, work_mem.source, work_mem.changed_at) == ("4096", "kB", "default", None)
    assert "enable_seqscan" not in first.settings
    postgres_server.run(
        "ALTER SYSTEM SET work_mem = '8MB'", "ALTER SYSTEM SET enable_seqscan = off",
        "ALTER SYSTEM SET max_worker_processes = 9", "SELECT pg_reload_conf()",
    )  # fmt: skip
    try:
        for _ in range(100):
            second = await read(source)
            if second.settings["work_mem"].value == "8192":
                break
        changed = second.settings["work_mem"]
        assert (changed.value, changed.previous) == ("8192", "4096")
        assert changed.changed_at is not None
        assert second.settings["enable_seqscan"].previous == "on"
        assert second.settings["max_worker_processes"].pending_restart
        third = await read(source)
        assert third.settings == second.settings
    finally:
        postgres_server.run("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")
    for _ in range(100):
        back = await read(source)
        if back.settings["enable_seqscan"].value == "on":
            break
    assert back.settings["enable_seqscan"].previous == "off", "back at its default, and still shown as changed"


@pytest.mark.server
async def test_our_own_session_is_not_the_server(postgres_server: Postgres, watch_postgres: Watch) -> None:
    postgres_server.run("ALTER ROLE banksman SET work_mem = '1GB'")
    try:
        source = watch_postgres(PostgresSettingsSource, postgres_server)
        settings = (await read(source)).settings
    finally:
        postgres_server.run("ALTER ROLE banksman RESET work_mem")
    assert settings["statement_timeout"].value == "0"
    assert settings["lock_timeout"].value == "0"
    assert "default_transaction_read_only" not in settings
    assert "search_path" not in settings
    assert "work_mem" not in settings, "only our role's value can be seen, which is not the server's"


@pytest.mark.server
async def test_roles(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresSettingsSource, postgres_server)
    first = await read(source)
    assert first.roles["postgres"].superuser
    assert first.roles["banksman"].member_of == ("pg_monitor",)
    assert all(role.changed_at is None for role in first.roles.values())
    postgres_server.run(
        "CREATE ROLE newcomer LOGIN CREATEROLE CONNECTION LIMIT 3 VALID UNTIL 'infinity'",
        "CREATE ROLE leaves LOGIN VALID UNTIL '2030-01-01 00:00+00'",
    )
    try:
        second = await read(source)
        newcomer = second.roles["newcomer"]
        assert newcomer.login
        assert newcomer.create_role
        assert newcomer.connection_limit == 3
        assert newcomer.valid_until is None
        assert newcomer.changed_at is not None
        assert second.roles["postgres"].changed_at is None
        leaves = second.roles["leaves"].valid_until
        assert leaves is not None
        assert leaves.year == 2030
        postgres_server.run("ALTER ROLE newcomer SUPERUSER")
        third = await read(source)
        assert third.roles["newcomer"].superuser
        assert third.roles["newcomer"].changed_at != newcomer.changed_at
        assert third.roles["leaves"] == second.roles["leaves"]
    finally:
        postgres_server.run("DROP ROLE newcomer", "DROP ROLE leaves")


@pytest.mark.server
async def test_no_secret_leaves_the_server(
    postgres_server: Postgres, postgres_standby: Postgres, watch_postgres: Watch
) -> None:
    """primary_conninfo holds a password here, as it does wherever no password file is used."""
    source = watch_postgres(PostgresSettingsSource, postgres_standby)
    reading = await read(source)
    assert "password=***" in reading.settings["primary_conninfo"].value
    assert "only-in-tests" not in str(reading)


@pytest.mark.server
async def test_a_stranger(postgres_server: Postgres, watch_postgres: Watch) -> None:
    source = watch_postgres(PostgresSettingsSource, postgres_server, user="stranger")
    reading = await read(source)
    assert reading.status == "partial"
    assert 'GRANT pg_monitor TO "stranger";' in reading.problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", "SELECT 1"),
        ("ALTER ROLE a PASSWORD 'x''y' VALID UNTIL 'z'", "ALTER ROLE a PASSWORD *** VALID UNTIL 'z'"),
        ("create user a with encrypted password E'x\\'y'", "create user a with encrypted password ***"),
        ("ALTER ROLE a PASSWORD $$x y$$ LOGIN", "ALTER ROLE a PASSWORD *** LOGIN"),
        ("ALTER ROLE a PASSWORD $q$x $$ y$q$ LOGIN", "ALTER ROLE a PASSWORD *** LOGIN"),
        ("ALTER ROLE a PASSWORD 'cut off in the mid", "ALTER ROLE a PASSWORD ***"),
        ("host=a password=b user=c", "host=a password=*** user=c"),
        ("host=a password='b c' user=d", "host=a password=*** user=d"),
        ("AWS_SECRET_ACCESS_KEY=abc push %p", "AWS_SECRET_ACCESS_KEY=*** push %p"),
        ("push --secret-key abc --token=def %p", "push --secret-key *** --token=*** %p"),
        ("postgres://u:p4ss@host/db", "postgres://u:***@host/db"),
        ("SELECT key FROM passwords WHERE id = $1", "SELECT key FROM passwords WHERE id = $1"),
        ("SELECT * FROM payslip WHERE monkey = 3", "SELECT * FROM payslip WHERE monkey = 3"),
    ],
)
def test_redaction(text: str, expected: str) -> None:
    assert redact(text) == expected
