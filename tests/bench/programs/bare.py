"""The floor: a Textual application that shows one line."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One Static, nothing else."""

    def compose(self) -> ComposeResult:
        yield Static("bare textual ready")


if __name__ == "__main__":
    Bare().run()
