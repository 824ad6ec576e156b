"""The console by its keys, on scripted boards."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from console.actions import ACTIONS, ActionError, check_keymap, key_table, written
from console.readings import Environment, Findings, LogTail
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.conftest import Opened, console_on


async def test_first_picture_says_how_bad_for_whom_why_and_what_to_do(opened: Opened) -> None:
    async with opened("hang-primary", size=(80, 24)) as (app, _):
        rows = app.text()
        assert "CRITICAL" in rows[0] and "prod-eu" in rows[0] and "02:47:12Z" in rows[0]
        text = app.whole
        where = [
            text.index(word)
            for word in ("CRITICAL", "does not answer", "Nothing can be read", "no answer within", "fail over")
        ]
        assert where == sorted(where), "bad, for whom, why, what now: in this order"
        assert "since 02:47:04" in text
        assert "Database · main" in text and "Cache" in text, "the tiles are on the same picture"


async def test_healthy_is_calm_and_says_what_it_stands_on(opened: Opened) -> None:
    async with opened("healthy", size=(80, 24)) as (app, _):
        assert "Nothing is wrong" in app.whole
        assert "3 PostgreSQL servers" in app.whole and "answered within" in app.whole
        assert "CRITICAL" not in app.whole


async def test_number_keys_esc_and_q(opened: Opened) -> None:
    async with opened("healthy") as (app, pilot):
        await pilot.press("3")
        assert app.screen.name_of_pane == "database"  # type: ignore[attr-defined]
        database = app.screen
        await pilot.press("4")
        assert app.screen.name_of_pane == "cache"  # type: ignore[attr-defined]
        await pilot.press("3")
        assert app.screen is database, "a pane keeps its place while one is elsewhere"
        await pilot.press("escape")
        assert app.screen.name_of_pane == "overview"  # type: ignore[attr-defined]
        await pilot.press("q")
        assert app.return_code == 0 or app._exit


async def test_enter_opens_the_finding_with_its_runbook(opened: Opened) -> None:
    async with opened("lock-storm") as (app, pilot):
        await pilot.press("enter")
        assert app.screen.name_of_pane == "finding"  # type: ignore[attr-defined]
        assert "wait behind pid 4121" in app.whole and "Runbook" in app.whole
        board = SCENARIOS["healthy"](NOW)
        found = board.get(Findings)
        assert found is not None
        app.fake.put(found)
        await pilot.pause()
        assert "CLOSED" in app.whole, "the page says that its finding is gone, and keeps what it knew"


async def test_moving_among_findings_and_tiles(opened: Opened) -> None:
    async with opened("lock-storm") as (app, pilot):
        await pilot.press("down")
        assert any("▸▲" in row for row in app.text())
        await pilot.press("G")
        assert "▸4 Cache" in app.whole
        await pilot.press("left")
        assert "▸3 Database" in app.whole
        await pilot.press("enter")
        assert app.screen.name_of_pane == "database"  # type: ignore[attr-defined]


async def test_selection_stays_on_its_finding_whatever_comes(opened: Opened) -> None:
    async with opened("lock-storm") as (app, pilot):
        await pilot.press("down", "up")
        first = app.screen.selection  # type: ignore[attr-defined]
        found = app.fake.board.get(Findings)
        assert found is not None
        worst = msgspec.structs.replace(
            next(iter(found.rows.values())), id="new", title="Worse", since=NOW - timedelta(days=1)
        )
        app.fake.put(msgspec.structs.replace(found, rows={**found.rows, "new": worst}))
        await pilot.pause()
        assert app.screen.selection == first  # type: ignore[attr-defined]
        assert "Worse" in app.whole


async def test_describe_and_filter(opened: Opened) -> None:
    async with opened("hang-primary") as (app, pilot):
        await pilot.press("d")
        assert "kind: primary-unreachable" in app.whole
        await pilot.press("slash", *"severity")
        await pilot.pause()
        assert "severity: critical" in app.whole and "subject:" not in app.whole
        await pilot.press("escape")
        await pilot.pause()
        assert "subject:" in app.whole, "Esc ends the filter, not the page"
        await pilot.press("slash", *"severity", "enter")
        await pilot.pause()
        assert "subject:" not in app.whole and "/severity" in app.whole, "Enter keeps it"
        await pilot.press("escape")
        await pilot.pause()
        assert "subject:" in app.whole, "and Esc takes it off before it leads back"
        assert app.screen.name_of_pane == "describe"  # type: ignore[attr-defined]
        await pilot.press("escape")
        assert app.screen.name_of_pane == "overview"  # type: ignore[attr-defined]


async def test_log_is_asked_for_and_shown(opened: Opened) -> None:
    async with opened("hang-primary") as (app, pilot):
        await pilot.press("l")
        await pilot.pause()
        assert ("log", "postgres main/pg-2") in app.fake.asked
        app.fake.put(
            LogTail(
                key="postgres main/pg-2",
                taken_at=NOW,
                origin="/var/log/pg",
                lines={1: "LOG: ready", 2: "[red]FATAL: [/foo]"},
            )
        )
        app.tick()
        await pilot.pause()
        assert "[red]FATAL: [/foo]" in app.whole and "/var/log/pg" in app.whole


async def test_log_that_is_not_configured_says_so(opened: Opened) -> None:
    async with opened("hang-primary") as (app, pilot):
        app.fake.answer = "no log is configured for main/pg-2"
        await pilot.press("l")
        await pilot.pause()
        assert "no log is configured for main/pg-2" in app.whole


async def test_help_shows_the_live_keys_and_only_them(opened: Opened) -> None:
    async with opened("healthy", size=(120, 60)) as (app, pilot):
        await pilot.press("question_mark")
        text = app.whole
        assert "Time travel" in text and "ctrl+r" in text and "Database" in text
        assert "Back 1 min" not in text, "keys of the replay are not alive"


async def test_palette_finds_and_does(opened: Opened) -> None:
    async with opened("hang-primary") as (app, pilot):
        await pilot.press("colon", *"data")
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen.name_of_pane == "database"  # type: ignore[attr-defined]
        await pilot.press("ctrl+p", *"answer", "enter")
        await pilot.pause()
        assert app.screen.name_of_pane == "finding"  # type: ignore[attr-defined]


async def test_hold_writes_nothing_at_all(opened: Opened) -> None:
    async with opened("healthy") as (app, pilot):
        await pilot.press("p")
        await pilot.pause()
        assert "HELD" in app.whole
        before = app.written
        for second in range(1, 6):
            app.fake.moment = NOW + timedelta(seconds=second)
            broken = SCENARIOS["hang-primary"](app.fake.moment)
            app.fake.put(*broken)
            app.tick()
            await pilot.pause()
        assert app.written == before, "not even the clock"
        await pilot.press("p")
        await pilot.pause()
        assert "CRITICAL" in app.whole and "02:47:17Z" in app.whole and "HELD" not in app.whole


async def test_idle_writes_only_the_clock(opened: Opened) -> None:
    async with opened("healthy") as (app, pilot):
        for second in range(1, 6):
            before, rows = app.written, app.text()
            app.fake.moment = NOW + timedelta(seconds=second)
            app.fake.put(*SCENARIOS["healthy"](app.fake.moment))
            app.tick()
            await pilot.pause()
            changed = [y for y, (old, new) in enumerate(zip(rows, app.text(), strict=True)) if old != new]
            assert changed == [0]
            assert 0 < app.written - before <= 60
        before = app.written
        app.tick()
        app.fake.put(*SCENARIOS["healthy"](app.fake.moment))
        app.tick()
        await pilot.pause()
        assert app.written == before, "the same moment and equal readings write nothing"


async def test_a_lost_engine_turns_everything_unknown_and_keys_work(opened: Opened) -> None:
    async with opened("healthy") as (app, pilot):
        app.fake.lose("the engine ended")
        await pilot.pause()
        text = app.whole
        assert "UNKNOWN" in app.text()[0] and "the engine ended" in text and "ctrl+r" in text
        assert "OK" not in app.text()[0] and "412/s" not in text, "no old value is shown as current"
        assert text.count("UNKNOWN") >= 3, "the verdict and both tiles"
        await pilot.press("3")
        assert app.screen.name_of_pane == "database"  # type: ignore[attr-defined]
        assert "412" not in app.whole
        await pilot.press("ctrl+r")
        assert app.fake.retried == 1
        await pilot.press("escape")
        app.fake.find()
        await pilot.pause()
        assert "Nothing is wrong" in app.whole


async def test_state_changes_are_painted_at_once(opened: Opened) -> None:
    """A new finding does not wait for the tick; a figure does."""
    async with opened("healthy") as (app, pilot):
        app.fake.put(*SCENARIOS["hang-primary"](NOW))
        await pilot.pause()
        assert "CRITICAL" in app.text()[0]


@pytest.mark.parametrize("pane", ["1", "3", "4"])
@pytest.mark.parametrize("size", [(200, 50), (120, 35), (80, 24), (40, 10)])
async def test_production_is_unmistakable_on_every_screen(opened: Opened, pane: str, size: tuple[int, int]) -> None:
    board = SCENARIOS["healthy"](NOW)
    environment = board.get(Environment)
    assert environment is not None
    board.put(msgspec.structs.replace(environment, production=True))
    async with opened(board, size=size) as (app, pilot):
        await pilot.press(pane)
        await pilot.pause()
        assert "PRODUCTION" in "\n".join(app.text()[:2])


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
@pytest.mark.parametrize("size", [(200, 50), (80, 24), (40, 10), (1, 1)])
async def test_every_board_at_every_size(opened: Opened, scenario: str, size: tuple[int, int]) -> None:
    async with opened(scenario, size=size) as (app, pilot):
        assert [len(row) for row in app._painter._wanted] == [size[0]] * size[1]
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("escape", "question_mark")
        await pilot.pause()


async def test_resizing_lays_out_anew(opened: Opened) -> None:
    async with opened("lock-storm", size=(200, 50)) as (app, pilot):
        for size in [(80, 24), (120, 35), (40, 10), (200, 50)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            await pilot.pause()
            assert len(app.text()) == size[1]
            assert "CRITICAL" in app.text()[0]


async def test_a_crash_tells_no_values(opened: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    app = console_on("healthy")
    with pytest.raises(RuntimeError):
        async with app.run_test() as pilot:
            await pilot.pause()

            def boom() -> None:
                password = "hunter2"
                raise RuntimeError(f"with {len(password)} letters")

            app.call_later(boom)
            await pilot.pause()
    shown = capsys.readouterr().err
    assert "hunter2" not in shown and "banksman crashed: RuntimeError" in shown


def test_every_action_has_its_words_and_no_key_twice() -> None:
    check_keymap({})
    for action in ACTIONS:
        assert action.help.endswith(".") and action.label
        assert action.run or action.shown_as
    assert "| `ctrl+r` | Refresh |" in key_table()
    assert written(next(action for action in ACTIONS if action.id == "app.help")) == "?"
    with pytest.raises(ActionError):
        check_keymap({"no.such": "x"})
    with pytest.raises(ActionError):
        check_keymap({"app.hold": "t"})


async def test_keys_can_be_remapped_by_id(opened: Opened) -> None:
    async with opened("healthy", keymap={"pane.database": "f3"}) as (app, pilot):
        await pilot.press("3")
        assert app.screen.name_of_pane == "overview"  # type: ignore[attr-defined]
        await pilot.press("f3")
        assert app.screen.name_of_pane == "database"  # type: ignore[attr-defined]


async def test_a_screen_that_cannot_be_drawn_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.app import BanksmanApp
    from screens.cache import CacheScreen

    def broken(self: CacheScreen, view: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(CacheScreen, "draw", broken)
    monkeypatch.delattr("tests.screens.conftest.Console.draw_failed")
    app = console_on("healthy")
    assert isinstance(app, BanksmanApp)
    async with app.run_test(size=(120, 35)) as pilot:
        await pilot.pause()
        await pilot.press("4")
        await pilot.pause()
        assert "could not be drawn (ZeroDivisionError)" in app.whole
        await pilot.press("3")
        await pilot.pause()
        assert "pg-2" in app.whole
