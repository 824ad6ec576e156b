"""One client of the engine: what it subscribed to, what it was last sent, and what it has yet to hear.

Nothing is ever queued per event. A client has a set of addresses that changed; when its socket can take more, the
difference between what it last got and what the board holds now is made then. A client that never reads costs one set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol, cast

import msgspec

from console import frames, wire
from console.board import Board
from console.engine.peer import Peer
from console.readings import Address, Description, LogTail, Reading

CAP = 128 * 1024
"""Bytes waiting in a client's transport above which no more is written."""
ROWS = 500
"""Rows of keyed collections in one message."""
GREETING_S = 5.0
STALLED_S = 10.0
"""Seconds after which what a stalled client was sent is forgotten: it gets keyframes when it wakes."""
SHORT_LIVED = frozenset({LogTail.topic, Description.topic})


class Hub(Protocol):
    """What a client needs of the server."""

    board: Board
    at: float

    def encoded(self, old: Reading | None, new: Reading) -> tuple[msgspec.Raw | None, int]: ...
    def arrived(self, client: Client) -> None: ...
    def left(self, client: Client) -> None: ...
    def asked(self, client: Client, request: wire.Request) -> str: ...


class Client(asyncio.Protocol):
    """The engine's end of one connection."""

    def __init__(self, hub: Hub, hello: wire.Hello, admit: Callable[[asyncio.BaseTransport], Peer | str]) -> None:
        """``admit`` says who it is, or why the connection is not taken."""
        self._hub = hub
        self._hello = hello
        self._admit = admit
        self._splitter = wire.Splitter(wire.MAX_TO_ENGINE)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._topics: frozenset[str] = frozenset()
        self._sent: dict[Address, Reading] = {}
        self._dirty: dict[Address, None] = {}
        self._spoke_at = 0.0
        self._full_since: float | None = None
        self.peer = Peer(0, 0, 0, "")
        self.greeting: wire.Greeting | None = None
        self.since = datetime.now(UTC)
        self.asked: set[Address] = set()
        """Short-lived topics that this client asked for."""

    # --- connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = self._admit(transport)
        if isinstance(peer, str):
            self._transport.write(wire.pack(wire.Reply(wire.REFUSAL, peer)))
            self._transport.close()
            return
        self.peer = peer
        self._transport.set_write_buffer_limits(high=CAP, low=0)
        self._transport.write(wire.pack(self._hello))
        self._timer = asyncio.get_running_loop().call_later(GREETING_S, self.drop)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._splitter.feed(data):
                self._take(wire.from_client(body))
        except wire.WireError:
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._transport = None
        self._sent.clear()
        self._dirty.clear()
        if self.greeting is not None:
            self._hub.left(self)

    def drop(self) -> None:
        """End the connection now."""
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        self._full_since = asyncio.get_running_loop().time()

    def resume_writing(self) -> None:
        self._full_since = None
        self.pump()

    # --- what it says ---------------------------------------------------------------------------------------------

    def _take(self, message: wire.ToEngine) -> None:
        if isinstance(message, wire.Greeting):
            if self.greeting is None:
                if self._timer:
                    self._timer.cancel()
                self.greeting = message
                self._hub.arrived(self)
            return
        if self.greeting is None:
            self.drop()
            return
        error = self._hub.asked(self, message)
        if self._transport is not None:
            self._transport.write(wire.pack(wire.Reply(message.id, error)))
        if self._transport is not None and self._transport.get_write_buffer_size() > CAP + wire.MAX_TO_ENGINE:
            self.drop()  # asks and asks, and never reads

    def subscribe(self, topics: frozenset[str]) -> None:
        """Replace the subscriptions. Everything subscribed to is sent anew as keyframes; the rest is taken away."""
        self._topics = topics
        known = self._sent
        self._sent = {}
        self._dirty = {where: None for where in known if not self.wants(where)}
        self._dirty.update((reading.where, None) for reading in self._hub.board if self.wants(reading.where))
        self._spoke_at = 0.0
        self.pump()

    def wants(self, where: Address) -> bool:
        """Whether it subscribed to this address."""
        if where.topic in SHORT_LIVED:
            return where in self.asked or f"{where.topic} {where.key}" in self._topics
        topics = self._topics
        return wire.EVERYTHING in topics or where.topic in topics or f"{where.topic} {where.key}" in topics

    # --- what it hears --------------------------------------------------------------------------------------------

    def touch(self, where: Address) -> None:
        """The board changed here."""
        if self.wants(where):
            self._dirty[where] = None

    def take_away(self, where: Address) -> None:
        """It wants this no more."""
        self._dirty[where] = None
        self.pump()

    def pump(self) -> None:
        """Send what changed, as far as the socket takes it now."""
        transport = self._transport
        while self._dirty and transport is not None and transport.get_write_buffer_size() < CAP:
            encoded = self._collect()
            transport.write(wire.pack_frames(self._hub.at, encoded))
            self._spoke_at = asyncio.get_running_loop().time()

    def beat(self, now: float) -> None:
        """Called about once a second with the loop's time: say something where nothing was said, forget where it stalls."""
        if self._transport is None or self.greeting is None:
            return
        if self._full_since is not None and now - self._full_since > STALLED_S and self._sent:
            self._dirty.update(dict.fromkeys(self._sent))
            self._sent.clear()
        elif now - self._spoke_at >= 0.75 * wire.HEARTBEAT_S and not self._transport.get_write_buffer_size():
            self._transport.write(wire.pack_frames(self._hub.at, []))
            self._spoke_at = now

    def _collect(self) -> list[msgspec.Raw]:
        """Frames for one message; what did not fit stays dirty."""
        encoded: list[msgspec.Raw] = []
        budget = ROWS
        for where in list(self._dirty):
            if budget <= 0:
                break
            old, new = self._sent.get(where), self._hub.board.at(where)
            if new is None:
                # Also where nothing was sent since it subscribed: it may hold one from before.
                encoded.append(_gone(where))
                self._sent.pop(where, None)
            elif self.wants(where):
                reached = frames.toward(old, new, budget)
                frame, rows = self._hub.encoded(old, reached)
                if frame is not None:
                    encoded.append(frame)
                budget -= 1 + rows
                self._sent[where] = reached
                if reached is not new:
                    continue
            else:
                encoded.append(_gone(where))
                self._sent.pop(where, None)
            del self._dirty[where]
        return encoded


def _gone(where: Address) -> msgspec.Raw:
    return msgspec.Raw(frames.encoder.encode(frames.Gone(*where)))
