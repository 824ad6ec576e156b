"""One connection to one Redis, Valkey or Sentinel server: raw commands, raw answers, and sentences for what goes wrong.

redis-py's connection is used without its pool, retries, health checks and answer callbacks: a look is made once, its
deadline belongs to the scheduler, and answers are parsed here, where odd ones are expected.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

from redis import exceptions
from redis._parsers import _AsyncRESP2Parser
from redis.asyncio.connection import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from console.clients.clean import clean
from console.settings.environment import SecretRef
from console.settings.secrets import SecretError, resolve

CLIENT_NAME = "banksman"
MAX_BULK = 64 * 1024 * 1024
"""Bytes; a longer announcement ends the connection before memory goes."""

Argument = str | bytes | int
Answer = Any
"""bytes, int, None, or a list of them; from ``many`` also an ``exceptions.ResponseError``."""


class LinkError(Exception):
    """What went wrong, in one sentence without secrets. ``denied``: the server answered, and refused us."""

    def __init__(self, problem: str, *, denied: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.denied = denied


_FAILURES = (exceptions.RedisError, OSError, EOFError, ValueError, RecursionError)
"""What a broken connection or an answer that is none can raise. Anything else is a mistake of ours, and is passed on."""


class _Parser(_AsyncRESP2Parser):
    """The protocol, but for answers that no server of ours gives."""

    async def _read(self, length: int) -> bytes:
        if not 0 <= length <= MAX_BULK:
            raise exceptions.InvalidResponse(f"Protocol Error: {length} bytes announced")
        answer: bytes = await super()._read(length)
        return answer


class RedisLink:
    """A connection that is opened when first needed and kept. Not for two tasks at once."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        username: str = "",
        password: SecretRef | None = None,
        tls: bool = False,
        ca_file: str = "",
    ) -> None:
        self.host = host
        self.port = port
        self._username = username
        self._password = password
        self._tls = tls
        self._ca_file = ca_file
        self._connection: Connection | None = None
        self._hidden = ""
        self.sent = 0
        """Commands sent so far."""

    @property
    def where(self) -> str:
        """``host:port`` as configured."""
        return f"{self.host}:{self.port}"

    @property
    def peer(self) -> str:
        """``address:port`` of the other end, as Sentinels and replicas name it; as configured where not connected."""
        writer = getattr(self._connection, "_writer", None)
        name = writer.get_extra_info("peername") if writer is not None else None
        return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else self.where

    async def open(self) -> bool:
        """Connect and authenticate, unless that is done; whether the connection is new. Raises LinkError."""
        if self._connection is not None:
            if _usable(self._connection):
                return False
            self.abandon()
        with self._sentences():
            self._connection = self._make()
            await self._connection.connect()  # type: ignore[no-untyped-call]
        self.sent += self._password is not None  # AUTH
        # Both are a courtesy: a name in CLIENT LIST, and no trace in LRU and LFU where the server can promise it.
        await self.many([("CLIENT", "SETNAME", CLIENT_NAME), ("CLIENT", "NO-TOUCH", "ON")])
        return True

    async def call(self, *command: Argument) -> Answer:
        """One command's answer. Raises LinkError, or ``exceptions.ResponseError`` for an error answer."""
        answer = (await self.many([command]))[0]
        if isinstance(answer, exceptions.ResponseError):
            raise answer
        return answer

    async def many(self, commands: Sequence[Sequence[Argument]]) -> list[Answer]:
        """Answers of commands sent together, error answers among them. Raises LinkError when the connection fails."""
        connection = self._connection
        if connection is None:
            raise LinkError("not connected")
        self.sent += len(commands)
        with self._sentences():
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            return [await self._answer(connection) for _ in commands]

    @staticmethod
    async def _answer(connection: Connection) -> Answer:
        try:
            return await connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except exceptions.ResponseError as error:
            return error
        except exceptions.BusyLoadingError as error:
            return exceptions.ResponseError(
                f"LOADING {error}"
            )  # an answer like others, though redis-py counts it as a failure

    def abandon(self) -> None:
        """Drop the socket now, whatever the other end does."""
        connection, self._connection = self._connection, None
        writer = getattr(connection, "_writer", None)
        if writer is not None:
            writer.transport.abort()

    async def close(self) -> None:
        """Orderly end: nothing is in flight between looks, so closing the socket is all there is to it."""
        self.abandon()

    def _make(self) -> Connection:
        password = None
        if self._password is not None:
            try:
                password = resolve(self._password).reveal()
            except SecretError as error:
                raise LinkError(str(error)) from None
        self._hidden = password or ""
        common: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "username": self._username or None,
            "password": password,
            "protocol": 2,
            "parser_class": _Parser,
            "socket_timeout": None,
            "socket_connect_timeout": None,
            "retry": Retry(NoBackoff(), 0),
            "client_name": None,
        }
        connection = SSLConnection(**common, ssl_ca_certs=self._ca_file or None) if self._tls else Connection(**common)
        for name in ("driver_info", "lib_name", "lib_version"):
            setattr(connection, name, None)  # no CLIENT SETINFO: another right to grant, for nothing
        return connection

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        """Whatever ends a look half-way leaves answers unread: the connection goes with it."""
        try:
            yield
        except LinkError:
            self.abandon()
            raise
        except _FAILURES as error:
            self.abandon()
            problem, denied = explain(error, self.where)
            if self._hidden:
                problem = problem.replace(self._hidden, "…")
            # Without its cause: redis-py's frames and texts may carry the password.
            raise LinkError(problem, denied=denied) from None
        except BaseException:
            self.abandon()
            raise


