"""The scripted boards mean what they are named for."""

from __future__ import annotations

import pytest

from console import frames
from console.board import Board, pane_state, verdict
from tests.screens import boards

EXPECTED = {
    "healthy": ("ok", "ok"),
    "hang-primary": ("critical", "ok"),
    "lag": ("warning", "ok"),
    "lock-storm": ("critical", "ok"),
    "two-primaries": ("critical", "ok"),
    "no-primary": ("critical", "ok"),
    "cache-down": ("ok", "critical"),
    "all-unknown": ("unknown", "unknown"),
    "not-read-yet": ("unknown", "unknown"),
    "engine-lost": ("unknown", "unknown"),
    "two-of-each": ("ok", "ok"),
}


@pytest.mark.parametrize("name", boards.SCENARIOS)
def test_states(name: str) -> None:
    board = boards.SCENARIOS[name](boards.NOW)
    states = tuple(pane_state(board, pane, boards.NOW).state for pane in ("database", "cache"))
    assert states == EXPECTED[name]
    assert verdict(board, boards.NOW) == (max(states, key=["ok", "warning", "unknown", "critical"].index))


@pytest.mark.parametrize("name", boards.SCENARIOS)
def test_boards_travel(name: str) -> None:
    """Every scripted reading survives its way through frames, as the engine's do."""
    board = boards.SCENARIOS[name](boards.NOW)
    copy = Board()
    for reading in board:
        copy.apply(frames.decoder.decode(frames.encoder.encode(frames.keyframe(reading))))
    assert copy == board
