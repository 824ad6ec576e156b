"""Moments of a recording, as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.commands import CommandError
from console.commands.replay import moment_in

START = datetime(2026, 11, 21, 23, 50, 0, 400_000, UTC)
END = START + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start", START), ("end", END), ("+10m", START + timedelta(minutes=10)), ("-5m", END - timedelta(minutes=5)),
        ("+90", START + timedelta(seconds=90)), ("+0.25h", START + timedelta(minutes=15)),
        ("23:55", datetime(2026, 11, 21, 23, 55, tzinfo=UTC)),
        ("00:10:30", datetime(2026, 11, 22, 0, 10, 30, tzinfo=UTC)),  # past midnight
        ("0:10Z", datetime(2026, 11, 22, 0, 10, tzinfo=UTC)),
        ("23:50", START), ("23:50:00", START),  # the recording begins within that second
        ("2026-11-22T00:01:00Z", datetime(2026, 11, 22, 0, 1, tzinfo=UTC)),
        ("2026-11-22 00:01", datetime(2026, 11, 22, 0, 1, tzinfo=UTC)),
        ("2026-11-22T01:01:00+01:00", datetime(2026, 11, 22, 0, 1, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_moments(text: str, expected: datetime) -> None:
    assert moment_in(text, START, END) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "25:00",
        "12:60",
        "+10y",
        "12:00",
        "+2h",
        "-2h",
        "+999999h",
        "+" + "9" * 5000,
        "1999-01-01",
        "2026-13-01",
    ],
)
def test_what_is_no_moment_of_it_is_64(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        moment_in(text, START, END)
    assert caught.value.exit_code == 64


@given(st.text(max_size=30))
def test_any_text_is_a_moment_within_or_refused(text: str) -> None:
    try:
        found = moment_in(text, START, END)
    except CommandError:
        return
    assert START <= found <= END
