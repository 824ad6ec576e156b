"""How often checkpoints happen and how long they take, over the last hour: a look's own interval is far too short."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Any, NamedTuple

from console.clients.postgres import Row
from console.sources.rates import three_digits

_HOUR_S = 3600.0
_ENOUGH_S = 300.0
"""Shorter than this, one checkpoint would read as twelve an hour or more."""
_EVERY_S = 60.0


class _Sample(NamedTuple):
    at: float
    timed: float
    requested: float
    done: float
    write_ms: float
    sync_ms: float


class Checkpoints:
    """Counters of the last hour, a sample a minute."""

    def __init__(self) -> None:
        self._life: Hashable = None
        self._samples: deque[_Sample] = deque()

    def take(self, at: float, life: Hashable, row: Row) -> dict[str, Any]:
        """Fields of ``PostgresIo`` at ``at`` (monotonic seconds); None where too little has been seen."""
        if not row:
            return {}
        now = _Sample(
            at, *(float(row[name] or 0) for name in ("timed", "requested", "done", "write_time", "sync_time"))
        )
        samples = self._samples
        if (life, row["stats_reset"]) != self._life or (
            samples and any(b < a for a, b in zip(samples[-1], now, strict=True))
        ):
            self._life = (life, row["stats_reset"])
            samples.clear()
        if not samples or at - samples[-1].at >= _EVERY_S:
            samples.append(now)
        while at - samples[0].at > _HOUR_S + _EVERY_S:
            samples.popleft()
        first = samples[0]
        window_s = at - first.at
        enough = window_s >= _ENOUGH_S
        done = now.done - first.done
        return {
            "checkpoints_timed_per_h": three_digits((now.timed - first.timed) / window_s * _HOUR_S) if enough else None,
            "checkpoints_requested_per_h": three_digits((now.requested - first.requested) / window_s * _HOUR_S)
            if enough
            else None,
            "checkpoint_write_ms": three_digits((now.write_ms - first.write_ms) / done) if done else None,
            "checkpoint_sync_ms": three_digits((now.sync_ms - first.sync_ms) / done) if done else None,
        }
