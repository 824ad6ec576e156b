"""The live table: what it paints, where its cursor stays."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from widgets.columns import Cell, Column, Row
from widgets.lines import Lines, LineView
from widgets.spans import line, text_of
from widgets.table import LiveTable

COLUMNS = [
    Column("name", "name", 8, sort="N"),
    Column("size", "size", 7, "right", sort="S", descending=True),
    Column("note", "note", 10, flex=1, drop=1),
]


def rows(count: int, seed: int = 0) -> list[Row]:
    rnd = random.Random(seed)
    return [Row(i, (f"r{i:05}", Cell(str(v := rnd.randrange(10**6)), sort=v), "note")) for i in range(count)]


class Bench(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.table = LiveTable(COLUMNS, **options)
        self.posted: list[Any] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()

    def on_live_table_selected(self, event: LiveTable.Selected) -> None:
        self.posted.append(event.key)

    def on_live_table_copied(self, event: LiveTable.Copied) -> None:
        self.posted.append(event.text)


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Region, ...]]]:
    """Every refresh that a line view asked for: the regions of each (empty: all of it)."""
    seen: list[tuple[Region, ...]] = []
    plain = LineView.refresh

    def refresh(self: LineView, *regions: Region, **options: Any) -> Any:
        seen.append(regions)
        return plain(self, *regions, **options)

    monkeypatch.setattr(LineView, "refresh", refresh)
    yield seen


def screen_text(app: App[None], table: LiveTable) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


async def test_only_changed_cells_are_refreshed(refreshed: list[tuple[Region, ...]]) -> None:
    app = Bench()
    async with app.run_test(size=(60, 12)) as pilot:
        data = rows(200)
        app.table.set_rows(data)
        await pilot.pause()
        refreshed.clear()
        app.table.set_rows(list(rows(200)))
        assert refreshed == [], "equal rows, made anew, cost nothing"
        changed = list(data)
        changed[3] = Row(3, ("r00003", Cell("42", sort=42), "note"))
        changed[150] = Row(150, ("r00150", Cell("43", sort=43), "note"))
        app.table.set_rows(changed)
        assert len(refreshed) == 1
        (region,) = refreshed[0]
        assert region.y == 4 and region.height == 1, "row 3 under one heading; row 150 is out of sight"
        assert region.x >= 2 + 8 and region.width <= 7 + 2
        assert "r00003" in screen_text(app, app.table)[4]
        assert "42" in screen_text(app, app.table)[4]


async def test_cursor_and_scroll_stay_on_their_row() -> None:
    app = Bench(sort="size")
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_rows(rows(500))
        await pilot.pause()
        app.table.move_to(77)
        place = next(y for y, text in enumerate(screen_text(app, app.table)) if "r00077" in text)
        for seed in range(1, 8):
            app.table.set_rows(rows(500, seed))
            assert app.table.cursor == 77
            shown = screen_text(app, app.table)
            at = app.table.keys.index(77)
            if 10 < at < 480:
                assert "▸" in shown[place] and "r00077" in shown[place], "the same row on the same line"
        app.table.set_rows([row for row in rows(500, 7) if row.key != 77])
        assert app.table.cursor is not None and app.table.cursor != 77, "a neighbour takes over"


async def test_untouched_table_shows_its_top() -> None:
    """Before the first key the cursor follows the first row: what is worst comes first and stays in sight."""
    app = Bench(sort="size")
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_rows(rows(50))
        await pilot.pause()
        app.table.set_rows([*rows(50), Row(99, ("worst", Cell("x", sort=10**9), ""))])
        assert app.table.cursor == 99
        assert "worst" in screen_text(app, app.table)[1]


async def test_sort_filter_mark_copy() -> None:
    app = Bench()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_rows(rows(30))
        await pilot.press("S")
        assert app.table.sorted_by == ("size", True)
        by_key = {row.key: int(row.text(1)) for row in rows(30)}
        sizes = [by_key[key] for key in app.table.keys]
        assert sizes == sorted(sizes, reverse=True)
        await pilot.press("S")
        assert app.table.sorted_by == ("size", False)
        await pilot.press("S")
        assert app.table.keys == list(range(30)), "a third press: as given"
        app.table.set_filter("R0001")
        assert app.table.keys == list(range(10, 20))
        assert "/R0001" in screen_text(app, app.table)[0]
        app.table.set_filter("!r0001")
        assert app.table.keys == [*range(10), *range(20, 30)]
        app.table.set_filter("nowhere")
        assert "no row matches" in "".join(screen_text(app, app.table))
        app.table.set_filter("")
        app.table.move_to(4)
        app.table.action_mark()
        app.table.action_mark()
        assert app.table.marks == {4, 5} and app.table.cursor == 6
        app.table.action_copy()
        app.table.action_select()
        await pilot.pause()
        assert app.posted[0].splitlines()[0].split("\t")[0] == "r00004"
        assert app.posted[1] == 6


async def test_empty_failed_and_unknown_look_like_it() -> None:
    app = Bench(empty="no sessions")
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert "no sessions" in "".join(screen_text(app, app.table))
        app.table.set_rows(rows(3))
        app.table.set_notice("pg-2 has not answered for 12 s", "unknown")
        shown = "".join(screen_text(app, app.table))
        assert "? pg-2 has not answered" in shown and "r00001" not in shown, "the last values are not shown as current"
        app.table.action_select()
        app.table.set_notice("", "")
        assert "r00001" in "".join(screen_text(app, app.table))
        await pilot.pause()
        assert app.posted == []


async def test_narrow_drops_columns_wide_gives_room() -> None:
    app = Bench()
    async with app.run_test(size=(24, 12)) as pilot:
        app.table.set_rows(rows(3))
        await pilot.pause()
        assert "note" not in screen_text(app, app.table)[0]
        await pilot.resize_terminal(80, 12)
        await pilot.pause()
        assert "note" in screen_text(app, app.table)[0]


async def test_ten_thousand_rows(refreshed: list[tuple[Region, ...]]) -> None:
    app = Bench(sort="name")
    async with app.run_test(size=(100, 40)) as pilot:
        app.table.set_rows(rows(10_000))
        await pilot.pause()
        app.table.action_last()
        assert "r09999" in screen_text(app, app.table)[39]
        app.table.action_page(-1)
        assert len(app.table._lines) < 200, "only rows that were seen were drawn"


async def test_lines_refresh_the_difference(refreshed: list[tuple[Region, ...]]) -> None:
    class One(App[None]):
        def compose(self) -> ComposeResult:
            yield Lines([line("02:47:12Z"), line("second")])

    app = One()
    async with app.run_test(size=(40, 5)) as pilot:
        view = app.query_one(Lines)
        await pilot.pause()
        refreshed.clear()
        view.show([line("02:47:12Z"), line("second")])
        assert refreshed == []
        view.show([line("02:47:13Z"), line("second")])
        assert refreshed == [(Region(7, 0, 1, 1),)]
        view.show([line("日本"), line("second")])
        await pilot.pause()
        view.show([line("日x"), line("second")])
        assert refreshed[-1] == (Region(2, 0, 2, 1),)
        assert text_of(view.lines[0]) == "日x"
