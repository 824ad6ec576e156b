"""The laboratory's tenants: eight construction companies, each with an Odoo, a database and a role of its own."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg

MONITOR = "banksman"
"""The console's role in the databases, its user in each Odoo and in Kubernetes."""
DOMAIN = "lab.test"


class Tenant(msgspec.Struct, frozen=True):
    """One company."""

    name: str
    """Of its database and its role."""
    label: str
    version: int
    """Of Odoo."""
    share: float
    """How busy it is beside the others, and how much it has."""

    @property
    def host(self) -> str:
        """Under which its users reach it."""
        return f"{self.name}.{DOMAIN}"

    @property
    def namespace(self) -> str:
        """In the cluster."""
        return f"tenant-{self.name}"

    @property
    def users_secret(self) -> str:
        """Name of the secret that holds the password of its Odoo's users (``admin``, ``user1``, …)."""
        return f"odoo-{self.name}"

    @property
    def monitor_secret(self) -> str:
        """Name of the secret that holds the password of the console's user in its Odoo."""
        return f"odoo-{self.name}-{MONITOR}"


TENANTS = (
    Tenant("acme", "Acme Hochbau", 18, 2.0),
    Tenant("bauhof", "Bauhof Nord", 17, 1.4),
    Tenant("cobalt", "Cobalt Steelwork", 16, 1.0),
    Tenant("delta", "Delta Tiefbau", 18, 0.9),
    Tenant("ebene", "Ebene Architekten", 17, 0.7),
    Tenant("fjord", "Fjord Timber", 16, 0.6),
    Tenant("granit", "Granit Naturstein", 18, 0.4),
    Tenant("hafen", "Hafenbau Lehmann", 17, 0.3),
)


def tenant(name: str) -> Tenant:
    """The tenant of this name. Raises KeyError."""
    return {each.name: each for each in TENANTS}[name]


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
