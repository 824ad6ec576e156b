"""Makes the tenants' databases on a new cluster: Odoo's tables of each one's version, filled, and what the console may read.

Documents are in the file store or in the database. None is in object storage: the laboratory runs none yet.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import psycopg2  # type: ignore[import-untyped]
from psycopg import sql

from console.lab import grants
from console.lab.odoo import schema, seed
from console.lab.odoo.versions import VERSIONS
from console.lab.state import Lab
from console.lab.tenants import MONITOR, TENANTS, Tenant, connect

_MAIL_EVERY_MINUTES = 2
_REMINDER_EVERY_MINUTES = 4
"""Odoo's own are an hour and ten minutes. Here mail shall be on its way while somebody watches."""
_AT_ONCE = 2
"""Databases that are made at the same time: more would wait for the same processor."""


def home(directory: Path, tenant: Tenant) -> Path:
    """A tenant's volume: configuration, documents, sessions and log."""
    return directory / "tenants" / tenant.name


def size(tenant: Tenant) -> seed.Size:
    """How much a tenant has of what."""
    much = tenant.share
    return seed.Size(
        users=round(24 * much),
        projects=round(20 * much),
        vendors=round(40 * much),
        orders=round(700 * much),
        attachments=round(160 * much),
        jobs=round(300 * much),
        seed=sum(tenant.name.encode()),
        object_store=False,
    )


def _create_role(connection: psycopg.Connection[object], name: str, password: str) -> None:
    connection.execute(sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(password)))


def _create_monitor(connection: psycopg.Connection[object], password: str) -> None:
    """The role that the console looks with: it reads statistics, writes nothing, and never waits long."""
    _create_role(connection, MONITOR, password)
    for statement in (
        "grant pg_monitor, pg_use_reserved_connections to {}",
        "alter role {} set default_transaction_read_only = on",
        "alter role {} set statement_timeout = '3s'",
        "alter role {} set lock_timeout = '500ms'",
        "alter role {} connection limit 20",
    ):
        connection.execute(sql.SQL(statement).format(sql.Identifier(MONITOR)))


def create(lab: Lab, port: int) -> None:
    """Make the monitoring role and every tenant's role and database, on the primary at ``port``."""
    superuser = lab.secret("postgres")
    for database in ("postgres", "template1"):
        with connect(port, "postgres", superuser, database, autocommit=True) as connection:
            connection.execute("create extension if not exists pg_stat_statements")
    with connect(port, "postgres", superuser, autocommit=True) as connection:
        _create_monitor(connection, lab.secret(MONITOR))
        for tenant in TENANTS:
            name = sql.Identifier(tenant.name)
            _create_role(connection, tenant.name, lab.secret(tenant.name))
            connection.execute(sql.SQL("create database {} owner {}").format(name, name))
            connection.execute(sql.SQL("revoke connect on database {} from public").format(name))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda tenant: _fill(lab, port, tenant), TENANTS))


def _fill(lab: Lab, port: int, tenant: Tenant) -> None:
    version = VERSIONS[tenant.version]
    opened = psycopg2.connect(
        host="127.0.0.1", port=port, user=tenant.name, password=lab.secret(tenant.name), dbname=tenant.name
    )
    with closing(opened) as connection:
        cursor = connection.cursor()
        schema.create(cursor, version)
        data = home(lab.path, tenant) / "data"
        password, address = lab.secret(tenant.users_secret), f"https://{tenant.host}"
        seed.fill(cursor, version, tenant.name, data, size(tenant), password, address)
        filler = seed.Filler(cursor, version, datetime.now(UTC).replace(microsecond=0))
        seed.add_reader(filler, MONITOR, lab.secret(tenant.monitor_secret))
        _mail(filler, lab.servers["mail"].ports["smtp"] if "mail" in lab.servers else 25)
        for statement in grants.database(tenant.version, tenant.name):
            cursor.execute(statement)
        connection.commit()
        connection.autocommit = True
        cursor.execute("analyze")


def _mail(filler: seed.Filler, port: int) -> None:
    """Through which server it goes, and how often it is looked after."""
    server = {"name": "Laboratory", "smtp_host": "127.0.0.1", "smtp_port": port, "sequence": 10, "active": True}
    more = {"smtp_authentication": "login", "smtp_encryption": "none", "smtp_debug": False}
    filler.add("ir_mail_server", [server | more])
    every = {"process_email_queue": _MAIL_EVERY_MINUTES, "_send_reminder_mail": _REMINDER_EVERY_MINUTES}
    for method, minutes in every.items():
        filler.cursor.execute(
            "update ir_cron set interval_number = %s, interval_type = 'minutes', nextcall = create_date + make_interval(mins => %s) "
            "where ir_actions_server_id = (select id from ir_act_server where code = %s)",
            [minutes, minutes, f"model.{method}()"],
        )
