"""What the engine itself takes to hear an answer: a byte to itself, by the same loop and at the same moment.

On a busy machine an answer that is there waits until the engine gets to it. That time is the engine's own, and a server must
not be blamed for it.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence

NEGLIGIBLE_MS = 1.0
"""Below this an engine is not late: a quick server's round trip would vanish in what is taken off it."""


class Echo:
    """A line to oneself, opened when first used; read as a server's answers are, so that it takes as many turns of the loop."""

    def __init__(self) -> None:
        self._far: socket.socket | None = None
        self._near: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def round_trip_ms(self) -> float:
        """Milliseconds until a byte that is there for us has been heard."""
        if self._near is None:
            near, self._far = socket.socketpair()
            self._near = await asyncio.open_connection(sock=near)
        assert self._far is not None
        began = time.perf_counter()
        try:
            self._far.send(b".")
            await self._near[0].readexactly(1)
        except BaseException:
            self.close()  # a byte may be left in it
            raise
        return (time.perf_counter() - began) * 1e3

    def close(self) -> None:
        """Close both ends."""
        if self._near is not None:
            self._near[1].transport.abort()
        if self._far is not None:
            self._far.close()
        self._near = self._far = None


def without_own(theirs_ms: Sequence[float], own_ms: Sequence[float], share: float) -> float:
    """The ``share`` (0..1) of round trips that a server itself is the cause of, in milliseconds.

    Both were measured in turn, so that their differences are the server's part and noise to either side, which the median
    of the differences does not follow. In the tail there is no such balance: there the engine's own tail is taken off.
    """
    own = [each if each > NEGLIGIBLE_MS else 0.0 for each in own_ms]
    middle = max(0.0, _ranked([theirs - ours for theirs, ours in zip(theirs_ms, own, strict=True)], 0.5))
    if share <= 0.5:
        return middle
    return max(middle, _ranked(theirs_ms, share) - _ranked(own, share))


def _ranked(values: Sequence[float], share: float) -> float:
    return sorted(values)[round((len(values) - 1) * share)]
