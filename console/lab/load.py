"""The laboratory's users: ``python -m console.lab.load DIRECTORY``.

One process. Each tenant's users come through Traefik or, in a laboratory of databases alone, as sessions on whichever member
is primary; the job queues of the cache are worked on beside them, through Sentinel. Tables and keys stay as large as they
were. What users feel is written to ``load.json`` every two seconds, and how many there shall be is read as often.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from console.lab import state
from console.lab.rotation import rotate
from console.lab.servers.cache import CACHE
from console.lab.state import Lab
from console.lab.tenants import TENANTS
from console.lab.users.base import Crowd, Users
from console.lab.users.cache import CacheUsers
from console.lab.users.sql import SqlUsers
from console.lab.users.web import WebUsers

_REPORT_EVERY_S = 2.0
_ROTATE_EVERY_S = 60.0


async def _report(crowd: Crowd) -> None:
    while True:
        crowd.write()
        crowd.pace.look()
        await asyncio.sleep(_REPORT_EVERY_S)


async def _rotate(lab: Lab) -> None:
    """What users leave in logs."""
    while True:
        await asyncio.sleep(_ROTATE_EVERY_S)
        await asyncio.to_thread(rotate, lab.path)


async def run(lab: Lab) -> None:
    """All of it; ends when one of it ends, and the supervisor starts it again."""
    crowd = Crowd(lab, [*(tenant.name for tenant in TENANTS), CACHE])
    kind = WebUsers if lab.has_platform else SqlUsers
    users: list[Users] = [CacheUsers(crowd), *(kind(crowd, tenant) for tenant in TENANTS)]
    async with asyncio.TaskGroup() as group:
        group.create_task(_report(crowd))
        group.create_task(_rotate(lab))
        for each in users:
            group.create_task(each.run())


def main() -> None:
    """Run until ended."""
    os.nice(5)
    asyncio.run(run(state.read(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
