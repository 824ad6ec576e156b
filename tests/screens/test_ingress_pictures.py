"""Pictures of the ingress screen: well, broken and silent.

A changed picture is looked at, then accepted with ``--snapshot-update``.
"""

from __future__ import annotations

from typing import Any

import pytest

from screens.themes import THEMES
from tests.screens.conftest import console_on
from tests.screens.test_database_pictures import SIZES, _press

PICTURES: dict[str, tuple[str, list[str]]] = {
    "ingress": ("ingress", ["5"]),
    "ingress-broken": ("ingress-broken", ["5"]),
}
MORE: dict[str, tuple[str, list[str]]] = {
    "overview": ("ingress-broken", []),
    "certificates": ("ingress-broken", ["5", *["right"] * 3]),
    "errors": ("ingress-broken", ["5", *["right"] * 5]),
    "silent": ("ingress-silent", ["5"]),
    "bare": ("ingress-bare", ["5"]),
}
"""Once, dark, in the middle size."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PICTURES)
def test_picture(snap_compare: Any, name: str, size: str) -> None:
    scenario, keys = PICTURES[name]
    app = console_on(scenario, theme=THEMES[0].name)
    assert snap_compare(app, terminal_size=SIZES[size], run_before=_press(keys))


@pytest.mark.parametrize("name", MORE)
def test_more_pictures(snap_compare: Any, name: str) -> None:
    scenario, keys = MORE[name]
    app = console_on(scenario, theme=THEMES[0].name)
    assert snap_compare(app, terminal_size=(120, 35), run_before=_press(keys))


def test_light_picture(snap_compare: Any) -> None:
    app = console_on("ingress-broken", theme=THEMES[1].name)
    assert snap_compare(app, terminal_size=(120, 35), run_before=_press(["5"]))
