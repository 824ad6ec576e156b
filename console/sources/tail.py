"""What was added to a file since the last look: a log by its end, rotation and truncation included."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from console.sources.base import SourceError
from console.threads import Alone


class FileTail:
    """A file, or the newest file of a directory. After the first look only what was added is read."""

    def __init__(self, path: str, window: int = 512 * 1024) -> None:
        """``window``: bytes from the end of the file that one look reads at most; what lies before them is skipped."""
        self._path = Path(path).expanduser()
        self._window = window
        self._is: tuple[int, int] | None = None
        self._offset = 0
        self._alone = Alone()
        self.skipped = 0
        """Bytes that the last look left out because there were more than the window holds; the first look leaves out nothing."""

    async def fresh(self) -> tuple[Path, bytes]:
        """The file, and the whole lines that were added. Raises SourceError."""
        try:
            # In a thread: the file may lie on a mount that hangs.
            return await self._alone.run(self._new, f"log {self._path.name}")
        except OSError as error:
            raise SourceError(
                f"{self._path}: {error.strerror or error}", denied=isinstance(error, PermissionError)
            ) from None

    def _new(self) -> tuple[Path, bytes]:
        path = newest(self._path)
        # Not blocking: a pipe that nobody writes to would hang.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "not a regular file")
            first = self._is is None
            if self._is != (found.st_dev, found.st_ino) or found.st_size < self._offset:
                self._is, self._offset = (found.st_dev, found.st_ino), 0
            begin = max(self._offset, found.st_size - self._window)
            raw = os.pread(descriptor, max(0, found.st_size - begin), begin)
        finally:
            os.close(descriptor)
        self.skipped = 0 if first else begin - self._offset
        end = raw.rfind(b"\n") + 1  # a line that is still being written comes with the next look
        if not end and len(raw) < self._window:
            return path, b""
        whole = raw[:end] if end else raw
        skipped = begin > self._offset
        self._offset = begin + len(whole)
        # What was skipped ended in the middle of a line.
        return path, whole[whole.find(b"\n") + 1 :] if skipped and end else whole


def newest(path: Path) -> Path:
    """The file, or of a directory the file that was written last."""
    if not path.is_dir():
        return path
    found: tuple[float, str] | None = None
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith(".") or not entry.is_file():
                continue
            one = (entry.stat().st_mtime, entry.path)
            found = max(found, one) if found else one
    if found is None:
        raise OSError(0, "an empty directory")
    return Path(found[1])
