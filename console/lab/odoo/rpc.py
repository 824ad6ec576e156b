"""JSON-RPC: ``/jsonrpc`` with its services, and calls of a web session. Every error is told as HTTP 200."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg2  # type: ignore[import-untyped]

from console.lab.odoo import log, users
from console.lab.odoo.database import Cursor, Databases
from console.lab.odoo.errors import AccessDenied, OdooError, error_object
from console.lab.odoo.models import Environment, Model
from console.lab.odoo.versions import Version

T = TypeVar("T")
_AGAIN = (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected, psycopg2.errors.LockNotAvailable)
_TRIES = 5


class Spent:
    """What a request cost in the database, and in which one."""

    def __init__(self) -> None:
        self.database: str | None = None
        self.queries = 0
        self.seconds = 0.0

    def add(self, cursor: Cursor) -> None:
        """Count a cursor's statements."""
        self.queries += cursor.queries
        self.seconds += cursor.seconds


class Caller:
    """Runs methods in transactions, again when they collide with others."""

    def __init__(self, databases: Databases, version: Version, data_dir: Path) -> None:
        self._databases = databases
        self._version = version
        self._data_dir = data_dir

    def transact(self, database: str, spent: Spent, work: Callable[[Cursor], T]) -> T:
        """``work`` in one transaction, up to five times."""
        spent.database = database
        for left in range(_TRIES - 1, -1, -1):
            try:
                with self._databases.cursor(database) as cursor:
                    try:
                        return work(cursor)
                    finally:
                        spent.add(cursor)
            except _AGAIN as error:
                if not left:
                    raise
                pause = random.uniform(0.0, 2.0 ** (_TRIES - left) / 10)
                name = type(error).__name__
                log.line(
                    "INFO",
                    database,
                    "odoo.service.model",
                    f"{name}, {left} tries left, try again in {pause:.04f} sec...",
                )
                time.sleep(pause)
        raise AssertionError("not reached")

    def method(
        self, database: str, uid: int, model: str, name: str, args: list[Any], kwargs: dict[str, Any], spent: Spent
    ) -> Any:
        """A model's method for a user who is known."""

        def work(cursor: Cursor) -> Any:
            return Model(Environment(cursor, self._version, uid, self._data_dir), model).call(name, args, dict(kwargs))

        return self.transact(database, spent, work)

    def service(self, service: str, method: str, args: list[Any], spent: Spent) -> Any:
        """One call of ``/jsonrpc``."""
        version = self._version
        if (service, method) == ("common", "version"):
            return {
                "server_version": version.series, "server_version_info": version.info(),
                "server_serie": version.series, "protocol_version": 1,
            }  # fmt: skip
        if service == "common" and method in ("authenticate", "login"):
            database, login, password = args[:3]
            try:
                return self.transact(database, spent, lambda cursor: users.log_in(cursor, login, password))
            except AccessDenied:
                log.line(
                    "INFO",
                    database,
                    "odoo.addons.base.models.res_users",
                    f"Login failed for db:{database} login:{login}",
                )
                return False
        if service == "db" and method == "list":
            return self._databases.names()
        if service == "object" and method in ("execute", "execute_kw"):
            database, uid, password, model, name, *rest = args
            self.transact(database, spent, lambda cursor: users.check(cursor, uid, password))
            positional, kwargs = (rest, {}) if method == "execute" else (list(rest[0]) if rest else [], _keyword(rest))
            return self.method(database, uid, model, name, positional, kwargs, spent)
        raise AttributeError(f"Method not found: {service}.{method}")


def _keyword(rest: list[Any]) -> dict[str, Any]:
    return dict(rest[1]) if len(rest) > 1 and rest[1] else {}


def answer(ident: Any, call: Callable[[], Any], spent: Spent) -> tuple[dict[str, Any], bool]:
    """The JSON-RPC answer, and whether it went well. A method without a result has none in its answer."""
    whole: dict[str, Any] = {"jsonrpc": "2.0", "id": ident}
    try:
        result = call()
    except (OdooError, psycopg2.Error, ValueError, TypeError, AttributeError, KeyError, OSError) as error:
        level = "WARNING" if isinstance(error, OdooError) else "ERROR"
        said = str(error).strip() if level == "WARNING" else f"Exception during request handling.\n{error}".strip()
        log.line(level, spent.database, "odoo.http", said)
        return whole | {"error": error_object(error)}, False
    return whole if result is None else whole | {"result": result}, True
