"""What a person sets for the console itself: ``$XDG_CONFIG_HOME/banksman/console.yaml``. It need not exist."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from console.settings.check import BAD, Checker, type_of
from console.settings.document import parse, read_bytes
from console.settings.errors import Mistake, SettingsError
from console.settings.paths import config_home


class ConsoleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file's content."""

    theme: str = ""
    """Name of a theme; empty: the console's own choice."""
    keys: dict[str, str] = {}
    """Action → its keys, divided by commas, as Textual names them: ``{pane.filter: "slash,f"}``."""


class ConsoleSettings(msgspec.Struct, frozen=True):
    """The file, and where its parts stand, for what can only be judged later."""

    file: ConsoleFile = ConsoleFile()
    path: Path = Path()
    lines: dict[str, int] = {}

    def wrong(self, key: str, expected: str, found: str) -> SettingsError:
        """The error that says so of ``key``."""
        return SettingsError(self.path, [Mistake(self.lines.get(key, 0), key, expected, found)])


def load_console_file() -> ConsoleSettings:
    """The person's settings; all defaults where there is no file. Raises SettingsError."""
    path = config_home() / "console.yaml"
    if not os.path.lexists(path):
        return ConsoleSettings()
    checker = Checker()
    value = checker.value(parse(path, read_bytes(path)), type_of(ConsoleFile), "")
    if value is BAD or checker.mistakes:
        raise SettingsError(path, checker.mistakes)
    return ConsoleSettings(msgspec.convert(value, ConsoleFile), path, checker.lines)
