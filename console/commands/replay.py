"""``banksman replay``: a recording on the same screens, or one moment of it for a program."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.commands import CommandError
from console.commands.opening import need_terminal, own_settings
from console.commands.opening import show as show_console

_SPAN = re.compile(r"([+-])([0-9]{1,6}(?:\.[0-9]{1,6})?)(s|m|min|h|)$")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?Z?$")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def run(args: argparse.Namespace) -> int:
    """Open the recording; with ``--json`` print one moment of it, and exit with its verdict as ``status`` does."""
    from console.recording import Recording, RecordingError

    if args.full and not args.json:
        raise CommandError("replay: --full goes with --json")
    if not args.json:
        need_terminal("a replay")
    try:
        recording = Recording.open(Path(args.file))
    except RecordingError as error:
        raise CommandError(f"{args.file}: {error}") from error
    moment = moment_in(args.at, recording.start, recording.end) if args.at else None
    if args.json:
        from console.commands.status import show
        from console.commands.summary import summarise

        at = moment or recording.end
        summary = summarise(recording.board_at(at), at, recording.header.environment)
        show(summary, json=True, full=args.full)
        return summary.exit_code
    from console.feed.recording import RecordingFeed

    feed = RecordingFeed(recording)
    if moment is not None:
        feed.seek(moment)
    return show_console(feed, own_settings(), read_only=True)


def moment_in(text: str, start: datetime, end: datetime) -> datetime:
    """The moment that ``text`` names, within the recording. Raises CommandError.

    ``2026-11-22T02:41:00Z``, ``02:41`` or ``02:41:30`` (UTC, the first such time in the recording), ``+10m`` from the
    start, ``-5m`` from the end, ``start``, ``end``.
    """
    text = text.strip()
    if text in ("start", "end"):
        return start if text == "start" else end
    if span := _SPAN.match(text):
        seconds = timedelta(seconds=float(span[2]) * _UNITS[span[3]])
        found = start + seconds if span[1] == "+" else end - seconds
    elif time := _TIME.match(text):
        hour, minute, second = (int(part or 0) for part in time.groups())
        found = start.astimezone(UTC).replace(hour=hour, minute=minute, second=second, microsecond=0)
        if found < start.replace(microsecond=0):
            found += timedelta(days=1)
    else:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise CommandError(
                f"expected a moment such as 2026-11-22T02:41:00Z, 02:41, +10m or -5m, found {text[:40]!r}"
            ) from None
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if not start.replace(microsecond=0) <= found <= end + timedelta(seconds=1):
        raise CommandError(
            f"{found:%Y-%m-%dT%H:%M:%SZ} is not in the recording: {start:%Y-%m-%dT%H:%M:%SZ} to {end:%Y-%m-%dT%H:%M:%SZ}"
        )
    return min(max(found, start), end)
