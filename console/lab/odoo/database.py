"""Connections of one worker: one per database, to whichever member is primary, made anew when they broke."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

import psycopg2  # type: ignore[import-untyped]
import psycopg2.extensions  # type: ignore[import-untyped]

from console.lab.odoo.config import Config

CONNECT_TIMEOUT_S = 5
FAILED = (psycopg2.OperationalError, psycopg2.InterfaceError)
"""The connection, or the server behind it, is gone."""


class Cursor:
    """A cursor of psycopg2 that counts statements and their seconds, for the access log."""

    def __init__(self, raw: Any, database: str) -> None:
        self._raw = raw
        self.database = database
        self.queries = 0
        self.seconds = 0.0

    def run(self, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        start = time.monotonic()
        try:
            self._raw.execute(statement, values)
            return list(self._raw.fetchall()) if self._raw.description else []
        finally:
            self.queries += 1
            self.seconds += time.monotonic() - start

    def rows(self, statement: str, values: Any = None) -> list[dict[str, Any]]:
        """As dictionaries."""
        found = self.run(statement, values)
        names = [column.name for column in self._raw.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    @property
    def changed(self) -> int:
        """Rows that the last statement touched."""
        return int(self._raw.rowcount)

    def commit(self) -> None:
        """End the transaction."""
        self._raw.connection.commit()

    def rollback(self) -> None:
        """Forget the transaction."""
        self._raw.connection.rollback()


class Databases:
    """The worker's connections. Made after the fork: a connection belongs to one process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._kept: dict[str, Any] = {}

    def connect(self, database: str) -> Any:
        """A new connection to the primary, or psycopg2.OperationalError."""
        config = self._config
        return psycopg2.connect(
            host=",".join(host for host, _ in config.hosts),
            port=",".join(str(port) for _, port in config.hosts),
            user=config.user,
            password=config.password(),
            dbname=database,
            application_name=f"odoo-{os.getpid()}",
            target_session_attrs="read-write" if len(config.hosts) > 1 else "any",
            connect_timeout=CONNECT_TIMEOUT_S,
            options="-c timezone=UTC",
        )

    @contextlib.contextmanager
    def cursor(self, database: str) -> Iterator[Cursor]:
        """A transaction: committed at the end, rolled back on an error."""
        connection = self._alive(database)
        try:
            cursor = Cursor(connection.cursor(), database)
            yield cursor
            connection.commit()
        except BaseException as error:
            if isinstance(error, (*FAILED, psycopg2.errors.ReadOnlySqlTransaction)) or connection.closed:
                self._drop(database)  # The next one goes to whoever is primary then.
            else:
                connection.rollback()
            raise

    def _alive(self, database: str) -> Any:
        connection = self._kept.get(database)
        if connection is not None and not connection.closed:
            try:
                with connection.cursor() as probe:
                    probe.execute("select 1")
                connection.rollback()
                return connection
            except FAILED:
                self._drop(database)
        connection = self.connect(database)
        connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ)
        self._kept[database] = connection
        return connection

    def _drop(self, database: str) -> None:
        connection = self._kept.pop(database, None)
        if connection is not None:
            with contextlib.suppress(psycopg2.Error):
                connection.close()

    def names(self) -> list[str]:
        """Databases of our role."""
        with self.cursor(self._config.maintenance_db) as cursor:
            found = cursor.run(
                "select datname from pg_database where datdba = (select usesysid from pg_user where usename = current_user) "
                "and not datistemplate and datallowconn and datname <> %s order by datname",
                [self._config.maintenance_db],
            )
        return [str(name) for (name,) in found]

    def listen(self, database: str, channel: str) -> Any:
        """A connection of its own that hears NOTIFY, idle between."""
        connection = self.connect(database)
        connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        with connection.cursor() as cursor:
            cursor.execute(f"listen {channel}")
        return connection

    def close(self) -> None:
        """All of them."""
        for database in list(self._kept):
            self._drop(database)
