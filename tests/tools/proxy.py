"""A TCP proxy that goes wrong on purpose: between a client and a real server, switchable while connections are open.

    async with FaultProxy("127.0.0.1", server_port) as proxy:
        client.connect("127.0.0.1", proxy.port)
        proxy.set(Hang(after=100), TO_CLIENT)     # the server's next 100 bytes arrive, then nothing
        proxy.heal()                              # what was held back arrives

``after`` counts bytes of that direction, on each connection, since the fault was set: 0 is the connection itself, for a
new one at the moment it is accepted. ``ProxyThread`` is the same for tests that have no event loop, or whose loop must
not wait for the proxy's.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal

Direction = Literal["to_server", "to_client"]
TO_SERVER: Direction = "to_server"
TO_CLIENT: Direction = "to_client"
BOTH: tuple[Direction, Direction] = (TO_SERVER, TO_CLIENT)

_CHUNK = 16 * 1024
_SLICES_PER_S = 50


@dataclass(frozen=True)
class Pass:
    """Nothing goes wrong."""


@dataclass(frozen=True)
class Refuse:
    """Nobody listens: new connections are refused, open ones are reset."""


@dataclass(frozen=True)
class Hang:
    """Connections are accepted, and after so many bytes nothing more comes through, and nothing is closed."""

    after: int = 0


@dataclass(frozen=True)
class Cut:
    """The connection ends after so many bytes: by a reset, or in an orderly way."""

    after: int = 0
    how: Literal["reset", "end"] = "reset"


@dataclass(frozen=True)
class Slow:
    """Each piece waits ``delay_s``, and no more than ``bytes_per_s`` come through (0: no limit)."""

    delay_s: float = 0.0
    bytes_per_s: int = 0


@dataclass(frozen=True)
class Garbage:
    """After so many bytes, ``length`` random ones: in place of real ones, or pushed in between."""

    after: int = 0
    length: int = 64
    insert: bool = False
    seed: int = 0
    content: bytes = b""
    """These instead of random ones."""

    def make(self) -> bytes:
        """The bytes."""
        return self.content or random.Random(self.seed).randbytes(self.length)


Fault = Pass | Refuse | Hang | Cut | Slow | Garbage


@dataclass(eq=False)
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    passed: dict[Direction, int] = field(default_factory=lambda: {TO_SERVER: 0, TO_CLIENT: 0})
    """Bytes let through since the fault in force was set."""
    spoilt: dict[Direction, int] = field(default_factory=lambda: {TO_SERVER: 0, TO_CLIENT: 0})
    """Garbage sent for the fault in force."""

    def end(self, how: Literal["reset", "end"] = "reset") -> None:
        for writer in (self.client, self.server):
            if writer is None or writer.transport.is_closing():
                continue
            if how == "end":
                writer.close()
                continue
            sock = writer.get_extra_info("socket")
            # Lingering for 0 s makes of the close a reset.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class FaultProxy:
    """One listening port in front of one server."""

    def __init__(self, host: str, port: int) -> None:
        self.upstream = (host, port)
        self.port = 0
        self.accepted = 0
        """Connections since the start."""
        self.bytes: dict[Direction, int] = {TO_SERVER: 0, TO_CLIENT: 0}
        """Bytes that arrived, let through or not."""
        self._faults: dict[Direction, Fault] = {TO_SERVER: Pass(), TO_CLIENT: Pass()}
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._listener: asyncio.Server | None = None
        self._socket: socket.socket | None = None

    async def __aenter__(self) -> FaultProxy:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._connections)

    async def start(self) -> None:
        """Listen, on a port of the system's choice."""
        self._bind()
        await self._listen()

    async def close(self) -> None:
        """Stop listening, drop every connection, leave no task."""
        self._unlisten()
        for connection in list(self._connections):
            connection.end()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def set(self, fault: Fault, *directions: Direction) -> None:
        """Put ``fault`` in force, in both directions unless one is named; what was in force in the other stays."""
        for direction in directions or BOTH:
            self._faults[direction] = fault
            for connection in self._connections:
                connection.passed[direction] = connection.spoilt[direction] = 0
        refused = any(isinstance(active, Refuse) for active in self._faults.values())
        if refused:
            self._unlisten()
        elif self._socket is None:
            self._bind()
            self._spawn(self._listen())
        if refused or (isinstance(fault, Cut) and fault.after == 0):
            for connection in list(self._connections):
                connection.end(fault.how if isinstance(fault, Cut) else "reset")
        self._changed.set()
        self._changed = asyncio.Event()

    def heal(self) -> None:
        """Nothing goes wrong any more; what was held back is delivered."""
        self.set(Pass())

    def _bind(self) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", self.port))
        sock.listen(128)
        sock.setblocking(False)
        self.port = sock.getsockname()[1]
        self._socket = sock

    async def _listen(self) -> None:
        if self._socket is not None:
            self._listener = await asyncio.start_server(self._accept, sock=self._socket)

    def _unlisten(self) -> None:
        if self._listener is not None:
            self._listener.close()
        if self._socket is not None:
            self._socket.close()
        self._listener = self._socket = None

    def _spawn(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        connection = _Connection(writer)
        self._connections.add(connection)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(connection, reader)
        except* OSError:
            pass  # an end was reset, by us or by them: that is the proxy's trade
        finally:
            self._tasks.discard(task)
            self._connections.discard(connection)
            connection.end()

    async def _serve(self, connection: _Connection, reader: asyncio.StreamReader) -> None:
        while any(isinstance(fault, Hang) and not fault.after for fault in self._faults.values()):
            await self._changed.wait()  # accepted, and nothing said
        for fault in self._faults.values():
            if isinstance(fault, Cut) and fault.after == 0:
                connection.end(fault.how)
                return
        from_server, connection.server = await asyncio.open_connection(*self.upstream)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._pump(connection, TO_SERVER, reader, connection.server))
            both.create_task(self._pump(connection, TO_CLIENT, from_server, connection.client))

    async def _pump(
        self, connection: _Connection, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            self.bytes[direction] += len(data)
            while data:
                data = await self._deliver(connection, direction, data, writer)
        while isinstance(self._faults[direction], Hang):
            await self._changed.wait()  # nor does an end come through
        if writer.can_write_eof() and not writer.transport.is_closing():
            writer.write_eof()

    async def _deliver(
        self, connection: _Connection, direction: Direction, data: bytes, writer: asyncio.StreamWriter
    ) -> bytes:
        """Let through what the fault in force allows; what is left."""
        fault = self._faults[direction]
        piece = data
        if isinstance(fault, Hang | Cut):
            piece = data[: max(0, fault.after - connection.passed[direction])]
            if not piece and isinstance(fault, Hang):
                await self._changed.wait()
                return data
            if not piece and isinstance(fault, Cut):
                connection.end(fault.how)
                raise ConnectionAbortedError
        elif isinstance(fault, Slow):
            changed = self._changed
            if fault.bytes_per_s:
                piece = data[: max(1, fault.bytes_per_s // _SLICES_PER_S)]
            wait_s = fault.delay_s + (len(piece) / fault.bytes_per_s if fault.bytes_per_s else 0.0)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(changed.wait(), wait_s)
        elif isinstance(fault, Garbage):
            piece, data = self._spoil(connection, direction, data, fault)
            writer.write(piece)
            await writer.drain()
            return data
        connection.passed[direction] += len(piece)
        writer.write(piece)
        await writer.drain()
        return data[len(piece) :]

    @staticmethod
    def _spoil(connection: _Connection, direction: Direction, data: bytes, fault: Garbage) -> tuple[bytes, bytes]:
        """What to send, and what is left."""
        ahead = fault.after - connection.passed[direction]
        if ahead > 0:
            connection.passed[direction] += len(data[:ahead])
            return data[:ahead], data[ahead:]
        junk = fault.make()[connection.spoilt[direction] :]
        if not junk:
            return data, b""
        if not fault.insert:
            junk = junk[: len(data)]  # as many as there are real ones to stand in for; the rest when more come
        connection.spoilt[direction] += len(junk)
        return junk, data if fault.insert else data[len(junk) :]


class ProxyThread:
    """A ``FaultProxy`` with a thread and a loop of its own. ``with ProxyThread(host, port) as proxy: … proxy.set(…)``."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)
        self._proxy: FaultProxy | None = None
        self.port = 0

    def __enter__(self) -> ProxyThread:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._proxy is not None
        asyncio.run_coroutine_threadsafe(self._proxy.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self._proxy = FaultProxy(*self._upstream)
        await self._proxy.start()
        self.port = self._proxy.port

    @property
    def proxy(self) -> FaultProxy:
        """The proxy itself; its counters may be read from any thread."""
        assert self._proxy is not None
        return self._proxy

    def set(self, fault: Fault, *directions: Direction) -> None:
        """As ``FaultProxy.set``; in force when this returns."""
        self._call(lambda: self.proxy.set(fault, *directions))

    def heal(self) -> None:
        """As ``FaultProxy.heal``."""
        self._call(self.proxy.heal)

    def _call(self, work: Callable[[], None]) -> None:
        async def run() -> None:
            work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)
