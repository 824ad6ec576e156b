"""Sparklines and charts: gaps stay gaps, and a step that arrives costs a column, not a picture."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from widgets.gauge import gauge, level, thin_bar
from widgets.spans import changed, text_of, width
from widgets.spark import GAP, chart, sparkline, steps, trend_line, window

POINTS = st.dictionaries(st.integers(10_000, 10_200), st.floats(0, 1e12), min_size=1, max_size=90)


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=60))
def test_one_cell_for_each_value(values: list[float | None]) -> None:
    assert len(sparkline(values)) == len(values)
    assert len(sparkline(values, low=None, high=None)) == len(values)


def test_gaps_are_neither_zero_nor_drawn_through() -> None:
    assert sparkline([None, 1, None, 7, None]) == f" ▂{GAP}▇ "
    assert sparkline([None, None]) == "  "
    assert sparkline([5, 5, 5], low=None, flat=1) == "▁▁▁"


@given(POINTS, st.integers(1, 120), st.integers(1, 8))
def test_charts_are_rectangles(points: dict[int, float], cells: int, rows: int) -> None:
    drawn = chart(points, cells, rows)
    assert len(drawn) == rows and {width(row) for row in drawn} == {cells}
    assert width(trend_line(points, cells)) == cells


@given(POINTS, st.integers(30, 120))
def test_a_long_course_holds_still_between_shifts(points: dict[int, float], cells: int) -> None:
    """Five steps in six are drawn where the free column is, and everything else stays where it was."""
    last = max(points)
    following = {**points, last + 1: 1.0}
    if (last + 1) % 6:
        ranges = changed(
            (("".join("x" if v is not None else " " for v in window(points, cells)), ""),),
            (("".join("x" if v is not None else " " for v in window(following, cells)), ""),),
            cells,
        )
        assert ranges and ranges[0][1] - ranges[0][0] == 1


def test_steps_end_where_they_should() -> None:
    assert steps({3: 1.0, 5: 2.0}, 5, 4) == [None, 1.0, None, 2.0]


def test_gauges_say_it_twice() -> None:
    assert level(None, 0.8, 0.9) == "unknown" and level(0.95, 0.8, 0.9) == "critical" and level(0.1, 0.8, 0.9) == "ok"
    assert text_of(gauge(0.95, 10, "critical")).endswith("95 % ■")
    assert thin_bar(0.0001, 4) == "╸   " and thin_bar(1, 3) == "━━━" and thin_bar(0, 2) == "  "
