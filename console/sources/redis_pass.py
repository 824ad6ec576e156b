"""One walk through all keys of a server, a little at each look."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from console.clients.clean import clean, clean_key
from console.clients.redis import Answer
from console.clients.redis_text import Info, integer, text
from console.readings import BigKey
from console.sources.redis_common import REFUSED, Asker

TOP = 10
KEYS_PER_LOOK = 4_000
SECONDS_PER_LOOK = 0.2
_BATCH = 200
_DETAILS_AGAIN_S = 60.0

Place = tuple[int, bytes]
"""Database and raw key."""

LENGTH_OF = {"list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN", "stream": "XLEN"}
_KINDS = ("string", *LENGTH_OF)


class _Detail(msgspec.Struct, frozen=True):
    kind: str = ""
    items: int | None = None
    ttl_s: int | None = None
    at: float = 0.0
    """Monotonic; 0: kind only."""


class Pass:
    """The walk, and the biggest keys it has met. ``of`` says whose keys they are."""

    def __init__(self, of: tuple[str, str]) -> None:
        self.of = of
        self.sampled = 0
        """Keys met by the walk under way, or by the last one where it has just ended."""
        self.done_at: datetime | None = None
        self._to_walk: list[int] = []
        self._db: int | None = None
        self._cursor: bytes | None = None
        """None: no walk is under way."""
        self._met: dict[Place, int] = {}
        """Biggest of the walk under way, in bytes."""
        self._last: dict[Place, int] = {}
        """Biggest of the last full walk, measured again at each look."""
        self._details: dict[Place, _Detail] = {}
        self._hits = 0

    def take_hits(self) -> int:
        """Look-ups made since this was last asked."""
        hits, self._hits = self._hits, 0
        return hits

    def biggest(self) -> dict[str, BigKey]:
        """The ten biggest known."""
        rows = {}
        for (db, key), size in _top({**self._last, **self._met}).items():
            detail = self._details.get((db, key), _Detail())
            rows[f"{db}:{clean_key(key)}"] = BigKey(clean(key), detail.kind, size, detail.items, detail.ttl_s, db)
        return rows

    async def go_on(self, asker: Asker, info: Info) -> None:
        """Walk on within one look's budget; at most to the end of the walk."""
        self._db = None  # the connection may be a new one
        replica = info.text("role") == "slave"
        await self._measure_again(asker)
        began = time.monotonic()
        if self._cursor is None:
            self._to_walk = sorted(info.databases())
            self._cursor, self._met, self.sampled = b"0", {}, 0
        met_at_start = self.sampled
        while self._to_walk:
            # SCAN's kinds cost no look-up since 7.2; a replica may simply be asked.
            await self._batch(asker, by_scan=not replica and info.version >= (7, 2))
            if self.sampled - met_at_start >= KEYS_PER_LOOK or time.monotonic() - began > SECONDS_PER_LOOK:
                break
            await asyncio.sleep(0)
        if not self._to_walk:
            self._last, self._cursor, self.done_at = dict(self._met), None, datetime.now(UTC)
        shown = list(_top({**self._last, **self._met}))
        self._details = {place: self._details[place] for place in shown if place in self._details}
        if replica:
            await self._describe(asker, shown)

    async def _batch(self, asker: Asker, *, by_scan: bool) -> None:
        db, cursor = self._to_walk[0], self._cursor or b"0"
        if not await self._select(asker, db):
            self._to_walk.pop(0)
            return
        following, keys = _scanned((await asker.ask([("SCAN", cursor, "COUNT", _BATCH)]))[0])
        sizes = await asker.ask([("MEMORY", "USAGE", key, "SAMPLES", 5) for key in keys])
        self.sampled += len(keys)
        found = {(db, key): size for key, answer in zip(keys, sizes, strict=True) if (size := integer(answer))}
        before = self._met
        self._met = _top({**before, **found})
        if by_scan and any(place not in before and place not in self._details for place in self._met):
            await self._kinds_by_scan(asker, db, cursor)
        self._cursor = following
        if following == b"0":
            self._to_walk.pop(0)

    async def _kinds_by_scan(self, asker: Asker, db: int, cursor: bytes) -> None:
        """Kinds of the keys that the same cursor yields again, kind by kind."""
        answers = await asker.ask([("SCAN", cursor, "COUNT", _BATCH, "TYPE", kind) for kind in _KINDS])
        for kind, answer in zip(_KINDS, answers, strict=True):
            for key in _scanned(answer)[1]:
                if (db, key) in self._met:
                    self._details[db, key] = _Detail(kind)

    async def _measure_again(self, asker: Asker) -> None:
        """Sizes of what is shown, so that a key that has gone is gone from here, too."""
        for db, keys in _by_db([*self._last, *self._met]).items():
            if not await self._select(asker, db):
                continue
            sizes = await asker.ask([("MEMORY", "USAGE", key, "SAMPLES", 5) for key in keys])
            for key, answer in zip(keys, sizes, strict=True):
                for known in (self._last, self._met):
                    if (db, key) in known and answer is not REFUSED:
                        if size := integer(answer):
                            known[db, key] = size
                        else:
                            del known[db, key]

    async def _describe(self, asker: Asker, shown: list[Place]) -> None:
        """Kind, items and expiry of what is shown: look-ups, for a replica only."""
        now = time.monotonic()
        due = [
            place
            for place in shown
            if (detail := self._details.get(place)) is None or now - detail.at > _DETAILS_AGAIN_S
        ]
        for db, keys in _by_db(due).items():
            if not await self._select(asker, db):
                continue
            kinds = [text(kind) for kind in await asker.ask([("TYPE", key) for key in keys])]
            expiries = await asker.ask([("TTL", key) for key in keys])
            asked = [(key, LENGTH_OF[kind]) for key, kind in zip(keys, kinds, strict=True) if kind in LENGTH_OF]
            lengths = dict(
                zip((key for key, _ in asked), await asker.ask([(word, key) for key, word in asked]), strict=True)
            )
            self._hits += 2 * len(keys) + len(asked)
            for key, kind, expiry in zip(keys, kinds, expiries, strict=True):
                ttl_s = integer(expiry)
                items = integer(lengths.get(key))
                self._details[db, key] = _Detail(
                    "" if kind == "none" else kind, items, None if ttl_s is None or ttl_s < 0 else ttl_s, now
                )

    async def _select(self, asker: Asker, db: int) -> bool:
        """Make ``db`` the connection's database; whether it is."""
        if self._db != db:
            answer: Answer = (await asker.ask([("SELECT", db)]))[0]
            self._db = db if answer == b"OK" else None
        return self._db == db


def _top(sizes: dict[Place, int]) -> dict[Place, int]:
    return dict(heapq.nlargest(TOP, sizes.items(), key=lambda item: (item[1], item[0])))


def _by_db(places: Iterable[Place]) -> dict[int, list[bytes]]:
    found: dict[int, dict[bytes, None]] = {}
    for db, key in places:
        found.setdefault(db, {})[key] = None
    return {db: list(keys) for db, keys in found.items()}


def _scanned(answer: Answer) -> tuple[bytes, list[bytes]]:
    """Next cursor and keys; the end where the answer is none."""
    if not (isinstance(answer, list) and len(answer) == 2 and isinstance(answer[0], bytes)):
        return b"0", []
    keys = answer[1] if isinstance(answer[1], list) else []
    return answer[0], [key for key in keys if isinstance(key, bytes)]
