"""Counts the web sessions of tenants: names and ages of keys in a cache, or files in a folder.

Values of keys are never read: with a prefix of its own a tenant's keys tell whose they are, and a key that has longer to
live than an anonymous visitor gets is somebody's who logged in. Without a prefix all tenants' sessions look the same.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from console.clients.redis_text import integer
from console.readings import Reading
from console.readings.odoo import OdooSessions
from console.settings import Cadence
from console.sources.base import Check, SourceError
from console.sources.redis_choice import Choice
from console.sources.redis_common import REFUSED, Asker, Footprint, told
from console.threads import Alone

ANONYMOUS_S = 10_800
"""What session_redis gives visitors who have not logged in; others get a week, anew with each change."""
LIFETIME_S = 604_800
_KEY = re.compile(rb"session:(?::([^:]{1,100}):)?[A-Za-z0-9_-]{20,128}")
_KEYS_PER_LOOK = 50_000
_CACHE_S = 2.0
_FILES_PER_LOOK = 20_000
_DISK_S = 2.0
_MAX_FILE = 64 * 1024
_BATCH = 500


class Count(msgspec.Struct):
    """Sessions of one tenant, or of one store."""

    logged_in: int | None = 0
    anonymous: int | None = 0
    used_last_hour: int | None = None


class CacheSessions:
    """One cache: gone through once, whoever of its tenants asks."""

    def __init__(self, cache: str, choice: Choice, footprint: Footprint, *, fresh_s: float) -> None:
        """``fresh_s``: what was counted so long ago is told again."""
        self.cache = cache
        self._choice = choice
        self._footprint = footprint
        self._fresh_s = fresh_s
        self._turn = asyncio.Lock()
        self._counts: dict[str, Count] = {}
        self._at = -fresh_s
        self.counted_at = datetime.now(UTC)
        self.complete = True
        self.server = ""
        self.problem = ""

    async def count(self, prefix: str) -> Count:
        """Sessions under ``session::PREFIX:``, or under ``session:`` alone. Raises SourceError."""
        async with self._turn:
            if time.monotonic() - self._at >= self._fresh_s:
                await self._go_through()
        return self._counts.get(prefix, Count())

    async def _go_through(self) -> None:
        self.server, _info = await self._choice.make()
        asker = self._choice.askers[self.server]
        counts: dict[str, Count] = {}
        with told():
            await asker.ask([("SELECT", 0)])
            self.complete = await self._scan(asker, counts)
        self.problem = asker.refused("SCAN", "TTL")
        if self.problem and not counts:
            raise SourceError(f"{self.server}: {self.problem}", denied="not permitted" in self.problem)
        self._counts, self._at, self.counted_at = counts, time.monotonic(), datetime.now(UTC).replace(microsecond=0)

    async def _scan(self, asker: Asker, counts: dict[str, Count]) -> bool:
        """Whether it came to the end."""
        began, seen = time.monotonic(), 0
        cursor: bytes = b"0"
        while True:
            answer = (await asker.ask([("SCAN", cursor, "MATCH", "session:*", "COUNT", _BATCH)]))[0]
            if not (isinstance(answer, list) and len(answer) == 2 and isinstance(answer[0], bytes)):
                return False
            cursor = answer[0]
            keys = [key for key in answer[1] if isinstance(key, bytes)] if isinstance(answer[1], list) else []
            seen += _BATCH
            await self._weigh(asker, keys, counts)
            if cursor == b"0":
                return True
            if seen >= _KEYS_PER_LOOK or time.monotonic() - began > _CACHE_S:
                return False
            await asyncio.sleep(0)

    async def _weigh(self, asker: Asker, keys: list[bytes], counts: dict[str, Count]) -> None:
        ours = [(key, found) for key in keys if (found := _KEY.fullmatch(key))]
        lives = await asker.ask([("TTL", key) for key, _ in ours])
        self._footprint.add_hits(self.server, len(ours))
        for (_key, found), answer in zip(ours, lives, strict=True):
            prefix = (found[1] or b"").decode("utf-8", "backslashreplace")
            count = counts.setdefault(prefix, Count())
            life = integer(answer)
            if answer is REFUSED:
                count.logged_in = count.anonymous = None
            elif life is not None and life > ANONYMOUS_S and count.logged_in is not None:
                count.logged_in += 1
            elif life is not None and life >= 0 and count.anonymous is not None:
                count.anonymous += 1

    def abandon(self) -> None:
        """Drop every connection now."""
        self._choice.abandon()


class CachedSessionsSource:
    """A tenant whose sessions are in a cache."""

    reading: type[Reading] = OdooSessions
    privilege = "on the cache a user that may SCAN and TTL; no key is read"

    def __init__(self, tenant: str, prefix: str, store: CacheSessions, cadence: Cadence) -> None:
        self.key = tenant
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._prefix = prefix
        self._store = store

    async def read(self) -> OdooSessions:
        """One look. Raises SourceError."""
        asked_at = datetime.now(UTC)
        store = self._store
        count = await store.count(self._prefix)
        return OdooSessions(
            key=self.key,
            taken_at=asked_at,
            status="partial" if store.problem else "ok",
            problem=store.problem,
            tenant=self.key,
            store=f"{store.cache}/{store.server}",
            logged_in=count.logged_in,
            anonymous=count.anonymous,
            shared=not self._prefix,
            complete=store.complete,
            counted_at=store.counted_at,
        )

    def abandon(self) -> None:
        """Drop the connections."""
        self._store.abandon()

    async def close(self) -> None:
        """Drop the connections."""
        self._store.abandon()

    async def examine(self) -> list[Check]:
        """For the doctor."""
        try:
            reading = await self.read()
        except SourceError as error:
            return [Check("sessions", "fail", error.problem, "see the checks of this cache's servers")]
        if reading.problem:
            return [Check("sessions", "fail", reading.problem, "see the checks of this cache's servers")]
        why = ", of all tenants that keep theirs there without a prefix" if reading.shared else ""
        return [Check("sessions", "pass", f"{reading.logged_in} in {reading.store}{why}")]


class DiskSessionsSource:
    """A tenant whose sessions are files: ``ab/abcdef…`` from 16 on, flat before."""

    reading: type[Reading] = OdooSessions
    privilege = "the engine's user may read the folder of sessions"

    def __init__(self, tenant: str, path: str, database: str, cadence: Cadence) -> None:
        """``database``: the one whose sessions count; a pattern means any."""
        self.key = tenant
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._path = Path(path).expanduser()
        self._database = database
        self._known: dict[str, tuple[tuple[float, int], tuple[str, bool] | None]] = {}
        self._alone = Alone()

    async def read(self) -> OdooSessions:
        """One look. Raises SourceError."""
        asked_at = datetime.now(UTC)
        try:
            count, complete = await self._alone.run(self._go_through, f"sessions {self.key}")
        except OSError as error:
            denied = isinstance(error, PermissionError)
            raise SourceError(f"{self._path}: {error.strerror or error}", denied=denied) from None
        return OdooSessions(
            key=self.key,
            taken_at=asked_at,
            tenant=self.key,
            store=str(self._path),
            logged_in=count.logged_in,
            anonymous=count.anonymous,
            used_last_hour=count.used_last_hour,
            complete=complete,
            counted_at=asked_at.replace(microsecond=0),
        )

    def _go_through(self) -> tuple[Count, bool]:
        began, now = time.monotonic(), time.time()
        logged_in = anonymous = used = 0
        known: dict[str, tuple[tuple[float, int], tuple[str, bool] | None]] = {}
        complete = True
        for number, entry in enumerate(_files(self._path)):
            if number >= _FILES_PER_LOOK or time.monotonic() - began > _DISK_S:
                complete = False
                break
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # it has just ended
            if not stat.S_ISREG(found.st_mode) or now - found.st_mtime > LIFETIME_S:
                continue
            mark = (found.st_mtime, found.st_size)
            before = self._known.get(entry.name)
            whose = before[1] if before is not None and before[0] == mark else _whose(entry.path, found.st_size)
            known[entry.name] = (mark, whose)
            if whose is None or (whose[0] and not self._is_ours(whose[0])):
                continue
            used += now - found.st_mtime <= 3600
            logged_in += whose[1]
            anonymous += not whose[1]
        self._known = known
        return Count(logged_in, anonymous, used), complete

    def _is_ours(self, database: str) -> bool:
        return database == self._database or any(letter in self._database for letter in "*?[")

    def abandon(self) -> None:
        """Nothing is held open."""

    async def close(self) -> None:
        """Nothing is held open."""

    async def examine(self) -> list[Check]:
        """For the doctor."""
        mend = (
            "check `sessions: path` of this application in the environment file, and that the engine's user may read it"
        )
        try:
            reading = await self.read()
        except SourceError as error:
            return [Check("sessions", "fail", error.problem, mend)]
        return [Check("sessions", "pass", f"{reading.logged_in} in {reading.store}")]


def _files(path: Path) -> Iterator[os.DirEntry[str]]:
    """Session files: in folders named by two characters, or at the top. Raises OSError for the top only."""
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if len(entry.name) == 2 and entry.is_dir(follow_symlinks=False):
                try:
                    with os.scandir(entry.path) as inner:
                        yield from (each for each in inner if not each.name.startswith("."))
                except OSError:
                    continue  # it was cleared away
            elif len(entry.name) >= 20:
                yield entry


class _Session(msgspec.Struct):
    db: str | None = None
    uid: int | None = None


_decoder = msgspec.json.Decoder(_Session)


def _whose(path: str, size: int) -> tuple[str, bool] | None:
    """Database and whether somebody is logged in; None where the file does not tell (up to 15 it is no JSON)."""
    if size > _MAX_FILE:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        session = _decoder.decode(os.read(descriptor, _MAX_FILE))
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError):
        return None
    finally:
        os.close(descriptor)
    return (session.db or "", bool(session.uid))
