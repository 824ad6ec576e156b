"""The console: a feed's board on screens.

Frames update the board at once; the screen on top is painted on one tick a second, and at once after a key or a change
of state. Under ``p`` nothing is written at all. What reaches the terminal is only what differs from what it shows
(``widgets.painter``), and nothing is added while it does not drain.
"""

from __future__ import annotations

import asyncio
import getpass
import importlib
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen

from console import place
from console.actions import ACTIONS, Action, allowed
from console.feed.base import Change, Feed, FeedError
from console.readings import Findings
from screens.base import BoardScreen
from screens.keys import bindings
from screens.overview import OverviewScreen
from screens.prompt import parse_moment
from screens.themes import DEFAULT, SIXTEEN, THEMES
from screens.view import Replay, View, without_engine
from widgets.painter import Painter

if TYPE_CHECKING:
    from console.feed.recording import RecordingFeed

log = logging.getLogger(__name__)

PANES: dict[str, tuple[str, str]] = {
    "database": ("screens.database", "DatabaseScreen"),
    "cache": ("screens.cache", "CacheScreen"),
}
"""Pane → module and class, imported when first opened."""
PAGES: dict[str, tuple[str, str]] = {
    "describe": ("screens.describe", "DescribeScreen"),
    "finding": ("screens.finding", "FindingScreen"),
    "help": ("screens.help", "HelpScreen"),
    "log": ("screens.log", "LogScreen"),
    "palette": ("screens.palette", "PaletteScreen"),
}
SAID_S = 5.0
"""How long a sentence stands in the key bar."""
SMALL = 200
"""Bytes up to which a paint needs no synchronised update: it arrives in one packet anyway."""

LOG_MOST = 1_000_000
"""Bytes of the console's log from which it is begun anew."""

OpenRecording = Callable[[], "RecordingFeed | None"]