def _usable(connection: Connection) -> bool:
    """Open at both ends, and nothing unread: found out before anything is sent, so that no look is lost on it."""
    reader = getattr(connection, "_reader", None)
    return reader is not None and not reader.at_eof() and not getattr(reader, "_eof", False) and not reader._buffer


_DENIED = ("NOAUTH", "WRONGPASS", "NOPERM", "DENIED")


def explain(error: BaseException, where: str) -> tuple[str, bool]:
    """A sentence for an error of the client, and whether it means that the server refused us."""
    text = clean(str(error), 200)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            why = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or text
            return f"{where}: TLS failed: {clean(why)}", False
        if isinstance(cause, socket.gaierror):
            return f"{where}: the host name cannot be resolved", False
        # asyncio folds several addresses' errors into one without a type.
        if isinstance(cause, ConnectionRefusedError) or "[Errno 111]" in str(cause):
            return f"{where} refuses connections", False
    if isinstance(error, exceptions.AuthenticationError) or text.startswith(_DENIED):
        if "required" in text.lower():
            return f"{where} asks for a password, and none is configured", True
        if "protected mode" in text:
            return f"{where} is in protected mode and answers only its own host", True
        return f"{where} does not accept our user and password", True
    if "max number of clients" in text:
        return f"{where} accepts no more clients (maxclients)", False
    if isinstance(error, exceptions.BusyLoadingError):
        return f"{where} is loading its data", False
    if isinstance(error, exceptions.InvalidResponse | ValueError | RecursionError | UnicodeError):
        return f"{where} answered with something that is not the Redis protocol", False
    if isinstance(error, exceptions.ConnectionError | OSError):
        return f"{where}: the connection broke: {text or type(error).__name__}", False
    return f"{where}: {type(error).__name__}: {text}", False


NOT_PERMITTED = "not permitted"


def refusal(answer: Answer) -> str:
    """A sentence for an error answer to a command; empty where the answer is none."""
    if not isinstance(answer, exceptions.ResponseError):
        return ""
    text = clean(str(answer), 160)
    if isinstance(answer, exceptions.NoPermissionError) or "no permissions" in text:
        return NOT_PERMITTED
    return text or type(answer).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__
