"""What is watched is, afterwards, what it was: with the load stopped nothing differs but for the servers' own doing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.lab.control import Ask, ask
from console.lab.state import Lab, read
from tests.tools.contents import cache_contents, contents, idle_seconds
from tests.tools.watch import watching

pytestmark = [pytest.mark.lab]


@pytest.fixture
def still(database_laboratory: Path) -> Iterator[Lab]:
    """A laboratory of databases and cache with its load held."""
    ask(database_laboratory, Ask("hold", "load"))
    yield read(database_laboratory)
    ask(database_laboratory, Ask("release", "load"))


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(45, id="45 s"),
        pytest.param(600, id="ten minutes", marks=[pytest.mark.matrix, pytest.mark.timeout(900)]),
    ],
)
async def test_watching_leaves_databases_and_caches_as_they_were(still: Lab, seconds: int) -> None:
    path = still.path
    await asyncio.sleep(3)  # what the load began is done: its statistics reach the views within a second
    databases, caches, idle = contents(still), cache_contents(still), idle_seconds(still)
    async with watching(path / "environment.yaml") as watch:
        await watch.until(lambda: len(watch.panes()) == 2, 60, "two panes")
        readings = {pair: 0 for pairs in watch.board.environment.panes.values() for pair in pairs}
        watch.feed.listen(lambda change: [readings.update({f"{a.topic} {a.key}": 1}) for a in change.addresses])
        await asyncio.sleep(seconds)
        await watch.until(lambda: all(readings.values()), 90, "every source has looked")
    differ = {key: (value, now) for key, now in contents(still).items() if (value := databases.get(key)) != now}
    assert not differ
    differ = {key: (value, now) for key, now in cache_contents(still).items() if (value := caches.get(key)) != now}
    assert not differ
    touched = {key for key, now in idle_seconds(still).items() if now < idle.get(key, 0)}
    assert not touched, f"the console touched {touched}"
