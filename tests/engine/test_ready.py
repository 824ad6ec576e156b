"""When a console may judge: every reading has been looked at often enough, and has arrived."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from console import frames, wire
from console.feed import EngineFeed
from console.readings import Environment, Findings, PostgresMember, Reading

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PAIRS = ("postgres main/pg-1", "postgres main/pg-2")


def heard(feed: EngineFeed, *readings: Reading) -> None:
    """A message of the engine with these readings, whole."""
    feed._take(wire.Frames(NOW.timestamp(), [frames.keyframe(reading) for reading in readings]))


@pytest.fixture
def feed(tmp_path: Path) -> EngineFeed:
    """One that was greeted by an engine that has been at work for a while."""
    made = EngineFeed(tmp_path / "environment.yaml")
    made._greeted = True
    heard(made, Environment(taken_at=NOW, name="prod", panes={"database": PAIRS}))
    return made


def test_a_board_that_comes_in_parts_is_ready_with_the_last_one(feed: EngineFeed) -> None:
    heard(feed, Findings(taken_at=NOW, looked=dict.fromkeys(PAIRS, 9)))
    assert not feed.ready, "looked at, and not here yet"
    heard(feed, PostgresMember(key="main/pg-1", taken_at=NOW))
    assert not feed.ready
    heard(feed, PostgresMember(key="main/pg-2", taken_at=NOW))
    assert feed.ready


def test_what_was_not_subscribed_to_is_not_waited_for(feed: EngineFeed) -> None:
    feed.subscribe(["environment", "findings", "postgres main/pg-1"])
    heard(feed, Findings(taken_at=NOW, looked=dict.fromkeys(PAIRS, 9)))
    assert not feed.ready
    heard(feed, PostgresMember(key="main/pg-1", taken_at=NOW))
    assert feed.ready


def test_what_was_looked_at_too_seldom_is_not_judged(feed: EngineFeed) -> None:
    heard(feed, *(PostgresMember(key=pair.partition(" ")[2], taken_at=NOW) for pair in PAIRS))
    heard(feed, Findings(taken_at=NOW, looked={PAIRS[0]: 9, PAIRS[1]: 1}))
    assert not feed.ready
