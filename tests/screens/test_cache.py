"""The cache screen by its keys, on scripted boards."""

from __future__ import annotations

import pytest

from screens.cache import TABS, CacheScreen
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.conftest import Console, Opened

SIZES = [(200, 50), (120, 35), (80, 24)]


def screen_of(app: Console) -> CacheScreen:
    assert isinstance(app.screen, CacheScreen)
    return app.screen


@pytest.mark.parametrize("size", SIZES)
async def test_the_whole_of_it_at_every_size(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("healthy", size=size) as (app, pilot):
        await pilot.press("4")
        await pilot.pause()
        text = app.whole
        for words in (
            "● cache-1",
            "○ cache-2",
            "3 of 3 answer, quorum 2",
            "128 B",
            "71 %",
            "1.8 k/s",
            "96 %",
            "0.6 ms",
            "rdb+aof",
        ):
            assert words in text, words
        if size[0] >= 120:
            assert ("cache-1 in figures" in text) == (size[0] == 200)
            assert "odoo-web" in text and "session:index" in text and "HGETALL" in text, "other sections beside"
        else:
            assert "allkeys-lru" in text and "fragmentation 1.08" in text, "the primary in figures"


@pytest.mark.parametrize("size", SIZES)
async def test_dead_primary_shows_no_old_value(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("cache-down", size=size) as (app, pilot):
        await pilot.press("4")
        await pilot.pause()
        text = app.whole
        assert "no answer since 02:47:03, 9 s" in text and "objectively down, say 3" in text
        assert "✗ link down 9 s" in text and "silent 9 s" in text
        assert "odoo-web" not in text and "1.8 k/s" not in text


@pytest.mark.parametrize("size", SIZES)
async def test_every_tab_by_arrows(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("healthy", size=size) as (app, pilot):
        await pilot.press("4")
        await pilot.pause()
        expected = ["cache-1", "odoo-web", "session:index", "queue:mail", "HGETALL", "sentinel-3", "no finding"]
        for tab, words in zip(TABS, expected, strict=True):
            assert screen_of(app).tab == tab.key and words in app.whole
            await pilot.press("right")
            await pilot.pause()


async def test_describe_and_log_belong_to_the_row(opened: Opened) -> None:
    async with opened("healthy", size=(120, 35)) as (app, pilot):
        await pilot.press("4", "down", "l")
        await pilot.pause()
        assert app.fake.asked[-1] == ("log", "redis cache/cache-2")
        await pilot.press("escape", "left", "left", "down", "l")
        await pilot.pause()
        assert app.fake.asked[-1] == ("log", "sentinel cache/sentinel-2")
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert "Sentinel cache/sentinel-2" in app.whole


async def test_describe_of_a_key_a_queue_and_a_call(opened: Opened) -> None:
    async with opened("healthy", size=(120, 35)) as (app, pilot):
        await pilot.press("4")
        for words in ("odoo-web", "session:index", "queue:mail", "HGETALL"):
            await pilot.press("right", "d")
            await pilot.pause()
            assert app.screen.name_of_pane == "describe" and words in app.whole  # type: ignore[attr-defined]
            await pilot.press("escape")
            await pilot.pause()


async def test_caches_by_brackets_and_servers_by_m(opened: Opened) -> None:
    async with opened("two-of-each", size=(120, 35)) as (app, pilot):
        await pilot.press("4", "right_square_bracket")
        await pilot.pause()
        assert "no Sentinel: no automatic failover" in app.whole and "● redis-1" in app.whole
        await pilot.press("right_square_bracket", "right", "m", "m")
        await pilot.pause()
        assert screen_of(app).shown == "cache-2" and "of cache-2" in app.whole and "nobody is connected" in app.whole


@pytest.mark.parametrize("scenario", ["healthy", "cache-down", "all-unknown"])
async def test_an_equal_look_writes_nothing(opened: Opened, scenario: str) -> None:
    async with opened(scenario, size=(200, 50)) as (app, pilot):
        await pilot.press("4")
        for _ in range(3):
            await pilot.pause()
            app.tick()
        await pilot.pause()
        before = app.written
        app.fake.board = SCENARIOS[scenario](NOW)
        app.tick()
        await pilot.pause()
        assert app.written == before


async def test_engine_lost_turns_everything_unknown(opened: Opened) -> None:
    async with opened("healthy", size=(120, 35)) as (app, pilot):
        await pilot.press("4")
        await pilot.pause()
        app.fake.lose("the engine has ended")
        await pilot.pause()
        assert "quorum not known" in app.whole and "? cache-1" in app.whole
        assert "1.8 k/s" not in app.whole and "odoo-web" not in app.whole and "session:index" not in app.whole
