"""Servers for the sources' tests."""

from tests.rigs_postgres import postgres_server, postgres_standby, watch_postgres
from tests.rigs_traefik import ingress, traefik_rig
from tests.rigs_valkey import make_valkey, secret, valkey, valkey_rig

__all__ = [
    "ingress",
    "make_valkey",
    "postgres_server",
    "postgres_standby",
    "secret",
    "traefik_rig",
    "valkey",
    "valkey_rig",
    "watch_postgres",
]
