"""Pictures of the overview and the pages, committed: a change of what people see is seen in review.

``pytest tests/screens/test_snapshots.py --snapshot-update`` takes them anew; look at them before committing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from console.readings import Environment
from screens.themes import DARK, LIGHT, SIXTEEN
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.conftest import console_on

SIZES = {"200x50": (200, 50), "120x35": (120, 35), "80x24": (80, 24)}
Compare = Callable[..., bool]


async def settle(pilot: Pilot[Any]) -> None:
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scenario", ["healthy", "hang-primary"])
def test_overview(snap_compare: Compare, scenario: str, size: str, theme: str) -> None:
    assert snap_compare(console_on(scenario, theme=theme), terminal_size=SIZES[size], run_before=settle)


@pytest.mark.parametrize("scenario", ["lock-storm", "two-primaries", "not-read-yet", "all-unknown"])
def test_overview_of_other_days(snap_compare: Compare, scenario: str) -> None:
    assert snap_compare(console_on(scenario), terminal_size=(80, 24), run_before=settle)


def test_overview_in_production_without_its_engine(snap_compare: Compare) -> None:
    board = SCENARIOS["healthy"](NOW)
    environment = board.get(Environment)
    assert environment is not None
    board.put(msgspec.structs.replace(environment, production=True))
    app = console_on(board)
    app.fake.lose("the engine (process 4711) has said nothing for 3 s")
    assert snap_compare(app, terminal_size=(80, 24), run_before=settle)


def test_overview_in_sixteen_colours(snap_compare: Compare) -> None:
    assert snap_compare(console_on("hang-primary", theme=SIXTEEN.name), terminal_size=(80, 24), run_before=settle)


def test_overview_on_a_tiny_terminal(snap_compare: Compare) -> None:
    assert snap_compare(console_on("hang-primary"), terminal_size=(40, 10), run_before=settle)


@pytest.mark.parametrize("key", ["enter", "question_mark", "d", "colon"])
def test_pages(snap_compare: Compare, key: str) -> None:
    assert snap_compare(console_on("hang-primary"), terminal_size=(80, 24), press=[key], run_before=settle)


def test_held(snap_compare: Compare) -> None:
    assert snap_compare(console_on("healthy"), terminal_size=(80, 24), press=["p"], run_before=settle)
