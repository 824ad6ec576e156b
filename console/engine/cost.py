"""What watching costs: the engine measures itself."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from console.engine.scheduler import Scheduler
from console.engine.settle import rounded
from console.readings import EngineSelf

EVERY_S = 10.0
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1_000_000


class Cost:
    """Differences since the last reading."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._cpu = time.process_time()
        self._looks = 0

    def read(self, scheduler: Scheduler, recording_mb: float, recording_problem: str) -> EngineSelf:
        """The engine's own reading."""
        at, cpu, looks = time.monotonic(), time.process_time(), scheduler.looks
        passed = max(at - self._at, 0.001)
        reading = EngineSelf(
            taken_at=datetime.now(UTC).replace(microsecond=0),
            every_s=EVERY_S,
            cpu_percent=rounded(round(100 * (cpu - self._cpu) / passed, 1)),
            rss_mb=rounded(round(_resident_mb(), 1)),
            readings_per_s=rounded(round((looks - self._looks) / passed, 1)),
            recording_mb=rounded(round(recording_mb, 2)),
            recording_problem=recording_problem,
            server_ms={pair: rounded(round(ms / passed, 1)) for pair, ms in scheduler.take_cost().items()},
        )
        self._at, self._cpu, self._looks = at, cpu, looks
        return reading


def _resident_mb() -> float:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MB
    except (OSError, ValueError, IndexError):
        return 0.0
