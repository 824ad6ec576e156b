"""Numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets import format as fmt

NOW = datetime(2026, 11, 22, 2, 47, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1023, "1.0 kB"),
        (14.2 * 1024**2, "14 MB"),
        (1.25 * 1024**3, "1.2 GB"),
        (1023.9 * 1024, "1.0 MB"),
        (-2048, "-2.0 kB"),
    ],
)
def test_size(amount: float | None, text: str) -> None:
    assert fmt.size(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (7, "7"),
        (0.4, "0.4"),
        (0.01, "<0.1"),
        (12.6, "13"),
        (999.7, "1.0 k"),
        (1234, "1.2 k"),
        (34_000_000, "34 M"),
    ],
)
def test_number(amount: float, text: str) -> None:
    assert fmt.number(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 ms"),
        (0.001, "<10 µs"),
        (0.05, "0.05 ms"),
        (0.31, "0.3 ms"),
        (12.4, "12 ms"),
        (6800, "6.8 s"),
        (130_000, "2m10s"),
    ],
)
def test_milliseconds(amount: float, text: str) -> None:
    assert fmt.milliseconds(amount) == text


@pytest.mark.parametrize(
    ("amount", "prose", "short"),
    [
        (0.9, "0 s", "0 s"),
        (12.7, "12 s", "12 s"),
        (60, "1 min", "1m00s"),
        (269, "4 min 20 s", "4m20s"),
        (37 * 60 + 59, "37 min", "37 min"),
        (3 * 3600 + 12 * 60, "3 h 12 min", "3h12m"),
        (4 * 86400 + 7 * 3600, "4 d 7 h", "4d07h"),
        (412 * 86400, "412 d", "412 d"),
    ],
)
def test_age(amount: float, prose: str, short: str) -> None:
    assert fmt.age(amount) == prose
    assert fmt.short_age(amount) == short


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0, "0 %"),
        (0.001, "<1 %"),
        (0.714, "71 %"),
        (0.9996, "99.9 %"),
        (0.9999, "99.9 %"),
        (1, "100 %"),
        (1.3, "130 %"),
    ],
)
def test_percent(ratio: float, text: str) -> None:
    assert fmt.percent(ratio) == text


def test_moments() -> None:
    assert fmt.clock(NOW) == "02:47:12"
    assert fmt.moment(NOW - timedelta(hours=3), NOW) == "23:47:12"
    assert fmt.moment(NOW - timedelta(days=2), NOW) == "11-20 02:47"
    assert fmt.moment(None, NOW) == "never"
    assert fmt.since(NOW - timedelta(seconds=269), NOW) == "4m20s"
    assert fmt.since(None, NOW) == ""


def test_counts_and_positions() -> None:
    assert fmt.count(1, "session") == "1 session"
    assert fmt.count(12_345, "session") == "12,345 sessions"
    assert fmt.count(None, "session") == "? sessions"
    assert fmt.count(2, "database", "databases") == "2 databases"
    assert fmt.lsn((3 << 32) + 0xA1000148) == "3/A1000148"
    assert fmt.lag(1.2 * 1024**2, 2.0) == "1.2 MB 2 s"


@given(st.floats(min_value=0, max_value=1e20))
def test_columns_keep_their_promised_width(amount: float) -> None:
    assert len(fmt.size(amount)) <= 6
    assert len(fmt.size_rate(amount)) <= 8
    assert len(fmt.number(amount)) <= 5 or amount > 1e17
    assert len(fmt.milliseconds(min(amount, 1e12))) <= 7


@given(st.floats(min_value=0, max_value=400 * 86400))
def test_short_ages_fit_six_cells(amount: float) -> None:
    assert len(fmt.short_age(amount)) <= 6


@given(st.floats(min_value=0, max_value=1e9), st.floats(min_value=0, max_value=1))
def test_an_age_never_runs_ahead_of_time(amount: float, more: float) -> None:
    """Stepping goes down only: the age shown is never more than the age."""
    assert fmt._stepped(amount) <= amount
    assert fmt._stepped(amount) <= fmt._stepped(amount + more)


@given(st.floats(min_value=0, max_value=3))
def test_percent_says_all_or_nothing_only_where_it_is_so(ratio: float) -> None:
    assert (fmt.percent(ratio) == "0 %") == (ratio == 0)
    if ratio < 1:
        assert fmt.percent(ratio) != "100 %"


@given(st.text(), st.integers(min_value=0, max_value=40))
def test_text_is_cut_by_cells(text: str, cells: int) -> None:
    assert cell_len(fmt.clip(text, cells)) <= cells
    assert cell_len(fmt.left(text, cells)) == cells
    assert cell_len(fmt.right(text, cells)) == cells


@given(st.floats(min_value=0, max_value=2), st.integers(min_value=1, max_value=30))
def test_bars_fill_their_cells(share: float, cells: int) -> None:
    drawn = fmt.bar(share, cells)
    assert cell_len(drawn) == cells
    assert (drawn.strip() == "") == (share == 0)
