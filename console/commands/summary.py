"""A board as one JSON object: what ``status --json`` and ``replay --json`` print. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from console.board import Board, PaneState, pane_state, worst
from console.readings import Pane, Reading, State

BUILT: tuple[Pane, ...] = ("cluster", "database", "cache", "ingress", "application")
"""Panes that this version can watch; others are not listed."""
EXIT_CODES: dict[State, int] = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3, "not-configured": 3}


class Summary(msgspec.Struct, frozen=True):
    """What one look at a board says."""

    environment: str
    kind: str
    production: bool
    laboratory: bool
    taken_at: datetime
    verdict: State
    panes: dict[Pane, PaneState]
    board: Board
    problem: str = ""
    """Why nothing can be heard of the engine; empty while it can."""

    @property
    def exit_code(self) -> int:
        """0 ok, 1 warning, 2 critical, 3 unknown or nothing configured."""
        return EXIT_CODES[self.verdict]


def summarise(board: Board, now: datetime, name: str, lost: str = "") -> Summary:
    """The board at ``now``. ``name``: of the environment, where the board does not know it yet. ``lost``: the feed's problem."""
    environment = board.environment
    panes = {pane: pane_state(board, pane, now, lost) for pane in BUILT}
    others = [cast("Pane", pane) for pane in (environment.panes if environment else ()) if pane not in panes]
    panes |= {pane: pane_state(board, pane, now, lost) for pane in others}
    verdict = worst([state.state for state in panes.values()])
    return Summary(
        environment.name if environment else name,
        environment.kind if environment else "",
        bool(environment and environment.production),
        bool(environment and environment.laboratory),
        now.astimezone(UTC),
        "unknown" if verdict == "not-configured" else verdict,
        panes,
        board,
        lost,
    )


def as_json(summary: Summary, *, full: bool = False) -> str:
    """The stable object; ``full``: with every reading's content by topic and key."""
    panes = {
        name: {
            "state": pane.state,
            "age_s": None if pane.age_s is None else round(pane.age_s, 1),
            "why": pane.why,
        }
        for name, pane in summary.panes.items()
    }
    content: dict[str, Any] = {
        "environment": summary.environment,
        "taken_at": summary.taken_at,
        "verdict": summary.verdict,
        "panes": panes,
        "findings": [_whole(finding) for finding in summary.board.findings],
        "operations": [],
    }
    if summary.problem:
        content["problem"] = summary.problem
    if full:
        content["readings"] = _by_topic(summary.board)
    return msgspec.json.format(msgspec.json.encode(content, enc_hook=str), indent=2).decode()


def _by_topic(readings: Iterable[Reading]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for reading in sorted(readings, key=lambda reading: reading.where):
        found.setdefault(reading.topic, {})[reading.key] = _whole(reading)
    return found


def _whole(value: Any) -> Any:
    """Plain data with every field: what stands at its default is content for whoever reads it with a program."""
    if isinstance(value, msgspec.Struct):
        return {name: _whole(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value != value:  # NaN is no JSON
        return None
    return value
