"""Workloads that have too few pods, and budgets that forbid what has to be done."""

from __future__ import annotations

from datetime import datetime

from console.assessment.kubernetes import Kube, place, unready
from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.words import count, listing, short
from console.readings import Evidence, KubeBudget, KubernetesBudgets, KubernetesWorkloads, KubeWorkload


@kind("workload-short", "cluster", "after_seconds", "none_after_seconds", "stuck_after_seconds")
def workload_short(look: Look) -> Said:
    """Fewer pods are ready than are wanted, for longer than a rollout or a start takes."""
    for kube in look.kubes.values():
        reading = kube.workloads
        if reading is None:
            continue
        for key, row in reading.workloads.items():
            if row.ready >= row.desired:
                continue
            since = kube.memory.short_since.get(key)
            if since is None or _too_long(look, kube, reading, key, row, since):
                yield _short(look, kube, reading, row, since)


def _too_long(
    look: Look, kube: Kube, reading: KubernetesWorkloads, key: str, row: KubeWorkload, since: datetime
) -> bool:
    """One that still serves may be short for as long as its rollout moves on: of fifty nodes, that is an hour."""
    moved = kube.memory.moved_at.get(key, since)
    if row.ready and not look.is_open("workload-short", kube.subject(row.namespace, f"{row.kind}/{row.name}")):
        since = max(since, moved)
    return (reading.taken_at - since).total_seconds() >= _patience(look, row)


def _patience(look: Look, row: KubeWorkload) -> float:
    name = "stuck_after_seconds" if row.reason else "after_seconds" if row.ready else "none_after_seconds"
    return look.threshold("workload-short", name)


def _short(look: Look, kube: Kube, reading: KubernetesWorkloads, row: KubeWorkload, since: datetime | None) -> Symptom:
    owner, users = f"{row.kind}/{row.name}", kube.users([row.namespace])
    pods = kube.pods_by_owner.get((row.namespace, owner), [])
    reasons = sorted({pod.reason for pod in unready(pods) if pod.reason})
    on_nodes = tuple(
        f"{name}:{kube.name}/{subject}"
        for node_name, node in kube.lost_nodes.items()
        for name, subject in (("node-not-ready", node_name), ("zone-lost", node.zone))
    )
    name = place(row.namespace, row.name)
    if row.ready:
        felt = f"{users.words}: {count(row.ready, 'pod')} {'does' if row.ready == 1 else 'do'} the work of {row.desired}; slower under load, less to fall back on."
    else:
        felt = f"{users.words}: nothing of {name} serves anybody."
    evidence: tuple[Evidence, ...] = (
        fact(reading, "pods that are ready", str(row.ready), str(row.desired)),
        fact(reading, "of the newest version", str(row.updated), str(row.desired)),
        *((fact(reading, "the controller", row.reason, text=row.message),) if row.reason else ()),
        *((fact(kube.pods, "pods that are not", listing(reasons)),) if reasons else ()),
    )
    return Symptom(
        subject=kube.subject(row.namespace, owner),
        severity="warning" if row.ready else "critical",
        title=f"{name}: {row.ready} of {count(row.desired, 'pod')} {'is' if row.ready == 1 else 'are'} ready",
        impact=felt,
        action="Read why its pods are not ready (events, log of the pod); finish or roll back a rollout that is stuck.",
        stands_on=(reading,),
        scope="tenant" if users.known else "platform",
        since=since,
        affects=users.tenants,
        tenants=users.tenants,
        evidence=evidence,
        causes=(
            *kube.pod_causes(row.namespace, owner),
            *kube.quota_causes(row.namespace),
            *kube.node_causes({pod.node for pod in unready(pods) if pod.node} | set(row.nodes)),
            *on_nodes,
        ),
        # A DaemonSet has a pod on each node: those that are lost are told as nodes.
        hidden_by=on_nodes if row.kind == "DaemonSet" else (),
    )


@kind("pdb-blocks", "cluster", "after_seconds", "drain_seconds")
def pdb_blocks(look: Look) -> Said:
    """No pod may be evicted because some are unhealthy, or while a node that holds one is to be drained.

    A budget that never allows one, for a workload with just as many pods as it demands, is how it was built: no finding.
    """
    for kube in look.kubes.values():
        reading = kube.budgets
        if reading is None:
            continue
        for row in reading.budgets.values():
            sick = row.blocks and row.expected > row.needed and row.healthy < row.expected
            if sick or (row.blocks and row.drained):
                yield _blocks(look, kube, reading, row, sick=sick)


def _blocks(look: Look, kube: Kube, reading: KubernetesBudgets, row: KubeBudget, *, sick: bool) -> Symptom:
    users, name = kube.users([row.namespace]), place(row.namespace, row.name)
    drained = listing(row.drained, 2)
    if row.drained:
        title = f"{name} keeps {short(drained, 40)} from being drained"
        felt = f"Users feel nothing yet; work on {drained} waits, and whoever forces it stops pods of {users.words}."
    else:
        title = f"{name} allows no eviction: {row.healthy} of {row.expected} pods are healthy"
        felt = f"{users.words}: one pod less would be too few; no node that holds one can be drained."
    subjects = [(row.namespace, owner) for owner in row.workloads]
    return Symptom(
        subject=f"{kube.name}/{row.namespace}/{row.name}",
        severity="warning",
        title=title,
        impact=felt,
        action="Mend the pods that are not healthy."
        if sick
        else "Scale the workload up by one for the time of the drain, or move its pod at an hour when that may be felt.",
        stands_on=(reading,),
        scope="tenant" if users.known else "platform",
        affects=users.tenants,
        tenants=users.tenants,
        evidence=(
            fact(reading, "evictions allowed", str(row.allowed), "1"),
            fact(reading, "healthy pods", str(row.healthy), f"{row.needed} needed, {row.expected} expected"),
            fact(reading, "of", listing(row.workloads) or "?"),
            *((fact(reading, "cordoned nodes with its pods", drained),) if row.drained else ()),
        ),
        causes=(
            *(cause for namespace, owner in subjects for cause in kube.pod_causes(namespace, owner)),
            *(f"workload-short:{kube.subject(namespace, owner)}" for namespace, owner in subjects),
        ) if sick else (),
        after_s=look.threshold("pdb-blocks", "after_seconds" if sick else "drain_seconds"),
    )  # fmt: skip
