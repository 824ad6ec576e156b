"""``banksman status``: asks the engine, as the console does, and prints the verdict."""

from __future__ import annotations

import argparse
import asyncio
import sys

from console.commands import CommandError
from console.commands.summary import Summary, as_json, summarise
from console.commands.target import Target, find_target


def run(args: argparse.Namespace) -> int:
    """Print the status; exit 0 ok, 1 warning, 2 critical, 3 unknown or nothing configured."""
    if args.full and not args.json:
        raise CommandError("status: --full goes with --json")
    target = find_target(args.environment)
    summary = asyncio.run(look(target, args.wait))
    show(summary, json=args.json, full=args.full)
    return summary.exit_code


async def look(target: Target, wait_s: float) -> Summary:
    """What the engine says once every configured pane was read often enough, or after ``wait_s`` seconds."""
    feed = target.feed("status")
    await feed.open()
    try:
        await feed.wait_ready(wait_s)
        return summarise(feed.board.copy(), feed.now, target.name, feed.problem)
    finally:
        await feed.close()


def show(summary: Summary, *, json: bool, full: bool = False) -> None:
    """Print a summary for a program, or for a person."""
    if json:
        sys.stdout.write(as_json(summary, full=full) + "\n")
        return
    from console.commands.text import Paint, painted, status_lines, width_of

    lines = status_lines(summary, width_of(sys.stdout), Paint(painted(sys.stdout)))
    sys.stdout.write("\n".join(lines) + "\n")
