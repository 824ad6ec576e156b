"""How late the engine itself is: what a busy machine keeps it from doing is not the servers' fault."""

from __future__ import annotations

import asyncio

TICK_S = 0.1
NEGLIGIBLE_S = 0.02
"""A turn of the loop takes so long where all is well."""


class Lateness:
    """Sums up by how much the event loop came too late to a clock's ticks, from ``start`` to ``stop``."""

    def __init__(self) -> None:
        self.total_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to count."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(TICK_S, self._tick, loop, loop.time() + TICK_S)

    def stop(self) -> None:
        """Count no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        late = loop.time() - due
        if late > NEGLIGIBLE_S:
            self.total_s += late
        self._timer = loop.call_later(TICK_S, self._tick, loop, loop.time() + TICK_S)
