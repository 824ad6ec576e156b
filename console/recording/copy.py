"""Copy a stretch of a recording into one file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from console.recording.blocks import GAP, Lost, RecordingError, pack_block, pack_preamble
from console.recording.encoder import Encoder
from console.recording.reader import Recording


def copy_span(recording: Recording, target: Path, since: datetime, until: datetime) -> int:
    """Write what was recorded from ``since`` to ``until`` into ``target``, a new file; its size in bytes.

    Chunks that lie within are copied as they are; the first and the last are cut to the moment. Raises RecordingError
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
            file.write(pack_block(GAP, until, msgspec.msgpack.encode(Lost(since, until, gap.why))))
    for chunk in recording.chunks(first, last):
        if chunk.began_at >= first and chunk.ended_at <= last:
            for block in chunk.blocks:
                payload = chunk.file.payload(block)
                if payload is None:
                    break
                file.write(pack_block(block.kind, block.at, payload))
        else:
            file.write(_cut(recording, max(first, chunk.began_at), min(last, chunk.ended_at)))


def _cut(recording: Recording, first: float, last: float) -> bytes:
    """One chunk from ``first`` to ``last``, made anew. Text that was hidden stays so, text that was not stays too."""
    encoder = Encoder(record_text=True)
    head = encoder.begin(first, recording.board_at(first))
    for beat in recording.beats(first):
        if beat.at > last or beat.whole:
            break
        encoder.add(beat.at, beat.frames)
    return head + encoder.flush()
