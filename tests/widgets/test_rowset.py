"""Where cursor and view stand while rows come, go and change places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from widgets.columns import Cell, Column, Row
from widgets.rowset import RowSet

COLUMNS = (Column("name", "name", 6), Column("size", "size", 6, "right"))
ROWS = st.dictionaries(st.integers(0, 60), st.one_of(st.none(), st.integers(0, 20)), max_size=50).map(
    lambda sizes: [
        Row(key, (f"row {key:02}", None if size is None else Cell(str(size), sort=size))) for key, size in sizes.items()
    ]
)


@given(
    st.lists(ROWS, min_size=1, max_size=6),
    st.integers(1, 12),
    st.integers(0, 60),
    st.sampled_from(["", "name", "size"]),
)
def test_the_cursor_stays_on_its_row_and_in_view(history: list[list[Row]], height: int, start: int, sort: str) -> None:
    rows = RowSet(COLUMNS, sort, descending=True)
    rows.take(history[0], height)
    rows.go(start, height)
    rows.pin()
    for fresh in history[1:]:
        before, on_screen, scrolled = rows.cursor, rows.at - rows.top, rows.top > 0
        rows.take(fresh, height)
        keys = {row.key for row in fresh}
        if not keys:
            assert rows.cursor is None
            continue
        assert rows.cursor in keys
        if before in keys:
            assert rows.cursor == before
            free = rows.at >= on_screen and rows.at - on_screen <= max(0, len(keys) - height)
            if free and scrolled:  # at the very top, the top stays in view
                assert rows.at - rows.top == on_screen, "and on the same line of the screen"
        assert rows.top <= rows.at < rows.top + height
        assert 0 <= rows.top <= max(0, len(keys) - height)


@given(ROWS, st.integers(1, 12))
def test_what_has_no_value_goes_last_whatever_the_direction(fresh: list[Row], height: int) -> None:
    for descending in (False, True):
        rows = RowSet(COLUMNS, "size", descending)
        rows.take(fresh, height)
        sizes = [rows.rows[key].text(1) for key in rows.order]
        known = [int(size) for size in sizes if size]
        assert sizes[: len(known)] == [size for size in sizes if size]
        assert known == sorted(known, reverse=descending)


@given(ROWS, st.text("row 0123456789!", max_size=6))
def test_a_filter_and_its_inverse_part_the_rows(fresh: list[Row], words: str) -> None:
    text = words.replace("!", "").strip().split(" ")[0]
    rows, others = RowSet(COLUMNS), RowSet(COLUMNS)
    rows.filter, others.filter = text, f"!{text}"
    rows.take(fresh, 5)
    others.take(fresh, 5)
    if text:
        assert sorted(rows.order + others.order, key=str) == sorted((row.key for row in fresh), key=str)
    else:
        assert rows.order == others.order == [row.key for row in fresh]


@given(ROWS, ROWS)
def test_before_the_first_key_the_cursor_follows_the_top(one: list[Row], two: list[Row]) -> None:
    rows = RowSet(COLUMNS, "size", descending=True)
    for fresh in (one, two):
        rows.take(fresh, 4)
        assert rows.top == 0 and rows.cursor == (rows.order[0] if rows.order else None)


@given(ROWS)
def test_equal_rows_stay_the_same_objects(fresh: list[Row]) -> None:
    rows = RowSet(COLUMNS)
    rows.take(fresh, 4)
    before = dict(rows.rows)
    rows.take([Row(*row) for row in fresh], 4)
    assert all(rows.rows[key] is row for key, row in before.items())
