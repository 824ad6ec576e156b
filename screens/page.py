"""Pages: screens that are opened on top of a pane and left with Esc."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from screens.base import BoardScreen
from screens.keys import bindings
from screens.view import View
from widgets.lines import Lines
from widgets.spans import Block, Line
from widgets.textview import TextView

_MOVES = ("table.up", "table.down", "table.page_up", "table.page_down", "table.first", "table.last")


class Reader(TextView, inherit_bindings=False):
    """A text view with the moving keys of the registry."""

    BINDINGS: ClassVar[list[BindingType]] = [each for each in bindings("table") if getattr(each, "id", "") in _MOVES]


class TextPage(BoardScreen):
    """A page of text, made anew from the view whenever it is painted."""

    def body(self) -> ComposeResult:
        """One text view."""
        yield Reader(id="page")

    def draw(self, view: View) -> None:
        """The text at this width."""
        page = self.query_one("#page", Reader)
        if page.size.width:
            page.show(self.text(view, page.size.width - 1))

    def text(self, view: View, cells: int) -> Block:
        """The page's lines, each at most ``cells`` wide."""
        raise NotImplementedError


class Title(Lines):
    """The title row of a page."""

    DEFAULT_CSS = "Title { height: 1; }"

    def put(self, title: Line) -> None:
        """Show it."""
        self.show([title])
