"""What goes wrong between the console and a server: hang, cut, slow and garbage at every stage, and refusals."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import exceptions

from console.clients.redis import explain
from console.readings import Reading, RedisServer
from console.sources.base import Source, SourceError
from tests.rigs_valkey import PASSWORD, Make, Rig, environment, sources
from tests.tools.proxy import BOTH, TO_CLIENT, TO_SERVER, Cut, Fault, FaultProxy, Garbage, Hang, Refuse, Slow

pytestmark = pytest.mark.server

STAGES = {"connect": 0, "log-in": 3, "names": 8, "ping": 50, "info": 400, "late in info": 5000}
"""Bytes of the server's that come through before it goes wrong."""
DEADLINE = 0.4
SOON = 20.0


class Problem(str):
    """What a look ended with instead of a reading."""


async def look(source: Source, deadline: float = DEADLINE) -> Reading | Problem:
    """One look as the scheduler makes it. Anything but these two ends is a mistake, and fails the test."""
    try:
        async with asyncio.timeout(deadline):
            return await source.read()
    except TimeoutError:
        source.abandon()
        return Problem("deadline")
    except SourceError as error:
        assert PASSWORD not in error.problem
        assert error.problem
        return Problem(error.problem)


async def look_well(source: Source) -> Reading:
    reading = await look(source, SOON)
    assert isinstance(reading, Reading), reading
    assert reading.status == "ok"
    return reading


@pytest_asyncio.fixture
async def proxy(valkey: Rig) -> AsyncIterator[FaultProxy]:
    async with FaultProxy("127.0.0.1", valkey.primary.port) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def source(valkey: Rig, proxy: FaultProxy) -> AsyncIterator[Source]:
    of = environment([valkey.primary], valkey.secret, port=proxy.port)
    source = sources(of)[0]["cache-1"]
    yield source
    await source.close()


