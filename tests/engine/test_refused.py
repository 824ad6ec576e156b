"""Engines that take the connection and not the console: the feed says why, and does not hammer them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console import place, wire
from console.board import Board
from console.engine import server as engine_server
from console.engine.server import Server
from console.feed import EngineFeed
from console.feed import engine as engine_feed

LIMIT_S = 20.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another task
            await asyncio.sleep(0.01)


def hello(protocol: int = wire.PROTOCOL) -> wire.Hello:
    return wire.Hello(protocol, "0.0.1", "testbed", "", 4711, shared=True)


@asynccontextmanager
async def engine(folder: Path, monkeypatch: pytest.MonkeyPatch, says: bytes) -> AsyncIterator[list[float]]:
    """Something at a shared engine's socket that says this and ends every connection; when they came."""
    came: list[float] = []

    async def meet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(time.monotonic())
        writer.write(says)
        writer.close()

    where = place.Place("testbed", folder / "s.sock", folder / "s.lock", folder / "state", shared=True)
    monkeypatch.setattr(place, "shared", lambda _name: where)
    listening = await asyncio.start_unix_server(meet, where.socket)
    try:
        yield came
    finally:
        listening.close()


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[EngineFeed]:
    feed = EngineFeed(folder / "environment.yaml", shared="testbed")
    await feed.open()
    try:
        yield feed
    finally:
        await feed.close()


@pytest.mark.parametrize(
    "says", [b"", wire.pack(hello()), b"\x00\x00\x00\x01\xc1"], ids=["nothing", "hello", "nonsense"]
)
async def test_a_connection_that_ends_before_it_was_taken_is_not_tried_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    async with engine(tmp_path, monkeypatch, says) as came, watching(tmp_path):
        await until(lambda: len(came) == 3)
        assert came[2] - came[0] > 1.8 * engine_feed.REFUSED_S


async def test_another_protocol_is_told_and_tried_again_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_feed, "REFUSED_S", 0.02)
    async with engine(tmp_path, monkeypatch, wire.pack(hello(99))) as came, watching(tmp_path) as feed:
        await until(lambda: feed.state == "failed")
        assert "speaks protocol 99" in feed.problem
        await asyncio.sleep(0.3)  # as many as fifteen tries
        assert len(came) == 1
        assert feed.state == "failed"
        feed.retry()
        await until(lambda: len(came) == 2 and feed.state == "failed")
        assert "speaks protocol 99" in feed.problem


async def test_a_full_engine_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_server, "MAX_CLIENTS", 0)
    where = place.Place("testbed", tmp_path / "s.sock", tmp_path / "s.lock", tmp_path / "state", shared=True)
    monkeypatch.setattr(place, "shared", lambda _name: where)
    server = Server(Board(), hello(), lambda _client, _request: "", lambda: None)
    await server.open(where)
    try:
        async with watching(tmp_path) as feed:
            await until(lambda: "0 clients are connected" in feed.problem)
            assert feed.state == "starting"
    finally:
        await server.close(where)
