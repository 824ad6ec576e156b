"""One line to one PostgreSQL server: an asynchronous connection that can be dropped at once.

psycopg answers the cancellation of a waiting coroutine by asking the server to cancel the statement, and waits up to
ten seconds for a server that hangs. So nothing here cancels a statement: each runs in a task of its own, and when its
caller is cancelled or ``abandon`` is called the socket is shut down, whereupon that task ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from console.clients.clean import clean
from console.clients.lookup import Lookup
from console.clients.postgres_text import ADAPTERS

Row = dict[str, Any]
T = TypeVar("T")

APPLICATION_NAME = "banksman"


class PostgresError(Exception):
    """The server could not be reached, or refused us. ``denied``: it answered. The text holds no secret."""

    def __init__(self, problem: str, *, denied: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.denied = denied


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is and as whom we come. The password is fetched at each connection and never kept."""

    host: str
    port: int = 5432
    user: str = ""
    database: str = "postgres"
    service: str = ""
    sslmode: str = "prefer"
    sslrootcert: str = ""
    password: Callable[[], str | None] = lambda: None

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Answer(msgspec.Struct, frozen=True):
    """What a batch of statements returned."""

    rows: list[list[Row]]
    """One list per statement."""
    asked_at: datetime
    """Our clock when the batch was sent, aware UTC."""
    round_trip_s: float


class Line:
    """At most one connection to one server, opened when first needed; looks take turns on it."""

    def __init__(self, target: Target, *, statement_timeout_s: float) -> None:
        self.target = target
        self.generation = 0
        """Counts connections, so that what was learnt on one is asked again on the next."""
        self._timeout_ms = max(100, int(statement_timeout_s * 1000))
        self._lookup = Lookup(target.host, target.port)
        self._turn = asyncio.Lock()
        self._holder: object = None
        self._connection: psycopg.AsyncConnection[Row] | None = None
        self._running: asyncio.Task[Any] | None = None

    @contextlib.asynccontextmanager
    async def look(self, owner: object) -> AsyncIterator[Look]:
        """The line, for one look of ``owner``. Raises PostgresError where no connection comes about.

        Errors of single statements are psycopg's own and leave the connection usable.
        """
        async with self._turn:
            self._holder = owner
            try:
                if self._is_broken():
                    self.drop()
                if self._connection is None:
                    await self._connect()
                yield Look(self)
            except asyncio.CancelledError:
                self.drop()
                raise
            finally:
                self._holder = None

    def abandon(self, owner: object) -> None:
        """Drop the connection if it is ``owner``'s look that hangs; one that only waits its turn leaves it alone."""
        if self._holder is owner:
            self.drop()

    def drop(self) -> None:
        """Close the socket now, without a word to the other end. What runs on it fails at once."""
        connection, self._connection = self._connection, None
        running, self._running = self._running, None
        if connection is None:
            if running is not None:
                running.cancel()  # still connecting: psycopg lets go of that at once
            return
        if running is None or running.done():
            connection.pgconn.finish()
            return
        _shut_down(connection)
        running.add_done_callback(lambda _task: connection.pgconn.finish())

    async def close(self) -> None:
        """End in good order: an idle connection says goodbye, a busy one is dropped."""
        self.drop()

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await ``work`` in a task that outlives its caller's cancellation, so that psycopg never sees one."""
        task = self._running = asyncio.create_task(work)
        task.add_done_callback(_forget)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if task.cancelled() and caller is not None and not caller.cancelling():
                raise PostgresError("the connection was dropped") from None
            self.drop()
            raise
        finally:
            if self._running is task and task.done():
                self._running = None

    async def _connect(self) -> None:
        try:
            address = await self._lookup.address()
        except OSError as error:
            raise PostgresError(f"cannot resolve {self.target.host}: {error.strerror or error}") from None
        try:
            await self._run(self._open(address))
            self.generation += 1
            await self.execute([_session_settings(self._timeout_ms)])
        except psycopg.Error as error:
            self._lookup.next()
            self.drop()
            raise refusal(error, self.target.address) from None

    async def _open(self, address: str) -> None:
        target = self.target
        parameters: dict[str, Any] = {
            "host": target.host,
            "port": target.port,
            "dbname": target.database,
            "application_name": APPLICATION_NAME,
            # Bytes as they are stored: a name that does not fit the encoding must not fail the whole statement.
            "client_encoding": "SQL_ASCII",
            "sslmode": target.sslmode,
            "gssencmode": "disable",  # Kerberos would look up names on the loop
            "target_session_attrs": "any",
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "connect_timeout": 60,  # the look's own deadline ends it long before
        }
        if not target.host.startswith("/"):
            parameters["hostaddr"] = address
        optional = {"user": target.user, "service": target.service, "sslrootcert": target.sslrootcert}
        parameters.update({key: value for key, value in optional.items() if value})
        password = target.password()
        if password is not None:
            parameters["password"] = password
        self._connection = await psycopg.AsyncConnection.connect(
            **parameters, autocommit=True, prepare_threshold=None, row_factory=dict_row, context=ADAPTERS
        )

    async def execute(self, statements: Sequence[sql.Composable]) -> Answer:
        """Run statements in one round trip and one snapshot of the statistics. Raises psycopg.Error."""
        connection = self._connection
        if connection is None:
            raise PostgresError("the connection was dropped")
        asked_at, began = datetime.now(UTC), time.monotonic()
        try:
            rows = await self._run(_fetch(connection, sql.SQL(";").join(statements), len(statements)))
        finally:
            if connection.closed or connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.drop()
        return Answer(rows, asked_at, time.monotonic() - began)

    def _is_broken(self) -> bool:
        """Whether the connection ended while nobody used it: that says nothing of the server now, so connect anew."""
        connection = self._connection
        if connection is None:
            return False
        try:
            connection.pgconn.consume_input()
            connection.pgconn.consume_input()  # the first may only have read the server's farewell
        except psycopg.Error:
            return True
        return connection.closed


