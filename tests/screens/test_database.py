"""The database screen by its keys, on scripted boards."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from console.actions import ACTIONS
from console.readings import Activity, LogTail, PostgresMember, Session
from screens.cache import TABS as CACHE_TABS
from screens.database import TABS, DatabaseScreen
from screens.trust import silence
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.conftest import Console, Opened

SIZES = [(200, 50), (120, 35), (80, 24)]


def screen_of(app: Console) -> DatabaseScreen:
    assert isinstance(app.screen, DatabaseScreen)
    return app.screen


@pytest.mark.parametrize("size", SIZES)
async def test_who_leads_and_how_far_behind_is_on_every_size(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("healthy", size=size) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        text = app.whole
        for words in (
            "main",
            "● pg-2",
            "○ pg-1",
            "○ pg-3",
            "leader key pg-2",
            "DCS ok",
            "1.2 MB",
            "0.4 s",
            "async",
            "sync",
            "tl 7",
        ):
            assert words in text, words
        assert text.count("▶") == 2
        for words in ("Who waits for whom", "Connections of pg-2", "Busiest statements", "Last 6 min"):
            assert (words in text) == (size[0] == 200), "the side, at once, where it is wide"


@pytest.mark.parametrize("size", SIZES)
async def test_hanging_primary_shows_both_words_and_no_old_value(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("hang-primary", size=size) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        text = " ".join(app.whole.split())
        assert "no answer since 02:47:04, 8 s" in text
        assert "/cluster says running" in text and "SQL does not" in text
        assert "✗ no WAL for 7 s" in text
        assert "88 of 197" not in text and "412" not in text and "purchase_order" not in text


@pytest.mark.parametrize("size", SIZES)
async def test_every_tab_by_arrows_and_back_to_the_first(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("lock-storm", size=size) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        seen = []
        for _ in TABS:
            seen.append(screen_of(app).tab)
            assert screen_of(app).focused is screen_of(app).table
            assert "▸" in app.whole, "a cursor is in sight"
            await pilot.press("right")
            await pilot.pause()
        assert seen == [tab.key for tab in TABS] and screen_of(app).tab == TABS[0].key
        await pilot.press("left")
        assert screen_of(app).tab == "findings"


async def test_blocking_tree_is_drawn_as_a_tree(opened: Opened) -> None:
    async with opened("lock-storm", size=(120, 35)) as (app, pilot):
        await pilot.press("3", "right")
        await pilot.pause()
        rows = [row for row in app.text() if "blocks" in row or "─ 52" in row]
        assert "4121 blocks 14" in rows[0] and "├─ 5200 blocks 1" in rows[1] and "│  ╰─ 5227" in rows[2]


async def test_filter_sort_copy_describe_and_log(opened: Opened) -> None:
    async with opened("lock-storm", size=(120, 35)) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        table = screen_of(app).table
        await pilot.press("slash", *"import", "enter")
        await pilot.pause()
        assert set(table.keys) == {pid for pid in table.keys if "payroll-import" in app.whole} and 4121 in table.keys
        assert len(table.keys) < table.row_count
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("P")
        await pilot.pause()
        assert table.keys == sorted(table.keys, key=int)  # type: ignore[arg-type]
        await pilot.press("g", "c")
        await pilot.pause()
        assert app.clipboard.startswith("4100\tacme_prod")
        await pilot.press("enter")
        await pilot.pause()
        assert "SELECT id, name, amount_total FROM purchase_order" in app.whole and "session 4100" in app.whole
        await pilot.press("escape", "l")
        await pilot.pause()
        assert ("log", "postgres main/pg-2") in app.fake.asked
        app.fake.put(LogTail(key="postgres main/pg-2", taken_at=NOW, origin="/var/log", lines={1: "LOG:  checkpoint"}))
        app.tick()
        await pilot.pause()
        assert "LOG:  checkpoint" in app.whole


async def test_log_of_a_member_is_its_own(opened: Opened) -> None:
    async with opened("healthy", size=(120, 35)) as (app, pilot):
        await pilot.press("3", "left", "left", "down", "l")
        await pilot.pause()
        assert app.fake.asked[-1] == ("log", "postgres main/pg-1"), "the second row of Members"


async def test_enter_on_a_finding_opens_its_page(opened: Opened) -> None:
    async with opened("lock-storm", size=(120, 35)) as (app, pilot):
        await pilot.press("3", "left", "enter")
        await pilot.pause()
        assert app.screen.name_of_pane == "finding"  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["]", "full_stop"])
async def test_clusters_by_brackets(opened: Opened, key: str) -> None:
    async with opened("two-of-each", size=(120, 35)) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        assert "1 of 2" in app.whole
        await pilot.press("right_square_bracket" if key == "]" else key)
        await pilot.pause()
        assert "reports" in app.whole and "without Patroni" in app.whole and "● rp-1" in app.whole
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert screen_of(app).subject == "main"


async def test_brackets_do_nothing_with_one_cluster(opened: Opened) -> None:
    async with opened("healthy", size=(120, 35)) as (app, pilot):
        await pilot.press("3", "right_square_bracket")
        assert screen_of(app).subject == "main" and "1 of 1" not in app.whole


async def test_figures_of_another_member(opened: Opened) -> None:
    async with opened("healthy", size=(120, 35)) as (app, pilot):
        await pilot.press("3", "m")
        await pilot.pause()
        assert "of pg-1 standby" in app.whole and "nobody is connected" in app.whole
        await pilot.press("m", "m", "m")
        await pilot.pause()
        assert "of pg-2 primary" in app.whole and screen_of(app).chosen_member == ""


async def test_a_hanging_primary_still_lets_one_look_at_a_standby(opened: Opened) -> None:
    async with opened("hang-primary", size=(120, 35)) as (app, pilot):
        await pilot.press("3", "m")
        await pilot.pause()
        assert "of pg-1 standby" in app.whole and "nobody is connected" in app.whole


@pytest.mark.parametrize("scenario", ["healthy", "lock-storm", "hang-primary", "all-unknown"])
async def test_an_equal_look_writes_nothing(opened: Opened, scenario: str) -> None:
    async with opened(scenario, size=(200, 50)) as (app, pilot):
        await pilot.press("3")
        for _ in range(3):
            await pilot.pause()
            app.tick()
        await pilot.pause()
        before = app.written
        app.fake.board = SCENARIOS[scenario](NOW)  # the same again, as other objects
        app.tick()
        await pilot.pause()
        assert app.written == before


async def test_a_second_writes_only_what_aged(opened: Opened) -> None:
    async with opened("lock-storm", size=(200, 50)) as (app, pilot):
        await pilot.press("3")
        for _ in range(3):
            await pilot.pause()
            app.tick()
        await pilot.pause()
        before, app.fake.moment = app.written, NOW + timedelta(seconds=1)
        app.tick()
        await pilot.pause()
        assert 0 < app.written - before < 3000


async def test_hold_shows_the_same_whatever_comes(opened: Opened) -> None:
    async with opened("healthy", size=(120, 35)) as (app, pilot):
        await pilot.press("3", "p")
        await pilot.pause()
        before = app.written
        app.fake.put(*[reading for reading in SCENARIOS["lock-storm"](NOW) if isinstance(reading, Activity)])
        app.tick()
        await pilot.pause()
        assert app.written == before
        await pilot.press("p")
        await pilot.pause()
        assert "idle in tx" in app.whole


async def test_cursor_stays_on_its_row_whatever_moves(opened: Opened) -> None:
    async with opened("lock-storm", size=(120, 35)) as (app, pilot):
        await pilot.press("3", "down", "down", "down")
        await pilot.pause()
        table = screen_of(app).table
        key = table.cursor
        reading = app.fake.board.get(Activity, "main/pg-2")
        assert reading is not None
        fresh = Session(9, "acme_prod", state="active", query_start=NOW - timedelta(hours=1), query="VACUUM")
        app.fake.put(msgspec.structs.replace(reading, sessions={9: fresh, **reading.sessions}))
        app.tick()
        await pilot.pause()
        assert table.cursor == key and table.keys[0] == 9


async def test_engine_lost_turns_everything_unknown(opened: Opened) -> None:
    async with opened("healthy", size=(120, 35)) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        app.fake.lose("the engine has ended")
        await pilot.pause()
        text = app.whole
        assert "the engine has ended" in text and "role unknown" in text and "? pg-2" in text
        assert "412/s" not in text and "streaming" not in text and "purchase_order" not in text


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_configured_and_nothing_read(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("not-read-yet", size=size) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        assert "not read yet" in app.whole
        board = SCENARIOS["healthy"](NOW)
        environment = board.environment
        assert environment is not None
        app.fake.put(msgspec.structs.replace(environment, panes={"cache": environment.panes["cache"]}))
        app.tick()
        await pilot.pause()
        assert "no PostgreSQL is configured" in app.whole


async def test_resize_lays_out_anew(opened: Opened) -> None:
    async with opened("healthy", size=(200, 50)) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        assert "◇ coordination" in app.whole and "Who waits for whom" in app.whole
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await pilot.pause()
        assert "◇ coordination" not in app.whole and "├─" in app.whole and "╭" not in app.whole


def test_silence_has_a_word_for_every_case() -> None:
    reading = PostgresMember(key="main/pg-1", taken_at=NOW - timedelta(seconds=1), every_s=2)
    assert silence(reading, NOW) == ""
    assert silence(None, NOW) == "not read yet"
    assert silence(msgspec.structs.replace(reading, status="unreachable"), NOW) == "no answer yet"
    gone = msgspec.structs.replace(reading, status="unreachable", good_at=NOW - timedelta(seconds=12))
    assert silence(gone, NOW) == "no answer since 02:47:00, 12 s"
    assert silence(msgspec.structs.replace(reading, status="denied"), NOW) == "denied"
    assert silence(msgspec.structs.replace(reading, status="not-configured"), NOW) == "not configured"
    assert silence(reading, NOW + timedelta(seconds=60)) == "not read since 02:47:11, 1 min"


async def test_palette_leads_to_a_tab_from_anywhere(opened: Opened) -> None:
    async with opened("lock-storm", size=(120, 35)) as (app, pilot):
        await pilot.press("colon", *"blocking tree", "enter")
        for _ in range(3):
            await pilot.pause()
        assert screen_of(app).tab == "blocking" and "4121 blocks 14" in app.whole
        await pilot.press("colon", *"sentinels", "enter")
        for _ in range(3):
            await pilot.pause()
        assert app.screen.name_of_pane == "cache" and app.screen.tab == "sentinels"  # type: ignore[attr-defined]


def test_every_tab_is_in_the_palette() -> None:
    known = {action.id for action in ACTIONS}
    tabs = [f"database.{tab.key}" for tab in TABS] + [f"cache.{tab.key}" for tab in CACHE_TABS]
    assert {tab for tab in tabs if not tab.endswith(".findings")} <= known
