"""The socket: what subscribers get, what slow ones cost, who may come in."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console import wire
from console.board import Board, pane_state
from console.engine import client as client_module
from console.engine import core as core_module
from console.engine.client import ROWS, STALLED_S
from console.engine.core import Core
from console.engine.peer import Peer, may_connect
from console.engine.requests import MOST_ASKED, Requests
from console.engine.scheduler import Scheduler
from console.engine.server import Server
from console.place import Place
from console.readings import Activity, Description, Environment, Findings, LogTail, PostgresMember, Reading
from console.sources.base import Source
from tests.engine.fake_engine import CountingJudge
from tests.engine.fakes import NEVER, FakeSource, activity, member

LIMIT_S = 20.0
HELLO = wire.Hello(wire.PROTOCOL, "0", "test", "digest", os.getpid(), shared=False)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - the condition is in another object, which knows no events
            await asyncio.sleep(0.005)


class NoRecorder:
    """A recorder that keeps the board of every beat instead."""

    megabytes = 0.0
    problem = ""

    def __init__(self) -> None:
        self.beats: dict[float, Board] = {}

    def take(self, at: float, _changes: list[tuple[Reading | None, Reading | None]], board: Board) -> None:
        self.beats[at] = board.copy()

    def tick(self, _at: float, _board: Board) -> None:
        return


class Rig:
    """An engine's inside, without a process."""

    def __init__(self, folder: Path) -> None:
        self.place = Place("test", folder / "s.sock", folder / "s.lock", folder / "state", shared=False)
        self.board = Board()
        self.recorder = NoRecorder()
        self.core = Core(self.board, CountingJudge(None, None), self.recorder)  # type: ignore[arg-type]
        self.stopped: list[str] = []
        self.logs: list[FakeSource] = []
        requests = Requests(self.core, self.log_of, self.object_of, shared=False, stop=self.stopped.append)
        self.server = Server(self.board, HELLO, requests, requests.left)
        self.scheduler = Scheduler([], self.core.put, str)
        self.core.server, self.core.scheduler = self.server, self.scheduler
        self.core.put(Environment(taken_at=member().taken_at, name="test", panes={"database": ("postgres main/pg-1",)}))

    def log_of(self, target: str) -> Source:
        if target != "postgres main/pg-1":
            raise LookupError(f"the environment file names no log for {target}")
        self.logs.append(
            FakeSource(
                lambda n: LogTail(taken_at=member().taken_at, key=target, lines={n: f"line {n}"}),
                reading=LogTail,
                key=target,
                every_s=0.1,
            )
        )
        return self.logs[-1]

    def object_of(self, target: str) -> Source:
        return FakeSource(
            lambda n: Description(taken_at=member().taken_at, key=target, lines={1: f"seen: {n}"}),
            reading=Description,
            key=target,
            every_s=0.1,
        )

    async def settled(self) -> Board:
        """The board once all that was put has taken effect."""
        await until(lambda: not self.core._staged)
        return self.board


