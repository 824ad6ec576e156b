"""A tenant's users in a laboratory of databases alone: one session on whichever member is primary, as Odoo's would work."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import psycopg

from console.lab.databases import size
from console.lab.tenants import Tenant
from console.lab.users.base import Crowd

_TRANSACTIONS_PER_S = 1.0
"""Of a tenant with share 1 at the busiest hour under load 1."""
Connection = psycopg.AsyncConnection[tuple[object, ...]]


async def _purchase(kept: int, connection: Connection, dice: random.Random) -> None:
    """Somebody orders, somebody approves, the oldest is archived."""
    async with connection.transaction():
        await connection.execute(
            "insert into purchase_order (name, state, partner_id, company_id, currency_id, user_id, picking_type_id, date_order, "
            "amount_untaxed, amount_tax, amount_total, create_uid, create_date, write_date) "
            "select %s, 'draft', (select min(id) from res_partner where id > %s), 1, 1, 2, 1, timezone('UTC', now()), "
            "%s, 0, 0, 2, timezone('UTC', now()), timezone('UTC', now())",
            (f"P{dice.randrange(10**6):06}", dice.randrange(10), dice.randrange(50, 9000)),
        )
        await connection.execute(
            "update purchase_order set state = 'purchase', date_approve = timezone('UTC', now()), "
            "write_date = timezone('UTC', now()) where id = "
            "(select id from purchase_order where state = 'draft' order by date_order desc limit 1 for update skip locked)"
        )
        await connection.execute(
            "delete from purchase_order where id = (select min(id) from purchase_order) "
            "and (select count(*) from purchase_order) > %s",
            (kept,),
        )


async def _plan(connection: Connection, dice: random.Random) -> None:
    """A foreman looks at the projects and reorders one."""
    async with connection.transaction():
        await connection.execute(
            "select id, name->>'en_US', sequence from project_project where active order by sequence"
        )
        await connection.execute(
            "update project_project set sequence = %s, write_date = timezone('UTC', now()) where id = %s",
            (dice.randrange(1, 40), dice.randrange(1, 9)),
        )


async def _documents(connection: Connection, dice: random.Random) -> None:
    """Somebody looks for the papers of a project."""
    await connection.execute(
        "select id, name, file_size from ir_attachment where res_model = 'project.project' and res_id = %s",
        (dice.randrange(1, 12),),
    )


async def _spending(connection: Connection, dice: random.Random) -> None:
    """Somebody adds up what was ordered from whom."""
    await connection.execute(
        "select p.name, sum(o.amount_total) from purchase_order o join res_partner p on p.id = o.partner_id "
        "where o.state = 'purchase' group by p.name order by 2 desc limit 20"
    )


class SqlUsers:
    """One tenant's."""

    def __init__(self, crowd: Crowd, tenant: Tenant) -> None:
        self._crowd = crowd
        self._tenant = tenant
        self._dice = random.Random(tenant.name)
        self._work = (partial(_purchase, size(tenant).orders), _plan, _plan, _documents, _spending)

    async def run(self) -> None:
        """For ever; after a failure with a new session on whoever is primary then."""
        while True:
            connected: list[Connection] = []
            if await self._crowd.feel(self._tenant.name, partial(self._connect, connected)):
                await self._session(connected[0])
            await asyncio.sleep(self._dice.uniform(0.5, 1.0))

    async def _connect(self, connected: list[Connection]) -> None:
        connected.append(await psycopg.AsyncConnection.connect(self._dsn(), autocommit=True))

    async def _session(self, session: Connection) -> None:
        """Work in one session until it fails."""
        async with session:
            while True:
                work = partial(self._dice.choice(self._work), session, self._dice)
                if not await self._crowd.feel(self._tenant.name, work):
                    return
                await self._crowd.pace.rest(self._tenant.name, _TRANSACTIONS_PER_S * self._tenant.share)

    def _dsn(self) -> str:
        members = self._crowd.lab.of_kind("patroni")
        return psycopg.conninfo.make_conninfo(
            host=",".join("127.0.0.1" for _ in members),
            port=",".join(str(member.ports["postgres"]) for member in members),
            user=self._tenant.name,
            password=self._crowd.lab.secret(self._tenant.name),
            dbname=self._tenant.name,
            target_session_attrs="read-write",
            connect_timeout=2,
            application_name=f"odoo-{self._tenant.name}",
        )
