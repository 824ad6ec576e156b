"""Engines as processes: they come when needed, go when not, and are taken over however they ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console import launch, place
from console.board import pane_state, verdict
from console.feed import EngineFeed, FeedError
from console.readings import PostgresMember, Trend
from console.recording import Recording
from console.recording.reader import messages_of
from tests.engine.conftest import engines_of, fake_engine

LIMIT_S = 30.0


async def until(condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(environment: Path) -> AsyncIterator[EngineFeed]:
    feed = EngineFeed(environment, kind="console", command=fake_engine)
    await feed.open()
    try:
        yield feed
    finally:
        await feed.close()


def pid_of(feed: EngineFeed) -> int:
    assert feed.board.environment is not None
    return feed.board.environment.engine_pid


async def test_a_feed_starts_an_engine_and_shows_what_it_sees(environment_file: Path) -> None:
    async with watching(environment_file) as feed:
        assert feed.state == "starting"
        assert verdict(feed.board, feed.now, feed.problem) == "unknown"
        assert await feed.wait_ready(LIMIT_S)
        assert feed.state == "live"
        assert verdict(feed.board, feed.now, feed.problem) == "ok"
        [pid] = engines_of(environment_file)
        assert pid == pid_of(feed)
        assert os.getsid(pid) == pid, "a session of its own: the terminal's end is not its end"
        descriptors = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
        assert not any(name.startswith(("/dev/pts", "pipe:")) for name in descriptors)
        watchers = feed.board.environment.watchers if feed.board.environment else {}
        assert [watcher.kind for watcher in watchers.values()] == ["console"]


async def test_two_clients_share_one_engine(environment_file: Path) -> None:
    async with watching(environment_file) as first, watching(environment_file) as second:
        assert await first.wait_ready(LIMIT_S)
        assert await second.wait_ready(LIMIT_S)
        assert pid_of(first) == pid_of(second)
        assert len(engines_of(environment_file)) == 1
        await until(lambda: len(first.board.environment.watchers) == 2)  # type: ignore[union-attr]


async def test_an_engine_ends_after_its_last_client_and_leaves_no_socket(
    environment_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_ALONE_S", "1")
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)
        where = feed.place
        await asyncio.sleep(2.5)
        assert engines_of(environment_file), "not while somebody watches"
    await until(lambda: not engines_of(environment_file))
    assert not where.socket.exists()
    assert "no client for 1 s" in where.log.read_text()


async def test_an_engine_that_nobody_comes_to_ends(environment_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_ALONE_S", "1")
    launch.start_engine_early(environment_file, fake_engine)
    await until(lambda: bool(engines_of(environment_file)))
    await until(lambda: not engines_of(environment_file))
    await until(lambda: launch.ended(environment_file) is not None or environment_file not in launch.started)


async def test_an_engine_started_early_is_the_one_that_is_used(environment_file: Path) -> None:
    launch.start_engine_early(environment_file, fake_engine)
    started = launch.started[environment_file]
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)
        assert pid_of(feed) == started
        launch.start_engine_early(environment_file, fake_engine)
        assert launch.started[environment_file] == started


async def test_a_killed_engine_is_noticed_at_once_and_taken_over_within_two_seconds_twenty_times(
    environment_file: Path,
) -> None:
    launch.start_engine_early(environment_file, fake_engine)
    for _round in range(20):
        async with watching(environment_file) as feed:
            assert await feed.wait_ready(LIMIT_S)
            assert verdict(feed.board, feed.now, feed.problem) == "ok"
            killed = pid_of(feed)
            os.kill(killed, signal.SIGKILL)
            began = time.monotonic()
            await until(lambda feed=feed: feed.state != "live", 2.0)  # type: ignore[misc]
            assert feed.problem
            for pane in ("database", "cache"):
                assert pane_state(feed.board, pane, feed.now, feed.problem).state == "unknown"  # type: ignore[arg-type]
            await until(lambda feed=feed: feed.state == "live")  # type: ignore[misc]
            took = time.monotonic() - began
            assert pid_of(feed) != killed
            # A start of Python is in it, on a machine that others use too.
            assert took < 2.0 + 3 * _start_of_python()
    assert len(engines_of(environment_file)) == 1


def _start_of_python() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import asyncio, msgspec, yaml"], check=True, timeout=LIMIT_S)
    return time.monotonic() - began


CONSOLE = """
import asyncio, sys
from pathlib import Path
from console.feed import EngineFeed
from tests.engine.conftest import fake_engine

