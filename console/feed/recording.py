"""The feed of a recording: the same board and the same changes, at a moment that one chooses."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from console import frames
from console.board import Board
from console.feed.base import Feed, FeedError
from console.readings import Address
from console.recording import Beat, Gap, Recording

TICK_S = 0.1
SKIP_S = 10.0
"""Playing jumps over a stretch longer than this in which nothing was recorded."""
_STEP_BACK_S = 60.0


class RecordingFeed(Feed):
    """Plays a recording: ``play``, ``pause``, ``step``, ``seek``, ``speed``. Begins at the recording's start, paused."""

    def __init__(self, recording: Recording) -> None:
        super().__init__("recording")
        self.recording = recording
        self.speed = 1.0
        """Recorded seconds per second."""
        self.playing = False
        self._at = recording.start.timestamp()
        self._ahead: Iterator[Beat] = iter(())
        self._next: Beat | None = None
        self._task: asyncio.Task[None] | None = None
        self.seek(recording.start)

    @classmethod
    async def of(cls, path: Path) -> RecordingFeed:
        """A feed of the file or directory at ``path``, read in a thread. Raises RecordingError."""
        return cls(await asyncio.to_thread(Recording.open, path))

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self._at, UTC)

    @property
    def live(self) -> bool:
        return False

    @property
    def start(self) -> datetime:
        """The first recorded moment."""
        return self.recording.start

    @property
    def end(self) -> datetime:
        """The last one."""
        return self.recording.end

    @property
    def gaps(self) -> list[Gap]:
        """Stretches of which nothing is known."""
        return self.recording.gaps

    async def open(self) -> None:
        return

    async def close(self) -> None:
        self.pause()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def request(
        self,
        do: Literal["refresh", "log", "unlog", "describe", "undescribe", "stop"],
        target: str = "",
        arguments: dict[str, Any] | None = None,
    ) -> None:
        raise FeedError("this is a recording: there is nobody to ask")

    def subscribe(self, topics: list[str]) -> None:
        """Everything recorded is there anyway."""

    def play(self) -> None:
        """Go on from here, ``speed`` times as fast as it happened. At the end it pauses."""
        if not self.playing:
            self.playing = True
            self._task = asyncio.create_task(self._play(), name="replay")
            self._tell(state=True)

    def pause(self) -> None:
        """Stand still."""
        if self.playing:
            self.playing = False
            if self._task is not None:
                self._task.cancel()
            self._tell(state=True)

    def seek(self, moment: datetime) -> None:
        """Jump; before the start and after the end is the start and the end."""
        if moment >= self.end:
            self.recording.refresh()
        at = min(max(moment.timestamp(), self.start.timestamp()), self.end.timestamp())
        self._become(self.recording.board_at(at), at)

    def step(self, count: int = 1) -> None:
        """To the next change, or (negative) the one before; where there is none, to the end or the start."""
        for _ in range(count):
            self.recording.refresh()
            beat = self._peek()
            self._at = beat.at if beat else self.end.timestamp()
            self._take([beat] if beat else [])
        if count < 0:
            # The last of these is the one that is shown.
            *before, _shown = self.recording.moments(self._at - _STEP_BACK_S, self._at) or [self._at]
            chosen = before[max(count, -len(before))] if before else self._at - _STEP_BACK_S
            self.seek(datetime.fromtimestamp(chosen, UTC))

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while self.playing:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            self._advance((now - last) * self.speed)
            last = now

    def _advance(self, seconds: float) -> None:
        """Time passes."""
        beat = self._peek()
        if beat is None and self.recording.refresh():
            self._look_ahead()
            beat = self._peek()
        if beat is None:
            self.playing = False
            self._tell(state=True)
            return
        target = self._at + seconds
        if beat.at - target > SKIP_S:
            target = beat.at
        due: list[Beat] = []
        while (beat := self._peek()) is not None and beat.at <= target:
            due.append(beat)
            self._next = None
        self._at = target
        self._take(due)

    def _peek(self) -> Beat | None:
        if self._next is None:
            self._next = next(self._ahead, None)
        return self._next

    def _look_ahead(self) -> None:
        self._ahead, self._next = self.recording.beats(self._at), None

    def _take(self, beats: list[Beat]) -> None:
        if beats and beats[0] is self._next:
            self._next = None
        changed: set[Address] = set()
        for beat in beats:
            if beat.whole:
                present = {frames.frame_address(frame) for frame in beat.frames}
                for where in [reading.where for reading in self.board if reading.where not in present]:
                    self.board.remove(where)
                    changed.add(where)
            for frame in beat.frames:
                try:
                    changed.add(self.board.apply(frame))
                except frames.FrameError:
                    continue  # of a later version: this one cannot show it
        self._tell(frozenset(changed))

    def _become(self, board: Board, at: float) -> None:
        """Another moment: only what differs is told."""
        self._at = at
        self._look_ahead()
        changed = {reading.where for reading in board if self.board.at(reading.where) != reading}
        gone = [reading.where for reading in self.board if board.at(reading.where) is None]
        for where in gone:
            self.board.remove(where)
        for reading in board:
            self.board.put(reading)
        self._tell(frozenset(itertools.chain(changed, gone)), state=True)
