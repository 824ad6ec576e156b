"""Sources of one tenant of the laboratory, as an environment file would have them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

import msgspec

from console.clients.postgres import Target
from console.readings import Reading
from console.settings import Application
from console.settings.environment import OdooUser
from console.sources.base import Source
from console.sources.odoo_database import OdooDatabaseSource, Place
from console.sources.odoo_pages import OdooPagesSource
from console.sources.odoo_privilege import grants
from console.sources.odoo_visits import Visits
from tests.lab.odoo.rig import Tenant
from tests.rigs_postgres import MONITOR, Postgres

R = TypeVar("R", bound=Reading)


@contextlib.contextmanager
def granted(tenant: Tenant, role: str = MONITOR) -> Iterator[None]:
    """The console's role with exactly what ``doctor`` prints, and taken away again."""
    tenant.run(*grants(tenant.major, role, tenant.database))
    try:
        yield
    finally:
        tenant.run(f"DROP OWNED BY {role}")
        tenant.postgres.run(f"GRANT pg_monitor TO {role}")


def visits(*servers: Postgres, user: str = MONITOR, **changes: Any) -> Visits:
    """Visits to a cluster of these servers."""
    targets: dict[str, Target] = {server.name: server.target(user, **changes) for server in servers}
    return Visits("main", targets, every_s=10.0)


def database_source(tenant: Tenant, named: str = "", *servers: Postgres, user: str = MONITOR) -> OdooDatabaseSource:
    """The source of a tenant's database."""
    place = Place("acme", named or tenant.database, visits(*(servers or (tenant.postgres,)), user=user), "postgres")
    return OdooDatabaseSource(place, deadline_s=20.0)


@contextlib.asynccontextmanager
async def looked(source: Source, kind: type[R]) -> AsyncIterator[R]:
    """One reading of a source, which is closed afterwards."""
    reading = await source.read()
    assert isinstance(reading, kind)
    try:
        yield reading
    finally:
        await source.close()


def application(tenant: Tenant, secret: str, **changes: Any) -> Application:
    """A tenant in an environment file; ``secret``: the reference to everybody's password."""
    return Application(
        databases=[tenant.database],
        odoo=True,
        url=tenant.address,
        user=OdooUser(login="user1", password=secret),
        **changes,
    )


def pages_source(tenant: Tenant, secret: str, **changes: Any) -> OdooPagesSource:
    """The source of a tenant's pages."""
    made = msgspec.structs.replace(application(tenant, secret), **changes)
    return OdooPagesSource("acme", made, lambda: tenant.database, asyncio.Semaphore(2), every_s=10.0)
