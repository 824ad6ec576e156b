"""Sources that behave as a test wants, behind the same protocol as the real ones."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

from console.readings import Activity, PostgresMember, Reading, RedisServer, Session
from console.sources.base import Check, Source, SourceError

NEVER = 3600.0


class FakeSource:
    """Yields what ``answer`` makes of the number of the look; keeps count of what was done to it."""

    privilege = "none"

    def __init__(
        self,
        answer: Callable[[int], Reading],
        *,
        reading: type[Reading] = PostgresMember,
        key: str = "main/pg-1",
        every_s: float = 0.2,
        deadline_s: float = 0.3,
    ) -> None:
        self.reading = reading
        self.key = key
        self.every_s = every_s
        self.deadline_s = deadline_s
        self.answer = answer
        self.began: list[float] = []
        self.abandoned = 0
        self.closed = 0
        self.at_once = 0
        """Reads under way now."""
        self.most_at_once = 0

    async def read(self) -> Reading:
        self.began.append(time.monotonic())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.wait(len(self.began))
            return self.answer(len(self.began))
        finally:
            self.at_once -= 1

    async def wait(self, number: int) -> None:
        """How long look ``number`` takes."""

    def abandon(self) -> None:
        self.abandoned += 1

    async def close(self) -> None:
        self.closed += 1

    async def examine(self) -> list[Check]:
        return []


class Hung(FakeSource):
    """Never answers, until ``release`` is set."""

    def __init__(self, **arguments: object) -> None:
        super().__init__(member, **arguments)  # type: ignore[arg-type]
        self.release = asyncio.Event()

    async def wait(self, number: int) -> None:
        await self.release.wait()


class Stubborn(Hung):
    """Hung, and does not mind being cancelled."""

    async def wait(self, number: int) -> None:
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                continue


def member(number: int = 1, key: str = "main/pg-1") -> PostgresMember:
    """A healthy server after ``number`` looks."""
    cluster, _, name = key.partition("/")
    return PostgresMember(
        key=key,
        taken_at=datetime.now(UTC),
        cluster=cluster,
        member=name,
        in_recovery=name != "pg-1",
        current_bytes=16_000_000 + number * 8192,
        replayed_bytes=16_000_000 + number * 8000,
        commits_per_s=100 + number % 7 / 3,
        connections=20 + number % 5,
        max_connections=100,
        cache_hit_ratio=0.99,
        wal_per_s=8192.0,
    )


def activity(number: int, rows: int, key: str = "main/pg-1", query: str = "select 1") -> Activity:
    """Sessions of one server; every fifth changes with each look."""
    began = datetime(2026, 11, 22, tzinfo=UTC)
    sessions = {
        pid: Session(
            pid=pid, database="acme", user="odoo", state="active", query_start=began, query=f"{query} -- {pid}"
        )
        for pid in range(1000, 1000 + rows)
    }
    for pid in itertools.islice(sessions, 0, None, 5):
        sessions[pid] = Session(pid=pid, state="idle", query=f"{query} -- {number}")
    return Activity(
        key=key, taken_at=datetime.now(UTC), cluster="main", member="pg-1", sessions=sessions, sessions_total=rows
    )


def refuse(number: int) -> Reading:
    """A server that knows us and wants nothing of us."""
    raise SourceError("password authentication failed for user banksman", denied=True)


def crash(number: int) -> Reading:
    """A mistake in a source."""
    secret = "hunter2-in-a-local-variable"  # noqa: F841 - must not get into the log
    raise ZeroDivisionError("division by zero")


def healthy_platform(sessions: int = 20) -> list[Source]:
    """A cluster of three and a cache, in the cadence of the real ones."""
    found: list[Source] = []
    for name in ("pg-1", "pg-2", "pg-3"):
        key = f"main/{name}"
        found.append(FakeSource(lambda n, key=key: member(n, key), key=key, every_s=1.0, deadline_s=1.0))  # type: ignore[misc]
        found.append(
            FakeSource(
                lambda n, key=key: activity(n, sessions, key),  # type: ignore[misc]
                reading=Activity,
                key=key,
                every_s=1.0,
                deadline_s=1.0,
            )
        )
    found.append(
        FakeSource(
            lambda n: RedisServer(
                key="cache/cache-1", taken_at=datetime.now(UTC), role="primary", ops_per_s=500 + n % 9
            ),
            reading=RedisServer,
            key="cache/cache-1",
            every_s=1.0,
            deadline_s=1.0,
        )
    )
    return found
