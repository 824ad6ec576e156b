"""What the cluster screen shows, as pure functions: readings in, rows and a drawing out, whatever the readings are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.board import Board
from console.readings import Environment
from screens.cluster_facts import Platform, platform_at
from screens.cluster_head import head_lines
from screens.cluster_limits import budgets, quotas, scalers
from screens.cluster_nodes import nodes, zones
from screens.cluster_pods import WorkloadRows, pods
from screens.cluster_rows import databases, events, images, poolers
from screens.cluster_side import side, troubles
from screens.cluster_state import by_owner, counted
from screens.kept import KeptRows
from screens.layout import roomy
from screens.section import Section
from screens.tile_cluster import cluster_tile
from screens.tiles import draw_tile
from screens.view import View
from tests.screens.board_cluster import CLUSTER, DAYS, EVERY
from tests.screens.boards import NOW
from tests.strategies import readings
from tests.tools.hostile import FIFTY, readings_with
from widgets.columns import place, row_line
from widgets.spans import width
from widgets.topology import draw

MAKE = {
    "nodes": nodes,
    "scalers": scalers,
    "quotas": quotas,
    "budgets": budgets,
    "events": events,
    "images": images,
    "databases": databases,
    "poolers": poolers,
}


def every_section(platform: Platform) -> dict[str, Section]:
    found = platform.pods.reading.pods if platform.pods.reading else {}
    sections = {name: make(platform, KeptRows(), NOW) for name, make in MAKE.items()}
    sections["pods"] = pods(platform, counted(found.values(), platform.lost), KeptRows(), NOW)
    sections["workloads"] = WorkloadRows()(platform, by_owner(found), NOW)
    return sections


def looks_right(board: Board, cells: int, height: int = 30) -> None:
    """Nothing is wider than there is room for; no row is narrower than its columns; keys are unique."""
    platform = platform_at(board, CLUSTER, NOW)
    for title, section in every_section(platform).items():
        layout = place(roomy(section.columns, cells), cells)
        want = sum(each.width for each in layout) + 2 * (len(layout) - 1)
        assert all(width(row_line(row, layout)) == want for row in section.rows), title
        assert len({row.key for row in section.rows}) == len(section.rows), title
        assert all(len(row.cells) == len(section.columns) for row in section.rows), title
    assert all(width(each) <= cells for each in draw(zones(platform, {}, NOW), cells, 9))
    found = platform.pods.reading.pods if platform.pods.reading else {}
    counts, bad = counted(found.values(), platform.lost), troubles(found, platform.lost)
    for layout_name in ("small", "middle", "wide"):
        (head,) = head_lines(platform, counts, [CLUSTER, "other"], cells, layout_name)  # type: ignore[arg-type]
        assert width(head) == cells
    view = View(board, NOW)
    assert all(width(each) in (0, 66) for each in side(view, platform, bad, [], "workloads", 66, height))
    for narrow in (True, False):
        assert all(width(each) == 60 for each in draw_tile(cluster_tile(view, CLUSTER, narrow), 60, height))


def watched(found: list[Any]) -> Board:
    """A board on which these are what the cluster says."""
    board = Board()
    board.put(Environment(taken_at=NOW, name="x", panes={"cluster": tuple(f"{cls.topic} {CLUSTER}" for cls in EVERY)}))
    for reading in found:
        board.put(msgspec.structs.replace(reading, key=CLUSTER, taken_at=NOW, every_s=2))
    return board


@pytest.mark.parametrize("cells", [77, 117, 131])
@pytest.mark.parametrize("day", DAYS)
def test_every_day_at_every_width(day: str, cells: int) -> None:
    looks_right(DAYS[day](NOW), cells)


@pytest.mark.parametrize("cells", [77, 117, 131])
def test_columns_fit_and_letters_are_unique(cells: int) -> None:
    for title, section in every_section(platform_at(DAYS["broken"](NOW), CLUSTER, NOW)).items():
        placed = place(roomy(section.columns, cells + 3), cells)
        assert sum(each.width for each in placed) + 2 * (len(placed) - 1) <= cells, title
        letters = [column.sort for column in section.columns if column.sort]
        assert len(set(letters)) == len(letters) and "G" not in letters, title
        assert all(
            column.sort.casefold() in column.title.casefold()
            for column in section.columns
            if column.sort and column.title
        ), title


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(readings(*EVERY), max_size=8), st.integers(60, 210), st.integers(1, 40))
def test_any_reading_makes_rows_of_one_width(found: list[Any], cells: int, height: int) -> None:
    looks_right(watched(found), cells, height)


@pytest.mark.parametrize("hostile", FIFTY)
def test_hostile_text_moves_no_column(hostile: str) -> None:
    kinds = tuple(cls.topic for cls in EVERY)
    looks_right(watched([each for each in readings_with(hostile) if each.topic in kinds]), 117)
