"""Pictures of the database and the cache screen: healthy and broken, three sizes, dark and light.

A changed picture is looked at, then accepted with ``--snapshot-update``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from screens.themes import THEMES
from tests.screens.conftest import console_on

SIZES = {"200x50": (200, 50), "120x35": (120, 35), "80x24": (80, 24)}
LOOKS = {"dark": THEMES[0].name, "light": THEMES[1].name}
PICTURES: dict[str, tuple[str, list[str]]] = {
    "database-healthy": ("healthy", ["3"]),
    "database-hang-primary": ("hang-primary", ["3"]),
    "database-lock-storm": ("lock-storm", ["3", "right"]),
    "cache-healthy": ("healthy", ["4"]),
    "cache-down": ("cache-down", ["4"]),
}
MORE: dict[str, tuple[str, list[str]]] = {
    "database-statements": ("healthy", ["3", "right", "right"]),
    "database-settings": ("healthy", ["3", *["right"] * 6]),
    "database-two-primaries": ("two-primaries", ["3", "left", "left"]),
    "database-no-primary": ("no-primary", ["3"]),
    "database-all-unknown": ("all-unknown", ["3"]),
    "database-lag": ("lag", ["3"]),
    "cache-sentinels": ("cache-down", ["4", "left", "left"]),
}
"""Once, dark, in the middle size."""


async def _settle(pilot: Pilot[Any]) -> None:
    for _ in range(3):
        await pilot.pause()


def _press(keys: list[str]) -> Callable[[Pilot[Any]], Any]:
    async def press(pilot: Pilot[Any]) -> None:
        await _settle(pilot)
        for key in keys:
            await pilot.press(key)
            await _settle(pilot)

    return press


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PICTURES)
def test_picture(snap_compare: Any, name: str, size: str, look: str) -> None:
    scenario, keys = PICTURES[name]
    app = console_on(scenario, theme=LOOKS[look])
    assert snap_compare(app, terminal_size=SIZES[size], run_before=_press(keys))


@pytest.mark.parametrize("name", MORE)
def test_more_pictures(snap_compare: Any, name: str) -> None:
    scenario, keys = MORE[name]
    assert snap_compare(console_on(scenario), terminal_size=SIZES["120x35"], run_before=_press(keys))
