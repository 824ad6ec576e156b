"""Writes recordings to disk in a thread of its own, so that a slow disk never slows the engine."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from pathlib import Path

from console.recording import SUFFIX

KEEP_S = 7 * 86_400
KEEP_BYTES = 500_000_000
MOST_WAITING = 32_000_000
"""Bytes that may wait for the disk."""


class Disk:
    """Appends to the file opened last. ``problem`` says when it cannot."""

    def __init__(self, folder: Path, *, keep_s: float = KEEP_S, keep_bytes: int = KEEP_BYTES) -> None:
        self._folder = folder
        self._keep_s = keep_s
        self._keep_bytes = keep_bytes
        self._jobs: queue.SimpleQueue[tuple[Path, bytes] | bytes | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._failed = ""
        self._descriptor: int | None = None
        self._thread: threading.Thread | None = None
        self.total = 0
        """Bytes of all recordings in the folder."""
        self.safe_at: float | None = None
        """When the last write succeeded, Unix seconds; None: none did yet."""

    @property
    def problem(self) -> str:
        """Why nothing can be written; empty when it can."""
        if self._failed:
            return self._failed
        if self._waiting > MOST_WAITING:
            return f"the disk under {self._folder} does not follow: {self._waiting // 1_000_000} MB wait for it"
        return ""

    def open(self, path: Path, head: bytes) -> None:
        """From now on write to a new file; old ones that are too many are removed."""
        self._give((path, head), len(head))

    def write(self, data: bytes) -> None:
        """Append."""
        self._give(data, len(data))

    def recover(self) -> bool:
        """After a problem, once nothing waits any more: forget it. Whether writing may be tried again (in a new file)."""
        with self._lock:
            if self._waiting:
                return False
            self._failed = ""
            return True

    def close(self) -> None:
        """Write what waits, within two seconds."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(2.0)
            self._thread = None

    def _give(self, job: tuple[Path, bytes] | bytes, size: int) -> None:
        with self._lock:
            self._waiting += size
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            size = len(job[1]) if isinstance(job, tuple) else len(job)
            try:
                if not self._failed:
                    self._do(job)
            except OSError as error:
                self._failed = f"cannot write to {self._folder}: {error.strerror}"
            finally:
                with self._lock:
                    self._waiting -= size
        self._let_go()

    def _do(self, job: tuple[Path, bytes] | bytes) -> None:
        if isinstance(job, tuple):
            self._let_go()
            path, data = job
            self._remove_old()
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(path, flags, 0o640)
        else:
            data = job
        view = memoryview(data)
        while view and self._descriptor is not None:
            view = view[os.write(self._descriptor, view) :]
        self.total += len(data)
        self.safe_at = time.time()

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

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
