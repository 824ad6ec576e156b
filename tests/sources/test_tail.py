"""A log on a mount that hangs: one thread waits for it, however often it is looked at."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from console.sources.base import SourceError
from console.sources.tail import FileTail

LIMIT_S = 20.0


async def test_a_mount_that_hangs_takes_one_thread_and_is_read_again_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "odoo.log"
    path.write_text("one\n")
    begun, back, calls = threading.Event(), threading.Event(), list[Path]()

    def hang(found: Path) -> Path:
        calls.append(found)
        begun.set()
        assert back.wait(LIMIT_S)
        return found

    monkeypatch.setattr("console.sources.tail.newest", hang)
    tail = FileTail(str(path))
    first = asyncio.create_task(tail.fresh())
    assert await asyncio.to_thread(begun.wait, LIMIT_S)
    first.cancel()  # the look was given up
    with pytest.raises(asyncio.CancelledError):
        await first
    for _ in range(5):
        with pytest.raises(SourceError, match="still hangs"):
            await asyncio.wait_for(tail.fresh(), LIMIT_S)
    assert len(calls) == 1
    back.set()
    path.write_text("one\ntwo\n")
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                _, raw = await tail.fresh()
            except SourceError:
                await asyncio.sleep(0.01)
                continue
            break
    assert raw.endswith(b"two\n") or raw == b""
    path.write_text("one\ntwo\nthree\n")
    assert (await tail.fresh())[1] == b"three\n"


async def test_a_failure_is_no_hang(tmp_path: Path) -> None:
    tail = FileTail(str(tmp_path / "not-there"))
    for _ in range(3):
        with pytest.raises(SourceError, match="No such file"):
            await tail.fresh()
