"""``banksman`` without a command: opens the console."""

from __future__ import annotations

import argparse
import sys

from console.commands import CommandError
from console.commands.target import find_target


def run(args: argparse.Namespace) -> int:
    """Open the console on the environment; its exit code."""
    need_terminal("the console")
    target = find_target(args.environment)  # the engine starts here, before Textual is imported
    feed = target.feed("console")
    from console.app import run_console

    return run_console(feed, read_only=args.read_only)


def need_terminal(what: str) -> None:
    """Raises CommandError where nobody could see a picture or press a key."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(f"{what} needs a terminal; `banksman status` prints the same for programs and pipes")
