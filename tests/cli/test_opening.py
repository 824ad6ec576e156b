"""How the console is opened: with what this person has set, and what is wrong with that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.actions import ACTIONS
from console.commands import opening
from console.settings import SettingsError
from console.settings.console_file import ConsoleSettings, load_console_file


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "banksman").mkdir()
    return tmp_path / "banksman/console.yaml"


def test_no_file_is_all_defaults(file: Path) -> None:
    assert load_console_file() == ConsoleSettings()
    assert opening.own_settings().file.keys == {}


def test_keys_and_theme_reach_the_console(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    action = next(action for action in ACTIONS if action.keys)
    file.write_text(f"theme: banksman-light\nkeys:\n  {action.id}: ctrl+y\n")
    given: dict[str, Any] = {}
    monkeypatch.setattr("console.app.run_console", lambda feed, **others: given.update(others, feed=feed) or 0)
    feed: Any = object()
    assert opening.show(feed, opening.own_settings(), read_only=True) == 0
    assert given["feed"] is feed
    assert (given["theme"], given["keymap"], given["read_only"]) == ("banksman-light", {action.id: "ctrl+y"}, True)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("them: dark\n", 1, "did you mean theme?"),
        ("theme: 7\n", 1, "theme: expected one line of text"),
        ("theme: banksman-light\nkeys:\n  no.such: x\n", 3, "no action is called no.such"),
        ("keys:\n  pane.filter: 3\n", 2, "keys.pane.filter: expected one line of text"),
        ("keys: [a]\n", 1, "keys: expected a mapping of names"),
    ],
)
def test_mistakes_name_file_and_line(file: Path, text: str, line: int, said: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        opening.own_settings()
    assert said in str(caught.value)
    assert f"{file}:{line}: " in str(caught.value)


def test_unknown_theme_names_those_there_are(file: Path) -> None:
    file.write_text("keys: {}\ntheme: neon\n")
    feed: Any = object()
    with pytest.raises(
        SettingsError, match=r"console\.yaml:2: theme: expected one of banksman-dark, banksman-light"
    ) as caught:
        opening.show(feed, opening.own_settings(), read_only=True)
    assert caught.value.exit_code == 64
