"""Stub replaced below."""

from pathlib import Path

from console.board import Board
from console.readings import Reading


class Recorder:
    megabytes = 0.0
    problem = ""

    def __init__(self, folder: Path, environment: str, *, record_text: bool) -> None:
        pass

    def take(self, at: float, changes: list[tuple[Reading | None, Reading | None]], board: Board) -> None:
        pass

    def tick(self, at: float, board: Board) -> None:
        pass

    def close(self) -> None:
        pass
