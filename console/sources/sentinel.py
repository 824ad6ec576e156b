"""Looks at one Sentinel: what it thinks of one master, and of the other Sentinels and replicas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from console.clients.clean import clean
from console.clients.redis import NOT_PERMITTED, Answer, RedisLink
from console.clients.redis_text import integer, pairs, text
from console.readings import Reading, Sentinel, SentinelPeer
from console.sources.base import Check, SourceError
from console.sources.redis_common import Asker, told
from console.sources.redis_privilege import SENTINEL_PRIVILEGE, examine_sentinel

_MOST_PEERS = 100


class SentinelSource:
    """One Sentinel, one connection, four questions a look. None of them changes what a Sentinel thinks."""

    reading: type[Reading] = Sentinel
    privilege = SENTINEL_PRIVILEGE

    def __init__(
        self, cache: str, sentinel: str, master: str, link: RedisLink, *, every_s: float, deadline_s: float
    ) -> None:
        self.key = f"{cache}/{sentinel}"
        self.every_s = every_s
        self.deadline_s = deadline_s
        self._cache = cache
        self._sentinel = sentinel
        self._master = master
        self._link = link
        self._asker = Asker(link)

    async def read(self) -> Sentinel:
        """One look."""
        asked_at = datetime.now(UTC)
        with told():
            if await self._link.open():
                self._asker.forget()
            master, sentinels, replicas, quorum = await self._asker.ask(
                [("SENTINEL", word, self._master) for word in ("MASTER", "SENTINELS", "REPLICAS", "CKQUORUM")]
            )
        found = pairs(master)
        if "ip" not in found:
            why = self._asker.refused("SENTINEL MASTER") or "SENTINEL MASTER: not what a Sentinel answers"
            raise SourceError(f"{self._link.where}: {why} ({clean(self._master)})", denied=NOT_PERMITTED in why)
        quorum_ok, quorum_answer = self._quorum(quorum)
        problem = self._asker.refused("SENTINEL SENTINELS", "SENTINEL REPLICAS")
        if quorum_ok is None:
            problem = "; ".join(filter(None, (problem, f"SENTINEL CKQUORUM: {quorum_answer}")))
        return Sentinel(
            key=self.key,
            taken_at=asked_at,
            status="partial" if problem else "ok",
            problem=problem,
            cache=self._cache,
            sentinel=self._sentinel,
            master_name=text(found.get("name")),
            primary_address=_address(found),
            primary_flags=text(found.get("flags")),
            quorum=integer(found.get("quorum")) or 0,
            known_sentinels=integer(found.get("num-other-sentinels")) or 0,
            quorum_ok=quorum_ok,
            quorum_answer=quorum_answer,
            down_after_ms=integer(found.get("down-after-milliseconds")),
            failover_timeout_ms=integer(found.get("failover-timeout")),
            failover_state=text(found.get("failover-state")),
            config_epoch=integer(found.get("config-epoch")),
            peers=_peers(sentinels),
            replicas=_peers(replicas),
        )

    def _quorum(self, answer: Answer) -> tuple[bool | None, str]:
        """Whether quorum and majority are usable, in Sentinel's own words; None where it would not say."""
        words = text(answer) or self._asker.refused("SENTINEL CKQUORUM").removeprefix("SENTINEL CKQUORUM: ")
        # NOQUORUM comes as an error.
        return {"OK": True, "NOQUORUM": False}.get(words.split(" ", 1)[0]), words

    def abandon(self) -> None:
        """Drop the connection now."""
        self._link.abandon()

    async def close(self) -> None:
        """Orderly end."""
        await self._link.close()

    async def examine(self) -> list[Check]:
        """For the doctor."""
        return await examine_sentinel(self._link, self._master)


def _address(fields: dict[str, Any]) -> str:
    return f"{text(fields.get('ip'))}:{text(fields.get('port'))}"


def _rows(answer: Any) -> Iterator[dict[str, Any]]:
    for row in answer[:_MOST_PEERS] if isinstance(answer, list) else ():
        if isinstance(row, list):
            yield pairs(row)


def _peers(answer: Any) -> dict[str, SentinelPeer]:
    found = {}
    for row in _rows(answer):
        address = _address(row)
        seen = integer(row.get("last-ok-ping-reply"))
        found[address] = SentinelPeer(
            name=text(row.get("name")),
            address=address,
            flags=text(row.get("flags")),
            # In whole seconds: an age that steps with every look would make every row a change.
            last_ok_ms=None if seen is None else seen // 1000 * 1000,
            priority=integer(row.get("slave-priority")),
            offset=integer(row.get("slave-repl-offset")),
        )
    return found
