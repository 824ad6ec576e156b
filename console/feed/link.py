"""One connection to an engine: bytes to messages, and what the kernel says of the other end."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

from console import wire

_CREDENTIALS = struct.Struct("3i")


class Link(asyncio.Protocol):
    """The client's end of the socket. Callbacks run in the event loop, as bytes arrive: nothing is queued."""

    def __init__(self, on_message: Callable[[wire.ToClient], None], on_lost: Callable[[str], None]) -> None:
        self._on_message = on_message
        self._on_lost = on_lost
        self._splitter = wire.Splitter(wire.MAX_TO_CLIENT)
        self._transport: asyncio.Transport | None = None
        self._problem = "the engine ended"
        self.heard = 0
        """Pieces of data received so far."""
        self.pid = 0
        """Process id of whoever listens, as the kernel says."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        sock: socket.socket = transport.get_extra_info("socket")
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        self.pid = _CREDENTIALS.unpack(credentials)[0]

    def data_received(self, data: bytes) -> None:
        self.heard += 1
        try:
            for body in self._splitter.feed(data):
                self._on_message(wire.from_engine(body))
        except wire.WireError as error:
            self.drop(f"the engine spoke nonsense: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._on_lost(self._problem)

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, message: wire.ToEngine) -> None:
        """Send, where the connection is open."""
        if self._transport is not None and self.open:
            self._transport.write(wire.pack(message))

    def drop(self, problem: str) -> None:
        """End the connection now, for this reason."""
        self._problem = problem
        if self._transport is not None:
            self._transport.abort()
