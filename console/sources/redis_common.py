"""What the sources for Redis, Valkey and Sentinel share."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from console.clients.redis import NOT_PERMITTED, Answer, Argument, LinkError, RedisLink, refusal
from console.sources.base import SourceError


@contextlib.contextmanager
def told() -> Iterator[None]:
    """A failure of the connection as a failure of the source."""
    try:
        yield
    except LinkError as failure:
        raise SourceError(failure.problem, denied=failure.denied) from None


class Refused:
    """Stands for the answer to a command that was refused, now or lately; nil is an answer and is None."""


REFUSED = Refused()


class Footprint:
    """What we ourselves add to the counters of the servers of one cache. Whoever shows a rate takes it off again."""

    def __init__(self) -> None:
        self._hits: dict[str, int] = {}
        self._links: dict[str, list[RedisLink]] = {}

    def watch(self, server: str, link: RedisLink) -> None:
        """Commands on this link are ours, on this server."""
        self._links.setdefault(server, []).append(link)

    def add_hits(self, server: str, hits: int) -> None:
        """So many more look-ups of ours on this server have found something."""
        self._hits[server] = self._hits.get(server, 0) + hits

    def hits(self, server: str) -> int:
        """Look-ups of ours that found something, since the engine started."""
        return self._hits.get(server, 0)

    def commands(self, server: str) -> int:
        """Commands of ours, since the engine started."""
        return sum(link.sent for link in self._links.get(server, ()))


class Asker:
    """Sends several commands at once, and leaves alone for a while what was refused: each refusal is an entry in the
    server's ACL log, which has room for 128 and is there for others."""

    def __init__(self, link: RedisLink, ask_again_s: float = 600.0) -> None:
        self._link = link
        self._ask_again_s = ask_again_s
        self._refused: dict[str, tuple[float, str]] = {}

    async def ask(self, commands: Sequence[Sequence[Argument]]) -> list[Answer]:
        """Answers in order, ``REFUSED`` among them. Raises LinkError."""
        now = time.monotonic()
        names = [_name(command) for command in commands]
        due = [self._refused.get(name, (0.0, ""))[0] <= now for name in names]
        asked = [command for command, wanted in zip(commands, due, strict=True) if wanted]
        answers = iter(await self._link.many(asked) if asked else [])
        found: list[Answer] = []
        for name, wanted in zip(names, due, strict=True):
            if not wanted:
                found.append(REFUSED)
                continue
            answer = next(answers)
            self._refused.pop(name, None)
            if why := refusal(answer):
                # Not permitted stays so until somebody grants it; anything else may be over at the next look.
                pause_s = self._ask_again_s if why == NOT_PERMITTED else 0.0
                self._refused[name] = (now + pause_s, why)
                answer = REFUSED
            found.append(answer)
        return found

    def refused(self, *names: str) -> str:
        """``CLIENT LIST: not permitted; …`` for those of the commands that were refused; empty where none was."""
        return "; ".join(f"{name}: {self._refused[name][1]}" for name in names if name in self._refused)

    def forget(self) -> None:
        """Ask everything again: a new connection may have new rights."""
        self._refused.clear()


def _name(command: Sequence[Argument]) -> str:
    words = [str(word) for word in command[:2]]
    return " ".join(words) if words[0] in ("CLIENT", "SLOWLOG", "CONFIG", "SENTINEL", "MEMORY") else words[0]
