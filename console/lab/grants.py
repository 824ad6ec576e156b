"""What the console may read in the laboratory: exactly what its own ``doctor`` prints, so that the laboratory proves it enough."""

from __future__ import annotations

from typing import Any

import yaml

from console.lab.tenants import MONITOR
from console.sources import kubernetes_privilege, odoo_privilege


def database(version: int, name: str) -> list[str]:
    """Statements for a tenant's database."""
    return odoo_privilege.grants(version, MONITOR, name)


def cluster() -> list[dict[str, Any]]:
    """Role and binding in Kubernetes."""
    text = kubernetes_privilege.manifest(kubernetes_privilege.needs(), MONITOR)
    return [found for found in yaml.safe_load_all(text) if found]