class Look:
    """One look's right to ask, from ``Line.look``."""

    def __init__(self, line: Line) -> None:
        self.line = line

    async def ask(self, *statements: sql.Composable) -> Answer:
        """Run statements in one round trip. Raises psycopg.Error."""
        return await self.line.execute(statements)


async def _fetch(connection: psycopg.AsyncConnection[Row], query: sql.Composed, count: int) -> list[list[Row]]:
    async with connection.cursor() as cursor:
        await cursor.execute(query)
        rows = [await cursor.fetchall()]
        while cursor.nextset():
            rows.append(await cursor.fetchall())
    if len(rows) != count:
        raise psycopg.DataError(f"{count} statements gave {len(rows)} results")
    return rows


def _shut_down(connection: psycopg.AsyncConnection[Row]) -> None:
    try:
        other = socket.socket(fileno=connection.pgconn.socket)
    except (psycopg.Error, OSError):
        return  # already closed
    try:
        other.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other end was quicker
    finally:
        other.detach()


def _forget(task: asyncio.Task[Any]) -> None:
    """An abandoned task's failure was caused here: it is no news."""
    if not task.cancelled():
        task.exception()


_SESSION = {
    "default_transaction_read_only": "on",
    "lock_timeout": "500ms",  # never queue behind somebody's exclusive lock on a catalogue
    "search_path": "pg_catalog",  # no function of a tenant's can be called by name
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "idle_session_timeout": "0",
    "DateStyle": "ISO",
    "TimeZone": "UTC",
}


def _session_settings(timeout_ms: int) -> sql.Composed:
    """Set what this server knows of it; by a statement, since an unknown start-up option would refuse the connection."""
    wanted = {**_SESSION, "statement_timeout": f"{timeout_ms}ms"}
    pairs = sql.SQL(", ").join(
        sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(value)) for name, value in wanted.items()
    )
    return sql.SQL(
        "SELECT pg_catalog.set_config(v.name, v.value, false) FROM (VALUES {}) AS v(name, value)"
        " WHERE pg_catalog.current_setting(v.name, true) IS NOT NULL"
    ).format(pairs)


_NOT_YET = re.compile(r"starting up|shutting down|in recovery mode|not yet accepting|not accepting connections")
_PREFIX = re.compile(r'^connection (is bad|failed): |connection to server (at|on socket) "[^"]*"(, port \d+)? failed: ')


def refusal(error: psycopg.Error, address: str) -> PostgresError:
    """What ended an attempt to connect, as one sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = _PREFIX.sub("", _PREFIX.sub("", lines[0] if lines else type(error).__name__))
    text = text.split(" Is the server running on that host")[0]
    answered = error.sqlstate is not None or bool(re.match(r"[^\s:]{3,12}\s?: ", text))
    denied = answered and not _NOT_YET.search(text) and not (error.sqlstate or "").startswith(("57P", "08"))
    return PostgresError(f"{address}: {clean(text, 300)}", denied=denied)
