"""A stage for one screen: a scripted board at a frozen moment, without feed, engine or clock.

``Stage`` stands in for the application as far as a pane needs it; what the screen asks of it is kept to be looked at.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from textual.app import App
from textual.screen import Screen

from console.actions import ACTIONS, Action
from console.board import Board
from screens.base import BoardScreen
from screens.themes import DEFAULT, THEMES
from screens.view import View


class Stage(App[None]):
    """An application that shows one pane."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, screen: BoardScreen, board: Board, now: datetime, *, theme: str = DEFAULT, lost: str = ""
    ) -> None:
        super().__init__()
        self.actions: tuple[Action, ...] = ACTIONS
        self.said: tuple[str, str] = ("", "")
        self.view = View(board, now, lost=lost, lost_state="lost" if lost else "", who="ana@bastion")
        self.pages: list[tuple[str, Any]] = []
        """Pages that were asked for, with their argument."""
        self._stage_screen = screen
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme
        self.animation_level = "none"

    def get_default_screen(self) -> Screen[Any]:
        return self._stage_screen

    def say(self, text: str, style: str = "accent") -> None:
        self.said = (text, style)
        self._stage_screen.paint_keys()

    def open_page(self, name: str, argument: Any = None) -> None:
        self.pages.append((name, argument))

    def open_pane(self, name: str) -> None:
        self.pages.append(("pane", name))

    def hurry(self) -> None:
        self._stage_screen.paint()

    def show(self, board: Board, now: datetime) -> None:
        """Another board, as a tick would bring it."""
        self.view = View(board, now, who="ana@bastion")
        self._stage_screen.paint()
