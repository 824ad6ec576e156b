"""What clients may ask for, and how it is done."""

from __future__ import annotations

import os
from collections.abc import Callable

from console import wire
from console.engine.client import SHORT_LIVED, Client
from console.engine.core import Core
from console.readings import Address, Description, LogTail, Reading, address
from console.sources.base import Source

SourceOf = Callable[[str], Source]
"""Makes the source that answers for a target."""
MOST_ASKED = 8
"""Logs and descriptions that one console may have kept up at the same time."""
_ASKED: dict[str, type[Reading]] = {"log": LogTail, "describe": Description}
_LEFT: dict[str, type[Reading]] = {"unlog": LogTail, "undescribe": Description}


class Requests:
    """Answers requests: an error sentence, empty where it was done."""

    def __init__(
        self,
        core: Core,
        log_of: SourceOf,
        object_of: SourceOf,
        *,
        shared: bool,
        stop: Callable[[str], None],
    ) -> None:
        """``log_of`` makes the source of a log, ``object_of`` that of an object; LookupError says why there is none."""
        self._core = core
        self._makers: dict[str, SourceOf] = {LogTail.topic: log_of, Description.topic: object_of}
        self._shared = shared
        self._stop = stop
        self._followers: dict[Address, set[Client]] = {}

    def __call__(self, client: Client, request: wire.Request) -> str:
        """Do what ``client`` asks."""
        if request.do == "subscribe":
            return self._subscribe(client, request.topics)
        if request.do == "refresh":
            return self._refresh(request.target)
        if request.do in _ASKED:
            return self._follow(client, address(_ASKED[request.do], request.target))
        if request.do in _LEFT:
            where = address(_LEFT[request.do], request.target)
            self._unfollow(client, where)
            client.take_away(where)
            return ""
        return self._end(client)

    def left(self) -> None:
        """Somebody left: what nobody asks for any more is let go."""
        server = self._core.server
        present = set(server.clients) if server else set()
        for where, followers in list(self._followers.items()):
            for client in followers - present:
                self._unfollow(client, where)

    def _subscribe(self, client: Client, topics: list[str]) -> str:
        pairs = (topic.partition(" ") for topic in topics)
        wanted = {Address(topic, target) for topic, _, target in pairs if topic in SHORT_LIVED}
        for where in client.asked - wanted:
            self._unfollow(client, where)
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

    def _follow(self, client: Client, where: Address) -> str:
        scheduler = self._core.scheduler
        if scheduler is None:
            return "the engine is not looking yet"
        if len(client.asked - {where}) >= MOST_ASKED:
            return f"this console asks for {MOST_ASKED} logs and descriptions already"
        if where not in self._followers:
            try:
                source = self._makers[where.topic](where.key)
            except LookupError as error:
                return str(error.args[0])
            self._followers[where] = set()
            scheduler.add(source)
        self._followers[where].add(client)
        client.asked.add(where)
        client.touch(where)
        client.pump()
        return ""

    def _unfollow(self, client: Client, where: Address) -> None:
        client.asked.discard(where)
        followers = self._followers.get(where, set())
        followers.discard(client)
        if not followers and self._followers.pop(where, None) is not None and self._core.scheduler is not None:
            self._core.scheduler.drop(where)
            self._core.remove(where)

    def _end(self, client: Client) -> str:
        if self._shared and client.peer.uid not in (0, os.geteuid()):
            return "a shared engine is ended by the user it runs as"
        self._stop(f"asked by {client.peer.user} (process {client.peer.pid})")
        return ""
