"""A page of lines that scrolls: for text one reads rather than rows one picks."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size

from widgets.lines import LineView
from widgets.spans import Block, Line, fit


class TextView(LineView, can_focus=True):
    """``show`` gives it lines of its own width; keys are bound by its owner to ``move``, ``page``, ``first``, ``last``."""

    DEFAULT_CSS = """
    TextView { height: 1fr; }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._lines: Block = []
        self._top = 0

    @property
    def lines(self) -> Block:
        """All lines, shown or not."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """These lines; the place on the page stays."""
        self._lines = list(lines)
        self._turn_to(self._top)

    def draw(self, y: int) -> Line:
        """Line API: the lines from the top one on, and a thumb at the right where there are more than fit."""
        at = self._top + y
        of = self._lines[at] if at < len(self._lines) else ()
        height, total = self.size.height, len(self._lines)
        if total <= height:
            return of
        size = max(1, height * height // total)
        start = round(self._top * (height - size) / max(1, total - height))
        return (*fit(of, self.size.width - 1), ("┃" if start <= y < start + size else "│", "line"))

    def _turn_to(self, top: int) -> None:
        self._top = max(0, min(top, len(self._lines) - max(1, self.size.height)))
        self.repaint()

    def on_resize(self) -> None:
        """What was in view stays in view."""
        self._turn_to(self._top)

    def action_move(self, steps: int) -> None:
        """By lines."""
        self._turn_to(self._top + steps)

    def action_page(self, pages: int) -> None:
        """By pages."""
        self._turn_to(self._top + pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """To the beginning."""
        self._turn_to(0)

    def action_last(self) -> None:
        """To the end."""
        self._turn_to(len(self._lines))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its lines, where its height is auto."""
        return max(1, len(self._lines))
