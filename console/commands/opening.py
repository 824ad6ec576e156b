"""``banksman`` without a command: opens the console."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from console.commands import CommandError
from console.commands.target import Target, find_target

if TYPE_CHECKING:
    from console.feed.recording import RecordingFeed


def run(args: argparse.Namespace) -> int:
    """Open the console on the environment; its exit code."""
    need_terminal("the console")
    target = find_target(args.environment)  # the engine starts here, before Textual is imported
    feed = target.feed("console")
    from console.app import run_console

    return run_console(feed, read_only=args.read_only, open_recording=lambda: _past(target))


def _past(target: Target) -> RecordingFeed | None:
    """The engine's own recording; None where there is none yet."""
    from console.feed.recording import RecordingFeed
    from console.recording import Recording, RecordingError

    try:
        return RecordingFeed(Recording.open(target.recordings))
    except RecordingError:
        return None


def need_terminal(what: str) -> None:
    """Raises CommandError where nobody could see a picture or press a key."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(f"{what} needs a terminal; `banksman status` prints the same for programs and pipes")
