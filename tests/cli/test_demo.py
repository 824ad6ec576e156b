"""``banksman demo`` leaves nothing behind, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import psutil
import pytest

from tests.tools.terminal import hang_up

pytestmark = pytest.mark.lab

UP_S = 240
GONE_S = 30
"""What was told to end may take a moment; an engine that was not ends ten seconds after its last client."""


def environment(folder: Path) -> dict[str, str]:
    """State of its own, so that engines of other tests are not ours to count."""
    return {
        **os.environ, "XDG_STATE_HOME": str(folder / "state"), "XDG_RUNTIME_DIR": "", "TERM": "xterm-256color",
    }  # fmt: skip


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "console.cli", "demo", "--dir", str(folder / "lab"), *arguments]


def left(folder: Path) -> list[str]:
    """Processes that have to do with this folder: the laboratory's servers, its supervisor, an engine."""
    mark, found = str(folder), []
    for process in psutil.process_iter(["pid", "cmdline"]):
        try:
            words = " ".join(process.info["cmdline"] or ())
            if process.pid != os.getpid() and (mark in words or mark in process.cwd()):
                found.append(words[:160])
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def expect_nothing_left(folder: Path) -> None:
    deadline = time.monotonic() + GONE_S
    while (processes := left(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes == []
    assert not (folder / "lab").exists() or not any((folder / "lab").iterdir())


def test_headless_prints_the_status_and_takes_down_what_it_put_up(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path, "--headless", "--json"),
        env=environment(tmp_path), text=True, capture_output=True, timeout=UP_S, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads(done.stdout)
    assert content["environment"] == "lab"
    assert content["findings"] == []
    assert {pane: state["state"] for pane, state in content["panes"].items()} == dict.fromkeys(
        ("cluster", "database", "cache", "ingress", "application"), "ok"
    )
    assert "taking the laboratory down" in done.stderr
    expect_nothing_left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_while_the_laboratory_comes_up(tmp_path: Path, number: signal.Signals) -> None:
    demo = subprocess.Popen(
        command(tmp_path, "--headless"),
        env=environment(tmp_path), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert demo.stderr is not None
    assert demo.stderr.readline()  # the first server is up
    demo.send_signal(number)
    out, error = demo.communicate(timeout=60)
    assert demo.returncode == 128 + number, error
    assert "Traceback" not in error
    assert out == ""
    expect_nothing_left(tmp_path)


def test_terminal_closed_while_the_console_is_open(tmp_path: Path) -> None:
    words = command(tmp_path)
    terminal = pexpect.spawn(words[0], words[1:], env=environment(tmp_path), dimensions=(24, 80), timeout=UP_S)  # type: ignore[arg-type]
    terminal.expect_exact("\x1b[?1049h")  # the console has taken the screen
    demo = psutil.Process(terminal.pid)
    hang_up(terminal)
    psutil.wait_procs([demo], timeout=40)
    assert not demo.is_running() or demo.status() == psutil.STATUS_ZOMBIE
    expect_nothing_left(tmp_path)