class Person:
    """A client by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.board = Board()
        self.messages: list[wire.ToClient] = []
        self.frames_in: list[int] = []
        self._splitter = wire.Splitter(wire.MAX_TO_CLIENT)
        self._number = 0

    @classmethod
    async def come(cls, rig: Rig, *topics: str) -> Person:
        reader, writer = await asyncio.open_unix_connection(str(rig.place.socket))
        person = cls(reader, writer)
        await person.until(lambda: bool(person.messages))
        assert person.messages[0] == HELLO
        person.say(wire.Greeting(wire.PROTOCOL, "0", kind="console", host="10.0.0.7\x1b[31m"))
        if topics:
            person.ask("subscribe", topics=list(topics))
        return person

    def say(self, message: wire.ToEngine) -> None:
        self.writer.write(wire.pack(message))

    def ask(self, do: Any, **more: Any) -> int:
        self._number += 1
        self.say(wire.Request(self._number, do, **more))
        return self._number

    async def answer(self, number: int) -> str:
        def found() -> list[wire.Reply]:
            return [message for message in self.messages if isinstance(message, wire.Reply) and message.id == number]

        await self.until(lambda: bool(found()))
        return found()[0].error

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                data = await self.reader.read(65536)
                assert data, "the engine hung up"
                for body in self._splitter.feed(data):
                    message = wire.from_engine(body)
                    self.messages.append(message)
                    if isinstance(message, wire.Frames):
                        self.frames_in.append(len(body))
                        for frame in message.frames:
                            self.board.apply(frame)

    async def leave(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="bm-") as folder:
        made = Rig(Path(folder))
        await made.server.open(made.place)
        made.core.start()
        yield made
        await made.server.close(made.place)
        await made.scheduler.close()
        made.core.stop()


async def test_a_subscriber_gets_the_board_and_then_what_changes(rig: Rig) -> None:
    rig.core.put(member(1))
    await rig.settled()
    person = await Person.come(rig, "*")
    await person.until(lambda: person.board == rig.board)
    for number in range(2, 30):
        rig.core.put(member(number))
        rig.core.put(activity(number, 50))
        await asyncio.sleep(0.01)
    board = await rig.settled()
    await person.until(lambda: person.board == board)
    assert len([message for message in person.messages if isinstance(message, wire.Frames)]) < 12, "merged, not queued"


async def test_what_a_client_holds_is_always_a_board_that_was(rig: Rig) -> None:
    person = await Person.come(rig, "*")
    checked = 0
    for number in range(1, 12):
        rig.core.put(member(number))
        rig.core.put(member(number, "main/pg-2"))
        before = len(person.messages)
        await person.until(lambda before=before: len(person.messages) > before)  # type: ignore[misc]
        last = person.messages[-1]
        if isinstance(last, wire.Frames) and last.at in rig.recorder.beats:
            assert person.board == rig.recorder.beats[last.at]
            checked += 1
    assert checked > 3


async def test_only_subscribed_topics_and_addresses(rig: Rig) -> None:
    for key in ("main/pg-1", "main/pg-2"):
        rig.core.put(member(1, key))
        rig.core.put(activity(1, 5, key))
    await rig.settled()
    person = await Person.come(rig, "environment", "postgres.activity main/pg-2")
    await person.until(lambda: len(person.board) == 2)
    rig.core.put(member(2))
    rig.core.put(activity(2, 5, "main/pg-2"))
    await rig.settled()
    await person.until(lambda: person.board.get(Activity, "main/pg-2") == rig.board.get(Activity, "main/pg-2"))
    assert person.board.get(PostgresMember, "main/pg-1") is None
    person.ask("subscribe", topics=["postgres"])
    await person.until(lambda: {reading.topic for reading in person.board} == {"postgres"} and len(person.board) == 2)


async def test_what_is_gone_is_gone_for_everybody(rig: Rig) -> None:
    rig.core.put(member(1))
    await rig.settled()
    person = await Person.come(rig, "*")
    await person.until(lambda: len(person.board) >= 2)
    rig.core.remove(member().where)
    await rig.settled()
    await person.until(lambda: person.board.get(PostgresMember, "main/pg-1") is None)


async def test_five_thousand_rows_come_in_pieces(rig: Rig) -> None:
    rig.core.put(activity(1, 5_000))
    await rig.settled()
    person = await Person.come(rig, "*")
    await person.until(lambda: person.board == rig.board)
    for message in person.messages:
        if isinstance(message, wire.Frames):
            rows = sum(
                len(part.get("sessions", ()))
                for frame in message.frames
                for part in (getattr(frame, name, {}) for name in ("body", "rows", "parts"))
            )
            assert rows <= ROWS
    rig.core.put(activity(2, 4_000))
    await rig.settled()
    await person.until(lambda: person.board == rig.board)


async def test_a_client_that_never_reads_costs_a_set_and_gets_the_latest_when_it_wakes(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_module, "BEAT_S", 0.02)
    sleeper, awake = await Person.come(rig, "*"), await Person.come(rig, "*")
    await awake.until(lambda: len(awake.board) >= 1)
    written = 0
    for number in range(1, 120):
        rig.core.put(activity(number, 400, query="x" * 200 + str(number)))
        board = await rig.settled()
        await awake.until(lambda board=board: awake.board == board)  # type: ignore[misc]
        if number > 60:
            [slow] = [one for one in rig.server.clients if one._full_since is not None]
            assert slow._transport is not None
            written = max(written, slow._transport.get_write_buffer_size())
            assert len(slow._dirty) <= len(rig.board)
    assert written < 2_000_000, "one message above the cap at most"
    monkeypatch.setattr(client_module, "STALLED_S", 0.0)
    rig.server.beat()
    assert not slow._sent, "what it was sent long ago is forgotten"
    await sleeper.until(lambda: sleeper.board == rig.board)
    assert len(sleeper.frames_in) < 60
    assert STALLED_S > 1


async def test_a_slow_client_takes_nothing_from_the_others(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_module, "BEAT_S", 0.02)
    others = [await Person.come(rig, "*") for _ in range(3)]
    await Person.come(rig, "*")
    for number in range(1, 40):
        rig.core.put(activity(number, 300, query=str(number) * 100))
        board = await rig.settled()
        for person in others:
            await person.until(lambda person=person, board=board: person.board == board)  # type: ignore[misc]


async def test_watchers_are_named_by_the_kernel_and_cleaned(rig: Rig) -> None:
    person = await Person.come(rig, "*")
    await person.until(lambda: person.board.environment is not None)
    [watcher] = rig.server.watchers().values()
    assert watcher.user
    assert watcher.kind == "console"
    assert "\x1b" not in watcher.host
    assert "10.0.0.7" in watcher.host
    assert len(rig.server.clients) == 1
    await person.leave()
    await until(lambda: not rig.server.clients)


async def test_something_is_said_every_second_even_when_nothing_happens(rig: Rig) -> None:
    person = await Person.come(rig, "nothing.of.the.kind")
    await person.until(lambda: sum(isinstance(message, wire.Frames) for message in person.messages) >= 3)


async def test_requests_are_answered_one_by_one(rig: Rig) -> None:
    rig.scheduler.add(FakeSource(member, every_s=NEVER))
    person = await Person.come(rig, "*")
    await person.until(lambda: person.board.environment is not None)
    assert await person.answer(person.ask("refresh")) == ""
    assert await person.answer(person.ask("refresh", target="database")) == ""
    assert await person.answer(person.ask("refresh", target="postgres main/pg-1")) == ""
    assert "nothing is read" in await person.answer(person.ask("refresh", target="[/foo]"))
    assert await person.answer(person.ask("stop")) == ""
    assert rig.stopped


async def test_a_log_is_followed_while_somebody_looks(rig: Rig) -> None:
    first, second = await Person.come(rig, "*"), await Person.come(rig, "*")
    target = "postgres main/pg-1"
    assert "no log" in await first.answer(first.ask("log", target="postgres main/pg-9"))
    for person in (first, second):
        assert await person.answer(person.ask("log", target=target)) == ""
        await person.until(lambda person=person: person.board.get(LogTail, target) is not None)  # type: ignore[misc]
    assert len(rig.logs) == 1, "one look for all who want it"
    third = await Person.come(rig, "*")
    await third.until(lambda: len(third.board) >= 1)
    assert third.board.get(LogTail, target) is None
    first.ask("subscribe", topics=["*", f"log {target}"])
    await first.until(lambda: first.board.get(LogTail, target) is not None)
    first.ask("subscribe", topics=["*"])
    await first.until(lambda: first.board.get(LogTail, target) is None)
    assert rig.logs[0].closed == 0
    assert await first.answer(first.ask("log", target=target)) == ""
    assert await first.answer(first.ask("unlog", target=target)) == "", "its screen was left, its console stays"
    await first.until(lambda: first.board.get(LogTail, target) is None)
    assert rig.logs[0].closed == 0
    await second.leave()
    await until(lambda: rig.board.get(LogTail, target) is None and rig.logs[0].closed == 1)


async def test_objects_are_described_while_somebody_looks(rig: Rig) -> None:
    person = await Person.come(rig, "*")
    target = "kubernetes.pods lab/t1/web"
    assert await person.answer(person.ask("log", target="postgres main/pg-1")) == ""
    assert await person.answer(person.ask("describe", target=target)) == ""
    await person.until(lambda: person.board.get(Description, target) is not None)
    assert await person.answer(person.ask("undescribe", target=target)) == ""
    await person.until(lambda: person.board.get(Description, target) is None)
    await until(lambda: rig.board.get(Description, target) is None)
    assert rig.board.get(LogTail, "postgres main/pg-1") is not None
    asked = [await person.answer(person.ask("describe", target=f"{target}-{n}")) for n in range(MOST_ASKED)]
    assert asked[:-1] == [""] * (MOST_ASKED - 1) and "already" in asked[-1]


@pytest.mark.parametrize(
    "rudeness",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        (10**9).to_bytes(4, "big"),
        wire.pack(wire.Request(1, "stop")),
        b"\x00\x00\x00\x03abc",
        (4).to_bytes(4, "big") + msgspec.msgpack.encode("abc"),
    ],
)
async def test_whoever_does_not_speak_the_protocol_is_shown_out(rig: Rig, rudeness: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(str(rig.place.socket))
    writer.write(rudeness)
    async with asyncio.timeout(LIMIT_S):
        while await reader.read(65536):
            pass
    writer.close()
    assert not rig.stopped
    assert not rig.server.clients
    person = await Person.come(rig, "*")
    await person.until(lambda: len(person.board) >= 1)


async def test_whoever_asks_without_end_and_never_reads_is_shown_out(rig: Rig) -> None:
    person = await Person.come(rig)
    async with asyncio.timeout(LIMIT_S):
        try:
            while True:
                for _ in range(2_000):
                    person.ask("refresh", target="x" * 100)
                await person.writer.drain()
        except (ConnectionError, BrokenPipeError):
            return


def test_who_may_connect() -> None:
    me, group = os.geteuid(), 54_321
    assert may_connect(Peer(1, me, 0, "me"), None)
    assert not may_connect(Peer(1, me + 1, 0, "other"), None)
    assert not may_connect(Peer(1, me + 1, 0, "other"), group)
    assert may_connect(Peer(1, me + 1, group, "other"), group)
    if me != 0:
        assert may_connect(Peer(1, 0, 0, "root"), group)
        assert not may_connect(Peer(1, 0, 0, "root"), None)


async def test_the_socket_is_for_its_owner_alone(rig: Rig) -> None:
    assert rig.place.socket.stat().st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as found:
        found.connect(str(rig.place.socket))


def _raises(_board: Board, _now: Any) -> Findings:
    raise KeyError("oops")


def _lies(_board: Board, now: Any) -> Findings:
    return Findings(taken_at=now, looked={"postgres main/pg-1": "nine \ud800"})  # type: ignore[dict-item]


@pytest.mark.parametrize("lie", [_raises, _lies])
async def test_a_judge_that_fails_turns_everything_unknown_and_the_looking_goes_on(
    rig: Rig, lie: Callable[[Board, Any], Findings]
) -> None:
    class Broken(CountingJudge):
        def look(self, board: Board, now: Any) -> Any:
            return lie(board, now)

    rig.core._judge = Broken(None, None)  # type: ignore[arg-type]
    rig.core.put(member(1))
    board = await rig.settled()
    answer = pane_state(board, "database", member().taken_at)
    assert answer.state == "unknown"
    assert "mistake in Banksman" in answer.why
    after = member(2)
    rig.core.put(after)
    assert (await rig.settled()).get(PostgresMember, "main/pg-1") == after


async def test_a_mistake_in_a_judge_is_logged_once(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    class Mistaken(CountingJudge):
        mistakes = {"lock-waits": "Traceback: ZeroDivisionError"}

    rig.core._judge = Mistaken(None, None)  # type: ignore[arg-type]
    for number in range(3):
        rig.core.put(member(number))
        await rig.settled()
    told = [record.getMessage() for record in caplog.records if "cannot be judged" in record.getMessage()]
    assert told == ["lock-waits cannot be judged\nTraceback: ZeroDivisionError"]
