"""Recordings are read here: to any moment, and on from it. Whatever is broken at the end of a file is left out."""

from __future__ import annotations

import bisect
import lzma
import math
import mmap
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from console import frames, wire
from console.board import Board
from console.recording.blocks import (
    CHUNK,
    GAP,
    PACKED,
    SUFFIX,
    Block,
    Header,
    Lost,
    RecordingError,
    read_preamble,
    scan,
    unpack_chunk,
)
from console.recording.fold import Fold

_MAX_MESSAGE = 256 * 1024 * 1024
GAP_S = 10.0
"""Between two chunks nothing may be missing for longer than this, else it counts as a gap."""


class Gap(NamedTuple):
    """A stretch of which nothing is known."""

    since: datetime
    until: datetime
    why: str


class Beat(NamedTuple):
    """One change of the board."""

    at: float
    """Unix seconds."""
    frames: list[frames.Frame]
    whole: bool
    """These are keyframes of everything: what is not among them is no longer there."""


class Chunk(NamedTuple):
    """Where a chunk lies."""

    began_at: float
    ended_at: float
    """Unix seconds."""
    file: _File
    blocks: list[Block]


class _File:
    """One file, mapped into memory as far as it is written now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = self._map()
        with memoryview(self.data) as view:
            self.header, self._scanned = read_preamble(view)
        self.chunks: list[Chunk] = []
        self.lost: list[Lost] = []
        self._scan()

    def grow(self) -> bool:
        """Take in what has been written since; whether there was anything."""
        if self.path.stat().st_size <= len(self.data):
            return False
        self.data = self._map()
        return self._scan()

    def payload(self, block: Block) -> bytes | None:
        """The bytes of a block; None where they are not what was written."""
        payload = self.data[block.offset : block.offset + block.length]
        return payload if zlib.crc32(payload) == block.checksum else None

    def _map(self) -> bytes | mmap.mmap:
        with self.path.open("rb") as file:
            try:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:  # empty
                return b""

    def _scan(self) -> bool:
        before = self._scanned
        with memoryview(self.data) as view:
            for block in scan(view, self._scanned):
                self._scanned = block.offset + block.length
                self._take(block)
        return self._scanned > before

    def _take(self, block: Block) -> None:
        if block.kind == GAP:
            payload = self.payload(block)
            if payload is not None:
                self.lost.append(msgspec.msgpack.decode(payload, type=Lost))
        elif block.kind in (CHUNK, PACKED):
            self.chunks.append(Chunk(block.began_at, block.at, self, [block]))
        elif self.chunks:
            chunk = self.chunks[-1]
            chunk.blocks.append(block)
            self.chunks[-1] = chunk._replace(ended_at=block.at)


class Recording:
    """One file, or all files of a directory, as one stretch of time."""

    def __init__(self, paths: list[Path], folder: Path | None = None) -> None:
        self._folder = folder
        self._files: dict[Path, _File] = {}
        self._chunks: list[Chunk] = []
        self._starts: list[float] = []
        self.problems: list[str] = []
        """What could not be read, a sentence each."""
        for path in paths:
            self._add(path)
        self._index()
        if not self._chunks:
            raise RecordingError("; ".join(self.problems) or f"nothing is recorded in {folder or paths[0]} yet")

    @classmethod
    def open(cls, path: Path) -> Recording:
        """A recording file, or a directory of them. Raises RecordingError, with a sentence."""
        try:
            if path.is_dir():
                return cls(sorted(path.glob(f"*{SUFFIX}")), path)
            return cls([path])
        except OSError as error:
            raise RecordingError(f"{path}: {error.strerror}") from error

    @property
    def header(self) -> Header:
        """Of the latest file."""
        return self._chunks[-1].file.header

    @property
    def start(self) -> datetime:
        """The first recorded moment."""
        return _moment(self._chunks[0].began_at)

    @property
    def end(self) -> datetime:
        """The last one, as far as is written now (``refresh`` looks again)."""
        return _moment(self._chunks[-1].ended_at)

    @property
    def gaps(self) -> list[Gap]:
        """Stretches between start and end of which nothing is known: no engine ran, or the disk could not follow."""
        lost = [
            Gap(_moment(gap.since), _moment(gap.until), gap.why) for file in self._files.values() for gap in file.lost
        ]
        for before, after in zip(self._chunks, self._chunks[1:], strict=False):
            if after.began_at - before.ended_at > GAP_S:
                since, until = _moment(before.ended_at), _moment(after.began_at)
                if not any(gap.since <= until and gap.until >= since for gap in lost):
                    lost.append(Gap(since, until, "no engine was running"))
        return sorted(lost)

    def refresh(self) -> bool:
        """Take in what has been written since; whether there was anything."""
        grown = False
        for path, file in list(self._files.items()):
            try:
                grown = file.grow() or grown
            except OSError:  # removed meanwhile for its age; what is mapped stays readable
                self._files.pop(path)
                grown = True
        for path in sorted(self._folder.glob(f"*{SUFFIX}")) if self._folder else ():
            if path not in self._files:
                grown = self._add(path) or grown
        if grown:
            self._index()
        return grown

    def board_at(self, moment: datetime | float) -> Board:
        """The board as it was; before the beginning it is empty."""
        at = moment if isinstance(moment, float) else moment.timestamp()
        number = self._chunk_at(at)
        if number is None:
            return Board()
        fold = Fold()
        for beat in self._beats(self._chunks[number]):
            if beat.at > at:
                break
            fold.take(beat.frames)
        board = Board()
        for reading in fold.readings():
            board.put(reading)
        return board

    def beats(self, after: float) -> Iterator[Beat]:
        """Changes after ``after`` (Unix seconds), in order, from the board at ``after`` on."""
        number = self._chunk_at(after)
        for chunk in self._chunks[number or 0 :]:
            for beat in self._beats(chunk):
                if beat.at > after:
                    yield beat

    def moments(self, since: float, until: float) -> list[float]:
        """Moments of change within a stretch, for stepping."""
        number = self._chunk_at(since)
        found: list[float] = []
        for chunk in self._chunks[number or 0 :]:
            if chunk.began_at > until:
                break
            found += [beat.at for beat in self._beats(chunk) if since <= beat.at <= until]
        return found

    def chunks(self, since: float = 0.0, until: float = math.inf) -> list[Chunk]:
        """Chunks that have a part in a stretch (Unix seconds)."""
        first = self._chunk_at(since) or 0
        return [chunk for chunk in self._chunks[first:] if chunk.began_at <= until and chunk.ended_at >= since]

    def _chunk_at(self, at: float) -> int | None:
        number = bisect.bisect_right(self._starts, at) - 1
        return number if number >= 0 else None

    def _beats(self, chunk: Chunk) -> Iterator[Beat]:
        splitter = wire.Splitter(_MAX_MESSAGE)
        whole = True
        try:
            for piece in _pieces(chunk):
                for body in splitter.feed(piece):
                    message = _frames.decode(body)
                    yield Beat(message.at, message.frames, whole)
                    whole = False
        except (*_BROKEN, msgspec.MsgspecError, UnicodeDecodeError, wire.WireError):
            return  # The rest of this chunk leans on what cannot be read; the next one stands by itself.

    def _add(self, path: Path) -> bool:
        try:
            self._files[path] = _File(path)
        except (OSError, RecordingError, msgspec.MsgspecError) as error:
            self.problems.append(f"{path.name}: {error}")
            return False
        return True

    def _index(self) -> None:
        chunks = [chunk for file in self._files.values() for chunk in file.chunks]
        if not chunks and self._chunks:
            return  # removed by age while somebody travels in it: what is mapped can still be read
        # A chunk that was just packed is still there as it was written.
        latest = {chunk.began_at: chunk for chunk in sorted(chunks, key=lambda chunk: chunk.ended_at)}
        self._chunks = sorted(latest.values(), key=lambda chunk: chunk.began_at)
        self._starts = [chunk.began_at for chunk in self._chunks]


_frames: msgspec.msgpack.Decoder[wire.Frames] = msgspec.msgpack.Decoder(wire.Frames)


_BROKEN = (zlib.error, lzma.LZMAError, EOFError)


def messages_of(chunk: Chunk) -> bytes:
    """All messages of a chunk, as far as they can be read."""
    found = bytearray()
    try:
        for piece in _pieces(chunk):
            found += piece
    except _BROKEN:
        return bytes(found)
    return bytes(found)


def _pieces(chunk: Chunk) -> Iterator[bytes]:
    stream = zlib.decompressobj()
    for block in list(chunk.blocks):
        payload = chunk.file.payload(block)
        if payload is None:
            return
        yield unpack_chunk(payload) if block.kind == PACKED else stream.decompress(payload)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
