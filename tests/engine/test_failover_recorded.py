"""A real failover, watched by a console and recorded meanwhile: the recording shows what the console showed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from console.board import Board
from console.feed import EngineFeed, RecordingFeed
from console.lab.faults.operate import break_, heal
from console.readings import NOT_RECORDED, Activity, EngineSelf, PostgresMember
from console.recording import Recording
from tests.engine.test_recorder import hidden
from tests.rigs_lab import database_laboratory, database_laboratory_of_this_run

__all__ = ["database_laboratory", "database_laboratory_of_this_run"]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
READY_S = 60.0
FAILOVER_S = 120.0


class Watching:
    """A console that keeps every board it had."""

    def __init__(self, environment: Path) -> None:
        self.feed = EngineFeed(environment, kind="console")
        self.boards: dict[float, Board] = {}
        self.feed.listen(lambda _change: self.boards.__setitem__(self.feed.at, self.feed.board.copy()))

    async def until(self, condition: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - what is waited for happens in real servers
                await asyncio.sleep(0.05)

    def primaries(self) -> list[str]:
        return [member.key for member in self.feed.board.every(PostgresMember) if member.in_recovery is False]


@pytest.fixture
def environment_of(
    database_laboratory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bool], Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def write(record_text: bool) -> Path:
        content = yaml.safe_load((database_laboratory / "environment.yaml").read_text())
        path = tmp_path / f"text-{record_text}.yaml"
        path.write_text(yaml.safe_dump(content | {"record_text": record_text}))
        return path

    return write


async def test_a_failover_replays_frame_for_frame(
    database_laboratory: Path, environment_of: Callable[[bool], Path]
) -> None:
    """Once with text and once without, by two engines that watch the same failover."""
    watched = {record_text: Watching(environment_of(record_text)) for record_text in (True, False)}
    try:
        for one in watched.values():
            await one.feed.open()
        for one in watched.values():
            assert await one.feed.wait_ready(READY_S)
        before = watched[True].primaries()
        await asyncio.to_thread(break_, database_laboratory, "kill-primary", with_patroni=True)
        for one in watched.values():
            await one.until(lambda one=one: one.primaries() not in ([], before), FAILOVER_S)  # type: ignore[misc]
        await asyncio.to_thread(heal, database_laboratory, "kill-primary")
        for one in watched.values():
            await one.feed.request("stop")
            await one.until(lambda one=one: one.feed.state != "live", READY_S)  # type: ignore[misc]
    finally:
        for one in watched.values():
            await one.feed.close()
    for record_text, one in watched.items():
        await one.until(lambda one=one: not list(one.feed.place.recordings.glob("*-live*")), READY_S)  # type: ignore[misc]
        _compare(Recording.open(one.feed.place.recordings), one.boards, record_text)


def _compare(recording: Recording, boards: dict[float, Board], record_text: bool) -> None:
    expected = {at: board if record_text else hidden(board) for at, board in boards.items() if len(board)}
    assert len(expected) > 20
    feed = RecordingFeed(recording)
    compared = 0
    while True:
        if (board := expected.get(feed.now.timestamp())) is not None:
            assert feed.board == board, "replayed step by step"
            compared += 1
        now = feed.now
        feed.step()
        if feed.now == now:
            break
    assert compared >= len(expected) * 0.9
    for at, board in expected.items():
        assert recording.board_at(at) == board, "jumped to"
    sessions = [
        session for board in expected.values() for one in board.every(Activity) for session in one.sessions.values()
    ]
    queries = {session.query for session in sessions if session.query}
    assert (queries == {NOT_RECORDED}) is (not record_text)
    _jump_everywhere(feed)


def _jump_everywhere(feed: RecordingFeed) -> None:
    moment = feed.start
    while moment <= feed.end:
        took = min(_timed(lambda at=moment: feed.seek(at)) for _ in range(3))  # type: ignore[misc]
        assert took < 0.2
        moment += timedelta(seconds=1)


def _timed(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


@pytest.mark.matrix
async def test_the_laboratory_costs_less_than_2_mb_an_hour_and_a_tenth_of_a_core(
    environment_of: Callable[[bool], Path],
) -> None:
    watched = Watching(environment_of(False))
    await watched.feed.open()
    costs: list[EngineSelf] = []
    try:
        assert await watched.feed.wait_ready(READY_S)
        until = datetime.now(UTC) + timedelta(seconds=330)
        while datetime.now(UTC) < until:
            await asyncio.sleep(10)
            cost = watched.feed.board.get(EngineSelf)
            assert cost is not None
            costs.append(cost)
        await watched.feed.request("stop")
        await watched.until(lambda: watched.feed.state != "live", READY_S)
    finally:
        await watched.feed.close()
    folder = watched.feed.place.recordings
    await watched.until(lambda: not list(folder.glob("*-live*")), READY_S)
    recording = Recording.open(folder)
    seconds = (recording.end - recording.start).total_seconds()
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert size / seconds * 3600 < 2_000_000
    assert sorted(cost.cpu_percent for cost in costs)[len(costs) // 2] < 10
