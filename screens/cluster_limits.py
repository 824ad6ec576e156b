"""What holds a cluster's workloads within bounds, as rows: scalers, quotas, disruption budgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.readings import KubeBudget, KubeQuota, KubeScaler
from screens.cluster_facts import Platform
from screens.cluster_figures import FULL, NEARLY, amount_of, blind, partly, seconds_since, share_cell, share_of
from screens.kept import KeptRows, Made, reads_for
from screens.section import Section
from widgets.columns import Cell, Column, Row
from widgets.format import bar, count, since
from widgets.spans import joined, line

SCALERS = (
    Column("namespace", "namespace", 13, sort="N"),
    Column("name", "scaler", 12, sort="S"),
    Column("current", "replicas", 8, "right", sort="R", descending=True),
    Column("range", "of", 6, sort="O"),
    Column("share", "", 8, drop=4),
    Column("state", "state", 30, flex=2, sort="T"),
    Column("target", "scales", 20, flex=1, drop=1, sort="C"),
    Column("tenant", "tenant", 9, drop=3, sort="E"),
    Column("scaled", "last scaled", 11, "right", drop=2, sort="L"),
)
QUOTAS = (
    Column("namespace", "namespace", 14, flex=1, sort="N"),
    Column("resource", "resource", 16, flex=1, sort="R"),
    Column("used", "used", 8, "right", sort="U", descending=True),
    Column("hard", "of", 8, "right", sort="O", descending=True),
    Column("share", "share", 20, sort="S", descending=True),
    Column("tenant", "tenant", 10, drop=2, sort="T"),
    Column("name", "quota", 14, flex=1, drop=1, sort="Q"),
)
BUDGETS = (
    Column("namespace", "namespace", 13, sort="N"),
    Column("name", "budget", 12, sort="B"),
    Column("allowed", "may go", 6, "right", sort="M"),
    Column("state", "state", 26, flex=2, sort="S"),
    Column("healthy", "healthy", 7, "right", sort="H"),
    Column("rule", "rule", 18, drop=1, sort="R"),
    Column("target", "counts", 20, flex=1, drop=2, sort="C"),
    Column("tenant", "tenant", 9, drop=3, sort="T"),
)


# -- scalers -----------------------------------------------------------------------------------------------------------


def scalers(platform: Platform, kept: KeptRows, now: datetime) -> Section:
    """HorizontalPodAutoscalers: those that cannot scale first, then those at a limit."""
    seen = platform.scalers
    if seen.reading is None:
        return blind(SCALERS, seen, "scalers")
    found, tenants = seen.reading.scalers, platform.tenants

    def make(key: str, each: KubeScaler, tenant: str) -> Made:
        words, style, rank = scaler_state(each)
        row = Row(
            key,
            (
                each.namespace,
                each.name,
                Cell(count(each.current), style if rank < 2 else "", each.current),
                Cell(f"{each.minimum}–{each.maximum}", "muted", each.maximum),
                Cell((("▕", "line"), (bar(share_of(each.current, each.maximum), 6), style if rank < 2 else "series"), ("▏", "line"))),
                Cell(words, style),
                Cell(each.target, "muted"),
                tenant,
                Cell(f"{since(each.scaled_at, now)} ago" if each.scaled_at else "", "muted", seconds_since(each.scaled_at, now)),
            ),
        )  # fmt: skip
        return Made(row, (rank, each.namespace, each.name), reads_for(now, each.scaled_at))

    rows = kept(
        (found,), lambda: ((k, (k, each, tenants.get(each.namespace, ""))) for k, each in found.items()), make, now
    )
    limited = sum(scaler_state(each)[2] < 2 for each in found.values())
    summary = (
        partly(seen.why),
        joined(
            (
                line(count(len(found), "scaler")),
                line((f"▲ {limited} cannot give what is wanted", "warning")) if limited else (),
            ),
            "   ",
        ),
    )
    return Section(
        SCALERS, rows, tuple(each for each in summary if each), empty="no HorizontalPodAutoscaler", count=len(rows)
    )


def scaler_state(scaler: KubeScaler) -> tuple[str, str, int]:
    """Words, style, rank."""
    if scaler.reason:
        return f"cannot scale: {scaler.reason}", "warning", 0
    if scaler.at_limit == "TooManyReplicas":
        return "▲ at its maximum, wants more", "warning", 1
    if scaler.at_limit == "TooFewReplicas":
        return "at its minimum", "muted", 3
    if scaler.at_limit:
        return f"limited: {scaler.at_limit}", "warning", 1
    if scaler.desired != scaler.current:
        return f"scales to {scaler.desired}", "", 2
    return "ok", "ok", 4


# -- quotas ------------------------------------------------------------------------------------------------------------


def quotas(platform: Platform, kept: KeptRows, now: datetime) -> Section:
    """A row for each limited resource of each quota, the fullest first."""
    seen = platform.quotas
    if seen.reading is None:
        return blind(QUOTAS, seen, "quotas")
    found, tenants = seen.reading.quotas, platform.tenants

    def make(key: str, quota: KubeQuota, resource: str, tenant: str) -> Made:
        hard, used = quota.hard[resource], quota.used.get(resource)
        share = share_of(used, hard) if hard else (1.0 if used is not None else None)
        row = Row(
            key,
            (
                quota.namespace,
                resource,
                Cell("?" if used is None else amount_of(resource, used), "", used if used is not None else -1.0),
                Cell(amount_of(resource, hard), "muted", hard),
                quota_share(share),
                tenant,
                Cell(quota.name, "muted"),
            ),
        )
        return Made(row, (-(share if share is not None else 2.0), quota.namespace, quota.name, resource))

    rows = kept(
        (found,),
        lambda: (
            (f"{key}/{resource}", (f"{key}/{resource}", quota, resource, tenants.get(quota.namespace, "")))
            for key, quota in found.items()
            for resource in quota.hard
        ),
        make,
        now,
    )
    full = full_quotas(found)
    summary = (
        partly(seen.why),
        joined(
            (
                line(count(len(found), "quota")),
                line((f"▲ {len(full)} used up: {', '.join(full[:3])}", "warning")) if full else (),
            ),
            "   ",
        ),
    )
    return Section(
        QUOTAS,
        rows,
        tuple(each for each in summary if each),
        empty="no ResourceQuota limits anything",
        count=len(found),
    )


def quota_share(share: float | None, cells: int = 11) -> Cell:
    """A share of a quota with its sign: used up is a warning, what runs goes on running."""
    cell = share_cell(share, cells, full=float("inf"))
    if share is None or share < NEARLY or isinstance(cell.text, str):
        return cell
    return Cell(line(cell.text, (" ▲", "warning")), "", share)


def full_quotas(found: Mapping[str, KubeQuota]) -> list[str]:
    """``tenant-acme pods`` of every quota of which something is used up."""
    shares = ((each.namespace, *each.fullest) for each in found.values())
    return [f"{namespace} {resource}" for namespace, resource, share in sorted(shares) if share >= FULL]


# -- budgets -----------------------------------------------------------------------------------------------------------


def budgets(platform: Platform, kept: KeptRows, now: datetime) -> Section:
    """PodDisruptionBudgets, those that let no pod go first."""
    seen = platform.budgets
    if seen.reading is None:
        return blind(BUDGETS, seen, "disruption budgets")
    found, tenants = seen.reading.budgets, platform.tenants

    def make(key: str, each: KubeBudget, tenant: str) -> Made:
        words, style, rank = budget_state(each)
        row = Row(
            key,
            (
                each.namespace,
                each.name,
                Cell(count(each.allowed), style if rank < 2 else "", each.allowed),
                Cell(words, style),
                Cell(
                    f"{each.healthy}/{each.expected}", "" if each.healthy >= each.expected else "warning", each.healthy
                ),
                Cell(_rule(each), "muted"),
                Cell(", ".join(each.workloads), "muted"),
                tenant,
            ),
        )
        return Made(row, (rank, each.namespace, each.name))

    rows = kept(
        (found,), lambda: ((k, (k, each, tenants.get(each.namespace, ""))) for k, each in found.items()), make, now
    )
    blocking = sum(each.blocks for each in found.values())
    summary = (
        partly(seen.why),
        joined(
            (
                line(count(len(found), "budget")),
                line((f"▲ {blocking} let no pod go: their nodes cannot be drained", "warning")) if blocking else (),
            ),
            "   ",
        ),
    )
    return Section(
        BUDGETS, rows, tuple(each for each in summary if each), empty="no PodDisruptionBudget", count=len(rows)
    )


def _rule(budget: KubeBudget) -> str:
    if budget.min_available:
        return f"at least {budget.min_available} stay"
    return f"at most {budget.max_unavailable} away" if budget.max_unavailable else ""


def budget_state(budget: KubeBudget) -> tuple[str, str, int]:
    """Words, style, rank."""
    if budget.expected == 0:
        return "counts no pod", "muted", 3
    if budget.allowed > 0:
        return "ok", "ok", 4
    if budget.drained:
        return f"▲ the drain of {', '.join(budget.drained)} waits", "warning", 0
    if budget.healthy < budget.needed:
        return f"▲ {budget.healthy} of {budget.needed} needed are healthy", "warning", 0
    if budget.needed >= budget.expected:
        return "▲ all are needed: blocks every drain", "warning", 1
    return "▲ blocks a drain now", "warning", 1
