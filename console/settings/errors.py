"""What is wrong with a settings file, said so that it can be mended: file, line, key, expected, found."""

from __future__ import annotations

from pathlib import Path

import msgspec

EXIT_USAGE = 64
"""Exit code of every command for wrong usage or a wrong settings file (EX_USAGE)."""


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where."""

    line: int
    """Counted from 1; 0 where the file as a whole is meant."""
    key: str
    """Dotted, ``postgres.main.servers.pg-1.port``; empty for the file as a whole."""
    expected: str
    found: str
    hint: str = ""
    """What was probably meant, or how to write it."""

    def sentence(self) -> str:
        """``KEY: expected …, found … (hint)``."""
        text = f"expected {self.expected}, found {self.found}"
        if self.key:
            text = f"{self.key}: {text}"
        return f"{text} ({self.hint})" if self.hint else text


class SettingsError(Exception):
    """A settings file that cannot be used. Commands print it and exit with ``EXIT_USAGE``. Holds no secret."""

    exit_code = EXIT_USAGE

    def __init__(self, path: Path | str, mistakes: list[Mistake] | tuple[Mistake, ...]) -> None:
        self.path = str(path)
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: mistake.line))
        super().__init__(self.path, self.mistakes)

    def __str__(self) -> str:
        return "\n".join(
            f"{self.path}:{mistake.line}: {mistake.sentence()}"
            if mistake.line
            else f"{self.path}: {mistake.sentence()}"
            for mistake in self.mistakes
        )
