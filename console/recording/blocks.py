"""The bytes of a recording file: preamble and blocks."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

FORMAT = 1
SUFFIX = ".banksman"
CHUNK, MORE, GAP = 1, 2, 3
"""Kinds of block: the beginning of a chunk, its continuation, a stretch that could not be recorded."""

_PREAMBLE = struct.Struct(">8sHI")
_MAGIC = b"BANKSMAN"
_BLOCK = struct.Struct(">BIId")
_MAX_HEADER = 64 * 1024
_MAX_BLOCK = 256 * 1024 * 1024


class RecordingError(Exception):
    """A file that is no recording, or one of a later format; the text is a sentence."""


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who recorded what."""

    format: int = FORMAT
    build: str = ""
    environment: str = ""
    started_at: float = 0.0
    """Unix seconds."""
    record_text: bool = False
    """Whether queries and log lines are in it."""


class Lost(msgspec.Struct, frozen=True):
    """Content of a ``GAP`` block. Moments in Unix seconds."""

    since: float
    until: float
    why: str = ""


class Block(NamedTuple):
    """Where a block's payload lies in its file."""

    kind: int
    at: float
    """Moment of the last change in it, Unix seconds."""
    offset: int
    length: int
    checksum: int


def pack_preamble(header: Header) -> bytes:
    """The beginning of a file."""
    body = msgspec.msgpack.encode(header)
    return _PREAMBLE.pack(_MAGIC, FORMAT, len(body)) + body


def read_preamble(data: memoryview) -> tuple[Header, int]:
    """Header, and where the first block begins. Raises RecordingError."""
    if len(data) < _PREAMBLE.size:
        raise RecordingError("the file ends before its header")
    magic, number, length = _PREAMBLE.unpack_from(data)
    if magic != _MAGIC or length > _MAX_HEADER:
        raise RecordingError("this is no recording of Banksman")
    if number > FORMAT:
        raise RecordingError(f"recorded in format {number}; this version reads up to {FORMAT}")
    end = _PREAMBLE.size + length
    if len(data) < end:
        raise RecordingError("the file ends before its header")
    try:
        return msgspec.msgpack.decode(data[_PREAMBLE.size : end], type=Header), end
    except msgspec.MsgspecError as error:
        raise RecordingError(f"its header cannot be read: {error}") from error


def pack_block(kind: int, at: float, payload: bytes) -> bytes:
    """A block."""
    return _BLOCK.pack(kind, len(payload), zlib.crc32(payload), at) + payload


def scan(data: memoryview, offset: int) -> Iterator[Block]:
    """Blocks from ``offset`` on, up to the last whole one. Payloads are not looked at."""
    size, head = len(data), _BLOCK.size
    while offset + head <= size:
        kind, length, checksum, at = _BLOCK.unpack_from(data, offset)
        if kind not in (CHUNK, MORE, GAP) or length > _MAX_BLOCK or offset + head + length > size:
            return
        yield Block(kind, at, offset + head, length, checksum)
        offset += head + length
