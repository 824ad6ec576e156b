"""What works on the cache beside the tenants' sessions: rendered views and job queues."""

from __future__ import annotations

import asyncio
import random

import redis.asyncio
from redis.asyncio.sentinel import Sentinel

from console.lab.servers.cache import CACHE
from console.lab.tenants import TENANTS
from console.lab.users.base import Crowd

QUEUES = ("queue:mail", "queue:jobs")
_ROUNDS_PER_S = 4.0
_VIEWS = 400
_VIEW_TTL_S = 600


class CacheUsers:
    """On whichever node Sentinel calls primary."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._dice = random.Random(4711)

    async def run(self) -> None:
        """For ever."""
        lab = self._crowd.lab
        password = lab.secret("cache")
        sentinels = [("127.0.0.1", server.ports["sentinel"]) for server in lab.of_kind("sentinel")]
        asking = Sentinel(  # type: ignore[no-untyped-call]
            sentinels, sentinel_kwargs={"password": password, "socket_timeout": 1}, socket_timeout=2
        )
        primary = asking.master_for(CACHE, password=password)
        while True:
            if await self._crowd.feel(CACHE, lambda: self._round(primary)):
                await self._crowd.pace.rest(CACHE, _ROUNDS_PER_S)
            else:
                await asyncio.sleep(0.5)

    async def _round(self, primary: redis.asyncio.Redis) -> None:
        tenant = self._dice.choice(TENANTS).name
        key = f"view:{tenant}:{self._dice.randrange(_VIEWS)}"
        if await primary.get(key) is None:
            await primary.set(key, self._dice.randbytes(200).hex(), ex=_VIEW_TTL_S)
        else:
            await primary.expire(key, _VIEW_TTL_S)
        queue = self._dice.choice(QUEUES)
        await primary.lpush(queue, f"{tenant}:{self._dice.randrange(10**9)}")
        await primary.rpop(queue)
