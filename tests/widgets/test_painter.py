"""The painter writes what differs, and a terminal that obeys shows what is wanted."""

from __future__ import annotations

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from widgets.painter import Painter
from widgets.spans import fit, line

WIDTH, HEIGHT = 30, 4
STYLES = {"": Style(), "a": Style(bold=True, color="#ff0000"), "b": Style(color="#00ff00", bgcolor="#101010")}

TEXT = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=WIDTH),
    st.sampled_from(["日本語", "x日y本z", "✓ ok ▲ warn", "é ü", "←…→", "", "한글 " * 9]),
)
LINE = st.lists(st.tuples(TEXT, st.sampled_from(list(STYLES))), max_size=4)
PICTURE = st.lists(LINE, min_size=HEIGHT, max_size=HEIGHT)


def update(picture: list[list[tuple[str, str]]]) -> LayoutUpdate:
    strips = [[Strip([Segment(text, STYLES[style]) for text, style in fit(line(*row), WIDTH)])] for row in picture]
    return LayoutUpdate(strips, Region(0, 0, WIDTH, HEIGHT))  # type: ignore[arg-type]


def shown(screen: pyte.Screen) -> list[list[tuple[str, str, str, bool]]]:
    return [
        [
            (cell.data, cell.fg, cell.bg, cell.bold)
            for x in range(WIDTH)
            if (cell := screen.buffer[y][x]).data  # the right half of a wide character keeps what it had
        ]
        for y in range(HEIGHT)
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(PICTURE, min_size=1, max_size=4))
def test_differences_lead_to_the_same_picture(pictures: list[list[list[tuple[str, str]]]]) -> None:
    """A terminal that got only differences shows what one shows that was painted anew."""
    step, stream = Painter(ColorSystem.TRUECOLOR), pyte.Screen(WIDTH, HEIGHT)
    step.resize(WIDTH, HEIGHT)
    feed = pyte.Stream(stream)
    for picture in pictures:
        step.take(update(picture))
        feed.feed(step.changes())
        fresh, whole = Painter(ColorSystem.TRUECOLOR), pyte.Screen(WIDTH, HEIGHT)
        fresh.resize(WIDTH, HEIGHT)
        fresh.take(update(picture))
        pyte.Stream(whole).feed(fresh.changes())
        assert shown(stream) == shown(whole)
        step.take(update(picture))
        assert step.changes() == "", "the same again costs nothing"


def test_one_digit_costs_ten_bytes() -> None:
    painter = Painter(ColorSystem.TRUECOLOR)
    painter.resize(WIDTH, HEIGHT)
    painter.take(update([[("02:47:12Z", "b")], [], [], []]))
    painter.changes()
    painter.take(update([[("02:47:13Z", "b")], [], [], []]))
    once = painter.changes()
    assert once.endswith("3") and len(once) < 40
    painter.take(update([[("02:47:14Z", "b")], [], [], []]))
    assert painter.changes() == "\x1b[1;8H4", "the pen is still in the clock's colours"


def test_without_colour_no_colour_is_written() -> None:
    painter = Painter(None)
    painter.resize(WIDTH, HEIGHT)
    painter.take(update([[("x", "a"), ("y", "b")], [], [], []]))
    written = painter.changes()
    assert "38" not in written and "48" not in written and "\x1b[0;1m" in written


def test_uncertain_widths_are_followed_by_a_position() -> None:
    painter = Painter(None)
    painter.resize(WIDTH, HEIGHT)
    painter.take(update([[("日←b", "")], [], [], []]))
    assert painter.changes().startswith("\x1b[1;1H\x1b[0m日\x1b[3G←\x1b[4Gb")


def test_what_a_slow_terminal_missed_is_not_sent() -> None:
    """Many updates, one write: the newest picture and no history."""
    painter = Painter(None)
    painter.resize(WIDTH, HEIGHT)
    painter.take(update([[("start", "")], [], [], []]))
    painter.changes()
    for number in range(50):
        painter.take(update([[(f"{number:5}", "")], [], [], []]))
    assert len(painter.changes()) < 20
