"""What tests of screens share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from hypothesis import settings
from textual.pilot import Pilot

from console.app import BanksmanApp
from console.board import Board
from screens.base import BoardScreen
from screens.themes import DEFAULT
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.fake_feed import FakeFeed

settings.register_profile("shared-machine", deadline=None)  # how long one example takes says nothing where others run
settings.load_profile("shared-machine")


class Console(BanksmanApp):
    """The console on a feed that stands still, without a clock of its own: a test ticks."""

    async def _tick_for_ever(self) -> None:
        return

    def draw_failed(self, screen: BoardScreen, error: Exception) -> None:
        raise error  # a test is no outage

    def tick(self) -> None:
        self._tick()

    @property
    def fake(self) -> FakeFeed:
        assert isinstance(self.feed, FakeFeed)
        return self.feed

    def text(self) -> list[str]:
        """The picture wanted on the terminal, row by row."""
        return ["".join(cell.text for cell in row) for row in self._painter._wanted]

    @property
    def whole(self) -> str:
        return "\n".join(self.text())


def console_on(scenario: str | Board = "healthy", **options: Any) -> Console:
    board = SCENARIOS[scenario](NOW) if isinstance(scenario, str) else scenario
    options.setdefault("theme", DEFAULT)
    return Console(FakeFeed(board), who="ana@bastion", **options)


Opened = Callable[..., AbstractAsyncContextManager[tuple[Console, Pilot[int]]]]


@pytest.fixture
def opened() -> Opened:
    """``async with opened("hang-primary", size=(80, 24)) as (app, pilot)``."""

    @asynccontextmanager
    async def open_console(
        scenario: str | Board = "healthy", size: tuple[int, int] = (120, 35), **options: Any
    ) -> AsyncIterator[tuple[Console, Pilot[int]]]:
        app = console_on(scenario, **options)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await pilot.pause()
            yield app, pilot

    return open_console
