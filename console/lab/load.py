"""The laboratory's users: ``python -m console.lab.load DIRECTORY``.

One process, one session per tenant on whichever member is primary, and one on the cache through Sentinel. Transactions
are short; tables and keys stay as large as they were. What users feel is written to ``load.json`` every two seconds.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import psycopg
import redis.asyncio
import redis.exceptions
from redis.asyncio.sentinel import Sentinel

from console.lab import state
from console.lab.rhythm import busyness
from console.lab.servers.cache import CACHE
from console.lab.state import Lab
from console.lab.tenants import TENANTS, Tenant

FILE = "load.json"
_TRANSACTIONS_PER_S = 1.2
"""Of a tenant with share 1 at the busiest hour under load 1."""
_CACHE_ROUNDS_PER_S = 4.0
_SESSION_TTL_S = 600
_SESSIONS = 400
QUEUES = ("queue:mail", "queue:jobs")
_PATIENCE_S = 15.0
"""After so long without an answer a user gives up, and the session is made anew."""


class Felt(msgspec.Struct):
    """What one tenant's users, or the cache's, have felt."""

    done: int = 0
    failed: int = 0
    last_done: datetime | None = None
    last_ms: float = 0.0
    problem: str = ""
    """Why the last round failed; empty when it did not."""


async def _purchase(connection: psycopg.AsyncConnection[object], dice: random.Random) -> None:
    """Somebody orders, somebody approves, the oldest is archived."""
    async with connection.transaction():
        await connection.execute(
            "insert into purchase_order (name, vendor, site, amount_total) values (%s, %s, %s, %s)",
            (
                f"PO{dice.randrange(10**6):06}",
                "Ready-mix Ltd",
                f"site {dice.randrange(1, 8)}",
                dice.randrange(50, 9000),
            ),
        )
        await connection.execute(
            "update purchase_order set state = 'purchase', write_date = now() where id = "
            "(select id from purchase_order where state = 'draft' order by create_date limit 1)"
        )
        await connection.execute(
            "delete from purchase_order where id = (select min(id) from purchase_order) "
            "and (select count(*) from purchase_order) > 800"
        )


async def _deliver(connection: psycopg.AsyncConnection[object], dice: random.Random) -> None:
    """A delivery is booked."""
    async with connection.transaction():
        await connection.execute(
            "update stock_move set quantity = quantity + %s, state = 'done' where id = %s",
            (dice.choice((-1, 1)), dice.randrange(1, 1000)),
        )
        await connection.execute("select product, sum(quantity) from stock_move group by product")


async def _plan(connection: psycopg.AsyncConnection[object], dice: random.Random) -> None:
    """A foreman looks at the tasks of a project and moves one."""
    async with connection.transaction():
        project = f"project {dice.randrange(1, 10)}"
        await connection.execute("select id, name, stage from project_task where project = %s order by id", (project,))
        await connection.execute(
            "update project_task set stage = %s, write_date = now() where id = %s",
            (dice.choice(("new", "doing", "done")), dice.randrange(1, 600)),
        )


async def _payroll(connection: psycopg.AsyncConnection[object], dice: random.Random) -> None:
    """Somebody reads the wages of a month."""
    await connection.execute("select month, sum(net_wage) from hr_payslip group by month order by month")


_WORK = (_purchase, _deliver, _plan, _plan, _payroll)


class Load:
    """All users of one laboratory."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._dice = random.Random(4711)
        self.felt: dict[str, Felt] = {tenant.name: Felt() for tenant in TENANTS} | {CACHE: Felt()}

    def _pause(self, per_second: float) -> float:
        rate = per_second * self._lab.load * busyness(datetime.now().astimezone())
        return self._dice.uniform(0.7, 1.3) / max(rate, 0.01)

    async def _feel(self, name: str, round_: Callable[[], Awaitable[None]]) -> bool:
        felt, begun = self.felt[name], time.monotonic()
        try:
            await asyncio.wait_for(round_(), _PATIENCE_S)
        except (psycopg.Error, redis.exceptions.RedisError, OSError, TimeoutError) as problem:
            felt.failed += 1
            felt.problem = (
                str(problem).strip().splitlines()[0][:200] if str(problem).strip() else type(problem).__name__
            )
            return False
        felt.done += 1
        felt.last_done, felt.last_ms = datetime.now(UTC), (time.monotonic() - begun) * 1000
        felt.problem = ""
        return True

    def _dsn(self, tenant: Tenant) -> str:
        members = self._lab.of_kind("patroni")
        return psycopg.conninfo.make_conninfo(
            host=",".join("127.0.0.1" for _ in members),
            port=",".join(str(member.ports["postgres"]) for member in members),
            user=tenant.name,
            password=self._lab.secret(tenant.name),
            dbname=tenant.name,
            target_session_attrs="read-write",
            connect_timeout=2,
            application_name=f"odoo-{tenant.name}",
        )

    async def tenant(self, tenant: Tenant) -> None:
        """One tenant's users, for ever; after a failure with a new session on whoever is primary then."""
        while True:
            connected: list[psycopg.AsyncConnection[object]] = []
            if await self._feel(tenant.name, partial(self._connect, tenant, connected)):
                await self._session(tenant, connected[0])
            await asyncio.sleep(self._dice.uniform(0.5, 1.0))

    async def _connect(self, tenant: Tenant, connected: list[psycopg.AsyncConnection[object]]) -> None:
        connected.append(await psycopg.AsyncConnection.connect(self._dsn(tenant), autocommit=True))

    async def _session(self, tenant: Tenant, session: psycopg.AsyncConnection[object]) -> None:
        """Work in one session until it fails."""
        async with session:
            while True:
                work = partial(self._dice.choice(_WORK), session, self._dice)
                if not await self._feel(tenant.name, work):
                    return
                await asyncio.sleep(self._pause(_TRANSACTIONS_PER_S * tenant.share))

    async def _cache_round(self, primary: redis.asyncio.Redis) -> None:
        tenant = self._dice.choice(TENANTS).name
        key = f"session:{tenant}:{self._dice.randrange(_SESSIONS)}"
        if await primary.get(key) is None:
            await primary.set(key, self._dice.randbytes(200).hex(), ex=_SESSION_TTL_S)
        else:
            await primary.expire(key, _SESSION_TTL_S)
        queue = self._dice.choice(QUEUES)
        await primary.lpush(queue, f"{tenant}:{self._dice.randrange(10**9)}")
        await primary.rpop(queue)

    async def cache(self) -> None:
        """Sessions and jobs, for ever, on whichever node Sentinel calls primary."""
        password = self._lab.secret("cache")
        sentinels = [("127.0.0.1", server.ports["sentinel"]) for server in self._lab.of_kind("sentinel")]
        asking = Sentinel(  # type: ignore[no-untyped-call]
            sentinels, sentinel_kwargs={"password": password, "socket_timeout": 1}, socket_timeout=2
        )
        primary = asking.master_for(CACHE, password=password, client_name="odoo-sessions", socket_connect_timeout=1)
        while True:
            if await self._feel(CACHE, lambda: self._cache_round(primary)):
                await asyncio.sleep(self._pause(_CACHE_ROUNDS_PER_S))
            else:
                await asyncio.sleep(0.5)

    async def report(self) -> None:
        """Write down what users feel."""
        while True:
            state.write_file(self._lab.path / FILE, msgspec.json.encode(self.felt))
            await asyncio.sleep(2)

    async def run(self) -> None:
        """All of it; ends when one of it ends, and the supervisor starts it again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.report())
            group.create_task(self.cache())
            for tenant in TENANTS:
                group.create_task(self.tenant(tenant))


def read_felt(directory: Path) -> dict[str, Felt]:
    """What users have felt by now; empty before the load has begun."""
    try:
        return msgspec.json.decode((directory / FILE).read_bytes(), type=dict[str, Felt])
    except FileNotFoundError:
        return {}


def main() -> None:
    """Run until ended."""
    os.nice(5)
    asyncio.run(Load(state.read(Path(sys.argv[1]))).run())


if __name__ == "__main__":
    main()
