"""A container's process: a session of its own, noticed when it ends, and ended together with all it has started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path


class Child:
    """One run of a program.

    Attributes:
        ended: Done when its first process has ended: with its exit code, which is 128 + the number of a signal.
    """

    def __init__(self, argv: list[str], environment: dict[str, str], directory: Path, log: Path) -> None:
        """Start it.

        Raises:
            OSError: It cannot be started.
        """
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                argv,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[int] = self._loop.create_future()
        self._handle = os.pidfd_open(self.pid)
        self._loop.add_reader(self._handle, self._reap)

    def _reap(self) -> None:
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        self.kill()  # what it left behind; it is not reaped yet, so its number is nobody else's
        code = self._process.wait()
        self.ended.set_result(code if code >= 0 else 128 - code)

    def _signal_all(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    @property
    def runs(self) -> bool:
        return not self.ended.done()

    def kill(self) -> None:
        """End it and all it has started, at once."""
        if self.runs:
            self._signal_all(signal.SIGKILL)

    def freeze(self) -> None:
        """Have all its processes stand still."""
        if self.runs:
            self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have them go on."""
        if self.runs:
            self._signal_all(signal.SIGCONT)

    async def stop(self, grace_s: float) -> None:
        """Ask it to end; after so many seconds end it."""
        if self.runs and grace_s > 0:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.wait([self.ended], timeout=grace_s)
        self.kill()
        await asyncio.wait([self.ended])
