"""Pictures of the cluster screen and its tile: healthy and broken, three sizes, dark and light.

A changed picture is looked at, then accepted with ``--snapshot-update``.
"""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from screens.cluster import ClusterScreen
from screens.themes import THEMES
from tests.screens.board_cluster import DAYS
from tests.screens.board_ground import NOW
from tests.screens.conftest import Console, console_on

SIZES = {"200x50": (200, 50), "120x35": (120, 35), "80x24": (80, 24)}
LOOKS = {"dark": THEMES[0].name, "light": THEMES[1].name}
TABS = {
    "pods": "broken",
    "nodes": "broken",
    "scalers": "broken",
    "quotas": "broken",
    "budgets": "broken",
    "events": "broken",
    "images": "broken",
    "databases": "operators",
    "poolers": "operators",
}


async def _settle(pilot: Pilot[Any]) -> None:
    for _ in range(3):
        await pilot.pause()


def _on(tab: str) -> Any:
    async def show(pilot: Pilot[Any]) -> None:
        await _settle(pilot)
        await pilot.press("2")
        await _settle(pilot)
        app: Any = pilot.app
        assert isinstance(app, Console)
        assert isinstance(app.screen, ClusterScreen)
        app.screen.action_section(tab)
        await _settle(pilot)

    return show


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("day", ["well", "broken"])
def test_picture(snap_compare: Any, day: str, size: str, look: str) -> None:
    app = console_on(DAYS[day](NOW), theme=LOOKS[look])
    assert snap_compare(app, terminal_size=SIZES[size], run_before=_on("workloads"))


@pytest.mark.parametrize("tab", TABS)
def test_tabs(snap_compare: Any, tab: str) -> None:
    assert snap_compare(console_on(DAYS[TABS[tab]](NOW)), terminal_size=SIZES["120x35"], run_before=_on(tab))


@pytest.mark.parametrize("tab", ["pods", "nodes"])
def test_tabs_on_a_small_screen(snap_compare: Any, tab: str) -> None:
    assert snap_compare(console_on(DAYS["broken"](NOW)), terminal_size=SIZES["80x24"], run_before=_on(tab))


@pytest.mark.parametrize(("day", "tab"), [("unknown", "workloads"), ("denied", "quotas")])
def test_what_cannot_be_seen(snap_compare: Any, day: str, tab: str) -> None:
    assert snap_compare(console_on(DAYS[day](NOW)), terminal_size=SIZES["120x35"], run_before=_on(tab))


@pytest.mark.parametrize("day", ["broken", "unknown"])
def test_tile(snap_compare: Any, day: str) -> None:
    assert snap_compare(console_on(DAYS[day](NOW)), terminal_size=SIZES["80x24"], run_before=_settle)
