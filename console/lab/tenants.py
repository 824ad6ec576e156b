"""The laboratory's tenants: six construction companies, each with a database and a role of its own.

The tables are small and flavoured like Odoo's; the real schema comes with the application.
"""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
from psycopg import sql

MONITOR = "banksman"


class Tenant(msgspec.Struct, frozen=True):
    """One company."""

    name: str
    """Of its database and its role."""
    label: str
    share: float
    """How busy it is beside the others."""


TENANTS = (
    Tenant("acme", "Acme Hochbau", 1.6),
    Tenant("bauhof", "Bauhof Nord", 1.2),
    Tenant("cobalt", "Cobalt Steelwork", 1.0),
    Tenant("delta", "Delta Tiefbau", 0.9),
    Tenant("ebene", "Ebene Architekten", 0.7),
    Tenant("fjord", "Fjord Timber", 0.6),
)

_TABLES = """
create table purchase_order (
    id bigint generated always as identity primary key, name text not null, vendor text not null,
    site text not null, state text not null default 'draft', amount_total numeric(12, 2) not null default 0,
    create_date timestamptz not null default now(), write_date timestamptz not null default now());
create table hr_payslip (
    id bigint generated always as identity primary key, employee text not null, month date not null,
    net_wage numeric(10, 2) not null, state text not null default 'draft');
create table project_task (
    id bigint generated always as identity primary key, project text not null, name text not null,
    stage text not null default 'new', planned_hours real not null default 0, write_date timestamptz not null default now());
create table stock_move (
    id bigint generated always as identity primary key, product text not null, quantity real not null,
    from_site text not null, to_site text not null, state text not null default 'draft',
    create_date timestamptz not null default now());
create index on purchase_order (state, create_date);
create index on stock_move (state, create_date);
insert into purchase_order (name, vendor, site, state, amount_total, create_date)
    select 'PO' || lpad(n::text, 5, '0'), (array['Ready-mix Ltd', 'Stahl & Co', 'Crane Hire', 'Timber Yard'])[1 + n % 4],
           'site ' || (1 + n % 7), (array['draft', 'to approve', 'purchase', 'done'])[1 + n % 4], 40 + n * 3.5,
           now() - n * interval '1 hour' from generate_series(1, 800) n;
insert into hr_payslip (employee, month, net_wage, state)
    select 'employee ' || n, date_trunc('month', now())::date - (n % 6) * 30, 1900 + (n * 37) % 1400, 'done'
    from generate_series(1, 300) n;
insert into project_task (project, name, stage, planned_hours)
    select 'project ' || (1 + n % 9), (array['formwork', 'rebar', 'pour', 'survey', 'drainage'])[1 + n % 5] || ' ' || n,
           (array['new', 'doing', 'done'])[1 + n % 3], 2 + n % 30 from generate_series(1, 600) n;
insert into stock_move (product, quantity, from_site, to_site, state)
    select (array['cement', 'rebar', 'brick', 'plywood'])[1 + n % 4], 1 + n % 50, 'depot', 'site ' || (1 + n % 7), 'done'
    from generate_series(1, 1000) n;
analyze;
"""


def connect(
    port: int,
    user: str,
    password: str,
    database: str = "postgres",
    *,
    application: str = "banksman-lab",
    **options: Any,
) -> psycopg.Connection[Any]:
    """A connection to one member."""
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        user=user,
        password=password,
        dbname=database,
        connect_timeout=3,
        application_name=application,
        **options,
    )


def _create_role(connection: psycopg.Connection[Any], name: str, password: str) -> None:
    connection.execute(sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(password)))


def create_monitor(connection: psycopg.Connection[Any], password: str) -> None:
    """The role that the console looks with: it reads statistics, writes nothing, and never waits long."""
    _create_role(connection, MONITOR, password)
    for statement in (
        "grant pg_monitor, pg_use_reserved_connections to {}",
        "alter role {} set default_transaction_read_only = on",
        "alter role {} set statement_timeout = '3s'",
        "alter role {} set lock_timeout = '500ms'",
        "alter role {} connection limit 12",
    ):
        connection.execute(sql.SQL(statement).format(sql.Identifier(MONITOR)))


def create(port: int, superuser_password: str, passwords: dict[str, str]) -> None:
    """Make the monitoring role and every tenant's role, database and tables, on the primary at ``port``."""
    for database in ("postgres", "template1"):
        with connect(port, "postgres", superuser_password, database, autocommit=True) as connection:
            connection.execute("create extension if not exists pg_stat_statements")
    with connect(port, "postgres", superuser_password, autocommit=True) as connection:
        create_monitor(connection, passwords[MONITOR])
        for tenant in TENANTS:
            name = sql.Identifier(tenant.name)
            _create_role(connection, tenant.name, passwords[tenant.name])
            connection.execute(sql.SQL("create database {} owner {}").format(name, name))
            connection.execute(sql.SQL("revoke connect on database {} from public").format(name))
            connection.execute(sql.SQL("grant connect on database {} to {}").format(name, sql.Identifier(MONITOR)))
    for tenant in TENANTS:
        with connect(port, tenant.name, passwords[tenant.name], tenant.name) as connection:
            connection.execute(_TABLES)
