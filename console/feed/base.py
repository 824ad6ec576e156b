"""What every feed is: a board that changes, and listeners that are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from console.board import Board
from console.readings import Address

FeedState = Literal["starting", "live", "lost", "failed", "recording"]
"""``starting``: nobody has answered yet. ``lost``: the engine was there, and is being sought again. ``failed``: given
up, until ``retry()``. ``recording``: this is the past."""


class FeedError(Exception):
    """A request that could not be made or was refused; the text is a sentence for the screen."""


class Change(NamedTuple):
    """What happened since the last time a listener was told."""

    addresses: frozenset[Address]
    """Readings that are new, changed or gone."""
    state: bool = False
    """``feed.state`` or ``feed.problem`` changed: every pane's state is to be asked for anew."""


Listener = Callable[[Change], None]


class Feed:
    """A board, kept up to date. Not thread-safe: belongs to the event loop in which it was opened."""

    def __init__(self, state: FeedState, problem: str = "") -> None:
        self.board = Board()
        """Readings as of ``now``; always the same object."""
        self.state: FeedState = state
        self.problem = problem
        """One sentence: why nothing can be heard; empty while live. Hand it to ``pane_state`` as ``lost``."""
        self.since = datetime.now(UTC)
        """Since when it has been in this state."""
        self._listeners: list[Listener] = []

    @property
    def now(self) -> datetime:
        """The moment that the board shows: the present, or the recorded one. Ages are counted from here."""
        return datetime.now(UTC)

    @property
    def live(self) -> bool:
        """Whether this is the present (even where nothing can be heard of it)."""
        return True

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every change, in the event loop. What comes back ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def changes(self) -> AsyncIterator[Change]:
        """Changes, merged while the reader is busy: nothing piles up."""
        waiting: set[Address] = set()
        state = False
        event = asyncio.Event()

        def take(change: Change) -> None:
            nonlocal state
            waiting.update(change.addresses)
            state = state or change.state
            event.set()

        end = self.listen(take)
        try:
            while True:
                await event.wait()
                event.clear()
                merged = Change(frozenset(waiting), state)
                waiting.clear()
                state = False
                yield merged
        finally:
            end()

    async def open(self) -> None:
        """Begin. Returns at once."""
        raise NotImplementedError

    async def close(self) -> None:
        """End; what this feed started for itself ends by itself."""
        raise NotImplementedError

    async def request(
        self,
        do: Literal["refresh", "log", "unlog", "describe", "undescribe", "stop"],
        target: str = "",
        arguments: dict[str, Any] | None = None,
    ) -> None:
        """Ask the engine for something. Raises FeedError where it refuses, or where there is none to ask."""
        raise NotImplementedError

    def subscribe(self, topics: list[str]) -> None:
        """From now on only these topics (names, ``name key``, or ``*``)."""
        raise NotImplementedError

    def retry(self) -> None:
        """Try again now, after giving up or while waiting."""

    def _tell(self, addresses: frozenset[Address] = frozenset(), *, state: bool = False) -> None:
        change = Change(addresses, state)
        for listener in list(self._listeners):
            listener(change)

    def _enter(self, state: FeedState, problem: str = "") -> None:
        if (state, problem) == (self.state, self.problem):
            return
        if state != self.state:
            self.since = datetime.now(UTC)
        self.state, self.problem = state, problem
        self._tell(state=True)
