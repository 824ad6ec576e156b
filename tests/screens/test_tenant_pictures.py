"""Pictures of the tenants screen, of one tenant and of the overview with tenants: healthy and broken, three sizes.

A changed picture is looked at, then accepted with ``--snapshot-update``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from screens.themes import LIGHT, SIXTEEN
from tests.screens.conftest import console_on

SIZES = {"200x50": (200, 50), "120x35": (120, 35), "80x24": (80, 24)}
PICTURES: dict[str, tuple[str, list[str]]] = {
    "tenants-healthy": ("tenants", ["7"]),
    "tenants-broken": ("tenants-broken", ["7"]),
    "tenant-broken": ("tenants-broken", ["7", "down", "down", "enter", "right", "right"]),
    "overview-broken": ("tenants-broken", []),
}
SMALL: dict[str, tuple[str, list[str], str]] = {
    "tenants-silent": ("tenants-silent", ["7"], ""),
    "tenants-many": ("tenants-many", ["7"], ""),
    "tenants-without-primary": ("tenants-without-primary", ["7"], ""),
    "tenants-broken-light": ("tenants-broken", ["7"], LIGHT.name),
    "tenants-broken-sixteen": ("tenants-broken", ["7"], SIXTEEN.name),
    "overview-healthy": ("tenants", [], ""),
}


def _press(keys: list[str]) -> Callable[[Pilot[Any]], Any]:
    async def press(pilot: Pilot[Any]) -> None:
        for key in ["", *keys]:
            if key:
                await pilot.press(key)
            for _ in range(3):
                await pilot.pause()

    return press


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PICTURES)
def test_picture(snap_compare: Any, name: str, size: str) -> None:
    scenario, keys = PICTURES[name]
    assert snap_compare(console_on(scenario), terminal_size=SIZES[size], run_before=_press(keys))


@pytest.mark.parametrize("name", SMALL)
def test_small_picture(snap_compare: Any, name: str) -> None:
    scenario, keys, theme = SMALL[name]
    app = console_on(scenario, theme=theme) if theme else console_on(scenario)
    assert snap_compare(app, terminal_size=(80, 24), run_before=_press(keys))
