"""One engine per environment and place: a file lock, which the kernel lets go of however its holder ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

PATIENCE_S = 3.0
"""An engine that is told to end needs a moment; whoever was started in its place waits so long."""


class Lock:
    """Held from ``take`` until ``release``, or until this process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, patience_s: float = PATIENCE_S) -> bool:
        """Whether it could be had within ``patience_s``. Raises OSError where the file cannot be opened."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        until = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(descriptor)
                    return False
                time.sleep(0.05)
                continue
            self._descriptor = descriptor
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return True

    def release(self) -> None:
        """Let go. The file stays: removing it would let two engines hold a lock of the same name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
