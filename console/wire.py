"""The engine's socket protocol: length-prefixed msgpack.

Each message is a 4-byte big-endian length and a msgpack map tagged by ``type``. The engine speaks first (``Hello``),
then the client (``Greeting``); from then on the engine sends ``Frames`` for what the client subscribed to. Replies
carry no data: what a request brings to light (a log's tail, a plan) is a short-lived topic like any other.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import msgspec

from console.frames import Frame

PROTOCOL = 1
MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes; a longer announcement ends the connection."""


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
    """Engine → client: changes of the board, in order."""

    at: float
    """The engine's clock, Unix seconds."""
    frames: list[Frame]


class Request(msgspec.Struct, frozen=True, tag="request", omit_defaults=True):
    """Client → engine. ``subscribe`` takes ``topics`` (names, or ``name key`` for one address) and replaces the set."""

    id: int
    do: Literal["subscribe", "refresh", "log", "stop"]
    topics: list[str] = []
    target: str = ""
    arguments: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True, tag="reply", omit_defaults=True):
    """Engine → client: the request was taken, or why not."""

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


async def _receive(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > MAX_MESSAGE:
        raise WireError(f"a message of {length} bytes was announced")
    return await reader.readexactly(length)


async def from_engine(reader: asyncio.StreamReader) -> ToClient:
    """The next message from the engine. Raises WireError, asyncio.IncompleteReadError at the end."""
    try:
        return _to_client.decode(await _receive(reader))
    except msgspec.MsgspecError as error:
        raise WireError(str(error)) from error


async def from_client(reader: asyncio.StreamReader) -> ToEngine:
    """The next message from a client. Raises like ``from_engine``."""
    try:
        return _to_engine.decode(await _receive(reader))
    except msgspec.MsgspecError as error:
        raise WireError(str(error)) from error
