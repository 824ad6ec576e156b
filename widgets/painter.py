"""The painter: knows every cell that the terminal shows, and writes only what differs from what it should show.

Textual's compositor says which spans of the screen are to be painted anew; many of their cells are equal to what stands
there. The painter keeps two pictures, the one wanted and the one shown. ``take`` brings an update into the wanted one;
``changes`` gives the shortest sequence that makes the terminal show it. While the terminal does not drain, updates are
taken and nothing is written: when it drains, what is written is the difference to the newest picture and no history.

A character on whose width terminals disagree is followed by an absolute cursor position, so that it cannot move a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate


class _Look(NamedTuple):
    """A style as SGR codes, taken apart."""

    attributes: str
    front: str
    ground: str


class _Cell(NamedTuple):
    """One cell: its text (empty for the right half of a wide character) and its look."""

    text: str
    look: _Look


class _Glyphs(dict[str, _Cell]):
    """Character → its cell in one look, the same object each time, so that equal cells compare at once."""

    def __init__(self, look: _Look) -> None:
        super().__init__()
        self.look = look

    def __missing__(self, char: str) -> _Cell:
        self[char] = cell = _Cell(char, self.look)
        return cell


_PLAIN = _Look("", "39", "49")
_BLANK = _Cell(" ", _PLAIN)
_ATTRIBUTES = {0: "1", 1: "2", 2: "3", 3: "4", 4: "5", 5: "6", 6: "7", 7: "8", 8: "9", 9: "21"}
_BRIDGE = 5
"""Equal cells that are written again rather than jumped over: a jump costs as many bytes."""


class Painter:
    """Two pictures of ``width`` × ``height`` cells, and the way from one to the other."""

    def __init__(self, colours: ColorSystem | None) -> None:
        """``colours``: what the terminal can do; None: no colour, attributes only."""
        self._colours = colours
        self._glyphs: dict[Style | None, _Glyphs] = {None: _Glyphs(_PLAIN)}
        self._wanted: list[list[_Cell]] = []
        self._shown: list[list[_Cell | None]] = []
        self._dirty: set[int] = set()
        self._pen: _Look | None = None

    def resize(self, width: int, height: int) -> None:
        """A terminal of another size: nothing is known of what it shows."""
        if len(self._wanted) == height and (not height or len(self._wanted[0]) == width):
            return
        self._wanted = [[_BLANK] * width for _ in range(height)]
        self.forget()

    def forget(self) -> None:
        """Whatever the terminal shows is not known any more: the next ``changes`` writes every cell."""
        self._shown = [[None] * len(row) for row in self._wanted]
        self._dirty = set(range(len(self._wanted)))
        self._pen = None

    def take(self, update: CompositorUpdate) -> bool:
        """Bring an update of Textual's compositor into the wanted picture; False: not of a known kind."""
        if isinstance(update, LayoutUpdate):
            for y, line in enumerate(update.strips, update.region.y):
                self._put(y, update.region.x, (segment for strip in line for segment in strip))
            return True
        if isinstance(update, ChopsUpdate):
            for y, left, right in update.spans:
                for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                    if strip is None or x > right or end <= left:
                        continue
                    part = strip if end <= right else strip.crop(0, min(end, right) - x)
                    self._put(y, x, part)
            return True
        return False

    def _put(self, y: int, x: int, segments: Iterable[Segment]) -> None:
        if not 0 <= y < len(self._wanted):
            return
        row = self._wanted[y]
        cells = self._cells(segments)
        room = len(row) - x
        if room <= 0:
            return
        row[x : x + len(cells)] = cells[:room]
        self._dirty.add(y)

    def _cells(self, segments: Iterable[Segment]) -> list[_Cell]:
        cells: list[_Cell] = []
        for text, style, control in segments:
            if control:
                continue
            glyphs = self._glyphs.get(style)
            if glyphs is None:
                glyphs = self._glyphs[style] = _Glyphs(self._look(style))
            if text.isascii():
                cells += map(glyphs.__getitem__, text)
                continue
            for char in text:
                size = get_character_cell_size(char)
                if size == 0:
                    if cells:
                        cells[-1] = _Cell(cells[-1].text + char, glyphs.look)
                    continue
                cells.append(glyphs[char])
                if size == 2:
                    cells.append(glyphs[""])
        return cells

    def _look(self, style: Style | None) -> _Look:
        assert style is not None
        bits = style._attributes & style._set_attributes
        attributes = ";".join(code for bit, code in _ATTRIBUTES.items() if bits & (1 << bit))
        front = ground = ""
        if self._colours is not None:
            if style.color is not None:
                front = ";".join(style.color.downgrade(self._colours).get_ansi_codes())
            if style.bgcolor is not None:
                ground = ";".join(style.bgcolor.downgrade(self._colours).get_ansi_codes(foreground=False))
        return _Look(attributes, front or "39", ground or "49")

    @property
    def pending(self) -> bool:
        """Whether the terminal may have to be changed."""
        return bool(self._dirty)

    def changes(self) -> str:
        """What to write so that the terminal shows the wanted picture; empty where it does."""
        out: list[str] = []
        for y in sorted(self._dirty):
            wanted, shown = self._wanted[y], self._shown[y]
            if wanted != shown:
                for start, end in _ranges(wanted, shown):
                    self._write(out, y, start, wanted[start:end])
                shown[:] = wanted
        self._dirty.clear()
        return "".join(out)

    def _write(self, out: list[str], y: int, x: int, cells: Sequence[_Cell]) -> None:
        out.append(f"\x1b[{y + 1};{x + 1}H")
        pen = self._pen
        for at, (text, look) in enumerate(cells, x + 1):
            if not text:
                continue
            if look is not pen:
                if look != pen:
                    out.append(_turn(pen, look))
                pen = look
            out.append(text)
            if not text.isascii() and text not in _CERTAIN:
                wide = 2 if at - x < len(cells) and not cells[at - x].text else 1
                out.append(f"\x1b[{at + wide}G")
        self._pen = pen


