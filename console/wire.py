"""The engine's socket protocol: length-prefixed msgpack. No I/O here: bytes in, messages out.

Each message is a 4-byte big-endian length and a msgpack map tagged by ``type``. The engine speaks first (``Hello``),
then the client (``Greeting``); from then on the engine sends ``Frames`` for what the client subscribed to, at least
once in ``HEARTBEAT_S`` (an empty one when nothing changed). Replies carry no data: what a request brings to light (a
log's tail, a plan) is a short-lived topic like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from console.frames import Frame

PROTOCOL = 1
MAX_TO_CLIENT = 16 * 1024 * 1024
"""Bytes of a message from the engine; a longer announcement ends the connection."""
MAX_TO_ENGINE = 64 * 1024
HEARTBEAT_S = 1.0
REFUSAL = 0
"""Id of the reply, instead of a ``Hello``, to a connection that is not taken. Requests are numbered from 1."""
EVERYTHING = "*"
"""Subscription to every topic but the short-lived ones, which are asked for by name."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Engine → client, first."""

    protocol: int
    build: str
    environment: str
    digest: str
    """SHA-256 of the environment file as the engine loaded it."""
    pid: int
    shared: bool


class Greeting(msgspec.Struct, frozen=True, tag="greeting", omit_defaults=True):
    """Client → engine, first."""

    protocol: int
    build: str
    digest: str = ""
    kind: Literal["console", "status", "record", "other"] = "other"
    host: str = ""
    """Where the person sits, as far as the terminal tells (SSH_CONNECTION); for show only, never for a decision."""
    at: float = 0.0
    """The client's clock, Unix seconds; for show only."""


class Frames(msgspec.Struct, frozen=True, tag="frames"):
    """Engine → client: changes of the board, in order. Empty: nothing changed."""

    at: float
    """The engine's clock when the board was as it is after these frames, Unix seconds."""
    frames: list[Frame]


class Request(msgspec.Struct, frozen=True, tag="request", omit_defaults=True):
    """Client → engine.

    ``subscribe``: ``topics`` (names, ``name key`` for one address, ``*`` for all) replaces what was subscribed to.
    ``refresh``: ask every source now; ``target``: only the sources of this pane, or this ``topic key``.
    ``log``: follow the log of ``target`` (``postgres main/pg-1``) as topic ``log`` under that key, until a
    ``subscribe`` leaves it out or ``unlog``. ``describe``: the same for an object, as topic ``describe``; see
    ``console.readings.reply`` for targets. ``stop``: end the engine.
    """

    id: int
    do: Literal["subscribe", "refresh", "log", "unlog", "describe", "undescribe", "stop"]
    topics: list[str] = []
    target: str = ""
    arguments: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True, tag="reply", omit_defaults=True):
    """Engine → client: the request was taken, or why not; with id ``REFUSAL``: why the connection is."""

    id: int
    error: str = ""


ToClient = Hello | Frames | Reply
ToEngine = Greeting | Request

_encoder = msgspec.msgpack.Encoder()
_to_client: msgspec.msgpack.Decoder[ToClient] = msgspec.msgpack.Decoder(ToClient)
_to_engine: msgspec.msgpack.Decoder[ToEngine] = msgspec.msgpack.Decoder(ToEngine)


class WireError(Exception):
    """The other end spoke something that is not this protocol."""


def pack(message: ToClient | ToEngine) -> bytes:
    """A message with its length in front."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


def pack_frames(at: float, frames: list[msgspec.Raw]) -> bytes:
    """A ``Frames`` message made of frames that are encoded already."""
    body = _encoder.encode({"type": "frames", "at": at, "frames": frames})
    return len(body).to_bytes(4, "big") + body


class Splitter:
    """Cuts a stream of bytes into message bodies."""

    __slots__ = ("_buffer", "_limit")

    def __init__(self, limit: int) -> None:
        self._buffer = bytearray()
        self._limit = limit

    @property
    def pending(self) -> int:
        """Bytes of a message that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take ``data``; the bodies that are complete. Raises WireError where one is announced beyond the limit."""
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= 4:
                length = int.from_bytes(buffer[start : start + 4], "big")
                if length > self._limit:
                    raise WireError(f"a message of {length} bytes was announced")
                if len(buffer) - start - 4 < length:
                    break
                start += 4 + length
                yield bytes(buffer[start - length : start])
        finally:
            del buffer[:start]


def from_engine(body: bytes) -> ToClient:
    """A message of the engine. Raises WireError."""
    try:
        return _to_client.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error


def from_client(body: bytes) -> ToEngine:
    """A message of a client. Raises WireError."""
    try:
        return _to_engine.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
