"""Looks at the keys of one cache, a little at each look: which are the biggest, and how deep the queues are.

It looks on a replica where there is one, with SCAN and MEMORY USAGE, which neither count as look-ups nor touch what the
server knows of a key's use. Kind, items and expiry of the biggest keys are look-ups: they are made on a replica only (with
``CLIENT NO-TOUCH`` where the server has it). On a lone primary a queue's depth is the only look-up, and one that no miss
comes of. As with anybody's SCAN there, keys whose time is over are removed by the server a little sooner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from console.clients.redis import RedisLink
from console.readings import Reading, RedisKeys
from console.sources.base import Check, SourceError
from console.sources.redis_choice import Choice
from console.sources.redis_common import Footprint, told
from console.sources.redis_pass import LENGTH_OF, Pass
from console.sources.redis_privilege import KEYS_PRIVILEGE, examine_keys
from console.sources.redis_queues import Queues

_ASKED = ("SELECT", "SCAN", "MEMORY USAGE", "TYPE", "TTL", *LENGTH_OF.values())


class RedisKeysSource:
    """All servers of one cache, of which one is looked on at a time."""

    reading: type[Reading] = RedisKeys
    privilege = KEYS_PRIVILEGE

    def __init__(
        self,
        cache: str,
        links: Mapping[str, RedisLink],
        *,
        queues: Sequence[str],
        sample: bool,
        every_s: float,
        deadline_s: float,
        footprint: Footprint,
    ) -> None:
        self.key = cache
        self.every_s = every_s
        self.deadline_s = deadline_s
        self._cache = cache
        self._choice = Choice(links, footprint)
        self._footprint = footprint
        self._sample = sample
        self._queues = Queues(queues)
        self._pass = Pass(("", ""))

    async def read(self) -> RedisKeys:
        """One look."""
        asked_at = datetime.now(UTC)
        server, info = await self._choice.make()
        asker = self._choice.askers[server]
        if self._pass.of != (server, info.text("run_id")):
            # A cursor means nothing to another server, nor to the same one after a restart.
            self._pass = Pass((server, info.text("run_id")))
        with told():
            if self._sample:
                await self._pass.go_on(asker, info)
            queues = await self._queues.read(asker)
        self._footprint.add_hits(server, self._pass.take_hits() + self._queues.take_hits())
        problem = asker.refused(*_ASKED)
        return RedisKeys(
            key=self.key,
            taken_at=asked_at,
            status="partial" if problem else "ok",
            problem=f"{server}: {problem}" if problem else "",
            cache=self._cache,
            sampled=self._pass.sampled,
            total=sum(keys for keys, _ in info.databases().values()),
            big=self._pass.biggest(),
            queues=queues,
            pass_done_at=self._pass.done_at,
        )

    def abandon(self) -> None:
        """Drop every connection now."""
        self._choice.abandon()

    async def close(self) -> None:
        """Orderly end."""
        self.abandon()

    async def examine(self) -> list[Check]:
        """For the doctor."""
        try:
            server, info = await self._choice.make()
        except SourceError as error:
            return [Check("a server to look on", "fail", error.problem)]
        what = "a replica" if info.text("role") == "slave" else "a primary: there is no replica that answers"
        return [
            Check("a server to look on", "pass", f"{server}, {what}"),
            *await examine_keys(self._choice.links[server]),
        ]
