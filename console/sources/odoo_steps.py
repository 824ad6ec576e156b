"""Synthetic transactions of one tenant: how long each took, what became of it, and when a log-in may be tried."""

from __future__ import annotations

import math
import time
from collections import deque
from datetime import UTC, datetime

from console.readings.odoo import OdooStep
from console.sources.rates import three_digits

WINDOW_S = 900.0
_MOST = 400
_AGAIN_S = 60.0
_SOON_S = 15.0
_AGAIN_MOST_S = 3600.0
_HELD_S = 300.0
"""A session that was lost sooner than this after the log-in is not begun anew at once: each log-in leaves a row."""


class Timings:
    """Of one step: the good ones of the last fifteen minutes."""

    def __init__(self) -> None:
        self._good: deque[tuple[float, float]] = deque(maxlen=_MOST)
        self._last = OdooStep()

    @property
    def last(self) -> OdooStep:
        """What became of it when it was last asked."""
        return self._last

    def good(self, ms: float) -> None:
        """It was answered well."""
        self._good.append((time.monotonic(), ms))
        self._last = self._made(ok=True, ms=ms, at=datetime.now(UTC).replace(microsecond=0))

    def bad(self, problem: str, *, ms: float | None = None, silent: bool = False) -> None:
        """It failed."""
        now = datetime.now(UTC).replace(microsecond=0)
        self._last = self._made(ok=False, ms=ms, at=now, problem=problem, silent=silent)

    def skipped(self, why: str) -> None:
        """It was not asked this time: how it was before is no news, and how it is now is not known."""
        self._last = self._made(ok=None, problem=why, at=self._last.at)

    def _made(
        self, *, ok: bool | None, ms: float | None = None, at: datetime | None, problem: str = "", silent: bool = False
    ) -> OdooStep:
        ranked = sorted(ms for at, ms in self._good if time.monotonic() - at <= WINDOW_S)
        return OdooStep(
            ok=ok,
            ms=None if ms is None else three_digits(ms),
            p50_ms=_percentile(ranked, 0.50),
            p95_ms=_percentile(ranked, 0.95),
            problem=problem,
            at=at,
            silent=silent,
        )


def _percentile(ranked: list[float], part: float) -> float | None:
    """By nearest rank."""
    return three_digits(ranked[max(0, math.ceil(part * len(ranked)) - 1)]) if ranked else None


class LogIns:
    """When the console's own user may log in (again)."""

    def __init__(self) -> None:
        self._pause_s = 0.0
        self._due = 0.0
        self.at: float | None = None
        self.problem = ""

    @property
    def due(self) -> bool:
        """Whether one may be tried now."""
        return time.monotonic() >= self._due

    def made(self) -> None:
        """It went well. The next one, should the session be lost soon, waits; after a long life it does not."""
        now = time.monotonic()
        lasted = None if self.at is None else now - self.at
        self._pause_s = 0.0 if lasted is None or lasted > _HELD_S else self._longer()
        self.at, self.problem, self._due = now, "", now + self._pause_s

    def refused(self, problem: str) -> str:
        """It was refused: tried too often it would keep others out, too."""
        self._pause_s = self._longer()
        self.problem, self._due = problem, time.monotonic() + self._pause_s
        return problem

    def failed(self, problem: str) -> str:
        """It came to no verdict (no answer, a database that is down): nobody counts that, and it may be over soon."""
        self._pause_s = min(max(_SOON_S, 2 * self._pause_s), _AGAIN_S)
        self.problem, self._due = problem, time.monotonic() + self._pause_s
        return problem

    def _longer(self) -> float:
        return min(max(_AGAIN_S, 2 * self._pause_s), _AGAIN_MOST_S)
