"""Copy a stretch of a recording into one file."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from console import frames, wire
from console.recording.blocks import GAP, Lost, RecordingError, pack_block, pack_chunk, pack_preamble
from console.recording.reader import Recording, messages_of


def copy_span(recording: Recording, target: Path, since: datetime, until: datetime) -> int:
    """Write what was recorded from ``since`` to ``until`` into ``target``, a new file of mode 0600; its size in bytes.

    The first and the last chunk are cut to the moment. Raises RecordingError
    where nothing was recorded then, OSError where the file cannot be written; there is no half a file afterwards.
    """
    first, last = since.timestamp(), until.timestamp()
    if not recording.chunks(first, last):
        raise RecordingError("nothing was recorded in that time")
    # A name that nobody can have prepared, for the owner's eyes: queries and addresses are in it.
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _write(recording, file, first, last)
            size = file.tell()
        _publish(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return size


def _publish(partial: Path, target: Path) -> None:
    """Give the file its name. Raises FileExistsError where something has it by now, be it a link to nowhere."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        partial.replace(target)


def _write(recording: Recording, file: BinaryIO, first: float, last: float) -> None:
    header = recording.header
    file.write(pack_preamble(msgspec.structs.replace(header, started_at=max(first, recording.start.timestamp()))))
    for gap in recording.gaps:
        since, until = gap.since.timestamp(), gap.until.timestamp()
        if until > first and since < last and gap.why:
            file.write(pack_block(GAP, since, until, msgspec.msgpack.encode(Lost(since, until, gap.why))))
    for chunk in recording.chunks(first, last):
        begin, end = max(first, chunk.began_at), min(last, chunk.ended_at)
        whole = (begin, end) == (chunk.began_at, chunk.ended_at)
        file.write(pack_chunk(begin, end, messages_of(chunk) if whole else _cut(recording, begin, end)))


def _cut(recording: Recording, first: float, last: float) -> bytes:
    """The messages of one chunk from ``first`` to ``last``, made anew."""
    messages = [wire.pack(wire.Frames(first, [frames.keyframe(reading) for reading in recording.board_at(first)]))]
    for beat in recording.beats(first):
        if beat.at > last or beat.whole:
            break
        messages.append(wire.pack(wire.Frames(beat.at, beat.frames)))
    return b"".join(messages)
