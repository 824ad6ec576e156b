"""What all looks at a PostgreSQL server have in common."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from console.clients.clean import clean
from console.clients.postgres import Answer, Line, Look, PostgresError, Row
from console.readings import Reading, Status
from console.settings import Cadence
from console.sources.base import Check, SourceError
from console.sources.postgres_facts import Facts, facts, grant_monitor

_TRY_AGAIN_S = 60.0
"""A part that the server refused is not asked for meanwhile: each refusal is a line in the server's log."""


class Member(msgspec.Struct, frozen=True):
    """A server's place in the environment."""

    cluster: str
    name: str

    @property
    def key(self) -> str:
        """Key of its readings."""
        return f"{self.cluster}/{self.name}"


class Found(msgspec.Struct, frozen=True):
    """The parts that could be read, and one sentence for each that could not."""

    rows: dict[str, list[Row]]
    problems: list[str]
    asked_at: datetime
    round_trip_s: float

    def one(self, part: str) -> Row:
        """The only row of a part; empty where the part could not be read."""
        rows = self.rows.get(part)
        return rows[0] if rows else {}


class PostgresSource:
    """A source on a ``Line``. A subclass names its reading and implements ``take``."""

    reading: type[Reading]
    privilege = "a login role with pg_monitor"

    def __init__(self, line: Line, member: Member, cadence: Cadence) -> None:
        self.line = line
        self.member = member
        self.key = member.key
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._refused: dict[str, tuple[float, str]] = {}

    async def read(self) -> Reading:
        """One look. Raises SourceError, psycopg.Error."""
        try:
            async with self.line.look(self) as look:
                return await self.take(look, await facts(look))
        except PostgresError as error:
            raise SourceError(error.problem, denied=error.denied) from None
        except psycopg.Error as error:
            raise SourceError(f"{self.line.target.address}: {sentence(error)}", denied=_is_denied(error)) from None

    async def take(self, look: Look, known: Facts) -> Reading:
        """Read the topic on a connection that stands."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Drop the connection if this look holds it."""
        self.line.abandon(self)

    async def close(self) -> None:
        """End the connection."""
        await self.line.close()

    async def examine(self) -> list[Check]:
        """Only the first source of a member examines it."""
        return []

    async def find(self, look: Look, parts: Mapping[str, sql.Composable]) -> Found:
        """Ask for all parts in one round trip; where the server refuses one, for each by itself.

        Raises psycopg.Error where not a part but the connection or the whole look is at fault.
        """
        now = time.monotonic()
        self._refused = {part: found for part, found in self._refused.items() if now < found[0]}
        wanted = {part: query for part, query in parts.items() if part not in self._refused}
        rows: dict[str, list[Row]] = {}
        asked_at, round_trip_s = datetime.now(UTC), 0.0
        try:
            if wanted:
                answer = await look.ask(*wanted.values())
                rows = dict(zip(wanted, answer.rows, strict=True))
                asked_at, round_trip_s = answer.asked_at, answer.round_trip_s
        except psycopg.Error as error:
            if not _concerns_one_part(error):
                raise
            for part, query in wanted.items():
                single = await self._single(look, part, query)
                if single is not None:
                    rows[part] = single.rows[0]
                    asked_at, round_trip_s = single.asked_at, single.round_trip_s
        problems = [problem for _, problem in self._refused.values()]
        return Found(rows, problems, asked_at, round_trip_s)

    async def _single(self, look: Look, part: str, query: sql.Composable) -> Answer | None:
        try:
            return await look.ask(query)
        except psycopg.Error as error:
            if not _concerns_one_part(error):
                raise
            self._refused[part] = (time.monotonic() + _TRY_AGAIN_S, f"{part}: {sentence(error)}")
            return None

    def blind_spots(self, known: Facts) -> list[str]:
        """What our role may not see."""
        if known.sees_sessions:
            return []
        return [f"role {clean(known.role, 64)} may not see what others do: {grant_monitor(known)}"]


def judged(problems: Sequence[str]) -> dict[str, Any]:
    """Status and problem of a reading that was made in spite of ``problems``."""
    status: Status = "partial" if problems else "ok"
    return {"status": status, "problem": "; ".join(problems)[:500]}


def utc(moment: datetime | None) -> datetime | None:
    """A server's moment as plain UTC."""
    return None if moment is None else moment.astimezone(UTC)


def sentence(error: psycopg.Error) -> str:
    """An error's primary message, cleaned."""
    text = error.diag.message_primary or (str(error).splitlines() or [type(error).__name__])[0]
    return clean(text, 300)


def _is_denied(error: psycopg.Error) -> bool:
    return (error.sqlstate or "").startswith(("28", "42501", "3D"))


def _concerns_one_part(error: psycopg.Error) -> bool:
    """Privileges, missing objects, wrong data; not the connection, a shutdown, a timeout."""
    return (error.sqlstate or "")[:2] in {"42", "22", "0A", "55", "58", "2F", "XX", "21", "P0"}
