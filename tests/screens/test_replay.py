"""Time travel: the same screens, an earlier moment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from console.board import Board
from console.engine.recorder import Recorder
from console.feed import RecordingFeed
from console.recording import Recording
from screens.prompt import parse_moment
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.conftest import Console, Opened, console_on

BREAKS_AT = 30


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Half a minute of health, then half a minute without the primary."""
    recorder, board = Recorder(tmp_path, "prod-eu", record_text=True), Board()
    for second in range(60):
        moment = NOW + timedelta(seconds=second)
        changes = []
        for reading in SCENARIOS["healthy" if second < BREAKS_AT else "hang-primary"](moment):
            before = board.at(reading.where)
            if board.put(reading) is not None:
                changes.append((before, reading))
        recorder.take(moment.timestamp(), changes, board)
    recorder.close()
    return tmp_path


async def test_travel_there_and_back(opened: Opened, tape: Path) -> None:
    async with opened("healthy", open_recording=lambda: RecordingFeed(Recording.open(tape))) as (app, pilot):
        await pilot.press("t")
        await pilot.pause()
        assert "RECORDED" in app.whole and "CRITICAL" in app.text()[0], "it begins at the newest moment"
        assert "02:48:11Z" in app.text()[0]
        for _ in range(4):
            await pilot.press("{")
        await pilot.pause()
        assert "Nothing is wrong" in app.whole and "02:47:31Z" in app.text()[0]
        await pilot.press("]", "]")
        await pilot.pause()
        assert "02:47:33Z" in app.text()[0]
        app.fake.lose("the engine ended")
        await pilot.pause()
        assert "Nothing is wrong" in app.whole, "what happens now does not disturb the past"
        await pilot.press("3")
        assert "RECORDED" in app.whole, "every screen shows it"
        await pilot.press("t")
        await pilot.pause()
        assert "RECORDED" not in app.whole and "UNKNOWN" in app.text()[0]


async def test_jump(opened: Opened, tape: Path) -> None:
    async with opened("healthy", open_recording=lambda: RecordingFeed(Recording.open(tape))) as (app, pilot):
        await pilot.press("t")
        await pilot.pause()
        await pilot.press("J", *"start", "enter")
        await pilot.pause()
        assert "02:47:12Z" in app.text()[0] and "Nothing is wrong" in app.whole
        await pilot.press("J", *"+35s", "enter")
        await pilot.pause()
        assert "02:47:47Z" in app.text()[0] and "CRITICAL" in app.text()[0]
        await pilot.press("J", *"nonsense", "enter")
        await pilot.pause()
        assert "a moment is written" in app.whole


async def test_play_and_pause(tape: Path) -> None:
    feed = RecordingFeed(Recording.open(tape))
    app = Console(feed, who="ana@bastion", theme="banksman-dark")
    async with app.run_test(size=(120, 35)) as pilot:
        await pilot.pause()
        assert "RECORDED" in app.whole and "❚❚" in app.whole
        feed.speed = 400.0
        await pilot.press("p")
        while feed.playing:
            await pilot.pause(0.05)
        app.tick()
        await pilot.pause()
        assert "CRITICAL" in app.text()[0], "played to its end"
        await pilot.press("minus")
        assert feed.speed == 200.0


async def test_without_a_recording_t_says_so(opened: Opened) -> None:
    async with opened("healthy", open_recording=lambda: None) as (app, pilot):
        await pilot.press("t")
        await pilot.pause()
        assert "no recording" in app.whole


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("start", 0), ("end", 3600), ("02:57:12", 600), ("02:57", 588), ("2026-11-22 03:00", 768), ("-5m", 1500),
        ("+30s", 1830), ("1h", None), ("x", None), ("", None), ("25:00", None), ("+s", None),
    ],
)  # fmt: skip
def test_moments_as_people_write_them(text: str, seconds: int | None) -> None:
    moment = parse_moment(text, NOW, NOW + timedelta(hours=1), NOW + timedelta(minutes=30))
    assert moment == (None if seconds is None else NOW + timedelta(seconds=seconds))


async def test_held_and_recorded_are_marked_apart(opened: Opened) -> None:
    app = console_on("healthy")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("p")
        await pilot.pause()
        assert "HELD" in app.text()[0] and "RECORDED" not in app.whole
