"""Bringing up what stands on databases and cache: Kubernetes, and in it Traefik and the tenants' Odoo."""

from __future__ import annotations

from functools import partial

from console.lab import databases, grants, platform_health
from console.lab.certificates import Authority
from console.lab.manifests import ingress, tenant
from console.lab.platform.admin import Admin
from console.lab.platform.settings import Files
from console.lab.rise import Rise
from console.lab.state import write_file
from console.lab.tenants import TENANTS


def start_platform(rise: Rise) -> None:
    """The cluster without anything in it, and the mail server."""
    rise.start(*rise.lab.of_kind("kubernetes"), *rise.lab.of_kind("mail"))


def deploy(rise: Rise) -> None:
    """Apply everything; the tenants' databases are there."""
    lab = rise.lab
    port = lab.servers["kubernetes"].ports["api"]
    rise.ready("kubernetes", platform_health.api_problem, 30, f"port {port}, six nodes in three zones")
    rise.ready("mail", platform_health.mail_problem, 10, f"port {lab.servers['mail'].ports['smtp']}, delivers nothing")
    authority, files, ports = Authority(lab.path), Files(lab.path), ingress.Ports(**lab.ports)
    address = f"https://127.0.0.1:{port}"
    settings = ingress.configuration(lab.path, ports, address, files.authority, files.traefik)
    write_file(ingress.home(lab.path) / "traefik.yml", settings)
    rise.ports.release(*lab.ports.values())
    with Admin.of(lab.path) as admin:
        admin.apply(*grants.cluster(), *ingress.manifests(lab.path, ports))
        for each in TENANTS:
            admin.apply(*tenant.manifests(each, databases.home(lab.path, each), authority))


def await_platform(rise: Rise) -> None:
    """Until every tenant answers through Traefik."""
    rise.ready("traefik", platform_health.traefik_problem, 40, f"port {rise.lab.ports['websecure']}")
    for each in TENANTS:
        text = f"Odoo {each.version}.0, https://{each.host}"
        rise.ready(each.name, partial(platform_health.tenant_problem, tenant=each), 60, text)
    rise.ready("kubernetes", platform_health.workloads_problem, 60, "all that was applied runs")
