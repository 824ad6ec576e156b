"""Tiles: each says how its own cluster or cache is, and never better than it is."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from console.board import Board
from console.readings import PostgresMember, RedisServer
from screens.overview import overview_picture
from screens.tiles import all_tiles, draw_tile
from screens.view import View
from tests.screens.board_ground import NOW, failed, findings
from tests.screens.board_second import two_of_each
from tests.screens.boards import SCENARIOS
from widgets.spans import text_of


def states(board: Board, lost: str = "") -> dict[str, str]:
    view = View(board, NOW, lost=lost)
    return {f"{facts.pane} {facts.subject}": facts.state for facts in all_tiles(view, 60)}


def test_each_tile_is_judged_by_its_own() -> None:
    board = two_of_each(NOW)
    assert set(states(board).values()) == {"ok"} and len(states(board)) == 4
    failed(board, PostgresMember, "reports/rp-2", NOW, "no answer within 2 s", 8)
    found = states(board)
    assert found["database reports"] == "warning" and found["database main"] == "ok"


@pytest.mark.parametrize("key", ["main/pg-1", "main/pg-2", "main/pg-3", "reports/rp-1", "reports/rp-2"])
def test_a_stale_reading_makes_its_tile_unknown_however_many_others_there_are(key: str) -> None:
    """Reasons are cut to three for the screen; the state must not depend on which three."""
    board = two_of_each(NOW)
    for reading in board.every(PostgresMember):
        board.put(msgspec.structs.replace(reading, taken_at=NOW - timedelta(seconds=60)))
    reading = board.get(PostgresMember, key)
    assert reading is not None
    found = states(board)
    assert found[f"database {key.split('/')[0]}"] == "unknown"
    assert found["cache sessions"] == "ok"


def test_a_lost_engine_makes_every_tile_unknown() -> None:
    assert set(states(two_of_each(NOW), "the engine ended").values()) == {"unknown"}


def test_four_tiles_at_every_size() -> None:
    view = View(two_of_each(NOW), NOW)
    for cells, height in ((200, 46), (120, 31), (80, 20), (40, 7)):
        picture = overview_picture(view, cells, height)
        assert len(picture.lines) == height
        drawn = "\n".join(text_of(row) for row in picture.lines)
        assert all(name in drawn for name in ("main", "reports", "cache", "sessions")), (cells, height)


def test_an_unknown_tile_says_its_age_and_a_healthy_one_nothing() -> None:
    board = SCENARIOS["healthy"](NOW)
    server = board.get(RedisServer, "cache/cache-1")
    assert server is not None
    board.put(msgspec.structs.replace(server, taken_at=NOW - timedelta(seconds=42)))
    view = View(board, NOW)
    for facts in all_tiles(view, 60):
        drawn = "\n".join(text_of(row) for row in draw_tile(facts, 60, 10))
        assert ("UNKNOWN" in drawn and "42 s ago" in drawn) == (facts.pane == "cache")


def test_the_tile_of_a_lost_primary_shows_no_figure() -> None:
    (database,) = [each for each in all_tiles(View(SCENARIOS["hang-primary"](NOW), NOW), 60) if each.pane == "database"]
    drawn = "\n".join(text_of(row) for row in draw_tile(database, 60, 14))
    assert "412" not in drawn and "no answer" in drawn and "leader key pg-2" in drawn


def test_a_finding_of_one_cluster_leaves_the_other_in_peace() -> None:
    board = two_of_each(NOW)
    broken = SCENARIOS["lock-storm"](NOW)
    rows = {row.id: row for row in broken.findings}
    board.put(findings(NOW, board, list(rows.values())))
    found = states(board)
    assert found["database main"] == "critical" and found["database reports"] == "ok"
