"""The engine itself: readings come in, the board changes on a beat, everybody hears of it.

Readings are staged as they come and put on the board together, at most four times a second; then the board is judged,
recorded and published. Between two beats the board does not change, so that a console, a recording and a replay that
have heard the same beats hold the same board.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from console.board import Board
from console.engine.cost import EVERY_S, Cost
from console.engine.history import History
from console.engine.scheduler import Scheduler
from console.engine.server import Server
from console.engine.settle import settle
from console.readings import Address, Environment, Findings, Reading, Trend

BEAT_S = 0.25
"""Least time between two changes of the board."""
GATHER_S = 0.03
"""Readings that arrive within so much of each other share a beat."""

CLOCK_BACK_S = 5.0
"""The clock was set back when it is behind the last beat by more than this."""

_log = logging.getLogger(__name__)


class Judge(Protocol):
    """``console.assessment.Assessor``."""

    @property
    def undecided(self) -> frozenset[Address]: ...
    @property
    def mistakes(self) -> Mapping[str, str]: ...
    def look(self, board: Board, now: datetime) -> Findings: ...


class Recorder(Protocol):
    """Where beats are recorded."""

    @property
    def megabytes(self) -> float: ...
    @property
    def problem(self) -> str: ...
    def take(self, at: float, changes: list[tuple[Reading | None, Reading | None]], board: Board) -> None: ...
    def tick(self, at: float, board: Board) -> None: ...


class Core:
    """Owner of the board."""

    def __init__(self, board: Board, judge: Judge, recorder: Recorder) -> None:
        self.board = board
        self._judge = judge
        self._recorder = recorder
        self._history = History()
        self._cost = Cost()
        self._staged: dict[Address, Reading | None] = {}
        nothing = Findings(taken_at=datetime.now(UTC))
        self._judgement: tuple[Findings, Findings] = (nothing, nothing)
        """What the judge said last, and the same as it goes on the board."""
        self._mistakes_told: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._beat_at = 0.0
        self._cost_at = 0.0
        self._at = 0.0
        self.server: Server | None = None
        self.scheduler: Scheduler | None = None

    def start(self) -> None:
        """Begin to tick. ``server`` and ``scheduler`` are set by now."""
        self._tick()

    def stop(self) -> None:
        """No beat after this one."""
        self._beat()
        for timer in (self._timer, self._ticker):
            if timer is not None:
                timer.cancel()

    def put(self, reading: Reading) -> None:
        """Take a reading; the board shows it with the next beat."""
        self._stage(reading.where, reading)

    def remove(self, where: Address) -> None:
        """Take an address off the board."""
        self._stage(where, None)

    def recall(self, recorded: list[Trend]) -> None:
        """Go on with the trends of an engine before this one."""
        for trend in self._history.recall(self.board, recorded, time.time()):
            self.put(trend)

    def change_environment(self, change: Callable[[Environment], Environment]) -> None:
        """Change the reading about the environment itself."""
        staged = self._staged.get(Address(Environment.topic, ""))
        current = staged if isinstance(staged, Environment) else self.board.environment
        if current is not None:
            self.put(change(current))

    def _stage(self, where: Address, reading: Reading | None) -> None:
        self._staged[where] = reading
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time() + GATHER_S, self._beat_at + BEAT_S), self._beat)

    def _beat(self) -> None:
        """Everything that came since the last beat takes effect."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._beat_at = asyncio.get_running_loop().time()
        staged, self._staged = self._staged, {}
        changes: list[tuple[Reading | None, Reading | None]] = []
        for where, reading in staged.items():
            self._settle(where, reading, changes)
        if not changes:
            return
        self._settle(Address(Findings.topic, ""), self._judged(), changes)
        self._at = self._next_moment()
        if self.server is not None:
            self.server.publish([reading.where for pair in changes if (reading := pair[1] or pair[0])], self._at)
        self._recorder.take(self._at, changes, self.board)

    def _next_moment(self) -> float:
        """Unix seconds, each beat later than the one before; unless somebody sets the clock back."""
        now = round(time.time(), 2)
        return now if now > self._at or now < self._at - CLOCK_BACK_S else round(self._at + 0.01, 2)

    def _settle(
        self, where: Address, reading: Reading | None, changes: list[tuple[Reading | None, Reading | None]]
    ) -> None:
        old = self.board.at(where)
        if (self.board.remove(where) if reading is None else self.board.put(reading)) is not None:
            changes.append((old, reading))

    def _judged(self) -> Findings:
        now = datetime.now(UTC)
        try:
            findings = self._judge.look(self.board, now)
            if findings is not self._judgement[0]:
                self._judgement = findings, settle(findings)
        except Exception:  # noqa: BLE001 - logged, and shown
            # A mistake in judging must not stop the looking; nothing is green meanwhile.
            _log.exception("assessment failed")
            old = self.board.get(Findings)
            problem = "the assessment failed, a mistake in Banksman itself: see the engine's log"
            looked = old.looked if old else {}
            return Findings(taken_at=now.replace(microsecond=0), status="partial", problem=problem, looked=looked)
        for kind in self._judge.mistakes.keys() - self._mistakes_told:
            self._mistakes_told.add(kind)
            _log.error("%s cannot be judged\n%s", kind, self._judge.mistakes[kind])
        if self.scheduler is not None:
            self.scheduler.hurry(self._judge.undecided)
        return self._judgement[1]

    def _tick(self) -> None:
        """Once a second, on the second."""
        loop = asyncio.get_running_loop()
        now = time.time()
        self._ticker = loop.call_later(1.0 - now % 1.0 + 0.005, self._tick)
        for trend in self._history.take(self.board, now):
            self.put(trend)
        if self.scheduler is not None and loop.time() - self._cost_at >= EVERY_S:
            self._cost_at = loop.time()
            self.put(self._cost.read(self.scheduler, self._recorder.megabytes, self._recorder.problem))
        if not self._staged and self.board.get(Findings) is not None:
            self._judge_alone(now)
        self._recorder.tick(self._at, self.board)
        if self.server is not None:
            self.server.beat()

    def _judge_alone(self, now: float) -> None:
        """Nothing came for a while: what is known has aged, and that too is to be judged."""
        if now - self._at >= 5.0:
            findings = self._judged()
            if findings != self.board.get(Findings):
                self.put(findings)
