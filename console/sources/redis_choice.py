"""Which server of a cache to look on: a replica where there is one, so that looking costs the primary nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from console.clients.redis import LinkError, RedisLink
from console.clients.redis_text import Info
from console.sources.base import SourceError
from console.sources.redis_common import Asker, Footprint

_ANSWER_S = 1.0
"""A server that does not say within this what it is is not the one to look on."""


class Choice:
    """The servers of one cache, each with a link of its own, of which one is looked on at a time."""

    def __init__(self, links: Mapping[str, RedisLink], footprint: Footprint) -> None:
        self.links = dict(links)
        self.askers = {server: Asker(link) for server, link in links.items()}
        for server, link in links.items():
            footprint.watch(server, link)
        self._server = ""

    async def make(self) -> tuple[str, Info]:
        """The server to look on: a replica that is connected, else a primary, else what there is; rather the same again.

        Raises SourceError where none answers.
        """
        answers = await asyncio.gather(*(self._introduce(server) for server in self.links))
        ranked = []
        for server, answer in zip(self.links, answers, strict=True):
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
        link = self.links[server]
        try:
            async with asyncio.timeout(_ANSWER_S):
                if await link.open():
                    self.askers[server].forget()
                info = Info((await self.askers[server].ask([("INFO",)]))[0])
        except LinkError as error:
            return error
        except TimeoutError:
            link.abandon()
            return LinkError(f"{link.where} did not answer within {_ANSWER_S:g} s")
        if "run_id" not in info:
            why = self.askers[server].refused("INFO")
            return LinkError(f"{link.where}: {why or 'INFO: not what a Redis server answers'}", denied=bool(why))
        return LinkError(f"{link.where} is loading its data") if info.flag("loading") else info

    def abandon(self) -> None:
        """Drop every connection now."""
        for link in self.links.values():
            link.abandon()
