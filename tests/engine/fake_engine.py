"""An engine over scripted sources, as a process: ``python fake_engine.py ENVIRONMENT``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from console.board import Board
from console.engine.main import run_engine
from console.readings import Address, Findings
from console.settings import Defaults, EnvironmentFile
from console.sources.base import Source
from tests.engine import fakes


class CountingJudge:
    """Finds nothing, counts looks."""

    undecided: frozenset[Address] = frozenset()

    def __init__(self, _environment: EnvironmentFile, _defaults: Defaults) -> None:
        self._looked: dict[str, tuple[datetime, int]] = {}

    def look(self, board: Board, now: datetime) -> Findings:
        for reading in board:
            if reading.pane:
                pair = f"{reading.topic} {reading.key}"
                taken, count = self._looked.get(pair, (None, 0))
                if taken != reading.taken_at:
                    self._looked[pair] = (reading.taken_at, min(9, count + 1))
        counts = {pair: count for pair, (_taken, count) in self._looked.items()}
        old = board.get(Findings)
        return old if old and old.looked == counts else Findings(taken_at=now, looked=counts)


def frozen(_environment: EnvironmentFile, _defaults: Defaults) -> list[Source]:
    """No source at all."""
    return []


def healthy(_environment: EnvironmentFile, _defaults: Defaults) -> list[Source]:
    """A platform on which nothing is wrong."""
    return fakes.healthy_platform(int(os.environ.get("FAKE_SESSIONS", "20")))


def crashing(_environment: EnvironmentFile, _defaults: Defaults) -> list[Source]:
    """An engine that cannot even start."""
    raise RuntimeError("no such thing as a source")


SCRIPTS: dict[str, Callable[[EnvironmentFile, Defaults], list[Source]]] = {
    "healthy": healthy,
    "frozen": frozen,
    "crashing": crashing,
}

if __name__ == "__main__":
    sys.exit(
        run_engine(
            Path(sys.argv[1]),
            sources=SCRIPTS[os.environ.get("FAKE_SCRIPT", "healthy")],
            judge=CountingJudge,
            alone_s=float(os.environ.get("FAKE_ALONE_S", "10")),
        )
    )
