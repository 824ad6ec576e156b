"""A tenant's way through other systems: its routers and services in the ingress, its pods in the cluster."""

from __future__ import annotations

from datetime import datetime

from console.readings.kubernetes import KubePod
from screens.section import MISSING, Section, number_cell, unknown
from screens.tenant_group import TenantNow
from widgets.columns import Cell, Column, Row
from widgets.format import number, short_age
from widgets.spans import line

ROUTES = (
    Column("kind", "", 8, sort="K"),
    Column("name", "name", 28, flex=1, sort="N"),
    Column("state", "state", 9, sort="S"),
    Column("what", "rule, or servers", 28, flex=2, sort="R"),
    Column("problems", "problems", 16, flex=1, drop=1),
)
PODS = (
    Column("name", "pod", 28, flex=1, sort="P"),
    Column("ready", "ready", 5, "right", sort="R"),
    Column("state", "state", 18, sort="S"),
    Column("restarts", "restarts", 8, "right", sort="E", descending=True),
    Column("node", "node", 14, drop=1, sort="N"),
    Column("age", "age", 6, "right", drop=2, sort="A"),
)


def routes_section(tenant: TenantNow) -> Section:
    """Routers, then the services that they lead to, with their servers."""
    flow = tenant.flow
    if flow is None:
        return Section(ROUTES, empty="no ingress is watched, or this tenant has no url")
    if flow.why and not flow.routers:
        return unknown(ROUTES, flow.why)
    rows = [
        Row(
            ("TraefikRouter", each.name),
            (
                Cell("router", "muted"),
                each.name,
                _state(each.state),
                each.rule,
                Cell("; ".join(each.problems), "strong"),
            ),
        )
        for each in flow.routers
    ]
    for service in flow.services:
        down = [address for address, state in service.servers.items() if state != "UP"]
        servers = ", ".join(f"{address} {state}" for address, state in service.servers.items()) or "no server"
        bad = bool(down) or not service.servers
        rows.append(
            Row(
                ("TraefikService", service.name),
                (
                    Cell("service", "muted"), service.name, _state(service.state), Cell(servers, "strong" if bad else ""),
                    Cell("; ".join(service.problems), "strong"),
                ),
            )
        )  # fmt: skip
    return Section(ROUTES, tuple(rows), (line((flow.why, "unknown")),) if flow.why else ())


def _state(state: str) -> Cell:
    return Cell(state, "muted" if state in ("", "enabled") else "strong")


def pods_section(tenant: TenantNow, pods: tuple[KubePod, ...] | None, now: datetime) -> Section:
    """Pods of its namespace."""
    if not tenant.about.namespace:
        return Section(PODS, empty="the environment file names no namespace of this tenant")
    if pods is None:
        return unknown(PODS, f"pods of {tenant.about.namespace}: no cluster that is watched tells of them now")
    bad = sum(pod.ready < pod.containers or bool(pod.reason) for pod in pods)
    rows = tuple(_pod_row(pod, now) for pod in sorted(pods, key=lambda pod: (not pod.reason, pod.name)))
    return Section(PODS, rows, empty=f"no pod in {tenant.about.namespace}", count=bad or None)


def _pod_row(pod: KubePod, now: datetime) -> Row:
    bad = pod.ready < pod.containers or bool(pod.reason)
    age_s = (now - pod.created_at).total_seconds() if pod.created_at else None
    return Row(
        pod.name,
        (
            Cell(pod.name, "strong" if bad else ""),
            Cell(f"{pod.ready}/{pod.containers}", "strong" if bad else "", pod.ready - pod.containers),
            Cell(pod.reason or pod.phase, "strong" if bad else ""),
            number_cell(number(pod.restarts), pod.restarts, "" if pod.restarts else "muted"),
            Cell(pod.node, "muted"),
            number_cell(short_age(age_s), age_s) if age_s is not None else Cell("", "", MISSING),
        ),
    )
