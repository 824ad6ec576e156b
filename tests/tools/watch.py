"""Watches an environment through an engine, as a console does, and remembers what it was shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import cast

from console.board import Board, PaneState, pane_state, verdict
from console.feed import Change, EngineFeed
from console.readings import Finding, Pane


class Watch:
    """What one viewer saw."""

    def __init__(self, feed: EngineFeed) -> None:
        self.feed = feed
        self.first_seen: dict[str, datetime] = {}
        """Kind of a finding → when it was first open since ``forget``."""
        self.seen: dict[str, Finding] = {}
        """Id → the finding as it was last seen."""
        self.worst: dict[str, str] = {}
        """Pane → its worst state since ``forget``; unknown counts less than critical and more than warning."""
        self.reached: dict[tuple[str, str], datetime] = {}
        """(pane, state) → when it was first seen since ``forget``."""
        feed.listen(self._note)

    @property
    def board(self) -> Board:
        """The board as it is."""
        return self.feed.board

    def forget(self) -> None:
        """Begin a new span of attention."""
        self.first_seen.clear()
        self.seen.clear()
        self.worst.clear()
        self.reached.clear()
        self._note(None)

    def _note(self, _change: Change | None) -> None:
        now = self.feed.now
        for finding in self.board.findings:
            self.seen[finding.id] = finding
            self.first_seen.setdefault(finding.kind, now)
        for pane, state in self.panes().items():
            self.reached.setdefault((pane, state.state), now)

    def panes(self) -> dict[str, PaneState]:
        """State of every configured pane now."""
        environment = self.board.environment
        names = [name for name, readings in environment.panes.items() if readings] if environment else []
        return {name: pane_state(self.board, cast("Pane", name), self.feed.now, self.feed.problem) for name in names}

    def kinds(self) -> set[str]:
        """Kinds of the findings that are open now."""
        return {finding.kind for finding in self.board.findings}

    def calm(self) -> bool:
        """Everything configured is read, fresh and ok, and nothing is found."""
        return verdict(self.board, self.feed.now, self.feed.problem) == "ok" and not self.board.findings

    async def until(self, condition: Callable[[], bool], within_s: float, what: str = "") -> None:
        """Wait for a condition. Raises AssertionError that says what was shown instead."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        while not condition():
            if loop.time() > end:
                raise AssertionError(f"not within {within_s:.0f} s: {what or condition}; {self.describe()}")
            await asyncio.sleep(0.1)

    def describe(self) -> str:
        """What is shown now, for the message of a failed test."""
        panes = {name: f"{state.state} ({state.why})" for name, state in self.panes().items()}
        found = [f"{each.id} [{each.severity}, {each.state}] {each.title}" for each in self.board.findings]
        return f"panes {panes}, findings {found}, feed {self.feed.state} {self.feed.problem}"


@asynccontextmanager
async def watching(environment: Path) -> AsyncIterator[Watch]:
    """A viewer of ``environment``; starts a private engine where none runs."""
    feed = EngineFeed(environment, kind="other")
    watch = Watch(feed)
    await feed.open()
    try:
        yield watch
    finally:
        await feed.close()
