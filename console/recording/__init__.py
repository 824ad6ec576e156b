"""Recordings: files of what the board was, moment by moment.

A file is a preamble (``BANKSMAN``, format number, a header map) and blocks. Each block has its kind, length, checksum and
the moment of the last change in it. A *chunk* of at most five minutes begins with keyframes of everything, so that any
moment is reached from the chunk it lies in; it is one zlib stream, flushed at every block, so that a file whose writer
was killed can be read to its last whole block. Inside are the same ``Frames`` messages that go over the socket.

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
