"""``banksman record``: one file of what the engine sees. The engine records anyway; a span of that is copied."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from console.commands import CommandError
from console.commands.target import Target, find_target, heard

if TYPE_CHECKING:
    from console.recording import Recording

EXIT_NOT_RECORDED = 3
CONNECT_S = 30.0
WRITTEN_S = 20.0
"""Seconds that the engine may take until what it saw is in its file: it writes in blocks."""


def run(args: argparse.Namespace) -> int:
    """Record; exit 0 once the file is whole, 3 where nothing was recorded."""
    path = Path(args.file)
    if args.span is not None and args.last is not None:
        raise CommandError("record: either --for (from now on) or --last (what was)")
    if path.exists():
        raise CommandError(f"record: {path} exists already")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"record: there is no folder {path.absolute().parent}")
    target = find_target(args.environment)
    size, seconds = asyncio.run(_record(target, path, args.span, args.last))
    sys.stderr.write(f"{path}: {seconds:.0f} s in {size / 1024:.0f} kB\n")
    return 0


async def _record(target: Target, path: Path, span: float | None, last: float | None) -> tuple[int, float]:
    """Size in bytes and length in seconds of what was written."""
    until = datetime.now(UTC)
    since = until - timedelta(seconds=last or 0)
    if last is None:
        since, until = await _watch(target, span)
    return await asyncio.to_thread(_copy, target.recordings, path, since, until, last is None)


async def _watch(target: Target, span: float | None) -> tuple[datetime, datetime]:
    """Keep the engine running for ``span`` seconds or until ctrl+c; since when and until when it was watched."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    feed = target.feed("record")
    await feed.open()
    try:
        if not await heard(feed, CONNECT_S):
            raise CommandError(feed.problem or "the engine does not answer", EXIT_NOT_RECORDED)
        since = datetime.now(UTC)
        ends = f"for {span:.0f} s" if span is not None else "until ctrl+c"
        sys.stderr.write(f"recording {target.name} {ends}\n")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), span)
        return since, datetime.now(UTC)
    finally:
        await feed.close()


def _copy(folder: Path, path: Path, since: datetime, until: datetime, wait: bool) -> tuple[int, float]:
    from console.recording import RecordingError, copy_span

    try:
        recording = _open(folder, until if wait else None)
        size = copy_span(recording, path, since, until)
    except (RecordingError, OSError) as error:
        raise CommandError(f"record: {error}", EXIT_NOT_RECORDED) from error
    first, last = max(since, recording.start), min(until, recording.end)
    return size, max(0.0, (last - first).total_seconds())


def _open(folder: Path, until: datetime | None) -> Recording:
    """The engine's recording, once it reaches ``until`` (it is written in blocks, a few seconds late)."""
    from console.recording import Recording

    recording = Recording.open(folder)
    deadline = time.monotonic() + WRITTEN_S
    while until is not None and recording.end < until and time.monotonic() < deadline:
        time.sleep(0.2)
        recording.refresh()
    return recording
