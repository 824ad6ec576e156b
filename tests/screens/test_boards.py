"""The scripted boards mean what they are named for."""

from __future__ import annotations

import pytest

from console import frames
from console.board import Board, pane_state, verdict
from console.readings import Pane
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
    "tenants": ("ok", "ok", "ok", "ok"),
    "tenants-broken": ("ok", "ok", "critical", "critical"),
    "tenants-silent": ("ok", "ok", "warning", "unknown"),
    "tenants-many": ("ok", "ok", "critical", "ok"),
    "tenants-without-primary": ("critical", "ok", "warning", "ok"),
    "ingress": ("ok", "ok", "not-configured", "ok"),
    "ingress-broken": ("ok", "ok", "not-configured", "critical"),
    "ingress-silent": ("ok", "ok", "not-configured", "critical"),
    "ingress-bare": ("ok", "ok", "not-configured", "ok"),
}
"""Of database and cache; with tenants, of the application and the ingress too."""
PANES: tuple[Pane, ...] = ("database", "cache", "application", "ingress")


@pytest.mark.parametrize("name", boards.SCENARIOS)
def test_states(name: str) -> None:
    board = boards.SCENARIOS[name](boards.NOW)
    expected = EXPECTED[name]
    states = tuple(pane_state(board, pane, boards.NOW).state for pane in PANES[: len(expected)])
    assert states == expected
    assert verdict(board, boards.NOW) == (
        max(states, key=["not-configured", "ok", "warning", "unknown", "critical"].index)
    )


@pytest.mark.parametrize("name", boards.SCENARIOS)
def test_boards_travel(name: str) -> None:
    """Every scripted reading survives its way through frames, as the engine's do."""
    board = boards.SCENARIOS[name](boards.NOW)
    copy = Board()
    for reading in board:
        copy.apply(frames.decoder.decode(frames.encoder.encode(frames.keyframe(reading))))
    assert copy == board
