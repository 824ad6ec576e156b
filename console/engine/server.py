"""The engine's socket: clients come, subscribe, are told what changed, and leave."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable

import msgspec

from console import frames, wire
from console.board import Board
from console.clients.clean import clean
from console.engine.client import Client
from console.engine.peer import Peer, may_connect, peer_of
from console.place import Place
from console.readings import Address, Reading, Watcher

MAX_CLIENTS = 64

_log = logging.getLogger(__name__)

Handler = Callable[[Client, wire.Request], str]
"""Does what a client asked; an error sentence, empty where it was done."""


class Server:
    """Owner of the socket and of the clients. ``on_watchers`` is told whenever somebody came or left."""

    def __init__(self, board: Board, hello: wire.Hello, handler: Handler, on_watchers: Callable[[], None]) -> None:
        self.board = board
        self.at = time.time()
        """When the board became as it is, Unix seconds."""
        self._hello = hello
        self._handler = handler
        self._on_watchers = on_watchers
        self._clients: dict[Client, str] = {}
        self._number = 0
        self._memo: dict[tuple[int, int], tuple[msgspec.Raw | None, int]] = {}
        self._kept: list[Reading] = []
        self._server: asyncio.Server | None = None
        self._group: int | None = None
        self.empty_since = asyncio.get_running_loop().time()
        """The loop's time since when no client has been there; meaningless while one is."""

    async def open(self, place: Place) -> None:
        """Listen at the place's socket, whose lock the caller holds: what lies there is a dead engine's."""
        with contextlib.suppress(FileNotFoundError):
            place.socket.unlink()
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(place.socket))
        if place.shared:
            self._group = place.socket.parent.stat().st_gid
            os.chown(place.socket, -1, self._group)
        place.socket.chmod(0o660 if place.shared else 0o600)
        self._server = await asyncio.get_running_loop().create_unix_server(
            lambda: Client(self, self._hello, self._admit), sock=listening
        )

    async def close(self, place: Place) -> None:
        """Stop listening, let every client go."""
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(FileNotFoundError):
            place.socket.unlink()
        for client in list(self._clients):
            client.drop()
        await asyncio.sleep(0)

    def publish(self, changed: list[Address], at: float) -> None:
        """The board changed at these addresses."""
        self.at = at
        for client in list(self._clients):
            for where in changed:
                client.touch(where)
            try:
                client.pump()
            except Exception:  # noqa: BLE001 - logged; one client's trouble is not the others'
                _log.exception("client %s cannot be told what changed", client.peer)
                client.drop()
        self._memo.clear()
        self._kept.clear()

    def beat(self) -> None:
        """Once a second."""
        now = asyncio.get_running_loop().time()
        for client in list(self._clients):
            client.beat(now)

    def watchers(self) -> dict[str, Watcher]:
        """Who is connected."""
        return {
            number: Watcher(
                client.peer.user,
                clean(client.greeting.host, 64) if client.greeting else "",
                client.since,
                client.greeting.kind if client.greeting else "other",
            )
            for client, number in self._clients.items()
        }

    @property
    def clients(self) -> list[Client]:
        """Who is connected and has greeted."""
        return list(self._clients)

    # --- for clients ----------------------------------------------------------------------------------------------

    def encoded(self, old: Reading | None, new: Reading) -> tuple[msgspec.Raw | None, int]:
        """The frame from ``old`` to ``new``, encoded once for all clients that are as far, and its rows."""
        mark = (id(old), id(new))
        if mark not in self._memo:
            frame = frames.diff(old, new)
            self._memo[mark] = (
                (None, 0) if frame is None else (msgspec.Raw(frames.encoder.encode(frame)), frames.rows_in(frame))
            )
            # As long as the memo lives these must not be freed: another object could get the same id.
            self._kept.append(new)
            if old is not None:
                self._kept.append(old)
        return self._memo[mark]

    def arrived(self, client: Client) -> None:
        self._number += 1
        self._clients[client] = str(self._number)
        self._on_watchers()

    def left(self, client: Client) -> None:
        self._clients.pop(client, None)
        if not self._clients:
            self.empty_since = asyncio.get_running_loop().time()
        self._on_watchers()

    def asked(self, client: Client, request: wire.Request) -> str:
        return self._handler(client, request)

    def _admit(self, transport: asyncio.BaseTransport) -> Peer | str:
        peer = peer_of(transport.get_extra_info("socket"))
        if not may_connect(peer, self._group):
            return f"it is not for user {peer.user}"
        return peer if len(self._clients) < MAX_CLIENTS else f"{len(self._clients)} clients are connected"
