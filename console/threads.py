"""Calls that can hang in the operating system (name lookup, a file on a dead mount), kept away from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_daemon(work: Callable[[], T], name: str) -> T:
    """What ``work()`` returns or raises, run in a daemon thread of its own.

    Not the loop's default executor: its few threads are shared, and interpreter exit waits for them, so that three
    hung name lookups would stop every other one and keep the engine from ending. A cancelled caller leaves at once;
    the thread ends whenever its call does, and its result is dropped.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        failed: BaseException | None = None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - handed to the caller
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future


class Alone:
    """Calls of one kind of which only one is in a thread at a time: on a dead mount each look would leave one more behind."""

    def __init__(self) -> None:
        self._busy = False

    async def run(self, work: Callable[[], T], name: str) -> T:
        """As ``in_daemon``. Raises OSError as long as the call before, whose caller has left, has not come back."""
        if self._busy:
            raise OSError(errno.EBUSY, "an earlier look at it still hangs")
        begun = False

        def alone() -> T:
            nonlocal begun
            begun = True
            try:
                return work()
            finally:
                self._busy = False

        self._busy = True
        try:
            return await in_daemon(alone, name)
        except RuntimeError:
            if not begun:  # no thread could be started
                self._busy = False
            raise
