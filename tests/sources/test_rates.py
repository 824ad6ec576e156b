"""Counters become rates, whatever happens to the counters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.sources.rates import Counted, Meter, rate, ratio, three_digits

LIVES = st.lists(st.lists(st.integers(0, 10**9), min_size=1, max_size=5), min_size=1, max_size=5)
"""For each life of a server: how much was counted between looks."""


@given(lives=LIVES, tells=st.booleans())
def test_never_negative_never_more_than_was_counted(lives: list[list[int]], tells: bool) -> None:
    """Whether or not a reset tells of itself (``life``), no interval shows more than happened since the look before."""
    meter: Meter[str] = Meter(longest_s=10)
    at = 0.0
    for life, increments in enumerate(lives):
        counter = 0.0
        for increment in increments:
            counter += increment
            at += 1
            step = meter.step(at, {"x": Counted(life if tells else None, (counter,))})
            for (delta,) in step.deltas.values():
                assert 0 <= delta <= increment


@given(st.floats(0, 1e15))
def test_three_digits(value: float) -> None:
    assert abs(three_digits(value) - value) <= value * 0.006


def test_a_long_absence_is_no_interval() -> None:
    meter: Meter[str] = Meter(longest_s=10)
    meter.step(0, {"x": Counted(None, (1.0,))})
    assert meter.step(11, {"x": Counted(None, (5.0,))}).deltas == {}
    assert meter.step(12, {"x": Counted(None, (7.0,))}).deltas == {"x": (2.0,)}


def test_what_is_new() -> None:
    for new_counts, expected in ((False, {}), (True, {"y": (3.0,)})):
        meter: Meter[str] = Meter(longest_s=10, new_counts=new_counts)
        assert meter.step(0, {"z": Counted(None, (9.0,))}).deltas == {}
        assert meter.step(1, {"y": Counted(None, (3.0,))}).deltas == expected


def test_nothing_to_divide_by() -> None:
    assert rate(None, 1) is None
    assert rate(1, 0) is None
    assert ratio(0, 0) is None
    assert ratio(None, 1) is None
    assert ratio(3, 1) == 0.75
