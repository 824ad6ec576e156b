"""Every engine records while it runs: hourly files in its state directory, the oldest removed beyond seven days or 500 MB.

Nothing is dropped. Where the disk cannot follow, recording pauses, and the file says from when to when and why.
"""

from __future__ import annotations

import logging
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from console import __version__
from console.board import Board
from console.engine.disk import Disk
from console.readings import Reading
from console.recording import CHUNK_S, FORMAT, SUFFIX, Encoder, Header
from console.recording.blocks import GAP, Lost, pack_block, pack_preamble

HOUR_S = 3600
FLUSH_S = 0.9
"""A change is in a block, and the block on its way to the disk, about so many seconds after it happened at the latest
(beats and ticks come once a second at least): a killed engine loses at most two seconds."""
RETRY_S = 5.0
LONGEST_RETRY_S = 60.0
"""After the disk failed, seconds until it is tried again: at first, and at most."""

_log = logging.getLogger(__name__)


class Recorder:
    """Turns beats into files. Called in the event loop; the writing is done by a thread."""

    def __init__(self, folder: Path, environment: str, *, record_text: bool, disk: Disk | None = None) -> None:
        self._folder = folder
        self._environment = environment
        self._record_text = record_text
        self._disk = disk or Disk(folder)
        self._encoder = Encoder(record_text=record_text)
        self._hour = -1
        self._lost_since: float | None = None
        self._last_at = 0.0
        self._retry_at = 0.0
        self._retry_s = RETRY_S
        self._resumed_at = 0.0
        self._number = 0
        self.problem = ""
        """Why nothing is recorded just now; empty while it is."""

    @property
    def megabytes(self) -> float:
        """What all recordings of this environment take."""
        return self._disk.total / 1_000_000

    def take(self, at: float, changes: list[tuple[Reading | None, Reading | None]], board: Board) -> None:
        """The board changed at ``at`` (Unix seconds): (before, after) per address."""
        if not self._can_write(at):
            return
        began_at = self._encoder.began_at
        if began_at is None or not 0 <= at - began_at < CHUNK_S or int(at // HOUR_S) != self._hour:
            self._begin(at, board)
        else:
            self._encoder.beat(at, ((known.where, new) for old, new in changes if (known := new or old)))
        self._last_at = at
        self._flush(at)

    def tick(self, at: float, _board: Board) -> None:
        """Once a second; ``at``: the moment of the last change."""
        self._flush(max(at, time.time()))
        if self.problem and self._lost_since is None and (self._disk.safe_at or 0.0) >= self._resumed_at:
            _log.warning("recording goes on after: %s", self.problem)
            self.problem, self._retry_s = "", RETRY_S

    def close(self) -> None:
        """Write what there is."""
        self._write(self._encoder.flush())
        self._disk.close()

    def _begin(self, at: float, board: Board) -> None:
        self._write(self._encoder.flush())
        head = pack_preamble(Header(FORMAT, __version__, self._environment, at, self._record_text))
        self._number += 1
        name = f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}-{self._number}"
        if self._encoder.began_at is None or int(at // HOUR_S) != self._hour:
            self._hour = int(at // HOUR_S)
            self._disk.begin_hour(self._folder / f"{name}{SUFFIX}", head)
        if self._lost_since is not None:
            gap = Lost(self._lost_since, at, self.problem or "the disk could not follow")
            self._disk.note(pack_block(GAP, gap.since, at, msgspec.msgpack.encode(gap)))
            self._lost_since, self._resumed_at = None, at
        self._disk.begin_chunk(self._folder / f"{name}-live{SUFFIX}", head)
        self._write(self._encoder.begin(at, board))

    def _flush(self, at: float) -> None:
        waiting = self._encoder.waiting_since
        if waiting is not None and at - waiting >= FLUSH_S:
            self._write(self._encoder.flush())

    def _write(self, block: bytes) -> None:
        if block:
            self._disk.write(block, self._encoder.at)

    def _can_write(self, at: float) -> bool:
        """Whether the disk follows. When it stops doing so the chunk under way is given up; a gap begins."""
        problem = self._disk.problem
        if problem and self._lost_since is None:
            self._lost_since = self._disk.safe_at or self._last_at or at
            self._encoder = Encoder(record_text=self._record_text)
            self._retry_at, self._retry_s = at + self._retry_s, min(2 * self._retry_s, LONGEST_RETRY_S)
            if problem != self.problem:
                _log.warning("recording paused: %s", problem)
            self.problem = problem
        if self._lost_since is None:
            return True
        return at >= self._retry_at and self._disk.recover()
