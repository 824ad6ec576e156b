"""The feed of a running engine: finds it, starts a private one where there is none, and seeks it again when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from console import __version__, frames, launch, place, wire
from console.feed.base import Feed, FeedError
from console.feed.link import Link
from console.feed.starter import GaveUpError, Starter
from console.readings import Address, Findings

Kind = Literal["console", "status", "record", "other"]

CHECK_S = 1.0
SILENT_AFTER = 3
"""Checks in a row without a byte (the engine speaks at least once a second) after which it counts as lost."""
HUNG_AFTER = 12
"""Checks after which a private engine that holds its socket and says nothing is killed, so that another can start."""
REPLY_S = 10.0
REFUSED_S = 1.0
"""Before another try, where the engine let the connection end without having taken the greeting."""


class EngineFeed(Feed):
    """Frames of the engine that watches ``environment``.

    ``shared``: name of an environment whose shared engine is to be attached to; that one is never started or stopped.
    ``command``: how a private engine is started (for tests).
    """

    def __init__(
        self,
        environment: Path,
        *,
        kind: Kind = "console",
        topics: tuple[str, ...] = (wire.EVERYTHING,),
        shared: str = "",
        command: launch.Command = launch.engine_command,
    ) -> None:
        super().__init__("starting", "the engine is starting")
        self.place = place.shared(shared) if shared else place.private(environment)
        self.at = 0.0
        """The engine's clock when the board was as it is now, Unix seconds; the recording knows the same moments."""
        self._environment = environment
        self._kind: Kind = kind
        self._topics = list(topics)
        self._starter = None if shared else Starter(environment, self.place, command)
        self._link: Link | None = None
        self._greeted = False
        self._welcome = False
        """Whether the engine took the greeting: it has sent something that only those who greeted are sent."""
        self._incompatible = False
        self._replies: dict[int, asyncio.Future[str]] = {}
        self._number = 0
        self._again = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="engine feed")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._link is not None:
            self._link.drop("closed")

    def retry(self) -> None:
        if self._starter:
            self._starter.forget()
        if self.state == "failed":
            self._enter("starting", "the engine is starting")
        self._again.set()

    def subscribe(self, topics: list[str]) -> None:
        self._topics = list(topics)
        if self._link and self._greeted:
            self._send("subscribe", topics=self._topics)

    async def request(
        self,
        do: Literal["refresh", "log", "unlog", "describe", "undescribe", "stop"],
        target: str = "",
        arguments: dict[str, Any] | None = None,
    ) -> None:
        if not (self._link and self._greeted and self._link.open):
            raise FeedError(self.problem or "no engine is connected")
        number = self._send(do, target=target, arguments=arguments)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        try:
            error = await asyncio.wait_for(reply, REPLY_S)
        except TimeoutError:
            raise FeedError(f"the engine did not answer within {REPLY_S:.0f} s") from None
        finally:
            self._replies.pop(number, None)
        if error:
            raise FeedError(error)

    @property
    def ready(self) -> bool:
        """Whether every configured pane has been read as often as its findings need to open, and is here.

        An engine that runs already says first that it has looked; a large board follows in several messages.
        """
        environment, findings = self.board.environment, self.board.get(Findings)
        if environment is None or findings is None or not self._greeted:
            return False
        pairs = [pair for configured in environment.panes.values() for pair in configured]
        return all(findings.looked.get(pair, 0) >= findings.needed and self._is_here(pair) for pair in pairs)

    def _is_here(self, pair: str) -> bool:
        """Whether there is a reading of ``topic key``, or none was subscribed to."""
        topic, _, key = pair.partition(" ")
        if not {wire.EVERYTHING, topic, pair} & set(self._topics):
            return True
        return self.board.at(Address(topic, key)) is not None

    async def wait_ready(self, seconds: float) -> bool:
        """Wait at most ``seconds`` until ``ready``, or until the feed has failed; whether it is ready."""
        changes = self.changes()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.ready and self.state != "failed":
                    await anext(changes)
        await changes.aclose()  # type: ignore[attr-defined]
        return self.ready

    async def _run(self) -> None:
        while True:
            try:
                lost = await self._connect()
            except GaveUpError as end:
                self._enter("failed", str(end))
                await self._wait(2.0 if end.temporary else None)
                continue
            problem = await self._watch(lost)
            self._dismiss(problem)
            if self._incompatible:
                await self._wait(None)
            elif not self._welcome:
                await self._wait(REFUSED_S)

    async def _wait(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._again.wait(), seconds)
        self._again.clear()

    async def _connect(self) -> asyncio.Future[str]:
        """A connection, and the future that says why it ended. Raises GaveUpError."""
        loop = asyncio.get_running_loop()
        self._welcome = self._incompatible = False
        while True:
            lost: asyncio.Future[str] = loop.create_future()
            try:
                _, self._link = await loop.create_unix_connection(
                    lambda lost=lost: Link(self._take, lambda why: lost.done() or lost.set_result(why)),  # type: ignore[misc]
                    str(self.place.socket),
                )
            except (FileNotFoundError, ConnectionError, BlockingIOError):
                if self._starter is None:
                    self._enter(self._seeking, f"no shared engine listens at {self.place.socket}")
                    await self._wait(1.0)
                else:
                    await self._wait(self._starter.step())
            except OSError as error:
                raise GaveUpError(f"{self.place.socket}: {error.strerror}", temporary=True) from error
            else:
                return lost

    async def _watch(self, lost: asyncio.Future[str]) -> str:
        """Until the connection ends; why it did."""
        assert self._link is not None
        link, heard, silent = self._link, 0, 0
        while not lost.done():
            await asyncio.wait({lost}, timeout=CHECK_S)
            silent = silent + 1 if link.heard == heard else 0
            if silent == 0 and self.state == "lost" and self._greeted:
                self._enter("live")
            heard = link.heard
            if silent >= SILENT_AFTER:
                self._enter(self._seeking, f"the engine (process {link.pid}) has said nothing for {silent} s")
            if silent >= HUNG_AFTER and self._starter and self._starter.own(link.pid):
                os.kill(link.pid, signal.SIGKILL)
                link.drop("the engine hung and was killed")
        return lost.result()

    @property
    def _seeking(self) -> Literal["starting", "lost"]:
        return "starting" if self.state == "starting" else "lost"

    def _dismiss(self, problem: str) -> None:
        self._link = None
        self._greeted = False
        for reply in self._replies.values():
            if not reply.done():
                reply.set_result(problem)
        if self.state != "failed":
            self._enter(self._seeking, problem)

    def _send(
        self,
        do: Literal["subscribe", "refresh", "log", "unlog", "describe", "undescribe", "stop"],
        topics: list[str] | None = None,
        target: str = "",
        arguments: dict[str, Any] | None = None,
    ) -> int:
        self._number += 1
        if self._link:
            self._link.send(wire.Request(self._number, do, topics or [], target, arguments or {}))
        return self._number

    def _take(self, message: wire.ToClient) -> None:
        if isinstance(message, wire.Frames):
            self._welcome = True
            self._apply(message)
        elif isinstance(message, wire.Reply):
            if message.id == wire.REFUSAL:
                if self._link is not None:
                    self._link.drop(f"the engine refuses this console: {message.error}")
                return
            self._welcome = True
            reply = self._replies.get(message.id)
            if reply is not None and not reply.done():
                reply.set_result(message.error)
        else:
            self._greet(message)

    def _greet(self, hello: wire.Hello) -> None:
        assert self._link is not None
        if hello.protocol != wire.PROTOCOL:
            self._enter(
                "failed",
                f"the engine (banksman {hello.build}, process {hello.pid}) speaks protocol {hello.protocol}, this "
                f"console (banksman {__version__}) {wire.PROTOCOL}: end it, or use its version",
            )
            self._incompatible = True
            self._link.drop(self.problem)
            return
        mine = "" if hello.shared else place.digest(self._environment)
        self._link.send(wire.Greeting(wire.PROTOCOL, __version__, mine, self._kind, _host(), time.time()))
        if mine and mine != hello.digest:
            # The file was changed since: that engine watches something else.
            self._send("stop")
            return
        if self._starter:
            self._starter.arrived()
        self.board.clear()
        self._greeted = True
        self._send("subscribe", topics=self._topics)

    def _apply(self, message: wire.Frames) -> None:
        changed: set[Address] = set()
        self.at = message.at
        try:
            for frame in message.frames:
                changed.add(self.board.apply(frame))
        except frames.FrameError:
            # Nothing that arrived can be trusted to fit any more: begin with keyframes.
            self._send("subscribe", topics=self._topics)
        if self.state != "live" and self._greeted and message.frames:
            self.state, self.problem, self.since = "live", "", datetime.now(UTC)
            self._tell(frozenset(changed), state=True)
        elif changed:
            self._tell(frozenset(changed))


def _host() -> str:
    return os.environ.get("SSH_CONNECTION", "").partition(" ")[0][:64]
