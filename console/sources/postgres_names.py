"""Names of the relations that sessions wait for, also in databases that we are not connected to.

The lock table holds numbers. A name is asked for once; for another database that takes a connection of its own, made at
most every ten seconds for each database, and given up after half a second: the number will do until then.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable

import msgspec
import psycopg
from psycopg import sql

from console.clients.clean import clean
from console.clients.postgres import Line, Look, PostgresError, Row, Target
from console.sources.postgres_facts import Facts

_KEPT = 2000
_AGAIN_S = 60.0
"""A name that could not be had is not asked for meanwhile."""
_VISIT_S = 10.0
"""Between two connections to one other database."""
_PATIENCE_S = 0.5
_AT_ONCE = 200

_ASK = sql.SQL("""
SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid IN ({})
""")


class RelationNames:
    """(database, relation) → name, learnt when needed."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._names: OrderedDict[tuple[int, int], str] = OrderedDict()
        self._asked: dict[tuple[int, int], float] = {}
        self._visited: dict[int, float] = {}
        self._visit: Line | None = None

    def name(self, database: int | None, relation: int) -> str:
        """The relation's name, with its schema unless that is public; else its number."""
        return self._names.get((database or 0, relation), str(relation))

    async def learn(self, look: Look, known: Facts, waits: Iterable[Row]) -> None:
        """Ask for the names that ``waits`` need and that are not known: here first, then in one other database."""
        here: set[tuple[int, int]] = set()
        elsewhere: dict[tuple[int, str], set[int]] = {}
        now = time.monotonic()
        for row in waits:
            key = (row["relation_database_oid"] or 0, row["relation"] or 0)
            if not key[1] or key in self._names or now - self._asked.get(key, -_AGAIN_S) < _AGAIN_S:
                continue
            name = row["relation_database"]
            if not key[0] or name == known.database:
                here.add(key)
            else:
                elsewhere.setdefault((key[0], name), set()).add(key[1])
        if here:
            await self._learn_from(look, sorted(here)[:_AT_ONCE])
        for (oid, name), relations in elsewhere.items():
            if now - self._visited.get(oid, -_VISIT_S) >= _VISIT_S:
                self._visited[oid] = now
                await self._go(name, [(oid, relation) for relation in sorted(relations)[:_AT_ONCE]])
                return

    def abandon(self) -> None:
        """Drop a connection to another database."""
        if self._visit is not None:
            self._visit.drop()

    async def _go(self, database: str, keys: list[tuple[int, int]]) -> None:
        if not database.isascii():
            return  # the server compares bytes, and we do not know which ones
        line = Line(msgspec.structs.replace(self._target, database=database), statement_timeout_s=_PATIENCE_S)
        self._visit = line
        try:
            async with asyncio.timeout(_PATIENCE_S), line.look(self) as look:
                await self._learn_from(look, keys)
        except (TimeoutError, PostgresError, psycopg.Error):
            pass  # the number is shown instead
        finally:
            self._visit = None
            line.drop()

    async def _learn_from(self, look: Look, keys: list[tuple[int, int]]) -> None:
        now = time.monotonic()
        self._asked = {key: at for key, at in self._asked.items() if now - at < _AGAIN_S}
        self._asked.update(dict.fromkeys(keys, now))
        wanted = sql.SQL(", ").join(sql.Literal(relation) for _, relation in keys)
        try:
            answer = await look.ask(_ASK.format(wanted))
        except psycopg.errors.LockNotAvailable:
            return
        databases = {relation: database for database, relation in keys}
        for row in answer.rows[0]:
            schema = "" if row["nspname"] in ("public", "pg_catalog") else f"{clean(row['nspname'], 64)}."
            self._names[databases[row["oid"]], row["oid"]] = f"{schema}{clean(row['relname'], 64)}"
        while len(self._names) > _KEPT:
            self._names.popitem(last=False)
