"""Short history: a mean per step of ten seconds, for sparklines."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from console.board import Board
from console.engine.series import SERIES, Series, sample
from console.engine.settle import rounded
from console.readings import Trend
from console.recording import SUFFIX, Recording, RecordingError

STEP_S = 10
POINTS = 90


class History:
    """Fed about once a second; yields the trends whose step is complete."""

    def __init__(self, series: Iterable[Series] = SERIES) -> None:
        self._series = tuple(series)
        self._step: int | None = None
        self._sums: dict[str, tuple[str, float, int]] = {}

    def take(self, board: Board, now: float) -> list[Trend]:
        """Sample ``board`` at ``now`` (Unix seconds). At the end of a step: its trends, to be put on the board."""
        step = int(now // STEP_S)
        finished: list[Trend] = []
        if self._step is not None and step != self._step:
            finished = self._finish(board, self._step)
        self._step = step
        for key, (unit, value) in sample(board, self._series).items():
            _, total, count = self._sums.get(key, (unit, 0.0, 0))
            self._sums[key] = (unit, total + value, count + 1)
        return finished

    def recall(self, board: Board, recorded: Iterable[Trend], now: float) -> list[Trend]:
        """What an engine before this one recorded, with what this one has by now; to be put on the board."""
        oldest = int(now // STEP_S) - POINTS
        recalled: list[Trend] = []
        for old in recorded:
            points = {point: value for point, value in old.points.items() if point >= oldest}
            current = board.get(Trend, old.key)
            if points and old.step_s == STEP_S:
                more = current.points if current else {}
                recalled.append(msgspec.structs.replace(current or old, points={**points, **more}))
        return recalled

    def _finish(self, board: Board, step: int) -> list[Trend]:
        ended = datetime.fromtimestamp((step + 1) * STEP_S, UTC)
        sums, self._sums = self._sums, {}
        oldest = step - POINTS + 1
        trends = [
            self._with(board, key, unit, ended, oldest, {step: rounded(three_digits(total / count))})
            for key, (unit, total, count) in sums.items()
        ]
        # A series that could not be measured ages: its points move out to the left.
        aged = [old for old in board.every(Trend) if old.key not in sums and min(old.points, default=oldest) < oldest]
        return trends + [self._with(board, old.key, old.unit, ended, oldest, {}) for old in aged]

    def _with(self, board: Board, key: str, unit: str, ended: datetime, oldest: int, more: dict[int, float]) -> Trend:
        old = board.get(Trend, key)
        kept = {point: value for point, value in old.points.items() if point >= oldest} if old else {}
        return Trend(key=key, taken_at=ended, unit=unit, step_s=STEP_S, points={**kept, **more})


def recorded_trends(folder: Path, panes: dict[str, tuple[str, ...]], now: float) -> list[Trend]:
    """Trends as last recorded in ``folder``, of the same sources (``panes`` of the environment) and not too long ago.

    What this very process records is left out. Reads files; meant for a thread.
    """
    oldest = now - STEP_S * POINTS
    own = f"-{os.getpid()}-"
    try:
        found = sorted(path for path in folder.glob(f"*{SUFFIX}") if own not in path.name)
        paths = [path for path in found if path.stat().st_mtime > oldest]
        recording = Recording(paths, folder) if paths else None
    except (OSError, RecordingError):
        return []
    if recording is None or recording.end.timestamp() < oldest:
        return []
    board = recording.board_at(recording.end)
    return board.every(Trend) if board.environment and board.environment.panes == panes else []


def three_digits(value: float) -> float:
    """``value`` with three significant digits."""
    return float(f"{value:.3g}")