async def main():
    feed = EngineFeed(Path(sys.argv[1]), kind="console", command=fake_engine)
    await feed.open()
    await feed.wait_ready(30)
    print(feed.state, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
async def test_however_a_console_ends_its_engine_ends_after_it(
    environment_file: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setenv("FAKE_ALONE_S", "0.5")
    for _round in range(3):
        console = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CONSOLE, str(environment_file), stdout=subprocess.PIPE, start_new_session=True
        )
        assert console.stdout is not None
        async with asyncio.timeout(LIMIT_S):
            assert await console.stdout.readline() == b"live\n"
        os.killpg(console.pid, number)
        await console.wait()
        await until(lambda: not engines_of(environment_file))


async def test_a_changed_environment_file_gets_an_engine_of_its_own(environment_file: Path) -> None:
    async with watching(environment_file) as first:
        assert await first.wait_ready(LIMIT_S)
        before = pid_of(first)
        environment_file.write_text("name: testbed\nproduction: true\n")
        async with watching(environment_file) as second:
            assert await second.wait_ready(LIMIT_S)
            assert pid_of(second) != before
            assert second.board.environment is not None
            assert second.board.environment.production
        await until(lambda: first.state == "live" and pid_of(first) != before)
        assert len(engines_of(environment_file)) == 1


async def test_a_wrong_environment_file_is_told_and_tried_again_only_when_asked(environment_file: Path) -> None:
    environment_file.write_text("name: testbed\npostgress: {}\n")
    async with watching(environment_file) as feed:
        assert not await feed.wait_ready(LIMIT_S)
        assert feed.state == "failed"
        assert "postgress" in feed.problem
        with pytest.raises(FeedError):
            await feed.request("refresh")
        environment_file.write_text("name: testbed\n")
        feed.retry()
        assert await feed.wait_ready(LIMIT_S)


async def test_an_engine_that_cannot_run_is_tried_three_times_and_then_explained(
    environment_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SCRIPT", "crashing")
    async with watching(environment_file) as feed:
        await until(lambda: feed.state == "failed")
        assert "3 times within a minute" in feed.problem
        assert "ctrl+r" in feed.problem
        assert "no such thing as a source" in feed.problem
        assert feed.place.log.read_text().count("the engine failed") == 4
        monkeypatch.setenv("FAKE_SCRIPT", "healthy")
        await asyncio.sleep(1.0)
        assert not engines_of(environment_file), "nothing is started unasked after that"
        feed.retry()
        assert await feed.wait_ready(LIMIT_S)


async def test_a_hung_engine_is_lost_then_killed_and_replaced(environment_file: Path) -> None:
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)
        hung = pid_of(feed)
        os.kill(hung, signal.SIGSTOP)
        await until(lambda: feed.state == "lost")
        assert "said nothing" in feed.problem
        assert verdict(feed.board, feed.now, feed.problem) == "unknown"
        await until(lambda: feed.state == "live" and pid_of(feed) != hung, 60)
        assert engines_of(environment_file) == [pid_of(feed)]


async def test_an_engine_that_only_slept_is_found_again(environment_file: Path) -> None:
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)
        pid = pid_of(feed)
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: feed.state == "lost")
        os.kill(pid, signal.SIGCONT)
        await until(lambda: feed.state == "live")
        assert pid_of(feed) == pid


async def test_a_sigterm_is_a_clean_end(environment_file: Path) -> None:
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)
        pid, where = pid_of(feed), feed.place
        await feed.close()
    os.kill(pid, signal.SIGTERM)
    await until(lambda: not engines_of(environment_file))
    assert not where.socket.exists()
    assert where.log.read_text().rstrip().endswith("ended")
    assert not list(where.recordings.glob("*-live*")), "the last chunk is packed"


async def test_what_a_dead_engine_left_does_not_matter(environment_file: Path) -> None:
    where = place.private(environment_file)
    where.prepare()
    where.socket.touch()
    where.lock.write_text("1\n")
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)


async def test_only_one_engine_however_many_are_started_at_once(environment_file: Path) -> None:
    where = place.private(environment_file)
    pids = [launch.spawn(environment_file, where, fake_engine) for _ in range(5)]
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)
        await until(lambda: len(engines_of(environment_file)) == 1)
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222 - it does not block


