"""Text from outside, as hostile as it comes, through every screen: nothing acts, nothing crashes, no column shifts."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from console.board import Board
from console.clients.clean import clean
from console.readings import (
    Activity,
    Evidence,
    Findings,
    LogTail,
    PostgresMember,
    PostgresStatements,
    RedisServer,
)
from screens.describe import yaml_lines
from screens.findings_block import draw_findings
from screens.header import header_lines
from screens.overview import overview_picture
from screens.runbook import markdown_lines
from screens.view import View
from tests.screens.board_cluster import hostile_cluster
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.conftest import console_on
from tests.tools.hostile import CLASSES, FIFTY
from tests.tools.hostile import HOSTILE as THOUSAND
from tests.widgets.test_spans import HOSTILE
from widgets.spans import text_of, width

WORST = [
    "[@click=app.quit]quit[/]",
    "[/foo]",
    "[red on white]x",
    "\x1b[2J\x1b[1;1H\x1b]0;owned\x07\x1b]52;c;QQ==\x07",
    "\u202eabc\u2066def",
    "a\x00b\r\nc\td",
    "日本語" * 40,
    "e\u0301\u0302\u0303" * 30,
    "👨‍👩‍👧‍👦🇩🇪❤️1️⃣",
    "x" * 10_000,
    "\u200b\u200d\ufeff\u00ad",
]


def hostile_board(text: str, scenario: str = "lock-storm") -> Board:
    """A board on which everything that people write reads ``text``."""
    board = SCENARIOS[scenario](NOW)
    for reading in list(board):
        changes: dict[str, Any] = {}
        if isinstance(reading, Findings):
            changes["rows"] = {
                key: msgspec.structs.replace(
                    row, title=text, impact=text, action=text, affects=(text, text + "2"),
                    evidence=(Evidence(text, text, text, text=text),),
                )
                for key, row in reading.rows.items()
            }  # fmt: skip
        elif isinstance(reading, Activity):
            changes["sessions"] = {
                pid: msgspec.structs.replace(row, database=text, user=text, application=text, client=text, query=text)
                for pid, row in reading.sessions.items()
            }
            changes["blocked"] = {
                pid: msgspec.structs.replace(row, mode=text, target=text) for pid, row in reading.blocked.items()
            }
        elif isinstance(reading, PostgresStatements):
            changes["rows"] = {
                key: msgspec.structs.replace(row, database=text, user=text, query=text)
                for key, row in reading.rows.items()
            }
        elif isinstance(reading, PostgresMember):
            changes["connections_by_database"] = {text: 5}
        elif isinstance(reading, RedisServer):
            changes["apps"] = {key: msgspec.structs.replace(row, name=text) for key, row in reading.apps.items()}
            changes["slow"] = {key: msgspec.structs.replace(row, command=text) for key, row in reading.slow.items()}
        if changes:
            board.put(msgspec.structs.replace(reading, **changes))
    return board


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(HOSTILE, st.sampled_from([(200, 46), (120, 31), (80, 20), (40, 7)]))
def test_every_row_of_the_overview_is_as_wide_as_the_screen(text: str, size: tuple[int, int]) -> None:
    cells, height = size
    view = View(hostile_board(text), NOW)
    picture = overview_picture(view, cells, height)
    plain = overview_picture(View(hostile_board("x"), NOW), cells, height)
    assert len(picture.lines) == height
    for row in (*picture.lines, *header_lines(view, cells), *draw_findings(view, cells, height).lines):
        assert width(row) == cells == cell_len(text_of(row))
        assert text_of(row).isprintable()
    assert _frames(picture.lines[-5:]) == _frames(plain.lines[-5:]), "the frames of the tiles stand where they stood"


def _frames(rows: list[Any]) -> list[list[int]]:
    """Columns in which the frames stand."""
    found = []
    for row in rows:
        x, here = 0, []
        for text, _ in row:
            if text in ("│", "╰", "╯"):
                here.append(x)
            x += cell_len(text)
        found.append([here[0], here[-1]] if here else [])
    return found


@settings(max_examples=60)
@given(HOSTILE, st.integers(20, 120))
def test_descriptions_and_runbooks_keep_within(text: str, cells: int) -> None:
    reading = LogTail(key=text, taken_at=NOW, origin=text, lines={1: text})
    for row in yaml_lines({"a": reading, "b": [text, {"c": text}]}, NOW, cells):
        assert text_of(row).isprintable() or text_of(row) == ""
    for row in markdown_lines(f"# {text}\n- {text}\n`{text}`\n", cells):
        assert text_of(row).isprintable() or text_of(row) == ""


@pytest.mark.parametrize("text", WORST)
async def test_nothing_acts_on_any_screen(text: str) -> None:
    size = (100, 30)
    app = console_on(hostile_board(text))
    async with app.run_test(size=size) as pilot:
        for keys in (
            ["enter"],
            ["escape", "d"],
            ["escape", "3"],
            ["tab", "d"],
            ["escape", "escape", "4"],
            ["1", "colon"],
        ):
            await pilot.press(*keys)
            await pilot.pause()
            assert [len(row) for row in app._painter._wanted] == [size[0]] * size[1]
            written = "".join(cell.text for row in app._painter._wanted for cell in row)
            assert written.isprintable(), "no control character reaches the terminal"
            assert not app._exit
        app.fake.put(LogTail(key="postgres main/pg-2", taken_at=NOW, lines={1: text, 2: text}))
        await asyncio.sleep(0)
        app.tick()
        await pilot.pause()


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(THOUSAND[::10], id="a hundred"),
        pytest.param(THOUSAND, id="a thousand", marks=pytest.mark.matrix),
    ],
)
@pytest.mark.parametrize(
    "keys",
    [[], ["enter"], ["3"], ["3", "tab", "d"], ["4"]],
    ids=lambda keys: "-".join(keys) or "overview",
)
async def test_all_of_them_on_every_screen(keys: list[str], texts: list[str]) -> None:
    size = (100, 30)
    app = console_on(hostile_board("x"))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        for text in texts:
            # As the engine delivers it: cleaned once, at the edge.
            for reading in hostile_board(clean(text, 10_000)):
                app.feed.board.put(reading)
            app.tick()
            await pilot.pause()
            wanted = app._painter._wanted
            assert [len(row) for row in wanted] == [size[0]] * size[1], text
            assert "".join(cell.text for row in wanted for cell in row).isprintable(), text
        assert not app._exit
        assert app._exception is None


async def test_the_cluster_screen_with_one_of_each_class() -> None:
    """All its tabs in turn, each with texts of every class in names, messages, images and zones."""
    size = (100, 30)
    app = console_on(hostile_cluster(Board(), "x"))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("2")
        for text in FIFTY[: len(CLASSES)]:
            hostile_cluster(app.feed.board, text)
            await pilot.press("right")
            await pilot.pause()
            wanted = app._painter._wanted
            assert [len(row) for row in wanted] == [size[0]] * size[1], text
            assert "".join(cell.text for row in wanted for cell in row).isprintable(), text
        assert not app._exit
        assert app._exception is None
