"""Real tenants of 16, 17 and 18 for the sources' tests."""

from pathlib import Path

import pytest

from tests.lab.odoo.conftest import odoo, session_store, tenants_server

__all__ = ["odoo", "session_store", "tenants_server"]


@pytest.fixture
def users_secret(tmp_path: Path) -> str:
    """Reference to the password of all users of the tenants."""
    path = tmp_path / "users"
    path.write_text("admin\n")
    path.chmod(0o600)
    return f"file:{path}"