class BanksmanApp(App[int], inherit_bindings=False):
    """See the module."""

    TITLE = "banksman"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app"), *bindings("replay")]
    CSS = """
    Screen { background: $background; }
    """

    def __init__(
        self,
        feed: Feed,
        *,
        read_only: bool = True,
        theme: str = "",
        keymap: dict[str, str] | None = None,
        open_recording: OpenRecording | None = None,
        who: str = "",
    ) -> None:
        """``open_recording``: opens the engine's own recording for ``t``; without it ``t`` says that there is none."""
        super().__init__()
        self.feed = feed
        self.past: RecordingFeed | None = None
        self.read_only = read_only
        self.actions: tuple[Action, ...] = tuple(allowed(ACTIONS, read_only=read_only))
        self.said: tuple[str, str] = ("", "")
        self.written = 0
        """Bytes of paint written so far."""
        self.animation_level = "none"
        self._filters = [each for each in self._filters if type(each).__name__ not in ("Monochrome", "NoColor")]
        self._said_until = 0.0
        self._who = who or _who()
        self._open_recording = open_recording
        self._held = False
        self._blind: Any = None
        self._signature: object = None
        self._hurried = False
        self._waiting = False
        self._ticker: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._painter = Painter(None if self.no_color else self.console._color_system)
        self.view = self._look()
        for each in THEMES:
            self.register_theme(each)
        poor = self.console.color_system in (None, "standard") and not self.is_web
        self.theme = theme or (SIXTEEN.name if poor else DEFAULT)
        if keymap:
            self.set_keymap(keymap)

    # -- life ----------------------------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """The overview is the root."""
        return OverviewScreen()

    async def on_mount(self) -> None:
        """Begin to listen; the first picture does not wait for an answer."""
        self.feed.listen(self._changed)
        self._ticker = asyncio.create_task(self._tick_for_ever(), name="tick")
        await self.feed.open()

    async def on_unmount(self) -> None:
        """End what was begun."""
        for task in (self._ticker, *self._tasks):
            if task is not None:
                task.cancel()
        if self.past is not None:
            await self.past.close()
        await self.feed.close()

    def _fatal_error(self) -> None:
        """A crash leaves a short sentence on the terminal and the traceback, without any value, in the log."""
        kind, error, _ = sys.exc_info()
        log.critical("the console crashed\n%s", "".join(traceback.format_exc()))
        self.bell()
        name = kind.__name__ if kind else "error"
        where = traceback.extract_tb(error.__traceback__)[-1] if error and error.__traceback__ else None
        at = f" in {os.path.basename(where.filename)}:{where.lineno}" if where else ""  # noqa: PTH119
        self._exit_renderables.append(
            Text(f"banksman crashed: {name}{at}. The log of the console says more. What is watched goes on unharmed.")
        )
        self._close_messages_no_wait()

    # -- what is shown -------------------------------------------------------------------------------------------------

    @property
    def shown_feed(self) -> Feed:
        """The feed on the screens: the past while one travels, else the present."""
        return self.past or self.feed

    def _look(self) -> View:
        """The view as of now."""
        feed = self.shown_feed
        board, lost = feed.board, feed.problem if feed.live else ""
        if lost:
            if self._blind is None:
                self._blind = without_engine(board, lost)
            board = self._blind
        return View(
            board=board,
            now=feed.now,
            lost=lost,
            lost_state=feed.state if lost else "",
            held=self._held,
            replay=self._replay(),
            who=self._who,
            read_only=self.read_only,
        )

    def _replay(self) -> Replay | None:
        feed = self.shown_feed
        if feed.live:
            return None
        past: Any = feed
        return Replay(past.start, past.end, past.playing, past.speed, own=feed is self.past)

    def _changed(self, change: Change) -> None:
        """The board moved: painted at the next tick, or at once where a state changed."""
        if self.past is not None:
            return
        self._take_note(change)

    def _past_changed(self, change: Change) -> None:
        self._take_note(change)

    def _take_note(self, change: Change) -> None:
        self._blind = None
        if self._held:
            return
        if change.state or (any(where.topic == Findings.topic for where in change.addresses) and self._turned()):
            self.hurry()

    def _turned(self) -> bool:
        """Whether the set of findings is another than at the last look."""
        signature = [(finding.id, finding.severity, finding.state) for finding in self.shown_feed.board.findings]
        turned = signature != self._signature
        self._signature = signature
        return turned

    def hurry(self) -> None:
        """Paint soon, without waiting for the tick; many calls are one paint."""
        if not self._hurried:
            self._hurried = True
            self.call_later(self._paint_hurried)

    def _paint_hurried(self) -> None:
        self._hurried = False
        self.paint()

    def paint(self) -> None:
        """Bring the screen on top up to date; under hold with the picture that is held."""
        if not self._held:
            self.view = self._look()
        screen = self.screen
        if isinstance(screen, BoardScreen):
            screen.paint()

    async def _tick_for_ever(self) -> None:
        """Just after each full second of the clock."""
        while True:
            await asyncio.sleep(1.005 - time.time() % 1.0)
            self._tick()

    def _tick(self) -> None:
        if self._held or not self._running:
            return
        if self._backlog:
            return  # the terminal still writes the last picture: this one would only queue behind it
        if self.said[0] and time.monotonic() > self._said_until:
            self.said = ("", "")
        self._write_out()
        self.paint()

    # -- the terminal --------------------------------------------------------------------------------------------------

    @property
    def _backlog(self) -> int:
        """Pieces of output that the terminal has not taken yet."""
        thread = getattr(self._driver, "_writer_thread", None)
        return thread._queue.qsize() if thread is not None else 0

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual's way to the terminal: the update goes into the wanted picture, the difference out."""
        if renderable is None or self._batch_count or not self._running or self._closed or self._driver is None:
            self.post_display_hook()
            return
        if isinstance(renderable, CompositorUpdate):
            self._painter.resize(*self.size)
            if self._painter.take(renderable):
                self._write_out()
                self.post_display_hook()
                return
        super()._display(screen, renderable)

    def _write_out(self) -> None:
        """Write what differs, unless the terminal is still busy: then at the next chance, and only what still differs."""
        if not self._painter.pending or self._driver is None:
            return
        if self._backlog > 1:
            if not self._waiting:
                self._waiting = True
                self.set_timer(0.1, self._write_waiting)
            return
        sequence = self._painter.changes()
        if not sequence:
            return
        self.written += len(sequence.encode())
        if self.is_headless:
            return
        if len(sequence) > SMALL:
            self._begin_update()
        self._driver.write(sequence)
        if len(sequence) > SMALL:
            self._end_update()
        self._driver.flush()

    def _write_waiting(self) -> None:
        self._waiting = False
        self._write_out()

    # -- keys ----------------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Any key takes the last sentence away."""
        if isinstance(event, events.Key) and self.said[0]:
            self.said = ("", "")
            self._paint_keys()
        await super().on_event(event)

    def say(self, text: str, style: str = "accent") -> None:
        """A sentence in the key bar, until the next key or a few seconds later."""
        self.said = (text, style)
        self._said_until = time.monotonic() + SAID_S
        self._paint_keys()

    def _paint_keys(self) -> None:
        if isinstance(self.screen, BoardScreen):
            self.screen.paint_keys()

    def open_page(self, name: str, argument: Any = None) -> None:
        """Push a page."""
        module, cls = PAGES[name]
        page = getattr(importlib.import_module(module), cls)
        self.push_screen(page(argument) if argument is not None else page())

    def open_pane(self, name: str) -> None:
        """Go to a pane: the overview is under it, so that back leads there."""
        while len(self.screen_stack) > 1:
            if getattr(self.screen, "name_of_pane", "") == name:
                return
            self.pop_screen()
        if name == "overview":
            return
        if not self.is_screen_installed(name):
            module, cls = PANES[name]
            self.install_screen(getattr(importlib.import_module(module), cls)(), name)
        self.push_screen(name)

    def action_pane(self, name: str) -> None:
        """A number key."""
        self.open_pane(name)

    def action_section(self, pane: str, section: str) -> None:
        """A tab of a pane, from wherever one is."""
        self.open_pane(pane)
        screen: Any = self.screen
        screen.call_after_refresh(screen.action_section, section)

    async def action_back(self) -> None:
        """A filter off; else one screen back; at the root the end, or, in the past, the present."""
        if isinstance(self.screen, BoardScreen) and self.screen.unfilter():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.past is not None:
            self._return()
        else:
            self.exit(0)

    def action_interrupt(self) -> None:
        """ctrl+c does not end the console."""
        self.say("q goes back, and on the overview leaves the console")

    def action_help(self) -> None:
        """?"""
        self.open_page("help", self._live())

    def action_palette(self) -> None:
        """:"""
        self.open_page("palette", self._live())

    def _live(self) -> frozenset[str]:
        """Ids of the actions that have a key on the screen on top."""
        return frozenset(active.binding.id for active in self.screen.active_bindings.values() if active.binding.id)

    def action_change_theme(self) -> None:
        """Dark to light and back."""
        self.theme = THEMES[1].name if self.theme == THEMES[0].name else THEMES[0].name

    def action_hold(self) -> None:
        """Hold the picture still, or let it go; in a recording: play or pause."""
        if not self.shown_feed.live:
            self.action_play()
            return
        self._held = not self._held
        if self._held:
            view = self._look()
            self.view = View(**{**_fields(view), "board": view.board.copy()})
        self.paint()

    async def action_refresh(self) -> None:
        """Ask every source now; paint the whole screen anew; with the engine gone, seek it."""
        self._painter.forget()
        self.screen.refresh(layout=True)
        if self.feed.problem:
            self.feed.retry()
            self.say("looking for the engine again")
            return
        self._in_background(self._ask_again())

    async def _ask_again(self) -> None:
        try:
            await self.feed.request("refresh")
        except FeedError as error:
            self.say(str(error), "warning")
        else:
            self.say("every source is asked again")

    def request_log(self, target: str) -> None:
        """Ask for the end of a server log; it arrives on the board."""
        self._in_background(self._ask_log(target))

    async def _ask_log(self, target: str) -> None:
        try:
            await self.feed.request("log", target)
        except FeedError as error:
            screen: Any = self.screen
            if hasattr(screen, "refused"):
                screen.refused(str(error))
            else:
                self.say(str(error), "warning")

    def _in_background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- the past ------------------------------------------------------------------------------------------------------

    async def action_travel(self) -> None:
        """Into the engine's own recording, or back to the present."""
        if self.past is not None:
            self._return()
            return
        if not self.feed.live:
            self.say("this is a recording already", "muted")
            return
        # Hours of recording are indexed in milliseconds, but from a disk that may be slow: not in the event loop.
        past = await asyncio.to_thread(self._open_recording) if self._open_recording else None
        if past is None:
            self.say("there is no recording to go back to", "warning")
            return
        await past.open()
        past.seek(past.end)
        past.listen(self._past_changed)
        self._held = False
        self.past = past
        self._blind = None
        self.paint()

    def _return(self) -> None:
        past, self.past = self.past, None
        if past is not None:
            self._in_background(past.close())
        self._blind = None
        self.paint()

    @property
    def _tape(self) -> Any:
        """The recording on show, None in the present."""
        return None if self.shown_feed.live else self.shown_feed

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of the replay are bound only while there is one."""
        if action in ("play", "step", "speed", "jump"):
            return self._tape is not None
        return True

    def action_play(self) -> None:
        """Play or pause."""
        tape = self._tape
        if tape is not None:
            if tape.playing:
                tape.pause()
            else:
                tape.play()
            self.paint()

    def action_step(self, seconds: float) -> None:
        """So many seconds on (or, negative, back)."""
        tape = self._tape
        if tape is not None:
            tape.pause()
            tape.seek(tape.now + timedelta(seconds=seconds))
            self.paint()

    def action_speed(self, factor: float) -> None:
        """Faster or slower, 1/8 to 512 times."""
        tape = self._tape
        if tape is not None:
            tape.speed = min(512.0, max(0.125, tape.speed * factor))
            self.paint()

    def action_jump(self) -> None:
        """Ask for a moment."""
        tape, screen = self._tape, self.screen
        if tape is None or not isinstance(screen, BoardScreen):
            return

        def done(text: str | None) -> None:
            if text is None:
                return
            moment = parse_moment(text, tape.start, tape.end, tape.now)
            if moment is None:
                self.say("a moment is written 02:41, 02:41:30, -5m, start or end", "warning")
            else:
                self.jump_to(moment)

        screen.ask("to", placeholder="02:41   -5m   start   end", done=done)

    def jump_to(self, moment: datetime) -> None:
        """Show a moment of the recording."""
        if self._tape is not None:
            self._tape.seek(moment)
            self.paint()


def _fields(view: View) -> dict[str, Any]:
    return {name: getattr(view, name) for name in View.__dataclass_fields__ if not name.startswith("_")}


def _who() -> str:
    """``ana@bastion``, for show only."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user}@{os.uname().nodename.partition('.')[0]}"


