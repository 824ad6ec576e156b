"""``banksman demo``: the laboratory up, the console on it; what it started it stops."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from console.commands import CommandError
from console.commands.opening import need_terminal

READY_S = 60.0
"""Seconds that ``--headless`` waits for a verdict on every pane: a fresh laboratory takes a few."""
LEAVE_S = 5.0
"""Seconds that the console gets to leave when we are told to end."""
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class _Told(BaseException):
    """A signal told us to end. Not an Exception: nothing on the way may swallow it."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


def run(args: argparse.Namespace) -> int:
    """Run the demonstration; exit code of the console, with ``--headless`` of the status."""
    if args.json and not args.headless:
        raise CommandError("demo: --json goes with --headless")
    if not args.headless:
        need_terminal("the demonstration")
    try:
        with _signals_told():
            return _demonstrate(args)
    except _Told as told:
        return told.exit_code


def _demonstrate(args: argparse.Namespace) -> int:
    from console.lab.errors import LabError
    from console.lab.lifecycle import running, up
    from console.settings import lab_dir

    directory = Path(args.dir).expanduser().resolve() if args.dir else lab_dir()
    ours = running(directory) is None
    path = directory / "environment.yaml"
    try:
        try:
            # Should we be killed outright, the laboratory ends with us all the same.
            up(directory, report=_say, owner=None if args.keep else os.getpid())
        except LabError as error:
            ours = False  # nothing of it runs on, and its logs stay to be looked at
            raise CommandError(str(error), 1) from error
        return _print_status(path, json=args.json) if args.headless else _open_console(path)
    finally:
        if ours and not args.keep:
            with _undisturbed():
                _put_away(directory)
        elif ours:
            _say(f"the laboratory stays up: banksman lab down --dir {directory}")


def _put_away(directory: Path) -> None:
    from console.lab.lifecycle import down

    _say("taking the laboratory down")
    with contextlib.suppress(OSError):
        asyncio.run(_end_engine(directory / "environment.yaml"))
    down(directory)


async def _end_engine(path: Path) -> None:
    """Tell a private engine that still watches the laboratory to end now, not ten seconds after its last client."""
    from console import launch, place
    from console.commands.target import heard
    from console.feed import EngineFeed, FeedError

    if not launch.listens(place.private(path).socket):
        return
    feed = EngineFeed(path, kind="other", topics=("environment",))
    await feed.open()
    try:
        if await heard(feed, 3):
            await feed.request("stop")
    except FeedError:
        return  # it ends by itself
    finally:
        await feed.close()


def _print_status(path: Path, *, json: bool) -> int:
    from console.commands.status import look, show
    from console.commands.target import find_target

    summary = asyncio.run(look(find_target(str(path)), READY_S))
    show(summary, json=json)
    return summary.exit_code


def _open_console(path: Path) -> int:
    """The console as a child: however it ends, we are there to take the laboratory down."""
    console = subprocess.Popen([sys.executable, "-P", "-m", "console.cli", "-e", str(path)])
    try:
        return console.wait()
    finally:
        if console.poll() is None:
            console.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                console.wait(LEAVE_S)
            if console.poll() is None:
                console.kill()
                console.wait()


@contextlib.contextmanager
def _signals_told() -> Iterator[None]:
    """SIGTERM, SIGHUP and ctrl+c raise, so that what was started is stopped on every way out."""

    def tell(number: int, _frame: FrameType | None) -> None:
        raise _Told(number)

    before = {number: signal.signal(number, tell) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Cleaning up is not interrupted half way: a second ctrl+c, or the terminal's end, waits for it."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    """Progress goes to stderr: stdout is for the answer."""
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:  # the terminal is gone; the work is not
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
