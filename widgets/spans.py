"""Lines of styled text, as plain data: the functional core under every widget.

A *span* is text and the name of a semantic style (``widgets.palette``); a *line* is a tuple of spans; a *block* is a
list of lines of one width. Everything here is pure and measured in terminal cells, never in characters::

    row = line(" pg-2 ", ("●", "ok"), " primary ", ("tl 7", "muted"))
    fit(row, 30)                        # exactly 30 cells, cut with … or filled with blanks
    beside(box(body_a, 24, 6, "Cluster"), box(body_b, 30, 6, "Database"), gap=1)

Text never becomes markup: ``[red]`` is five characters. ``plain`` makes any text safe for a cell, so that hostile text
cannot move a column: it is applied wherever text enters a line.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

from rich.cells import get_character_cell_size

Span = tuple[str, str]
"""Text, style name (``""``: the default; several names may be joined by blanks: ``"warning strong"``)."""
Line = tuple[Span, ...]
Block = list[Line]
Align = Literal["left", "right", "centre"]

_REPLACEMENT = "�"
_FILLERS = frozenset((0x115F, 0x1160, 0x3164, 0xFFA0))
"""Letters by category that draw nothing or two cells, as the terminal likes."""


class _Safe(dict[int, str]):
    """Code point → what stands for it in a cell; filled as code points are met."""

    def __missing__(self, code: int) -> str:
        self[code] = safe = _safe(code)
        return safe


def _safe(code: int) -> str:
    """The text that stands for a code point.

    Terminals disagree on the width of joiners, variation selectors, flags, skin tones and half-formed Hangul: those are
    dropped or spelt out, what is left has one width everywhere.
    """
    char = chr(code)
    if 0x1F1E6 <= code <= 0x1F1FF:  # regional indicators: a pair would be drawn as a flag by some, as letters by others
        return chr(ord("A") + code - 0x1F1E6)
    if 0xFE00 <= code <= 0xFE0F or 0x1F3FB <= code <= 0x1F3FF or code == 0x20E3 or 0xE0100 <= code <= 0xE01EF:
        return ""
    if code in _FILLERS or 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF:
        return _REPLACEMENT
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    if category == "Cc":
        return " " if char in "\t\n\r" else _REPLACEMENT
    if category in ("Zs", "Zl", "Zp"):
        return " "
    if category in ("Cs", "Co", "Cn"):
        return _REPLACEMENT
    if get_character_cell_size(char) == 0 and not unicodedata.combining(char):
        return "" if category in ("Mn", "Me") else _REPLACEMENT
    return char


_SAFE = _Safe()


@functools.lru_cache(maxsize=8192)
def _made_plain(text: str) -> str:
    safe = unicodedata.normalize("NFC", text).translate(_SAFE)
    if any(unicodedata.combining(char) for char in safe):
        safe = _few_marks(safe)
    return safe


def _few_marks(text: str) -> str:
    """At most two combining marks on a base, none without one."""
    out: list[str] = []
    room = 0
    for char in text:
        if unicodedata.combining(char) and get_character_cell_size(char) == 0:
            if room == 0:
                continue
            room -= 1
        else:
            room = 2 if char != " " else 0
        out.append(char)
    return "".join(out)


def plain(text: str) -> str:
    """``text`` as it may stand in a cell: no control, format or undefined characters, nothing of uncertain width."""
    if text.isascii() and text.isprintable():
        return text
    return _made_plain(text)


def text_width(text: str) -> int:
    """Width of ``text`` in cells, once made plain."""
    if text.isascii() and text.isprintable():
        return len(text)
    text = _made_plain(text)
    return len(text) if text.isascii() else sum(map(get_character_cell_size, text))


def width(of: Line) -> int:
    """Width of a line in cells."""
    return sum(text_width(text) for text, _ in of)


def line(*parts: str | Span | Line, style: str = "") -> Line:
    """A line of strings (in ``style``), spans and lines, in this order; empty text is left out."""
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            if part:
                spans.append((plain(part), style))
        elif part and isinstance(part[0], str):
            text, own = part
            if text:
                spans.append((plain(text), own))
        else:
            spans.extend(part)
    return tuple(spans)


def cut_text(text: str, cells: int) -> tuple[str, int]:
    """The longest beginning of plain ``text`` that fits ``cells``, and its width."""
    if text.isascii():
        return (text, len(text)) if len(text) <= cells else (text[:cells], cells)
    used = 0
    for index, char in enumerate(text):
        size = get_character_cell_size(char)
        if used + size > cells:
            return text[:index], used
        used += size
    return text, used


def crop(of: Line, cells: int) -> Line:
    """``of`` in at most ``cells`` cells, cut without a sign."""
    spans: list[Span] = []
    left = cells
    for text, style in of:
        head, used = cut_text(plain(text), left)
        if head:
            spans.append((head, style))
        left -= used
        if left <= 0:
            break
    return tuple(spans)


def fit(of: Line | str, cells: int, align: Align = "left", fill: str = "") -> Line:
    """``of`` in exactly ``cells`` cells: cut with ``…``, or filled with blanks in style ``fill``."""
    whole = line(of) if isinstance(of, str) else of
    used = width(whole)
    if used > cells:
        if cells <= 0:
            return ()
        whole = crop(whole, cells - 1)
        style = whole[-1][1] if whole else (of[0][1] if of and not isinstance(of, str) else "")
        whole = (*whole, ("…", style))
        used = width(whole)
    room = cells - used
    if room <= 0:
        return whole
    if align == "left":
        return (*whole, (" " * room, fill))
    if align == "right":
        return ((" " * room, fill), *whole)
    return ((" " * (room // 2), fill), *whole, (" " * (room - room // 2), fill))


def spread(left: Line, right: Line, cells: int) -> Line:
    """``left`` and ``right`` at the two ends of ``cells``; where both do not fit, ``left`` is cut, at least one blank between."""
    room = cells - width(right)
    if room < 2:
        return fit(left, cells)
    return (*fit(left, room - 1), (" ", ""), *right) if width(left) >= room else (*fit(left, room), *right)


def restyle(of: Line, style: str) -> Line:
    """``of`` with ``style`` laid over every span."""
    return tuple((text, f"{own} {style}" if own else style) for text, own in of)


def text_of(of: Line) -> str:
    """The bare text of a line."""
    return "".join(text for text, _ in of)


def wrap(text: str, cells: int, style: str = "", limit: int = 0) -> Block:
    """``text`` broken at blanks into lines of at most ``cells``; words longer than that are cut apart.

    ``limit`` > 0: at most so many lines, the last ends in ``…`` where text is missing.
    """
    lines: list[str] = []
    current = ""
    for whole in plain(text).split():
        word = whole
        while text_width(word) > cells > 0:
            if current:
                lines.append(current)
                current = ""
            head = cut_text(word, cells)[0] or word[0]
            lines.append(head)
            word = word[len(head) :]
        if current and text_width(current) + 1 + text_width(word) > cells:
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    if current:
        lines.append(current)
    if limit and len(lines) > limit:
        lines = [*lines[: limit - 1], lines[limit - 1] + " " + lines[limit]]
        return [((part, style),) if i < limit - 1 else fit(((part, style),), cells) for i, part in enumerate(lines)]
    return [((part, style),) for part in lines]


def pad(block: Sequence[Line], cells: int, height: int) -> Block:
    """``block`` as exactly ``height`` lines of exactly ``cells`` cells."""
    out = [fit(each, cells) for each in block[:height]]
    out += [((" " * cells, ""),)] * (height - len(out)) if cells > 0 else [()] * (height - len(out))
    return out


def beside(*blocks: Sequence[Line], gap: int = 0) -> Block:
    """Blocks side by side, each as wide as its first line, all as high as the highest."""
    height = max((len(block) for block in blocks), default=0)
    padded = [pad(block, width(block[0]) if block else 0, height) for block in blocks]
    space: Line = ((" " * gap, ""),) if gap else ()
    rows: Block = []
    for parts in zip(*padded, strict=True):
        row: list[Span] = []
        for index, part in enumerate(parts):
            if index:
                row += space
            row += part
        rows.append(tuple(row))
    return rows


def box(
    body: Sequence[Line],
    cells: int,
    height: int,
    title: Line | str = "",
    note: Line | str = "",
    style: str = "line",
    foot: Line | str = "",
) -> Block:
    """``body`` in a rounded frame of ``cells`` × ``height``, frame included.

    ``title`` stands in the upper edge at the left, ``note`` at its right end, ``foot`` in the lower edge at the right.
    """
    inner = cells - 2
    if inner < 1 or height < 2:
        return pad(body, cells, height)
    top = _edge("╭", "╮", title, note, inner, style)
    bottom = _edge("╰", "╯", "", foot, inner, style)
    rows = [(("│", style), *row, ("│", style)) for row in pad(body, inner, height - 2)]
    return [top, *rows, bottom]


def _edge(left: str, right: str, title: Line | str, note: Line | str, inner: int, style: str) -> Line:
    head = (
        line((" ", style), line(title, style="title") if isinstance(title, str) else title, (" ", style))
        if title
        else ()
    )
    tail = line((" ", style), line(note, style=style) if isinstance(note, str) else note, (" ", style)) if note else ()
    if width(tail) > inner:
        tail = ()
    if width(head) + width(tail) > inner:
        room = inner - width(tail)
        head = fit(head, room) if room > 3 else ()
    bar = "─" * (inner - width(head) - width(tail))
    return line((left, style), head, (bar, style), tail, (right, style))


def joined(parts: Iterable[Line], separator: Line | str = "  ") -> Line:
    """Lines one after the other with ``separator`` between those that are not empty."""
    gap = line(separator) if isinstance(separator, str) else separator
    out: list[Span] = []
    for part in parts:
        if part:
            if out:
                out += gap
            out += part
    return tuple(out)


Cells = list[tuple[str, str]]


def to_cells(of: Line, cells: int) -> Cells:
    """One (character, style) for each of ``cells`` cells; the right half of a wide character is ``("", style)``."""
    out: Cells = []
    for text, style in of:
        if text.isascii():
            out += [(char, style) for char in text]
            continue
        for char in text:
            size = get_character_cell_size(char)
            if size == 0:
                if out:
                    out[-1] = (out[-1][0] + char, style)
                continue
            out.append((char, style))
            if size == 2:
                out.append(("", style))
    out += [(" ", "")] * (cells - len(out))
    return out[:cells]


def changed(old: Line, new: Line, cells: int, bridge: int = 12) -> list[tuple[int, int]]:
    """Ranges [from, to) of cells in which two lines differ; ranges nearer than ``bridge`` are one.

    A range of its own costs about 40 bytes of cursor and colour, so that repainting a short stretch of equal cells
    is the cheaper way.
    """
    before, after = to_cells(old, cells), to_cells(new, cells)
    ranges: list[tuple[int, int]] = []
    for x in range(cells):
        if before[x] == after[x]:
            continue
        if ranges and x - ranges[-1][1] < bridge:
            ranges[-1] = (ranges[-1][0], x + 1)
        else:
            ranges.append((x, x + 1))
    return [_whole(before, after, start, end, cells) for start, end in ranges]


def _whole(before: Cells, after: Cells, start: int, end: int, cells: int) -> tuple[int, int]:
    """The range widened so that it splits no wide character of either line."""
    while start > 0 and (not before[start][0] or not after[start][0]):
        start -= 1
    while end < cells and (not before[end][0] or not after[end][0]):
        end += 1
    return start, end
