"""An engine over scripted sources, as a process: ``python fake_engine.py ENVIRONMENT``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from console import place
from console.board import Board
from console.engine.main import run_engine
from console.readings import Address, Findings, Reading
from console.settings import Defaults, EnvironmentFile
from console.settings.secrets import resolve
from console.sources.base import Source, SourceError
from tests.engine import fakes


class CountingJudge:
    """Finds nothing, counts looks."""

    undecided: frozenset[Address] = frozenset()
    mistakes: Mapping[str, str] = {}

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


def leaking(environment: EnvironmentFile, _defaults: Defaults) -> list[Source]:
    """Sources that tell their password in every way there is."""
    password = resolve(environment.postgres["main"].password or "").reveal()

    def raises(_number: int) -> Reading:
        raise ConnectionError(f"cannot log in as postgresql://banksman:{password}@db with {password}")

    def refused(_number: int) -> Reading:
        raise SourceError(f"password {password} refused", denied=True)

    def partly(number: int) -> Reading:
        return msgspec.structs.replace(fakes.member(number), status="partial", problem=f"{password} did not do")

    return [
        fakes.FakeSource(answer, key=f"main/pg-{number}", every_s=0.2)
        for number, answer in enumerate((raises, refused, partly), 1)
    ]


SCRIPTS: dict[str, Callable[[EnvironmentFile, Defaults], list[Source]]] = {
    "healthy": healthy,
    "frozen": frozen,
    "crashing": crashing,
    "leaking": leaking,
}

if __name__ == "__main__":
    shared = os.environ.get("FAKE_SHARED", "")
    if shared:
        place.SHARED_RUNTIME, place.SHARED_STATE = Path(shared) / "run", Path(shared) / "lib"
    sys.exit(
        run_engine(
            Path(sys.argv[1]),
            shared=bool(shared),
            sources=SCRIPTS[os.environ.get("FAKE_SCRIPT", "healthy")],
            judge=CountingJudge,
            alone_s=float(os.environ.get("FAKE_ALONE_S", "10")),
        )
    )
