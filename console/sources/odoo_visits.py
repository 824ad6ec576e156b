"""Visits to the tenants' databases of one cluster: a connection for each look, few at a time, and never one that is kept.

PostgreSQL binds a connection to a database, so forty tenants would be forty backends that idle between looks. A visit
costs the server a fork and us some milliseconds; the busiest databases are visited at every turn, the others more seldom
where there are more than the budget has room for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Protocol

import msgspec
from psycopg import sql

from console.clients.clean import clean
from console.clients.postgres import Line, Look, PostgresError, Target
from console.sources.base import SourceError

AT_ONCE = 2
"""Visits to one cluster at a time: a tenant whose tables are locked keeps others waiting no longer than that."""
CONNECT_S = 1.5
"""A member that has not answered after this is passed over."""
STATEMENT_S = 2.0
ROOM = 10
"""Databases that are all visited at every turn."""
BUSIEST = 5
"""Of more than that, so many are; the others share the rest."""
LONGEST_S = 120.0

_STANDBY = sql.SQL("SELECT pg_is_in_recovery() AS standby")


class Guest(Protocol):
    """A source that visits one database."""

    key: str
    transactions_per_s: float | None


class Visit(NamedTuple):
    """One connection to one database, for one look."""

    look: Look
    member: str
    standby: bool


class Visits:
    """Of one cluster: finds the primary, and keeps to the budget."""

    def __init__(self, cluster: str, members: Mapping[str, Target], *, every_s: float) -> None:
        self.cluster = cluster
        self._members = dict(members)
        self._every_s = every_s
        self._order = list(members)
        """The believed primary first."""
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._guests: list[Guest] = []
        self._lines: dict[object, Line] = {}
        """Who visits → on which line, as long as the visit lasts."""

    def join(self, guest: Guest) -> None:
        """One more database is to be visited."""
        self._guests.append(guest)

    def every_s(self, guest: Guest) -> float:
        """How often this one may come, in seconds."""
        others = len(self._guests) - BUSIEST
        if len(self._guests) <= ROOM:
            return self._every_s
        busier = sum((each.transactions_per_s or 0.0) > (guest.transactions_per_s or 0.0) for each in self._guests)
        if busier < BUSIEST:
            return self._every_s
        return min(self._every_s * others / (ROOM - BUSIEST), LONGEST_S)

    @property
    def role(self) -> str:
        """As whom we come; empty: as libpq finds it."""
        return next((target.user for target in self._members.values()), "")

    @contextlib.asynccontextmanager
    async def visit(self, owner: object, database: str, *, statement_s: float = STATEMENT_S) -> AsyncIterator[Visit]:
        """A connection to ``database`` on the primary, else on a standby. Raises SourceError, psycopg.Error.

        Args:
            owner: Who may ``abandon`` it.
            database: Its name.
            statement_s: After so many seconds the server ends a statement.
        """
        async with self._turns, contextlib.AsyncExitStack() as stack:
            try:
                yield await self._find(stack, owner, database, statement_s)
            finally:
                self._lines.pop(owner, None)

    def abandon(self, owner: object) -> None:
        """Drop the connection of this owner's visit, and ask another member first next time: this one hangs."""
        line = self._lines.get(owner)
        if line is not None:
            line.drop()
            self._order = [*self._order[1:], *self._order[:1]]

    async def _find(self, stack: contextlib.AsyncExitStack, owner: object, database: str, statement_s: float) -> Visit:
        problems: list[str] = []  # not the errors: with their frames they would keep a half-open connection alive
        standby = ""
        for member in list(self._order):
            try:
                visit = await self._connect(stack, owner, member, database, statement_s)
            except PostgresError as error:
                if error.denied:  # the members share roles, passwords and databases
                    raise SourceError(error.problem, denied=True) from None
                problems.append(error.problem)
                continue
            if not visit.standby:
                self._prefer(member)
                return visit
            standby = standby or member
            await stack.aclose()
        if standby:
            return await self._connect_or_raise(stack, owner, standby, database, statement_s)
        raise SourceError("; ".join(dict.fromkeys(problems)))

    async def _connect_or_raise(
        self, stack: contextlib.AsyncExitStack, owner: object, member: str, database: str, statement_s: float
    ) -> Visit:
        try:
            return await self._connect(stack, owner, member, database, statement_s)
        except PostgresError as error:
            raise SourceError(error.problem, denied=error.denied) from None

    async def _connect(
        self, stack: contextlib.AsyncExitStack, owner: object, member: str, database: str, statement_s: float
    ) -> Visit:
        target = msgspec.structs.replace(self._members[member], database=database)
        line = self._lines[owner] = Line(target, statement_timeout_s=statement_s)
        stack.callback(line.drop)
        try:
            async with asyncio.timeout(CONNECT_S):
                look = await stack.enter_async_context(line.look(owner))
                answer = await look.ask(_STANDBY)
        except TimeoutError:
            raise PostgresError(f"{target.address}: no answer within {CONNECT_S:g} s") from None
        return Visit(look, member, bool(answer.rows[0][0]["standby"]))

    def _prefer(self, member: str) -> None:
        if self._order[0] != member:
            self._order = [member, *(each for each in self._order if each != member)]


def plain(database: str) -> bool:
    """Whether this is a database's name, and not a pattern."""
    return not any(letter in database for letter in "*?[")


_NAMES = sql.SQL("""
SELECT d.datname AS name FROM pg_database d LEFT JOIN pg_stat_database s ON s.datid = d.oid
WHERE d.datallowconn AND NOT d.datistemplate AND has_database_privilege(d.oid, 'CONNECT')
ORDER BY s.numbackends DESC NULLS LAST, d.datname LIMIT 1000
""")


async def names(visits: Visits, owner: object, database: str) -> list[str]:
    """Names of the cluster's databases, busiest first. Raises SourceError, psycopg.Error."""
    async with visits.visit(owner, database) as visit:
        rows = (await visit.look.ask(_NAMES)).rows[0]
    return [clean(row["name"], 63) for row in rows]
