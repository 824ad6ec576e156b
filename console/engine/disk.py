"""Writes recordings to disk in a thread of its own, so that a slow disk never slows the engine."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from console.recording import SUFFIX, Recording, RecordingError
from console.recording.blocks import pack_chunk
from console.recording.reader import messages_of

KEEP_S = 7 * 86_400
KEEP_BYTES = 500_000_000
MOST_WAITING = 32_000_000
"""Bytes that may wait for the disk."""
CLOSING_S = 2.0


class Disk:
    """Writes what it is given, in order. ``problem`` says when it cannot; from then on everything is dropped until
    ``recover``."""

    def __init__(
        self,
        folder: Path,
        *,
        keep_s: float = KEEP_S,
        keep_bytes: int = KEEP_BYTES,
        write: Callable[[int, memoryview], int] = os.write,
    ) -> None:
        self._folder = folder
        self._keep_s = keep_s
        self._keep_bytes = keep_bytes
        self._os_write = write
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], int] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._failed = ""
        self._hour: _Appending | None = None
        self._live: _Appending | None = None
        self._thread: threading.Thread | None = None
        self.total = 0
        """Bytes of all recordings in the folder."""
        self.safe_at: float | None = None
        """Moment of the last change that was written, Unix seconds; None: none was yet."""

    @property
    def problem(self) -> str:
        """Why nothing can be written; empty when it can."""
        if self._failed:
            return self._failed
        if self._waiting > MOST_WAITING:
            return f"the disk under {self._folder} does not follow: {self._waiting // 1_000_000} MB wait for it"
        return ""

    def begin_hour(self, path: Path, head: bytes) -> None:
        """A new file for finished chunks; old files that are too many are removed."""
        self._give(lambda: self._begin_hour(path, head), len(head))

    def begin_chunk(self, path: Path, head: bytes) -> None:
        """The chunk under way is finished: pack it into the hour's file. A new one begins in a file of its own."""
        self._give(lambda: self._begin_chunk(path, head), len(head))

    def write(self, data: bytes, at: float) -> None:
        """Append to the chunk under way what was up to ``at``."""
        self._give(lambda: self._write(self._live, data, at), len(data))

    def note(self, data: bytes) -> None:
        """Append to the hour's file."""
        self._give(lambda: self._write(self._hour, data), len(data))

    def recover(self) -> bool:
        """After a problem, once nothing waits any more: forget it. Whether writing may be tried again (in new files)."""
        with self._lock:
            if self._waiting:
                return False
            self._failed = ""
            return True

    def close(self) -> None:
        """Write and pack what waits, within ``CLOSING_S``."""
        if self._thread is not None:
            self._give(self._pack, 0)
            self._jobs.put(None)
            self._thread.join(CLOSING_S)
            self._thread = None

    def _give(self, job: Callable[[], None], size: int) -> None:
        with self._lock:
            self._waiting += size
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
            self._thread.start()
        self._jobs.put((job, size))

    def _run(self) -> None:
        while (found := self._jobs.get()) is not None:
            job, size = found
            try:
                if not self._failed:
                    job()
            except OSError as error:
                self._failed = f"cannot write to {self._folder}: {error.strerror}"
                self._let_go()
            finally:
                with self._lock:
                    self._waiting -= size
        self._let_go()

    def _begin_hour(self, path: Path, head: bytes) -> None:
        self._pack()
        if self._hour is not None:
            self._hour.close()
        self._remove_old()
        self._hour = _Appending(path)
        self._write(self._hour, head)

    def _begin_chunk(self, path: Path, head: bytes) -> None:
        self._pack()
        self._live = _Appending(path)
        self._write(self._live, head)

    def _pack(self) -> None:
        """Move the chunk under way into the hour's file."""
        live, self._live = self._live, None
        if live is None or self._hour is None:
            return
        live.close()
        try:
            [chunk] = Recording.open(live.path).chunks()
        except (RecordingError, ValueError):
            return  # Not a chunk yet; it stays as it is.
        self._write(self._hour, pack_chunk(chunk.began_at, chunk.ended_at, messages_of(chunk)))
        self.total -= live.path.stat().st_size
        live.path.unlink()

    def _write(self, file: _Appending | None, data: bytes, at: float | None = None) -> None:
        view = memoryview(data)
        while view and file is not None:
            view = view[self._os_write(file.descriptor, view) :]
        self.total += len(data)
        self.safe_at = at or self.safe_at

    def _let_go(self) -> None:
        for file in (self._hour, self._live):
            if file is not None:
                file.close()
        self._hour = self._live = None

    def _remove_old(self) -> None:
        """Beyond the time or the size that recordings may take."""
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        total, oldest = sum(size for _, size, _ in found), time.time() - self._keep_s
        for modified, size, path in sorted(found):
            if modified < oldest or total > self._keep_bytes:
                path.unlink(missing_ok=True)
                total -= size
        self.total = total


class _Appending:
    """A new file, open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)

    def close(self) -> None:
        """No more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
