"""Consoles killed, engines killed, terminals closed, twenty times each: nothing is left behind, the next start works."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import psutil
import pytest

from tests.tools.watch import watching

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
TIMES = 20


@pytest.fixture
def environment(database_laboratory: Path, tmp_path: Path) -> Iterator[Path]:
    """A file of its own, so that its processes can be told by their command lines."""
    file = tmp_path / "killed.yaml"
    file.write_text((database_laboratory / "environment.yaml").read_text().replace("name: lab", "name: killed"))
    yield file
    for process in processes(file):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def processes(environment: Path) -> list[psutil.Process]:
    """Every process that was started for this environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(environment) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def engines(environment: Path) -> list[psutil.Process]:
    """The engines among them."""
    return [process for process in processes(environment) if "engine" in process.cmdline()]


def wait_for(condition: Callable[[], bool], within_s: float, what: str) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def console(environment: Path) -> pexpect.spawn:
    """A console in a terminal of its own, painted."""
    child = pexpect.spawn(
        sys.executable, ["-m", "console.cli", "-e", str(environment)], dimensions=(24, 80), timeout=30,
        env=os.environ | {"TERM": "xterm-256color"},
    )  # fmt: skip
    child.expect("killed")
    return child


def test_consoles_are_killed(environment: Path) -> None:
    for _ in range(TIMES):
        child = console(environment)
        child.kill(signal.SIGKILL)
        child.wait()
        child.close()
    assert len(engines(environment)) == 1, "one engine served them all"
    wait_for(lambda: not processes(environment), 30, "the engine ends when nobody has been left for 10 s")


def test_terminals_are_closed(environment: Path) -> None:
    for _ in range(TIMES):
        child = console(environment)
        child.ptyproc.fileobj.close()
        child.ptyproc.closed = child.closed = True
        wait_for(lambda pid=child.pid: ended(pid), 15, "a console whose terminal is gone ends")
    assert len(engines(environment)) == 1, "the engine does not belong to the terminal"
    wait_for(lambda: not processes(environment), 30, "the engine ends when nobody has been left for 10 s")


def ended(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    return True


async def test_engines_are_killed(environment: Path) -> None:
    for _ in range(TIMES):
        async with watching(environment) as watch:
            await watch.until(lambda watch=watch: watch.feed.state == "live", 20, "an engine answers")
            about = watch.board.environment
            await watch.until(lambda watch=watch: watch.board.environment is not None, 20, "it says who it is")
            about = watch.board.environment
            assert about is not None
        # Its socket and its lock stay behind.
        os.kill(about.engine_pid, signal.SIGKILL)
        wait_for(lambda pid=about.engine_pid: not psutil.pid_exists(pid) or zombie(pid), 10, "killed")
    assert len(engines(environment)) == 0
    wait_for(lambda: not processes(environment), 30, "nothing is left")


def zombie(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


async def test_a_console_outlives_its_engine(environment: Path) -> None:
    async with watching(environment) as watch:
        for _ in range(3):
            await watch.until(lambda: watch.feed.state == "live" and watch.board.environment is not None, 30, "live")
            about = watch.board.environment
            assert about is not None
            os.kill(about.engine_pid, signal.SIGKILL)
            await watch.until(
                lambda pid=about.engine_pid: watch.feed.state != "live" or watch.board.environment.engine_pid != pid,
                5,
                "noticed",
            )
        await watch.until(watch.calm, 120, "the engine was started again and everything was read")
        assert len(engines(environment)) == 1
