"""Asks every source at its own pace. No source waits for another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterable

from console.engine.lateness import Lateness
from console.engine.looking import Hide, Looker, Redact
from console.readings import Address, Reading, stale_after_s
from console.sources.base import Source

JITTER = 0.1
"""Part of the cadence by which looks are spread."""
FIRST_LOOK_S = 0.3
"""First looks are spread over so many seconds at least,"""
FIRST_LOOK_EACH_S = 0.03
"""and over so many for each source: begun all at once, eighty of them use up each other's deadlines on a slow host."""
WARM_UP_S = 1.5
"""Between the first looks, until there are as many as a finding needs: nobody should wait two minutes for a verdict."""
AGAIN_S = 5.0
"""A source whose reading is bad is asked again after at most this, whatever its cadence."""
ON_DEMAND_S = 2.0
"""A source is asked for the asking no sooner than this after the last look began (or its cadence, where that is less): a
key held down must not cost the servers more than looking does."""
SLACK_S = 0.25

Put = Callable[[Reading], None]


class Scheduler:
    """Runs sources, each in its task, until it is closed. ``put`` takes every reading, in the event loop."""

    def __init__(
        self,
        sources: Iterable[Source],
        put: Put,
        redact: Redact,
        *,
        hide: Hide = lambda reading: reading,
        needed: int = 2,
    ) -> None:
        self._put = put
        self._redact = redact
        self._hide = hide
        self._needed = needed
        self._running: dict[Address, _Run] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.looks = 0
        """Looks made since the start."""
        self.busy_ms: dict[str, float] = {}
        """``topic key`` → milliseconds that its looks took, since ``take_cost`` was called last."""
        self._first = list(sources)
        self._lateness = Lateness()

    def start(self) -> None:
        """Begin with the sources given."""
        self._lateness.start()
        within_s = max(FIRST_LOOK_S, FIRST_LOOK_EACH_S * len(self._first))
        for source in self._first:
            self.add(source, within_s)

    def add(self, source: Source, within_s: float = FIRST_LOOK_S) -> None:
        """Begin with one more source; its first look comes within so many seconds, or its cadence where that is less."""
        where = Address(source.reading.topic, source.key)
        if where in self._running:
            raise ValueError(f"two sources yield {where.topic} {where.key}")
        run = self._running[where] = _Run(Looker(source, self._redact, self._hide, self._lateness), self)
        run.task = asyncio.create_task(run.forever(within_s), name=f"source {run.looker.pair}")

    def drop(self, where: Address) -> None:
        """End one source."""
        run = self._running.pop(where, None)
        if run is not None:
            run.stop()  # at once: a look that ends just now must not put back what is being taken away
            task = asyncio.create_task(run.end())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def refresh(self, wanted: Callable[[Address], bool] = lambda _where: True) -> int:
        """Ask now, or as soon as ``ON_DEMAND_S`` allows; how many sources that is. One that is busy is not asked twice."""
        chosen = [run for where, run in self._running.items() if wanted(where)]
        for run in chosen:
            run.hurry(0.0, ON_DEMAND_S)
        return len(chosen)

    def hurry(self, undecided: Collection[Address]) -> None:
        """These are wanted again within ``AGAIN_S``: a finding is about to open or to close."""
        for where in undecided:
            run = self._running.get(where)
            if run is not None:
                run.hurry(AGAIN_S)

    def take_cost(self) -> dict[str, float]:
        """``busy_ms``, begun anew."""
        cost, self.busy_ms = self.busy_ms, {}
        return cost

    async def close(self) -> None:
        """End all sources, within little more than a second."""
        self._lateness.stop()
        runs, self._running = list(self._running.values()), {}
        await asyncio.gather(*(run.end() for run in runs), *self._closing)

    def done(self, looker: Looker, reading: Reading) -> None:
        """A look ended with this reading."""
        self.looks += 1
        self.busy_ms[looker.pair] = self.busy_ms.get(looker.pair, 0.0) + reading.took_ms
        self._put(reading)

    def delay(self, looks: int, failures: int, source: Source, took_s: float) -> float:
        """Seconds until the next look: from the beginning of a good one, from the end of a failed one."""
        every = source.every_s
        if failures:
            # Not so long that what is known of the failure itself grows stale before the next look can have ended.
            fresh = stale_after_s(every) - took_s - source.deadline_s - SLACK_S
            wait = min(every * 1.5 ** (failures - 1), AGAIN_S, max(0.5, fresh))
            return wait * random.uniform(1 - 2 * JITTER, 1)  # noqa: S311 - spreads load, guards nothing
        if looks < self._needed:
            every = min(every, WARM_UP_S)
        return every * random.uniform(1 - JITTER, 1)  # noqa: S311


class _Run:
    """One source's task."""

    def __init__(self, looker: Looker, scheduler: Scheduler) -> None:
        self.looker = looker
        self.task: asyncio.Task[None] | None = None
        self._scheduler = scheduler
        self._due = 0.0
        self._began = -float("inf")
        self._sleeper: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def forever(self, within_s: float) -> None:
        loop = asyncio.get_running_loop()
        source, scheduler = self.looker.source, self._scheduler
        looks = 0
        self._due = loop.time() + random.uniform(0, min(within_s, source.every_s))  # noqa: S311
        while True:
            await self._sleep(loop)
            began = self._began = loop.time()
            reading = await self.looker.look()
            looks += 1
            scheduler.done(self.looker, reading)
            failures = self.looker.failures
            now = loop.time()
            wait = scheduler.delay(looks, failures, source, now - began)
            # Good looks keep their rhythm, from beginning to beginning; failed ones leave the server alone in between.
            self._due = max((now if failures else began) + wait, now + 0.1)

    def hurry(self, within_s: float, apart_s: float = 0.0) -> None:
        """The next look comes at most ``within_s`` from now, and ``apart_s`` after the last one began.

        ``apart_s`` counts as far as the cadence is longer. No effect on a look that is under way.
        """
        if self._sleeper is None or self._timer is None:
            return
        loop = asyncio.get_running_loop()
        due = max(loop.time() + within_s, self._began + min(apart_s, self.looker.source.every_s))
        if self._due > due:
            self._due = due
            self._timer.cancel()
            self._arm(loop)

    def stop(self) -> None:
        """From now on no reading comes of it any more."""
        if self.task is not None:
            self.task.cancel()

    async def end(self) -> None:
        self.stop()
        if self.task is not None:
            await asyncio.wait({self.task})
        await self.looker.end()

    async def _sleep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sleeper = loop.create_future()
        self._arm(loop)
        try:
            await self._sleeper
        finally:
            if self._timer:
                self._timer.cancel()
            self._sleeper = self._timer = None

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        sleeper = self._sleeper
        assert sleeper is not None
        self._timer = loop.call_at(self._due, _wake, sleeper)


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
