"""What clients may ask for, and how it is done."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from console import wire
from console.engine.client import SHORT_LIVED, Client
from console.engine.core import Core
from console.readings import Address, LogTail
from console.sources.base import Source

_log = logging.getLogger(__name__)


class Requests:
    """Answers requests: an error sentence, empty where it was done."""

    def __init__(
        self,
        core: Core,
        log_of: Callable[[str], Source],
        *,
        shared: bool,
        stop: Callable[[str], None],
    ) -> None:
        """``log_of`` makes the source of a server's log; it raises LookupError with a sentence where there is none."""
        self._core = core
        self._log_of = log_of
        self._shared = shared
        self._stop = stop
        self._followers: dict[str, set[Client]] = {}

    def __call__(self, client: Client, request: wire.Request) -> str:
        """Do what ``client`` asks."""
        if request.do == "subscribe":
            return self._subscribe(client, request.topics)
        if request.do == "refresh":
            return self._refresh(request.target)
        if request.do == "log":
            return self._follow(client, request.target)
        if request.do == "unlog":
            self._unfollow(client, request.target)
            client.take_away(Address(LogTail.topic, request.target))
            return ""
        return self._end(client)

    def left(self) -> None:
        """Somebody left: logs that nobody follows any more are let go."""
        server = self._core.server
        present = set(server.clients) if server else set()
        for target, followers in list(self._followers.items()):
            for client in followers - present:
                self._unfollow(client, target)

    def _subscribe(self, client: Client, topics: list[str]) -> str:
        wanted = {topic.partition(" ")[2] for topic in topics if topic.partition(" ")[0] in SHORT_LIVED}
        for target in client.logs - wanted:
            self._unfollow(client, target)
        client.subscribe(frozenset(topics[:500]))
        return ""

    def _refresh(self, target: str) -> str:
        scheduler = self._core.scheduler
        panes = self._core.board.environment.panes if self._core.board.environment else {}
        pairs = panes.get(target, (target,))
        if scheduler is None:
            return "the engine is not looking yet"
        asked = scheduler.refresh(lambda where: not target or f"{where.topic} {where.key}" in pairs)
        return "" if asked else f"nothing is read for {target!r:.80}"

    def _follow(self, client: Client, target: str) -> str:
        scheduler = self._core.scheduler
        if scheduler is None:
            return "the engine is not looking yet"
        if target not in self._followers:
            try:
                source = self._log_of(target)
            except LookupError as error:
                return str(error.args[0])
            self._followers[target] = set()
            scheduler.add(source)
        self._followers[target].add(client)
        client.logs.add(target)
        client.touch(Address(LogTail.topic, target))
        client.pump()
        return ""

    def _unfollow(self, client: Client, target: str) -> None:
        client.logs.discard(target)
        followers = self._followers.get(target, set())
        followers.discard(client)
        if not followers and self._followers.pop(target, None) is not None and self._core.scheduler is not None:
            where = Address(LogTail.topic, target)
            self._core.scheduler.drop(where)
            self._core.remove(where)

    def _end(self, client: Client) -> str:
        if self._shared and client.peer.uid not in (0, os.geteuid()):
            return "a shared engine is ended by the user it runs as"
        self._stop(f"asked by {client.peer.user} (process {client.peer.pid})")
        return ""
