"""Three tenants on one real PostgreSQL, the older two with sessions in one real Valkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.odoo.rig import Tenant, tenant
from tests.rigs_postgres import Postgres, postgres, postgres_server
from tests.rigs_valkey import Server, valkey_server

__all__ = ["postgres_server"]


@pytest.fixture(scope="session")
def tenants_server() -> Iterator[Postgres]:
    """A PostgreSQL of the tenants' own: they stay connected for the whole session, which others' tests would count."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def session_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = valkey_server(tmp_path_factory.mktemp("sessions")).start()
    yield server
    server.end()


@pytest.fixture(scope="session", params=[16, 17, 18])
def odoo(
    request: pytest.FixtureRequest,
    tenants_server: Postgres,
    session_store: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tenant]:
    with tenant(request.param, tenants_server, session_store, tmp_path_factory.mktemp("odoo")) as made:
        yield made