async def test_a_password_gets_nowhere(environment_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    password = "correct horse battery"
    secret = environment_file.with_name("password")
    secret.write_text(password + "\n")
    secret.chmod(0o600)
    server = "servers: {pg-1: {host: 127.0.0.1}}"
    environment_file.write_text(f"name: testbed\npostgres: {{main: {{password: 'file:{secret}', {server}}}}}\n")
    monkeypatch.setenv("FAKE_SCRIPT", "leaking")
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)
        assert {member.status for member in feed.board.every(PostgresMember)} == {"unreachable", "denied", "partial"}
        assert all(password not in str(reading) for reading in feed.board)
        assert all(member.problem for member in feed.board.every(PostgresMember))
        where = feed.place
        await feed.request("stop")
    await until(lambda: not engines_of(environment_file))
    assert "cannot log in" in where.log.read_text()
    for path in (file for file in where.state.rglob("*") if file.is_file()):
        assert password.encode() not in path.read_bytes(), path
    for chunk in Recording.open(where.recordings).chunks():
        assert password.encode() not in messages_of(chunk)


async def test_a_shared_engine_stays_is_attached_to_and_never_started(
    environment_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = environment_file.parent / "shared"
    monkeypatch.setattr(place, "SHARED_RUNTIME", shared / "run")
    monkeypatch.setattr(place, "SHARED_STATE", shared / "lib")
    monkeypatch.setenv("FAKE_ALONE_S", "0.5")
    feed = EngineFeed(environment_file, kind="status", shared="testbed")
    await feed.open()
    try:
        await until(lambda: "no shared engine" in feed.problem)
        engine = await _shared_engine(environment_file, shared)
        assert await feed.wait_ready(LIMIT_S)
        assert feed.board.environment is not None
        assert feed.board.environment.shared
        assert feed.place.socket.stat().st_mode & 0o777 == 0o660
        engine.kill()
        await engine.wait()
        await until(lambda: feed.state == "lost")
        engine = await _shared_engine(environment_file, shared)
        await until(lambda: feed.state == "live")
        await feed.close()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(engine.wait(), 3.0)
        assert await _exit_code_of_a_second(environment_file, shared) == 75
    finally:
        await feed.close()
        engine.terminate()
        assert await asyncio.wait_for(engine.wait(), LIMIT_S) == 0


async def _shared_engine(environment: Path, shared: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *fake_engine(environment), env={**os.environ, "FAKE_SHARED": str(shared)}, start_new_session=True
    )


async def _exit_code_of_a_second(environment: Path, shared: Path) -> int:
    return await asyncio.wait_for((await _shared_engine(environment, shared)).wait(), LIMIT_S)


async def test_sparklines_go_on_after_a_restart(environment_file: Path) -> None:
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)
        await until(lambda: feed.board.get(Trend, "database/main/tps") is not None)
        before = feed.board.get(Trend, "database/main/tps")
        await feed.request("stop")
        await until(lambda: feed.state != "live")
        await until(lambda: feed.state == "live")
        await until(lambda: feed.board.get(Trend, "database/main/tps") is not None, 8.0)
        after = feed.board.get(Trend, "database/main/tps")
        assert before is not None
        assert after is not None
        assert before.points.items() <= after.points.items()


async def test_what_is_read_keeps_coming(environment_file: Path) -> None:
    async with watching(environment_file) as feed:
        assert await feed.wait_ready(LIMIT_S)
        first = feed.board.get(PostgresMember, "main/pg-1")
        assert first is not None
        await feed.request("refresh")
        await until(lambda: feed.board.get(PostgresMember, "main/pg-1") != first)
        feed.subscribe(["environment"])
        await until(lambda: len(feed.board) == 1)


def test_starting_an_engine_early_imports_next_to_nothing() -> None:
    code = "import sys; from console.launch import start_engine_early; print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=LIMIT_S)
    loaded = set(output.stdout.split())
    assert not loaded & {"msgspec", "asyncio", "textual", "yaml", "subprocess", "logging", "dataclasses", "inspect"}


def test_a_feed_loads_nothing_of_the_engine() -> None:
    code = "import sys; import console.feed; print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=LIMIT_S)
    loaded = set(output.stdout.split())
    assert not loaded & {"console.engine", "psycopg", "redis", "httpx", "textual", "yaml", "console.assessment"}
