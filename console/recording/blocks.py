"""The bytes of a recording file: preamble and blocks."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

FORMAT = 1
SUFFIX = ".banksman"
CHUNK, MORE, GAP, PACKED = 1, 2, 3, 4
"""Kinds of block: the beginning of a chunk, its continuation, a stretch that could not be recorded, a whole chunk."""

_PREAMBLE = struct.Struct(">8sHI")
_MAGIC = b"BANKSMAN"
_BLOCK = struct.Struct(">BIddI")
_CHECK = struct.Struct(">I")
# A megabyte of window, and a search that stops early: a quarter of the default's time for three per cent more bytes.
_FILTERS = [
    {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20, "mf": lzma.MF_HC4, "nice_len": 64, "depth": 24}
]
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
    began_at: float
    """Moment of the first change in it, Unix seconds."""
    at: float
    """Moment of the last one."""
    offset: int
    """Where its payload begins in the file."""
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
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordingError(f"its header cannot be read: {error}") from error


def pack_block(kind: int, began_at: float, at: float, payload: bytes) -> bytes:
    """A block. Head and payload have a checksum each: heads are read alone, to find one's way."""
    head = _BLOCK.pack(kind, len(payload), began_at, at, zlib.crc32(payload))
    return head + _CHECK.pack(zlib.crc32(head)) + payload


def pack_chunk(began_at: float, ended_at: float, messages: bytes) -> bytes:
    """A whole chunk as one block. ``messages``: what its zlib stream holds."""
    packed = lzma.compress(messages, format=lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=_FILTERS)
    return pack_block(PACKED, began_at, ended_at, packed)


def unpack_chunk(payload: bytes) -> bytes:
    """The messages of a ``PACKED`` block. Raises lzma.LZMAError, EOFError."""
    return lzma.decompress(payload, format=lzma.FORMAT_XZ)


def scan(data: memoryview, offset: int) -> Iterator[Block]:
    """Blocks from ``offset`` on, up to the last whole one. Payloads are not looked at."""
    size, head = len(data), _BLOCK.size + _CHECK.size
    while offset + head <= size:
        kind, length, began_at, at, checksum = _BLOCK.unpack_from(data, offset)
        (check,) = _CHECK.unpack_from(data, offset + _BLOCK.size)
        if check != zlib.crc32(data[offset : offset + _BLOCK.size]) or kind not in (CHUNK, MORE, GAP, PACKED):
            return
        if length > _MAX_BLOCK or offset + head + length > size:
            return
        yield Block(kind, began_at, at, offset + head, length, checksum)
        offset += head + length
