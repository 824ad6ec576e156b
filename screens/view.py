"""What a screen is given to show: a board at a moment, and how that moment stands to the present."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from console.board import Board, PaneState, pane_state, verdict
from console.readings import Environment, Findings, Pane, Reading, State, Trend

_KEPT = (
    "key",
    "every_s",
    "cluster",
    "member",
    "cache",
    "server",
    "sentinel",
    "address",
    "tenant",
    "database",
    "ingress",
)
"""Fields that say what a reading is about rather than what it found."""


@dataclass(frozen=True)
class Replay:
    """Where a recording stands."""

    start: datetime
    end: datetime
    playing: bool
    speed: float
    own: bool = True
    """The engine's own recording, from which ``t`` returns to the present."""


@dataclass(frozen=True)
class View:
    """One moment of one environment. Screens draw it and nothing else, so that live, held and recorded look alike."""

    board: Board
    """While ``lost``, every reading on it is unreachable: old values are not there to be shown."""
    now: datetime
    lost: str = ""
    """Why the engine cannot be heard; empty: it can."""
    lost_state: str = ""
    """``starting``, ``lost`` or ``failed`` where ``lost`` is set."""
    held: bool = False
    replay: Replay | None = None
    who: str = ""
    """``ana@bastion``: whose console this is."""
    read_only: bool = True
    _states: dict[Pane, PaneState] = field(default_factory=dict, compare=False, repr=False)

    @property
    def environment(self) -> Environment | None:
        """What is watched."""
        return self.board.environment

    @property
    def production(self) -> bool:
        """Whether the environment is marked production."""
        return bool(self.environment and self.environment.production)

    def state(self, pane: Pane) -> PaneState:
        """Verdict on a pane, worked out once for a view."""
        if pane not in self._states:
            self._states[pane] = pane_state(self.board, pane, self.now, self.lost)
        return self._states[pane]

    @property
    def verdict(self) -> State:
        """Verdict on the environment."""
        return "unknown" if self.lost else verdict(self.board, self.now)


def without_engine(board: Board, problem: str) -> Board:
    """``board`` as it reads while nothing can be heard: readings lose their content, findings stand as unknown."""
    blind = Board()
    for reading in board:
        told = _silenced(reading, problem)
        if told is not None:
            blind.put(told)
    return blind


def _silenced(reading: Reading, problem: str) -> Reading | None:
    if isinstance(reading, Findings):
        rows = {key: msgspec.structs.replace(row, state="unknown") for key, row in reading.rows.items()}
        return msgspec.structs.replace(reading, rows=rows)
    if isinstance(reading, Trend):
        return None
    if reading.pane is None:
        return reading
    kept: dict[str, Any] = {name: getattr(reading, name) for name in _KEPT if name in reading.__struct_fields__}
    good_at = reading.taken_at if reading.readable else reading.good_at
    return type(reading)(
        **kept, taken_at=reading.taken_at, status="unreachable", problem=problem or "no engine", good_at=good_at
    )
