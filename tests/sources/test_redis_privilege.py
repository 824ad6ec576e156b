"""The least privilege is enough, less gives a partial reading, and the doctor names what is missing."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from console.readings import RedisServer
from console.sources.base import SourceError
from console.sources.redis_keys import RedisKeysSource
from console.sources.redis_privilege import sentinel_line, server_line
from console.sources.redis_server import RedisServerSource
from console.sources.sentinel import SentinelSource
from tests.rigs_valkey import PASSWORD, Make, Server, environment, sentinel_server, sources, until

pytestmark = pytest.mark.server

USER = "banksman"


def allow(server: Server, line: str) -> None:
    """Run the very line that the doctor prints."""
    server.client().execute_command(*line.replace(">PASSWORD", f">{PASSWORD}").split())


def denied(server: Server) -> int:
    """Commands that the server has refused since its start."""
    return int(server.client().info("stats")["acl_access_denied_cmd"])


Pair = tuple[RedisServerSource, RedisKeysSource]


class Watch:
    def __init__(self, secret: Path) -> None:
        self.secret = secret
        self.made: list[Pair] = []

    def __call__(self, *servers: Server) -> Pair:
        found = sources(environment(list(servers), self.secret, username=USER, queues=["jobs"]))
        self.made.append((found[0][servers[0].name], found[1]))
        return self.made[-1]


@pytest_asyncio.fixture
async def watch(secret: Path) -> AsyncIterator[Watch]:
    watch = Watch(secret)
    yield watch
    for pair in watch.made:
        for source in pair:
            await source.close()


async def test_the_documented_line_is_enough(make_valkey: Make, watch: Watch) -> None:
    primary = make_valkey("up")
    replica = make_valkey("down", primary=primary)
    until(lambda: replica.client().info("replication")["master_link_status"] == "up")
    client = primary.client()
    for number, (command, *rest) in enumerate(
        [("SET", "x"), ("RPUSH", "x"), ("SADD", "x"), ("ZADD", 1, "x"), ("HSET", "f", "x"), ("XADD", "*", "f", "x")]
    ):
        client.execute_command(command, f"key:{number}", *rest)
    client.rpush("jobs", 1)
    client.set("elsewhere", "x")
    until(lambda: replica.client().dbsize() == primary.client().dbsize())
    for server in (primary, replica):
        allow(server, server_line((7, 2)))
    for first in (primary, replica):
        server, keys = watch(first, replica if first is primary else primary)
        for _ in range(2):
            reading = await server.read()
            assert reading.status == "ok", reading.problem
            found = await keys.read()
            assert found.status == "ok", found.problem
        assert {row.type for row in found.big.values()} == {"string", "list", "set", "zset", "hash", "stream"}
        assert found.queues["jobs"].depth == 1
        # What only CONFIG GET tells is not known, and is not claimed.
        assert reading.persistence == ""
        for source in (server, keys):
            checks = await source.examine()
            assert [check for check in checks if check.answer == "fail"] == []
            assert all(not check.mend for check in checks)
    # Nothing but CONFIG GET was refused: asked once on a connection by the watcher, once by the doctor.
    names = {row["object"] for row in primary.client().acl_log() + replica.client().acl_log()}
    assert {str(name) for name in names} <= {"config|get"}


async def test_the_line_grants_no_more(make_valkey: Make) -> None:
    server = make_valkey()
    allow(server, server_line((7, 2)))
    client = server.client(username=USER)
    assert client.ping()
    for command in (
        ["GET", "x"],
        ["SET", "x", "y"],
        ["DEL", "x"],
        ["KEYS", "*"],
        ["CONFIG", "GET", "masterauth"],
        ["CONFIG", "SET", "maxmemory", "1"],
        ["CLIENT", "KILL", "ID", "1"],
        ["FLUSHALL"],
        ["MONITOR"],
        ["SHUTDOWN"],
        ["REPLICAOF", "NO", "ONE"],
        ["SLOWLOG", "RESET"],
        ["EVAL", "return 1", "0"],
        ["PUBLISH", "x", "y"],
        ["ACL", "LIST"],
    ):
        with pytest.raises(Exception, match="no permissions"):
            client.execute_command(*command)


async def test_less_gives_a_partial_reading(make_valkey: Make, watch: Watch) -> None:
    server = make_valkey()
    server.client().rpush("jobs", 1)
    allow(server, server_line((7, 2)))
    server.client().execute_command("ACL", "SETUSER", USER, "-client|list", "-slowlog|get", "-memory|usage", "-ping")
    source, keys = watch(server)
    reading = await source.read()
    assert reading.status == "partial"
    assert reading.problem == "CLIENT LIST: not permitted; SLOWLOG GET: not permitted; PING: not permitted"
    assert reading.role == "primary"
    assert reading.used_memory > 0
    assert reading.apps == {}
    assert reading.rtt_p50_ms is None
    found = await keys.read()
    assert (found.status, found.problem) == ("partial", "cache-1: MEMORY USAGE: not permitted")
    assert found.queues == {}
    checks = {check.what: check for source in watch.made[0] for check in await source.examine()}
    for name in ("CLIENT LIST", "SLOWLOG GET", "MEMORY USAGE"):
        assert checks[name].answer == "fail"
        assert checks[name].mend == server_line((7, 2))
    # The line that it printed mends it; a new connection asks again.
    allow(server, checks["CLIENT LIST"].mend)
    for one in watch.made[0]:
        one.abandon()
    assert (await source.read()).status == "ok"
    assert (await keys.read()).status == "ok"


async def test_what_was_refused_is_left_alone(make_valkey: Make, watch: Watch) -> None:
    server = make_valkey()
    allow(server, server_line((7, 2)))
    server.client().execute_command("ACL", "SETUSER", USER, "-client|list", "-slowlog|get")
    source, keys = watch(server)
    await source.read()
    await keys.read()
    before = denied(server)
    for _ in range(20):
        assert (await source.read()).status == "partial"
        await keys.read()
    assert denied(server) == before


async def test_without_info_there_is_no_reading(make_valkey: Make, watch: Watch) -> None:
    server = make_valkey()
    allow(server, server_line((7, 2)))
    server.client().execute_command("ACL", "SETUSER", USER, "-info")
    source, keys = watch(server)
    for one in (source, keys):
        with pytest.raises(SourceError, match="INFO: not permitted") as caught:
            await one.read()
        assert caught.value.denied
    checks = {check.what: check for check in await source.examine()}
    assert checks["INFO"].answer == "fail"
    assert "+info" in checks["INFO"].mend


async def test_keys_of_others_only(make_valkey: Make, watch: Watch) -> None:
    """A user that may see no key gets no sizes, and says so."""
    server = make_valkey()
    server.client().set("key", "x")
    allow(server, server_line((7, 2)).replace("%R~*", "%R~app:*"))
    _, keys = watch(server)
    found = await keys.read()
    assert found.status == "partial"
    assert "MEMORY USAGE" in found.problem


async def test_sentinel(make_valkey: Make, tmp_path: Path, secret: Path) -> None:
    server = make_valkey()
    sentinel = sentinel_server(tmp_path, server).start()
    try:
        allow(sentinel, sentinel_line())
        of = environment([server], secret, sentinels=[sentinel])
        plain = sources(of)[2]["sentinel-1"]
        assert (await plain.read()).status == "ok"
        await plain.close()
        source = _as_user(plain, secret)
        reading = await source.read()
        assert (reading.status, reading.quorum_ok) == ("ok", True)
        assert [check for check in await source.examine() if check.answer != "pass"] == []
        sentinel.client().execute_command("ACL", "SETUSER", USER, "-sentinel|ckquorum", "-sentinel|replicas")
        reading = await source.read()
        assert reading.status == "partial"
        assert reading.problem == "SENTINEL REPLICAS: not permitted; SENTINEL CKQUORUM: not permitted"
        assert reading.quorum_ok is None
        failed = [check for check in await source.examine() if check.answer == "fail"]
        assert {check.what for check in failed} == {"SENTINEL REPLICAS", "SENTINEL CKQUORUM"}
        assert {check.mend for check in failed} == {sentinel_line()}
        await source.close()
    finally:
        sentinel.end()


def _as_user(source: SentinelSource, secret: Path) -> SentinelSource:
    source._link._username = USER
    source._link._password = f"file:{secret}"
    return source


async def test_tls(make_valkey: Make, tmp_path: Path, secret: Path) -> None:
    """The server of the test has no TLS: something that has stands in front of it."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("no openssl to make a certificate with")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    await asyncio.to_thread(
        subprocess.run,
        [
            openssl,
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
        ],
        check=True,
        capture_output=True,
    )
    server = make_valkey()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        above = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(pump(reader, above[1]), pump(above[0], writer), return_exceptions=True)

    front = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = front.sockets[0].getsockname()[1]
    trusting = sources(environment([server], secret, port=port, tls=True, ca_file=str(certificate)))[0]["cache-1"]
    reading = await trusting.read()
    assert isinstance(reading, RedisServer)
    assert reading.status == "ok"
    wary = sources(environment([server], secret, port=port, tls=True))[0]["cache-1"]
    with pytest.raises(SourceError, match=r"TLS failed.*self-signed certificate"):
        await wary.read()
    for source in (trusting, wary):
        await source.close()
    front.close()
