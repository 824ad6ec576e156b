"""Servers for the sources' tests."""

from tests.rigs_valkey import make_valkey, secret, valkey, valkey_rig

__all__ = ["make_valkey", "secret", "valkey", "valkey_rig"]
