"""Looks at the keys of one cache, a little at each look: which are the biggest, and how deep the queues are.

It looks on a replica where there is one, with SCAN and MEMORY USAGE, which neither count as look-ups nor touch what the
server knows of a key's use. Kind, items and expiry of the biggest keys are look-ups: they are made on a replica only (with
``CLIENT NO-TOUCH`` where the server has it). On a lone primary a queue's depth is the only look-up, and one that no miss
comes of. As with anybody's SCAN there, keys whose time is over are removed by the server a little sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from console.clients.redis import LinkError, RedisLink
from console.clients.redis_text import Info
from console.readings import Reading, RedisKeys
from console.sources.base import Check, SourceError
from console.sources.redis_common import Asker, Footprint, told
from console.sources.redis_pass import LENGTH_OF, Pass
from console.sources.redis_privilege import KEYS_PRIVILEGE, examine_keys
from console.sources.redis_queues import Queues

_ANSWER_S = 1.0
"""A server that does not say within this what it is is not the one to look on."""
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
        self._links = dict(links)
        self._askers = {server: Asker(link) for server, link in links.items()}
        self._footprint = footprint
        for server, link in links.items():
            footprint.watch(server, link)
        self._sample = sample
        self._server = ""
        self._queues = Queues(queues)
        self._pass = Pass(("", ""))

    async def read(self) -> RedisKeys:
        """One look."""
        asked_at = datetime.now(UTC)
        server, info = await self._choose()
        asker = self._askers[server]
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

    async def _choose(self) -> tuple[str, Info]:
        """The server to look on: a replica that is connected, else a primary, else what there is; rather the same again."""
        answers = await asyncio.gather(*(self._introduce(server) for server in self._links))
        ranked = []
        for server, answer in zip(self._links, answers, strict=True):
            if isinstance(answer, Info):
                replica = answer.text("role") == "slave"
                connected = answer.text("master_link_status") == "up"
                rank = 0 if replica and connected else 2 if replica else 1
                ranked.append((rank, server != self._server, server, answer))
        if not ranked:
            problems = [answer for answer in answers if isinstance(answer, LinkError)]
            raise SourceError(
                "; ".join(error.problem for error in problems), denied=all(error.denied for error in problems)
            )
        _, _, self._server, info = min(ranked, key=lambda entry: entry[:3])
        return self._server, info

    async def _introduce(self, server: str) -> Info | LinkError:
        """A server's INFO; it is the only thing that is asked of all of them."""
        link = self._links[server]
        try:
            async with asyncio.timeout(_ANSWER_S):
                if await link.open():
                    self._askers[server].forget()
                info = Info((await self._askers[server].ask([("INFO",)]))[0])
        except LinkError as error:
            return error
        except TimeoutError:
            link.abandon()
            return LinkError(f"{link.where} did not answer within {_ANSWER_S:g} s")
        if "run_id" not in info:
            why = self._askers[server].refused("INFO")
            return LinkError(f"{link.where}: {why or 'INFO: not what a Redis server answers'}", denied=bool(why))
        return LinkError(f"{link.where} is loading its data") if info.flag("loading") else info

    def abandon(self) -> None:
        """Drop every connection now."""
        for link in self._links.values():
            link.abandon()

    async def close(self) -> None:
        """Orderly end."""
        self.abandon()

    async def examine(self) -> list[Check]:
        """For the doctor."""
        try:
            server, info = await self._choose()
        except SourceError as error:
            return [Check("a server to look on", "fail", error.problem)]
        what = "a replica" if info.text("role") == "slave" else "a primary: there is no replica that answers"
        return [Check("a server to look on", "pass", f"{server}, {what}"), *await examine_keys(self._links[server])]
