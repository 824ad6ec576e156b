"""Changes of the board → blocks. No I/O."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from console import frames, wire
from console.readings import Address, Reading, hide_text
from console.recording.blocks import CHUNK, MORE, pack_block

CHUNK_S = 300.0
LEVEL = 9
_WINDOW_BITS = 15
_MEMORY = 9


class Encoder:
    """Makes chunks. Remembers what the reader of the chunk would hold, with text hidden unless ``record_text``."""

    def __init__(self, *, record_text: bool) -> None:
        self._record_text = record_text
        self._held: dict[Address, Reading] = {}
        self._stream: zlib._Compress | None = None
        self._pending: list[bytes] = []
        self._kind = CHUNK
        self.began_at: float | None = None
        """Moment at which the chunk under way began, Unix seconds; None: there is none."""
        self.waiting_since: float | None = None
        """Moment of the oldest change that is in no block yet."""
        self.at = 0.0
        """Moment of the last change."""

    def begin(self, at: float, readings: Iterable[Reading]) -> bytes:
        """Begin a chunk with everything that is on the board at ``at``; its first block. The chunk before is flushed."""
        self._stream = zlib.compressobj(LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY)
        self._held = {reading.where: self._seen(reading) for reading in readings}
        self._kind = CHUNK
        self._pending = []
        self.began_at = at
        self.waiting_since = at
        self._add(at, [frames.keyframe(reading) for reading in self._held.values()])
        return self.flush()

    def beat(self, at: float, changes: Iterable[tuple[Address, Reading | None]]) -> None:
        """The board changed: what is at these addresses now, None where nothing is any more."""
        changed = [frame for where, reading in changes if (frame := self._change(where, reading)) is not None]
        if changed:
            self.waiting_since = self.waiting_since or at
            self._add(at, changed)

    def flush(self) -> bytes:
        """A block with what has been added since the last one; empty where nothing was."""
        if self._stream is None or self.waiting_since is None:
            return b""
        self._pending.append(self._stream.flush(zlib.Z_SYNC_FLUSH))
        block = pack_block(self._kind, self.waiting_since, self.at, b"".join(self._pending))
        self._pending = []
        self._kind = MORE
        self.waiting_since = None
        return block

    def _add(self, at: float, changed: list[frames.Frame]) -> None:
        assert self._stream is not None, "begin() comes first"
        self.at = at
        self._pending.append(self._stream.compress(wire.pack(wire.Frames(at, changed))))

    def _change(self, where: Address, reading: Reading | None) -> frames.Frame | None:
        if reading is None:
            return frames.Gone(*where) if self._held.pop(where, None) is not None else None
        seen = self._seen(reading)
        frame = frames.diff(self._held.get(where), seen)
        self._held[where] = seen
        return frame

    def _seen(self, reading: Reading) -> Reading:
        return reading if self._record_text else hide_text(reading)
