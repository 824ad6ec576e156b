"""Lines are measured in cells, and no text moves a column."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.columns import Cell, Column, Row, heading, place, row_line
from widgets.spans import beside, box, changed, crop, fit, line, pad, plain, spread, text_of, to_cells, width, wrap

HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "[@click=app.quit]x[/]",
            "[/foo]",
            "[red]",
            "\x1b[2J\x1b]52;c;AAAA\x07",
            "\u202egnp.exe",
            "a\x00b",
            "日本語テキスト",
            "👨‍👩‍👧 family",
            "🇩🇪🇫🇷",
            "❤️ 1️⃣",
            "e\u0301" * 20,
            "\u0301\u0302 leading",
            "\u200b\u200d\ufeff",
            "ᄒ\u1161\u11ab",
            "\U0001f44d\U0001f3fd",
            "line\nbreak\ttab\r",
            "x" * 10_000,
            "한" * 5_000,
            "\ud800",
            "\u2028\u2029\u0085",
            "நி தமிழ் हिन्दी",
            "\U000e0041\U000e007f",
            "\ue000\uf8ff\U0010ffff",
        ]
    ),
)


@given(HOSTILE, st.integers(1, 50), st.sampled_from(["left", "right", "centre"]))
def test_fit_is_exact(text: str, cells: int, align: str) -> None:
    drawn = text_of(fit(line(text), cells, align))  # type: ignore[arg-type]
    assert cell_len(drawn) == cells
    assert drawn == plain(drawn), "what is drawn is plain already"
    assert drawn.isprintable()


@given(HOSTILE, st.integers(0, 50))
def test_crop_never_exceeds(text: str, cells: int) -> None:
    assert cell_len(text_of(crop(line(text), cells))) <= cells


@given(HOSTILE)
def test_plain_is_stable_and_additive(text: str) -> None:
    """Every character left has a width of its own: rich's measure of the whole is the sum of ours."""
    once = plain(text)
    assert plain(once) == once
    assert width(line(text)) == cell_len(once) == sum(cell_len(char) for char in once)


@given(st.lists(HOSTILE, min_size=4, max_size=4), st.integers(20, 120))
def test_no_text_shifts_a_column(texts: list[str], cells: int) -> None:
    columns = [
        Column("a", "first", 6, sort="F"),
        Column("b", "second", 8, "right", drop=2),
        Column("c", "third", 5, flex=1, drop=1),
        Column("d", "fourth", 4, flex=2, tree=True),
    ]
    layout = place(columns, cells)
    row = Row(1, (texts[0], Cell(texts[1], "warning"), Cell(line(texts[2]), "muted"), texts[3]), "strong", "│ ├─ ")
    drawn = row_line(row, layout)
    assert width(drawn) == width(heading(layout, "a", True)) == sum(p.width for p in layout) + 2 * (len(layout) - 1)
    grid = to_cells(drawn, cells)
    x = 0
    for placed in layout[:-1]:  # the gap after each column is where it must be, blank
        x += placed.width
        assert [char for char, _ in grid[x : x + 2]] == [" ", " "]
        x += 2


@given(HOSTILE, st.integers(5, 40))
def test_wrap_keeps_within(text: str, cells: int) -> None:
    lines = wrap(text, cells)
    assert all(width(each) <= cells for each in lines)
    assert "".join(text_of(each) for each in lines).replace(" ", "") == plain(text).replace(" ", "")
    assert len(wrap(text, cells, limit=2)) <= 2


@given(HOSTILE, HOSTILE, st.integers(4, 60), st.integers(2, 8))
def test_boxes_are_rectangles(text: str, title: str, cells: int, height: int) -> None:
    drawn = box([line(text)] * 3, cells, height, title, "note", "line", "foot")
    assert len(drawn) == height
    assert {width(each) for each in drawn} == {cells}


@given(HOSTILE, HOSTILE, st.integers(2, 60))
def test_spread_is_exact(left: str, right: str, cells: int) -> None:
    assert width(spread(line(left), line(right), cells)) == cells


@given(st.lists(HOSTILE, max_size=4), st.lists(HOSTILE, max_size=4), st.integers(0, 2))
def test_blocks_beside_each_other(one: list[str], two: list[str], gap: int) -> None:
    a, b = pad([line(t) for t in one], 10, len(one)), pad([line(t) for t in two], 7, len(two))
    drawn = beside(a, b, gap=gap)
    assert len(drawn) == max(len(a), len(b))
    assert len({width(each) for each in drawn}) <= 1


SPANS = st.lists(st.tuples(HOSTILE.map(lambda t: plain(t)[:12]), st.sampled_from(["", "ok", "warning"])), max_size=5)


@given(SPANS, SPANS, st.integers(1, 40), st.integers(1, 14))
def test_ranges_cover_every_difference(
    one: list[tuple[str, str]], two: list[tuple[str, str]], cells: int, bridge: int
) -> None:
    """What lies outside the ranges is equal, and no range splits a wide character."""
    old, new = line(*one), line(*two)
    before, after = to_cells(old, cells), to_cells(new, cells)
    ranges = changed(old, new, cells, bridge)
    inside = {x for start, end in ranges for x in range(start, end)}
    assert all(before[x] == after[x] for x in range(cells) if x not in inside)
    assert all(0 <= start < end <= cells for start, end in ranges)
    assert changed(old, old, cells) == []
    for start, end in ranges:
        assert before[start][0] or start == 0
        assert end == cells or after[end][0]
