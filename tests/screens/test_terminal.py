"""The console in a real pseudo-terminal: what it writes, how it ends, what it does with poor or slow terminals."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

from tests.screens.conftest import Console, console_on

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60.0
PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from console.app import run_console
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.fake_feed import FakeFeed
sys.exit(run_console(FakeFeed(SCENARIOS["hang-primary"](NOW))))
"""


class Terminal:
    """A terminal of 80×24 with the console in it."""

    def __init__(self, tmp_path: Path, **environment: str) -> None:
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.master, slave = pty.openpty()
        import fcntl
        import struct
        import termios

        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        base = {
            key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLORTERM", "BANKSMAN_THEME")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(root=str(ROOT))],
            stdin=slave, stdout=slave, stderr=slave, close_fds=True, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
            env={**base, "TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path), "LANG": "C.UTF-8", **environment},
        )  # fmt: skip
        os.close(slave)

    def read(self, seconds: float) -> bytes:
        """Everything that arrives until ``seconds`` have passed without anything, or the other end closed."""
        got = b""
        while select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            got += data
            self.stream.feed(data)
        self.raw += got
        return got

    def until(self, text: str) -> str:
        """Wait until ``text`` is on the screen; the screen."""
        end = time.monotonic() + LIMIT_S
        while text not in (shown := "\n".join(self.screen.display)):
            assert time.monotonic() < end, f"{text!r} did not appear in:\n{shown}"
            assert self.process.poll() is None or text in "\n".join(self.screen.display), f"ended:\n{shown}"
            self.read(0.05)
        return shown

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.master >= 0:
            os.close(self.master)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def test_picture_and_exit(terminals: list[Terminal], tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, COLORTERM="truecolor")
    terminals.append(terminal)
    shown = terminal.until("? Help")
    assert "■ CRITICAL" in shown and "fail over to pg-1" in shown
    assert b"\x1b[?25h" not in terminal.raw, "no cursor is shown, so none blinks"
    assert b"\x1b[?1000h" not in terminal.raw, "the mouse stays the terminal's: text can be selected"
    terminal.type("q")
    assert terminal.process.wait(LIMIT_S) == 0
    terminal.read(0.2)
    assert terminal.raw.endswith(b"\x1b[0m"), "the shell gets its own colours back"


def test_nothing_is_written_while_nothing_changes(terminals: list[Terminal], tmp_path: Path) -> None:
    """The board and its moment stand still, so not even the clock moves."""
    terminal = Terminal(tmp_path)
    terminals.append(terminal)
    terminal.until("? Help")
    terminal.read(1.0)
    assert select.select([terminal.master], [], [], 3.0)[0] == []


def test_no_colour(terminals: list[Terminal], tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, NO_COLOR="1", COLORTERM="truecolor")
    terminals.append(terminal)
    shown = terminal.until("? Help")
    assert "■ CRITICAL" in shown
    cells = [terminal.screen.buffer[y][x] for y in range(24) for x in range(80)]
    assert {(cell.fg, cell.bg) for cell in cells} == {("default", "default")}
    assert any(cell.reverse for cell in cells), "what is selected is seen without colour"


def test_sixteen_colours(terminals: list[Terminal], tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, TERM="xterm")
    terminals.append(terminal)
    assert "■ CRITICAL" in terminal.until("? Help")
    assert b"38;2;" not in terminal.raw and b"38;5;" not in terminal.raw


def test_dumb_terminals_get_a_sentence(terminals: list[Terminal], tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, TERM="dumb")
    terminals.append(terminal)
    assert terminal.process.wait(LIMIT_S) == 64
    terminal.read(0.2)
    assert b"needs a terminal" in terminal.raw and b"\x1b[" not in terminal.raw


def test_a_closed_terminal_ends_the_console(terminals: list[Terminal], tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminals.append(terminal)
    terminal.until("? Help")
    os.close(terminal.master)
    terminal.master = -1
    assert terminal.process.wait(LIMIT_S) in (-signal.SIGHUP, 0, 1)


async def test_a_terminal_that_does_not_drain_gets_the_newest_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """No queue of old pictures: while it is stuck nothing is written, then the difference to what is now."""
    stuck = True
    monkeypatch.setattr(Console, "_backlog", property(lambda self: 2 if stuck else 0))
    app = console_on("healthy")
    async with app.run_test(size=(120, 35)) as pilot:
        await pilot.pause()
        for _ in range(10):
            await pilot.press("3", "4", "1")
        assert app.written == 0
        stuck = False
        app.tick()
        await pilot.pause()
        one_picture = 120 * 35 * 4
        assert 0 < app.written < one_picture
        before = app.written
        app.tick()
        await pilot.pause()
        assert app.written == before
