"""Copy a stretch of a recording into one file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from console import frames, wire
from console.recording.blocks import GAP, Lost, RecordingError, pack_block, pack_chunk, pack_preamble
from console.recording.reader import Recording, messages_of


def copy_span(recording: Recording, target: Path, since: datetime, until: datetime) -> int:
    """Write what was recorded from ``since`` to ``until`` into ``target``, a new file; its size in bytes.

    The first and the last chunk are cut to the moment. Raises RecordingError
    where nothing was recorded then, OSError where the file cannot be written; there is no half a file afterwards.
    """
    first, last = since.timestamp(), until.timestamp()
    if not recording.chunks(first, last):
        raise RecordingError("nothing was recorded in that time")
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("xb") as file:
            _write(recording, file, first, last)
            size = file.tell()
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return size


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
