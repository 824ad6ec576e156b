"""Depth of the keys that the environment file names as queues."""

from __future__ import annotations

from collections.abc import Sequence

from console.clients.clean import clean, clean_key
from console.clients.redis_text import integer, text
from console.readings import Queue
from console.sources.redis_common import REFUSED, Asker
from console.sources.redis_pass import LENGTH_OF


class Queues:
    """Remembers of which kind each queue is; an empty one is a key that is not there."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._kinds: dict[str, str] = {}
        self._hits = 0

    def take_hits(self) -> int:
        """Look-ups made since this was last asked."""
        hits, self._hits = self._hits, 0
        return hits

    async def read(self, asker: Asker) -> dict[str, Queue]:
        """Depths, in database 0. A queue that could not be asked is left out."""
        if not self._names or (await asker.ask([("SELECT", 0)]))[0] != b"OK":
            return {}
        # MEMORY USAGE first: asking an absent key for its length would count as a miss.
        sizes = await asker.ask([("MEMORY", "USAGE", name, "SAMPLES", 1) for name in self._names])
        there = [name for name, size in zip(self._names, sizes, strict=True) if integer(size)]
        depths: dict[str, int] = {
            name: 0 for name, size in zip(self._names, sizes, strict=True) if size is not REFUSED and name not in there
        }
        depths |= await self._depths(asker, there)
        return {
            clean_key(name): Queue(clean(name), depths[name], self._kinds.get(name, ""))
            for name in self._names
            if name in depths
        }

    async def _depths(self, asker: Asker, names: list[str]) -> dict[str, int]:
        unknown = [name for name in names if name not in self._kinds]
        for name, kind in zip(unknown, await asker.ask([("TYPE", name) for name in unknown]), strict=True):
            self._hits += 1
            if text(kind) in LENGTH_OF:
                self._kinds[name] = text(kind)
        asked = [name for name in names if name in self._kinds]
        self._hits += len(asked)
        found = {}
        lengths = await asker.ask([(LENGTH_OF[self._kinds[name]], name) for name in asked])
        for name, answer in zip(asked, lengths, strict=True):
            depth = integer(answer)
            if depth is None:
                del self._kinds[name]  # it has become something else: found out at the next look
            else:
                found[name] = depth
        return found
