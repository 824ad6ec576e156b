"""From an environment file to sources; what the doctor says of a server, and how little looking costs it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from console.readings import Activity, PatroniMember, PostgresIo, PostgresMember, PostgresSettings, PostgresStatements
from console.settings import Cadence, Cadences, EnvironmentFile, PostgresCluster, PostgresServer
from console.sources import Source, sources_for
from console.sources.base import Check, SourceError
from tests.rigs_postgres import PASSWORD, Postgres

CADENCES = Cadences(
    fast=Cadence(every_s=2, deadline_s=2),
    normal=Cadence(every_s=10, deadline_s=5),
    slow=Cadence(every_s=60, deadline_s=20),
)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    return path


def environment(server: Postgres, secret: Path | None, **changes: object) -> EnvironmentFile:
    cluster = PostgresCluster(
        servers={"pg-1": PostgresServer(host="127.0.0.1", port=server.port)},
        password=f"file:{secret}" if secret else None,
        sslmode="disable",
    )
    return EnvironmentFile(name="x", postgres={"main": msgspec.structs.replace(cluster, **changes)})


def test_what_is_watched_how_often() -> None:
    found = sources_for(
        EnvironmentFile(
            name="x",
            postgres={
                "main": PostgresCluster(
                    servers={"a": PostgresServer(host="a", patroni="http://a:8008"), "b": PostgresServer(host="b")}
                )
            },
        ),
        CADENCES,
    )
    assert [(source.reading, source.key, source.every_s, source.deadline_s) for source in found] == [
        (PostgresMember, "main/a", 2, 2),
        (Activity, "main/a", 2, 2),
        (PostgresStatements, "main/a", 10, 5),
        (PostgresIo, "main/a", 10, 5),
        (PostgresSettings, "main/a", 60, 20),
        (PatroniMember, "main/a", 2, 2),
        (PostgresMember, "main/b", 2, 2),
        (Activity, "main/b", 2, 2),
        (PostgresStatements, "main/b", 10, 5),
        (PostgresIo, "main/b", 10, 5),
        (PostgresSettings, "main/b", 60, 20),
    ]
    assert all(source.privilege for source in found)


def test_nothing_is_loaded_that_is_not_needed() -> None:
    assert sources_for(EnvironmentFile(name="x"), CADENCES) == []


async def close(sources: list[Source]) -> None:
    for source in sources:
        await source.close()


@pytest.mark.server
async def test_all_sources_of_a_member_share_two_connections(postgres_server: Postgres, secret: Path) -> None:
    sources = sources_for(environment(postgres_server, secret), CADENCES)
    for source in sources:
        assert (await source.read()).status == "ok"
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'banksman'"
    assert postgres_server.run(mine) == [(2,)]
    await close(sources)


@pytest.mark.server
async def test_a_password_that_cannot_be_had(postgres_server: Postgres, tmp_path: Path) -> None:
    sources = sources_for(environment(postgres_server, tmp_path / "absent"), CADENCES)
    with pytest.raises(SourceError, match=r"password: file:.*No such file") as caught:
        await sources[0].read()
    assert caught.value.denied


@pytest.mark.server
@pytest.mark.parametrize("way", ["pgpass", "service"])
async def test_a_password_where_libpq_keeps_it(
    postgres_server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    kept = tmp_path / "kept"
    if way == "pgpass":
        kept.write_text(f"127.0.0.1:{postgres_server.port}:postgres:banksman:{PASSWORD}\n")
    else:
        kept.write_text(f"[ours]\npassword={PASSWORD}\nport=1\n")
    kept.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE" if way == "pgpass" else "PGSERVICEFILE", str(kept))
    sources = sources_for(environment(postgres_server, None, service="ours" if way == "service" else ""), CADENCES)
    assert (await sources[0].read()).status == "ok"
    await close(sources)


async def examine(server: Postgres, secret: Path | None, **changes: object) -> dict[str, Check]:
    sources = sources_for(environment(server, secret, **changes), CADENCES)
    checks = [check for source in sources for check in await source.examine()]
    await close(sources)
    assert PASSWORD not in str(checks)
    return {check.what.partition(": ")[2]: check for check in checks}


@pytest.mark.server
async def test_the_doctor_of_a_healthy_server(postgres_server: Postgres, secret: Path) -> None:
    checks = await examine(postgres_server, secret)
    assert {check.answer for check in checks.values()} == {"pass"}
    assert set(checks) == {"connect", "privileges", "pg_stat_statements", "clock", "I/O timing"}


@pytest.mark.server
async def test_the_doctors_remedies_mend(postgres_server: Postgres, secret: Path) -> None:
    """Each failing check's remedy is run as it stands; then the check passes."""
    before = await examine(postgres_server, secret, user="stranger", database="acme")
    assert {what for what, check in before.items() if check.answer == "fail"} == {"privileges", "pg_stat_statements"}
    assert before["privileges"].mend == 'GRANT pg_monitor TO "stranger";'
    postgres_server.run(before["privileges"].mend)
    postgres_server.run(before["pg_stat_statements"].mend.partition(": ")[2], database="acme")
    try:
        after = await examine(postgres_server, secret, user="stranger", database="acme")
        assert {check.answer for check in after.values()} == {"pass"}
    finally:
        postgres_server.run("REVOKE pg_monitor FROM stranger")
        postgres_server.run("DROP EXTENSION pg_stat_statements", database="acme")


@pytest.mark.server
@pytest.mark.parametrize(
    ("changes", "mend"),
    [
        ({"user": "absent"}, "ALTER ROLE"),
        ({"database": "absent"}, "`database`"),
        ({"servers": {"pg-1": PostgresServer(host="127.0.0.1", port=1)}}, "listens"),
        ({"servers": {"pg-1": PostgresServer(host="host.invalid")}}, "resolver"),
    ],
)
async def test_the_doctor_where_there_is_no_connection(
    postgres_server: Postgres, secret: Path, changes: dict[str, object], mend: str
) -> None:
    checks = await examine(postgres_server, secret, **changes)
    assert list(checks) == ["connect"]
    assert checks["connect"].answer == "fail"
    assert mend in checks["connect"].mend


@pytest.mark.server
async def test_a_superuser_and_a_narrow_connection_limit(postgres_server: Postgres, secret: Path) -> None:
    assert (await examine(postgres_server, secret, user="postgres"))["superuser"].answer == "cannot tell"
    postgres_server.run("ALTER ROLE stranger CONNECTION LIMIT 1")
    try:
        checks = await examine(postgres_server, secret, user="stranger")
        assert checks["connection limit"].mend == 'ALTER ROLE "stranger" CONNECTION LIMIT 6;'
    finally:
        postgres_server.run("ALTER ROLE stranger CONNECTION LIMIT -1")


@pytest.mark.server
async def test_looking_costs_the_server_little(postgres_server: Postgres, secret: Path) -> None:
    """CPU seconds of our two backends, for a minute's worth of looks: under 1 % of one core, so under 0.6 s."""
    sources = sources_for(environment(postgres_server, secret), CADENCES)
    for source in sources:
        await source.read()
    pids = postgres_server.run("SELECT pid FROM pg_stat_activity WHERE application_name = 'banksman'")
    processes = [postgres_server.process_of(pid) for (pid,) in pids]
    before = [sum(process.cpu_times()[:2]) for process in processes]
    for second in range(0, 60, 2):
        for source in sources:
            if second % source.every_s == 0:
                await source.read()
    spent = sum(sum(process.cpu_times()[:2]) for process in processes) - sum(before)
    await close(sources)
    assert spent < 0.6
