"""The ground of every screen: header, body, key bar; painted from one ``View``.

A pane is a subclass that composes widgets in ``body`` and fills them in ``draw``::

    class DatabaseScreen(BoardScreen):
        name_of_pane = "database"
        def body(self) -> ComposeResult:
            yield Lines(id="topology")
            yield Table(COLUMNS, id="sessions")          # Table, not LiveTable: it has its keys
        def draw(self, view: View) -> None:              # cheap: runs every second; equal data costs nothing
            self.query_one("#sessions", Table).set_rows(…)
        def described(self) -> Described | None: …       # what `d` (and Enter without a screen of its own) shows
        def log_target(self) -> str: …                   # whose log `l` shows: "postgres main/pg-1"

``draw`` is called at most once a second, and at once after a key or a change of state; never while the picture is held.
``self.cells`` is the size of the body. Lay out by size in ``draw`` and in ``on_resize`` (call ``self.paint()``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from console.actions import Action
from screens.header import header_lines
from screens.keybar import key_line
from screens.keys import bindings
from screens.prompt import Prompt
from screens.view import View
from widgets.lines import Lines
from widgets.replaybar import replay_line
from widgets.spans import Block, Line, fit, line
from widgets.table import LiveTable


class Described(NamedTuple):
    """What a description shows: a title, and plain data or structs."""

    title: str
    content: Any


class Host(Protocol):
    """What a screen needs of the application."""

    view: View
    actions: tuple[Action, ...]
    said: tuple[str, str]

    def say(self, text: str, style: str = "accent") -> None:
        """A sentence in the key bar, until the next key or a few seconds later."""

    def open_page(self, name: str, argument: Any = None) -> None:
        """Push a page: ``describe``, ``object``, ``log``, ``finding``, ``help``, ``palette``."""

    def open_pane(self, name: str) -> None:
        """Go to a pane."""

    def hurry(self) -> None:
        """Paint soon, without waiting for the tick."""


class Table(LiveTable, inherit_bindings=False):
    """A live table with the keys of the registry."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("table")


class Header(Lines):
    """See ``screens.header``."""

    DEFAULT_CSS = "Header { dock: top; min-height: 2; }"


class KeyBar(Lines):
    """See ``screens.keybar``; while a recording is shown, the replay bar stands above the keys."""

    DEFAULT_CSS = "KeyBar { dock: bottom; min-height: 1; }"


class Cover(Lines):
    """Stands over a body that could not be drawn: what is under it is not current."""

    DEFAULT_CSS = "Cover { layer: cover; display: none; width: 100%; height: 100%; background: $background; }"


