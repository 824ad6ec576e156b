"""Widgets made of lines that repaint only what changed.

``LineView`` knows what the terminal shows. After a change of data its owner calls ``repaint``: each line is compared
with the one shown, and only the range of cells that differs is refreshed. An update that draws the same picture costs no
byte. ``Lines`` is the simplest one: it shows a block of lines::

    view = Lines()
    view.show([line("hello ", ("world", "strong"))])
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.palette import palette_of
from widgets.spans import Block, Line, changed, fit, line

_NEVER = Size(-1, -1)

FEW = 8
"""Lines of which it is worth while to find the cells that differ; the painter sends only those in any case."""


class LineView(Widget):
    """Base of every live widget: ``draw(y)`` gives a line, ``repaint`` brings the terminal up to date."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LineView { width: 1fr; height: auto; background: $background; }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._shown: list[Line | None] = []
        self._strips: list[Strip | None] = []
        self._shown_size = _NEVER

    def draw(self, y: int) -> Line:
        """The line at viewport row ``y``, any width (it is cut or filled). Cheap where nothing changed: the same object."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Compare every visible line with what is shown and refresh what differs."""
        size = self.size
        if size != self._shown_size or not self.is_mounted:
            self._shown_size = _NEVER  # hidden, or not laid out yet: the next render draws it all, whatever its size
            return
        differ: list[tuple[int, Line, Line]] = []
        for y, before in enumerate(self._shown):
            if before is None:
                continue
            after = self.draw(y)
            if after is before:
                continue
            self._shown[y] = after
            if after != before:
                self._strips[y] = None
                differ.append((y, before, after))
        if differ:
            self.refresh(*_regions(differ, size.width))

    def render_line(self, y: int) -> Strip:
        """Line API: the strip of viewport row ``y``."""
        size = self.size
        if size != self._shown_size:
            self._forget(size)
        if y >= len(self._shown):
            return Strip.blank(size.width, palette_of(self.app)[""])
        strip = self._strips[y]
        if strip is None:
            shown = self._shown[y]
            if shown is None:
                shown = self._shown[y] = self.draw(y)
            strip = self._strips[y] = self._strip(shown, size.width)
        return strip

    def notify_style_update(self) -> None:
        """The theme or the styles changed: every strip is made anew."""
        super().notify_style_update()
        self._strips = [None] * len(self._strips)

    def _forget(self, size: Size) -> None:
        self._shown_size = size
        self._shown = [None] * size.height
        self._strips = [None] * size.height

    def _strip(self, of: Line, cells: int) -> Strip:
        palette = palette_of(self.app)
        return Strip([Segment(text, palette[style]) for text, style in fit(of, cells) if text], cells)


def _regions(differ: Sequence[tuple[int, Line, Line]], width: int) -> list[Region]:
    """What to draw anew: of few lines the cells that differ; of many whole lines, which is cheaper than to look for them."""
    if len(differ) <= FEW:
        return [Region(x, y, end - x, 1) for y, old, new in differ for x, end in changed(old, new, width)]
    regions: list[Region] = []
    for y, _, _ in differ:
        if regions and regions[-1].bottom == y:
            regions[-1] = regions[-1].grow((0, 0, 1, 0))
        else:
            regions.append(Region(0, y, width, 1))
    return regions


class Lines(LineView):
    """A block of lines, as high as it has lines unless the style sheet says otherwise."""

    def __init__(
        self,
        lines: Sequence[Line | str] = (),
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: Block = [line(each) for each in lines]

    @property
    def lines(self) -> Block:
        """What is shown."""
        return self._lines

    def show(self, lines: Sequence[Line | str]) -> None:
        """Show these lines in place of the last ones; equal lines cost nothing."""
        before = len(self._lines)
        self._lines = [line(each) if isinstance(each, str) else each for each in lines]
        if len(self._lines) != before and self.styles.height is not None and self.styles.height.is_auto:
            self.refresh(layout=True)
        self.repaint()

    def draw(self, y: int) -> Line:
        """Line API: line ``y`` of the block."""
        return self._lines[y] if y < len(self._lines) else ()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as lines."""
        return len(self._lines)
