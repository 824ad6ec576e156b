"""The palette: find an action, or an open finding, by a few letters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from console.actions import Action, written
from console.readings import Finding
from screens.base import BoardScreen, Table
from screens.prompt import Entry
from screens.view import View
from widgets.columns import Cell, Column, Key, Row
from widgets.lines import Lines
from widgets.spans import line
from widgets.table import LiveTable
from widgets.verdict import SIGNS


class PaletteScreen(BoardScreen, inherit_bindings=False):
    """Type to narrow down, arrows to choose, Enter to do it. ``live``: ids that can be done on the screen below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "choose(1)", show=False),
        Binding("up", "choose(-1)", show=False),
    ]
    AUTO_FOCUS = "#ask Entry"
    DEFAULT_CSS = """
    PaletteScreen #ask { height: 2; }
    PaletteScreen #ask Lines { width: 3; }
    """
    name_of_pane = "palette"

    def __init__(self, live: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._live = live

    def body(self) -> ComposeResult:
        """The entry above, what matches below."""
        with Horizontal(id="ask"):
            yield Lines([line(" ", (":", "key"), " ")])
            yield Entry(placeholder="a few letters: what do you want to do?")
        yield Table(
            [Column("name", "action", 24), Column("key", "key", 10), Column("help", "what it does", 20, flex=1, drop=1)],
            header=False, empty="nothing is called so", id="matches",
        )  # fmt: skip

    def draw(self, view: View) -> None:
        """Actions that can be done now, then open findings."""
        self._list(self.query_one("#ask Entry", Entry).value)

    def _list(self, typed: str) -> None:
        actions = [each for each in self.host.actions if each.palette and (each.id in self._live or not each.keys)]
        self.query_one("#matches", Table).set_rows(matches(typed, actions, self.host.view.board.findings))

    def on_input_changed(self, event: Any) -> None:
        """Each letter."""
        event.stop()
        self._list(event.value)

    def on_input_submitted(self, event: Any) -> None:
        """Enter."""
        event.stop()
        self.query_one("#matches", Table).action_select()

    def action_choose(self, steps: int) -> None:
        """Up and down while the letters keep the focus."""
        self.query_one("#matches", Table).action_move(steps)

    def selected(self, table: LiveTable, key: Key) -> None:
        """Leave, then do it on the screen below."""
        self.app.call_later(self.do, key)

    async def do(self, key: Key) -> None:
        """What was chosen."""
        if not self.is_current:
            return  # Enter twice: the first has left already, and what is on top now is not ours to take away
        app, host = self.app, self.host
        kind, _, name = str(key).partition(":")
        action = next((each for each in host.actions if each.id == name), None) if kind == "action" else None
        app.pop_screen()
        if kind == "finding":
            host.open_page("finding", name)
        elif action is not None:
            await app.run_action(action.run, app.screen.focused or app.screen)


def matches(typed: str, actions: Iterable[Action], findings: Iterable[Finding]) -> list[Row]:
    """Rows for what is meant: every word typed occurs in the name, best where the name begins with it."""
    words = typed.casefold().split()
    found: list[tuple[int, int, Row]] = []
    for number, action in enumerate(actions):
        text = f"{action.label} {action.id} {action.help}".casefold()
        if all(word in text for word in words):
            row = Row(
                f"action:{action.id}",
                (Cell(action.label, "strong"), Cell(written(action), "key"), Cell(action.help, "muted")),
            )
            found.append((_rank(words, action.label), number, row))
    for number, finding in enumerate(findings):
        if words and all(word in finding.title.casefold() for word in words):
            title = line((f"{SIGNS[finding.severity]} ", finding.severity), finding.title)
            found.append((2, number, Row(f"finding:{finding.id}", (Cell("Open finding", "strong"), "", Cell(title)))))
    return [row for _, _, row in sorted(found, key=lambda each: each[:2])]


def _rank(words: list[str], label: str) -> int:
    name = label.casefold()
    return 0 if words and name.startswith(words[0]) else 1 if words and any(word in name for word in words) else 2