class BoardScreen(Screen[None], inherit_bindings=False):
    """A screen that shows the board."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("pane")
    AUTO_FOCUS = "*"
    DEFAULT_CSS = """
    BoardScreen { background: $background; layout: vertical; overflow: hidden; layers: default cover; }
    """
    name_of_pane: ClassVar[str] = ""
    _painting = False

    @property
    def host(self) -> Host:
        """The application."""
        return cast("Host", self.app)

    @property
    def cells(self) -> Size:
        """Width and height of the whole screen."""
        return self.size

    def compose(self) -> ComposeResult:
        """Header, the screen's own body, key bar."""
        yield Header(id="header")
        yield from self.body()
        yield KeyBar(id="keybar")
        yield Prompt()
        yield Cover(id="cover")

    # -- what a screen brings ----------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """The widgets between header and key bar."""
        return iter(())

    def draw(self, view: View) -> None:
        """Bring the body up to date."""

    def described(self) -> Described | None:
        """What is under the cursor, for ``d``."""
        return None

    def log_target(self) -> str:
        """``topic key`` of the server whose log belongs to what is under the cursor; empty: none does."""
        return ""

    def filtered(self) -> LiveTable | None:
        """The table that ``/`` filters: the one in focus, else the first that is displayed."""
        if isinstance(self.focused, LiveTable):
            return self.focused
        return next((table for table in self.query(LiveTable) if table.display), None)

    def unfilter(self) -> bool:
        """Show all rows again where a filter is on; whether one was."""
        on = [table for table in self.query(LiveTable) if table.filter]
        for table in on:
            table.set_filter("")
        return bool(on)

    def aside(self, step: int) -> None:
        """Left (-1) or right (1): another tab or page of this screen, where it has some."""

    def selected(self, table: LiveTable, key: Any) -> None:
        """Enter on a row: its own screen, or, where a row has none, its description."""
        self.action_describe()

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self) -> None:
        """Bring everything up to date with the application's view."""
        if not self._painting or not self.is_current or not self.size.width:
            return
        view = self.host.view
        self.query_one("#header", Header).show(header_lines(view, self.size.width))
        try:
            self.draw(view)
        except Exception as error:
            # In an outage a console that shows the other screens is worth more than a traceback.
            failed = getattr(self.host, "draw_failed", None)
            if failed is None:
                raise
            if not self.covered:
                failed(self, error)
            self._hide_body(error)
        else:
            if self.covered:
                self.query_one("#cover", Cover).display = False
        self.paint_keys()

    @property
    def covered(self) -> bool:
        """Whether the body could not be drawn and is hidden."""
        return bool(self.query_one("#cover", Cover).display)

    def _hide_body(self, error: Exception) -> None:
        """Hide the body: its last good picture would stand there as if it were current."""
        cover = self.query_one("#cover", Cover)
        cover.styles.offset = (0, 2)
        cover.styles.height = max(1, self.size.height - 3)
        cover.show(
            [
                (),
                line(" ? ", (f"This screen could not be drawn ({type(error).__name__}).", "unknown")),
                line(
                    (
                        "   What it showed before is not current, so it is hidden. The other screens and all keys work;",
                        "muted",
                    )
                ),
                line(("   the console's log says more.", "muted")),
            ]
        )
        cover.display = True

    def paint_keys(self) -> None:
        """Bring the bottom rows up to date."""
        if not self._painting or not self.is_current:
            return
        self.query_one("#keybar", KeyBar).show(self._bottom(self.host.view))

    def _bottom(self, view: View) -> Block:
        cells = self.size.width
        rows: list[Line] = []
        if view.replay:
            replay = view.replay
            rows.append(
                replay_line(replay.start, replay.end, view.now, cells, playing=replay.playing, speed=replay.speed)
            )
        text, style = self.host.said
        if text:
            rows.append(fit(line(" ", (text, style)), cells))
        else:
            rows.append(key_line(self.bar_actions(), cells))
        return rows

    def bar_actions(self) -> tuple[Action, ...]:
        """What the key bar offers: what is alive here, but for the pane one is on."""
        live = {active.binding.id for active in self.active_bindings.values() if active.enabled}
        if self.host.view.replay:  # the same key: there is nothing to hold in a recording, but something to play
            live = live - {"app.hold"} | {"replay.play"}
        return tuple(action for action in self.host.actions if action.id in live and action.screen != self.name_of_pane)

    def on_screen_resume(self) -> None:
        """Shown again: everything may have changed meanwhile."""
        self.paint()

    def on_resize(self) -> None:
        """Laid out anew at the new size."""
        self.call_after_refresh(self.paint)

    def on_mount(self) -> None:
        """The first picture stands before anything was read; it waits for nested widgets to be there."""
        self.call_after_refresh(self._first_paint)

    def _first_paint(self) -> None:
        self._painting = True
        self.paint()

    # -- actions -----------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without anything to do is not offered."""
        if not self._painting:
            return True  # the screen below asks about this one before it stands
        if action == "filter":
            return self.filtered() is not None
        if action == "describe":
            return type(self).described is not BoardScreen.described
        if action == "log":
            return type(self).log_target is not BoardScreen.log_target
        if action == "aside":
            return type(self).aside is not BoardScreen.aside
        return True

    def action_describe(self) -> None:
        """``d``."""
        described = self.described()
        if described is None:
            self.host.say("nothing to describe here", "muted")
        else:
            self.host.open_page("describe", described)

    def action_log(self) -> None:
        """``l``."""
        target = self.log_target()
        if target:
            self.host.open_page("log", target)
        else:
            self.host.say("no server log belongs to this row", "muted")

    def action_filter(self) -> None:
        """``/``."""
        table = self.filtered()
        if table is None:
            return

        def done(value: str | None) -> None:
            if value is None:
                table.set_filter("")
            self.focus_part(table)

        self.ask("/", table.filter, placeholder="words; ! in front: without them", changed=table.set_filter, done=done)

    def ask(
        self,
        label: str,
        value: str = "",
        *,
        placeholder: str = "",
        changed: Callable[[str], None] | None = None,
        done: Callable[[str | None], None],
    ) -> None:
        """Ask for a line of text at the bottom: ``changed`` hears each letter, ``done`` the end (None: given up)."""
        before = self.focused
        bar = self.query_one("#keybar", KeyBar)

        def over(answer: str | None) -> None:
            bar.display = True
            self.set_focus(before, scroll_visible=False)
            done(answer)

        bar.display = False
        self.query_one(Prompt).ask(label, value, placeholder, changed, over)

    def action_aside(self, step: int) -> None:
        """Left and right."""
        self.aside(step)

    def on_live_table_selected(self, event: LiveTable.Selected) -> None:
        """Enter on a row."""
        event.stop()
        self.selected(event.table, event.key)

    def on_live_table_copied(self, event: LiveTable.Copied) -> None:
        """``c``."""
        event.stop()
        self.app.copy_to_clipboard(event.text)
        self.host.say(f"copied {event.rows} row{'s' if event.rows != 1 else ''}")

    def focus_part(self, widget: Widget) -> None:
        """Put the focus on a part without scrolling anything."""
        self.set_focus(widget, scroll_visible=False)
