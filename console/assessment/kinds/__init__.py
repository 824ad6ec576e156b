"""Every kind of finding: one judge each. Importing this registers them."""

from __future__ import annotations

from console.assessment.kinds import (
    cache_load,
    cache_roles,
    kubernetes_limits,
    kubernetes_nodes,
    kubernetes_pods,
    kubernetes_server,
    kubernetes_workloads,
    members,
    odoo_jobs,
    odoo_mail,
    odoo_pages,
    patroni,
    primary,
    replication,
    sentinels,
    sessions,
    slots,
    traefik_backends,
    traefik_certificates,
    traefik_routes,
    upkeep,
)
from console.assessment.symptom import Kind, registered

KINDS: dict[str, Kind] = registered()
"""Every kind of finding, by name."""

__all__ = [
    "KINDS",
    "cache_load",
    "cache_roles",
    "kubernetes_limits",
    "kubernetes_nodes",
    "kubernetes_pods",
    "kubernetes_server",
    "kubernetes_workloads",
    "members",
    "odoo_jobs",
    "odoo_mail",
    "odoo_pages",
    "patroni",
    "primary",
    "replication",
    "sentinels",
    "sessions",
    "slots",
    "traefik_backends",
    "traefik_certificates",
    "traefik_routes",
    "upkeep",
]
