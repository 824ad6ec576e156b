"""Recording and replay: what was seen is seen again, frame for frame, and a broken disk or file costs what it must."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.board import Board
from console.engine.disk import Disk
from console.engine.recorder import Recorder
from console.feed import RecordingFeed
from console.readings import NOT_RECORDED, Activity, PostgresMember, Reading, hide_text
from console.recording import CHUNK_S, SUFFIX, Header, Recording, RecordingError, copy_span
from console.recording.blocks import FORMAT, pack_block, pack_preamble
from tests.engine.fakes import activity, member
from tests.strategies import histories

BEGAN = datetime(2026, 11, 22, 2, 55, tzinfo=UTC).timestamp()
LIMIT_S = 20.0


class Taping:
    """A recorder with a board of its own; remembers the board at every beat."""

    def __init__(self, folder: Path, *, record_text: bool = True, disk: Disk | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.recorder = Recorder(folder, "test", record_text=record_text, disk=disk)
        self.board = Board()
        self.at = BEGAN
        self.moments: list[tuple[float, Board]] = []

    def beat(self, *readings: Reading, after_s: float = 0.5) -> None:
        self.at += after_s
        changes: list[tuple[Reading | None, Reading | None]] = []
        for reading in readings:
            old = self.board.at(reading.where)
            if self.board.put(reading) is not None:
                changes.append((old, reading))
        if changes:
            self.recorder.take(self.at, changes, self.board)
            self.moments.append((self.at, self.board.copy()))

    def remove(self, reading: Reading) -> None:
        self.at += 0.5
        self.board.remove(reading.where)
        self.recorder.take(self.at, [(reading, None)], self.board)
        self.moments.append((self.at, self.board.copy()))

    def stop(self) -> Recording:
        self.recorder.close()
        return Recording.open(self.folder)


def hidden(board: Board) -> Board:
    made = Board()
    for reading in board:
        made.put(hide_text(reading))
    return made


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def a_platform(taping: Taping, beats: int, after_s: float = 0.5, query: str = "update salaries") -> None:
    for number in range(beats):
        key = f"main/pg-{number % 3 + 1}"
        taping.beat(member(number, key), activity(number, 12, key, query), after_s=after_s)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(most=10), st.booleans(), st.sampled_from([0.25, 1.0, 120.0, 400.0]))
def test_whatever_was_seen_is_replayed(
    tmp_path_factory: pytest.TempPathFactory, history: list[Reading], record_text: bool, after_s: float
) -> None:
    taping = Taping(tmp_path_factory.mktemp("tape"), record_text=record_text)
    for number, reading in enumerate(history):
        if number % 4 == 3 and taping.board.at(reading.where) is not None:
            taping.remove(reading)
        taping.beat(reading, after_s=after_s)
    if not taping.moments:
        return
    recording = taping.stop()
    for at, board in taping.moments:
        assert recording.board_at(at) == (board if record_text else hidden(board))


async def test_replay_goes_through_the_same_boards_beat_for_beat(tmp_path: Path) -> None:
    taping = Taping(tmp_path)
    a_platform(taping, 40)
    taping.remove(taping.moments[-1][1].every(Activity)[0])
    a_platform(taping, 3, after_s=CHUNK_S)  # across chunks, and into the next hour
    a_platform(taping, 10)
    feed = RecordingFeed(taping.stop())
    assert feed.now.timestamp() == taping.moments[0][0]
    for at, board in taping.moments[1:]:
        assert feed.board != board
        feed.step()
        assert feed.now.timestamp() == pytest.approx(at)
        assert feed.board == board
    assert len(list(tmp_path.iterdir())) == 2, "one file an hour, and every chunk packed"


async def test_without_permission_text_is_not_recorded_and_everything_else_is(tmp_path: Path) -> None:
    taping = Taping(tmp_path, record_text=False)
    a_platform(taping, 30, query="update salaries set amount = 7100")
    recording = taping.stop()
    for at, board in taping.moments:
        assert recording.board_at(at) == hidden(board)
    found = recording.board_at(taping.at).every(Activity)[0]
    assert {session.query for session in found.sessions.values()} == {NOT_RECORDED}
    assert recording.header.record_text is False


def test_text_never_reaches_the_disk(tmp_path: Path) -> None:
    """Not only not shown: not there, in any block of any file, packed or not."""
    from console.recording.reader import messages_of

    taping = Taping(tmp_path, record_text=False)
    a_platform(taping, 30, query="update salaries")
    taping.recorder.tick(taping.at + 1, taping.board)
    until(lambda: bool(list(tmp_path.glob("*-live*"))))
    for _ in range(2):
        for path in tmp_path.iterdir():
            assert b"salaries" not in path.read_bytes()
        taping.recorder.close()
    for chunk in Recording.open(tmp_path).chunks():
        assert b"main/pg-1" in messages_of(chunk)
        assert b"salaries" not in messages_of(chunk)


def test_a_killed_engine_loses_at_most_two_seconds(tmp_path: Path) -> None:
    taping = Taping(tmp_path)
    a_platform(taping, 30, after_s=0.25)
    # Killed here: nothing is closed, nothing flushed. What was handed to the thread is written.
    until(lambda: not taping.recorder._disk._waiting)
    recording = Recording.open(tmp_path)
    assert taping.at - recording.end.timestamp() <= 2.0
    at, board = max(moment for moment in taping.moments if moment[0] <= recording.end.timestamp())
    assert recording.board_at(at) == board
    taping.recorder.close()


@pytest.mark.parametrize("left", range(0, 100, 7))
def test_a_truncated_file_is_read_to_its_last_whole_block(tmp_path: Path, left: int) -> None:
    taping = Taping(tmp_path)
    a_platform(taping, 30)
    until(lambda: not taping.recorder._disk._waiting)
    [path] = tmp_path.glob("*-live*")
    whole = path.read_bytes()
    cut = tmp_path / f"cut{SUFFIX}"
    cut.write_bytes(whole[: len(whole) * left // 100])
    taping.recorder.close()
    try:
        recording = Recording.open(cut)
    except RecordingError as error:
        assert str(error)
        return
    at, board = max(moment for moment in taping.moments if moment[0] <= recording.end.timestamp())
    assert recording.board_at(at) == board


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[tuple[float, Board]]]:
    folder = tmp_path_factory.mktemp("tape")
    taping = Taping(folder)
    a_platform(taping, 12, after_s=100.0)
    taping.stop()
    return max((path.read_bytes() for path in folder.iterdir()), key=len), taping.moments


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_never_shows_what_was_not_there(
    tmp_path_factory: pytest.TempPathFactory, undamaged: tuple[bytes, list[tuple[float, Board]]], data: st.DataObject
) -> None:
    content, moments = undamaged
    whole = bytearray(content)
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    damaged = tmp_path_factory.mktemp("tape") / f"damaged{SUFFIX}"
    damaged.write_bytes(whole)
    boards = [board for _at, board in moments]
    try:
        recording = Recording.open(damaged)
    except RecordingError:
        return
    for at, _board in moments:
        shown = recording.board_at(at)
        assert len(shown) == 0 or shown in boards


def test_any_moment_is_reached_within_200_ms(tmp_path: Path) -> None:
    taping = Taping(tmp_path)
    for number in range(int(CHUNK_S * 2.2)):  # twelve readings a second, as in the laboratory
        taping.at += 0.4
        for server in range(4):
            key = f"main/pg-{server}"
            taping.beat(member(number, key), activity(number, 30, key), after_s=0.15)
    recording = taping.stop()
    slowest = 0.0
    for at, board in taping.moments[:: len(taping.moments) // 25]:
        fastest = min(_timed(lambda at=at: recording.board_at(at)) for _ in range(3))  # type: ignore[misc]
        slowest = max(slowest, fastest)
        assert recording.board_at(at) == board
    assert slowest < 0.2


def _timed(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


class Failing:
    """``os.write`` of a disk that is full, or that hangs, until it is mended."""

    def __init__(self) -> None:
        self.error = 0
        self.hang = False

    def __call__(self, descriptor: int, data: memoryview) -> int:
        while self.hang:
            time.sleep(0.01)
        if self.error:
            os.write(descriptor, data[: len(data) // 2])
            raise OSError(self.error, os.strerror(self.error))
        return os.write(descriptor, data)


def test_a_full_disk_is_a_gap_that_the_recording_tells_of(tmp_path: Path) -> None:
    write = Failing()
    taping = Taping(tmp_path, disk=Disk(tmp_path, write=write))
    a_platform(taping, 20)
    until(lambda: not taping.recorder._disk._waiting)
    before = taping.at
    write.error = errno.ENOSPC
    a_platform(taping, 10)
    until(lambda: bool(taping.recorder._disk.problem))
    a_platform(taping, 4)
    assert "No space left" in taping.recorder.problem
    until(lambda: not taping.recorder._disk._waiting)
    write.error = 0
    taping.at += 120
    mended = taping.at
    a_platform(taping, 20, after_s=5.0)
    recording = taping.stop()
    *_, gap = [gap for gap in recording.gaps if "No space left" in gap.why]
    assert before - 2.0 < gap.since.timestamp() <= before
    assert mended < gap.until.timestamp() <= mended + 65
    for at, board in taping.moments:
        if at >= gap.until.timestamp() or at < before - 2.0:
            assert recording.board_at(at) == board
    assert taping.recorder.problem == "" or "No space" in taping.recorder.problem
    taping.recorder.tick(taping.at, taping.board)
    assert taping.recorder.problem == ""


def test_a_disk_that_hangs_costs_neither_time_nor_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.engine.disk.MOST_WAITING", 20_000)
    write = Failing()
    write.hang = True
    taping = Taping(tmp_path, disk=Disk(tmp_path, write=write))
    for number in range(400):
        taping.beat(activity(number, 40, query=os.urandom(20).hex()), after_s=1.0)
    assert "does not follow" in taping.recorder.problem
    assert taping.recorder._disk._waiting < 60_000
    write.hang = False
    until(lambda: not taping.recorder._disk._waiting)
    taping.at += 120
    a_platform(taping, 4)
    recording = taping.stop()
    assert any("does not follow" in gap.why for gap in recording.gaps)
    assert recording.board_at(taping.at) == taping.board


def test_old_recordings_go_by_age_and_by_size(tmp_path: Path) -> None:
    old, big, young = (tmp_path / f"{name}{SUFFIX}" for name in ("old", "big", "young"))
    for path, size, age_s in ((old, 10, 8 * 86_400), (big, 5_000, 7_200), (young, 10, 60)):
        path.write_bytes(b"x" * size)
        os.utime(path, (time.time() - age_s,) * 2)
    other = tmp_path / "notes.txt"
    other.write_text("not ours")
    taping = Taping(tmp_path, disk=Disk(tmp_path, keep_bytes=4_000))
    a_platform(taping, 2)
    taping.recorder.close()
    assert not old.exists()
    assert not big.exists()
    assert young.exists()
    assert other.exists()


def test_a_span_is_copied_into_one_file(tmp_path: Path) -> None:
    taping = Taping(tmp_path / "tape")
    a_platform(taping, 60, after_s=20.0)
    recording = taping.stop()
    since, until_ = taping.moments[7][0] + 3, taping.moments[50][0] + 3
    target = tmp_path / f"incident{SUFFIX}"
    size = copy_span(recording, target, datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until_, UTC))
    assert target.stat().st_size == size
    copied = Recording.open(target)
    assert copied.start.timestamp() == pytest.approx(since)
    assert copied.end.timestamp() <= until_
    for at, board in taping.moments[8:51]:
        assert copied.board_at(at) == board
    assert copied.board_at(since) == taping.moments[7][1]
    assert target.stat().st_mode & 0o777 == 0o600
    taken = tmp_path / "taken.banksman"
    taken.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        copy_span(recording, taken, datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until_, UTC))
    assert not (tmp_path / "elsewhere").exists()
    assert taken.is_symlink()
    assert not list(tmp_path.glob(".*.partial"))
    with pytest.raises(RecordingError):
        copy_span(recording, tmp_path / "none", recording.end + timedelta(hours=1), recording.end + timedelta(hours=2))
    assert not (tmp_path / "none").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_recording_is_read_while_it_grows(tmp_path: Path) -> None:
    taping = Taping(tmp_path)
    a_platform(taping, 10)
    until(lambda: not taping.recorder._disk._waiting)
    feed = RecordingFeed(Recording.open(tmp_path))
    ended = feed.end
    a_platform(taping, 3, after_s=CHUNK_S / 2)
    a_platform(taping, 10)
    until(lambda: not taping.recorder._disk._waiting)
    assert feed.recording.refresh()
    assert feed.end > ended
    feed.seek(feed.end)
    assert feed.board == max(moment for moment in taping.moments if moment[0] <= feed.end.timestamp())[1]
    taping.recorder.close()
    feed.recording.refresh()
    feed.seek(feed.end)
    assert feed.board == taping.board


async def test_playing_pausing_stepping_back(tmp_path: Path) -> None:
    taping = Taping(tmp_path)
    a_platform(taping, 100, after_s=0.5)
    feed = RecordingFeed(taping.stop())
    told: list[int] = []
    feed.listen(lambda change: told.append(len(change.addresses)))
    feed.speed = 1000.0
    feed.play()
    async with asyncio.timeout(LIMIT_S):
        while feed.playing:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert feed.board == taping.board
    assert sum(told) > 0
    feed.step(-1)
    assert feed.board == taping.moments[-2][1]
    feed.step(-3)
    assert feed.board == taping.moments[-5][1]
    feed.step(2)
    assert feed.board == taping.moments[-3][1]
    feed.seek(datetime.fromtimestamp(BEGAN - 1000, UTC))
    assert feed.now == feed.start
    feed.speed = 1.0
    feed.play()
    feed.pause()
    assert not feed.playing
    await feed.close()


async def test_playing_jumps_over_a_night_without_an_engine(tmp_path: Path) -> None:
    taping = Taping(tmp_path)
    a_platform(taping, 10)
    taping.recorder.close()
    later = Taping(tmp_path)
    later.at = taping.at + 8 * 3600
    a_platform(later, 10)
    feed = RecordingFeed(later.stop())
    [gap] = feed.gaps
    assert gap.why == "no engine was running"
    feed.seek(gap.since - timedelta(seconds=1))
    feed.speed = 20.0
    feed.play()
    async with asyncio.timeout(LIMIT_S):
        while feed.now < gap.until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await feed.close()


@pytest.fixture
def later_format(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / f"later{SUFFIX}"
    path.write_bytes(pack_preamble(Header()).replace(b"BANKSMAN\x00\x01", b"BANKSMAN\x00\x63"))
    yield path


def test_what_is_no_recording_is_refused_with_a_sentence(tmp_path: Path, later_format: Path) -> None:
    with pytest.raises(RecordingError, match="format 99"):
        Recording.open(later_format)
    for content in (
        b"",
        b"BANK",
        b"x" * 1000,
        pack_preamble(Header()),
        pack_preamble(Header()) + pack_block(9, 1.0, 1.0, b""),
    ):
        path = tmp_path / f"odd{SUFFIX}"
        path.write_bytes(content)
        with pytest.raises(RecordingError):
            Recording.open(path)
    with pytest.raises(RecordingError):
        Recording.open(tmp_path / "nothing")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RecordingError, match="nothing is recorded"):
        Recording.open(empty)


TINY = Path(__file__).parent / f"recording-format-1{SUFFIX}"


def test_a_recording_of_every_released_format_replays() -> None:
    recording = Recording.open(TINY)
    assert FORMAT == 1
    assert recording.header.environment == "lab"
    feed = RecordingFeed(recording)
    primaries: list[list[str]] = []
    titles: set[str] = set()
    while feed.now < feed.end:
        feed.step()
        found = [one.member for one in feed.board.every(PostgresMember) if one.in_recovery is False]
        if primaries[-1:] != [found]:
            primaries.append(found)
        titles |= {finding.title for finding in feed.board.findings}
    assert primaries == [["pg-3"], [], ["pg-1"]], "a failover"
    assert "Primary pg-3 of main cannot be reached" in titles
    assert {reading.topic for reading in feed.board} > {"postgres", "patroni", "redis", "sentinel", "trend", "findings"}
    assert feed.board == recording.board_at(feed.end.timestamp())


def test_unknown_topics_and_fields_of_a_later_version_are_skipped(tmp_path: Path) -> None:
    from console import wire
    from console.frames import Delta, Keyframe
    from console.recording.blocks import pack_chunk

    reading = member()
    body = {**msgspec.to_builtins(reading, builtin_types=(datetime,)), "flux": 7}
    first = [Keyframe("postgres", reading.key, body), Keyframe("topic.of.tomorrow", "", {"a": 1})]
    second = [Delta("postgres", reading.key, {"flux": 8, "connections": 9}), Delta("topic.of.tomorrow", "", {"a": 2})]
    messages = wire.pack(wire.Frames(1.0, list(first))) + wire.pack(wire.Frames(2.0, list(second)))
    path = tmp_path / f"later{SUFFIX}"
    path.write_bytes(pack_preamble(Header()) + pack_chunk(1.0, 2.0, messages))
    feed = RecordingFeed(Recording.open(path))
    assert list(feed.board) == [reading]
    feed.step()
    assert list(feed.board) == [msgspec.structs.replace(reading, connections=9)]