THEME_NAMES = {"dark": "banksman-dark", "light": "banksman-light", "16": SIXTEEN.name}
"""Values of BANKSMAN_THEME."""


def _log_to_file() -> None:
    """What goes wrong is written to a file of this user's: nothing may be written over the picture."""
    root = logging.getLogger()
    try:
        folder = place.state_dir()
        place.private_dir(folder)
        path = folder / "console.log"
        fresh = not path.exists() or path.stat().st_size > LOG_MOST
        handler: logging.Handler = logging.FileHandler(path, mode="w" if fresh else "a", delay=True)
    except (OSError, place.PlaceError):
        handler = logging.NullHandler()  # still better than text in the middle of the picture
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def run_console(
    feed: Feed,
    *,
    read_only: bool = True,
    theme: str = "",
    keymap: dict[str, str] | None = None,
    open_recording: OpenRecording | None = None,
) -> int:
    """Run the console on this feed until it is left; its exit code."""
    if os.environ.get("TERM", "dumb") == "dumb" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("banksman needs a terminal that can place the cursor (TERM); `banksman status` needs none.\n")
        return 64
    _log_to_file()
    theme = theme or THEME_NAMES.get(os.environ.get("BANKSMAN_THEME", ""), "")
    app = BanksmanApp(feed, read_only=read_only, theme=theme, keymap=keymap, open_recording=open_recording)
    try:
        code = app.run(mouse=False)
    finally:
        sys.stdout.write("\x1b[0m")  # the painter leaves its pen where it last wrote
        sys.stdout.flush()
    return app.return_code or code or 0
