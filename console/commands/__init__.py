"""What each command of ``banksman`` does; ``console.cli`` reads the words and calls one. Heavy imports stay in functions."""

from __future__ import annotations

EXIT_USAGE = 64


class CommandError(Exception):
    """A command that cannot do what was asked, with a sentence for the person and an exit code."""

    def __init__(self, sentence: str, exit_code: int = EXIT_USAGE) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
