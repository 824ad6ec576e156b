"""A feed that stands still at a scripted board, and does what a test tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from console.board import Board
from console.feed.base import Feed, FeedError, FeedState
from console.readings import Reading
from tests.screens.board_ground import NOW


class FakeFeed(Feed):
    """Shows ``board`` as of ``now``."""

    def __init__(self, board: Board, now: datetime = NOW) -> None:
        super().__init__("live")
        self.board = board
        self.moment = now
        self.asked: list[tuple[str, str]] = []
        self.retried = 0
        self.answer = ""
        """What every request is refused with; empty: taken."""

    @property
    def now(self) -> datetime:
        return self.moment

    async def open(self) -> None:
        self._tell(state=True)

    async def close(self) -> None:
        pass

    def subscribe(self, topics: list[str]) -> None:
        pass

    def retry(self) -> None:
        self.retried += 1

    async def request(
        self,
        do: Literal["refresh", "log", "unlog", "describe", "undescribe", "stop"],
        target: str = "",
        arguments: dict[str, Any] | None = None,
    ) -> None:
        self.asked.append((do, target))
        if self.answer:
            raise FeedError(self.answer)

    def put(self, *readings: Reading) -> None:
        """New readings arrive."""
        changed = frozenset(reading.where for reading in readings if self.board.put(reading) is not None)
        if changed:
            self._tell(changed)

    def lose(self, problem: str, state: FeedState = "lost") -> None:
        """The engine is gone."""
        self._enter(state, problem)

    def find(self) -> None:
        """The engine is back."""
        self._enter("live")
