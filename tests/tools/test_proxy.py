"""The fault proxy does what it says, in front of a server that echoes."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.tools.proxy import TO_CLIENT, TO_SERVER, Cut, FaultProxy, Garbage, Hang, ProxyThread, Refuse, Slow

SOON = 10.0
"""Generous limit for what must happen."""
NEVER = 0.2
"""For what must not happen: long enough for a loopback that answers within a millisecond."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with FaultProxy(*server.sockets[0].getsockname()) as proxy:
        yield proxy
    server.close()


async def dial(proxy: FaultProxy) -> Streams:
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def exchange(streams: Streams, data: bytes, expect: int | None = None) -> bytes:
    streams[1].write(data)
    return await asyncio.wait_for(streams[0].readexactly(len(data) if expect is None else expect), SOON)


async def silent(streams: Streams) -> bool:
    try:
        await asyncio.wait_for(streams[0].read(1), NEVER)
    except TimeoutError:
        return True
    return False


async def test_pass(proxy: FaultProxy) -> None:
    streams = await dial(proxy)
    assert await exchange(streams, b"hello" * 50_000) == b"hello" * 50_000
    assert (proxy.accepted, proxy.open) == (1, 1)
    streams[1].write_eof()
    assert await asyncio.wait_for(streams[0].read(), SOON) == b""


async def test_refuse_and_heal_on_the_same_port(proxy: FaultProxy) -> None:
    streams = await dial(proxy)
    await exchange(streams, b"x")
    port = proxy.port
    proxy.set(Refuse())
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(streams[0].read(1), SOON)
    with pytest.raises(ConnectionRefusedError):
        await dial(proxy)
    proxy.heal()
    assert proxy.port == port
    assert await exchange(await dial(proxy), b"back") == b"back"


async def test_hang_at_connect(proxy: FaultProxy) -> None:
    proxy.set(Hang())
    streams = await dial(proxy)
    streams[1].write(b"held")
    assert await silent(streams)
    proxy.heal()
    assert await asyncio.wait_for(streams[0].readexactly(4), SOON) == b"held"


async def test_hang_after_bytes_of_one_direction(proxy: FaultProxy) -> None:
    streams = await dial(proxy)
    await exchange(streams, b"before")
    proxy.set(Hang(after=3), TO_CLIENT)
    assert await exchange(streams, b"abcdef", 3) == b"abc"
    assert await silent(streams)
    proxy.heal()
    assert await asyncio.wait_for(streams[0].readexactly(3), SOON) == b"def"


@pytest.mark.parametrize("how", ["reset", "end"])
async def test_cut(proxy: FaultProxy, how: str) -> None:
    streams = await dial(proxy)
    proxy.set(Cut(after=4, how=how), TO_CLIENT)  # type: ignore[arg-type]
    assert await exchange(streams, b"abcdef", 4) == b"abcd"
    if how == "end":
        assert await asyncio.wait_for(streams[0].read(), SOON) == b""
    else:
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(streams[0].read(), SOON)
    fresh = await dial(proxy)
    assert await exchange(fresh, b"abcd") == b"abcd"  # it counts anew on each connection


async def test_cut_at_once(proxy: FaultProxy) -> None:
    streams = await dial(proxy)
    await exchange(streams, b"x")
    proxy.set(Cut(how="end"))
    assert await asyncio.wait_for(streams[0].read(), SOON) == b""
    late = await dial(proxy)
    assert await asyncio.wait_for(late[0].read(), SOON) == b""


async def test_slow(proxy: FaultProxy) -> None:
    streams = await dial(proxy)
    began = time.monotonic()
    await exchange(streams, b"x" * 1000)
    quick = time.monotonic() - began
    proxy.set(Slow(bytes_per_s=2000), TO_CLIENT)
    began = time.monotonic()
    await exchange(streams, b"x" * 1000)
    assert time.monotonic() - began > max(0.4, quick)
    proxy.set(Slow(delay_s=3600), TO_SERVER)
    streams[1].write(b"later")
    assert await silent(streams)
    proxy.heal()
    assert await asyncio.wait_for(streams[0].readexactly(5), SOON) == b"later"


async def test_garbage_in_place(proxy: FaultProxy) -> None:
    streams = await dial(proxy)
    proxy.set(Garbage(after=2, content=b"###"), TO_CLIENT)
    assert await exchange(streams, b"abcd", 4) == b"ab##"
    assert await exchange(streams, b"efgh", 4) == b"#fgh"


async def test_garbage_between(proxy: FaultProxy) -> None:
    streams = await dial(proxy)
    junk = Garbage(after=2, length=5, insert=True, seed=7)
    proxy.set(junk, TO_CLIENT)
    assert await exchange(streams, b"abcd", 9) == b"ab" + junk.make() + b"cd"


async def test_nothing_is_left(proxy: FaultProxy) -> None:
    proxy.set(Hang())
    for _ in range(5):
        await dial(proxy)
    await proxy.close()
    assert proxy.open == 0
    with pytest.raises(ConnectionRefusedError):
        await dial(proxy)


def test_in_a_thread() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, ProxyThread(*listener.getsockname()) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), SOON) as client:
            upstream, _ = listener.accept()
            with upstream:
                upstream.settimeout(SOON)
                client.sendall(b"ping")
                assert upstream.recv(4) == b"ping"
                proxy.set(Cut(how="end"))
                assert client.recv(1) == b""
        proxy.set(Refuse())
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port), SOON)
