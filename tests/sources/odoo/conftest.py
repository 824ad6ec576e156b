"""Real tenants of 16, 17 and 18 for the sources' tests."""

from tests.lab.odoo.conftest import odoo, session_store

__all__ = ["odoo", "session_store"]