def _ranges(wanted: Sequence[_Cell], shown: Sequence[_Cell | None]) -> list[tuple[int, int]]:
    """Stretches of a row that have to be written; none begins or ends within a wide character."""
    ranges: list[tuple[int, int]] = []
    size = len(wanted)
    for x in [x for x, (new, old) in enumerate(zip(wanted, shown, strict=True)) if new is not old and new != old]:
        start = x
        while start > 0 and not wanted[start].text:
            start -= 1
        end = x + 1
        while end < size and not wanted[end].text:
            end += 1
        if ranges and start - ranges[-1][1] <= _BRIDGE and _same_look(wanted, ranges[-1][1] - 1, start):
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    return ranges


def _same_look(cells: Sequence[_Cell], start: int, end: int) -> bool:
    look = cells[start].look
    return all(cell.look == look for cell in cells[start : end + 1])


def _turn(pen: _Look | None, look: _Look) -> str:
    """From one look to the next with as few codes as can be."""
    if pen is None or (pen.attributes != look.attributes and pen.attributes):
        codes = [
            "",
            look.attributes,
            look.front if look.front != "39" else "",
            look.ground if look.ground != "49" else "",
        ]
        return f"\x1b[0{';' if any(codes) else ''}{';'.join(code for code in codes if code)}m"
    codes = [
        look.attributes if look.attributes != pen.attributes else "",
        look.front if look.front != pen.front else "",
        look.ground if look.ground != pen.ground else "",
    ]
    return f"\x1b[{';'.join(code for code in codes if code)}m"


_CERTAIN = frozenset(map(chr, [*range(0xA1, 0xAD), *range(0xAE, 0x300), *range(0x370, 0x483), *range(0x2500, 0x25FD)]))
"""Characters beside ASCII that every terminal draws in one cell."""