FAULTS = {
    "hang": Hang,
    "reset": lambda after: Cut(after, "reset"),
    "end": lambda after: Cut(after, "end"),
    "garbage": lambda after: Garbage(after, 256, insert=True, seed=after),
    "slow": lambda after: Slow(bytes_per_s=2000),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", FAULTS)
async def test_at_every_stage(proxy: FaultProxy, source: Source, fault: str, stage: str) -> None:
    proxy.set(FAULTS[fault](STAGES[stage]), TO_CLIENT)
    ended = await look(source)
    if fault == "garbage":
        assert isinstance(ended, Problem | RedisServer)  # inside of INFO's text it is only text
    elif fault in ("hang", "slow"):
        assert ended == "deadline"
    else:
        assert "the connection broke" in str(ended)
    proxy.heal()
    source.abandon()
    reading = await look_well(source)
    assert isinstance(reading, RedisServer)
    assert reading.role == "primary"


@pytest.mark.parametrize("fault", FAULTS)
async def test_on_an_open_connection(proxy: FaultProxy, source: Source, fault: str) -> None:
    await look_well(source)
    proxy.set(FAULTS[fault](0), TO_CLIENT)
    ended = await look(source)
    assert isinstance(ended, Problem)
    proxy.heal()
    await look_well(source)


async def test_refused(proxy: FaultProxy, source: Source) -> None:
    proxy.set(Refuse())
    assert await look(source) == f"127.0.0.1:{proxy.port} refuses connections"
    proxy.heal()
    await look_well(source)


async def test_hang_towards_the_server(proxy: FaultProxy, source: Source) -> None:
    await look_well(source)
    proxy.set(Hang(), TO_SERVER)
    assert await look(source) == "deadline"
    proxy.heal()
    await look_well(source)


NONSENSE = [
    b"$999999999999\r\n",
    b"$-2\r\n",
    b"*1000000\r\n",
    b"*1\r\n" * 5000,
    b"*3\r\n$1\r\na\r\n:1\r\n*0\r\n",
    b":x\r\n",
    b":" + b"9" * 5000 + b"\r\n",
    b"+OK\r\n",
    b"-ERR no\r\n",
    b"-LOADING wait\r\n",
    b"-NOAUTH Authentication required.\r\n",
    b"_\r\n",
    b"%1\r\n+a\r\n+b\r\n",
    b"x" * 100_000,
]

faults: st.SearchStrategy[Fault] = st.one_of(
    st.builds(Cut, st.integers(0, 8000), st.sampled_from(["reset", "end"])),
    st.builds(Garbage, st.integers(0, 8000), st.integers(1, 2000), st.booleans(), st.integers()),
    st.builds(
        Garbage,
        st.integers(0, 400),
        insert=st.booleans(),
        content=st.sampled_from(NONSENSE),
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fault=faults, direction=st.sampled_from(BOTH), warm=st.booleans())
async def test_whatever_comes(proxy: FaultProxy, source: Source, fault: Fault, direction: str, warm: bool) -> None:
    """It ends in a reading or in a sentence, and once it is over the next connection is well."""
    if warm:
        await look_well(source)
    proxy.set(fault, direction)  # type: ignore[arg-type]
    await look(source, 0.3)
    await look(source, 0.3)
    proxy.heal()
    source.abandon()
    await look_well(source)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["keys", "sentinel"])
async def test_the_other_sources(valkey: Rig, kind: str, fault: str) -> None:
    server = valkey.sentinel if kind == "sentinel" else valkey.primary
    valkey.primary.client().mset({f"key:{number}": "x" for number in range(500)})
    async with FaultProxy("127.0.0.1", server.port) as proxy:
        of = (
            valkey.environment() if kind == "keys" else environment([valkey.primary], valkey.secret, sentinels=[server])
        )
        if kind == "keys":
            of = environment([valkey.primary], valkey.secret, port=proxy.port)
            source: Source = sources(of)[1]
        else:
            source = sources(of)[2]["sentinel-1"]
            source._link.port = proxy.port  # type: ignore[attr-defined]
        for after in (0, 100):
            proxy.set(FAULTS[fault](after), TO_CLIENT)
            await look(source)
            proxy.heal()
            source.abandon()
            await look_well(source)
        await source.close()


async def test_the_doctor_on_a_broken_wire(proxy: FaultProxy, source: Source) -> None:
    for after in (0, 40, 7500):
        proxy.set(Cut(after, "end"), TO_CLIENT)
        checks = await source.examine()
        assert (checks[-1].what, checks[-1].answer) == ("connection", "fail")
        assert "connection broke" in checks[-1].detail
        proxy.heal()
        source.abandon()
    assert {check.answer for check in await source.examine()} == {"pass"}


async def test_wrong_and_missing_password(valkey: Rig, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not-" + PASSWORD)
    for cache, words in (
        ({"password": f"file:{wrong}"}, "does not accept our user and password"),
        ({"password": None}, "asks for a password, and none is configured"),
        ({"password": "env:NO_SUCH_VARIABLE"}, "env:NO_SUCH_VARIABLE"),
        ({"username": "nobody"}, "does not accept our user and password"),
    ):
        source = sources(environment([valkey.primary], valkey.secret, **cache))[0]["cache-1"]
        with pytest.raises(SourceError, match=words) as caught:
            await source.read()
        assert caught.value.denied == ("env:" not in words)
        assert PASSWORD not in str(caught.value)
        assert caught.value.__cause__ is None  # frames of the client library hold the password
        checks = await source.examine()
        assert checks[0].answer == "fail"
        assert words in checks[0].detail
        await source.close()


async def test_no_more_clients(make_valkey: Make, secret: Path) -> None:
    server = make_valkey("cache-1", "--maxclients", "3")
    held = []
    with pytest.raises(redis.ConnectionError):
        for _ in range(4):
            held.append(server.client(single_connection_client=True))
            held[-1].ping()
    source = sources(environment([server], secret))[0]["cache-1"]
    with pytest.raises(SourceError, match=r"accepts no more clients|connection broke"):
        await source.read()
    held[0].close()
    held[1].close()
    reading = await look_well(source)
    assert isinstance(reading, RedisServer)
    assert reading.maxclients == 3


async def test_tls_against_a_server_without(valkey: Rig) -> None:
    """It waits for the end of a line that TLS never sends; the deadline ends it."""
    source = sources(environment([valkey.primary], valkey.secret, tls=True))[0]["cache-1"]
    assert isinstance(await look(source), Problem)
    await source.close()


@pytest.mark.parametrize(
    ("error", "words", "denied"),
    [
        (socket.gaierror(-2, "x"), "cannot be resolved", False),
        (ConnectionRefusedError(), "refuses connections", False),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1'), [Errno 111] …"),
            "refuses connections",
            False,
        ),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "TLS failed", False),
        (exceptions.AuthenticationError("invalid username-password pair"), "does not accept", True),
        (exceptions.ResponseError("DENIED Redis is running in protected mode"), "protected mode", True),
        (exceptions.ConnectionError("max number of clients reached"), "no more clients", False),
        (exceptions.InvalidResponse("Protocol Error: b'\x1b[31m'"), "not the Redis protocol", False),
        (RecursionError(), "not the Redis protocol", False),
        (ConnectionResetError(104, "Connection reset by peer"), "the connection broke", False),
    ],
)
def test_sentences(error: Exception, words: str, denied: bool) -> None:
    sentence, refused = explain(error, "cache-1:6379")
    assert words in sentence
    assert sentence.startswith("cache-1:6379")
    assert refused is denied
    assert "\x1b" not in sentence
