"""Hung, cut, slow, garbage, at every stage of a connection to PostgreSQL and to Patroni."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from console.clients.patroni import Patroni
from console.clients.postgres import Line
from console.readings import Reading
from console.settings import Cadence
from console.sources.base import Source, SourceError
from console.sources.patroni import PatroniSource
from console.sources.postgres_activity import PostgresActivitySource
from console.sources.postgres_base import Member
from console.sources.postgres_member import PostgresMemberSource
from tests.rigs_postgres import Postgres, Watch
from tests.sources.fake_patroni import FakePatroni
from tests.tools.proxy import TO_CLIENT, TO_SERVER, Cut, Direction, Fault, FaultProxy, Garbage, Hang, Refuse, Slow

pytestmark = pytest.mark.server
DEADLINE_S = 0.3

STAGES = [0, 1, 200, 2000]
"""Bytes into the connection: nothing yet, the first byte, authentication and parameters, rows."""
FAULTS: list[Fault] = [
    Refuse(),
    *(Hang(after) for after in STAGES),
    *(Cut(after, how) for after in STAGES for how in ("reset", "end")),
    *(Garbage(after, 200, seed=after) for after in STAGES),
    *(Garbage(after, 64, insert=True, seed=after) for after in STAGES),
    Garbage(0, content=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    Garbage(0, content=b"E\xff\xff\xff\xff" * 20),
    Slow(delay_s=10),
]


@pytest_asyncio.fixture
async def proxy(postgres_server: Postgres) -> AsyncIterator[FaultProxy]:
    async with FaultProxy("127.0.0.1", postgres_server.port) as proxy:
        yield proxy


async def look(source: Source) -> Reading | Exception:
    """As the scheduler does it."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await source.read()
    except Exception as error:  # noqa: BLE001 - whatever it is, the test judges it
        source.abandon()
        return error


async def recovers(source: Source) -> None:
    async with asyncio.timeout(60):
        while True:
            found = await look(source)
            if isinstance(found, Reading) and found.status == "ok":
                return


@pytest.mark.parametrize("direction", [TO_CLIENT, TO_SERVER])
@pytest.mark.parametrize("warm", [False, True], ids=["new", "open"])
@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_postgresql(
    postgres_server: Postgres, proxy: FaultProxy, watch_postgres: Watch, fault: Fault, warm: bool, direction: Direction
) -> None:
    """It fails within its deadline, or answers; and is well again as soon as the line is."""
    target = msgspec.structs.replace(postgres_server.target(), port=proxy.port)
    line = Line(target, statement_timeout_s=1)
    member = watch_postgres(PostgresMemberSource, postgres_server, line=line)
    activity = watch_postgres(PostgresActivitySource, postgres_server, line=line)
    if warm:
        await recovers(member)
    proxy.set(fault, direction)
    for source in (member, activity):
        found = await look(source)
        assert isinstance(found, Reading | SourceError | TimeoutError), repr(found)
    proxy.heal()
    line.drop()  # what hung may arrive now; a look of its own would drop it at its deadline
    await recovers(member)
    await recovers(activity)


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_patroni(fault: Fault) -> None:
    fake = await FakePatroni().start()
    async with FaultProxy("127.0.0.1", fake.port) as proxy:
        source = PatroniSource(
            Patroni(f"http://127.0.0.1:{proxy.port}"),
            Member("main", "pg-3"),
            Cadence(every_s=2, deadline_s=DEADLINE_S),
        )
        proxy.set(fault, TO_CLIENT)
        for _ in range(2):
            found = await look(source)
            assert isinstance(found, Reading | SourceError | TimeoutError), repr(found)
        proxy.heal()
        source._spared.clear()
        await recovers(source)
        await source.close()
    await fake.stop()
