"""What is on the screens: the feed of the present or a recording, painted on a tick, held, or stepped through."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from console.app.output import Output
from console.board import Board
from console.feed.base import Change, Feed
from console.readings import Findings
from console.threads import in_daemon
from screens.base import BoardScreen
from screens.prompt import parse_moment
from screens.view import Replay, View, without_engine

if TYPE_CHECKING:
    from console.feed.recording import RecordingFeed

log = logging.getLogger(__name__)

OpenRecording = Callable[[], "RecordingFeed | None"]
SAID_S = 5.0
"""How long a sentence stands in the key bar."""


class Watching(Output, inherit_bindings=False):
    """An application that shows a feed."""

    def __init__(self, feed: Feed, *, read_only: bool, who: str, open_recording: OpenRecording | None) -> None:
        super().__init__()
        self.feed = feed
        self.past: RecordingFeed | None = None
        """The recording one travels in; None: the present."""
        self.read_only = read_only
        self.said: tuple[str, str] = ("", "")
        self._said_until = 0.0
        self._who = who
        self._open_recording = open_recording
        self._held = False
        self._blind: Board | None = None
        self._signature: object = None
        self._hurried = False
        self._ticker: asyncio.Task[None] | None = None
        self._opening = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.view = self._look()

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

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
            try:
                self._tick()
            except Exception as error:  # noqa: BLE001 - handed to the application, which ends and says so
                # A picture that stands still and looks green is worse than a console that has to be started again.
                self._handle_exception(error)
                return

    def _tick(self) -> None:
        if self._held or not self._running:
            return
        if self._backlog:
            return  # the terminal still writes the last picture: this one would only queue behind it
        if self.said[0] and time.monotonic() > self._said_until:
            self.said = ("", "")
        self._write_out()
        self.paint()

    def draw_failed(self, screen: BoardScreen, error: Exception) -> None:
        """A screen could not be drawn: the others can, and the keys work. What went wrong is in the log."""
        log.error("%s could not be drawn", type(screen).__name__, exc_info=error)
        self.say(f"this screen could not be drawn ({type(error).__name__}): the console's log says more", "critical")

    # -- sentences -----------------------------------------------------------------------------------------------------

    def say(self, text: str, style: str = "accent") -> None:
        """A sentence in the key bar, until the next key or a few seconds later."""
        self.said = (text, style)
        self._said_until = time.monotonic() + SAID_S
        self._paint_keys()

    def _unsay(self) -> None:
        if self.said[0]:
            self.said = ("", "")
            self._paint_keys()

    def _paint_keys(self) -> None:
        if isinstance(self.screen, BoardScreen):
            self.screen.paint_keys()

    # -- hold ----------------------------------------------------------------------------------------------------------

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

    # -- the past ------------------------------------------------------------------------------------------------------

    async def action_travel(self) -> None:
        """Into the engine's own recording, or back to the present."""
        if self.past is not None:
            self._return()
            return
        if not self.feed.live:
            self.say("this is a recording already", "muted")
            return
        if not self._opening:
            self._opening = True
            self._in_background(self._travel())

    async def _travel(self) -> None:
        """Open the recording beside everything else: its disk may be slow or hang, the keys may not."""
        try:
            past = await in_daemon(self._open_recording, "open recording") if self._open_recording else None
            if past is not None:
                await past.open()
                past.seek(past.end)
        except Exception as error:
            log.error("the recording could not be opened", exc_info=error)
            self.say(f"the recording cannot be opened ({type(error).__name__}): the console's log says more", "warning")
            return
        finally:
            self._opening = False
        if past is None:
            self.say("there is no recording to go back to", "warning")
            return
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
