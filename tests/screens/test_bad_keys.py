"""Keys typed too fast, screens that cannot be drawn, disks that hang: the console stays, and shows nothing old as current."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from textual import events

from console.actions import ACTIONS
from console.app.watching import Watching
from tests.screens.conftest import Opened


def type_at_once(app: Any, *keys: str) -> None:
    """Keys that arrive together, before the first has had its effect."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_enter_twice_in_the_palette_leaves_it_once(opened: Opened) -> None:
    async with opened("healthy") as (app, pilot):
        await pilot.press("3")
        await pilot.press("colon")
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert app.is_running
        assert len(app.screen_stack) >= 1


@pytest.mark.parametrize("after", ["question_mark", "colon", "3", "d", "enter"])
async def test_what_is_typed_after_the_key_that_leaves_is_dropped(opened: Opened, after: str) -> None:
    async with opened("healthy") as (app, pilot):
        type_at_once(app, "q", after, after)
        await pilot.pause()
        await pilot.pause()
        assert app.return_code == 0
        assert app._exception is None


async def test_a_screen_that_cannot_be_drawn_hides_what_it_showed(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened("healthy") as (app, pilot):
        await pilot.press("3")
        assert "pg-2" in app.whole
        screen: Any = app.screen
        with monkeypatch.context() as broken:
            broken.setattr(type(screen), "draw", lambda *_: 1 / 0)
            broken.setattr(type(app), "draw_failed", Watching.draw_failed)
            for _ in range(3):
                app.paint()
                await pilot.pause()
                assert "pg-2" not in app.whole, "old values would pass for current ones"
                assert "could not be drawn (ZeroDivisionError)" in app.whole
            await pilot.press("1")
            assert "Nothing is wrong" in app.whole, "the other screens work"
            await pilot.press("3")
        app.paint()
        await pilot.pause()
        assert "pg-2" in app.whole, "it shows again what it can draw again"


async def test_keys_are_answered_while_the_recording_is_opened(opened: Opened) -> None:
    async with opened("healthy") as (app, pilot):
        hang = threading.Event()
        asked = threading.Event()

        def open_recording() -> None:
            asked.set()
            hang.wait(30)

        app._open_recording = open_recording
        try:
            await pilot.press("t")
            await pilot.press("t")
            assert asked.wait(10)
            await pilot.press("4")
            assert app.screen.name_of_pane == "cache"  # type: ignore[attr-defined]
        finally:
            hang.set()
        while app._opening:
            await pilot.pause()
        assert app.past is None


async def test_a_recording_that_cannot_be_opened_is_said(opened: Opened) -> None:
    async with opened("healthy") as (app, pilot):

        def open_recording() -> None:
            raise PermissionError

        app._open_recording = open_recording
        await pilot.press("t")
        while app._opening:
            await pilot.pause()
        await pilot.pause()
        assert "cannot be opened" in app.whole
        assert app.is_running


@pytest.mark.parametrize("seed", range(4))
async def test_storms_of_keys_end_nothing(opened: Opened, seed: int) -> None:
    chance = random.Random(seed)
    keys = sorted({key.strip() for action in ACTIONS for key in action.keys} - {"q", "escape", "ctrl+c"})
    async with opened(chance.choice(["healthy", "lock-storm", "hang-primary"]), size=(80, 24)) as (app, pilot):
        for _ in range(40):
            type_at_once(
                app, *chance.choices([*keys, "escape"], k=3) if len(app.screen_stack) > 1 else chance.choices(keys, k=3)
            )
            if chance.random() < 0.5:
                await pilot.pause()
            if chance.random() < 0.05:
                await pilot.resize_terminal(*chance.choice([(40, 10), (80, 24), (200, 50)]))
            if app._exit:
                break
        await pilot.pause()
        assert app._exception is None
