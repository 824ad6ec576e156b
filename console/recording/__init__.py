"""Recordings: files of what the board was, moment by moment.

A file is a preamble (``BANKSMAN``, format number, a header map) and blocks. Each block has its kind, length, checksum and
the moment of the last change in it. A *chunk* of at most five minutes begins with keyframes of everything, so that any
moment is reached from the chunk it lies in. Inside are the same ``Frames`` messages that go over the socket.

A chunk under way is a zlib stream, flushed at every block, in a file of its own (``…-live.banksman``), so that of a
writer that was killed everything can be read but its last second. A finished chunk is packed, by lzma, which takes
nearly half as much again off it, into one block of the hourly file.

    recording = Recording.open(path)            # a file, or a directory of them; also while it is being written
    recording.start, recording.end, recording.gaps
    board = recording.board_at(moment)
    copy_span(recording, target, since, until)
"""

from console.recording.blocks import FORMAT, SUFFIX, Header, RecordingError
from console.recording.copy import copy_span
from console.recording.encoder import CHUNK_S, Encoder
from console.recording.reader import Beat, Gap, Recording

__all__ = [
    "CHUNK_S",
    "FORMAT",
    "SUFFIX",
    "Beat",
    "Encoder",
    "Gap",
    "Header",
    "Recording",
    "RecordingError",
    "copy_span",
]
